// SPDX-License-Identifier: MIT
/*
 * Devices, ends of sessions and the clock, each with every storage call and every port call failed
 * in turn. Setting the clock back takes several commits: whatever fails in between, nothing that
 * ended revives, and the clock stands where it stood.
 */
#include "fault_town.h"

#include "lk_engine.h"

static char cookie[LK_TOKEN_SIZE];    /* of alice's device in the saved state */
static char ended_key[LK_TOKEN_SIZE]; /* that ended before */
static struct lk_id device;
static struct fault_facts facts_before;

/* What was done since the town was opened belongs to the saved state. */
static void save(struct fault_town *town)
{
    town->before = bench_print(town->bench);
    memcpy(town->saved_memory, town->bench->memory, town->bench->memory_size);
    town->saved_fake = town->bench->fake;
}

static struct fault_town *open_town(void)
{
    struct fault_town *town = fault_town_open();
    struct bench *bench = town->bench;
    struct lk_device_facts facts = {LK_TEXT("tablet"), LK_TEXT("browser"), LK_TEXT("mark")};
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(FAULT_PASSWORD),
                                       .channel = LK_CHANNEL_HTTP,
                                       .device_cookie = {(const uint8_t *)cookie, 47}};
    struct lk_login_result result;
    struct lk_id key;

    device = town->alice;
    bench_write(bench);
    assert_int_equal(lk_device_remember(&bench->txn, &facts, &device, cookie), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, town->alice, LK_TEXT("short"), LK_TEXT(""),
                                    lk_now(&bench->txn) + 1000, ended_key, &key),
                     0);
    bench_commit(bench);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    memcpy(town->token, result.token, sizeof(town->token));
    lk_fake_advance(&bench->fake, 120000);
    save(town);
    facts_before = fault_town_facts(town, town->alice);
    return town;
}

static int begin(struct fault_town *town)
{
    return lk_begin(&town->bench->store, &town->bench->txn, LK_WRITE, NULL);
}

static unsigned devices(struct fault_town *town)
{
    struct lk_list list = {.kind = &lk_kind_device, .scope = town->alice};
    struct lk_device record;
    unsigned count = 0;

    bench_read(town->bench);
    assert_int_equal(lk_list_begin(&town->bench->txn, &list), 0);
    while (!lk_list_next(&list, &record.record)) {
        count++;
    }
    lk_list_end(&list);
    lk_abort(&town->bench->txn);
    return count;
}

/* ---- Logins from devices ---- */

static int log_in(struct fault_town *town, bool remember, const char *with)
{
    struct lk_login_request request = {.tenant = town->bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(FAULT_PASSWORD),
                                       .channel = LK_CHANNEL_HTTP,
                                       .device_cookie = bench_text(with),
                                       .device_name = LK_TEXT("laptop"),
                                       .remember_device = remember};
    struct lk_login_result result;

    return lk_login(&town->bench->store, &request, &result, NULL);
}

static int run_remember(struct fault_town *town)
{
    return log_in(town, true, "");
}

static int run_known(struct fault_town *town)
{
    return log_in(town, false, cookie);
}

/* As with any login the charge may stand, on its lane; a device and a session come together or not
 * at all. */
static bool charge_is_whole(uint64_t failed, uint64_t before, int error)
{
    return error == 0 ? failed == 0 : failed >= before && failed <= before + 1;
}

static bool middle_remember(struct fault_town *town, int error)
{
    struct fault_facts facts = fault_town_facts(town, town->alice);

    return facts.logins == facts_before.logins + (error == 0) &&
           charge_is_whole(facts.failed, facts_before.failed, error) &&
           devices(town) == 1u + (error == 0);
}

/* A device that could not be read is none: then it was a login from the network. */
static bool middle_known(struct fault_town *town, int error)
{
    struct fault_facts facts = fault_town_facts(town, town->alice);

    return facts.logins == facts_before.logins + (error == 0) &&
           (facts.failed == facts_before.failed ||
            charge_is_whole(facts.failed, facts_before.failed, error)) &&
           charge_is_whole(facts.device_failed, facts_before.device_failed, error) &&
           devices(town) == 1;
}

static int run_over_limit(struct fault_town *town)
{
    return log_in(town, false, "");
}

static bool middle_over_limit(struct fault_town *town, int error)
{
    struct fault_facts facts = fault_town_facts(town, town->alice);

    return facts.logins == facts_before.logins && facts.sessions == facts_before.sessions &&
           (error == LK_E_LIMIT ? facts.failed == 0 && facts.refused == facts_before.refused + 1
                                : facts.refused == facts_before.refused);
}

static void test_fault_logins_from_devices(void **state)
{
    static const struct fault_case remember = {"login that remembers", run_remember, 0,
                                               middle_remember},
                                   known = {"login from a device", run_known, 0, middle_known};
    struct fault_town *town = open_town();

    (void)state;
    fault_town_try(town, &remember);
    fault_town_try(town, &known);
    fault_town_close(town);
}

static void test_fault_login_over_the_limit(void **state)
{
    static const struct fault_case over = {"login over the limit", run_over_limit, LK_E_LIMIT,
                                           middle_over_limit};
    struct fault_town *town = open_town();

    (void)state;
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_tenant,
                               (struct lk_id){town->bench->tenant, 0, 0}, "session_limit=refuse",
                               "session_max=1", NULL),
                     0);
    bench_commit(town->bench);
    assert_int_equal(log_in(town, false, ""), LK_E_LIMIT);
    save(town);
    facts_before = fault_town_facts(town, town->alice);
    fault_town_try(town, &over);
    fault_town_close(town);
}

