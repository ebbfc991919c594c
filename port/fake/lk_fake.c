// SPDX-License-Identifier: MIT
/* lk_fake.c: clock, entropy, secret, crypto and failures of the port for tests. */
#include "lk_fake.h"

#include "lk_fake_console.h"
#include "lk_mbedtls.h"
#include "lk_sodium.h"

#include <string.h>

/* What any hash costs unless the test wants the real thing. */
#define FAKE_PWHASH_KIB    LK_SODIUM_MEMORY_KIB_MIN
#define FAKE_PWHASH_PASSES 1u

static const struct lk_pwhash_params fake_pwhash_least = {FAKE_PWHASH_KIB, FAKE_PWHASH_PASSES, 1};

bool lk_fake_call_fails(struct lk_fake *fake)
{
    uint64_t call = ++fake->inject.calls;

    if (fake->inject.first == LK_FAKE_FAIL_NEVER || call < fake->inject.first ||
        (call > fake->inject.first && !fake->inject.onwards)) {
        return false;
    }
    fake->inject.failures++;
    return true;
}

/* ---- Clock ---- */

static int fake_clock_wall(void *self, uint64_t *ms, enum lk_clock_quality *quality)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    *ms = fake->clock.wall_ms;
    *quality = fake->clock.quality;
    return LK_OK;
}

static int fake_clock_monotonic(void *self, uint64_t *ms)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    *ms = fake->clock.monotonic_ms;
    return LK_OK;
}

static int fake_clock_set(void *self, uint64_t ms)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    lk_fake_wall_set(fake, ms, LK_CLOCK_SET);
    return LK_OK;
}

static int fake_clock_boot(void *self, uint64_t *boot)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    *boot = fake->clock.boot;
    return LK_OK;
}

static const struct lk_clock fake_clock = {
    .wall = fake_clock_wall,
    .monotonic = fake_clock_monotonic,
    .set = fake_clock_set,
    .boot = fake_clock_boot,
};

void lk_fake_advance(struct lk_fake *fake, uint64_t ms)
{
    fake->clock.wall_ms += ms;
    fake->clock.monotonic_ms += ms;
}

void lk_fake_wall_set(struct lk_fake *fake, uint64_t ms, enum lk_clock_quality quality)
{
    fake->clock.wall_ms = ms;
    fake->clock.quality = quality;
}

void lk_fake_reboot(struct lk_fake *fake, enum lk_clock_quality quality)
{
    fake->clock.monotonic_ms = 0;
    fake->clock.boot++;
    fake->clock.quality = quality;
    if (quality == LK_CLOCK_UNSET) {
        fake->clock.wall_ms = 0;
    }
    fake->lock_depth = 0;
}

/* ---- Entropy, device secret, counter ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): one state word, and any seed is as good as another. */
static void fake_generate(struct lk_fake *fake, uint8_t *out, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            fake->entropy.state += 0x9E3779B97F4A7C15u;
            word = fake->entropy.state;
            word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
            word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
            word ^= word >> 31;
        }
        out[i] = (uint8_t)(word >> (i % 8 * 8));
    }
}

static int fake_entropy_fill(void *self, uint8_t *out, size_t size)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake) || fake->entropy.broken) {
        return LK_E_ENTROPY;
    }
    fake_generate(fake, out, size);
    return LK_OK;
}

static const struct lk_entropy fake_entropy = {
    .fill = fake_entropy_fill,
};

void lk_fake_entropy_break(struct lk_fake *fake, bool broken)
{
    fake->entropy.broken = broken;
}

static int fake_secret_read(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake) || !fake->secret.present) {
        return LK_E_SECRET;
    }
    memcpy(secret, fake->secret.bytes, LK_DEVICE_SECRET_SIZE);
    return LK_OK;
}

static int fake_secret_create(void *self)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    if (fake->secret.present) {
        return LK_E_EXISTS;
    }
    if (fake->entropy.broken) {
        return LK_E_ENTROPY;
    }
    fake_generate(fake, fake->secret.bytes, sizeof fake->secret.bytes);
    fake->secret.present = true;
    return LK_OK;
}

static int fake_secret_provisioned(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake) || !fake->provision.present) {
        return LK_E_SECRET;
    }
    memcpy(secret, fake->provision.bytes, LK_DEVICE_SECRET_SIZE);
    return LK_OK;
}

static int fake_secret_forget(void *self)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    lk_fake_secret_provision(fake, NULL);
    return LK_OK;
}

static const struct lk_secret fake_secret = {
    .read = fake_secret_read,
    .create = fake_secret_create,
    .provisioned = fake_secret_provisioned,
    .forget = fake_secret_forget,
};

