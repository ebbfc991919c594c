// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE /* explicit_bzero */
/*
 * lk_transfer_export.c: records out of the store, as NDJSON or CSV.
 *
 * The order is one that a restore can take in one pass: of each tenant the record itself, its
 * sequences, what is the tenant's (permissions before roles), its users, then what is the users'.
 * Records that stand come before those removed. Nothing in it depends on anything but the records.
 */
#include "lk_transfer_internal.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define EXPORT_KINDS_MAX 256

struct export_run {
    struct lk_export *export;
    bool counting; /* the first pass, which only finds out the size */
    uint32_t *tenants;
    size_t tenant_count;
    const struct lk_kind *kinds[EXPORT_KINDS_MAX];
    size_t kind_count;
    union {
        union lk_any_record any;
        struct lk_record record;
        struct lk_credential credential;
        struct lk_grant grant;
    } record;
    char verifier[512];
};

/* ---- Bytes -----------------------------------------------------------------------------------
 */

static int export_write(void *context, const void *data, size_t size)
{
    struct export_run *run = context;

    run->export->size += size;
    if (run->counting) {
        return run->export->size > run->export->limit ? LK_E_LIMIT : 0;
    }
    return run->export->sink(run->export->context, data, size);
}

static int export_dump(const char *buffer, size_t size, void *context)
{
    return export_write(context, buffer, size);
}

static int export_object(struct export_run *run, const json_t *object)
{
    uint64_t before = run->export->size;

    if (json_dump_callback(object, export_dump, run, JSON_COMPACT) != 0) {
        /* The library hides which of the two it was. */
        return run->counting && run->export->size > run->export->limit ? LK_E_LIMIT : LK_E_IO;
    }
    return run->export->size == before ? LK_E_FULL : export_write(run, "\n", 1);
}

/* ---- What there is ---------------------------------------------------------------------------
 */

static unsigned export_rank(const struct lk_kind *kind)
{
    switch (kind->shape) {
    case LK_SHAPE_TENANT: return 0;
    case LK_SHAPE_IN_TENANT: return kind->number == LK_KIND_SEQUENCE ? 1 : 2;
    case LK_SHAPE_USER: return 3;
    default: return 4;
    }
}

static int export_compare_kinds(const void *left, const void *right)
{
    const struct lk_kind *a = *(const struct lk_kind *const *)left;
    const struct lk_kind *b = *(const struct lk_kind *const *)right;
    unsigned first = export_rank(a) << 8 | a->number;
    unsigned second = export_rank(b) << 8 | b->number;

    return first < second ? -1 : 1;
}

static void export_find_kinds(struct export_run *run)
{
    const struct lk_export *export = run->export;

    for (unsigned number = 1; number < EXPORT_KINDS_MAX; number++) {
        const struct lk_kind *kind = lk_store_kind_numbered(export->txn->store, number);

        if (kind != NULL && (kind->flags & LK_K_EXPORTED) != 0 &&
            (export->kind == NULL || export->kind == kind)) {
            run->kinds[run->kind_count++] = kind;
        }
    }
    qsort(run->kinds, run->kind_count, sizeof(run->kinds[0]), export_compare_kinds);
}

static int export_compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return a < b ? -1 : a > b ? 1 : 0;
}

static int export_add_tenant(struct export_run *run, uint32_t tenant)
{
    /* Grown by doubling at the powers of two. */
    if ((run->tenant_count & (run->tenant_count + 1)) == 0) {
        size_t room = 2 * (run->tenant_count + 1);
        uint32_t *larger = realloc(run->tenants, room * sizeof(*larger));

        if (larger == NULL) {
            return LK_E_FULL;
        }
        run->tenants = larger;
    }
    run->tenants[run->tenant_count++] = tenant;
    return 0;
}

