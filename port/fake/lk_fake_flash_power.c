// SPDX-License-Identifier: MIT
/* lk_fake_flash_power.c: what a loss of power leaves behind in the flash for tests. */
#include "lk_fake_flash_parts.h"

/* ---- Weak bits ---- */

static uint8_t flash_weak_mask(const struct lk_fake_flash_weak *weak, uint32_t address)
{
    uint64_t hash;

    if (!weak->of_erase) {
        return weak->mask[address - weak->address];
    }
    /* The seed also says how many: half of the bits, one in 8, one in 64, about 4 in the sector. */
    hash = flash_hash(weak->seed, address);
    switch (weak->seed % 4u) {
    case 0: return (uint8_t)hash;
    case 1: return (uint8_t)(hash & hash >> 8 & hash >> 16);
    case 2: return (uint8_t)(hash & hash >> 8 & hash >> 16 & hash >> 24 & hash >> 32 & hash >> 40);
    default: return (uint8_t)(hash % weak->size < 4 ? 1u << (hash >> 56 & 7u) : 0u);
    }
}

void lk_fake_flash_shake(struct lk_fake_flash *flash, uint32_t address, size_t size)
{
    for (size_t i = 0; i < LK_FAKE_FLASH_WEAK_MAX; i++) {
        const struct lk_fake_flash_weak *weak = &flash->weak[i];
        uint32_t from = weak->address > address ? weak->address : address;
        uint64_t end = (uint64_t)weak->address + weak->size;

        if (weak->gone) {
            continue;
        }
        end = end < address + size ? end : address + size;
        for (uint64_t at = from; at < end; at++) {
            uint8_t mask = flash_weak_mask(weak, (uint32_t)at), bits = 0;

            for (unsigned bit = 0; bit < 8u && mask != 0; bit++) {
                bits |= (uint8_t)((flash_random(flash) & 0xFFu) < weak->bias ? 1u << bit : 0u);
            }
            flash->image[at] = (uint8_t)((flash->image[at] & (uint8_t)~mask) | (bits & mask));
        }
    }
}

/* Mapped bytes can't change while they are read, so they do at every call. */
void lk_fake_flash_shake_mapped(struct lk_fake_flash *flash)
{
    if (flash->config.mapped) {
        lk_fake_flash_shake(flash, 0, flash_size(flash));
    }
}

static struct lk_fake_flash_weak *flash_weak_new(struct lk_fake_flash *flash)
{
    for (size_t i = 0; i < LK_FAKE_FLASH_WEAK_MAX; i++) {
        if (flash->weak[i].size == 0) {
            return &flash->weak[i];
        }
    }
    memmove(&flash->weak[0], &flash->weak[1], sizeof flash->weak - sizeof flash->weak[0]);
    return &flash->weak[LK_FAKE_FLASH_WEAK_MAX - 1];
}

void lk_fake_flash_weak_erased(struct lk_fake_flash *flash, uint32_t address, uint32_t size)
{
    for (size_t i = 0; i < LK_FAKE_FLASH_WEAK_MAX; i++) {
        struct lk_fake_flash_weak *weak = &flash->weak[i];

        if (weak->size != 0 && weak->address >= address && weak->address < address + size) {
            weak->gone = true;
            weak->size = flash->config.buffered ? weak->size : 0;
        }
    }
}

/* ---- What is not synced ---- */

void lk_fake_flash_dirty(struct lk_fake_flash *flash, uint32_t address, uint32_t size)
{
    struct lk_fake_flash_sector *sector = flash_sector(flash, address);
    uint32_t from = address % flash->config.sector_size;

    if (sector->dirty_end == 0 || from < sector->dirty_from) {
        sector->dirty_from = from;
    }
    if (from + size > sector->dirty_end) {
        sector->dirty_end = from + size;
    }
}

/* Calls `each` for every unsynced unit, then forgets that they were. */
static void flash_settle(struct lk_fake_flash *flash,
                         void (*each)(struct lk_fake_flash *flash, uint32_t address, uint64_t seed),
                         uint64_t seed)
{
    uint32_t unit = flash->config.program_unit;

    for (uint32_t i = 0; flash->config.buffered && i < flash->config.sector_count; i++) {
        struct lk_fake_flash_sector *sector = &flash->sectors[i];
        uint32_t start = i * flash->config.sector_size;

        for (uint32_t at = sector->dirty_from; at < sector->dirty_end; at += unit) {
            each(flash, start + at, seed);
        }
        sector->dirty_from = sector->dirty_end = 0;
        sector->erase_pending = false;
    }
}

