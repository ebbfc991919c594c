// SPDX-License-Identifier: MIT
/* lk_cli_factor.c: second factors: seeds and codes that are told once. */
#include "lk_cli.h"

#include <string.h>

/* ---- Told once ------------------------------------------------------------------------------- */

/* A drawing that the terminal has no room for is left out: the URI says the same. */
static int factor_draw(struct lk_cli *cli, struct lk_cli_out *out, const char *uri)
{
    int error = cli->env->qr ? cli->env->qr(cli->self, lk_cli_span(uri), out, cli->width)
                             : LK_E_UNSUPPORTED;

    return error == LK_E_SPACE || error == LK_E_UNSUPPORTED ? 0 : error;
}

int lk_cli_offer(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_totp_offer *offer,
                 bool draws)
{
    lk_cli_put(out, offer->uri);
    lk_cli_put(out, "\n");
    return draws ? factor_draw(cli, out, offer->uri) : 0;
}

static void factor_json_begin(struct lk_cli *cli, struct lk_cli_json *json, struct lk_id id,
                              const char *type)
{
    lk_cli_json_begin(json, cli->out);
    lk_cli_json_open(json, '{');
    lk_cli_json_key(json, "id");
    lk_cli_json_number(json, id.sub);
    lk_cli_json_key(json, "type");
    lk_cli_json_text(json, lk_cli_span(type));
}

static int factor_tell_totp(struct lk_cli *cli, const struct lk_totp_offer *offer, struct lk_id id,
                            bool qr)
{
    struct lk_cli_json json;
    int error;

    if (cli->json) {
        factor_json_begin(cli, &json, id, "totp");
        lk_cli_json_key(&json, "uri");
        lk_cli_json_text(&json, lk_cli_span(offer->uri));
        lk_cli_json_key(&json, "seed");
        lk_cli_json_text(&json, lk_cli_span(offer->seed));
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
        return 0;
    }
    error = lk_cli_offer(cli, cli->out, offer, qr || cli->at_console || cli->terminal);
    if (!error && !cli->quiet) {
        lk_cli_put(cli->err, "It is shown this once, and counts when a code of it was given:\n  ");
        if (!cli->at_console) {
            lk_cli_put(cli->err, cli->program);
            lk_cli_put(cli->err, " ");
        }
        lk_cli_put(cli->err, "credential confirm totp ");
        lk_cli_put_text(cli->err, lk_cli_span(cli->work->args.words[1]));
        lk_cli_put(cli->err, " CODE\n");
    }
    return error;
}

static void factor_tell_recovery(struct lk_cli *cli,
                                 char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], struct lk_id id)
{
    struct lk_cli_json json;
    size_t i;

    if (cli->json) {
        factor_json_begin(cli, &json, id, "recovery");
        lk_cli_json_key(&json, "codes");
        lk_cli_json_open(&json, '[');
    }
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        if (cli->json) {
            lk_cli_json_text(&json, lk_cli_span(codes[i]));
        } else {
            lk_cli_put(cli->out, codes[i]);
            lk_cli_put(cli->out, "\n");
        }
    }
    if (cli->json) {
        lk_cli_json_close(&json, ']');
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
    } else if (!cli->quiet) {
        lk_cli_put(cli->err, "They are shown this once. Each is good for one login.\n");
    }
}

/* ---- Adding ---------------------------------------------------------------------------------- */

static int factor_options(struct lk_cli *cli, const struct lk_cli_args *args,
                          struct lk_totp_options *options)
{
    static const char *const not_for_it[] = {"expires", "roles"};
    const struct lk_field *field = lk_field_named(&lk_kind_credential, LK_TEXT("algorithm"));
    const char *algorithm = lk_cli_option(args, "algorithm");
    uint64_t digits;
    size_t i;
    int error = lk_cli_option_number(cli, args, "digits", 6, &digits);

    for (i = 0; !error && i < sizeof(not_for_it) / sizeof(not_for_it[0]); i++) {
        if (lk_cli_option(args, not_for_it[i])) {
            error = lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL,
                                  "--expires and --roles are for an api-key");
        }
    }
    if (!error && digits != 6 && digits != 8) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "digits", lk_cli_option(args, "digits"),
                              "is neither 6 nor 8");
    }
    if (!error && lk_cli_option(args, "qr") && !cli->env->qr) {
        error = lk_cli_refuse(cli, LK_E_UNSUPPORTED, "qr", NULL, "is not to be had here");
    }
    options->digits = (uint32_t)digits;
    options->algorithm = LK_HMAC_SHA1;
    for (i = 0; !error && algorithm && !lk_cli_same(algorithm, field->choices[i]); i++) {
        if (!field->choices[i + 1]) {
            return lk_cli_refuse(cli, LK_E_USAGE, "algorithm", algorithm,
                                 "is none of sha1, sha256 and sha512");
        }
        options->algorithm = (enum lk_hmac)(i + 1);
    }
    return error;
}

static int factor_add_totp(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const char *label = lk_cli_option(args, "label");
    struct lk_totp_options options;
    struct lk_totp_offer offer;
    struct lk_id user, id;
    int error = factor_options(cli, args, &options);

    if (!error) {
        error = lk_cli_begin_user(cli, LK_WRITE, args->words[1], &user);
    }
    if (error) {
        return error;
    }
    error =
        lk_totp_add(&cli->work->txn, user, lk_cli_span(label ? label : ""), &options, &offer, &id);
    if (!error) {
        error = lk_cli_commit(cli);
    }
    if (!error) {
        error = factor_tell_totp(cli, &offer, id, lk_cli_option(args, "qr") != NULL);
    }
    lk_cli_wipe(&offer, sizeof(offer));
    return error;
}

static int factor_add_recovery(struct lk_cli *cli, const struct lk_cli_args *args)
{
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_id user, id;
    int error = 0;

    if (args->option_count) {
        error = lk_cli_refuse(cli, LK_E_USAGE, args->options[0].option->name, NULL,
                              "is not for recovery codes");
    }
    if (!error) {
        error = lk_cli_begin_user(cli, LK_WRITE, args->words[1], &user);
    }
    if (error) {
        return error;
    }
    error = lk_recovery_add(&cli->work->txn, user, codes, &id);
    if (!error) {
        error = lk_cli_commit(cli);
    }
    if (!error) {
        factor_tell_recovery(cli, codes, id);
    }
    lk_cli_wipe(codes, sizeof(codes));
    return error;
}

int lk_cli_factor_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_same(args->words[0], "totp") ? factor_add_totp(cli, args)
                                               : factor_add_recovery(cli, args);
}

int lk_cli_credential_confirm(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_span code;
    struct lk_id user, id;
    int error = 0;

    if (!lk_cli_same(args->words[0], "totp")) {
        return lk_cli_refuse(cli, LK_E_USAGE, "type", args->words[0], "is not totp");
    }
    error = lk_cli_code(cli, args->words[2], &code);
    if (!error) {
        error = lk_cli_begin_user(cli, LK_WRITE, args->words[1], &user);
    }
    if (!error) {
        error = lk_totp_confirm(&cli->work->txn, user, code, &id);
        if (error == LK_E_NOT_FOUND) {
            return lk_cli_refuse(cli, error, "user", args->words[1],
                                 "has none that waits to be confirmed");
        }
    }
    return error ? error : lk_cli_commit(cli);
}
