// SPDX-License-Identifier: MIT
/*
 * nor_cursor.c: walking in the order of the keys, over what is committed and what the open batch
 * has changed.
 *
 * A cursor's place is that of its key among both: `priv` holds the first entry not before it among
 * the committed, the same among the pending, the transaction's count of changes, and whether it
 * stands.
 */
#include "nor_internal.h"

int lk_nor_usable(const struct lk_storage_txn *txn, struct lk_span key)
{
    if (txn == NULL || txn->storage == NULL) {
        return LK_E_STATE;
    }
    if (txn->failed != LK_OK) {
        return txn->failed;
    }
    if (nor_of(txn->storage)->lost) {
        return LK_E_IO;
    }
    return key.size > LK_KEY_MAX ? LK_E_TOO_BIG : LK_OK;
}

int lk_nor_spans(struct lk_nor *nor, const struct nor_frame *frame, struct lk_span *key,
                 struct lk_span *value)
{
    uint8_t *cache = nor->config->cache;
    if (value != NULL) {
        struct nor_frame whole = *frame;
        uint32_t generation = lk_nor_generation_of(nor, nor_sector_of(nor, frame->at));
        int rc = lk_nor_frame_sum(nor, generation, &whole);
        if (rc != LK_OK || !whole.sound) {
            return rc != LK_OK ? rc : LK_E_CORRUPT;
        }
        uint8_t *place = cache != NULL ? cache + LK_KEY_MAX : NULL;
        value->data = lk_nor_view(nor, nor_value_at(frame), place, frame->value_size);
        value->size = frame->value_size;
        if (value->data == NULL) {
            return LK_E_IO;
        }
    }
    return key != NULL ? lk_nor_key(nor, frame, cache, key) : LK_OK;
}

int lk_nor_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                       struct lk_span prefix)
{
    int rc = lk_nor_usable(txn, prefix);
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

void lk_nor_cursor_close(struct lk_storage_cursor *cursor)
{
    cursor->txn = NULL;
}

/* Where a cursor looks: an entry among the committed, one among the pending. */
struct cursor_place {
    uint32_t main;
    uint32_t pending;
};

/* Which of two entries comes first; 0: they are one key's. */
static int cursor_order(const struct lk_nor *nor, uint32_t main, uint32_t pending, int *order)
{
    uint8_t buffer[LK_KEY_MAX];
    struct lk_span key = {NULL, 0};
    struct nor_frame frame = {.size = 0};
    uint32_t index = 0;
    bool same;
    int rc = lk_nor_frame_at(nor, lk_nor_main(nor, main), &frame);
    if (rc == LK_OK) {
        rc = lk_nor_key(nor, &frame, buffer, &key);
    }
    if (rc == LK_OK) {
        rc = lk_nor_find(nor, true, key, &index, &same);
    }
    if (rc == LK_OK) {
        *order = index > pending ? 1 : (index == pending && same ? 0 : -1);
    }
    return rc;
}

/* The first entry at or after the place, if `forward`, else the last before it: 1, 0 none. The
 * place is then that entry's. */
static int cursor_take(const struct lk_nor *nor, bool forward, struct cursor_place *place,
                       struct nor_frame *frame)
{
    for (;;) {
        bool has_main = forward ? place->main < nor->main_count : place->main > 0;
        bool has_pending = forward ? place->pending < nor->pending_count : place->pending > 0;
        uint32_t main = forward ? place->main : place->main - 1;
        uint32_t pending = forward ? place->pending : place->pending - 1;
        int order = has_main ? -1 : 1;
        if (!has_main && !has_pending) {
            return 0;
        }
        if (has_main && has_pending) {
            int rc = cursor_order(nor, main, pending, &order);
            if (rc != LK_OK) {
                return rc;
            }
            order = forward ? order : -order;
        }
        if (!forward) {
            place->main -= order <= 0 ? 1 : 0;
            place->pending -= order >= 0 ? 1 : 0;
        }
        uint32_t at = order < 0 ? lk_nor_main(nor, main) : lk_nor_pending(nor, pending);
        int rc = lk_nor_frame_at(nor, at, frame);
        if (rc != LK_OK || !nor_is_remove(frame->type)) {
            return rc == LK_OK ? 1 : rc;
        }
        if (forward) {
            place->main += order <= 0 ? 1 : 0;
            place->pending += order >= 0 ? 1 : 0;
        }
    }
}

/* Stands where the place says, if that is within the prefix. */
static int cursor_stand(struct lk_storage_cursor *cursor, bool forward, struct cursor_place place,
                        struct lk_span *found, struct lk_span *value)
{
    struct lk_nor *nor = nor_of(cursor->txn->storage);
    uint8_t buffer[LK_KEY_MAX];
    struct lk_span key = {NULL, 0};
    struct nor_frame frame = {.size = 0};
    cursor->priv[3] = NULL;
    int rc = cursor_take(nor, forward, &place, &frame);
    if (rc != 1) {
        return rc == 0 ? LK_E_NOT_FOUND : rc;
    }
    rc = lk_nor_key(nor, &frame, buffer, &key);
    if (rc == LK_OK &&
        (key.size < cursor->prefix_size ||
         (cursor->prefix_size > 0 && memcmp(key.data, cursor->prefix, cursor->prefix_size) != 0))) {
        return LK_E_NOT_FOUND;
    }
    if (rc == LK_OK) {
        rc = lk_nor_spans(nor, &frame, found, value);
    }
    if (rc == LK_OK || rc == LK_E_CORRUPT) {
        /* One that is damaged can be walked past. */
        cursor->priv[0] = (void *)(uintptr_t)place.main;
        cursor->priv[1] = (void *)(uintptr_t)place.pending;
        cursor->priv[2] = cursor->txn->priv[1];
        cursor->priv[3] = cursor;
        cursor->at_size = frame.key_size;
    }
    return rc;
}

static int cursor_usable(const struct lk_storage_cursor *cursor, struct lk_span key)
{
    return cursor->txn != NULL ? lk_nor_usable(cursor->txn, key) : LK_E_STATE;
}

static int cursor_find(const struct lk_nor *nor, struct lk_span key, struct cursor_place *place)
{
    bool same;
    int rc = lk_nor_find(nor, false, key, &place->main, &same);
    return rc == LK_OK ? lk_nor_find(nor, true, key, &place->pending, &same) : rc;
}

static int cursor_compare(struct lk_span a, struct lk_span b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int rc = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return rc != 0 ? rc : (a.size > b.size) - (a.size < b.size);
}

int lk_nor_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                struct lk_span *value)
{
    int rc = cursor_usable(cursor, key);
    if (rc != LK_OK) {
        return rc;
    }
    struct lk_span prefix = {cursor->prefix, cursor->prefix_size};
    struct cursor_place place = {0, 0};
    rc = cursor_find(nor_of(cursor->txn->storage), cursor_compare(key, prefix) < 0 ? prefix : key,
                     &place);
    return rc == LK_OK ? cursor_stand(cursor, true, place, found, value) : rc;
}

