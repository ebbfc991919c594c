// SPDX-License-Identifier: MIT
/* Time-based codes as credentials: vectors, making, confirming, moving. */
#include "bench.h"

#include "lk_factor.h"

#define PASSWORD "alice's secret"

static struct lk_id alice_of(struct bench *bench)
{
    return bench_user(bench, "alice", PASSWORD);
}

static int add(struct bench *bench, struct lk_id user, const char *label,
               const struct lk_totp_options *options, struct lk_totp_offer *offer, struct lk_id *id)
{
    return lk_totp_add(&bench->txn, user, bench_text(label), options, offer, id);
}

static void code_at(struct bench *bench, const struct lk_totp_offer *offer, enum lk_hmac algorithm,
                    unsigned digits, uint64_t step, char out[LK_TOTP_DIGITS_MAX + 1])
{
    uint8_t seed[LK_TOTP_SEED_MAX];
    size_t size;

    assert_int_equal(lk_base32_decode(bench_text(offer->seed), seed, sizeof(seed), &size), 0);
    assert_int_equal(
        lk_totp_code(&bench->store, algorithm, (struct lk_span){seed, size}, step, digits, out), 0);
}

static uint64_t step_now(const struct bench *bench)
{
    return bench->fake.clock.wall_ms / LK_TOTP_PERIOD_MS;
}

static int confirm(struct bench *bench, struct lk_id user, const char *code)
{
    struct lk_id id;
    int error;

    bench_write(bench);
    error = lk_totp_confirm(&bench->txn, user, bench_text(code), &id);
    if (!error) {
        bench_commit(bench);
    }
    lk_abort(&bench->txn);
    return error;
}

/* ---- Vectors ---- */

static void test_totp_code_is_that_of_rfc_4226(void **state)
{
    static const char *const wanted[] = {"755224", "287082", "359152", "969429", "338314",
                                         "254676", "287922", "162583", "399871", "520489"};
    struct bench *bench = bench_open();
    char code[LK_TOTP_DIGITS_MAX + 1];
    uint64_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(wanted); i++) {
        assert_int_equal(
            lk_totp_code(&bench->store, LK_HMAC_SHA1, LK_TEXT("12345678901234567890"), i, 6, code),
            0);
        assert_string_equal(code, wanted[i]);
    }
    bench_close(bench);
}

/* Appendix B; its leading zeros among them. The seeds are as erratum 2866 has them. */
static void test_totp_code_is_that_of_rfc_6238(void **state)
{
    static const struct {
        uint64_t seconds;
        const char *codes[3];
    } cases[] = {{59, {"94287082", "46119246", "90693936"}},
                 {1111111109, {"07081804", "68084774", "25091201"}},
                 {1111111111, {"14050471", "67062674", "99943326"}},
                 {1234567890, {"89005924", "91819424", "93441116"}},
                 {2000000000, {"69279037", "90698825", "38618901"}},
                 {UINT64_C(20000000000), {"65353130", "77737706", "47863826"}}};
    static const size_t sizes[] = {20, 32, 64};
    struct bench *bench = bench_open();
    char code[LK_TOTP_DIGITS_MAX + 1];
    uint8_t seed[64];
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(seed); i++) {
        seed[i] = (uint8_t)("1234567890"[i % 10]);
    }
    for (i = 0; i < LK_COUNT(cases); i++) {
        for (k = 0; k < 3; k++) {
            assert_int_equal(lk_totp_code(&bench->store, (enum lk_hmac)k,
                                          (struct lk_span){seed, sizes[k]}, cases[i].seconds / 30,
                                          8, code),
                             0);
            assert_string_equal(code, cases[i].codes[k]);
        }
    }
    assert_int_equal(lk_totp_code(&bench->store, (enum lk_hmac)3, LK_TEXT("x"), 1, 6, code),
                     LK_E_UNSUPPORTED);
    assert_int_equal(lk_totp_code(&bench->store, LK_HMAC_SHA1, LK_TEXT("x"), 1, 9, code),
                     LK_E_UNSUPPORTED);
    bench_close(bench);
}

