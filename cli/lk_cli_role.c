// SPDX-License-Identifier: MIT
/* lk_cli_role.c: roles, grants and permissions. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

/* ---- Grants ---------------------------------------------------------------------------------- */

/* Opens a write transaction and finds the two that a grant is between. */
static int role_grant_begin(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_id *user,
                            struct lk_id *role)
{
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_cli_user(cli, args->words[0], user);
    }
    return error ? error : lk_cli_named(cli, &lk_kind_role, args->words[1], role);
}

int lk_cli_role_grant(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id user, role;
    uint64_t until = 0;
    int error = role_grant_begin(cli, args, &user, &role);

    if (!error) {
        error = lk_cli_option_time(cli, args, "until", &until);
    }
    if (!error) {
        error = lk_role_grant(&cli->work->txn, user, role, until);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_role_revoke(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id user, role;
    int error = role_grant_begin(cli, args, &user, &role);

    if (!error) {
        error = lk_role_revoke(&cli->work->txn, user, role);
        if (error == LK_E_NOT_FOUND) {
            return lk_cli_refuse(cli, error, "role", args->words[1], "is not granted to this user");
        }
    }
    return error ? error : lk_cli_commit(cli);
}

/* ---- Permissions of a role ------------------------------------------------------------------- */

static int role_permit(struct lk_cli *cli, const struct lk_cli_args *args, bool permit)
{
    struct lk_id role, permission;
    size_t i;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_cli_named(cli, &lk_kind_role, args->words[0], &role);
    }
    for (i = 1; !error && i < args->count; i++) {
        error = lk_cli_permission(cli, args->words[i], &permission);
        if (!error) {
            error = lk_role_permit(&cli->work->txn, role, permission, permit);
            if (error == LK_E_NOT_FOUND) {
                return lk_cli_refuse(cli, error, "permission", args->words[i],
                                     "is not among the role's own");
            }
        }
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_role_permit(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return role_permit(cli, args, true);
}

int lk_cli_role_forbid(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return role_permit(cli, args, false);
}

/* ---- Permissions ----------------------------------------------------------------------------- */

/* A name of the form resource:action says both, where they are not given. */
int lk_cli_permission_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    const struct lk_kind *kind = &lk_kind_permission;
    struct lk_record *record = &cli->work->record.record;
    const struct lk_field *resource = lk_field_named(kind, LK_TEXT("resource"));
    const struct lk_field *action = lk_field_named(kind, LK_TEXT("action"));
    struct lk_span name = lk_cli_span(args->words[0]), first, second;
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (error) {
        return error;
    }
    memset(&cli->work->record, 0, sizeof(cli->work->record));
    record->id.tenant = cli->tenant;
    lk_field_set_span(record, lk_cli_name_field(kind), name);
    error = lk_cli_fields(cli, args, record, NULL);
    if (!error && !LK_HAS(record, resource->number) && !LK_HAS(record, action->number)) {
        error = lk_cli_pair(cli, args->words[0], &first, &second);
        if (error) {
            return lk_cli_refuse(cli, LK_E_USAGE, "name", args->words[0],
                                 "has not the form resource:action: give resource= and action=");
        }
        lk_field_set_span(record, resource, first);
        lk_field_set_span(record, action, second);
    }
    if (!error) {
        error = lk_add(&cli->work->txn, kind, record, NULL);
    }
    id = record->id;
    if (!error) {
        error = lk_cli_commit(cli);
    }
    return error ? error : lk_cli_added(cli, kind, id, args->words[0]);
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

static void role_why_text(struct lk_cli *cli, const char *user, const struct lk_reason *reason)
{
    struct lk_cli_out *out = cli->out;

    if (!reason->permission.sub) {
        lk_cli_put(out, "refused: no role of ");
        lk_cli_put_text(out, lk_cli_span(user));
        lk_cli_put(out, " has it\n");
        return;
    }
    lk_cli_put(out, "allowed: ");
    lk_cli_put_text(out, lk_cli_span(user));
    lk_cli_put(out, "\n  has the role ");
    lk_cli_ref_text(cli, out, &lk_kind_role, reason->role);
    if (reason->holder.sub != reason->role.sub) {
        lk_cli_put(out, "\n  which inherits from ");
        lk_cli_ref_text(cli, out, &lk_kind_role, reason->holder);
    }
    lk_cli_put(out, "\n  which has the permission ");
    lk_cli_ref_text(cli, out, &lk_kind_permission, reason->permission);
    lk_cli_put(out, "\n");
}

static void role_why_json(struct lk_cli *cli, const struct lk_reason *reason, bool why)
{
    struct lk_cli_json json;
    bool allowed = reason->permission.sub != 0;

    lk_cli_json_begin(&json, cli->out);
    lk_cli_json_open(&json, '{');
    lk_cli_json_key(&json, "allowed");
    lk_cli_json_bool(&json, allowed);
    if (why && allowed) {
        lk_cli_json_key(&json, "role");
        lk_cli_ref_json(cli, &json, &lk_kind_role, reason->role);
        lk_cli_json_key(&json, "holder");
        lk_cli_ref_json(cli, &json, &lk_kind_role, reason->holder);
        lk_cli_json_key(&json, "permission");
        lk_cli_ref_json(cli, &json, &lk_kind_permission, reason->permission);
    }
    lk_cli_json_close(&json, '}');
    lk_cli_json_end(&json);
}

static int role_check(struct lk_cli *cli, const struct lk_cli_args *args, bool why)
{
    struct lk_span resource, action;
    struct lk_reason reason;
    struct lk_id user;
    int answer = lk_cli_pair(cli, args->words[1], &resource, &action);

    memset(&reason, 0, sizeof(reason));
    if (!answer) {
        answer = lk_cli_begin(cli, LK_READ);
    }
    if (!answer) {
        answer = lk_cli_user(cli, args->words[0], &user);
    }
    if (!answer) {
        answer = lk_permission_check(&cli->work->txn, user, resource, action, &reason);
    }
    if (answer && answer != LK_E_REFUSED) {
        return answer;
    }
    if (answer) {
        memset(&reason, 0, sizeof(reason));
    }
    if (cli->json) {
        role_why_json(cli, &reason, why);
    } else if (why) {
        role_why_text(cli, args->words[0], &reason);
    } else if (!cli->quiet) {
        lk_cli_put(cli->out, answer ? "refused\n" : "allowed\n");
    }
    return answer ? LK_EXIT_REFUSED : 0;
}

int lk_cli_permission_check(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return role_check(cli, args, false);
}

int lk_cli_permission_why(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return role_check(cli, args, true);
}
