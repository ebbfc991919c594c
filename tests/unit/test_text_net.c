// SPDX-License-Identifier: MIT
/*
 * test_text_net.c: addresses, against tables and against the C library's own.
 */
#define _POSIX_C_SOURCE 200809L

#include "lk_text.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct lk_span net_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void test_text_address_good(void **state)
{
    static const struct {
        const char *text;
        const char *again; /* as it is formatted, NULL when the same */
    } rows[] = {
        {"0.0.0.0", NULL},
        {"127.0.0.1", NULL},
        {"192.168.10.99", NULL},
        {"255.255.255.255", NULL},

        {"::", NULL},
        {"::1", NULL},
        {"1::", NULL},
        {"2001:db8::1", NULL},
        {"2001:db8:1:2:3:4:5:6", NULL},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {"0:0:0:0:0:0:0:0", "::"},
        {"0000:0000:0000:0000:0000:0000:0000:0000", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"1:0:0:0:0:0:0:0", "1::"},
        {"2001:0DB8:0000:0000:0000:0000:0000:0ABC", "2001:db8::abc"},

        /* RFC 5952, section 4.2: the longest run, the first of equals, never one group alone. */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"0:0:3:4:5:6:0:0", "::3:4:5:6:0:0"},
        {"1:0:0:4:5:0:0:8", "1::4:5:0:0:8"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"0:0:0:0:5:6:7:8", "::5:6:7:8"},
        {"1:0:3:0:5:0:7:0", "1:0:3:0:5:0:7:0"},

        /* Dotted decimal: any of the lower four bytes in, only mapped addresses out. */
        {"::ffff:192.0.2.1", NULL},
        {"::ffff:0.0.0.0", NULL},
        {"::FFFF:c000:0201", "::ffff:192.0.2.1"},
        {"0:0:0:0:0:ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"::1.2.3.4", "::102:304"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"},
        {"1::1.2.3.4", "1::102:304"},
        {"::fffe:1.2.3.4", "::fffe:102:304"},
        {"::ffff:0:1.2.3.4", "::ffff:0:102:304"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *again = rows[i].again == NULL ? rows[i].text : rows[i].again;
        size_t length = strlen(again);
        uint8_t address[16];
        uint8_t wanted[16];
        char out[48];
        size_t size = 0;

        if (lk_address_parse(net_span(rows[i].text), address, &size) != LK_OK) {
            fail_msg("\"%s\" was refused", rows[i].text);
        }
        assert_int_equal(size, strchr(rows[i].text, ':') == NULL ? 4 : 16);
        assert_int_equal(inet_pton(size == 4 ? AF_INET : AF_INET6, rows[i].text, wanted), 1);
        assert_memory_equal(address, wanted, size);

        memset(out, 'x', sizeof(out));
        assert_int_equal(lk_address_format((struct lk_span){address, size}, out, length),
                         LK_E_SPACE);
        assert_int_equal(out[0], 'x');
        assert_int_equal(lk_address_format((struct lk_span){address, size}, out, length + 1),
                         (int)length);
        assert_string_equal(out, again);
    }
}

static void test_text_address_refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "localhost",

        /* IPv4: four numbers, decimal, without leading zeros. */
        "1",
        "1.2",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.",
        "1.2.3.4.5",
        ".1.2.3.4",
        "1..2.3",
        "1.2.3.256",
        "1.2.3.1000",
        "1.2.3.4294967297",
        "01.2.3.4",
        "1.2.3.04",
        "00.0.0.0",
        "0x1.2.3.4",
        "1.2.3.-4",
        "+1.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4/24",
        "1.2.3.4:80",
        "1,2,3,4",
        "3232235777",

        /* IPv6. */
        ":",
        ":::",
        "::::",
        "1:",
        ":1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        ":1:2:3:4:5:6:7",
        ":1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", /* nothing is left for "::" to stand for */
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "1::2::3",
        "::1::",
        "1:::2",
        "12345::",
        "00001::",
        "g::",
        "::1%eth0",
        "::1/64",
        "[::1]",
        "::1 ",
        " ::1",
        "1.2.3.4::",
        "::1.2.3",
        "::1.2.3.4.5",
        "::1.2.3.256",
        "::01.2.3.4",
        "::1.2.3.4:5",
        "::a.2.3.4",
        "::12345.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6::1.2.3.4",
        "1:2:3:4:5:1.2.3.4",
        "::.1.2.3",
        "::ffff:1.2.3.4.",
    };
    uint8_t address[16];
    size_t size = 7;

    (void)state;
    memset(address, 0xEE, sizeof(address));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (lk_address_parse(net_span(rows[i]), address, &size) != LK_E_USAGE) {
            fail_msg("\"%s\" was accepted", rows[i]);
        }
    }
    assert_int_equal(lk_address_parse((struct lk_span){NULL, 0}, address, &size), LK_E_USAGE);
    assert_int_equal(lk_address_parse(LK_TEXT("::1\0"), address, &size), LK_E_USAGE);
    assert_int_equal(size, 7);
    assert_int_equal(address[0], 0xEE);
}

