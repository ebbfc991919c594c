// SPDX-License-Identifier: MIT
/* test_fault.c: the fault wrapper, and what RAM does with foreign or kept memory. */
#include "lk_fault.h"
#include "lk_ram.h"
#include "map_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint8_t fault_memory[1 << 18];
static struct lk_ram fault_ram;
static struct lk_fault fault_wrapper;

static struct lk_storage *fault_make(void)
{
    memset(fault_memory, 0, sizeof fault_memory);
    assert_int_equal(lk_ram_init(&fault_ram, fault_memory, sizeof fault_memory, 4096), LK_OK);
    assert_int_equal(lk_fault_init(&fault_wrapper, &fault_ram.storage), LK_OK);
    return &fault_wrapper.storage;
}

/* Two batches, a walk, a scrub; the first error ends it. */
static int fault_work(struct lk_storage *s)
{
    uint64_t sum;
    uint64_t count;
    uint64_t bytes;
    struct lk_storage_stat stat;
    int rc = s->ops->open(s, LK_WRITE);
    if (rc != LK_OK) {
        return rc;
    }
    rc = map_help_put(s, 0, 20, 50, 1, LK_COMMIT_DURABLE);
    rc = rc == LK_OK ? map_help_put(s, 10, 20, 60, 2, LK_COMMIT_DURABLE) : rc;
    rc = rc == LK_OK ? map_help_sum(s, &sum, &count) : rc;
    rc = rc == LK_OK ? s->ops->stat(s, &stat) : rc;
    rc = rc == LK_OK ? s->ops->check(s, NULL, NULL) : rc;
    rc = rc == LK_OK ? s->ops->scrub(s, &bytes) : rc;
    s->ops->close(s);
    return rc;
}

static void fault_every_call(bool for_ever)
{
    for (uint64_t n = 1;; n++) {
        struct lk_storage *s = fault_make();
        lk_fault_at(&fault_wrapper, n, for_ever, LK_E_IO);
        int rc = fault_work(s);
        if (!lk_fault_hit(&fault_wrapper)) {
            assert_int_equal(rc, LK_OK);
            assert_true(n > 80 && lk_fault_count(&fault_wrapper) == n - 1);
            return;
        }
        assert_int_equal(rc, LK_E_IO);
        /* All of a batch or nothing of it, and the store goes on. */
        lk_fault_at(&fault_wrapper, 0, false, LK_OK);
        struct lk_storage_stat stat;
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->stat(s, &stat), LK_OK);
        assert_true(stat.entries == 0 || stat.entries == 20 || stat.entries == 30);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        assert_int_equal(map_help_put(s, 0, 5, 10, 3, LK_COMMIT_DURABLE), LK_OK);
        s->ops->close(s);
    }
}

static void test_fault_once(void **state)
{
    (void)state;
    fault_every_call(false);
}

static void test_fault_for_ever(void **state)
{
    (void)state;
    fault_every_call(true);
}

static void test_fault_altered_values(void **state)
{
    (void)state;
    struct lk_storage *s = fault_make();
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor = {0};
    struct lk_span key;
    struct lk_span v;
    const struct lk_span a = LK_TEXT("a");
    const struct lk_span b = LK_TEXT("b");
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->put(&txn, a, LK_TEXT("one")), LK_OK);
    assert_int_equal(s->ops->put(&txn, b, LK_TEXT("twenty")), LK_OK);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(lk_fault_flip(&fault_wrapper, a, 8), LK_OK);
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_int_equal(s->ops->get(&txn, a, &v), LK_OK);
    assert_true(v.size == 3 && memcmp(v.data, "ooe", 3) == 0);
    lk_fault_restore(&fault_wrapper);
    assert_int_equal(lk_fault_swap(&fault_wrapper, a, b), LK_OK);
    assert_int_equal(s->ops->get(&txn, a, &v), LK_OK);
    assert_true(v.size == 6 && memcmp(v.data, "twenty", 6) == 0);
    assert_int_equal(s->ops->cursor_open(&txn, &cursor, LK_TEXT("")), LK_OK);
    assert_int_equal(s->ops->seek(&cursor, b, &key, &v), LK_OK);
    assert_true(key.size == 1 && key.data[0] == 'b');
    assert_true(v.size == 3 && memcmp(v.data, "one", 3) == 0);
    s->ops->cursor_close(&cursor);
    assert_int_equal(lk_fault_swap(&fault_wrapper, LK_TEXT("c"), LK_TEXT("d")), LK_OK);
    assert_int_equal(lk_fault_flip(&fault_wrapper, LK_TEXT("e"), 0), LK_E_LIMIT);
    s->ops->abort(&txn);
    s->ops->close(s);
}

static void test_ram_keeps_its_memory(void **state)
{
    (void)state;
    struct lk_storage *s = fault_make();
    struct lk_storage_txn txn = {0};
    struct lk_ram again;
    struct lk_span v;
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    assert_int_equal(map_help_put(s, 0, 100, 40, 1, LK_COMMIT_DURABLE), LK_OK);
    /* A handle that is lost in the middle of a batch, and a new one over the same memory. */
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->remove(&txn, LK_TEXT("k000007")), LK_OK);
    assert_int_equal(s->ops->put(&txn, LK_TEXT("new"), LK_TEXT("x")), LK_OK);
    assert_int_equal(lk_ram_init(&again, fault_memory, sizeof fault_memory, 4096), LK_OK);
    s = &again.storage;
    assert_int_equal(s->ops->open(s, LK_READ), LK_OK);
    txn = (struct lk_storage_txn){0};
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_int_equal(s->ops->get(&txn, LK_TEXT("k000007"), &v), LK_OK);
    assert_int_equal(s->ops->get(&txn, LK_TEXT("new"), &v), LK_E_NOT_FOUND);
    s->ops->abort(&txn);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    assert_int_equal(lk_ram_format(&again), LK_E_BUSY);
    s->ops->close(s);
    /* Another size, or what is no map. */
    assert_int_equal(lk_ram_init(&again, fault_memory, sizeof fault_memory / 2, 4096), LK_OK);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_CORRUPT);
    fault_memory[0] ^= 1;
    assert_int_equal(lk_ram_init(&again, fault_memory, sizeof fault_memory, 4096), LK_OK);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_E_CORRUPT);
    assert_int_equal(lk_ram_format(&again), LK_OK);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    s->ops->close(s);
    assert_int_equal(lk_ram_init(&again, fault_memory, LK_RAM_SIZE_MIN - 1, 0), LK_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_once),
        cmocka_unit_test(test_fault_for_ever),
        cmocka_unit_test(test_fault_altered_values),
        cmocka_unit_test(test_ram_keeps_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
