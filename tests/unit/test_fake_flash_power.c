// SPDX-License-Identifier: MIT
/* test_fake_flash_power.c: what a loss of power leaves in the flash for tests. */
#include "flash_bench.h"

static void test_fake_flash_cuts_before_and_after(void **state)
{
    uint8_t out[4];

    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        flash_begin();
        lk_fake_flash_cut(&flash, 3, after ? LK_FAKE_FLASH_AFTER : LK_FAKE_FLASH_BEFORE, 0);
        assert_int_equal(flash_program(0, 0, 16), LK_E_IO);
        assert_true(lk_fake_flash_is_off(&flash));
        assert_int_equal(flash_ops->read(&flash, 0, out, 4), LK_E_IO);
        assert_int_equal(flash_program(64, 0, 4), LK_E_IO);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
        assert_int_equal(flash_ops->sync(&flash), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        assert_false(lk_fake_flash_is_off(&flash));
        flash_expect(0, 0, after ? 12 : 8);
        flash_expect(after ? 12 : 8, 0xFF, 16);
        flash_expect(64, 0xFF, 4);
        assert_int_equal(flash_program(after ? 12 : 8, 0, 4), LK_OK); /* still erased */

        lk_fake_flash_cut(&flash, 2, after ? LK_FAKE_FLASH_AFTER : LK_FAKE_FLASH_BEFORE, 0);
        assert_int_equal(flash_program(32, 0, 4), LK_OK);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        flash_expect(32, after ? 0xFF : 0, 4);
        lk_fake_flash_cut(&flash, 0, LK_FAKE_FLASH_BEFORE, 0);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
    }
    lk_fake_flash_cut_now(&flash, 0);
    assert_int_equal(flash_ops->read(&flash, 0, out, 4), LK_E_IO);
}

