// SPDX-License-Identifier: MIT
/* lk_template.c: every service of a port, each answering that there is none. */
#include "lk_template.h"

#include <string.h>

/* ---- Clock ---- */

/*
 * Supply: the real-time clock in milliseconds of Unix time. After a power loss without a battery
 * the quality is LK_CLOCK_UNSET; the store then goes on from the time it last wrote. Never claim
 * SYNCED for a time that nothing outside the device keeps right.
 */
static int template_clock_wall(void *self, uint64_t *ms, enum lk_clock_quality *quality)
{
    (void)self;
    (void)ms;
    (void)quality;
    return LK_E_UNSUPPORTED;
}

/* Supply: a timer that runs since the start, extended to 64 bits; it must not wrap or go back. */
static int template_clock_monotonic(void *self, uint64_t *ms)
{
    (void)self;
    (void)ms;
    return LK_E_UNSUPPORTED;
}

/* Supply: setting the real-time clock; or leave `set` NULL in the table. */
static int template_clock_set(void *self, uint64_t ms)
{
    (void)self;
    (void)ms;
    return LK_E_UNSUPPORTED;
}

/* Supply: a number that differs from boot to boot and is not 0, such as a random one drawn when the
 * machine starts; or leave `boot` NULL in the table. */
static int template_clock_boot(void *self, uint64_t *boot)
{
    (void)self;
    (void)boot;
    return LK_E_UNSUPPORTED;
}

static const struct lk_clock template_clock = {
    .wall = template_clock_wall,
    .monotonic = template_clock_monotonic,
    .set = template_clock_set,
    .boot = template_clock_boot,
};

/* ---- Entropy ---- */

/*
 * Supply: bytes of a hardware generator, with its health tests on, or of a generator seeded from
 * one. LK_E_ENTROPY until it is ready. Keys, tokens and salts all come from here: a constant or a
 * serial number in this place opens every device of the series.
 */
static int template_entropy_fill(void *self, uint8_t *out, size_t size)
{
    (void)self;
    (void)out;
    (void)size;
    return LK_E_UNSUPPORTED;
}

static const struct lk_entropy template_entropy = {
    .fill = template_entropy_fill,
};

/* ---- Device secret ---- */

/*
 * Supply: 32 bytes that differ on every device and do not lie on the medium that holds the store: a
 * secure element, fuses, or a protected flash page of its own. LK_E_SECRET while there is none.
 */
static int template_secret_read(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    (void)self;
    (void)secret;
    return LK_E_UNSUPPORTED;
}

/* Supply: making it, once, from entropy; LK_E_EXISTS when there is one. All or nothing across a
 * power cut. Where a factory writes it, leave this answer. */
static int template_secret_create(void *self)
{
    (void)self;
    return LK_E_UNSUPPORTED;
}

/* Supply, or leave both NULL: where whoever makes stores elsewhere puts the secret that opens them
 * (LK_E_SECRET: nowhere, or forgotten), and forgetting it so that nobody reads it any more. */
static int template_secret_provisioned(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    (void)self;
    (void)secret;
    return LK_E_UNSUPPORTED;
}

static int template_secret_forget(void *self)
{
    (void)self;
    return LK_E_UNSUPPORTED;
}

static const struct lk_secret template_secret = {
    .read = template_secret_read,
    .create = template_secret_create,
    .provisioned = template_secret_provisioned,
    .forget = template_secret_forget,
};

/* ---- Crypto ---- */

/*
 * Supply: nothing, where libsodium fits: put &lk_sodium_crypto (port/sodium/) into the port
 * instead. Otherwise these over the platform's engine; the vectors of test_port_crypto.c tell
 * whether they are right.
 */
static int template_hash(void *self, const uint8_t *key, size_t key_size, struct lk_span a,
                         struct lk_span b, uint8_t out[LK_HASH_SIZE])
{
    (void)self;
    (void)key;
    (void)key_size;
    (void)a;
    (void)b;
    (void)out;
    return LK_E_UNSUPPORTED;
}

/* Has no way to say "unsupported": a checksum that is always zero, until SipHash-2-4 is here. */
static void template_mac64(void *self, const uint8_t key[LK_MAC64_KEY_SIZE], struct lk_span data,
                           uint8_t out[8])
{
    (void)self;
    (void)key;
    (void)data;
    memset(out, 0, 8);
}

static int template_seal(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                         const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span plain,
                         struct lk_span ad, uint8_t *out)
{
    (void)self;
    (void)key;
    (void)nonce;
    (void)plain;
    (void)ad;
    (void)out;
    return LK_E_UNSUPPORTED;
}

static int template_open(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                         const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span sealed,
                         struct lk_span ad, uint8_t *out)
{
    (void)self;
    (void)key;
    (void)nonce;
    (void)sealed;
    (void)ad;
    (void)out;
    return LK_E_UNSUPPORTED;
}

/*
 * Supply: Argon2id in job->work. Check the parameters against what the board has before touching
 * memory (LK_E_CHECK): they come from stored bytes. Return 1 often enough for the watchdog.
 */
