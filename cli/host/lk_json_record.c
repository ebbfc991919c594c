// SPDX-License-Identifier: MIT
/* lk_json_record.c: records to JSON objects and back, as the kinds' tables say. */
#include "lk_json.h"
#include "lk_text.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

/* The member that stands for a map which JSON cannot hold. */
#define RECORD_CBOR "$cbor"

/* Fields that never leave the store in an export. */
#define RECORD_KEPT (LK_F_SECRET | LK_F_COMPUTED | LK_F_LOCAL)

/* ---- Writing ---------------------------------------------------------------------------------
 */

static json_t *record_text(struct lk_span text)
{
    return json_stringn(text.size > 0 ? (const char *)text.data : "", text.size);
}

/* Numbers beyond what JSON's library holds are written as text, and read back from it. */
static json_t *record_number(uint64_t number)
{
    char text[24];

    if (number <= INT64_MAX) {
        return json_integer((json_int_t)number);
    }
    return lk_uint_format(number, text, sizeof(text)) < 0 ? NULL : json_string(text);
}

static json_t *record_enum(const struct lk_field *field, uint64_t number)
{
    for (uint64_t i = 0; field->choices != NULL && field->choices[i] != NULL; i++) {
        if (i == number) {
            return json_string(field->choices[i]);
        }
    }
    return record_number(number);
}

static json_t *record_time(uint64_t ms)
{
    char text[40];

    return lk_time_format(ms, text, sizeof(text)) < 0 ? record_number(ms) : json_string(text);
}

static json_t *record_encoded(struct lk_span bytes,
                              int (*encode)(struct lk_span bytes, char *out, size_t size))
{
    size_t size = bytes.size / 3 * 4 + 8;
    char *text = malloc(size);
    json_t *value = NULL;

    if (text != NULL && encode(bytes, text, size) >= 0) {
        value = json_string(text);
    }
    free(text);
    return value;
}

static bool record_is_escape(const json_t *value)
{
    return json_is_object(value) && json_object_size(value) == 1 &&
           json_object_get(value, RECORD_CBOR) != NULL;
}

static int record_map(struct lk_span cbor, json_t **value)
{
    int error = lk_json_from_cbor(cbor, value);
    json_t *text;

    if (error != LK_E_UNSUPPORTED && (error || !record_is_escape(*value))) {
        return error;
    }
    if (!error) {
        json_decref(*value);
    }
    text = record_encoded(cbor, lk_base64url_encode);
    *value = json_object();
    if (*value == NULL || text == NULL || json_object_set_new(*value, RECORD_CBOR, text) != 0) {
        json_decref(*value);
        return LK_E_FULL;
    }
    return 0;
}

static int record_value(const struct lk_field *field, const struct lk_record *record,
                        json_t **value)
{
    struct lk_span span = {NULL, 0};
    uint64_t number = 0;
    char text[48];

    if (lk_field_is_number(field)) {
        number = lk_field_number(record, field);
    } else {
        span = lk_field_span(record, field);
    }
    switch ((enum lk_field_type)field->type) {
    case LK_UINT:
    case LK_REF: *value = record_number(number); break;
    case LK_BOOL: *value = number > 1 ? record_number(number) : json_boolean(number); break;
    case LK_ENUM: *value = record_enum(field, number); break;
    case LK_TIME: *value = record_time(number); break;
    case LK_STRING: *value = record_text(span); break;
    case LK_BYTES: *value = record_encoded(span, lk_base64_encode); break;
    case LK_UUID:
        if (span.size != 16 || lk_uuid_format(span.data, text, sizeof(text)) < 0) {
            return LK_E_CORRUPT;
        }
        *value = json_string(text);
        break;
    case LK_ADDRESS:
        if (lk_address_format(span, text, sizeof(text)) < 0) {
            return LK_E_CORRUPT;
        }
        *value = json_string(text);
        break;
    case LK_MAP: return record_map(span, value);
    case LK_REFS: return lk_json_from_cbor(span, value);
    }
    return *value == NULL ? LK_E_FULL : 0;
}

