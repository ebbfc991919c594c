// SPDX-License-Identifier: MIT
/*
 * lk_lent.h: a stack that is painted, and a password hash in memory that other things have at other
 * times, the lower end of the stack among them.
 *
 * The linker script gives __stack_low and __stack_top; the startup paints what is between them.
 */
#ifndef LK_LENT_H
#define LK_LENT_H

#include "lk_port.h"

struct lk_lent_figures {
    size_t stack_size;
    size_t stack_spare; /* that was never used */
    size_t hash_spare;  /* between the memory of a hash and the stack above it, at the least */
};
void lk_lent_look(struct lk_lent_figures *figures);
/* False when the stack has reached its end: what lies below it may be spoilt. */
bool lk_lent_sound(void);

/* lk_small_pwhash_step in job->work, which may reach into the stack as long as enough of it is left
 * to hash on: else LK_E_CRYPTO. */
int lk_lent_pwhash_step(void *self, struct lk_pwhash_job *job);

#endif
