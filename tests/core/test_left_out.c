// SPDX-License-Identifier: MIT
/* test_left_out.c: a store that was made without some indexes, as for a small part of flash. */
#include "bench.h"

#include "lk_engine.h"

static struct bench *lean_open(void)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct bench *bench = bench_bare(1u << 20);

    bench->config.left_out = LK_INDEXES_OPTIONAL;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->admin = made.admin;
    bench->tenant = made.admin.tenant;
    return bench;
}

static size_t entries(struct bench *bench, const struct lk_index *index)
{
    const struct lk_storage_ops *ops = bench->store.storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    struct lk_key prefix;
    size_t count = 0;
    int error;

    bench_read(bench);
    lk_key_index_prefix(&prefix, index, bench->tenant);
    assert_int_equal(lk_cursor_begin(&bench->txn, &cursor, &prefix), 0);
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    for (; !error; error = ops->next(&cursor, &key, &value)) {
        count++;
    }
    lk_cursor_end(&cursor);
    lk_abort(&bench->txn);
    assert_int_equal(error, LK_E_NOT_FOUND);
    return count;
}

/* Indexes that can be left out have no entry, the others all of theirs, whoever opens the store. */
static void entries_are_right(struct bench *bench, size_t users)
{
    size_t i, left_out = 0;

    for (i = 0; i < lk_kind_user.index_count; i++) {
        const struct lk_index *index = &lk_kind_user.indexes[i];

        if (LK_INDEXES_OPTIONAL >> index->number & 1) {
            assert_int_equal(entries(bench, index), 0);
            left_out++;
        }
    }
    assert_int_equal(left_out, 6);
    assert_int_equal(entries(bench, lk_index_named(&lk_kind_activity, LK_TEXT("last_login"))), 0);
    assert_int_equal(entries(bench, lk_index_named(&lk_kind_user, LK_TEXT("username"))), users);
    bench_verify(bench);
}

static void test_left_out_has_no_entries(void **state)
{
    struct bench *bench = lean_open();
    struct lk_login_result result;

    (void)state;
    (void)bench_user(bench, "alice", "her password");
    assert_int_equal(bench_login(bench, "alice", "her password", &result), 0);
    entries_are_right(bench, 2);
    /* A program that would keep them goes by what the store says. */
    bench->config.left_out = 0;
    bench_reopen(bench);
    (void)bench_user(bench, "bob", "his password");
    entries_are_right(bench, 3);
    bench_close(bench);
}

/* An order that cannot be had is refused; what is asked for by a value is found all the same. */
static void test_left_out_lists(void **state)
{
    struct bench *bench = lean_open();
    struct lk_list list = {.kind = &lk_kind_user, .scope = {bench->tenant, 0, 0}};
    struct lk_filter filter = {.field = lk_field_named(&lk_kind_user, LK_TEXT("roles"))};
    struct lk_user user;
    struct lk_id alice = bench_user(bench, "alice", "her password"), viewer;
    size_t i;

    (void)state;
    bench_write(bench);
    viewer = bench_named(bench, &lk_kind_role, "viewer");
    assert_int_equal(lk_role_grant(&bench->txn, alice, viewer, 0), 0);
    bench_commit(bench);
    for (i = 0; i < lk_kind_user.index_count; i++) {
        list.index = &lk_kind_user.indexes[i];
        bench_read(bench);
        if (LK_INDEXES_OPTIONAL >> list.index->number & 1) {
            assert_int_equal(lk_list_begin(&bench->txn, &list), LK_E_UNSUPPORTED);
            assert_string_equal(bench->txn.problem.field, list.index->name);
            assert_string_equal(bench->txn.problem.rule,
                                "is an index that this store was made without");
        } else {
            assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
            lk_list_end(&list);
        }
    }
    filter.number = viewer.sub;
    list.index = NULL;
    list.filters = &filter;
    list.filter_count = 1;
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    assert_int_equal(lk_list_next(&list, &user.record), 0);
    assert_int_equal(user.record.id.user, alice.user);
    assert_int_equal(lk_list_next(&list, &user.record), LK_E_NOT_FOUND);
    lk_list_end(&list);
    bench_close(bench);
}

/* A purged role is taken from all who had it, wherever they lie among the users. */
static void test_left_out_role_is_taken_away(void **state)
{
    struct bench *bench = lean_open();
    struct lk_id holders[6], role = {0, 0, 0};
    size_t i;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, "name=night", NULL), 0);
    bench_commit(bench);
    for (i = 0; i < LK_COUNT(holders); i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "user%zu", i);
        holders[i] = bench_user(bench, name, "a password of theirs");
        if (i % 2) {
            bench_write(bench);
            assert_int_equal(lk_role_grant(&bench->txn, holders[i], role, 0), 0);
            bench_commit(bench);
        }
    }
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_role, role), 0);
    bench_commit(bench);
    bench_read(bench);
    for (i = 0; i < LK_COUNT(holders); i++) {
        struct lk_grant grant;

        assert_int_equal(lk_get(&bench->txn, &lk_kind_grant,
                                (struct lk_id){bench->tenant, holders[i].user, role.sub},
                                &grant.record),
                         LK_E_NOT_FOUND);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* What the store stands on is not left out. */
static void test_left_out_only_what_can_be(void **state)
{
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result made;
    struct bench *bench = bench_bare(1u << 20);
    unsigned i;

    (void)state;
    for (i = 0; i < 64; i++) {
        bench->config.left_out = LK_BIT(i);
        if (!(LK_INDEXES_OPTIONAL & LK_BIT(i))) {
            assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made),
                             LK_E_ARGUMENT);
        }
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_left_out_has_no_entries),
        cmocka_unit_test(test_left_out_only_what_can_be),
        cmocka_unit_test(test_left_out_lists),
        cmocka_unit_test(test_left_out_role_is_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
