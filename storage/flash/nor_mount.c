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
    bool look; /* for the log's beginning only */
    bool held_any;
    bool headless; /* the first batch may have lost its beginning to collection */
    struct nor_frame held;
    uint32_t again;
    uint32_t batch_at; /* first frame of the batch that was not committed yet; 0: none */
    uint32_t batch_count;
    uint32_t data_bytes;
};

static uint32_t mount_end(const struct lk_nor *nor, const struct nor_header *next)
{
    return next != NULL && next->from < nor->sector_size ? next->from : nor->sector_size;
}

/* The walk of a sector of the log, which ends where the next one's header says. */
static int mount_walk(struct lk_nor *nor, uint32_t sector, uint32_t generation,
                      struct nor_walk *walk, uint32_t *next, struct nor_header *header)
{
    int rc = lk_nor_sector_next(nor, sector, generation, next, header);
    *walk = (struct nor_walk){.sector = sector,
                              .generation = generation,
                              .offset = nor_begin(nor),
                              .end = mount_end(nor, rc == 1 ? header : NULL),
                              .sealed = rc == 1};
    return rc;
}

/* Goes through the batch again, now that it is known to count. */
static int mount_batch(struct mount *mount, uint32_t stop)
{
    struct lk_nor *nor = mount->nor;
    uint32_t sector = nor_sector_of(nor, mount->batch_at);
    uint32_t offset = mount->batch_at - nor_sector_at(nor, sector);
    uint32_t generation = lk_nor_generation_of(nor, sector);
    for (;;) {
        struct nor_walk walk;
        struct nor_header header;
        uint32_t next = sector;
        int more = mount_walk(nor, sector, generation, &walk, &next, &header);
        if (more < 0) {
            return more;
        }
        walk.offset = offset;
        struct nor_frame frame;
        int rc = lk_nor_walk_next(nor, &walk, &frame);
        for (; rc == 1 && frame.at != stop; rc = lk_nor_walk_next(nor, &walk, &frame)) {
            int error = nor_is_batch(frame.type) ? lk_nor_index_apply(nor, &frame) : LK_OK;
            if (error != LK_OK) {
                return error;
            }
        }
        if (rc < 0 || rc == 1 || more == 0 || nor_sector_of(nor, stop) == sector) {
            return rc < 0 ? rc : LK_OK;
        }
        sector = next;
        generation = header.generation;
        offset = nor_begin(nor);
    }
}

static int mount_commit(struct mount *mount, uint32_t count, uint32_t stop)
{
    int rc = LK_OK;
    if (mount->batch_at == 0) {
        return LK_OK; /* told twice */
    }
    if (mount->headless || (mount->batch_count & NOR_COUNT_BITS) == count) {
        rc = mount_batch(mount, stop);
    } else {
        mount->nor->damaged = true;
    }
    mount->headless = false;
    mount->batch_at = 0;
    return rc;
}

static int mount_tally(struct mount *mount, uint32_t at, bool add, uint32_t count)
{
    struct lk_nor *nor = mount->nor;
    struct nor_frame frame;
    uint32_t index;
    /* A position that is no live record's is a tally whose record is gone. */
    int rc = lk_nor_frame_at(nor, at, &frame);
    if (rc == LK_OK && nor_is_record(frame.type)) {
        rc = lk_nor_index_of(nor, &frame, &index);
    }
    if (rc != 1) {
        return rc == LK_E_IO ? rc : LK_OK;
    }
    if (lk_nor_tally_set(nor, at, add ? lk_nor_tally_of(nor, at) + 1 : count) != LK_OK) {
        nor->damaged = true;
    }
    return LK_OK;
}

/* `at` is where it was found, which need not be where it was written. */
static int mount_word(struct mount *mount, uint32_t word, uint32_t at)
{
    struct lk_nor *nor = mount->nor;
    uint32_t argument = word >> 12 & 0xFFFF;
    switch (word >> 28) {
    case NOR_COMMIT: return mount->look ? LK_OK : mount_commit(mount, argument, at);
    case NOR_TALLY: return mount->look ? LK_OK : mount_tally(mount, argument * nor->step, true, 0);
    case NOR_TAIL:
        if (mount->look) {
            uint32_t tail = (nor->generation & 0xFFFF0000) | argument;
            tail -= tail > nor->generation ? 0x10000u : 0;
            nor->tail_generation = tail > nor->tail_generation && tail <= nor->generation
                                       ? tail
                                       : nor->tail_generation;
        }
        return LK_OK;
    case NOR_SCRUB: nor->scrubbing = mount->look ? argument != 0 : nor->scrubbing; return LK_OK;
    default: return LK_OK;
    }
}