static void test_text_address_sizes(void **state)
{
    static const uint8_t bytes[17] = {0};
    char out[48];

    (void)state;
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        int answer = lk_address_format((struct lk_span){bytes, size}, out, sizeof(out));

        assert_int_equal(answer, size == 4 ? 7 : size == 16 ? 2 : LK_E_ARGUMENT);
    }
    assert_int_equal(lk_address_format((struct lk_span){bytes, 4}, NULL, 0), LK_E_SPACE);
}

/* Every pattern of zero and other groups: shortened as RFC 5952 says, and read back. */
static void test_text_address_every_zero_pattern(void **state)
{
    (void)state;
    for (unsigned pattern = 0; pattern < 256; pattern++) {
        uint8_t address[16] = {0};
        uint8_t back[16];
        char out[48];
        char theirs[INET6_ADDRSTRLEN];
        size_t size;

        for (unsigned i = 0; i < 8; i++) {
            if ((pattern >> i & 1) != 0) {
                address[2 * i] = (uint8_t)(i < 4 ? 0 : 0x10 + i);
                address[2 * i + 1] = (uint8_t)(0x0A + i);
            }
        }
        assert_true(lk_address_format((struct lk_span){address, 16}, out, sizeof(out)) > 0);
        assert_int_equal(lk_address_parse(net_span(out), back, &size), LK_OK);
        assert_int_equal(size, 16);
        assert_memory_equal(back, address, 16);
        /* The C library still writes the long deprecated ::1.2.3.4. */
        assert_non_null(inet_ntop(AF_INET6, address, theirs, sizeof(theirs)));
        if (strchr(theirs, '.') == NULL) {
            assert_string_equal(out, theirs);
        }
    }
}

/* Texts of an address's characters at random: the C library must think the same of each. */
static void test_text_address_random_texts(void **state)
{
    static const char characters[] = "0123456789abcdefABCDEF:::::::::::......xg% ";
    uint32_t random = 1;
    unsigned accepted = 0;

    (void)state;
    for (unsigned round = 0; round < 300000; round++) {
        char text[24] = "";
        uint8_t ours[16] = {0};
        uint8_t theirs[16] = {0};
        size_t size = 0;
        size_t length;

        random = random * 1664525U + 1013904223U;
        length = random >> 16 & 15;
        /* Mostly variations of a good address, as chance seldom makes one. */
        if (round % 4 != 0) {
            (void)snprintf(text, sizeof(text), "%s",
                           round % 4 == 1   ? "1:2::a:1.2.3.4"
                           : round % 4 == 2 ? "1:2:3:4:5:6:7:8"
                                            : "192.10.0.255");
            text[length % strlen(text)] = characters[(random >> 8) % (sizeof(characters) - 1)];
        } else {
            for (size_t i = 0; i < length; i++) {
                random = random * 1664525U + 1013904223U;
                text[i] = characters[(random >> 16) % (sizeof(characters) - 1)];
            }
        }

        int v4 = inet_pton(AF_INET, text, theirs);
        int v6 = v4 == 1 ? 0 : inet_pton(AF_INET6, text, theirs);
        bool taken = lk_address_parse(net_span(text), ours, &size) == LK_OK;

        if (taken != (v4 == 1 || v6 == 1) ||
            size != (v4 == 1   ? 4U
                     : v6 == 1 ? 16U
                               : 0U) ||
            memcmp(ours, theirs, size) != 0) {
            fail_msg("round %u: \"%s\"", round, text);
        }
        accepted += taken;
    }
    assert_true(accepted > 10000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_address_good),
        cmocka_unit_test(test_text_address_refused),
        cmocka_unit_test(test_text_address_sizes),
        cmocka_unit_test(test_text_address_every_zero_pattern),
        cmocka_unit_test(test_text_address_random_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
