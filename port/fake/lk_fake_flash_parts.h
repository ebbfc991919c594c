// SPDX-License-Identifier: MIT
/* lk_fake_flash_parts.h: what the files of the flash for tests share. */
#ifndef LK_FAKE_FLASH_PARTS_H
#define LK_FAKE_FLASH_PARTS_H

#include "lk_fake_flash.h"

#include <string.h>

static inline uint64_t flash_mix(uint64_t word)
{
    word += 0x9E3779B97F4A7C15u;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
}

/* A number that depends on place and seed only. */
static inline uint64_t flash_hash(uint64_t seed, uint64_t place)
{
    return flash_mix(flash_mix(seed) ^ place);
}

static inline uint64_t flash_random(struct lk_fake_flash *flash)
{
    flash->random++;
    return flash_mix(flash->random);
}

static inline struct lk_fake_flash_sector *flash_sector(const struct lk_fake_flash *flash,
                                                        uint32_t address)
{
    return &flash->sectors[address / flash->config.sector_size];
}

static inline uint32_t flash_size(const struct lk_fake_flash *flash)
{
    return flash->config.sector_size * flash->config.sector_count;
}

static inline size_t flash_used_size(const struct lk_fake_flash *flash)
{
    return flash_size(flash) / flash->config.program_unit / 8u;
}

static inline bool flash_marked(const uint8_t *used, uint32_t unit)
{
    return (used[unit / 8u] & (1u << (unit % 8u))) != 0;
}

static inline bool flash_is_used(const struct lk_fake_flash *flash, uint32_t address)
{
    return flash_marked(flash->used, address / flash->config.program_unit);
}

static inline void flash_mark(uint8_t *used, uint32_t unit, bool is_used)
{
    uint8_t bit = (uint8_t)(1u << (unit % 8u));

    used[unit / 8u] = (uint8_t)(is_used ? used[unit / 8u] | bit : used[unit / 8u] & (uint8_t)~bit);
}

static inline void flash_mark_sector(const struct lk_fake_flash *flash, uint32_t sector, bool used)
{
    size_t size = flash_used_size(flash) / flash->config.sector_count;

    memset(flash->used + sector * size, used ? 0xFF : 0, size);
}

static inline void flash_put(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data)
{
    for (uint32_t i = 0; i < flash->config.program_unit; i++) {
        flash->image[address + i] &= data[i];
    }
}

/* Throws each weak bit of the range anew. */
void lk_fake_flash_shake(struct lk_fake_flash *flash, uint32_t address, size_t size);
void lk_fake_flash_shake_mapped(struct lk_fake_flash *flash);
/* The bits in it are no longer weak, for good once that is synced. */
void lk_fake_flash_weak_erased(struct lk_fake_flash *flash, uint32_t address, uint32_t size);
/* So much of the part differs from what is synced. */
void lk_fake_flash_dirty(struct lk_fake_flash *flash, uint32_t address, uint32_t size);

static inline void flash_use(struct lk_fake_flash *flash, uint32_t address)
{
    flash_mark(flash->used, address / flash->config.program_unit, true);
    lk_fake_flash_dirty(flash, address, flash->config.program_unit);
}

/* All of it is on the medium now. */
void lk_fake_flash_keep(struct lk_fake_flash *flash);

/*
 * Some of the bits that should be cleared are. `weak` gets the bits that are in between; without it
 * they stay as they were.
 */
void lk_fake_flash_tear_unit(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data,
                             uint64_t seed, struct lk_fake_flash_weak *weak);
/* Power goes while the first of these units is programmed. */
void lk_fake_flash_tear_program(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data,
                                size_t size);
/* Power goes while the sector is erased: old bits, zeroes (a part clears all bits first), ones. */
void lk_fake_flash_tear_erase(struct lk_fake_flash *flash, uint32_t number);

#endif
