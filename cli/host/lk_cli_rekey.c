// SPDX-License-Identifier: MIT
/* lk_cli_rekey.c: the command that replaces the device secret, or the store key. */
#include "lk_cli_host.h"
#include "lk_linux.h"

#define REKEY_BUDGET 500 /* records that one transaction takes over: others wait that long */

static int rekey_done(struct lk_cli *cli, const char *what, uint64_t records, bool full)
{
    struct lk_cli_json json;

    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "rekeyed");
        lk_cli_json_text(&json, full ? LK_TEXT("store_key") : LK_TEXT("device_secret"));
        if (full) {
            lk_cli_json_key(&json, "records");
            lk_cli_json_number(&json, records);
        }
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        if (full) {
            lk_cli_put_number(cli->out, records);
            lk_cli_put(cli->out, " ");
        }
        lk_cli_put(cli->out, what);
        lk_cli_put(cli->out, "\n");
    }
    return 0;
}

/* Begins, or finds one that was cut short. */
static int rekey_begin(struct lk_cli *cli)
{
    struct lk_stats stats;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_stats(&cli->work->txn, &stats);
    }
    if (!error && stats.secret_changing) {
        return lk_cli_refuse(
            cli, LK_E_BUSY, "secret", NULL,
            "was being replaced, and that was cut short: run latchkey rekey first");
    }
    if (!error && stats.rekey_running) {
        lk_cli_abort(cli);
        return 0;
    }
    if (!error) {
        error = lk_rekey_begin(&cli->work->txn);
    }
    return error ? error : lk_cli_commit(cli);
}

static int rekey_full(struct lk_cli *cli)
{
    uint64_t records = 0, bytes = 0;
    bool more = true;
    int error = rekey_begin(cli);

    while (!error && more) {
        int did;

        error = lk_cli_begin(cli, LK_WRITE);
        if (error) {
            break;
        }
        did = lk_rekey_step(&cli->work->txn, REKEY_BUDGET, &more);
        error = did < 0 ? did : lk_cli_commit(cli);
        records += did > 0 ? (uint64_t)did : 0;
        if (!error && cli->progress && !cli->quiet) {
            lk_cli_put(cli->err, "\rrekey: ");
            lk_cli_put_number(cli->err, records);
            lk_cli_put(cli->err, more ? " records" : " records\n");
        }
    }
    lk_cli_abort(cli);
    /* The old store key, wrapped, is on the medium until it is overwritten. */
    error = error ? error : lk_cli_scrub(cli, &bytes);
    return error ? error
                 : rekey_done(cli, "records taken over by the new store key", records, true);
}

int lk_cli_rekey(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *path = lk_cli_option(args, "secret-file");
    int error;

    if (lk_cli_option(args, "full")) {
        return path ? lk_cli_refuse(cli, LK_E_USAGE, "full", NULL,
                                    "is for the store key alone: leave --secret-file out")
                    : rekey_full(cli);
    }
    lk_txn_release(&cli->work->txn);
    error = lk_host_rekey(lk_host_of(cli->store), path);
    if (error) {
        return lk_host_problem() ? lk_cli_refuse(cli, error, NULL, NULL, lk_host_problem()) : error;
    }
    return rekey_done(cli,
                      path
                          ? "The store opens by the new secret only. Name it from now on: --secret "
                            "FILE or LATCHKEY_SECRET; the old file is of no more use."
                          : "The store opens by the new secret only, which is in the place of the "
                            "old one.",
                      0, false);
}
