// SPDX-License-Identifier: MIT
/*
 * fuzz_text.c: hostile text into every parser and check of form, the same text into all.
 *
 * What must hold: an accepted text formats again, to the same text where a value has one form only,
 * else to one that means the same; outputs are never written beyond their size, nor at all on an
 * error; and the C library reads the same addresses.
 */
#define _POSIX_C_SOURCE 200809L

#include "lk_cbor.h"
#include "lk_engine.h"
#include "lk_text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_NOW UINT64_C(1795267224250)
#define TEXT_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct lk_span text_of(const char *text, int length)
{
    text_require(length >= 0 && strlen(text) == (size_t)length);
    return (struct lk_span){(const uint8_t *)text, (size_t)length};
}

static void text_try_uint(struct lk_span text)
{
    uint64_t number;
    char out[21];

    if (lk_uint_parse(text, &number) == LK_OK) {
        text_require(lk_span_equal(text_of(out, lk_uint_format(number, out, sizeof(out))), text));
        text_require(lk_uint_format(number, out, text.size) == LK_E_SPACE);
    }
}

static void text_try_time(struct lk_span text)
{
    uint64_t ms;
    uint64_t again;
    char out[25];

    if (lk_time_parse(text, TEXT_NOW, &ms) == LK_OK) {
        int length = lk_time_format(ms, out, sizeof(out));

        text_require(lk_time_parse(text_of(out, length), 0, &again) == LK_OK && again == ms);
        text_require(lk_time_format(ms, out, (size_t)length) == LK_E_SPACE);
    }
}

static void text_try_uuid(struct lk_span text)
{
    uint8_t uuid[16];
    char out[37];

    if (lk_uuid_parse(text, uuid) == LK_OK) {
        text_require(
            lk_text_equal_fold(text_of(out, lk_uuid_format(uuid, out, sizeof(out))), text));
    }
}

static void text_try_address(struct lk_span text)
{
    uint8_t address[16];
    uint8_t again[16];
    uint8_t theirs[16];
    char given[TEXT_MAX + 1];
    char out[40];
    size_t size = 0;
    size_t again_size;
    bool taken = lk_address_parse(text, address, &size) == LK_OK;

    if (taken) {
        struct lk_span bytes = {address, size};
        int length = lk_address_format(bytes, out, sizeof(out));

        text_require(lk_address_parse(text_of(out, length), again, &again_size) == LK_OK);
        text_require(lk_span_equal(bytes, (struct lk_span){again, again_size}));
        text_require(lk_address_format(bytes, out, (size_t)length) == LK_E_SPACE);
    }
    /* What the C library would cut short at a NUL it cannot be asked about. */
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL) {
        text_require(!taken);
        return;
    }
    if (text.size > 0) {
        memcpy(given, text.data, text.size);
    }
    given[text.size] = '\0';
    if (inet_pton(AF_INET, given, theirs) == 1) {
        text_require(taken && size == 4 && memcmp(address, theirs, 4) == 0);
    } else if (inet_pton(AF_INET6, given, theirs) == 1) {
        text_require(taken && size == 16 && memcmp(address, theirs, 16) == 0);
    } else {
        text_require(!taken);
    }
}

typedef int text_decoder(struct lk_span text, uint8_t *out, size_t capacity, size_t *size);
typedef int text_encoder(struct lk_span bytes, char *out, size_t size);

/* Decodes into exactly the room that is needed; answers what was encoded again, in `out`. */
static bool text_try_codec(struct lk_span text, text_decoder *decode, text_encoder *encode,
                           char *out, struct lk_span *again)
{
    uint8_t one = 0xEE;
    size_t needed = 0;
    size_t size;
    int error = decode(text, &one, 0, &needed);

    text_require(one == 0xEE);
    if (error == LK_E_USAGE) {
        return false;
    }
    text_require(error == (needed == 0 ? LK_OK : LK_E_SPACE));

    uint8_t *bytes = malloc(needed + 1);

    text_require(bytes != NULL);
    bytes[needed] = 0xEE;
    text_require(decode(text, bytes, needed, &size) == LK_OK && size == needed);
    text_require(bytes[needed] == 0xEE);
    *again = text_of(out, encode((struct lk_span){bytes, size}, out, TEXT_MAX + 4));
    text_require(encode((struct lk_span){bytes, size}, out, again->size) == LK_E_SPACE);
    free(bytes);
    return true;
}

static void text_try_codecs(struct lk_span text)
{
    char out[TEXT_MAX + 4];
    struct lk_span again;

    if (text_try_codec(text, lk_hex_decode, lk_hex_encode, out, &again)) {
        text_require(lk_text_equal_fold(again, text));
    }
    if (text_try_codec(text, lk_base64url_decode, lk_base64url_encode, out, &again)) {
        text_require(lk_span_equal(again, text));
    }
    if (text_try_codec(text, lk_base64_decode, lk_base64_encode, out, &again)) {
        /* The padding may have been left out, but not a part of it. */
        if (again.size != text.size) {
            text_require(text.size < again.size && again.data[text.size] == '=');
            again.size = text.size;
        }
        text_require(lk_span_equal(again, text));
    }
}

static void text_try_forms(struct lk_span text)
{
    bool valid = lk_utf8_valid(text);
    bool printable = lk_text_printable(text);

    text_require(valid || !printable);
    if (lk_email_valid(text)) {
        text_require(printable && text.size >= 3 && text.size <= 255);
        text_require(memchr(text.data, '@', text.size) != NULL);
        text_require(memchr(text.data, ' ', text.size) == NULL);
    }
    if (lk_phone_valid(text)) {
        text_require(printable && text.size >= 5 && !lk_email_valid(text));
    }
}

/* Conditions of permissions: what is refused holds nowhere, and what is taken can be asked. */
static void text_try_conditions(struct lk_span text)
{
    struct lk_permission permission = {.channels = text, .sources = text, .window = text};
    static const uint8_t address[16] = {0x20, 0x01, 0x0D, 0xB8};
    struct lk_context context = {.channel = 1, .ip = {address, 16}, .clock_trusted = true};
    int minutes = lk_zone_minutes(text);
    uint64_t failed;
    unsigned field;

    text_require(minutes >= -840 && minutes <= 840 && (!minutes || !lk_zone_form(text)));
    context.zone_minutes = minutes;
    for (field = 12; field <= 14; field++) {
        const char *rule = field == 12   ? lk_channels_form(text)
                           : field == 13 ? lk_sources_form(text)
                                         : lk_window_form(text);

        context.ip.size = text.size % 2 ? 4 : 16;
        context.at_ms = TEXT_NOW + text.size * 3600000;
        permission.record.present = LK_BIT(field);
        if (lk_condition_holds(&permission, &context, &failed) == LK_HOLDS_YES) {
            text_require(failed == 0 && (field != 13 || text.size > 0));
        } else {
            text_require(failed == LK_BIT(field));
        }
        text_require(!rule || rule[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lk_span text = {data, size};

    if (size > TEXT_MAX) {
        return 0;
    }
    text_try_uint(text);
    text_try_time(text);
    text_try_uuid(text);
    text_try_address(text);
    text_try_codecs(text);
    text_try_forms(text);
    text_try_conditions(text);
    return 0;
}