static void test_fake_flash_tears_programs(void **state)
{
    unsigned weak = 0, partial = 0, page_partial = 0, reread = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 64; seed++) {
        uint8_t out[16];

        flash_begin();
        lk_fake_flash_cut(&flash, 2, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(flash_program(0, 0x0F, 16), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        flash_expect(0, 0x0F, 4);
        assert_int_equal(flash_ops->read(&flash, 0, out, 16), LK_OK);
        for (unsigned i = 4; i < 16; i++) {
            assert_int_equal(out[i] & 0x0F, 0x0F); /* never a bit that was not to be cleared */
        }
        weak += flash_weak_bits(4, 4, 50);
        partial += memcmp(out + 4, "\x0F\x0F\x0F\x0F", 4) != 0;
        if (seed % 2 == 0) {
            flash_expect(8, 0xFF, 8);
            assert_int_equal(flash_program(8, 0, 8), LK_OK);
        } else {
            page_partial += memcmp(out + 8, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8) != 0;
            assert_int_equal(flash_weak_bits(8, 8, 20), 0);
        }
        assert_int_equal(flash_program(4, 0, 4), LK_E_ARGUMENT); /* it was programmed, after all */
        reread += flash_weak_bits(4, 4, 50);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
        assert_int_equal(flash_weak_bits(0, SECTOR, 10), 0);
        flash_expect(0, 0xFF, SECTOR);
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

        flash_begin();
        assert_int_equal(flash_program(SECTOR, 0x3C, SECTOR), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(flash_ops->erase(&flash, 1), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        for (unsigned reading = 0; reading < 40; reading++) {
            unsigned ones = 0;

            assert_int_equal(flash_ops->read(&flash, SECTOR, out, SECTOR), LK_OK);
            for (unsigned i = 0; i < SECTOR; i++) {
                ones += out[i] == 0xFF;
                same = same && out[i] == 0x3C;
            }
            blank = ones > SECTOR - 16; /* all but a few bytes read as erased */
            looked_blank += blank;
        }
        old += same;
        unstable += flash_weak_bits(SECTOR, SECTOR, 20) > 0;
        assert_int_equal(flash_weak_bits(0, SECTOR, 5) + flash_weak_bits(2 * SECTOR, SECTOR, 5), 0);
        assert_int_equal(flash_program(SECTOR + 8, 0, 4), LK_E_ARGUMENT);
        assert_int_equal(flash_ops->erase(&flash, 1), LK_OK);
        flash_expect(SECTOR, 0xFF, SECTOR);
        assert_int_equal(flash_program(SECTOR + 8, 0, 4), LK_OK);
    }
    assert_true(unstable > 48);
    assert_true(looked_blank > 40);
    assert_int_equal(old, 0);
}

static void test_fake_flash_mapped_weak_bits_move_with_calls(void **state)
{
    unsigned moved = 0;

    (void)state;
    flash_config.mapped = true;
    for (uint64_t seed = 0; seed < 16; seed++) {
        const uint8_t *image;
        uint8_t before[SECTOR];

        flash_begin();
        image = lk_fake_flash_image(&flash);
        assert_int_equal(flash_program(0, 0, SECTOR), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        memcpy(before, image, SECTOR);
        assert_memory_equal(before, image, SECTOR);
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(flash_ops->sync(&flash), LK_OK);
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
        flash_begin();
        assert_int_equal(flash_program(0, 0, SECTOR), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, 12);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        assert_int_equal(flash_ops->read(&flash, 0, run ? again : first, SECTOR), LK_OK);
    }
    assert_memory_equal(first, again, SECTOR);
    assert_int_equal(flash_ops->read(&flash, 0, again, SECTOR), LK_OK);
    assert_memory_not_equal(first, again, SECTOR);
}

/* Of two synced and two unsynced units: the first stay, of the others any subset does. */
static void test_fake_flash_buffered_loses_what_is_not_synced(void **state)
{
    unsigned seen[4] = {0};

    (void)state;
    flash_config.buffered = true;
    for (uint64_t seed = 0; seed < 128; seed++) {
        uint8_t out[16];
        bool third, fourth;

        flash_begin();
        assert_int_equal(flash_program(0, 0, 8), LK_OK);
        assert_int_equal(flash_ops->sync(&flash), LK_OK);
        assert_int_equal(flash_program(8, 0, 8), LK_OK);
        flash_expect(8, 0, 8); /* they read as written as long as there is power */
        lk_fake_flash_cut_now(&flash, seed);
        lk_fake_flash_power_on(&flash);
        assert_int_equal(flash_ops->read(&flash, 0, out, sizeof out), LK_OK);
        flash_expect(0, 0, 8);
        third = out[8] == 0;
        fourth = out[12] == 0;
        seen[(third ? 1u : 0u) + (fourth ? 2u : 0u)]++;
        assert_int_equal(flash_program(8, 0, 4), third ? LK_E_ARGUMENT : LK_OK);
        assert_int_equal(flash_program(12, 0, 4), fourth ? LK_E_ARGUMENT : LK_OK);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_true(seen[i] > 5);
    }
}

static void test_fake_flash_buffered_keeps_programs_behind_their_erase(void **state)
{
    unsigned old = 0, erased = 0, whole = 0, moved = 0;

    (void)state;
    flash_config.buffered = true;
    for (uint64_t seed = 0; seed < 128; seed++) {
        uint8_t out[SECTOR];

        flash_begin();
        assert_int_equal(flash_program(0, 0x55, SECTOR), LK_OK);
        assert_int_equal(flash_ops->sync(&flash), LK_OK);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
        assert_int_equal(flash_program(4, 0xA0, 4), LK_OK);
        lk_fake_flash_cut_now(&flash, seed);
        lk_fake_flash_power_on(&flash);
        assert_int_equal(flash_ops->read(&flash, 0, out, SECTOR), LK_OK);
        if (out[SECTOR - 1] == 0x55) {
            flash_expect(0, 0x55, SECTOR);
            assert_int_equal(flash_program(4, 0, 4), LK_E_ARGUMENT);
            old++;
        } else {
            flash_expect(8, 0xFF, SECTOR - 8);
            whole += out[4] == 0xA0;
            erased += out[4] == 0xFF;
            assert_true(out[4] == 0xA0 || out[4] == 0xFF);
        }
        /* What a torn erase left weak is as weak again when the erase after it was lost. */
        flash_begin();
        assert_int_equal(flash_program(0, 0, SECTOR), LK_OK);
        assert_int_equal(flash_ops->sync(&flash), LK_OK);
        lk_fake_flash_cut(&flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
        lk_fake_flash_power_on(&flash);
        if (flash_weak_bits(0, SECTOR, 20) > 0) {
            assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
            lk_fake_flash_cut_now(&flash, seed + 1000);
            lk_fake_flash_power_on(&flash);
            assert_int_equal(flash_ops->read(&flash, 0, out, SECTOR), LK_OK);
            if (flash_program(0, 0, 4) == LK_OK) {
                assert_int_equal(flash_weak_bits(0, SECTOR, 20), 0);
            } else {
                moved += flash_weak_bits(0, SECTOR, 20) > 0;
            }
        }
    }
    assert_true(old > 20 && erased > 5 && whole > 20);
    assert_true(moved > 5);
}

static void test_fake_flash_sync_makes_durable(void **state)
{
    (void)state;
    flash_config.buffered = true;
    for (uint64_t seed = 0; seed < 32; seed++) {
        flash_begin();
        assert_int_equal(flash_program(0, 0, SECTOR), LK_OK);
        assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
        assert_int_equal(flash_program(0, 0x11, 8), LK_OK);
        assert_int_equal(flash_program(3 * SECTOR - 8, 0x22, 16), LK_OK);
        assert_int_equal(flash_ops->sync(&flash), LK_OK);
        lk_fake_flash_cut_now(&flash, seed);
        lk_fake_flash_power_on(&flash);
        flash_expect(0, 0x11, 8);
        flash_expect(8, 0xFF, SECTOR - 8);
        flash_expect(3 * SECTOR - 8, 0x22, 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fake_flash_cuts_before_and_after, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_tears_programs, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_tears_erases, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_mapped_weak_bits_move_with_calls, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_is_the_same_for_the_same_seed, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_buffered_loses_what_is_not_synced, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_buffered_keeps_programs_behind_their_erase,
                               flash_setup),
        cmocka_unit_test_setup(test_fake_flash_sync_makes_durable, flash_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
