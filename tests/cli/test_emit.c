// SPDX-License-Identifier: MIT
/* Text and JSON out, whatever bytes come in. */
#include "cli_help.h"

#include <jansson.h>

#include "lk_cbor.h"

static struct lk_span span(const char *data, size_t size)
{
    return (struct lk_span){(const uint8_t *)data, size};
}

#define BYTES(literal) span(literal, sizeof(literal) - 1)

static char room[4096];

static struct lk_cli_out begin(struct lk_cli_buffer *buffer)
{
    struct lk_cli_out out;

    memset(room, 0, sizeof(room));
    lk_cli_buffer_out(&out, buffer, room, sizeof(room) - 1);
    return out;
}

static const char *json_text(struct lk_span text)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out = begin(&buffer);
    struct lk_cli_json json;

    lk_cli_json_begin(&json, &out);
    lk_cli_json_text(&json, text);
    return room;
}

static void test_emit_json_text(void **state)
{
    (void)state;
    assert_string_equal(json_text(BYTES("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91")),
                        "\"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91\"");
    assert_string_equal(json_text(BYTES("\"\\\n\r\t\0\x1b\x7f")),
                        "\"\\\"\\\\\\u000a\\u000d\\u0009\\u0000\\u001b\\u007f\"");
    assert_string_equal(json_text(BYTES("\xc2\x85\xe2\x80\xa8")), "\"\\u0085\\u2028\"");
    assert_string_equal(json_text(BYTES("\xff\xc0\xaf\xed\xa0\x80z\xe2\x82")),
                        "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffdz\\ufffd\\ufffd\"");
    assert_string_equal(json_text(BYTES("\xf4\x90\x80\x80")), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    assert_string_equal(json_text(span(NULL, 0)), "\"\"");
}

/* An independent parser reads what comes of any bytes. */
static void test_emit_json_is_json(void **state)
{
    uint32_t seed = 3;
    size_t i, round;

    (void)state;
    for (round = 0; round < 2000; round++) {
        char noise[40];
        json_t *value;

        for (i = 0; i < sizeof(noise); i++) {
            seed = seed * 1664525 + 1013904223;
            noise[i] = (char)(seed >> 24);
        }
        value = json_loads(json_text(span(noise, sizeof(noise))), JSON_DECODE_ANY | JSON_ALLOW_NUL,
                           NULL);
        assert_non_null(value);
        json_decref(value);
    }
}

static const char *from_cbor(struct lk_span cbor)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out = begin(&buffer);
    struct lk_cli_json json;

    lk_cli_json_begin(&json, &out);
    lk_cli_json_cbor(&json, cbor);
    assert_int_equal(json.depth, 0);
    return room;
}

static void test_emit_cbor(void **state)
{
    (void)state;
    assert_string_equal(from_cbor(BYTES("\xa0")), "{}");
    assert_string_equal(from_cbor(BYTES("\xa2\x61"
                                        "a\x01\x61"
                                        "b\x83\x20\xf5\xf6")),
                        "{\"a\":1,\"b\":[-1,true,null]}");
    assert_string_equal(from_cbor(BYTES("\xa1\x61"
                                        "m\xa1\x61n\xa0")),
                        "{\"m\":{\"n\":{}}}");
    assert_string_equal(from_cbor(BYTES("\xa1\x05\x42\x01\x02")), "{\"5\":\"AQI\"}");
    assert_string_equal(from_cbor(BYTES("\x3b\xff\xff\xff\xff\xff\xff\xff\xff")),
                        "-18446744073709551616");
    assert_string_equal(from_cbor(BYTES("\x1b\xff\xff\xff\xff\xff\xff\xff\xff")),
                        "18446744073709551615");
    assert_string_equal(from_cbor(BYTES("\x81\x81\x81\x81\x80")), "[[[[[]]]]]");
    assert_string_equal(from_cbor(BYTES("\xf4")), "false");
}

/* Damaged, and other than deterministic: null, and never a bracket that stays open. */
static void test_emit_cbor_damaged(void **state)
{
    static const char whole[] = "\xa2\x61"
                                "a\x82\x01\x02\x61"
                                "b\xa1\x61"
                                "c\x43xyz";
    size_t i, bit;

    (void)state;
    assert_string_equal(from_cbor(BYTES("\xa1\x61"
                                        "a")),
                        "null");
    assert_string_equal(from_cbor(BYTES("\xff")), "null");
    assert_string_equal(from_cbor(BYTES("")), "null");
    for (i = 0; i < sizeof(whole) - 1; i++) {
        for (bit = 0; bit < 8; bit++) {
            char damaged[sizeof(whole)];
            json_t *value;

            memcpy(damaged, whole, sizeof(whole));
            damaged[i] = (char)(damaged[i] ^ (1 << bit));
            value = json_loads(from_cbor(span(damaged, sizeof(whole) - 1)),
                               JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            assert_non_null(value);
            json_decref(value);
        }
    }
}

static void test_emit_text_cannot_drive_a_terminal(void **state)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out = begin(&buffer);

    (void)state;
    lk_cli_put_text(&out, BYTES("a\x1b[31mb\xc2\x9b"
                                "1m\xe2\x80\xae"
                                "c\xff\n\xc3\xa4"));
    assert_string_equal(room, "a?[31mb?1m?c??\xc3\xa4");
}

static void test_emit_wrapped(void **state)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out = begin(&buffer);

    (void)state;
    lk_cli_put_wrapped(&out, "one two three four\nfive averyverylongword x", 2, 12);
    assert_string_equal(room, "  one two\n  three four\n  five\n  averyverylongword\n  x\n");
    assert_int_equal(lk_cli_columns(BYTES("\xc3\xa4\xe2\x82\xac"
                                          "a")),
                     3);
}

static int fails_once(void *context, const void *data, size_t size)
{
    int *calls = context;

    (void)data;
    (void)size;
    ++*calls;
    return LK_E_IO;
}

static void test_emit_error_is_sticky(void **state)
{
    int calls = 0;
    struct lk_cli_out out = {.write = fails_once, .context = &calls};

    (void)state;
    lk_cli_put(&out, "a");
    lk_cli_put(&out, "b");
    assert_int_equal(out.error, LK_E_IO);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emit_json_text),
        cmocka_unit_test(test_emit_json_is_json),
        cmocka_unit_test(test_emit_cbor),
        cmocka_unit_test(test_emit_cbor_damaged),
        cmocka_unit_test(test_emit_text_cannot_drive_a_terminal),
        cmocka_unit_test(test_emit_wrapped),
        cmocka_unit_test(test_emit_error_is_sticky),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
