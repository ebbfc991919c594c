// SPDX-License-Identifier: MIT
/* lk_cli_host.c: the table of a host's own commands, and the short ones among them. */
#include "lk_cli_host.h"

#include <stdlib.h>
#include <string.h>

#include "lk_cli_console.h"

#define HOST_LINE_SIZE    1024
#define HOST_HISTORY_SIZE 4096

#define END_OF_OPTIONS                                                                             \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct lk_cli_option host_init[] = {
    {"admin", "USER", "username of the first administrator (admin)"},
    {"password-stdin", NULL, "read the administrator's password from standard input"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_erase[] = {
    {"yes", NULL, "do not ask"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_console[] = {
    {"tty", "DEV", "a serial line instead of this terminal"},
    {"idle", "SECONDS", "log out when nothing was typed for so long (600)"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_attached[] = {
    {"baud", "N", "speed of the serial line (115200)"},
    {"user", "NAME", "log in as NAME or TENANT/NAME (admin), whoever was logged in"},
    {"password-stdin", NULL, "read the password from standard input, and log in with it"},
    {"claim", "CODE", "log in with a claim code; the password is the one to set"},
    {"timeout", "SECONDS", "that the device may say nothing (60); an answer may take ten times it"},
    {"text", NULL, "answers as a person reads them, not JSON"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_rekey[] = {
    {"secret-file", "FILE", "the new device secret is there; made where there is none"},
    {"full", NULL, "another store key, and every record under it"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_help[] = {
    {"man", NULL, "the manual page, as roff: latchkey help --man | man -l -"},
    {"completion", "SHELL", "a completion script; SHELL is bash"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_follow[] = {
    {LK_CLI_OPTION_STORE, NULL, "the store's own entries, which are of no tenant"},
    {"user", "USER", "entries of what this user did"},
    {"action", "NOUN.VERB", "entries of this action"},
    {"resource", "TYPE[:ID]", "entries of what was done to this"},
    {"outcome", "success|failure", "entries that went so"},
    {"category", "CATEGORY", "auth, session, user, role, data or system"},
    {"source", "ADDRESS", "entries of what came from this address"},
    {"after", "SEQ", "begin after this entry, not with what comes next"},
    {"interval", "SECONDS", "look so often (1)"},
    {"format", "FORMAT", "ndjson, csv or syslog"},
    END_OF_OPTIONS,
};

static const struct lk_cli_option host_flash[] = {
    {"records", NULL, "every record's key too; its fields where --secret is given"},
    END_OF_OPTIONS,
};

#define HOST (LK_CLI_HOST | LK_CLI_NO_STORE)

/* A command is a few lines here, and a dozen as the formatter would have it. */
/* clang-format off */
const struct lk_cli_command lk_cli_host_commands[] = {
    {.noun = "init", .args = "", .help = "make a store, its first tenant and an administrator",
     .details = "Prints a one-time claim code, which is the administrator's first password and "
                "must be replaced at the first login. --tenant names the tenant (main). There is "
                "no default password. With --storage flash:IMAGE the store is made as the image of a "
                "device's flash.",
     .resource = "store", .action = "write", .flags = HOST, .options = host_init,
     .handler = lk_cli_init},
    {.noun = "erase", .args = "", .help = "erase the whole store for good, as when a device is given away",
     .details = "Overwrites the store and the device secret beside it, and removes both. A secret "
                "elsewhere (--secret) is left: it may open other stores. Refused while the store is "
                "in use. A part inside a larger image of flash stays, erased. Backups and exports are "
                "not reached.",
     .resource = "store", .action = "write", .flags = HOST, .options = host_erase,
     .handler = lk_cli_erase},
    {.noun = "console", .args = "", .help = "the console of a device, on this terminal or a serial line",
     .details = "Log in as USER or TENANT/USER; then type commands without the program's name. "
                "Each is checked against the permissions of the session.",
     .resource = "store", .action = "read", .flags = LK_CLI_HOST | LK_CLI_WRITES,
     .options = host_console, .handler = lk_cli_console},
    {.noun = "device", .args = "DEV COMMAND...", .help = "run a command on an attached device",
     .details = "DEV is a serial line, a terminal, or unix:PATH, a socket; it has a / in it. Options "
                "come before COMMAND, whose words go to the console of the device as they stand. "
                "Its answers come as JSON, its errors on standard error, and its exit status is this "
                "program's. COMMAND - reads commands from standard input, a line each (# begins a "
                "comment), up to the first that fails. What a command asks for, a password say, is "
                "the next line of standard input, or asked on the terminal. A console where somebody "
                "is logged in is used as it is, unless --user, --claim or --password-stdin is given; "
                "who was logged in here is logged out in the end.",
     .min_args = 2, .max_args = LK_CLI_MANY, .options = host_attached,
     .flags = HOST | LK_CLI_ANYONE | LK_CLI_BY_PATH, .handler = lk_cli_attached},
    {.noun = "rekey", .args = "", .help = "put another device secret or another store key in force",
     .details = "Makes a new device secret in the place of the present one, or takes that of "
                "--secret-file, and lets the old one open nothing any more; at once, and safe at any "
                "cut. With --full the store key itself is replaced instead: the store can be used "
                "meanwhile, logins and tokens stay good, and what was cut short is gone on with by "
                "the same command. After a theft do both, the secret first.",
     .resource = "store", .action = "write", .flags = LK_CLI_HOST | LK_CLI_WRITES,
     .options = host_rekey, .handler = lk_cli_rekey},
    {.noun = "audit", .verb = "follow", .args = "", .help = "entries as they come, until ^C",
     .details = "Ends with the signals INT and TERM, and when what writes to its standard input "
                "ends. --json is --format ndjson.",
     .resource = "audit", .action = "read", .flags = LK_CLI_HOST | LK_CLI_TENANT,
     .options = host_follow, .handler = lk_cli_audit_follow},
    {.noun = "audit", .verb = "archive", .args = "FILE",
     .help = "append what was not archived yet to a file, as NDJSON",
     .details = "After the entries comes a line with their head. The tenant's audit_archived is "
                "set when all of it is on the medium; with audit_archive=true, entries past "
                "audit_days go only up to there. A cut in between leaves entries in the file that "
                "the next run appends again.",
     .resource = "store", .action = "write", .min_args = 1, .max_args = 1,
     .flags = LK_CLI_HOST | LK_CLI_TENANT | LK_CLI_WRITES, .handler = lk_cli_audit_archive},
    {.noun = "flash", .verb = "dump", .args = "IMAGE",
     .help = "what the image of a flash part holds: form, health, sectors, records",
     .details = "IMAGE is a file as it came from a device, with what --storage takes behind a "
                "comma where the image does not tell it. It is only read. Of each sector: its "
                "state, generation, erases, live, dead and free bytes, frames, and those that are "
                "damaged. Secrets are never shown.",
     .resource = "store", .action = "read", .min_args = 1, .max_args = 1, .flags = HOST,
     .options = host_flash, .handler = lk_cli_flash_dump},
    {.noun = "flash", .verb = "verify", .args = "IMAGE",
     .help = "check the image of a flash part, and its records where --secret is given",
     .details = "Frames, checksums, the order of sectors and of keys; with --secret FILE, the "
                "device's secret, what verify checks as well. The image is only read. Exit status 1 "
                "where something is damaged, 5 where it cannot be read as a store.",
     .resource = "store", .action = "read", .min_args = 1, .max_args = 1, .flags = HOST,
     .handler = lk_cli_flash_verify},
    {.noun = "help", .args = "[NOUN [VERB]]", .help = "tell about commands", .max_args = 2,
     .flags = HOST | LK_CLI_ANYONE, .options = host_help, .handler = lk_cli_host_help},
    {.noun = NULL},
};
/* clang-format on */

int lk_cli_host_help(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *shell = lk_cli_option(args, "completion");

    if (shell && !lk_cli_same(shell, "bash")) {
        return lk_cli_refuse(cli, LK_E_USAGE, "completion", shell, "is not a shell known here");
    }
    if (shell) {
        lk_cli_bash(cli);
        return 0;
    }
    if (lk_cli_option(args, "man")) {
        lk_cli_man(cli);
        return 0;
    }
    return lk_cli_help(cli, args);
}

/* ---- init ------------------------------------------------------------------------------------ */

static void host_init_text(struct lk_cli *cli, const char *tenant, const char *admin,
                           const struct lk_create_result *result)
{
    lk_cli_put(cli->out, "the store is made: tenant ");
    lk_cli_put_text(cli->out, lk_cli_span(tenant));
    lk_cli_put(cli->out, ", administrator ");
    lk_cli_put_text(cli->out, lk_cli_span(admin));
    lk_cli_put(cli->out, "\n");
    if (result->claim[0]) {
        lk_cli_put(cli->out, "claim code: ");
        lk_cli_put(cli->out, result->claim);
        lk_cli_put(cli->out, "\n");
        if (!cli->quiet) {
            lk_cli_put(cli->err, "It is shown this once. Log in with it as the password; a new "
                                 "password is asked for then:\n  ");
            lk_cli_put(cli->err, cli->program);
            lk_cli_put(cli->err, " login ");
            lk_cli_put_text(cli->err, lk_cli_span(admin));
            lk_cli_put(cli->err, "\n");
        }
    }
}

int lk_cli_init(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *tenant = cli->tenant_given ? cli->tenant_given : "main";
    const char *admin = lk_cli_option(args, "admin") ? lk_cli_option(args, "admin") : "admin";
    struct lk_create_request request = {.tenant = lk_cli_span(tenant), .admin = lk_cli_span(admin)};
    struct lk_create_result result;
    struct lk_cli_json json;
    int error = 0;

    memset(&result, 0, sizeof(result));
    if (lk_cli_option(args, "password-stdin")) {
        error = lk_cli_secret(cli, "password: ", true, true, 0, &request.password);
        /* An empty one would be taken for none, and a claim code made that nobody reads. */
        if (!error && !request.password.size) {
            error = lk_cli_refuse(cli, LK_E_CHECK, "password", NULL, "is empty");
        }
    }
    if (!error) {
        error = cli->env->create(cli->self, &request, &result);
    }
    if (error && result.problem.error) {
        cli->problem = result.problem;
    }
    if (!error && cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "tenant");
        lk_cli_json_text(&json, lk_cli_span(tenant));
        lk_cli_json_key(&json, "admin");
        lk_cli_json_text(&json, lk_cli_span(admin));
        lk_cli_json_key(&json, "id");
        lk_cli_json_number(&json, result.admin.user);
        lk_cli_json_key(&json, "claim_code");
        if (result.claim[0]) {
            lk_cli_json_text(&json, lk_cli_span(result.claim));
        } else {
            lk_cli_json_null(&json);
        }
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!error) {
        host_init_text(cli, tenant, admin, &result);
    }
    lk_cli_wipe(&result, sizeof(result));
    return error;
}

/* ---- erase ----------------------------------------------------------------------------------- */

int lk_cli_erase(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_cli_json json;
    int error = 0;

    if (!lk_cli_option(args, "yes")) {
        int answer =
            cli->env->confirm
                ? cli->env->confirm(cli->self, "Erase the whole store, with all that is in "
                                               "it?")
                : LK_E_UNSUPPORTED;

        if (answer == LK_E_UNSUPPORTED) {
            return lk_cli_refuse(cli, LK_E_USAGE, "yes", NULL,
                                 "is needed where nobody can be asked");
        }
        if (answer != 1) {
            return answer ? answer : lk_cli_refuse(cli, LK_E_REFUSED, NULL, NULL, "not confirmed");
        }
    }
    error = cli->env->erase ? cli->env->erase(cli->self) : LK_E_UNSUPPORTED;
    if (!error && cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "erased");
        lk_cli_json_bool(&json, true);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!error && !cli->quiet) {
        lk_cli_put(cli->out, "the store is erased\n");
    }
    return error;
}

/* ---- console --------------------------------------------------------------------------------- */

int lk_cli_console(struct lk_cli *cli, const struct lk_cli_args *args)
{
    static const struct lk_cli_command *const tables[] = {lk_cli_commands, NULL};
    struct lk_cli_host *host = (struct lk_cli_host *)cli;
    const struct lk_cli_host_line line = {.device = lk_cli_option(args, "tty")};
    struct lk_cli_console console = {.idle_ms = 0, .once = line.device == NULL};
    struct lk_cli inner = *cli;
    uint64_t idle;
    int error = lk_cli_option_number(cli, args, "idle", LK_CLI_CONSOLE_IDLE_MS / 1000, &idle);

    if (!error && (!idle || idle > 86400)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "idle", NULL, "is not 1 to 86400 seconds");
    }
    if (error) {
        return error;
    }
    error = host->ops->console_open(cli->self, &line, &console.console, &console.console_self);
    if (error) {
        return error;
    }
    /* The inner one has state of its own: commands run inside this command. */
    inner.tables = tables;
    inner.tenant_name = cli->tenant_given ? cli->tenant_given : cli->tenant_name;
    console.cli = &inner;
    console.idle_ms = (uint32_t)idle * 1000;
    console.line_size = HOST_LINE_SIZE;
    console.history_size = HOST_HISTORY_SIZE;
    console.line = calloc(1, HOST_LINE_SIZE);
    console.history = calloc(1, HOST_HISTORY_SIZE);
    error = console.line && console.history ? lk_cli_console_run(&console) : LK_E_FULL;
    host->ops->console_close(cli->self);
    free(console.line);
    free(console.history);
    return error;
}
