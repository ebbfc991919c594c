// SPDX-License-Identifier: MIT
/*
 * lk_posix_flash.h: NOR flash in a file: the image of a part, taken from a device or made for one.
 *
 * As strict as the part: programming only clears bits and takes whole program units, and an erase
 * takes a whole sector. What is read is a copy in memory, made when the file was opened, so that
 * nobody can change it in between; what is programmed goes to the file as well, and sync() is
 * fdatasync().
 *
 * The file is locked (flock) as long as it is open: one process that writes, or several that read.
 *
 * Limitations: a program unit is programmed as often as its bits allow; parts that allow it once
 * are port/fake's business. A copy in memory means at most LK_POSIX_FLASH_MAX bytes.
 */
#ifndef LK_POSIX_FLASH_H
#define LK_POSIX_FLASH_H

#include "lk_port.h"

#define LK_POSIX_FLASH_MAX (UINT32_C(256) << 20)

enum lk_posix_flash_flags {
    LK_POSIX_FLASH_READ_ONLY = 1, /* neither program nor erase */
    LK_POSIX_FLASH_CREATE = 2,    /* makes the file, which must not be there, erased */
    LK_POSIX_FLASH_ANYBODYS = 4,  /* to be looked at only: whoever may have written it */
};

struct lk_posix_flash_config {
    const char *path;
    uint64_t offset;               /* of the first sector in the file */
    struct lk_flash_geometry part; /* `mapped` is not looked at */
    uint32_t flags;
};

struct lk_posix_flash {
    struct lk_posix_flash_config config;
    int fd; /* -1: closed */
    uint8_t *bytes;
    size_t size;
    bool dirty; /* written, and not synced */
    const char *problem;
};

/* `self` of these is struct lk_posix_flash. */
extern const struct lk_flash lk_posix_flash_ops;

/*
 * Opens the file and reads the part. Without a geometry (sector_size 0) all that is there from
 * `offset` on can be read, as `bytes` and `size`: lk_posix_flash_shape then gives it one.
 * LK_E_NOT_FOUND, LK_E_EXISTS (to be made, and there); LK_E_REFUSED: a symbolic link, not a regular
 * file, somebody else's, open to others for writing; LK_E_BUSY: another process has it open;
 * LK_E_CORRUPT: the file ends before the part does; LK_E_TOO_BIG, LK_E_FULL, LK_E_IO.
 * After an error there is nothing to close, and lk_posix_flash_problem() tells more.
 */
int lk_posix_flash_open(struct lk_posix_flash *flash, const struct lk_posix_flash_config *config);
/* LK_E_CORRUPT: the file ends before such a part does. */
int lk_posix_flash_shape(struct lk_posix_flash *flash, const struct lk_flash_geometry *part);
/* Syncs and closes. LK_E_IO: what was written may not be on the medium. */
int lk_posix_flash_close(struct lk_posix_flash *flash);
/* What follows the name of the file, without a full stop; NULL: no more than the code. */
const char *lk_posix_flash_problem(const struct lk_posix_flash *flash);

#endif
