// SPDX-License-Identifier: MIT
#include "lk_baremetal.h"

int lk_boot_number(const struct lk_entropy *entropy, void *self, uint64_t *kept, uint64_t *boot)
{
    int error = 0;

    while (!error && *kept == 0) {
        error = entropy->fill(self, (uint8_t *)kept, sizeof(*kept));
    }
    *boot = *kept;
    return error;
}
