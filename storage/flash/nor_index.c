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
        steps |= (uint32_t)slot[2] << 16 | (uint32_t)slot[3] << 24;
    }
    return steps * nor->step;
}

void lk_nor_index_set(struct lk_nor *nor, uint32_t i, uint32_t at)
{
    uint8_t *slot = index_slot(nor, i);
    uint32_t steps = at / nor->step;
    slot[0] = (uint8_t)steps;
    slot[1] = (uint8_t)(steps >> 8);
    if (!nor->narrow) {
        slot[2] = (uint8_t)(steps >> 16);
        slot[3] = (uint8_t)(steps >> 24);
    }
}

static void index_shift(struct lk_nor *nor, uint32_t from, uint32_t to, uint32_t count)
{
    size_t width = nor->narrow ? 2u : 4u;
    memmove(index_slot(nor, to), index_slot(nor, from), count * width);
}

uint32_t lk_nor_at(const struct lk_nor *nor, bool pending, uint32_t i)
{
    return index_get(nor, pending ? nor->index_max - nor->pending_count + i : i);
}

int lk_nor_entry(const struct lk_nor *nor, bool pending, uint32_t i, struct nor_frame *frame)
{
    return lk_nor_frame_at(nor, lk_nor_at(nor, pending, i), frame);
}

