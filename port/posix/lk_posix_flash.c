// SPDX-License-Identifier: MIT
/* lk_posix_flash.c: NOR flash in a file, as strict as the part. */
#define _GNU_SOURCE

#include "lk_posix_flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLASH_PIECE 4096u

static int flash_refuse(struct lk_posix_flash *flash, int error, const char *problem)
{
    flash->problem = problem;
    return error;
}

/* ---- The file -------------------------------------------------------------------------------- */

static int flash_write(struct lk_posix_flash *flash, size_t at, const uint8_t *data, size_t size)
{
    flash->dirty = true;
    while (size > 0) {
        ssize_t put = pwrite(flash->fd, data, size, (off_t)(flash->config.offset + at));

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return LK_E_IO;
        }
        data += put;
        at += (size_t)put;
        size -= (size_t)put;
    }
    return 0;
}

static int flash_fill(struct lk_posix_flash *flash)
{
    size_t done = 0;

    while (done < flash->size) {
        ssize_t got = pread(flash->fd, flash->bytes + done, flash->size - done,
                            (off_t)(flash->config.offset + done));

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return flash_refuse(flash, LK_E_IO, "cannot be read");
        }
        done += (size_t)got;
    }
    return 0;
}

static int flash_open_error(struct lk_posix_flash *flash)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return flash_refuse(flash, LK_E_NOT_FOUND, "is not there");
    case EEXIST: return flash_refuse(flash, LK_E_EXISTS, "is there already");
    case ELOOP: return flash_refuse(flash, LK_E_REFUSED, "is a symbolic link");
    case EACCES:
    case EPERM: return flash_refuse(flash, LK_E_REFUSED, "may not be opened by this user");
    case ENXIO:
    case EISDIR: return flash_refuse(flash, LK_E_REFUSED, "is not a regular file");
    case EROFS: return flash_refuse(flash, LK_E_READ_ONLY, "is on a read-only file system");
    case ENOSPC:
    case EDQUOT: return flash_refuse(flash, LK_E_FULL, "has no room on the medium");
    default: return flash_refuse(flash, LK_E_IO, "cannot be opened");
    }
}

static int flash_admit(struct lk_posix_flash *flash, const struct stat *status)
{
    if (!S_ISREG(status->st_mode)) {
        return flash_refuse(flash, LK_E_REFUSED, "is not a regular file");
    }
    if (flash->config.flags & LK_POSIX_FLASH_ANYBODYS) {
        return 0;
    }
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        return flash_refuse(flash, LK_E_REFUSED, "belongs to another user");
    }
    if (status->st_mode & (S_IWGRP | S_IWOTH)) {
        return flash_refuse(flash, LK_E_REFUSED, "can be written by other users");
    }
    return 0;
}

static int flash_size(struct lk_posix_flash *flash, const struct stat *status)
{
    uint64_t file = (uint64_t)status->st_size, offset = flash->config.offset;
    uint64_t part = (uint64_t)flash->config.part.sector_size * flash->config.part.sector_count;

    if (flash->config.flags & LK_POSIX_FLASH_CREATE) {
        file = offset + part;
    }
    if (offset >= file || (part > 0 && part > file - offset)) {
        return flash_refuse(flash, LK_E_CORRUPT, "ends before the part that it is to hold");
    }
    part = part > 0 ? part : file - offset;
    if (part > LK_POSIX_FLASH_MAX) {
        return flash_refuse(flash, LK_E_TOO_BIG, "holds more than 256 MiB of flash");
    }
    flash->size = (size_t)part;
    return 0;
}

