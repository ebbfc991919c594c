// SPDX-License-Identifier: MIT
/*
 * lk_text_utf8.c: the check that every text passes on its way into and out of a record.
 */
#include "lk_cbor.h"

#include <string.h>

static bool text_utf8_ascii(const uint8_t *at, size_t size)
{
    uint8_t all = 0;

#if UINTPTR_MAX > UINT32_MAX
    /* Only 64-bit machines are sure to load unaligned words in one instruction. The last word
     * overlaps the one before, which saves a loop over what is left. */
    if (size >= sizeof(uint64_t)) {
        uint64_t word;
        uint64_t words;

        memcpy(&words, at + size - sizeof(word), sizeof(word));
        for (size_t i = 0; i + sizeof(word) < size; i += sizeof(word)) {
            memcpy(&word, at + i, sizeof(word));
            words |= word;
        }
        return (words & UINT64_C(0x8080808080808080)) == 0;
    }
#endif

    while (size > 0) {
        all |= at[--size];
    }
    return all < 0x80;
}

bool lk_utf8_valid(struct lk_span text)
{
    const uint8_t *at = text.data;
    size_t left = text.size;

    if (text_utf8_ascii(at, left)) {
        return true;
    }
    while (left > 0) {
        uint8_t lead = *at++;
        uint8_t low = 0x80;
        uint8_t high = 0xBF;
        size_t more;

        left--;
        if (lead < 0x80) {
            continue;
        }
        /* RFC 3629, section 4: only the second byte's range depends on the first. */
        if (lead >= 0xC2 && lead <= 0xDF) {
            more = 1;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            more = 2;
            low = lead == 0xE0 ? 0xA0 : low;
            high = lead == 0xED ? 0x9F : high;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            more = 3;
            low = lead == 0xF0 ? 0x90 : low;
            high = lead == 0xF4 ? 0x8F : high;
        } else {
            return false;
        }
        if (left < more || *at < low || *at > high) {
            return false;
        }
        for (size_t i = 1; i < more; i++) {
            if ((at[i] & 0xC0) != 0x80) {
                return false;
            }
        }
        at += more;
        left -= more;
    }
    return true;
}
