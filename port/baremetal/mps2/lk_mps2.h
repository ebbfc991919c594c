// SPDX-License-Identifier: MIT
/*
 * lk_mps2.h: the port of Arm's MPS2 board with a Cortex-M3 (AN385): CMSDK UART and timer.
 *
 * It has no flash that a program can write, no generator of entropy and no clock. The flash is its
 * PSRAM, kept to the rules of NOR by this driver; the emulator keeps the PSRAM in a file. Entropy
 * is a factory's seed in it, without which no store is made. The wall clock is unset at each start.
 */
#ifndef LK_MPS2_H
#define LK_MPS2_H

#include "lk_baremetal.h"

#define LK_MPS2_SECTOR_SIZE  16384u
#define LK_MPS2_SECTOR_COUNT 68u
/* The store's sectors come first, then those of the device secret, of a provisioning secret, and
 * two of the seed. */
#define LK_MPS2_STORE_SECTORS    64u
#define LK_MPS2_SECRET_SECTOR    64u
#define LK_MPS2_PROVISION_SECTOR 65u
#define LK_MPS2_SEED_SECTOR      66u

struct lk_mps2 {
    struct lk_port port;
    struct lk_uptime time;
    struct lk_seed seed;
    uint64_t boot_number;
};

/* lk_mps2_flash.c */
extern const struct lk_flash lk_mps2_flash;

/* Starts the devices and fills `port`. */
void lk_mps2_init(struct lk_mps2 *platform);

#endif
