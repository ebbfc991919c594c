// SPDX-License-Identifier: MIT
/* lk_posix_secret.c: the device secret in a file of its own, or from a descriptor. */
#define _GNU_SOURCE

#include "lk_posix_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POSIX_SECRET_TRIES 8

static int posix_secret_refuse(const char **rule, const char *text)
{
    *rule = text;
    return LK_E_SECRET;
}

/* One byte more is asked for, so that a longer file is noticed. */
static int posix_secret_read_all(int fd, uint8_t secret[LK_DEVICE_SECRET_SIZE], const char **rule)
{
    uint8_t bytes[LK_DEVICE_SECRET_SIZE + 1];
    size_t size = 0;
    int error = LK_OK;

    while (size < sizeof bytes) {
        ssize_t got = read(fd, bytes + size, sizeof bytes - size);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            *rule = "cannot be read";
            error = LK_E_IO;
            break;
        }
        if (got == 0) {
            break;
        }
        size += (size_t)got;
    }
    if (error == LK_OK && size != LK_DEVICE_SECRET_SIZE) {
        error = posix_secret_refuse(rule, "is not 32 bytes long");
    } else if (error == LK_OK && sodium_is_zero(bytes, LK_DEVICE_SECRET_SIZE)) {
        /* What a file system may leave of a file whose bytes never reached the medium. */
        error = posix_secret_refuse(rule, "is all zeros");
    }
    if (error == LK_OK) {
        memcpy(secret, bytes, LK_DEVICE_SECRET_SIZE);
    } else {
        sodium_memzero(secret, LK_DEVICE_SECRET_SIZE);
    }
    sodium_memzero(bytes, sizeof bytes);
    return error;
}

int lk_posix_secret_take(int fd, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    const char *rule;

    return posix_secret_read_all(fd, secret, &rule);
}

static int posix_secret_check_file(int fd, const char **rule)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        *rule = "cannot be read";
        return LK_E_IO;
    }
    if (!S_ISREG(status.st_mode)) {
        return posix_secret_refuse(rule, "is not a regular file");
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        return posix_secret_refuse(rule, "belongs to another user");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return posix_secret_refuse(rule, "is open to other users; its mode must be 0600");
    }
    return LK_OK;
}

static int posix_secret_read_file(const char *path, uint8_t secret[LK_DEVICE_SECRET_SIZE],
                                  const char **rule)
{
    /* Non-blocking, so that a pipe put in its place does not hang the program. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int error;

    if (fd < 0) {
        switch (errno) {
        case ENOENT:
        case ENOTDIR: return posix_secret_refuse(rule, "file is missing");
        case ELOOP: return posix_secret_refuse(rule, "is a symbolic link");
        case EACCES:
        case EPERM: return posix_secret_refuse(rule, "may not be read by this user");
        case ENXIO: return posix_secret_refuse(rule, "is not a regular file");
        default: *rule = "cannot be opened"; return LK_E_IO;
        }
    }
    error = posix_secret_check_file(fd, rule);
    if (error == LK_OK) {
        error = posix_secret_read_all(fd, secret, rule);
    }
    (void)close(fd); /* only read from: nothing can be lost */
    return error;
}

static int posix_secret_get(const struct lk_posix *posix, uint8_t secret[LK_DEVICE_SECRET_SIZE],
                            const char **rule)
{
    *rule = NULL;
    sodium_memzero(secret, LK_DEVICE_SECRET_SIZE);
    if (posix->secret_given) {
        memcpy(secret, posix->secret, LK_DEVICE_SECRET_SIZE);
        return LK_OK;
    }
    if (posix->secret_path == NULL) {
        return posix_secret_refuse(rule, "is not configured");
    }
    return posix_secret_read_file(posix->secret_path, secret, rule);
}

static int posix_secret_read(void *self, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    const char *rule;

    return posix_secret_get(self, secret, &rule);
}

int lk_posix_secret_check(const struct lk_posix *posix, const char **rule)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    int error = posix_secret_get(posix, secret, rule);

    sodium_memzero(secret, sizeof secret);
    return error;
}