/* The body of a frame that is no record's, read once, so that what holds is what is used. */
static int mount_body(const struct lk_nor *nor, const struct nor_frame *frame, uint8_t body[8])
{
    uint8_t bytes[NOR_FRAME + 8];
    uint32_t size = frame->type == NOR_RESUME ? 4 : 8;
    int rc = lk_nor_read(nor, frame->at, bytes, NOR_FRAME + size);
    if (rc != LK_OK) {
        return rc;
    }
    uint32_t generation = lk_nor_generation_of(nor, nor_sector_of(nor, frame->at));
    uint32_t crc = lk_nor_crc(lk_nor_seed(generation, frame->at), bytes, 4);
    memcpy(body, bytes + NOR_FRAME, size);
    return lk_nor_crc(crc, body, size) == nor_get32(bytes + 4);
}

static int mount_apply(struct mount *mount, const struct nor_frame *frame)
{
    struct lk_nor *nor = mount->nor;
    uint8_t body[8];
    if (frame->type >= NOR_COMMIT && frame->type <= NOR_SCRUB) {
        return mount_word(mount, frame->word, frame->at);
    }
    if (nor_is_batch(frame->type)) {
        mount->data_bytes += frame->size;
        if (frame->type == NOR_PUT_FIRST || frame->type == NOR_REMOVE_FIRST) {
            mount->headless = false;
            mount->batch_at = 0;
        }
        if (mount->batch_at == 0) {
            mount->batch_at = frame->at;
            mount->batch_count = 0;
        }
        mount->batch_count++;
        return LK_OK;
    }
    if (nor_is_record(frame->type)) {
        mount->data_bytes += frame->size;
        return mount->look ? LK_OK : lk_nor_index_apply(nor, frame);
    }
    if (!frame->sound) {
        return LK_OK;
    }
    int rc = mount_body(nor, frame, body);
    if (rc == 1 && frame->type == NOR_RESUME) {
        return mount_word(mount, nor_get32(body), frame->at);
    }
    if (rc == 1 && !mount->look) {
        return mount_tally(mount, nor_get32(body), false, nor_get32(body + 4));
    }
    return rc < 0 ? rc : LK_OK;
}

/* What was read last counts only when it is known that nobody decided otherwise. */
static int mount_next(struct mount *mount, const struct nor_frame *frame)
{
    struct lk_nor *nor = mount->nor;
    uint32_t start = frame->at - frame->at % nor->sector_size;
    mount->again = mount->held_any && mount->held.type != NOR_RESUME ? 0 : mount->again;
    if (mount->held_any && frame->type == NOR_RESUME && frame->sound &&
        start + frame->argument * nor->step <= mount->held.at) {
        nor->dirty = nor->dirty || nor_is_record(mount->held.type);
    } else if (mount->held_any) {
        int rc = mount_apply(mount, &mount->held);
        if (rc != LK_OK) {
            return rc;
        }
        mount->again = mount->held.type == NOR_TALLY_WIDE ? mount->held.at : mount->again;
    }
    mount->held = *frame;
    mount->held_any = true;
    nor->damaged = nor->damaged || !frame->sound;
    return LK_OK;
}

