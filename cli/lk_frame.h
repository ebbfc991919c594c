// SPDX-License-Identifier: MIT
/*
 * lk_frame.h: lines and answers of a console that a program can read without doubt, whatever text
 * is in them. SPEC.md, "The console of a program", has the form.
 *
 * A line that begins with MARK is a program's: it says what it is meant for, has an id and a
 * checksum, and is not echoed. What the console does with it, up to where it reads again, is one
 * answer with that id, in which no control byte but MARK occurs. A line without MARK is a person's,
 * and answered like one.
 */
#ifndef LK_FRAME_H
#define LK_FRAME_H

#include "lk_port.h"

#define LK_FRAME_MARK  0x1E /* ASCII's record separator */
#define LK_FRAME_ID    4    /* bytes of an id */
#define LK_FRAME_EXTRA 9    /* bytes of a line that are not its text */

/* What the console reads, and a line is meant for. */
enum lk_frame_kind {
    LK_FRAME_NONE = 0, /* a program's lines are no different here */
    LK_FRAME_NAME = 'n',
    LK_FRAME_COMMAND = 'c',
    LK_FRAME_SECRET = 's',
    LK_FRAME_LINE = 'l',
};

/* Other marks in an answer. */
enum lk_frame_mark {
    LK_FRAME_BEGIN = '!',
    LK_FRAME_OUT = 'o',
    LK_FRAME_ERR = 'e',
    LK_FRAME_STATUS = 'x',
    LK_FRAME_END = '.',
};

enum lk_frame_fault {
    LK_FRAME_GOOD = 0,
    LK_FRAME_DAMAGED = 1,  /* the checksum does not hold */
    LK_FRAME_MISTAKEN = 2, /* it is meant for something else */
};

#define LK_FRAME_CRC 0xFFFF /* of nothing */
/* CRC-16 of polynomial 0x1021, most significant bit first. */
uint16_t lk_frame_crc(uint16_t crc, const void *data, size_t size);
void lk_frame_hex(uint16_t crc, char hex[4]);

/* A line that was read: kind, id, text, checksum. */
struct lk_frame_line {
    bool framed; /* it was a program's; else the rest means nothing */
    bool json;   /* which wants JSON: its kind is a capital */
    enum lk_frame_fault fault;
    char id[LK_FRAME_ID];
};

/* Leaves of the bytes after MARK the text. */
void lk_frame_take(struct lk_frame_line *line, enum lk_frame_kind wanted, char *text, size_t *size);

/* A console that puts what is written between begin and the next read in an answer. */
struct lk_frame {
    const struct lk_console *console; /* filled by the caller */
    void *self;
    /* Private; zeroed before the first use. */
    bool open;
    char mark;
    uint16_t crc;
};

extern const struct lk_console lk_frame_console; /* its self is a struct lk_frame */
void lk_frame_begin(struct lk_frame *frame, const char id[LK_FRAME_ID]);
/* What is written from here on is of that mark; nothing where no answer is open. */
void lk_frame_mark(struct lk_frame *frame, char mark);
int lk_frame_put(struct lk_frame *frame, char mark, const void *data, size_t size);
void lk_frame_status(struct lk_frame *frame, int status);
void lk_frame_end(struct lk_frame *frame);

#endif
