// SPDX-License-Identifier: MIT
/* flash_help.c: a map on the strict flash of port/fake, for the tests of storage/flash. */
#include "flash_help.h"

#include <stdlib.h>
#include <string.h>

const struct flash_geometry flash_geometries[FLASH_GEOMETRY_COUNT] = {
    {"1Kx16/1", 1024, 16, 1, true, 0},        {"4Kx16/4", 4096, 16, 4, true, 3000},
    {"1Kx64/4", 1024, 64, 4, true, 0},        {"4Kx16/8 read", 4096, 16, 8, false, 3000},
    {"256Kx4/16", 262144, 4, 16, true, 3000},
};

#define FLASH_ENTRIES 8192

struct flash_rig *flash_rig_new(const struct flash_geometry *geometry, uint64_t seed)
{
    struct flash_rig *rig = calloc(1, sizeof *rig);
    if (rig == NULL) {
        abort();
    }
    size_t memory_size =
        LK_FAKE_FLASH_MEMORY(geometry->sector_size, geometry->sector_count, geometry->program_unit);
    size_t value_max =
        geometry->value_max != 0 ? geometry->value_max : LK_NOR_VALUE_LIMIT(geometry->sector_size);
    rig->geometry = geometry;
    rig->memory = calloc(1, memory_size);
    rig->index = calloc(FLASH_ENTRIES, 4);
    rig->cache = calloc(1, LK_NOR_CACHE_SIZE(value_max));
    struct lk_fake_flash_config part = {.sector_size = geometry->sector_size,
                                        .sector_count = geometry->sector_count,
                                        .program_unit = geometry->program_unit,
                                        .mapped = geometry->mapped,
                                        .seed = seed,
                                        .memory = rig->memory,
                                        .memory_size = memory_size};
    rig->config = (struct lk_nor_config){.flash = &lk_fake_flash_ops,
                                         .self = &rig->flash,
                                         .index = rig->index,
                                         .index_size = (size_t)FLASH_ENTRIES * 4,
                                         .cache = geometry->mapped ? NULL : rig->cache,
                                         .cache_size = LK_NOR_CACHE_SIZE(value_max),
                                         .value_max = value_max,
                                         .flags = LK_NOR_FORMAT};
    if (rig->memory == NULL || rig->index == NULL || rig->cache == NULL ||
        lk_fake_flash_init(&rig->flash, &part) != LK_OK ||
        lk_nor_init(&rig->nor, &rig->config) != LK_OK) {
        abort();
    }
    return rig;
}

void flash_rig_free(struct flash_rig *rig)
{
    free(rig->memory);
    free(rig->index);
    free(rig->cache);
    free(rig);
}

int flash_rig_restart(struct flash_rig *rig)
{
    lk_fake_flash_power_on(&rig->flash);
    memset(rig->index, 0xA5, (size_t)FLASH_ENTRIES * 4);
    int rc = lk_nor_init(&rig->nor, &rig->config);
    return rc == LK_OK ? rig->nor.storage.ops->open(&rig->nor.storage, LK_WRITE) : rc;
}

static struct lk_span flash_key(const char *key)
{
    return (struct lk_span){(const uint8_t *)key, strlen(key)};
}

int flash_put(struct flash_rig *rig, const char *key, const void *value, size_t size)
{
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_txn txn = {0};
    int rc = s->ops->begin(s, &txn, LK_WRITE);
    if (rc != LK_OK) {
        return rc;
    }
    rc = s->ops->put(&txn, flash_key(key), (struct lk_span){value, size});
    int end = s->ops->commit(&txn, LK_COMMIT_DURABLE);
    return rc != LK_OK ? rc : end;
}

int flash_remove(struct flash_rig *rig, const char *key)
{
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_txn txn = {0};
    int rc = s->ops->begin(s, &txn, LK_WRITE);
    if (rc != LK_OK) {
        return rc;
    }
    rc = s->ops->remove(&txn, flash_key(key));
    int end = s->ops->commit(&txn, LK_COMMIT_DURABLE);
    return rc != LK_OK ? rc : end;
}

int flash_expect(struct flash_rig *rig, const char *key, const void *value, size_t size)
{
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_txn txn = {0};
    struct lk_span found;
    int rc = s->ops->begin(s, &txn, LK_READ);
    if (rc != LK_OK) {
        return rc;
    }
    rc = s->ops->get(&txn, flash_key(key), &found);
    if (rc == LK_OK && (found.size != size || (size > 0 && memcmp(found.data, value, size) != 0))) {
        rc = LK_E_CHECK;
    }
    s->ops->abort(&txn);
    return rc;
}

struct lk_storage_stat flash_stat(struct flash_rig *rig)
{
    struct lk_storage_stat stat = {0};
    if (rig->nor.storage.ops->stat(&rig->nor.storage, &stat) != LK_OK) {
        abort();
    }
    return stat;
}
