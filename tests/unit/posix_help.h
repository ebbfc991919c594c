// SPDX-License-Identifier: MIT
/* posix_help.h: descriptors for the tests of the Linux port. */
#ifndef LK_TEST_POSIX_HELP_H
#define LK_TEST_POSIX_HELP_H

#include <stddef.h>

/* The reading end of a pipe that gives `size` bytes and ends. */
int pipe_of(const void *data, size_t size);

#endif
