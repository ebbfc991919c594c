// SPDX-License-Identifier: MIT
/* power_nor.c: the map in NOR flash as a backend of the rig. */
#include "lk_nor.h"
#include "power.h"

#define NOR_ENTRIES 2000
#define NOR_BATCH   1000

struct nor_handle {
    struct lk_nor nor;
    struct lk_nor_config config;
    uint32_t index[LK_NOR_INDEX_SIZE(NOR_ENTRIES, NOR_BATCH, 1u << 24, 1) / 4];
    uint32_t cache[LK_NOR_CACHE_SIZE(LK_VALUE_MAX) / 4 + 1];
};

static struct lk_storage *nor_make(struct power_rig *rig)
{
    struct nor_handle *handle = rig->handle;

    assert_true(sizeof(*handle) <= rig->handle_size);
    handle->config = (struct lk_nor_config){.flash = &lk_fake_flash_ops,
                                            .self = &rig->flash,
                                            .index = handle->index,
                                            .index_size = sizeof handle->index,
                                            .cache = handle->cache,
                                            .cache_size = sizeof handle->cache,
                                            .value_max = LK_VALUE_MAX,
                                            .flags = LK_NOR_FORMAT};
    return lk_nor_init(&handle->nor, &handle->config) ? NULL : &handle->nor.storage;
}

const struct power_backend power_backend_nor = {"flash", nor_make};
