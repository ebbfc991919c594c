// SPDX-License-Identifier: MIT
/*
 * test_text_time.c: moments, dates and spans, against tables and a calendar counted day by day.
 */
#include "lk_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW    UINT64_C(1795267224000) /* 2026-11-21T13:20:24Z */
#define LATEST UINT64_C(253402300799999)
#define DAY    UINT64_C(86400000)

static struct lk_span time_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void test_text_time_good(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
        const char *again; /* as it is formatted, NULL when the same */
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, NULL},
        {"1970-01-01T00:00:00.001Z", 1, NULL},
        {"1970-01-01T00:00:00.999Z", 999, NULL},
        {"1970-01-01T00:00:01Z", 1000, NULL},
        {"2026-11-21T13:20:24Z", NOW, NULL},
        {"2026-11-21T13:20:24.250Z", NOW + 250, NULL},
        {"2026-11-21T13:20:24.25Z", NOW + 250, "2026-11-21T13:20:24.250Z"},
        {"2026-11-21T13:20:24.2Z", NOW + 200, "2026-11-21T13:20:24.200Z"},
        {"2026-11-21T13:20:24.000Z", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-21t13:20:24z", NOW, "2026-11-21T13:20:24Z"},
        {"9999-12-31T23:59:59.999Z", LATEST, NULL},
        {"2038-01-19T03:14:08Z", UINT64_C(2147483648000), NULL},
        {"2106-02-07T06:28:16Z", UINT64_C(4294967296000), NULL},

        /* Leap years: every fourth, not every hundredth, but every four hundredth. */
        {"2000-02-29T00:00:00Z", UINT64_C(951782400000), NULL},
        {"2024-02-29T12:00:00Z", UINT64_C(1709208000000), NULL},
        {"2400-02-29T00:00:00Z", UINT64_C(13574563200000), NULL},
        {"2100-03-01T00:00:00Z", UINT64_C(4107542400000), NULL},

        /* A bare date is midnight of UTC. */
        {"1970-01-01", 0, "1970-01-01T00:00:00Z"},
        {"2026-11-21", UINT64_C(1795219200000), "2026-11-21T00:00:00Z"},
        {"9999-12-31", UINT64_C(253402214400000), "9999-12-31T00:00:00Z"},

        /* Offsets, over the ends of days, months and years. */
        {"2026-11-21T14:20:24+01:00", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-21T08:20:24-05:00", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-21T18:50:24+05:30", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-21T13:20:24+00:00", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-21T13:20:24-00:00", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-22T13:19:24+23:59", NOW, "2026-11-21T13:20:24Z"},
        {"2026-11-20T13:21:24-23:59", NOW, "2026-11-21T13:20:24Z"},
        {"2027-01-01T00:30:00+01:00", UINT64_C(1798759800000), "2026-12-31T23:30:00Z"},
        {"2024-02-28T23:30:00-01:00", UINT64_C(1709166600000), "2024-02-29T00:30:00Z"},
        {"1970-01-01T01:00:00+01:00", 0, "1970-01-01T00:00:00Z"},
        {"9999-12-31T22:59:59.999-01:00", LATEST, "9999-12-31T23:59:59.999Z"},

        /* A leap second is taken as the one before, wherever on earth it was written down. */
        {"2016-12-31T23:59:60Z", UINT64_C(1483228799000), "2016-12-31T23:59:59Z"},
        {"2016-12-31T23:59:60.500Z", UINT64_C(1483228799500), "2016-12-31T23:59:59.500Z"},
        {"2017-01-01T00:59:60+01:00", UINT64_C(1483228799000), "2016-12-31T23:59:59Z"},
        {"1990-12-31T15:59:60-08:00", UINT64_C(662687999000), "1990-12-31T23:59:59Z"},
        {"2015-06-30T23:59:60Z", UINT64_C(1435708799000), "2015-06-30T23:59:59Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *again = rows[i].again == NULL ? rows[i].text : rows[i].again;
        uint64_t ms = 1;
        char out[25];

        if (lk_time_parse(time_span(rows[i].text), NOW, &ms) != LK_OK || ms != rows[i].ms) {
            fail_msg("%s: %llu", rows[i].text, (unsigned long long)ms);
        }
        assert_int_equal(lk_time_format(ms, out, sizeof(out)), (int)strlen(again));
        assert_string_equal(out, again);
    }
}

static void test_text_time_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "-",
        "now",
        "2026",
        "2026-11",
        "2026-11-2",
        "2026-11-211",
        "2026-1-21",
        "226-11-21",
        "02026-11-21",
        "+2026-11-21",
        "2026/11/21",
        "20261121",
        " 2026-11-21",
        "2026-11-21 ",
        "2026-11-21T",
        "2026-11-21Z",

        /* Years. */
        "0000-01-01",
        "1969-12-31",
        "1969-12-31T23:59:59Z",
        "1969-12-31T23:30:00-01:00", /* in range, but written with a year that is not */
        "1970-01-01T00:59:59+01:00", /* the other way round */
        "9999-12-31T23:00:00-01:00",
        "10000-01-01",

        /* Months and days. */
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "2026-02-29",
        "2026-02-30",
        "2024-02-30",
        "2100-02-29",
        "2026-03-32",
        "2026-04-31",
        "2026-05-32",
        "2026-06-31",
        "2026-07-32",
        "2026-08-32",
        "2026-09-31",
        "2026-10-32",
        "2026-11-31",
        "2026-12-32",

        /* Times of day. */
        "2026-11-21T13:20:24",
        "2026-11-21 13:20:24Z",
        "2026-11-21T13:20Z",
        "2026-11-21T132024Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T23:60:00Z",
        "2026-11-21T23:59:61Z",
        "2026-11-21T3:20:24Z",
        "2026-11-21T13:2:24Z",
        "2026-11-21T13:20:4Z",
        "2026-11-21T13:20:24ZZ",
        "2026-11-21T13:20:24 Z",
        "2026-11-21T-1:20:24Z",

        /* Fractions. */
        "2026-11-21T13:20:24.Z",
        "2026-11-21T13:20:24.2505Z",
        "2026-11-21T13:20:24.000000Z",
        "2026-11-21T13:20:24,250Z",
        "2026-11-21T13:20:24.2x0Z",
        "2026-11-21T13:20:24.250",

        /* Offsets. */
        "2026-11-21T13:20:24+",
        "2026-11-21T13:20:24+01",
        "2026-11-21T13:20:24+0100",
        "2026-11-21T13:20:24+1:00",
        "2026-11-21T13:20:24+24:00",
        "2026-11-21T13:20:24+01:60",
        "2026-11-21T13:20:24+01:00Z",
        "2026-11-21T13:20:24Z+01:00",
        "2026-11-21T13:20:24 +01:00",

        /* Leap seconds where there are none. */
        "2016-12-31T12:00:60Z",
        "2016-12-31T23:58:60Z",
        "2016-12-30T23:59:60Z",
        "2016-12-31T23:59:60+01:00",
        "2017-01-01T00:59:60-01:00",
    };
    uint64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (lk_time_parse(time_span(rows[i]), NOW, &ms) != LK_E_USAGE) {
            fail_msg("\"%s\" was accepted", rows[i]);
        }
    }
    assert_int_equal(lk_time_parse((struct lk_span){NULL, 0}, NOW, &ms), LK_E_USAGE);
    assert_int_equal(lk_time_parse(LK_TEXT("2026-11-21\0"), NOW, &ms), LK_E_USAGE);
    assert_int_equal(ms, 7);
}

