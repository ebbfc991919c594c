// SPDX-License-Identifier: MIT
/*
 * The same random operations on LMDB, RAM and flash and on a plain model: the same answers and the
 * same content; and on flash alone with power cut at random.
 *
 * LATCHKEY_SEED=n runs that seed, LATCHKEY_STEPS=n so many operations.
 */
#include "map_help.h"
#include "map_run.h"

#define STEPS 40000

static struct map_run run;
static struct lk_ram ram;
static uint64_t ram_memory[(256u << 10) / 8];

static uint64_t number_of(const char *name, uint64_t instead)
{
    const char *text = getenv(name);

    return text && text[0] ? strtoull(text, NULL, 10) : instead;
}

/* Such that content and the largest batch fit: a fifth of the flash at most. */
static size_t entries_of(const struct power_rig *rig)
{
    size_t kib = (size_t)rig->geometry->sector_size * rig->geometry->sector_count / 1024;

    return 2 * kib < MAP_ENTRIES ? 2 * kib : MAP_ENTRIES;
}

/* The same storage again, as after a restart; or its own upkeep. */
static void upkeep(struct lk_storage *storage, uint32_t what)
{
    uint64_t bytes;

    switch (what) {
    case 0:
        assert_int_equal(storage->ops->scrub ? storage->ops->scrub(storage, &bytes) : 0, 0);
        break;
    case 1:
        assert_int_equal(storage->ops->check ? storage->ops->check(storage, NULL, NULL) : 0, 0);
        break;
    case 2: assert_int_equal(storage->ops->compact ? storage->ops->compact(storage) : 0, 0); break;
    default:
        storage->ops->close(storage);
        assert_int_equal(storage->ops->open(storage, LK_WRITE), 0);
        break;
    }
}

static void test_differential_three_storages(void **state)
{
    uint64_t seed = number_of("LATCHKEY_SEED", 4), steps = number_of("LATCHKEY_STEPS", STEPS);
    struct power_rig *rig = power_rig_open(&power_backend_nor, &power_geometries[seed % 4]);
    struct lk_storage *lmdb = map_help_lmdb(LK_VALUE_MAX);
    uint64_t sums[MAP_STORES], count = 0, batches = 0;
    size_t i;

    (void)state;
    memset(&run, 0, sizeof(run));
    memset(ram_memory, 0, sizeof(ram_memory));
    assert_int_equal(lk_ram_init(&ram, ram_memory, sizeof(ram_memory), LK_VALUE_MAX), 0);
    run.storages[0] = &ram.storage;
    run.storages[1] = rig->storage;
    run.storages[2] = lmdb;
    run.storage_count = lmdb ? MAP_STORES : MAP_STORES - 1;
    run.seed = seed;
    run.entries_max = entries_of(rig);
    run.value_max = MAP_VALUE;
    for (i = 0; i < run.storage_count; i++) {
        assert_int_equal(run.storages[i]->ops->open(run.storages[i], LK_WRITE), 0);
    }
    map_begin(&run);
    while (run.operations < steps) {
        assert_int_equal(map_batch(&run), 0);
        if (++batches % 64 == 0) {
            assert_int_equal(map_compare(&run, &run.kept), 0);
        }
        if (batches % 97 == 0) {
            for (i = 0; i < run.storage_count; i++) {
                run.storages[i]->ops->release(run.storages[i], &run.txns[i]);
                upkeep(run.storages[i], (uint32_t)(batches / 97 % 6));
            }
        }
    }
    assert_int_equal(map_compare(&run, &run.kept), 0);
    for (i = 0; i < run.storage_count; i++) {
        run.storages[i]->ops->release(run.storages[i], &run.txns[i]);
        assert_int_equal(map_help_sum(run.storages[i], &sums[i], &count), 0);
        assert_true(sums[i] == sums[0]);
        run.storages[i]->ops->close(run.storages[i]);
    }
    print_message("LATCHKEY_SEED=%llu, %s: %llu operations, %llu commits, %llu entries alike; %llu "
                  "sectors erased\n",
                  (unsigned long long)seed, rig->geometry->name, (unsigned long long)run.operations,
                  (unsigned long long)run.commits, (unsigned long long)count,
                  (unsigned long long)rig->flash.stat.erases);
    assert_string_equal(rig->failure, "");
    map_help_lmdb_drop();
    power_rig_close(rig);
}

