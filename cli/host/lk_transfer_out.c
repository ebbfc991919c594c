// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* lk_transfer_out.c: the command that writes records out. */
#include "lk_transfer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct out_run {
    struct lk_cli *cli;
    const char *file; /* NULL: standard output */
    char *part;       /* what the file is called until it is whole */
    FILE *stream;
};

/* ---- Where it goes ---------------------------------------------------------------------------
 */

static int out_write(void *context, const void *data, size_t size)
{
    struct out_run *run = context;

    if (run->stream != NULL) {
        return fwrite(data, 1, size, run->stream) == size ? 0 : LK_E_IO;
    }
    lk_cli_put_bytes(run->cli->out, data, size);
    return run->cli->out->error;
}

static int out_open(struct out_run *run)
{
    int fd;

    if (run->file == NULL) {
        return 0;
    }
    if (asprintf(&run->part, "%s.part-XXXXXX", run->file) < 0) {
        run->part = NULL;
        return LK_E_FULL;
    }
    fd = mkostemp(run->part, O_CLOEXEC); /* mode 0600 */
    run->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (run->stream == NULL) {
        int number = errno;

        if (fd >= 0) {
            (void)close(fd); /* nothing was written */
            (void)unlink(run->part);
        }
        free(run->part);
        run->part = NULL;
        return lk_cli_refuse(run->cli, number == ENOENT ? LK_E_NOT_FOUND : LK_E_IO, "output",
                             run->file, "cannot be made there");
    }
    return 0;
}

/* Gives a whole file its name, and takes one that is not away. */
static int out_close(struct out_run *run, int error)
{
    if (run->stream == NULL) {
        return error;
    }
    if (!error && (fflush(run->stream) != 0 || fsync(fileno(run->stream)) != 0)) {
        error = errno == ENOSPC || errno == EDQUOT ? LK_E_FULL : LK_E_IO;
    }
    if (fclose(run->stream) != 0 && !error) {
        error = LK_E_IO;
    }
    if (!error && rename(run->part, run->file) != 0) {
        error = lk_cli_refuse(run->cli, LK_E_IO, "output", run->file, "cannot be made there");
    }
    if (error) {
        (void)unlink(run->part); /* the first error is the one to tell */
    }
    free(run->part);
    return error;
}

/* ---- Options ---------------------------------------------------------------------------------
 */

/* "100MB", "64KiB", "5000": decimal and binary units as their names say. */
static int out_size(struct lk_cli *cli, const char *text, uint64_t *size)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {
        {"", 1},           {"B", 1},          {"kB", 1000},
        {"KB", 1000},      {"MB", 1000000},   {"GB", 1000000000},
        {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30},
    };
    size_t digits = strspn(text, "0123456789");
    uint64_t number;

    if (lk_uint_parse((struct lk_span){(const uint8_t *)text, digits}, &number) == 0) {
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (lk_cli_same(text + digits, units[i].name) && number > 0 &&
                number <= UINT64_MAX / units[i].factor) {
                *size = number * units[i].factor;
                return 0;
            }
        }
    }
    return lk_cli_refuse(cli, LK_E_USAGE, "limit-bytes", text,
                         "is not a number of bytes, like 5000000, 100MB or 64KiB");
}

static int out_options(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_export *export)
{
    const char *format = lk_cli_option(args, "format");
    const char *kind = lk_cli_option(args, "kind");
    const char *limit = lk_cli_option(args, "limit-bytes");

    if (format != NULL && !lk_cli_same(format, "ndjson") && !lk_cli_same(format, "csv")) {
        return lk_cli_refuse(cli, LK_E_USAGE, "format", format, "is not ndjson or csv");
    }
    export->csv = format != NULL && lk_cli_same(format, "csv");
    if (kind != NULL) {
        export->kind = lk_store_kind(cli->store, lk_cli_span(kind));
        if (export->kind == NULL || (export->kind->flags & LK_K_EXPORTED) == 0) {
            return lk_cli_refuse(cli, LK_E_USAGE, "kind", kind,
                                 "is not a kind that an export holds");
        }
    } else if (export->csv) {
        export->kind = &lk_kind_user;
    }
    export->with_secrets = lk_cli_option(args, "with-secrets") != NULL;
    return limit == NULL ? 0 : out_size(cli, limit, &export->limit);
}

/* The whole store where that is asked for, or is one tenant's anyway. */
static int out_scope(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_export *export)
{
    bool all = lk_cli_option(args, "all-tenants") != NULL;
    bool named =
        cli->tenant_given != NULL || (cli->tenant_name != NULL && cli->tenant_name[0] != '\0');
    int error;

    if (all && cli->tenant_given != NULL) {
        return lk_cli_refuse(cli, LK_E_USAGE, "tenant", cli->tenant_given,
                             "has no place beside --all-tenants");
    }
    if (all && export->csv && export->kind->shape != LK_SHAPE_TENANT) {
        return lk_cli_refuse(cli, LK_E_USAGE, "format", "csv",
                             "cannot tell tenants apart: give --tenant, or use ndjson");
    }
    if (all) {
        return 0;
    }
    error = lk_cli_find_tenant(cli);
    if (error == LK_E_USAGE && !named) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL,
                             "the store has several tenants: give --tenant NAME or --all-tenants");
    }
    export->tenant = named || export->csv ? cli->tenant : 0;
    return error;
}

/* ---- The command -----------------------------------------------------------------------------
 */

static int out_audit(struct lk_cli *cli, const struct lk_export *export)
{
    struct lk_cbor_writer writer;
    uint8_t details[64];
    size_t size;

    lk_cbor_writer_init(&writer, details, sizeof(details));
    lk_cbor_put_map(&writer, 2);
    lk_cbor_put_text(&writer, LK_TEXT("format"));
    lk_cbor_put_text(&writer, export->csv ? LK_TEXT("csv") : LK_TEXT("ndjson"));
    lk_cbor_put_text(&writer, LK_TEXT("secrets"));
    lk_cbor_put_bool(&writer, export->with_secrets);
    int error = lk_cbor_finish(&writer, &size);

    return error ? error
                 : lk_transfer_audit(cli, export->tenant, "export", "an export was asked for",
                                     (struct lk_span){details, size});
}

int lk_transfer_export(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_export export = {.txn = &cli->work->txn, .sink = out_write};
    struct out_run run = {.cli = cli, .file = lk_cli_option(args, "output")};
    int error = out_options(cli, args, &export);

    export.context = &run;
    if (!error) {
        error = out_scope(cli, args, &export);
    }
    if (!error) {
        error = out_audit(cli, &export);
    }
    if (!error) {
        error = out_open(&run);
    }
    if (error) {
        return error;
    }
    error = lk_cli_begin(cli, LK_READ);
    if (!error) {
        error = lk_export_run(&export);
        if (error == LK_E_LIMIT) {
            error = lk_cli_refuse(cli, error, NULL, NULL,
                                  "would be larger than the limit: --limit-bytes raises it");
        }
    }
    lk_cli_abort(cli);
    return out_close(&run, error);
}
