// SPDX-License-Identifier: MIT
/*
 * test_port_posix.c: the Linux port's clock, entropy and line reading. Terminals and signals are in
 * test_port_posix_tty.c, the device secret in test_port_posix_secret.c.
 */
#define _GNU_SOURCE

#include "lk_mbedtls.h"
#include "lk_posix.h"
#include "posix_help.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void test_port_posix_clock_goes_forward(void **state)
{
    struct lk_posix posix;
    enum lk_clock_quality quality;
    uint64_t wall;
    uint64_t last;
    uint64_t now;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.clock->wall(posix.port.self, &wall, &quality), LK_OK);
    assert_in_range(wall / 1000, (uint64_t)time(NULL) - 60, (uint64_t)time(NULL) + 60);
    assert_true(wall < 1704067200000u ? quality == LK_CLOCK_UNSET : quality >= LK_CLOCK_SET);
    assert_int_equal(posix.port.clock->monotonic(posix.port.self, &last), LK_OK);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(posix.port.clock->monotonic(posix.port.self, &now), LK_OK);
        assert_true(now >= last);
        last = now;
    }
    assert_null(posix.port.clock->set);
    lk_posix_close(&posix);
}

/* The same in every process of a boot, and never 0. */
static void test_port_posix_boot_is_the_kernels(void **state)
{
    struct lk_posix posix;
    uint64_t boot = 0, again = 0, child = 0;
    int pipes[2];
    pid_t pid;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.clock->boot(posix.port.self, &boot), LK_OK);
    assert_int_equal(posix.port.clock->boot(posix.port.self, &again), LK_OK);
    assert_true(boot != 0 && boot == again);
    assert_true(boot > UINT32_MAX && boot << 32 != 0); /* of all its digits */
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        again = 0;
        (void)posix.port.clock->boot(posix.port.self, &again);
        _exit(write(pipes[1], &again, sizeof again) == (ssize_t)sizeof again ? 0 : 1);
    }
    assert_true(pid > 0);
    assert_int_equal(read(pipes[0], &child, sizeof child), sizeof child);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(child == boot);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    lk_posix_close(&posix);
}

static void test_port_posix_services_are_there(void **state)
{
    static uint8_t random[1 << 16];
    static uint8_t other[1 << 16];
    struct lk_posix posix;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.entropy->fill(posix.port.self, random, sizeof random), LK_OK);
    assert_int_equal(posix.port.entropy->fill(posix.port.self, other, sizeof other), LK_OK);
    for (size_t i = 0; i < sizeof random; i += 32) {
        assert_memory_not_equal(random + i, other + i, 32);
    }
    assert_int_equal(posix.port.entropy->fill(posix.port.self, NULL, 0), LK_OK);
    assert_non_null(posix.port.crypto->hash);
    assert_ptr_equal(posix.port.crypto->hmac, lk_mbedtls_hmac);
    assert_int_equal(posix.port.crypto->foreign_check(posix.port.self, LK_TEXT("$1$"), NULL),
                     LK_E_UNSUPPORTED);
    assert_int_equal(
        posix.port.crypto->foreign_verify(posix.port.self, LK_TEXT("$1$"), LK_TEXT("x")),
        LK_E_UNSUPPORTED);
    assert_null(posix.port.console);
    assert_null(posix.port.flash);
    assert_null(posix.port.counter);
    posix.port.lock->take(posix.port.self);
    posix.port.lock->give(posix.port.self);
    lk_posix_close(&posix);
}

static void expect_line(int fd, size_t size, int expected, const char *line)
{
    char out[64];
    static const char wiped[64];

    memset(out, 0x5A, sizeof out);
    assert_int_equal(lk_posix_read_secret_line(fd, "never shown: ", out, size), expected);
    if (expected >= 0) {
        assert_string_equal(out, line);
    } else {
        assert_memory_equal(out, wiped, size);
    }
}

static void test_port_posix_secret_lines_of_a_pipe(void **state)
{
    static const char input[] = "first\n"
                                "second\r\n"
                                "\n"
                                "\r\n"
                                "in\rside\n"
                                "two\r\r\n"
                                "12345678\n"
                                "12345678\r\n"
                                "123456789\n"
                                "12345678\r1\n"
                                "nul\0inside\n"
                                "nul and much too long \0 for it\n"
                                "after\n"
                                "no end";
    int fd = pipe_of(input, sizeof input - 1);

    (void)state;
    expect_line(fd, 9, 5, "first");
    expect_line(fd, 9, 6, "second");
    expect_line(fd, 9, 0, "");
    expect_line(fd, 9, 0, "");
    expect_line(fd, 9, 7, "in\rside");
    expect_line(fd, 9, 4, "two\r");
    expect_line(fd, 9, 8, "12345678");
    expect_line(fd, 9, 8, "12345678");
    expect_line(fd, 9, LK_E_TOO_BIG, NULL);
    expect_line(fd, 9, LK_E_TOO_BIG, NULL);
    expect_line(fd, 9, LK_E_USAGE, NULL);
    expect_line(fd, 9, LK_E_USAGE, NULL);
    expect_line(fd, 9, 5, "after");
    expect_line(fd, 9, 6, "no end");
    expect_line(fd, 9, LK_E_NOT_FOUND, NULL);
    assert_int_equal(close(fd), 0);

    fd = pipe_of("cr at the end\r", 14);
    expect_line(fd, 64, 14, "cr at the end\r");
    assert_int_equal(close(fd), 0);
    fd = pipe_of("\nx\n", 3);
    expect_line(fd, 1, 0, "");
    expect_line(fd, 1, LK_E_TOO_BIG, NULL);
    assert_int_equal(close(fd), 0);
}

static void test_port_posix_secret_line_leaves_the_next_unread(void **state)
{
    int fd = pipe_of("one\ntwo\n", 8);
    char rest[8];

    (void)state;
    expect_line(fd, 9, 3, "one");
    assert_int_equal(read(fd, rest, sizeof rest), 4);
    assert_memory_equal(rest, "two\n", 4);
    assert_int_equal(close(fd), 0);
}

static void test_port_posix_secret_line_of_a_bad_descriptor(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(lk_posix_read_secret_line(-1, NULL, out, sizeof out), LK_E_IO);
    assert_int_equal(lk_posix_read_secret_line(0, NULL, out, 0), LK_E_ARGUMENT);
    assert_int_equal(lk_posix_read_secret_line(0, NULL, NULL, 8), LK_E_ARGUMENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_posix_clock_goes_forward),
        cmocka_unit_test(test_port_posix_boot_is_the_kernels),
        cmocka_unit_test(test_port_posix_services_are_there),
        cmocka_unit_test(test_port_posix_secret_lines_of_a_pipe),
        cmocka_unit_test(test_port_posix_secret_line_leaves_the_next_unread),
        cmocka_unit_test(test_port_posix_secret_line_of_a_bad_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
