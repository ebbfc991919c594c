// SPDX-License-Identifier: MIT
/* lk_engine.h: what the core's own files share. Not installed; nothing outside core/ includes it.
 */
#ifndef LK_ENGINE_H
#define LK_ENGINE_H

#include <string.h>

#include "latchkey.h"
#include "lk_cbor.h"
#include "lk_text.h"

#define LK_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LK_BIT(number)  ((uint64_t)1 << (number))

#define LK_ADDRESS_TAGS     8 /* address ranges that a user's logins are remembered from */
#define LK_ADDRESS_TAG_SIZE 4
#define LK_TOKEN_HASH_SIZE  16 /* of 32: as strong as the 20 random bytes need */
#define LK_MS_PER_DAY       86400000u

/* Scratch of the one writer. `before` and `old_value` belong to the write path, `extra` to whoever
 * holds a record over one. */
struct lk_work {
    union lk_any_record before, after, extra[2];
    uint8_t old_value[LK_VALUE_MAX];
    uint8_t new_value[LK_VALUE_MAX];
    uint8_t audit[LK_VALUE_MAX];
    uint8_t sealed[LK_AUDIT_SEALED_MAX]; /* of an audit entry; or a fold that is being closed */
    uint8_t uuid[16];
    uint8_t audit_key[16]; /* of a new tenant */
    struct lk_trace {
        uint32_t tenant, user; /* 0: nobody */
        uint8_t key[16];       /* the activity record's, so that it need not be read again */
    } trace;
};

_Static_assert(LK_WORK_SIZE >= sizeof(struct lk_work), "LK_WORK_SIZE must hold struct lk_work");

static inline struct lk_work *lk_work(const struct lk_txn *txn)
{
    return (struct lk_work *)(void *)txn->store->work;
}

enum lk_store_flags {
    LK_STORE_OPEN = 1,
    LK_STORE_READ_ONLY = 2,
    LK_STORE_SCRUB_DUE = 4,
    LK_STORE_LOADED = 8,        /* there is a meta record */
    LK_STORE_BOOT = 16,         /* the port tells one boot from another */
    LK_STORE_PWHASH = 32,       /* whoever opened it said how to hash passwords */
    LK_STORE_ROLLBACK_OK = 64,  /* … or that an older copy is to be accepted, … */
    LK_STORE_ROLLED_BACK = 128, /* … as it was, which is to be audited */
    LK_STORE_COUNT_DUE = 256    /* the counter has not been raised by this handle */
};

/* After an error in the middle of a change the transaction can only be aborted: commit refuses. */
static inline int lk_spoil(struct lk_txn *txn, int error)
{
    if (error < 0 && !txn->failed) {
        txn->failed = error;
    }
    return error;
}

/* ---- lk_key.c: bytes of keys ---- */

#define LK_CLASS_INDEX  0xFF
#define LK_STORE_TENANT 0 /* what is unique over the store, and the store's own records */

enum { LK_INDEX_DELETED = 1 };

struct lk_key {
    uint8_t data[LK_KEY_MAX];
    size_t size;
};

static inline struct lk_span lk_key_span(const struct lk_key *key)
{
    return (struct lk_span){key->data, key->size};
}

void lk_key_put_number(struct lk_key *key, uint64_t number);
static inline void lk_key_put_byte(struct lk_key *key, uint8_t byte)
{
    LK_ASSERT(key->size < sizeof(key->data));
    key->data[key->size++] = byte;
}
void lk_key_put_bytes(struct lk_key *key, struct lk_span bytes);
/* Takes a number off the front. LK_E_CORRUPT when it is not in its one shortest form. */
int lk_key_take_number(struct lk_span *from, uint64_t *number);
int lk_key_take_u32(struct lk_span *from, uint32_t *number);

void lk_key_record(struct lk_key *key, const struct lk_kind *kind, struct lk_id id);
/* Kind's number and id of a record key; LK_E_CORRUPT for any other. `shape` is found through the
 * store's kinds. */
int lk_key_parse(const struct lk_store *store, struct lk_span bytes, const struct lk_kind **kind,
                 struct lk_id *id);
void lk_key_index_prefix(struct lk_key *key, const struct lk_index *index, uint32_t tenant);

/* The part of an id that numbers the records of a kind. */
static inline uint32_t *lk_kind_number(const struct lk_kind *kind, struct lk_id *id)
{
    return kind->shape == LK_SHAPE_TENANT ? &id->tenant
           : kind->shape == LK_SHAPE_USER ? &id->user
                                          : &id->sub;
}

/* Records get their numbers from a sequence of the tenant (tenants: of the store). */
bool lk_kind_is_numbered(const struct lk_kind *kind);

/* ---- lk_index.c ---- */

