// SPDX-License-Identifier: MIT
/* Devices that a user logs in from, and the cookies that they are known again by. */
#include "bench.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"

static struct lk_id device_add(struct bench *bench, struct lk_id user, const char *name,
                               const char *fingerprint, char cookie[LK_TOKEN_SIZE])
{
    struct lk_device_facts facts = {bench_text(name), LK_TEXT("browser"), bench_text(fingerprint)};
    struct lk_id id = user;
    int error;

    bench_write(bench);
    error = lk_device_of_fingerprint(&bench->txn, user, facts.fingerprint, &id);
    assert_true(error == 0 || error == LK_E_NOT_FOUND);
    assert_int_equal(lk_device_remember(&bench->txn, &facts, &id, cookie), 0);
    bench_commit(bench);
    return id;
}

static int device_known(struct bench *bench, struct lk_id user, const char *cookie)
{
    struct lk_id id = {0, 0, 0};
    int error;

    bench_read(bench);
    error = lk_device_of_cookie(&bench->txn, user, bench_text(cookie), &id);
    lk_abort(&bench->txn);
    return error ? error : (int)id.sub;
}

static unsigned device_count(struct bench *bench, struct lk_id user)
{
    struct lk_list list = {.kind = &lk_kind_device, .scope = user};
    struct lk_device device;
    unsigned count = 0;

    bench_read(bench);
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &device.record)) {
        count++;
    }
    lk_list_end(&list);
    lk_abort(&bench->txn);
    return count;
}

/* Each bit of a cookie counts, and it serves one user only. */
static void test_device_cookie_is_known_again(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD), bob = bench_user(bench, "bob", NULL);
    struct lk_id device;
    char cookie[LK_TOKEN_SIZE], other[LK_TOKEN_SIZE];
    struct lk_login_result result;
    size_t i;

    (void)state;
    device = device_add(bench, alice, "tablet", "", cookie);
    assert_memory_equal(cookie, "lkd_", 4);
    assert_int_equal(device_known(bench, alice, cookie), (int)device.sub);
    assert_int_equal(device_known(bench, bob, cookie), LK_E_NOT_FOUND);
    assert_int_equal(device_known(bench, (struct lk_id){bench->tenant + 1, alice.user, 0}, cookie),
                     LK_E_NOT_FOUND);
    for (i = 0; i + 1 < LK_TOKEN_SIZE; i++) {
        memcpy(other, cookie, sizeof(other));
        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_int_equal(device_known(bench, alice, other), LK_E_NOT_FOUND);
    }
    assert_int_equal(device_known(bench, alice, ""), LK_E_NOT_FOUND);
    /* Tokens of one sort do not serve as another. */
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(device_known(bench, alice, result.token), LK_E_NOT_FOUND);
    assert_int_equal(bench_check(bench, cookie, NULL), LK_E_REFUSED);
    cookie[2] = 's';
    assert_int_equal(bench_check(bench, cookie, NULL), LK_E_REFUSED);
    bench_verify(bench);
    bench_close(bench);
}

/* The application's own mark finds the record again; the cookie before is worth nothing then. */
static void test_device_fingerprint_is_unique_for_a_user(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    char first[LK_TOKEN_SIZE], second[LK_TOKEN_SIZE], long_one[LK_FINGERPRINT_MAX + 2];
    struct lk_device_facts facts = {LK_TEXT("x"), LK_TEXT(""), LK_TEXT("")};
    struct lk_device device;
    struct lk_id id, again;

    (void)state;
    id = device_add(bench, alice, "tablet", "abc", first);
    (void)device_add(bench, bob, "his own", "abc", second);
    (void)device_add(bench, alice, "other", "abcd", second);
    again = device_add(bench, alice, "new name", "abc", second);
    assert_int_equal(again.sub, id.sub);
    assert_int_equal(device_count(bench, alice), 2);
    assert_int_equal(device_count(bench, bob), 1);
    assert_int_equal(device_known(bench, alice, first), LK_E_NOT_FOUND);
    assert_int_equal(device_known(bench, alice, second), (int)id.sub);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_device, id, &device.record), 0);
    assert_true(lk_span_equal(device.name, LK_TEXT("new name")));
    memset(long_one, 'x', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    facts.fingerprint = bench_text(long_one);
    bench_write(bench);
    assert_int_equal(lk_device_remember(&bench->txn, &facts, &alice, first), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->field, "fingerprint");
    bench_verify(bench);
    bench_close(bench);
}

