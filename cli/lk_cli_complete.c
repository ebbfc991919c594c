// SPDX-License-Identifier: MIT
/* lk_cli_complete.c: which words may come next. */
#include "lk_cli.h"

#include <string.h>

struct complete_job {
    const char *part;
    void (*each)(void *context, const char *word, bool open);
    void *context;
};

static void complete_try(const struct complete_job *job, const char *word, bool open)
{
    if (strncmp(word, job->part, strlen(job->part)) == 0) {
        job->each(job->context, word, open);
    }
}

/* Tables may have the same words twice. */
static bool complete_is_first(const struct lk_cli *cli, size_t at, const char *noun,
                              const char *verb)
{
    size_t i;

    for (i = 0; i < at; i++) {
        const struct lk_cli_command *row = lk_cli_row(cli, i);

        if (lk_cli_row_offered(cli, row) && lk_cli_same(row->noun, noun) &&
            (!verb || (row->verb && lk_cli_same(row->verb, verb)))) {
            return false;
        }
    }
    return true;
}

static void complete_nouns(const struct lk_cli *cli, const struct complete_job *job)
{
    const struct lk_cli_command *row;
    size_t i;

    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_row_offered(cli, row) && complete_is_first(cli, i, row->noun, NULL)) {
            complete_try(job, row->noun, false);
        }
    }
}

static void complete_verbs(const struct lk_cli *cli, const struct complete_job *job,
                           const char *noun)
{
    const struct lk_cli_command *row;
    size_t i;

    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_row_offered(cli, row) && row->verb && lk_cli_same(row->noun, noun) &&
            complete_is_first(cli, i, noun, row->verb)) {
            complete_try(job, row->verb, false);
        }
    }
}

/* An option is completed with its dashes, which the tables leave out. */
static void complete_options(const struct complete_job *job, const struct lk_cli_option *list)
{
    char word[40] = "--";

    for (; list && list->name; list++) {
        if (strlen(list->name) < sizeof(word) - 2) {
            memcpy(word + 2, list->name, strlen(list->name) + 1);
            complete_try(job, word, false);
        }
    }
}

static void complete_fields(const struct complete_job *job, const struct lk_cli_command *row)
{
    bool filters = row->options == lk_cli_list_options;
    char word[40];
    size_t i;

    for (i = 0; i < row->kind->field_count; i++) {
        const struct lk_field *field = &row->kind->fields[i];
        size_t size = strlen(field->name);

        if (lk_cli_field_shown(field) && size < sizeof(word) - 1 &&
            (filters || !(field->flags & (LK_F_SYSTEM | LK_F_COMPUTED)))) {
            memcpy(word, field->name, size);
            word[size] = '=';
            word[size + 1] = '\0';
            complete_try(job, word, true);
        }
    }
}

void lk_cli_complete(const struct lk_cli *cli, size_t count, const char *const *words,
                     const char *part, void (*each)(void *context, const char *word, bool open),
                     void *context)
{
    struct complete_job job = {part, each, context};
    const struct lk_cli_command *row = NULL;
    struct lk_span none = {NULL, 0};

    /* After help come the words of commands. */
    if (count && lk_cli_same(words[0], "help")) {
        words++;
        count--;
    }
    if (!count) {
        complete_nouns(cli, &job);
        return;
    }
    row = lk_cli_find(cli, lk_cli_span(words[0]), none);
    if (row && row->flags & LK_CLI_BY_PATH && (count == 1 || !strchr(words[1], '/'))) {
        row = NULL;
    }
    if (!row && count == 1) {
        complete_verbs(cli, &job, words[0]);
        return;
    }
    if (!row) {
        row = lk_cli_find(cli, lk_cli_span(words[0]), lk_cli_span(words[1]));
    }
    if (row && part[0] == '-') {
        complete_options(&job, row->options);
        complete_options(&job, lk_cli_globals);
    } else if (row && row->flags & LK_CLI_FIELDS) {
        complete_fields(&job, row);
    }
}
