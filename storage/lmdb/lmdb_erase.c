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

int lk_lmdb_zero(int fd)
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

static int erase_files(int directory, int data)
{
    static const char *const names[] = {LK_LMDB_LOCK, LK_LMDB_DATA};
    int rc = lk_lmdb_clear_part(directory);
    if (rc == LK_OK) {
        rc = lk_lmdb_zero(data);
    }
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
    struct lk_lmdb_alone alone;
    int rc = lk_lmdb_alone_begin(&alone, directory);
    if (rc == LK_OK && before != NULL) {
        rc = before(context);
    }
    if (rc == LK_OK) {
        rc = erase_files(alone.directory, alone.data);
    }
    lk_lmdb_alone_end(&alone);
    return rc;
}
