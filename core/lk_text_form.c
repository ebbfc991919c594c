// SPDX-License-Identifier: MIT
/*
 * lk_text_form.c: the checks of form that text fields use: printable, e-mail address, telephone.
 *
 * They tell whether a text can be what it claims, never whether mail or a call would arrive.
 */
#include "lk_cbor.h"
#include "lk_text.h"

#define TEXT_FORM_EMAIL_MIN 3U
#define TEXT_FORM_EMAIL_MAX 255U
#define TEXT_FORM_LOCAL_MAX 64U
#define TEXT_FORM_LABEL_MAX 63U
#define TEXT_FORM_PHONE_MIN 5U
#define TEXT_FORM_PHONE_MAX 15U

static bool text_form_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Letters, digits, and the bytes of anything beyond ASCII. */
static bool text_form_alphanumeric(uint8_t byte)
{
    uint8_t lower = lk_ascii_lower(byte);

    return text_form_digit(byte) || (lower >= 'a' && lower <= 'z') || byte >= 0x80;
}

bool lk_text_printable(struct lk_span text)
{
    if (!lk_utf8_valid(text)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        /* C1 is U+0080 to U+009F, and 0xC2 begins nothing else below U+00A0. */
        if (byte < 0x20 || byte == 0x7F || (byte == 0xC2 && text.data[i + 1] < 0xA0)) {
            return false;
        }
    }
    return true;
}

/* RFC 5322, section 3.2.3. */
static bool text_form_atext(uint8_t byte)
{
    static const uint8_t others[] = {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '/',
                                     '=', '?', '^', '_', '`', '{',  '|', '}', '~'};

    if (text_form_alphanumeric(byte)) {
        return true;
    }
    for (size_t i = 0; i < sizeof(others); i++) {
        if (byte == others[i]) {
            return true;
        }
    }
    return false;
}

static bool text_form_local(const uint8_t *at, size_t size)
{
    size_t atom = 0;

    if (size > TEXT_FORM_LOCAL_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (at[i] == '.') {
            if (atom == 0) {
                return false;
            }
            atom = 0;
        } else if (text_form_atext(at[i])) {
            atom++;
        } else {
            return false;
        }
    }
    return atom > 0;
}

static bool text_form_domain(const uint8_t *at, size_t size)
{
    size_t label = 0;

    for (size_t i = 0; i < size; i++) {
        if (at[i] == '.') {
            if (label == 0 || at[i - 1] == '-') {
                return false;
            }
            label = 0;
        } else if (text_form_alphanumeric(at[i]) || (at[i] == '-' && label > 0)) {
            label++;
            if (label > TEXT_FORM_LABEL_MAX) {
                return false;
            }
        } else {
            return false;
        }
    }
    return label > 0 && at[size - 1] != '-';
}

bool lk_email_valid(struct lk_span text)
{
    size_t local = 0;

    if (text.size < TEXT_FORM_EMAIL_MIN || text.size > TEXT_FORM_EMAIL_MAX ||
        !lk_text_printable(text)) {
        return false;
    }
    /* Neither part may hold an '@', so the first one parts them. */
    while (local < text.size && text.data[local] != '@') {
        local++;
    }
    return local < text.size && text_form_local(text.data, local) &&
           text_form_domain(text.data + local + 1, text.size - local - 1);
}

bool lk_phone_valid(struct lk_span text)
{
    size_t digits = 0;
    size_t i = 0;
    bool open = false; /* inside parentheses */

    if (text.size > 0 && text.data[0] == '+') {
        /* No country code begins with 0. */
        if (text.size > 1 && text.data[1] == '0') {
            return false;
        }
        i++;
    }
    for (size_t first = i; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (text_form_digit(byte)) {
            digits++;
        } else if (byte == '(' && !open) {
            open = true;
        } else if (byte == ')' && open && text_form_digit(text.data[i - 1])) {
            open = false;
        } else if ((byte != ' ' && byte != '.' && byte != '-') || i == first) {
            return false;
        }
    }
    return digits >= TEXT_FORM_PHONE_MIN && digits <= TEXT_FORM_PHONE_MAX && !open &&
           text_form_digit(text.data[text.size - 1]);
}
