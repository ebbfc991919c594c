// SPDX-License-Identifier: MIT
/*
 * lk_protect.c: a tenant keeps an administrator.
 *
 * An administrator is an active user who can log in, by a password or a claim code, and holds *:*
 * without conditions and without a permission that would take the means to undo a mistake away.
 * Before a change is written, what would be is compared with what is: whoever counted before must
 * not be the last. An administrator for good (rank 2) is not given up for one whose grant ends
 * (rank 1). The system is held to it, too: the way out is to make another administrator first.
 *
 * What is damaged counts against the change: who may have been an administrator was one, and who
 * may be one is none.
 *
 * While some permission needs a second person, two for good (rank 2) must stay: one alone could not
 * even take that back.
 */
#include "lk_engine.h"

struct protect_job {
    struct lk_txn *txn;
    uint32_t tenant;
    const struct lk_change *change;  /* NULL: as it is */
    uint32_t stars[LK_PAIR_MAX + 1]; /* permissions that give everything */
    uint32_t star_count;
    bool damaged; /* somebody could not be counted */
    /* Found: the best rank of all, and of those for good no more than two. */
    unsigned count, best;
    uint32_t users[2];
};

/* The change, where it is one of a record of this kind; or NULL. */
static const struct lk_change *protect_of(const struct protect_job *job, const struct lk_kind *kind)
{
    return job->change && job->change->kind == kind ? job->change : NULL;
}

/* ---- Records as they would be ---- */

static int protect_permission(const struct protect_job *job, uint32_t number,
                              struct lk_permission *permission)
{
    const struct lk_change *change = protect_of(job, &lk_kind_permission);
    struct lk_id id = {job->tenant, 0, number};

    if (change && change->id.sub == number) {
        memcpy(permission, change->after, sizeof(*permission));
        return 0;
    }
    return lk_get(job->txn, &lk_kind_permission, id, &permission->record);
}

static bool protect_is_star(const struct lk_permission *permission)
{
    return lk_span_equal(permission->resource, LK_TEXT("*")) &&
           lk_span_equal(permission->action, LK_TEXT("*")) &&
           !(lk_condition_flags(permission) & (LK_P_DENY | LK_P_CONDITION));
}

static int protect_find_stars(struct protect_job *job)
{
    const struct lk_change *change = protect_of(job, &lk_kind_permission);
    struct lk_permission permission;
    struct lk_pair pair;
    uint32_t i;
    int error = lk_permission_pair(job->txn, job->tenant, LK_TEXT("*"), LK_TEXT("*"), &pair);

    job->star_count = 0;
    for (i = 0; !error && i < pair.count; i++) {
        error = protect_permission(job, pair.numbers[i], &permission);
        if (!error && protect_is_star(&permission)) {
            job->stars[job->star_count++] = pair.numbers[i];
        }
    }
    if (!error && change && change->before &&
        protect_is_star((const struct lk_permission *)change->after)) {
        for (i = 0; i < job->star_count && job->stars[i] != change->id.sub; i++) {
        }
        if (i == job->star_count) {
            job->stars[job->star_count++] = change->id.sub;
        }
    }
    return error;
}

/* Takes the means to undo it away, as seen from the device itself? */
static bool protect_blocks(const struct lk_permission *permission)
{
    static const char *const means[] = {"*", "user", "role", "permission", "credential"};
    const struct lk_context console = {.channel = 1 + LK_CHANNEL_CONSOLE};
    uint64_t failed;
    size_t i;

    if (!permission->deny) {
        return false;
    }
    for (i = 0; i < LK_COUNT(means); i++) {
        struct lk_span one = {(const uint8_t *)means[i], strlen(means[i])};

        if (lk_span_equal(permission->resource, one)) {
            return lk_condition_holds(permission, &console, &failed) != LK_HOLDS_NO;
        }
    }
    return false;
}

/* ---- Is this an administrator? ---- */

static bool protect_has_star(const struct protect_job *job, const uint8_t *bits)
{
    uint32_t i;

    for (i = 0; i < job->star_count; i++) {
        if (lk_bit(bits, job->stars[i])) {
            return true;
        }
    }
    return false;
}

/* Adds what one grant gives to `all`, and raises `rank`. */
static int protect_grant(const struct protect_job *job, const struct lk_grant *grant,
                         uint8_t all[LK_PERMISSION_BYTES], unsigned *rank)
{
    struct lk_id role = {job->tenant, 0, grant->record.id.sub};
    uint8_t bits[LK_PERMISSION_BYTES];
    unsigned one = !grant->expires_at ? 2 : lk_expired(job->txn, grant->expires_at) ? 0 : 1;
    size_t size, i;
    int error = lk_role_compile(job->txn, role, job->change, bits, &size);

    if (error || (grant->expires_at && grant->expires_at <= job->txn->now_ms)) {
        return error;
    }
    for (i = 0; i < size; i++) {
        all[i] |= bits[i];
    }
    if (protect_has_star(job, bits)) {
        *rank = one > *rank ? one : *rank;
    }
    return 0;
}

