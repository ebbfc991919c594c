// SPDX-License-Identifier: MIT
/* lk_wire.c: lines to a console and answers from it. */
#define _GNU_SOURCE
#include "lk_wire.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIRE_SLICE_MS 200  /* in which a signal is noticed */
#define WIRE_KNOCK_MS 1000 /* between two tries to wake a console, which may be starting */
#define WIRE_WHOLE    10   /* an answer may take so many times what a pause may */
#define WIRE_CANCEL   3    /* ^C */

static uint64_t wire_now(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* fails for no clock that there is */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int wire_fault(struct lk_wire *wire, const char *fault)
{
    wire->fault = fault;
    wire->asks = LK_FRAME_NONE;
    return LK_E_IO;
}

/* ---- Texts of an answer ---------------------------------------------------------------------- */

static void wire_clear(struct lk_wire_text *text)
{
    if (text->data) {
        explicit_bzero(text->data, text->size);
        text->data[0] = '\0';
    }
    text->size = 0;
}

static int wire_add(struct lk_wire_text *text, char byte)
{
    if (text->size + 2 > text->room) {
        size_t room = text->room ? 2 * text->room : 256;
        char *data = malloc(room);

        if (!data) {
            return LK_E_FULL;
        }
        if (text->size) {
            memcpy(data, text->data, text->size);
            explicit_bzero(text->data, text->size);
        }
        free(text->data);
        text->data = data;
        text->room = room;
    }
    text->data[text->size++] = byte;
    text->data[text->size] = '\0';
    return 0;
}

static void wire_clear_all(struct lk_wire *wire)
{
    wire_clear(&wire->out);
    wire_clear(&wire->err);
    wire_clear(&wire->prompt);
    wire_clear(&wire->status_text);
    wire_clear(&wire->id_text);
    wire_clear(&wire->crc_text);
    wire->heard = 0;
    wire->asks = LK_FRAME_NONE;
    wire->status = -1;
}

/* Where bytes after the present mark go; NULL: there is no such mark. */
static struct lk_wire_text *wire_text(struct lk_wire *wire)
{
    switch (wire->mark) {
    case LK_FRAME_BEGIN: return &wire->id_text;
    case LK_FRAME_OUT: return &wire->out;
    case LK_FRAME_ERR: return &wire->err;
    case LK_FRAME_STATUS: return &wire->status_text;
    case LK_FRAME_NAME:
    case LK_FRAME_COMMAND:
    case LK_FRAME_SECRET:
    case LK_FRAME_LINE: return &wire->prompt;
    case LK_FRAME_END: return &wire->crc_text;
    default: return NULL;
    }
}

/* ---- Hearing --------------------------------------------------------------------------------- */

/* A byte, before `until`. 1, 0 in vain, LK_E_IO. */
static int wire_byte(struct lk_wire *wire, uint8_t *byte, uint64_t until)
{
    for (;;) {
        uint64_t now = wire_now();
        uint64_t left = until > now ? until - now : 0;
        int got;

        if (wire->ops->stopped(wire->ops_self)) {
            return wire_fault(wire, "was left alone: a signal came");
        }
        if (!left) {
            return 0;
        }
        got = wire->console->read(wire->self, byte,
                                  (uint32_t)(left < WIRE_SLICE_MS ? left : WIRE_SLICE_MS));
        if (got > 0) {
            return 1;
        }
        if (got < 0 && !wire->ops->stopped(wire->ops_self)) {
            return wire_fault(wire, got == LK_E_NOT_FOUND ? "is gone" : "cannot be read");
        }
    }
}

/* 1 when the answer is whole and sound, and this line's; 0 when it is an older line's. */
static int wire_judge(struct lk_wire *wire)
{
    char hex[4];

    lk_frame_hex(wire->crc, hex);
    if (memcmp(hex, wire->crc_text.data, sizeof(hex)) != 0) {
        return wire_fault(wire, "gave an answer that was damaged on its way");
    }
    if (wire->id_text.size != LK_FRAME_ID ||
        memcmp(wire->id_text.data, wire->id, LK_FRAME_ID) != 0) {
        wire_clear_all(wire);
        return 0;
    }
    if (wire->status_text.size > 1 ||
        (wire->status_text.size == 1 &&
         (wire->status_text.data[0] < '0' || wire->status_text.data[0] > '9')) ||
        wire->asks == LK_FRAME_NONE) {
        return wire_fault(wire, "gave an answer that is none");
    }
    wire->status = wire->status_text.size ? wire->status_text.data[0] - '0' : -1;
    return 1;
}

static int wire_mark(struct lk_wire *wire, char mark)
{
    const char pair[2] = {LK_FRAME_MARK, mark};

    if (mark == LK_FRAME_BEGIN) {
        wire_clear_all(wire); /* an answer that was cut short is none */
        wire->crc = LK_FRAME_CRC;
    } else if (mark != LK_FRAME_END) {
        wire->crc = lk_frame_crc(wire->crc, pair, sizeof(pair));
    }
    if (mark >= '?' && mark <= '_') {
        struct lk_wire_text *text = wire_text(wire); /* a control byte of the text */

        return text ? wire_add(text, (char)(mark ^ 0x40)) : 0;
    }
    wire->mark = mark;
    if (!wire_text(wire)) {
        return wire_fault(wire, "gave an answer that is none");
    }
    if (wire_text(wire) == &wire->prompt) {
        wire->asks = (enum lk_frame_kind)mark;
    }
    return 0;
}

/* Up to the end of the answer to the line that was said last: 0; `knock` past: 1. */
static int wire_hear(struct lk_wire *wire, uint64_t knock)
{
    bool marked = false, inside = false;
    int answer = 0;

    wire_clear_all(wire);
    wire->fault = NULL;
    while (!answer) {
        uint64_t end = wire->heard_at + wire->timeout_ms;
        uint64_t last = wire->said_at + (uint64_t)WIRE_WHOLE * wire->timeout_ms;
        uint64_t until = end < last ? end : last;
        uint8_t byte;

        answer = wire_byte(wire, &byte, knock && !inside && knock < until ? knock : until);
        if (answer <= 0) {
            if (!answer && knock && !inside && wire_now() < until) {
                return 1;
            }
            return answer ? answer
                          : wire_fault(wire, !(wire->noise + wire->heard) ? "said nothing in time"
                                             : knock ? "says what no console of a store says"
                                                     : "gave no whole answer in time");
        }
        answer = 0;
        /* What wakes a console is no answer: there, noise does not move the end. */
        wire->heard_at = knock && !inside ? wire->heard_at : wire_now();
        if (inside && ++wire->heard > LK_WIRE_ANSWER_MAX) {
            return wire_fault(wire, "gave an answer without end");
        }
        if (marked) {
            marked = false;
            inside = inside || byte == LK_FRAME_BEGIN;
            answer = inside ? wire_mark(wire, (char)byte) : 0;
            continue;
        }
        marked = byte == LK_FRAME_MARK;
        if (!inside || marked) {
            wire->noise += !inside;
            continue;
        }
        if (wire->mark != LK_FRAME_END) {
            const char one = (char)byte;

            wire->crc = lk_frame_crc(wire->crc, &one, 1);
        }
        answer = wire_add(wire_text(wire), (char)byte);
        if (!answer && wire->crc_text.size == 4) {
            answer = wire_judge(wire);
            inside = answer != 0;
        }
    }
    return answer == 1 ? 0 : answer;
}

/* ---- Saying ---------------------------------------------------------------------------------- */

static int wire_write(struct lk_wire *wire, const char *data, size_t size)
{
    int error = wire->console->write(wire->self, (const uint8_t *)data, size);

    return !error ? 0
                  : wire_fault(wire, error == LK_E_BUSY ? "takes nothing" : "cannot be written to");
}

static bool wire_can_say(const char *text, size_t size)
{
    struct lk_span left = {(const uint8_t *)text, size};

    while (left.size) {
        uint32_t code;
        size_t step = lk_cli_utf8(left, &code);

        if (!step || code < 0x20 || (code >= 0x7F && code < 0xA0)) {
            return false;
        }
        left.data += step;
        left.size -= step;
    }
    return size <= LK_WIRE_LINE_MAX;
}

/* Ids differ from line to line, and from those of a program before this one. */
static void wire_next_id(struct lk_wire *wire)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* as above */
    wire->count = (uint16_t)(wire->count ? wire->count + 1 : (now.tv_nsec >> 8 | 1) & 0xFFFF);
    lk_frame_hex(wire->count, wire->id);
}

