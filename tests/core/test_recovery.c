// SPDX-License-Identifier: MIT
/* What must go on although something is damaged, and what must not come back. */
#include "bench.h"

#include "lk_engine.h"

static void flip(struct bench *bench, const struct lk_kind *kind, struct lk_id id)
{
    struct lk_key key;

    lk_key_record(&key, kind, id);
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 70), 0);
}

static struct lk_id credential_of(struct bench *bench, struct lk_id user)
{
    struct lk_credential credential;

    bench_read(bench);
    assert_int_equal(lk_credential_find(&bench->txn, user, LK_CREDENTIAL_PASSWORD, &credential), 0);
    lk_abort(&bench->txn);
    return credential.record.id;
}

static void test_recovery_damaged_audit_slot_stops_nobody(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_query query = {.tenant = bench->tenant, .oldest_first = true};
    struct lk_audit_entry entry;
    struct lk_login_result result;
    unsigned damaged = 0, sound = 0;
    int error;

    (void)state;
    flip(bench, &lk_kind_audit, (struct lk_id){bench->tenant, LK_RING_ADMIN, 0});
    bench_reopen(bench);
    (void)bench_user(bench, "alice", "alice's secret");
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while ((error = lk_audit_next(&query, &entry)) != LK_E_NOT_FOUND) {
        assert_true(error == 0 || error == LK_E_CORRUPT);
        damaged += error != 0;
        sound += error == 0;
    }
    assert_int_equal(damaged, 1);
    assert_true(sound >= 5);
    bench_close(bench);
}

static void test_recovery_damaged_session_ends_with_the_others(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_login_result first, second;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &first), 0);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &second), 0);
    flip(bench, &lk_kind_session, first.session);
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, second.token, NULL), LK_E_REFUSED);
    lk_fault_restore(&bench->fault);
    assert_int_equal(bench_check(bench, first.token, NULL), LK_E_REFUSED);
    bench_verify(bench);
    bench_close(bench);
}

static void test_recovery_damaged_password_is_replaced(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_password password;
    struct lk_login_result result;

    (void)state;
    flip(bench, &lk_kind_credential, credential_of(bench, alice));
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("another secret"), NULL, 0, &password, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), 0);
    bench_commit(bench);
    lk_fault_restore(&bench->fault);
    assert_int_equal(bench_login(bench, "alice", "another secret", &result), 0);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), LK_E_REFUSED);
    bench_verify(bench);
    bench_close(bench);
}

static void test_recovery_damaged_user_can_be_purged(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");

    (void)state;
    flip(bench, &lk_kind_user, alice);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    lk_fault_restore(&bench->fault);
    bench_verify(bench);
    (void)bench_user(bench, "alice", "a new secret");
    bench_close(bench);
}

static void test_recovery_lost_sequence_overwrites_nobody(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id id = {0, 0, 0}, admin;
    struct lk_key key;

    (void)state;
    lk_key_record(&key, &lk_kind_sequence, (struct lk_id){bench->tenant, 0, LK_KIND_USER});
    bench_write(bench);
    assert_int_equal(bench->store.storage->ops->remove(&bench->txn.storage, lk_key_span(&key)), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_user, &id, "username=mallory", NULL), LK_E_CORRUPT);
    lk_abort(&bench->txn);
    bench_read(bench);
    admin = bench_named(bench, &lk_kind_user, "admin");
    assert_int_equal(admin.user, bench->admin.user);
    bench_close(bench);
}

static void test_recovery_random_names_lock_nobody_else(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    char name[32];
    unsigned i;

    (void)state;
    for (i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof(name), "somebody%u", i);
        assert_int_equal(bench_login(bench, name, "wrong horse", &result), LK_E_REFUSED);
    }
    for (i = 0; i < 5; i++) {
        assert_int_equal(bench_login(bench, "admin", "wrong horse", &result), LK_E_REFUSED);
        assert_int_equal(bench_login(bench, "carol", "wrong horse", &result), LK_E_REFUSED);
    }
    assert_int_equal(bench_login(bench, "admin", "wrong horse", &result), LK_E_LOCKED);
    assert_int_equal(bench_login(bench, "carol", "wrong horse", &result), LK_E_LOCKED);
    bench_close(bench);
}

/* A failure that looks like a refusal, at each call of a grant in turn. */
static void test_recovery_half_made_change_is_not_committed(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), role;
    uint64_t before, n;
    int error = -1;

    (void)state;
    for (n = 1; error; n++) {
        before = bench_print(bench);
        bench_write(bench);
        role = bench_named(bench, &lk_kind_role, "viewer");
        lk_fault_at(&bench->fault, n, false, LK_E_LIMIT);
        error = lk_role_grant(&bench->txn, alice, role, 0);
        if (lk_fault_hit(&bench->fault)) {
            lk_fault_at(&bench->fault, 0, false, 0);
            (void)lk_commit(&bench->txn);
            assert_true(error == 0 || bench_print(bench) == before);
        } else {
            lk_fault_at(&bench->fault, 0, false, 0);
            bench_commit(bench);
        }
    }
    assert_true(n > 10);
    bench_verify(bench);
    bench_close(bench);
}

static void test_recovery_late_touch_revives_nothing(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    struct lk_verdict verdict;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "session_idle=300", NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    lk_fake_advance(&bench->fake, 299u * 1000);
    bench_read(bench);
    assert_int_equal(lk_session_check(&bench->txn, 0, bench_text(result.token), NULL, &verdict), 0);
    lk_fake_advance(&bench->fake, 1000u * 1000);
    bench_write(bench);
    assert_int_equal(lk_session_touch(&bench->txn, &verdict), LK_E_REFUSED);
    lk_abort(&bench->txn);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

static void test_recovery_expired_password_and_claim_stay_so(void **state)
{
    struct bench *bench = bench_open(), *fresh = bench_bare(1u << 20);
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_id credential = credential_of(bench, alice);
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result made;
    struct lk_login_result result;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_credential, credential, "expires_at=60s", NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    lk_fake_advance(&bench->fake, 61000);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), LK_E_REFUSED);
    bench_close(bench);

    assert_int_equal(lk_create(&fresh->store, &fresh->config, &request, &made), 0);
    fresh->tenant = made.admin.tenant;
    lk_fake_advance(&fresh->fake, (uint64_t)9 * 86400 * 1000);
    assert_int_equal(bench_login_new(fresh, "admin", made.claim, "a new password", &result, NULL),
                     LK_E_REFUSED);
    lk_fake_wall_set(&fresh->fake, LK_FAKE_START_MS + (uint64_t)9 * 86400 * 1000 - 10000,
                     LK_CLOCK_SYNCED);
    assert_int_equal(bench_login_new(fresh, "admin", made.claim, "a new password", &result, NULL),
                     LK_E_REFUSED);
    bench_close(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovery_damaged_audit_slot_stops_nobody),
        cmocka_unit_test(test_recovery_damaged_session_ends_with_the_others),
        cmocka_unit_test(test_recovery_damaged_password_is_replaced),
        cmocka_unit_test(test_recovery_damaged_user_can_be_purged),
        cmocka_unit_test(test_recovery_lost_sequence_overwrites_nobody),
        cmocka_unit_test(test_recovery_random_names_lock_nobody_else),
        cmocka_unit_test(test_recovery_half_made_change_is_not_committed),
        cmocka_unit_test(test_recovery_late_touch_revives_nothing),
        cmocka_unit_test(test_recovery_expired_password_and_claim_stay_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
