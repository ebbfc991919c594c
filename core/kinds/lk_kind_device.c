// SPDX-License-Identifier: MIT
#include "lk_engine.h"

#define AT(member) offsetof(struct lk_device, member)

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "fingerprint",
     .type = LK_BYTES,
     .offset = AT(fingerprint),
     .min = 1,
     .max = LK_FINGERPRINT_MAX,
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("what the application knows it by, unique for the user")},
    {.number = 9,
     .name = "name",
     .type = LK_STRING,
     .offset = AT(name),
     .max = 100,
     LK_FIELD_HELP("name for people")},
    {.number = 10,
     .name = "type",
     .type = LK_STRING,
     .offset = AT(type),
     .max = 50,
     LK_FIELD_HELP("sort of device, as the application calls it")},
    {.number = 11,
     .name = "first_seen",
     .type = LK_TIME,
     .offset = AT(first_seen),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("first login from it")},
    {.number = 12,
     .name = "last_seen",
     .type = LK_TIME,
     .offset = AT(last_seen),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("last login from it, to the day")},
    {.number = 13,
     .name = "trusted",
     .type = LK_BOOL,
     .offset = AT(trusted),
     LK_FIELD_HELP("somebody vouched for it")},
    {.number = 14,
     .name = "cookie_hash",
     .type = LK_BYTES,
     .offset = AT(cookie_hash),
     .min = LK_TOKEN_HASH_SIZE,
     .max = LK_TOKEN_HASH_SIZE,
     .flags = LK_F_SYSTEM | LK_F_SECRET | LK_F_LOCAL,
     LK_FIELD_HELP("keyed hash of the device cookie")},
};

static const struct lk_index indexes[] = {
    {.number = 28,
     .name = "fingerprint",
     .flags = LK_I_UNIQUE | LK_I_USER,
     .fields = {8},
     .help = LK_HELP("a user's devices by fingerprint")},
};

static int device_changed(struct lk_txn *txn, const struct lk_change *change)
{
    return change->operation == LK_PURGE ? lk_sessions_drop_device(txn, change->id, change->id.sub)
                                         : 0;
}

const struct lk_kind lk_kind_device = {
    .number = LK_KIND_DEVICE,
    .name = "device",
    .help = LK_HELP("what a user logs in from"),
    .class_ = 2,
    .shape = LK_SHAPE_OF_USER,
    .flags = LK_K_AUDIT_FIELDS | LK_K_EXPORTED,
    .resource = "session", /* whoever may end a login may forget where it came from */
    .size = sizeof(struct lk_device),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .indexes = indexes,
    .index_count = LK_COUNT(indexes),
    .check = lk_device_check_change,
    .changed = device_changed,
};
