// SPDX-License-Identifier: MIT
/* lk_cli_describe.c: the schema, printed from the tables that drive everything else. */
#include "lk_cli.h"

#include <string.h>

#define DESCRIBE_INDENT 23

static const char *describe_type(const struct lk_field *field)
{
    switch ((enum lk_field_type)field->type) {
    case LK_UINT: return "number";
    case LK_BOOL: return "true or false";
    case LK_ENUM: return "choice";
    case LK_TIME: return "time";
    case LK_REF: return "reference";
    case LK_STRING: return "text";
    case LK_BYTES: return "bytes";
    case LK_UUID: return "UUID";
    case LK_ADDRESS: return "IP address";
    case LK_MAP: return "map";
    case LK_REFS: return "references";
    }
    return "?";
}

static const struct lk_kind *describe_kind(const struct lk_cli *cli, size_t n)
{
    size_t i;

    for (i = 0; lk_kinds[i]; i++) {
        if (!n--) {
            return lk_kinds[i];
        }
    }
    for (i = 0; cli->kinds && cli->kinds[i]; i++) {
        if (!n--) {
            return cli->kinds[i];
        }
    }
    return NULL;
}

static void describe_limits(struct lk_cli_out *out, const struct lk_field *field)
{
    const char *unit = field->type == LK_UINT ? "" : field->type == LK_STRING ? " bytes" : "";
    bool whole = field->type == LK_UINT || field->type == LK_STRING || field->type == LK_BYTES;

    if (field->type == LK_MAP) {
        lk_cli_put(out, ", at most ");
        lk_cli_put_number(out, field->max);
        lk_cli_put(out, " bytes");
    } else if (whole && field->max && field->min == field->max) {
        lk_cli_put(out, ", ");
        lk_cli_put_number(out, field->max);
        lk_cli_put(out, unit);
    } else if (whole && field->max) {
        lk_cli_put(out, ", ");
        lk_cli_put_number(out, field->min);
        lk_cli_put(out, " to ");
        lk_cli_put_number(out, field->max);
        lk_cli_put(out, unit);
    }
}

static const char *describe_on_delete(const struct lk_field *field)
{
    switch ((enum lk_on_delete)field->on_delete) {
    case LK_SET_NULL: return "empty once that is purged";
    case LK_CASCADE: return "goes with it";
    case LK_RESTRICT: return "keeps it from being removed";
    }
    return "";
}

void lk_cli_field_rules(struct lk_cli_out *out, const struct lk_field *field)
{
    static const struct {
        uint16_t flag;
        const char *words;
    } flags[] = {
        {LK_F_REQUIRED, "required"},        {LK_F_FIXED, "fixed once set"},
        {LK_F_EMAIL, "e-mail address"},     {LK_F_PHONE, "telephone number"},
        {LK_F_FOLD, "case ignored"},        {LK_F_COMPUTED, "computed"},
        {LK_F_SYSTEM, "kept by the store"}, {LK_F_SECRET, "secret"},
        {LK_F_LOCAL, "not exported"},
    };
    const struct lk_kind *target = NULL;
    size_t i;

    lk_cli_put(out, describe_type(field));
    if (field->type == LK_ENUM) {
        for (i = 0; field->choices[i]; i++) {
            lk_cli_put(out, i ? "|" : " ");
            lk_cli_put(out, field->choices[i]);
        }
    }
    for (i = 0; field->target && lk_kinds[i]; i++) {
        target = lk_kinds[i]->number == field->target ? lk_kinds[i] : target;
    }
    if (target) {
        lk_cli_put(out, " to ");
        lk_cli_put(out, target->name);
        lk_cli_put(out, ", ");
        lk_cli_put(out, describe_on_delete(field));
    }
    describe_limits(out, field);
    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (field->flags & flags[i].flag) {
            lk_cli_put(out, ", ");
            lk_cli_put(out, flags[i].words);
        }
    }
    if (field->type == LK_ENUM || (field->initial && lk_field_is_number(field))) {
        if (!(field->flags & (LK_F_REQUIRED | LK_F_COMPUTED | LK_F_SYSTEM))) {
            lk_cli_put(out, ", default ");
            if (field->type == LK_ENUM) {
                lk_cli_put(out, field->choices[field->initial]);
            } else if (field->type == LK_BOOL) {
                lk_cli_put(out, "true");
            } else {
                lk_cli_put_number(out, field->initial);
            }
        }
    }
    if (field->initial_text) {
        lk_cli_put(out, ", default ");
        lk_cli_put(out, field->initial_text);
    }
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* What is in the cell, beside a name. */
static void describe_entry(struct lk_cli *cli, const char *name, struct lk_cli_buffer *buffer)
{
    size_t width = cli->width ? cli->width : 80;
    size_t skip = 2 + strlen(name);

    buffer->data[buffer->size] = '\0';
    lk_cli_put(cli->out, "  ");
    lk_cli_put(cli->out, name);
    if (skip >= DESCRIBE_INDENT) {
        lk_cli_put(cli->out, "\n");
        skip = 0;
    }
    lk_cli_put_spaces(cli->out, DESCRIBE_INDENT - skip);
    lk_cli_put_wrapped_on(cli->out, buffer->data, DESCRIBE_INDENT, width - 1);
}

