// SPDX-License-Identifier: MIT
/*
 * lk_authz.c: roles, grants, and the question whether somebody may do something.
 *
 * A role's record carries its compiled set, one bit a permission number, its ancestors' included.
 * It is brought up to date in the transaction that changes a role, so that a check is: the numbers
 * that match resource and action (at most four patterns), the user's grants, and bit tests.
 */
#include "lk_engine.h"

/* The low half of role_epoch counts changes of roles, the high half those of permissions: a role
 * that changed costs the next check one get, and not the search for its permissions. */
#define AUTHZ_PERMISSION_EPOCH 32

/* ---- Caches of a transaction handle ---- */

void lk_cache_clear(struct lk_txn *txn)
{
    memset(txn->cache_tenants, 0, sizeof(txn->cache_tenants));
    memset(txn->cache_roles, 0, sizeof(txn->cache_roles));
    memset(txn->cache_permissions, 0, sizeof(txn->cache_permissions));
    txn->cache_snapshot = 0;
}

static void authz_marks(const struct lk_tenant *tenant, uint8_t marks[LK_ROLE_MARKS])
{
    memset(marks, 0, LK_ROLE_MARKS);
    if (tenant->role_marks.size == LK_ROLE_MARKS) {
        memcpy(marks, tenant->role_marks.data, LK_ROLE_MARKS);
    }
}

/* Of the tenant's roles, those that may have changed since `before` was read. A mark rises by one
 * with each change at most, so none has come round to where it was while fewer were made. */
static void authz_forget_roles(struct lk_txn *txn, const struct lk_cache_tenant *before,
                               const struct lk_tenant *now, bool same)
{
    uint32_t changes = (uint32_t)now->role_epoch - (uint32_t)before->role_epoch;
    uint8_t marks[LK_ROLE_MARKS];
    size_t i;

    authz_marks(now, marks);
    for (i = 0; i < LK_CACHE_ROLES; i++) {
        struct lk_cache_role *role = &txn->cache_roles[i];
        uint32_t mark = role->role % LK_ROLE_MARKS;

        if (!same || changes > UINT8_MAX || marks[mark] != before->role_marks[mark]) {
            memset(role, 0, sizeof(*role));
        }
    }
}

static int authz_load_tenant(struct lk_txn *txn, uint32_t tenant, struct lk_cache_tenant *entry)
{
    struct lk_tenant record;
    uint64_t before = entry->role_epoch;
    bool same = entry->tenant == tenant;
    int error = lk_get(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);

    entry->tenant = 0;
    if (error) {
        return error;
    }
    authz_forget_roles(txn, entry, &record, same);
    if (!same || record.role_epoch >> AUTHZ_PERMISSION_EPOCH != before >> AUTHZ_PERMISSION_EPOCH) {
        memset(txn->cache_permissions, 0, sizeof(txn->cache_permissions));
    }
    *entry = (struct lk_cache_tenant){.tenant = tenant,
                                      .status = (uint32_t)record.status,
                                      .end_at_reboot = record.session_end_at_reboot != 0,
                                      .auth_epoch = record.auth_epoch,
                                      .role_epoch = record.role_epoch,
                                      .snapshot = txn->cache_snapshot,
                                      .zone_minutes = lk_zone_minutes(record.time_zone)};
    authz_marks(&record, entry->role_marks);
    return 0;
}

int lk_cache_tenant(struct lk_txn *txn, uint32_t tenant, const struct lk_cache_tenant **found)
{
    struct lk_cache_tenant *entry = &txn->cache_tenants[tenant % LK_CACHE_TENANTS];
    uint64_t now = txn->store->storage->ops->snapshot(&txn->storage);
    int error = 0;

    txn->cache_snapshot = now;
    if (entry->tenant != tenant || entry->snapshot != now) {
        error = authz_load_tenant(txn, tenant, entry);
    }
    *found = entry;
    return error;
}

