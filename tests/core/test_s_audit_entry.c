// SPDX-License-Identifier: MIT
/*
 * What cannot be audited does not happen (S18); what entries must and must not hold (S19); what is
 * personal in them goes with the user (S20).
 */
#include "audit_help.h"

static const uint8_t here[4] = {192, 0, 2, 7};
static const uint8_t there[16] = {0x20, 0x01, 0x0D, 0xB8, 9, 8, 7, 6, 5, 4, 3, 2, 1, 2, 3, 4};
static const char agent[] = "Peculiar-Agent/7.1";

static void act_as(struct bench *bench, struct lk_id user, struct lk_span address)
{
    bench->actor = (struct lk_actor){.tenant = user.tenant,
                                     .user = user.user,
                                     .channel = LK_CHANNEL_HTTP,
                                     .ip = address,
                                     .user_agent = bench_text(agent)};
}

/* ---- S18 ---- */

/* A storage that has no room for entries of the audit, or loses them. */
static struct {
    const struct lk_storage_ops *inner;
    int error;
    unsigned hits;
} full;

static int full_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    struct lk_span rest = key;
    uint32_t tenant;

    if (full.error && !lk_key_take_u32(&rest, &tenant) && rest.size > 3 && rest.data[0] == 0 &&
        rest.data[1] == 0 && rest.data[2] == LK_KIND_AUDIT) {
        full.hits++;
        txn->failed = full.error;
        return full.error;
    }
    return full.inner->put(txn, key, value);
}

static int change(struct bench *bench, unsigned number, struct lk_id alice, struct lk_id role)
{
    struct lk_txn *txn = &bench->txn;
    struct lk_id id = {0, 0, 0};
    char token[LK_TOKEN_SIZE];

    switch (number) {
    case 0: return bench_add(bench, &lk_kind_user, &id, "username=eve", NULL);
    case 1: return bench_set(bench, &lk_kind_user, alice, "email=a@b.org", NULL);
    case 2: return lk_user_set_status(txn, alice, LK_USER_SUSPENDED);
    case 3: return lk_remove(txn, &lk_kind_user, alice, NULL);
    case 4: return lk_purge(txn, &lk_kind_user, alice);
    case 5: return lk_role_grant(txn, alice, role, 0);
    case 6: return bench_add(bench, &lk_kind_role, &id, "name=guard", NULL);
    case 7: return lk_remove(txn, &lk_kind_role, role, NULL);
    case 8: return lk_tenant_set_status(txn, bench->tenant, LK_TENANT_SUSPENDED);
    case 9: return lk_api_key_add(txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, token, &id);
    case 10: return lk_user_unlock(txn, alice);
    case 11:
        return bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                         "password_min=20", NULL);
    default: return LK_E_ARGUMENT;
    }
}

static void test_s18_what_cannot_be_audited_is_refused(void **state)
{
    static const int errors[] = {LK_E_FULL, LK_E_IO};
    struct lk_storage_ops ops;
    unsigned number, refused = 0;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(errors); i++) {
        for (number = 0; number < 12; number++) {
            struct bench *bench = bench_open();
            struct lk_id alice = bench_user(bench, "alice", NULL), role;
            uint64_t before;
            int error;

            full.inner = bench->fault.storage.ops;
            ops = *full.inner;
            ops.put = full_put;
            bench->fault.storage.ops = &ops;
            act_as(bench, bench->admin, (struct lk_span){here, sizeof(here)});
            before = bench_print(bench);
            full.error = errors[i];
            full.hits = 0;
            bench_write(bench);
            role = bench_named(bench, &lk_kind_role, "viewer");
            error = change(bench, number, alice, role);
            assert_int_equal(full.hits, 1);
            assert_int_equal(error, errors[i]);
            /* Who goes on all the same does not get it either. */
            assert_int_not_equal(lk_commit(&bench->txn), 0);
            full.error = 0;
            assert_true(bench_print(bench) == before);
            refused++;
            /* With room again it is done, and is in the audit. */
            bench_write(bench);
            assert_int_equal(change(bench, number, alice, role), 0);
            bench_commit(bench);
            assert_true(bench_print(bench) != before);
            bench_verify(bench);
            bench->fault.storage.ops = full.inner;
            bench_close(bench);
        }
    }
    print_message("[  figure  ] %u administrative changes without their entry, %u refused\n",
                  refused, refused);
}

