// SPDX-License-Identifier: MIT
/* lk_user.c: computed fields of users, their state, and that of their tenant. */
#include "lk_factor.h"

#define USER_ACTIVE_DAYS 7

/* `active` is the last use that the activity record knows of; a session may know of a later one. */
static int user_sessions(struct lk_txn *txn, struct lk_record *record, uint64_t *active)
{
    struct lk_list list = {.kind = &lk_kind_session,
                           .scope = {record->id.tenant, record->id.user, 0}};
    const struct lk_cache_tenant *tenant;
    struct lk_session session;
    struct lk_cache_tenant policy;
    uint64_t count = 0, newest = 0;
    int error = lk_cache_tenant(txn, record->id.tenant, &tenant);

    if (error) {
        return error;
    }
    policy = *tenant;
    error = lk_list_begin(txn, &list);
    while (!error) {
        error = lk_list_next(&list, &session.record);
        if (!error && session.last_activity > *active) {
            *active = session.last_activity;
        }
        if (!error && lk_session_state(txn, &session, &policy) == LK_SESSION_ALIVE) {
            count++;
            newest = session.record.created_at > newest ? session.record.created_at : newest;
        }
    }
    lk_list_end(&list);
    lk_set_number(&lk_kind_user, record, "session_count", count);
    if (newest) {
        lk_set_number(&lk_kind_user, record, "last_login", newest);
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_user_compute(struct lk_txn *txn, struct lk_record *record)
{
    static const struct {
        const char *name;
        size_t offset;
    } copies[] = {
        {"last_login_at", offsetof(struct lk_activity, last_login_at)},
        {"login_count", offsetof(struct lk_activity, login_count)},
        {"last_session_start", offsetof(struct lk_activity, last_session_start)},
        {"total_usage_minutes", offsetof(struct lk_activity, total_usage_minutes)},
    };
    struct lk_activity activity;
    struct lk_factor factor;
    uint64_t status = LK_ACTIVITY_UNKNOWN, active;
    size_t i;
    int error = lk_load_activity(txn, record->id, &activity);

    if (error) {
        return error;
    }
    for (i = 0; i < LK_COUNT(copies); i++) {
        uint64_t number;

        memcpy(&number, (const uint8_t *)&activity + copies[i].offset, sizeof(number));
        if (number) {
            lk_set_number(&lk_kind_user, record, copies[i].name, number);
        }
    }
    active = activity.last_active_at;
    error = user_sessions(txn, record, &active);
    if (error) {
        return error;
    }
    if (active) {
        lk_set_number(&lk_kind_user, record, "last_active_at", active);
        status = lk_elapsed(txn->now_ms, active) <= USER_ACTIVE_DAYS * (uint64_t)LK_MS_PER_DAY
                     ? LK_ACTIVITY_ACTIVE
                     : LK_ACTIVITY_INACTIVE;
    }
    lk_set_number(&lk_kind_user, record, "login_count", activity.login_count);
    lk_set_number(&lk_kind_user, record, "activity_status", status);
    lk_set_number(
        &lk_kind_user, record, "is_locked",
        activity.locked_until > txn->now_ms || activity.console_locked_until > txn->now_ms ||
            activity.device_locked_until > txn->now_ms || activity.mail_locked_until > txn->now_ms);
    error = lk_factor_find(txn, record->id, (struct lk_span){NULL, 0}, &factor);
    if (error) {
        return error;
    }
    lk_set_number(&lk_kind_user, record, "has_second_factor", lk_factor_enrolled(&factor));
    return 0;
}

int lk_count_users(struct lk_txn *txn, uint32_t tenant, uint64_t *count)
{
    struct lk_list list = {.kind = &lk_kind_user, .scope = {tenant, 0, 0}};
    struct lk_user user;
    int error = lk_list_begin(txn, &list);

    for (*count = 0; !error; *count += error ? 0 : 1) {
        error = lk_list_next(&list, &user.record);
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* Everything that can refuse a grant, before the user is put. */
static int user_check_roles(struct lk_txn *txn, const struct lk_user *user, const uint32_t *roles,
                            size_t count)
{
    struct lk_id id = {user->record.id.tenant, 0, 0};
    size_t i;
    int error;

    for (i = 0; i < lk_kind_user.field_count; i++) {
        const struct lk_field *field = &lk_kind_user.fields[i];

        if (field->flags & LK_F_SYSTEM && LK_HAS(&user->record, field->number)) {
            return lk_refuse(txn, LK_E_CHECK, &lk_kind_user, field->name, LK_TEXT(""),
                             "is set by the store only");
        }
    }
    if (count > LK_GRANT_MAX) {
        return lk_refuse(txn, LK_E_LIMIT, &lk_kind_user, "roles", LK_TEXT(""),
                         "are more than one user may have in this build");
    }
    /* The system, that is whoever has the files, may grant anything. */
    error = txn->actor.user ? lk_sequence_peek(txn, id.tenant, &lk_kind_user, &id.user) : 0;
    for (i = 0; txn->actor.user && !error && i < count; i++) {
        struct lk_grant grant;
        struct lk_change change = {.kind = &lk_kind_grant,
                                   .operation = LK_ADD,
                                   .id = {id.tenant, id.user, roles[i]},
                                   .after = &grant.record};

        memset(&grant, 0, sizeof(grant));
        error = lk_hold_change(txn, &change);
    }
    return error;
}

int lk_user_add(struct lk_txn *txn, struct lk_user *user, const uint32_t *roles, size_t count)
{
    uint8_t encoded[2][5 * LK_GRANT_MAX + 3];
    struct lk_span list = {NULL, 0};
    size_t i, size;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = user_check_roles(txn, user, roles, count);
    }
    for (i = 0; !error && i < count; i++) {
        error = lk_refs_change(list, roles[i], true, encoded[i & 1], sizeof(encoded[0]), &size);
        list = (struct lk_span){encoded[i & 1], size};
    }
    if (!error && count) {
        lk_set_span(&lk_kind_user, &user->record, "roles", list);
    }
    if (!error) {
        error = lk_write(txn, &lk_kind_user, LK_ADD, user->record.id, &user->record, 0, NULL,
                         LK_W_SYSTEM);
    }
    for (i = 0; !error && i < count; i++) {
        error = lk_spoil(txn, lk_role_put_grant(txn,
                                                (struct lk_id){user->record.id.tenant,
                                                               user->record.id.user, roles[i]},
                                                LK_ADD, 0, LK_W_UPKEEP | LK_W_SETTLED));
    }
    user->record.present &= ~LK_BIT(17);
    return error;
}

int lk_user_set_status(struct lk_txn *txn, struct lk_id user, enum lk_user_status status)
{
    static const char *const verbs[] = {"activate", "invite", "suspend"};
    struct lk_user patch;

    if ((unsigned)status >= LK_COUNT(verbs)) {
        return LK_E_ARGUMENT;
    }
    memset(&patch, 0, sizeof(patch));
    lk_set_number(&lk_kind_user, &patch.record, "status", status);
    return lk_write(txn, &lk_kind_user, LK_UPDATE, user, &patch.record, 0, verbs[status], 0);
}

int lk_user_unlock(struct lk_txn *txn, struct lk_id user)
{
    struct lk_activity activity;
    struct lk_user record;
    struct lk_change change = {.kind = &lk_kind_user, .operation = LK_UPDATE, .id = user};
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_get(txn, &lk_kind_user, user, &record.record);
    }
    if (!error) {
        error = lk_hold_user(txn, user);
    }
    if (error) {
        return error;
    }
    error = lk_load_activity(txn, user, &activity);
    if (!error && activity.record.raw.size) {
        activity.record.present &=
            ~(lk_lane_bits(LK_LANE_NETWORK) | lk_lane_bits(LK_LANE_CONSOLE) |
              lk_lane_bits(LK_LANE_DEVICE) | lk_lane_bits(LK_LANE_MAIL) | LK_BIT(23));
        error = lk_record_store(txn, &lk_kind_activity, &activity.record, lk_work(txn)->new_value);
    }
    return error ? error : lk_spoil(txn, lk_audit_change(txn, &change, "unlock"));
}

int lk_tenant_set_status(struct lk_txn *txn, uint32_t tenant, enum lk_tenant_status status)
{
    struct lk_id id = {tenant, 0, 0};
    struct lk_tenant patch, before;
    int error = lk_get(txn, &lk_kind_tenant, id, &before.record);

    if (error || before.status == (uint64_t)status) {
        return error;
    }
    memset(&patch, 0, sizeof(patch));
    lk_set_number(&lk_kind_tenant, &patch.record, "status", status);
    error = lk_write(txn, &lk_kind_tenant, LK_UPDATE, id, &patch.record, 0,
                     status == LK_TENANT_ACTIVE ? "activate" : "suspend", LK_W_SYSTEM);
    /* Sessions of before stay over when the tenant comes back. */
    return error ? error : lk_tenant_bump(txn, tenant);
}

int lk_tenant_add(struct lk_txn *txn, struct lk_tenant *tenant)
{
    struct lk_id admin;
    int error = lk_add(txn, &lk_kind_tenant, &tenant->record, NULL);

    return error ? error : lk_seed_tenant(txn, tenant->record.id.tenant, &admin);
}
