// SPDX-License-Identifier: MIT
/* Lanes, closing, budgets: what delays whom, and whom not. */
#include "lockout.h"

#define HOUR 3600000u

/* ---- Numbers ---- */

/* The fourth failure starts nothing, the fifth a second, the sixth two; to the cap. */
static void test_lockout_boundaries(void **state)
{
    static const uint32_t delays[] = {0,  0,  0,   0,   1,   2,   4,   8,  16,
                                      32, 64, 128, 256, 512, 900, 900, 900};
    static const char *const names[] = {"alice", "nobody"};
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    uint32_t wait;
    unsigned n, i;

    (void)state;
    (void)lockout_user(bench, "alice");
    for (n = 0; n < 2; n++) {
        for (i = 0; i < LK_COUNT(delays); i++) {
            struct lockout_try one = {.name = names[n], .password = LOCKOUT_WRONG};

            one.channel = LK_CHANNEL_HTTP;
            assert_int_equal(lockout_try(bench, &one).error, LK_E_REFUSED);
            if (delays[i]) {
                wait = lockout_try(bench, &one).wait_s;
                assert_int_equal(wait, delays[i]);
                lk_fake_advance(&bench->fake, wait * (uint64_t)1000);
            }
        }
    }
    bench_verify(bench);
    bench_close(bench);
}

/* The 99th failure delays, the hundredth closes the network for a day, and nothing else. */
static void test_lockout_closes_the_network(void **state)
{
    static const char *const names[] = {"alice", "nobody"};
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    char cookie[LK_TOKEN_SIZE];
    struct lockout_try device = {"alice", LOCKOUT_RIGHT, LK_CHANNEL_HTTP, 0, cookie, NULL};
    uint64_t hashes;
    unsigned n;

    (void)state;
    lockout_device(bench, alice, cookie);
    for (n = 0; n < 2; n++) {
        hashes = meter->hashes;
        assert_int_equal(lockout_fail(bench, names[n], 99), 900);
        assert_int_equal(meter->hashes - hashes, 99);
        lk_fake_advance(&bench->fake, 900 * 1000);
        assert_int_equal(lockout_fail(bench, names[n], 1), 86400);
        assert_int_equal(lockout_network(bench, names[n], LOCKOUT_RIGHT), LK_E_LOCKED);
        assert_int_equal(lockout_console(bench, names[n], LOCKOUT_RIGHT), n ? LK_E_REFUSED : 0);
        /* What the console did leaves the network closed. */
        assert_int_equal(lockout_network(bench, names[n], LOCKOUT_RIGHT), LK_E_LOCKED);
        if (!n) {
            assert_int_equal(lockout_try(bench, &device).error, 0);
            assert_int_equal(lockout_network(bench, names[n], LOCKOUT_RIGHT), LK_E_LOCKED);
        }
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY - 1);
        assert_int_equal(lockout_network(bench, names[n], LOCKOUT_RIGHT), LK_E_LOCKED);
        lk_fake_advance(&bench->fake, 1);
        assert_int_equal(lockout_network(bench, names[n], LOCKOUT_RIGHT), n ? LK_E_REFUSED : 0);
    }
    /* As the tenant says: after 7, for 30 seconds, again with each that follows; or never. */
    lockout_policy(bench, bench->tenant, "close_failures=7");
    lockout_policy(bench, bench->tenant, "close_time=30");
    assert_int_equal(lockout_fail(bench, "alice", 6), 2);
    lk_fake_advance(&bench->fake, 2000);
    assert_int_equal(lockout_fail(bench, "alice", 1), 30);
    lk_fake_advance(&bench->fake, 30000);
    assert_int_equal(lockout_fail(bench, "alice", 1), 30);
    lk_fake_advance(&bench->fake, 30000);
    lockout_policy(bench, bench->tenant, "close_failures=0");
    assert_int_equal(lockout_fail(bench, "alice", 1), 16);
    bench_verify(bench);
    bench_close(bench);
}

