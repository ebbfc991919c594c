// SPDX-License-Identifier: MIT
/* board.c: what the board has, and the memory for it. firmware.h says what each thing is. */
#include "firmware.h"
#include "lk_baremetal.h"
#include "lk_cortexm.h"
#include "lk_sodium.h"
#include "lk_template.h"

/* Supply: the store's part of the flash, in the numbers of the port. */
#define BOARD_SECTORS     32u
#define BOARD_SECTOR_SIZE 4096u
#define BOARD_UNIT        4u /* that is programmed at once */

/* Supply: how many keys the store may have (a user with a session takes about 20), and of them how
 * many may change in one transaction. Each takes 2 or 4 bytes here. */
#define BOARD_ENTRIES 2048
#define BOARD_BATCH   128

static uint32_t board_index[LK_NOR_INDEX_SIZE(BOARD_ENTRIES, BOARD_BATCH,
                                              BOARD_SECTORS *BOARD_SECTOR_SIZE, BOARD_UNIT) /
                            sizeof(uint32_t)];
static struct lk_firmware_room board_room;
static char board_line[1024], board_history[1024]; /* an SSH key must fit into a line */

/* What libsodium hashes a password in. */
static uint64_t board_arena[LK_ARENA_SIZE(LK_PWHASH_KIB) / 8];

static struct lk_template board_platform;

/* Supply: whatever must run before the first line is said: clocks of the chip, its pins. */
static int board_start(void)
{
    int error = lk_template_init(&board_platform);

    board_platform.port.crypto = &lk_sodium_crypto;
    /* Supply: the port's own, once its UART works. */
    board_platform.port.console = &lk_semihost_console;
    lk_arena_init(board_arena, sizeof(board_arena));
    return error ? error : lk_sodium_init();
}

/* Supply: a table of the board's own where there is no room for all commands (boards/microbit/). */
static const struct lk_cli_command *const board_tables[] = {lk_firmware_commands, lk_cli_commands,
                                                            NULL};

const struct lk_firmware lk_firmware = {
    .name = "the template of a board",
    .start = board_start,
    .reset = lk_cortexm_reset,
    .flash = {.flash = &lk_template_flash,
              .self = &board_platform,
              .sector_count = BOARD_SECTORS,
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
