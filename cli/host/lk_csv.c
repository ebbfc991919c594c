// SPDX-License-Identifier: MIT
/* lk_csv.c: reader and writer of RFC 4180. */
#include "lk_csv.h"
#include "lk_cbor.h"

#include <string.h>

#define CSV_END (-1)

enum csv_state {
    CSV_FIELD_START, /* nothing of the field seen */
    CSV_PLAIN,
    CSV_QUOTED,
    CSV_QUOTE_SEEN /* a quote inside a quoted field: its end, or the first of two */
};

void lk_csv_reader_init(struct lk_csv_reader *reader, lk_csv_source *source, void *context)
{
    reader->source = source;
    reader->context = context;
    reader->input_at = 0;
    reader->input_size = 0;
    reader->input_end = false;
    reader->broken = false;
    reader->begun = false;
    reader->next_line = 1;
    reader->field_count = 0;
    reader->line = 0;
    reader->rule = NULL;
}

static int csv_fill(struct lk_csv_reader *reader)
{
    size_t got = 0;
    int error = reader->source(reader->context, reader->input, sizeof(reader->input), &got);

    if (error) {
        return error;
    }
    reader->input_at = 0;
    reader->input_size = got;
    reader->input_end = got == 0;
    return 0;
}

/* Passes over a byte order mark, however small the pieces that it comes in. */
static int csv_begin(struct lk_csv_reader *reader)
{
    size_t got = 1;
    int error = 0;

    while (!error && got > 0 && reader->input_size < 3) {
        error = reader->source(reader->context, reader->input + reader->input_size,
                               sizeof(reader->input) - reader->input_size, &got);
        reader->input_size += error ? 0 : got;
    }
    if (!error && reader->input_size >= 3 && memcmp(reader->input, "\xEF\xBB\xBF", 3) == 0) {
        reader->input_at = 3;
    }
    reader->begun = true;
    return error;
}

/* The next byte, or CSV_END; `error` is set when the source failed. */
static int csv_next(struct lk_csv_reader *reader, int *error)
{
    if (reader->input_at == reader->input_size) {
        *error = reader->input_end ? 0 : csv_fill(reader);
        if (*error || reader->input_end) {
            return CSV_END;
        }
    }
    return reader->input[reader->input_at++];
}

static void csv_refuse(struct lk_csv_reader *reader, const char *rule)
{
    if (reader->rule == NULL) {
        reader->rule = rule;
    }
}

static void csv_keep(struct lk_csv_reader *reader, int byte)
{
    if (byte == 0) {
        csv_refuse(reader, "holds a NUL byte");
    }
    if (reader->text_size == sizeof(reader->text)) {
        csv_refuse(reader, "is longer than 65536 bytes");
        return;
    }
    reader->text[reader->text_size++] = (uint8_t)byte;
}

static void csv_field_end(struct lk_csv_reader *reader)
{
    if (reader->field_count == LK_CSV_FIELDS_MAX) {
        csv_refuse(reader, "has more than 128 fields");
        return;
    }
    reader->field_count++;
    reader->starts[reader->field_count] = reader->text_size;
}

/* Takes a byte into the record. True when the record is over. */
static bool csv_step(struct lk_csv_reader *reader, enum csv_state *state, int byte)
{
    switch (*state) {
    case CSV_QUOTED:
        if (byte == CSV_END) {
            csv_refuse(reader, "has a quoted field that never ends");
            reader->broken = true;
            return true;
        }
        if (byte == '"') {
            *state = CSV_QUOTE_SEEN;
        } else {
            reader->next_line += byte == '\n' ? 1 : 0;
            csv_keep(reader, byte);
        }
        return false;
    case CSV_QUOTE_SEEN:
        if (byte == '"') {
            csv_keep(reader, byte);
            *state = CSV_QUOTED;
            return false;
        }
        if (byte != ',' && byte != '\n' && byte != CSV_END) {
            csv_refuse(reader, "has text after the closing quote of a field; the rest of the file "
                               "was not read");
            reader->broken = true;
            return true;
        }
        break;
    case CSV_FIELD_START:
        if (byte == '"') {
            *state = CSV_QUOTED;
            return false;
        }
        *state = CSV_PLAIN;
        break;
    case CSV_PLAIN:
        if (byte == '"') {
            csv_refuse(reader, "has a quote inside a field that is not quoted; the rest of the "
                               "file was not read");
            reader->broken = true;
            return true;
        }
        break;
    }
    if (byte == ',') {
        csv_field_end(reader);
        *state = CSV_FIELD_START;
        return false;
    }
    if (byte == '\n' || byte == CSV_END) {
        csv_field_end(reader);
        reader->next_line += byte == '\n' ? 1 : 0;
        return true;
    }
    csv_keep(reader, byte);
    return false;
}

