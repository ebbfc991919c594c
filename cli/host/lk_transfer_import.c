// SPDX-License-Identifier: MIT
/* lk_transfer_import.c: what every import does: one transaction, reports, the entry in the audit.
 */
#include "lk_transfer_internal.h"

#include <stdlib.h>
#include <string.h>

/* Records between two reports of progress. */
#define IMPORT_STRIDE 500

/* In the order of enum lk_import_format. */
static const char *const import_formats[] = {"passwd-hashes", "mosquitto", "htpasswd",
                                             "shadow",        "csv",       "ndjson"};

int lk_import_format_named(const char *name, enum lk_import_format *format)
{
    for (size_t i = 0; i < sizeof(import_formats) / sizeof(import_formats[0]); i++) {
        if (strcmp(name, import_formats[i]) == 0) {
            *format = (enum lk_import_format)i;
            return 0;
        }
    }
    return LK_E_USAGE;
}

/* ---- Reports ---------------------------------------------------------------------------------
 */

bool lk_import_is_refusal(int error)
{
    return error == LK_E_CHECK || error == LK_E_CONFLICT || error == LK_E_REFERENCE ||
           error == LK_E_LIMIT || error == LK_E_USAGE || error == LK_E_REFUSED ||
           error == LK_E_APPROVAL;
}

void lk_import_refuse(struct lk_importer *importer, int error, const char *field, const char *given,
                      const char *rule)
{
    struct lk_import *import = importer->import;
    const struct lk_import_bad bad = {importer->line, error, field, given, rule};

    import->bad_count++;
    if (import->on_bad != NULL) {
        import->on_bad(import->report, &bad);
    }
}

int lk_import_refused(struct lk_importer *importer, int error, const char *field)
{
    const struct lk_problem *problem = lk_problem(&importer->txn);

    if (!lk_import_is_refusal(error)) {
        return error;
    }
    lk_import_refuse(importer, error, problem->field != NULL ? problem->field : field,
                     problem->given, problem->rule != NULL ? problem->rule : lk_strerror(error));
    return 0;
}

void lk_import_count(struct lk_importer *importer, uint64_t *counter)
{
    struct lk_import *import = importer->import;
    uint64_t done;

    (*counter)++;
    done = import->added_count + import->kept_count + import->passed_count + import->bad_count;
    if (import->on_progress != NULL && done % IMPORT_STRIDE == 0) {
        import->on_progress(import->report, done);
    }
}

/* ---- Records ---------------------------------------------------------------------------------
 */

int lk_import_add(struct lk_importer *importer, const struct lk_kind *kind,
                  struct lk_record *record, struct lk_id *id)
{
    int error = lk_add(&importer->txn, kind, record, NULL);

    *id = (struct lk_id){0, 0, 0};
    if (error) {
        return lk_import_refused(importer, error, kind->name);
    }
    *id = record->id;
    lk_import_count(importer, &importer->import->added_count);
    return 0;
}

int lk_import_add_role(struct lk_importer *importer, struct lk_import_user *user,
                       struct lk_span name)
{
    char given[64];
    struct lk_id id;
    int error = lk_find_named(&importer->txn, &lk_kind_role, importer->import->tenant, name, &id);

    if (error && error != LK_E_NOT_FOUND && !lk_import_is_refusal(error)) {
        return error;
    }
    lk_json_show(given, sizeof(given), name);
    if (error) {
        lk_import_refuse(importer, LK_E_REFERENCE, "roles", given, "is not a role of this tenant");
        return LK_E_USAGE;
    }
    for (size_t i = 0; i < user->role_count; i++) {
        if (user->roles[i] == id.sub) {
            lk_import_refuse(importer, LK_E_CHECK, "roles", given, "is named twice");
            return LK_E_USAGE;
        }
    }
    if (user->role_count == LK_GRANT_MAX) {
        lk_import_refuse(importer, LK_E_LIMIT, "roles", "", "are more than one user can hold");
        return LK_E_USAGE;
    }
    user->roles[user->role_count++] = id.sub;
    return 0;
}

