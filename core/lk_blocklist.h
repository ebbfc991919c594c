// SPDX-License-Identifier: MIT
/*
 * lk_blocklist.h: the set of common passwords as a filter, shared by the core, which asks it, and
 * boards/make_blocklist.c, which makes it when a board is built.
 *
 * An xor filter (Graf and Lemire, 2020): a fingerprint of a member is the xor of three cells, one
 * in each third of the table. Every member is found; a text that is none is taken for one in 1 of
 * 2^bits cases. Nothing has to be decoded, and any answer is three reads.
 */
#ifndef LK_BLOCKLIST_H
#define LK_BLOCKLIST_H

#include <stddef.h>
#include <stdint.h>

#define LK_BLOCKLIST_TEXT_MIN 8 /* bytes: shorter passwords are refused anyway */

/* FNV-1a, a byte at a time. The list is public, so the hash is not keyed. */
static inline uint64_t lk_blocklist_step(uint64_t state, uint8_t byte)
{
    return (state ^ byte) * UINT64_C(0x100000001B3);
}

/* Where a text's cells are, and its fingerprint. */
struct lk_blocklist_place {
    uint32_t cells[3];
    uint16_t print;
};

/* `state` is the text's; `third` a third of the cells. */
static inline struct lk_blocklist_place lk_blocklist_place(uint64_t state, uint64_t seed,
                                                           uint32_t third, unsigned bits)
{
    struct lk_blocklist_place place;
    uint64_t hash = state + seed;
    unsigned i;

    /* The finaliser of MurmurHash3: every bit of the state reaches every bit of the hash. */
    hash = (hash ^ hash >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    hash = (hash ^ hash >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    hash ^= hash >> 33;
    for (i = 0; i < 3; i++) {
        place.cells[i] = (uint32_t)((hash >> 32) * third >> 32) + i * third;
        hash = hash << 21 | hash >> 43;
    }
    hash = (hash ^ hash >> 29) * UINT64_C(0x9E3779B97F4A7C15);
    place.print = (uint16_t)(hash >> (64 - bits));
    return place;
}

#endif
