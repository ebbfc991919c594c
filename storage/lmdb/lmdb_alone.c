// SPDX-License-Identifier: MIT
/*
 * lmdb_alone.c: a closed store that nobody else has open, or can open meanwhile.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB's own lock on the store, which each process that has it open shares. */
static int alone_lock(struct lk_lmdb_alone *alone)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    const char *problem = NULL;
    int rc = lk_lmdb_open_lock(alone->directory, &problem, &alone->lock);
    if (rc == LK_E_NOT_FOUND) {
        return LK_OK; /* nobody ever opened it, or an erasure was cut */
    }
    if (rc == LK_OK && fcntl(alone->lock, F_SETLK, &whole) != 0) {
        rc = errno == EACCES || errno == EAGAIN ? LK_E_BUSY : LK_E_IO;
    }
    return rc;
}

int lk_lmdb_alone_begin(struct lk_lmdb_alone *alone, const char *directory)
{
    const char *problem = NULL;
    struct stat st;
    *alone = (struct lk_lmdb_alone){.directory = -1, .data = -1, .lock = -1};
    if (directory == NULL) {
        return LK_E_ARGUMENT;
    }
    int rc = lk_lmdb_open_directory(directory, &problem, &alone->directory);
    if (rc != LK_OK) {
        return rc;
    }
    alone->data = lk_lmdb_open_data(alone->directory, O_RDWR, &problem);
    rc = alone->data < 0 ? alone->data : lk_lmdb_enter(alone->directory, alone->data);
    if (rc == LK_OK) {
        rc = fstat(alone->data, &st) == 0 ? LK_OK : LK_E_IO;
    }
    if (rc == LK_OK) {
        alone->open.dev = st.st_dev;
        alone->open.ino = st.st_ino;
        rc = lk_lmdb_register(&alone->open); /* a lock does not keep this process out */
        alone->registered = rc == LK_OK;
    }
    return rc == LK_OK ? alone_lock(alone) : rc;
}

void lk_lmdb_alone_end(struct lk_lmdb_alone *alone)
{
    if (alone->lock >= 0) {
        (void)close(alone->lock); /* nothing was written */
    }
    if (alone->registered) {
        lk_lmdb_unregister(&alone->open);
    }
    if (alone->data >= 0) {
        lk_lmdb_leave(alone->data);
        (void)close(alone->data); /* whoever wrote to it flushed it */
    }
    if (alone->directory >= 0) {
        (void)close(alone->directory); /* likewise */
    }
}
