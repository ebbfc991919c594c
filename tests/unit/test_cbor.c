// SPDX-License-Identifier: MIT
/*
 * test_cbor.c: the manners of the reader and the writer, and round trips of random items.
 */
#include "cbor_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SEED_COUNT 3000

static uint8_t cbor_first[CBOR_ITEMS_SIZE_MAX];
static uint8_t cbor_second[CBOR_ITEMS_SIZE_MAX];

static struct lk_span cbor_span(const void *data, size_t size)
{
    return (struct lk_span){data, size};
}

static void cbor_assert_written(const struct lk_cbor_writer *writer, const char *hex)
{
    uint8_t wanted[64];
    size_t wanted_size = cbor_from_hex(hex, wanted, sizeof(wanted));
    size_t size;

    assert_int_equal(lk_cbor_finish(writer, &size), LK_OK);
    assert_int_equal(size, wanted_size);
    assert_memory_equal(writer->data, wanted, size);
}

static void test_cbor_reader_stays_put_on_error(void **state)
{
    static const uint8_t bad[] = {0x01, 0x82, 0x01};
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;
    struct lk_span whole = {NULL, 7};

    (void)state;
    lk_cbor_reader_init(&reader, cbor_span(bad, sizeof(bad)));
    assert_int_equal(lk_cbor_read(&reader, &item), LK_OK);
    assert_ptr_equal(reader.at, bad + 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(lk_cbor_read(&reader, &item), LK_E_CORRUPT);
        assert_ptr_equal(reader.at, bad + 1);
        assert_int_equal(lk_cbor_skip(&reader, LK_CBOR_DEPTH, &whole), LK_E_CORRUPT);
        assert_ptr_equal(reader.at, bad + 1);
    }
    assert_null(whole.data);
    assert_int_equal(whole.size, 7);
}

static void test_cbor_reader_of_nothing(void **state)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;

    (void)state;
    lk_cbor_reader_init(&reader, cbor_span(NULL, 0));
    assert_int_equal(lk_cbor_read(&reader, &item), LK_E_CORRUPT);
    assert_int_equal(lk_cbor_skip(&reader, LK_CBOR_DEPTH, NULL), LK_E_CORRUPT);
    assert_int_equal(lk_cbor_check(cbor_span(NULL, 0)), LK_E_CORRUPT);
    assert_true(lk_utf8_valid(cbor_span(NULL, 0)));
}

/* What lk_cbor_check would refuse a little later, lk_cbor_read refuses at once: its callers take
 * strings and counts as they are. */
static void test_cbor_reader_trusts_no_length(void **state)
{
    static const char *const rows[] = {
        "18", "19",   "1901",     "1a010203", "1b01020304050607", /* arguments cut */
        "41", "4201", "6261",     "58180102",                     /* strings cut */
        "81", "8201", "981800",               /* arrays of more items than bytes */
        "a1", "a101", "a2010203", "b8180000", /* maps of more pairs than pairs of bytes */
    };
    uint8_t bytes[16];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lk_cbor_reader reader;
        struct lk_cbor_item item;
        size_t size = cbor_from_hex(rows[i], bytes, sizeof(bytes));
        const uint8_t *start;

        assert_true(size != SIZE_MAX);
        memmove(bytes + sizeof(bytes) - size, bytes, size);
        start = bytes + sizeof(bytes) - size;
        lk_cbor_reader_init(&reader, cbor_span(start, size));
        if (lk_cbor_read(&reader, &item) != LK_E_CORRUPT || reader.at != start) {
            fail_msg("%s was read", rows[i]);
        }
    }
}

