// SPDX-License-Identifier: MIT
/*
 * lk_cbor.h: the deterministic subset of CBOR that records are written in (RFC 8949,
 * section 4.2.1).
 *
 * Encodes and decodes unsigned and negative integers, byte and text strings, arrays, maps, false,
 * true and null. Refuses everything else: tags, floats, undefined, indefinite lengths, arguments
 * not in the shortest form, map keys out of order or twice, text that is not UTF-8, trailing bytes,
 * nesting deeper than LK_CBOR_DEPTH. Allocates nothing, recurses never, reads only inside the span.
 */
#ifndef LK_CBOR_H
#define LK_CBOR_H

#include "lk_base.h"

#define LK_CBOR_DEPTH 8

/* Major types as RFC 8949 numbers them; simple values stand for themselves above. */
enum lk_cbor_type {
    LK_CBOR_UINT = 0,
    LK_CBOR_NEGATIVE = 1, /* the value is -1 - number */
    LK_CBOR_BYTES = 2,
    LK_CBOR_TEXT = 3,
    LK_CBOR_ARRAY = 4, /* number: count of items that follow */
    LK_CBOR_MAP = 5,   /* number: count of pairs that follow */
    LK_CBOR_FALSE = 20,
    LK_CBOR_TRUE = 21,
    LK_CBOR_NULL = 22,
};

struct lk_cbor_item {
    enum lk_cbor_type type;
    uint64_t number;     /* integer, or count */
    struct lk_span span; /* bytes or text: the content, inside the input */
};

/* A reader over bytes that may be hostile. */
struct lk_cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
};

void lk_cbor_reader_init(struct lk_cbor_reader *reader, struct lk_span bytes);
/* Reads one item's head (and a string's content). LK_E_CORRUPT, the reader then stays put; also for
 * text that is not UTF-8 and for a count that the bytes left cannot hold, so that a count fits a
 * size_t. */
int lk_cbor_read(struct lk_cbor_reader *reader, struct lk_cbor_item *item);
/* Reads one whole item with everything in it, checked as lk_cbor_check does; `whole` (may be NULL)
 * gets its bytes. `depth` is the nesting it may have, at most LK_CBOR_DEPTH. */
int lk_cbor_skip(struct lk_cbor_reader *reader, unsigned depth, struct lk_span *whole);
/* 0 when the bytes are exactly one item in the deterministic form above, else LK_E_CORRUPT. */
int lk_cbor_check(struct lk_span bytes);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no over-long forms). */
bool lk_utf8_valid(struct lk_span text);

/*
 * A writer into the caller's buffer. The error is sticky: after the first, nothing is written and
 * `lk_cbor_finish` tells. With data NULL nothing is stored and only the size is counted.
 * The caller is answerable for key order and for counts.
 */
struct lk_cbor_writer {
    uint8_t *data;
    size_t capacity;
    size_t size; /* bytes written, or that would have been */
    int error;
};

void lk_cbor_writer_init(struct lk_cbor_writer *writer, uint8_t *data, size_t capacity);
void lk_cbor_put_uint(struct lk_cbor_writer *writer, uint64_t number);
void lk_cbor_put_int(struct lk_cbor_writer *writer, int64_t number);
void lk_cbor_put_bytes(struct lk_cbor_writer *writer, struct lk_span bytes);
/* Text that is not UTF-8 makes the sticky error LK_E_USAGE. */
void lk_cbor_put_text(struct lk_cbor_writer *writer, struct lk_span text);
void lk_cbor_put_array(struct lk_cbor_writer *writer, size_t count);
void lk_cbor_put_map(struct lk_cbor_writer *writer, size_t count);
void lk_cbor_put_bool(struct lk_cbor_writer *writer, bool value);
void lk_cbor_put_null(struct lk_cbor_writer *writer);
/* Bytes that are CBOR already. */
void lk_cbor_put_raw(struct lk_cbor_writer *writer, struct lk_span encoded);
/* 0 and the size, or LK_E_SPACE (`size` then tells what was needed). */
int lk_cbor_finish(const struct lk_cbor_writer *writer, size_t *size);

#endif
