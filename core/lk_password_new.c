// SPDX-License-Identifier: MIT
/*
 * lk_password_new.c: what a new password must be.
 *
 * Hashing happens outside transactions and the tenant's rules are held inside one, where the plain
 * text is gone. What they need is carried: its length, whether it is common, keyed hashes to tell
 * names by, and which of the user's passwords it was compared with.
 */
#include "lk_engine.h"

#define PASSWORD_MIN 8

int lk_password_form(struct lk_span password, const char **rule)
{
    *rule = NULL;
    if (password.size < PASSWORD_MIN) {
        *rule = "has fewer than 8 bytes";
    } else if (password.size > LK_PASSWORD_MAX) {
        *rule = "has more than 128 bytes";
    } else if (memchr(password.data, 0, password.size)) {
        *rule = "holds a NUL byte";
    } else if (!lk_utf8_valid(password)) {
        *rule = "is not UTF-8";
    }
    return *rule ? LK_E_CHECK : 0;
}

uint64_t lk_stamp(const struct lk_store *store, struct lk_span bytes)
{
    uint8_t hash[8];
    uint64_t stamp = 0;

    store->port->crypto->mac64(store->port->self, store->bucket_key, bytes, hash);
    memcpy(&stamp, hash, sizeof(stamp));
    return stamp ? stamp : 1;
}

static bool new_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Letters that are not ASCII's are kept as they are. */
static bool new_is_word(uint8_t byte)
{
    return new_is_digit(byte) || (byte >= 'a' && byte <= 'z') || byte >= 0x80;
}

/*
 * Two hashes: of the text's letters and digits, in small letters, all else left out; and of the
 * same without the digits at both ends. So "Alice.Weaver-1990" has one in common with "alice
 * weaver". 0: nothing is left, or more than a password has.
 */
static void new_words(const struct lk_store *store, struct lk_span text, uint64_t words[2])
{
    uint8_t kept[LK_PASSWORD_MAX];
    struct lk_span word = {kept, 0};
    size_t i;

    words[0] = words[1] = 0;
    for (i = 0; i < text.size; i++) {
        uint8_t byte = lk_ascii_lower(text.data[i]);

        if (!new_is_word(byte)) {
            continue;
        }
        if (word.size == sizeof(kept)) {
            word.size = 0;
            break;
        }
        kept[word.size++] = byte;
    }
    if (word.size) {
        words[0] = lk_stamp(store, word);
    }
    while (word.size && new_is_digit(word.data[word.size - 1])) {
        word.size--;
    }
    while (word.size && new_is_digit(word.data[0])) {
        word.data++;
        word.size--;
    }
    if (word.size) {
        words[1] = lk_stamp(store, word);
    }
    lk_wipe(store, kept, sizeof(kept));
}

void lk_password_digest(const struct lk_store *store, struct lk_span text, struct lk_password *out)
{
    out->length = (uint32_t)text.size;
    out->common = lk_blocklist_has(text);
    new_words(store, text, out->words);
}

/* ---- The tenant's rules ---- */

static const char *const new_name_rules[] = {
    "is the user's name, or that with digits or signs",
    "is the user's e-mail address, or that with digits or signs",
    "is the name in the user's e-mail address, or that with digits or signs",
    "is the user's display name, or that with digits or signs",
    "is the tenant's name, or that with digits or signs",
};

int lk_password_policy(struct lk_txn *txn, struct lk_id user, struct lk_password_policy *policy)
{
    struct lk_store *store = txn->store;
    struct lk_credential credential;
    struct lk_tenant tenant;
    struct lk_user record;
    struct lk_span local;
    const uint8_t *at;
    int error = lk_get(txn, &lk_kind_user, user, &record.record);

    memset(policy, 0, sizeof(*policy));
    if (error) {
        return error;
    }
    policy->must_change = record.must_change_password != 0;
    local = record.email;
    at = local.size ? memchr(local.data, '@', local.size) : NULL;
    local.size = at ? (size_t)(at - local.data) : 0;
    new_words(store, record.username, policy->names[0]);
    new_words(store, record.email, policy->names[1]);
    new_words(store, local, policy->names[2]);
    new_words(store, record.display_name, policy->names[3]);
    error = lk_get(txn, &lk_kind_tenant, (struct lk_id){user.tenant, 0, 0}, &tenant.record);
    if (error) {
        return error;
    }
    new_words(store, tenant.name, policy->names[4]);
    policy->min = tenant.password_min;
    policy->blocklist = tenant.password_blocklist != 0;
    policy->history = tenant.password_history;
    policy->min_age = tenant.password_min_age;
    error = lk_credential_find(txn, user, LK_CREDENTIAL_PASSWORD, &credential);
    if (!error) {
        policy->stamp = lk_verifier_stamp(store, &credential);
        policy->set_at = credential.set_at;
    }
    /* Damaged or none: nothing to compare with. */
    return error == LK_E_NOT_FOUND || error == LK_E_CORRUPT ? 0 : error;
}

