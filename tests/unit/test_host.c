// SPDX-License-Identifier: MIT
/*
 * test_host.c: stores of the Linux composition: made whole or not at all, closed to others, backed
 * up, and opened on another device.
 */
#define _GNU_SOURCE
#include "host_place.h"
#include "lk_linux.h"
#include "lk_lmdb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSPHRASE "a passphrase of some length"

struct bench {
    char directory[64];
    char store[96];
    char secret[96];
    char backup[96];
    char second[96];
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    (void)snprintf(bench->directory, sizeof(bench->directory), "/tmp/lk-host-XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    (void)snprintf(bench->store, sizeof(bench->store), "%s/store", bench->directory);
    (void)snprintf(bench->secret, sizeof(bench->secret), "%s/other-secret", bench->directory);
    (void)snprintf(bench->backup, sizeof(bench->backup), "%s/backup", bench->directory);
    (void)snprintf(bench->second, sizeof(bench->second), "%s/second", bench->directory);
    *state = bench;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    remove_tree(bench->directory);
    free(bench);
    return 0;
}

static struct lk_host_config config_of(const char *directory)
{
    return (struct lk_host_config){.directory = directory, .pwhash = {64, 1, 1}};
}

static int create(const struct lk_host_config *config)
{
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("admin"),
                                              LK_TEXT("correct horse")};
    struct lk_create_result result;

    return lk_host_create(config, &request, &result);
}

static mode_t mode_of(const char *directory, const char *name)
{
    char path[256];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static int count_entries(const char *directory)
{
    DIR *stream = opendir(directory);
    int count = 0;

    assert_non_null(stream);
    while (readdir(stream) != NULL) {
        count++;
    }
    (void)closedir(stream);
    return count - 2;
}

static int login(const struct lk_host_config *config)
{
    struct lk_login_request request = {.tenant = 1,
                                       .name = LK_TEXT("admin"),
                                       .password = LK_TEXT("correct horse"),
                                       .channel = LK_CHANNEL_CLI};
    struct lk_login_result result;
    struct lk_host *host;
    int error = lk_host_open(config, &host);

    if (!error) {
        error = lk_login(lk_host_store(host), &request, &result, NULL);
        lk_host_close(host);
    }
    return error;
}

static void write_file(const char *path, const void *data, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

/* ---- Create ---------------------------------------------------------------------------------- */

static void test_host_new_store_is_closed_to_others(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    mode_t mask = umask(0);

    assert_int_equal(create(&config), 0);
    assert_int_equal(mode_of(bench->directory, "store"), 0700);
    assert_int_equal(mode_of(bench->store, "data.mdb"), 0600);
    assert_int_equal(mode_of(bench->store, "secret"), 0600);
    assert_int_equal(count_entries(bench->directory), 1);
    assert_int_equal(login(&config), 0);
    assert_int_equal(mode_of(bench->store, "lock.mdb"), 0600);
    (void)umask(mask);
}

static void test_host_create_makes_the_way_there(void **state)
{
    struct bench *bench = *state;
    char path[160];
    struct lk_host_config config;

    (void)snprintf(path, sizeof(path), "%s/a//b/c/", bench->directory);
    config = config_of(path);
    assert_int_equal(create(&config), 0);
    assert_int_equal(mode_of(bench->directory, "a"), 0700);
    assert_int_equal(login(&config), 0);
}

static void test_host_create_refuses_what_is_there(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);

    assert_int_equal(mkdir(bench->store, 0755), 0);
    assert_int_equal(create(&config), 0); /* an empty directory will do */
    assert_int_equal(mode_of(bench->directory, "store"), 0700);
    assert_int_equal(create(&config), LK_E_EXISTS);
    assert_string_equal(lk_host_problem(), "the directory is there, and not empty");
    assert_int_equal(login(&config), 0);

    config.directory = bench->second;
    write_file(bench->second, "x", 1, 0644);
    assert_int_equal(create(&config), LK_E_EXISTS);
    assert_string_equal(lk_host_problem(), "something that is not a directory is there");
    assert_int_equal(unlink(bench->second), 0);
    assert_int_equal(symlink("nowhere", bench->second), 0);
    assert_int_equal(create(&config), LK_E_EXISTS);
    assert_int_equal(count_entries(bench->directory), 2);
    config.directory = "/";
    assert_int_equal(create(&config), LK_E_ARGUMENT);
    config.directory = ".";
    assert_int_equal(create(&config), LK_E_ARGUMENT);
}

static void test_host_open_says_what_is_wrong(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    struct lk_host *host;
    char path[128];

    assert_int_equal(lk_host_open(&config, &host), LK_E_NOT_FOUND);
    assert_int_equal(create(&config), 0);
    (void)snprintf(path, sizeof(path), "%s/secret", bench->store);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(lk_host_open(&config, &host), LK_E_SECRET);
    assert_string_equal(lk_host_problem(),
                        "the device secret is open to other users; its mode must be 0600");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lk_host_open(&config, &host), LK_E_SECRET);
    assert_string_equal(lk_host_problem(), "the device secret file is missing");
    write_file(path, "0123456789abcdef0123456789abcdef", 32, 0600);
    assert_int_equal(lk_host_open(&config, &host), LK_E_SECRET);
    assert_string_equal(lk_host_problem(), "the device secret is not this store's");
    assert_int_equal(chmod(bench->store, 0777), 0);
    assert_int_equal(lk_host_open(&config, &host), LK_E_REFUSED);
    assert_non_null(lk_host_problem());
}

