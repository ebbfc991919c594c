// SPDX-License-Identifier: MIT
/*
 * lmdb_pack.c: a closed store laid out anew, in the order of its keys, on full pages.
 *
 * LMDB splits a page in the middle, so that what an import puts between other keys leaves pages
 * half full, and a page that came free stays in the file. A copy whose keys are appended has
 * neither.
 *
 * The copy takes the store's place by an exchange of names: at every cut one whole store has the
 * name, and what has the other one, a half copy or the store as it was, is overwritten by whoever
 * opens the store next. Both files are locked from before the exchange until LMDB's lock is given
 * back: whoever opened the old one meanwhile sees that it lost its name, and whoever opens the new
 * one waits, since LMDB would take what its lock file says of the old one for true.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACK_BATCH                                                                                 \
    (UINT64_C(32) << 20) /* bytes of keys and values a commit: what memory it takes */
#define PACK_ROOM   (UINT64_C(64) << 20) /* of the new map, beyond what the old file took */
#define PACK_STRIDE 4096u                /* entries between two reports */

int lk_lmdb_clear_part(int directory)
{
    int part = -1;
    int rc = lk_lmdb_open_part(directory, false, &part);
    if (rc != LK_OK) {
        return rc == LK_E_NOT_FOUND ? LK_OK : rc;
    }
    rc = lk_lmdb_zero(part);
    (void)close(part); /* flushed above */
    if (rc == LK_OK && unlinkat(directory, LK_LMDB_PART, 0) != 0 && errno != ENOENT) {
        rc = LK_E_IO;
    }
    return rc;
}

struct pack_job {
    struct lk_lmdb_alone alone;
    struct lk_lmdb_meta meta;
    int part;
    uint32_t page_size; /* of the new file */
    MDB_env *from, *to;
    MDB_txn *reader, *writer;
    MDB_dbi from_dbi, to_dbi;
    lk_storage_progress *progress;
    void *context;
};

/* A damaged page would make LMDB read outside the map. */
static int pack_check(struct pack_job *job)
{
    struct lk_lmdb_meta meta[2];
    struct lk_lmdb_walk walk;
    int rc = lk_lmdb_read_meta(job->alone.data, meta);
    if (rc == LK_OK) {
        rc = lk_lmdb_check_end(job->alone.data);
    }
    if (rc == LK_OK) {
        job->meta = meta[0];
        rc = lk_lmdb_walk_begin(&walk, job->alone.data, &meta[0]);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_walk_run(&walk);
        lk_lmdb_walk_end(&walk);
    }
    return rc;
}

static int pack_open(const struct pack_job *job, const char *name, unsigned flags, MDB_env **env)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d/%s", job->alone.directory,
                   name); /* always fits */
    if (access(path, F_OK) != 0) {
        return LK_E_UNSUPPORTED; /* no /proc */
    }
    int code = mdb_env_create(env);
    if (code != 0) {
        *env = NULL;
        return lk_lmdb_error(code);
    }
    code = mdb_env_set_mapsize(
        *env, (size_t)((job->meta.last_page + 1) * job->meta.page_size + PACK_ROOM));
    if (code == 0) {
        code = mdb_env_open(*env, path, flags | MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    }
    return lk_lmdb_error(code);
}

static int pack_begin(struct pack_job *job)
{
    int code = mdb_txn_begin(job->to, NULL, 0, &job->writer);
    return lk_lmdb_error(code == 0 ? mdb_dbi_open(job->writer, NULL, 0, &job->to_dbi) : code);
}

static int pack_commit(struct pack_job *job)
{
    MDB_txn *writer = job->writer;
    job->writer = NULL;
    return lk_lmdb_error(mdb_txn_commit(writer));
}

