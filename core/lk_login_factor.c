// SPDX-License-Identifier: MIT
/*
 * lk_login_factor.c: the second factor of a login whose password was right.
 *
 * Nothing is asked before the password is right. A wrong code is a failed login and stays charged;
 * a login that is only asked for its code gives back what it was charged itself and no more, so
 * that asking neither locks anybody out nor clears the count of wrong codes.
 */
#include "lk_login.h"

/* ---- The policy ---- */

/* A role demands what its ancestors do: it has their permissions too. */
static int factor_role(struct lk_txn *txn, uint32_t tenant, uint32_t number, uint64_t *policy)
{
    struct lk_role role;
    unsigned depth;

    for (depth = 0; number && depth <= LK_ROLE_DEPTH; depth++) {
        int error = lk_get(txn, &lk_kind_role, (struct lk_id){tenant, 0, number}, &role.record);

        if (error == LK_E_NOT_FOUND || (!error && !role.is_active)) {
            return 0;
        }
        if (error) {
            return error;
        }
        *policy = role.second_factor > *policy ? role.second_factor : *policy;
        number = (uint32_t)role.parent;
    }
    return 0;
}

int lk_factor_policy(struct lk_txn *txn, struct lk_id user, const struct lk_tenant *tenant,
                     enum lk_factor_policy *policy)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {user.tenant, user.user, 0}};
    struct lk_grant grant;
    uint64_t strictest = tenant->second_factor;
    int error = lk_list_begin(txn, &list);

    while (!error && strictest < LK_FACTOR_REQUIRED) {
        error = lk_list_next(&list, &grant.record);
        /* What may still be granted demands: a lost clock takes rights, and no demand. */
        if (!error && !(lk_clock_trusted(txn) && lk_expired(txn, grant.expires_at))) {
            error = factor_role(txn, user.tenant, grant.record.id.sub, &strictest);
        }
    }
    lk_list_end(&list);
    *policy = (enum lk_factor_policy)strictest;
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* ---- What there is ---- */

static int factor_look_totp(struct lk_txn *txn, const struct lk_credential *credential,
                            const struct lk_code *code, struct lk_factor *factor)
{
    uint64_t step;
    int error = lk_totp_match(txn, credential, code, &step);

    if (!credential->secret.size) {
        return 0; /* put back without its seed */
    }
    factor->totp_count += credential->confirmed != 0;
    factor->pending_count += !credential->confirmed;
    factor->handed_count +=
        !credential->confirmed && credential->record.created_by != credential->record.id.user;
    if (!error && step && (factor->kind == LK_FACTOR_NONE || credential->confirmed)) {
        factor->kind = LK_FACTOR_TOTP;
        factor->pending = !credential->confirmed;
        factor->credential = credential->record.id;
        factor->place = step;
    }
    return error;
}

int lk_factor_find(struct lk_txn *txn, struct lk_id user, struct lk_span given,
                   struct lk_factor *factor)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = {user.tenant, user.user, 0}};
    struct lk_credential credential;
    struct lk_code code;
    uint32_t place;
    int error = lk_list_begin(txn, &list);

    memset(factor, 0, sizeof(*factor));
    lk_code_take(given, &code);
    while (!error) {
        error = lk_list_next(&list, &credential.record);
        if (!error && credential.type == LK_CREDENTIAL_TOTP) {
            error = factor_look_totp(txn, &credential, &code, factor);
        } else if (!error && credential.type == LK_CREDENTIAL_RECOVERY) {
            factor->codes_left += lk_recovery_left(&credential);
            error = lk_recovery_match(txn, &credential, &code, &place);
            if (!error && place) {
                factor->kind = LK_FACTOR_RECOVERY;
                factor->pending = false;
                factor->credential = credential.record.id;
                factor->place = place;
            }
        }
    }
    lk_list_end(&list);
    lk_wipe(txn->store, &code, sizeof(code));
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* ---- In a login ---- */

static int factor_ask(struct lk_login *login, const char *field, const char *rule)
{
    lk_problem_set(&login->problem, LK_E_SECOND_FACTOR, "credential", field, LK_TEXT(""), rule);
    return LK_E_SECOND_FACTOR;
}

/* Nobody has one, and one is demanded: the user's own, where the front end can show it. */
static int factor_enrol(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_totp_offer *offer = login->request->enrol;
    struct lk_id id;
    int error;

    if (!lk_clock_trusted(txn)) {
        return factor_ask(login, "second_factor", "must be enrolled once the clock is set");
    }
    if (!offer) {
        return factor_ask(login, "second_factor", "must be enrolled");
    }
    error = lk_totp_add(txn, login->user, LK_TEXT(""), NULL, offer, &id);
    if (error) {
        return error == LK_E_UNSUPPORTED || error == LK_E_LIMIT || error == LK_E_CONFLICT
                   ? factor_ask(login, "second_factor", "must be enrolled by an administrator")
                   : error;
    }
    return factor_ask(login, "second_factor", "was made: a code of it is needed");
}

int lk_login_factor(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                    struct lk_factor *factor)
{
    const struct lk_login_request *request = login->request;
    enum lk_factor_policy policy;
    bool trusted = lk_clock_trusted(txn), enrolled, first;
    int error = lk_factor_policy(txn, login->user, tenant, &policy);

    memset(factor, 0, sizeof(*factor));
    if (error || policy == LK_FACTOR_OFF) {
        return error;
    }
    error = lk_factor_find(txn, login->user, request->code, factor);
    if (error) {
        return error;
    }
    enrolled = lk_factor_enrolled(factor);
    if (!enrolled && policy == LK_FACTOR_OPTIONAL) {
        factor->kind = LK_FACTOR_NONE;
        return 0;
    }
    /* A first code may confirm, where one must be had and there is no other authenticator. */
    first = policy == LK_FACTOR_REQUIRED && factor->pending_count && !factor->totp_count;
    if (request->code.size && (enrolled || first)) {
        return factor->kind == LK_FACTOR_NONE || (factor->pending && !first) ? LK_E_REFUSED : 0;
    }
    /* Without a clock a person at the device gets in by the password, to set it. */
    if (!trusted && request->channel == LK_CHANNEL_CONSOLE) {
        return 0;
    }
    if (!enrolled && !factor->handed_count) {
        return factor_enrol(login, txn);
    }
    return factor_ask(login, "code",
                      trusted ? "is needed" : "of recovery is needed, since the clock is not set");
}

int lk_login_factor_spend(struct lk_txn *txn, const struct lk_factor *factor)
{
    switch (factor->kind) {
    case LK_FACTOR_TOTP: return lk_totp_spend(txn, factor->credential, factor->place);
    case LK_FACTOR_RECOVERY:
        return lk_recovery_spend(txn, factor->credential, (uint32_t)factor->place);
    default: return 0;
    }
}
