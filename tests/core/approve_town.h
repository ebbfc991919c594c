// SPDX-License-Identifier: MIT
/* approve_town.h: one who asks, and a second person. */
#ifndef LK_TEST_APPROVE_TOWN_H
#define LK_TEST_APPROVE_TOWN_H

#include "bench.h"

#define SECOND_PASSWORD "a second secret"

struct approve_town {
    struct bench *bench;
    struct lk_id alice, bob; /* who ask and approve; both are operators */
    struct lk_login_result session;
    struct lk_id permission;
};

/* A store where user:write needs a second person. */
struct approve_town approve_open(void);
/* This user approves alice's user:write. */
int approve_by(struct approve_town *town, const char *name, const char *password,
               struct lk_approval *approval, struct lk_problem *problem);
/* Fails the test unless that is refused by this rule, and audited. */
void approve_refused(struct approve_town *town, const char *name, const char *password,
                     const char *rule);
/* How many entries of an action there are, and the last one's description. */
unsigned approve_audited(struct bench *bench, const char *action, enum lk_outcome outcome,
                         uint32_t actor, char description[256]);
/* A transaction of alice's. */
void approve_alice(struct approve_town *town);

#endif
