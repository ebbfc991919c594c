// SPDX-License-Identifier: MIT
/* Faults that no damaged bit explains: values of a good form and checksum that should not be. */
#include "bench.h"

#include "lk_audit.h"

struct told {
    const char *what, *name;
    bool met;
};

static int tell(void *context, const struct lk_fault_report *report)
{
    struct told *told = context;

    told->met |= report->kind && strcmp(report->what, told->what) == 0 &&
                 strcmp(report->kind, told->name) == 0;
    return 0;
}

/* The fault is among those of the store as the open transaction sees it; then all is undone. */
static void expect_fault(struct bench *bench, const char *what, const char *name)
{
    struct told told = {.what = what, .name = name};
    struct lk_verify verify = {.on_fault = tell, .context = &told};

    assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
    if (!told.met) {
        fail_msg("not told: %s (%s)", what, name);
    }
    lk_abort(&bench->txn);
    bench_verify(bench);
    bench_write(bench);
}

/* Past every rule: the field as it is, and the checksum that makes it good. */
static void force(struct bench *bench, const struct lk_kind *kind, struct lk_id id, unsigned field,
                  uint64_t number)
{
    uint8_t buffer[LK_VALUE_MAX];
    union lk_any_record record;

    assert_int_equal(lk_record_load(&bench->txn, kind, id, &record.record), 0);
    lk_field_set_number(&record.record, lk_field_numbered(kind, field), number);
    assert_int_equal(lk_record_store(&bench->txn, kind, &record.record, buffer), 0);
}

static void force_gone(struct bench *bench, const struct lk_kind *kind, struct lk_id id)
{
    struct lk_key key;

    lk_key_record(&key, kind, id);
    assert_int_equal(bench->store.storage->ops->remove(&bench->txn.storage, lk_key_span(&key)), 0);
}

/* ---- The audit's rings ---- */

static void write_entries(struct bench *bench, unsigned count)
{
    struct lk_audit_entry entry;
    unsigned i;

    bench_write(bench);
    for (i = 0; i < count; i++) {
        memset(&entry, 0, sizeof(entry));
        entry.record.id.tenant = bench->tenant;
        lk_set_text(&lk_kind_audit, &entry.record, "action", "door.open");
        lk_set_text(&lk_kind_audit, &entry.record, "resource_type", "door");
        lk_set_text(&lk_kind_audit, &entry.record, "description", "opened");
        assert_int_equal(
            lk_audit_write(&bench->txn, i % 3 ? LK_RING_ACTIVITY : LK_RING_ADMIN, &entry), 0);
    }
    bench_commit(bench);
}

static uint32_t ring_size(struct bench *bench, uint32_t ring)
{
    uint32_t slot = 0;
    uint64_t seq = 1;

    for (; seq; slot++) {
        assert_int_equal(lk_audit_seq(&bench->txn, bench->tenant, ring, slot, &seq), 0);
    }
    return slot - 1;
}

/* Any one entry that goes is missed, but the newest of all or the oldest of a ring's run that any
 * ring may lose: of those nothing is left that could tell. */
static void every_slot_is_missed(struct bench *bench)
{
    uint32_t ring, slot, silent = 0;

    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        uint32_t size;

        bench_write(bench);
        size = ring_size(bench, ring);
        assert_true(size > 5);
        for (slot = 0; slot < size; slot++) {
            struct lk_verify verify = {.context = NULL};
            int error;

            bench_write(bench);
            force_gone(bench, &lk_kind_audit, (struct lk_id){bench->tenant, ring, slot});
            error = lk_verify(&bench->txn, &verify);
            if (slot + 1 < size) {
                assert_int_equal(error, LK_E_FAULTS);
            } else {
                silent += error == 0;
            }
            lk_abort(&bench->txn);
        }
    }
    assert_in_range(silent, 0, 1);
}

/* With an audit of the usual size, and with one that became smaller. */
static void in_both_sizes(void (*look)(struct bench *bench))
{
    struct bench *bench = bench_open();

    write_entries(bench, 40);
    bench_verify(bench);
    look(bench);
    lk_fake_advance(&bench->fake, 367 * (uint64_t)LK_MS_PER_DAY); /* past retention */
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "audit_capacity=16", NULL),
                     0);
    bench_commit(bench);
    write_entries(bench, 41);
    bench_verify(bench);
    look(bench);
    bench_close(bench);
}

static void test_verify_misses_every_slot_of_the_audit(void **state)
{
    (void)state;
    in_both_sizes(every_slot_is_missed);
}

static void test_verify_tells_slots_that_should_not_be(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_entry entry;
    uint8_t buffer[LK_VALUE_MAX];
    uint32_t capacity;

    (void)state;
    write_entries(bench, 9);
    bench_write(bench);
    assert_int_equal(lk_audit_capacity(&bench->txn, bench->tenant, &capacity), 0);
    assert_int_equal(lk_audit_slot(&bench->txn, bench->tenant, 0, 0, &entry), 0);
    entry.record.id.sub = capacity;
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_audit, &entry.record, buffer), 0);
    expect_fault(bench, "audit entry in a slot past the last", "audit");
    assert_int_equal(lk_audit_slot(&bench->txn, bench->tenant, 0, 0, &entry), 0);
    entry.record.id.user = LK_RING_COUNT;
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_audit, &entry.record, buffer), 0);
    expect_fault(bench, "audit entry of no ring", "audit");
    force_gone(bench, &lk_kind_audit, (struct lk_id){bench->tenant, 0, 0});
    expect_fault(bench, "audit entry does not follow the one before it in its ring", "audit");
    force_gone(bench, &lk_kind_audit, (struct lk_id){bench->tenant, 0, 2});
    expect_fault(bench, "audit slot is empty", "audit");
    bench_close(bench);
}

