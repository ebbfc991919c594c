// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * host_rekey.c: another device secret. In its place: the new one is written beside the old one
 * under the name `….new`, the store is wrapped by both, the new file takes the place of the old one
 * by one rename, and the store is wrapped by the new one only. A `….new` that a cut left behind is
 * used by the next attempt.
 */
#include "host_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The secret of a file, which is made where there is none. */
static int rekey_secret(const char *path, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    struct lk_posix_config config = {.secret_path = path};
    struct lk_posix posix;
    const char *rule = NULL;
    int error = lk_posix_init(&posix, &config);

    if (error) {
        return error;
    }
    error = posix.port.secret->create(posix.port.self);
    if (error == 0 || error == LK_E_EXISTS) {
        error = posix.port.secret->read(posix.port.self, secret);
    }
    if (error != 0) {
        (void)lk_posix_secret_check(&posix, &rule); /* `error` tells the code */
        host_explain("the new device secret ", error == LK_E_SECRET && rule != NULL
                                                   ? rule
                                                   : "cannot be made where it is to be");
    }
    lk_posix_close(&posix);
    return error;
}

static int rekey_commit(struct lk_store *store, const uint8_t *secret,
                        int (*change)(struct lk_txn *txn,
                                      const uint8_t secret[LK_DEVICE_SECRET_SIZE]))
{
    struct lk_txn txn;
    int error;

    memset(&txn, 0, sizeof(txn));
    error = lk_begin(store, &txn, LK_WRITE, NULL);
    if (!error) {
        error = secret != NULL ? change(&txn, secret) : lk_rewrap_settle(&txn);
    }
    if (!error) {
        error = lk_commit(&txn);
    }
    lk_txn_release(&txn);
    return error;
}

/* One rename, and the directory synced. */
static int rekey_exchange(const char *from, const char *to)
{
    char *parent = strdup(to);
    char *slash = parent != NULL ? strrchr(parent, '/') : NULL;
    int directory, error = 0;

    if (parent == NULL) {
        return LK_E_FULL;
    }
    if (slash != NULL) {
        slash[1] = '\0';
    }
    directory = open(slash != NULL ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (directory < 0 || rename(from, to) != 0 || fsync(directory) != 0) {
        host_explain("", "the file of the device secret cannot be replaced; both open the store "
                         "until it is");
        error = LK_E_IO;
    }
    if (directory >= 0) {
        (void)close(directory); /* synced already */
    }
    return error;
}

static int rekey_in_place(struct lk_host *host, uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    char *fresh = NULL;
    int error = 0;

    if (host->secret_path == NULL) {
        host_explain("", "the device secret came by a descriptor: name a file for the new one");
        return LK_E_UNSUPPORTED;
    }
    if (asprintf(&fresh, "%s.new", host->secret_path) < 0) {
        return LK_E_FULL;
    }
    error = rekey_secret(fresh, secret);
    if (!error) {
        error = rekey_commit(&host->store, secret, lk_rewrap_both);
    }
    if (!error) {
        error = rekey_exchange(fresh, host->secret_path);
    }
    free(fresh);
    return error ? error : rekey_commit(&host->store, NULL, NULL);
}

int lk_host_rekey(struct lk_host *host, const char *secret_path)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    struct stat present, named;
    int error;

    if (host == NULL) {
        return LK_E_ARGUMENT;
    }
    host_explain("", NULL);
    if (secret_path == NULL) {
        error = rekey_in_place(host, secret);
    } else if (host->secret_path != NULL && stat(host->secret_path, &present) == 0 &&
               stat(secret_path, &named) == 0 && present.st_dev == named.st_dev &&
               present.st_ino == named.st_ino) {
        host_explain("", "the new device secret is the file of the present one");
        error = LK_E_ARGUMENT;
    } else {
        error = rekey_secret(secret_path, secret);
        if (!error) {
            error = rekey_commit(&host->store, secret, lk_rewrap);
        }
    }
    explicit_bzero(secret, sizeof(secret));
    if (!error) {
        error = lk_store_scrub(&host->store, NULL);
        if (error == LK_E_BUSY) {
            host_explain("", "the store opens by the new secret only, but a reader kept old bytes "
                             "from being overwritten: latchkey compact does it later");
        }
    }
    return error;
}
