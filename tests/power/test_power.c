// SPDX-License-Identifier: MIT
/*
 * Every case on every geometry, with power cut at every flash operation; the usual run takes a
 * sample of the cuts.
 *
 * Double cuts: each operation of the case before or torn in two ways, then each operation of what
 * follows (opening, two writes of entries as they are, opening again) likewise.
 *
 * LATCHKEY_POWER=full (or single, double) takes all, but of pairs where there are millions a
 * sample; LATCHKEY_CASE=name or name/geometry, LATCHKEY_CUT=id only these
 * (`make power`).
 */
#include "power.h"

#include <time.h>

#define SAMPLE        60 /* cuts of a case on a geometry in the usual run */
#define SAMPLE_DOUBLE 6  /* first cuts, each with so many second ones */
#define SAMPLE_SECOND 20

static bool asked(const char *what)
{
    const char *text = getenv("LATCHKEY_POWER");

    return text && strcmp(text, what) == 0;
}

static bool full(void)
{
    return asked("full") || asked("single") || asked("double");
}

/* "name" or "name/geometry". */
static bool wanted(const struct power_case *one, const struct power_geometry *geometry)
{
    const char *text = getenv("LATCHKEY_CASE");
    size_t size = strlen(one->name);

    return !text || !text[0] ||
           (strncmp(text, one->name, size) == 0 &&
            (!text[size] || (text[size] == '/' && strcmp(text + size + 1, geometry->name) == 0)));
}

/* Of the processor. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Figures of the whole run. */
static struct {
    uint64_t points, runs, failures, mount_calls, mount_bytes, mount_operations;
} totals;

static void try_one(const struct power_case *one, const struct power_geometry *geometry,
                    const struct power_plan *plan)
{
    struct power_rig *rig = power_rig_open(&power_backend_nor, geometry);
    double from = seconds();
    uint64_t size = (uint64_t)geometry->sector_size * geometry->sector_count;

    if (one->setup) {
        one->setup(rig);
    } else if (!one->bare) {
        power_town_build(rig);
    }
    power_save(rig);
    if (!power_try(rig, one, plan)) {
        print_error("%s\n", rig->failure);
        totals.failures++;
    }
    print_message("%-10s %-7s %5llu operations, %s %8llu cut points, %5.1f s\n", one->name,
                  geometry->name, (unsigned long long)rig->operations,
                  plan->twice ? "double" : "single", (unsigned long long)rig->points,
                  seconds() - from);
    totals.points += rig->points;
    totals.runs++;
    if (rig->mount_operations > totals.mount_operations) {
        totals.mount_operations = rig->mount_operations;
    }
    if (rig->mount_calls > totals.mount_calls) {
        totals.mount_calls = rig->mount_calls;
    }
    if (rig->mount_bytes * 1024 / size > totals.mount_bytes) {
        totals.mount_bytes = rig->mount_bytes * 1024 / size;
    }
    power_rig_close(rig);
}

/* Bytes programmed one by one; and collecting of any but the smallest sectors. */
static bool too_many_pairs(const struct power_case *one, const struct power_geometry *geometry)
{
    return geometry->program_unit == 1 ||
           (strcmp(one->name, "collection") == 0 && geometry->sector_size > 1024);
}

static void try_all(const struct power_plan *plan, const char *const *names, size_t count)
{
    const char *cut = getenv("LATCHKEY_CUT");
    struct power_plan only = {.cut = cut && cut[0] ? cut : NULL};
    size_t i, geometry, n;

    memset(&totals, 0, sizeof(totals));
    for (i = 0; i < POWER_CASE_COUNT; i++) {
        bool listed = !names;

        for (n = 0; n < count; n++) {
            listed = listed || strcmp(names[n], power_cases[i].name) == 0;
        }
        for (geometry = 0; listed && geometry < POWER_GEOMETRY_COUNT; geometry++) {
            struct power_plan now = only.cut ? only : *plan;

            if (now.twice && full() &&
                too_many_pairs(&power_cases[i], &power_geometries[geometry])) {
                now.points = 100;
            }
            if (wanted(&power_cases[i], &power_geometries[geometry])) {
                try_one(&power_cases[i], &power_geometries[geometry], &now);
            }
        }
    }
    print_message("%llu cut points in %llu runs, %llu failures; opening took at most %llu flash "
                  "calls, %llu bytes read through them per KiB of store, %llu operations\n",
                  (unsigned long long)totals.points, (unsigned long long)totals.runs,
                  (unsigned long long)totals.failures, (unsigned long long)totals.mount_calls,
                  (unsigned long long)totals.mount_bytes,
                  (unsigned long long)totals.mount_operations);
    assert_int_equal(totals.failures, 0);
}

static void test_power_single_cuts(void **state)
{
    struct power_plan plan = {.points = full() ? 0 : SAMPLE};

    (void)state;
    if (asked("double")) {
        skip();
    }
    try_all(&plan, NULL, 0);
}

static void test_power_double_cuts(void **state)
{
    static const char *const names[] = {"user", "audit", "collection"};
    struct power_plan plan = {.twice = true,
                              .points = full() ? 0 : SAMPLE_DOUBLE,
                              .second_points = full() ? 0 : SAMPLE_SECOND,
                              .seeds = 2};

    const char *cut = getenv("LATCHKEY_CUT");

    (void)state;
    /* The one cut that is asked for, single or double, was tried. */
    if (asked("single") || (cut && cut[0])) {
        skip();
    }
    try_all(&plan, names, LK_COUNT(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_single_cuts),
        cmocka_unit_test(test_power_double_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
