// SPDX-License-Identifier: MIT
/* lk_cli_help.c, for boards with little room: the usage of commands, a line each. */
#include "lk_cli.h"

void lk_cli_usage(struct lk_cli_out *out, const struct lk_cli_command *row)
{
    const char *const words[] = {row->noun, row->verb, row->args};
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i] && words[i][0]) {
            lk_cli_put(out, i ? " " : "");
            lk_cli_put(out, words[i]);
        }
    }
    for (i = 0; row->options && row->options[i].name; i++) {
        lk_cli_put(out, " [--");
        lk_cli_put(out, row->options[i].name);
        lk_cli_put(out, row->options[i].value ? " " : "");
        lk_cli_put(out, row->options[i].value ? row->options[i].value : "");
        lk_cli_put(out, "]");
    }
}

void lk_cli_help_for(struct lk_cli *cli, const char *noun, const struct lk_cli_command *row)
{
    const struct lk_cli_command *each;
    size_t i;

    for (i = 0; (each = lk_cli_row(cli, i)) != NULL; i++) {
        if ((!row || row == each) && (!noun || lk_cli_same(each->noun, noun))) {
            lk_cli_usage(cli->out, each);
            lk_cli_put(cli->out, ": ");
            lk_cli_put(cli->out, each->help);
            lk_cli_put(cli->out, "\n");
        }
    }
}

int lk_cli_help(struct lk_cli *cli, const struct lk_cli_args *args)
{
    lk_cli_help_for(cli, args->count ? args->words[0] : NULL, NULL);
    return 0;
}
