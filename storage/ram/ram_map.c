// SPDX-License-Identifier: MIT
/* ram_map.c: blocks and table of the map in RAM. */
#include "ram_map.h"

int lk_ram_compare(struct lk_span a, struct lk_span b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int rc = size > 0 ? memcmp(a.data, b.data, size) : 0;
    if (rc != 0) {
        return rc;
    }
    return a.size < b.size ? -1 : (a.size > b.size ? 1 : 0);
}

uint32_t lk_ram_find(const struct lk_ram *ram, struct lk_span key, bool *same)
{
    uint32_t low = 0;
    uint32_t high = ram_count(ram);
    *same = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int rc = lk_ram_compare(ram_key(ram, ram_at(ram, middle)), key);
        if (rc < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *same = *same || rc == 0;
        }
    }
    return low;
}

void lk_ram_table_insert(struct lk_ram *ram, uint32_t index, uint32_t block)
{
    uint32_t table = ram_table(ram);
    memmove(ram->memory + table - RAM_SLOT, ram->memory + table, (size_t)index * RAM_SLOT);
    ram_set32(ram, RAM_AT_COUNT, ram_count(ram) + 1);
    ram_set32(ram, ram_slot(ram, index), block);
}

void lk_ram_table_remove(struct lk_ram *ram, uint32_t index)
{
    uint32_t table = ram_table(ram);
    memmove(ram->memory + table + RAM_SLOT, ram->memory + table, (size_t)index * RAM_SLOT);
    ram_set32(ram, RAM_AT_COUNT, ram_count(ram) - 1);
}

void lk_ram_kill(struct lk_ram *ram, uint32_t block)
{
    ram_set16(ram, block + 10, RAM_DEAD);
    ram_set32(ram, RAM_AT_DEAD, ram_get32(ram, RAM_AT_DEAD) + ram_block_size(ram, block));
}

void lk_ram_retire(struct lk_ram *ram, uint32_t block)
{
    if (block >= ram_get32(ram, RAM_AT_BATCH)) {
        lk_ram_kill(ram, block);
        return;
    }
    ram_set16(ram, block + 10, RAM_OLD);
    ram_set32(ram, block + 4, ram_get32(ram, RAM_AT_OLD));
    ram_set32(ram, RAM_AT_OLD, block);
}

void lk_ram_tidy(struct lk_ram *ram)
{
    uint32_t top = ram_get32(ram, RAM_AT_TOP);
    uint32_t batch = ram_get32(ram, RAM_AT_BATCH);
    uint32_t new_batch = 0;
    uint32_t to = RAM_HEAD;
    ram_set32(ram, RAM_AT_OLD, 0);
    for (uint32_t from = RAM_HEAD; from < top;) {
        uint32_t size = ram_block_size(ram, from);
        uint16_t state = ram_get16(ram, from + 10);
        if (batch != 0 && new_batch == 0 && from >= batch) {
            new_batch = to;
        }
        if (state == RAM_DEAD) {
            from += size;
            continue;
        }
        if (state == RAM_LIVE) {
            bool same;
            uint32_t index = lk_ram_find(ram, ram_key(ram, from), &same);
            memmove(ram->memory + to, ram->memory + from, size);
            ram_set32(ram, ram_slot(ram, index), to);
        } else {
            memmove(ram->memory + to, ram->memory + from, size);
            ram_set32(ram, to + 4, ram_get32(ram, RAM_AT_OLD));
            ram_set32(ram, RAM_AT_OLD, to);
        }
        to += size;
        from += size;
    }
    ram_set32(ram, RAM_AT_TOP, to);
    ram_set32(ram, RAM_AT_DEAD, 0);
    if (batch != 0) {
        ram_set32(ram, RAM_AT_BATCH, new_batch != 0 ? new_batch : to);
    }
}

void lk_ram_undo(struct lk_ram *ram)
{
    uint32_t batch = ram_get32(ram, RAM_AT_BATCH);
    uint32_t count = ram_count(ram);
    uint32_t kept = 0;
    /* First, since the table may grow over what the batch wrote: its dead are counted out again. */
    uint32_t dead = ram_get32(ram, RAM_AT_DEAD);
    for (uint32_t block = batch; block < ram_get32(ram, RAM_AT_TOP);) {
        uint32_t size = ram_block_size(ram, block);
        dead -= ram_get16(ram, block + 10) == RAM_DEAD ? size : 0;
        block += size;
    }
    /* From the top of the table down, so that what stays slides towards the end. */
    for (uint32_t i = count; i > 0; i--) {
        uint32_t block = ram_get32(ram, ram->size - (count - i + 1) * RAM_SLOT);
        if (block < batch) {
            kept++;
            ram_set32(ram, ram->size - kept * RAM_SLOT, block);
        }
    }
    ram_set32(ram, RAM_AT_COUNT, kept);
    for (uint32_t block = ram_get32(ram, RAM_AT_OLD); block != 0;) {
        uint32_t next = ram_get32(ram, block + 4);
        bool same;
        ram_set16(ram, block + 10, RAM_LIVE);
        lk_ram_table_insert(ram, lk_ram_find(ram, ram_key(ram, block), &same), block);
        block = next;
    }
    ram_set32(ram, RAM_AT_DEAD, dead);
    ram_set32(ram, RAM_AT_TOP, batch);
    ram_set32(ram, RAM_AT_OLD, 0);
    ram_set32(ram, RAM_AT_BATCH, 0);
}
