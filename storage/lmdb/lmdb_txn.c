// SPDX-License-Identifier: MIT
/* lmdb_txn.c: transactions, and what is read and written by key. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What a transaction keeps in its `priv`. */
enum txn_slot {
    TXN_READER, /* struct lk_lmdb_reader, kept between transactions */
    TXN_WRITER, /* MDB_txn */
    TXN_OPENED, /* which opening of the store TXN_READER belongs to */
    TXN_SERIAL, /* names this transaction, or its replay; cursors compare it */
    TXN_CHANGES /* puts and removes so far */
};

static atomic_uintptr_t txn_serials;

uintptr_t lk_lmdb_new_serial(void)
{
    return atomic_fetch_add(&txn_serials, 1u) + 1u;
}

static uintptr_t txn_number(const struct lk_storage_txn *txn, enum txn_slot slot)
{
    return (uintptr_t)txn->priv[slot];
}

static void txn_set_number(struct lk_storage_txn *txn, enum txn_slot slot, uintptr_t number)
{
    txn->priv[slot] = (void *)number;
}

MDB_txn *lk_lmdb_mdb_txn(const struct lk_storage_txn *txn)
{
    if (txn->mode == LK_WRITE) {
        return txn->priv[TXN_WRITER];
    }
    const struct lk_lmdb_reader *reader = txn->priv[TXN_READER];
    return reader->txn;
}

uintptr_t lk_lmdb_serial(const struct lk_storage_txn *txn)
{
    return txn_number(txn, TXN_SERIAL);
}

uintptr_t lk_lmdb_changes(const struct lk_storage_txn *txn)
{
    return txn_number(txn, TXN_CHANGES);
}

int lk_lmdb_usable(const struct lk_storage_txn *txn, struct lk_span key, bool empty_allowed)
{
    if (txn == NULL || txn->storage == NULL || lk_lmdb_state_of(txn->storage) == NULL) {
        return LK_E_STATE;
    }
    if (txn->failed != LK_OK) {
        return txn->failed;
    }
    if (key.size > LK_KEY_MAX) {
        return LK_E_TOO_BIG;
    }
    return key.size == 0 && !empty_allowed ? LK_E_ARGUMENT : LK_OK;
}

/* With state->lock held. */
static int txn_start_reader(struct lk_lmdb_state *state, struct lk_lmdb_reader *reader)
{
    int code = MDB_BAD_TXN;
    for (int i = 0; i < LK_LMDB_TRIES; i++) {
        code = reader->txn != NULL ? mdb_txn_renew(reader->txn)
                                   : mdb_txn_begin(state->env, NULL, MDB_RDONLY, &reader->txn);
        if (code == MDB_READERS_FULL) {
            int dead = 0;
            if (mdb_reader_check(state->env, &dead) != 0 || dead == 0) {
                break;
            }
        } else if (code == MDB_MAP_RESIZED) {
            if (state->reader_count > 0 || state->writing || lk_lmdb_map_resized(state) != LK_OK) {
                break;
            }
        } else {
            break;
        }
    }
    return lk_lmdb_error(code);
}

/* With state->lock held. */
static void txn_drop_reader(struct lk_lmdb_state *state, struct lk_lmdb_reader *reader)
{
    if (reader->prev != NULL) {
        reader->prev->next = reader->next;
    } else if (state->readers == reader) {
        state->readers = reader->next;
    }
    if (reader->next != NULL) {
        reader->next->prev = reader->prev;
    }
    lk_lmdb_end_reader(reader);
}

void lk_lmdb_end_reader(struct lk_lmdb_reader *reader)
{
    if (reader->near != NULL) {
        mdb_cursor_close(reader->near);
    }
    if (reader->txn != NULL) {
        mdb_txn_abort(reader->txn);
    }
    free(reader);
}

