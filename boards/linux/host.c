// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * host.c: the Linux composition: LMDB, the POSIX port with libsodium and the hashes of other
 * programs, and a device secret in a file.
 *
 * A store is made in a locked temporary directory beside its place, the secret with it where it is
 * to lie in the store's directory, and gets its name by one rename when all of it is on the medium
 * (host_place.h tells how cut attempts are cleared away). A secret elsewhere is made first, and
 * never over another one: a cut then leaves a secret without a store, which the next attempt uses.
 */
#include "host_internal.h"
#include "host_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static _Thread_local char host_problem_text[256];

void host_explain(const char *subject, const char *text)
{
    host_problem_text[0] = '\0';
    if (text != NULL) {
        (void)snprintf(host_problem_text, sizeof(host_problem_text), "%s%s", subject,
                       text); /* cut where it is too long */
    }
}

const char *lk_host_problem(void)
{
    return host_problem_text[0] != '\0' ? host_problem_text : NULL;
}

int host_explain_error(const struct lk_host *host, int error)
{
    const char *rule = NULL;

    if (error == 0 || lk_host_problem() != NULL) {
        return error;
    }
    if (lk_lmdb_problem(&host->lmdb) != NULL) {
        host_explain("", lk_lmdb_problem(&host->lmdb));
    } else if (error == LK_E_SECRET) {
        (void)lk_posix_secret_check(host->config.port->self, &rule); /* `error` tells the code */
        host_explain("the device secret ", rule != NULL ? rule : "is not this store's");
    }
    return error;
}

/* ---- Parts -----------------------------------------------------------------------------------
 */

int host_make(const struct lk_host_config *config, const char *directory,
              const char *secret_directory, unsigned lmdb_flags, struct lk_host **host)
{
    struct lk_posix_config posix = {.secret_fd = config->secret_fd > 0 ? config->secret_fd : 0};
    struct lk_host *made = calloc(1, sizeof(*made));
    int error = 0;

    if (made == NULL) {
        return LK_E_FULL;
    }
    made->directory = strdup(directory);
    if (config->secret_fd <= 0) {
        made->secret_path = config->secret_path != NULL
                                ? strdup(config->secret_path)
                                : host_place_join(secret_directory, HOST_SECRET_NAME);
    }
    if (made->directory == NULL || (config->secret_fd <= 0 && made->secret_path == NULL)) {
        error = LK_E_FULL;
    }
    if (!error) {
        posix.secret_path = made->secret_path;
        error = lk_posix_init(&made->posix, &posix);
        made->posix_ready = error == 0;
        if (error == LK_E_SECRET) {
            host_explain("the device secret ", "is not what the descriptor gives: 32 bytes");
        }
    }
    if (!error) {
        made->lmdb_config = (struct lk_lmdb_config){.value_max = LK_VALUE_MAX, .flags = lmdb_flags};
        error = lk_lmdb_init(&made->lmdb, made->directory, &made->lmdb_config);
    }
    if (error) {
        host_unmake(made);
        return error;
    }
    made->config = (struct lk_config){
        .storage = &made->lmdb.storage,
        .port = &made->posix.port,
        .work = made->work,
        .work_size = sizeof(made->work),
        .kinds = config->kinds,
        .pwhash = config->pwhash,
        .read_only = config->read_only,
    };
    *host = made;
    return 0;
}

int host_open_store(struct lk_host *host)
{
    int error = lk_open(&host->store, &host->config);

    host->store_open = error == 0;
    return host_explain_error(host, error);
}

void host_close_store(struct lk_host *host)
{
    if (host->store_open) {
        lk_close(&host->store);
        host->store_open = false;
    }
}

void host_unmake(struct lk_host *host)
{
    if (host == NULL) {
        return;
    }
    host_close_store(host);
    if (host->posix_ready) {
        host->posix.port.crypto->wipe(host->work, sizeof(host->work));
        lk_posix_close(&host->posix);
    }
    free(host->directory);
    free(host->secret_path);
    free(host);
}

