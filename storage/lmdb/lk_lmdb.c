// SPDX-License-Identifier: MIT
/* lk_lmdb.c: opening, closing, and what the map holds. Transactions are in lmdb_txn.c. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LMDB_VALUE_DEFAULT   8192u
#define LMDB_VALUE_LIMIT     (UINT32_C(1) << 24)
#define LMDB_READERS_DEFAULT 126u
#define LMDB_MAP_LEAST       (UINT64_C(64) << 10)
#define LMDB_MAP_INITIAL     (UINT64_C(1) << 30)
#define LMDB_MAP_MAX         (UINT64_C(64) << 30)

static const struct lk_lmdb_config lmdb_defaults;

static const struct lk_lmdb_config *lmdb_config(const struct lk_lmdb *lmdb)
{
    return lmdb->config != NULL ? lmdb->config : &lmdb_defaults;
}

struct lk_lmdb *lk_lmdb_of(struct lk_storage *storage)
{
    /* The head is the first member, so both have one address. */
    return (struct lk_lmdb *)(void *)storage;
}

struct lk_lmdb_state *lk_lmdb_state_of(struct lk_storage *storage)
{
    struct lk_lmdb_state *state = lk_lmdb_of(storage)->state;
    return state != NULL && state->open.forks == lk_lmdb_forks() ? state : NULL;
}

const char *lk_lmdb_problem(const struct lk_lmdb *lmdb)
{
    return lmdb->problem;
}

static size_t lmdb_round(uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    size = size < LMDB_MAP_LEAST ? LMDB_MAP_LEAST : size;
    return (size_t)((size + page - 1) / page * page);
}

/* The map must hold what is in the file, whatever the configuration says. */
static int lmdb_map_size(struct lk_lmdb *lmdb, int data, size_t *size)
{
    const struct lk_lmdb_config *config = lmdb_config(lmdb);
    struct lk_lmdb_state *state = lmdb->state;
    uint64_t want = config->map_initial != 0 ? config->map_initial : LMDB_MAP_INITIAL;
    uint64_t most = config->map_max != 0 ? config->map_max : LMDB_MAP_MAX;
    struct stat st;
    if (fstat(data, &st) != 0) {
        return LK_E_IO;
    }
    if (st.st_size > 0) {
        struct lk_lmdb_meta meta[2];
        int rc = lk_lmdb_read_meta(data, meta);
        if (rc != LK_OK) {
            return rc;
        }
        uint64_t used = (meta[0].last_page + 1) * meta[0].page_size;
        most = most < used ? used : most;
        want = want < used ? used : want;
        want = want < meta[0].map_size ? meta[0].map_size : want;
    }
    want = want > most ? most : want;
    if (most > SIZE_MAX / 2) {
        return LK_E_LIMIT;
    }
    state->map_max = lmdb_round(most);
    *size = lmdb_round(want);
    return LK_OK;
}

