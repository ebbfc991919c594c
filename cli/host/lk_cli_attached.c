// SPDX-License-Identifier: MIT
/* lk_cli_attached.c: commands on a device at the other end of a serial line. */
#include <string.h>
#include <unistd.h>

#include "lk_wire.h"

#define ATTACHED_TIMEOUT_S 60

struct attached {
    struct lk_cli *cli;
    const struct lk_cli_args *args;
    const char *device;
    struct lk_wire wire;
    bool logged_in;  /* by us, so that we log out */
    bool logging_in; /* what is asked is asked for that */
    bool claimed;    /* the claim code was given */
    unsigned asked;  /* bits of what a login asked for already, with nobody to ask again */
    char rule[640];  /* of the refusal */
};

/* ---- What went wrong ------------------------------------------------------------------------- */

/* "said nothing in time; waited for the answer to "user list"" */
static int attached_fault(struct attached *job, int error, const char *waited, const char *what)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    if (error != LK_E_IO || !job->wire.fault) {
        return error;
    }
    lk_cli_buffer_out(&out, &buffer, job->rule, sizeof(job->rule) - 1);
    lk_cli_put(&out, job->wire.fault);
    lk_cli_put(&out, "; waited for ");
    lk_cli_put(&out, waited);
    if (what) {
        struct lk_span text = lk_cli_span(what);

        text.size = text.size < 200 ? text.size : 200;
        lk_cli_put(&out, " \"");
        lk_cli_put_text(&out, text);
        lk_cli_put(&out, "\", which may have been done or not");
    }
    job->rule[buffer.size] = '\0';
    return lk_cli_refuse(job->cli, LK_E_IO, "device", job->device, job->rule);
}

static int attached_refuse(struct attached *job, int error, const char *before,
                           const struct lk_wire_text *said, const char *after)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    size_t size = said->size < 100 ? said->size : 100;

    size -= size && said->data[size - 1] == '\n';
    lk_cli_buffer_out(&out, &buffer, job->rule, sizeof(job->rule) - 1);
    lk_cli_put(&out, before);
    lk_cli_put_text(&out, (struct lk_span){(const uint8_t *)said->data, size});
    lk_cli_put(&out, after);
    job->rule[buffer.size] = '\0';
    return lk_cli_refuse(job->cli, error, "device", job->device, job->rule);
}

/* ---- What the device said -------------------------------------------------------------------- */

/* One character off the front; is it one to be made visible? CR may stand before LF. */
static bool attached_drives(const struct lk_cli *cli, struct lk_span left, size_t *size)
{
    uint32_t code;

    *size = lk_cli_utf8(left, &code);
    if (!*size) {
        *size = 1;
        return true;
    }
    if (code == '\n' || (code == '\r' && left.size > 1 && left.data[1] == '\n')) {
        return false;
    }
    return code < 0x20 || (code >= 0x7F && code < 0xA0) ||
           (cli->terminal && lk_cli_drives_terminal(code));
}

/* As it is, but that what could drive a terminal is made visible. */
static void attached_show(struct lk_cli *cli, struct lk_cli_out *out,
                          const struct lk_wire_text *text)
{
    struct lk_span left = {(const uint8_t *)text->data, text->size};
    struct lk_span plain = {left.data, 0};
    size_t size;

    for (; left.size; left.data += size, left.size -= size) {
        size_t i;

        if (!attached_drives(cli, left, &size)) {
            plain.size += size;
            continue;
        }
        lk_cli_put_bytes(out, plain.data, plain.size);
        for (i = 0; i < size; i++) {
            const char shown[4] = {'\\', 'x', "0123456789abcdef"[left.data[i] >> 4],
                                   "0123456789abcdef"[left.data[i] & 15]};

            lk_cli_put_bytes(out, shown, sizeof(shown));
        }
        plain = (struct lk_span){left.data + size, 0};
    }
    lk_cli_put_bytes(out, plain.data, plain.size);
}