/* Visits every index entry that a record should have. */
typedef int lk_index_visit(void *context, const struct lk_index *index, const struct lk_key *key,
                           struct lk_span value);
int lk_index_each(const struct lk_store *store, const struct lk_kind *kind,
                  const struct lk_record *record, lk_index_visit *visit, void *context);
/* Appends one field's order-preserving bytes to a key. */
void lk_index_put_text(const struct lk_store *store, struct lk_key *key, struct lk_span text,
                       bool fold);
void lk_index_put_id(struct lk_key *key, const struct lk_kind *kind, struct lk_id id);
int lk_index_take_id(struct lk_span *from, const struct lk_kind *kind, uint32_t tenant,
                     struct lk_id *id);
/* The id that an entry of an index stands for; LK_E_CORRUPT when its bytes are not well-formed. */
int lk_index_entry_id(const struct lk_kind *kind, const struct lk_index *index, struct lk_span key,
                      struct lk_span value, struct lk_id *id);
/* Has the store entries of this index? */
static inline bool lk_index_kept(const struct lk_store *store, const struct lk_index *index)
{
    return index->number >= 64 || !(store->meta.left_out & LK_BIT(index->number));
}
/* True when the record would have just this entry of the index, were it kept. */
bool lk_index_bears(const struct lk_store *store, const struct lk_kind *kind,
                    const struct lk_index *index, const struct lk_record *record,
                    struct lk_span key);
/* True when the record has just this entry. */
bool lk_index_has(const struct lk_store *store, const struct lk_kind *kind,
                  const struct lk_record *record, struct lk_span key);
/* The implied index of soft-deleted records, shared by all kinds. */
extern const struct lk_index lk_index_deleted;

/* ---- lk_codec.c: records to CBOR and back ---- */

int lk_record_encode(const struct lk_kind *kind, const struct lk_record *record, uint8_t *out,
                     size_t capacity, size_t *size);
/* LK_E_CORRUPT for anything but a deterministic map whose known fields have their types. */
int lk_record_decode(const struct lk_kind *kind, struct lk_span bytes, struct lk_record *record);
/* Next of a LK_REFS value; `at` counts from 0. LK_E_NOT_FOUND at the end. */
struct lk_refs {
    struct lk_cbor_reader reader;
    uint64_t left;
};
void lk_refs_begin(struct lk_refs *refs, struct lk_span encoded);
bool lk_refs_next(struct lk_refs *refs, uint32_t *number);
bool lk_refs_hold(struct lk_span encoded, uint32_t number);
/* `encoded` with one number put in or taken out. LK_E_SPACE. */
int lk_refs_change(struct lk_span encoded, uint32_t number, bool in, uint8_t *out, size_t capacity,
                   size_t *size);

/* ---- lk_record.c: values with their checksums ---- */

/* The CBOR of a value whose checksum holds. */
int lk_value_get(struct lk_txn *txn, const struct lk_key *key, struct lk_span *cbor);
int lk_value_open(const struct lk_store *store, struct lk_span key, struct lk_span value,
                  struct lk_span *cbor);
/* Is the checksum made with these keys? */
bool lk_value_is(const struct lk_store *store, const struct lk_keys *keys, struct lk_span key,
                 struct lk_span value);
/* `buffer` holds `size` bytes of CBOR and has room for the checksum after them. */
int lk_value_put(struct lk_txn *txn, const struct lk_key *key, uint8_t *buffer, size_t size);
/* Without regard to deletion. */
int lk_record_load(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                   struct lk_record *record);
/* Encodes into `buffer` (LK_VALUE_MAX) and puts: no checks, indexes or audit. For records that have
 * none of them, or whose indexed fields did not change. */
int lk_record_store(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_record *record,
                    uint8_t *buffer);
/* The next free number; nothing is written until lk_sequence_raise, which lk_write does. */
int lk_sequence_peek(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                     uint32_t *number);
/* Of the number that was just peeked at. */
int lk_sequence_take(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                     uint32_t number);
int lk_sequence_raise(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                      uint32_t number);
/* A random UUID (RFC 4122, version 4), in the writer's scratch. */
int lk_fill_uuid(struct lk_txn *txn, struct lk_record *record, const struct lk_field *field);
void lk_cursor_end(struct lk_storage_cursor *cursor);
int lk_cursor_begin(struct lk_txn *txn, struct lk_storage_cursor *cursor, const struct lk_key *key);
void lk_key_of_user(struct lk_key *key, const struct lk_kind *kind, uint32_t tenant, uint32_t user);

/* ---- lk_check.c ---- */

int lk_check_field(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_field *field,
                   const struct lk_record *record);
/* Text from the network as it may be kept: cut at a character, and empty when it is not fit to be
 * shown. */