static void flash_keep_unit(struct lk_fake_flash *flash, uint32_t address, uint64_t seed)
{
    (void)seed;
    memcpy(flash->synced + address, flash->image + address, flash->config.program_unit);
    flash_mark(flash->synced_used, address / flash->config.program_unit,
               flash_is_used(flash, address));
}

static bool flash_loses_erase(const struct lk_fake_flash *flash, uint32_t sector, uint64_t seed)
{
    return flash->sectors[sector].erase_pending &&
           flash_hash(seed, UINT64_C(1) << 32 | sector) % 2u == 0;
}

/* By the seed all is kept, a quarter or half of it is lost, or all. */
static bool flash_loses_program(uint32_t address, uint64_t seed)
{
    uint64_t style = flash_hash(seed, UINT64_MAX) % 4u;

    return style == 3 || flash_hash(seed, address) % 4u < style;
}

static void flash_lose_unit(struct lk_fake_flash *flash, uint32_t address, uint64_t seed)
{
    uint32_t unit = flash->config.program_unit, number = address / unit;
    uint32_t sector = address / flash->config.sector_size;

    if (flash->sectors[sector].erase_pending) {
        if (!flash_loses_erase(flash, sector, seed)) {
            if (flash->sectors[sector].torn || !flash_loses_program(address, seed)) {
                return;
            }
            memset(flash->image + address, 0xFF, unit);
            flash_mark(flash->used, number, false);
            return;
        }
    } else if (!flash_loses_program(address, seed)) {
        return;
    }
    memcpy(flash->image + address, flash->synced + address, unit);
    flash_mark(flash->used, number, flash_marked(flash->synced_used, number));
}

/* Weak bits follow their sector: back when its erase was lost, gone with a lost program. */
static void flash_lose_weak(struct lk_fake_flash *flash, uint64_t seed)
{
    for (size_t i = 0; i < LK_FAKE_FLASH_WEAK_MAX; i++) {
        struct lk_fake_flash_weak *weak = &flash->weak[i];
        uint32_t number = weak->address / flash->config.sector_size;
        uint32_t place = weak->address % flash->config.sector_size;
        const struct lk_fake_flash_sector *sector = &flash->sectors[number];
        bool erase_lost = flash_loses_erase(flash, number, seed);
        bool unsynced = place >= sector->dirty_from && place < sector->dirty_end;

        if (weak->gone ? sector->erase_pending && !erase_lost
                       : erase_lost || (!weak->of_erase && unsynced &&
                                        flash_loses_program(weak->address, seed))) {
            weak->size = 0;
        }
        weak->gone = false;
    }
}

void lk_fake_flash_keep(struct lk_fake_flash *flash)
{
    flash_settle(flash, flash_keep_unit, 0);
    for (size_t i = 0; i < LK_FAKE_FLASH_WEAK_MAX; i++) {
        if (flash->weak[i].gone) {
            flash->weak[i] = (struct lk_fake_flash_weak){.size = 0};
        }
    }
}

/* ---- Power ---- */

void lk_fake_flash_cut(struct lk_fake_flash *flash, uint64_t nth, enum lk_fake_flash_moment moment,
                       uint64_t seed)
{
    flash->cut_at = nth == 0 ? 0 : flash->stat.operations + nth;
    flash->cut_moment = moment;
    flash->cut_seed = seed;
}

void lk_fake_flash_cut_now(struct lk_fake_flash *flash, uint64_t seed)
{
    if (flash->config.buffered) {
        flash_lose_weak(flash, seed);
        flash_settle(flash, flash_lose_unit, seed);
        memcpy(flash->synced, flash->image, flash_size(flash));
        memcpy(flash->synced_used, flash->used, flash_used_size(flash));
    }
    flash->off = true;
}

bool lk_fake_flash_is_off(const struct lk_fake_flash *flash)
{
    return flash->off;
}

void lk_fake_flash_power_on(struct lk_fake_flash *flash)
{
    flash->off = false;
    flash->cut_at = 0;
    flash->call_limit = 0;
    flash->limit_hit = false;
    for (size_t i = 0; i < LK_FAKE_FLASH_WEAK_MAX; i++) {
        if (flash->weak[i].size != 0 && flash_random(flash) % 8u == 0) {
            flash->weak[i].size = 0;
        }
    }
    lk_fake_flash_shake_mapped(flash);
}

