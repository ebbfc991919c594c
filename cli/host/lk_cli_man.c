// SPDX-License-Identifier: MIT
/* lk_cli_man.c: the manual page and the completion script, from the tables. */
#include "lk_cli_host.h"

#include <string.h>

/* Backslashes, hyphens and leading dots mean something else to roff. */
static void man_text(struct lk_cli_out *out, const char *text)
{
    bool start = true;

    for (; *text; text++) {
        if (*text == '\\') {
            lk_cli_put(out, "\\e");
        } else if (*text == '-') {
            lk_cli_put(out, "\\-");
        } else if (start && (*text == '.' || *text == '\'')) {
            lk_cli_put(out, "\\&");
            lk_cli_put_bytes(out, text, 1);
        } else {
            lk_cli_put_bytes(out, text, 1);
        }
        start = *text == '\n';
    }
}

static void man_option(struct lk_cli_out *out, const struct lk_cli_option *option)
{
    lk_cli_put(out, ".TP\n\\fB\\-\\-");
    man_text(out, option->name);
    lk_cli_put(out, "\\fR");
    if (option->value) {
        lk_cli_put(out, " \\fI");
        man_text(out, option->value);
        lk_cli_put(out, "\\fR");
    }
    lk_cli_put(out, "\n");
    man_text(out, option->help);
    lk_cli_put(out, "\n");
}

