// SPDX-License-Identifier: MIT
/* test_fake_flash.c: the flash for tests holds its rules, and breaks the way its header says. */
#include "lk_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR 256u
#define COUNT  8u
#define UNIT   4u

static uint32_t memory[LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, 1) / 4 + 1];
static struct lk_fake_flash flash;
static struct lk_fake_flash_config config;
static const struct lk_flash *const ops = &lk_fake_flash_ops;
static unsigned rule_count;
static uint32_t rule_address;

static void on_rule(void *context, const char *rule, uint32_t address)
{
    assert_ptr_equal(context, &flash);
    assert_non_null(rule);
    rule_count++;
    rule_address = address;
}

static void begin(void)
{
    rule_count = 0;
    assert_int_equal(lk_fake_flash_init(&flash, &config), LK_OK);
}

static int setup(void **state)
{
    (void)state;
    config = (struct lk_fake_flash_config){.sector_size = SECTOR,
                                           .sector_count = COUNT,
                                           .program_unit = UNIT,
                                           .seed = 1,
                                           .memory = memory,
                                           .memory_size = sizeof memory,
                                           .broken_rule = on_rule,
                                           .context = &flash};
    begin();
    return 0;
}

static void expect(uint32_t address, uint8_t byte, size_t size)
{
    uint8_t got[SECTOR * 2];

    assert_int_equal(ops->read(&flash, address, got, size), LK_OK);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(got[i], byte);
    }
}

static int program(uint32_t address, uint8_t byte, size_t size)
{
    uint8_t data[SECTOR * 2];

    memset(data, byte, sizeof data);
    return ops->program(&flash, address, data, size);
}

/* Bits of the range that are not alike in so many readings. */
static unsigned weak_bits(uint32_t address, size_t size, unsigned readings)
{
    uint8_t first[SECTOR], now[SECTOR], differ[SECTOR] = {0};
    unsigned count = 0;

    assert_int_equal(ops->read(&flash, address, first, size), LK_OK);
    while (readings-- > 0) {
        assert_int_equal(ops->read(&flash, address, now, size), LK_OK);
        for (size_t i = 0; i < size; i++) {
            differ[i] |= first[i] ^ now[i];
        }
    }
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            count += (differ[i] & (1u << bit)) != 0;
        }
    }
    return count;
}

static void test_fake_flash_begins_erased(void **state)
{
    struct lk_flash_geometry geometry;

    (void)state;
    assert_int_equal(ops->geometry(&flash, &geometry), LK_OK);
    assert_int_equal(geometry.sector_size, SECTOR);
    assert_int_equal(geometry.sector_count, COUNT);
    assert_int_equal(geometry.program_unit, UNIT);
    assert_null(geometry.mapped);
    expect(0, 0xFF, SECTOR);
    expect(SECTOR * COUNT - 1, 0xFF, 1);
    config.mapped = true;
    begin();
    assert_int_equal(ops->geometry(&flash, &geometry), LK_OK);
    assert_ptr_equal(geometry.mapped, lk_fake_flash_image(&flash));
}

static void test_fake_flash_refuses_what_is_no_part(void **state)
{
    static const struct {
        uint32_t size, count, unit;
    } none[] = {{SECTOR, COUNT, 2},        {SECTOR, COUNT, 0}, {SECTOR, 0, UNIT},
                {0, COUNT, UNIT},          {24, COUNT, UNIT},  {SECTOR, COUNT, 32},
                {1u << 20, 1u << 12, UNIT}};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct lk_fake_flash_config bad = config;

        bad.sector_size = none[i].size;
        bad.sector_count = none[i].count;
        bad.program_unit = none[i].unit;
        assert_int_equal(lk_fake_flash_init(&flash, &bad), LK_E_ARGUMENT);
    }
    config.memory_size = LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, UNIT) - 1;
    assert_int_equal(lk_fake_flash_init(&flash, &config), LK_E_SPACE);
    config.memory_size++;
    assert_int_equal(lk_fake_flash_init(&flash, &config), LK_OK);
    config.memory = NULL;
    assert_int_equal(lk_fake_flash_init(&flash, &config), LK_E_ARGUMENT);
}

