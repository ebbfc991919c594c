// SPDX-License-Identifier: MIT
/* pty.h: a pseudo-terminal, and somebody who sits at it. */
#ifndef LK_TEST_PTY_H
#define LK_TEST_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* Two processes that wait for each other must not hang a test run. */
#define PTY_TIME_LIMIT_S 60

struct pty {
    int master;
    int slave; /* kept open, so that the modes outlive the children */
    char name[64];
    struct termios before;
};

void pty_open(struct pty *pty);
void pty_close(struct pty *pty);
void pty_type(const struct pty *pty, const void *data, size_t size);
/* Reads what the terminal shows until it ends in `text`; all of it goes to `shown`. */
void pty_expect(const struct pty *pty, const char *text, char *shown, size_t size);
/* Its modes are those that it had when it was opened. */
void pty_expect_as_before(const struct pty *pty);
void pty_expect_echo(const struct pty *pty, bool echo);

#endif
