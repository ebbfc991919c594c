// SPDX-License-Identifier: MIT
/* Base32 against RFC 4648, section 10, and what is not in its one form. */
#include "lk_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lk_span span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void test_base32_vectors(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "MY"},
                                           {"fo", "MZXQ"},
                                           {"foo", "MZXW6"},
                                           {"foob", "MZXW6YQ"},
                                           {"fooba", "MZXW6YTB"},
                                           {"foobar", "MZXW6YTBOI"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t size = 99;
        int count = lk_base32_encode(span(cases[i][0]), text, sizeof text);

        assert_int_equal(count, strlen(cases[i][1]));
        assert_string_equal(text, cases[i][1]);
        assert_int_equal(lk_base32_decode(span(text), bytes, sizeof bytes, &size), 0);
        assert_int_equal(size, strlen(cases[i][0]));
        assert_memory_equal(bytes, cases[i][0], size);
        for (size_t k = 0; text[k] != '\0'; k++) {
            text[k] = (char)(text[k] >= 'A' ? text[k] | 0x20 : text[k]);
        }
        assert_int_equal(lk_base32_decode(span(text), bytes, sizeof bytes, &size), 0);
        assert_memory_equal(bytes, cases[i][0], size);
    }
}

/* Every byte there and back; room is counted to the byte. */
static void test_base32_round_trip(void **state)
{
    uint8_t bytes[64], back[64];
    char text[104];

    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size++) {
        size_t chars = (size * 8 + 4) / 5, got = 0;

        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(i * 37 + size);
        }
        memset(text, '!', sizeof text);
        assert_int_equal(lk_base32_encode((struct lk_span){bytes, size}, text, chars), LK_E_SPACE);
        assert_int_equal(text[0], '!');
        assert_int_equal(lk_base32_encode((struct lk_span){bytes, size}, text, chars + 1), chars);
        assert_int_equal(lk_base32_decode(span(text), back, size, &got), 0);
        assert_int_equal(got, size);
        assert_memory_equal(back, bytes, size);
        if (size != 0) {
            memset(back, 0xEE, sizeof back);
            assert_int_equal(lk_base32_decode(span(text), back, size - 1, &got), LK_E_SPACE);
            assert_int_equal(got, size);
            assert_int_equal(back[0], 0xEE);
        }
    }
    assert_int_equal(lk_base32_encode((struct lk_span){bytes, SIZE_MAX / 2}, text, sizeof text),
                     LK_E_SPACE);
}

static void test_base32_refuses(void **state)
{
    /* Lengths that no bytes have, spare bits, padding, and letters of no value. */
    static const char *const cases[] = {"A",     "AAA",     "AAAAAA",   "MZ",  "MZXR",
                                        "MZXW7", "MZXW6YR", "MY======", "M1",  "M0",
                                        "M8",    "M9",      "M-",       "M Y", "M\x80"};
    uint8_t bytes[16];
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(lk_base32_decode(span(cases[i]), bytes, sizeof bytes, &size), LK_E_USAGE);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base32_vectors),
        cmocka_unit_test(test_base32_round_trip),
        cmocka_unit_test(test_base32_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
