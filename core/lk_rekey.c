// SPDX-License-Identifier: MIT
/*
 * lk_rekey.c: other secrets, and another store key.
 *
 * Another device secret is one record written. Another store key is a pass over all records, some
 * at a time. A record is written again with the checksum of the new keys, and what is sealed in it
 * is sealed anew; nothing else in it changes, so no index does. How far the pass came is in the
 * boot record, in the same commit. Until it is over, records of either key are good.
 */
#include "lk_engine.h"

static int rekey_audit(struct lk_txn *txn, struct lk_span description)
{
    struct lk_audit_entry entry;
    const struct lk_kind *kind = &lk_kind_audit;

    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT("store.rekey"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("store"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16), description);
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 17), LK_CATEGORY_SYSTEM);
    return lk_audit_append(txn, LK_STORE_TENANT, LK_RING_ADMIN, &entry);
}

/* ---- Another secret ---- */

static int rekey_wrap(struct lk_txn *txn, const uint8_t *secret, struct lk_span passphrase)
{
    uint8_t own[LK_DEVICE_SECRET_SIZE];
    int error;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    error = lk_keyring_secret(txn->store, own);
    if (!error) {
        error = lk_keyring_change(txn, own, LK_TEXT(""), secret, passphrase);
        txn->store->flags |= error ? 0 : LK_STORE_SCRUB_DUE;
    }
    lk_wipe(txn->store, own, sizeof(own));
    return lk_spoil(txn, error);
}

int lk_rewrap(struct lk_txn *txn, const uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    int error = rekey_wrap(txn, secret, LK_TEXT(""));

    return error ? error
                 : lk_spoil(txn, rekey_audit(txn, LK_TEXT("the store opens by another secret")));
}

int lk_rewrap_settle(struct lk_txn *txn)
{
    uint8_t own[LK_DEVICE_SECRET_SIZE];
    int error = lk_keyring_secret(txn->store, own);

    if (!error) {
        error = lk_rewrap(txn, own);
    }
    lk_wipe(txn->store, own, sizeof(own));
    return error;
}

int lk_rewrap_passphrase(struct lk_txn *txn, struct lk_span passphrase)
{
    if (passphrase.size < 8) {
        return lk_refuse(txn, LK_E_CHECK, NULL, "passphrase", LK_TEXT(""),
                         "has fewer than 8 bytes");
    }
    return rekey_wrap(txn, NULL, passphrase);
}

/* ---- Another store key ---- */

int lk_rekey_begin(struct lk_txn *txn)
{
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_keyring_renew(txn);
    }
    if (error == LK_E_STATE || error == LK_E_BUSY) {
        return error;
    }
    return lk_spoil(txn,
                    error ? error : rekey_audit(txn, LK_TEXT("a new store key: the pass begins")));
}

/* Seals again, in place, what opens as sealed for this record; the sizes stay. */
static int rekey_seal(struct lk_store *store, struct lk_id id, enum lk_sealed what,
                      struct lk_span sealed, const uint8_t *from, uint8_t *buffer)
{
    uint8_t plain[LK_HISTORY_MAX], fresh[LK_HISTORY_MAX];
    size_t size, fresh_size;
    int error = lk_unseal_as(store, id, what, sealed, plain, sizeof(plain), &size);

    if (!error) {
        error = lk_seal_as(store, id, what, (struct lk_span){plain, size}, fresh, sizeof(fresh),
                           &fresh_size);
    }
    if (!error) {
        memcpy(buffer + (sealed.data - from), fresh, fresh_size);
    }
    lk_wipe(store, plain, sizeof(plain));
    /* A keyed hash in the place of a secret is no sealed text; nor is damage. */
    return error == LK_E_CORRUPT ? 0 : error;
}

