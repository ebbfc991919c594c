// SPDX-License-Identifier: MIT
/* test_lmdb_scrub.c: what was deleted is nowhere in the file, and the rest is all there. */
#include "lmdb_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SCRUB_MARK_KEY   "PLANTED-KEY-"
#define SCRUB_MARK_VALUE "planted-value-"

static char scrub_directory[LMDB_HELP_PATH];
static const struct lk_lmdb_config scrub_config = {.map_initial = 1, .flags = LK_LMDB_CREATE};
static struct lk_lmdb scrub_lmdb;

static struct lk_storage *scrub_open(void)
{
    lmdb_help_place(scrub_directory);
    assert_int_equal(lk_lmdb_init(&scrub_lmdb, scrub_directory, &scrub_config), LK_OK);
    assert_int_equal(scrub_lmdb.storage.ops->open(&scrub_lmdb.storage, LK_WRITE), LK_OK);
    return &scrub_lmdb.storage;
}

static size_t scrub_hits(void)
{
    char path[LMDB_HELP_PATH];
    size_t size = 0;
    lmdb_help_join(path, scrub_directory, "data.mdb");
    uint8_t *raw = lmdb_help_load(path, &size);
    assert_non_null(raw);
    size_t hits = lmdb_help_count(raw, size, SCRUB_MARK_KEY, strlen(SCRUB_MARK_KEY)) +
                  lmdb_help_count(raw, size, SCRUB_MARK_VALUE, strlen(SCRUB_MARK_VALUE));
    free(raw);
    return hits;
}

/* A value that repeats its mark, so that any remnant of 32 bytes shows. */
static struct lk_span scrub_value(uint32_t i, size_t size)
{
    static uint8_t bytes[8192];
    char mark[32];
    int n = snprintf(mark, sizeof mark, SCRUB_MARK_VALUE "%04u.", i);
    for (size_t at = 0; at < size; at++) {
        bytes[at] = (uint8_t)mark[at % (size_t)n];
    }
    return (struct lk_span){bytes, size};
}

static void scrub_plant(struct lk_storage *s, uint32_t i, size_t size, bool plant)
{
    struct lk_storage_txn txn = {0};
    char key[64];
    int n = snprintf(key, sizeof key, "k%06u" SCRUB_MARK_KEY "%u", i * 7 % 1000, i);
    struct lk_span k = {(const uint8_t *)key, (size_t)n};
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    int rc = plant ? s->ops->put(&txn, k, scrub_value(i, size)) : s->ops->remove(&txn, k);
    assert_int_equal(rc, LK_OK);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
}