static int authz_bump(struct lk_txn *txn, uint32_t tenant, uint64_t auth, uint64_t role,
                      uint32_t changed)
{
    uint8_t marks[LK_ROLE_MARKS];
    struct lk_tenant record;
    unsigned i;
    int error = lk_record_load(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);

    if (error) {
        return error;
    }
    if (auth) {
        lk_field_set_number(&record.record, lk_field_numbered(&lk_kind_tenant, 23),
                            record.auth_epoch + auth);
    }
    if (role) {
        lk_field_set_number(&record.record, lk_field_numbered(&lk_kind_tenant, 24),
                            record.role_epoch + role);
    }
    if (changed) {
        authz_marks(&record, marks);
        for (i = 0; i < LK_ROLE_MARKS; i++) {
            marks[i] = (uint8_t)(marks[i] + (changed >> i & 1));
        }
        lk_field_set_span(&record.record, lk_field_numbered(&lk_kind_tenant, 39),
                          (struct lk_span){marks, sizeof(marks)});
    }
    lk_cache_clear(txn);
    return lk_record_store(txn, &lk_kind_tenant, &record.record, lk_work(txn)->new_value);
}

int lk_tenant_bump(struct lk_txn *txn, uint32_t tenant)
{
    return authz_bump(txn, tenant, 1, 0, 0);
}

int lk_tenant_bump_roles(struct lk_txn *txn, uint32_t tenant, uint32_t marks)
{
    return authz_bump(txn, tenant, 0, 1, marks);
}

int lk_tenant_bump_permissions(struct lk_txn *txn, uint32_t tenant)
{
    return authz_bump(txn, tenant, 0, UINT64_C(1) << AUTHZ_PERMISSION_EPOCH, 0);
}

/* ---- Permissions by resource and action ---- */

int lk_permission_pair(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                       struct lk_span action, struct lk_pair *pair)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    const struct lk_index *index = lk_index_named(&lk_kind_permission, LK_TEXT("pair"));
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    struct lk_key prefix, at;
    int error;

    lk_key_index_prefix(&prefix, index, tenant);
    lk_index_put_text(txn->store, &prefix, resource, false);
    lk_index_put_text(txn->store, &prefix, action, false);
    pair->count = 0;
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    while (!error && pair->count < LK_PAIR_MAX) {
        struct lk_permission permission;
        struct lk_id id;

        at.size = 0;
        lk_key_put_bytes(&at, key);
        error = lk_index_entry_id(&lk_kind_permission, index, key, value, &id);
        if (!error) {
            error = lk_get(txn, &lk_kind_permission, id, &permission.record);
        }
        if (error || !lk_span_equal(permission.resource, resource) ||
            !lk_span_equal(permission.action, action)) {
            error = error && error != LK_E_NOT_FOUND ? error : LK_E_CORRUPT;
            break;
        }
        pair->flags[pair->count] = (uint8_t)lk_condition_flags(&permission);
        pair->numbers[pair->count++] = id.sub;
        error = ops->seek(&cursor, lk_key_span(&at), &key, &value);
        if (!error && lk_span_equal(key, lk_key_span(&at))) {
            error = ops->next(&cursor, &key, &value);
        }
    }
    lk_cursor_end(&cursor);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

void lk_question_hash(const struct lk_store *store, struct lk_span resource, struct lk_span action,
                      uint64_t hash[2])
{
    const struct lk_port *port = store->port;
    uint8_t text[2 + 100 + 50], out[8];
    size_t size = 0;

    text[size++] = (uint8_t)resource.size;
    memcpy(text + size, resource.data, resource.size);
    size += resource.size;
    memcpy(text + size, action.data, action.size);
    size += action.size;
    port->crypto->mac64(port->self, store->index_key, (struct lk_span){text, size}, out);
    memcpy(&hash[0], out, sizeof(out));
    port->crypto->mac64(port->self, store->bucket_key, (struct lk_span){text, size}, out);
    memcpy(&hash[1], out, sizeof(out));
}

static void authz_take_pair(struct lk_cache_permission *entry, const struct lk_pair *pair)
{
    uint32_t i;

    for (i = 0; i < pair->count; i++) {
        entry->numbers[entry->count] = pair->numbers[i];
        entry->flags[entry->count++] = pair->flags[i];
        entry->any_flags |= pair->flags[i];
    }
}

