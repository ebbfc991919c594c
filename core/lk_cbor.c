// SPDX-License-Identifier: MIT
/*
 * lk_cbor.c: reader, checker and writer for the deterministic subset of CBOR.
 *
 * The reader takes one item at a time and knows nothing of the nesting; only lk_cbor_skip follows
 * it, on a stack of LK_CBOR_DEPTH frames, and with it the order of map keys.
 */
#include "lk_cbor.h"

#include <string.h>

/* Additional information (RFC 8949, section 3): below 24 the argument itself, then its size. */
#define CBOR_INFO_8  24U
#define CBOR_INFO_16 25U
#define CBOR_INFO_32 26U
#define CBOR_INFO_64 27U

#define CBOR_SIMPLE 7U

/* One open array or map of lk_cbor_skip. */
struct cbor_frame {
    size_t left;          /* items still to come; in a map, even when the next one is a key */
    const uint8_t *child; /* where the item being read began */
    const uint8_t *key;   /* the last key, NULL before the first */
    size_t key_size;
    bool is_map;
};

static uint32_t cbor_load_16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t cbor_load_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Reads the argument that follows a head byte. Answers where it ends, or NULL when it is truncated,
 * reserved, of indefinite length, or would have fitted a shorter form. */
static const uint8_t *cbor_read_argument(const uint8_t *at, const uint8_t *end, unsigned info,
                                         uint64_t *number)
{
    size_t left = (size_t)(end - at);

    switch (info) {
    case CBOR_INFO_8:
        if (left < 1 || at[0] < CBOR_INFO_8) {
            return NULL;
        }
        *number = at[0];
        return at + 1;
    case CBOR_INFO_16:
        if (left < 2 || at[0] == 0) {
            return NULL;
        }
        *number = cbor_load_16(at);
        return at + 2;
    case CBOR_INFO_32:
        if (left < 4 || cbor_load_16(at) == 0) {
            return NULL;
        }
        *number = cbor_load_32(at);
        return at + 4;
    case CBOR_INFO_64:
        if (left < 8 || cbor_load_32(at) == 0) {
            return NULL;
        }
        *number = (uint64_t)cbor_load_32(at) << 32 | cbor_load_32(at + 4);
        return at + 8;
    default: return NULL;
    }
}

/* Apart from cbor_read_any, which so makes no call but its last and saves no register. */
static int cbor_read_text(struct lk_cbor_reader *reader, struct lk_cbor_item *item)
{
    if (!lk_utf8_valid(item->span)) {
        return LK_E_CORRUPT;
    }
    reader->at = item->span.data + item->span.size;
    return LK_OK;
}

static int cbor_read_any(struct lk_cbor_reader *reader, struct lk_cbor_item *item)
{
    const uint8_t *at = reader->at;
    unsigned type = (unsigned)*at >> 5;
    unsigned info = *at & 0x1FU;
    uint64_t number = info;

    at++;
    if (info >= CBOR_INFO_8) {
        at = cbor_read_argument(at, reader->end, info, &number);
        if (at == NULL) {
            return LK_E_CORRUPT;
        }
    }

    size_t left = (size_t)(reader->end - at);

    item->type = (enum lk_cbor_type)type;
    item->number = number;
    item->span.data = NULL;
    item->span.size = 0;
    if (type == LK_CBOR_BYTES || type == LK_CBOR_TEXT) {
        if (number > left) {
            return LK_E_CORRUPT;
        }
        item->span.data = at;
        item->span.size = (size_t)number;
        if (type == LK_CBOR_TEXT) {
            return cbor_read_text(reader, item);
        }
        at += item->span.size;
    } else if (type == LK_CBOR_ARRAY || type == LK_CBOR_MAP) {
        /* Every item takes a byte at least: a count that cannot be true is refused before anyone
         * loops or reserves by it, and the others fit a size_t. */
        if (number > (type == LK_CBOR_MAP ? left / 2 : left)) {
            return LK_E_CORRUPT;
        }
    } else if (type > LK_CBOR_MAP) {
        if (type != CBOR_SIMPLE || info < LK_CBOR_FALSE || info > LK_CBOR_NULL) {
            return LK_E_CORRUPT;
        }
        item->type = (enum lk_cbor_type)info;
        item->number = 0;
    }
    reader->at = at;
    return LK_OK;
}

