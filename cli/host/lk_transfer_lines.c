// SPDX-License-Identifier: MIT
/* lk_transfer_lines.c: lines of a text that may be hostile. */
#include "lk_transfer_internal.h"

#include <string.h>

void lk_lines_init(struct lk_lines *lines, lk_csv_source *source, void *context)
{
    lines->source = source;
    lines->context = context;
    lines->at = 0;
    lines->size = 0;
    lines->end = false;
    lines->line = 0;
}

/* Brings more input behind what is unread. */
static int lines_fill(struct lk_lines *lines)
{
    size_t got = 0;
    int error;

    memmove(lines->input, lines->input + lines->at, lines->size - lines->at);
    lines->size -= lines->at;
    lines->at = 0;
    error = lines->source(lines->context, lines->input + lines->size,
                          sizeof(lines->input) - lines->size, &got);
    if (error) {
        return error;
    }
    lines->size += got;
    lines->end = got == 0;
    return 0;
}

/* Finds the end of the line that begins at `at`; what is over-long is dropped on the way. */
static int lines_find_end(struct lk_lines *lines, size_t *size, bool *dropped)
{
    size_t looked = 0;

    *dropped = false;
    for (;;) {
        const uint8_t *begin = lines->input + lines->at;
        const uint8_t *end = memchr(begin + looked, '\n', lines->size - lines->at - looked);

        if (end != NULL) {
            *size = (size_t)(end - begin);
            return 0;
        }
        looked = lines->size - lines->at;
        if (lines->end) {
            *size = looked;
            return looked == 0 && !*dropped ? LK_E_NOT_FOUND : 0;
        }
        if (looked > LK_LINE_MAX) {
            *dropped = true;
            lines->at = lines->size;
            looked = 0;
        }
        int error = lines_fill(lines);

        if (error) {
            return error;
        }
    }
}

int lk_lines_next(struct lk_lines *lines, struct lk_span *text, const char **rule)
{
    bool dropped;
    size_t size;
    int error = lines_find_end(lines, &size, &dropped);

    if (error) {
        return error;
    }
    *text = (struct lk_span){lines->input + lines->at, size};
    lines->at += size;
    lines->at += lines->at < lines->size ? 1 : 0;
    lines->line++;
    if (lines->line == 1 && text->size >= 3 && memcmp(text->data, "\xEF\xBB\xBF", 3) == 0) {
        text->data += 3;
        text->size -= 3;
    }
    if (text->size > 0 && text->data[text->size - 1] == '\r') {
        text->size--;
    }
    if (dropped || text->size > LK_LINE_MAX) {
        *rule = "is longer than 65536 bytes";
        return LK_E_USAGE;
    }
    if (text->size > 0 && memchr(text->data, 0, text->size) != NULL) {
        *rule = "holds a NUL byte";
        return LK_E_USAGE;
    }
    if (!lk_utf8_valid(*text)) {
        *rule = "is not UTF-8";
        return LK_E_USAGE;
    }
    return 0;
}
