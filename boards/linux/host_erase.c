// SPDX-License-Identifier: MIT
/*
 * host_erase.c: a store given up for good. The secret goes first: what it sealed is unreadable from
 * then on, whatever the medium keeps of the bytes that were overwritten.
 */
#define _GNU_SOURCE
#include "host_flash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERASE_MAKING ".lk-secret-" /* of a secret that is being made */

/* Overwrites a small file of our own and removes it. None there: nothing to do. */
static int erase_file(int directory, const char *name)
{
    static const uint8_t zeros[256];
    struct stat st;
    off_t at = 0;
    int fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    int error = 0;

    if (fd < 0) {
        return errno == ENOENT ? 0 : LK_E_IO;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
        error = LK_E_REFUSED; /* the name is another file's, too */
    }
    while (!error && at < st.st_size) {
        size_t part =
            st.st_size - at < (off_t)sizeof(zeros) ? (size_t)(st.st_size - at) : sizeof(zeros);
        ssize_t done = pwrite(fd, zeros, part, at);

        if (done <= 0 && !(done < 0 && errno == EINTR)) {
            error = LK_E_IO;
        }
        at += done > 0 ? done : 0;
    }
    if (!error && fsync(fd) != 0) {
        error = LK_E_IO;
    }
    (void)close(fd); /* synced, or failed already */
    if (!error && unlinkat(directory, name, 0) != 0) {
        error = LK_E_IO;
    }
    return error;
}

/* A secret and what a replacement of it may have left behind. */
static int erase_secret(int directory, const char *name)
{
    char *next = NULL;
    int error = asprintf(&next, "%s.new", name) < 0 ? LK_E_FULL : erase_file(directory, name);

    if (!error) {
        error = erase_file(directory, next);
        free(next);
    }
    if (error) {
        host_explain("the device secret ", "cannot be overwritten and removed");
    }
    return error;
}

/* Secrets that were never put in force. */
static int erase_leftovers(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int error = 0;

    if (stream == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* nothing was read or written */
        }
        return LK_E_IO;
    }
    for (entry = readdir(stream); entry != NULL && !error; entry = readdir(stream)) {
        if (strncmp(entry->d_name, ERASE_MAKING, strlen(ERASE_MAKING)) == 0) {
            error = erase_file(directory, entry->d_name);
        }
    }
    (void)closedir(stream); /* only read from */
    return error;
}

/* Zeros only, as an erasure that was cut leaves the data's beginning; or nothing at all. */
static bool erase_was_cut(int directory)
{
    uint8_t head[8192];
    int fd = openat(directory, "data.mdb", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read(fd, head, sizeof(head));
    bool zero = size >= 0;

    for (ssize_t i = 0; i < size; i++) {
        zero = zero && head[i] == 0;
    }
    if (fd >= 0) {
        (void)close(fd); /* only read from */
    }
    return zero;
}

/* Every store begins with the boot record (SPEC.md, Keys). */
static int erase_recognise(struct lk_storage *storage)
{
    static const uint8_t boot[] = {0, 0, 0, 1};
    struct lk_storage_txn txn;
    struct lk_span value;
    int error = storage->ops->open(storage, LK_READ);

    if (error) {
        return error;
    }
    memset(&txn, 0, sizeof(txn));
    error = storage->ops->begin(storage, &txn, LK_READ);
    if (!error) {
        error = storage->ops->get(&txn, (struct lk_span){boot, sizeof(boot)}, &value);
        error = error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
        storage->ops->abort(&txn);
    }
    storage->ops->release(storage, &txn);
    storage->ops->close(storage);
    return error;
}

static int erase_explain(int error)
{
    if (error == LK_E_BUSY) {
        host_explain("", "the store is in use");
    } else if (error == LK_E_CORRUPT) {
        host_explain("", "what is there is no store, or too damaged to be told from other files: "
                         "remove it by other means");
    }
    return error;
}

/* Does the secret that lies beside the store open it? Else it is another's, and left. */
static bool erase_secret_is_own(const struct lk_host_config *config)
{
    struct lk_host_config reading = *config;
    struct lk_host *host = NULL;

    if (config->secret_path != NULL || config->secret_fd > 0) {
        return false;
    }
    reading.read_only = true;
    if (lk_host_open(&reading, &host) != 0) {
        return false;
    }
    lk_host_close(host);
    return true;
}

struct erase_job {
    int directory;
    bool own_secret; /* it lies in the store's directory */
};

static int erase_before(void *context)
{
    const struct erase_job *job = context;
    int error = job->own_secret ? erase_secret(job->directory, HOST_SECRET_NAME) : 0;

    return error ? error : erase_leftovers(job->directory);
}

static int erase_directory(const struct lk_host_config *config)
{
    struct erase_job job = {.own_secret = false};
    struct lk_lmdb lmdb;
    int error;

    job.directory = open(config->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (job.directory < 0) {
        return errno == ENOENT ? LK_E_NOT_FOUND : LK_E_REFUSED;
    }
    error = lk_lmdb_init(&lmdb, config->directory, NULL);
    if (!error) {
        error = erase_recognise(&lmdb.storage);
    }
    if (error == LK_E_CORRUPT && erase_was_cut(job.directory)) {
        error = 0;
        job.own_secret = config->secret_path == NULL && config->secret_fd <= 0;
    } else if (!error) {
        job.own_secret = erase_secret_is_own(config);
    }
    error = error ? error : lk_lmdb_erase(config->directory, erase_before, &job);
    (void)close(job.directory); /* only read from */
    error = erase_explain(error);
    if (!error && rmdir(config->directory) != 0) {
        host_explain("", "the store is erased; other files in its directory are left");
        error = LK_E_REFUSED;
    }
    return error;
}

static int erase_image(const struct lk_host_config *config)
{
    struct host_flash_name name;
    struct host_flash flash = {.open = false};
    char *secret = NULL;
    bool own = erase_secret_is_own(config), whole = false;
    int closed, error = host_flash_name(config->storage, &name);
    struct stat st;
    uint32_t i;

    if (!error) {
        host_explain("", NULL);
        error = host_flash_open(&flash, &name, NULL, 0);
    }
    if (!error) {
        error = erase_explain(erase_recognise(&flash.nor.storage));
    }
    if (!error) {
        const struct lk_flash_geometry *part = &flash.file.config.part;

        whole = lstat(name.path, &st) == 0 && S_ISREG(st.st_mode) && name.at == 0 &&
                (uint64_t)st.st_size == (uint64_t)part->sector_size * part->sector_count;
    }
    if (!error && own) {
        error = asprintf(&secret, "%s." HOST_SECRET_NAME, name.path) < 0 ? LK_E_FULL : 0;
        error = error ? error : erase_secret(AT_FDCWD, secret);
        free(secret);
    }
    for (i = 0; !error && i < flash.file.config.part.sector_count; i++) {
        error = flash.config.flash->erase(flash.config.self, i);
    }
    closed = host_flash_close(&flash);
    /* A part inside a larger image, or a device, stays, erased. */
    if (!error && !closed && whole && unlink(name.path) != 0) {
        error = LK_E_IO;
    }
    host_flash_name_free(&name);
    return error ? error : closed;
}

int lk_host_erase(const struct lk_host_config *config)
{
    struct lk_host_config plain;
    int error;

    host_explain("", NULL);
    error = host_plain(config, &plain);
    if (!error) {
        error = plain.storage != NULL ? erase_image(&plain) : erase_directory(&plain);
    }
    return error;
}