/* Half the items of a record are small numbers, its keys: they are read without a call or a saved
 * register. */
static inline int cbor_read(struct lk_cbor_reader *reader, struct lk_cbor_item *item)
{
    const uint8_t *at = reader->at;

    if (at == reader->end) {
        return LK_E_CORRUPT;
    }
    if (*at >= CBOR_INFO_8) {
        return cbor_read_any(reader, item);
    }
    item->type = LK_CBOR_UINT;
    item->number = *at;
    item->span.data = NULL;
    item->span.size = 0;
    reader->at = at + 1;
    return LK_OK;
}

void lk_cbor_reader_init(struct lk_cbor_reader *reader, struct lk_span bytes)
{
    reader->at = bytes.data;
    /* Not even zero may be added to NULL. */
    reader->end = bytes.size == 0 ? bytes.data : bytes.data + bytes.size;
}

int lk_cbor_read(struct lk_cbor_reader *reader, struct lk_cbor_item *item)
{
    return cbor_read(reader, item);
}

/* Notes that the frame's current item ended at `end`. False when it was a key out of order. */
static bool cbor_frame_advance(struct cbor_frame *frame, const uint8_t *end)
{
    if (frame->is_map && frame->left % 2 == 0) {
        size_t size = (size_t)(end - frame->child);

        /* No whole item is the beginning of another, so the common part decides, and keys alike
         * there are the same key twice. */
        if (frame->key != NULL && *frame->key >= *frame->child &&
            memcmp(frame->key, frame->child, size < frame->key_size ? size : frame->key_size) >=
                0) {
            return false;
        }
        frame->key = frame->child;
        frame->key_size = size;
    }
    frame->child = end;
    frame->left--;
    return true;
}

int lk_cbor_skip(struct lk_cbor_reader *reader, unsigned depth, struct lk_span *whole)
{
    struct cbor_frame frames[LK_CBOR_DEPTH];
    struct lk_cbor_reader inner = *reader;
    unsigned limit = depth < LK_CBOR_DEPTH ? depth : LK_CBOR_DEPTH;
    unsigned open = 0;

    do {
        struct lk_cbor_item item;

        if (cbor_read(&inner, &item) != LK_OK) {
            return LK_E_CORRUPT;
        }
        if (item.type == LK_CBOR_ARRAY || item.type == LK_CBOR_MAP) {
            if (open == limit) {
                return LK_E_CORRUPT;
            }
            if (item.number > 0) {
                struct cbor_frame *frame = &frames[open++];

                frame->is_map = item.type == LK_CBOR_MAP;
                frame->left = (size_t)item.number << (frame->is_map ? 1 : 0);
                frame->child = inner.at;
                frame->key = NULL;
                frame->key_size = 0;
                continue;
            }
        }
        /* The item may be the last of its container, and that the last of the one around it. */
        while (open > 0) {
            if (!cbor_frame_advance(&frames[open - 1], inner.at)) {
                return LK_E_CORRUPT;
            }
            if (frames[open - 1].left > 0) {
                break;
            }
            open--;
        }
    } while (open > 0);

    if (whole != NULL) {
        whole->data = reader->at;
        whole->size = (size_t)(inner.at - reader->at);
    }
    reader->at = inner.at;
    return LK_OK;
}

int lk_cbor_check(struct lk_span bytes)
{
    struct lk_cbor_reader reader;

    lk_cbor_reader_init(&reader, bytes);
    if (lk_cbor_skip(&reader, LK_CBOR_DEPTH, NULL) != LK_OK || reader.at != reader.end) {
        return LK_E_CORRUPT;
    }
    return LK_OK;
}

void lk_cbor_writer_init(struct lk_cbor_writer *writer, uint8_t *data, size_t capacity)
{
    writer->data = data;
    writer->capacity = capacity;
    writer->size = 0;
    writer->error = LK_OK;
}

static void cbor_fail(struct lk_cbor_writer *writer, int error)
{
    if (writer->error == LK_OK) {
        writer->error = error;
    }
}

