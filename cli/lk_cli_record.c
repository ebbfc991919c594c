// SPDX-License-Identifier: MIT
/* lk_cli_record.c: commands that are the same for every kind, driven by its table. */
#include "lk_cli.h"

#include <string.h>

#define RECORD_NAME 18 /* columns that most names fit in */

/* Own fields in order of the table, then those that every kind has. NULL at the end. */
static const struct lk_field *record_field(const struct lk_kind *kind, size_t n)
{
    if (n < kind->field_count) {
        return &kind->fields[n];
    }
    n -= kind->field_count;
    return kind->flags & LK_K_AUDIT_FIELDS && n < LK_AUDIT_FIELD_COUNT ? &lk_audit_fields[n] : NULL;
}

/* ---- Showing --------------------------------------------------------------------------------- */

static void record_line(struct lk_cli *cli, const char *name, size_t width)
{
    lk_cli_put(cli->out, name);
    lk_cli_put(cli->out, ":");
    lk_cli_put_spaces(cli->out, width - strlen(name) + 1);
}

/* Breaks a long list of names after its commas. */
struct record_wrap {
    struct lk_cli_out *out;
    size_t indent, column, width;
};

static int record_wrap_write(void *context, const void *data, size_t size)
{
    struct record_wrap *wrap = context;
    const char *text = data;

    lk_cli_put_bytes(wrap->out, text, size);
    wrap->column += lk_cli_columns((struct lk_span){(const uint8_t *)text, size});
    if (size == 1 && text[0] == ',' && wrap->column + RECORD_NAME > wrap->width) {
        lk_cli_put(wrap->out, "\n");
        lk_cli_put_spaces(wrap->out, wrap->indent);
        wrap->column = wrap->indent;
    }
    return wrap->out->error;
}

static void record_refs(struct lk_cli *cli, size_t indent, const struct lk_field *field,
                        const struct lk_record *record)
{
    struct record_wrap wrap = {cli->out, indent, indent, cli->width ? cli->width : 80};
    struct lk_cli_out out = {.write = record_wrap_write, .context = &wrap};

    lk_cli_field_text(cli, &out, field, record);
}

static void record_show_text(struct lk_cli *cli, const struct lk_kind *kind,
                             const struct lk_record *record)
{
    const struct lk_field *field;
    size_t i, width = 6;

    for (i = 0; (field = record_field(kind, i)) != NULL; i++) {
        size_t size = strlen(field->name);

        width = lk_cli_field_shown(field) && size > width ? size : width;
    }
    record_line(cli, "id", width);
    lk_cli_id_text(cli->out, kind, record->id);
    lk_cli_put(cli->out, "\n");
    if (kind->shape != LK_SHAPE_TENANT) {
        record_line(cli, "tenant", width);
        lk_cli_put_text(cli->out, lk_cli_span(lk_cli_tenant_label(cli, record->id.tenant)));
        lk_cli_put(cli->out, "\n");
    }
    if (kind->shape == LK_SHAPE_OF_USER) {
        record_line(cli, "user", width);
        lk_cli_ref_text(cli, cli->out, &lk_kind_user,
                        (struct lk_id){record->id.tenant, record->id.user, 0});
        lk_cli_put(cli->out, "\n");
    }
    for (i = 0; (field = record_field(kind, i)) != NULL; i++) {
        if (lk_cli_field_shown(field)) {
            record_line(cli, field->name, width);
            if (field->type == LK_REFS) {
                record_refs(cli, width + 2, field, record);
            } else {
                lk_cli_field_text(cli, cli->out, field, record);
            }
            lk_cli_put(cli->out, "\n");
        }
    }
}

void lk_cli_show_json(struct lk_cli *cli, const struct lk_kind *kind,
                      const struct lk_record *record)
{
    const struct lk_field *field;
    struct lk_cli_json json;
    size_t i;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_id_json(cli, &json, kind, record->id);
    for (i = 0; (field = record_field(kind, i)) != NULL; i++) {
        if (lk_cli_field_shown(field)) {
            lk_cli_json_key(&json, field->name);
            lk_cli_field_json(cli, &json, field, record);
        }
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

void lk_cli_show(struct lk_cli *cli, const struct lk_kind *kind, const struct lk_record *record)
{
    if (cli->json) {
        lk_cli_show_json(cli, kind, record);
    } else {
        record_show_text(cli, kind, record);
    }
}

int lk_cli_show_id(struct lk_cli *cli, const struct lk_kind *kind, struct lk_id id)
{
    struct lk_record *record = &cli->work->record.record;
    int error = lk_get_computed(&cli->work->txn, kind, id, record);

    if (error == LK_E_NOT_FOUND) {
        error = lk_get_deleted(&cli->work->txn, kind, id, record);
    }
    if (!error) {
        error = lk_cli_keep(cli, kind, record);
    }
    if (!error) {
        lk_cli_show(cli, kind, record);
    }
    return error;
}

int lk_cli_added(struct lk_cli *cli, const struct lk_kind *kind, struct lk_id id, const char *name)
{
    int error;

    if (cli->json) {
        error = lk_cli_begin(cli, LK_READ);
        if (!error) {
            error = lk_cli_show_id(cli, kind, id);
            lk_cli_abort(cli);
        }
        return error;
    }
    if (!cli->quiet) {
        lk_cli_put(cli->out, kind->name);
        lk_cli_put(cli->out, " ");
        lk_cli_put_text(cli->out, lk_cli_span(name));
        lk_cli_put(cli->out, " is #");
        lk_cli_id_text(cli->out, kind, id);
        lk_cli_put(cli->out, "\n");
    }
    return 0;
}

/* ---- Commands -------------------------------------------------------------------------------- */

int lk_cli_new(struct lk_cli *cli, const struct lk_kind *kind, const struct lk_cli_args *args)
{
    struct lk_record *record = &cli->work->record.record;
    struct lk_cli_field name = {lk_cli_name_field(kind), lk_cli_span(args->words[0])};
    int error = lk_cli_begin(cli, LK_WRITE);

    if (error) {
        return error;
    }
    memset(&cli->work->record, 0, sizeof(cli->work->record));
    record->id.tenant = cli->tenant;
    error = lk_cli_fields(cli, args, record, NULL);
    return error ? error : lk_cli_field_parse(cli, kind, &name, record);
}

int lk_cli_add_new(struct lk_cli *cli, const struct lk_kind *kind, const struct lk_cli_args *args)
{
    struct lk_record *record = &cli->work->record.record;
    struct lk_id id;
    int error = lk_add(&cli->work->txn, kind, record, NULL);

    id = record->id;
    if (!error) {
        error = lk_cli_commit(cli);
    }
    return error ? error : lk_cli_added(cli, kind, id, args->words[0]);
}

int lk_cli_kind_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    int error = lk_cli_new(cli, args->command->kind, args);

    return error ? error : lk_cli_add_new(cli, args->command->kind, args);
}

int lk_cli_kind_show(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = args->command->kind;
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_READ);

    if (!error) {
        error = lk_cli_option(args, "deleted") ? lk_cli_removed(cli, kind, args->words[0], &id)
                                               : lk_cli_named(cli, kind, args->words[0], &id);
    }
    return error ? error : lk_cli_show_id(cli, kind, id);
}

