// SPDX-License-Identifier: MIT
/* test_lmdb_files.c: who may touch the files, names, copies, growth. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct lk_lmdb_config files_create = {.map_initial = 1, .flags = LK_LMDB_CREATE};

static mode_t files_mode(const char *directory, const char *name)
{
    char path[LMDB_HELP_PATH];
    struct stat st;
    lmdb_help_join(path, directory, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void files_make(struct lk_lmdb *lmdb, char directory[LMDB_HELP_PATH])
{
    lmdb_help_place(directory);
    assert_int_equal(lk_lmdb_init(lmdb, directory, &files_create), LK_OK);
    assert_int_equal(lmdb->storage.ops->open(&lmdb->storage, LK_WRITE), LK_OK);
}

static void test_s13_lmdb_files_modes(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        struct lk_lmdb lmdb;
        char directory[LMDB_HELP_PATH];
        char copy[LMDB_HELP_PATH];
        mode_t old = umask(masks[i]);
        files_make(&lmdb, directory);
        lmdb_help_place(copy);
        assert_int_equal(lk_lmdb_backup(&lmdb.storage, copy), LK_OK);
        lmdb.storage.ops->close(&lmdb.storage);
        (void)umask(old);
        assert_int_equal(files_mode(directory, "."), 0700);
        assert_int_equal(files_mode(directory, "data.mdb"), 0600);
        assert_int_equal(files_mode(directory, "lock.mdb"), 0600);
        assert_int_equal(files_mode(copy, "."), 0700);
        assert_int_equal(files_mode(copy, "data.mdb"), 0600);
        lmdb_help_remove(directory);
        lmdb_help_remove(copy);
    }
}

static void test_lmdb_files_refused(void **state)
{
    (void)state;
    struct lk_lmdb lmdb;
    char directory[LMDB_HELP_PATH];
    char link[LMDB_HELP_PATH];
    char path[LMDB_HELP_PATH];
    char other[LMDB_HELP_PATH];
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    files_make(&lmdb, directory);
    struct lk_storage *s = &lmdb.storage;
    s->ops->close(s);
    assert_null(lk_lmdb_problem(&lmdb));
    /* Others may write to the directory. */
    assert_int_equal(chmod(directory, 0720), 0);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_REFUSED);
    assert_non_null(lk_lmdb_problem(&lmdb));
    assert_int_equal(chmod(directory, 0702), 0);
    assert_int_equal(s->ops->open(s, LK_READ), LK_E_REFUSED);
    assert_int_equal(chmod(directory, 0700), 0);
    /* A symbolic link to the directory, or in place of a file; a second name of a file. */
    lmdb_help_place(link);
    assert_int_equal(symlink(directory, link), 0);
    struct lk_lmdb linked;
    assert_int_equal(lk_lmdb_init(&linked, link, &files_create), LK_OK);
    assert_int_equal(linked.storage.ops->open(&linked.storage, LK_WRITE), LK_E_REFUSED);
    assert_int_equal(unlink(link), 0);
    for (size_t i = 0; i < 2; i++) {
        lmdb_help_join(path, directory, names[i]);
        lmdb_help_join(other, directory, "elsewhere");
        assert_int_equal(rename(path, other), 0);
        assert_int_equal(symlink("elsewhere", path), 0);
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_REFUSED);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/nowhere/at/all", path), 0);
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_REFUSED);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rename(other, path), 0);
        assert_int_equal(linkat(-1, path, -1, other, 0), 0);
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_REFUSED);
        assert_int_equal(unlink(other), 0);
        assert_int_equal(mkfifo(other, 0600), 0);
        assert_int_equal(unlink(other), 0);
    }
    /* Too open a file is closed to others. */
    lmdb_help_join(path, directory, "data.mdb");
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    assert_int_equal(files_mode(directory, "data.mdb"), 0600);
    s->ops->close(s);
    lmdb_help_remove(directory);
    assert_int_equal(lk_lmdb_init(&lmdb, directory, NULL), LK_OK);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_NOT_FOUND);
}

static void test_lmdb_files_opened_once(void **state)
{
    (void)state;
    struct lk_lmdb lmdb;
    struct lk_lmdb again;
    char directory[LMDB_HELP_PATH];
    char roundabout[LMDB_HELP_PATH];
    files_make(&lmdb, directory);
    lmdb_help_join(roundabout, directory, ".");
    assert_int_equal(lk_lmdb_init(&again, roundabout, NULL), LK_OK);
    assert_int_equal(again.storage.ops->open(&again.storage, LK_READ), LK_E_BUSY);
    lmdb.storage.ops->close(&lmdb.storage);
    assert_int_equal(again.storage.ops->open(&again.storage, LK_READ), LK_OK);
    assert_int_equal(lmdb.storage.ops->open(&lmdb.storage, LK_WRITE), LK_E_BUSY);
    again.storage.ops->close(&again.storage);
    lmdb_help_remove(directory);
}

