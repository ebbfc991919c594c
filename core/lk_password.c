// SPDX-License-Identifier: MIT
/*
 * lk_password.c: password verifiers and claim codes.
 *
 * What is sealed of a verifier is a form byte, then the verifier. A claim code is random enough for
 * a keyed hash.
 */
#include "lk_engine.h"

#define PASSWORD_PLAIN_MAX (1 + LK_VERIFIER_MAX)
#define CLAIM_TRIES        10
#define CLAIM_DAYS         7

static size_t password_pack(const struct lk_verifier *verifier, uint8_t plain[PASSWORD_PLAIN_MAX])
{
    const struct lk_pwhash_params *params = &verifier->argon2id.params;
    unsigned i;

    plain[0] = verifier->form;
    if (verifier->form == LK_VERIFIER_FOREIGN) {
        memcpy(plain + 1, verifier->foreign, verifier->foreign_size);
        return 1 + verifier->foreign_size;
    }
    for (i = 0; i < 4; i++) {
        plain[1 + i] = (uint8_t)(params->memory_kib >> (24 - 8 * i));
    }
    plain[5] = (uint8_t)params->passes;
    memcpy(plain + 6, verifier->argon2id.salt, LK_PWHASH_SALT_SIZE);
    memcpy(plain + 6 + LK_PWHASH_SALT_SIZE, verifier->argon2id.hash, LK_PWHASH_SIZE);
    return 6 + LK_PWHASH_SALT_SIZE + LK_PWHASH_SIZE;
}

int lk_verifier_unpack(const uint8_t *plain, size_t size, struct lk_verifier *verifier)
{
    struct lk_pwhash_params *params = &verifier->argon2id.params;
    unsigned i;

    memset(verifier, 0, sizeof(*verifier));
    verifier->form = size ? plain[0] : 0;
    if (verifier->form == LK_VERIFIER_FOREIGN && size - 1 <= LK_VERIFIER_MAX) {
        memcpy(verifier->foreign, plain + 1, size - 1);
        verifier->foreign_size = size - 1;
        return 0;
    }
    if (verifier->form != LK_VERIFIER_ARGON2ID ||
        size != 6 + LK_PWHASH_SALT_SIZE + LK_PWHASH_SIZE) {
        return LK_E_CORRUPT;
    }
    for (i = 0; i < 4; i++) {
        params->memory_kib = params->memory_kib << 8 | plain[1 + i];
    }
    params->passes = plain[5];
    params->lanes = 1;
    memcpy(verifier->argon2id.salt, plain + 6, LK_PWHASH_SALT_SIZE);
    memcpy(verifier->argon2id.hash, plain + 6 + LK_PWHASH_SALT_SIZE, LK_PWHASH_SIZE);
    return 0;
}

int lk_verifier_seal(struct lk_store *store, struct lk_id credential,
                     const struct lk_verifier *verifier, uint8_t *out, size_t capacity,
                     size_t *size)
{
    uint8_t plain[PASSWORD_PLAIN_MAX];
    size_t plain_size = password_pack(verifier, plain);
    int error = lk_seal_as(store, credential, LK_SEALED_SECRET, (struct lk_span){plain, plain_size},
                           out, capacity, size);

    lk_wipe(store, plain, sizeof(plain));
    return error;
}

/* A verifier that was only sealed anew is the same. */
uint64_t lk_verifier_stamp(struct lk_store *store, const struct lk_credential *credential)
{
    uint8_t plain[PASSWORD_PLAIN_MAX];
    size_t size;
    uint64_t stamp;

    if (lk_unseal_as(store, credential->record.id, LK_SEALED_SECRET, credential->secret, plain,
                     sizeof(plain), &size)) {
        return lk_stamp(store, credential->secret);
    }
    stamp = lk_stamp(store, (struct lk_span){plain, size});
    lk_wipe(store, plain, sizeof(plain));
    return stamp;
}

int lk_verifier_open(struct lk_store *store, struct lk_id credential, struct lk_span sealed,
                     struct lk_verifier *verifier)
{
    uint8_t plain[PASSWORD_PLAIN_MAX];
    size_t plain_size;
    int error = lk_unseal_as(store, credential, LK_SEALED_SECRET, sealed, plain, sizeof(plain),
                             &plain_size);