static json_t *record_id(struct lk_id id)
{
    json_t *object = json_object();
    bool bad =
        object == NULL || json_object_set_new(object, "tenant", json_integer(id.tenant)) != 0;

    if (!bad && id.user != 0) {
        bad = json_object_set_new(object, "user", json_integer(id.user)) != 0;
    }
    if (!bad && id.sub != 0) {
        bad = json_object_set_new(object, "sub", json_integer(id.sub)) != 0;
    }
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int record_put_fields(json_t *object, const struct lk_record *record,
                             const struct lk_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct lk_field *field = &fields[i];
        json_t *value = NULL;

        if (!LK_HAS(record, field->number) || (field->flags & RECORD_KEPT) != 0) {
            continue;
        }
        int error = record_value(field, record, &value);

        if (error) {
            return error;
        }
        if (json_object_set_new(object, field->name, value) != 0) {
            return LK_E_FULL;
        }
    }
    return 0;
}

int lk_json_record_write(const struct lk_kind *kind, const struct lk_record *record,
                         struct json_t **object)
{
    json_t *made = json_object();
    int error = LK_E_FULL;

    if (made != NULL && json_object_set_new(made, "kind", json_string(kind->name)) == 0 &&
        json_object_set_new(made, "id", record_id(record->id)) == 0) {
        error = 0;
        if ((kind->flags & LK_K_AUDIT_FIELDS) != 0) {
            error = record_put_fields(made, record, lk_audit_fields, LK_AUDIT_FIELD_COUNT);
        }
        if (!error) {
            error = record_put_fields(made, record, kind->fields, kind->field_count);
        }
    }
    if (error) {
        json_decref(made);
        return error;
    }
    *object = made;
    return 0;
}

/* ---- Reading ---------------------------------------------------------------------------------
 */

struct record_room {
    uint8_t *data;
    size_t size;
    size_t used;
};

void lk_json_show(char *out, size_t size, struct lk_span text)
{
    size_t room = size - 1;
    size_t count = text.size;

    if (count > room) {
        count = room - 3;
        /* Not inside a character of several bytes. */
        while (count > 0 && (text.data[count] & 0xC0) == 0x80) {
            count--;
        }
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = text.data[i];

        out[i] = (char)(byte < 0x20 || byte == 0x7F ? '?' : byte);
        /* U+0080 to U+009F are control characters too, and terminals obey them. */
        if (i > 0 && text.data[i - 1] == 0xC2 && byte < 0xA0 && byte >= 0x80) {
            out[i - 1] = '?';
            out[i] = '?';
        }
    }
    out[count] = '\0';
    if (!lk_utf8_valid((struct lk_span){(const uint8_t *)out, count})) {
        for (size_t i = 0; i < count; i++) {
            out[i] = (char)((uint8_t)out[i] >= 0x80 ? '?' : out[i]);
        }
    }
    if (count < text.size) {
        memcpy(out + count, "...", 4);
    }
}

static int record_refuse(struct lk_json_problem *problem, const json_t *value, const char *rule)
{
    problem->rule = rule;
    problem->given[0] = '\0';
    if (json_is_string(value)) {
        lk_json_show(
            problem->given, sizeof(problem->given),
            (struct lk_span){(const uint8_t *)json_string_value(value), json_string_length(value)});
    } else if (json_is_integer(value) && json_integer_value(value) >= 0) {
        (void)lk_uint_format((uint64_t)json_integer_value(value), problem->given,
                             sizeof(problem->given)); /* it fits */
    }
    return LK_E_USAGE;
}

static struct lk_span record_span(const json_t *value)
{
    return (struct lk_span){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

static int record_read_number(const struct lk_field *field, const json_t *value, uint64_t *number,
                              struct lk_json_problem *problem)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *number = (uint64_t)json_integer_value(value);
        return 0;
    }
    if (json_is_string(value) && lk_uint_parse(record_span(value), number) == 0) {
        return 0;
    }
    return record_refuse(problem, value,
                         field->type == LK_REF ? "is not the number of a record"
                                               : "is not a whole number of 0 or more");
}

static int record_read_enum(const struct lk_field *field, const json_t *value, uint64_t *number,
                            struct lk_json_problem *problem)
{
    for (uint64_t i = 0; json_is_string(value) && field->choices[i] != NULL; i++) {
        if (lk_span_equal(record_span(value), (struct lk_span){(const uint8_t *)field->choices[i],
                                                               strlen(field->choices[i])})) {
            *number = i;
            return 0;
        }
    }
    return record_refuse(problem, value, "is not one of the choices of this field");
}

