// SPDX-License-Identifier: MIT
/*
 * test_flash.c: what is particular to the map in flash: first boot, wear, work of a commit, room
 * that is kept back, erasure, damage, what a tally costs. Power cuts are in tests/power/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash_help.h"

static uint8_t filler[4000];

static struct lk_storage *flash_open(struct flash_rig *rig)
{
    assert_int_equal(flash_rig_restart(rig), LK_OK);
    return &rig->nor.storage;
}

static void flash_key_of(char out[8], unsigned n)
{
    (void)snprintf(out, 8, "k%05u", n % 100000);
}

static void test_flash_first_boot(void **state)
{
    static const struct {
        uint8_t fill;
        const char *text; /* at the start of the region, or NULL */
        uint32_t flags;
        int answer;
    } rows[] = {
        {0xFF, NULL, 0, LK_E_NOT_FOUND},
        {0x00, NULL, 0, LK_E_NOT_FOUND},
        {0xFF, NULL, LK_NOR_FORMAT, LK_OK},
        {0x00, NULL, LK_NOR_FORMAT, LK_OK},
        {0xFF, "somebody's", LK_NOR_FORMAT, LK_E_EXISTS},
        {0xFF, "somebody's", 0, LK_E_EXISTS},
        {0x5A, NULL, LK_NOR_FORMAT, LK_E_EXISTS},
        {0x5A, NULL, LK_NOR_FORMAT | LK_NOR_OVERWRITE, LK_OK},
        {0xFF, "somebody's", LK_NOR_OVERWRITE, LK_OK},
    };
    (void)state;
    for (size_t g = 0; g < FLASH_GEOMETRY_COUNT; g++) {
        const struct flash_geometry *geometry = &flash_geometries[g];
        size_t size = (size_t)geometry->sector_size * geometry->sector_count;
        uint8_t *image = malloc(size);
        uint8_t *after = malloc(size);
        assert_non_null(image);
        assert_non_null(after);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct flash_rig *rig = flash_rig_new(geometry, 1);
            memset(image, rows[i].fill, size);
            if (rows[i].text != NULL) {
                memcpy(image, rows[i].text, strlen(rows[i].text));
            }
            assert_int_equal(lk_fake_flash_load(&rig->flash, 0, image, size), LK_OK);
            rig->config.flags = rows[i].flags;
            assert_int_equal(flash_rig_restart(rig), rows[i].answer);
            if (rows[i].answer == LK_OK) {
                assert_int_equal(flash_put(rig, "a", "1", 1), LK_OK);
                rig->config.flags = 0;
                assert_int_equal(flash_rig_restart(rig), LK_OK);
                assert_int_equal(flash_expect(rig, "a", "1", 1), LK_OK);
            } else {
                memcpy(after, lk_fake_flash_image(&rig->flash), size);
                assert_memory_equal(after, image, size);
            }
            flash_rig_free(rig);
        }
        free(image);
        free(after);
    }
}

static void test_flash_newer_and_other_geometry_are_left_alone(void **state)
{
    struct flash_rig *rig = flash_rig_new(&flash_geometries[1], 1);
    struct lk_storage *s = flash_open(rig);
    (void)state;
    assert_int_equal(flash_put(rig, "a", "1", 1), LK_OK);
    s->ops->close(s);
    rig->config.flags = 0;
    rig->config.sector_count = 8; /* the same part, taken for a smaller region */
    assert_int_equal(flash_rig_restart(rig), LK_E_NOT_FOUND);
    rig->config.first_sector = 8; /* where the store is, by other numbers */
    assert_int_not_equal(flash_rig_restart(rig), LK_OK);
    flash_rig_free(rig);
}

static void test_flash_arguments(void **state)
{
    struct flash_rig *rig = flash_rig_new(&flash_geometries[3], 1);
    struct lk_nor_config config = rig->config;
    struct lk_nor nor;
    (void)state;
    config.value_max = LK_NOR_VALUE_LIMIT(4096) + 1;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_ARGUMENT);
    config.value_max = 100;
    config.cache = NULL;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_SPACE);
    config.cache = rig->cache;
    config.cache_size = LK_NOR_CACHE_SIZE(100) - 1;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_SPACE);
    config.cache_size = LK_NOR_CACHE_SIZE(100);
    assert_int_equal(lk_nor_init(&nor, &config), LK_OK);
    config.index_size = 16;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_SPACE);
    config.index_size = rig->config.index_size;
    config.sector_count = 3;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_ARGUMENT);
    config.sector_count = 17;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_ARGUMENT);
    config.sector_count = 0;
    config.first_sector = 13;
    assert_int_equal(lk_nor_init(&nor, &config), LK_E_ARGUMENT);
    assert_int_equal(lk_nor_init(&nor, NULL), LK_E_ARGUMENT);
    assert_true(sizeof(struct lk_nor) <= 512);
    flash_rig_free(rig);
}

