// SPDX-License-Identifier: MIT
/* test_port_seed.c: of a seed in flash no start draws what another drew, wherever the power goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lk_fake_flash.h"
#include "lk_sodium.h"
/* No board that runs here is composed of it. NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../port/baremetal/lk_seed_flash.c"

#define SECTOR 1024u
#define COUNT  4u
#define FIRST  2u /* of the two that are the seed's */
#define DRAWS  8

static uint32_t memory[LK_FAKE_FLASH_MEMORY(SECTOR, COUNT, 4) / 4];
static struct lk_fake_flash flash;
static struct lk_seed seed;
static const uint8_t given[LK_HASH_SIZE] = "what a factory has drawn for it";

static void begin(bool buffered)
{
    struct lk_fake_flash_config config = {.sector_size = SECTOR,
                                          .sector_count = COUNT,
                                          .program_unit = 4,
                                          .buffered = buffered,
                                          .memory = memory,
                                          .memory_size = sizeof(memory)};

    assert_int_equal(lk_fake_flash_init(&flash, &config), 0);
}

/* A start of the board: nothing is left in RAM. */
static void start(void)
{
    seed = (struct lk_seed){
        .flash = &lk_fake_flash_ops, .crypto = &lk_sodium_crypto, .self = &flash, .sector = FIRST};
}

static void provision(uint32_t sector, const uint8_t its[LK_HASH_SIZE])
{
    uint8_t mark[LK_HASH_SIZE];

    start();
    assert_int_equal(seed_mark(&seed, its, mark), 0);
    assert_int_equal(lk_fake_flash_load(&flash, sector * SECTOR, its, LK_HASH_SIZE), 0);
    assert_int_equal(
        lk_fake_flash_load(&flash, sector * SECTOR + LK_HASH_SIZE, mark, SEED_MARK_SIZE), 0);
}

static bool holds(const uint8_t *what, size_t size)
{
    const uint8_t *image = lk_fake_flash_image(&flash);
    size_t i;

    for (i = 0; i + size <= (size_t)SECTOR * COUNT; i++) {
        if (memcmp(image + i, what, size) == 0) {
            return true;
        }
    }
    return false;
}

static void test_seed_none_is_no_entropy(void **state)
{
    uint8_t out[8] = {0}, none[8] = {0};

    (void)state;
    begin(false);
    start();
    assert_int_equal(lk_seed_fill(&seed, out, sizeof(out)), LK_E_ENTROPY);
    provision(FIRST, given);
    lk_fake_flash_flip(&flash, FIRST * SECTOR + 5, 0);
    start();
    assert_int_equal(lk_seed_fill(&seed, out, sizeof(out)), LK_E_ENTROPY);
    lk_fake_flash_flip(&flash, FIRST * SECTOR + 5, 0);
    assert_memory_equal(out, none, sizeof(out));
}

static void test_seed_errors_come_back(void **state)
{
    uint8_t out[8];

    (void)state;
    begin(false);
    provision(FIRST, given);
    start();
    seed.sector = COUNT - 1;
    assert_int_equal(lk_seed_fill(&seed, out, sizeof(out)), LK_E_ARGUMENT);
    start();
    lk_fake_flash_fault_set(&flash, FIRST + 1, LK_FAKE_FLASH_NO_PROGRAM);
    assert_int_equal(lk_seed_fill(&seed, out, sizeof(out)), LK_E_IO);
    assert_int_equal(lk_seed_fill(&seed, out, sizeof(out)), LK_E_IO);
    lk_fake_flash_fault_set(&flash, FIRST + 1, LK_FAKE_FLASH_SOUND);
    assert_int_equal(lk_seed_fill(&seed, out, sizeof(out)), 0);
    assert_false(holds(given, sizeof(given)));
}

static void test_seed_never_draws_twice(void **state)
{
    uint8_t drawn[DRAWS * 2][2 * LK_HASH_SIZE];
    size_t i, j;

    (void)state;
    begin(false);
    provision(FIRST, given);
    for (i = 0; i < DRAWS * 2; i++) {
        if (i % 2 == 0) {
            start();
        }
        assert_int_equal(lk_seed_fill(&seed, drawn[i], sizeof(drawn[i])), 0);
        assert_false(holds(given, sizeof(given)));
        assert_false(holds(seed.key, sizeof(seed.key)));
        assert_false(holds(drawn[i], LK_HASH_SIZE));
        assert_memory_not_equal(drawn[i], drawn[i] + LK_HASH_SIZE, 8);
        assert_memory_not_equal(seed.key, drawn[i] + LK_HASH_SIZE, sizeof(seed.key));
        for (j = 0; j < i; j++) {
            assert_memory_not_equal(drawn[i], drawn[j], 16);
        }
    }
}

/* Starts, of which one is cut at the nth operation: false when it has none so late. */
static bool cut_once(uint64_t nth, enum lk_fake_flash_moment moment, uint64_t chance, bool buffered)
{
    uint8_t drawn[DRAWS][16];
    size_t count = 0, i;
    bool cut = false;

    begin(buffered);
    provision(FIRST, given);
    lk_fake_flash_cut(&flash, nth, moment, chance);
    while (count < DRAWS) {
        start();
        if (lk_seed_fill(&seed, drawn[count], sizeof(drawn[0])) == 0) {
            for (i = 0; i < count; i++) {
                assert_memory_not_equal(drawn[count], drawn[i], sizeof(drawn[0]));
            }
            count++;
        } else {
            assert_true(lk_fake_flash_is_off(&flash));
            assert_false(cut);
        }
        if (lk_fake_flash_is_off(&flash)) {
            cut = true;
            lk_fake_flash_power_on(&flash);
        }
    }
    return cut;
}

static void test_seed_survives_every_cut(void **state)
{
    uint64_t nth, chance;
    unsigned moment, cuts = 0;

    (void)state;
    for (moment = LK_FAKE_FLASH_BEFORE; moment <= LK_FAKE_FLASH_AFTER; moment++) {
        for (chance = 1; chance <= 20; chance++) {
            for (nth = 1; cut_once(nth, (enum lk_fake_flash_moment)moment, chance, chance % 4 < 2);
                 nth++) {
                cuts++;
            }
        }
    }
    print_message("# %u cuts\n", cuts);
    assert_in_range(cuts, 3u * 20 * 14 * DRAWS, 3u * 20 * 14 * (DRAWS + 1));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed_none_is_no_entropy),
        cmocka_unit_test(test_seed_errors_come_back),
        cmocka_unit_test(test_seed_never_draws_twice),
        cmocka_unit_test(test_seed_survives_every_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
