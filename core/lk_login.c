// SPDX-License-Identifier: MIT
/*
 * lk_login.c: a login as a state machine.
 *
 * begin   one commit: the attempt is charged as failed, durably, before anything secret is compared
 * step    the password hash, outside any transaction, a slice at a time
 * finish  one commit: session, activity, audit entry, charge taken back; or the failure's entry
 *
 * Unknown names are charged in one of a fixed number of buckets and hashed like known ones; every
 * refusal is the same. Counts stand in the activity record, apart from lanes, which the record has
 * room for.
 */
#include "lk_engine.h"

#define LOGIN_BUCKETS      64
#define LOGIN_FORGET_MS    LK_MS_PER_DAY /* a failure this old no longer counts */
#define LOGIN_NAME_MAX     255
#define LOGIN_PASSWORD_MAX 1024

enum login_state { LOGIN_IDLE, LOGIN_VERIFY, LOGIN_RENEW, LOGIN_READY };

enum login_flags {
    LOGIN_KNOWN = 1,    /* the name is a user's */
    LOGIN_FOREIGN = 2,  /* another program's verifier */
    LOGIN_HAS = 4,      /* there is a verifier at all */
    LOGIN_CLAIM = 8,    /* there is a claim code */
    LOGIN_GOOD = 16,    /* proved by password */
    LOGIN_CLAIMED = 32, /* proved by claim code */
    LOGIN_MUST = 64,    /* a new password is due */
    LOGIN_FRESH = 128,  /* `fresh` is a new verifier */
};

static const struct lk_field *login_field(unsigned number)
{
    return lk_field_numbered(&lk_kind_activity, number);
}

/* ---- Charging -----------------------------------------------------------------------------------
 */

static uint64_t login_delay_ms(const struct lk_tenant *tenant, uint64_t count)
{
    uint64_t delay = 1, most = tenant->lockout_time;

    if (!tenant->lockout_failures || count < tenant->lockout_failures) {
        return 0;
    }
    for (count -= tenant->lockout_failures; count && delay < most; count--) {
        delay *= 2;
    }
    return (delay < most ? delay : most) * 1000;
}

/* Counts one failure; LK_E_LOCKED, and nothing changed, while a delay runs. */
static int login_charge(struct lk_login *login, struct lk_txn *txn, const struct lk_kind *kind,
                        struct lk_activity *counts, const struct lk_tenant *tenant)
{
    uint64_t now = txn->now_ms, count = counts->failed_count, delay;

    if (counts->locked_until > now) {
        lk_problem_set(&login->problem, LK_E_LOCKED, NULL, NULL, LK_TEXT(""), NULL);
        login->problem.wait_s = (uint32_t)((counts->locked_until - now + 999) / 1000);
        return LK_E_LOCKED;
    }
    if (lk_elapsed(now, counts->last_failure_at) >= LOGIN_FORGET_MS) {
        count = 0;
    }
    count++;
    delay = login_delay_ms(tenant, count);
    lk_field_set_number(&counts->record, login_field(13), count);
    lk_field_set_number(&counts->record, login_field(14), now);
    if (delay) {
        lk_field_set_number(&counts->record, login_field(15), now + delay);
    } else {
        counts->record.present &= ~LK_BIT(15);
    }
    return lk_record_store(txn, kind, &counts->record, lk_work(txn)->new_value);
}

/* The bucket of a name: by a keyed hash, so that nobody can choose whom to share it with. */
static uint32_t login_bucket(struct lk_store *store, uint32_t tenant, struct lk_span name)
{
    uint8_t text[4 + LOGIN_NAME_MAX], hash[8];
    size_t i;

    for (i = 0; i < 4; i++) {
        text[i] = (uint8_t)(tenant >> (8 * i));
    }
    for (i = 0; i < name.size && i < LOGIN_NAME_MAX; i++) {
        text[4 + i] = lk_ascii_lower(name.data[i]);
    }
    store->port->crypto->mac64(store->port->self, store->bucket_key, (struct lk_span){text, 4 + i},
                               hash);
    return 1 + hash[0] % LOGIN_BUCKETS;
}

