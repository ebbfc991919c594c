// SPDX-License-Identifier: MIT
/*
 * lk_transfer_csv.c: records from CSV. The first line names the fields; for users two columns more
 * are known: password_hash, and roles (names, separated by ';' or ',').
 */
#include "lk_transfer_internal.h"

#include <stdlib.h>
#include <string.h>

enum csv_use {
    CSV_PASS, /* known, but not for an import to set */
    CSV_FIELD,
    CSV_HASH,
    CSV_ROLES,
    CSV_DELETED, /* a removed record, when it is not empty */
};

struct csv_column {
    enum csv_use use;
    const struct lk_field *field;
    char name[72];
};

struct csv_import {
    struct lk_importer *importer;
    const struct lk_kind *kind;
    size_t column_count;
    struct csv_column columns[LK_CSV_FIELDS_MAX];
    struct lk_csv_reader reader;
    union lk_any_record record;
    struct lk_import_user user;
};

static struct lk_span csv_trim(struct lk_span text)
{
    while (text.size > 0 && text.data[0] == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    return text;
}

static bool csv_is(struct lk_span text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.data, name, text.size) == 0;
}

/* ---- The header ------------------------------------------------------------------------------
 */

/* The field's name that a column stands for, by the caller's map. */
static struct lk_span csv_mapped(const struct lk_import *import, struct lk_span column)
{
    for (size_t i = 0; i < import->column_count; i++) {
        if (csv_is(column, import->columns[i].column)) {
            const char *field = import->columns[i].field;

            return (struct lk_span){(const uint8_t *)field, strlen(field)};
        }
    }
    return column;
}

static bool csv_is_audit_field(const struct lk_kind *kind, struct lk_span name)
{
    for (size_t i = 0; (kind->flags & LK_K_AUDIT_FIELDS) != 0 && i < LK_AUDIT_FIELD_COUNT; i++) {
        if (csv_is(name, lk_audit_fields[i].name)) {
            return true;
        }
    }
    return false;
}

/* NULL, or why the column cannot be taken. */
static const char *csv_resolve(const struct lk_kind *kind, struct lk_span name,
                               struct csv_column *column)
{
    bool user = kind == &lk_kind_user;

    column->use = CSV_PASS;
    column->field = NULL;
    if (name.size == 0 || csv_is(name, "id")) {
        return NULL;
    }
    if (csv_is_audit_field(kind, name)) {
        column->use = csv_is(name, "deleted_at") ? CSV_DELETED : CSV_PASS;
        return NULL;
    }
    if (user && csv_is(name, "password_hash")) {
        column->use = CSV_HASH;
        return NULL;
    }
    if (user && csv_is(name, "roles")) {
        column->use = CSV_ROLES;
        return NULL;
    }
    if (user && csv_is(name, "password")) {
        return "is refused: a plain password does not belong into a file; give password_hash";
    }
    column->field = lk_field_named(kind, name);
    if (column->field == NULL) {
        return "is not a field of this kind; see describe, or use --map \"COLUMN=field\" "
               "(\"COLUMN=\" passes a column over)";
    }
    if ((column->field->flags & LK_F_SECRET) != 0) {
        return "is secret: it is not taken from a file";
    }
    if ((column->field->flags & (LK_F_COMPUTED | LK_F_SYSTEM | LK_F_LOCAL)) == 0) {
        column->use = CSV_FIELD;
    }
    return NULL;
}

static bool csv_repeated(const struct csv_import *csv, size_t at)
{
    const struct csv_column *column = &csv->columns[at];

    for (size_t i = 0; column->use != CSV_PASS && i < at; i++) {
        if (csv->columns[i].use == column->use && csv->columns[i].field == column->field) {
            return true;
        }
    }
    return false;
}

/* LK_E_CHECK after it was reported: a table whose columns are not known cannot be read. */
static int csv_read_header(struct csv_import *csv)
{
    struct lk_importer *importer = csv->importer;
    uint64_t bad = importer->import->bad_count;

    csv->column_count = csv->reader.field_count;
    for (size_t i = 0; i < csv->column_count; i++) {
        struct lk_span given = csv_trim(csv->reader.fields[i]);
        struct lk_span name = csv_mapped(importer->import, given);
        const char *rule =
            given.size == 0 ? "has no name" : csv_resolve(csv->kind, name, &csv->columns[i]);

        lk_json_show(csv->columns[i].name, sizeof(csv->columns[i].name), given);
        if (rule == NULL && csv_repeated(csv, i)) {
            rule = "is given twice";
        }
        if (rule != NULL) {
            lk_import_refuse(importer, LK_E_USAGE, "column", csv->columns[i].name, rule);
        }
    }
    return importer->import->bad_count > bad ? LK_E_CHECK : 0;
}

/* ---- Rows ------------------------------------------------------------------------------------
 */

static int csv_refuse(struct csv_import *csv, size_t at, struct lk_span text, const char *rule)
{
    char given[64];

    lk_json_show(given, sizeof(given), text);
    lk_import_refuse(csv->importer, LK_E_USAGE, csv->columns[at].name, given, rule);
    return LK_E_USAGE;
}

/* Bytes of a map or of base64 into the importer's room. */
static int csv_take_encoded(struct csv_import *csv, size_t at, struct lk_span text,
                            struct lk_record *record, size_t *used)
{
    const struct lk_field *field = csv->columns[at].field;
    uint8_t *out = csv->importer->room + *used;
    size_t left = sizeof(csv->importer->room) - *used;
    const char *rule = "is not base64 (RFC 4648)";
    size_t size = 0;
    int error = field->type == LK_MAP ? lk_json_to_cbor(text, out, left, &size, &rule)
                                      : lk_base64_decode(text, out, left, &size);