/* A cursor of the reader for this transaction, beside which the key may be. */
static MDB_cursor *txn_near(struct lk_storage_txn *txn)
{
    struct lk_lmdb_reader *reader = txn->priv[TXN_READER];
    if (reader->near_for != lk_lmdb_serial(txn)) {
        int code =
            reader->near != NULL
                ? mdb_cursor_renew(reader->txn, reader->near)
                : mdb_cursor_open(reader->txn, lk_lmdb_state_of(txn->storage)->dbi, &reader->near);
        if (code != 0) {
            return NULL;
        }
        reader->near_for = lk_lmdb_serial(txn);
    }
    return reader->near;
}

static int txn_begin_read(struct lk_lmdb_state *state, struct lk_storage_txn *txn)
{
    struct lk_lmdb_reader *reader = txn->priv[TXN_READER];
    if (txn_number(txn, TXN_OPENED) != state->opened) {
        reader = NULL; /* close() ended it */
    }
    if (reader == NULL) {
        reader = calloc(1, sizeof *reader);
        if (reader == NULL) {
            return LK_E_IO;
        }
        (void)pthread_mutex_lock(&state->lock);
        reader->next = state->readers;
        if (reader->next != NULL) {
            reader->next->prev = reader;
        }
        state->readers = reader;
    } else {
        (void)pthread_mutex_lock(&state->lock);
    }
    int rc = txn_start_reader(state, reader);
    if (rc == LK_OK) {
        state->reader_count++;
        txn->priv[TXN_READER] = reader;
        txn_set_number(txn, TXN_OPENED, state->opened);
    } else {
        txn_drop_reader(state, reader);
        txn->priv[TXN_READER] = NULL;
    }
    (void)pthread_mutex_unlock(&state->lock);
    return rc;
}

static int txn_begin_write(struct lk_lmdb_state *state, struct lk_storage_txn *txn)
{
    if (state->mode == LK_READ) {
        return LK_E_READ_ONLY;
    }
    int rc = lk_lmdb_write_enter(state);
    if (rc != LK_OK) {
        return rc;
    }
    lk_lmdb_grow_ahead(state, txn->bulk);
    MDB_txn *writer = NULL;
    int code = mdb_txn_begin(state->env, NULL, 0, &writer);
    for (int i = 0; i < LK_LMDB_TRIES && code == MDB_MAP_RESIZED && rc == LK_OK; i++) {
        (void)pthread_mutex_lock(&state->lock);
        rc = state->reader_count > 0 ? LK_E_BUSY : lk_lmdb_map_resized(state);
        (void)pthread_mutex_unlock(&state->lock);
        code = rc == LK_OK ? mdb_txn_begin(state->env, NULL, 0, &writer) : code;
    }
    rc = rc == LK_OK ? lk_lmdb_error(code) : rc;
    if (rc == LK_OK) {
        rc = lk_lmdb_room_begin(state, writer);
        if (rc != LK_OK) {
            mdb_txn_abort(writer);
        }
    }
    if (rc != LK_OK) {
        lk_lmdb_write_leave(state);
        return rc;
    }
    txn->priv[TXN_WRITER] = writer;
    return LK_OK;
}

int lk_lmdb_write_enter(struct lk_lmdb_state *state)
{
    int code = pthread_mutex_lock(&state->write);
    if (code != 0) {
        return code == EDEADLK ? LK_E_BUSY : LK_E_IO;
    }
    (void)pthread_mutex_lock(&state->lock);
    state->writing = true;
    (void)pthread_mutex_unlock(&state->lock);
    return LK_OK;
}

void lk_lmdb_write_leave(struct lk_lmdb_state *state)
{
    state->journal_size = 0;
    (void)pthread_mutex_lock(&state->lock);
    state->writing = false;
    (void)pthread_mutex_unlock(&state->lock);
    (void)pthread_mutex_unlock(&state->write);
}

int lk_lmdb_begin(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode)
{
    struct lk_lmdb_state *state = lk_lmdb_state_of(storage);
    if (state == NULL || txn->storage != NULL) {
        return LK_E_STATE;
    }
    int rc = mode == LK_WRITE ? txn_begin_write(state, txn) : txn_begin_read(state, txn);
    if (rc != LK_OK) {
        return rc;
    }
    txn->storage = storage;
    txn->mode = mode;
    txn->failed = LK_OK;
    txn_set_number(txn, TXN_SERIAL, lk_lmdb_new_serial());
    txn_set_number(txn, TXN_CHANGES, 0);
    return LK_OK;
}

