// SPDX-License-Identifier: MIT
/* lk_login_finish.c: the commit that ends a login, one way or the other. */
#include "lk_login.h"

static struct lk_span login_words(const struct lk_login *login, enum lk_outcome outcome)
{
    static const char *const good[] = {LK_AUDIT_LOGGED_IN, "logged in with a time-based code",
                                       "logged in with a recovery code"};
    static const char *const anew[] = {"logged in; password rehashed",
                                       "logged in with a time-based code; password rehashed",
                                       "logged in with a recovery code; password rehashed"};
    bool rehashed = (login->flags & (LOGIN_FRESH | LOGIN_MUST)) == LOGIN_FRESH;
    const char *words = rehashed ? anew[login->factor] : good[login->factor];

    if (outcome != LK_SUCCESS) {
        words = login->problem.error == LK_E_LIMIT ? "login refused: too many sessions"
                : !(login->flags & LOGIN_KNOWN)    ? "login refused: unknown name"
                : login->flags & LOGIN_CODE        ? "login refused: wrong code"
                                                   : "login refused";
    }
    return (struct lk_span){(const uint8_t *)words, strlen(words)};
}

/* `tags` may be empty. */
static int login_audit(struct lk_login *login, struct lk_txn *txn, enum lk_outcome outcome,
                       struct lk_span tags)
{
    struct lk_audit_entry entry;
    char resource[16];
    struct lk_words words = {resource, 0, sizeof(resource)};
    const struct lk_kind *kind = &lk_kind_audit;

    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT(LK_AUDIT_LOGIN));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("user"));
    if (login->flags & LOGIN_KNOWN) {
        lk_words_add_number(&words, login->user.user);
        lk_field_set_span(&entry.record, lk_field_numbered(kind, 14), lk_words_span(&words));
    }
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16), login_words(login, outcome));
    if (outcome != LK_SUCCESS) {
        lk_field_set_number(&entry.record, lk_field_numbered(kind, 15), LK_FAILURE);
    }
    if (tags.size) {
        lk_field_set_span(&entry.record, lk_field_numbered(kind, 23), tags);
    }
    return lk_audit_append(txn, login->user.tenant, LK_RING_ACTIVITY, &entry);
}

/* One try of a claim code less, where what was given has a claim code's form. */
static int login_spend_claim(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_credential claim;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    int error = login->flags & LOGIN_CLAIM
                    ? lk_claim_hash(login->store, login->request->password, hash)
                    : LK_E_REFUSED;

    if (error) {
        return error == LK_E_REFUSED ? 0 : error;
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
        error = login_audit(login, txn, LK_FAILURE, LK_TEXT(""));
    }
    if (!error) {
        error = lk_commit(txn);
    }
    lk_store_count(login->store, &login->store->refusal_count);
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
    if (lk_stamp(login->store, user.record.raw) != login->user_stamp) {
        return LK_E_BUSY;
    }
    if (login->flags & LOGIN_CLAIMED) {
        /* A code is good once, even when two logins with it run side by side. */
        error = lk_credential_find(txn, login->user, LK_CREDENTIAL_CLAIM, &credential);
        if (!error && !lk_span_equal(credential.secret,
                                     (struct lk_span){login->claim, sizeof(login->claim)})) {
            error = LK_E_BUSY;
        }
        if (error) {
            return error == LK_E_NOT_FOUND ? LK_E_BUSY : error;
        }
    }
    if (!(login->flags & LOGIN_HAS)) {
        return 0;
    }
    error = lk_get(txn, &lk_kind_credential, login->credential, &credential.record);
    if (!error && lk_verifier_stamp(login->store, &credential) != login->credential_stamp) {
        error = LK_E_BUSY;
    }
    return error == LK_E_NOT_FOUND ? LK_E_BUSY : error;
}

/* Right, but there is no room for one more session: that is told to nobody else. */
static int login_turn_away(struct lk_login *login, struct lk_txn *txn,
                           const struct lk_tenant *tenant)
{
    int error = lk_login_give_back(login, txn, tenant);

    if (!error) {
        error = login_audit(login, txn, LK_FAILURE, LK_TEXT(""));
    }
    if (!error) {
        error = lk_commit(txn);
    }
    return error ? error : LK_E_LIMIT;
}

static int login_renew(struct lk_login *login, struct lk_txn *txn, bool *rehashed)
{
    static const struct lk_password_how how = {.verb = "rehash"};
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
    error = lk_password_put(txn, login->user, &verifier, &how, LK_W_QUIET);
    lk_wipe(login->store, &verifier, sizeof(verifier));
    *rehashed = true;
    return error;
}

/* Holds the tenant's rules against the new password; what they refuse is in login->problem. */
static int login_allow(struct lk_login *login, struct lk_txn *txn)
{
    struct lk_password_policy policy;
    const char *rule;
    int error = lk_password_policy(txn, login->user, &policy);

    if (error) {
        return error;
    }
    error = lk_password_allowed(txn, login->user, &policy, &login->fresh, &rule);
    if (error == LK_E_CHECK) {
        lk_problem_set(&login->problem, LK_E_MUST_CHANGE, "credential", "new_password", LK_TEXT(""),
                       rule);
        error = 0;
    }
    return error;
}

static void login_tag(struct lk_words *tags, bool is, const char *tag)
{
    lk_words_add(tags, is && tags->size ? " " : "");
    lk_words_add(tags, is ? tag : "");
}

