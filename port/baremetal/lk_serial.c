// SPDX-License-Identifier: MIT
#include "lk_baremetal.h"

int lk_serial_read(const struct lk_serial *serial, uint8_t *byte, uint32_t timeout_ms)
{
    uint64_t start = serial->ms(serial->self);

    while (!serial->ready(serial->self)) {
        if (timeout_ms != 0 && serial->ms(serial->self) - start >= timeout_ms) {
            return 0;
        }
    }
    *byte = serial->take(serial->self);
    return 1;
}

unsigned lk_serial_width(void *self)
{
    (void)self;
    return 80;
}
