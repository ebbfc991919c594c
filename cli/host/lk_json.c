// SPDX-License-Identifier: MIT
/* lk_json.c: JSON values to deterministic CBOR and back. Neither way recurses. */
#include "lk_json.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

/* Of an object being encoded: its members in the order of their CBOR keys. */
struct json_member {
    const char *name;
    size_t size;
    const json_t *value;
};

struct json_frame {
    const json_t *array;         /* or NULL */
    struct json_member *members; /* of an object; owned */
    size_t count;
    size_t at;
};

void lk_json_free(struct json_t *value)
{
    json_decref(value);
}

/* Two encoded text keys compare as their lengths, then as their bytes: a longer text has a greater
 * head, whatever the head's form. */
static int json_member_compare(const void *left, const void *right)
{
    const struct json_member *a = left;
    const struct json_member *b = right;

    if (a->size != b->size) {
        return a->size < b->size ? -1 : 1;
    }
    return memcmp(a->name, b->name, a->size);
}

static int json_frame_open(struct json_frame *frame, const json_t *container)
{
    void *at;
    size_t count = 0;

    memset(frame, 0, sizeof(*frame));
    if (json_is_array(container)) {
        frame->array = container;
        frame->count = json_array_size(container);
        return 0;
    }
    frame->count = json_object_size(container);
    frame->members = calloc(frame->count + 1, sizeof(*frame->members));
    if (frame->members == NULL) {
        return LK_E_FULL;
    }
    /* The iterator's functions take the object without const, and leave it alone. */
    for (at = json_object_iter((json_t *)(uintptr_t)container); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)container, at)) {
        frame->members[count].name = json_object_iter_key(at);
        frame->members[count].size = json_object_iter_key_len(at);
        frame->members[count].value = json_object_iter_value(at);
        count++;
    }
    qsort(frame->members, frame->count, sizeof(*frame->members), json_member_compare);
    return 0;
}

/* False for what has no place in a record. */
static bool json_put_scalar(struct lk_cbor_writer *writer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        lk_cbor_put_text(writer, (struct lk_span){(const uint8_t *)json_string_value(value),
                                                  json_string_length(value)});
        return true;
    case JSON_INTEGER: lk_cbor_put_int(writer, json_integer_value(value)); return true;
    case JSON_TRUE:
    case JSON_FALSE: lk_cbor_put_bool(writer, json_is_true(value)); return true;
    case JSON_NULL: lk_cbor_put_null(writer); return true;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_REAL: break;
    }
    return false;
}

static int json_put(struct lk_cbor_writer *writer, const json_t *value, struct json_frame *frames,
                    unsigned *open, const char **rule)
{
    while (value != NULL) {
        if (json_is_object(value) || json_is_array(value)) {
            if (*open == LK_JSON_DEPTH) {
                *rule = "nests arrays and objects deeper than 7 levels";
                return LK_E_CHECK;
            }
            int error = json_frame_open(&frames[*open], value);

            if (error) {
                *rule = "needs more memory than there is";
                return error;
            }
            if (json_is_object(value)) {
                lk_cbor_put_map(writer, frames[*open].count);
            } else {
                lk_cbor_put_array(writer, frames[*open].count);
            }
            (*open)++;
        } else if (!json_put_scalar(writer, value)) {
            *rule = "holds a number with a fraction or an exponent; only whole numbers are kept";
            return LK_E_CHECK;
        }
        while (*open > 0 && frames[*open - 1].at == frames[*open - 1].count) {
            free(frames[--*open].members);
        }
        value = NULL;
        if (*open > 0) {
            struct json_frame *frame = &frames[*open - 1];
            size_t at = frame->at++;

            if (frame->array != NULL) {
                value = json_array_get(frame->array, at);
            } else {
                lk_cbor_put_text(writer, (struct lk_span){(const uint8_t *)frame->members[at].name,
                                                          frame->members[at].size});
                value = frame->members[at].value;
            }
        }
    }
    return 0;
}

int lk_json_value_to_cbor(const struct json_t *value, uint8_t *out, size_t capacity, size_t *size,
                          const char **rule)
{
    struct json_frame frames[LK_JSON_DEPTH];
    struct lk_cbor_writer writer;
    unsigned open = 0;
    int error;

    lk_cbor_writer_init(&writer, out, capacity);
    error = json_put(&writer, value, frames, &open, rule);
    while (open > 0) {
        free(frames[--open].members);
    }
    if (error) {
        return error;
    }
    error = lk_cbor_finish(&writer, size);
    if (error) {
        *rule = "is too long";
    }
    return error;
}

