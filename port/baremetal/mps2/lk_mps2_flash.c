// SPDX-License-Identifier: MIT
/*
 * lk_mps2_flash.c: NOR flash in the board's PSRAM: a program only clears bits, of a unit that is
 * erased; only an erase sets them. Word after word, so that a cut leaves a part of the work done.
 */
#include "lk_mps2.h"

#include <string.h>

#define MPS2_BASE 0x21000000u
#define MPS2_ALL  (LK_MPS2_SECTOR_SIZE * LK_MPS2_SECTOR_COUNT)
#define MPS2_UNIT 4u

static int mps2_flash_geometry(void *self, struct lk_flash_geometry *geometry)
{
    (void)self;
    *geometry = (struct lk_flash_geometry){
        .sector_size = LK_MPS2_SECTOR_SIZE,
        .sector_count = LK_MPS2_SECTOR_COUNT,
        .program_unit = MPS2_UNIT,
        .mapped = (const uint8_t *)MPS2_BASE,
    };
    return 0;
}

static int mps2_flash_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    (void)self;
    if (address > MPS2_ALL || size > MPS2_ALL - address) {
        return LK_E_ARGUMENT;
    }
    memcpy(out, (const uint8_t *)(uintptr_t)(MPS2_BASE + address), size);
    return 0;
}

static int mps2_flash_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    (void)self;
    if (address > MPS2_ALL || size > MPS2_ALL - address || address % MPS2_UNIT ||
        size % MPS2_UNIT) {
        return LK_E_ARGUMENT;
    }
    for (; size != 0; size -= MPS2_UNIT, data += MPS2_UNIT, address += MPS2_UNIT) {
        volatile uint32_t *at = (volatile uint32_t *)(uintptr_t)(MPS2_BASE + address);
        uint32_t word;

        memcpy(&word, data, sizeof(word));
        if (*at != UINT32_MAX) {
            return LK_E_IO; /* not erased */
        }
        *at &= word;
        if (*at != word) {
            return LK_E_IO;
        }
    }
    return 0;
}

static int mps2_flash_erase(void *self, uint32_t sector)
{
    volatile uint32_t *at, *end;

    (void)self;
    if (sector >= LK_MPS2_SECTOR_COUNT) {
        return LK_E_ARGUMENT;
    }
    at = (volatile uint32_t *)(uintptr_t)(MPS2_BASE + sector * LK_MPS2_SECTOR_SIZE);
    for (end = at + LK_MPS2_SECTOR_SIZE / sizeof(*at); at < end; at++) {
        *at = UINT32_MAX;
    }
    return 0;
}

/* Each program and erase is over before its function returns. */
static int mps2_flash_sync(void *self)
{
    (void)self;
    return 0;
}

const struct lk_flash lk_mps2_flash = {
    .geometry = mps2_flash_geometry,
    .read = mps2_flash_read,
    .program = mps2_flash_program,
    .erase = mps2_flash_erase,
    .sync = mps2_flash_sync,
};
