// SPDX-License-Identifier: MIT
/*
 * lk_session.c: tokens, sessions and API keys.
 *
 * A token names its record (tenant, user, number) and carries 20 random bytes; the record holds a
 * keyed hash of the whole token. So a check is one get, one hash, one comparison in constant time.
 */
#include "lk_engine.h"

#define TOKEN_ID_TEXT  16
#define TOKEN_ID_BYTES 12
#define TOKEN_BYTES    32
#define TOKEN_RANDOM   20
#define TOKEN_SHOWN    24 /* "lka_", the ids, and 24 random bits of 160: enough to tell keys apart */

int lk_token_hash(struct lk_store *store, const uint8_t key[LK_HASH_SIZE], struct lk_span token,
                  uint8_t hash[LK_TOKEN_HASH_SIZE])
{
    const struct lk_port *port = store->port;
    uint8_t full[LK_HASH_SIZE];
    /* The key goes before the token in one BLAKE2b block: half the cost of the keyed mode. */
    int error =
        port->crypto->hash(port->self, NULL, 0, (struct lk_span){key, LK_HASH_SIZE}, token, full);

    memcpy(hash, full, LK_TOKEN_HASH_SIZE);
    return error;
}

void lk_put_u32be(uint8_t *out, uint32_t number)
{
    out[0] = (uint8_t)(number >> 24);
    out[1] = (uint8_t)(number >> 16);
    out[2] = (uint8_t)(number >> 8);
    out[3] = (uint8_t)number;
}

static uint32_t session_get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

int lk_token_make(struct lk_store *store, const uint8_t key[LK_HASH_SIZE], char kind,
                  struct lk_id id, char token[LK_TOKEN_SIZE], uint8_t hash[LK_TOKEN_HASH_SIZE])
{
    uint8_t bytes[TOKEN_BYTES];
    int error;

    lk_put_u32be(bytes, id.tenant);
    lk_put_u32be(bytes + 4, id.user);
    lk_put_u32be(bytes + 8, id.sub);
    error = lk_random(store, bytes + TOKEN_ID_BYTES, TOKEN_RANDOM);
    if (!error) {
        memcpy(token, "lk__", 4);
        token[2] = kind;
        error = lk_base64url_encode((struct lk_span){bytes, sizeof(bytes)}, token + 4,
                                    LK_TOKEN_SIZE - 4);
    }
    if (error >= 0) {
        error = lk_token_hash(store, key,
                              (struct lk_span){(const uint8_t *)token, LK_TOKEN_SIZE - 1}, hash);
    }
    lk_wipe(store, bytes, sizeof(bytes));
    return error;
}

/* Reads the id only: the rest is compared as text, by its hash. */
int lk_token_parse(struct lk_span token, char *kind, struct lk_id *id)
{
    uint8_t bytes[TOKEN_ID_BYTES];
    size_t size;

    if (token.size != LK_TOKEN_SIZE - 1 || memcmp(token.data, "lk", 2) != 0 ||
        !memchr("sad", token.data[2], 3) || token.data[3] != '_' ||
        lk_base64url_decode((struct lk_span){token.data + 4, TOKEN_ID_TEXT}, bytes, sizeof(bytes),
                            &size)) {
        return LK_E_REFUSED;
    }
    *kind = (char)token.data[2];
    *id = (struct lk_id){session_get_u32(bytes), session_get_u32(bytes + 4),
                         session_get_u32(bytes + 8)};
    return id->tenant && id->user && id->sub ? 0 : LK_E_REFUSED;
}

int lk_session_compute(struct lk_txn *txn, struct lk_record *record)
{
    struct lk_session session;
    const struct lk_cache_tenant *tenant;
    int error = lk_get(txn, &lk_kind_session, record->id, &session.record);

    if (!error) {
        error = lk_cache_tenant(txn, record->id.tenant, &tenant);
    }
    if (!error) {
        lk_field_set_number(record, lk_field_named(&lk_kind_session, LK_TEXT("is_active")),
                            tenant->status == LK_TENANT_ACTIVE &&
                                lk_session_state(txn, &session, tenant) == LK_SESSION_ALIVE);
    }
    return error;
}

