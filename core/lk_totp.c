// SPDX-License-Identifier: MIT
/*
 * lk_totp.c: time-based one-time codes (RFC 6238 over RFC 4226), steps of 30 s.
 *
 * The seed is sealed in the credential: a form byte, then the seed. It is told once, when it is
 * made, and counts for nothing until a code of it was given. The newest step that was used is kept,
 * and no code of that step or an older one is taken again.
 */
#include "lk_factor.h"

#define TOTP_FORM     3 /* after the forms of password verifiers, which are sealed alike */
#define TOTP_WINDOW   1 /* steps that a person's clock may be off */
#define TOTP_SEED_MIN 16
/* Steps that a power cut may set the time back by, and one for the remainder. */
#define TOTP_LAG        (LK_CLOCK_GRAIN_MS / LK_TOTP_PERIOD_MS + 1)
#define TOTP_PLAIN_MAX  (1 + LK_TOTP_SEED_MAX)
#define TOTP_SEALED_MAX (TOTP_PLAIN_MAX + LK_SEAL_EXTRA)
#define TOTP_ISSUER_MAX 64 /* bytes of the tenant's name that an authenticator is told */

/* Bytes of each hash, and of a new seed (RFC 4226, section 4; RFC 6238, section 5.1). */
static const uint8_t totp_hash_sizes[] = {
    [LK_HMAC_SHA1] = 20, [LK_HMAC_SHA256] = 32, [LK_HMAC_SHA512] = 64};

/* ---- Codes ---- */

void lk_code_take(struct lk_span given, struct lk_code *code)
{
    size_t i;

    code->size = 0;
    for (i = 0; i < given.size; i++) {
        if (given.data[i] == ' ' || given.data[i] == '-') {
            continue;
        }
        if (code->size == sizeof(code->text)) {
            code->size = 0;
            return;
        }
        code->text[code->size++] = given.data[i];
    }
}

/* The number that the hash's last four bits point at (RFC 4226, section 5.3); they choose neither a
 * jump nor an address. */
static uint32_t totp_truncate(const uint8_t *mac, size_t size)
{
    uint32_t offset = mac[size - 1] & 0x0F, number = 0, i;

    for (i = 0; i < 16; i++) {
        uint32_t here = 0 - (((i ^ offset) - 1) >> 31); /* all ones, or 0 */

        number |= here & ((uint32_t)mac[i] << 24 | (uint32_t)mac[i + 1] << 16 |
                          (uint32_t)mac[i + 2] << 8 | mac[i + 3]);
    }
    return number & 0x7FFFFFFF;
}

int lk_totp_code(const struct lk_store *store, enum lk_hmac algorithm, struct lk_span seed,
                 uint64_t step, unsigned digits, char out[LK_TOTP_DIGITS_MAX + 1])
{
    const struct lk_port *port = store->port;
    uint8_t counter[8], mac[LK_HMAC_MAX];
    uint32_t number = 0;
    unsigned i;
    int error;

    for (i = 0; i < sizeof(counter); i++) {
        counter[i] = (uint8_t)(step >> (56 - 8 * i));
    }
    if ((unsigned)algorithm >= LK_COUNT(totp_hash_sizes) || digits > LK_TOTP_DIGITS_MAX ||
        !port->crypto->hmac) {
        return LK_E_UNSUPPORTED;
    }
    error = port->crypto->hmac(port->self, algorithm, seed,
                               (struct lk_span){counter, sizeof(counter)}, mac);
    if (!error) {
        number = totp_truncate(mac, totp_hash_sizes[algorithm]);
        out[digits] = '\0';
        for (i = digits; i; number /= 10) {
            out[--i] = (char)('0' + number % 10);
        }
    }
    lk_wipe(store, mac, sizeof(mac));
    return error;
}

static int totp_unseal(struct lk_store *store, const struct lk_credential *credential,
                       uint8_t plain[TOTP_PLAIN_MAX], struct lk_span *seed)
{
    size_t size;
    int error = lk_unseal_as(store, credential->record.id, LK_SEALED_SECRET, credential->secret,
                             plain, TOTP_PLAIN_MAX, &size);

    if (!error && (plain[0] != TOTP_FORM || size < 1 + TOTP_SEED_MIN)) {
        error = LK_E_CORRUPT;
    }
    *seed = (struct lk_span){plain + 1, error ? 0 : size - 1};
    return error;
}

/* Nothing up to this step is taken. In an epoch of time no step that was taken is further ahead
 * than the window and what the time may lag: one that is was taken before the clock was set back,
 * and would shut its user out until then. */
static uint64_t totp_used(const struct lk_txn *txn, const struct lk_credential *credential,
                          uint64_t now)
{
    bool before = txn->store->time_epoch && credential->last_step > now + TOTP_WINDOW + TOTP_LAG;

    return before ? 0 : credential->last_step;
}

