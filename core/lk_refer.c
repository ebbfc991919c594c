// SPDX-License-Identifier: MIT
/*
 * lk_refer.c: references between records: what they point to must be there, and (RESTRICT) what is
 * pointed to must stay.
 */
#include "lk_engine.h"

static int refer_target(struct lk_txn *txn, const struct lk_change *change,
                        const struct lk_field *field, uint32_t number)
{
    const struct lk_kind *target = lk_store_kind_numbered(txn->store, field->target);
    struct lk_id id = {change->id.tenant, 0, number};
    union lk_any_record *found = &lk_work(txn)->extra[0];
    char text[24];
    int error, size;

    if (!target) {
        return LK_E_ARGUMENT;
    }
    if (target->shape == LK_SHAPE_USER) {
        id = (struct lk_id){change->id.tenant, number, 0};
    }
    error = number ? lk_get(txn, target, id, &found->record) : LK_E_NOT_FOUND;
    if (error != LK_E_NOT_FOUND) {
        return error;
    }
    size = lk_uint_format(number, text, sizeof(text));
    return lk_refuse(txn, LK_E_REFERENCE, change->kind, field->name,
                     (struct lk_span){(const uint8_t *)text, size > 0 ? (size_t)size : 0},
                     "refers to nothing");
}

int lk_refer_check(struct lk_txn *txn, const struct lk_change *change)
{
    const struct lk_kind *kind = change->kind;
    size_t i;
    int error = 0;

    for (i = 0; !error && i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];
        /* What a removed record needs may have gone meanwhile. */
        bool due = (change->changed >> field->number) & 1 ||
                   (change->operation == LK_RESTORE && field->on_delete == LK_RESTRICT);

        if (!due || !LK_HAS(change->after, field->number)) {
            continue;
        }
        if (field->type == LK_REF) {
            error =
                refer_target(txn, change, field, (uint32_t)lk_field_number(change->after, field));
        } else if (field->type == LK_REFS) {
            struct lk_refs refs;
            uint32_t number;

            lk_refs_begin(&refs, lk_field_span(change->after, field));
            while (!error && lk_refs_next(&refs, &number)) {
                error = refer_target(txn, change, field, number);
            }
        }
    }
    return error;
}

static int refer_refuse(struct lk_txn *txn, const struct lk_change *change,
                        const struct lk_kind *from, struct lk_id by)
{
    int error =
        lk_refuse(txn, LK_E_REFERENCE, change->kind, from->name, LK_TEXT(""), "still refers to it");

    txn->problem.id = by;
    return error;
}

/* Looks for a record of `from` that refers to job's by `field`, which must be kept. */
static int refer_restricted_by(struct lk_txn *txn, const struct lk_change *change,
                               const struct lk_kind *from, const struct lk_field *field)
{
    uint32_t number = change->kind->shape == LK_SHAPE_USER ? change->id.user : change->id.sub;
    union lk_any_record *record = &lk_work(txn)->extra[0];
    struct lk_list list = {.kind = from, .scope = {change->id.tenant, 0, 0}};
    int error = lk_list_begin(txn, &list);

    while (!error) {
        error = lk_list_next(&list, &record->record);
        if (!error &&
            (field->type == LK_REF ? LK_HAS(&record->record, field->number) &&
                                         lk_field_number(&record->record, field) == number
                                   : lk_refs_hold(lk_field_span(&record->record, field), number))) {
            error = refer_refuse(txn, change, from, record->record.id);
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_refer_restricted(struct lk_txn *txn, const struct lk_change *change)
{
    const struct lk_kind *const *lists[2] = {lk_kinds, txn->store->kinds};
    size_t i, f;
    int error;

    for (i = 0; i < LK_COUNT(lists); i++) {
        const struct lk_kind *const *at;

        for (at = lists[i]; at && *at; at++) {
            for (f = 0; f < (*at)->field_count; f++) {
                const struct lk_field *field = &(*at)->fields[f];

                if ((field->type == LK_REF || field->type == LK_REFS) &&
                    field->target == change->kind->number && field->on_delete == LK_RESTRICT) {
                    error = refer_restricted_by(txn, change, *at, field);
                    if (error) {
                        return error;
                    }
                }
            }
        }
    }
    return 0;
}

/* Whom a new record belongs to must be there: restoring, even if removed. */
int lk_refer_owner(struct lk_txn *txn, const struct lk_change *change, bool removed_too)
{
    struct lk_id id = change->id;
    union lk_any_record *owner = &lk_work(txn)->extra[0];
    const struct lk_kind *kind = &lk_kind_tenant;
    int error;

    if (change->kind->shape == LK_SHAPE_TENANT) {
        return 0;
    }
    if (change->kind->shape == LK_SHAPE_OF_USER || change->kind->shape == LK_SHAPE_ONE_A_USER) {
        kind = &lk_kind_user;
    } else {
        id.user = 0;
    }
    id.sub = 0;
    error = removed_too ? lk_get_deleted(txn, kind, id, &owner->record)
                        : lk_get(txn, kind, id, &owner->record);
    return error == LK_E_NOT_FOUND ? lk_refuse(txn, LK_E_REFERENCE, change->kind, kind->name,
                                               LK_TEXT(""), "does not exist")
                                   : error;
}
