// SPDX-License-Identifier: MIT
/*
 * nor_mount.c: from what the flash holds to an index in RAM, and a store where there was none.
 *
 * Passes: the headers; the active sector for where the log begins; the log, in order; and each
 * batch once more when its commit is found. All of them end with the sectors.
 */
#include "nor_internal.h"

struct mount {
    struct lk_nor *nor;
    int rc;
    bool look;                   /* for the log's beginning only */
    bool light;                  /* nothing in this sector would be missed */
    bool headless;               /* the first batch may have lost its beginning to collection */
    bool sure;                   /* what came before the held one is SURE */
    struct nor_frame held;       /* NOR_DAMAGED: none, or of no meaning */
    const struct nor_walk *walk; /* of the sector that is gone through, until that is */
    uint32_t batch_at;           /* first frame of the batch that was not committed yet; 0: none */
    uint32_t batch_generation;
    uint32_t batch_count;
    uint32_t data_bytes;
};

static bool mount_is_first(uint8_t type)
{
    return type == NOR_PUT_FIRST || type == NOR_REMOVE_FIRST;
}

/* Goes through the batch again, now that it is known to count. */
static void mount_batch(struct mount *mount, uint32_t stop)
{
    struct lk_nor *nor = mount->nor;
    struct nor_walk walk = *mount->walk;
    if (mount->batch_generation != walk.generation) {
        lk_nor_walk_log(nor, nor_sector_of(nor, mount->batch_at), mount->batch_generation, &walk);
    }
    walk.offset = mount->batch_at - walk.start;
    for (;;) {
        struct nor_frame frame;
        while (mount->rc == LK_OK && lk_nor_walk_next(nor, &walk, &frame) && frame.at != stop) {
            mount->rc = nor_is_batch(frame.type) ? lk_nor_index_apply(nor, &frame) : LK_OK;
        }
        if (!walk.sealed || stop - walk.start < nor->sector_size) {
            return;
        }
        lk_nor_walk_log(nor, walk.next, walk.header.generation, &walk);
    }
}

static void mount_commit(struct mount *mount, const struct nor_frame *frame)
{
    if (mount->batch_at == 0) {
        return; /* told twice */
    }
    if (mount->headless || (mount->batch_count & NOR_COUNT_BITS) == frame->argument) {
        mount_batch(mount, frame->at);
    } else {
        mount->nor->damaged = true;
    }
    mount->headless = false;
    mount->batch_at = 0;
}

static void mount_tally(struct lk_nor *nor, uint32_t at, uint32_t count)
{
    struct nor_frame frame;
    uint32_t index;
    /* A position that is no live record's is a tally whose record is gone. */
    if (lk_nor_frame_at(nor, at, &frame) && nor_is_record(frame.type) &&
        lk_nor_index_of(nor, &frame, &index) && lk_nor_tally_set(nor, at, count) != LK_OK) {
        nor->damaged = true;
    }
}

static void mount_apply(struct mount *mount, const struct nor_frame *frame)
{
    struct lk_nor *nor = mount->nor;
    uint32_t argument = frame->argument;
    if (mount->rc != LK_OK) {
        return;
    }
    if (nor_is_batch(frame->type)) {
        if (mount_is_first(frame->type)) {
            mount->headless = false;
            mount->batch_at = 0;
        }
        if (mount->batch_at == 0) {
            mount->batch_at = frame->at;
            mount->batch_generation = mount->walk->generation;
            mount->batch_count = 0;
        }
        mount->batch_count++;
    }
    mount->data_bytes += frame->type <= NOR_COUNTED ? frame->size : 0;
    if (mount->look) {
        if (frame->type == NOR_TAIL) {
            uint32_t tail = (nor->generation & 0xFFFF0000) | argument;
            tail -= tail > nor->generation ? 0x10000u : 0;
            if (tail > nor->tail_generation && tail <= nor->generation) {
                nor->tail_generation = tail;
            }
        } else if (frame->type == NOR_SCRUB) {
            nor->scrubbing = argument != 0;
        }
        return;
    }
    switch (frame->type) {
    case NOR_COPY:
    case NOR_COUNTED: mount->rc = lk_nor_index_apply(nor, frame); break;
    case NOR_TALLY_WIDE:
        if (frame->sound) {
            nor->again = frame->body[0];
            mount_tally(nor, nor->again, frame->body[1]);
        }
        break;
    case NOR_COMMIT: mount_commit(mount, frame); break;
    case NOR_TALLY:
        argument *= nor->step;
        mount_tally(nor, argument, lk_nor_tally_of(nor, argument) + 1);
        break;
    default: break;
    }
}

/*
 * The last frame of the newest sector: whoever wrote it may have had no time to finish. So it is
 * left out of what the sector is told to have, and what it is held for is told again with that.
 */
