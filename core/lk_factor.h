// SPDX-License-Identifier: MIT
/* lk_factor.h: what time-based codes, recovery codes and the login share. */
#ifndef LK_FACTOR_H
#define LK_FACTOR_H

#include "lk_engine.h"

#define LK_TOTP_DIGITS_MAX 8
#define LK_TOTP_PERIOD_MS  30000

/* A code as a person gave it, without spaces and dashes; empty when it can be none. */
struct lk_code {
    uint8_t text[LK_RECOVERY_DIGITS];
    size_t size;
};
void lk_code_take(struct lk_span given, struct lk_code *code);

/* lk_totp.c: the code of a step, RFC 6238: `digits` characters and a NUL. LK_E_UNSUPPORTED where
 * the port has no such HMAC. */
int lk_totp_code(const struct lk_store *store, enum lk_hmac algorithm, struct lk_span seed,
                 uint64_t step, unsigned digits, char out[LK_TOTP_DIGITS_MAX + 1]);
/* The step that a code stands for: this one, the one before or the one after, and none used before.
 * 0: none, or the clock is not trusted. */
int lk_totp_match(struct lk_txn *txn, const struct lk_credential *credential,
                  const struct lk_code *code, uint64_t *step);
/* Notes that it was used, and, where that was its first, that it is the user's. */
int lk_totp_spend(struct lk_txn *txn, struct lk_id id, uint64_t step);

/* lk_recovery.c: codes that are left of a set. */
static inline uint32_t lk_recovery_left(const struct lk_credential *credential)
{
    return (uint32_t)(credential->secret.size / LK_TOKEN_HASH_SIZE);
}
/* Which of them this is, from 1; 0: none. */
int lk_recovery_match(struct lk_txn *txn, const struct lk_credential *credential,
                      const struct lk_code *code, uint32_t *place);
int lk_recovery_spend(struct lk_txn *txn, struct lk_id id, uint32_t place);

/* lk_login_factor.c: what a user has, and what a code fits. */
struct lk_factor {
    uint32_t totp_count;    /* confirmed */
    uint32_t pending_count; /* not yet */
    uint32_t handed_count;  /* of these, made by somebody else for the user */
    uint32_t codes_left;
    enum lk_factor_kind kind; /* NONE: it fits nothing */
    bool pending;             /* it fits one that was not confirmed */
    struct lk_id credential;
    uint64_t place; /* step, or place in the set */
};

static inline bool lk_factor_enrolled(const struct lk_factor *factor)
{
    return factor->totp_count || factor->codes_left;
}
int lk_factor_find(struct lk_txn *txn, struct lk_id user, struct lk_span given,
                   struct lk_factor *factor);
/* The strictest of the tenant's and the roles'. */
int lk_factor_policy(struct lk_txn *txn, struct lk_id user, const struct lk_tenant *tenant,
                     enum lk_factor_policy *policy);

#endif
