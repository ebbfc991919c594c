// SPDX-License-Identifier: MIT
/* S16: a flood pushes no evidence out: what repeats is counted, what was dropped is told. */
#include "audit_help.h"

#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define FLOOD 20000u
#else
#define FLOOD 1000000u
#endif

static const uint8_t here[4] = {192, 0, 2, 7};

/* What closes the network to a flood is forgotten, as where every login is a process of its own:
 * the audit stands without it. */
static int try_login(struct bench *bench, const char *name, const uint8_t address[4])
{
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = bench_text(name),
                                       .password = LK_TEXT("a wrong guess"),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {address, address ? 4 : 0},
                                       .user_agent = LK_TEXT("a robot")};
    struct lk_login_result result;

    lk_abort(&bench->txn);
    memset(&bench->store.throttle, 0, sizeof(bench->store.throttle));
    return lk_login(&bench->store, &request, &result, NULL);
}

static struct bench *flood_bench(const char *capacity, const char *lockout)
{
    struct bench *bench = bench_open();

    (void)bench_user(bench, "alice", "alice's secret");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               capacity, lockout, "close_failures=0", NULL),
                     0);
    bench_commit(bench);
    return bench;
}

static uint32_t ring_count(struct bench *bench, uint32_t ring)
{
    bench_read(bench);
    return audit_layout(bench, bench->tenant, ring).count;
}

static void test_s16_a_million_failures_push_nothing_out(void **state)
{
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
    uint32_t admin = ring_count(bench, LK_RING_ADMIN), activity = ring_count(bench, 1), i;
    uint64_t written;
    bool more = true;
    uint32_t flood = FLOOD / bench_step();
    clock_t start = clock();

    (void)state;
    for (i = 0; i < flood; i++) {
        assert_int_equal(try_login(bench, i % 2 ? "alice" : "nobody", here), LK_E_REFUSED);
        if (i % 100 == 0) {
            lk_fake_advance(&bench->fake, 500);
        }
    }
    print_message("[  figure  ] %u failed logins in %.1f s\n", flood,
                  (double)(clock() - start) / CLOCKS_PER_SEC);
    assert_true(audit_failures(bench, bench->tenant, &written) == flood);
    assert_int_equal(written, 2); /* the first of each */
    assert_int_equal(ring_count(bench, LK_RING_ADMIN), admin);
    assert_int_equal(ring_count(bench, LK_RING_ACTIVITY), activity + 2);
    bench_verify(bench);
    /* When it is over the counts go into the chain. */
    lk_fake_advance(&bench->fake, 1000000);
    while (more) {
        bench_write(bench);
        assert_true(lk_maintain(&bench->txn, 1000, &more) >= 0);
        bench_commit(bench);
    }
    assert_true(audit_failures(bench, bench->tenant, &written) == flood);
    assert_int_equal(written, 4);
    print_message("[  figure  ] admin entries %u before, %u after; activity entries %u, then %u\n",
                  admin, ring_count(bench, LK_RING_ADMIN), activity,
                  ring_count(bench, LK_RING_ACTIVITY));
    assert_int_equal(ring_count(bench, LK_RING_ADMIN), admin);
    bench_verify(bench);
    bench_close(bench);
}

/* More failures at once than records to count them in: every one is accounted for all the same. */
static void test_s16_counts_are_right_when_folds_are_few(void **state)
{
    struct bench *bench = flood_bench("audit_capacity=2000", "lockout_failures=0");
    uint8_t address[4] = {10, 0, 0, 0};
    uint32_t admin;
    uint64_t written, count = 0;
    char name[16];
    unsigned i, k;

    (void)state;
    for (i = 0; i < 2 * LK_AUDIT_FOLDS; i++) {
        (void)snprintf(name, sizeof(name), "user%u", i);
        (void)bench_user(bench, name, NULL);
    }
    admin = ring_count(bench, LK_RING_ADMIN);
    for (i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof(name), "user%u", i * i % (2 * LK_AUDIT_FOLDS));
        address[3] = (uint8_t)(i % 3);
        for (k = 0; k <= i % 4; k++) {
            assert_int_equal(try_login(bench, name, address), LK_E_REFUSED);
            count++;
        }
        lk_fake_advance(&bench->fake, 1000);
        if (i % 50 == 0) {
            assert_true(audit_failures(bench, bench->tenant, &written) == count);
            bench_verify(bench);
        }
    }
    assert_true(audit_failures(bench, bench->tenant, &written) == count);
    assert_true(written < count);
    bench_write(bench);
    assert_int_equal(lk_audit_settle(&bench->txn, bench->tenant), 0);
    bench_commit(bench);
    assert_true(audit_failures(bench, bench->tenant, &written) == count);
    assert_int_equal(ring_count(bench, LK_RING_ADMIN), admin);
    bench_verify(bench);
    bench_close(bench);
}

