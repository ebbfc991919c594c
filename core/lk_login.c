// SPDX-License-Identifier: MIT
/*
 * lk_login.c: a login as a state machine.
 *
 * begin   one commit: the attempt is charged as failed, durably, before anything secret is compared
 * step    the password hash, outside any transaction, a slice at a time
 * finish  one commit: session, activity, audit entry, charge taken back; or the failure's entry
 *
 * Unknown names are charged in one of a fixed number of buckets and hashed like known ones; every
 * refusal is the same.
 */
#include "lk_login.h"

#define LOGIN_PASSWORD_MAX 1024

/* ---- Beginning ---- */

/* At the console a password serves without a clock too: until it has surely ended. */
static bool login_password_over(const struct lk_login *login, const struct lk_txn *txn,
                                uint64_t expires_at)
{
    return login->request->channel == LK_CHANNEL_CONSOLE ? expires_at && expires_at <= txn->now_ms
                                                         : lk_expired(txn, expires_at);
}

/* Takes a user's verifier along, and a stamp to tell by whether it changed meanwhile; of another
 * user only what is to be hashed, which then matches nothing. LK_E_NOT_FOUND. */
static int login_take_verifier(struct lk_login *login, struct lk_txn *txn, struct lk_id user)
{
    struct lk_credential credential;
    struct lk_verifier verifier;
    bool own = login->flags & LOGIN_KNOWN && user.user == login->user.user;
    int error = lk_credential_find(txn, user, LK_CREDENTIAL_PASSWORD, &credential);

    if (!error &&
        (!credential.secret.size || login_password_over(login, txn, credential.expires_at))) {
        error = LK_E_NOT_FOUND;
    }
    if (error) {
        return error;
    }
    if (own) {
        login->credential = credential.record.id;
        login->credential_stamp = lk_verifier_stamp(login->store, &credential);
    }
    error = lk_verifier_open(login->store, credential.record.id, credential.secret, &verifier);
    if (error) {
        return error;
    }
    login->flags |= own ? LOGIN_HAS : 0;
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

/* Nobody's damage but the name's own is in its way. */
static int login_of_another(int error)
{
    return error == LK_E_NOT_FOUND || error == LK_E_CORRUPT ? 0 : error;
}

/* A name without a verifier is hashed like somebody who has one; where nobody near has, like a new
 * one. */
static int login_take_stand_in(struct lk_login *login, struct lk_txn *txn, uint32_t tenant,
                               uint64_t tag)
{
    unsigned attempt;
    int error = LK_E_NOT_FOUND;

    for (attempt = 0; error == LK_E_NOT_FOUND && tenant && attempt < LK_STAND_IN_TRIES; attempt++) {
        struct lk_id user;

        error = lk_login_stand_in_user(txn, tenant, tag, attempt, &user);
        if (!error) {
            error = login_take_verifier(login, txn, user);
        }
    }
    return login_of_another(error);
}

static int login_take_claim(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_credential claim;
    int error = lk_credential_find(txn, login->user, LK_CREDENTIAL_CLAIM, &claim);

    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    if (claim.secret.size == sizeof(login->claim) && claim.tries_left &&
        claim.powered_end > lk_powered(txn)) {
        login->flags |= LOGIN_CLAIM;
        memcpy(login->claim, claim.secret.data, sizeof(login->claim));
    }
    return 0;
}

static int login_take_user(struct lk_login *login, struct lk_txn *txn, struct lk_id id, bool known,
                           bool tenant_active)
{
    struct lk_user user;
    int error = lk_get(txn, &lk_kind_user, id, &user.record);

    if (!error && known) {
        login->user_stamp = lk_stamp(login->store, user.record.raw);
        login->flags |= LOGIN_KNOWN | (user.must_change_password ? LOGIN_MUST : 0) |
                        (user.status == LK_USER_ACTIVE && tenant_active ? 0 : LOGIN_BARRED);
    }
    return error;
}

/* A damaged device serves nobody, and keeps nobody out. */
static int login_take_device(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_id device;
    int error = login->request->device_cookie.size
                    ? lk_device_of_cookie(txn, login->user, login->request->device_cookie, &device)
                    : LK_E_NOT_FOUND;

    if (!error) {
        login->lane = lk_lane_is_network(login->lane) ? LK_LANE_DEVICE : login->lane;
    }
    return login_of_another(error);
}

/* Policy of a tenant that is not there: another's, or that of a new one. */
static int login_tenant(struct lk_login *login, struct lk_txn *txn, struct lk_tenant *tenant,
                        bool *there)
{
    struct lk_id id = {login->request->tenant, 0, 0};
    int error = id.tenant ? lk_get(txn, &lk_kind_tenant, id, &tenant->record) : LK_E_NOT_FOUND;
    size_t i;

    *there = !error;
    if (error == LK_E_NOT_FOUND) {
        error = lk_login_stand_in_tenant(txn, login->request, tenant);
    }
    if (error == LK_E_NOT_FOUND) {
        memset(tenant, 0, sizeof(*tenant));
        for (i = 0; i < lk_kind_tenant.field_count; i++) {
            const struct lk_field *field = &lk_kind_tenant.fields[i];

            if (field->initial) {
                lk_field_set_number(&tenant->record, field, field->initial);
            }
        }
        error = 0;
    }
    return error;
}

static int login_lookup(struct lk_login *login, struct lk_txn *txn, uint32_t tenant)
{
    struct lk_span name = login->request->name;

    if (!name.size || name.size > LK_LOGIN_NAME_MAX || name.data[0] == '#') {
        return LK_E_NOT_FOUND;
    }
    return lk_find_user(txn, tenant, name, &login->user);
}

/* What the hash is to be compared with, of a user or somebody like one. */
static int login_take_proof(struct lk_login *login, struct lk_txn *txn, uint32_t tenant,
                            uint64_t tag)
{
    int error =
        login->flags & LOGIN_KNOWN ? login_take_verifier(login, txn, login->user) : LK_E_NOT_FOUND;

    if (error == LK_E_NOT_FOUND) {
        error = login_take_stand_in(login, txn, tenant, tag);
    }
    if (!error && login->flags & LOGIN_KNOWN) {
        error = login_take_claim(login, txn);
    }
    return error;
}

/* Before a delay is told the same is looked up for every name: a user's record twice, the activity
 * and the bucket, what is charged last; for a name that nobody has, those of whom it is like. */
static int login_open(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_activity counts;
    struct lk_bucket bucket;
    struct lk_tenant tenant;
    uint32_t place;
    uint64_t tag;
    bool there;
    int error = login_tenant(login, txn, &tenant, &there);

    if (error) {
        return error;
    }
    place = there ? tenant.record.id.tenant : LK_STORE_TENANT;
    tag = lk_login_tag(login->store, login->request, there);
    error = there ? login_lookup(login, txn, place) : LK_E_NOT_FOUND;
    if (!error) {
        if (login->lane == LK_LANE_NETWORK && lk_login_by_mail(login->request)) {
            login->lane = LK_LANE_MAIL;
        }
        error = login_take_user(login, txn, login->user, true, tenant.status == LK_TENANT_ACTIVE);
        if (!error) {
            error = login_take_device(login, txn);
        }
        if (!error) {
            error = login_of_another(lk_login_bucket(txn, place, tag, &bucket));
        }
        if (!error) {
            error = lk_load_activity(txn, login->user, &counts);
        }
        if (!error) {
            error = lk_login_charge(login, txn, &lk_kind_activity, &counts, &tenant);
        }
    } else if (error == LK_E_NOT_FOUND) {
        struct lk_id like = {tenant.record.id.tenant, 0, 0};

        error = lk_login_stand_in_user(txn, like.tenant, tag, 0, &like);
        if (!error) {
            error = login_take_user(login, txn, like, false, false);
        }
        if (!error) {
            error = lk_load_activity(txn, like, &counts);
        }
        error = login_of_another(error);
        if (!error) {
            error = lk_login_bucket(txn, place, tag, &bucket);
        }
        if (!error) {
            login->user = bucket.counts.record.id;
            error = lk_login_charge(login, txn, &lk_kind_bucket, &bucket.counts, &tenant);
        }
    }
    return error ? error : login_take_proof(login, txn, tenant.record.id.tenant, tag);
}

/* What earlier tries were charged is in login->charged already. */
static int login_begin(struct lk_store *store, struct lk_login *login,
                       const struct lk_login_request *request)
{
    struct lk_login_charged charged = login->charged;
    struct lk_txn txn;
    int error;

    memset(login, 0, sizeof(*login));
    login->charged = charged;
    login->store = store;
    login->request = request;
    login->job.params = store->pwhash;
    login->lane = request->channel == LK_CHANNEL_CONSOLE ? LK_LANE_CONSOLE : LK_LANE_NETWORK;
    login->source = lk_throttle_source(store, request->ip);
    error = lk_random(store, login->job.salt, sizeof(login->job.salt));
    if (error) {
        return error;
    }
    memset(&txn, 0, sizeof(txn));
    error = lk_begin(store, &txn, LK_WRITE, NULL);
    if (!error) {
        txn.storage.urgent = true;
        error = login_open(login, &txn);
        if (!error || login->flags & LOGIN_NOTED) {
            int done = lk_commit(&txn);

            error = done ? done : error;
        }
        lk_abort(&txn);
    }
    lk_txn_release(&txn);
    if (error == LK_E_LOCKED) {
        lk_audit_missed(store, login->user.tenant);
    }
    if (error) {
        charged.source = login->charged.source;
        login->charged = charged;
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

int lk_login_begin(struct lk_store *store, struct lk_login *login,
                   const struct lk_login_request *request)
{
    memset(&login->charged, 0, sizeof(login->charged));
    return login_begin(store, login, request);
}

/* ---- Hashing ---- */

static int login_check_claim(struct lk_login *login)
{
    struct lk_store *store = login->store;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error = login->flags & LOGIN_CLAIM ? lk_claim_hash(store, login->request->password, hash)
                                           : LK_E_REFUSED;

    if (!error && store->port->crypto->equal(hash, login->claim, sizeof(hash))) {
        login->flags |= LOGIN_CLAIMED | LOGIN_MUST;
    }
    /* What has not a claim code's form is none. */
    return error == LK_E_REFUSED ? 0 : error;
}

static bool login_weaker(const struct lk_pwhash_params *have, const struct lk_pwhash_params *want)
{
    return have->memory_kib < want->memory_kib || have->passes < want->passes;
}

/* The password right, but the new one not. */
static int login_new_refused(struct lk_login *login, const char *rule)
{
    lk_problem_set(&login->problem, LK_E_MUST_CHANGE, "credential", "new_password", LK_TEXT(""),
                   rule);
    login->state = LOGIN_READY;
    return 0;
}

static void login_job(struct lk_login *login, struct lk_span text)
{
    const struct lk_login_request *request = login->request;

    memset(&login->job, 0, sizeof(login->job));
    login->job.params = login->store->pwhash;
    login->job.password = text.data;
    login->job.password_size = text.size;
    login->job.work = request->hash_work;
    login->job.work_size = request->hash_work_size;
}

/* Hashes the text of the job for a new verifier. */
static int login_renew_begin(struct lk_login *login)
{
    login_job(login, (struct lk_span){login->job.password, login->job.password_size});
    if (lk_random(login->store, login->job.salt, sizeof(login->job.salt))) {
        return LK_E_ENTROPY;
    }
    login->state = LOGIN_RENEW;
    return 1;
}

static int login_compare(struct lk_login *login)
{
    int error = lk_reuse_step(login->store, login->user, &login->reuse, &login->job);

    if (error) {
        return error;
    }
    /* Told after the second factor only, and until then hashed on like any other. */
    login->flags |= login->reuse.reused ? LOGIN_REUSED : 0;
    lk_reuse_done(&login->reuse, &login->fresh);
    return login_renew_begin(login);
}

/* After the proof: is a new verifier to be made, and from what? 1 there is more to do. */
static int login_plan_renewal(struct lk_login *login)
{
    const struct lk_login_request *request = login->request;
    const char *rule = "must be changed";

    login->state = LOGIN_READY;
    /* Who is shut out learns nothing from a second hash either. */
    if (!(login->flags & (LOGIN_GOOD | LOGIN_CLAIMED)) || login->flags & LOGIN_BARRED) {
        return 0;
    }
    if (login->flags & LOGIN_MUST) {
        if (!request->new_password.size || lk_password_form(request->new_password, &rule)) {
            return login_new_refused(login, rule);
        }
        if (lk_span_equal(request->new_password, request->password)) {
            return login_new_refused(login, "is the same as the old one");
        }
        login_job(login, request->new_password);
        lk_password_digest(login->store, request->new_password, &login->fresh);
        login->state = LOGIN_COMPARE;
        return 1;
    }
    if (!(login->flags & LOGIN_FOREIGN) &&
        !login_weaker(&login->job.params, &login->store->pwhash)) {
        return 0;
    }
    return login_renew_begin(login);
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
        if (error == LK_E_UNSUPPORTED || error == LK_E_CHECK) {
            /* One that this build cannot check matches nothing, and takes the time of a new one. */
            login->flags &= ~(unsigned)(LOGIN_FOREIGN | LOGIN_HAS);
            return 1;
        }
        if (error && error != LK_E_REFUSED) {
            return error;
        }
    } else {
        error = port->crypto->pwhash_step(port->self, &login->job);
        if (error == LK_E_CHECK) {
            login->flags &= ~(unsigned)LOGIN_HAS; /* costs more than this port pays */
        } else if (error) {
            return error;
        }
        if (port->crypto->equal(login->job.hash, login->expected, sizeof(login->expected)) &&
            login->flags & LOGIN_HAS) {
            login->flags |= LOGIN_GOOD;
        }
    }
    error = login_check_claim(login);
    return error ? error : login_plan_renewal(login);
}

int lk_login_step(struct lk_login *login)
{
    const struct lk_port *port;
    int error;

    switch ((enum lk_login_state)login->state) {
    case LOGIN_VERIFY: return login_verify(login);
    case LOGIN_COMPARE: return login_compare(login);
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

/* ---- Whole ---- */

void lk_login_cancel(struct lk_login *login)
{
    struct lk_login_charged charged = login->charged;
    struct lk_problem problem = login->problem;

    if (login->store) {
        lk_wipe(login->store, login, sizeof(*login));
    }
    login->charged = charged;
    login->problem = problem;
}

int lk_login_run(struct lk_store *store, const struct lk_login_request *request,
                 const struct lk_login_approve *approve, struct lk_login_result *result,
                 struct lk_problem *problem)
{
    struct lk_login login;
    unsigned tries = 3;
    int error;

    memset(result, 0, sizeof(*result));
    memset(&login.charged, 0, sizeof(login.charged));
    do {
        error = login_begin(store, &login, request);
        if (!error) {
            login.approve = approve;
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

int lk_login(struct lk_store *store, const struct lk_login_request *request,
             struct lk_login_result *result, struct lk_problem *problem)
{
    return lk_login_run(store, request, NULL, result, problem);
}
