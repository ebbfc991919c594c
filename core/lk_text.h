// SPDX-License-Identifier: MIT
/*
 * lk_text.h: text forms of values, both ways, and the checks of form that fields use.
 *
 * No function allocates or reads past its span. Formatters write a terminating NUL, answer the
 * number of bytes before it, or LK_E_SPACE. Parsers take the whole span or answer LK_E_USAGE.
 */
#ifndef LK_TEXT_H
#define LK_TEXT_H

#include "lk_base.h"

/* RFC 3339 in UTC with milliseconds where not zero: 2026-11-21T13:20:24Z, …24.250Z. LK_E_ARGUMENT
 * after the year 9999. */
int lk_time_format(uint64_t ms, char *out, size_t size);
/*
 * RFC 3339 (any offset, up to millisecond fractions; leap second 60 is taken as 59), a bare date
 * (midnight UTC), or a span from `now_ms`: digits and one of s m h d w ("30m"); a leading '-'
 * counts back ("-7d"). Years 1970 to 9999.
 */
int lk_time_parse(struct lk_span text, uint64_t now_ms, uint64_t *ms);

/* Decimal, no sign, no leading zeros but "0" itself. */
int lk_uint_parse(struct lk_span text, uint64_t *number);
int lk_uint_format(uint64_t number, char *out, size_t size);

/* RFC 4122 text form; lower case out, either case in. */
int lk_uuid_parse(struct lk_span text, uint8_t uuid[16]);
int lk_uuid_format(const uint8_t uuid[16], char *out, size_t size);

/* IPv4 (4 bytes) and IPv6 (16 bytes; RFC 4291 in, RFC 5952 out). `size` gets 4 or 16; formatting
 * any other size is LK_E_ARGUMENT. */
int lk_address_parse(struct lk_span text, uint8_t address[16], size_t *size);
int lk_address_format(struct lk_span address, char *out, size_t size);

/* RFC 4648 section 5 without padding; non-zero spare bits are refused. Decoders check all of the
 * text first; on LK_E_SPACE `size` tells what is needed and `out` was left alone. */
int lk_base64url_encode(struct lk_span bytes, char *out, size_t size);
int lk_base64url_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size);
/* RFC 4648 section 4, with padding optional on input and written on output. */
int lk_base64_encode(struct lk_span bytes, char *out, size_t size);
int lk_base64_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size);

/* RFC 4648 section 6 without padding, either case in; as for base64url. */
int lk_base32_encode(struct lk_span bytes, char *out, size_t size);
int lk_base32_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size);

int lk_hex_encode(struct lk_span bytes, char *out, size_t size);
int lk_hex_decode(struct lk_span text, uint8_t *out, size_t capacity, size_t *size);

/* RFC 5321 Mailbox without quoted local parts or address literals: dot-atom local part of 1 to 64
 * bytes, domain of LDH labels (1 to 63, at least one), 3 to 255 in all; UTF-8 allowed (RFC 6531).
 */
bool lk_email_valid(struct lk_span text);
/* E.164 with an optional '+', digits, and spaces, dots, hyphens, parentheses between; 5 to 15
 * digits. */
bool lk_phone_valid(struct lk_span text);
/* Well-formed UTF-8 without control characters (C0, DEL, C1). */
bool lk_text_printable(struct lk_span text);

/* ASCII case folding, for keys and comparisons. */
uint8_t lk_ascii_lower(uint8_t byte);
bool lk_text_equal_fold(struct lk_span a, struct lk_span b);
bool lk_span_equal(struct lk_span a, struct lk_span b);

#endif