static void test_text_time_spans(void **state)
{
    static const struct {
        const char *text;
        uint64_t now_ms;
        uint64_t ms;
    } good[] = {
        {"0s", NOW, NOW},
        {"-0s", NOW, NOW},
        {"1s", NOW, NOW + 1000},
        {"30m", NOW, NOW + 1800000},
        {"12h", NOW, NOW + 43200000},
        {"7d", NOW, NOW + 7 * DAY},
        {"2w", NOW, NOW + 14 * DAY},
        {"-7d", NOW, NOW - 7 * DAY},
        {"007d", NOW, NOW + 7 * DAY},
        {"-7d", 7 * DAY, 0},
        {"-7d", 7 * DAY + 1, 1},
        {"1s", LATEST - 1000, LATEST},
        {"253402300799s", 999, LATEST},
        {"2932896d", DAY - 1, LATEST},
        {"418985w", 0, UINT64_C(418985) * 7 * DAY},
    };
    static const struct {
        const char *text;
        uint64_t now_ms;
    } bad[] = {
        {"s", NOW},
        {"-s", NOW},
        {"--1s", NOW},
        {"+1s", NOW},
        {"1", NOW},
        {"-1", NOW},
        {"1y", NOW},
        {"1S", NOW},
        {"1D", NOW},
        {"1 d", NOW},
        {" 1d", NOW},
        {"1d ", NOW},
        {"1.5h", NOW},
        {"1h30m", NOW},
        {"1ms", NOW},
        {"0x1s", NOW},
        {"1-s", NOW},
        {"-7d", 7 * DAY - 1}, /* before 1970 */
        {"-1s", 0},
        {"1s", LATEST - 999}, /* after 9999 */
        {"0s", LATEST + 1},
        {"1s", UINT64_MAX},
        {"-1s", UINT64_MAX},
        {"253402300800s", 0},
        {"2932897d", 0},
        {"418986w", 0},
        {"18446744073709551616s", NOW}, /* 2^64 */
        {"18446744073709552s", NOW},    /* 2^64 in milliseconds */
        {"30500568905w", NOW},    /* just over 2^64 milliseconds: small again after wrapping */
        {"30500568904944w", NOW}, /* 2^64 in seconds */
        {"340282366920938463463374607431768211456s", NOW},
        {"99999999999999999999999999999999999999999999w", NOW},
    };
    uint64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ms = 1;
        if (lk_time_parse(time_span(good[i].text), good[i].now_ms, &ms) != LK_OK ||
            ms != good[i].ms) {
            fail_msg("%s: %llu", good[i].text, (unsigned long long)ms);
        }
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (lk_time_parse(time_span(bad[i].text), bad[i].now_ms, &ms) != LK_E_USAGE) {
            fail_msg("\"%s\" was accepted", bad[i].text);
        }
    }
}

