// SPDX-License-Identifier: MIT
/*
 * test_text_form.c: printable texts, e-mail addresses, telephone numbers.
 */
#include "lk_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct lk_span form_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void form_check(bool (*check)(struct lk_span), const char *const *rows, size_t count,
                       bool wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (check(form_span(rows[i])) != wanted) {
            fail_msg("\"%s\" was %s", rows[i], wanted ? "refused" : "accepted");
        }
    }
}

#define FORM_CHECK(check, rows, wanted)                                                            \
    form_check(check, rows, sizeof(rows) / sizeof((rows)[0]), wanted)

static void test_text_printable(void **state)
{
    static const char *const good[] = {
        "",
        " ",
        "~",
        "Alice Example",
        "\xC2\xA0",
        "\xC3\xBC",
        "\xE6\xB0\xB4",
        "\xF0\x9F\x94\x91",
        "\xC4\x80",
        "\xE2\x82\x80", /* 0x80 behind another lead byte than C2 */
    };
    static const char *const bad[] = {
        "\x01",
        "\t",
        "a\n",
        "\r",
        "\x1F",
        "\x1B[31m",
        "\x7F",
        "a\x7F",
        "\xC2\x80",
        "\xC2\x85",
        "ab\xC2\x9F",
        "\xC2\x9B[31m",
        /* Not UTF-8. */
        "\x80",
        "\xFF",
        "\xC3",
        "\xC0\x80",
        "\xED\xA0\x80",
        "\xF4\x90\x80\x80",
    };

    (void)state;
    FORM_CHECK(lk_text_printable, good, true);
    FORM_CHECK(lk_text_printable, bad, false);
    assert_false(lk_text_printable(LK_TEXT("a\0b")));
    assert_true(lk_text_printable((struct lk_span){NULL, 0}));
    for (unsigned byte = 0; byte < 0x80; byte++) {
        uint8_t text = (uint8_t)byte;
        uint8_t pair[2] = {0xC2, (uint8_t)(0x80 + byte % 0x40)};

        assert_int_equal(lk_text_printable((struct lk_span){&text, 1}),
                         byte >= 0x20 && byte != 0x7F);
        assert_int_equal(lk_text_printable((struct lk_span){pair, 2}), pair[1] >= 0xA0);
    }
}

static void test_text_email_table(void **state)
{
    static const char *const good[] = {
        "a@b",
        "al@example.com",
        "first.last@sub.example.co.uk",
        "user+tag@example.com",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "1@2.3",
        "a@b-c.d",
        "a@b--c.d",
        "A@EXAMPLE.COM",
        "j\xC3\xBCrgen@example.com",
        "info@m\xC3\xBCller.example",
        "\xE6\xB0\xB4@\xE6\xB0\xB4",
    };
    static const char *const bad[] = {
        "",
        "a",
        "@",
        "a@",
        "@b",
        "@bc",
        "al@",
        "abc",
        "a@@b",
        "a@b@c",
        ".a@b",
        "a.@b",
        "a..b@c",
        ".@b",
        "a b@c",
        "a@b c",
        " a@b",
        "a@b ",
        "a@b\n",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a@.",
        "a@-b",
        "a@b-",
        "a@b-.c",
        "a@b.-c",
        "a@-",
        "a@b_c",
        "a@b!",
        "a@b+c",
        "\"a\"@b",
        "\"a b\"@example.com",
        "a@[127.0.0.1]",
        "a(comment)@b",
        "Al <al@example.com>",
        "a,b@c",
        "a;b@c",
        "a:b@c",
        "a\\b@c",
        "a@b,c",
        "a@b/c",
        "a\x7F@b",
        "a\xC2\x80@b",
        "a@\xC2\x9Fx",
        "a\xC3@b",
        "a@\x80x",
    };

    (void)state;
    FORM_CHECK(lk_email_valid, good, true);
    FORM_CHECK(lk_email_valid, bad, false);
    assert_false(lk_email_valid((struct lk_span){NULL, 0}));
    assert_false(lk_email_valid(LK_TEXT("a\0@b")));
}

/* Parts of the given sizes, the domain in labels of at most 63. */
static bool form_email(size_t local, size_t domain)
{
    uint8_t text[400];
    size_t size = local;

    memset(text, 'a', sizeof(text));
    text[size++] = '@';
    for (size_t i = 0; i < domain; i++) {
        text[size++] = i % 64 == 63 && i + 1 < domain ? '.' : 'a';
    }
    return lk_email_valid((struct lk_span){text, size});
}

static bool form_email_label(size_t label)
{
    uint8_t text[80];

    memset(text, 'a', sizeof(text));
    text[1] = '@';
    text[2 + label] = '.';
    return lk_email_valid((struct lk_span){text, label + 4});
}

static void test_text_email_bounds(void **state)
{
    (void)state;
    assert_true(form_email(64, 10));
    assert_false(form_email(65, 10));
    assert_true(form_email(64, 190)); /* 255 in all */
    assert_false(form_email(64, 191));
    assert_true(form_email(1, 253));
    assert_false(form_email(1, 254));
    assert_true(form_email_label(63));
    assert_false(form_email_label(64));
    assert_true(form_email(1, 63)); /* the last label */
    assert_false(form_email(1, 64));
}

static void test_text_phone(void **state)
{
    static const char *const good[] = {
        "12345",           "123456789012345",  "+4930123456",     "+49 30 123456",
        "+49 (30) 123456", "+49 (0)30 123456", "+1-555-123-4567", "+1.555.123.4567",
        "(555) 123-4567",  "(555)1234567",     "+(49) 30 123456", "030 123456",
        "0123456789",      "1 2 3 4 5",        "555 - 1234",      "+12345",
    };
    static const char *const bad[] = {
        "",
        "+",
        "1234",
        "1-2-3-4",
        "1234567890123456",
        "+1234567890123456",
        "+0123456789",
        "++4930123456",
        "49+30123456",
        "12345+",
        " 12345",
        "12345 ",
        "-12345",
        "12345-",
        ".12345",
        "12345.",
        "+ 4930123456",
        "+-4930123456",
        "()12345",
        "( )12345",
        "(12345",
        "12345)",
        "1(234)",
        "((555) 1234",
        "((555)) 1234",
        ")555( 1234",
        "(555 ) 1234",
        "555-CALL-ME",
        "12345x6",
        "12345 ext. 6",
        "12345/6",
        "12345,6",
        "tel:+4930123456",
        "123\t45",
        "\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4\xD9\xA5", /* digits, but not of ASCII */
        "12\xC2\xA0 345",
    };

    (void)state;
    FORM_CHECK(lk_phone_valid, good, true);
    FORM_CHECK(lk_phone_valid, bad, false);
    assert_false(lk_phone_valid((struct lk_span){NULL, 0}));
    assert_false(lk_phone_valid(LK_TEXT("12345\0")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_printable),
        cmocka_unit_test(test_text_email_table),
        cmocka_unit_test(test_text_email_bounds),
        cmocka_unit_test(test_text_phone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
