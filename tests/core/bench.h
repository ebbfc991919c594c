// SPDX-License-Identifier: MIT
/* bench.h: a store in memory, or on a flash in memory, on the fake port, for the core's tests. */
#ifndef LK_TEST_BENCH_H
#define LK_TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "latchkey.h"
#include "lk_fake.h"
#include "lk_fault.h"
#include "lk_ram.h"

struct bench {
    struct lk_fake fake;
    struct lk_ram ram;
    void *flash;              /* with LATCHKEY_STORAGE=flash, where the map is instead */
    struct lk_storage *under; /* the map itself, whichever it is */
    struct lk_fault fault;
    struct lk_store store;
    struct lk_config config;
    struct lk_txn txn;
    struct lk_actor actor;
    void *memory; /* all that the map is in, RAM or a part */
    size_t memory_size;
    void *ram_memory;
    void *work;
    uint32_t tenant;
    struct lk_id admin;
    char claim[LK_CLAIM_SIZE];
};

#define BENCH_PASSWORD "correct horse"

/* A store with tenant "main" and administrator "admin", whose password is BENCH_PASSWORD. */
struct bench *bench_open(void);
/* Whether its storage keeps tallies, from now on; at first it does. */
void bench_tallies(struct bench *bench, bool on);
/* The same without its last step: nothing was created yet. */
struct bench *bench_bare(size_t memory_size);
void bench_close(struct bench *bench);
/* Closes the store and opens it again over the same memory. */
void bench_reopen(struct bench *bench);

/* A transaction in bench->txn, as the system; ends whatever is open there before. */
struct lk_txn *bench_write(struct bench *bench);
struct lk_txn *bench_read(struct bench *bench);
void bench_commit(struct bench *bench);

struct lk_span bench_text(const char *text);
/* How often these bytes are in that memory; none where they do not fit. */
size_t bench_occurs(const void *memory, size_t size, const void *bytes, size_t count);
/* "field=value" words, to NULL; the record is in memory of the bench until the next call. */
int bench_add(struct bench *bench, const struct lk_kind *kind, struct lk_id *id, ...);
int bench_set(struct bench *bench, const struct lk_kind *kind, struct lk_id id, ...);
/* A user with a password, in a transaction of its own. */
struct lk_id bench_user(struct bench *bench, const char *name, const char *password);
/* Another administrator, "second": one may then go, or approve what the other does. */
struct lk_id bench_second_admin(struct bench *bench);
struct lk_id bench_named(struct bench *bench, const struct lk_kind *kind, const char *name);
int bench_login(struct bench *bench, const char *name, const char *password,
                struct lk_login_result *result);
int bench_login_new(struct bench *bench, const char *name, const char *password, const char *fresh,
                    struct lk_login_result *result, struct lk_problem *problem);
/* 0, LK_E_REFUSED, …; `permission` is "resource:action" or NULL. */
int bench_check(struct bench *bench, const char *token, const char *permission);
/* Fails the test when the store is not clean. */
void bench_verify(struct bench *bench);
/* Every key and value, hashed: equal when nothing changed. */
uint64_t bench_print(struct bench *bench);
/* A number from the environment. */
uint64_t bench_number(const char *name, uint64_t instead);
/* One in so many is tried, where a tool makes each run slow: LATCHKEY_EVERY. */
unsigned bench_step(void);

#endif