int lk_permission_matches(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                          struct lk_span action, const struct lk_cache_permission **found)
{
    const struct lk_span any = LK_TEXT("*");
    const struct lk_span patterns[4][2] = {
        {resource, action}, {resource, any}, {any, action}, {any, any}};
    struct lk_cache_permission *entry;
    struct lk_pair pair;
    uint64_t hash[2];
    size_t i;
    int error = 0;

    if (!resource.size || resource.size > 100 || !action.size || action.size > 50) {
        return LK_E_REFUSED;
    }
    lk_question_hash(txn->store, resource, action, hash);
    entry = &txn->cache_permissions[hash[0] % LK_CACHE_PERMISSIONS];
    if (entry->tenant == tenant && entry->hash[0] == hash[0] && entry->hash[1] == hash[1]) {
        *found = entry;
        return 0;
    }
    memset(entry, 0, sizeof(*entry));
    for (i = 0; !error && i < LK_COUNT(patterns); i++) {
        /* Asking for '*' itself matches each pattern once. */
        if ((i & 1 && lk_span_equal(action, any)) || (i & 2 && lk_span_equal(resource, any))) {
            continue;
        }
        error = lk_permission_pair(txn, tenant, patterns[i][0], patterns[i][1], &pair);
        if (!error) {
            authz_take_pair(entry, &pair);
        }
    }
    if (!error) {
        entry->tenant = tenant;
        entry->hash[0] = hash[0];
        entry->hash[1] = hash[1];
    }
    *found = entry;
    return error;
}

/* ---- Roles ---- */

static bool authz_bit(const uint8_t *bits, size_t size, uint32_t number)
{
    return number / 8 < size && (bits[number / 8] >> (number % 8)) & 1;
}

/* Bit i: the role has the ith permission of `matches`. */
static int authz_role_has(struct lk_txn *txn, uint32_t tenant, uint32_t role,
                          const struct lk_cache_permission *matches, uint32_t *has)
{
    struct lk_cache_role *entry = &txn->cache_roles[role % LK_CACHE_ROLES];
    const uint8_t *bits = entry->bits;
    size_t size = entry->size;
    struct lk_role record;
    uint32_t i;
    int error;

    *has = 0;
    if (entry->tenant != tenant || entry->role != role) {
        error = lk_get(txn, &lk_kind_role, (struct lk_id){tenant, 0, role}, &record.record);
        if (error) {
            return error == LK_E_NOT_FOUND ? 0 : error;
        }
        bits = record.compiled.data;
        size = record.compiled.size;
        if (size <= sizeof(entry->bits)) {
            entry->tenant = tenant;
            entry->role = role;
            entry->size = (uint16_t)size;
            if (size) {
                memcpy(entry->bits, bits, size);
            }
        }
    }
    for (i = 0; i < matches->count; i++) {
        *has |= authz_bit(bits, size, matches->numbers[i]) ? UINT32_C(1) << i : 0;
    }
    return 0;
}

/* ---- The question ---- */

_Static_assert(LK_PAIR_MAX * 4 <= 32, "one bit each of a uint32_t");

struct authz_job {
    struct lk_txn *txn;
    struct lk_id user;
    const struct lk_question *question;
    const struct lk_cache_permission *matches;
    struct lk_context context;
    struct lk_span only;
    /* What is known of each match. */
    struct {
        uint8_t known, holds;
        uint64_t failed;
    } states[LK_PAIR_MAX * 4];
    /* The grant and the match that decide. */
    bool allowed, denied, tried;
    uint32_t role, match;
    uint32_t tried_role, tried_match;
};

/* Which of a role and its ancestors holds the permission itself. */
static int authz_holder(struct lk_txn *txn, struct lk_reason *reason)
{
    struct lk_role record;
    uint32_t role = reason->role.sub;
    unsigned depth;

    for (depth = 0; role && depth <= LK_ROLE_DEPTH; depth++) {
        int error = lk_get(txn, &lk_kind_role, (struct lk_id){reason->role.tenant, 0, role},
                           &record.record);

        if (error) {
            return error;
        }
        if (lk_refs_hold(record.permissions, reason->permission.sub)) {
            reason->holder = record.record.id;
            return 0;
        }
        role = (uint32_t)record.parent;
    }
    return LK_E_CORRUPT;
}

