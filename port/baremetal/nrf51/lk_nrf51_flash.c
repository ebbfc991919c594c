// SPDX-License-Identifier: MIT
/* lk_nrf51_flash.c: the nRF51822's own flash through its controller, a word at a time. */
#include "lk_nrf51.h"

#include <string.h>

#define NVMC_READY     (*(volatile uint32_t *)0x4001E400u)
#define NVMC_CONFIG    (*(volatile uint32_t *)0x4001E504u)
#define NVMC_ERASEPAGE (*(volatile uint32_t *)0x4001E508u)

enum { NVMC_READ = 0, NVMC_WRITE = 1, NVMC_ERASE = 2 };

#define NRF_UNIT 4u
#define NRF_BASE (LK_NRF51_PAGE_SIZE * LK_NRF51_FIRST_PAGE)
#define NRF_ALL  (LK_NRF51_PAGE_SIZE * LK_NRF51_SECTOR_COUNT)

static void nrf_mode(uint32_t mode)
{
    NVMC_CONFIG = mode;
    while (NVMC_READY == 0) {
    }
}

static int nrf_geometry(void *self, struct lk_flash_geometry *geometry)
{
    (void)self;
    *geometry = (struct lk_flash_geometry){
        .sector_size = LK_NRF51_PAGE_SIZE,
        .sector_count = LK_NRF51_SECTOR_COUNT,
        .program_unit = NRF_UNIT,
        .mapped = (const uint8_t *)NRF_BASE,
    };
    return 0;
}

static int nrf_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    (void)self;
    if (address > NRF_ALL || size > NRF_ALL - address) {
        return LK_E_ARGUMENT;
    }
    memcpy(out, (const uint8_t *)(uintptr_t)(NRF_BASE + address), size);
    return 0;
}

static int nrf_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    int error = 0;

    (void)self;
    if (address > NRF_ALL || size > NRF_ALL - address || address % NRF_UNIT || size % NRF_UNIT) {
        return LK_E_ARGUMENT;
    }
    nrf_mode(NVMC_WRITE);
    for (; !error && size != 0; size -= NRF_UNIT, data += NRF_UNIT, address += NRF_UNIT) {
        volatile uint32_t *at = (volatile uint32_t *)(uintptr_t)(NRF_BASE + address);
        uint32_t word;

        memcpy(&word, data, sizeof(word));
        *at = word;
        while (NVMC_READY == 0) {
        }
        error = *at == word ? 0 : LK_E_IO;
    }
    nrf_mode(NVMC_READ);
    return error;
}

static int nrf_erase(void *self, uint32_t sector)
{
    (void)self;
    if (sector >= LK_NRF51_SECTOR_COUNT) {
        return LK_E_ARGUMENT;
    }
    nrf_mode(NVMC_ERASE);
    NVMC_ERASEPAGE = NRF_BASE + sector * LK_NRF51_PAGE_SIZE;
    while (NVMC_READY == 0) {
    }
    nrf_mode(NVMC_READ);
    return 0;
}

/* Each program and erase is over before its function returns. */
static int nrf_sync(void *self)
{
    (void)self;
    return 0;
}

const struct lk_flash lk_nrf51_flash = {
    .geometry = nrf_geometry,
    .read = nrf_read,
    .program = nrf_program,
    .erase = nrf_erase,
    .sync = nrf_sync,
};
