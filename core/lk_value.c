// SPDX-License-Identifier: MIT
/* lk_value.c: one field's text form, both ways, by its type. */
#include "lk_engine.h"

static int value_refuse(struct lk_txn *txn, const struct lk_kind *kind,
                        const struct lk_field *field, struct lk_span text, const char *rule)
{
    return lk_refuse(txn, LK_E_USAGE, kind, field->name,
                     field->flags & LK_F_SECRET ? LK_TEXT("") : text, rule);
}

static bool value_is_word(struct lk_span text, const char *word)
{
    return lk_text_equal_fold(text, (struct lk_span){(const uint8_t *)word, strlen(word)});
}

static int value_parse_bool(struct lk_span text, uint64_t *number)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    size_t i;

    for (i = 0; i < LK_COUNT(yes); i++) {
        if (value_is_word(text, yes[i]) || value_is_word(text, no[i])) {
            *number = value_is_word(text, yes[i]);
            return 0;
        }
    }
    return LK_E_USAGE;
}

static int value_parse_enum(const struct lk_field *field, struct lk_span text, uint64_t *number)
{
    uint64_t i;

    for (i = 0; field->choices[i]; i++) {
        if (value_is_word(text, field->choices[i])) {
            *number = i;
            return 0;
        }
    }
    return LK_E_USAGE;
}

static int value_parse_ref(struct lk_txn *txn, const struct lk_field *field, uint32_t tenant,
                           struct lk_span text, uint32_t *number)
{
    const struct lk_kind *target = lk_store_kind_numbered(txn->store, field->target);
    struct lk_id id;
    int error;

    if (!target) {
        return LK_E_ARGUMENT;
    }
    error = target == &lk_kind_user ? lk_find_user(txn, tenant, text, &id)
                                    : lk_find_named(txn, target, tenant, text, &id);
    if (!error) {
        *number = target->shape == LK_SHAPE_USER ? id.user : id.sub;
    }
    return error;
}

/* Names separated by commas, to a sorted CBOR array without repeats. */
static int value_parse_refs(struct lk_txn *txn, const struct lk_field *field, uint32_t tenant,
                            struct lk_span text, uint8_t *buffer, size_t size, size_t *used,
                            struct lk_span *name)
{
    uint8_t *out = buffer + *used;
    size_t room = size - *used, have = 0, next, i = 0;
    uint8_t spare[512];
    int error = 0;

    while (!error && i < text.size) {
        uint32_t number;

        name->data = text.data + i;
        name->size = 0;
        while (i < text.size && text.data[i] != ',') {
            name->size++;
            i++;
        }
        i++;
        if (!name->size) {
            continue;
        }
        error = value_parse_ref(txn, field, tenant, *name, &number);
        if (!error) {
            error = lk_refs_change((struct lk_span){out, have}, number, true, spare, sizeof(spare),
                                   &next);
        }
        if (!error && next > room) {
            error = LK_E_SPACE;
        }
        if (!error) {
            memcpy(out, spare, next);
            have = next;
        }
    }
    if (!error && !have) {
        if (!room) {
            return LK_E_SPACE;
        }
        out[have++] = 0x80;
    }
    if (!error) {
        *name = (struct lk_span){out, have};
        *used += have;
    }
    return error;
}

static int value_parse_number(struct lk_txn *txn, const struct lk_kind *kind,
                              const struct lk_field *field, struct lk_span text,
                              struct lk_record *record)
{
    uint64_t number = 0;
    uint32_t ref = 0;
    int error;

