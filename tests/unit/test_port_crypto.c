// SPDX-License-Identifier: MIT
/*
 * test_port_crypto.c: the libsodium table against vectors that other programs and papers made:
 * Python's hashlib (BLAKE2b), the SipHash paper's reference list, draft-irtf-cfrg-xchacha A.3.1,
 * and the argon2 command.
 */
#include "lk_sodium.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct lk_crypto *const crypto = &lk_sodium_crypto;

static size_t unhex(const char *text, uint8_t *out)
{
    size_t size = strlen(text) / 2;

    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;

        for (size_t j = 0; j < 2; j++) {
            char c = text[2 * i + j];

            byte = byte << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[i] = (uint8_t)byte;
    }
    return size;
}

static void counting(uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)i;
    }
}

static void test_port_crypto_hash_vectors(void **state)
{
    /* Input and key are 00 01 02 …; "abc" has its own case. */
    static const struct {
        size_t key_size;
        size_t data_size;
        const char *hash;
    } cases[] = {
        {0, 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
        {0, 128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"},
        {0, 129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"},
        {64, 0, "2fa9fbd9be36437de204e139e97d402bce68c828f43391608c891b5faed8a98a"},
        {64, 255, "fe7b76a61787c089141f9e10fca1e5092488d89c62ea793fb2c5b1f849b4f2cb"},
    };
    uint8_t bytes[255];
    uint8_t key[64];
    uint8_t expected[LK_HASH_SIZE];
    uint8_t made[LK_HASH_SIZE];

    (void)state;
    counting(bytes, sizeof bytes);
    counting(key, sizeof key);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)unhex(cases[i].hash, expected);
        /* Wherever the input is cut in two, the hash is of the whole. */
        for (size_t cut = 0; cut <= cases[i].data_size; cut++) {
            struct lk_span a = {cut == 0 ? NULL : bytes, cut};
            struct lk_span b = {bytes + cut, cases[i].data_size - cut};

            assert_int_equal(crypto->hash(NULL, cases[i].key_size == 0 ? NULL : key,
                                          cases[i].key_size, a, b, made),
                             LK_OK);
            assert_memory_equal(made, expected, sizeof made);
        }
    }
    (void)unhex("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319", expected);
    assert_int_equal(crypto->hash(NULL, NULL, 0, LK_TEXT("a"), LK_TEXT("bc"), made), LK_OK);
    assert_memory_equal(made, expected, sizeof made);
    (void)unhex("3fd8fd31501cdbe942607b204368e3dc4ebce5744de1a955a6025f5c9848bb20", expected);
    assert_int_equal(crypto->hash(NULL, key, 16, LK_TEXT("abc"), LK_TEXT(""), made), LK_OK);
    assert_memory_equal(made, expected, sizeof made);
}

static void test_port_crypto_hash_refuses_keys_of_bad_size(void **state)
{
    static const size_t sizes[] = {1, 15, 65, SIZE_MAX};
    uint8_t key[64] = {0};
    uint8_t made[LK_HASH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(crypto->hash(NULL, key, sizes[i], LK_TEXT("a"), LK_TEXT(""), made),
                         LK_E_ARGUMENT);
    }
    assert_int_equal(crypto->hash(NULL, NULL, 32, LK_TEXT("a"), LK_TEXT(""), made), LK_E_ARGUMENT);
}

static void test_port_crypto_mac64_vectors(void **state)
{
    static const struct {
        size_t size;
        const char *mac;
    } cases[] = {
        {0, "310e0edd47db6f72"},  {1, "fd67dc93c539f874"},  {7, "37d1018bf50002ab"},
        {8, "6224939a79f5f593"},  {9, "b0e4a90bdf82009e"},  {15, "e545be4961ca29a1"},
        {16, "db9bc2577fcc2a3f"}, {63, "724506eb4c328a95"},
    };
    uint8_t key[LK_MAC64_KEY_SIZE];
    uint8_t bytes[64];
    uint8_t expected[8];
    uint8_t made[8];

    (void)state;
    counting(key, sizeof key);
    counting(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lk_span data = {cases[i].size == 0 ? NULL : bytes, cases[i].size};

        (void)unhex(cases[i].mac, expected);
        crypto->mac64(NULL, key, data, made);
        assert_memory_equal(made, expected, sizeof made);
    }
}

static const char seal_plain[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";
static const char seal_expected[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3"
    "fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

#define SEAL_SIZE (sizeof seal_plain - 1)

struct seal_case {
    uint8_t key[LK_SEAL_KEY_SIZE];
    uint8_t nonce[LK_SEAL_NONCE_SIZE];
    uint8_t ad[12];
    uint8_t sealed[SEAL_SIZE + LK_SEAL_TAG_SIZE];
};

static void seal_case_make(struct seal_case *c)
{
    for (size_t i = 0; i < sizeof c->key; i++) {
        c->key[i] = (uint8_t)(0x80 + i);
    }
    for (size_t i = 0; i < sizeof c->nonce; i++) {
        c->nonce[i] = (uint8_t)(0x40 + i);
    }
    (void)unhex("50515253c0c1c2c3c4c5c6c7", c->ad);
    assert_int_equal(unhex(seal_expected, c->sealed), sizeof c->sealed);
}

static void test_port_crypto_seal_vector(void **state)
{
    struct seal_case c;
    struct lk_span ad = {c.ad, sizeof c.ad};
    uint8_t made[SEAL_SIZE + LK_SEAL_TAG_SIZE];
    uint8_t opened[SEAL_SIZE];

    (void)state;
    seal_case_make(&c);
    assert_int_equal(crypto->seal(NULL, c.key, c.nonce,
                                  (struct lk_span){(const uint8_t *)seal_plain, SEAL_SIZE}, ad,
                                  made),
                     LK_OK);
    assert_memory_equal(made, c.sealed, sizeof made);
    assert_int_equal(
        crypto->open(NULL, c.key, c.nonce, (struct lk_span){made, sizeof made}, ad, opened), LK_OK);
    assert_memory_equal(opened, seal_plain, sizeof opened);
}

static void test_port_crypto_open_refuses_every_flipped_bit(void **state)
{
    struct seal_case c;
    struct lk_span ad = {c.ad, sizeof c.ad};
    struct lk_span sealed = {c.sealed, sizeof c.sealed};
    uint8_t opened[SEAL_SIZE];
    static const uint8_t wiped[SEAL_SIZE];

    (void)state;
    seal_case_make(&c);
    for (size_t bit = 0; bit < sizeof c.sealed * 8; bit++) {
        c.sealed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        memset(opened, 0xA5, sizeof opened);
        assert_int_equal(crypto->open(NULL, c.key, c.nonce, sealed, ad, opened), LK_E_CORRUPT);
        assert_memory_equal(opened, wiped, sizeof opened);
        c.sealed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    c.ad[3] ^= 1;
    assert_int_equal(crypto->open(NULL, c.key, c.nonce, sealed, ad, opened), LK_E_CORRUPT);
    c.ad[3] ^= 1;
    c.key[0] ^= 1;
    assert_int_equal(crypto->open(NULL, c.key, c.nonce, sealed, ad, opened), LK_E_CORRUPT);
    c.key[0] ^= 1;
    c.nonce[23] ^= 1;
    assert_int_equal(crypto->open(NULL, c.key, c.nonce, sealed, ad, opened), LK_E_CORRUPT);
    c.nonce[23] ^= 1;
    for (size_t size = 0; size < sizeof c.sealed; size++) {
        sealed.size = size;
        assert_int_equal(crypto->open(NULL, c.key, c.nonce, sealed, ad, opened), LK_E_CORRUPT);
    }
    sealed.size = sizeof c.sealed;
    assert_int_equal(crypto->open(NULL, c.key, c.nonce, sealed, ad, opened), LK_OK);
}

static void test_port_crypto_seal_takes_an_empty_text(void **state)
{
    struct seal_case c;
    struct lk_span none = {NULL, 0};
    uint8_t sealed[LK_SEAL_TAG_SIZE];

    (void)state;
    seal_case_make(&c);
    assert_int_equal(crypto->seal(NULL, c.key, c.nonce, none, none, sealed), LK_OK);
    assert_int_equal(
        crypto->open(NULL, c.key, c.nonce, (struct lk_span){sealed, sizeof sealed}, none, NULL),
        LK_OK);
    sealed[0] ^= 1;
    assert_int_equal(
        crypto->open(NULL, c.key, c.nonce, (struct lk_span){sealed, sizeof sealed}, none, NULL),
        LK_E_CORRUPT);
}

static struct lk_pwhash_job pwhash_job(const char *password, uint32_t memory_kib, uint32_t passes,
                                       uint32_t lanes)
{
    struct lk_pwhash_job job = {.params = {memory_kib, passes, lanes},
                                .password = (const uint8_t *)password,
                                .password_size = strlen(password)};

    memcpy(job.salt, "0123456789abcdef", sizeof job.salt);
    return job;
}

static void test_port_crypto_pwhash_agrees_with_argon2_command(void **state)
{
    /* argon2 0123456789abcdef -id -t PASSES -k KIB -p 1 -l 32 -r */
    static const struct {
        const char *password;
        uint32_t memory_kib;
        uint32_t passes;
        const char *hash;
    } cases[] = {
        {"password", 8, 1, "771338d819573c67116b39e1788ae8e04b0eb0cf9dfbbfe2e6d746cf3e464fc7"},
        {"password", 64, 2, "fb83b5711fd91df630b63677dee62ccd13ee6f0c4897d856b49542b9b1e9975b"},
        {"p\xC3\xA4ssw\xC3\xB6rd \xE2\x9C\x93", 256, 3,
         "a3c00218699c8059448fcbbf79c6c7fb45988bc975ddb17c80a9ac2ebfc31ac0"},
        {"password", 19456, 2, "d2ab07b39ef7f8b806227cd86fbb11aa5393066a98e17eacacd126eb26e9276d"},
    };
    uint8_t expected[LK_PWHASH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        void *room = malloc((size_t)cases[i].memory_kib * 1024);

        if (room == NULL) {
            print_message("# no %u KiB here\n", (unsigned)cases[i].memory_kib);
            assert_true(cases[i].memory_kib > 256); /* the machine is a small one */
            continue;
        }
        free(room);
        struct lk_pwhash_job job =
            pwhash_job(cases[i].password, cases[i].memory_kib, cases[i].passes, 1);

        (void)unhex(cases[i].hash, expected);
        assert_int_equal(crypto->pwhash_step(NULL, &job), LK_OK);
        assert_memory_equal(job.hash, expected, sizeof expected);
    }
}

static void test_port_crypto_pwhash_takes_an_empty_password(void **state)
{
    struct lk_pwhash_job job = pwhash_job("", 8, 1, 1);
    struct lk_pwhash_job other = pwhash_job("x", 8, 1, 1);

    (void)state;
    job.password = NULL;
    assert_int_equal(crypto->pwhash_step(NULL, &job), LK_OK);
    assert_int_equal(crypto->pwhash_step(NULL, &other), LK_OK);
    assert_memory_not_equal(job.hash, other.hash, sizeof job.hash);
}

static void test_port_crypto_pwhash_refuses_cost_before_work(void **state)
{
    static const struct lk_pwhash_params cases[] = {
        {0, 1, 1},
        {7, 1, 1},
        {LK_SODIUM_MEMORY_KIB_MAX + 1, 1, 1},
        {4194304, 1, 1}, /* 4 GiB */
        {UINT32_MAX, UINT32_MAX, 1},
        {8, 0, 1},
        {8, LK_SODIUM_PASSES_MAX + 1, 1},
        {8, UINT32_MAX, 1}, /* would run for minutes */
        {8, 1, 0},
        {64, 1, 2},
        {8, 1, UINT32_MAX},
    };
    static const uint8_t wiped[LK_PWHASH_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lk_pwhash_job job = pwhash_job("password", 8, 1, 1);

        job.params = cases[i];
        memset(job.hash, 0xA5, sizeof job.hash);
        assert_int_equal(lk_sodium_pwhash_check(&cases[i]), LK_E_CHECK);
        assert_int_equal(crypto->pwhash_step(NULL, &job), LK_E_CHECK);
        assert_memory_equal(job.hash, wiped, sizeof wiped);
    }
    assert_int_equal(lk_sodium_pwhash_check(&(struct lk_pwhash_params){LK_SODIUM_MEMORY_KIB_MAX,
                                                                       LK_SODIUM_PASSES_MAX, 1}),
                     LK_OK);
    assert_int_equal(lk_sodium_pwhash_check(&(struct lk_pwhash_params){8, 1, 1}), LK_OK);
}

static void test_port_crypto_equal_and_wipe(void **state)
{
    uint8_t a[33];
    uint8_t b[33];
    static const uint8_t wiped[33];

    (void)state;
    counting(a, sizeof a);
    counting(b, sizeof b);
    assert_true(crypto->equal(a, b, sizeof a));
    assert_true(crypto->equal(NULL, NULL, 0));
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] ^= 0x80;
        assert_false(crypto->equal(a, b, sizeof a));
        b[i] ^= 0x80;
    }
    crypto->wipe(a, sizeof a);
    crypto->wipe(NULL, 0);
    assert_memory_equal(a, wiped, sizeof a);
}

static void test_port_crypto_table_has_no_foreign_hashes(void **state)
{
    (void)state;
    assert_null(crypto->foreign_verify);
    assert_null(crypto->foreign_check);
    assert_int_equal(lk_sodium_init(), LK_OK); /* a second time */
}

static int setup(void **state)
{
    (void)state;
    return lk_sodium_init();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_crypto_hash_vectors),
        cmocka_unit_test(test_port_crypto_hash_refuses_keys_of_bad_size),
        cmocka_unit_test(test_port_crypto_mac64_vectors),
        cmocka_unit_test(test_port_crypto_seal_vector),
        cmocka_unit_test(test_port_crypto_open_refuses_every_flipped_bit),
        cmocka_unit_test(test_port_crypto_seal_takes_an_empty_text),
        cmocka_unit_test(test_port_crypto_pwhash_agrees_with_argon2_command),
        cmocka_unit_test(test_port_crypto_pwhash_takes_an_empty_password),
        cmocka_unit_test(test_port_crypto_pwhash_refuses_cost_before_work),
        cmocka_unit_test(test_port_crypto_equal_and_wipe),
        cmocka_unit_test(test_port_crypto_table_has_no_foreign_hashes),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