struct lk_span lk_text_kept(struct lk_span text, size_t max);
/* Fills txn->problem and answers `error`. `given` is not kept for secrets. */
int lk_refuse(struct lk_txn *txn, int error, const struct lk_kind *kind, const char *field,
              struct lk_span given, const char *rule);
void lk_problem_set(struct lk_problem *problem, int error, const char *kind, const char *field,
                    struct lk_span given, const char *rule);

/* ---- lk_write.c: the one write path ---- */

enum lk_write_flags {
    LK_W_QUIET = 1,    /* part of another operation, which is audited */
    LK_W_SYSTEM = 2,   /* may set LK_F_SYSTEM fields */
    LK_W_GIVEN_ID = 4, /* ADD under the id in the record */
    LK_W_NO_STAMP = 8, /* upkeep of a field that follows from another record */
    LK_W_UPKEEP = 32,  /* reaches soft-deleted records too, and checks no references */
    LK_W_RESTORE = 16, /* ADD as it was exported: audit fields kept, references not followed */
    LK_W_SETTLED = 64  /* what it may, and what follows, was settled with the owner's record */
};

int lk_write(struct lk_txn *txn, const struct lk_kind *kind, enum lk_operation operation,
             struct lk_id id, struct lk_record *record, uint64_t clear, const char *verb,
             unsigned flags);
/* Takes a record, its index entries and nothing else away. */
int lk_drop(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id);
/* lk_purge.c: the index entries of a record that is too damaged to tell them. */
int lk_purge_entries(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id);
/* Every record of a user (user 0: of the whole tenant), index entries included. */
int lk_purge_range(struct lk_txn *txn, uint32_t tenant, uint32_t user);

/* ---- lk_refer.c ---- */

/* Every reference that changed leads to something. LK_E_REFERENCE. */
int lk_refer_check(struct lk_txn *txn, const struct lk_change *change);
/* Nothing that must be kept refers to the record. LK_E_REFERENCE. */
int lk_refer_restricted(struct lk_txn *txn, const struct lk_change *change);
/* Whom a new record belongs to is there. LK_E_REFERENCE. */
int lk_refer_owner(struct lk_txn *txn, const struct lk_change *change, bool removed_too);

/* ---- lk_audit.c and beside it (lk_audit.h has what they share) ---- */

/* A failure whose repeats are counted. */
struct lk_audit_fold {
    struct lk_audit_entry entry; /* as the first was, and the count */
    struct lk_span key;          /* of what makes another the same */
};

/* Fills in who, whence and when. The same failure again is counted beside the ring instead. */
int lk_audit_append(struct lk_txn *txn, uint32_t tenant, enum lk_ring_number ring,
                    struct lk_audit_entry *entry);
int lk_audit_change(struct lk_txn *txn, const struct lk_change *change, const char *verb);
int lk_audit_resize(struct lk_txn *txn, uint32_t tenant);
/* Refused when administrative entries would go that retention would not take yet. */
int lk_audit_check_resize(struct lk_txn *txn, const struct lk_change *change);
/* An archive was asked for: rings that are nearly full of what is not in it are told at once. */
int lk_audit_warn(struct lk_txn *txn, uint32_t tenant);
/* Something that should have left an entry left none: the tenant's next entry tells how many. */
void lk_audit_missed(struct lk_store *store, uint32_t tenant);
/* What was told of that is told by this commit; the next transaction starts afresh. */
void lk_audit_begun(struct lk_txn *txn);
void lk_audit_committed(struct lk_txn *txn);
/* Takes entries past their retention, `budget` at most: 1 when some were, `more` when more are. */
int lk_audit_expire(struct lk_txn *txn, uint32_t tenant, uint32_t budget, bool *more);
/* Closes a fold that is due: 1 when it was. */
int lk_audit_fold_maintain(struct lk_txn *txn, const struct lk_audit_fold *fold);
extern const struct lk_kind lk_kind_fold;
/* Remembers a user's key for personal data in the audit; a new one for a record that has none, when
 * the actor brings any. */
void lk_trace_note(struct lk_txn *txn, const struct lk_activity *activity);
int lk_trace_give(struct lk_txn *txn, struct lk_activity *patch);
void lk_trace_forget(struct lk_txn *txn);
/* Chain, order and completeness of a tenant's rings. */
int lk_audit_check(struct lk_txn *txn, uint32_t tenant,
                   int (*fault)(void *context, const char *what, struct lk_id id), void *context);

/* A text built in the caller's buffer; cut when it is full. */
struct lk_words {
    char *data;
    size_t size, capacity;
};
void lk_words_add(struct lk_words *words, const char *text);
void lk_words_add_span(struct lk_words *words, struct lk_span text);
void lk_words_add_number(struct lk_words *words, uint64_t number);
static inline struct lk_span lk_words_span(const struct lk_words *words)
{
    return (struct lk_span){(const uint8_t *)words->data, words->size};
}

