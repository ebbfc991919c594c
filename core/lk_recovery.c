// SPDX-License-Identifier: MIT
/*
 * lk_recovery.c: a set of ten codes, each good for one login, that need no clock.
 *
 * 50 random bits each, in Crockford's base 32. One credential has the set: the keyed hashes of the
 * codes that are left, one after another. A code that was used is taken out in the commit of its
 * login; a new set replaces what was left of the old one.
 */
#include "lk_factor.h"

/* Without I, L, O and U: what is read as one of them is taken for what it looks like. */
static const char recovery_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* As it was written by the store; LK_E_REFUSED for what no code looks like. */
static int recovery_fold(const struct lk_code *code, uint8_t plain[LK_RECOVERY_DIGITS])
{
    size_t i;

    if (code->size != LK_RECOVERY_DIGITS) {
        return LK_E_REFUSED;
    }
    for (i = 0; i < LK_RECOVERY_DIGITS; i++) {
        uint8_t byte = lk_ascii_lower(code->text[i]);

        byte = (uint8_t)(byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte);
        byte = byte == 'O' ? '0' : byte == 'I' || byte == 'L' ? '1' : byte;
        if (!byte || !memchr(recovery_alphabet, byte, sizeof(recovery_alphabet) - 1)) {
            return LK_E_REFUSED;
        }
        plain[i] = byte;
    }
    return 0;
}

/* The key is the credential's own, so that the same code elsewhere has another hash. */
static int recovery_hash(struct lk_store *store, const uint8_t key[LK_HASH_SIZE],
                         const uint8_t plain[LK_RECOVERY_DIGITS], uint8_t hash[LK_TOKEN_HASH_SIZE])
{
    uint8_t full[LK_HASH_SIZE];
    int error = store->port->crypto->hash(store->port->self, key, LK_HASH_SIZE, LK_TEXT("recovery"),
                                          (struct lk_span){plain, LK_RECOVERY_DIGITS}, full);

    memcpy(hash, full, LK_TOKEN_HASH_SIZE);
    return error;
}

int lk_recovery_match(struct lk_txn *txn, const struct lk_credential *credential,
                      const struct lk_code *code, uint32_t *place)
{
    uint8_t plain[LK_RECOVERY_DIGITS], hash[LK_TOKEN_HASH_SIZE], key[LK_HASH_SIZE];
    uint32_t i;
    int error;

    *place = 0;
    if (recovery_fold(code, plain)) {
        return 0;
    }
    error = lk_keyed_key(txn->store, credential, key);
    if (!error) {
        error = recovery_hash(txn->store, key, plain, hash);
    }
    /* All are looked at, whichever fits. */
    for (i = 0; !error && i < lk_recovery_left(credential); i++) {
        if (txn->store->port->crypto->equal(
                hash, credential->secret.data + (size_t)i * sizeof(hash), sizeof(hash))) {
            *place = i + 1;
        }
    }
    lk_wipe(txn->store, plain, sizeof(plain));
    lk_wipe(txn->store, key, sizeof(key));
    return error;
}

int lk_recovery_spend(struct lk_txn *txn, struct lk_id id, uint32_t place)
{
    uint8_t left[LK_RECOVERY_COUNT * LK_TOKEN_HASH_SIZE];
    struct lk_credential credential;
    size_t before, after;
    int error = lk_get(txn, &lk_kind_credential, id, &credential.record);

    if (error) {
        return error;
    }
    before = ((size_t)place - 1) * LK_TOKEN_HASH_SIZE;
    if (!place || before + LK_TOKEN_HASH_SIZE > credential.secret.size ||
        credential.secret.size > sizeof(left)) {
        return LK_E_CORRUPT;
    }
    after = credential.secret.size - before - LK_TOKEN_HASH_SIZE;
    memcpy(left, credential.secret.data, before);
    memcpy(left + before, credential.secret.data + before + LK_TOKEN_HASH_SIZE, after);
    lk_set_span(&lk_kind_credential, &credential.record, "secret",
                (struct lk_span){left, before + after});
    if (!(before + after)) {
        credential.record.present &= ~LK_BIT(10);
    }
    lk_set_number(&lk_kind_credential, &credential.record, "last_used_at", txn->now_ms);
    return lk_record_store(txn, &lk_kind_credential, &credential.record, lk_work(txn)->new_value);
}

static int recovery_make(struct lk_store *store, const uint8_t key[LK_HASH_SIZE],
                         char code[LK_RECOVERY_SIZE], uint8_t hash[LK_TOKEN_HASH_SIZE])
{
    uint8_t plain[LK_RECOVERY_DIGITS];
    size_t i;
    int error = lk_random(store, plain, sizeof(plain));

    for (i = 0; !error && i < sizeof(plain); i++) {
        plain[i] = (uint8_t)recovery_alphabet[plain[i] % 32];
        code[i + i / 5] = (char)plain[i];
    }
    if (!error) {
        code[5] = '-';
        code[LK_RECOVERY_SIZE - 1] = '\0';
        error = recovery_hash(store, key, plain, hash);
    }
    lk_wipe(store, plain, sizeof(plain));
    return error;
}

int lk_recovery_add(struct lk_txn *txn, struct lk_id user,
                    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], struct lk_id *id)
{
    uint8_t hashes[LK_RECOVERY_COUNT * LK_TOKEN_HASH_SIZE], key[LK_HASH_SIZE];
    uint8_t sealed[LK_HASH_SIZE + LK_SEAL_EXTRA];
    size_t sealed_size = 0;
    struct lk_id place = {user.tenant, user.user, 0};
    struct lk_credential credential;
    struct lk_user record;
    enum lk_operation operation = LK_UPDATE;
    size_t i;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_get(txn, &lk_kind_user, place, &record.record);
    }
    if (error) {
        return error;
    }
    error = lk_credential_find(txn, user, LK_CREDENTIAL_RECOVERY, &credential);
    place.sub = error ? 0 : credential.record.id.sub;
    if (error == LK_E_NOT_FOUND) {
        operation = LK_ADD;
        error = lk_sequence_peek(txn, user.tenant, &lk_kind_credential, &place.sub);
    }
    if (!error) {
        memset(&credential, 0, sizeof(credential));
        error = lk_random(txn->store, key, sizeof(key));
    }
    /* 50 bits are searched by whoever has the key: each set has a new one, and only sealed. */
    if (!error) {
        error =
            lk_seal_as(txn->store, place, LK_SEALED_HASH_KEY, (struct lk_span){key, sizeof(key)},
                       sealed, sizeof(sealed), &sealed_size);
    }
    for (i = 0; !error && i < LK_RECOVERY_COUNT; i++) {
        error = recovery_make(txn->store, key, codes[i], hashes + i * LK_TOKEN_HASH_SIZE);
    }
    lk_wipe(txn->store, key, sizeof(key));
    if (!error) {
        lk_set_number(&lk_kind_credential, &credential.record, "type", LK_CREDENTIAL_RECOVERY);
        lk_set_span(&lk_kind_credential, &credential.record, "secret",
                    (struct lk_span){hashes, sizeof(hashes)});
        lk_set_span(&lk_kind_credential, &credential.record, "hash_key",
                    (struct lk_span){sealed, sealed_size});
        error = lk_write(txn, &lk_kind_credential, operation, place, &credential.record, 0, NULL,
                         LK_W_SYSTEM | (operation == LK_ADD ? LK_W_GIVEN_ID : 0));
    }
    if (error) {
        lk_wipe(txn->store, codes, LK_RECOVERY_COUNT * LK_RECOVERY_SIZE);
        return error;
    }
    *id = place;
    return 0;
}
