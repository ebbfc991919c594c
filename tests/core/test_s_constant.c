// SPDX-License-Identifier: MIT
/*
 * S8 under valgrind (`make valgrind`): what is secret is marked as undefined, and no jump may
 * depend on it. Secret are: the hash in a verifier that was opened, what a password is hashed to,
 * what a token, a claim code or a recovery code is hashed to with the store's key, and the seed of
 * time-based codes with all that is computed from it. What a comparison answers is public. Argon2id
 * itself chooses its memory by the password (RFC 9106, section 3.1.2) and is not looked into.
 *
 * Elsewhere the marks mean nothing, and this just logs in.
 */
#include "factor_scene.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_MAKE_MEM_UNDEFINED
#define VALGRIND_MAKE_MEM_UNDEFINED(at, size) ((void)(at), (void)(size))
#define VALGRIND_MAKE_MEM_DEFINED(at, size)   ((void)(at), (void)(size))
#define VALGRIND_GET_VBITS(at, bits, size)    ((void)(at), (void)(bits), (void)(size), 0)
#define VALGRIND_COUNT_ERRORS                 0u
#define RUNNING_ON_VALGRIND                   0u
#endif

#define SEED_FORM 3 /* of what is sealed (SPEC.md, section 7) */

static struct lk_crypto plain, marked;
static const struct lk_store *marked_store;
static bool marking;
static unsigned compared, compared_secret;

static int marked_hash(void *self, const uint8_t *key, size_t key_size, struct lk_span a,
                       struct lk_span b, uint8_t out[LK_HASH_SIZE])
{
    int error = plain.hash(self, key, key_size, a, b, out);

    if (marking && (key == marked_store->token_key || a.data == marked_store->token_key)) {
        VALGRIND_MAKE_MEM_UNDEFINED(out, LK_HASH_SIZE);
    }
    return error;
}

/* A verifier: form, costs and salt may be known, the hash at its end may not. A seed: all but its
 * form and length. */
static int marked_open(void *self, const uint8_t key[LK_SEAL_KEY_SIZE],
                       const uint8_t nonce[LK_SEAL_NONCE_SIZE], struct lk_span sealed,
                       struct lk_span ad, uint8_t *out)
{
    int error = plain.open(self, key, nonce, sealed, ad, out);

    if (!error && marking) {
        size_t size = sealed.size - LK_SEAL_TAG_SIZE, known = size - LK_PWHASH_SIZE;

        known = out[0] == SEED_FORM ? 1 : known;
        VALGRIND_MAKE_MEM_UNDEFINED(out + known, size - known);
    }
    return error;
}

static int marked_step(void *self, struct lk_pwhash_job *job)
{
    int error = plain.pwhash_step(self, job);

    if (!error && marking) {
        VALGRIND_MAKE_MEM_UNDEFINED(job->hash, sizeof(job->hash));
    }
    return error;
}

static bool marked_equal(const void *a, const void *b, size_t size)
{
    bool equal = plain.equal(a, b, size);
    uint8_t bits = 0;

    if (marking) {
        compared++;
        (void)VALGRIND_GET_VBITS(&equal, &bits, 1); /* does not ask whether it is defined */
        compared_secret += bits != 0;
        VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof(equal));
    }
    return equal;
}

static void mark(struct bench *bench)
{
    plain = *bench->fake.port.crypto;
    marked = plain;
    marked.hash = marked_hash;
    marked.open = marked_open;
    marked.pwhash_step = marked_step;
    marked.equal = marked_equal;
    marked_store = &bench->store;
    bench->fake.port.crypto = &marked;
    compared = compared_secret = 0;
}

/* Each comparison did compare what was marked: the marks came through. */
static void marks_came_through(unsigned errors, unsigned least)
{
    print_message("[  figure  ] %u comparisons, %u of them of marked secrets; %u jumps on them%s\n",
                  compared, compared_secret, VALGRIND_COUNT_ERRORS - errors,
                  RUNNING_ON_VALGRIND ? "" : " (not under valgrind: nothing is marked)");
    assert_int_equal(VALGRIND_COUNT_ERRORS, errors);
    assert_true(compared >= least);
    assert_int_equal(compared_secret, RUNNING_ON_VALGRIND ? compared : 0);
}

/* The two commits around it store what is public by then. */
static int marked_login(struct bench *bench, const char *name, struct lk_span password,
                        const char *fresh)
{
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = bench_text(name),
                                       .password = password,
                                       .new_password = bench_text(fresh)};
    struct lk_login_result result;
    struct lk_login login;
    int error;

    lk_txn_release(&bench->txn);
    marking = true;
    error = lk_login_begin(&bench->store, &login, &request);
    while (!error && login.state != 0 && (error = lk_login_step(&login)) > 0) {
        error = 0;
    }
    marking = false;
    VALGRIND_MAKE_MEM_DEFINED(&login, sizeof(login));
    return error ? error : lk_login_finish(&login, &result);
}