int lk_totp_match(struct lk_txn *txn, const struct lk_credential *credential,
                  const struct lk_code *code, uint64_t *step)
{
    struct lk_store *store = txn->store;
    uint64_t now = txn->now_ms / LK_TOTP_PERIOD_MS, at;
    uint8_t plain[TOTP_PLAIN_MAX];
    char wanted[LK_TOTP_DIGITS_MAX + 1];
    struct lk_span seed;
    int error;

    *step = 0;
    if (!lk_clock_trusted(txn) || !code->size || code->size != credential->digits ||
        !credential->secret.size) {
        return 0;
    }
    error = totp_unseal(store, credential, plain, &seed);
    /* Each candidate is computed and compared, whichever fits. */
    for (at = now > TOTP_WINDOW ? now - TOTP_WINDOW : 1; !error && at <= now + TOTP_WINDOW; at++) {
        error = lk_totp_code(store, (enum lk_hmac)credential->algorithm, seed, at,
                             (unsigned)credential->digits, wanted);
        if (!error && store->port->crypto->equal(wanted, code->text, code->size) &&
            at > totp_used(txn, credential, now)) {
            *step = at;
        }
    }
    lk_wipe(store, plain, sizeof(plain));
    lk_wipe(store, wanted, sizeof(wanted));
    /* What this build cannot compute fits nothing. */
    return error == LK_E_UNSUPPORTED ? 0 : error;
}

static void totp_set(struct lk_credential *credential, unsigned number, uint64_t value)
{
    lk_field_set_number(&credential->record, lk_field_numbered(&lk_kind_credential, number), value);
}

/* A first code is audited as a change; later ones are part of a login. */
int lk_totp_spend(struct lk_txn *txn, struct lk_id id, uint64_t step)
{
    struct lk_credential credential, patch;
    int error = lk_get(txn, &lk_kind_credential, id, &credential.record);

    if (!error && !credential.confirmed) {
        memset(&patch, 0, sizeof(patch));
        totp_set(&patch, 19, step);
        totp_set(&patch, 20, 1);
        return lk_write(txn, &lk_kind_credential, LK_UPDATE, id, &patch.record, 0, "confirm",
                        LK_W_SYSTEM);
    }
    if (!error) {
        totp_set(&credential, 13, txn->now_ms);
        totp_set(&credential, 19, step);
        error =
            lk_record_store(txn, &lk_kind_credential, &credential.record, lk_work(txn)->new_value);
    }
    return error;
}

/* ---- What an authenticator is told ---- */

/* Percent-encoded but for what RFC 3986 leaves unreserved. A colon parts the label, so none may be
 * in its parts. */
static void totp_escape(struct lk_words *words, struct lk_span text)
{
    static const char digits[] = "0123456789ABCDEF";
    char piece[4];
    size_t i;

    for (i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i] == ':' ? '-' : text.data[i], lower = lk_ascii_lower(byte);

        if ((lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
            byte == '.' || byte == '_' || byte == '~') {
            piece[0] = (char)byte;
            piece[1] = '\0';
        } else {
            piece[0] = '%';
            piece[1] = digits[byte >> 4];
            piece[2] = digits[byte & 15];
            piece[3] = '\0';
        }
        lk_words_add(words, piece);
    }
}

static void totp_uri(struct lk_totp_offer *offer, struct lk_span issuer, struct lk_span name,
                     const struct lk_totp_options *options)
{
    static const char *const algorithms[] = {"SHA1", "SHA256", "SHA512"};
    struct lk_words words = {offer->uri, 0, sizeof(offer->uri) - 1};

    lk_words_add(&words, "otpauth://totp/");
    totp_escape(&words, issuer);
    lk_words_add(&words, ":");
    totp_escape(&words, name);
    lk_words_add(&words, "?secret=");
    lk_words_add(&words, offer->seed);
    lk_words_add(&words, "&issuer=");
    totp_escape(&words, issuer);
    lk_words_add(&words, "&algorithm=");
    lk_words_add(&words, algorithms[options->algorithm]);
    lk_words_add(&words, options->digits == 8 ? "&digits=8" : "&digits=6");
    lk_words_add(&words, "&period=30");
    offer->uri[words.size] = '\0';
}

static int totp_tell(struct lk_txn *txn, struct lk_id user, struct lk_span seed,
                     const struct lk_totp_options *options, struct lk_totp_offer *offer)
{
    uint8_t issuer[TOTP_ISSUER_MAX];
    struct lk_tenant tenant;
    struct lk_user record;
    struct lk_span name;
    int error = lk_get(txn, &lk_kind_tenant, (struct lk_id){user.tenant, 0, 0}, &tenant.record);

    if (error) {
        return error;
    }
    name =
        lk_text_kept(tenant.display_name.size ? tenant.display_name : tenant.name, sizeof(issuer));
    memcpy(issuer, name.data, name.size); /* it ends with the next call */
    error = lk_get(txn, &lk_kind_user, user, &record.record);
    if (!error) {
        error = lk_base32_encode(seed, offer->seed, sizeof(offer->seed));
    }
    if (error < 0) {
        return error;
    }
    totp_uri(offer, (struct lk_span){issuer, name.size}, record.username, options);
    return 0;
}

