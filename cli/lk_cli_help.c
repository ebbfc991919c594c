// SPDX-License-Identifier: MIT
/* lk_cli_help.c: help from the tables. */
#include "lk_cli.h"

#include <string.h>

#define HELP_NAMES 13 /* columns of names in a list */

/* The row counts, where a table before it has one of the same words. */
static bool help_counts(const struct lk_cli *cli, const struct lk_cli_command *row)
{
    struct lk_span verb = row->verb ? lk_cli_span(row->verb) : (struct lk_span){NULL, 0};

    return lk_cli_row_offered(cli, row) && lk_cli_find(cli, lk_cli_span(row->noun), verb) == row;
}

void lk_cli_usage(struct lk_cli_out *out, const struct lk_cli_command *row)
{
    const struct lk_cli_option *option;

    lk_cli_put(out, row->noun);
    if (row->verb) {
        lk_cli_put(out, " ");
        lk_cli_put(out, row->verb);
    }
    if (row->args[0]) {
        lk_cli_put(out, " ");
        lk_cli_put(out, row->args);
    }
    for (option = row->options; option && option->name; option++) {
        lk_cli_put(out, " [--");
        lk_cli_put(out, option->name);
        if (option->value) {
            lk_cli_put(out, " ");
            lk_cli_put(out, option->value);
        }
        lk_cli_put(out, "]");
    }
}

static void help_entry(struct lk_cli *cli, const char *name, size_t width, const char *text)
{
    size_t size = strlen(name);
    size_t total = cli->width ? cli->width : 80;

    lk_cli_put(cli->out, "  ");
    lk_cli_put(cli->out, name);
    if (size >= width) {
        lk_cli_put(cli->out, "\n");
        size = 0;
        lk_cli_put_spaces(cli->out, 2);
    }
    lk_cli_put_spaces(cli->out, width - size + 1);
    lk_cli_put_wrapped_on(cli->out, text, width + 3, total - 1);
}

static void help_option(struct lk_cli *cli, const struct lk_cli_option *option)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    char name[48];

    lk_cli_buffer_out(&out, &buffer, name, sizeof(name) - 1);
    lk_cli_put(&out, "--");
    lk_cli_put(&out, option->name);
    if (option->value) {
        lk_cli_put(&out, " ");
        lk_cli_put(&out, option->value);
    }
    name[buffer.size] = '\0';
    help_entry(cli, name, 22, option->help);
}

static void help_options(struct lk_cli *cli, const char *title, const struct lk_cli_option *options)
{
    if (options && options->name) {
        lk_cli_put(cli->out, "\n");
        lk_cli_put(cli->out, title);
        lk_cli_put(cli->out, "\n");
        for (; options->name; options++) {
            help_option(cli, options);
        }
    }
}

/* Fields that the command takes: for a list any that can filter, else those that can be given. */
static void help_fields(struct lk_cli *cli, const struct lk_cli_command *row)
{
    bool filters = row->options == lk_cli_list_options;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    size_t i;

    lk_cli_put(cli->out, filters ? "\nfields to filter by\n" : "\nfields\n");
    for (i = 0; i < row->kind->field_count; i++) {
        const struct lk_field *field = &row->kind->fields[i];
        uint32_t kept = field->flags & (LK_F_SYSTEM | LK_F_COMPUTED);

        if (!lk_cli_field_shown(field) || (kept && !filters) ||
            (filters && (field->type == LK_MAP || field->type == LK_BYTES))) {
            continue;
        }
        if (filters) {
            help_entry(cli, field->name, 22, field->help);
            continue;
        }
        lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
        lk_cli_put(&out, field->help);
        lk_cli_put(&out, " (");
        lk_cli_field_rules(&out, field);
        lk_cli_put(&out, ")");
        buffer.data[buffer.size] = '\0';
        help_entry(cli, field->name, 22, buffer.data);
    }
}

