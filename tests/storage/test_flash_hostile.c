// SPDX-License-Identifier: MIT
/*
 * Images that somebody made so that mounting them takes long: reads grow with the image, no faster.
 */
#include "lk_nor.h"
#include "nor_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR  1024u
#define ENTRIES 1024u

/* A part that is read only, and counts. */
struct part {
    uint8_t *bytes;
    uint32_t sectors;
    uint64_t reads;
};

static int part_geometry(void *self, struct lk_flash_geometry *geometry)
{
    const struct part *part = self;
    *geometry = (struct lk_flash_geometry){
        .sector_size = SECTOR, .sector_count = part->sectors, .program_unit = 4};
    return LK_OK;
}

static int part_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    struct part *part = self;
    assert_true((uint64_t)address + size <= (uint64_t)part->sectors * SECTOR);
    part->reads++;
    memcpy(out, part->bytes + address, size);
    return LK_OK;
}

static int part_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    (void)self, (void)address, (void)data, (void)size;
    fail_msg("opened to read, and programmed");
    return LK_E_IO;
}

static int part_erase(void *self, uint32_t sector)
{
    (void)self, (void)sector;
    fail_msg("opened to read, and erased");
    return LK_E_IO;
}

static int part_sync(void *self)
{
    (void)self;
    return LK_OK;
}

static const struct lk_flash part_ops = {part_geometry, part_read, part_program, part_erase,
                                         part_sync};

/* The header of the sector with this generation, which says that it follows `before`. */
static void part_header(const struct part *part, uint32_t sector, uint32_t generation,
                        uint32_t before)
{
    uint8_t *head = part->bytes + (size_t)sector * SECTOR;
    const uint32_t words[] = {'L' | 'K' << 8 | 1 << 16 | 2u << 24,
                              1 | part->sectors << 16,
                              generation,
                              (generation - 1) | (generation - before) << 16,
                              1,
                              part->sectors,
                              0,
                              SECTOR,
                              NOR_NONE};
    for (uint32_t i = 0; i < 9; i++) {
        nor_set32(head + 4 * i, words[i]);
    }
    nor_set32(head + 36, lk_nor_header_crc(head, sector));
}

/* Fills a sector with batches of one record each; how many. */
static uint32_t part_batches(const struct part *part, uint32_t sector, uint32_t generation)
{
    uint32_t start = sector * SECTOR, count = 0;
    for (uint32_t at = start + 44; at + 16 <= start + SECTOR; at += 16, count++) {
        uint8_t *frame = part->bytes + at;
        nor_set32(frame, lk_nor_head_make(NOR_PUT_FIRST, 0));
        frame[8] = (uint8_t)count;
        uint32_t crc = lk_nor_crc(lk_nor_seed(generation, at), frame, 4);
        nor_set32(frame + 4, lk_nor_crc(crc, frame + 8, 1));
        nor_set32(frame + 12, lk_nor_word_make(NOR_COMMIT, 1, generation, at + 12));
    }
    return count;
}

/* Reads to mount it. All sectors but the first say that they follow `before`, or the one before. */
static uint64_t mount_reads(uint32_t sectors, bool one)
{
    static uint32_t index[ENTRIES];
    static uint8_t cache[LK_NOR_CACHE_SIZE(512)];
    struct part part = {.bytes = malloc((size_t)sectors * SECTOR), .sectors = sectors};
    struct lk_nor_config config = {.flash = &part_ops,
                                   .self = &part,
                                   .index = index,
                                   .index_size = sizeof index,
                                   .cache = cache,
                                   .cache_size = sizeof cache,
                                   .value_max = 512};
    struct lk_nor nor;
    uint32_t batches;

    assert_non_null(part.bytes);
    memset(part.bytes, 0xFF, (size_t)sectors * SECTOR);
    for (uint32_t s = 0; s < sectors; s++) {
        part_header(&part, s, s + 1, one && s > 0 ? 1 : s);
        (void)part_batches(&part, s, s + 1);
    }
    batches = part_batches(&part, 0, 1);
    assert_int_equal(lk_nor_init(&nor, &config), LK_OK);
    assert_int_equal(nor.storage.ops->open(&nor.storage, LK_READ), LK_OK);
    assert_int_equal(nor.main_count, batches);
    nor.storage.ops->close(&nor.storage);
    free(part.bytes);
    return part.reads;
}

static void test_sectors_that_name_one_predecessor(void **state)
{
    uint64_t few = mount_reads(128, true), many = mount_reads(4096, true);
    uint64_t usual = mount_reads(128, false);

    (void)state;
    print_message("%u reads of 128 sectors, %u of 4096; %u of 128 in a row\n", (unsigned)few,
                  (unsigned)many, (unsigned)usual);
    /* Each header a few times, however many batches are in the first sector. */
    assert_true(many < 12 * 4096 && few < 64 * 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sectors_that_name_one_predecessor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
