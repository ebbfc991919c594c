// SPDX-License-Identifier: MIT
/* lk_transfer.c: the commands by which records and stores come and go, and what they share. */
#include "lk_linux.h"
#include "lk_transfer_internal.h"

#include <string.h>

/* ---- What they share -------------------------------------------------------------------------
 */

int lk_transfer_host_refused(struct lk_cli *cli, int error, const char *what)
{
    const char *rule = lk_host_problem();

    return rule == NULL ? lk_cli_refuse(cli, error, what, NULL, NULL)
                        : lk_cli_refuse(cli, error, what, NULL, rule);
}

static int transfer_read(struct lk_cli *cli, bool from_stdin, const char *prompt, unsigned slot,
                         struct lk_span *out)
{
    const struct lk_cli_env *env = cli->env;
    uint8_t *room = cli->work->secrets[slot];
    size_t size = 0;
    int error = LK_E_UNSUPPORTED;

    if (from_stdin && env->read_line != NULL) {
        error = env->read_line(cli->self, NULL, room, LK_CLI_SECRET_MAX, &size);
    } else if (!from_stdin && env->read_secret != NULL) {
        error = env->read_secret(cli->self, prompt, room, LK_CLI_SECRET_MAX, &size);
    }
    *out = (struct lk_span){room, size};
    switch (error) {
    case LK_E_UNSUPPORTED:
        return lk_cli_refuse(cli, LK_E_USAGE, "passphrase", NULL,
                             "there is no terminal to ask on; give --passphrase-stdin");
    case LK_E_NOT_FOUND:
        return lk_cli_refuse(cli, LK_E_USAGE, "passphrase", NULL, "the input ended before it");
    case LK_E_SPACE:
        return lk_cli_refuse(cli, LK_E_CHECK, "passphrase", NULL, "is longer than 128 bytes");
    default: return error;
    }
}

int lk_transfer_passphrase(struct lk_cli *cli, bool from_stdin, bool twice,
                           struct lk_span *passphrase)
{
    struct lk_span again = {NULL, 0};
    int error = transfer_read(cli, from_stdin, "passphrase: ", 0, passphrase);

    if (!error && passphrase->size == 0) {
        return lk_cli_refuse(cli, LK_E_CHECK, "passphrase", NULL, "is empty");
    }
    if (error || from_stdin || !twice) {
        return error;
    }
    error = transfer_read(cli, false, "again: ", 1, &again);
    if (!error &&
        (again.size != passphrase->size || memcmp(again.data, passphrase->data, again.size) != 0)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "passphrase", NULL, "the two are not the same");
    }
    lk_cli_wipe(cli->work->secrets[1], LK_CLI_SECRET_MAX);
    return error;
}

static void transfer_set_text(struct lk_audit_entry *entry, const char *field, struct lk_span text)
{
    lk_field_set_span(&entry->record, lk_field_named(&lk_kind_audit, lk_cli_span(field)), text);
}

int lk_transfer_audit(struct lk_cli *cli, uint32_t tenant, const char *action,
                      const char *description, struct lk_span details)
{
    struct lk_audit_entry entry;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (error) {
        return error;
    }
    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = tenant;
    transfer_set_text(&entry, "action", lk_cli_span(action));
    transfer_set_text(&entry, "resource_type", tenant == 0 ? LK_TEXT("store") : LK_TEXT("tenant"));
    transfer_set_text(&entry, "description", lk_cli_span(description));
    if (details.size > 0) {
        transfer_set_text(&entry, "details", details);
    }
    lk_field_set_number(&entry.record, lk_field_named(&lk_kind_audit, LK_TEXT("category")),
                        LK_CATEGORY_DATA);
    error = lk_audit_write(&cli->work->txn, LK_RING_ADMIN, &entry);
    if (!error) {
        error = lk_cli_commit(cli);
    }
    lk_cli_abort(cli);
    return error;
}

/* Repeats that are still being counted go into the rings of every tenant and of the store. */
static int transfer_settle(struct lk_cli *cli)
{
    char cursor[LK_CURSOR_SIZE] = "";
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_audit_settle(&cli->work->txn, 0);
    }
    while (!error) {
        struct lk_list *list = &cli->work->list;
        struct lk_id id;

        *list = (struct lk_list){.kind = &lk_kind_tenant, .after = cursor[0] ? cursor : NULL};
        error = lk_list_begin(&cli->work->txn, list);
        if (!error) {
            error = lk_list_next(list, &cli->work->record.record);
        }
        id = cli->work->record.record.id;
        if (!error) {
            error = lk_list_cursor(list, cursor);
        }
        lk_list_end(list);
        if (!error) {
            error = lk_audit_settle(&cli->work->txn, id.tenant);
        }
    }
    error = error == LK_E_NOT_FOUND ? lk_cli_commit(cli) : error;
    lk_cli_abort(cli);
    return error;
}

/* ---- Backup ----------------------------------------------------------------------------------
 */