/* The tenants, removed ones too; 0, whose records are the store's own, is the first. */
static int export_find_tenants(struct export_run *run)
{
    int error = 0;

    if (run->export->tenant != 0) {
        return export_add_tenant(run, run->export->tenant);
    }
    error = export_add_tenant(run, 0);
    for (int deleted = 0; !error && deleted < 2; deleted++) {
        struct lk_list list = {.kind = &lk_kind_tenant, .deleted = deleted != 0};

        error = lk_list_begin(run->export->txn, &list);
        while (!error) {
            error = lk_list_next(&list, &run->record.record);
            if (!error) {
                error = export_add_tenant(run, run->record.record.id.tenant);
            }
        }
        lk_list_end(&list);
        error = error == LK_E_NOT_FOUND ? 0 : error;
    }
    if (!error) {
        qsort(run->tenants, run->tenant_count, sizeof(run->tenants[0]), export_compare_numbers);
    }
    return error;
}

/* ---- Walking ---------------------------------------------------------------------------------
 */

typedef int export_take(struct export_run *run, const struct lk_kind *kind);

/* Every record of a kind in a tenant: those that stand, then those removed. */
static int export_each(struct export_run *run, const struct lk_kind *kind, uint32_t tenant,
                       export_take *take)
{
    bool soft = (kind->flags & LK_K_SOFT_DELETE) != 0;
    int error = 0;

    for (int deleted = 0; !error && deleted <= (soft ? 1 : 0); deleted++) {
        struct lk_list list = {.kind = kind, .scope = {tenant, 0, 0}, .deleted = deleted != 0};

        error = lk_list_begin(run->export->txn, &list);
        while (!error) {
            error = lk_list_next(&list, &run->record.record);
            if (error == LK_E_NOT_FOUND) {
                error = 0;
                break;
            }
            if (!error) {
                error = take(run, kind);
                run->export->record_count++;
            }
        }
        lk_list_end(&list);
    }
    return error;
}

/* The tenant's own record, which may be a removed one. */
static int export_tenant(struct export_run *run, uint32_t tenant, export_take *take)
{
    int error = lk_get_deleted(run->export->txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0},
                               &run->record.record);

    run->export->record_count++;
    return error ? error : take(run, &lk_kind_tenant);
}

static int export_walk(struct export_run *run, export_take *take)
{
    int error = 0;

    for (size_t t = 0; !error && t < run->tenant_count; t++) {
        for (size_t k = 0; !error && k < run->kind_count; k++) {
            const struct lk_kind *kind = run->kinds[k];
            uint32_t tenant = run->tenants[t];

            if (kind->shape == LK_SHAPE_TENANT) {
                error = tenant == 0 ? 0 : export_tenant(run, tenant, take);
            } else if (tenant != 0 || kind->shape == LK_SHAPE_IN_TENANT) {
                error = export_each(run, kind, tenant, take);
            }
        }
    }
    return error;
}

/* ---- NDJSON ----------------------------------------------------------------------------------
 */

_Static_assert(sizeof(((struct export_run *)0)->verifier) >= LK_KEYED_TEXT, "hashes fit");

/* What it is proved by, of the credential in hand; empty where there is none. */
static int export_verifier(struct export_run *run, struct lk_id credential, uint64_t type)
{
    struct lk_txn *txn = run->export->txn;
    int error = type == LK_CREDENTIAL_TOTP ? lk_totp_export(txn, credential, run->verifier)
                : type == LK_CREDENTIAL_PASSWORD
                    ? lk_password_export(txn, credential, run->verifier, sizeof(run->verifier))
                    : lk_keyed_export(txn, credential, run->verifier);

    if (error == LK_E_NOT_FOUND) {
        run->verifier[0] = '\0';
        return 0;
    }
    return error;
}

static int export_line(struct export_run *run, const struct lk_kind *kind)
{
    uint64_t type = kind == &lk_kind_credential ? run->record.credential.type : UINT64_MAX;
    const char *member = type == UINT64_MAX ? NULL : lk_transfer_secret(type);
    struct lk_id id = run->record.record.id;
    json_t *object;
    int error = lk_json_record_write(kind, &run->record.record, &object);

    if (error) {
        return error;
    }
    if (run->export->with_secrets && member != NULL) {
        error = export_verifier(run, id, type);
        if (!error && run->verifier[0] != '\0' &&
            json_object_set_new(object, member, json_string(run->verifier)) != 0) {
            error = LK_E_FULL;
        }
    }
    if (!error) {
        error = export_object(run, object);
    }
    lk_json_free(object);
    return error;
}