static int protect_grants(const struct protect_job *job, uint32_t user,
                          uint8_t all[LK_PERMISSION_BYTES], unsigned *rank)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {job->tenant, user, 0}};
    const struct lk_change *change = protect_of(job, &lk_kind_grant);
    struct lk_grant grant;
    int error = lk_list_begin(job->txn, &list);

    change = change && change->id.user == user ? change : NULL;
    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (!error && !(change && grant.record.id.sub == change->id.sub)) {
            error = protect_grant(job, &grant, all, rank);
        }
    }
    lk_list_end(&list);
    error = error == LK_E_NOT_FOUND ? 0 : error;
    if (!error && change && change->after) {
        memcpy(&grant, change->after, sizeof(grant));
        grant.record.id = change->id;
        error = protect_grant(job, &grant, all, rank);
    }
    return error;
}

/* 2: for good; 1: until it expires; 0: not by this. */
static unsigned protect_credential(const struct protect_job *job,
                                   const struct lk_credential *credential)
{
    if (!credential->secret.size || lk_expired(job->txn, credential->expires_at)) {
        return 0;
    }
    if (credential->type == LK_CREDENTIAL_CLAIM) {
        return 2;
    }
    return credential->type != LK_CREDENTIAL_PASSWORD ? 0 : credential->expires_at ? 1 : 2;
}

