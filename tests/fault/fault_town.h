// SPDX-License-Identifier: MIT
/* fault_town.h: a small store in a known state, and the loop that fails call after call in it. */
#ifndef LK_TEST_FAULT_TOWN_H
#define LK_TEST_FAULT_TOWN_H

#include "core/bench.h"

#define FAULT_PASSWORD "their secret"

struct fault_town {
    struct bench *bench;
    /* The state that every run begins in. */
    void *saved_memory;
    struct lk_fake saved_fake;
    uint64_t before;
    struct lk_id alice;       /* one failed login, a session, an API key */
    struct lk_id bob;         /* a verifier of a lower cost */
    struct lk_id carol;       /* a claim code */
    struct lk_id dave;        /* removed, and due to be purged */
    struct lk_id base, child; /* roles; child inherits, alice has both, dave has child */
    struct lk_id second;      /* another tenant */
    char token[LK_TOKEN_SIZE], claim[LK_CLAIM_SIZE];
    uint64_t points, runs; /* figures to tell */
};

struct fault_facts {
    uint64_t failed, logins, sessions, refused; /* refused: entries of failed logins */
    uint64_t device_failed, console_failed;     /* on those lanes; failed: on the network */
};

struct fault_case {
    const char *name;
    /* The whole of it, its own transactions included; ends what it began. */
    int (*run)(struct fault_town *town);
    int want; /* what it answers when nothing fails */
    /*
     * NULL: any error leaves the state of before. Else judges a state that is neither that nor the
     * one of after.
     */
    bool (*middle)(struct fault_town *town, int error);
};

struct fault_town *fault_town_open(void);
void fault_town_close(struct fault_town *town);
/* The state of now is the one that every run begins in. */
void fault_town_save(struct fault_town *town);
/* Back to the saved state, with a handle opened anew. */
void fault_town_reset(struct fault_town *town);
/* The end of a transaction as every caller writes it: kept where nothing has failed. */
int fault_town_end(struct fault_town *town, int error);
/* Every storage call and every port call of the case, failed once and for ever. */
void fault_town_try(struct fault_town *town, const struct fault_case *one);
/* Of a user; `tenant` of the town's first. */
struct fault_facts fault_town_facts(struct fault_town *town, struct lk_id user);

#endif
