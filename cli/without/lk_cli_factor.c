// SPDX-License-Identifier: MIT
/* lk_cli_factor.c, for boards without second factors: none is offered. */
#include "lk_cli.h"

int lk_cli_offer(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_totp_offer *offer,
                 bool draws)
{
    (void)cli;
    (void)out;
    (void)offer;
    (void)draws;
    return LK_E_UNSUPPORTED;
}