int lk_transfer_backup(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *wrap = lk_cli_option(args, "wrap-to");
    bool from_stdin = lk_cli_option(args, "passphrase-stdin") != NULL;
    struct lk_span passphrase = {NULL, 0};
    int error = 0;

    if (!(cli->store->storage->caps & LK_STORAGE_SNAPSHOT)) {
        return lk_cli_refuse(cli, LK_E_UNSUPPORTED, NULL, NULL,
                             "a store in a flash image has no backups of its own: copy the image "
                             "and its secret while nothing writes");
    }
    if (wrap != NULL && !lk_cli_same(wrap, "passphrase")) {
        return lk_cli_refuse(cli, LK_E_USAGE, "wrap-to", wrap, "is not \"passphrase\"");
    }
    if (wrap != NULL || from_stdin) {
        error = lk_transfer_passphrase(cli, from_stdin, true, &passphrase);
    }
    if (!error) {
        error = transfer_settle(cli);
    }
    if (!error) {
        error = lk_transfer_audit(cli, 0, "backup", "a backup of the store was asked for",
                                  (struct lk_span){NULL, 0});
    }
    if (error) {
        return error;
    }
    error = lk_host_backup(lk_host_of(cli->store), args->words[0], passphrase);
    if (error) {
        return lk_transfer_host_refused(cli, error, args->words[0]);
    }
    if (!cli->json && !cli->quiet) {
        lk_cli_put(cli->out, "backup made in ");
        lk_cli_put(cli->out, args->words[0]);
        lk_cli_put(cli->out, passphrase.size > 0
                                 ? "; it opens by the passphrase\n"
                                 : "; it opens by this device's secret only, which is not in it\n");
    } else if (cli->json) {
        struct lk_cli_json json;

        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "backup");
        lk_cli_json_text(&json, lk_cli_span(args->words[0]));
        lk_cli_json_key(&json, "wrapped_to");
        lk_cli_json_text(&json, passphrase.size > 0 ? LK_TEXT("passphrase") : LK_TEXT("device"));
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    }
    return 0;
}

/* ---- The table -------------------------------------------------------------------------------
 */

static const struct lk_cli_option transfer_import_options[] = {
    {"format", "FORMAT", "passwd-hashes, mosquitto, htpasswd, shadow, csv or ndjson"},
    {"skip-bad", NULL, "leave bad records out, and take the others"},
    {"map", "COLUMN=FIELD", "csv: a column under another name; COLUMN= passes it over"},
    {"kind", "KIND", "csv: records of another kind than user"},
    {"restore", NULL, "put an ndjson export back, ids and all; makes the store"},
    {"backup", "DIR", "make the store from a backup"},
    {"passphrase-stdin", NULL, "read the passphrase of the backup from standard input"},
    {NULL, NULL, NULL},
};

static const struct lk_cli_option transfer_export_options[] = {
    {"format", "FORMAT", "ndjson (the default) or csv"},
    {"kind", "KIND", "records of this kind only; csv: user unless said"},
    {"with-secrets", NULL, "password hashes, and the seeds of time-based codes, too"},
    {"all-tenants", NULL, "the whole store"},
    {"limit-bytes", "SIZE", "refuse to write more than this (100MB)"},
    {"output", "FILE", "into a file that only its owner can read"},
    {NULL, NULL, NULL},
};

static const struct lk_cli_option transfer_backup_options[] = {
    {"wrap-to", "passphrase", "a passphrase opens the copy, on any device"},
    {"passphrase-stdin", NULL, "read that passphrase from standard input"},
    {NULL, NULL, NULL},
};

const struct lk_cli_command lk_transfer_commands[] = {
    {
        .noun = "import",
        .args = "FILE",
        .help = "bring in records from a file, or a whole store",
        .details =
            "FILE may be - for standard input. All or nothing, in one transaction: each bad record "
            "is reported as FILE:LINE: field: reason, and with exit status 4 nothing was kept, "
            "unless --skip-bad left the bad ones out. Users log in with the password they had; "
            "the old hash is replaced at that login. Ids and audit fields of the file are passed "
            "over, and roles are granted by name. shadow: a locked or expired account comes as "
            "suspended, one without a hash is passed over. With --restore an export comes back "
            "with its ids into a store without tenants; with --backup DIR (and no FILE) the store "
            "is made from a backup.",
        .resource = "store",
        .action = "write",
        .min_args = 0,
        .max_args = 1,
        .flags = LK_CLI_NO_STORE | LK_CLI_HOST | LK_CLI_WRITES,
        .options = transfer_import_options,
        .handler = lk_transfer_import,
    },
    {
        .noun = "export",
        .args = "",
        .help = "write all records as ndjson, or those of a kind as csv",
        .details =
            "Removed records are among them; sessions, failure counts and the audit are not "
            "(audit export has its own). Hashes and seeds leave only by --with-secrets; then "
            "import --restore makes a store in which everybody can log in as before, but by a "
            "claim "
            "code. Nothing is written when it would be more "
            "than the limit. The csv "
            "is as RFC 4180 has it, and nothing is added to a value: open it in a spreadsheet as "
            "text, or a name that begins with = runs there as a formula. Grants that end are in "
            "the ndjson only.",
        .resource = "store",
        .action = "read",
        .flags = LK_CLI_HOST | LK_CLI_WRITES,
        .options = transfer_export_options,
        .handler = lk_transfer_export,
    },
    {
        .noun = "backup",
        .args = "DIR",
        .help = "copy the store into a new directory while it is in use",
        .details =
            "Without a passphrase the copy opens only with this device's secret, which is not in "
            "it. On another device: latchkey --db NEW import --backup DIR.",
        .resource = "store",
        .action = "read",
        .min_args = 1,
        .max_args = 1,
        .flags = LK_CLI_HOST | LK_CLI_WRITES,
        .options = transfer_backup_options,
        .handler = lk_transfer_backup,
    },
    {.noun = NULL},
};
