// SPDX-License-Identifier: MIT
/* lk_cli_permission.c: permissions, and the question who may do what, and why. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

/* A name of the form resource:action says both, where they are not given. */
int lk_cli_permission_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = &lk_kind_permission;
    struct lk_record *record = &cli->work->record.record;
    const struct lk_field *resource = lk_field_named(kind, LK_TEXT("resource"));
    const struct lk_field *action = lk_field_named(kind, LK_TEXT("action"));
    struct lk_span first, second;
    int error = lk_cli_new(cli, kind, args);

    if (!error && !LK_HAS(record, resource->number) && !LK_HAS(record, action->number)) {
        error = lk_cli_pair(cli, args->words[0], &first, &second);
        if (error) {
            return lk_cli_refuse(cli, LK_E_USAGE, "name", args->words[0],
                                 "has not the form resource:action: give resource= and action=");
        }
        lk_field_set_span(record, resource, first);
        lk_field_set_span(record, action, second);
    }
    return error ? error : lk_cli_add_new(cli, kind, args);
}

int lk_cli_permission_show(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_READ);

    if (!error) {
        error = lk_cli_permission(cli, args->words[0], &id);
    }
    return error ? error : lk_cli_show_id(cli, &lk_kind_permission, id);
}

int lk_cli_permission_remove(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_cli_permission(cli, args->words[0], &id);
    }
    if (!error) {
        error = lk_remove(&cli->work->txn, &lk_kind_permission, id, NULL);
    }
    return error ? error : lk_cli_commit(cli);
}

/* ---- Questions ------------------------------------------------------------------------------- */

static int permission_channel(struct lk_cli *cli, const char *given, int *channel)
{
    const struct lk_field *field = lk_field_named(&lk_kind_session, LK_TEXT("channel"));
    int i;

    for (i = 0; field->choices[i]; i++) {
        if (lk_text_equal_fold(lk_cli_span(given), lk_cli_span(field->choices[i]))) {
            *channel = 1 + i;
            return 0;
        }
    }
    return lk_cli_refuse(cli, LK_E_USAGE, "channel", given,
                         "is none of console, cli, pam, mqtt, http, api");
}

int lk_cli_question(struct lk_cli *cli, const struct lk_cli_args *args, const char *pair,
                    uint8_t ip[16], struct lk_question *question)
{
    const char *channel = lk_cli_option(args, "channel"), *address = lk_cli_option(args, "ip");
    const char *owner = lk_cli_option(args, "owner");
    struct lk_id id;
    size_t size = 0;
    int error;

    memset(question, 0, sizeof(*question));
    error = lk_cli_pair(cli, pair, &question->resource, &question->action);
    if (!error && channel) {
        error = permission_channel(cli, channel, &question->channel);
    }
    if (!error && address && lk_address_parse(lk_cli_span(address), ip, &size)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "ip", address, "is not an IPv4 or IPv6 address");
    }
    question->ip = (struct lk_span){ip, size};
    if (!error && owner) {
        error = lk_cli_user(cli, owner, &id);
        question->owner = error ? 0 : id.user;
    }
    if (!error) {
        error = lk_cli_option_time(cli, args, "at", &question->at);
    }
    return error;
}

/* The roles from the one granted up to the one that holds the permission. LK_E_NOT_FOUND after the
 * last. */
static int permission_next_role(struct lk_cli *cli, const struct lk_reason *reason,
                                struct lk_id *role)
{
    struct lk_role *record = &cli->work->record.role;
    int error;

    if (role->sub == reason->holder.sub) {
        return LK_E_NOT_FOUND;
    }
    error = lk_get(&cli->work->txn, &lk_kind_role, *role, &record->record);
    role->sub = (uint32_t)record->parent;
    return error ? error : role->sub ? 0 : LK_E_NOT_FOUND;
}

static const char *const permission_decisions[] = {
    [LK_DECIDED_NOT_HELD] = "not_held",  [LK_DECIDED_ALLOWED] = "allowed",
    [LK_DECIDED_DENIED] = "denied",      [LK_DECIDED_CONDITION] = "condition",
    [LK_DECIDED_STEP_UP] = "step_up",    [LK_DECIDED_APPROVAL] = "approval",
    [LK_DECIDED_USER] = "user_inactive", [LK_DECIDED_TENANT] = "tenant_inactive",
};

/* What stands before and after the user's name. */
static const struct {
    const char *before, *after;
} permission_sentences[] = {
    [LK_DECIDED_NOT_HELD] = {"refused: no role of ", " has it"},
    [LK_DECIDED_ALLOWED] = {"allowed: ", ""},
    [LK_DECIDED_DENIED] = {"refused, by a permission that denies: ", ""},
    [LK_DECIDED_CONDITION] = {"refused, as a condition does not hold: ", ""},
    [LK_DECIDED_STEP_UP] = {"refused until ", " logs in again"},
    [LK_DECIDED_APPROVAL] = {"refused, until somebody approves it for ", ""},
    [LK_DECIDED_USER] = {"refused: ", " is not active"},
    [LK_DECIDED_TENANT] = {"refused: the tenant of ", " is not active"},
};

