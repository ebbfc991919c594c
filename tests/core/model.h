// SPDX-License-Identifier: MIT
/*
 * model.h: what a store should know, in plain arrays, and random operations on both.
 *
 * Limitations: names are lower case, one password in the form "<number> password", no API keys.
 */
#ifndef LK_TEST_MODEL_H
#define LK_TEST_MODEL_H

#include "bench.h"

#define MODEL_TENANTS  2
#define MODEL_USERS    400 /* ever made, of a tenant */
#define MODEL_ROLES    60
#define MODEL_SESSIONS 4000
#define MODEL_NAMES    24 /* "name0" …; e-mail addresses likewise */
#define MODEL_ACTIONS  6  /* permission "thing:<n>" */
#define MODEL_LIVE_MAX 3  /* sessions of a user at once */

struct model_user {
    bool made, removed, purged;
    unsigned name, email; /* email MODEL_NAMES: none */
    uint64_t status, password, failed, last_failure, locked_until, logins, number;
};

struct model_role {
    bool made, removed, purged, inactive;
    unsigned name, parent, actions; /* a bit for each */
};

struct model_session {
    unsigned tenant, user;
    uint64_t ends_at, number;
    bool over;
    char token[LK_TOKEN_SIZE];
};

struct model {
    struct bench *bench;
    uint64_t seed, step, now, done[16];
    const char *doing;
    uint32_t tenants[MODEL_TENANTS];
    bool suspended[MODEL_TENANTS];
    uint32_t permissions[MODEL_TENANTS][MODEL_ACTIONS];
    uint32_t first_role[MODEL_TENANTS];
    struct model_user users[MODEL_TENANTS][MODEL_USERS + 1]; /* by number */
    unsigned user_count[MODEL_TENANTS];
    struct model_role roles[MODEL_TENANTS][MODEL_ROLES];
    unsigned role_count[MODEL_TENANTS];
    uint64_t grants[MODEL_TENANTS][MODEL_USERS + 1][MODEL_ROLES]; /* 0 none, 1 for ever, or end */
    struct model_session sessions[MODEL_SESSIONS];
    unsigned session_count;
};

/* A model and a store of two tenants, on the bench's storage. */
struct model *model_open(struct bench *bench, uint64_t seed);
void model_close(struct model *model);
/* One random operation on both; fails the test where they differ. */
void model_step(struct model *model);
/* Every record against the model, and verify. */
void model_compare(struct model *model);

#endif