/* One fresh unit in space that is erased: nothing more, and nothing twice (the model sees to it).
 */
static void test_flash_tally_costs_one_unit(void **state)
{
    (void)state;
    for (size_t g = 0; g < FLASH_GEOMETRY_COUNT; g++) {
        struct flash_rig *rig = flash_rig_new(&flash_geometries[g], 1);
        struct lk_storage *s = flash_open(rig);
        struct lk_storage_txn txn = {0};
        uint32_t count = 0;
        assert_int_equal(flash_put(rig, "a", "1", 1), LK_OK);
        for (uint32_t i = 1; i <= 20; i++) {
            uint64_t before = rig->flash.stat.programmed_bytes;
            assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
            assert_int_equal(s->ops->tally(&txn, (struct lk_span){(const uint8_t *)"a", 1}, &count),
                             LK_OK);
            assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
            assert_int_equal(count, i);
            assert_int_equal(rig->flash.stat.programmed_bytes - before,
                             LK_NOR_STEP(flash_geometries[g].program_unit));
        }
        flash_rig_free(rig);
    }
}

/*
 * A commit's own bytes are copied nine times at most, rounded up by a record and what sectors
 * need, in a store that is as full as growing allows.
 */
static void test_flash_commit_work_is_bounded(void **state)
{
    (void)state;
    for (size_t g = 0; g < FLASH_GEOMETRY_COUNT; g++) {
        const struct flash_geometry *geometry = &flash_geometries[g];
        struct flash_rig *rig = flash_rig_new(geometry, 1);
        (void)flash_open(rig);
        char key[8];
        unsigned count = 0;
        size_t size = geometry->sector_size > 4096 ? 1000 : 60;
        int rc = LK_OK;
        for (; rc == LK_OK; count++) {
            flash_key_of(key, count);
            rc = flash_put(rig, key, filler, size);
        }
        assert_int_equal(rc, LK_E_FULL);
        assert_true(count > 1);
        count = count > 1 ? count : 2; /* the analyser does not know assert_true() */
        uint64_t most = 0;
        uint64_t most_erases = 0;
        uint32_t seed = 7;
        uint64_t total = rig->flash.stat.programmed_bytes;
        for (unsigned i = 0; i < 4000; i++) {
            seed = seed * 1664525u + 1013904223u;
            flash_key_of(key, (seed >> 8) % (count - 1));
            uint64_t bytes = rig->flash.stat.programmed_bytes;
            uint64_t erases = rig->flash.stat.erases;
            assert_int_equal(flash_put(rig, key, filler, size), LK_OK);
            bytes = rig->flash.stat.programmed_bytes - bytes;
            erases = rig->flash.stat.erases - erases;
            most = bytes > most ? bytes : most;
            most_erases = erases > most_erases ? erases : most_erases;
        }
        uint64_t own = size + 6 + 8 + 2u * geometry->program_unit + 8;
        total = rig->flash.stat.programmed_bytes - total;
        print_message(
            "%-13s full with %u: a commit programs %llu times its own bytes at most, %llu "
            "on average, and erases %llu\n",
            geometry->name, count, (unsigned long long)(most / own),
            (unsigned long long)(total / 4000 / own), (unsigned long long)most_erases);
        assert_true(most <= 10 * own + (own + 16) + 3 * 64);
        assert_true(most_erases <= 3);
        flash_rig_free(rig);
    }
}

