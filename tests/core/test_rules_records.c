// SPDX-License-Identifier: MIT
/*
 * Records as a whole: fields of a newer program are kept, credentials are refused without a trace,
 * and a purged tenant takes everything along.
 */
#include "bench.h"

#include "lk_engine.h"

/* 60: [1, "x"], which no kind of this program has. */
static const uint8_t stranger[] = {0x18, 0x3C, 0x82, 0x01, 0x61, 0x78};

/* Puts the entry at the end of a stored record, as a newer program would have. */
static void plant(struct bench *bench, const struct lk_kind *kind, struct lk_id id)
{
    uint8_t buffer[LK_VALUE_MAX];
    struct lk_key key;
    struct lk_span cbor;

    bench_write(bench);
    lk_key_record(&key, kind, id);
    assert_int_equal(lk_value_get(&bench->txn, &key, &cbor), 0);
    memcpy(buffer, cbor.data, cbor.size);
    assert_in_range(buffer[0], 0xA0, 0xB6); /* a map whose count is in its first byte */
    buffer[0]++;
    memcpy(buffer + cbor.size, stranger, sizeof(stranger));
    assert_int_equal(lk_value_put(&bench->txn, &key, buffer, cbor.size + sizeof(stranger)), 0);
    bench_commit(bench);
}

static bool planted(struct bench *bench, const struct lk_kind *kind, struct lk_id id)
{
    struct lk_key key;
    struct lk_span cbor;
    bool there;

    bench_read(bench);
    lk_key_record(&key, kind, id);
    assert_int_equal(lk_value_get(&bench->txn, &key, &cbor), 0);
    there = cbor.size > sizeof(stranger) &&
            memcmp(cbor.data + cbor.size - sizeof(stranger), stranger, sizeof(stranger)) == 0;
    assert_int_equal(lk_cbor_check(cbor), 0);
    lk_abort(&bench->txn);
    return there;
}

static void test_records_keep_fields_of_a_newer_program(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret"), role, key;
    struct lk_id tenant = {bench->tenant, 0, 0}, activity = alice, permission;
    struct lk_login_result result;
    struct lk_verdict verdict;
    char token[LK_TOKEN_SIZE];

    (void)state;
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    bench_write(bench);
    role = bench_named(bench, &lk_kind_role, "viewer");
    permission = bench_named(bench, &lk_kind_permission, "user:read");
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, token, &key),
                     0);
    bench_commit(bench);
    plant(bench, &lk_kind_user, alice);
    plant(bench, &lk_kind_tenant, tenant);
    plant(bench, &lk_kind_role, role);
    plant(bench, &lk_kind_permission, permission);
    plant(bench, &lk_kind_activity, activity);
    plant(bench, &lk_kind_session, result.session);
    plant(bench, &lk_kind_credential, key);
    bench_verify(bench);

    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "email=a@b.org", "metadata=", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, role, 0), 0);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant, "display_name=Main", NULL), 0);
    assert_int_equal(bench_set(bench, &lk_kind_permission, permission, "description=d", NULL), 0);
    assert_int_equal(lk_role_permit(&bench->txn, role, permission, true), 0);
    assert_int_equal(bench_set(bench, &lk_kind_credential, key, "label=other", NULL), 0);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 70000);
    bench_write(bench);
    assert_int_equal(lk_session_check(&bench->txn, 0, bench_text(result.token), NULL, &verdict), 0);
    assert_true(verdict.touch_due);
    assert_int_equal(lk_session_touch(&bench->txn, &verdict), 0);
    bench_commit(bench);
    assert_true(planted(bench, &lk_kind_session, result.session));
    assert_int_equal(bench_login(bench, "alice", "wrong password", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    bench_write(bench);
    assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_SUSPENDED), 0);
    assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_ACTIVE), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, alice, NULL), 0);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    assert_true(planted(bench, &lk_kind_user, alice));
    assert_true(planted(bench, &lk_kind_tenant, tenant));
    assert_true(planted(bench, &lk_kind_role, role));
    assert_true(planted(bench, &lk_kind_permission, permission));
    assert_true(planted(bench, &lk_kind_activity, activity));
    assert_true(planted(bench, &lk_kind_credential, key));
    bench_verify(bench);
    bench_close(bench);
}

static void refused(struct bench *bench, uint64_t print, int error, int want, const char *field,
                    const char *words)
{
    const struct lk_problem *problem = lk_problem(&bench->txn);

    if (error != want || !problem->rule || strcmp(problem->rule, words) != 0 ||
        strcmp(problem->field ? problem->field : "-", field) != 0) {
        fail_msg("got %d %s \"%s\"; want %d %s \"%s\"", error,
                 problem->field ? problem->field : "-", problem->rule ? problem->rule : "-", want,
                 field, words);
    }
    bench_commit(bench);
    assert_true(bench_print(bench) == print);
}

