// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * lk_cli_audit_host.c: the audit on a machine with files: entries as they come, and an archive that
 * retention waits for.
 *
 * An archive is marked in the store only when the file is on the medium. A cut in between leaves
 * entries in the file that the next run appends again; their seq tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lk_cli_audit.h"
#include "lk_cli_host.h"
#include "lk_text.h"

#define FOLLOW_SECONDS     1
#define FOLLOW_SECONDS_MAX 3600

/* ---- follow ---------------------------------------------------------------------------------- */

/* Entries after `*seq`, which is brought forward. */
static int follow_once(struct lk_cli *cli, const struct lk_cli_args *args,
                       enum lk_cli_audit_form form, uint64_t *seq, uint64_t *damaged)
{
    struct lk_audit_query query;
    struct lk_cli_audit_told told;
    int error = lk_cli_begin(cli, LK_READ);

    if (!error) {
        error = lk_cli_audit_query(cli, args, &query);
    }
    if (!error) {
        query.oldest_first = true;
        query.after_seq = *seq;
        error = lk_cli_audit_run(cli, &query, 0, form, &told);
    }
    if (!error) {
        struct lk_audit_heads heads;

        *damaged = told.damaged > *damaged ? told.damaged : *damaged;
        /* What the filters leave out is not looked at again either. */
        error = lk_audit_heads(&cli->work->txn, cli->tenant, &heads);
        *seq = heads.rings[0].seq > *seq ? heads.rings[0].seq : *seq;
        *seq = heads.rings[1].seq > *seq ? heads.rings[1].seq : *seq;
    }
    lk_cli_abort(cli);
    return error;
}

/* Where following begins: behind what there is, or where --after says. */
static int follow_start(struct lk_cli *cli, const struct lk_cli_args *args, uint64_t *seq)
{
    struct lk_audit_heads heads;
    int error = lk_cli_option_number(cli, args, "after", 0, seq);

    if (error || lk_cli_option(args, "after")) {
        return error;
    }
    error = lk_cli_begin(cli, LK_READ);
    if (!error) {
        error = lk_audit_heads(&cli->work->txn, cli->tenant, &heads);
        *seq = heads.rings[0].seq > heads.rings[1].seq ? heads.rings[0].seq : heads.rings[1].seq;
    }
    lk_cli_abort(cli);
    return error;
}

int lk_cli_audit_follow(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_cli_host_ops *ops = ((struct lk_cli_host *)cli)->ops;
    enum lk_cli_audit_form form = cli->json ? LK_CLI_AUDIT_NDJSON : LK_CLI_AUDIT_TEXT;
    uint64_t seconds, seq = 0, damaged = 0;
    int error = lk_cli_option_number(cli, args, "interval", FOLLOW_SECONDS, &seconds), over = 0;

    if (!error && (!seconds || seconds > FOLLOW_SECONDS_MAX)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "interval", NULL, "is not 1 to 3600 seconds");
    }
    if (!error) {
        error = lk_cli_audit_form(cli, args, &form);
    }
    if (!error && !(cli->store->storage->caps & LK_STORAGE_SNAPSHOT)) {
        error = lk_cli_refuse(cli, LK_E_UNSUPPORTED, NULL, NULL,
                              "nobody else can write this store while it is read: a flash image");
    }
    if (!error) {
        error = follow_start(cli, args, &seq);
    }
    if (!error) {
        lk_cli_audit_top(cli, form);
    }
    while (!error && !over && !cli->out->error) {
        error = follow_once(cli, args, form, &seq, &damaged);
        if (!error) {
            over = ops->wait(cli->self, (uint32_t)seconds * 1000);
        }
    }
    return error ? error : lk_cli_audit_damage(cli, damaged);
}

/* ---- archive --------------------------------------------------------------------------------- */

struct archive_file {
    int fd;
    bool made;
};

