// SPDX-License-Identifier: MIT
/*
 * lk_role.c: roles, permissions and grants as they change: inheritance compiled into each role,
 * roles of a user kept beside its grants.
 */
#include "lk_engine.h"

/* A role as it is, or as `change` would have it. */
static int role_load(struct lk_txn *txn, struct lk_id id, const struct lk_change *change,
                     struct lk_role *role)
{
    if (!change || change->kind != &lk_kind_role || change->id.tenant != id.tenant ||
        change->id.sub != id.sub) {
        return id.sub ? lk_get(txn, &lk_kind_role, id, &role->record) : LK_E_NOT_FOUND;
    }
    if (!change->after || change->operation == LK_REMOVE) {
        return LK_E_NOT_FOUND;
    }
    memcpy(role, change->after, sizeof(*role));
    if (!LK_HAS(&role->record, 11)) {
        role->is_active = lk_field_numbered(&lk_kind_role, 11)->initial;
    }
    return 0;
}

int lk_role_compile(struct lk_txn *txn, struct lk_id id, const struct lk_change *change,
                    uint8_t bits[LK_PERMISSION_BYTES], size_t *size)
{
    struct lk_role record;
    unsigned depth;

    memset(bits, 0, LK_PERMISSION_BYTES);
    *size = 0;
    /* One that is being made has no number yet. */
    for (depth = 0; (id.sub || !depth) && depth <= LK_ROLE_DEPTH; depth++) {
        struct lk_refs refs;
        uint32_t number;
        int error = role_load(txn, id, change, &record);

        if (error == LK_E_NOT_FOUND || (!error && !record.is_active)) {
            break;
        }
        if (error) {
            return error;
        }
        lk_refs_begin(&refs, record.permissions);
        while (lk_refs_next(&refs, &number)) {
            if (number / 8 < LK_PERMISSION_BYTES) {
                bits[number / 8] = (uint8_t)(bits[number / 8] | 1u << (number % 8));
                *size = number / 8 + 1 > *size ? number / 8 + 1 : *size;
            }
        }
        id.sub = (uint32_t)record.parent;
    }
    return 0;
}

