// SPDX-License-Identifier: MIT
/*
 * lk_codec.c: any kind's C struct to a deterministic CBOR map with integer keys, and back.
 *
 * Entries whose number this program does not know stay in `record->raw` and are written again.
 */
#include "lk_engine.h"

/* Walks a kind's stored fields in order of number, the audit fields first. */
struct codec_fields {
    const struct lk_kind *kind;
    size_t at;
};

static const struct lk_field *codec_next(struct codec_fields *fields)
{
    size_t base = fields->kind->flags & LK_K_AUDIT_FIELDS ? LK_AUDIT_FIELD_COUNT : 0;
    const struct lk_field *field;

    do {
        if (fields->at < base) {
            return &lk_audit_fields[fields->at++];
        }
        if (fields->at - base >= fields->kind->field_count) {
            return NULL;
        }
        field = &fields->kind->fields[fields->at++ - base];
    } while (field->flags & LK_F_COMPUTED);
    return field;
}

/* Walks the entries of `raw` that the kind has no field for. */
struct codec_unknown {
    struct lk_cbor_reader reader;
    uint64_t left;
    uint64_t number;
    struct lk_span value;
};

static void codec_unknown_begin(struct codec_unknown *unknown, struct lk_span raw)
{
    struct lk_cbor_item head;

    unknown->left = 0;
    lk_cbor_reader_init(&unknown->reader, raw);
    if (raw.size && !lk_cbor_read(&unknown->reader, &head) && head.type == LK_CBOR_MAP) {
        unknown->left = head.number;
    }
}

static bool codec_unknown_next(struct codec_unknown *unknown, const struct lk_kind *kind)
{
    struct lk_cbor_item key;
    const struct lk_field *field;

    while (unknown->left) {
        unknown->left--;
        if (lk_cbor_read(&unknown->reader, &key) || key.type != LK_CBOR_UINT ||
            lk_cbor_skip(&unknown->reader, LK_CBOR_DEPTH - 1, &unknown->value)) {
            unknown->left = 0;
            return false;
        }
        field = key.number < 64 ? lk_field_numbered(kind, (unsigned)key.number) : NULL;
        if (!field || field->flags & LK_F_COMPUTED) {
            unknown->number = key.number;
            return true;
        }
    }
    return false;
}

static const struct lk_like *codec_like(const struct lk_field *field)
{
    return field->type == LK_ENUM ? NULL : field->like;
}

static uint64_t codec_place(const struct lk_record *record, uint16_t offset)
{
    uint64_t number = 0;

    if (offset) {
        memcpy(&number, (const uint8_t *)record + offset, sizeof(number));
    }
    return number;
}

/* What a number that is implied is read as when it is absent. */
static uint64_t codec_implied(const struct lk_record *record, const struct lk_field *field)
{
    const struct lk_like *like = codec_like(field);

    return like ? codec_place(record, like->first) + codec_place(record, like->plus) -
                      codec_place(record, like->less)
                : field->initial;
}

/* What is to be added to a number that is stored. */
static uint64_t codec_base(const struct lk_record *record, const struct lk_field *field)
{
    return codec_like(field) && field->type != LK_REF ? codec_implied(record, field) : 0;
}

static struct lk_span codec_initial(const struct lk_field *field)
{
    return (struct lk_span){(const uint8_t *)field->initial_text, strlen(field->initial_text)};
}

/* A number, or an empty text, that is not there is stored as such where another one is implied. */
static uint64_t codec_number(const struct lk_record *record, const struct lk_field *field)
{
    return LK_HAS(record, field->number) ? lk_field_number(record, field) : 0;
}

static struct lk_span codec_text(const struct lk_record *record, const struct lk_field *field)
{
    return LK_HAS(record, field->number) ? lk_field_span(record, field) : (struct lk_span){NULL, 0};
}

/* Whether it has anything else than it is read as when it is absent. */
static bool codec_differs(const struct lk_record *record, const struct lk_field *field)
{
    return lk_field_is_number(field)
               ? codec_number(record, field) != codec_implied(record, field)
               : !lk_span_equal(codec_text(record, field), codec_initial(field));
}

static inline bool codec_stores(const struct lk_record *record, const struct lk_field *field)
{
    return field->flags & LK_F_IMPLIED ? codec_differs(record, field)
                                       : LK_HAS(record, field->number);
}

static void codec_put(struct lk_cbor_writer *writer, const struct lk_field *field,
                      const struct lk_record *record)
{
    lk_cbor_put_uint(writer, field->number);
    switch ((enum lk_field_type)field->type) {
    case LK_BOOL: lk_cbor_put_bool(writer, lk_field_number(record, field) != 0); break;
    case LK_UINT:
    case LK_ENUM:
    case LK_TIME:
    case LK_REF:
        lk_cbor_put_uint(writer, codec_number(record, field) - codec_base(record, field));
        break;
    case LK_STRING: lk_cbor_put_text(writer, codec_text(record, field)); break;
    case LK_BYTES:
    case LK_UUID:
    case LK_ADDRESS: lk_cbor_put_bytes(writer, lk_field_span(record, field)); break;
    case LK_MAP:
    case LK_REFS: lk_cbor_put_raw(writer, lk_field_span(record, field)); break;
    }
}