static void test_cbor_strings_lie_inside_the_input(void **state)
{
    static const uint8_t bytes[] = {0x83, 0x42, 0x01, 0x02, 0x62, 0xC3, 0xBC, 0x40};
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;

    (void)state;
    lk_cbor_reader_init(&reader, cbor_span(bytes, sizeof(bytes)));
    assert_int_equal(lk_cbor_read(&reader, &item), LK_OK);
    assert_int_equal(item.type, LK_CBOR_ARRAY);
    assert_int_equal(item.number, 3);
    assert_null(item.span.data);
    assert_int_equal(lk_cbor_read(&reader, &item), LK_OK);
    assert_int_equal(item.type, LK_CBOR_BYTES);
    assert_ptr_equal(item.span.data, bytes + 2);
    assert_int_equal(item.span.size, 2);
    assert_int_equal(lk_cbor_read(&reader, &item), LK_OK);
    assert_int_equal(item.type, LK_CBOR_TEXT);
    assert_ptr_equal(item.span.data, bytes + 5);
    assert_int_equal(item.span.size, 2);
    assert_int_equal(lk_cbor_read(&reader, &item), LK_OK);
    assert_int_equal(item.span.size, 0);
    assert_ptr_equal(reader.at, reader.end);
}

static void test_cbor_skip_takes_one_item(void **state)
{
    static const uint8_t bytes[] = {0x82, 0x01, 0xA1, 0x02, 0x03, 0x18, 0x64, 0x80};
    struct lk_cbor_reader reader;
    struct lk_span whole;

    (void)state;
    lk_cbor_reader_init(&reader, cbor_span(bytes, sizeof(bytes)));
    assert_int_equal(lk_cbor_skip(&reader, LK_CBOR_DEPTH, &whole), LK_OK);
    assert_ptr_equal(whole.data, bytes);
    assert_int_equal(whole.size, 5);
    assert_int_equal(lk_cbor_skip(&reader, 0, &whole), LK_OK);
    assert_int_equal(whole.size, 2);
    assert_int_equal(lk_cbor_skip(&reader, 1, NULL), LK_OK);
    assert_ptr_equal(reader.at, reader.end);
}

static void test_cbor_skip_depth(void **state)
{
    uint8_t bytes[LK_CBOR_DEPTH + 1];

    (void)state;
    for (unsigned nested = 0; nested <= LK_CBOR_DEPTH; nested++) {
        /* Above LK_CBOR_DEPTH a caller gains nothing. */
        for (unsigned depth = 0; depth <= LK_CBOR_DEPTH + 2; depth++) {
            struct lk_cbor_reader reader;

            memset(bytes, 0x81, nested);
            bytes[nested] = 0x80;
            lk_cbor_reader_init(&reader, cbor_span(bytes, nested + 1));
            assert_int_equal(lk_cbor_skip(&reader, depth, NULL),
                             nested < depth && nested < LK_CBOR_DEPTH ? LK_OK : LK_E_CORRUPT);
            bytes[nested] = 0x01;
            lk_cbor_reader_init(&reader, cbor_span(bytes, nested + 1));
            assert_int_equal(lk_cbor_skip(&reader, depth, NULL),
                             nested <= depth ? LK_OK : LK_E_CORRUPT);
        }
    }
}

static void test_cbor_writer_takes_the_shortest_head(void **state)
{
    static const struct {
        uint64_t number;
        const char *hex;
    } rows[] = {
        {0, "00"},
        {23, "17"},
        {24, "1818"},
        {255, "18ff"},
        {256, "190100"},
        {65535, "19ffff"},
        {65536, "1a00010000"},
        {UINT32_MAX, "1affffffff"},
        {UINT64_C(1) << 32, "1b0000000100000000"},
        {UINT64_C(0x0123456789ABCDEF), "1b0123456789abcdef"},
        {UINT64_MAX, "1bffffffffffffffff"},
    };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lk_cbor_writer writer;

        lk_cbor_writer_init(&writer, out, sizeof(out));
        lk_cbor_put_uint(&writer, rows[i].number);
        cbor_assert_written(&writer, rows[i].hex);
    }
}

static void test_cbor_writer_signed(void **state)
{
    static const struct {
        int64_t number;
        const char *hex;
    } rows[] = {
        {0, "00"},
        {24, "1818"},
        {-1, "20"},
        {-24, "37"},
        {-25, "3818"},
        {-256, "38ff"},
        {-257, "390100"},
        {INT64_MAX, "1b7fffffffffffffff"},
        {INT64_MIN, "3b7fffffffffffffff"},
    };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lk_cbor_writer writer;

        lk_cbor_writer_init(&writer, out, sizeof(out));
        lk_cbor_put_int(&writer, rows[i].number);
        cbor_assert_written(&writer, rows[i].hex);
    }
}