/* Goes on with a list whose cursor was ended, as a write in between demands. */
int lk_list_reopen(struct lk_list *list);

/* ---- lk_authz.c, lk_role.c ---- */

int lk_role_check_change(struct lk_txn *txn, struct lk_change *change);
int lk_role_changed(struct lk_txn *txn, const struct lk_change *change);
int lk_role_compute(struct lk_txn *txn, struct lk_record *record);
int lk_permission_check_change(struct lk_txn *txn, struct lk_change *change);
int lk_permission_changed(struct lk_txn *txn, const struct lk_change *change);
/* The grant as it is to be, with nothing looked at that a caller must have looked at. */
int lk_role_put_grant(struct lk_txn *txn, struct lk_id id, enum lk_operation operation,
                      uint64_t expires_at, unsigned flags);
/* Rebuilds user.roles from the grants. */
int lk_grants_refresh(struct lk_txn *txn, struct lk_id user);
/* `only` (LK_REFS form) limits the roles that give; empty: all. */
int lk_rights_check(struct lk_txn *txn, struct lk_id user, struct lk_span only,
                    const struct lk_question *question, struct lk_reason *reason);
/* Permissions of just this pair, wildcards taken literally. */
struct lk_pair {
    uint32_t count, numbers[LK_PAIR_MAX];
    uint8_t flags[LK_PAIR_MAX]; /* enum lk_permission_flags */
};
int lk_permission_pair(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                       struct lk_span action, struct lk_pair *pair);
/* Of every permission that answers the question, wildcards included. */
int lk_permission_matches(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                          struct lk_span action, const struct lk_cache_permission **found);
/* Two keyed hashes of a pair. */
void lk_question_hash(const struct lk_store *store, struct lk_span resource, struct lk_span action,
                      uint64_t hash[2]);
/* What the role's compiled set should be, or would be after `change` (NULL: none). */
int lk_role_compile(struct lk_txn *txn, struct lk_id id, const struct lk_change *change,
                    uint8_t bits[LK_PERMISSION_BYTES], size_t *size);
/* The next user above number `after` who is granted the role: `index` is the users' by role, or
 * that of the active ones. LK_E_NOT_FOUND. */
int lk_role_next_holder(struct lk_txn *txn, struct lk_id role, const struct lk_index *index,
                        uint32_t after, struct lk_id *user);
int lk_cache_tenant(struct lk_txn *txn, uint32_t tenant, const struct lk_cache_tenant **found);
/* Sessions of before are over. */
int lk_tenant_bump(struct lk_txn *txn, uint32_t tenant);
/* Cached roles of these marks are. */
static inline uint32_t lk_role_mark(uint32_t role)
{
    return UINT32_C(1) << (role % LK_ROLE_MARKS);
}
int lk_tenant_bump_roles(struct lk_txn *txn, uint32_t tenant, uint32_t marks);
/* Cached permissions are. */
int lk_tenant_bump_permissions(struct lk_txn *txn, uint32_t tenant);
void lk_cache_clear(struct lk_txn *txn);
/* Brings every role's compiled set up to date; `changed` gets the marks of those that were not. */
int lk_roles_recompile(struct lk_txn *txn, uint32_t tenant, uint32_t *changed);

/* ---- lk_condition.c ---- */

/* The fields of a permission that are conditions. */
enum { LK_CONDITION_FIRST = 12, LK_CONDITION_LAST = 15 };

enum lk_permission_flags {
    LK_P_DENY = 1,
    LK_P_CONDITION = 2,
    LK_P_APPROVAL = 4,
    LK_P_LOGIN_AGE = 8,
};

/* What conditions look at. */
struct lk_context {
    uint32_t user, owner;
    int channel; /* 1 + enum lk_channel, 0 unknown */
    struct lk_span ip;
    uint64_t at_ms;
    bool clock_trusted;
    int zone_minutes;
};

enum lk_holds { LK_HOLDS_NO, LK_HOLDS_YES, LK_HOLDS_UNKNOWN };

/* `failed` gets the fields that do not hold, or may not. */
enum lk_holds lk_condition_holds(const struct lk_permission *permission,
                                 const struct lk_context *context, uint64_t *failed);
unsigned lk_condition_flags(const struct lk_permission *permission);
/* Rules of form, for lk_field.form. */
const char *lk_channels_form(struct lk_span text);
const char *lk_sources_form(struct lk_span text);
const char *lk_window_form(struct lk_span text);
const char *lk_zone_form(struct lk_span text);
/* 0 for what is not of the form. */
int lk_zone_minutes(struct lk_span text);

/* ---- lk_protect.c, lk_hold.c ---- */

/* May this change be, before anything of it is written? LK_E_CHECK: it would leave a tenant without
 * an administrator. */
