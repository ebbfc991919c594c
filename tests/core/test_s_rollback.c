// SPDX-License-Identifier: MIT
/* S2: an old image put back, with a counter in hardware and without one. */
#include "bench.h"

#include "lk_engine.h"

struct images {
    struct bench *bench;
    uint8_t *old;
};

static void images_keep(struct images *images)
{
    lk_txn_release(&images->bench->txn);
    lk_close(&images->bench->store);
    memcpy(images->old, images->bench->memory, images->bench->memory_size);
}

static void images_open(struct images *images, bool counter)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result result;
    struct bench *bench = bench_bare(1u << 20);

    images->bench = bench;
    images->old = malloc(bench->memory_size);
    assert_non_null(images->old);
    if (counter) {
        lk_fake_counter_set(&bench->fake, 41);
    }
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &result), 0);
    bench->tenant = result.admin.tenant;
    bench->admin = result.admin;
}

static void images_close(struct images *images)
{
    free(images->old);
    bench_close(images->bench);
}

/* Goes on for some time, with logins, and closes. */
static void images_live(struct images *images, unsigned logins)
{
    struct lk_login_result result;

    assert_int_equal(lk_open(&images->bench->store, &images->bench->config), 0);
    while (logins--) {
        assert_int_equal(bench_login(images->bench, "admin", BENCH_PASSWORD, &result), 0);
        lk_fake_advance(&images->bench->fake, 400000);
    }
    lk_txn_release(&images->bench->txn);
    lk_close(&images->bench->store);
}

static int images_put_back(struct images *images)
{
    memcpy(images->bench->memory, images->old, images->bench->memory_size);
    return lk_open(&images->bench->store, &images->bench->config);
}

static void test_s02_rollback_is_detected_by_a_counter(void **state)
{
    struct lk_audit_query query = {.action = LK_TEXT("store.rollback")};
    struct lk_audit_entry entry;
    struct lk_login_result result;
    struct images images;
    struct bench *bench;
    uint64_t before;
    unsigned i;

    (void)state;
    images_open(&images, true);
    bench = images.bench;
    images_keep(&images);
    /* Opened and used as usual, however often, it opens; and the counter goes up seldom. */
    before = bench->fake.counter;
    for (i = 0; i < 20; i++) {
        images_live(&images, 5);
    }
    print_message(
        "[  figure  ] 20 openings with 5 logins each over %u minutes: counter raised %u times\n",
        20 * 5 * 400 / 60, (unsigned)(bench->fake.counter - before));
    assert_in_range(bench->fake.counter - before, 20, 80);
    assert_int_equal(images_put_back(&images), LK_E_ROLLBACK);
    assert_string_equal(lk_strerror(LK_E_ROLLBACK),
                        "an older copy of the store was put in its place");
    /* Reading only does not let it pass either. */
    bench->config.read_only = true;
    assert_int_equal(lk_open(&bench->store, &bench->config), LK_E_ROLLBACK);
    bench->config.read_only = false;
    /* Somebody decides to go on with it: that is written down, and good from then on. */
    bench->config.accept_rollback = true;
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    bench->config.accept_rollback = false;
    bench_reopen(bench);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(lk_audit_next(&query, &entry), LK_E_NOT_FOUND);
    bench_verify(bench);
    images_keep(&images);
    images_live(&images, 10);
    images_live(&images, 10);
    assert_int_equal(images_put_back(&images), LK_E_ROLLBACK);
    /* The counter of another device says nothing of this store. */
    lk_fake_counter_set(&bench->fake, 3);
    assert_int_equal(lk_open(&bench->store, &bench->config), LK_E_ROLLBACK);
    images_close(&images);
}

/* A cut at any call, the counter's own among them, is never taken for a roll-back. */
static void test_s02_cuts_are_no_rollback(void **state)
{
    struct images images;
    uint64_t n;
    unsigned way, cuts = 0;

    (void)state;
    for (way = 0; way < 2; way++) {
        bool hit = true;

        for (n = 1; hit; n++) {
            struct lk_login_result result;
            unsigned i;

            images_open(&images, true);
            for (i = 0; i < 3; i++) {
                assert_int_equal(bench_login(images.bench, "admin", BENCH_PASSWORD, &result), 0);
                lk_fake_advance(&images.bench->fake, 700000);
            }
            if (way) {
                lk_fault_at(&images.bench->fault, n, true, LK_E_IO);
            } else {
                lk_fake_fail_from(&images.bench->fake, n);
            }
            for (i = 0; i < 3; i++) {
                (void)bench_login(images.bench, "admin", BENCH_PASSWORD, &result);
                lk_fake_advance(&images.bench->fake, 700000);
            }
            hit =
                way ? lk_fault_hit(&images.bench->fault) : lk_fake_failed(&images.bench->fake) > 0;
            cuts += hit;
            lk_fault_at(&images.bench->fault, 0, false, 0);
            lk_fake_fail_at(&images.bench->fake, LK_FAKE_FAIL_NEVER);
            for (i = 0; i < 3; i++) {
                bench_reopen(images.bench);
                assert_int_equal(bench_login(images.bench, "admin", BENCH_PASSWORD, &result), 0);
                lk_fake_advance(&images.bench->fake, 700000);
            }
            images_close(&images);
        }
    }
    print_message("[  figure  ] cut at each of %u calls: never taken for a roll-back\n", cuts);
    assert_true(cuts > 60);
}

/* Without a counter it cannot be noticed, as SECURITY.md says; a counter that is new to a store
 * that was made without one begins at 0, or is not its own. */
static void test_s02_rollback_without_a_counter(void **state)
{
    struct images images;
    struct lk_login_result result;

    (void)state;
    images_open(&images, false);
    images_keep(&images);
    images_live(&images, 10);
    assert_int_equal(images_put_back(&images), 0);
    lk_close(&images.bench->store);
    lk_fake_counter_set(&images.bench->fake, 7);
    assert_int_equal(lk_open(&images.bench->store, &images.bench->config), LK_E_ROLLBACK);
    lk_fake_counter_set(&images.bench->fake, 0);
    assert_int_equal(lk_open(&images.bench->store, &images.bench->config), 0);
    assert_int_equal(bench_login(images.bench, "admin", BENCH_PASSWORD, &result), 0);
    lk_txn_release(&images.bench->txn);
    lk_close(&images.bench->store);
    images_live(&images, 3);
    assert_true(images.bench->fake.counter > 0);
    assert_int_equal(images_put_back(&images), LK_E_ROLLBACK);
    images_close(&images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s02_rollback_is_detected_by_a_counter),
        cmocka_unit_test(test_s02_cuts_are_no_rollback),
        cmocka_unit_test(test_s02_rollback_without_a_counter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
