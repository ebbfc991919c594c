// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* host_place.c: temporary directories that are cleared away when, and only when, they are dead. */
#include "host_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE_TRIES 16
#define PLACE_MARK  ".new-"
#define PLACE_TAIL  6 /* characters that mkdtemp chooses */

/* Of a store in the making, and the directories that hold one. */
static const char *const place_files[] = {"data.mdb", "data.mdb.part", "lock.mdb", "secret",
                                          HOST_IMAGE_NAME};
static const char *const place_directories[] = {"copy", "store"};
#define PLACE_SECRET_PART ".lk-secret-"

static int place_error(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR: return LK_E_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY: return LK_E_EXISTS;
    case EACCES:
    case EPERM: return LK_E_REFUSED;
    case EROFS: return LK_E_READ_ONLY;
    case ENOSPC:
    case EDQUOT: return LK_E_FULL;
    case ENAMETOOLONG: return LK_E_ARGUMENT;
    default: return LK_E_IO;
    }
}

char *host_place_join(const char *path, const char *name)
{
    char *joined;

    return asprintf(&joined, "%s/%s", path, name) < 0 ? NULL : joined;
}

/* ---- Clearing away ---------------------------------------------------------------------------
 */

static bool place_is_file(const char *name)
{
    for (size_t i = 0; i < sizeof(place_files) / sizeof(place_files[0]); i++) {
        if (strcmp(name, place_files[i]) == 0) {
            return true;
        }
    }
    return strncmp(name, PLACE_SECRET_PART, strlen(PLACE_SECRET_PART)) == 0;
}

/* Removes the store's own files in a directory. What else is there stays, and keeps the directory.
 */
static void place_empty_files(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (stream == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* nothing was read or written */
        }
        return;
    }
    for (entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (place_is_file(entry->d_name)) {
            (void)unlinkat(directory, entry->d_name, 0); /* the directory then stays, seen */
        }
    }
    (void)closedir(stream); /* only read from */
}

static void place_empty(int directory)
{
    for (size_t i = 0; i < sizeof(place_directories) / sizeof(place_directories[0]); i++) {
        int fd = openat(directory, place_directories[i],
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0) {
            place_empty_files(fd);
            (void)close(fd); /* only read from */
            /* Not empty: foreign files are in it, and stay. */
            (void)unlinkat(directory, place_directories[i], AT_REMOVEDIR);
        }
    }
    place_empty_files(directory);
}

/* True when the name still is that of the open directory. */
static bool place_is_named(int parent, const char *name, int fd)
{
    struct stat named;
    struct stat opened;

    return fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &opened) == 0 &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

static void place_sweep_one(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;

    if (fd < 0) {
        return;
    }
    /* Under the lock, and only while the name is still its own: a directory that was published
     * between has another name by now. */
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0 && place_is_named(parent, name, fd)) {
        place_empty(fd);
        (void)unlinkat(parent, name, AT_REMOVEDIR); /* foreign files in it keep it */
    }
    (void)close(fd); /* only read from */
}

static void place_sweep(const char *parent, const char *base)
{
    DIR *stream = opendir(parent);
    const struct dirent *entry;
    size_t base_size = strlen(base);

    if (stream == NULL) {
        return;
    }
    for (entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        const char *name = entry->d_name;

        if (name[0] == '.' && strncmp(name + 1, base, base_size) == 0 &&
            strncmp(name + 1 + base_size, PLACE_MARK, strlen(PLACE_MARK)) == 0 &&
            strlen(name) == 1 + base_size + strlen(PLACE_MARK) + PLACE_TAIL) {
            place_sweep_one(dirfd(stream), name);
        }
    }
    (void)closedir(stream); /* only read from */
}

/* ---- Making ----------------------------------------------------------------------------------
 */

/* "a/b/c/" into "a/b" and "c"; both in fresh memory. */
static int place_split(const char *final, char **parent, char **base)
{
    size_t size = strlen(final);
    size_t head;

    while (size > 1 && final[size - 1] == '/') {
        size--;
    }
    head = size;
    while (head > 0 && final[head - 1] != '/') {
        head--;
    }
    *base = strndup(final + head, size - head);
    while (head > 1 && final[head - 1] == '/') {
        head--;
    }
    *parent = head == 0 ? strdup(".") : strndup(final, head);
    if (*base == NULL || *parent == NULL) {
        return LK_E_FULL;
    }
    return (*base)[0] == '\0' || strcmp(*base, ".") == 0 || strcmp(*base, "..") == 0 ||
                   strcmp(*base, "/") == 0
               ? LK_E_ARGUMENT
               : 0;
}