static void test_s08_no_jump_depends_on_a_secret(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice, carol;
    struct lk_login_result session;
    struct lk_verdict verdict;
    struct lk_id id;
    char key[LK_TOKEN_SIZE], wrong[LK_TOKEN_SIZE], claim[LK_CLAIM_SIZE];
    unsigned errors, i;

    (void)state;
    mark(bench);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "password_history=3", NULL),
                     0);
    bench_commit(bench);
    alice = bench_user(bench, "alice", NULL);
    {
        struct lk_password password;

        assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("alice's secret"),
                                                 NULL, 0, &password, NULL),
                         0);
        bench_write(bench);
        assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), 0);
        bench_commit(bench);
    }
    carol = bench_user(bench, "carol", NULL);
    bench_write(bench);
    assert_int_equal(lk_claim_add(&bench->txn, carol, claim), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, key, &id), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &session), 0);
    errors = VALGRIND_COUNT_ERRORS;

    assert_int_equal(marked_login(bench, "alice", LK_TEXT("alice's secret"), ""), 0);
    assert_int_equal(marked_login(bench, "alice", LK_TEXT("a wrong secret"), ""), LK_E_REFUSED);
    assert_int_equal(marked_login(bench, "nobody", LK_TEXT("a wrong secret"), ""), LK_E_REFUSED);
    assert_int_equal(marked_login(bench, "carol", LK_TEXT("AAAA-BBBB-CCCC-DDDD"), "a good one"),
                     LK_E_REFUSED);
    assert_int_equal(marked_login(bench, "carol", bench_text(claim), ""), LK_E_MUST_CHANGE);
    for (i = 0; i < 4; i++) {
        int error;

        memcpy(wrong, i < 2 ? session.token : key, sizeof(wrong));
        if (i % 2) {
            wrong[30] = wrong[30] == 'A' ? 'B' : 'A';
        }
        bench_read(bench);
        marking = true;
        error = lk_session_check(&bench->txn, bench->tenant, bench_text(wrong), NULL, &verdict);
        marking = false;
        assert_int_equal(error, i % 2 ? LK_E_REFUSED : 0);
    }
    marks_came_through(errors, 8);
    bench_close(bench);
}

static enum lk_factor_kind factor_of(struct factor_scene *scene, const char *code)
{
    struct lk_factor factor;
    int error;

    bench_read(scene->bench);
    marking = true;
    error = lk_factor_find(&scene->bench->txn, scene->alice, bench_text(code), &factor);
    marking = false;
    assert_int_equal(error, 0);
    lk_abort(&scene->bench->txn);
    return factor.kind;
}

/* Codes of each hash and length, and recovery codes: the right one and one that is not. */
static void test_s08_no_jump_depends_on_a_code(void **state)
{
    static const enum lk_hmac hashes[] = {LK_HMAC_SHA1, LK_HMAC_SHA256, LK_HMAC_SHA512};
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(hashes); i++) {
        struct factor_scene *scene = factor_scene_open();
        struct bench *bench = scene->bench;
        char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], code[LK_TOTP_DIGITS_MAX + 1];
        unsigned errors = VALGRIND_COUNT_ERRORS;
        struct lk_id id;

        scene->options.algorithm = hashes[i];
        scene->options.digits = i % 2 ? 8 : 6;
        factor_scene_enrol(scene);
        bench_write(bench);
        assert_int_equal(lk_recovery_add(&bench->txn, scene->alice, codes, &id), 0);
        bench_commit(bench);
        mark(bench);
        (void)snprintf(code, sizeof(code), "%s", factor_scene_code(scene, 0));
        assert_int_equal(factor_of(scene, code), LK_FACTOR_TOTP);
        code[3] = code[3] == '0' ? '1' : '0';
        assert_int_equal(factor_of(scene, code), LK_FACTOR_NONE);
        assert_int_equal(compared, 2 * 3);
        assert_int_equal(factor_of(scene, codes[4]), LK_FACTOR_RECOVERY);
        codes[4][0] = codes[4][0] == 'A' ? 'B' : 'A';
        assert_int_equal(factor_of(scene, codes[4]), LK_FACTOR_NONE);
        marks_came_through(errors, 2 * 3 + 2 * LK_RECOVERY_COUNT);
        factor_scene_close(scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s08_no_jump_depends_on_a_secret),
        cmocka_unit_test(test_s08_no_jump_depends_on_a_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
