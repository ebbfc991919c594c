// SPDX-License-Identifier: MIT
/*
 * What writes to the audit, each with every storage call and every port call failed in turn: the
 * entry is there whole, with all that belongs to it, or nothing is.
 */
#include "fault_town.h"

#include "lk_engine.h"

static int begin_as(struct fault_town *town, struct lk_id user)
{
    const struct lk_actor actor = {.tenant = user.tenant,
                                   .user = user.user,
                                   .channel = LK_CHANNEL_HTTP,
                                   .ip = LK_TEXT("\x0A\x00\x00\x01"),
                                   .user_agent = LK_TEXT("a program")};

    return lk_begin(&town->bench->store, &town->bench->txn, LK_WRITE, user.user ? &actor : NULL);
}

static int entry(struct fault_town *town, enum lk_outcome outcome, const char *action)
{
    struct lk_audit_entry made;

    memset(&made, 0, sizeof(made));
    made.record.id.tenant = town->bench->tenant;
    lk_set_text(&lk_kind_audit, &made.record, "action", action);
    lk_set_text(&lk_kind_audit, &made.record, "resource_type", "door");
    lk_set_text(&lk_kind_audit, &made.record, "description", "the north door");
    lk_set_number(&lk_kind_audit, &made.record, "outcome", outcome);
    return lk_audit_write(&town->bench->txn, LK_RING_ACTIVITY, &made);
}

/* Seals under a key that is made for it. */
static int run_sealed(struct fault_town *town)
{
    int error = begin_as(town, town->carol);

    error = error ? error : entry(town, LK_SUCCESS, "door.open");
    return fault_town_end(town, error ? error : entry(town, LK_SUCCESS, "door.shut"));
}

static int run_fold(struct fault_town *town)
{
    int i, error = begin_as(town, town->alice);

    for (i = 0; !error && i < 3; i++) {
        error = entry(town, LK_FAILURE, "door.open");
    }
    return fault_town_end(town, error);
}

/* More failures than records to count them in: some are closed for others. */
static int run_crowd(struct fault_town *town)
{
    char action[16];
    int i, error = begin_as(town, town->alice);

    for (i = 0; !error && i < 2 * (LK_AUDIT_FOLDS + 2); i++) {
        (void)snprintf(action, sizeof(action), "door.%u", (unsigned)i / 2 % 100);
        error = entry(town, LK_FAILURE, action);
    }
    return fault_town_end(town, error);
}

static int run_settle(struct fault_town *town)
{
    int i, error = begin_as(town, town->alice);

    for (i = 0; !error && i < 3; i++) {
        error = entry(town, LK_FAILURE, "door.open");
    }
    return fault_town_end(town,
                          error ? error : lk_audit_settle(&town->bench->txn, town->bench->tenant));
}

static int run_watermark(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_id tenant = {bench->tenant, 0, 0}, nobody = {0, 0, 0};
    struct lk_audit_heads heads;
    int i, error = begin_as(town, nobody);

    if (!error) {
        error = bench_set(bench, &lk_kind_tenant, tenant, "audit_archive=true", NULL);
    }
    if (!error) {
        error = lk_audit_heads(&bench->txn, bench->tenant, &heads);
    }
    if (!error) {
        error = lk_audit_archived(&bench->txn, bench->tenant, heads.rings[LK_RING_ADMIN].seq);
    }
    for (i = 0; !error && i < 14; i++) {
        error = entry(town, LK_SUCCESS, "door.open");
    }
    return fault_town_end(town, error);
}

static int run_expire(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_id tenant = {bench->tenant, 0, 0}, nobody = {0, 0, 0};
    bool more = true;
    int error = begin_as(town, nobody);

    if (!error) {
        error = bench_set(bench, &lk_kind_tenant, tenant, "audit_days=1", NULL);
    }
    while (!error && more) {
        error = lk_maintain(&bench->txn, 1000, &more);
        error = error > 0 ? 0 : error;
    }
    return fault_town_end(town, error);
}

static void test_fault_audit_writes(void **state)
{
    static const struct fault_case cases[] = {
        {"sealed entries", run_sealed, 0, NULL}, {"repeated failures", run_fold, 0, NULL},
        {"many failures", run_crowd, 0, NULL},   {"settle", run_settle, 0, NULL},
        {"watermark", run_watermark, 0, NULL},   {"retention", run_expire, 0, NULL},
    };
    struct fault_town *town = fault_town_open();
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        fault_town_try(town, &cases[i]);
    }
    fault_town_close(town);
}

/* Reading with anything failing: the entry whole, or an error; what is sealed is never taken for
 * erased because the medium failed. */
static void test_fault_audit_reads(void **state)
{
    struct fault_town *town = fault_town_open();
    struct bench *bench = town->bench;
    uint64_t n, hits = 0;
    unsigned way;

    (void)state;
    assert_int_equal(run_sealed(town), 0);
    for (way = 0; way < 2; way++) {
        bool hit = true;

        for (n = 1; hit; n += bench_step()) {
            struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("door.shut")};
            struct lk_audit_entry found;
            struct lk_audit_verify verify = {.tenant = bench->tenant};
            int error;

            bench_read(bench);
            if (way) {
                lk_fake_fail_at(&bench->fake, n);
            } else {
                lk_fault_at(&bench->fault, n, false, LK_E_IO);
            }
            error = lk_audit_begin(&bench->txn, &query);
            error = error ? error : lk_audit_next(&query, &found);
            if (!error) {
                assert_false(found.erased);
                assert_true(lk_span_equal(found.ip, LK_TEXT("\x0A\x00\x00\x01")));
                assert_true(lk_span_equal(found.description, LK_TEXT("the north door")));
                error = lk_audit_verify(&bench->txn, &verify);
            }
            hit = lk_fault_hit(&bench->fault) || lk_fake_failed(&bench->fake);
            assert_true(hit ? error < 0 && error != LK_E_FAULTS : error == 0);
            hits += hit;
            lk_fault_at(&bench->fault, 0, false, 0);
            lk_fake_fail_at(&bench->fake, LK_FAKE_FAIL_NEVER);
            lk_abort(&bench->txn);
        }
    }
    print_message("%llu calls failed\n", (unsigned long long)hits);
    fault_town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_audit_writes),
        cmocka_unit_test(test_fault_audit_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
