// SPDX-License-Identifier: MIT
/*
 * lk_list.c: pages of records, by id or by any index, in both directions.
 *
 * A list stands on a key, not on a cursor, between calls for the next record: computing fields and
 * other calls on the transaction may come between. Its cursor text holds the key without the
 * tenant.
 */
#include "lk_engine.h"

/* The kind whose records an index of `kind` names: itself, or for an index kept beside the user. */
static const struct lk_kind *list_entry_kind(const struct lk_list *list)
{
    size_t i;

    if (!list->index || list->index == &lk_index_deleted) {
        return list->kind;
    }
    for (i = 0; i < list->kind->index_count; i++) {
        if (&list->kind->indexes[i] == list->index) {
            return list->kind;
        }
    }
    return &lk_kind_activity;
}

static bool list_by_key(const struct lk_list *list)
{
    return !list->index;
}

static void list_prefix(const struct lk_list *list, struct lk_key *prefix)
{
    const struct lk_kind *kind = list->kind;

    prefix->size = 0;
    if (list->index) {
        lk_key_index_prefix(prefix, list->index, list->scope.tenant);
        if (list->index == &lk_index_deleted) {
            lk_key_put_byte(prefix, kind->number);
        } else if (list->index->flags & LK_I_USER && list->scope.user) {
            lk_key_put_number(prefix, list->scope.user);
        }
        return;
    }
    if (kind->shape == LK_SHAPE_TENANT) {
        return;
    }
    lk_key_put_number(prefix, list->scope.tenant);
    lk_key_put_byte(prefix, kind->class_);
    if (kind->class_ == 0) {
        lk_key_put_number(prefix, 0);
        lk_key_put_byte(prefix, kind->number);
    } else if (list->scope.user) {
        lk_key_put_number(prefix, list->scope.user);
        lk_key_put_byte(prefix, kind->number);
    }
}

/* Tenants' records lie far apart: from a key of another kind, goes to where the next one may be. */
static void list_jump(struct lk_list *list, const struct lk_id *at)
{
    struct lk_key key;
    size_t size;
    bool behind;

    if (list->kind->shape != LK_SHAPE_TENANT) {
        return;
    }
    /* No key begins as a tenant's record does: the first bytes tell on which side this one lies. */
    lk_key_record(&key, list->kind, (struct lk_id){at->tenant, 0, 0});
    size = list->key_size < key.size ? list->key_size : key.size;
    behind = memcmp(list->key, key.data, size) > 0;
    if (behind != list->reverse) {
        /* Away from it: to the first key of the next tenant, or before the first of this one. */
        key.size = 0;
        lk_key_put_number(&key, (uint64_t)at->tenant + (list->reverse ? 0 : 1));
    } else if (list->reverse) {
        lk_key_put_byte(&key, 0);
    }
    list->inclusive = !list->reverse;
    list->standing = false;
    memcpy(list->key, key.data, key.size);
    list->key_size = key.size;
}

int lk_list_reopen(struct lk_list *list)
{
    struct lk_key prefix;

    list->standing = false;
    list_prefix(list, &prefix);
    return lk_cursor_begin(list->txn, &list->cursor, &prefix);
}

static uint8_t list_tag(const struct lk_list *list)
{
    return list->index ? list->index->number : 0;
}

/* Puts the list after the place that a cursor's text names. */
static int list_resume(struct lk_list *list)
{
    uint8_t bytes[LK_CURSOR_SIZE];
    struct lk_span text = {(const uint8_t *)list->after, strlen(list->after)};
    struct lk_key prefix;
    size_t size;

    list_prefix(list, &prefix);
    if (lk_base64url_decode(text, bytes, sizeof(bytes), &size) || size < 3 ||
        bytes[0] != list->kind->number || bytes[1] != list_tag(list) ||
        size - 2 > LK_KEY_MAX - prefix.size) {
        return lk_refuse(list->txn, LK_E_USAGE, list->kind, "after", text,
                         "is not a cursor of this list");
    }
    lk_key_put_bytes(&prefix, (struct lk_span){bytes + 2, size - 2});
    memcpy(list->key, prefix.data, prefix.size);
    list->key_size = prefix.size;
    list->started = true;
    return 0;
}

int lk_list_begin(struct lk_txn *txn, struct lk_list *list)
{
    size_t i;
    int error = 0;

    if (!txn->open) {
        return LK_E_STATE;
    }
    list->txn = txn;
    list->cursor.txn = NULL;
    list->started = list->done = list->inclusive = false;
    list->key_size = 0;
    if (list->deleted && !list->index) {
        list->index = &lk_index_deleted;
    }
    if (list->index && !lk_index_kept(txn->store, list->index)) {
        return lk_refuse(txn, LK_E_UNSUPPORTED, list->kind, list->index->name, LK_TEXT(""),
                         "is an index that this store was made without");
    }
    for (i = 0; i < list->filter_count; i++) {
        if (list->filters[i].field->flags & LK_F_COMPUTED) {
            list->computed = true;
        }
    }
    if (list->after && list->after[0]) {
        error = list_resume(list);
    }
    return error ? error : lk_list_reopen(list);
}

static bool list_filter_holds(const struct lk_filter *filter, const struct lk_record *record)
{
    const struct lk_field *field = filter->field;
    struct lk_span span;

    if (lk_field_is_number(field)) {
        /* Absent numbers read as their default; a computed one may be missing altogether. */
        return lk_field_number(record, field) == filter->number;
    }
    span = lk_field_span(record, field);
    if (field->type == LK_REFS) {
        return lk_refs_hold(span, (uint32_t)filter->number);
    }
    return field->flags & LK_F_FOLD ? lk_text_equal_fold(span, filter->span)
                                    : lk_span_equal(span, filter->span);
}

