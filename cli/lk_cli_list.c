// SPDX-License-Identifier: MIT
/* lk_cli_list.c: pages of records as aligned columns or as JSON, from the kind's table. */
#include "lk_cli.h"

#include <string.h>

#include "lk_cbor.h"
#include "lk_text.h"

#define LIST_LIMIT    50
#define LIST_MEASURED 200 /* records whose values decide the widths of columns */
#define LIST_COLUMNS  12
#define LIST_NARROW   8 /* columns that a value keeps when the terminal is too small */

const struct lk_cli_option lk_cli_list_options[] = {
    {"by", "INDEX", "order of an index; see describe"},
    {"after", "CURSOR", "go on after the page that ended with this"},
    {"limit", "N", "records of a page (50)"},
    {"reverse", NULL, "from the end"},
    {"all", NULL, "everything in one page"},
    {"deleted", NULL, "the removed ones instead"},
    {"columns", "FIELDS", "fields to show, separated by commas"},
    {"wide", NULL, "cut nothing to fit the terminal"},
    {NULL, NULL, NULL},
};

/* What is not a field of the record, but can be a column of it. */
static const struct lk_field list_id = {.name = "id", .type = LK_UINT};
static const struct lk_field list_user = {.name = "user", .type = LK_UINT};

/* What a page of each kind shows when nothing else was asked for. */
static const struct {
    const struct lk_kind *kind;
    const char *columns;
} list_usual[] = {
    {&lk_kind_user, "id,username,email,status,roles,last_login_at"},
    {&lk_kind_tenant, "id,name,display_name,status,user_count"},
    {&lk_kind_role, "id,name,parent,is_active,holder_count,description"},
    {&lk_kind_permission, "id,name,resource,action,description"},
    {&lk_kind_session, "id,user,channel,ip,started_at,expires_at,is_active"},
    {&lk_kind_device, "id,user,name,type,last_seen,trusted"},
    {&lk_kind_credential, "id,type,label,prefix,last_used_at,expires_at"},
};

struct list_view {
    struct lk_cli *cli;
    const struct lk_kind *kind;
    size_t count;
    const struct lk_field *columns[LIST_COLUMNS];
    size_t widths[LIST_COLUMNS];
    bool chosen;    /* the columns were asked for */
    uint64_t limit; /* 0: none */
    char next[LK_CURSOR_SIZE];
};

/* ---- Columns --------------------------------------------------------------------------------- */

static int list_column(struct list_view *view, struct lk_span name)
{
    const struct lk_field *field = lk_field_named(view->kind, name);

    if (lk_span_equal(name, LK_TEXT("id"))) {
        field = &list_id;
    } else if (lk_span_equal(name, LK_TEXT("user")) && view->kind->shape == LK_SHAPE_OF_USER) {
        field = &list_user;
    }
    if (!field || !lk_cli_field_shown(field)) {
        char text[40];
        struct lk_cli_buffer buffer;
        struct lk_cli_out out;

        lk_cli_buffer_out(&out, &buffer, text, sizeof(text) - 1);
        lk_cli_put_text(&out, name);
        text[buffer.size] = '\0';
        return lk_cli_refuse(view->cli, LK_E_USAGE, "columns", text, "is not a field of this kind");
    }
    if (view->count == LIST_COLUMNS) {
        return lk_cli_refuse(view->cli, LK_E_USAGE, "columns", NULL, "are too many at once");
    }
    view->columns[view->count++] = field;
    return 0;
}

static int list_columns(struct list_view *view, const char *names)
{
    int error = 0;
    size_t i;

    for (i = 0; !names && i < sizeof(list_usual) / sizeof(list_usual[0]); i++) {
        if (list_usual[i].kind == view->kind) {
            names = list_usual[i].columns;
        }
    }
    if (!names) {
        error = list_column(view, LK_TEXT("id"));
        for (i = 0; !error && i < view->kind->field_count && view->count < 6; i++) {
            const struct lk_field *field = &view->kind->fields[i];

            if (lk_cli_field_shown(field) && field->type != LK_MAP && field->type != LK_BYTES) {
                view->columns[view->count++] = field;
            }
        }
        return error;
    }
    while (!error && *names) {
        size_t size = strcspn(names, ",");

        if (size) {
            error = list_column(view, (struct lk_span){(const uint8_t *)names, size});
        }
        names += size;
        names += *names == ',';
    }
    return error;
}