/* What makes two failures the same, and what does not. */
static void test_s16_only_the_same_is_folded(void **state)
{
    static const uint8_t there[4] = {192, 0, 2, 8};
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
    uint64_t written;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "bob", "bob's secret");
    for (i = 0; i < 3; i++) {
        assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        assert_int_equal(try_login(bench, "bob", here), LK_E_REFUSED);
        assert_int_equal(try_login(bench, "alice", there), LK_E_REFUSED);
        assert_int_equal(try_login(bench, "alice", NULL), LK_E_REFUSED);
        /* Names that nobody has are one, wherever they come from. */
        assert_int_equal(try_login(bench, "zoe", here), LK_E_REFUSED);
        assert_int_equal(try_login(bench, "zack", there), LK_E_REFUSED);
    }
    assert_int_equal(audit_failures(bench, bench->tenant, &written), 18);
    assert_int_equal(written, 5);
    /* After a quarter of an hour it is another story. */
    lk_fake_advance(&bench->fake, 899999);
    assert_int_equal(try_login(bench, "bob", here), LK_E_REFUSED);
    assert_int_equal(audit_failures(bench, bench->tenant, &written), 19);
    assert_int_equal(written, 5);
    lk_fake_advance(&bench->fake, 900000);
    assert_int_equal(try_login(bench, "bob", here), LK_E_REFUSED);
    assert_int_equal(audit_failures(bench, bench->tenant, &written), 20);
    assert_int_equal(written, 7); /* the count, and a first one */
    bench_verify(bench);
    bench_close(bench);
}

/* A flood that never pauses is chained once a day. */
static void test_s16_nothing_stays_out_of_the_chain_for_ever(void **state)
{
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
    uint64_t written;
    unsigned i;

    (void)state;
    for (i = 0; i < 3 * 24 * 6; i++) {
        assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        lk_fake_advance(&bench->fake, 600000);
    }
    assert_int_equal(audit_failures(bench, bench->tenant, &written), i);
    assert_in_range(written, 5, 6);
    bench_verify(bench);
    bench_close(bench);
}

/* Opened under a clock a year ahead that was set right: maintenance, or the next one, closes it. */
static void test_s16_a_clock_ahead_keeps_no_fold_open(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
        uint64_t right = bench->fake.clock.wall_ms, written;
        struct lk_audit_fold fold;
        bool more = true;

        lk_fake_wall_set(&bench->fake, right + 365 * (uint64_t)LK_MS_PER_DAY, LK_CLOCK_SET);
        assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        assert_int_equal(audit_failures(bench, bench->tenant, &written), 2);
        assert_int_equal(written, 1);
        lk_abort(&bench->txn);
        lk_fake_wall_set(&bench->fake, right, LK_CLOCK_SYNCED);
        assert_int_equal(lk_clock_set(&bench->store, NULL, 0, NULL), 0);
        if (i) {
            assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        }
        while (!i && more) {
            bench_write(bench);
            assert_true(lk_maintain(&bench->txn, 1000, &more) >= 0);
            bench_commit(bench);
        }
        assert_int_equal(audit_failures(bench, bench->tenant, &written), 2 + i);
        assert_int_equal(written, 2 + i);
        bench_read(bench);
        assert_int_equal(lk_record_load(&bench->txn, &lk_kind_fold,
                                        (struct lk_id){bench->tenant, 0, 1}, &fold.entry.record),
                         i ? 0 : LK_E_NOT_FOUND);
        bench_verify(bench);
        bench_close(bench);
    }
}

