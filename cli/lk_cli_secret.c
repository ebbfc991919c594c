// SPDX-License-Identifier: MIT
/* lk_cli_secret.c: passwords and tokens in; never out again. */
#include "lk_cli.h"

#include <string.h>

#define SECRET_TRIES 3 /* of a new password that is not good enough, or a first code */

enum { SECRET_NEW = 1, SECRET_CODE = 2 }; /* slots of a login, beside the password's */

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
    /* A program's line has a checksum. */
    if (error || !twice || cli->framed) {
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
        error = secret_ask(cli, "new password: ", SECRET_NEW, &request->new_password);
        if (error) {
            return error;
        }
        /* The second copy goes where no secret is, and is wiped with the other values. */
        again.size = request->new_password.size;
        if (cli->framed) {
            memcpy(cli->work->values, request->new_password.data, again.size);
        } else {
            error = cli->env->read_secret(cli->self, "again: ", cli->work->values,
                                          LK_CLI_SECRET_MAX, &again.size);
        }
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

/* The next line of standard input; empty where there is none. */
static int secret_next_line(struct lk_cli *cli, unsigned slot, struct lk_span *line)
{
    int error = secret_line(cli, slot, line);

    if (error == LK_E_NOT_FOUND) {
        line->size = 0;
        return 0;
    }
    return secret_told(cli, error, true);
}

static int secret_change(struct lk_cli *cli, const struct lk_cli_login *login,
                         struct lk_login_request *request, struct lk_login_result *result)
{
    int error;

    if (!login->from_stdin) {
        return secret_new_password(cli, request, result);
    }
    error = secret_next_line(cli, SECRET_NEW, &request->new_password);
    if (!error && !request->new_password.size) {
        return lk_cli_refuse(cli, LK_E_MUST_CHANGE, "password", NULL,
                             "must be changed: give the new one as the next line");
    }
    return error ? error : lk_login(cli->store, request, result, &cli->problem);
}

/* ---- Codes ---- */

int lk_cli_code(struct lk_cli *cli, const char *word, struct lk_span *code)
{
    int error;

    if (!lk_cli_same(word, "-")) {
        *code = lk_cli_span(word);
        return 0;
    }
    error = cli->session ? secret_ask(cli, "code: ", SECRET_CODE, code)
                         : secret_line(cli, SECRET_CODE, code);
    if (error == LK_E_NOT_FOUND || error == LK_E_UNSUPPORTED) {
        return lk_cli_refuse(cli, LK_E_USAGE, "code", NULL, "standard input holds none");
    }
    return error == LK_E_SPACE ? lk_cli_refuse(cli, LK_E_USAGE, "code", NULL, "is too long")
                               : error;
}

/* A person who must have a second factor and has none is shown one, which a code then makes good.
 */
static int secret_enrol(struct lk_cli *cli, struct lk_login_request *request,
                        struct lk_login_result *result)
{
    struct lk_totp_offer offer;
    int tries, error;

    offer.uri[0] = '\0'; /* of what is not offered nothing is written */
    request->enrol = &offer;
    error = lk_login(cli->store, request, result, &cli->problem);
    request->enrol = NULL;
    if (error == LK_E_SECOND_FACTOR && offer.uri[0]) {
        lk_cli_put(cli->err, "a second factor must be set up: let an authenticator read this, "
                             "which is shown once, then type its code\n");
        error = lk_cli_offer(cli, cli->err, &offer, cli->at_console || cli->progress);
        error = error ? error : LK_E_REFUSED;
        for (tries = 0; tries < SECRET_TRIES && error == LK_E_REFUSED; tries++) {
            if (tries) {
                lk_cli_put(cli->err, "that was not its code\n");
            }
            error = secret_ask(cli, "code: ", SECRET_CODE, &request->code);
            if (!error) {
                error = lk_login(cli->store, request, result, &cli->problem);
            }
        }
    }
    lk_cli_wipe(&offer, sizeof(offer));
    return error;
}

static int secret_code(struct lk_cli *cli, const struct lk_cli_login *login,
                       struct lk_login_request *request, struct lk_login_result *result)
{
    bool enrol = lk_cli_same(cli->problem.field, "second_factor");
    int error;

    if (login->from_stdin) {
        error = enrol ? 0 : secret_next_line(cli, SECRET_CODE, &request->code);
        if (error || request->code.size) {
            return error ? error : lk_login(cli->store, request, result, &cli->problem);
        }
        if (lk_cli_same(cli->problem.rule, "is needed")) {
            cli->problem.rule = "is needed: give it by --totp, or as the next line";
        } else if (lk_cli_same(cli->problem.rule, "must be enrolled")) {
            cli->problem.rule = "must be enrolled: log in on a terminal, or have one added";
        }
        return LK_E_SECOND_FACTOR;
    }
    if (enrol) {
        return secret_enrol(cli, request, result);
    }
    error = secret_ask(cli, "code: ", SECRET_CODE, &request->code);
    return error ? error : lk_login(cli->store, request, result, &cli->problem);
}

static void secret_tell_left(struct lk_cli *cli, const struct lk_login_result *result)
{
    if (result->factor == LK_FACTOR_RECOVERY && !cli->quiet) {
        lk_cli_put_number(cli->err, result->codes_left);
        lk_cli_put(cli->err, result->codes_left == 1 ? " recovery code is left\n"
                                                     : " recovery codes are left\n");
    }
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
    int error = lk_cli_secret(cli, "password: ", login->from_stdin, false, 0, &request.password);

    if (!error && login->code) {
        error = lk_cli_code(cli, login->code, &request.code);
    }
    if (!error) {
        error = lk_login(cli->store, &request, result, &cli->problem);
    }
    if (error == LK_E_MUST_CHANGE) {
        error = secret_change(cli, login, &request, result);
    }
    if (error == LK_E_SECOND_FACTOR) {
        error = secret_code(cli, login, &request, result);
    }
    if (!error) {
        secret_tell_left(cli, result);
    }
    return error;
}
