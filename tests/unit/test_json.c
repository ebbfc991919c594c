// SPDX-License-Identifier: MIT
/*
 * test_json.c: JSON to deterministic CBOR and back, and records to JSON and back. Expected bytes
 * are worked out by hand from RFC 8949, section 4.2.1.
 */
#include "lk_json.h"
#include "latchkey.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lk_span span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void hex(const uint8_t *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
    out[2 * size] = '\0';
}

static void test_json_to_cbor_vectors(void **state)
{
    static const struct {
        const char *json;
        const char *cbor;
    } cases[] = {
        {"{}", "a0"},
        {"{\"a\":1}", "a1616101"},
        {"{\"b\":2,\"a\":1}", "a2616101616202"},
        /* Shorter keys first, whatever their letters. */
        {"{\"aa\":1,\"b\":2}", "a261620262616101"},
        {"{\"\":0}", "a16000"},
        {"{\"a\":-1}", "a1616120"},
        {"{\"a\":9223372036854775807}", "a161611b7fffffffffffffff"},
        {"{\"a\":-9223372036854775808}", "a161613b7fffffffffffffff"},
        {"{\"a\":[true,false,null,\"x\"]}", "a1616184f5f4f66178"},
        {"{\"a\":{\"c\":{},\"b\":[]}}", "a16161a2616280"
                                        "6163a0"},
        {"{\"a\":\"\\u00fc\"}", "a1616162c3bc"},
        {"{\"\xC3\xBC\":\"\xF0\x9F\x94\x91\"}", "a162c3bc64f09f9491"},
        {"{\"a\":\"\\u0000\"}", "a161616100"},
        {" {\"a\" : -0 }\n", "a1616100"},
        /* The seventh level is the last. */
        {"{\"a\":[[[[[[1]]]]]]}", "a16161818181818181"
                                  "01"},
    };
    uint8_t out[128];
    char text[260];
    const char *rule;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rule = NULL;
        assert_int_equal(lk_json_to_cbor(span(cases[i].json), out, sizeof(out), &size, &rule), 0);
        hex(out, size, text);
        assert_string_equal(text, cases[i].cbor);
        assert_int_equal(lk_cbor_check((struct lk_span){out, size}), 0);
    }
}

static void test_json_to_cbor_refusals(void **state)
{
    static const struct {
        const char *json;
        int error;
        const char *rule;
    } cases[] = {
        {"", LK_E_USAGE, "ends in the middle"},
        {"{\"a\":1", LK_E_USAGE, "ends in the middle"},
        {"[1]", LK_E_USAGE, "is not a JSON object"},
        {"{\"a\":1}{", LK_E_USAGE, "is not JSON (RFC 8259)"},
        {"{a:1}", LK_E_USAGE, "is not JSON (RFC 8259)"},
        {"{\"a\":1,\"a\":1}", LK_E_USAGE, "names the same member twice"},
        {"{\"a\":1,\"\\u0061\":2}", LK_E_USAGE, "names the same member twice"},
        {"{\"a\":9223372036854775808}", LK_E_USAGE, "holds a number beyond 64 bits"},
        {"{\"a\":1e999}", LK_E_USAGE, "holds a number beyond 64 bits"},
        {"{\"a\":1.5}", LK_E_CHECK,
         "holds a number with a fraction or an exponent; only whole numbers are kept"},
        {"{\"a\":[1.0]}", LK_E_CHECK,
         "holds a number with a fraction or an exponent; only whole numbers are kept"},
        {"{\"a\":\"\xC3\"}", LK_E_USAGE, "is not UTF-8"},
        {"{\"a\":\"\xED\xA0\x80\"}", LK_E_USAGE, "is not UTF-8"},
        {"{\"a\\u0000b\":1}", LK_E_USAGE, "has a NUL in the name of a member"},
        {"{\"a\":[[[[[[[1]]]]]]]}", LK_E_CHECK, "nests arrays and objects deeper than 7 levels"},
        {"{\"a\":[[[[[[[]]]]]]]}", LK_E_CHECK, "nests arrays and objects deeper than 7 levels"},
    };
    uint8_t out[128];
    const char *rule;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rule = "";
        assert_int_equal(lk_json_to_cbor(span(cases[i].json), out, sizeof(out), &size, &rule),
                         cases[i].error);
        assert_string_equal(rule, cases[i].rule);
    }
    assert_int_equal(lk_json_to_cbor(span("{\"a\":\"0123456789\"}"), out, 8, &size, &rule),
                     LK_E_SPACE);
    assert_string_equal(rule, "is too long");
}

