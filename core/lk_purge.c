// SPDX-License-Identifier: MIT
/*
 * lk_purge.c: all records of a user or of a tenant, for good.
 */
#include "lk_engine.h"

/* Takes every entry of an index away that names a record. */
static int purge_index(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_index *index,
                       struct lk_id id)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span found, value;
    struct lk_key prefix, at = {.size = 0};
    struct lk_id named;
    int error;

    lk_key_index_prefix(&prefix, index,
                        kind->shape == LK_SHAPE_TENANT ? LK_STORE_TENANT : id.tenant);
    error = lk_cursor_begin(txn, &cursor, &prefix);
    while (!error) {
        error = ops->seek(&cursor, lk_key_span(&at), &found, &value);
        if (!error && lk_span_equal(found, lk_key_span(&at))) {
            error = ops->next(&cursor, &found, &value);
        }
        if (error) {
            break;
        }
        at.size = 0;
        lk_key_put_bytes(&at, found);
        /* All kinds share the index of removed records: its entries tell the kind first. */
        if (index == &lk_index_deleted &&
            (found.size <= prefix.size || found.data[prefix.size] != kind->number)) {
            continue;
        }
        if (!lk_index_entry_id(kind, index, found, value, &named) && named.tenant == id.tenant &&
            named.user == id.user && named.sub == id.sub) {
            lk_cursor_end(&cursor);
            error = ops->remove(&txn->storage, lk_key_span(&at));
            error = error ? error : lk_cursor_begin(txn, &cursor, &prefix);
        }
    }
    lk_cursor_end(&cursor);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* A damaged record does not tell which entries are its own: they are looked for. */
int lk_purge_entries(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id)
{
    size_t i;
    int error = kind->flags & LK_K_SOFT_DELETE ? purge_index(txn, kind, &lk_index_deleted, id) : 0;

    for (i = 0; !error && i < kind->index_count; i++) {
        error = purge_index(txn, kind, &kind->indexes[i], id);
    }
    return error;
}

/* One class of a user, or (user 0) everything under a tenant's number, index entries included. */
static int purge_prefix(struct lk_txn *txn, const struct lk_key *prefix)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span found, value;
    struct lk_key key;
    int error = 0;

    while (!error) {
        const struct lk_kind *kind;
        struct lk_id id;

        error = lk_cursor_begin(txn, &cursor, prefix);
        if (!error) {
            error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &found, &value);
        }
        if (!error) {
            key.size = 0;
            lk_key_put_bytes(&key, found);
        }
        lk_cursor_end(&cursor);
        if (error) {
            break;
        }
        if (!lk_key_parse(txn->store, lk_key_span(&key), &kind, &id) && kind->index_count) {
            error = lk_drop(txn, kind, id);
            /* A damaged record is taken away all the same. */
            if (error != LK_E_CORRUPT) {
                continue;
            }
            error = lk_purge_entries(txn, kind, id);
        }
        if (!error) {
            error = ops->remove(&txn->storage, lk_key_span(&key));
        }
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_purge_range(struct lk_txn *txn, uint32_t tenant, uint32_t user)
{
    struct lk_key prefix;
    uint8_t class_;
    int error = 0;

    if (!user) {
        prefix.size = 0;
        lk_key_put_number(&prefix, tenant);
        return purge_prefix(txn, &prefix);
    }
    for (class_ = 1; !error && class_ <= 3; class_++) {
        prefix.size = 0;
        lk_key_put_number(&prefix, tenant);
        lk_key_put_byte(&prefix, class_);
        lk_key_put_number(&prefix, user);
        error = purge_prefix(txn, &prefix);
    }
    /* The key of what the audit has of the user went with the rest. */
    lk_trace_forget(txn);
    return error;
}