/* A damaged newest slot is no reason to lock a tenant up: the entry is written, and tells. */
static void test_s18_a_damaged_head_is_told_not_passed_over(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_query query;
    struct lk_audit_entry entry = audit_newest(bench, &query, bench->tenant, NULL);
    struct lk_key key;
    uint64_t seq = entry.seq;

    (void)state;
    lk_key_record(&key, &lk_kind_audit, entry.record.id);
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 70), 0);
    (void)bench_user(bench, "alice", NULL);
    lk_fault_restore(&bench->fault);
    entry = audit_newest(bench, &query, bench->tenant, NULL);
    assert_true(lk_span_equal(entry.action, LK_TEXT("user.add")));
    assert_int_equal(entry.dropped, 1);
    assert_true(entry.seq == seq);
    bench_close(bench);
}

/* ---- S19 ---- */

static void test_s19_entries_hold_what_they_must(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_audit_query query = {.tenant = bench->tenant, .oldest_first = true};
    struct lk_audit_entry entry;
    struct lk_login_result result;
    unsigned count = 0, number;

    (void)state;
    act_as(bench, bench->admin, (struct lk_span){there, sizeof(there)});
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_login(bench, "alice", "not hers", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "zoe", "not hers", &result), LK_E_REFUSED);
    for (number = 0; number < 4; number++) {
        bench_write(bench);
        assert_int_equal(change(bench, number, alice, alice), 0);
        bench_commit(bench);
    }
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count++;
        /* Time stamp, source, category, type, id, result. */
        assert_true(LK_HAS(&entry.record, 9) && entry.at >= LK_FAKE_START_MS);
        assert_true(LK_HAS(&entry.record, 10) && LK_HAS(&entry.record, 18));
        assert_true(entry.category <= LK_CATEGORY_SYSTEM && entry.outcome <= LK_FAILURE);
        assert_true(entry.action.size && entry.resource_type.size && entry.description.size);
        assert_true(LK_HAS(&entry.record, 8) && LK_HAS(&entry.record, 63));
        assert_true(!LK_HAS(&entry.record, 20) || entry.source_tag.size == 8);
    }
    assert_true(count > 9);
    bench_close(bench);
}

/* ---- S20 ---- */

static void test_s20_personal_data_go_with_the_user(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    unsigned i, erased = 0, readable = 0;
    int error;

    (void)state;
    for (i = 0; i < 6; i++) {
        act_as(bench, i % 2 ? alice : bob, (struct lk_span){there, sizeof(there)});
        bench_write(bench);
        audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
        bench_commit(bench);
        entry = audit_newest(bench, &query, bench->tenant, NULL);
        assert_true(lk_span_equal(entry.ip, (struct lk_span){there, sizeof(there)}));
        assert_true(lk_span_equal(entry.user_agent, bench_text(agent)));
        assert_true(lk_span_equal(entry.description, LK_TEXT("the north door")));
        assert_false(entry.erased);
        /* None of it is stored in the clear. */
        assert_int_equal(
            bench_occurs(entry.record.raw.data, entry.record.raw.size, there, sizeof(there)), 0);
        assert_int_equal(
            bench_occurs(entry.record.raw.data, entry.record.raw.size, agent, strlen(agent)), 0);
        assert_int_equal(bench_occurs(entry.record.raw.data, entry.record.raw.size, "north", 5), 0);
    }
    memset(&bench->actor, 0, sizeof(bench->actor));
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    bench_verify(bench);
    memset(&query, 0, sizeof(query));
    query.tenant = bench->tenant;
    query.action = LK_TEXT("door.open");
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!(error = lk_audit_next(&query, &entry))) {
        if (entry.actor == alice.user) {
            assert_true(entry.erased && !entry.ip.size && !entry.user_agent.size &&
                        !entry.description.size);
            erased++;
        } else {
            assert_true(lk_span_equal(entry.ip, (struct lk_span){there, sizeof(there)}));
            readable++;
        }
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    assert_int_equal(erased, 3);
    assert_int_equal(readable, 3);
    bench_close(bench);
}

