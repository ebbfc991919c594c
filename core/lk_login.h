// SPDX-License-Identifier: MIT
/* lk_login.h: what the phases of a login share. */
#ifndef LK_LOGIN_H
#define LK_LOGIN_H

#include "lk_engine.h"

#define LK_LOGIN_NAME_MAX 255

enum lk_login_state { LOGIN_IDLE, LOGIN_VERIFY, LOGIN_RENEW, LOGIN_READY };

enum lk_login_flags {
    LOGIN_KNOWN = 1,    /* the name is a user's */
    LOGIN_FOREIGN = 2,  /* another program's verifier */
    LOGIN_HAS = 4,      /* there is a verifier at all */
    LOGIN_CLAIM = 8,    /* there is a claim code */
    LOGIN_GOOD = 16,    /* proved by password */
    LOGIN_CLAIMED = 32, /* proved by claim code */
    LOGIN_MUST = 64,    /* a new password is due */
    LOGIN_BARRED = 256, /* user or tenant was not active at the beginning */
    LOGIN_FRESH = 128,  /* `fresh` is a new verifier */
};

/* A field of the activity record by its number. */
static inline const struct lk_field *lk_login_field(unsigned number)
{
    return lk_field_numbered(&lk_kind_activity, number);
}

/* Told apart without keeping the bytes: has this record changed? */
uint64_t lk_login_stamp(const struct lk_store *store, struct lk_span bytes);

/* lk_login.c: all of a login, tried again when what it read changed meanwhile. */
int lk_login_run(struct lk_store *store, const struct lk_login_request *request,
                 const struct lk_login_approve *approve, struct lk_login_result *result,
                 struct lk_problem *problem);

/* lk_approve.c */
struct lk_login_approve {
    uint32_t requester;
    const struct lk_question *question;
    struct lk_approval *approval;
};
/* May the person that login proved approve? LK_E_REFUSED with login->problem. */
int lk_approve_judge(struct lk_login *login, struct lk_txn *txn);
int lk_approve_audit(struct lk_login *login, struct lk_txn *txn, bool approved);

/* lk_login_charge.c: counts one failure; LK_E_LOCKED, and nothing changed, while a delay runs. */
int lk_login_charge(struct lk_login *login, struct lk_txn *txn, const struct lk_kind *kind,
                    struct lk_activity *counts, const struct lk_tenant *tenant);
/* Finds, or makes room for, what was charged to a name that nobody has. */
int lk_login_bucket(struct lk_txn *txn, uint32_t tenant, struct lk_span name,
                    struct lk_bucket *bucket);

/* lk_login_session.c: ends dead sessions, and the oldest while there are too many. */
int lk_login_make_room(struct lk_txn *txn, struct lk_id user, const struct lk_tenant *tenant);
/* Makes the token, and puts the session under `number`. */
int lk_login_put_session(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                         uint32_t number, struct lk_login_result *result);
/* What a good login leaves in the activity record; takes the charge back. */
int lk_login_put_activity(struct lk_txn *txn, struct lk_activity *activity);

#endif