static uint64_t login_stamp(const struct lk_store *store, struct lk_span bytes)
{
    uint8_t hash[8];
    uint64_t stamp = 0;

    store->port->crypto->mac64(store->port->self, store->bucket_key, bytes, hash);
    memcpy(&stamp, hash, sizeof(stamp));
    return stamp;
}

/* Takes the verifier along, and a stamp to tell by whether it changed meanwhile. */
static int login_take_verifier(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_credential credential;
    struct lk_verifier verifier;
    int error = lk_credential_find(txn, login->user, LK_CREDENTIAL_PASSWORD, &credential);

    if (error == LK_E_NOT_FOUND || (!error && !credential.secret.size)) {
        return 0;
    }
    if (error) {
        return error;
    }
    login->credential = credential.record.id;
    login->credential_stamp = login_stamp(login->store, credential.secret);
    error = lk_verifier_open(login->store, credential.record.id, credential.secret, &verifier);
    if (error) {
        return error;
    }
    login->flags |= LOGIN_HAS;
    if (verifier.form == LK_VERIFIER_FOREIGN) {
        login->flags |= LOGIN_FOREIGN;
        memcpy(login->foreign, verifier.foreign, verifier.foreign_size);
        login->foreign_size = verifier.foreign_size;
    } else {
        login->job.params = verifier.argon2id.params;
        memcpy(login->job.salt, verifier.argon2id.salt, sizeof(login->job.salt));
        memcpy(login->expected, verifier.argon2id.hash, sizeof(login->expected));
    }
    lk_wipe(login->store, &verifier, sizeof(verifier));
    return 0;
}

static int login_take_claim(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_credential claim;
    int error = lk_credential_find(txn, login->user, LK_CREDENTIAL_CLAIM, &claim);

    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    /* With a clock that is only held, an end by the calendar means nothing; the tries still count.
     */
    if (claim.secret.size == sizeof(login->claim) && claim.tries_left &&
        (txn->clock < LK_CLOCK_SET || claim.expires_at > txn->now_ms)) {
        login->flags |= LOGIN_CLAIM;
        memcpy(login->claim, claim.secret.data, sizeof(login->claim));
    }
    return 0;
}

static int login_take_user(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_user user;
    int error = lk_get(txn, &lk_kind_user, login->user, &user.record);

    if (!error) {
        login->user_stamp = login_stamp(login->store, user.record.raw);
        login->flags |= LOGIN_KNOWN | (user.must_change_password ? LOGIN_MUST : 0);
        error = login_take_verifier(login, txn);
    }
    return error ? error : login_take_claim(login, txn);
}

/* Policy of a tenant that is not there: that of a new one. */
static int login_tenant(struct lk_txn *txn, uint32_t number, struct lk_tenant *tenant)
{
    int error = number ? lk_get(txn, &lk_kind_tenant, (struct lk_id){number, 0, 0}, &tenant->record)
                       : LK_E_NOT_FOUND;

    if (error == LK_E_NOT_FOUND) {
        memset(tenant, 0, sizeof(*tenant));
        tenant->lockout_failures =
            lk_field_named(&lk_kind_tenant, LK_TEXT("lockout_failures"))->initial;
        tenant->lockout_time = lk_field_named(&lk_kind_tenant, LK_TEXT("lockout_time"))->initial;
        error = 0;
    }
    return error;
}

static int login_lookup(struct lk_login *login, struct lk_txn *txn, uint32_t tenant)
{
    struct lk_span name = login->request->name;

    if (!tenant || !name.size || name.size > LOGIN_NAME_MAX || name.data[0] == '#') {
        return LK_E_NOT_FOUND;
    }
    return lk_find_user(txn, tenant, name, &login->user);
}

