// SPDX-License-Identifier: MIT
/* lk_cli_note.c, for boards that have no room for it: what is refused at the console is only told.
 */
#include "lk_cli.h"

void lk_cli_note(struct lk_cli *cli)
{
    cli->session->refused = false;
}
