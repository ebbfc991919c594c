// SPDX-License-Identifier: MIT
/* main.c: a store in flash, and its console on the serial line. */
#include <string.h>

#include "board.h"
#include "lk_cli_console.h"
#include "lk_lent.h"
#include "lk_nor.h"
#include "lk_nrf51.h"
#include "lk_small.h"
#include "lk_sodium.h"

_Noreturn void lk_board_trap(uint32_t cause, uint32_t at);
int main(void);

#define BOARD_ENTRIES 740 /* keys in the store, index entries too */
#define BOARD_BATCH   48  /* of them in one transaction */
#define BOARD_REGION  (LK_NRF51_STORE_SECTORS * LK_NRF51_PAGE_SIZE)

static uint16_t board_index[LK_NOR_INDEX_SIZE(BOARD_ENTRIES, BOARD_BATCH, BOARD_REGION, 4) /
                            sizeof(uint16_t)] __attribute__((aligned(4)));
static const struct lk_nor_config board_flash = {
    .flash = &lk_nrf51_flash,
    .sector_count = LK_NRF51_STORE_SECTORS,
    .index = board_index,
    .index_size = sizeof(board_index),
    .value_max = LK_VALUE_MAX,
    .flags = LK_NOR_FORMAT,
};
static struct lk_nor board_storage;
static struct lk_store board_store;
static char board_line[256], board_history[128];

/* A command's room, the store's, and the stack after them. A password is hashed in what of it is
 * idle then: from `cli`'s lent part on. */
static struct {
    struct lk_cli_work cli;
    uint64_t work[LK_WORK_SIZE / 8 + 1];
} board_room __attribute__((section(".lent")));
#define BOARD_HASH ((uint8_t *)&board_room + ((LK_CLI_WORK_LENT + 7u) & ~(size_t)7u))

static void board_say(const char *text)
{
    /* The line takes everything, sooner or later. */
    (void)lk_nrf51_port.console->write(lk_nrf51_port.self, (const uint8_t *)text, strlen(text));
}

static void board_say_number(uint32_t number)
{
    char text[12];
    size_t at = sizeof(text);

    text[--at] = '\0';
    do {
        text[--at] = "0123456789abcdef"[number % 16];
        number /= 16;
    } while (number != 0);
    board_say(text + at);
}

/* What went wrong was told: somebody may read it, and type something. */
static _Noreturn void board_stop(void)
{
    uint8_t byte;

    board_say("\r\nstopped: type a key\r\n");
    (void)lk_nrf51_port.console->read(lk_nrf51_port.self, &byte, 0);
    lk_nrf51_reset();
}

void lk_board_trap(uint32_t cause, uint32_t at)
{
    board_say("\r\ntrap ");
    board_say_number(cause);
    board_say(" at ");
    board_say_number(at);
    board_stop();
}

void lk_assert_failed(const char *file, int line)
{
    board_say("\r\n");
    board_say(file);
    board_say(": line 0x");
    board_say_number((uint32_t)line);
    board_stop();
}

int board_stats(struct lk_cli *cli, const struct lk_cli_args *args)
{
    static const char *const names[] = {
        "stack_size:      ", "stack_spare:     ", "hash_spare:      "};
    struct lk_lent_figures figures;
    size_t i;
    int error = lk_cli_stats(cli, args);

    lk_lent_look(&figures);
    if (!error && !cli->json) {
        const size_t numbers[] = {figures.stack_size, figures.stack_spare, figures.hash_spare};

        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            lk_cli_put(cli->out, names[i]);
            lk_cli_put_number(cli->out, numbers[i]);
            lk_cli_put(cli->out, "\n");
        }
    }
    return error;
}

int board_reboot(struct lk_cli *cli, const struct lk_cli_args *args)
{
    (void)cli;
    (void)args;
    lk_nrf51_reset();
}

/* Opens the store, or makes it at the first start and tells the claim code. */
static int board_open(const struct lk_config *config)
{
    const struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;
    int error = lk_open(&board_store, config);

    /* Before the first start there is no secret either. Where there is a store, making one says so.
     */
    if (error != LK_E_NOT_FOUND && error != LK_E_SECRET) {
        return error;
    }
    error = lk_create(&board_store, config, &request, &result);
    if (!error) {
        board_say("A new store. Log in as admin with this code for a password; it is\r\n"
                  "good once: ");
        board_say(result.claim);
        board_say("\r\n");
    }
    lk_nrf51_port.crypto->wipe(&result, sizeof(result));
    return error;
}

static const struct lk_cli_command *const board_tables[] = {board_commands, NULL};
static const struct lk_cli_env board_env;
static const struct lk_config board_config = {.storage = &board_storage.storage,
                                              .port = &lk_nrf51_port,
                                              .work = board_room.work,
                                              .work_size = sizeof(board_room.work)};
static struct lk_cli board_cli;
static struct lk_cli_console board_console;

int main(void)
{
    int error;

    lk_nrf51_init();
    board_say("\r\nLatchkey " LK_VERSION " on the micro:bit\r\n");
    error = lk_sodium_init();
    if (!error) {
        error = lk_nor_init(&board_storage, &board_flash);
    }
    if (!error) {
        error = board_open(&board_config);
    }
    if (error) {
        board_say("The store cannot be opened: ");
        board_say(lk_strerror(error));
        board_stop();
    }
    board_cli = (struct lk_cli){.program = "latchkey",
                                .tables = board_tables,
                                .env = &board_env,
                                .work = &board_room.cli,
                                .store = &board_store,
                                .hash_work = BOARD_HASH,
                                .hash_work_size = LK_SMALL_WORK_SIZE(LK_PWHASH_KIB),
                                .tenant_name = "main"};
    board_console = (struct lk_cli_console){.cli = &board_cli,
                                            .console = lk_nrf51_port.console,
                                            .line = board_line,
                                            .line_size = sizeof(board_line),
                                            .history = board_history,
                                            .history_size = sizeof(board_history),
                                            .idle_ms = LK_CLI_CONSOLE_IDLE_MS};
    (void)lk_cli_console_run(&board_console);
    lk_nrf51_reset();
}
