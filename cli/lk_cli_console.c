// SPDX-License-Identifier: MIT
/* lk_cli_console.c: the console of a device. */
#include "lk_cli_console.h"

#include <string.h>

#include "lk_text.h"

#define CONSOLE_PASSWORD_MS 60000 /* for a password, once a name was given */

/* ---- What a command asks of its place -------------------------------------------------------- */

static int console_write(void *context, const void *data, size_t size)
{
    struct lk_cli_console *console = context;

    return lk_frame_put(&console->frame, LK_FRAME_OUT, data, size);
}

static int console_write_error(void *context, const void *data, size_t size)
{
    struct lk_cli_console *console = context;

    return lk_frame_put(&console->frame, LK_FRAME_ERR, data, size);
}

/* What is read next: said to a program, and held against its line. */
static void console_wants(struct lk_cli_console *console, enum lk_frame_kind kind)
{
    console->editor.wanted = kind;
    lk_frame_mark(&console->frame, (char)kind);
}

/* Remembers an end, so that the loop ends too; answers what a command is told. */
static int console_event(struct lk_cli_console *console, enum lk_line_event event)
{
    console->cli->framed = console->editor.frame.framed;
    if (console->cli->framed) {
        lk_frame_begin(&console->frame, console->editor.frame.id);
    }
    if (event == LK_LINE_IDLE || event == LK_LINE_HUNG_UP) {
        console->over = event;
    }
    return event == LK_LINE_DONE ? 0 : LK_E_NOT_FOUND;
}

static uint32_t console_idle(const struct lk_cli_console *console)
{
    return console->idle_ms ? console->idle_ms : LK_CLI_CONSOLE_IDLE_MS;
}

static int console_read_secret(void *self, const char *prompt, uint8_t *out, size_t size,
                               size_t *got)
{
    struct lk_cli_console *console = self;
    int error;

    console_wants(console, LK_FRAME_SECRET);
    error = console_event(
        console, lk_line_secret(&console->editor, prompt,
                                console->cli->session ? console_idle(console) : CONSOLE_PASSWORD_MS,
                                out, size, got));

    return !error && *got == SIZE_MAX ? LK_E_SPACE : error;
}

/* The editor's room holds the words of the command that asks: it is lent, not taken. */
static int console_read_line(void *self, const char *prompt, uint8_t *out, size_t size, size_t *got)
{
    struct lk_cli_console *console = self;
    struct lk_line line = {.console = &lk_frame_console,
                           .self = &console->frame,
                           .text = (char *)out,
                           .capacity = size,
                           .wanted = LK_FRAME_LINE};
    enum lk_line_event event;
    int error;

    console_wants(console, LK_FRAME_LINE);
    event = lk_line_read(&line, prompt ? prompt : "> ", console_idle(console));
    console->editor.after_cr = line.after_cr;
    console->editor.frame = line.frame;
    *got = line.size;
    error = console_event(console, event);
    if (!error && line.frame.framed && line.frame.fault) {
        return LK_E_NOT_FOUND;
    }
    return !error && line.refused ? LK_E_SPACE : error;
}

