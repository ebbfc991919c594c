// SPDX-License-Identifier: MIT
/*
 * lk_nor.h: the ordered map in NOR flash, behind the port's flash interface.
 *
 * A ring of sectors is written as one log of frames; an index in RAM, of a position a key, gives
 * the order. SPEC.md has every byte, DESIGN.md the reasons.
 *
 * Limitations
 * - One handle a region, one thread. No snapshots: begin(write) with a reader open answers
 *   LK_E_BUSY, and the other way round.
 * - 4 to 32767 sectors of 1 KiB to 256 KiB; program units of 1, 4, 8 or 16 bytes. A key and its
 *   value must fit into a sector with what surrounds them: see LK_NOR_VALUE_LIMIT.
 * - Where flash cannot be read as memory, spans lie in the cache and end with the next call on any
 *   transaction; where it can, they end with the next write.
 * - LK_COMMIT_LAZY is taken for LK_COMMIT_DURABLE.
 * - open(LK_READ) writes nothing, so what a power cut left uncertain stays so until somebody opens
 *   for writing.
 */
#ifndef LK_NOR_H
#define LK_NOR_H

#include "lk_port.h"
#include "lk_storage.h"

enum lk_nor_flags {
    LK_NOR_FORMAT = 1,   /* open(LK_WRITE) makes a store where all is blank or all is zero */
    LK_NOR_OVERWRITE = 2 /* ... and where there is something that is not a store */
};

/* Const, and outlives the handle. Zero means the default. */
struct lk_nor_config {
    const struct lk_flash *flash;
    void *self;            /* handed to every function of `flash` */
    uint32_t first_sector; /* the region: sectors of the part's geometry */
    uint32_t sector_count; /* 4 at least; 0: all from `first_sector` on */
    void *index;           /* aligned to 4; LK_NOR_INDEX_SIZE bytes */
    size_t index_size;
    void *cache; /* LK_NOR_CACHE_SIZE bytes; may be NULL where the geometry has `mapped` */
    size_t cache_size;
    size_t value_max; /* bytes of a value; 0: LK_NOR_VALUE_LIMIT of the part, at most 8192 */
    uint32_t flags;   /* enum lk_nor_flags */
};

/* Positions count in steps: program units, but 4 bytes at least. */
#define LK_NOR_STEP(program_unit) ((program_unit) < 4 ? 4u : (unsigned)(program_unit))
/* Bytes of index for one key: 2 while all positions fit into 16 bits. */
#define LK_NOR_ENTRY_SIZE(region_size, program_unit)                                               \
    ((region_size) / LK_NOR_STEP(program_unit) <= 0x10000u ? 2u : 4u)
/* Bytes of index for `entries` keys, of which `batch` are put or removed in one transaction. */
#define LK_NOR_INDEX_SIZE(entries, batch, region_size, program_unit)                               \
    (((size_t)(entries) + (batch)) * LK_NOR_ENTRY_SIZE(region_size, program_unit))
/* Bytes of cache for values of at most `value_max` bytes. */
#define LK_NOR_CACHE_SIZE(value_max) ((size_t)(value_max) + LK_KEY_MAX)
/* Bytes of a value that fit into a sector with the largest key. */
#define LK_NOR_VALUE_LIMIT(sector_size) ((size_t)(sector_size)-LK_KEY_MAX - 112)

#define LK_NOR_TALLY_MAX 8 /* keys whose tallies are not yet folded into their record */

/* Tallies that are in the log but not in the record's own frame. */
struct lk_nor_tally {
    uint32_t at;    /* of the record's frame; 0: unused */
    uint32_t count; /* tallies after it */
};

/* The handle. Transparent for static allocation; fields are private. */
struct lk_nor {
    struct lk_storage storage;
    const struct lk_nor_config *config;
    /* What is one byte comes first, then words that are used often: both have short addresses. */
    uint8_t step;
    int8_t trouble; /* of the flash, since the operation began: enum lk_error */
    uint8_t keep;   /* sectors that must be free before an ordinary write takes one */
    bool narrow;    /* positions of 16 bits */
    bool open;
    bool writing;
    bool writable; /* opened so */
    bool broken;   /* nothing can be written any more */
    bool lost;     /* the index is not what the log says: open again */
    bool settled;  /* what the log ends with is certain */
    bool dirty;    /* there is something to scrub */
    bool fresh;    /* the active sector was opened in this session */
    bool going;    /* and the log says that this session writes */
    bool damaged;  /* something in the log did not read as it was written */
    bool scrubbing;
    uint8_t begin; /* in a sector, of its frames: behind its header and the mark of retirement */
    const uint8_t *mapped; /* the region, or NULL */
    uint32_t base;         /* address of the region */
    uint32_t magic; /* the first two words of every header, but for whether a scrub had begun */
    uint32_t form;
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t limit; /* in a sector, where frames of data end at the latest */
    uint32_t index_max;
    uint32_t main_count;    /* committed keys, from the start of the index */
    uint32_t pending_count; /* of the open batch, at its end */
    uint32_t generation;    /* of the active sector */
    uint32_t newest;        /* the highest seen */
    uint32_t active;        /* sector */
    uint32_t offset;        /* in it: where the next frame goes */
    uint32_t from;          /* in it: where what counts ends */
    uint32_t last;          /* word told again with it */
    uint32_t tail;          /* the oldest sector of the log */
    uint32_t tail_generation;
    uint32_t free_count;
    uint32_t live_bytes;
    uint32_t dead_bytes; /* that came to be dead since collecting could not help any more */
    uint32_t batch_at;   /* first frame of the open batch; 0: none */
    uint32_t batch_count;
    uint32_t batch_bytes;
    int32_t batch_growth;
    uint32_t tally_at; /* what the open transaction tallies; 0: nothing */
    uint32_t reader_count;
    uint32_t again; /* tally that has to be told again; 0: none */
    int32_t credit; /* bytes that may be copied */
    uint32_t retired_count;
    uint32_t erase_total;
    struct lk_nor_tally tallies[LK_NOR_TALLY_MAX];
    uint64_t programmed;
    uint64_t version;
    uint64_t commit_count;
};

/*
 * Fills a handle; nothing is read but the geometry. LK_E_ARGUMENT: a geometry or a size out of the
 * limits above; LK_E_SPACE: index or cache too small.
 *
 * open() answers LK_E_NOT_FOUND where there is no store and the flags allow none to be made (or the
 * mode is LK_READ), LK_E_EXISTS where there is something else, LK_E_NEWER for a newer layout, which
 * is left untouched, LK_E_CORRUPT for a store of another geometry, LK_E_SPACE for an index that is
 * too small for what is stored, LK_E_IO.
 */
int lk_nor_init(struct lk_nor *nor, const struct lk_nor_config *config);

#endif
