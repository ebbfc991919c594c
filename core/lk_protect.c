// SPDX-License-Identifier: MIT
/*
 * lk_protect.c: a tenant keeps an administrator.
 *
 * An administrator is an active user who can log in, by a password or a claim code, and holds
 * without conditions what it takes, and no permission that would take the means to undo a mistake
 * away. Two things are kept, each by itself: one who holds everything (*:*), where there is one;
 * and one who holds in pieces what makes another like it (reading and writing users, credentials,
 * roles and permissions), of which *:* is one piece that is enough. Before a change is written,
 * what would be is compared with what is: whoever counted before must not be the last. An
 * administrator for good (rank 2) is not given up for one whose grant ends (rank 1). The system is
 * held to it, too: the way out is to make another administrator first.
 *
 * What is damaged counts against the change: who may have been an administrator was one, and who
 * may be one is none.
 *
 * While some permission needs a second person, two for good (rank 2) must stay: one alone could not
 * even take that back.
 */
#include "lk_engine.h"

enum protect_way { PROTECT_ALL, PROTECT_PIECES, PROTECT_WAYS };

/* 2: for good; 1: until something ends; 0: not. What is held as a whole is held in pieces too. */
struct protect_rank {
    unsigned of[PROTECT_WAYS];
};

struct protect_job {
    struct lk_txn *txn;
    uint32_t tenant;
    const struct lk_change *change; /* NULL: as it is */
    /* Permissions that cover the first piece: without one of them nobody is an administrator. */
    uint32_t pivots[4 * LK_PAIR_MAX + 1];
    uint32_t pivot_count;
    bool sought;  /* the pivots were */
    bool damaged; /* somebody could not be counted */
    /* Found: the best rank of all, and of those for good no more than two. */
    unsigned count[PROTECT_WAYS];
    struct protect_rank best;
    uint32_t users[PROTECT_WAYS][2];
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

static const struct {
    const char *resource, *action;
} protect_pieces[] = {
    {"role", "write"},       {"role", "read"},        {"user", "write"},
    {"user", "read"},        {"permission", "write"}, {"permission", "read"},
    {"credential", "write"}, {"credential", "read"},
};

#define PROTECT_ALL_PIECES ((1u << LK_COUNT(protect_pieces)) - 1)
#define PROTECT_EVERYTHING (1u << LK_COUNT(protect_pieces)) /* and what applications have */

static bool protect_names(struct lk_span have, const char *want)
{
    return lk_span_equal(have, LK_TEXT("*")) ||
           lk_span_equal(have, (struct lk_span){(const uint8_t *)want, strlen(want)});
}

/* The pieces that a permission simply gives, a bit each. */
static unsigned protect_covers(const struct lk_permission *permission)
{
    unsigned bits = 0;
    size_t i;

    if (lk_condition_flags(permission) & (LK_P_DENY | LK_P_CONDITION)) {
        return 0;
    }
    for (i = 0; i < LK_COUNT(protect_pieces); i++) {
        if (protect_names(permission->resource, protect_pieces[i].resource) &&
            protect_names(permission->action, protect_pieces[i].action)) {
            bits |= 1u << i;
        }
    }
    return bits == PROTECT_ALL_PIECES && lk_span_equal(permission->resource, LK_TEXT("*")) &&
                   lk_span_equal(permission->action, LK_TEXT("*"))
               ? bits | PROTECT_EVERYTHING
               : bits;
}

/* Notes it where it covers the first piece; once. */
static int protect_pivot(struct protect_job *job, uint32_t number)
{
    struct lk_permission permission;
    uint32_t i;
    int error = protect_permission(job, number, &permission);

    for (i = 0; i < job->pivot_count && job->pivots[i] != number; i++) {
    }
    if (!error && i == job->pivot_count && protect_covers(&permission) & 1) {
        job->pivots[job->pivot_count++] = number;
    }
    return error;
}

static int protect_find_pivots(struct protect_job *job)
{
    const struct lk_change *change = protect_of(job, &lk_kind_permission);
    const char *resource = protect_pieces[0].resource, *action = protect_pieces[0].action;
    unsigned way;
    int error = 0;

    if (job->sought) {
        return 0;
    }
    job->sought = true;
    for (way = 0; !error && way < 4; way++) {
        const char *what = way & 1 ? "*" : resource, *how = way & 2 ? "*" : action;
        struct lk_pair pair;
        uint32_t i;

        error = lk_permission_pair(job->txn, job->tenant,
                                   (struct lk_span){(const uint8_t *)what, strlen(what)},
                                   (struct lk_span){(const uint8_t *)how, strlen(how)}, &pair);
        for (i = 0; !error && i < pair.count; i++) {
            error = protect_pivot(job, pair.numbers[i]);
        }
    }
    return !error && change && change->before ? protect_pivot(job, change->id.sub) : error;
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

static bool protect_has_pivot(const struct protect_job *job, const uint8_t *bits)
{
    uint32_t i;

    for (i = 0; i < job->pivot_count; i++) {
        if (lk_bit(bits, job->pivots[i])) {
            return true;
        }
    }
    return false;
}

/* What somebody is granted: in all, which counts where it takes away; while it lasts; for good. */
struct protect_held {
    uint8_t all[LK_PERMISSION_BYTES], now[LK_PERMISSION_BYTES], good[LK_PERMISSION_BYTES];
};

static int protect_grant(const struct protect_job *job, const struct lk_grant *grant,
                         struct protect_held *held)
{
    struct lk_id role = {job->tenant, 0, grant->record.id.sub};
    bool now = !lk_expired(job->txn, grant->expires_at);
    uint8_t bits[LK_PERMISSION_BYTES];
    size_t size, i;
    int error = lk_role_compile(job->txn, role, job->change, bits, &size);

    if (error || (grant->expires_at && grant->expires_at <= job->txn->now_ms)) {
        return error;
    }
    for (i = 0; i < size; i++) {
        held->all[i] |= bits[i];
        held->now[i] |= now ? bits[i] : 0;
        held->good[i] |= grant->expires_at ? 0 : bits[i];
    }
    return 0;
}

static int protect_grants(const struct protect_job *job, uint32_t user, struct protect_held *held)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {job->tenant, user, 0}};
    const struct lk_change *change = protect_of(job, &lk_kind_grant);
    struct lk_grant grant;
    int error = lk_list_begin(job->txn, &list);

