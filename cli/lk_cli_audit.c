// SPDX-License-Identifier: MIT
/* lk_cli_audit.c: who did what. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

#define AUDIT_LIMIT 50

static const struct lk_field *audit_field(const char *name)
{
    return lk_field_named(&lk_kind_audit, lk_cli_span(name));
}

/* 1 + the number of a choice, as queries want it; 0 when it was not given. */
static int audit_choice(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                        int *choice)
{
    const char *value = lk_cli_option(args, name);
    const struct lk_field *field = audit_field(name);
    int i;

    *choice = 0;
    if (!value) {
        return 0;
    }
    for (i = 0; field->choices[i]; i++) {
        if (lk_text_equal_fold(lk_cli_span(value), lk_cli_span(field->choices[i]))) {
            *choice = 1 + i;
            return 0;
        }
    }
    return lk_cli_refuse(cli, LK_E_USAGE, name, value,
                         "is none of its choices; see describe audit");
}

/* TYPE, or TYPE:ID as entries have them. */
static void audit_resource(const struct lk_cli_args *args, struct lk_audit_query *query)
{
    const char *value = lk_cli_option(args, "resource");
    const char *colon = value ? strchr(value, ':') : NULL;

    if (value) {
        query->resource_type = (struct lk_span){(const uint8_t *)value,
                                                colon ? (size_t)(colon - value) : strlen(value)};
    }
    if (colon) {
        query->resource_id = lk_cli_span(colon + 1);
    }
}

static int audit_query(struct lk_cli *cli, const struct lk_cli_args *args,
                       struct lk_audit_query *query)
{
    const char *user = lk_cli_option(args, "user");
    const char *action = lk_cli_option(args, "action");
    struct lk_id id;
    int error;

    memset(query, 0, sizeof(*query));
    query->tenant = cli->tenant; /* 0 with --store */
    if (user && cli->of_store) {
        return lk_cli_refuse(cli, LK_E_USAGE, "user", user, "is of a tenant: not with --store");
    }
    if (action) {
        query->action = lk_cli_span(action);
    }
    audit_resource(args, query);
    error = audit_choice(cli, args, "outcome", &query->outcome);
    if (!error) {
        error = audit_choice(cli, args, "category", &query->category);
    }
    if (!error) {
        error = lk_cli_option_past(cli, args, "since", &query->since);
    }
    if (!error) {
        error = lk_cli_option_past(cli, args, "until", &query->until);
    }
    if (!error) {
        error = lk_cli_option_number(cli, args, "after", 0, &query->after_seq);
    }
    if (!error && user) {
        error = lk_cli_user(cli, user, &id);
        /* What removed users did stays to be seen. */
        if (error == LK_E_NOT_FOUND) {
            struct lk_problem first = cli->problem;

            error = lk_cli_removed(cli, &lk_kind_user, user, &id);
            if (error == LK_E_NOT_FOUND) {
                cli->problem = first;
            }
        }
        query->actor = error ? 0 : id.user;
    }
    return error;
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void audit_cell(struct lk_cli *cli, struct lk_span text, size_t width)
{
    size_t columns = lk_cli_columns(text);

    lk_cli_put_bytes(cli->out, text.data, text.size);
    lk_cli_put_spaces(cli->out, columns < width ? width - columns + 1 : 1);
}

static struct lk_span audit_text(struct lk_cli *cli, const char *name,
                                 const struct lk_record *record)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell));
    lk_cli_field_text(cli, &out, audit_field(name), record);
    return (struct lk_span){(const uint8_t *)buffer.data, buffer.size};
}

