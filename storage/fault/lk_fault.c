// SPDX-License-Identifier: MIT
/*
 * lk_fault.c: a storage that fails when told to, around any other storage.
 *
 * The caller's transaction is also the inner one: it is lent to the inner storage for each call.
 */
#include "lk_fault.h"

#include <string.h>

/* Which of a transaction's `priv` is ours; a cursor may be closed after its transaction. */
#define FAULT_SELF 5

static struct lk_fault *fault_of(struct lk_storage *storage)
{
    /* The head is the first member, so both have one address. */
    return (struct lk_fault *)(void *)storage;
}

static int fault_call(struct lk_fault *fault)
{
    fault->count++;
    bool now = fault->fail_at != 0 &&
               (fault->for_ever ? fault->count >= fault->fail_at : fault->count == fault->fail_at);
    if (now) {
        fault->hit = true;
        return fault->error;
    }
    return LK_OK;
}

static const struct lk_storage_ops *fault_lend(struct lk_fault *fault, struct lk_storage_txn *txn)
{
    txn->storage = fault->inner;
    return fault->inner->ops;
}

static void fault_back(struct lk_fault *fault, struct lk_storage_txn *txn)
{
    txn->storage = txn->storage != NULL ? &fault->storage : NULL;
}

static int fault_open(struct lk_storage *storage, enum lk_mode mode)
{
    struct lk_fault *fault = fault_of(storage);
    int rc = fault_call(fault);
    return rc != LK_OK ? rc : fault->inner->ops->open(fault->inner, mode);
}

static void fault_close(struct lk_storage *storage)
{
    struct lk_storage *inner = fault_of(storage)->inner;
    inner->ops->close(inner);
}

static int fault_begin(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode)
{
    struct lk_fault *fault = fault_of(storage);
    if (txn->storage != NULL) {
        return LK_E_STATE;
    }
    int rc = fault_call(fault);
    if (rc == LK_OK) {
        rc = fault->inner->ops->begin(fault->inner, txn, mode);
        fault_back(fault, txn);
        txn->priv[FAULT_SELF] = fault;
    }
    return rc;
}

static void fault_abort(struct lk_storage_txn *txn)
{
    if (txn->storage != NULL) {
        struct lk_fault *fault = fault_of(txn->storage);
        fault_lend(fault, txn)->abort(txn);
        fault_back(fault, txn);
    }
}

static int fault_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_call(fault);
    if (rc != LK_OK) {
        rc = txn->failed != LK_OK ? txn->failed : rc;
        fault_abort(txn);
        return rc;
    }
    rc = fault_lend(fault, txn)->commit(txn, mode);
    fault_back(fault, txn);
    return rc;
}

static void fault_release(struct lk_storage *storage, struct lk_storage_txn *txn)
{
    struct lk_fault *fault = fault_of(storage);
    fault_abort(txn);
    fault->inner->ops->release(fault->inner, txn);
}

static uint64_t fault_snapshot(const struct lk_storage_txn *txn)
{
    if (txn->storage == NULL) {
        return 0;
    }
    const struct lk_fault *fault = fault_of(txn->storage);
    struct lk_storage_txn lent = *txn;
    lent.storage = fault->inner;
    return fault->inner->ops->snapshot(&lent);
}

static int fault_get_inner(struct lk_fault *fault, struct lk_storage_txn *txn, struct lk_span key,
                           struct lk_span *value)
{
    int rc = fault_lend(fault, txn)->get(txn, key, value);
    fault_back(fault, txn);
    return rc;
}

/* Puts what is to be seen of `key` in place of `value`. `found` may be NULL. */
static int fault_alter(struct lk_fault *fault, struct lk_storage_txn *txn, struct lk_span key,
                       struct lk_span *found, struct lk_span *value)
{
    for (size_t i = 0; i < LK_FAULT_ALTER_COUNT; i++) {
        struct lk_fault_alter *alter = &fault->alter[i];
        if (alter->key_size == 0 || alter->key_size != key.size ||
            memcmp(alter->key, key.data, key.size) != 0) {
            continue;
        }
        if (found != NULL) { /* the inner span may not outlive the next call */
            memcpy(alter->found, key.data, key.size);
            *found = (struct lk_span){alter->found, key.size};
        }
        if (value == NULL) {
            return LK_OK;
        }
        if (alter->instead_size > 0) {
            struct lk_span other = {alter->instead, alter->instead_size};
            int rc = fault_get_inner(fault, txn, other, value);
            if (rc != LK_OK) {
                return rc;
            }
        }
        if (value->size > sizeof alter->value) {
            return LK_E_TOO_BIG;
        }
        if (value->size > 0) {
            memcpy(alter->value, value->data, value->size);
            value->data = alter->value;
            if (alter->instead_size == 0) {
                size_t at = alter->bit / 8 % value->size;
                alter->value[at] = (uint8_t)(alter->value[at] ^ (1u << (alter->bit % 8)));
            }
        }
        return LK_OK;
    }
    return LK_OK;
}

