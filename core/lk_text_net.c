// SPDX-License-Identifier: MIT
/*
 * lk_text_net.c: IPv4 and IPv6 addresses as text, both ways.
 *
 * No zone ("%eth0"), no prefix length, and of IPv4 only four decimal numbers without leading zeros:
 * the other forms that C libraries take mean different addresses to different programs.
 */
#include "lk_text.h"

#include <string.h>

#define TEXT_NET_GROUPS   8U
#define TEXT_NET_SIZE_MAX 39 /* eight groups of four digits */

/* Takes `size` bytes of dotted decimal. */
static bool text_net_parse_v4(const uint8_t *at, size_t size, uint8_t address[4])
{
    for (unsigned i = 0; i < 4; i++) {
        size_t digits = 0;
        unsigned value = 0;

        if (i > 0) {
            if (size == 0 || *at != '.') {
                return false;
            }
            at++;
            size--;
        }
        while (digits < size && at[digits] >= '0' && at[digits] <= '9') {
            value = value * 10 + at[digits] - '0';
            digits++;
            if (value > 255 || (digits == 2 && at[0] == '0')) {
                return false;
            }
        }
        if (digits == 0) {
            return false;
        }
        address[i] = (uint8_t)value;
        at += digits;
        size -= digits;
    }
    return size == 0;
}

static bool text_net_hex(uint8_t digit, unsigned *value)
{
    digit = lk_ascii_lower(digit);
    if (digit >= '0' && digit <= '9') {
        *value = digit - (unsigned)'0';
        return true;
    }
    *value = digit - (unsigned)'a' + 10U;
    return digit >= 'a' && digit <= 'f';
}

static bool text_net_parse_v6(struct lk_span text, uint8_t address[16])
{
    uint8_t bytes[16] = {0};
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    size_t filled = 0;
    size_t gap = sizeof(bytes) + 1; /* where "::" stood, when it did */

    /* Alone at the start, a colon can only be half of a "::". */
    if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (at < end) {
        const uint8_t *group = at;
        unsigned value = 0;
        unsigned digit;

        while (at < end && at - group < 4 && text_net_hex(*at, &digit)) {
            value = value << 4 | digit;
            at++;
        }
        if (at < end && *at == '.') {
            if (filled > 12 || !text_net_parse_v4(group, (size_t)(end - group), bytes + filled)) {
                return false;
            }
            filled += 4;
            break;
        }
        if (at == group || filled == sizeof(bytes)) {
            return false;
        }
        bytes[filled++] = (uint8_t)(value >> 8);
        bytes[filled++] = (uint8_t)value;
        if (at == end) {
            break;
        }
        if (*at++ != ':' || at == end) {
            return false;
        }
        if (*at == ':') {
            if (gap <= sizeof(bytes)) {
                return false;
            }
            gap = filled;
            at++;
        }
    }
    if (gap > sizeof(bytes)) {
        if (filled != sizeof(bytes)) {
            return false;
        }
        gap = filled;
    } else if (filled == sizeof(bytes)) {
        return false; /* "::" stands for one group at least */
    }
    memset(address, 0, sizeof(bytes));
    memcpy(address, bytes, gap);
    memcpy(address + sizeof(bytes) - (filled - gap), bytes + gap, filled - gap);
    return true;
}

int lk_address_parse(struct lk_span text, uint8_t address[16], size_t *size)
{
    uint8_t v4[4];

    if (text.size == 0) {
        return LK_E_USAGE;
    }
    if (text_net_parse_v4(text.data, text.size, v4)) {
        memcpy(address, v4, sizeof(v4));
        *size = sizeof(v4);
        return LK_OK;
    }
    if (!text_net_parse_v6(text, address)) {
        return LK_E_USAGE;
    }
    *size = 16;
    return LK_OK;
}

static char *text_net_put_v4(char *out, const uint8_t address[4])
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = address[i];

        if (i > 0) {
            *out++ = '.';
        }
        if (value >= 100) {
            *out++ = (char)('0' + value / 100);
        }
        if (value >= 10) {
            *out++ = (char)('0' + value / 10 % 10);
        }
        *out++ = (char)('0' + value % 10);
    }
    return out;
}

static char *text_net_put_group(char *out, unsigned group)
{
    unsigned shift = 12;

    while (shift > 0 && group >> shift == 0) {
        shift -= 4;
    }
    for (;; shift -= 4) {
        unsigned digit = group >> shift & 0x0F;

        *out++ = (char)(digit < 10 ? '0' + digit : 'a' + (digit - 10));
        if (shift == 0) {
            return out;
        }
    }
}

static unsigned text_net_group(const uint8_t address[16], unsigned index)
{
    return (unsigned)address[2 * index] << 8 | address[2 * index + 1];
}

static char *text_net_put_v6(char *out, const uint8_t address[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    bool is_mapped = memcmp(address, mapped, sizeof(mapped)) == 0;
    unsigned groups = is_mapped ? TEXT_NET_GROUPS - 2 : TEXT_NET_GROUPS;
    unsigned start = TEXT_NET_GROUPS;
    unsigned longest = 1; /* a single zero group is written (RFC 5952, section 4.2.2) */

    for (unsigned i = 0; i < groups; i++) {
        unsigned run = 0;

        while (i + run < groups && text_net_group(address, i + run) == 0) {
            run++;
        }
        if (run > longest) {
            longest = run;
            start = i;
        }
        i += run;
    }
    for (unsigned i = 0; i < groups;) {
        if (i == start) {
            *out++ = ':';
            i += longest;
            if (i == groups) {
                *out++ = ':';
            }
            continue;
        }
        if (i > 0) {
            *out++ = ':';
        }
        out = text_net_put_group(out, text_net_group(address, i));
        i++;
    }
    if (is_mapped) {
        *out++ = ':';
        out = text_net_put_v4(out, address + sizeof(mapped));
    }
    return out;
}

int lk_address_format(struct lk_span address, char *out, size_t size)
{
    char text[TEXT_NET_SIZE_MAX];
    char *end;

    if (address.size == 4) {
        end = text_net_put_v4(text, address.data);
    } else if (address.size == 16) {
        end = text_net_put_v6(text, address.data);
    } else {
        return LK_E_ARGUMENT;
    }

    size_t count = (size_t)(end - text);

    if (count >= size) {
        return LK_E_SPACE;
    }
    memcpy(out, text, count);
    out[count] = '\0';
    return (int)count;
}
