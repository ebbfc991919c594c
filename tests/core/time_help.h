// SPDX-License-Identifier: MIT
/* time_help.h: what tests of the clock share. */
#ifndef LK_TEST_TIME_HELP_H
#define LK_TEST_TIME_HELP_H

#include "bench.h"
#include "lk_engine.h"

/* "field=value" of the bench's tenant. */
void time_policy(struct bench *bench, const char *words);
/* Something is written, so that the time is seen. */
void time_seen(struct bench *bench);
/* Checks the token, and notes the use. */
int time_touch(struct bench *bench, const char *token);
uint64_t time_now(struct bench *bench, enum lk_clock_quality *quality);

#endif
