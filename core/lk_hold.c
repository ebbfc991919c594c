// SPDX-License-Identifier: MIT
/*
 * lk_hold.c: nobody gives what they do not hold, and nobody changes what somebody who holds more
 * logs in by.
 *
 * A permission is held when one of the actor's gives its pair, or more, without conditions, or is
 * the very same; and none of the actor's takes any of it away, unless it is taken from the one who
 * gets it, too. The system (no user) holds everything.
 */
#include "lk_engine.h"

struct hold_job {
    struct lk_txn *txn;
    uint32_t tenant;
    uint8_t has[LK_PERMISSION_BYTES];   /* all of the actor's */
    uint8_t gives[LK_PERMISSION_BYTES]; /* those that an API key leaves */
    bool denies;                        /* some take away */
};

/* A pair that outlives the next read. */
struct hold_pair {
    uint8_t resource[100], action[50];
    size_t resource_size, action_size;
};

static struct lk_span hold_resource(const struct hold_pair *pair)
{
    return (struct lk_span){pair->resource, pair->resource_size};
}

static struct lk_span hold_action(const struct hold_pair *pair)
{
    return (struct lk_span){pair->action, pair->action_size};
}

static int hold_pair(const struct lk_permission *permission, struct hold_pair *pair)
{
    pair->resource_size = permission->resource.size;
    pair->action_size = permission->action.size;
    if (pair->resource_size > sizeof(pair->resource) || pair->action_size > sizeof(pair->action)) {
        return LK_E_CORRUPT;
    }
    memcpy(pair->resource, permission->resource.data, pair->resource_size);
    memcpy(pair->action, permission->action.data, pair->action_size);
    return 0;
}

/* ---- Who holds what ---- */

/* Every permission of a user's grants; `only` (LK_REFS form, empty: all) limits the roles. Of a
 * grant whose end the clock cannot tell the permissions are held, unless they must be for `sure`.
 */