/* A carriage return belongs to the line's end only when a line feed, or nothing, follows. */
static int csv_next_unit(struct lk_csv_reader *reader, enum csv_state state, int *error)
{
    int byte = csv_next(reader, error);

    if (byte != '\r' || state == CSV_QUOTED) {
        return byte;
    }
    if (reader->input_at == reader->input_size && !reader->input_end) {
        *error = csv_fill(reader);
        if (*error) {
            return CSV_END;
        }
    }
    if (reader->input_end && reader->input_at == reader->input_size) {
        return CSV_END;
    }
    return reader->input[reader->input_at] == '\n' ? csv_next(reader, error) : '\r';
}

/* Reads what stands up to the end of a record. */
static int csv_read_record(struct lk_csv_reader *reader)
{
    enum csv_state state = CSV_FIELD_START;
    bool over = false;
    int error = 0;

    reader->text_size = 0;
    reader->field_count = 0;
    reader->starts[0] = 0;
    reader->rule = NULL;
    reader->line = reader->next_line;
    while (!over) {
        int byte = csv_next_unit(reader, state, &error);

        if (error) {
            return error;
        }
        if (byte == CSV_END && reader->text_size == 0 && reader->field_count == 0 &&
            state == CSV_FIELD_START) {
            return LK_E_NOT_FOUND;
        }
        over = csv_step(reader, &state, byte);
    }
    return 0;
}

int lk_csv_read(struct lk_csv_reader *reader)
{
    int error = reader->begun ? 0 : csv_begin(reader);

    if (error || reader->broken) {
        return error ? error : LK_E_NOT_FOUND;
    }
    do {
        error = csv_read_record(reader);
        if (error) {
            return error;
        }
    } while (reader->rule == NULL && reader->field_count == 1 && reader->text_size == 0);
    /* Each by itself: halves of a character in two fields are none. */
    for (size_t i = 0; reader->rule == NULL && i < reader->field_count; i++) {
        reader->fields[i] = (struct lk_span){reader->text + reader->starts[i],
                                             reader->starts[i + 1] - reader->starts[i]};
        if (!lk_utf8_valid(reader->fields[i])) {
            csv_refuse(reader, "is not UTF-8");
        }
    }
    return reader->rule == NULL ? 0 : LK_E_USAGE;
}

static bool csv_must_quote(struct lk_span field)
{
    for (size_t i = 0; i < field.size; i++) {
        uint8_t byte = field.data[i];

        if (byte == '"' || byte == ',' || byte == '\r' || byte == '\n') {
            return true;
        }
    }
    /* Some readers trim what is not quoted. */
    return field.size > 0 && (field.data[0] == ' ' || field.data[field.size - 1] == ' ');
}

int lk_csv_write_field(lk_csv_sink *sink, void *context, struct lk_span field, bool first)
{
    size_t begin = 0;
    int error = first ? 0 : sink(context, ",", 1);

    if (error || !csv_must_quote(field)) {
        return error || field.size == 0 ? error : sink(context, field.data, field.size);
    }
    error = sink(context, "\"", 1);
    for (size_t i = 0; !error && i < field.size; i++) {
        /* Each piece ends with the quote, which begins the next piece again: it is doubled. */
        if (field.data[i] == '"') {
            error = sink(context, field.data + begin, i + 1 - begin);
            begin = i;
        }
    }
    if (!error) {
        error = sink(context, field.data + begin, field.size - begin);
    }
    return error ? error : sink(context, "\"", 1);
}

int lk_csv_write_end(lk_csv_sink *sink, void *context)
{
    return sink(context, "\r\n", 2);
}
