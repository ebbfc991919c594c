// SPDX-License-Identifier: MIT
/* lk_boot.c: the boot record as bytes. It has no checksum: what matters in it is sealed, and the
 * rest is associated data of that. (SPEC.md, the boot record) */
#include "lk_engine.h"

#define BOOT_FORMAT_NOW 1
#define BOOT_KIB_MAX    1048576
#define BOOT_PASS_MAX   64

enum {
    BOOT_FORMAT = 1,
    BOOT_STORE = 2,
    BOOT_WRAP = 3,
    BOOT_NONCE = 4,
    BOOT_KEY = 5,
    BOOT_SALT = 6,
    BOOT_KIB = 7,
    BOOT_PASSES = 8,
    BOOT_GENERATION = 9,
    BOOT_NEXT_NONCE = 10,
    BOOT_NEXT_KEY = 11,
    BOOT_OLD = 12,
    BOOT_CARRIED = 13,
    BOOT_PLACE = 14
};

static void boot_key(struct lk_key *key)
{
    key->size = 0;
    lk_key_put_number(key, LK_STORE_TENANT);
    lk_key_put_byte(key, 0);
    lk_key_put_number(key, 0);
    lk_key_put_byte(key, LK_KIND_BOOT);
}

/* `size` NULL: just `most` bytes; else 1 to `most`. */
static int boot_bytes(struct lk_cbor_reader *reader, uint8_t *out, size_t most, uint32_t *size)
{
    struct lk_cbor_item item;

    if (lk_cbor_read(reader, &item) || item.type != LK_CBOR_BYTES || item.span.size > most ||
        (size ? !item.span.size : item.span.size != most)) {
        return LK_E_CORRUPT;
    }
    memcpy(out, item.span.data, item.span.size);
    if (size) {
        *size = (uint32_t)item.span.size;
    }
    return 0;
}

static int boot_number(struct lk_cbor_reader *reader, uint64_t most, uint32_t *number)
{
    struct lk_cbor_item item;

    if (lk_cbor_read(reader, &item) || item.type != LK_CBOR_UINT || item.number > most) {
        return LK_E_CORRUPT;
    }
    *number = (uint32_t)item.number;
    return 0;
}

static int boot_field(struct lk_cbor_reader *reader, uint64_t number, struct lk_boot *boot)
{
    uint32_t size = 0;
    int error;

    switch (number) {
    case BOOT_FORMAT: return boot_number(reader, UINT32_MAX, &boot->format);
    case BOOT_STORE: return boot_bytes(reader, boot->store_id, sizeof(boot->store_id), NULL);
    case BOOT_WRAP: return boot_number(reader, LK_WRAP_PASSPHRASE, &boot->wrap);
    case BOOT_NONCE: return boot_bytes(reader, boot->nonce, sizeof(boot->nonce), NULL);
    case BOOT_KEY: return boot_bytes(reader, boot->sealed, sizeof(boot->sealed), NULL);
    case BOOT_SALT: return boot_bytes(reader, boot->salt, sizeof(boot->salt), NULL);
    case BOOT_KIB: return boot_number(reader, BOOT_KIB_MAX, &boot->kib);
    case BOOT_PASSES: return boot_number(reader, BOOT_PASS_MAX, &boot->passes);
    case BOOT_GENERATION: return boot_number(reader, UINT32_MAX, &boot->generation);
    case BOOT_NEXT_NONCE:
        boot->has_next = true;
        return boot_bytes(reader, boot->next_nonce, sizeof(boot->next_nonce), NULL);
    case BOOT_NEXT_KEY:
        return boot_bytes(reader, boot->next_sealed, sizeof(boot->next_sealed), NULL);
    case BOOT_OLD:
        boot->has_old = true;
        return boot_bytes(reader, boot->old, sizeof(boot->old), NULL);
    case BOOT_CARRIED:
        error = boot_bytes(reader, boot->carried, sizeof(boot->carried), &size);
        if (!error && size <= LK_SEAL_NONCE_SIZE + LK_SEAL_TAG_SIZE) {
            error = LK_E_CORRUPT;
        }
        boot->carried_size = error ? 0 : size - LK_SEAL_NONCE_SIZE - LK_SEAL_TAG_SIZE;
        return error;
    case BOOT_PLACE: return boot_bytes(reader, boot->place, sizeof(boot->place), &boot->place_size);
    default: return LK_E_CORRUPT;
    }
}

