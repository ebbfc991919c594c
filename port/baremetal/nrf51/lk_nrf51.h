// SPDX-License-Identifier: MIT
/*
 * lk_nrf51.h: the port of Nordic's nRF51822, as on the micro:bit: UART0, TIMER0, RNG, NVMC.
 *
 * There is no wall clock: its quality is UNSET until somebody sets it, and SET until the next
 * restart.
 */
#ifndef LK_NRF51_H
#define LK_NRF51_H

#include "lk_baremetal.h"

#define LK_NRF51_PAGE_SIZE 1024u
/* Of the chip's 256 pages, those above the program: the store's come first, then that of a
 * provisioning secret; the device secret has the last one. Sectors of lk_nrf51_flash count from
 * there. */
#define LK_NRF51_FIRST_PAGE       190u
#define LK_NRF51_SECTOR_COUNT     66u
#define LK_NRF51_STORE_SECTORS    64u
#define LK_NRF51_PROVISION_SECTOR (LK_NRF51_SECTOR_COUNT - 2)
#define LK_NRF51_SECRET_SECTOR    (LK_NRF51_SECTOR_COUNT - 1)

extern const struct lk_port lk_nrf51_port;

void lk_nrf51_init(void);

/* lk_nrf51_flash.c */
extern const struct lk_flash lk_nrf51_flash;

#endif