static int new_compared(const struct lk_password_policy *policy, const struct lk_password *password,
                        const char **rule)
{
    if (!policy->history || !policy->stamp) {
        return 0;
    }
    if (!password->compared) {
        *rule = "was not compared with the user's earlier ones";
        return LK_E_ARGUMENT;
    }
    return password->compared_to == policy->stamp && password->compared > policy->history
               ? 0
               : LK_E_BUSY;
}

int lk_password_allowed(const struct lk_txn *txn, struct lk_id user,
                        const struct lk_password_policy *policy, const struct lk_password *password,
                        const char **rule)
{
    size_t i;

    *rule = NULL;
    if (password->length < policy->min) {
        *rule = "is shorter than the tenant's password_min";
    } else if (policy->blocklist && password->common) {
        *rule = "is one of the passwords that everybody tries first";
    }
    for (i = 0; !*rule && i < LK_COUNT(policy->names); i++) {
        const uint64_t *name = policy->names[i];

        if ((name[0] && name[0] == password->words[0]) ||
            (name[1] && name[1] == password->words[1])) {
            *rule = new_name_rules[i];
        }
    }
    /* Who must change it may, at once; and whoever sets another's may, too. */
    if (!*rule && policy->min_age && policy->set_at && !policy->must_change &&
        txn->actor.tenant == user.tenant && txn->actor.user == user.user &&
        lk_elapsed(txn->now_ms, policy->set_at) < policy->min_age * 1000) {
        *rule = "cannot be changed yet: the old one is younger than the tenant's password_min_age";
    }
    return *rule ? LK_E_CHECK : new_compared(policy, password, rule);
}

/* ---- Preparing ---- */

/* Compares with the passwords that the user had. */
static int new_compare(struct lk_store *store, struct lk_id user, struct lk_pwhash_job *job,
                       struct lk_password *out, const char **rule)
{
    struct lk_reuse reuse;
    int error;

    memset(&reuse, 0, sizeof(reuse));
    do {
        error = lk_reuse_step(store, user, &reuse, job);
    } while (error > 0);
    if (!error && reuse.reused) {
        *rule = "is one that the user had before";
        error = LK_E_CHECK;
    }
    lk_reuse_done(&reuse, out);
    lk_wipe(store, &reuse, sizeof(reuse));
    return error;
}

static int new_prepare(struct lk_store *store, const struct lk_id *user, struct lk_pwhash_job *job,
                       struct lk_password *out, const char **rule)
{
    const struct lk_port *port = store->port;
    struct lk_span text = {job->password, job->password_size};
    int error = lk_password_form(text, rule);

    if (!error) {
        memset(out, 0, sizeof(*out));
        lk_password_digest(store, text, out);
        error = user ? new_compare(store, *user, job, out, rule) : 0;
    }
    if (!error) {
        error = lk_random(store, job->salt, sizeof(job->salt));
    }
    if (error) {
        return error;
    }
    job->params = store->pwhash;
    memset(job->progress, 0, sizeof(job->progress));
    do {
        error = port->crypto->pwhash_step(port->self, job);
    } while (error > 0);
    if (!error) {
        out->params = job->params;
        memcpy(out->salt, job->salt, sizeof(out->salt));
        memcpy(out->hash, job->hash, sizeof(out->hash));
    }
    return error;
}

static int new_password(struct lk_store *store, const struct lk_id *user, struct lk_span password,
                        void *hash_work, size_t hash_work_size, struct lk_password *out,
                        struct lk_problem *problem)
{
    struct lk_pwhash_job job;
    const char *rule = NULL;
    int error;

    memset(&job, 0, sizeof(job));
    job.password = password.data;
    job.password_size = password.size;
    job.work = hash_work;
    job.work_size = hash_work_size;
    error = new_prepare(store, user, &job, out, &rule);
    if (rule && problem) {
        lk_problem_set(problem, error, "credential", "password", LK_TEXT(""), rule);
    }
    if (error) {
        lk_wipe(store, out, sizeof(*out));
    }
    lk_wipe(store, &job, sizeof(job));
    return error;
}

int lk_password_prepare(struct lk_store *store, struct lk_span password, void *hash_work,
                        size_t hash_work_size, struct lk_password *out, struct lk_problem *problem)
{
    return new_password(store, NULL, password, hash_work, hash_work_size, out, problem);
}

int lk_password_prepare_for(struct lk_store *store, struct lk_id user, struct lk_span password,
                            void *hash_work, size_t hash_work_size, struct lk_password *out,
                            struct lk_problem *problem)
{
    return new_password(store, &user, password, hash_work, hash_work_size, out, problem);
}
