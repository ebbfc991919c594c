// SPDX-License-Identifier: MIT
/*
 * nor_collect.c: sectors come free again.
 *
 * The log is a ring: the oldest sector is emptied by copying what is live in it to the log's end. A
 * removal need not be copied, since nothing older than it is left by then. That a sector is out of
 * the log is itself told in the log, before what depended on it goes.
 */
#include "nor_internal.h"

/* Bytes of data that a sector takes. */
static uint32_t collect_sector_room(const struct lk_nor *nor)
{
    return nor->limit - nor->begin;
}

static uint32_t collect_room(const struct lk_nor *nor)
{
    uint32_t end = nor->offset + (nor->going ? 0u : nor->step);
    return nor->fresh && end < nor->limit ? nor->limit - end : 0;
}

/* What ordinary writes can still take before something must be collected. */
static uint32_t collect_budget(const struct lk_nor *nor)
{
    uint32_t kept = nor->keep - 1u;
    uint32_t sectors = nor->free_count > kept ? nor->free_count - kept : 0;
    return sectors * collect_sector_room(nor) + collect_room(nor);
}

uint32_t lk_nor_capacity(const struct lk_nor *nor)
{
    uint32_t room = collect_sector_room(nor);
    uint32_t usable =
        nor->sector_count - (nor->retired_count < nor->sector_count ? nor->retired_count : 0);
    uint32_t slack = usable >= 8 ? usable / 8 * room : room / 2;
    /* Half a record is lost at the end of each sector. */
    uint32_t lost = nor->main_count > 0 ? nor->live_bytes / nor->main_count / 2 : 0;
    uint32_t most = usable > nor->keep ? (usable - nor->keep) * (room - lost) : 0;
    return most > slack ? most - slack : 0;
}

/* The tail's next sector; those before it are free. */
static int collect_advance(struct lk_nor *nor)
{
    struct nor_walk walk;
    lk_nor_walk_log(nor, nor->tail, nor->tail_generation, &walk);
    if (!walk.sealed) {
        return LK_E_CORRUPT;
    }
    int rc = lk_nor_append_word(nor, NOR_TAIL, walk.header.generation, 0);
    if (rc != LK_OK) {
        return rc;
    }
    for (; nor->tail != walk.next; nor->tail = nor_after(nor, nor->tail)) {
        nor->free_count += lk_nor_counts(nor, nor->tail) == 1 ? 1 : 0;
    }
    nor->tail_generation = walk.header.generation;
    nor->credit -= nor->step;
    return 2;
}

/*
 * A copy that comes behind the removal of its key in the open batch would outlive it, once the
 * sector of the removal is collected. So the removal is told again.
 */
static int collect_remove_again(struct lk_nor *nor, uint32_t copy)
{
    struct nor_frame frame;
    uint32_t index = 0;
    lk_nor_entry(nor, false, copy, &frame);
    if (!lk_nor_find_frame(nor, true, &frame, &index)) {
        return LK_OK;
    }
    lk_nor_entry(nor, true, index, &frame);
    if (!nor_is_remove(frame.type)) {
        return LK_OK;
    }
    struct nor_new again = {
        .type = NOR_REMOVE, .key = {NULL, frame.key_size}, .from = nor_key_at(&frame)};
    int rc = lk_nor_append(nor, &again, 0);
    if (rc == LK_OK) {
        nor->batch_count++;
        lk_nor_index_set(nor, nor->index_max - nor->pending_count + index, again.at);
    }
    return rc;
}

/* Copies one record, or frees one sector. 2 a sector came free, 1 a copy, 0 nothing to be done. */
static int collect_step(struct lk_nor *nor)
{
    if (nor->tail == nor->active ||
        (nor->batch_at != 0 && nor_sector_of(nor, nor->batch_at) == nor->tail)) {
        return 0;
    }
    uint32_t start = nor_sector_at(nor, nor->tail);
    uint32_t chosen = NOR_NONE;
    for (uint32_t i = 0; i < nor->main_count; i++) {
        uint32_t at = lk_nor_at(nor, false, i);
        if (at - start >= nor->sector_size) {
            continue;
        }
        /* One that fits what is left of the newest sector is taken first, so that little is lost.
         */
        struct nor_frame frame;
        lk_nor_entry(nor, false, i, &frame);
        chosen = i;
        if (frame.size + 2u * nor->step <= collect_room(nor)) {
            break;
        }
    }
    if (chosen == NOR_NONE) {
        return collect_advance(nor);
    }
    int rc = lk_nor_copy(nor, chosen);
    if (rc == LK_OK && nor->pending_count > 0) {
        rc = collect_remove_again(nor, chosen);
    }
    return rc == LK_OK ? 1 : rc;
}

