// SPDX-License-Identifier: MIT
/* Sources, the budget of failures, the budget of a user's logins, and who stands in for whom. */
#include "audit_help.h"
#include "lockout.h"

#define HOUR    3600000u
#define NETWORK LK_CHANNEL_HTTP

/* ---- Sources ---- */

/* Each failure under another name, so that no name is delayed. */
static struct lockout_answer stranger(struct bench *bench, unsigned number, uint32_t source)
{
    char name[32];
    struct lockout_try one = {name, LOCKOUT_WRONG, NETWORK, source, NULL, NULL};

    (void)snprintf(name, sizeof(name), "stranger%u", number);
    return lockout_try(bench, &one);
}

static void test_throttle_delays_a_source(void **state)
{
    static const uint32_t delays[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900};
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    char cookie[LK_TOKEN_SIZE];
    struct lockout_try good = {"alice", LOCKOUT_RIGHT, NETWORK, 7, NULL, NULL};
    unsigned i, number = 0;

    (void)state;
    lockout_device(bench, alice, cookie);
    for (i = 0; i < 19; i++) {
        assert_int_equal(stranger(bench, number++, 7).error, LK_E_REFUSED);
        /* A good login in between takes nothing back but itself. */
        assert_int_equal(lockout_try(bench, &good).error, 0);
    }
    for (i = 0; i < LK_COUNT(delays); i++) {
        uint64_t print, hashes;

        assert_int_equal(stranger(bench, number++, 7).error, LK_E_REFUSED);
        print = bench_print(bench);
        hashes = meter->hashes;
        assert_int_equal(stranger(bench, number++, 7).wait_s, delays[i]);
        assert_int_equal(lockout_try(bench, &good).wait_s, delays[i]);
        assert_true(bench_print(bench) == print && meter->hashes == hashes);
        /* Not the others, not the console, not a known device. */
        good.source = 8;
        assert_int_equal(lockout_try(bench, &good).error, 0);
        good.source = 0;
        assert_int_equal(lockout_try(bench, &good).error, 0);
        good.source = 7;
        good.cookie = cookie;
        assert_int_equal(lockout_try(bench, &good).error, 0);
        good.cookie = NULL;
        good.channel = LK_CHANNEL_CONSOLE;
        assert_int_equal(lockout_try(bench, &good).error, 0);
        good.channel = NETWORK;
        lk_fake_advance(&bench->fake, delays[i] * (uint64_t)1000);
        assert_int_equal(lockout_try(bench, &good).error, 0);
    }
    /* An hour without a failure, and it is forgotten. */
    lk_fake_advance(&bench->fake, HOUR);
    for (i = 0; i < 19; i++) {
        assert_int_equal(stranger(bench, number++, 7).error, LK_E_REFUSED);
    }
    assert_int_equal(lockout_try(bench, &good).error, 0);
    bench_verify(bench);
    bench_close(bench);
}

/* Many sources do not push out the one that fails most. */
static void test_throttle_keeps_the_worst_source(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    unsigned i;

    (void)state;
    for (i = 0; i < 19; i++) {
        assert_int_equal(stranger(bench, i, 7).error, LK_E_REFUSED);
        assert_int_equal(stranger(bench, 100 + 2 * i, 1000 + i).error, LK_E_REFUSED);
        assert_int_equal(stranger(bench, 101 + 2 * i, 2000 + i).error, LK_E_REFUSED);
    }
    assert_int_equal(stranger(bench, 99, 7).error, LK_E_REFUSED);
    assert_int_equal(stranger(bench, 98, 7).error, LK_E_LOCKED);
    bench_close(bench);
}

static void test_throttle_source_is_what_one_has(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    static const uint8_t v4[] = {192, 0, 2, 1}, other[] = {192, 0, 2, 2},
                         mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1},
                         a[] = {0x20, 1, 0xD, 0xB8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1},
                         b[] = {0x20, 1, 0xD, 0xB8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9},
                         c[] = {0x20, 1, 0xD, 0xB8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
#define SOURCE(bytes) lk_throttle_source(&bench->store, (struct lk_span){bytes, sizeof(bytes)})

    (void)state;
    assert_true(SOURCE(v4) == SOURCE(mapped));
    assert_true(SOURCE(v4) != SOURCE(other));
    assert_true(SOURCE(a) == SOURCE(b));
    assert_true(SOURCE(a) != SOURCE(c));
    assert_true(SOURCE(v4) && SOURCE(a));
    assert_true(lk_throttle_source(&bench->store, (struct lk_span){v4, 3}) == 0);
    assert_true(lk_throttle_source(&bench->store, (struct lk_span){NULL, 0}) == 0);
#undef SOURCE
    bench_close(bench);
}

