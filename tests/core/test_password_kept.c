// SPDX-License-Identifier: MIT
/*
 * What is kept of passwords: earlier ones, and the day of the newest; and the verifier that is made
 * anew when the parameters rise.
 */
#include "password_help.h"

#include "lk_engine.h"

/* ---- History ---- */

#define BEFORE "is one that the user had before"

static void numbered(char text[32], unsigned number)
{
    (void)snprintf(text, 32, "secret number %u", number);
}

static void test_password_history_is_kept_as_long_as_said(void **state)
{
    unsigned keep, number;
    char text[32], policy[32];

    (void)state;
    for (keep = 1; keep <= 10; keep += keep == 4 ? 6 : 1) {
        struct bench *bench = bench_open();
        struct lk_id alice = bench_user(bench, "alice", NULL);
        struct lk_login_result result;

        (void)snprintf(policy, sizeof(policy), "password_history=%u", keep);
        password_policy(bench, policy);
        for (number = 1; number <= keep + 3; number++) {
            numbered(text, number);
            password_taken(bench, alice, text);
        }
        /* The last `keep`, the one in use among them, and no more. */
        for (number = 4; number <= keep + 3; number++) {
            numbered(text, number);
            password_refused(bench, alice, text, BEFORE);
        }
        assert_int_equal(bench_login(bench, "alice", text, &result), 0);
        numbered(text, 3);
        password_taken(bench, alice, text);
        /* Switched off, all are good again, and what was kept goes with the next one. */
        password_policy(bench, "password_history=0");
        password_taken(bench, alice, text);
        password_policy(bench, policy);
        numbered(text, keep + 3);
        password_taken(bench, alice, text);
        bench_verify(bench);
        bench_close(bench);
    }
}

/* In the forced change of a login, after a claim code and after a password; in slices, too. */
static void test_password_history_holds_in_a_login(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_login_result result;
    struct lk_problem problem;
    char claim[LK_CLAIM_SIZE];
    unsigned round;

    (void)state;
    lk_fake_pwhash_slices(&bench->fake, 5);
    password_policy(bench, "password_history=4");
    password_taken(bench, alice, "secret number 1");
    password_taken(bench, alice, "secret number 2");
    password_taken(bench, alice, "secret number 3");
    for (round = 0; round < 2; round++) {
        const char *given = "secret number 3";

        bench_write(bench);
        assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL),
                         0);
        if (round) {
            assert_int_equal(lk_claim_add(&bench->txn, alice, claim), 0);
            given = claim;
        }
        bench_commit(bench);
        assert_int_equal(
            bench_login_new(bench, "alice", given, "secret number 1", &result, &problem),
            LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, BEFORE);
        assert_string_equal(problem.field, "new_password");
        assert_int_equal(
            bench_login_new(bench, "alice", given, "secret number 2", &result, &problem),
            LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, BEFORE);
        assert_int_equal(bench_login_new(bench, "alice", given, "password1", &result, &problem),
                         LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, "is one of the passwords that everybody tries first");
        assert_int_equal(bench_login_new(bench, "alice", given, "Alice 2026", &result, &problem),
                         LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, "is the user's name, or that with digits or signs");
        if (round) { /* by a claim code, the one in use is as old as the others */
            assert_int_equal(
                bench_login_new(bench, "alice", given, "secret number 4", &result, &problem),
                LK_E_MUST_CHANGE);
            assert_string_equal(problem.rule, BEFORE);
        }
        assert_int_equal(bench_login_new(bench, "alice", given,
                                         round ? "secret number 5" : "secret number 4", &result,
                                         &problem),
                         0);
        assert_int_equal(bench_check(bench, result.token, NULL), 0);
    }
    password_refused(bench, alice, "secret number 2", BEFORE);
    password_taken(bench, alice, "secret number 1");
    bench_verify(bench);
    bench_close(bench);
}

static void test_password_history_sees_what_happened_between(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "secret number 1");
    struct lk_id fresh = bench_user(bench, "fresh", NULL);
    struct lk_password password, other;

    (void)state;
    password_policy(bench, "password_history=2");
    lk_abort(&bench->txn);
    /* Prepared for nobody: not for a user who has a password. */
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("secret number 2"), NULL, 0, &password, NULL),
        0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_ARGUMENT);
    assert_int_equal(lk_password_set(&bench->txn, fresh, &password, 0), 0);
    lk_abort(&bench->txn);
    /* Prepared for another: not for this one. */
    assert_int_equal(lk_password_prepare_for(&bench->store, fresh, LK_TEXT("secret number 2"), NULL,
                                             0, &password, NULL),
                     0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_BUSY);
    lk_abort(&bench->txn);
    /* Another password came between: two side by side, both the same. */
    assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("secret number 2"), NULL,
                                             0, &password, NULL),
                     0);
    assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("secret number 2"), NULL,
                                             0, &other, NULL),
                     0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &other, 0), LK_E_BUSY);
    lk_abort(&bench->txn);
    /* The tenant asks for more than was compared. */
    assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("secret number 3"), NULL,
                                             0, &password, NULL),
                     0);
    password_policy(bench, "password_history=3");
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_BUSY);
    lk_abort(&bench->txn);
    bench_verify(bench);
    bench_close(bench);
}

