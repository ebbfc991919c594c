// SPDX-License-Identifier: MIT
/* lk_fake_flash.c: a NOR flash for tests: its five calls, their rules, bad and worn sectors. */
#include "lk_fake_flash_parts.h"

/* One in so many operations of an intermittent sector fails. */
#define FLASH_INTERMITTENT 4u

/* ---- What each call begins with ---- */

static int flash_enter(struct lk_fake_flash *flash)
{
    if (flash->off) {
        return LK_E_IO;
    }
    flash->stat.calls++;
    if (flash->call_limit != 0 && flash->stat.calls > flash->call_limit) {
        flash->limit_hit = true;
        return LK_E_IO;
    }
    lk_fake_flash_shake_mapped(flash);
    return LK_OK;
}

static int flash_broken(struct lk_fake_flash *flash, const char *rule, uint32_t address)
{
    flash->stat.broken_rules++;
    flash->stat.last_rule = rule;
    LK_ASSERT(flash->config.broken_rule != NULL);
    if (flash->config.broken_rule != NULL) {
        flash->config.broken_rule(flash->config.context, rule, address);
    }
    return LK_E_ARGUMENT;
}

static bool flash_in_range(const struct lk_fake_flash *flash, uint32_t address, size_t size)
{
    return address <= flash_size(flash) && size <= flash_size(flash) - address;
}

/* Counts an operation; true when power goes with it. */
static bool flash_operation(struct lk_fake_flash *flash)
{
    flash->stat.operations++;
    return flash->stat.operations == flash->cut_at;
}

static int flash_geometry(void *self, struct lk_flash_geometry *geometry)
{
    struct lk_fake_flash *flash = self;
    int error = flash_enter(flash);

    if (error != LK_OK) {
        return error;
    }
    geometry->sector_size = flash->config.sector_size;
    geometry->sector_count = flash->config.sector_count;
    geometry->program_unit = flash->config.program_unit;
    geometry->mapped = flash->config.mapped ? flash->image : NULL;
    return LK_OK;
}

static int flash_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    struct lk_fake_flash *flash = self;
    int error = flash_enter(flash);

    if (error != LK_OK) {
        return error;
    }
    if (!flash_in_range(flash, address, size)) {
        return flash_broken(flash, "reading past the end", address);
    }
    lk_fake_flash_shake(flash, address, size);
    memcpy(out, flash->image + address, size);
    flash->stat.read_bytes += size;
    return LK_OK;
}

/* ---- Programming ---- */

/* One bit that should have been cleared stays, or the other way round. */
static void flash_spoil(struct lk_fake_flash *flash, uint32_t address)
{
    uint64_t hash = flash_hash(flash->config.seed, address);

    flash->image[address + hash % flash->config.program_unit] ^= (uint8_t)(1u << (hash >> 8 & 7u));
}

/* What becomes of a unit: programmed, left alone, left half way, or programmed wrongly. */
enum flash_outcome { FLASH_DONE, FLASH_NOTHING, FLASH_HALF, FLASH_SPOILT };

/* The unit is programmed as the sector's state allows. */
static int flash_program_unit(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data)
{
    uint64_t chance = flash_random(flash);
    uint32_t unit = flash->config.program_unit;
    uint8_t before[LK_FAKE_FLASH_UNIT_MAX];
    enum flash_outcome outcome = FLASH_DONE;
    int error = LK_OK;

    switch ((enum lk_fake_flash_fault)flash_sector(flash, address)->fault) {
    case LK_FAKE_FLASH_NO_PROGRAM:
        error = LK_E_IO;
        outcome = FLASH_NOTHING;
        break;
    case LK_FAKE_FLASH_SILENT: outcome = FLASH_NOTHING; break;
    case LK_FAKE_FLASH_WRONG:
        if (flash_hash(flash->config.seed + 1, address) % 2u == 0) {
            outcome = FLASH_SPOILT;
        }
        break;
    case LK_FAKE_FLASH_INTERMITTENT:
        if (chance % FLASH_INTERMITTENT == 0) {
            outcome = (enum flash_outcome)(1u + (chance >> 8) % 3u);
            error = outcome == FLASH_HALF || (chance >> 16 & 1u) != 0 ? LK_E_IO : LK_OK;
        }
        break;
    case LK_FAKE_FLASH_SOUND:
    case LK_FAKE_FLASH_NO_ERASE: break;
    }
    memcpy(before, flash->image + address, unit);
    if (outcome == FLASH_HALF) {
        lk_fake_flash_tear_unit(flash, address, data, chance, NULL);
    } else if (outcome != FLASH_NOTHING) {
        flash_put(flash, address, data);
    }
    /* A unit of which a bad sector changed no bit is as erased as before. */
    if (outcome == FLASH_NOTHING ||
        (outcome == FLASH_HALF && memcmp(before, flash->image + address, unit) == 0)) {
        return error;
    }
    flash_use(flash, address);
    flash->stat.programmed_bytes += unit;
    if (outcome == FLASH_SPOILT) {
        flash_spoil(flash, address);
    }
    return error;
}

