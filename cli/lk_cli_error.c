// SPDX-License-Identifier: MIT
/* lk_cli_error.c: what went wrong, in one line, and the exit status that stands for it. */
#include "lk_cli.h"

#include <string.h>

static const struct {
    int error;
    uint8_t status;
    const char *name;
} errors[] = {
    {LK_OK, LK_EXIT_DONE, "ok"},
    {LK_E_ARGUMENT, LK_EXIT_USAGE, "argument"},
    {LK_E_SPACE, LK_EXIT_USAGE, "space"},
    {LK_E_STATE, LK_EXIT_STORE, "state"},
    {LK_E_USAGE, LK_EXIT_USAGE, "usage"},
    {LK_E_NOT_FOUND, LK_EXIT_NOT_FOUND, "not_found"},
    {LK_E_FULL, LK_EXIT_STORE, "full"},
    {LK_E_TOO_BIG, LK_EXIT_CONFLICT, "too_big"},
    {LK_E_CORRUPT, LK_EXIT_STORE, "corrupt"},
    {LK_E_IO, LK_EXIT_STORE, "io"},
    {LK_E_BUSY, LK_EXIT_STORE, "busy"},
    {LK_E_NEWER, LK_EXIT_STORE, "newer"},
    {LK_E_READ_ONLY, LK_EXIT_STORE, "read_only"},
    {LK_E_EXISTS, LK_EXIT_CONFLICT, "exists"},
    {LK_E_UNSUPPORTED, LK_EXIT_USAGE, "unsupported"},
    {LK_E_CHECK, LK_EXIT_CONFLICT, "check"},
    {LK_E_CONFLICT, LK_EXIT_CONFLICT, "conflict"},
    {LK_E_REFERENCE, LK_EXIT_CONFLICT, "reference"},
    {LK_E_LIMIT, LK_EXIT_CONFLICT, "limit"},
    {LK_E_REFUSED, LK_EXIT_REFUSED, "refused"},
    {LK_E_LOCKED, LK_EXIT_LOCKED, "locked"},
    {LK_E_MUST_CHANGE, LK_EXIT_CONFLICT, "must_change"},
    {LK_E_FAULTS, LK_EXIT_REFUSED, "faults"},
    {LK_E_SECOND_FACTOR, LK_EXIT_REFUSED, "second_factor"},
    {LK_E_APPROVAL, LK_EXIT_REFUSED, "approval"},
    {LK_E_STEP_UP, LK_EXIT_REFUSED, "step_up"},
    {LK_E_ENTROPY, LK_EXIT_STORE, "entropy"},
    {LK_E_CRYPTO, LK_EXIT_STORE, "crypto"},
    {LK_E_SECRET, LK_EXIT_STORE, "secret"},
    {LK_E_ROLLBACK, LK_EXIT_STORE, "rollback"},
};

int lk_cli_exit_of(int error)
{
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (errors[i].error == error) {
            return errors[i].status;
        }
    }
    return LK_EXIT_STORE;
}

const char *lk_cli_error_name(int error)
{
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (errors[i].error == error) {
            return errors[i].name;
        }
    }
    return "unknown";
}

int lk_cli_refuse(struct lk_cli *cli, int error, const char *field, const char *given,
                  const char *rule)
{
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    memset(&cli->problem, 0, sizeof(cli->problem));
    cli->problem.error = error;
    cli->problem.field = field;
    cli->problem.rule = rule;
    if (given) {
        lk_cli_buffer_out(&out, &buffer, cli->problem.given, sizeof(cli->problem.given) - 1);
        lk_cli_put_text(&out, lk_cli_span(given));
        /* A cut inside a character would leave half of it. */
        while (buffer.size && strlen(given) > buffer.size &&
               (cli->problem.given[buffer.size - 1] & 0x80)) {
            buffer.size--;
        }
        cli->problem.given[buffer.size] = '\0';
    }
    return error;
}