int lk_protect_change(struct lk_txn *txn, const struct lk_change *change);
/* May this actor make it? LK_E_REFUSED: it gives what the actor does not hold, or is about somebody
 * who holds more. LK_E_APPROVAL. */
int lk_hold_change(struct lk_txn *txn, const struct lk_change *change);
/* Every permission of a user's grants; `only` (LK_REFS form, empty: all) limits the roles. Of a
 * grant whose end the clock cannot tell the permissions count unless they must be for `sure`. */
int lk_hold_bits(struct lk_txn *txn, struct lk_id user, struct lk_span only, bool sure,
                 uint8_t all[LK_PERMISSION_BYTES]);
/* Does the actor hold all that a user does? */
int lk_hold_user(struct lk_txn *txn, struct lk_id user);

static inline bool lk_bit(const uint8_t *bits, uint32_t number)
{
    return number / 8 < LK_PERMISSION_BYTES && (bits[number / 8] >> (number % 8)) & 1;
}

/* ---- lk_session.c, lk_user.c ---- */

int lk_user_compute(struct lk_txn *txn, struct lk_record *record);
int lk_session_compute(struct lk_txn *txn, struct lk_record *record);
int lk_count_users(struct lk_txn *txn, uint32_t tenant, uint64_t *count);
/* Removes sessions of a user but `keep`, unaudited; `count` may be NULL. */
int lk_sessions_drop(struct lk_txn *txn, struct lk_id user, uint32_t keep, uint32_t *count);
/* Removes one session; its minutes of use are added to the user's. Unaudited. */
int lk_session_drop(struct lk_txn *txn, struct lk_id id);
/* The same for those from one device, and those that are too damaged to tell. */
int lk_sessions_drop_device(struct lk_txn *txn, struct lk_id user, uint32_t device);
void lk_put_u32be(uint8_t *out, uint32_t number);
enum lk_token_kind { LK_TOKEN_SESSION = 's', LK_TOKEN_API_KEY = 'a', LK_TOKEN_DEVICE = 'd' };
/* A token for `id`: text and stored hash, made with `key`: the store's token key, or that of an API
 * key. */
int lk_token_make(struct lk_store *store, const uint8_t key[LK_HASH_SIZE], char kind,
                  struct lk_id id, char token[LK_TOKEN_SIZE], uint8_t hash[LK_TOKEN_HASH_SIZE]);
int lk_token_hash(struct lk_store *store, const uint8_t key[LK_HASH_SIZE], struct lk_span token,
                  uint8_t hash[LK_TOKEN_HASH_SIZE]);
/* lk_keyed.c: what the hashes of this API key, or these recovery codes, are made with. The caller
 * wipes it. */
int lk_keyed_key(struct lk_store *store, const struct lk_credential *credential,
                 uint8_t key[LK_HASH_SIZE]);
/* LK_E_REFUSED for anything of another form. */
int lk_token_parse(struct lk_span token, char *kind, struct lk_id *id);
/* The first of three fields of activity and bucket records: what is counted on a lane. */
static inline unsigned lk_lane_field(enum lk_lane lane)
{
    static const uint8_t first[LK_LANE_COUNT] = {13, 17, 20, 26};

    return first[lane];
}
/* What is told of a user under one name says nothing of the other: each has a lane. */
static inline bool lk_lane_is_network(enum lk_lane lane)
{
    return lane == LK_LANE_NETWORK || lane == LK_LANE_MAIL;
}
static inline uint64_t lk_lane_bits(enum lk_lane lane)
{
    return LK_BIT(lk_lane_field(lane)) * 7;
}
/* lk_login_charge.c: failures on the network that the storage tallied since the record was put: 0
 * where it keeps no tallies. Adds them to a record that was loaded. */
int lk_tallied(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id, uint32_t *count);
void lk_tallied_add(const struct lk_txn *txn, struct lk_activity *counts, uint32_t count);
/* All zero where the user has none yet. What was tallied is in it. */
int lk_load_activity(struct lk_txn *txn, struct lk_id user, struct lk_activity *activity);

/* ---- lk_maintain.c ---- */

/* Takes away what ended by now, whatever the clock's quality, at most `left` records. */
int lk_maintain_ended(struct lk_txn *txn, struct lk_place *place, uint32_t *left);

/* ---- lk_session_life.c ---- */

#define LK_SESSION_LIFETIME_MAX 31536000 /* seconds */

enum lk_session_state {
    LK_SESSION_OVER,    /* for good */
    LK_SESSION_WAITING, /* of another boot: not before the clock is synchronised */
    LK_SESSION_ALIVE
};
enum lk_session_state lk_session_state(const struct lk_txn *txn, const struct lk_session *session,
                                       const struct lk_cache_tenant *tenant);
