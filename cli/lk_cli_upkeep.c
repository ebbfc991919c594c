// SPDX-License-Identifier: MIT
/* lk_cli_upkeep.c: verification, figures, and what must be done now and then. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

#define UPKEEP_BUDGET 1000 /* records that one transaction looks at */

/* ---- verify ---------------------------------------------------------------------------------- */

static void upkeep_fault_text(struct lk_cli *cli, const struct lk_fault_report *fault)
{
    struct lk_cli_out *out = cli->out;

    lk_cli_put(out, "fault: ");
    if (fault->kind) {
        lk_cli_put(out, fault->kind);
        lk_cli_put(out, " ");
    }
    lk_cli_put_number(out, fault->id.tenant);
    lk_cli_put(out, "/");
    lk_cli_put_number(out, fault->id.user);
    lk_cli_put(out, "/");
    lk_cli_put_number(out, fault->id.sub);
    lk_cli_put(out, ": ");
    lk_cli_put(out, fault->what);
    lk_cli_put(out, "\n");
}

int lk_cli_fault(void *context, const struct lk_fault_report *fault)
{
    struct lk_cli *cli = context;
    struct lk_cli_json json;
    char key[2 * LK_KEY_MAX + 1];
    int size;

    if (!cli->json) {
        upkeep_fault_text(cli, fault);
        return 0;
    }
    size = lk_hex_encode(fault->key, key, sizeof(key));
    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "fault");
    lk_cli_json_text(&json, lk_cli_span(fault->what));
    lk_cli_json_key(&json, "kind");
    if (fault->kind) {
        lk_cli_json_text(&json, lk_cli_span(fault->kind));
    } else {
        lk_cli_json_null(&json);
    }
    lk_cli_json_key(&json, "id");
    lk_cli_json_open(&json, '[');
    lk_cli_json_number(&json, fault->id.tenant);
    lk_cli_json_number(&json, fault->id.user);
    lk_cli_json_number(&json, fault->id.sub);
    lk_cli_json_close(&json, ']');
    lk_cli_json_key(&json, "key");
    lk_cli_json_text(&json, (struct lk_span){(const uint8_t *)key, size > 0 ? (size_t)size : 0});
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
    return 0;
}

static int upkeep_on_progress(void *context, uint64_t done, uint64_t total)
{
    struct lk_cli *cli = context;

    if (total && done % (total / 100 + 1) == 0) {
        lk_cli_put(cli->err, "\rverify: ");
        lk_cli_put_number(cli->err, done * 100 / total);
        lk_cli_put(cli->err, " %");
    }
    return 0;
}

static void upkeep_verified(struct lk_cli *cli, const struct lk_verify *verify)
{
    struct lk_cli_json json;

    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "records");
        lk_cli_json_number(&json, verify->record_count);
        lk_cli_json_key(&json, "index_entries");
        lk_cli_json_number(&json, verify->index_count);
        lk_cli_json_key(&json, "faults");
        lk_cli_json_number(&json, verify->fault_count);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        lk_cli_put_number(cli->out, verify->record_count);
        lk_cli_put(cli->out, " records, ");
        lk_cli_put_number(cli->out, verify->index_count);
        lk_cli_put(cli->out, " index entries: ");
        if (verify->fault_count) {
            lk_cli_put_number(cli->out, verify->fault_count);
            lk_cli_put(cli->out, verify->fault_count == 1 ? " fault\n" : " faults\n");
        } else {
            lk_cli_put(cli->out, "all in order\n");
        }
    }
}

static int upkeep_verify(struct lk_cli *cli, bool deep)
{
    struct lk_verify verify = {.on_fault = lk_cli_fault, .context = cli};
    int error = lk_cli_open(cli, true);

    if (cli->progress && !cli->quiet) {
        verify.on_progress = upkeep_on_progress;
    }
    if (!error && deep && cli->env->check_medium) {
        error = cli->env->check_medium(cli->self, cli->store);
    }
    if (!error) {
        error = lk_cli_begin(cli, LK_READ);
    }
    if (error) {
        return error;
    }
    error = lk_verify(&cli->work->txn, &verify);
    if (verify.on_progress) {
        lk_cli_put(cli->err, "\r             \r");
    }
    if (!error || error == LK_E_FAULTS) {
        upkeep_verified(cli, &verify);
    }
    return error == LK_E_FAULTS ? LK_EXIT_REFUSED : error;
}

int lk_cli_verify(struct lk_cli *cli, const struct lk_cli_args *args)
{
    bool deep = lk_cli_option(args, "deep") != NULL, crashed = false;
    int status = 0, answer;

    if (!deep || !cli->env->isolate) {
        return upkeep_verify(cli, deep);
    }
    answer = cli->env->isolate(cli->self, &status, &crashed);
    if (answer == 1 && crashed) {
        return lk_cli_refuse(cli, LK_E_CORRUPT, NULL, NULL,
                             "the file is so damaged that reading it crashed the process that "
                             "checked it: restore a backup");
    }
    return answer == 1 ? status : answer ? answer : upkeep_verify(cli, true);
}

