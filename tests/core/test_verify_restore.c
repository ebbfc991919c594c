// SPDX-License-Identifier: MIT
/* Records put back from a file that somebody wrote: what no store would have is refused. */
#include "bench.h"

#include "lk_engine.h"

static void refused(struct bench *bench, const struct lk_kind *kind, struct lk_record *record,
                    const char *field, const char *rule)
{
    uint64_t print;
    int error;

    lk_abort(&bench->txn);
    print = bench_print(bench);
    bench_write(bench);
    error = lk_put_back(&bench->txn, kind, record);
    if (error != LK_E_CHECK) {
        fail_msg("%s: put back with %d", field, error);
    }
    assert_string_equal(lk_problem(&bench->txn)->field, field);
    assert_string_equal(lk_problem(&bench->txn)->rule, rule);
    bench_commit(bench);
    assert_true(bench_print(bench) == print);
    bench_write(bench);
}

static void new_user(const struct bench *bench, struct lk_user *user)
{
    memset(user, 0, sizeof(*user));
    user->record.id = (struct lk_id){bench->tenant, 77, 0};
    lk_set_text(&lk_kind_user, &user->record, "username", "alice");
}

static void test_restore_checks_users(void **state)
{
    struct bench *bench = bench_open();
    struct lk_user user;
    size_t i;

    (void)state;
    for (i = 0; i < LK_AUDIT_FIELD_COUNT; i++) {
        const struct lk_field *field = &lk_audit_fields[i];

        new_user(bench, &user);
        lk_field_set_number(&user.record, field, UINT64_MAX);
        refused(bench, &lk_kind_user, &user.record, field->name,
                field->type == LK_TIME ? "is after the year 9999" : "is not a number of a record");
    }
    new_user(bench, &user);
    lk_set_text(&lk_kind_user, &user.record, "username", "admin@example.org");
    refused(bench, &lk_kind_user, &user.record, "username",
            "holds '@' but is not the user's own e-mail address");
    lk_set_text(&lk_kind_user, &user.record, "email", "Admin@example.org");
    lk_field_set_number(&user.record, &lk_audit_fields[0], 1000);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_user, &user.record), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

static void test_restore_checks_grants(void **state)
{
    struct bench *bench = bench_open();
    struct lk_grant grant;
    struct lk_id viewer;

    (void)state;
    bench_write(bench);
    viewer = bench_named(bench, &lk_kind_role, "viewer");
    memset(&grant, 0, sizeof(grant));
    grant.record.id = (struct lk_id){bench->tenant, bench->admin.user, viewer.sub};
    lk_set_number(&lk_kind_grant, &grant.record, "role", viewer.sub + 1);
    refused(bench, &lk_kind_grant, &grant.record, "role",
            "is not the role that the grant is filed under");
    lk_set_number(&lk_kind_grant, &grant.record, "role", viewer.sub);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_grant, &grant.record), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

static void new_role(const struct bench *bench, struct lk_role *role, uint32_t number,
                     uint32_t parent, const char *name)
{
    memset(role, 0, sizeof(*role));
    role->record.id = (struct lk_id){bench->tenant, 0, number};
    lk_set_text(&lk_kind_role, &role->record, "name", name);
    if (parent) {
        lk_set_number(&lk_kind_role, &role->record, "parent", parent);
    }
}

/* In whatever order they come, the one that closes the circle is refused. */
static void test_restore_refuses_circles_of_roles(void **state)
{
    static const uint32_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {2, 1, 0}};
    static const char *const names[] = {"a", "b", "c"};
    struct bench *bench = bench_open();
    struct lk_role role;
    size_t i, k;

    (void)state;
    for (i = 0; i < LK_COUNT(orders); i++) {
        bench_write(bench);
        for (k = 0; k < 3; k++) {
            uint32_t at = orders[i][k];
            int error;

            new_role(bench, &role, 70 + at, 70 + (at + 1) % 3, names[at]);
            error = lk_put_back(&bench->txn, &lk_kind_role, &role.record);
            assert_int_equal(error, k == 2 ? LK_E_CHECK : 0);
        }
        assert_string_equal(lk_problem(&bench->txn)->field, "parent");
    }
    bench_write(bench);
    new_role(bench, &role, 70, 70, "self");
    refused(bench, &lk_kind_role, &role.record, "parent", "would make the role its own ancestor");
    bench_close(bench);
}

static void test_restore_takes_roles_in_any_order(void **state)
{
    struct bench *bench = bench_open();
    struct lk_role role;
    uint32_t i;
    char name[8];

    (void)state;
    bench_write(bench);
    for (i = 0; i < LK_ROLE_DEPTH; i++) {
        (void)snprintf(name, sizeof(name), "r%u", (unsigned)i);
        new_role(bench, &role, 70 + i, i + 1 < LK_ROLE_DEPTH ? 71 + i : 0, name);
        assert_int_equal(lk_put_back(&bench->txn, &lk_kind_role, &role.record), 0);
    }
    bench_commit(bench);
    bench_verify(bench);
    new_role(bench, &role, 69, 70, "one too many");
    bench_write(bench);
    refused(bench, &lk_kind_role, &role.record, "parent", "would make more than 8 levels of roles");
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restore_checks_users),
        cmocka_unit_test(test_restore_checks_grants),
        cmocka_unit_test(test_restore_refuses_circles_of_roles),
        cmocka_unit_test(test_restore_takes_roles_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
