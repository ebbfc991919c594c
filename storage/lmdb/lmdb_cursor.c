// SPDX-License-Identifier: MIT
/* lmdb_cursor.c: cursors within a prefix, both ways. */
#include "lmdb_internal.h"

#include <string.h>

/* What a cursor keeps in its `priv`. */
enum cursor_slot {
    CURSOR_MDB,    /* MDB_cursor, or NULL */
    CURSOR_SERIAL, /* of the transaction that CURSOR_MDB belongs to */
    CURSOR_PLACE,  /* 0 nowhere; else one more than the transaction's changes when it was found */
    CURSOR_WRITE   /* CURSOR_MDB ends with its transaction */
};

static void cursor_drop(struct lk_storage_cursor *cursor)
{
    MDB_cursor *mdb = cursor->priv[CURSOR_MDB];
    bool gone = cursor->priv[CURSOR_WRITE] != NULL &&
                (uintptr_t)cursor->priv[CURSOR_SERIAL] != lk_lmdb_serial(cursor->txn);
    if (mdb != NULL && !gone) {
        mdb_cursor_close(mdb);
    }
    cursor->priv[CURSOR_MDB] = NULL;
    cursor->priv[CURSOR_PLACE] = NULL;
}

int lk_lmdb_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                        struct lk_span prefix)
{
    int rc = lk_lmdb_usable(txn, prefix, true);
    if (rc != LK_OK) {
        return rc;
    }
    memset(cursor, 0, sizeof *cursor);
    cursor->txn = txn;
    cursor->prefix_size = prefix.size;
    if (prefix.size > 0) {
        memcpy(cursor->prefix, prefix.data, prefix.size);
    }
    return LK_OK;
}

void lk_lmdb_cursor_close(struct lk_storage_cursor *cursor)
{
    if (cursor->txn != NULL) {
        cursor_drop(cursor);
        cursor->txn = NULL;
    }
}

/* Makes sure of an MDB_cursor of the transaction as it is now. */
static int cursor_ready(struct lk_storage_cursor *cursor, struct lk_span key)
{
    if (cursor->txn == NULL) {
        return LK_E_STATE;
    }
    int rc = lk_lmdb_usable(cursor->txn, key, true);
    if (rc != LK_OK) {
        return rc;
    }
    uintptr_t serial = lk_lmdb_serial(cursor->txn);
    if (cursor->priv[CURSOR_MDB] != NULL && (uintptr_t)cursor->priv[CURSOR_SERIAL] == serial) {
        return LK_OK;
    }
    cursor_drop(cursor);
    MDB_cursor *mdb = NULL;
    rc = lk_lmdb_error(mdb_cursor_open(lk_lmdb_mdb_txn(cursor->txn),
                                       lk_lmdb_state_of(cursor->txn->storage)->dbi, &mdb));
    if (rc == LK_OK) {
        cursor->priv[CURSOR_MDB] = mdb;
        cursor->priv[CURSOR_SERIAL] = (void *)serial;
        cursor->priv[CURSOR_WRITE] = cursor->txn->mode == LK_WRITE ? cursor : NULL;
    }
    return rc;
}

/* Ends a move: what was found counts only within the prefix. */
static int cursor_found(struct lk_storage_cursor *cursor, int code, const MDB_val *key,
                        const MDB_val *data, struct lk_span *found, struct lk_span *value)
{
    cursor->priv[CURSOR_PLACE] = NULL;
    if (code != 0) {
        return lk_lmdb_error(code);
    }
    if (key->mv_size == 0 || key->mv_size > LK_KEY_MAX) {
        return LK_E_CORRUPT;
    }
    if (key->mv_size < cursor->prefix_size ||
        memcmp(key->mv_data, cursor->prefix, cursor->prefix_size) != 0) {
        return LK_E_NOT_FOUND;
    }
    cursor->priv[CURSOR_PLACE] = (void *)(lk_lmdb_changes(cursor->txn) + 1);
    if (found != NULL) {
        *found = (struct lk_span){key->mv_data, key->mv_size};
    }
    if (value != NULL) {
        *value = (struct lk_span){data->mv_data, data->mv_size};
    }
    return LK_OK;
}