static int wire_send(struct lk_wire *wire, enum lk_frame_kind kind, const void *text, size_t size)
{
    char line[LK_WIRE_LINE_MAX + LK_FRAME_EXTRA + 2];
    size_t end = 0;
    int error;

    wire_next_id(wire);
    line[end++] = LK_FRAME_MARK;
    line[end++] = (char)(wire->json ? (int)kind - 0x20 : (int)kind);
    memcpy(line + end, wire->id, LK_FRAME_ID);
    end += LK_FRAME_ID;
    if (size) {
        memcpy(line + end, text, size);
    }
    end += size;
    lk_frame_hex(lk_frame_crc(LK_FRAME_CRC, line + 1, end - 1), line + end);
    end += 4;
    line[end++] = '\r';
    error = wire_write(wire, line, end);
    explicit_bzero(line, sizeof(line));
    return error;
}

int lk_wire_say(struct lk_wire *wire, enum lk_frame_kind kind, const void *text, size_t size)
{
    int error = wire_can_say(text, size) ? 0 : LK_E_USAGE;

    if (!error) {
        error = wire_send(wire, kind, text, size);
    }
    if (!error) {
        wire->noise = 0;
        wire->said_at = wire->heard_at = wire_now();
        error = wire_hear(wire, 0);
    }
    return error;
}

/* An empty command does nothing anywhere, and its answer tells what is read. */
int lk_wire_wake(struct lk_wire *wire)
{
    static const char cancel = WIRE_CANCEL;
    int error = 1;

    wire->noise = 0;
    wire->said_at = wire->heard_at = wire_now();
    while (error == 1) {
        error = wire_write(wire, &cancel, 1);
        if (!error) {
            error = wire_send(wire, LK_FRAME_COMMAND, NULL, 0);
        }
        if (!error) {
            error = wire_hear(wire, wire_now() + WIRE_KNOCK_MS);
        }
    }
    return error;
}

int lk_wire_cancel(struct lk_wire *wire)
{
    return lk_wire_wake(wire);
}

void lk_wire_hang_up(struct lk_wire *wire)
{
    static const char cancel = WIRE_CANCEL;

    /* Nothing more can be done where this fails. */
    if (!wire->console->write(wire->self, (const uint8_t *)&cancel, 1)) {
        (void)wire_send(wire, LK_FRAME_COMMAND, "logout", 6);
    }
}

void lk_wire_close(struct lk_wire *wire)
{
    struct lk_wire_text *const all[] = {&wire->out,         &wire->err,     &wire->prompt,
                                        &wire->status_text, &wire->id_text, &wire->crc_text};
    size_t i;

    wire_clear_all(wire);
    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        free(all[i]->data);
        *all[i] = (struct lk_wire_text){NULL, 0, 0};
    }
}
