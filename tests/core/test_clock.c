// SPDX-License-Identifier: MIT
/* Clocks that jump, and clocks that were never set: nothing comes back, nobody stays out. */
#include "bench.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"

#define YEAR (365 * (uint64_t)LK_MS_PER_DAY)

static void clock_check(struct bench *bench, const char *old_token, int old_want)
{
    struct lk_login_result result;

    assert_int_equal(bench_check(bench, old_token, NULL), old_want);
    /* Nobody is locked out for good, and what is new ends in its own time. */
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fake_advance(&bench->fake, 3600u * 1000 - 1);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, old_token, NULL), LK_E_REFUSED);
    bench_verify(bench);
}

static void test_clock_set_back_revives_nothing(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD), key;
    struct lk_login_result result;
    char token[LK_TOKEN_SIZE];
    uint32_t i;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    bench_write(bench);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""),
                                    lk_now(&bench->txn) + 60000, token, &key),
                     0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, bench_named(bench, &lk_kind_role, "viewer"),
                                   lk_now(&bench->txn) + 60000),
                     0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 3601u * 1000);
    bench_write(bench); /* somebody writes: the time has been seen */
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "display_name=Alice", NULL), 0);
    bench_commit(bench);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SET);
    clock_check(bench, result.token, LK_E_REFUSED);
    assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS - YEAR, LK_CLOCK_SYNCED);
    clock_check(bench, result.token, LK_E_REFUSED);
    bench_reopen(bench);
    clock_check(bench, result.token, LK_E_REFUSED);
    assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    bench_read(bench);
    assert_int_equal(lk_permission_check(&bench->txn, alice, LK_ASK("user", "read"), NULL),
                     LK_E_REFUSED);
    lk_abort(&bench->txn);
    for (i = 0; i < 12; i++) { /* a delay runs out by the time that passes */
        (void)bench_login(bench, "alice", "wrong password", &result);
        lk_fake_advance(&bench->fake, 901u * 1000);
    }
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    bench_close(bench);
}

static void test_clock_set_ahead_and_right_again(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result, later;
    uint64_t right;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    right = bench->fake.clock.wall_ms;
    lk_fake_wall_set(&bench->fake, right + YEAR, LK_CLOCK_SET);
    /* Nobody used a year of it. */
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &later), 0);
    for (i = 0; i < 5; i++) { /* locked, a year ahead */
        assert_int_equal(bench_login(bench, "alice", "wrong password", &result), LK_E_REFUSED);
    }
    lk_fake_wall_set(&bench->fake, right, LK_CLOCK_SYNCED);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), LK_E_LOCKED);
    lk_fake_advance(&bench->fake, 2000);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    clock_check(bench, later.token, 0);
    bench_read(bench);
    assert_true(lk_now(&bench->txn) >= right + YEAR);
    assert_int_equal(bench->txn.clock, LK_CLOCK_HELD);
    bench_close(bench);
}

static void test_clock_never_set(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result, other;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    bench_reopen(bench);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    bench_read(bench);
    assert_true(lk_now(&bench->txn) >= LK_FAKE_START_MS);
    assert_int_equal(bench->txn.clock, LK_CLOCK_HELD);
    clock_check(bench, result.token, 0);
    assert_int_equal(bench_login(bench, "alice", "wrong password", &other), LK_E_REFUSED);
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET); /* what was written has been seen */
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    clock_check(bench, result.token, LK_E_REFUSED);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_set_back_revives_nothing),
        cmocka_unit_test(test_clock_set_ahead_and_right_again),
        cmocka_unit_test(test_clock_never_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
