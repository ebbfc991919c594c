// SPDX-License-Identifier: MIT
/*
 * lk_port.h: what the core asks of the platform: clock, entropy, device secret, crypto, console.
 *
 * A port is one const table per service; `self` is handed back to each function. Functions return 0
 * or a negative enum lk_error. A NULL service pointer means the platform has none. Nothing here may
 * call back into the core.
 */
#ifndef LK_PORT_H
#define LK_PORT_H

#include "lk_base.h"

/* How far the wall clock can be trusted. Ordered. Numbers reach storage. */
enum lk_clock_quality {
    LK_CLOCK_UNSET = 0, /* never set: the number means nothing */
    LK_CLOCK_HELD = 1,  /* goes on from a stored time; may stand behind */
    LK_CLOCK_SET = 2,   /* set by a person or a battery clock */
    LK_CLOCK_SYNCED = 3 /* kept by NTP or the like */
};

struct lk_clock {
    /* Milliseconds since 1970-01-01T00:00:00Z, and how good that is. */
    int (*wall)(void *self, uint64_t *ms, enum lk_clock_quality *quality);
    /* Milliseconds since some moment of this boot; never goes back. */
    int (*monotonic)(void *self, uint64_t *ms);
    /* Sets the wall clock (quality becomes SET). NULL where it cannot be set. */
    int (*set)(void *self, uint64_t ms);
    /* A number that differs from boot to boot, 0 never; the monotonic clock begins anew with it.
     * NULL, or LK_E_UNSUPPORTED: each opening of a store counts as a boot. */
    int (*boot)(void *self, uint64_t *boot);
};

struct lk_entropy {
    /* Fills `out` with bytes fit for keys. LK_E_ENTROPY when there are none yet. */
    int (*fill)(void *self, uint8_t *out, size_t size);
};

#define LK_DEVICE_SECRET_SIZE 32

struct lk_secret {
    /* Reads the device secret. LK_E_SECRET when there is none. The caller wipes it. */
    int (*read)(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE]);
    /* Makes and keeps a new one. LK_E_EXISTS when there is one; LK_E_UNSUPPORTED where it is given.
     */
    int (*create)(void *self);
    /* Both may be NULL. Reads the secret of whoever made the store that was put on this device,
     * until it is forgotten for good: LK_E_SECRET then, or where there never was one. */
    int (*provisioned)(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE]);
    int (*forget)(void *self);
};

/* A counter in hardware that only goes up (roll-back detection). NULL where there is none. */
struct lk_counter {
    int (*read)(void *self, uint64_t *count);
    int (*advance)(void *self, uint64_t *count);
};

struct lk_lock {
    void (*take)(void *self);
    void (*give)(void *self);
};

/* Password hash: Argon2id, version 0x13 (RFC 9106). */
struct lk_pwhash_params {
    uint32_t memory_kib; /* 8 or more */
    uint32_t passes;     /* t, 1 or more */
    uint32_t lanes;      /* p; 1 is all that every port can do */
};

#define LK_PWHASH_SALT_SIZE 16
#define LK_PWHASH_SIZE      32

struct lk_pwhash_job {
    struct lk_pwhash_params params;
    const uint8_t *password;
    size_t password_size;
    uint8_t salt[LK_PWHASH_SALT_SIZE];
    uint8_t hash[LK_PWHASH_SIZE]; /* the answer */
    void *work; /* caller's memory of memory_kib, or NULL where the port has its own */
    size_t work_size;
    uint64_t progress[4]; /* the port's own, zero at the start */
};

/* Hashes of an HMAC. Numbers reach storage. */
enum lk_hmac { LK_HMAC_SHA1 = 0, LK_HMAC_SHA256 = 1, LK_HMAC_SHA512 = 2 };
#define LK_HMAC_MAX 64 /* bytes that the longest answers; the others 20 and 32 */

#define LK_SEAL_KEY_SIZE   32
#define LK_SEAL_NONCE_SIZE 24
#define LK_SEAL_TAG_SIZE   16
#define LK_MAC64_KEY_SIZE  16
#define LK_HASH_SIZE       32

/* Crypto as a table, so that a board with its own engine can supply it. All compare and key
 * handling is constant-time. */