static int protect_can_log_in(const struct protect_job *job, uint32_t user, unsigned *most)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = {job->tenant, user, 0}};
    const struct lk_change *change = protect_of(job, &lk_kind_credential);
    struct lk_credential credential;
    unsigned one;
    int error = lk_list_begin(job->txn, &list);

    change = change && change->id.user == user ? change : NULL;
    *most = 0;
    while (!error) {
        error = lk_list_next(&list, &credential.record);
        if (error || (change && credential.record.id.sub == change->id.sub)) {
            /* What is damaged lets nobody in, and hides nobody who has something else. */
            error = error == LK_E_CORRUPT && credential.record.id.sub ? 0 : error;
            continue;
        }
        one = protect_credential(job, &credential);
        *most = one > *most ? one : *most;
    }
    lk_list_end(&list);
    if (change && change->after) {
        one = protect_credential(job, (const struct lk_credential *)change->after);
        *most = one > *most ? one : *most;
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int protect_is_active(const struct protect_job *job, uint32_t number, bool *active)
{
    struct lk_id id = {job->tenant, number, 0};
    const struct lk_change *change = protect_of(job, &lk_kind_user);
    struct lk_user user;
    int error;

    if (change && change->id.user == number) {
        *active = change->after && change->operation != LK_REMOVE &&
                  ((const struct lk_user *)change->after)->status == LK_USER_ACTIVE;
        return 0;
    }
    error = lk_get(job->txn, &lk_kind_user, id, &user.record);
    *active = !error && user.status == LK_USER_ACTIVE;
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int protect_rank(const struct protect_job *job, uint32_t user, unsigned *rank)
{
    uint8_t all[LK_PERMISSION_BYTES] = {0};
    struct lk_permission permission;
    unsigned most;
    uint32_t number;
    bool active;
    int error = protect_is_active(job, user, &active);

    *rank = 0;
    if (!error && active) {
        error = protect_grants(job, user, all, rank);
    }
    for (number = 1; !error && *rank && number < 8 * LK_PERMISSION_BYTES; number++) {
        if (lk_bit(all, number)) {
            error = protect_permission(job, number, &permission);
            if (!error && protect_blocks(&permission)) {
                *rank = 0;
            }
        }
    }
    if (!error && *rank) {
        error = protect_can_log_in(job, user, &most);
        *rank = most < *rank ? most : *rank;
    }
    return error;
}

/* ---- All administrators ---- */

static bool protect_enough(const struct protect_job *job)
{
    return job->count == 2;
}

static int protect_count_user(struct protect_job *job, uint32_t user)
{
    unsigned rank;
    int error = protect_rank(job, user, &rank);

    if (error == LK_E_CORRUPT) {
        job->damaged = true;
        return 0;
    }
    if (error || !rank) {
        return error;
    }
    job->best = rank > job->best ? rank : job->best;
    if (rank == 2 && job->count < 2 && !(job->count && job->users[0] == user)) {
        job->users[job->count++] = user;
    }
    return 0;
}

static int protect_count_holders(struct protect_job *job, struct lk_id role)
{
    const struct lk_index *index = lk_index_named(&lk_kind_user, LK_TEXT("active_role"));
    struct lk_id user = {role.tenant, 0, 0};
    uint8_t bits[LK_PERMISSION_BYTES];
    size_t size;
    int error = lk_role_compile(job->txn, role, job->change, bits, &size);

    if (error == LK_E_CORRUPT) {
        job->damaged = true;
        return 0;
    }
    if (error || !protect_has_star(job, bits)) {
        return error;
    }
    while (!error && !protect_enough(job)) {
        error = lk_role_next_holder(job->txn, role, index, user.user, &user);
        if (!error) {
            error = protect_count_user(job, user.user);
        }
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int protect_count(struct protect_job *job)
{
    struct lk_list list = {.kind = &lk_kind_role, .scope = {job->tenant, 0, 0}};
    const struct lk_change *change = protect_of(job, &lk_kind_role);
    struct lk_role role;
    int error = lk_list_begin(job->txn, &list);

    while (!error && !protect_enough(job)) {
        error = lk_list_next(&list, &role.record);
        if (error == LK_E_CORRUPT && role.record.id.sub) {
            job->damaged = true;
            error = 0;
        } else if (!error) {
            error = protect_count_holders(job, role.record.id);
        }
    }
    lk_list_end(&list);
    error = error == LK_E_NOT_FOUND ? 0 : error;
    /* One that comes back is in no list yet. */
    if (!error && change && change->operation == LK_RESTORE) {
        error = protect_count_holders(job, change->id);
    }
    return error;
}

/* Does any permission ask for a second person? */
static int protect_needs_two(const struct protect_job *job, bool *two)
{
    struct lk_list list = {.kind = &lk_kind_permission, .scope = {job->tenant, 0, 0}};
    const struct lk_change *change = protect_of(job, &lk_kind_permission);
    struct lk_permission permission;
    int error = lk_list_begin(job->txn, &list);

    *two = change && change->after && change->operation != LK_REMOVE &&
           ((const struct lk_permission *)change->after)->approval;
    while (!error && !*two) {
        error = lk_list_next(&list, &permission.record);
        if (error == LK_E_CORRUPT && permission.record.id.sub) {
            error = 0;
            continue;
        }
        *two = !error && !(change && permission.record.id.sub == change->id.sub) &&
               permission.approval;
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* ---- The rule ---- */

static int protect_judge(struct protect_job *before, struct protect_job *after)
{
    const struct lk_change *change = after->change;
    bool had, has;
    int error;

    if (after->best < before->best) {
        return lk_refuse(after->txn, LK_E_CHECK, change->kind, NULL, LK_TEXT(""),
                         "would leave the tenant without an administrator who can log in");
    }
    if (after->count >= 2) {
        return 0;
    }
    error = protect_needs_two(before, &had);
    if (!error) {
        error = protect_needs_two(after, &has);
    }
    if (!error && has && (!had || after->count < before->count)) {
        error =
            lk_refuse(after->txn, LK_E_CHECK, change->kind, had ? NULL : "approval", LK_TEXT(""),
                      "would leave fewer than two administrators to approve each other");
    }
    return error;
}

static int protect_rank_of(struct protect_job *job, uint32_t user, unsigned *rank)
{
    int error = protect_find_stars(job);

    return error ? error : protect_rank(job, user, rank);
}

/* A change of one user: nothing follows for the others. */
static int protect_user(struct protect_job *before, struct protect_job *after)
{
    uint32_t user = after->change->id.user;
    bool damaged = false;
    unsigned was = 0, is = 0;
    int error = protect_rank_of(before, user, &was);

    if (error == LK_E_CORRUPT) {
        damaged = true;
        was = 2;
    } else if (error || !was) {
        return error;
    }
    error = protect_rank_of(after, user, &is);
    if (error == LK_E_CORRUPT) {
        is = damaged ? was : 0; /* as damaged as before: the change does not matter */
        error = 0;
    }
    if (error || is >= was) {
        return error;
    }
    error = protect_count(after);
    if (error) {
        return error;
    }
    before->best = was > after->best ? was : after->best;
    before->count = after->count + (was < 2 || after->count == 2 ? 0 : 1);
    return protect_judge(before, after);
}

static int protect_roles(struct protect_job *before, struct protect_job *after)
{
    int error = protect_find_stars(before);

    if (!error) {
        error = protect_count(before);
    }
    if (!error && !before->best && before->damaged) {
        error = LK_E_CORRUPT;
    }
    if (!error) {
        error = protect_find_stars(after);
    }
    if (!error) {
        error = protect_count(after);
    }
    return error ? error : protect_judge(before, after);
}

int lk_protect_change(struct lk_txn *txn, const struct lk_change *change)
{
    struct protect_job before = {.txn = txn, .tenant = change->id.tenant};
    struct protect_job after = {.txn = txn, .tenant = change->id.tenant, .change = change};
    uint64_t changed = change->operation == LK_UPDATE ? change->changed : UINT64_MAX;
    bool adds = change->operation == LK_ADD;

    switch (change->kind->number) {
    case LK_KIND_USER: return adds || !(changed & LK_BIT(14)) ? 0 : protect_user(&before, &after);
    case LK_KIND_GRANT: return protect_user(&before, &after);
    case LK_KIND_CREDENTIAL: return adds ? 0 : protect_user(&before, &after);
    case LK_KIND_ROLE:
        return adds || !(changed & (LK_BIT(10) | LK_BIT(11) | LK_BIT(12)))
                   ? 0
                   : protect_roles(&before, &after);
    case LK_KIND_PERMISSION:
        /* One that a role has is not removed, and one that none has gives nobody anything. */
        if (!change->after || change->operation == LK_REMOVE ||
            (adds && !((const struct lk_permission *)change->after)->approval)) {
            return 0;
        }
        return protect_roles(&before, &after);
    default: return 0;
    }
}