static int flash_take(struct lk_posix_flash *flash)
{
    bool reads = (flash->config.flags & LK_POSIX_FLASH_READ_ONLY) != 0;
    struct stat status;
    int error;

    if (flock(flash->fd, (reads ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? flash_refuse(flash, LK_E_BUSY, "is in use by another process")
                                    : flash_refuse(flash, LK_E_IO, "cannot be locked");
    }
    if (fstat(flash->fd, &status) != 0) {
        return flash_refuse(flash, LK_E_IO, "cannot be read");
    }
    error = flash_admit(flash, &status);
    if (!error) {
        error = flash_size(flash, &status);
    }
    if (!error) {
        flash->bytes = malloc(flash->size);
        error =
            flash->bytes == NULL ? flash_refuse(flash, LK_E_FULL, "does not fit into memory") : 0;
    }
    if (!error && flash->config.flags & LK_POSIX_FLASH_CREATE) {
        memset(flash->bytes, 0xFF, flash->size);
        error = flash_write(flash, 0, flash->bytes, flash->size);
    } else if (!error) {
        error = flash_fill(flash);
    }
    return error;
}

int lk_posix_flash_open(struct lk_posix_flash *flash, const struct lk_posix_flash_config *config)
{
    bool creates = (config->flags & LK_POSIX_FLASH_CREATE) != 0;
    int flags = (config->flags & LK_POSIX_FLASH_READ_ONLY ? O_RDONLY : O_RDWR) |
                (creates ? O_CREAT | O_EXCL : 0);
    int error;

    *flash = (struct lk_posix_flash){.config = *config, .fd = -1};
    /* Non-blocking, so that a pipe put in its place does not hang the program. */
    flash->fd = open(config->path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                     S_IRUSR | S_IWUSR);
    if (flash->fd < 0) {
        return flash_open_error(flash);
    }
    error = flash_take(flash);
    if (error) {
        flash->dirty = false;
        (void)lk_posix_flash_close(flash); /* nothing of it is of use */
        if (creates) {
            (void)unlink(config->path); /* made by this call, just now */
        }
    }
    return error;
}

int lk_posix_flash_shape(struct lk_posix_flash *flash, const struct lk_flash_geometry *part)
{
    uint64_t size = (uint64_t)part->sector_size * part->sector_count;

    if (size == 0 || size > flash->size) {
        return flash_refuse(flash, LK_E_CORRUPT, "ends before the part that it is to hold");
    }
    flash->config.part = *part;
    flash->size = (size_t)size;
    return 0;
}

int lk_posix_flash_close(struct lk_posix_flash *flash)
{
    int error = 0;

    if (flash->fd < 0) {
        return 0;
    }
    if (flash->dirty && fsync(flash->fd) != 0) {
        error = LK_E_IO;
    }
    if (close(flash->fd) != 0 && flash->dirty) {
        error = LK_E_IO;
    }
    flash->fd = -1;
    flash->dirty = false;
    free(flash->bytes);
    flash->bytes = NULL;
    return error;
}

const char *lk_posix_flash_problem(const struct lk_posix_flash *flash)
{
    return flash->problem;
}

/* ---- The part -------------------------------------------------------------------------------- */

static int flash_geometry(void *self, struct lk_flash_geometry *geometry)
{
    const struct lk_posix_flash *flash = self;

    *geometry = flash->config.part;
    geometry->mapped = flash->bytes;
    return flash->fd < 0 ? LK_E_STATE : 0;
}

static bool flash_holds(const struct lk_posix_flash *flash, uint32_t address, size_t size)
{
    return flash->fd >= 0 && address <= flash->size && size <= flash->size - address;
}

static bool flash_writable(const struct lk_posix_flash *flash)
{
    return (flash->config.flags & LK_POSIX_FLASH_READ_ONLY) == 0;
}

static int flash_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    const struct lk_posix_flash *flash = self;

    if (!flash_holds(flash, address, size)) {
        return LK_E_ARGUMENT;
    }
    memcpy(out, flash->bytes + address, size);
    return 0;
}

static int flash_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    struct lk_posix_flash *flash = self;
    uint32_t unit = flash->config.part.program_unit;
    int error;

    if (!flash_holds(flash, address, size) || unit == 0 || address % unit || size % unit) {
        return LK_E_ARGUMENT;
    }
    if (!flash_writable(flash)) {
        return LK_E_READ_ONLY;
    }
    for (size_t i = 0; i < size; i++) {
        if (data[i] & ~flash->bytes[address + i]) {
            return LK_E_ARGUMENT; /* a bit comes back by an erase only */
        }
    }
    error = flash_write(flash, address, data, size);
    if (!error) {
        memcpy(flash->bytes + address, data, size);
    }
    return error;
}

static int flash_erase(void *self, uint32_t sector)
{
    struct lk_posix_flash *flash = self;
    uint32_t size = flash->config.part.sector_size;
    uint8_t blank[FLASH_PIECE];
    size_t at, done;
    int error = 0;

    if (flash->fd < 0 || sector >= flash->config.part.sector_count) {
        return LK_E_ARGUMENT;
    }
    if (!flash_writable(flash)) {
        return LK_E_READ_ONLY;
    }
    memset(blank, 0xFF, sizeof(blank));
    at = (size_t)sector * size;
    for (done = 0; !error && done < size; done += FLASH_PIECE) {
        error = flash_write(flash, at + done, blank,
                            size - done < FLASH_PIECE ? size - done : FLASH_PIECE);
    }
    if (!error) {
        memset(flash->bytes + at, 0xFF, size);
    }
    return error;
}

static int flash_sync(void *self)
{
    struct lk_posix_flash *flash = self;

    if (flash->dirty && fdatasync(flash->fd) != 0) {
        return LK_E_IO;
    }
    flash->dirty = false;
    return 0;
}

const struct lk_flash lk_posix_flash_ops = {
    .geometry = flash_geometry,
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
    .sync = flash_sync,
};
