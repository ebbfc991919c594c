// SPDX-License-Identifier: MIT
/* lk_cli_value.c: values of fields, in from field=value words and out as text or JSON. */
#include "lk_cli.h"

#include <string.h>

#include "lk_cbor.h"
#include "lk_text.h"

/* ---- In -------------------------------------------------------------------------------------- */

static int value_map(struct lk_cli *cli, const struct lk_cli_field *given, struct lk_record *record)
{
    struct lk_cli_work *work = cli->work;
    const char *rule = NULL;
    size_t size = 0;
    int error;

    if (!cli->env->map_parse) {
        return lk_cli_refuse(cli, LK_E_UNSUPPORTED, given->field->name, NULL,
                             "is a map, which cannot be given here");
    }
    error = cli->env->map_parse(given->value, work->values + work->used,
                                sizeof(work->values) - work->used, &size, &rule);
    if (error) {
        return lk_cli_refuse(cli, error == LK_E_SPACE ? LK_E_CHECK : error, given->field->name,
                             NULL, rule ? rule : "is not one JSON object");
    }
    lk_field_set_span(record, given->field, (struct lk_span){work->values + work->used, size});
    work->used += size;
    return 0;
}

int lk_cli_field_parse(struct lk_cli *cli, const struct lk_kind *kind,
                       const struct lk_cli_field *given, struct lk_record *record)
{
    struct lk_cli_work *work = cli->work;
    int error;

    if (given->field->type == LK_MAP) {
        return value_map(cli, given, record);
    }
    error = lk_value_parse(&work->txn, kind, given->field, given->value, record, work->values,
                           sizeof(work->values), &work->used);
    return error == LK_E_SPACE
               ? lk_cli_refuse(cli, LK_E_CHECK, given->field->name, NULL, "is too long")
               : error;
}

int lk_cli_fields(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_record *record,
                  uint64_t *clear)
{
    size_t i;
    int error = 0;

    for (i = 0; !error && i < args->field_count; i++) {
        const struct lk_cli_field *given = &args->fields[i];

        if (given->field->flags & (LK_F_SYSTEM | LK_F_COMPUTED)) {
            error = lk_cli_refuse(cli, LK_E_CHECK, given->field->name, NULL,
                                  "is kept by the store and cannot be given");
        } else if (!given->value.size) {
            if (clear) {
                *clear |= (uint64_t)1 << given->field->number;
            }
        } else {
            error = lk_cli_field_parse(cli, args->command->kind, given, record);
        }
    }
    return error;
}

/* ---- Kept ------------------------------------------------------------------------------------ */

static int value_keep(struct lk_cli *cli, const struct lk_field *field, struct lk_record *record,
                      size_t *used)
{
    struct lk_cli_work *work = cli->work;
    struct lk_span span = lk_field_span(record, field);
    uint64_t present = record->present;

    if (!span.size) {
        return 0;
    }
    if (span.size > sizeof(work->values) - *used) {
        return LK_E_TOO_BIG;
    }
    memcpy(work->values + *used, span.data, span.size);
    lk_field_set_span(record, field, (struct lk_span){work->values + *used, span.size});
    record->present = present;
    *used += span.size;
    return 0;
}

int lk_cli_keep(struct lk_cli *cli, const struct lk_kind *kind, struct lk_record *record)
{
    size_t i, used = cli->work->used;
    int error = 0;

    for (i = 0; !error && i < kind->field_count; i++) {
        if (!lk_field_is_number(&kind->fields[i])) {
            error = lk_cli_field_shown(&kind->fields[i])
                        ? value_keep(cli, &kind->fields[i], record, &used)
                        : 0;
        }
    }
    record->raw = (struct lk_span){NULL, 0};
    return error;
}

/* ---- Out ------------------------------------------------------------------------------------- */

bool lk_cli_field_shown(const struct lk_field *field)
{
    return !(field->flags & (LK_F_SECRET | LK_F_HIDDEN));
}

bool lk_cli_field_empty(const struct lk_field *field, const struct lk_record *record)
{
    if (!lk_field_is_number(field)) {
        return lk_field_span(record, field).size == 0;
    }
    /* Others read as their default; a computed one that is missing is not known, or not to be had.
     */
    return ((field->type == LK_TIME || field->type == LK_REF) &&
            lk_field_number(record, field) == 0) ||
           (field->flags & LK_F_COMPUTED && !LK_HAS(record, field->number));
}