/* ---- The budget of failures ---- */

/* Failures until the network is closed, each from another source and under another name. */
static unsigned spend(struct bench *bench, unsigned *number)
{
    unsigned count = 0;
    struct lockout_answer answer;

    while ((answer = stranger(bench, *number, 0x0A000000 + *number)).error == LK_E_REFUSED) {
        (*number)++;
        count++;
    }
    assert_int_equal(answer.error, LK_E_LOCKED);
    assert_int_equal(answer.wait_s, 360);
    return count;
}

static void test_throttle_budget_closes_the_network(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    char cookie[LK_TOKEN_SIZE];
    struct lockout_try good = {"alice", LOCKOUT_RIGHT, NETWORK, 0, NULL, NULL};
    unsigned number = 0, spent, i;
    struct lk_stats stats;
    uint64_t print, puts;

    (void)state;
    lockout_device(bench, alice, cookie);
    spent = spend(bench, &number);
    assert_int_equal(spent, LK_CHARGE_BUDGET);
    assert_int_equal(audit_count(bench, 0, "login.close"), 1);
    print = bench_print(bench);
    puts = meter->puts;
    for (i = 0; i < 1000; i++) {
        assert_int_equal(stranger(bench, number + i, 0x0B000000 + i).error, LK_E_LOCKED);
        assert_int_equal(lockout_try(bench, &good).wait_s, 360);
    }
    assert_true(bench_print(bench) == print && meter->puts == puts);
    assert_int_equal(audit_count(bench, 0, "login.close"), 1);
    bench_read(bench);
    assert_int_equal(lk_stats(&bench->txn, &stats), 0);
    assert_int_equal(stats.throttled_count, 2001);
    print_message("[  figure  ] %u failures an hour, then %u refused with nothing written\n", spent,
                  (unsigned)stats.throttled_count);
    assert_int_equal(lockout_console(bench, "alice", LOCKOUT_RIGHT), 0);
    good.cookie = cookie;
    assert_int_equal(lockout_try(bench, &good).error, 0);
    good.cookie = NULL;
    /* A tenth of it comes back with the tenth of an hour, and closes again when that is spent. */
    lk_fake_advance(&bench->fake, HOUR / 10 - 1);
    assert_int_equal(lockout_try(bench, &good).wait_s, 1);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(lockout_try(bench, &good).error, 0);
    assert_in_range(spend(bench, &number), LK_CHARGE_BUDGET / 10 - 1, LK_CHARGE_BUDGET / 10 + 1);
    assert_int_equal(audit_count(bench, 0, "login.close"), 2);
    bench_verify(bench);
    bench_close(bench);
}

/* Good logins spend nothing of it. */
static void test_throttle_budget_is_of_failures(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    uint64_t failure = HOUR / LK_CHARGE_BUDGET;
    unsigned i;

    (void)state;
    (void)lockout_user(bench, "alice");
    lockout_policy(bench, bench->tenant, "login_rate=0");
    for (i = 0; i < 500; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), 0);
        assert_int_equal(lockout_console(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        assert_int_equal(lockout_console(bench, "alice", LOCKOUT_RIGHT), 0);
    }
    assert_true(bench->store.throttle.tat <= bench->fake.clock.wall_ms);
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    assert_true(bench->store.throttle.tat == bench->fake.clock.wall_ms + failure);
    bench_close(bench);
}

/* A restart does not refill it, but for what was spent since the meta record was last written. */
static void test_throttle_budget_outlives_a_restart(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    unsigned number = 0, before, i;

    (void)state;
    (void)spend(bench, &number);
    lk_fake_advance(&bench->fake, 60000);
    assert_int_equal(lockout_console(bench, "nobody", LOCKOUT_WRONG), LK_E_REFUSED);
    for (i = 0; i < 3; i++) {
        lk_fake_reboot(&bench->fake, LK_CLOCK_HELD);
        bench_reopen(bench);
        before = number;
        /* A minute's worth had come back; it is the same budget after each restart. */
        while (stranger(bench, number, 0x0A000000 + number).error == LK_E_REFUSED) {
            number++;
        }
        assert_in_range(number - before, i ? 0 : LK_CHARGE_BUDGET / 60 - 1,
                        LK_CHARGE_BUDGET / 60 + 1);
    }
    bench_close(bench);
}

/* ---- S16: the budget of a user's logins ---- */

