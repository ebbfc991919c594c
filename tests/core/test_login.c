// SPDX-License-Identifier: MIT
/* Logins: lockout, the steps and what happens between them, password rules. */
#include "bench.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"

static int attempt(struct bench *bench, const char *name, const char *password, uint32_t *wait)
{
    struct lk_login_result result;
    struct lk_problem problem;
    int error = bench_login_new(bench, name, password, "", &result, &problem);

    assert_int_equal(problem.error, error);
    *wait = problem.wait_s;
    return error;
}

static struct lk_activity counts_of(struct bench *bench, struct lk_id user)
{
    struct lk_activity activity;

    bench_read(bench);
    assert_int_equal(lk_load_activity(&bench->txn, user, &activity), 0);
    lk_abort(&bench->txn);
    return activity;
}

/* ---- Lockout ---- */

/* Five failures, then 1, 2, 4 … 900 seconds; alike for a name that nobody has. */
static void lockout_runs(struct bench *bench, const char *name)
{
    static const uint32_t delays[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900};
    uint32_t wait;
    size_t i;

    for (i = 0; i < 4; i++) {
        assert_int_equal(attempt(bench, name, "wrong password", &wait), LK_E_REFUSED);
        assert_int_equal(wait, 0);
    }
    for (i = 0; i < LK_COUNT(delays); i++) {
        uint64_t print;

        assert_int_equal(attempt(bench, name, "wrong password", &wait), LK_E_REFUSED);
        /* While it runs, nothing is written and it does not grow, whatever is given. */
        print = bench_print(bench);
        assert_int_equal(attempt(bench, name, "wrong password", &wait), LK_E_LOCKED);
        assert_int_equal(wait, delays[i]);
        assert_int_equal(attempt(bench, name, PASSWORD, &wait), LK_E_LOCKED);
        assert_true(bench_print(bench) == print);
        lk_fake_advance(&bench->fake, delays[i] * (uint64_t)1000 - 1);
        assert_int_equal(attempt(bench, name, PASSWORD, &wait), LK_E_LOCKED);
        assert_int_equal(wait, 1);
        lk_fake_advance(&bench->fake, 1);
    }
}

static void test_login_lockout_doubles_to_its_cap(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_user user;
    uint32_t wait;

    (void)state;
    lockout_runs(bench, "alice");
    lockout_runs(bench, "nobody");
    /* The right password, after the delay, clears it all. */
    assert_int_equal(attempt(bench, "alice", PASSWORD, &wait), 0);
    assert_int_equal(counts_of(bench, alice).failed_count, 0);
    assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    assert_int_equal(counts_of(bench, alice).failed_count, 2);
    bench_read(bench);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, alice, &user.record), 0);
    assert_int_equal(user.is_locked, 0);
    bench_verify(bench);
    bench_close(bench);
}

static void test_login_failures_of_a_day_ago_are_forgotten(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    uint32_t wait;
    unsigned i;

    (void)state;
    for (i = 0; i < 4; i++) {
        assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    }
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY - 1);
    assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    assert_int_equal(counts_of(bench, alice).failed_count, 5);
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    assert_int_equal(counts_of(bench, alice).failed_count, 1);
    /* A clock that is a little behind forgets nothing. */
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms - 5000, LK_CLOCK_SYNCED);
    assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    assert_int_equal(counts_of(bench, alice).failed_count, 2);
    bench_close(bench);
}