static int record_read_time(const json_t *value, uint64_t *ms, struct lk_json_problem *problem)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ms = (uint64_t)json_integer_value(value);
        return 0;
    }
    /* A file is read at another time than it was written: no spans from now. */
    if (json_is_string(value) && json_string_length(value) >= 10 &&
        json_string_value(value)[4] == '-' && lk_time_parse(record_span(value), 0, ms) == 0) {
        return 0;
    }
    return record_refuse(problem, value, "is not a time (RFC 3339)");
}

static int record_take(struct record_room *room, size_t size)
{
    if (size > room->size - room->used) {
        return LK_E_SPACE;
    }
    room->used += size;
    return 0;
}

static int record_read_bytes(const json_t *value, struct record_room *room, struct lk_span *span,
                             struct lk_json_problem *problem)
{
    size_t size = 0;
    int error = LK_E_USAGE;

    span->data = room->data + room->used;
    if (json_is_string(value)) {
        error = lk_base64_decode(record_span(value), room->data + room->used,
                                 room->size - room->used, &size);
    }
    if (error == LK_E_SPACE) {
        return record_refuse(problem, NULL, "is too long");
    }
    if (error) {
        return record_refuse(problem, value, "is not base64 (RFC 4648)");
    }
    span->size = size;
    return record_take(room, size);
}

static int record_read_fixed(const struct lk_field *field, const json_t *value,
                             struct record_room *room, struct lk_span *span,
                             struct lk_json_problem *problem)
{
    uint8_t bytes[16];
    size_t size = sizeof(bytes);
    int error = LK_E_USAGE;

    if (json_is_string(value)) {
        error = field->type == LK_UUID ? lk_uuid_parse(record_span(value), bytes)
                                       : lk_address_parse(record_span(value), bytes, &size);
    }
    if (error) {
        return record_refuse(problem, value,
                             field->type == LK_UUID ? "is not a UUID (RFC 4122)"
                                                    : "is not an IPv4 or IPv6 address");
    }
    span->data = room->data + room->used;
    span->size = size;
    error = record_take(room, size);
    if (!error) {
        memcpy(room->data + room->used - size, bytes, size);
    }
    return error;
}

static int record_read_map(const json_t *value, struct record_room *room, struct lk_span *span,
                           struct lk_json_problem *problem)
{
    uint8_t *out = room->data + room->used;
    size_t left = room->size - room->used;
    const char *rule = "is not base64url of deterministic CBOR (RFC 8949)";
    size_t size = 0;
    int error;

    if (!json_is_object(value)) {
        return record_refuse(problem, value, "is not a JSON object");
    }
    if (record_is_escape(value)) {
        const json_t *text = json_object_get(value, RECORD_CBOR);

        error = LK_E_USAGE;
        if (json_is_string(text)) {
            error = lk_base64url_decode(record_span(text), out, left, &size);
        }
        if (!error && (lk_cbor_check((struct lk_span){out, size}) || out[0] >> 5 != LK_CBOR_MAP)) {
            error = LK_E_USAGE;
        }
    } else {
        error = lk_json_value_to_cbor(value, out, left, &size, &rule);
    }
    if (error) {
        return record_refuse(problem, NULL, rule);
    }
    *span = (struct lk_span){out, size};
    return record_take(room, size);
}

static int record_read_refs(const json_t *value, struct record_room *room, struct lk_span *span,
                            struct lk_json_problem *problem)
{
    uint8_t *out = room->data + room->used;
    const char *rule = "is not a list of rising record numbers";
    json_int_t last = 0;
    size_t size = 0;

    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *member = json_array_get(value, i);

        if (json_integer_value(member) <= last || json_integer_value(member) > UINT32_MAX) {
            return record_refuse(problem, NULL, rule);
        }
        last = json_integer_value(member);
    }
    if (!json_is_array(value)) {
        return record_refuse(problem, value, rule);
    }
    if (lk_json_value_to_cbor(value, out, room->size - room->used, &size, &rule)) {
        return record_refuse(problem, NULL, rule);
    }
    *span = (struct lk_span){out, size};
    return record_take(room, size);
}

static int record_read_field(const struct lk_field *field, const json_t *value,
                             struct lk_record *record, struct record_room *room,
                             struct lk_json_problem *problem)
{
    struct lk_span span = {NULL, 0};
    uint64_t number = 0;
    int error = 0;

