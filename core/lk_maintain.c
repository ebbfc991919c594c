// SPDX-License-Identifier: MIT
/*
 * lk_maintain.c: upkeep in slices: expired sessions and grants, keys past their time, purges due.
 *
 * Records are visited in order of their keys, at most `budget` a call; the store handle remembers
 * where to go on. A handle that is new begins anew: nothing depends on the place.
 */
#include "lk_engine.h"

/* What the clock does not surely tell is refused meanwhile, and stays. */
static bool maintain_is_over(const struct lk_txn *txn, uint64_t at)
{
    return lk_clock_trusted(txn) && lk_expired(txn, at);
}

static int maintain_tenant(struct lk_txn *txn, uint32_t number, struct lk_tenant *tenant)
{
    return lk_record_load(txn, &lk_kind_tenant, (struct lk_id){number, 0, 0}, &tenant->record);
}

/* 1 when the record was changed or taken away. */
static int maintain_purge(struct lk_txn *txn, const struct lk_kind *kind,
                          const struct lk_record *record)
{
    struct lk_id id = record->id;
    uint64_t deleted_at = record->deleted_at;
    struct lk_tenant tenant;
    int error;

    /* Age means something only under a clock that somebody vouches for. */
    if (!LK_HAS(record, 5) || txn->clock != LK_CLOCK_SYNCED) {
        return 0;
    }
    error = maintain_tenant(txn, id.tenant, &tenant);
    if (error || !tenant.purge_after_days ||
        lk_elapsed(txn->now_ms, deleted_at) < tenant.purge_after_days * LK_MS_PER_DAY) {
        return error;
    }
    error = lk_purge(txn, kind, id);
    /* Still referred to: it waits until what refers to it is gone. */
    return error == LK_E_REFERENCE ? 0 : error ? error : 1;
}

static int maintain_record(struct lk_txn *txn, const struct lk_kind *kind,
                           union lk_any_record *record)
{
    struct lk_id id = record->record.id;
    int error;

    switch (kind->number) {
    case LK_KIND_SESSION: {
        const struct lk_cache_tenant *policy;
        struct lk_session session;

        memcpy(&session, record, sizeof(session));
        error = lk_cache_tenant(txn, id.tenant, &policy);
        /* Sessions of a removed tenant are over, and go with it. */
        if (error == LK_E_NOT_FOUND ||
            (!error && lk_session_state(txn, &session, policy) == LK_SESSION_OVER)) {
            error = lk_session_drop(txn, id);
            return error ? error : 1;
        }
        return error;
    }
    case LK_KIND_GRANT: {
        struct lk_grant grant;

        memcpy(&grant, record, sizeof(grant));
        if (maintain_is_over(txn, grant.expires_at)) {
            error = lk_write(txn, &lk_kind_grant, LK_PURGE, id, NULL, 0, "expire", 0);
            return error ? error : 1;
        }
        return 0;
    }
    case LK_KIND_CREDENTIAL: {
        struct lk_credential credential;

        memcpy(&credential, record, sizeof(credential));
        if ((maintain_is_over(txn, credential.expires_at) &&
             credential.type != LK_CREDENTIAL_PASSWORD) ||
            (credential.type == LK_CREDENTIAL_CLAIM && credential.powered_end <= lk_powered(txn))) {
            error = lk_write(txn, &lk_kind_credential, LK_PURGE, id, NULL, 0, "expire", 0);
            return error ? error : 1;
        }
        return 0;
    }
    case LK_KIND_FOLD: {
        struct lk_audit_fold fold;

        memcpy(&fold, record, sizeof(fold));
        return lk_audit_fold_maintain(txn, &fold);
    }
    default: return kind->flags & LK_K_SOFT_DELETE ? maintain_purge(txn, kind, &record->record) : 0;
    }
}

/* Reads the next record after the remembered place. LK_E_NOT_FOUND at the end of the store. */
static int maintain_next(struct lk_txn *txn, struct lk_place *place, const struct lk_kind **kind,
                         union lk_any_record *record)
{
    struct lk_store *store = txn->store;
    const struct lk_storage_ops *ops = store->storage->ops;
    struct lk_span from = {place->key, place->size};
    struct lk_storage_cursor cursor;
    struct lk_span key, value, cbor;
    struct lk_key all = {.size = 0}, jump = {.size = 0};
    int error = lk_cursor_begin(txn, &cursor, &all);