/* However often somebody fails at the console or at a known device, a delay is all that follows. */
static void test_lockout_closes_nothing_else(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    char cookie[LK_TOKEN_SIZE];
    struct lockout_try tries[] = {{"alice", LOCKOUT_WRONG, LK_CHANNEL_CONSOLE, 0, NULL, NULL},
                                  {"nobody", LOCKOUT_WRONG, LK_CHANNEL_CONSOLE, 0, NULL, NULL},
                                  {"alice", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 0, cookie, NULL}};
    unsigned i, count;

    (void)state;
    lockout_device(bench, lockout_user(bench, "alice"), cookie);
    for (i = 0; i < LK_COUNT(tries); i++) {
        for (count = 0; count < 105;) {
            struct lockout_answer answer = lockout_try(bench, &tries[i]);

            count += answer.error == LK_E_REFUSED;
            assert_in_range(answer.wait_s, 0, 900);
            lk_fake_advance(&bench->fake, answer.wait_s * (uint64_t)1000);
        }
    }
    bench_close(bench);
}

/* In a full bucket a name whose delay runs gives way last, though it failed first. */
static void test_lockout_of_a_full_bucket(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lockout_try one = {.password = LOCKOUT_WRONG, .channel = LK_CHANNEL_HTTP};
    char names[LK_BUCKET_SLOTS + 2][32];
    struct lk_login_request request = {.tenant = bench->tenant};
    uint64_t bucket = 0;
    unsigned i, found = 0;

    (void)state;
    for (i = 0; found < LK_COUNT(names); i++) {
        uint64_t tag;

        (void)snprintf(names[found], sizeof(names[0]), "nobody%u", i);
        request.name = bench_text(names[found]);
        tag = lk_login_tag(&bench->store, &request, true);
        bucket = found ? bucket : tag % LK_BUCKETS;
        found += tag % LK_BUCKETS == bucket;
    }
    assert_int_equal(lockout_fail(bench, names[0], 12), 128);
    for (i = 1; i < LK_COUNT(names); i++) {
        unsigned k;

        for (k = 0; k < 4; k++) {
            assert_int_equal(lockout_network(bench, names[i], LOCKOUT_WRONG), LK_E_REFUSED);
        }
        lk_fake_advance(&bench->fake, 1000);
    }
    assert_int_equal(lockout_network(bench, names[0], LOCKOUT_WRONG), LK_E_LOCKED);
    /* Of the others the first two were forgotten, the rest were not. */
    for (i = LK_COUNT(names) - 1; i > 0; i--) {
        one.name = names[i];
        assert_int_equal(lockout_try(bench, &one).error, LK_E_REFUSED);
        if (i > 2) {
            assert_int_equal(lockout_try(bench, &one).error, LK_E_LOCKED);
        }
    }
    assert_int_equal(lockout_network(bench, names[1], LOCKOUT_WRONG), LK_E_REFUSED);
    bench_close(bench);
}

/* ---- Lanes ---- */

