// SPDX-License-Identifier: MIT
/* lk_frame.c: a console's lines and answers for programs. */
#include "lk_frame.h"

#include <string.h>

uint16_t lk_frame_crc(uint16_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    unsigned bit;

    while (size--) {
        crc ^= (uint16_t)(*at++ << 8);
        for (bit = 0; bit < 8; bit++) {
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
        }
    }
    return crc;
}

void lk_frame_hex(uint16_t crc, char hex[4])
{
    size_t i;

    for (i = 0; i < 4; i++) {
        hex[i] = "0123456789abcdef"[crc >> (12 - 4 * i) & 15];
    }
}

/* ---- Lines in -------------------------------------------------------------------------------- */

void lk_frame_take(struct lk_frame_line *line, enum lk_frame_kind wanted, char *text, size_t *size)
{
    char hex[4], kind;

    if (*size < LK_FRAME_EXTRA) {
        memset(line->id, '?', sizeof(line->id));
        line->fault = LK_FRAME_DAMAGED;
        return;
    }
    kind = text[0];
    memcpy(line->id, text + 1, LK_FRAME_ID);
    lk_frame_hex(lk_frame_crc(LK_FRAME_CRC, text, *size - sizeof(hex)), hex);
    line->json = kind >= 'A' && kind <= 'Z';
    line->fault = memcmp(hex, text + *size - sizeof(hex), sizeof(hex)) != 0 ? LK_FRAME_DAMAGED
                  : (kind | 0x20) != (int)wanted                            ? LK_FRAME_MISTAKEN
                                                                            : LK_FRAME_GOOD;
    *size -= LK_FRAME_EXTRA;
    memmove(text, text + 1 + LK_FRAME_ID, *size);
}

/* ---- Answers out ----------------------------------------------------------------------------- */

static int frame_raw(struct lk_frame *frame, const void *data, size_t size)
{
    frame->crc = lk_frame_crc(frame->crc, data, size);
    return frame->console->write(frame->self, data, size);
}

int lk_frame_put(struct lk_frame *frame, char mark, const void *data, size_t size)
{
    const uint8_t *from = data;
    int error = 0;

    if (!frame->open) {
        return frame->console->write(frame->self, data, size);
    }
    lk_frame_mark(frame, mark);
    while (!error && size) {
        size_t plain = 0;

        while (plain < size && from[plain] >= 0x20 && from[plain] != 0x7F) {
            plain++;
        }
        if (plain) {
            error = frame_raw(frame, from, plain);
        } else {
            const uint8_t pair[2] = {LK_FRAME_MARK, from[0] ^ 0x40};

            error = frame_raw(frame, pair, sizeof(pair));
            plain = 1;
        }
        from += plain;
        size -= plain;
    }
    return error;
}

void lk_frame_mark(struct lk_frame *frame, char mark)
{
    const char pair[2] = {LK_FRAME_MARK, mark};

    if (frame->open && frame->mark != mark) {
        frame->mark = mark;
        (void)frame_raw(frame, pair, sizeof(pair)); /* its loss shows in the checksum */
    }
}

void lk_frame_begin(struct lk_frame *frame, const char id[LK_FRAME_ID])
{
    frame->open = true;
    frame->mark = '\0';
    lk_frame_mark(frame, LK_FRAME_BEGIN);
    frame->crc = LK_FRAME_CRC;
    (void)lk_frame_put(frame, LK_FRAME_BEGIN, id, LK_FRAME_ID); /* as above */
}

void lk_frame_status(struct lk_frame *frame, int status)
{
    const char digit = (char)('0' + status);

    if (frame->open) {
        (void)lk_frame_put(frame, LK_FRAME_STATUS, &digit, 1); /* as above */
    }
}

void lk_frame_end(struct lk_frame *frame)
{
    char hex[4];

    if (frame->open) {
        lk_frame_hex(frame->crc, hex);
        lk_frame_mark(frame, LK_FRAME_END);
        (void)lk_frame_put(frame, LK_FRAME_END, hex, sizeof(hex)); /* as above */
        frame->open = false;
    }
}

/* ---- The console in between ------------------------------------------------------------------ */

static int frame_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    struct lk_frame *frame = self;

    lk_frame_end(frame);
    return frame->console->read(frame->self, byte, timeout_ms);
}

static int frame_write(void *self, const uint8_t *data, size_t size)
{
    struct lk_frame *frame = self;

    return lk_frame_put(frame, frame->mark, data, size);
}

static unsigned frame_width(void *self)
{
    struct lk_frame *frame = self;

    return frame->console->width ? frame->console->width(frame->self) : 80;
}

const struct lk_console lk_frame_console = {
    .read = frame_read,
    .write = frame_write,
    .width = frame_width,
};
