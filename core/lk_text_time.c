// SPDX-License-Identifier: MIT
/*
 * lk_text_time.c: moments as RFC 3339 text, dates and spans, both ways.
 *
 * The Gregorian calendar from 1970 to 9999, without the C library's idea of time zones. All
 * divisions are of 32 bits.
 */
#include "lk_text.h"

#define TEXT_TIME_DAY_S  86400U
#define TEXT_TIME_DAY_MS 86400000U
#define TEXT_TIME_MAX_S  UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define TEXT_TIME_MAX_MS (TEXT_TIME_MAX_S * 1000 + 999)
#define TEXT_TIME_SIZE   24 /* 9999-12-31T23:59:59.999Z */

#define TEXT_TIME_FIRST_YEAR 1970U
#define TEXT_TIME_LAST_YEAR  9999U

/* Days from 0000-03-01 to 1970-01-01, and in 400, 100, 4 years and 1, of years that begin in March
 * so that the leap day is their last. */
#define TEXT_TIME_EPOCH_DAY 719468U
#define TEXT_TIME_DAYS_400  146097U
#define TEXT_TIME_DAYS_100  36524U
#define TEXT_TIME_DAYS_4    1461U
#define TEXT_TIME_DAYS_1    365U

struct text_time_date {
    uint32_t year;
    uint32_t month;
    uint32_t day;
};

/* A text being read from the left. */
struct text_time_cursor {
    const uint8_t *at;
    size_t left;
};

