// SPDX-License-Identifier: MIT
/* map_help.h: quick writes and sums over any backend, and one on LMDB where there is LMDB. */
#ifndef LK_TEST_MAP_HELP_H
#define LK_TEST_MAP_HELP_H

#include "lk_storage.h"

/* One batch of `count` puts: keys "k%06u" from `first`, values of `size` bytes made from `salt`. */
int map_help_put(struct lk_storage *s, uint32_t first, uint32_t count, size_t size, uint32_t salt,
                 enum lk_commit_mode mode);
/* A number over every key and value, or an error. */
int map_help_sum(struct lk_storage *s, uint64_t *sum, uint64_t *count);
/* A new map on LMDB, one at a time, until map_help_lmdb_drop; NULL on a board without LMDB. */
struct lk_storage *map_help_lmdb(uint32_t value_max);
void map_help_lmdb_drop(void);

#endif
