// SPDX-License-Identifier: MIT
/* lk_text_net.c, for boards that no network reaches: no text is an address, and none has a text. */
#include "lk_text.h"

int lk_address_parse(struct lk_span text, uint8_t address[16], size_t *size)
{
    (void)text;
    (void)address;
    *size = 0;
    return LK_E_USAGE;
}

int lk_address_format(struct lk_span address, char *out, size_t size)
{
    (void)address;
    (void)out;
    (void)size;
    return LK_E_UNSUPPORTED;
}