static void man_fields(struct lk_cli *cli, const struct lk_cli_command *row)
{
    size_t i;

    lk_cli_put(cli->out, ".PP\nFields of a ");
    man_text(cli->out, row->kind->name);
    lk_cli_put(cli->out, ":\n");
    for (i = 0; i < row->kind->field_count; i++) {
        const struct lk_field *field = &row->kind->fields[i];
        struct lk_cli_buffer buffer;
        struct lk_cli_out rules;

        if (!lk_cli_field_shown(field)) {
            continue;
        }
        lk_cli_buffer_out(&rules, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
        lk_cli_field_rules(&rules, field);
        buffer.data[buffer.size] = '\0';
        lk_cli_put(cli->out, ".TP\n\\fB");
        man_text(cli->out, field->name);
        lk_cli_put(cli->out, "\\fR\n");
        man_text(cli->out, field->help);
        lk_cli_put(cli->out, " (");
        man_text(cli->out, buffer.data);
        lk_cli_put(cli->out, ")\n");
    }
}

static bool man_counts(const struct lk_cli *cli, const struct lk_cli_command *row)
{
    struct lk_span verb = row->verb ? lk_cli_span(row->verb) : (struct lk_span){NULL, 0};

    return lk_cli_find(cli, lk_cli_span(row->noun), verb) == row;
}

static void man_command(struct lk_cli *cli, const struct lk_cli_command *row)
{
    const struct lk_cli_option *option;

    lk_cli_put(cli->out, ".SS ");
    man_text(cli->out, row->noun);
    if (row->verb) {
        lk_cli_put(cli->out, " ");
        man_text(cli->out, row->verb);
    }
    lk_cli_put(cli->out, " ");
    man_text(cli->out, row->args);
    lk_cli_put(cli->out, "\n");
    man_text(cli->out, row->help);
    lk_cli_put(cli->out, ".\n");
    if (row->details) {
        man_text(cli->out, row->details);
        lk_cli_put(cli->out, "\n");
    }
    /* Those of lists are told once. */
    for (option = row->options; option != lk_cli_list_options && option && option->name; option++) {
        man_option(cli->out, option);
    }
    if (row->options == lk_cli_list_options) {
        lk_cli_put(cli->out, "Takes the options of lists, below.\n");
    }
    /* Fields once a kind: where records of it are made. */
    if (row->flags & LK_CLI_FIELDS && row->verb && lk_cli_same(row->verb, "add")) {
        man_fields(cli, row);
    }
}

void lk_cli_man(struct lk_cli *cli)
{
    struct lk_cli_out *out = cli->out;
    const struct lk_cli_option *option;
    const struct lk_cli_command *row;
    size_t i;

    lk_cli_put(out, ".TH LATCHKEY 1 \"\" \"latchkey " LK_VERSION "\" \"User Commands\"\n"
                    ".SH NAME\nlatchkey \\- users, sessions and rights of a device\n"
                    ".SH SYNOPSIS\n.B latchkey\n"
                    "[\\fIoption\\fR...] \\fINOUN\\fR \\fIVERB\\fR [\\fIargument\\fR...] "
                    "[\\fIfield\\fR=\\fIvalue\\fR...]\n"
                    ".SH DESCRIPTION\nKeeps the users, credentials, sessions, roles and audit "
                    "trail of a device in one store.\n"
                    "\\fIUSER\\fR is a username, an e\\-mail address or #number. \\fITIME\\fR is "
                    "RFC 3339, or a span from now (30m, 12h, 7d). \\fITOKEN\\fR may be \\- for "
                    "standard input.\nA password or an API key is never an argument.\n"
                    ".SH OPTIONS\n");
    for (option = lk_cli_globals; option->name; option++) {
        man_option(out, option);
    }
    for (option = cli->board_options; option && option->name; option++) {
        man_option(out, option);
    }
    lk_cli_put(out, ".SH COMMANDS\n");
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (man_counts(cli, row)) {
            man_command(cli, row);
        }
    }
    lk_cli_put(out, ".SH OPTIONS OF LISTS\n");
    for (option = lk_cli_list_options; option->name; option++) {
        man_option(out, option);
    }
    lk_cli_put(
        out,
        ".SH EXIT STATUS\n.TP\n0\ndone, allowed\n.TP\n1\nrefused: wrong credentials, dead "
        "session, permission missing, faults found\n.TP\n2\nusage: an unknown word, or a "
        "value of the wrong form\n.TP\n3\nnot found\n.TP\n4\nconflict: a check, a unique "
        "value or a reference\n.TP\n5\nthe store failed: I/O, full, damaged, newer than "
        "this program\n.TP\n6\nlocked: try again later\n"
        ".SH ENVIRONMENT\n.TP\nLATCHKEY_DB\nas \\-\\-db\n.TP\nLATCHKEY_TENANT\nas "
        "\\-\\-tenant\n.TP\nLATCHKEY_SECRET\nas \\-\\-secret\n.TP\nLATCHKEY_STORAGE\nas "
        "\\-\\-storage\n"
        ".SH FLASH IMAGES\n"
        "STORAGE is lmdb:DIR, as \\-\\-db DIR, or flash:IMAGE with any of these, each behind a "
        "comma: sector=SIZE (1K to 256K; 4K), count=N (sectors, 4 to 32767; 256), unit=N "
        "(program unit: 1, 4, 8 or 16 bytes; 4), value=SIZE (of a record at most), at=SIZE "
        "(offset of the part in the image; 0), memory=SIZE and passes=N (what a new password "
        "hash takes, for a device with less memory), lean=1 (a new store lacks the indexes that "
        "only "
        "order lists). SIZE is a number of bytes, or has K or "
        "M behind it. Sector, count and unit of an image that is there are found in it; what "
        "is said of them must agree. The device secret is in IMAGE.secret, or where "
        "\\-\\-secret says. An image is one writer's or several readers' at a time.\n");
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void man_bash_words(struct lk_cli_out *out, const struct lk_cli_option *list)
{
    for (; list && list->name; list++) {
        lk_cli_put(out, " --");
        lk_cli_put(out, list->name);
    }
}

static void man_bash_row(struct lk_cli *cli, const struct lk_cli_command *row)
{
    size_t i;

    lk_cli_put(cli->out, "    '");
    lk_cli_put(cli->out, row->noun);
    if (row->verb) {
        lk_cli_put(cli->out, " ");
        lk_cli_put(cli->out, row->verb);
    }
    lk_cli_put(cli->out,
               row->flags & LK_CLI_BY_PATH ? " '*/*) words=\"$globals" : "') words=\"$globals");
    man_bash_words(cli->out, row->options);
    for (i = 0; row->flags & LK_CLI_FIELDS && i < row->kind->field_count; i++) {
        const struct lk_field *field = &row->kind->fields[i];

        if (lk_cli_field_shown(field) && (row->options == lk_cli_list_options ||
                                          !(field->flags & (LK_F_SYSTEM | LK_F_COMPUTED)))) {
            lk_cli_put(cli->out, " ");
            lk_cli_put(cli->out, field->name);
            lk_cli_put(cli->out, "=");
        }
    }
    lk_cli_put(cli->out, "\" ;;\n");
}

/* Nouns once each, in the order of the tables; with `verbs`, those of commands that have one. */
static bool man_noun_is_new(const struct lk_cli *cli, size_t at, bool verbs)
{
    const char *noun = lk_cli_row(cli, at)->noun;

    while (at--) {
        const struct lk_cli_command *other = lk_cli_row(cli, at);

        if (lk_cli_same(other->noun, noun) && (other->verb || !verbs)) {
            return false;
        }
    }
    return true;
}

static void man_bash_nouns(struct lk_cli *cli)
{
    const struct lk_cli_command *row, *other;
    size_t i, j;

    lk_cli_put(cli->out, "    '') words=\"$globals");
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (man_noun_is_new(cli, i, false)) {
            lk_cli_put(cli->out, " ");
            lk_cli_put(cli->out, row->noun);
        }
    }
    lk_cli_put(cli->out, "\" ;;\n");
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (!row->verb || !man_noun_is_new(cli, i, true)) {
            continue;
        }
        lk_cli_put(cli->out, "    '");
        lk_cli_put(cli->out, row->noun);
        lk_cli_put(cli->out, "') words='");
        for (j = i; (other = lk_cli_row(cli, j)) != NULL; j++) {
            if (other->verb && lk_cli_same(other->noun, row->noun)) {
                lk_cli_put(cli->out, j == i ? "" : " ");
                lk_cli_put(cli->out, other->verb);
            }
        }
        lk_cli_put(cli->out, "' ;;\n");
    }
}

