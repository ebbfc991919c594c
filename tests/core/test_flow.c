// SPDX-License-Identifier: MIT
/* A day in the life of a store, through the public interface. */
#include "bench.h"

static void test_flow_create_login_check(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;

    (void)state;
    bench_verify(bench);
    assert_int_equal(bench_login(bench, "admin", "wrong horse", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "nobody", BENCH_PASSWORD, &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    assert_int_equal(strlen(result.token), LK_TOKEN_SIZE - 1);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    assert_int_equal(bench_check(bench, result.token, "user:write"), 0);
    assert_int_equal(bench_check(bench, result.token, "anything:whatever"), 0);
    bench_verify(bench);
    bench_reopen(bench);
    assert_int_equal(bench_check(bench, result.token, "user:write"), 0);
    lk_fake_advance(&bench->fake, 3601u * 1000);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

static void test_flow_claim_code_demands_a_password(void **state)
{
    struct bench *bench = bench_bare(1u << 20);
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result made;
    struct lk_login_result result;
    struct lk_problem problem;

    (void)state;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    bench_verify(bench);
    assert_int_equal(bench_login(bench, "admin", "AAAA-BBBB-CCCC-DDDD", &result), LK_E_REFUSED);
    assert_int_equal(bench_login_new(bench, "admin", made.claim, "", &result, &problem),
                     LK_E_MUST_CHANGE);
    assert_int_equal(bench_login_new(bench, "admin", made.claim, "short", &result, &problem),
                     LK_E_MUST_CHANGE);
    assert_string_equal(problem.rule, "has fewer than 8 bytes");
    assert_int_equal(bench_login_new(bench, "admin", made.claim, "a new password", &result, NULL),
                     0);
    assert_int_equal(bench_check(bench, result.token, "user:write"), 0);
    assert_int_equal(bench_login(bench, "admin", made.claim, &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", "a new password", &result), 0);
    bench_verify(bench);
    bench_close(bench);
}

static void test_flow_claim_code_ends_after_ten_tries(void **state)
{
    struct bench *bench = bench_bare(1u << 20);
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result made;
    struct lk_login_result result;
    int i;

    (void)state;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    for (i = 0; i < 10; i++) {
        assert_int_equal(bench_login(bench, "admin", "AAAA-BBBB-CCCC-DDDD", &result), LK_E_REFUSED);
        lk_fake_advance(&bench->fake, 900u * 1000);
    }
    assert_int_equal(bench_login_new(bench, "admin", made.claim, "a new password", &result, NULL),
                     LK_E_REFUSED);
    bench_close(bench);
}

static void test_flow_roles_inherit_and_end(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret"), base, child, permission;
    struct lk_login_result result;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_check(bench, result.token, "door:open"), LK_E_REFUSED);
    bench_write(bench);
    memset(&permission, 0, sizeof(permission));
    memset(&base, 0, sizeof(base));
    memset(&child, 0, sizeof(child));
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=doors",
                               "resource=door", "action=*", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &base, "name=base", "permissions=doors", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &child, "name=child", "parent=base", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, child, 0), 0);
    bench_commit(bench);
    bench_verify(bench);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    assert_int_equal(bench_check(bench, result.token, "window:open"), LK_E_REFUSED);

    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_role, base, "parent=child", NULL), LK_E_CHECK);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, base, NULL), LK_E_REFERENCE);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_permission, permission, NULL), LK_E_REFERENCE);
    assert_int_equal(bench_set(bench, &lk_kind_role, base, "is_active=false", NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, result.token, "door:open"), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_role, base, "is_active=true", NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);

    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, alice, child, 0), LK_E_CONFLICT);
    assert_int_equal(lk_role_grant(&bench->txn, alice, child, lk_now(&bench->txn) + 60000), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    lk_fake_advance(&bench->fake, 61000);
    assert_int_equal(bench_check(bench, result.token, "door:open"), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, child, NULL), 0);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_role, child), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

static void test_flow_suspended_and_removed_are_out_at_once(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_login_result first, second;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), 0);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &second), 0);
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, first.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_ACTIVE), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), 0);
    bench_write(bench);
    assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_SUSPENDED), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, first.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, second.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_ACTIVE), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, second.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), 0);
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, alice, NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, first.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), 0);
    bench_verify(bench);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

static void test_flow_audit_tells_who_did_what(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_query query = {.tenant = bench->tenant, .oldest_first = true};
    struct lk_audit_entry entry;
    struct lk_login_result result;
    uint64_t last = 0;
    unsigned count = 0;
    int error;

    (void)state;
    bench->actor.tenant = bench->tenant;
    bench->actor.user = bench->admin.user;
    (void)bench_user(bench, "alice", "alice's secret");
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!(error = lk_audit_next(&query, &entry))) {
        assert_true(entry.seq > last);
        last = entry.seq;
        count++;
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    assert_true(count >= 5);
    memset(&query, 0, sizeof(query));
    query.tenant = bench->tenant;
    query.action = LK_TEXT("user.add");
    query.actor = bench->admin.user;
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.actor, bench->admin.user);
    assert_int_equal(lk_audit_next(&query, &entry), LK_E_NOT_FOUND);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_create_login_check),
        cmocka_unit_test(test_flow_claim_code_demands_a_password),
        cmocka_unit_test(test_flow_claim_code_ends_after_ten_tries),
        cmocka_unit_test(test_flow_roles_inherit_and_end),
        cmocka_unit_test(test_flow_suspended_and_removed_are_out_at_once),
        cmocka_unit_test(test_flow_audit_tells_who_did_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
