// SPDX-License-Identifier: MIT
/* commands.c: what is asked of a board itself. */
#include "firmware.h"
#include "lk_baremetal.h"

struct lk_nor lk_firmware_storage;

int lk_firmware_stats(struct lk_cli *cli, const struct lk_cli_args *args)
{
    static const char *const names[] = {
        "stack_size:      ", "stack_spare:     ", "hash_spare:      "};
    struct lk_stack_figures figures;
    size_t i;
    int error = lk_cli_stats(cli, args);

    lk_stack_look(&figures);
    if (!error && !cli->json) {
        const size_t numbers[] = {figures.size, figures.spare, figures.hash_spare};

        /* Only what hashes in lent memory has the last one. */
        for (i = 0; i < (figures.hash_spare ? 3u : 2u); i++) {
            lk_cli_put(cli->out, names[i]);
            lk_cli_put_number(cli->out, numbers[i]);
            lk_cli_put(cli->out, "\n");
        }
    }
    return error;
}

int lk_firmware_reboot(struct lk_cli *cli, const struct lk_cli_args *args)
{
    (void)cli;
    (void)args;
    for (;;) {
        lk_firmware.reset();
    }
}

const struct lk_cli_command lk_firmware_commands[] = {
    {.noun = "stats",
     .args = "",
     .help = "figures of the store and the board",
     .resource = "store",
     .action = "read",
     .flags = LK_CLI_WHOLE_STORE,
     .handler = lk_firmware_stats},
    {.noun = "reboot",
     .args = "",
     .help = "start the board again",
     .resource = "store",
     .action = "write",
     .flags = LK_CLI_WHOLE_STORE | LK_CLI_WRITES,
     .handler = lk_firmware_reboot},
    {.noun = NULL},
};
