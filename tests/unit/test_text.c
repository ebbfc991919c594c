// SPDX-License-Identifier: MIT
/*
 * test_text.c: numbers, hex, base64, UUIDs, comparison, and the sentences of the error codes.
 */
#include "lk_text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILL 0xEE

static struct lk_span text_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void test_text_uint_parse(void **state)
{
    static const struct {
        const char *text;
        uint64_t number;
    } good[] = {
        {"0", 0},
        {"1", 1},
        {"9", 9},
        {"10", 10},
        {"4294967296", UINT64_C(1) << 32},
        {"18446744073709551609", UINT64_MAX - 6},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {
        "",
        "00",
        "01",
        "+1",
        "-1",
        "-0",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x10",
        "1_0",
        "1,0",
        "\xB2",
        "/",
        ":",
        "18446744073709551616",  /* 2^64 */
        "18446744073709551620",  /* the last digit but one decides */
        "28446744073709551615",  /* the first does */
        "184467440737095516150", /* a digit more */
        "99999999999999999999",
        "340282366920938463463374607431768211456", /* 2^128: 0 after wrapping */
    };
    uint64_t number;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (lk_uint_parse(text_span(good[i].text), &number) != LK_OK || number != good[i].number) {
            fail_msg("\"%s\"", good[i].text);
        }
    }
    number = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (lk_uint_parse(text_span(bad[i]), &number) != LK_E_USAGE) {
            fail_msg("\"%s\" was accepted", bad[i]);
        }
    }
    assert_int_equal(lk_uint_parse(LK_TEXT("1\0"), &number), LK_E_USAGE);
    assert_int_equal(number, 7);
}

static void text_check_uint(uint64_t number)
{
    char wanted[24];
    char out[24];
    uint64_t again;
    int length = snprintf(wanted, sizeof(wanted), "%" PRIu64, number);

    memset(out, FILL, sizeof(out));
    assert_int_equal(lk_uint_format(number, out, (size_t)length), LK_E_SPACE);
    assert_int_equal((uint8_t)out[0], FILL);
    assert_int_equal(lk_uint_format(number, out, (size_t)length + 1), length);
    assert_string_equal(out, wanted);
    assert_int_equal(lk_uint_parse(text_span(out), &again), LK_OK);
    assert_true(again == number);
}

static void test_text_uint_format(void **state)
{
    uint64_t power = 1;

    (void)state;
    for (unsigned i = 0; i < 20; i++, power *= 10) {
        text_check_uint(power - 1);
        text_check_uint(power);
        text_check_uint(power + 1);
        text_check_uint(power * 5 + 3);
    }
    for (unsigned shift = 0; shift < 64; shift++) {
        text_check_uint(UINT64_MAX >> shift);
        text_check_uint(UINT64_C(1) << shift);
        text_check_uint(UINT64_C(0xA5A5A5A5A5A5A5A5) >> shift);
    }
}

