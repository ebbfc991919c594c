// SPDX-License-Identifier: MIT
/*
 * lk_keyring.c: the store key, how it is wrapped, and what is derived from it.
 *
 * The boot record is the one value without a checksum: it is opened by the AEAD that wraps the
 * store key, whose associated data are the record's other fields. Subkeys are BLAKE2b-256 keyed by
 * the store key over a label. (SPEC.md, Boot record and Keys.)
 */
#include "lk_engine.h"

#define KEYRING_FORMAT   1
#define KEYRING_AD_SIZE  (16 + 1 + LK_PWHASH_SALT_SIZE + 8)
#define KEYRING_BUFFER   160
#define KEYRING_KIB_MAX  1048576
#define KEYRING_PASS_MAX 64

enum keyring_wrap { WRAP_SECRET = 0, WRAP_PASSPHRASE = 1 };

enum {
    BOOT_FORMAT = 1,
    BOOT_STORE = 2,
    BOOT_WRAP = 3,
    BOOT_NONCE = 4,
    BOOT_KEY = 5,
    BOOT_SALT = 6,
    BOOT_KIB = 7,
    BOOT_PASSES = 8
};

struct keyring_boot {
    uint64_t format, wrap, kib, passes;
    uint8_t store_id[16];
    uint8_t nonce[LK_SEAL_NONCE_SIZE];
    uint8_t sealed[LK_SEAL_KEY_SIZE + LK_SEAL_TAG_SIZE];
    uint8_t salt[LK_PWHASH_SALT_SIZE];
};

static void keyring_key(struct lk_key *key)
{
    key->size = 0;
    lk_key_put_number(key, LK_STORE_TENANT);
    lk_key_put_byte(key, 0);
    lk_key_put_number(key, 0);
    lk_key_put_byte(key, LK_KIND_BOOT);
}

static void keyring_ad(const struct keyring_boot *boot, uint8_t ad[KEYRING_AD_SIZE])
{
    unsigned i;

    memcpy(ad, boot->store_id, 16);
    ad[16] = (uint8_t)boot->wrap;
    memcpy(ad + 17, boot->salt, LK_PWHASH_SALT_SIZE);
    for (i = 0; i < 4; i++) {
        ad[17 + LK_PWHASH_SALT_SIZE + i] = (uint8_t)(boot->kib >> (24 - 8 * i));
        ad[21 + LK_PWHASH_SALT_SIZE + i] = (uint8_t)(boot->passes >> (24 - 8 * i));
    }
}

static int keyring_derive_one(struct lk_store *store, const uint8_t root[LK_SEAL_KEY_SIZE],
                              const char *label, uint8_t out[LK_HASH_SIZE])
{
    const struct lk_port *port = store->port;
    struct lk_span text = {(const uint8_t *)label, strlen(label)};

    return port->crypto->hash(port->self, root, LK_SEAL_KEY_SIZE, text, LK_TEXT(""), out);
}

static int keyring_derive(struct lk_store *store, const uint8_t root[LK_SEAL_KEY_SIZE])
{
    uint8_t out[LK_HASH_SIZE];
    int error = keyring_derive_one(store, root, "latchkey record", out);

    if (!error) {
        memcpy(store->checksum_key[0], out, LK_MAC64_KEY_SIZE);
        memcpy(store->checksum_key[1], out + LK_MAC64_KEY_SIZE, LK_MAC64_KEY_SIZE);
        error = keyring_derive_one(store, root, "latchkey index", out);
    }
    if (!error) {
        memcpy(store->index_key, out, LK_MAC64_KEY_SIZE);
        memcpy(store->bucket_key, out + LK_MAC64_KEY_SIZE, LK_MAC64_KEY_SIZE);
        error = keyring_derive_one(store, root, "latchkey seal", store->seal_key);
    }
    if (!error) {
        error = keyring_derive_one(store, root, "latchkey token", store->token_key);
    }
    if (!error) {
        error = keyring_derive_one(store, root, "latchkey audit", store->audit_key);
    }
    if (!error) {
        error = keyring_derive_one(store, root, "latchkey trace", store->trace_key);
    }
    if (!error) {
        error = keyring_derive_one(store, root, "latchkey source", out);
    }
    if (!error) {
        memcpy(store->source_key, out, LK_MAC64_KEY_SIZE);
        memcpy(store->fold_key, out + LK_MAC64_KEY_SIZE, LK_MAC64_KEY_SIZE);
    }
    lk_wipe(store, out, sizeof(out));
    return error;
}