/* In one transaction with the purge: what comes after it has nobody to belong to. */
static void test_s20_nothing_is_kept_of_who_is_just_gone(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    struct lk_activity activity;

    (void)state;
    act_as(bench, alice, (struct lk_span){here, sizeof(here)});
    bench_write(bench);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.shut", LK_SUCCESS);
    bench_commit(bench);
    entry = audit_newest(bench, &query, bench->tenant, NULL);
    assert_true(lk_span_equal(entry.action, LK_TEXT("door.shut")));
    assert_false(LK_HAS(&entry.record, 25));
    assert_int_equal(lk_record_load(&bench->txn, &lk_kind_activity, alice, &activity.record),
                     LK_E_NOT_FOUND);
    bench_verify(bench);
    bench_close(bench);
}

/* A key that was made in a transaction that did not happen seals nothing afterwards. */
static void test_s20_keys_of_undone_transactions_are_not_used(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_audit_query query;
    struct lk_audit_entry entry;

    (void)state;
    act_as(bench, alice, (struct lk_span){here, sizeof(here)});
    bench_write(bench);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    lk_abort(&bench->txn);
    bench_write(bench);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    bench_commit(bench);
    entry = audit_newest(bench, &query, bench->tenant, NULL);
    assert_false(entry.erased);
    assert_true(lk_span_equal(entry.ip, (struct lk_span){here, sizeof(here)}));
    bench_close(bench);
}

/* The same text at the same place, of a transaction that did not happen and of one that did: what
 * the medium may still hold of the first tells nothing of the second. */
static void test_s20_no_place_is_sealed_twice_alike(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    uint8_t first[LK_AUDIT_SEALED_MAX];
    size_t size = 0;
    unsigned i;

    (void)state;
    act_as(bench, alice, (struct lk_span){here, sizeof(here)});
    bench_write(bench); /* the key is there before */
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    bench_commit(bench);
    for (i = 0; i < 2; i++) {
        struct lk_audit_entry entry;
        struct lk_audit_ring layout;
        size_t k, same = 0;

        bench_write(bench);
        audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
        layout = audit_layout(bench, bench->tenant, LK_RING_ADMIN);
        assert_int_equal(
            lk_audit_slot(&bench->txn, bench->tenant, LK_RING_ADMIN, layout.head, &entry), 0);
        for (k = 8; i && k < size; k++) {
            same += first[k] == entry.sealed.data[k];
        }
        assert_true(same < 10);
        size = entry.sealed.size;
        memcpy(first, entry.sealed.data, size);
        lk_abort(&bench->txn);
    }
    assert_true(size > 60);
    bench_close(bench);
}

/* What is nobody's is the tenant's; who comes from another tenant leaves the address in his own. */
static void test_s20_whose_the_data_are(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("nobody"),
                                       .password = LK_TEXT("a guess"),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {here, sizeof(here)},
                                       .user_agent = LK_TEXT("a robot")};
    struct lk_login_result result;
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    struct lk_id second = {0, 0, 0};
    uint8_t tag[8];

    (void)state;
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    entry = audit_newest(bench, &query, bench->tenant, NULL);
    assert_int_equal(entry.actor, 0);
    assert_true(lk_span_equal(entry.ip, request.ip));
    assert_true(lk_span_equal(entry.user_agent, request.user_agent));
    memcpy(tag, entry.source_tag.data, sizeof(tag));
    request.tenant = 77; /* of no tenant at all: in the store's own ring */
    lk_abort(&bench->txn);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    entry = audit_newest(bench, &query, 0, NULL);
    assert_true(lk_span_equal(entry.ip, request.ip));
    assert_memory_not_equal(entry.source_tag.data, tag, sizeof(tag));

    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &second, "name=second", NULL), 0);
    bench_commit(bench);
    act_as(bench, bench->admin, (struct lk_span){here, sizeof(here)});
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, second, "audit_days=30", NULL), 0);
    bench_commit(bench);
    entry = audit_newest(bench, &query, second.tenant, NULL);
    assert_true(lk_span_equal(entry.action, LK_TEXT("tenant.set")));
    assert_int_equal(entry.actor, 0);
    assert_int_equal(entry.ip.size + entry.user_agent.size, 0);
    assert_int_equal(entry.source_tag.size, 8);
    assert_memory_not_equal(entry.source_tag.data, tag, sizeof(tag));
    entry = audit_newest(bench, &query, bench->tenant, NULL);
    assert_true(lk_span_equal(entry.action, LK_TEXT("tenant.set")));
    assert_int_equal(entry.actor, bench->admin.user);
    assert_true(lk_span_equal(entry.ip, request.ip));
    assert_memory_equal(entry.source_tag.data, tag, sizeof(tag));
    bench_verify(bench);
    bench_close(bench);
}