static void test_s16_login_rate(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    struct lockout_try one = {"alice", LOCKOUT_RIGHT, NETWORK, 0, NULL, NULL};
    char cookie[LK_TOKEN_SIZE];
    unsigned second, good = 0, refused = 0;
    struct lockout_answer answer;
    uint64_t puts, bytes, day_bytes;

    (void)state;
    lockout_device(bench, alice, cookie);
    lockout_policy(bench, bench->tenant, "login_rate=360");
    puts = meter->puts;
    bytes = meter->bytes;
    for (second = 0; second < 86400; second++) {
        one.cookie = second % 2 ? cookie : NULL; /* the lanes share it, the device goes first */
        answer = lockout_try(bench, &one);
        assert_true(answer.error == 0 || answer.error == LK_E_LOCKED);
        assert_in_range(answer.wait_s, 0, second % 2 ? 10 : 3610);
        good += answer.error == 0;
        refused += answer.error != 0;
        lk_fake_advance(&bench->fake, 1000);
    }
    day_bytes = meter->bytes - bytes;
    print_message(
        "[  figure  ] a login every second for a day at 360 an hour: %u good, %u refused; "
        "%llu records put, %llu bytes\n",
        good, refused, (unsigned long long)(meter->puts - puts), (unsigned long long)day_bytes);
    assert_in_range(good, 26 * 360 - 2, 26 * 360 + 2);
    assert_int_equal(meter->hashes, good + 1); /* one made alice's verifier */
    /* The console is never closed, and spends nothing of it. */
    assert_int_equal(lockout_console(bench, "alice", LOCKOUT_RIGHT), 0);
    /* What the account does after a rest is an hour's worth, and as much from its device. */
    lk_fake_advance(&bench->fake, 2 * HOUR);
    for (one.cookie = NULL, good = 0; lockout_try(bench, &one).error == 0; good++) {
    }
    assert_int_equal(good, 360);
    for (one.cookie = cookie, good = 0; lockout_try(bench, &one).error == 0; good++) {
    }
    assert_int_equal(good, 360);
    bench_verify(bench);
    bench_close(bench);
}

/* A password that must be changed and is not spends of it, too. */
static void test_s16_login_rate_of_a_password_that_must_change(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(LOCKOUT_RIGHT),
                                       .channel = NETWORK};
    struct lk_login_result result;
    unsigned i;

    (void)state;
    lockout_policy(bench, bench->tenant, "login_rate=10");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
    lk_txn_release(&bench->txn);
    for (i = 0; i < 10; i++) {
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_MUST_CHANGE);
    }
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_LOCKED);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 0);
    bench_close(bench);
}

/* Who has the password and no code asks all day: what is spent by that is the network's. */
static void test_s16_questions_leave_the_known_device_its_own(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice"), id;
    struct lockout_try one = {"alice", LOCKOUT_RIGHT, NETWORK, 0, NULL, NULL};
    char cookie[LK_TOKEN_SIZE];
    struct lockout_try device = {"alice", LOCKOUT_RIGHT, NETWORK, 0, cookie, NULL};
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(LOCKOUT_RIGHT),
                                       .channel = NETWORK};
    struct lk_login_result result;
    struct lk_totp_offer offer;
    unsigned minute, asked = 0, good = 0;

    (void)state;
    lockout_device(bench, alice, cookie);
    lockout_policy(bench, bench->tenant, "login_rate=60");
    lockout_policy(bench, bench->tenant, "second_factor=required");
    bench_write(bench);
    assert_int_equal(lk_totp_add(&bench->txn, alice, LK_TEXT("phone"), NULL, &offer, &id), 0);
    bench_commit(bench);
    lk_txn_release(&bench->txn);
    while (lk_login(&bench->store, &request, &result, NULL) == LK_E_SECOND_FACTOR) {
        asked++;
    }
    assert_int_equal(asked, 60);
    lockout_policy(bench, bench->tenant, "second_factor=off");
    assert_int_equal(lockout_try(bench, &one).error, LK_E_LOCKED);
    /* The one who asks takes all that comes back; a device that logs in meanwhile does. */
    for (minute = 0; minute < 24 * 60; minute++) {
        (void)lockout_try(bench, &one);
        assert_int_equal(lockout_try(bench, &device).error, 0);
        lk_fake_advance(&bench->fake, 60000);
    }
    /* And it has a bound of its own, after which the network waits longer than it does. */
    while (lockout_try(bench, &device).error == 0) {
        good++;
    }
    assert_in_range(good, 1, 61);
    assert_int_equal(lockout_try(bench, &device).wait_s, 60);
    assert_int_equal(lockout_try(bench, &one).wait_s, 3660);
    lk_fake_advance(&bench->fake, HOUR);
    assert_int_equal(lockout_try(bench, &one).error, LK_E_LOCKED);
    lk_fake_advance(&bench->fake, 60000);
    assert_int_equal(lockout_try(bench, &one).error, 0);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- S7: who stands in ---- */

