// SPDX-License-Identifier: MIT
/* The audit's two rings: order, bounds, another capacity, pages, and what an entry tells. */
#include "bench.h"

#include "lk_engine.h"

#define ENTRIES 400

/* What a tenant's rings should hold: every entry ever written, by seq. */
struct ledger {
    struct bench *bench;
    uint32_t tenant;
    struct {
        uint64_t seq, at;
        unsigned ring, number;
    } entries[ENTRIES];
    unsigned count;
};

static void write_entry(struct ledger *ledger, unsigned ring, unsigned number)
{
    struct lk_audit_entry entry;
    char resource[16];

    (void)snprintf(resource, sizeof(resource), "%u", number);
    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = ledger->tenant;
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 12),
                      number % 3 ? LK_TEXT("door.open") : LK_TEXT("door.close"));
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 13), LK_TEXT("door"));
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 14), bench_text(resource));
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 16), LK_TEXT("moved"));
    lk_field_set_number(&entry.record, lk_field_numbered(&lk_kind_audit, 17), LK_CATEGORY_DATA);
    if (number % 4 == 0) {
        lk_field_set_number(&entry.record, lk_field_numbered(&lk_kind_audit, 15), LK_FAILURE);
    }
    bench_write(ledger->bench);
    assert_int_equal(lk_audit_write(&ledger->bench->txn, (enum lk_ring_number)ring, &entry), 0);
    bench_commit(ledger->bench);
    assert_in_range(ledger->count, 0, ENTRIES - 1);
    ledger->entries[ledger->count].seq = entry.seq;
    ledger->entries[ledger->count].at = ledger->bench->fake.clock.wall_ms;
    ledger->entries[ledger->count].ring = ring;
    ledger->entries[ledger->count++].number = number;
}

/* A tenant with nothing in its rings but what the ledger writes. */
static struct ledger *ledger_open(unsigned capacity)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    struct lk_id id = {0, 0, 0};
    char word[32];

    assert_non_null(ledger);
    ledger->bench = bench_open();
    (void)snprintf(word, sizeof(word), "audit_capacity=%u", capacity);
    bench_write(ledger->bench);
    ledger->bench->txn.summary = true; /* its own making leaves no entry */
    assert_int_equal(bench_add(ledger->bench, &lk_kind_tenant, &id, "name=doors", word, NULL), 0);
    bench_commit(ledger->bench);
    ledger->tenant = id.tenant;
    return ledger;
}

static void ledger_close(struct ledger *ledger)
{
    bench_verify(ledger->bench);
    bench_close(ledger->bench);
    free(ledger);
}

/* True when the ring still holds the ledger's entry: no more than `capacity` came after it. */
static bool still_there(const struct ledger *ledger, unsigned at, unsigned capacity)
{
    unsigned later = 0, i;

    for (i = at; i < ledger->count; i++) {
        later += ledger->entries[i].ring == ledger->entries[at].ring;
    }
    return later <= capacity;
}

/* Reads all that the query gives and compares with the ledger. */
static void ledger_compare(struct ledger *ledger, struct lk_audit_query query, unsigned capacity,
                           int line)
{
    struct lk_audit_entry entry;
    unsigned i, got = 0;
    int error;

    bench_read(ledger->bench);
    query.tenant = ledger->tenant;
    assert_int_equal(lk_audit_begin(&ledger->bench->txn, &query), 0);
    for (i = 0; i < ledger->count; i++) {
        unsigned at = query.oldest_first ? i : ledger->count - 1 - i;
        uint64_t seq = ledger->entries[at].seq, when = ledger->entries[at].at;
        unsigned number = ledger->entries[at].number;

        if (!still_there(ledger, at, capacity) || (query.since && when < query.since) ||
            (query.until && when >= query.until) ||
            (query.after_seq &&
             (query.oldest_first ? seq <= query.after_seq : seq >= query.after_seq)) ||
            (query.action.size && (number % 3 == 0) != (query.action.size == 10)) ||
            (query.outcome && (number % 4 == 0) != (query.outcome == 1 + LK_FAILURE))) {
            continue;
        }
        error = lk_audit_next(&query, &entry);
        if (error || entry.seq != seq || entry.at != when ||
            entry.ring != ledger->entries[at].ring) {
            fail_msg("line %d: entry %u: error %d, seq %llu, want seq %llu", line, got, error,
                     (unsigned long long)(error ? 0 : entry.seq), (unsigned long long)seq);
        }
        got++;
    }
    error = lk_audit_next(&query, &entry);
    if (error != LK_E_NOT_FOUND) {
        fail_msg("line %d: after %u entries: %d, want the end", line, got, error);
    }
    lk_abort(&ledger->bench->txn);
}

