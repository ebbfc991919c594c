// SPDX-License-Identifier: MIT
/*
 * S11: what is unusual about a login is told by tags of its audit entry, which can be asked for and
 * counted: a new device, a new range of addresses, two places at once, many refusals before.
 */
#include "lockout.h"

#define PASSWORD LOCKOUT_RIGHT

/* The tags of the newest login. */
static const char *newest_tags(struct bench *bench)
{
    static char text[64];
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("login")};
    struct lk_audit_entry entry;

    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.outcome, LK_SUCCESS);
    assert_true(entry.tags.size < sizeof(text));
    memset(text, 0, sizeof(text));
    if (entry.tags.size) {
        memcpy(text, entry.tags.data, entry.tags.size);
    }
    lk_abort(&bench->txn);
    return text;
}

static const char *tags_of_login(struct bench *bench, const char *cookie, const char *address,
                                 bool remember, struct lk_login_result *result)
{
    uint8_t ip[16];
    size_t size = 0;
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(PASSWORD),
                                       .channel = LK_CHANNEL_HTTP,
                                       .device_cookie = bench_text(cookie),
                                       .device_name = LK_TEXT("laptop"),
                                       .remember_device = remember};

    if (address[0]) {
        assert_int_equal(lk_address_parse(bench_text(address), ip, &size), 0);
        request.ip = (struct lk_span){ip, size};
    }
    lk_abort(&bench->txn);
    assert_int_equal(lk_login(&bench->store, &request, result, NULL), 0);
    return newest_tags(bench);
}

/* The same, while no other session is in use. */
static const char *tags_alone(struct bench *bench, const char *cookie, const char *address,
                              bool remember, struct lk_login_result *result)
{
    lk_fake_advance(&bench->fake, LK_TWO_PLACES_MS);
    return tags_of_login(bench, cookie, address, remember, result);
}

static void test_s11_new_devices_and_addresses_are_flagged(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    struct lk_session session;
    char cookie[LK_TOKEN_SIZE];
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    /* Of somebody of whom nothing is known, nothing is new. */
    assert_string_equal(tags_alone(bench, "", "", false, &result), "");
    assert_string_equal(tags_alone(bench, "", "192.0.2.7", false, &result), "");
    assert_string_equal(tags_alone(bench, "", "192.0.2.200", false, &result), "");
    assert_string_equal(tags_alone(bench, "", "192.0.3.7", false, &result), "new-address");
    assert_string_equal(tags_alone(bench, "", "192.0.2.7", false, &result), "");
    assert_string_equal(tags_alone(bench, "", "::ffff:192.0.2.9", false, &result), "");
    assert_string_equal(tags_alone(bench, "", "2001:db8:1::7", false, &result), "new-address");
    assert_string_equal(tags_alone(bench, "", "2001:db8:1:ffff::8", false, &result), "");
    assert_string_equal(tags_alone(bench, "", "2001:db8:2::7", true, &result),
                        "new-device new-address");
    memcpy(cookie, result.device_cookie, sizeof(cookie));
    assert_memory_equal(cookie, "lkd_", 4);
    assert_string_equal(tags_alone(bench, cookie, "2001:db8:2::7", false, &result), "");
    assert_int_equal(result.device_cookie[0], 0);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_session, result.session, &session.record), 0);
    assert_int_equal(session.device, 1);
    assert_string_equal(tags_alone(bench, "", "2001:db8:2::7", false, &result), "new-device");
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_session, result.session, &session.record), 0);
    assert_int_equal(session.device, 0);
    assert_string_equal(tags_alone(bench, "lkd_nonsense", "2001:db8:2::7", false, &result),
                        "new-device");
    /* Remembered again it keeps its number, and the cookie of before is worth nothing. */
    assert_string_equal(tags_alone(bench, cookie, "2001:db8:2::7", true, &result), "");
    assert_string_equal(tags_alone(bench, cookie, "2001:db8:2::7", false, &result), "new-device");
    /* Eight ranges are remembered. */
    for (i = 0; i < 9; i++) {
        char address[32];

        (void)snprintf(address, sizeof(address), "198.51.%u.1", i);
        assert_string_equal(tags_alone(bench, "", address, false, &result),
                            "new-device new-address");
    }
    assert_string_equal(tags_alone(bench, "", "198.51.1.1", false, &result), "new-device");
    assert_string_equal(tags_alone(bench, "", "198.51.0.1", false, &result),
                        "new-device new-address");
    bench_verify(bench);
    bench_close(bench);
}