    if (!error) {
        error = lk_verifier_unpack(plain, plain_size, verifier);
    }
    lk_wipe(store, plain, sizeof(plain));
    return error;
}

int lk_credential_find(struct lk_txn *txn, struct lk_id user, enum lk_credential_type type,
                       struct lk_credential *credential)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = user};
    int error = lk_list_begin(txn, &list);

    while (!error) {
        error = lk_list_next(&list, &credential->record);
        if (!error && credential->type == type) {
            break;
        }
    }
    lk_list_end(&list);
    return error;
}

static void password_set_number(struct lk_credential *credential, unsigned number, uint64_t value)
{
    lk_field_set_number(&credential->record, lk_field_numbered(&lk_kind_credential, number), value);
}

static void password_set_span(struct lk_credential *credential, unsigned number,
                              struct lk_span value)
{
    lk_field_set_span(&credential->record, lk_field_numbered(&lk_kind_credential, number), value);
}

/* Ends what a new password puts an end to: a claim code, and the duty to change. */
static int password_settle(struct lk_txn *txn, struct lk_id user)
{
    struct lk_credential claim;
    struct lk_user record;
    int error = lk_credential_find(txn, user, LK_CREDENTIAL_CLAIM, &claim);

    if (!error) {
        error = lk_drop(txn, &lk_kind_credential, claim.record.id);
    }
    if (error && error != LK_E_NOT_FOUND) {
        return error;
    }
    memset(&record, 0, sizeof(record));
    return lk_write(txn, &lk_kind_user, LK_UPDATE, user, &record.record, LK_BIT(15), NULL,
                    LK_W_QUIET);
}

/* A damaged credential is in nobody's way: it goes, and what is sound is found. Asked twice, since
 * a medium may fail once. */
static int password_find_sound(struct lk_txn *txn, struct lk_id user,
                               struct lk_credential *credential)
{
    struct lk_id damaged = {0, 0, 0};
    int error;

    memset(credential, 0, sizeof(*credential));
    for (;;) {
        error = lk_credential_find(txn, user, LK_CREDENTIAL_PASSWORD, credential);
        if (error != LK_E_CORRUPT || !credential->record.id.sub) {
            return error;
        }
        if (credential->record.id.sub == damaged.sub) {
            error = lk_drop(txn, &lk_kind_credential, damaged);
            if (error) {
                return error;
            }
        }
        damaged = credential->record.id;
    }
}

int lk_password_put(struct lk_txn *txn, struct lk_id user, const struct lk_verifier *verifier,
                    const struct lk_password_how *how, unsigned flags)
{
    struct lk_credential credential;
    uint8_t sealed[LK_SEAL_NONCE_SIZE + PASSWORD_PLAIN_MAX + LK_SEAL_TAG_SIZE];
    uint8_t history[LK_HISTORY_MAX];
    struct lk_id id = {user.tenant, user.user, 0};
    enum lk_operation operation = LK_UPDATE;
    size_t size, history_size = 0;
    uint64_t clear = 0;
    int error = password_find_sound(txn, user, &credential);

    if (error == LK_E_NOT_FOUND) {
        operation = LK_ADD;
        error = lk_sequence_peek(txn, user.tenant, &lk_kind_credential, &id.sub);
    } else if (!error) {
        id = credential.record.id;
        if (how->set) {
            error = lk_history_push(txn->store, &credential, how->earlier, history, &history_size);
            clear = history_size ? 0 : LK_BIT(18);
        }
    }
    if (!error) {
        error = lk_verifier_seal(txn->store, id, verifier, sealed, sizeof(sealed), &size);
    }
    if (error) {
        return error;
    }
    memset(&credential, 0, sizeof(credential));
    credential.record.id = id;
    password_set_number(&credential, 8, LK_CREDENTIAL_PASSWORD);
    password_set_span(&credential, 10, (struct lk_span){sealed, size});
    if (how->set) {
        password_set_number(&credential, 17, txn->now_ms);
    }
    if (history_size) {
        password_set_span(&credential, 18, (struct lk_span){history, history_size});
    }
    return lk_write(txn, &lk_kind_credential, operation, id, &credential.record, clear, how->verb,
                    flags | LK_W_SYSTEM | (operation == LK_ADD ? LK_W_GIVEN_ID : 0));
}

