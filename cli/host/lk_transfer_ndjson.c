// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE /* explicit_bzero */
/*
 * lk_transfer_ndjson.c: records from NDJSON, one object a line, as an export writes them.
 *
 * As new records (an import), numbers of the file stand only for what the same file brought before:
 * a role or permission that the tenant has by name is used as it is, anything else is made anew.
 * Back with their ids (a restore), every line is put where it was.
 */
#include "lk_transfer_internal.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

struct ndjson {
    struct lk_importer *importer;
    uint32_t file_tenant; /* whose records the file holds; 0: none seen yet */
    uint64_t now_ms;
    struct lk_lines lines;
    union {
        union lk_any_record any;
        struct lk_record record;
        struct lk_grant grant;
        struct lk_credential credential;
    } record;
    struct lk_import_user user;
    char verifier[512];
};

/* One line, parsed. */
struct ndjson_line {
    json_t *object;
    const struct lk_kind *kind;
    struct lk_id id;
    bool has_id;
};

static int ndjson_refuse(struct ndjson *in, const char *field, const char *given, const char *rule)
{
    lk_import_refuse(in->importer, LK_E_USAGE, field, given, rule);
    return LK_E_USAGE;
}

static int ndjson_refuse_problem(struct ndjson *in, const struct lk_json_problem *problem)
{
    return ndjson_refuse(in, problem->field, problem->given, problem->rule);
}

/* ---- A line ----------------------------------------------------------------------------------
 */

/* Parses the line and finds its kind and id. LK_E_USAGE after it was reported. */
static int ndjson_open(struct ndjson *in, struct lk_span text, struct ndjson_line *line)
{
    struct lk_json_problem problem;
    const char *rule = NULL;
    const json_t *kind;
    char given[64];

    memset(line, 0, sizeof(*line));
    if (lk_json_parse(text, &line->object, &rule)) {
        return ndjson_refuse(in, "line", "", rule);
    }
    kind = json_object_get(line->object, "kind");
    if (!json_is_string(kind)) {
        return ndjson_refuse(in, "kind", "", "is missing");
    }
    line->kind = lk_store_kind(
        in->importer->import->store,
        (struct lk_span){(const uint8_t *)json_string_value(kind), json_string_length(kind)});
    if (line->kind == NULL || (line->kind->flags & LK_K_EXPORTED) == 0) {
        lk_json_show(
            given, sizeof(given),
            (struct lk_span){(const uint8_t *)json_string_value(kind), json_string_length(kind)});
        return ndjson_refuse(in, "kind", given, "is not a kind that an export holds");
    }
    if (json_object_get(line->object, "id") != NULL) {
        line->has_id = true;
        if (lk_json_record_id(line->object, &line->id, &problem)) {
            return ndjson_refuse_problem(in, &problem);
        }
    }
    return 0;
}

/* Takes a text member out of the object, so that the record's own reader does not see it. */
static int ndjson_take_text(struct ndjson *in, json_t *object, const char *name, char *out,
                            size_t size)
{
    const json_t *value = json_object_get(object, name);

    out[0] = '\0';
    if (value == NULL) {
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) >= size ||
        strlen(json_string_value(value)) != json_string_length(value)) {
        return ndjson_refuse(in, name, "",
                             strcmp(name, "seed") == 0 ? "is not a seed in base32"
                                                       : "is not a password hash");
    }
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return json_object_del(object, name) == 0 ? 0 : LK_E_FULL;
}

static struct lk_span ndjson_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static int ndjson_read_record(struct ndjson *in, const struct ndjson_line *line, unsigned flags,
                              struct lk_record *record)
{
    struct lk_json_problem problem;
    int error = lk_json_record_read(line->kind, line->object, flags, record, in->importer->room,
                                    LK_VALUE_MAX, &problem);

    if (error == LK_E_USAGE) {
        return ndjson_refuse_problem(in, &problem);
    }
    if (error == LK_E_SPACE) {
        return ndjson_refuse(in, "line", "", "holds more than a record can");
    }
    return error;
}