static void test_lmdb_files_publish(void **state)
{
    (void)state;
    struct lk_lmdb lmdb;
    char temporary[LMDB_HELP_PATH];
    char place[LMDB_HELP_PATH];
    char file[LMDB_HELP_PATH];
    lmdb_help_place(place);
    assert_int_equal(mkdir(place, 0755), 0); /* an empty directory may be there */
    files_make(&lmdb, temporary);
    lmdb.storage.ops->close(&lmdb.storage);
    assert_int_equal(lk_lmdb_publish(temporary, place), LK_OK);
    assert_int_equal(files_mode(place, "."), 0700);
    assert_int_equal(lk_lmdb_publish(temporary, place), LK_E_NOT_FOUND);
    files_make(&lmdb, temporary);
    lmdb.storage.ops->close(&lmdb.storage);
    assert_int_equal(lk_lmdb_publish(temporary, place), LK_E_EXISTS);
    lmdb_help_place(file);
    assert_true(lmdb_help_save(file, "x", 1));
    assert_int_equal(lk_lmdb_publish(temporary, file), LK_E_EXISTS);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(lk_lmdb_init(&lmdb, place, NULL), LK_OK);
    assert_int_equal(lmdb.storage.ops->open(&lmdb.storage, LK_WRITE), LK_OK);
    lmdb.storage.ops->close(&lmdb.storage);
    assert_int_equal(lk_lmdb_discard(temporary), LK_OK);
    assert_int_equal(lk_lmdb_discard(temporary), LK_E_NOT_FOUND);
    assert_int_equal(lk_lmdb_discard(place), LK_OK);
}