enum { NAMES = 400, USERS = 64 };

/* Which of the names that nobody has are hashed by the other program's hash. */
static unsigned hashed_foreign(struct bench *bench, const struct lockout_meter *meter,
                               bool foreign[NAMES])
{
    unsigned i, count = 0;

    for (i = 0; i < NAMES; i++) {
        uint64_t own = meter->hashes, others = meter->foreign;

        assert_int_equal(stranger(bench, i, 0).error, LK_E_REFUSED);
        foreign[i] = meter->foreign > others;
        assert_int_equal(meter->foreign - others + meter->hashes - own, 1);
        count += foreign[i];
    }
    lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
    return count;
}

static void test_s07_names_are_hashed_like_those_there(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    static bool first[NAMES], later[NAMES];
    struct lk_id ids[USERS];
    unsigned i, moved, count;
    char name[32];

    (void)state;
    assert_int_equal(hashed_foreign(bench, meter, first), 0);
    for (i = 0; i < USERS; i++) {
        (void)snprintf(name, sizeof(name), "user%u", i);
        ids[i] = bench_user(bench, name, i % 4 == 1 ? NULL : LOCKOUT_RIGHT);
        bench_write(bench);
        if (i % 2 == 0) {
            assert_int_equal(lk_password_import(&bench->txn, ids[i], LK_TEXT("$x$" LOCKOUT_RIGHT)),
                             0);
        }
        bench_commit(bench);
    }
    /* Half have a foreign hash, a quarter none, who count as whoever comes next (a foreign one). */
    count = hashed_foreign(bench, meter, first);
    print_message("[  figure  ] 2 in 3 of the verifiers are foreign; so seem %u of %u unknown "
                  "names\n",
                  count, NAMES);
    assert_in_range(count, NAMES / 2, NAMES * 9 / 10);
    /* A name stays what it is. */
    assert_int_equal(hashed_foreign(bench, meter, later), count);
    assert_memory_equal(first, later, sizeof(first));
    /* Those without a password are hashed as well, and the suspended. */
    for (i = 1; i < 9; i += 4) {
        uint64_t hashes = meter->hashes + meter->foreign;

        bench_write(bench);
        assert_int_equal(lk_user_set_status(&bench->txn, ids[i + 1], LK_USER_SUSPENDED), 0);
        bench_commit(bench);
        (void)snprintf(name, sizeof(name), "user%u", i);
        assert_int_equal(lockout_network(bench, name, LOCKOUT_RIGHT), LK_E_REFUSED);
        assert_int_equal(meter->hashes + meter->foreign, hashes + 1);
        (void)snprintf(name, sizeof(name), "user%u", i + 1);
        assert_int_equal(lockout_network(bench, name, LOCKOUT_RIGHT), LK_E_REFUSED);
        assert_int_equal(meter->hashes + meter->foreign, hashes + 2);
    }
    /* One more user moves few of the names; and a first login takes its hash out of the world. */
    (void)lockout_user(bench, "newcomer");
    (void)hashed_foreign(bench, meter, later);
    for (moved = i = 0; i < NAMES; i++) {
        moved += first[i] != later[i];
    }
    assert_in_range(moved, 0, NAMES / 20);
    for (i = 0; i < USERS; i += 2) {
        bench_write(bench);
        assert_int_equal(lk_user_set_status(&bench->txn, ids[i], LK_USER_ACTIVE), 0);
        bench_commit(bench);
        (void)snprintf(name, sizeof(name), "user%u", i);
        assert_int_equal(lockout_network(bench, name, LOCKOUT_RIGHT), 0);
    }
    assert_int_equal(hashed_foreign(bench, meter, later), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* A hash that this build cannot verify takes the time of one of its own. */
static void test_s07_a_hash_nobody_can_check_takes_time(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    uint64_t hashes;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_password_import(&bench->txn, alice, LK_TEXT("$x$" LOCKOUT_RIGHT)), 0);
    bench_commit(bench);
    bench->fake.crypto.foreign_verify = NULL;
    hashes = meter->hashes;
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_RIGHT), LK_E_REFUSED);
    assert_int_equal(meter->hashes, hashes + 1);
    bench_close(bench);
}