/* An application's own words are not kept beside the ring. */
static void test_s16_folds_keep_no_personal_data(void **state)
{
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("door.open")};
    struct lk_audit_entry entry;
    struct lk_audit_fold fold;
    unsigned i;

    (void)state;
    bench->actor = (struct lk_actor){.tenant = bench->tenant,
                                     .user = bench->admin.user,
                                     .channel = LK_CHANNEL_HTTP,
                                     .ip = {here, 4}};
    for (i = 0; i < 5; i++) {
        bench_write(bench);
        audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_FAILURE);
        bench_commit(bench);
    }
    bench_read(bench);
    assert_int_equal(lk_record_load(&bench->txn, &lk_kind_fold, (struct lk_id){bench->tenant, 0, 1},
                                    &fold.entry.record),
                     0);
    assert_int_equal(fold.entry.repeats, 4);
    assert_false(LK_HAS(&fold.entry.record, 16));
    bench_write(bench);
    assert_int_equal(lk_audit_settle(&bench->txn, bench->tenant), 0);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.repeats, 4);
    assert_int_equal(entry.ring, LK_RING_ADMIN);
    assert_true(lk_span_equal(entry.description, LK_TEXT("the same again")));
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_true(lk_span_equal(entry.description, LK_TEXT("the north door")));
    bench_close(bench);
}

/* A record that counts and is damaged stops nobody, and that its count is lost is told. */
static void test_s16_damaged_fold_stops_nobody(void **state)
{
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
    struct lk_audit_query query = {.tenant = bench->tenant, .outcome = 1 + LK_FAILURE};
    struct lk_audit_entry entry;
    struct lk_key key;

    (void)state;
    assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
    assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
    lk_key_record(&key, &lk_kind_fold, (struct lk_id){bench->tenant, 0, 1});
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 77), 0);
    bench_write(bench);
    assert_int_equal(lk_audit_settle(&bench->txn, bench->tenant), 0);
    bench_commit(bench);
    assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
    lk_fault_restore(&bench->fault);
    bench_verify(bench);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.dropped, 1);
    bench_close(bench);
}

/* While a delay runs nothing is written: the next entry tells how many were turned away. */
static void test_s16_what_was_not_written_is_counted(void **state)
{
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=3");
    struct lk_audit_query query = {.tenant = bench->tenant};
    struct lk_audit_entry entry;
    unsigned i, locked = 0;

    (void)state;
    for (i = 0; i < 10; i++) {
        locked += try_login(bench, "alice", here) == LK_E_LOCKED;
    }
    assert_int_equal(locked, 7);
    bench_write(bench); /* not told by what did not happen */
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    lk_abort(&bench->txn);
    bench_write(bench);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.shut", LK_SUCCESS);
    bench_commit(bench);
    assert_int_equal(try_login(bench, "alice", here), LK_E_LOCKED);
    bench_write(bench);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.lock", LK_SUCCESS);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.dropped, 1);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.dropped, 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.dropped, 7);
    bench_verify(bench);
    bench_close(bench);
}

/* Another capacity closes what is open, whatever the ring's shape. */
static void test_s16_resizing_closes_folds(void **state)
{
    /* Room for all of the administrative ring; the other goes round. */
    static const char *const words[] = {"audit_capacity=60", "audit_capacity=80",
                                        "audit_capacity=61"};
    struct bench *bench = flood_bench("audit_capacity=64", "lockout_failures=0");
    struct lk_audit_fold fold;
    unsigned i, k, count;

    (void)state;
    for (i = 0; i < 30; i++) {
        for (k = 0; k < i; k++) {
            bench_write(bench);
            audit_add(bench, bench->tenant, LK_RING_ACTIVITY, "door.open", LK_SUCCESS);
            bench_commit(bench);
        }
        assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        assert_int_equal(try_login(bench, "alice", here), LK_E_REFUSED);
        bench_write(bench);
        assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                                   words[i % 3], NULL),
                         0);
        bench_commit(bench);
        bench_verify(bench);
        bench_read(bench);
        for (count = 0, k = 1; k <= LK_AUDIT_FOLDS; k++) {
            count += !lk_record_load(&bench->txn, &lk_kind_fold,
                                     (struct lk_id){bench->tenant, 0, k}, &fold.entry.record);
        }
        assert_int_equal(count, 0);
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s16_a_million_failures_push_nothing_out),
        cmocka_unit_test(test_s16_counts_are_right_when_folds_are_few),
        cmocka_unit_test(test_s16_only_the_same_is_folded),
        cmocka_unit_test(test_s16_nothing_stays_out_of_the_chain_for_ever),
        cmocka_unit_test(test_s16_a_clock_ahead_keeps_no_fold_open),
        cmocka_unit_test(test_s16_folds_keep_no_personal_data),
        cmocka_unit_test(test_s16_damaged_fold_stops_nobody),
        cmocka_unit_test(test_s16_what_was_not_written_is_counted),
        cmocka_unit_test(test_s16_resizing_closes_folds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