static void cbor_put_sample(struct lk_cbor_writer *writer)
{
    static const uint8_t raw[] = {0x82, 0x01, 0x02};

    lk_cbor_put_map(writer, 6);
    lk_cbor_put_uint(writer, 1);
    lk_cbor_put_text(writer, LK_TEXT("alice"));
    lk_cbor_put_uint(writer, 2);
    lk_cbor_put_bytes(writer, LK_TEXT("\x01\x02\x03"));
    lk_cbor_put_uint(writer, 3);
    lk_cbor_put_bool(writer, true);
    lk_cbor_put_uint(writer, 24);
    lk_cbor_put_null(writer);
    lk_cbor_put_uint(writer, 300);
    lk_cbor_put_raw(writer, cbor_span(raw, sizeof(raw)));
    lk_cbor_put_int(writer, -5);
    lk_cbor_put_array(writer, 1);
    lk_cbor_put_bool(writer, false);
}

static void test_cbor_writer_sample(void **state)
{
    uint8_t out[64];
    struct lk_cbor_writer writer;

    (void)state;
    lk_cbor_writer_init(&writer, out, sizeof(out));
    cbor_put_sample(&writer);
    cbor_assert_written(&writer, "a60165616c696365024301020303f51818f619012c8201022481f4");
    assert_int_equal(lk_cbor_check(cbor_span(out, writer.size)), LK_OK);
}

static void test_cbor_writer_dry_run_counts(void **state)
{
    struct lk_cbor_writer dry;
    struct lk_cbor_writer wet;
    uint8_t out[64];
    size_t size;

    (void)state;
    lk_cbor_writer_init(&dry, NULL, 0);
    cbor_put_sample(&dry);
    assert_int_equal(lk_cbor_finish(&dry, &size), LK_OK);
    lk_cbor_writer_init(&wet, out, size);
    cbor_put_sample(&wet);
    assert_int_equal(lk_cbor_finish(&wet, &size), LK_OK);
    assert_int_equal(size, dry.size);
}

/* For every capacity: the size that was needed is told, nothing is written beyond the capacity nor
 * after the first part that did not fit. */
static void test_cbor_writer_error_is_sticky(void **state)
{
    uint8_t good[64];
    struct lk_cbor_writer writer;
    size_t needed;

    (void)state;
    lk_cbor_writer_init(&writer, good, sizeof(good));
    cbor_put_sample(&writer);
    assert_int_equal(lk_cbor_finish(&writer, &needed), LK_OK);

    for (size_t capacity = 0; capacity < needed; capacity++) {
        uint8_t out[64];
        size_t size;
        size_t written = 0;

        memset(out, 0xEE, sizeof(out));
        lk_cbor_writer_init(&writer, out, capacity);
        cbor_put_sample(&writer);
        assert_int_equal(lk_cbor_finish(&writer, &size), LK_E_SPACE);
        assert_int_equal(size, needed);
        while (written < capacity && out[written] == good[written]) {
            written++;
        }
        for (size_t i = written; i < sizeof(out); i++) {
            assert_int_equal(out[i], 0xEE);
        }
    }
}

static void test_cbor_writer_later_small_item_is_not_written(void **state)
{
    uint8_t out[4] = {0xEE, 0xEE, 0xEE, 0xEE};
    struct lk_cbor_writer writer;
    size_t size;

    (void)state;
    lk_cbor_writer_init(&writer, out, 2);
    lk_cbor_put_uint(&writer, 1);
    lk_cbor_put_uint(&writer, 1000);
    lk_cbor_put_uint(&writer, 2);
    assert_int_equal(lk_cbor_finish(&writer, &size), LK_E_SPACE);
    assert_int_equal(size, 5);
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], 0xEE);
}