int lk_nor_seek_before(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                       struct lk_span *value)
{
    int rc = cursor_usable(cursor, key);
    if (rc != LK_OK) {
        return rc;
    }
    struct lk_nor *nor = nor_of(cursor->txn->storage);
    uint8_t after[LK_KEY_MAX];
    size_t size = cursor->prefix_size;
    while (size > 0 && cursor->prefix[size - 1] == 0xFF) {
        size--;
    }
    if (size > 0) {
        memcpy(after, cursor->prefix, size);
        after[size - 1]++;
    }
    /* The end of the prefix's range bounds the key; no size: the range ends with the map. */
    struct lk_span end = {after, size};
    if (key.size == 0 || (size > 0 && cursor_compare(key, end) > 0)) {
        key = end;
    }
    struct cursor_place place = {nor->main_count, nor->pending_count};
    if (key.size > 0) {
        rc = cursor_find(nor, key, &place);
    }
    return rc == LK_OK ? cursor_stand(cursor, false, place, found, value) : rc;
}

static int cursor_move(struct lk_storage_cursor *cursor, bool forward, struct lk_span *found,
                       struct lk_span *value)
{
    int rc = cursor_usable(cursor, (struct lk_span){NULL, 0});
    if (rc != LK_OK) {
        return rc;
    }
    if (cursor->priv[3] == NULL || cursor->priv[2] != cursor->txn->priv[1]) {
        return LK_E_STATE;
    }
    const struct lk_nor *nor = nor_of(cursor->txn->storage);
    struct cursor_place place = {(uint32_t)(uintptr_t)cursor->priv[0],
                                 (uint32_t)(uintptr_t)cursor->priv[1]};
    if (forward) {
        /* Past the entry it stands on, which may be there among both. */
        int order = place.main < nor->main_count ? -1 : 1;
        if (place.main < nor->main_count && place.pending < nor->pending_count) {
            rc = cursor_order(nor, place.main, place.pending, &order);
        }
        place.main += order <= 0 ? 1 : 0;
        place.pending += order >= 0 ? 1 : 0;
    }
    return rc == LK_OK ? cursor_stand(cursor, forward, place, found, value) : rc;
}

int lk_nor_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return cursor_move(cursor, true, found, value);
}

int lk_nor_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return cursor_move(cursor, false, found, value);
}
