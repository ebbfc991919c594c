// SPDX-License-Identifier: MIT
/*
 * Random operations on a store and on a plain model of it: the same answers, the same state, and
 * the same bytes on another backend.
 *
 * A failure tells the step. LATCHKEY_SEED=n runs that seed alone, LATCHKEY_STEPS=n so many steps.
 */
#include "model.h"

#include "lk_lmdb.h"
#include "storage/lmdb_help.h"

#define STEPS      20000
#define LMDB_STEPS 3000

static uint64_t number_of(const char *name, uint64_t instead)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : instead;
}

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
    uint64_t seed = number_of("LATCHKEY_SEED", 0), last = seed ? seed : 4;

    (void)state;
    for (seed = seed ? seed : 1; seed <= last; seed++) {
        struct bench *bench = bench_bare(8u << 20);

        create(bench);
        run(bench, seed, number_of("LATCHKEY_STEPS", STEPS) / (seed == last ? 1 : 4));
        bench_close(bench);
    }
}

/* Seed and clock are the same, so are the random bytes: every key and value must be. */
static void test_random_operations_leave_the_same_bytes_on_lmdb(void **state)
{
    uint64_t seed = number_of("LATCHKEY_SEED", 11), sums[2], counts[2];
    uint64_t steps = number_of("LATCHKEY_STEPS", LMDB_STEPS);
    char place[LMDB_HELP_PATH];
    struct lk_lmdb_config config = {.flags = LK_LMDB_CREATE, .value_max = LK_VALUE_MAX};
    struct lk_lmdb lmdb;
    struct bench *bench;
    unsigned i;

    (void)state;
    lmdb_help_place(place);
    assert_int_equal(lk_lmdb_init(&lmdb, place, &config), 0);
    for (i = 0; i < 2; i++) {
        bench = bench_bare(8u << 20);
        bench_tallies(bench, false); /* LMDB keeps none */
        if (i) {
            bench->config.storage = &lmdb.storage;
        }
        create(bench);
        run(bench, seed, steps);
        lk_abort(&bench->txn);
        assert_int_equal(lmdb_help_sum(bench->config.storage, &sums[i], &counts[i]), 0);
        bench_close(bench);
    }
    lmdb_help_remove(place);
    assert_int_equal(counts[0], counts[1]);
    assert_true(sums[0] == sums[1]);
    print_message("%llu entries alike\n", (unsigned long long)counts[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_agree_with_a_model),
        cmocka_unit_test(test_random_operations_leave_the_same_bytes_on_lmdb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