int lk_json_parse(struct lk_span text, struct json_t **object, const char **rule)
{
    json_error_t error;
    json_t *value = json_loadb((const char *)text.data, text.size,
                               JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (value == NULL) {
        switch (json_error_code(&error)) {
        case json_error_duplicate_key: *rule = "names the same member twice"; break;
        case json_error_numeric_overflow: *rule = "holds a number beyond 64 bits"; break;
        case json_error_invalid_utf8: *rule = "is not UTF-8"; break;
        case json_error_null_byte_in_key: *rule = "has a NUL in the name of a member"; break;
        case json_error_stack_overflow: *rule = "nests too deep"; break;
        case json_error_premature_end_of_input: *rule = "ends in the middle"; break;
        case json_error_out_of_memory: *rule = "needs more memory than there is"; break;
        default: *rule = "is not JSON (RFC 8259)"; break;
        }
        return LK_E_USAGE;
    }
    if (!json_is_object(value)) {
        json_decref(value);
        *rule = "is not a JSON object";
        return LK_E_USAGE;
    }
    *object = value;
    return 0;
}

int lk_json_to_cbor(struct lk_span json, uint8_t *out, size_t capacity, size_t *size,
                    const char **rule)
{
    json_t *object;
    int error = lk_json_parse(json, &object, rule);

    if (error) {
        return error;
    }
    error = lk_json_value_to_cbor(object, out, capacity, size, rule);
    json_decref(object);
    return error;
}

/* A value that stands alone, or an empty container that is then filled. NULL with `error`. */
static json_t *json_from_item(const struct lk_cbor_item *item, int *error)
{
    json_t *value = NULL;

    *error = LK_E_FULL;
    switch (item->type) {
    case LK_CBOR_UINT:
    case LK_CBOR_NEGATIVE:
        if (item->number > INT64_MAX) {
            *error = LK_E_UNSUPPORTED;
            return NULL;
        }
        value = json_integer(item->type == LK_CBOR_UINT ? (int64_t)item->number
                                                        : -1 - (int64_t)item->number);
        break;
    case LK_CBOR_TEXT: value = json_stringn((const char *)item->span.data, item->span.size); break;
    case LK_CBOR_ARRAY: value = json_array(); break;
    case LK_CBOR_MAP: value = json_object(); break;
    case LK_CBOR_FALSE: value = json_false(); break;
    case LK_CBOR_TRUE: value = json_true(); break;
    case LK_CBOR_NULL: value = json_null(); break;
    case LK_CBOR_BYTES: *error = LK_E_UNSUPPORTED; break;
    }
    return value;
}

struct json_open {
    json_t *container; /* borrowed from the one around it */
    uint64_t left;
};

/* Reads the key of the next pair. JSON's library has no NUL in names. */
static int json_read_key(struct lk_cbor_reader *reader, struct lk_span *key)
{
    struct lk_cbor_item item;

    if (lk_cbor_read(reader, &item)) {
        return LK_E_CORRUPT;
    }
    if (item.type != LK_CBOR_TEXT ||
        (item.span.size > 0 && memchr(item.span.data, 0, item.span.size) != NULL)) {
        return LK_E_UNSUPPORTED;
    }
    *key = item.span;
    return 0;
}

static int json_attach(json_t *container, struct lk_span key, json_t *value)
{
    int failed = json_is_array(container)
                     ? json_array_append_new(container, value)
                     : json_object_setn_new(container, (const char *)key.data, key.size, value);

    return failed ? LK_E_FULL : 0;
}

int lk_json_from_cbor(struct lk_span cbor, struct json_t **value)
{
    struct json_open open[LK_CBOR_DEPTH];
    unsigned depth = 0;
    struct lk_cbor_reader reader;
    json_t *top = NULL;
    int error = lk_cbor_check(cbor);

    lk_cbor_reader_init(&reader, cbor);
    while (!error) {
        struct lk_span key = {(const uint8_t *)"", 0};
        struct lk_cbor_item item;
        json_t *next;

        if (depth > 0 && json_is_object(open[depth - 1].container)) {
            error = json_read_key(&reader, &key);
        }
        if (!error) {
            error = lk_cbor_read(&reader, &item);
        }
        if (error) {
            break;
        }
        next = json_from_item(&item, &error);
        if (next == NULL) {
            break;
        }
        error = 0;
        if (depth == 0) {
            top = next;
        } else {
            open[depth - 1].left--;
            error = json_attach(open[depth - 1].container, key, next);
            if (error) {
                break;
            }
        }
        if (item.type == LK_CBOR_ARRAY || item.type == LK_CBOR_MAP) {
            open[depth].container = next;
            open[depth].left = item.number;
            depth++;
        }
        while (depth > 0 && open[depth - 1].left == 0) {
            depth--;
        }
        if (depth == 0) {
            *value = top;
            return 0;
        }
    }
    json_decref(top);
    return error;
}
