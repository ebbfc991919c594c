// SPDX-License-Identifier: MIT
#include "lk_engine.h"

static const char *const statuses[] = {"active", "invited", "suspended", NULL};
static const char *const activity_statuses[] = {"Unknown", "Active", "Inactive", NULL};

#define AT(member) offsetof(struct lk_user, member)

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "username",
     .type = LK_STRING,
     .offset = AT(username),
     .min = 1,
     .max = 64,
     .flags = LK_F_REQUIRED | LK_F_FOLD,
     LK_FIELD_HELP("login name, unique in the tenant")},
    {.number = 9,
     .name = "email",
     .type = LK_STRING,
     .offset = AT(email),
     .min = 3,
     .max = 255,
     .flags = LK_F_FOLD | LK_F_EMAIL,
     LK_FIELD_HELP("e-mail address, unique in the tenant")},
    {.number = 10,
     .name = "display_name",
     .type = LK_STRING,
     .offset = AT(display_name),
     .min = 2,
     .max = 255,
     LK_FIELD_HELP("name for people")},
    {.number = 11,
     .name = "external_id",
     .type = LK_UUID,
     .offset = AT(external_id),
     .flags = LK_F_FIXED,
     LK_FIELD_HELP("id for other systems, unique over the store")},
    {.number = 12,
     .name = "identity_provider",
     .type = LK_STRING,
     .offset = AT(identity_provider),
     .min = 1,
     .max = 50,
     .initial_text = "local",
     LK_FIELD_HELP("who vouches for the user")},
    {.number = 13,
     .name = "identity_provider_id",
     .type = LK_STRING,
     .offset = AT(identity_provider_id),
     .min = 1,
     .max = 255,
     LK_FIELD_HELP("the provider's name for the user; the external id where not given")},
    {.number = 14,
     .name = "status",
     .type = LK_ENUM,
     .offset = AT(status),
     .choices = statuses,
     LK_FIELD_HELP("only the active may log in")},
    {.number = 15,
     .name = "must_change_password",
     .type = LK_BOOL,
     .offset = AT(must_change_password),
     LK_FIELD_HELP("the next login must set a new password")},
    {.number = 16,
     .name = "metadata",
     .type = LK_MAP,
     .offset = AT(metadata),
     .max = 4000,
     LK_FIELD_HELP("the application's own")},
    {.number = 17,
     .name = "roles",
     .type = LK_REFS,
     .offset = AT(roles),
     .target = LK_KIND_ROLE,
     .max = 5 * LK_GRANT_MAX + 3,
     .flags = LK_F_SYSTEM | LK_F_LOCAL,
     LK_FIELD_HELP("roles granted; see role grant")},
    {.number = 40,
     .name = "last_login_at",
     .type = LK_TIME,
     .offset = AT(last_login_at),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("last good login")},
    {.number = 41,
     .name = "login_count",
     .type = LK_UINT,
     .offset = AT(login_count),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("good logins")},
    {.number = 42,
     .name = "last_session_start",
     .type = LK_TIME,
     .offset = AT(last_session_start),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("start of the newest session ever")},
    {.number = 43,
     .name = "last_active_at",
     .type = LK_TIME,
     .offset = AT(last_active_at),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("last use seen, to the minute")},
    {.number = 44,
     .name = "total_usage_minutes",
     .type = LK_UINT,
     .offset = AT(total_usage_minutes),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("minutes of sessions in use")},
    {.number = 45,
     .name = "activity_status",
     .type = LK_ENUM,
     .offset = AT(activity_status),
     .choices = activity_statuses,
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("active: used in the last 7 days; inactive: longer ago; unknown: never")},
    {.number = 46,
     .name = "last_login",
     .type = LK_TIME,
     .offset = AT(last_login),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("start of the newest session that still stands")},
    {.number = 47,
     .name = "session_count",
     .type = LK_UINT,
     .offset = AT(session_count),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("sessions that still stand")},
    {.number = 48,
     .name = "is_locked",
     .type = LK_BOOL,
     .offset = AT(is_locked),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("a delay after failed logins is running")},
    {.number = 50,
     .name = "has_second_factor",
     .type = LK_BOOL,
     .offset = AT(has_second_factor),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("has a confirmed authenticator, or recovery codes left")},
};

