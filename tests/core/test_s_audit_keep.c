// SPDX-License-Identifier: MIT
/* Retention by age, the archive that entries wait for, and the watermark. */
#include "audit_help.h"

static int maintain(struct bench *bench, uint32_t budget)
{
    bool more = true;
    int changed = 0;

    while (more) {
        int did;

        bench_write(bench);
        did = lk_maintain(&bench->txn, budget, &more);
        assert_true(did >= 0);
        changed += did;
        bench_commit(bench);
        bench_verify(bench);
    }
    return changed;
}

static void set(struct bench *bench, uint32_t tenant, const char *word)
{
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, word, NULL),
                     0);
    bench_commit(bench);
}

/* Entries before a time; how many there are at all in `all`. */
static unsigned older(struct bench *bench, uint32_t tenant, uint64_t before, unsigned *all)
{
    struct lk_audit_query query = {.tenant = tenant};
    struct lk_audit_entry entry;
    unsigned count = 0;

    *all = 0;
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        (*all)++;
        count += entry.at < before;
    }
    return count;
}

/* `per_day` entries a day for so many days. */
static void live(struct bench *bench, uint32_t tenant, unsigned days, unsigned per_day)
{
    unsigned day, i;

    for (day = 0; day < days; day++) {
        bench_write(bench);
        for (i = 0; i < per_day; i++) {
            audit_add(bench, tenant, i % 3 ? LK_RING_ACTIVITY : LK_RING_ADMIN, "door.open",
                      LK_SUCCESS);
        }
        bench_commit(bench);
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    }
}

static uint64_t cutoff(const struct bench *bench, unsigned days)
{
    return (bench->fake.clock.wall_ms / LK_MS_PER_DAY - days) * LK_MS_PER_DAY;
}

/* Rings that are full, that have room, and that go round: each day the old ones go, the rest
 * verifies, and a head of before holds. */
static void test_keep_takes_what_is_past_its_retention(void **state)
{
    static const unsigned per_day[] = {1, 4, 7, 40};
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(per_day); i++) {
        struct bench *bench = bench_open();
        uint32_t tenant = audit_fill(bench, 64, 0), budget = i % 2 ? 1000 : 3;
        struct lk_audit_heads heads;
        unsigned day, all;

        set(bench, tenant, "audit_days=5");
        for (day = 0; day < 30; day++) {
            live(bench, tenant, 1, per_day[i]);
            bench_read(bench);
            assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
            (void)maintain(bench, budget);
            assert_int_equal(older(bench, tenant, cutoff(bench, 5), &all), 0);
            assert_true(all >= (5 * per_day[i] < 96 ? 5 * per_day[i] : 80) || day < 5);
            bench_read(bench);
            assert_int_equal(audit_faults(bench, tenant, 0, &heads), 0);
            if (day % 5 == 3) {
                bench_reopen(bench); /* found without hints */
            }
        }
        /* Forty a day overwrite each other before they are old. */
        assert_true(audit_count(bench, tenant, "audit.expire") > 0 || per_day[i] == 40);
        /* Nothing happens for long: the newest of each ring stays, for the chain to go on from. */
        lk_fake_advance(&bench->fake, 40 * (uint64_t)LK_MS_PER_DAY);
        (void)maintain(bench, budget);
        lk_fake_advance(&bench->fake, 40 * (uint64_t)LK_MS_PER_DAY);
        (void)maintain(bench, budget);
        (void)older(bench, tenant, 0, &all);
        assert_in_range(all, 2, 3); /* or what tells of the last that went */
        live(bench, tenant, 3, 7);
        bench_verify(bench);
        bench_close(bench);
    }
}

static void test_keep_waits_for_a_synchronised_clock(void **state)
{
    static const enum lk_clock_quality qualities[] = {LK_CLOCK_UNSET, LK_CLOCK_HELD, LK_CLOCK_SET};
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 64, 0);
    unsigned before, after;
    size_t i;

    (void)state;
    set(bench, tenant, "audit_days=5");
    live(bench, tenant, 10, 3);
    (void)older(bench, tenant, 0, &before);
    for (i = 0; i < LK_COUNT(qualities); i++) {
        lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, qualities[i]);
        (void)maintain(bench, 1000);
        (void)older(bench, tenant, 0, &after);
        assert_int_equal(after, before);
    }
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SYNCED);
    set(bench, tenant, "audit_days=0"); /* kept until the ring is full */
    (void)maintain(bench, 1000);
    (void)older(bench, tenant, 0, &after);
    assert_int_equal(after, before + 1);
    set(bench, tenant, "audit_days=5");
    (void)maintain(bench, 1000);
    assert_int_equal(older(bench, tenant, cutoff(bench, 5), &after), 0);
    assert_true(after < before);
    bench_close(bench);
}

