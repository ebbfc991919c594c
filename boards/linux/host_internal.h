// SPDX-License-Identifier: MIT
/* host_internal.h: what the files of the Linux composition share. */
#ifndef LK_HOST_INTERNAL_H
#define LK_HOST_INTERNAL_H

#include "latchkey.h"
#include "lk_linux.h"
#include "lk_lmdb.h"
#include "lk_posix.h"

#define HOST_SECRET_NAME "secret"

struct lk_host {
    struct lk_posix posix;
    struct lk_lmdb lmdb;
    struct lk_lmdb_config lmdb_config;
    struct lk_config config;
    struct lk_store store;
    char *directory;
    char *secret_path; /* NULL where a descriptor gave it */
    bool posix_ready;
    bool store_open;
    uint64_t work[(LK_WORK_SIZE + 7) / 8];
};

/* Forgets what was said, and says something else; `text` may be NULL. */
void host_explain(const char *subject, const char *text);
/* Says why, where the pieces know: answers `error`. */
int host_explain_error(const struct lk_host *host, int error);

/*
 * A host put together, with nothing opened, for the store in `directory`; the secret is in
 * `secret_directory`/secret where the configuration names no other. LK_E_FULL, and lk_posix_init's.
 */
int host_make(const struct lk_host_config *config, const char *directory,
              const char *secret_directory, unsigned lmdb_flags, struct lk_host **host);
/* LK_E_SECRET where a file that is no secret stands in the place of one. */
int host_check_secret(const struct lk_host *host);
/* Opens its store; host_unmake closes it. */
int host_open_store(struct lk_host *host);
void host_close_store(struct lk_host *host);
void host_unmake(struct lk_host *host);

#endif