/* A value's text, in the cell. */
static struct lk_span list_cell(struct list_view *view, const struct lk_field *field,
                                const struct lk_record *record)
{
    struct lk_cli *cli = view->cli;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell));
    if (field == &list_id) {
        lk_cli_id_text(&out, view->kind, record->id);
    } else if (field == &list_user) {
        lk_cli_ref_text(cli, &out, &lk_kind_user,
                        (struct lk_id){record->id.tenant, record->id.user, 0});
    } else if (field->type == LK_TIME && !lk_cli_field_empty(field, record)) {
        /* Seconds are enough to read, and leave room for the others. */
        lk_cli_put_time(&out, lk_field_number(record, field) / 1000 * 1000);
    } else {
        lk_cli_field_text(cli, &out, field, record);
    }
    return (struct lk_span){(const uint8_t *)buffer.data, buffer.size};
}

static void list_measure(struct list_view *view, const struct lk_record *record)
{
    size_t i;

    for (i = 0; i < view->count; i++) {
        size_t columns = lk_cli_columns(list_cell(view, view->columns[i], record));

        view->widths[i] = columns > view->widths[i] ? columns : view->widths[i];
    }
}

/* Takes from the widest until it fits. */
static void list_fit(struct list_view *view, size_t width)
{
    for (;;) {
        size_t i, widest = 0, total = 2 * (view->count - 1);

        for (i = 0; i < view->count; i++) {
            total += view->widths[i];
            widest = view->widths[i] > view->widths[widest] ? i : widest;
        }
        if (total <= width || view->widths[widest] <= LIST_NARROW) {
            return;
        }
        view->widths[widest]--;
    }
}

static void list_put_cell(struct list_view *view, size_t column, struct lk_span text)
{
    struct lk_cli_out *out = view->cli->out;
    size_t width = view->widths[column], columns = lk_cli_columns(text);
    bool last = column + 1 == view->count;

    if (columns > width) {
        size_t at = 0, passed = 0;

        while (passed < width - 2) {
            at++;
            while (at < text.size && (text.data[at] & 0xC0) == 0x80) {
                at++;
            }
            passed++;
        }
        lk_cli_put_bytes(out, text.data, at);
        lk_cli_put(out, "..");
        columns = width;
    } else {
        lk_cli_put_bytes(out, text.data, text.size);
    }
    if (last) {
        lk_cli_put(out, "\n");
    } else {
        lk_cli_put_spaces(out, width - columns + 2);
    }
}

static void list_heading(struct list_view *view)
{
    size_t i, j;

    for (i = 0; i < view->count; i++) {
        const char *name = view->columns[i]->name;
        char upper[32];

        for (j = 0; j < sizeof(upper) && name[j]; j++) {
            bool small = name[j] >= 'a' && name[j] <= 'z';

            upper[j] = small ? (char)(name[j] - 'a' + 'A') : name[j];
        }
        list_put_cell(view, i, (struct lk_span){(const uint8_t *)upper, j});
    }
}

static void list_row(struct list_view *view, const struct lk_record *record)
{
    size_t i;

    for (i = 0; i < view->count; i++) {
        list_put_cell(view, i, list_cell(view, view->columns[i], record));
    }
}

