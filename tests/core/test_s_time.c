// SPDX-License-Identifier: MIT
/*
 * S10: clocks that were never set, stop at power-off, jump a year either way, and are set right
 * again. Nothing that ended revives, and nobody is locked out for good.
 */
#include "time_help.h"

#define PASSWORD "alice's secret"
#define YEAR     (365 * (uint64_t)LK_MS_PER_DAY)
#define HOUR     ((uint64_t)3600 * 1000)

static int login_by(struct bench *bench, enum lk_channel channel, const char *name,
                    const char *password, struct lk_login_result *result)
{
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = bench_text(name),
                                       .password = bench_text(password),
                                       .channel = channel};

    lk_abort(&bench->txn);
    return lk_login(&bench->store, &request, result, NULL);
}

static int set_clock(struct bench *bench, uint64_t ms)
{
    struct lk_problem problem;

    lk_abort(&bench->txn);
    return lk_clock_set(&bench->store, NULL, ms, &problem);
}

static int may(struct bench *bench, struct lk_id user, const char *action)
{
    int error;

    bench_read(bench);
    error = lk_permission_check(
        &bench->txn, user,
        &(const struct lk_question){.resource = LK_TEXT("user"), .action = bench_text(action)},
        NULL);
    lk_abort(&bench->txn);
    return error;
}

/* ---- One boot ---- */

static void test_s10_idle_time_is_monotonic(void **state)
{
    static const int64_t jumps[] = {(int64_t)YEAR, -(int64_t)YEAR, 3600000, -3600000, 0};
    struct bench *bench = bench_open();
    struct lk_login_result result;
    size_t i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    time_policy(bench, "session_idle=300");
    for (i = 0; i < LK_COUNT(jumps); i++) {
        uint64_t wall = bench->fake.clock.wall_ms;

        assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
        lk_fake_wall_set(&bench->fake, wall + (uint64_t)jumps[i], LK_CLOCK_SET);
        lk_fake_advance(&bench->fake, 300000 - 1);
        time_seen(bench);
        assert_int_equal(bench_check(bench, result.token, NULL), 0);
        assert_int_equal(time_touch(bench, result.token), 0);
        lk_fake_wall_set(&bench->fake, wall, LK_CLOCK_SYNCED);
        lk_fake_advance(&bench->fake, 300000 - 1);
        bench_reopen(bench); /* the machine stayed on */
        assert_int_equal(bench_check(bench, result.token, NULL), 0);
        lk_fake_advance(&bench->fake, 1);
        assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
        lk_fake_wall_set(&bench->fake, wall - 600000, LK_CLOCK_SYNCED);
        assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
        assert_int_equal(set_clock(bench, 0), 0);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* The whole life too; and what a verdict tells follows. */
static void test_s10_lifetime_is_monotonic(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    struct lk_verdict verdict;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    for (i = 0; i < 35; i++) {
        lk_fake_advance(&bench->fake, 100000);
        lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + i * YEAR / 35, LK_CLOCK_SET);
        assert_int_equal(time_touch(bench, result.token), 0);
    }
    bench_read(bench);
    assert_int_equal(lk_session_check(&bench->txn, 0, bench_text(result.token), NULL, &verdict), 0);
    assert_true(verdict.age_ms == 3500000);
    assert_true(verdict.expires_at == lk_now(&bench->txn) + 100000);
    lk_fake_advance(&bench->fake, 99999);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* Time as it was read, and as it was written, never goes back; whatever the clock does. */
static void test_s10_time_never_goes_back(void **state)
{
    struct bench *bench = bench_open();
    uint64_t last = 0, stored = 0, seed = 12345, steps = 0, reopened = 0;
    enum lk_clock_quality quality;

    (void)state;
    for (; steps < 20000; steps++) {
        uint64_t ms;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        switch (seed >> 61) {
        case 0:
            lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + (seed >> 20) % YEAR,
                             (enum lk_clock_quality)((seed >> 50) % 4));
            break;
        case 1:
            lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms - (seed >> 20) % 59000,
                             LK_CLOCK_SYNCED);
            break;
        case 2: time_seen(bench); break;
        case 3:
            if (seed % 5 == 0) {
                lk_fake_reboot(&bench->fake, (enum lk_clock_quality)((seed >> 50) % 4));
            }
            bench_reopen(bench);
            reopened++;
            last = stored; /* what nobody wrote may be seen again */
            break;
        default: lk_fake_advance(&bench->fake, (seed >> 20) % 100000); break;
        }
        ms = time_now(bench, &quality);
        assert_true(ms >= last && ms < LK_CLOCK_END_MS);
        last = ms;
        stored = bench->store.meta.high_water_ms;
    }
    print_message("[  figure  ] %llu steps of a clock that jumps, %llu openings: 0 back\n",
                  (unsigned long long)steps, (unsigned long long)reopened);
    bench_close(bench);
}