static int fault_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_call(fault);
    if (rc == LK_OK) {
        rc = fault_get_inner(fault, txn, key, value);
    }
    return rc == LK_OK ? fault_alter(fault, txn, key, NULL, value) : rc;
}

/* An error of our own spoils a write transaction as one of the inner storage does. */
static int fault_change(struct lk_fault *fault, struct lk_storage_txn *txn)
{
    int rc = fault_call(fault);
    if (rc != LK_OK && txn->mode == LK_WRITE && txn->failed == LK_OK) {
        txn->failed = rc;
    }
    return rc;
}

static int fault_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_change(fault, txn);
    if (rc == LK_OK) {
        rc = fault_lend(fault, txn)->put(txn, key, value);
        fault_back(fault, txn);
    }
    return rc;
}

static int fault_remove(struct lk_storage_txn *txn, struct lk_span key)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_change(fault, txn);
    if (rc == LK_OK) {
        rc = fault_lend(fault, txn)->remove(txn, key);
        fault_back(fault, txn);
    }
    return rc;
}

static int fault_tally(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_change(fault, txn);
    if (rc == LK_OK) {
        rc = fault_lend(fault, txn)->tally(txn, key, count);
        fault_back(fault, txn);
    }
    return rc;
}

static int fault_tallied(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_call(fault);
    if (rc == LK_OK) {
        rc = fault_lend(fault, txn)->tallied(txn, key, count);
        fault_back(fault, txn);
    }
    return rc;
}

static int fault_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                             struct lk_span prefix)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    int rc = fault_call(fault);
    if (rc == LK_OK) {
        rc = fault_lend(fault, txn)->cursor_open(txn, cursor, prefix);
        fault_back(fault, txn);
    }
    return rc;
}

static void fault_cursor_close(struct lk_storage_cursor *cursor)
{
    struct lk_storage_txn *txn = cursor->txn;
    if (txn != NULL) {
        struct lk_fault *fault = txn->priv[FAULT_SELF];
        bool open = txn->storage != NULL;
        txn->storage = open ? fault->inner : NULL;
        fault->inner->ops->cursor_close(cursor);
        fault_back(fault, txn);
    }
}

enum fault_way { FAULT_SEEK, FAULT_BEFORE, FAULT_NEXT, FAULT_PREV };

static int fault_move(struct lk_storage_cursor *cursor, enum fault_way way, struct lk_span key,
                      struct lk_span *found, struct lk_span *value)
{
    struct lk_storage_txn *txn = cursor->txn;
    if (txn == NULL || txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_fault *fault = fault_of(txn->storage);
    struct lk_span at = {NULL, 0};
    int rc = fault_call(fault);
    if (rc != LK_OK) {
        return rc;
    }
    const struct lk_storage_ops *ops = fault_lend(fault, txn);
    switch (way) {
    case FAULT_SEEK: rc = ops->seek(cursor, key, &at, value); break;
    case FAULT_BEFORE: rc = ops->seek_before(cursor, key, &at, value); break;
    case FAULT_NEXT: rc = ops->next(cursor, &at, value); break;
    case FAULT_PREV: rc = ops->prev(cursor, &at, value); break;
    }
    fault_back(fault, txn);
    if (rc != LK_OK) {
        return rc;
    }
    if (found != NULL) {
        *found = at;
    }
    return fault_alter(fault, txn, at, found, value);
}

static int fault_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                      struct lk_span *value)
{
    return fault_move(cursor, FAULT_SEEK, key, found, value);
}

static int fault_seek_before(struct lk_storage_cursor *cursor, struct lk_span key,
                             struct lk_span *found, struct lk_span *value)
{
    return fault_move(cursor, FAULT_BEFORE, key, found, value);
}

static int fault_next(struct lk_storage_cursor *cursor, struct lk_span *found,
                      struct lk_span *value)
{
    return fault_move(cursor, FAULT_NEXT, (struct lk_span){NULL, 0}, found, value);
}

static int fault_prev(struct lk_storage_cursor *cursor, struct lk_span *found,
                      struct lk_span *value)
{
    return fault_move(cursor, FAULT_PREV, (struct lk_span){NULL, 0}, found, value);
}

static int fault_stat(struct lk_storage *storage, struct lk_storage_stat *stat)
{
    struct lk_fault *fault = fault_of(storage);
    int rc = fault_call(fault);
    return rc != LK_OK ? rc : fault->inner->ops->stat(fault->inner, stat);
}

