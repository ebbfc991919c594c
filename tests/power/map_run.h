// SPDX-License-Identifier: MIT
/*
 * map_run.h: random operations on one or more storages at once, and on a plain sorted array.
 *
 * All must answer alike. With one storage, it may also fail (a power cut, a worn part): then the
 * batch is over, and map_settle says which of the two states it must be in.
 */
#ifndef LK_TEST_MAP_RUN_H
#define LK_TEST_MAP_RUN_H

#include "power.h"

#define MAP_ENTRIES 256
#define MAP_KEY     12
#define MAP_VALUE   600
#define MAP_STORES  3

struct map_entry {
    uint8_t key[MAP_KEY];
    size_t key_size;
    uint32_t fill;
    size_t value_size;
    uint32_t tally;
};

struct map_model {
    struct map_entry entries[MAP_ENTRIES];
    size_t count;
};

struct map_run {
    /* Filled by the caller. */
    struct lk_storage *storages[MAP_STORES]; /* open */
    size_t storage_count;
    uint64_t seed;
    size_t entries_max; /* at most MAP_ENTRIES */
    size_t value_max;   /* at most MAP_VALUE */
    bool may_fail;      /* with one storage: errors end the batch and are answered */
    /* Private. */
    struct lk_storage_txn txns[MAP_STORES];
    struct map_model now, kept; /* of the open batch; committed */
    bool committing;            /* the batch was to be committed when it failed */
    const char *difference;     /* what map_compare found last */
    uint64_t first_seed, operations, commits, put_bytes;
};

void map_begin(struct map_run *run);
/* One batch, committed or undone, or a few tallies. 0, or the error that ended it. */
int map_batch(struct map_run *run);
/* Everything, forwards and backwards, against `model`: 0, LK_E_FAULTS when it differs, or an error.
 */
int map_compare(struct map_run *run, const struct map_model *model);
/* After an error of map_batch: finds out whether the batch was committed. LK_E_FAULTS: neither. */
int map_settle(struct map_run *run);
uint32_t map_random(struct map_run *run, uint32_t below);

#endif
