// SPDX-License-Identifier: MIT
/*
 * Random operations on a store and on a plain model of it: the same answers, the same state, and
 * the same bytes on another backend.
 *
 * A failure tells the step. LATCHKEY_SEED=n runs that seed alone, LATCHKEY_STEPS=n so many steps.
 */
#include "model.h"

#include "lk_nor.h"
#include "storage/map_help.h"

#define STEPS       20000
#define ALIKE_STEPS 3000

/* A flash that is too big to be full at the end, with sectors that the largest value fits into. */
#define FLASH_SECTOR  16384u
#define FLASH_SECTORS 160u
#define FLASH_ENTRIES 30000u

struct flash_place {
    struct lk_fake_flash flash;
    struct lk_nor nor;
    struct lk_nor_config config;
    uint32_t memory[LK_FAKE_FLASH_MEMORY(FLASH_SECTOR, FLASH_SECTORS, 4) / 4];
    uint32_t index[LK_NOR_INDEX_SIZE(FLASH_ENTRIES, 2000, FLASH_SECTOR *FLASH_SECTORS, 4) / 4];
    uint32_t cache[LK_NOR_CACHE_SIZE(LK_VALUE_MAX) / 4 + 1];
};

static void create(struct bench *bench)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;

    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
}

static void run(struct bench *bench, uint64_t seed, uint64_t steps)
{
    struct model *model = model_open(bench, seed);
    uint64_t i;

    print_message("LATCHKEY_SEED=%llu, %llu steps\n", (unsigned long long)seed,
                  (unsigned long long)steps);
    for (i = 1; i <= steps; i++) {
        model_step(model);
        if (i % 250 == 0 || i == steps) {
            model_compare(model);
        }
        if (i % 1700 == 0) {
            bench_reopen(bench);
        }
    }
    print_message("%u and %u users, %u and %u roles, %u logins\n", model->user_count[0],
                  model->user_count[1], model->role_count[0], model->role_count[1],
                  model->session_count);
    model_close(model);
}

static void test_random_operations_agree_with_a_model(void **state)
{
    uint64_t seed = bench_number("LATCHKEY_SEED", 0), last = seed ? seed : 4;

    (void)state;
    for (seed = seed ? seed : 1; seed <= last; seed++) {
        struct bench *bench = bench_bare(8u << 20);

        create(bench);
        run(bench, seed, bench_number("LATCHKEY_STEPS", STEPS) / (seed == last ? 1 : 4));
        bench_close(bench);
    }
}

static struct lk_storage *flash_open(struct flash_place *place)
{
    struct lk_fake_flash_config part = {.sector_size = FLASH_SECTOR,
                                        .sector_count = FLASH_SECTORS,
                                        .program_unit = 4,
                                        .mapped = true,
                                        .memory = place->memory,
                                        .memory_size = sizeof(place->memory)};

    assert_int_equal(lk_fake_flash_init(&place->flash, &part), 0);
    place->config = (struct lk_nor_config){.flash = &lk_fake_flash_ops,
                                           .self = &place->flash,
                                           .index = place->index,
                                           .index_size = sizeof(place->index),
                                           .cache = place->cache,
                                           .cache_size = sizeof(place->cache),
                                           .value_max = LK_VALUE_MAX,
                                           .flags = LK_NOR_FORMAT};
    assert_int_equal(lk_nor_init(&place->nor, &place->config), 0);
    place->nor.storage.caps &= ~(uint32_t)LK_STORAGE_TALLY; /* as the others */
    return &place->nor.storage;
}

/* Seed and clock are the same, so are the random bytes: every key and value must be. */
static void test_random_operations_leave_the_same_bytes_on_every_storage(void **state)
{
    uint64_t seed = bench_number("LATCHKEY_SEED", 11), sums[3], counts[3];
    uint64_t steps = bench_number("LATCHKEY_STEPS", ALIKE_STEPS);
    struct flash_place *flash = calloc(1, sizeof(*flash));
    struct lk_storage *lmdb = map_help_lmdb(LK_VALUE_MAX);
    struct bench *bench;
    unsigned i;

    (void)state;
    assert_non_null(flash);
    for (i = 0; i < 3; i++) {
        if (i == 1 && lmdb == NULL) {
            continue;
        }
        bench = bench_bare(8u << 20);
        bench_tallies(bench, false); /* LMDB keeps none */
        if (i) {
            bench->config.storage = i == 1 ? lmdb : flash_open(flash);
        }
        create(bench);
        run(bench, seed, steps);
        lk_abort(&bench->txn);
        assert_int_equal(map_help_sum(bench->config.storage, &sums[i], &counts[i]), 0);
        bench_close(bench);
        assert_int_equal(counts[i], counts[0]);
        assert_true(sums[i] == sums[0]);
    }
    map_help_lmdb_drop();
    print_message("%llu entries alike on RAM%s and flash, where %llu sectors were erased\n",
                  (unsigned long long)counts[0], lmdb ? ", LMDB" : "",
                  (unsigned long long)flash->flash.stat.erases);
    free(flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_agree_with_a_model),
        cmocka_unit_test(test_random_operations_leave_the_same_bytes_on_every_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
