// SPDX-License-Identifier: MIT
#include "lk_engine.h"

static const char *const statuses[] = {"active", "suspended", NULL};
static const char *const limits[] = {"end_oldest", "refuse", NULL};
static const char *const factors[] = {"off", "optional", "required", NULL};

#define AT(member) offsetof(struct lk_tenant, member)

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "name",
     .type = LK_STRING,
     .offset = AT(name),
     .min = 1,
     .max = 100,
     .flags = LK_F_REQUIRED | LK_F_FOLD,
     LK_FIELD_HELP("name, unique over the store")},
    {.number = 9,
     .name = "external_id",
     .type = LK_UUID,
     .offset = AT(external_id),
     .flags = LK_F_FIXED,
     LK_FIELD_HELP("id for other systems, unique over the store")},
    {.number = 10,
     .name = "display_name",
     .type = LK_STRING,
     .offset = AT(display_name),
     .max = 255,
     LK_FIELD_HELP("name for people")},
    {.number = 11,
     .name = "status",
     .type = LK_ENUM,
     .offset = AT(status),
     .choices = statuses,
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("a suspended tenant lets nobody in")},
    {.number = 12,
     .name = "session_lifetime",
     .type = LK_UINT,
     .offset = AT(session_lifetime),
     .min = 1,
     .max = 31536000,
     .initial = 3600,
     LK_FIELD_HELP("seconds until a session ends")},
    {.number = 13,
     .name = "session_idle",
     .type = LK_UINT,
     .offset = AT(session_idle),
     .max = 31536000,
     .initial = 0,
     LK_FIELD_HELP("seconds without use that end a session; 0: no limit")},
    {.number = 14,
     .name = "session_max",
     .type = LK_UINT,
     .offset = AT(session_max),
     .max = 1000,
     .initial = 16,
     LK_FIELD_HELP("sessions of a user at once; 0: no limit")},
    {.number = 15,
     .name = "lockout_failures",
     .type = LK_UINT,
     .offset = AT(lockout_failures),
     .max = 100,
     .initial = 5,
     LK_FIELD_HELP("failed logins that start a delay; 0: never")},
    {.number = 16,
     .name = "lockout_time",
     .type = LK_UINT,
     .offset = AT(lockout_time),
     .min = 1,
     .max = 86400,
     .initial = 900,
     LK_FIELD_HELP("seconds that the doubling delay grows to")},
    {.number = 17,
     .name = "password_min",
     .type = LK_UINT,
     .offset = AT(password_min),
     .min = 8,
     .max = LK_PASSWORD_MAX,
     .initial = 8,
     LK_FIELD_HELP("bytes that a new password has at least")},
    {.number = 18,
     .name = "password_blocklist",
     .type = LK_BOOL,
     .offset = AT(password_blocklist),
     .initial = 1,
     LK_FIELD_HELP("common passwords are refused")},
    {.number = 19,
     .name = "audit_capacity",
     .type = LK_UINT,
     .offset = AT(audit_capacity),
     .min = 16,
     .max = 1000000,
     .initial = LK_AUDIT_CAPACITY,
     LK_FIELD_HELP("slots of each audit ring")},
    {.number = 20,
     .name = "audit_days",
     .type = LK_UINT,
     .offset = AT(audit_days),
     .max = 36500,
     .initial = 365,
     LK_FIELD_HELP("days that audit entries are kept; 0: until the ring is full")},
    {.number = 21,
     .name = "metadata",
     .type = LK_MAP,
     .offset = AT(metadata),
     .max = 4000,
     LK_FIELD_HELP("the application's own")},
    {.number = 22,
     .name = "purge_after_days",
     .type = LK_UINT,
     .offset = AT(purge_after_days),
     .max = 36500,
     LK_FIELD_HELP("days after which removed records are purged; 0: never")},
    {.number = 23,
     .name = "auth_epoch",
     .type = LK_UINT,
     .offset = AT(auth_epoch),
     .flags = LK_F_SYSTEM | LK_F_HIDDEN,
     LK_FIELD_HELP("sessions of another epoch are over")},
    {.number = 24,
     .name = "role_epoch",
     .type = LK_UINT,
     .offset = AT(role_epoch),
     .flags = LK_F_SYSTEM | LK_F_HIDDEN | LK_F_LOCAL,
     LK_FIELD_HELP("changes with roles and permissions")},
    {.number = 25,
     .name = "password_history",
     .type = LK_UINT,
     .offset = AT(password_history),
     .max = 10,
     LK_FIELD_HELP("last passwords of a user that a new one must differ from; 0: any")},
    {.number = 26,
     .name = "password_min_age",
     .type = LK_UINT,
     .offset = AT(password_min_age),
     .max = 31536000,
     LK_FIELD_HELP("seconds until users may change their own password again; 0: at once")},
    {.number = 27,
     .name = "second_factor",
     .type = LK_ENUM,
     .offset = AT(second_factor),
     .choices = factors,
     .initial = LK_FACTOR_OPTIONAL,
     LK_FIELD_HELP("second factor at login: not asked for, asked of who has one, of everybody")},
    {.number = 28,
     .name = "close_failures",
     .type = LK_UINT,
     .offset = AT(close_failures),
     .max = 100000,
     .initial = 100,
     LK_FIELD_HELP("failed logins that close the network to a name; 0: never")},
    {.number = 29,
     .name = "close_time",
     .type = LK_UINT,
     .offset = AT(close_time),
     .min = 1,
     .max = 31536000,
     .initial = 86400,
     LK_FIELD_HELP("seconds that it stays closed")},
    {.number = 30,
     .name = "session_limit",
     .type = LK_ENUM,
     .offset = AT(session_limit),
     .choices = limits,
     LK_FIELD_HELP("what a login over session_max does: end the oldest, or be refused")},
    {.number = 31,
     .name = "session_end_at_reboot",
     .type = LK_BOOL,
     .offset = AT(session_end_at_reboot),
     LK_FIELD_HELP("sessions end with the power, however good the clock")},
    {.number = 32,
     .name = "session_channels",
     .type = LK_STRING,
     .offset = AT(session_channels),
     .max = 120,
     LK_FIELD_HELP("session_lifetime of single channels, as \"console:900 http:86400\"")},
    {.number = 33,
     .name = "time_zone",
     .type = LK_STRING,
     .offset = AT(time_zone),
     .min = 6,
     .max = 6,
     .form = lk_zone_form,
     .initial_text = "+00:00",
     LK_FIELD_HELP("offset from UTC that windows of permissions go by")},
    {.number = 34,
     .name = "audit_archive",
     .type = LK_BOOL,
     .offset = AT(audit_archive),
     LK_FIELD_HELP("keep audit entries past audit_days until they were archived")},
    {.number = 35,
     .name = "audit_archived",
     .type = LK_UINT,
     .offset = AT(audit_archived),
     .flags = LK_F_SYSTEM | LK_F_LOCAL,
     LK_FIELD_HELP("audit entries up to this number were archived")},
    {.number = 36,
     .name = "login_rate",
     .type = LK_UINT,
     .offset = AT(login_rate),
     .max = 3600000,
     .initial = LK_LOGIN_RATE,
     LK_FIELD_HELP("good logins of a user an hour at most; 0: no limit")},
    {.number = 37,
     .name = "audit_key",
     .type = LK_BYTES,
     .offset = AT(audit_key),
     .min = 16,
     .max = 16,
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_SECRET | LK_F_HIDDEN,
     LK_FIELD_HELP("key of personal data in the audit that are no user's")},
    {.number = 38,
     .name = "audit_gone",
     .type = LK_BYTES,
     .offset = AT(audit_gone),
     .min = 16,
     .max = 16,
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN,
     LK_FIELD_HELP("what the oldest audit entry of each ring follows")},
    {.number = 39,
     .name = "role_marks",
     .type = LK_BYTES,
     .offset = AT(role_marks),
     .min = LK_ROLE_MARKS,
     .max = LK_ROLE_MARKS,
     .flags = LK_F_SYSTEM | LK_F_HIDDEN | LK_F_LOCAL,
     LK_FIELD_HELP("changes of roles, by their numbers")},
    {.number = 48,
     .name = "user_count",
     .type = LK_UINT,
     .offset = AT(user_count),
     .flags = LK_F_COMPUTED,
     LK_FIELD_HELP("users, the removed ones not counted")},
};

