// SPDX-License-Identifier: MIT
/*
 * lk_text.c: numbers, identifiers and bytes as text, both ways, and comparison.
 *
 * Every decoder reads its text twice, first to check it: a refused text leaves the output alone.
 */
#include "lk_text.h"

#include <limits.h>
#include <string.h>

#define TEXT_UINT_SIZE 20 /* digits of UINT64_MAX */
#define TEXT_UUID_SIZE 36
#define TEXT_BAD       0xFFU

uint8_t lk_ascii_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool lk_text_equal_fold(struct lk_span a, struct lk_span b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lk_ascii_lower(a.data[i]) != lk_ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool lk_span_equal(struct lk_span a, struct lk_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Whether `count` characters and a NUL fit both the buffer and the int that is answered. */
static bool text_fits(size_t count, size_t size)
{
    return count < size && count <= INT_MAX;
}

int lk_uint_parse(struct lk_span text, uint64_t *number)
{
    uint64_t value = 0;

    if (text.size == 0 || (text.data[0] == '0' && text.size > 1)) {
        return LK_E_USAGE;
    }
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';

        if (digit > 9 || value > UINT64_MAX / 10 ||
            (value == UINT64_MAX / 10 && digit > UINT64_MAX % 10)) {
            return LK_E_USAGE;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return LK_OK;
}

/* Divides by 10,000 and answers the remainder, sixteen bits at a time: a 32-bit machine has no
 * 64-bit division, and the library's is larger than this file. */
static uint32_t text_split_4(uint64_t *number)
{
    uint64_t quotient = 0;
    uint32_t rest = 0;

    for (unsigned shift = 64; shift > 0; shift -= 16) {
        uint32_t part = rest << 16 | (uint32_t)(*number >> (shift - 16) & 0xFFFF);

        quotient = quotient << 16 | part / 10000;
        rest = part % 10000;
    }
    *number = quotient;
    return rest;
}

int lk_uint_format(uint64_t number, char *out, size_t size)
{
    char digits[TEXT_UINT_SIZE];
    size_t start = sizeof(digits);

    while (number > UINT32_MAX) {
        uint32_t four = text_split_4(&number);

        for (unsigned i = 0; i < 4; i++) {
            digits[--start] = (char)('0' + four % 10);
            four /= 10;
        }
    }

    uint32_t low = (uint32_t)number;

    do {
        digits[--start] = (char)('0' + low % 10);
        low /= 10;
    } while (low > 0);

    size_t count = sizeof(digits) - start;

    if (!text_fits(count, size)) {
        return LK_E_SPACE;
    }
    memcpy(out, digits + start, count);
    out[count] = '\0';
    return (int)count;
}

static char text_hex_digit(unsigned value)
{
    return (char)(value < 10 ? '0' + value : 'a' + (value - 10));
}

static unsigned text_hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - (unsigned)'0';
    }
    digit = lk_ascii_lower(digit);
    return digit >= 'a' && digit <= 'f' ? digit - (unsigned)'a' + 10U : TEXT_BAD;
}

int lk_hex_encode(struct lk_span bytes, char *out, size_t size)
{
    if (bytes.size > INT_MAX / 2 || !text_fits(bytes.size * 2, size)) {
        return LK_E_SPACE;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        *out++ = text_hex_digit(bytes.data[i] >> 4);
        *out++ = text_hex_digit(bytes.data[i] & 0x0FU);
    }
    *out = '\0';
    return (int)(bytes.size * 2);
}

int lk_hex_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size)
{
    if (text.size % 2 != 0) {
        return LK_E_USAGE;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text_hex_value(text.data[i]) == TEXT_BAD) {
            return LK_E_USAGE;
        }
    }
    *size = text.size / 2;
    if (*size > capacity) {
        return LK_E_SPACE;
    }
    for (size_t i = 0; i < text.size; i += 2) {
        *out++ = (uint8_t)(text_hex_value(text.data[i]) << 4 | text_hex_value(text.data[i + 1]));
    }
    return LK_OK;
}

static bool text_uuid_hyphen(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

int lk_uuid_parse(struct lk_span text, uint8_t uuid[16])
{
    size_t at = 0;

    if (text.size != TEXT_UUID_SIZE) {
        return LK_E_USAGE;
    }
    for (size_t i = 0; i < TEXT_UUID_SIZE; i++) {
        if (text_uuid_hyphen(i) ? text.data[i] != '-' : text_hex_value(text.data[i]) == TEXT_BAD) {
            return LK_E_USAGE;
        }
    }
    for (size_t i = 0; i < 16; i++) {
        at += text_uuid_hyphen(at) ? 1 : 0;
        uuid[i] = (uint8_t)(text_hex_value(text.data[at]) << 4 | text_hex_value(text.data[at + 1]));
        at += 2;
    }
    return LK_OK;
}

int lk_uuid_format(const uint8_t uuid[16], char *out, size_t size)
{
    size_t at = 0;

    if (!text_fits(TEXT_UUID_SIZE, size)) {
        return LK_E_SPACE;
    }
    for (size_t i = 0; i < 16; i++) {
        if (text_uuid_hyphen(at)) {
            out[at++] = '-';
        }
        out[at++] = text_hex_digit(uuid[i] >> 4);
        out[at++] = text_hex_digit(uuid[i] & 0x0FU);
    }
    out[at] = '\0';
    return TEXT_UUID_SIZE;
}

/* The two alphabets differ in their last two characters only, which `last` gives. */
static char text_base64_digit(unsigned value, const char last[2])
{
    if (value < 26) {
        return (char)('A' + value);
    }
    if (value < 52) {
        return (char)('a' + (value - 26));
    }
    return value < 62 ? (char)('0' + (value - 52)) : last[value - 62];
}

static unsigned text_base64_value(uint8_t digit, const char last[2])
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - (unsigned)'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - (unsigned)'a' + 26U;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - (unsigned)'0' + 52U;
    }
    if (digit == (uint8_t)last[0]) {
        return 62;
    }
    return digit == (uint8_t)last[1] ? 63 : TEXT_BAD;
}

