// SPDX-License-Identifier: MIT
/* lk_cli_secret.c: passwords and tokens in; never out again. */
#include "lk_cli.h"

#include <string.h>

#define SECRET_TRIES 3 /* of a new password that is not good enough */

static int secret_told(struct lk_cli *cli, int error, bool from_stdin)
{
    switch (error) {
    case LK_E_UNSUPPORTED:
        return lk_cli_refuse(cli, LK_E_USAGE, "password", NULL,
                             "there is no terminal to ask on; give --password-stdin");
    case LK_E_NOT_FOUND:
        return lk_cli_refuse(cli, LK_E_USAGE, "password", NULL,
                             from_stdin ? "standard input ended before it"
                                        : "the input ended before it");
    case LK_E_SPACE:
        return lk_cli_refuse(cli, LK_E_CHECK, "password", NULL, "is longer than 128 bytes");
    default: return error;
    }
}

static int secret_ask(struct lk_cli *cli, const char *prompt, unsigned slot, struct lk_span *out)
{
    uint8_t *room = cli->work->secrets[slot];
    size_t size = 0;
    int error = cli->env->read_secret
                    ? cli->env->read_secret(cli->self, prompt, room, LK_CLI_SECRET_MAX, &size)
                    : LK_E_UNSUPPORTED;

    *out = (struct lk_span){room, size};
    return secret_told(cli, error, false);
}

static int secret_line(struct lk_cli *cli, unsigned slot, struct lk_span *out)
{
    uint8_t *room = cli->work->secrets[slot];
    size_t size = 0;
    int error = cli->env->read_line
                    ? cli->env->read_line(cli->self, NULL, room, LK_CLI_SECRET_MAX, &size)
                    : LK_E_UNSUPPORTED;

    *out = (struct lk_span){room, size};
    return error;
}

int lk_cli_secret(struct lk_cli *cli, const char *prompt, bool from_stdin, bool twice,
                  unsigned slot, struct lk_span *secret)
{
    struct lk_span again;
    int error;

    /* A console has no standard input beside the person. */
    if (from_stdin && !cli->session) {
        return secret_told(cli, secret_line(cli, slot, secret), true);
    }
    error = secret_ask(cli, prompt, slot, secret);
    if (error || !twice) {
        return error;
    }
    error = secret_ask(cli, "again: ", !slot, &again);
    if (!error && (again.size != secret->size ||
                   (again.size && memcmp(again.data, secret->data, again.size) != 0))) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "password", NULL, "the two are not the same");
    }
    lk_cli_wipe(cli->work->secrets[!slot], LK_CLI_SECRET_MAX);
    return error;
}

int lk_cli_token(struct lk_cli *cli, const char *word, struct lk_span *token)
{
    int error = 0;

    if (!lk_cli_same(word, "-")) {
        *token = lk_cli_span(word);
        return 0;
    }
    error = cli->session ? secret_ask(cli, "token: ", 0, token) : secret_line(cli, 0, token);
    if (error == LK_E_NOT_FOUND || error == LK_E_UNSUPPORTED) {
        return lk_cli_refuse(cli, LK_E_USAGE, "token", NULL, "standard input holds none");
    }
    if (error == LK_E_SPACE) {
        return lk_cli_refuse(cli, LK_E_REFUSED, NULL, NULL, "refused");
    }
    while (token->size &&
           (token->data[token->size - 1] == ' ' || token->data[token->size - 1] == '\r')) {
        token->size--;
    }
    return error;
}

/* A person gets some tries at a password that the rules allow. */
static int secret_new_password(struct lk_cli *cli, struct lk_login_request *request,
                               struct lk_login_result *result)
{
    int tries, error = LK_E_MUST_CHANGE;

    for (tries = 0; tries < SECRET_TRIES && error == LK_E_MUST_CHANGE; tries++) {
        struct lk_span again;

        if (tries && cli->problem.rule) {
            lk_cli_put(cli->err, "the new password ");
            lk_cli_put(cli->err, cli->problem.rule);
            lk_cli_put(cli->err, "\n");
        } else if (!tries) {
            lk_cli_put(cli->err, "a new password must be set\n");
        }
        error = secret_ask(cli, "new password: ", 1, &request->new_password);
        if (error) {
            return error;
        }
        /* The second copy goes where no secret is, and is wiped with the other values. */
        error = cli->env->read_secret(cli->self, "again: ", cli->work->values, LK_CLI_SECRET_MAX,
                                      &again.size);
        if (!error && (again.size != request->new_password.size ||
                       memcmp(cli->work->values, request->new_password.data, again.size) != 0)) {
            error = LK_E_MUST_CHANGE;
            lk_cli_put(cli->err, "the two are not the same\n");
            cli->problem.rule = NULL;
        } else if (!error) {
            error = lk_login(cli->store, request, result, &cli->problem);
        }
        lk_cli_wipe(cli->work->values, LK_CLI_SECRET_MAX);
    }
    return error;
}

int lk_cli_login(struct lk_cli *cli, const struct lk_cli_login *login,
                 struct lk_login_result *result)
{
    struct lk_login_request request = {
        .tenant = login->tenant,
        .tenant_name = lk_cli_span(login->tenant_name ? login->tenant_name : ""),
        .name = lk_cli_span(login->name),
        .device_cookie = login->device_cookie,
        .channel = login->channel,
        .device_name = lk_cli_span(login->remember ? login->remember : ""),
        .remember_device = login->remember != NULL,
        .hash_work = cli->hash_work,
        .hash_work_size = cli->hash_work_size,
    };
    struct lk_span second = {NULL, 0};
    int error;

    error = lk_cli_secret(cli, "password: ", login->from_stdin, false, 0, &request.password);
    if (!error && login->from_stdin) {
        error = secret_line(cli, 1, &second);
        if (error == LK_E_NOT_FOUND) {
            second.size = 0;
            error = 0;
        }
        error = secret_told(cli, error, true);
    }
    if (error) {
        return error;
    }
    error = lk_login(cli->store, &request, result, &cli->problem);
    if (error != LK_E_MUST_CHANGE) {
        return error;
    }
    if (!login->from_stdin) {
        return secret_new_password(cli, &request, result);
    }
    if (second.size) {
        request.new_password = second;
        return lk_login(cli->store, &request, result, &cli->problem);
    }
    return lk_cli_refuse(cli, LK_E_MUST_CHANGE, "password", NULL,
                         "must be changed: give the new one as the second line");
}