static void test_json_deep_nesting_is_refused_not_followed(void **state)
{
    size_t count = 100000;
    char *text = malloc(count + 6);
    const char *rule;
    uint8_t out[8];
    size_t size;

    (void)state;
    assert_non_null(text);
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', count);
    assert_int_equal(lk_json_to_cbor((struct lk_span){(uint8_t *)text, count + 5}, out, sizeof(out),
                                     &size, &rule),
                     LK_E_USAGE);
    assert_string_equal(rule, "nests too deep");
    free(text);
}

static void test_json_from_cbor_gives_back_what_was_read(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"a\":[1,-2,\"x\",true,false,null,{\"b\":[]}],\"bb\":{\"c\":{}}}",
        "{\"n\":-9223372036854775808,\"p\":9223372036854775807}",
        "{\"a\":[[[[[[1],2],3],4],5],6]}",
    };
    uint8_t out[256];
    const char *rule;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *value;
        char *dumped;

        assert_int_equal(lk_json_to_cbor(span(texts[i]), out, sizeof(out), &size, &rule), 0);
        assert_int_equal(lk_json_from_cbor((struct lk_span){out, size}, &value), 0);
        dumped = json_dumps(value, JSON_COMPACT);
        assert_string_equal(dumped, texts[i]);
        free(dumped);
        lk_json_free(value);
    }
}

static void test_json_from_cbor_refusals(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        int error;
    } cases[] = {
        {"\xA1\x61\x61\x41\x00", 5, LK_E_UNSUPPORTED}, /* byte string */
        {"\xA1\x01\x02", 3, LK_E_UNSUPPORTED},         /* integer key */
        {"\xA1\x61\x00\x02", 4, LK_E_UNSUPPORTED},     /* NUL in a key */
        {"\xA1\x61\x61\x1B\x80\x00\x00\x00\x00\x00\x00\x00", 12, LK_E_UNSUPPORTED},
        {"\xA1\x61\x61\x3B\x80\x00\x00\x00\x00\x00\x00\x00", 12, LK_E_UNSUPPORTED},
        {"\xA1\x61\x61", 3, LK_E_CORRUPT},
        {"\xA0\xA0", 2, LK_E_CORRUPT},
        {"\xA1\x61\x61\xF9\x00\x00", 6, LK_E_CORRUPT}, /* a float */
        {"", 0, LK_E_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *value;

        assert_int_equal(
            lk_json_from_cbor((struct lk_span){(const uint8_t *)cases[i].bytes, cases[i].size},
                              &value),
            cases[i].error);
    }
}

/* ---- Records --------------------------------------------------------------------------------- */

static const char *const colours[] = {"red", "green", NULL};

struct sample {
    struct lk_record record;
    uint64_t count, flag, colour, when, other, computed, local, system;
    struct lk_span text, bytes, uuid, address, map, refs, secret;
};

#define AT(member) offsetof(struct sample, member)
static const struct lk_field sample_fields[] = {
    {.number = 8, .name = "count", .type = LK_UINT, .offset = AT(count)},
    {.number = 9, .name = "flag", .type = LK_BOOL, .offset = AT(flag)},
    {.number = 10, .name = "colour", .type = LK_ENUM, .offset = AT(colour), .choices = colours},
    {.number = 11, .name = "when", .type = LK_TIME, .offset = AT(when)},
    {.number = 12, .name = "other", .type = LK_REF, .offset = AT(other), .target = 128},
    {.number = 13, .name = "text", .type = LK_STRING, .offset = AT(text)},
    {.number = 14, .name = "bytes", .type = LK_BYTES, .offset = AT(bytes)},
    {.number = 15, .name = "uuid", .type = LK_UUID, .offset = AT(uuid)},
    {.number = 16, .name = "address", .type = LK_ADDRESS, .offset = AT(address)},
    {.number = 17, .name = "map", .type = LK_MAP, .offset = AT(map)},
    {.number = 18, .name = "refs", .type = LK_REFS, .offset = AT(refs), .target = 128},
    {.number = 19,
     .name = "secret",
     .type = LK_BYTES,
     .offset = AT(secret),
     .flags = LK_F_SECRET | LK_F_SYSTEM},
    {.number = 20, .name = "local", .type = LK_UINT, .offset = AT(local), .flags = LK_F_LOCAL},
    {.number = 21, .name = "system", .type = LK_UINT, .offset = AT(system), .flags = LK_F_SYSTEM},
    {.number = 40,
     .name = "computed",
     .type = LK_UINT,
     .offset = AT(computed),
     .flags = LK_F_COMPUTED},
};
static const struct lk_kind sample_kind = {
    .name = "sample",
    .number = 128,
    .shape = LK_SHAPE_OF_USER,
    .flags = LK_K_AUDIT_FIELDS | LK_K_EXPORTED,
    .size = sizeof(struct sample),
    .fields = sample_fields,
    .field_count = sizeof(sample_fields) / sizeof(sample_fields[0]),
};