/* Full for what grows, never for what does not; and the room comes back. */
static void test_flash_full_still_replaces_and_removes(void **state)
{
    (void)state;
    for (size_t g = 0; g < FLASH_GEOMETRY_COUNT; g++) {
        const struct flash_geometry *geometry = &flash_geometries[g];
        for (uint32_t seed = 1; seed <= 6; seed++) {
            struct flash_rig *rig = flash_rig_new(geometry, seed);
            struct lk_storage *s = flash_open(rig);
            char key[8];
            uint32_t random = seed;
            unsigned count = 0;
            static uint16_t sizes[100000];
            size_t most = rig->nor.storage.value_max < 1500 ? rig->nor.storage.value_max : 1500;
            int rc = LK_OK;
            while (rc == LK_OK) {
                random = random * 1664525u + 1013904223u;
                sizes[count] = (uint16_t)((random >> 8) % (seed % 2 == 0 ? 100 : most));
                flash_key_of(key, count);
                rc = flash_put(rig, key, filler, sizes[count]);
                count += rc == LK_OK ? 1 : 0;
            }
            assert_int_equal(rc, LK_E_FULL);
            for (unsigned i = 0; i < 1500; i++) {
                random = random * 1664525u + 1013904223u;
                unsigned n = (random >> 8) % (count > 0 ? count : 1);
                flash_key_of(key, n);
                rc = flash_put(rig, key, filler, sizes[n]);
                if (rc != LK_OK) {
                    fail_msg("%s, seed %u, put %u: %d; %u keys, live %u", geometry->name, seed, i,
                             rc, count, rig->nor.live_bytes);
                }
                if (i % 300 == 299) {
                    assert_int_equal(flash_rig_restart(rig), LK_OK);
                }
            }
            assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
            for (unsigned i = 0; i < count; i++) {
                flash_key_of(key, i);
                assert_int_equal(flash_remove(rig, key), LK_OK);
            }
            assert_int_equal(flash_stat(rig).entries, 0);
            assert_int_equal(flash_put(rig, "again", filler, most), LK_OK);
            flash_rig_free(rig);
        }
    }
}

/* All sectors take part, whatever is changed. */
static void test_flash_wear_is_even(void **state)
{
    (void)state;
    for (size_t g = 0; g < FLASH_GEOMETRY_COUNT; g++) {
        struct flash_rig *rig = flash_rig_new(&flash_geometries[g], 1);
        struct lk_storage *s = flash_open(rig);
        char key[8];
        uint32_t least = 0;
        uint32_t most = 0;
        for (unsigned i = 0; i < 40; i++) {
            flash_key_of(key, i);
            assert_int_equal(flash_put(rig, key, filler, 100), LK_OK);
        }
        for (unsigned i = 0; least < 10; i++) {
            assert_int_equal(flash_put(rig, "hot", filler, 700), LK_OK);
            lk_fake_flash_wear(&rig->flash, &least, &most);
        }
        assert_true(most <= least + 1);
        struct lk_storage_stat stat = flash_stat(rig);
        assert_int_equal(stat.erase_min, least);
        assert_int_equal(stat.erase_max, most);
        assert_int_equal(stat.erase_count, rig->flash.stat.erases);
        assert_int_equal(stat.programmed_bytes, rig->flash.stat.programmed_bytes);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        flash_rig_free(rig);
    }
}

static size_t flash_hits(const struct flash_rig *rig, const char *text)
{
    const uint8_t *image = lk_fake_flash_image(&rig->flash);
    size_t size = (size_t)rig->geometry->sector_size * rig->geometry->sector_count;
    size_t length = strlen(text);
    size_t hits = 0;
    for (size_t i = 0; i + length <= size; i++) {
        hits += memcmp(image + i, text, length) == 0 ? 1u : 0u;
    }
    return hits;
}

static void test_flash_scrub_leaves_nothing(void **state)
{
    (void)state;
    for (size_t g = 0; g < FLASH_GEOMETRY_COUNT; g++) {
        struct flash_rig *rig = flash_rig_new(&flash_geometries[g], 1);
        struct lk_storage *s = flash_open(rig);
        char key[16];
        uint64_t bytes = 0;
        for (unsigned i = 0; i < 30; i++) {
            (void)snprintf(key, sizeof key, "planted-k%u", i);
            assert_int_equal(flash_put(rig, key, "planted-secret", 14), LK_OK);
            assert_int_equal(flash_put(rig, "kept", "planted-old", 11), LK_OK);
        }
        for (unsigned i = 0; i < 30; i++) {
            (void)snprintf(key, sizeof key, "planted-k%u", i);
            assert_int_equal(flash_remove(rig, key), LK_OK);
        }
        assert_int_equal(flash_put(rig, "kept", "new", 3), LK_OK);
        assert_true(flash_hits(rig, "planted") >= 30);
        assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
        assert_true(bytes > 0);
        assert_int_equal(flash_hits(rig, "planted"), 0);
        assert_int_equal(flash_expect(rig, "kept", "new", 3), LK_OK);
        uint64_t erases = rig->flash.stat.erases;
        assert_int_equal(s->ops->scrub(s, &bytes), LK_OK); /* nothing is dead now */
        assert_int_equal(bytes, 0);
        assert_int_equal(rig->flash.stat.erases, erases);
        assert_int_equal(flash_rig_restart(rig), LK_OK);
        assert_int_equal(flash_expect(rig, "kept", "new", 3), LK_OK);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        flash_rig_free(rig);
    }
}