    change = change && change->id.user == user ? change : NULL;
    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (!error && !(change && grant.record.id.sub == change->id.sub)) {
            error = protect_grant(job, &grant, held);
        }
    }
    lk_list_end(&list);
    error = error == LK_E_NOT_FOUND ? 0 : error;
    if (!error && change && change->after) {
        memcpy(&grant, change->after, sizeof(grant));
        grant.record.id = change->id;
        error = protect_grant(job, &grant, held);
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

static void protect_rank_set(struct protect_rank *rank, unsigned now, unsigned good)
{
    static const unsigned want[PROTECT_WAYS] = {
        [PROTECT_ALL] = PROTECT_EVERYTHING, [PROTECT_PIECES] = PROTECT_ALL_PIECES};
    unsigned way;

    for (way = 0; way < PROTECT_WAYS; way++) {
        rank->of[way] = (good & want[way]) == want[way]  ? 2
                        : (now & want[way]) == want[way] ? 1
                                                         : 0;
    }
}

/* Of what is held: a permission that takes the means away leaves no administrator. */
static int protect_weigh(const struct protect_job *job, const struct protect_held *held,
                         struct protect_rank *rank)
{
    struct lk_permission permission;
    unsigned now = 0, good = 0;
    uint32_t number;
    int error = 0;

    for (number = 1; !error && number < 8 * LK_PERMISSION_BYTES; number++) {
        if (!lk_bit(held->all, number)) {
            continue;
        }
        error = protect_permission(job, number, &permission);
        if (!error && protect_blocks(&permission)) {
            return 0;
        }
        if (!error) {
            unsigned covers = protect_covers(&permission);

            now |= lk_bit(held->now, number) ? covers : 0;
            good |= lk_bit(held->good, number) ? covers : 0;
        }
    }
    if (!error) {
        protect_rank_set(rank, now, good);
    }
    return error;
}

static bool protect_holds_any(const struct protect_held *held)
{
    size_t i;

    for (i = 0; i < sizeof(held->all) && !held->all[i]; i++) {
    }
    return i < sizeof(held->all);
}

static int protect_rank(struct protect_job *job, uint32_t user, struct protect_rank *rank)
{
    struct protect_held held;
    unsigned most, way;
    bool active;
    int error = protect_is_active(job, user, &active);

    memset(rank, 0, sizeof(*rank));
    memset(&held, 0, sizeof(held));
    if (!error && active) {
        error = protect_grants(job, user, &held);
    }
    /* Most users hold nothing yet, or little: what makes an administrator is sought for the rest.
     */
    if (!error && protect_holds_any(&held)) {
        error = protect_find_pivots(job);
    }
    if (!error && protect_has_pivot(job, held.all)) {
        error = protect_weigh(job, &held, rank);
    }
    if (!error && rank->of[PROTECT_PIECES]) {
        error = protect_can_log_in(job, user, &most);
        for (way = 0; !error && way < PROTECT_WAYS; way++) {
            rank->of[way] = most < rank->of[way] ? most : rank->of[way];
        }
    }
    return error;
}

/* ---- All administrators ---- */

static bool protect_enough(const struct protect_job *job)
{
    return job->count[PROTECT_ALL] == 2; /* who are counted as the other, too */
}

static int protect_count_user(struct protect_job *job, uint32_t user)
{
    struct protect_rank rank;
    unsigned way;
    int error = protect_rank(job, user, &rank);

    if (error == LK_E_CORRUPT) {
        job->damaged = true;
        return 0;
    }
    for (way = 0; !error && way < PROTECT_WAYS; way++) {
        unsigned *count = &job->count[way], one = rank.of[way];
        uint32_t *users = job->users[way];

        job->best.of[way] = one > job->best.of[way] ? one : job->best.of[way];
        if (one == 2 && *count < 2 && !(*count && users[0] == user)) {
            users[(*count)++] = user;
        }
    }
    return error;
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
    if (error || !protect_has_pivot(job, bits)) {
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
    int error = protect_find_pivots(job);

    error = error ? error : lk_list_begin(job->txn, &list);
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
    /* Those who approve each other hold everything, where somebody does. */
    unsigned way = before->best.of[PROTECT_ALL] ? PROTECT_ALL : PROTECT_PIECES;
    bool had, has;
    int error;

    if (after->best.of[PROTECT_ALL] < before->best.of[PROTECT_ALL] ||
        after->best.of[PROTECT_PIECES] < before->best.of[PROTECT_PIECES]) {
        return lk_refuse(after->txn, LK_E_CHECK, change->kind, NULL, LK_TEXT(""),
                         "would leave the tenant without an administrator who can log in");
    }
    if (after->count[way] >= 2) {
        return 0;
    }
    error = protect_needs_two(before, &had);
    if (!error) {
        error = protect_needs_two(after, &has);
    }
    if (!error && has && (!had || after->count[way] < before->count[way])) {
        error =
            lk_refuse(after->txn, LK_E_CHECK, change->kind, had ? NULL : "approval", LK_TEXT(""),
                      "would leave fewer than two administrators to approve each other");
    }
    return error;
}

static bool protect_less(const struct protect_rank *is, const struct protect_rank *was)
{
    return is->of[PROTECT_ALL] < was->of[PROTECT_ALL] ||
           is->of[PROTECT_PIECES] < was->of[PROTECT_PIECES];
}

/* A change of one user: nothing follows for the others. */
static int protect_user(struct protect_job *before, struct protect_job *after)
{
    static const struct protect_rank none = {{0, 0}}, surely = {{2, 2}};
    uint32_t user = after->change->id.user;
    struct protect_rank was = none, is = none;
    bool damaged = false;
    unsigned way;
    int error = protect_rank(before, user, &was);

    if (error == LK_E_CORRUPT) {
        damaged = true;
        was = surely;
    } else if (error || !was.of[PROTECT_PIECES]) {
        return error;
    }
    error = protect_rank(after, user, &is);
    if (error == LK_E_CORRUPT) {
        is = damaged ? was : none; /* as damaged as before: the change does not matter */
        error = 0;
    }
    if (error || !protect_less(&is, &was)) {
        return error;
    }
    error = protect_count(after);
    if (error) {
        return error;
    }
    for (way = 0; way < PROTECT_WAYS; way++) {
        unsigned best = after->best.of[way], count = after->count[way];
        bool gone = was.of[way] == 2 && is.of[way] < 2;

        before->best.of[way] = was.of[way] > best ? was.of[way] : best;
        before->count[way] = count + (gone && count < 2 ? 1 : 0);
    }
    return protect_judge(before, after);
}

static int protect_roles(struct protect_job *before, struct protect_job *after)
{
    int error = protect_count(before);

    if (!error && !before->best.of[PROTECT_PIECES] && before->damaged) {
        error = LK_E_CORRUPT;
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