static int console_confirm(void *self, const char *question)
{
    struct lk_cli_console *console = self;
    uint8_t answer[8];
    size_t size;
    int error;

    if (console->cli->framed) {
        return LK_E_UNSUPPORTED; /* there is nobody to ask */
    }
    lk_line_write(&console->editor, question);
    error = console_read_line(self, " [y/N] ", answer, sizeof(answer), &size);
    return error ? error : size > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

static int console_open(void *self, bool read_only, struct lk_store **store)
{
    struct lk_cli_console *console = self;

    return console->outer->open ? console->outer->open(console->outer_self, read_only, store)
                                : LK_E_UNSUPPORTED;
}

static int console_check_medium(void *self, struct lk_store *store)
{
    struct lk_cli_console *console = self;

    return console->outer->check_medium ? console->outer->check_medium(console->outer_self, store)
                                        : 0;
}

static int console_compact(void *self, struct lk_store *store)
{
    struct lk_cli_console *console = self;

    return console->outer->compact ? console->outer->compact(console->outer_self, store) : 0;
}

static int console_qr(void *self, struct lk_span text, struct lk_cli_out *out, unsigned width)
{
    struct lk_cli_console *console = self;

    return console->outer->qr && !console->cli->framed
               ? console->outer->qr(console->outer_self, text, out, width)
               : LK_E_UNSUPPORTED;
}

/* ---- Completion ------------------------------------------------------------------------------ */

struct console_candidates {
    const char *part;
    size_t count;
    size_t common; /* bytes that all share */
    char word[48]; /* the first */
    bool open;     /* more belongs to it: no blank after it */
    struct lk_cli_console *list;
    size_t column;
};

static void console_candidate(void *context, const char *word, bool open)
{
    struct console_candidates *found = context;
    size_t size = strlen(word);

    if (found->list) {
        size_t width = found->list->cli->width ? found->list->cli->width : 80;

        if (found->column && found->column + 2 + size >= width) {
            lk_line_write(&found->list->editor, "\n");
            found->column = 0;
        }
        lk_line_write(&found->list->editor, found->column ? "  " : "");
        lk_line_write(&found->list->editor, word);
        found->column += size + (found->column ? 2 : 0);
        return;
    }
    if (size >= sizeof(found->word)) {
        return;
    }
    if (!found->count++) {
        memcpy(found->word, word, size + 1);
        found->common = size;
        found->open = open;
        return;
    }
    for (size = 0; size < found->common && word[size] == found->word[size]; size++) {
    }
    found->common = size;
}

static void console_complete(void *context, struct lk_line *line)
{
    struct lk_cli_console *console = context;
    struct console_candidates found;
    const char *words[8];
    char text[256];
    size_t count, size;
    bool fresh;

    if (line->at != line->size || line->at >= sizeof(text)) {
        return;
    }
    memcpy(text, line->text, line->at);
    text[line->at] = '\0';
    fresh = !line->at || text[line->at - 1] == ' ';
    if (lk_line_split(text, words, sizeof(words) / sizeof(words[0]), &count)) {
        return;
    }
    memset(&found, 0, sizeof(found));
    found.part = fresh ? "" : words[--count];
    size = strlen(found.part);
    lk_cli_complete(console->cli, count, words, found.part, console_candidate, &found);
    if (!found.count) {
        return;
    }
    if (found.common > size || found.count == 1) {
        if (lk_line_insert(line, found.word + size, found.common - size) && found.count == 1 &&
            !found.open) {
            (void)lk_line_insert(line, " ", 1); /* the bell has told when there was no room */
        }
        return;
    }
    lk_line_write(line, "\n");
    found.list = console;
    lk_cli_complete(console->cli, count, words, found.part, console_candidate, &found);
    lk_line_redraw(line);
}

/* ---- Login and logout ------------------------------------------------------------------------ */

/* "tenant/name" names a tenant of the store; without one it is --tenant's, the only, or the first.
 */
static uint32_t console_tenant(struct lk_cli *cli, const char **name)
{
    const char *slash = strchr(*name, '/');
    struct lk_record *record = &cli->work->record.record;
    struct lk_id id = {0, 0, 0};
    int error = lk_cli_begin(cli, LK_READ);

    if (error) {
        return 0;
    }
    if (slash && slash != *name) {
        struct lk_span part = {(const uint8_t *)*name, (size_t)(slash - *name)};

        if (!lk_find_tenant(&cli->work->txn, part, &id)) {
            *name = slash + 1;
        }
    }
    if (!id.tenant && cli->tenant_name) {
        error = lk_find_tenant(&cli->work->txn, lk_cli_span(cli->tenant_name), &id);
    } else if (!id.tenant) {
        struct lk_list *list = &cli->work->list;

        memset(list, 0, sizeof(*list));
        list->kind = &lk_kind_tenant;
        if (!lk_list_begin(&cli->work->txn, list) && !lk_list_next(list, record)) {
            id = record->id;
        }
        lk_list_end(list);
    }
    lk_cli_abort(cli);
    return error ? 0 : id.tenant;
}

/* Names for the prompt; a user that is gone already ends the session at the first command. */
static int console_names(struct lk_cli_console *console)
{
    struct lk_cli *cli = console->cli;
    struct lk_cli_session *session = &console->session;
    struct lk_user *user = &cli->work->record.user;
    struct lk_id id = {session->id.tenant, session->id.user, 0};
    const char *tenant;
    int error = lk_cli_begin(cli, LK_READ);

    if (error) {
        return error;
    }
    error = lk_get(&cli->work->txn, &lk_kind_user, id, &user->record);
    if (!error && user->username.size < sizeof(session->user)) {
        memcpy(session->user, user->username.data, user->username.size);
        session->user[user->username.size] = '\0';
    }
    memset(&cli->work->label, 0, sizeof(cli->work->label));
    tenant = lk_cli_tenant_label(cli, id.tenant);
    memcpy(session->tenant, tenant, strlen(tenant) + 1);
    lk_cli_abort(cli);
    return error;
}

static int console_login_as(struct lk_cli_console *console, const char *name)
{
    /* What a refusal is told as: the same for every reason. */
    static const struct lk_cli_command row = {
        .noun = "login", .args = "", .flags = LK_CLI_QUIET_REFUSAL};
    struct lk_cli *cli = console->cli;
    struct lk_login_result result;
    struct lk_cli_login login = {.channel = LK_CHANNEL_CONSOLE};
    int error = lk_cli_open(cli, false);

    cli->command = &row;
    cli->json = cli->json_always;
    cli->quiet = false;
    memset(&cli->problem, 0, sizeof(cli->problem));
    if (!error) {
        login.tenant = console_tenant(cli, &name);
        login.name = name;
        error = lk_cli_login(cli, &login, &result);
    }
    if (error) {
        lk_frame_status(&console->frame, lk_cli_report(cli, error));
    } else {
        memset(&console->session, 0, sizeof(console->session));
        console->session.id = result.session;
        memcpy(console->session.token, result.token, sizeof(result.token));
        error = console_names(console);
    }
    lk_cli_wipe(&result, sizeof(result));
    lk_cli_wipe(cli->work->secrets, sizeof(cli->work->secrets));
    if (!error) {
        cli->session = &console->session;
        lk_frame_status(&console->frame, LK_EXIT_DONE);
    }
    return error;
}

static void console_logout(struct lk_cli_console *console)
{
    struct lk_cli *cli = console->cli;
    struct lk_actor actor = {.tenant = console->session.id.tenant,
                             .user = console->session.id.user,
                             .session = console->session.id.sub,
                             .channel = LK_CHANNEL_CONSOLE};

    if (!console->session.over && !lk_begin(cli->store, &cli->work->txn, LK_WRITE, &actor)) {
        /* One that ended meanwhile is as good as ended now. */
        if (!lk_logout(&cli->work->txn, lk_cli_span(console->session.token))) {
            (void)lk_commit(&cli->work->txn);
        }
        lk_abort(&cli->work->txn);
    }
    cli->session = NULL;
    lk_cli_wipe(&console->session, sizeof(console->session));
    lk_line_forget(&console->editor);
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void console_prompt(struct lk_cli_console *console, char *prompt, size_t size)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    lk_cli_buffer_out(&out, &buffer, prompt, size - 3);
    lk_cli_put_text(&out, lk_cli_span(console->session.user));
    lk_cli_put(&out, "@");
    lk_cli_put_text(&out, lk_cli_span(console->session.tenant));
    memcpy(prompt + buffer.size, "> ", 3);
}

static bool console_is_logout(const char *const *words, size_t count)
{
    return count == 1 && (lk_cli_same(words[0], "logout") || lk_cli_same(words[0], "exit") ||
                          lk_cli_same(words[0], "quit"));
}

/* Tells of a line that is none; answers its status. */
static int console_refuse(struct lk_cli_console *console, enum lk_cli_exit status, const char *rule)
{
    struct lk_cli *cli = console->cli;

    cli->json = cli->json_always;
    cli->command = NULL;
    cli->noun = NULL;
    return lk_cli_report(
        cli, lk_cli_refuse(cli, status == LK_EXIT_USAGE ? LK_E_USAGE : LK_E_IO, NULL, NULL, rule));
}

/* What of the line that was read is no good before anything is done with it; 0: nothing. What is
 * left of one that is too long is another line. */
static int console_line_fault(struct lk_cli_console *console)
{
    const struct lk_line *line = &console->editor;

    console->cli->json_always = line->frame.framed && line->frame.json;
    if (line->refused) {
        return console_refuse(console, LK_EXIT_USAGE, "the line is too long");
    }
    if (line->frame.framed && line->frame.fault) {
        return line->frame.fault == LK_FRAME_DAMAGED
                   ? console_refuse(console, LK_EXIT_STORE, "the line was damaged on its way")
                   : console_refuse(console, LK_EXIT_USAGE, "the line is meant for something else");
    }
    return 0;
}

/* False when the session is to end. */
static bool console_words(struct lk_cli_console *console, int *status)
{
    struct lk_cli *cli = console->cli;
    const char *words[LK_CLI_WORDS_MAX];
    size_t count;
    int error;

    if (!cli->framed) {
        lk_line_remember(&console->editor);
    }
    error = lk_line_split(console->editor.text, words, LK_CLI_WORDS_MAX, &count);
    if (error) {
        *status = console_refuse(console, LK_EXIT_USAGE,
                                 error == LK_E_USAGE ? "a quote is not closed" : "too many words");
        return true;
    }
    if (!count || console_is_logout(words, count)) {
        return !count;
    }
    *status = lk_cli_run(cli, count, words);
    if (*status && !cli->told && !cli->framed) {
        lk_cli_put(cli->err, "error ");
        lk_cli_put_number(cli->err, (uint64_t)*status);
        lk_cli_put(cli->err, "\n");
    }
    return !console->session.over && !console->over;
}

/* The same. */
static bool console_command(struct lk_cli_console *console)
{
    int status = console_line_fault(console);
    bool going = status || console_words(console, &status);

    console->out.error = console->err.error = 0;
    lk_frame_status(&console->frame, status);
    return going;
}

static void console_session(struct lk_cli_console *console)
{
    char prompt[2 * sizeof(console->session.user) + sizeof(console->session.tenant)];
    bool going = true;

    console_prompt(console, prompt, sizeof(prompt));
    console->editor.complete = console_complete;
    while (going) {
        enum lk_line_event event;

        console_wants(console, LK_FRAME_COMMAND);
        event = lk_line_read(&console->editor, prompt, console_idle(console));
        (void)console_event(console, event); /* looked at below */
        going = event == LK_LINE_CANCELLED || (event == LK_LINE_DONE && console_command(console));
    }
    console->editor.complete = NULL;
    if (console->over == LK_LINE_IDLE) {
        lk_line_write(&console->editor, "logged out: nothing was typed for too long\n");
    }
    console_logout(console);
}

static void console_begin(struct lk_cli_console *console)
{
    struct lk_cli *cli = console->cli;

    memset(&console->editor, 0, sizeof(console->editor));
    memset(&console->frame, 0, sizeof(console->frame));
    console->frame.console = console->console;
    console->frame.self = console->console_self;
    console->editor.console = &lk_frame_console;
    console->editor.self = &console->frame;
    console->editor.text = console->line;
    console->editor.capacity = console->line_size;
    console->editor.history = console->history;
    console->editor.history_capacity = console->history_size;
    console->editor.context = console;
    console->out = (struct lk_cli_out){.write = console_write, .context = console};
    console->err = (struct lk_cli_out){.write = console_write_error, .context = console};
    console->outer = cli->env;
    console->outer_self = cli->self;
    memset(&console->env, 0, sizeof(console->env));
    console->env.open = console_open;
    console->env.read_secret = console_read_secret;
    console->env.read_line = console_read_line;
    console->env.confirm = console_confirm;
    console->env.map_parse = cli->env->map_parse;
    console->env.check_medium = console_check_medium;
    console->env.compact = console_compact;
    console->env.qr = console->outer->qr ? console_qr : NULL;
    cli->env = &console->env;
    cli->self = console;
    cli->out = &console->out;
    cli->err = &console->err;
    cli->session = NULL;
    cli->at_console = true;
    cli->board_options = NULL;
    cli->progress = false;
    cli->width = console->console->width ? console->console->width(console->console_self) : 80;
}

int lk_cli_console_run(struct lk_cli_console *console)
{
    bool logged_in = false;

    console_begin(console);
    while (!(console->once && logged_in)) {
        enum lk_line_event event;
        char name[LK_CLI_NAME_MAX + 1];

        int fault;

        console->over = LK_LINE_DONE;
        console_wants(console, LK_FRAME_NAME);
        event = lk_line_read(&console->editor, "latchkey login: ", 0);
        (void)console_event(console, event); /* looked at below */
        if (event == LK_LINE_HUNG_UP || (event == LK_LINE_END && console->once)) {
            break;
        }
        if (event != LK_LINE_DONE) {
            continue;
        }
        console->editor.refused |= console->editor.size >= sizeof(name);
        fault = console_line_fault(console);
        if (fault || !console->editor.size) {
            lk_frame_status(&console->frame, fault);
            continue;
        }
        /* Completion and the next line use the room again. */
        memcpy(name, console->editor.text, console->editor.size + 1);
        if (!console_login_as(console, name)) {
            logged_in = true;
            console_session(console);
        }
        if (console->over == LK_LINE_HUNG_UP) {
            break;
        }
    }
    lk_frame_end(&console->frame);
    return LK_EXIT_DONE;
}
