// SPDX-License-Identifier: MIT
/*
 * lk_virt_strap.c: the machine has no pin that somebody could hold. What is plugged into it stands
 * in for one: a virtio entropy device, which nothing else here uses.
 */
#include "lk_riscv_virt.h"

#define SLOT(n, at) (*(volatile uint32_t *)(0x10001000u + (n)*0x1000u + (at)))

/* Virtio 1.2, 4.2.2 and 5. */
#define SLOT_COUNT  8u
#define SLOT_MAGIC  0x000u
#define SLOT_DEVICE 0x008u
#define MAGIC       0x74726976u
#define ENTROPY     4u

bool lk_virt_strap(void)
{
    uint32_t slot;

    for (slot = 0; slot < SLOT_COUNT; slot++) {
        if (SLOT(slot, SLOT_MAGIC) == MAGIC && SLOT(slot, SLOT_DEVICE) == ENTROPY) {
            return true;
        }
    }
    return false;
}
