// SPDX-License-Identifier: MIT
/* lmdb_backup.c: a compacted copy of the store while it is in use. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int backup_copy(struct lk_storage *storage, int fd)
{
    struct lk_storage_txn txn = {0};
    int code = MDB_MAP_RESIZED;
    int rc = LK_OK;
    /*
     * LMDB copies in a read transaction of its own. One of ours beside it keeps this process from
     * moving the map, and is what follows the map when another process has made it larger.
     */
    for (int i = 0; i < LK_LMDB_TRIES && code == MDB_MAP_RESIZED; i++) {
        rc = lk_lmdb_begin(storage, &txn, LK_READ);
        if (rc != LK_OK) {
            break;
        }
        code = mdb_env_copyfd2(lk_lmdb_state_of(storage)->env, fd, MDB_CP_COMPACT);
        lk_lmdb_abort(&txn);
        rc = lk_lmdb_error(code);
    }
    lk_lmdb_release(storage, &txn);
    return rc;
}

static int backup_into(struct lk_storage *storage, int directory)
{
    int fd =
        openat(directory, LK_LMDB_PART, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return lk_lmdb_errno(errno);
    }
    int rc = fchmod(fd, 0600) == 0 ? LK_OK : LK_E_IO;
    if (rc == LK_OK) {
        rc = backup_copy(storage, fd);
    }
    if (rc == LK_OK && fsync(fd) != 0) {
        rc = LK_E_IO;
    }
    if (close(fd) != 0 && rc == LK_OK) {
        rc = LK_E_IO;
    }
    if (rc == LK_OK && renameat(directory, LK_LMDB_PART, directory, LK_LMDB_DATA) != 0) {
        rc = lk_lmdb_errno(errno);
    }
    if (rc == LK_OK && fsync(directory) != 0) {
        rc = LK_E_IO;
    }
    return rc;
}

int lk_lmdb_backup(struct lk_storage *storage, const char *directory)
{
    if (storage == NULL || storage->ops != &lk_lmdb_ops || directory == NULL) {
        return LK_E_ARGUMENT;
    }
    if (lk_lmdb_state_of(storage) == NULL) {
        return LK_E_STATE;
    }
    if (mkdir(directory, 0700) != 0) {
        return lk_lmdb_errno(errno);
    }
    int rc = chmod(directory, 0700) == 0 ? LK_OK : LK_E_IO; /* whatever the umask took */
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (rc == LK_OK && fd < 0) {
        rc = lk_lmdb_errno(errno);
    }
    if (rc == LK_OK) {
        rc = backup_into(storage, fd);
    }
    if (fd >= 0) {
        (void)close(fd); /* read only */
    }
    if (rc == LK_OK) {
        return lk_lmdb_sync_parent(directory);
    }
    (void)lk_lmdb_discard(directory); /* the first error is the one to tell */
    return rc;
}
