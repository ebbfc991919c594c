// SPDX-License-Identifier: MIT
/*
 * lmdb_room.c: growth of the map, and the room that is kept for deletions.
 *
 * A deletion copies the pages on its way before it frees any, and what it frees can be used two
 * commits later. So a store that was filled to its last page could not be emptied again: a put is
 * refused while some pages are still left.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROOM_LEAST   24u   /* pages */
#define ROOM_PART    256u  /* of the map, one part more */
#define ROOM_MOST    1024u /* pages */
#define ROOM_AHEAD   4u    /* grow when less than a quarter is left */
#define ROOM_REMOVE  UINT32_MAX
#define ROOM_HEAD    8u
#define ROOM_JOURNAL 4096u
#define ROOM_LONG    256u /* changes from which on a batch is a long one */
#define ROOM_ALIKE   3u   /* bytes that keys of one index or class begin with */

static size_t room_map_size(const struct lk_lmdb_state *state)
{
    MDB_envinfo info;
    return mdb_env_info(state->env, &info) == 0 ? info.me_mapsize : 0;
}

uint64_t lk_lmdb_reserve(const struct lk_lmdb_state *state)
{
    uint64_t part = state->map_max / state->page_size / ROOM_PART;
    return ROOM_LEAST + (part > ROOM_MOST ? ROOM_MOST : part);
}

/* With state->lock held and no transaction open. */
int lk_lmdb_map_resized(struct lk_lmdb_state *state)
{
    int code = mdb_env_set_mapsize(state->env, 0);
    if (code == 0 && room_map_size(state) > state->map_max) {
        state->map_max = room_map_size(state);
    }
    return lk_lmdb_error(code);
}

/* LMDB gives its map up before it asks for the larger one, and does not outlive a refusal (a limit
 * of the process's address space, say): so that is asked for first. */
static bool room_fits(size_t size)
{
    void *try = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return try != MAP_FAILED && munmap(try, size) == 0;
}

/* With state->lock held, no transaction open. Doubles, or takes all that is to be had. */
static int room_grow(struct lk_lmdb_state *state, bool whole)
{
    size_t now = room_map_size(state);
    if (now == 0 || now >= state->map_max) {
        return LK_E_FULL;
    }
    size_t want = whole || now > state->map_max / 2 ? state->map_max : now * 2;
    while (want > now && !room_fits(want)) {
        want = want / 2 / state->page_size * state->page_size;
    }
    return want > now ? lk_lmdb_error(mdb_env_set_mapsize(state->env, want)) : LK_E_FULL;
}

/* With state->write held. Not growing is no failure: the batch may fit, or be replayed. */
void lk_lmdb_grow_ahead(struct lk_lmdb_state *state, bool whole)
{
    MDB_envinfo info;
    if (mdb_env_info(state->env, &info) != 0) {
        return;
    }
    uint64_t pages = info.me_mapsize / state->page_size;
    uint64_t used = (uint64_t)info.me_last_pgno + 1;
    if (!whole && pages > used && pages - used >= pages / ROOM_AHEAD) {
        return;
    }
    int dead = 0;
    (void)mdb_reader_check(state->env, &dead); /* it only gives room back sooner */
    (void)pthread_mutex_lock(&state->lock);
    if (state->reader_count == 0) {
        (void)room_grow(state, whole); /* see above */
    }
    (void)pthread_mutex_unlock(&state->lock);
}

