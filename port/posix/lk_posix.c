// SPDX-License-Identifier: MIT
/* lk_posix.c: clock, entropy and lock of a Linux process, and the port put together. */
#define _GNU_SOURCE

#include "lk_posix.h"

#include "lk_foreign.h"
#include "lk_mbedtls.h"
#include "lk_posix_parts.h"
#include "lk_sodium.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* 2024-01-01T00:00:00Z. This code is younger, so a clock that says less was never set. */
#define POSIX_CLOCK_LEAST_S 1704067200

static enum lk_clock_quality posix_clock_quality(void)
{
    struct timex status;
    int state;

    memset(&status, 0, sizeof status); /* modes 0: asks, changes nothing */
    state = adjtimex(&status);
    return state < 0 || state == TIME_ERROR || (status.status & STA_UNSYNC) != 0 ? LK_CLOCK_SET
                                                                                 : LK_CLOCK_SYNCED;
}

static int posix_clock_wall(void *self, uint64_t *ms, enum lk_clock_quality *quality)
{
    struct lk_posix *posix = self;
    struct timespec now;
    uint64_t seen;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return LK_E_IO;
    }
    *ms = now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    if (now.tv_sec < POSIX_CLOCK_LEAST_S) {
        *quality = LK_CLOCK_UNSET;
        return LK_OK;
    }
    /* A system call would be a third of a session check: the kernel is asked once a second. */
    seen = atomic_load_explicit(&posix->clock_seen, memory_order_relaxed);
    if (seen >> 2 != (uint64_t)now.tv_sec) {
        seen = (uint64_t)now.tv_sec << 2 | (uint64_t)posix_clock_quality();
        atomic_store_explicit(&posix->clock_seen, seen, memory_order_relaxed);
    }
    *quality = (enum lk_clock_quality)(seen & 3);
    return LK_OK;
}

/* The boot clock goes on while the machine sleeps, and so does what times out. */
int lk_posix_clock_monotonic(void *self, uint64_t *ms)
{
    struct timespec now;

    (void)self;
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
        return LK_E_IO;
    }
    *ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    return LK_OK;
}

/* The kernel draws it anew at each boot. */
static int posix_clock_boot(void *self, uint64_t *boot)
{
    char text[40];
    size_t i;
    ssize_t size;
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    (void)self;
    if (file < 0) {
        return LK_E_UNSUPPORTED;
    }
    size = read(file, text, sizeof text);
    (void)close(file); /* nothing was written */
    *boot = 0;
    for (i = 0; size > 0 && i < (size_t)size; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

        /* 122 random bits, folded into 64. */
        *boot = digit == NULL ? *boot : ((*boot << 4) | (*boot >> 60)) ^ (uint64_t)(digit - digits);
    }
    return *boot == 0 ? LK_E_UNSUPPORTED : LK_OK;
}

/* Blocks early in a boot, until the kernel has seeded its generator; that is never for long. */
int lk_posix_entropy_fill(void *self, uint8_t *out, size_t size)
{
    size_t done = 0;

    (void)self;
    while (done < size) {
        ssize_t got = getrandom(out + done, size - done, 0);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return LK_E_ENTROPY;
        }
        done += (size_t)got;
    }
    return LK_OK;
}

static void posix_lock_take(void *self)
{
    struct lk_posix *posix = self;

    (void)pthread_mutex_lock(&posix->mutex); /* fails only when taken twice, a programmer's error */
}

static void posix_lock_give(void *self)
{
    struct lk_posix *posix = self;

    (void)pthread_mutex_unlock(&posix->mutex); /* as above */
}

static const struct lk_clock posix_clock = {
    .wall = posix_clock_wall,
    .monotonic = lk_posix_clock_monotonic,
    .set = NULL,
    .boot = posix_clock_boot,
};

static const struct lk_entropy posix_entropy = {
    .fill = lk_posix_entropy_fill,
};

static const struct lk_lock posix_lock = {
    .take = posix_lock_take,
    .give = posix_lock_give,
};

int lk_posix_init(struct lk_posix *posix, const struct lk_posix_config *config)
{
    static const struct lk_posix_config none;
    int error;

    if (config == NULL) {
        config = &none;
    }
    memset(posix, 0, sizeof *posix);
    if (config->secret_path != NULL && config->secret_fd > 0) {
        return LK_E_ARGUMENT;
    }
    error = lk_sodium_init();
    if (error != LK_OK) {
        return error;
    }
    if (pthread_mutex_init(&posix->mutex, NULL) != 0) {
        return LK_E_IO;
    }
    posix->secret_path = config->secret_path;
    if (config->secret_fd > 0) {
        error = lk_posix_secret_take(config->secret_fd, posix->secret);
        if (error != LK_OK) {
            (void)pthread_mutex_destroy(&posix->mutex); /* nobody can hold it */
            return error;
        }
        posix->secret_given = true;
    }
    posix->crypto = lk_sodium_crypto;
    posix->crypto.foreign_verify = lk_foreign_verify;
    posix->crypto.foreign_check = lk_foreign_check;
    posix->crypto.hmac = lk_mbedtls_hmac;
    posix->console.device_fd = -1;
    posix->console.tty = -1;
    posix->port.self = posix;
    posix->port.clock = &posix_clock;
    posix->port.entropy = &posix_entropy;
    posix->port.secret = &lk_posix_secret;
    posix->port.crypto = &posix->crypto;
    posix->port.lock = &posix_lock;
    return LK_OK;
}

void lk_posix_close(struct lk_posix *posix)
{
    lk_posix_console_close(posix);
    (void)pthread_mutex_destroy(&posix->mutex); /* a lock still held is a programmer's error */
    lk_sodium_crypto.wipe(posix, sizeof *posix);
}
