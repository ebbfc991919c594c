// SPDX-License-Identifier: MIT
/*
 * lmdb_scrub.c: check and scrub.
 *
 * LMDB forgets a record by copying its page without it: the old page, the gap inside pages, the
 * tail of the last page of a large value and pages of a batch that was dropped keep the bytes, and
 * branches may keep its key, which tells two pages apart. Scrubbing makes both roots newer than
 * every deletion, holds the write lock so that no page changes its use, and zeroes whatever the
 * newest root does not reach. Live bytes are written only as they are, but for the keys in
 * branches, which lower each byte or leave it (walk_blank()): a power cut at any place leaves a
 * whole store.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRUB_ROUNDS   2   /* one commit for each root */
#define SCRUB_KEY_SIZE 129 /* longer than any key of the store's */
#define SCRUB_CHUNK    65536u
#define SCRUB_TRIES    16

/* A descriptor of our own on the file that is open. */
static int scrub_open_file(struct lk_lmdb *lmdb, int flags)
{
    int own = -1;
    char path[64];
    struct stat st;
    if (mdb_env_get_fd(lmdb->state->env, &own) != 0) {
        return LK_E_IO;
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", own); /* always fits */
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        int directory = open(lmdb->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0) {
            return lk_lmdb_errno(errno);
        }
        fd = lk_lmdb_open_data(directory, flags, NULL);
        (void)close(directory); /* read only */
        if (fd < 0) {
            return fd;
        }
    }
    if (fstat(fd, &st) != 0 || st.st_dev != lmdb->state->open.dev ||
        st.st_ino != lmdb->state->open.ino) {
        (void)close(fd); /* nothing was written through it */
        return LK_E_IO;
    }
    return fd;
}

/* The root of the snapshot that a read transaction holds. BUSY when writers have passed it. */
static int scrub_find_meta(int fd, uint64_t id, struct lk_lmdb_meta *meta)
{
    struct lk_lmdb_meta two[2];
    int rc = lk_lmdb_read_meta(fd, two);
    if (rc != LK_OK) {
        return rc;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (two[i].txn_id == id) {
            *meta = two[i];
            return LK_OK;
        }
    }
    return LK_E_BUSY;
}

int lk_lmdb_check(struct lk_storage *storage, lk_storage_progress *progress, void *context)
{
    struct lk_lmdb *lmdb = lk_lmdb_of(storage);
    if (lk_lmdb_state_of(storage) == NULL) {
        return LK_E_STATE;
    }
    int fd = scrub_open_file(lmdb, O_RDONLY);
    if (fd < 0) {
        return fd;
    }
    struct lk_storage_txn txn = {0};
    struct lk_lmdb_meta meta;
    int rc = LK_E_BUSY;
    for (int i = 0; i < SCRUB_TRIES && rc == LK_E_BUSY; i++) {
        rc = lk_lmdb_begin(storage, &txn, LK_READ);
        if (rc != LK_OK) {
            break;
        }
        rc = scrub_find_meta(fd, mdb_txn_id(lk_lmdb_mdb_txn(&txn)), &meta);
        if (rc != LK_OK) {
            lk_lmdb_abort(&txn);
        }
    }
    if (rc == LK_OK) {
        struct lk_lmdb_walk walk;
        rc = lk_lmdb_walk_begin(&walk, fd, &meta);
        if (rc == LK_OK) {
            walk.progress = progress;
            walk.context = context;
            rc = lk_lmdb_walk_run(&walk);
            lk_lmdb_walk_end(&walk);
        }
        lk_lmdb_abort(&txn);
    }
    lk_lmdb_release(storage, &txn);
    (void)close(fd); /* read only */
    return rc;
}