/* ---- Making one ---- */

static void test_totp_add_tells_a_seed_and_a_uri(void **state)
{
    static const struct {
        struct lk_totp_options options;
        size_t text;
        const char *tail;
    } cases[] = {
        {{LK_HMAC_SHA1, 0}, 32, "&issuer=main&algorithm=SHA1&digits=6&period=30"},
        {{LK_HMAC_SHA256, 8}, 52, "&issuer=main&algorithm=SHA256&digits=8&period=30"},
        {{LK_HMAC_SHA512, 6}, 103, "&issuer=main&algorithm=SHA512&digits=6&period=30"},
    };
    static const char head[] = "otpauth://totp/main:alice?secret=";
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), id;
    struct lk_totp_offer offer, again;
    char label[8] = "one";
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        label[0] = (char)('a' + i);
        bench_write(bench);
        assert_int_equal(add(bench, alice, label, &cases[i].options, &offer, &id), 0);
        bench_commit(bench);
        assert_int_equal(strlen(offer.seed), cases[i].text);
        assert_memory_equal(offer.uri, head, sizeof(head) - 1);
        assert_memory_equal(offer.uri + sizeof(head) - 1, offer.seed, cases[i].text);
        assert_string_equal(offer.uri + sizeof(head) - 1 + cases[i].text, cases[i].tail);
    }
    bench_write(bench);
    assert_int_equal(add(bench, alice, "d", NULL, &again, &id), 0);
    assert_string_not_equal(again.seed, offer.seed);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* Names as people have them, in the URI's form; the longest there can be. */
static void test_totp_uri_escapes(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id tenant = {bench->tenant, 0, 0}, id = {0, 0, 0}, made;
    struct lk_totp_offer offer;
    char text[300], word[320];
    size_t i;

    (void)state;
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, tenant, "display_name=Müller & Söhne: A/B?", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_user, &id, "username=zoë+1=x", NULL), 0);
    assert_int_equal(add(bench, id, "", NULL, &offer, &made), 0);
    assert_non_null(strstr(offer.uri, "otpauth://totp/M%C3%BCller%20%26%20S%C3%B6hne-%20A%2FB%3F:"
                                      "zo%C3%AB%2B1%3Dx?secret="));
    assert_non_null(strstr(offer.uri, "&issuer=M%C3%BCller%20%26%20S%C3%B6hne-%20A%2FB%3F&"));
    /* 63 bytes, then a character of two, which is not cut in half. */
    memset(text, '%', 63);
    (void)snprintf(text + 63, sizeof(text) - 63, "ü and so on");
    (void)snprintf(word, sizeof(word), "display_name=%s", text);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant, word, NULL), 0);
    (void)snprintf(word, sizeof(word), "username=%064d", 0);
    for (i = 9; word[i]; i++) {
        word[i] = '%';
    }
    id = (struct lk_id){0, 0, 0};
    assert_int_equal(bench_add(bench, &lk_kind_user, &id, word, NULL), 0);
    {
        static const struct lk_totp_options options = {LK_HMAC_SHA512, 8};

        assert_int_equal(add(bench, id, "", &options, &offer, &made), 0);
    }
    assert_int_equal(strlen(offer.uri),
                     15 + 63 * 3 + 1 + 64 * 3 + 8 + 103 + 8 + 63 * 3 + 17 + 9 + 10);
    assert_string_equal(offer.uri + strlen(offer.uri) - 10, "&period=30");
    bench_commit(bench);
    bench_close(bench);
}

static void refused(struct bench *bench, int error, int wanted, const char *field)
{
    assert_int_equal(error, wanted);
    assert_string_equal(lk_problem(&bench->txn)->field, field);
    assert_non_null(lk_problem(&bench->txn)->rule);
}