static void test_login_lockout_as_the_tenant_says(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_id tenant = {bench->tenant, 0, 0};
    uint32_t wait;
    unsigned i;

    (void)state;
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, tenant, "lockout_failures=1", "lockout_time=3", NULL), 0);
    bench_commit(bench);
    for (i = 0; i < 4; i++) {
        static const uint32_t delays[] = {1, 2, 3, 3};

        assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
        assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_LOCKED);
        assert_int_equal(wait, delays[i]);
        lk_fake_advance(&bench->fake, delays[i] * (uint64_t)1000);
    }
    /* A power cycle does not clear it, with the clock held over it. */
    assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    lk_fake_reboot(&bench->fake, LK_CLOCK_HELD);
    bench_reopen(bench);
    assert_int_equal(attempt(bench, "alice", PASSWORD, &wait), LK_E_LOCKED);
    bench_write(bench);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    bench_commit(bench);
    assert_int_equal(attempt(bench, "alice", PASSWORD, &wait), 0);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant, "lockout_failures=0", NULL), 0);
    bench_commit(bench);
    for (i = 0; i < 30; i++) {
        assert_int_equal(attempt(bench, "alice", "wrong password", &wait), LK_E_REFUSED);
    }
    assert_int_equal(attempt(bench, "alice", PASSWORD, &wait), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* Whatever the reason, the answer is the same, and every attempt is charged. */
static void test_login_refusals_are_all_alike(void **state)
{
    static const struct {
        const char *name, *password;
    } tries[] = {{"alice", "wrong password"}, {"alice", ""},
                 {"nobody", PASSWORD},        {"suspended", PASSWORD},
                 {"invited", PASSWORD},       {"removed", PASSWORD},
                 {"bare", PASSWORD},          {"", PASSWORD},
                 {"#1", BENCH_PASSWORD},      {"nobody@example.org", PASSWORD},
                 {"\xFF\xFE", PASSWORD}};
    struct bench *bench = bench_open();
    struct lk_problem first;
    size_t i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    (void)bench_user(bench, "bare", NULL);
    bench_write(bench);
    bench_commit(bench);
    for (i = 0; i < 3; i++) {
        static const char *const names[] = {"suspended", "invited", "removed"};
        struct lk_id id = bench_user(bench, names[i], PASSWORD);

        bench_write(bench);
        assert_int_equal(
            i == 2 ? lk_remove(&bench->txn, &lk_kind_user, id, NULL)
                   : lk_user_set_status(&bench->txn, id, i ? LK_USER_INVITED : LK_USER_SUSPENDED),
            0);
        bench_commit(bench);
    }
    for (i = 0; i < LK_COUNT(tries); i++) {
        struct lk_login_result result;
        struct lk_problem problem;

        memset(&problem, 0xFF, sizeof(problem));
        assert_int_equal(
            bench_login_new(bench, tries[i].name, tries[i].password, "", &result, &problem),
            LK_E_REFUSED);
        if (!i) {
            first = problem;
        }
        assert_memory_equal(&problem, &first, sizeof(problem));
        assert_int_equal(result.session.sub, 0);
        assert_string_equal(result.token, "");
    }
    {
        struct lk_login_request request = {.tenant = 0, .name = LK_TEXT("alice")};
        struct lk_login_result result;

        request.password = bench_text(PASSWORD);
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
        request.tenant = 99;
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Steps ---- */

struct steps {
    struct lk_login login;
    struct lk_login_request request;
    struct lk_login_result result;
};

static void steps_begin(struct bench *bench, struct steps *steps, const char *password,
                        const char *fresh)
{
    lk_txn_release(&bench->txn);
    steps->request = (struct lk_login_request){.tenant = bench->tenant,
                                               .name = LK_TEXT("alice"),
                                               .password = bench_text(password),
                                               .new_password = bench_text(fresh)};
    assert_int_equal(lk_login_begin(&bench->store, &steps->login, &steps->request), 0);
}

static int steps_end(struct bench *bench, struct steps *steps)
{
    lk_txn_release(&bench->txn);
    while (lk_login_step(&steps->login) > 0) {
    }
    return lk_login_finish(&steps->login, &steps->result);
}

static void test_login_goes_in_slices(void **state)
{
    struct bench *bench = bench_open();
    struct steps steps;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    lk_fake_pwhash_slices(&bench->fake, 7);
    steps_begin(bench, &steps, PASSWORD, "");
    assert_int_equal(lk_login_finish(&steps.login, &steps.result), LK_E_STATE);
    for (i = 0; i < 6; i++) {
        assert_int_equal(lk_login_step(&steps.login), 1);
        /* No transaction is open between the steps: others may write. */
        bench_write(bench);
        bench_commit(bench);
        assert_int_equal(lk_login_finish(&steps.login, &steps.result), LK_E_STATE);
    }
    lk_txn_release(&bench->txn);
    assert_int_equal(lk_login_step(&steps.login), 0);
    assert_int_equal(lk_login_step(&steps.login), 0);
    assert_int_equal(lk_login_finish(&steps.login, &steps.result), 0);
    assert_int_equal(bench_check(bench, steps.result.token, NULL), 0);
    assert_int_equal(lk_login_finish(&steps.login, &steps.result), LK_E_STATE);
    assert_int_equal(lk_login_step(&steps.login), LK_E_STATE);
    bench_close(bench);
}

/* True when the bytes occur in memory. */
static bool occurs(const void *memory, size_t size, const void *what, size_t count)
{
    const uint8_t *bytes = memory;
    size_t i;

    for (i = 0; i + count <= size; i++) {
        if (memcmp(bytes + i, what, count) == 0) {
            return true;
        }
    }
    return false;
}

static void test_login_leaves_no_secret_behind(void **state)
{
    struct bench *bench = bench_open();
    struct steps steps;
    uint8_t expected[LK_PWHASH_SIZE], token[16];
    const uint8_t *data;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    for (i = 0; i < 4; i++) {
        static const uint8_t zero[LK_PWHASH_SIZE];
        const char *password = i == 1 ? "wrong password" : PASSWORD;

        steps_begin(bench, &steps, password, "");
        data = steps.request.password.data;
        memcpy(expected, steps.login.expected, sizeof(expected));
        assert_true(memcmp(expected, zero, sizeof(zero)) != 0);
        while (lk_login_step(&steps.login) > 0) {
        }
        assert_true(i == 1 || occurs(&steps.login, sizeof(steps.login), expected, 32));
        if (i == 2) {
            lk_login_cancel(&steps.login);
        } else {
            assert_int_equal(lk_login_finish(&steps.login, &steps.result),
                             i == 1 ? LK_E_REFUSED : 0);
        }
        assert_false(occurs(&steps.login, sizeof(steps.login), expected, sizeof(expected)));
        assert_false(occurs(&steps.login, sizeof(steps.login), &data, sizeof(data)));
        assert_false(occurs(&steps.login, sizeof(steps.login), password, strlen(password)));
        lk_login_cancel(&steps.login); /* harmless now */
    }
    /* Nor in the work area or anywhere in the store's memory. */
    assert_false(occurs(bench->work, LK_WORK_SIZE, PASSWORD, strlen(PASSWORD)));
    assert_false(occurs(bench->memory, bench->memory_size, PASSWORD, strlen(PASSWORD)));
    memcpy(token, steps.result.token + 4, sizeof(token));
    assert_false(occurs(bench->memory, bench->memory_size, token, sizeof(token)));
    assert_false(occurs(bench->work, LK_WORK_SIZE, token, sizeof(token)));
    bench_close(bench);
}

enum between {
    CHANGED,
    SUSPENDED,
    REMOVED,
    PURGED,
    TENANT_SUSPENDED,
    NEW_PASSWORD,
    NO_PASSWORD,
    NOTHING
};

static void test_login_sees_what_happened_between(void **state)
{
    static const int want[] = {LK_E_BUSY,    LK_E_REFUSED, LK_E_REFUSED, LK_E_REFUSED,
                               LK_E_REFUSED, LK_E_BUSY,    LK_E_BUSY,    0};
    unsigned between;

    (void)state;
    for (between = CHANGED; between <= NOTHING; between++) {
        struct bench *bench = bench_open();
        struct lk_id alice = bench_user(bench, "alice", PASSWORD);
        struct lk_credential password;
        struct lk_password verifier;
        struct steps steps;
        int error = 0;

        assert_int_equal(
            lk_password_prepare(&bench->store, LK_TEXT("another secret"), NULL, 0, &verifier, NULL),
            0);
        steps_begin(bench, &steps, PASSWORD, "");
        bench_write(bench);
        switch ((enum between)between) {
        case CHANGED: error = bench_set(bench, &lk_kind_user, alice, "email=a@b.org", NULL); break;
        case SUSPENDED: error = lk_user_set_status(&bench->txn, alice, LK_USER_SUSPENDED); break;
        case REMOVED: error = lk_remove(&bench->txn, &lk_kind_user, alice, NULL); break;
        case PURGED: error = lk_purge(&bench->txn, &lk_kind_user, alice); break;
        case TENANT_SUSPENDED:
            error = lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_SUSPENDED);
            break;
        case NEW_PASSWORD: error = lk_password_set(&bench->txn, alice, &verifier, 0); break;
        case NO_PASSWORD:
            error = lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &password);
            error = error ? error
                          : lk_remove(&bench->txn, &lk_kind_credential, password.record.id, NULL);
            break;
        case NOTHING: break;
        }
        assert_int_equal(error, 0);
        bench_commit(bench);
        error = steps_end(bench, &steps);
        if (error != want[between]) {
            fail_msg("case %u: %d, want %d", between, error, want[between]);
        }
        assert_int_equal(bench_check(bench, steps.result.token, NULL), error ? LK_E_REFUSED : 0);
        bench_verify(bench);
        bench_close(bench);
    }
}

static void test_login_claim_code_is_good_once(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct steps first, second;
    struct lk_login_result result;
    char code[LK_CLAIM_SIZE];

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_claim_add(&bench->txn, alice, code), 0);
    bench_commit(bench);
    steps_begin(bench, &first, code, "the first one's");
    steps_begin(bench, &second, code, "the second one's");
    assert_int_equal(steps_end(bench, &first), 0);
    assert_int_equal(steps_end(bench, &second), LK_E_BUSY);
    assert_int_equal(bench_check(bench, first.result.token, NULL), 0);
    assert_int_equal(bench_login(bench, "alice", "the first one's", &result), 0);
    assert_int_equal(bench_login(bench, "alice", "the second one's", &result), LK_E_REFUSED);
    assert_int_equal(bench_login_new(bench, "alice", code, "yet another one", &result, NULL),
                     LK_E_REFUSED);
    bench_verify(bench);
    bench_close(bench);
}

static void test_login_claim_code_ends_with_its_time(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_login_result result;
    char code[LK_CLAIM_SIZE];

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_claim_add(&bench->txn, alice, code), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 7 * (uint64_t)LK_MS_PER_DAY - 1);
    assert_int_equal(bench_login(bench, "alice", code, &result), LK_E_MUST_CHANGE);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_login_new(bench, "alice", code, "a fresh secret", &result, NULL),
                     LK_E_REFUSED);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login_lockout_doubles_to_its_cap),
        cmocka_unit_test(test_login_failures_of_a_day_ago_are_forgotten),
        cmocka_unit_test(test_login_lockout_as_the_tenant_says),
        cmocka_unit_test(test_login_refusals_are_all_alike),
        cmocka_unit_test(test_login_goes_in_slices),
        cmocka_unit_test(test_login_leaves_no_secret_behind),
        cmocka_unit_test(test_login_sees_what_happened_between),
        cmocka_unit_test(test_login_claim_code_is_good_once),
        cmocka_unit_test(test_login_claim_code_ends_with_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