    switch ((enum lk_field_type)field->type) {
    case LK_BOOL:
        if (value_parse_bool(text, &number)) {
            return value_refuse(txn, kind, field, text, "is neither true nor false");
        }
        break;
    case LK_ENUM:
        if (value_parse_enum(field, text, &number)) {
            return value_refuse(txn, kind, field, text, "is none of its choices");
        }
        break;
    case LK_TIME:
        if (lk_time_parse(text, txn->now_ms, &number)) {
            return value_refuse(txn, kind, field, text,
                                "is not a time (RFC 3339, or a span like 30m, 12h, 7d)");
        }
        break;
    case LK_REF:
        error = value_parse_ref(txn, field, record->id.tenant, text, &ref);
        if (error == LK_E_NOT_FOUND) {
            return lk_refuse(txn, LK_E_REFERENCE, kind, field->name, text, "does not exist");
        }
        if (error) {
            return error;
        }
        number = ref;
        break;
    default:
        if (lk_uint_parse(text, &number)) {
            return value_refuse(txn, kind, field, text, "is not a whole number");
        }
        break;
    }
    lk_field_set_number(record, field, number);
    return 0;
}

int lk_value_parse(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_field *field,
                   struct lk_span text, struct lk_record *record, uint8_t *buffer, size_t size,
                   size_t *used)
{
    struct lk_span span = text;
    size_t count;
    int error;

    if (lk_field_is_number(field)) {
        return value_parse_number(txn, kind, field, text, record);
    }
    switch ((enum lk_field_type)field->type) {
    case LK_UUID:
        if (size - *used < 16) {
            return LK_E_SPACE;
        }
        if (lk_uuid_parse(text, buffer + *used)) {
            return value_refuse(txn, kind, field, text, "is not a UUID (RFC 4122)");
        }
        span = (struct lk_span){buffer + *used, 16};
        *used += 16;
        break;
    case LK_ADDRESS:
        if (size - *used < 16) {
            return LK_E_SPACE;
        }
        if (lk_address_parse(text, buffer + *used, &count)) {
            return value_refuse(txn, kind, field, text, "is not an IPv4 or IPv6 address");
        }
        span = (struct lk_span){buffer + *used, count};
        *used += count;
        break;
    case LK_BYTES:
        if (lk_hex_decode(text, buffer + *used, size - *used, &count)) {
            return value_refuse(txn, kind, field, text, "is not hexadecimal");
        }
        span = (struct lk_span){buffer + *used, count};
        *used += count;
        break;
    case LK_REFS:
        error = value_parse_refs(txn, field, record->id.tenant, text, buffer, size, used, &span);
        if (error == LK_E_NOT_FOUND) {
            return lk_refuse(txn, LK_E_REFERENCE, kind, field->name, span, "does not exist");
        }
        if (error) {
            return error;
        }
        break;
    default: break;
    }
    lk_field_set_span(record, field, span);
    return 0;
}

int lk_value_format(const struct lk_field *field, const struct lk_record *record, char *out,
                    size_t size)
{
    struct lk_span span;
    uint64_t number, i;

    if (lk_field_is_number(field)) {
        number = lk_field_number(record, field);
        switch ((enum lk_field_type)field->type) {
        case LK_TIME: return lk_time_format(number, out, size);
        case LK_BOOL: span = number ? LK_TEXT("true") : LK_TEXT("false"); break;
        case LK_ENUM:
            for (i = 0; i < number && field->choices[i]; i++) {
            }
            if (!field->choices[i]) {
                return lk_uint_format(number, out, size);
            }
            span = (struct lk_span){(const uint8_t *)field->choices[i], strlen(field->choices[i])};
            break;
        default: return lk_uint_format(number, out, size);
        }
    } else {
        span = lk_field_span(record, field);
        switch ((enum lk_field_type)field->type) {
        case LK_UUID: return span.size == 16 ? lk_uuid_format(span.data, out, size) : LK_E_USAGE;
        case LK_ADDRESS: return lk_address_format(span, out, size);
        case LK_STRING: break;
        default: return LK_E_UNSUPPORTED;
        }
    }
    if (span.size + 1 > size) {
        return LK_E_SPACE;
    }
    if (span.size) {
        memcpy(out, span.data, span.size);
    }
    out[span.size] = '\0';
    return (int)span.size;
}