static const struct lk_index indexes[] = {
    {.number = 8,
     .name = "username",
     .flags = LK_I_UNIQUE,
     .fields = {8},
     .help = LK_HELP("by login name")},
    {.number = 9,
     .name = "email",
     .flags = LK_I_UNIQUE,
     .fields = {9},
     .help = LK_HELP("by e-mail address")},
    {.number = 10,
     .name = "active_email",
     .fields = {9},
     .when_field = 14,
     .when_value = LK_USER_ACTIVE,
     .help = LK_HELP("the active by e-mail address")},
    {.number = 11, .name = "role", .flags = LK_I_EACH, .fields = {17}, .help = LK_HELP("by role")},
    {.number = 12,
     .name = "active_role",
     .flags = LK_I_EACH,
     .fields = {17},
     .when_field = 14,
     .when_value = LK_USER_ACTIVE,
     .help = LK_HELP("the active by role")},
    {.number = 13, .name = "status", .fields = {14}, .help = LK_HELP("by status")},
    {.number = 14, .name = "created_at", .fields = {1}, .help = LK_HELP("by time of creation")},
    {.number = 15,
     .name = "created_role",
     .flags = LK_I_EACH,
     .fields = {1, 17},
     .help = LK_HELP("by time of creation and role")},
    {.number = 16,
     .name = "external_id",
     .flags = LK_I_UNIQUE | LK_I_STORE,
     .fields = {11},
     .help = LK_HELP("by external id")},
    {.number = 17,
     .name = "provider",
     .flags = LK_I_UNIQUE | LK_I_STORE,
     .fields = {12, 13},
     .help = LK_HELP("by identity provider and its id")},
};

static int user_check(struct lk_txn *txn, struct lk_change *change)
{
    struct lk_user *user = (struct lk_user *)change->after;

    if ((change->changed >> 8) & 3 && memchr(user->username.data, '@', user->username.size) &&
        !(LK_HAS(&user->record, 9) && lk_text_equal_fold(user->username, user->email))) {
        return lk_refuse(txn, LK_E_CHECK, change->kind, "username", user->username,
                         "holds '@' but is not the user's own e-mail address");
    }
    if (change->operation == LK_ADD && !LK_HAS(&user->record, 11)) {
        return lk_fill_uuid(txn, &user->record, lk_field_numbered(change->kind, 11));
    }
    return 0;
}

static int user_changed(struct lk_txn *txn, const struct lk_change *change)
{
    struct lk_user user;
    int error;

    if (change->operation == LK_PURGE) {
        return lk_purge_range(txn, change->id.tenant, change->id.user);
    }
    if (change->operation == LK_RESTORE) {
        return lk_grants_refresh(txn, change->id);
    }
    if (change->operation == LK_REMOVE) {
        return lk_sessions_drop(txn, change->id, 0, NULL);
    }
    if (change->operation == LK_UPDATE && (change->changed >> 14) & 1) {
        error = lk_get(txn, &lk_kind_user, change->id, &user.record);
        if (!error && user.status != LK_USER_ACTIVE) {
            error = lk_sessions_drop(txn, change->id, 0, NULL);
        }
        return error;
    }
    return 0;
}

const struct lk_kind lk_kind_user = {
    .number = LK_KIND_USER,
    .name = "user",
    .help = LK_HELP("a person or machine that may log in"),
    .class_ = 1,
    .shape = LK_SHAPE_USER,
    .flags = LK_K_SOFT_DELETE | LK_K_AUDIT_FIELDS | LK_K_EXPORTED,
    .resource = "user",
    .size = sizeof(struct lk_user),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .indexes = indexes,
    .index_count = LK_COUNT(indexes),
    .check = user_check,
    .changed = user_changed,
    .compute = lk_user_compute,
};