/* A process may have room in memory for less than the map may become. */
static void test_lmdb_files_growth_is_limited(void **state)
{
    (void)state;
    static const uint8_t key[] = "k";
    struct lk_lmdb lmdb;
    char directory[LMDB_HELP_PATH];
    files_make(&lmdb, directory);
    lmdb.storage.ops->close(&lmdb.storage);
    pid_t child = fork();
    if (child == 0) {
        const struct lk_span k = {key, sizeof key};
        const struct rlimit limit = {(rlim_t)1 << 36, (rlim_t)1 << 36};
        struct lk_storage_txn txn = {.bulk = true};
        const struct lk_storage_ops *ops = lmdb.storage.ops;
        bool good = lk_lmdb_init(&lmdb, directory, &files_create) == LK_OK;
        good = good && ops->open(&lmdb.storage, LK_WRITE) == LK_OK;
        good = good && setrlimit(RLIMIT_AS, &limit) == 0;
        good = good && ops->begin(&lmdb.storage, &txn, LK_WRITE) == LK_OK;
        good = good && ops->put(&txn, k, k) == LK_OK;
        good = good && ops->commit(&txn, LK_COMMIT_DURABLE) == LK_OK;
        ops->release(&lmdb.storage, &txn);
        ops->close(&lmdb.storage);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    lmdb_help_remove(directory);
}

static void test_lmdb_files_growth(void **state)
{
    (void)state;
    static const struct lk_lmdb_config config = {
        .map_initial = 1, .map_max = 4 << 20, .flags = LK_LMDB_CREATE};
    struct lk_lmdb lmdb;
    char directory[LMDB_HELP_PATH];
    struct lk_storage_txn reader = {0};
    struct lk_storage_stat stat;
    lmdb_help_place(directory);
    assert_int_equal(lk_lmdb_init(&lmdb, directory, &config), LK_OK);
    struct lk_storage *s = &lmdb.storage;
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    /* One batch of 1 MiB in a map of 64 KiB: replayed on a larger one. */
    assert_int_equal(map_help_put(s, 0, 1000, 1000, 1, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->stat(s, &stat), LK_OK);
    assert_int_equal(stat.entries, 1000);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    /* The map can't move under a reader; the batch is not half there. */
    assert_int_equal(s->ops->begin(s, &reader, LK_READ), LK_OK);
    assert_int_equal(map_help_put(s, 1000, 1000, 1000, 1, LK_COMMIT_DURABLE), LK_E_BUSY);
    s->ops->abort(&reader);
    assert_int_equal(s->ops->stat(s, &stat), LK_OK);
    assert_int_equal(stat.entries, 1000);
    for (uint32_t i = 1000; i < 2000; i += 50) {
        assert_int_equal(map_help_put(s, i, 50, 1000, 1, LK_COMMIT_DURABLE), LK_OK);
    }
    /* To the end, and back. */
    assert_int_equal(map_help_put(s, 2000, 4000, 1000, 1, LK_COMMIT_DURABLE), LK_E_FULL);
    uint32_t count = 2000;
    int rc = LK_OK;
    while (rc == LK_OK) {
        rc = map_help_put(s, count, 10, 1000, 1, LK_COMMIT_LAZY);
        count += rc == LK_OK ? 10u : 0u;
    }
    assert_int_equal(rc, LK_E_FULL);
    assert_int_equal(s->ops->stat(s, &stat), LK_OK);
    assert_int_equal(stat.entries, count);
    assert_true(stat.free_bytes < (256u << 10));
    for (uint32_t i = 0; i < count; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "k%06u", i);
        assert_int_equal(s->ops->begin(s, &reader, LK_WRITE), LK_OK);
        rc = s->ops->remove(&reader, (struct lk_span){(const uint8_t *)key, (size_t)n});
        assert_int_equal(rc, LK_OK);
        assert_int_equal(s->ops->commit(&reader, LK_COMMIT_LAZY), LK_OK);
    }
    assert_int_equal(map_help_put(s, 0, 1500, 1000, 2, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    s->ops->release(s, &reader);
    s->ops->close(s);
    lmdb_help_remove(directory);
}

#define FILES_KEYS    3000u
#define FILES_BATCHES 20000u
#define FILES_PAGE    4096u

/* A batch of changes by chance; big values come and go within it. */
static void files_batch(struct lk_storage *s, uint64_t *seed)
{
    static uint8_t bytes[8000];
    struct lk_storage_txn txn = {0};
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    for (uint32_t i = 1 + lmdb_help_random(seed) % 6; i > 0; i--) {
        char key[16];
        int n = snprintf(key, sizeof key, "k%06u", lmdb_help_random(seed) % FILES_KEYS);
        struct lk_span k = {(const uint8_t *)key, (size_t)n};
        size_t most = lmdb_help_random(seed) % 8 == 0 ? sizeof bytes : 400;
        if (lmdb_help_random(seed) % 2 == 0) {
            struct lk_span v = {bytes, lmdb_help_random(seed) % most};
            assert_int_equal(s->ops->put(&txn, k, v), LK_OK);
        } else {
            int rc = s->ops->remove(&txn, k);
            assert_true(rc == LK_OK || rc == LK_E_NOT_FOUND);
        }
    }
    if (lmdb_help_random(seed) % 3 == 0) {
        struct lk_span k = {(const uint8_t *)"z", 1};
        struct lk_span v = {bytes, lmdb_help_random(seed) % 6000};
        assert_int_equal(s->ops->put(&txn, k, v), LK_OK);
        assert_int_equal(s->ops->remove(&txn, k), LK_OK);
    }
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_LAZY), LK_OK);
    s->ops->release(s, &txn);
}

/* Pages that the newer of the two roots counts and the file does not hold. */
static uint64_t files_missing(const char *directory)
{
    char path[LMDB_HELP_PATH];
    uint64_t newest = 0;
    uint64_t last = 0;
    size_t size;
    lmdb_help_join(path, directory, "data.mdb");
    uint8_t *raw = lmdb_help_load(path, &size);
    assert_non_null(raw);
    for (size_t at = 0; at <= FILES_PAGE; at += FILES_PAGE) {
        uint64_t number[2]; /* the last page, the transaction */
        memcpy(number, raw + at + 136, sizeof number);
        if (number[1] >= newest) {
            newest = number[1];
            last = number[0];
        }
    }
    free(raw);
    return last + 1 > size / FILES_PAGE ? last + 1 - size / FILES_PAGE : 0;
}

/*
 * LMDB counts a page that a batch takes at the end of the file and gives back, but does not write
 * it. Such a store is whole: it opens, and gets its end.
 */
static void test_lmdb_files_end_not_written(void **state)
{
    (void)state;
    struct lk_lmdb lmdb;
    char directory[LMDB_HELP_PATH];
    struct lk_storage_txn reader = {0};
    uint64_t seed = 11;
    int found = 0;
    files_make(&lmdb, directory);
    struct lk_storage *s = &lmdb.storage;
    for (uint32_t i = 0; i < FILES_BATCHES && found < 2; i++) {
        /* A reader now and then, so that freed pages cannot be used again. */
        if (reader.storage == NULL && lmdb_help_random(&seed) % 20 == 0) {
            int rc = s->ops->begin(s, &reader, LK_READ);
            assert_int_equal(rc, LK_OK);
        } else if (reader.storage != NULL && lmdb_help_random(&seed) % 20 == 0) {
            s->ops->abort(&reader);
        }
        files_batch(s, &seed);
        if (files_missing(directory) == 0) {
            continue;
        }
        uint64_t sum[2];
        uint64_t count[2];
        found++;
        s->ops->release(s, &reader);
        assert_int_equal(map_help_sum(s, &sum[0], &count[0]), LK_OK);
        s->ops->close(s);
        assert_int_equal(s->ops->open(s, LK_READ), LK_OK);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        s->ops->close(s);
        assert_true(files_missing(directory) > 0);
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
        assert_int_equal(files_missing(directory), 0);
        assert_int_equal(s->ops->scrub(s, NULL), LK_OK);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        assert_int_equal(map_help_sum(s, &sum[1], &count[1]), LK_OK);
        assert_true(sum[0] == sum[1] && count[0] == count[1]);
    }
    assert_int_equal(found, 2);
    s->ops->release(s, &reader);
    s->ops->close(s);
    lmdb_help_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s13_lmdb_files_modes),
        cmocka_unit_test(test_lmdb_files_refused),
        cmocka_unit_test(test_lmdb_files_opened_once),
        cmocka_unit_test(test_lmdb_files_publish),
        cmocka_unit_test(test_lmdb_files_growth),
        cmocka_unit_test(test_lmdb_files_growth_is_limited),
        cmocka_unit_test(test_lmdb_files_end_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