/* The store would make a secret where it cannot read one; a file that is there says no to that. */
int host_check_secret(const struct lk_host *host)
{
    const char *rule = NULL;
    struct stat status;
    int error = lk_posix_secret_check(&host->posix, &rule);

    if (error == 0 || host->secret_path == NULL ||
        (error == LK_E_SECRET && lstat(host->secret_path, &status) != 0 && errno == ENOENT)) {
        return 0;
    }
    host_explain("the device secret ", rule);
    return error;
}

/* ---- Open ------------------------------------------------------------------------------------
 */

int lk_host_open(const struct lk_host_config *config, struct lk_host **host)
{
    struct lk_host *made;
    int error;

    if (config == NULL || config->directory == NULL || host == NULL) {
        return LK_E_ARGUMENT;
    }
    host_explain("", NULL);
    error = host_make(config, config->directory, config->directory,
                      config->read_only ? LK_LMDB_READ_ONLY : 0, &made);
    if (error) {
        return error;
    }
    error = host_open_store(made);
    if (error) {
        host_unmake(made);
        return error;
    }
    *host = made;
    return 0;
}

struct lk_store *lk_host_store(struct lk_host *host)
{
    return &host->store;
}

struct lk_host *lk_host_of(struct lk_store *store)
{
    return (struct lk_host *)(void *)((uint8_t *)store - offsetof(struct lk_host, store));
}

void lk_host_close(struct lk_host *host)
{
    host_unmake(host);
}

/* ---- Create ----------------------------------------------------------------------------------
 */

/* What goes into a new store: an administrator, or what the caller fills it with. */
struct host_filling {
    const struct lk_create_request *request;
    struct lk_create_result *result;
    int (*fill)(void *context, struct lk_store *store);
    void *context;
};

static int host_fill(struct lk_host *host, const struct host_filling *filling)
{
    int error = filling->request != NULL
                    ? lk_create(&host->store, &host->config, filling->request, filling->result)
                    : lk_create_empty(&host->store, &host->config);

    host->store_open = error == 0;
    if (!error && filling->fill != NULL) {
        error = filling->fill(filling->context, &host->store);
    }
    return host_explain_error(host, error);
}

static int host_create_in(const struct lk_host_config *config, const struct host_place *place,
                          const struct host_filling *filling)
{
    char *directory = host_place_join(place->path, "store");
    struct lk_host *host = NULL;
    int error = directory == NULL ? LK_E_FULL : 0;

    if (!error && mkdir(directory, 0700) != 0) {
        error = errno == ENOSPC || errno == EDQUOT ? LK_E_FULL : LK_E_IO;
    }
    if (!error) {
        error = host_make(config, directory, directory, LK_LMDB_CREATE, &host);
    }
    if (!error) {
        error = host_check_secret(host);
    }
    if (!error) {
        error = host_fill(host, filling);
    }
    host_unmake(host);
    if (!error) {
        error = lk_lmdb_publish(directory, config->directory);
    }
    free(directory);
    return error;
}

static int host_create(const struct lk_host_config *config, const struct host_filling *filling)
{
    struct host_place place;
    const char *rule = NULL;
    int error;

    host_explain("", NULL);
    if (config->read_only) {
        return LK_E_READ_ONLY;
    }
    error = host_place_make(config->directory, &place, &rule);
    if (error) {
        host_explain("", rule);
        return error;
    }
    error = host_create_in(config, &place, filling);
    host_place_end(&place);
    return error;
}

int lk_host_create(const struct lk_host_config *config, const struct lk_create_request *request,
                   struct lk_create_result *result)
{
    struct host_filling filling = {.request = request, .result = result};

    if (config == NULL || config->directory == NULL || request == NULL || result == NULL) {
        return LK_E_ARGUMENT;
    }
    return host_create(config, &filling);
}

int lk_host_create_filled(const struct lk_host_config *config,
                          int (*fill)(void *context, struct lk_store *store), void *context)
{
    struct host_filling filling = {.fill = fill, .context = context};

    if (config == NULL || config->directory == NULL || fill == NULL) {
        return LK_E_ARGUMENT;
    }
    return host_create(config, &filling);
}