static int login_open(struct lk_login *login, struct lk_txn *txn)
{
    uint32_t number = login->request->tenant;
    struct lk_activity counts;
    struct lk_tenant tenant;
    int error = login_tenant(txn, number, &tenant);

    if (error) {
        return error;
    }
    if (!tenant.record.id.tenant) {
        number = LK_STORE_TENANT;
    }
    error = login_lookup(login, txn, number);
    if (!error) {
        error = login_take_user(login, txn);
        if (!error) {
            error = lk_load_activity(txn, login->user, &counts);
        }
        return error ? error : login_charge(login, txn, &lk_kind_activity, &counts, &tenant);
    }
    if (error != LK_E_NOT_FOUND) {
        return error;
    }
    login->bucket = login_bucket(login->store, number, login->request->name);
    login->user = (struct lk_id){number, 0, login->bucket};
    error = lk_record_load(txn, &lk_kind_bucket, login->user, &counts.record);
    if (error == LK_E_NOT_FOUND) {
        memset(&counts, 0, sizeof(counts));
        counts.record.id = login->user;
        error = 0;
    }
    return error ? error : login_charge(login, txn, &lk_kind_bucket, &counts, &tenant);
}

int lk_login_begin(struct lk_store *store, struct lk_login *login,
                   const struct lk_login_request *request)
{
    struct lk_txn txn;
    int error;

    memset(login, 0, sizeof(*login));
    login->store = store;
    login->request = request;
    login->job.params = store->pwhash;
    error = lk_random(store, login->job.salt, sizeof(login->job.salt));
    if (error) {
        return error;
    }
    memset(&txn, 0, sizeof(txn));
    error = lk_begin(store, &txn, LK_WRITE, NULL);
    if (!error) {
        error = login_open(login, &txn);
        if (!error) {
            error = lk_commit(&txn);
        }
        lk_abort(&txn);
    }
    lk_txn_release(&txn);
    if (error) {
        lk_login_cancel(login);
        login->problem.error = error;
        return error;
    }
    login->job.password = request->password.data;
    login->job.password_size = request->password.size;
    login->job.work = request->hash_work;
    login->job.work_size = request->hash_work_size;
    if (request->password.size > LOGIN_PASSWORD_MAX) {
        /* Never right, and takes no longer than a right one. */
        login->job.password_size = LOGIN_PASSWORD_MAX;
        login->flags &= ~(unsigned)LOGIN_HAS;
    }
    login->state = LOGIN_VERIFY;
    return 0;
}

/* ---- Hashing ------------------------------------------------------------------------------------
 */

static void login_check_claim(struct lk_login *login)
{
    struct lk_store *store = login->store;
    uint8_t hash[LK_TOKEN_HASH_SIZE];

    if (login->flags & LOGIN_CLAIM && !lk_claim_hash(store, login->request->password, hash) &&
        store->port->crypto->equal(hash, login->claim, sizeof(hash))) {
        login->flags |= LOGIN_CLAIMED | LOGIN_MUST;
    }
}

static bool login_weaker(const struct lk_pwhash_params *have, const struct lk_pwhash_params *want)
{
    return have->memory_kib < want->memory_kib || have->passes < want->passes;
}

/* After the proof: is a new verifier to be made, and from what? 1 there is more to do. */
static int login_plan_renewal(struct lk_login *login)
{
    const struct lk_login_request *request = login->request;
    struct lk_span from = request->password;
    const char *rule = "must be changed";

    login->state = LOGIN_READY;
    if (!(login->flags & (LOGIN_GOOD | LOGIN_CLAIMED))) {
        return 0;
    }
    if (login->flags & LOGIN_MUST) {
        if (!request->new_password.size || lk_password_form(request->new_password, &rule)) {
            lk_problem_set(&login->problem, LK_E_MUST_CHANGE, "credential", "new_password",
                           LK_TEXT(""), rule);
            return 0;
        }
        from = request->new_password;
        if (lk_span_equal(from, request->password)) {
            lk_problem_set(&login->problem, LK_E_MUST_CHANGE, "credential", "new_password",
                           LK_TEXT(""), "is the same as the old one");
            return 0;
        }
    } else if (!(login->flags & LOGIN_FOREIGN) &&
               !login_weaker(&login->job.params, &login->store->pwhash)) {
        return 0;
    }
    memset(&login->job, 0, sizeof(login->job));
    login->job.params = login->store->pwhash;
    login->job.password = from.data;
    login->job.password_size = from.size;
    login->job.work = request->hash_work;
    login->job.work_size = request->hash_work_size;
    login->fresh.length = (uint32_t)from.size;
    if (lk_random(login->store, login->job.salt, sizeof(login->job.salt))) {
        return LK_E_ENTROPY;
    }
    login->state = LOGIN_RENEW;
    return 1;
}

