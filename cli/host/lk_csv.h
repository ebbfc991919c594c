// SPDX-License-Identifier: MIT
/*
 * lk_csv.h: comma-separated values as RFC 4180 has them, read and written record by record.
 *
 * Limitations
 * - UTF-8 only (a byte order mark at the start is passed over); the separator is the comma. A line
 *   may end in CR LF or LF. Empty lines are passed over.
 * - A record is at most LK_CSV_RECORD_MAX bytes and LK_CSV_FIELDS_MAX fields.
 * - Wrong quotes end the reading: what follows them could be read in more than one way, and a text
 *   in one field could pass for a record of its own.
 * - The writer adds nothing to a value. A spreadsheet runs a field that begins with = + - or @ as a
 * formula: open such a file there as text. Putting a quote mark before them would change what an
 * import reads back.
 */
#ifndef LK_CSV_H
#define LK_CSV_H

#include "lk_base.h"

#define LK_CSV_RECORD_MAX 65536
#define LK_CSV_FIELDS_MAX 128

/* Fills `out` with up to `size` bytes; `got` 0 at the end. 0, or LK_E_IO. */
typedef int lk_csv_source(void *context, uint8_t *out, size_t size, size_t *got);

/* Supplied by the caller; fields but those marked are private. */
struct lk_csv_reader {
    lk_csv_source *source;
    void *context;
    uint8_t input[4096];
    size_t input_at, input_size;
    bool begun, input_end, broken;
    uint64_t next_line;
    size_t text_size;
    size_t starts[LK_CSV_FIELDS_MAX + 1]; /* of fields in `text` */
    uint8_t text[LK_CSV_RECORD_MAX];
    /* What the last lk_csv_read found, until the next. */
    struct lk_span fields[LK_CSV_FIELDS_MAX];
    size_t field_count;
    uint64_t line;    /* on which the record begins, from 1 */
    const char *rule; /* of a refusal; follows the word "record" */
};

void lk_csv_reader_init(struct lk_csv_reader *reader, lk_csv_source *source, void *context);

/*
 * The next record. LK_E_NOT_FOUND at the end; LK_E_USAGE for a record that is refused (`line`,
 * `rule`), after which reading goes on, or has ended when the fault was in the quotes; LK_E_IO.
 */
int lk_csv_read(struct lk_csv_reader *reader);

/* Takes all of `size` bytes: 0, or LK_E_IO. */
typedef int lk_csv_sink(void *context, const void *data, size_t size);

/* One field; `first` of its record or not. Quotes it where it must. */
int lk_csv_write_field(lk_csv_sink *sink, void *context, struct lk_span field, bool first);
/* CR LF, as the RFC has it. */
int lk_csv_write_end(lk_csv_sink *sink, void *context);

#endif