static int posix_secret_error(int number)
{
    switch (number) {
    case EEXIST: return LK_E_EXISTS;
    case ENOENT:
    case ENOTDIR: return LK_E_NOT_FOUND;
    case EACCES:
    case EPERM: return LK_E_REFUSED;
    case EROFS: return LK_E_READ_ONLY;
    case ENOSPC:
    case EDQUOT: return LK_E_FULL;
    default: return LK_E_IO;
    }
}

/* Writes 32 fresh bytes and syncs them. */
static int posix_secret_fill(int fd)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    size_t done = 0;
    const char *rule;
    int error;

    /* The umask may have taken more away; and some file systems keep no modes at all. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0) {
        return posix_secret_error(errno);
    }
    error = posix_secret_check_file(fd, &rule);
    if (error != LK_OK) {
        return error;
    }
    error = lk_posix_entropy_fill(NULL, secret, sizeof secret);
    while (error == LK_OK && done < sizeof secret) {
        ssize_t put = write(fd, secret + done, sizeof secret - done);

        if (put >= 0) {
            done += (size_t)put;
        } else if (errno != EINTR) {
            error = posix_secret_error(errno);
        }
    }
    sodium_memzero(secret, sizeof secret);
    if (error == LK_OK && fsync(fd) != 0) {
        error = posix_secret_error(errno);
    }
    return error;
}

/* Opens a file of a name that nobody else has. The descriptor, or an error. */
static int posix_secret_open_temporary(int directory, char *name, size_t size)
{
    for (unsigned i = 0; i < POSIX_SECRET_TRIES; i++) {
        uint64_t number;
        int error = lk_posix_entropy_fill(NULL, (uint8_t *)&number, sizeof number);
        int fd;

        if (error != LK_OK) {
            return error;
        }
        (void)snprintf(name, size, ".lk-secret-%016llx", (unsigned long long)number); /* it fits */
        fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    S_IRUSR | S_IWUSR);
        if (fd >= 0) {
            return fd;
        }
        if (errno != EEXIST) {
            return posix_secret_error(errno);
        }
    }
    return LK_E_IO;
}

/* Gives the file its name, which must be free, in one step. */
static int posix_secret_publish(int directory, const char *temporary, const char *name)
{
    if (linkat(directory, temporary, directory, name, 0) == 0) {
        (void)unlinkat(directory, temporary, 0); /* a second name of the same file: harmless */
        return LK_OK;
    }
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
        /* A file system without links. */
        if (renameat2(directory, temporary, directory, name, RENAME_NOREPLACE) == 0) {
            return LK_OK;
        }
    }
    return posix_secret_error(errno);
}

static int posix_secret_create_in(int directory, const char *name)
{
    char temporary[32];
    int fd = posix_secret_open_temporary(directory, temporary, sizeof temporary);
    int error;

    if (fd < 0) {
        return fd;
    }
    error = posix_secret_fill(fd);
    if (close(fd) != 0 && error == LK_OK) {
        error = LK_E_IO;
    }
    if (error == LK_OK) {
        error = posix_secret_publish(directory, temporary, name);
    }
    if (error != LK_OK) {
        (void)unlinkat(directory, temporary, 0); /* holds nothing that is in use */
        return error;
    }
    return fsync(directory) == 0 ? LK_OK : LK_E_IO;
}

/* A cut leaves no secret, or the whole one; beside it, at worst, a file .lk-secret-… of no use. */
static int posix_secret_create(void *self)
{
    const struct lk_posix *posix = self;
    const char *path = posix->secret_path;
    char parent[PATH_MAX];
    const char *name;
    size_t parent_size;
    int directory;
    int error;

    if (path == NULL) {
        return LK_E_UNSUPPORTED;
    }
    name = strrchr(path, '/');
    name = name == NULL ? path : name + 1;
    parent_size = (size_t)(name - path);
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        parent_size + 2 > sizeof parent) {
        return LK_E_ARGUMENT;
    }
    memcpy(parent, path, parent_size);
    memcpy(parent + parent_size, ".", 2); /* of "dir/": "dir/."; of "": "." */
    directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return posix_secret_error(errno);
    }
    error = posix_secret_create_in(directory, name);
    (void)close(directory); /* synced already where it matters */
    return error;
}

const struct lk_secret lk_posix_secret = {
    .read = posix_secret_read,
    .create = posix_secret_create,
};