static int login_verify(struct lk_login *login)
{
    const struct lk_port *port = login->store->port;
    struct lk_span hash = {login->foreign, login->foreign_size};
    struct lk_span password = {login->job.password, login->job.password_size};
    int error;

    if (login->flags & LOGIN_FOREIGN) {
        error = port->crypto->foreign_verify
                    ? port->crypto->foreign_verify(port->self, hash, password)
                    : LK_E_UNSUPPORTED;
        if (!error && login->flags & LOGIN_HAS) {
            login->flags |= LOGIN_GOOD;
        }
        /* A verifier that this build cannot check matches nothing. */
        if (error && error != LK_E_REFUSED && error != LK_E_UNSUPPORTED && error != LK_E_CHECK) {
            return error;
        }
    } else {
        error = port->crypto->pwhash_step(port->self, &login->job);
        if (error) {
            return error;
        }
        if (port->crypto->equal(login->job.hash, login->expected, sizeof(login->expected)) &&
            login->flags & LOGIN_HAS) {
            login->flags |= LOGIN_GOOD;
        }
    }
    login_check_claim(login);
    return login_plan_renewal(login);
}

int lk_login_step(struct lk_login *login)
{
    const struct lk_port *port;
    int error;

    switch ((enum login_state)login->state) {
    case LOGIN_VERIFY: return login_verify(login);
    case LOGIN_RENEW:
        port = login->store->port;
        error = port->crypto->pwhash_step(port->self, &login->job);
        if (!error) {
            login->fresh.params = login->job.params;
            memcpy(login->fresh.salt, login->job.salt, sizeof(login->fresh.salt));
            memcpy(login->fresh.hash, login->job.hash, sizeof(login->fresh.hash));
            login->flags |= LOGIN_FRESH;
            login->state = LOGIN_READY;
        }
        return error;
    case LOGIN_READY: return 0;
    default: return LK_E_STATE;
    }
}

/* ---- Finishing ----------------------------------------------------------------------------------
 */

static int login_audit(struct lk_login *login, struct lk_txn *txn, enum lk_outcome outcome)
{
    struct lk_audit_entry entry;
    char resource[16];
    struct lk_words words = {resource, 0, sizeof(resource)};
    const struct lk_kind *kind = &lk_kind_audit;

    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT("login"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("user"));
    if (login->flags & LOGIN_KNOWN) {
        lk_words_add_number(&words, login->user.user);
        lk_field_set_span(&entry.record, lk_field_numbered(kind, 14), lk_words_span(&words));
    }
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16),
                      outcome == LK_SUCCESS        ? LK_TEXT("logged in")
                      : login->flags & LOGIN_KNOWN ? LK_TEXT("login refused")
                                                   : LK_TEXT("login refused: unknown name"));
    if (outcome != LK_SUCCESS) {
        lk_field_set_number(&entry.record, lk_field_numbered(kind, 15), LK_FAILURE);
    }
    return lk_audit_append(txn, login->user.tenant, LK_RING_ACTIVITY, &entry);
}

