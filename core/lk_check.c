// SPDX-License-Identifier: MIT
/* lk_check.c: the rules of single fields, and the one way a refusal is told. */
#include "lk_engine.h"

/* Shown to people: cut at a character, controls replaced. */
static void check_give(char *out, size_t size, struct lk_span given)
{
    size_t i, count = given.size < size - 1 ? given.size : size - 1;

    while (count && count < given.size && (given.data[count] & 0xC0) == 0x80) {
        count--;
    }
    for (i = 0; i < count; i++) {
        out[i] = given.data[i] < 0x20 || given.data[i] == 0x7F ? '?' : (char)given.data[i];
    }
    out[count] = '\0';
    if (!lk_utf8_valid((struct lk_span){(const uint8_t *)out, count})) {
        for (i = 0; i < count; i++) {
            if ((uint8_t)out[i] >= 0x80) {
                out[i] = '?';
            }
        }
    }
}

void lk_problem_set(struct lk_problem *problem, int error, const char *kind, const char *field,
                    struct lk_span given, const char *rule)
{
    memset(problem, 0, sizeof(*problem));
    problem->error = error;
    problem->kind = kind;
    problem->field = field;
    problem->rule = rule;
    if (given.size) {
        check_give(problem->given, sizeof(problem->given), given);
    }
}

int lk_refuse(struct lk_txn *txn, int error, const struct lk_kind *kind, const char *field,
              struct lk_span given, const char *rule)
{
    lk_problem_set(&txn->problem, error, kind ? kind->name : NULL, field, given, rule);
    return error;
}

struct lk_span lk_text_kept(struct lk_span text, size_t max)
{
    if (text.size > max) {
        for (text.size = max; text.size && (text.data[text.size] & 0xC0) == 0x80; text.size--) {
        }
    }
    if (!lk_text_printable(text)) {
        text.size = 0;
    }
    return text;
}

static const char *check_length(const struct lk_field *field, struct lk_span span)
{
    if (span.size < field->min) {
        return field->min == 1 ? "is empty" : "is too short";
    }
    if (field->max && span.size > field->max) {
        return "is too long";
    }
    return NULL;
}

static const char *check_text(const struct lk_field *field, struct lk_span text)
{
    const char *rule = check_length(field, text);
    size_t i;

    if (!lk_utf8_valid(text)) {
        return "is not UTF-8";
    }
    if (rule) {
        return rule;
    }
    if (field->flags & LK_F_LINES) {
        for (i = 0; i < text.size; i++) {
            if ((text.data[i] < 0x20 && text.data[i] != '\n' && text.data[i] != '\t') ||
                text.data[i] == 0x7F) {
                return "holds control characters";
            }
        }
    } else if (!lk_text_printable(text)) {
        return "holds control characters";
    }
    /* What a record is called by; see lk_find_named. */
    if (field->flags & LK_F_FOLD && field->flags & LK_F_REQUIRED && text.size) {
        if (text.data[0] == '#') {
            return "begins with '#', which stands for a number";
        }
        if (text.data[0] == ' ' || text.data[text.size - 1] == ' ') {
            return "begins or ends with a space";
        }
    }
    if (field->flags & LK_F_EMAIL && !lk_email_valid(text)) {
        return "is not an e-mail address (RFC 5321 mailbox)";
    }
    if (field->flags & LK_F_PHONE && !lk_phone_valid(text)) {
        return "is not a telephone number (E.164)";
    }
    return field->form ? field->form(text) : NULL;
}

static const char *check_map(const struct lk_field *field, struct lk_span map)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;
    uint64_t left;

    if (map.size > field->max) {
        return "is too large";
    }
    lk_cbor_reader_init(&reader, map);
    if (lk_cbor_check(map) || lk_cbor_read(&reader, &item) || item.type != LK_CBOR_MAP) {
        return "is not a map";
    }
    for (left = item.number; left; left--) {
        if (lk_cbor_read(&reader, &item) || item.type != LK_CBOR_TEXT) {
            return "has a name that is not text";
        }
        (void)lk_cbor_skip(&reader, LK_CBOR_DEPTH - 1, NULL); /* checked above */
    }
    return NULL;
}

static const char *check_refs(const struct lk_field *field, struct lk_span encoded)
{
    struct lk_refs refs;
    uint32_t number, last = 0;

    if (encoded.size > field->max) {
        return "holds too many";
    }
    if (!encoded.size || lk_cbor_check(encoded) || encoded.data[0] >> 5 != LK_CBOR_ARRAY) {
        return "is not a list of numbers";
    }
    lk_refs_begin(&refs, encoded);
    while (refs.left) {
        if (!lk_refs_next(&refs, &number) || number <= last) {
            return "is not a list of rising numbers";
        }
        last = number;
    }
    return NULL;
}

static const char *check_number(const struct lk_field *field, uint64_t number)
{
    uint64_t count = 0;

    switch ((enum lk_field_type)field->type) {
    case LK_ENUM:
        while (field->choices[count]) {
            count++;
        }
        return number < count ? NULL : "is none of its choices";
    case LK_BOOL: return number <= 1 ? NULL : "is neither true nor false";
    case LK_REF: return number <= UINT32_MAX ? NULL : "is not a number of a record";
    case LK_TIME: return number < LK_CLOCK_END_MS ? NULL : "is after the year 9999";
    default:
        if (number < field->min) {
            return "is too small";
        }
        return field->max && number > field->max ? "is too large" : NULL;
    }
}

int lk_check_field(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_field *field,
                   const struct lk_record *record)
{
    struct lk_span span = LK_TEXT("");
    const char *rule = NULL;
    char number[24];

    if (!LK_HAS(record, field->number)) {
        return field->flags & LK_F_REQUIRED
                   ? lk_refuse(txn, LK_E_CHECK, kind, field->name, span, "is required")
                   : 0;
    }
    if (lk_field_is_number(field)) {
        uint64_t value = lk_field_number(record, field);

        rule = check_number(field, value);
        if (rule) {
            int size = lk_uint_format(value, number, sizeof(number));

            span = (struct lk_span){(const uint8_t *)number, size > 0 ? (size_t)size : 0};
        }
    } else {
        span = lk_field_span(record, field);
        switch ((enum lk_field_type)field->type) {
        case LK_STRING: rule = check_text(field, span); break;
        case LK_MAP: rule = check_map(field, span); break;
        case LK_REFS: rule = check_refs(field, span); break;
        case LK_UUID: rule = span.size == 16 ? NULL : "is not a UUID"; break;
        case LK_ADDRESS:
            rule = span.size == 4 || span.size == 16 ? NULL : "is not an IPv4 or IPv6 address";
            break;
        default: rule = check_length(field, span); break;
        }
        if (field->type != LK_STRING || field->flags & LK_F_SECRET) {
            span = LK_TEXT("");
        }
    }
    return rule ? lk_refuse(txn, LK_E_CHECK, kind, field->name, span, rule) : 0;
}