/* ---- Checking ---- */

static int session_matches(struct lk_store *store, const uint8_t key[LK_HASH_SIZE],
                           struct lk_span token, struct lk_span stored)
{
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error = lk_token_hash(store, key, token, hash);

    if (!error && (stored.size != sizeof(hash) ||
                   !store->port->crypto->equal(hash, stored.data, sizeof(hash)))) {
        error = LK_E_REFUSED;
    }
    return error;
}

#define SESSION_SHOWN_GRAIN_MS 60000

/* As told at login, unless the wall clock moved since: then as things stand now. */
static uint64_t session_shown(uint64_t told, uint64_t found)
{
    uint64_t apart = told > found ? told - found : found - told;

    return apart < SESSION_SHOWN_GRAIN_MS ? told : found;
}

/* Written often enough that a session in use never ends as an idle one. */
static bool session_touch_due(const struct lk_txn *txn, const struct lk_session *session,
                              uint64_t unused)
{
    uint64_t grain = LK_TOUCH_GRAIN_MS;

    if (session->idle_limit && session->idle_limit * 1000 / 4 < grain) {
        grain = session->idle_limit * 1000 / 4;
    }
    return unused >= grain || !lk_session_same_boot(txn, session);
}

static void session_tell(const struct lk_txn *txn, const struct lk_session *session,
                         struct lk_verdict *verdict)
{
    uint64_t left = lk_session_left(txn, session), unused = lk_session_unused(txn, session);
    uint64_t whole = lk_elapsed(session->expires_at, session->record.created_at);

    verdict->channel = (enum lk_channel)session->channel;
    verdict->device = (uint32_t)session->device;
    verdict->factors = (uint32_t)session->factors;
    verdict->started_at = session->record.created_at;
    verdict->last_activity = session->last_activity;
    verdict->expires_at = session_shown(session->expires_at, txn->now_ms + left);
    if (session->idle_limit) {
        verdict->idle_ends_at =
            session_shown(session->last_activity + session->idle_limit * 1000,
                          txn->now_ms + lk_elapsed(session->idle_limit * 1000, unused));
    }
    verdict->age_ms = lk_elapsed(whole, left);
    verdict->touch_due = session_touch_due(txn, session, unused);
}

/* Where a session is from: a copy, as it must outlive other reads. */
struct session_place {
    uint8_t ip[16];
    size_t ip_size;
};

static int session_check_session(struct lk_txn *txn, struct lk_span token, struct lk_id id,
                                 struct lk_verdict *verdict, struct session_place *place)
{
    const struct lk_cache_tenant *tenant;
    struct lk_session session;
    int error = lk_get(txn, &lk_kind_session, id, &session.record);

    if (!error) {
        error = session_matches(txn->store, txn->store->token_key, token, session.token_hash);
    }
    if (!error) {
        session_tell(txn, &session, verdict);
        if (session.ip.size == 4 || session.ip.size == 16) {
            memcpy(place->ip, session.ip.data, session.ip.size);
            place->ip_size = session.ip.size;
        }
        error = lk_cache_tenant(txn, id.tenant, &tenant);
    }
    if (!error && (tenant->status != LK_TENANT_ACTIVE ||
                   lk_session_state(txn, &session, tenant) != LK_SESSION_ALIVE)) {
        error = LK_E_REFUSED;
    }
    return error;
}

/* `roles` gets a copy of the key's restriction: it must outlive other reads. */
static int session_check_key(struct lk_txn *txn, struct lk_span token, struct lk_id id,
                             struct lk_verdict *verdict, uint8_t *roles, size_t *roles_size)
{
    const struct lk_cache_tenant *tenant;
    uint8_t hash_key[LK_HASH_SIZE];
    struct lk_credential key;
    struct lk_user user;
    int error = lk_get(txn, &lk_kind_credential, id, &key.record);

