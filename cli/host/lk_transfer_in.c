// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* lk_transfer_in.c: the command that brings records in. */
#include "lk_linux.h"
#include "lk_transfer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_SPOOL_MAX (256u << 20) /* bytes of an input that is not a file */
#define IN_PACK_FROM 10000u       /* records from which on the store is laid out anew */

struct in_run {
    struct lk_cli *cli;
    struct lk_import import;
    const char *file;
    int fd;
};

/* ---- Input -----------------------------------------------------------------------------------
 */

static int in_read(void *context, uint8_t *out, size_t size, size_t *got)
{
    const struct in_run *run = context;
    ssize_t count;

    do {
        count = read(run->fd, out, size);
    } while (count < 0 && errno == EINTR);
    *got = count < 0 ? 0 : (size_t)count;
    return count < 0 ? LK_E_IO : 0;
}

static int in_write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);

        if (count < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == ENOMEM ? LK_E_FULL : LK_E_IO;
        }
        data += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

/*
 * A pipe or a person may take their time, and nobody could log in while the transaction waits for
 * them: what is not a file is read to its end first. In memory: it holds hashes.
 */
static int in_spool(struct in_run *run)
{
    uint8_t buffer[16384];
    size_t total = 0;
    size_t got = 1;
    int spool = memfd_create("latchkey-import", MFD_CLOEXEC);
    int error = spool < 0 ? LK_E_FULL : 0;

    while (!error && got > 0) {
        error = in_read(run, buffer, sizeof(buffer), &got);
        total += got;
        if (!error && total > IN_SPOOL_MAX) {
            error = lk_cli_refuse(run->cli, LK_E_LIMIT, run->file, NULL,
                                  "is over 256 MiB: give it as a file");
        }
        if (!error) {
            error = in_write_all(spool, buffer, got);
        }
    }
    explicit_bzero(buffer, sizeof(buffer));
    if (!error && lseek(spool, 0, SEEK_SET) != 0) {
        error = LK_E_IO;
    }
    if (run->fd > STDIN_FILENO) {
        (void)close(run->fd); /* only read from */
    }
    run->fd = spool;
    return error;
}

static int in_open(struct in_run *run)
{
    struct stat status;

    run->fd = STDIN_FILENO;
    if (strcmp(run->file, "-") != 0) {
        run->fd = open(run->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (run->fd < 0) {
            return lk_cli_refuse(run->cli, errno == ENOENT ? LK_E_NOT_FOUND : LK_E_IO, "FILE",
                                 run->file,
                                 errno == ENOENT ? "does not exist" : "cannot be opened");
        }
    }
    if (fstat(run->fd, &status) != 0) {
        return LK_E_IO;
    }
    if (S_ISDIR(status.st_mode)) {
        return lk_cli_refuse(run->cli, LK_E_USAGE, "FILE", run->file, "is a directory");
    }
    return S_ISREG(status.st_mode) ? 0 : in_spool(run);
}

static void in_close(const struct in_run *run)
{
    if (run->fd > STDIN_FILENO) {
        (void)close(run->fd); /* only read from */
    }
}

/* ---- Reports ---------------------------------------------------------------------------------
 */

static void in_clear_progress(struct lk_cli *cli)
{
    if (cli->progress && !cli->quiet) {
        lk_cli_put(cli->err, "\r                              \r");
    }
}

static void in_on_progress(void *report, uint64_t records)
{
    struct lk_cli *cli = ((struct in_run *)report)->cli;

    lk_cli_put(cli->err, "\rimport: ");
    lk_cli_put_number(cli->err, records);
    lk_cli_put(cli->err, " records");
}

/* `"given" rule` */
static void in_put_reason(struct lk_cli_out *out, const struct lk_import_bad *bad)
{
    if (bad->given[0] != '\0') {
        lk_cli_put(out, "\"");
        lk_cli_put_text(out, lk_cli_span(bad->given));
        lk_cli_put(out, "\" ");
    }
    lk_cli_put(out, bad->rule);
}

static void in_on_bad(void *report, const struct lk_import_bad *bad)
{
    struct in_run *run = report;
    struct lk_cli *cli = run->cli;
    struct lk_cli_buffer buffer;
    struct lk_cli_json json;
    struct lk_cli_out out;
    char message[400];

    in_clear_progress(cli);
    if (!cli->json) {
        lk_cli_put_text(cli->err, lk_cli_span(run->file));
        lk_cli_put(cli->err, ":");
        lk_cli_put_number(cli->err, bad->line);
        lk_cli_put(cli->err, ": ");
        lk_cli_put_text(cli->err, lk_cli_span(bad->field));
        lk_cli_put(cli->err, ": ");
        in_put_reason(cli->err, bad);
        lk_cli_put(cli->err, "\n");
        return;
    }
    lk_cli_buffer_out(&out, &buffer, message, sizeof(message));
    in_put_reason(&out, bad);
    lk_cli_json_begin(&json, cli->err);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "error");
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "code");
    lk_cli_json_text(&json, lk_cli_span(lk_cli_error_name(bad->error)));
    lk_cli_json_key(&json, "file");
    lk_cli_json_text(&json, lk_cli_span(run->file));
    lk_cli_json_key(&json, "line");
    lk_cli_json_number(&json, bad->line);
    lk_cli_json_key(&json, "field");
    lk_cli_json_text(&json, lk_cli_span(bad->field));
    lk_cli_json_key(&json, "message");
    lk_cli_json_text(&json, (struct lk_span){(const uint8_t *)message, buffer.size});
    lk_cli_json_close(&json, '}');
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

