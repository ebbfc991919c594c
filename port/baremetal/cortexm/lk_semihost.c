// SPDX-License-Identifier: MIT
#include "lk_cortexm.h"

#include "lk_baremetal.h"

enum { SEMIHOST_WRITEC = 3, SEMIHOST_READC = 7 };

/* Whoever holds the core's debug port does what r0 says with what r1 points to. */
static int semihost_call(int what, const void *with)
{
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = with;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static int semihost_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    (void)self;
    (void)timeout_ms;
    *byte = (uint8_t)semihost_call(SEMIHOST_READC, NULL);
    return 1;
}

static int semihost_write(void *self, const uint8_t *data, size_t size)
{
    (void)self;
    for (; size != 0; size--) {
        (void)semihost_call(SEMIHOST_WRITEC, data++);
    }
    return 0;
}

const struct lk_console lk_semihost_console = {
    .read = semihost_read, .write = semihost_write, .width = lk_serial_width};
