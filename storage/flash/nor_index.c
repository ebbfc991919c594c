// SPDX-License-Identifier: MIT
/*
 * nor_index.c: positions in the order of their keys, and the tallies.
 *
 * The committed entries are at the start of the index, those of the open batch at its end. An abort
 * forgets the latter; a commit moves them over one by one, which takes no more room.
 */
#include "nor_internal.h"

#define INDEX_PIECE 16u

static uint8_t *index_slot(const struct lk_nor *nor, uint32_t i)
{
    return (uint8_t *)nor->config->index + (size_t)i * (nor->narrow ? 2u : 4u);
}

static uint32_t index_get(const struct lk_nor *nor, uint32_t i)
{
    const uint8_t *slot = index_slot(nor, i);
    uint32_t steps = (uint32_t)slot[0] | (uint32_t)slot[1] << 8;
    if (!nor->narrow) {
        steps = nor_get32(slot);
    }
    return steps * nor->step;
}

static void index_set(struct lk_nor *nor, uint32_t i, uint32_t at)
{
    uint8_t *slot = index_slot(nor, i);
    uint32_t steps = at >> (nor->step == 4 ? 2 : (nor->step == 8 ? 3 : 4));
    if (nor->narrow) {
        slot[0] = (uint8_t)steps;
        slot[1] = (uint8_t)(steps >> 8);
    } else {
        nor_set32(slot, steps);
    }
}

static void index_shift(struct lk_nor *nor, uint32_t from, uint32_t to, uint32_t count)
{
    size_t width = nor->narrow ? 2u : 4u;
    memmove(index_slot(nor, to), index_slot(nor, from), count * width);
}

uint32_t lk_nor_main(const struct lk_nor *nor, uint32_t i)
{
    return index_get(nor, i);
}

uint32_t lk_nor_pending(const struct lk_nor *nor, uint32_t i)
{
    return index_get(nor, nor->index_max - nor->pending_count + i);
}

/* As memcmp of the frame's key and the other, a prefix before what it is a prefix of. */
static int index_compare(const struct lk_nor *nor, uint32_t at, struct lk_span key, int *order)
{
    struct nor_frame frame;
    uint8_t buffer[INDEX_PIECE];
    int rc = lk_nor_frame_at(nor, at, &frame);
    if (rc != LK_OK) {
        return rc;
    }
    uint32_t size = frame.key_size < key.size ? frame.key_size : (uint32_t)key.size;
    *order = (int)frame.key_size - (int)key.size;
    for (uint32_t done = 0; done < size; done += INDEX_PIECE) {
        uint32_t piece = size - done < INDEX_PIECE ? size - done : INDEX_PIECE;
        const uint8_t *bytes = lk_nor_view(nor, nor_key_at(&frame) + done, buffer, piece);
        if (bytes == NULL) {
            return LK_E_IO;
        }
        int differs = memcmp(bytes, key.data + done, piece);
        if (differs != 0) {
            *order = differs;
            return LK_OK;
        }
    }
    return LK_OK;
}

int lk_nor_find(const struct lk_nor *nor, bool pending, struct lk_span key, uint32_t *index,
                bool *same)
{
    uint32_t low = 0;
    uint32_t high = pending ? nor->pending_count : nor->main_count;
    *same = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t at = pending ? lk_nor_pending(nor, middle) : index_get(nor, middle);
        int order;
        int rc = index_compare(nor, at, key, &order);
        if (rc != LK_OK) {
            return rc;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *same = *same || order == 0;
        }
    }
    *index = low;
    return LK_OK;
}

int lk_nor_key(const struct lk_nor *nor, const struct nor_frame *frame, uint8_t *buffer,
               struct lk_span *key)
{
    key->data = lk_nor_view(nor, nor_key_at(frame), buffer, frame->key_size);
    key->size = frame->key_size;
    return key->data != NULL ? LK_OK : LK_E_IO;
}

/* What the entry had is no longer live. */
static int index_drop(struct lk_nor *nor, uint32_t index)
{
    struct nor_frame old;
    int rc = lk_nor_frame_at(nor, index_get(nor, index), &old);
    if (rc == LK_OK) {
        nor->live_bytes -= old.size;
        nor->dead_bytes += old.size;
        nor->dirty = true;
        lk_nor_tally_forget(nor, old.at);
    }
    return rc;
}