void lk_nor_collect(struct lk_nor *nor, uint32_t bytes)
{
    int32_t most = (int32_t)(nor->sector_size * NOR_PACE);
    int rc = 1;
    nor->credit += (int32_t)bytes * NOR_PACE;
    nor->credit = nor->credit > most ? most : nor->credit;
    /* Where sectors are few, one that is being copied is much of what there is. */
    uint32_t few = nor->sector_count < 8 ? collect_sector_room(nor) : 0;
    while (rc > 0 && nor->credit > 0) {
        /* Later is better, as more will be dead then; but never so late that it cannot be spread.
         */
        if (nor->live_bytes / NOR_PACE + few < collect_budget(nor)) {
            nor->credit = 0;
        } else {
            rc = collect_step(nor);
        }
    }
}

/* A step of a pass over the ring, which has to gain something in one round. */
static int collect_pass(struct lk_nor *nor, uint32_t *sectors)
{
    int rc = collect_step(nor);
    *sectors += rc == 2 ? 1 : 0;
    return rc < 0 ? rc : (rc == 0 || *sectors > nor->sector_count ? LK_E_FULL : LK_OK);
}

int lk_nor_collect_until(struct lk_nor *nor, uint32_t free_count, uint32_t room)
{
    uint32_t sectors = 0;
    int rc = LK_OK;
    while (rc == LK_OK && (nor->free_count < free_count ||
                           (collect_room(nor) < room && nor->free_count <= free_count))) {
        rc = collect_pass(nor, &sectors);
    }
    return rc;
}

int lk_nor_make_room(struct lk_nor *nor, uint32_t size, int32_t growth, bool urgent)
{
    uint32_t room = collect_sector_room(nor);
    uint32_t need = size;
    if (growth > 0 && !urgent) {
        uint32_t capacity = lk_nor_capacity(nor);
        if (nor->live_bytes > capacity || (uint32_t)growth > capacity - nor->live_bytes) {
            return LK_E_FULL;
        }
        need += nor->sector_count < 8 ? room / 2 : (nor->sector_count / 16 + 1) * room;
    }
    /* What has to be free for the next restart comes first, as collecting may have taken of it. */
    int rc = lk_nor_collect_until(nor, nor->keep - 1u, size);
    uint32_t sectors = 0;
    while (rc == LK_OK && growth > 0 && collect_budget(nor) < need) {
        rc = nor->dead_bytes < room / 2 ? LK_E_FULL : collect_pass(nor, &sectors);
        if (rc != LK_OK) {
            nor->dead_bytes =
                0; /* a pass over the whole ring that gains nothing is not tried twice */
        }
    }
    return rc;
}

static int collect_idle(struct lk_nor *nor)
{
    nor->trouble = LK_OK;
    if (!nor->open) {
        return LK_E_STATE;
    }
    if (!nor->writable || nor->broken) {
        return LK_E_READ_ONLY;
    }
    return nor->writing || nor->reader_count > 0 ? LK_E_BUSY : (nor->lost ? LK_E_IO : LK_OK);
}

/* Everything live goes into sectors that are opened from now on. */
static int collect_all(struct lk_nor *nor)
{
    uint32_t before = nor->newest;
    nor->scrubbing = true;
    int rc = lk_nor_open_sector(nor, 0);
    while (rc == LK_OK && nor->tail_generation <= before) {
        int step = collect_step(nor);
        rc = step > 0 ? LK_OK : (step < 0 ? step : LK_E_FULL);
    }
    return rc == LK_OK ? lk_nor_collect_until(nor, nor->keep - 1u, 0) : rc;
}

/* Erases what is free. */
static int collect_erase(struct lk_nor *nor, uint64_t *bytes)
{
    uint32_t sector = nor_after(nor, nor->active);
    for (; sector != nor->tail; sector = nor_after(nor, sector)) {
        if (lk_nor_retired(nor, sector)) {
            continue;
        }
        *bytes += nor->sector_size;
        int rc = lk_nor_start(nor, sector, true);
        if (rc == LK_E_CORRUPT) {
            lk_nor_retire(nor, sector);
            nor->free_count -= nor->free_count > 0 ? 1 : 0;
        } else if (rc != LK_OK) {
            return rc;
        }
    }
    return LK_OK;
}

