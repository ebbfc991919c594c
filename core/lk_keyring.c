// SPDX-License-Identifier: MIT
/*
 * lk_keyring.c: the store key, how it is wrapped, and what is derived from it.
 *
 * The boot record is the one value without a checksum: it is opened by the AEAD that wraps the
 * store key, whose associated data are the record's other fields. Subkeys are BLAKE2b-256 keyed by
 * the store key over a label. (SPEC.md, Boot record and Keys.)
 *
 * A store key that is being replaced (lk_rekey.c) is in the record too, sealed under the new one.
 * What is believed or opened by either is then accepted, and written by the new one only. So
 * readers need not know how far the pass has come; only which keys there are, which the record
 * tells them.
 */
#include "lk_engine.h"

#define KEYRING_AD_SIZE (16 + 1 + LK_PWHASH_SALT_SIZE + 12)

/* Keys that a new store key takes over: they find things, or hide what cannot be guessed. */
static const struct {
    const char *label;
    uint16_t offset; /* in the store */
    uint8_t from;    /* byte of what is derived */
    uint8_t size;
} keyring_carried[] = {
    {"latchkey index", offsetof(struct lk_store, index_key), 0, LK_MAC64_KEY_SIZE},
    {"latchkey index", offsetof(struct lk_store, bucket_key), 16, LK_MAC64_KEY_SIZE},
    {"latchkey token", offsetof(struct lk_store, token_key), 0, LK_HASH_SIZE},
    {"latchkey audit", offsetof(struct lk_store, audit_key), 0, LK_HASH_SIZE},
    {"latchkey trace", offsetof(struct lk_store, trace_key), 0, LK_HASH_SIZE},
    {"latchkey source", offsetof(struct lk_store, source_key), 0, LK_MAC64_KEY_SIZE},
    {"latchkey source", offsetof(struct lk_store, fold_key), 16, LK_MAC64_KEY_SIZE},
};

static uint8_t *keyring_place(struct lk_store *store, size_t i)
{
    return (uint8_t *)store + keyring_carried[i].offset;
}

static void keyring_ad(const struct lk_boot *boot, uint8_t ad[KEYRING_AD_SIZE])
{
    unsigned i;

    memcpy(ad, boot->store_id, 16);
    ad[16] = (uint8_t)boot->wrap;
    memcpy(ad + 17, boot->salt, LK_PWHASH_SALT_SIZE);
    for (i = 0; i < 4; i++) {
        ad[17 + LK_PWHASH_SALT_SIZE + i] = (uint8_t)(boot->kib >> (24 - 8 * i));
        ad[21 + LK_PWHASH_SALT_SIZE + i] = (uint8_t)(boot->passes >> (24 - 8 * i));
        ad[25 + LK_PWHASH_SALT_SIZE + i] = (uint8_t)(boot->generation >> (24 - 8 * i));
    }
}

static int keyring_derive_one(struct lk_store *store, const uint8_t root[LK_SEAL_KEY_SIZE],
                              const char *label, uint8_t out[LK_HASH_SIZE])
{
    const struct lk_port *port = store->port;
    struct lk_span text = {(const uint8_t *)label, strlen(label)};

    return port->crypto->hash(port->self, root, LK_SEAL_KEY_SIZE, text, LK_TEXT(""), out);
}

/* The keys that every store key has of its own. */
static int keyring_derive_own(struct lk_store *store, const uint8_t root[LK_SEAL_KEY_SIZE],
                              struct lk_keys *keys)
{
    uint8_t out[LK_HASH_SIZE];
    int error = keyring_derive_one(store, root, "latchkey record", out);

    if (!error) {
        memcpy(keys->checksum[0], out, LK_MAC64_KEY_SIZE);
        memcpy(keys->checksum[1], out + LK_MAC64_KEY_SIZE, LK_MAC64_KEY_SIZE);
        error = keyring_derive_one(store, root, "latchkey seal", keys->seal);
    }
    lk_wipe(store, out, sizeof(out));
    return error;
}

static int keyring_derive_carried(struct lk_store *store, const uint8_t root[LK_SEAL_KEY_SIZE])
{
    uint8_t out[LK_HASH_SIZE];
    size_t i;
    int error = 0;

    for (i = 0; !error && i < LK_COUNT(keyring_carried); i++) {
        error = keyring_derive_one(store, root, keyring_carried[i].label, out);
        if (!error) {
            memcpy(keyring_place(store, i), out + keyring_carried[i].from, keyring_carried[i].size);
        }
    }
    lk_wipe(store, out, sizeof(out));
    return error;
}

