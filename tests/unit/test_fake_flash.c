// SPDX-License-Identifier: MIT
/* test_fake_flash.c: the flash for tests holds its rules and goes bad as its header says. */
#include "flash_bench.h"

static void test_fake_flash_begins_erased(void **state)
{
    struct lk_flash_geometry geometry;

    (void)state;
    assert_int_equal(flash_ops->geometry(&flash, &geometry), LK_OK);
    assert_int_equal(geometry.sector_size, SECTOR);
    assert_int_equal(geometry.sector_count, COUNT);
    assert_int_equal(geometry.program_unit, UNIT);
    assert_null(geometry.mapped);
    flash_expect(0, 0xFF, SECTOR);
    flash_expect(SECTOR * COUNT - 1, 0xFF, 1);
    flash_config.mapped = true;
    flash_begin();
    assert_int_equal(flash_ops->geometry(&flash, &geometry), LK_OK);
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
        struct lk_fake_flash_config bad = flash_config;

        bad.sector_size = none[i].size;
        bad.sector_count = none[i].count;
        bad.program_unit = none[i].unit;
        assert_int_equal(lk_fake_flash_init(&flash, &bad), LK_E_ARGUMENT);
    }
    flash_config.memory_size = LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, UNIT) - 1;
    assert_int_equal(lk_fake_flash_init(&flash, &flash_config), LK_E_SPACE);
    flash_config.memory_size++;
    assert_int_equal(lk_fake_flash_init(&flash, &flash_config), LK_OK);
    flash_config.memory = NULL;
    assert_int_equal(lk_fake_flash_init(&flash, &flash_config), LK_E_ARGUMENT);
}

static void test_fake_flash_programs_and_erases(void **state)
{
    uint32_t least, most;

    (void)state;
    assert_int_equal(flash_program(8, 0x5A, 12), LK_OK);
    flash_expect(0, 0xFF, 8);
    flash_expect(8, 0x5A, 12);
    flash_expect(20, 0xFF, 8);
    assert_int_equal(flash_program(SECTOR, 0, SECTOR), LK_OK);
    assert_int_equal(flash_ops->erase(&flash, 1), LK_OK);
    flash_expect(SECTOR, 0xFF, SECTOR);
    flash_expect(8, 0x5A, 12);
    assert_int_equal(flash_program(SECTOR, 1, SECTOR), LK_OK);
    assert_int_equal(flash_ops->erase(&flash, 1), LK_OK);
    assert_int_equal(flash_ops->sync(&flash), LK_OK);
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
    assert_int_equal(flash_program(0, 0xFF, 4), LK_OK); /* all ones, and programmed all the same */
    assert_int_equal(flash_program(0, 0x00, 4), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_program(16, 0x0F, 4), LK_OK);
    assert_int_equal(flash_program(16, 0x0F, 4), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_program(8, 0x00, 12), LK_E_ARGUMENT); /* its last unit */
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_rule_address, 16);
    flash_expect(8, 0xFF, 8); /* nothing was done of it */
    assert_int_equal(flash_program(2, 0, 4), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_program(4, 0, 2), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_program(SECTOR * COUNT - 4, 0, 8), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_program(UINT32_MAX - 3, 0, 8), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_ops->read(&flash, SECTOR * COUNT - 3, out, 4), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash_ops->erase(&flash, COUNT), LK_E_ARGUMENT);
    assert_int_equal(flash_rule_count, ++count);
    assert_int_equal(flash.stat.broken_rules, count);
    assert_non_null(flash.stat.last_rule);
}

