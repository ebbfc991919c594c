// SPDX-License-Identifier: MIT
/* lk_cli_audit.c: who did what. */
#include "lk_cli_audit.h"

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

/* An address, which is found by its tag. The bytes live as long as the command. */
static int audit_source(struct lk_cli *cli, const struct lk_cli_args *args,
                        struct lk_audit_query *query)
{
    const char *value = lk_cli_option(args, "source");
    uint8_t *address = cli->work->secrets[0];
    size_t size;

    if (!value) {
        return 0;
    }
    if (lk_address_parse(lk_cli_span(value), address, &size)) {
        return lk_cli_refuse(cli, LK_E_USAGE, "source", value, "is not an IPv4 or IPv6 address");
    }
    query->source = (struct lk_span){address, size};
    return 0;
}

int lk_cli_audit_query(struct lk_cli *cli, const struct lk_cli_args *args,
                       struct lk_audit_query *query)
{
    const char *user = lk_cli_option(args, "user");
    const char *action = lk_cli_option(args, "action");
    const char *tag = lk_cli_option(args, "tag");
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
    if (tag && (!*tag || strchr(tag, ' '))) {
        return lk_cli_refuse(cli, LK_E_USAGE, "tag", tag, "is not one word");
    }
    query->tagged = lk_cli_span(tag ? tag : "");
    audit_resource(args, query);
    error = audit_source(cli, args, query);
    if (!error) {
        error = audit_choice(cli, args, "outcome", &query->outcome);
    }
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

/* What was lost before it, how often it came, what it was, and its tags. */
static struct lk_span audit_words(struct lk_cli *cli, const struct lk_audit_entry *entry)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell));
    if (entry->dropped) {
        lk_cli_put(&out, "(");
        lk_cli_put_number(&out, entry->dropped);
        lk_cli_put(&out, " lost before) ");
    }
    if (entry->repeats) {
        lk_cli_put_number(&out, entry->repeats);
        lk_cli_put(&out, entry->open ? " more so far: " : " more: ");
    }
    lk_cli_field_text(cli, &out, audit_field("description"), &entry->record);
    if (entry->tags.size) {
        lk_cli_put(&out, " [");
        lk_cli_field_text(cli, &out, audit_field("tags"), &entry->record);
        lk_cli_put(&out, "]");
    }
    return (struct lk_span){(const uint8_t *)buffer.data, buffer.size};
}

/* SEQ TIME ACTOR OUTCOME DESCRIPTION in 80 columns; the rest is in the JSON. */
static void audit_line(struct lk_cli *cli, const struct lk_audit_entry *entry, bool wide)
{
    struct lk_span text = audit_text(cli, "seq", &entry->record);
    size_t room = (cli->width ? cli->width : 80) - 1, used;

    if (entry->open) {
        text = LK_TEXT("-");
    }
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
    text = audit_words(cli, entry);
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

/* ---- Runs of entries ------------------------------------------------------------------------- */

int lk_cli_audit_form(struct lk_cli *cli, const struct lk_cli_args *args,
                      enum lk_cli_audit_form *form)
{
    static const struct {
        const char *name;
        enum lk_cli_audit_form form;
    } forms[] = {{"ndjson", LK_CLI_AUDIT_NDJSON},
                 {"csv", LK_CLI_AUDIT_CSV},
                 {"syslog", LK_CLI_AUDIT_SYSLOG}};
    const char *name = lk_cli_option(args, "format");
    size_t i;

    for (i = 0; name && i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (lk_cli_same(name, forms[i].name)) {
            *form = forms[i].form;
            return 0;
        }
    }
    return name ? lk_cli_refuse(cli, LK_E_USAGE, "format", name, "is not ndjson, csv or syslog")
                : 0;
}

void lk_cli_audit_top(struct lk_cli *cli, enum lk_cli_audit_form form)
{
    if (form == LK_CLI_AUDIT_CSV) {
        lk_cli_audit_csv_top(cli);
    } else if (form == LK_CLI_AUDIT_TEXT || form == LK_CLI_AUDIT_WIDE) {
        lk_cli_put(cli->out, "SEQ   AT (UTC)            ACTOR    RESULT ACTION            WHAT\n");
    }
}

static void audit_put(struct lk_cli *cli, const struct lk_audit_entry *entry,
                      enum lk_cli_audit_form form)
{
    switch (form) {
    case LK_CLI_AUDIT_NDJSON: lk_cli_audit_json(cli, entry); break;
    case LK_CLI_AUDIT_CSV: lk_cli_audit_csv(cli, entry); break;
    case LK_CLI_AUDIT_SYSLOG: lk_cli_audit_syslog(cli, entry); break;
    default: audit_line(cli, entry, form == LK_CLI_AUDIT_WIDE); break;
    }
}

int lk_cli_audit_run(struct lk_cli *cli, struct lk_audit_query *query, uint64_t limit,
                     enum lk_cli_audit_form form, struct lk_cli_audit_told *told)
{
    struct lk_audit_entry *entry = &cli->work->record.audit;
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
            told->next = told->last ? told->last : UINT64_MAX; /* all of it open: before any */
            break;
        }
        if (!error) {
            error = lk_cli_keep(cli, &lk_kind_audit, &entry->record);
        }
        if (!error) {
            told->last = entry->seq ? entry->seq : told->last;
            told->count++;
            audit_put(cli, entry, form);
        }
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_cli_audit_damage(struct lk_cli *cli, uint64_t damaged)
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

/* ---- Commands -------------------------------------------------------------------------------- */

int lk_cli_audit_list(struct lk_cli *cli, const struct lk_cli_args *args)
{
    enum lk_cli_audit_form form = cli->json                     ? LK_CLI_AUDIT_NDJSON
                                  : lk_cli_option(args, "wide") ? LK_CLI_AUDIT_WIDE
                                                                : LK_CLI_AUDIT_TEXT;
    struct lk_audit_query query;
    struct lk_cli_audit_told told;
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
        error = lk_cli_audit_query(cli, args, &query);
    }
    if (!error) {
        query.oldest_first = lk_cli_option(args, "reverse") != NULL;
        query.open = true;
        lk_cli_audit_top(cli, form);
        error = lk_cli_audit_run(cli, &query, limit, form, &told);
    }
    if (!error) {
        if (told.next) {
            (void)lk_uint_format(told.next, cursor, sizeof(cursor)); /* 20 digits at most */
        }
        lk_cli_page(cli, told.count, cursor);
        error = lk_cli_audit_damage(cli, told.damaged);
    }
    return error;
}