static void describe_field(struct lk_cli *cli, const struct lk_field *field)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, field->help);
    lk_cli_put(&out, "\n");
    lk_cli_field_rules(&out, field);
    describe_entry(cli, field->name, &buffer);
}

static void describe_index(struct lk_cli *cli, const struct lk_kind *kind,
                           const struct lk_index *index)
{
    const struct lk_field *when =
        index->when_field ? lk_field_numbered(kind, index->when_field) : NULL;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    size_t i;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, index->help);
    lk_cli_put(&out, " (");
    for (i = 0; i < LK_INDEX_FIELDS && index->fields[i]; i++) {
        const struct lk_field *field = lk_field_numbered(kind, index->fields[i]);

        lk_cli_put(&out, i ? ", " : "");
        lk_cli_put(&out, field ? field->name : "?");
    }
    if (index->flags & LK_I_UNIQUE) {
        lk_cli_put(&out, index->flags & LK_I_STORE ? "; unique over the store" : "; unique");
    }
    if (when && when->type == LK_ENUM) {
        lk_cli_put(&out, "; where ");
        lk_cli_put(&out, when->name);
        lk_cli_put(&out, "=");
        lk_cli_put(&out, when->choices[index->when_value]);
    }
    lk_cli_put(&out, ")");
    describe_entry(cli, index->name, &buffer);
}

static void describe_text(struct lk_cli *cli, const struct lk_kind *kind)
{
    size_t i;

    lk_cli_put(cli->out, kind->name);
    lk_cli_put(cli->out, ": ");
    lk_cli_put(cli->out, kind->help);
    lk_cli_put(cli->out, "\npermissions: ");
    lk_cli_put(cli->out, kind->resource);
    lk_cli_put(cli->out, ":read, ");
    lk_cli_put(cli->out, kind->resource);
    lk_cli_put(cli->out, ":write\n");
    if (kind->flags & LK_K_SOFT_DELETE) {
        lk_cli_put(cli->out, "removed ones can be restored until they are purged\n");
    }
    lk_cli_put(cli->out, "\nfields\n");
    for (i = 0; i < kind->field_count; i++) {
        if (!(kind->fields[i].flags & LK_F_HIDDEN)) {
            describe_field(cli, &kind->fields[i]);
        }
    }
    for (i = 0; kind->flags & LK_K_AUDIT_FIELDS && i < LK_AUDIT_FIELD_COUNT; i++) {
        describe_field(cli, &lk_audit_fields[i]);
    }
    if (kind->index_count) {
        lk_cli_put(cli->out, "\nindexes\n");
    }
    for (i = 0; i < kind->index_count; i++) {
        describe_index(cli, kind, &kind->indexes[i]);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void describe_string(struct lk_cli_json *json, const char *key, const char *value)
{
    lk_cli_json_key(json, key);
    lk_cli_json_text(json, lk_cli_span(value));
}

static void describe_field_json(struct lk_cli *cli, struct lk_cli_json *json,
                                const struct lk_field *field)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell));
    lk_cli_field_rules(&out, field);
    lk_cli_json_open(json, '{');
    describe_string(json, "name", field->name);
    lk_cli_json_key(json, "number");
    lk_cli_json_number(json, field->number);
    lk_cli_json_key(json, "rules");
    lk_cli_json_text(json, (struct lk_span){(const uint8_t *)buffer.data, buffer.size});
    describe_string(json, "help", field->help);
    lk_cli_json_key(json, "required");
    lk_cli_json_bool(json, field->flags & LK_F_REQUIRED);
    lk_cli_json_close(json, '}');
}