static void attached_pass_on(struct attached *job)
{
    attached_show(job->cli, job->cli->out, &job->wire.out);
    attached_show(job->cli, job->cli->err, &job->wire.err);
}

/* ---- Questions ------------------------------------------------------------------------------- */

/* What a login asks for is asked once where it comes from standard input: the next line there may
 * be meant for something else. */
static bool attached_again(struct attached *job)
{
    static const char *const known[] = {"password: ", "new password: ", "code: "};
    unsigned i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (job->wire.prompt.data && lk_cli_same(job->wire.prompt.data, known[i])) {
            break;
        }
    }
    if (job->asked >> i & 1) {
        return true;
    }
    job->asked |= 1u << i;
    return false;
}

/* The next line of standard input, or what a person types at the terminal. */
static int attached_ask(struct attached *job, uint8_t *line, size_t room, struct lk_span *text)
{
    struct lk_cli *cli = job->cli;
    const struct lk_wire_text *asked = &job->wire.prompt;
    bool told = lk_cli_option(job->args, "password-stdin") != NULL;
    bool written = told || !isatty(STDIN_FILENO);
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    char prompt[128];
    int error;

    if (job->logging_in && written && attached_again(job)) {
        return attached_refuse(job, LK_E_CHECK, "did not take what was given: ", &job->wire.err,
                               "");
    }
    lk_cli_buffer_out(&out, &buffer, prompt, sizeof(prompt) - 1);
    lk_cli_put_text(&out, (struct lk_span){(const uint8_t *)asked->data,
                                           asked->size < 100 ? asked->size : 100});
    prompt[buffer.size] = '\0';
    if (!written && job->wire.asks == LK_FRAME_SECRET) {
        attached_show(cli, cli->err, &job->wire.err);
        return lk_cli_secret(cli, prompt, false, lk_cli_same(prompt, "new password: "), 0, text);
    }
    if (job->logging_in && !told) {
        return attached_refuse(job, LK_E_USAGE, "asks for \"", asked,
                               "\": give --password-stdin, or use a terminal");
    }
    error = cli->env->read_line(cli->self, written ? NULL : prompt, line, room, &text->size);
    text->data = line;
    return error == LK_E_NOT_FOUND ? attached_refuse(job, LK_E_USAGE, "asks for \"", asked,
                                                     "\", and standard input has ended")
                                   : error;
}

/* Answers one question of the device. */
static int attached_answer(struct attached *job, const char *about)
{
    struct lk_cli *cli = job->cli;
    struct lk_wire *wire = &job->wire;
    const char *claim = job->logging_in ? lk_cli_option(job->args, "claim") : NULL;
    struct lk_span text = {NULL, 0};
    uint8_t line[LK_WIRE_LINE_MAX];
    int error = 0;

    if (claim && !job->claimed) {
        job->claimed = true;
        text = lk_cli_span(claim);
    } else {
        error = attached_ask(job, line, sizeof(line), &text);
    }
    if (!error) {
        error = lk_wire_say(wire, wire->asks, text.data, text.size);
        if (error == LK_E_USAGE) {
            error = lk_cli_refuse(cli, LK_E_USAGE, "device", job->device,
                                  "cannot be sent control characters, nor what is not UTF-8");
        }
        error = attached_fault(job, error, "the answer to", about);
    }
    lk_cli_wipe(line, sizeof(line));
    lk_cli_wipe(cli->work->secrets, sizeof(cli->work->secrets));
    return error;
}

