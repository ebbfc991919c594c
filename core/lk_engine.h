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

#define LK_TOKEN_HASH_SIZE 16 /* of 32: as strong as the 20 random bytes need */
#define LK_MS_PER_DAY      86400000u

_Static_assert(LK_WORK_SIZE >= 3 * LK_VALUE_MAX + 4 * sizeof(union lk_any_record) + 16,
               "LK_WORK_SIZE must hold struct lk_work");

/* Scratch of the one writer. `before` and `old_value` belong to the write path, `extra` to whoever
 * holds a record over one. */
struct lk_work {
    union lk_any_record before, after, extra[2];
    uint8_t old_value[LK_VALUE_MAX];
    uint8_t new_value[LK_VALUE_MAX];
    uint8_t audit[LK_VALUE_MAX];
    uint8_t uuid[16];
};

static inline struct lk_work *lk_work(const struct lk_txn *txn)
{
    return (struct lk_work *)(void *)txn->store->work;
}

enum lk_store_flags { LK_STORE_OPEN = 1, LK_STORE_READ_ONLY = 2, LK_STORE_SCRUB_DUE = 4 };

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
    LK_W_RESTORE = 16  /* ADD as it was exported: audit fields kept, references not followed */
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

/* ---- lk_audit.c, lk_audit_read.c ---- */

int lk_audit_append(struct lk_txn *txn, uint32_t tenant, enum lk_ring_number ring,
                    struct lk_audit_entry *entry);
int lk_audit_change(struct lk_txn *txn, const struct lk_change *change, const char *verb);
int lk_audit_resize(struct lk_txn *txn, uint32_t tenant);
/* Order and completeness of a tenant's rings. */
int lk_audit_verify(struct lk_txn *txn, uint32_t tenant,
                    int (*fault)(void *context, const char *what, struct lk_id id), void *context);
#define LK_SLOT_DAMAGED 1
/* An entry by ring and slot; its seq (0: empty; answers LK_SLOT_DAMAGED for a bad checksum); slots
 * of a ring; the newest slot (seq 0: none). */
int lk_audit_slot(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                  struct lk_audit_entry *entry);
int lk_audit_seq(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot, uint64_t *seq);
int lk_audit_capacity(struct lk_txn *txn, uint32_t tenant, uint32_t *capacity);
int lk_audit_bisect(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity,
                    uint32_t *slot, uint64_t *seq);
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
/* Rebuilds user.roles from the grants. */
int lk_grants_refresh(struct lk_txn *txn, struct lk_id user);
/* `only` (LK_REFS form) limits the roles that count; empty: all. */
int lk_rights_check(struct lk_txn *txn, struct lk_id user, struct lk_span only,
                    struct lk_span resource, struct lk_span action, struct lk_reason *reason);
/* Numbers of the permissions of just this pair, wildcards taken literally. */
int lk_permission_pair(struct lk_txn *txn, uint32_t tenant, struct lk_span resource,
                       struct lk_span action, uint32_t numbers[LK_PAIR_MAX], uint32_t *count);
/* What the role's compiled set should be. */
int lk_role_compile(struct lk_txn *txn, uint32_t tenant, uint32_t role,
                    uint8_t bits[LK_PERMISSION_BYTES], size_t *size);
int lk_cache_tenant(struct lk_txn *txn, uint32_t tenant, const struct lk_cache_tenant **found);
int lk_tenant_bump(struct lk_txn *txn, uint32_t tenant, bool auth, bool role);
void lk_cache_clear(struct lk_txn *txn);
/* Brings every role's compiled set up to date. */
int lk_roles_recompile(struct lk_txn *txn, uint32_t tenant);

/* ---- lk_session.c, lk_user.c ---- */