static void mount_last(struct mount *mount, const struct nor_walk *walk)
{
    struct lk_nor *nor = mount->nor;
    const struct nor_frame *held = &mount->held;
    nor->settled = mount->sure && held->type == NOR_SURE && held->argument == 0;
    nor->from = held->at != 0 ? held->at - walk->start : walk->offset;
    nor->last = NOR_NONE;
    if (held->type <= NOR_COUNTED) {
        /* Not committed; and what was copied is still where it was, for nothing has gone since. */
        nor->dirty = nor->dirty || held->at != 0;
        nor->again = 0;
        return;
    }
    if (held->type != NOR_SURE && held->type != NOR_TALLY_WIDE) {
        nor->last = held->word;
    }
    nor->again = 0;
    mount_apply(mount, held);
}

/*
 * The COMMIT of a batch that is all there, but for one bit. Damaged, it still counts; torn, it may.
 * What is not one may look like it by less chance than a torn word may look whole.
 */
static bool mount_near_commit(const struct mount *mount, struct nor_walk *walk,
                              struct nor_frame *frame, bool found)
{
    struct lk_nor *nor = mount->nor;
    const struct nor_frame *held = &mount->held;
    uint32_t offset = walk->offset - (found ? nor->step : 0u);
    if (!nor_is_batch(held->type) || offset + nor->step > walk->end ||
        (found && frame->size != nor->step)) {
        return found;
    }
    uint32_t at = walk->start + offset;
    uint32_t count =
        mount_is_first(held->type) || mount->batch_at == 0 ? 1 : mount->batch_count + 1;
    count &= NOR_COUNT_BITS;
    uint32_t word = lk_nor_word_make(NOR_COMMIT, count, walk->generation, at);
    uint32_t differ = lk_nor_word(nor, at) ^ word;
    if ((differ & (differ - 1)) != 0) {
        return found;
    }
    *frame = (struct nor_frame){.at = at,
                                .size = nor->step,
                                .word = word,
                                .argument = count,
                                .type = NOR_COMMIT,
                                .sound = !found};
    walk->offset = offset + nor->step;
    return true;
}

/* `next` is the header that tells where this sector ends; NULL: it is the newest. */
static void mount_sector(struct mount *mount, struct nor_walk *walk, const struct nor_header *next)
{
    struct lk_nor *nor = mount->nor;
    struct nor_frame frame;
    mount->held = (struct nor_frame){.type = NOR_DAMAGED};
    mount->walk = walk;
    mount->sure = false;
    mount->light = true;
    for (;;) {
        bool found = lk_nor_walk_next(nor, walk, &frame);
        if (!found || frame.type == NOR_DAMAGED) {
            found = mount_near_commit(mount, walk, &frame, found);
        }
        if (!found || mount->rc != LK_OK) {
            break;
        }
        mount_apply(mount, &mount->held);
        mount->sure = mount->held.type == NOR_SURE && mount->held.argument == 0;
        mount->held = frame;
        mount->light = mount->light && (frame.type == NOR_SURE || frame.type == NOR_COPY ||
                                        frame.type == NOR_COUNTED);
        nor->damaged = nor->damaged || !frame.sound;
    }
    nor->damaged = nor->damaged || walk->broken || (next != NULL && walk->offset < walk->end);
    if (next == NULL) {
        mount_last(mount, walk);
    } else {
        mount_apply(mount, &mount->held);
        uint32_t last = next->words[NOR_LAST];
        frame = (struct nor_frame){.at = walk->start + walk->end - 1,
                                   .argument = last >> 12 & 0xFFFF,
                                   .type = (uint8_t)(last >> 28)};
        if (nor_is_word(frame.type)) {
            mount_apply(mount, &frame);
        }
    }
    mount->walk = NULL;
}

/* The newest sector of those whose first frame holds: a header that nothing follows may itself not
 * be whole. 1: there is one; 0: `active` may be of such a header. */
static int mount_newest(struct lk_nor *nor, struct nor_header *newest)
{
    bool found = false;
    int other = LK_OK;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header header;
        struct nor_frame frame;
        struct nor_walk walk;
        int rc = lk_nor_header(nor, s, &header);
        other = rc < 0 && other != LK_E_NEWER ? rc : other;
        if (rc != 1 || header.generation == 0) {
            continue;
        }
        uint32_t total = header.words[NOR_ERASE_TOTAL];
        nor->newest = header.generation > nor->newest ? header.generation : nor->newest;
        nor->erase_total = total > nor->erase_total ? total : nor->erase_total;
        if (found && header.generation <= newest->generation) {
            continue;
        }
        lk_nor_walk_of(nor, s, header.generation, &walk);
        bool whole = lk_nor_walk_next(nor, &walk, &frame);
        if (whole || !found) {
            nor->active = s;
            *newest = header;
        }
        found = found || whole;
    }
    return other != LK_OK ? other : found;
}

static void mount_count(struct lk_nor *nor)
{
    bool free = true;
    uint32_t sector = nor->active;
    nor->free_count = 0;
    nor->retired_count = 0;
    for (uint32_t i = 0; i < nor->sector_count; i++) {
        uint32_t counts = lk_nor_counts(nor, sector);
        nor->retired_count += counts == NOR_BAD ? 1 : 0;
        nor->free_count += counts == 1 && free && i > 0 ? 1 : 0;
        sector = nor_after(nor, sector);
        free = free && sector != nor->tail;
    }
}