static void touch(struct bench *bench, const struct lk_login_result *session)
{
    struct lk_verdict verdict;

    bench_write(bench);
    assert_int_equal(lk_session_check(&bench->txn, 0, bench_text(session->token), NULL, &verdict),
                     0);
    assert_int_equal(lk_session_touch(&bench->txn, &verdict), 0);
    bench_commit(bench);
}

static void test_s11_two_places_at_once_are_flagged(void **state)
{
    static const struct {
        const char *first, *second;
        bool two;
    } cases[] = {
        {"192.0.2.1", "192.0.3.1", true},
        {"192.0.2.1", "192.0.2.200", false},
        {"192.0.2.1", "::ffff:192.0.2.200", false},
        {"192.0.2.1", "2001:db8:1::1", true},
        {"2001:db8:1::1", "2001:db8:2::1", true},
        {"2001:db8:1::1", "2001:db8:1:ffff::1", false},
        /* Without an address nobody can tell. */
        {"", "192.0.2.1", false},
        {"192.0.2.1", "", false},
    };
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_login_result first, second;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        bool told;

        bench_write(bench);
        assert_true(lk_session_end_all(&bench->txn, alice, 0) >= 0);
        bench_commit(bench);
        (void)tags_of_login(bench, "", cases[i].first, false, &first);
        told = strstr(tags_of_login(bench, "", cases[i].second, false, &second), "two-places");
        if (told != cases[i].two) {
            fail_msg("%s, then %s: %s", cases[i].first, cases[i].second, newest_tags(bench));
        }
    }
    /* To the millisecond of a quarter of an hour after the last use, and no longer. */
    assert_string_equal(tags_alone(bench, "", "192.0.2.1", false, &first), "");
    lk_fake_advance(&bench->fake, LK_TWO_PLACES_MS - 1);
    assert_string_equal(tags_of_login(bench, "", "192.0.3.1", false, &second), "two-places");
    assert_string_equal(tags_alone(bench, "", "192.0.2.1", false, &first), "");
    lk_fake_advance(&bench->fake, 600000);
    touch(bench, &first);
    lk_fake_advance(&bench->fake, LK_TWO_PLACES_MS - 1);
    assert_string_equal(tags_of_login(bench, "", "192.0.3.1", false, &second), "two-places");
    /* A session that was ended is in no place. */
    bench_write(bench);
    assert_true(lk_session_end_all(&bench->txn, alice, 0) > 0);
    bench_commit(bench);
    assert_string_equal(tags_of_login(bench, "", "192.0.2.1", false, &first), "");
    /* The one that gives way to it is. */
    lockout_policy(bench, bench->tenant, "session_max=1");
    assert_string_equal(tags_of_login(bench, "", "192.0.3.1", false, &second), "two-places");
    bench_verify(bench);
    bench_close(bench);
}

static const char *tags_after_failures(struct bench *bench, unsigned network, unsigned console,
                                       enum lk_channel channel)
{
    struct lockout_try right = {"alice", LOCKOUT_RIGHT, channel, 0, NULL, NULL};
    unsigned i;

