// SPDX-License-Identifier: MIT
/* S10: what a reboot leaves standing, under each quality of the clock. */
#include "time_help.h"

#define PASSWORD "alice's secret"
#define YEAR     (365 * (uint64_t)LK_MS_PER_DAY)

/* Quality at login, quality after the reboot, policy: only one of them lets a session stand. */
static void test_s10_reboot_ends_sessions(void **state)
{
    unsigned login, after, ends, accepted = 0, tried = 0;

    (void)state;
    for (login = 0; login < 4; login++) {
        for (after = 0; after < 4; after++) {
            for (ends = 0; ends < 2; ends++) {
                struct bench *bench = bench_open();
                struct lk_login_result result;
                bool stands = login == LK_CLOCK_SYNCED && after == LK_CLOCK_SYNCED && !ends;

                (void)bench_user(bench, "alice", PASSWORD);
                time_policy(bench,
                            ends ? "session_end_at_reboot=true" : "session_end_at_reboot=false");
                lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms,
                                 (enum lk_clock_quality)login);
                assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
                bench_reopen(bench); /* no reboot yet: a program was started again */
                assert_int_equal(bench_check(bench, result.token, NULL), 0);
                lk_fake_reboot(&bench->fake, (enum lk_clock_quality)after);
                bench_reopen(bench);
                assert_int_equal(bench_check(bench, result.token, NULL), stands ? 0 : LK_E_REFUSED);
                accepted += stands;
                tried++;
                assert_int_equal(time_touch(bench, result.token), stands ? 0 : LK_E_REFUSED);
                /* A login works under each of them, and its session does. */
                assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
                assert_int_equal(bench_check(bench, result.token, NULL), 0);
                bench_verify(bench);
                bench_close(bench);
            }
        }
    }
    print_message("[  figure  ] %u ways through a reboot: sessions stand in %u of them\n", tried,
                  accepted);
    assert_int_equal(accepted, 1);
}

/* After a reboot a session goes on where it stood, by wall clock once and then by uptime again. */
static void test_s10_reboot_prolongs_nothing(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    time_policy(bench, "session_idle=600");
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    lk_fake_advance(&bench->fake, 500000);
    lk_fake_reboot(&bench->fake, LK_CLOCK_SYNCED);
    lk_fake_advance(&bench->fake, 99999);
    bench_reopen(bench);
    assert_int_equal(time_touch(bench, result.token), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + YEAR, LK_CLOCK_SET);
    lk_fake_advance(&bench->fake, 599999);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    assert_int_equal(time_touch(bench, result.token), 0);
    /* It was used under a lesser clock: the next boot ends it. */
    lk_fake_reboot(&bench->fake, LK_CLOCK_SYNCED);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    /* Switched off for longer than it may be idle. */
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    lk_fake_reboot(&bench->fake, LK_CLOCK_SYNCED);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms + 600000, LK_CLOCK_SYNCED);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* Until the clock is synchronised again a session waits: refused, but not taken away. */
static void test_s10_sessions_wait_for_the_clock(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result, other;
    struct lk_session session;
    bool more;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    lk_fake_reboot(&bench->fake, LK_CLOCK_SET);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_true(lk_maintain(&bench->txn, 10000, &more) >= 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &other), 0);
    bench_read(bench);
    assert_int_equal(
        lk_get_computed(&bench->txn, &lk_kind_session, result.session, &session.record), 0);
    assert_int_equal(session.is_active, 0);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SYNCED);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    /* Where the policy does not have it wait, it is gone. */
    time_policy(bench, "session_end_at_reboot=true");
    lk_fake_reboot(&bench->fake, LK_CLOCK_SYNCED);
    bench_reopen(bench);
    bench_write(bench);
    assert_true(lk_maintain(&bench->txn, 10000, &more) > 0);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_session, result.session, &session.record),
                     LK_E_NOT_FOUND);
    bench_verify(bench);
    bench_close(bench);
}

