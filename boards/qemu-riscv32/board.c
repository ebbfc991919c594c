// SPDX-License-Identifier: MIT
/* board.c: QEMU's RISC-V "virt" machine. */
#include "firmware.h"
#include "lk_riscv_virt.h"
#include "lk_sodium.h"

#define BOARD_ENTRIES 16384 /* keys in the store, index entries too */
#define BOARD_BATCH   1024  /* of them in one transaction */
#define BOARD_REGION  (LK_VIRT_STORE_SECTORS * LK_VIRT_SECTOR_SIZE)

static uint32_t
    board_index[LK_NOR_INDEX_SIZE(BOARD_ENTRIES, BOARD_BATCH, BOARD_REGION, 4) / sizeof(uint32_t)];
static struct lk_firmware_room board_room;
static uint64_t board_arena[LK_ARENA_SIZE(LK_PWHASH_KIB) / 8];
static char board_line[1024], board_history[2048];

static int board_start(void)
{
    lk_virt_init();
    lk_arena_init(board_arena, sizeof(board_arena));
    return lk_sodium_init();
}

static const struct lk_cli_command *const board_tables[] = {lk_firmware_commands, lk_cli_commands,
                                                            NULL};

const struct lk_firmware lk_firmware = {
    .name = "QEMU's RISC-V virt machine",
    .start = board_start,
    .reset = lk_virt_reset,
    .strap = lk_virt_strap,
    .recover = lk_firmware_recover,
    .flash = {.flash = &lk_cfi_flash,
              .sector_count = LK_VIRT_STORE_SECTORS,
              .index = board_index,
              .index_size = sizeof(board_index),
              .value_max = LK_VALUE_MAX,
              .flags = LK_NOR_FORMAT},
    .config = {.storage = &lk_firmware_storage.storage,
               .port = &lk_virt_port,
               .work = board_room.work,
               .work_size = sizeof(board_room.work)},
    .tables = board_tables,
    .room = &board_room,
    .line = board_line,
    .line_size = sizeof(board_line),
    .history = board_history,
    .history_size = sizeof(board_history),
};
