// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * host.c: the Linux composition: LMDB or a flash image, the POSIX port with libsodium and the
 * hashes of other programs, and a device secret in a file.
 *
 * A store is made in a locked temporary directory beside its place, the secret with it where it is
 * to lie in the store's directory, and gets its name by one rename when all of it is on the medium
 * (host_place.h tells how cut attempts are cleared away). A secret elsewhere is made first, and
 * never over another one: a cut then leaves a secret without a store, which the next attempt uses.
 * An image gets its name likewise; its secret is always elsewhere, in IMAGE.secret.
 */
#include "host_internal.h"
#include "host_flash.h"
#include "host_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int host_explain_error(struct lk_host *host, int error)
{
    const char *rule = NULL;

    if (error == 0 || lk_host_problem() != NULL) {
        return error;
    }
    if (!host->on_flash && lk_lmdb_problem(&host->lmdb) != NULL) {
        host_explain("", lk_lmdb_problem(&host->lmdb));
    } else if (error == LK_E_SECRET) {
        (void)lk_posix_secret_check(host->config.port->self, &rule); /* `error` tells the code */
        host_explain("the device secret ", rule != NULL ? rule : "is not this store's");
    }
    return host->on_flash ? host_flash_explain(host, error) : error;
}

/* ---- Parts -----------------------------------------------------------------------------------
 */

int host_plain(const struct lk_host_config *config, struct lk_host_config *plain)
{
    if (config == NULL) {
        return LK_E_ARGUMENT;
    }
    *plain = *config;
    if (config->storage != NULL && !host_flash_named(config->storage)) {
        if (strncmp(config->storage, HOST_LMDB_PREFIX, strlen(HOST_LMDB_PREFIX)) != 0) {
            host_explain(config->storage, " is no storage: flash:IMAGE or lmdb:DIR");
            return LK_E_USAGE;
        }
        plain->directory = config->storage + strlen(HOST_LMDB_PREFIX);
        plain->storage = NULL;
    }
    return plain->storage != NULL || (plain->directory != NULL && plain->directory[0] != '\0')
               ? 0
               : LK_E_ARGUMENT;
}

/* Everything but the storage. `secret_path` is for where the configuration names none; it is taken
 * over, and freed here after an error. */
static int host_make_port(const struct lk_host_config *config, char *secret_path,
                          struct lk_host **host)
{
    struct lk_posix_config posix = {.secret_fd = config->secret_fd > 0 ? config->secret_fd : 0};
    struct lk_host *made = calloc(1, sizeof(*made));
    int error = 0;

