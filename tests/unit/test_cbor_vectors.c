// SPDX-License-Identifier: MIT
/*
 * test_cbor_vectors.c: the codec against published vectors, and against one ill-formed vector for
 * every rule.
 */
#include "cbor_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* RFC 8949, appendix A, in its order. A row has a reason, when the deterministic subset refuses the
 * vector, or else the diagnostic notation of what is read. */
static const struct {
    const char *hex;
    const char *refused;
    const char *notation;
} vectors_appendix_a[] = {
    {"00", NULL, "0"},
    {"01", NULL, "1"},
    {"0a", NULL, "10"},
    {"17", NULL, "23"},
    {"1818", NULL, "24"},
    {"1819", NULL, "25"},
    {"1864", NULL, "100"},
    {"1903e8", NULL, "1000"},
    {"1a000f4240", NULL, "1000000"},
    {"1b000000e8d4a51000", NULL, "1000000000000"},
    {"1bffffffffffffffff", NULL, "18446744073709551615"},
    {"c249010000000000000000", "tag", NULL},
    {"3bffffffffffffffff", NULL, "-18446744073709551616"},
    {"c349010000000000000000", "tag", NULL},
    {"20", NULL, "-1"},
    {"29", NULL, "-10"},
    {"3863", NULL, "-100"},
    {"3903e7", NULL, "-1000"},
    {"f90000", "float", NULL},
    {"f98000", "float", NULL},
    {"f93c00", "float", NULL},
    {"fb3ff199999999999a", "float", NULL},
    {"f93e00", "float", NULL},
    {"f97bff", "float", NULL},
    {"fa47c35000", "float", NULL},
    {"fa7f7fffff", "float", NULL},
    {"fb7e37e43c8800759c", "float", NULL},
    {"f90001", "float", NULL},
    {"f90400", "float", NULL},
    {"f9c400", "float", NULL},
    {"fbc010666666666666", "float", NULL},
    {"f97c00", "float", NULL},
    {"f97e00", "float", NULL},
    {"f9fc00", "float", NULL},
    {"fa7f800000", "float", NULL},
    {"fa7fc00000", "float", NULL},
    {"faff800000", "float", NULL},
    {"fb7ff0000000000000", "float", NULL},
    {"fb7ff8000000000000", "float", NULL},
    {"fbfff0000000000000", "float", NULL},
    {"f4", NULL, "false"},
    {"f5", NULL, "true"},
    {"f6", NULL, "null"},
    {"f7", "undefined", NULL},
    {"f0", "simple value", NULL},
    {"f818", "simple value", NULL},
    {"f8ff", "simple value", NULL},
    {"c074323031332d30332d32315432303a30343a30305a", "tag", NULL},
    {"c11a514b67b0", "tag", NULL},
    {"c1fb41d452d9ec200000", "tag", NULL},
    {"d74401020304", "tag", NULL},
    {"d818456449455446", "tag", NULL},
    {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", "tag", NULL},
    {"40", NULL, "h''"},
    {"4401020304", NULL, "h'01020304'"},
    {"60", NULL, "\"\""},
    {"6161", NULL, "\"a\""},
    {"6449455446", NULL, "\"IETF\""},
    {"62225c", NULL, "\"\\\"\\\\\""},
    {"62c3bc", NULL, "\"\xC3\xBC\""},
    {"63e6b0b4", NULL, "\"\xE6\xB0\xB4\""},
    {"64f0908591", NULL, "\"\xF0\x90\x85\x91\""},
    {"80", NULL, "[]"},
    {"83010203", NULL, "[1, 2, 3]"},
    {"8301820203820405", NULL, "[1, [2, 3], [4, 5]]"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819", NULL,
     "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"},
    {"a0", NULL, "{}"},
    {"a201020304", NULL, "{1: 2, 3: 4}"},
    {"a26161016162820203", NULL, "{\"a\": 1, \"b\": [2, 3]}"},
    {"826161a161626163", NULL, "[\"a\", {\"b\": \"c\"}]"},
    {"a56161614161626142616361436164614461656145", NULL,
     "{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}"},
    {"5f42010243030405ff", "indefinite length", NULL},
    {"7f657374726561646d696e67ff", "indefinite length", NULL},
    {"9fff", "indefinite length", NULL},
    {"9f018202039f0405ffff", "indefinite length", NULL},
    {"9f01820203820405ff", "indefinite length", NULL},
    {"83018202039f0405ff", "indefinite length", NULL},
    {"83019f0203ff820405", "indefinite length", NULL},
    {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", "indefinite length", NULL},
    {"bf61610161629f0203ffff", "indefinite length", NULL},
    {"826161bf61626163ff", "indefinite length", NULL},
    {"bf6346756ef563416d7421ff", "indefinite length", NULL},
};

/* Items at the edge of a rule, on the right side of it. */
static const struct {
    const char *hex;
    const char *notation;
} vectors_good[] = {
    {"18ff", "255"},
    {"190100", "256"},
    {"19ffff", "65535"},
    {"1a00010000", "65536"},
    {"1affffffff", "4294967295"},
    {"1b0000000100000000", "4294967296"},
    {"3818", "-25"},
    {"3b7fffffffffffffff", "-9223372036854775808"},
    {"62c280", "\"\xC2\x80\""},
    {"63e0a080", "\"\xE0\xA0\x80\""},
    {"63ed9fbf", "\"\xED\x9F\xBF\""},
    {"63ee8080", "\"\xEE\x80\x80\""},
    {"64f0908080", "\"\xF0\x90\x80\x80\""},
    {"64f48fbfbf", "\"\xF4\x8F\xBF\xBF\""},
    {"8181818181818180", "[[[[[[[[]]]]]]]]"},
    {"8181818181818101", "[[[[[[[1]]]]]]]"},
    {"818181818181818101", "[[[[[[[[1]]]]]]]]"},
    {"a1a1a1a1a1a1a1a0 00000000000000", "{{{{{{{{}: 0}: 0}: 0}: 0}: 0}: 0}: 0}"},
    {"a3186400200041ff01", "{100: 0, -1: 0, h'ff': 1}"}, /* bytewise, not length first */
    {"a2617a00626161 00", "{\"z\": 0, \"aa\": 0}"},
    {"a28101008102 00", "{[1]: 0, [2]: 0}"},
    {"a281a1010200f600", "{[{1: 2}]: 0, null: 0}"},
    {"a200a1000001a10000", "{0: {0: 0}, 1: {0: 0}}"}, /* each map orders its own keys */
    {"a2f400f500", "{false: 0, true: 0}"},
};

/* One ill-formed or undeterministic vector for each rule. */
static const struct {
    const char *hex;
    const char *rule;
} vectors_bad[] = {
    {"", "nothing is not an item"},

    /* Additional information 28 to 30 is reserved, and 31 only for indefinite lengths. */
    {"1c", "reserved, unsigned 28"},
    {"1d", "reserved, unsigned 29"},
    {"1e", "reserved, unsigned 30"},
    {"1f", "unsigned 31"},
    {"3c", "reserved, negative 28"},
    {"3f", "negative 31"},
    {"5c", "reserved, bytes 28"},
    {"7d", "reserved, text 29"},
    {"9e", "reserved, array 30"},
    {"bc", "reserved, map 28"},
    {"dc", "reserved, tag 28"},
    {"fc", "reserved, simple 28"},

    /* The head ends before its argument does. */
    {"18", "argument of 8 bits missing"},
    {"19", "argument of 16 bits missing"},
    {"1901", "argument of 16 bits cut"},
    {"1a010203", "argument of 32 bits cut"},
    {"1b01020304050607", "argument of 64 bits cut"},
    {"38", "negative, argument missing"},
    {"58", "bytes, length missing"},
    {"7901", "text, length cut"},
    {"98", "array, count missing"},
    {"b901", "map, count cut"},

    /* The content ends before its length says. */
    {"41", "bytes missing"},
    {"4401 0203", "bytes cut"},
    {"61", "text missing"},
    {"626f", "text cut"},
    {"58200001", "bytes of 32 cut"},

    /* Fewer items than the count. */
    {"81", "array of one, empty"},
    {"8201", "array of two, one there"},
    {"828101", "inner array whole, outer cut"},
    {"a1", "map of one, empty"},
    {"a101", "map of one, value missing"},
    {"a2010203", "map of two, second value missing"},
    {"a180", "map of one, an array for a key, value missing"},

    /* Not the shortest argument. */
    {"1800", "0 in 8 bits"},
    {"1817", "23 in 8 bits"},
    {"190017", "23 in 16 bits"},
    {"1900ff", "255 in 16 bits"},
    {"1a0000ffff", "65535 in 32 bits"},
    {"1b00000000ffffffff", "4294967295 in 64 bits"},
    {"3817", "-24 in 8 bits"},
    {"580100", "length 1 in 8 bits"},
    {"78016f", "text length 1 in 8 bits"},
    {"980101", "count 1 in 8 bits"},
    {"b8010101", "map count 1 in 8 bits"},
    {"5900016f", "length 1 in 16 bits"},

    /* Indefinite lengths, whole and cut. */
    {"5fff", "bytes"},
    {"5f4100ff", "bytes in parts"},
    {"7fff", "text"},
    {"9fff", "array"},
    {"9f01ff", "array of one"},
    {"bfff", "map"},
    {"9f", "array without an end"},
    {"819fff", "array inside an array"},

    /* Break where nothing indefinite is open. */
    {"ff", "alone"},
    {"81ff", "in an array"},
    {"8201ff", "at the end of an array"},
    {"a1ff", "as a key"},
    {"a101ff", "as a value"},

    /* Map keys: twice, or not in bytewise order. */
    {"a201000100", "the same number twice"},
    {"a2616100616100", "the same text twice"},
    {"a2810100810100", "the same array twice"},
    {"a3010002000200", "the last two alike"},
    {"a202000100", "numbers falling"},
    {"a220000100", "negative before unsigned"},
    {"a2616200616100", "texts falling"},
    {"a262616100617a00", "the longer text first"},
    {"a2200018 6400", "length first, as RFC 7049 had it"},
    {"a2810200810100", "arrays falling"},
    {"a2f500f400", "true before false"},
    {"81a201000100", "twice inside an array"},
    {"a101a202000100", "falling inside a value"},
    {"a1a20200010000", "falling inside a key"},
    {"a30100a10000000200", "a map for a key before a number"},

    /* Text that is not UTF-8. */
    {"6180", "continuation alone"},
    {"61ff", "0xFF"},
    {"61fe", "0xFE"},
    {"61c3", "two bytes, cut"},
    {"62e6b0", "three bytes, cut"},
    {"63f09085", "four bytes, cut"},
    {"62c328", "no continuation"},
    {"63e62878", "no second byte"},
    {"63e6b028", "no third byte"},
    {"64f0908528", "no fourth byte"},
    {"62c080", "over-long NUL"},
    {"62c1bf", "over-long 0x7F"},
    {"63e08080", "over-long in three"},
    {"63e09fbf", "over-long U+07FF"},
    {"64f08fbfbf", "over-long U+FFFF"},
    {"63eda080", "high surrogate U+D800"},
    {"63edbfbf", "low surrogate U+DFFF"},
    {"66eda081edb080", "a pair of surrogates (CESU-8)"},
    {"64f4908080", "U+110000"},
    {"64f5808080", "lead 0xF5"},
    {"65f888808080", "five bytes"},
    {"69616161616161616180", "after eight of ASCII"},
    {"70 61616161 61616161 61616161 616161c3", "at the very end of sixteen"},
    {"68 80 61616161616161", "at the very start of eight"},
    {"a16180 00", "in a key"},
    {"8161c3", "in an array"},

    /* Deeper than eight. */
    {"818181818181818180", "nine arrays, the last empty"},
    {"81818181818181818101", "nine arrays"},
    {"a1a1a1a1a1a1a1a1a0 0000000000000000", "nine maps"},
    {"818181818181a100 8181 80", "arrays in a map, nine"},

    /* Counts and lengths that no input can hold. */
    {"5bffffffffffffffff", "bytes of 2^64-1"},
    {"7bffffffffffffffff", "text of 2^64-1"},
    {"9bffffffffffffffff", "array of 2^64-1"},
    {"bbffffffffffffffff", "map of 2^64-1"},
    {"bb8000000000000000", "map of 2^63: twice that is 0 in 64 bits"},
    {"ba80000000", "map of 2^31: twice that is 0 in 32 bits"},
    {"9b0000000100000000", "array of 2^32"},
    {"5b000000010000000000", "bytes of 2^32, one there"},
    {"9affffffff00", "array of 2^32-1, one there"},
    {"9a7fffffff00", "array of 2^31-1, one there"},

    /* More than one item. */
    {"0000", "two numbers"},
    {"8000", "after an array"},
    {"a0a0", "two maps"},
    {"40f6", "after a string"},

    /* Types that the subset has not. */
    {"c000", "tag 0"},
    {"c240", "tag 2, a big number"},
    {"d9d9f700", "tag 55799, self-described CBOR"},
    {"81c100", "tag inside an array"},
    {"f90000", "float of 16 bits"},
    {"fa00000000", "float of 32 bits"},
    {"fb0000000000000000", "float of 64 bits"},
    {"f9", "float, cut"},
    {"e0", "simple value 0"},
    {"f3", "simple value 19"},
    {"f7", "undefined"},
    {"f8", "simple value, cut"},
    {"f814", "false in two bytes"},
    {"f818", "simple value 24 in two bytes"},
    {"f820", "simple value 32"},
};

static uint8_t vectors_bytes[256];

/* Tables may set spaces between parts. */
static struct lk_span vectors_span(const char *hex)
{
    char packed[512] = "";
    size_t size = 0;

    for (; *hex != '\0'; hex++) {
        if (*hex != ' ') {
            packed[size++] = *hex;
        }
    }
    packed[size] = '\0';
    size = cbor_from_hex(packed, vectors_bytes, sizeof(vectors_bytes));
    assert_true(size != SIZE_MAX);
    /* At the very end, so that a sanitizer sees a byte read too many. */
    memmove(vectors_bytes + sizeof(vectors_bytes) - size, vectors_bytes, size);
    return (struct lk_span){vectors_bytes + sizeof(vectors_bytes) - size, size};
}

struct vectors_notation {
    char text[512];
    size_t size;
};

static void vectors_put(struct vectors_notation *notation, const char *text, size_t size)
{
    assert_true(notation->size + size < sizeof(notation->text));
    memcpy(notation->text + notation->size, text, size);
    notation->size += size;
    notation->text[notation->size] = '\0';
}

static void vectors_put_string(struct vectors_notation *notation, const char *text)
{
    vectors_put(notation, text, strlen(text));
}

static void vectors_put_number(struct vectors_notation *notation, uint64_t number, bool negative)
{
    char digits[32];

    if (negative && number == UINT64_MAX) {
        vectors_put_string(notation, "-18446744073709551616");
        return;
    }
    (void)snprintf(digits, sizeof(digits), "%s%llu", negative ? "-" : "",
                   (unsigned long long)(negative ? number + 1 : number));
    vectors_put_string(notation, digits);
}

/* Diagnostic notation (RFC 8949, section 8) of one item. Called for what passed the check only, so
 * LK_CBOR_DEPTH bounds it. NOLINTNEXTLINE(misc-no-recursion) */
static void vectors_notate(struct vectors_notation *notation, struct lk_cbor_reader *reader)
{
    struct lk_cbor_item item;
    bool is_map;

    assert_int_equal(lk_cbor_read(reader, &item), LK_OK);
    switch (item.type) {
    case LK_CBOR_UINT: vectors_put_number(notation, item.number, false); break;
    case LK_CBOR_NEGATIVE: vectors_put_number(notation, item.number, true); break;
    case LK_CBOR_BYTES:
        vectors_put_string(notation, "h'");
        for (size_t i = 0; i < item.span.size; i++) {
            char digits[3];

            (void)snprintf(digits, sizeof(digits), "%02x", item.span.data[i]);
            vectors_put_string(notation, digits);
        }
        vectors_put_string(notation, "'");
        break;
    case LK_CBOR_TEXT:
        vectors_put_string(notation, "\"");
        for (size_t i = 0; i < item.span.size; i++) {
            char byte = (char)item.span.data[i];

            vectors_put(notation, "\\", byte == '"' || byte == '\\' ? 1 : 0);
            vectors_put(notation, &byte, 1);
        }
        vectors_put_string(notation, "\"");
        break;
    case LK_CBOR_ARRAY:
    case LK_CBOR_MAP:
        is_map = item.type == LK_CBOR_MAP;
        vectors_put_string(notation, is_map ? "{" : "[");
        for (uint64_t i = 0; i < item.number; i++) {
            vectors_put_string(notation, i == 0 ? "" : ", ");
            vectors_notate(notation, reader);
            if (is_map) {
                vectors_put_string(notation, ": ");
                vectors_notate(notation, reader);
            }
        }
        vectors_put_string(notation, is_map ? "}" : "]");
        break;
    case LK_CBOR_FALSE: vectors_put_string(notation, "false"); break;
    case LK_CBOR_TRUE: vectors_put_string(notation, "true"); break;
    case LK_CBOR_NULL: vectors_put_string(notation, "null"); break;
    }
}

static void vectors_expect_good(const char *hex, const char *wanted)
{
    struct lk_span bytes = vectors_span(hex);
    struct vectors_notation notation = {.size = 0};
    struct lk_cbor_reader reader;
    uint8_t out[sizeof(vectors_bytes)];
    size_t size = 0;

    if (lk_cbor_check(bytes) != LK_OK) {
        fail_msg("refused; rerun: echo %s | cbor_tool", hex);
    }
    assert_int_equal(cbor_reencode(bytes, out, sizeof(out), &size), LK_OK);
    assert_int_equal(size, bytes.size);
    assert_memory_equal(out, bytes.data, size);
    lk_cbor_reader_init(&reader, bytes);
    vectors_notate(&notation, &reader);
    assert_ptr_equal(reader.at, reader.end);
    if (wanted != NULL) {
        assert_string_equal(notation.text, wanted);
    }
}

static void vectors_expect_bad(const char *hex, const char *why)
{
    struct lk_span bytes = vectors_span(hex);

    if (lk_cbor_check(bytes) != LK_E_CORRUPT) {
        fail_msg("accepted (%s); rerun: echo %s | cbor_tool", why, hex);
    }
}

static void test_cbor_appendix_a(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors_appendix_a) / sizeof(vectors_appendix_a[0]); i++) {
        if (vectors_appendix_a[i].refused == NULL) {
            vectors_expect_good(vectors_appendix_a[i].hex, vectors_appendix_a[i].notation);
        } else {
            vectors_expect_bad(vectors_appendix_a[i].hex, vectors_appendix_a[i].refused);
        }
    }
}

static void test_cbor_edges_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors_good) / sizeof(vectors_good[0]); i++) {
        vectors_expect_good(vectors_good[i].hex, vectors_good[i].notation);
    }
}

static void test_cbor_ill_formed_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors_bad) / sizeof(vectors_bad[0]); i++) {
        vectors_expect_bad(vectors_bad[i].hex, vectors_bad[i].rule);
    }
}

/* Every beginning of a good vector but the whole is cut off, and refused. */
static void test_cbor_truncation_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors_appendix_a) / sizeof(vectors_appendix_a[0]); i++) {
        if (vectors_appendix_a[i].refused != NULL) {
            continue;
        }
        struct lk_span bytes = vectors_span(vectors_appendix_a[i].hex);

        while (bytes.size > 0) {
            bytes.size--;
            if (lk_cbor_check(bytes) != LK_E_CORRUPT) {
                fail_msg("%zu bytes of %s were accepted", bytes.size, vectors_appendix_a[i].hex);
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cbor_appendix_a),
        cmocka_unit_test(test_cbor_edges_accepted),
        cmocka_unit_test(test_cbor_ill_formed_refused),
        cmocka_unit_test(test_cbor_truncation_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
