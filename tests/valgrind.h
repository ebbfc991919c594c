// SPDX-License-Identifier: MIT
/* valgrind.h: is this run one of `make valgrind`? For what valgrind itself does otherwise. */
#ifndef LK_TEST_VALGRIND_H
#define LK_TEST_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

#endif