    if (error) {
        return csv_refuse(csv, at, text, error == LK_E_SPACE ? "is too long" : rule);
    }
    lk_field_set_span(record, field, (struct lk_span){out, size});
    *used += size;
    return 0;
}

static int csv_take_field(struct csv_import *csv, size_t at, struct lk_span text,
                          struct lk_record *record, size_t *used)
{
    struct lk_importer *importer = csv->importer;
    const struct lk_field *field = csv->columns[at].field;
    int error;

    if (field->type == LK_MAP || field->type == LK_BYTES) {
        return csv_take_encoded(csv, at, text, record, used);
    }
    /* Names in REFS are found in the tenant that the record says. */
    error = lk_value_parse(&importer->txn, csv->kind, field, text, record, importer->room,
                           sizeof(importer->room), used);
    if (error == LK_E_NOT_FOUND) {
        return csv_refuse(csv, at, text, "is not the name of a record of this tenant");
    }
    if (!error) {
        return 0;
    }
    error = lk_import_refused(importer, error, csv->columns[at].name);
    return error ? error : LK_E_USAGE;
}

/* Names are tried whole first: one may hold the mark that separates them. */
static int csv_take_roles(struct csv_import *csv, struct lk_span text)
{
    struct lk_import_user *user = &csv->user;
    uint8_t mark = memchr(text.data, ';', text.size) != NULL ? ';' : ',';
    struct lk_id id;
    int error = 0;

    if (lk_find_named(&csv->importer->txn, &lk_kind_role, csv->importer->import->tenant, text,
                      &id) == 0) {
        return lk_import_add_role(csv->importer, user, text);
    }
    while (!error && text.size > 0) {
        const uint8_t *end = memchr(text.data, mark, text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        struct lk_span name = csv_trim((struct lk_span){text.data, size});

        if (name.size > 0) {
            error = lk_import_add_role(csv->importer, user, name);
        }
        size += end != NULL ? 1 : 0;
        text.data += size;
        text.size -= size;
    }
    return error;
}

static int csv_take(struct csv_import *csv, size_t at, struct lk_record *record, size_t *used)
{
    struct lk_span text = csv->reader.fields[at];

    if (text.size == 0) {
        return 0;
    }
    switch (csv->columns[at].use) {
    case CSV_FIELD: return csv_take_field(csv, at, text, record, used);
    case CSV_HASH: csv->user.hash = csv_trim(text); return 0;
    case CSV_ROLES: return csv_take_roles(csv, text);
    case CSV_PASS:
    case CSV_DELETED: break;
    }
    return 0;
}

static bool csv_is_removed(const struct csv_import *csv)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        if (csv->columns[i].use == CSV_DELETED && csv->reader.fields[i].size > 0) {
            return true;
        }
    }
    return false;
}

static int csv_read_row(struct csv_import *csv)
{
    struct lk_importer *importer = csv->importer;
    bool user = csv->kind == &lk_kind_user;
    struct lk_record *record = user ? &csv->user.user.record : &csv->record.record;
    size_t used = 0;
    struct lk_id id;
    int error = 0;

    if (csv->reader.field_count != csv->column_count) {
        lk_import_refuse(importer, LK_E_USAGE, "record", "",
                         csv->reader.field_count < csv->column_count
                             ? "has fewer fields than the header"
                             : "has more fields than the header");
        return 0;
    }
    if (csv_is_removed(csv)) {
        lk_import_count(importer, &importer->import->passed_count);
        return 0;
    }
    memset(&csv->user, 0, sizeof(csv->user));
    memset(&csv->record, 0, sizeof(csv->record));
    record->id.tenant = importer->import->tenant;
    for (size_t i = 0; !error && i < csv->column_count; i++) {
        error = csv_take(csv, i, record, &used);
    }
    if (error) {
        return error == LK_E_USAGE ? 0 : error; /* reported */
    }
    return user ? lk_import_add_user(importer, &csv->user, &id)
                : lk_import_add(importer, csv->kind, record, &id);
}

static int csv_run(struct csv_import *csv)
{
    struct lk_importer *importer = csv->importer;
    bool header = true;
    int error = 0;

    while (!error) {
        error = lk_csv_read(&csv->reader);
        if (error == LK_E_NOT_FOUND) {
            break;
        }
        importer->line = csv->reader.line;
        if (error == LK_E_USAGE) {
            lk_import_refuse(importer, error, "record", "", csv->reader.rule);
            error = header ? LK_E_CHECK : 0;
        } else if (!error && header) {
            error = csv_read_header(csv);
            header = false;
        } else if (!error) {
            error = csv_read_row(csv);
            if (error == LK_E_NOT_FOUND) {
                return error;
            }
        }
    }
    if (error == LK_E_NOT_FOUND && header) {
        importer->line = 1;
        lk_import_refuse(importer, LK_E_USAGE, "record", "", "is missing: the file is empty");
        return LK_E_CHECK;
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_import_csv(struct lk_importer *importer)
{
    const struct lk_import *import = importer->import;
    struct csv_import *csv = calloc(1, sizeof(*csv));
    int error;

    if (csv == NULL) {
        return LK_E_FULL;
    }
    csv->importer = importer;
    csv->kind = import->kind != NULL ? import->kind : &lk_kind_user;
    lk_csv_reader_init(&csv->reader, import->source, import->context);
    error = (csv->kind->flags & LK_K_INTERNAL) != 0 ||
                    (csv->kind->shape != LK_SHAPE_USER && csv->kind->shape != LK_SHAPE_IN_TENANT)
                ? LK_E_UNSUPPORTED
                : csv_run(csv);
    free(csv);
    return error;
}