int lk_import_add_user(struct lk_importer *importer, struct lk_import_user *user, struct lk_id *id)
{
    struct lk_txn *txn = &importer->txn;
    int error = 0;

    *id = (struct lk_id){0, 0, 0};
    if (user->hash.size > 0) {
        error = lk_password_hash_check(txn, user->hash);
        /* An unknown form is the file's fault here, not this build's. */
        error = error == LK_E_UNSUPPORTED ? LK_E_CHECK : error;
        if (error) {
            return lk_import_refused(importer, error, "password_hash");
        }
    }
    user->user.record.id = (struct lk_id){importer->import->tenant, 0, 0};
    error = lk_user_add(txn, &user->user, user->roles, user->role_count);
    if (error) {
        return lk_import_refused(importer, error, "username");
    }
    if (user->hash.size > 0) {
        error = lk_password_import(txn, user->user.record.id, user->hash);
    }
    if (error) {
        int reported = lk_import_refused(importer, error, "password_hash");

        /* Half a user is none. Nothing of this transaction has reached the medium yet. */
        return reported ? reported : lk_purge(txn, &lk_kind_user, user->user.record.id);
    }
    *id = user->user.record.id;
    lk_import_count(importer, &importer->import->added_count);
    return 0;
}

/* ---- Password files --------------------------------------------------------------------------
 */

static int import_hash_line(struct lk_importer *importer, const struct lk_hash_line *line)
{
    struct lk_import_user row;
    struct lk_id id;

    memset(&row, 0, sizeof(row));
    row.hash = line->hash;
    lk_field_set_span(&row.user.record, lk_field_named(&lk_kind_user, LK_TEXT("username")),
                      line->name);
    if (line->suspended) {
        lk_field_set_number(&row.user.record, lk_field_named(&lk_kind_user, LK_TEXT("status")),
                            LK_USER_SUSPENDED);
    }
    if (line->must_change) {
        lk_field_set_number(&row.user.record,
                            lk_field_named(&lk_kind_user, LK_TEXT("must_change_password")), 1);
    }
    return lk_import_add_user(importer, &row, &id);
}

int lk_import_hashes(struct lk_importer *importer)
{
    struct lk_import *import = importer->import;
    struct lk_lines *lines = malloc(sizeof(*lines));
    struct lk_hash_line line;
    struct lk_span text;
    const char *field = "line";
    const char *rule = NULL;
    bool end = false;
    int error = lines == NULL ? LK_E_FULL : 0;

    if (lines != NULL) {
        lk_lines_init(lines, import->source, import->context);
    }
    while (!error) {
        error = lk_lines_next(lines, &text, &rule);
        if (error == LK_E_NOT_FOUND) {
            end = true;
            break;
        }
        importer->line = lines->line;
        field = "line";
        if (!error) {
            error = lk_hash_line_parse(import->format, text, lk_now(&importer->txn), &line, &field,
                                       &rule);
        }
        if (error == LK_E_USAGE) {
            lk_import_refuse(importer, error, field, "", rule);
            error = 0;
        } else if (!error && line.pass) {
            /* Comments ask for nothing and are not counted. */
            if (line.name.size > 0) {
                lk_import_count(importer, &import->passed_count);
            }
        } else if (!error) {
            error = import_hash_line(importer, &line);
        }
    }
    free(lines);
    return end ? 0 : error;
}

/* ---- The whole -------------------------------------------------------------------------------
 */

static struct lk_span import_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void import_set_text(struct lk_audit_entry *entry, const char *field, struct lk_span text)
{
    lk_field_set_span(&entry->record, lk_field_named(&lk_kind_audit, import_span(field)), text);
}

/* {"bad":…,"file":…,"kept":…,"added":…,"format":…,"passed":…}, keys by length and bytes. */
static int import_details(const struct lk_import *import, const char *file, bool restore,
                          uint8_t *out, size_t capacity, size_t *size)
{
    struct lk_cbor_writer writer;

    lk_cbor_writer_init(&writer, out, capacity);
    lk_cbor_put_map(&writer, 6);
    lk_cbor_put_text(&writer, LK_TEXT("bad"));
    lk_cbor_put_uint(&writer, import->bad_count);
    lk_cbor_put_text(&writer, LK_TEXT("file"));
    lk_cbor_put_text(&writer, import_span(file));
    lk_cbor_put_text(&writer, LK_TEXT("kept"));
    lk_cbor_put_uint(&writer, import->kept_count);
    lk_cbor_put_text(&writer, LK_TEXT("added"));
    lk_cbor_put_uint(&writer, import->added_count);
    lk_cbor_put_text(&writer, LK_TEXT("format"));
    lk_cbor_put_text(&writer, import_span(restore ? "restore" : import_formats[import->format]));
    lk_cbor_put_text(&writer, LK_TEXT("passed"));
    lk_cbor_put_uint(&writer, import->passed_count);
    return lk_cbor_finish(&writer, size);
}