/* The password is renewed, where that was due. */
static int login_open_session(struct lk_login *login, struct lk_txn *txn,
                              const struct lk_tenant *tenant, const struct lk_factor *factor,
                              struct lk_login_result *result)
{
    struct lk_activity activity;
    struct lk_login_unusual unusual = {false, false, false, false};
    bool full = false;
    char text[64];
    struct lk_words tags = {text, 0, sizeof(text)};
    uint32_t device = 0;
    int error;

    result->factor = login->factor = factor->kind;
    result->codes_left = factor->kind == LK_FACTOR_RECOVERY ? factor->codes_left - 1 : 0;
    error = lk_login_make_room(login, txn, tenant, &full, &unusual);
    /* There are few recovery codes: none goes for a login that is turned away. */
    if (!error && !(full && factor->kind == LK_FACTOR_RECOVERY)) {
        error = lk_login_factor_spend(txn, factor);
    }
    if (!error && full) {
        lk_problem_set(&login->problem, LK_E_LIMIT, "session", "session_max", LK_TEXT(""),
                       "is reached: end one of the user's sessions first");
        return LK_E_LIMIT;
    }
    if (!error) {
        error = lk_login_device(login, txn, result, &device, &unusual.device);
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
    error =
        lk_login_put_session(login, txn, tenant, (uint32_t)activity.session_number, device, result);
    if (!error) {
        error = lk_load_activity(txn, login->user, &activity);
        activity.session_number = result->session.sub;
    }
    if (!error) {
        error = lk_login_put_activity(login, txn, tenant, &activity, &unusual);
    }
    txn->actor.session = result->session.sub;
    login_tag(&tags, unusual.device, "new-device");
    login_tag(&tags, unusual.address, "new-address");
    login_tag(&tags, unusual.places, "two-places");
    login_tag(&tags, unusual.refusals, "many-refusals");
    return error ? error : login_audit(login, txn, LK_SUCCESS, lk_words_span(&tags));
}

static int login_accept(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                        const struct lk_factor *factor, struct lk_login_result *result)
{
    int error = login_renew(login, txn, &result->rehashed);

    return error ? error : login_open_session(login, txn, tenant, factor, result);
}

/* The password was right and more is asked for: the attempt was no failure. */
static int login_ask(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                     int answer)
{
    int error = lk_login_give_back(login, txn, tenant);

    if (!error) {
        error = lk_commit(txn);
    }
    return error ? error : answer;
}

/* The password was right: what follows is an approval, or why there is none, but no session. */
static int login_approve(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant,
                         const struct lk_factor *factor)
{
    int answer = lk_approve_judge(login, txn);
    int error = answer == LK_E_REFUSED ? 0 : answer;

    if (!error) {
        error = lk_login_factor_spend(txn, factor);
    }
    if (!error) {
        error = lk_login_give_back(login, txn, tenant);
    }
    if (!error) {
        error = lk_approve_audit(login, txn, !answer);
    }
    if (!error) {
        error = lk_commit(txn);
    }
    return error ? error : answer;
}

static int login_finish(struct lk_login *login, struct lk_txn *txn, struct lk_login_result *result)
{
    struct lk_factor factor;
    struct lk_tenant tenant;
    int error;

    if (!(login->flags & (LOGIN_GOOD | LOGIN_CLAIMED))) {
        return login_refuse(login, txn);
    }
    error = login_recheck(login, txn, &tenant);
    if (error) {
        return error == LK_E_REFUSED ? login_refuse(login, txn) : error;
    }
    if (login->flags & LOGIN_MUST && login->flags & LOGIN_FRESH) {
        error = login_allow(login, txn);
        if (error) {
            return error;
        }
    }
    if (login->problem.error == LK_E_MUST_CHANGE) {
        return login_ask(login, txn, &tenant, LK_E_MUST_CHANGE);
    }
    error = lk_login_factor(login, txn, &tenant, &factor);
    if (error == LK_E_SECOND_FACTOR) {
        return login_ask(login, txn, &tenant, error);
    }
    if (error == LK_E_REFUSED) {
        login->flags |= LOGIN_CODE;
        return login_refuse(login, txn);
    }
    if (!error && login->flags & LOGIN_REUSED) {
        lk_problem_set(&login->problem, LK_E_MUST_CHANGE, "credential", "new_password", LK_TEXT(""),
                       "is one that the user had before");
        return login_ask(login, txn, &tenant, LK_E_MUST_CHANGE);
    }
    if (!error && login->approve) {
        return login_approve(login, txn, &tenant, &factor);
    }
    if (!error) {
        error = login_accept(login, txn, &tenant, &factor, result);
    }
    if (login->problem.error == LK_E_LIMIT) {
        return login_turn_away(login, txn, &tenant);
    }
    if (!error) {
        error = lk_commit(txn);
    }
    if (!error) {
        lk_store_count(login->store, &login->store->login_count);
    }
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
        txn.storage.urgent = true;
        error = login_finish(login, &txn, result);
        lk_abort(&txn);
    }
    lk_txn_release(&txn);
    if (error) {
        lk_wipe(store, result, sizeof(*result));
    }
    if (error != LK_E_SECOND_FACTOR && login->request->enrol) {
        lk_wipe(store, login->request->enrol, sizeof(*login->request->enrol));
    }
    {
        struct lk_problem problem = login->problem;

        lk_login_cancel(login);
        login->problem = problem;
        login->problem.error = error;
    }
    return error;
}