/* Says of each condition of a permission whether it held, and what it is. */
static int permission_conditions_text(struct lk_cli *cli, const struct lk_reason *reason)
{
    struct lk_record *record = &cli->work->record.record;
    size_t i;
    int error = lk_get(&cli->work->txn, &lk_kind_permission, reason->permission, record);

    if (!error) {
        error = lk_cli_keep(cli, &lk_kind_permission, record);
    }
    for (i = 0; !error && i < lk_kind_permission.field_count; i++) {
        const struct lk_field *field = &lk_kind_permission.fields[i];

        if ((reason->failed >> field->number) & 1) {
            /* A denial counts unless its condition surely does not hold. */
            lk_cli_put(cli->out, reason->decision == LK_DECIDED_DENIED
                                     ? "\n  whose condition cannot be told here: "
                                     : "\n  whose condition does not hold: ");
            lk_cli_put(cli->out, field->name);
            lk_cli_put(cli->out, " ");
            lk_cli_field_text(cli, cli->out, field, record);
        }
    }
    return error;
}

static int permission_why_text(struct lk_cli *cli, const char *user, const struct lk_reason *reason)
{
    struct lk_cli_out *out = cli->out;
    struct lk_id role = reason->role;
    int error = 0;

    lk_cli_put(out, permission_sentences[reason->decision].before);
    lk_cli_put_text(out, lk_cli_span(user));
    lk_cli_put(out, permission_sentences[reason->decision].after);
    if (reason->permission.sub) {
        lk_cli_put(out, "\n  has the role ");
        lk_cli_ref_text(cli, out, &lk_kind_role, role);
        while ((error = permission_next_role(cli, reason, &role)) == 0) {
            lk_cli_put(out, "\n  which inherits from ");
            lk_cli_ref_text(cli, out, &lk_kind_role, role);
        }
        lk_cli_put(out, "\n  which has the permission ");
        lk_cli_ref_text(cli, out, &lk_kind_permission, reason->permission);
        error = error == LK_E_NOT_FOUND ? permission_conditions_text(cli, reason) : error;
    }
    if (reason->demand.sub) {
        lk_cli_put(out, "\n  and more is demanded by the permission ");
        lk_cli_ref_text(cli, out, &lk_kind_permission, reason->demand);
    }
    lk_cli_put(out, "\n");
    return error;
}

static int permission_why_json(struct lk_cli *cli, const struct lk_reason *reason, bool why)
{
    struct lk_cli_json json;
    struct lk_id role = reason->role;
    int error = 0;
    size_t i;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "allowed");
    lk_cli_json_bool(&json, reason->decision == LK_DECIDED_ALLOWED);
    lk_cli_json_key(&json, "decision");
    lk_cli_json_text(&json, lk_cli_span(permission_decisions[reason->decision]));
    if (why && reason->permission.sub) {
        lk_cli_json_key(&json, "role");
        lk_cli_ref_json(cli, &json, &lk_kind_role, reason->role);
        lk_cli_json_key(&json, "through");
        lk_cli_json_open(&json, '[');
        while ((error = permission_next_role(cli, reason, &role)) == 0) {
            lk_cli_ref_json(cli, &json, &lk_kind_role, role);
        }
        lk_cli_json_close(&json, ']');
        lk_cli_json_key(&json, "holder");
        lk_cli_ref_json(cli, &json, &lk_kind_role, reason->holder);
        lk_cli_json_key(&json, "permission");
        lk_cli_ref_json(cli, &json, &lk_kind_permission, reason->permission);
        lk_cli_json_key(&json, "failed");
        lk_cli_json_open(&json, '[');
        for (i = 0; i < lk_kind_permission.field_count; i++) {
            if ((reason->failed >> lk_kind_permission.fields[i].number) & 1) {
                lk_cli_json_text(&json, lk_cli_span(lk_kind_permission.fields[i].name));
            }
        }
        lk_cli_json_close(&json, ']');
        lk_cli_json_key(&json, "demand");
        if (reason->demand.sub) {
            lk_cli_ref_json(cli, &json, &lk_kind_permission, reason->demand);
        } else {
            lk_cli_json_null(&json);
        }
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int permission_ask(struct lk_cli *cli, const struct lk_cli_args *args, bool why)
{
    struct lk_question question;
    struct lk_reason reason;
    struct lk_id user;
    uint8_t ip[16];
    int answer = lk_cli_begin(cli, LK_READ), error = 0;

    memset(&reason, 0, sizeof(reason));
    if (!answer) {
        answer = lk_cli_question(cli, args, args->words[1], ip, &question);
    }
    if (!answer) {
        answer = lk_cli_user(cli, args->words[0], &user);
    }
    if (answer) {
        return answer;
    }
    answer = lk_permission_check(&cli->work->txn, user, &question, &reason);
    if (answer && answer != LK_E_REFUSED && answer != LK_E_STEP_UP && answer != LK_E_APPROVAL) {
        return answer;
    }
    if (cli->json) {
        error = permission_why_json(cli, &reason, why);
    } else if (why) {
        error = permission_why_text(cli, args->words[0], &reason);
    } else if (!cli->quiet) {
        lk_cli_put(cli->out, !answer                   ? "allowed\n"
                             : answer == LK_E_STEP_UP  ? "refused until the next login\n"
                             : answer == LK_E_APPROVAL ? "refused without a second person\n"
                                                       : "refused\n");
    }
    return error ? error : answer ? LK_EXIT_REFUSED : 0;
}

int lk_cli_permission_check(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return permission_ask(cli, args, false);
}

int lk_cli_permission_why(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return permission_ask(cli, args, true);
}
