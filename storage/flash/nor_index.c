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

uint32_t lk_nor_at(const struct lk_nor *nor, bool pending, uint32_t i)
{
    const uint8_t *slot = index_slot(nor, pending ? nor->index_max - nor->pending_count + i : i);
    uint32_t steps = (uint32_t)slot[0] | (uint32_t)slot[1] << 8;
    if (!nor->narrow) {
        steps = nor_get32(slot);
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
        nor_set32(slot, steps);
    }
}

static void index_shift(struct lk_nor *nor, uint32_t from, uint32_t to, uint32_t count)
{
    memmove(index_slot(nor, to), index_slot(nor, from), count * (nor->narrow ? 2u : 4u));
}

void lk_nor_entry(struct lk_nor *nor, bool pending, uint32_t i, struct nor_frame *frame)
{
    if (!lk_nor_frame_at(nor, lk_nor_at(nor, pending, i), frame) && nor->trouble == LK_OK) {
        nor->trouble = LK_E_CORRUPT;
    }
}

/* As memcmp of the frame's key and the other, a prefix before what it is a prefix of. */
static int index_compare(struct lk_nor *nor, const struct nor_frame *frame, struct lk_span key)
{
    uint8_t buffer[INDEX_PIECE];
    uint32_t size = frame->key_size < key.size ? frame->key_size : (uint32_t)key.size;
    int order = 0;
    for (uint32_t done = 0; done < size && order == 0; done += INDEX_PIECE) {
        uint32_t piece = size - done < INDEX_PIECE ? size - done : INDEX_PIECE;
        order = memcmp(lk_nor_view(nor, nor_key_at(frame) + done, buffer, piece), key.data + done,
                       piece);
    }
    return order != 0 ? order : (int)frame->key_size - (int)key.size;
}

bool lk_nor_find(struct lk_nor *nor, bool pending, struct lk_span key, uint32_t *index)
{
    uint32_t low = 0;
    uint32_t high = pending ? nor->pending_count : nor->main_count;
    bool same = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct nor_frame frame;
        lk_nor_entry(nor, pending, middle, &frame);
        int order = index_compare(nor, &frame, key);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            same = same || order == 0;
        }
    }
    *index = low;
    return same;
}

struct lk_span lk_nor_key(struct lk_nor *nor, const struct nor_frame *frame, uint8_t *buffer)
{
    return (struct lk_span){lk_nor_view(nor, nor_key_at(frame), buffer, frame->key_size),
                            frame->key_size};
}

bool lk_nor_find_frame(struct lk_nor *nor, bool pending, const struct nor_frame *frame,
                       uint32_t *index)
{
    uint8_t buffer[LK_KEY_MAX];
    return lk_nor_find(nor, pending, lk_nor_key(nor, frame, buffer), index);
}

int lk_nor_index_apply(struct lk_nor *nor, const struct nor_frame *frame)
{
    uint32_t index = 0;
    bool same = lk_nor_find_frame(nor, false, frame, &index);
    bool remove = nor_is_remove(frame->type);
    if (same) {
        struct nor_frame old;
        lk_nor_entry(nor, false, index, &old);
        nor->live_bytes -= old.size;
        nor->dead_bytes += old.size;
        nor->dirty = true;
        lk_nor_tally_forget(nor, old.at);
    }
    if (same && remove) {
        nor->main_count--;
        index_shift(nor, index + 1, index, nor->main_count - index);
    }
    if (remove) {
        return LK_OK;
    }
    if (!same) {
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
    uint32_t start = nor->index_max - nor->pending_count;
    if (!lk_nor_find(nor, true, key, &index)) {
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

bool lk_nor_index_of(struct lk_nor *nor, const struct nor_frame *frame, uint32_t *index)
{
    return lk_nor_find_frame(nor, false, frame, index) &&
           lk_nor_at(nor, false, *index) == frame->at;
}

int lk_nor_index_commit(struct lk_nor *nor)
{
    int rc = LK_OK;
    while (nor->pending_count > 0 && rc == LK_OK) {
        struct nor_frame frame;
        lk_nor_entry(nor, true, 0, &frame);
        nor->pending_count--;
        rc = lk_nor_index_apply(nor, &frame);
    }
    return rc;
}

bool lk_nor_lookup(struct lk_nor *nor, struct lk_span key, struct nor_frame *frame)
{
    uint32_t index = 0;
    bool pending = lk_nor_find(nor, true, key, &index);
    if (!pending && !lk_nor_find(nor, false, key, &index)) {
        return false;
    }
    lk_nor_entry(nor, pending, index, frame);
    return !nor_is_remove(frame->type);
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

uint32_t lk_nor_tally_total(struct lk_nor *nor, const struct nor_frame *frame)
{
    return lk_nor_tally_of(nor, frame->at) +
           (frame->type == NOR_COUNTED ? lk_nor_word(nor, frame->at + NOR_FRAME) : 0);
}
