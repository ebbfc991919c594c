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
#include <sys/stat.h>
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
    assert_int_equal(lmdb_help_put(s, 0, 1000, 1000, 1, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->stat(s, &stat), LK_OK);
    assert_int_equal(stat.entries, 1000);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    /* The map can't move under a reader; the batch is not half there. */
    assert_int_equal(s->ops->begin(s, &reader, LK_READ), LK_OK);
    assert_int_equal(lmdb_help_put(s, 1000, 1000, 1000, 1, LK_COMMIT_DURABLE), LK_E_BUSY);
    s->ops->abort(&reader);
    assert_int_equal(s->ops->stat(s, &stat), LK_OK);
    assert_int_equal(stat.entries, 1000);
    for (uint32_t i = 1000; i < 2000; i += 50) {
        assert_int_equal(lmdb_help_put(s, i, 50, 1000, 1, LK_COMMIT_DURABLE), LK_OK);
    }
    /* To the end, and back. */
    assert_int_equal(lmdb_help_put(s, 2000, 4000, 1000, 1, LK_COMMIT_DURABLE), LK_E_FULL);
    uint32_t count = 2000;
    int rc = LK_OK;
    while (rc == LK_OK) {
        rc = lmdb_help_put(s, count, 10, 1000, 1, LK_COMMIT_LAZY);
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
    assert_int_equal(lmdb_help_put(s, 0, 1500, 1000, 2, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    s->ops->release(s, &reader);
    s->ops->close(s);
    lmdb_help_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s13_lmdb_files_modes),   cmocka_unit_test(test_lmdb_files_refused),
        cmocka_unit_test(test_lmdb_files_opened_once), cmocka_unit_test(test_lmdb_files_publish),
        cmocka_unit_test(test_lmdb_files_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
