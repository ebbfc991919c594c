// SPDX-License-Identifier: MIT
/*
 * The harness itself: it passes a storage that is plain but right, and finds each of the mistakes
 * that a storage in flash can make.
 */
#include "toy_storage.h"

static const struct power_case *case_named(const char *name)
{
    size_t i;

    for (i = 0; i < POWER_CASE_COUNT && strcmp(power_cases[i].name, name) != 0; i++) {
    }
    assert_true(i < POWER_CASE_COUNT);
    return &power_cases[i];
}

/* True when all held; else `failure` tells what did not. */
static bool attempt(const char *name, unsigned geometry, const struct power_plan *plan,
                    char failure[256])
{
    const struct power_case *one = case_named(name);
    struct power_rig *rig = power_rig_open(&toy_backend, &power_geometries[geometry]);
    enum toy_mistake mistake = toy_mistake;
    bool good;

    toy_mistake = TOY_NONE;
    if (!one->bare) {
        power_town_build(rig);
    }
    toy_mistake = mistake;
    power_save(rig);
    good = power_try(rig, one, plan);
    memcpy(failure, rig->failure, 256);
    power_rig_close(rig);
    return good;
}

static void test_power_harness_passes_what_is_right(void **state)
{
    static const char *const names[] = {"init", "user", "login", "refused", "role"};
    struct power_plan plan = {.points = 60};
    char failure[256];
    size_t i;

    (void)state;
    toy_mistake = TOY_NONE;
    for (i = 0; i < LK_COUNT(names); i++) {
        if (!attempt(names[i], 1 + (unsigned)i % 3, &plan, failure)) {
            fail_msg("%s", failure);
        }
    }
    plan = (struct power_plan){.tail = 2, .twice = true, .second_points = 20};
    if (!attempt("audit", 4, &plan, failure)) {
        fail_msg("%s", failure);
    }
}

static void test_power_harness_finds_mistakes(void **state)
{
    static const struct {
        enum toy_mistake mistake;
        const char *name, *words;
        unsigned geometry;
        struct power_plan plan;
    } finds[] = {
        {TOY_NO_CHECKSUM, "user", "CUT=", 1, {.points = 400}},
        {TOY_EARLY, "login", "of 2 to 2", 1, {.points = 1}},
        {TOY_TRUSTS_WEAK, "role", "the state is", 4, {.tail = 2, .seeds = 64}},
        {TOY_TWO_AREAS,
         "login",
         "CUT=",
         4,
         {.tail = 2, .twice = true, .seeds = 64, .second_points = 30}},
        {TOY_NO_ERASE, "user", "not erased", 1, {.head = 9, .seeds = 32}},
        {TOY_NO_SYNC, "login", "CUT=", 1, {.points = 100}},
        {TOY_LOOPS, "user", "more calls", 3, {.head = 3, .seeds = 32}},
    };
    char failure[256];
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(finds); i++) {
        toy_mistake = finds[i].mistake;
        if (attempt(finds[i].name, finds[i].geometry, &finds[i].plan, failure)) {
            fail_msg("mistake %d was not found", (int)finds[i].mistake);
        }
        print_message("mistake %d: %s\n", (int)finds[i].mistake, failure);
        assert_non_null(strstr(failure, finds[i].words));
    }
    toy_mistake = TOY_NONE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_harness_passes_what_is_right),
        cmocka_unit_test(test_power_harness_finds_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