static int text_base64_encode(struct lk_span bytes, const char last[2], bool pad, char *out,
                              size_t size)
{
    size_t rest = bytes.size % 3;

    if (bytes.size > INT_MAX / 4 * 3) {
        return LK_E_SPACE;
    }

    size_t count = bytes.size / 3 * 4 + (rest == 0 ? 0 : pad ? 4 : rest + 1);

    if (!text_fits(count, size)) {
        return LK_E_SPACE;
    }

    uint32_t bits = 0;
    unsigned held = 0; /* bits not yet written */

    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | bytes.data[i];
        for (held += 8; held >= 6; held -= 6) {
            *out++ = text_base64_digit(bits >> (held - 6) & 0x3F, last);
        }
    }
    if (held > 0) {
        *out++ = text_base64_digit(bits << (6 - held) & 0x3F, last);
    }
    for (size_t i = rest; pad && rest != 0 && i < 3; i++) {
        *out++ = '=';
    }
    *out = '\0';
    return (int)count;
}

/* `text` without its padding. */
static int text_base64_decode(struct lk_span text, const char last[2], uint8_t *out,
                              size_t capacity, size_t *size)
{
    size_t rest = text.size % 4;

    if (rest == 1) {
        return LK_E_USAGE;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text_base64_value(text.data[i], last) == TEXT_BAD) {
            return LK_E_USAGE;
        }
    }
    /* Spare bits that are not zero would give one value several texts. */
    if (rest != 0) {
        unsigned spare = rest == 2 ? 0x0F : 0x03;

        if ((text_base64_value(text.data[text.size - 1], last) & spare) != 0) {
            return LK_E_USAGE;
        }
    }
    *size = text.size / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    if (*size > capacity) {
        return LK_E_SPACE;
    }

    uint32_t bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < text.size; i++) {
        bits = bits << 6 | text_base64_value(text.data[i], last);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    return LK_OK;
}

static char text_base32_digit(unsigned value)
{
    return (char)(value < 26 ? 'A' + value : '2' + (value - 26));
}

static unsigned text_base32_value(uint8_t digit)
{
    uint8_t lower = lk_ascii_lower(digit);

    if (lower >= 'a' && lower <= 'z') {
        return lower - (unsigned)'a';
    }
    return digit >= '2' && digit <= '7' ? digit - (unsigned)'2' + 26U : TEXT_BAD;
}

int lk_base64url_encode(struct lk_span bytes, char *out, size_t size)
{
    return text_base64_encode(bytes, "-_", false, out, size);
}

int lk_base64url_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size)
{
    return text_base64_decode(text, "-_", out, capacity, size);
}

int lk_base64_encode(struct lk_span bytes, char *out, size_t size)
{
    return text_base64_encode(bytes, "+/", true, out, size);
}

int lk_base64_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size)
{
    size_t padding = 0;

    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=') {
        padding++;
    }
    if (padding > 0) {
        /* Half a padding is neither of the two forms. */
        if (text.size % 4 != 0) {
            return LK_E_USAGE;
        }
        text.size -= padding;
    }
    return text_base64_decode(text, "+/", out, capacity, size);
}

int lk_base32_encode(struct lk_span bytes, char *out, size_t size)
{
    uint32_t bits = 0;
    unsigned held = 0;

    if (bytes.size > INT_MAX / 8 || !text_fits((bytes.size * 8 + 4) / 5, size)) {
        return LK_E_SPACE;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | bytes.data[i];
        for (held += 8; held >= 5; held -= 5) {
            *out++ = text_base32_digit(bits >> (held - 5) & 0x1F);
        }
    }
    if (held > 0) {
        *out++ = text_base32_digit(bits << (5 - held) & 0x1F);
    }
    *out = '\0';
    return (int)((bytes.size * 8 + 4) / 5);
}

int lk_base32_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size)
{
    size_t spare = text.size * 5 % 8; /* bits of the last character that are of no byte */
    uint32_t bits = 0;
    unsigned held = 0;

    if (spare >= 5) {
        return LK_E_USAGE; /* a character too many */
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text_base32_value(text.data[i]) == TEXT_BAD) {
            return LK_E_USAGE;
        }
    }
    if (spare != 0 && (text_base32_value(text.data[text.size - 1]) & ((1U << spare) - 1)) != 0) {
        return LK_E_USAGE;
    }
    *size = text.size * 5 / 8;
    if (*size > capacity) {
        return LK_E_SPACE;
    }
    for (size_t i = 0; i < text.size; i++) {
        bits = bits << 5 | text_base32_value(text.data[i]);
        held += 5;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    return LK_OK;
}
