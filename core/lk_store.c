// SPDX-License-Identifier: MIT
/* lk_store.c: opening, making and closing a store; transactions. */
#include "lk_engine.h"

int lk_random(const struct lk_store *store, uint8_t *out, size_t size)
{
    return store->port->entropy->fill(store->port->self, out, size);
}

/* Readers of other threads look at the time while a writer moves it. */
void lk_store_lock(struct lk_store *store, bool take)
{
    const struct lk_lock *lock = store->port->lock;

    if (lock && take) {
        lock->take(store->port->self);
    } else if (lock) {
        lock->give(store->port->self);
    }
}

void lk_store_count(struct lk_store *store, uint32_t *counter)
{
    lk_store_lock(store, true);
    (*counter)++;
    lk_store_lock(store, false);
}

static int store_setup(struct lk_store *store, const struct lk_config *config)
{
    const struct lk_pwhash_params standard = {LK_PWHASH_KIB, LK_PWHASH_PASSES, 1};

    if (!config->storage || !config->port || !config->port->clock || !config->port->entropy ||
        !config->port->crypto || config->storage->value_max < LK_VALUE_MIN ||
        (config->left_out & ~(uint64_t)LK_INDEXES_OPTIONAL) ||
        (!config->read_only &&
         (!config->work || config->work_size < LK_WORK_SIZE || (uintptr_t)config->work % 8))) {
        return LK_E_ARGUMENT;
    }
    memset(store, 0, sizeof(*store));
    store->storage = config->storage;
    store->port = config->port;
    store->kinds = config->kinds;
    store->work = config->work;
    store->value_max = config->storage->value_max < LK_VALUE_MAX
                           ? (uint32_t)config->storage->value_max
                           : LK_VALUE_MAX;
    store->audit_capacity = config->audit_capacity ? config->audit_capacity : LK_AUDIT_CAPACITY;
    store->meta.left_out = LK_INDEXES_LEFT_OUT | config->left_out;
    store->pwhash = config->pwhash.memory_kib ? config->pwhash : standard;
    store->flags = (config->read_only ? LK_STORE_READ_ONLY : 0) |
                   (config->pwhash.memory_kib ? LK_STORE_PWHASH : 0) |
                   (config->accept_rollback ? LK_STORE_ROLLBACK_OK : 0) | LK_STORE_COUNT_DUE;
    return 0;
}

static int store_begin(struct lk_store *store, struct lk_txn *txn, enum lk_mode mode)
{
    int error = store->storage->ops->begin(store->storage, &txn->storage, mode);

    if (!error) {
        txn->store = store;
        txn->mode = mode;
        txn->open = true;
        lk_store_lock(store, true);
        store->open_count++;
        lk_store_lock(store, false);
    }
    return error;
}

static void store_end(struct lk_txn *txn)
{
    txn->open = false;
    lk_store_lock(txn->store, true);
    txn->store->open_count--;
    lk_store_lock(txn->store, false);
}

/* What was kept by lk_pwhash_keep, unless whoever opened the store said otherwise. */
static void store_pwhash(struct lk_store *store, const struct lk_meta *meta)
{
    if (!(store->flags & LK_STORE_PWHASH) && meta->pwhash_kib && meta->pwhash_kib <= UINT32_MAX &&
        meta->pwhash_passes <= UINT8_MAX) {
        store->pwhash =
            (struct lk_pwhash_params){(uint32_t)meta->pwhash_kib, (uint32_t)meta->pwhash_passes, 1};
    }
}

static int store_load(struct lk_store *store)
{
    struct lk_txn txn;
    struct lk_meta meta;
    int error;

    memset(&txn, 0, sizeof(txn));
    error = store_begin(store, &txn, LK_READ);
    if (error) {
        return error;
    }
    error = lk_keyring_load(&txn);
    if (!error) {
        error = lk_meta_get(&txn, &meta);
    }
    if (!error &&
        (meta.schema > LK_SCHEMA_VERSION || (meta.left_out & ~(uint64_t)LK_INDEXES_OPTIONAL))) {
        error = LK_E_NEWER;
    }
    if (!error) {
        store->audit_capacity = (uint32_t)meta.audit_capacity;
        store_pwhash(store, &meta);
        store->throttle.tat = meta.charge_tat;
        error = lk_counter_check(store, &meta);
    }
    if (!error) {
        error = lk_clock_start(store, &meta);
    }
    lk_abort(&txn);
    lk_txn_release(&txn);
    return error;
}