static int archive_write(void *context, const void *data, size_t size)
{
    const struct archive_file *file = context;
    const char *from = data;

    while (size) {
        ssize_t count = write(file->fd, from, size);

        if (count < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == EDQUOT ? LK_E_FULL : LK_E_IO;
        }
        from += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

/* A line that a cut left unfinished must not run into the next. */
static int archive_end_line(const struct archive_file *file, off_t size)
{
    char last = '\n';

    if (size && pread(file->fd, &last, 1, size - 1) != 1) {
        return LK_E_IO;
    }
    return last == '\n' ? 0 : archive_write((void *)(uintptr_t)file, "\n", 1);
}

static int archive_open(struct lk_cli *cli, const char *path, struct archive_file *file)
{
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
    struct stat status;

    file->made = false;
    file->fd = open(path, flags);
    if (file->fd < 0 && errno == ENOENT) {
        file->fd = open(path, flags | O_CREAT | O_EXCL, 0600);
        file->made = true;
    }
    if (file->fd < 0) {
        return lk_cli_refuse(cli, LK_E_IO, "file", path, "cannot be opened for appending");
    }
    if (fstat(file->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return lk_cli_refuse(cli, LK_E_IO, "file", path, "is not a plain file");
    }
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        return lk_cli_refuse(cli, LK_E_BUSY, "file", path, "is being written by another process");
    }
    return archive_end_line(file, status.st_size);
}

/* On the medium, and the name of a new one too. */
static int archive_sync(const struct archive_file *file, const char *path)
{
    char *copy;
    int directory, error = fsync(file->fd) == 0 ? 0 : LK_E_IO;

    if (error || !file->made) {
        return error;
    }
    copy = strdup(path);
    directory = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    error = directory >= 0 && fsync(directory) == 0 ? 0 : LK_E_IO;
    if (directory >= 0) {
        (void)close(directory); /* what had to be written was synced */
    }
    free(copy);
    return error;
}

/* What is still being counted goes into the ring, and so into the archive. */
static int archive_settle(struct lk_cli *cli)
{
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_audit_settle(&cli->work->txn, cli->tenant);
    }
    if (!error) {
        error = lk_cli_commit(cli);
    }
    lk_cli_abort(cli);
    return error;
}

/* One line a entry, and one with the head. */
static int archive_entries(struct lk_cli *cli, struct archive_file *file,
                           struct lk_cli_audit_told *told)
{
    struct lk_cli_out out = {.write = archive_write, .context = file}, *before = cli->out;
    struct lk_audit_query query;
    struct lk_audit_heads heads;
    struct lk_tenant *tenant = &cli->work->record.tenant;
    struct lk_cli_json json;
    char text[LK_CLI_AUDIT_HEAD];
    int error = lk_cli_begin(cli, LK_READ);

    memset(&query, 0, sizeof(query));
    query.tenant = cli->tenant;
    query.oldest_first = true;
    if (!error) {
        error = lk_get(&cli->work->txn, &lk_kind_tenant, (struct lk_id){cli->tenant, 0, 0},
                       &tenant->record);
    }
    if (!error) {
        query.after_seq = tenant->audit_archived;
        cli->out = &out;
        error = lk_cli_audit_run(cli, &query, 0, LK_CLI_AUDIT_NDJSON, told);
        cli->out = before;
    }
    if (!error && told->count) {
        error = lk_audit_heads(&cli->work->txn, cli->tenant, &heads);
    }
    if (!error && told->count) {
        lk_cli_audit_head_format(&heads, text);
        lk_cli_json_begin(&json, &out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "head");
        lk_cli_json_text(&json, lk_cli_span(text));
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    }
    lk_cli_abort(cli);
    return error ? error : out.error;
}

static int archive_mark(struct lk_cli *cli, uint64_t seq)
{
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_audit_archived(&cli->work->txn, cli->tenant, seq);
    }
    if (!error) {
        error = lk_cli_commit(cli);
    }
    lk_cli_abort(cli);
    return error;
}

static void archive_tell(struct lk_cli *cli, const struct lk_cli_audit_told *told)
{
    struct lk_cli_json json;

    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "entries");
        lk_cli_json_number(&json, told->count);
        lk_cli_json_key(&json, "archived");
        lk_cli_json_number(&json, told->last);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        lk_cli_put_number(cli->out, told->count);
        lk_cli_put(cli->out, told->count == 1 ? " entry archived\n" : " entries archived\n");
    }
}

int lk_cli_audit_archive(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct archive_file file = {.fd = -1};
    struct lk_cli_audit_told told = {.count = 0};
    int error = archive_open(cli, args->words[0], &file);

    if (!error) {
        error = archive_settle(cli);
    }
    if (!error) {
        error = archive_entries(cli, &file, &told);
    }
    if (!error) {
        error = archive_sync(&file, args->words[0]);
    }
    if (error == LK_E_IO && !cli->problem.error) {
        error = lk_cli_refuse(cli, error, "file", args->words[0], "cannot be written");
    }
    if (!error && told.count) {
        error = archive_mark(cli, told.last);
    }
    if (file.fd >= 0 && close(file.fd) != 0 && !error) {
        error = lk_cli_refuse(cli, LK_E_IO, "file", args->words[0], "cannot be written");
    }
    if (!error) {
        archive_tell(cli, &told);
    }
    return error ? error : lk_cli_audit_damage(cli, told.damaged);
}
