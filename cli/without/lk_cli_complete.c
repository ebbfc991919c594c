// SPDX-License-Identifier: MIT
/* lk_cli_complete.c, for boards that complete nothing. */
#include "lk_cli.h"

void lk_cli_complete(const struct lk_cli *cli, size_t count, const char *const *words,
                     const char *part, void (*each)(void *context, const char *word, bool open),
                     void *context)
{
    (void)cli;
    (void)count;
    (void)words;
    (void)part;
    (void)each;
    (void)context;
}