/* By source without opening anything; two users, one address. */
static void test_s20_sources_are_found_by_their_tag(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    unsigned i, way;

    (void)state;
    for (i = 0; i < 12; i++) {
        act_as(bench, i % 2 ? alice : bob,
               i % 3 ? (struct lk_span){here, sizeof(here)} : (struct lk_span){there, 16});
        bench_write(bench);
        audit_add(bench, bench->tenant, LK_RING_ACTIVITY, "door.open", LK_SUCCESS);
        bench_commit(bench);
    }
    for (way = 0; way < 2; way++) {
        unsigned count = 0;

        memset(&query, 0, sizeof(query));
        query.tenant = bench->tenant;
        query.closed = way != 0;
        query.source = (struct lk_span){there, sizeof(there)};
        bench_read(bench);
        assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
        while (!lk_audit_next(&query, &entry)) {
            count++;
            assert_int_equal(entry.ip.size, way ? 0 : 16);
        }
        assert_int_equal(count, 4);
    }
    query.source = LK_TEXT("five!");
    assert_int_equal(lk_audit_begin(&bench->txn, &query), LK_E_ARGUMENT);
    bench_close(bench);
}

/* Given what the store fills in itself, an application gets it overwritten, not believed. */
static void test_s19_applications_forge_nothing(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    size_t i;

    (void)state;
    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = bench->tenant;
    for (i = 0; i < lk_kind_audit.field_count; i++) {
        const struct lk_field *field = &lk_kind_audit.fields[i];

        if (lk_field_is_number(field)) {
            lk_field_set_number(&entry.record, field, 1);
        } else {
            lk_field_set_span(&entry.record, field,
                              field->type == LK_MAP       ? LK_TEXT("\xA0")
                              : field->type == LK_ADDRESS ? (struct lk_span){here, 4}
                                                          : LK_TEXT("sixteen letters."));
        }
    }
    bench_write(bench);
    assert_int_equal(lk_audit_write(&bench->txn, LK_RING_ADMIN, &entry), 0);
    bench_commit(bench);
    entry = audit_newest(bench, &query, bench->tenant, NULL);
    assert_true(entry.seq > 1 && entry.at >= LK_FAKE_START_MS);
    assert_int_equal(entry.actor + entry.session + entry.repeats + entry.dropped, 0);
    assert_int_equal(entry.first_at + entry.last_at + entry.open, 0);
    assert_true(lk_span_equal(entry.ip, (struct lk_span){here, 4}));
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s18_what_cannot_be_audited_is_refused),
        cmocka_unit_test(test_s18_a_damaged_head_is_told_not_passed_over),
        cmocka_unit_test(test_s19_entries_hold_what_they_must),
        cmocka_unit_test(test_s19_applications_forge_nothing),
        cmocka_unit_test(test_s20_personal_data_go_with_the_user),
        cmocka_unit_test(test_s20_nothing_is_kept_of_who_is_just_gone),
        cmocka_unit_test(test_s20_keys_of_undone_transactions_are_not_used),
        cmocka_unit_test(test_s20_no_place_is_sealed_twice_alike),
        cmocka_unit_test(test_s20_whose_the_data_are),
        cmocka_unit_test(test_s20_sources_are_found_by_their_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
