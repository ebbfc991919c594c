// SPDX-License-Identifier: MIT
/* lk_cli_approve.c: what a console asks for where the right alone does not do. */
#include "lk_cli.h"

#include <string.h>

/* ---- A second person ------------------------------------------------------------------------- */

static int approve_name(struct lk_cli *cli, struct lk_span *name)
{
    uint8_t *room = cli->work->values;
    size_t size = 0;
    int error = cli->env->read_line ? cli->env->read_line(cli->self, "approver: ", room, 255, &size)
                                    : LK_E_UNSUPPORTED;

    *name = (struct lk_span){room, size};
    if (error == LK_E_UNSUPPORTED || error == LK_E_NOT_FOUND || (!error && !size)) {
        return lk_cli_refuse(cli, LK_E_APPROVAL, NULL, NULL, "nobody approved");
    }
    return error == LK_E_SPACE ? lk_cli_refuse(cli, LK_E_USAGE, "approver", NULL, "is too long")
                               : error;
}

int lk_cli_approve(struct lk_cli *cli)
{
    struct lk_login_request request = {
        .tenant = cli->session->id.tenant,
        .channel = LK_CHANNEL_CONSOLE,
        .hash_work = cli->hash_work,
        .hash_work_size = cli->hash_work_size,
    };
    struct lk_question question = {.resource = lk_cli_span(cli->command->resource),
                                   .action = lk_cli_span(cli->command->action)};
    int error;

    lk_cli_put(cli->err, "a second person must approve this\n");
    error = approve_name(cli, &request.name);
    if (!error) {
        error = lk_cli_secret(cli, "password: ", false, false, 0, &request.password);
    }
    if (!error) {
        error = lk_approve(cli->store, &request, cli->session->id.user, &question, &cli->approval,
                           &cli->problem);
    }
    if (error == LK_E_SECOND_FACTOR && lk_cli_same(cli->problem.field, "code")) {
        error = lk_cli_code(cli, "-", &request.code);
        if (!error) {
            error = lk_approve(cli->store, &request, cli->session->id.user, &question,
                               &cli->approval, &cli->problem);
        }
    }
    lk_cli_wipe(cli->work->secrets, sizeof(cli->work->secrets));
    if (error == LK_E_REFUSED && !cli->problem.rule) {
        error = lk_cli_refuse(cli, error, NULL, NULL, "approval refused");
    }
    return error;
}

/* ---- A newer login --------------------------------------------------------------------------- */

/* The session before it is over: one at a console is enough. */
static void approve_end(struct lk_cli *cli, const struct lk_cli_session *session)
{
    struct lk_actor actor = {.tenant = session->id.tenant,
                             .user = session->id.user,
                             .session = session->id.sub,
                             .channel = LK_CHANNEL_CONSOLE};

    if (!lk_begin(cli->store, &cli->work->txn, LK_WRITE, &actor)) {
        /* A new password has ended it already. */
        if (!lk_logout(&cli->work->txn, lk_cli_span(session->token))) {
            (void)lk_commit(&cli->work->txn); /* else it ends by itself, in its time */
        }
        lk_abort(&cli->work->txn);
    }
}

int lk_cli_step_up(struct lk_cli *cli)
{
    struct lk_cli_session *session = cli->session;
    struct lk_cli_login login = {
        .tenant = session->id.tenant, .name = session->user, .channel = LK_CHANNEL_CONSOLE};
    struct lk_login_result result;
    int error;

    lk_cli_put(cli->err, "this needs a newer login: log in again, ");
    lk_cli_put_text(cli->err, lk_cli_span(session->user));
    lk_cli_put(cli->err, "\n");
    error = lk_cli_login(cli, &login, &result);
    lk_cli_wipe(cli->work->secrets, sizeof(cli->work->secrets));
    if (!error) {
        approve_end(cli, session);
        session->id = result.session;
        memcpy(session->token, result.token, sizeof(result.token));
    } else if (error == LK_E_REFUSED) {
        error = lk_cli_refuse(cli, error, NULL, NULL, "login refused");
    }
    lk_cli_wipe(&result, sizeof(result));
    return error;
}