void lk_cli_bash(struct lk_cli *cli)
{
    struct lk_cli_out *out = cli->out;
    const struct lk_cli_option *option;
    const struct lk_cli_command *row;
    bool first = true;
    size_t i;

    lk_cli_put(out, "# bash completion for latchkey; made by: latchkey help --completion bash\n"
                    "_latchkey()\n{\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} command='' nouns=0 word words i\n"
                    "    local globals='");
    for (option = lk_cli_globals; option->name; option++) {
        lk_cli_put(out, option == lk_cli_globals ? "--" : " --");
        lk_cli_put(out, option->name);
    }
    man_bash_words(out, cli->board_options);
    lk_cli_put(out, "'\n"
                    "    # The first two words that are no options make the command.\n"
                    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "        word=${COMP_WORDS[i]}\n"
                    "        case $word in\n"
                    "        --tenant");
    for (option = cli->board_options; option && option->name; option++) {
        if (option->value) {
            lk_cli_put(out, " | --");
            lk_cli_put(out, option->name);
        }
    }
    lk_cli_put(out, ") ((i++)); continue ;;\n"
                    "        -*) continue ;;\n"
                    "        esac\n"
                    "        [[ $command == help ]] && command='' nouns=0\n"
                    "        case $nouns in\n"
                    "        0) command=$word nouns=1 ;;\n"
                    "        1) case $command in\n");
    lk_cli_put(out, "           ");
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (row->verb && man_noun_is_new(cli, i, true)) {
            lk_cli_put(out, first ? "" : " | ");
            lk_cli_put(out, row->noun);
            first = false;
        }
    }
    lk_cli_put(out, ") command+=\" $word\" ;;\n"
                    "           esac\n"
                    "           nouns=2 ;;\n"
                    "        esac\n"
                    "    done\n"
                    "    case $command in\n");
    man_bash_nouns(cli);
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (man_counts(cli, row)) {
            man_bash_row(cli, row);
        }
    }
    lk_cli_put(out, "    *) words=$globals ;;\n"
                    "    esac\n"
                    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                    "    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
                    "}\n"
                    "complete -o default -F _latchkey latchkey\n");
}