/* Last used in this boot: then the monotonic clock counts. */
bool lk_session_same_boot(const struct lk_txn *txn, const struct lk_session *session);
/* Milliseconds to its end, and since its last use. */
uint64_t lk_session_left(const struct lk_txn *txn, const struct lk_session *session);
uint64_t lk_session_unused(const struct lk_txn *txn, const struct lk_session *session);
/* Notes a use now, in this boot; of a new session `expires_at` is set. */
void lk_session_stamp(const struct lk_txn *txn, struct lk_session *session);
/* What is wrong with a tenant's session_channels; NULL: nothing. */
const char *lk_session_channels_rule(struct lk_span text);
/* Seconds that a login by this channel lasts. */
uint64_t lk_session_lifetime(const struct lk_tenant *tenant, enum lk_channel wanted);

/* ---- lk_device.c ---- */

/* The user's device that was given this cookie. LK_E_NOT_FOUND, whatever is wrong with it. */
int lk_device_of_cookie(struct lk_txn *txn, struct lk_id user, struct lk_span cookie,
                        struct lk_id *device);
/* What is told of a device that is to be remembered; any may be empty. */
struct lk_device_facts {
    struct lk_span name, type, fingerprint;
};
/* The user's device that the application knows by this. LK_E_NOT_FOUND. */
int lk_device_of_fingerprint(struct lk_txn *txn, struct lk_id user, struct lk_span fingerprint,
                             struct lk_id *device);
/* LK_E_NOT_FOUND when the user has no device. */
int lk_device_any(struct lk_txn *txn, struct lk_id user);
/* `id` (sub 0: a new device) gets a new cookie, whose text is told once. */
int lk_device_remember(struct lk_txn *txn, const struct lk_device_facts *facts, struct lk_id *id,
                       char cookie[LK_TOKEN_SIZE]);
int lk_device_check_change(struct lk_txn *txn, struct lk_change *change);
/* Notes the day of a login. */
int lk_device_seen(struct lk_txn *txn, struct lk_id id);

/* ---- lk_password.c ---- */

enum { LK_VERIFIER_ARGON2ID = 1, LK_VERIFIER_FOREIGN = 2 };

/* A password verifier in the open, for as short as may be; wipe it. */
struct lk_verifier {
    uint8_t form;
    struct lk_password argon2id;
    uint8_t foreign[LK_VERIFIER_MAX];
    size_t foreign_size;
};
int lk_verifier_unpack(const uint8_t *plain, size_t size, struct lk_verifier *verifier);
int lk_verifier_seal(struct lk_store *store, struct lk_id credential,
                     const struct lk_verifier *verifier, uint8_t *out, size_t capacity,
                     size_t *size);
int lk_verifier_open(struct lk_store *store, struct lk_id credential, struct lk_span sealed,
                     struct lk_verifier *verifier);
/* Tells a credential's verifier from another, however it is sealed. */
uint64_t lk_verifier_stamp(struct lk_store *store, const struct lk_credential *credential);
/* The user's first credential of a type. LK_E_NOT_FOUND. */
int lk_credential_find(struct lk_txn *txn, struct lk_id user, enum lk_credential_type type,
                       struct lk_credential *credential);
struct lk_password_how {
    const char *verb; /* for the audit */
    bool set;         /* a person's new password: noted with its time, the one before kept … */
    unsigned earlier; /* … among so many earlier ones */
};
int lk_password_put(struct lk_txn *txn, struct lk_id user, const struct lk_verifier *verifier,
                    const struct lk_password_how *how, unsigned flags);
/* A fresh claim code for the user; the text is told once. */
int lk_claim_add(struct lk_txn *txn, struct lk_id user, char code[LK_CLAIM_SIZE]);
int lk_claim_hash(struct lk_store *store, struct lk_span code, uint8_t hash[LK_TOKEN_HASH_SIZE]);

/* ---- lk_seal.c ---- */

#define LK_SEAL_EXTRA (LK_SEAL_NONCE_SIZE + LK_SEAL_TAG_SIZE)
/* What is sealed at a credential's place; part of the associated data. */
enum lk_sealed { LK_SEALED_SECRET = 0, LK_SEALED_HISTORY = 1, LK_SEALED_HASH_KEY = 2 };
/* Nonce, ciphertext and tag of `plain`, which opens only there and as that. LK_E_SPACE. */
int lk_seal_as(struct lk_store *store, struct lk_id place, enum lk_sealed what,
               struct lk_span plain, uint8_t *out, size_t capacity, size_t *size);
/* LK_E_CORRUPT when it was not sealed for this place and as that, or holds nothing, or more than
 * `capacity`. The caller wipes `plain`. */
int lk_unseal_as(struct lk_store *store, struct lk_id place, enum lk_sealed what,
                 struct lk_span sealed, uint8_t *plain, size_t capacity, size_t *size);