/* ---- New records -----------------------------------------------------------------------------
 */

static bool ndjson_is_credential(const struct ndjson_line *line, const char *type)
{
    const char *given = json_string_value(json_object_get(line->object, "type"));

    return given != NULL && strcmp(given, type) == 0;
}

/* What cannot be, or must not be, a new record here. */
static bool ndjson_passes(const struct ndjson_line *line)
{
    if (line->kind->shape == LK_SHAPE_TENANT ||
        json_object_get(line->object, "deleted_at") != NULL) {
        return true;
    }
    if (line->kind == &lk_kind_grant) {
        return false;
    }
    if (line->kind == &lk_kind_credential) {
        return !ndjson_is_credential(line, "ssh_key") &&
               !(ndjson_is_credential(line, "password") &&
                 json_object_get(line->object, "verifier") != NULL);
    }
    return (line->kind->flags & LK_K_INTERNAL) != 0;
}

/* The record that another one of the file refers to, as it is numbered here. */
static uint32_t ndjson_here(const struct ndjson *in, unsigned kind_number, uint32_t number)
{
    const struct lk_kind *kind = lk_store_kind_numbered(in->importer->import->store, kind_number);

    if (kind == NULL) {
        return 0;
    }
    return kind->shape == LK_SHAPE_USER
               ? lk_import_ids_get(in->importer->ids, kind_number, number, 0)
               : lk_import_ids_get(in->importer->ids, kind_number, 0, number);
}

static int ndjson_compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return a < b ? -1 : a > b ? 1 : 0;
}

static int ndjson_translate_refs(struct ndjson *in, const struct lk_field *field,
                                 struct lk_record *record)
{
    struct lk_span encoded = lk_field_span(record, field);
    uint8_t *out = in->importer->room + LK_VALUE_MAX;
    uint32_t numbers[LK_VALUE_MAX / 4];
    struct lk_cbor_reader reader;
    struct lk_cbor_writer writer;
    struct lk_cbor_item item;
    size_t count = 0;
    size_t size = 0;

    lk_cbor_reader_init(&reader, encoded);
    if (lk_cbor_read(&reader, &item)) {
        return LK_E_CORRUPT;
    }
    while (count < LK_VALUE_MAX / 4 && lk_cbor_read(&reader, &item) == 0) {
        numbers[count] = ndjson_here(in, field->target, (uint32_t)item.number);
        if (numbers[count] == 0) {
            return ndjson_refuse(in, field->name, "",
                                 "refers to a record that is not before it in "
                                 "the file, or was refused");
        }
        count++;
    }
    qsort(numbers, count, sizeof(numbers[0]), ndjson_compare);
    lk_cbor_writer_init(&writer, out, LK_VALUE_MAX);
    lk_cbor_put_array(&writer, count);
    for (size_t i = 0; i < count; i++) {
        lk_cbor_put_uint(&writer, numbers[i]);
    }
    if (lk_cbor_finish(&writer, &size)) {
        return ndjson_refuse(in, field->name, "", "is too long");
    }
    lk_field_set_span(record, field, (struct lk_span){out, size});
    return 0;
}

/* Replaces the file's numbers by those of the records that were made from them. */
static int ndjson_translate(struct ndjson *in, const struct lk_kind *kind, struct lk_record *record)
{
    int error = 0;

    for (size_t i = 0; !error && i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];
        uint32_t number;

        if (!LK_HAS(record, field->number)) {
            continue;
        }
        if (field->type == LK_REFS) {
            error = ndjson_translate_refs(in, field, record);
        } else if (field->type == LK_REF) {
            number = ndjson_here(in, field->target, (uint32_t)lk_field_number(record, field));
            if (number != 0) {
                lk_field_set_number(record, field, number);
            } else if (field->on_delete == LK_SET_NULL) {
                record->present &= ~((uint64_t)1 << field->number);
            } else {
                error = ndjson_refuse(in, field->name, "",
                                      "refers to a record that is not before it in the file, or "
                                      "was refused");
            }
        }
    }
    return error;
}

