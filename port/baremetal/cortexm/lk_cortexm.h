// SPDX-License-Identifier: MIT
/* lk_cortexm.h: what is the same on every Cortex-M. lk_start.S has the vectors and the first
 * instructions; ENTRY(lk_board_start) in the linker script brings them in. */
#ifndef LK_CORTEXM_H
#define LK_CORTEXM_H

/* Restarts the chip; what is in RAM is lost. */
_Noreturn void lk_cortexm_reset(void);

#endif
