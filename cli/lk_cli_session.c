// SPDX-License-Identifier: MIT
/* lk_cli_session.c: logins, sessions and credentials. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

/* ---- Logins ---------------------------------------------------------------------------------- */

/* A device's cookie to where the password does not go; what is too long is none. */
static int session_cookie(struct lk_cli *cli, const char *word, struct lk_span *cookie)
{
    struct lk_span given;
    int error = lk_cli_token(cli, word, &given);

    *cookie = (struct lk_span){NULL, 0};
    if (!error && given.size < sizeof(cli->work->token)) {
        memcpy(cli->work->token, given.data, given.size);
        *cookie = (struct lk_span){(const uint8_t *)cli->work->token, given.size};
    }
    return error;
}

int lk_cli_login_command(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_cli_login login = {
        .name = args->words[0],
        .from_stdin = lk_cli_option(args, "password-stdin") != NULL,
        .code = lk_cli_option(args, "totp"),
        .channel = LK_CHANNEL_CLI,
        .remember = lk_cli_option(args, "remember"),
    };
    const char *cookie = lk_cli_option(args, "device");
    struct lk_login_result result;
    int error = lk_cli_find_tenant(cli);

    /* A tenant that is not there is answered like a name that is not there. */
    if (error == LK_E_NOT_FOUND && (cli->tenant_given || cli->tenant_name)) {
        cli->tenant = 0;
        login.tenant_name = cli->tenant_given ? cli->tenant_given : cli->tenant_name;
        error = 0;
    }
    login.tenant = cli->tenant;
    if (!error && cookie) {
        error = session_cookie(cli, cookie, &login.device_cookie);
    }
    if (!error) {
        error = lk_cli_login(cli, &login, &result);
    }
    if (!error) {
        if (cli->json) {
            struct lk_cli_json json;

            lk_cli_json_begin(&json, cli->out);
            lk_cli_json_open(&json, '{');
            lk_cli_json_key(&json, "token");
            lk_cli_json_text(&json, lk_cli_span(result.token));
            lk_cli_json_key(&json, "expires_at");
            lk_cli_json_time(&json, result.expires_at);
            if (login.remember) {
                lk_cli_json_key(&json, "device_cookie");
                lk_cli_json_text(&json, lk_cli_span(result.device_cookie));
            }
            lk_cli_json_close(&json, '}');
            lk_cli_json_end(&json);
        } else {
            lk_cli_put(cli->out, result.token);
            lk_cli_put(cli->out, "\n");
            if (login.remember) {
                lk_cli_put(cli->err, result.device_cookie);
                lk_cli_put(cli->err, "\n");
            }
        }
    }
    lk_cli_wipe(&result, sizeof(result));
    return error;
}

