// SPDX-License-Identifier: MIT
/*
 * lk_ram.h: the ordered map in memory that the caller gives.
 *
 * Limitations
 * - Nothing outlives the memory. A handle may be closed and opened again, or made anew over the
 *   same memory and size: it sees what was committed, and an open batch is undone.
 * - No snapshots: begin(write) with a reader open answers LK_E_BUSY, and the other way round.
 * - 64 bytes, and for each entry 20 bytes besides key and value (rounded up to 4), from at most
 *   4 GiB. Replaced and deleted entries are given back when a batch ends; the memory is then
 *   tidied by moving, when it is needed.
 * - A lookup is a binary search, an insertion moves half of a table of 4 bytes an entry.
 */
#ifndef LK_RAM_H
#define LK_RAM_H

#include "lk_storage.h"

/* The least memory that a handle takes. */
#define LK_RAM_SIZE_MIN 256

/* The handle. Transparent for static allocation; fields are private. */
struct lk_ram {
    struct lk_storage storage;
    uint8_t *memory;
    uint32_t size;
    bool open;
    enum lk_mode mode;
    bool writing;
    uint32_t reader_count;
    uint64_t version; /* of what readers see */
    uint64_t commit_count;
};

/*
 * Fills a handle over `memory`, which is all zero or holds a map made with the same `size`, and
 * outlives the handle. `value_max` 0 means 8192. LK_E_ARGUMENT for less than LK_RAM_SIZE_MIN.
 */
int lk_ram_init(struct lk_ram *ram, void *memory, size_t size, size_t value_max);

/* Whether the map keeps tallies; at first it does. Without, tally() answers LK_E_UNSUPPORTED. */
void lk_ram_tally_set(struct lk_ram *ram, bool on);

/* Makes the map of a closed handle empty, whatever its memory holds. LK_E_BUSY while open. */
int lk_ram_format(struct lk_ram *ram);

#endif
