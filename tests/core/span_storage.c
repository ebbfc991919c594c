// SPDX-License-Identifier: MIT
/*
 * span_storage.c: a storage whose spans end with the next call, around any other storage.
 *
 * The caller's transaction is also the inner one: it is lent to the inner storage for each call.
 */
#include "span_storage.h"

#include <stdlib.h>
#include <string.h>

/* Which of a transaction's `priv` is ours; a cursor may be closed after its transaction. */
#define SPAN_SELF 5

static struct span_storage *span_of(struct lk_storage *storage)
{
    /* The head is the first member, so both have one address. */
    return (struct span_storage *)(void *)storage;
}

static struct span_lent *span_lent_of(struct span_storage *wrapper,
                                      const struct lk_storage_txn *txn)
{
    struct span_lent *unused = NULL;
    size_t i;

    for (i = 0; i < SPAN_TXN_COUNT; i++) {
        if (wrapper->lent[i].txn == txn) {
            return &wrapper->lent[i];
        }
        if (!wrapper->lent[i].txn) {
            unused = &wrapper->lent[i];
        }
    }
    if (!unused) {
        abort();
    }
    unused->txn = txn;
    return unused;
}

/* Ends what was lent. */
static void span_end(struct span_storage *wrapper, const struct lk_storage_txn *txn)
{
    struct span_lent *lent = span_lent_of(wrapper, txn);
    size_t i;

    for (i = 0; i < 2; i++) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)lent->spans[i].data;

        if (bytes) {
            memset(bytes, 0xDB, lent->spans[i].size);
            free(bytes);
        }
        lent->spans[i] = (struct lk_span){NULL, 0};
    }
    lent->txn = NULL;
}

/* Puts a copy in a span's place. */
static void span_lend(struct span_storage *wrapper, const struct lk_storage_txn *txn, size_t which,
                      struct lk_span *span)
{
    uint8_t *bytes;

    if (!span) {
        return;
    }
    bytes = malloc(span->size ? span->size : 1);
    if (!bytes) {
        abort();
    }
    if (span->size) {
        memcpy(bytes, span->data, span->size);
    }
    span->data = bytes;
    span_lent_of(wrapper, txn)->spans[which] = *span;
}

static const struct lk_storage_ops *span_enter(struct lk_storage_txn *txn)
{
    struct span_storage *wrapper = span_of(txn->storage);

    txn->storage = wrapper->inner;
    return wrapper->inner->ops;
}

static struct span_storage *span_leave(struct lk_storage_txn *txn)
{
    struct span_storage *wrapper = txn->priv[SPAN_SELF];

    txn->storage = txn->storage ? &wrapper->storage : NULL;
    return wrapper;
}

static int span_open(struct lk_storage *storage, enum lk_mode mode)
{
    struct lk_storage *inner = span_of(storage)->inner;

    return inner->ops->open(inner, mode);
}

static void span_close(struct lk_storage *storage)
{
    struct lk_storage *inner = span_of(storage)->inner;

    inner->ops->close(inner);
}

static int span_begin(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode)
{
    struct span_storage *wrapper = span_of(storage);
    int error;

    if (txn->storage) {
        return LK_E_STATE;
    }
    error = wrapper->inner->ops->begin(wrapper->inner, txn, mode);
    txn->priv[SPAN_SELF] = wrapper;
    (void)span_leave(txn);
    return error;
}

static int span_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    span_end(span_of(txn->storage), txn);
    error = span_enter(txn)->commit(txn, mode);
    (void)span_leave(txn);
    return error;
}

static void span_abort(struct lk_storage_txn *txn)
{
    if (txn->storage) {
        span_end(span_of(txn->storage), txn);
        span_enter(txn)->abort(txn);
        (void)span_leave(txn);
    }
}

static void span_release(struct lk_storage *storage, struct lk_storage_txn *txn)
{
    struct lk_storage *inner = span_of(storage)->inner;

    span_abort(txn);
    inner->ops->release(inner, txn);
}

static uint64_t span_snapshot(const struct lk_storage_txn *txn)
{
    struct lk_storage_txn lent = *txn;

    return txn->storage ? span_enter(&lent)->snapshot(&lent) : 0;
}