static void test_records_credentials_refused_leave_no_trace(void **state)
{
    static const char line[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b";
    static uint8_t label[101];
    struct bench *bench = bench_open();
    uint64_t print = bench_print(bench);
    struct lk_password short_one;
    struct lk_id key, ssh, tenant = {bench->tenant, 0, 0};
    struct lk_span too_long = {label, sizeof(label)};
    char token[LK_TOKEN_SIZE] = "";

    (void)state;
    memset(label, 'l', sizeof(label));
    bench_write(bench);
    refused(bench, print,
            lk_api_key_add(&bench->txn, bench->admin, too_long, LK_TEXT(""), 0, token, &key),
            LK_E_CHECK, "label", "is too long");
    bench_write(bench);
    refused(bench, print,
            lk_api_key_add(&bench->txn, bench->admin, LK_TEXT("k"), LK_TEXT("\x81\x18\x63"), 0,
                           token, &key),
            LK_E_REFERENCE, "roles", "refers to nothing");
    bench_write(bench);
    refused(bench, print,
            lk_api_key_add(&bench->txn, bench->admin, LK_TEXT("k"), LK_TEXT(""),
                           lk_now(&bench->txn), token, &key),
            LK_E_CHECK, "expires_at", "is not in the future");
    assert_string_equal(token, "");
    bench_write(bench);
    refused(bench, print,
            lk_ssh_key_add(&bench->txn, bench->admin, LK_TEXT("k"), LK_TEXT("ssh-dss AAAA"), &ssh),
            LK_E_CHECK, "key", "is not a line of authorized_keys");
    bench_write(bench);
    refused(bench, print,
            lk_ssh_key_add(&bench->txn, bench->admin, too_long, bench_text(line), &ssh), LK_E_CHECK,
            "label", "is too long");
    bench_write(bench);
    refused(bench, print, lk_password_import(&bench->txn, bench->admin, LK_TEXT("$1$x$y")),
            LK_E_UNSUPPORTED, "password_hash", "is of a form that this build cannot verify");

    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant, "password_min=12", NULL), 0);
    bench_commit(bench);
    print = bench_print(bench);
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("elevenbytes"), NULL, 0, &short_one, NULL), 0);
    bench_write(bench);
    refused(bench, print, lk_password_set(&bench->txn, bench->admin, &short_one, 0), LK_E_CHECK,
            "password", "is shorter than the tenant's password_min");
    bench_write(bench);
    assert_int_equal(
        lk_ssh_key_add(&bench->txn, bench->admin, LK_TEXT("k"), bench_text(line), &ssh), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

static unsigned count_keys(struct bench *bench)
{
    struct lk_storage_stat stat;

    assert_int_equal(bench->fault.storage.ops->stat(&bench->fault.storage, &stat), 0);
    return (unsigned)stat.entries;
}

static void test_records_purged_tenant_leaves_nothing(void **state)
{
    struct bench *bench = bench_open();
    uint32_t main_tenant = bench->tenant;
    unsigned before = count_keys(bench);
    struct lk_id tenant = {0, 0, 0}, again = {0, 0, 0}, user, removed;
    struct lk_login_result result;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &tenant, "name=second",
                               "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL),
                     0);
    bench_commit(bench);
    bench->tenant = tenant.tenant;
    user = bench_user(bench, "alice", "alice's secret");
    removed = bench_user(bench, "bob", NULL);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_login(bench, "nobody", "alice's secret", &result), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, user, bench_named(bench, &lk_kind_role, "admin"), 0), 0);
    assert_int_equal(bench_set(bench, &lk_kind_user, user,
                               "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c7", NULL),
                     LK_E_CHECK);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, removed, NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, tenant, NULL), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, tenant), 0);
    bench_commit(bench);
    bench->tenant = main_tenant;
    bench_verify(bench);
    /* Its entry in the store's ring, and nothing else. */
    assert_int_equal(count_keys(bench), before + 1);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &again, "name=second",
                               "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL),
                     0);
    bench_commit(bench);
    assert_true(again.tenant > tenant.tenant);
    bench_verify(bench);
    bench_close(bench);
}

static void test_records_stamps_tell_who_and_when(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id id = {0, 0, 0};
    struct lk_user user;
    uint64_t start = LK_FAKE_START_MS;

    (void)state;
    bench->actor.tenant = bench->tenant;
    bench->actor.user = bench->admin.user;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_user, &id, "username=alice", NULL), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 1000);
    bench->actor.user = id.user;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, id, "display_name=Alice", NULL), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 1000);
    bench->actor.tenant = 99; /* an actor of another tenant is nobody here */
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, id, NULL), LK_E_REFUSED);
    bench->actor.user = 0;
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, id, NULL), 0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, id, &user.record), LK_E_NOT_FOUND);
    assert_int_equal(lk_get_deleted(&bench->txn, &lk_kind_user, id, &user.record), 0);
    assert_true(user.record.created_at == start);
    assert_int_equal(user.record.created_by, bench->admin.user);
    assert_true(user.record.updated_at == start + 1000);
    assert_int_equal(user.record.updated_by, id.user);
    assert_true(user.record.deleted_at == start + 2000);
    assert_false(LK_HAS(&user.record, 6));
    lk_abort(&bench->txn);
    bench_close(bench);
}

/* An update that says what is there already writes nothing, not even an audit entry. */
static void test_records_unchanged_are_not_written(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    uint64_t print = bench_print(bench);

    (void)state;
    lk_fake_advance(&bench->fake, 1000);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "username=alice", "email=", NULL), 0);
    bench_commit(bench);
    assert_true(bench_print(bench) == print);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_keep_fields_of_a_newer_program),
        cmocka_unit_test(test_records_credentials_refused_leave_no_trace),
        cmocka_unit_test(test_records_purged_tenant_leaves_nothing),
        cmocka_unit_test(test_records_stamps_tell_who_and_when),
        cmocka_unit_test(test_records_unchanged_are_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