/* Does the tenant allow it? `earlier`: so many of the passwords before are to be remembered. */
static int password_permitted(struct lk_txn *txn, struct lk_id user,
                              const struct lk_password *password, unsigned *earlier)
{
    struct lk_password_policy policy;
    const char *rule = NULL;
    int error = lk_password_policy(txn, user, &policy);

    if (!error) {
        error = lk_password_allowed(txn, user, &policy, password, &rule);
    }
    *earlier = !error && policy.history ? (unsigned)policy.history - 1 : 0;
    return rule ? lk_refuse(txn, error, &lk_kind_credential, "password", LK_TEXT(""), rule) : error;
}

int lk_password_set(struct lk_txn *txn, struct lk_id user, const struct lk_password *password,
                    uint32_t keep_session)
{
    struct lk_password_how how = {.verb = "user.passwd", .set = true};
    struct lk_verifier verifier;
    int error = password_permitted(txn, user, password, &how.earlier);

    if (error) {
        return error;
    }
    memset(&verifier, 0, sizeof(verifier));
    verifier.form = LK_VERIFIER_ARGON2ID;
    verifier.argon2id = *password;
    error = lk_password_put(txn, user, &verifier, &how, 0);
    lk_wipe(txn->store, &verifier, sizeof(verifier));
    if (error) {
        return error;
    }
    error = password_settle(txn, user);
    return lk_spoil(txn, error ? error : lk_sessions_drop(txn, user, keep_session, NULL));
}

/* ---- Verifiers of other programs ---- */

static int password_field(struct lk_span *at, struct lk_span *field)
{
    const uint8_t *end = at->size ? memchr(at->data, '$', at->size) : NULL;

    field->data = at->data;
    field->size = end ? (size_t)(end - at->data) : at->size;
    at->data += field->size + (end ? 1 : 0);
    at->size -= field->size + (end ? 1 : 0);
    return field->size ? 0 : LK_E_USAGE;
}

/* A "name=" number up to the next comma. */
static int password_parameter(struct lk_span *at, char name, uint64_t *number)
{
    const uint8_t *comma = at->size ? memchr(at->data, ',', at->size) : NULL;
    struct lk_span text = {at->data, comma ? (size_t)(comma - at->data) : at->size};

    if (text.size < 3 || text.data[0] != (uint8_t)name || text.data[1] != '=') {
        return LK_E_USAGE;
    }
    at->data += text.size + (comma ? 1 : 0);
    at->size -= text.size + (comma ? 1 : 0);
    return lk_uint_parse((struct lk_span){text.data + 2, text.size - 2}, number);
}

/* Our own PHC form, which is kept without its text. LK_E_USAGE for any other. */
static int password_phc(struct lk_span hash, struct lk_password *out)
{
    static const char head[] = "$argon2id$v=19$";
    struct lk_span at = hash, parameters, salt, value;
    uint64_t memory, passes, lanes;
    size_t size;

    if (hash.size < sizeof(head) || memcmp(hash.data, head, sizeof(head) - 1) != 0) {
        return LK_E_USAGE;
    }
    at.data += sizeof(head) - 1;
    at.size -= sizeof(head) - 1;
    if (password_field(&at, &parameters) || password_field(&at, &salt) ||
        password_field(&at, &value) || at.size || password_parameter(&parameters, 'm', &memory) ||
        password_parameter(&parameters, 't', &passes) ||
        password_parameter(&parameters, 'p', &lanes) || parameters.size || lanes != 1 ||
        memory < 8 || memory > UINT32_MAX || passes < 1 || passes > 255 ||
        salt.size != (LK_PWHASH_SALT_SIZE * 4 + 2) / 3 ||
        value.size != (LK_PWHASH_SIZE * 4 + 2) / 3) {
        return LK_E_USAGE;
    }
    out->params = (struct lk_pwhash_params){(uint32_t)memory, (uint32_t)passes, 1};
    out->length = LK_PASSWORD_MAX;
    if (lk_base64_decode(salt, out->salt, sizeof(out->salt), &size) || size != sizeof(out->salt) ||
        lk_base64_decode(value, out->hash, sizeof(out->hash), &size) || size != sizeof(out->hash)) {
        return LK_E_USAGE;
    }
    return 0;
}

