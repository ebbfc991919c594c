// SPDX-License-Identifier: MIT
/*
 * Every bit of a log flipped alone, on parts with steps of 4, 8 and 16: what was acknowledged is
 * there as it was, or check() says that something is damaged. The newest sector is what a cut
 * leaves in doubt, so that is where a damaged end must not be taken for a torn one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash_help.h"

#define KEYS 14u

static void flip_key(char key[16], unsigned number)
{
    (void)snprintf(key, 16, "key %02u", number); /* it fits */
}

static size_t flip_value(unsigned number, uint8_t value[64])
{
    size_t size = 1 + number * 11 % 50;

    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(number * 37 + i);
    }
    return size;
}

static void flip_put(struct flash_rig *rig, unsigned number)
{
    uint8_t value[64];
    char key[16];
    size_t size = flip_value(number, value);

    flip_key(key, number);
    assert_int_equal(flash_put(rig, key, value, size), LK_OK);
}

/* Two sessions; the last batch has three records. */
static struct flash_rig *flip_rig(const struct flash_geometry *geometry)
{
    struct flash_rig *rig = flash_rig_new(geometry, 1);
    struct lk_storage *s = &rig->nor.storage;
    struct lk_storage_txn txn;
    unsigned i;

    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    for (i = 0; i < 5; i++) {
        flip_put(rig, i);
    }
    s->ops->close(s);
    assert_int_equal(flash_rig_restart(rig), LK_OK);
    for (; i + 3 < KEYS; i++) {
        flip_put(rig, i);
    }
    memset(&txn, 0, sizeof(txn));
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    for (; i < KEYS; i++) {
        uint8_t value[64];
        char key[16];
        size_t size = flip_value(i, value);

        flip_key(key, i);
        assert_int_equal(s->ops->put(&txn, (struct lk_span){(const uint8_t *)key, strlen(key)},
                                     (struct lk_span){value, size}),
                         LK_OK);
    }
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    return rig;
}

struct flip_count {
    unsigned bits, whole, told, refused, silent;
    unsigned most; /* records that one bit took away, or made unreadable */
};

/* What a log with a flipped bit gives, opened to read or to write. */
static void flip_look(struct flash_rig *rig, enum lk_mode mode, struct flip_count *count)
{
    struct lk_storage *s = &rig->nor.storage;
    unsigned lost = 0;
    bool told;

    memset(&rig->nor, 0, sizeof(rig->nor));
    assert_int_equal(lk_nor_init(&rig->nor, &rig->config), LK_OK);
    count->bits++;
    if (s->ops->open(s, mode) != LK_OK) {
        count->refused++;
        return;
    }
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t value[64];
        char key[16];
        size_t size = flip_value(i, value);
        int answer;

        flip_key(key, i);
        answer = flash_expect(rig, key, value, size);
        assert_true(answer == LK_OK || answer == LK_E_CORRUPT || answer == LK_E_NOT_FOUND);
        lost += answer != LK_OK;
    }
    told = s->ops->check(s, NULL, NULL) != LK_OK;
    count->most = lost > count->most ? lost : count->most;
    count->whole += lost == 0;
    count->told += lost > 0 && told;
    count->silent += lost > 0 && !told;
    s->ops->close(s);
}

/* Of what is programmed in a sector, in whole steps. */
static uint32_t flip_end(const struct flash_rig *rig, uint32_t sector)
{
    uint32_t end = rig->geometry->sector_size;
    const uint8_t *bytes = lk_fake_flash_image(&rig->flash) + (size_t)sector * end;

    while (end > 0 && bytes[end - 1] == 0xFF) {
        end--;
    }
    return (end + 15) / 16 * 16;
}

static void flip_all(const struct flash_geometry *geometry, enum lk_mode mode)
{
    struct flash_rig *rig = flip_rig(geometry);
    uint32_t size = geometry->sector_size * geometry->sector_count;
    size_t memory_size = lk_fake_flash_memory_used(&rig->flash);
    struct flip_count count = {0, 0, 0, 0, 0, 0};
    struct lk_fake_flash flash;
    void *saved = malloc(memory_size);

    rig->nor.storage.ops->close(&rig->nor.storage);
    assert_non_null(saved);
    memcpy(saved, rig->memory, memory_size);
    flash = rig->flash;
    for (uint32_t at = 0; at < size; at++) {
        if (at % geometry->sector_size >= flip_end(rig, at / geometry->sector_size)) {
            continue; /* blank to the sector's end */
        }
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned before = count.silent;

            lk_fake_flash_flip(&rig->flash, at, bit);
            flip_look(rig, mode, &count);
            if (count.silent != before) {
                print_message("silent: %s at %u (sector %u + %u) bit %u\n", geometry->name, at,
                              at / geometry->sector_size, at % geometry->sector_size, bit);
            }
            memcpy(rig->memory, saved, memory_size);
            rig->flash = flash;
        }
    }
    print_message("%s, %s: %u bits: %u as it was, %u damaged and told, %u not opened, %u silent; "
                  "%u records at most\n",
                  geometry->name, mode == LK_READ ? "read" : "written", count.bits, count.whole,
                  count.told, count.refused, count.silent, count.most);
    assert_int_equal(count.silent, 0);
    assert_int_equal(count.refused, 0);
    assert_true(count.told > 0 && count.whole > count.bits / 10);
    free(saved);
    flash_rig_free(rig);
}

static void test_flash_flip_is_never_silent(void **state)
{
    (void)state;
    for (size_t i = 0; i < FLASH_GEOMETRY_COUNT; i++) {
        if (flash_geometries[i].sector_size <= 4096) {
            flip_all(&flash_geometries[i], LK_READ);
            flip_all(&flash_geometries[i], LK_WRITE);
        }
    }
}