static void compare_both_ways(struct ledger *ledger, unsigned capacity, int line)
{
    struct lk_audit_query query;

    memset(&query, 0, sizeof(query));
    ledger_compare(ledger, query, capacity, line);
    query.oldest_first = true;
    ledger_compare(ledger, query, capacity, line);
}

static void test_audit_rings_wrap_and_keep_their_order(void **state)
{
    struct ledger *ledger = ledger_open(16);
    unsigned i;

    (void)state;
    compare_both_ways(ledger, 16, __LINE__);
    for (i = 0; i < 120; i++) {
        write_entry(ledger, i % 5 == 0 ? LK_RING_ADMIN : LK_RING_ACTIVITY, i);
        compare_both_ways(ledger, 16, __LINE__);
        if (i % 7 == 3) { /* found again without the handle's memory of where it was */
            bench_reopen(ledger->bench);
        }
        lk_fake_advance(&ledger->bench->fake, i % 3 * 100);
    }
    ledger_close(ledger);
}

/* A hint from a transaction that did not happen misleads nobody. */
static void test_audit_entries_undone_leave_no_gap(void **state)
{
    struct ledger *ledger = ledger_open(16);
    struct lk_id id;
    unsigned i;

    (void)state;
    for (i = 0; i < 60; i++) {
        ledger->bench->tenant = ledger->tenant;
        bench_write(ledger->bench);
        id = (struct lk_id){0, 0, 0};
        assert_int_equal(bench_add(ledger->bench, &lk_kind_user, &id, "username=alice", NULL), 0);
        assert_int_equal(bench_set(ledger->bench, &lk_kind_user, id, "username=bob", NULL), 0);
        lk_abort(&ledger->bench->txn);
        write_entry(ledger, i % 2, i);
        compare_both_ways(ledger, 16, __LINE__);
    }
    ledger_close(ledger);
}

static void resize(struct ledger *ledger, unsigned capacity)
{
    struct lk_id tenant = {ledger->tenant, 0, 0};
    char word[32];

    (void)snprintf(word, sizeof(word), "audit_capacity=%u", capacity);
    /* All there is is past its retention: else it would not be let go of. */
    lk_fake_advance(&ledger->bench->fake, 367 * (uint64_t)LK_MS_PER_DAY);
    bench_write(ledger->bench);
    ledger->bench->txn.summary = true;
    assert_int_equal(bench_set(ledger->bench, &lk_kind_tenant, tenant, word, NULL), 0);
    bench_commit(ledger->bench);
}

static void test_audit_capacity_grows_and_shrinks(void **state)
{
    static const struct {
        unsigned before, from, after, to;
    } cases[] = {{5, 16, 5, 40},   {16, 16, 1, 40}, {30, 16, 30, 17},  {31, 16, 50, 40},
                 {50, 40, 20, 16}, {15, 40, 9, 16}, {16, 40, 9, 16},   {17, 40, 9, 16},
                 {79, 40, 30, 20}, {80, 40, 1, 20}, {81, 40, 100, 64}, {0, 16, 3, 17}};
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        struct ledger *ledger = ledger_open(cases[i].from);
        unsigned smaller = cases[i].from < cases[i].to ? cases[i].from : cases[i].to, k, kept = 0;

        for (k = 0; k < cases[i].before; k++) {
            write_entry(ledger, k % 3 == 0 ? LK_RING_ADMIN : LK_RING_ACTIVITY, k);
            lk_fake_advance(&ledger->bench->fake, 10);
        }
        resize(ledger, cases[i].to);
        bench_verify(ledger->bench);
        compare_both_ways(ledger, smaller, __LINE__);
        /* From now on the ledger begins with what was left. */
        for (k = 0; k < ledger->count; k++) {
            if (still_there(ledger, k, smaller)) {
                ledger->entries[kept++] = ledger->entries[k];
            }
        }
        ledger->count = kept;
        for (k = 0; k < cases[i].after; k++) {
            write_entry(ledger, k % 2, k);
            compare_both_ways(ledger, cases[i].to, __LINE__);
        }
        ledger_close(ledger);
    }
}