/* What is counted of one name tells nothing of another, be they one user's or nobody's. */
static void test_s07_two_names_of_one_user_tell_nothing(void **state)
{
    static const char *const pairs[2][2] = {{"alice", "alice@town.example"},
                                            {"nobody", "nobody@town.example"}};
    unsigned way, tallies, i, k;

    (void)state;
    for (tallies = 0; tallies < 2; tallies++) {
        for (way = 0; way < 2; way++) {
            int answers[2][7];

            for (k = 0; k < 2; k++) {
                struct lockout_meter *meter;
                struct bench *bench = lockout_open(&meter);
                struct lk_id alice = lockout_user(bench, "alice");

                bench_tallies(bench, tallies != 0);
                bench_write(bench);
                assert_int_equal(
                    bench_set(bench, &lk_kind_user, alice, "email=alice@town.example", NULL), 0);
                bench_commit(bench);
                for (i = 0; i < 5; i++) {
                    answers[k][i] = lockout_network(bench, pairs[k][way], LOCKOUT_WRONG);
                }
                answers[k][5] = lockout_network(bench, pairs[k][1 - way], LOCKOUT_WRONG);
                answers[k][6] = lockout_network(bench, pairs[k][way], LOCKOUT_WRONG);
                bench_verify(bench);
                bench_close(bench);
            }
            assert_memory_equal(answers[0], answers[1], sizeof(answers[0]));
            assert_int_equal(answers[0][5], LK_E_REFUSED);
            assert_int_equal(answers[0][6], LK_E_LOCKED);
        }
    }
}

/* Every reason to refuse, on each lane and with each cookie: the same bytes. lockout_try holds each
 * answer against what the error alone says. */
static void test_s07_no_enumeration(void **state)
{
    static const char *const names[] = {"alice",   "nobody", "suspended", "bare",
                                        "foreign", "#1",     ""};
    static const char *const cookies[] = {NULL, "", "lkd_x",
                                          "lkd_AAAAAQAAAAIAAAABAAECAwQFBgcICQoLDA0ODxAREhM"};
    static const char *const tenants[] = {NULL, "absent", ""};
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id id;
    unsigned n, c, t, channel, tries, compared = 0;

    (void)state;
    (void)lockout_user(bench, "alice");
    (void)bench_user(bench, "bare", NULL);
    id = lockout_user(bench, "suspended");
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, id, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    id = bench_user(bench, "foreign", NULL);
    bench_write(bench);
    assert_int_equal(lk_password_import(&bench->txn, id, LK_TEXT("$x$" LOCKOUT_RIGHT)), 0);
    bench_commit(bench);
    for (channel = LK_CHANNEL_CONSOLE; channel <= LK_CHANNEL_API; channel++) {
        for (tries = 0; tries < 12; tries++) {
            for (c = 0; c < LK_COUNT(cookies); c++) {
                for (t = 0; t < LK_COUNT(tenants); t++) {
                    struct lockout_answer first = {0, 0};

                    for (n = 0; n < LK_COUNT(names); n++) {
                        struct lockout_try one = {names[n], LOCKOUT_WRONG, (enum lk_channel)channel,
                                                  0,        cookies[c],    tenants[t]};
                        struct lockout_answer answer = lockout_try(bench, &one);

                        first = n ? first : answer;
                        assert_memory_equal(&answer, &first, sizeof(answer));
                        compared++;
                    }
                }
            }
            lk_fake_advance(&bench->fake, 700);
        }
    }
    print_message("[  figure  ] %u answers compared\n", compared);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_throttle_delays_a_source),
        cmocka_unit_test(test_throttle_keeps_the_worst_source),
        cmocka_unit_test(test_throttle_source_is_what_one_has),
        cmocka_unit_test(test_throttle_budget_closes_the_network),
        cmocka_unit_test(test_throttle_budget_is_of_failures),
        cmocka_unit_test(test_throttle_budget_outlives_a_restart),
        cmocka_unit_test(test_s16_login_rate),
        cmocka_unit_test(test_s16_login_rate_of_a_password_that_must_change),
        cmocka_unit_test(test_s16_questions_leave_the_known_device_its_own),
        cmocka_unit_test(test_s07_names_are_hashed_like_those_there),
        cmocka_unit_test(test_s07_a_hash_nobody_can_check_takes_time),
        cmocka_unit_test(test_s07_two_names_of_one_user_tell_nothing),
        cmocka_unit_test(test_s07_no_enumeration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