static void test_text_hex(void **state)
{
    uint8_t bytes[4];
    char out[16];
    size_t size;

    (void)state;
    assert_int_equal(lk_hex_encode(LK_TEXT("\x00\x9A\xFF"), out, sizeof(out)), 6);
    assert_string_equal(out, "009aff");
    assert_int_equal(lk_hex_encode(LK_TEXT("\x01"), out, 3), 2);
    memset(out, FILL, sizeof(out));
    assert_int_equal(lk_hex_encode(LK_TEXT("\x01"), out, 2), LK_E_SPACE);
    assert_int_equal((uint8_t)out[0], FILL);
    assert_int_equal(lk_hex_encode((struct lk_span){NULL, 0}, out, 1), 0);
    assert_string_equal(out, "");
    assert_int_equal(lk_hex_encode((struct lk_span){NULL, SIZE_MAX}, out, SIZE_MAX), LK_E_SPACE);

    assert_int_equal(lk_hex_decode(LK_TEXT("009aFFfA"), bytes, sizeof(bytes), &size), LK_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(bytes, "\x00\x9A\xFF\xFA", 4);
    assert_int_equal(lk_hex_decode(LK_TEXT(""), NULL, 0, &size), LK_OK);
    assert_int_equal(size, 0);

    memset(bytes, FILL, sizeof(bytes));
    assert_int_equal(lk_hex_decode(LK_TEXT("0102030405"), bytes, sizeof(bytes), &size), LK_E_SPACE);
    assert_int_equal(size, 5);
    assert_int_equal(bytes[0], FILL);

    static const char *const bad[] = {"0",  "000", "0g", "g0", "0x01",  " 0",      "0 ",
                                      "0:", "0/",  "0@", "0`", "00 00", "\xC3\xBC"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (lk_hex_decode(text_span(bad[i]), bytes, sizeof(bytes), &size) != LK_E_USAGE) {
            fail_msg("\"%s\" was accepted", bad[i]);
        }
    }
    assert_int_equal(bytes[0], FILL);
}

/* RFC 4648, section 10, and bytes that use the last two characters of either alphabet. */
static const struct {
    const char *bytes;
    const char *padded;
    const char *url;
} text_base64_rows[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xFB\xEF\xBE", "++++", "----"},
    {"\xFF\xFF\xFF", "////", "____"},
    {"\xFB\xFF", "+/8=", "-_8"},
};

static void test_text_base64_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(text_base64_rows) / sizeof(text_base64_rows[0]); i++) {
        struct lk_span bytes = text_span(text_base64_rows[i].bytes);
        struct lk_span padded = text_span(text_base64_rows[i].padded);
        struct lk_span url = text_span(text_base64_rows[i].url);
        struct lk_span unpadded = {padded.data, url.size};
        char out[16];
        uint8_t back[16];
        size_t size;

        assert_int_equal(lk_base64_encode(bytes, out, padded.size + 1), (int)padded.size);
        assert_string_equal(out, text_base64_rows[i].padded);
        assert_int_equal(lk_base64url_encode(bytes, out, url.size + 1), (int)url.size);
        assert_string_equal(out, text_base64_rows[i].url);

        memset(out, FILL, sizeof(out));
        assert_int_equal(lk_base64_encode(bytes, out, padded.size), LK_E_SPACE);
        assert_int_equal(lk_base64url_encode(bytes, out, url.size), LK_E_SPACE);
        assert_int_equal((uint8_t)out[0], FILL);

        const struct lk_span texts[] = {padded, unpadded, url};

        for (size_t j = 0; j < 3; j++) {
            int (*decode)(struct lk_span, uint8_t *, size_t, size_t *) =
                j < 2 ? lk_base64_decode : lk_base64url_decode;

            memset(back, FILL, sizeof(back));
            assert_int_equal(decode(texts[j], back, bytes.size, &size), LK_OK);
            assert_int_equal(size, bytes.size);
            assert_memory_equal(back, bytes.data, bytes.size);
            assert_int_equal(back[bytes.size], FILL);
            if (bytes.size > 0) {
                memset(back, FILL, sizeof(back));
                assert_int_equal(decode(texts[j], back, bytes.size - 1, &size), LK_E_SPACE);
                assert_int_equal(size, bytes.size);
                assert_int_equal(back[0], FILL);
            }
        }
    }
}

static void test_text_base64_refused(void **state)
{
    static const char *const bad[] = {
        "A",                                    /* 6 bits are not a byte */
        "AAAAA", "AB",   "AP",  "AAB",   "AAD", /* spare bits that are not zero */
        "Zh==",  "Zm9=", "AA=", "AAA==", "A=",  /* padding that is not whole */
        "A===",  "=",    "==",  "====",  "AA==AA==", "AAAA=", "AAAA==", "AAAA====",  "=AAA", "A=AA",
        "AA=A",  " AA",  "AA ", "AA\n",  "AAAA\n",   "A A",   "AA.",    "A\xC3\xBC", "A,A",
    };
    uint8_t out[16];
    size_t size;

    (void)state;
    memset(out, FILL, sizeof(out));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (lk_base64_decode(text_span(bad[i]), out, sizeof(out), &size) != LK_E_USAGE) {
            fail_msg("base64 \"%s\" was accepted", bad[i]);
        }
        if (lk_base64url_decode(text_span(bad[i]), out, sizeof(out), &size) != LK_E_USAGE) {
            fail_msg("base64url \"%s\" was accepted", bad[i]);
        }
    }
    /* Neither alphabet takes the other's, nor this one any padding. */
    assert_int_equal(lk_base64_decode(LK_TEXT("--__"), out, sizeof(out), &size), LK_E_USAGE);
    assert_int_equal(lk_base64url_decode(LK_TEXT("++//"), out, sizeof(out), &size), LK_E_USAGE);
    assert_int_equal(lk_base64url_decode(LK_TEXT("Zg=="), out, sizeof(out), &size), LK_E_USAGE);
    assert_int_equal(out[0], FILL);
    assert_int_equal(lk_base64_encode((struct lk_span){NULL, SIZE_MAX}, (char *)out, SIZE_MAX),
                     LK_E_SPACE);
}

/* Of all texts of two and three characters, exactly one is accepted for each value. */
static void test_text_base64_one_text_a_value(void **state)
{
    unsigned two = 0;
    unsigned three = 0;

    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t text[3] = {(uint8_t)a, (uint8_t)b, 'A'};
            uint8_t out[2];
            size_t size;

            two += lk_base64url_decode((struct lk_span){text, 2}, out, 2, &size) == LK_OK;
            for (unsigned c = 0; c < 256; c++) {
                text[2] = (uint8_t)c;
                three += lk_base64url_decode((struct lk_span){text, 3}, out, 2, &size) == LK_OK;
            }
        }
    }
    assert_int_equal(two, 256);
    assert_int_equal(three, 65536);
}