/* One try of a claim code less, where what was given has a claim code's form. */
static int login_spend_claim(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_credential claim;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error;

    if (!(login->flags & LOGIN_CLAIM) ||
        lk_claim_hash(login->store, login->request->password, hash)) {
        return 0;
    }
    error = lk_credential_find(txn, login->user, LK_CREDENTIAL_CLAIM, &claim);
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    if (claim.tries_left <= 1) {
        return lk_drop(txn, &lk_kind_credential, claim.record.id);
    }
    lk_field_set_number(&claim.record, lk_field_numbered(&lk_kind_credential, 15),
                        claim.tries_left - 1);
    return lk_record_store(txn, &lk_kind_credential, &claim.record, lk_work(txn)->new_value);
}

static int login_refuse(struct lk_login *login, struct lk_txn *txn)
{
    int error = login_spend_claim(login, txn);

    if (!error) {
        error = login_audit(login, txn, LK_FAILURE);
    }
    if (!error) {
        error = lk_commit(txn);
    }
    login->store->refusal_count++;
    return error ? error : LK_E_REFUSED;
}

/* What was true at begin must be true now. */
static int login_recheck(struct lk_login *login, struct lk_txn *txn, struct lk_tenant *tenant)
{
    struct lk_credential credential;
    struct lk_user user;
    int error =
        lk_get(txn, &lk_kind_tenant, (struct lk_id){login->user.tenant, 0, 0}, &tenant->record);

    if (!error) {
        error = lk_get(txn, &lk_kind_user, login->user, &user.record);
    }
    if (error) {
        return error == LK_E_NOT_FOUND ? LK_E_REFUSED : error;
    }
    if (tenant->status != LK_TENANT_ACTIVE || user.status != LK_USER_ACTIVE) {
        return LK_E_REFUSED;
    }
    if (login_stamp(login->store, user.record.raw) != login->user_stamp) {
        return LK_E_BUSY;
    }
    if (!(login->flags & LOGIN_HAS)) {
        return 0;
    }
    error = lk_get(txn, &lk_kind_credential, login->credential, &credential.record);
    if (!error && login_stamp(login->store, credential.secret) != login->credential_stamp) {
        error = LK_E_BUSY;
    }
    return error == LK_E_NOT_FOUND ? LK_E_BUSY : error;
}

/* Ends dead sessions, and the oldest while there are too many. */
static int login_make_room(struct lk_txn *txn, struct lk_id user, const struct lk_tenant *tenant)
{
    uint32_t alive, oldest;
    int error;

    do {
        struct lk_list list = {.kind = &lk_kind_session, .scope = user};
        struct lk_session session;

        alive = 0;
        oldest = 0;
        error = lk_list_begin(txn, &list);
        while (!error) {
            error = lk_list_next(&list, &session.record);
            if (error) {
                break;
            }
            if (!lk_session_alive(&session, txn->now_ms, tenant->auth_epoch)) {
                oldest = session.record.id.sub;
                alive = UINT32_MAX;
                break;
            }
            oldest = oldest ? oldest : session.record.id.sub;
            alive++;
        }
        lk_list_end(&list);
        if (error && error != LK_E_NOT_FOUND) {
            return error;
        }
        error = 0;
        if (oldest &&
            (alive == UINT32_MAX || (tenant->session_max && alive >= tenant->session_max))) {
            error = lk_drop(txn, &lk_kind_session, (struct lk_id){user.tenant, user.user, oldest});
        } else {
            oldest = 0;
        }
    } while (!error && oldest);
    return error;
}

static int login_put_session(struct lk_login *login, struct lk_txn *txn,
                             const struct lk_tenant *tenant, uint32_t number,
                             struct lk_login_result *result)
{
    const struct lk_login_request *request = login->request;
    const struct lk_kind *kind = &lk_kind_session;
    struct lk_session session;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error;