/* Oldest first, and nothing else: fit for a file. */
int lk_cli_audit_export(struct lk_cli *cli, const struct lk_cli_args *args)
{
    enum lk_cli_audit_form form = LK_CLI_AUDIT_NDJSON;
    struct lk_audit_query query;
    struct lk_cli_audit_told told;
    int error = lk_cli_audit_form(cli, args, &form);

    if (!error) {
        error = lk_cli_begin(cli, LK_READ);
    }
    if (!error) {
        error = lk_cli_audit_query(cli, args, &query);
    }
    if (!error) {
        query.oldest_first = query.open = true;
        lk_cli_audit_top(cli, form);
        error = lk_cli_audit_run(cli, &query, 0, form, &told);
    }
    if (!error && !cli->quiet) {
        lk_cli_put_number(cli->err, told.count);
        lk_cli_put(cli->err, " entries\n");
    }
    return error ? error : lk_cli_audit_damage(cli, told.damaged);
}

/* ---- Head and verification ------------------------------------------------------------------- */

#define AUDIT_HEAD "latchkey-head-1"

void lk_cli_audit_head_format(const struct lk_audit_heads *heads, char out[LK_CLI_AUDIT_HEAD])
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out text;
    char hex[2 * LK_CHAIN_SIZE + 1];
    unsigned ring;

    lk_cli_buffer_out(&text, &buffer, out, LK_CLI_AUDIT_HEAD - 1);
    (void)lk_hex_encode((struct lk_span){heads->store_id, sizeof(heads->store_id)}, hex,
                        sizeof(hex)); /* always 32 characters */
    lk_cli_put(&text, AUDIT_HEAD ":");
    lk_cli_put(&text, hex);
    lk_cli_put(&text, ":");
    lk_cli_put_number(&text, heads->tenant);
    for (ring = 0; ring < LK_RING_COUNT; ring++) {
        (void)lk_hex_encode((struct lk_span){heads->rings[ring].chain, LK_CHAIN_SIZE}, hex,
                            sizeof(hex)); /* likewise */
        lk_cli_put(&text, ":");
        lk_cli_put_number(&text, heads->rings[ring].seq);
        lk_cli_put(&text, ":");
        lk_cli_put(&text, hex);
    }
    out[buffer.size] = '\0';
}

/* Up to the next colon. */
static struct lk_span audit_part(struct lk_span *text)
{
    const uint8_t *colon = text->size ? memchr(text->data, ':', text->size) : NULL;
    struct lk_span part = {text->data, colon ? (size_t)(colon - text->data) : text->size};

