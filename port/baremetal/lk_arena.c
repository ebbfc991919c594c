// SPDX-License-Identifier: MIT
/* lk_arena.c: malloc and free for libsodium's password hash, and what else it asks of a system. */
#include "lk_baremetal.h"

#include <sodium.h>
#include <stdlib.h>

static struct {
    uint8_t *data;
    size_t size, used;
    unsigned pieces;
} arena;

void lk_arena_init(void *data, size_t size)
{
    arena.data = data;
    arena.size = size;
    arena.used = 0;
    arena.pieces = 0;
}

/* Pieces are given back one by one, but only all together are they free again. */
void *malloc(size_t size)
{
    void *piece;

    size = (size + 7u) & ~(size_t)7u;
    if (size > arena.size - arena.used) {
        return NULL;
    }
    piece = arena.data + arena.used;
    arena.used += size;
    arena.pieces++;
    return piece;
}

void free(void *piece)
{
    if (piece != NULL && arena.pieces != 0 && --arena.pieces == 0) {
        arena.used = 0;
    }
}

/* The portable implementations are chosen before anything runs: there is nothing to start. */
int sodium_init(void)
{
    return 0;
}

/* A broken rule of the library's: nothing that goes on may be trusted. */
void abort(void)
{
    lk_assert_failed("libsodium", 0);
}

void sodium_misuse(void)
{
    abort();
}