/* ---- stats ----------------------------------------------------------------------------------- */

int lk_cli_stats(struct lk_cli *cli, const struct lk_cli_args *args)
{
    static const char *const names[] = {
        "schema_version", "tenants",       "entries",         "used_bytes", "free_bytes",
        "key_generation", "rekey_running", "secret_changing", "erase_min",  "erase_max"};
    struct lk_stats stats;
    struct lk_cli_json json;
    uint64_t numbers[sizeof(names) / sizeof(names[0])];
    char id[37];
    size_t i, count = sizeof(names) / sizeof(names[0]);
    int error = lk_cli_begin(cli, LK_READ);

    (void)args;
    if (!error) {
        error = lk_stats(&cli->work->txn, &stats);
    }
    if (error) {
        return error;
    }
    numbers[0] = stats.schema_version;
    numbers[1] = stats.tenant_count;
    numbers[2] = stats.storage.entries;
    numbers[3] = stats.storage.used_bytes;
    numbers[4] = stats.storage.free_bytes;
    numbers[5] = stats.key_generation;
    numbers[6] = stats.rekey_running;
    numbers[7] = stats.secret_changing;
    numbers[8] = stats.storage.erase_min;
    numbers[9] = stats.storage.erase_max;
    /* Only flash wears. */
    count -= stats.storage.erase_max ? 0 : 2;
    (void)lk_uuid_format(stats.store_id, id, sizeof(id)); /* always 36 characters */
    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "store_id");
        lk_cli_json_text(&json, lk_cli_span(id));
        for (i = 0; i < count; i++) {
            lk_cli_json_key(&json, names[i]);
            lk_cli_json_number(&json, numbers[i]);
        }
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
        return 0;
    }
    lk_cli_put(cli->out, "store_id:        ");
    lk_cli_put(cli->out, id);
    for (i = 0; i < count; i++) {
        lk_cli_put(cli->out, "\n");
        lk_cli_put(cli->out, names[i]);
        lk_cli_put(cli->out, ":");
        lk_cli_put_spaces(cli->out, 16 - strlen(names[i]));
        lk_cli_put_number(cli->out, numbers[i]);
    }
    lk_cli_put(cli->out, "\n");
    return 0;
}

/* ---- maintain -------------------------------------------------------------------------------- */

int lk_cli_maintain(struct lk_cli *cli, const struct lk_cli_args *args)
{
    uint64_t budget, changed = 0, bytes = 0;
    bool scrub;
    bool more = true;
    int error = lk_cli_option_number(cli, args, "budget", 0, &budget);

    if (!error && budget > UINT32_MAX) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "budget", NULL, "is too large");
    }
    /* In pieces, so that logins need not wait for the whole. */
    while (!error && more) {
        int did = 0;

        error = lk_cli_begin(cli, LK_WRITE);
        if (!error) {
            did = lk_maintain(&cli->work->txn, budget ? (uint32_t)budget : UPKEEP_BUDGET, &more);
            error = did < 0 ? did : lk_cli_commit(cli);
        }
        if (!error) {
            changed += (uint64_t)did;
        }
        if (budget) {
            break;
        }
    }
    lk_cli_abort(cli);
    scrub = lk_store_scrub_due(cli->store);
    if (scrub) {
        int scrub_error = lk_cli_scrub(cli, &bytes); /* after a failure, too: pieces were done */

        error = error ? error : scrub_error;
    }
    if (error || cli->quiet) {
        return error;
    }
    if (cli->json) {
        struct lk_cli_json json;

        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "changed");
        lk_cli_json_number(&json, changed);
        lk_cli_json_key(&json, "more");
        lk_cli_json_bool(&json, more);
        lk_cli_json_key(&json, "scrubbed_bytes");
        lk_cli_json_number(&json, bytes);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else {
        lk_cli_put_number(cli->out, changed);
        lk_cli_put(cli->out, changed == 1 ? " record changed" : " records changed");
        if (scrub) {
            lk_cli_put(cli->out, "; ");
            lk_cli_put_number(cli->out, bytes);
            lk_cli_put(cli->out, " bytes of the store overwritten");
        }
        lk_cli_put(cli->out, more ? "; there is more to do\n" : "\n");
    }
    return 0;
}

/* ---- compact --------------------------------------------------------------------------------- */

int lk_cli_compact(struct lk_cli *cli, const struct lk_cli_args *args)
{
    uint64_t bytes = 0;
    int error;

    (void)args;
    lk_txn_release(&cli->work->txn);
    error = cli->env->compact ? cli->env->compact(cli->self, cli->store) : 0;
    if (error == LK_E_BUSY) {
        lk_cli_put(cli->err, cli->program);
        lk_cli_put(cli->err, ": compact: not laid out anew: another process has the store open\n");
        error = 0;
    }
    if (!error) {
        error = lk_store_scrub(cli->store, &bytes);
    }
    return error ? error : lk_cli_tell_scrubbed(cli, bytes, "", "what was deleted");
}
