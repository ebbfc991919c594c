// SPDX-License-Identifier: MIT
/* no_lmdb.c: there is no LMDB without files that are mapped into memory. */
#include "storage/map_help.h"

struct lk_storage *map_help_lmdb(uint32_t value_max)
{
    (void)value_max;
    return NULL;
}

void map_help_lmdb_drop(void)
{
}