static void help_command(struct lk_cli *cli, const struct lk_cli_command *row)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, "usage: ");
    if (!cli->session) {
        lk_cli_put(&out, cli->program);
        lk_cli_put(&out, " ");
    }
    lk_cli_usage(&out, row);
    buffer.data[buffer.size] = '\0';
    lk_cli_put_wrapped(cli->out, buffer.data, 0, 79);
    lk_cli_put(cli->out, "\n");
    lk_cli_put_wrapped(cli->out, row->help, 0, 79);
    if (row->details) {
        lk_cli_put(cli->out, "\n");
        lk_cli_put_wrapped(cli->out, row->details, 0, 79);
    }
    if (row->resource && !(row->flags & LK_CLI_HOST)) {
        lk_cli_put(cli->out, "\nneeds the permission ");
        lk_cli_put(cli->out, row->resource);
        lk_cli_put(cli->out, ":");
        lk_cli_put(cli->out, row->action);
        lk_cli_put(cli->out, " at a console\n");
    }
    help_options(cli, "options", row->options);
    if (row->flags & LK_CLI_FIELDS) {
        help_fields(cli, row);
    }
}

static void help_noun(struct lk_cli *cli, const char *noun)
{
    const struct lk_cli_command *row;
    size_t i;

    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_same(row->noun, noun) && help_counts(cli, row)) {
            if (row->verb) {
                help_entry(cli, row->verb, HELP_NAMES, row->help);
            } else {
                help_command(cli, row);
            }
        }
    }
}

/* A line for each noun: what one can do with it. */
static void help_overview_noun(struct lk_cli *cli, const struct lk_cli_command *first, size_t at)
{
    const struct lk_cli_command *row;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    size_t i;

    if (!first->verb) {
        help_entry(cli, first->noun, HELP_NAMES, first->help);
        return;
    }
    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    for (i = at; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_same(row->noun, first->noun) && row->verb && help_counts(cli, row)) {
            lk_cli_put(&out, i == at ? "" : " ");
            lk_cli_put(&out, row->verb);
        }
    }
    buffer.data[buffer.size] = '\0';
    help_entry(cli, first->noun, HELP_NAMES, buffer.data);
}

static bool help_noun_is_new(const struct lk_cli *cli, const struct lk_cli_command *row, size_t at)
{
    const struct lk_cli_command *other;
    size_t i;

    for (i = 0; i < at; i++) {
        other = lk_cli_row(cli, i);
        if (lk_cli_same(other->noun, row->noun) && !other->verb == !row->verb &&
            help_counts(cli, other)) {
            return false;
        }
    }
    return true;
}

static void help_overview(struct lk_cli *cli)
{
    const struct lk_cli_command *row;
    size_t i;

    if (!cli->session) {
        lk_cli_put(cli->out, "usage: ");
        lk_cli_put(cli->out, cli->program);
        lk_cli_put(cli->out, " [option...] COMMAND [argument...] [field=value...]\n\n");
    }
    lk_cli_put(cli->out, "commands\n");
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (help_counts(cli, row) && help_noun_is_new(cli, row, i)) {
            help_overview_noun(cli, row, i);
        }
    }
    if (cli->session) {
        lk_cli_put(cli->out, "  logout        end this session (also exit, or ^D)\n");
    }
    help_options(cli, "options of every command", lk_cli_globals);
    if (cli->board_options) {
        for (i = 0; cli->board_options[i].name; i++) {
            help_option(cli, &cli->board_options[i]);
        }
    }
    lk_cli_put(cli->out,
               "\nhelp NOUN VERB tells more. USER is a username, an e-mail address or #number;\n"
               "TIME is RFC 3339 or a span (30m, 12h, 7d); TOKEN may be - for standard input.\n"
               "\nexit status: 0 done, allowed; 1 refused; 2 usage; 3 not found; 4 conflict;\n"
               "5 store failure; 6 locked, try later\n");
}

void lk_cli_help_for(struct lk_cli *cli, const char *noun, const struct lk_cli_command *row)
{
    if (row) {
        help_command(cli, row);
    } else if (noun) {
        help_noun(cli, noun);
    } else {
        help_overview(cli);
    }
}

int lk_cli_help(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *words[2] = {args->words[0], args->words[1]};
    int error;

    if (!args->count) {
        help_overview(cli);
        return 0;
    }
    /* Understood as the command itself would be, so that mistakes are told alike. */
    cli->help = true;
    error = lk_cli_parse(cli, args->count, words, &cli->work->args);
    if (error) {
        return error;
    }
    lk_cli_help_for(cli, cli->noun, cli->command);
    return 0;
}
