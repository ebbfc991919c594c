// SPDX-License-Identifier: MIT
/*
 * lk_kind.h: kinds of records as const tables. Part of the public interface (latchkey.h includes
 * it): an application's own kinds are described by the same structs as the built-in ones.
 *
 * A kind's C struct begins with `struct lk_record`. A numeric field's place is a uint64_t, any
 * other field's a `struct lk_span`. Numbers of kinds, fields and indexes reach storage: never
 * renumber.
 */
#ifndef LK_KIND_H
#define LK_KIND_H

#include "lk_base.h"
#include "lk_limits.h"

struct lk_txn;

/* What kinds, fields and indexes are told about in words. A board whose limits say LK_NO_HELP has
 * none, which saves 8 KB; a field does without the member then, whose initialiser comes last. */
#ifdef LK_NO_HELP
#define LK_HELP(text) ""
#define LK_FIELD_HELP(text)
#else
#define LK_HELP(text)       text
#define LK_FIELD_HELP(text) .help = text
#endif

/* Where a record is. Numbers start at 1; those a kind's shape does not use are 0. */
struct lk_id {
    uint32_t tenant;
    uint32_t user;
    uint32_t sub;
};

enum lk_field_type {
    /* uint64_t in the C struct */
    LK_UINT = 1,
    LK_BOOL = 2,
    LK_ENUM = 3, /* index into `choices` */
    LK_TIME = 4, /* milliseconds since 1970-01-01T00:00:00Z */
    LK_REF = 5,  /* number of a record of `target` in the same tenant */
    /* struct lk_span in the C struct */
    LK_STRING = 16,  /* UTF-8, min to max bytes, one line unless LK_F_LINES */
    LK_BYTES = 17,   /* min to max bytes */
    LK_UUID = 18,    /* 16 bytes */
    LK_ADDRESS = 19, /* 4 or 16 bytes */
    LK_MAP = 20,     /* a CBOR map with text keys, at most max encoded bytes */
    LK_REFS = 21, /* a CBOR array of rising record numbers of `target`, at most max encoded bytes */
};

enum lk_field_flags {
    LK_F_REQUIRED = 1 << 0,
    LK_F_COMPUTED = 1 << 1, /* filled by lk_get_computed, never stored */
    LK_F_SYSTEM = 1 << 2,   /* stored, but only the core writes it */
    LK_F_SECRET = 1 << 3,   /* never shown, listed, exported or audited */
    LK_F_HIDDEN = 1 << 4,   /* bookkeeping: not shown to people */
    LK_F_LOCAL = 1 << 5,    /* belongs to this store only: not exported */
    LK_F_FIXED = 1 << 6,    /* may be set when the record is made, not changed later */
    LK_F_FOLD = 1 << 7,     /* compared and indexed without regard to ASCII case */
    LK_F_EMAIL = 1 << 8,
    LK_F_PHONE = 1 << 9,
    LK_F_LINES = 1 << 10,   /* text that may hold line feeds and tabs */
    LK_F_CUT = 1 << 11,     /* text from the network: cut when too long, not refused */
    LK_F_IMPLIED = 1 << 12, /* not stored where it has what it is read as when it is absent; it is
                               there all the same. What is not there is stored as 0 or as empty */
};

/* Places of numbers in the C struct, of fields with lower numbers; 0: none. */
struct lk_like {
    uint16_t first, plus, less;
};

enum lk_on_delete { LK_SET_NULL = 0, LK_CASCADE = 1, LK_RESTRICT = 2 };

struct lk_field {
    const char *name;
#ifndef LK_NO_HELP
    const char *help; /* one line, no full stop */
#endif
    uint8_t number;  /* 8 to 63; lower ones are the audit fields */
    uint8_t type;    /* enum lk_field_type */
    uint16_t flags;  /* enum lk_field_flags */
    uint16_t offset; /* of the place in the C struct */
    uint8_t target;  /* LK_REF, LK_REFS: the number of the kind referred to */
    uint8_t on_delete;
    uint32_t min, max; /* LK_UINT: value (max 0: no limit); else bytes */
    union {
        const char *const *choices; /* LK_ENUM: names in order of number, NULL at the end */
        /* LK_UINT, LK_TIME: stored as what it is more than the first of these, plus the second,
         * less the third; LK_REF with LK_F_IMPLIED: absent, it is the first. NULL: none of that. */
        const struct lk_like *like;
    };
    uint64_t initial;         /* what an absent numeric field reads as */
    const char *initial_text; /* what an absent text reads as, or NULL */
    /* LK_STRING: answers the rule that a text breaks, or NULL. NULL: any text will do. */
    const char *(*form)(struct lk_span text);
};

enum lk_index_flags {
    LK_I_UNIQUE = 1 << 0,
    LK_I_STORE = 1 << 1, /* over the whole store, not the tenant */
    LK_I_DAY = 1 << 2,   /* the (only) time field counts in whole UTC days */
    LK_I_EACH = 1 << 3,  /* the last field is LK_REFS: an entry for each member */
    LK_I_USER = 1 << 4,  /* unique for each user: the user's number goes before the fields */
};

#define LK_INDEX_FIELDS 3

struct lk_index {
    const char *name;
    const char *help;
    uint8_t number; /* unique over all kinds; 128 and above for applications */
    uint8_t flags;
    uint8_t fields[LK_INDEX_FIELDS]; /* field numbers, 0 at the end */
    uint8_t when_field;              /* only records whose field has this number … */
    uint64_t when_value;             /* … and value (0: all) */
};

