// SPDX-License-Identifier: MIT
#include "lk_engine.h"

#define AT(member) offsetof(struct lk_grant, member)

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "role",
     .type = LK_REF,
     .offset = AT(role),
     .target = LK_KIND_ROLE,
     .on_delete = LK_CASCADE,
     .flags = LK_F_REQUIRED | LK_F_FIXED,
     LK_FIELD_HELP("the role granted")},
    {.number = 9,
     .name = "assigned_at",
     .type = LK_TIME,
     .offset = AT(assigned_at),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("when it was granted")},
    {.number = 10,
     .name = "assigned_by",
     .type = LK_REF,
     .offset = AT(assigned_by),
     .target = LK_KIND_USER,
     .on_delete = LK_SET_NULL,
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("who granted it")},
    {.number = 11,
     .name = "expires_at",
     .type = LK_TIME,
     .offset = AT(expires_at),
     LK_FIELD_HELP("when it ends")},
};

static int grant_changed(struct lk_txn *txn, const struct lk_change *change)
{
    if (change->operation == LK_UPDATE) {
        return 0;
    }
    return lk_grants_refresh(txn, (struct lk_id){change->id.tenant, change->id.user, 0});
}

const struct lk_kind lk_kind_grant = {
    .number = LK_KIND_GRANT,
    .name = "grant",
    .help = LK_HELP("a role that a user has, and until when"),
    .class_ = 2,
    .shape = LK_SHAPE_OF_USER,
    .flags = LK_K_EXPORTED | LK_K_INTERNAL,
    .resource = "role",
    .size = sizeof(struct lk_grant),
    .fields = fields,
    .field_count = LK_COUNT(fields),
    .changed = grant_changed,
};