static void txn_over(struct lk_storage_txn *txn)
{
    txn->storage = NULL;
    txn->failed = LK_OK;
    txn->priv[TXN_WRITER] = NULL;
    txn_set_number(txn, TXN_SERIAL, 0);
}

void lk_lmdb_abort(struct lk_storage_txn *txn)
{
    if (txn->storage == NULL) {
        return;
    }
    struct lk_lmdb_state *state = lk_lmdb_state_of(txn->storage);
    if (state != NULL && txn->mode == LK_WRITE) {
        MDB_txn *writer = txn->priv[TXN_WRITER];
        if (writer != NULL) {
            mdb_txn_abort(writer);
        }
        lk_lmdb_write_leave(state);
    } else if (state != NULL) {
        struct lk_lmdb_reader *reader = txn->priv[TXN_READER];
        (void)pthread_mutex_lock(&state->lock);
        mdb_txn_reset(reader->txn);
        state->reader_count--;
        (void)pthread_mutex_unlock(&state->lock);
    }
    txn_over(txn);
}

static int txn_commit_once(struct lk_lmdb_state *state, struct lk_storage_txn *txn,
                           enum lk_commit_mode mode)
{
    MDB_txn *writer = txn->priv[TXN_WRITER];
    bool lazy = mode == LK_COMMIT_LAZY;
    if (lazy) {
        (void)mdb_env_set_flags(state->env, MDB_NOMETASYNC, 1); /* fails for unknown flags only */
    }
    txn->priv[TXN_WRITER] = NULL; /* gone, however it ends */
    int code = mdb_txn_commit(writer);
    if (lazy) {
        (void)mdb_env_set_flags(state->env, MDB_NOMETASYNC, 0); /* likewise */
    }
    return code;
}

int lk_lmdb_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_lmdb_state *state = lk_lmdb_state_of(txn->storage);
    if (state == NULL) {
        txn_over(txn);
        return LK_E_STATE;
    }
    if (txn->mode == LK_READ || txn->failed != LK_OK) {
        int failed = txn->failed;
        lk_lmdb_abort(txn);
        return failed;
    }
    int code = txn_commit_once(state, txn, mode);
    int rc = lk_lmdb_error(code);
    while (code == MDB_MAP_FULL) {
        MDB_txn *writer = NULL;
        rc = lk_lmdb_replay(state, &writer);
        if (rc != LK_OK) {
            break;
        }
        txn->priv[TXN_WRITER] = writer;
        code = txn_commit_once(state, txn, mode);
        rc = lk_lmdb_error(code);
    }
    if (rc == LK_OK) {
        state->commit_count++;
        state->lazy = state->lazy || mode == LK_COMMIT_LAZY;
    }
    lk_lmdb_write_leave(state);
    txn_over(txn);
    return rc;
}

void lk_lmdb_release(struct lk_storage *storage, struct lk_storage_txn *txn)
{
    if (txn->storage != NULL) {
        lk_lmdb_abort(txn);
    }
    struct lk_lmdb_state *state = lk_lmdb_state_of(storage);
    struct lk_lmdb_reader *reader = txn->priv[TXN_READER];
    if (state != NULL && reader != NULL && txn_number(txn, TXN_OPENED) == state->opened) {
        (void)pthread_mutex_lock(&state->lock);
        txn_drop_reader(state, reader);
        (void)pthread_mutex_unlock(&state->lock);
    }
    txn->priv[TXN_READER] = NULL;
}

