// SPDX-License-Identifier: MIT
/* lk_cli_audit_form.c: an entry of the audit as JSON, as CSV (RFC 4180), as syslog (RFC 5424). */
#include "lk_cli_audit.h"

#include <string.h>

#include "lk_text.h"

/* Absent is not the same as zero for who and where from; the rest is always there. */
static bool form_has(const struct lk_field *field, const struct lk_audit_entry *entry)
{
    if (!lk_cli_field_shown(field)) {
        return false;
    }
    return LK_HAS(&entry->record, field->number) ||
           (field->number <= 18 && field->number != 8 && field->number != 16);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

void lk_cli_audit_json(struct lk_cli *cli, const struct lk_audit_entry *entry)
{
    const struct lk_kind *kind = &lk_kind_audit;
    struct lk_cli_json json;
    size_t i;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    for (i = 0; i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (form_has(field, entry)) {
            lk_cli_json_key(&json, field->name);
            lk_cli_field_json(cli, &json, field, &entry->record);
        } else if (i == 0) { /* an open one is not in the ring yet */
            lk_cli_json_key(&json, field->name);
            lk_cli_json_null(&json);
        }
        if (i == 0) {
            lk_cli_json_key(&json, "tenant");
            lk_cli_json_text(&json, lk_cli_span(lk_cli_tenant_label(cli, entry->record.id.tenant)));
        }
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

/* ---- Values inside quotes -------------------------------------------------------------------- */

/* Hands on what it gets, with `mark` before each byte of `marked`. */
struct form_quoted {
    struct lk_cli_out *out;
    const char *marked;
    char mark;
};

static int form_quote(void *context, const void *data, size_t size)
{
    const struct form_quoted *quoted = context;
    const char *text = data;
    size_t i, from = 0;

    for (i = 0; i < size; i++) {
        if (text[i] && strchr(quoted->marked, text[i])) {
            lk_cli_put_bytes(quoted->out, text + from, i - from);
            lk_cli_put_bytes(quoted->out, &quoted->mark, 1);
            from = i;
        }
    }
    lk_cli_put_bytes(quoted->out, text + from, size - from);
    return quoted->out->error;
}

static void form_value(struct lk_cli *cli, const struct form_quoted *quoted,
                       const struct lk_field *field, const struct lk_audit_entry *entry)
{
    struct form_quoted own = *quoted;
    struct lk_cli_out out = {.write = form_quote, .context = &own};

    lk_cli_put(quoted->out, "\"");
    if (field) {
        lk_cli_field_text(cli, &out, field, &entry->record);
    } else {
        lk_cli_put_text(&out, lk_cli_span(lk_cli_tenant_label(cli, entry->record.id.tenant)));
    }
    lk_cli_put(quoted->out, "\"");
}

/* ---- CSV ------------------------------------------------------------------------------------- */

void lk_cli_audit_csv_top(struct lk_cli *cli)
{
    size_t i;

    for (i = 0; i < lk_kind_audit.field_count; i++) {
        if (lk_cli_field_shown(&lk_kind_audit.fields[i])) {
            lk_cli_put(cli->out, i ? "," : "");
            lk_cli_put(cli->out, lk_kind_audit.fields[i].name);
            lk_cli_put(cli->out, i ? "" : ",tenant");
        }
    }
    lk_cli_put(cli->out, "\r\n");
}

void lk_cli_audit_csv(struct lk_cli *cli, const struct lk_audit_entry *entry)
{
    const struct form_quoted quoted = {cli->out, "\"", '"'};
    size_t i;

    for (i = 0; i < lk_kind_audit.field_count; i++) {
        const struct lk_field *field = &lk_kind_audit.fields[i];

        if (!lk_cli_field_shown(field)) {
            continue;
        }
        lk_cli_put(cli->out, i ? "," : "");
        if (form_has(field, entry) && !lk_cli_field_empty(field, &entry->record)) {
            form_value(cli, &quoted, field, entry);
        }
        if (i == 0) {
            lk_cli_put(cli->out, ",");
            form_value(cli, &quoted, NULL, entry);
        }
    }
    lk_cli_put(cli->out, "\r\n");
}

/* ---- Syslog ---------------------------------------------------------------------------------- */

#define FORM_FACILITY 13 /* log audit (RFC 5424, table 1) */

enum { FORM_WARNING = 4, FORM_NOTICE = 5, FORM_INFORMATIONAL = 6 };

/* MSGID: at most 32 printable characters of ASCII without spaces. */
static void form_msgid(struct lk_cli_out *out, struct lk_span action)
{
    size_t i;

    for (i = 0; i < action.size && i < 32; i++) {
        char c = (char)action.data[i];

        c = c > 32 && c < 127 ? c : '_';
        lk_cli_put_bytes(out, &c, 1);
    }
    lk_cli_put(out, action.size ? "" : "-");
}

static void form_data(struct lk_cli *cli, const struct lk_audit_entry *entry)
{
    const struct form_quoted quoted = {cli->out, "\"\\]", '\\'};
    size_t i;

    lk_cli_put(cli->out, "[timeQuality tzKnown=\"1\" isSynced=\"");
    lk_cli_put(cli->out, entry->clock == LK_CLOCK_SYNCED ? "1\"]" : "0\"]");
    lk_cli_put(cli->out, "[latchkey@32473 tenant=");
    form_value(cli, &quoted, NULL, entry);
    for (i = 0; i < lk_kind_audit.field_count; i++) {
        const struct lk_field *field = &lk_kind_audit.fields[i];

        /* Time and words stand elsewhere in the line. */
        if (form_has(field, entry) && !lk_cli_field_empty(field, &entry->record) &&
            field->number != 9 && field->number != 16) {
            lk_cli_put(cli->out, " ");
            lk_cli_put(cli->out, field->name);
            lk_cli_put(cli->out, "=");
            form_value(cli, &quoted, field, entry);
        }
    }
    lk_cli_put(cli->out, "]");
}

/* MSG: what is not ASCII is announced by a byte order mark. */
static void form_message(struct lk_cli_out *out, struct lk_span text)
{
    size_t i;

    if (!text.size) {
        return;
    }
    lk_cli_put(out, " ");
    for (i = 0; i < text.size && text.data[i] < 0x80; i++) {
    }
    lk_cli_put(out, i < text.size ? "\xEF\xBB\xBF" : "");
    lk_cli_put_text(out, text);
}

void lk_cli_audit_syslog(struct lk_cli *cli, const struct lk_audit_entry *entry)
{
    unsigned severity = entry->outcome == LK_FAILURE || entry->dropped ? FORM_WARNING
                        : entry->ring == LK_RING_ADMIN                 ? FORM_NOTICE
                                                                       : FORM_INFORMATIONAL;

    lk_cli_put(cli->out, "<");
    lk_cli_put_number(cli->out, FORM_FACILITY * 8 + severity);
    lk_cli_put(cli->out, ">1 ");
    if (entry->clock == LK_CLOCK_UNSET) {
        lk_cli_put(cli->out, "-");
    } else {
        lk_cli_put_time(cli->out, entry->at);
    }
    lk_cli_put(cli->out, " - latchkey - ");
    form_msgid(cli->out, entry->action);
    lk_cli_put(cli->out, " ");
    form_data(cli, entry);
    form_message(cli->out, entry->description);
    lk_cli_put(cli->out, "\n");
}
