// SPDX-License-Identifier: MIT
/*
 * lk_line.h: a line editor over the console of the port, for terminals and serial lines.
 *
 * Limitations
 * - Writes nothing but text, spaces and backspaces, so that any terminal will do. A line longer
 *   than the terminal is wide is written anew on a line of its own when it changes in front.
 * - Each character is taken to fill one column.
 * - Keys: Enter, Backspace, Delete, Left, Right, Home, End, Up and Down, Tab, ^A ^B ^C ^D ^E ^F ^H
 *   ^K ^L ^N ^P ^U ^W. Other control bytes and escape sequences are passed over. A line of a
 *   program (lk_frame.h) begins with ^^, which drops what was typed before it.
 */
#ifndef LK_LINE_H
#define LK_LINE_H

#include "lk_frame.h"

enum lk_line_event {
    LK_LINE_DONE = 0,      /* Enter */
    LK_LINE_CANCELLED = 1, /* ^C */
    LK_LINE_IDLE = 2,      /* nothing typed for the time given */
    LK_LINE_END = 3,       /* ^D on an empty line */
    LK_LINE_HUNG_UP = 4,   /* the other side is gone, or the console failed */
};

struct lk_line {
    /* Filled by the caller. */
    const struct lk_console *console;
    void *self; /* of the console */
    char *text; /* room for the line and a NUL */
    size_t capacity;
    char *history; /* room for lines before it; or NULL */
    size_t history_capacity;
    /* Tab was pressed: may call lk_line_insert, lk_line_write, lk_line_redraw. Or NULL. */
    void (*complete)(void *context, struct lk_line *line);
    void *context;
    enum lk_frame_kind wanted; /* of a program's lines */
    /* The line, for `complete` and afterwards. */
    size_t size;
    size_t at; /* of the cursor */
    /* Private; zeroed before the first use. */
    const char *prompt;
    size_t history_size;
    size_t recall; /* 0: the line being typed; n: the nth last of the history */
    uint8_t escape;
    uint8_t escape_number;
    uint8_t wide_size, wide_need; /* of a character of several bytes that is coming in */
    char wide[4];
    bool after_cr, secret;
    bool refused; /* something found no room */
    struct lk_frame_line frame;
};

/* Reads a line into line->text, with a NUL. `idle_ms` 0: no limit. */
enum lk_line_event lk_line_read(struct lk_line *line, const char *prompt, uint32_t idle_ms);
#define LK_LINE_SECRET_MAX 160

/* The same without echo, history and completion, and apart from the line: at most `capacity` (and
 * LK_LINE_SECRET_MAX) bytes into `out`, no NUL. `size`: SIZE_MAX when more were typed. */
enum lk_line_event lk_line_secret(struct lk_line *line, const char *prompt, uint32_t idle_ms,
                                  uint8_t *out, size_t capacity, size_t *size);
/* Keeps line->text for Up. The oldest make room. */
void lk_line_remember(struct lk_line *line);
/* Forgets and wipes what was kept. */
void lk_line_forget(struct lk_line *line);

void lk_line_write(struct lk_line *line, const char *text);
/* At the cursor. False, and a bell, when there is no room. */
bool lk_line_insert(struct lk_line *line, const char *text, size_t size);
/* Prompt and line on a fresh line. */
void lk_line_redraw(struct lk_line *line);

/*
 * Splits text in place into words at blanks; '…' and "…" hold blanks together. 0; LK_E_USAGE for a
 * quote that is not closed; LK_E_SPACE for more than `most` words.
 */
int lk_line_split(char *text, const char **words, size_t most, size_t *count);

#endif