/* 0 and the name in work->other; LK_E_REFERENCE: only its number may be told; LK_E_NOT_FOUND. */
static int value_name(struct lk_cli *cli, const struct lk_kind *kind, struct lk_id id,
                      struct lk_span *name)
{
    struct lk_record *record = &cli->work->other.record;
    const struct lk_field *field = lk_cli_name_field(kind);
    int error = lk_get(&cli->work->txn, kind, id, record);

    if (!error && field) {
        *name = lk_field_span(record, field);
        return 0;
    }
    if (error == LK_E_NOT_FOUND) {
        error = lk_get_deleted(&cli->work->txn, kind, id, record);
    }
    return error ? LK_E_NOT_FOUND : LK_E_REFERENCE;
}

void lk_cli_ref_text(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_kind *kind,
                     struct lk_id id)
{
    struct lk_span name;
    int error = value_name(cli, kind, id, &name);

    if (!error) {
        lk_cli_put_text(out, name);
    } else if (error == LK_E_REFERENCE) {
        lk_cli_put(out, "#");
        lk_cli_put_number(out, lk_cli_id_number(kind, id));
    } else {
        lk_cli_put(out, "-");
    }
}

void lk_cli_ref_json(struct lk_cli *cli, struct lk_cli_json *json, const struct lk_kind *kind,
                     struct lk_id id)
{
    struct lk_span name;
    int error = value_name(cli, kind, id, &name);

    if (!error) {
        lk_cli_json_text(json, name);
    } else if (error == LK_E_REFERENCE) {
        lk_cli_json_number(json, lk_cli_id_number(kind, id));
    } else {
        lk_cli_json_null(json);
    }
}

/* Members of a LK_REFS value, into `text` or `json`. */
static void value_refs(struct lk_cli *cli, const struct lk_kind *target, uint32_t tenant,
                       struct lk_span encoded, struct lk_cli_out *text, struct lk_cli_json *json)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;
    uint64_t left;
    bool first = true;

    lk_cbor_reader_init(&reader, encoded);
    if (!encoded.size || lk_cbor_read(&reader, &item) || item.type != LK_CBOR_ARRAY) {
        return;
    }
    for (left = item.number; left; left--) {
        struct lk_id id;

        if (lk_cbor_read(&reader, &item) || item.type != LK_CBOR_UINT || item.number > UINT32_MAX) {
            return;
        }
        id = lk_cli_id_of(target, tenant, (uint32_t)item.number);
        if (text) {
            lk_cli_put(text, first ? "" : ",");
            lk_cli_ref_text(cli, text, target, id);
        } else {
            lk_cli_ref_json(cli, json, target, id);
        }
        first = false;
    }
}

static const struct lk_kind *value_target(struct lk_cli *cli, const struct lk_field *field)
{
    return field->target ? lk_store_kind_numbered(cli->store, field->target) : NULL;
}

static void value_bytes(struct lk_cli_out *out, struct lk_span bytes)
{
    char text[65];

    while (bytes.size) {
        size_t part = bytes.size < 32 ? bytes.size : 32;
        int size = lk_hex_encode((struct lk_span){bytes.data, part}, text, sizeof(text));

        lk_cli_put_bytes(out, text, size > 0 ? (size_t)size : 0);
        bytes.data += part;
        bytes.size -= part;
    }
}

static void value_short_text(struct lk_cli_out *out, const struct lk_field *field,
                             const struct lk_record *record)
{
    char text[64];
    int size = lk_value_format(field, record, text, sizeof(text));

    lk_cli_put_bytes(out, text, size > 0 ? (size_t)size : 0);
}

void lk_cli_field_text(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_field *field,
                       const struct lk_record *record)
{
    const struct lk_kind *target = value_target(cli, field);
    struct lk_cli_json json;

    if (lk_cli_field_empty(field, record)) {
        lk_cli_put(out, "-");
        return;
    }
    switch ((enum lk_field_type)field->type) {
    case LK_REF:
        if (target) {
            lk_cli_ref_text(
                cli, out, target,
                lk_cli_id_of(target, record->id.tenant, (uint32_t)lk_field_number(record, field)));
        } else {
            value_short_text(out, field, record);
        }
        break;
    case LK_REFS:
        if (target) {
            value_refs(cli, target, record->id.tenant, lk_field_span(record, field), out, NULL);
        }
        break;
    case LK_STRING: lk_cli_put_text(out, lk_field_span(record, field)); break;
    case LK_BYTES: value_bytes(out, lk_field_span(record, field)); break;
    case LK_MAP:
        lk_cli_json_begin(&json, out);
        lk_cli_json_cbor(&json, lk_field_span(record, field));
        break;
    default: value_short_text(out, field, record); break;
    }
}

