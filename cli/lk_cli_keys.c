// SPDX-License-Identifier: MIT
/* lk_cli_keys.c: what protects the secrets in a store: the cost of password hashes. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

/* ---- calibrate ------------------------------------------------------------------------------- */

/* "100ms" or "1s". */
static int keys_target(struct lk_cli *cli, const struct lk_cli_args *args, uint32_t *ms)
{
    const char *text = lk_cli_option(args, "target");
    struct lk_span number = lk_cli_span(text ? text : "100ms");
    uint64_t value, unit = 0;

    if (number.size > 2 && memcmp(number.data + number.size - 2, "ms", 2) == 0) {
        unit = 1;
        number.size -= 2;
    } else if (number.size > 1 && number.data[number.size - 1] == 's') {
        unit = 1000;
        number.size -= 1;
    }
    if (!unit || lk_uint_parse(number, &value) || !value || value > 60000 / unit) {
        return lk_cli_refuse(cli, LK_E_USAGE, "target", text, "is not a time from 1ms to 60s");
    }
    *ms = (uint32_t)(value * unit);
    return 0;
}

static void keys_print(struct lk_cli *cli, const struct lk_calibration *calibration, bool kept)
{
    static const char *const names[] = {"memory_kib", "passes", "lanes", "milliseconds",
                                        "target_milliseconds"};
    const uint64_t numbers[] = {calibration->params.memory_kib, calibration->params.passes,
                                calibration->params.lanes, calibration->ms, calibration->target_ms};
    struct lk_cli_json json;
    size_t i;

    lk_cli_json_begin(&json, cli->out);
    if (cli->json) {
        lk_cli_json_open(&json, '{');
    }
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (cli->json) {
            lk_cli_json_key(&json, names[i]);
            lk_cli_json_number(&json, numbers[i]);
        } else {
            lk_cli_put(cli->out, names[i]);
            lk_cli_put(cli->out, ":");
            lk_cli_put_spaces(cli->out, 20 - strlen(names[i]));
            lk_cli_put_number(cli->out, numbers[i]);
            lk_cli_put(cli->out, "\n");
        }
    }
    if (cli->json) {
        lk_cli_json_key(&json, "kept");
        lk_cli_json_bool(&json, kept);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
        return;
    }
    if (cli->quiet) {
        return;
    }
    if (calibration->ms > calibration->target_ms) {
        lk_cli_put(cli->err, "This build's default takes longer than that here; less is not "
                             "proposed.\n");
    }
    lk_cli_put(cli->err, kept ? "Kept in the store: passwords set from now on are hashed so, and "
                                "old ones at their next login.\n"
                              : "Nothing was changed. calibrate --set keeps it in the store.\n");
}

int lk_cli_calibrate(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_calibration calibration = {.hash_work = cli->hash_work,
                                         .hash_work_size = cli->hash_work_size};
    bool set = lk_cli_option(args, "set") != NULL;
    uint64_t memory;
    int error = keys_target(cli, args, &calibration.target_ms);

    if (!error) {
        error = lk_cli_option_number(cli, args, "memory", 0, &memory);
    }
    if (!error && memory > 4194304) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "memory", lk_cli_option(args, "memory"),
                              "is more than 4 GiB");
    }
    if (error) {
        return error;
    }
    calibration.memory_kib = (uint32_t)memory;
    error = lk_calibrate(cli->store, &calibration);
    if (!error && set) {
        error = lk_cli_begin(cli, LK_WRITE);
        if (!error) {
            error = lk_pwhash_keep(&cli->work->txn, &calibration.params);
        }
        if (!error) {
            error = lk_cli_commit(cli);
        }
    }
    if (!error) {
        keys_print(cli, &calibration, set);
    }
    return error;
}
