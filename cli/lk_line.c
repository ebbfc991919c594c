// SPDX-License-Identifier: MIT
/* lk_line.c: the line editor. */
#include "lk_line.h"

#include <string.h>

enum {
    KEY_CTRL_A = 1,
    KEY_CTRL_B = 2,
    KEY_CTRL_C = 3,
    KEY_CTRL_D = 4,
    KEY_CTRL_E = 5,
    KEY_CTRL_F = 6,
    KEY_BELL = 7,
    KEY_BACKSPACE = 8,
    KEY_TAB = 9,
    KEY_LF = 10,
    KEY_CTRL_K = 11,
    KEY_CTRL_L = 12,
    KEY_CR = 13,
    KEY_CTRL_N = 14,
    KEY_CTRL_P = 16,
    KEY_CTRL_U = 21,
    KEY_CTRL_W = 23,
    KEY_ESCAPE = 27,
    KEY_MARK = LK_FRAME_MARK,
    KEY_DELETE = 127,
};

/* Where in an escape sequence the input is: ESC, then [ or O, then numbers, then a letter. */
enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI, ESCAPE_SS3 };

/* ---- Output ---------------------------------------------------------------------------------- */

static void line_put(struct lk_line *line, const char *data, size_t size)
{
    if (size) {
        /* A console that cannot be written to shows when it is read. */
        (void)line->console->write(line->self, (const uint8_t *)data, size);
    }
}