int lk_boot_decode(struct lk_span value, struct lk_boot *boot)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item map, key;
    int error = 0;

    memset(boot, 0, sizeof(*boot));
    lk_cbor_reader_init(&reader, value);
    if (lk_cbor_check(value) || lk_cbor_read(&reader, &map) || map.type != LK_CBOR_MAP) {
        return LK_E_CORRUPT;
    }
    for (; !error && map.number; map.number--) {
        if (lk_cbor_read(&reader, &key) || key.type != LK_CBOR_UINT) {
            return LK_E_CORRUPT;
        }
        error = boot_field(&reader, key.number, boot);
        if (boot->format > BOOT_FORMAT_NOW) {
            return LK_E_NEWER;
        }
    }
    return !error && boot->format == BOOT_FORMAT_NOW ? 0 : LK_E_CORRUPT;
}

int lk_boot_value(struct lk_txn *txn, struct lk_span *value)
{
    struct lk_key key;

    boot_key(&key);
    return txn->store->storage->ops->get(&txn->storage, lk_key_span(&key), value);
}

int lk_boot_get(struct lk_txn *txn, struct lk_boot *boot)
{
    struct lk_span value;
    int error = lk_boot_value(txn, &value);

    return error ? error : lk_boot_decode(value, boot);
}

static void boot_put_bytes(struct lk_cbor_writer *writer, uint64_t number, const uint8_t *data,
                           size_t size)
{
    lk_cbor_put_uint(writer, number);
    lk_cbor_put_bytes(writer, (struct lk_span){data, size});
}

static void boot_put_number(struct lk_cbor_writer *writer, uint64_t number, uint64_t value)
{
    lk_cbor_put_uint(writer, number);
    lk_cbor_put_uint(writer, value);
}

int lk_boot_put(struct lk_txn *txn, const struct lk_boot *boot)
{
    bool passphrase = boot->wrap == LK_WRAP_PASSPHRASE;
    uint8_t buffer[sizeof(*boot) + 64];
    struct lk_cbor_writer writer;
    struct lk_key key;
    size_t size, carried = boot->carried_size + LK_SEAL_NONCE_SIZE + LK_SEAL_TAG_SIZE;
    int error;

    lk_cbor_writer_init(&writer, buffer, sizeof(buffer));
    lk_cbor_put_map(&writer, 5 + (passphrase ? 3u : 0) + (boot->generation ? 1u : 0) +
                                 (boot->has_next ? 2u : 0) + (boot->has_old ? 1u : 0) +
                                 (boot->carried_size ? 1u : 0) + (boot->place_size ? 1u : 0));
    boot_put_number(&writer, BOOT_FORMAT, BOOT_FORMAT_NOW);
    boot_put_bytes(&writer, BOOT_STORE, boot->store_id, sizeof(boot->store_id));
    boot_put_number(&writer, BOOT_WRAP, boot->wrap);
    boot_put_bytes(&writer, BOOT_NONCE, boot->nonce, sizeof(boot->nonce));
    boot_put_bytes(&writer, BOOT_KEY, boot->sealed, sizeof(boot->sealed));
    if (passphrase) {
        boot_put_bytes(&writer, BOOT_SALT, boot->salt, sizeof(boot->salt));
        boot_put_number(&writer, BOOT_KIB, boot->kib);
        boot_put_number(&writer, BOOT_PASSES, boot->passes);
    }
    if (boot->generation) {
        boot_put_number(&writer, BOOT_GENERATION, boot->generation);
    }
    if (boot->has_next) {
        boot_put_bytes(&writer, BOOT_NEXT_NONCE, boot->next_nonce, sizeof(boot->next_nonce));
        boot_put_bytes(&writer, BOOT_NEXT_KEY, boot->next_sealed, sizeof(boot->next_sealed));
    }
    if (boot->has_old) {
        boot_put_bytes(&writer, BOOT_OLD, boot->old, sizeof(boot->old));
    }
    if (boot->carried_size) {
        boot_put_bytes(&writer, BOOT_CARRIED, boot->carried, carried);
    }
    if (boot->place_size) {
        boot_put_bytes(&writer, BOOT_PLACE, boot->place, boot->place_size);
    }
    error = lk_cbor_finish(&writer, &size);
    boot_key(&key);
    return error ? error
                 : txn->store->storage->ops->put(&txn->storage, lk_key_span(&key),
                                                 (struct lk_span){buffer, size});
}
