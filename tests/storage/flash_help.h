// SPDX-License-Identifier: MIT
/* flash_help.h: a map on the strict flash of port/fake, for the tests of storage/flash. */
#ifndef LK_TEST_FLASH_HELP_H
#define LK_TEST_FLASH_HELP_H

#include "lk_fake_flash.h"
#include "lk_nor.h"

struct flash_geometry {
    const char *name;
    uint32_t sector_size, sector_count, program_unit;
    bool mapped;
    size_t value_max; /* 0: the most */
};

#define FLASH_GEOMETRY_COUNT 5
extern const struct flash_geometry flash_geometries[FLASH_GEOMETRY_COUNT];

/* A part and the map on it. */
struct flash_rig {
    const struct flash_geometry *geometry;
    struct lk_fake_flash flash;
    struct lk_nor nor;
    struct lk_nor_config config;
    void *memory;
    void *index;
    void *cache;
};

/* A part as delivered, and a handle over it that is not open. */
struct flash_rig *flash_rig_new(const struct flash_geometry *geometry, uint64_t seed);
void flash_rig_free(struct flash_rig *rig);
/* Power comes back: a handle made anew, open again. The answer is open()'s. */
int flash_rig_restart(struct flash_rig *rig);

/* One batch of its own: 0 or the first error. */
int flash_put(struct flash_rig *rig, const char *key, const void *value, size_t size);
int flash_remove(struct flash_rig *rig, const char *key);
/* LK_OK, when `key` has this value. */
int flash_expect(struct flash_rig *rig, const char *key, const void *value, size_t size);
struct lk_storage_stat flash_stat(struct flash_rig *rig);

#endif
