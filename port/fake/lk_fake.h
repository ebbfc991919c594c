// SPDX-License-Identifier: MIT
/*
 * lk_fake.h: a port for tests on a host, yours included: nothing in it happens by itself.
 *
 *     struct lk_fake fake;
 *
 *     assert(lk_fake_init(&fake, 1) == 0);
 *     ... open a RAM store with lk_fake_port(&fake), make a user, log in ...
 *     lk_fake_advance(&fake, 16 * 60 * 1000);         sixteen minutes pass
 *     ... the session has gone idle ...
 *     lk_fake_type(&fake, "admin\r");                 somebody sits down at the console
 *     lk_fake_pause(&fake, 2 * 60 * 1000);            and goes away
 *     ... run the console ...
 *     assert(strstr(lk_fake_output(&fake), "password: ") != NULL);
 *
 * To see that your code survives every failure of the platform, run it again and again:
 *
 *     for (uint64_t n = 1;; n++) {
 *         lk_fake_init(&fake, 1);
 *         lk_fake_fail_at(&fake, n);                  then, in another loop, lk_fake_fail_from
 *         ... the code under test; check that it answers an error and leaves things whole ...
 *         if (!lk_fake_failed(&fake)) {
 *             break;                                  it needs fewer than n calls
 *         }
 *     }
 *
 * What it is: the clock stands until a test moves it. The "entropy" is a generator started from the
 * seed: the same seed gives the same bytes, so it is NOT random and must never meet a real user.
 * The crypto is libsodium's, the HMAC Mbed TLS's, and both real, but for one thing: a password is
 * hashed at the least cost there is, whatever was asked, so that tests are quick. The parameters
 * asked for are bounds-checked and go into the hash, so that different ones give different hashes;
 * lk_fake_pwhash_exact() has the real cost, and hashes that other programs accept.
 *
 * Limitations: one thread; no allocation.
 */
#ifndef LK_FAKE_H
#define LK_FAKE_H

#include "lk_fake_flash.h"
#include "lk_port.h"

#define LK_FAKE_START_MS   1767225600000u /* 2026-01-01T00:00:00Z, where the clock stands first */
#define LK_FAKE_INPUT_MAX  8192           /* bytes typed in one test */
#define LK_FAKE_PAUSE_MAX  32             /* pauses in one test */
#define LK_FAKE_OUTPUT_MAX 32768          /* bytes kept of what the console wrote */
#define LK_FAKE_FAIL_NEVER 0u

struct lk_fake {
    struct lk_port port;

    /* Private. */
    struct lk_crypto crypto;
    struct {
        uint64_t wall_ms;
        uint64_t monotonic_ms;
        enum lk_clock_quality quality;
        uint64_t boot;
    } clock;
    struct {
        uint64_t state;
        bool broken;
    } entropy;
    struct {
        bool present;
        uint8_t bytes[LK_DEVICE_SECRET_SIZE];
    } secret, provision;
    uint64_t counter;
    struct lk_fake_flash *flash;
    struct {
        uint64_t calls;
        uint64_t first; /* the call that fails; LK_FAKE_FAIL_NEVER */
        bool onwards;
        uint64_t failures;
    } inject;
    struct {
        bool exact;
        uint32_t slices;
    } pwhash;
    struct {
        int (*verify)(void *self, struct lk_span hash, struct lk_span password);
        int (*check)(void *self, struct lk_span hash, const char **rule);
    } foreign;
    unsigned lock_depth;
    struct {
        uint8_t input[LK_FAKE_INPUT_MAX];
        size_t input_size;
        size_t input_at;
        struct {
            size_t at; /* before this byte of the input */
            uint64_t ms;
        } pauses[LK_FAKE_PAUSE_MAX];
        size_t pause_count;
        size_t pause_at;
        char output[LK_FAKE_OUTPUT_MAX + 1];
        size_t output_size;
        unsigned width;
    } console;
};

/*
 * Begins: the clock at LK_FAKE_START_MS and synchronised, a device secret made from the seed, a
 * console of 80 columns with no input, no counter, nothing failing. LK_E_CRYPTO: libsodium does not
 * start. There is nothing to close.
 */
int lk_fake_init(struct lk_fake *fake, uint64_t seed);

/* The port, valid as long as the fake. It has everything but flash and (at first) a counter. */
const struct lk_port *lk_fake_port(struct lk_fake *fake);

/* ---- Clock ---- */

