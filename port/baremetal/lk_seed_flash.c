// SPDX-License-Identifier: MIT
/*
 * lk_seed_flash.c: entropy from a seed in flash. A sector has the seed, then a mark: the first 16
 * bytes of BLAKE2b-256("Latchkey seed" || seed), so that what was cut short is no seed.
 */
#include "lk_baremetal.h"

#include <string.h>

#define SEED_MARK_SIZE 16u

enum seed_use { SEED_KEY, SEED_NEXT };

/* What is derived from a seed, or from a key: keyed with it, over its use and a number. */
static int seed_derive(const struct lk_seed *seed, const uint8_t from[LK_HASH_SIZE],
                       enum seed_use use, uint8_t number, uint8_t out[LK_HASH_SIZE])
{
    uint8_t label[2] = {(uint8_t)use, number};

    return seed->crypto->hash(seed->self, from, LK_HASH_SIZE,
                              (struct lk_span){label, sizeof(label)}, (struct lk_span){NULL, 0},
                              out);
}

static int seed_mark(const struct lk_seed *seed, const uint8_t *its, uint8_t mark[LK_HASH_SIZE])
{
    static const uint8_t label[] = {'L', 'a', 't', 'c', 'h', 'k', 'e',
                                    'y', ' ', 's', 'e', 'e', 'd'};

    return seed->crypto->hash(seed->self, NULL, 0, (struct lk_span){label, sizeof(label)},
                              (struct lk_span){its, LK_HASH_SIZE}, mark);
}

static int seed_place(const struct lk_seed *seed, unsigned which, uint32_t *at)
{
    struct lk_flash_geometry geometry;
    int error = seed->flash->geometry(seed->self, &geometry);

    if (!error && (geometry.sector_count < 2 || seed->sector > geometry.sector_count - 2)) {
        error = LK_E_ARGUMENT;
    }
    *at = error ? 0 : (seed->sector + which) * geometry.sector_size;
    return error;
}

/* LK_E_ENTROPY where there is none. */
static int seed_read(const struct lk_seed *seed, unsigned which, uint8_t its[LK_HASH_SIZE])
{
    uint8_t mark[LK_HASH_SIZE], there[SEED_MARK_SIZE];
    uint32_t at;
    int error = seed_place(seed, which, &at);

    if (!error) {
        error = seed->flash->read(seed->self, at, its, LK_HASH_SIZE);
    }
    if (!error) {
        error = seed->flash->read(seed->self, at + LK_HASH_SIZE, there, sizeof(there));
    }
    if (!error) {
        error = seed_mark(seed, its, mark);
    }
    if (!error && !seed->crypto->equal(mark, there, sizeof(there))) {
        error = LK_E_ENTROPY;
    }
    return error;
}

static int seed_write(const struct lk_seed *seed, unsigned which, const uint8_t its[LK_HASH_SIZE])
{
    uint8_t mark[LK_HASH_SIZE];
    uint32_t at;
    int error = seed_place(seed, which, &at);

    if (!error) {
        error = seed_mark(seed, its, mark);
    }
    if (!error) {
        error = seed->flash->erase(seed->self, seed->sector + which);
    }
    if (!error) {
        error = seed->flash->program(seed->self, at, its, LK_HASH_SIZE);
    }
    if (!error) {
        error = seed->flash->program(seed->self, at + LK_HASH_SIZE, mark, SEED_MARK_SIZE);
    }
    return error ? error : seed->flash->sync(seed->self);
}

/* Nothing is given before the next start's seed is there and this one's is gone. So where two are
 * there, as after a cut, neither was used, and either will do. */
static int seed_start(struct lk_seed *seed)
{
    uint8_t its[LK_HASH_SIZE], next[LK_HASH_SIZE];
    unsigned which = 0;
    int error = seed_read(seed, 0, its);

    if (error == LK_E_ENTROPY) {
        which = 1;
        error = seed_read(seed, 1, its);
    }
    if (!error) {
        error = seed_derive(seed, its, SEED_NEXT, 0, next);
    }
    if (!error) {
        error = seed_write(seed, 1 - which, next);
    }
    if (!error) {
        error = seed->flash->erase(seed->self, seed->sector + which);
    }
    if (!error) {
        error = seed->flash->sync(seed->self);
    }
    if (!error) {
        error = seed_derive(seed, its, SEED_KEY, 0, seed->key);
    }
    seed->ready = error == 0;
    seed->crypto->wipe(its, sizeof(its));
    seed->crypto->wipe(next, sizeof(next));
    return error;
}

int lk_seed_fill(struct lk_seed *seed, uint8_t *out, size_t size)
{
    uint8_t block[LK_HASH_SIZE];
    int error = seed->ready ? 0 : seed_start(seed);

    while (!error && size != 0) {
        size_t part = size < sizeof(block) ? size : sizeof(block);

        error = seed_derive(seed, seed->key, SEED_KEY, 1, block);
        if (!error) {
            memcpy(out, block, part);
            out += part;
            size -= part;
            /* What was given cannot be told from the key that is left. */
            error = seed_derive(seed, seed->key, SEED_NEXT, 1, block);
            memcpy(seed->key, block, sizeof(seed->key));
        }
    }
    seed->crypto->wipe(block, sizeof(block));
    return error;
}