/* A scrub cut anywhere and begun again ends with nothing left. */
static void test_flash_scrub_is_cut(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct flash_rig *rig = flash_rig_new(&flash_geometries[0], n);
        struct lk_storage *s = flash_open(rig);
        uint64_t bytes = 0;
        for (unsigned i = 0; i < 12; i++) {
            char key[8];
            flash_key_of(key, i);
            assert_int_equal(flash_put(rig, key, "planted-secret", 14), LK_OK);
            assert_int_equal(flash_put(rig, key, "well", 4), LK_OK);
        }
        lk_fake_flash_cut(&rig->flash, n, LK_FAKE_FLASH_TORN, n);
        int rc = s->ops->scrub(s, &bytes);
        bool cut = lk_fake_flash_is_off(&rig->flash);
        assert_true(cut == (rc != LK_OK));
        assert_int_equal(flash_rig_restart(rig), LK_OK);
        assert_int_equal(s->ops->scrub(s, &bytes), LK_OK);
        assert_int_equal(flash_hits(rig, "planted"), 0);
        assert_int_equal(flash_expect(rig, "k00007", "well", 4), LK_OK);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        flash_rig_free(rig);
        if (!cut) {
            break;
        }
    }
}

/* Every bit of a small store, flipped alone: nothing wrong is believed, and check tells. */
static void test_flash_damage_is_not_believed(void **state)
{
    struct flash_rig *rig = flash_rig_new(&flash_geometries[0], 1);
    struct lk_storage *s = flash_open(rig);
    unsigned told = 0;
    unsigned refused = 0;
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char key[8];
        flash_key_of(key, i);
        assert_int_equal(flash_put(rig, key, "the value", 9), LK_OK);
    }
    s->ops->close(s);
    size_t size = lk_fake_flash_memory_used(&rig->flash);
    void *saved = malloc(size);
    assert_non_null(saved);
    memcpy(saved, rig->memory, size);
    struct lk_fake_flash flash = rig->flash;
    uint32_t start = 15 * 1024 + 48;
    for (uint32_t bit = 0; bit < 4 * 48 * 8; bit++) {
        lk_fake_flash_flip(&rig->flash, start + bit / 8, bit % 8);
        int rc = flash_rig_restart(rig);
        refused += rc != LK_OK ? 1 : 0;
        if (rc == LK_OK) {
            int answer = flash_expect(rig, "k00001", "the value", 9);
            assert_true(answer == LK_OK || answer == LK_E_CORRUPT || answer == LK_E_NOT_FOUND);
            told += s->ops->check(s, NULL, NULL) != LK_OK ? 1 : 0;
            s->ops->close(s);
        }
        memcpy(rig->memory, saved, size);
        rig->flash = flash;
    }
    print_message("1536 bits flipped alone: %u told by check, %u not opened\n", told, refused);
    assert_true(told > 500);
    free(saved);
    flash_rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flash_first_boot),
        cmocka_unit_test(test_flash_newer_and_other_geometry_are_left_alone),
        cmocka_unit_test(test_flash_arguments),
        cmocka_unit_test(test_flash_tally_costs_one_unit),
        cmocka_unit_test(test_flash_commit_work_is_bounded),
        cmocka_unit_test(test_flash_full_still_replaces_and_removes),
        cmocka_unit_test(test_flash_wear_is_even),
        cmocka_unit_test(test_flash_scrub_leaves_nothing),
        cmocka_unit_test(test_flash_scrub_is_cut),
        cmocka_unit_test(test_flash_damage_is_not_believed),
    };
    return cmocka_run_group_tests_name("storage/flash", tests, NULL, NULL);
}
