// SPDX-License-Identifier: MIT
/*
 * Sectors that go bad, one by one and all together at the end of their life: what was acknowledged
 * stays readable, and what cannot be written any more is refused with an error that says so.
 *
 * LATCHKEY_SEED=n takes that seed throughout, LATCHKEY_ROUNDS=n as many seeds.
 */
#include "map_run.h"

#define BATCHES 1000
#define FAILED  20 /* batches in a row that fail before the part counts as worn out */

static struct map_run run;

static const char *const fault_names[LK_FAKE_FLASH_FAULT_COUNT] = {
    "sound", "reads wrong", "refuses erase", "refuses program", "silent", "intermittent"};

struct life_end {
    const struct power_geometry *geometry;
    enum lk_fake_flash_fault fault;
    uint64_t seed;
    int error; /* of the last batch */
    uint64_t failed, full, batches;
};

static void end_fail(const struct life_end *end, const char *what, int error)
{
    fail_msg("LATCHKEY_SEED=%llu, %s, %s, operation %llu: %s (%d: %s)",
             (unsigned long long)end->seed, end->geometry->name, fault_names[end->fault],
             (unsigned long long)run.operations, what, error,
             error == LK_E_FAULTS ? run.difference : lk_strerror(error));
}

static struct power_rig *end_open(struct life_end *end)
{
    struct power_rig *rig = power_rig_open(&power_backend_nor, end->geometry);
    int error = rig->storage->ops->open(rig->storage, LK_WRITE);

    if (error) {
        end_fail(end, "opening a new part", error);
    }
    memset(&run, 0, sizeof(run));
    run.storages[0] = rig->storage;
    run.storage_count = 1;
    run.seed = end->seed;
    run.entries_max = 100;
    run.value_max = 300;
    run.may_fail = true;
    map_begin(&run);
    return rig;
}

/* All that was acknowledged, by this handle and by a new one. */
static void end_compare(struct life_end *end, struct power_rig *rig)
{
    int error = map_compare(&run, &run.kept);

    if (error) {
        end_fail(end, "content is not what was acknowledged", error);
    }
    rig->storage->ops->close(rig->storage);
    power_mount(rig);
    run.storages[0] = rig->storage;
    memset(run.txns, 0, sizeof(run.txns));
    error = rig->storage->ops->open(rig->storage, LK_WRITE);
    if (error) {
        end_fail(end, "it does not open again", error);
    }
    error = map_compare(&run, &run.kept);
    if (error) {
        end_fail(end, "opened again, content is not what was acknowledged", error);
    }
}

static void end_batch(struct life_end *end, struct power_rig *rig)
{
    int error = map_batch(&run);

    end->batches++;
    if (error && error != LK_E_FULL && error != LK_E_READ_ONLY && error != LK_E_IO) {
        end_fail(end, "the error does not tell what it is", error);
    }
    end->failed = error ? end->failed + 1 : 0;
    end->error = error;
    end->full += error == LK_E_FULL;
    if (error || end->batches % 50 == 0) {
        end_compare(end, rig);
    }
    if (rig->failure[0]) {
        end_fail(end, rig->failure, 0);
    }
}

/* A sector goes bad now and then, up to a quarter of them. */
static void bad_sectors(const struct power_geometry *geometry, enum lk_fake_flash_fault fault,
                        uint64_t seed)
{
    struct life_end end = {.geometry = geometry, .fault = fault, .seed = seed};
    struct power_rig *rig = end_open(&end);
    uint32_t bad = 0;

    while (end.batches < BATCHES) {
        if (bad < geometry->sector_count / 4 && map_random(&run, BATCHES / 20) == 0) {
            lk_fake_flash_fault_set(&rig->flash, map_random(&run, geometry->sector_count), fault);
            bad++;
        }
        end_batch(&end, rig);
    }
    if (end.failed > 1) {
        end_fail(&end, "nothing can be written though three quarters are sound", end.error);
    }
    rig->storage->ops->close(rig->storage);
    print_message("%-7s %-15s %3u bad sectors, %llu commits\n", geometry->name, fault_names[fault],
                  bad, (unsigned long long)run.commits);
    power_rig_close(rig);
}

/* Every sector wears out after so many erases; until nothing can be written. */
static void worn_out(const struct power_geometry *geometry, enum lk_fake_flash_fault fault,
                     uint64_t seed)
{
    struct life_end end = {.geometry = geometry, .fault = fault, .seed = seed};
    struct power_rig *rig = end_open(&end);
    uint32_t least, most, i;

    for (i = 0; i < geometry->sector_count; i++) {
        rig->flash.sectors[i].endurance = 12 + i % 5;
    }
    rig->flash.config.worn = fault;
    while (end.failed < FAILED) {
        end_batch(&end, rig);
        if (end.batches > 200000) {
            end_fail(&end, "it goes on though every sector is worn out", 0);
        }
    }
    lk_fake_flash_wear(&rig->flash, &least, &most);
    rig->storage->ops->close(rig->storage);
    print_message("%-7s %-15s worn out after %llu commits, sectors erased %u to %u times\n",
                  geometry->name, fault_names[fault], (unsigned long long)run.commits, least, most);
    power_rig_close(rig);
}

static uint64_t number_of(const char *name, uint64_t instead)
{
    const char *text = getenv(name);

    return text && text[0] ? strtoull(text, NULL, 10) : instead;
}

/* Runs `one` for each fault, on one geometry after the other. */
static void each(void (*one)(const struct power_geometry *geometry, enum lk_fake_flash_fault fault,
                             uint64_t seed),
                 unsigned geometries)
{
    uint64_t seed = number_of("LATCHKEY_SEED", 0), rounds = number_of("LATCHKEY_ROUNDS", 1), round;
    unsigned fault;

    for (round = 0; round < rounds; round++) {
        for (fault = 1; fault < LK_FAKE_FLASH_FAULT_COUNT; fault++) {
            one(&power_geometries[(fault + round) % geometries], (enum lk_fake_flash_fault)fault,
                seed ? seed : 10 * round + fault);
        }
    }
}

static void test_bad_sectors_lose_nothing(void **state)
{
    (void)state;
    each(bad_sectors, 4);
}

static void test_worn_out_parts_stay_readable(void **state)
{
    (void)state;
    each(worn_out, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_sectors_lose_nothing),
        cmocka_unit_test(test_worn_out_parts_stay_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