static int template_pwhash_step(void *self, struct lk_pwhash_job *job)
{
    (void)self;
    (void)job;
    return LK_E_UNSUPPORTED;
}

/* Supply: HMAC with SHA-1 at least, which every authenticator app can do. Or leave `hmac` NULL: a
 * second factor is then recovery codes alone. */
static int template_hmac(void *self, enum lk_hmac hash, struct lk_span key, struct lk_span data,
                         uint8_t out[LK_HMAC_MAX])
{
    (void)self;
    (void)hash;
    (void)key;
    (void)data;
    (void)out;
    return LK_E_UNSUPPORTED;
}

/* Complete as it is: looks at every byte, whatever the first ones say. */
static bool template_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    unsigned different = 0;

    for (size_t i = 0; i < size; i++) {
        different |= (unsigned)(left[i] ^ right[i]);
    }
    return different == 0;
}

/* Complete as it is: the compiler may not drop writes to volatile bytes. */
static void template_wipe(void *data, size_t size)
{
    volatile uint8_t *byte = data;

    for (size_t i = 0; i < size; i++) {
        byte[i] = 0;
    }
}

static const struct lk_crypto template_crypto = {
    .hash = template_hash,
    .mac64 = template_mac64,
    .seal = template_seal,
    .open = template_open,
    .pwhash_step = template_pwhash_step,
    .foreign_verify = NULL, /* a board that takes over no users needs neither */
    .foreign_check = NULL,
    .hmac = template_hmac,
    .equal = template_equal,
    .wipe = template_wipe,
};

/* ---- Console ---- */

/* Supply: one byte of the UART, waiting at most `timeout_ms`; feed the watchdog meanwhile. 1 a
 * byte, 0 time ran out, LK_E_NOT_FOUND when the line hung up (DTR fell, USB unplugged). */
static int template_console_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    (void)self;
    (void)byte;
    (void)timeout_ms;
    return LK_E_UNSUPPORTED;
}

/* Supply: all of the bytes, or an error. */
static int template_console_write(void *self, const uint8_t *data, size_t size)
{
    (void)self;
    (void)data;
    (void)size;
    return LK_E_UNSUPPORTED;
}

/* Right for a serial line, which does not tell. */
static unsigned template_console_width(void *self)
{
    (void)self;
    return 80;
}

static const struct lk_console template_console = {
    .read = template_console_read,
    .write = template_console_write,
    .width = template_console_width,
};

/* ---- NOR flash, for storage/flash ---- */

/* Supply: what the part's data sheet says of the region the store may use. */
static int template_flash_geometry(void *self, struct lk_flash_geometry *geometry)
{
    (void)self;
    (void)geometry;
    return LK_E_UNSUPPORTED;
}

/* Supply: reading at any address; an uncorrectable ECC fault is LK_E_CORRUPT, not a trap. */
static int template_flash_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    (void)self;
    (void)address;
    (void)out;
    (void)size;
    return LK_E_UNSUPPORTED;
}

/* Supply: programming whole units that are erased. Read back and answer LK_E_IO when it differs. */
static int template_flash_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    (void)self;
    (void)address;
    (void)data;
    (void)size;
    return LK_E_UNSUPPORTED;
}

/* Supply: erasing one sector to all ones. */
static int template_flash_erase(void *self, uint32_t sector)
{
    (void)self;
    (void)sector;
    return LK_E_UNSUPPORTED;
}

/* Supply: waiting until all of it is on the medium; nothing to do where the above already wait. */
static int template_flash_sync(void *self)
{
    (void)self;
    return LK_E_UNSUPPORTED;
}

const struct lk_flash lk_template_flash = {
    .geometry = template_flash_geometry,
    .read = template_flash_read,
    .program = template_flash_program,
    .erase = template_flash_erase,
    .sync = template_flash_sync,
};

/* ---- Monotonic counter ---- */

/* Supply: a counter that nothing can turn back (a secure element's, replay-protected memory). Leave
 * `counter` NULL in the port where there is none: a roll-back then stays unseen. */
static int template_counter_read(void *self, uint64_t *count)
{
    (void)self;
    (void)count;
    return LK_E_UNSUPPORTED;
}

/* Supply: adding one, durably, and the count after it. */
static int template_counter_advance(void *self, uint64_t *count)
{
    (void)self;
    (void)count;
    return LK_E_UNSUPPORTED;
}

static const struct lk_counter template_counter = {
    .read = template_counter_read,
    .advance = template_counter_advance,
};

int lk_template_init(struct lk_template *platform)
{
    memset(platform, 0, sizeof *platform);
    platform->port.self = platform;
    platform->port.clock = &template_clock;
    platform->port.entropy = &template_entropy;
    platform->port.secret = &template_secret;
    platform->port.crypto = &template_crypto;
    platform->port.console = &template_console;
    platform->port.flash = &lk_template_flash;
    platform->port.counter = &template_counter;
    /* A lock is needed only where several tasks use one store. */
    platform->port.lock = NULL;
    return LK_OK;
}
