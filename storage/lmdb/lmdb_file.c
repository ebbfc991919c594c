// SPDX-License-Identifier: MIT
/*
 * lmdb_file.c: the directory and its two files: who may touch them, on what file system, and what
 * the meta pages say, all before LMDB maps anything.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#include "lmdb_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FILE_MODE    0600
#define FILE_DIR     0700
#define FILE_RETRIES 8
#define FILE_MISSING 64u /* pages */

/* LMDB 0.9's meta page. All numbers are the machine's own. */
#define META_SIZE        152u /* page header and meta */
#define META_AT_FLAGS    10u
#define META_AT_MAGIC    16u
#define META_AT_VERSION  20u
#define META_AT_ADDRESS  24u
#define META_AT_MAP_SIZE 32u
#define META_AT_TREES    40u
#define META_TREE_SIZE   48u
#define META_AT_LAST     136u
#define META_AT_TXN      144u
#define META_PAGE_FLAG   0x08u
#define META_MAGIC       0xBEEFC0DEu
#define META_VERSION     1u
#define META_INTEGERKEY  0x08u
#define META_NO_PAGE     UINT64_MAX
#define META_DEPTH_MAX   32u

static_assert(sizeof(size_t) == 8 || sizeof(size_t) == 4, "page numbers are words");

int lk_lmdb_read_fully(int fd, void *out, size_t size, uint64_t offset)
{
    uint8_t *to = out;
    while (size > 0) {
        ssize_t n = pread(fd, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return LK_E_IO;
        }
        if (n == 0) {
            return LK_E_CORRUPT; /* the file ends before what its roots promise */
        }
        to += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return LK_OK;
}

int lk_lmdb_write_fully(int fd, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *from = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? lk_lmdb_errno(errno) : LK_E_IO;
        }
        from += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return LK_OK;
}

static int file_check_tree(const struct lk_lmdb_tree *tree, uint64_t last_page)
{
    if (tree->root == META_NO_PAGE) {
        bool empty = tree->depth == 0 && tree->entries == 0 && tree->leaf_pages == 0 &&
                     tree->branch_pages == 0 && tree->overflow_pages == 0;
        return empty ? LK_OK : LK_E_CORRUPT;
    }
    if (tree->root < 2 || tree->root > last_page || tree->depth == 0 ||
        tree->depth > META_DEPTH_MAX || tree->branch_pages > last_page ||
        tree->leaf_pages > last_page || tree->overflow_pages > last_page) {
        return LK_E_CORRUPT;
    }
    return LK_OK;
}

static int file_decode_meta(const uint8_t raw[META_SIZE], struct lk_lmdb_meta *meta)
{
    if (lmdb_u32(raw + META_AT_MAGIC) != META_MAGIC ||
        (lmdb_u16(raw + META_AT_FLAGS) & META_PAGE_FLAG) == 0) {
        return LK_E_CORRUPT;
    }
    if (lmdb_u32(raw + META_AT_VERSION) != META_VERSION) {
        return lmdb_u32(raw + META_AT_VERSION) > META_VERSION ? LK_E_NEWER : LK_E_CORRUPT;
    }
    if (lmdb_u64(raw + META_AT_ADDRESS) != 0) {
        return LK_E_CORRUPT;
    }
    meta->page_size = lmdb_u32(raw + META_AT_TREES);
    meta->map_size = lmdb_u64(raw + META_AT_MAP_SIZE);
    meta->last_page = lmdb_u64(raw + META_AT_LAST);
    meta->txn_id = lmdb_u64(raw + META_AT_TXN);
    if (meta->page_size < 512 || meta->page_size > 0x10000 ||
        (meta->page_size & (meta->page_size - 1)) != 0) {
        return LK_E_CORRUPT;
    }
    if (meta->last_page < 1 || meta->last_page > (UINT64_MAX >> 18) ||
        meta->map_size > (UINT64_C(1) << 48) ||
        meta->map_size / meta->page_size < meta->last_page + 1 || meta->txn_id >= INT64_MAX) {
        return LK_E_CORRUPT;
    }
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *at = raw + META_AT_TREES + i * META_TREE_SIZE;
        meta->tree[i] = (struct lk_lmdb_tree){
            .flags = lmdb_u16(at + 4),
            .depth = lmdb_u16(at + 6),
            .branch_pages = lmdb_u64(at + 8),
            .leaf_pages = lmdb_u64(at + 16),
            .overflow_pages = lmdb_u64(at + 24),
            .entries = lmdb_u64(at + 32),
            .root = lmdb_u64(at + 40),
        };
        if (file_check_tree(&meta->tree[i], meta->last_page) != LK_OK) {
            return LK_E_CORRUPT;
        }
    }
    if (meta->tree[0].flags != META_INTEGERKEY || meta->tree[1].flags != 0) {
        return LK_E_CORRUPT;
    }
    return LK_OK;
}