/* Below, in or above the prefix's range; a key that the prefix begins with is below. */
static int cursor_side(const struct lk_storage_cursor *cursor, struct lk_span key)
{
    size_t size = key.size < cursor->prefix_size ? key.size : cursor->prefix_size;
    int rc = size > 0 ? memcmp(key.data, cursor->prefix, size) : 0;
    if (rc == 0 && key.size < cursor->prefix_size) {
        return -1;
    }
    return rc;
}

int lk_lmdb_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                 struct lk_span *value)
{
    int rc = cursor_ready(cursor, key);
    if (rc != LK_OK) {
        return rc;
    }
    MDB_val k = {0, NULL};
    MDB_val v = {0, NULL};
    uint8_t from[LK_KEY_MAX];
    if (cursor_side(cursor, key) < 0) {
        memcpy(from, cursor->prefix, cursor->prefix_size);
        k = (MDB_val){cursor->prefix_size, from};
    } else if (key.size > 0) {
        memcpy(from, key.data, key.size);
        k = (MDB_val){key.size, from};
    }
    int code =
        mdb_cursor_get(cursor->priv[CURSOR_MDB], &k, &v, k.mv_size > 0 ? MDB_SET_RANGE : MDB_FIRST);
    return cursor_found(cursor, code, &k, &v, found, value);
}

/* The first key after all that begin with the prefix; its size, 0 where there is none. */
static size_t cursor_after(const struct lk_storage_cursor *cursor, uint8_t out[LK_KEY_MAX])
{
    size_t size = cursor->prefix_size;
    while (size > 0 && cursor->prefix[size - 1] == 0xFF) {
        size--;
    }
    if (size > 0) {
        memcpy(out, cursor->prefix, size);
        out[size - 1]++;
    }
    return size;
}

int lk_lmdb_seek_before(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                        struct lk_span *value)
{
    int rc = cursor_ready(cursor, key);
    if (rc != LK_OK) {
        return rc;
    }
    uint8_t limit[LK_KEY_MAX];
    size_t limit_size;
    int side = key.size == 0 ? 1 : cursor_side(cursor, key);
    if (side < 0) {
        cursor->priv[CURSOR_PLACE] = NULL;
        return LK_E_NOT_FOUND;
    }
    if (side > 0) {
        limit_size = cursor_after(cursor, limit);
    } else {
        limit_size = key.size;
        memcpy(limit, key.data, key.size);
    }
    MDB_cursor *mdb = cursor->priv[CURSOR_MDB];
    MDB_val k = {limit_size, limit};
    MDB_val v = {0, NULL};
    int code = MDB_NOTFOUND;
    if (limit_size > 0) {
        code = mdb_cursor_get(mdb, &k, &v, MDB_SET_RANGE);
    }
    if (code == 0) {
        code = mdb_cursor_get(mdb, &k, &v, MDB_PREV);
    } else if (code == MDB_NOTFOUND) {
        code = mdb_cursor_get(mdb, &k, &v, MDB_LAST);
    }
    return cursor_found(cursor, code, &k, &v, found, value);
}

static int cursor_move(struct lk_storage_cursor *cursor, MDB_cursor_op op, struct lk_span *found,
                       struct lk_span *value)
{
    int rc = cursor_ready(cursor, (struct lk_span){NULL, 0});
    if (rc != LK_OK) {
        return rc;
    }
    if ((uintptr_t)cursor->priv[CURSOR_PLACE] != lk_lmdb_changes(cursor->txn) + 1) {
        return LK_E_STATE;
    }
    MDB_val k = {0, NULL};
    MDB_val v = {0, NULL};
    int code = mdb_cursor_get(cursor->priv[CURSOR_MDB], &k, &v, op);
    return cursor_found(cursor, code, &k, &v, found, value);
}

int lk_lmdb_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return cursor_move(cursor, MDB_NEXT, found, value);
}

int lk_lmdb_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return cursor_move(cursor, MDB_PREV, found, value);
}
