// SPDX-License-Identifier: MIT
/* The limits of QEMU's RISC-V machine. */
#ifndef LK_BENCH_LIMITS_H
#define LK_BENCH_LIMITS_H

#include "../../../../boards/qemu-riscv32/lk_board_limits.h"

#endif