static int file_try_meta(int fd, struct lk_lmdb_meta meta[2])
{
    uint8_t raw[META_SIZE];
    struct lk_lmdb_meta two[2];
    uint64_t at = 0;
    for (unsigned i = 0; i < 2; i++) {
        int rc = lk_lmdb_read_fully(fd, raw, sizeof raw, at);
        if (rc == LK_OK) {
            rc = file_decode_meta(raw, &two[i]);
        }
        if (rc != LK_OK) {
            return rc;
        }
        at = two[0].page_size;
    }
    if (two[0].page_size != two[1].page_size) {
        return LK_E_CORRUPT;
    }
    struct stat st; /* after the meta pages: a file in use only gets longer */
    if (fstat(fd, &st) != 0) {
        return LK_E_IO;
    }
    for (unsigned i = 0; i < 2; i++) {
        /* Pages that a batch took and gave back may be missing at the end: not most of them. */
        uint64_t pages = (uint64_t)st.st_size / two[i].page_size;
        if (two[i].last_page > 2 * pages + FILE_MISSING) {
            return LK_E_CORRUPT;
        }
    }
    /* LMDB's own choice between equals is the first. */
    unsigned newest = two[0].txn_id < two[1].txn_id ? 1 : 0;
    meta[0] = two[newest];
    meta[1] = two[1 - newest];
    return LK_OK;
}

int lk_lmdb_read_meta(int fd, struct lk_lmdb_meta meta[2])
{
    int rc = LK_E_CORRUPT;
    /* Another process may be in the middle of its write: damage is what stays. */
    for (int i = 0; i < FILE_RETRIES && rc == LK_E_CORRUPT; i++) {
        rc = file_try_meta(fd, meta);
    }
    return rc;
}

int lk_lmdb_mend_flags(int fd, uint32_t page_size)
{
    const uint16_t flags = META_INTEGERKEY;
    int rc = LK_OK;
    for (unsigned i = 0; i < 2 && rc == LK_OK; i++) {
        rc = lk_lmdb_write_fully(fd, &flags, sizeof flags,
                                 (uint64_t)i * page_size + META_AT_TREES + 4);
    }
    return rc;
}

static int file_refuse(const char **problem, int code, const char *why)
{
    if (problem != NULL) {
        *problem = why;
    }
    return code;
}

static int file_check_system(int directory, uint32_t flags, const char **problem)
{
    static const uint32_t shared[] = {
        0x6969u,     /* NFS */
        0x517Bu,     /* SMB */
        0xFF534D42u, /* CIFS */
        0xFE534D42u, /* SMB2 */
        0x01021997u, /* 9p */
        0x5346414Fu, /* AFS */
        0x6B414653u, /* kAFS */
        0x73757245u, /* Coda */
        0x00C36400u, /* Ceph */
        0x0BD00BD0u, /* Lustre */
        0x7461636Fu, /* OCFS2 */
        0x01161970u, /* GFS2 */
        0x786F4256u, /* VirtualBox shared folder */
        0xBACBACBCu, /* VMware shared folder */
        0x47504653u, /* GPFS */
    };
    const uint32_t fuse = 0x65735546u;
    struct statfs fs;
    if (fstatfs(directory, &fs) != 0) {
        return LK_E_IO;
    }
    uint32_t type = (uint32_t)fs.f_type;
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        if (type == shared[i]) {
            return file_refuse(problem, LK_E_UNSUPPORTED,
                               "the directory is on a network or shared file system");
        }
    }
    if (type == fuse && (flags & LK_LMDB_ALLOW_FUSE) == 0) {
        return file_refuse(problem, LK_E_UNSUPPORTED,
                           "the directory is on a FUSE file system, which may be a remote one");
    }
    return LK_OK;
}

int lk_lmdb_open_directory(const char *path, const char **problem, int *directory)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ELOOP || errno == ENOTDIR) {
            return file_refuse(problem, LK_E_REFUSED,
                               "the store's place is a symbolic link or not a directory");
        }
        return lk_lmdb_errno(errno);
    }
    struct stat st;
    int rc = LK_OK;
    if (fstat(fd, &st) != 0) {
        rc = LK_E_IO;
    } else if (st.st_uid != geteuid() && st.st_uid != 0) {
        rc = file_refuse(problem, LK_E_REFUSED, "the directory belongs to somebody else");
    } else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        rc = file_refuse(problem, LK_E_REFUSED, "others may write to the directory");
    }
    if (rc != LK_OK) {
        (void)close(fd); /* nothing was written through it */
        return rc;
    }
    *directory = fd;
    return LK_OK;
}

