// SPDX-License-Identifier: MIT
/*
 * Flash that cannot be read: the Nth read fails, once or from then on, for every N. Each answer is
 * right or LK_E_IO, what was acknowledged stays, and what was refused has not happened.
 */
#include "flash_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEYS  5
#define SIZE  60
#define STEPS 24

static const struct flash_geometry small = {"1Kx8/8 read", 1024, 8, 8, false, 120};

static uint32_t reads, fail_at;
static bool fail_on;

static int failing_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    reads++;
    if (fail_at != 0 && (reads == fail_at || (fail_on && reads > fail_at))) {
        return LK_E_IO;
    }
    return lk_fake_flash_ops.read(self, address, out, size);
}

/* What is in the map: 0 nothing, else what the value is made of. */
struct model {
    uint8_t values[KEYS];
    unsigned tally; /* of key 0 */
    uint8_t unsure; /* keys whose last change was refused when it was in the flash already */
};

static const char *const names[KEYS] = {"alpha", "beta", "gamma", "gamma2", "omega"};

static bool refused(int rc)
{
    return rc == LK_E_IO || rc == LK_E_READ_ONLY;
}

static void change(struct flash_rig *rig, struct model *model, unsigned step)
{
    unsigned key = step * 7 % KEYS;
    uint8_t value[SIZE];
    bool remove = step % 6 == 5;
    memset(value, (int)step + 1, sizeof value);
    int rc = remove ? flash_remove(rig, names[key]) : flash_put(rig, names[key], value, SIZE);
    if (rc == LK_OK) {
        model->values[key] = remove ? 0 : (uint8_t)(step + 1);
        model->tally = key == 0 ? 0 : model->tally;
    } else if (rc == LK_E_NOT_FOUND) {
        assert_true(remove && model->values[key] == 0);
    } else {
        assert_true(refused(rc));
        model->unsure |= rig->nor.broken || rig->nor.lost ? (uint8_t)(1u << key) : 0;
    }
}

static void tally(struct flash_rig *rig, struct model *model)
{
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_txn txn = {0};
    struct lk_span key = {(const uint8_t *)names[0], strlen(names[0])};
    uint32_t count = 0;
    if (s->ops->begin(s, &txn, LK_WRITE) != LK_OK) {
        return;
    }
    int rc = s->ops->tally(&txn, key, &count);
    int end = s->ops->commit(&txn, LK_COMMIT_DURABLE);
    rc = rc != LK_OK ? rc : end;
    if (rc == LK_OK) {
        assert_int_equal(count, ++model->tally);
    } else {
        assert_true(refused(rc) || (rc == LK_E_NOT_FOUND && model->values[0] == 0));
        model->unsure |= rig->nor.broken || rig->nor.lost ? 1 : 0;
    }
}

/* One at a time, and all of them in their order. `sure`: nothing may fail any more. */
static void look(struct flash_rig *rig, const struct model *model, bool sure)
{
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor = {0};
    struct lk_span key, value;
    uint8_t want[SIZE];
    uint32_t count = 0;
    unsigned i = 0;
    for (unsigned k = 0; k < KEYS; k++) {
        memset(want, model->values[k], sizeof want);
        int rc = flash_expect(rig, names[k], want, SIZE);
        bool right = rc == (model->values[k] != 0 ? LK_OK : LK_E_NOT_FOUND);
        if ((model->unsure >> k & 1) == 0 && !right && (sure || rc != LK_E_IO)) {
            fail_msg("read %u fails: %s answers %d", fail_at, names[k], rc);
        }
    }
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    key = (struct lk_span){(const uint8_t *)names[0], strlen(names[0])};
    int rc = s->ops->tallied(&txn, key, &count);
    assert_true((model->unsure & 1) != 0 || (!sure && rc == LK_E_IO) ||
                (rc == LK_OK ? count == model->tally : model->values[0] == 0));
    rc = s->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0});
    rc = rc == LK_OK ? s->ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value) : rc;
    while (rc == LK_OK && model->unsure == 0) {
        while (model->values[i] == 0) {
            assert_true(++i < KEYS);
        }
        assert_int_equal(key.size, strlen(names[i]));
        assert_memory_equal(key.data, names[i], key.size);
        assert_int_equal(value.data[SIZE - 1], model->values[i]);
        i++;
        rc = s->ops->next(&cursor, &key, &value);
    }
    while (rc == LK_E_NOT_FOUND && model->unsure == 0 && i < KEYS) {
        assert_int_equal(model->values[i++], 0);
    }
    assert_true(rc == LK_E_NOT_FOUND || (!sure && rc == LK_E_IO) || model->unsure != 0);
    s->ops->cursor_close(&cursor);
    s->ops->abort(&txn);
}

static void go(struct flash_rig *rig, struct model *model)
{
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_stat stat;
    uint64_t bytes = 0;
    int rc = flash_rig_restart(rig);
    if (rc != LK_OK) {
        assert_int_equal(rc, LK_E_IO);
        return;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        change(rig, model, step);
        if (step % 4 == 3) {
            tally(rig, model);
        }
    }
    look(rig, model, false);
    rc = s->ops->scrub(s, &bytes);
    assert_true(rc == LK_OK || refused(rc));
    rc = s->ops->check(s, NULL, NULL);
    assert_true(rc == LK_OK || rc == LK_E_IO);
    rc = s->ops->stat(s, &stat);
    assert_true(rc == LK_OK || rc == LK_E_IO);
    look(rig, model, false);
    s->ops->close(s);
}

static void every_read_fails(bool on)
{
    struct lk_flash flash = lk_fake_flash_ops;
    uint32_t last = 0;
    flash.read = failing_read;
    fail_on = on;
    do {
        struct flash_rig *rig = flash_rig_new(&small, 1);
        struct model model = {{0}, 0, 0};
        rig->config.flash = &flash;
        reads = 0;
        fail_at = 0;
        assert_int_equal(flash_rig_restart(rig), LK_OK);
        change(rig, &model, 1);
        change(rig, &model, 4);
        rig->nor.storage.ops->close(&rig->nor.storage);
        reads = 0;
        fail_at = ++last;
        go(rig, &model);
        bool met = reads >= fail_at;
        fail_at = 0;
        /* Readable again, all is as it was told. */
        assert_int_equal(flash_rig_restart(rig), LK_OK);
        look(rig, &model, true);
        assert_int_equal(rig->nor.storage.ops->check(&rig->nor.storage, NULL, NULL), LK_OK);
        assert_int_equal(flash_put(rig, "again", "1", 1), LK_OK);
        rig->nor.storage.ops->close(&rig->nor.storage);
        flash_rig_free(rig);
        last = met ? last + (last < 2000 ? 0 : last % 7) : UINT32_MAX;
    } while (last != UINT32_MAX);
    print_message("%u reads\n", reads);
}

static void test_one_read_fails(void **state)
{
    (void)state;
    every_read_fails(false);
}

static void test_reads_fail_from_then_on(void **state)
{
    (void)state;
    every_read_fails(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_read_fails),
        cmocka_unit_test(test_reads_fail_from_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