/* Do the conditions of a match hold? Asked of the record once; most have none. */
static int authz_holds(struct authz_job *job, uint32_t i, enum lk_holds *holds)
{
    struct lk_permission permission;
    int error;

    *holds = LK_HOLDS_YES;
    if (!(job->matches->flags[i] & LK_P_CONDITION)) {
        return 0;
    }
    if (!job->states[i].known) {
        struct lk_id id = {job->user.tenant, 0, job->matches->numbers[i]};

        error = lk_get(job->txn, &lk_kind_permission, id, &permission.record);
        if (error) {
            return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
        }
        job->states[i].holds =
            (uint8_t)lk_condition_holds(&permission, &job->context, &job->states[i].failed);
        job->states[i].known = 1;
    }
    *holds = (enum lk_holds)job->states[i].holds;
    return 0;
}

/* What one granted role says. It may take only, and give nothing. */
static int authz_role(struct authz_job *job, uint32_t role, bool gives)
{
    enum lk_holds holds;
    uint32_t has, i;
    int error = authz_role_has(job->txn, job->user.tenant, role, job->matches, &has);

    for (i = 0; !error && has && i < job->matches->count; i++) {
        bool denies = job->matches->flags[i] & LK_P_DENY;

        if (!((has >> i) & 1) || (!denies && (!gives || job->allowed))) {
            continue;
        }
        error = authz_holds(job, i, &holds);
        if (error) {
            break;
        }
        if (denies && holds != LK_HOLDS_NO) {
            job->denied = true;
            job->role = role;
            job->match = i;
            break;
        }
        if (!denies && holds == LK_HOLDS_YES) {
            job->allowed = true;
            job->role = role;
            job->match = i;
        } else if (!denies && !job->tried) {
            job->tried = true;
            job->tried_role = role;
            job->tried_match = i;
        }
    }
    return error;
}