/* Sealed under a store key itself, told apart by what it is. */
static int keyring_inner_key(struct lk_store *store, const struct lk_boot *boot,
                             const uint8_t root[LK_SEAL_KEY_SIZE], const char *label,
                             uint8_t key[LK_SEAL_KEY_SIZE])
{
    const struct lk_port *port = store->port;
    struct lk_span text = {(const uint8_t *)label, strlen(label)};

    return port->crypto->hash(port->self, root, LK_SEAL_KEY_SIZE, text,
                              (struct lk_span){boot->store_id, 16}, key);
}

static int keyring_inner_seal(struct lk_store *store, const struct lk_boot *boot,
                              const uint8_t root[LK_SEAL_KEY_SIZE], const char *label,
                              struct lk_span plain, uint8_t *out)
{
    const struct lk_port *port = store->port;
    uint8_t key[LK_SEAL_KEY_SIZE];
    int error = lk_random(store, out, LK_SEAL_NONCE_SIZE);

    if (!error) {
        error = keyring_inner_key(store, boot, root, label, key);
    }
    if (!error) {
        error =
            port->crypto->seal(port->self, key, out, plain, LK_TEXT(""), out + LK_SEAL_NONCE_SIZE);
    }
    lk_wipe(store, key, sizeof(key));
    return error;
}

static int keyring_inner_open(struct lk_store *store, const struct lk_boot *boot,
                              const uint8_t root[LK_SEAL_KEY_SIZE], const char *label,
                              const uint8_t *sealed, size_t plain_size, uint8_t *out)
{
    const struct lk_port *port = store->port;
    uint8_t key[LK_SEAL_KEY_SIZE];
    int error = keyring_inner_key(store, boot, root, label, key);

    if (!error) {
        error = port->crypto->open(
            port->self, key, sealed,
            (struct lk_span){sealed + LK_SEAL_NONCE_SIZE, plain_size + LK_SEAL_TAG_SIZE},
            LK_TEXT(""), out);
    }
    lk_wipe(store, key, sizeof(key));
    return error;
}

/* Puts the handle's carried keys into the record, under this store key. */
static int keyring_carry(struct lk_store *store, struct lk_boot *boot,
                         const uint8_t root[LK_SEAL_KEY_SIZE])
{
    uint8_t plain[LK_CARRIED_MAX];
    size_t i, size = 0;
    int error;

    for (i = 0; i < LK_COUNT(keyring_carried); i++) {
        LK_ASSERT(size + keyring_carried[i].size <= sizeof(plain));
        memcpy(plain + size, keyring_place(store, i), keyring_carried[i].size);
        size += keyring_carried[i].size;
    }
    boot->carried_size = (uint32_t)size;
    error = keyring_inner_seal(store, boot, root, "latchkey carried", (struct lk_span){plain, size},
                               boot->carried);
    lk_wipe(store, plain, sizeof(plain));
    return error;
}

static int keyring_take_carried(struct lk_store *store, const struct lk_boot *boot,
                                const uint8_t root[LK_SEAL_KEY_SIZE])
{
    uint8_t plain[LK_CARRIED_MAX];
    size_t i, at = 0;
    int error;

    if (!boot->carried_size) {
        return keyring_derive_carried(store, root);
    }
    error = keyring_inner_open(store, boot, root, "latchkey carried", boot->carried,
                               boot->carried_size, plain);
    for (i = 0; !error && i < LK_COUNT(keyring_carried); i++) {
        if (at + keyring_carried[i].size > boot->carried_size) {
            error = LK_E_CORRUPT;
        } else {
            memcpy(keyring_place(store, i), plain + at, keyring_carried[i].size);
            at += keyring_carried[i].size;
        }
    }
    lk_wipe(store, plain, sizeof(plain));
    return error;
}