    if (!error && key.type != LK_CREDENTIAL_API_KEY) {
        error = LK_E_REFUSED;
    }
    if (!error) {
        error = lk_keyed_key(txn->store, &key, hash_key);
    }
    if (!error) {
        error = session_matches(txn->store, hash_key, token, key.secret);
    }
    lk_wipe(txn->store, hash_key, sizeof(hash_key));
    if (!error && lk_expired(txn, key.expires_at)) {
        error = LK_E_REFUSED;
    }
    if (!error) {
        verdict->channel = LK_CHANNEL_API;
        verdict->started_at = key.record.created_at;
        verdict->last_activity = key.last_used_at;
        verdict->expires_at = key.expires_at;
        verdict->touch_due = txn->now_ms >= key.last_used_at + LK_TOUCH_GRAIN_MS;
        *roles_size = key.roles.size;
        if (key.roles.size) {
            memcpy(roles, key.roles.data, key.roles.size);
        }
        error = lk_get(txn, &lk_kind_user, (struct lk_id){id.tenant, id.user, 0}, &user.record);
    }
    if (!error && user.status != LK_USER_ACTIVE) {
        error = LK_E_REFUSED;
    }
    if (!error) {
        error = lk_cache_tenant(txn, id.tenant, &tenant);
    }
    return !error && tenant->status != LK_TENANT_ACTIVE ? LK_E_REFUSED : error;
}

/* The question as the session asks it: by its channel, from its address, since its login. */
static int session_ask(struct lk_txn *txn, const struct lk_verdict *verdict, struct lk_span only,
                       const struct session_place *place, const struct lk_question *question)
{
    struct lk_question asked = *question;
    int answer;

    asked.channel = 1 + (int)verdict->channel;
    asked.login_at = verdict->api_key ? 0 : verdict->started_at;
    if (asked.ip.size != 4 && asked.ip.size != 16) {
        asked.ip = (struct lk_span){place->ip, place->ip_size};
    }
    answer = lk_rights_check(txn, verdict->id, only, &asked, NULL);
    /* A key never logs in. */
    return answer == LK_E_STEP_UP && verdict->api_key ? LK_E_REFUSED : answer;
}

int lk_session_check(struct lk_txn *txn, uint32_t tenant, struct lk_span token,
                     const struct lk_question *question, struct lk_verdict *result)
{
    struct lk_verdict verdict;
    struct session_place place = {.ip_size = 0};
    uint8_t roles[5 * LK_GRANT_MAX + 3];
    size_t roles_size = 0;
    struct lk_id id;
    char kind;
    int error;

    if (!txn->open) {
        return LK_E_STATE;
    }
    error = lk_token_parse(token, &kind, &id);
    if (!error && (kind == LK_TOKEN_DEVICE || (tenant && id.tenant != tenant))) {
        error = LK_E_REFUSED;
    }
    if (!error) {
        memset(&verdict, 0, sizeof(verdict));
        verdict.id = id;
        verdict.api_key = kind == LK_TOKEN_API_KEY;
        error = verdict.api_key ? session_check_key(txn, token, id, &verdict, roles, &roles_size)
                                : session_check_session(txn, token, id, &verdict, &place);
    }
    if (!error) {
        if (question) {
            error =
                session_ask(txn, &verdict, (struct lk_span){roles, roles_size}, &place, question);
        }
    }
    if (!error) {
        *result = verdict;
    }
    return error == LK_E_NOT_FOUND ? LK_E_REFUSED : error;
}

/* ---- Changing ---- */

