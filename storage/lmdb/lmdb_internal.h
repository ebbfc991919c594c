// SPDX-License-Identifier: MIT
/* lmdb_internal.h: what the files of the LMDB adapter share. */
#ifndef LK_LMDB_INTERNAL_H
#define LK_LMDB_INTERNAL_H

#include "lk_lmdb.h"

#include <lmdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/types.h>

#define LK_LMDB_DATA "data.mdb"
#define LK_LMDB_LOCK "lock.mdb"
#define LK_LMDB_PART "data.mdb.part"

/* How often to follow a map that other processes go on growing. */
#define LK_LMDB_TRIES 16

/* Cursors of a long batch. */
#define LK_LMDB_NEAR 16

/* A reader slot that is kept between transactions, so that close() can end all of them. */
struct lk_lmdb_reader {
    MDB_txn *txn;
    MDB_cursor *near;   /* where it last got something; NULL: nothing yet */
    uintptr_t near_for; /* the transaction that `near` is good for */
    struct lk_lmdb_reader *next;
    struct lk_lmdb_reader *prev;
};

/* The open store in the process-wide list of open stores. */
struct lk_lmdb_open {
    dev_t dev;
    ino_t ino;
    unsigned forks; /* how often this process's line had forked when it was opened */
    struct lk_lmdb_open *next;
};

struct lk_lmdb_state {
    MDB_env *env;
    MDB_dbi dbi;
    struct lk_lmdb_open open;
    enum lk_mode mode;
    size_t map_max;
    size_t page_size;
    uintptr_t opened; /* names this opening; never twice the same */
    uint64_t commit_count;
    uint64_t change_count; /* puts and removes, for snapshot numbers of open batches */
    bool lazy;             /* a commit since it was opened was lazy */

    pthread_mutex_t write; /* held by the thread with the write transaction */
    pthread_mutex_t lock;  /* of what follows, and of every change of the map */
    size_t reader_count;   /* read transactions that are open now */
    bool writing;
    struct lk_lmdb_reader *readers;

    /* The open batch, as long as the map may still grow. */
    uint8_t *journal;
    size_t journal_size;
    size_t journal_room;
    uint64_t pages_begin; /* of the tree when the batch began */
    uint64_t room_begin;  /* pages that can be had: those after the last one, then the free ones */
    bool room_exact;
    uint64_t op_count;
    uint64_t txn_id;
    /* Of a long batch, where it last put what begins alike; LMDB frees them with the transaction.
     */
    MDB_cursor *near[LK_LMDB_NEAR];
};

/* One meta page, decoded and checked. */
struct lk_lmdb_meta {
    uint32_t page_size;
    uint64_t map_size;
    uint64_t last_page;
    uint64_t txn_id;
    struct lk_lmdb_tree {
        uint16_t flags;
        uint16_t depth;
        uint64_t branch_pages;
        uint64_t leaf_pages;
        uint64_t overflow_pages;
        uint64_t entries;
        uint64_t root;
    } tree[2]; /* free pages, main */
};

/* lmdb_error.c */
int lk_lmdb_error(int code);
int lk_lmdb_errno(int code);

/* lmdb_file.c */
int lk_lmdb_read_fully(int fd, void *out, size_t size, uint64_t offset);
int lk_lmdb_write_fully(int fd, const void *data, size_t size, uint64_t offset);
/* `directory`: a descriptor; data.mdb must be a plain file of our own. */
int lk_lmdb_open_data(int directory, int flags, const char **problem);
/* The copy that takes its place. `create`: a new one. */
int lk_lmdb_open_part(int directory, bool create, int *part);
int lk_lmdb_open_directory(const char *path, const char **problem, int *directory);
/* LMDB's own file. While this process has the store open, closing it would drop LMDB's locks. */
int lk_lmdb_open_lock(int directory, const char **problem, int *lock);
/* With its lock of openings held, as lk_lmdb_enter() gives it. */
int lk_lmdb_prepare(struct lk_lmdb *lmdb, enum lk_mode mode, int *directory, int *data);
int lk_lmdb_prepare_lock(struct lk_lmdb *lmdb, int directory, enum lk_mode mode);
/* One process at a time opens: from enter() to leave(). LK_E_NOT_FOUND: erased meanwhile. */
int lk_lmdb_enter(int directory, int data);
void lk_lmdb_leave(int data);
int lk_lmdb_sync_parent(const char *path);
/* Fills meta[0] with the newest, meta[1] with the other. */
int lk_lmdb_read_meta(int fd, struct lk_lmdb_meta meta[2]);
/* LMDB notes in a new file how it was opened; a file in a directory of its own bears no such note.
 */
int lk_lmdb_mend_flags(int fd, uint32_t page_size);

/* lmdb_alone.c: a closed store, kept from everybody else from begin() to end(), which must follow
 * whatever begin() answers. LK_E_BUSY: somebody has it open. */
struct lk_lmdb_alone {
    int directory, data, lock;
    bool registered;
    struct lk_lmdb_open open;
};
int lk_lmdb_alone_begin(struct lk_lmdb_alone *alone, const char *directory);
void lk_lmdb_alone_end(struct lk_lmdb_alone *alone);

/* lmdb_erase.c */
/* Zeros over the whole file, flushed. */
int lk_lmdb_zero(int fd);