/* Notes where a record of the file went. */
static int ndjson_note(struct ndjson *in, const struct ndjson_line *line, struct lk_id here)
{
    bool user = line->kind->shape == LK_SHAPE_USER;
    int error;

    if (!line->has_id || here.tenant == 0) {
        return 0;
    }
    error = lk_import_ids_put(in->importer->ids, line->kind->number, user ? line->id.user : 0,
                              user ? 0 : line->id.sub, user ? here.user : here.sub);
    return error == LK_E_EXISTS ? ndjson_refuse(in, "id", "", "is given twice in this file")
                                : error;
}

static int ndjson_add_user(struct ndjson *in, struct ndjson_line *line)
{
    struct lk_import_user *user = &in->user;
    json_t *roles = json_incref(json_object_get(line->object, "roles"));
    struct lk_id here;
    int error;

    memset(user, 0, sizeof(*user));
    error = ndjson_take_text(in, line->object, "password_hash", in->verifier, sizeof(in->verifier));
    user->hash = ndjson_span(in->verifier);
    if (!error && roles != NULL && !json_is_array(roles)) {
        error = ndjson_refuse(in, "roles", "", "is not a list of names");
    }
    for (size_t i = 0; !error && i < json_array_size(roles); i++) {
        const json_t *name = json_array_get(roles, i);

        error = json_is_string(name)
                    ? lk_import_add_role(in->importer, user,
                                         (struct lk_span){(const uint8_t *)json_string_value(name),
                                                          json_string_length(name)})
                    : ndjson_refuse(in, "roles", "", "is not a list of names");
    }
    json_decref(roles);
    if (!error) {
        error = ndjson_read_record(in, line, 0, &user->user.record);
    }
    if (!error) {
        error = lk_import_add_user(in->importer, user, &here);
    }
    return error ? error : ndjson_note(in, line, here);
}

/* A role or permission that the tenant has by that name. LK_E_NOT_FOUND. */
static int ndjson_find(struct ndjson *in, const struct lk_kind *kind,
                       const struct lk_record *record, struct lk_id *here)
{
    const struct lk_field *name = lk_field_named(kind, LK_TEXT("name"));

    if ((kind != &lk_kind_role && kind != &lk_kind_permission) || !LK_HAS(record, name->number)) {
        return LK_E_NOT_FOUND;
    }
    /* "#3" would be a number here. */
    struct lk_span text = lk_field_span(record, name);

    if (text.size > 0 && text.data[0] == '#') {
        return LK_E_NOT_FOUND;
    }
    return lk_find_named(&in->importer->txn, kind, in->importer->import->tenant, text, here);
}

static int ndjson_add_other(struct ndjson *in, const struct ndjson_line *line)
{
    struct lk_importer *importer = in->importer;
    struct lk_record *record = &in->record.record;
    struct lk_id here = {0, 0, 0};
    int error = ndjson_read_record(in, line, 0, record);

    if (error) {
        return error;
    }
    error = ndjson_find(in, line->kind, record, &here);
    if (error == 0) {
        lk_import_count(importer, &importer->import->kept_count);
        return ndjson_note(in, line, here);
    }
    if (error != LK_E_NOT_FOUND) {
        return lk_import_refused(importer, error, "name");
    }
    record->id = (struct lk_id){importer->import->tenant, 0, 0};
    if (line->kind->shape == LK_SHAPE_OF_USER || line->kind->shape == LK_SHAPE_ONE_A_USER) {
        record->id.user = lk_import_ids_get(importer->ids, LK_KIND_USER, line->id.user, 0);
        if (record->id.user == 0) {
            return ndjson_refuse(in, "id", "",
                                 "is of a user who is not before it in the file, or "
                                 "was refused");
        }
    }
    error = ndjson_translate(in, line->kind, record);
    if (!error) {
        error = lk_import_add(importer, line->kind, record, &here);
    }
    return error ? error : ndjson_note(in, line, here);
}