static void test_fake_flash_bad_sectors(void **state)
{
    unsigned failed = 0, passed = 0, lied = 0;
    uint8_t out[SECTOR];

    (void)state;
    assert_int_equal(flash_program(0, 0x77, 4), LK_OK);
    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_NO_ERASE);
    assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
    flash_expect(0, 0x77, 4);
    assert_int_equal(flash_program(4, 0, 4), LK_OK);

    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_NO_PROGRAM);
    assert_int_equal(flash_program(8, 0, 4), LK_E_IO);
    flash_expect(8, 0xFF, 4);
    flash_expect(0, 0x77, 4);
    assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);

    assert_int_equal(flash_program(0, 0x77, 4), LK_E_IO);
    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_SOUND);
    assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
    assert_int_equal(flash_program(0, 0x77, 4), LK_OK);
    lk_fake_flash_fault_set(&flash, 0, LK_FAKE_FLASH_SILENT);
    assert_int_equal(flash_program(4, 0, 4), LK_OK);
    flash_expect(4, 0xFF, 4);
    assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
    flash_expect(0, 0x77, 4);
    assert_int_equal(flash_program(0, 0, 4), LK_OK); /* no rule is broken by who was lied to */

    lk_fake_flash_fault_set(&flash, 1, LK_FAKE_FLASH_WRONG);
    assert_int_equal(flash_program(SECTOR, 0x77, SECTOR), LK_OK);
    assert_int_equal(flash_ops->read(&flash, SECTOR, out, SECTOR), LK_OK);
    for (unsigned i = 0; i < SECTOR; i++) {
        lied += out[i] != 0x77;
    }
    assert_true(lied > 16 && lied < SECTOR / UNIT);
    assert_int_equal(flash_weak_bits(SECTOR, SECTOR, 5), 0); /* wrong, but always the same */
    assert_int_equal(flash_ops->erase(&flash, 1), LK_OK);
    assert_int_equal(flash_ops->read(&flash, SECTOR, out, SECTOR), LK_OK);
    lied = 0;
    for (unsigned i = 0; i < SECTOR; i++) {
        lied += out[i] != 0xFF;
    }
    assert_int_equal(lied, 1);

    lk_fake_flash_fault_set(&flash, 2, LK_FAKE_FLASH_INTERMITTENT);
    lied = 0;
    for (unsigned i = 0; i < 20; i++) {
        for (uint32_t at = 0; at < SECTOR; at += UNIT) {
            int error = flash_program(2 * SECTOR + at, 0x77, 4);

            assert_true(error == LK_OK || error == LK_E_IO);
            assert_int_equal(flash_ops->read(&flash, 2 * SECTOR + at, out, 4), LK_OK);
            failed += error != LK_OK;
            passed += error == LK_OK && memcmp(out, "wwww", 4) == 0;
            lied += error == LK_OK && memcmp(out, "wwww", 4) != 0;
        }
        while (flash_ops->erase(&flash, 2) != LK_OK) {
            failed++;
        }
    }
    assert_true(failed > 50 && lied > 50 && passed > 500);
    assert_int_equal(flash_rule_count, 0);
    flash_expect(3 * SECTOR, 0xFF, SECTOR);
}

static void test_fake_flash_wears_out(void **state)
{
    unsigned most = 0, least = UINT32_MAX;

    (void)state;
    flash_config.endurance = 160;
    flash_config.worn = LK_FAKE_FLASH_NO_ERASE;
    flash_begin();
    for (uint32_t sector = 0; sector < COUNT; sector++) {
        unsigned count = 0;

        while (flash_ops->erase(&flash, sector) == LK_OK) {
            count++;
            assert_true(count < 1000);
        }
        most = count > most ? count : most;
        least = count < least ? count : least;
        assert_int_equal(flash_ops->erase(&flash, sector), LK_E_IO);
    }
    assert_true(least >= 150 && most <= 170 && least < most);
}

