// SPDX-License-Identifier: MIT
/* lk_login.h: what the phases of a login share. */
#ifndef LK_LOGIN_H
#define LK_LOGIN_H

#include "lk_factor.h"

#define LK_LOGIN_NAME_MAX 255

enum lk_login_state { LOGIN_IDLE, LOGIN_VERIFY, LOGIN_COMPARE, LOGIN_RENEW, LOGIN_READY };

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
    LOGIN_CODE = 1024,  /* the second factor's code was wrong */
};

/* A field of the activity record by its number. */
static inline const struct lk_field *lk_login_field(unsigned number)
{
    return lk_field_numbered(&lk_kind_activity, number);
}

/* lk_login_charge.c: counts one failure; LK_E_LOCKED, and nothing changed, while a delay runs. */
int lk_login_charge(struct lk_login *login, struct lk_txn *txn, const struct lk_kind *kind,
                    struct lk_activity *counts, const struct lk_tenant *tenant);
/* Finds, or makes room for, what was charged to a name that nobody has. */
int lk_login_bucket(struct lk_txn *txn, uint32_t tenant, struct lk_span name,
                    struct lk_bucket *bucket);

/* lk_login_factor.c: 0 go on, and `factor` tells with what; LK_E_REFUSED for a wrong code;
 * LK_E_SECOND_FACTOR, with login->problem, when one is to be asked for: what was written is then to
 * be committed. */
int lk_login_factor(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                    struct lk_factor *factor);
/* The code is good no more. */
int lk_login_factor_spend(struct lk_txn *txn, const struct lk_factor *factor);
/* Gives back what this login was charged, and nothing that others were. */
int lk_login_give_back(struct lk_login *login, struct lk_txn *txn);

/* lk_login_session.c: ends dead sessions, and the oldest while there are too many; or tells that
 * there are. */
int lk_login_make_room(struct lk_txn *txn, struct lk_id user, const struct lk_tenant *tenant,
                       bool *full);
/* Knows or remembers the device; 0: none. `fresh`: it is not one that the user came from before. */
int lk_login_device(struct lk_login *login, struct lk_txn *txn, struct lk_login_result *result,
                    uint32_t *device, bool *fresh);
/* Makes the token, and puts the session under `number`. */
int lk_login_put_session(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                         uint32_t number, uint32_t device, struct lk_login_result *result);
/* What a good login leaves in the activity record; takes the charge back. */
int lk_login_put_activity(struct lk_login *login, struct lk_txn *txn, struct lk_activity *activity,
                          bool *new_address);

#endif