int lk_load_activity(struct lk_txn *txn, struct lk_id user, struct lk_activity *activity)
{
    struct lk_id id = {user.tenant, user.user, 0};
    uint32_t tallied;
    int error = lk_tallied(txn, &lk_kind_activity, id, &tallied);

    if (!error) {
        error = lk_record_load(txn, &lk_kind_activity, id, &activity->record);
    }
    if (error == LK_E_NOT_FOUND) {
        memset(activity, 0, sizeof(*activity));
        activity->record.id = id;
        error = 0;
    } else if (!error) {
        lk_tallied_add(txn, activity, tallied);
        lk_trace_note(txn, activity);
    }
    return error;
}

/* A key has no session that tells of its last use. */
static int session_touch_key(struct lk_txn *txn, struct lk_id id)
{
    struct lk_credential key;
    struct lk_activity activity;
    int error = lk_get(txn, &lk_kind_credential, id, &key.record);

    if (!error) {
        lk_set_number(&lk_kind_credential, &key.record, "last_used_at", txn->now_ms);
        error = lk_record_store(txn, &lk_kind_credential, &key.record, lk_work(txn)->new_value);
    }
    if (!error) {
        error = lk_load_activity(txn, id, &activity);
    }
    /* Another key of the user may have told it just now. */
    if (!error && (txn->now_ms < activity.last_active_at ||
                   txn->now_ms - activity.last_active_at >= LK_TOUCH_GRAIN_MS)) {
        lk_set_number(&lk_kind_activity, &activity.record, "last_active_at", txn->now_ms);
        error = lk_record_store(txn, &lk_kind_activity, &activity.record, lk_work(txn)->new_value);
    }
    return error;
}

static int session_touch(struct lk_txn *txn, struct lk_id id)
{
    const struct lk_cache_tenant *tenant;
    struct lk_session session;
    int error = lk_get(txn, &lk_kind_session, id, &session.record);

    if (!error) {
        error = lk_cache_tenant(txn, id.tenant, &tenant);
    }
    /* What ended since it was checked stays ended. */
    if (!error && (tenant->status != LK_TENANT_ACTIVE ||
                   lk_session_state(txn, &session, tenant) != LK_SESSION_ALIVE)) {
        error = LK_E_REFUSED;
    }
    if (!error) {
        /* Its record may grow by what now differs, once: a full store is to be used as before. */
        bool urgent = txn->storage.urgent;

        lk_session_stamp(txn, &session);
        txn->storage.urgent = true;
        error = lk_record_store(txn, &lk_kind_session, &session.record, lk_work(txn)->new_value);
        txn->storage.urgent = urgent;
    }
    return error;
}

int lk_session_touch(struct lk_txn *txn, const struct lk_verdict *verdict)
{
    int error;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    error =
        verdict->api_key ? session_touch_key(txn, verdict->id) : session_touch(txn, verdict->id);
    return error == LK_E_NOT_FOUND ? LK_E_REFUSED : error;
}

/* ---- Keys ---- */

static void session_set_span(struct lk_credential *credential, unsigned number, struct lk_span span)
{
    if (span.size) {
        lk_field_set_span(&credential->record, lk_field_numbered(&lk_kind_credential, number),
                          span);
    }
}

static int session_credential_begin(struct lk_txn *txn, struct lk_id user,
                                    struct lk_credential *credential, enum lk_credential_type type,
                                    struct lk_span label)
{
    struct lk_user record;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error =
            lk_get(txn, &lk_kind_user, (struct lk_id){user.tenant, user.user, 0}, &record.record);
    }
    memset(credential, 0, sizeof(*credential));
    credential->record.id = (struct lk_id){user.tenant, user.user, 0};
    lk_set_number(&lk_kind_credential, &credential->record, "type", type);
    session_set_span(credential, 9, label);
    return error;
}

int lk_api_key_add(struct lk_txn *txn, struct lk_id user, struct lk_span label,
                   struct lk_span roles, uint64_t expires_at, char token[LK_TOKEN_SIZE],
                   struct lk_id *id)
{
    struct lk_credential credential;
    uint8_t hash[LK_TOKEN_HASH_SIZE], key[LK_HASH_SIZE];
    char text[LK_TOKEN_SIZE];
    int error = session_credential_begin(txn, user, &credential, LK_CREDENTIAL_API_KEY, label);