/* No more than so many: of those that nobody vouched for, the one seen longest ago gives way. */
static void test_device_count_is_bounded(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), first, second, last;
    char trusted[LK_TOKEN_SIZE], cookie[LK_TOKEN_SIZE], kept[LK_TOKEN_SIZE];
    unsigned i;

    (void)state;
    first = device_add(bench, alice, "first", "", trusted);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_device, first, "trusted=true", NULL), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 1000);
    second = device_add(bench, alice, "second", "", cookie);
    lk_fake_advance(&bench->fake, 1000);
    (void)device_add(bench, alice, "third", "", kept);
    for (i = 3; i < LK_DEVICE_MAX; i++) {
        lk_fake_advance(&bench->fake, 1000);
        (void)device_add(bench, alice, "more", "", cookie);
    }
    assert_int_equal(device_count(bench, alice), LK_DEVICE_MAX);
    lk_fake_advance(&bench->fake, 1000);
    last = device_add(bench, alice, "one more", "", cookie);
    assert_int_equal(device_count(bench, alice), LK_DEVICE_MAX);
    assert_int_equal(device_known(bench, alice, trusted), (int)first.sub);
    assert_true(device_known(bench, alice, kept) > 0);
    assert_int_equal(device_known(bench, alice, cookie), (int)last.sub);
    /* By hand, nothing gives way. */
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_device, &alice, "name=by hand", NULL), LK_E_LIMIT);
    lk_abort(&bench->txn);
    bench_read(bench);
    {
        struct lk_device device;

        assert_int_equal(lk_get(&bench->txn, &lk_kind_device, second, &device.record),
                         LK_E_NOT_FOUND);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* One that is damaged serves nobody, and gives way before any other. */
static void test_device_damaged_gives_way_first(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), damaged = alice;
    char cookie[LK_TOKEN_SIZE], first[LK_TOKEN_SIZE];
    struct lk_device device;
    struct lk_key key;
    unsigned i;

    (void)state;
    (void)device_add(bench, alice, "first", "", first);
    for (i = 1; i < LK_DEVICE_MAX; i++) {
        struct lk_id made;

        lk_fake_advance(&bench->fake, 1000);
        made = device_add(bench, alice, "more", i == 5 ? "mark" : "", cookie);
        damaged = i == 5 ? made : damaged;
    }
    lk_key_record(&key, &lk_kind_device, damaged);
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 70), 0);
    (void)device_add(bench, alice, "one more", "", cookie);
    lk_fault_restore(&bench->fault);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_device, damaged, &device.record), LK_E_NOT_FOUND);
    assert_true(device_known(bench, alice, first) > 0);
    assert_int_equal(device_count(bench, alice), LK_DEVICE_MAX);
    bench_verify(bench); /* its index entry went with it */
    bench_close(bench);
}

/* An index entry that the record does not bear out is not believed, and keeps nobody out. */
static void test_device_false_index_entry(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD), id, found;
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(PASSWORD),
                                       .channel = LK_CHANNEL_HTTP,
                                       .device_fingerprint = LK_TEXT("ghost"),
                                       .remember_device = true};
    struct lk_login_result result;
    char cookie[LK_TOKEN_SIZE];
    struct lk_key key, value = {.size = 0};

    (void)state;
    id = device_add(bench, alice, "tablet", "mark", cookie);
    bench_write(bench);
    lk_key_index_prefix(&key, &lk_kind_device.indexes[0], alice.tenant);
    lk_key_put_number(&key, alice.user);
    lk_key_put_bytes(&key, LK_TEXT("ghost"));
    lk_index_put_id(&value, &lk_kind_device, id);
    assert_int_equal(
        bench->fault.storage.ops->put(&bench->txn.storage, lk_key_span(&key), lk_key_span(&value)),
        0);
    assert_int_equal(lk_device_of_fingerprint(&bench->txn, alice, LK_TEXT("ghost"), &found),
                     LK_E_CORRUPT);
    bench_commit(bench);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    assert_memory_equal(result.device_cookie, "lkd_", 4);
    assert_int_equal(device_known(bench, alice, cookie), (int)id.sub);
    request.remember_device = false;
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    request.device_fingerprint = LK_TEXT("mark");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    bench_read(bench);
    {
        struct lk_session session;

        assert_int_equal(lk_get(&bench->txn, &lk_kind_session, result.session, &session.record), 0);
        assert_int_equal(session.device, id.sub);
    }
    bench_close(bench);
}

/* A login changes the record once a day. */
static void test_device_last_seen_is_by_the_day(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), id;
    char cookie[LK_TOKEN_SIZE];
    uint64_t before;

    (void)state;
    id = device_add(bench, alice, "tablet", "", cookie);
    before = bench_print(bench);
    lk_fake_advance(&bench->fake, 1000);
    bench_write(bench);
    assert_int_equal(lk_device_seen(&bench->txn, id), 0);
    bench_commit(bench);
    assert_true(bench_print(bench) == before);
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    bench_write(bench);
    assert_int_equal(lk_device_seen(&bench->txn, id), 0);
    bench_commit(bench);
    bench_read(bench);
    {
        struct lk_device device;

        assert_int_equal(lk_get(&bench->txn, &lk_kind_device, id, &device.record), 0);
        assert_true(device.last_seen == lk_now(&bench->txn));
        assert_true(device.first_seen < device.last_seen);
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_cookie_is_known_again),
        cmocka_unit_test(test_device_fingerprint_is_unique_for_a_user),
        cmocka_unit_test(test_device_count_is_bounded),
        cmocka_unit_test(test_device_damaged_gives_way_first),
        cmocka_unit_test(test_device_false_index_entry),
        cmocka_unit_test(test_device_last_seen_is_by_the_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