void lk_fake_flash_limit(struct lk_fake_flash *flash, uint64_t calls)
{
    flash->call_limit = calls == 0 ? 0 : flash->stat.calls + calls;
    flash->limit_hit = false;
}

bool lk_fake_flash_limit_hit(const struct lk_fake_flash *flash)
{
    return flash->limit_hit;
}

/* ---- Torn operations ---- */

void lk_fake_flash_tear_unit(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data,
                             uint64_t seed, struct lk_fake_flash_weak *weak)
{
    /* Out of 256, the bits that are in between, and of the others those that are cleared: nearly
     * done or nearly untouched (two bits of the unit or so are in between), all, anything. */
    const uint64_t few = 128u / flash->config.program_unit;
    const uint64_t in_between[4] = {few, few, 256, 96};
    const uint64_t style = flash_hash(seed, 1) % 4u;
    const uint64_t cleared[4] = {256, 0, 0, 32u + flash_hash(seed, 2) % 193u};

    for (uint32_t i = 0; i < flash->config.program_unit; i++) {
        uint8_t change = flash->image[address + i] & (uint8_t)~data[i];

        for (unsigned bit = 0; bit < 8u; bit++) {
            uint64_t hash = flash_hash(seed, (uint64_t)(address + i) * 8u + bit);
            uint8_t mask = (uint8_t)(1u << bit) & change;

            if (weak != NULL && (hash >> 16 & 0xFFu) < in_between[style]) {
                weak->mask[i] |= mask;
            } else if ((hash & 0xFFu) < cleared[style]) {
                flash->image[address + i] &= (uint8_t)~mask;
            }
        }
    }
}

/* Out of 256: how often a weak bit reads as one. */
static const uint8_t flash_bias[4] = {128, 240, 16, 252};

void lk_fake_flash_tear_program(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data,
                                size_t size)
{
    uint32_t unit = flash->config.program_unit;
    uint64_t seed = flash->cut_seed;
    struct lk_fake_flash_weak *weak = flash_weak_new(flash);

    *weak = (struct lk_fake_flash_weak){
        .address = address, .size = unit, .bias = flash_bias[flash_hash(seed, 3) % 4u]};
    lk_fake_flash_tear_unit(flash, address, data, seed, weak);
    flash_use(flash, address);
    for (size_t at = unit; seed % 2u == 1 && at < size; at += unit) {
        uint32_t place = address + (uint32_t)at;
        uint64_t chance = flash_hash(seed, place) % 4u;

        if (chance != 0) { /* else untouched */
            if (chance == 1) {
                lk_fake_flash_tear_unit(flash, place, data + at, seed, NULL);
            } else {
                flash_put(flash, place, data + at);
            }
            flash_use(flash, place);
        }
    }
}

void lk_fake_flash_tear_erase(struct lk_fake_flash *flash, uint32_t number)
{
    uint32_t size = flash->config.sector_size, start = number * size;
    uint64_t seed = flash_hash(flash->cut_seed, number);
    /* Out of 7, how far it came; half of the time nearly to the end. */
    uint64_t ones = (seed >> 50 & 1u) != 0 ? 7u : seed >> 32 & 7u;
    bool cleared = (seed >> 40 & 3u) == 0;
    struct lk_fake_flash_weak *weak;

    lk_fake_flash_weak_erased(flash, start, size);
    weak = flash_weak_new(flash);
    *weak = (struct lk_fake_flash_weak){.address = start,
                                        .size = size,
                                        .seed = seed,
                                        .bias = flash_bias[seed >> 48 & 3u],
                                        .of_erase = true};
    for (uint32_t at = start; at < start + size; at++) {
        uint64_t hash = flash_hash(seed + 1, at);
        uint8_t done = 0;

        for (unsigned bit = 0; bit < 8u; bit++) {
            done |= (uint8_t)((hash >> (8u * bit) & 0xFFu) % 7u < ones ? 1u << bit : 0u);
        }
        flash->image[at] = (uint8_t)((cleared ? 0 : flash->image[at]) | done);
    }
    flash_mark_sector(flash, number, true);
    lk_fake_flash_dirty(flash, start, size);
    flash->sectors[number].erase_pending = true;
    flash->sectors[number].torn = true;
    lk_fake_flash_shake(flash, start, size);
}