static void error_wait(struct lk_cli_out *out, const struct lk_problem *problem)
{
    lk_cli_put(out, "; try again in ");
    lk_cli_put_number(out, problem->wait_s);
    lk_cli_put(out, problem->wait_s == 1 ? " second" : " seconds");
}

/* "email: "al@" is not an e-mail address", or the error's own sentence; `name_field` where no
 * member tells the field. */
static void error_message(struct lk_cli_out *out, const struct lk_problem *problem, bool name_field)
{
    if (problem->field && name_field) {
        lk_cli_put(out, problem->field);
        lk_cli_put(out, ": ");
    }
    if (problem->given[0]) {
        lk_cli_put(out, "\"");
        lk_cli_put_text(out, lk_cli_span(problem->given));
        lk_cli_put(out, "\" ");
    } else if (problem->error == LK_E_REFERENCE && (problem->id.sub || problem->id.user)) {
        /* The field is the kind of the record that refers. */
        lk_cli_put(out, "#");
        lk_cli_put_number(out, problem->id.sub ? problem->id.sub : problem->id.user);
        lk_cli_put(out, " ");
    }
    lk_cli_put(out, problem->rule ? problem->rule : lk_strerror(problem->error));
    if (problem->error == LK_E_LOCKED && problem->wait_s) {
        error_wait(out, problem);
    }
}

static void error_doing(struct lk_cli *cli)
{
    if (cli->command) {
        lk_cli_put(cli->err, cli->command->noun);
        if (cli->command->verb) {
            lk_cli_put(cli->err, " ");
            lk_cli_put(cli->err, cli->command->verb);
        }
        lk_cli_put(cli->err, ": ");
    } else if (cli->noun) {
        lk_cli_put(cli->err, cli->noun);
        lk_cli_put(cli->err, ": ");
    }
}

static void error_json(struct lk_cli *cli, const struct lk_problem *problem)
{
    char message[240];
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;
    struct lk_cli_json json;

    lk_cli_buffer_out(&out, &buffer, message, sizeof(message));
    error_message(&out, problem, false);
    lk_cli_json_begin(&json, cli->err);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "error");
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "code");
    lk_cli_json_text(&json, lk_cli_span(lk_cli_error_name(problem->error)));
    if (problem->field) {
        lk_cli_json_key(&json, "field");
        lk_cli_json_text(&json, lk_cli_span(problem->field));
    }
    lk_cli_json_key(&json, "message");
    lk_cli_json_text(&json, (struct lk_span){(const uint8_t *)message, buffer.size});
    if (problem->error == LK_E_LOCKED) {
        lk_cli_json_key(&json, "wait_s");
        lk_cli_json_number(&json, problem->wait_s);
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

int lk_cli_report(struct lk_cli *cli, int error)
{
    struct lk_problem problem = cli->problem;
    int status = lk_cli_exit_of(error);

    cli->told = true;
    if (problem.error != error) {
        problem = *lk_problem(&cli->work->txn);
    }
    if (problem.error != error) {
        memset(&problem, 0, sizeof(problem));
        problem.error = error;
    }
    if (error == LK_E_REFUSED && cli->command && cli->command->flags & LK_CLI_QUIET_REFUSAL) {
        memset(&problem, 0, sizeof(problem));
        problem.error = error;
        problem.rule = "login refused";
        if (!cli->json) {
            lk_cli_put(cli->err, "login refused\n");
            return status;
        }
    }
    if (cli->json) {
        error_json(cli, &problem);
        return status;
    }
    if (cli->at_console) {
        lk_cli_put(cli->err, "error ");
        lk_cli_put_number(cli->err, (uint64_t)status);
    } else {
        lk_cli_put(cli->err, cli->program);
    }
    lk_cli_put(cli->err, ": ");
    error_doing(cli);
    error_message(cli->err, &problem, true);
    lk_cli_put(cli->err, "\n");
    return status;
}