int lk_nor_index_apply(struct lk_nor *nor, const struct nor_frame *frame)
{
    uint8_t buffer[LK_KEY_MAX];
    struct lk_span key;
    uint32_t index = 0;
    bool same;
    int rc = lk_nor_key(nor, frame, buffer, &key);
    if (rc == LK_OK) {
        rc = lk_nor_find(nor, false, key, &index, &same);
    }
    if (rc == LK_OK && same) {
        rc = index_drop(nor, index);
    }
    if (rc != LK_OK) {
        return rc;
    }
    if (nor_is_remove(frame->type)) {
        if (same) {
            nor->main_count--;
            index_shift(nor, index + 1, index, nor->main_count - index);
        }
        return LK_OK;
    }
    if (!same) {
        if (nor->main_count + nor->pending_count >= nor->index_max) {
            return LK_E_SPACE;
        }
        index_shift(nor, index, index + 1, nor->main_count - index);
        nor->main_count++;
    }
    index_set(nor, index, frame->at);
    nor->live_bytes += frame->size;
    return LK_OK;
}

int lk_nor_index_pend(struct lk_nor *nor, struct lk_span key, uint32_t at)
{
    uint32_t index = 0;
    bool same;
    int rc = lk_nor_find(nor, true, key, &index, &same);
    if (rc != LK_OK) {
        return rc;
    }
    if (!same) {
        if (nor->main_count + nor->pending_count >= nor->index_max) {
            return LK_E_FULL;
        }
        uint32_t start = nor->index_max - nor->pending_count;
        index_shift(nor, start, start - 1, index);
        nor->pending_count++;
    }
    index_set(nor, nor->index_max - nor->pending_count + index, at);
    return LK_OK;
}

void lk_nor_index_move(struct lk_nor *nor, uint32_t index, uint32_t at)
{
    index_set(nor, index, at);
}

int lk_nor_index_of(const struct lk_nor *nor, const struct nor_frame *frame, uint32_t *index)
{
    uint8_t buffer[LK_KEY_MAX];
    struct lk_span key;
    bool same;
    int rc = lk_nor_key(nor, frame, buffer, &key);
    if (rc == LK_OK) {
        rc = lk_nor_find(nor, false, key, index, &same);
    }
    return rc == LK_OK ? (same && index_get(nor, *index) == frame->at ? 1 : 0) : rc;
}

int lk_nor_index_commit(struct lk_nor *nor)
{
    int rc = LK_OK;
    while (nor->pending_count > 0 && rc == LK_OK) {
        struct nor_frame frame;
        rc = lk_nor_frame_at(nor, lk_nor_pending(nor, 0), &frame);
        nor->pending_count--;
        if (rc == LK_OK) {
            rc = lk_nor_index_apply(nor, &frame);
        }
    }
    return rc;
}

int lk_nor_lookup(struct lk_nor *nor, struct lk_span key, struct nor_frame *frame)
{
    uint32_t index = 0;
    bool same = false;
    int rc = LK_OK;
    if (nor->pending_count > 0) {
        rc = lk_nor_find(nor, true, key, &index, &same);
        if (rc == LK_OK && same) {
            rc = lk_nor_frame_at(nor, lk_nor_pending(nor, index), frame);
            return rc == LK_OK ? !nor_is_remove(frame->type) : rc;
        }
    }
    if (rc == LK_OK) {
        rc = lk_nor_find(nor, false, key, &index, &same);
    }
    if (rc != LK_OK || !same) {
        return rc;
    }
    rc = lk_nor_frame_at(nor, index_get(nor, index), frame);
    return rc == LK_OK ? 1 : rc;
}

uint32_t lk_nor_tally_of(const struct lk_nor *nor, uint32_t at)
{
    for (size_t i = 0; i < LK_NOR_TALLY_MAX; i++) {
        if (nor->tallies[i].at == at) {
            return nor->tallies[i].count;
        }
    }
    return 0;
}

int lk_nor_tally_set(struct lk_nor *nor, uint32_t at, uint32_t count)
{
    size_t place = LK_NOR_TALLY_MAX;
    for (size_t i = 0; i < LK_NOR_TALLY_MAX; i++) {
        if (nor->tallies[i].at == at) {
            place = i;
            break;
        }
        place = nor->tallies[i].at == 0 ? i : place;
    }
    if (place == LK_NOR_TALLY_MAX) {
        return LK_E_FULL;
    }
    nor->tallies[place] = (struct lk_nor_tally){at, count};
    return LK_OK;
}

void lk_nor_tally_forget(struct lk_nor *nor, uint32_t at)
{
    for (size_t i = 0; i < LK_NOR_TALLY_MAX; i++) {
        if (nor->tallies[i].at == at) {
            nor->tallies[i] = (struct lk_nor_tally){0, 0};
        }
    }
}

int lk_nor_tally_total(const struct lk_nor *nor, const struct nor_frame *frame, uint32_t *count)
{
    uint8_t bytes[4] = {0, 0, 0, 0};
    int rc = LK_OK;
    if (frame->type == NOR_COUNTED) {
        rc = lk_nor_read(nor, frame->at + NOR_FRAME, bytes, 4);
    }
    *count = nor_get32(bytes) + lk_nor_tally_of(nor, frame->at);
    return rc;
}