    if (error) {
        return error;
    }
    error = ops->seek(&cursor, from, &key, &value);
    if (!error && lk_span_equal(key, from)) {
        error = ops->next(&cursor, &key, &value);
    }
    *kind = NULL;
    if (!error && key.size <= sizeof(place->key) &&
        !lk_key_parse(store, key, kind, &record->record.id)) {
        memcpy(place->key, key.data, key.size);
        place->size = (uint32_t)key.size;
        if (lk_value_open(store, key, value, &cbor) ||
            lk_record_decode(*kind, cbor, &record->record)) {
            *kind = NULL; /* damaged: verify's business */
        }
    } else if (!error) {
        /* Index entries (or the store's bare records): on to the next tenant's records. */
        struct lk_span rest = key;
        uint32_t tenant;

        error = lk_key_take_u32(&rest, &tenant);
        if (!error && rest.size && rest.data[0] == LK_CLASS_INDEX) {
            lk_key_put_number(&jump, (uint64_t)tenant + 1);
        } else if (!error) {
            lk_key_put_bytes(&jump, key);
        }
        error = jump.size > sizeof(place->key) ? LK_E_CORRUPT : error;
        if (!error) {
            memcpy(place->key, jump.data, jump.size);
            place->size = (uint32_t)jump.size;
        }
    }
    lk_cursor_end(&cursor);
    return error;
}

/* 1 when the record ended by the time, and was taken away. */
static int maintain_ended(struct lk_txn *txn, const struct lk_kind *kind,
                          union lk_any_record *record)
{
    struct lk_id id = record->record.id;
    uint64_t expires_at = 0;
    int error;

    if (kind == &lk_kind_grant) {
        struct lk_grant grant;

        memcpy(&grant, record, sizeof(grant));
        expires_at = grant.expires_at;
    } else if (kind == &lk_kind_credential) {
        struct lk_credential credential;

        memcpy(&credential, record, sizeof(credential));
        expires_at = credential.expires_at;
    }
    if (!expires_at || expires_at > txn->now_ms) {
        return 0;
    }
    error = lk_write(txn, kind, LK_PURGE, id, NULL, 0, "expire", 0);
    return error ? error : 1;
}

int lk_maintain_ended(struct lk_txn *txn, struct lk_place *place, uint32_t *left)
{
    union lk_any_record record;
    const struct lk_kind *kind;
    int error = 0;

    while (!error && *left) {
        error = maintain_next(txn, place, &kind, &record);
        if (!error && kind) {
            error = maintain_ended(txn, kind, &record);
            *left -= error > 0 ? 1 : 0;
            error = error > 0 ? 0 : error;
        }
    }
    if (error == LK_E_NOT_FOUND) {
        place->size = 0;
        error = 0;
    }
    return error;
}

/* Retention of a tenant's audit; the tenant is met again where the budget ends in it. The record is
 * read again, as what it points to ends. */
static int maintain_audit(struct lk_txn *txn, struct lk_record *record, uint32_t *budget)
{
    struct lk_id id = record->id;
    bool more;
    int changed = lk_audit_expire(txn, id.tenant, *budget + 1, &more);
    int error = changed < 0 ? changed : lk_record_load(txn, &lk_kind_tenant, id, record);

    if (!error && more) {
        txn->store->maintain.size--;
        *budget = 0;
    }
    return error ? error : changed;
}

int lk_maintain(struct lk_txn *txn, uint32_t budget, bool *more)
{
    struct lk_place *place = &txn->store->maintain;
    union lk_any_record record;
    const struct lk_kind *kind;
    int changed = 0, error = 0;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    *more = true;
    while (!error && budget--) {
        error = maintain_next(txn, place, &kind, &record);
        if (!error && kind == &lk_kind_tenant) {
            error = maintain_audit(txn, &record.record, &budget);
            changed += error > 0 ? 1 : 0;
            error = error < 0 ? error : 0;
        }
        if (!error && kind) {
            error = maintain_record(txn, kind, &record);
            changed += error > 0 ? 1 : 0;
            error = error > 0 ? 0 : error;
        }
    }
    if (error == LK_E_NOT_FOUND) {
        place->size = 0;
        *more = false;
        error = 0;
    }
    return error ? error : changed;
}
