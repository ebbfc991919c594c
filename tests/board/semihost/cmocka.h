// SPDX-License-Identifier: MIT
/*
 * cmocka.h: what the tests use of cmocka, for programs without an operating system.
 *
 * The names and meanings are cmocka's, the output is TAP as run_test.sh reads it. No mocks, no
 * checks of its own on memory; a fault of the processor is left to the emulator and the time limit.
 */
#ifndef LK_SEMIHOST_CMOCKA_H
#define LK_SEMIHOST_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

/* How many tests failed. */
int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                            CMFixtureFunction setup, CMFixtureFunction teardown);
_Noreturn void _fail(const char *file, int line);
_Noreturn void _skip(const char *file, int line);
_Noreturn void cmocka_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cmocka_number(uint64_t a, uint64_t b, int equal, const char *file, int line);
void cmocka_range(uint64_t value, uint64_t least, uint64_t most, const char *file, int line);
void cmocka_text(const char *a, const char *b, int equal, const char *file, int line);
void cmocka_bytes(const void *a, const void *b, size_t size, int equal, const char *file, int line);

#define cmocka_unit_test(f)              cmocka_unit_test_setup_teardown(f, NULL, NULL)
#define cmocka_unit_test_setup(f, setup) cmocka_unit_test_setup_teardown(f, setup, NULL)
#define cmocka_unit_test_setup_teardown(f, s, t)                                                   \
    {                                                                                              \
#f, f, s, t, NULL                                                                          \
    }
#define cmocka_run_group_tests(tests, setup, end)                                                  \
    cmocka_run_group_tests_name(#tests, tests, setup, end)
#define cmocka_run_group_tests_name(name, tests, setup, end)                                       \
    _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, end)

#define print_message (void)printf
#define print_error   (void)printf
#define skip()        _skip(__FILE__, __LINE__)
#define fail()        _fail(__FILE__, __LINE__)
#define fail_msg(...) cmocka_fail(__FILE__, __LINE__, __VA_ARGS__)

#define cmocka_holds(condition, text)                                                              \
    ((condition) ? (void)0 : cmocka_fail(__FILE__, __LINE__, "%s", text))
#define assert_true(c)         cmocka_holds(c, #c)
#define assert_false(c)        cmocka_holds(!(c), "!(" #c ")")
#define assert_non_null(p)     cmocka_holds((p) != NULL, #p " != NULL")
#define assert_null(p)         cmocka_holds((p) == NULL, #p " == NULL")
#define assert_ptr_equal(a, b) cmocka_holds((const void *)(a) == (const void *)(b), #a " == " #b)
#define assert_int_equal(a, b) cmocka_number((uint64_t)(a), (uint64_t)(b), 1, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    cmocka_number((uint64_t)(a), (uint64_t)(b), 0, __FILE__, __LINE__)
#define assert_in_range(value, least, most)                                                        \
    cmocka_range((uint64_t)(value), (uint64_t)(least), (uint64_t)(most), __FILE__, __LINE__)
#define assert_string_equal(a, b)           cmocka_text(a, b, 1, __FILE__, __LINE__)
#define assert_string_not_equal(a, b)       cmocka_text(a, b, 0, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size)     cmocka_bytes(a, b, size, 1, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, size) cmocka_bytes(a, b, size, 0, __FILE__, __LINE__)

#endif
