// SPDX-License-Identifier: MIT
/* lk_cli_json.c: JSON out (RFC 8259), one text a line, whatever bytes come in. */
#include "lk_cli.h"

#include <string.h>

#include "lk_cbor.h"
#include "lk_text.h"

void lk_cli_json_begin(struct lk_cli_json *json, struct lk_cli_out *out)
{
    *json = (struct lk_cli_json){.out = out};
}

/* Before every value: the comma that the one before it needs. */
static void json_separate(struct lk_cli_json *json)
{
    uint16_t bit = (uint16_t)(1u << json->depth);

    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->more & bit) {
        lk_cli_put(json->out, ",");
    }
    json->more |= bit;
}

void lk_cli_json_open(struct lk_cli_json *json, char bracket)
{
    LK_ASSERT(json->depth < LK_CLI_JSON_DEPTH);
    json_separate(json);
    lk_cli_put_bytes(json->out, &bracket, 1);
    json->depth++;
    json->more &= (uint16_t) ~(1u << json->depth);
}

void lk_cli_json_close(struct lk_cli_json *json, char bracket)
{
    lk_cli_put_bytes(json->out, &bracket, 1);
    json->depth--;
}

static void json_escape(struct lk_cli_out *out, uint32_t code)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', 0, 0, 0, 0};
    size_t i;

    for (i = 0; i < 4; i++) {
        text[2 + i] = digits[code >> (12 - 4 * i) & 0xF];
    }
    lk_cli_put_bytes(out, text, sizeof(text));
}

static void json_quote(struct lk_cli_out *out, struct lk_span text)
{
    lk_cli_put(out, "\"");
    while (text.size) {
        uint32_t code;
        size_t size = lk_cli_utf8(text, &code);

        if (!size) {
            lk_cli_put(out, "\\ufffd");
            size = 1;
        } else if (code == '"' || code == '\\') {
            lk_cli_put(out, code == '"' ? "\\\"" : "\\\\");
        } else if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 ||
                   code == 0x2029) {
            /* The last ones are legal in JSON, but break lines or drive terminals. */
            json_escape(out, code);
        } else {
            lk_cli_put_bytes(out, text.data, size);
        }
        text.data += size;
        text.size -= size;
    }
    lk_cli_put(out, "\"");
}

void lk_cli_json_key(struct lk_cli_json *json, const char *key)
{
    json_separate(json);
    json_quote(json->out, lk_cli_span(key));
    lk_cli_put(json->out, ":");
    json->after_key = true;
}

void lk_cli_json_text(struct lk_cli_json *json, struct lk_span text)
{
    json_separate(json);
    json_quote(json->out, text);
}

void lk_cli_json_number(struct lk_cli_json *json, uint64_t number)
{
    json_separate(json);
    lk_cli_put_number(json->out, number);
}

static void json_word(struct lk_cli_json *json, const char *word)
{
    json_separate(json);
    lk_cli_put(json->out, word);
}

void lk_cli_json_bool(struct lk_cli_json *json, bool value)
{
    json_word(json, value ? "true" : "false");
}

void lk_cli_json_null(struct lk_cli_json *json)
{
    json_word(json, "null");
}

void lk_cli_json_time(struct lk_cli_json *json, uint64_t ms)
{
    char text[40];
    int size = ms ? lk_time_format(ms, text, sizeof(text)) : 0;

    if (size > 0) {
        lk_cli_json_text(json, (struct lk_span){(const uint8_t *)text, (size_t)size});
    } else {
        lk_cli_json_null(json);
    }
}

static void json_negative(struct lk_cli_out *out, uint64_t number)
{
    lk_cli_put(out, "-");
    if (number == UINT64_MAX) {
        lk_cli_put(out, "18446744073709551616");
    } else {
        lk_cli_put_number(out, number + 1);
    }
}

/* Base64url in parts, so that no buffer bounds it. */
static void json_bytes(struct lk_cli_out *out, struct lk_span bytes)
{
    char text[68];

    lk_cli_put(out, "\"");
    while (bytes.size) {
        size_t part = bytes.size < 48 ? bytes.size : 48;
        int size = lk_base64url_encode((struct lk_span){bytes.data, part}, text, sizeof(text));

        lk_cli_put_bytes(out, text, size > 0 ? (size_t)size : 0);
        bytes.data += part;
        bytes.size -= part;
    }
    lk_cli_put(out, "\"");
}

static void json_scalar(struct lk_cli_json *json, const struct lk_cbor_item *item, bool as_key)
{
    bool quote = as_key && item->type != LK_CBOR_TEXT && item->type != LK_CBOR_BYTES;

    json_separate(json);
    if (quote) {
        lk_cli_put(json->out, "\"");
    }
    switch (item->type) {
    case LK_CBOR_UINT: lk_cli_put_number(json->out, item->number); break;
    case LK_CBOR_NEGATIVE: json_negative(json->out, item->number); break;
    case LK_CBOR_BYTES: json_bytes(json->out, item->span); break;
    case LK_CBOR_TEXT: json_quote(json->out, item->span); break;
    case LK_CBOR_FALSE: lk_cli_put(json->out, "false"); break;
    case LK_CBOR_TRUE: lk_cli_put(json->out, "true"); break;
    default: lk_cli_put(json->out, "null"); break;
    }
    if (quote) {
        lk_cli_put(json->out, "\"");
    }
    if (as_key) {
        lk_cli_put(json->out, ":");
        json->after_key = true;
    }
}

void lk_cli_json_cbor(struct lk_cli_json *json, struct lk_span cbor)
{
    struct {
        uint64_t left;
        bool map, key_next;
    } levels[LK_CBOR_DEPTH + 1];
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;
    size_t depth = 0;

    /* Checked whole first: nothing of a damaged value is shown, and no bracket stays open. */
    if (lk_cbor_check(cbor) || json->depth + LK_CBOR_DEPTH > LK_CLI_JSON_DEPTH) {
        lk_cli_json_null(json);
        return;
    }
    lk_cbor_reader_init(&reader, cbor);
    levels[0].left = 1;
    levels[0].map = levels[0].key_next = false;
    for (;;) {
        bool key;

        while (!levels[depth].left) {
            if (!depth) {
                return;
            }
            lk_cli_json_close(json, levels[depth].map ? '}' : ']');
            depth--;
        }
        if (lk_cbor_read(&reader, &item)) {
            return;
        }
        key = levels[depth].map && levels[depth].key_next;
        levels[depth].key_next = !key;
        if (!key) {
            levels[depth].left--;
        }
        if (item.type == LK_CBOR_ARRAY || item.type == LK_CBOR_MAP) {
            bool map = item.type == LK_CBOR_MAP;

            if (key || depth == LK_CBOR_DEPTH) {
                return;
            }
            lk_cli_json_open(json, map ? '{' : '[');
            depth++;
            levels[depth].left = item.number;
            levels[depth].map = levels[depth].key_next = map;
        } else {
            json_scalar(json, &item, key);
        }
    }
}

void lk_cli_json_end(struct lk_cli_json *json)
{
    LK_ASSERT(json->depth == 0);
    lk_cli_put(json->out, "\n");
}