/* Used once under a lesser clock, a session is as that clock has it. */
static void test_s10_the_worst_clock_counts(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result, other;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &other), 0);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SET);
    assert_int_equal(time_touch(bench, result.token), 0);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SYNCED);
    assert_int_equal(time_touch(bench, result.token), 0);
    lk_fake_reboot(&bench->fake, LK_CLOCK_SYNCED);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, other.token, NULL), 0);
    bench_close(bench);
}

/* The store is opened some time after the machine was switched on: that time passed, too. */
static void test_s10_uptime_before_opening_counts(void **state)
{
    struct bench *bench = bench_open();
    enum lk_clock_quality quality;
    uint64_t before, powered;

    (void)state;
    time_seen(bench);
    before = time_now(bench, &quality);
    powered = lk_powered(&bench->txn);
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    lk_fake_advance(&bench->fake, 600000);
    bench_reopen(bench);
    assert_true(time_now(bench, &quality) == before + 600000);
    assert_true(lk_powered(&bench->txn) == powered + 600000);
    /* And while it is on, from one opening to the next. */
    lk_fake_advance(&bench->fake, 30000);
    bench_reopen(bench);
    assert_true(time_now(bench, &quality) == before + 630000);
    time_seen(bench);
    lk_fake_advance(&bench->fake, 30000);
    bench_reopen(bench);
    assert_true(time_now(bench, &quality) == before + 660000);
    assert_true(lk_powered(&bench->txn) == powered + 660000);
    bench_close(bench);
}

/* The store was used on another machine until just now, and this one has been on for a year: of
 * that year no more has passed for the store than the clocks tell. */
static void test_s10_from_another_machine(void **state)
{
    static const struct {
        int wall_ms, passed_ms; /* of this machine's clock after the newest time stored */
    } cases[] = {{5000, 5000}, {0, 0}, {-30000, 0}, {-3600000, 0}};
    enum lk_clock_quality quality;
    unsigned i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        struct bench *bench = bench_open();
        uint64_t before, powered;

        time_seen(bench);
        before = time_now(bench, &quality);
        powered = lk_powered(&bench->txn);
        lk_fake_reboot(&bench->fake, LK_CLOCK_SET);
        lk_fake_advance(&bench->fake, UINT64_C(365) * 86400000);
        lk_fake_wall_set(&bench->fake, before + (uint64_t)(int64_t)cases[i].wall_ms,
                         i % 2 ? LK_CLOCK_SYNCED : LK_CLOCK_SET);
        bench_reopen(bench);
        assert_true(time_now(bench, &quality) == before + (uint64_t)cases[i].passed_ms);
        /* A clock that is far behind is not believed. */
        assert_true(quality == (i == 3 ? LK_CLOCK_HELD : i % 2 ? LK_CLOCK_SYNCED : LK_CLOCK_SET));
        assert_true(lk_powered(&bench->txn) == powered + (uint64_t)cases[i].passed_ms);
        bench_close(bench);
    }
}

/* A port that cannot tell boots apart: each opening counts as one. */
static void test_s10_no_boot_number(void **state)
{
    struct bench *bench = bench_open();
    struct lk_clock clock = *bench->fake.port.clock;
    struct lk_login_result synced, set;

    (void)state;
    clock.boot = NULL;
    bench->fake.port.clock = &clock;
    (void)bench_user(bench, "alice", PASSWORD);
    bench_reopen(bench);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &synced), 0);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SET);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &set), 0);
    assert_int_equal(bench_check(bench, set.token, NULL), 0);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SYNCED);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, synced.token, NULL), 0);
    assert_int_equal(bench_check(bench, set.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s10_reboot_ends_sessions),
        cmocka_unit_test(test_s10_reboot_prolongs_nothing),
        cmocka_unit_test(test_s10_sessions_wait_for_the_clock),
        cmocka_unit_test(test_s10_the_worst_clock_counts),
        cmocka_unit_test(test_s10_uptime_before_opening_counts),
        cmocka_unit_test(test_s10_from_another_machine),
        cmocka_unit_test(test_s10_no_boot_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