static const struct lk_index indexes[] = {
    {.number = 2,
     .name = "name",
     .flags = LK_I_UNIQUE | LK_I_STORE,
     .fields = {8},
     .help = LK_HELP("by name")},
    {.number = 3,
     .name = "external_id",
     .flags = LK_I_UNIQUE | LK_I_STORE,
     .fields = {9},
     .help = LK_HELP("by external id")},
};

static int tenant_check(struct lk_txn *txn, struct lk_change *change)
{
    struct lk_tenant *tenant = (struct lk_tenant *)change->after;

    /* Stored even when not given: a build with another default must find the ring as it is. */
    if (!LK_HAS(&tenant->record, 19)) {
        lk_set_number(&lk_kind_tenant, &tenant->record, "audit_capacity",
                      txn->store->audit_capacity);
    }
    if ((change->changed >> 32) & 1 && LK_HAS(&tenant->record, 32)) {
        const char *rule = lk_session_channels_rule(tenant->session_channels);

        if (rule) {
            return lk_refuse(txn, LK_E_CHECK, change->kind, "session_channels",
                             tenant->session_channels, rule);
        }
    }
    if (change->operation == LK_UPDATE && (change->changed >> 19) & 1) {
        int error = lk_audit_check_resize(txn, change);

        if (error) {
            return error;
        }
    }
    if (change->operation == LK_ADD) {
        uint8_t *key = lk_work(txn)->audit_key;
        int error = lk_random(txn->store, key, 16);

        if (error) {
            return error;
        }
        lk_set_span(&lk_kind_tenant, &tenant->record, "audit_key", (struct lk_span){key, 16});
    }
    if (change->operation == LK_ADD && !LK_HAS(&tenant->record, 9)) {
        return lk_fill_uuid(txn, &tenant->record, lk_field_numbered(change->kind, 9));
    }
    return 0;
}