int lk_lmdb_check_end(int fd)
{
    struct lk_lmdb_meta before[2];
    int rc = lk_lmdb_read_meta(fd, before);
    for (int i = 0; i < SCRUB_TRIES && rc == LK_OK; i++) {
        struct stat st;
        if (fstat(fd, &st) != 0) {
            return LK_E_IO;
        }
        if ((uint64_t)st.st_size / before[0].page_size > before[0].last_page) {
            return LK_OK;
        }
        struct lk_lmdb_walk walk;
        rc = lk_lmdb_walk_begin(&walk, fd, &before[0]);
        if (rc == LK_OK) {
            rc = lk_lmdb_walk_run(&walk);
            lk_lmdb_walk_end(&walk);
        }
        if (rc != LK_E_CORRUPT) {
            return rc;
        }
        /* No reader holds this root: damage is what stays when no writer has passed it. */
        struct lk_lmdb_meta after[2];
        rc = lk_lmdb_read_meta(fd, after);
        if (rc == LK_OK && after[0].txn_id == before[0].txn_id) {
            return LK_E_CORRUPT;
        }
        before[0] = after[0];
    }
    return rc == LK_OK ? LK_E_BUSY : rc;
}

int lk_lmdb_fill_end(int fd)
{
    struct lk_lmdb_meta meta[2];
    struct stat st;
    int rc = lk_lmdb_read_meta(fd, meta);
    if (rc != LK_OK) {
        return rc;
    }
    off_t size = (off_t)((meta[0].last_page + 1) * meta[0].page_size);
    if (fstat(fd, &st) != 0) {
        return LK_E_IO;
    }
    return st.st_size >= size || ftruncate(fd, size) == 0 ? LK_OK : lk_lmdb_errno(errno);
}

/* A commit that changes nothing but the root: a key that can't be the store's comes and goes. */
static int scrub_turn_root(struct lk_lmdb_state *state)
{
    uint8_t bytes[SCRUB_KEY_SIZE];
    MDB_txn *txn = NULL;
    memset(bytes, 0xFF, sizeof bytes);
    MDB_val key = {sizeof bytes, bytes};
    MDB_val value = {0, bytes};
    int code = mdb_txn_begin(state->env, NULL, 0, &txn);
    if (code != 0) {
        return lk_lmdb_error(code);
    }
    code = mdb_put(txn, state->dbi, &key, &value, 0);
    if (code == 0) {
        code = mdb_del(txn, state->dbi, &key, NULL);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return lk_lmdb_error(code);
    }
    return lk_lmdb_error(mdb_txn_commit(txn));
}

struct scrub_readers {
    uint64_t newest;
    bool older;
};

/* LMDB lists its readers as text only: "pid thread txnid", or "-" for a slot at rest. */
static int scrub_reader_line(const char *line, void *context)
{
    struct scrub_readers *readers = context;
    char *end = NULL;
    const char *last = strrchr(line, ' ');
    if (last == NULL || strchr("0123456789", last[1]) == NULL || last[1] == '\0') {
        return 0;
    }
    unsigned long long id = strtoull(last + 1, &end, 10);
    if (id < readers->newest) {
        readers->older = true;
    }
    return 0;
}

static int scrub_no_old_readers(struct lk_lmdb_state *state, uint64_t newest)
{
    struct scrub_readers readers = {.newest = newest};
    int dead = 0;
    if (mdb_reader_check(state->env, &dead) != 0 ||
        mdb_reader_list(state->env, scrub_reader_line, &readers) < 0) {
        return LK_E_IO;
    }
    return readers.older ? LK_E_BUSY : LK_OK;
}

/* Zeroes a range of the file where it is not zero yet. */
static int scrub_range(int fd, uint64_t from, uint64_t to, uint8_t *chunk, uint64_t *bytes)
{
    while (from < to) {
        size_t part = to - from < SCRUB_CHUNK ? (size_t)(to - from) : SCRUB_CHUNK;
        int rc = lk_lmdb_read_fully(fd, chunk, part, from);
        if (rc != LK_OK) {
            return rc;
        }
        size_t dirty = 0;
        for (size_t i = 0; i < part; i++) {
            dirty += chunk[i] != 0 ? 1u : 0u;
        }
        if (dirty > 0) {
            memset(chunk, 0, part);
            rc = lk_lmdb_write_fully(fd, chunk, part, from);
            if (rc != LK_OK) {
                return rc;
            }
            *bytes += part;
        }
        from += part;
    }
    return LK_OK;
}