static void test_fake_flash_content_can_be_given(void **state)
{
    uint8_t data[12] = {0, 1, 2, 3, 0xFF, 0xFF, 0xFF, 0xFF, 4, 5, 6, 7}, out[12];

    (void)state;
    assert_int_equal(lk_fake_flash_load(&flash, 4, data, sizeof data), LK_OK);
    assert_int_equal(flash_ops->read(&flash, 4, out, sizeof out), LK_OK);
    assert_memory_equal(out, data, sizeof data);
    assert_int_equal(flash_program(4, 0, 4), LK_E_ARGUMENT);
    assert_int_equal(flash_program(8, 0, 4), LK_OK);
    assert_int_equal(lk_fake_flash_load(&flash, 2, data, 4), LK_E_ARGUMENT);
    assert_int_equal(lk_fake_flash_load(&flash, SECTOR * COUNT, data, 4), LK_E_ARGUMENT);
    lk_fake_flash_flip(&flash, 12, 1);
    assert_int_equal(flash_ops->read(&flash, 12, out, 1), LK_OK);
    assert_int_equal(out[0], 6);
}

static void test_fake_flash_limits_calls(void **state)
{
    uint8_t out[4];

    (void)state;
    lk_fake_flash_limit(&flash, 2);
    assert_int_equal(flash_ops->read(&flash, 0, out, 4), LK_OK);
    assert_int_equal(flash_ops->sync(&flash), LK_OK);
    assert_false(lk_fake_flash_limit_hit(&flash));
    assert_int_equal(flash_ops->read(&flash, 0, out, 4), LK_E_IO);
    assert_int_equal(flash_ops->erase(&flash, 0), LK_E_IO);
    assert_true(lk_fake_flash_limit_hit(&flash));
    lk_fake_flash_limit(&flash, 0);
    assert_int_equal(flash_ops->read(&flash, 0, out, 4), LK_OK);
}

/* A copy of handle and memory, put back, is the same part at the same moment. */
static void test_fake_flash_can_be_saved_and_put_back(void **state)
{
    static uint8_t saved[sizeof flash_memory];
    struct lk_fake_flash handle;

    (void)state;
    flash_config.buffered = true;
    flash_begin();
    assert_int_equal(flash_program(0, 0x12, 8), LK_OK);
    assert_int_equal(flash_ops->sync(&flash), LK_OK);
    assert_true(lk_fake_flash_memory_used(&flash) <= LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, UNIT));
    memcpy(saved, flash_memory, lk_fake_flash_memory_used(&flash));
    handle = flash;
    assert_int_equal(flash_ops->erase(&flash, 0), LK_OK);
    assert_int_equal(flash_program(0, 0x34, 8), LK_OK);
    assert_int_equal(flash_ops->sync(&flash), LK_OK);
    memcpy(flash_memory, saved, lk_fake_flash_memory_used(&handle));
    flash = handle;
    flash_expect(0, 0x12, 8);
    assert_int_equal(flash_program(0, 0, 4), LK_E_ARGUMENT);
    lk_fake_flash_cut_now(&flash, 3);
    lk_fake_flash_power_on(&flash);
    flash_expect(0, 0x12, 8);
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
    flash_expect(4, 0xFF, 4);
    lk_fake_fail_from(&fake, 1);
    assert_int_equal(own->geometry(port->self, &geometry), LK_E_IO);
    assert_int_equal(own->program(port->self, 4, (const uint8_t *)"abcd", 4), LK_E_IO);
    assert_int_equal(own->read(port->self, 4, out, 4), LK_E_IO);
    assert_int_equal(own->erase(port->self, 0), LK_E_IO);
    assert_int_equal(own->sync(port->self), LK_E_IO);
    assert_int_equal(lk_fake_failed(&fake), 5);
    flash_expect(4, 0xFF, 4);
    lk_fake_flash_set(&fake, NULL);
    assert_null(port->flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fake_flash_begins_erased, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_refuses_what_is_no_part, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_programs_and_erases, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_holds_its_rules, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_bad_sectors, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_wears_out, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_content_can_be_given, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_limits_calls, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_can_be_saved_and_put_back, flash_setup),
        cmocka_unit_test_setup(test_fake_flash_belongs_to_a_port, flash_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
