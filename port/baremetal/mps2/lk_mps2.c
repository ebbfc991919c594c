// SPDX-License-Identifier: MIT
/* lk_mps2.c: UART, clock, entropy and device secret of Arm's MPS2 (AN385; CMSDK manual, DDI 0479).
 */
#include "lk_mps2.h"

#include <string.h>

#include "lk_sodium.h"

#define MPS2_REGISTER(base, offset) (*(volatile uint32_t *)((base) + (offset)))
#define MPS2_TIMER(offset)          MPS2_REGISTER(0x40000000u, offset)
#define MPS2_UART(offset)           MPS2_REGISTER(0x40004000u, offset)
#define MPS2_KHZ                    25000u

enum {
    TIMER_CTRL = 0x00,
    TIMER_VALUE = 0x04,
    TIMER_RELOAD = 0x08,
    UART_DATA = 0x00,
    UART_STATE = 0x04,
    UART_CTRL = 0x08,
    UART_BAUDDIV = 0x10,
};
#define TIMER_ON         0x1u
#define UART_CANNOT_SEND 0x1u
#define UART_RECEIVED    0x2u
#define UART_ON          0x3u /* both ways */
#define UART_BAUD        115200u

/* ---- Clock ---- */

/* The timer runs down, and wraps after 171 seconds. */
static uint64_t mps2_ms(void *self)
{
    struct lk_mps2 *platform = self;

    return lk_uptime_ms(&platform->time, ~MPS2_TIMER(TIMER_VALUE), MPS2_KHZ);
}

static int mps2_clock_monotonic(void *self, uint64_t *ms)
{
    *ms = mps2_ms(self);
    return 0;
}

static int mps2_clock_wall(void *self, uint64_t *ms, enum lk_clock_quality *quality)
{
    struct lk_mps2 *platform = self;

    lk_uptime_wall(&platform->time, mps2_ms(self), ms, quality);
    return 0;
}

static int mps2_clock_set(void *self, uint64_t ms)
{
    struct lk_mps2 *platform = self;

    lk_uptime_set(&platform->time, mps2_ms(self), ms);
    return 0;
}

/* ---- Entropy ---- */

static int mps2_entropy_fill(void *self, uint8_t *out, size_t size)
{
    struct lk_mps2 *platform = self;

    return lk_seed_fill(&platform->seed, out, size);
}

static const struct lk_entropy mps2_entropy = {.fill = mps2_entropy_fill};

static int mps2_clock_boot(void *self, uint64_t *boot)
{
    struct lk_mps2 *platform = self;

    return lk_boot_number(&mps2_entropy, self, &platform->boot_number, boot);
}

static const struct lk_clock mps2_clock = {
    .wall = mps2_clock_wall,
    .monotonic = mps2_clock_monotonic,
    .set = mps2_clock_set,
    .boot = mps2_clock_boot,
};

/* ---- Device secret ---- */

static int mps2_secret_read(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return lk_secret_read(&lk_mps2_flash, self, LK_MPS2_SECRET_SECTOR, secret);
}

static int mps2_secret_create(void *self)
{
    return lk_secret_create(&lk_mps2_flash, self, LK_MPS2_SECRET_SECTOR, &mps2_entropy);
}

static int mps2_secret_provisioned(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return lk_secret_read(&lk_mps2_flash, self, LK_MPS2_PROVISION_SECTOR, secret);
}

static int mps2_secret_forget(void *self)
{
    return lk_mps2_flash.erase(self, LK_MPS2_PROVISION_SECTOR);
}

static const struct lk_secret mps2_secret = {
    .read = mps2_secret_read,
    .create = mps2_secret_create,
    .provisioned = mps2_secret_provisioned,
    .forget = mps2_secret_forget,
};

/* ---- Console ---- */

static bool mps2_ready(void *self)
{
    (void)self;
    return MPS2_UART(UART_STATE) & UART_RECEIVED;
}

static uint8_t mps2_take(void *self)
{
    (void)self;
    return (uint8_t)MPS2_UART(UART_DATA);
}

static int mps2_console_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    const struct lk_serial serial = {mps2_ready, mps2_take, mps2_ms, self};

    return lk_serial_read(&serial, byte, timeout_ms);
}

static int mps2_console_write(void *self, const uint8_t *data, size_t size)
{
    (void)self;
    for (; size != 0; size--) {
        while (MPS2_UART(UART_STATE) & UART_CANNOT_SEND) {
        }
        MPS2_UART(UART_DATA) = *data++;
    }
    return 0;
}

static const struct lk_console mps2_console = {
    .read = mps2_console_read,
    .write = mps2_console_write,
    .width = lk_serial_width,
};

/* ---- The board ---- */

void lk_mps2_init(struct lk_mps2 *platform)
{
    MPS2_TIMER(TIMER_RELOAD) = UINT32_MAX;
    MPS2_TIMER(TIMER_VALUE) = UINT32_MAX;
    MPS2_TIMER(TIMER_CTRL) = TIMER_ON;
    MPS2_UART(UART_BAUDDIV) = MPS2_KHZ * 1000u / UART_BAUD;
    MPS2_UART(UART_CTRL) = UART_ON;
    memset(platform, 0, sizeof(*platform));
    platform->port = (struct lk_port){
        .self = platform,
        .clock = &mps2_clock,
        .entropy = &mps2_entropy,
        .secret = &mps2_secret,
        .crypto = &lk_sodium_crypto,
        .console = &mps2_console,
        .flash = &lk_mps2_flash,
    };
    platform->seed = (struct lk_seed){
        .flash = &lk_mps2_flash,
        .crypto = &lk_sodium_crypto,
        .self = platform,
        .sector = LK_MPS2_SEED_SECTOR,
    };
}
