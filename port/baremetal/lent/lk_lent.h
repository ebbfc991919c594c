// SPDX-License-Identifier: MIT
/*
 * lk_lent.h: a password hash in memory that other things have at other times, the lower end of the
 * stack among them.
 */
#ifndef LK_LENT_H
#define LK_LENT_H

#include "lk_port.h"

/* lk_small_pwhash_step in job->work, which may reach into the stack as long as enough of it is left
 * to hash on: else LK_E_CRYPTO. */
int lk_lent_pwhash_step(void *self, struct lk_pwhash_job *job);

#endif
