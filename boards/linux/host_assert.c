// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "lk_base.h"

_Noreturn void lk_assert_failed(const char *file, int line)
{
    (void)fprintf(stderr, "latchkey: %s:%d: a rule of the program itself is broken\n", file, line);
    abort();
}
