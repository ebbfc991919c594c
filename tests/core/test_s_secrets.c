// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
/*
 * Secrets at rest and in memory (S3, S4, S6, S8): what an image gives away, what is left behind in
 * memory, what hostile parameters may cost, and codes that are never twice the same.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "dead_stack.h"
#include "plant.h"
#include "valgrind.h"

#include "lk_engine.h"
#include "lk_foreign.h"

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

/* ---- S4 ---- */

/* What hostile hashes may add to the process. */
static long hostile_kib(void)
{
#ifdef __SANITIZE_ADDRESS__
    bool keeps_freed = true;
#else
    bool keeps_freed = under_valgrind();
#endif
    return keeps_freed ? 524288 : 16384;
}

/* What a hash claims to cost is looked at before memory or time is taken: at import, and where it
 * is in the store already. */
static void test_s04_hostile_parameters_cost_nothing(void **state)
{
#define TAIL "$c2FsdHNhbHRzYWx0c2FsdA$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    static const char *const hashes[] = {
        "$argon2id$v=19$m=4194304,t=2,p=1" TAIL,
        "$argon2id$v=19$m=4294967295,t=1,p=1" TAIL,
        "$argon2id$v=19$m=99999999999,t=1,p=1" TAIL,
        "$argon2id$v=19$m=64,t=4294967295,p=1" TAIL,
        "$argon2id$v=19$m=64,t=300,p=1" TAIL,
        "$argon2id$v=19$m=64,t=0,p=1" TAIL,
        "$argon2id$v=19$m=0,t=1,p=1" TAIL,
        "$argon2id$v=19$m=64,t=1,p=4294967295" TAIL,
        "$argon2i$v=19$m=4194304,t=3,p=1" TAIL,
        "$6$rounds=999999999$saltsalt$CZC5tBf5/rKhOQIET2oig0eNX0i17tEd92FV7pVuXyj."
        "ErraijtwBDhqwL4FE7hVm/dY8wlBmc1JZtdkChmIw.",
        "$5$rounds=999999999$saltsalt$ZKcpR0e8y.nQtAyQ5YWdXB7N7IhBfgIaEnymrNs7DZ4",
        "$2b$31$abcdefghijklmnopqrstuuWzGp4fA7i.vP2ZzQ1z9k3Dq3Cq6o7rW",
        "$7$2147483647$c2FsdHNhbHQ=$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAECAwQFBgcICQ==",
        "$y$jFT$saltsaltsaltsaltsalt$0123456789012345678901234567890123456789012",
    };
    static const struct lk_pwhash_params costs[] = {
        {4194304, 2, 1}, {UINT32_MAX, 255, 1}, {64, 255, 1}, {7, 1, 1}, {64, 0, 1}};
    static const struct lk_password_how how = {.verb = "user.passwd"};
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_login_result nobody;
    struct rusage before, after;
    size_t i;

    (void)state;
    lk_fake_foreign_set(&bench->fake, lk_foreign_verify, lk_foreign_check);
    lk_fake_pwhash_exact(&bench->fake, true);
    /* What a hash of the store's own costs is no part of it. */
    assert_int_equal(bench_login(bench, "nobody", "any secret", &nobody), LK_E_REFUSED);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    for (i = 0; i < LK_COUNT(hashes); i++) {
        uint64_t print = bench_print(bench);
        int error;

        bench_write(bench);
        error = lk_password_import(&bench->txn, alice, bench_text(hashes[i]));
        if (error != LK_E_CHECK && error != LK_E_UNSUPPORTED) {
            fail_msg("%.40s: %d", hashes[i], error);
        }
        assert_non_null(lk_problem(&bench->txn)->rule);
        bench_commit(bench);
        assert_true(bench_print(bench) == print);
    }
    for (i = 0; i < LK_COUNT(costs) + LK_COUNT(hashes); i++) {
        struct lk_verifier verifier;
        struct lk_login_result result;
        struct lk_problem problem;

        memset(&verifier, 0, sizeof(verifier));
        if (i < LK_COUNT(costs)) {
            verifier.form = LK_VERIFIER_ARGON2ID;
            verifier.argon2id.params = costs[i];
        } else {
            const char *hash = hashes[i - LK_COUNT(costs)];

            verifier.form = LK_VERIFIER_FOREIGN;
            verifier.foreign_size = strlen(hash);
            memcpy(verifier.foreign, hash, verifier.foreign_size);
        }
        bench_write(bench);
        assert_int_equal(lk_password_put(&bench->txn, alice, &verifier, &how, 0), 0);
        bench_commit(bench);
        memset(&problem, 0, sizeof(problem));
        assert_int_equal(bench_login_new(bench, "alice", "any secret", "", &result, &problem),
                         LK_E_REFUSED);
        assert_null(problem.rule);
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    }
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    print_message("[  figure  ] %zu hostile hashes, twice: %ld KiB more at the peak, %ld ms\n",
                  LK_COUNT(hashes) + LK_COUNT(costs), after.ru_maxrss - before.ru_maxrss,
                  (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000 +
                      (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1000);
    assert_true(after.ru_maxrss - before.ru_maxrss < hostile_kib());
    bench_verify(bench);
    bench_close(bench);
}

/* ---- S6 ---- */

#define INITS 10000

static int true_entropy(void *self, uint8_t *out, size_t size)
{
    (void)self;
    return getentropy(out, size) == 0 ? 0 : LK_E_ENTROPY;
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, LK_CLAIM_SIZE);
}

/* No default credential: each store's claim code is its own. */
static void test_s06_claim_codes_all_differ(void **state)
{
    static const struct lk_entropy entropy = {.fill = true_entropy};
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    /* What valgrind has to say of a store it says of the first few. */
    size_t i, same = 0, inits = under_valgrind() ? 500 : INITS;
    char(*codes)[LK_CLAIM_SIZE] = calloc(inits, LK_CLAIM_SIZE);

    (void)state;
    assert_non_null(codes);
    for (i = 0; i < inits; i++) {
        struct bench *bench = bench_bare(256u << 10);
        struct lk_create_result result;

        bench->fake.port.entropy = &entropy;
        assert_int_equal(lk_create(&bench->store, &bench->config, &request, &result), 0);
        assert_int_equal(strlen(result.claim), LK_CLAIM_SIZE - 1);
        memcpy(codes[i], result.claim, LK_CLAIM_SIZE);
        bench_close(bench);
    }
    qsort(codes, inits, LK_CLAIM_SIZE, by_text);
    for (i = 1; i < inits; i++) {
        same += memcmp(codes[i - 1], codes[i], LK_CLAIM_SIZE) == 0;
    }
    print_message("[  figure  ] %zu stores made: %zu claim codes alike\n", inits, same);
    assert_int_equal(same, 0);
    free(codes);
}

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
        cmocka_unit_test(test_s04_hostile_parameters_cost_nothing),
        cmocka_unit_test(test_s06_claim_codes_all_differ),
        cmocka_unit_test(test_s06_claim_codes_take_ten_tries),
        cmocka_unit_test(test_s08_secrets_are_wiped_on_every_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