/* The end of the newest sector: where this session may go on, and what is in doubt till then. */
static int mount_tail_end(struct mount *mount, const struct nor_walk *walk)
{
    struct lk_nor *nor = mount->nor;
    uint32_t start = nor_sector_at(nor, walk->sector);
    struct nor_frame broken;
    uint32_t last = 0;
    uint8_t type = mount->held_any ? mount->held.type : (uint8_t)NOR_SURE;
    nor->from = walk->offset;
    nor->last = NOR_NONE;
    nor->again = 0;
    nor->settled = false;
    if (type == NOR_RESUME) {
        uint8_t body[8];
        int rc = mount_body(nor, &mount->held, body);
        if (rc != 1) {
            return rc < 0 ? rc : LK_E_IO;
        }
        nor->from = mount->held.argument * nor->step;
        nor->last = nor_get32(body);
        nor->again = mount->again;
    } else if (type == NOR_TALLY_WIDE) {
        nor->again = mount->held.at;
    } else if (type == NOR_COPY || type == NOR_COUNTED) {
        /* What it was copied from is still there: nothing has gone since. */
        nor->from = mount->held.at - start;
        nor->settled = true;
        nor->dirty = true;
        mount->held_any = false;
    } else if (type != NOR_SURE && !nor_is_batch(type)) {
        nor->from = mount->held.at - start;
        nor->last = mount->held.word;
    } else {
        nor->settled = true;
    }
    int rc = lk_nor_frame_parse(nor, walk, walk->offset, &broken);
    if (rc >= 0) {
        rc = lk_nor_last_not(nor, start + walk->offset, start + nor->sector_size, 0xFF, &last);
    }
    int retired = rc == LK_OK ? lk_nor_retired(nor, walk->sector) : rc;
    if (retired < 0) {
        return retired;
    }
    last -= start;
    nor->dirty = nor->dirty || last > walk->offset;
    last = broken.size > last - walk->offset ? walk->offset + broken.size : last;
    nor->offset = retired == 1 ? nor->sector_size : nor_round(nor, last) + NOR_CHUNK;
    return LK_OK;
}

static int mount_sector(struct mount *mount, struct nor_walk *walk, const struct nor_header *next)
{
    struct nor_frame frame;
    int rc;
    mount->held_any = false;
    while ((rc = lk_nor_walk_next(mount->nor, walk, &frame)) == 1) {
        rc = mount_next(mount, &frame);
        if (rc != LK_OK) {
            return rc;
        }
    }
    if (rc < 0) {
        return rc;
    }
    mount->nor->dirty = mount->nor->dirty || walk->garbage > 0;
    if (next == NULL) {
        rc = mount_tail_end(mount, walk);
    } else if (walk->offset < walk->end) {
        mount->nor->damaged = true;
    }
    if (rc == LK_OK && mount->held_any) {
        rc = mount_apply(mount, &mount->held);
    }
    if (rc == LK_OK && next != NULL && next->last != NOR_NONE) {
        rc = mount_word(mount, next->last, nor_sector_at(mount->nor, walk->sector) + walk->end - 1);
    }
    return rc;
}

static int mount_log(struct mount *mount)
{
    struct lk_nor *nor = mount->nor;
    uint32_t sector = nor->tail;
    uint32_t generation = lk_nor_generation_of(nor, sector);
    mount->headless = true;
    for (;;) {
        struct nor_walk walk;
        struct nor_header header;
        uint32_t next = sector;
        int more = mount_walk(nor, sector, generation, &walk, &next, &header);
        int rc = more < 0 ? more : mount_sector(mount, &walk, more == 1 ? &header : NULL);
        if (rc != LK_OK || more == 0) {
            return rc;
        }
        sector = next;
        generation = header.generation;
    }
}

/* The sector with the highest generation up to `below` (not included). 1: there is one. */
static int mount_newest(struct lk_nor *nor, uint32_t below, uint32_t *sector,
                        struct nor_header *header)
{
    int found = 0;
    int other = LK_OK;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header h;
        int rc = lk_nor_header(nor, s, &h);
        if (rc == LK_E_IO || rc == LK_E_NEWER) {
            return rc;
        }
        other = rc < 0 ? rc : other;
        if (rc == 1 && h.generation < below && (found == 0 || h.generation > header->generation)) {
            *sector = s;
            *header = h;
            found = 1;
        }
    }
    return other != LK_OK ? other : found;
}