    if (made == NULL) {
        free(secret_path);
        return LK_E_FULL;
    }
    if (config->secret_fd <= 0 && config->secret_path == NULL) {
        made->secret_path = secret_path;
    } else {
        free(secret_path);
        made->secret_path = config->secret_fd <= 0 ? strdup(config->secret_path) : NULL;
    }
    if (config->secret_fd <= 0 && made->secret_path == NULL) {
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
    if (error) {
        host_unmake(made);
        return error;
    }
    made->config = (struct lk_config){
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

int host_make(const struct lk_host_config *config, const char *directory,
              const char *secret_directory, unsigned lmdb_flags, struct lk_host **host)
{
    struct lk_host *made;
    int error = host_make_port(config, host_place_join(secret_directory, HOST_SECRET_NAME), &made);

    if (error) {
        return error;
    }
    made->directory = strdup(directory);
    made->lmdb_config = (struct lk_lmdb_config){.value_max = LK_VALUE_MAX, .flags = lmdb_flags};
    made->config.storage = &made->lmdb.storage;
    error = made->directory == NULL
                ? LK_E_FULL
                : lk_lmdb_init(&made->lmdb, made->directory, &made->lmdb_config);
    if (error) {
        host_unmake(made);
        return error;
    }
    *host = made;
    return 0;
}

int host_make_flash(const struct lk_host_config *config, const struct host_flash_name *name,
                    const char *path, unsigned flags, struct lk_host **host)
{
    struct lk_host *made;
    char *secret_path = NULL;
    int error = asprintf(&secret_path, "%s." HOST_SECRET_NAME, name->path) < 0
                    ? LK_E_FULL
                    : host_make_port(config, secret_path, &made);

    if (error) {
        return error;
    }
    made->on_flash = true;
    made->config.storage = &made->flash.nor.storage;
    error = host_flash_open(&made->flash, name, path, flags);
    if (error) {
        host_unmake(made);
        return error;
    }
    made->config.audit_capacity = host_flash_audit_slots(&made->flash);
    made->config.left_out = name->lean ? LK_INDEXES_OPTIONAL : 0;
    if (name->memory != 0) {
        made->config.pwhash = (struct lk_pwhash_params){name->memory / 1024, name->passes, 1};
    }
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
    if (host->on_flash) {
        (void)host_flash_close(&host->flash); /* each commit was synced */
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

static int host_make_named(const struct lk_host_config *config, struct lk_host **host)
{
    struct host_flash_name name;
    int error;

    if (config->storage == NULL) {
        return host_make(config, config->directory, config->directory,
                         config->read_only ? LK_LMDB_READ_ONLY : 0, host);
    }
    error = host_flash_name(config->storage, &name);
    if (!error) {
        error = host_make_flash(config, &name, NULL,
                                config->read_only ? LK_POSIX_FLASH_READ_ONLY : 0, host);
    }
    host_flash_name_free(&name);
    return error;
}

int lk_host_open(const struct lk_host_config *config, struct lk_host **host)
{
    struct lk_host_config plain;
    struct lk_host *made;
    int error;

    host_explain("", NULL);
    error = host == NULL ? LK_E_ARGUMENT : host_plain(config, &plain);
    if (!error) {
        error = host_make_named(&plain, &made);
    }
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

/* ---- Pack ------------------------------------------------------------------------------------
 */

int lk_host_pack(struct lk_host *host, lk_storage_progress *progress, void *context)
{
    int error, again;

    host_explain("", NULL);
    if (host->on_flash) {
        return LK_E_UNSUPPORTED;
    }
    host_close_store(host);
    error = lk_lmdb_pack(host->directory, progress, context);
    again = host_open_store(host);
    return again ? again : error;
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
    if (!error && filling->fill != NULL) {
        int packed = lk_lmdb_pack(directory, NULL, NULL);

        error = packed == LK_E_UNSUPPORTED || packed == LK_E_FULL ? 0 : packed;
    }
    if (!error) {
        error = lk_lmdb_publish(directory, config->directory);
    }
    free(directory);
    return error;
}

/* The directory's entry, so that a new name outlives a power cut. */
static int host_sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int fd = parent == NULL ? -1 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? LK_E_IO : 0;

    if (fd >= 0) {
        (void)close(fd); /* synced, or failed already */
    }
    free(parent);
    return error;
}

static int host_create_image(const struct lk_host_config *config, const struct host_place *place,
                             const struct host_flash_name *name, const struct host_filling *filling)
{
    char *path = host_place_join(place->path, HOST_IMAGE_NAME);
    struct lk_host *host = NULL;
    int error = path == NULL ? LK_E_FULL
                             : host_make_flash(config, name, path, LK_POSIX_FLASH_CREATE, &host);

    if (!error) {
        error = host_check_secret(host);
    }
    if (!error) {
        error = host_fill(host, filling);
    }
    if (host != NULL) {
        int close_error;

        host_close_store(host);
        close_error = host_flash_close(&host->flash);
        error = error ? error : close_error;
    }
    host_unmake(host);
    if (!error && renameat2(AT_FDCWD, path, AT_FDCWD, name->path, RENAME_NOREPLACE) != 0) {
        error = errno == EEXIST ? LK_E_EXISTS : LK_E_IO;
    }
    if (!error) {
        error = host_sync_parent(name->path);
    }
    free(path);
    return error;
}

static int host_create(const struct lk_host_config *config, const struct host_filling *filling)
{
    struct host_flash_name name = {.path = NULL};
    struct lk_host_config plain;
    struct host_place place;
    const char *rule = NULL;
    int error;

    host_explain("", NULL);
    error = host_plain(config, &plain);
    if (!error && plain.read_only) {
        error = LK_E_READ_ONLY;
    }
    if (!error && plain.storage != NULL) {
        error = host_flash_name(plain.storage, &name);
    }
    if (!error) {
        error = host_place_make(name.path != NULL ? name.path : plain.directory, &place, &rule);
        if (error) {
            host_explain("", error == LK_E_EXISTS && name.path != NULL
                                 ? "the image is there already"
                                 : rule);
        }
    }
    if (!error) {
        error = name.path != NULL ? host_create_image(&plain, &place, &name, filling)
                                  : host_create_in(&plain, &place, filling);
        host_place_end(&place);
    }
    host_flash_name_free(&name);
    return error;
}

int lk_host_create(const struct lk_host_config *config, const struct lk_create_request *request,
                   struct lk_create_result *result)
{
    struct host_filling filling = {.request = request, .result = result};

    return request == NULL || result == NULL ? LK_E_ARGUMENT : host_create(config, &filling);
}

int lk_host_create_filled(const struct lk_host_config *config,
                          int (*fill)(void *context, struct lk_store *store), void *context)
{
    struct host_filling filling = {.fill = fill, .context = context};

    return fill == NULL ? LK_E_ARGUMENT : host_create(config, &filling);
}