static void scrub_round(size_t size, uint32_t live, uint32_t planted, uint32_t later)
{
    struct lk_storage *s = scrub_open();
    uint64_t before[2];
    uint64_t after[2];
    uint64_t bytes = 0;
    assert_int_equal(map_help_put(s, 0, live, 60, 1, LK_COMMIT_DURABLE), LK_OK);
    for (uint32_t i = 0; i < planted; i++) {
        scrub_plant(s, i, size == 0 ? 1 + i * 37 % 8000 : size, true);
    }
    assert_true(scrub_hits() >= planted);
    for (uint32_t i = 0; i < planted; i++) {
        scrub_plant(s, i, 0, false);
    }
    for (uint32_t i = 0; i < later; i++) {
        assert_int_equal(map_help_put(s, i * 3 % 1000, 1, 90, i, LK_COMMIT_DURABLE), LK_OK);
    }
    size_t left = scrub_hits();
    assert_int_equal(map_help_sum(s, &before[0], &before[1]), LK_OK);
    assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
    assert_int_equal(scrub_hits(), 0);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    assert_int_equal(map_help_sum(s, &after[0], &after[1]), LK_OK);
    assert_true(before[0] == after[0] && before[1] == after[1]);
    print_message("[  figure  ] size %zu: %zu remnants before, 0 after, %llu bytes overwritten\n",
                  size, left, (unsigned long long)bytes);
    assert_true(left > 0);
    /* It goes on, and a second scrub finds little. */
    assert_int_equal(map_help_put(s, 5000, 200, 300, 9, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    s->ops->close(s);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    s->ops->close(s);
    lmdb_help_remove(scrub_directory);
}

static void test_lmdb_scrub_small_values(void **state)
{
    (void)state;
    scrub_round(40, 300, 200, 0);
    scrub_round(40, 0, 20, 0);
}

static void test_lmdb_scrub_overflow_values(void **state)
{
    (void)state;
    scrub_round(5000, 300, 60, 3);
    scrub_round(8192, 10, 60, 3);
}

static void test_lmdb_scrub_mixed_values(void **state)
{
    (void)state;
    scrub_round(0, 1000, 300, 50);
}

/* A smaller value in the pages of a larger one: the tail of the chain. */
static void test_lmdb_scrub_shrunk_value(void **state)
{
    (void)state;
    struct lk_storage *s = scrub_open();
    uint64_t bytes = 0;
    struct lk_storage_txn txn = {0};
    static uint8_t plain[8000];
    struct lk_span v;
    scrub_plant(s, 1, 8000, true);
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    char key[64];
    int n = snprintf(key, sizeof key, "k%06u" SCRUB_MARK_KEY "%u", 7u, 1u);
    struct lk_span k = {(const uint8_t *)key, (size_t)n};
    assert_int_equal(s->ops->put(&txn, k, (struct lk_span){plain, 4500}), LK_OK);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
    assert_int_equal(scrub_hits(), 1); /* the key is alive */
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_int_equal(s->ops->get(&txn, k, &v), LK_OK);
    assert_int_equal(v.size, 4500);
    s->ops->abort(&txn);
    s->ops->release(s, &txn);
    s->ops->close(s);
    lmdb_help_remove(scrub_directory);
}

#define SCRUB_LEAVES 4000u

/* Every second key of many is planted; keys with bytes and prefixes that a neighbour's successor
 * meets. */
static struct lk_span scrub_key(uint32_t i, char key[64])
{
    int n =
        snprintf(key, 64, i % 2 != 0 ? "k%06u\xff" SCRUB_MARK_KEY "%u" : "k%06u\xff\xff%u", i, i);
    return (struct lk_span){(const uint8_t *)key, (size_t)n};
}

static void scrub_leaves(struct lk_storage *s, bool planted, bool put)
{
    struct lk_storage_txn txn = {0};
    char key[64];
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    for (uint32_t i = planted ? 1 : 0; i < SCRUB_LEAVES; i += 2) {
        struct lk_span k = scrub_key(i, key);
        assert_int_equal(put ? s->ops->put(&txn, k, k) : s->ops->remove(&txn, k), LK_OK);
    }
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    s->ops->release(s, &txn);
}

/* What tells the pages of a tree apart is a key, too, and may be one that is gone. */
static void test_lmdb_scrub_branches(void **state)
{
    (void)state;
    struct lk_storage *s = scrub_open();
    uint64_t bytes = 0;
    for (unsigned round = 0; round < 3; round++) {
        struct lk_storage_txn txn = {0};
        struct lk_span v;
        char key[64];
        if (round == 0) {
            scrub_leaves(s, false, true);
        }
        scrub_leaves(s, true, true);
        scrub_leaves(s, true, false);
        assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
        assert_int_equal(scrub_hits(), 0);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
        for (uint32_t i = 0; i < SCRUB_LEAVES; i++) {
            assert_int_equal(s->ops->get(&txn, scrub_key(i, key), &v),
                             i % 2 != 0 ? LK_E_NOT_FOUND : LK_OK);
        }
        s->ops->abort(&txn);
        s->ops->release(s, &txn);
    }
    assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
    scrub_leaves(s, false, false);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    s->ops->close(s);
    lmdb_help_remove(scrub_directory);
}

static void test_lmdb_scrub_waits_for_readers(void **state)
{
    (void)state;
    struct lk_storage *s = scrub_open();
    struct lk_storage_txn txn = {0};
    uint64_t bytes = 0;
    scrub_plant(s, 1, 40, true);
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    scrub_plant(s, 1, 40, false);
    assert_int_equal(s->ops->scrub(s, &bytes), LK_E_BUSY);
    s->ops->abort(&txn);
    assert_int_equal(s->ops->scrub(s, &bytes), LK_OK); /* a slot at rest is no reader */
    assert_int_equal(scrub_hits(), 0);
    s->ops->release(s, &txn);
    s->ops->close(s);
    lmdb_help_remove(scrub_directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lmdb_scrub_small_values),
        cmocka_unit_test(test_lmdb_scrub_overflow_values),
        cmocka_unit_test(test_lmdb_scrub_mixed_values),
        cmocka_unit_test(test_lmdb_scrub_shrunk_value),
        cmocka_unit_test(test_lmdb_scrub_branches),
        cmocka_unit_test(test_lmdb_scrub_waits_for_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