static int lmdb_open_dbi(struct lk_lmdb_state *state)
{
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int dead = 0;
    /* Slots of processes that died would hold old pages for ever. */
    (void)mdb_reader_check(state->env, &dead); /* a failure shows at begin() */
    int code = MDB_MAP_RESIZED;
    /* Another process may grow the map after its size was read, and again after that. */
    for (int i = 0; i < LK_LMDB_TRIES && code == MDB_MAP_RESIZED; i++) {
        code = mdb_txn_begin(state->env, NULL, MDB_RDONLY, &txn);
        if (code == MDB_MAP_RESIZED) {
            int rc = lk_lmdb_map_resized(state);
            if (rc != LK_OK) {
                return rc;
            }
        }
    }
    if (code == 0) {
        code = mdb_dbi_open(txn, NULL, 0, &state->dbi);
    }
    if (code == 0) {
        code = mdb_stat(txn, state->dbi, &stat);
        state->page_size = stat.ms_psize;
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return lk_lmdb_error(code);
}

/* LMDB opens by name: makes sure that what it opened is what was checked. */
static int lmdb_same_file(const struct lk_lmdb_state *state)
{
    int fd = -1;
    struct stat st;
    if (mdb_env_get_fd(state->env, &fd) != 0 || fstat(fd, &st) != 0) {
        return LK_E_IO;
    }
    return st.st_dev == state->open.dev && st.st_ino == state->open.ino ? LK_OK : LK_E_REFUSED;
}

static int lmdb_open_env(struct lk_lmdb *lmdb, int directory, int data)
{
    struct lk_lmdb_state *state = lmdb->state;
    const struct lk_lmdb_config *config = lmdb_config(lmdb);
    uint32_t readers = config->readers_max != 0 ? config->readers_max : LMDB_READERS_DEFAULT;
    unsigned flags = MDB_NOTLS | (state->mode == LK_READ ? MDB_RDONLY : 0u);
    size_t map_size = 0;
    int rc = lmdb_map_size(lmdb, data, &map_size);
    if (rc != LK_OK) {
        return rc;
    }
    rc = lk_lmdb_prepare_lock(lmdb, directory, state->mode);
    if (rc != LK_OK) {
        return rc;
    }
    /* Through the descriptor no renaming on the way can lead elsewhere. */
    char through[64];
    (void)snprintf(through, sizeof through, "/proc/self/fd/%d", directory); /* always fits */
    bool proc = access(through, F_OK) == 0;
    int code = mdb_env_create(&state->env);
    if (code != 0) {
        state->env = NULL;
        return lk_lmdb_error(code);
    }
    code = mdb_env_set_mapsize(state->env, map_size);
    if (code == 0) {
        code = mdb_env_set_maxreaders(state->env, readers);
    }
    if (code != 0) {
        return lk_lmdb_error(code);
    }
    code = mdb_env_open(state->env, proc ? through : lmdb->directory, flags, 0600);
    lk_lmdb_leave(data);
    rc = code == EAGAIN ? LK_E_BUSY : lk_lmdb_error(code);
    return rc == LK_OK ? lmdb_same_file(state) : rc;
}

/* A file that lacks its end is walked at each opening: so it gets it. */
static int lmdb_mend_end(struct lk_lmdb *lmdb, int data)
{
    struct lk_lmdb_state *state = lmdb->state;
    struct lk_storage_txn txn = {0};
    struct stat st;
    MDB_envinfo info;
    if (fstat(data, &st) != 0 || mdb_env_info(state->env, &info) != 0) {
        return LK_E_IO;
    }
    if (state->mode == LK_READ || (uint64_t)st.st_size / state->page_size > info.me_last_pgno) {
        return LK_OK;
    }
    int rc = lk_lmdb_begin(&lmdb->storage, &txn, LK_WRITE);
    if (rc == LK_OK) {
        rc = lk_lmdb_fill_end(data);
        lk_lmdb_abort(&txn);
    }
    lk_lmdb_release(&lmdb->storage, &txn);
    return rc;
}

static void lmdb_free_state(struct lk_lmdb_state *state)
{
    (void)pthread_mutex_destroy(&state->write);
    (void)pthread_mutex_destroy(&state->lock);
    free(state->journal);
    free(state);
}

static int lmdb_make_state(struct lk_lmdb *lmdb, enum lk_mode mode, int data)
{
    struct stat st;
    if (fstat(data, &st) != 0) {
        return LK_E_IO;
    }
    struct lk_lmdb_state *state = calloc(1, sizeof *state);
    pthread_mutexattr_t attr;
    if (state == NULL) {
        return LK_E_IO;
    }
    if (pthread_mutexattr_init(&attr) != 0) {
        free(state);
        return LK_E_IO;
    }
    /* The thread that writes must get an answer, not wait for itself. */
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    (void)pthread_mutex_init(&state->write, &attr);
    (void)pthread_mutex_init(&state->lock, NULL);
    (void)pthread_mutexattr_destroy(&attr);
    state->mode = mode;
    state->opened = lk_lmdb_new_serial();
    state->open.dev = st.st_dev;
    state->open.ino = st.st_ino;
    int rc = lk_lmdb_register(&state->open);
    if (rc != LK_OK) {
        lmdb_free_state(state);
        return rc;
    }
    lmdb->state = state;
    return LK_OK;
}

static void lmdb_close(struct lk_storage *storage)
{
    struct lk_lmdb *lmdb = lk_lmdb_of(storage);
    struct lk_lmdb_state *state = lmdb->state;
    if (state == NULL) {
        return;
    }
    lmdb->state = NULL;
    if (state->open.forks != lk_lmdb_forks()) {
        return; /* the parent's: its environment would empty the parent's reader slots */
    }
    while (state->readers != NULL) {
        struct lk_lmdb_reader *reader = state->readers;
        state->readers = reader->next;
        lk_lmdb_end_reader(reader);
    }
    if (state->env != NULL) {
        if (state->lazy) {
            (void)mdb_env_sync(state->env, 1); /* lazy commits may be lost, and close can't fail */
        }
        mdb_env_close(state->env);
    }
    lk_lmdb_unregister(&state->open);
    lmdb_free_state(state);
}

static int lmdb_open(struct lk_storage *storage, enum lk_mode mode)
{
    struct lk_lmdb *lmdb = lk_lmdb_of(storage);
    int directory = -1;
    int data = -1;
    lmdb->problem = NULL;
    if (lmdb->state != NULL) {
        return lk_lmdb_state_of(storage) != NULL ? LK_E_BUSY : LK_E_STATE;
    }
    if (mode == LK_WRITE && (lmdb_config(lmdb)->flags & LK_LMDB_READ_ONLY) != 0) {
        return LK_E_READ_ONLY;
    }
    int rc = LK_E_BUSY;
    /* The file may lose its name to a packed one while this waits for it. */
    for (int i = 0; i < LK_LMDB_TRIES && rc == LK_E_BUSY; i++) {
        rc = lk_lmdb_prepare(lmdb, mode, &directory, &data);
    }
    if (rc != LK_OK) {
        return rc;
    }
    rc = lmdb_make_state(lmdb, mode, data);
    if (rc == LK_OK) {
        rc = lmdb_open_env(lmdb, directory, data);
        if (rc == LK_OK) {
            rc = lmdb_open_dbi(lmdb->state);
        }
        if (rc == LK_OK) {
            rc = lmdb_mend_end(lmdb, data);
        }
        if (rc == LK_OK && (lmdb_config(lmdb)->flags & LK_LMDB_VERIFY) != 0) {
            rc = lk_lmdb_check(storage, NULL, NULL);
        }
        if (rc != LK_OK) {
            lmdb_close(storage);
        }
    }
    lk_lmdb_leave(data);
    (void)close(data);      /* nothing was written through it */
    (void)close(directory); /* likewise */
    return rc;
}

static int lmdb_stat(struct lk_storage *storage, struct lk_storage_stat *stat)
{
    struct lk_lmdb_state *state = lk_lmdb_state_of(storage);
    if (state == NULL) {
        return LK_E_STATE;
    }
    struct lk_storage_txn txn = {0};
    int rc = lk_lmdb_ops.begin(storage, &txn, LK_READ);
    if (rc != LK_OK) {
        return rc;
    }
    MDB_txn *reader = lk_lmdb_mdb_txn(&txn);
    MDB_stat main;
    MDB_envinfo info = {0};
    uint64_t free_pages = 0;
    int code = mdb_stat(reader, state->dbi, &main);
    if (code == 0) {
        code = mdb_env_info(state->env, &info);
    }
    rc = code == 0 ? lk_lmdb_free_pages(reader, &free_pages) : lk_lmdb_error(code);
    if (rc == LK_OK) {
        uint64_t pages = state->map_max / state->page_size;
        uint64_t used = (uint64_t)info.me_last_pgno + 1;
        uint64_t room = (pages > used ? pages - used : 0) + free_pages;
        uint64_t kept = lk_lmdb_reserve(state);
        *stat = (struct lk_storage_stat){
            .entries = main.ms_entries,
            .used_bytes = (used > free_pages ? used - free_pages : 0) * state->page_size,
            .free_bytes = (room > kept ? room - kept : 0) * state->page_size,
            .commit_count = state->commit_count,
        };
    }
    lk_lmdb_ops.abort(&txn);
    lk_lmdb_ops.release(storage, &txn);
    return rc;
}

const struct lk_storage_ops lk_lmdb_ops = {
    .name = "lmdb",
    .open = lmdb_open,
    .close = lmdb_close,
    .begin = lk_lmdb_begin,
    .commit = lk_lmdb_commit,
    .abort = lk_lmdb_abort,
    .release = lk_lmdb_release,
    .snapshot = lk_lmdb_snapshot,
    .get = lk_lmdb_get,
    .put = lk_lmdb_put,
    .remove = lk_lmdb_remove,
    .tally = lk_lmdb_tally,
    .tallied = lk_lmdb_tallied,
    .cursor_open = lk_lmdb_cursor_open,
    .cursor_close = lk_lmdb_cursor_close,
    .seek = lk_lmdb_seek,
    .seek_before = lk_lmdb_seek_before,
    .next = lk_lmdb_next,
    .prev = lk_lmdb_prev,
    .stat = lmdb_stat,
    .check = lk_lmdb_check,
    .compact = NULL,
    .scrub = lk_lmdb_scrub,
};

int lk_lmdb_init(struct lk_lmdb *lmdb, const char *directory, const struct lk_lmdb_config *config)
{
    if (lmdb == NULL || directory == NULL || directory[0] == '\0') {
        return LK_E_ARGUMENT;
    }
    if (config != NULL && config->value_max > LMDB_VALUE_LIMIT) {
        return LK_E_ARGUMENT;
    }
    *lmdb = (struct lk_lmdb){
        .storage =
            {
                .ops = &lk_lmdb_ops,
                .caps = LK_STORAGE_SNAPSHOT | LK_STORAGE_STABLE | LK_STORAGE_DURABLE,
                .value_max = config != NULL && config->value_max != 0 ? config->value_max
                                                                      : LMDB_VALUE_DEFAULT,
            },
        .directory = directory,
        .config = config,
    };
    return LK_OK;
}