static int file_check_own(int fd, bool tighten, const char **problem)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return LK_E_IO;
    }
    if (!S_ISREG(st.st_mode)) {
        return file_refuse(problem, LK_E_REFUSED, "a file of the store is not a plain file");
    }
    if (st.st_nlink != 1) {
        return file_refuse(problem, LK_E_REFUSED, "a file of the store has a second name");
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return file_refuse(problem, LK_E_REFUSED, "a file of the store belongs to somebody else");
    }
    if (tighten && (st.st_mode & 07777) != FILE_MODE && fchmod(fd, FILE_MODE) != 0) {
        return file_refuse(problem, LK_E_REFUSED, "a file of the store is open to others");
    }
    return LK_OK;
}

/* Opens, or makes where `create`, without following a link and whatever the umask. */
static int file_open_own(int directory, const char *name, int flags, bool create, bool tighten,
                         const char **problem, int *out)
{
    int fd = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && create) {
        fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (fd < 0 && errno == EEXIST) { /* another process was quicker */
            fd = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        }
    }
    if (fd < 0) {
        if (errno == ELOOP) {
            return file_refuse(problem, LK_E_REFUSED, "a file of the store is a symbolic link");
        }
        return lk_lmdb_errno(errno);
    }
    int rc = file_check_own(fd, tighten, problem);
    if (rc != LK_OK) {
        (void)close(fd); /* nothing was written through it */
        return rc;
    }
    *out = fd;
    return LK_OK;
}

int lk_lmdb_open_data(int directory, int flags, const char **problem)
{
    int fd = -1;
    int rc = file_open_own(directory, LK_LMDB_DATA, flags, false, false, problem, &fd);
    return rc == LK_OK ? fd : rc;
}

int lk_lmdb_open_part(int directory, bool create, int *part)
{
    return file_open_own(directory, LK_LMDB_PART, O_RDWR, create, create, NULL, part);
}

int lk_lmdb_open_lock(int directory, const char **problem, int *lock)
{
    return file_open_own(directory, LK_LMDB_LOCK, O_RDWR, false, false, problem, lock);
}

int lk_lmdb_prepare(struct lk_lmdb *lmdb, enum lk_mode mode, int *directory, int *data)
{
    uint32_t flags = lmdb->config != NULL ? lmdb->config->flags : 0;
    bool create = mode == LK_WRITE && (flags & LK_LMDB_CREATE) != 0;
    int dir = -1;
    int fd = -1;
    if (create && mkdir(lmdb->directory, FILE_DIR) == 0) {
        /* The umask may have taken bits that we need ourselves. */
        if (chmod(lmdb->directory, FILE_DIR) != 0) {
            return LK_E_IO;
        }
    }
    int rc = lk_lmdb_open_directory(lmdb->directory, &lmdb->problem, &dir);
    if (rc == LK_OK) {
        rc = file_check_system(dir, flags, &lmdb->problem);
    }
    if (rc == LK_OK) {
        rc = file_open_own(dir, LK_LMDB_DATA, mode == LK_WRITE ? O_RDWR : O_RDONLY, create,
                           mode == LK_WRITE, &lmdb->problem, &fd);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_enter(dir, fd);
    }
    if (rc == LK_OK && mode == LK_WRITE) {
        rc = lk_lmdb_clear_part(dir);
    }
    if (rc == LK_OK) {
        struct stat st;
        struct lk_lmdb_meta meta[2];
        if (fstat(fd, &st) != 0) {
            rc = LK_E_IO;
        } else if (st.st_size > 0 || !create) {
            rc = lk_lmdb_read_meta(fd, meta);
            if (rc == LK_OK) {
                rc = lk_lmdb_check_end(fd);
            }
        }
    }
    if (rc != LK_OK) {
        if (fd >= 0) {
            lk_lmdb_leave(fd);
            (void)close(fd); /* nothing was written through it */
        }
        if (dir >= 0) {
            (void)close(dir); /* likewise */
        }
        return rc;
    }
    *directory = dir;
    *data = fd;
    return LK_OK;
}

