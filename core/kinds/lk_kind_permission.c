// SPDX-License-Identifier: MIT
#include "lk_engine.h"

#define AT(member) offsetof(struct lk_permission, member)

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "name",
     .type = LK_STRING,
     .offset = AT(name),
     .min = 1,
     .max = 100,
     .flags = LK_F_REQUIRED | LK_F_FOLD,
     .help = "name, unique in the tenant"},
    {.number = 9,
     .name = "resource",
     .type = LK_STRING,
     .offset = AT(resource),
     .min = 1,
     .max = 100,
     .flags = LK_F_REQUIRED,
     .help = "what it is about; * for everything"},
    {.number = 10,
     .name = "action",
     .type = LK_STRING,
     .offset = AT(action),
     .min = 1,
     .max = 50,
     .flags = LK_F_REQUIRED,
     .help = "what may be done; * for everything"},
    {.number = 11,
     .name = "description",
     .type = LK_STRING,
     .offset = AT(description),
     .max = 255,
     .help = "for people"},
};

static const struct lk_index indexes[] = {
    {.number = 32, .name = "name", .flags = LK_I_UNIQUE, .fields = {8}, .help = "by name"},
    {.number = 33, .name = "pair", .fields = {9, 10}, .help = "by resource and action"},
};

const struct lk_kind lk_kind_permission = {
    .number = LK_KIND_PERMISSION,
    .name = "permission",
    .help = "leave to do an action on a resource",
    .class_ = 0,
    .shape = LK_SHAPE_IN_TENANT,
    .flags = LK_K_SOFT_DELETE | LK_K_AUDIT_FIELDS | LK_K_EXPORTED,
    .resource = "permission",
    .size = sizeof(struct lk_permission),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .indexes = indexes,
    .index_count = LK_COUNT(indexes),
    .check = lk_permission_check_change,
    .changed = lk_permission_changed,
};