/* ---- lk_blocklist.c, lk_password_new.c, lk_password_history.c: what a new password must be ----
 */

/* One of the common passwords, in any case of letters; now and then another one, too. */
bool lk_blocklist_has(struct lk_span password);
/* LK_E_CHECK and the rule that a password's form breaks, whoever's it is. */
int lk_password_form(struct lk_span password, const char **rule);
/* What the rules below ask of a text that is not kept. */
void lk_password_digest(const struct lk_store *store, struct lk_span text, struct lk_password *out);
/* What a tenant asks of new passwords. */
struct lk_password_policy {
    uint64_t min, history, min_age;
    bool blocklist;
    uint64_t names[5][2]; /* keyed hashes of the user's names and the tenant's */
    uint64_t stamp;       /* of the verifier there is; 0: none */
    uint64_t set_at;
    bool must_change;
};
int lk_password_policy(struct lk_txn *txn, struct lk_id user, struct lk_password_policy *policy);
/* LK_E_CHECK and the rule; LK_E_BUSY when it was compared with other passwords than there are. */
int lk_password_allowed(const struct lk_txn *txn, struct lk_id user,
                        const struct lk_password_policy *policy, const struct lk_password *password,
                        const char **rule);
/*
 * One slice of comparing the password of `job` (its text and work memory set) with those that the
 * user had: 1 there is more to do, 0 done, with the answer in `reuse`. No transaction may be open.
 * LK_E_BUSY: they changed meanwhile.
 */
int lk_reuse_step(struct lk_store *store, struct lk_id user, struct lk_reuse *reuse,
                  struct lk_pwhash_job *job);
/* What was compared is noted with the password. */
void lk_reuse_done(const struct lk_reuse *reuse, struct lk_password *password);
/* The field `history` of a credential whose password is replaced: `earlier` verifiers at most, the
 * replaced one first. */
int lk_history_push(struct lk_store *store, const struct lk_credential *old, unsigned earlier,
                    uint8_t out[LK_HISTORY_MAX], size_t *size);
/* The nth verifier, 0 the one in use. LK_E_NOT_FOUND. */
int lk_history_get(struct lk_store *store, const struct lk_credential *credential, unsigned n,
                   struct lk_verifier *verifier);
/* Tells a record's bytes from others without keeping them; never 0. */
uint64_t lk_stamp(const struct lk_store *store, struct lk_span bytes);

/* ---- lk_boot.c, lk_keyring.c, lk_rekey.c ---- */

enum lk_wrap { LK_WRAP_SECRET = 0, LK_WRAP_PASSPHRASE = 1 };
#define LK_CARRIED_MAX 256 /* bytes of keys that a new store key takes over */

/* The boot record. */
struct lk_boot {
    uint32_t format, wrap, kib, passes;
    uint8_t store_id[16];
    uint8_t nonce[LK_SEAL_NONCE_SIZE];
    uint8_t sealed[LK_SEAL_KEY_SIZE + LK_SEAL_TAG_SIZE];
    uint8_t salt[LK_PWHASH_SALT_SIZE];
    uint32_t generation; /* of the store key */
    bool has_next;       /* a second wrap, while one device secret is replaced by another */
    uint8_t next_nonce[LK_SEAL_NONCE_SIZE];
    uint8_t next_sealed[LK_SEAL_KEY_SIZE + LK_SEAL_TAG_SIZE];
    bool has_old; /* the store key before, while records under it are left */
    uint8_t old[LK_SEAL_NONCE_SIZE + LK_SEAL_KEY_SIZE + LK_SEAL_TAG_SIZE];
    uint32_t carried_size; /* 0: derived from the store key */
    uint8_t carried[LK_SEAL_NONCE_SIZE + LK_CARRIED_MAX + LK_SEAL_TAG_SIZE];
    uint32_t place_size; /* the last key that the pass has come to */
    uint8_t place[LK_KEY_MAX];
};
int lk_boot_value(struct lk_txn *txn, struct lk_span *value);
int lk_boot_decode(struct lk_span value, struct lk_boot *boot);
int lk_boot_get(struct lk_txn *txn, struct lk_boot *boot);
int lk_boot_put(struct lk_txn *txn, const struct lk_boot *boot);

/* Makes a store key, wraps it by the device secret, derives the subkeys and puts the boot record.
 */
int lk_keyring_create(struct lk_txn *txn);
/* Reads the boot record and derives. */
int lk_keyring_load(struct lk_txn *txn);
/* Notices a store key that was replaced since, by whatever process. */
int lk_keyring_follow(struct lk_txn *txn);
/* A new store key, with the old one kept beside it. The handle's keys change with the next
 * transaction. LK_E_BUSY: there is an older one still, or a change of the device secret. */