static const char whole[] =
    "{\"kind\":\"sample\",\"id\":{\"tenant\":1,\"user\":2,\"sub\":3},"
    "\"created_at\":\"2026-11-21T13:20:24.250Z\",\"created_by\":7,"
    "\"count\":\"18446744073709551615\",\"flag\":true,\"colour\":\"green\","
    "\"when\":\"1970-01-01T00:00:00Z\",\"other\":9,\"text\":\"a\\\"b\","
    "\"bytes\":\"AAEC\",\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\","
    "\"address\":\"2001:db8::1\",\"map\":{\"b\":1,\"aa\":[]},\"refs\":[1,2,300],\"system\":5}";

static json_t *parse(const char *text)
{
    json_t *object = NULL;
    const char *rule = "";

    assert_int_equal(lk_json_parse(span(text), &object, &rule), 0);
    return object;
}

static void test_json_record_round_trip(void **state)
{
    struct lk_json_problem problem;
    struct sample sample;
    uint8_t room[512];
    json_t *object = parse(whole);
    json_t *again;
    char *text;

    (void)state;
    assert_int_equal(lk_json_record_read(&sample_kind, object, LK_JSON_EXACT, &sample.record, room,
                                         sizeof(room), &problem),
                     0);
    assert_int_equal(sample.record.id.tenant, 1);
    assert_int_equal(sample.record.id.user, 2);
    assert_int_equal(sample.record.id.sub, 3);
    assert_true(sample.count == UINT64_MAX);
    assert_int_equal(sample.colour, 1);
    assert_int_equal(sample.record.created_by, 7);
    assert_int_equal(sample.address.size, 16);
    /* What must never be written. */
    sample.local = 1;
    sample.computed = 1;
    sample.secret = LK_TEXT("hunter2");
    sample.record.present |= (uint64_t)1 << 20 | (uint64_t)1 << 40 | (uint64_t)1 << 19;
    assert_int_equal(lk_json_record_write(&sample_kind, &sample.record, &again), 0);
    text = json_dumps(again, JSON_COMPACT);
    assert_string_equal(text, whole);
    free(text);
    lk_json_free(again);
    lk_json_free(object);
}

static void test_json_record_of_an_import_takes_no_ids(void **state)
{
    struct lk_json_problem problem;
    struct sample sample;
    uint8_t room[512];
    json_t *object = parse(whole);

    (void)state;
    assert_int_equal(
        lk_json_record_read(&sample_kind, object, 0, &sample.record, room, sizeof(room), &problem),
        0);
    assert_int_equal(sample.record.id.tenant, 0);
    assert_false(LK_HAS(&sample.record, 1));
    assert_false(LK_HAS(&sample.record, 21));
    assert_true(LK_HAS(&sample.record, 8));
    lk_json_free(object);
}

static void test_json_record_refusals(void **state)
{
    static const struct {
        const char *json;
        const char *field;
        const char *rule;
        const char *given;
    } cases[] = {
        {"{\"nope\":1}", "nope", "is not a field of this kind", ""},
        {"{\"secret\":\"AAEC\"}", "secret", "is secret: it is not taken from a file", ""},
        {"{\"count\":-1}", "count", "is not a whole number of 0 or more", ""},
        {"{\"count\":\"01\"}", "count", "is not a whole number of 0 or more", "01"},
        {"{\"count\":true}", "count", "is not a whole number of 0 or more", ""},
        {"{\"flag\":1}", "flag", "is not true or false", "1"},
        {"{\"colour\":\"blue\"}", "colour", "is not one of the choices of this field", "blue"},
        {"{\"when\":\"7d\"}", "when", "is not a time (RFC 3339)", "7d"},
        {"{\"when\":\"2026-02-30T00:00:00Z\"}", "when", "is not a time (RFC 3339)",
         "2026-02-30T00:00:00Z"},
        {"{\"other\":\"#3\"}", "other", "is not the number of a record", "#3"},
        {"{\"text\":1}", "text", "is not a text in quotes", "1"},
        {"{\"bytes\":\"A\"}", "bytes", "is not base64 (RFC 4648)", "A"},
        {"{\"uuid\":\"0011\"}", "uuid", "is not a UUID (RFC 4122)", "0011"},
        {"{\"address\":\"1.2.3\"}", "address", "is not an IPv4 or IPv6 address", "1.2.3"},
        {"{\"map\":\"x\"}", "map", "is not a JSON object", "x"},
        {"{\"map\":{\"a\":0.5}}", "map",
         "holds a number with a fraction or an exponent; only whole numbers are kept", ""},
        {"{\"map\":{\"$cbor\":\"gA\"}}", "map", "is not base64url of deterministic CBOR (RFC 8949)",
         ""},
        {"{\"map\":{\"$cbor\":\"-Q\"}}", "map", "is not base64url of deterministic CBOR (RFC 8949)",
         ""},
        {"{\"refs\":[2,1]}", "refs", "is not a list of rising record numbers", ""},
        {"{\"refs\":[1,1]}", "refs", "is not a list of rising record numbers", ""},
        {"{\"refs\":[0]}", "refs", "is not a list of rising record numbers", ""},
        {"{\"refs\":[\"1\"]}", "refs", "is not a list of rising record numbers", ""},
        {"{\"refs\":[4294967296]}", "refs", "is not a list of rising record numbers", ""},
        {"{\"refs\":1}", "refs", "is not a list of rising record numbers", "1"},
        {"{\"text\":\"x\"}", "id", "is not the id of a record", ""},
        {"{\"id\":{\"tenant\":-1}}", "id", "is not the id of a record", ""},
        {"{\"id\":{\"tenant\":1,\"more\":1}}", "id", "is not the id of a record", ""},
        {"{\"id\":[1]}", "id", "is not the id of a record", ""},
        {"{\"a\\u0007\\u009b31m\":1}", "a???31m", "is not a field of this kind", ""},
    };
    struct lk_json_problem problem;
    struct sample sample;
    uint8_t room[512];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *object = parse(cases[i].json);
        int error = lk_json_record_read(&sample_kind, object, LK_JSON_EXACT, &sample.record, room,
                                        sizeof(room), &problem);

        assert_int_equal(error, LK_E_USAGE);
        assert_string_equal(problem.field, cases[i].field);
        assert_string_equal(problem.rule, cases[i].rule);
        assert_string_equal(problem.given, cases[i].given);
        lk_json_free(object);
    }
}

