// SPDX-License-Identifier: MIT
/*
 * lk_sodium.h: the crypto table of a port, answered by libsodium 1.0.18 or later.
 *
 * Serves Linux and bare metal alike: nothing but libsodium is needed. Hashes of other programs
 * are not verified here (foreign_verify and foreign_check are NULL); lk_foreign.h has them. Nor is
 * there an hmac, since libsodium has no SHA-1; lk_mbedtls.h has it.
 *
 * Caveats: Argon2id runs to its end in one step, takes its memory from libsodium's allocator, and
 * leaves job->work alone. libsodium computes one lane only. The table keeps no state: `self` is not
 * looked at, and any number of threads may use it once lk_sodium_init() has returned.
 */
#ifndef LK_SODIUM_H
#define LK_SODIUM_H

#include "lk_port.h"

/*
 * Bounds of an Argon2id job. A job's parameters come out of stored records, which may be damaged or
 * hostile, so they are checked before any memory or time is taken. A board may define smaller ones.
 * The two caps together bound one hash to a few seconds of a gateway's processor.
 */
#define LK_SODIUM_MEMORY_KIB_MIN 8u
#ifndef LK_SODIUM_MEMORY_KIB_MAX
#define LK_SODIUM_MEMORY_KIB_MAX 262144u /* 256 MiB: what a small gateway can spare for a login */
#endif
#ifndef LK_SODIUM_PASSES_MAX
#define LK_SODIUM_PASSES_MAX 16u
#endif
#define LK_SODIUM_LANES 1u
/* Bytes of stack that a keyed hash wipes: what it has used, and no less. */
#ifndef LK_SODIUM_HASH_STACK
#define LK_SODIUM_HASH_STACK 1024
#endif

/*
 * hash         LK_E_ARGUMENT when a key is not 16 to 64 bytes.
 * seal, open   `out` may be the very buffer of the input, but may not overlap it otherwise.
 * pwhash_step  never answers 1. LK_E_CHECK when the parameters are out of bounds, LK_E_CRYPTO for
 *              want of memory; the job's hash is then wiped.
 */
extern const struct lk_crypto lk_sodium_crypto;

/* Its functions, for a table that has some of its own beside them. */
int lk_sodium_hash(void *self, const uint8_t *key, size_t key_size, struct lk_span a,
                   struct lk_span b, uint8_t out[LK_HASH_SIZE]);
void lk_sodium_mac64(void *self, const uint8_t key[LK_MAC64_KEY_SIZE], struct lk_span data,
                     uint8_t out[8]);
int lk_sodium_seal(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                   const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span plain, struct lk_span ad,
                   uint8_t *out);
int lk_sodium_open(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                   const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span sealed,
                   struct lk_span ad, uint8_t *out);
bool lk_sodium_equal(const void *a, const void *b, size_t size);
void lk_sodium_wipe(void *data, size_t size);

/* Makes libsodium ready. Call it once before the table is used; again does no harm.
 * LK_E_CRYPTO when libsodium cannot start. */
int lk_sodium_init(void);

/* The bounds alone: 0, or LK_E_CHECK. Takes no memory and no time. */
int lk_sodium_pwhash_check(const struct lk_pwhash_params *params);

#endif
