// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * host_backup.c: copies of a store, and stores from copies.
 *
 * Wherever a copy is wrapped anew, the wrap that it had is overwritten in place and the copy copied
 * once more: no dead page, and no dead bytes in a live one, still hold what the old secret opens.
 */
#include "host_internal.h"
#include "host_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The two directories of a place, in which a copy is made and made again. */
struct backup_paths {
    struct host_place place;
    char *copy;
    char *store;
};

static int backup_begin(const char *final, struct backup_paths *paths)
{
    const char *rule = NULL;
    int error = host_place_make(final, &paths->place, &rule);

    paths->copy = NULL;
    paths->store = NULL;
    if (error) {
        host_explain("", rule);
        return error;
    }
    paths->copy = host_place_join(paths->place.path, "copy");
    paths->store = host_place_join(paths->place.path, "store");
    return paths->copy == NULL || paths->store == NULL ? LK_E_FULL : 0;
}

static void backup_end(struct backup_paths *paths)
{
    host_place_end(&paths->place);
    free(paths->copy);
    free(paths->store);
}

/* Scrubs the open store of a host, and copies it. */
static int backup_copy_clean(struct lk_host *host, const char *directory)
{
    uint64_t bytes;
    int error = lk_store_scrub(&host->store, &bytes);

    return error ? error : lk_lmdb_backup(&host->lmdb.storage, directory);
}

/* ---- Out -------------------------------------------------------------------------------------
 */

static int backup_rewrap(struct lk_store *store, struct lk_span passphrase)
{
    struct lk_txn txn;
    int error;

    memset(&txn, 0, sizeof(txn));
    error = lk_begin(store, &txn, LK_WRITE, NULL);
    if (error) {
        return error;
    }
    error = lk_rewrap_passphrase(&txn, passphrase);
    if (error == LK_E_CHECK) {
        host_explain("the passphrase ", lk_problem(&txn)->rule);
    }
    if (!error) {
        error = lk_commit(&txn);
    }
    lk_txn_release(&txn);
    return error;
}

/* From paths->copy, which this device's secret opens, to paths->store, which the passphrase does.
 */
static int backup_wrap(const struct lk_host *host, const struct backup_paths *paths,
                       struct lk_span passphrase)
{
    /* The secret is there already, by whatever way it came. */
    struct lk_host *copy = calloc(1, sizeof(*copy));
    int error;

    if (copy == NULL) {
        return LK_E_FULL;
    }
    copy->config = host->config;
    copy->config.storage = &copy->lmdb.storage;
    copy->config.work = copy->work;
    copy->config.read_only = false;
    copy->lmdb_config = host->lmdb_config;
    copy->lmdb_config.flags = 0;
    error = lk_lmdb_init(&copy->lmdb, paths->copy, &copy->lmdb_config);
    if (!error) {
        error = host_open_store(copy);
    }
    if (!error) {
        error = backup_rewrap(&copy->store, passphrase);
    }
    if (!error) {
        error = backup_copy_clean(copy, paths->store);
    }
    host_unmake(copy);
    return error;
}

int lk_host_backup(struct lk_host *host, const char *directory, struct lk_span passphrase)
{
    struct backup_paths paths;
    int error;

    if (host == NULL || directory == NULL) {
        return LK_E_ARGUMENT;
    }
    host_explain("", NULL);
    if (host->on_flash) {
        host_explain("", "a store in a flash image has no backups of its own: copy the image and "
                         "its secret while nothing writes");
        return LK_E_UNSUPPORTED;
    }
    error = backup_begin(directory, &paths);
    if (!error) {
        error = lk_lmdb_backup(&host->lmdb.storage, passphrase.size > 0 ? paths.copy : paths.store);
    }
    if (!error && passphrase.size > 0) {
        error = backup_wrap(host, &paths, passphrase);
    }
    if (!error) {
        error = lk_lmdb_publish(paths.store, directory);
    }
    backup_end(&paths);
    return error;
}

/* ---- Back ------------------------------------------------------------------------------------
 */

/* A consistent copy of the backup, even if somebody has it open as a store. */
static int backup_fetch(const char *backup, const char *directory)
{
    const struct lk_lmdb_config config = {.value_max = LK_VALUE_MAX, .flags = LK_LMDB_READ_ONLY};
    struct lk_lmdb source;
    int error = lk_lmdb_init(&source, backup, &config);

    if (!error) {
        error = source.storage.ops->open(&source.storage, LK_READ);
        if (error) {
            host_explain("", lk_lmdb_problem(&source));
        }
    }
    if (!error) {
        error = lk_lmdb_backup(&source.storage, directory);
        source.storage.ops->close(&source.storage);
    }
    return error;
}

/* Gives the secret that was made for the store its place beside it. */
static int backup_move_secret(const struct backup_paths *paths)
{
    char *from = host_place_join(paths->place.path, HOST_SECRET_NAME);
    char *to = host_place_join(paths->store, HOST_SECRET_NAME);
    int error = from == NULL || to == NULL ? LK_E_FULL : 0;

    if (!error && rename(from, to) != 0) {
        error = LK_E_IO;
    }
    free(from);
    free(to);
    return error;
}

/* The copy to a store of the host: host opens paths->copy, with a secret in the place itself. */
static int backup_adopt(const struct lk_host_config *config, const struct backup_paths *paths,
                        struct lk_span passphrase)
{
    struct lk_host *host;
    int error = host_make(config, paths->copy, paths->place.path, 0, &host);

    if (error) {
        return error;
    }
    error = host_check_secret(host);
    if (!error && passphrase.size > 0) {
        error = lk_adopt(&host->config, passphrase);
        if (error == LK_E_SECRET) {
            host_explain("", "the passphrase is not the backup's");
        }
    }
    if (!error) {
        error = host_open_store(host);
        if (error == LK_E_SECRET && passphrase.size == 0) {
            host_explain("", "the backup was made under another device secret, or with a "
                             "passphrase: one of them must be given");
        }
    }
    if (!error) {
        error = backup_copy_clean(host, paths->store);
    }
    host_unmake(host);
    if (!error && passphrase.size > 0 && config->secret_path == NULL && config->secret_fd <= 0) {
        error = backup_move_secret(paths);
    }
    return error;
}

int lk_host_restore(const struct lk_host_config *config, const char *backup,
                    struct lk_span passphrase)
{
    struct lk_host_config plain;
    struct backup_paths paths;
    int error;

    host_explain("", NULL);
    error = backup == NULL ? LK_E_ARGUMENT : host_plain(config, &plain);
    if (error) {
        return error;
    }
    if (plain.storage != NULL) {
        host_explain("", "a backup is of a store in a directory: restore it there, export that, "
                         "and import --restore into the image");
        return LK_E_UNSUPPORTED;
    }
    if (plain.read_only) {
        return LK_E_READ_ONLY;
    }
    error = backup_begin(plain.directory, &paths);
    if (!error) {
        error = backup_fetch(backup, paths.copy);
    }
    if (!error) {
        error = backup_adopt(&plain, &paths, passphrase);
    }
    if (!error) {
        error = lk_lmdb_publish(paths.store, plain.directory);
    }
    backup_end(&paths);
    return error;
}