static void value_json_short(struct lk_cli_json *json, const struct lk_field *field,
                             const struct lk_record *record)
{
    char text[64];
    int size = lk_value_format(field, record, text, sizeof(text));

    if (size > 0) {
        lk_cli_json_text(json, (struct lk_span){(const uint8_t *)text, (size_t)size});
    } else {
        lk_cli_json_null(json);
    }
}

static void value_json_bytes(struct lk_cli *cli, struct lk_cli_json *json, struct lk_span bytes)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell));
    value_bytes(&out, bytes);
    lk_cli_json_text(json, (struct lk_span){(const uint8_t *)buffer.data, buffer.size});
}

void lk_cli_field_json(struct lk_cli *cli, struct lk_cli_json *json, const struct lk_field *field,
                       const struct lk_record *record)
{
    const struct lk_kind *target = value_target(cli, field);

    if (field->type == LK_REFS) {
        lk_cli_json_open(json, '[');
        if (target) {
            value_refs(cli, target, record->id.tenant, lk_field_span(record, field), NULL, json);
        }
        lk_cli_json_close(json, ']');
        return;
    }
    if (lk_cli_field_empty(field, record)) {
        lk_cli_json_null(json);
        return;
    }
    switch ((enum lk_field_type)field->type) {
    case LK_UINT: lk_cli_json_number(json, lk_field_number(record, field)); break;
    case LK_BOOL: lk_cli_json_bool(json, lk_field_number(record, field) != 0); break;
    case LK_REF:
        if (target) {
            lk_cli_ref_json(
                cli, json, target,
                lk_cli_id_of(target, record->id.tenant, (uint32_t)lk_field_number(record, field)));
        } else {
            lk_cli_json_number(json, lk_field_number(record, field));
        }
        break;
    case LK_STRING: lk_cli_json_text(json, lk_field_span(record, field)); break;
    case LK_BYTES: value_json_bytes(cli, json, lk_field_span(record, field)); break;
    case LK_MAP: lk_cli_json_cbor(json, lk_field_span(record, field)); break;
    default: value_json_short(json, field, record); break;
    }
}

/* ---- Ids ------------------------------------------------------------------------------------- */

void lk_cli_id_text(struct lk_cli_out *out, const struct lk_kind *kind, struct lk_id id)
{
    /* Sessions are ended by what the list shows: the user's number belongs to it. */
    if (kind == &lk_kind_session) {
        lk_cli_put_number(out, id.user);
        lk_cli_put(out, ".");
    }
    lk_cli_put_number(out, lk_cli_id_number(kind, id));
}

const char *lk_cli_tenant_label(struct lk_cli *cli, uint32_t tenant)
{
    struct lk_tenant *record = &cli->work->other.tenant;
    struct lk_id id = {tenant, 0, 0};

    if (cli->work->label.tenant != tenant) {
        cli->work->label.tenant = tenant;
        cli->work->label.name[0] = '\0';
        if (tenant && !lk_get(&cli->work->txn, &lk_kind_tenant, id, &record->record) &&
            record->name.size < sizeof(cli->work->label.name)) {
            memcpy(cli->work->label.name, record->name.data, record->name.size);
            cli->work->label.name[record->name.size] = '\0';
        }
    }
    return cli->work->label.name;
}

void lk_cli_id_json(struct lk_cli *cli, struct lk_cli_json *json, const struct lk_kind *kind,
                    struct lk_id id)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    char text[24];

    lk_cli_json_key(json, "id");
    if (kind == &lk_kind_session) {
        lk_cli_buffer_out(&out, &buffer, text, sizeof(text));
        lk_cli_id_text(&out, kind, id);
        lk_cli_json_text(json, (struct lk_span){(const uint8_t *)text, buffer.size});
    } else {
        lk_cli_json_number(json, lk_cli_id_number(kind, id));
    }
    if (kind->shape != LK_SHAPE_TENANT) {
        lk_cli_json_key(json, "tenant");
        lk_cli_json_text(json, lk_cli_span(lk_cli_tenant_label(cli, id.tenant)));
    }
    if (kind->shape == LK_SHAPE_OF_USER) {
        lk_cli_json_key(json, "user");
        lk_cli_ref_json(cli, json, &lk_kind_user, (struct lk_id){id.tenant, id.user, 0});
    }
}