static void test_fake_flash_programs_and_erases(void **state)
{
    uint32_t least, most;

    (void)state;
    assert_int_equal(program(8, 0x5A, 12), LK_OK);
    expect(0, 0xFF, 8);
    expect(8, 0x5A, 12);
    expect(20, 0xFF, 8);
    assert_int_equal(program(SECTOR, 0, SECTOR), LK_OK);
    assert_int_equal(ops->erase(&flash, 1), LK_OK);
    expect(SECTOR, 0xFF, SECTOR);
    expect(8, 0x5A, 12);
    assert_int_equal(program(SECTOR, 1, SECTOR), LK_OK);
    assert_int_equal(ops->erase(&flash, 1), LK_OK);
    assert_int_equal(ops->sync(&flash), LK_OK);
    assert_int_equal(flash.stat.operations, 3 + 2 * (SECTOR / UNIT) + 2);
    assert_int_equal(flash.stat.erases, 2);
    assert_int_equal(flash.stat.programmed_bytes, 12 + 2 * SECTOR);
    assert_int_equal(flash.stat.read_bytes, 8 + 12 + 8 + SECTOR + 12);
    assert_int_equal(flash.stat.syncs, 1);
    assert_int_equal(flash.stat.broken_rules, 0);
    lk_fake_flash_wear(&flash, &least, &most);
    assert_int_equal(least, 0);
    assert_int_equal(most, 2);
}