int lk_roles_recompile(struct lk_txn *txn, uint32_t tenant, uint32_t *changed)
{
    struct lk_list list = {.kind = &lk_kind_role, .scope = {tenant, 0, 0}};
    uint8_t bits[LK_PERMISSION_BYTES];
    struct lk_role role;
    size_t size;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        struct lk_id id;

        error = lk_list_next(&list, &role.record);
        if (error) {
            break;
        }
        id = role.record.id;
        error = lk_role_compile(txn, id, NULL, bits, &size);
        if (!error) {
            error = lk_get(txn, &lk_kind_role, id, &role.record);
        }
        if (!error && !lk_span_equal(role.compiled, (struct lk_span){bits, size})) {
            /* A list stands on a key; its cursor is opened anew after the write. */
            lk_list_end(&list);
            *changed |= lk_role_mark(id.sub);
            lk_field_set_span(&role.record, lk_field_numbered(&lk_kind_role, 13),
                              (struct lk_span){bits, size});
            error = lk_record_store(txn, &lk_kind_role, &role.record, lk_work(txn)->new_value);
            if (!error) {
                error = lk_list_reopen(&list);
            }
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* Steps from a role up to `ancestor`, 0 where it is not above; `*top` gets all the steps there are.
 */
static int role_climb(struct lk_txn *txn, uint32_t tenant, uint32_t role, uint32_t ancestor,
                      unsigned *to_ancestor, unsigned *top)
{
    struct lk_role record;
    unsigned steps = 0;

    *to_ancestor = 0;
    while (role && steps <= 2 * LK_ROLE_DEPTH) {
        int error;

        if (role == ancestor && steps && !*to_ancestor) {
            *to_ancestor = steps;
        }
        error = lk_get(txn, &lk_kind_role, (struct lk_id){tenant, 0, role}, &record.record);
        if (error == LK_E_NOT_FOUND) {
            break;
        }
        if (error) {
            return error;
        }
        role = (uint32_t)record.parent;
        steps++;
    }
    *top = steps;
    return 0;
}

/* The longest way down from a role, in steps. */
static int role_height(struct lk_txn *txn, uint32_t tenant, uint32_t role, unsigned *height)
{
    struct lk_list list = {.kind = &lk_kind_role, .scope = {tenant, 0, 0}};
    struct lk_role record;
    unsigned steps, top;
    int error = lk_list_begin(txn, &list);

    *height = 0;
    while (!error) {
        error = lk_list_next(&list, &record.record);
        if (!error) {
            error = role_climb(txn, tenant, record.record.id.sub, role, &steps, &top);
            *height = !error && steps > *height ? steps : *height;
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_role_check_change(struct lk_txn *txn, struct lk_change *change)
{
    struct lk_role *role = (struct lk_role *)change->after;
    uint32_t parent = (uint32_t)role->parent;
    unsigned steps, above, below = 0;
    int error;

    if (!LK_HAS(&role->record, 10) ||
        (!((change->changed >> 10) & 1) && change->operation != LK_RESTORE)) {
        return 0;
    }
    error = role_climb(txn, change->id.tenant, parent, change->id.sub, &steps, &above);
    if (!error && change->operation != LK_ADD) {
        if (steps || parent == change->id.sub) {
            return lk_refuse(txn, LK_E_CHECK, change->kind, "parent", LK_TEXT(""),
                             "would make the role its own ancestor");
        }
        error = role_height(txn, change->id.tenant, change->id.sub, &below);
    }
    if (!error && above + below + 1 > LK_ROLE_DEPTH) {
        return lk_refuse(txn, LK_E_CHECK, change->kind, "parent", LK_TEXT(""),
                         "would make more than 8 levels of roles");
    }
    return error;
}

/* The same without the index: by going over the users' own records, which lie side by side. */
static int role_next_by_scan(struct lk_txn *txn, struct lk_id role, const struct lk_index *index,
                             uint32_t after, struct lk_id *user)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    struct lk_key prefix, at;
    struct lk_user holder;
    int error;

    prefix.size = 0;
    lk_key_put_number(&prefix, role.tenant);
    lk_key_put_byte(&prefix, lk_kind_user.class_);
    lk_key_record(&at, &lk_kind_user, (struct lk_id){role.tenant, after + 1, 0});
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, lk_key_span(&at), &key, &value);
    while (!error) {
        const struct lk_kind *kind;
        struct lk_key entry;

        error = lk_key_parse(txn->store, key, &kind, user);
        if (!error && kind == &lk_kind_user) {
            error = lk_record_load(txn, kind, *user, &holder.record);
            if (error == LK_E_CORRUPT) {
                error = 0; /* it may hold it: who asks loads it too */
                break;
            }
            lk_key_index_prefix(&entry, index, role.tenant);
            lk_key_put_number(&entry, role.sub);
            lk_index_put_id(&entry, kind, *user);
            if (error ||
                lk_index_bears(txn->store, kind, index, &holder.record, lk_key_span(&entry))) {
                break;
            }
        }
        if (!error) {
            error = ops->next(&cursor, &key, &value);
        }
    }
    lk_cursor_end(&cursor);
    return error;
}

int lk_role_next_holder(struct lk_txn *txn, struct lk_id role, const struct lk_index *index,
                        uint32_t after, struct lk_id *user)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    struct lk_key prefix, from;
    int error;

    if (!lk_index_kept(txn->store, index)) {
        return role_next_by_scan(txn, role, index, after, user);
    }
    lk_key_index_prefix(&prefix, index, role.tenant);
    lk_key_put_number(&prefix, role.sub);
    from = prefix;
    lk_index_put_id(&from, &lk_kind_user, (struct lk_id){role.tenant, after + 1, 0});
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, lk_key_span(&from), &key, &value);
    if (!error) {
        error = lk_index_entry_id(&lk_kind_user, index, key, value, user);
    }
    lk_cursor_end(&cursor);
    return error;
}

/* Takes the grants of a purged role away. */
static int role_ungrant(struct lk_txn *txn, struct lk_id role)
{
    const struct lk_index *index = lk_index_named(&lk_kind_user, LK_TEXT("role"));
    struct lk_id user = {role.tenant, 0, 0};
    int error = 0;

    while (!error) {
        /* Its entry goes with the grant. */
        error = lk_role_next_holder(txn, role, index, 0, &user);
        if (!error) {
            error = lk_drop(txn, &lk_kind_grant, (struct lk_id){user.tenant, user.user, role.sub});
            error = error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
        }
        if (!error) {
            error = lk_grants_refresh(txn, user);
        }
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* The same for removed users, whom no index but that of the removed names. */
static int role_ungrant_removed(struct lk_txn *txn, struct lk_id role)
{
    struct lk_list list = {.kind = &lk_kind_user, .scope = {role.tenant, 0, 0}, .deleted = true};
    struct lk_user user;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        struct lk_id id;

        error = lk_list_next(&list, &user.record);
        if (error) {
            break;
        }
        id = user.record.id;
        lk_list_end(&list);
        error = lk_drop(txn, &lk_kind_grant, (struct lk_id){id.tenant, id.user, role.sub});
        if (!error) {
            error = lk_grants_refresh(txn, id);
        }
        if (!error || error == LK_E_NOT_FOUND) {
            error = lk_list_reopen(&list);
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_role_changed(struct lk_txn *txn, const struct lk_change *change)
{
    uint32_t changed = lk_role_mark(change->id.sub);
    int error = 0;

    if (change->operation == LK_PURGE) {
        error = role_ungrant(txn, change->id);
        error = error ? error : role_ungrant_removed(txn, change->id);
    }
    if (!error && change->operation != LK_PURGE) {
        error = lk_roles_recompile(txn, change->id.tenant, &changed);
    }
    return error ? error : lk_tenant_bump_roles(txn, change->id.tenant, changed);
}

int lk_role_compute(struct lk_txn *txn, struct lk_record *record)
{
    struct lk_filter filter = {.field = lk_field_named(&lk_kind_user, LK_TEXT("roles")),
                               .number = record->id.sub};
    struct lk_list list = {.kind = &lk_kind_user,
                           .scope = {record->id.tenant, 0, 0},
                           .filters = &filter,
                           .filter_count = 1};
    uint64_t count = 0;
    struct lk_user user;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        error = lk_list_next(&list, &user.record);
        count += error ? 0 : 1;
    }
    lk_list_end(&list);
    if (error == LK_E_NOT_FOUND) {
        lk_field_set_number(record, lk_field_named(&lk_kind_role, LK_TEXT("holder_count")), count);
        error = 0;
    }
    return error;
}

int lk_permission_check_change(struct lk_txn *txn, struct lk_change *change)
{
    const struct lk_permission *permission = (const struct lk_permission *)change->after;
    struct lk_sequence sequence;
    struct lk_pair pair;
    int error;

    if (change->operation == LK_ADD) {
        struct lk_id id = {change->id.tenant, 0, LK_KIND_PERMISSION};

        error = lk_record_load(txn, &lk_kind_sequence, id, &sequence.record);
        if (error && error != LK_E_NOT_FOUND) {
            return error;
        }
        if (!error && sequence.last + 1 >= LK_PERMISSION_BYTES * 8) {
            return lk_refuse(txn, LK_E_LIMIT, change->kind, NULL, LK_TEXT(""),
                             "has no number left in this build");
        }
    }
    if (permission->deny && (permission->approval || permission->login_age)) {
        return lk_refuse(txn, LK_E_CHECK, change->kind,
                         permission->approval ? "approval" : "login_age", LK_TEXT(""),
                         "is not for a permission that denies");
    }
    if (change->operation == LK_ADD || change->operation == LK_RESTORE ||
        (change->changed >> 9) & 3) {
        error = lk_permission_pair(txn, change->id.tenant, permission->resource, permission->action,
                                   &pair);
        if (!error && pair.count >= LK_PAIR_MAX) {
            return lk_refuse(txn, LK_E_LIMIT, change->kind, "action", permission->action,
                             "has four permissions with this resource already");
        }
        return error;
    }
    return 0;
}

int lk_permission_changed(struct lk_txn *txn, const struct lk_change *change)
{
    return lk_tenant_bump_permissions(txn, change->id.tenant);
}

/* ---- Grants ---- */

int lk_grants_refresh(struct lk_txn *txn, struct lk_id user)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = user};
    uint32_t roles[LK_GRANT_MAX], count = 0, i;
    uint8_t encoded[5 * LK_GRANT_MAX + 3];
    struct lk_cbor_writer writer;
    struct lk_user record;
    struct lk_grant grant;
    size_t size;
    int error = lk_list_begin(txn, &list);

    while (!error && count < LK_GRANT_MAX) {
        error = lk_list_next(&list, &grant.record);
        if (!error) {
            roles[count++] = grant.record.id.sub;
        }
    }
    lk_list_end(&list);
    if (error && error != LK_E_NOT_FOUND) {
        return error;
    }
    lk_cbor_writer_init(&writer, encoded, sizeof(encoded));
    lk_cbor_put_array(&writer, count);
    for (i = 0; i < count; i++) {
        lk_cbor_put_uint(&writer, roles[i]);
    }
    error = lk_cbor_finish(&writer, &size);
    if (error) {
        return error;
    }
    memset(&record, 0, sizeof(record));
    lk_field_set_span(&record.record, lk_field_named(&lk_kind_user, LK_TEXT("roles")),
                      (struct lk_span){encoded, size});
    error = lk_write(txn, &lk_kind_user, LK_UPDATE, user, &record.record, count ? 0 : LK_BIT(17),
                     NULL, LK_W_QUIET | LK_W_SYSTEM | LK_W_NO_STAMP | LK_W_UPKEEP);
    /* A removed user shows up in no index; restoring it comes back here. */
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int role_count_grants(struct lk_txn *txn, struct lk_id user, uint32_t *count)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = user};
    struct lk_grant grant;
    int error = lk_list_begin(txn, &list);

    for (*count = 0; !error; (*count)++) {
        error = lk_list_next(&list, &grant.record);
        if (error) {
            break;
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_role_put_grant(struct lk_txn *txn, struct lk_id id, enum lk_operation operation,
                      uint64_t expires_at, unsigned flags)
{
    struct lk_grant grant;

    memset(&grant, 0, sizeof(grant));
    grant.record.id = id;
    lk_field_set_number(&grant.record, lk_field_numbered(&lk_kind_grant, 8), id.sub);
    if (operation == LK_ADD) {
        lk_field_set_number(&grant.record, lk_field_numbered(&lk_kind_grant, 9), txn->now_ms);
        if (txn->actor.user && txn->actor.tenant == id.tenant) {
            lk_field_set_number(&grant.record, lk_field_numbered(&lk_kind_grant, 10),
                                txn->actor.user);
        }
    }
    if (expires_at) {
        lk_field_set_number(&grant.record, lk_field_numbered(&lk_kind_grant, 11), expires_at);
    }
    return lk_write(txn, &lk_kind_grant, operation, id, &grant.record,
                    operation == LK_ADD || expires_at ? 0 : LK_BIT(11), "role.grant",
                    LK_W_SYSTEM | LK_W_GIVEN_ID | flags);
}

int lk_role_grant(struct lk_txn *txn, struct lk_id user, struct lk_id role, uint64_t expires_at)
{
    struct lk_id id = {user.tenant, user.user, role.sub};
    enum lk_operation operation;
    struct lk_grant grant;
    struct lk_role record;
    struct lk_user owner;
    uint32_t count;
    int error;

    if (user.tenant != role.tenant) {
        return LK_E_NOT_FOUND;
    }
    error = lk_get(txn, &lk_kind_user, (struct lk_id){user.tenant, user.user, 0}, &owner.record);
    if (!error) {
        error = lk_get(txn, &lk_kind_role, role, &record.record);
    }
    if (!error && expires_at && expires_at <= txn->now_ms) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_grant, "expires_at", LK_TEXT(""),
                         "is not in the future");
    }
    if (error) {
        return error;
    }
    error = lk_get(txn, &lk_kind_grant, id, &grant.record);
    if (!error && grant.expires_at == expires_at) {
        return lk_refuse(txn, LK_E_CONFLICT, &lk_kind_grant, "role", LK_TEXT(""),
                         "is granted to the user already");
    }
    if (error && error != LK_E_NOT_FOUND) {
        return error;
    }
    operation = error ? LK_ADD : LK_UPDATE;
    error = role_count_grants(txn, user, &count);
    if (!error && operation == LK_ADD && count >= LK_GRANT_MAX) {
        return lk_refuse(txn, LK_E_LIMIT, &lk_kind_grant, "role", LK_TEXT(""),
                         "would be more roles than a user may have in this build");
    }
    return error ? error : lk_role_put_grant(txn, id, operation, expires_at, 0);
}

int lk_role_revoke(struct lk_txn *txn, struct lk_id user, struct lk_id role)
{
    struct lk_id id = {user.tenant, user.user, role.sub};

    return user.tenant != role.tenant
               ? LK_E_NOT_FOUND
               : lk_write(txn, &lk_kind_grant, LK_PURGE, id, NULL, 0, "role.revoke", 0);
}

int lk_role_permit(struct lk_txn *txn, struct lk_id role, struct lk_id permission, bool permit)
{
    struct lk_permission wanted;
    struct lk_role record, patch;
    uint8_t encoded[LK_VALUE_MAX / 4];
    bool has;
    size_t size;
    int error = role.tenant == permission.tenant ? 0 : LK_E_NOT_FOUND;

    if (!error) {
        error = lk_get(txn, &lk_kind_permission, permission, &wanted.record);
    }
    if (!error) {
        error = lk_get(txn, &lk_kind_role, role, &record.record);
    }
    if (error) {
        return error;
    }
    has = lk_refs_hold(record.permissions, permission.sub);
    if (has == permit) {
        return permit ? lk_refuse(txn, LK_E_CONFLICT, &lk_kind_role, "permissions", LK_TEXT(""),
                                  "holds the permission already")
                      : LK_E_NOT_FOUND;
    }
    if (lk_refs_change(record.permissions, permission.sub, permit, encoded, sizeof(encoded),
                       &size)) {
        return lk_refuse(txn, LK_E_LIMIT, &lk_kind_role, "permissions", LK_TEXT(""),
                         "holds too many");
    }
    memset(&patch, 0, sizeof(patch));
    lk_field_set_span(&patch.record, lk_field_named(&lk_kind_role, LK_TEXT("permissions")),
                      (struct lk_span){encoded, size});
    return lk_write(txn, &lk_kind_role, LK_UPDATE, role, &patch.record, 0,
                    permit ? "permit" : "forbid", 0);
}