static void test_cbor_writer_refuses_bad_text(void **state)
{
    uint8_t out[16] = {0xEE};
    struct lk_cbor_writer writer;
    size_t size;

    (void)state;
    lk_cbor_writer_init(&writer, out, sizeof(out));
    lk_cbor_put_text(&writer, LK_TEXT("\xC3("));
    lk_cbor_put_uint(&writer, 1);
    assert_int_equal(lk_cbor_finish(&writer, &size), LK_E_USAGE);
    assert_int_equal(out[0], 0xEE);

    /* A dry run tells it before there is a buffer. */
    lk_cbor_writer_init(&writer, NULL, 0);
    lk_cbor_put_text(&writer, LK_TEXT("\xED\xA0\x80"));
    assert_int_equal(lk_cbor_finish(&writer, &size), LK_E_USAGE);
}

static void test_cbor_writer_size_does_not_wrap(void **state)
{
    struct lk_cbor_writer writer;
    size_t size;

    (void)state;
    lk_cbor_writer_init(&writer, NULL, 0);
    lk_cbor_put_raw(&writer, cbor_span(cbor_first, SIZE_MAX - 1));
    lk_cbor_put_uint(&writer, 1000);
    lk_cbor_put_uint(&writer, 1);
    assert_int_equal(lk_cbor_finish(&writer, &size), LK_E_SPACE);
    assert_int_equal(size, SIZE_MAX);
}

/* Writes an item, checks it, reads and writes it again, and finds it whole. */
static void test_cbor_round_trip_random(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEED_COUNT; seed++) {
        struct cbor_random random = {seed};
        struct lk_cbor_writer writer;
        struct lk_cbor_reader reader;
        struct lk_span whole;
        size_t size;
        size_t again;

        lk_cbor_writer_init(&writer, cbor_first, sizeof(cbor_first));
        cbor_random_item(&random, &writer, LK_CBOR_DEPTH);
        assert_int_equal(lk_cbor_finish(&writer, &size), LK_OK);

        struct lk_span bytes = cbor_span(cbor_first, size);

        lk_cbor_reader_init(&reader, bytes);
        if (lk_cbor_check(bytes) != LK_OK ||
            lk_cbor_skip(&reader, LK_CBOR_DEPTH, &whole) != LK_OK || whole.size != size ||
            cbor_reencode(bytes, cbor_second, sizeof(cbor_second), &again) != LK_OK ||
            again != size || memcmp(cbor_first, cbor_second, size) != 0) {
            fail_msg("seed %llu; rerun: cbor_tool --generate %llu 1 | cbor_tool",
                     (unsigned long long)seed, (unsigned long long)seed);
        }
        /* Neither less nor more of it. */
        if (lk_cbor_check(cbor_span(cbor_first, size - 1)) == LK_OK) {
            fail_msg("seed %llu, cut by one, was accepted", (unsigned long long)seed);
        }
        cbor_first[size] = 0;
        if (lk_cbor_check(cbor_span(cbor_first, size + 1)) == LK_OK) {
            fail_msg("seed %llu, longer by one, was accepted", (unsigned long long)seed);
        }
    }
}

/* Whatever the damage, what is still accepted is still deterministic. */
static void test_s15_cbor_damaged_random(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEED_COUNT; seed++) {
        struct cbor_random random = {seed};
        struct lk_cbor_writer writer;
        size_t size;
        size_t again;

        lk_cbor_writer_init(&writer, cbor_first, sizeof(cbor_first));
        cbor_random_item(&random, &writer, LK_CBOR_DEPTH);
        assert_int_equal(lk_cbor_finish(&writer, &size), LK_OK);
        for (unsigned i = 0; i < 20; i++) {
            size_t at = cbor_random_below(&random, size);
            struct lk_span bytes = cbor_span(cbor_first, size);

            cbor_first[at] ^= (uint8_t)(1U << cbor_random_below(&random, 8));
            if (lk_cbor_check(bytes) == LK_OK &&
                (cbor_reencode(bytes, cbor_second, sizeof(cbor_second), &again) != LK_OK ||
                 again != size || memcmp(cbor_first, cbor_second, size) != 0)) {
                fail_msg("seed %llu, damage %u", (unsigned long long)seed, i);
            }
        }
    }
}

