// SPDX-License-Identifier: MIT
/*
 * nor_cursor.c: walking in the order of the keys, over what is committed and what the open batch
 * has changed.
 *
 * A cursor's place is that of its key among both: `priv` holds the first entry not before it among
 * the committed, the same among the pending, the transaction's count of changes, and in which of
 * them it stands.
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
    if (nor_begin(txn->storage)->lost) {
        return LK_E_IO;
    }
    return key.size > LK_KEY_MAX ? LK_E_TOO_BIG : LK_OK;
}

int lk_nor_spans(struct lk_nor *nor, struct nor_frame *frame, struct lk_span *key,
                 struct lk_span *value)
{
    uint8_t *cache = nor->config->cache;
    if (value != NULL) {
        if (!lk_nor_frame_sum(nor, frame)) {
            return nor_answer(nor, LK_E_CORRUPT);
        }
        uint8_t *place = cache != NULL ? cache + LK_KEY_MAX : NULL;
        value->data = lk_nor_view(nor, nor_value_at(frame), place, frame->value_size);
        value->size = frame->value_size;
    }
    if (key != NULL) {
        *key = lk_nor_key(nor, frame, cache);
    }
    return nor_answer(nor, LK_OK);
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

/* Where a cursor looks: an entry among the committed, one among the pending; and which of them is
 * the one that it stands on: 1, 2 or, where both are one key's, 3. */
struct cursor_place {
    uint32_t main;
    uint32_t pending;
    uint32_t in;
};

/* Which of two entries comes first, as bits of `in`. */
static uint32_t cursor_first(struct lk_nor *nor, uint32_t main, uint32_t pending)
{
    struct nor_frame frame;
    uint32_t index = 0;
    lk_nor_entry(nor, false, main, &frame);
    bool same = lk_nor_find_frame(nor, true, &frame, &index);
    return index > pending ? 2 : (index == pending && same ? 3 : 1);
}

/* Moves to the next entry, if `forward`, else to the one before; false: none. */
static bool cursor_take(struct lk_nor *nor, bool forward, struct cursor_place *place,
                        struct nor_frame *frame)
{
    uint32_t back = forward ? 0 : 1;
    do {
        if (forward) {
            place->main += place->in & 1;
            place->pending += place->in >> 1;
        }
        /* Before the first is past the last, too. */
        uint32_t main = place->main - back;
        uint32_t pending = place->pending - back;
        uint32_t in = (main < nor->main_count ? 1u : 0u) + (pending < nor->pending_count ? 2u : 0u);
        if (in == 0) {
            return false;
        }
        if (in == 3) {
            in = cursor_first(nor, main, pending);
            in = in == 3 || forward ? in : 3 - in;
        }
        place->in = in;
        lk_nor_entry(nor, in > 1, in > 1 ? pending : main, frame);
        if (!forward) {
            place->main -= in & 1;
            place->pending -= in >> 1;
        }
    } while (nor_is_remove(frame->type));
    return true;
}

/* Stands where the place leads, if that is within the prefix. */
static int cursor_stand(struct lk_storage_cursor *cursor, bool forward, struct cursor_place place,
                        struct lk_span *found, struct lk_span *value)
{
    struct lk_nor *nor = nor_of(cursor->txn->storage);
    uint8_t buffer[LK_KEY_MAX];
    struct nor_frame frame;
    cursor->priv[3] = NULL;
    if (!cursor_take(nor, forward, &place, &frame)) {
        return nor_answer(nor, LK_E_NOT_FOUND);
    }
    struct lk_span key = lk_nor_key(nor, &frame, buffer);
    if (key.size < cursor->prefix_size ||
        memcmp(key.data, cursor->prefix, cursor->prefix_size) != 0) {
        return nor_answer(nor, LK_E_NOT_FOUND);
    }
    int rc = lk_nor_spans(nor, &frame, found, value);
    if (rc == LK_OK || rc == LK_E_CORRUPT) {
        /* One that is damaged can be walked past. */
        cursor->priv[0] = (void *)(uintptr_t)place.main;
        cursor->priv[1] = (void *)(uintptr_t)place.pending;
        cursor->priv[2] = cursor->txn->priv[1];
        cursor->priv[3] = (void *)(uintptr_t)place.in;
        cursor->at_size = frame.key_size;
    }
    return rc;
}

/* Goes to the last entry before the key, or the next one from there on. */
static int cursor_find(struct lk_storage_cursor *cursor, bool forward, struct lk_span key,
                       struct lk_span *found, struct lk_span *value)
{
    struct lk_nor *nor = nor_of(cursor->txn->storage);
    struct cursor_place place = {0, 0, 0};
    (void)lk_nor_find(nor, false, key, &place.main);
    (void)lk_nor_find(nor, true, key, &place.pending);
    return cursor_stand(cursor, forward, place, found, value);
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
    int rc = lk_nor_usable(cursor->txn, key);
    if (rc != LK_OK) {
        return rc;
    }
    struct lk_span prefix = {cursor->prefix, cursor->prefix_size};
    return cursor_find(cursor, true, cursor_compare(key, prefix) < 0 ? prefix : key, found, value);
}

int lk_nor_seek_before(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                       struct lk_span *value)
{
    int rc = lk_nor_usable(cursor->txn, key);
    if (rc != LK_OK) {
        return rc;
    }
    /* Behind every key with the prefix: longer than any, and FF where it goes on. */
    uint8_t bytes[LK_KEY_MAX + 1];
    struct lk_span end = {bytes, sizeof bytes};
    memset(bytes, 0xFF, sizeof bytes);
    memcpy(bytes, cursor->prefix, cursor->prefix_size);
    bool bounds = key.size == 0 || cursor_compare(key, end) > 0;
    return cursor_find(cursor, false, bounds ? end : key, found, value);
}

static int cursor_move(struct lk_storage_cursor *cursor, bool forward, struct lk_span *found,
                       struct lk_span *value)
{
    int rc = lk_nor_usable(cursor->txn, (struct lk_span){NULL, 0});
    if (rc != LK_OK) {
        return rc;
    }
    if (cursor->priv[3] == NULL || cursor->priv[2] != cursor->txn->priv[1]) {
        return LK_E_STATE;
    }
    struct cursor_place place = {(uint32_t)(uintptr_t)cursor->priv[0],
                                 (uint32_t)(uintptr_t)cursor->priv[1],
                                 (uint32_t)(uintptr_t)cursor->priv[3]};
    return cursor_stand(cursor, forward, place, found, value);
}

int lk_nor_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return cursor_move(cursor, true, found, value);
}

int lk_nor_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return cursor_move(cursor, false, found, value);
}