int lk_hold_bits(struct lk_txn *txn, struct lk_id user, struct lk_span only, bool sure,
                 uint8_t all[LK_PERMISSION_BYTES])
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {user.tenant, user.user, 0}};
    uint8_t bits[LK_PERMISSION_BYTES];
    struct lk_grant grant;
    size_t size, i;
    int error = lk_list_begin(txn, &list);

    memset(all, 0, LK_PERMISSION_BYTES);
    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (error || (grant.expires_at && grant.expires_at <= txn->now_ms) ||
            (sure && lk_expired(txn, grant.expires_at)) ||
            (only.size && !lk_refs_hold(only, grant.record.id.sub))) {
            continue;
        }
        error = lk_role_compile(txn, (struct lk_id){user.tenant, 0, grant.record.id.sub}, NULL,
                                bits, &size);
        for (i = 0; !error && i < size; i++) {
            all[i] |= bits[i];
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* What the API key that acts leaves of its owner's roles. */
static int hold_key(struct lk_txn *txn, uint8_t roles[5 * LK_GRANT_MAX + 3], struct lk_span *only)
{
    struct lk_id id = {txn->actor.tenant, txn->actor.user, txn->actor.key};
    struct lk_credential key;
    int error;

    *only = LK_TEXT("");
    if (!id.sub) {
        return 0;
    }
    error = lk_get(txn, &lk_kind_credential, id, &key.record);
    if (!error && key.roles.size <= 5 * LK_GRANT_MAX + 3) {
        memcpy(roles, key.roles.data, key.roles.size);
        *only = (struct lk_span){roles, key.roles.size};
        return 0;
    }
    return error ? error : LK_E_CORRUPT;
}

static int hold_load(struct hold_job *job)
{
    struct lk_txn *txn = job->txn;
    struct lk_id actor = {txn->actor.tenant, txn->actor.user, 0};
    uint8_t roles[5 * LK_GRANT_MAX + 3];
    struct lk_permission permission;
    struct lk_span only;
    uint32_t number;
    int error = hold_key(txn, roles, &only);

    if (!error) {
        error = lk_hold_bits(txn, actor, LK_TEXT(""), false, job->has);
    }
    if (!error) {
        error = lk_hold_bits(txn, actor, only, true, job->gives);
    }
    for (number = 1; !error && !job->denies && number < 8 * LK_PERMISSION_BYTES; number++) {
        if (lk_bit(job->has, number)) {
            error = lk_get(txn, &lk_kind_permission, (struct lk_id){job->tenant, 0, number},
                           &permission.record);
            job->denies = !error && permission.deny;
        }
    }
    return error;
}

static bool hold_overlaps(struct lk_span a, struct lk_span b)
{
    return lk_span_equal(a, b) || lk_span_equal(a, LK_TEXT("*")) || lk_span_equal(b, LK_TEXT("*"));
}

/* Is any of the pair taken from the actor, and not from whoever gets it (`taken`)? */
static int hold_denied(struct hold_job *job, const struct hold_pair *pair, const uint8_t *taken,
                       bool *denied)
{
    struct lk_permission permission;
    uint32_t number;
    int error = 0;

    *denied = false;
    for (number = 1; !error && !*denied && job->denies && number < 8 * LK_PERMISSION_BYTES;
         number++) {
        if (!lk_bit(job->has, number) || (taken && lk_bit(taken, number))) {
            continue;
        }
        error = lk_get(job->txn, &lk_kind_permission, (struct lk_id){job->tenant, 0, number},
                       &permission.record);
        *denied = !error && permission.deny &&
                  hold_overlaps(permission.resource, hold_resource(pair)) &&
                  hold_overlaps(permission.action, hold_action(pair));
    }
    return error;
}

/* `same`: a permission that may be held with its conditions (0: none). LK_E_REFUSED. */
static int hold_covers(struct hold_job *job, const struct hold_pair *pair, uint32_t same,
                       const uint8_t *taken)
{
    const struct lk_cache_permission *matches;
    bool covered = false, denied;
    uint32_t i;
    int error = lk_permission_matches(job->txn, job->tenant, hold_resource(pair), hold_action(pair),
                                      &matches);

    for (i = 0; !error && !covered && i < matches->count; i++) {
        covered = !(matches->flags[i] & LK_P_DENY) && lk_bit(job->gives, matches->numbers[i]) &&
                  (!(matches->flags[i] & LK_P_CONDITION) || matches->numbers[i] == same);
    }
    if (!error && covered) {
        error = hold_denied(job, pair, taken, &denied);
        covered = !denied;
    }
    return error ? error : covered ? 0 : LK_E_REFUSED;
}

/*
 * Each permission of `need` is held. Of one that takes away, its pair must be (`lost`: it is going
 * to take no more) or nothing (it is going to take).
 */
static int hold_all(struct hold_job *job, const uint8_t *need, const uint8_t *taken, bool lost)
{
    struct lk_permission permission;
    struct hold_pair pair;
    uint32_t number;
    int error = 0;

    for (number = 1; !error && number < 8 * LK_PERMISSION_BYTES; number++) {
        if (!lk_bit(need, number)) {
            continue;
        }
        error = lk_get(job->txn, &lk_kind_permission, (struct lk_id){job->tenant, 0, number},
                       &permission.record);
        if (!error && (permission.deny != 0) == lost) {
            error = hold_pair(&permission, &pair);
            error = error ? error : hold_covers(job, &pair, lost ? 0 : number, taken);
        }
    }
    return error;
}

/* ---- Changes ---- */

static int hold_refuse(struct hold_job *job, const struct lk_kind *kind, const char *field,
                       int answer, const char *rule)
{
    return answer == LK_E_REFUSED ? lk_refuse(job->txn, answer, kind, field, LK_TEXT(""), rule)
                                  : answer;
}

static const char hold_gives_rule[] = "would give what you do not hold yourself";
static const char hold_frees_rule[] = "would let do again what you may not do yourself";

/* Of another user than the actor; with a key that is limited the owner is another, too. */
static int hold_target(struct hold_job *job, struct lk_id user)
{
    uint8_t bits[LK_PERMISSION_BYTES];
    int error;

    if (user.user == job->txn->actor.user && !job->txn->actor.key) {
        return 0;
    }
    error = lk_hold_bits(job->txn, user, LK_TEXT(""), false, bits);
    if (!error) {
        error = hold_all(job, bits, bits, false);
    }
    return hold_refuse(job, &lk_kind_user, "user", error, "holds more than you do");
}

/* A role's set before and after: what it gains is given, what takes away no more is freed. */
static int hold_difference(struct hold_job *job, const struct lk_kind *kind, const char *field,
                           const uint8_t *before, const uint8_t *after)
{
    uint8_t gained[LK_PERMISSION_BYTES], lost[LK_PERMISSION_BYTES];
    size_t i;
    int error;

    for (i = 0; i < LK_PERMISSION_BYTES; i++) {
        gained[i] = (uint8_t)(after[i] & ~before[i]);
        lost[i] = (uint8_t)(before[i] & ~after[i]);
    }
    error = hold_refuse(job, kind, field, hold_all(job, gained, after, false), hold_gives_rule);
    return error ? error
                 : hold_refuse(job, kind, field, hold_all(job, lost, NULL, true), hold_frees_rule);
}

static int hold_role(struct hold_job *job, const struct lk_change *change)
{
    uint8_t before[LK_PERMISSION_BYTES] = {0}, after[LK_PERMISSION_BYTES];
    const char *field = (change->changed >> 10) & 1 ? "parent" : "permissions";
    size_t size;
    int error = change->operation == LK_ADD
                    ? 0
                    : lk_role_compile(job->txn, change->id, NULL, before, &size);

    if (!error) {
        error = lk_role_compile(job->txn, change->id, change, after, &size);
    }
    return error ? error : hold_difference(job, change->kind, field, before, after);
}

static int hold_grant(struct hold_job *job, const struct lk_change *change)
{
    struct lk_id role = {change->id.tenant, 0, change->id.sub};
    uint8_t bits[LK_PERMISSION_BYTES];
    size_t size;
    int error = hold_target(job, change->id);

    if (!error) {
        error = lk_role_compile(job->txn, role, NULL, bits, &size);
    }
    if (!error && change->after) {
        error = hold_refuse(job, change->kind, "role", hold_all(job, bits, bits, false),
                            hold_gives_rule);
    }
    if (!error && change->before) {
        error = hold_refuse(job, change->kind, "role", hold_all(job, bits, NULL, true),
                            hold_frees_rule);
    }
    return error;
}

#define HOLD_MEANING                                                                               \
    (LK_BIT(9) | LK_BIT(10) | LK_BIT(12) | LK_BIT(13) | LK_BIT(14) | LK_BIT(15) | LK_BIT(16))
#define HOLD_DEMANDS (LK_BIT(17) | LK_BIT(18))

static int hold_permission(struct hold_job *job, const struct lk_change *change)
{
    const struct lk_permission *before = (const struct lk_permission *)change->before;
    const struct lk_permission *after = (const struct lk_permission *)change->after;
    uint64_t changed =
        change->operation == LK_UPDATE ? change->changed : HOLD_MEANING | HOLD_DEMANDS;
    struct hold_pair pair;
    int error = 0;

    if (!before || !(changed & (HOLD_MEANING | HOLD_DEMANDS))) {
        return 0;
    }
    if (before->approval && !job->txn->actor.approver && change->operation != LK_RESTORE) {
        return lk_refuse(job->txn, LK_E_APPROVAL, change->kind, "approval", LK_TEXT(""),
                         "needs a second person for a change of it, too");
    }
    if (change->operation != LK_UPDATE) {
        return 0; /* no role has it then */
    }
    if (before->deny || changed & HOLD_DEMANDS) {
        error = hold_pair(before, &pair);
        error = error ? error : hold_covers(job, &pair, 0, NULL);
        error = hold_refuse(job, change->kind, "deny", error, hold_frees_rule);
    }
    if (!error && !after->deny && changed & HOLD_MEANING) {
        error = hold_pair(after, &pair);
        error = error ? error : hold_covers(job, &pair, 0, NULL);
        error = hold_refuse(job, change->kind, "resource", error, hold_gives_rule);
    }
    return error;
}

int lk_hold_change(struct lk_txn *txn, const struct lk_change *change)
{
    struct hold_job job = {.txn = txn, .tenant = change->id.tenant};
    unsigned number = change->kind->number;
    bool adds = change->operation == LK_ADD;
    int error;

    if (!txn->actor.user ||
        (number != LK_KIND_USER && number != LK_KIND_GRANT && number != LK_KIND_CREDENTIAL &&
         number != LK_KIND_DEVICE && number != LK_KIND_ROLE && number != LK_KIND_PERMISSION)) {
        return 0;
    }
    if (txn->actor.tenant != change->id.tenant) {
        return lk_refuse(txn, LK_E_REFUSED, change->kind, NULL, LK_TEXT(""),
                         "is of another tenant");
    }
    error = hold_load(&job);
    if (error) {
        return error == LK_E_NOT_FOUND ? lk_refuse(txn, LK_E_REFUSED, NULL, NULL, LK_TEXT(""),
                                                   "the key that acts is gone")
                                       : error;
    }
    switch (number) {
    case LK_KIND_USER: return adds ? 0 : hold_target(&job, change->id);
    case LK_KIND_CREDENTIAL:
    case LK_KIND_DEVICE: return hold_target(&job, change->id);
    case LK_KIND_GRANT: return hold_grant(&job, change);
    case LK_KIND_ROLE: return hold_role(&job, change);
    default: return hold_permission(&job, change);
    }
}

int lk_rights_of(struct lk_txn *txn, struct lk_id user, uint8_t bits[LK_PERMISSION_BYTES])
{
    return txn->open ? lk_hold_bits(txn, user, LK_TEXT(""), true, bits) : LK_E_STATE;
}

int lk_rights_level(struct lk_txn *txn, uint32_t tenant, const uint8_t bits[LK_PERMISSION_BYTES],
                    struct lk_span resource, struct lk_span action, enum lk_right *right)
{
    const struct lk_cache_permission *matches;
    enum lk_right most = LK_RIGHT_FULL;
    uint32_t i;
    int error = lk_permission_matches(txn, tenant, resource, action, &matches);

    *right = LK_RIGHT_NONE;
    for (i = 0; !error && i < matches->count; i++) {
        bool conditional = matches->flags[i] & LK_P_CONDITION;

        if (!lk_bit(bits, matches->numbers[i])) {
            continue;
        }
        if (matches->flags[i] & LK_P_DENY) {
            most = !conditional ? LK_RIGHT_NONE : most > LK_RIGHT_SOME ? LK_RIGHT_SOME : most;
        } else if (!conditional) {
            *right = LK_RIGHT_FULL;
        } else if (*right == LK_RIGHT_NONE) {
            *right = LK_RIGHT_SOME;
        }
    }
    *right = *right > most ? most : *right;
    return error;
}

int lk_hold_user(struct lk_txn *txn, struct lk_id user)
{
    struct lk_change change = {.kind = &lk_kind_user, .operation = LK_UPDATE, .id = user};

    return lk_hold_change(txn, &change);
}
