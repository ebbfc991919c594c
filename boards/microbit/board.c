// SPDX-License-Identifier: MIT
/* board.c: the micro:bit. */
#include "board.h"
#include "lk_cortexm.h"
#include "lk_nrf51.h"
#include "lk_small.h"
#include "lk_sodium.h"

#define BOARD_ENTRIES 740 /* keys in the store, index entries too */
#define BOARD_BATCH   48  /* of them in one transaction */
#define BOARD_REGION  (LK_NRF51_STORE_SECTORS * LK_NRF51_PAGE_SIZE)

static uint16_t board_index[LK_NOR_INDEX_SIZE(BOARD_ENTRIES, BOARD_BATCH, BOARD_REGION, 4) /
                            sizeof(uint16_t)] __attribute__((aligned(4)));
/* A password is hashed in what of it is idle then, and in the stack after it. */
static struct lk_firmware_room board_room __attribute__((section(".lent")));
static char board_line[256], board_history[128];

static int board_start(void)
{
    lk_nrf51_init();
    return lk_sodium_init();
}

static const struct lk_cli_command *const board_tables[] = {board_commands, NULL};

const struct lk_firmware lk_firmware = {
    .name = "the micro:bit",
    .start = board_start,
    .reset = lk_cortexm_reset,
    .flash = {.flash = &lk_nrf51_flash,
              .sector_count = LK_NRF51_STORE_SECTORS,
              .index = board_index,
              .index_size = sizeof(board_index),
              .value_max = LK_VALUE_MAX,
              .flags = LK_NOR_FORMAT},
    .config = {.storage = &lk_firmware_storage.storage,
               .port = &lk_nrf51_port,
               .work = board_room.work,
               .work_size = sizeof(board_room.work)},
    .tables = board_tables,
    .room = &board_room,
    .hash_work = (uint8_t *)&board_room + LK_FIRMWARE_LENT,
    .hash_work_size = LK_SMALL_WORK_SIZE(LK_PWHASH_KIB),
    .line = board_line,
    .line_size = sizeof(board_line),
    .history = board_history,
    .history_size = sizeof(board_history),
};
