// SPDX-License-Identifier: MIT
/* A user who is made with roles in one put is the one that a put and grants make, or none. */
#include "bench.h"

#include "lk_engine.h"

static struct lk_user *named(struct bench *bench, const char *name)
{
    static struct lk_user user;

    memset(&user, 0, sizeof(user));
    user.record.id.tenant = bench->tenant;
    lk_set_text(&lk_kind_user, &user.record, "username", name);
    return &user;
}

static uint32_t role(struct bench *bench, const char *name)
{
    return bench_named(bench, &lk_kind_role, name).sub;
}

static void test_user_add_is_what_grants_make(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id one, other;
    struct lk_user user;
    struct lk_grant granted, given;
    uint8_t roles[16];
    size_t size;
    uint32_t wanted[2];
    unsigned i;

    (void)state;
    bench_write(bench);
    wanted[0] = role(bench, "viewer");
    wanted[1] = role(bench, "operator");
    assert_true(wanted[0] > wanted[1]); /* any order will do */
    assert_int_equal(lk_user_add(&bench->txn, named(bench, "one"), wanted, 2), 0);
    assert_int_equal(lk_find_user(&bench->txn, bench->tenant, LK_TEXT("one"), &one), 0);
    assert_int_equal(lk_add(&bench->txn, &lk_kind_user, &named(bench, "other")->record, NULL), 0);
    assert_int_equal(lk_find_user(&bench->txn, bench->tenant, LK_TEXT("other"), &other), 0);
    for (i = 0; i < 2; i++) {
        assert_int_equal(
            lk_role_grant(&bench->txn, other, (struct lk_id){other.tenant, 0, wanted[i]}, 0), 0);
    }
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, other, &user.record), 0);
    size = user.roles.size;
    assert_true(size > 0 && size <= sizeof(roles));
    memcpy(roles, user.roles.data, size);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, one, &user.record), 0);
    assert_int_equal(user.roles.size, size);
    assert_memory_equal(user.roles.data, roles, size);
    for (i = 0; i < 2; i++) {
        struct lk_id a = {one.tenant, one.user, wanted[i]}, b = {one.tenant, other.user, wanted[i]};

        assert_int_equal(lk_get(&bench->txn, &lk_kind_grant, a, &granted.record), 0);
        assert_int_equal(lk_get(&bench->txn, &lk_kind_grant, b, &given.record), 0);
        assert_int_equal(granted.role, wanted[i]);
        assert_int_equal(granted.assigned_at, given.assigned_at);
        assert_true(granted.record.present == given.record.present);
    }
    /* And without any role it is a plain one. */
    assert_int_equal(lk_user_add(&bench->txn, named(bench, "plain"), NULL, 0), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* Entries: one for the user and one for each grant, as if they had been made one by one. */
static void test_user_add_is_audited(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    static const char *const actions[] = {"role.grant", "user.add"}; /* newest first */
    uint32_t wanted;
    unsigned i;

    (void)state;
    bench_write(bench);
    wanted = role(bench, "viewer");
    assert_int_equal(lk_user_add(&bench->txn, named(bench, "one"), &wanted, 1), 0);
    bench_commit(bench);
    bench_read(bench);
    memset(&query, 0, sizeof(query));
    query.tenant = bench->tenant;
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    for (i = 0; i < LK_COUNT(actions); i++) {
        assert_int_equal(lk_audit_next(&query, &entry), 0);
        assert_true(lk_span_equal(entry.action, bench_text(actions[i])));
    }
    bench_close(bench);
}

static void refused(struct bench *bench, uint32_t actor, struct lk_user *user,
                    const uint32_t *roles, size_t count, int answer)
{
    uint64_t print = bench_print(bench);

    bench_write(bench);
    bench->txn.actor.tenant = actor ? bench->tenant : 0;
    bench->txn.actor.user = actor;
    assert_int_equal(lk_user_add(&bench->txn, user, roles, count), answer);
    bench_commit(bench);
    assert_true(bench_print(bench) == print);
}

static void test_user_add_refused_changes_nothing(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id clerk = bench_user(bench, "clerk", BENCH_PASSWORD), gone = {bench->tenant, 0, 0};
    static uint32_t many[LK_GRANT_MAX + 1];
    struct lk_user *user;
    uint32_t roles[2], admin, i;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_role, &gone, "name=gone", NULL), 0);
    gone = bench_named(bench, &lk_kind_role, "gone");
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, gone, NULL), 0);
    roles[0] = role(bench, "viewer");
    admin = role(bench, "admin");
    bench_commit(bench);
    roles[1] = 999; /* none has this number */
    refused(bench, 0, named(bench, "one"), roles, 2, LK_E_REFERENCE);
    roles[1] = gone.sub;
    refused(bench, 0, named(bench, "one"), roles, 2, LK_E_REFERENCE);
    refused(bench, 0, named(bench, "clerk"), roles, 1, LK_E_CONFLICT);
    refused(bench, 0, named(bench, "no@form"), roles, 1, LK_E_CHECK);
    for (i = 0; i < LK_GRANT_MAX + 1; i++) {
        many[i] = i + 1;
    }
    refused(bench, 0, named(bench, "one"), many, LK_GRANT_MAX + 1, LK_E_LIMIT);
    /* The roles are those that are told, and whatever else is the store's is not the caller's. */
    user = named(bench, "one");
    lk_set_span(&lk_kind_user, &user->record, "roles", LK_TEXT("\x80"));
    refused(bench, 0, user, roles, 1, LK_E_CHECK);
    /* Nobody gives what they do not hold. */
    refused(bench, clerk.user, named(bench, "one"), &admin, 1, LK_E_REFUSED);
    bench_write(bench);
    bench->txn.actor.tenant = bench->tenant;
    bench->txn.actor.user = bench->admin.user;
    assert_int_equal(lk_user_add(&bench->txn, named(bench, "one"), &admin, 1), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_read(bench);
    assert_int_equal(lk_user_add(&bench->txn, named(bench, "two"), NULL, 0), LK_E_STATE);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_add_is_what_grants_make),
        cmocka_unit_test(test_user_add_is_audited),
        cmocka_unit_test(test_user_add_refused_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
