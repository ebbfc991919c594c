// SPDX-License-Identifier: MIT
/* main.c: a store in flash, and its console on the serial line. */
#include "firmware.h"

int main(void);

static struct lk_store main_store;
static struct lk_cli main_cli;
static struct lk_cli_console main_console;

/* Opens the store, or makes it at the first start and tells the claim code. */
static int main_open(const struct lk_firmware *board)
{
    const struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;
    int error = lk_open_provisioned(&main_store, &board->config), made;

    /* Before the first start there is no secret either. Where there is a store, making one says so,
     * and what was wrong is that no secret opens it. */
    if (error != LK_E_NOT_FOUND && error != LK_E_SECRET) {
        return error;
    }
    made = lk_create(&main_store, &board->config, &request, &result);
    error = made == LK_E_EXISTS ? error : made;
    if (!error) {
        lk_firmware_say("A new store. Log in as admin with this code for a password; it is\r\n"
                        "good once: ");
        lk_firmware_say(result.claim);
        lk_firmware_say("\r\n");
    }
    board->config.port->crypto->wipe(&result, sizeof(result));
    return error;
}

int main(void)
{
    static const struct lk_cli_env env;
    const struct lk_firmware *board = &lk_firmware;
    int error;

    error = board->start();
    lk_firmware_say("\r\nLatchkey " LK_VERSION " on ");
    lk_firmware_say(board->name);
    lk_firmware_say("\r\n");
    if (!error) {
        error = lk_nor_init(&lk_firmware_storage, &board->flash);
    }
    if (!error) {
        error = board->strap && board->strap() ? board->recover(board, &main_store, main_open)
                                               : main_open(board);
    }
    if (error) {
        lk_firmware_say("The store cannot be opened: ");
        lk_firmware_say(lk_strerror(error));
        lk_firmware_stop();
    }
    main_cli = (struct lk_cli){.program = "latchkey",
                               .tables = board->tables,
                               .env = &env,
                               .work = &board->room->cli,
                               .store = &main_store,
                               .hash_work = board->hash_work,
                               .hash_work_size = board->hash_work_size,
                               .tenant_name = "main"};
    main_console = (struct lk_cli_console){.cli = &main_cli,
                                           .console = board->config.port->console,
                                           .console_self = board->config.port->self,
                                           .line = board->line,
                                           .line_size = board->line_size,
                                           .history = board->history,
                                           .history_size = board->history_size,
                                           .idle_ms = LK_CLI_CONSOLE_IDLE_MS};
    (void)lk_cli_console_run(&main_console);
    for (;;) {
        board->reset();
    }
}
