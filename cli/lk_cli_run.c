// SPDX-License-Identifier: MIT
/* lk_cli_run.c: one command from its words to its exit status. */
#include "lk_cli.h"

#include <string.h>

int lk_cli_open(struct lk_cli *cli, bool read_only)
{
    if (cli->store) {
        return 0;
    }
    return cli->env->open ? cli->env->open(cli->self, read_only, &cli->store)
                          : lk_cli_refuse(cli, LK_E_UNSUPPORTED, NULL, NULL, "there is no store");
}

static int run_prepare(struct lk_cli *cli)
{
    const struct lk_cli_command *row = cli->command;
    int error = 0;

    if (!(row->flags & LK_CLI_NO_STORE)) {
        error = lk_cli_open(cli, !(row->flags & LK_CLI_WRITES));
    }
    if (!error && cli->session) {
        error = lk_cli_allowed(cli);
    }
    if (!error && cli->of_store && cli->tenant_given) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "tenant", cli->tenant_given,
                              "is not the store itself: not with --store");
    }
    if (!error && row->flags & LK_CLI_TENANT && !cli->of_store) {
        error = lk_cli_find_tenant(cli);
    }
    return error;
}

static int run_command(struct lk_cli *cli, size_t count, const char *const *words)
{
    struct lk_cli_args *args = &cli->work->args;
    int error = lk_cli_parse(cli, count, words, args);

    if (error) {
        return error;
    }
    if (cli->help) {
        lk_cli_help_for(cli, cli->noun, cli->command);
        return 0;
    }
    cli->of_store = cli->command->flags & LK_CLI_TENANT && lk_cli_option(args, LK_CLI_OPTION_STORE);
    error = run_prepare(cli);
    return error ? error : cli->command->handler(cli, args);
}

/* Looked for first, so that a mistake in an earlier word is told as JSON, too. */
static bool run_wants_json(size_t count, const char *const *words)
{
    size_t i;

    for (i = 0; i < count && !lk_cli_same(words[i], "--"); i++) {
        if (lk_cli_same(words[i], "--json")) {
            return true;
        }
    }
    return false;
}

static int run_once(struct lk_cli *cli, size_t count, const char *const *words)
{
    cli->quiet = cli->help = cli->told = false;
    cli->json = cli->json_always || run_wants_json(count, words);
    cli->tenant_given = NULL;
    cli->of_store = false;
    cli->tenant = 0;
    memset(&cli->problem, 0, sizeof(cli->problem));
    memset(&cli->work->label, 0, sizeof(cli->work->label));
    cli->work->used = 0;
    return run_command(cli, count, words);
}

/* Where a newer login, or a second person, is what is missing, a console asks, and begins anew:
 * until then nothing was done. */
static int run_asking(struct lk_cli *cli, size_t count, const char *const *words)
{
    bool asked[2] = {false, false};
    int status = run_once(cli, count, words);

    while (cli->session && (status == LK_E_STEP_UP || status == LK_E_APPROVAL) &&
           !asked[status == LK_E_APPROVAL]) {
        int error;

        asked[status == LK_E_APPROVAL] = true;
        lk_abort(&cli->work->txn);
        error = status == LK_E_APPROVAL ? lk_cli_approve(cli) : lk_cli_step_up(cli);
        if (error) {
            return error;
        }
        status = run_once(cli, count, words);
    }
    return status;
}

int lk_cli_run(struct lk_cli *cli, size_t count, const char *const *words)
{
    struct lk_cli_work *work = cli->work;
    int status;

    memset(&cli->approval, 0, sizeof(cli->approval));
    status = run_asking(cli, count, words);
    if (cli->session && cli->session->refused) {
        lk_cli_note(cli);
    }
    if (status < 0) {
        status = lk_cli_report(cli, status);
    }
    lk_abort(&work->txn);
    if (cli->out->error && status == LK_EXIT_DONE) {
        /* What was done is done; but whoever asked has not been told. */
        cli->out->error = 0;
        status = lk_cli_report(
            cli, lk_cli_refuse(cli, LK_E_IO, NULL, NULL, "the output cannot be written"));
        cli->out->error = LK_E_IO;
    }
    lk_cli_wipe(work->secrets, sizeof(work->secrets));
    lk_cli_wipe(work->token, sizeof(work->token));
    lk_cli_wipe(work->values, sizeof(work->values));
    return status;
}