/* The key that wraps: from the device secret, or from a passphrase by Argon2id. */
static int keyring_wrapper(struct lk_store *store, const struct keyring_boot *boot,
                           const uint8_t *secret, struct lk_span passphrase,
                           uint8_t wrapper[LK_SEAL_KEY_SIZE])
{
    const struct lk_port *port = store->port;
    struct lk_pwhash_job job;
    int error;

    if (boot->wrap == WRAP_SECRET) {
        return secret ? port->crypto->hash(port->self, secret, LK_DEVICE_SECRET_SIZE,
                                           LK_TEXT("latchkey wrap"),
                                           (struct lk_span){boot->store_id, 16}, wrapper)
                      : LK_E_SECRET;
    }
    if (!passphrase.size) {
        return LK_E_SECRET;
    }
    memset(&job, 0, sizeof(job));
    job.params = (struct lk_pwhash_params){(uint32_t)boot->kib, (uint32_t)boot->passes, 1};
    job.password = passphrase.data;
    job.password_size = passphrase.size;
    memcpy(job.salt, boot->salt, sizeof(job.salt));
    do {
        error = port->crypto->pwhash_step(port->self, &job);
    } while (error > 0);
    memcpy(wrapper, job.hash, LK_SEAL_KEY_SIZE);
    lk_wipe(store, &job, sizeof(job));
    return error;
}

static int keyring_read_bytes(struct lk_cbor_reader *reader, uint8_t *out, size_t size)
{
    struct lk_cbor_item item;

    if (lk_cbor_read(reader, &item) || item.type != LK_CBOR_BYTES || item.span.size != size) {
        return LK_E_CORRUPT;
    }
    memcpy(out, item.span.data, size);
    return 0;
}

static int keyring_read_number(struct lk_cbor_reader *reader, uint64_t *number)
{
    struct lk_cbor_item item;

    if (lk_cbor_read(reader, &item) || item.type != LK_CBOR_UINT) {
        return LK_E_CORRUPT;
    }
    *number = item.number;
    return 0;
}

static int keyring_decode(struct lk_span value, struct keyring_boot *boot)
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
        switch (key.number) {
        case BOOT_FORMAT:
            error = keyring_read_number(&reader, &boot->format);
            if (!error && boot->format > KEYRING_FORMAT) {
                return LK_E_NEWER;
            }
            break;
        case BOOT_STORE: error = keyring_read_bytes(&reader, boot->store_id, 16); break;
        case BOOT_WRAP: error = keyring_read_number(&reader, &boot->wrap); break;
        case BOOT_NONCE:
            error = keyring_read_bytes(&reader, boot->nonce, sizeof(boot->nonce));
            break;
        case BOOT_KEY:
            error = keyring_read_bytes(&reader, boot->sealed, sizeof(boot->sealed));
            break;
        case BOOT_SALT: error = keyring_read_bytes(&reader, boot->salt, sizeof(boot->salt)); break;
        case BOOT_KIB: error = keyring_read_number(&reader, &boot->kib); break;
        case BOOT_PASSES: error = keyring_read_number(&reader, &boot->passes); break;
        default: return LK_E_CORRUPT;
        }
    }
    if (error || boot->format != KEYRING_FORMAT || boot->wrap > WRAP_PASSPHRASE ||
        boot->kib > KEYRING_KIB_MAX || boot->passes > KEYRING_PASS_MAX) {
        return LK_E_CORRUPT;
    }
    return 0;
}

