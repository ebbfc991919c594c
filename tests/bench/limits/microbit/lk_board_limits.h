// SPDX-License-Identifier: MIT
/* The micro:bit's limits, on a processor whose pointers are larger. */
#ifndef LK_BENCH_LIMITS_H
#define LK_BENCH_LIMITS_H

#include "../../../../boards/microbit/lk_board_limits.h"
#undef LK_RECORD_WORDS

#endif
