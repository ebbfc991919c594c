// SPDX-License-Identifier: MIT
/*
 * lk_storage.h: the ordered map of byte strings that the core keeps its records in.
 *
 * The core is the consumer and owns this interface; each backend exports a constructor that fills a
 * `struct lk_storage`. Keys are ordered as unsigned bytes, a prefix before what it is a prefix of.
 *
 * Rules for every backend
 * - A key is 1 to LK_KEY_MAX bytes; a value is 0 to `value_max` bytes. An empty value is a value.
 * - One writer at a time. With LK_STORAGE_SNAPSHOT readers see the map as it was when they began
 * and writers do not wait for them; without it, begin(write) while a reader is open answers
 * LK_E_BUSY, and so does begin(read) while a writer is open.
 * - A batch is all or nothing, also across a power cut. commit() is durable when it returns 0,
 * unless LK_COMMIT_LAZY allows the newest batches to be lost (in order, never in part).
 * - When commit() fails, nothing of the batch has happened; the transaction is over either way.
 * After any failed put/delete the transaction can only be aborted (commit answers the first error).
 * - A span from get() or a cursor is valid until the next call on the same transaction, and with
 *   LK_STORAGE_STABLE, inside a read transaction, until that transaction ends. cursor_close() is
 *   no such call: what was found by a cursor outlives it.
 * - put/delete in a transaction make its cursors forget their place: seek again.
 * - Any operation may answer LK_E_IO or LK_E_CORRUPT besides what is stated.
 */
#ifndef LK_STORAGE_H
#define LK_STORAGE_H

#include "lk_base.h"

#define LK_KEY_MAX 128

enum lk_storage_caps {
    LK_STORAGE_SNAPSHOT = 1, /* readers see a snapshot beside a writer */
    LK_STORAGE_STABLE = 2,   /* spans live as long as their read transaction */
    LK_STORAGE_DURABLE = 4,  /* what is committed outlives the process */
    LK_STORAGE_TALLY = 8,    /* tally() and tallied() */
};

enum lk_mode { LK_READ = 0, LK_WRITE = 1 };

enum lk_commit_mode { LK_COMMIT_DURABLE = 0, LK_COMMIT_LAZY = 1 };

struct lk_storage_stat {
    uint64_t entries;
    uint64_t used_bytes;   /* of the medium, overhead included */
    uint64_t free_bytes;   /* that can still be used without growing past the limit */
    uint64_t commit_count; /* since opened */

    /* Of raw flash only. What a device will last: the erases its sectors are good for, against
     * erase_count in the time since it was made. */
    uint64_t live_bytes;       /* of what can be read, overhead included */
    uint64_t dead_bytes;       /* that collection can still give back, and gaps */
    uint64_t programmed_bytes; /* since the store was made; a power cut may lose a sector's worth */
    uint64_t erase_count;      /* of all sectors since then */
    uint32_t erase_min;        /* of the sectors, lowest and highest */
    uint32_t erase_max;
    uint32_t sector_count;
    uint32_t retired_count; /* sectors that are not used any more */
    bool damaged;           /* something did not read as it was written: see check() */
};

struct lk_storage;

/* A transaction. The caller supplies it, zeroed; its contents are the backend's. */
struct lk_storage_txn {
    struct lk_storage *storage; /* NULL when no transaction is open */
    enum lk_mode mode;
    int failed;    /* first error of a put or delete: commit refuses */
    bool urgent;   /* set by the caller after begin: may use the room that is kept back, where a
                      backend keeps any (logins, failure counts, audit) */
    bool bulk;     /* set by the caller before begin(): a long batch comes, which a backend may
                      make ready for; it means nothing but time and memory */
    void *priv[6]; /* backend's own; may be kept between transactions (see end()) */
};

/* A cursor inside one transaction. The caller supplies it, zeroed. */
struct lk_storage_cursor {
    struct lk_storage_txn *txn; /* NULL when closed */
    uint8_t prefix[LK_KEY_MAX];
    size_t prefix_size; /* only keys with this prefix are seen */
    void *priv[4];
    uint8_t at[LK_KEY_MAX]; /* for backends that find their place again by key */
    size_t at_size;
};