/* A map that JSON cannot hold, and one that looks like the way out of that, both come back. */
static void test_json_record_map_that_json_cannot_hold(void **state)
{
    static const struct {
        const char *cbor;
        size_t size;
        const char *json;
    } cases[] = {
        {"\xA1\x61\x61\x41\x00", 5, "{\"$cbor\":\"oWFhQQA\"}"},
        {"\xA1\x65$cbor\x61x", 9, "{\"$cbor\":\"oWUkY2JvcmF4\"}"},
        {"\xA1\x65$cbor\x01", 8, "{\"$cbor\":\"oWUkY2JvcgE\"}"},
    };
    struct lk_json_problem problem;
    uint8_t room[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample = {.record = {.id = {1, 2, 3}}};
        struct sample back;
        json_t *object;
        char *text;

        lk_field_set_span(&sample.record, lk_field_named(&sample_kind, LK_TEXT("map")),
                          (struct lk_span){(const uint8_t *)cases[i].cbor, cases[i].size});
        assert_int_equal(lk_json_record_write(&sample_kind, &sample.record, &object), 0);
        text = json_dumps(json_object_get(object, "map"), JSON_COMPACT);
        assert_string_equal(text, cases[i].json);
        free(text);
        assert_int_equal(lk_json_record_read(&sample_kind, object, LK_JSON_EXACT, &back.record,
                                             room, sizeof(room), &problem),
                         0);
        assert_int_equal(back.map.size, cases[i].size);
        assert_memory_equal(back.map.data, cases[i].cbor, cases[i].size);
        lk_json_free(object);
    }
}

static void test_json_show_cuts_between_characters(void **state)
{
    char out[8];

    (void)state;
    lk_json_show(out, sizeof(out), span("1234567"));
    assert_string_equal(out, "1234567");
    lk_json_show(out, sizeof(out), span("12345678"));
    assert_string_equal(out, "1234...");
    lk_json_show(out, sizeof(out),
                 span("123\xC3\xBC"
                      "5678"));
    assert_string_equal(out, "123...");
    lk_json_show(out, sizeof(out), span("a\x1B[1m"));
    assert_string_equal(out, "a?[1m");
    lk_json_show(out, sizeof(out), span("a\xFF\xFE"));
    assert_string_equal(out, "a??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_to_cbor_vectors),
        cmocka_unit_test(test_json_to_cbor_refusals),
        cmocka_unit_test(test_json_deep_nesting_is_refused_not_followed),
        cmocka_unit_test(test_json_from_cbor_gives_back_what_was_read),
        cmocka_unit_test(test_json_from_cbor_refusals),
        cmocka_unit_test(test_json_record_round_trip),
        cmocka_unit_test(test_json_record_of_an_import_takes_no_ids),
        cmocka_unit_test(test_json_record_refusals),
        cmocka_unit_test(test_json_record_map_that_json_cannot_hold),
        cmocka_unit_test(test_json_show_cuts_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