/* A step back of less than a minute: nothing is refused for it. */
static void test_s10_small_steps_are_waited_out(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    enum lk_clock_quality quality;
    uint64_t before, after;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, alice, bench_named(bench, &lk_kind_role, "viewer"),
                                   lk_now(&bench->txn) + HOUR),
                     0);
    bench_commit(bench);
    before = time_now(bench, &quality);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS - 59000, LK_CLOCK_SYNCED);
    after = time_now(bench, &quality);
    assert_true(after == before);
    assert_int_equal(quality, LK_CLOCK_SYNCED);
    assert_int_equal(may(bench, alice, "read"), 0);
    lk_fake_advance(&bench->fake, 60000);
    after = time_now(bench, &quality);
    assert_true(after == bench->fake.clock.wall_ms);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms - 61000, LK_CLOCK_SYNCED);
    (void)time_now(bench, &quality);
    assert_int_equal(quality, LK_CLOCK_HELD);
    assert_int_equal(may(bench, alice, "read"), LK_E_REFUSED);
    bench_close(bench);
}

/* ---- No clock at all ---- */

/* From the first boot on: claim, login, session, reboot, login; then the network sets the clock. */
static void test_s10_device_that_never_had_a_clock(void **state)
{
    struct bench *bench = bench_bare(4u << 20);
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result made;
    struct lk_login_result result;
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    enum lk_clock_quality quality;
    struct lk_id key, admin;
    char token[LK_TOKEN_SIZE];
    unsigned i;

    (void)state;
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    admin = made.admin;
    bench->tenant = admin.tenant;
    for (i = 0; i < 4; i++) { /* days pass, with the power on and off */
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
        time_seen(bench);
        lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
        bench_reopen(bench);
    }
    assert_int_equal(bench_login_new(bench, "admin", made.claim, "a new secret", &result, NULL), 0);
    assert_int_equal(bench_check(bench, result.token, "user:write"), 0);
    (void)time_now(bench, &quality);
    assert_int_equal(quality, LK_CLOCK_UNSET);
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", "a new secret", &result), 0);
    /* Something that ends is refused while nobody knows the time. */
    bench_write(bench);
    assert_int_equal(lk_api_key_add(&bench->txn, admin, LK_TEXT("k"), LK_TEXT(""),
                                    LK_FAKE_START_MS + YEAR, token, &key),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, result.token, "user:write"), 0);
    /* The session outlives the setting of the clock, and ends in its own time. */
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SYNCED);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    assert_int_equal(bench_check(bench, token, NULL), 0);
    (void)time_now(bench, &quality);
    assert_int_equal(quality, LK_CLOCK_SYNCED);
    lk_fake_advance(&bench->fake, HOUR - 1);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", "a new secret", &result), 0);
    /* The audit tells how good the clock was. */
    memset(&query, 0, sizeof(query));
    query.tenant = bench->tenant;
    query.action = LK_TEXT("login");
    query.oldest_first = true;
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    for (i = 0; i < 3; i++) {
        static const enum lk_clock_quality want[] = {LK_CLOCK_UNSET, LK_CLOCK_UNSET,
                                                     LK_CLOCK_SYNCED};

        assert_int_equal(lk_audit_next(&query, &entry), 0);
        assert_int_equal(entry.clock, want[i]);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* A claim code ends after seven days of power, whatever the wall clock does meanwhile. */
static void test_s10_claim_ends_by_powered_time(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    char first[LK_CLAIM_SIZE], second[LK_CLAIM_SIZE];
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    bool more;
    unsigned i;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_claim_add(&bench->txn, alice, first), 0);
    assert_int_equal(lk_claim_add(&bench->txn, bob, second), 0);
    bench_commit(bench);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + YEAR, LK_CLOCK_SYNCED);
    for (i = 0; i < 7; i++) {
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY - 1000);
        time_seen(bench);
        lk_fake_reboot(&bench->fake, i % 2 ? LK_CLOCK_UNSET : LK_CLOCK_SYNCED);
        lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms + i * LK_MS_PER_DAY,
                         bench->fake.clock.quality);
        bench_reopen(bench);
    }
    assert_int_equal(bench_login_new(bench, "alice", first, "alice's new one", &result, NULL), 0);
    lk_fake_advance(&bench->fake, 7000 - 1);
    bench_reopen(bench);
    bench_write(bench);
    assert_int_equal(lk_maintain(&bench->txn, 10000, &more), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_login_new(bench, "bob", second, "bob's new secret", &result, NULL),
                     LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_maintain(&bench->txn, 10000, &more), 1);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* At the console a password serves without a clock, until it has surely ended. */
static void test_s10_console_password_without_a_clock(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_credential password;
    struct lk_login_result result;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &password), 0);
    assert_int_equal(
        bench_set(bench, &lk_kind_credential, password.record.id, "expires_at=30d", NULL), 0);
    bench_commit(bench);
    assert_int_equal(login_by(bench, LK_CHANNEL_HTTP, "alice", PASSWORD, &result), 0);
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    bench_reopen(bench);
    assert_int_equal(login_by(bench, LK_CHANNEL_HTTP, "alice", PASSWORD, &result), LK_E_REFUSED);
    assert_int_equal(login_by(bench, LK_CHANNEL_CONSOLE, "alice", PASSWORD, &result), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 31 * (uint64_t)LK_MS_PER_DAY, LK_CLOCK_SET);
    assert_int_equal(login_by(bench, LK_CHANNEL_CONSOLE, "alice", PASSWORD, &result), LK_E_REFUSED);
    time_seen(bench);
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    bench_reopen(bench);
    assert_int_equal(login_by(bench, LK_CHANNEL_CONSOLE, "alice", PASSWORD, &result), LK_E_REFUSED);
    bench_close(bench);
}