/* lmdb_pack.c */
/* What a packing that was cut left beside the store, overwritten and gone. */
int lk_lmdb_clear_part(int directory);

/* lmdb_registry.c */
int lk_lmdb_register(struct lk_lmdb_open *open);
void lk_lmdb_unregister(struct lk_lmdb_open *open);
unsigned lk_lmdb_forks(void);

/* lmdb_walk.c */
struct lk_lmdb_walk {
    int fd;
    struct lk_lmdb_meta meta;
    uint8_t *live;  /* one bit a page: reached from a root */
    uint8_t *free;  /* one bit a page: listed as free */
    uint8_t *pages; /* one page for each level, and one */
    bool wipe;      /* overwrite what is dead inside live pages */
    uint64_t wiped; /* bytes */
    uint64_t done;  /* pages */
    lk_storage_progress *progress;
    void *context;
};
int lk_lmdb_walk_begin(struct lk_lmdb_walk *walk, int fd, const struct lk_lmdb_meta *meta);
int lk_lmdb_walk_run(struct lk_lmdb_walk *walk);
bool lk_lmdb_walk_is_live(const struct lk_lmdb_walk *walk, uint64_t page);
void lk_lmdb_walk_end(struct lk_lmdb_walk *walk);

/* lmdb_scrub.c */
/* All that the newest root reaches is in the file, although its end may be missing. */
int lk_lmdb_check_end(int fd);
/* Gives the file its missing end, with the write lock of LMDB held. */
int lk_lmdb_fill_end(int fd);
int lk_lmdb_check(struct lk_storage *storage, lk_storage_progress *progress, void *context);
int lk_lmdb_scrub(struct lk_storage *storage, uint64_t *bytes);

/* lk_lmdb.c */
extern const struct lk_storage_ops lk_lmdb_ops;
struct lk_lmdb *lk_lmdb_of(struct lk_storage *storage);
/* NULL when closed, or inherited over a fork. */
struct lk_lmdb_state *lk_lmdb_state_of(struct lk_storage *storage);

/* lmdb_txn.c */
uintptr_t lk_lmdb_new_serial(void);
int lk_lmdb_begin(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode);
int lk_lmdb_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode);
void lk_lmdb_abort(struct lk_storage_txn *txn);
void lk_lmdb_release(struct lk_storage *storage, struct lk_storage_txn *txn);
void lk_lmdb_end_reader(struct lk_lmdb_reader *reader);
int lk_lmdb_write_enter(struct lk_lmdb_state *state);
void lk_lmdb_write_leave(struct lk_lmdb_state *state);
uint64_t lk_lmdb_snapshot(const struct lk_storage_txn *txn);
MDB_txn *lk_lmdb_mdb_txn(const struct lk_storage_txn *txn);
uintptr_t lk_lmdb_serial(const struct lk_storage_txn *txn);
uintptr_t lk_lmdb_changes(const struct lk_storage_txn *txn);
/* LK_OK when the transaction can go on. */
int lk_lmdb_usable(const struct lk_storage_txn *txn, struct lk_span key, bool empty_allowed);
int lk_lmdb_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value);
int lk_lmdb_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value);
int lk_lmdb_remove(struct lk_storage_txn *txn, struct lk_span key);
int lk_lmdb_tally(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count);
int lk_lmdb_tallied(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count);

/* lmdb_room.c: growth, and the room kept for deletions */
/* `whole`: to the map's end, so that no journal is kept of a long batch. */
void lk_lmdb_grow_ahead(struct lk_lmdb_state *state, bool whole);
int lk_lmdb_map_resized(struct lk_lmdb_state *state);
int lk_lmdb_room_begin(struct lk_lmdb_state *state, MDB_txn *txn);
int lk_lmdb_room_for(struct lk_lmdb_state *state, MDB_txn *txn, size_t value_size);
/* A cursor beside which the key may be; NULL: of a short batch there is none. */
MDB_cursor *lk_lmdb_near(struct lk_lmdb_state *state, MDB_txn *txn, struct lk_span key);
/* mdb_put or mdb_del; answers LMDB's code. */
int lk_lmdb_apply(struct lk_lmdb_state *state, MDB_txn *txn, struct lk_span key,
                  const struct lk_span *value);
int lk_lmdb_free_pages(MDB_txn *txn, uint64_t *pages);
uint64_t lk_lmdb_reserve(const struct lk_lmdb_state *state);
int lk_lmdb_journal_add(struct lk_lmdb_state *state, struct lk_span key,
                        const struct lk_span *value);
/* Ends *txn, enlarges the map, and does the batch again in a new *txn. */
int lk_lmdb_replay(struct lk_lmdb_state *state, MDB_txn **txn);

/* lmdb_cursor.c */
int lk_lmdb_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                        struct lk_span prefix);
void lk_lmdb_cursor_close(struct lk_storage_cursor *cursor);
int lk_lmdb_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                 struct lk_span *value);
int lk_lmdb_seek_before(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                        struct lk_span *value);
int lk_lmdb_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value);
int lk_lmdb_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value);

/* Words of LMDB's file, in the order of the machine. */

static inline uint32_t lmdb_u32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline uint16_t lmdb_u16(const uint8_t *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline uint64_t lmdb_u64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

#endif