void lk_fake_secret_provision(struct lk_fake *fake, const uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    memset(&fake->provision, 0, sizeof fake->provision);
    fake->provision.present = secret != NULL;
    if (secret != NULL) {
        memcpy(fake->provision.bytes, secret, LK_DEVICE_SECRET_SIZE);
    }
}

void lk_fake_secret_set(struct lk_fake *fake, const uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    fake->secret.present = secret != NULL;
    if (secret != NULL) {
        memcpy(fake->secret.bytes, secret, LK_DEVICE_SECRET_SIZE);
    }
}

static int fake_counter_read(void *self, uint64_t *count)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    *count = fake->counter;
    return LK_OK;
}

static int fake_counter_advance(void *self, uint64_t *count)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_IO;
    }
    *count = ++fake->counter;
    return LK_OK;
}

static const struct lk_counter fake_counter = {
    .read = fake_counter_read,
    .advance = fake_counter_advance,
};

void lk_fake_counter_set(struct lk_fake *fake, uint64_t count)
{
    fake->counter = count;
    fake->port.counter = &fake_counter;
}

/* ---- Flash ---- */

static int fake_flash_geometry(void *self, struct lk_flash_geometry *geometry)
{
    struct lk_fake *fake = self;

    return lk_fake_call_fails(fake) ? LK_E_IO : lk_fake_flash_ops.geometry(fake->flash, geometry);
}

static int fake_flash_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    struct lk_fake *fake = self;

    return lk_fake_call_fails(fake) ? LK_E_IO
                                    : lk_fake_flash_ops.read(fake->flash, address, out, size);
}

static int fake_flash_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    struct lk_fake *fake = self;

    return lk_fake_call_fails(fake) ? LK_E_IO
                                    : lk_fake_flash_ops.program(fake->flash, address, data, size);
}

static int fake_flash_erase(void *self, uint32_t sector)
{
    struct lk_fake *fake = self;

    return lk_fake_call_fails(fake) ? LK_E_IO : lk_fake_flash_ops.erase(fake->flash, sector);
}

static int fake_flash_sync(void *self)
{
    struct lk_fake *fake = self;

    return lk_fake_call_fails(fake) ? LK_E_IO : lk_fake_flash_ops.sync(fake->flash);
}

static const struct lk_flash fake_flash = {
    .geometry = fake_flash_geometry,
    .read = fake_flash_read,
    .program = fake_flash_program,
    .erase = fake_flash_erase,
    .sync = fake_flash_sync,
};

void lk_fake_flash_set(struct lk_fake *fake, struct lk_fake_flash *flash)
{
    fake->flash = flash;
    fake->port.flash = flash == NULL ? NULL : &fake_flash;
}

/* ---- Crypto ---- */

static int fake_hash(void *self, const uint8_t *key, size_t key_size, struct lk_span a,
                     struct lk_span b, uint8_t out[LK_HASH_SIZE])
{
    if (lk_fake_call_fails(self)) {
        return LK_E_CRYPTO;
    }
    return lk_sodium_crypto.hash(NULL, key, key_size, a, b, out);
}

static int fake_seal(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                     const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span plain,
                     struct lk_span ad, uint8_t *out)
{
    if (lk_fake_call_fails(self)) {
        return LK_E_CRYPTO;
    }
    return lk_sodium_crypto.seal(NULL, key, nonce, plain, ad, out);
}

static int fake_open(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                     const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span sealed,
                     struct lk_span ad, uint8_t *out)
{
    if (lk_fake_call_fails(self)) {
        return LK_E_CRYPTO;
    }
    return lk_sodium_crypto.open(NULL, key, nonce, sealed, ad, out);
}

static int fake_hmac(void *self, enum lk_hmac hash, struct lk_span key, struct lk_span data,
                     uint8_t out[LK_HMAC_MAX])
{
    if (lk_fake_call_fails(self)) {
        return LK_E_CRYPTO;
    }
    return lk_mbedtls_hmac(NULL, hash, key, data, out);
}

static void fake_store_u32(uint8_t *out, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (uint8_t)(number >> (8 * i));
    }
}

/* At the least cost, with what was asked for mixed into the salt. */
static int fake_pwhash_cheap(struct lk_pwhash_job *job)
{
    struct lk_pwhash_job cheap = *job;
    uint8_t asked[12];
    uint8_t mixed[LK_HASH_SIZE];
    int error = lk_sodium_pwhash_check(&job->params);

    if (error == LK_OK) {
        fake_store_u32(asked, job->params.memory_kib);
        fake_store_u32(asked + 4, job->params.passes);
        fake_store_u32(asked + 8, job->params.lanes);
        error = lk_sodium_crypto.hash(NULL, NULL, 0, (struct lk_span){job->salt, sizeof job->salt},
                                      (struct lk_span){asked, sizeof asked}, mixed);
    }
    if (error == LK_OK) {
        memcpy(cheap.salt, mixed, sizeof cheap.salt);
        cheap.params = fake_pwhash_least;
        error = lk_sodium_crypto.pwhash_step(NULL, &cheap);
    }
    if (error == LK_OK) {
        memcpy(job->hash, cheap.hash, sizeof job->hash);
    } else {
        lk_sodium_crypto.wipe(job->hash, sizeof job->hash);
    }
    lk_sodium_crypto.wipe(&cheap, sizeof cheap);
    return error;
}