/* Grants and keys that end, under each quality: what the clock does not tell is refused, and stays.
 */
static void test_s10_what_ends_fails_closed(void **state)
{
    static const struct {
        enum lk_clock_quality quality;
        int want;
    } rungs[] = {{LK_CLOCK_SYNCED, 0},
                 {LK_CLOCK_UNSET, LK_E_REFUSED},
                 {LK_CLOCK_HELD, LK_E_REFUSED},
                 {LK_CLOCK_SET, 0}};
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD), bob = bench_user(bench, "bob", NULL);
    struct lk_id key;
    char ends[LK_TOKEN_SIZE], stays[LK_TOKEN_SIZE];
    bool more;
    size_t i;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, alice, bench_named(bench, &lk_kind_role, "viewer"),
                                   lk_now(&bench->txn) + YEAR),
                     0);
    assert_int_equal(
        lk_role_grant(&bench->txn, bob, bench_named(bench, &lk_kind_role, "viewer"), 0), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("ends"), LK_TEXT(""),
                                    lk_now(&bench->txn) + YEAR, ends, &key),
                     0);
    assert_int_equal(
        lk_api_key_add(&bench->txn, bob, LK_TEXT("stays"), LK_TEXT(""), 0, stays, &key), 0);
    bench_commit(bench);
    for (i = 0; i < LK_COUNT(rungs); i++) {
        lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, rungs[i].quality);
        assert_int_equal(may(bench, alice, "read"), rungs[i].want);
        assert_int_equal(bench_check(bench, ends, NULL), rungs[i].want);
        assert_int_equal(may(bench, bob, "read"), 0);
        assert_int_equal(bench_check(bench, stays, "user:read"), 0);
        bench_write(bench);
        assert_int_equal(lk_maintain(&bench->txn, 10000, &more), 0);
        bench_commit(bench);
    }
    bench_close(bench);
}

static void test_s10_retention_waits_for_the_clock(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_user user;
    unsigned quality;
    bool more;

    (void)state;
    time_policy(bench, "purge_after_days=1");
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, alice, NULL), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 3 * (uint64_t)LK_MS_PER_DAY);
    for (quality = LK_CLOCK_UNSET; quality <= LK_CLOCK_SYNCED; quality++) {
        lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, (enum lk_clock_quality)quality);
        bench_write(bench);
        assert_true(lk_maintain(&bench->txn, 10000, &more) >= 0);
        bench_commit(bench);
        bench_read(bench);
        assert_int_equal(lk_get_deleted(&bench->txn, &lk_kind_user, alice, &user.record),
                         quality == LK_CLOCK_SYNCED ? LK_E_NOT_FOUND : 0);
        lk_abort(&bench->txn);
    }
    bench_close(bench);
}

/* A meta record whose bytes are whole but make no sense: the time that is known goes on. */
static void test_s10_nonsense_in_the_meta_record(void **state)
{
    static const uint8_t nonsense[][6] = {{0x80}, {0xA1, 0x61, 'k', 0x01}, {0xA1, 0x01, 0x61, 'k'}};
    struct bench *bench = bench_open();
    struct lk_login_result result;
    struct lk_key key = {.size = 0};
    size_t i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    lk_key_put_bytes(&key, LK_TEXT("\x00\x00\x00\x02"));
    for (i = 0; i < LK_COUNT(nonsense); i++) {
        uint8_t buffer[6 + LK_CHECKSUM_SIZE];
        struct lk_meta meta;

        memcpy(buffer, nonsense[i], 6);
        bench_write(bench);
        assert_int_equal(lk_value_put(&bench->txn, &key, buffer, i ? 4 : 1), 0);
        bench_commit(bench);
        bench_read(bench);
        assert_int_equal(lk_meta_get(&bench->txn, &meta), LK_E_CORRUPT);
        lk_abort(&bench->txn);
        assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
        assert_int_equal(bench_check(bench, result.token, NULL), 0);
    }
    /* A minute later it is stored anew. */
    lk_fake_advance(&bench->fake, 60000);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s10_idle_time_is_monotonic),
        cmocka_unit_test(test_s10_lifetime_is_monotonic),
        cmocka_unit_test(test_s10_time_never_goes_back),
        cmocka_unit_test(test_s10_small_steps_are_waited_out),
        cmocka_unit_test(test_s10_device_that_never_had_a_clock),
        cmocka_unit_test(test_s10_claim_ends_by_powered_time),
        cmocka_unit_test(test_s10_console_password_without_a_clock),
        cmocka_unit_test(test_s10_what_ends_fails_closed),
        cmocka_unit_test(test_s10_retention_waits_for_the_clock),
        cmocka_unit_test(test_s10_nonsense_in_the_meta_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
