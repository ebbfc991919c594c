// SPDX-License-Identifier: MIT
/*
 * lk_riscv_virt.h: the port of QEMU's RISC-V "virt" machine: ns16550 UART, goldfish clock, CLINT
 * timer, the seed register of Zkr as entropy, two 16-bit CFI flash chips side by side.
 */
#ifndef LK_RISCV_VIRT_H
#define LK_RISCV_VIRT_H

#include "lk_baremetal.h"

#define LK_VIRT_SECTOR_SIZE  (256u * 1024u)
#define LK_VIRT_SECTOR_COUNT 128u
/* The store's sectors come first; the device secret has the last one, a provisioning secret the one
 * before. */
#define LK_VIRT_STORE_SECTORS    16u
#define LK_VIRT_PROVISION_SECTOR (LK_VIRT_SECTOR_COUNT - 2)
#define LK_VIRT_SECRET_SECTOR    (LK_VIRT_SECTOR_COUNT - 1)

extern const struct lk_port lk_virt_port;

/* Starts the devices. */
void lk_virt_init(void);
/* Restarts the machine; what is in RAM is lost. */
_Noreturn void lk_virt_reset(void);

/* lk_virt_strap.c: is the strap held? It is where a virtio-rng-device is plugged in. */
bool lk_virt_strap(void);

/* lk_cfi_flash.c */
extern const struct lk_flash lk_cfi_flash;

#endif