    memset(&session, 0, sizeof(session));
    session.record.id = (struct lk_id){login->user.tenant, login->user.user, number};
    error = lk_token_make(login->store, 's', session.record.id, result->token, hash);
    if (error) {
        return error;
    }
    result->session = session.record.id;
    result->expires_at = txn->now_ms + tenant->session_lifetime * 1000;
    lk_field_set_span(&session.record, lk_field_numbered(kind, 8),
                      (struct lk_span){hash, sizeof(hash)});
    lk_field_set_number(&session.record, lk_field_numbered(kind, 9), txn->now_ms);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 10), txn->now_ms);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 11), result->expires_at);
    if (tenant->session_idle) {
        lk_field_set_number(&session.record, lk_field_numbered(kind, 12), tenant->session_idle);
    }
    lk_field_set_number(&session.record, lk_field_numbered(kind, 13), tenant->auth_epoch);
    lk_field_set_number(&session.record, lk_field_numbered(kind, 14), request->channel);
    if (request->ip.size == 4 || request->ip.size == 16) {
        lk_field_set_span(&session.record, lk_field_numbered(kind, 15), request->ip);
    }
    if (request->user_agent.size && lk_utf8_valid(request->user_agent)) {
        struct lk_span cut = request->user_agent;

        if (cut.size > 500) {
            for (cut.size = 500; cut.size && (cut.data[cut.size] & 0xC0) == 0x80; cut.size--) {
            }
        }
        lk_field_set_span(&session.record, lk_field_numbered(kind, 16), cut);
    }
    if (request->device_info.size) {
        lk_field_set_span(&session.record, lk_field_numbered(kind, 17), request->device_info);
        error = lk_check_field(txn, kind, lk_field_numbered(kind, 17), &session.record);
        if (error) {
            return error;
        }
    }
    return lk_record_store(txn, kind, &session.record, lk_work(txn)->new_value);
}

static int login_put_activity(struct lk_txn *txn, struct lk_activity *activity)
{
    bool fresh = !activity->record.raw.size;
    struct lk_activity patch;
    uint64_t clear = LK_BIT(13) | LK_BIT(14) | LK_BIT(15);

    memset(&patch, 0, sizeof(patch));
    patch.record.id = activity->record.id;
    lk_field_set_number(&patch.record, login_field(8), txn->now_ms);
    lk_field_set_number(&patch.record, login_field(9), activity->login_count + 1);
    lk_field_set_number(&patch.record, login_field(10), txn->now_ms);
    lk_field_set_number(&patch.record, login_field(11), txn->now_ms);
    lk_field_set_number(&patch.record, login_field(16), activity->session_number);
    return lk_write(txn, &lk_kind_activity, fresh ? LK_ADD : LK_UPDATE, patch.record.id,
                    &patch.record, fresh ? 0 : clear, NULL,
                    LK_W_QUIET | LK_W_SYSTEM | LK_W_GIVEN_ID);
}

