// SPDX-License-Identifier: MIT
/* lmdb_map.c: a map on LMDB for tests that compare backends. */
#include "lmdb_help.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct lk_lmdb lmdb_map;
static char lmdb_map_place[LMDB_HELP_PATH];

struct lk_storage *map_help_lmdb(uint32_t value_max)
{
    static struct lk_lmdb_config config = {.flags = LK_LMDB_CREATE};

    config.value_max = value_max;
    lmdb_help_place(lmdb_map_place);
    assert_int_equal(lk_lmdb_init(&lmdb_map, lmdb_map_place, &config), LK_OK);
    return &lmdb_map.storage;
}

void map_help_lmdb_drop(void)
{
    lmdb_help_remove(lmdb_map_place);
}