/* The key that wraps: from the device secret, or from a passphrase by Argon2id. */
static int keyring_wrapper(struct lk_store *store, const struct lk_boot *boot,
                           const uint8_t *secret, struct lk_span passphrase,
                           uint8_t wrapper[LK_SEAL_KEY_SIZE])
{
    const struct lk_port *port = store->port;
    struct lk_pwhash_job job;
    int error;

    if (boot->wrap == LK_WRAP_SECRET) {
        return secret ? port->crypto->hash(port->self, secret, LK_DEVICE_SECRET_SIZE,
                                           LK_TEXT("latchkey wrap"),
                                           (struct lk_span){boot->store_id, 16}, wrapper)
                      : LK_E_SECRET;
    }
    if (!passphrase.size) {
        return LK_E_SECRET;
    }
    memset(&job, 0, sizeof(job));
    job.params = (struct lk_pwhash_params){boot->kib, boot->passes, 1};
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

/* Wraps the store key by the record's present means, or as the second wrap. */
static int keyring_wrap(struct lk_store *store, struct lk_boot *boot, bool second,
                        const uint8_t root[LK_SEAL_KEY_SIZE], const uint8_t *secret,
                        struct lk_span passphrase)
{
    const struct lk_port *port = store->port;
    uint8_t wrapper[LK_SEAL_KEY_SIZE], ad[KEYRING_AD_SIZE];
    uint8_t *nonce = second ? boot->next_nonce : boot->nonce;
    int error = lk_random(store, nonce, LK_SEAL_NONCE_SIZE);

    if (!error) {
        error = keyring_wrapper(store, boot, secret, passphrase, wrapper);
    }
    if (!error) {
        keyring_ad(boot, ad);
        error = port->crypto->seal(
            port->self, wrapper, nonce, (struct lk_span){root, LK_SEAL_KEY_SIZE},
            (struct lk_span){ad, sizeof(ad)}, second ? boot->next_sealed : boot->sealed);
    }
    lk_wipe(store, wrapper, sizeof(wrapper));
    return error;
}

/* Opens the store key by either wrap. */
static int keyring_unwrap(struct lk_store *store, const struct lk_boot *boot, const uint8_t *secret,
                          struct lk_span passphrase, uint8_t root[LK_SEAL_KEY_SIZE])
{
    const struct lk_port *port = store->port;
    uint8_t wrapper[LK_SEAL_KEY_SIZE], ad[KEYRING_AD_SIZE];
    struct lk_span plain_ad = {ad, sizeof(ad)};
    int error = keyring_wrapper(store, boot, secret, passphrase, wrapper);

    if (!error) {
        keyring_ad(boot, ad);
        error = port->crypto->open(port->self, wrapper, boot->nonce,
                                   (struct lk_span){boot->sealed, sizeof(boot->sealed)}, plain_ad,
                                   root);
        if (error == LK_E_CORRUPT && boot->has_next) {
            error = port->crypto->open(
                port->self, wrapper, boot->next_nonce,
                (struct lk_span){boot->next_sealed, sizeof(boot->next_sealed)}, plain_ad, root);
        }
        /* Damage and a wrong secret look alike here. */
        error = error == LK_E_CORRUPT ? LK_E_SECRET : error;
    }
    lk_wipe(store, wrapper, sizeof(wrapper));
    return error;
}

/* Reads the boot record and opens the store key. */
static int keyring_open(struct lk_txn *txn, struct lk_boot *boot, const uint8_t *secret,
                        struct lk_span passphrase, uint8_t root[LK_SEAL_KEY_SIZE])
{
    int error = lk_boot_get(txn, boot);

    return error ? error : keyring_unwrap(txn->store, boot, secret, passphrase, root);
}

int lk_keyring_secret(struct lk_store *store, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    const struct lk_port *port = store->port;

    return port->secret ? port->secret->read(port->self, secret) : LK_E_SECRET;
}

/* A device that has no secret yet, and can make one, makes it now. */
static int keyring_secret_or_new(struct lk_store *store, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    const struct lk_port *port = store->port;
    int error = lk_keyring_secret(store, secret);

    if (error == LK_E_SECRET && port->secret && port->secret->create) {
        error = port->secret->create(port->self);
        if (!error) {
            error = lk_keyring_secret(store, secret);
        }
    }
    return error;
}

int lk_keyring_create(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    uint8_t root[LK_SEAL_KEY_SIZE], secret[LK_DEVICE_SECRET_SIZE];
    struct lk_boot boot;
    int error = keyring_secret_or_new(store, secret);

    memset(&boot, 0, sizeof(boot));
    if (!error) {
        error = lk_random(store, boot.store_id, sizeof(boot.store_id));
    }
    if (!error) {
        error = lk_random(store, root, sizeof(root));
    }
    if (!error) {
        error = keyring_wrap(store, &boot, false, root, secret, LK_TEXT(""));
    }
    if (!error) {
        error = lk_boot_put(txn, &boot);
    }
    if (!error) {
        memcpy(store->store_id, boot.store_id, sizeof(store->store_id));
        error = keyring_derive_own(store, root, &store->keys[0]);
    }
    if (!error) {
        error = keyring_derive_carried(store, root);
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, secret, sizeof(secret));
    return error;
}

/* ---- Which keys there are ---- */

/* The keys of the record's generation, and of the one before where that is in use. `have`: those of
 * the one before are in the handle already, where other threads may be using them. */
static int keyring_take(struct lk_store *store, const struct lk_boot *boot,
                        const uint8_t root[LK_SEAL_KEY_SIZE], bool have)
{
    struct lk_keys *keys = &store->keys[boot->generation & 1],
                   *old = &store->keys[~boot->generation & 1];
    uint8_t old_root[LK_SEAL_KEY_SIZE];
    int error = keyring_derive_own(store, root, keys);

    if (!error && boot->has_old && !have) {
        error = keyring_inner_open(store, boot, root, "latchkey old", boot->old, sizeof(old_root),
                                   old_root);
        if (!error) {
            error = keyring_derive_own(store, old_root, old);
        }
        lk_wipe(store, old_root, sizeof(old_root));
    }
    return error;
}

int lk_keyring_load(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    uint8_t root[LK_SEAL_KEY_SIZE], secret[LK_DEVICE_SECRET_SIZE];
    struct lk_boot boot;
    int error = lk_keyring_secret(store, secret);

    if (!error) {
        error = keyring_open(txn, &boot, secret, LK_TEXT(""), root);
    }
    if (!error) {
        memcpy(store->store_id, boot.store_id, sizeof(store->store_id));
        error = keyring_take(store, &boot, root, false);
    }
    if (!error) {
        error = keyring_take_carried(store, &boot, root);
    }
    if (!error) {
        store->key_generation = boot.generation;
        store->old_keys = boot.has_old ? LK_OLD_KEYS_IN_USE : LK_OLD_KEYS_NONE;
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, secret, sizeof(secret));
    return error;
}

/* Another generation than the handle's. */
static int keyring_move_on(struct lk_store *store, const struct lk_boot *boot)
{
    uint8_t root[LK_SEAL_KEY_SIZE], secret[LK_DEVICE_SECRET_SIZE];
    bool next = boot->generation == store->key_generation + 1;
    int error = lk_keyring_secret(store, secret);

    if (!error) {
        error = keyring_unwrap(store, boot, secret, LK_TEXT(""), root);
    }
    if (!error) {
        error = keyring_take(store, boot, root, next);
    }
    if (!error) {
        lk_store_lock(store, true);
        store->key_generation = boot->generation;
        store->old_keys = boot->has_old ? LK_OLD_KEYS_IN_USE
                          : next        ? LK_OLD_KEYS_FOR_READERS
                                        : LK_OLD_KEYS_NONE;
        lk_store_lock(store, false);
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, secret, sizeof(secret));
    return error;
}

int lk_keyring_follow(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    uint64_t snapshot = store->storage->ops->snapshot(&txn->storage), stamp;
    struct lk_boot boot;
    struct lk_span value;
    bool seen;
    int error;

    lk_store_lock(store, true);
    seen = store->keys_snapshot == snapshot && store->keys_stamp;
    lk_store_lock(store, false);
    if (seen) {
        return 0;
    }
    error = lk_boot_value(txn, &value);
    if (error) {
        return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
    }
    stamp = lk_stamp(store, value);
    if (stamp != store->keys_stamp) {
        error = lk_boot_decode(value, &boot);
        if (!error && boot.generation > store->key_generation) {
            error = keyring_move_on(store, &boot);
        }
        if (error) {
            return error;
        }
        lk_store_lock(store, true);
        if (boot.generation == store->key_generation && !boot.has_old &&
            store->old_keys == LK_OLD_KEYS_IN_USE) {
            store->old_keys = LK_OLD_KEYS_FOR_READERS;
        }
        lk_store_lock(store, false);
    }
    lk_store_lock(store, true);
    store->keys_snapshot = snapshot;
    store->keys_stamp = stamp;
    if (store->old_keys == LK_OLD_KEYS_FOR_READERS && store->open_count == 1) {
        /* Nobody is left who began before the pass was over. */
        store->old_keys = LK_OLD_KEYS_NONE;
        lk_wipe(store, &store->keys[~store->key_generation & 1], sizeof(store->keys[0]));
    }
    lk_store_lock(store, false);
    return 0;
}

void lk_keyring_wipe(struct lk_store *store)
{
    size_t i;

    lk_wipe(store, store->keys, sizeof(store->keys));
    for (i = 0; i < LK_COUNT(keyring_carried); i++) {
        lk_wipe(store, keyring_place(store, i), keyring_carried[i].size);
    }
}

/* ---- Other secrets, another store key ---- */

int lk_keyring_change(struct lk_txn *txn, const uint8_t *from_secret, struct lk_span from,
                      const uint8_t *to_secret, struct lk_span to)
{
    struct lk_store *store = txn->store;
    uint8_t root[LK_SEAL_KEY_SIZE];
    struct lk_boot boot;
    int error = keyring_open(txn, &boot, from_secret, from, root);

    if (!error) {
        memset(boot.salt, 0, sizeof(boot.salt));
        boot.has_next = false;
        boot.wrap = to_secret ? LK_WRAP_SECRET : LK_WRAP_PASSPHRASE;
        boot.kib = to_secret ? 0 : store->pwhash.memory_kib;
        boot.passes = to_secret ? 0 : store->pwhash.passes;
        error = to_secret ? 0 : lk_random(store, boot.salt, sizeof(boot.salt));
    }
    if (!error) {
        error = keyring_wrap(store, &boot, false, root, to_secret, to);
    }
    if (!error) {
        error = lk_boot_put(txn, &boot);
    }
    lk_wipe(store, root, sizeof(root));
    return error;
}

int lk_rewrap_both(struct lk_txn *txn, const uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    struct lk_store *store = txn->store;
    uint8_t own[LK_DEVICE_SECRET_SIZE], root[LK_SEAL_KEY_SIZE];
    struct lk_boot boot;
    int error;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    error = lk_keyring_secret(store, own);
    if (!error) {
        error = keyring_open(txn, &boot, own, LK_TEXT(""), root);
    }
    if (!error) {
        /* By the present one first: after a change that was cut short it is the second. */
        error = keyring_wrap(store, &boot, false, root, own, LK_TEXT(""));
    }
    if (!error) {
        boot.has_next = true;
        error = keyring_wrap(store, &boot, true, root, secret, LK_TEXT(""));
    }
    if (!error) {
        error = lk_boot_put(txn, &boot);
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, own, sizeof(own));
    return lk_spoil(txn, error);
}

int lk_keyring_renew(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    uint8_t own[LK_DEVICE_SECRET_SIZE], root[LK_SEAL_KEY_SIZE], fresh[LK_SEAL_KEY_SIZE];
    struct lk_boot boot;
    int error = lk_keyring_secret(store, own);

    if (!error) {
        error = keyring_open(txn, &boot, own, LK_TEXT(""), root);
    }
    if (!error && (boot.has_old || boot.has_next || boot.generation == UINT32_MAX)) {
        error = LK_E_BUSY; /* one at a time: a cut must leave what one secret opens */
    }
    if (!error) {
        error = lk_random(store, fresh, sizeof(fresh));
    }
    if (!error) {
        boot.generation++;
        boot.has_old = true;
        error = keyring_inner_seal(store, &boot, fresh, "latchkey old",
                                   (struct lk_span){root, sizeof(root)}, boot.old);
    }
    if (!error) {
        error = keyring_carry(store, &boot, fresh);
    }
    if (!error) {
        error = keyring_wrap(store, &boot, false, fresh, own, LK_TEXT(""));
    }
    if (!error) {
        error = lk_boot_put(txn, &boot);
    }
    lk_wipe(store, root, sizeof(root));
    lk_wipe(store, fresh, sizeof(fresh));
    lk_wipe(store, own, sizeof(own));
    return error;
}

int lk_keyring_adopt(struct lk_txn *txn, const uint8_t *secret, struct lk_span passphrase)
{
    struct lk_store *store = txn->store;
    uint8_t own[LK_DEVICE_SECRET_SIZE];
    int error = keyring_secret_or_new(store, own);

    if (!error) {
        error = lk_keyring_change(txn, secret, passphrase, own, LK_TEXT(""));
    }
    lk_wipe(store, own, sizeof(own));
    return error;
}