/* A damaged slot is told, and does not keep the rest from being looked at. */
static void every_damaged_slot_is_told(struct bench *bench)
{
    struct lk_verify clean = {.context = NULL}, verify = {.context = NULL};
    uint32_t ring, slot, size;

    bench_read(bench);
    assert_int_equal(lk_verify(&bench->txn, &clean), 0);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        size = ring_size(bench, ring);
        for (slot = 0; slot < size; slot++) {
            struct lk_key key;

            lk_key_record(&key, &lk_kind_audit, (struct lk_id){bench->tenant, ring, slot});
            assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 77), 0);
            assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
            assert_int_equal(verify.fault_count, 1);
            assert_int_equal(verify.record_count, clean.record_count);
            assert_int_equal(verify.index_count, clean.index_count);
            lk_fault_restore(&bench->fault);
        }
    }
}

static void test_verify_goes_on_past_damaged_slots(void **state)
{
    (void)state;
    in_both_sizes(every_damaged_slot_is_told);
}

/* ---- Records ---- */

static void test_verify_follows_references(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id child = {0, 0, 0}, viewer, admin, grant;

    (void)state;
    bench_write(bench);
    viewer = bench_named(bench, &lk_kind_role, "viewer");
    admin = bench_named(bench, &lk_kind_role, "admin");
    assert_int_equal(bench_add(bench, &lk_kind_role, &child, "name=child", "parent=viewer", NULL),
                     0);
    bench_commit(bench);
    grant = (struct lk_id){bench->tenant, bench->admin.user, admin.sub};

    bench_write(bench);
    force(bench, &lk_kind_role, viewer, 10, 4711);
    expect_fault(bench, "reference leads to nothing", "parent");
    force(bench, &lk_kind_role, viewer, 10, viewer.sub);
    expect_fault(bench, "role has too many parents, or itself for one", "role");
    force(bench, &lk_kind_role, viewer, 10, child.sub);
    expect_fault(bench, "role has too many parents, or itself for one", "role");
    force(bench, &lk_kind_grant, grant, 8, viewer.sub);
    expect_fault(bench, "role is not the one that the grant is filed under", "grant");
    force(bench, &lk_kind_grant, grant, 10, 4711); /* who granted it: nobody now */
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

static void test_verify_checks_audit_fields(void **state)
{
    struct bench *bench = bench_open();

    (void)state;
    bench_write(bench);
    force(bench, &lk_kind_user, bench->admin, 1, UINT64_C(253402300800000));
    expect_fault(bench, "field breaks its rule", "created_at");
    force(bench, &lk_kind_user, bench->admin, 4, (uint64_t)UINT32_MAX + 1);
    expect_fault(bench, "field breaks its rule", "updated_by");
    bench_close(bench);
}

static void test_verify_counts_numbers(void **state)
{
    static const struct lk_kind *const kinds[] = {&lk_kind_user, &lk_kind_role, &lk_kind_permission,
                                                  &lk_kind_credential, &lk_kind_tenant};
    struct bench *bench = bench_open();
    size_t i;

    (void)state;
    bench_write(bench);
    for (i = 0; i < LK_COUNT(kinds); i++) {
        struct lk_id id = {kinds[i] == &lk_kind_tenant ? 0 : bench->tenant, 0, kinds[i]->number};

        force(bench, &lk_kind_sequence, id, 8, 0);
        expect_fault(bench, "number is above the last one given out", kinds[i]->name);
        force_gone(bench, &lk_kind_sequence, id);
        expect_fault(bench, "number is above the last one given out", kinds[i]->name);
        force(bench, &lk_kind_sequence, id, 8, (uint64_t)UINT32_MAX + 1);
        expect_fault(bench, "sequence is of no kind, or past the last number", "sequence");
    }
    bench_close(bench);
}

static void test_verify_wants_the_own_address_for_a_name(void **state)
{
    struct bench *bench = bench_open();
    struct lk_user user;
    uint8_t buffer[LK_VALUE_MAX];

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, bench->admin, "username=a@example.org",
                               "email=A@example.org", NULL),
                     0);
    bench_commit(bench);
    bench_verify(bench);
    bench_write(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, bench->admin, &user.record), 0);
    lk_set_text(&lk_kind_user, &user.record, "email", "b@example.org");
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_user, &user.record, buffer), 0);
    expect_fault(bench, "username is an address that is not the user's own", "user");
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_misses_every_slot_of_the_audit),
        cmocka_unit_test(test_verify_tells_slots_that_should_not_be),
        cmocka_unit_test(test_verify_goes_on_past_damaged_slots),
        cmocka_unit_test(test_verify_follows_references),
        cmocka_unit_test(test_verify_checks_audit_fields),
        cmocka_unit_test(test_verify_counts_numbers),
        cmocka_unit_test(test_verify_wants_the_own_address_for_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