static int import_audit(struct lk_importer *importer, bool restore)
{
    const struct lk_import *import = importer->import;
    struct lk_audit_entry entry;
    uint8_t details[400];
    char file[128];
    size_t size;
    int error;

    lk_json_show(file, sizeof(file), import_span(import->name != NULL ? import->name : "-"));
    error = import_details(import, file, restore, details, sizeof(details), &size);
    if (error) {
        return error;
    }
    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = restore ? 0 : import->tenant;
    import_set_text(&entry, "action", import_span("import"));
    import_set_text(&entry, "resource_type",
                    import_span(restore                ? "store"
                                : import->kind != NULL ? import->kind->name
                                                       : "user"));
    import_set_text(&entry, "description",
                    import_span(restore ? "records were put back from an export"
                                        : "records were brought in from a file"));
    import_set_text(&entry, "details", (struct lk_span){details, size});
    lk_field_set_number(&entry.record, lk_field_named(&lk_kind_audit, import_span("category")),
                        LK_CATEGORY_DATA);
    return lk_audit_write(&importer->txn, LK_RING_ADMIN, &entry);
}

static int import_read(struct lk_importer *importer, bool restore)
{
    if (restore) {
        return lk_import_records(importer);
    }
    switch (importer->import->format) {
    case LK_IMPORT_HASHES:
    case LK_IMPORT_MOSQUITTO:
    case LK_IMPORT_HTPASSWD:
    case LK_IMPORT_SHADOW: return lk_import_hashes(importer);
    case LK_IMPORT_CSV: return lk_import_csv(importer);
    case LK_IMPORT_NDJSON: return lk_import_ndjson(importer);
    }
    return LK_E_ARGUMENT;
}

static int import_tell_fault(void *context, const struct lk_fault_report *report)
{
    struct lk_importer *importer = context;
    struct lk_problem *problem = &importer->import->problem;

    memset(problem, 0, sizeof(*problem));
    problem->error = LK_E_REFERENCE;
    problem->kind = report->kind;
    problem->field = report->kind;
    problem->rule = report->what;
    problem->id = report->id;
    return LK_E_REFERENCE;
}

/* Records are put back one by one; whether they fit together shows when all are there. */
static int import_verify(struct lk_importer *importer)
{
    struct lk_verify verify = {.on_fault = import_tell_fault, .context = importer};

    return lk_verify(&importer->txn, &verify);
}

static int import_transaction(struct lk_importer *importer, bool restore)
{
    struct lk_import *import = importer->import;
    struct lk_stats stats;
    int error;

    importer->txn.storage.bulk = true;
    error = lk_begin(import->store, &importer->txn, LK_WRITE, import->actor);

    if (error) {
        return error;
    }
    importer->txn.summary = true;
    if (restore) {
        error = lk_stats(&importer->txn, &stats);
        if (!error && stats.tenant_count > 0) {
            error = LK_E_EXISTS;
        }
    }
    if (!error) {
        error = import_read(importer, restore);
    }
    if (!error && import->bad_count > 0 && !import->skip_bad) {
        error = LK_E_CHECK;
    }
    if (!error) {
        error = import_audit(importer, restore);
    }
    if (error) {
        import->problem = *lk_problem(&importer->txn);
    } else if (restore) {
        error = import_verify(importer);
    }
    if (error) {
        lk_abort(&importer->txn);
        return error;
    }
    error = lk_commit(&importer->txn);
    import->committed = error == 0;
    return error == 0 && import->bad_count > 0 ? LK_E_CHECK : error;
}

static int import_go(struct lk_import *import, bool restore)
{
    struct lk_importer *importer = calloc(1, sizeof(*importer));
    int error;

    import->added_count = 0;
    import->kept_count = 0;
    import->passed_count = 0;
    memset(import->bare_count, 0, sizeof(import->bare_count));
    import->bad_count = 0;
    import->committed = false;
    memset(&import->problem, 0, sizeof(import->problem));
    if (importer == NULL) {
        return LK_E_FULL;
    }
    importer->import = import;
    error = lk_import_ids_make(&importer->ids);
    if (!error) {
        error = import_transaction(importer, restore);
        lk_txn_release(&importer->txn);
    }
    lk_import_ids_free(importer->ids);
    free(importer);
    return error;
}

int lk_import_run(struct lk_import *import)
{
    return import_go(import, false);
}

int lk_import_restore(struct lk_import *import)
{
    return import_go(import, true);
}