/* The charge goes back although there is no session: the credential was right. */
static int login_take_back(struct lk_txn *txn, struct lk_id user)
{
    struct lk_activity none;
    int error;

    memset(&none, 0, sizeof(none));
    error = lk_write(txn, &lk_kind_activity, LK_UPDATE, (struct lk_id){user.tenant, user.user, 0},
                     &none.record, LK_BIT(13) | LK_BIT(14) | LK_BIT(15), NULL,
                     LK_W_QUIET | LK_W_SYSTEM);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int login_renew(struct lk_login *login, struct lk_txn *txn, bool *rehashed)
{
    struct lk_verifier verifier;
    int error;

    *rehashed = false;
    if (!(login->flags & LOGIN_FRESH)) {
        return 0;
    }
    if (login->flags & LOGIN_MUST) {
        return lk_password_set(txn, login->user, &login->fresh, 0);
    }
    memset(&verifier, 0, sizeof(verifier));
    verifier.form = LK_VERIFIER_ARGON2ID;
    verifier.argon2id = login->fresh;
    error = lk_password_put(txn, login->user, &verifier, "rehash", LK_W_QUIET);
    lk_wipe(login->store, &verifier, sizeof(verifier));
    *rehashed = true;
    return error;
}

static int login_accept(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                        struct lk_login_result *result)
{
    struct lk_activity activity;
    bool rehashed;
    int error = login_renew(login, txn, &rehashed);

    result->rehashed = rehashed;
    if (!error) {
        error = login_make_room(txn, login->user, tenant);
    }
    if (!error) {
        error = lk_load_activity(txn, login->user, &activity);
    }
    if (!error && activity.session_number >= UINT32_MAX) {
        error = LK_E_LIMIT;
    }
    if (error) {
        return error;
    }
    activity.session_number++;
    error = login_put_session(login, txn, tenant, (uint32_t)activity.session_number, result);
    if (!error) {
        error = login_put_activity(txn, &activity);
    }
    txn->actor.session = result->session.sub;
    return error ? error : login_audit(login, txn, LK_SUCCESS);
}

static int login_finish(struct lk_login *login, struct lk_txn *txn, struct lk_login_result *result)
{
    struct lk_tenant tenant;
    int error;

    if (!(login->flags & (LOGIN_GOOD | LOGIN_CLAIMED))) {
        return login_refuse(login, txn);
    }
    error = login_recheck(login, txn, &tenant);
    if (error) {
        return error == LK_E_REFUSED ? login_refuse(login, txn) : error;
    }
    if (login->flags & LOGIN_MUST && login->flags & LOGIN_FRESH &&
        login->fresh.length < tenant.password_min) {
        lk_problem_set(&login->problem, LK_E_MUST_CHANGE, "credential", "new_password", LK_TEXT(""),
                       "is shorter than the tenant's password_min");
    }
    if (login->problem.error == LK_E_MUST_CHANGE) {
        error = login_take_back(txn, login->user);
        if (!error) {
            error = lk_commit(txn);
        }
        return error ? error : LK_E_MUST_CHANGE;
    }
    error = login_accept(login, txn, &tenant, result);
    if (!error) {
        error = lk_commit(txn);
    }
    login->store->login_count += error ? 0 : 1;
    return error;
}

int lk_login_finish(struct lk_login *login, struct lk_login_result *result)
{
    struct lk_store *store = login->store;
    struct lk_actor actor;
    struct lk_txn txn;
    int error;

    if (login->state != LOGIN_READY) {
        return LK_E_STATE;
    }
    memset(result, 0, sizeof(*result));
    memset(&actor, 0, sizeof(actor));
    actor.tenant = login->user.tenant;
    actor.user = login->flags & LOGIN_KNOWN ? login->user.user : 0;
    actor.channel = login->request->channel;
    actor.ip = login->request->ip;
    actor.user_agent = login->request->user_agent;
    memset(&txn, 0, sizeof(txn));
    error = lk_begin(store, &txn, LK_WRITE, &actor);
    if (!error) {
        error = login_finish(login, &txn, result);
        lk_abort(&txn);
    }
    lk_txn_release(&txn);
    if (error) {
        lk_wipe(store, result, sizeof(*result));
    }
    {
        struct lk_problem problem = login->problem;

        lk_login_cancel(login);
        login->problem = problem;
        login->problem.error = error;
    }
    return error;
}

void lk_login_cancel(struct lk_login *login)
{
    struct lk_problem problem = login->problem;

    if (login->store) {
        lk_wipe(login->store, login, sizeof(*login));
    }
    login->problem = problem;
}

int lk_login(struct lk_store *store, const struct lk_login_request *request,
             struct lk_login_result *result, struct lk_problem *problem)
{
    struct lk_login login;
    unsigned tries = 3;
    int error;

    do {
        error = lk_login_begin(store, &login, request);
        if (!error) {
            do {
                error = lk_login_step(&login);
            } while (error > 0);
            if (!error) {
                error = lk_login_finish(&login, result);
            } else {
                lk_login_cancel(&login);
            }
        }
    } while (error == LK_E_BUSY && --tries);
    if (problem) {
        *problem = login.problem;
        problem->error = error;
    }
    return error;
}
