// SPDX-License-Identifier: MIT
/* lk_riscv_virt.c: UART, clocks, entropy and reset of QEMU's RISC-V "virt" machine. */
#include "lk_riscv_virt.h"

#include <string.h>

#include "lk_sodium.h"

/* Addresses of the machine's devices (QEMU, hw/riscv/virt.c, its memory map). */
#define VIRT_TEST  ((volatile uint32_t *)0x00100000u)
#define VIRT_RTC   ((volatile uint32_t *)0x00101000u)
#define VIRT_MTIME ((volatile uint32_t *)0x0200BFF8u)
#define VIRT_UART  ((volatile uint8_t *)0x10000000u)

#define VIRT_TEST_RESET 0x7777u
#define VIRT_MTIME_HZ   10000000u

/* ns16550: registers, and bits of the line status. */
enum { UART_DATA = 0, UART_FIFO = 2, UART_STATUS = 5 };
#define UART_FIFO_ON  0x01u
#define UART_RECEIVED 0x01u
#define UART_CAN_SEND 0x20u

/* ---- Clocks ---- */

static uint64_t virt_counter(const volatile uint32_t *at)
{
    uint32_t high, low;

    do {
        high = at[1];
        low = at[0];
    } while (at[1] != high);
    return (uint64_t)high << 32 | low;
}

static uint64_t virt_ms(void *self)
{
    (void)self;
    return virt_counter(VIRT_MTIME) / (VIRT_MTIME_HZ / 1000);
}

static int virt_monotonic(void *self, uint64_t *ms)
{
    *ms = virt_ms(self);
    return 0;
}

/* A battery clock that somebody set: reading the low half latches the high one. */
static int virt_wall(void *self, uint64_t *ms, enum lk_clock_quality *quality)
{
    uint32_t low = VIRT_RTC[0];
    uint64_t ns = (uint64_t)VIRT_RTC[1] << 32 | low;

    (void)self;
    *ms = ns / 1000000u;
    *quality = LK_CLOCK_SET;
    return 0;
}

/* ---- Entropy ---- */

/* The seed register (RISC-V cryptography extensions, Zkr): 16 bits at a time, and a state. */
static int virt_seed(uint16_t *bits)
{
    unsigned tries;

    for (tries = 0; tries < 10000; tries++) {
        uint32_t seed;

        __asm__ volatile(".option push\n.option arch, +zicsr\ncsrrw %0, 0x015, x0\n.option pop"
                         : "=r"(seed));
        switch (seed >> 30) {
        case 2: *bits = (uint16_t)seed; return 0;
        case 3: return LK_E_ENTROPY; /* dead */
        default: break;              /* testing itself, or not ready */
        }
    }
    return LK_E_ENTROPY;
}

/* 512 bits of the register, which holds at least half of what it gives as entropy, for each 256. */
static int virt_fill(void *self, uint8_t *out, size_t size)
{
    uint16_t seeds[32];
    uint8_t block[LK_HASH_SIZE];
    size_t i;
    int error = 0;

    while (!error && size != 0) {
        size_t part = size < sizeof(block) ? size : sizeof(block);

        for (i = 0; !error && i < sizeof(seeds) / sizeof(seeds[0]); i++) {
            error = virt_seed(&seeds[i]);
        }
        if (!error) {
            error = lk_sodium_crypto.hash(self, NULL, 0,
                                          (struct lk_span){(const uint8_t *)seeds, sizeof(seeds)},
                                          (struct lk_span){NULL, 0}, block);
        }
        if (!error) {
            memcpy(out, block, part);
            out += part;
            size -= part;
        }
    }
    lk_sodium_crypto.wipe(seeds, sizeof(seeds));
    lk_sodium_crypto.wipe(block, sizeof(block));
    return error;
}

static const struct lk_entropy virt_entropy = {.fill = virt_fill};

static uint64_t virt_boot_number;

static int virt_boot(void *self, uint64_t *boot)
{
    return lk_boot_number(&virt_entropy, self, &virt_boot_number, boot);
}

static const struct lk_clock virt_clock = {
    .wall = virt_wall, .monotonic = virt_monotonic, .boot = virt_boot};

/* ---- Device secret ---- */

static int virt_secret_read(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return lk_secret_read(&lk_cfi_flash, self, LK_VIRT_SECRET_SECTOR, secret);
}

static int virt_secret_create(void *self)
{
    return lk_secret_create(&lk_cfi_flash, self, LK_VIRT_SECRET_SECTOR, &virt_entropy);
}

static int virt_secret_provisioned(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return lk_secret_read(&lk_cfi_flash, self, LK_VIRT_PROVISION_SECTOR, secret);
}

static int virt_secret_forget(void *self)
{
    return lk_cfi_flash.erase(self, LK_VIRT_PROVISION_SECTOR);
}

static const struct lk_secret virt_secret = {.read = virt_secret_read,
                                             .create = virt_secret_create,
                                             .provisioned = virt_secret_provisioned,
                                             .forget = virt_secret_forget};

/* ---- Console ---- */

static bool virt_ready(void *self)
{
    (void)self;
    return VIRT_UART[UART_STATUS] & UART_RECEIVED;
}

static uint8_t virt_take(void *self)
{
    (void)self;
    return VIRT_UART[UART_DATA];
}

static int virt_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    const struct lk_serial serial = {virt_ready, virt_take, virt_ms, self};

    return lk_serial_read(&serial, byte, timeout_ms);
}

static int virt_write(void *self, const uint8_t *data, size_t size)
{
    (void)self;
    for (; size != 0; size--) {
        while (!(VIRT_UART[UART_STATUS] & UART_CAN_SEND)) {
        }
        VIRT_UART[UART_DATA] = *data++;
    }
    return 0;
}

static const struct lk_console virt_console = {
    .read = virt_read, .write = virt_write, .width = lk_serial_width};

/* ---- The machine ---- */

const struct lk_port lk_virt_port = {
    .clock = &virt_clock,
    .entropy = &virt_entropy,
    .secret = &virt_secret,
    .crypto = &lk_sodium_crypto,
    .console = &virt_console,
    .flash = &lk_cfi_flash,
};

void lk_virt_init(void)
{
    VIRT_UART[UART_FIFO] = UART_FIFO_ON;
}

void lk_virt_reset(void)
{
    for (;;) {
        *VIRT_TEST = VIRT_TEST_RESET;
    }
}