static int tenant_changed(struct lk_txn *txn, const struct lk_change *change)
{
    if (change->operation == LK_PURGE) {
        return lk_purge_range(txn, change->id.tenant, 0);
    }
    if (change->operation == LK_REMOVE) {
        /* Sessions of before stay over when the tenant comes back. */
        return lk_tenant_bump(txn, change->id.tenant);
    }
    if (change->operation == LK_UPDATE && (change->changed >> 19) & 1) {
        int error = lk_audit_resize(txn, change->id.tenant);

        if (error) {
            return error;
        }
    }
    return change->operation == LK_UPDATE && (change->changed >> 34) & 1
               ? lk_audit_warn(txn, change->id.tenant)
               : 0;
}

static int tenant_compute(struct lk_txn *txn, struct lk_record *record)
{
    uint64_t count;
    int error = lk_count_users(txn, record->id.tenant, &count);

    if (!error) {
        lk_field_set_number(record, lk_field_numbered(&lk_kind_tenant, 48), count);
    }
    return error;
}

const struct lk_kind lk_kind_tenant = {
    .number = LK_KIND_TENANT,
    .name = "tenant",
    .help = LK_HELP("a customer, site or product line with users of its own"),
    .class_ = 0,
    .shape = LK_SHAPE_TENANT,
    .flags = LK_K_SOFT_DELETE | LK_K_AUDIT_FIELDS | LK_K_EXPORTED,
    .resource = "tenant",
    .size = sizeof(struct lk_tenant),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .indexes = indexes,
    .index_count = LK_COUNT(indexes),
    .check = tenant_check,
    .changed = tenant_changed,
    .compute = tenant_compute,
};