/* Time passes: both clocks go on. */
void lk_fake_advance(struct lk_fake *fake, uint64_t ms);
/* The wall clock jumps, either way; the monotonic one does not notice. */
void lk_fake_wall_set(struct lk_fake *fake, uint64_t ms, enum lk_clock_quality quality);
/* Power comes back: it is another boot, the monotonic clock begins at 0, the wall clock stands
 * where it stood and has `quality`; when that is UNSET, it stands at 0. The lock is free; all else
 * stays as it is. */
void lk_fake_reboot(struct lk_fake *fake, enum lk_clock_quality quality);

/* ---- Entropy, device secret, counter ---- */

/* While broken, every request for entropy answers LK_E_ENTROPY. */
void lk_fake_entropy_break(struct lk_fake *fake, bool broken);
/* Another device secret; NULL: none, and the port can make one. */
void lk_fake_secret_set(struct lk_fake *fake, const uint8_t secret[LK_DEVICE_SECRET_SIZE]);
/* A provisioning secret, which the port forgets when told to; NULL: none. */
void lk_fake_secret_provision(struct lk_fake *fake, const uint8_t secret[LK_DEVICE_SECRET_SIZE]);
/* Gives the port a monotonic counter that stands at `count`. Call it before the store is opened. */
void lk_fake_counter_set(struct lk_fake *fake, uint64_t count);

/* ---- Flash ---- */

/* Gives the port a NOR flash, which outlives it; NULL: none, as at first. Cuts, wear and bad
 * sectors are the flash's own (lk_fake_flash.h). */
void lk_fake_flash_set(struct lk_fake *fake, struct lk_fake_flash *flash);

/* ---- Password hash ---- */

/* True: the cost that was asked for is taken, and the hash is Argon2id as everybody knows it. */
void lk_fake_pwhash_exact(struct lk_fake *fake, bool exact);
/* How many calls of pwhash_step a hash takes; 1 at first. 0 counts as 1. */
void lk_fake_pwhash_slices(struct lk_fake *fake, uint32_t slices);
/* Hashes of other programs: none at first. lk_foreign_verify and lk_foreign_check fit. */
void lk_fake_foreign_set(struct lk_fake *fake,
                         int (*verify)(void *self, struct lk_span hash, struct lk_span password),
                         int (*check)(void *self, struct lk_span hash, const char **rule));

/* ---- Console ---- */

/*
 * What the person at the console will do, in this order. After the last of it the line hangs up:
 * reading answers LK_E_NOT_FOUND. LK_E_FULL when a limit above is passed; nothing is added then.
 */
int lk_fake_type(struct lk_fake *fake, const char *text);
int lk_fake_type_bytes(struct lk_fake *fake, const uint8_t *data, size_t size);
/*
 * Nothing for so long. A read whose timeout is shorter runs out of time, and the clocks advance by
 * the timeout; a longer one waits, the clocks advance by the pause, and gets the next byte.
 */
int lk_fake_pause(struct lk_fake *fake, uint64_t ms);
/* True when all of it was read. */
bool lk_fake_typed_all(const struct lk_fake *fake);

/* What was written since the start or the last clear, with a NUL after it; bytes that did not fit
 * were refused with LK_E_FULL. Valid until the next write. */
const char *lk_fake_output(const struct lk_fake *fake);
size_t lk_fake_output_size(const struct lk_fake *fake);
void lk_fake_output_clear(struct lk_fake *fake);
void lk_fake_width_set(struct lk_fake *fake, unsigned columns);

/* ---- Failures ---- */

/*
 * Every call through the port that can fail is counted; those that cannot (mac64, equal, wipe,
 * width, the lock) and foreign_check, which only looks, are not. A call made to
 * fail does nothing and answers: clock, counter, flash, console and secret.create LK_E_IO; entropy
 * LK_E_ENTROPY; secret.read LK_E_SECRET; crypto LK_E_CRYPTO.
 */
uint64_t lk_fake_calls(const struct lk_fake *fake);
/* The nth call from now (1 is the next) fails, alone or with all that follow. LK_FAKE_FAIL_NEVER
 * heals. */
void lk_fake_fail_at(struct lk_fake *fake, uint64_t nth);
void lk_fake_fail_from(struct lk_fake *fake, uint64_t nth);
/* How many calls were made to fail since the last of these two. */
uint64_t lk_fake_failed(const struct lk_fake *fake);

/* ---- Lock ---- */

/* How deep the lock is taken: 0 whenever the store is not at work. */
unsigned lk_fake_lock_depth(const struct lk_fake *fake);

#endif
