// SPDX-License-Identifier: MIT
/* lk_login.h: what the phases of a login share. */
#ifndef LK_LOGIN_H
#define LK_LOGIN_H

#include "lk_factor.h"

#define LK_LOGIN_NAME_MAX 255

enum lk_login_state { LOGIN_IDLE, LOGIN_VERIFY, LOGIN_COMPARE, LOGIN_RENEW, LOGIN_READY };

enum lk_login_flags {
    LOGIN_KNOWN = 1,     /* the name is a user's */
    LOGIN_FOREIGN = 2,   /* another program's verifier */
    LOGIN_HAS = 4,       /* there is a verifier at all */
    LOGIN_CLAIM = 8,     /* there is a claim code */
    LOGIN_GOOD = 16,     /* proved by password */
    LOGIN_CLAIMED = 32,  /* proved by claim code */
    LOGIN_MUST = 64,     /* a new password is due */
    LOGIN_NOTED = 512,   /* locked, and yet something is to be committed */
    LOGIN_BARRED = 256,  /* user or tenant was not active at the beginning */
    LOGIN_FRESH = 128,   /* `fresh` is a new verifier */
    LOGIN_CODE = 1024,   /* the second factor's code was wrong */
    LOGIN_REUSED = 2048, /* the new password is an earlier one */
};

/* A field of the activity record by its number. */
static inline const struct lk_field *lk_login_field(unsigned number)
{
    return lk_field_numbered(&lk_kind_activity, number);
}

/* lk_login.c: all of a login, tried again when what it read changed meanwhile; charged once. */
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

/*
 * lk_login_charge.c: counts one failure on the login's lane, unless an earlier try of the same
 * login was charged there and that stands (login->charged). LK_E_LOCKED while a delay runs: nothing
 * changed, unless LOGIN_NOTED asks for a commit all the same.
 */
int lk_login_charge(struct lk_login *login, struct lk_txn *txn, const struct lk_kind *kind,
                    struct lk_activity *counts, const struct lk_tenant *tenant);
/* Takes a right credential's charge off a record that was loaded, and spends of the user's budget
 * of logins. The record is still to be written. */
void lk_login_uncharge(struct lk_login *login, const struct lk_txn *txn,
                       const struct lk_tenant *tenant, struct lk_activity *activity);
/* What a right credential costs, whether a session comes of it or a question: the source's charge
 * goes back, and the user's budget of logins is spent of. */
void lk_login_spend(struct lk_login *login, const struct lk_txn *txn,
                    const struct lk_tenant *tenant, struct lk_activity *activity);
/* Were there as many failures since the last good login, on whichever lanes, as start a delay? */
bool lk_login_refused_often(const struct lk_login *login, const struct lk_txn *txn,
                            const struct lk_tenant *tenant, const struct lk_activity *activity);
/* Gives back what this login was charged, and nothing that others were. */
int lk_login_give_back(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant);
/* What the failure number `count` is followed by, doubling from the number `failures` on. */
uint64_t lk_login_delay_ms(uint64_t count, uint64_t failures, uint64_t most_s);
/* Finds, or makes room for, what was charged to a name that nobody has. */
int lk_login_bucket(struct lk_txn *txn, uint32_t tenant, uint64_t tag, struct lk_bucket *bucket);

/* An e-mail address was typed for the name. */
static inline bool lk_login_by_mail(const struct lk_login_request *request)
{
    return request->name.size && memchr(request->name.data, '@', request->name.size);
}

/* lk_login_stand_in.c: a keyed hash of the name, and of the tenant, that are asked for. */
uint64_t lk_login_tag(const struct lk_store *store, const struct lk_login_request *request,
                      bool tenant_there);
/* The policy of a tenant that is not there: that of one that is. */
int lk_login_stand_in_tenant(struct lk_txn *txn, const struct lk_login_request *request,
                             struct lk_tenant *tenant);
/* The user whose verifier a name without one is hashed like. LK_E_NOT_FOUND. */
int lk_login_stand_in_user(struct lk_txn *txn, uint32_t tenant, uint64_t tag, unsigned attempt,
                           struct lk_id *user);
#define LK_STAND_IN_TRIES 16

/*
 * lk_budget.c. A budget of so many `hours`: milliseconds until one more may be spent (0: now) by
 * whom only `mine` of them are for, and its number after that.
 */
uint64_t lk_budget_wait(uint64_t tat, uint64_t now_ms, uint64_t per_hour, unsigned hours,
                        unsigned mine);
uint64_t lk_budget_spend(uint64_t tat, uint64_t now_ms, uint64_t per_hour, unsigned hours);
#define LK_HOUR_MS 3600000u

/* lk_throttle.c. An IPv4 address written as one of IPv6 is one of IPv4. */
struct lk_span lk_login_address(struct lk_span ip);
/* Of an address; 0: none. */
uint64_t lk_throttle_source(const struct lk_store *store, struct lk_span ip);
/* Milliseconds that the network lane is closed to this source. */
uint64_t lk_throttle_wait(struct lk_store *store, uint64_t source, uint64_t now_ms);
void lk_throttle_charge(struct lk_store *store, uint64_t source, uint64_t now_ms);
/* It was no failure. */
void lk_throttle_give_back(struct lk_store *store, uint64_t source);
/* An audit entry that the budget is spent. */
int lk_throttle_note(struct lk_txn *txn);

/* lk_login_factor.c: 0 go on, and `factor` tells with what; LK_E_REFUSED for a wrong code;
 * LK_E_SECOND_FACTOR, with login->problem, when one is to be asked for: what was written is then to
 * be committed. */
int lk_login_factor(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                    struct lk_factor *factor);
/* The code is good no more. */
int lk_login_factor_spend(struct lk_txn *txn, const struct lk_factor *factor);

/* What is unusual about a good login, and told by tags of its audit entry. */
struct lk_login_unusual {
    bool device, address; /* none that the user came from before */
    bool places;          /* another session is in use from another range of addresses */
    bool refusals;        /* as many failures as start a delay, since the last good login */
};

/* Another session counts as in use so long after its last use was noted. */
#define LK_TWO_PLACES_MS 900000

/* lk_login_session.c: ends dead sessions, and the oldest while there are too many; or tells that
 * there are (`full`). Looks at all of them, and so for those in another place. */
int lk_login_make_room(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                       bool *full, struct lk_login_unusual *unusual);
/* Knows or remembers the device; 0: none. `fresh`: it is not one that the user came from before. */
int lk_login_device(struct lk_login *login, struct lk_txn *txn, struct lk_login_result *result,
                    uint32_t *device, bool *fresh);
/* Makes the token, and puts the session under `number`. */
int lk_login_put_session(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                         uint32_t number, uint32_t device, struct lk_login_result *result);
/* What a good login leaves in the activity record; takes the charge back. */
int lk_login_put_activity(struct lk_login *login, struct lk_txn *txn,
                          const struct lk_tenant *tenant, struct lk_activity *activity,
                          struct lk_login_unusual *unusual);

#endif
