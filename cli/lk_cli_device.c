// SPDX-License-Identifier: MIT
/* lk_cli_device.c: what users log in from. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

int lk_cli_device_list(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id = {cli->tenant, 0, 0};
    int error = lk_cli_begin(cli, LK_READ);

    if (!error && args->count) {
        error = lk_cli_user(cli, args->words[0], &id);
    }
    return error ? error : lk_cli_list(cli, args, &lk_kind_device, id);
}

/* USER ID, in a write transaction. */
static int device_begin(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_id *id)
{
    int error = lk_cli_begin_user(cli, LK_WRITE, args->words[0], id);

    return error ? error : lk_cli_number(cli, "device", args->words[1], &id->sub);
}

static int device_end(struct lk_cli *cli, const struct lk_cli_args *args, int error)
{
    if (error == LK_E_NOT_FOUND) {
        return lk_cli_refuse(cli, error, "device", args->words[1], "is no device of this user");
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_device_name(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_device patch;
    struct lk_id id;
    int error = device_begin(cli, args, &id);

    if (error) {
        return error;
    }
    memset(&patch, 0, sizeof(patch));
    lk_set_text(&lk_kind_device, &patch.record, "name", args->words[2]);
    return device_end(cli, args,
                      lk_update(&cli->work->txn, &lk_kind_device, id, &patch.record, 0, "name"));
}

int lk_cli_device_trust(struct lk_cli *cli, const struct lk_cli_args *args)
{
    bool off = lk_cli_option(args, "off") != NULL;
    struct lk_device patch;
    struct lk_id id;
    int error = device_begin(cli, args, &id);

    if (error) {
        return error;
    }
    memset(&patch, 0, sizeof(patch));
    lk_set_number(&lk_kind_device, &patch.record, "trusted", !off);
    return device_end(cli, args,
                      lk_update(&cli->work->txn, &lk_kind_device, id, &patch.record, 0,
                                off ? "distrust" : "trust"));
}

int lk_cli_device_forget(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id;
    int error = device_begin(cli, args, &id);

    return error ? error
                 : device_end(cli, args, lk_remove(&cli->work->txn, &lk_kind_device, id, "forget"));
}