int lk_cli_kind_list(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = args->command->kind;
    struct lk_id scope = {kind->shape == LK_SHAPE_TENANT ? 0 : cli->tenant, 0, 0};
    int error = lk_cli_begin(cli, LK_READ);

    return error ? error : lk_cli_list(cli, args, kind, scope);
}

int lk_cli_apply_set(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = args->command->kind;
    struct lk_record *record = &cli->work->record.record;
    uint64_t clear = 0;
    struct lk_id id;
    int error;

    if (!args->field_count) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL, "say what to set, as field=value");
    }
    error = lk_cli_named(cli, kind, args->words[0], &id);
    if (error) {
        return error;
    }
    memset(&cli->work->record, 0, sizeof(cli->work->record));
    record->id = id;
    error = lk_cli_fields(cli, args, record, &clear);
    return error ? error : lk_update(&cli->work->txn, kind, id, record, clear, NULL);
}

int lk_cli_apply_remove(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = args->command->kind;
    struct lk_id id;
    int error = lk_cli_named(cli, kind, args->words[0], &id);

    return error ? error : lk_remove(&cli->work->txn, kind, id, NULL);
}

int lk_cli_apply_restore(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = args->command->kind;
    struct lk_id id;
    int error = lk_cli_removed(cli, kind, args->words[0], &id);

    return error ? error : lk_restore(&cli->work->txn, kind, id);
}

int lk_cli_change(struct lk_cli *cli, const struct lk_cli_args *args, lk_cli_handler *apply)
{
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = apply(cli, args);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_kind_set(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_set);
}

int lk_cli_kind_remove(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_remove);
}

int lk_cli_kind_restore(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_restore);
}

/* Live or removed: what was removed is looked for second. */
static int record_purge(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = args->command->kind;
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (error) {
        return error;
    }
    error = lk_cli_named(cli, kind, args->words[0], &id);
    if (error == LK_E_NOT_FOUND) {
        struct lk_problem first = cli->problem;

        error = lk_cli_removed(cli, kind, args->words[0], &id);
        if (error == LK_E_NOT_FOUND) {
            cli->problem = first;
        }
    }
    if (!error) {
        error = lk_purge(&cli->work->txn, kind, id);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_scrub(struct lk_cli *cli, uint64_t *bytes)
{
    int error;

    lk_txn_release(&cli->work->txn);
    error = lk_store_scrub(cli->store, bytes);
    return error ? lk_cli_refuse(cli, error, NULL, NULL,
                                 "purged, but the bytes of it may still be readable in the store's "
                                 "files: run compact")
                 : 0;
}

int lk_cli_tell_scrubbed(struct lk_cli *cli, uint64_t bytes, const char *before, const char *of)
{
    if (cli->json) {
        struct lk_cli_json json;

        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "scrubbed_bytes");
        lk_cli_json_number(&json, bytes);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        lk_cli_put(cli->out, before);
        lk_cli_put_number(cli->out, bytes);
        lk_cli_put(cli->out, " bytes of ");
        lk_cli_put(cli->out, of);
        lk_cli_put(cli->out, " overwritten\n");
    }
    return 0;
}

int lk_cli_kind_purge(struct lk_cli *cli, const struct lk_cli_args *args)
{
    uint64_t bytes = 0;
    int error = lk_cli_confirm(cli, args,
                               "This cannot be undone, and takes all that belongs to it. Go on?");

    if (!error) {
        error = record_purge(cli, args);
        lk_cli_abort(cli);
    }
    if (!error) {
        error = lk_cli_scrub(cli, &bytes);
    }
    return error ? error : lk_cli_tell_scrubbed(cli, bytes, "purged; ", "the store");
}
