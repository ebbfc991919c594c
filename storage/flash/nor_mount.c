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
    bool look;                        /* for the log's beginning only */
    bool light;                       /* nothing in this sector would be missed */
    const struct nor_header *witness; /* of a sector that is given up: what it told stays true */
    bool headless;         /* the first batch may have lost its beginning to collection */
    struct nor_frame held; /* at 0: none */
    bool sure;             /* what came before the held one is SURE */
    uint32_t batch_at;     /* first frame of the batch that was not committed yet; 0: none */
    uint32_t batch_count;
    uint32_t data_bytes;
};

/* Goes through the batch again, now that it is known to count. */
static int mount_batch(struct mount *mount, uint32_t stop)
{
    struct lk_nor *nor = mount->nor;
    uint32_t sector = nor_sector_of(nor, mount->batch_at);
    uint32_t offset = mount->batch_at - nor_sector_at(nor, sector);
    uint32_t generation = lk_nor_generation_of(nor, sector);
    for (;;) {
        struct nor_walk walk;
        struct nor_frame frame;
        int more = lk_nor_walk_log(nor, sector, generation, &walk);
        int rc = more;
        walk.offset = offset;
        while (rc >= 0 && (rc = lk_nor_walk_next(nor, &walk, &frame)) == 1) {
            if (frame.at == stop) {
                return LK_OK;
            }
            rc = nor_is_batch(frame.type) ? lk_nor_index_apply(nor, &frame) : LK_OK;
        }
        if (rc < 0 || more == 0 || nor_sector_of(nor, stop) == sector) {
            return rc;
        }
        sector = walk.next;
        generation = walk.header.generation;
        offset = nor->begin;
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

static int mount_tally(struct lk_nor *nor, uint32_t at, bool add, uint32_t count)
{
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
    case NOR_TALLY: return mount->look ? LK_OK : mount_tally(nor, argument * nor->step, true, 0);
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

static int mount_apply(struct mount *mount, const struct nor_frame *frame)
{
    struct lk_nor *nor = mount->nor;
    switch (frame->type) {
    case NOR_DAMAGED: return LK_OK;
    case NOR_PUT:
    case NOR_PUT_FIRST:
    case NOR_REMOVE:
    case NOR_REMOVE_FIRST:
        if (frame->type == NOR_PUT_FIRST || frame->type == NOR_REMOVE_FIRST) {
            mount->headless = false;
            mount->batch_at = 0;
        }
        mount->data_bytes += frame->size;
        if (mount->batch_at == 0) {
            mount->batch_at = frame->at;
            mount->batch_count = 0;
        }
        mount->batch_count++;
        return LK_OK;
    case NOR_COPY:
    case NOR_COUNTED:
        mount->data_bytes += frame->size;
        return mount->look ? LK_OK : lk_nor_index_apply(nor, frame);
    case NOR_TALLY_WIDE:
        if (mount->look || !frame->sound) {
            return LK_OK;
        }
        nor->again = frame->body[0];
        return mount_tally(nor, nor->again, false, frame->body[1]);
    default: return mount_word(mount, frame->word, frame->at);
    }
}

/*
 * The last frame of the newest sector: whoever wrote it may have had no time to finish. So it is
 * left out of what the sector is told to have, and what it is held for is told again with that.
 */
static int mount_last(struct mount *mount, const struct nor_walk *walk)
{
    struct lk_nor *nor = mount->nor;
    uint8_t type = mount->held.type;
    nor->settled = mount->sure && type == NOR_SURE && mount->held.argument == 0;
    nor->from = walk->offset;
    nor->last = NOR_NONE;
    nor->again = 0;
    if (mount->held.at == 0) {
        return LK_OK;
    }
    nor->from = mount->held.at % nor->sector_size;
    if (nor_is_batch(type) || type == NOR_COPY || type == NOR_COUNTED || type == NOR_DAMAGED) {
        /* Not committed; and what was copied is still where it was, for nothing has gone since. */
        nor->dirty = true;
        return LK_OK;
    }
    if (type != NOR_SURE && type != NOR_TALLY_WIDE) {
        nor->last = mount->held.word;
    }
    int rc = mount_apply(mount, &mount->held);
    nor->again = type == NOR_TALLY_WIDE ? nor->again : 0;
    return rc;
}

/*
 * The COMMIT of a batch that is all there, but for one bit. Damaged, it still counts; torn, it may.
 * What is not one may look like it by less chance than a torn word may look whole.
 */
static int mount_near_commit(const struct mount *mount, struct nor_walk *walk,
                             struct nor_frame *frame, int rc)
{
    const struct lk_nor *nor = mount->nor;
    const struct nor_frame *held = &mount->held;
    uint32_t offset = rc == 1 ? walk->offset - frame->size : walk->offset;
    uint32_t differ;
    if (held->at == 0 || !nor_is_batch(held->type) || offset + nor->step > walk->end ||
        (rc == 1 && frame->size != nor->step)) {
        return rc;
    }
    bool first =
        held->type == NOR_PUT_FIRST || held->type == NOR_REMOVE_FIRST || mount->batch_at == 0;
    uint32_t count = first ? 1 : mount->batch_count + 1;
    uint32_t at = nor_sector_at(nor, walk->sector) + offset;
    uint32_t word = lk_nor_word_make(NOR_COMMIT, count & NOR_COUNT_BITS, walk->generation, at);
    if (lk_nor_word(nor, at, &differ) != LK_OK) {
        return LK_E_IO;
    }
    differ ^= word;
    if ((differ & (differ - 1)) != 0) {
        return rc;
    }
    *frame = (struct nor_frame){
        .at = at, .size = nor->step, .word = word, .type = NOR_COMMIT, .sound = rc != 1};
    walk->offset = offset + nor->step;
    return 1;
}

/* `next` is the header that tells where this sector ends; NULL: it is the newest. */
static int mount_sector(struct mount *mount, struct nor_walk *walk, const struct nor_header *next)
{
    struct lk_nor *nor = mount->nor;
    struct nor_frame frame;
    int rc;
    mount->held.at = 0;
    mount->sure = false;
    mount->light = true;
    for (;;) {
        rc = lk_nor_walk_next(nor, walk, &frame);
        if (rc == 0 || (rc == 1 && frame.type == NOR_DAMAGED)) {
            rc = mount_near_commit(mount, walk, &frame, rc);
        }
        if (rc != 1) {
            break;
        }
        if (mount->held.at != 0) {
            rc = mount_apply(mount, &mount->held);
            if (rc != LK_OK) {
                return rc;
            }
            mount->sure = mount->held.type == NOR_SURE && mount->held.argument == 0;
        }
        mount->held = frame;
        mount->light = mount->light && (frame.type == NOR_SURE || frame.type == NOR_COPY ||
                                        frame.type == NOR_COUNTED);
        if (!frame.sound) {
            nor->damaged = true;
        }
    }
    if (rc < 0) {
        return rc;
    }
    if (walk->broken) {
        nor->damaged = true;
    }
    if (next == NULL) {
        return mount_last(mount, walk);
    }
    if (walk->offset < walk->end) {
        nor->damaged = true;
    }
    rc = mount->held.at != 0 ? mount_apply(mount, &mount->held) : LK_OK;
    if (rc == LK_OK && next->last != NOR_NONE) {
        rc = mount_word(mount, next->last, nor_sector_at(nor, walk->sector) + walk->end - 1);
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
        int rc = lk_nor_walk_log(nor, sector, generation, &walk);
        if (rc < 0) {
            return rc;
        }
        const struct nor_header *next = rc == 1 ? &walk.header : mount->witness;
        bool more = rc == 1;
        if (!more && next != NULL) {
            walk.end = lk_nor_walk_end(nor, next);
            walk.sealed = true;
        }
        rc = mount_sector(mount, &walk, next);
        if (rc != LK_OK || !more) {
            return rc;
        }
        sector = walk.next;
        generation = walk.header.generation;
    }
}

/* The newest sector of those whose first frame holds: a header that nothing follows may itself not
 * be whole. 1: there is one; 0: `active` may be of such a header. */
static int mount_newest(struct lk_nor *nor, struct nor_header *header)
{
    int found = 0;
    int other = LK_OK;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header h;
        struct nor_frame frame;
        int rc = lk_nor_header(nor, s, &h);
        if (rc == LK_E_IO || rc == LK_E_NEWER) {
            return rc;
        }
        other = rc < 0 ? rc : other;
        if (rc != 1 || h.generation == 0) {
            continue;
        }
        nor->newest = h.generation > nor->newest ? h.generation : nor->newest;
        nor->erase_total = h.erase_total > nor->erase_total ? h.erase_total : nor->erase_total;
        if (found == 1 && h.generation <= header->generation) {
            continue;
        }
        struct nor_walk walk;
        lk_nor_walk_of(nor, s, h.generation, &walk);
        rc = lk_nor_walk_next(nor, &walk, &frame);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1 || found == 0) {
            nor->active = s;
            *header = h;
        }
        found = rc == 1 ? 1 : found;
    }
    return other != LK_OK ? other : found;
}

static int mount_count(struct lk_nor *nor)
{
    bool free = true;
    uint32_t sector = nor->active;
    nor->free_count = 0;
    nor->retired_count = 0;
    for (uint32_t i = 0; i < nor->sector_count; i++) {
        int counts = lk_nor_counts(nor, sector);
        if (counts < 0) {
            return LK_E_IO;
        }
        nor->retired_count += counts == NOR_BAD ? 1 : 0;
        nor->free_count += counts == 1 && free && i > 0 ? 1 : 0;
        sector = nor_after(nor, sector);
        free = free && sector != nor->tail;
    }
    return LK_OK;
}

/* Where the log begins, which only its end can tell. */
static int mount_tail(struct lk_nor *nor, const struct nor_header *newest, bool *light)
{
    struct mount look = {.nor = nor, .look = true};
    struct nor_walk walk;
    lk_nor_walk_of(nor, nor->active, nor->generation, &walk);
    nor->tail_generation = newest->tail_generation;
    nor->scrubbing = newest->scrubbing;
    int rc = mount_sector(&look, &walk, NULL);
    if (rc != LK_OK) {
        return rc;
    }
    *light = look.light;
    nor->tail = nor->active;
    uint32_t oldest = nor->generation;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        struct nor_header header;
        rc = lk_nor_header(nor, s, &header);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1 && header.generation >= nor->tail_generation && header.generation < oldest) {
            oldest = header.generation;
            nor->tail = s;
        }
    }
    if (oldest != nor->tail_generation) {
        nor->damaged = true;
    }
    nor->tail_generation = oldest;
    return mount_count(nor);
}

