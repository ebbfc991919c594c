// SPDX-License-Identifier: MIT
/*
 * Secrets at rest and in memory (S3, S6, S8): what an image gives away, what is left behind in
 * memory, and codes that take ten tries.
 */
#include "dead_stack.h"
#include "plant.h"

#include "lk_engine.h"

static int any_foreign(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    (void)hash;
    *rule = NULL;
    return 0;
}

/* ---- S3 ---- */

static void test_s03_nothing_useful_in_a_stolen_image(void **state)
{
    struct bench *bench = bench_open();
    struct plant plant;
    bool more = true;

    (void)state;
    lk_fake_foreign_set(&bench->fake, NULL, any_foreign);
    plant_fill(&plant, &bench->store);
    lk_txn_release(&bench->txn);
    assert_int_equal(lk_store_scrub(&bench->store, NULL), 0);
    plant_control(bench->memory, bench->memory_size);
    plant_search(&plant, "RAM", bench->memory, bench->memory_size);
    plant_search(&plant, "work area", bench->work, LK_WORK_SIZE);
    /* Nor while the store key is replaced, nor after it. */
    bench_write(bench);
    assert_int_equal(lk_rekey_begin(&bench->txn), 0);
    bench_commit(bench);
    while (more) {
        bench_write(bench);
        assert_true(lk_rekey_step(&bench->txn, 50, &more) >= 0);
        bench_commit(bench);
        plant_search(&plant, "RAM, in a rekey", bench->memory, bench->memory_size);
    }
    plant_search(&plant, "work area, after a rekey", bench->work, LK_WORK_SIZE);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- S8: what is left in memory ---- */

#define SECRET  "plantedinmemory"
#define MISTAKE "mistakeninmemory"
#define FRESH   "renewedinmemory"

struct stacked {
    struct bench *bench;
    struct lk_id alice;
    int (*run)(struct stacked *stacked);
    uint64_t fail_at;             /* port call; 0: none */
    uint8_t hash[LK_PWHASH_SIZE]; /* the verifier's */
    char told[LK_TOKEN_SIZE];     /* a token that was told */
};

static int stacked_login(struct stacked *stacked, const char *password, const char *fresh)
{
    struct lk_login_request request = {.tenant = stacked->bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = bench_text(password),
                                       .new_password = bench_text(fresh)};
    struct lk_login_result result;
    int error = lk_login(&stacked->bench->store, &request, &result, NULL);

    memcpy(stacked->told, result.token, sizeof(stacked->told));
    lk_wipe(&stacked->bench->store, &result, sizeof(result));
    return error;
}

static int stacked_good(struct stacked *stacked)
{
    return stacked_login(stacked, SECRET, "");
}

static int stacked_wrong(struct stacked *stacked)
{
    return stacked_login(stacked, MISTAKE, "");
}

static int stacked_change(struct stacked *stacked)
{
    return stacked_login(stacked, SECRET, FRESH);
}

static int stacked_set(struct stacked *stacked)
{
    struct lk_store *store = &stacked->bench->store;
    struct lk_password password;
    struct lk_txn txn;
    int error =
        lk_password_prepare_for(store, stacked->alice, LK_TEXT(FRESH), NULL, 0, &password, NULL);

    memset(&txn, 0, sizeof(txn));
    if (!error) {
        error = lk_begin(store, &txn, LK_WRITE, NULL);
    }
    if (!error) {
        error = lk_password_set(&txn, stacked->alice, &password, 0);
    }
    error = error ? error : lk_commit(&txn);
    lk_txn_release(&txn);
    lk_wipe(store, &password, sizeof(password));
    return error;
}

static int stacked_thread(void *context)
{
    struct stacked *stacked = context;

    if (stacked->fail_at) {
        lk_fake_fail_at(&stacked->bench->fake, stacked->fail_at);
    }
    return stacked->run(stacked);
}

/* How often one of the secrets is left, on the stack or in the work area. */
static size_t stacked_left(const struct stacked *stacked, const struct dead_stack *stack)
{
    static const char *const secrets[] = {SECRET, MISTAKE, FRESH};
    size_t left = dead_stack_count(stack, stacked->hash, sizeof(stacked->hash));
    size_t i;

    for (i = 0; i < LK_COUNT(secrets); i++) {
        size_t size = strlen(secrets[i]);

        left += dead_stack_count(stack, secrets[i], size);
        left += bench_occurs(stacked->bench->work, LK_WORK_SIZE, secrets[i], size);
    }
    if (stacked->told[0]) {
        left += dead_stack_count(stack, stacked->told + 20, 27);
    }
    return left;
}

/* Success, refusal, and every failure of the platform: nothing of a secret stays on the stack or in
 * the work area. */
static void test_s08_secrets_are_wiped_on_every_path(void **state)
{
    static const struct {
        const char *name;
        int (*run)(struct stacked *stacked);
        int want;
        bool must_change;
    } runs[] = {{"good login", stacked_good, 0, false},
                {"wrong login", stacked_wrong, LK_E_REFUSED, false},
                {"login that must change", stacked_good, LK_E_MUST_CHANGE, true},
                {"login that changes", stacked_change, 0, true},
                {"new password", stacked_set, 0, false}};
    struct dead_stack *stack = malloc(sizeof(*stack));
    unsigned points = 0;
    size_t i;

    (void)state;
    assert_non_null(stack);
    dead_stack_control(stack);
    for (i = 0; i < LK_COUNT(runs); i++) {
        uint64_t n;
        bool hit = true;

        for (n = 0; hit; n++) {
            struct bench *bench = bench_open();
            struct stacked stacked = {.bench = bench, .run = runs[i].run, .fail_at = n};
            size_t left;
            int error;

            bench_write(bench);
            assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                                       "password_history=3", NULL),
                             0);
            bench_commit(bench);
            stacked.alice = bench_user(bench, "alice", NULL);
            {
                struct lk_password password;

                assert_int_equal(
                    lk_password_prepare(&bench->store, LK_TEXT(SECRET), NULL, 0, &password, NULL),
                    0);
                memcpy(stacked.hash, password.hash, sizeof(stacked.hash));
                bench_write(bench);
                assert_int_equal(lk_password_set(&bench->txn, stacked.alice, &password, 0), 0);
                if (runs[i].must_change) {
                    assert_int_equal(bench_set(bench, &lk_kind_user, stacked.alice,
                                               "must_change_password=true", NULL),
                                     0);
                }
                bench_commit(bench);
            }
            lk_txn_release(&bench->txn);
            memset(bench->work, 0, LK_WORK_SIZE);
            error = dead_stack_run(stack, stacked_thread, &stacked);
            hit = !n || lk_fake_failed(&bench->fake) > 0;
            lk_fake_fail_at(&bench->fake, LK_FAKE_FAIL_NEVER);
            left = stacked_left(&stacked, stack);
            points += hit;
            if (left) {
                fail_msg("%s, port call %u failing: a secret is left %zu times", runs[i].name,
                         (unsigned)n, left);
            }
            assert_true(n || error == runs[i].want);
            bench_close(bench);
        }
    }
    assert_true(points > 30);
    print_message("[  figure  ] %u runs, with every port call failing: 0 secrets left\n", points);
    free(stack);
}

