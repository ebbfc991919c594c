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
    struct erase_job job = {.own_secret = config->secret_path == NULL && config->secret_fd <= 0};
    int error;

    job.directory = open(config->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (job.directory < 0) {
        return errno == ENOENT ? LK_E_NOT_FOUND : LK_E_REFUSED;
    }
    error = lk_lmdb_erase(config->directory, erase_before, &job);
    if (error == LK_E_BUSY) {
        host_explain("", "the store is in use");
    }
    (void)close(job.directory); /* only read from */
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
    int closed, error = host_flash_name(config->storage, &name);
    uint32_t i;

    if (!error) {
        error = host_flash_open(&flash, &name, NULL, 0);
    }
    if (!error && config->secret_path == NULL && config->secret_fd <= 0) {
        error = asprintf(&secret, "%s." HOST_SECRET_NAME, name.path) < 0 ? LK_E_FULL : 0;
        error = error ? error : erase_secret(AT_FDCWD, secret);
        free(secret);
    }
    for (i = 0; !error && i < flash.file.config.part.sector_count; i++) {
        error = flash.config.flash->erase(flash.config.self, i);
    }
    closed = host_flash_close(&flash);
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