/* What a record's id is made of. */
enum lk_shape {
    LK_SHAPE_TENANT = 1,     /* tenant */
    LK_SHAPE_IN_TENANT = 2,  /* tenant, sub */
    LK_SHAPE_USER = 3,       /* tenant, user */
    LK_SHAPE_OF_USER = 4,    /* tenant, user, sub */
    LK_SHAPE_ONE_A_USER = 5, /* tenant, user; at most one beside the user's own record */
    LK_SHAPE_RING = 6        /* tenant, ring (in id.user), slot (in id.sub) */
};

enum lk_kind_flags {
    LK_K_SOFT_DELETE = 1 << 0,
    LK_K_AUDIT_FIELDS = 1 << 1, /* carries created/updated/deleted at and by */
    LK_K_EXPORTED = 1 << 2,
    LK_K_INTERNAL = 1 << 3, /* not for lk_add and the like */
};

/* Head of every kind's C struct. */
struct lk_record {
    uint64_t present; /* bit n: field number n is there */
    struct lk_id id;
    uint64_t created_at, created_by;
    uint64_t updated_at, updated_by;
    uint64_t deleted_at, deleted_by;
    struct lk_span raw; /* the stored bytes it was decoded from, or empty */
};

#define LK_HAS(record, number) ((((record)->present) >> (number)) & 1)

/* What is being done to a record: handed to a kind's hooks. */
enum lk_operation {
    LK_ADD = 1,
    LK_UPDATE = 2,
    LK_REMOVE = 3,
    LK_RESTORE = 4,
    LK_PURGE = 5,
};

struct lk_change {
    const struct lk_kind *kind;
    enum lk_operation operation;
    struct lk_id id;
    const struct lk_record *before; /* NULL for ADD */
    struct lk_record *after;        /* NULL for PURGE; a check may fill in fields */
    uint64_t changed;               /* bit n: field number n differs */
};

struct lk_kind {
    const char *name; /* also the command's noun and the audit's resource type */
    const char *help;
    uint8_t number;
    uint8_t
        class_;    /* 0 tenant's own, 1 users, 2 activity, grants, sessions, 3 the rest of a user */
    uint8_t shape; /* enum lk_shape */
    uint8_t flags; /* enum lk_kind_flags */
    const char *resource; /* the permission's resource; actions are read and write */
    uint16_t size;        /* of the C struct */
    uint8_t field_count;
    uint8_t index_count;
    const struct lk_field *fields; /* in order of number */
    const struct lk_index *indexes;
    /* Checks over several fields or records, before anything is written. May be NULL. */
    int (*check)(struct lk_txn *txn, struct lk_change *change);
    /* What follows from the change, in the same transaction, after the record was written. `before`
     * and `after` are NULL: it may write, and loads what it needs. May be NULL. */
    int (*changed)(struct lk_txn *txn, const struct lk_change *change);
    /* Fills the computed fields of a record that holds its id; makes calls on the transaction. */
    int (*compute)(struct lk_txn *txn, struct lk_record *record);
};

/* Kinds of the core; those of applications have numbers from 128. */
enum lk_kind_number {
    LK_KIND_BOOT = 1,
    LK_KIND_META = 2,
    LK_KIND_SEQUENCE = 3,
    LK_KIND_TENANT = 4,
    LK_KIND_PERMISSION = 5,
    LK_KIND_ROLE = 6,
    LK_KIND_AUDIT = 7,
    LK_KIND_BUCKET = 8, /* failed logins under unknown names */
    LK_KIND_FOLD = 9,   /* repeated failures, before they go into the audit */
    LK_KIND_USER = 16,
    LK_KIND_ACTIVITY = 24,
    LK_KIND_GRANT = 25,
    LK_KIND_SESSION = 26,
    LK_KIND_DEVICE = 27,
    LK_KIND_CREDENTIAL = 32,
};

extern const struct lk_kind lk_kind_tenant, lk_kind_permission, lk_kind_role, lk_kind_audit,
    lk_kind_user, lk_kind_activity, lk_kind_grant, lk_kind_session, lk_kind_device,
    lk_kind_credential, lk_kind_sequence;

/* The built-in kinds in order of number, NULL at the end. */
extern const struct lk_kind *const lk_kinds[];

/* NULL when there is none. Built-in kinds; the store's own list is searched by lk_store_kind. */
const struct lk_field *lk_field_named(const struct lk_kind *kind, struct lk_span name);
const struct lk_field *lk_field_numbered(const struct lk_kind *kind, unsigned number);
const struct lk_index *lk_index_named(const struct lk_kind *kind, struct lk_span name);

/* The audit fields, which every kind with LK_K_AUDIT_FIELDS has beside its own (numbers 1 to 6). */
#define LK_AUDIT_FIELD_COUNT 6
extern const struct lk_field lk_audit_fields[LK_AUDIT_FIELD_COUNT];

static inline bool lk_field_is_number(const struct lk_field *field)
{
    return field->type < LK_STRING;
}

/* A field's place in a record. */
uint64_t lk_field_number(const struct lk_record *record, const struct lk_field *field);
struct lk_span lk_field_span(const struct lk_record *record, const struct lk_field *field);
void lk_field_set_number(struct lk_record *record, const struct lk_field *field, uint64_t number);
void lk_field_set_span(struct lk_record *record, const struct lk_field *field, struct lk_span span);
/* The same by a field's name, which is known when the program is written: LK_ASSERT when the kind
 * has no such field, or one of the other sort. */
void lk_set_number(const struct lk_kind *kind, struct lk_record *record, const char *field,
                   uint64_t number);
void lk_set_span(const struct lk_kind *kind, struct lk_record *record, const char *field,
                 struct lk_span span);
/* Text with a NUL at its end, which is not stored; it must outlive the record. */
void lk_set_text(const struct lk_kind *kind, struct lk_record *record, const char *field,
                 const char *text);

#endif
