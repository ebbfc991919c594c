// SPDX-License-Identifier: MIT
/*
 * ram_map.h: the memory of the map in RAM, seen as blocks and a table.
 *
 * The memory: a head; blocks upwards from it, in the order they were written; the table downwards
 * from the end: offsets of the live blocks, the smallest key at the lowest address.
 *
 * A block is never changed, but for its tally when a transaction that tallies commits. Replacing or
 * deleting one that was committed before takes it from the table and puts it on the list of the
 * old, which an abort puts back; what the batch itself wrote lies behind `batch`. So a deletion
 * takes no memory at all, and works in a full map.
 */
#ifndef LK_RAM_MAP_H
#define LK_RAM_MAP_H

#include "lk_ram.h"

#include <string.h>

#define RAM_MAGIC UINT32_C(0x4D521002)
#define RAM_HEAD  64u
#define RAM_BLOCK 16u /* value size u32, next old block u32, key size u16, state u16, tally u32 */
#define RAM_SLOT  4u

enum ram_word { /* of the head, u32 each */
                RAM_AT_MAGIC = 0,
                RAM_AT_SIZE = 4,
                RAM_AT_TOP = 8,    /* end of the blocks */
                RAM_AT_COUNT = 12, /* entries in the table */
                RAM_AT_DEAD = 16,  /* bytes in blocks that are neither live nor old */
                RAM_AT_BATCH = 20, /* where the open batch's blocks begin; 0: no batch */
                RAM_AT_OLD = 24    /* first of the old blocks; 0: none */
};

enum ram_state { RAM_LIVE = 1, RAM_OLD = 2, RAM_DEAD = 3 };

static inline struct lk_ram *ram_of(struct lk_storage *storage)
{
    /* The head is the first member, so both have one address. */
    return (struct lk_ram *)(void *)storage;
}

static inline uint32_t ram_get32(const struct lk_ram *ram, uint32_t at)
{
    uint32_t v;
    memcpy(&v, ram->memory + at, sizeof v);
    return v;
}

static inline void ram_set32(const struct lk_ram *ram, uint32_t at, uint32_t value)
{
    memcpy(ram->memory + at, &value, sizeof value);
}

static inline uint16_t ram_get16(const struct lk_ram *ram, uint32_t at)
{
    uint16_t v;
    memcpy(&v, ram->memory + at, sizeof v);
    return v;
}

static inline void ram_set16(const struct lk_ram *ram, uint32_t at, uint16_t value)
{
    memcpy(ram->memory + at, &value, sizeof value);
}

static inline struct lk_span ram_key(const struct lk_ram *ram, uint32_t block)
{
    return (struct lk_span){ram->memory + block + RAM_BLOCK, ram_get16(ram, block + 8)};
}

static inline struct lk_span ram_value(const struct lk_ram *ram, uint32_t block)
{
    struct lk_span key = ram_key(ram, block);
    return (struct lk_span){key.data + key.size, ram_get32(ram, block)};
}

static inline uint32_t ram_need(size_t key_size, size_t value_size)
{
    return (uint32_t)((RAM_BLOCK + key_size + value_size + 3) & ~(size_t)3);
}

static inline uint32_t ram_block_size(const struct lk_ram *ram, uint32_t block)
{
    return ram_need(ram_get16(ram, block + 8), ram_get32(ram, block));
}

static inline uint32_t ram_count(const struct lk_ram *ram)
{
    return ram_get32(ram, RAM_AT_COUNT);
}

static inline uint32_t ram_table(const struct lk_ram *ram)
{
    return ram->size - ram_count(ram) * RAM_SLOT;
}

static inline uint32_t ram_slot(const struct lk_ram *ram, uint32_t index)
{
    return ram_table(ram) + index * RAM_SLOT;
}

static inline uint32_t ram_at(const struct lk_ram *ram, uint32_t index)
{
    return ram_get32(ram, ram_slot(ram, index));
}

/* As memcmp, a prefix before what it is a prefix of. */
int lk_ram_compare(struct lk_span a, struct lk_span b);
/* Index of the first entry >= key, and whether it is the key's own. */
uint32_t lk_ram_find(const struct lk_ram *ram, struct lk_span key, bool *same);
/* The room for one more slot is the caller's care. */
void lk_ram_table_insert(struct lk_ram *ram, uint32_t index, uint32_t block);
void lk_ram_table_remove(struct lk_ram *ram, uint32_t index);
/* The block is of no use any more. */
void lk_ram_kill(struct lk_ram *ram, uint32_t block);
/* Takes a block out of use in the open batch. */
void lk_ram_retire(struct lk_ram *ram, uint32_t block);
/* Moves the blocks together, in their order. */
void lk_ram_tidy(struct lk_ram *ram);
/* Undoes the open batch. */
void lk_ram_undo(struct lk_ram *ram);

#endif