static void test_lockout_lanes_do_not_meet(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice"), bob = lockout_user(bench, "bob");
    char cookie[LK_TOKEN_SIZE], other[LK_TOKEN_SIZE];
    struct lockout_try tries[LK_LANE_COUNT] = {
        {"alice", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 0, NULL, NULL},
        {"alice", LOCKOUT_WRONG, LK_CHANNEL_CONSOLE, 0, NULL, NULL},
        {"alice", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 0, cookie, NULL},
        {"alice@town.example", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 0, NULL, NULL}};
    struct lk_user user;
    unsigned lane, i, k;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "email=alice@town.example", NULL), 0);
    bench_commit(bench);
    lockout_device(bench, alice, cookie);
    lockout_device(bench, bob, other);
    for (lane = 0; lane < LK_LANE_COUNT; lane++) {
        for (i = 0; i < 5; i++) {
            assert_int_equal(lockout_try(bench, &tries[lane]).error, LK_E_REFUSED);
        }
        assert_int_equal(lockout_try(bench, &tries[lane]).error, LK_E_LOCKED);
        bench_read(bench);
        assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, alice, &user.record), 0);
        assert_int_equal(user.is_locked, 1);
        /* The others serve, and what they do leaves this one as it is. */
        for (k = 0; k < LK_LANE_COUNT; k++) {
            struct lockout_try one = tries[k];

            one.password = LOCKOUT_RIGHT;
            assert_int_equal(lockout_try(bench, &one).error, k == lane ? LK_E_LOCKED : 0);
        }
        assert_int_equal(lockout_try(bench, &tries[lane]).error, LK_E_LOCKED);
        lk_fake_advance(&bench->fake, 1000);
        tries[lane].password = LOCKOUT_RIGHT;
        assert_int_equal(lockout_try(bench, &tries[lane]).error, 0);
        tries[lane].password = LOCKOUT_WRONG;
        bench_read(bench);
        assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, alice, &user.record), 0);
        assert_int_equal(user.is_locked, 0);
    }
    /* A device at the console is at the console. */
    tries[LK_LANE_CONSOLE].cookie = cookie;
    assert_int_equal(lockout_try(bench, &tries[LK_LANE_CONSOLE]).error, LK_E_REFUSED);
    assert_int_equal(lockout_counts(bench, alice).console_failed_count, 1);
    assert_int_equal(lockout_counts(bench, alice).device_failed_count, 0);
    /* Somebody else's cookie, a cut one and one of a device that is gone are none. */
    for (i = 0; i < 5; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    tries[LK_LANE_DEVICE].cookie = other;
    assert_int_equal(lockout_try(bench, &tries[LK_LANE_DEVICE]).error, LK_E_LOCKED);
    tries[LK_LANE_DEVICE].cookie = cookie;
    cookie[20] = '\0';
    assert_int_equal(lockout_try(bench, &tries[LK_LANE_DEVICE]).error, LK_E_LOCKED);
    bench_verify(bench);
    bench_close(bench);
}

static void test_lockout_unlock_opens_every_lane(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    char cookie[LK_TOKEN_SIZE];
    struct lockout_try device = {"alice", LOCKOUT_WRONG, LK_CHANNEL_HTTP, 0, cookie, NULL};
    struct lk_activity counts;
    unsigned i;

    (void)state;
    lockout_device(bench, alice, cookie);
    lockout_policy(bench, bench->tenant, "login_rate=1");
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), 0);
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), LK_E_LOCKED);
    for (i = 0; i < 5; i++) {
        assert_int_equal(lockout_console(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    bench_write(bench);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    for (i = 0; i < 5; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(lockout_console(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(lockout_try(bench, &device).error, LK_E_REFUSED);
    }
    bench_write(bench);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    counts = lockout_counts(bench, alice);
    assert_int_equal(counts.failed_count + counts.console_failed_count + counts.device_failed_count,
                     0);
    assert_true(!counts.locked_until && !counts.console_locked_until &&
                !counts.device_locked_until && !counts.login_tat);
    assert_int_equal(counts.login_count, 1);
    device.password = LOCKOUT_RIGHT;
    assert_int_equal(lockout_try(bench, &device).error, 0);
    /* One who never tried has nothing to unlock; and it takes a transaction. */
    alice = lockout_user(bench, "bob");
    assert_int_equal(lk_user_unlock(&bench->txn, alice), LK_E_STATE);
    bench_write(bench);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    bench_close(bench);
}

/* ---- Time ---- */

/* A delay goes on after a restart; with the clock gone it goes on from the time last seen. */
static void test_lockout_outlives_a_restart(void **state)
{
    static const enum lk_clock_quality qualities[] = {LK_CLOCK_SYNCED, LK_CLOCK_HELD,
                                                      LK_CLOCK_UNSET};
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    unsigned i;

    (void)state;
    (void)lockout_user(bench, "alice");
    for (i = 0; i < LK_COUNT(qualities); i++) {
        /* 16 s and 32 s and 64 s. */
        (void)lockout_fail(bench, "alice", i ? 1 : 9);
        (void)lockout_fail(bench, "nobody", i ? 1 : 9);
        lk_fake_reboot(&bench->fake, qualities[i]);
        bench_reopen(bench);
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), LK_E_LOCKED);
        assert_int_equal(lockout_network(bench, "nobody", LOCKOUT_RIGHT), LK_E_LOCKED);
        lk_fake_advance(&bench->fake, 130000);
    }
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), 0);
    bench_close(bench);
}

