// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
/* lk_qr.c: see lk_qr.h. */
#include "lk_qr.h"

#include <errno.h>
#include <limits.h>
#include <qrencode.h>
#include <string.h>

#define QR_QUIET 4 /* light modules around it (ISO/IEC 18004) */

/* Outside of it everything is light. */
static bool qr_dark(const QRcode *code, int row, int column)
{
    return row >= 0 && row < code->width && column >= 0 && column < code->width &&
           (code->data[row * code->width + column] & 1) != 0;
}

/* Light modules are the foreground. */
static void qr_line(const QRcode *code, struct lk_cli_out *out, int row, bool colour)
{
    lk_cli_put(out, colour ? "\033[97;40m" : "");
    for (int column = -QR_QUIET; column < code->width + QR_QUIET; column++) {
        bool upper = qr_dark(code, row, column);
        bool lower = row + 1 >= code->width + QR_QUIET || qr_dark(code, row + 1, column);

        lk_cli_put(out, upper ? (lower ? " " : "\u2584") : (lower ? "\u2580" : "\u2588"));
    }
    lk_cli_put(out, colour ? "\033[0m\n" : "\n");
}

int lk_qr_draw(struct lk_span text, struct lk_cli_out *out, unsigned width, bool colour)
{
    QRcode *code;

    if (text.size == 0 || text.size > INT_MAX) {
        return LK_E_TOO_BIG;
    }
    code = QRcode_encodeData((int)text.size, text.data, 0, QR_ECLEVEL_L);
    if (code == NULL) {
        return errno == ENOMEM ? LK_E_FULL : LK_E_TOO_BIG;
    }
    if ((unsigned)code->width + 2 * QR_QUIET <= width) {
        for (int row = -QR_QUIET; row < code->width + QR_QUIET; row += 2) {
            qr_line(code, out, row, colour);
        }
        width = 0;
    }
    /* It may show a secret. */
    explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
    QRcode_free(code);
    return width == 0 ? LK_OK : LK_E_SPACE;
}