/* ---- Making one ---- */

/* Is there room for one more? One of this label that counts for nothing (nobody
 * confirmed it, or it was put back without its seed) gives way: `old`. */
static int totp_room(struct lk_txn *txn, struct lk_id user, struct lk_span label, struct lk_id *old)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = user};
    struct lk_credential credential;
    unsigned count = 0;
    bool taken = false;
    int error = lk_list_begin(txn, &list);

    *old = (struct lk_id){0, 0, 0};
    while (!error) {
        error = lk_list_next(&list, &credential.record);
        if (error || credential.type != LK_CREDENTIAL_TOTP) {
            continue;
        }
        count++;
        if (lk_span_equal(credential.label, label)) {
            bool counts = credential.confirmed && credential.secret.size;

            taken = taken || counts;
            *old = counts ? *old : credential.record.id;
        }
    }
    lk_list_end(&list);
    if (error != LK_E_NOT_FOUND) {
        return error;
    }
    if (taken) {
        return lk_refuse(txn, LK_E_CONFLICT, &lk_kind_credential, "label", label,
                         "is another one's: give this one a label of its own");
    }
    return count < LK_TOTP_MAX || old->sub
               ? 0
               : lk_refuse(txn, LK_E_LIMIT, &lk_kind_credential, "type", LK_TEXT("totp"),
                           "has as many as a user may have");
}

static int totp_check(struct lk_txn *txn, const struct lk_totp_options *options)
{
    char code[LK_TOTP_DIGITS_MAX + 1];
    int error;

    if (options->digits != 6 && options->digits != 8) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "digits", LK_TEXT(""),
                         "is neither 6 nor 8");
    }
    /* What this build cannot compute is not handed out. */
    error = lk_totp_code(txn->store, options->algorithm, LK_TEXT("seed"), 1, 6, code);
    return error == LK_E_UNSUPPORTED ? lk_refuse(txn, error, &lk_kind_credential, "algorithm",
                                                 LK_TEXT(""), "is one that this build has not")
                                     : error;
}

static int totp_put(struct lk_txn *txn, struct lk_id user, struct lk_span label,
                    const struct lk_totp_options *options, struct lk_span seed, struct lk_id *id)
{
    struct lk_credential credential;
    uint8_t plain[TOTP_PLAIN_MAX], sealed[TOTP_SEALED_MAX];
    size_t size;
    int error;

    memset(&credential, 0, sizeof(credential));
    credential.record.id = (struct lk_id){user.tenant, user.user, 0};
    error = lk_sequence_peek(txn, user.tenant, &lk_kind_credential, &credential.record.id.sub);
    if (!error) {
        plain[0] = TOTP_FORM;
        memcpy(plain + 1, seed.data, seed.size);
        error = lk_seal_as(txn->store, credential.record.id, LK_SEALED_SECRET,
                           (struct lk_span){plain, 1 + seed.size}, sealed, sizeof(sealed), &size);
        lk_wipe(txn->store, plain, sizeof(plain));
    }
    if (error) {
        return error;
    }
    totp_set(&credential, 8, LK_CREDENTIAL_TOTP);
    if (label.size) {
        lk_set_span(&lk_kind_credential, &credential.record, "label", label);
    }
    lk_set_span(&lk_kind_credential, &credential.record, "secret", (struct lk_span){sealed, size});
    totp_set(&credential, 21, options->algorithm);
    totp_set(&credential, 22, options->digits);
    error = lk_write(txn, &lk_kind_credential, LK_ADD, credential.record.id, &credential.record, 0,
                     NULL, LK_W_SYSTEM | LK_W_GIVEN_ID);
    *id = credential.record.id;
    return error;
}