static void test_password_history_moved_elsewhere_does_not_open(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_credential from, to;
    struct lk_verifier verifier;
    uint8_t history[LK_HISTORY_MAX], secret[300];

    (void)state;
    password_policy(bench, "password_history=3");
    password_taken(bench, alice, "secret number 1");
    password_taken(bench, alice, "secret number 2");
    password_taken(bench, bob, "secret number 7");
    password_taken(bench, bob, "secret number 8");
    bench_read(bench);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &from), 0);
    assert_int_equal(lk_history_get(&bench->store, &from, 1, &verifier), 0);
    assert_int_equal(lk_history_get(&bench->store, &from, 2, &verifier), LK_E_NOT_FOUND);
    memcpy(history, from.history.data, from.history.size);
    from.history.data = history;
    memcpy(secret, from.secret.data, from.secret.size);
    from.secret.data = secret;
    assert_int_equal(lk_credential_find(&bench->txn, bob, LK_CREDENTIAL_PASSWORD, &to), 0);
    to.history = from.history;
    assert_int_equal(lk_history_get(&bench->store, &to, 1, &verifier), LK_E_NOT_FOUND);
    /* Nor does a verifier open as a history, or the other way round. */
    from.secret = from.history;
    assert_int_equal(lk_history_get(&bench->store, &from, 0, &verifier), LK_E_CORRUPT);
    history[30] ^= 1;
    assert_int_equal(lk_history_get(&bench->store, &from, 1, &verifier), LK_E_NOT_FOUND);
    bench_close(bench);
}

/* ---- Least age ---- */

static void test_password_min_age(void **state)
{
    static const char rule[] =
        "cannot be changed yet: the old one is younger than the tenant's password_min_age";
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "secret number 1");
    struct lk_credential credential;

    (void)state;
    password_policy(bench, "password_min_age=3600");
    bench->actor.tenant = bench->tenant;
    bench->actor.user = alice.user;
    password_refused(bench, alice, "secret number 2", rule);
    lk_fake_advance(&bench->fake, 3600 * 1000 - 1);
    password_refused(bench, alice, "secret number 2", rule);
    lk_fake_advance(&bench->fake, 1);
    password_taken(bench, alice, "secret number 2");
    bench_read(bench);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &credential),
                     0);
    assert_true(credential.set_at == bench->txn.now_ms);
    password_refused(bench, alice, "secret number 3", rule);
    /* An administrator, whoever must change, and the system need not wait. */
    bench->actor.user = bench->admin.user;
    password_taken(bench, alice, "secret number 3");
    memset(&bench->actor, 0, sizeof(bench->actor));
    password_taken(bench, alice, "secret number 4");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
    bench->actor.tenant = bench->tenant;
    bench->actor.user = alice.user;
    password_taken(bench, alice, "secret number 5");
    password_refused(bench, alice, "secret number 6", rule);
    password_policy(bench, "password_min_age=0");
    password_taken(bench, alice, "secret number 6");
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Rehash ---- */

static unsigned rehashes(struct bench *bench)
{
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("login")};
    struct lk_audit_entry entry;
    unsigned count = 0;

    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count += lk_span_equal(entry.description, LK_TEXT("logged in; password rehashed"));
    }
    lk_abort(&bench->txn);
    return count;
}

static void test_password_is_rehashed_once_when_parameters_rise(void **state)
{
    static const struct lk_pwhash_params steps[] = {
        {8, 1, 1}, {16, 1, 1}, {16, 2, 1}, {8, 2, 1}, {32, 1, 1}};
    static const bool rises[] = {false, true, true, false, true};
    struct bench *bench = bench_bare(4u << 20);
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct lk_login_result result;
    struct lk_credential credential;
    struct lk_login first, second;
    struct lk_login_request login = {.name = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    uint64_t set_at = 0;
    unsigned i, count = 0;

    (void)state;
    bench->config.pwhash = steps[0];
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    password_policy(bench, "password_history=3");
    for (i = 0; i < LK_COUNT(steps); i++) {
        bench->config.pwhash = steps[i];
        bench_reopen(bench);
        lk_fake_advance(&bench->fake, 1000);
        assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
        assert_int_equal(result.rehashed, rises[i]);
        count += rises[i];
        assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
        assert_false(result.rehashed);
        assert_int_equal(rehashes(bench), count);
        bench_read(bench);
        assert_int_equal(
            lk_credential_find(&bench->txn, made.admin, LK_CREDENTIAL_PASSWORD, &credential), 0);
        /* It is the same password: not a day younger, and not among the earlier ones. */
        set_at = set_at ? set_at : credential.set_at;
        assert_true(set_at && credential.set_at == set_at);
        assert_int_equal(credential.history.size, 0);
        lk_abort(&bench->txn);
    }
    /* Two side by side: the one that comes second starts again, and finds nothing left to do. */
    bench->config.pwhash = (struct lk_pwhash_params){64, 3, 1};
    bench_reopen(bench);
    login.tenant = bench->tenant;
    assert_int_equal(lk_login_begin(&bench->store, &first, &login), 0);
    assert_int_equal(lk_login_begin(&bench->store, &second, &login), 0);
    while (lk_login_step(&first) > 0 || lk_login_step(&second) > 0) {
    }
    assert_int_equal(lk_login_finish(&first, &result), 0);
    assert_true(result.rehashed);
    assert_int_equal(lk_login_finish(&second, &result), LK_E_BUSY);
    assert_int_equal(lk_login(&bench->store, &login, &result, NULL), 0);
    assert_false(result.rehashed);
    assert_int_equal(rehashes(bench), count + 1);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_history_is_kept_as_long_as_said),
        cmocka_unit_test(test_password_history_holds_in_a_login),
        cmocka_unit_test(test_password_history_sees_what_happened_between),
        cmocka_unit_test(test_password_history_moved_elsewhere_does_not_open),
        cmocka_unit_test(test_password_min_age),
        cmocka_unit_test(test_password_is_rehashed_once_when_parameters_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
