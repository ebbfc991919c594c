// SPDX-License-Identifier: MIT
/* lk_cli_args.c: words to a command of the table, with its arguments, fields and options. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

const struct lk_cli_option lk_cli_globals[] = {
    {"tenant", "NAME", "tenant to work in; may be left out where the store has one"},
    {"json", NULL, "one JSON object a line"},
    {"quiet", NULL, "no more than what was asked for"},
    {"help", NULL, "tell about the command instead"},
    {NULL, NULL, NULL},
};

/* ---- The tables ------------------------------------------------------------------------------ */

const struct lk_cli_command *lk_cli_row(const struct lk_cli *cli, size_t n)
{
    const struct lk_cli_command *const *table;
    const struct lk_cli_command *row;

    for (table = cli->tables; *table; table++) {
        for (row = *table; row->noun; row++) {
            if (!n--) {
                return row;
            }
        }
    }
    return NULL;
}

bool lk_cli_row_offered(const struct lk_cli *cli, const struct lk_cli_command *row)
{
    return !cli->session || !(row->flags & LK_CLI_HOST);
}

static bool args_is(struct lk_span word, const char *name)
{
    return lk_span_equal(word, lk_cli_span(name));
}

const struct lk_cli_command *lk_cli_find(const struct lk_cli *cli, struct lk_span noun,
                                         struct lk_span verb)
{
    const struct lk_cli_command *row;
    size_t i;

    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_row_offered(cli, row) && args_is(noun, row->noun) &&
            (row->verb ? args_is(verb, row->verb) : verb.size == 0)) {
            return row;
        }
    }
    return NULL;
}

/* ---- The nearest word ------------------------------------------------------------------------ */

#define NEAREST_MAX 24

/* Edits (insert, delete, replace, swap neighbours) from one word to the other. */
static size_t args_distance(struct lk_span a, struct lk_span b)
{
    uint8_t rows[3][NEAREST_MAX + 1];
    size_t i, j;

    if (a.size > NEAREST_MAX || b.size > NEAREST_MAX) {
        return NEAREST_MAX;
    }
    for (j = 0; j <= b.size; j++) {
        rows[0][j] = (uint8_t)j;
    }
    for (i = 1; i <= a.size; i++) {
        uint8_t *now = rows[i % 3];
        const uint8_t *last = rows[(i + 2) % 3];
        const uint8_t *before = rows[(i + 1) % 3];

        now[0] = (uint8_t)i;
        for (j = 1; j <= b.size; j++) {
            bool same = lk_ascii_lower(a.data[i - 1]) == lk_ascii_lower(b.data[j - 1]);
            uint8_t best = (uint8_t)(last[j - 1] + !same);

            if (last[j] + 1 < best) {
                best = (uint8_t)(last[j] + 1);
            }
            if (now[j - 1] + 1 < best) {
                best = (uint8_t)(now[j - 1] + 1);
            }
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1] && before[j - 2] + 1 < best) {
                best = (uint8_t)(before[j - 2] + 1);
            }
            now[j] = best;
        }
    }
    return rows[a.size % 3][b.size];
}

void lk_cli_nearest_begin(struct lk_cli_nearest *nearest, struct lk_span word)
{
    /* At most a third of the word may differ, else the guess is no help. */
    *nearest = (struct lk_cli_nearest){.word = word, .distance = word.size / 3 + 1};
    if (nearest->distance > 3) {
        nearest->distance = 3;
    }
}

void lk_cli_nearest_try(struct lk_cli_nearest *nearest, const char *candidate)
{
    struct lk_span other = lk_cli_span(candidate);
    size_t distance = args_distance(nearest->word, other);

    /* A word that was begun and not ended is near, too. */
    if (nearest->word.size >= 2 && other.size > nearest->word.size &&
        memcmp(other.data, nearest->word.data, nearest->word.size) == 0) {
        distance = 1;
    }
    if (distance < nearest->distance || (!nearest->best && distance == nearest->distance)) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}

/* ---- Refusals -------------------------------------------------------------------------------- */

/* Rules are built in the cell, which no command uses yet. */
static int args_unknown(struct lk_cli *cli, const char *field, const char *given, const char *rule,
                        const struct lk_cli_nearest *nearest)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    if (!nearest->best) {
        return lk_cli_refuse(cli, LK_E_USAGE, field, given, rule);
    }
    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, rule);
    lk_cli_put(&out, "; did you mean \"");
    lk_cli_put(&out, given[0] == '-' ? "--" : "");
    lk_cli_put(&out, nearest->best);
    lk_cli_put(&out, "\"?");
    buffer.data[buffer.size] = '\0';
    return lk_cli_refuse(cli, LK_E_USAGE, field, given, buffer.data);
}

