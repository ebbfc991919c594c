// SPDX-License-Identifier: MIT
/* lk_cli_role.c: what roles hold, and who has them. */
#include "lk_cli.h"

/* ---- Grants ---------------------------------------------------------------------------------- */

/* The two that a grant is between. */
static int role_grant_find(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_id *user,
                           struct lk_id *role)
{
    int error = lk_cli_user(cli, args->words[0], user);

    return error ? error : lk_cli_named(cli, &lk_kind_role, args->words[1], role);
}

int lk_cli_apply_grant(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id user, role;
    uint64_t until = 0;
    int error = role_grant_find(cli, args, &user, &role);

    if (!error) {
        error = lk_cli_option_time(cli, args, "until", &until);
    }
    return error ? error : lk_role_grant(&cli->work->txn, user, role, until);
}

int lk_cli_apply_revoke(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id user, role;
    int error = role_grant_find(cli, args, &user, &role);

    if (!error) {
        error = lk_role_revoke(&cli->work->txn, user, role);
        if (error == LK_E_NOT_FOUND) {
            return lk_cli_refuse(cli, error, "role", args->words[1], "is not granted to this user");
        }
    }
    return error;
}

int lk_cli_role_grant(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_grant);
}

int lk_cli_role_revoke(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_revoke);
}

/* ---- Permissions of a role ------------------------------------------------------------------- */

static int role_permit(struct lk_cli *cli, const struct lk_cli_args *args, bool permit)
{
    struct lk_id role, permission;
    size_t i;
    int error = lk_cli_named(cli, &lk_kind_role, args->words[0], &role);

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
    return error;
}

int lk_cli_apply_permit(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return role_permit(cli, args, true);
}

int lk_cli_apply_forbid(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return role_permit(cli, args, false);
}

int lk_cli_role_permit(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_permit);
}

int lk_cli_role_forbid(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return lk_cli_change(cli, args, lk_cli_apply_forbid);
}