/* The whole record, or the columns that were asked for. */
static void list_json(struct list_view *view, const struct lk_record *record)
{
    struct lk_cli_json json;
    size_t i;

    if (!view->chosen) {
        lk_cli_show_json(view->cli, view->kind, record);
        return;
    }
    lk_cli_json_begin(&json, view->cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_id_json(view->cli, &json, view->kind, record->id);
    for (i = 0; i < view->count; i++) {
        const struct lk_field *field = view->columns[i];

        if (field != &list_id && field != &list_user) {
            lk_cli_json_key(&json, field->name);
            lk_cli_field_json(view->cli, &json, field, record);
        }
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

/* ---- Filters and options --------------------------------------------------------------------- */

static int list_filter(struct lk_cli *cli, const struct lk_cli_args *args,
                       const struct lk_cli_field *given, struct lk_filter *filter)
{
    struct lk_record *record = &cli->work->other.record;
    const struct lk_field *field = given->field;
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;
    int error;

    *filter = (struct lk_filter){.field = field};
    if (field->type == LK_MAP || field->type == LK_BYTES || field->flags & LK_F_HIDDEN) {
        return lk_cli_refuse(cli, LK_E_USAGE, field->name, NULL, "cannot filter a list");
    }
    if (!given->value.size &&
        (!lk_field_is_number(field) || field->type == LK_TIME || field->type == LK_REF)) {
        return 0;
    }
    memset(record, 0, sizeof(*record));
    record->id.tenant = cli->tenant;
    error = lk_cli_field_parse(cli, args->command->kind, given, record);
    if (error) {
        return error;
    }
    if (lk_field_is_number(field)) {
        filter->number = lk_field_number(record, field);
        return 0;
    }
    filter->span = lk_field_span(record, field);
    if (field->type == LK_REFS) {
        lk_cbor_reader_init(&reader, filter->span);
        if (lk_cbor_read(&reader, &item) || item.number != 1 || lk_cbor_read(&reader, &item)) {
            return lk_cli_refuse(cli, LK_E_USAGE, field->name, NULL,
                                 "filters a list by one at a time");
        }
        filter->number = item.number;
    }
    return 0;
}

static int list_filters(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_list *list)
{
    size_t i;
    int error = 0;

    if (args->field_count > LK_CLI_FILTERS_MAX) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL, "too many filters at once");
    }
    for (i = 0; !error && i < args->field_count; i++) {
        error = list_filter(cli, args, &args->fields[i], &cli->work->filters[i]);
    }
    list->filters = cli->work->filters;
    list->filter_count = args->field_count;
    return error;
}

static int list_index(struct lk_cli *cli, const char *name, struct lk_list *list)
{
    struct lk_cli_nearest nearest;
    size_t i;

    list->index = lk_index_named(list->kind, lk_cli_span(name));
    /* The users' index by last login is kept beside them, with the activity it is about. */
    if (!list->index && list->kind == &lk_kind_user) {
        list->index = lk_index_named(&lk_kind_activity, lk_cli_span(name));
    }
    if (list->index || lk_cli_same(name, "id")) {
        return 0;
    }
    lk_cli_nearest_begin(&nearest, lk_cli_span(name));
    for (i = 0; i < list->kind->index_count; i++) {
        lk_cli_nearest_try(&nearest, list->kind->indexes[i].name);
    }
    if (nearest.best) {
        struct lk_cli_buffer buffer;
        struct lk_cli_out out;

        lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
        lk_cli_put(&out, "is not an index of this kind; did you mean \"");
        lk_cli_put(&out, nearest.best);
        lk_cli_put(&out, "\"?");
        buffer.data[buffer.size] = '\0';
        return lk_cli_refuse(cli, LK_E_USAGE, "by", name, buffer.data);
    }
    return lk_cli_refuse(cli, LK_E_USAGE, "by", name, "is not an index of this kind");
}

static int list_prepare(struct list_view *view, const struct lk_cli_args *args,
                        struct lk_list *list, struct lk_id scope)
{
    struct lk_cli *cli = view->cli;
    const char *by = lk_cli_option(args, "by");
    size_t i;
    int error;

    memset(list, 0, sizeof(*list));
    list->kind = view->kind;
    list->scope = scope;
    list->reverse = lk_cli_option(args, "reverse") != NULL;
    list->deleted = lk_cli_option(args, "deleted") != NULL;
    list->after = lk_cli_option(args, "after");
    error = lk_cli_option_number(cli, args, "limit", LIST_LIMIT, &view->limit);
    if (!error && view->limit == 0) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "limit", "0", "is no page");
    }
    if (lk_cli_option(args, "all")) {
        view->limit = 0;
    }
    if (!error && list->deleted && !(view->kind->flags & LK_K_SOFT_DELETE)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "deleted", NULL,
                              "is not for this kind: it is removed for good");
    }
    if (!error && list->deleted && by) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "by", by, "cannot order the removed");
    }
    if (!error && by) {
        error = list_index(cli, by, list);
    }
    if (!error) {
        error = list_columns(view, lk_cli_option(args, "columns"));
    }
    view->chosen = lk_cli_option(args, "columns") != NULL;
    list->computed = cli->json && !view->chosen;
    for (i = 0; i < view->count; i++) {
        list->computed = list->computed || view->columns[i]->flags & LK_F_COMPUTED;
    }
    return error ? error : list_filters(cli, args, list);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

