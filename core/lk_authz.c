// SPDX-License-Identifier: MIT
/*
 * lk_authz.c: roles, grants, and the question whether somebody may do something.
 *
 * A role's record carries its compiled set, one bit a permission number, its ancestors' included.
 * It is brought up to date in the transaction that changes a role, so that a check is: the numbers
 * that match resource and action (at most four patterns), the user's grants, and bit tests.
 */
#include "lk_engine.h"

/* ---- Caches of a transaction handle ---- */

void lk_cache_clear(struct lk_txn *txn)
{
    memset(txn->cache_tenants, 0, sizeof(txn->cache_tenants));
    memset(txn->cache_roles, 0, sizeof(txn->cache_roles));
    memset(txn->cache_permissions, 0, sizeof(txn->cache_permissions));
    txn->cache_snapshot = 0;
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
    if (!same || record.role_epoch != before) {
        memset(txn->cache_roles, 0, sizeof(txn->cache_roles));
        memset(txn->cache_permissions, 0, sizeof(txn->cache_permissions));
    }
    *entry = (struct lk_cache_tenant){tenant, (uint32_t)record.status, record.auth_epoch,
                                      record.role_epoch, txn->cache_snapshot};
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

int lk_tenant_bump(struct lk_txn *txn, uint32_t tenant, bool auth, bool role)
{
    struct lk_tenant record;
    int error = lk_record_load(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);

    if (error) {
        return error;
    }
    if (auth) {
        lk_field_set_number(&record.record, lk_field_numbered(&lk_kind_tenant, 23),
                            record.auth_epoch + 1);
    }
    if (role) {
        lk_field_set_number(&record.record, lk_field_numbered(&lk_kind_tenant, 24),
                            record.role_epoch + 1);
    }
    lk_cache_clear(txn);
    return lk_record_store(txn, &lk_kind_tenant, &record.record, lk_work(txn)->new_value);
}

/* ---- Permissions by resource and action ---- */

/* Numbers of the permissions of just this pair. */
int lk_permission_pair(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                       struct lk_span action, uint32_t numbers[LK_PAIR_MAX], uint32_t *count)
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
    *count = 0;
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    while (!error && *count < LK_PAIR_MAX) {
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
        numbers[(*count)++] = id.sub;
        error = ops->seek(&cursor, lk_key_span(&at), &key, &value);
        if (!error && lk_span_equal(key, lk_key_span(&at))) {
            error = ops->next(&cursor, &key, &value);
        }
    }
    lk_cursor_end(&cursor);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static void authz_question(const struct lk_txn *txn, struct lk_span resource, struct lk_span action,
                           uint64_t hash[2])
{
    const struct lk_port *port = txn->store->port;
    uint8_t text[2 + 100 + 50], out[8];
    size_t size = 0;

    text[size++] = (uint8_t)resource.size;
    memcpy(text + size, resource.data, resource.size);
    size += resource.size;
    memcpy(text + size, action.data, action.size);
    size += action.size;
    port->crypto->mac64(port->self, txn->store->index_key, (struct lk_span){text, size}, out);
    memcpy(&hash[0], out, sizeof(out));
    port->crypto->mac64(port->self, txn->store->bucket_key, (struct lk_span){text, size}, out);
    memcpy(&hash[1], out, sizeof(out));
}

/* Numbers of every permission that answers the question, wildcards included. */
static int authz_numbers(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                         struct lk_span action, const struct lk_cache_permission **found)
{
    const struct lk_span any = LK_TEXT("*");
    const struct lk_span patterns[4][2] = {
        {resource, action}, {resource, any}, {any, action}, {any, any}};
    struct lk_cache_permission *entry;
    uint64_t hash[2];
    uint32_t count;
    size_t i;
    int error = 0;

    if (!resource.size || resource.size > 100 || !action.size || action.size > 50) {
        return LK_E_REFUSED;
    }
    authz_question(txn, resource, action, hash);
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
        error = lk_permission_pair(txn, tenant, patterns[i][0], patterns[i][1],
                                   entry->numbers + entry->count, &count);
        entry->count += error ? 0 : count;
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

/* The first of `numbers` in a role's compiled set, or 0. */
static int authz_role_has(struct lk_txn *txn, uint32_t tenant, uint32_t role,
                          const struct lk_cache_permission *numbers, uint32_t *number)
{
    struct lk_cache_role *entry = &txn->cache_roles[role % LK_CACHE_ROLES];
    const uint8_t *bits = entry->bits;
    size_t size = entry->size;
    struct lk_role record;
    uint32_t i;
    int error;

    *number = 0;
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
    for (i = 0; i < numbers->count; i++) {
        if (authz_bit(bits, size, numbers->numbers[i])) {
            *number = numbers->numbers[i];
            return 0;
        }
    }
    return 0;
}

/* ---- The question ---- */

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

int lk_rights_check(struct lk_txn *txn, struct lk_id user, struct lk_span only,
                    struct lk_span resource, struct lk_span action, struct lk_reason *reason)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    const struct lk_cache_permission *numbers;
    const struct lk_cache_tenant *tenant;
    struct lk_storage_cursor cursor;
    struct lk_span key, value, cbor;
    struct lk_key prefix, at;
    struct lk_grant grant;
    uint32_t number = 0;
    int error = lk_cache_tenant(txn, user.tenant, &tenant);

    if (!error) {
        error = authz_numbers(txn, user.tenant, resource, action, &numbers);
    }
    if (error) {
        return error;
    }
    lk_key_of_user(&prefix, &lk_kind_grant, user.tenant, user.user);
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
        if (error) {
            break;
        }
        if (!lk_expired(txn, grant.expires_at) &&
            (!only.size || lk_refs_hold(only, grant.record.id.sub))) {
            error = authz_role_has(txn, user.tenant, grant.record.id.sub, numbers, &number);
            if (error || number) {
                break;
            }
        }
        error = ops->seek(&cursor, lk_key_span(&at), &key, &value);
        if (!error) {
            error = ops->next(&cursor, &key, &value);
        }
    }
    lk_cursor_end(&cursor);
    if (error && error != LK_E_NOT_FOUND) {
        return error;
    }
    if (!number) {
        return LK_E_REFUSED;
    }
    if (!reason) {
        return 0;
    }
    reason->role = (struct lk_id){user.tenant, 0, grant.record.id.sub};
    reason->permission = (struct lk_id){user.tenant, 0, number};
    return authz_holder(txn, reason);
}

int lk_permission_check(struct lk_txn *txn, struct lk_id user, struct lk_span resource,
                        struct lk_span action, struct lk_reason *reason)
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
        return LK_E_REFUSED;
    }
    if (!error) {
        error = lk_cache_tenant(txn, user.tenant, &tenant);
    }
    if (!error && tenant->status != LK_TENANT_ACTIVE) {
        return LK_E_REFUSED;
    }
    return error ? error : lk_rights_check(txn, user, LK_TEXT(""), resource, action, reason);
}
