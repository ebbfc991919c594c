// SPDX-License-Identifier: MIT
/* test_lmdb_pack.c: a store laid out anew holds the same, on full pages, at every cut. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_help.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PACK_ENTRIES 6000u
#define PACK_RUN     3u /* of neighbours a batch */

static const struct lk_lmdb_config pack_create = {.map_initial = 1, .flags = LK_LMDB_CREATE};

struct pack_place {
    struct lk_lmdb lmdb;
    struct lk_storage *storage;
    char directory[LMDB_HELP_PATH];
    uint64_t sum, count;
};

static void pack_open(struct pack_place *place)
{
    assert_int_equal(place->storage->ops->open(place->storage, LK_WRITE), LK_OK);
}

static void pack_close(struct pack_place *place)
{
    place->storage->ops->close(place->storage);
}

/* Keys are put here and there between others, in batches: pages are half full, and some are free.
 */
static void pack_make(struct pack_place *place)
{
    lmdb_help_place(place->directory);
    assert_int_equal(lk_lmdb_init(&place->lmdb, place->directory, &pack_create), LK_OK);
    place->storage = &place->lmdb.storage;
    pack_open(place);
    for (uint32_t at = 0; at < PACK_ENTRIES; at += PACK_RUN) {
        uint32_t first = (uint32_t)(at * UINT64_C(37) % PACK_ENTRIES);
        assert_int_equal(map_help_put(place->storage, first, PACK_RUN, 60, 1, LK_COMMIT_LAZY),
                         LK_OK);
    }
    assert_int_equal(map_help_put(place->storage, 100, 1, 60, 7, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(map_help_sum(place->storage, &place->sum, &place->count), LK_OK);
    assert_int_equal(place->count, PACK_ENTRIES);
}

static uint64_t pack_file_size(const struct pack_place *place, const char *name)
{
    char path[LMDB_HELP_PATH];
    struct stat st;
    lmdb_help_join(path, place->directory, name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void pack_same(struct pack_place *place)
{
    uint64_t sum, count;
    pack_open(place);
    assert_int_equal(map_help_sum(place->storage, &sum, &count), LK_OK);
    assert_int_equal(count, place->count);
    assert_int_equal(sum, place->sum);
    assert_int_equal(place->storage->ops->check(place->storage, NULL, NULL), LK_OK);
    /* It can be written, and read by whoever opens it next. */
    assert_int_equal(map_help_put(place->storage, 100, 1, 60, 7, LK_COMMIT_DURABLE), LK_OK);
    pack_close(place);
    assert_int_equal(pack_file_size(place, "data.mdb.part"), 0);
}

static int pack_count_progress(void *context, uint64_t done, uint64_t total)
{
    unsigned *calls = context;
    assert_true(done <= total && total == PACK_ENTRIES);
    (*calls)++;
    return 0;
}

static void test_lmdb_pack_fills_pages(void **state)
{
    (void)state;
    struct pack_place place;
    struct stat st;
    char path[LMDB_HELP_PATH];
    unsigned calls = 0;
    pack_make(&place);
    pack_close(&place);
    uint64_t before = pack_file_size(&place, "data.mdb");
    assert_int_equal(lk_lmdb_pack(place.directory, pack_count_progress, &calls), LK_OK);
    assert_int_equal(calls, 1);
    uint64_t after = pack_file_size(&place, "data.mdb");
    /* A key has 7 bytes, a value 60, a node 10 besides: two pages in a hundred for the branches. */
    assert_true(after < PACK_ENTRIES * (7 + 60 + 10) * 11 / 10);
    assert_true(after < before * 2 / 3);
    lmdb_help_join(path, place.directory, "data.mdb");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    pack_same(&place);
    /* Once more: what is packed stays so. */
    assert_int_equal(lk_lmdb_pack(place.directory, NULL, NULL), LK_OK);
    assert_true(pack_file_size(&place, "data.mdb") <= after);
    pack_same(&place);
    lmdb_help_remove(place.directory);
}

static void test_lmdb_pack_is_refused_while_open(void **state)
{
    (void)state;
    struct pack_place place;
    int ready[2], over[2];
    char byte = 0;
    pack_make(&place);
    assert_int_equal(lk_lmdb_pack(place.directory, NULL, NULL), LK_E_BUSY); /* this process */
    pack_close(&place);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(over), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lk_lmdb lmdb;
        bool good = lk_lmdb_init(&lmdb, place.directory, NULL) == LK_OK &&
                    lmdb.storage.ops->open(&lmdb.storage, LK_READ) == LK_OK;
        good = good && write(ready[1], &byte, 1) == 1 && read(over[0], &byte, 1) == 1;
        _exit(good ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(lk_lmdb_pack(place.directory, NULL, NULL), LK_E_BUSY); /* another one */
    assert_int_equal(write(over[1], &byte, 1), 1);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(lk_lmdb_pack(place.directory, NULL, NULL), LK_OK);
    pack_same(&place);
    lmdb_help_remove(place.directory);
    for (unsigned i = 0; i < 2; i++) {
        (void)close(ready[i]);
        (void)close(over[i]);
    }
}

static int pack_stop(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    (void)done;
    (void)total;
    return LK_E_LIMIT;
}

static void test_lmdb_pack_leaves_all_where_it_fails(void **state)
{
    (void)state;
    struct pack_place place;
    char path[LMDB_HELP_PATH];
    uint8_t *image;
    size_t size;
    pack_make(&place);
    pack_close(&place);
    assert_int_equal(lk_lmdb_pack(place.directory, pack_stop, NULL), LK_E_LIMIT);
    pack_same(&place);
    assert_int_equal(lk_lmdb_pack(NULL, NULL, NULL), LK_E_ARGUMENT);
    /* What is damaged is not mapped, and not packed. */
    lmdb_help_join(path, place.directory, "data.mdb");
    image = lmdb_help_load(path, &size);
    assert_non_null(image);
    for (size_t at = 2 * 4096; at + 4096 <= size; at += 4096) {
        image[at + 12] = 0xFF; /* where the free space of a page begins */
        image[at + 13] = 0xFF;
    }
    assert_true(lmdb_help_save(path, image, size));
    assert_int_equal(lk_lmdb_pack(place.directory, NULL, NULL), LK_E_CORRUPT);
    uint8_t *after = lmdb_help_load(path, &size);
    assert_non_null(after);
    assert_memory_equal(after, image, size);
    free(after);
    free(image);
    lmdb_help_remove(place.directory);
    assert_int_equal(lk_lmdb_pack(place.directory, NULL, NULL), LK_E_NOT_FOUND);
}

/* A file that a cut left is overwritten and gone when the store is next opened for writing. */
static void test_lmdb_pack_clears_what_a_cut_left(void **state)
{
    (void)state;
    struct pack_place place;
    char path[LMDB_HELP_PATH];
    static const char left[] = "what somebody purged since";
    pack_make(&place);
    pack_close(&place);
    lmdb_help_join(path, place.directory, "data.mdb.part");
    assert_true(lmdb_help_save(path, left, sizeof left));
    assert_int_equal(chmod(path, 0600), 0);
    int fd = -1;
    FILE *file = fopen(path, "rb"); /* keeps what was there readable */
    assert_non_null(file);
    pack_same(&place);
    char now[sizeof left];
    fd = fileno(file);
    assert_int_equal(pread(fd, now, sizeof now, 0), sizeof now);
    for (size_t i = 0; i < sizeof now; i++) {
        assert_int_equal(now[i], 0);
    }
    (void)fclose(file);
    lmdb_help_remove(place.directory);
}

/* Killed at any moment it is the whole store, packed or not. */
static void test_lmdb_pack_killed(void **state)
{
    (void)state;
    struct pack_place place;
    unsigned finished = 0, killed = 0;
    pack_make(&place);
    pack_close(&place);
    for (useconds_t wait = 0; wait < 24000; wait += wait < 4000 ? 250 : 1000) {
        pid_t child = fork();
        if (child == 0) {
            _exit(lk_lmdb_pack(place.directory, NULL, NULL) == LK_OK ? 0 : 1);
        }
        assert_true(child > 0);
        (void)usleep(wait); /* any moment will do: nothing is waited for */
        (void)kill(child, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        finished += WIFEXITED(status);
        killed += WIFSIGNALED(status);
        assert_true(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
        pack_same(&place);
    }
    assert_true(finished + killed > 0 && killed > 0);
    lmdb_help_remove(place.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lmdb_pack_fills_pages),
        cmocka_unit_test(test_lmdb_pack_is_refused_while_open),
        cmocka_unit_test(test_lmdb_pack_leaves_all_where_it_fails),
        cmocka_unit_test(test_lmdb_pack_clears_what_a_cut_left),
        cmocka_unit_test(test_lmdb_pack_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