static int session_logout(struct lk_cli *cli, struct lk_span token)
{
    struct lk_verdict verdict;
    struct lk_id tenant;
    int error = lk_cli_begin(cli, LK_WRITE);

    /* A tenant named limits the token to it. */
    if (!error && cli->tenant_given) {
        error = lk_cli_tenant(cli, cli->tenant_given, &tenant);
        if (!error) {
            error = lk_session_check(&cli->work->txn, tenant.tenant, token, NULL, &verdict);
        }
    }
    if (!error) {
        error = lk_logout(&cli->work->txn, token);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_logout(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_span token;
    int error = lk_cli_token(cli, args->words[0], &token);

    return error ? error : session_logout(cli, token);
}

/* ---- Session check --------------------------------------------------------------------------- */

static void session_line(struct lk_cli *cli, const char *name)
{
    lk_cli_put(cli->out, name);
    lk_cli_put(cli->out, ":");
    lk_cli_put_spaces(cli->out, 14 - strlen(name));
}

static void session_time(struct lk_cli *cli, const char *name, uint64_t ms)
{
    session_line(cli, name);
    if (ms) {
        lk_cli_put_time(cli->out, ms);
    } else {
        lk_cli_put(cli->out, "-");
    }
    lk_cli_put(cli->out, "\n");
}

static void session_times_json(struct lk_cli_json *json, const struct lk_verdict *verdict)
{
    static const char *const names[] = {"started_at", "last_activity", "expires_at",
                                        "idle_ends_at"};
    const uint64_t times[] = {verdict->started_at, verdict->last_activity, verdict->expires_at,
                              verdict->idle_ends_at};
    size_t i;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        lk_cli_json_key(json, names[i]);
        lk_cli_json_time(json, times[i]);
    }
}

static const char *session_channel(enum lk_channel channel)
{
    const struct lk_field *field = lk_field_named(&lk_kind_session, LK_TEXT("channel"));

    return field->choices[channel];
}

/* Whose field "roles" tells the roles that count: of an API key its own, where it is limited. */
static int session_roles(struct lk_cli *cli, const struct lk_verdict *verdict,
                         const struct lk_field **field)
{
    struct lk_record *record = &cli->work->record.record;
    const struct lk_kind *kind = verdict->api_key ? &lk_kind_credential : &lk_kind_user;
    int error = 0;

    if (verdict->api_key) {
        error = lk_get(&cli->work->txn, kind, verdict->id, record);
        *field = lk_field_named(kind, LK_TEXT("roles"));
        if (!error && lk_cli_field_empty(*field, record)) {
            kind = &lk_kind_user;
        }
    }
    if (!error && kind == &lk_kind_user) {
        error = lk_get(&cli->work->txn, kind,
                       (struct lk_id){verdict->id.tenant, verdict->id.user, 0}, record);
        *field = lk_field_named(kind, LK_TEXT("roles"));
    }
    return error ? error : lk_cli_keep(cli, kind, record);
}

static void session_print_json(struct lk_cli *cli, const struct lk_verdict *verdict,
                               const struct lk_field *roles)
{
    struct lk_cli_json json;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_id_json(cli, &json, verdict->api_key ? &lk_kind_credential : &lk_kind_session,
                   verdict->id);
    lk_cli_json_key(&json, "user_id");
    lk_cli_json_number(&json, verdict->id.user);
    lk_cli_json_key(&json, "type");
    lk_cli_json_text(&json, verdict->api_key ? LK_TEXT("api_key") : LK_TEXT("session"));
    lk_cli_json_key(&json, "channel");
    lk_cli_json_text(&json, lk_cli_span(session_channel(verdict->channel)));
    lk_cli_json_key(&json, "roles");
    lk_cli_field_json(cli, &json, roles, &cli->work->record.record);
    if (!verdict->api_key) {
        lk_cli_json_key(&json, "factors");
        lk_cli_json_number(&json, verdict->factors);
    }
    session_times_json(&json, verdict);
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

static int session_print(struct lk_cli *cli, const struct lk_verdict *verdict)
{
    const struct lk_field *roles = NULL;
    int error = session_roles(cli, verdict, &roles);

    if (error || cli->json) {
        if (!error) {
            session_print_json(cli, verdict, roles);
        }
        return error;
    }
    session_line(cli, "user");
    lk_cli_ref_text(cli, cli->out, &lk_kind_user,
                    (struct lk_id){verdict->id.tenant, verdict->id.user, 0});
    lk_cli_put(cli->out, " (#");
    lk_cli_put_number(cli->out, verdict->id.user);
    lk_cli_put(cli->out, ")\n");
    session_line(cli, "tenant");
    lk_cli_put_text(cli->out, lk_cli_span(lk_cli_tenant_label(cli, verdict->id.tenant)));
    lk_cli_put(cli->out, "\n");
    session_line(cli, "roles");
    lk_cli_field_text(cli, cli->out, roles, &cli->work->record.record);
    lk_cli_put(cli->out, "\n");
    session_line(cli, verdict->api_key ? "api_key" : "session");
    lk_cli_id_text(cli->out, verdict->api_key ? &lk_kind_credential : &lk_kind_session,
                   verdict->id);
    lk_cli_put(cli->out, "\n");
    session_line(cli, "channel");
    lk_cli_put(cli->out, session_channel(verdict->channel));
    lk_cli_put(cli->out, "\n");
    if (!verdict->api_key) {
        session_line(cli, "factors");
        lk_cli_put_number(cli->out, verdict->factors);
        lk_cli_put(cli->out, "\n");
    }
    session_time(cli, "started_at", verdict->started_at);
    session_time(cli, "last_activity", verdict->last_activity);
    session_time(cli, "expires_at", verdict->expires_at);
    session_time(cli, "idle_ends_at", verdict->idle_ends_at);
    return 0;
}

/* The use seen is noted in a transaction of its own: the check itself stays a reader. */
static int session_touch(struct lk_cli *cli, const struct lk_verdict *verdict)
{
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_session_touch(&cli->work->txn, verdict);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_session_check(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *permission = lk_cli_option(args, "permission");
    struct lk_question question;
    struct lk_span token;
    struct lk_verdict verdict;
    struct lk_id tenant = {0, 0, 0};
    uint8_t ip[16];
    int error = permission ? lk_cli_pair(cli, permission, &question.resource, &question.action) : 0;

    if (!error) {
        error = lk_cli_token(cli, args->words[0], &token);
    }
    if (!error) {
        error = lk_cli_begin(cli, LK_READ);
    }
    if (!error && cli->session) {
        tenant = cli->session->id;
    } else if (!error && cli->tenant_given) {
        error = lk_cli_tenant(cli, cli->tenant_given, &tenant);
    }
    if (!error) {
        error = lk_session_check(&cli->work->txn, tenant.tenant, token, NULL, &verdict);
    }
    if (!error && permission) {
        /* The owner is somebody of the token's tenant. */
        cli->tenant = verdict.id.tenant;
        error = lk_cli_question(cli, args, permission, ip, &question);
        if (!error) {
            error =
                lk_session_check(&cli->work->txn, verdict.id.tenant, token, &question, &verdict);
        }
    }
    if (!error && !cli->quiet) {
        error = session_print(cli, &verdict);
    }
    lk_cli_abort(cli);
    if (!error && verdict.touch_due && !lk_cli_option(args, "no-touch")) {
        error = session_touch(cli, &verdict);
    }
    return error;
}

/* ---- Sessions -------------------------------------------------------------------------------- */

int lk_cli_session_list(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id = {cli->tenant, 0, 0};
    int error = lk_cli_begin(cli, LK_READ);

    if (!error && args->count) {
        error = lk_cli_user(cli, args->words[0], &id);
    }
    return error ? error : lk_cli_list(cli, args, &lk_kind_session, id);
}

/* "7.3": user and number, as the list shows it. */
static int session_id(struct lk_cli *cli, const char *text, struct lk_id *id)
{
    const char *dot = strchr(text, '.');
    struct lk_span user = {(const uint8_t *)text, dot ? (size_t)(dot - text) : 0};
    uint64_t numbers[2];

    if (!dot || lk_uint_parse(user, &numbers[0]) ||
        lk_uint_parse(lk_cli_span(dot + 1), &numbers[1]) || !numbers[0] || !numbers[1] ||
        numbers[0] > UINT32_MAX || numbers[1] > UINT32_MAX) {
        return lk_cli_refuse(cli, LK_E_USAGE, "session", text,
                             "is not an id of a session, as session list shows it (7.3)");
    }
    *id = (struct lk_id){cli->tenant, (uint32_t)numbers[0], (uint32_t)numbers[1]};
    return 0;
}

int lk_cli_session_end(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id = {0, 0, 0};
    int error = session_id(cli, args->words[0], &id);

    if (!error) {
        error = lk_cli_begin(cli, LK_WRITE);
    }
    if (!error) {
        error = lk_session_end(&cli->work->txn, id);
        if (error == LK_E_NOT_FOUND) {
            return lk_cli_refuse(cli, error, "session", args->words[0], "does not exist");
        }
    }
    return error ? error : lk_cli_commit(cli);
}

/* The session that --except names, of this user (0: of anybody in the tenant). */
static int session_except(struct lk_cli *cli, struct lk_id user, struct lk_span token,
                          struct lk_id *keep)
{
    struct lk_verdict verdict;
    int error = lk_session_check(&cli->work->txn, user.tenant, token, NULL, &verdict);

    if (!error && (verdict.api_key || (user.user && verdict.id.user != user.user))) {
        error = lk_cli_refuse(cli, LK_E_REFUSED, "except", NULL, "is not a session of this user");
    }
    if (!error) {
        *keep = verdict.id;
    }
    return error;
}

static void session_tell_ended(struct lk_cli *cli, bool everyone, int ended)
{
    struct lk_cli_json json;

    if (cli->quiet) {
        return;
    }
    if (cli->json) {
        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, everyone ? "everyone" : "ended");
        if (everyone) {
            lk_cli_json_bool(&json, true);
        } else {
            lk_cli_json_number(&json, (uint64_t)ended);
        }
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (everyone) {
        lk_cli_put(cli->out, "every session of the tenant ended\n");
    } else {
        lk_cli_put_number(cli->out, (uint64_t)ended);
        lk_cli_put(cli->out, ended == 1 ? " session ended\n" : " sessions ended\n");
    }
}

int lk_cli_session_end_all(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *except = lk_cli_option(args, "except");
    bool everyone = lk_cli_option(args, "everyone") != NULL;
    struct lk_id id = {cli->tenant, 0, 0}, keep = {0, 0, 0};
    struct lk_span token;
    int ended = 0, error = 0;

    if (everyone == (args->count != 0)) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL, "takes USER, or --everyone");
    }
    if (except) {
        error = lk_cli_token(cli, except, &token);
    }
    if (!error) {
        error = lk_cli_begin(cli, LK_WRITE);
    }
    if (!error && !everyone) {
        error = lk_cli_user(cli, args->words[0], &id);
    }
    if (!error && except) {
        error = session_except(cli, id, token, &keep);
    }
    if (!error) {
        ended = everyone ? lk_session_end_tenant(&cli->work->txn, id.tenant, keep)
                         : lk_session_end_all(&cli->work->txn, id, keep.sub);
        error = ended < 0 ? ended : lk_cli_commit(cli);
    }
    if (!error) {
        session_tell_ended(cli, everyone, ended);
    }
    return error;
}

/* ---- Credentials ----------------------------------------------------------------------------- */

int lk_cli_credential_list(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id;
    int error = lk_cli_begin_user(cli, LK_READ, args->words[0], &id);

    return error ? error : lk_cli_list(cli, args, &lk_kind_credential, id);
}

static int session_add_key(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_id user,
                           struct lk_id *id)
{
    const char *label = lk_cli_option(args, "label");
    struct lk_span line = {cli->work->values, cli->work->used};
    int error;

    /* The line stays at the front of the values: what is parsed goes after it. */
    error = lk_ssh_key_add(&cli->work->txn, user, lk_cli_span(label ? label : ""), line, id);
    return error ? error : lk_cli_commit(cli);
}

static int session_add_api_key(struct lk_cli *cli, const struct lk_cli_args *args,
                               struct lk_id user, struct lk_id *id)
{
    const char *label = lk_cli_option(args, "label");
    const char *roles = lk_cli_option(args, "roles");
    struct lk_credential *credential = (struct lk_credential *)(void *)&cli->work->record;
    struct lk_cli_field given = {lk_field_named(&lk_kind_credential, LK_TEXT("roles")),
                                 lk_cli_span(roles ? roles : "")};
    struct lk_span none = {NULL, 0};
    uint64_t expires;
    int error = lk_cli_option_time(cli, args, "expires", &expires);

    memset(&cli->work->record, 0, sizeof(cli->work->record));
    credential->record.id = user;
    if (!error && roles) {
        error = lk_cli_field_parse(cli, &lk_kind_credential, &given, &credential->record);
    }
    if (!error) {
        error = lk_api_key_add(&cli->work->txn, user, lk_cli_span(label ? label : ""),
                               roles ? credential->roles : none, expires, cli->work->token, id);
    }
    return error ? error : lk_cli_commit(cli);
}

static int session_key_line(struct lk_cli *cli)
{
    size_t size = 0;
    int error = cli->env->read_line ? cli->env->read_line(cli->self, "key: ", cli->work->values,
                                                          sizeof(cli->work->values), &size)
                                    : LK_E_UNSUPPORTED;

    cli->work->used = size;
    if (error == LK_E_NOT_FOUND || error == LK_E_UNSUPPORTED) {
        return lk_cli_refuse(
            cli, LK_E_USAGE, "key", NULL,
            "a line of authorized_keys is read from standard input; there is none");
    }
    return error == LK_E_SPACE ? lk_cli_refuse(cli, LK_E_CHECK, "key", NULL, "is too long") : error;
}

int lk_cli_credential_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *type = args->words[0];
    bool ssh = lk_cli_same(type, "ssh-key");
    struct lk_id user, id;
    int error;

    if (lk_cli_same(type, "totp") || lk_cli_same(type, "recovery")) {
        return lk_cli_factor_add(cli, args);
    }
    if (!ssh && !lk_cli_same(type, "api-key")) {
        return lk_cli_refuse(cli, LK_E_USAGE, "type", type,
                             lk_cli_same(type, "password")
                                 ? "is set by user passwd"
                                 : "is none of totp, recovery, ssh-key and api-key");
    }
    if (lk_cli_option(args, "algorithm") || lk_cli_option(args, "digits") ||
        lk_cli_option(args, "qr")) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL,
                             "--algorithm, --digits and --qr are for totp");
    }
    if (ssh && (lk_cli_option(args, "expires") || lk_cli_option(args, "roles"))) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL,
                             "--expires and --roles are for an api-key");
    }
    error = ssh ? session_key_line(cli) : 0;
    if (!error) {
        error = lk_cli_begin_user(cli, LK_WRITE, args->words[1], &user);
    }
    if (!error) {
        error =
            ssh ? session_add_key(cli, args, user, &id) : session_add_api_key(cli, args, user, &id);
    }
    if (error) {
        return error;
    }
    if (cli->json) {
        struct lk_cli_json json;

        lk_cli_json_begin(&json, cli->out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "id");
        lk_cli_json_number(&json, id.sub);
        lk_cli_json_key(&json, "type");
        lk_cli_json_text(&json, lk_cli_span(type));
        if (!ssh) {
            lk_cli_json_key(&json, "key");
            lk_cli_json_text(&json, lk_cli_span(cli->work->token));
        }
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!ssh) {
        lk_cli_put(cli->out, cli->work->token);
        lk_cli_put(cli->out, "\n");
    }
    return 0;
}

int lk_cli_credential_remove(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id;
    int error = lk_cli_begin_user(cli, LK_WRITE, args->words[0], &id);

    if (!error) {
        error = lk_cli_number(cli, "credential", args->words[1], &id.sub);
    }
    if (!error) {
        error = lk_remove(&cli->work->txn, &lk_kind_credential, id, NULL);
        if (error == LK_E_NOT_FOUND) {
            return lk_cli_refuse(cli, error, "credential", args->words[1],
                                 "is no credential of this user");
        }
    }
    return error ? error : lk_cli_commit(cli);
}