static bool text_time_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t text_time_month_days(uint32_t year, uint32_t month)
{
    if (month == 2) {
        return text_time_leap(year) ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Days before the month in a year that begins in March; month 0 is March. */
static uint32_t text_time_month_start(uint32_t month)
{
    return (153 * month + 2) / 5;
}

static uint32_t text_time_to_days(const struct text_time_date *date)
{
    uint32_t year = date->month > 2 ? date->year : date->year - 1;
    uint32_t month = date->month > 2 ? date->month - 3 : date->month + 9;

    return year * TEXT_TIME_DAYS_1 + year / 4 - year / 100 + year / 400 +
           text_time_month_start(month) + date->day - 1 - TEXT_TIME_EPOCH_DAY;
}

static void text_time_from_days(uint32_t days, struct text_time_date *date)
{
    uint32_t day = days + TEXT_TIME_EPOCH_DAY;
    uint32_t era = day / TEXT_TIME_DAYS_400;

    day %= TEXT_TIME_DAYS_400;

    /* Each term takes out the leap days (or puts back the missing ones) before this day, and the
     * quotient is then the year of the era. */
    uint32_t year = (day - day / (TEXT_TIME_DAYS_4 - 1) + day / TEXT_TIME_DAYS_100 -
                     day / (TEXT_TIME_DAYS_400 - 1)) /
                    TEXT_TIME_DAYS_1;

    day -= year * TEXT_TIME_DAYS_1 + year / 4 - year / 100;

    uint32_t month = (5 * day + 2) / 153;

    date->day = day - text_time_month_start(month) + 1;
    date->month = month < 10 ? month + 3 : month - 9;
    date->year = era * 400 + year + (month < 10 ? 0 : 1);
}

/* Splits a time not over TEXT_TIME_MAX_MS into its day and the milliseconds of that day. A day is
 * 84375 * 1024 ms, and the two halves of what is left of 48 bits fit 32-bit divisions. */
static uint32_t text_time_split_day(uint64_t ms, uint32_t *ms_of_day)
{
    uint32_t high = (uint32_t)(ms >> 25);
    uint32_t low = (high % 84375) << 15 | (uint32_t)(ms >> 10 & 0x7FFF);

    *ms_of_day = (low % 84375) << 10 | (uint32_t)(ms & 0x3FF);
    return (high / 84375) << 15 | low / 84375;
}

static char *text_time_put(char *out, uint32_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

int lk_time_format(uint64_t ms, char *out, size_t size)
{
    struct text_time_date date;
    uint32_t of_day;

    if (ms > TEXT_TIME_MAX_MS) {
        return LK_E_ARGUMENT;
    }

    uint32_t days = text_time_split_day(ms, &of_day);
    uint32_t seconds = of_day / 1000;
    uint32_t fraction = of_day % 1000;
    size_t count = fraction == 0 ? TEXT_TIME_SIZE - 4 : TEXT_TIME_SIZE;

    if (size <= count) {
        return LK_E_SPACE;
    }
    text_time_from_days(days, &date);
    out = text_time_put(out, date.year, 4);
    *out++ = '-';
    out = text_time_put(out, date.month, 2);
    *out++ = '-';
    out = text_time_put(out, date.day, 2);
    *out++ = 'T';
    out = text_time_put(out, seconds / 3600, 2);
    *out++ = ':';
    out = text_time_put(out, seconds / 60 % 60, 2);
    *out++ = ':';
    out = text_time_put(out, seconds % 60, 2);
    if (fraction != 0) {
        *out++ = '.';
        out = text_time_put(out, fraction, 3);
    }
    *out++ = 'Z';
    *out = '\0';
    return (int)count;
}

/* Exactly `digits` digits, from `low` to `high`. */
static bool text_time_take(struct text_time_cursor *cursor, unsigned digits, uint32_t low,
                           uint32_t high, uint32_t *value)
{
    uint32_t number = 0;

    if (cursor->left < digits) {
        return false;
    }
    for (unsigned i = 0; i < digits; i++) {
        unsigned digit = (unsigned)cursor->at[i] - '0';

        if (digit > 9) {
            return false;
        }
        number = number * 10 + digit;
    }
    cursor->at += digits;
    cursor->left -= digits;
    *value = number;
    return number >= low && number <= high;
}

static bool text_time_take_char(struct text_time_cursor *cursor, uint8_t wanted)
{
    if (cursor->left == 0 || lk_ascii_lower(*cursor->at) != wanted) {
        return false;
    }
    cursor->at++;
    cursor->left--;
    return true;
}

static bool text_time_take_date(struct text_time_cursor *cursor, struct text_time_date *date)
{
    return text_time_take(cursor, 4, TEXT_TIME_FIRST_YEAR, TEXT_TIME_LAST_YEAR, &date->year) &&
           text_time_take_char(cursor, '-') && text_time_take(cursor, 2, 1, 12, &date->month) &&
           text_time_take_char(cursor, '-') &&
           text_time_take(cursor, 2, 1, text_time_month_days(date->year, date->month), &date->day);
}

static bool text_time_take_clock(struct text_time_cursor *cursor, uint32_t *second_of_day,
                                 bool *leap, uint32_t *fraction)
{
    uint32_t hour;
    uint32_t minute;
    uint32_t second;

    if (!text_time_take(cursor, 2, 0, 23, &hour) || !text_time_take_char(cursor, ':') ||
        !text_time_take(cursor, 2, 0, 59, &minute) || !text_time_take_char(cursor, ':') ||
        !text_time_take(cursor, 2, 0, 60, &second)) {
        return false;
    }
    *leap = second == 60;
    *second_of_day = hour * 3600 + minute * 60 + (*leap ? 59 : second);
    *fraction = 0;
    if (text_time_take_char(cursor, '.')) {
        uint32_t digit;
        uint32_t weight = 100;

        if (!text_time_take(cursor, 1, 0, 9, &digit)) {
            return false;
        }
        do {
            *fraction += digit * weight;
            weight /= 10;
        } while (weight > 0 && text_time_take(cursor, 1, 0, 9, &digit));
    }
    return true;
}

/* Seconds that the local time is ahead of UTC. */
static bool text_time_take_offset(struct text_time_cursor *cursor, int32_t *ahead_s)
{
    uint32_t hour;
    uint32_t minute;

    *ahead_s = 0;
    if (text_time_take_char(cursor, 'z')) {
        return true;
    }

    bool west = text_time_take_char(cursor, '-');

    if ((!west && !text_time_take_char(cursor, '+')) || !text_time_take(cursor, 2, 0, 23, &hour) ||
        !text_time_take_char(cursor, ':') || !text_time_take(cursor, 2, 0, 59, &minute)) {
        return false;
    }
    *ahead_s = (int32_t)(hour * 3600 + minute * 60);
    if (west) {
        *ahead_s = -*ahead_s;
    }
    return true;
}

static int text_time_parse_moment(struct lk_span text, uint64_t *ms)
{
    struct text_time_cursor cursor = {text.data, text.size};
    struct text_time_date date;
    uint32_t second = 0;
    uint32_t fraction = 0;
    int32_t ahead_s = 0;
    bool leap = false;

    if (!text_time_take_date(&cursor, &date)) {
        return LK_E_USAGE;
    }
    if (cursor.left > 0 && (!text_time_take_char(&cursor, 't') ||
                            !text_time_take_clock(&cursor, &second, &leap, &fraction) ||
                            !text_time_take_offset(&cursor, &ahead_s) || cursor.left > 0)) {
        return LK_E_USAGE;
    }

    int32_t days = (int32_t)text_time_to_days(&date);
    int32_t in_day = (int32_t)second - ahead_s;

    if (in_day < 0) {
        in_day += (int32_t)TEXT_TIME_DAY_S;
        days--;
    } else if (in_day >= (int32_t)TEXT_TIME_DAY_S) {
        in_day -= (int32_t)TEXT_TIME_DAY_S;
        days++;
    }
    if (days < 0) {
        return LK_E_USAGE;
    }
    /* A leap second is the last of a month of UTC (RFC 3339, section 5.7), or it is a mistake. */
    if (leap) {
        text_time_from_days((uint32_t)days + 1, &date);
        if (in_day != (int32_t)TEXT_TIME_DAY_S - 1 || date.day != 1) {
            return LK_E_USAGE;
        }
    }

    uint64_t result =
        (uint64_t)(uint32_t)days * TEXT_TIME_DAY_MS + (uint64_t)(uint32_t)in_day * 1000 + fraction;

    if (result > TEXT_TIME_MAX_MS) {
        return LK_E_USAGE;
    }
    *ms = result;
    return LK_OK;
}

static uint32_t text_time_unit_s(uint8_t unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return TEXT_TIME_DAY_S;
    case 'w': return 7 * TEXT_TIME_DAY_S;
    default: return 0;
    }
}

/* A text whose last byte is `unit_s`. */
static int text_time_parse_span(struct lk_span text, uint32_t unit_s, uint64_t now_ms, uint64_t *ms)
{
    size_t at = text.data[0] == '-' ? 1 : 0;
    bool back = at == 1;
    uint64_t seconds = 0;

    if (at == text.size - 1) {
        return LK_E_USAGE;
    }
    for (; at < text.size - 1; at++) {
        unsigned digit = (unsigned)text.data[at] - '0';

        seconds = seconds * 10 + digit;
        /* Before the multiplication too, which a number of any length could otherwise wrap. */
        if (digit > 9 || seconds > TEXT_TIME_MAX_S) {
            return LK_E_USAGE;
        }
    }
    seconds *= unit_s;
    if (seconds > TEXT_TIME_MAX_S || now_ms > TEXT_TIME_MAX_MS) {
        return LK_E_USAGE;
    }

    uint64_t span_ms = seconds * 1000;

    if (back ? span_ms > now_ms : span_ms > TEXT_TIME_MAX_MS - now_ms) {
        return LK_E_USAGE;
    }
    *ms = back ? now_ms - span_ms : now_ms + span_ms;
    return LK_OK;
}

int lk_time_parse(struct lk_span text, uint64_t now_ms, uint64_t *ms)
{
    uint32_t unit_s = text.size == 0 ? 0 : text_time_unit_s(text.data[text.size - 1]);

    return unit_s != 0 ? text_time_parse_span(text, unit_s, now_ms, ms)
                       : text_time_parse_moment(text, ms);
}