int lk_open(struct lk_store *store, const struct lk_config *config)
{
    int error = store_setup(store, config);

    if (!error) {
        error = store->storage->ops->open(store->storage, config->read_only ? LK_READ : LK_WRITE);
    }
    if (error) {
        return error;
    }
    error = store_load(store);
    if (error) {
        lk_keyring_wipe(store);
        store->storage->ops->close(store->storage);
        return error;
    }
    store->flags |= LK_STORE_OPEN | LK_STORE_LOADED;
    return 0;
}

void lk_close(struct lk_store *store)
{
    if (store->flags & LK_STORE_OPEN) {
        lk_keyring_wipe(store);
        store->storage->ops->close(store->storage);
        store->flags = 0;
    }
}

/* LK_E_EXISTS when anything is there. */
static int store_must_be_empty(struct lk_txn *txn)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    struct lk_key all = {.size = 0};
    int error = lk_cursor_begin(txn, &cursor, &all);

    if (!error) {
        error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
        lk_cursor_end(&cursor);
        error = error == LK_E_NOT_FOUND ? 0 : error ? error : LK_E_EXISTS;
    }
    return error;
}

static int store_first_admin(struct lk_txn *txn, const struct lk_create_request *request,
                             struct lk_verifier *verifier, struct lk_create_result *result)
{
    static const struct lk_password_how how = {.verb = "passwd", .set = true};
    struct lk_password_policy policy;
    const char *rule = NULL;
    struct lk_tenant tenant;
    struct lk_user user;
    struct lk_id tenant_id, role;
    int error;

    memset(&tenant, 0, sizeof(tenant));
    lk_set_span(&lk_kind_tenant, &tenant.record, "name", request->tenant);
    error = lk_write(txn, &lk_kind_tenant, LK_ADD, tenant.record.id, &tenant.record, 0, NULL, 0);
    tenant_id = tenant.record.id;
    if (!error) {
        error = lk_seed_tenant(txn, tenant_id.tenant, &role);
    }
    if (error) {
        return error;
    }
    memset(&user, 0, sizeof(user));
    user.record.id.tenant = tenant_id.tenant;
    lk_set_span(&lk_kind_user, &user.record, "username", request->admin);
    error = lk_add(txn, &lk_kind_user, &user.record, NULL);
    if (error) {
        return error;
    }
    result->admin = user.record.id;
    error = lk_role_grant(txn, result->admin, role, 0);
    if (error) {
        return error;
    }
    if (!verifier) {
        return lk_claim_add(txn, result->admin, result->claim);
    }
    /* Names are told by the store's own keys, which were not there when it was hashed. */
    lk_password_digest(txn->store, request->password, &verifier->argon2id);
    error = lk_password_policy(txn, result->admin, &policy);
    if (!error) {
        error = lk_password_allowed(txn, result->admin, &policy, &verifier->argon2id, &rule);
    }
    if (rule) {
        return lk_refuse(txn, error, &lk_kind_credential, "password", LK_TEXT(""), rule);
    }
    return error ? error : lk_password_put(txn, result->admin, verifier, &how, LK_W_QUIET);
}

