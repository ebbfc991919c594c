// SPDX-License-Identifier: MIT
/*
 * lk_cfi_flash.c: two 16-bit Intel CFI chips side by side, as on QEMU's "virt" machine, unit 1.
 *
 * Commands go to both chips at once. The emulator lets a program turn 0 into 1, which no flash can:
 * this driver refuses what a chip would not do.
 */
#include "lk_riscv_virt.h"

#include <string.h>

#define CFI_BASE 0x22000000u

#define CFI_BOTH(command) ((uint32_t)(command) << 16 | (uint32_t)(command))
#define CFI_READ_ARRAY    CFI_BOTH(0xFF)
#define CFI_CLEAR_STATUS  CFI_BOTH(0x50)
#define CFI_ERASE         CFI_BOTH(0x20)
#define CFI_ERASE_CONFIRM CFI_BOTH(0xD0)
#define CFI_PROGRAM       CFI_BOTH(0x40)
#define CFI_READY         CFI_BOTH(0x80)
#define CFI_ERRORS        CFI_BOTH(0x3A) /* erase, program, voltage, locked */

#define CFI_UNIT 4u
/* An erase takes seconds at the most; the emulator none. */
#define CFI_POLLS 100000000u

static volatile uint32_t *cfi_at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)(CFI_BASE + address);
}

static bool cfi_in_range(uint32_t address, size_t size)
{
    const uint32_t all = LK_VIRT_SECTOR_SIZE * LK_VIRT_SECTOR_COUNT;

    return address <= all && size <= all - address;
}

/* Waits for both chips, then goes back to reading. */
static int cfi_finish(volatile uint32_t *at)
{
    uint32_t status = 0, polls;

    for (polls = 0; polls < CFI_POLLS; polls++) {
        status = *at;
        if ((status & CFI_READY) == CFI_READY) {
            break;
        }
    }
    *at = CFI_CLEAR_STATUS;
    *at = CFI_READ_ARRAY;
    return (status & CFI_READY) == CFI_READY && (status & CFI_ERRORS) == 0 ? 0 : LK_E_IO;
}

static int cfi_geometry(void *self, struct lk_flash_geometry *geometry)
{
    (void)self;
    *geometry = (struct lk_flash_geometry){
        .sector_size = LK_VIRT_SECTOR_SIZE,
        .sector_count = LK_VIRT_SECTOR_COUNT,
        .program_unit = CFI_UNIT,
        .mapped = (const uint8_t *)CFI_BASE,
    };
    return 0;
}

static int cfi_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    (void)self;
    if (!cfi_in_range(address, size)) {
        return LK_E_ARGUMENT;
    }
    memcpy(out, (const uint8_t *)(uintptr_t)(CFI_BASE + address), size);
    return 0;
}

static int cfi_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    (void)self;
    if (!cfi_in_range(address, size) || address % CFI_UNIT || size % CFI_UNIT) {
        return LK_E_ARGUMENT;
    }
    for (; size != 0; size -= CFI_UNIT, data += CFI_UNIT, address += CFI_UNIT) {
        volatile uint32_t *at = cfi_at(address);
        uint32_t word;
        int error;

        memcpy(&word, data, sizeof(word));
        if (*at != UINT32_MAX) {
            return LK_E_IO; /* not erased */
        }
        *at = CFI_PROGRAM;
        *at = word;
        error = cfi_finish(at);
        if (error || *at != word) {
            return LK_E_IO;
        }
    }
    return 0;
}

static int cfi_erase(void *self, uint32_t sector)
{
    volatile uint32_t *at = cfi_at(sector * LK_VIRT_SECTOR_SIZE);

    (void)self;
    if (sector >= LK_VIRT_SECTOR_COUNT) {
        return LK_E_ARGUMENT;
    }
    *at = CFI_ERASE;
    *at = CFI_ERASE_CONFIRM;
    return cfi_finish(at);
}

/* Each program and erase is over before its function returns. */
static int cfi_sync(void *self)
{
    (void)self;
    return 0;
}

const struct lk_flash lk_cfi_flash = {
    .geometry = cfi_geometry,
    .read = cfi_read,
    .program = cfi_program,
    .erase = cfi_erase,
    .sync = cfi_sync,
};