/* As memcmp of the frame's key and the other, a prefix before what it is a prefix of. */
static int index_compare(const struct lk_nor *nor, const struct nor_frame *frame,
                         struct lk_span key, int *order)
{
    uint8_t buffer[INDEX_PIECE];
    uint32_t size = frame->key_size < key.size ? frame->key_size : (uint32_t)key.size;
    *order = (int)frame->key_size - (int)key.size;
    for (uint32_t done = 0; done < size; done += INDEX_PIECE) {
        uint32_t piece = size - done < INDEX_PIECE ? size - done : INDEX_PIECE;
        const uint8_t *bytes = lk_nor_view(nor, nor_key_at(frame) + done, buffer, piece);
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

int lk_nor_find(const struct lk_nor *nor, bool pending, struct lk_span key, uint32_t *index)
{
    uint32_t low = 0;
    uint32_t high = pending ? nor->pending_count : nor->main_count;
    int same = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct nor_frame frame;
        int order = 0;
        int rc = lk_nor_entry(nor, pending, middle, &frame);
        rc = rc == LK_OK ? index_compare(nor, &frame, key, &order) : rc;
        if (rc != LK_OK) {
            return rc;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            same |= order == 0;
        }
    }
    *index = low;
    return same;
}

int lk_nor_key(const struct lk_nor *nor, const struct nor_frame *frame, uint8_t *buffer,
               struct lk_span *key)
{
    key->data = lk_nor_view(nor, nor_key_at(frame), buffer, frame->key_size);
    key->size = frame->key_size;
    return key->data != NULL ? LK_OK : LK_E_IO;
}

int lk_nor_find_frame(const struct lk_nor *nor, bool pending, const struct nor_frame *frame,
                      uint32_t *index)
{
    uint8_t buffer[LK_KEY_MAX];
    struct lk_span key;
    int rc = lk_nor_key(nor, frame, buffer, &key);
    return rc == LK_OK ? lk_nor_find(nor, pending, key, index) : rc;
}

int lk_nor_index_apply(struct lk_nor *nor, const struct nor_frame *frame)
{
    struct nor_frame old;
    uint32_t index = 0;
    int same = lk_nor_find_frame(nor, false, frame, &index);
    int rc = same == 1 ? lk_nor_entry(nor, false, index, &old) : same;
    if (rc != LK_OK) {
        return rc;
    }
    if (same == 1) {
        nor->live_bytes -= old.size;
        nor->dead_bytes += old.size;
        nor->dirty = true;
        lk_nor_tally_forget(nor, old.at);
    }
    if (nor_is_remove(frame->type)) {
        if (same == 1) {
            nor->main_count--;
            index_shift(nor, index + 1, index, nor->main_count - index);
        }
        return LK_OK;
    }
    if (same == 0) {
        if (nor->main_count + nor->pending_count >= nor->index_max) {
            return LK_E_SPACE;
        }
        index_shift(nor, index, index + 1, nor->main_count - index);
        nor->main_count++;
    }
    lk_nor_index_set(nor, index, frame->at);
    nor->live_bytes += frame->size;
    return LK_OK;
}

int lk_nor_index_pend(struct lk_nor *nor, struct lk_span key, uint32_t at)
{
    uint32_t index = 0;
    int rc = lk_nor_find(nor, true, key, &index);
    if (rc < 0) {
        return rc;
    }
    uint32_t start = nor->index_max - nor->pending_count;
    if (rc == 0) {
        if (nor->main_count >= start) {
            return LK_E_FULL;
        }
        index_shift(nor, start, start - 1, index);
        nor->pending_count++;
        start--;
    }
    lk_nor_index_set(nor, start + index, at);
    return LK_OK;
}

int lk_nor_index_of(const struct lk_nor *nor, const struct nor_frame *frame, uint32_t *index)
{
    int rc = lk_nor_find_frame(nor, false, frame, index);
    return rc == 1 ? index_get(nor, *index) == frame->at : rc;
}

int lk_nor_index_commit(struct lk_nor *nor)
{
    int rc = LK_OK;
    while (nor->pending_count > 0 && rc == LK_OK) {
        struct nor_frame frame;
        rc = lk_nor_entry(nor, true, 0, &frame);
        nor->pending_count--;
        rc = rc == LK_OK ? lk_nor_index_apply(nor, &frame) : rc;
    }
    return rc;
}

int lk_nor_lookup(const struct lk_nor *nor, struct lk_span key, struct nor_frame *frame)
{
    uint32_t index = 0;
    bool pending = true;
    int rc = lk_nor_find(nor, true, key, &index);
    if (rc == 0) {
        pending = false;
        rc = lk_nor_find(nor, false, key, &index);
    }
    if (rc != 1) {
        return rc == 0 ? LK_E_NOT_FOUND : rc;
    }
    rc = lk_nor_entry(nor, pending, index, frame);
    return rc == LK_OK && nor_is_remove(frame->type) ? LK_E_NOT_FOUND : rc;
}

/* The slot of a record; 0: one that is free. NULL: there is none. */
static struct lk_nor_tally *index_tally(struct lk_nor *nor, uint32_t at)
{
    for (size_t i = LK_NOR_TALLY_MAX; i > 0; i--) {
        if (nor->tallies[i - 1].at == at) {
            return &nor->tallies[i - 1];
        }
    }
    return NULL;
}

uint32_t lk_nor_tally_of(struct lk_nor *nor, uint32_t at)
{
    const struct lk_nor_tally *tally = index_tally(nor, at);
    return tally != NULL ? tally->count : 0;
}

int lk_nor_tally_set(struct lk_nor *nor, uint32_t at, uint32_t count)
{
    struct lk_nor_tally *tally = index_tally(nor, at);
    tally = tally != NULL ? tally : index_tally(nor, 0);
    if (tally == NULL) {
        return LK_E_FULL;
    }
    *tally = (struct lk_nor_tally){at, count};
    return LK_OK;
}

void lk_nor_tally_forget(struct lk_nor *nor, uint32_t at)
{
    struct lk_nor_tally *tally = index_tally(nor, at);
    if (tally != NULL) {
        *tally = (struct lk_nor_tally){0, 0};
    }
}

int lk_nor_tally_total(struct lk_nor *nor, const struct nor_frame *frame, uint32_t *count)
{
    int rc = LK_OK;
    *count = 0;
    if (frame->type == NOR_COUNTED) {
        rc = lk_nor_word(nor, frame->at + NOR_FRAME, count);
    }
    *count += lk_nor_tally_of(nor, frame->at);
    return rc;
}