static int scrub_dead_pages(struct lk_lmdb_walk *walk, uint64_t *bytes)
{
    uint64_t size = walk->meta.page_size;
    uint64_t pages = walk->meta.last_page + 1;
    struct stat st;
    uint8_t *chunk = malloc(SCRUB_CHUNK);
    if (chunk == NULL) {
        return LK_E_IO;
    }
    int rc = LK_OK;
    for (uint64_t page = 2; page < pages && rc == LK_OK; page++) {
        if (!lk_lmdb_walk_is_live(walk, page)) {
            rc = scrub_range(walk->fd, page * size, (page + 1) * size, chunk, bytes);
        }
    }
    /* A batch that was dropped may have written behind the last page. */
    if (rc == LK_OK) {
        rc = fstat(walk->fd, &st) == 0 ? LK_OK : LK_E_IO;
    }
    if (rc == LK_OK) {
        rc = scrub_range(walk->fd, pages * size, (uint64_t)st.st_size, chunk, bytes);
    }
    free(chunk);
    return rc;
}

/* With the write lock of LMDB held by a transaction that has written nothing. */
static int scrub_file(struct lk_lmdb_state *state, int fd, uint64_t *bytes)
{
    struct lk_lmdb_meta meta[2];
    struct lk_lmdb_walk walk;
    int rc = lk_lmdb_fill_end(fd);
    if (rc == LK_OK) {
        rc = lk_lmdb_read_meta(fd, meta);
    }
    if (rc == LK_OK) {
        rc = scrub_no_old_readers(state, meta[0].txn_id);
    }
    if (rc != LK_OK) {
        return rc;
    }
    rc = lk_lmdb_walk_begin(&walk, fd, &meta[0]);
    if (rc != LK_OK) {
        return rc;
    }
    /* Once without touching anything: what is free must be known for certain. */
    rc = lk_lmdb_walk_run(&walk);
    if (rc == LK_OK) {
        rc = scrub_dead_pages(&walk, bytes);
    }
    if (rc == LK_OK) {
        walk.wipe = true;
        rc = lk_lmdb_walk_run(&walk);
        *bytes += walk.wiped;
    }
    lk_lmdb_walk_end(&walk);
    if (fdatasync(fd) != 0 && rc == LK_OK) {
        rc = LK_E_IO;
    }
    return rc;
}

int lk_lmdb_scrub(struct lk_storage *storage, uint64_t *bytes)
{
    struct lk_lmdb_state *state = lk_lmdb_state_of(storage);
    uint64_t count = 0;
    if (state == NULL) {
        return LK_E_STATE;
    }
    if (state->mode == LK_READ) {
        return LK_E_READ_ONLY;
    }
    int rc = lk_lmdb_write_enter(state);
    if (rc != LK_OK) {
        return rc;
    }
    (void)pthread_mutex_lock(&state->lock);
    rc = state->reader_count > 0 ? LK_E_BUSY : LK_OK;
    (void)pthread_mutex_unlock(&state->lock);
    lk_lmdb_grow_ahead(state, false);
    for (int i = 0; i < SCRUB_ROUNDS && rc == LK_OK; i++) {
        rc = scrub_turn_root(state);
    }
    int fd = rc == LK_OK ? scrub_open_file(lk_lmdb_of(storage), O_RDWR) : -1;
    if (rc == LK_OK && fd < 0) {
        rc = fd;
    }
    MDB_txn *txn = NULL;
    if (rc == LK_OK) {
        rc = lk_lmdb_error(mdb_txn_begin(state->env, NULL, 0, &txn));
    }
    if (rc == LK_OK) {
        rc = scrub_file(state, fd, &count);
        mdb_txn_abort(txn);
    }
    if (fd >= 0) {
        (void)close(fd); /* flushed above */
    }
    lk_lmdb_write_leave(state);
    if (bytes != NULL) {
        *bytes = count;
    }
    return rc;
}
