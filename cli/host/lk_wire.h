// SPDX-License-Identifier: MIT
/*
 * lk_wire.h: the other end of a console's line: says lines, and hears the answers (lk_frame.h).
 * Nothing that comes over the line is believed: it is bounded, checked, and never waited for
 * without an end.
 */
#ifndef LK_WIRE_H
#define LK_WIRE_H

#include "lk_cli_host.h"
#include "lk_frame.h"

#define LK_WIRE_ANSWER_MAX 4194304 /* bytes of an answer, all told */
#define LK_WIRE_LINE_MAX   4096    /* of a line that is said */

struct lk_wire_text {
    char *data; /* with a NUL behind it; NULL: empty */
    size_t size, room;
};

struct lk_wire {
    /* Filled by the caller. */
    const struct lk_console *console;
    void *self;
    const struct lk_cli_host_ops *ops;
    void *ops_self;
    uint32_t timeout_ms;
    bool json; /* answers are to be JSON */
    /* The last answer. */
    struct lk_wire_text out, err, prompt;
    enum lk_frame_kind asks; /* what the console reads now; LK_FRAME_NONE: not known */
    int status;              /* of what ended with it; -1: it goes on */
    const char *fault;       /* after an error: what the device did wrong, in words */
    /* Private. */
    char id[LK_FRAME_ID];
    uint16_t count; /* of lines, from anywhere */
    size_t noise, heard;
    uint64_t said_at, heard_at; /* ms */
    uint16_t crc;
    char mark;
    struct lk_wire_text status_text, id_text, crc_text;
};

/* Drops whatever was going on at the other end, and asks what it reads now: wire->asks. */
int lk_wire_wake(struct lk_wire *wire);
/* Says a line, and hears its answer. LK_E_IO with `fault`, after which `asks` is not known;
 * LK_E_USAGE: the text is none that a line can hold; LK_E_FULL. */
int lk_wire_say(struct lk_wire *wire, enum lk_frame_kind kind, const void *text, size_t size);
/* Drops a question that cannot be answered, and asks again what is read then. */
int lk_wire_cancel(struct lk_wire *wire);
/* Ends the session at the other end without hearing whether that went well. */
void lk_wire_hang_up(struct lk_wire *wire);
/* Wipes and frees. */
void lk_wire_close(struct lk_wire *wire);

#endif