static int rekey_credential(struct lk_store *store, struct lk_id id, uint8_t *cbor, size_t size)
{
    struct lk_credential credential;
    int error;

    credential.record.id = id;
    if (lk_record_decode(&lk_kind_credential, (struct lk_span){cbor, size}, &credential.record)) {
        return 0; /* of no sound form, before as after */
    }
    error = rekey_seal(store, id, LK_SEALED_SECRET, credential.secret, cbor, cbor);
    if (!error) {
        error = rekey_seal(store, id, LK_SEALED_HISTORY, credential.history, cbor, cbor);
    }
    return error ? error
                 : rekey_seal(store, id, LK_SEALED_HASH_KEY, credential.hash_key, cbor, cbor);
}

/* 1 when the record was written again; `value` is the storage's. */
static int rekey_record(struct lk_txn *txn, const struct lk_key *key, struct lk_span value)
{
    struct lk_store *store = txn->store;
    const struct lk_keys *before = lk_keys_before(store);
    uint8_t *buffer = lk_work(txn)->new_value;
    const struct lk_kind *kind;
    struct lk_id id;
    size_t size;
    int error = 0;

    if (value.size > LK_VALUE_MAX ||
        lk_value_is(store, lk_keys_now(store), lk_key_span(key), value) || !before ||
        !lk_value_is(store, before, lk_key_span(key), value)) {
        return 0; /* done already, or damaged: it stays so */
    }
    size = value.size - LK_CHECKSUM_SIZE;
    memcpy(buffer, value.data, size);
    if (!lk_key_parse(store, lk_key_span(key), &kind, &id) && kind == &lk_kind_credential) {
        error = rekey_credential(store, id, buffer, size);
    }
    if (!error) {
        error = lk_value_put(txn, key, buffer, size);
    }
    return error ? error : 1;
}

/* The next record after `place`, which moves there. Index entries, which have no checksum, are
 * passed over a tenant at a time. LK_E_NOT_FOUND at the end. */
static int rekey_next(struct lk_txn *txn, struct lk_key *place, struct lk_span *value)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span key, rest;
    struct lk_key all = {.size = 0};
    uint64_t tenant;
    int error;

    for (;;) {
        error = lk_cursor_begin(txn, &cursor, &all);
        if (error) {
            return error;
        }
        error = ops->seek(&cursor, lk_key_span(place), &key, value);
        if (!error && lk_span_equal(key, lk_key_span(place))) {
            error = ops->next(&cursor, &key, value);
        }
        lk_cursor_end(&cursor);
        if (error) {
            return error;
        }
        rest = key;
        if (!lk_key_take_number(&rest, &tenant) && rest.size && rest.data[0] == LK_CLASS_INDEX &&
            tenant < UINT32_MAX) {
            place->size = 0;
            lk_key_put_number(place, tenant + 1);
            continue;
        }
        place->size = 0;
        lk_key_put_bytes(place, key);
        return 0;
    }
}

int lk_rekey_step(struct lk_txn *txn, uint32_t budget, bool *more)
{
    struct lk_boot boot;
    struct lk_key place = {.size = 0};
    struct lk_span value;
    int done = 0, error = txn->open && txn->mode == LK_WRITE ? lk_boot_get(txn, &boot) : LK_E_STATE;

    *more = false;
    if (error || !boot.has_old) {
        return error;
    }
    lk_key_put_bytes(&place, (struct lk_span){boot.place, boot.place_size});
    while (!error && budget--) {
        error = rekey_next(txn, &place, &value);
        if (!error) {
            error = rekey_record(txn, &place, value);
            done += error > 0 ? 1 : 0;
            error = error > 0 ? 0 : error;
        }
    }
    *more = !error;
    if (error == LK_E_NOT_FOUND) {
        boot.has_old = false;
        place.size = 0;
        txn->store->flags |= LK_STORE_SCRUB_DUE;
        error = rekey_audit(txn, LK_TEXT("every record is under the new store key"));
    }
    memcpy(boot.place, place.data, place.size);
    boot.place_size = (uint32_t)place.size;
    error = error ? error : lk_boot_put(txn, &boot);
    return error ? lk_spoil(txn, error) : done;
}
