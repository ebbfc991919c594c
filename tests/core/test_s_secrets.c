// SPDX-License-Identifier: MIT
#define _POSIX_C_SOURCE 200809L
/*
 * Secrets at rest and in memory (S3, S4, S6, S8): what an image gives away, what is left behind in
 * memory, what hostile parameters may cost, and codes that are never twice the same.
 */
#include <pthread.h>

#include "plant.h"

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

#define STACK_SIZE (1u << 20)
#define SECRET     "plantedinmemory"
#define MISTAKE    "mistakeninmemory"
#define FRESH      "renewedinmemory"

struct stacked {
    struct bench *bench;
    struct lk_id alice;
    int (*run)(struct stacked *stacked);
    uint64_t fail_at; /* port call; 0: none */
    bool hit;
    uint8_t hash[LK_PWHASH_SIZE]; /* the verifier's */
    int error;
    char told[LK_TOKEN_SIZE]; /* a token that was told */
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

static void *stacked_thread(void *context)
{
    struct stacked *stacked = context;

    if (stacked->fail_at) {
        lk_fake_fail_at(&stacked->bench->fake, stacked->fail_at);
    }
    stacked->error = stacked->run(stacked);
    return NULL;
}

/* Runs on a stack of its own; answers how often one of the secrets is left on it. */
static unsigned stacked_run(struct stacked *stacked, uint8_t *stack)
{
    static const char *const secrets[] = {SECRET, MISTAKE, FRESH};
    pthread_attr_t attributes;
    pthread_t thread;
    unsigned found = 0;
    size_t i, at;

    memset(stack, 0, STACK_SIZE);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &attributes, stacked_thread, stacked), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    stacked->hit = lk_fake_failed(&stacked->bench->fake) > 0;
    lk_fake_fail_at(&stacked->bench->fake, LK_FAKE_FAIL_NEVER);
    for (i = 0; i < LK_COUNT(secrets); i++) {
        size_t size = strlen(secrets[i]);

        for (at = 0; at + size <= STACK_SIZE; at++) {
            found += stack[at] == (uint8_t)secrets[i][0] && !memcmp(stack + at, secrets[i], size);
        }
        for (at = 0; at + size <= LK_WORK_SIZE; at++) {
            found += !memcmp((uint8_t *)stacked->bench->work + at, secrets[i], size);
        }
    }
    for (at = 0; stacked->told[0] && at + 27 <= STACK_SIZE; at++) {
        found +=
            stack[at] == (uint8_t)stacked->told[20] && !memcmp(stack + at, stacked->told + 20, 27);
    }
    for (at = 0; at + LK_PWHASH_SIZE <= STACK_SIZE; at++) {
        found += !memcmp(stack + at, stacked->hash, LK_PWHASH_SIZE);
    }
    memset(stacked->told, 0, sizeof(stacked->told));
    return found;
}

static int stacked_control(struct stacked *stacked)
{
    volatile char kept[8192]; /* deep, as real work is: what ends a thread overwrites the rest */
    size_t i;

    for (i = 0; i < sizeof(SECRET); i++) {
        kept[i] = SECRET[i];
    }
    return kept[0] + (stacked->alice.user ? 0 : 1);
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
    uint8_t *stack = aligned_alloc(65536, STACK_SIZE);
    unsigned points = 0;
    size_t i;

    (void)state;
    assert_non_null(stack);
    for (i = 0; i < LK_COUNT(runs); i++) {
        uint64_t n;
        bool hit = true;

        for (n = 0; hit; n++) {
            struct bench *bench = bench_open();
            struct stacked stacked = {.bench = bench, .run = runs[i].run, .fail_at = n};
            unsigned left;

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
            left = stacked_run(&stacked, stack);
            hit = !n || stacked.hit;
            points += hit;
            if (left) {
                fail_msg("%s, port call %u failing: a secret is left %u times", runs[i].name,
                         (unsigned)n, left);
            }
            assert_true(n || stacked.error == runs[i].want);
            bench_close(bench);
        }
    }
    {
        struct bench *bench = bench_open();
        struct stacked stacked = {.bench = bench, .run = stacked_control};

        stacked.alice = bench->admin;
        memset(stacked.hash, 0x5A, sizeof(stacked.hash));
        assert_true(stacked_run(&stacked, stack) > 0);
        bench_close(bench);
    }
    assert_true(points > 30);
    print_message("[  figure  ] %u runs, with every port call failing: 0 secrets left\n", points);
    free(stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s03_nothing_useful_in_a_stolen_image),
        cmocka_unit_test(test_s08_secrets_are_wiped_on_every_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
