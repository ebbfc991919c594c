// SPDX-License-Identifier: MIT
/* test_port_hmac.c: HMAC by Mbed TLS against every case of RFC 2202 (SHA-1) and RFC 4231. */
#include "lk_fake.h"
#include "lk_mbedtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A key and a text are `text`, or `count` times `byte`, or (byte 1, text NULL) 01 02 03 … */
struct input {
    const char *text;
    uint8_t byte;
    size_t count;
};

struct vector {
    struct input key, data;
    const char *wanted[3]; /* SHA-1, SHA-256, SHA-512; NULL: not in that RFC */
};

static struct lk_span input(const struct input *input, uint8_t *room)
{
    if (input->text != NULL) {
        return (struct lk_span){(const uint8_t *)input->text, strlen(input->text)};
    }
    for (size_t i = 0; i < input->count; i++) {
        room[i] = input->byte == 1 ? (uint8_t)(i + 1) : input->byte;
    }
    return (struct lk_span){room, input->count};
}

static void is_hex(const uint8_t *bytes, const char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        assert_int_equal(digits[bytes[i] >> 4], hex[2 * i]);
        assert_int_equal(digits[bytes[i] & 15], hex[2 * i + 1]);
    }
}

static void run(int (*hmac)(void *self, enum lk_hmac hash, struct lk_span key, struct lk_span data,
                            uint8_t out[LK_HMAC_MAX]),
                void *self, const struct vector *vector)
{
    for (size_t i = 0; i < 3; i++) {
        uint8_t key[160], data[160], out[LK_HMAC_MAX];

        if (vector->wanted[i] == NULL) {
            continue;
        }
        memset(out, 0xEE, sizeof out);
        assert_int_equal(
            hmac(self, (enum lk_hmac)i, input(&vector->key, key), input(&vector->data, data), out),
            LK_OK);
        is_hex(out, vector->wanted[i]);
        /* No byte after the answer is touched. */
        for (size_t j = (size_t[]){20, 32, 64}[i]; j < sizeof out; j++) {
            assert_int_equal(out[j], 0xEE);
        }
    }
}

#define TEXT(words)                                                                                \
    {                                                                                              \
        words, 0, 0                                                                                \
    }
#define TIMES(byte, count)                                                                         \
    {                                                                                              \
        NULL, byte, count                                                                          \
    }

static const struct vector vectors[] = {
    /* RFC 2202, section 3 */
    {TIMES(0x0b, 20), TEXT("Hi There"), {"b617318655057264e28bc0b6fb378c8ef146be00", NULL, NULL}},
    {TEXT("Jefe"),
     TEXT("what do ya want for nothing?"),
     {"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
    {TIMES(0xaa, 20),
     TIMES(0xdd, 50),
     {"125d7342b9ac11cd91a39af48aa17b4f63f175d3",
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
      "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"}},
    {TIMES(1, 25),
     TIMES(0xcd, 50),
     {"4c9007f4026250c6bc8414f9bf50c86c2d7235da",
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
      "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
      "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"}},
    {TIMES(0x0c, 20),
     TEXT("Test With Truncation"),
     {"4c1a03424b55e07fe7f27be1d58bb9324a9a5a04", "a3b6167473100ee06e0c796c2955552b",
      "415fad6271580a531d4179bc891d87a6"}},
    {TIMES(0xaa, 80),
     TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
     {"aa4ae5e15272d00e95705637ce8a3b55ed402112", NULL, NULL}},
    {TIMES(0xaa, 80),
     TEXT("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"),
     {"e8e99d0f45237d786d6bbaa7965c7808bbff1a91", NULL, NULL}},
    /* RFC 4231, section 4; its cases 2 to 5 are above */
    {TIMES(0x0b, 20),
     TEXT("Hi There"),
     {NULL, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
    {TIMES(0xaa, 131),
     TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
     {NULL, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"}},
    {TIMES(0xaa, 131),
     TEXT("This is a test using a larger than block-size key and a larger than block-size data. "
          "The key needs to be hashed before being used by the HMAC algorithm."),
     {NULL, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
      "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"}},
};

static void test_port_hmac_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        run(lk_mbedtls_hmac, NULL, &vectors[i]);
    }
}

static void test_port_hmac_takes_nothing(void **state)
{
    uint8_t out[LK_HMAC_MAX];
    struct lk_span none = {NULL, 0};

    (void)state;
    assert_int_equal(lk_mbedtls_hmac(NULL, LK_HMAC_SHA1, none, none, out), LK_OK);
    is_hex(out, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"); /* hmac.new(b"", b"", "sha1") */
}

static void test_port_hmac_refuses_an_unknown_hash(void **state)
{
    uint8_t out[LK_HMAC_MAX];
    struct lk_span none = {NULL, 0};

    (void)state;
    assert_int_equal(lk_mbedtls_hmac(NULL, (enum lk_hmac)3, none, none, out), LK_E_UNSUPPORTED);
    assert_int_equal(lk_mbedtls_hmac(NULL, (enum lk_hmac) - 1, none, none, out), LK_E_UNSUPPORTED);
}

/* The fake port hands it on, and counts it among what can fail. */
static void test_port_hmac_is_in_the_fake_port(void **state)
{
    static struct lk_fake fake;
    const struct lk_port *port;
    uint8_t out[LK_HMAC_MAX];

    (void)state;
    assert_int_equal(lk_fake_init(&fake, 1), LK_OK);
    port = lk_fake_port(&fake);
    run(port->crypto->hmac, port->self, &vectors[1]);
    lk_fake_fail_at(&fake, 1);
    assert_int_equal(port->crypto->hmac(port->self, LK_HMAC_SHA1, (struct lk_span){NULL, 0},
                                        (struct lk_span){NULL, 0}, out),
                     LK_E_CRYPTO);
    assert_int_equal(lk_fake_failed(&fake), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_hmac_vectors),
        cmocka_unit_test(test_port_hmac_takes_nothing),
        cmocka_unit_test(test_port_hmac_refuses_an_unknown_hash),
        cmocka_unit_test(test_port_hmac_is_in_the_fake_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
