// SPDX-License-Identifier: MIT
/*
 * lmdb_erase.c: the whole store overwritten and gone, while nobody else has it open.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERASE_CHUNK 65536u

static int erase_zero(int fd)
{
    struct stat st;
    uint8_t *zeros = calloc(1, ERASE_CHUNK);
    int rc = zeros == NULL || fstat(fd, &st) != 0 ? LK_E_IO : LK_OK;
    uint64_t size = rc == LK_OK ? (uint64_t)st.st_size : 0;
    for (uint64_t at = 0; at < size && rc == LK_OK; at += ERASE_CHUNK) {
        uint64_t part = size - at < ERASE_CHUNK ? size - at : ERASE_CHUNK;
        rc = lk_lmdb_write_fully(fd, zeros, (size_t)part, at);
    }
    free(zeros);
    return rc == LK_OK && fsync(fd) != 0 ? LK_E_IO : rc;
}

/* LMDB's own lock on the store, which each process that has it open shares. */
static int erase_alone(int directory, const char **problem, int *lock)
{
    struct flock alone = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int rc = lk_lmdb_open_lock(directory, problem, lock);
    if (rc == LK_E_NOT_FOUND) {
        return LK_OK; /* nobody ever opened it, or an erasure was cut */
    }
    if (rc == LK_OK && fcntl(*lock, F_SETLK, &alone) != 0) {
        rc = errno == EACCES || errno == EAGAIN ? LK_E_BUSY : LK_E_IO;
    }
    return rc;
}

static int erase_files(int directory, int data)
{
    static const char *const names[] = {LK_LMDB_LOCK, LK_LMDB_DATA};
    int rc = erase_zero(data);
    /* The data last: whatever is left after a cut, what is there is found and erased again. */
    for (size_t i = 0; i < sizeof names / sizeof names[0] && rc == LK_OK; i++) {
        if (unlinkat(directory, names[i], 0) != 0 && errno != ENOENT) {
            rc = LK_E_IO;
        }
    }
    return rc == LK_OK && fsync(directory) != 0 ? LK_E_IO : rc;
}

int lk_lmdb_erase(const char *directory, int (*before)(void *context), void *context)
{
    struct lk_lmdb_open open = {0};
    const char *problem = NULL;
    struct stat st;
    int dir = -1;
    int data = -1;
    int lock = -1;
    if (directory == NULL) {
        return LK_E_ARGUMENT;
    }
    int rc = lk_lmdb_open_directory(directory, &problem, &dir);
    if (rc != LK_OK) {
        return rc;
    }
    data = lk_lmdb_open_data(dir, O_RDWR, &problem);
    rc = data < 0 ? data : lk_lmdb_enter(dir, data);
    if (rc == LK_OK) {
        rc = fstat(data, &st) == 0 ? LK_OK : LK_E_IO;
    }
    if (rc == LK_OK) {
        open.dev = st.st_dev;
        open.ino = st.st_ino;
        rc = lk_lmdb_register(&open); /* a lock does not keep this process out */
    }
    if (rc == LK_OK) {
        rc = erase_alone(dir, &problem, &lock);
        if (rc == LK_OK && before != NULL) {
            rc = before(context);
        }
        if (rc == LK_OK) {
            rc = erase_files(dir, data);
        }
        if (lock >= 0) {
            (void)close(lock); /* nothing was written */
        }
        lk_lmdb_unregister(&open);
    }
    if (data >= 0) {
        lk_lmdb_leave(data);
        (void)close(data); /* flushed above */
    }
    (void)close(dir); /* flushed above */
    return rc;
}
