// SPDX-License-Identifier: MIT
/* lk_cortexm.h: what is the same on every Cortex-M. lk_start.S has the vectors and the first
 * instructions; ENTRY(lk_board_start) in the linker script brings them in. */
#ifndef LK_CORTEXM_H
#define LK_CORTEXM_H

#include "lk_port.h"

/* Restarts the chip; what is in RAM is lost. */
_Noreturn void lk_cortexm_reset(void);

/*
 * lk_semihost.c: the terminal of the debugger, or of the emulator, while the board has no line of
 * its own. A read cannot end before something is typed; without a debugger each call is a fault.
 */
extern const struct lk_console lk_semihost_console;

#endif