/* Four at most, told apart by label; what was never confirmed gives way to one of its label. */
static void test_totp_add_several(void **state)
{
    static const struct lk_totp_options seven = {LK_HMAC_SHA1, 7}, other = {(enum lk_hmac)3, 6};
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), first, id, nobody = {bench->tenant, 99, 0};
    struct lk_totp_offer offer, zero;
    char code[LK_TOTP_DIGITS_MAX + 1], label[102];
    unsigned i;

    (void)state;
    memset(&zero, 0, sizeof(zero));
    assert_int_equal(add(bench, alice, "", NULL, &offer, &id), LK_E_STATE);
    bench_read(bench);
    assert_int_equal(add(bench, alice, "", NULL, &offer, &id), LK_E_STATE);
    bench_write(bench);
    assert_int_equal(add(bench, nobody, "", NULL, &offer, &id), LK_E_NOT_FOUND);
    refused(bench, add(bench, alice, "", &seven, &offer, &id), LK_E_CHECK, "digits");
    refused(bench, add(bench, alice, "", &other, &offer, &id), LK_E_UNSUPPORTED, "algorithm");
    memset(label, 'x', 101);
    label[101] = '\0';
    refused(bench, add(bench, alice, label, NULL, &offer, &id), LK_E_CHECK, "label");
    assert_memory_equal(&offer, &zero, sizeof(offer));
    /* None of that is in the way of the rest. */
    assert_int_equal(add(bench, alice, "phone", NULL, &offer, &first), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(add(bench, alice, "phone", NULL, &offer, &id), 0);
    assert_int_not_equal(id.sub, first.sub);
    bench_commit(bench);
    bench_read(bench);
    {
        struct lk_credential gone;

        assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, first, &gone.record),
                         LK_E_NOT_FOUND);
    }
    code_at(bench, &offer, LK_HMAC_SHA1, 6, step_now(bench), code);
    assert_int_equal(confirm(bench, alice, code), 0);
    bench_write(bench);
    refused(bench, add(bench, alice, "phone", NULL, &offer, &id), LK_E_CONFLICT, "label");
    for (i = 1; i < LK_TOTP_MAX; i++) {
        label[0] = (char)('0' + i);
        label[1] = '\0';
        assert_int_equal(add(bench, alice, label, NULL, &offer, &id), 0);
    }
    refused(bench, add(bench, alice, "one more", NULL, &offer, &id), LK_E_LIMIT, "type");
    assert_int_equal(add(bench, alice, "1", NULL, &offer, &id), 0); /* in its predecessor's place */
    bench_commit(bench);
    bench_verify(bench);
    /* A board without HMAC hands out nothing that it could not check. */
    {
        struct lk_crypto crypto = bench->fake.crypto;
        struct lk_port port = bench->fake.port;

        crypto.hmac = NULL;
        port.crypto = &crypto;
        bench->store.port = &port;
        bench_write(bench);
        refused(bench, add(bench, alice, "x", NULL, &offer, &id), LK_E_UNSUPPORTED, "algorithm");
        lk_abort(&bench->txn);
        bench->store.port = lk_fake_port(&bench->fake);
    }
    bench_close(bench);
}

/* ---- Confirming ---- */