static int args_no_noun(struct lk_cli *cli, const char *word)
{
    const struct lk_cli_command *row;
    struct lk_cli_nearest nearest;
    size_t i;

    lk_cli_nearest_begin(&nearest, lk_cli_span(word));
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_row_offered(cli, row)) {
            lk_cli_nearest_try(&nearest, row->noun);
        }
    }
    return args_unknown(cli, NULL, word, "is not a command", &nearest);
}

static int args_no_verb(struct lk_cli *cli, const char *noun, const char *word)
{
    const struct lk_cli_command *row;
    struct lk_cli_nearest nearest;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    size_t i;

    cli->noun = noun;
    if (word) {
        lk_cli_nearest_begin(&nearest, lk_cli_span(word));
        for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
            if (lk_cli_row_offered(cli, row) && lk_cli_same(row->noun, noun)) {
                lk_cli_nearest_try(&nearest, row->verb ? row->verb : "");
            }
        }
        if (nearest.best) {
            return args_unknown(cli, NULL, word, "is not a command of it", &nearest);
        }
    }
    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, word ? "is none of" : "say what to do:");
    for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
        if (lk_cli_row_offered(cli, row) && lk_cli_same(row->noun, noun) && row->verb) {
            lk_cli_put(&out, " ");
            lk_cli_put(&out, row->verb);
        } else if (lk_cli_row_offered(cli, row) && lk_cli_same(row->noun, noun)) {
            lk_cli_put(&out, " PATH");
        }
    }
    buffer.data[buffer.size] = '\0';
    return lk_cli_refuse(cli, LK_E_USAGE, NULL, word, buffer.data);
}

static int args_count_refused(struct lk_cli *cli, const struct lk_cli_command *row,
                              const char *rule, const char *given)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, rule);
    lk_cli_put(&out, "; usage: ");
    lk_cli_usage(&out, row);
    buffer.data[buffer.size] = '\0';
    return lk_cli_refuse(cli, LK_E_USAGE, NULL, given, buffer.data);
}

/* ---- Options --------------------------------------------------------------------------------- */

static const struct lk_cli_option *args_option_in(const struct lk_cli_option *list,
                                                  struct lk_span name)
{
    for (; list && list->name; list++) {
        if (args_is(name, list->name)) {
            return list;
        }
    }
    return NULL;
}

static void args_option_try(struct lk_cli_nearest *nearest, const struct lk_cli_option *list)
{
    for (; list && list->name; list++) {
        lk_cli_nearest_try(nearest, list->name);
    }
}

static int args_option_take(struct lk_cli *cli, struct lk_cli_args *args,
                            const struct lk_cli_option *option, const char *value)
{
    if (args_option_in(cli->board_options, lk_cli_span(option->name)) == option) {
        int error = cli->env->option(cli->self, option->name, value);

        return error ? lk_cli_refuse(cli, error, option->name, value, "is not usable here") : 0;
    }
    if (option == &lk_cli_globals[0]) {
        cli->tenant_given = value;
    } else if (option == &lk_cli_globals[1]) {
        cli->json = true;
    } else if (option == &lk_cli_globals[2]) {
        cli->quiet = true;
    } else if (option == &lk_cli_globals[3]) {
        cli->help = true;
    } else if (args->option_count == LK_CLI_OPTIONS_MAX) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL, "too many options");
    } else {
        args->options[args->option_count++] = (struct lk_cli_given){option, value};
    }
    return 0;
}