static int store_create(struct lk_store *store, const struct lk_config *config,
                        const struct lk_create_request *request, struct lk_create_result *result)
{
    struct lk_verifier verifier;
    struct lk_txn txn;
    bool password = request && request->password.size;
    int error = store_setup(store, config);

    if (!error) {
        error = store->storage->ops->open(store->storage, LK_WRITE);
    }
    if (error) {
        return error;
    }
    memset(&txn, 0, sizeof(txn));
    memset(&verifier, 0, sizeof(verifier));
    store->flags |= LK_STORE_OPEN;
    error = lk_clock_start(store, NULL);
    if (!error && password) {
        verifier.form = LK_VERIFIER_ARGON2ID;
        error = lk_password_prepare(store, request->password, NULL, 0, &verifier.argon2id,
                                    &txn.problem);
    }
    if (!error) {
        error = lk_begin(store, &txn, LK_WRITE, NULL);
    }
    if (!error) {
        error = store_must_be_empty(&txn);
    }
    if (!error) {
        error = lk_keyring_create(&txn);
    }
    if (!error) {
        store->flags |= LK_STORE_LOADED;
        error = lk_clock_save(&txn, true);
    }
    if (!error && request) {
        error = store_first_admin(&txn, request, password ? &verifier : NULL, result);
    }
    if (!error) {
        error = lk_commit(&txn);
    }
    lk_abort(&txn);
    lk_txn_release(&txn);
    lk_wipe(store, &verifier, sizeof(verifier));
    if (error) {
        if (result) {
            memset(result, 0, sizeof(*result));
            result->problem = txn.problem;
        }
        lk_close(store);
    }
    return error;
}

int lk_create(struct lk_store *store, const struct lk_config *config,
              const struct lk_create_request *request, struct lk_create_result *result)
{
    memset(result, 0, sizeof(*result));
    return store_create(store, config, request, result);
}

int lk_create_empty(struct lk_store *store, const struct lk_config *config)
{
    return store_create(store, config, NULL, NULL);
}

/* Of a closed store: wraps it by this device's secret, and leaves it closed. */
static int store_adopt(struct lk_store *store, const struct lk_config *config,
                       const uint8_t *secret, struct lk_span passphrase)
{
    struct lk_txn txn;
    int error = store_setup(store, config);

    if (!error) {
        error = store->storage->ops->open(store->storage, LK_WRITE);
    }
    if (error) {
        return error;
    }
    memset(&txn, 0, sizeof(txn));
    error = store_begin(store, &txn, LK_WRITE);
    if (!error) {
        error = lk_keyring_adopt(&txn, secret, passphrase);
        if (!error) {
            store_end(&txn);
            error = store->storage->ops->commit(&txn.storage, LK_COMMIT_DURABLE);
        }
        lk_abort(&txn);
        lk_txn_release(&txn);
    }
    store->storage->ops->close(store->storage);
    return error;
}

int lk_adopt(const struct lk_config *config, struct lk_span passphrase)
{
    struct lk_store store;

    return store_adopt(&store, config, NULL, passphrase);
}

int lk_open_provisioned(struct lk_store *store, const struct lk_config *config)
{
    const struct lk_port *port = config->port;
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    int error = lk_open(store, config);

    if ((error && error != LK_E_SECRET) || !port->secret || !port->secret->provisioned ||
        port->secret->provisioned(port->self, secret)) {
        return error;
    }
    if (error) {
        error = store_adopt(store, config, secret, LK_TEXT(""));
        error = error ? error : lk_open(store, config);
    }
    lk_wipe(store, secret, sizeof(secret));
    /* Forgotten last: while it is there, a start overwrites what it could open. */
    if (!error) {
        error = lk_store_scrub(store, NULL);
    }
    if (!error) {
        error = port->secret->forget(port->self);
    }
    if (error) {
        lk_close(store);
    }
    return error;
}

/* ---- Transactions ---- */

int lk_begin(struct lk_store *store, struct lk_txn *txn, enum lk_mode mode,
             const struct lk_actor *actor)
{
    int error;

    if (!(store->flags & LK_STORE_OPEN) || txn->open) {
        return LK_E_STATE;
    }
    if (mode == LK_WRITE && store->flags & LK_STORE_READ_ONLY) {
        return LK_E_READ_ONLY;
    }
    if (txn->store && txn->store != store) {
        return LK_E_ARGUMENT;
    }
    error = store_begin(store, txn, mode);
    if (error) {
        return error;
    }
    if (mode == LK_WRITE) {
        lk_cache_clear(txn);
        lk_audit_begun(txn);
    }
    memset(&txn->problem, 0, sizeof(txn->problem));
    memset(&txn->actor, 0, sizeof(txn->actor));
    txn->actor.channel = LK_CHANNEL_CLI;
    if (actor) {
        txn->actor = *actor;
    }
    txn->summary = false;
    txn->tallied = false;
    txn->failed = 0;
    error = store->flags & LK_STORE_LOADED ? lk_keyring_follow(txn) : 0;
    if (!error) {
        error = lk_clock_begin(txn);
    }
    if (error) {
        lk_abort(txn);
    }
    return error;
}

