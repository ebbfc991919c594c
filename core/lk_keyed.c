// SPDX-License-Identifier: MIT
/*
 * lk_keyed.c: what API keys and recovery codes are hashed with, and how the hashes go into another
 * store.
 *
 * Each such credential has a key of its own, which goes into an export with the hashes and gives
 * away nothing of any other. That of an API key, which nobody can guess, is derived from the
 * store's token key. In the store that the hashes are put back into it would be another one: there
 * it is kept, sealed, in the credential (`hash_key`); as that of recovery codes is from the start.
 */
#include "lk_factor.h"

#define KEYED_HASHES_MAX (LK_RECOVERY_COUNT * LK_TOKEN_HASH_SIZE)

_Static_assert(LK_KEYED_TEXT == 2 * (LK_HASH_SIZE + KEYED_HASHES_MAX) + 2,
               "the text of all hashes");

int lk_keyed_key(struct lk_store *store, const struct lk_credential *credential,
                 uint8_t key[LK_HASH_SIZE])
{
    const struct lk_id *id = &credential->record.id;
    const struct lk_span made = credential->hash_key;
    uint8_t place[12];
    size_t size;
    int error;

    if (made.size) {
        error = lk_unseal_as(store, *id, LK_SEALED_HASH_KEY, made, key, LK_HASH_SIZE, &size);
        return !error && size != LK_HASH_SIZE ? LK_E_CORRUPT : error;
    }
    lk_put_u32be(place, id->tenant);
    lk_put_u32be(place + 4, id->user);
    lk_put_u32be(place + 8, id->sub);
    return store->port->crypto->hash(store->port->self, store->token_key, sizeof(store->token_key),
                                     LK_TEXT("credential"), (struct lk_span){place, sizeof(place)},
                                     key);
}

static bool keyed_type(uint64_t type)
{
    return type == LK_CREDENTIAL_API_KEY || type == LK_CREDENTIAL_RECOVERY;
}

int lk_keyed_export(struct lk_txn *txn, struct lk_id id, char out[LK_KEYED_TEXT])
{
    struct lk_credential credential;
    uint8_t key[LK_HASH_SIZE];
    int error = lk_get(txn, &lk_kind_credential, id, &credential.record);

    if (!error && (!keyed_type(credential.type) || !credential.secret.size)) {
        error = LK_E_NOT_FOUND;
    }
    if (!error && credential.secret.size > KEYED_HASHES_MAX) {
        error = LK_E_CORRUPT;
    }
    if (!error) {
        error = lk_keyed_key(txn->store, &credential, key);
    }
    if (!error) {
        /* There is room: LK_KEYED_TEXT has it for the most that there can be. */
        (void)lk_hex_encode((struct lk_span){key, sizeof(key)}, out, LK_KEYED_TEXT);
        out[2 * sizeof(key)] = ':';
        (void)lk_hex_encode(credential.secret, out + 2 * sizeof(key) + 1,
                            LK_KEYED_TEXT - 2 * sizeof(key) - 1);
    }
    lk_wipe(txn->store, key, sizeof(key));
    return error;
}

/* The key, and the hashes: one of an API key, up to ten of recovery codes. */
static bool keyed_parse(struct lk_span text, uint64_t type, uint8_t key[LK_HASH_SIZE],
                        uint8_t hashes[KEYED_HASHES_MAX], size_t *size)
{
    const size_t colon = 2 * LK_HASH_SIZE,
                 most = type == LK_CREDENTIAL_API_KEY ? 1 : LK_RECOVERY_COUNT;
    size_t key_size;

    return text.size > colon + 1 && text.data[colon] == ':' &&
           !lk_hex_decode((struct lk_span){text.data, colon}, key, LK_HASH_SIZE, &key_size) &&
           !lk_hex_decode((struct lk_span){text.data + colon + 1, text.size - colon - 1}, hashes,
                          KEYED_HASHES_MAX, size) &&
           *size % LK_TOKEN_HASH_SIZE == 0 && *size <= most * LK_TOKEN_HASH_SIZE;
}

int lk_keyed_put_back(struct lk_txn *txn, struct lk_id id, struct lk_span text)
{
    struct lk_credential credential;
    uint8_t key[LK_HASH_SIZE], hashes[KEYED_HASHES_MAX], sealed[LK_HASH_SIZE + LK_SEAL_EXTRA];
    size_t size = 0, sealed_size = 0;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_get(txn, &lk_kind_credential, id, &credential.record);
    }
    if (!error && !keyed_type(credential.type)) {
        error = lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "keyed", LK_TEXT(""),
                          "belongs to credentials of type api_key and recovery only");
    } else if (!error && !keyed_parse(text, credential.type, key, hashes, &size)) {
        error = lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "keyed", LK_TEXT(""),
                          "is not a key and hashes as an export has them");
    }
    if (!error) {
        error = lk_seal_as(txn->store, id, LK_SEALED_HASH_KEY, (struct lk_span){key, sizeof(key)},
                           sealed, sizeof(sealed), &sealed_size);
    }
    lk_wipe(txn->store, key, sizeof(key));
    if (error) {
        return error;
    }
    lk_set_span(&lk_kind_credential, &credential.record, "secret", (struct lk_span){hashes, size});
    lk_set_span(&lk_kind_credential, &credential.record, "hash_key",
                (struct lk_span){sealed, sealed_size});
    return lk_record_store(txn, &lk_kind_credential, &credential.record, lk_work(txn)->new_value);
}