/* Which sectors are the log. 1, or 0 where there is none. */
static int mount_find(struct lk_nor *nor, struct nor_header *witness, bool *given_up)
{
    struct nor_header header;
    int rc = mount_newest(nor, &header);
    if (rc != 1) {
        return rc;
    }
    bool light = false;
    nor->generation = header.generation;
    nor->programmed = (uint64_t)header.programmed_kib << 10;
    rc = mount_tail(nor, &header, &light);
    if (rc != LK_OK || !light || nor->free_count > 0 || nor->tail == nor->active) {
        return rc == LK_OK ? 1 : rc;
    }
    /* Cuts have left no free sector. This one has only copies, so that it can be taken again. */
    *witness = header;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        rc = lk_nor_header(nor, s, &header);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1 && header.generation == witness->before) {
            *given_up = true;
            nor->active = s;
            nor->generation = header.generation;
        }
    }
    rc = mount_count(nor);
    return rc == LK_OK ? 1 : rc;
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
    if (nor->newest > 0) {
        /* A header and no log: a format that was cut, unless there is more than that leaves. */
        uint32_t from = nor_sector_at(nor, nor->active) + nor->begin + 3u * nor->step;
        uint32_t end = nor_sector_at(nor, nor->active) + nor->sector_size;
        int rc = lk_nor_blank(nor, from, end);
        if (rc != LK_OK) {
            return rc;
        }
    }
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
    struct nor_header witness;
    bool given_up = false;
    int rc = mount_find(nor, &witness, &given_up);
    if (rc == 0) {
        return mode == LK_READ ? LK_E_NOT_FOUND : mount_format(nor);
    }
    if (rc < 0) {
        return rc;
    }
    struct mount mount = {.nor = nor, .witness = given_up ? &witness : NULL};
    rc = mount_log(&mount);
    if (given_up) {
        nor->from = witness.from;
        nor->last = witness.last;
        nor->again = 0;
        nor->settled = false;
    }
    if (nor->scrubbing || mount.data_bytes != nor->live_bytes) {
        nor->dirty = true;
    }
    nor->dead_bytes = nor->sector_size;
    return rc;
}