/* `next` is the word after it, which it may need; `took` tells whether it did. */
static int args_option_parse(struct lk_cli *cli, struct lk_cli_args *args, const char *word,
                             const char *next, bool *took)
{
    const char *equals = strchr(word, '=');
    struct lk_span name = {(const uint8_t *)word + 2,
                           (equals ? (size_t)(equals - word) : strlen(word)) - 2};
    const struct lk_cli_option *own = args->command ? args->command->options : NULL;
    const struct lk_cli_option *option = args_option_in(own, name);

    option = option ? option : args_option_in(lk_cli_globals, name);
    option = option ? option : args_option_in(cli->board_options, name);
    *took = false;
    if (!option) {
        struct lk_cli_nearest nearest;

        lk_cli_nearest_begin(&nearest, name);
        args_option_try(&nearest, own);
        args_option_try(&nearest, lk_cli_globals);
        args_option_try(&nearest, cli->board_options);
        if (args_is(name, "password") || args_is(name, "token") || args_is(name, "secret")) {
            /* What was given with it is a secret: not told again. */
            return lk_cli_refuse(cli, LK_E_USAGE, "option", NULL,
                                 "a secret is never an argument; see --password-stdin");
        }
        return args_unknown(cli, NULL, word, "is not an option of this command", &nearest);
    }
    if (!option->value) {
        return equals ? lk_cli_refuse(cli, LK_E_USAGE, option->name, NULL, "takes no value")
                      : args_option_take(cli, args, option, "");
    }
    if (equals) {
        return args_option_take(cli, args, option, equals + 1);
    }
    if (!next) {
        return lk_cli_refuse(cli, LK_E_USAGE, option->name, NULL, "needs a value");
    }
    *took = true;
    return args_option_take(cli, args, option, next);
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static bool args_is_key(const char *word)
{
    size_t i;

    for (i = 0; word[i] && word[i] != '='; i++) {
        char c = word[i];

        if (!(c == '_' || c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (i && c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return i && word[i] == '=';
}

static bool args_is_secret_key(struct lk_span key)
{
    static const char *const keys[] = {"password", "passwd", "pass", "pwd",    "passphrase",
                                       "secret",   "pin",    "hash", "api_key"};
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (lk_text_equal_fold(key, lk_cli_span(keys[i]))) {
            return true;
        }
    }
    return false;
}

static int args_field(struct lk_cli *cli, struct lk_cli_args *args, const char *word)
{
    const struct lk_kind *kind = args->command->kind;
    size_t size = strcspn(word, "=");
    struct lk_span key = {(const uint8_t *)word, size};
    const struct lk_field *field = lk_field_named(kind, key);
    size_t i;

    if (!field || field->flags & LK_F_SECRET) {
        struct lk_cli_nearest nearest;
        struct lk_cli_buffer buffer;
        struct lk_cli_out out;
        char name[40];

        if (args_is_secret_key(key)) {
            return lk_cli_refuse(cli, LK_E_USAGE, "password", NULL,
                                 "a secret is never an argument, which others can see; it is "
                                 "asked for, or read by --password-stdin");
        }
        lk_cli_buffer_out(&out, &buffer, name, sizeof(name) - 1);
        lk_cli_put_text(&out, key);
        name[buffer.size] = '\0';
        lk_cli_nearest_begin(&nearest, key);
        for (i = 0; i < kind->field_count; i++) {
            if (!(kind->fields[i].flags & (LK_F_SECRET | LK_F_HIDDEN))) {
                lk_cli_nearest_try(&nearest, kind->fields[i].name);
            }
        }
        return args_unknown(cli, "field", name, "is not a field of this kind", &nearest);
    }
    for (i = 0; i < args->field_count; i++) {
        if (args->fields[i].field == field) {
            return lk_cli_refuse(cli, LK_E_USAGE, field->name, NULL, "is given twice");
        }
    }
    if (args->field_count == sizeof(args->fields) / sizeof(args->fields[0])) {
        return lk_cli_refuse(cli, LK_E_USAGE, "field", NULL, "too many fields at once");
    }
    args->fields[args->field_count].field = field;
    args->fields[args->field_count].value = lk_cli_span(word + size + 1);
    args->field_count++;
    return 0;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static int args_word(struct lk_cli *cli, struct lk_cli_args *args, const char **noun,
                     const char *word)
{
    struct lk_span none = LK_TEXT("");
    const struct lk_cli_command *row = args->command;
    size_t i;

    if (!row && !*noun) {
        *noun = word;
        row = lk_cli_find(cli, lk_cli_span(word), none);
        if (row && !(row->flags & LK_CLI_BY_PATH)) {
            args->command = row;
            return 0;
        }
        for (i = 0; (row = lk_cli_row(cli, i)) != NULL; i++) {
            if (lk_cli_row_offered(cli, row) && lk_cli_same(row->noun, word)) {
                *noun = cli->noun = row->noun;
                return 0;
            }
        }
        return args_no_noun(cli, word);
    }
    if (!row) {
        bool path = strchr(word, '/') != NULL;

        args->command =
            *word ? lk_cli_find(cli, lk_cli_span(*noun), path ? none : lk_cli_span(word)) : NULL;
        if (args->command && path) {
            args->words[args->count++] = word;
        }
        return args->command ? 0 : args_no_verb(cli, *noun, word);
    }
    /* An e-mail address may hold '=': what must come first is never taken for a field. */
    if (row->flags & LK_CLI_FIELDS && args->count >= row->min_args && args_is_key(word)) {
        return args_field(cli, args, word);
    }
    if (args->count >= row->max_args || args->count == LK_CLI_WORDS_MAX) {
        if (args_is_key(word) &&
            args_is_secret_key((struct lk_span){(const uint8_t *)word, strcspn(word, "=")})) {
            return lk_cli_refuse(cli, LK_E_USAGE, "password", NULL,
                                 "a secret is never an argument, which others can see");
        }
        return args_count_refused(cli, row, "is one word too many", word);
    }
    args->words[args->count++] = word;
    return 0;
}

static bool args_is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2];
}

int lk_cli_parse(struct lk_cli *cli, size_t count, const char *const *words,
                 struct lk_cli_args *args)
{
    const char *noun = NULL;
    bool plain = false;
    size_t i;
    int error = 0;

    memset(args, 0, sizeof(*args));
    cli->command = NULL;
    cli->noun = NULL;
    for (i = 0; !error && i < count; i++) {
        const char *word = words[i];
        bool took = false;

        if (!plain && lk_cli_same(word, "--")) {
            plain = true;
        } else if (!plain && lk_cli_same(word, "-h")) {
            cli->help = true;
        } else if (!plain && args_is_option(word)) {
            error = args_option_parse(cli, args, word, i + 1 < count ? words[i + 1] : NULL, &took);
            i += took;
        } else if (!plain && word[0] == '-' && word[1] && args->command &&
                   !(args->command->flags & LK_CLI_FIELDS)) {
            error = lk_cli_refuse(cli, LK_E_USAGE, NULL, word,
                                  "is not an option of this command; they begin with --");
        } else {
            error = args_word(cli, args, &noun, word);
        }
        cli->command = args->command;
        plain = plain || (args->command && args->command->flags & LK_CLI_BY_PATH &&
                          args->count >= args->command->min_args);
    }
    if (error || cli->help) {
        return error;
    }
    if (!args->command) {
        return noun ? args_no_verb(cli, noun, NULL)
                    : lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL, "a command is missing; try help");
    }
    if (args->count < args->command->min_args) {
        return args_count_refused(cli, args->command, "something is missing", NULL);
    }
    return 0;
}

const char *lk_cli_option_at(const struct lk_cli_args *args, const char *name, size_t n)
{
    size_t i;

    for (i = 0; i < args->option_count; i++) {
        if (lk_cli_same(args->options[i].option->name, name) && !n--) {
            return args->options[i].value;
        }
    }
    return NULL;
}

const char *lk_cli_option(const struct lk_cli_args *args, const char *name)
{
    const char *value = NULL, *next;
    size_t n = 0;

    while ((next = lk_cli_option_at(args, name, n++)) != NULL) {
        value = next;
    }
    return value;
}

int lk_cli_option_number(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                         uint64_t initial, uint64_t *number)
{
    const char *value = lk_cli_option(args, name);

    *number = initial;
    if (value && lk_uint_parse(lk_cli_span(value), number)) {
        return lk_cli_refuse(cli, LK_E_USAGE, name, value, "is not a whole number");
    }
    return 0;
}

int lk_cli_option_time(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                       uint64_t *ms)
{
    const char *value = lk_cli_option(args, name);

    *ms = 0;
    if (value && lk_time_parse(lk_cli_span(value), lk_now(&cli->work->txn), ms)) {
        return lk_cli_refuse(cli, LK_E_USAGE, name, value,
                             "is not a time (RFC 3339, or a span like 30m, 12h, 7d)");
    }
    return 0;
}

int lk_cli_option_past(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                       uint64_t *ms)
{
    const char *value = lk_cli_option(args, name);
    char back[24] = "-";

    if (value && strlen(value) < sizeof(back) - 1) {
        memcpy(back + 1, value, strlen(value) + 1);
        if (!lk_time_parse(lk_cli_span(back), lk_now(&cli->work->txn), ms)) {
            return 0;
        }
    }
    return lk_cli_option_time(cli, args, name, ms);
}