static int flash_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    struct lk_fake_flash *flash = self;
    uint32_t unit = flash->config.program_unit;
    int error = flash_enter(flash);

    if (error != LK_OK) {
        return error;
    }
    if (!flash_in_range(flash, address, size)) {
        return flash_broken(flash, "programming past the end", address);
    }
    if (address % unit != 0 || size % unit != 0) {
        return flash_broken(flash, "programming parts of a unit", address);
    }
    for (size_t at = 0; at < size; at += unit) {
        if (flash_is_used(flash, address + (uint32_t)at)) {
            return flash_broken(flash, "programming a unit that is not erased",
                                address + (uint32_t)at);
        }
    }
    for (size_t at = 0; at < size && error == LK_OK; at += unit) {
        bool cut = flash_operation(flash);

        if (cut && flash->cut_moment == LK_FAKE_FLASH_TORN) {
            lk_fake_flash_tear_program(flash, address + (uint32_t)at, data + at, size - at);
        } else if (!cut || flash->cut_moment == LK_FAKE_FLASH_AFTER) {
            error = flash_program_unit(flash, address + (uint32_t)at, data + at);
        }
        if (cut) {
            lk_fake_flash_cut_now(flash, flash->cut_seed);
            error = LK_E_IO;
        }
    }
    return error;
}

/* ---- Erasing ---- */

static void flash_wear(struct lk_fake_flash *flash, struct lk_fake_flash_sector *sector)
{
    sector->erases++;
    flash->stat.erases++;
    if (sector->endurance != 0 && sector->erases > sector->endurance &&
        sector->fault == LK_FAKE_FLASH_SOUND) {
        sector->fault = (uint8_t)flash->config.worn;
    }
}

static void flash_erase_all(struct lk_fake_flash *flash, uint32_t number)
{
    uint32_t size = flash->config.sector_size, start = number * size;

    memset(flash->image + start, 0xFF, size);
    lk_fake_flash_weak_erased(flash, start, size);
}

static int flash_erase_sector(struct lk_fake_flash *flash, uint32_t number)
{
    struct lk_fake_flash_sector *sector = &flash->sectors[number];
    uint32_t size = flash->config.sector_size, start = number * size;
    uint64_t chance = flash_random(flash);
    enum lk_fake_flash_fault fault;

    flash_wear(flash, sector);
    fault = (enum lk_fake_flash_fault)sector->fault;
    if (fault == LK_FAKE_FLASH_NO_ERASE ||
        (fault == LK_FAKE_FLASH_INTERMITTENT && chance % (2u * FLASH_INTERMITTENT) == 0)) {
        return LK_E_IO;
    }
    flash_mark_sector(flash, number, false);
    lk_fake_flash_dirty(flash, start, size);
    sector->erase_pending = true;
    sector->torn = false;
    if (fault == LK_FAKE_FLASH_SILENT ||
        (fault == LK_FAKE_FLASH_INTERMITTENT && chance % (2u * FLASH_INTERMITTENT) == 1)) {
        return LK_OK;
    }
    flash_erase_all(flash, number);
    if (fault == LK_FAKE_FLASH_WRONG) {
        flash_spoil(flash, start + (uint32_t)(chance % size) / flash->config.program_unit *
                                       flash->config.program_unit);
    }
    return LK_OK;
}

static int flash_erase(void *self, uint32_t number)
{
    struct lk_fake_flash *flash = self;
    int error = flash_enter(flash);
    bool cut;

    if (error != LK_OK) {
        return error;
    }
    if (number >= flash->config.sector_count) {
        return flash_broken(flash, "erasing past the end", number);
    }
    cut = flash_operation(flash);
    if (cut && flash->cut_moment == LK_FAKE_FLASH_TORN) {
        flash_wear(flash, &flash->sectors[number]);
        lk_fake_flash_tear_erase(flash, number);
    } else if (!cut || flash->cut_moment == LK_FAKE_FLASH_AFTER) {
        error = flash_erase_sector(flash, number);
    }
    if (cut) {
        lk_fake_flash_cut_now(flash, flash->cut_seed);
        error = LK_E_IO;
    }
    return error;
}

