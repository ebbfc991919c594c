// SPDX-License-Identifier: MIT
/* main.c: a store in flash, and its console on the serial line. */
#include <string.h>

#include "lk_cli_console.h"
#include "lk_nor.h"
#include "lk_riscv_virt.h"
#include "lk_sodium.h"

_Noreturn void lk_board_trap(uint32_t cause, uint32_t at, uint32_t value);
int main(void);

static union {
    uint64_t align;
    uint8_t bytes[LK_ARENA_SIZE(LK_PWHASH_KIB)];
} board_arena;
static union {
    uint64_t align;
    uint8_t bytes[LK_WORK_SIZE];
} board_work;
#define BOARD_ENTRIES 16384 /* keys in the store, index entries too */
#define BOARD_BATCH   1024  /* of them in one transaction */
#define BOARD_REGION  (LK_VIRT_STORE_SECTORS * LK_VIRT_SECTOR_SIZE)

static uint32_t
    board_index[LK_NOR_INDEX_SIZE(BOARD_ENTRIES, BOARD_BATCH, BOARD_REGION, 4) / sizeof(uint32_t)];
static const struct lk_nor_config board_flash = {
    .flash = &lk_cfi_flash,
    .sector_count = LK_VIRT_STORE_SECTORS,
    .index = board_index,
    .index_size = sizeof(board_index),
    .value_max = LK_VALUE_MAX,
    .flags = LK_NOR_FORMAT,
};
static struct lk_nor board_storage;
static struct lk_store board_store;
static struct lk_cli_work board_cli_work;
static char board_line[1024], board_history[2048];

static void board_say(const char *text)
{
    /* The line takes everything, sooner or later. */
    (void)lk_virt_port.console->write(lk_virt_port.self, (const uint8_t *)text, strlen(text));
}

static int board_write(void *context, const void *data, size_t size)
{
    const struct lk_port *port = context;

    return port->console->write(port->self, data, size);
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

void lk_board_trap(uint32_t cause, uint32_t at, uint32_t value)
{
    board_say("\r\ntrap ");
    board_say_number(cause);
    board_say(" at ");
    board_say_number(at);
    board_say(": ");
    board_say_number(value);
    board_say("\r\n");
    lk_virt_exit(1);
}

void lk_assert_failed(const char *file, int line)
{
    board_say("\r\n");
    board_say(file);
    board_say(": line 0x");
    board_say_number((uint32_t)line);
    board_say("\r\n");
    lk_virt_exit(1);
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
        board_say("A new store was made. Log in as admin with this code as the password;\r\n"
                  "it is asked for a new one then. The code is good once: ");
        board_say(result.claim);
        board_say("\r\n");
    }
    lk_virt_port.crypto->wipe(&result, sizeof(result));
    return error;
}

int main(void)
{
    static const struct lk_cli_command *const tables[] = {lk_cli_commands, NULL};
    static const struct lk_cli_env env;
    const struct lk_config config = {.storage = &board_storage.storage,
                                     .port = &lk_virt_port,
                                     .work = board_work.bytes,
                                     .work_size = sizeof(board_work.bytes)};
    struct lk_cli_out out = {.write = board_write, .context = (void *)(uintptr_t)&lk_virt_port};
    struct lk_cli cli = {.program = "latchkey",
                         .tables = tables,
                         .env = &env,
                         .out = &out,
                         .err = &out,
                         .work = &board_cli_work,
                         .store = &board_store,
                         .tenant_name = "main"};
    struct lk_cli_console console = {.cli = &cli,
                                     .console = lk_virt_port.console,
                                     .line = board_line,
                                     .line_size = sizeof(board_line),
                                     .history = board_history,
                                     .history_size = sizeof(board_history),
                                     .idle_ms = LK_CLI_CONSOLE_IDLE_MS};
    int error;

    lk_virt_init();
    lk_arena_init(board_arena.bytes, sizeof(board_arena.bytes));
    board_say("\r\nLatchkey " LK_VERSION " on QEMU's RISC-V virt machine\r\n");
    error = lk_sodium_init();
    if (!error) {
        error = lk_nor_init(&board_storage, &board_flash);
    }
    if (!error) {
        error = board_open(&config);
    }
    if (error) {
        board_say("The store cannot be opened: ");
        board_say(lk_strerror(error));
        board_say("\r\n");
        lk_virt_exit(1);
    }
    (void)lk_cli_console_run(&console);
    lk_virt_reset();
}