static void test_host_secret_elsewhere_is_made_once_and_kept(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    uint8_t first[32];
    uint8_t second[32];
    int fd;

    config.secret_path = bench->secret;
    assert_int_equal(create(&config), 0);
    assert_int_equal(access(bench->store, F_OK), 0);
    assert_int_equal(count_entries(bench->store), 1);
    fd = open(bench->secret, O_RDONLY);
    assert_int_equal(read(fd, first, 32), 32);
    (void)close(fd);
    config.directory = bench->second;
    assert_int_equal(create(&config), 0);
    fd = open(bench->secret, O_RDONLY);
    assert_int_equal(read(fd, second, 32), 32);
    (void)close(fd);
    assert_memory_equal(first, second, 32);
    assert_int_equal(login(&config), 0);
    /* What is there and is no secret is left alone, and refused. */
    config.directory = bench->backup;
    write_file(bench->secret, "too short", 9, 0600);
    assert_int_equal(create(&config), LK_E_SECRET);
    assert_string_equal(lk_host_problem(), "the device secret is not 32 bytes long");
    assert_int_equal(access(bench->backup, F_OK), -1);
    assert_int_equal(count_entries(bench->directory), 3);
}

static int open_secret(const struct bench *bench)
{
    int fd;

    write_file(bench->secret, "0123456789abcdef0123456789abcdef", 32, 0600);
    fd = open(bench->secret, O_RDONLY);
    assert_true(fd > 0);
    return fd;
}

static void test_host_secret_by_descriptor(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);

    config.secret_fd = open_secret(bench);
    assert_int_equal(create(&config), 0);
    assert_int_equal(count_entries(bench->store), 1);
    (void)lseek(config.secret_fd, 0, SEEK_SET);
    assert_int_equal(login(&config), 0);
    assert_int_equal(login(&config), LK_E_SECRET); /* it was read already */
    (void)close(config.secret_fd);
}

static int fail_to_fill(void *context, struct lk_store *store)
{
    assert_non_null(store);
    *(bool *)context = true;
    return LK_E_CONFLICT;
}

static void test_host_failed_filling_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    bool called = false;

    assert_int_equal(lk_host_create_filled(&config, fail_to_fill, &called), LK_E_CONFLICT);
    assert_true(called);
    assert_int_equal(count_entries(bench->directory), 0);
}

/* ---- What a cut creation leaves -------------------------------------------------------------- */

static int hang_while_filling(void *context, struct lk_store *store)
{
    (void)store;
    assert_int_equal(write(*(int *)context, "x", 1), 1);
    while (pause() != 0) {
    }
    return LK_E_STATE;
}