static bool list_filters_hold(const struct lk_list *list, const struct lk_record *record)
{
    size_t i;

    for (i = 0; i < list->filter_count; i++) {
        if (!list_filter_holds(&list->filters[i], record)) {
            return false;
        }
    }
    return true;
}

static int list_step(struct lk_list *list, struct lk_span *key, struct lk_span *value)
{
    const struct lk_storage_ops *ops = list->txn->store->storage->ops;
    struct lk_span at = {list->key, list->key_size};
    int error;

    if (list->standing) {
        error = list->reverse ? ops->prev(&list->cursor, key, value)
                              : ops->next(&list->cursor, key, value);
    } else if (!list->started) {
        struct lk_span none = {NULL, 0};

        error = list->reverse ? ops->seek_before(&list->cursor, none, key, value)
                              : ops->seek(&list->cursor, none, key, value);
    } else if (list->reverse) {
        error = ops->seek_before(&list->cursor, at, key, value);
    } else {
        error = ops->seek(&list->cursor, at, key, value);
        if (!error && !list->inclusive && lk_span_equal(*key, at)) {
            error = ops->next(&list->cursor, key, value);
        }
    }
    list->inclusive = false;
    /* A cursor keeps its place as long as nobody writes. */
    list->standing = !error && list->txn->mode == LK_READ;
    if (!error) {
        list->started = true;
        memcpy(list->key, key->data, key->size);
        list->key_size = key->size;
    }
    return error;
}

/* The record that the key just met stands for. LK_E_NOT_FOUND: none of ours, go on. */
static int list_load(struct lk_list *list, struct lk_span value, struct lk_record *record)
{
    struct lk_txn *txn = list->txn;
    struct lk_span key = {list->key, list->key_size};
    const struct lk_kind *kind = list_entry_kind(list);
    struct lk_span cbor;
    struct lk_id id;
    int error;

    record->id = (struct lk_id){0, 0, 0};
    if (!list_by_key(list)) {
        struct lk_activity beside;
        struct lk_record *entry = kind == list->kind ? record : &beside.record;

        error = lk_index_entry_id(kind, list->index, key, value, &id);
        if (error) {
            return error;
        }
        /* Index entries carry no checksum: the record must bear them out. */
        error = lk_record_load(txn, kind, id, entry);
        if (error || !lk_index_has(txn->store, kind, entry, key)) {
            /* The entry may be what is damaged: no record is named. */
            record->id = (struct lk_id){0, 0, 0};
            return error && error != LK_E_NOT_FOUND ? error : LK_E_CORRUPT;
        }
        /* What is unique over the store lies side by side: others' are not there for this list. */
        if (kind->shape != LK_SHAPE_TENANT && id.tenant != list->scope.tenant) {
            return LK_E_NOT_FOUND;
        }
        if (kind != list->kind) {
            id = (struct lk_id){id.tenant, id.user, 0};
            return lk_get(txn, list->kind, id, record);
        }
        return 0;
    }
    error = lk_key_parse(txn->store, key, &kind, &id);
    if (error || kind != list->kind) {
        /* Index entries and the store's two bare records are nobody's kind. */
        if (!error) {
            list_jump(list, &id);
        }
        return LK_E_NOT_FOUND;
    }
    record->id = id;
    error = lk_value_open(txn->store, key, value, &cbor);
    if (error) {
        return error;
    }
    error = lk_record_decode(kind, cbor, record);
    if (!error && kind->flags & LK_K_SOFT_DELETE && LK_HAS(record, 5)) {
        return LK_E_NOT_FOUND;
    }
    return error;
}

int lk_list_next(struct lk_list *list, struct lk_record *record)
{
    struct lk_span key, value;
    int error;

    if (list->done) {
        return LK_E_NOT_FOUND;
    }
    for (;;) {
        error = list_step(list, &key, &value);
        if (error) {
            record->id = (struct lk_id){0, 0, 0};
            list->done = true;
            return error;
        }
        error = list_load(list, value, record);
        if (error == LK_E_NOT_FOUND) {
            continue;
        }
        if (error) {
            return error;
        }
        if (list->computed) {
            struct lk_id id = record->id;

            error = list->deleted ? 0 : lk_get_computed(list->txn, list->kind, id, record);
            if (error) {
                return error;
            }
        }
        if (list_filters_hold(list, record)) {
            return 0;
        }
    }
}

int lk_list_cursor(const struct lk_list *list, char cursor[LK_CURSOR_SIZE])
{
    uint8_t bytes[2 + LK_KEY_MAX];
    struct lk_key prefix;
    size_t size;
    int error;

    if (!list->started) {
        return LK_E_STATE;
    }
    list_prefix(list, &prefix);
    size = list->key_size - prefix.size;
    bytes[0] = list->kind->number;
    bytes[1] = list_tag(list);
    memcpy(bytes + 2, list->key + prefix.size, size);
    error = lk_base64url_encode((struct lk_span){bytes, 2 + size}, cursor, LK_CURSOR_SIZE);
    return error < 0 ? error : 0;
}

void lk_list_end(struct lk_list *list)
{
    lk_cursor_end(&list->cursor);
    list->cursor.txn = NULL;
}