static int fake_pwhash_step(void *self, struct lk_pwhash_job *job)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        lk_sodium_crypto.wipe(job->hash, sizeof job->hash);
        return LK_E_CRYPTO;
    }
    job->progress[0]++;
    if (job->progress[0] < fake->pwhash.slices && lk_sodium_pwhash_check(&job->params) == LK_OK) {
        return 1;
    }
    return fake->pwhash.exact ? lk_sodium_crypto.pwhash_step(NULL, job) : fake_pwhash_cheap(job);
}

static int fake_foreign_verify(void *self, struct lk_span hash, struct lk_span password)
{
    struct lk_fake *fake = self;

    if (lk_fake_call_fails(fake)) {
        return LK_E_CRYPTO;
    }
    return fake->foreign.verify(NULL, hash, password);
}

static int fake_foreign_check(void *self, struct lk_span hash, const char **rule)
{
    struct lk_fake *fake = self;

    return fake->foreign.check(NULL, hash, rule);
}

void lk_fake_pwhash_exact(struct lk_fake *fake, bool exact)
{
    fake->pwhash.exact = exact;
}

void lk_fake_pwhash_slices(struct lk_fake *fake, uint32_t slices)
{
    fake->pwhash.slices = slices;
}

void lk_fake_foreign_set(struct lk_fake *fake,
                         int (*verify)(void *self, struct lk_span hash, struct lk_span password),
                         int (*check)(void *self, struct lk_span hash, const char **rule))
{
    fake->foreign.verify = verify;
    fake->foreign.check = check;
    fake->crypto.foreign_verify = verify == NULL ? NULL : fake_foreign_verify;
    fake->crypto.foreign_check = check == NULL ? NULL : fake_foreign_check;
}

/* ---- Failures ---- */

uint64_t lk_fake_calls(const struct lk_fake *fake)
{
    return fake->inject.calls;
}

static void fake_fail(struct lk_fake *fake, uint64_t nth, bool onwards)
{
    fake->inject.first = nth == LK_FAKE_FAIL_NEVER ? LK_FAKE_FAIL_NEVER : fake->inject.calls + nth;
    fake->inject.onwards = onwards;
    fake->inject.failures = 0;
}

void lk_fake_fail_at(struct lk_fake *fake, uint64_t nth)
{
    fake_fail(fake, nth, false);
}

void lk_fake_fail_from(struct lk_fake *fake, uint64_t nth)
{
    fake_fail(fake, nth, true);
}

uint64_t lk_fake_failed(const struct lk_fake *fake)
{
    return fake->inject.failures;
}

/* ---- Lock ---- */

static void fake_lock_take(void *self)
{
    struct lk_fake *fake = self;

    fake->lock_depth++;
}

static void fake_lock_give(void *self)
{
    struct lk_fake *fake = self;

    fake->lock_depth--;
}

static const struct lk_lock fake_lock = {
    .take = fake_lock_take,
    .give = fake_lock_give,
};

unsigned lk_fake_lock_depth(const struct lk_fake *fake)
{
    return fake->lock_depth;
}

/* ---- The port ---- */

int lk_fake_init(struct lk_fake *fake, uint64_t seed)
{
    int error = lk_sodium_init();

    if (error != LK_OK) {
        return error;
    }
    memset(fake, 0, sizeof *fake);
    fake->clock.wall_ms = LK_FAKE_START_MS;
    fake->clock.quality = LK_CLOCK_SYNCED;
    fake->clock.boot = 1;
    fake->entropy.state = seed;
    fake->pwhash.slices = 1;
    fake->console.width = 80;
    fake_generate(fake, fake->secret.bytes, sizeof fake->secret.bytes);
    fake->secret.present = true;

    fake->crypto = lk_sodium_crypto;
    fake->crypto.hash = fake_hash;
    fake->crypto.seal = fake_seal;
    fake->crypto.open = fake_open;
    fake->crypto.pwhash_step = fake_pwhash_step;
    fake->crypto.hmac = fake_hmac;

    fake->port.self = fake;
    fake->port.clock = &fake_clock;
    fake->port.entropy = &fake_entropy;
    fake->port.secret = &fake_secret;
    fake->port.crypto = &fake->crypto;
    fake->port.console = &lk_fake_console;
    fake->port.lock = &fake_lock;
    return LK_OK;
}

const struct lk_port *lk_fake_port(struct lk_fake *fake)
{
    return &fake->port;
}