/* Where the log begins, which only its end can tell. */
static void mount_tail(struct mount *mount, const struct nor_header *newest)
{
    struct lk_nor *nor = mount->nor;
    struct nor_walk walk;
    lk_nor_walk_of(nor, nor->active, nor->generation, &walk);
    nor->tail_generation = newest->tail;
    nor->scrubbing = (newest->words[NOR_FORM] & NOR_SCRUBBING) != 0;
    mount_sector(mount, &walk, NULL);
    nor->tail = nor->active;
    uint32_t oldest = nor->generation;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header header;
        if (lk_nor_header(nor, s, &header) == 1 && header.generation >= nor->tail_generation &&
            header.generation < oldest) {
            oldest = header.generation;
            nor->tail = s;
        }
    }
    nor->damaged = nor->damaged || oldest != nor->tail_generation;
    nor->tail_generation = oldest;
    mount_count(nor);
}

/* Cuts have left no free sector, but the newest has only copies, so that it can be taken again: the
 * log ends with the one before it. */
static bool mount_give_up(struct lk_nor *nor, const struct nor_header *newest)
{
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header header;
        if (lk_nor_header(nor, s, &header) == 1 && header.generation == newest->before) {
            nor->active = s;
            nor->generation = header.generation;
            mount_count(nor);
            return true;
        }
    }
    return false;
}

/* The log, in order. `newest` is the header of a sector that was given up: what it told stays true.
 */
static void mount_log(struct mount *mount, const struct nor_header *newest)
{
    struct lk_nor *nor = mount->nor;
    struct nor_walk walk;
    lk_nor_walk_log(nor, nor->tail, nor->tail_generation, &walk);
    while (walk.sealed && mount->rc == LK_OK) {
        struct nor_header next = walk.header;
        uint32_t sector = walk.next;
        mount_sector(mount, &walk, &next);
        lk_nor_walk_log(nor, sector, next.generation, &walk);
    }
    if (newest != NULL) {
        lk_nor_walk_seal(nor, &walk, newest);
    }
    mount_sector(mount, &walk, newest);
}

/* Whether all is as the factory or an emulator left it; the last sector apart, which is where a
 * store begins: a cut may have left anything there. */
static bool mount_is_fill(struct lk_nor *nor, uint8_t fill)
{
    return lk_nor_last_not(nor, 0, nor_sector_at(nor, nor->sector_count - 1), fill) == 0;
}

static int mount_format(struct lk_nor *nor)
{
    uint32_t flags = nor->config->flags;
    bool clean = mount_is_fill(nor, 0xFF) || mount_is_fill(nor, 0);
    uint32_t start = nor_sector_at(nor, nor->active);
    /* A header and no log: a format that was cut, unless there is more than that leaves. */
    if (nor->newest > 0 &&
        !lk_nor_blank(nor, start + nor->begin + 3u * nor->step, start + nor->sector_size)) {
        return LK_E_CORRUPT;
    }
    if ((flags & (clean ? LK_NOR_FORMAT | LK_NOR_OVERWRITE : LK_NOR_OVERWRITE)) == 0) {
        return clean ? LK_E_NOT_FOUND : LK_E_EXISTS;
    }
    for (uint32_t s = 0; s < nor->sector_count && !clean; s++) {
        (void)lk_nor_erase(nor, s); /* one that cannot be erased is found out when it is used */
    }
    nor->newest = 0;
    nor->last = NOR_NONE;
    nor->active = nor->sector_count - 2;
    nor->free_count = nor->sector_count;
    int rc = lk_nor_open_sector(nor, 0);
    return rc == LK_E_FULL ? LK_E_IO : rc;
}

int lk_nor_mount(struct lk_nor *nor, enum lk_mode mode)
{
    struct nor_header newest;
    struct mount mount = {.nor = nor, .look = true};
    int rc = mount_newest(nor, &newest);
    if (rc == 0 && nor->trouble == LK_OK) {
        return mode == LK_READ ? LK_E_NOT_FOUND : mount_format(nor);
    }
    if (rc != 1) {
        return rc;
    }
    nor->generation = newest.generation;
    nor->programmed = (uint64_t)newest.words[NOR_PROGRAMMED] << 10;
    mount_tail(&mount, &newest);
    bool given_up = mount.light && nor->free_count == 0 && nor->tail != nor->active &&
                    mount_give_up(nor, &newest);
    mount = (struct mount){.nor = nor, .headless = true};
    mount_log(&mount, given_up ? &newest : NULL);
    if (given_up) {
        nor->from = newest.words[NOR_FROM];
        nor->last = newest.words[NOR_LAST];
        nor->again = 0;
        nor->settled = false;
    }
    nor->dirty = nor->dirty || nor->scrubbing || mount.data_bytes != nor->live_bytes;
    nor->dead_bytes = nor->sector_size;
    return mount.rc;
}
