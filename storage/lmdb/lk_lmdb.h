// SPDX-License-Identifier: MIT
/*
 * lk_lmdb.h: the ordered map kept in an LMDB 0.9 environment (64-bit Linux, local disks).
 *
 * Limitations
 * - 64-bit only: LMDB's file has the machine's words, and a 32-bit address space is too small for
 * it.
 * - Local file systems only. NFS, SMB, 9p, AFS, Ceph, Lustre and other shared ones are refused,
 *   and FUSE too (a sshfs can't be told from a local one) unless LK_LMDB_ALLOW_FUSE is given.
 * - The directory belongs to this user or root and nobody else may write to it.
 * - One handle for a store in a process: a second open answers LK_E_BUSY. After fork() the child
 *   gets LK_E_STATE from an inherited handle, whose close() only forgets it; it may open its own.
 * - A write transaction belongs to the thread that began it. begin(write) on the same thread while
 *   one is open answers LK_E_BUSY; on another thread or in another process it waits.
 * - LK_COMMIT_LAZY saves one of the two flushes of a commit, not both: LMDB has no order between
 *   its pages and its root but the flush, and a lost root is the only loss that is allowed.
 * - No `compact`: replacing the file under other processes that have it mapped would split the
 *   store in two. lk_lmdb_pack() does it while nobody has the store open. No `tally`: a put is as
 * good.
 *
 * Growth. The map is address space, not file: the file grows by what is used. It begins at
 * `map_initial` and doubles up to `map_max`: ahead, at begin(write), when little is left and no
 * read transaction of this process is open; and on the way, when a batch does not fit: the batch is
 * kept in memory while the map can still grow, and replayed on the larger map. It is LK_E_BUSY when
 * that would need the end of a read transaction of this process, or when another process wrote in
 * between; LK_E_FULL only at `map_max`. A put is refused while room for deletions is still
 * left; since LMDB does not tell how many pages a batch has copied, the most it can have copied is
 * counted, so that near the end a large batch is refused where smaller ones still fit.
 */
#ifndef LK_LMDB_H
#define LK_LMDB_H

#include "lk_storage.h"

enum lk_lmdb_flags {
    LK_LMDB_CREATE = 1,     /* open(write) makes the directory and the store where there is none */
    LK_LMDB_READ_ONLY = 2,  /* refuse open(write) */
    LK_LMDB_VERIFY = 4,     /* open() walks the whole structure first, as check() does */
    LK_LMDB_ALLOW_FUSE = 8, /* the caller knows that this FUSE file system is local */
};

/* Zero means the default. Must outlive the handle. */
struct lk_lmdb_config {
    uint64_t map_initial; /* bytes of address space; default 1 GiB */
    uint64_t map_max;     /* bytes the store may grow to; default 64 GiB */
    uint32_t readers_max; /* read transactions over all processes; default 126 */
    uint32_t value_max;   /* bytes; default 8192 */
    uint32_t flags;       /* enum lk_lmdb_flags */
};

struct lk_lmdb_state;

/* The handle. Transparent for static allocation; fields are private. */
struct lk_lmdb {
    struct lk_storage storage;
    const char *directory;
    const struct lk_lmdb_config *config;
    struct lk_lmdb_state *state; /* NULL while closed */
    const char *problem;
};

/*
 * Fills a handle for the store in `directory` (both pointers are kept; `config` may be NULL).
 * Touches no file. LK_E_ARGUMENT for a limit that LMDB can't hold.
 *
 * open() answers besides the interface's errors: LK_E_UNSUPPORTED (file system), LK_E_REFUSED
 * (owner, mode, symlink or hard link); lk_lmdb_problem() tells which. A store made in place is not
 * safe from a power cut before its first commit: make it beside its place, then lk_lmdb_publish().
 */
int lk_lmdb_init(struct lk_lmdb *lmdb, const char *directory, const struct lk_lmdb_config *config);

/* Why the last open() was refused, as a sentence without a full stop; NULL when it was not. */
const char *lk_lmdb_problem(const struct lk_lmdb *lmdb);

/*
 * Gives a closed, complete store its final name: flushes files and directory, renames, flushes the
 * parents. `final` may be an empty directory; LK_E_EXISTS when anything else is there. A power cut
 * leaves either the whole store under `final`, or what was there before.
 */
int lk_lmdb_publish(const char *temporary, const char *final);

/*
 * Removes the store in `directory` (closed; its two files and the directory). NOT_FOUND when there
 * is no directory; LK_E_EXISTS when foreign files are in it (the store's own are gone then).
 */
int lk_lmdb_discard(const char *directory);

/*
 * Overwrites the store in `directory` with zeros and removes its two files; the directory stays.
 * Where `before` is given it is called first, once nobody else has or can open the store; an error
 * of it ends all. LK_E_BUSY: somebody has it open. Cut, it can be done again.
 */
int lk_lmdb_erase(const char *directory, int (*before)(void *context), void *context);

/*
 * Lays the closed store in `directory` out anew on full pages, without what came free: needs as
 * much room on the medium again, and `progress` (may be NULL) may stop it. LK_E_BUSY: somebody has
 * it open; whoever opens it meanwhile waits. Cut, the store is as it was, or packed; the other file
 * is overwritten by the next open for writing. LK_E_UNSUPPORTED: the file system cannot exchange
 * names.
 */
int lk_lmdb_pack(const char *directory, lk_storage_progress *progress, void *context);

/*
 * Writes a compacted copy of the open store as it is now into the new directory `directory`.
 * Writers need not wait. LK_E_EXISTS when the directory is there. The copy has its final file name
 * only when it is complete and flushed.
 */
int lk_lmdb_backup(struct lk_storage *storage, const char *directory);

#endif
