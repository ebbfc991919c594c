// SPDX-License-Identifier: MIT
/*
 * fuzz_cbor.c: hostile bytes into the codec.
 *
 * What must hold: nothing is read outside the input; a reader that refuses stays where it was, and
 * one that does not moves on; an accepted item is written again as the same bytes, in exactly the
 * room that a dry run counted; and all ways of asking agree.
 */
#include "../unit/cbor_items.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cbor_require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Item after item, without regard for nesting, as a caller does who trusts nothing. */
static void cbor_walk(struct lk_span bytes)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;

    lk_cbor_reader_init(&reader, bytes);
    for (;;) {
        const uint8_t *before = reader.at;
        struct lk_cbor_reader skipping = reader;
        struct lk_span whole;

        if (lk_cbor_read(&reader, &item) != LK_OK) {
            cbor_require(reader.at == before);
            cbor_require(lk_cbor_skip(&skipping, LK_CBOR_DEPTH, NULL) == LK_E_CORRUPT);
            cbor_require(skipping.at == before);
            return;
        }
        cbor_require(reader.at > before && reader.at <= reader.end);
        if (item.span.size > 0) {
            cbor_require(item.span.data > before && item.span.data + item.span.size == reader.at);
        }
        if (item.type == LK_CBOR_TEXT) {
            cbor_require(lk_utf8_valid(item.span));
        }
        if (lk_cbor_skip(&skipping, LK_CBOR_DEPTH, &whole) == LK_OK) {
            cbor_require(whole.data == before && skipping.at == whole.data + whole.size);
            cbor_require(skipping.at >= reader.at && skipping.at <= reader.end);
            cbor_require(lk_cbor_check(whole) == LK_OK);
        } else {
            cbor_require(skipping.at == before);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lk_span bytes = {data, size};
    size_t needed;
    size_t written;

    /* The walk is quadratic, and longer inputs show nothing new. */
    if (size > 4096) {
        return 0;
    }
    cbor_walk(bytes);

    int error = lk_cbor_check(bytes);

    cbor_require(error == LK_OK || error == LK_E_CORRUPT);
    if (error == LK_OK) {
        /* Exactly the room it needs, so that a sanitizer sees a byte too many. */
        uint8_t *out = malloc(size);

        cbor_require(out != NULL);
        cbor_require(cbor_reencode(bytes, NULL, 0, &needed) == LK_OK && needed == size);
        cbor_require(cbor_reencode(bytes, out, size, &written) == LK_OK && written == size);
        cbor_require(memcmp(out, data, size) == 0);
        cbor_require(cbor_reencode(bytes, out, size - 1, &written) == LK_E_SPACE);
        cbor_require(written == size);
        free(out);
    }
    return 0;
}