int lk_lmdb_free_pages(MDB_txn *txn, uint64_t *pages)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val list;
    uint64_t sum = 0;
    int code = mdb_cursor_open(txn, 0, &cursor);
    if (code != 0) {
        return lk_lmdb_error(code);
    }
    code = mdb_cursor_get(cursor, &key, &list, MDB_FIRST);
    while (code == 0) {
        size_t count = 0;
        if (list.mv_size >= sizeof count) {
            memcpy(&count, list.mv_data, sizeof count);
        }
        sum += count;
        code = mdb_cursor_get(cursor, &key, &list, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    *pages = sum;
    return code == MDB_NOTFOUND ? LK_OK : lk_lmdb_error(code);
}

static uint64_t room_tree_pages(const MDB_stat *stat)
{
    return (uint64_t)stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

int lk_lmdb_room_begin(struct lk_lmdb_state *state, MDB_txn *txn)
{
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(state->env, &info);
    if (code == 0) {
        code = mdb_stat(txn, state->dbi, &stat);
    }
    if (code != 0) {
        return lk_lmdb_error(code);
    }
    uint64_t pages = state->map_max / state->page_size;
    uint64_t used = (uint64_t)info.me_last_pgno + 1;
    state->room_begin = pages > used ? pages - used : 0;
    state->room_exact = false;
    state->pages_begin = room_tree_pages(&stat);
    state->op_count = 0;
    memset(state->near, 0, sizeof state->near);
    state->journal_size = 0;
    state->txn_id = mdb_txn_id(txn);
    return LK_OK;
}

/* LMDB lets only a reader see the free list; it sees what the open batch began with. */
static int room_read_free(struct lk_lmdb_state *state, uint64_t *pages)
{
    MDB_txn *reader = NULL;
    (void)pthread_mutex_lock(&state->lock);
    int rc = lk_lmdb_error(mdb_txn_begin(state->env, NULL, MDB_RDONLY, &reader));
    if (rc == LK_OK) {
        rc = lk_lmdb_free_pages(reader, pages);
        mdb_txn_abort(reader);
    }
    (void)pthread_mutex_unlock(&state->lock);
    return rc;
}

int lk_lmdb_room_for(struct lk_lmdb_state *state, MDB_txn *txn, size_t value_size)
{
    MDB_stat stat;
    int code = mdb_stat(txn, state->dbi, &stat);
    if (code != 0) {
        return lk_lmdb_error(code);
    }
    uint64_t now = room_tree_pages(&stat);
    uint64_t grown = now > state->pages_begin ? now - state->pages_begin : 0;
    /* Each change copies one path at most, and a page is copied once at most. */
    uint64_t copied = ++state->op_count * ((uint64_t)stat.ms_depth + 1);
    copied = copied > state->pages_begin ? state->pages_begin : copied;
    uint64_t need = grown + copied + value_size / state->page_size + 2 + stat.ms_depth;
    uint64_t kept = lk_lmdb_reserve(state);
    if (need + kept <= state->room_begin) {
        return LK_OK;
    }
    if (!state->room_exact) {
        uint64_t free_pages = 0;
        int rc = room_read_free(state, &free_pages);
        if (rc != LK_OK) {
            return rc;
        }
        state->room_begin += free_pages;
        state->room_exact = true;
    }
    return need + kept <= state->room_begin ? LK_OK : LK_E_FULL;
}

/*
 * The keys of an import rise within each index, so that most go beside the last one of their sort:
 * a cursor that stands there finds the page without the way down from the root, on which LMDB seeks
 * each page in the list of those that the batch has changed.
 */
MDB_cursor *lk_lmdb_near(struct lk_lmdb_state *state, MDB_txn *txn, struct lk_span key)
{
    unsigned sum = 0;
    for (size_t i = 0; i < ROOM_ALIKE && i < key.size; i++) {
        sum = sum * 5 + key.data[i];
    }
    MDB_cursor **cursor = &state->near[sum % LK_LMDB_NEAR];
    if (state->op_count < ROOM_LONG ||
        (*cursor == NULL && mdb_cursor_open(txn, state->dbi, cursor) != 0)) {
        return NULL;
    }
    return *cursor;
}

int lk_lmdb_apply(struct lk_lmdb_state *state, MDB_txn *txn, struct lk_span key,
                  const struct lk_span *value)
{
    union {
        const uint8_t *in;
        void *out;
    } k = {.in = key.data}, v = {.in = value != NULL ? value->data : NULL};
    MDB_val mdb_key = {key.size, k.out};
    if (value == NULL) {
        return mdb_del(txn, state->dbi, &mdb_key, NULL);
    }
    MDB_val mdb_value = {value->size, v.out};
    MDB_cursor *near = lk_lmdb_near(state, txn, key);
    return near != NULL ? mdb_cursor_put(near, &mdb_key, &mdb_value, 0)
                        : mdb_put(txn, state->dbi, &mdb_key, &mdb_value, 0);
}

/* A record: key size u32, value size u32 (or ROOM_REMOVE), key, value. */
int lk_lmdb_journal_add(struct lk_lmdb_state *state, struct lk_span key,
                        const struct lk_span *value)
{
    if (room_map_size(state) >= state->map_max) {
        return LK_OK; /* there is no larger map to replay on */
    }
    size_t need = ROOM_HEAD + key.size + (value != NULL ? value->size : 0);
    if (state->journal_room - state->journal_size < need) {
        size_t room = state->journal_room * 2 + need + ROOM_JOURNAL;
        uint8_t *more = realloc(state->journal, room);
        if (more == NULL) {
            return LK_E_IO;
        }
        state->journal = more;
        state->journal_room = room;
    }
    uint32_t head[2] = {(uint32_t)key.size, value != NULL ? (uint32_t)value->size : ROOM_REMOVE};
    uint8_t *at = state->journal + state->journal_size;
    memcpy(at, head, sizeof head);
    memcpy(at + ROOM_HEAD, key.data, key.size);
    if (value != NULL && value->size > 0) {
        memcpy(at + ROOM_HEAD + key.size, value->data, value->size);
    }
    state->journal_size += need;
    return LK_OK;
}

static int room_run_journal(struct lk_lmdb_state *state, MDB_txn *txn)
{
    size_t at = 0;
    while (at < state->journal_size) {
        uint32_t head[2];
        memcpy(head, state->journal + at, sizeof head);
        struct lk_span key = {state->journal + at + ROOM_HEAD, head[0]};
        struct lk_span value = {key.data + key.size, head[1] == ROOM_REMOVE ? 0 : head[1]};
        int code = lk_lmdb_apply(state, txn, key, head[1] == ROOM_REMOVE ? NULL : &value);
        if (code != 0 && !(code == MDB_NOTFOUND && head[1] == ROOM_REMOVE)) {
            return code;
        }
        at += ROOM_HEAD + key.size + value.size;
    }
    return 0;
}

int lk_lmdb_replay(struct lk_lmdb_state *state, MDB_txn **txn)
{
    int code = MDB_MAP_FULL;
    while (code == MDB_MAP_FULL) {
        memset(state->near, 0, sizeof state->near);
        if (*txn != NULL) {
            mdb_txn_abort(*txn);
            *txn = NULL;
        }
        int dead = 0;
        (void)mdb_reader_check(state->env, &dead); /* the next batch gets what that frees */
        (void)pthread_mutex_lock(&state->lock);
        int rc = room_map_size(state) >= state->map_max ? LK_E_FULL : LK_OK;
        if (rc == LK_OK) {
            rc = state->reader_count > 0 ? LK_E_BUSY : room_grow(state, false);
        }
        (void)pthread_mutex_unlock(&state->lock);
        if (rc != LK_OK) {
            return rc;
        }
        code = mdb_txn_begin(state->env, NULL, 0, txn);
        if (code != 0) {
            *txn = NULL;
            return lk_lmdb_error(code);
        }
        /* What the batch has read must still be so. */
        if (mdb_txn_id(*txn) != state->txn_id) {
            mdb_txn_abort(*txn);
            *txn = NULL;
            return LK_E_BUSY;
        }
        code = room_run_journal(state, *txn);
    }
    if (code != 0) {
        mdb_txn_abort(*txn);
        *txn = NULL;
    }
    return lk_lmdb_error(code);
}