/* Says a line, and answers what is asked for it. `status` is the command's own. */
static int attached_run(struct attached *job, enum lk_frame_kind kind, const char *line,
                        int *status)
{
    struct lk_wire *wire = &job->wire;
    int error = lk_wire_say(wire, kind, line, strlen(line));

    if (error == LK_E_USAGE) {
        return lk_cli_refuse(job->cli, LK_E_USAGE, "command", line,
                             "has control characters, is not UTF-8, or is too long");
    }
    error = attached_fault(job, error, "the answer to", line);
    while (!error && wire->status < 0) {
        if (wire->asks != LK_FRAME_SECRET && wire->asks != LK_FRAME_LINE) {
            wire->fault = "gave no exit status";
            return attached_fault(job, LK_E_IO, "that of", line);
        }
        if (!job->logging_in) {
            attached_pass_on(job);
        }
        error = attached_answer(job, line);
        if (error && wire->asks) {
            /* The question is dropped, so that the console is of use again. */
            const struct lk_problem problem = job->cli->problem;

            if (!lk_wire_cancel(wire)) {
                job->cli->problem = problem;
            }
        }
    }
    *status = wire->status;
    return error;
}

/* ---- The session ----------------------------------------------------------------------------- */

static int attached_login(struct attached *job)
{
    const char *user = lk_cli_option(job->args, "user");
    const char *tenant = job->cli->tenant_given;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    char name[256];
    int status = 0, error;

    user = user ? user : "admin";
    lk_cli_buffer_out(&out, &buffer, name, sizeof(name) - 1);
    lk_cli_put(&out, tenant ? tenant : "");
    lk_cli_put(&out, tenant ? "/" : "");
    lk_cli_put(&out, user);
    name[buffer.size] = '\0';
    if (!*user || buffer.size == sizeof(name) - 1) {
        return lk_cli_refuse(job->cli, LK_E_USAGE, "user", user, "is no name");
    }
    job->logging_in = true;
    error = attached_run(job, LK_FRAME_NAME, name, &status);
    job->logging_in = false;
    if (!error && status) {
        attached_pass_on(job);
        return status;
    }
    if (!error && job->wire.asks != LK_FRAME_COMMAND) {
        job->wire.fault = "let nobody in";
        return attached_fault(job, LK_E_IO, "a session of", name);
    }
    job->logged_in = !error;
    return error;
}

/* Up to where the console takes commands. */
static int attached_begin(struct attached *job)
{
    bool fresh = lk_cli_option(job->args, "user") || lk_cli_option(job->args, "claim") ||
                 lk_cli_option(job->args, "password-stdin");
    int status, error = attached_fault(job, lk_wire_wake(&job->wire), "its console", NULL);

    if (!error && fresh && job->wire.asks == LK_FRAME_COMMAND) {
        error = attached_run(job, LK_FRAME_COMMAND, "logout", &status);
    }
    if (!error && job->wire.asks == LK_FRAME_NAME) {
        error = attached_login(job);
    }
    return error;
}

static void attached_end(struct attached *job)
{
    if (job->logged_in && job->wire.asks == LK_FRAME_COMMAND) {
        int status;
        const struct lk_problem problem = job->cli->problem;

        /* What was asked for was done; a session that is left ends by itself. */
        (void)attached_run(job, LK_FRAME_COMMAND, "logout", &status);
        job->cli->problem = problem;
    } else if (job->logged_in && job->wire.asks != LK_FRAME_NAME) {
        lk_wire_hang_up(&job->wire);
    }
}

/* ---- Commands -------------------------------------------------------------------------------- */

static int attached_command(struct attached *job, const char *line)
{
    int status = 0, error;

    if (job->wire.asks != LK_FRAME_COMMAND) {
        return lk_cli_refuse(job->cli, LK_E_REFUSED, "device", job->device,
                             "is logged out: no command can follow");
    }
    error = attached_run(job, LK_FRAME_COMMAND, line, &status);
    if (!error) {
        attached_pass_on(job);
    }
    return error ? error : status;
}