int lk_user_compute(struct lk_txn *txn, struct lk_record *record);
int lk_session_compute(struct lk_txn *txn, struct lk_record *record);
int lk_count_users(struct lk_txn *txn, uint32_t tenant, uint64_t *count);
/* Removes sessions of a user but `keep`, unaudited; `count` may be NULL. */
int lk_sessions_drop(struct lk_txn *txn, struct lk_id user, uint32_t keep, uint32_t *count);
/* Removes one session; its minutes of use are added to the user's. Unaudited. */
int lk_session_drop(struct lk_txn *txn, struct lk_id id);
bool lk_session_alive(const struct lk_session *session, uint64_t now_ms, uint64_t auth_epoch);
/* A token for `id`: text and stored hash. `kind` is 's' or 'a'. */
int lk_token_make(struct lk_store *store, char kind, struct lk_id id, char token[LK_TOKEN_SIZE],
                  uint8_t hash[LK_TOKEN_HASH_SIZE]);
int lk_token_hash(struct lk_store *store, struct lk_span token, uint8_t hash[LK_TOKEN_HASH_SIZE]);
/* LK_E_REFUSED for anything of another form. */
int lk_token_parse(struct lk_span token, char *kind, struct lk_id *id);
/* All zero where the user has none yet. */
int lk_load_activity(struct lk_txn *txn, struct lk_id user, struct lk_activity *activity);

/* ---- lk_password.c ---- */

enum { LK_VERIFIER_ARGON2ID = 1, LK_VERIFIER_FOREIGN = 2 };
#define LK_VERIFIER_MAX 256

/* A password verifier in the open, for as short as may be; wipe it. */
struct lk_verifier {
    uint8_t form;
    struct lk_password argon2id;
    uint8_t foreign[LK_VERIFIER_MAX];
    size_t foreign_size;
};
int lk_verifier_seal(struct lk_store *store, struct lk_id credential,
                     const struct lk_verifier *verifier, uint8_t *out, size_t capacity,
                     size_t *size);
int lk_verifier_open(struct lk_store *store, struct lk_id credential, struct lk_span sealed,
                     struct lk_verifier *verifier);
/* The user's first credential of a type. LK_E_NOT_FOUND. */
int lk_credential_find(struct lk_txn *txn, struct lk_id user, enum lk_credential_type type,
                       struct lk_credential *credential);
int lk_password_put(struct lk_txn *txn, struct lk_id user, const struct lk_verifier *verifier,
                    const char *verb, unsigned flags);
int lk_password_form(struct lk_span password, const char **rule);
/* A fresh claim code for the user; the text is told once. */
int lk_claim_add(struct lk_txn *txn, struct lk_id user, char code[LK_CLAIM_SIZE]);
int lk_claim_hash(struct lk_store *store, struct lk_span code, uint8_t hash[LK_TOKEN_HASH_SIZE]);

/* ---- lk_keyring.c ---- */

/* Makes a store key, wraps it by the device secret, derives the subkeys and puts the boot record.
 */
int lk_keyring_create(struct lk_txn *txn);
/* Reads the boot record and derives. */
int lk_keyring_load(struct lk_txn *txn);
void lk_keyring_wipe(struct lk_store *store);
/* Opens by a passphrase, wraps by the device secret (which is made where there is none). */
int lk_keyring_adopt(struct lk_txn *txn, struct lk_span passphrase);

/* ---- lk_store.c, lk_seed.c ---- */

extern const struct lk_kind lk_kind_bucket;
/* What is charged to a name that nobody has. The counts come first: they are charged like a user's.
 */
struct lk_bucket {
    struct lk_activity counts;
    uint64_t name_tag;
};
/* One more, seen by every thread. */
void lk_store_count(struct lk_store *store, uint32_t *counter);
int lk_clock_read(struct lk_store *store, uint64_t *ms, enum lk_clock_quality *quality);
/* Milliseconds from `then` to `now`; 0 when the clock stands before it. */
static inline uint64_t lk_elapsed(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}
int lk_random(const struct lk_store *store, uint8_t *out, size_t size);
static inline void lk_wipe(const struct lk_store *store, void *data, size_t size)
{
    store->port->crypto->wipe(data, size);
}
/* Permissions and roles of a new tenant; `admin_role` gets the role that may do everything. */
int lk_seed_tenant(struct lk_txn *txn, uint32_t tenant, struct lk_id *admin_role);

#endif