static void test_totp_confirm(void **state)
{
    static const char *const hostile[] = {
        "", "12345", "1234567", "abcdef", "１２３４", "12345678901234567890", "-- --", "000000\n"};
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), one, two;
    struct lk_totp_offer first, second;
    struct lk_credential credential;
    char code[LK_TOTP_DIGITS_MAX + 1], spaced[16];
    uint64_t print;
    size_t i;

    (void)state;
    assert_int_equal(confirm(bench, alice, "123456"), LK_E_NOT_FOUND);
    bench_write(bench);
    assert_int_equal(add(bench, alice, "one", NULL, &first, &one), 0);
    assert_int_equal(add(bench, alice, "two", NULL, &second, &two), 0);
    bench_commit(bench);
    print = bench_print(bench);
    for (i = 0; i < LK_COUNT(hostile); i++) {
        assert_int_equal(confirm(bench, alice, hostile[i]), LK_E_REFUSED);
    }
    code_at(bench, &first, LK_HMAC_SHA1, 6, step_now(bench), code);
    code[0] = code[0] == '9' ? '0' : (char)(code[0] + 1);
    assert_int_equal(confirm(bench, alice, code), LK_E_REFUSED);
    code_at(bench, &first, LK_HMAC_SHA1, 6, step_now(bench), code);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_HELD);
    bench_write(bench);
    refused(bench, lk_totp_confirm(&bench->txn, alice, bench_text(code), &one), LK_E_REFUSED,
            "code");
    lk_abort(&bench->txn);
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_SET);
    assert_true(bench_print(bench) == print);
    /* As authenticators show them: in two groups. */
    code_at(bench, &second, LK_HMAC_SHA1, 6, step_now(bench) - 1, code);
    (void)snprintf(spaced, sizeof(spaced), "%.3s %s", code, code + 3);
    assert_int_equal(confirm(bench, alice, spaced), 0);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, two, &credential.record), 0);
    assert_int_equal(credential.confirmed, 1);
    assert_true(credential.last_step == step_now(bench) - 1);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, one, &credential.record), 0);
    assert_int_equal(credential.confirmed, 0);
    lk_abort(&bench->txn);
    assert_int_equal(confirm(bench, alice, code), LK_E_REFUSED); /* no code of "one" */
    bench_read(bench);
    assert_int_equal(lk_totp_confirm(&bench->txn, alice, bench_text(code), &one), LK_E_STATE);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Out and in again ---- */

static void test_totp_seed_moves_to_another_store(void **state)
{
    static const struct lk_totp_options options = {LK_HMAC_SHA256, 8};
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), id, recovery;
    char seed[LK_TOTP_SEED_TEXT], codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    char code[LK_TOTP_DIGITS_MAX + 1];
    struct lk_credential credential;
    struct lk_totp_offer offer;
    struct lk_factor factor;

    (void)state;
    bench_write(bench);
    assert_int_equal(add(bench, alice, "x", &options, &offer, &id), 0);
    assert_int_equal(lk_recovery_add(&bench->txn, alice, codes, &recovery), 0);
    assert_int_equal(lk_totp_export(&bench->txn, id, seed), 0);
    assert_string_equal(seed, offer.seed);
    assert_int_equal(lk_totp_export(&bench->txn, recovery, seed), LK_E_NOT_FOUND);
    assert_int_equal(lk_password_export(&bench->txn, id, seed, sizeof(seed)), LK_E_NOT_FOUND);
    code_at(bench, &offer, LK_HMAC_SHA256, 8, step_now(bench), code);
    assert_int_equal(lk_totp_confirm(&bench->txn, alice, bench_text(code), &id), 0);
    bench_commit(bench);
    /* As a restore would have it: the record without its seed. */
    bench_write(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, id, &credential.record), 0);
    credential.record.present &= ~(LK_BIT(10) | LK_BIT(19));
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &credential.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(code), &factor), 0);
    assert_int_equal(factor.totp_count, 0);
    assert_int_equal(lk_totp_export(&bench->txn, id, seed), LK_E_NOT_FOUND);
    refused(bench, lk_totp_put_back(&bench->txn, id, LK_TEXT("ABC")), LK_E_CHECK, "seed");
    refused(bench, lk_totp_put_back(&bench->txn, id, LK_TEXT("not base32!")), LK_E_CHECK, "seed");
    refused(bench, lk_totp_put_back(&bench->txn, recovery, bench_text(offer.seed)), LK_E_CHECK,
            "seed");
    assert_int_equal(lk_totp_put_back(&bench->txn, id, bench_text(offer.seed)), 0);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_totp_put_back(&bench->txn, id, bench_text(offer.seed)), LK_E_STATE);
    assert_int_equal(lk_totp_export(&bench->txn, id, seed), 0);
    assert_string_equal(seed, offer.seed);
    /* What may have been used before is not taken again; the next one is. */
    assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(code), &factor), 0);
    assert_int_equal(factor.kind, LK_FACTOR_NONE);
    assert_int_equal(factor.totp_count, 1);
    code_at(bench, &offer, LK_HMAC_SHA256, 8, step_now(bench) + 1, code);
    assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(code), &factor), 0);
    assert_int_equal(factor.kind, LK_FACTOR_TOTP);
    /* One that stays without its seed gives its place to another of its label. */
    bench_write(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, id, &credential.record), 0);
    credential.record.present &= ~LK_BIT(10);
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &credential.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(add(bench, alice, "x", NULL, &offer, &recovery), 0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, id, &credential.record),
                     LK_E_NOT_FOUND);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* A seed that was sealed for another place, and a verifier in a seed's place, do not open. */
