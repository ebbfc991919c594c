// SPDX-License-Identifier: MIT
/*
 * cbor_items.h: what the tests and tools of the codec share: hex, re-encoding, random items.
 *
 * The random items are a function of the seed alone, on every machine.
 */
#ifndef CBOR_ITEMS_H
#define CBOR_ITEMS_H

#include "lk_cbor.h"

#include <stdlib.h>
#include <string.h>

#define CBOR_ITEMS_SIZE_MAX 65536
#define CBOR_ITEMS_KEY_SIZE 48
#define CBOR_ITEMS_PAIRS    32

static inline int cbor_hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);

    return found == NULL ? -1 : (int)(found - digits);
}

/* Answers the bytes read, or SIZE_MAX when the text is not hex or too long. */
static inline size_t cbor_from_hex(const char *hex, uint8_t *out, size_t capacity)
{
    size_t size = strlen(hex);

    if (size % 2 != 0 || size / 2 > capacity) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < size; i += 2) {
        int high = cbor_hex_value(hex[i]);
        int low = cbor_hex_value(hex[i + 1]);

        if (high < 0 || low < 0) {
            return SIZE_MAX;
        }
        out[i / 2] = (uint8_t)(high * 16 + low);
    }
    return size / 2;
}

/* Reads every item and writes it again through the writer; the writer's error, or the reader's. */
static inline int cbor_reencode(struct lk_span bytes, uint8_t *out, size_t capacity, size_t *size)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_writer writer;

    lk_cbor_reader_init(&reader, bytes);
    lk_cbor_writer_init(&writer, out, capacity);
    while (reader.at != reader.end) {
        const uint8_t *start = reader.at;
        struct lk_cbor_item item;
        int error = lk_cbor_read(&reader, &item);

        if (error != LK_OK) {
            return error;
        }
        switch (item.type) {
        case LK_CBOR_UINT: lk_cbor_put_uint(&writer, item.number); break;
        case LK_CBOR_NEGATIVE:
            if (item.number <= INT64_MAX) {
                lk_cbor_put_int(&writer, -1 - (int64_t)item.number);
            } else {
                /* Readable, but out of the writer's range. */
                lk_cbor_put_raw(&writer, (struct lk_span){start, (size_t)(reader.at - start)});
            }
            break;
        case LK_CBOR_BYTES: lk_cbor_put_bytes(&writer, item.span); break;
        case LK_CBOR_TEXT: lk_cbor_put_text(&writer, item.span); break;
        case LK_CBOR_ARRAY: lk_cbor_put_array(&writer, (size_t)item.number); break;
        case LK_CBOR_MAP: lk_cbor_put_map(&writer, (size_t)item.number); break;
        case LK_CBOR_FALSE: lk_cbor_put_bool(&writer, false); break;
        case LK_CBOR_TRUE: lk_cbor_put_bool(&writer, true); break;
        case LK_CBOR_NULL: lk_cbor_put_null(&writer); break;
        }
    }
    return lk_cbor_finish(&writer, size);
}

/* SplitMix64. */
struct cbor_random {
    uint64_t state;
};

static inline uint64_t cbor_random_next(struct cbor_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline size_t cbor_random_below(struct cbor_random *random, size_t bound)
{
    return (size_t)(cbor_random_next(random) % bound);
}

/* Every length of argument is as likely as another, and its limits likelier than the rest. */
static inline uint64_t cbor_random_number(struct cbor_random *random)
{
    static const uint64_t edges[] = {0,
                                     23,
                                     24,
                                     UINT8_MAX,
                                     UINT8_MAX + 1,
                                     UINT16_MAX,
                                     UINT16_MAX + 1,
                                     UINT32_MAX,
                                     UINT64_C(1) << 32,
                                     INT64_MAX,
                                     UINT64_C(1) << 63,
                                     UINT64_MAX};
    size_t pick = cbor_random_below(random, 3);

    if (pick == 0) {
        return edges[cbor_random_below(random, sizeof(edges) / sizeof(edges[0]))];
    }
    return cbor_random_next(random) >> cbor_random_below(random, 64);
}

static inline size_t cbor_random_text(struct cbor_random *random, uint8_t *out, size_t count)
{
    /* One of each length, and the neighbours of the surrogates and of the two ends. */
    const struct lk_span points[] = {LK_TEXT("a"),
                                     LK_TEXT("Z"),
                                     LK_TEXT("0"),
                                     LK_TEXT(" "),
                                     LK_TEXT("\x7F"),
                                     LK_TEXT("\xC2\x80"),
                                     LK_TEXT("\xDF\xBF"),
                                     LK_TEXT("\xE0\xA0\x80"),
                                     LK_TEXT("\xED\x9F\xBF"),
                                     LK_TEXT("\xEE\x80\x80"),
                                     LK_TEXT("\xEF\xBF\xBF"),
                                     LK_TEXT("\xF0\x90\x80\x80"),
                                     LK_TEXT("\xF4\x8F\xBF\xBF")};
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        struct lk_span point =
            points[cbor_random_below(random, sizeof(points) / sizeof(points[0]))];

        memcpy(out + size, point.data, point.size);
        size += point.size;
    }
    return size;
}