static void test_text_time_format_limits(void **state)
{
    char out[25];

    (void)state;
    memset(out, 'x', sizeof(out));
    assert_int_equal(lk_time_format(NOW, out, 20), LK_E_SPACE);
    assert_int_equal(lk_time_format(NOW + 1, out, 24), LK_E_SPACE);
    assert_int_equal(lk_time_format(LATEST + 1, out, sizeof(out)), LK_E_ARGUMENT);
    assert_int_equal(lk_time_format(UINT64_MAX, out, sizeof(out)), LK_E_ARGUMENT);
    assert_int_equal(lk_time_format(NOW, NULL, 0), LK_E_SPACE);
    assert_int_equal(out[0], 'x');
    assert_int_equal(lk_time_format(NOW, out, 21), 20);
    assert_int_equal(lk_time_format(NOW + 1, out, 25), 24);
}

/* Every day from 1970 to 9999 at a time of its own, counted without a formula. */
static void test_text_time_every_day(void **state)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t day = 0;

    (void)state;
    for (unsigned year = 1970; year <= 9999; year++) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);

        for (unsigned month = 1; month <= 12; month++) {
            unsigned last = lengths[month - 1] + (month == 2 && leap ? 1 : 0);

            for (unsigned date = 1; date <= last; date++, day++) {
                unsigned second = (unsigned)(day * 7919 % 86400);
                uint64_t wanted = day * DAY + UINT64_C(1000) * second;
                uint64_t ms;
                char text[64];
                char out[25];

                (void)snprintf(text, sizeof(text), "%u-%02u-%02uT%02u:%02u:%02uZ", year, month,
                               date, second / 3600, second / 60 % 60, second % 60);
                if (lk_time_format(wanted, out, sizeof(out)) != 20 || strcmp(out, text) != 0 ||
                    lk_time_parse(time_span(text), 0, &ms) != LK_OK || ms != wanted) {
                    fail_msg("%s", text);
                }
            }
        }
    }
    assert_int_equal(day, (LATEST + 1) / DAY);
}

/* The split of a time into day and rest, at both ends of days, and of its 32-bit halves. */
static void test_text_time_split(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 48; shift++) {
        for (int around = -2; around <= 2; around++) {
            uint64_t ms = (UINT64_C(1) << shift) * 3 / 2 + (uint64_t)(int64_t)around;
            uint64_t again;
            char out[25];

            if (ms > LATEST) {
                continue;
            }
            assert_true(lk_time_format(ms, out, sizeof(out)) > 0);
            assert_int_equal(lk_time_parse(time_span(out), 0, &again), LK_OK);
            assert_true(again == ms);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_time_good),      cmocka_unit_test(test_text_time_refused),
        cmocka_unit_test(test_text_time_spans),     cmocka_unit_test(test_text_time_format_limits),
        cmocka_unit_test(test_text_time_every_day), cmocka_unit_test(test_text_time_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