static void describe_index_json(struct lk_cli_json *json, const struct lk_kind *kind,
                                const struct lk_index *index)
{
    size_t i;

    lk_cli_json_open(json, '{');
    describe_string(json, "name", index->name);
    lk_cli_json_key(json, "fields");
    lk_cli_json_open(json, '[');
    for (i = 0; i < LK_INDEX_FIELDS && index->fields[i]; i++) {
        const struct lk_field *field = lk_field_numbered(kind, index->fields[i]);

        lk_cli_json_text(json, lk_cli_span(field ? field->name : "?"));
    }
    lk_cli_json_close(json, ']');
    lk_cli_json_key(json, "unique");
    lk_cli_json_bool(json, index->flags & LK_I_UNIQUE);
    describe_string(json, "help", index->help);
    lk_cli_json_close(json, '}');
}

static void describe_json(struct lk_cli *cli, const struct lk_kind *kind)
{
    struct lk_cli_json json;
    size_t i;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    describe_string(&json, "kind", kind->name);
    lk_cli_json_key(&json, "number");
    lk_cli_json_number(&json, kind->number);
    describe_string(&json, "help", kind->help);
    describe_string(&json, "resource", kind->resource);
    lk_cli_json_key(&json, "fields");
    lk_cli_json_open(&json, '[');
    for (i = 0; i < kind->field_count; i++) {
        if (!(kind->fields[i].flags & LK_F_HIDDEN)) {
            describe_field_json(cli, &json, &kind->fields[i]);
        }
    }
    lk_cli_json_close(&json, ']');
    lk_cli_json_key(&json, "indexes");
    lk_cli_json_open(&json, '[');
    for (i = 0; i < kind->index_count; i++) {
        describe_index_json(&json, kind, &kind->indexes[i]);
    }
    lk_cli_json_close(&json, ']');
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

/* ---- The command ----------------------------------------------------------------------------- */

int lk_cli_describe(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind;
    bool found = false;
    size_t i;

    for (i = 0; (kind = describe_kind(cli, i)) != NULL; i++) {
        if (args->count && !lk_cli_same(kind->name, args->words[0])) {
            continue;
        }
        found = true;
        if (cli->json) {
            describe_json(cli, kind);
        } else if (args->count) {
            describe_text(cli, kind);
        } else {
            lk_cli_put(cli->out, kind->name);
            lk_cli_put_spaces(cli->out, strlen(kind->name) < 14 ? 14 - strlen(kind->name) : 1);
            lk_cli_put(cli->out, kind->help);
            lk_cli_put(cli->out, "\n");
        }
    }
    return found ? 0
                 : lk_cli_refuse(cli, LK_E_NOT_FOUND, "kind", args->words[0],
                                 "does not exist; describe alone lists them");
}