/* ---- CSV -------------------------------------------------------------------------------------
 */

static bool export_has_column(const struct lk_field *field)
{
    return (field->flags & (LK_F_SECRET | LK_F_COMPUTED | LK_F_LOCAL)) == 0;
}

static struct lk_span export_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static int export_cell(struct export_run *run, const char *text)
{
    return lk_csv_write_field(export_write, run, export_span(text), false);
}

static int export_header(struct export_run *run, const struct lk_kind *kind)
{
    int error = lk_csv_write_field(export_write, run, LK_TEXT("id"), true);

    for (size_t i = 0; !error && (kind->flags & LK_K_AUDIT_FIELDS) != 0 && i < LK_AUDIT_FIELD_COUNT;
         i++) {
        error = export_cell(run, lk_audit_fields[i].name);
    }
    for (size_t i = 0; !error && i < kind->field_count; i++) {
        if (export_has_column(&kind->fields[i])) {
            error = export_cell(run, kind->fields[i].name);
        }
    }
    if (!error && kind == &lk_kind_user) {
        error = export_cell(run, "roles");
        if (!error && run->export->with_secrets) {
            error = export_cell(run, "password_hash");
        }
    }
    return error ? error : lk_csv_write_end(export_write, run);
}

/* A value as the import's cells have it: texts bare, lists of records as "#1,#2", maps as JSON. */
static int export_json_cell(struct export_run *run, const json_t *value)
{
    char *text;
    int error;

    if (value == NULL) {
        return export_cell(run, "");
    }
    if (json_is_string(value)) {
        return lk_csv_write_field(
            export_write, run,
            (struct lk_span){(const uint8_t *)json_string_value(value), json_string_length(value)},
            false);
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL) {
        return LK_E_FULL;
    }
    error = export_cell(run, text);
    free(text);
    return error;
}

static int export_refs_cell(struct export_run *run, const json_t *value)
{
    size_t room = json_array_size(value) * 12 + 1;
    char *text = malloc(room);
    size_t used = 0;
    int error;

    if (text == NULL) {
        return LK_E_FULL;
    }
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(value); i++) {
        text[used++] = i == 0 ? '#' : ',';
        if (i > 0) {
            text[used++] = '#';
        }
        int size = lk_uint_format((uint64_t)json_integer_value(json_array_get(value, i)),
                                  text + used, room - used);

        used += size > 0 ? (size_t)size : 0;
    }
    error = export_cell(run, text);
    free(text);
    return error;
}

static int export_field_cell(struct export_run *run, const json_t *object,
                             const struct lk_field *field)
{
    const json_t *value = json_object_get(object, field->name);

    if (value != NULL && field->type == LK_REFS) {
        return export_refs_cell(run, value);
    }
    if (value != NULL && field->type == LK_REF) {
        char text[24] = "#";

        (void)lk_uint_format((uint64_t)json_integer_value(value), text + 1,
                             sizeof(text) - 1); /* it fits */
        return export_cell(run, text);
    }
    return export_json_cell(run, value);
}

/* Appends "name;" of each role that the user is granted for good and that still is there. A cell
 * cannot say until when, and an import would make a grant that ends into one that does not. */