    for (i = 0; i < network; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
        lk_fake_advance(&bench->fake, i < 4 ? 0 : 900000);
    }
    for (i = 0; i < console; i++) {
        assert_int_equal(lockout_console(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    lk_fake_advance(&bench->fake, 1000000); /* whatever delay runs is over */
    assert_int_equal(lockout_try(bench, &right).error, 0);
    return newest_tags(bench);
}

static void test_s11_many_refusals_are_flagged(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    unsigned tallies, i;

    (void)state;
    (void)lockout_user(bench, "alice");
    for (tallies = 0; tallies < 2; tallies++) {
        bench_tallies(bench, tallies != 0);
        /* As many as start a delay, of whichever lanes. */
        assert_string_equal(tags_after_failures(bench, 4, 0, LK_CHANNEL_HTTP), "");
        assert_string_equal(tags_after_failures(bench, 5, 0, LK_CHANNEL_HTTP), "many-refusals");
        assert_string_equal(tags_after_failures(bench, 0, 4, LK_CHANNEL_HTTP), "");
        assert_string_equal(tags_after_failures(bench, 0, 1, LK_CHANNEL_CONSOLE), "many-refusals");
        assert_string_equal(tags_after_failures(bench, 6, 0, LK_CHANNEL_CONSOLE), "many-refusals");
        /* Told once: what was before the last good login was told with that. */
        assert_string_equal(tags_after_failures(bench, 0, 0, LK_CHANNEL_CONSOLE), "");
        assert_string_equal(tags_after_failures(bench, 0, 0, LK_CHANNEL_HTTP), "");
    }
    /* The tenant's number; five where it has no delays. Those of a day ago are forgotten. */
    bench_tallies(bench, false); /* which have no time */
    lockout_policy(bench, bench->tenant, "lockout_failures=2");
    assert_string_equal(tags_after_failures(bench, 2, 0, LK_CHANNEL_HTTP), "many-refusals");
    lockout_policy(bench, bench->tenant, "lockout_failures=0");
    assert_string_equal(tags_after_failures(bench, 4, 0, LK_CHANNEL_HTTP), "");
    for (i = 0; i < 8; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_string_equal(tags_after_failures(bench, 0, 0, LK_CHANNEL_HTTP), "");
    assert_string_equal(tags_after_failures(bench, 8, 0, LK_CHANNEL_HTTP), "many-refusals");
    bench_verify(bench);
    bench_close(bench);
}

static unsigned tagged(struct bench *bench, const char *tag, bool closed)
{
    struct lk_audit_query query = {.tenant = bench->tenant, .closed = closed, .open = true};
    struct lk_audit_entry entry;
    unsigned count = 0;

    query.tagged = bench_text(tag);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count++;
    }
    lk_abort(&bench->txn);
    return count;
}

static void test_s11_what_is_unusual_is_countable(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    struct lk_audit_entry entry;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    (void)tags_of_login(bench, "", "192.0.2.1", true, &result);
    for (i = 0; i < 7; i++) {
        char address[32];

        (void)snprintf(address, sizeof(address), "198.51.%u.1", i);
        (void)tags_of_login(bench, "", address, false, &result);
    }
    (void)tags_alone(bench, "", "198.51.0.1", false, &result);
    assert_int_equal(tagged(bench, "two-places", false), 7);
    assert_int_equal(tagged(bench, "new-address", true), 7);
    assert_int_equal(tagged(bench, "new-device", false), 8 + 1);
    assert_int_equal(tagged(bench, "new", false), 0);
    assert_int_equal(tagged(bench, "new-device new-address", false), 0);
    /* An application's own are sealed, and found where they may be read. */
    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = bench->tenant;
    lk_set_span(&lk_kind_audit, &entry.record, "action", LK_TEXT("door.open"));
    lk_set_span(&lk_kind_audit, &entry.record, "resource_type", LK_TEXT("door"));
    lk_set_span(&lk_kind_audit, &entry.record, "description", LK_TEXT("opened"));
    lk_set_span(&lk_kind_audit, &entry.record, "tags", LK_TEXT("night first"));
    bench_write(bench);
    assert_int_equal(lk_audit_write(&bench->txn, LK_RING_ACTIVITY, &entry), 0);
    bench_commit(bench);
    assert_int_equal(tagged(bench, "first", false), 1);
    assert_int_equal(tagged(bench, "first", true), 0);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s11_new_devices_and_addresses_are_flagged),
        cmocka_unit_test(test_s11_two_places_at_once_are_flagged),
        cmocka_unit_test(test_s11_many_refusals_are_flagged),
        cmocka_unit_test(test_s11_what_is_unusual_is_countable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
