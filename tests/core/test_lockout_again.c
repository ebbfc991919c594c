// SPDX-License-Identifier: MIT
/* A login that the storage was too busy for is tried again, and charged once. */
#include "lockout.h"

#define SOURCE   0xC0000207u
#define FAILURES 4u  /* of a name: one more starts its delay */
#define OTHERS   11u /* with those of two names: one more starts the source's delay */

/* What an attempt leaves. */
struct after {
    struct lockout_answer answer, next;
    uint64_t failed, tat;
    uint64_t source_failed, source_until;
};

static bool same(const struct after *a, const struct after *b)
{
    return a->answer.error == b->answer.error && a->answer.wait_s == b->answer.wait_s &&
           a->next.error == b->next.error && a->next.wait_s == b->next.wait_s &&
           a->failed == b->failed && a->tat == b->tat && a->source_failed == b->source_failed &&
           a->source_until == b->source_until;
}

static struct lockout_answer attempt(struct bench *bench, const char *name, const char *password)
{
    struct lockout_try one = {
        .name = name, .password = password, .channel = LK_CHANNEL_HTTP, .source = SOURCE};

    return lockout_try(bench, &one);
}

/* The attempt that is one too many unless it is right, with storage call `n` busy; 0: none. */
static bool run(const char *name, const char *password, bool tallies, uint64_t n,
                struct after *after)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    char other[16];
    unsigned i;
    bool hit;

    memset(after, 0, sizeof(*after));
    bench_tallies(bench, tallies);
    for (i = 0; i < OTHERS; i++) {
        (void)snprintf(other, sizeof(other), "other%u", i);
        assert_int_equal(attempt(bench, other, LOCKOUT_WRONG).error, LK_E_REFUSED);
    }
    for (i = 0; i < FAILURES; i++) {
        assert_int_equal(attempt(bench, "alice", LOCKOUT_WRONG).error, LK_E_REFUSED);
        assert_int_equal(attempt(bench, "nobody", LOCKOUT_WRONG).error, LK_E_REFUSED);
    }
    lk_fault_at(&bench->fault, n, false, LK_E_BUSY);
    after->answer = attempt(bench, name, password);
    hit = lk_fault_hit(&bench->fault);
    lk_fault_at(&bench->fault, 0, false, 0);
    after->failed = lockout_counts(bench, alice).failed_count;
    after->tat = bench->store.throttle.tat;
    for (i = 0; i < LK_SOURCES; i++) {
        after->source_failed += bench->store.throttle.sources[i].count;
        after->source_until += bench->store.throttle.sources[i].until;
    }
    after->next = attempt(bench, name, LOCKOUT_WRONG);
    bench_verify(bench);
    bench_close(bench);
    return hit;
}

static void test_lockout_busy_login_is_charged_once(void **state)
{
    static const struct {
        const char *name, *password;
        int answer, next;
        uint64_t failed;
        uint32_t source_failed;
    } cases[] = {{"alice", LOCKOUT_RIGHT, 0, LK_E_REFUSED, 0, 19},
                 {"alice", LOCKOUT_WRONG, LK_E_REFUSED, LK_E_LOCKED, 5, 20},
                 {"nobody", LOCKOUT_WRONG, LK_E_REFUSED, LK_E_LOCKED, 4, 20}};
    struct after want, after;
    uint64_t n, busy = 0;
    unsigned i, way;

    (void)state;
    for (way = 0; way < 2; way++) {
        for (i = 0; i < LK_COUNT(cases); i++) {
            (void)run(cases[i].name, cases[i].password, way != 0, 0, &want);
            assert_int_equal(want.answer.error, cases[i].answer);
            assert_int_equal(want.next.error, cases[i].next);
            assert_int_equal(want.failed, cases[i].failed);
            assert_int_equal(want.source_failed, cases[i].source_failed);
            for (n = 1; run(cases[i].name, cases[i].password, way != 0, n, &after); n++) {
                if (!same(&after, &want)) {
                    fail_msg("%s, call %u busy: %d, %u failures, %u of the source; then %d",
                             cases[i].name, (unsigned)n, after.answer.error, (unsigned)after.failed,
                             (unsigned)after.source_failed, after.next.error);
                }
                busy++;
            }
        }
    }
    print_message("[  figure  ] %u storage calls busy, one at a time: each login charged once\n",
                  (unsigned)busy);
}

/* Its own charge stands beside others', whose delay keeps it waiting; a cleared one is made anew.
 */
static void test_lockout_others_delay_holds_a_retry(void **state)
{
    struct lockout_meter *meter;
    struct bench *bench = lockout_open(&meter);
    struct lk_id alice = lockout_user(bench, "alice");
    struct lk_activity counts;
    struct lk_tenant tenant;
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(LOCKOUT_RIGHT),
                                       .channel = LK_CHANNEL_HTTP};
    struct lk_login login;
    unsigned i;

    (void)state;
    lk_abort(&bench->txn);
    assert_int_equal(lk_login_begin(&bench->store, &login, &request), 0);
    for (i = 0; i < 3; i++) {
        assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    }
    /* Four stand, its own among them: to be charged again would be one too many. */
    bench_write(bench);
    assert_int_equal(
        lk_get(&bench->txn, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, &tenant.record),
        0);
    assert_int_equal(lk_load_activity(&bench->txn, alice, &counts), 0);
    assert_int_equal(lk_login_charge(&login, &bench->txn, &lk_kind_activity, &counts, &tenant), 0);
    lk_abort(&bench->txn);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 4);
    /* The fifth is another's, and so is its delay. */
    assert_int_equal(lockout_network(bench, "alice", LOCKOUT_WRONG), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(
        lk_get(&bench->txn, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, &tenant.record),
        0);
    assert_int_equal(lk_load_activity(&bench->txn, alice, &counts), 0);
    assert_int_equal(lk_login_charge(&login, &bench->txn, &lk_kind_activity, &counts, &tenant),
                     LK_E_LOCKED);
    lk_abort(&bench->txn);
    /* Where all was cleared meanwhile nothing of its own stands. */
    bench_write(bench);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(lk_load_activity(&bench->txn, alice, &counts), 0);
    assert_int_equal(lk_login_charge(&login, &bench->txn, &lk_kind_activity, &counts, &tenant), 0);
    bench_commit(bench);
    assert_int_equal(lockout_counts(bench, alice).failed_count, 1);
    lk_login_cancel(&login);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lockout_busy_login_is_charged_once),
        cmocka_unit_test(test_lockout_others_delay_holds_a_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
