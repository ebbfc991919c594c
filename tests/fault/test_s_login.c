// SPDX-License-Identifier: MIT
/*
 * S1: the attempt is charged before the hash starts. The power goes at every storage call of a
 * login; what was hashed is counted afterwards, and a delay that ran goes on.
 */
#include "core/lockout.h"

struct cut {
    const char *name;
    struct lockout_try one;
    int want;
};

static struct lk_activity cut_counts(struct bench *bench, const struct cut *cut, struct lk_id alice)
{
    struct lk_login_request request = {.tenant = bench->tenant, .name = bench_text(cut->one.name)};
    struct lk_activity counts = lockout_counts(bench, alice);

    if (strcmp(cut->one.name, "alice") != 0) {
        struct lk_bucket bucket;

        bench_write(bench);
        assert_int_equal(lk_login_bucket(&bench->txn, bench->tenant,
                                         lk_login_tag(&bench->store, &request, true), &bucket),
                         0);
        counts = bucket.counts;
        lk_abort(&bench->txn);
    }
    return counts;
}

static void no_guess_is_lost(bool tallies)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    char cookie[LK_TOKEN_SIZE];
    const struct cut cuts[] = {
        {"good", {"alice", LOCKOUT_RIGHT, LK_CHANNEL_HTTP, 5, NULL, NULL}, 0},
        {"wrong", {"alice", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 5, NULL, NULL}, LK_E_REFUSED},
        {"unknown", {"nobody", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 5, NULL, NULL}, LK_E_REFUSED},
        {"console", {"alice", LOCKOUT_WRONG, LK_CHANNEL_CONSOLE, 0, NULL, NULL}, LK_E_REFUSED},
        {"device", {"alice", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 5, cookie, NULL}, LK_E_REFUSED},
    };
    uint8_t *saved = malloc(bench->memory_size);
    unsigned i, points = 0, hashed = 0;

    assert_non_null(saved);
    bench_tallies(bench, tallies);
    lockout_device(bench, alice, cookie);
    for (i = 0; i < 3; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(lockout_network(bench, "nobody", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    lk_close(&bench->store);
    memcpy(saved, bench->memory, bench->memory_size);
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
    for (i = 0; i < LK_COUNT(cuts); i++) {
        bool hit = true;
        uint64_t n;

        for (n = 1; hit; n++) {
            struct lk_activity before, after;
            uint64_t hashes;
            unsigned first;
            int error;

            lk_txn_release(&bench->txn);
            lk_close(&bench->store);
            memcpy(bench->memory, saved, bench->memory_size);
            assert_int_equal(lk_open(&bench->store, &bench->config), 0);
            before = cut_counts(bench, &cuts[i], alice);
            hashes = meter->hashes;
            lk_fault_at(&bench->fault, n, true, LK_E_IO);
            error = lockout_try(bench, &cuts[i].one).error;
            hit = lk_fault_hit(&bench->fault);
            lk_fault_at(&bench->fault, 0, false, 0);
            assert_true(hit || error == cuts[i].want);
            bench_reopen(bench);
            after = cut_counts(bench, &cuts[i], alice);
            first = cuts[i].one.channel == LK_CHANNEL_CONSOLE ? 17 : cuts[i].one.cookie ? 20 : 13;
#define COUNT(counts) lk_field_number(&(counts).record, lk_field_numbered(&lk_kind_activity, first))
            hashed += meter->hashes > hashes;
            points += hit;
            if (after.login_count > before.login_count) {
                assert_int_equal(COUNT(after), 0);
            } else if (COUNT(after) < COUNT(before) + (meter->hashes > hashes)) {
                fail_msg("%s, power cut at storage call %llu: %llu failures before, %llu after, "
                         "%u hashed",
                         cuts[i].name, (unsigned long long)n, (unsigned long long)COUNT(before),
                         (unsigned long long)COUNT(after), meter->hashes > hashes);
            }
#undef COUNT
            bench_verify(bench);
        }
    }
    print_message("[  figure  ] %s tallies: %u power cuts in logins, %u of them after the hash "
                  "began: every guess was counted\n",
                  tallies ? "with" : "without", points, hashed);
    assert_true(points > 50 && hashed > 20);
    free(saved);
    bench_close(bench);
}

static void test_s01_no_guess_is_lost(void **state)
{
    (void)state;
    no_guess_is_lost(true);
    no_guess_is_lost(false);
}

/* While a delay runs no cut ends it, and nothing is written. */
static void test_s01_a_delay_outlives_cuts(void **state)
{
    static const char *const names[] = {"alice", "nobody"};
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    uint64_t n, print;
    unsigned i;

    (void)state;
    (void)lockout_user(bench, "alice");
    assert_int_equal(lockout_fail(bench, "alice", 10), 32);
    assert_int_equal(lockout_fail(bench, "nobody", 10), 32);
    print = bench_print(bench);
    for (i = 0; i < 2; i++) {
        bool hit = true;

        for (n = 1; hit; n++) {
            lk_fault_at(&bench->fault, n, true, LK_E_IO);
            assert_true(lockout_network(bench, names[i], LOCKOUT_RIGHT) < 0);
            hit = lk_fault_hit(&bench->fault);
            lk_fault_at(&bench->fault, 0, false, 0);
            lk_fake_reboot(&bench->fake, LK_CLOCK_HELD);
            bench_reopen(bench);
            assert_int_equal(lockout_network(bench, names[i], LOCKOUT_RIGHT), LK_E_LOCKED);
            assert_true(bench_print(bench) == print);
        }
        assert_true(n > 4);
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s01_no_guess_is_lost),
        cmocka_unit_test(test_s01_a_delay_outlives_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
