// SPDX-License-Identifier: MIT
/* lk_nrf51.c: UART, clock and entropy of the nRF51822 (nRF51 Series Reference Manual). */
#include "lk_nrf51.h"

#include "lk_lent.h"
#include "lk_sodium.h"

#define NRF_REGISTER(base, offset) (*(volatile uint32_t *)((base) + (offset)))

#define NRF_UART(offset)  NRF_REGISTER(0x40002000u, offset)
#define NRF_TIMER(offset) NRF_REGISTER(0x40008000u, offset)
#define NRF_RNG(offset)   NRF_REGISTER(0x4000D000u, offset)

enum {
    UART_STARTRX = 0x000,
    UART_STARTTX = 0x008,
    UART_RXDRDY = 0x108,
    UART_TXDRDY = 0x11C,
    UART_ENABLE = 0x500,
    UART_PSELTXD = 0x50C,
    UART_PSELRXD = 0x514,
    UART_RXD = 0x518,
    UART_TXD = 0x51C,
    UART_BAUDRATE = 0x524,
    TIMER_START = 0x000,
    TIMER_CAPTURE = 0x040,
    TIMER_BITMODE = 0x508,
    TIMER_PRESCALER = 0x510,
    TIMER_CC = 0x540,
    RNG_START = 0x000,
    RNG_STOP = 0x004,
    RNG_VALRDY = 0x100,
    RNG_CONFIG = 0x504,
    RNG_VALUE = 0x508,
};

#define UART_ENABLED     4u
#define UART_PIN_TX      24u /* of the micro:bit, to its USB chip */
#define UART_PIN_RX      25u
#define UART_115200      0x01D7E000u
#define TIMER_32_BITS    3u
#define TIMER_1_MHZ      4u
#define RNG_BIAS_CORRECT 1u

/* ---- Clock ---- */

static struct lk_uptime nrf_time;

static uint64_t nrf_ms(void *self)
{
    (void)self;
    NRF_TIMER(TIMER_CAPTURE) = 1;
    return lk_uptime_ms(&nrf_time, NRF_TIMER(TIMER_CC), 1000);
}

static int nrf_monotonic(void *self, uint64_t *ms)
{
    *ms = nrf_ms(self);
    return 0;
}

static int nrf_wall(void *self, uint64_t *ms, enum lk_clock_quality *quality)
{
    lk_uptime_wall(&nrf_time, nrf_ms(self), ms, quality);
    return 0;
}

static int nrf_set(void *self, uint64_t ms)
{
    lk_uptime_set(&nrf_time, nrf_ms(self), ms);
    return 0;
}

/* ---- Entropy ---- */

/* The generator's own correction of bias is on; a byte takes 0.7 ms then. */
static int nrf_fill(void *self, uint8_t *out, size_t size)
{
    int error = 0;

    (void)self;
    NRF_RNG(RNG_CONFIG) = RNG_BIAS_CORRECT;
    NRF_RNG(RNG_START) = 1;
    for (; !error && size != 0; size--) {
        uint32_t polls = 1000000;

        NRF_RNG(RNG_VALRDY) = 0;
        while (NRF_RNG(RNG_VALRDY) == 0 && polls != 0) {
            polls--;
        }
        error = polls != 0 ? 0 : LK_E_ENTROPY;
        *out++ = (uint8_t)NRF_RNG(RNG_VALUE);
    }
    NRF_RNG(RNG_STOP) = 1;
    return error;
}

static const struct lk_entropy nrf_entropy = {.fill = nrf_fill};

static uint64_t nrf_boot_number;

static int nrf_boot(void *self, uint64_t *boot)
{
    return lk_boot_number(&nrf_entropy, self, &nrf_boot_number, boot);
}

static const struct lk_clock nrf_clock = {
    .wall = nrf_wall, .monotonic = nrf_monotonic, .set = nrf_set, .boot = nrf_boot};

/* ---- Device secret ---- */

static int nrf_secret_read(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return lk_secret_read(&lk_nrf51_flash, self, LK_NRF51_SECRET_SECTOR, secret);
}

static int nrf_secret_create(void *self)
{
    return lk_secret_create(&lk_nrf51_flash, self, LK_NRF51_SECRET_SECTOR, &nrf_entropy);
}

static int nrf_secret_provisioned(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return lk_secret_read(&lk_nrf51_flash, self, LK_NRF51_PROVISION_SECTOR, secret);
}

static int nrf_secret_forget(void *self)
{
    return lk_nrf51_flash.erase(self, LK_NRF51_PROVISION_SECTOR);
}

static const struct lk_secret nrf_secret = {.read = nrf_secret_read,
                                            .create = nrf_secret_create,
                                            .provisioned = nrf_secret_provisioned,
                                            .forget = nrf_secret_forget};

/* ---- Console ---- */

static bool nrf_ready(void *self)
{
    (void)self;
    return NRF_UART(UART_RXDRDY) != 0;
}

static uint8_t nrf_take(void *self)
{
    (void)self;
    /* First the event, then the byte: taking it lets the next one raise the event again. */
    NRF_UART(UART_RXDRDY) = 0;
    return (uint8_t)NRF_UART(UART_RXD);
}

static int nrf_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    const struct lk_serial serial = {nrf_ready, nrf_take, nrf_ms, self};

    return lk_serial_read(&serial, byte, timeout_ms);
}

static int nrf_write(void *self, const uint8_t *data, size_t size)
{
    (void)self;
    for (; size != 0; size--) {
        NRF_UART(UART_TXDRDY) = 0;
        NRF_UART(UART_TXD) = *data++;
        while (NRF_UART(UART_TXDRDY) == 0) {
        }
    }
    return 0;
}

static const struct lk_console nrf_console = {
    .read = nrf_read, .write = nrf_write, .width = lk_serial_width};

/* ---- The chip ---- */

static const struct lk_crypto nrf_crypto = {
    .hash = lk_sodium_hash,
    .mac64 = lk_sodium_mac64,
    .seal = lk_sodium_seal,
    .open = lk_sodium_open,
    .pwhash_step = lk_lent_pwhash_step,
    .equal = lk_sodium_equal,
    .wipe = lk_sodium_wipe,
};

const struct lk_port lk_nrf51_port = {
    .clock = &nrf_clock,
    .entropy = &nrf_entropy,
    .secret = &nrf_secret,
    .crypto = &nrf_crypto,
    .console = &nrf_console,
    .flash = &lk_nrf51_flash,
};

void lk_nrf51_init(void)
{
    NRF_TIMER(TIMER_BITMODE) = TIMER_32_BITS;
    NRF_TIMER(TIMER_PRESCALER) = TIMER_1_MHZ;
    NRF_TIMER(TIMER_START) = 1;
    NRF_UART(UART_PSELTXD) = UART_PIN_TX;
    NRF_UART(UART_PSELRXD) = UART_PIN_RX;
    NRF_UART(UART_BAUDRATE) = UART_115200;
    NRF_UART(UART_ENABLE) = UART_ENABLED;
    NRF_UART(UART_STARTTX) = 1;
    NRF_UART(UART_STARTRX) = 1;
}
