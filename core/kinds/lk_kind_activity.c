// SPDX-License-Identifier: MIT
/* What a login changes of a user, apart from the user's own record and its indexes. */
#include "lk_engine.h"

#define AT(member) offsetof(struct lk_activity, member)

/* What is counted on one lane: the names of its three members. */
#define LANE_FIELDS(first, count, failure, until, where)                                           \
    {.number = (first),                                                                            \
     .name = #count,                                                                               \
     .type = LK_UINT,                                                                              \
     .offset = AT(count),                                                                          \
     .flags = LK_F_SYSTEM | LK_F_LOCAL,                                                            \
     LK_FIELD_HELP("failed logins in a row " where)},                                              \
        {.number = (first) + 1,                                                                    \
         .name = #failure,                                                                         \
         .type = LK_TIME,                                                                          \
         .offset = AT(failure),                                                                    \
         .flags = LK_F_SYSTEM | LK_F_LOCAL,                                                        \
         LK_FIELD_HELP("last failed login " where)},                                               \
    {                                                                                              \
        .number = (first) + 2, .name = #until, .type = LK_TIME, .offset = AT(until),               \
        .flags = LK_F_SYSTEM | LK_F_LOCAL, LK_FIELD_HELP("end of the running delay " where)        \
    }

static const struct lk_like last_login = {.first = AT(last_login_at)};

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "last_login_at",
     .type = LK_TIME,
     .offset = AT(last_login_at),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("last good login")},
    {.number = 9,
     .name = "login_count",
     .type = LK_UINT,
     .offset = AT(login_count),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("good logins")},
    {.number = 10,
     .name = "last_session_start",
     .type = LK_TIME,
     .offset = AT(last_session_start),
     .flags = LK_F_SYSTEM | LK_F_IMPLIED,
     .like = &last_login,
     LK_FIELD_HELP("start of the newest session ever")},
    {.number = 11,
     .name = "last_active_at",
     .type = LK_TIME,
     .offset = AT(last_active_at),
     .flags = LK_F_SYSTEM | LK_F_IMPLIED,
     .like = &last_login,
     LK_FIELD_HELP("last use seen")},
    {.number = 12,
     .name = "total_usage_minutes",
     .type = LK_UINT,
     .offset = AT(total_usage_minutes),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("minutes of use")},
    LANE_FIELDS(13, failed_count, last_failure_at, locked_until, "on the network"),
    {.number = 16,
     .name = "session_number",
     .type = LK_UINT,
     .offset = AT(session_number),
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN,
     LK_FIELD_HELP("number of the newest session")},
    LANE_FIELDS(17, console_failed_count, console_last_failure_at, console_locked_until,
                "at the console"),
    LANE_FIELDS(20, device_failed_count, device_last_failure_at, device_locked_until,
                "from a known device"),
    {.number = 23,
     .name = "login_tat",
     .type = LK_TIME,
     .offset = AT(login_tat),
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN | LK_F_IMPLIED,
     .like = &last_login,
     LK_FIELD_HELP("when the budget of good logins is whole again")},
    {.number = 24,
     .name = "audit_key",
     .type = LK_BYTES,
     .offset = AT(audit_key),
     .min = 16,
     .max = 16,
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_SECRET | LK_F_HIDDEN,
     LK_FIELD_HELP("key of the user's personal data in the audit")},
    {.number = 25,
     .name = "address_tags",
     .type = LK_BYTES,
     .offset = AT(address_tags),
     .max = LK_ADDRESS_TAGS * LK_ADDRESS_TAG_SIZE,
     .flags = LK_F_SYSTEM | LK_F_LOCAL | LK_F_HIDDEN | LK_F_SECRET,
     LK_FIELD_HELP("keyed hashes of the address ranges of the last logins")},
    LANE_FIELDS(26, mail_failed_count, mail_last_failure_at, mail_locked_until,
                "on the network, by the e-mail address"),
};

static const struct lk_index indexes[] = {
    {.number = 24,
     .name = "last_login",
     .flags = LK_I_DAY,
     .fields = {8},
     .help = LK_HELP("users by day of their last login")},
};

const struct lk_kind lk_kind_activity = {
    .number = LK_KIND_ACTIVITY,
    .name = "activity",
    .help = LK_HELP("logins and use of a user"),
    .class_ = 2,
    .shape = LK_SHAPE_ONE_A_USER,
    .flags = LK_K_EXPORTED | LK_K_INTERNAL,
    .resource = "user",
    .size = sizeof(struct lk_activity),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .indexes = indexes,
    .index_count = LK_COUNT(indexes),
};

/* The same counters for names that nobody has: they must behave alike. Nobody has no device. */
static const struct lk_field bucket_fields[] = {
    {.number = 8,
     .name = "name_tag",
     .type = LK_UINT,
     .offset = offsetof(struct lk_bucket, name_tag),
     .flags = LK_F_REQUIRED | LK_F_SYSTEM | LK_F_LOCAL,
     LK_FIELD_HELP("keyed hash of tenant and name")},
    LANE_FIELDS(13, failed_count, last_failure_at, locked_until, "on the network"),
    LANE_FIELDS(17, console_failed_count, console_last_failure_at, console_locked_until,
                "at the console"),
};

const struct lk_kind lk_kind_bucket = {
    .number = LK_KIND_BUCKET,
    .name = "bucket",
    .help = LK_HELP("failed logins under a name that nobody has"),
    .class_ = 0,
    .shape = LK_SHAPE_IN_TENANT,
    .flags = LK_K_INTERNAL,
    .resource = "user",
    .size = sizeof(struct lk_bucket),
    .fields = bucket_fields,
    .field_count = LK_COUNT(bucket_fields),
};