struct lk_crypto {
    /* BLAKE2b (RFC 7693) with a 32-byte output over a then b; `key` may be NULL (key_size 0)
     * or 16..64 bytes. */
    int (*hash)(void *self, const uint8_t *key, size_t key_size, struct lk_span a, struct lk_span b,
                uint8_t out[LK_HASH_SIZE]);
    /* SipHash-2-4, 64-bit output, little-endian bytes. The checksum of every record: must be quick.
     */
    void (*mac64)(void *self, const uint8_t key[LK_MAC64_KEY_SIZE], struct lk_span data,
                  uint8_t out[8]);
    /* XChaCha20-Poly1305 (IETF). `out` has plain.size + LK_SEAL_TAG_SIZE bytes. */
    int (*seal)(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span plain, struct lk_span ad,
                uint8_t *out);
    /* `sealed` is ciphertext and tag. LK_E_CORRUPT when it does not verify; `out` is then wiped. */
    int (*open)(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span sealed, struct lk_span ad,
                uint8_t *out);
    /* One slice of an Argon2id job: 1 while there is more to do, 0 when job->hash is the answer. A
     * port may do it all in one call. LK_E_CRYPTO for want of memory; LK_E_CHECK when the
     * parameters are out of this port's bounds, found before memory or time is taken. */
    int (*pwhash_step)(void *self, struct lk_pwhash_job *job);
    /*
     * Verifies a password against a hash string of another program: "$2b$"/"$2a$"/"$2y$" (bcrypt),
     * "$5$"/"$6$" (SHA-crypt), "$y$" (yescrypt), "$7$" (mosquitto's PBKDF2-SHA512), "$argon2i$",
     * "$argon2id$". 0 it matches, LK_E_REFUSED it does not, LK_E_UNSUPPORTED this port cannot say,
     * LK_E_CHECK the cost is over this port's cap. NULL where there is none of them.
     */
    int (*foreign_verify)(void *self, struct lk_span hash, struct lk_span password);
    /* The same bounds without a password: 0, LK_E_UNSUPPORTED (unknown form), LK_E_CHECK (malformed
     * or costs too much); `rule` gets a sentence that follows the word "hash". */
    int (*foreign_check)(void *self, struct lk_span hash, const char **rule);
    /* HMAC (RFC 2104) over `data`: 20, 32 or 64 bytes into `out`. LK_E_UNSUPPORTED for a hash that
     * is not there. NULL where there is none: time-based codes (TOTP) are then not to be had. */
    int (*hmac)(void *self, enum lk_hmac hash, struct lk_span key, struct lk_span data,
                uint8_t out[LK_HMAC_MAX]);
    /* True when the bytes are equal, in a time that depends on `size` only. */
    bool (*equal)(const void *a, const void *b, size_t size);
    /* Overwrites, in a way no compiler removes. */
    void (*wipe)(void *data, size_t size);
};

/* A person's terminal: a tty on Linux, a UART on a board. */
struct lk_console {
    /*
     * Reads one byte. `timeout_ms` 0 waits for ever. 1 a byte came, 0 time ran out,
     * LK_E_NOT_FOUND hung up or end of input.
     */
    int (*read)(void *self, uint8_t *byte, uint32_t timeout_ms);
    int (*write)(void *self, const uint8_t *data, size_t size);
    /* Columns of the terminal; 80 where unknown. */
    unsigned (*width)(void *self);
};

/* Raw NOR flash, for storage/flash. Addresses from 0; sizes in bytes. */
struct lk_flash_geometry {
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t program_unit; /* 1, 4, 8 or 16 */
    const uint8_t *mapped; /* where it can be read as memory, or NULL */
};

struct lk_flash {
    int (*geometry)(void *self, struct lk_flash_geometry *geometry);
    int (*read)(void *self, uint32_t address, uint8_t *out, size_t size);
    int (*program)(void *self, uint32_t address, const uint8_t *data, size_t size);
    int (*erase)(void *self, uint32_t sector);
    int (*sync)(void *self);
};

struct lk_port {
    void *self; /* handed to every function below */
    const struct lk_clock *clock;
    const struct lk_entropy *entropy;
    const struct lk_secret *secret;
    const struct lk_crypto *crypto;
    const struct lk_console *console; /* may be NULL */
    const struct lk_flash *flash;     /* may be NULL */
    const struct lk_counter *counter; /* may be NULL */
    const struct lk_lock *lock;       /* may be NULL */
};

#endif
