// SPDX-License-Identifier: MIT
/* lk_small.c: Argon2id 0x13 (RFC 9106) with one lane, in little code and stack. */
#include "lk_small.h"

#include <assert.h>
#include <sodium.h>
#include <stdalign.h>
#include <string.h>

#include "lk_sodium.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are hashed as they lie in memory");

#define SMALL_SLICES      4u
#define SMALL_WORDS       128u
#define SMALL_VERSION     0x13u
#define SMALL_ARGON2ID    2u
#define SMALL_DIGEST      64u
#define SMALL_MEMORY_MIN  8u
#define SMALL_LONG_STRIDE 32u /* bytes of each hash that a long one takes */

struct small_block {
    uint64_t words[SMALL_WORDS];
};

struct small_fill {
    struct small_block *blocks, *scratch;
    uint32_t lane, segment; /* in blocks */
    uint32_t pass, slice, passes;
};

/* ---- The permutation P (RFC 9106, section 3.6) ---- */

static uint64_t small_mix(uint64_t x, uint64_t y)
{
    return x + y + 2 * ((uint64_t)(uint32_t)x * (uint32_t)y);
}

static uint64_t small_turn(uint64_t x, unsigned right)
{
    return x >> right | x << (64 - right);
}

static void small_quarter(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d)
{
    unsigned half;

    for (half = 0; half < 2; half++) {
        *a = small_mix(*a, *b);
        *d = small_turn(*d ^ *a, half ? 16 : 32);
        *c = small_mix(*c, *d);
        *b = small_turn(*b ^ *c, half ? 63 : 24);
    }
}

/* Of 16 words: pairs of neighbours, `stride` words apart. */
static void small_round(uint64_t *words, unsigned stride)
{
    uint64_t *v[16];
    unsigned i;

    for (i = 0; i < 16; i++) {
        v[i] = words + (i / 2) * stride + i % 2;
    }
    for (i = 0; i < 8; i++) {
        unsigned shift = i / 4; /* columns, then diagonals */

        small_quarter(v[i % 4], v[4 + (i + shift) % 4], v[8 + (i + 2 * shift) % 4],
                      v[12 + (i + 3 * shift) % 4]);
    }
}

static void small_permute(struct small_block *block)
{
    unsigned i;

    for (i = 0; i < 8; i++) {
        small_round(block->words + (size_t)16 * i, 2);
    }
    for (i = 0; i < 8; i++) {
        small_round(block->words + (size_t)2 * i, 16);
    }
}

static void small_xor(struct small_block *into, const struct small_block *from)
{
    unsigned i;

    for (i = 0; i < SMALL_WORDS; i++) {
        into->words[i] ^= from->words[i];
    }
}

/* ---- Filling ---- */

/* The numbers that pick the blocks of a segment without looking at any: `addresses` from the
 * `counter`th 128 on. */
static void small_addresses(const struct small_fill *fill, uint64_t counter,
                            struct small_block *addresses)
{
    const uint64_t input[7] = {fill->pass,     0,      fill->slice, fill->lane, fill->passes,
                               SMALL_ARGON2ID, counter};
    unsigned i;

    memset(addresses, 0, sizeof(*addresses));
    memcpy(addresses->words, input, sizeof(input));
    small_permute(addresses);
    for (i = 0; i < sizeof(input) / sizeof(input[0]); i++) {
        addresses->words[i] ^= input[i];
    }
    *fill->scratch = *addresses;
    small_permute(fill->scratch);
    small_xor(addresses, fill->scratch);
}

/* The block that number `index` of the segment is made with (section 3.4.2, one lane). */
static uint32_t small_reference(const struct small_fill *fill, uint32_t index, uint32_t pick)
{
    uint32_t area =
        (fill->pass ? fill->lane - fill->segment : fill->slice * fill->segment) + index - 1;
    uint32_t start = fill->pass ? (fill->slice + 1) % SMALL_SLICES * fill->segment : 0;
    uint64_t x = (uint64_t)pick * pick >> 32;

    return (start + area - 1 - (uint32_t)((uint64_t)area * x >> 32)) % fill->lane;
}

static void small_segment(const struct small_fill *fill)
{
    /* Early segments are picked by number; the last block of all is not in use yet then. */
    bool by_number = fill->pass == 0 && fill->slice < SMALL_SLICES / 2;
    struct small_block *addresses = fill->blocks + fill->lane - 1;
    uint32_t i = fill->pass == 0 && fill->slice == 0 ? 2 : 0;

    if (by_number) {
        small_addresses(fill, 1, addresses);
    }
    for (; i < fill->segment; i++) {
        uint32_t at = fill->slice * fill->segment + i;
        const struct small_block *before = fill->blocks + (at ? at : fill->lane) - 1;
        struct small_block *block = fill->blocks + at;
        const struct small_block *other;

        if (by_number && i && i % SMALL_WORDS == 0) {
            small_addresses(fill, i / SMALL_WORDS + 1, addresses);
        }
        other =
            fill->blocks + small_reference(fill, i,
                                           (uint32_t)(by_number ? addresses->words[i % SMALL_WORDS]
                                                                : before->words[0]));
        *fill->scratch = *other;
        small_xor(fill->scratch, before);
        if (fill->pass == 0) {
            *block = *fill->scratch;
        } else {
            small_xor(block, fill->scratch);
        }
        small_permute(fill->scratch);
        small_xor(block, fill->scratch);
    }
}

/* ---- Hashing in and out ---- */

/* Hashes run while nothing is filled: their state, which is large, lies in the scratch block. */
struct small_hash {
    crypto_generichash_state state;
    bool failed;
};
#define SMALL_ALIGNMENT 64u
static_assert(alignof(struct small_hash) <= SMALL_ALIGNMENT &&
                  sizeof(struct small_hash) + SMALL_ALIGNMENT <= sizeof(struct small_block),
              "the state fits into a block, wherever that begins");

