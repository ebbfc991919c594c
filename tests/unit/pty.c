// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "pty.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void pty_open(struct pty *pty)
{
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(pty->master >= 0);
    assert_int_equal(grantpt(pty->master), 0);
    assert_int_equal(unlockpt(pty->master), 0);
    assert_int_equal(ptsname_r(pty->master, pty->name, sizeof pty->name), 0);
    pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(pty->slave >= 0);
    assert_int_equal(tcgetattr(pty->slave, &pty->before), 0);
    assert_true((pty->before.c_lflag & ECHO) != 0);
}

void pty_close(struct pty *pty)
{
    assert_int_equal(close(pty->slave), 0);
    assert_int_equal(close(pty->master), 0);
}

void pty_expect_as_before(const struct pty *pty)
{
    struct termios now;

    assert_int_equal(tcgetattr(pty->slave, &now), 0);
    assert_int_equal(now.c_iflag, pty->before.c_iflag);
    assert_int_equal(now.c_oflag, pty->before.c_oflag);
    assert_int_equal(now.c_cflag, pty->before.c_cflag);
    assert_int_equal(now.c_lflag, pty->before.c_lflag);
    assert_memory_equal(now.c_cc, pty->before.c_cc, sizeof now.c_cc);
    assert_int_equal(cfgetospeed(&now), cfgetospeed(&pty->before));
}

void pty_expect_echo(const struct pty *pty, bool echo)
{
    struct termios now;

    assert_int_equal(tcgetattr(pty->slave, &now), 0);
    assert_int_equal((now.c_lflag & ECHO) != 0, echo);
}

void pty_expect(const struct pty *pty, const char *text, char *shown, size_t size)
{
    size_t length = strlen(text);
    size_t count = 0;

    do {
        assert_true(count < size - 1);
        assert_int_equal(read(pty->master, shown + count, 1), 1);
        count++;
        shown[count] = '\0';
    } while (count < length || memcmp(shown + count - length, text, length) != 0);
}

void pty_type(const struct pty *pty, const void *data, size_t size)
{
    assert_int_equal(write(pty->master, data, size), size);
}