static int ndjson_add_grant(struct ndjson *in, struct lk_id user)
{
    struct lk_importer *importer = in->importer;
    const struct lk_grant *grant = &in->record.grant;
    struct lk_id role = {user.tenant, 0, 0};

    if (grant->expires_at != 0 && grant->expires_at <= in->now_ms) {
        lk_import_count(importer, &importer->import->passed_count);
        return 0;
    }
    role.sub = lk_import_ids_get(importer->ids, LK_KIND_ROLE, 0, (uint32_t)grant->role);
    if (role.sub == 0) {
        return ndjson_refuse(in, "role", "", "is not before it in the file, or was refused");
    }
    int error = lk_role_grant(&importer->txn, user, role, grant->expires_at);

    if (error) {
        return lk_import_refused(importer, error, "role");
    }
    lk_import_count(importer, &importer->import->added_count);
    return 0;
}

static int ndjson_add_credential(struct ndjson *in, struct lk_id user)
{
    struct lk_importer *importer = in->importer;
    const struct lk_credential *credential = &in->record.credential;
    struct lk_id made;
    int error;

    if (credential->type == LK_CREDENTIAL_PASSWORD) {
        error = lk_password_hash_check(&importer->txn, ndjson_span(in->verifier));
        error = error == LK_E_UNSUPPORTED ? LK_E_CHECK : error;
        if (!error) {
            error = lk_password_import(&importer->txn, user, ndjson_span(in->verifier));
        }
    } else {
        error = lk_ssh_key_add(&importer->txn, user, credential->label, credential->key, &made);
    }
    if (error) {
        return lk_import_refused(importer, error, "credential");
    }
    lk_import_count(importer, &importer->import->added_count);
    return 0;
}

/* Grants and credentials, which are not added as records but by what makes them. */
static int ndjson_add_of_user(struct ndjson *in, struct ndjson_line *line)
{
    struct lk_importer *importer = in->importer;
    struct lk_id user = {importer->import->tenant,
                         lk_import_ids_get(importer->ids, LK_KIND_USER, line->id.user, 0), 0};
    int error;

    if (user.user == 0) {
        return ndjson_refuse(in, "id", "",
                             "is of a user who is not before it in the file, or was refused");
    }
    error = ndjson_take_text(in, line->object, "verifier", in->verifier, sizeof(in->verifier));
    if (!error) {
        error = ndjson_read_record(in, line, 0, &in->record.record);
    }
    if (error) {
        return error;
    }
    return line->kind == &lk_kind_grant ? ndjson_add_grant(in, user)
                                        : ndjson_add_credential(in, user);
}

static int ndjson_add(struct ndjson *in, struct ndjson_line *line)
{
    struct lk_importer *importer = in->importer;

    if (line->has_id && line->kind->shape != LK_SHAPE_TENANT && line->id.tenant != 0) {
        if (in->file_tenant == 0) {
            in->file_tenant = line->id.tenant;
        }
        if (line->id.tenant != in->file_tenant) {
            return ndjson_refuse(in, "id", "",
                                 "is of a second tenant: an import brings one "
                                 "tenant's records; --restore brings them all");
        }
    }
    if (ndjson_passes(line)) {
        lk_import_count(importer, &importer->import->passed_count);
        return 0;
    }
    if (line->kind == &lk_kind_user) {
        return ndjson_add_user(in, line);
    }
    if (line->kind == &lk_kind_grant || line->kind == &lk_kind_credential) {
        return ndjson_add_of_user(in, line);
    }
    return ndjson_add_other(in, line);
}

/* ---- Records put back ------------------------------------------------------------------------
 */

/* What the record is proved by, out of the file. */
static int ndjson_prove(struct ndjson *in, struct lk_id id, uint64_t type)
{
    struct lk_txn *txn = &in->importer->txn;
    struct lk_span given = ndjson_span(in->verifier);

    return type == LK_CREDENTIAL_TOTP       ? lk_totp_put_back(txn, id, given)
           : type == LK_CREDENTIAL_PASSWORD ? lk_password_put_back(txn, id, given)
                                            : lk_keyed_put_back(txn, id, given);
}