/* Words to a line that a console splits into them again. */
static int attached_join(struct attached *job, char *line, size_t room)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    size_t i;

    lk_cli_buffer_out(&out, &buffer, line, room - 1);
    for (i = 1; i < job->args->count; i++) {
        const char *word = job->args->words[i];

        lk_cli_put(&out, i > 1 ? " " : "");
        if (!*word) {
            lk_cli_put(&out, "''");
        }
        while (*word) {
            size_t plain = strcspn(word, " \t'\"");
            size_t quoted = plain ? 0 : *word == '\'' ? strspn(word, "'") : strcspn(word, "'");
            const char *quote = *word == '\'' ? "\"" : "'";

            lk_cli_put(&out, quoted ? quote : "");
            lk_cli_put_bytes(&out, word, plain + quoted);
            lk_cli_put(&out, quoted ? quote : "");
            word += plain + quoted;
        }
    }
    line[buffer.size] = '\0';
    return buffer.size < room - 1 ? 0
                                  : lk_cli_refuse(job->cli, LK_E_USAGE, "command", NULL,
                                                  "is longer than any device takes");
}

static int attached_script(struct attached *job)
{
    struct lk_cli *cli = job->cli;
    char line[LK_WIRE_LINE_MAX];
    int answer = 0;

    while (!answer) {
        size_t size = 0, blank;
        int error = cli->env->read_line(cli->self, NULL, (uint8_t *)line, sizeof(line) - 1, &size);

        if (error == LK_E_NOT_FOUND) {
            break;
        }
        line[error ? 0 : size] = '\0';
        blank = strspn(line, " \t");
        if (error == LK_E_SPACE) {
            answer = lk_cli_refuse(cli, LK_E_USAGE, "command", NULL,
                                   "a line of standard input is longer than any device takes");
        } else if (error) {
            answer = error;
        } else if (line[blank] && line[blank] != '#') {
            answer = attached_command(job, line);
        }
    }
    lk_cli_wipe(line, sizeof(line));
    return answer;
}

static int attached_work(struct attached *job)
{
    bool script = job->args->count == 2 && lk_cli_same(job->args->words[1], "-");
    char line[LK_WIRE_LINE_MAX] = "";
    int answer = script ? 0 : attached_join(job, line, sizeof(line));

    if (!answer && script && isatty(STDIN_FILENO)) {
        answer = lk_cli_refuse(job->cli, LK_E_USAGE, "command", NULL,
                               "- reads a file or a pipe; type commands with a terminal program");
    }
    answer = answer ? answer : attached_begin(job);
    if (!answer) {
        answer = script ? attached_script(job) : attached_command(job, line);
    }
    attached_end(job);
    return answer;
}

int lk_cli_attached(struct lk_cli *cli, const struct lk_cli_args *args)
{
    static struct attached job; /* its texts are large, and the refusal outlives this */
    struct lk_cli_host *host = (struct lk_cli_host *)cli;
    struct lk_cli_host_line line = {.device = args->words[0], .caller = true};
    uint64_t baud, timeout;
    int answer = lk_cli_option_number(cli, args, "baud", 115200, &baud);

    if (!answer) {
        answer = lk_cli_option_number(cli, args, "timeout", ATTACHED_TIMEOUT_S, &timeout);
    }
    if (!answer && (!timeout || timeout > 86400)) {
        answer = lk_cli_refuse(cli, LK_E_USAGE, "timeout", NULL, "is not 1 to 86400 seconds");
    }
    if (!answer && (!baud || baud > UINT32_MAX)) {
        answer = lk_cli_refuse(cli, LK_E_USAGE, "baud", NULL, "is no speed of a line");
    }
    if (answer) {
        return answer;
    }
    line.baud = (uint32_t)baud;
    line.write_ms = (uint32_t)timeout * 1000;
    memset(&job, 0, sizeof(job));
    job.cli = cli;
    job.args = args;
    job.device = args->words[0];
    job.wire.ops = host->ops;
    job.wire.ops_self = cli->self;
    job.wire.timeout_ms = line.write_ms;
    cli->json = job.wire.json = !lk_cli_option(args, "text");
    answer = host->ops->console_open(cli->self, &line, &job.wire.console, &job.wire.self);
    if (!answer) {
        answer = attached_work(&job);
        lk_wire_close(&job.wire);
        host->ops->console_close(cli->self);
    }
    return answer;
}
