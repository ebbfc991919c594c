// SPDX-License-Identifier: MIT
/* lk_cli_approve.c, for boards whose console asks for no second person and no newer login: what
 * needs one is refused, until somebody logs in again. */
#include "lk_cli.h"

int lk_cli_approve(struct lk_cli *cli)
{
    return lk_cli_refuse(cli, LK_E_APPROVAL, NULL, NULL, "nobody can approve here");
}

int lk_cli_step_up(struct lk_cli *cli)
{
    return lk_cli_refuse(cli, LK_E_STEP_UP, NULL, NULL, "log out, and in again");
}
