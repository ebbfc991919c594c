// SPDX-License-Identifier: MIT
/* lk_posix_parts.h: what the files of this folder share. Private to it. */
#ifndef LK_POSIX_PARTS_H
#define LK_POSIX_PARTS_H

#include "lk_posix.h"

#include <termios.h>

/* lk_posix_secret.c; `self` is struct lk_posix. */
extern const struct lk_secret lk_posix_secret;
/* Reads exactly 32 bytes up to the end of `fd`. LK_E_SECRET, LK_E_IO; `secret` is then wiped. */
int lk_posix_secret_take(int fd, uint8_t secret[LK_DEVICE_SECRET_SIZE]);

/* lk_posix.c */
int lk_posix_entropy_fill(void *self, uint8_t *out, size_t size);
int lk_posix_clock_monotonic(void *self, uint64_t *ms);

/*
 * lk_posix_tty.c: a terminal whose mode is changed for a while, and put back whatever happens.
 * Enters `mode` on `fd` by tcsetattr's `action`; answers a guard (0 or more), LK_E_LIMIT when too
 * many are held, LK_E_IO. Guards on one terminal are left in the reverse order.
 */
int lk_posix_tty_enter(int fd, const struct termios *mode, int action);
void lk_posix_tty_leave(int guard);
/*
 * Waits for `events` on `fd` like poll(), and no longer than until a signal was handled, in
 * whichever thread and however shortly before. Answers poll()'s revents, 0 when there are none
 * (time ran out, or a signal: look at the two counts below), LK_E_IO. `guard` -1: no terminal.
 */
int lk_posix_tty_wait(int guard, int fd, short events, int timeout_ms);
/* How often the mode was put on again, after a stop or a handled signal. */
unsigned lk_posix_tty_resumed(int guard);
/* How many signals that end a program were handled by the program itself. */
unsigned lk_posix_tty_interrupts(void);

#endif