static int pack_entries(struct pack_job *job, MDB_cursor *cursor)
{
    MDB_val key;
    MDB_val value;
    uint64_t done = 0;
    uint64_t size = 0;
    MDB_stat stat;
    int rc = pack_begin(job);
    if (rc == LK_OK) {
        rc = lk_lmdb_error(mdb_stat(job->writer, job->to_dbi, &stat));
        job->page_size = stat.ms_psize;
    }
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == LK_OK && code == 0) {
        size += key.mv_size + value.mv_size;
        rc = lk_lmdb_error(mdb_put(job->writer, job->to_dbi, &key, &value, MDB_APPEND));
        if (rc == LK_OK && size >= PACK_BATCH) {
            size = 0;
            rc = pack_commit(job);
            rc = rc == LK_OK ? pack_begin(job) : rc;
        }
        if (rc == LK_OK && ++done % PACK_STRIDE == 0 && job->progress != NULL) {
            rc = job->progress(job->context, done, job->meta.tree[1].entries);
        }
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (rc == LK_OK && code != MDB_NOTFOUND) {
        rc = lk_lmdb_error(code);
    }
    if (rc == LK_OK && done != job->meta.tree[1].entries) {
        rc = LK_E_CORRUPT;
    }
    return rc == LK_OK ? pack_commit(job) : rc;
}

static int pack_copy(struct pack_job *job)
{
    MDB_cursor *cursor = NULL;
    int rc = pack_open(job, LK_LMDB_DATA, MDB_RDONLY, &job->from);
    if (rc == LK_OK) {
        rc = pack_open(job, LK_LMDB_PART, MDB_NOSYNC, &job->to);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_error(mdb_txn_begin(job->from, NULL, MDB_RDONLY, &job->reader));
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_error(mdb_dbi_open(job->reader, NULL, 0, &job->from_dbi));
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_error(mdb_cursor_open(job->reader, job->from_dbi, &cursor));
    }
    if (rc == LK_OK) {
        rc = pack_entries(job, cursor);
        mdb_cursor_close(cursor);
    }
    if (job->writer != NULL) {
        mdb_txn_abort(job->writer);
    }
    if (job->reader != NULL) {
        mdb_txn_abort(job->reader);
    }
    if (job->to != NULL) {
        mdb_env_close(job->to);
    }
    if (job->from != NULL) {
        mdb_env_close(job->from);
    }
    return rc;
}

/* What has the name is what an opening would take. */
static int pack_finish(const struct pack_job *job)
{
    struct lk_lmdb_meta meta[2];
    int rc = lk_lmdb_mend_flags(job->part, job->page_size);
    if (rc == LK_OK) {
        rc = lk_lmdb_read_meta(job->part, meta);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_check_end(job->part);
    }
    return rc == LK_OK && fsync(job->part) != 0 ? LK_E_IO : rc;
}

static int pack_exchange(struct pack_job *job)
{
    int directory = job->alone.directory;
    int rc = pack_finish(job);
    if (rc == LK_OK && fsync(directory) != 0) {
        rc = LK_E_IO;
    }
    if (rc == LK_OK && flock(job->part, LOCK_EX) != 0) {
        rc = LK_E_IO;
    }
    if (rc == LK_OK &&
        renameat2(directory, LK_LMDB_PART, directory, LK_LMDB_DATA, RENAME_EXCHANGE) != 0) {
        rc = errno == EINVAL || errno == ENOSYS ? LK_E_UNSUPPORTED : lk_lmdb_errno(errno);
    }
    if (rc == LK_OK && fsync(directory) != 0) {
        rc = LK_E_IO;
    }
    return rc;
}

int lk_lmdb_pack(const char *directory, lk_storage_progress *progress, void *context)
{
    struct pack_job job = {.part = -1, .progress = progress, .context = context};
    int rc = lk_lmdb_alone_begin(&job.alone, directory);
    if (rc == LK_OK) {
        rc = lk_lmdb_clear_part(job.alone.directory);
    }
    if (rc == LK_OK) {
        rc = pack_check(&job);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_open_part(job.alone.directory, true, &job.part);
    }
    if (rc == LK_OK) {
        rc = pack_copy(&job);
        if (rc == LK_OK) {
            rc = pack_exchange(&job);
        }
        /* The store as it was, or what came of its copy. */
        int cleared = lk_lmdb_clear_part(job.alone.directory);
        rc = rc == LK_OK ? cleared : rc;
    }
    lk_lmdb_alone_end(&job.alone);
    if (job.part >= 0) {
        (void)close(job.part); /* its lock until here; flushed before it had the name */
    }
    return rc;
}