    switch ((enum lk_field_type)field->type) {
    case LK_UINT:
    case LK_REF: error = record_read_number(field, value, &number, problem); break;
    case LK_BOOL:
        number = json_is_true(value) ? 1 : 0;
        if (!json_is_boolean(value)) {
            error = record_refuse(problem, value, "is not true or false");
        }
        break;
    case LK_ENUM: error = record_read_enum(field, value, &number, problem); break;
    case LK_TIME: error = record_read_time(value, &number, problem); break;
    case LK_STRING:
        span = record_span(value);
        if (!json_is_string(value)) {
            error = record_refuse(problem, value, "is not a text in quotes");
        }
        break;
    case LK_BYTES: error = record_read_bytes(value, room, &span, problem); break;
    case LK_UUID:
    case LK_ADDRESS: error = record_read_fixed(field, value, room, &span, problem); break;
    case LK_MAP: error = record_read_map(value, room, &span, problem); break;
    case LK_REFS: error = record_read_refs(value, room, &span, problem); break;
    }
    if (!error && lk_field_is_number(field)) {
        lk_field_set_number(record, field, number);
    } else if (!error) {
        lk_field_set_span(record, field, span);
    }
    return error;
}

static const struct lk_field *record_audit_field(const struct lk_kind *kind, const char *name)
{
    for (size_t i = 0; (kind->flags & LK_K_AUDIT_FIELDS) != 0 && i < LK_AUDIT_FIELD_COUNT; i++) {
        if (strcmp(lk_audit_fields[i].name, name) == 0) {
            return &lk_audit_fields[i];
        }
    }
    return NULL;
}

/* True when the member belongs to a record but not to what this read may take. */
static bool record_left_out(const struct lk_field *field, bool audit, unsigned flags)
{
    if ((flags & LK_JSON_EXACT) != 0) {
        return (field->flags & (LK_F_COMPUTED | LK_F_LOCAL)) != 0;
    }
    return audit || (field->flags & (LK_F_COMPUTED | LK_F_LOCAL | LK_F_SYSTEM)) != 0;
}

int lk_json_record_read(const struct lk_kind *kind, const struct json_t *object, unsigned flags,
                        struct lk_record *record, uint8_t *buffer, size_t capacity,
                        struct lk_json_problem *problem)
{
    struct record_room room = {buffer, capacity, 0};
    json_t *members = (json_t *)(uintptr_t)object; /* the iterator takes no const */

    memset(record, 0, kind->size);
    for (void *at = json_object_iter(members); at != NULL;
         at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        struct lk_span text = {(const uint8_t *)name, strlen(name)};
        const json_t *value = json_object_iter_value(at);
        const struct lk_field *field = record_audit_field(kind, name);
        bool audit = field != NULL;

        if (strcmp(name, "kind") == 0 || strcmp(name, "id") == 0) {
            continue;
        }
        lk_json_show(problem->field, sizeof(problem->field), text);
        if (field == NULL) {
            field = lk_field_named(kind, text);
        }
        if (field == NULL) {
            return record_refuse(problem, NULL, "is not a field of this kind");
        }
        if ((field->flags & LK_F_SECRET) != 0) {
            return record_refuse(problem, NULL, "is secret: it is not taken from a file");
        }
        if (json_is_null(value) || record_left_out(field, audit, flags)) {
            continue;
        }
        int error = record_read_field(field, value, record, &room, problem);

        if (error) {
            return error;
        }
    }
    problem->field[0] = '\0';
    if ((flags & LK_JSON_EXACT) != 0) {
        return lk_json_record_id(object, &record->id, problem);
    }
    return 0;
}

int lk_json_record_id(const struct json_t *object, struct lk_id *id,
                      struct lk_json_problem *problem)
{
    static const char *const names[] = {"tenant", "user", "sub"};
    const json_t *given = json_object_get(object, "id");
    uint32_t numbers[3] = {0, 0, 0};
    size_t known = 0;

    memcpy(problem->field, "id", 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *number = json_object_get(given, names[i]);
        json_int_t value = json_integer_value(number);

        if (number == NULL) {
            continue;
        }
        if (!json_is_integer(number) || value < 0 || value > UINT32_MAX) {
            return record_refuse(problem, number, "is not the id of a record");
        }
        numbers[i] = (uint32_t)value;
        known++;
    }
    if (known == 0 || known != json_object_size(given)) {
        return record_refuse(problem, NULL, "is not the id of a record");
    }
    *id = (struct lk_id){numbers[0], numbers[1], numbers[2]};
    problem->field[0] = '\0';
    return 0;
}
