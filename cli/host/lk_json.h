// SPDX-License-Identifier: MIT
/*
 * lk_json.h: JSON (RFC 8259) to the store's values and back, by Jansson. Linux front ends only: it
 * allocates.
 *
 * Limitations
 * - Only what deterministic CBOR of a record can hold comes in: no fractions or exponents, integers
 * of 64 bits with sign, members named once, LK_JSON_DEPTH levels. The rest is refused, never
 *   rounded.
 * - A CBOR map can hold what JSON cannot (byte strings, keys that are not text, integers beyond 64
 * bits with sign). Such a map is written as {"$cbor":"…"} with base64url of the whole, and read
 * back from it, so that no export loses anything.
 */
#ifndef LK_JSON_H
#define LK_JSON_H

#include "lk_cbor.h"
#include "lk_kind.h"

struct json_t;

/* Levels of arrays and objects in a value: one less than a record has, which is a map itself. */
#define LK_JSON_DEPTH (LK_CBOR_DEPTH - 1)

/*
 * One JSON object, and nothing after it. LK_E_USAGE with `rule`, a sentence that follows what was
 * read ("is not …"), static. The caller gives `*object` back by lk_json_free.
 */
int lk_json_parse(struct lk_span text, struct json_t **object, const char **rule);
void lk_json_free(struct json_t *value);

/*
 * A JSON object as a deterministic CBOR map (RFC 8949, section 4.2.1). LK_E_USAGE: not one JSON
 * object; LK_E_CHECK: it holds what a record cannot; LK_E_SPACE: over `capacity`; each with `rule`.
 */
int lk_json_to_cbor(struct lk_span json, uint8_t *out, size_t capacity, size_t *size,
                    const char **rule);
/* The same from a parsed value; any type at the top. */
int lk_json_value_to_cbor(const struct json_t *value, uint8_t *out, size_t capacity, size_t *size,
                          const char **rule);
/*
 * `cbor` as JSON, members in its order. LK_E_UNSUPPORTED where JSON cannot hold it; LK_E_CORRUPT
 * where it is not deterministic CBOR; LK_E_FULL for want of memory.
 */
int lk_json_from_cbor(struct lk_span cbor, struct json_t **value);

/* Text made fit for a message: cut to `size` with "..." and without control characters. */
void lk_json_show(char *out, size_t size, struct lk_span text);

/* ---- Records ---------------------------------------------------------------------------------
 */

/*
 * {"kind":…,"id":{…}, audit fields, then fields in order of the kind's table}. Left out: fields
 * that are absent, secret, computed, or of this store only. LK_E_CORRUPT, LK_E_FULL.
 */
int lk_json_record_write(const struct lk_kind *kind, const struct lk_record *record,
                         struct json_t **object);

/* Which member was refused, and why. */
struct lk_json_problem {
    char field[72];   /* the member's name, cut and made printable */
    char given[64];   /* the value, likewise; empty for secrets and where it does not help */
    const char *rule; /* static; follows the value */
};

enum lk_json_read_flags {
    /* The record's own id and audit fields and those that only the core writes are taken too. */
    LK_JSON_EXACT = 1,
};

/*
 * The fields of an object into `record` (of kind->size bytes, zeroed here); bytes that need room go
 * into `buffer`. Texts are spans into `object` or `buffer`: both must live as long as the record.
 * Without LK_JSON_EXACT, members that are ids, audit fields, computed or written by the core only
 * are known and left out. A member unknown to the kind, and a secret one, is refused.
 * LK_E_USAGE with `problem`, LK_E_SPACE.
 */
int lk_json_record_read(const struct lk_kind *kind, const struct json_t *object, unsigned flags,
                        struct lk_record *record, uint8_t *buffer, size_t capacity,
                        struct lk_json_problem *problem);
/* The "id" member alone; a number that is missing is 0. LK_E_USAGE with `problem`. */
int lk_json_record_id(const struct json_t *object, struct lk_id *id,
                      struct lk_json_problem *problem);

#endif