static void in_put_count(struct lk_cli_out *out, const char *between, uint64_t count,
                         const char *what)
{
    lk_cli_put(out, between);
    lk_cli_put_number(out, count);
    lk_cli_put(out, what);
}

/* Credentials that nobody can prove any more: told, never left out silently. */
static void in_bare(const struct in_run *run)
{
    struct lk_cli *cli = run->cli;
    const char *between = ": import: without their secrets, which are not in the file: ";
    uint64_t type;

    for (type = 0; type <= LK_CREDENTIAL_CLAIM && run->import.committed; type++) {
        if (run->import.bare_count[type] > 0) {
            lk_cli_put(cli->err, between[0] == ':' ? cli->program : "");
            in_put_count(cli->err, between, run->import.bare_count[type], " ");
            lk_cli_put(cli->err, lk_transfer_type(type));
            between = ", ";
        }
    }
    lk_cli_put(cli->err, between[0] == ':' ? "" : "\n");
}

static void in_summary_json(const struct in_run *run)
{
    const struct lk_import *import = &run->import;
    struct lk_cli_json json;
    uint64_t type;

    lk_cli_json_begin(&json, run->cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "committed");
    lk_cli_json_bool(&json, import->committed);
    lk_cli_json_key(&json, "added");
    lk_cli_json_number(&json, import->committed ? import->added_count : 0);
    lk_cli_json_key(&json, "kept");
    lk_cli_json_number(&json, import->kept_count);
    lk_cli_json_key(&json, "passed_over");
    lk_cli_json_number(&json, import->passed_count);
    lk_cli_json_key(&json, "bad");
    lk_cli_json_number(&json, import->bad_count);
    lk_cli_json_key(&json, "without_secret");
    lk_cli_json_open(&json, '{');
    for (type = 0; type <= LK_CREDENTIAL_CLAIM; type++) {
        if (import->bare_count[type] > 0) {
            lk_cli_json_key(&json, lk_transfer_type(type));
            lk_cli_json_number(&json, import->bare_count[type]);
        }
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

static void in_summary(const struct in_run *run)
{
    const struct lk_import *import = &run->import;
    struct lk_cli *cli = run->cli;

    if (cli->json) {
        in_summary_json(run);
        return;
    }
    if (import->committed && !cli->quiet) {
        in_put_count(cli->out, "", import->added_count,
                     import->added_count == 1 ? " record added" : " records added");
        if (import->kept_count > 0) {
            in_put_count(cli->out, ", ", import->kept_count, " there already");
        }
        if (import->passed_count > 0) {
            in_put_count(cli->out, ", ", import->passed_count, " passed over");
        }
        lk_cli_put(cli->out, "\n");
    }
    in_bare(run);
    if (import->bad_count > 0) {
        lk_cli_put(cli->err, cli->program);
        in_put_count(cli->err, ": import: ", import->bad_count,
                     import->bad_count == 1 ? " record is bad" : " records are bad");
        lk_cli_put(cli->err, import->committed ? ", and left out\n" : ": nothing was imported\n");
    }
}

/* ---- Layout ----------------------------------------------------------------------------------
 */

static int in_on_packing(void *context, uint64_t done, uint64_t total)
{
    const struct in_run *run = context;

    if (run->import.on_progress != NULL) {
        lk_cli_put(run->cli->err, "\rimport: laid out ");
        lk_cli_put_number(run->cli->err, done);
        in_put_count(run->cli->err, " of ", total, " entries");
    }
    return 0;
}

/* What many records were put between others leaves pages half full. Whoever has the store open
 * besides keeps it as it is: that costs room, and `compact` can be run when it suits. */
static int in_pack(struct in_run *run)
{
    int error;

    if (!run->import.committed || run->import.added_count < IN_PACK_FROM) {
        return 0;
    }
    lk_txn_release(&run->cli->work->txn);
    error = lk_host_pack(lk_host_of(run->cli->store), in_on_packing, run);
    return error == LK_E_BUSY || error == LK_E_FULL || error == LK_E_UNSUPPORTED ? 0 : error;
}

/* ---- Import and restore ----------------------------------------------------------------------
 */

static int in_fill(void *context, struct lk_store *store)
{
    struct in_run *run = context;
    int error;

    run->import.store = store;
    error = lk_import_restore(&run->import);
    /* With bad records left out on demand, the store is wanted all the same. */
    return error == LK_E_CHECK && run->import.committed ? 0 : error;
}

/* Into the store that is there, if nothing is in it, or into one that is made for it. */
static int in_restore(struct in_run *run)
{
    const struct lk_host_front *front = run->cli->self;
    int error = lk_cli_open(run->cli, false);

    if (error == 0) {
        run->import.store = run->cli->store;
        error = lk_import_restore(&run->import);
        return error == LK_E_EXISTS
                   ? lk_cli_refuse(run->cli, error, NULL, NULL,
                                   "the store has tenants already: a restore needs an empty one")
                   : error;
    }
    if (error != LK_E_NOT_FOUND) {
        return error;
    }
    error = lk_host_create_filled(&front->config, in_fill, run);
    run->import.committed = error == 0;
    return error == 0 || run->import.bad_count > 0 || run->import.problem.error == error
               ? error
               : lk_transfer_host_refused(run->cli, error, NULL);
}

static int in_import(struct in_run *run)
{
    int error = lk_cli_open(run->cli, false);

    if (!error) {
        error = lk_cli_find_tenant(run->cli);
    }
    if (error) {
        return error;
    }
    run->import.store = run->cli->store;
    run->import.tenant = run->cli->tenant;
    return lk_import_run(&run->import);
}

static int in_options(struct in_run *run, const struct lk_cli_args *args, bool restore,
                      struct lk_import_column *columns, char *names, size_t size)
{
    const char *format = lk_cli_option(args, "format");
    struct lk_import *import = &run->import;
    const char *map;
    size_t used = 0;

    import->format = LK_IMPORT_NDJSON;
    if (format == NULL && !restore) {
        return lk_cli_refuse(run->cli, LK_E_USAGE, "format", NULL,
                             "must be given: passwd-hashes, mosquitto, htpasswd, shadow, csv or "
                             "ndjson");
    }
    if (format != NULL && lk_import_format_named(format, &import->format)) {
        return lk_cli_refuse(run->cli, LK_E_USAGE, "format", format,
                             "is not passwd-hashes, mosquitto, htpasswd, shadow, csv or ndjson");
    }
    if (restore && import->format != LK_IMPORT_NDJSON) {
        return lk_cli_refuse(run->cli, LK_E_USAGE, "format", format,
                             "cannot be restored: only ndjson holds ids");
    }
    for (size_t n = 0; (map = lk_cli_option_at(args, "map", n)) != NULL; n++) {
        const char *mark = strrchr(map, '=');
        size_t length = mark == NULL ? 0 : (size_t)(mark - map);

        if (length == 0 || import->format != LK_IMPORT_CSV || length + 1 > size - used) {
            return lk_cli_refuse(run->cli, LK_E_USAGE, "map", map,
                                 import->format != LK_IMPORT_CSV ? "is for csv only"
                                                                 : "is not COLUMN=FIELD");
        }
        memcpy(names + used, map, length);
        names[used + length] = '\0';
        columns[n] = (struct lk_import_column){names + used, mark + 1};
        used += length + 1;
        import->column_count = n + 1;
    }
    import->columns = columns;
    import->skip_bad = lk_cli_option(args, "skip-bad") != NULL;
    return 0;
}

static int in_kind(struct in_run *run, const struct lk_cli_args *args)
{
    const char *name = lk_cli_option(args, "kind");
    int error;

    if (name == NULL) {
        return 0;
    }
    if (run->import.format != LK_IMPORT_CSV) {
        return lk_cli_refuse(run->cli, LK_E_USAGE, "kind", name, "is for csv only");
    }
    error = lk_cli_open(run->cli, false);
    if (error) {
        return error;
    }
    run->import.kind = lk_store_kind(run->cli->store, lk_cli_span(name));
    return run->import.kind != NULL
               ? 0
               : lk_cli_refuse(run->cli, LK_E_USAGE, "kind", name, "is not a kind of record");
}

static int in_run_file(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_actor actor = {.channel = LK_CHANNEL_CLI};
    struct lk_import_column columns[LK_CLI_OPTIONS_MAX];
    char names[1024];
    bool restore = lk_cli_option(args, "restore") != NULL;
    struct in_run run = {.cli = cli, .file = args->words[0], .fd = -1};
    int error;

    memset(columns, 0, sizeof(columns));
    error = in_options(&run, args, restore, columns, names, sizeof(names));
    if (!error) {
        error = in_kind(&run, args);
    }
    if (!error) {
        error = in_open(&run);
    }
    if (error) {
        in_close(&run);
        return error;
    }
    run.import.name = run.file;
    run.import.source = in_read;
    run.import.context = &run;
    run.import.actor = &actor;
    run.import.on_bad = in_on_bad;
    run.import.on_progress = cli->progress && !cli->quiet ? in_on_progress : NULL;
    run.import.report = &run;
    error = restore ? in_restore(&run) : in_import(&run);
    if (!restore && (!error || run.import.committed)) {
        int packed = in_pack(&run);

        error = error ? error : packed;
    }
    in_close(&run);
    in_clear_progress(cli);
    if (error && (error != LK_E_CHECK || run.import.bad_count == 0)) {
        if (run.import.problem.error == error) {
            cli->problem = run.import.problem;
        }
        return error;
    }
    in_summary(&run);
    return run.import.bad_count > 0 ? LK_EXIT_CONFLICT : 0;
}

/* ---- A store from a backup -------------------------------------------------------------------
 */

static int in_run_backup(struct lk_cli *cli, const struct lk_cli_args *args, const char *backup)
{
    const struct lk_host_front *front = cli->self;
    bool from_stdin = lk_cli_option(args, "passphrase-stdin") != NULL;
    struct lk_span passphrase = {NULL, 0};
    int error;

    /* The device's own secret may do: a passphrase is asked for only where it does not. */
    error = from_stdin ? LK_E_SECRET : lk_host_restore(&front->config, backup, passphrase);
    if (error == LK_E_SECRET) {
        error = lk_transfer_passphrase(cli, from_stdin, false, &passphrase);
        if (error) {
            return error;
        }
        error = lk_host_restore(&front->config, backup, passphrase);
    }
    if (error) {
        return lk_transfer_host_refused(cli, error, backup);
    }
    if (!cli->json && !cli->quiet) {
        lk_cli_put(cli->out, "the store was made from ");
        lk_cli_put(cli->out, backup);
        lk_cli_put(cli->out, "; `verify` checks every record of it\n");
    } else if (cli->json) {
        struct lk_cli_json json;

        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "restored_from");
        lk_cli_json_text(&json, lk_cli_span(backup));
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    }
    return 0;
}

int lk_transfer_import(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *backup = lk_cli_option(args, "backup");

    if (backup != NULL && args->count > 0) {
        return lk_cli_refuse(cli, LK_E_USAGE, "FILE", args->words[0],
                             "has no place beside --backup");
    }
    if (backup == NULL && args->count == 0) {
        return lk_cli_refuse(cli, LK_E_USAGE, "FILE", NULL, "is missing");
    }
    return backup != NULL ? in_run_backup(cli, args, backup) : in_run_file(cli, args);
}
