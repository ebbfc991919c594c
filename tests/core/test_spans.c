// SPDX-License-Identifier: MIT
/* A day over a storage that lends each span until the next call only, as a board's may. */
#include "audit_help.h"

#include "lk_engine.h"
#include "span_storage.h"

#define SPANS_MEMORY (1u << 20)

static struct span_storage spans;

static struct bench *spans_open(void)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct bench *bench = bench_bare(SPANS_MEMORY);
    struct lk_create_result made;

    span_storage_init(&spans, bench->under);
    bench->config.storage = &spans.storage;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->admin = made.admin;
    bench->tenant = made.admin.tenant;
    return bench;
}

/* Users, roles and keys that every index and every kind has something of. */
static struct lk_id spans_people(struct bench *bench)
{
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_id bob = bench_user(bench, "bob", NULL), key;
    struct lk_id permission = {0, 0, 0}, base = {0, 0, 0}, child = {0, 0, 0};
    char token[LK_TOKEN_SIZE];

    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=doors",
                               "resource=door", "action=*", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &base, "name=base", "permissions=doors", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &child, "name=child", "parent=base",
                               "permissions=user:read", NULL),
                     0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, child, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, base, 0), 0);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "email=alice@example.org",
                               "identity_provider=ldap", "identity_provider_id=a1", NULL),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("meter"), LK_TEXT(""),
                                    lk_now(&bench->txn) + LK_MS_PER_DAY, token, &key),
                     0);
    assert_int_equal(lk_role_grant(&bench->txn, bob, base, 0), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, bob, NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, token, "door:open"), 0);
    return alice;
}

static unsigned spans_list(struct bench *bench, struct lk_list list)
{
    union lk_any_record record;
    unsigned count = 0;

    bench_read(bench);
    list.scope.tenant = list.kind->shape == LK_SHAPE_TENANT ? 0 : bench->tenant;
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &record.record)) {
        count++;
    }
    lk_list_end(&list);
    lk_abort(&bench->txn);
    return count;
}

static void spans_lists(struct bench *bench)
{
    size_t i, n;

    for (i = 0; lk_kinds[i]; i++) {
        const struct lk_kind *kind = lk_kinds[i];
        unsigned way;

        for (way = 0; way < 4; way++) {
            bool reverse = way & 1, computed = way & 2;
            struct lk_list by_id = {.kind = kind, .reverse = reverse, .computed = computed};

            (void)spans_list(bench, by_id);
            for (n = 0; n < kind->index_count; n++) {
                struct lk_list by_index = {.kind = kind,
                                           .index = &kind->indexes[n],
                                           .reverse = reverse,
                                           .computed = computed};

                (void)spans_list(bench, by_index);
            }
            if (kind->flags & LK_K_SOFT_DELETE) {
                struct lk_list removed = {.kind = kind, .reverse = reverse, .deleted = true};

                assert_int_equal(spans_list(bench, removed), kind == &lk_kind_user);
            }
        }
    }
    assert_int_equal(spans_list(bench, (struct lk_list){.kind = &lk_kind_user}), 2);
}

static void spans_audit(struct bench *bench)
{
    unsigned way, counts[2] = {0, 0}, opened = 0, repeats = 0;

    for (way = 0; way < 2; way++) {
        struct lk_audit_query query = {
            .tenant = bench->tenant, .oldest_first = way != 0, .open = true};
        struct lk_audit_entry entry;

        bench_read(bench);
        assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
        while (!lk_audit_next(&query, &entry)) {
            assert_true(entry.action.size > 0 && entry.action.data[0] >= 'a' &&
                        entry.action.data[0] <= 'z');
            counts[way]++;
            if (entry.ip.size) {
                assert_true(lk_span_equal(entry.ip, LK_TEXT("\x0A\x00\x00\x01")));
                assert_true(lk_span_equal(entry.description, LK_TEXT("the north door")));
                assert_int_equal(entry.source_tag.size, 8);
                opened++;
            }
            if (entry.repeats) {
                assert_true(lk_span_equal(entry.description, LK_TEXT("login refused")));
                repeats++;
            }
        }
        lk_abort(&bench->txn);
    }
    assert_int_equal(opened, 2);
    assert_int_equal(repeats, 2);
    assert_true(counts[0] > 5);
    assert_int_equal(counts[0], counts[1]);
}

static void test_spans_day(void **state)
{
    struct bench *bench = spans_open();
    struct lk_id alice = spans_people(bench);
    struct lk_login_result result;
    struct lk_user user;
    bool more = true;

    (void)state;
    bench_verify(bench);
    assert_int_equal(bench_login(bench, "alice", "wrong secret", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "wrong secret", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "nobody", "wrong secret", &result), LK_E_REFUSED);
    bench->actor = (struct lk_actor){
        .tenant = alice.tenant, .user = alice.user, .ip = LK_TEXT("\x0A\x00\x00\x01")};
    bench_write(bench);
    audit_add(bench, bench->tenant, LK_RING_ADMIN, "door.open", LK_SUCCESS);
    bench_commit(bench);
    memset(&bench->actor, 0, sizeof(bench->actor));
    assert_int_equal(bench_login(bench, "alice@example.org", "alice's secret", &result), 0);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    assert_int_equal(bench_check(bench, result.token, "user:read"), 0);
    assert_int_equal(bench_check(bench, result.token, "user:write"), LK_E_REFUSED);
    bench_read(bench);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, alice, &user.record), 0);
    assert_int_equal(user.session_count, 1);
    assert_int_equal(user.username.size, 5);
    assert_memory_equal(user.username.data, "alice", 5);
    spans_lists(bench);
    spans_audit(bench);
    bench_verify(bench);
    bench_reopen(bench);
    lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "audit_capacity=16", "purge_after_days=1", NULL),
                     0);
    while (more) {
        assert_true(lk_maintain(&bench->txn, 100, &more) >= 0);
    }
    bench_commit(bench);
    bench_verify(bench);
    spans_audit(bench);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "audit_days=1", NULL),
                     0);
    more = true;
    while (more) {
        assert_true(lk_maintain(&bench->txn, 2, &more) >= 0);
    }
    bench_commit(bench);
    bench_verify(bench);
    assert_int_equal(audit_count(bench, bench->tenant, "tenant.add"), 0);
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, alice, NULL), 0);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, alice), 0);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    bench_verify(bench);
    assert_int_equal(spans_list(bench, (struct lk_list){.kind = &lk_kind_user}), 1);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}),
                     0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