/* As its record will have it; what names no type is refused there. */
static uint64_t ndjson_credential_type(const struct ndjson_line *line)
{
    uint64_t type = 0;

    while (type < LK_CREDENTIAL_CLAIM && !ndjson_is_credential(line, lk_transfer_type(type))) {
        type++;
    }
    return type;
}

static int ndjson_put_back(struct ndjson *in, struct ndjson_line *line)
{
    struct lk_importer *importer = in->importer;
    const char *member = NULL;
    uint64_t type = 0;
    int error = 0;

    if (!line->has_id) {
        return ndjson_refuse(in, "id", "", "is missing");
    }
    in->verifier[0] = '\0';
    if (line->kind == &lk_kind_credential) {
        type = ndjson_credential_type(line);
        member = lk_transfer_secret(type);
    }
    if (member != NULL) {
        error = ndjson_take_text(in, line->object, member, in->verifier, sizeof(in->verifier));
    }
    if (!error) {
        error = ndjson_read_record(in, line, LK_JSON_EXACT, &in->record.record);
    }
    if (error) {
        return error;
    }
    error = lk_put_back(&importer->txn, line->kind, &in->record.record);
    if (!error && in->verifier[0] != '\0') {
        error = ndjson_prove(in, line->id, type);
        error = error == LK_E_UNSUPPORTED ? LK_E_CHECK : error;
    } else if (!error && line->kind == &lk_kind_credential && type != LK_CREDENTIAL_SSH_KEY &&
               json_object_get(line->object, "deleted_at") == NULL) {
        importer->import->bare_count[type]++;
    }
    if (error) {
        return lk_import_refused(importer, error, line->kind->name);
    }
    lk_import_count(importer, &importer->import->added_count);
    return 0;
}

/* ---- The file --------------------------------------------------------------------------------
 */

static int ndjson_run(struct ndjson *in, int (*take)(struct ndjson *in, struct ndjson_line *line))
{
    struct lk_importer *importer = in->importer;
    struct ndjson_line line;
    struct lk_span text;
    const char *rule = NULL;
    int error = 0;

    in->now_ms = lk_now(&importer->txn);
    while (!error) {
        error = lk_lines_next(&in->lines, &text, &rule);
        importer->line = in->lines.line;
        if (error == LK_E_NOT_FOUND) {
            return 0;
        }
        if (error == LK_E_USAGE) {
            lk_import_refuse(importer, error, "line", "", rule);
            error = 0;
        } else if (!error && text.size > 0) {
            error = ndjson_open(in, text, &line);
            if (!error) {
                error = take(in, &line);
            }
            lk_json_free(line.object);
            error = error == LK_E_USAGE ? 0 : error; /* reported */
        }
    }
    return error;
}

static int ndjson_begin(struct lk_importer *importer,
                        int (*take)(struct ndjson *in, struct ndjson_line *line))
{
    struct ndjson *in = calloc(1, sizeof(*in));
    int error;

    if (in == NULL) {
        return LK_E_FULL;
    }
    in->importer = importer;
    lk_lines_init(&in->lines, importer->import->source, importer->import->context);
    error = ndjson_run(in, take);
    explicit_bzero(in, sizeof(*in)); /* hashes passed through it */
    free(in);
    return error;
}

int lk_import_ndjson(struct lk_importer *importer)
{
    return ndjson_begin(importer, ndjson_add);
}

int lk_import_records(struct lk_importer *importer)
{
    struct lk_import *import = importer->import;
    int error = ndjson_begin(importer, ndjson_put_back);

    if (!error && import->added_count == 0 && import->bad_count == 0) {
        importer->line = 1;
        lk_import_refuse(importer, LK_E_USAGE, "line", "", "is missing: the file holds no record");
        return LK_E_CHECK;
    }
    return error;
}