static int fault_check(struct lk_storage *storage, lk_storage_progress *progress, void *context)
{
    struct lk_fault *fault = fault_of(storage);
    if (fault->inner->ops->check == NULL) {
        return LK_E_UNSUPPORTED;
    }
    int rc = fault_call(fault);
    return rc != LK_OK ? rc : fault->inner->ops->check(fault->inner, progress, context);
}

static int fault_compact(struct lk_storage *storage)
{
    struct lk_fault *fault = fault_of(storage);
    if (fault->inner->ops->compact == NULL) {
        return LK_E_UNSUPPORTED;
    }
    int rc = fault_call(fault);
    return rc != LK_OK ? rc : fault->inner->ops->compact(fault->inner);
}

static int fault_scrub(struct lk_storage *storage, uint64_t *bytes)
{
    struct lk_fault *fault = fault_of(storage);
    if (fault->inner->ops->scrub == NULL) {
        return LK_E_UNSUPPORTED;
    }
    int rc = fault_call(fault);
    return rc != LK_OK ? rc : fault->inner->ops->scrub(fault->inner, bytes);
}

static const struct lk_storage_ops fault_ops = {
    .name = "fault",
    .open = fault_open,
    .close = fault_close,
    .begin = fault_begin,
    .commit = fault_commit,
    .abort = fault_abort,
    .release = fault_release,
    .snapshot = fault_snapshot,
    .get = fault_get,
    .put = fault_put,
    .remove = fault_remove,
    .tally = fault_tally,
    .tallied = fault_tallied,
    .cursor_open = fault_cursor_open,
    .cursor_close = fault_cursor_close,
    .seek = fault_seek,
    .seek_before = fault_seek_before,
    .next = fault_next,
    .prev = fault_prev,
    .stat = fault_stat,
    .check = fault_check,
    .compact = fault_compact,
    .scrub = fault_scrub,
};

int lk_fault_init(struct lk_fault *fault, struct lk_storage *inner)
{
    if (fault == NULL || inner == NULL) {
        return LK_E_ARGUMENT;
    }
    memset(fault, 0, sizeof *fault);
    fault->storage.ops = &fault_ops;
    fault->storage.caps = inner->caps;
    fault->storage.value_max = inner->value_max;
    fault->inner = inner;
    return LK_OK;
}

void lk_fault_at(struct lk_fault *fault, uint64_t n, bool for_ever, int error)
{
    fault->count = 0;
    fault->fail_at = n;
    fault->for_ever = for_ever;
    fault->error = error;
    fault->hit = false;
}

uint64_t lk_fault_count(const struct lk_fault *fault)
{
    return fault->count;
}

bool lk_fault_hit(const struct lk_fault *fault)
{
    return fault->hit;
}

static struct lk_fault_alter *fault_place(struct lk_fault *fault)
{
    for (size_t i = 0; i < LK_FAULT_ALTER_COUNT; i++) {
        if (fault->alter[i].key_size == 0) {
            return &fault->alter[i];
        }
    }
    return NULL;
}

static int fault_add(struct lk_fault *fault, struct lk_span key, struct lk_span instead,
                     uint32_t bit)
{
    struct lk_fault_alter *alter = fault_place(fault);
    if (key.size == 0 || key.size > LK_KEY_MAX || instead.size > LK_KEY_MAX) {
        return LK_E_ARGUMENT;
    }
    if (alter == NULL) {
        return LK_E_LIMIT;
    }
    if (fault->storage.value_max > sizeof alter->value) {
        return LK_E_TOO_BIG;
    }
    memcpy(alter->key, key.data, key.size);
    if (instead.size > 0) {
        memcpy(alter->instead, instead.data, instead.size);
    }
    alter->instead_size = instead.size;
    alter->bit = bit;
    alter->key_size = key.size;
    return LK_OK;
}

int lk_fault_flip(struct lk_fault *fault, struct lk_span key, uint32_t bit)
{
    return fault_add(fault, key, (struct lk_span){NULL, 0}, bit);
}

int lk_fault_swap(struct lk_fault *fault, struct lk_span a, struct lk_span b)
{
    if (a.size == 0 || b.size == 0) {
        return LK_E_ARGUMENT;
    }
    struct lk_fault_alter *first = fault_place(fault);
    int rc = fault_add(fault, a, b, 0);
    if (rc == LK_OK) {
        rc = fault_add(fault, b, a, 0);
        if (rc != LK_OK) {
            first->key_size = 0;
        }
    }
    return rc;
}

void lk_fault_restore(struct lk_fault *fault)
{
    memset(fault->alter, 0, sizeof fault->alter);
}