int lk_lmdb_prepare_lock(struct lk_lmdb *lmdb, int directory, enum lk_mode mode)
{
    int fd = -1;
    int rc =
        file_open_own(directory, LK_LMDB_LOCK, O_RDWR, true, mode == LK_WRITE, &lmdb->problem, &fd);
    if (rc == LK_OK) {
        (void)close(fd); /* nothing was written through it */
    } else if (rc == LK_E_READ_ONLY && mode == LK_READ) {
        rc = LK_OK; /* LMDB does without locks on a read-only file system */
    }
    return rc;
}

/*
 * LMDB makes the lock file anew when it gets the lock on it alone; whoever waits for that lock
 * believes that it was made. One that is killed in between would leave it half made to all who
 * wait, who then take an old root for the newest and write over the pages of the newest. So one at
 * a time opens: nobody waits for that lock while it is being made. The lock is on the data, which
 * nobody else may open.
 */
int lk_lmdb_enter(int directory, int data)
{
    struct stat named;
    struct stat opened;
    int code;
    do {
        code = flock(data, LOCK_EX) == 0 ? 0 : errno;
    } while (code == EINTR);
    if (code != 0) {
        return lk_lmdb_errno(code);
    }
    /* Whoever waited may have waited for an erasure, and LMDB would make a new file. */
    if (fstatat(directory, LK_LMDB_DATA, &named, AT_SYMLINK_NOFOLLOW) != 0) {
        return lk_lmdb_errno(errno);
    }
    if (fstat(data, &opened) != 0) {
        return LK_E_IO;
    }
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino ? LK_OK : LK_E_BUSY;
}

void lk_lmdb_leave(int data)
{
    (void)flock(data, LOCK_UN); /* closing the descriptor gives it back at the latest */
}

static int file_sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return lk_lmdb_errno(errno);
    }
    int rc = fsync(fd) == 0 ? LK_OK : LK_E_IO;
    (void)close(fd); /* read only */
    return rc;
}

int lk_lmdb_sync_parent(const char *path)
{
    char parent[4096];
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') {
        size--;
    }
    while (size > 0 && path[size - 1] != '/') {
        size--;
    }
    if (size >= sizeof parent) {
        return LK_E_ARGUMENT;
    }
    if (size == 0) {
        return file_sync_path(".");
    }
    memcpy(parent, path, size);
    parent[size] = '\0';
    return file_sync_path(parent);
}

int lk_lmdb_publish(const char *temporary, const char *final)
{
    if (temporary == NULL || final == NULL) {
        return LK_E_ARGUMENT;
    }
    int dir = -1;
    int fd = -1;
    struct lk_lmdb_meta meta[2];
    int rc = lk_lmdb_open_directory(temporary, NULL, &dir);
    if (rc != LK_OK) {
        return rc;
    }
    rc = file_open_own(dir, LK_LMDB_DATA, O_RDWR, false, true, NULL, &fd);
    if (rc == LK_OK) {
        rc = lk_lmdb_read_meta(fd, meta);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_check_end(fd);
    }
    if (rc == LK_OK && fsync(fd) != 0) {
        rc = LK_E_IO;
    }
    /* The lock file is made anew by whoever opens the store first. */
    if (rc == LK_OK && unlinkat(dir, LK_LMDB_LOCK, 0) != 0 && errno != ENOENT) {
        rc = LK_E_IO;
    }
    if (rc == LK_OK && fsync(dir) != 0) {
        rc = LK_E_IO;
    }
    if (rc == LK_OK && rename(temporary, final) != 0) {
        rc = errno == ENOTDIR ? LK_E_EXISTS : lk_lmdb_errno(errno);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_sync_parent(final);
    }
    if (rc == LK_OK) {
        rc = lk_lmdb_sync_parent(temporary);
    }
    if (fd >= 0) {
        (void)close(fd); /* flushed above */
    }
    (void)close(dir); /* read only */
    return rc;
}

int lk_lmdb_discard(const char *directory)
{
    static const char *const names[] = {LK_LMDB_DATA, LK_LMDB_PART, LK_LMDB_LOCK};
    int dir = -1;
    if (directory == NULL) {
        return LK_E_ARGUMENT;
    }
    int rc = lk_lmdb_open_directory(directory, NULL, &dir);
    if (rc != LK_OK) {
        return rc;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (unlinkat(dir, names[i], 0) != 0 && errno != ENOENT && rc == LK_OK) {
            rc = LK_E_IO;
        }
    }
    (void)close(dir); /* read only */
    if (rc == LK_OK && rmdir(directory) != 0) {
        rc = lk_lmdb_errno(errno);
    }
    return rc == LK_OK ? lk_lmdb_sync_parent(directory) : rc;
}