void lk_line_write(struct lk_line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

static void line_bell(struct lk_line *line)
{
    static const char bell = KEY_BELL;

    line_put(line, &bell, line->frame.framed ? 0 : 1);
}

static size_t line_columns(const char *text, size_t size)
{
    size_t i, columns = 0;

    for (i = 0; i < size; i++) {
        columns += ((uint8_t)text[i] & 0xC0) != 0x80;
    }
    return columns;
}

static void line_repeat(struct lk_line *line, char byte, size_t count)
{
    char part[16];

    memset(part, byte, sizeof(part));
    while (count) {
        size_t size = count < sizeof(part) ? count : sizeof(part);

        line_put(line, part, size);
        count -= size;
    }
}

/* Backspace does not climb to the row above. */
static bool line_wraps(const struct lk_line *line)
{
    size_t width = line->console->width ? line->console->width(line->self) : 80;

    return strlen(line->prompt) + line_columns(line->text, line->size) + 1 >= width;
}

/* Writes what stands after the cursor again, and `gone` blanks over what it was longer before. */
static void line_tail(struct lk_line *line, size_t gone)
{
    size_t columns = line_columns(line->text + line->at, line->size - line->at);

    line_put(line, line->text + line->at, line->size - line->at);
    line_repeat(line, ' ', gone);
    line_repeat(line, '\b', columns + gone);
}

static void line_show(struct lk_line *line)
{
    lk_line_write(line, line->prompt);
    line_put(line, line->text, line->size);
    line_repeat(line, '\b', line_columns(line->text + line->at, line->size - line->at));
}

void lk_line_redraw(struct lk_line *line)
{
    lk_line_write(line, "\n");
    line_show(line);
}

/* ---- Editing --------------------------------------------------------------------------------- */

bool lk_line_insert(struct lk_line *line, const char *text, size_t size)
{
    if (line->capacity - 1 - line->size < size) {
        line_bell(line);
        return false;
    }
    memmove(line->text + line->at + size, line->text + line->at, line->size - line->at);
    memcpy(line->text + line->at, text, size);
    line->size += size;
    line->at += size;
    if (!line->secret) {
        line_put(line, text, size);
        if (line->at < line->size) {
            line_tail(line, 0);
        }
    }
    return true;
}

static size_t line_before(const struct lk_line *line)
{
    size_t at = line->at;

    while (at) {
        at--;
        if (((uint8_t)line->text[at] & 0xC0) != 0x80) {
            break;
        }
    }
    return at;
}

static size_t line_after(const struct lk_line *line)
{
    size_t at = line->at;

    while (at < line->size) {
        at++;
        if (at == line->size || ((uint8_t)line->text[at] & 0xC0) != 0x80) {
            break;
        }
    }
    return at;
}

static void line_move(struct lk_line *line, size_t at)
{
    if (line->secret) {
        return;
    }
    if (at < line->at) {
        line_repeat(line, '\b', line_columns(line->text + at, line->at - at));
    } else {
        line_put(line, line->text + line->at, at - line->at);
    }
    line->at = at;
}

/* Takes the bytes from `from` up to `to`, between which or at whose end the cursor stands. */
static void line_cut(struct lk_line *line, size_t from, size_t to)
{
    bool wraps = !line->secret && line_wraps(line);
    size_t gone = line_columns(line->text + from, to - from);

    if (from == to) {
        return;
    }
    if (!wraps) {
        line_move(line, from);
    }
    memmove(line->text + from, line->text + to, line->size - to);
    line->size -= to - from;
    line->at = from;
    if (line->secret) {
        return;
    }
    if (wraps) {
        lk_line_redraw(line);
    } else {
        line_tail(line, gone);
    }
}

static void line_cut_word(struct lk_line *line)
{
    size_t from = line->at;

    while (from && line->text[from - 1] == ' ') {
        from--;
    }
    while (from && line->text[from - 1] != ' ') {
        from--;
    }
    line_cut(line, from, line->at);
}

/* ---- History --------------------------------------------------------------------------------- */

/* Lines lie one after the other, each ended by a NUL, the oldest first. */
static const char *line_kept(const struct lk_line *line, size_t n)
{
    size_t at = line->history_size;

    while (n && at) {
        at--;
        while (at && line->history[at - 1]) {
            at--;
        }
        n--;
    }
    return n ? NULL : line->history + at;
}

void lk_line_remember(struct lk_line *line)
{
    size_t size = strlen(line->text) + 1;

    if (!line->history || size == 1 || size > line->history_capacity ||
        (line->history_size && strcmp(line_kept(line, 1), line->text) == 0)) {
        return;
    }
    while (line->history_size + size > line->history_capacity) {
        size_t oldest = strlen(line->history) + 1;

        memmove(line->history, line->history + oldest, line->history_size - oldest);
        line->history_size -= oldest;
    }
    memcpy(line->history + line->history_size, line->text, size);
    line->history_size += size;
}

static void line_wipe(char *data, size_t size)
{
    volatile char *at = data;

    while (size--) {
        *at++ = 0;
    }
}

void lk_line_forget(struct lk_line *line)
{
    if (line->history) {
        line_wipe(line->history, line->history_capacity);
    }
    line_wipe(line->text, line->capacity);
    line->history_size = 0;
    line->recall = 0;
}

static void line_recall(struct lk_line *line, bool older)
{
    size_t n = older ? line->recall + 1 : line->recall - 1;
    const char *kept;

    if (line->secret || !line->history || (!older && !line->recall)) {
        return;
    }
    kept = n ? line_kept(line, n) : "";
    if (!kept || (n && !line->history_size) || strlen(kept) > line->capacity - 1) {
        line_bell(line);
        return;
    }
    line_move(line, line->size);
    line_cut(line, 0, line->size);
    line->recall = n;
    (void)lk_line_insert(line, kept, strlen(kept)); /* its size was looked at */
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void line_letter(struct lk_line *line, uint8_t letter)
{
    switch (letter) {
    case 'A': line_recall(line, true); break;
    case 'B': line_recall(line, false); break;
    case 'C': line_move(line, line_after(line)); break;
    case 'D': line_move(line, line_before(line)); break;
    case 'H': line_move(line, 0); break;
    case 'F': line_move(line, line->size); break;
    case '~':
        if (line->escape_number == 3) {
            line_cut(line, line->at, line_after(line));
        } else if (line->escape_number == 1 || line->escape_number == 7) {
            line_move(line, 0);
        } else if (line->escape_number == 4 || line->escape_number == 8) {
            line_move(line, line->size);
        }
        break;
    default: break;
    }
}

static void line_escaped(struct lk_line *line, uint8_t byte)
{
    if (line->escape == ESCAPE_BEGUN) {
        line->escape_number = 0;
        line->escape = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : ESCAPE_NONE;
        return;
    }
    if (line->escape == ESCAPE_CSI && byte >= 0x20 && byte < 0x40) {
        if (byte >= '0' && byte <= '9') {
            line->escape_number = (uint8_t)(line->escape_number * 10 + (byte - '0'));
        }
        return;
    }
    line->escape = ESCAPE_NONE;
    line_letter(line, byte);
}

static void line_begin_frame(struct lk_line *line)
{
    if (line->wanted) {
        line->size = line->at = 0;
        line->refused = false;
        line->secret = line->frame.framed = true;
    }
}

static void line_control(struct lk_line *line, uint8_t byte)
{
    switch (byte) {
    case KEY_MARK: line_begin_frame(line); break;
    case KEY_BACKSPACE:
    case KEY_DELETE: line_cut(line, line_before(line), line->at); break;
    case KEY_CTRL_D: line_cut(line, line->at, line_after(line)); break;
    case KEY_CTRL_U: line_cut(line, 0, line->at); break;
    case KEY_CTRL_K: line_cut(line, line->at, line->size); break;
    case KEY_CTRL_W: line_cut_word(line); break;
    case KEY_CTRL_A: line_move(line, 0); break;
    case KEY_CTRL_E: line_move(line, line->size); break;
    case KEY_CTRL_B: line_move(line, line_before(line)); break;
    case KEY_CTRL_F: line_move(line, line_after(line)); break;
    case KEY_CTRL_P: line_recall(line, true); break;
    case KEY_CTRL_N: line_recall(line, false); break;
    case KEY_ESCAPE: line->escape = ESCAPE_BEGUN; break;
    case KEY_CTRL_L:
        if (!line->secret) {
            lk_line_redraw(line);
        }
        break;
    case KEY_TAB:
        if (line->complete && !line->secret) {
            line->complete(line->context, line);
        }
        break;
    default: break;
    }
}

static void line_type(struct lk_line *line, const char *text, size_t size)
{
    line->refused |= !lk_line_insert(line, text, size);
}

/* Bytes of one character go in together; what is not UTF-8, and C1 controls, are passed over. */
static void line_wide(struct lk_line *line, uint8_t byte)
{
    if (byte >= 0xC0) {
        line->wide_need = (uint8_t)(byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2);
        line->wide_size = 0;
        if (byte < 0xC2 || byte > 0xF4) {
            line->wide_need = 0;
            return;
        }
    } else if (!line->wide_need) {
        return;
    }
    line->wide[line->wide_size++] = (char)byte;
    if (line->wide_size == line->wide_need) {
        line->wide_need = 0;
        if ((uint8_t)line->wide[0] != 0xC2 || byte >= 0xA0) {
            line_type(line, line->wide, line->wide_size);
        }
    }
}

/* True when the line is over, in the way `event` tells. */
static bool line_byte(struct lk_line *line, uint8_t byte, enum lk_line_event *event)
{
    bool after_cr = line->after_cr;
    char text = (char)byte;

    line->after_cr = byte == KEY_CR;
    if (line->escape && byte != KEY_CTRL_C && byte != KEY_CR && byte != KEY_LF &&
        byte != KEY_MARK) {
        line_escaped(line, byte);
        return false;
    }
    line->escape = ESCAPE_NONE;
    if (byte == KEY_LF && after_cr) {
        return false; /* the second half of the Enter before */
    }
    if (byte == KEY_CR || byte == KEY_LF) {
        *event = LK_LINE_DONE;
        return true;
    }
    if (byte == KEY_CTRL_C) {
        *event = LK_LINE_CANCELLED;
        return true;
    }
    if (byte == KEY_CTRL_D && !line->size) {
        *event = LK_LINE_END;
        return true;
    }
    if (byte >= 0x80) {
        line_wide(line, byte);
        return false;
    }
    line->wide_need = 0;
    if (byte < 0x20 || byte == KEY_DELETE) {
        line_control(line, byte);
    } else {
        line_type(line, &text, 1);
    }
    return false;
}

static enum lk_line_event line_run(struct lk_line *line, uint32_t idle_ms)
{
    enum lk_line_event event = LK_LINE_DONE;

    line->size = line->at = line->recall = 0;
    line->escape = ESCAPE_NONE;
    line->wide_need = 0;
    line->refused = false;
    memset(&line->frame, 0, sizeof(line->frame));
    for (;;) {
        uint8_t byte;
        int got = line->console->read(line->self, &byte, idle_ms);

        if (got != 1) {
            event = got == 0 ? LK_LINE_IDLE : LK_LINE_HUNG_UP;
            break;
        }
        if (line_byte(line, byte, &event)) {
            break;
        }
        line->refused = line->refused && line->size;
    }
    line->frame.framed = line->frame.framed && event == LK_LINE_DONE;
    if (line->frame.framed) {
        lk_frame_take(&line->frame, line->wanted, line->text, &line->size);
        line->at = line->size;
    }
    line->text[line->size] = '\0';
    return event;
}

enum lk_line_event lk_line_read(struct lk_line *line, const char *prompt, uint32_t idle_ms)
{
    enum lk_line_event event;

    line->prompt = prompt;
    line->secret = false;
    lk_line_write(line, prompt);
    event = line_run(line, idle_ms);
    line_move(line, line->size);
    lk_line_write(line, event == LK_LINE_CANCELLED ? "^C\n" : "\n");
    return event;
}

enum lk_line_event lk_line_secret(struct lk_line *line, const char *prompt, uint32_t idle_ms,
                                  uint8_t *out, size_t capacity, size_t *size)
{
    char room[LK_LINE_SECRET_MAX + 1];
    struct lk_line typed = {.console = line->console,
                            .self = line->self,
                            .text = room,
                            .prompt = prompt,
                            .wanted = line->wanted,
                            .after_cr = line->after_cr,
                            .secret = true};
    enum lk_line_event event;

    /* The line being worked on stays: its words may be a command that asks. */
    typed.capacity = capacity < LK_LINE_SECRET_MAX - LK_FRAME_EXTRA ? capacity + LK_FRAME_EXTRA + 1
                                                                    : sizeof(room);
    lk_line_write(&typed, prompt);
    event = line_run(&typed, idle_ms);
    lk_line_write(&typed, "\n");
    *size = 0;
    if (event == LK_LINE_DONE) {
        /* What is too long is refused, not cut. */
        bool fits = !typed.refused && typed.size <= capacity;

        *size = fits ? typed.size : SIZE_MAX;
        memcpy(out, room, fits ? typed.size : 0);
    }
    line->frame = typed.frame;
    if (typed.frame.framed && typed.frame.fault && !typed.refused) {
        line_wipe((char *)out, *size == SIZE_MAX ? 0 : *size);
        *size = 0;
        event = LK_LINE_CANCELLED;
    }
    line->after_cr = typed.after_cr;
    line_wipe(room, sizeof(room));
    return event;
}

/* ---- Words ----------------------------------------------------------------------------------- */

int lk_line_split(char *text, const char **words, size_t most, size_t *count)
{
    char *in = text, *out = text;
    char quote = 0;
    bool word = false;

    *count = 0;
    for (; *in; in++) {
        if (!quote && (*in == ' ' || *in == '\t')) {
            if (word) {
                *out++ = '\0';
            }
            word = false;
            continue;
        }
        if (!word) {
            if (*count == most) {
                return LK_E_SPACE;
            }
            words[(*count)++] = out;
            word = true;
        }
        if (quote ? *in == quote : (*in == '\'' || *in == '"')) {
            quote = quote ? 0 : *in;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return quote ? LK_E_USAGE : 0;
}