int lk_commit(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    int error = 0;

    if (!txn->open) {
        return LK_E_STATE;
    }
    if (txn->failed) {
        lk_abort(txn);
        return txn->failed;
    }
    if (txn->mode == LK_WRITE && !txn->tallied) {
        error = lk_clock_save(txn, false);
        if (!error) {
            error = lk_counter_commit(txn);
        }
        if (error) {
            lk_abort(txn);
            return error;
        }
    }
    store_end(txn);
    if (txn->mode == LK_WRITE) {
        lk_cache_clear(txn);
        lk_store_count(store, &store->commit_count);
    }
    error = store->storage->ops->commit(&txn->storage, LK_COMMIT_DURABLE);
    if (!error && txn->mode == LK_WRITE) {
        lk_audit_committed(txn);
    }
    return error;
}

void lk_abort(struct lk_txn *txn)
{
    if (txn->open) {
        store_end(txn);
        if (txn->mode == LK_WRITE) {
            lk_cache_clear(txn);
        }
        txn->store->storage->ops->abort(&txn->storage);
    }
}

void lk_txn_release(struct lk_txn *txn)
{
    lk_abort(txn);
    if (txn->store && txn->store->storage->ops->release) {
        txn->store->storage->ops->release(txn->store->storage, &txn->storage);
    }
    txn->store = NULL;
}

const struct lk_problem *lk_problem(const struct lk_txn *txn)
{
    return &txn->problem;
}

uint64_t lk_now(const struct lk_txn *txn)
{
    return txn->now_ms;
}

int lk_stats(struct lk_txn *txn, struct lk_stats *stats)
{
    struct lk_store *store = txn->store;
    struct lk_list list = {.kind = &lk_kind_tenant};
    union lk_any_record record;
    struct lk_boot boot;
    int error;

    memset(stats, 0, sizeof(*stats));
    stats->schema_version = LK_SCHEMA_VERSION;
    lk_store_lock(store, true);
    stats->login_count = store->login_count;
    stats->refusal_count = store->refusal_count;
    stats->commit_count = store->commit_count;
    stats->throttled_count = store->throttle.refused_count;
    stats->audit_watermark_count = store->audit_watermark_count;
    lk_store_lock(store, false);
    memcpy(stats->store_id, store->store_id, sizeof(stats->store_id));
    error = lk_boot_get(txn, &boot);
    if (!error) {
        stats->key_generation = boot.generation;
        stats->rekey_running = boot.has_old;
        stats->secret_changing = boot.has_next;
        error = store->storage->ops->stat(store->storage, &stats->storage);
    }
    if (!error) {
        error = lk_list_begin(txn, &list);
    }
    while (!error) {
        error = lk_list_next(&list, &record.record);
        stats->tenant_count += error ? 0 : 1;
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_store_scrub(struct lk_store *store, uint64_t *bytes)
{
    uint64_t none;
    int error;

    if (!(store->flags & LK_STORE_OPEN)) {
        return LK_E_STATE;
    }
    if (!store->storage->ops->scrub) {
        return LK_E_UNSUPPORTED;
    }
    error = store->storage->ops->scrub(store->storage, bytes ? bytes : &none);
    if (!error) {
        store->flags &= ~(uint32_t)LK_STORE_SCRUB_DUE;
    }
    return error;
}

bool lk_store_scrub_due(const struct lk_store *store)
{
    return (store->flags & LK_STORE_SCRUB_DUE) != 0;
}