int lk_record_encode(const struct lk_kind *kind, const struct lk_record *record, uint8_t *out,
                     size_t capacity, size_t *size)
{
    struct lk_cbor_writer writer;
    struct codec_fields fields = {kind, 0};
    struct codec_unknown unknown;
    const struct lk_field *field;
    bool more;
    size_t count = 0;

    while ((field = codec_next(&fields)) != NULL) {
        count += codec_stores(record, field);
    }
    codec_unknown_begin(&unknown, record->raw);
    while (codec_unknown_next(&unknown, kind)) {
        count++;
    }

    lk_cbor_writer_init(&writer, out, capacity);
    lk_cbor_put_map(&writer, count);
    fields.at = 0;
    codec_unknown_begin(&unknown, record->raw);
    more = codec_unknown_next(&unknown, kind);
    do {
        field = codec_next(&fields);
        while (more && (!field || unknown.number < field->number)) {
            lk_cbor_put_uint(&writer, unknown.number);
            lk_cbor_put_raw(&writer, unknown.value);
            more = codec_unknown_next(&unknown, kind);
        }
        if (field && codec_stores(record, field)) {
            codec_put(&writer, field, record);
        }
    } while (field);
    return lk_cbor_finish(&writer, size);
}

/* Decoding goes over every field of every record that is read: no call for a store to a place whose
 * type the caller has just looked at. */
static inline void codec_set_number(struct lk_record *record, const struct lk_field *field,
                                    uint64_t number)
{
    memcpy((uint8_t *)record + field->offset, &number, sizeof(number));
    /* One that others imply is there unless it is 0. */
    if (number || !codec_like(field)) {
        record->present |= LK_BIT(field->number);
    }
}

static inline void codec_set_span(struct lk_record *record, const struct lk_field *field,
                                  struct lk_span span)
{
    memcpy((uint8_t *)record + field->offset, &span, sizeof(span));
    record->present |= LK_BIT(field->number);
}

/* What an absent field reads as; the struct is all zero. */
static inline void codec_default(const struct lk_field *field, struct lk_record *record)
{
    if (field->flags & LK_F_IMPLIED) {
        if (lk_field_is_number(field)) {
            codec_set_number(record, field, codec_implied(record, field));
        } else {
            codec_set_span(record, field, codec_initial(field));
        }
    } else if (field->initial) {
        memcpy((uint8_t *)record + field->offset, &field->initial, sizeof(field->initial));
    } else if (field->initial_text) {
        struct lk_span text = codec_initial(field);

        memcpy((uint8_t *)record + field->offset, &text, sizeof(text));
    }
}

/* Bounds that reading depends on; the other rules were held when the record was written. */
static bool codec_size_fits(const struct lk_field *field, size_t size)
{
    switch ((enum lk_field_type)field->type) {
    case LK_UUID: return size == 16;
    case LK_ADDRESS: return size == 4 || size == 16;
    default: return size >= field->min && size <= field->max;
    }
}

static int codec_take(struct lk_cbor_reader *reader, const struct lk_field *field,
                      struct lk_record *record)
{
    struct lk_cbor_item item;
    struct lk_span span;
    int error;

    if (field->type == LK_MAP || field->type == LK_REFS) {
        enum lk_cbor_type want = field->type == LK_MAP ? LK_CBOR_MAP : LK_CBOR_ARRAY;

        if (reader->at == reader->end || *reader->at >> 5 != (uint8_t)want) {
            return LK_E_CORRUPT;
        }
        error = lk_cbor_skip(reader, LK_CBOR_DEPTH - 1, &span);
        if (error || span.size > field->max) {
            return LK_E_CORRUPT;
        }
        codec_set_span(record, field, span);
        return 0;
    }
    error = lk_cbor_read(reader, &item);
    if (error) {
        return error;
    }
    switch ((enum lk_field_type)field->type) {
    case LK_BOOL:
        if (item.type != LK_CBOR_TRUE && item.type != LK_CBOR_FALSE) {
            return LK_E_CORRUPT;
        }
        codec_set_number(record, field, item.type == LK_CBOR_TRUE);
        return 0;
    case LK_UINT:
    case LK_ENUM:
    case LK_TIME:
    case LK_REF:
        if (item.type != LK_CBOR_UINT) {
            return LK_E_CORRUPT;
        }
        codec_set_number(record, field, item.number + codec_base(record, field));
        return 0;
    default:
        if (item.type == LK_CBOR_TEXT && !item.span.size && field->flags & LK_F_IMPLIED) {
            return 0;
        }
        if (item.type != (field->type == LK_STRING ? LK_CBOR_TEXT : LK_CBOR_BYTES) ||
            !codec_size_fits(field, item.span.size)) {
            return LK_E_CORRUPT;
        }
        codec_set_span(record, field, item.span);
        return 0;
    }
}