    text->data += part.size + (colon ? 1 : 0);
    text->size -= part.size + (colon ? 1 : 0);
    return part;
}

static bool audit_hex(struct lk_span text, uint8_t out[16])
{
    size_t i;

    if (text.size != 32) {
        return false;
    }
    for (i = 0; i < 32; i++) {
        uint8_t c = lk_ascii_lower(text.data[i]);
        uint8_t digit = c >= '0' && c <= '9'   ? (uint8_t)(c - '0')
                        : c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10)
                                               : 255;

        if (digit > 15) {
            return false;
        }
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | digit : digit);
    }
    return true;
}

int lk_cli_audit_head_parse(struct lk_span text, struct lk_audit_heads *heads)
{
    uint64_t tenant;
    unsigned ring;
    bool good;

    memset(heads, 0, sizeof(*heads));
    good = lk_span_equal(audit_part(&text), LK_TEXT(AUDIT_HEAD)) &&
           audit_hex(audit_part(&text), heads->store_id) &&
           !lk_uint_parse(audit_part(&text), &tenant) && tenant <= UINT32_MAX;
    heads->tenant = good ? (uint32_t)tenant : 0;
    for (ring = 0; good && ring < LK_RING_COUNT; ring++) {
        good = !lk_uint_parse(audit_part(&text), &heads->rings[ring].seq) &&
               audit_hex(audit_part(&text), heads->rings[ring].chain);
    }
    return good && !text.size ? 0 : LK_E_USAGE;
}

int lk_cli_audit_head(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_audit_heads heads;
    struct lk_cli_json json;
    char text[LK_CLI_AUDIT_HEAD];
    int error = lk_cli_begin(cli, LK_READ);

    (void)args;
    if (!error) {
        error = lk_audit_heads(&cli->work->txn, cli->tenant, &heads);
    }
    if (error) {
        return error;
    }
    lk_cli_audit_head_format(&heads, text);
    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "head");
        lk_cli_json_text(&json, lk_cli_span(text));
        lk_cli_json_key(&json, "admin");
        lk_cli_json_number(&json, heads.rings[LK_RING_ADMIN].seq);
        lk_cli_json_key(&json, "activity");
        lk_cli_json_number(&json, heads.rings[LK_RING_ACTIVITY].seq);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else {
        lk_cli_put(cli->out, text);
        lk_cli_put(cli->out, "\n");
    }
    return 0;
}

static int audit_on_fault(void *context, const char *what, struct lk_id id)
{
    struct lk_fault_report report = {.what = what, .kind = "audit", .id = id};

    return lk_cli_fault(context, &report);
}

static void audit_verified(struct lk_cli *cli, const struct lk_audit_verify *verify)
{
    struct lk_cli_json json;

    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "entries");
        lk_cli_json_number(&json, verify->entry_count);
        lk_cli_json_key(&json, "faults");
        lk_cli_json_number(&json, verify->fault_count);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        lk_cli_put_number(cli->out, verify->entry_count);
        lk_cli_put(cli->out, " entries: ");
        if (verify->fault_count) {
            lk_cli_put_number(cli->out, verify->fault_count);
            lk_cli_put(cli->out, verify->fault_count == 1 ? " fault\n" : " faults\n");
        } else {
            lk_cli_put(cli->out, verify->head ? "all in order, and none cut since the head\n"
                                              : "all in order\n");
        }
    }
}

int lk_cli_audit_verify(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_audit_verify verify = {
        .tenant = cli->tenant, .on_fault = audit_on_fault, .context = cli};
    const char *text = lk_cli_option(args, "head");
    struct lk_audit_heads heads;
    int error = lk_cli_option_number(cli, args, "from", 0, &verify.from);

    if (!error && text) {
        error = lk_cli_audit_head_parse(lk_cli_span(text), &heads);
        verify.head = &heads;
        if (error) {
            return lk_cli_refuse(cli, error, "head", text, "is not what audit head prints");
        }
    }
    if (!error) {
        error = lk_cli_begin(cli, LK_READ);
    }
    if (!error) {
        error = lk_audit_verify(&cli->work->txn, &verify);
        if (error == LK_E_ARGUMENT) {
            return lk_cli_refuse(cli, LK_E_USAGE, "head", text, "is of another store or tenant");
        }
    }
    if (!error || error == LK_E_FAULTS) {
        audit_verified(cli, &verify);
    }
    return error == LK_E_FAULTS ? LK_EXIT_REFUSED : error;
}
