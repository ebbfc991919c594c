// SPDX-License-Identifier: MIT
#include "posix_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

int pipe_of(const void *data, size_t size)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], data, size), size);
    assert_int_equal(close(fds[1]), 0);
    return fds[0];
}