/* Changed in the ordinary way, the change itself is the newest entry, whatever the ring was. */
static void test_audit_capacity_change_is_audited(void **state)
{
    static const char *const words[] = {"audit_capacity=16", "audit_capacity=100",
                                        "audit_capacity=17", "audit_capacity=60"};
    struct bench *bench = bench_open();
    struct lk_login_result result;
    unsigned i, k;

    (void)state;
    for (i = 0; i < 40; i++) {
        for (k = 0; k < i; k++) {
            assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
        }
        {
            struct lk_audit_query query = {.tenant = bench->tenant};
            struct lk_audit_entry entry;

            lk_fake_advance(&bench->fake, 367 * (uint64_t)LK_MS_PER_DAY);
            bench_write(bench);
            assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                                       words[i % 4], NULL),
                             0);
            bench_commit(bench);
            bench_verify(bench);
            bench_read(bench);
            assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
            assert_int_equal(lk_audit_next(&query, &entry), 0);
            assert_int_equal(entry.resource_type.size, 6);
            assert_memory_equal(entry.resource_type.data, "tenant", 6);
        }
    }
    bench_close(bench);
}

/* One try at a smaller ring; it is not kept. */
static int shrinks(struct ledger *ledger, const char *word, const char *other)
{
    struct bench *bench = ledger->bench;
    int error;

    bench_write(bench);
    error =
        bench_set(bench, &lk_kind_tenant, (struct lk_id){ledger->tenant, 0, 0}, word, other, NULL);
    if (error) {
        assert_string_equal(lk_problem(&bench->txn)->field, "audit_capacity");
        assert_string_equal(lk_problem(&bench->txn)->rule,
                            "would drop administrative entries that are still to be kept");
    }
    lk_abort(&bench->txn);
    return error;
}

/* A smaller ring is no way to be rid of what was done: nothing goes that retention would leave. */
static void test_audit_shrinks_past_retention_only(void **state)
{
    struct ledger *ledger = ledger_open(64);
    struct bench *bench = ledger->bench;
    uint64_t tenth = 0;
    unsigned k;

    (void)state;
    for (k = 0; k < 30; k++) {
        write_entry(ledger, LK_RING_ADMIN, k);
        write_entry(ledger, LK_RING_ACTIVITY, 100 + k);
        tenth = k == 13 ? ledger->entries[ledger->count - 2].seq : tenth;
    }
    assert_int_equal(shrinks(ledger, "audit_capacity=16", NULL), LK_E_CHECK);
    assert_int_equal(shrinks(ledger, "audit_capacity=29", NULL), LK_E_CHECK);
    assert_int_equal(shrinks(ledger, "audit_capacity=30", NULL), 0);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", "audit_days=1"), LK_E_CHECK);
    /* Whole days: as retention takes them. */
    lk_fake_wall_set(&bench->fake, (LK_FAKE_START_MS / LK_MS_PER_DAY + 366) * LK_MS_PER_DAY - 1,
                     LK_CLOCK_SYNCED);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", NULL), LK_E_CHECK);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", "audit_days=364"), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", NULL), 0);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", "audit_days=0"), LK_E_CHECK);
    /* Nor by a clock that was set by hand. */
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SET);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", NULL), LK_E_CHECK);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SYNCED);
    /* With an archive, what is in it alone. */
    assert_int_equal(shrinks(ledger, "audit_capacity=16", "audit_archive=true"), LK_E_CHECK);
    bench_write(bench);
    bench->txn.summary = true;
    assert_int_equal(lk_audit_archived(&bench->txn, ledger->tenant, tenth - 1), 0);
    bench_commit(bench);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", "audit_archive=true"), LK_E_CHECK);
    bench_write(bench);
    bench->txn.summary = true;
    assert_int_equal(lk_audit_archived(&bench->txn, ledger->tenant, tenth), 0);
    bench_commit(bench);
    assert_int_equal(shrinks(ledger, "audit_capacity=16", "audit_archive=true"), 0);
    ledger_close(ledger);
}