static int keyring_put(struct lk_txn *txn, const struct keyring_boot *boot)
{
    uint8_t buffer[KEYRING_BUFFER];
    struct lk_cbor_writer writer;
    struct lk_key key;
    size_t size;
    int error;

    lk_cbor_writer_init(&writer, buffer, sizeof(buffer));
    lk_cbor_put_map(&writer, boot->wrap == WRAP_PASSPHRASE ? 8 : 5);
    lk_cbor_put_uint(&writer, BOOT_FORMAT);
    lk_cbor_put_uint(&writer, boot->format);
    lk_cbor_put_uint(&writer, BOOT_STORE);
    lk_cbor_put_bytes(&writer, (struct lk_span){boot->store_id, 16});
    lk_cbor_put_uint(&writer, BOOT_WRAP);
    lk_cbor_put_uint(&writer, boot->wrap);
    lk_cbor_put_uint(&writer, BOOT_NONCE);
    lk_cbor_put_bytes(&writer, (struct lk_span){boot->nonce, sizeof(boot->nonce)});
    lk_cbor_put_uint(&writer, BOOT_KEY);
    lk_cbor_put_bytes(&writer, (struct lk_span){boot->sealed, sizeof(boot->sealed)});
    if (boot->wrap == WRAP_PASSPHRASE) {
        lk_cbor_put_uint(&writer, BOOT_SALT);
        lk_cbor_put_bytes(&writer, (struct lk_span){boot->salt, sizeof(boot->salt)});
        lk_cbor_put_uint(&writer, BOOT_KIB);
        lk_cbor_put_uint(&writer, boot->kib);
        lk_cbor_put_uint(&writer, BOOT_PASSES);
        lk_cbor_put_uint(&writer, boot->passes);
    }
    error = lk_cbor_finish(&writer, &size);
    keyring_key(&key);
    return error ? error
                 : txn->store->storage->ops->put(&txn->storage, lk_key_span(&key),
                                                 (struct lk_span){buffer, size});
}

static int keyring_seal(struct lk_txn *txn, struct keyring_boot *boot,
                        const uint8_t root[LK_SEAL_KEY_SIZE], const uint8_t *secret,
                        struct lk_span passphrase)
{
    struct lk_store *store = txn->store;
    const struct lk_port *port = store->port;
    uint8_t wrapper[LK_SEAL_KEY_SIZE], ad[KEYRING_AD_SIZE];
    int error = lk_random(store, boot->nonce, sizeof(boot->nonce));

    if (!error) {
        error = keyring_wrapper(store, boot, secret, passphrase, wrapper);
    }
    if (!error) {
        keyring_ad(boot, ad);
        error = port->crypto->seal(port->self, wrapper, boot->nonce,
                                   (struct lk_span){root, LK_SEAL_KEY_SIZE},
                                   (struct lk_span){ad, sizeof(ad)}, boot->sealed);
    }
    lk_wipe(store, wrapper, sizeof(wrapper));
    return error ? error : keyring_put(txn, boot);
}

/* Reads the boot record and opens the store key. */
static int keyring_open(struct lk_txn *txn, struct keyring_boot *boot, const uint8_t *secret,
                        struct lk_span passphrase, uint8_t root[LK_SEAL_KEY_SIZE])
{
    struct lk_store *store = txn->store;
    const struct lk_port *port = store->port;
    uint8_t wrapper[LK_SEAL_KEY_SIZE], ad[KEYRING_AD_SIZE];
    struct lk_span value;
    struct lk_key key;
    int error;

    keyring_key(&key);
    error = store->storage->ops->get(&txn->storage, lk_key_span(&key), &value);
    if (!error) {
        error = keyring_decode(value, boot);
    }
    if (!error) {
        error = keyring_wrapper(store, boot, secret, passphrase, wrapper);
    }
    if (!error) {
        keyring_ad(boot, ad);
        error = port->crypto->open(port->self, wrapper, boot->nonce,
                                   (struct lk_span){boot->sealed, sizeof(boot->sealed)},
                                   (struct lk_span){ad, sizeof(ad)}, root);
        /* Damage and a wrong secret look alike here. */
        error = error == LK_E_CORRUPT ? LK_E_SECRET : error;
    }
    lk_wipe(store, wrapper, sizeof(wrapper));
    return error;
}

static int keyring_secret(struct lk_store *store, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    const struct lk_port *port = store->port;

    return port->secret ? port->secret->read(port->self, secret) : LK_E_SECRET;
}

/* A device that has no secret yet, and can make one, makes it now. */
static int keyring_secret_or_new(struct lk_store *store, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    const struct lk_port *port = store->port;
    int error = keyring_secret(store, secret);

    if (error == LK_E_SECRET && port->secret && port->secret->create) {
        error = port->secret->create(port->self);
        if (!error) {
            error = keyring_secret(store, secret);
        }
    }
    return error;
}

