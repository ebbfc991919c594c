// SPDX-License-Identifier: MIT
#include "lk_cortexm.h"

#include <stdint.h>

#define CORTEXM_AIRCR     (*(volatile uint32_t *)0xE000ED0Cu)
#define AIRCR_SYSRESETREQ 0x05FA0004u

void lk_cortexm_reset(void)
{
    for (;;) {
        CORTEXM_AIRCR = AIRCR_SYSRESETREQ;
    }
}
