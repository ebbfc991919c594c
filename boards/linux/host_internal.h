// SPDX-License-Identifier: MIT
/* host_internal.h: what the files of the Linux composition share. */
#ifndef LK_HOST_INTERNAL_H
#define LK_HOST_INTERNAL_H

#include "latchkey.h"
#include "lk_linux.h"
#include "lk_lmdb.h"
#include "lk_nor.h"
#include "lk_posix.h"
#include "lk_posix_flash.h"

#define HOST_SECRET_NAME "secret"
#define HOST_LMDB_PREFIX "lmdb:"

/* A part in a file, and the map on it. */
struct host_flash {
    struct lk_posix_flash file;
    struct lk_nor nor;
    struct lk_nor_config config;
    bool open;
};

struct lk_host {
    struct lk_posix posix;
    struct lk_lmdb lmdb;
    struct lk_lmdb_config lmdb_config;
    struct host_flash flash;
    bool on_flash; /* and not in LMDB */
    struct lk_config config;
    struct lk_store store;
    char *directory;   /* of LMDB's; NULL on flash */
    char *secret_path; /* NULL where a descriptor gave it */
    bool posix_ready;
    bool store_open;
    uint64_t work[(LK_WORK_SIZE + 7) / 8];
};

/* Forgets what was said, and says something else; `text` may be NULL. */
void host_explain(const char *subject, const char *text);
/* Says why, where the pieces know: answers `error`. */
int host_explain_error(struct lk_host *host, int error);

/* The configuration with `storage` only where it names an image, and else with a directory.
 * LK_E_ARGUMENT: it has neither; LK_E_USAGE: a storage that is not known. */
int host_plain(const struct lk_host_config *config, struct lk_host_config *plain);

/*
 * A host put together, with nothing opened, for the store in `directory`; the secret is in
 * `secret_directory`/secret where the configuration names no other. LK_E_FULL, and lk_posix_init's.
 */
int host_make(const struct lk_host_config *config, const char *directory,
              const char *secret_directory, unsigned lmdb_flags, struct lk_host **host);
struct host_flash_name;
/* The same for an image, which is at `path` (NULL: where its name says) and is opened. */
int host_make_flash(const struct lk_host_config *config, const struct host_flash_name *name,
                    const char *path, unsigned flags, struct lk_host **host);
/* LK_E_SECRET where a file that is no secret stands in the place of one. */
int host_check_secret(const struct lk_host *host);
/* Opens its store; host_unmake closes it. */
int host_open_store(struct lk_host *host);
void host_close_store(struct lk_host *host);
void host_unmake(struct lk_host *host);

#endif
