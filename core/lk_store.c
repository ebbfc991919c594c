// SPDX-License-Identifier: MIT
/* lk_store.c: opening, making and closing a store; transactions; time. */
#include "lk_engine.h"

/* The store's own record: schema version and the time it has seen. */
#define STORE_META_SIZE  64
#define STORE_TIME_GRAIN 60000 /* milliseconds that a stored high-water mark may lag */

enum { META_SCHEMA = 1, META_HIGH_WATER = 2, META_AUDIT_CAPACITY = 3 };

static void store_meta_key(struct lk_key *key)
{
    key->size = 0;
    lk_key_put_number(key, LK_STORE_TENANT);
    lk_key_put_byte(key, 0);
    lk_key_put_number(key, 0);
    lk_key_put_byte(key, LK_KIND_META);
}

static int store_meta_put(struct lk_txn *txn, uint64_t high_water_ms)
{
    uint8_t buffer[STORE_META_SIZE];
    struct lk_cbor_writer writer;
    struct lk_key key;
    size_t size;
    int error;

    lk_cbor_writer_init(&writer, buffer, sizeof(buffer) - LK_CHECKSUM_SIZE);
    lk_cbor_put_map(&writer, 3);
    lk_cbor_put_uint(&writer, META_SCHEMA);
    lk_cbor_put_uint(&writer, LK_SCHEMA_VERSION);
    lk_cbor_put_uint(&writer, META_HIGH_WATER);
    lk_cbor_put_uint(&writer, high_water_ms);
    lk_cbor_put_uint(&writer, META_AUDIT_CAPACITY);
    lk_cbor_put_uint(&writer, txn->store->audit_capacity);
    error = lk_cbor_finish(&writer, &size);
    store_meta_key(&key);
    return error ? error : lk_value_put(txn, &key, buffer, size);
}

static int store_meta_get(struct lk_txn *txn, uint64_t *schema, uint64_t *high_water_ms)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item map, key, value;
    struct lk_span cbor;
    struct lk_key at;
    int error;

    store_meta_key(&at);
    error = lk_value_get(txn, &at, &cbor);
    if (error) {
        return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
    }
    lk_cbor_reader_init(&reader, cbor);
    if (lk_cbor_read(&reader, &map) || map.type != LK_CBOR_MAP) {
        return LK_E_CORRUPT;
    }
    for (; map.number; map.number--) {
        if (lk_cbor_read(&reader, &key) || key.type != LK_CBOR_UINT ||
            lk_cbor_read(&reader, &value) || value.type != LK_CBOR_UINT) {
            return LK_E_CORRUPT;
        }
        if (key.number == META_SCHEMA) {
            *schema = value.number;
        } else if (key.number == META_HIGH_WATER) {
            *high_water_ms = value.number;
        } else if (key.number == META_AUDIT_CAPACITY && value.number <= UINT32_MAX) {
            txn->store->audit_capacity = (uint32_t)value.number;
        }
    }
    return txn->store->audit_capacity ? 0 : LK_E_CORRUPT;
}

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

/* Never behind what the store has seen: with the clock unset or set back, time goes on from there
 * by the monotonic clock. */
int lk_clock_read(struct lk_store *store, uint64_t *ms, enum lk_clock_quality *quality)
{
    const struct lk_port *port = store->port;
    uint64_t monotonic, mark, mark_at;
    int error = port->clock->wall(port->self, ms, quality);

    lk_store_lock(store, true);
    mark = store->high_water_ms;
    mark_at = store->high_water_at;
    lk_store_lock(store, false);
    if (!error && (*quality == LK_CLOCK_UNSET || *ms < mark)) {
        error = port->clock->monotonic(port->self, &monotonic);
        *ms = mark + lk_elapsed(monotonic, mark_at);
        *quality = LK_CLOCK_HELD;
    }
    return error;
}

/* Remembers a time, and when in this boot it was. */
static int store_high_water(struct lk_store *store, uint64_t ms)
{
    uint64_t at;
    int error = store->port->clock->monotonic(store->port->self, &at);

    if (!error) {
        lk_store_lock(store, true);
        store->high_water_ms = ms;
        store->high_water_at = at;
        lk_store_lock(store, false);
    }
    return error;
}

