// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
/* What is asked of the system (S4, S6): the cost of hostile hashes, and true entropy for codes. */
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "valgrind.h"

#include "lk_engine.h"
#include "lk_foreign.h"

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
    struct lk_login_result usual;
    struct lk_login_result nobody;
    struct rusage before, after;
    size_t i;

    (void)state;
    lk_fake_foreign_set(&bench->fake, lk_foreign_verify, lk_foreign_check);
    lk_fake_pwhash_exact(&bench->fake, true);
    /* What a hash at the store's own cost takes is no hostile one's. */
    assert_int_equal(bench_login(bench, "alice", "any secret", &usual), LK_E_REFUSED);
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
    size_t i, same = 0, inits = under_valgrind() ? 500 : INITS / bench_step();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s04_hostile_parameters_cost_nothing),
        cmocka_unit_test(test_s06_claim_codes_all_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