static struct small_hash *small_hash_in(struct small_block *scratch)
{
    uint8_t *at = (uint8_t *)scratch;
    size_t past = (uintptr_t)at % SMALL_ALIGNMENT;

    return (struct small_hash *)(void *)(at + (past ? SMALL_ALIGNMENT - past : 0));
}

static void small_hash_begin(struct small_hash *hash, size_t size)
{
    hash->failed = crypto_generichash_init(&hash->state, NULL, 0, size) != 0;
}

static void small_hash_add(struct small_hash *hash, const void *data, size_t size)
{
    hash->failed |= crypto_generichash_update(&hash->state, data, size) != 0;
}

static void small_hash_number(struct small_hash *hash, uint32_t number)
{
    small_hash_add(hash, &number, sizeof(number));
}

static bool small_hash_end(struct small_hash *hash, uint8_t *out, size_t size)
{
    hash->failed |= crypto_generichash_final(&hash->state, out, size) != 0;
    return hash->failed;
}

/* H_0 of the inputs, then the first two blocks out of it (sections 3.2 and 3.3). */
static bool small_begin(struct small_hash *hash, const struct lk_pwhash_job *job,
                        struct small_block *blocks)
{
    static const uint8_t empty[1];
    uint8_t first[SMALL_DIGEST], digest[SMALL_DIGEST];
    bool failed;
    uint32_t i;

    small_hash_begin(hash, sizeof(first));
    small_hash_number(hash, 1);
    small_hash_number(hash, LK_PWHASH_SIZE);
    small_hash_number(hash, job->params.memory_kib);
    small_hash_number(hash, job->params.passes);
    small_hash_number(hash, SMALL_VERSION);
    small_hash_number(hash, SMALL_ARGON2ID);
    small_hash_number(hash, (uint32_t)job->password_size);
    small_hash_add(hash, job->password_size ? job->password : empty, job->password_size);
    small_hash_number(hash, sizeof(job->salt));
    small_hash_add(hash, job->salt, sizeof(job->salt));
    small_hash_number(hash, 0); /* no secret, no associated data */
    small_hash_number(hash, 0);
    failed = small_hash_end(hash, first, sizeof(first));
    for (i = 0; i < 2; i++) {
        uint8_t *out = (uint8_t *)blocks[i].words, *end = out + sizeof(blocks[i]);

        small_hash_begin(hash, sizeof(digest));
        small_hash_number(hash, sizeof(blocks[i]));
        small_hash_add(hash, first, sizeof(first));
        small_hash_number(hash, i);
        small_hash_number(hash, 0);
        failed |= small_hash_end(hash, digest, sizeof(digest));
        for (; out < end - SMALL_DIGEST; out += SMALL_LONG_STRIDE) {
            memcpy(out, digest, SMALL_LONG_STRIDE);
            small_hash_begin(hash, sizeof(digest));
            small_hash_add(hash, digest, sizeof(digest));
            failed |= small_hash_end(hash, digest, sizeof(digest));
        }
        memcpy(out, digest, sizeof(digest));
    }
    sodium_memzero(first, sizeof(first));
    sodium_memzero(digest, sizeof(digest));
    return failed;
}

static bool small_end(struct small_hash *hash, struct lk_pwhash_job *job,
                      const struct small_block *last)
{
    small_hash_begin(hash, sizeof(job->hash));
    small_hash_number(hash, sizeof(job->hash));
    small_hash_add(hash, last, sizeof(*last));
    return small_hash_end(hash, job->hash, sizeof(job->hash));
}

/* What the rounds leave below this frame. */
#define SMALL_STACK 512

int lk_small_pwhash_step(void *self, struct lk_pwhash_job *job)
{
    const struct lk_pwhash_params *params = &job->params;
    struct small_fill fill;
    struct small_hash *hash;
    bool failed;

    (void)self;
    sodium_memzero(job->hash, sizeof(job->hash));
    if (params->memory_kib < SMALL_MEMORY_MIN || params->passes < 1 ||
        params->passes > LK_SMALL_PASSES_MAX || params->lanes != 1) {
        return LK_E_CHECK;
    }
    if (!job->work || (uintptr_t)job->work % 8 || job->work_size / 1024 < 1 ||
        params->memory_kib > job->work_size / 1024 - 1) {
        return LK_E_CRYPTO;
    }
    fill = (struct small_fill){.blocks = job->work,
                               .segment = params->memory_kib / SMALL_SLICES,
                               .passes = params->passes};
    fill.lane = fill.segment * SMALL_SLICES;
    fill.scratch = fill.blocks + fill.lane;
    hash = small_hash_in(fill.scratch);
    failed = small_begin(hash, job, fill.blocks);
    for (fill.pass = 0; fill.pass < fill.passes; fill.pass++) {
        for (fill.slice = 0; fill.slice < SMALL_SLICES; fill.slice++) {
            small_segment(&fill);
        }
    }
    failed |= small_end(hash, job, fill.blocks + fill.lane - 1);
    sodium_memzero(job->work, ((size_t)fill.lane + 1) * sizeof(*fill.blocks));
    sodium_stackzero(SMALL_STACK);
    if (failed) {
        sodium_memzero(job->hash, sizeof(job->hash));
    }
    return failed ? LK_E_CRYPTO : 0;
}

const struct lk_crypto lk_small_crypto = {
    .hash = lk_sodium_hash,
    .mac64 = lk_sodium_mac64,
    .seal = lk_sodium_seal,
    .open = lk_sodium_open,
    .pwhash_step = lk_small_pwhash_step,
    .equal = lk_sodium_equal,
    .wipe = lk_sodium_wipe,
};