static void test_host_cut_creation_is_cleared_away_by_the_next(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    struct lk_host_config second = config_of(bench->second);
    int ends[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        (void)lk_host_create_filled(&config, hang_while_filling, &ends[1]);
        _exit(1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(count_entries(bench->directory), 1);
    assert_int_equal(access(bench->store, F_OK), -1);
    /* One at work is left alone, by its own name and by others. */
    assert_int_equal(create(&second), 0);
    assert_int_equal(count_entries(bench->directory), 2);
    assert_int_equal(create(&config), 0);
    assert_int_equal(count_entries(bench->directory), 3);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* Dead, it is cleared away by the next creation of that name only. */
    assert_int_equal(create(&second), LK_E_EXISTS);
    assert_int_equal(count_entries(bench->directory), 3);
    remove_tree(bench->store);
    assert_int_equal(create(&config), 0);
    assert_int_equal(count_entries(bench->directory), 2);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_host_clearing_away_spares_foreign_files(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    char path[160];
    char name[224];

    (void)snprintf(path, sizeof(path), "%s/.store.new-abcdef", bench->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(name, sizeof(name), "%s/thesis.txt", path);
    write_file(name, "x", 1, 0600);
    (void)snprintf(name, sizeof(name), "%s/data.mdb", path);
    write_file(name, "x", 1, 0600);
    assert_int_equal(create(&config), 0);
    assert_int_equal(count_entries(path), 1);
    assert_int_equal(mode_of(path, "thesis.txt"), 0600);
}

/* Creators and clearers at once: each store is whole, and nothing is left. */
static void test_host_creations_at_once(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    pid_t children[8];
    int made = 0;

    for (size_t i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            int error = create(&config);

            _exit(error == 0 ? 0 : error == LK_E_EXISTS ? 1 : 2);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        made += WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    assert_int_equal(made, 1);
    assert_int_equal(count_entries(bench->directory), 1);
    assert_int_equal(login(&config), 0);
}

/* ---- Backup ---------------------------------------------------------------------------------- */

static int backup(const struct lk_host_config *config, const char *directory,
                  struct lk_span passphrase)
{
    struct lk_host *host;
    int error = lk_host_open(config, &host);

    assert_int_equal(error, 0);
    error = lk_host_backup(host, directory, passphrase);
    lk_host_close(host);
    return error;
}

static void test_host_backup_opens_under_the_same_secret(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    struct lk_host_config other = config_of(bench->second);
    struct lk_host_config third;
    char secret[128];
    char path[128];

    assert_int_equal(create(&config), 0);
    assert_int_equal(backup(&config, bench->backup, LK_TEXT("")), 0);
    assert_int_equal(mode_of(bench->directory, "backup"), 0700);
    assert_int_equal(mode_of(bench->backup, "data.mdb"), 0600);
    assert_int_equal(count_entries(bench->backup), 1);
    assert_int_equal(backup(&config, bench->backup, LK_TEXT("")), LK_E_EXISTS);
    /* Without the secret there is nothing to be had. */
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT("")), LK_E_SECRET);
    assert_non_null(lk_host_problem());
    assert_int_equal(access(bench->second, F_OK), -1);
    assert_int_equal(count_entries(bench->directory), 2);
    (void)snprintf(secret, sizeof(secret), "%s/secret", bench->store);
    other.secret_path = secret;
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT("")), 0);
    assert_int_equal(login(&other), 0);
    (void)snprintf(path, sizeof(path), "%s/third", bench->directory);
    third = config_of(path);
    assert_int_equal(lk_host_restore(&third, bench->directory, LK_TEXT("")), LK_E_NOT_FOUND);
}

/* A dead gateway does not take its users with it. */
static void test_host_backup_restored_on_another_device(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    struct lk_host_config other = config_of(bench->second);
    struct lk_host_config third;
    char path[128];

    config.secret_path = bench->secret;
    assert_int_equal(create(&config), 0);
    assert_int_equal(backup(&config, bench->backup, LK_TEXT("short")), LK_E_CHECK);
    assert_string_equal(lk_host_problem(), "the passphrase has fewer than 8 bytes");
    assert_int_equal(count_entries(bench->directory), 2);
    assert_int_equal(backup(&config, bench->backup, LK_TEXT(PASSPHRASE)), 0);
    assert_int_equal(login(&config), 0); /* the store itself is as it was */

    /* The backup no longer opens by the old device's secret, nor by another passphrase. */
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT("")), LK_E_SECRET);
    (void)snprintf(path, sizeof(path), "%s/third", bench->directory);
    third = config_of(path);
    third.secret_path = bench->secret;
    assert_int_equal(lk_host_restore(&third, bench->backup, LK_TEXT("")), LK_E_SECRET);
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT("another passphrase")),
                     LK_E_SECRET);
    assert_string_equal(lk_host_problem(), "the passphrase is not the backup's");
    assert_int_equal(count_entries(bench->directory), 3);

    assert_int_equal(unlink(bench->secret), 0); /* the device is dead */
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT(PASSPHRASE)), 0);
    assert_int_equal(mode_of(bench->second, "secret"), 0600);
    assert_int_equal(login(&other), 0);
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT(PASSPHRASE)), LK_E_EXISTS);
    /* And again, under a secret of its own elsewhere. */
    third.secret_path = bench->secret;
    assert_int_equal(lk_host_restore(&third, bench->backup, LK_TEXT(PASSPHRASE)), 0);
    assert_int_equal(count_entries(third.directory), 1);
    assert_int_equal(login(&third), 0);
}