/* Makes the name of a new directory outlive a power cut. */
static int place_sync_parent(char *path)
{
    char *mark = strrchr(path, '/');
    int error = 0;
    int fd;

    if (mark != NULL) {
        *mark = '\0';
    }
    fd = open(mark == NULL ? "." : mark == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mark != NULL) {
        *mark = '/';
    }
    if (fd < 0) {
        return place_error(errno);
    }
    if (fsync(fd) != 0) {
        error = place_error(errno);
    }
    (void)close(fd); /* synced, or failed already */
    return error;
}

/* Makes the directories that lead to a store, closed to others: what is above may stay open. */
static int place_make_parents(const char *path)
{
    char *copy = strdup(path);
    int error = copy == NULL ? LK_E_FULL : 0;

    for (char *at = copy; !error && at != NULL && *at != '\0';) {
        at = strchr(at + 1, '/');
        if (at != NULL) {
            *at = '\0';
        }
        if (mkdir(copy, 0700) == 0) {
            error = place_sync_parent(copy);
        } else if (errno != EEXIST) {
            /* Where it cannot be made because above is read-only, it may be there all the same. */
            struct stat status;
            int number = errno;

            error = stat(copy, &status) == 0 ? 0 : place_error(number);
        }
        if (at != NULL) {
            *at = '/';
        }
    }
    free(copy);
    return error;
}

static int place_must_be_free(const char *final, const char **rule)
{
    struct stat status;
    struct dirent *entry;
    DIR *stream;
    int count = 0;

    if (lstat(final, &status) != 0) {
        return errno == ENOENT ? 0 : place_error(errno);
    }
    if (!S_ISDIR(status.st_mode)) {
        *rule = "something that is not a directory is there";
        return LK_E_EXISTS;
    }
    stream = opendir(final);
    if (stream == NULL) {
        return place_error(errno);
    }
    for (entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 ? 1 : 0;
    }
    (void)closedir(stream); /* only read from */
    if (count > 0) {
        *rule = "the directory is there, and not empty";
        return LK_E_EXISTS;
    }
    return 0;
}

/* mkdtemp, and the lock. Between the two a sweep may think it dead: then it is made again. */
static int place_make_locked(const char *parent, const char *base, struct host_place *place)
{
    char *path;
    int error = 0;

    for (unsigned i = 0; i < PLACE_TRIES && !error; i++) {
        if (asprintf(&path, "%s/.%s" PLACE_MARK "XXXXXX", parent, base) < 0) {
            return LK_E_FULL;
        }
        if (mkdtemp(path) == NULL) {
            error = place_error(errno);
        } else {
            place->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (place->fd >= 0 && flock(place->fd, LOCK_EX | LOCK_NB) == 0 &&
                place_is_named(AT_FDCWD, path, place->fd)) {
                place->path = path;
                return 0;
            }
            if (place->fd >= 0) {
                (void)close(place->fd); /* nothing was written */
                place->fd = -1;
            }
            (void)rmdir(path); /* gone already where a sweep had it */
        }
        free(path);
    }
    return error ? error : LK_E_BUSY;
}

int host_place_make(const char *final, struct host_place *place, const char **rule)
{
    char *parent = NULL;
    char *base = NULL;
    int error = place_split(final, &parent, &base);

    place->path = NULL;
    place->fd = -1;
    if (!error) {
        error = place_must_be_free(final, rule);
    }
    if (!error) {
        error = place_make_parents(parent);
    }
    if (!error) {
        place_sweep(parent, base);
        error = place_make_locked(parent, base, place);
    }
    free(parent);
    free(base);
    return error;
}

void host_place_end(struct host_place *place)
{
    if (place->fd >= 0) {
        place_empty(place->fd);
        (void)rmdir(place->path); /* what cannot be removed is found by the next sweep */
        (void)close(place->fd);   /* only read from; lets the lock go */
        place->fd = -1;
    }
    free(place->path);
    place->path = NULL;
}