static int span_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value)
{
    struct span_storage *wrapper;
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    error = span_enter(txn)->get(txn, key, value);
    wrapper = span_leave(txn);
    span_end(wrapper, txn);
    if (!error) {
        span_lend(wrapper, txn, 1, value);
    }
    return error;
}

static int span_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    span_end(span_of(txn->storage), txn);
    error = span_enter(txn)->put(txn, key, value);
    (void)span_leave(txn);
    return error;
}

static int span_remove(struct lk_storage_txn *txn, struct lk_span key)
{
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    span_end(span_of(txn->storage), txn);
    error = span_enter(txn)->remove(txn, key);
    (void)span_leave(txn);
    return error;
}

static int span_tally(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    span_end(span_of(txn->storage), txn);
    error = span_enter(txn)->tally(txn, key, count);
    (void)span_leave(txn);
    return error;
}

static int span_tallied(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    span_end(span_of(txn->storage), txn);
    error = span_enter(txn)->tallied(txn, key, count);
    (void)span_leave(txn);
    return error;
}

static int span_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                            struct lk_span prefix)
{
    int error;

    if (!txn->storage) {
        return LK_E_STATE;
    }
    error = span_enter(txn)->cursor_open(txn, cursor, prefix);
    span_end(span_leave(txn), txn);
    return error;
}

static void span_cursor_close(struct lk_storage_cursor *cursor)
{
    struct lk_storage_txn *txn = cursor->txn;

    if (txn) {
        struct span_storage *wrapper = txn->priv[SPAN_SELF];

        txn->storage = txn->storage ? wrapper->inner : NULL;
        wrapper->inner->ops->cursor_close(cursor);
        (void)span_leave(txn);
    }
}

/* What a cursor found, or an error. */
static int span_found(struct lk_storage_txn *txn, int error, struct lk_span *found,
                      struct lk_span *value)
{
    struct span_storage *wrapper = span_leave(txn);

    span_end(wrapper, txn);
    if (!error) {
        span_lend(wrapper, txn, 0, found);
        span_lend(wrapper, txn, 1, value);
    }
    return error;
}

static int span_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                     struct lk_span *value)
{
    struct lk_storage_txn *txn = cursor->txn;

    if (!txn || !txn->storage) {
        return LK_E_STATE;
    }
    return span_found(txn, span_enter(txn)->seek(cursor, key, found, value), found, value);
}

static int span_seek_before(struct lk_storage_cursor *cursor, struct lk_span key,
                            struct lk_span *found, struct lk_span *value)
{
    struct lk_storage_txn *txn = cursor->txn;

    if (!txn || !txn->storage) {
        return LK_E_STATE;
    }
    return span_found(txn, span_enter(txn)->seek_before(cursor, key, found, value), found, value);
}

static int span_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    struct lk_storage_txn *txn = cursor->txn;

    if (!txn || !txn->storage) {
        return LK_E_STATE;
    }
    return span_found(txn, span_enter(txn)->next(cursor, found, value), found, value);
}

static int span_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    struct lk_storage_txn *txn = cursor->txn;

    if (!txn || !txn->storage) {
        return LK_E_STATE;
    }
    return span_found(txn, span_enter(txn)->prev(cursor, found, value), found, value);
}

static int span_stat(struct lk_storage *storage, struct lk_storage_stat *stat)
{
    struct lk_storage *inner = span_of(storage)->inner;

    return inner->ops->stat(inner, stat);
}

static const struct lk_storage_ops span_ops = {
    .name = "span",
    .open = span_open,
    .close = span_close,
    .begin = span_begin,
    .commit = span_commit,
    .abort = span_abort,
    .release = span_release,
    .snapshot = span_snapshot,
    .get = span_get,
    .put = span_put,
    .remove = span_remove,
    .tally = span_tally,
    .tallied = span_tallied,
    .cursor_open = span_cursor_open,
    .cursor_close = span_cursor_close,
    .seek = span_seek,
    .seek_before = span_seek_before,
    .next = span_next,
    .prev = span_prev,
    .stat = span_stat,
};

void span_storage_init(struct span_storage *wrapper, struct lk_storage *inner)
{
    memset(wrapper, 0, sizeof(*wrapper));
    wrapper->storage.ops = &span_ops;
    wrapper->storage.caps = inner->caps & ~(uint32_t)LK_STORAGE_STABLE;
    wrapper->storage.value_max = inner->value_max;
    wrapper->inner = inner;
}
