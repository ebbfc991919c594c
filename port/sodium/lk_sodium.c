// SPDX-License-Identifier: MIT
/* lk_sodium.c: the crypto table over libsodium. */
#include "lk_sodium.h"

#include <assert.h>
#include <sodium.h>

static_assert(LK_HASH_SIZE >= crypto_generichash_BYTES_MIN &&
                  LK_HASH_SIZE <= crypto_generichash_BYTES_MAX,
              "BLAKE2b output size");
static_assert(LK_MAC64_KEY_SIZE == crypto_shorthash_KEYBYTES && crypto_shorthash_BYTES == 8,
              "SipHash-2-4 sizes");
static_assert(LK_SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                  LK_SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                  LK_SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES,
              "XChaCha20-Poly1305 sizes");
static_assert(LK_PWHASH_SALT_SIZE == crypto_pwhash_argon2id_SALTBYTES, "Argon2id salt size");
static_assert(LK_SODIUM_MEMORY_KIB_MIN * 1024u == crypto_pwhash_argon2id_MEMLIMIT_MIN,
              "libsodium's least memory");
static_assert(LK_SODIUM_MEMORY_KIB_MAX >= LK_SODIUM_MEMORY_KIB_MIN &&
                  LK_SODIUM_MEMORY_KIB_MAX <= 2097151u,
              "the cap in bytes must fit 32 bits");

/* An empty span may hold NULL, which libsodium's non-null parameters do not allow. */
static const uint8_t sodium_empty[1];

static const uint8_t *sodium_bytes(struct lk_span span)
{
    return span.size == 0 ? sodium_empty : span.data;
}

/* The library leaves the result of a hash, and what it was made from, on the stack below it; and of
 * what it seals or opens, the last 64 bytes, where it has no vector instructions. */
#define SODIUM_HASH_STACK   LK_SODIUM_HASH_STACK
#define SODIUM_SEAL_STACK   2048
#define SODIUM_PWHASH_STACK 8192

int lk_sodium_hash(void *self, const uint8_t *key, size_t key_size, struct lk_span a,
                   struct lk_span b, uint8_t out[LK_HASH_SIZE])
{
    crypto_generichash_state state;
    int failed;

    (void)self;
    if (key_size != 0 && (key == NULL || key_size < crypto_generichash_KEYBYTES_MIN ||
                          key_size > crypto_generichash_KEYBYTES_MAX)) {
        return LK_E_ARGUMENT;
    }
    failed = crypto_generichash_init(&state, key_size == 0 ? NULL : key, key_size, LK_HASH_SIZE);
    failed |= crypto_generichash_update(&state, sodium_bytes(a), a.size);
    failed |= crypto_generichash_update(&state, sodium_bytes(b), b.size);
    failed |= crypto_generichash_final(&state, out, LK_HASH_SIZE);
    sodium_memzero(&state, sizeof state);
    if (key_size != 0) {
        sodium_stackzero(SODIUM_HASH_STACK);
    }
    return failed != 0 ? LK_E_CRYPTO : LK_OK;
}

void lk_sodium_mac64(void *self, const uint8_t key[LK_MAC64_KEY_SIZE], struct lk_span data,
                     uint8_t out[8])
{
    (void)self;
    (void)crypto_shorthash(out, sodium_bytes(data), data.size, key); /* has no way to fail */
}

int lk_sodium_seal(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                   const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span plain, struct lk_span ad,
                   uint8_t *out)
{
    int failed;

    (void)self;
    failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, NULL, sodium_bytes(plain), plain.size, sodium_bytes(ad), ad.size, NULL, nonce, key);
    sodium_stackzero(SODIUM_SEAL_STACK);
    return failed != 0 ? LK_E_CRYPTO : LK_OK;
}

int lk_sodium_open(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                   const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span sealed,
                   struct lk_span ad, uint8_t *out)
{
    uint8_t none[1] = {0};
    int failed;

    (void)self;
    if (sealed.size < LK_SEAL_TAG_SIZE) {
        return LK_E_CORRUPT;
    }
    /* libsodium takes a NULL output as "verify only"; a sealed empty text may well have none. */
    failed = crypto_aead_xchacha20poly1305_ietf_decrypt(out == NULL ? none : out, NULL, NULL,
                                                        sealed.data, sealed.size, sodium_bytes(ad),
                                                        ad.size, nonce, key);
    sodium_stackzero(SODIUM_SEAL_STACK);
    if (failed != 0) {
        if (out != NULL) {
            sodium_memzero(out, sealed.size - LK_SEAL_TAG_SIZE);
        }
        return LK_E_CORRUPT;
    }
    return LK_OK;
}

int lk_sodium_pwhash_check(const struct lk_pwhash_params *params)
{
    if (params->memory_kib < LK_SODIUM_MEMORY_KIB_MIN ||
        params->memory_kib > LK_SODIUM_MEMORY_KIB_MAX || params->passes < 1 ||
        params->passes > LK_SODIUM_PASSES_MAX || params->lanes != LK_SODIUM_LANES) {
        return LK_E_CHECK;
    }
    return LK_OK;
}

static int sodium_pwhash_step(void *self, struct lk_pwhash_job *job)
{
    int error = lk_sodium_pwhash_check(&job->params), failed;

    (void)self;
    if (error != LK_OK) {
        sodium_memzero(job->hash, sizeof job->hash);
        return error;
    }
    failed = crypto_pwhash_argon2id(
        job->hash, sizeof job->hash,
        job->password_size == 0 ? (const char *)sodium_empty : (const char *)job->password,
        job->password_size, job->salt, job->params.passes, (size_t)job->params.memory_kib * 1024u,
        crypto_pwhash_argon2id_ALG_ARGON2ID13);
    sodium_stackzero(SODIUM_PWHASH_STACK);
    if (failed != 0) {
        sodium_memzero(job->hash, sizeof job->hash);
        return LK_E_CRYPTO;
    }
    return LK_OK;
}

bool lk_sodium_equal(const void *a, const void *b, size_t size)
{
    return size == 0 || sodium_memcmp(a, b, size) == 0;
}

void lk_sodium_wipe(void *data, size_t size)
{
    if (size != 0) {
        sodium_memzero(data, size);
    }
}

const struct lk_crypto lk_sodium_crypto = {
    .hash = lk_sodium_hash,
    .mac64 = lk_sodium_mac64,
    .seal = lk_sodium_seal,
    .open = lk_sodium_open,
    .pwhash_step = sodium_pwhash_step,
    .foreign_verify = NULL,
    .foreign_check = NULL,
    .hmac = NULL,
    .equal = lk_sodium_equal,
    .wipe = lk_sodium_wipe,
};

int lk_sodium_init(void)
{
    return sodium_init() < 0 ? LK_E_CRYPTO : LK_OK;
}
