// SPDX-License-Identifier: MIT
/* lk_kind.c: the list of kinds, and the places of fields in their structs. */
#include "lk_engine.h"

#define AT(member) offsetof(struct lk_record, member)

static const struct lk_like made_at = {.first = AT(created_at)},
                            made_by = {.first = AT(created_by)};

const struct lk_field lk_audit_fields[LK_AUDIT_FIELD_COUNT] = {
    {.number = 1,
     .name = "created_at",
     .type = LK_TIME,
     .offset = AT(created_at),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("when it was made")},
    {.number = 2,
     .name = "created_by",
     .type = LK_REF,
     .offset = AT(created_by),
     .target = LK_KIND_USER,
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("who made it; empty for the system")},
    {.number = 3,
     .name = "updated_at",
     .type = LK_TIME,
     .offset = AT(updated_at),
     .flags = LK_F_SYSTEM | LK_F_IMPLIED,
     .like = &made_at,
     LK_FIELD_HELP("when it was last changed")},
    {.number = 4,
     .name = "updated_by",
     .type = LK_REF,
     .offset = AT(updated_by),
     .target = LK_KIND_USER,
     .flags = LK_F_SYSTEM | LK_F_IMPLIED,
     .like = &made_by,
     LK_FIELD_HELP("who changed it last")},
    {.number = 5,
     .name = "deleted_at",
     .type = LK_TIME,
     .offset = AT(deleted_at),
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("when it was removed")},
    {.number = 6,
     .name = "deleted_by",
     .type = LK_REF,
     .offset = AT(deleted_by),
     .target = LK_KIND_USER,
     .flags = LK_F_SYSTEM,
     LK_FIELD_HELP("who removed it")},
};

const struct lk_kind *const lk_kinds[] = {
    &lk_kind_sequence,   &lk_kind_tenant,
    &lk_kind_permission, &lk_kind_role,
    &lk_kind_audit,      &lk_kind_bucket,
    &lk_kind_fold,       &lk_kind_user,
    &lk_kind_activity,   &lk_kind_grant,
    &lk_kind_session,    &lk_kind_device,
    &lk_kind_credential, NULL,
};

static const struct lk_kind *kind_numbered(const struct lk_kind *const *list, unsigned number)
{
    for (; list && *list; list++) {
        if ((*list)->number == number) {
            return *list;
        }
    }
    return NULL;
}

static bool kind_is_named(struct lk_span name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

const struct lk_kind *lk_store_kind_numbered(const struct lk_store *store, unsigned number)
{
    const struct lk_kind *kind = kind_numbered(lk_kinds, number);

    return kind ? kind : kind_numbered(store->kinds, number);
}

const struct lk_kind *lk_store_kind(const struct lk_store *store, struct lk_span name)
{
    const struct lk_kind *const *lists[2] = {lk_kinds, store ? store->kinds : NULL};
    size_t i;

    for (i = 0; i < LK_COUNT(lists); i++) {
        const struct lk_kind *const *at;

        for (at = lists[i]; at && *at; at++) {
            if (kind_is_named(name, (*at)->name)) {
                return *at;
            }
        }
    }
    return NULL;
}

bool lk_kind_is_numbered(const struct lk_kind *kind)
{
    return kind->shape != LK_SHAPE_ONE_A_USER && kind->shape != LK_SHAPE_RING &&
           kind != &lk_kind_grant && kind != &lk_kind_session && kind != &lk_kind_sequence &&
           kind != &lk_kind_bucket && kind != &lk_kind_fold;
}

const struct lk_field *lk_field_named(const struct lk_kind *kind, struct lk_span name)
{
    size_t i;

    for (i = 0; i < kind->field_count; i++) {
        if (kind_is_named(name, kind->fields[i].name)) {
            return &kind->fields[i];
        }
    }
    for (i = 0; kind->flags & LK_K_AUDIT_FIELDS && i < LK_AUDIT_FIELD_COUNT; i++) {
        if (kind_is_named(name, lk_audit_fields[i].name)) {
            return &lk_audit_fields[i];
        }
    }
    return NULL;
}

const struct lk_field *lk_field_numbered(const struct lk_kind *kind, unsigned number)
{
    size_t i;

    if (number <= LK_AUDIT_FIELD_COUNT) {
        return number && kind->flags & LK_K_AUDIT_FIELDS ? &lk_audit_fields[number - 1] : NULL;
    }
    if (!kind->field_count || number < kind->fields[0].number) {
        return NULL;
    }
    /* Numbers rise, mostly by one: the field is here, or as many before as numbers are left out. */
    i = number - kind->fields[0].number;
    if (i >= kind->field_count) {
        i = (size_t)kind->field_count - 1;
    }
    while (kind->fields[i].number > number) {
        i--;
    }
    return kind->fields[i].number == number ? &kind->fields[i] : NULL;
}

const struct lk_index *lk_index_named(const struct lk_kind *kind, struct lk_span name)
{
    size_t i;

    for (i = 0; i < kind->index_count; i++) {
        if (kind_is_named(name, kind->indexes[i].name)) {
            return &kind->indexes[i];
        }
    }
    /* What a login changes is kept beside the user, and indexed there. */
    if (kind == &lk_kind_user && kind_is_named(name, lk_kind_activity.indexes[0].name)) {
        return &lk_kind_activity.indexes[0];
    }
    return kind->flags & LK_K_SOFT_DELETE && kind_is_named(name, lk_index_deleted.name)
               ? &lk_index_deleted
               : NULL;
}

static const void *kind_place(const struct lk_record *record, const struct lk_field *field)
{
    return (const uint8_t *)record + field->offset;
}

uint64_t lk_field_number(const struct lk_record *record, const struct lk_field *field)
{
    uint64_t number;

    LK_ASSERT(lk_field_is_number(field));
    memcpy(&number, kind_place(record, field), sizeof(number));
    return number;
}

struct lk_span lk_field_span(const struct lk_record *record, const struct lk_field *field)
{
    struct lk_span span;

    LK_ASSERT(!lk_field_is_number(field));
    memcpy(&span, kind_place(record, field), sizeof(span));
    return span;
}

void lk_field_set_number(struct lk_record *record, const struct lk_field *field, uint64_t number)
{
    LK_ASSERT(lk_field_is_number(field));
    memcpy((uint8_t *)record + field->offset, &number, sizeof(number));
    record->present |= LK_BIT(field->number);
}

void lk_field_set_span(struct lk_record *record, const struct lk_field *field, struct lk_span span)
{
    LK_ASSERT(!lk_field_is_number(field));
    memcpy((uint8_t *)record + field->offset, &span, sizeof(span));
    record->present |= LK_BIT(field->number);
}

static const struct lk_field *kind_field(const struct lk_kind *kind, const char *name)
{
    const struct lk_field *field =
        lk_field_named(kind, (struct lk_span){(const uint8_t *)name, strlen(name)});

    LK_ASSERT(field != NULL);
    return field;
}

void lk_set_number(const struct lk_kind *kind, struct lk_record *record, const char *field,
                   uint64_t number)
{
    lk_field_set_number(record, kind_field(kind, field), number);
}

void lk_set_span(const struct lk_kind *kind, struct lk_record *record, const char *field,
                 struct lk_span span)
{
    lk_field_set_span(record, kind_field(kind, field), span);
}

void lk_set_text(const struct lk_kind *kind, struct lk_record *record, const char *field,
                 const char *text)
{
    lk_set_span(kind, record, field, (struct lk_span){(const uint8_t *)text, strlen(text)});
}