static bool cbor_utf8_reference(uint32_t word, size_t size)
{
    uint8_t bytes[4] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8),
                        (uint8_t)word};
    size_t at = 0;

    while (at < size) {
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        uint8_t lead = bytes[at++];
        size_t more = lead < 0x80 ? 0 : lead < 0xC0 ? 4 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        uint32_t point = more == 0 ? lead : lead & (0x3FU >> more);

        if (more == 4 || lead >= 0xF8 || size - at < more) {
            return false;
        }
        for (size_t i = 0; i < more; i++, at++) {
            if (bytes[at] < 0x80 || bytes[at] > 0xBF) {
                return false;
            }
            point = point << 6 | (bytes[at] & 0x3FU);
        }
        if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
            return false;
        }
    }
    return true;
}

/* Every text of three bytes, and of four with every lead byte and the edges of each range behind,
 * against a decoder written the other way round. */
static void test_cbor_utf8_exhaustive(void **state)
{
    static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};

    (void)state;
    for (uint32_t word = 0; word < 0x1000000; word++) {
        uint8_t bytes[3] = {(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};

        if (lk_utf8_valid(cbor_span(bytes, 3)) != cbor_utf8_reference(word << 8, 3)) {
            fail_msg("%06lx", (unsigned long)word);
        }
    }
    for (uint32_t index = 0; index < 256 * 1000; index++) {
        uint32_t word = (index / 1000) << 24 | (uint32_t)edges[index / 100 % 10] << 16 |
                        (uint32_t)edges[index / 10 % 10] << 8 | edges[index % 10];
        uint8_t bytes[4] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8),
                            (uint8_t)word};

        if (lk_utf8_valid(cbor_span(bytes, 4)) != cbor_utf8_reference(word, 4)) {
            fail_msg("%08lx", (unsigned long)word);
        }
    }
}

/* One byte that is not ASCII, at every place of texts of every length around a machine word. */
static void test_cbor_utf8_finds_every_place(void **state)
{
    uint8_t text[40];

    (void)state;
    for (size_t size = 0; size <= sizeof(text); size++) {
        memset(text, 'a', sizeof(text));
        assert_true(lk_utf8_valid(cbor_span(text, size)));
        for (size_t at = 0; at < size; at++) {
            text[at] = 0x80;
            assert_false(lk_utf8_valid(cbor_span(text, size)));
            text[at] = 0xC3;
            assert_false(lk_utf8_valid(cbor_span(text, size)));
            if (at + 1 < size) {
                text[at + 1] = 0xBC;
                assert_true(lk_utf8_valid(cbor_span(text, size)));
                text[at + 1] = 'a';
            }
            text[at] = 'a';
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cbor_reader_stays_put_on_error),
        cmocka_unit_test(test_cbor_reader_of_nothing),
        cmocka_unit_test(test_cbor_reader_trusts_no_length),
        cmocka_unit_test(test_cbor_strings_lie_inside_the_input),
        cmocka_unit_test(test_cbor_skip_takes_one_item),
        cmocka_unit_test(test_cbor_skip_depth),
        cmocka_unit_test(test_cbor_writer_takes_the_shortest_head),
        cmocka_unit_test(test_cbor_writer_signed),
        cmocka_unit_test(test_cbor_writer_sample),
        cmocka_unit_test(test_cbor_writer_dry_run_counts),
        cmocka_unit_test(test_cbor_writer_error_is_sticky),
        cmocka_unit_test(test_cbor_writer_later_small_item_is_not_written),
        cmocka_unit_test(test_cbor_writer_refuses_bad_text),
        cmocka_unit_test(test_cbor_writer_size_does_not_wrap),
        cmocka_unit_test(test_cbor_round_trip_random),
        cmocka_unit_test(test_s15_cbor_damaged_random),
        cmocka_unit_test(test_cbor_utf8_exhaustive),
        cmocka_unit_test(test_cbor_utf8_finds_every_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