/* SEQ TIME ACTOR OUTCOME DESCRIPTION in 80 columns; the rest is in the JSON. */
static void audit_line(struct lk_cli *cli, const struct lk_audit_entry *entry, bool wide)
{
    struct lk_span text = audit_text(cli, "seq", &entry->record);
    size_t room = (cli->width ? cli->width : 80) - 1, used;

    audit_cell(cli, text, 5);
    used = (text.size > 5 ? text.size : 5) + 1;
    text = audit_text(cli, "at", &entry->record);
    /* Seconds are enough to read; JSON has it all. */
    audit_cell(cli, (struct lk_span){text.data, text.size < 19 ? text.size : 19}, 19);
    text = audit_text(cli, "actor", &entry->record);
    audit_cell(cli, text, 8);
    used += 20 + 1 + (lk_cli_columns(text) > 8 ? lk_cli_columns(text) : 8);
    audit_cell(cli, entry->outcome == LK_SUCCESS ? LK_TEXT("ok") : LK_TEXT("failed"), 6);
    text = audit_text(cli, "action", &entry->record);
    audit_cell(cli, text, 17);
    used += 7 + 1 + (text.size > 17 ? text.size : 17);
    text = audit_text(cli, "description", &entry->record);
    if (!wide && used < room && lk_cli_columns(text) > room - used) {
        size_t at = 0, columns = 0;

        while (columns + 2 < room - used) {
            at++;
            while (at < text.size && (text.data[at] & 0xC0) == 0x80) {
                at++;
            }
            columns++;
        }
        lk_cli_put_bytes(cli->out, text.data, at);
        lk_cli_put(cli->out, "..\n");
        return;
    }
    lk_cli_put_bytes(cli->out, text.data, text.size);
    lk_cli_put(cli->out, "\n");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void audit_json(struct lk_cli *cli, const struct lk_audit_entry *entry)
{
    const struct lk_kind *kind = &lk_kind_audit;
    struct lk_cli_json json;
    size_t i;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    for (i = 0; i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (!lk_cli_field_shown(field)) {
            continue;
        }
        /* Absent is not the same as zero for who and where from; the rest is always there. */
        if (field->number > 18 && !(field->flags & LK_F_COMPUTED) &&
            !LK_HAS(&entry->record, field->number)) {
            continue;
        }
        lk_cli_json_key(&json, field->name);
        lk_cli_field_json(cli, &json, field, &entry->record);
        if (i == 0) {
            lk_cli_json_key(&json, "tenant");
            lk_cli_json_text(&json, lk_cli_span(lk_cli_tenant_label(cli, entry->record.id.tenant)));
        }
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

/* ---- Commands -------------------------------------------------------------------------------- */

struct audit_told {
    uint64_t count, damaged;
    uint64_t next; /* where another page goes on; 0: nowhere */
};

static int audit_run(struct lk_cli *cli, struct lk_audit_query *query, uint64_t limit, bool json,
                     bool wide, struct audit_told *told)
{
    struct lk_audit_entry *entry = &cli->work->record.audit;
    uint64_t last = 0;
    int error = lk_audit_begin(&cli->work->txn, query);

    memset(told, 0, sizeof(*told));
    while (!error && !cli->out->error) {
        error = lk_audit_next(query, entry);
        if (error == LK_E_CORRUPT) {
            told->damaged++;
            error = 0;
            continue;
        }
        if (!error && limit && told->count == limit) {
            told->next = last;
            break;
        }
        if (!error) {
            error = lk_cli_keep(cli, &lk_kind_audit, &entry->record);
        }
        if (!error) {
            last = entry->seq;
            told->count++;
            if (json) {
                audit_json(cli, entry);
            } else {
                audit_line(cli, entry, wide);
            }
        }
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* The rest was listed; that something is missing must not go unseen. */
static int audit_damage(struct lk_cli *cli, uint64_t damaged)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    if (!damaged) {
        return 0;
    }
    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put_number(&out, damaged);
    lk_cli_put(&out, damaged == 1 ? " entry is damaged: the rest is listed"
                                  : " entries are damaged: the rest is listed");
    buffer.data[buffer.size] = '\0';
    return lk_cli_refuse(cli, LK_E_CORRUPT, NULL, NULL, buffer.data);
}

int lk_cli_audit_list(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_audit_query query;
    struct audit_told told;
    uint64_t limit;
    char cursor[24] = "";
    int error = lk_cli_option_number(cli, args, "limit", AUDIT_LIMIT, &limit);

    if (!error && !limit) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "limit", "0", "is no page");
    }
    if (lk_cli_option(args, "all")) {
        limit = 0;
    }
    if (!error) {
        error = lk_cli_begin(cli, LK_READ);
    }
    if (!error) {
        error = audit_query(cli, args, &query);
    }
    if (!error) {
        query.oldest_first = lk_cli_option(args, "reverse") != NULL;
        if (!cli->json) {
            lk_cli_put(cli->out,
                       "SEQ   AT (UTC)            ACTOR    RESULT ACTION            WHAT\n");
        }
        error =
            audit_run(cli, &query, limit, cli->json, lk_cli_option(args, "wide") != NULL, &told);
    }
    if (!error) {
        if (told.next) {
            (void)lk_uint_format(told.next, cursor, sizeof(cursor)); /* 20 digits at most */
        }
        lk_cli_page(cli, told.count, cursor);
        error = audit_damage(cli, told.damaged);
    }
    return error;
}

/* Oldest first, one object a line and nothing else: fit for a file. */
int lk_cli_audit_export(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_audit_query query;
    struct audit_told told;
    int error = lk_cli_begin(cli, LK_READ);

    if (!error) {
        error = audit_query(cli, args, &query);
    }
    if (!error) {
        query.oldest_first = true;
        error = audit_run(cli, &query, 0, true, false, &told);
    }
    if (!error && !cli->quiet) {
        lk_cli_put_number(cli->err, told.count);
        lk_cli_put(cli->err, " entries\n");
    }
    return error ? error : audit_damage(cli, told.damaged);
}