int lk_password_hash_check(struct lk_txn *txn, struct lk_span hash)
{
    const struct lk_port *port = txn->store->port;
    const char *rule = "is of a form that this build cannot verify";
    int error = LK_E_UNSUPPORTED;

    if (hash.size > LK_VERIFIER_MAX) {
        error = LK_E_CHECK;
        rule = "is longer than any hash this build knows";
    } else if (port->crypto->foreign_check) {
        error = port->crypto->foreign_check(port->self, hash, &rule);
    }
    return error ? lk_refuse(txn, error, &lk_kind_credential, "password_hash", LK_TEXT(""), rule)
                 : 0;
}

static int password_from_hash(struct lk_txn *txn, struct lk_span hash, struct lk_verifier *verifier)
{
    int error = lk_password_hash_check(txn, hash);

    if (error) {
        return error;
    }
    memset(verifier, 0, sizeof(*verifier));
    verifier->form = LK_VERIFIER_ARGON2ID;
    if (password_phc(hash, &verifier->argon2id)) {
        verifier->form = LK_VERIFIER_FOREIGN;
        memcpy(verifier->foreign, hash.data, hash.size);
        verifier->foreign_size = hash.size;
    }
    return 0;
}

int lk_password_import(struct lk_txn *txn, struct lk_id user, struct lk_span hash)
{
    static const struct lk_password_how how = {.verb = "user.passwd"};
    struct lk_verifier verifier;
    struct lk_user record;
    int error = lk_get(txn, &lk_kind_user, user, &record.record);

    if (!error) {
        error = password_from_hash(txn, hash, &verifier);
    }
    if (!error) {
        error = lk_password_put(txn, user, &verifier, &how, 0);
        lk_wipe(txn->store, &verifier, sizeof(verifier));
    }
    return error ? error : lk_spoil(txn, lk_sessions_drop(txn, user, 0, NULL));
}

int lk_password_put_back(struct lk_txn *txn, struct lk_id credential, struct lk_span hash)
{
    struct lk_credential record;
    struct lk_verifier verifier;
    struct lk_work *work = lk_work(txn);
    uint8_t sealed[PASSWORD_PLAIN_MAX + LK_SEAL_EXTRA];
    size_t size;
    int error = txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = password_from_hash(txn, hash, &verifier);
    }
    if (!error) {
        error = lk_verifier_seal(txn->store, credential, &verifier, sealed, sizeof(sealed), &size);
        lk_wipe(txn->store, &verifier, sizeof(verifier));
    }
    if (!error) {
        error = lk_get(txn, &lk_kind_credential, credential, &record.record);
    }
    if (error) {
        return error;
    }
    if (record.type != LK_CREDENTIAL_PASSWORD) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "verifier", LK_TEXT(""),
                         "belongs to passwords only");
    }
    password_set_span(&record, 10, (struct lk_span){sealed, size});
    return lk_record_store(txn, &lk_kind_credential, &record.record, work->new_value);
}