int lk_keyring_renew(struct lk_txn *txn);
/* The port's. LK_E_SECRET. */
int lk_keyring_secret(struct lk_store *store, uint8_t secret[LK_DEVICE_SECRET_SIZE]);
/* Opens by one means and wraps by another; a NULL secret stands for the passphrase. */
int lk_keyring_change(struct lk_txn *txn, const uint8_t *from_secret, struct lk_span from,
                      const uint8_t *to_secret, struct lk_span to);
void lk_keyring_wipe(struct lk_store *store);
/* Opens by a passphrase, wraps by the device secret (which is made where there is none). */
int lk_keyring_adopt(struct lk_txn *txn, const uint8_t *secret, struct lk_span passphrase);

enum lk_old_keys {
    LK_OLD_KEYS_NONE = 0,
    LK_OLD_KEYS_IN_USE = 1,     /* by records that the pass has not come to */
    LK_OLD_KEYS_FOR_READERS = 2 /* by transactions that began before its end */
};
/* What is written is written with these … */
static inline const struct lk_keys *lk_keys_now(const struct lk_store *store)
{
    return &store->keys[store->key_generation & 1];
}
/* … and what is read may be with those; NULL: there are none. */
static inline const struct lk_keys *lk_keys_before(const struct lk_store *store)
{
    return store->old_keys ? &store->keys[~store->key_generation & 1] : NULL;
}

/* ---- lk_store.c, lk_seed.c ---- */

extern const struct lk_kind lk_kind_bucket;
/* What is charged to a name that nobody has. The counts come first: they are charged like a user's.
 */
struct lk_bucket {
    struct lk_activity counts;
    uint64_t name_tag;
};
/* Around what several threads change. */
void lk_store_lock(struct lk_store *store, bool take);
/* One more, seen by every thread. */
void lk_store_count(struct lk_store *store, uint32_t *counter);
/* Milliseconds from `then` to `now`; 0 when the clock stands before it. */
static inline uint64_t lk_elapsed(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}
/* The store's own record; LK_E_CORRUPT when it is not there, or not whole. */
int lk_meta_get(struct lk_txn *txn, struct lk_meta *meta);
int lk_meta_put(struct lk_txn *txn, struct lk_meta *meta);

/* ---- lk_counter.c ---- */

/* LK_E_ROLLBACK: the store is older than the port's counter says. */
int lk_counter_check(struct lk_store *store, const struct lk_meta *meta);
/* Raises the number that is kept, and then the counter, now and then. */
int lk_counter_commit(struct lk_txn *txn);

/* ---- lk_clock.c ---- */

#define LK_CLOCK_LEAST_MS UINT64_C(1704067200000)   /* 2024: no clock that was ever set says less */
#define LK_CLOCK_END_MS   UINT64_C(253402300800000) /* the year 10000 */

/* That the stored time may lag; a step back of less is waited out. */
#define LK_CLOCK_GRAIN_MS 60000
/* Of the audit entry before which times may be later than after it. */
#define LK_AUDIT_EPOCH "clock.epoch"

/* What an entry says that does not say otherwise: in storage, never change them. */
#define LK_AUDIT_LOGIN     "login"
#define LK_AUDIT_LOGGED_IN "logged in"

/* Goes on from what is stored; NULL: a new store. */
int lk_clock_start(struct lk_store *store, const struct lk_meta *stored);
/* The time of a transaction. */
int lk_clock_begin(struct lk_txn *txn);
/* Stores the time: where it is due, or always. */
int lk_clock_save(struct lk_txn *txn, bool always);
/* Milliseconds that the machine was on since the store was made, as far as anybody knows. */
static inline uint64_t lk_powered(const struct lk_txn *txn)
{
    return txn->monotonic_ms + txn->store->powered_offset;
}
/* Does the wall clock say what time it is? What ends by it fails closed while it does not. */
static inline bool lk_clock_trusted(const struct lk_txn *txn)
{
    return txn->clock >= LK_CLOCK_SET;
}
/* Of grants, keys and whatever else ends by the wall clock; 0: never. */
static inline bool lk_expired(const struct lk_txn *txn, uint64_t expires_at)
{
    return expires_at && (!lk_clock_trusted(txn) || expires_at <= txn->now_ms);
}
/* lk_budget.c: what is stored of the budget of failed logins, and what another process stored. */
uint64_t lk_throttle_keep(struct lk_store *store, uint64_t stored, uint64_t now_ms);
int lk_random(const struct lk_store *store, uint8_t *out, size_t size);
static inline void lk_wipe(const struct lk_store *store, void *data, size_t size)
{
    store->port->crypto->wipe(data, size);
}
/* Permissions and roles of a new tenant; `admin_role` gets the role that may do everything. */
int lk_seed_tenant(struct lk_txn *txn, uint32_t tenant, struct lk_id *admin_role);

#endif