int lk_totp_add(struct lk_txn *txn, struct lk_id user, struct lk_span label,
                const struct lk_totp_options *options, struct lk_totp_offer *offer,
                struct lk_id *id)
{
    struct lk_totp_options wanted = {LK_HMAC_SHA1, 6};
    uint8_t seed[LK_TOTP_SEED_MAX];
    struct lk_span made = {seed, 0};
    struct lk_user record;
    struct lk_id old, made_id;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    user.sub = 0;
    if (options) {
        wanted.algorithm = options->algorithm;
        wanted.digits = options->digits ? options->digits : 6;
    }
    if (!error) {
        error = lk_get(txn, &lk_kind_user, user, &record.record);
    }
    if (!error) {
        error = totp_check(txn, &wanted);
    }
    if (!error) {
        error = totp_room(txn, user, label, &old);
    }
    if (error) {
        return error;
    }
    made.size = totp_hash_sizes[wanted.algorithm];
    error = lk_random(txn->store, seed, made.size);
    if (!error) {
        error = totp_tell(txn, user, made, &wanted, offer);
    }
    if (!error && old.sub) {
        error = lk_spoil(txn, lk_drop(txn, &lk_kind_credential, old));
    }
    if (!error) {
        error = totp_put(txn, user, label, &wanted, made, &made_id);
        error = old.sub ? lk_spoil(txn, error) : error;
    }
    lk_wipe(txn->store, seed, sizeof(seed));
    if (error) {
        lk_wipe(txn->store, offer, sizeof(*offer));
        return error;
    }
    *id = made_id;
    return 0;
}

int lk_totp_confirm(struct lk_txn *txn, struct lk_id user, struct lk_span code, struct lk_id *id)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = {user.tenant, user.user, 0}};
    struct lk_credential credential;
    struct lk_id found = {0, 0, 0};
    struct lk_code taken;
    uint64_t step = 0, at;
    unsigned count = 0;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    lk_code_take(code, &taken);
    if (!error) {
        error = lk_list_begin(txn, &list);
    }
    while (!error) {
        error = lk_list_next(&list, &credential.record);
        if (error || credential.type != LK_CREDENTIAL_TOTP || credential.confirmed) {
            continue;
        }
        count++;
        error = lk_totp_match(txn, &credential, &taken, &at);
        if (!error && at) {
            step = at;
            found = credential.record.id;
        }
    }
    lk_list_end(&list);
    lk_wipe(txn->store, &taken, sizeof(taken));
    if (error != LK_E_NOT_FOUND || !count) {
        return error;
    }
    if (!lk_clock_trusted(txn)) {
        return lk_refuse(txn, LK_E_REFUSED, &lk_kind_credential, "code", LK_TEXT(""),
                         "cannot be checked while the clock is not set");
    }
    if (!step) {
        return lk_refuse(txn, LK_E_REFUSED, &lk_kind_credential, "code", LK_TEXT(""),
                         "is not the one of now");
    }
    *id = found;
    return lk_totp_spend(txn, found, step);
}

/* ---- Out of one store and into another ---- */

int lk_totp_export(struct lk_txn *txn, struct lk_id id, char out[LK_TOTP_SEED_TEXT])
{
    struct lk_credential credential;
    uint8_t plain[TOTP_PLAIN_MAX];
    struct lk_span seed;
    int error = lk_get(txn, &lk_kind_credential, id, &credential.record);

    if (!error && (credential.type != LK_CREDENTIAL_TOTP || !credential.secret.size)) {
        error = LK_E_NOT_FOUND;
    }
    if (error) {
        return error;
    }
    error = totp_unseal(txn->store, &credential, plain, &seed);
    if (!error) {
        error = lk_base32_encode(seed, out, LK_TOTP_SEED_TEXT);
    }
    lk_wipe(txn->store, plain, sizeof(plain));
    return error < 0 ? error : 0;
}

int lk_totp_put_back(struct lk_txn *txn, struct lk_id id, struct lk_span seed)
{
    struct lk_credential credential;
    uint8_t plain[TOTP_PLAIN_MAX], sealed[TOTP_SEALED_MAX];
    size_t size = 0;
    int error = txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (error) {
        return error;
    }
    plain[0] = TOTP_FORM;
    error = lk_base32_decode(seed, plain + 1, sizeof(plain) - 1, &size);
    if (error || size < TOTP_SEED_MIN) {
        error = lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "seed", LK_TEXT(""),
                          "is not 16 to 64 bytes in base32 (RFC 4648)");
    }
    if (!error) {
        error = lk_seal_as(txn->store, id, LK_SEALED_SECRET, (struct lk_span){plain, 1 + size},
                           sealed, sizeof(sealed), &size);
    }
    lk_wipe(txn->store, plain, sizeof(plain));
    if (!error) {
        error = lk_get(txn, &lk_kind_credential, id, &credential.record);
    }
    if (error) {
        return error;
    }
    if (credential.type != LK_CREDENTIAL_TOTP) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "seed", LK_TEXT(""),
                         "belongs to credentials of type totp only");
    }
    lk_set_span(&lk_kind_credential, &credential.record, "secret", (struct lk_span){sealed, size});
    /* What was used before the export is not known here: nothing up to now is taken again. */
    if (lk_clock_trusted(txn)) {
        totp_set(&credential, 19, txn->now_ms / LK_TOTP_PERIOD_MS);
    }
    return lk_record_store(txn, &lk_kind_credential, &credential.record, lk_work(txn)->new_value);
}