/* Delays that no policy can have made: the clock was set back over them. */
static void test_lockout_is_not_for_good(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    struct lockout_try one = {.name = "alice", .password = LOCKOUT_RIGHT};
    struct lk_activity counts;
    uint64_t print, year = 365 * (uint64_t)LK_MS_PER_DAY;
    unsigned lane;

    (void)state;
    for (lane = 0; lane < 2; lane++) {
        unsigned first = lk_lane_field((enum lk_lane)lane);

        one.channel = lane ? LK_CHANNEL_CONSOLE : LK_CHANNEL_HTTP;
        bench_write(bench);
        assert_int_equal(lk_load_activity(&bench->txn, alice, &counts), 0);
        lk_field_set_number(&counts.record, lk_field_numbered(&lk_kind_activity, first), 6);
        lk_field_set_number(&counts.record, lk_field_numbered(&lk_kind_activity, first + 1),
                            bench->txn.now_ms + year);
        lk_field_set_number(&counts.record, lk_field_numbered(&lk_kind_activity, first + 2),
                            bench->txn.now_ms + year + 2000);
        lk_field_set_number(&counts.record, lk_field_numbered(&lk_kind_activity, 23),
                            bench->txn.now_ms + year);
        assert_int_equal(lk_record_store(&bench->txn, &lk_kind_activity, &counts.record,
                                         lk_work(&bench->txn)->new_value),
                         0);
        bench_commit(bench);
        /* Cut once to what the policy says of the sixth failure, and run from there. */
        assert_int_equal(lockout_try(bench, &one).wait_s, 2);
        print = bench_print(bench);
        lk_fake_advance(&bench->fake, 1500);
        assert_int_equal(lockout_try(bench, &one).wait_s, 1);
        assert_true(bench_print(bench) == print);
        lk_fake_advance(&bench->fake, 500);
        assert_int_equal(lockout_try(bench, &one).error, 0);
        assert_true(lane ||
                    lockout_counts(bench, alice).login_tat <= bench->fake.clock.wall_ms + HOUR);
    }
    /* A milder policy holds at once. */
    assert_int_equal(lockout_fail(bench, "alice", 12), 128);
    lockout_policy(bench, bench->tenant, "lockout_time=10");
    one.channel = LK_CHANNEL_HTTP;
    assert_int_equal(lockout_try(bench, &one).wait_s, 10);
    lockout_policy(bench, bench->tenant, "lockout_failures=0");
    assert_int_equal(lockout_try(bench, &one).error, 0);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Tallies ---- */

/* What random attempts from everywhere are answered, with tallies and without. */
static void test_lockout_is_the_same_without_tallies(void **state)
{
    static const char *const names[] = {"alice", "bob", "nobody", "noone"};
    enum { STEPS = 6000 };
    static struct lockout_answer answers[STEPS];
    uint64_t puts[2];
    unsigned round, i, locked = 0;

    (void)state;
    for (round = 0; round < 2; round++) {
        struct lockout_meter *meter;
        struct bench *bench = lockout_open(&meter);
        uint64_t random = 4711;
        char cookie[LK_TOKEN_SIZE];

        bench_tallies(bench, round == 0);
        lockout_device(bench, lockout_user(bench, "alice"), cookie);
        (void)lockout_user(bench, "bob");
        lockout_policy(bench, bench->tenant, "close_failures=20");
        puts[round] = meter->puts;
        for (i = 0; i < STEPS; i++) {
            struct lockout_try one = {.channel = LK_CHANNEL_HTTP};
            struct lockout_answer answer;

            random = random * 6364136223846793005u + 1442695040888963407u;
            one.name = names[(random >> 60) % LK_COUNT(names)];
            one.password = (random >> 50) % 16 ? LOCKOUT_WRONG : LOCKOUT_RIGHT;
            one.channel = (random >> 40) % 8 ? LK_CHANNEL_HTTP : LK_CHANNEL_CONSOLE;
            one.cookie = (random >> 36) % 4 ? NULL : cookie;
            answer = lockout_try(bench, &one);
            locked += answer.error == LK_E_LOCKED;
            if (!round) {
                answers[i] = answer;
            }
            if (memcmp(&answer, &answers[i], sizeof(answer)) != 0) {
                fail_msg("step %u: %d, wait %u; with tallies %d, wait %u", i, answer.error,
                         answer.wait_s, answers[i].error, answers[i].wait_s);
            }
            lk_fake_advance(&bench->fake, (random >> 20) % 400000);
            if ((random >> 10) % 64 == 0) {
                bench_reopen(bench);
            }
        }
        puts[round] = meter->puts - puts[round];
        bench_verify(bench);
        bench_close(bench);
    }
    print_message("[  figure  ] %u attempts, %u of them refused unseen: %llu records put with "
                  "tallies, %llu without\n",
                  STEPS, locked / 2, (unsigned long long)puts[0], (unsigned long long)puts[1]);
    assert_true(puts[0] < puts[1]);
}

/* A failure that starts no delay puts the audit's count alone, the first of its kind the entry and
 * that count; and whatever else writes the record
 * keeps count. */
static void test_lockout_tally_costs_no_record(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    struct lk_login_result result;
    struct lk_verdict verdict;
    uint64_t puts;
    unsigned i;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", LOCKOUT_RIGHT, &result), 0);
    assert_int_equal(lockout_network(bench, "nobody", LOCKOUT_WRONG), LK_E_REFUSED);
    for (i = 0; i < 3; i++) {
        puts = meter->puts;
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(lockout_network(bench, "nobody", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(meter->puts, puts + 2 + !i);
        assert_int_equal(lockout_counts(bench, alice).failed_count, i + 1);
    }
    bench_reopen(bench);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 3);
    /* The console's success, a session's use and its end write the record. */
    assert_int_equal(lockout_console(bench, "alice", LOCKOUT_RIGHT), 0);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 3);
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    lk_fake_advance(&bench->fake, 120000);
    bench_write(bench);
    assert_int_equal(lk_session_check(&bench->txn, 0, bench_text(result.token), NULL, &verdict), 0);
    assert_int_equal(lk_session_touch(&bench->txn, &verdict), 0);
    bench_commit(bench);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 4);
    bench_write(bench);
    assert_int_equal(lk_session_end(&bench->txn, result.session), 0);
    bench_commit(bench);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 4);
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_LOCKED);
    assert_int_equal(lockout_network(bench, "nobody", LOCKOUT_WRONG), LK_E_REFUSED);
    assert_int_equal(lockout_network(bench, "nobody", LOCKOUT_WRONG), LK_E_LOCKED);
    lk_fake_advance(&bench->fake, 1000);
    /* A success, or the right password that must be changed, takes the tally along. */
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), 0);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
    for (i = 0; i < 12; i++) {
        assert_int_equal(bench_login(bench, "alice", LOCKOUT_RIGHT, &result), LK_E_MUST_CHANGE);
        assert_int_equal(lockout_counts(bench, alice).failed_count, 0);
    }
    for (i = 0; i < 4; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    bench_write(bench);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 0);
    bench_verify(bench);
    bench_close(bench);
}

