// SPDX-License-Identifier: MIT
/* lk_cli_text.c: plain text out, without stdio. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

struct lk_span lk_cli_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

bool lk_cli_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

void lk_cli_put_bytes(struct lk_cli_out *out, const void *data, size_t size)
{
    if (!out->error && size) {
        out->error = out->write(out->context, data, size);
    }
}

void lk_cli_put(struct lk_cli_out *out, const char *text)
{
    lk_cli_put_bytes(out, text, strlen(text));
}

void lk_cli_put_number(struct lk_cli_out *out, uint64_t number)
{
    char text[24];
    int size = lk_uint_format(number, text, sizeof(text));

    lk_cli_put_bytes(out, text, size > 0 ? (size_t)size : 0);
}

void lk_cli_put_time(struct lk_cli_out *out, uint64_t ms)
{
    char text[40];
    int size = lk_time_format(ms, text, sizeof(text));

    if (size > 0) {
        lk_cli_put_bytes(out, text, (size_t)size);
    } else {
        lk_cli_put_number(out, ms);
    }
}

void lk_cli_put_spaces(struct lk_cli_out *out, size_t count)
{
    static const char spaces[] = "                                ";

    while (count) {
        size_t part = count < sizeof(spaces) - 1 ? count : sizeof(spaces) - 1;

        lk_cli_put_bytes(out, spaces, part);
        count -= part;
    }
}

size_t lk_cli_utf8(struct lk_span text, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t head = text.data[0];
    size_t size, i;

    *code = head;
    if (head < 0x80) {
        return 1;
    }
    size = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : head >= 0xC2 ? 2 : 0;
    if (!size || head > 0xF4 || text.size < size) {
        return 0;
    }
    *code = head & (0x7Fu >> size);
    for (i = 1; i < size; i++) {
        if ((text.data[i] & 0xC0) != 0x80) {
            *code = head;
            return 0;
        }
        *code = *code << 6 | (text.data[i] & 0x3Fu);
    }
    if (*code < least[size] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF)) {
        *code = head;
        return 0;
    }
    return size;
}

bool lk_cli_drives_terminal(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C ||
           (code >= 0x200E && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void lk_cli_put_text(struct lk_cli_out *out, struct lk_span text)
{
    while (text.size) {
        uint32_t code;
        size_t size = lk_cli_utf8(text, &code);

        if (!size || lk_cli_drives_terminal(code)) {
            lk_cli_put(out, "?");
        } else {
            lk_cli_put_bytes(out, text.data, size);
        }
        size = size ? size : 1;
        text.data += size;
        text.size -= size;
    }
}

size_t lk_cli_columns(struct lk_span text)
{
    size_t i, columns = 0;

    for (i = 0; i < text.size; i++) {
        columns += (text.data[i] & 0xC0) != 0x80;
    }
    return columns;
}

/* `column` is where the cursor stands: 0, or `indent` when that was written already. */
static void text_wrap(struct lk_cli_out *out, const char *text, size_t column, size_t indent,
                      size_t width)
{
    bool blank = false;

    while (*text) {
        size_t size = strcspn(text, " \n");
        size_t columns = lk_cli_columns((struct lk_span){(const uint8_t *)text, size});

        if (blank && column + 1 + columns > width) {
            lk_cli_put(out, "\n");
            column = 0;
        }
        if (!column) {
            lk_cli_put_spaces(out, indent);
            column = indent;
        } else if (blank) {
            lk_cli_put(out, " ");
            column++;
        }
        lk_cli_put_bytes(out, text, size);
        column += columns;
        blank = true;
        text += size;
        if (*text == '\n') {
            lk_cli_put(out, "\n");
            column = 0;
            blank = false;
        }
        text += *text != '\0';
    }
    if (column) {
        lk_cli_put(out, "\n");
    }
}

void lk_cli_put_wrapped(struct lk_cli_out *out, const char *text, size_t indent, size_t width)
{
    text_wrap(out, text, 0, indent, width);
}

void lk_cli_put_wrapped_on(struct lk_cli_out *out, const char *text, size_t indent, size_t width)
{
    text_wrap(out, text, indent, indent, width);
}

static int text_buffer_write(void *context, const void *data, size_t size)
{
    struct lk_cli_buffer *buffer = context;
    size_t room = buffer->capacity - buffer->size;

    if (size > room) {
        size = room;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return 0;
}

void lk_cli_buffer_out(struct lk_cli_out *out, struct lk_cli_buffer *buffer, char *data,
                       size_t capacity)
{
    *buffer = (struct lk_cli_buffer){.data = data, .capacity = capacity};
    *out = (struct lk_cli_out){.write = text_buffer_write, .context = buffer};
}

void lk_cli_wipe(void *data, size_t size)
{
    volatile uint8_t *at = data;

    while (size--) {
        *at++ = 0;
    }
}
