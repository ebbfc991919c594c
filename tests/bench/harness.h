// SPDX-License-Identifier: MIT
/*
 * harness.h: what the benchmark programs share: one engine each, the same people and questions.
 *
 * An engine answers workloads. Each call of an operation is timed for itself; what must be made
 * ready for it (the choice of a user, a hash that is not the store's work) is done in `ready`,
 * untimed. `which` is drawn uniformly below the number of users.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOWN_SESSIONS    2     /* of each user */
#define TOWN_AUDIT       10000 /* entries in the ring of activity */
#define TOWN_PAGE        50    /* users of a page */
#define TOWN_RANGE       100   /* entries of a range */
#define TOWN_BASE_MS     1767225600000u
#define TOWN_LIFETIME_MS (100ull * 365 * 86400000)
#define TOWN_NAME        32
#define TOWN_EMAIL       48
#define TOWN_TOKEN       48
#define TOWN_TOKENS_MAX  65536 /* tokens that are kept for the questions */

enum bench_workload {
    BENCH_SESSION_CHECK,
    BENCH_SESSION_CHECK_PERMISSION,
    BENCH_USER_BY_EMAIL,
    BENCH_USER_PAGE,
    BENCH_AUDIT_RANGE,
    BENCH_LOGIN_DURABLE,
    BENCH_LOGIN_CHARGE,
    BENCH_IMPORT,
    BENCH_OPEN,
    BENCH_DECODE,
    BENCH_BYTES_PER_USER,
    BENCH_WORKLOADS
};

/* A user, as every engine stores it. */
struct town_user {
    char username[TOWN_NAME], email[TOWN_EMAIL], display[TOWN_NAME];
    uint8_t external_id[16];
    uint64_t created_at;
};

void town_user(uint32_t number, struct town_user *user);

struct bench_engine {
    const char *name;
    /* Makes a store with `users` in `directory`, which is empty; `import_ns` gets the
     * processor's time that the users took, sessions and audit not counted. Writes
     * `directory`/tokens. */
    void (*load)(const char *directory, uint32_t users, uint64_t *import_ns);
    void (*open)(const char *directory, uint32_t users);
    void (*close)(void);
    void (*ready[BENCH_WORKLOADS])(uint32_t which); /* NULL: nothing to be made ready */
    void (*run[BENCH_WORKLOADS])(uint32_t which);   /* NULL: the engine has no such operation */
    /* Of the medium, and of keys and values alone where the engine can tell (else 0). */
    void (*bytes)(uint64_t *medium, uint64_t *content);
    int (*other)(int argc, char **argv); /* commands of its own; 2: no such; or NULL */
};

extern const struct bench_engine bench_engine;

/* ---- For engines ---- */

uint64_t bench_now(void);
/* Of the processor: what takes seconds is interrupted by whatever else the machine does. */
uint64_t bench_spent(void);
/* Ends the program with a sentence unless `good`. */
void bench_must(bool good, const char *what);
uint32_t bench_random(uint32_t below);
void bench_fill(uint8_t *out, size_t size);
/* Tokens of sessions, spread over all users, between load and run. */
void tokens_write(const char *directory, uint32_t user, uint32_t users, uint32_t session,
                  const char token[TOWN_TOKEN]);
void tokens_done(void);
void tokens_read(const char *directory);
const char *tokens_pick(uint32_t which);
uint64_t bench_file_size(const char *directory, const char *name);

/* Bytes that this process handed to the kernel for files, and its calls of fsync and fdatasync. */
extern uint64_t count_bytes, count_barriers;

#endif