static void test_audit_queries_narrow_and_page(void **state)
{
    struct ledger *ledger = ledger_open(32);
    unsigned i, way;

    (void)state;
    for (i = 0; i < 100; i++) {
        write_entry(ledger, i % 3 == 0 ? LK_RING_ADMIN : LK_RING_ACTIVITY, i);
        lk_fake_advance(&ledger->bench->fake, i % 4 ? 0 : 250);
    }
    for (way = 0; way < 2; way++) {
        struct lk_audit_query query;

        memset(&query, 0, sizeof(query));
        query.oldest_first = way != 0;
        for (i = 50; i < 100; i += 3) {
            query.since = ledger->entries[i].at;
            query.until = 0;
            ledger_compare(ledger, query, 32, __LINE__);
            query.until = ledger->entries[i].at + 500;
            ledger_compare(ledger, query, 32, __LINE__);
            query.since = 0;
            ledger_compare(ledger, query, 32, __LINE__);
            query.until = 0;
            query.after_seq = ledger->entries[i].seq;
            ledger_compare(ledger, query, 32, __LINE__);
            query.outcome = 1 + LK_FAILURE;
            ledger_compare(ledger, query, 32, __LINE__);
            query.outcome = 1 + LK_SUCCESS;
            query.action = i % 2 ? LK_TEXT("door.close") : LK_TEXT("door.open");
            query.since = ledger->entries[i - 20].at;
            ledger_compare(ledger, query, 32, __LINE__);
            query.action = LK_TEXT("");
            query.outcome = 0;
            query.after_seq = 0;
        }
        query.since = 1; /* before everything, after everything */
        query.until = UINT64_MAX;
        ledger_compare(ledger, query, 32, __LINE__);
        query.since = UINT64_MAX;
        ledger_compare(ledger, query, 32, __LINE__);
        query.since = query.until = 0;
        query.after_seq = UINT64_MAX;
        ledger_compare(ledger, query, 32, __LINE__);
        query.after_seq = 1;
        ledger_compare(ledger, query, 32, __LINE__);
    }
    ledger_close(ledger);
}

static void test_audit_pages_meet_every_entry_once(void **state)
{
    struct ledger *ledger = ledger_open(24);
    unsigned i, way;

    (void)state;
    for (i = 0; i < 90; i++) {
        write_entry(ledger, (i / 4) % 2, i);
    }
    for (way = 0; way < 2; way++) {
        uint64_t after = 0, last = 0;
        unsigned count = 0, in_page;
        int error = 0;

        while (!error) {
            struct lk_audit_query query = {
                .tenant = ledger->tenant, .oldest_first = way != 0, .after_seq = after};
            struct lk_audit_entry entry;

            bench_read(ledger->bench);
            assert_int_equal(lk_audit_begin(&ledger->bench->txn, &query), 0);
            for (in_page = 0; in_page < 7; in_page++) {
                error = lk_audit_next(&query, &entry);
                if (error) {
                    break;
                }
                assert_true(!last || (way ? entry.seq > last : entry.seq < last));
                last = after = entry.seq;
                count++;
            }
            lk_abort(&ledger->bench->txn);
        }
        assert_int_equal(count, 48);
    }
    ledger_close(ledger);
}

static void test_audit_refuses_entries_without_substance(void **state)
{
    static const unsigned needed[] = {12, 13, 16};
    struct bench *bench = bench_open();
    uint64_t print = bench_print(bench);
    struct lk_audit_entry entry;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(needed); i++) {
        const struct lk_field *field = lk_field_numbered(&lk_kind_audit, needed[i]);

        memset(&entry, 0, sizeof(entry));
        entry.record.id.tenant = bench->tenant;
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 12), LK_TEXT("a"));
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 13), LK_TEXT("b"));
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 16), LK_TEXT("c"));
        lk_field_set_span(&entry.record, field, LK_TEXT(""));
        bench_write(bench);
        assert_int_equal(lk_audit_write(&bench->txn, LK_RING_ADMIN, &entry), LK_E_CHECK);
        assert_string_equal(lk_problem(&bench->txn)->field, field->name);
        assert_string_equal(lk_problem(&bench->txn)->rule, "is empty");
        entry.record.present &= ~LK_BIT(needed[i]);
        assert_int_equal(lk_audit_write(&bench->txn, LK_RING_ADMIN, &entry), LK_E_CHECK);
        assert_string_equal(lk_problem(&bench->txn)->rule, "is required");
        assert_int_equal(lk_audit_write(&bench->txn, (enum lk_ring_number)2, &entry), LK_E_STATE);
        bench_commit(bench);
        assert_true(bench_print(bench) == print);
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit_rings_wrap_and_keep_their_order),
        cmocka_unit_test(test_audit_entries_undone_leave_no_gap),
        cmocka_unit_test(test_audit_capacity_grows_and_shrinks),
        cmocka_unit_test(test_audit_capacity_change_is_audited),
        cmocka_unit_test(test_audit_shrinks_past_retention_only),
        cmocka_unit_test(test_audit_queries_narrow_and_page),
        cmocka_unit_test(test_audit_pages_meet_every_entry_once),
        cmocka_unit_test(test_audit_refuses_entries_without_substance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