/* ---- S6 ---- */

/* Ten tries, whatever the lockout says; then the right one is none. */
static void test_s06_claim_codes_take_ten_tries(void **state)
{
    unsigned wrong;

    (void)state;
    for (wrong = 9; wrong <= 10; wrong++) {
        struct bench *bench = bench_open();
        struct lk_id carol = bench_user(bench, "carol", NULL);
        struct lk_login_result result;
        char claim[LK_CLAIM_SIZE];
        unsigned i;

        bench_write(bench);
        assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                                   "lockout_failures=0", NULL),
                         0);
        assert_int_equal(lk_claim_add(&bench->txn, carol, claim), 0);
        bench_commit(bench);
        for (i = 0; i < wrong; i++) {
            assert_int_equal(bench_login(bench, "carol", "AAAA-BBBB-CCCC-DDDD", &result),
                             LK_E_REFUSED);
            /* What has not the form of a code is no try of one. */
            assert_int_equal(bench_login(bench, "carol", "no code at all", &result), LK_E_REFUSED);
        }
        assert_int_equal(bench_login_new(bench, "carol", claim, "a good secret", &result, NULL),
                         wrong < 10 ? 0 : LK_E_REFUSED);
        /* Used up or used: never again. */
        assert_int_equal(bench_login_new(bench, "carol", claim, "another secret", &result, NULL),
                         LK_E_REFUSED);
        bench_verify(bench);
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s03_nothing_useful_in_a_stolen_image),
        cmocka_unit_test(test_s06_claim_codes_take_ten_tries),
        cmocka_unit_test(test_s08_secrets_are_wiped_on_every_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