/* Every grant of the user, until nothing can change the answer any more. */
static int authz_grants(struct authz_job *job)
{
    struct lk_txn *txn = job->txn;
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    bool denials = job->matches->any_flags & LK_P_DENY;
    struct lk_storage_cursor cursor;
    struct lk_span key, value, cbor;
    struct lk_key prefix, at;
    struct lk_grant grant;
    int error;

    lk_key_of_user(&prefix, &lk_kind_grant, job->user.tenant, job->user.user);
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    while (!error) {
        const struct lk_kind *kind;

        at.size = 0;
        lk_key_put_bytes(&at, key);
        error = lk_value_open(txn->store, key, value, &cbor);
        if (!error) {
            error = lk_key_parse(txn->store, key, &kind, &grant.record.id);
        }
        if (!error) {
            error = lk_record_decode(&lk_kind_grant, cbor, &grant.record);
        }
        /* While the clock cannot tell whether a grant has ended, it gives nothing; but it takes. */
        if (!error && (!grant.expires_at || grant.expires_at > txn->now_ms)) {
            uint32_t role = grant.record.id.sub;

            error = authz_role(job, role,
                               !lk_expired(txn, grant.expires_at) &&
                                   (!job->only.size || lk_refs_hold(job->only, role)));
        }
        if (error || job->denied || (job->allowed && !denials)) {
            break;
        }
        error = ops->seek(&cursor, lk_key_span(&at), &key, &value);
        if (!error) {
            error = ops->next(&cursor, &key, &value);
        }
    }
    lk_cursor_end(&cursor);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static bool authz_approved(const struct authz_job *job)
{
    const struct lk_approval *approval = job->question->approval;
    uint64_t hash[2];

    if (!approval || !approval->approver || approval->tenant != job->user.tenant ||
        approval->requester != job->user.user || approval->until <= job->txn->now_ms) {
        return false;
    }
    lk_question_hash(job->txn->store, job->question->resource, job->question->action, hash);
    return hash[0] == approval->hash[0] && hash[1] == approval->hash[1];
}

/* What must be besides the right, whoever has it. `demand` gets the permission that says so. */
static int authz_demands(struct authz_job *job, uint32_t *demand)
{
    const struct lk_cache_permission *matches = job->matches;
    struct lk_permission permission;
    enum lk_holds holds;
    int answer = 0;
    uint32_t i;

    for (i = 0; i < matches->count; i++) {
        int error;

        if (!(matches->flags[i] & (LK_P_APPROVAL | LK_P_LOGIN_AGE))) {
            continue;
        }
        error = authz_holds(job, i, &holds);
        if (!error && holds == LK_HOLDS_NO) {
            continue;
        }
        if (!error) {
            error = lk_get(job->txn, &lk_kind_permission,
                           (struct lk_id){job->user.tenant, 0, matches->numbers[i]},
                           &permission.record);
        }
        if (error) {
            return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
        }
        if (permission.login_age &&
            (!job->question->login_at ||
             lk_elapsed(job->txn->now_ms, job->question->login_at) > permission.login_age * 1000)) {
            *demand = matches->numbers[i];
            return LK_E_STEP_UP;
        }
        if (permission.approval && !answer && !authz_approved(job)) {
            *demand = matches->numbers[i];
            answer = LK_E_APPROVAL;
        }
    }
    return answer;
}

static int authz_tell(const struct authz_job *job, int answer, uint32_t demand,
                      struct lk_reason *reason)
{
    uint32_t tenant = job->user.tenant, role = job->role, match = job->match;

    reason->decision = job->denied               ? LK_DECIDED_DENIED
                       : answer == LK_E_STEP_UP  ? LK_DECIDED_STEP_UP
                       : answer == LK_E_APPROVAL ? LK_DECIDED_APPROVAL
                       : job->allowed            ? LK_DECIDED_ALLOWED
                       : job->tried              ? LK_DECIDED_CONDITION
                                                 : LK_DECIDED_NOT_HELD;
    if (reason->decision == LK_DECIDED_NOT_HELD) {
        return answer;
    }
    if (reason->decision == LK_DECIDED_CONDITION) {
        role = job->tried_role;
        match = job->tried_match;
    }
    reason->role = (struct lk_id){tenant, 0, role};
    reason->permission = (struct lk_id){tenant, 0, job->matches->numbers[match]};
    reason->failed = job->states[match].failed;
    if (demand) {
        reason->demand = (struct lk_id){tenant, 0, demand};
    }
    {
        int error = authz_holder(job->txn, reason);

        return error ? error : answer;
    }
}

int lk_rights_check(struct lk_txn *txn, struct lk_id user, struct lk_span only,
                    const struct lk_question *question, struct lk_reason *reason)
{
    struct authz_job job;
    const struct lk_cache_tenant *tenant;
    uint32_t demand = 0;
    int error = lk_cache_tenant(txn, user.tenant, &tenant), answer;

    memset(&job, 0, sizeof(job));
    job.txn = txn;
    job.user = user;
    job.question = question;
    job.only = only;
    if (!error) {
        job.context = (struct lk_context){
            .user = user.user,
            .owner = question->owner,
            .channel = question->channel,
            .ip = question->ip,
            .at_ms = question->at ? question->at : txn->now_ms,
            .clock_trusted = question->at || lk_clock_trusted(txn),
            .zone_minutes = tenant->zone_minutes,
        };
        error = lk_permission_matches(txn, user.tenant, question->resource, question->action,
                                      &job.matches);
    }
    if (!error) {
        error = authz_grants(&job);
    }
    if (error) {
        return error;
    }
    answer = job.allowed && !job.denied ? 0 : LK_E_REFUSED;
    if (!answer && job.matches->any_flags & (LK_P_APPROVAL | LK_P_LOGIN_AGE)) {
        answer = authz_demands(&job, &demand);
    }
    return reason ? authz_tell(&job, answer, demand, reason) : answer;
}

int lk_permission_check(struct lk_txn *txn, struct lk_id user, const struct lk_question *question,
                        struct lk_reason *reason)
{
    const struct lk_cache_tenant *tenant;
    struct lk_user record;
    int error;

    if (!txn->open) {
        return LK_E_STATE;
    }
    if (reason) {
        memset(reason, 0, sizeof(*reason));
    }
    error = lk_get(txn, &lk_kind_user, (struct lk_id){user.tenant, user.user, 0}, &record.record);
    if (!error && record.status != LK_USER_ACTIVE) {
        if (reason) {
            reason->decision = LK_DECIDED_USER;
        }
        return LK_E_REFUSED;
    }
    if (!error) {
        error = lk_cache_tenant(txn, user.tenant, &tenant);
    }
    if (!error && tenant->status != LK_TENANT_ACTIVE) {
        if (reason) {
            reason->decision = LK_DECIDED_TENANT;
        }
        return LK_E_REFUSED;
    }
    return error ? error : lk_rights_check(txn, user, LK_TEXT(""), question, reason);
}