/* ---- Ends ---- */

static int run_forget(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(
        town, error ? error : lk_remove(&town->bench->txn, &lk_kind_device, device, "forget"));
}

static int run_end_tenant(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town, error
                                    ? error
                                    : lk_session_end_tenant(&town->bench->txn, town->bench->tenant,
                                                            (struct lk_id){0, 0, 0}));
}

static void test_fault_ends_of_sessions(void **state)
{
    static const struct fault_case forget = {"device forgotten", run_forget, 0, NULL},
                                   tenant = {"sessions of a tenant", run_end_tenant, 0, NULL};
    struct fault_town *town = open_town();

    (void)state;
    fault_town_try(town, &forget);
    assert_int_equal(bench_check(town->bench, town->token, NULL), LK_E_REFUSED);
    fault_town_try(town, &tenant);
    assert_int_equal(bench_check(town->bench, town->token, NULL), LK_E_REFUSED);
    fault_town_close(town);
}

/* ---- The clock ---- */

static int set_clock(struct fault_town *town, uint64_t ms)
{
    struct bench *bench = town->bench;
    int error = lk_clock_set(&bench->store, NULL, ms, NULL);

    /* Looked at while things still fail: a failure leaves both clocks where they were. */
    if (error) {
        assert_true(bench->fake.clock.wall_ms == town->saved_fake.clock.wall_ms);
        assert_true(bench->store.high_water_ms == town->saved_fake.clock.wall_ms ||
                    bench->store.high_water_ms == bench->store.meta.high_water_ms);
        assert_int_equal(bench->store.time_epoch, 0);
    }
    return error;
}

static int run_back(struct fault_town *town)
{
    return set_clock(town, LK_FAKE_START_MS);
}

static int run_forward(struct fault_town *town)
{
    return set_clock(town, LK_FAKE_START_MS + 365 * (uint64_t)LK_MS_PER_DAY);
}

/* Both clocks or neither, the time as it was, and no key revived. */
static bool middle_clock(struct fault_town *town, int error)
{
    struct bench *bench = town->bench;
    struct lk_clock_state now;
    uint64_t before = town->saved_fake.clock.wall_ms;

    bench_read(bench);
    assert_int_equal(lk_clock_tell(&bench->txn, &now), 0);
    lk_abort(&bench->txn);
    return bench_check(bench, ended_key, NULL) == LK_E_REFUSED &&
           (error ? now.time_epoch == 0 && now.wall_ms == before && now.now_ms >= before &&
                        bench_check(bench, town->token, NULL) == 0
                  : now.wall_ms != before);
}

static void test_fault_clock(void **state)
{
    static const struct fault_case back = {"clock set back", run_back, 0, middle_clock},
                                   forward = {"clock set", run_forward, 0, middle_clock};
    struct fault_town *town = open_town();

    (void)state;
    fault_town_try(town, &back);
    assert_int_equal(bench_check(town->bench, town->token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(town->bench, ended_key, NULL), LK_E_REFUSED);
    fault_town_try(town, &forward);
    fault_town_close(town);
}

/* Behind what the store has seen, a reader looks whether another process set the clock back: with
 * anything failing, a check still answers what is true or an error. */
static void test_fault_checks_while_the_clock_is_behind(void **state)
{
    struct fault_town *town = open_town();
    struct bench *bench = town->bench;
    unsigned way, behind;
    uint64_t n, points = 0;

    (void)state;
    for (behind = 0; behind < 2; behind++) {
        for (way = 0; way < 4; way++) {
            bool hit = true;

            for (n = 1; hit; n += bench_step()) {
                struct lk_verdict verdict;
                int error;

                fault_town_reset(town);
                lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS - 1,
                                 behind ? LK_CLOCK_SYNCED : LK_CLOCK_UNSET);
                if (way < 2) {
                    lk_fault_at(&bench->fault, n, way == 1, LK_E_IO);
                } else if (way == 2) {
                    lk_fake_fail_at(&bench->fake, n);
                } else {
                    lk_fake_fail_from(&bench->fake, n);
                }
                error = lk_begin(&bench->store, &bench->txn, LK_READ, NULL);
                if (!error) {
                    error = lk_session_check(&bench->txn, bench->tenant, bench_text(town->token),
                                             NULL, &verdict);
                }
                lk_abort(&bench->txn);
                hit = lk_fault_hit(&bench->fault) || lk_fake_failed(&bench->fake);
                points += hit;
                assert_true(error == 0 || (hit && error < 0 && error != LK_E_REFUSED));
                assert_int_equal(bench->ram.reader_count, 0);
                lk_fault_at(&bench->fault, 0, false, 0);
                lk_fake_fail_at(&bench->fake, LK_FAKE_FAIL_NEVER);
                assert_int_equal(bench_check(bench, town->token, NULL), 0);
                assert_int_equal(bench_check(bench, ended_key, NULL), LK_E_REFUSED);
            }
        }
    }
    print_message("%llu checks with a failure\n", (unsigned long long)points);
    fault_town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_logins_from_devices),
        cmocka_unit_test(test_fault_login_over_the_limit),
        cmocka_unit_test(test_fault_ends_of_sessions),
        cmocka_unit_test(test_fault_clock),
        cmocka_unit_test(test_fault_checks_while_the_clock_is_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