/* Which sectors are the log. 1, or 0 where there is none. */
static int mount_find(struct lk_nor *nor)
{
    struct nor_header header = {.generation = 0};
    uint32_t below = UINT32_MAX;
    for (;;) {
        uint32_t last = 0;
        int rc = mount_newest(nor, below, &nor->active, &header);
        if (rc != 1) {
            return rc;
        }
        nor->newest = header.generation > nor->newest ? header.generation : nor->newest;
        nor->erase_total =
            header.erase_total > nor->erase_total ? header.erase_total : nor->erase_total;
        uint32_t begin = nor_sector_at(nor, nor->active) + nor_begin(nor);
        rc = lk_nor_last_not(nor, begin, nor_sector_at(nor, nor->active) + nor->sector_size, 0xFF,
                             &last);
        if (rc != LK_OK) {
            return rc;
        }
        if (last != begin) {
            break;
        }
        below = header.generation; /* nothing follows this header: it may not be whole */
    }
    nor->generation = header.generation;
    nor->tail_generation = header.tail_generation;
    nor->scrubbing = header.scrubbing;
    nor->programmed = (uint64_t)header.programmed_kib << 10;
    struct mount look = {.nor = nor, .look = true};
    struct nor_walk walk = {.sector = nor->active,
                            .generation = nor->generation,
                            .offset = nor_begin(nor),
                            .end = nor->sector_size};
    int rc = mount_sector(&look, &walk, NULL);
    if (rc != LK_OK) {
        return rc;
    }
    nor->tail = nor->active;
    uint32_t oldest = nor->generation;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        rc = lk_nor_header(nor, s, &header);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1 && header.generation >= nor->tail_generation && header.generation < oldest) {
            oldest = header.generation;
            nor->tail = s;
        }
    }
    nor->damaged = nor->damaged || oldest != nor->tail_generation;
    nor->tail_generation = oldest;
    return 1;
}

static int mount_count(struct lk_nor *nor)
{
    bool free = true;
    uint32_t sector = nor->active;
    nor->free_count = 0;
    nor->retired_count = 0;
    for (uint32_t i = 0; i < nor->sector_count; i++) {
        int rc = lk_nor_retired(nor, sector);
        if (rc < 0) {
            return rc;
        }
        nor->retired_count += rc == 1 ? 1 : 0;
        nor->free_count += rc == 0 && free && i > 0 ? 1 : 0;
        sector = nor_after(nor, sector);
        free = free && sector != nor->tail;
    }
    return LK_OK;
}

/* Whether all is as the factory or an emulator left it; the last sector apart, which is where a
 * store begins: a cut may have left anything there. */
static int mount_is_fill(const struct lk_nor *nor, uint8_t fill)
{
    uint32_t last = 0;
    int rc = lk_nor_last_not(nor, 0, nor_sector_at(nor, nor->sector_count - 1), fill, &last);
    return rc == LK_OK ? last == 0 : rc;
}

static int mount_format(struct lk_nor *nor)
{
    uint32_t flags = nor->config->flags;
    int blank = mount_is_fill(nor, 0xFF);
    int zero = blank == 0 ? mount_is_fill(nor, 0) : 0;
    if (blank < 0 || zero < 0) {
        return blank < 0 ? blank : zero;
    }
    if (blank == 0 && zero == 0) {
        if ((flags & LK_NOR_OVERWRITE) == 0) {
            return LK_E_EXISTS;
        }
        for (uint32_t s = 0; s < nor->sector_count; s++) {
            (void)lk_nor_erase(nor, s); /* one that cannot be erased is found out when it is used */
        }
    } else if ((flags & (LK_NOR_FORMAT | LK_NOR_OVERWRITE)) == 0) {
        return LK_E_NOT_FOUND;
    }
    nor->generation = 0;
    nor->newest = 0;
    nor->from = 0;
    nor->last = NOR_NONE;
    nor->active = nor->sector_count - 2;
    nor->free_count = nor->sector_count;
    int rc = lk_nor_open_sector(nor, 0);
    nor->settled = false;
    return rc == LK_E_FULL ? LK_E_IO : rc;
}

int lk_nor_mount(struct lk_nor *nor, enum lk_mode mode)
{
    int rc = mount_find(nor);
    if (rc == 0) {
        return mode == LK_READ ? LK_E_NOT_FOUND : mount_format(nor);
    }
    if (rc < 0) {
        return rc;
    }
    struct mount mount = {.nor = nor};
    rc = mount_log(&mount);
    if (rc == LK_OK) {
        rc = mount_count(nor);
    }
    nor->dirty = nor->dirty || nor->scrubbing || mount.data_bytes != nor->live_bytes;
    nor->dead_bytes = nor->sector_size;
    nor->programmed += nor->offset;
    return rc;
}