static void cut_on(const struct power_geometry *geometry, uint64_t seed, uint64_t steps)
{
    struct power_rig *rig = power_rig_open(&power_backend_nor, geometry);
    uint64_t cuts = 0;
    int error = 0;

    memset(&run, 0, sizeof(run));
    run.storages[0] = rig->storage;
    run.storage_count = 1;
    run.seed = seed;
    run.entries_max = entries_of(rig);
    run.value_max = MAP_VALUE;
    run.may_fail = true;
    assert_int_equal(rig->storage->ops->open(rig->storage, LK_WRITE), 0);
    map_begin(&run);
    while (run.operations < steps) {
        uint32_t after = 1 + map_random(&run, map_random(&run, 2) ? 60 : 1200);

        lk_fake_flash_cut(&rig->flash, after, (enum lk_fake_flash_moment)map_random(&run, 3),
                          map_random(&run, UINT32_MAX));
        while (!error && run.operations < steps) {
            error = map_batch(&run);
        }
        if (error && !lk_fake_flash_is_off(&rig->flash)) {
            fail_msg("LATCHKEY_SEED=%llu on %s, operation %llu: %d with no power cut",
                     (unsigned long long)seed, geometry->name, (unsigned long long)run.operations,
                     error);
        }
        /* While it opens, power may go again. */
        while (lk_fake_flash_is_off(&rig->flash)) {
            cuts++;
            memset(run.txns, 0, sizeof(run.txns));
            lk_fake_flash_power_on(&rig->flash);
            if (map_random(&run, 3) == 0) {
                lk_fake_flash_cut(&rig->flash, 1 + map_random(&run, 40),
                                  (enum lk_fake_flash_moment)map_random(&run, 3),
                                  map_random(&run, UINT32_MAX));
            }
            power_mount(rig);
            run.storages[0] = rig->storage;
            error = rig->storage->ops->open(rig->storage, LK_WRITE);
            if (error && !lk_fake_flash_is_off(&rig->flash)) {
                fail_msg("LATCHKEY_SEED=%llu on %s, operation %llu: it does not open: %d",
                         (unsigned long long)seed, geometry->name,
                         (unsigned long long)run.operations, error);
            }
        }
        lk_fake_flash_cut(&rig->flash, 0, LK_FAKE_FLASH_BEFORE, 0);
        error = map_settle(&run);
        if (error) {
            fail_msg("LATCHKEY_SEED=%llu on %s, operation %llu: neither old nor new after a cut "
                     "(%d: %s)",
                     (unsigned long long)seed, geometry->name, (unsigned long long)run.operations,
                     error, run.difference);
        }
        if (rig->failure[0]) {
            fail_msg("LATCHKEY_SEED=%llu on %s, operation %llu: %s", (unsigned long long)seed,
                     geometry->name, (unsigned long long)run.operations, rig->failure);
        }
    }
    rig->storage->ops->close(rig->storage);
    print_message("LATCHKEY_SEED=%llu, %s: %llu operations, %llu commits, %llu power cuts\n",
                  (unsigned long long)seed, geometry->name, (unsigned long long)run.operations,
                  (unsigned long long)run.commits, (unsigned long long)cuts);
    power_rig_close(rig);
}

static void test_differential_with_power_cuts(void **state)
{
    uint64_t seed = number_of("LATCHKEY_SEED", 0), steps = number_of("LATCHKEY_STEPS", STEPS);
    size_t i;

    (void)state;
    for (i = 0; i < POWER_GEOMETRY_COUNT; i++) {
        cut_on(&power_geometries[i], seed ? seed : 100 + i, steps / POWER_GEOMETRY_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differential_three_storages),
        cmocka_unit_test(test_differential_with_power_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