static int flash_sync(void *self)
{
    struct lk_fake_flash *flash = self;
    int error = flash_enter(flash);

    if (error != LK_OK) {
        return error;
    }
    flash->stat.syncs++;
    lk_fake_flash_keep(flash);
    return LK_OK;
}

const struct lk_flash lk_fake_flash_ops = {
    .geometry = flash_geometry,
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
    .sync = flash_sync,
};

/* ---- The part ---- */

int lk_fake_flash_init(struct lk_fake_flash *flash, const struct lk_fake_flash_config *config)
{
    uint32_t unit = config->program_unit, count = config->sector_count;
    uint8_t *memory = config->memory;

    if ((unit != 1 && unit != 4 && unit != 8 && unit != 16) || config->sector_size == 0 ||
        count == 0 || config->sector_size % (8u * unit) != 0 ||
        config->sector_size > UINT32_MAX / count || memory == NULL ||
        (uintptr_t)memory % sizeof(uint32_t) != 0) {
        return LK_E_ARGUMENT;
    }
    if (config->memory_size < LK_FAKE_FLASH_MEMORY(config->sector_size, count, unit)) {
        return LK_E_SPACE;
    }
    memset(flash, 0, sizeof *flash);
    flash->config = *config;
    flash->random = flash_mix(config->seed);
    flash->sectors = (struct lk_fake_flash_sector *)(void *)memory;
    flash->image = memory + count * sizeof flash->sectors[0];
    flash->used = flash->image + flash_size(flash);
    flash->synced = flash->used + flash_used_size(flash);
    flash->synced_used = flash->synced + flash_size(flash);
    memset(flash->sectors, 0, count * sizeof flash->sectors[0]);
    memset(flash->image, 0xFF, flash_size(flash));
    memset(flash->used, 0, flash_used_size(flash));
    memset(flash->synced, 0xFF, flash_size(flash));
    memset(flash->synced_used, 0, flash_used_size(flash));
    for (uint32_t i = 0; i < count && config->endurance != 0; i++) {
        uint32_t spread = config->endurance / 8u + 1u;

        flash->sectors[i].endurance =
            config->endurance - spread / 2u + (uint32_t)(flash_hash(config->seed, i) % spread);
    }
    return LK_OK;
}

size_t lk_fake_flash_memory_used(const struct lk_fake_flash *flash)
{
    const uint8_t *memory = flash->config.memory;

    return (size_t)(flash->synced - memory) +
           (flash->config.buffered ? flash_size(flash) + flash_used_size(flash) : 0);
}

const uint8_t *lk_fake_flash_image(const struct lk_fake_flash *flash)
{
    return flash->image;
}

int lk_fake_flash_load(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data,
                       size_t size)
{
    uint32_t unit = flash->config.program_unit;

    if (!flash_in_range(flash, address, size) || address % unit != 0 || size % unit != 0) {
        return LK_E_ARGUMENT;
    }
    memcpy(flash->image + address, data, size);
    memcpy(flash->synced + address, data, size);
    for (size_t at = 0; at < size; at += unit) {
        bool used = false;

        for (size_t i = 0; i < unit; i++) {
            used = used || data[at + i] != 0xFF;
        }
        flash_mark(flash->used, (address + (uint32_t)at) / unit, used);
        flash_mark(flash->synced_used, (address + (uint32_t)at) / unit, used);
    }
    return LK_OK;
}

void lk_fake_flash_flip(struct lk_fake_flash *flash, uint32_t address, unsigned bit)
{
    flash->image[address] ^= (uint8_t)(1u << bit % 8u);
    flash->synced[address] ^= (uint8_t)(1u << bit % 8u);
}

void lk_fake_flash_wear(const struct lk_fake_flash *flash, uint32_t *least, uint32_t *most)
{
    *least = UINT32_MAX;
    *most = 0;
    for (uint32_t i = 0; i < flash->config.sector_count; i++) {
        uint32_t erases = flash->sectors[i].erases;

        *least = erases < *least ? erases : *least;
        *most = erases > *most ? erases : *most;
    }
}

void lk_fake_flash_fault_set(struct lk_fake_flash *flash, uint32_t sector,
                             enum lk_fake_flash_fault fault)
{
    flash->sectors[sector].fault = (uint8_t)fault;
}