static int store_setup(struct lk_store *store, const struct lk_config *config)
{
    const struct lk_pwhash_params standard = {LK_PWHASH_KIB, LK_PWHASH_PASSES, 1};

    if (!config->storage || !config->port || !config->port->clock || !config->port->entropy ||
        !config->port->crypto || config->storage->value_max < LK_VALUE_MAX ||
        (!config->read_only &&
         (!config->work || config->work_size < LK_WORK_SIZE || (uintptr_t)config->work % 8))) {
        return LK_E_ARGUMENT;
    }
    memset(store, 0, sizeof(*store));
    store->storage = config->storage;
    store->port = config->port;
    store->kinds = config->kinds;
    store->work = config->work;
    store->pwhash = config->pwhash.memory_kib ? config->pwhash : standard;
    store->flags = config->read_only ? LK_STORE_READ_ONLY : 0;
    return 0;
}

static int store_begin(struct lk_store *store, struct lk_txn *txn, enum lk_mode mode)
{
    int error = store->storage->ops->begin(store->storage, &txn->storage, mode);

    if (!error) {
        txn->store = store;
        txn->mode = mode;
        txn->open = true;
    }
    return error;
}

static int store_load(struct lk_store *store)
{
    struct lk_txn txn;
    uint64_t schema = 0, high_water_ms = 0;
    int error;

    memset(&txn, 0, sizeof(txn));
    error = store_begin(store, &txn, LK_READ);
    if (error) {
        return error;
    }
    error = lk_keyring_load(&txn);
    if (!error) {
        error = store_meta_get(&txn, &schema, &high_water_ms);
    }
    if (!error) {
        error = store_high_water(store, high_water_ms);
    }
    if (!error && schema > LK_SCHEMA_VERSION) {
        error = LK_E_NEWER;
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
    store->flags |= LK_STORE_OPEN;
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
                             const struct lk_verifier *verifier, struct lk_create_result *result)
{
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
    return verifier ? lk_password_put(txn, result->admin, verifier, "passwd", LK_W_QUIET)
                    : lk_claim_add(txn, result->admin, result->claim);
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
    store->audit_capacity = LK_AUDIT_CAPACITY;
    if (password) {
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
        error = store_meta_put(&txn, txn.now_ms);
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

int lk_adopt(const struct lk_config *config, struct lk_span passphrase)
{
    struct lk_store store;
    struct lk_txn txn;
    int error = store_setup(&store, config);

    if (!error) {
        error = store.storage->ops->open(store.storage, LK_WRITE);
    }
    if (error) {
        return error;
    }
    memset(&txn, 0, sizeof(txn));
    error = store_begin(&store, &txn, LK_WRITE);
    if (!error) {
        error = lk_keyring_adopt(&txn, passphrase);
        if (!error) {
            txn.open = false;
            error = store.storage->ops->commit(&txn.storage, LK_COMMIT_DURABLE);
        }
        lk_abort(&txn);
        lk_txn_release(&txn);
    }
    store.storage->ops->close(store.storage);
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
    txn->failed = 0;
    error = lk_clock_read(store, &txn->now_ms, &txn->clock);
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
    if (txn->mode == LK_WRITE && txn->now_ms >= store->high_water_ms + STORE_TIME_GRAIN) {
        error = store_meta_put(txn, txn->now_ms);
        if (!error) {
            /* Ahead of the commit, while no other writer can be: time that was seen was seen. */
            error = store_high_water(store, txn->now_ms);
        }
        if (error) {
            lk_abort(txn);
            return error;
        }
    }
    txn->open = false;
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
        txn->open = false;
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

void lk_store_count(struct lk_store *store, uint32_t *counter)
{
    lk_store_lock(store, true);
    (*counter)++;
    lk_store_lock(store, false);
}

int lk_stats(struct lk_txn *txn, struct lk_stats *stats)
{
    struct lk_store *store = txn->store;
    struct lk_list list = {.kind = &lk_kind_tenant};
    union lk_any_record record;
    int error;

    memset(stats, 0, sizeof(*stats));
    stats->schema_version = LK_SCHEMA_VERSION;
    lk_store_lock(store, true);
    stats->login_count = store->login_count;
    stats->refusal_count = store->refusal_count;
    stats->commit_count = store->commit_count;
    stats->audit_watermark_count = store->audit_watermark_count;
    lk_store_lock(store, false);
    memcpy(stats->store_id, store->store_id, sizeof(stats->store_id));
    error = store->storage->ops->stat(store->storage, &stats->storage);
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