/* Four bytes at a time: what no wrong bit explains. The last 64 bytes may be a torn end. */
static void test_flash_flip_of_words_is_told(void **state)
{
    (void)state;
    for (size_t g = 0; g < 4; g += 3) {
        struct flash_rig *rig = flip_rig(&flash_geometries[g]);
        uint32_t sector_size = rig->geometry->sector_size;
        uint32_t newest = rig->nor.active;
        uint32_t end = newest * sector_size + rig->nor.offset - 64;
        size_t memory_size = lk_fake_flash_memory_used(&rig->flash);
        struct flip_count count = {0, 0, 0, 0, 0, 0};
        struct lk_fake_flash flash;
        void *saved = malloc(memory_size);

        rig->nor.storage.ops->close(&rig->nor.storage);
        assert_non_null(saved);
        memcpy(saved, rig->memory, memory_size);
        flash = rig->flash;
        for (uint32_t at = newest * sector_size + 48; at < end; at += 4) {
            for (unsigned bit = 0; bit < 32; bit += 3) {
                lk_fake_flash_flip(&rig->flash, at + bit / 8, bit % 8);
            }
            flip_look(rig, LK_READ, &count);
            memcpy(rig->memory, saved, memory_size);
            rig->flash = flash;
        }
        assert_int_equal(count.silent, 0);
        assert_true(count.told > count.bits / 2);
        assert_in_range(count.most, 1, 4);
        /* The words with which a session begins have no record behind them to be missed. */
        for (uint32_t bit = 0; bit < 2 * 8 * rig->geometry->program_unit; bit++) {
            struct flip_count begin = {0, 0, 0, 0, 0, 0};
            uint32_t step = rig->geometry->program_unit < 4 ? 4 : rig->geometry->program_unit;
            uint32_t at = newest * sector_size + (40 + step - 1) / step * step + step;

            lk_fake_flash_flip(&rig->flash, at + bit / 8, bit % 8);
            flip_look(rig, LK_READ, &begin);
            assert_int_equal(begin.whole, 1);
            memcpy(rig->memory, saved, memory_size);
            rig->flash = flash;
        }
        print_message("%s: %u words: %u as it was, %u told, %u silent; %u records at most\n",
                      rig->geometry->name, count.bits, count.whole, count.told, count.silent,
                      count.most);
        free(saved);
        flash_rig_free(rig);
    }
}

/* Of a batch that was cut while its COMMIT was written, all or nothing, each time the same. */
static void test_flash_flip_of_a_torn_commit_is_all_or_nothing(void **state)
{
    unsigned all = 0, none = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct flash_rig *rig = flash_rig_new(&flash_geometries[seed % 4], seed);
        struct lk_storage *s = &rig->nor.storage;
        struct lk_storage_txn txn;
        int first, second;

        assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
        assert_int_equal(flash_put(rig, "first", "before", 6), LK_OK);
        memset(&txn, 0, sizeof(txn));
        assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->put(&txn, LK_TEXT("first"), LK_TEXT("after")), LK_OK);
        assert_int_equal(s->ops->put(&txn, LK_TEXT("second"), LK_TEXT("after")), LK_OK);
        lk_fake_flash_cut(&rig->flash, 1, LK_FAKE_FLASH_TORN, seed);
        assert_int_not_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
        s->ops->close(s);
        lk_fake_flash_power_on(&rig->flash);
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(flash_rig_restart(rig), LK_OK);
            first = flash_expect(rig, "first", "after", 5);
            second = flash_expect(rig, "second", "after", 5);
            if (first != LK_OK) {
                assert_int_equal(flash_expect(rig, "first", "before", 6), LK_OK);
            }
            assert_int_equal(first == LK_OK, second == LK_OK);
            assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
            s->ops->close(s);
            if (again == 0) {
                all += first == LK_OK;
                none += first != LK_OK;
                continue;
            }
        }
        flash_rig_free(rig);
    }
    print_message("400 torn COMMITs: %u hold, %u do not\n", all, none);
    assert_true(none > 0);
}

/* What a cut leaves of a record is no damage, however it reads. */
static void test_flash_flip_is_not_seen_in_a_torn_record(void **state)
{
    static const uint8_t value[200] = {0};
    unsigned torn = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 1200; seed++) {
        struct flash_rig *rig = flash_rig_new(&flash_geometries[seed % 4], seed);
        struct lk_storage *s = &rig->nor.storage;
        uint64_t nth = 1 + seed / 4 % 30;

        assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
        assert_int_equal(flash_put(rig, "first", "before", 6), LK_OK);
        lk_fake_flash_cut(&rig->flash, nth, LK_FAKE_FLASH_TORN, seed);
        torn += flash_put(rig, "second", value, (size_t)(seed % sizeof(value))) != LK_OK;
        s->ops->close(s);
        lk_fake_flash_power_on(&rig->flash);
        for (unsigned mode = LK_READ; mode <= LK_WRITE; mode++) {
            memset(&rig->nor, 0, sizeof(rig->nor));
            assert_int_equal(lk_nor_init(&rig->nor, &rig->config), LK_OK);
            assert_int_equal(s->ops->open(s, mode), LK_OK);
            assert_int_equal(flash_expect(rig, "first", "before", 6), LK_OK);
            assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
            s->ops->close(s);
        }
        flash_rig_free(rig);
    }
    print_message("%u torn batches\n", torn);
    assert_true(torn > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flash_flip_is_never_silent),
        cmocka_unit_test(test_flash_flip_of_words_is_told),
        cmocka_unit_test(test_flash_flip_is_not_seen_in_a_torn_record),
        cmocka_unit_test(test_flash_flip_of_a_torn_commit_is_all_or_nothing),
    };

    return cmocka_run_group_tests_name("flash_flip", tests, NULL, NULL);
}