void lk_cli_page(struct lk_cli *cli, uint64_t count, const char *next)
{
    struct lk_cli_json json;

    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "page");
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "count");
        lk_cli_json_number(&json, count);
        lk_cli_json_key(&json, "next");
        if (next[0]) {
            lk_cli_json_text(&json, lk_cli_span(next));
        } else {
            lk_cli_json_null(&json);
        }
        lk_cli_json_close(&json, '}');
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        lk_cli_put_number(cli->err, count);
        lk_cli_put(cli->err, " shown");
        if (next[0]) {
            lk_cli_put(cli->err, "; more: --after ");
            lk_cli_put(cli->err, next);
        }
        lk_cli_put(cli->err, "\n");
    }
}

/* First pass of a table: widths. */
static int list_widths(struct list_view *view, struct lk_list *list, bool wide)
{
    struct lk_record *record = &view->cli->work->record.record;
    uint64_t most = view->limit && view->limit < LIST_MEASURED ? view->limit : LIST_MEASURED;
    uint64_t count = 0;
    size_t i;
    int error;

    for (i = 0; i < view->count; i++) {
        view->widths[i] = strlen(view->columns[i]->name);
    }
    error = lk_list_begin(&view->cli->work->txn, list);
    while (!error && count < most) {
        error = lk_list_next(list, record);
        if (!error) {
            error = lk_cli_keep(view->cli, view->kind, record);
        }
        if (!error) {
            list_measure(view, record);
            count++;
        }
    }
    lk_list_end(list);
    if (!wide) {
        list_fit(view, view->cli->width ? view->cli->width : 80);
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int list_page(struct list_view *view, struct lk_list *list, bool wide, uint64_t *count)
{
    struct lk_cli *cli = view->cli;
    struct lk_record *record = &cli->work->record.record;
    int error = lk_list_begin(&cli->work->txn, list);

    while (!error && !cli->out->error) {
        error = lk_list_next(list, record);
        if (error) {
            break;
        }
        if (view->limit && *count == view->limit) {
            /* There is one more: the cursor taken after the last one shown leads to it. */
            break;
        }
        view->next[0] = '\0';
        ++*count;
        if (view->limit && *count == view->limit) {
            error = lk_list_cursor(list, view->next);
        }
        if (!error) {
            error = lk_cli_keep(cli, view->kind, record);
        }
        if (!error && cli->json) {
            list_json(view, record);
        } else if (!error) {
            if (wide) {
                list_measure(view, record);
            }
            list_row(view, record);
        }
    }
    if (error == LK_E_NOT_FOUND) {
        view->next[0] = '\0';
        error = 0;
    }
    lk_list_end(list);
    return error;
}

int lk_cli_list(struct lk_cli *cli, const struct lk_cli_args *args, const struct lk_kind *kind,
                struct lk_id scope)
{
    struct list_view view = {.cli = cli, .kind = kind};
    struct lk_list *list = &cli->work->list;
    bool wide = lk_cli_option(args, "wide") != NULL;
    uint64_t count = 0;
    int error = list_prepare(&view, args, list, scope);

    if (!error && !cli->json) {
        error = list_widths(&view, list, wide);
        if (!error) {
            list_heading(&view);
        }
    }
    if (!error) {
        error = list_page(&view, list, wide, &count);
    }
    if (!error) {
        lk_cli_page(cli, count, view.next);
    }
    return error;
}