int lk_password_export(struct lk_txn *txn, struct lk_id credential, char *out, size_t size)
{
    struct lk_credential record;
    struct lk_verifier verifier;
    struct lk_words words = {out, 0, size ? size - 1 : 0};
    char text[64];
    int error = lk_get(txn, &lk_kind_credential, credential, &record.record);

    if (!error && (record.type != LK_CREDENTIAL_PASSWORD || !record.secret.size)) {
        error = LK_E_NOT_FOUND;
    }
    if (!error) {
        error = lk_verifier_open(txn->store, credential, record.secret, &verifier);
    }
    if (error) {
        return error;
    }
    if (size < LK_VERIFIER_MAX + 1) {
        error = LK_E_SPACE;
    } else if (verifier.form == LK_VERIFIER_FOREIGN) {
        lk_words_add_span(&words, (struct lk_span){verifier.foreign, verifier.foreign_size});
    } else {
        lk_words_add(&words, "$argon2id$v=19$m=");
        lk_words_add_number(&words, verifier.argon2id.params.memory_kib);
        lk_words_add(&words, ",t=");
        lk_words_add_number(&words, verifier.argon2id.params.passes);
        lk_words_add(&words, ",p=1$");
        /* PHC strings leave the padding off. */
        error = lk_base64_encode((struct lk_span){verifier.argon2id.salt, LK_PWHASH_SALT_SIZE},
                                 text, sizeof(text));
        lk_words_add_span(
            &words, (struct lk_span){(const uint8_t *)text, (LK_PWHASH_SALT_SIZE * 4 + 2) / 3});
        lk_words_add(&words, "$");
        if (error > 0) {
            error = lk_base64_encode((struct lk_span){verifier.argon2id.hash, LK_PWHASH_SIZE}, text,
                                     sizeof(text));
        }
        lk_words_add_span(&words,
                          (struct lk_span){(const uint8_t *)text, (LK_PWHASH_SIZE * 4 + 2) / 3});
        error = error > 0 ? 0 : error;
    }
    lk_wipe(txn->store, &verifier, sizeof(verifier));
    lk_wipe(txn->store, text, sizeof(text));
    if (!error) {
        out[words.size] = '\0';
    }
    return error;
}

/* ---- Claim codes ---- */

/* Dashes, spaces and case do not count. */
int lk_claim_hash(struct lk_store *store, struct lk_span code, uint8_t hash[LK_TOKEN_HASH_SIZE])
{
    const struct lk_port *port = store->port;
    uint8_t plain[16], full[LK_HASH_SIZE];
    size_t i, size = 0;
    int error;

    for (i = 0; i < code.size; i++) {
        uint8_t byte = lk_ascii_lower(code.data[i]);

        if (byte == '-' || byte == ' ') {
            continue;
        }
        if (size == sizeof(plain)) {
            return LK_E_REFUSED;
        }
        plain[size++] = byte;
    }
    if (size != sizeof(plain)) {
        return LK_E_REFUSED;
    }
    error = port->crypto->hash(port->self, store->token_key, sizeof(store->token_key),
                               LK_TEXT("claim"), (struct lk_span){plain, size}, full);
    memcpy(hash, full, LK_TOKEN_HASH_SIZE);
    lk_wipe(store, plain, sizeof(plain));
    return error;
}

int lk_claim_add(struct lk_txn *txn, struct lk_id user, char code[LK_CLAIM_SIZE])
{
    /* Without the letters and digits that people mistake for each other: 5 bits a character. */
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    struct lk_credential credential;
    uint8_t random[16], hash[LK_TOKEN_HASH_SIZE];
    size_t i, size = 0;
    int error = lk_random(txn->store, random, sizeof(random));

    if (error) {
        return error;
    }
    for (i = 0; i < sizeof(random); i++) {
        if (i && i % 4 == 0) {
            code[size++] = '-';
        }
        code[size++] = alphabet[random[i] % 32];
    }
    code[size] = '\0';
    lk_wipe(txn->store, random, sizeof(random));
    error = lk_claim_hash(txn->store, (struct lk_span){(const uint8_t *)code, size}, hash);
    if (error) {
        return error;
    }
    memset(&credential, 0, sizeof(credential));
    credential.record.id = (struct lk_id){user.tenant, user.user, 0};
    password_set_number(&credential, 8, LK_CREDENTIAL_CLAIM);
    password_set_span(&credential, 10, (struct lk_span){hash, sizeof(hash)});
    /* A device that never had a clock must be claimed too: no wall clock counts. */
    password_set_number(&credential, 23, lk_powered(txn) + (uint64_t)CLAIM_DAYS * LK_MS_PER_DAY);
    password_set_number(&credential, 15, CLAIM_TRIES);
    return lk_write(txn, &lk_kind_credential, LK_ADD, credential.record.id, &credential.record, 0,
                    "claim", LK_W_SYSTEM);
}
