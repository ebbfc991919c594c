// SPDX-License-Identifier: MIT
/* cmocka.c: runs tests one after the other; a failed one goes on at the next. */
#include "cmocka.h"

#include <string.h>

static struct {
    jmp_buf next;
    const char *name;
    size_t number;
    enum { TEST_PASSED, TEST_FAILED, TEST_SKIPPED } now;
} cmocka;

static _Noreturn void cmocka_leave(void)
{
    (void)fflush(stdout);
    longjmp(cmocka.next, 1);
}

/* The first failure of a test is its line; another one, in its teardown, only says what it was. */
static void cmocka_failed(void)
{
    if (cmocka.now != TEST_FAILED) {
        (void)printf("not ok %zu - %s\n", cmocka.number, cmocka.name);
    }
    cmocka.now = TEST_FAILED;
}

void cmocka_fail(const char *file, int line, const char *format, ...)
{
    va_list list;

    cmocka_failed();
    (void)printf("# %s:%d: ", file, line);
    va_start(list, format);
    (void)vprintf(format, list);
    va_end(list);
    (void)printf("\n");
    cmocka_leave();
}

void _fail(const char *file, int line)
{
    cmocka_fail(file, line, "failed");
}

void _skip(const char *file, int line)
{
    (void)file;
    (void)line;
    if (cmocka.now == TEST_PASSED) {
        cmocka.now = TEST_SKIPPED;
    }
    cmocka_leave();
}

void cmocka_number(uint64_t a, uint64_t b, int equal, const char *file, int line)
{
    if ((a == b) != (equal != 0)) {
        cmocka_fail(file, line, "0x%llx %s 0x%llx", (unsigned long long)a,
                    equal ? "!=" : "==", (unsigned long long)b);
    }
}

void cmocka_range(uint64_t value, uint64_t least, uint64_t most, const char *file, int line)
{
    if (value < least || value > most) {
        cmocka_fail(file, line, "%llu is not within %llu to %llu", (unsigned long long)value,
                    (unsigned long long)least, (unsigned long long)most);
    }
}

void cmocka_text(const char *a, const char *b, int equal, const char *file, int line)
{
    if ((strcmp(a, b) == 0) != (equal != 0)) {
        cmocka_fail(file, line, "\"%s\" %s \"%s\"", a, equal ? "!=" : "==", b);
    }
}

void cmocka_bytes(const void *a, const void *b, size_t size, int equal, const char *file, int line)
{
    const unsigned char *x = a, *y = b;
    size_t at = 0;

    while (at < size && x[at] == y[at]) {
        at++;
    }
    if ((at == size) != (equal != 0)) {
        cmocka_fail(file, line, equal ? "byte %zu of %zu differs" : "%zu bytes of %zu are the same",
                    at, size);
    }
}

/* A fixture of a test, or of the group. */
static void cmocka_fixture(CMFixtureFunction fixture, void **state, const char *what)
{
    if (fixture && setjmp(cmocka.next) == 0 && fixture(state) != 0) {
        cmocka_failed();
        (void)printf("# its %s failed\n", what);
    }
}

static void cmocka_run(const struct CMUnitTest *test, void *group)
{
    static void *state; /* kept over longjmp */

    state = test->initial_state ? test->initial_state : group;
    cmocka.name = test->name;
    cmocka.now = TEST_PASSED;
    cmocka_fixture(test->setup_func, &state, "setup");
    if (cmocka.now == TEST_PASSED) {
        if (setjmp(cmocka.next) == 0) {
            test->test_func(&state);
        }
        cmocka_fixture(test->teardown_func, &state, "teardown");
    }
    if (cmocka.now == TEST_PASSED) {
        (void)printf("ok %zu - %s\n", cmocka.number, test->name);
    } else if (cmocka.now == TEST_SKIPPED) {
        (void)printf("ok %zu # SKIP %s\n", cmocka.number, test->name);
    }
    (void)fflush(stdout);
}

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                            CMFixtureFunction setup, CMFixtureFunction teardown)
{
    static void *state;
    int failed = 0;
    size_t i;

    (void)printf("1..%zu\n", count);
    cmocka.name = name;
    cmocka_fixture(setup, &state, "setup");
    if (cmocka.now != TEST_PASSED) {
        return 1; /* the plan says how many tests this failed */
    }
    for (i = 0; i < count; i++) {
        cmocka.number = i + 1;
        cmocka_run(&tests[i], state);
        failed += cmocka.now == TEST_FAILED;
    }
    cmocka.name = name;
    cmocka.now = TEST_PASSED;
    cmocka_fixture(teardown, &state, "teardown");
    return failed + (cmocka.now == TEST_FAILED);
}