/* A tally has no time: it is not forgotten, and what it was added to neither; a failure of long ago
 * without a tally is. */
static void test_lockout_tally_is_not_forgotten(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    unsigned i;

    (void)state;
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    for (i = 0; i < 4; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(lockout_counts(bench, alice).failed_count, i + 1);
    }
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_int_equal(lockout_fail(bench, "alice", 1), 1);
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 1);
    bench_close(bench);
}

/* ---- Tenants that are not there ---- */

static void test_lockout_of_a_tenant_that_is_not_there(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    static const char *const absent[] = {"acme", "Globex", "initech", "umbrella"};
    char name[128];
    unsigned failures, i, k;

    (void)state;
    /* With one tenant its policy is everybody's. */
    for (failures = 2; failures < 9; failures += 3) {
        (void)snprintf(name, sizeof(name), "lockout_failures=%u", failures);
        lockout_policy(bench, bench->tenant, name);
        for (i = 0; i < LK_COUNT(absent); i++) {
            struct lockout_try one = {.name = "alice", .password = LOCKOUT_WRONG};

            (void)snprintf(name, sizeof(name), "%s-%u", absent[i], failures);
            one.tenant = name;
            one.channel = LK_CHANNEL_HTTP;
            for (k = 0; k < failures; k++) {
                assert_int_equal(lockout_try(bench, &one).error, LK_E_REFUSED);
            }
            assert_int_equal(lockout_try(bench, &one).wait_s, 1);
            /* The same tenant in other letters; a longer name than any tenant has. */
            name[0] = (char)(name[0] ^ 0x20);
            assert_int_equal(lockout_try(bench, &one).wait_s, 1);
            memset(name, 'x', sizeof(name) - 1);
            name[sizeof(name) - 1] = '\0';
            assert_int_equal(lockout_try(bench, &one).error, i ? LK_E_LOCKED : LK_E_REFUSED);
            for (k = 1; !i && k < failures; k++) {
                assert_int_equal(lockout_try(bench, &one).error, LK_E_REFUSED);
            }
        }
        lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* Of several tenants each policy occurs, and a tenant's stays when others come. */
static void test_lockout_stand_in_is_one_of_those_there(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    unsigned seen[9] = {0}, first[64], moved = 0, i, k, round;
    char name[64], word[32];

    (void)state;
    for (i = 0; i < 3; i++) {
        struct lk_id id = {0, 0, 0};

        (void)snprintf(name, sizeof(name), "name=tenant%u", i);
        (void)snprintf(word, sizeof(word), "lockout_failures=%u", 2 + 2 * i);
        bench_write(bench);
        assert_int_equal(bench_add(bench, &lk_kind_tenant, &id, name, word, NULL), 0);
        bench_commit(bench);
    }
    for (round = 0; round < 2; round++) {
        for (i = 0; i < LK_COUNT(first); i++) {
            struct lockout_try one = {.name = "alice", .password = LOCKOUT_WRONG};

            (void)snprintf(name, sizeof(name), "absent%u", i);
            one.tenant = name;
            one.channel = LK_CHANNEL_HTTP;
            for (k = 0; lockout_try(bench, &one).error == LK_E_REFUSED; k++) {
            }
            assert_in_range(k, 2, 8);
            seen[k]++;
            moved += round && first[i] != k;
            first[i] = k;
        }
        if (!round) {
            struct lk_id id = {0, 0, 0};

            assert_true(seen[2] > 4 && seen[4] > 4 && seen[5] > 4 && seen[6] > 4);
            bench_write(bench);
            assert_int_equal(
                bench_add(bench, &lk_kind_tenant, &id, "name=late", "lockout_failures=8", NULL), 0);
            bench_commit(bench);
            lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        }
    }
    /* Only those who now stand in for by the newcomer. */
    assert_int_equal(moved, seen[8]);
    assert_in_range(moved, 1, LK_COUNT(first) / 2);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lockout_boundaries),
        cmocka_unit_test(test_lockout_closes_the_network),
        cmocka_unit_test(test_lockout_closes_nothing_else),
        cmocka_unit_test(test_lockout_of_a_full_bucket),
        cmocka_unit_test(test_lockout_lanes_do_not_meet),
        cmocka_unit_test(test_lockout_unlock_opens_every_lane),
        cmocka_unit_test(test_lockout_outlives_a_restart),
        cmocka_unit_test(test_lockout_is_not_for_good),
        cmocka_unit_test(test_lockout_is_the_same_without_tallies),
        cmocka_unit_test(test_lockout_tally_costs_no_record),
        cmocka_unit_test(test_lockout_tally_is_not_forgotten),
        cmocka_unit_test(test_lockout_of_a_tenant_that_is_not_there),
        cmocka_unit_test(test_lockout_stand_in_is_one_of_those_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
