// SPDX-License-Identifier: MIT
/* host_flash.h: a store in the image of a flash part, for the Linux composition. */
#ifndef LK_HOST_FLASH_H
#define LK_HOST_FLASH_H

#include "host_internal.h"

#define HOST_FLASH_PREFIX "flash:"

/* What a name says; 0 where it does not. */
struct host_flash_name {
    char *path;
    uint32_t sector, count, unit;
    uint32_t value;          /* bytes of a record at most */
    uint32_t at;             /* of the part in the image */
    uint32_t memory, passes; /* of a password hash, where the device has less than this machine */
    uint32_t lean;           /* 1: made without the indexes that only order lists */
    unsigned given;          /* bit n: field n of the table was there */
};

bool host_flash_named(const char *storage);
/* Takes a name that begins so apart. LK_E_USAGE, with the field and its rule in
 * lk_host_problem(). host_flash_name_free() in any case. */
int host_flash_name(const char *storage, struct host_flash_name *name);
void host_flash_name_free(struct host_flash_name *name);

/*
 * Opens the image, as lk_posix_flash_open() with these flags, and fills the handle over it; `path`
 * (NULL: the name's) is where it is to be made. host_flash_close() in any case.
 */
int host_flash_open(struct host_flash *flash, const struct host_flash_name *name, const char *path,
                    unsigned flags);
/* LK_E_IO: what was written may not be on the medium. */
int host_flash_close(struct host_flash *flash);
/* Says why the store in the image did not open; answers the error, or a better one. */
int host_flash_explain(struct lk_host *host, int error);
/* Slots for the audit rings of a new store on such a part. */
uint32_t host_flash_audit_slots(const struct host_flash *flash);

#endif