static void test_keep_waits_for_the_archive(void **state)
{
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 64, 0);
    struct lk_audit_heads heads;
    struct lk_tenant record;
    unsigned all, old;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, "audit_days=5",
                               "audit_archive=true", NULL),
                     0);
    bench_commit(bench);
    live(bench, tenant, 10, 3);
    old = older(bench, tenant, cutoff(bench, 5), &all);
    assert_true(old > 10);
    (void)maintain(bench, 1000);
    assert_int_equal(older(bench, tenant, cutoff(bench, 5), &all), old);
    bench_write(bench);
    assert_int_equal(lk_audit_archived(&bench->txn, tenant, 8), 0);
    bench_commit(bench);
    (void)maintain(bench, 1000);
    assert_int_equal(older(bench, tenant, cutoff(bench, 5), &all), old - 8);
    bench_write(bench);
    assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
    assert_int_equal(lk_audit_archived(&bench->txn, tenant, heads.rings[0].seq + 100),
                     LK_E_ARGUMENT);
    assert_int_equal(lk_audit_archived(&bench->txn, 0, 1), LK_E_ARGUMENT);
    assert_int_equal(lk_audit_archived(&bench->txn, tenant, heads.rings[0].seq), 0);
    bench_commit(bench);
    (void)maintain(bench, 1000);
    assert_int_equal(older(bench, tenant, cutoff(bench, 5), &all), 0);
    assert_int_equal(audit_count(bench, tenant, "audit.archive"), 2);
    bench_read(bench);
    assert_int_equal(
        lk_get(&bench->txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record), 0);
    assert_true(record.audit_archived == heads.rings[0].seq);
    assert_int_equal(lk_audit_archived(&bench->txn, tenant, 1), LK_E_STATE);
    bench_close(bench);
}

/* One entry each time that a ring becomes four fifths full of what was not archived. */
static void test_keep_watermark_once_a_crossing(void **state)
{
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 40, 0);
    struct lk_audit_heads heads;
    struct lk_audit_query query = {.tenant = tenant, .action = LK_TEXT("audit.watermark")};
    struct lk_audit_entry entry;
    struct lk_stats stats;
    unsigned i, round;
    uint64_t dropped = 0;
    int error;

    (void)state;
    for (i = 0; i < 100; i++) { /* without an archive nobody is warned */
        bench_write(bench);
        audit_add(bench, tenant, LK_RING_ACTIVITY, "door.open", LK_SUCCESS);
        bench_commit(bench);
    }
    assert_int_equal(audit_count(bench, tenant, "audit.watermark"), 0);
    /* Late as it is, it is told: the ring is full of what nobody has elsewhere. */
    set(bench, tenant, "audit_archive=true");
    assert_int_equal(audit_count(bench, tenant, "audit.watermark"), 1);
    set(bench, tenant, "audit_archive=false");
    assert_int_equal(audit_count(bench, tenant, "audit.watermark"), 1);
    set(bench, tenant, "audit_archive=true");
    assert_int_equal(audit_count(bench, tenant, "audit.watermark"), 2);
    for (round = 1; round <= 4; round++) {
        bench_write(bench);
        assert_int_equal(lk_audit_heads(&bench->txn, tenant, &heads), 0);
        assert_int_equal(lk_audit_archived(&bench->txn, tenant,
                                           heads.rings[0].seq > heads.rings[1].seq
                                               ? heads.rings[0].seq
                                               : heads.rings[1].seq),
                         0);
        bench_commit(bench);
        for (i = 0; i < 40; i++) {
            bench_write(bench);
            audit_add(bench, tenant, LK_RING_ACTIVITY, "door.open", LK_SUCCESS);
            bench_commit(bench);
            assert_int_equal(audit_count(bench, tenant, "audit.watermark"),
                             2 + round - 1 + (i >= 31 ? 1 : 0));
        }
    }
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_true(lk_span_equal(entry.resource_id, LK_TEXT("activity")));
    assert_int_equal(lk_stats(&bench->txn, &stats), 0);
    assert_int_equal(stats.audit_watermark_count, 6);
    /* The ring of the watermarks itself crosses, too. */
    for (i = 0; i < 40; i++) {
        bench_write(bench);
        audit_add(bench, tenant, LK_RING_ADMIN, "door.lock", LK_SUCCESS);
        bench_commit(bench);
    }
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_true(lk_span_equal(entry.resource_id, LK_TEXT("admin")));
    /* What is overwritten without having been archived is counted where it happens. */
    query = (struct lk_audit_query){.tenant = tenant, .action = LK_TEXT("door.lock")};
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!(error = lk_audit_next(&query, &entry))) {
        dropped += entry.dropped;
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    assert_true(dropped > 0);
    bench_verify(bench);
    bench_close(bench);
}

/* Smaller and larger again, full and not: what the oldest follows is remembered. */
static void test_keep_resizing_after_retention(void **state)
{
    static const char *const words[] = {"audit_capacity=16", "audit_capacity=30",
                                        "audit_capacity=18", "audit_capacity=64"};
    struct bench *bench = bench_open();
    uint32_t tenant = audit_fill(bench, 64, 0);
    unsigned i, all;

    (void)state;
    set(bench, tenant, "audit_days=4");
    for (i = 0; i < 60; i++) {
        live(bench, tenant, 1, i * 5 % 13);
        if (i % 2) {
            (void)maintain(bench, 1000);
            assert_in_range(older(bench, tenant, cutoff(bench, 4), &all), 0, 1); /* the newest */
        }
        /* No smaller than what is to be kept. */
        lk_fake_advance(&bench->fake, i % 2 ? 0 : 6 * (uint64_t)LK_MS_PER_DAY);
        set(bench, tenant, words[i % 4]);
        bench_verify(bench);
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_takes_what_is_past_its_retention),
        cmocka_unit_test(test_keep_waits_for_a_synchronised_clock),
        cmocka_unit_test(test_keep_waits_for_the_archive),
        cmocka_unit_test(test_keep_watermark_once_a_crossing),
        cmocka_unit_test(test_keep_resizing_after_retention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
