// SPDX-License-Identifier: MIT
/* floor_value.c: keys, values and CBOR by hand. */
#include "floor.h"

#include <sodium.h>
#include <stdio.h>

struct floor_state fl;

void must(int code, const char *what)
{
    if (code) {
        (void)fprintf(stderr, "%s: ", mdb_strerror(code));
    }
    bench_must(code == 0, what);
}

/* ---- CBOR by hand: maps of small numbers, as the store writes them ---- */

uint64_t item(const uint8_t **at, uint8_t *type)
{
    uint8_t head = *(*at)++, low = head & 31;
    uint64_t number = low;

    *type = head >> 5;
    if (low >= 24) {
        unsigned size = 1u << (low - 24), i;

        for (number = 0, i = 0; i < size; i++) {
            number = number << 8 | *(*at)++;
        }
    }
    return number;
}

void next_field(const uint8_t **at, struct field *field)
{
    uint8_t type;

    field->number = item(at, &type);
    field->value = item(at, &type);
    if (type == 2 || type == 3) {
        field->bytes = *at;
        *at += field->value;
    } else if (type == 4) { /* an array of numbers */
        uint64_t count = field->value;

        field->bytes = *at;
        while (count--) {
            (void)item(at, &type);
        }
    } else if (type == 7) {
        field->value = field->value == 21;
    }
}

void decode_all(const uint8_t *at, struct plain_user *user)
{
    uint64_t left;
    uint8_t type;

    user->present = 0;
    for (left = item(&at, &type); left; left--) {
        struct field field;

        next_field(&at, &field);
        user->fields[field.number] = field;
        user->present |= UINT64_C(1) << field.number;
    }
}

/* ---- Values ---- */

void checksum(const MDB_val *key, const uint8_t *data, size_t size, uint8_t out[8])
{
    uint8_t bound[8 + LK_KEY_MAX];

    crypto_shorthash(bound, data, size, lk_keys_now(&fl.keys)->checksum[0]);
    memcpy(bound + 8, key->mv_data, key->mv_size);
    crypto_shorthash(out, bound, 8 + key->mv_size, lk_keys_now(&fl.keys)->checksum[1]);
}

void verify(const MDB_val *key, const MDB_val *value)
{
    uint8_t sum[8];

    checksum(key, value->mv_data, value->mv_size - 8, sum);
    bench_must(memcmp(sum, (const uint8_t *)value->mv_data + value->mv_size - 8, 8) == 0,
               "checksum");
}

void record_key(struct lk_key *key, const struct lk_kind *kind, uint32_t user, uint32_t sub)
{
    key->size = 0;
    lk_key_put_number(key, fl.tenant_number);
    key->data[key->size++] = kind->class_;
    lk_key_put_number(key, user);
    key->data[key->size++] = kind->number;
    if (sub) {
        lk_key_put_number(key, sub);
    }
}

MDB_val val(const struct lk_key *key)
{
    return (MDB_val){key->size, (void *)(uintptr_t)key->data};
}

uint64_t take_number(const uint8_t **at)
{
    uint8_t head = *(*at)++;
    uint64_t number = head;

    if (head >= 0xF0) {
        unsigned size = head - 0xEFu;

        for (number = 0; size; size--) {
            number = number << 8 | *(*at)++;
        }
    }
    return number;
}

void ring_key(struct lk_key *key, uint32_t slot)
{
    key->size = 0;
    lk_key_put_number(key, fl.tenant_number);
    key->data[key->size++] = 0;
    lk_key_put_number(key, 0);
    key->data[key->size++] = LK_KIND_AUDIT;
    lk_key_put_number(key, LK_RING_ACTIVITY);
    lk_key_put_number(key, slot);
}

void get(const struct lk_key *key, MDB_val *value)
{
    MDB_val at = val(key);

    must(mdb_cursor_get(fl.near, &at, value, MDB_SET), "get");
    verify(&at, value);
}

void renew(void)
{
    must(mdb_txn_renew(fl.reader), "renew");
    must(mdb_cursor_renew(fl.reader, fl.near), "cursor");
}

void environment(const char *path, unsigned flags)
{
    must(mdb_env_create(&fl.env), "create");
    must(mdb_env_set_mapsize(fl.env, (size_t)16 << 30), "map size");
    must(mdb_env_open(fl.env, path, MDB_NOTLS | flags, 0600), path);
}
