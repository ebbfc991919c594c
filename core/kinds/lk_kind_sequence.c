// SPDX-License-Identifier: MIT
#include "lk_engine.h"

static const struct lk_field fields[] = {
    {.number = 8,
     .name = "last",
     .type = LK_UINT,
     .offset = offsetof(struct lk_sequence, last),
     .flags = LK_F_REQUIRED | LK_F_SYSTEM,
     LK_FIELD_HELP("highest number ever given out")},
};

const struct lk_kind lk_kind_sequence = {
    .number = LK_KIND_SEQUENCE,
    .name = "sequence",
    .help = LK_HELP("numbers given out to a kind, so that none is used twice"),
    .class_ = 0,
    .shape = LK_SHAPE_IN_TENANT,
    .flags = LK_K_EXPORTED | LK_K_INTERNAL,
    .resource = "tenant",
    .size = sizeof(struct lk_sequence),
    .fields = fields,
    .field_count = LK_COUNT(fields),
};