    if (!error && expires_at && expires_at <= txn->now_ms) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "expires_at", LK_TEXT(""),
                         "is not in the future");
    }
    /* The number goes into the token before the record is written. */
    if (!error) {
        error = lk_sequence_peek(txn, user.tenant, &lk_kind_credential, &credential.record.id.sub);
    }
    if (!error) {
        error = lk_keyed_key(txn->store, &credential, key);
    }
    if (!error) {
        error = lk_token_make(txn->store, key, LK_TOKEN_API_KEY, credential.record.id, text, hash);
    }
    lk_wipe(txn->store, key, sizeof(key));
    if (error) {
        return error;
    }
    session_set_span(&credential, 10, (struct lk_span){hash, sizeof(hash)});
    session_set_span(&credential, 12, (struct lk_span){(const uint8_t *)text, TOKEN_SHOWN});
    session_set_span(&credential, 16, roles);
    if (expires_at) {
        lk_set_number(&lk_kind_credential, &credential.record, "expires_at", expires_at);
    }
    error = lk_write(txn, &lk_kind_credential, LK_ADD, credential.record.id, &credential.record, 0,
                     NULL, LK_W_SYSTEM | LK_W_GIVEN_ID);
    if (!error) {
        memcpy(token, text, sizeof(text));
        *id = credential.record.id;
    }
    lk_wipe(txn->store, text, sizeof(text));
    return error;
}

/* A line of authorized_keys (sshd(8)): [options] type base64 [comment]; the base64 begins with the
 * type's own name (RFC 4253, section 6.6). */
static bool session_ssh_line(struct lk_span line)
{
    static const char *const types[] = {"ssh-ed25519",
                                        "ssh-rsa",
                                        "ecdsa-sha2-nistp256",
                                        "ecdsa-sha2-nistp384",
                                        "ecdsa-sha2-nistp521",
                                        "sk-ssh-ed25519@openssh.com",
                                        "sk-ecdsa-sha2-nistp256@openssh.com"};
    size_t i, at, end;

    for (i = 0; i < LK_COUNT(types); i++) {
        size_t size = strlen(types[i]);
        uint8_t blob[64];
        size_t blob_size;

        for (at = 0; at + size + 1 < line.size; at++) {
            if ((at && line.data[at - 1] != ' ') || memcmp(line.data + at, types[i], size) != 0 ||
                line.data[at + size] != ' ') {
                continue;
            }
            end = at + size + 1;
            while (end < line.size && line.data[end] != ' ') {
                end++;
            }
            /* 64 characters hold the name of every type. */
            if (end - (at + size + 1) >= 64 &&
                !lk_base64_decode((struct lk_span){line.data + at + size + 1, 64}, blob,
                                  sizeof(blob), &blob_size) &&
                session_get_u32(blob) == size && memcmp(blob + 4, types[i], size) == 0) {
                return true;
            }
        }
    }
    return false;
}

int lk_ssh_key_add(struct lk_txn *txn, struct lk_id user, struct lk_span label, struct lk_span line,
                   struct lk_id *id)
{
    struct lk_credential credential;
    int error = session_credential_begin(txn, user, &credential, LK_CREDENTIAL_SSH_KEY, label);

    if (!error && !session_ssh_line(line)) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_credential, "key", LK_TEXT(""),
                         "is not a line of authorized_keys");
    }
    if (error) {
        return error;
    }
    session_set_span(&credential, 11, line);
    error = lk_write(txn, &lk_kind_credential, LK_ADD, credential.record.id, &credential.record, 0,
                     NULL, LK_W_SYSTEM);
    if (!error) {
        *id = lk_work(txn)->after.record.id;
    }
    return error;
}