static void test_text_uuid(void **state)
{
    static const uint8_t uuid[16] = {0xF8, 0x1D, 0x4F, 0xAE, 0x7D, 0xEC, 0x11, 0xD0,
                                     0xA7, 0x65, 0x00, 0xA0, 0xC9, 0x1E, 0x6B, 0xF6};
    static const char *const bad[] = {
        "",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf60",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
        "f81d4fa-e7dec-11d0-a765-00a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765000a0c91e6bf6",
        "f81d4fae-7dec-11d0--a765-0a0c91e6bf6",
        "f81d4fae 7dec 11d0 a765 00a0c91e6bf6",
        "{f81d4fae-7dec-11d0-a765-00a0c91e6b}",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a",
        "-81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    };
    uint8_t back[16];
    char out[37];

    (void)state;
    assert_int_equal(lk_uuid_format(uuid, out, sizeof(out)), 36);
    assert_string_equal(out, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_int_equal(lk_uuid_parse(text_span(out), back), LK_OK);
    assert_memory_equal(back, uuid, 16);
    assert_int_equal(lk_uuid_parse(LK_TEXT("F81D4FAE-7dec-11D0-A765-00A0C91E6BF6"), back), LK_OK);
    assert_memory_equal(back, uuid, 16);

    memset(out, FILL, sizeof(out));
    assert_int_equal(lk_uuid_format(uuid, out, 36), LK_E_SPACE);
    assert_int_equal((uint8_t)out[0], FILL);

    memset(back, FILL, sizeof(back));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (lk_uuid_parse(text_span(bad[i]), back) != LK_E_USAGE) {
            fail_msg("\"%s\" was accepted", bad[i]);
        }
    }
    assert_int_equal(back[0], FILL);
}

static void test_text_ascii_lower(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned wanted = byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte;

        assert_int_equal(lk_ascii_lower((uint8_t)byte), wanted);
    }
}

static void test_text_compare(void **state)
{
    static const struct lk_span nothing = {NULL, 0};

    (void)state;
    assert_true(lk_span_equal(nothing, LK_TEXT("")));
    assert_true(lk_text_equal_fold(nothing, LK_TEXT("")));
    assert_true(lk_span_equal(LK_TEXT("a\0b"), LK_TEXT("a\0b")));
    assert_false(lk_span_equal(LK_TEXT("a\0b"), LK_TEXT("a\0c")));
    assert_false(lk_span_equal(LK_TEXT("abc"), LK_TEXT("ab")));
    assert_false(lk_span_equal(LK_TEXT("abc"), LK_TEXT("ABC")));
    assert_true(lk_text_equal_fold(LK_TEXT("aBc-1"), LK_TEXT("AbC-1")));
    assert_false(lk_text_equal_fold(LK_TEXT("abc"), LK_TEXT("abcd")));
    assert_false(lk_text_equal_fold(LK_TEXT("a@"), LK_TEXT("a`")));
    assert_false(lk_text_equal_fold(LK_TEXT("["), LK_TEXT("{")));
    /* ASCII only: U+00DC and U+00FC stay apart. */
    assert_false(lk_text_equal_fold(LK_TEXT("\xC3\x9C"), LK_TEXT("\xC3\xBC")));
}

static void test_text_every_error_has_its_sentence(void **state)
{
    static const int codes[] = {
        LK_OK,          LK_E_ARGUMENT,    LK_E_SPACE,     LK_E_STATE,         LK_E_USAGE,
        LK_E_NOT_FOUND, LK_E_FULL,        LK_E_TOO_BIG,   LK_E_CORRUPT,       LK_E_IO,
        LK_E_BUSY,      LK_E_NEWER,       LK_E_READ_ONLY, LK_E_EXISTS,        LK_E_UNSUPPORTED,
        LK_E_CHECK,     LK_E_CONFLICT,    LK_E_REFERENCE, LK_E_LIMIT,         LK_E_REFUSED,
        LK_E_LOCKED,    LK_E_MUST_CHANGE, LK_E_FAULTS,    LK_E_SECOND_FACTOR, LK_E_APPROVAL,
        LK_E_STEP_UP,   LK_E_ENTROPY,     LK_E_CRYPTO,    LK_E_SECRET,        LK_E_ROLLBACK,
    };
    const size_t count = sizeof(codes) / sizeof(codes[0]);
    const char *unknown = lk_strerror(-1000);
    size_t known = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *sentence = lk_strerror(codes[i]);

        assert_string_not_equal(sentence, unknown);
        assert_true(sentence[strlen(sentence) - 1] != '.');
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(sentence, lk_strerror(codes[j]));
        }
    }
    for (int code = -200; code <= 200; code++) {
        known += strcmp(lk_strerror(code), unknown) != 0;
    }
    assert_int_equal(known, count);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_uint_parse),
        cmocka_unit_test(test_text_uint_format),
        cmocka_unit_test(test_text_hex),
        cmocka_unit_test(test_text_base64_rows),
        cmocka_unit_test(test_text_base64_refused),
        cmocka_unit_test(test_text_base64_one_text_a_value),
        cmocka_unit_test(test_text_uuid),
        cmocka_unit_test(test_text_ascii_lower),
        cmocka_unit_test(test_text_compare),
        cmocka_unit_test(test_text_every_error_has_its_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