/* The entries of a record's map, their numbers rising. */
struct codec_entries {
    struct lk_cbor_reader reader;
    uint64_t left;   /* entries behind the one that stands */
    uint64_t number; /* of the entry that stands; CODEC_END behind the last */
};

#define CODEC_END UINT64_MAX

static inline int codec_advance(struct codec_entries *entries, bool first)
{
    struct lk_cbor_item item;

    if (!entries->left) {
        entries->number = CODEC_END;
        return 0;
    }
    entries->left--;
    if (lk_cbor_read(&entries->reader, &item) || item.type != LK_CBOR_UINT ||
        item.number == CODEC_END || (!first && item.number <= entries->number)) {
        return LK_E_CORRUPT;
    }
    entries->number = item.number;
    return 0;
}

/* Takes the fields of one table; what lies between their numbers is not this program's. */
static int codec_take_all(struct codec_entries *entries, const struct lk_field *fields,
                          size_t count, struct lk_record *record)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const struct lk_field *field = &fields[i];

        if (field->flags & LK_F_COMPUTED) {
            codec_default(field, record);
            continue;
        }
        while (entries->number < field->number) {
            if (lk_cbor_skip(&entries->reader, LK_CBOR_DEPTH - 1, NULL) ||
                codec_advance(entries, false)) {
                return LK_E_CORRUPT;
            }
        }
        if (entries->number != field->number) {
            codec_default(field, record);
        } else if (codec_take(&entries->reader, field, record) || codec_advance(entries, false)) {
            return LK_E_CORRUPT;
        }
    }
    return 0;
}

int lk_record_decode(const struct lk_kind *kind, struct lk_span bytes, struct lk_record *record)
{
    struct codec_entries entries;
    struct lk_cbor_item item;
    struct lk_id id = record->id;

    lk_cbor_reader_init(&entries.reader, bytes);
    if (lk_cbor_read(&entries.reader, &item) || item.type != LK_CBOR_MAP) {
        return LK_E_CORRUPT;
    }
    memset(record, 0, kind->size);
    record->id = id;
    entries.left = item.number;
    entries.number = 0;
    if (codec_advance(&entries, true) ||
        (kind->flags & LK_K_AUDIT_FIELDS &&
         codec_take_all(&entries, lk_audit_fields, LK_AUDIT_FIELD_COUNT, record)) ||
        codec_take_all(&entries, kind->fields, kind->field_count, record)) {
        return LK_E_CORRUPT;
    }
    while (entries.number != CODEC_END) {
        if (lk_cbor_skip(&entries.reader, LK_CBOR_DEPTH - 1, NULL) ||
            codec_advance(&entries, false)) {
            return LK_E_CORRUPT;
        }
    }
    if (entries.reader.at != entries.reader.end) {
        return LK_E_CORRUPT;
    }
    record->raw = bytes;
    return 0;
}

void lk_refs_begin(struct lk_refs *refs, struct lk_span encoded)
{
    struct lk_cbor_item head;

    refs->left = 0;
    lk_cbor_reader_init(&refs->reader, encoded);
    if (encoded.size && !lk_cbor_read(&refs->reader, &head) && head.type == LK_CBOR_ARRAY) {
        refs->left = head.number;
    }
}

bool lk_refs_next(struct lk_refs *refs, uint32_t *number)
{
    struct lk_cbor_item item;

    if (!refs->left || lk_cbor_read(&refs->reader, &item) || item.type != LK_CBOR_UINT ||
        item.number > UINT32_MAX) {
        refs->left = 0;
        return false;
    }
    refs->left--;
    *number = (uint32_t)item.number;
    return true;
}

bool lk_refs_hold(struct lk_span encoded, uint32_t number)
{
    struct lk_refs refs;
    uint32_t member;

    lk_refs_begin(&refs, encoded);
    while (lk_refs_next(&refs, &member)) {
        if (member == number) {
            return true;
        }
    }
    return false;
}

int lk_refs_change(struct lk_span encoded, uint32_t number, bool in, uint8_t *out, size_t capacity,
                   size_t *size)
{
    struct lk_cbor_writer writer;
    struct lk_refs refs;
    uint32_t member;
    size_t count = in ? 1 : 0;
    bool pending = in;

    lk_refs_begin(&refs, encoded);
    while (lk_refs_next(&refs, &member)) {
        count += member != number;
    }
    lk_cbor_writer_init(&writer, out, capacity);
    lk_cbor_put_array(&writer, count);
    lk_refs_begin(&refs, encoded);
    while (lk_refs_next(&refs, &member)) {
        if (pending && number < member) {
            lk_cbor_put_uint(&writer, number);
            pending = false;
        }
        if (member != number) {
            lk_cbor_put_uint(&writer, member);
        }
    }
    if (pending) {
        lk_cbor_put_uint(&writer, number);
    }
    return lk_cbor_finish(&writer, size);
}
