// SPDX-License-Identifier: MIT
/* lmdb_help.h: places and files for the tests of the LMDB backend. */
#ifndef LK_TEST_LMDB_HELP_H
#define LK_TEST_LMDB_HELP_H

#include "lk_lmdb.h"
#include "map_help.h"

#define LMDB_HELP_PATH 256

/* A path under $TMPDIR (or /dev/shm, /tmp) that nothing has yet. */
void lmdb_help_place(char path[LMDB_HELP_PATH]);
/* Removes a directory with the plain files in it. */
void lmdb_help_remove(const char *path);
void lmdb_help_join(char out[LMDB_HELP_PATH], const char *directory, const char *name);
/* A whole file in memory; the caller frees it. */
uint8_t *lmdb_help_load(const char *path, size_t *size);
bool lmdb_help_save(const char *path, const void *data, size_t size);
/* Copies of `needle` in `hay`. */
size_t lmdb_help_count(const uint8_t *hay, size_t hay_size, const void *needle, size_t size);
uint32_t lmdb_help_random(uint64_t *seed);

#endif
