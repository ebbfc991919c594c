// SPDX-License-Identifier: MIT
/* lk_qr.h: a text as a QR code on a terminal, by libqrencode. */
#ifndef LK_QR_H
#define LK_QR_H

#include "lk_cli.h"

/*
 * Two rows of modules a line, in UTF-8 half blocks, with the quiet zone around them. `colour` says
 * white on black whatever the terminal's own colours are; without, a dark background is taken for
 * granted. LK_E_SPACE: it is wider than `width` columns, and nothing was written; LK_E_TOO_BIG: no
 * QR code holds the text; LK_E_FULL: no memory.
 */
int lk_qr_draw(struct lk_span text, struct lk_cli_out *out, unsigned width, bool colour);

#endif