static void test_fake_flash_holds_its_rules(void **state)
{
    uint8_t out[4];
    unsigned count = 0;

    (void)state;
    assert_int_equal(program(0, 0xFF, 4), LK_OK); /* all ones, and programmed all the same */
    assert_int_equal(program(0, 0x00, 4), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(program(16, 0x0F, 4), LK_OK);
    assert_int_equal(program(16, 0x0F, 4), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(program(8, 0x00, 12), LK_E_ARGUMENT); /* its last unit */
    assert_int_equal(rule_count, ++count);
    assert_int_equal(rule_address, 16);
    expect(8, 0xFF, 8); /* nothing was done of it */
    assert_int_equal(program(2, 0, 4), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(program(4, 0, 2), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(program(SECTOR * COUNT - 4, 0, 8), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(program(UINT32_MAX - 3, 0, 8), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(ops->read(&flash, SECTOR * COUNT - 3, out, 4), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(ops->erase(&flash, COUNT), LK_E_ARGUMENT);
    assert_int_equal(rule_count, ++count);
    assert_int_equal(flash.stat.broken_rules, count);
    assert_non_null(flash.stat.last_rule);
}

static void test_fake_flash_cuts_before_and_after(void **state)
{
    uint8_t out[4];

    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        begin();
        lk_fake_flash_cut(&flash, 3, after ? LK_FAKE_FLASH_AFTER : LK_FAKE_FLASH_BEFORE, 0);
        assert_int_equal(program(0, 0, 16), LK_E_IO);
        assert_true(lk_fake_flash_is_off(&flash));
        assert_int_equal(ops->read(&flash, 0, out, 4), LK_E_IO);
        assert_int_equal(program(64, 0, 4), LK_E_IO);
        assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
        assert_int_equal(ops->sync(&flash), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        assert_false(lk_fake_flash_is_off(&flash));
        expect(0, 0, after ? 12 : 8);
        expect(after ? 12 : 8, 0xFF, 16);
        expect(64, 0xFF, 4);
        assert_int_equal(program(after ? 12 : 8, 0, 4), LK_OK); /* still erased */

        lk_fake_flash_cut(&flash, 2, after ? LK_FAKE_FLASH_AFTER : LK_FAKE_FLASH_BEFORE, 0);
        assert_int_equal(program(32, 0, 4), LK_OK);
        assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        expect(32, after ? 0xFF : 0, 4);
        lk_fake_flash_cut(&flash, 0, LK_FAKE_FLASH_BEFORE, 0);
        assert_int_equal(ops->erase(&flash, 0), LK_OK);
    }
    lk_fake_flash_cut_now(&flash, 0);
    assert_int_equal(ops->read(&flash, 0, out, 4), LK_E_IO);
}

static void test_fake_flash_tears_programs(void **state)
{
    unsigned weak = 0, partial = 0, page_partial = 0, reread = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 64; seed++) {
        uint8_t out[16];

        begin();
        lk_fake_flash_cut(&flash, 2, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(program(0, 0x0F, 16), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        expect(0, 0x0F, 4);
        assert_int_equal(ops->read(&flash, 0, out, 16), LK_OK);
        for (unsigned i = 4; i < 16; i++) {
            assert_int_equal(out[i] & 0x0F, 0x0F); /* never a bit that was not to be cleared */
        }
        weak += weak_bits(4, 4, 50);
        partial += memcmp(out + 4, "\x0F\x0F\x0F\x0F", 4) != 0;
        if (seed % 2 == 0) {
            expect(8, 0xFF, 8);
            assert_int_equal(program(8, 0, 8), LK_OK);
        } else {
            page_partial += memcmp(out + 8, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8) != 0;
            assert_int_equal(weak_bits(8, 8, 20), 0);
        }
        assert_int_equal(program(4, 0, 4), LK_E_ARGUMENT); /* it was programmed, after all */
        reread += weak_bits(4, 4, 50);
        assert_int_equal(ops->erase(&flash, 0), LK_OK);
        assert_int_equal(weak_bits(0, SECTOR, 10), 0);
        expect(0, 0xFF, SECTOR);
    }
    assert_true(weak > 64 && reread > 64);
    assert_true(partial > 32);
    assert_true(page_partial > 16);
}

static void test_fake_flash_tears_erases(void **state)
{
    unsigned unstable = 0, looked_blank = 0, old = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 64; seed++) {
        uint8_t out[SECTOR];
        bool blank = true, same = true;

        begin();
        assert_int_equal(program(SECTOR, 0x3C, SECTOR), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(ops->erase(&flash, 1), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        for (unsigned reading = 0; reading < 40; reading++) {
            unsigned ones = 0;

            assert_int_equal(ops->read(&flash, SECTOR, out, SECTOR), LK_OK);
            for (unsigned i = 0; i < SECTOR; i++) {
                ones += out[i] == 0xFF;
                same = same && out[i] == 0x3C;
            }
            blank = ones > SECTOR - 16; /* all but a few bytes read as erased */
            looked_blank += blank;
        }
        old += same;
        unstable += weak_bits(SECTOR, SECTOR, 20) > 0;
        assert_int_equal(weak_bits(0, SECTOR, 5) + weak_bits(2 * SECTOR, SECTOR, 5), 0);
        assert_int_equal(program(SECTOR + 8, 0, 4), LK_E_ARGUMENT);
        assert_int_equal(ops->erase(&flash, 1), LK_OK);
        expect(SECTOR, 0xFF, SECTOR);
        assert_int_equal(program(SECTOR + 8, 0, 4), LK_OK);
    }
    assert_true(unstable > 48);
    assert_true(looked_blank > 40);
    assert_int_equal(old, 0);
}

static void test_fake_flash_mapped_weak_bits_move_with_calls(void **state)
{
    unsigned moved = 0;

    (void)state;
    config.mapped = true;
    for (uint64_t seed = 0; seed < 16; seed++) {
        const uint8_t *image;
        uint8_t before[SECTOR];

        begin();
        image = lk_fake_flash_image(&flash);
        assert_int_equal(program(0, 0, SECTOR), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        memcpy(before, image, SECTOR);
        assert_memory_equal(before, image, SECTOR);
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(ops->sync(&flash), LK_OK);
        }
        moved += memcmp(before, image, SECTOR) != 0;
    }
    assert_true(moved > 8);
}

static void test_fake_flash_is_the_same_for_the_same_seed(void **state)
{
    uint8_t first[SECTOR], again[SECTOR];

    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        begin();
        assert_int_equal(program(0, 0, SECTOR), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, 12);
        assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        assert_int_equal(ops->read(&flash, 0, run ? again : first, SECTOR), LK_OK);
    }
    assert_memory_equal(first, again, SECTOR);
    assert_int_equal(ops->read(&flash, 0, again, SECTOR), LK_OK);
    assert_memory_not_equal(first, again, SECTOR);
}

/* Of two synced and two unsynced units: the first stay, of the others any subset does. */
static void test_fake_flash_buffered_loses_what_is_not_synced(void **state)
{
    unsigned seen[4] = {0};

    (void)state;
    config.buffered = true;
    for (uint64_t seed = 0; seed < 128; seed++) {
        uint8_t out[16];
        bool third, fourth;

        begin();
        assert_int_equal(program(0, 0, 8), LK_OK);
        assert_int_equal(ops->sync(&flash), LK_OK);
        assert_int_equal(program(8, 0, 8), LK_OK);
        expect(8, 0, 8); /* they read as written as long as there is power */
        lk_fake_flash_cut_now(&flash, seed);
        lk_fake_flash_power_on(&flash);
        assert_int_equal(ops->read(&flash, 0, out, sizeof out), LK_OK);
        expect(0, 0, 8);
        third = out[8] == 0;
        fourth = out[12] == 0;
        seen[(third ? 1u : 0u) + (fourth ? 2u : 0u)]++;
        assert_int_equal(program(8, 0, 4), third ? LK_E_ARGUMENT : LK_OK);
        assert_int_equal(program(12, 0, 4), fourth ? LK_E_ARGUMENT : LK_OK);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_true(seen[i] > 5);
    }
}

static void test_fake_flash_buffered_keeps_programs_behind_their_erase(void **state)
{
    unsigned old = 0, erased = 0, whole = 0, moved = 0;

    (void)state;
    config.buffered = true;
    for (uint64_t seed = 0; seed < 128; seed++) {
        uint8_t out[SECTOR];

        begin();
        assert_int_equal(program(0, 0x55, SECTOR), LK_OK);
        assert_int_equal(ops->sync(&flash), LK_OK);
        assert_int_equal(ops->erase(&flash, 0), LK_OK);
        assert_int_equal(program(4, 0xA0, 4), LK_OK);
        lk_fake_flash_cut_now(&flash, seed);
        lk_fake_flash_power_on(&flash);
        assert_int_equal(ops->read(&flash, 0, out, SECTOR), LK_OK);
        if (out[SECTOR - 1] == 0x55) {
            expect(0, 0x55, SECTOR);
            assert_int_equal(program(4, 0, 4), LK_E_ARGUMENT);
            old++;
        } else {
            expect(8, 0xFF, SECTOR - 8);
            whole += out[4] == 0xA0;
            erased += out[4] == 0xFF;
            assert_true(out[4] == 0xA0 || out[4] == 0xFF);
        }
        /* What a torn erase left weak is as weak again when the erase after it was lost. */
        begin();
        assert_int_equal(program(0, 0, SECTOR), LK_OK);
        assert_int_equal(ops->sync(&flash), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        if (weak_bits(0, SECTOR, 20) > 0) {
            assert_int_equal(ops->erase(&flash, 0), LK_OK);
            lk_fake_flash_cut_now(&flash, seed + 1000);
            lk_fake_flash_power_on(&flash);
            assert_int_equal(ops->read(&flash, 0, out, SECTOR), LK_OK);
            if (program(0, 0, 4) == LK_OK) {
                assert_int_equal(weak_bits(0, SECTOR, 20), 0);
            } else {
                moved += weak_bits(0, SECTOR, 20) > 0;
            }
        }
    }
    assert_true(old > 20 && erased > 5 && whole > 20);
    assert_true(moved > 5);
}

static void test_fake_flash_sync_makes_durable(void **state)
{
    (void)state;
    config.buffered = true;
    for (uint64_t seed = 0; seed < 32; seed++) {
        begin();
        assert_int_equal(program(0, 0, SECTOR), LK_OK);
        assert_int_equal(ops->erase(&flash, 0), LK_OK);
        assert_int_equal(program(0, 0x11, 8), LK_OK);
        assert_int_equal(program(3 * SECTOR - 8, 0x22, 16), LK_OK);
        assert_int_equal(ops->sync(&flash), LK_OK);
        lk_fake_flash_cut_now(&flash, seed);
        lk_fake_flash_power_on(&flash);
        expect(0, 0x11, 8);
        expect(8, 0xFF, SECTOR - 8);
        expect(3 * SECTOR - 8, 0x22, 16);
    }
}

static void test_fake_flash_bad_sectors(void **state)
{
    unsigned failed = 0, passed = 0, lied = 0;
    uint8_t out[SECTOR];

    (void)state;
    assert_int_equal(program(0, 0x77, 4), LK_OK);
    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_NO_ERASE);
    assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
    expect(0, 0x77, 4);
    assert_int_equal(program(4, 0, 4), LK_OK);

    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_NO_PROGRAM);
    assert_int_equal(program(8, 0, 4), LK_E_IO);
    expect(8, 0xFF, 4);
    expect(0, 0x77, 4);
    assert_int_equal(ops->erase(&flash, 0), LK_OK);

    assert_int_equal(program(0, 0x77, 4), LK_E_IO);
    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_SOUND);
    assert_int_equal(ops->erase(&flash, 0), LK_OK);
    assert_int_equal(program(0, 0x77, 4), LK_OK);
    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_SILENT);
    assert_int_equal(program(4, 0, 4), LK_OK);
    expect(4, 0xFF, 4);
    assert_int_equal(ops->erase(&flash, 0), LK_OK);
    expect(0, 0x77, 4);
    assert_int_equal(program(0, 0, 4), LK_OK); /* no rule is broken by who was lied to */

    lk_fake_flash_fault_set(&flash, 1, LK_FAKE_FLASH_WRONG);
    assert_int_equal(program(SECTOR, 0x77, SECTOR), LK_OK);
    assert_int_equal(ops->read(&flash, SECTOR, out, SECTOR), LK_OK);
    for (unsigned i = 0; i < SECTOR; i++) {
        lied += out[i] != 0x77;
    }
    assert_true(lied > 16 && lied < SECTOR / UNIT);
    assert_int_equal(weak_bits(SECTOR, SECTOR, 5), 0); /* wrong, but always the same */
    assert_int_equal(ops->erase(&flash, 1), LK_OK);
    assert_int_equal(ops->read(&flash, SECTOR, out, SECTOR), LK_OK);
    lied = 0;
    for (unsigned i = 0; i < SECTOR; i++) {
        lied += out[i] != 0xFF;
    }
    assert_int_equal(lied, 1);

    lk_fake_flash_fault_set(&flash, 2, LK_FAKE_FLASH_INTERMITTENT);
    lied = 0;
    for (unsigned i = 0; i < 20; i++) {
        for (uint32_t at = 0; at < SECTOR; at += UNIT) {
            int error = program(2 * SECTOR + at, 0x77, 4);

            assert_true(error == LK_OK || error == LK_E_IO);
            assert_int_equal(ops->read(&flash, 2 * SECTOR + at, out, 4), LK_OK);
            failed += error != LK_OK;
            passed += error == LK_OK && memcmp(out, "wwww", 4) == 0;
            lied += error == LK_OK && memcmp(out, "wwww", 4) != 0;
        }
        while (ops->erase(&flash, 2) != LK_OK) {
            failed++;
        }
    }
    assert_true(failed > 50 && lied > 50 && passed > 500);
    assert_int_equal(rule_count, 0);
    expect(3 * SECTOR, 0xFF, SECTOR);
}

static void test_fake_flash_wears_out(void **state)
{
    unsigned most = 0, least = UINT32_MAX;

    (void)state;
    config.endurance = 160;
    config.worn = LK_FAKE_FLASH_NO_ERASE;
    begin();
    for (uint32_t sector = 0; sector < COUNT; sector++) {
        unsigned count = 0;

        while (ops->erase(&flash, sector) == LK_OK) {
            count++;
            assert_true(count < 1000);
        }
        most = count > most ? count : most;
        least = count < least ? count : least;
        assert_int_equal(ops->erase(&flash, sector), LK_E_IO);
    }
    assert_true(least >= 150 && most <= 170 && least < most);
}

static void test_fake_flash_content_can_be_given(void **state)
{
    uint8_t data[12] = {0, 1, 2, 3, 0xFF, 0xFF, 0xFF, 0xFF, 4, 5, 6, 7}, out[12];

    (void)state;
    assert_int_equal(lk_fake_flash_load(&flash, 4, data, sizeof data), LK_OK);
    assert_int_equal(ops->read(&flash, 4, out, sizeof out), LK_OK);
    assert_memory_equal(out, data, sizeof data);
    assert_int_equal(program(4, 0, 4), LK_E_ARGUMENT);
    assert_int_equal(program(8, 0, 4), LK_OK);
    assert_int_equal(lk_fake_flash_load(&flash, 2, data, 4), LK_E_ARGUMENT);
    assert_int_equal(lk_fake_flash_load(&flash, SECTOR * COUNT, data, 4), LK_E_ARGUMENT);
    lk_fake_flash_flip(&flash, 12, 1);
    assert_int_equal(ops->read(&flash, 12, out, 1), LK_OK);
    assert_int_equal(out[0], 6);
}

static void test_fake_flash_limits_calls(void **state)
{
    uint8_t out[4];

    (void)state;
    lk_fake_flash_limit(&flash, 2);
    assert_int_equal(ops->read(&flash, 0, out, 4), LK_OK);
    assert_int_equal(ops->sync(&flash), LK_OK);
    assert_false(lk_fake_flash_limit_hit(&flash));
    assert_int_equal(ops->read(&flash, 0, out, 4), LK_E_IO);
    assert_int_equal(ops->erase(&flash, 0), LK_E_IO);
    assert_true(lk_fake_flash_limit_hit(&flash));
    lk_fake_flash_limit(&flash, 0);
    assert_int_equal(ops->read(&flash, 0, out, 4), LK_OK);
}

/* A copy of handle and memory, put back, is the same part at the same moment. */
static void test_fake_flash_can_be_saved_and_put_back(void **state)
{
    static uint8_t saved[sizeof memory];
    struct lk_fake_flash handle;

    (void)state;
    config.buffered = true;
    begin();
    assert_int_equal(program(0, 0x12, 8), LK_OK);
    assert_int_equal(ops->sync(&flash), LK_OK);
    assert_true(lk_fake_flash_memory_used(&flash) <= LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, UNIT));
    memcpy(saved, memory, lk_fake_flash_memory_used(&flash));
    handle = flash;
    assert_int_equal(ops->erase(&flash, 0), LK_OK);
    assert_int_equal(program(0, 0x34, 8), LK_OK);
    assert_int_equal(ops->sync(&flash), LK_OK);
    memcpy(memory, saved, lk_fake_flash_memory_used(&handle));
    flash = handle;
    expect(0, 0x12, 8);
    assert_int_equal(program(0, 0, 4), LK_E_ARGUMENT);
    lk_fake_flash_cut_now(&flash, 3);
    lk_fake_flash_power_on(&flash);
    expect(0, 0x12, 8);
}

static void test_fake_flash_belongs_to_a_port(void **state)
{
    static struct lk_fake fake;
    const struct lk_port *port = lk_fake_port(&fake);
    const struct lk_flash *own;
    struct lk_flash_geometry geometry;
    uint8_t out[4];

    (void)state;
    assert_int_equal(lk_fake_init(&fake, 1), LK_OK);
    assert_null(port->flash);
    lk_fake_flash_set(&fake, &flash);
    own = port->flash;
    if (own == NULL) {
        fail_msg("no flash after lk_fake_flash_set()");
        return;
    }
    assert_int_equal(own->geometry(port->self, &geometry), LK_OK);
    assert_int_equal(geometry.sector_count, COUNT);
    assert_int_equal(own->program(port->self, 4, (const uint8_t *)"abcd", 4), LK_OK);
    assert_int_equal(own->read(port->self, 4, out, 4), LK_OK);
    assert_memory_equal(out, "abcd", 4);
    assert_int_equal(own->erase(port->self, 0), LK_OK);
    assert_int_equal(own->sync(port->self), LK_OK);
    expect(4, 0xFF, 4);
    lk_fake_fail_from(&fake, 1);
    assert_int_equal(own->geometry(port->self, &geometry), LK_E_IO);
    assert_int_equal(own->program(port->self, 4, (const uint8_t *)"abcd", 4), LK_E_IO);
    assert_int_equal(own->read(port->self, 4, out, 4), LK_E_IO);
    assert_int_equal(own->erase(port->self, 0), LK_E_IO);
    assert_int_equal(own->sync(port->self), LK_E_IO);
    assert_int_equal(lk_fake_failed(&fake), 5);
    expect(4, 0xFF, 4);
    lk_fake_flash_set(&fake, NULL);
    assert_null(port->flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fake_flash_begins_erased, setup),
        cmocka_unit_test_setup(test_fake_flash_refuses_what_is_no_part, setup),
        cmocka_unit_test_setup(test_fake_flash_programs_and_erases, setup),
        cmocka_unit_test_setup(test_fake_flash_holds_its_rules, setup),
        cmocka_unit_test_setup(test_fake_flash_cuts_before_and_after, setup),
        cmocka_unit_test_setup(test_fake_flash_tears_programs, setup),
        cmocka_unit_test_setup(test_fake_flash_tears_erases, setup),
        cmocka_unit_test_setup(test_fake_flash_mapped_weak_bits_move_with_calls, setup),
        cmocka_unit_test_setup(test_fake_flash_is_the_same_for_the_same_seed, setup),
        cmocka_unit_test_setup(test_fake_flash_buffered_loses_what_is_not_synced, setup),
        cmocka_unit_test_setup(test_fake_flash_buffered_keeps_programs_behind_their_erase, setup),
        cmocka_unit_test_setup(test_fake_flash_sync_makes_durable, setup),
        cmocka_unit_test_setup(test_fake_flash_bad_sectors, setup),
        cmocka_unit_test_setup(test_fake_flash_wears_out, setup),
        cmocka_unit_test_setup(test_fake_flash_content_can_be_given, setup),
        cmocka_unit_test_setup(test_fake_flash_limits_calls, setup),
        cmocka_unit_test_setup(test_fake_flash_can_be_saved_and_put_back, setup),
        cmocka_unit_test_setup(test_fake_flash_belongs_to_a_port, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