static bool file_holds(const char *directory, const uint8_t *bytes, size_t size)
{
    char path[128];
    uint8_t *data = malloc(1 << 24);
    bool found;
    int fd;
    ssize_t got;

    assert_non_null(data);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", directory);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    got = read(fd, data, 1 << 24);
    assert_true(got > 0);
    (void)close(fd);
    found = memmem(data, (size_t)got, bytes, size) != NULL;
    free(data);
    return found;
}

/* The value of the smallest key, which is the wrapped store key. */
static void read_wrap(const char *directory, uint8_t *out, size_t *size)
{
    const struct lk_lmdb_config config = {.flags = LK_LMDB_READ_ONLY};
    struct lk_storage_cursor cursor = {0};
    struct lk_storage_txn txn = {0};
    struct lk_span key;
    struct lk_span value;
    struct lk_lmdb lmdb;
    const struct lk_storage_ops *ops;

    assert_int_equal(lk_lmdb_init(&lmdb, directory, &config), 0);
    ops = lmdb.storage.ops;
    assert_int_equal(ops->open(&lmdb.storage, LK_READ), 0);
    assert_int_equal(ops->begin(&lmdb.storage, &txn, LK_READ), 0);
    assert_int_equal(ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0}), 0);
    assert_int_equal(ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value), 0);
    memcpy(out, value.data, value.size);
    *size = value.size;
    ops->cursor_close(&cursor);
    ops->abort(&txn);
    ops->release(&lmdb.storage, &txn);
    ops->close(&lmdb.storage);
}

static void test_host_backup_keeps_no_trace_of_the_old_wrap(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    struct lk_host_config other = config_of(bench->second);
    uint8_t by_secret[512];
    uint8_t by_passphrase[512];
    uint8_t by_other[512];
    size_t size;

    assert_int_equal(create(&config), 0);
    assert_int_equal(backup(&config, bench->backup, LK_TEXT(PASSPHRASE)), 0);
    assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT(PASSPHRASE)), 0);
    read_wrap(bench->store, by_secret, &size);
    read_wrap(bench->backup, by_passphrase, &size);
    read_wrap(bench->second, by_other, &size);
    assert_true(size > 48);
    /* The sealed key is the last of it; nonces differ, so the bytes do. */
    assert_true(file_holds(bench->store, by_secret + size - 24, 24));
    assert_true(file_holds(bench->backup, by_passphrase + size - 24, 24));
    assert_false(file_holds(bench->backup, by_secret + size - 24, 24));
    assert_false(file_holds(bench->second, by_passphrase + size - 24, 24));
    assert_true(file_holds(bench->second, by_other + size - 24, 24));
}

static void test_host_backup_while_others_write(void **state)
{
    struct bench *bench = *state;
    struct lk_host_config config = config_of(bench->store);
    struct lk_host_config other = config_of(bench->second);
    struct lk_verify verify = {0};
    struct lk_txn txn = {0};
    struct lk_host *host;
    pid_t child;

    assert_int_equal(create(&config), 0);
    child = fork();
    if (child == 0) {
        for (;;) {
            if (login(&config) != 0) {
                _exit(1);
            }
        }
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(backup(&config, bench->backup, LK_TEXT(PASSPHRASE)), 0);
        assert_int_equal(lk_host_restore(&other, bench->backup, LK_TEXT(PASSPHRASE)), 0);
        assert_int_equal(lk_host_open(&other, &host), 0);
        memset(&txn, 0, sizeof(txn));
        assert_int_equal(lk_begin(lk_host_store(host), &txn, LK_READ, NULL), 0);
        assert_int_equal(lk_verify(&txn, &verify), 0);
        lk_txn_release(&txn);
        lk_host_close(host);
        remove_tree(bench->backup);
        remove_tree(bench->second);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(login(&config), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(test_host_new_store_is_closed_to_others),
        CASE(test_host_create_makes_the_way_there),
        CASE(test_host_create_refuses_what_is_there),
        CASE(test_host_open_says_what_is_wrong),
        CASE(test_host_secret_elsewhere_is_made_once_and_kept),
        CASE(test_host_secret_by_descriptor),
        CASE(test_host_failed_filling_leaves_nothing),
        CASE(test_host_cut_creation_is_cleared_away_by_the_next),
        CASE(test_host_clearing_away_spares_foreign_files),
        CASE(test_host_creations_at_once),
        CASE(test_host_backup_opens_under_the_same_secret),
        CASE(test_host_backup_restored_on_another_device),
        CASE(test_host_backup_keeps_no_trace_of_the_old_wrap),
        CASE(test_host_backup_while_others_write),
#undef CASE
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