int lk_keyring_create(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    uint8_t root[LK_SEAL_KEY_SIZE], secret[LK_DEVICE_SECRET_SIZE];
    struct keyring_boot boot;
    int error = keyring_secret_or_new(store, secret);

    memset(&boot, 0, sizeof(boot));
    boot.format = KEYRING_FORMAT;
    if (!error) {
        error = lk_random(store, boot.store_id, sizeof(boot.store_id));
    }
    if (!error) {
        error = lk_random(store, root, sizeof(root));
    }
    if (!error) {
        error = keyring_seal(txn, &boot, root, secret, LK_TEXT(""));
    }
    if (!error) {
        memcpy(store->store_id, boot.store_id, sizeof(store->store_id));
        error = keyring_derive(store, root);
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, secret, sizeof(secret));
    return error;
}

int lk_keyring_load(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    uint8_t root[LK_SEAL_KEY_SIZE], secret[LK_DEVICE_SECRET_SIZE];
    struct keyring_boot boot;
    int error = keyring_secret(store, secret);

    if (!error) {
        error = keyring_open(txn, &boot, secret, LK_TEXT(""), root);
    }
    if (!error) {
        memcpy(store->store_id, boot.store_id, sizeof(store->store_id));
        error = keyring_derive(store, root);
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, secret, sizeof(secret));
    return error;
}

void lk_keyring_wipe(struct lk_store *store)
{
    lk_wipe(store, store->checksum_key, sizeof(store->checksum_key));
    lk_wipe(store, store->index_key, sizeof(store->index_key));
    lk_wipe(store, store->bucket_key, sizeof(store->bucket_key));
    lk_wipe(store, store->seal_key, sizeof(store->seal_key));
    lk_wipe(store, store->token_key, sizeof(store->token_key));
    lk_wipe(store, store->audit_key, sizeof(store->audit_key));
    lk_wipe(store, store->trace_key, sizeof(store->trace_key));
    lk_wipe(store, store->source_key, sizeof(store->source_key));
    lk_wipe(store, store->fold_key, sizeof(store->fold_key));
}

/* Opens by one means and wraps by another; a NULL secret stands for the passphrase. */
static int keyring_change(struct lk_txn *txn, const uint8_t *from_secret, struct lk_span from,
                          const uint8_t *to_secret, struct lk_span to)
{
    struct lk_store *store = txn->store;
    uint8_t root[LK_SEAL_KEY_SIZE];
    struct keyring_boot boot;
    int error = keyring_open(txn, &boot, from_secret, from, root);

    if (!error) {
        memset(boot.salt, 0, sizeof(boot.salt));
        boot.wrap = to_secret ? WRAP_SECRET : WRAP_PASSPHRASE;
        boot.kib = to_secret ? 0 : store->pwhash.memory_kib;
        boot.passes = to_secret ? 0 : store->pwhash.passes;
        error = to_secret ? 0 : lk_random(store, boot.salt, sizeof(boot.salt));
    }
    if (!error) {
        error = keyring_seal(txn, &boot, root, to_secret, to);
    }
    lk_wipe(store, root, sizeof(root));
    return error;
}

static int keyring_rewrap(struct lk_txn *txn, const uint8_t *secret, struct lk_span passphrase)
{
    uint8_t own[LK_DEVICE_SECRET_SIZE];
    int error;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    error = keyring_secret(txn->store, own);
    if (!error) {
        error = keyring_change(txn, own, LK_TEXT(""), secret, passphrase);
    }
    lk_wipe(txn->store, own, sizeof(own));
    return error;
}

int lk_rewrap(struct lk_txn *txn, const uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    return keyring_rewrap(txn, secret, LK_TEXT(""));
}

int lk_rewrap_passphrase(struct lk_txn *txn, struct lk_span passphrase)
{
    if (passphrase.size < 8) {
        return lk_refuse(txn, LK_E_CHECK, NULL, "passphrase", LK_TEXT(""),
                         "has fewer than 8 bytes");
    }
    return keyring_rewrap(txn, NULL, passphrase);
}

int lk_keyring_adopt(struct lk_txn *txn, struct lk_span passphrase)
{
    struct lk_store *store = txn->store;
    uint8_t own[LK_DEVICE_SECRET_SIZE];
    int error = keyring_secret_or_new(store, own);

    if (!error) {
        error = keyring_change(txn, NULL, passphrase, own, LK_TEXT(""));
    }
    lk_wipe(store, own, sizeof(own));
    return error;
}