/* `no_booleans` leaves out false and true, which no map of Python's tells from 0 and 1. */
static inline void cbor_random_scalar(struct cbor_random *random, struct lk_cbor_writer *writer,
                                      size_t length_max, bool no_booleans)
{
    uint8_t content[4 * 300];
    size_t length = cbor_random_below(random, length_max + 1);

    switch (cbor_random_below(random, no_booleans ? 5 : 6)) {
    case 0: lk_cbor_put_uint(writer, cbor_random_number(random)); break;
    case 1: lk_cbor_put_int(writer, -1 - (int64_t)(cbor_random_number(random) >> 1)); break;
    case 2:
        for (size_t i = 0; i < length; i++) {
            content[i] = (uint8_t)cbor_random_next(random);
        }
        lk_cbor_put_bytes(writer, (struct lk_span){content, length});
        break;
    case 3:
        length = cbor_random_text(random, content, length);
        lk_cbor_put_text(writer, (struct lk_span){content, length});
        break;
    case 4: lk_cbor_put_null(writer); break;
    default: lk_cbor_put_bool(writer, cbor_random_below(random, 2) != 0); break;
    }
}

struct cbor_random_key {
    uint8_t data[CBOR_ITEMS_KEY_SIZE];
    size_t size;
};

static inline int cbor_random_key_order(const void *a, const void *b)
{
    const struct cbor_random_key *left = a;
    const struct cbor_random_key *right = b;
    size_t common = left->size < right->size ? left->size : right->size;

    return memcmp(left->data, right->data, common);
}

static inline void cbor_random_item(struct cbor_random *random, struct lk_cbor_writer *writer,
                                    unsigned depth);

/* NOLINTBEGIN(misc-no-recursion): `depth` bounds it, and tests have room on the stack. */
static inline void cbor_random_map(struct cbor_random *random, struct lk_cbor_writer *writer,
                                   unsigned depth, size_t count)
{
    struct cbor_random_key keys[CBOR_ITEMS_PAIRS];
    size_t distinct = 0;

    for (size_t i = 0; i < count; i++) {
        struct lk_cbor_writer key;

        lk_cbor_writer_init(&key, keys[i].data, sizeof(keys[i].data));
        if (depth > 1 && cbor_random_below(random, 8) == 0) {
            lk_cbor_put_array(&key, 2);
            lk_cbor_put_uint(&key, cbor_random_number(random));
            lk_cbor_put_uint(&key, cbor_random_number(random));
        } else {
            cbor_random_scalar(random, &key, 9, true);
        }
        (void)lk_cbor_finish(&key, &keys[i].size); /* 4 * 9 bytes and a head always fit */
    }
    qsort(keys, count, sizeof(keys[0]), cbor_random_key_order);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || cbor_random_key_order(&keys[distinct - 1], &keys[i]) != 0) {
            keys[distinct++] = keys[i];
        }
    }
    lk_cbor_put_map(writer, distinct);
    for (size_t i = 0; i < distinct; i++) {
        lk_cbor_put_raw(writer, (struct lk_span){keys[i].data, keys[i].size});
        cbor_random_item(random, writer, depth - 1);
    }
}

/* Writes one deterministic item, nested `depth` deep at most. */
static inline void cbor_random_item(struct cbor_random *random, struct lk_cbor_writer *writer,
                                    unsigned depth)
{
    size_t pick = cbor_random_below(random, depth >= LK_CBOR_DEPTH ? 3 : 8);

    if (depth == 0 || pick > 1) {
        cbor_random_scalar(random, writer, pick == 2 ? 300 : 12, false);
        return;
    }

    /* Few children below the top, or the sum of all items has no bound; many there, for counts that
     * need a byte of their own. */
    size_t count = cbor_random_below(random, depth >= LK_CBOR_DEPTH ? (size_t)CBOR_ITEMS_PAIRS : 5);

    if (pick == 0) {
        cbor_random_map(random, writer, depth, count);
        return;
    }
    lk_cbor_put_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        cbor_random_item(random, writer, depth - 1);
    }
}
/* NOLINTEND(misc-no-recursion) */

#endif