uint64_t lk_lmdb_snapshot(const struct lk_storage_txn *txn)
{
    if (txn->storage == NULL) {
        return 0;
    }
    const struct lk_lmdb_state *state = lk_lmdb_state_of(txn->storage);
    if (state == NULL || txn->failed != LK_OK) {
        return 0;
    }
    uint64_t id = mdb_txn_id(lk_lmdb_mdb_txn(txn));
    if (txn->mode == LK_READ) {
        return id;
    }
    /* An open batch has the number it will be committed under, but it may yet be dropped. */
    return lk_lmdb_changes(txn) == 0 ? id - 1 : (UINT64_C(1) << 63) | state->change_count;
}

int lk_lmdb_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value)
{
    int rc = lk_lmdb_usable(txn, key, false);
    if (rc != LK_OK) {
        return rc;
    }
    union {
        const uint8_t *in;
        void *out;
    } data = {.in = key.data};
    MDB_val k = {key.size, data.out};
    MDB_val v;
    struct lk_lmdb_state *state = lk_lmdb_state_of(txn->storage);
    MDB_txn *mdb = lk_lmdb_mdb_txn(txn);
    MDB_cursor *near = txn->mode == LK_WRITE ? lk_lmdb_near(state, mdb, key) : txn_near(txn);
    rc = lk_lmdb_error(near != NULL ? mdb_cursor_get(near, &k, &v, MDB_SET)
                                    : mdb_get(mdb, state->dbi, &k, &v));
    if (rc == LK_OK) {
        *value = (struct lk_span){v.mv_data, v.mv_size};
    }
    return rc;
}

/* With the change in the journal: does it, on a larger map if need be. `value` NULL removes. */
static int txn_change(struct lk_storage_txn *txn, struct lk_span key, const struct lk_span *value)
{
    struct lk_lmdb_state *state = lk_lmdb_state_of(txn->storage);
    int rc = lk_lmdb_journal_add(state, key, value);
    if (rc != LK_OK) {
        return rc;
    }
    MDB_txn *writer = txn->priv[TXN_WRITER];
    int code = lk_lmdb_apply(state, writer, key, value);
    if (code == MDB_MAP_FULL) {
        rc = lk_lmdb_replay(state, &writer);
        txn->priv[TXN_WRITER] = writer;
        txn_set_number(txn, TXN_SERIAL, lk_lmdb_new_serial());
    } else {
        rc = lk_lmdb_error(code);
    }
    if (rc == LK_OK) {
        state->change_count++;
        txn_set_number(txn, TXN_CHANGES, lk_lmdb_changes(txn) + 1);
    }
    return rc;
}

int lk_lmdb_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    int rc = lk_lmdb_usable(txn, key, true);
    if (rc == LK_E_STATE || (rc == LK_OK && txn->mode == LK_READ)) {
        return rc == LK_OK ? LK_E_READ_ONLY : rc;
    }
    if (rc == LK_OK && key.size == 0) {
        rc = LK_E_ARGUMENT;
    }
    if (rc == LK_OK && value.size > txn->storage->value_max) {
        rc = LK_E_TOO_BIG;
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_room_for(lk_lmdb_state_of(txn->storage), txn->priv[TXN_WRITER], value.size);
    }
    if (rc == LK_OK) {
        rc = txn_change(txn, key, &value);
    }
    txn->failed = txn->failed != LK_OK ? txn->failed : rc;
    return rc;
}

int lk_lmdb_remove(struct lk_storage_txn *txn, struct lk_span key)
{
    int rc = lk_lmdb_usable(txn, key, true);
    if (rc == LK_E_STATE || (rc == LK_OK && txn->mode == LK_READ)) {
        return rc == LK_OK ? LK_E_READ_ONLY : rc;
    }
    if (rc == LK_OK && key.size == 0) {
        rc = LK_E_ARGUMENT;
    }
    if (rc == LK_OK) {
        rc = txn_change(txn, key, NULL);
    }
    if (rc != LK_E_NOT_FOUND && txn->failed == LK_OK) {
        txn->failed = rc;
    }
    return rc;
}

int lk_lmdb_tally(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    (void)txn;
    (void)key;
    (void)count;
    return LK_E_UNSUPPORTED;
}

int lk_lmdb_tallied(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    return lk_lmdb_tally(txn, key, count);
}