int lk_nor_compact(struct lk_storage *storage)
{
    struct lk_nor *nor = nor_of(storage);
    int rc = collect_idle(nor);
    bool before = nor->scrubbing;
    if (rc == LK_OK && nor->dirty) {
        rc = nor_answer(nor, collect_all(nor));
        nor->scrubbing = before;
    }
    return rc;
}

int lk_nor_scrub(struct lk_storage *storage, uint64_t *bytes)
{
    struct lk_nor *nor = nor_of(storage);
    int rc = collect_idle(nor);
    *bytes = 0;
    if (rc != LK_OK || !nor->dirty) {
        return rc;
    }
    rc = collect_all(nor);
    rc = rc == LK_OK ? collect_erase(nor, bytes) : rc;
    if (rc == LK_OK) {
        rc = lk_nor_append_word(nor, NOR_SCRUB, 0, 0);
    }
    if (rc == LK_OK) {
        nor->scrubbing = false;
        nor->dirty = false;
    }
    return nor_answer(nor, rc);
}

/* The frames of the log, whole and in their sectors. */
static bool check_log(struct lk_nor *nor)
{
    uint32_t sector = nor->tail;
    uint32_t generation = nor->tail_generation;
    struct nor_walk walk;
    do {
        struct nor_frame frame;
        lk_nor_walk_log(nor, sector, generation, &walk);
        bool more = walk.sealed;
        if (!more) {
            walk.end = nor->from;
            walk.sealed = true;
        }
        while (lk_nor_walk_next(nor, &walk, &frame)) {
            if (!frame.sound) {
                return false;
            }
        }
        if (walk.offset != walk.end || !more) {
            break;
        }
        sector = walk.next;
        generation = walk.header.generation;
    } while (true);
    return walk.offset == walk.end;
}

int lk_nor_check(struct lk_storage *storage, lk_storage_progress *progress, void *context)
{
    struct lk_nor *nor = nor_begin(storage);
    if (!nor->open || nor->lost) {
        return nor->open ? LK_E_IO : LK_E_STATE;
    }
    bool sound = !nor->damaged && check_log(nor);
    uint32_t live = 0;
    int rc = LK_OK;
    for (uint32_t i = 0; sound && rc == LK_OK && i < nor->main_count; i++) {
        struct nor_frame frame;
        uint32_t index = 0;
        lk_nor_entry(nor, false, i, &frame);
        sound = lk_nor_frame_sum(nor, &frame) && lk_nor_find_frame(nor, false, &frame, &index) &&
                index == i && nor_is_record(frame.type);
        live += frame.size;
        rc = progress != NULL ? progress(context, i + 1, nor->main_count) : LK_OK;
    }
    uint32_t start = nor_sector_at(nor, nor->active);
    if (rc == LK_OK && (!sound || live != nor->live_bytes ||
                        (nor->fresh && nor->offset < nor->sector_size &&
                         !lk_nor_blank(nor, start + nor->offset, start + nor->sector_size)))) {
        rc = LK_E_CORRUPT;
    }
    return nor_answer(nor, rc);
}

int lk_nor_stat(struct lk_storage *storage, struct lk_storage_stat *stat)
{
    struct lk_nor *nor = nor_begin(storage);
    if (!nor->open) {
        return LK_E_STATE;
    }
    uint32_t capacity = lk_nor_capacity(nor);
    uint32_t size = nor->sector_size * nor->sector_count;
    uint32_t live = nor->live_bytes;
    uint32_t left = capacity > live ? capacity - live : 0;
    uint32_t blank = nor->free_count * nor->sector_size;
    if (nor->fresh && nor->offset < nor->sector_size) {
        blank += nor->sector_size - nor->offset;
    }
    memset(stat, 0, sizeof *stat);
    stat->entries = nor->main_count;
    stat->used_bytes = size - left;
    stat->free_bytes = left;
    stat->commit_count = nor->commit_count;
    stat->live_bytes = live;
    stat->dead_bytes = size - blank > live ? size - blank - live : 0;
    stat->programmed_bytes = nor->programmed;
    stat->erase_count = nor->erase_total;
    stat->erase_min = UINT32_MAX;
    stat->sector_count = nor->sector_count;
    stat->retired_count = nor->retired_count;
    stat->damaged = nor->damaged;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header header;
        if (lk_nor_header(nor, s, &header) == 1) {
            uint32_t count = header.words[NOR_ERASES];
            stat->erase_min = count < stat->erase_min ? count : stat->erase_min;
            stat->erase_max = count > stat->erase_max ? count : stat->erase_max;
        }
    }
    if (nor->generation < nor->sector_count) {
        stat->erase_min = 0; /* the ring has not been round once */
    }
    return nor_answer(nor, LK_OK);
}