/* Counts `size` bytes more; answers where they go, or NULL when they are only counted. */
static uint8_t *cbor_reserve(struct lk_cbor_writer *writer, size_t size)
{
    size_t at = writer->size;

    if (size > SIZE_MAX - at) {
        cbor_fail(writer, LK_E_SPACE);
        writer->size = SIZE_MAX;
        return NULL;
    }
    writer->size = at + size;
    if (writer->data == NULL || writer->error != LK_OK) {
        return NULL;
    }
    if (writer->size > writer->capacity) {
        writer->error = LK_E_SPACE;
        return NULL;
    }
    return writer->data + at;
}

static void cbor_append(struct lk_cbor_writer *writer, struct lk_span bytes)
{
    uint8_t *out = cbor_reserve(writer, bytes.size);

    if (out != NULL && bytes.size > 0) {
        memcpy(out, bytes.data, bytes.size);
    }
}

static void cbor_put_head(struct lk_cbor_writer *writer, unsigned type, uint64_t number)
{
    uint32_t high = (uint32_t)(number >> 32);
    uint32_t low = (uint32_t)number;
    unsigned info = low;
    size_t size = 0;

    if (high != 0) {
        info = CBOR_INFO_64;
        size = 8;
    } else if (low > UINT16_MAX) {
        info = CBOR_INFO_32;
        size = 4;
    } else if (low > UINT8_MAX) {
        info = CBOR_INFO_16;
        size = 2;
    } else if (low >= CBOR_INFO_8) {
        info = CBOR_INFO_8;
        size = 1;
    }

    uint8_t *out = cbor_reserve(writer, 1 + size);

    if (out == NULL) {
        return;
    }
    *out = (uint8_t)(type << 5 | info);
    for (; size > 4; size--) {
        out[size] = (uint8_t)low;
        low = low >> 8 | high << 24;
        high >>= 8;
    }
    for (; size > 0; size--) {
        out[size] = (uint8_t)low;
        low >>= 8;
    }
}

void lk_cbor_put_uint(struct lk_cbor_writer *writer, uint64_t number)
{
    cbor_put_head(writer, LK_CBOR_UINT, number);
}

void lk_cbor_put_int(struct lk_cbor_writer *writer, int64_t number)
{
    if (number < 0) {
        cbor_put_head(writer, LK_CBOR_NEGATIVE, ~(uint64_t)number);
    } else {
        cbor_put_head(writer, LK_CBOR_UINT, (uint64_t)number);
    }
}

void lk_cbor_put_bytes(struct lk_cbor_writer *writer, struct lk_span bytes)
{
    cbor_put_head(writer, LK_CBOR_BYTES, bytes.size);
    cbor_append(writer, bytes);
}

void lk_cbor_put_text(struct lk_cbor_writer *writer, struct lk_span text)
{
    /* The reader would refuse the whole record for it later, when nobody can mend it. */
    if (!lk_utf8_valid(text)) {
        cbor_fail(writer, LK_E_USAGE);
    }
    cbor_put_head(writer, LK_CBOR_TEXT, text.size);
    cbor_append(writer, text);
}

void lk_cbor_put_array(struct lk_cbor_writer *writer, size_t count)
{
    cbor_put_head(writer, LK_CBOR_ARRAY, count);
}

void lk_cbor_put_map(struct lk_cbor_writer *writer, size_t count)
{
    cbor_put_head(writer, LK_CBOR_MAP, count);
}

void lk_cbor_put_bool(struct lk_cbor_writer *writer, bool value)
{
    cbor_put_head(writer, CBOR_SIMPLE, value ? LK_CBOR_TRUE : LK_CBOR_FALSE);
}

void lk_cbor_put_null(struct lk_cbor_writer *writer)
{
    cbor_put_head(writer, CBOR_SIMPLE, LK_CBOR_NULL);
}

void lk_cbor_put_raw(struct lk_cbor_writer *writer, struct lk_span encoded)
{
    cbor_append(writer, encoded);
}

int lk_cbor_finish(const struct lk_cbor_writer *writer, size_t *size)
{
    *size = writer->size;
    return writer->error;
}
