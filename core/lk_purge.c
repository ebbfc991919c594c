// SPDX-License-Identifier: MIT
/*
 * lk_purge.c: all records of a user or of a tenant, for good.
 */
#include "lk_engine.h"

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
            /* A damaged record is taken away all the same; verify finds entries it leaves. */
            if (error != LK_E_CORRUPT) {
                continue;
            }
        }
        error = ops->remove(&txn->storage, lk_key_span(&key));
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
    return error;
}
