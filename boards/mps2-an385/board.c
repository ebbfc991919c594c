// SPDX-License-Identifier: MIT
/* board.c: Arm's MPS2, AN385. */
#include "firmware.h"
#include "lk_cortexm.h"
#include "lk_mps2.h"
#include "lk_sodium.h"

#define BOARD_ENTRIES 16384 /* keys in the store, index entries too */
#define BOARD_BATCH   1024  /* of them in one transaction */
#define BOARD_REGION  (LK_MPS2_STORE_SECTORS * LK_MPS2_SECTOR_SIZE)

static uint32_t
    board_index[LK_NOR_INDEX_SIZE(BOARD_ENTRIES, BOARD_BATCH, BOARD_REGION, 4) / sizeof(uint32_t)];
static struct lk_firmware_room board_room;
static char board_line[1024], board_history[2048];
static uint64_t board_arena[LK_ARENA_SIZE(LK_PWHASH_KIB) / 8];
static struct lk_mps2 board_platform;

static int board_start(void)
{
    lk_mps2_init(&board_platform);
    lk_arena_init(board_arena, sizeof(board_arena));
    return lk_sodium_init();
}

static const struct lk_cli_command *const board_tables[] = {lk_firmware_commands, lk_cli_commands,
                                                            NULL};

const struct lk_firmware lk_firmware = {
    .name = "Arm's MPS2, AN385",
    .start = board_start,
    .reset = lk_cortexm_reset,
    .flash = {.flash = &lk_mps2_flash,
              .self = &board_platform,
              .sector_count = LK_MPS2_STORE_SECTORS,
              .index = board_index,
              .index_size = sizeof(board_index),
              .value_max = LK_VALUE_MAX,
              .flags = LK_NOR_FORMAT},
    .config = {.storage = &lk_firmware_storage.storage,
               .port = &board_platform.port,
               .work = board_room.work,
               .work_size = sizeof(board_room.work)},
    .tables = board_tables,
    .room = &board_room,
    .line = board_line,
    .line_size = sizeof(board_line),
    .history = board_history,
    .history_size = sizeof(board_history),
};