static void test_totp_seed_opens_in_its_place_only(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), id, other;
    struct lk_credential one, two, password;
    struct lk_totp_offer offer;
    struct lk_factor factor;
    uint8_t plain[54] = {LK_VERIFIER_ARGON2ID}, sealed[94];
    size_t size;

    (void)state;
    bench_write(bench);
    assert_int_equal(add(bench, alice, "one", NULL, &offer, &id), 0);
    assert_int_equal(add(bench, alice, "two", NULL, &offer, &other), 0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, id, &one.record), 0);
    two = one;
    two.record.id = other;
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &two.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_factor_find(&bench->txn, alice, LK_TEXT("123456"), &factor), LK_E_CORRUPT);
    assert_int_equal(lk_totp_export(&bench->txn, other, offer.seed), LK_E_CORRUPT);
    assert_int_equal(lk_seal_as(&bench->store, other, LK_SEALED_SECRET,
                                (struct lk_span){plain, sizeof(plain)}, sealed, sizeof(sealed),
                                &size),
                     0);
    lk_set_span(&lk_kind_credential, &two.record, "secret", (struct lk_span){sealed, size});
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &two.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_totp_export(&bench->txn, other, offer.seed), LK_E_CORRUPT);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &password), 0);
    bench_close(bench);
}

/* What no program of ours writes is found by a verification. */
static void test_totp_verify_finds_what_cannot_be(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), id, recovery;
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_verify verify = {.on_fault = NULL};
    struct lk_credential credential;
    struct lk_totp_offer offer;

    (void)state;
    bench_write(bench);
    assert_int_equal(add(bench, alice, "", NULL, &offer, &id), 0);
    assert_int_equal(lk_recovery_add(&bench->txn, alice, codes, &recovery), 0);
    assert_int_equal(lk_verify(&bench->txn, &verify), 0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, id, &credential.record), 0);
    lk_set_number(&lk_kind_credential, &credential.record, "digits", 7);
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &credential.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
    assert_int_equal(verify.fault_count, 1);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, recovery, &credential.record), 0);
    credential.secret.size--;
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &credential.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
    assert_int_equal(verify.fault_count, 2);
    lk_abort(&bench->txn);
    /* Nor is a digit count of 7 put back. */
    bench_write(bench);
    memset(&credential, 0, sizeof(credential));
    credential.record.id = (struct lk_id){alice.tenant, alice.user, 50};
    lk_set_number(&lk_kind_credential, &credential.record, "type", LK_CREDENTIAL_TOTP);
    lk_set_number(&lk_kind_credential, &credential.record, "digits", 7);
    refused(bench, lk_put_back(&bench->txn, &lk_kind_credential, &credential.record), LK_E_CHECK,
            "digits");
    refused(bench, lk_add(&bench->txn, &lk_kind_credential, &credential.record, NULL), LK_E_CHECK,
            "digits");
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totp_code_is_that_of_rfc_4226),
        cmocka_unit_test(test_totp_code_is_that_of_rfc_6238),
        cmocka_unit_test(test_totp_add_tells_a_seed_and_a_uri),
        cmocka_unit_test(test_totp_uri_escapes),
        cmocka_unit_test(test_totp_add_several),
        cmocka_unit_test(test_totp_confirm),
        cmocka_unit_test(test_totp_seed_moves_to_another_store),
        cmocka_unit_test(test_totp_seed_opens_in_its_place_only),
        cmocka_unit_test(test_totp_verify_finds_what_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