static int export_role_names(struct export_run *run, struct lk_id user, char **names)
{
    struct lk_txn *txn = run->export->txn;
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {user.tenant, user.user, 0}};
    struct lk_grant grant = {0};
    struct lk_role role;
    size_t used = 0;
    int error = lk_list_begin(txn, &list);

    *names = NULL;
    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (error) {
            break;
        }
        if (grant.expires_at != 0) {
            continue;
        }
        error = lk_get(txn, &lk_kind_role, (struct lk_id){user.tenant, 0, (uint32_t)grant.role},
                       &role.record);
        if (error == LK_E_NOT_FOUND) {
            error = 0;
            continue;
        }
        if (!error) {
            char *larger = realloc(*names, used + role.name.size + 2);

            if (larger == NULL) {
                error = LK_E_FULL;
                break;
            }
            *names = larger;
            memcpy(larger + used, role.name.data, role.name.size);
            used += role.name.size;
            larger[used++] = ';';
            larger[used] = '\0';
        }
    }
    lk_list_end(&list);
    if (used > 0) {
        (*names)[used - 1] = '\0';
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* The verifier of the user's password into run->verifier. */
static int export_user_verifier(struct export_run *run, struct lk_id user)
{
    struct lk_list list = {.kind = &lk_kind_credential, .scope = {user.tenant, user.user, 0}};
    int error = lk_list_begin(run->export->txn, &list);
    struct lk_credential credential = {0};

    run->verifier[0] = '\0';
    while (!error && run->verifier[0] == '\0') {
        error = lk_list_next(&list, &credential.record);
        if (!error && credential.type == LK_CREDENTIAL_PASSWORD) {
            error = export_verifier(run, credential.record.id, LK_CREDENTIAL_PASSWORD);
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int export_user_cells(struct export_run *run, struct lk_id user)
{
    char *names = NULL;
    int error = export_role_names(run, user, &names);

    if (!error) {
        error = export_cell(run, names != NULL ? names : "");
    }
    free(names);
    if (!error && run->export->with_secrets) {
        error = export_user_verifier(run, user);
        if (!error) {
            error = export_cell(run, run->verifier);
        }
    }
    return error;
}

static int export_row(struct export_run *run, const struct lk_kind *kind)
{
    struct lk_id id = run->record.record.id;
    char number[24];
    json_t *object;
    int error = lk_json_record_write(kind, &run->record.record, &object);

    if (error) {
        return error;
    }
    (void)lk_uint_format(kind->shape == LK_SHAPE_USER     ? id.user
                         : kind->shape == LK_SHAPE_TENANT ? id.tenant
                                                          : id.sub,
                         number, sizeof(number)); /* it fits */
    error = lk_csv_write_field(export_write, run, export_span(number), true);
    for (size_t i = 0; !error && (kind->flags & LK_K_AUDIT_FIELDS) != 0 && i < LK_AUDIT_FIELD_COUNT;
         i++) {
        error = export_field_cell(run, object, &lk_audit_fields[i]);
    }
    for (size_t i = 0; !error && i < kind->field_count; i++) {
        if (export_has_column(&kind->fields[i])) {
            error = export_field_cell(run, object, &kind->fields[i]);
        }
    }
    lk_json_free(object);
    if (!error && kind == &lk_kind_user) {
        error = export_user_cells(run, id);
    }
    return error ? error : lk_csv_write_end(export_write, run);
}

/* ---- The whole -------------------------------------------------------------------------------
 */

static int export_pass(struct export_run *run)
{
    int error = 0;

    run->export->size = 0;
    run->export->record_count = 0;
    if (!run->export->csv) {
        return export_walk(run, export_line);
    }
    error = run->kind_count == 1 ? export_header(run, run->kinds[0]) : LK_E_UNSUPPORTED;
    return error ? error : export_walk(run, export_row);
}

int lk_export_run(struct lk_export *export)
{
    struct export_run *run = calloc(1, sizeof(*run));
    int error;

    if (run == NULL) {
        return LK_E_FULL;
    }
    run->export = export;
    export->limit = export->limit != 0 ? export->limit : LK_EXPORT_LIMIT;
    if (export->csv && export->kind == NULL) {
        export->kind = &lk_kind_user;
    }
    export_find_kinds(run);
    error = run->kind_count > 0 ? export_find_tenants(run) : LK_E_UNSUPPORTED;
    if (!error) {
        run->counting = true;
        error = export_pass(run);
        run->counting = false;
    }
    if (!error) {
        error = export_pass(run);
    }
    free(run->tenants);
    explicit_bzero(run, sizeof(*run)); /* verifiers passed through it */
    free(run);
    return error;
}
