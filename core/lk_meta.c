// SPDX-License-Identifier: MIT
/* lk_meta.c: the store's own record. (SPEC.md, meta) */
#include "lk_engine.h"

#define META_SIZE (16 * LK_COUNT(meta_fields) + LK_CHECKSUM_SIZE)

/* In order of number. What is 0 is not stored. */
static const struct {
    uint8_t number;
    uint8_t offset;
} meta_fields[] = {
    {1, offsetof(struct lk_meta, schema)},         {2, offsetof(struct lk_meta, high_water_ms)},
    {3, offsetof(struct lk_meta, audit_capacity)}, {4, offsetof(struct lk_meta, boot)},
    {5, offsetof(struct lk_meta, monotonic_ms)},   {6, offsetof(struct lk_meta, charge_tat)},
    {13, offsetof(struct lk_meta, powered_ms)},    {14, offsetof(struct lk_meta, time_epoch)},
    {15, offsetof(struct lk_meta, pwhash_kib)},    {16, offsetof(struct lk_meta, pwhash_passes)},
    {17, offsetof(struct lk_meta, counter)},       {18, offsetof(struct lk_meta, left_out)},
};

static uint64_t *meta_place(struct lk_meta *meta, size_t i)
{
    return (uint64_t *)(void *)((uint8_t *)meta + meta_fields[i].offset);
}

static void meta_key(struct lk_key *key)
{
    key->size = 0;
    lk_key_put_number(key, LK_STORE_TENANT);
    lk_key_put_byte(key, 0);
    lk_key_put_number(key, 0);
    lk_key_put_byte(key, LK_KIND_META);
}

int lk_meta_put(struct lk_txn *txn, struct lk_meta *meta)
{
    uint8_t buffer[META_SIZE];
    struct lk_cbor_writer writer;
    struct lk_key key;
    size_t i, size, count = 0;
    int error;

    for (i = 0; i < LK_COUNT(meta_fields); i++) {
        count += *meta_place(meta, i) ? 1 : 0;
    }
    lk_cbor_writer_init(&writer, buffer, sizeof(buffer) - LK_CHECKSUM_SIZE);
    lk_cbor_put_map(&writer, count);
    for (i = 0; i < LK_COUNT(meta_fields); i++) {
        if (*meta_place(meta, i)) {
            lk_cbor_put_uint(&writer, meta_fields[i].number);
            lk_cbor_put_uint(&writer, *meta_place(meta, i));
        }
    }
    error = lk_cbor_finish(&writer, &size);
    meta_key(&key);
    return error ? error : lk_value_put(txn, &key, buffer, size);
}

int lk_meta_get(struct lk_txn *txn, struct lk_meta *meta)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item map, number, value;
    struct lk_span cbor;
    struct lk_key key;
    size_t i;
    int error;

    meta_key(&key);
    error = lk_value_get(txn, &key, &cbor);
    if (error) {
        return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
    }
    memset(meta, 0, sizeof(*meta));
    lk_cbor_reader_init(&reader, cbor);
    if (lk_cbor_read(&reader, &map) || map.type != LK_CBOR_MAP) {
        return LK_E_CORRUPT;
    }
    for (; map.number; map.number--) {
        if (lk_cbor_read(&reader, &number) || number.type != LK_CBOR_UINT ||
            lk_cbor_read(&reader, &value) || value.type != LK_CBOR_UINT) {
            return LK_E_CORRUPT;
        }
        for (i = 0; i < LK_COUNT(meta_fields); i++) {
            if (meta_fields[i].number == number.number) {
                *meta_place(meta, i) = value.number;
            }
        }
    }
    return meta->audit_capacity && meta->audit_capacity <= UINT32_MAX ? 0 : LK_E_CORRUPT;
}
