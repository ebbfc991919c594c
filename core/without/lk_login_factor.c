// SPDX-License-Identifier: MIT
/*
 * lk_login_factor.c, for boards without second factors: none can be made, and no code is one.
 *
 * Who has one, in a store that was made elsewhere, or must have one gets in by the password alone
 * while the clock is not set, as on every board, and not at all once it is.
 */
#include "lk_login.h"

static int factor_role(struct lk_txn *txn, uint32_t tenant, uint32_t number, uint64_t *policy)
{
    struct lk_role role;
    unsigned depth;
    int error = 0;

    for (depth = 0; !error && number && depth <= LK_ROLE_DEPTH; depth++) {
        error = lk_get(txn, &lk_kind_role, (struct lk_id){tenant, 0, number}, &role.record);
        number = error || !role.is_active ? 0 : (uint32_t)role.parent;
        if (!error && role.is_active && role.second_factor > *policy) {
            *policy = role.second_factor;
        }
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int factor_policy(struct lk_txn *txn, struct lk_id user, uint64_t *policy)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {user.tenant, user.user, 0}};
    struct lk_grant grant;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (!error && !(lk_clock_trusted(txn) && lk_expired(txn, grant.expires_at))) {
            error = factor_role(txn, user.tenant, grant.record.id.sub, policy);
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_factor_find(struct lk_txn *txn, struct lk_id user, struct lk_span given,
                   struct lk_factor *factor)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = {user.tenant, user.user, 0}};
    struct lk_credential credential;
    int error = lk_list_begin(txn, &list);

    (void)given;
    memset(factor, 0, sizeof(*factor));
    while (!error) {
        error = lk_list_next(&list, &credential.record);
        factor->totp_count +=
            !error && ((credential.type == LK_CREDENTIAL_TOTP && credential.confirmed) ||
                       credential.type == LK_CREDENTIAL_RECOVERY);
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_login_factor(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                    struct lk_factor *factor)
{
    uint64_t policy = tenant->second_factor;
    int error = factor_policy(txn, login->user, &policy);

    if (!error) {
        error = lk_factor_find(txn, login->user, (struct lk_span){NULL, 0}, factor);
    }
    if (error || policy == LK_FACTOR_OFF ||
        (policy == LK_FACTOR_OPTIONAL && !lk_factor_enrolled(factor)) ||
        (!lk_clock_trusted(txn) && login->request->channel == LK_CHANNEL_CONSOLE)) {
        factor->kind = LK_FACTOR_NONE;
        return error;
    }
    lk_problem_set(&login->problem, LK_E_SECOND_FACTOR, "credential", "second_factor", LK_TEXT(""),
                   "is not to be had in this build");
    return LK_E_SECOND_FACTOR;
}

int lk_login_factor_spend(struct lk_txn *txn, const struct lk_factor *factor)
{
    return factor->kind == LK_FACTOR_NONE ? 0 : lk_spoil(txn, LK_E_UNSUPPORTED);
}