/* What a scrub or check reports while it runs; return non-zero to stop with that value. */
typedef int lk_storage_progress(void *context, uint64_t done, uint64_t total);

struct lk_storage_ops {
    const char *name;

    /*
     * Opens what the constructor named. Errors: NOT_FOUND (no store there), NEWER, CORRUPT, BUSY
     * (already open in this process), READ_ONLY, IO.
     */
    int (*open)(struct lk_storage *storage, enum lk_mode mode);
    /* Closes. Every transaction must be over. */
    void (*close)(struct lk_storage *storage);

    /*
     * `txn` is zeroed, or was ended before on the same storage. Errors: BUSY, READ_ONLY, FULL (of
     * readers).
     */
    int (*begin)(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode);
    /* Ends a write transaction; see the rules above. Ending a read transaction by it is allowed. */
    int (*commit)(struct lk_storage_txn *txn, enum lk_commit_mode mode);
    /* Ends any transaction; nothing written in it has happened. */
    void (*abort)(struct lk_storage_txn *txn);
    /* Gives back what an ended transaction still holds for quick reuse (a reader slot). */
    void (*release)(struct lk_storage *storage, struct lk_storage_txn *txn);
    /* A number that differs whenever what this transaction sees differs from an earlier one's. */
    uint64_t (*snapshot)(const struct lk_storage_txn *txn);

    /* NOT_FOUND when absent. */
    int (*get)(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value);
    /* Inserts or replaces. `key` and `value` may not point into the map. TOO_BIG, FULL, READ_ONLY.
     */
    int (*put)(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value);
    /* NOT_FOUND when absent (not counted as a failure of the transaction). */
    int (*remove)(struct lk_storage_txn *txn, struct lk_span key);
    /*
     * Adds one to the tally of `key`, which must be in the map (else LK_E_NOT_FOUND), at the lowest
     * durable cost the medium has. The tally is 0 after every put of the key and goes with it.
     * `count` gets the new number, which counts once the commit returns 0. A transaction that
     * tallies does so once and puts and removes nothing: LK_E_STATE otherwise. LK_E_UNSUPPORTED
     * without LK_STORAGE_TALLY: the caller then keeps the number in the record.
     */
    int (*tally)(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count);
    /* The tally of a key in the map, as committed; 0 where it has none. */
    int (*tallied)(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count);

    /* Opens a cursor over the keys that begin with `prefix` (empty: all). It stands nowhere. */
    int (*cursor_open)(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                       struct lk_span prefix);
    void (*cursor_close)(struct lk_storage_cursor *cursor);
    /* First key >= `key` (a whole key; empty: the first in the prefix). NOT_FOUND past the end. */
    int (*seek)(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                struct lk_span *value);
    /* Last key < `key` (empty: the last in the prefix). */
    int (*seek_before)(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                       struct lk_span *value);
    /* From where the cursor stands. NOT_FOUND past the end; then it stands nowhere again. */
    int (*next)(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value);
    int (*prev)(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value);

    int (*stat)(struct lk_storage *storage, struct lk_storage_stat *stat);
    /* Checks the medium's own structure, as deep as it can. May be NULL. */
    int (*check)(struct lk_storage *storage, lk_storage_progress *progress, void *context);
    /* Gives room back and rewrites in order. No transaction may be open. May be NULL. */
    int (*compact)(struct lk_storage *storage);
    /*
     * Makes every byte of deleted and replaced values unreadable on the medium. No transaction may
     * be open. `bytes` gets what had to be overwritten or rewritten. May be NULL.
     */
    int (*scrub)(struct lk_storage *storage, uint64_t *bytes);
};

/* The head of every backend's handle. Filled by its constructor; read-only for the core. */
struct lk_storage {
    const struct lk_storage_ops *ops;
    uint32_t caps;    /* enum lk_storage_caps */
    size_t value_max; /* bytes of a value at most */
};

#endif
