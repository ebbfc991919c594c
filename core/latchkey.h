// SPDX-License-Identifier: MIT
/*
 * latchkey.h: the public interface of Latchkey, an embedded identity store.
 *
 * Caveats
 * - Text and bytes of a record that was read are spans into the store: they live until the next
 * call on the same transaction. Copy what must outlive that.
 * - A write transaction shuts out other writers, also in other processes: keep it short. Password
 *   hashes are made outside (lk_password_prepare, the steps of a login).
 * - Everything returns 0 or a negative enum lk_error; out-parameters come last and are left alone
 * on error unless stated. `lk_problem` tells the field and the rule of the last refusal.
 *
 * Threads
 *   struct lk_store   one per process and store; read transactions may run in many threads at once,
 *                     one write transaction at a time (a second begin waits on LMDB, else
 * LK_E_BUSY) struct lk_txn     one thread at a time; any number may exist struct lk_login   one
 * thread at a time; any number at once, each with its own hash memory
 */
#ifndef LATCHKEY_H
#define LATCHKEY_H

#include "lk_base.h"
#include "lk_kind.h"
#include "lk_limits.h"
#include "lk_port.h"
#include "lk_storage.h"

#define LK_VERSION        "0.1.0"
#define LK_SCHEMA_VERSION 1 /* of what is stored; SPEC.md */

/* ---- Records of the built-in kinds ---- */

enum lk_tenant_status { LK_TENANT_ACTIVE = 0, LK_TENANT_SUSPENDED = 1 };

struct lk_tenant {
    struct lk_record record;
    struct lk_span name, external_id, display_name;
    uint64_t status;
    /* Policy. Times in seconds unless named otherwise; 0 switches a limit off. */
    uint64_t session_lifetime, session_idle, session_max;
    uint64_t lockout_failures, lockout_time;
    uint64_t password_min;
    uint64_t audit_capacity;
    uint64_t purge_after_days; /* of soft-deleted records; 0: kept until purged by hand */
    struct lk_span metadata;
    uint64_t auth_epoch, role_epoch; /* bookkeeping of suspended sessions and cached rights */
    uint64_t user_count;             /* computed */
};

enum lk_user_status { LK_USER_ACTIVE = 0, LK_USER_INVITED = 1, LK_USER_SUSPENDED = 2 };
enum lk_activity_status {
    LK_ACTIVITY_UNKNOWN = 0,
    LK_ACTIVITY_ACTIVE = 1,
    LK_ACTIVITY_INACTIVE = 2
};

struct lk_user {
    struct lk_record record;
    struct lk_span username, email, display_name, external_id;
    struct lk_span identity_provider, identity_provider_id;
    uint64_t status, must_change_password;
    struct lk_span metadata;
    struct lk_span roles; /* kept by grant and revoke */
    /* computed */
    uint64_t last_login_at, login_count, last_session_start, last_active_at, total_usage_minutes;
    uint64_t activity_status, last_login, session_count, is_locked;
};

struct lk_activity {
    struct lk_record record;
    uint64_t last_login_at, login_count, last_session_start, last_active_at, total_usage_minutes;
    uint64_t failed_count, last_failure_at, locked_until;
    uint64_t session_number; /* the last one given out */
};

struct lk_grant {
    struct lk_record record; /* id.sub is the role */
    uint64_t role, assigned_at, assigned_by, expires_at;
};

enum lk_channel {
    LK_CHANNEL_CONSOLE = 0,
    LK_CHANNEL_CLI = 1,
    LK_CHANNEL_PAM = 2,
    LK_CHANNEL_MQTT = 3,
    LK_CHANNEL_HTTP = 4,
    LK_CHANNEL_API = 5,
};

struct lk_session {
    struct lk_record record; /* created_at is the start */
    struct lk_span token_hash;
    uint64_t last_activity, expires_at, idle_limit, auth_epoch, channel;
    struct lk_span ip, user_agent, device_info;
    uint64_t is_active; /* computed */
};

enum lk_credential_type {
    LK_CREDENTIAL_PASSWORD = 0,
    LK_CREDENTIAL_TOTP = 1,
    LK_CREDENTIAL_RECOVERY = 2,
    LK_CREDENTIAL_SSH_KEY = 3,
    LK_CREDENTIAL_API_KEY = 4,
    LK_CREDENTIAL_CLAIM = 5,
};

struct lk_credential {
    struct lk_record record;
    uint64_t type;
    struct lk_span label;
    struct lk_span secret; /* sealed verifier, or keyed hash of a token or code */
    struct lk_span key;    /* ssh_key: the authorized_keys line */
    struct lk_span prefix; /* api_key: what of it may be shown */
    uint64_t last_used_at, expires_at, tries_left;
    struct lk_span roles; /* api_key: only these of the user's roles count (absent: all) */
};

struct lk_permission {
    struct lk_record record;
    struct lk_span name, resource, action, description;
};

struct lk_role {
    struct lk_record record;
    struct lk_span name, description;
    uint64_t parent, is_active;
    struct lk_span permissions;
    struct lk_span compiled; /* bit n: permission number n, parents' included */
    uint64_t holder_count;   /* computed */
};

enum lk_outcome { LK_SUCCESS = 0, LK_FAILURE = 1 };
enum lk_category {
    LK_CATEGORY_AUTH = 0,
    LK_CATEGORY_SESSION = 1,
    LK_CATEGORY_USER = 2,
    LK_CATEGORY_ROLE = 3,
    LK_CATEGORY_DATA = 4,
    LK_CATEGORY_SYSTEM = 5,
};
/* The two rings of a tenant. */
enum lk_ring_number { LK_RING_ADMIN = 0, LK_RING_ACTIVITY = 1 };
#define LK_RING_COUNT 2

struct lk_audit_entry {
    struct lk_record record; /* id.sub: slot; id.user: ring */
    uint64_t seq, at, clock, actor, outcome, category, channel, session;
    struct lk_span action, resource_type, resource_id, description;
    struct lk_span ip, user_agent, request, tags, details;
    uint64_t ring; /* computed */
};

struct lk_sequence {
    struct lk_record record; /* id.sub: the kind's number */
    uint64_t last;           /* the highest number ever given out */
};

/* Room for a record of any kind. */
union lk_any_record {
    struct lk_record record;
    struct lk_tenant tenant;
    struct lk_user user;
    struct lk_role role;
    struct lk_audit_entry audit;
    uint64_t words[LK_RECORD_WORDS];
};

/* ---- The store ---- */

struct lk_config {
    struct lk_storage *storage; /* lives as long as the store */
    const struct lk_port *port; /* likewise; clock, entropy, secret and crypto are required */
    void *work;                 /* LK_WORK_SIZE bytes, 8-aligned; used by write transactions */
    size_t work_size;
    const struct lk_kind *const *kinds; /* the application's own kinds, NULL at the end; or NULL */
    struct lk_pwhash_params pwhash;     /* of new verifiers; all zero: the board's default */
    bool read_only;
};

/* One store. Supplied by the caller; fields are private. */
struct lk_store {
    struct lk_storage *storage;
    const struct lk_port *port;
    const struct lk_kind *const *kinds;
    struct lk_pwhash_params pwhash;
    uint8_t *work;
    uint8_t store_id[16];
    uint8_t checksum_key[2][LK_MAC64_KEY_SIZE]; /* of values, then of keys */
    uint8_t index_key[LK_MAC64_KEY_SIZE];
    uint8_t bucket_key[LK_MAC64_KEY_SIZE];
    uint8_t seal_key[LK_SEAL_KEY_SIZE];
    uint8_t token_key[LK_HASH_SIZE];
    uint64_t high_water_ms, high_water_at; /* newest time stored, and the monotonic time then */
    uint32_t flags;
    uint32_t commit_count, login_count, refusal_count;
    struct lk_audit_head {
        uint32_t tenant, ring, slot, used;
        uint64_t seq;
    } audit_heads[LK_CACHE_TENANTS * LK_RING_COUNT]; /* hints, checked before they are believed */
    uint8_t maintain_key[32];                        /* where lk_maintain goes on */
    uint32_t maintain_size;
    uint32_t audit_capacity; /* of the store's own rings */
    uint64_t reserved[8];
};

int lk_open(struct lk_store *store, const struct lk_config *config);
/* Wipes the keys and closes the storage. Every transaction must be over. */
void lk_close(struct lk_store *store);

/* What the last refusal was about. */
struct lk_problem {
    int error;
    const char *kind;  /* name, or NULL */
    const char *field; /* name, or NULL */
    const char *rule;  /* what follows the value, in words: "is not an e-mail address (…)" */
    char given[64];    /* the value refused, cut and made printable; empty for secrets */
    uint32_t wait_s;   /* LK_E_LOCKED: seconds to wait */
    struct lk_id id;   /* LK_E_REFERENCE, LK_E_CONFLICT: the other record, where it may be told */
};

#define LK_CLAIM_SIZE 20 /* "ABCD-EFGH-JKLM-NPQR" and a NUL */

struct lk_create_request {
    struct lk_span tenant;   /* name of the first tenant */
    struct lk_span admin;    /* username of its administrator */
    struct lk_span password; /* empty: a claim code is made instead */
};

struct lk_create_result {
    struct lk_id admin;
    char claim[LK_CLAIM_SIZE]; /* empty when a password was given */
    struct lk_problem problem; /* filled when making the store was refused */
};

/*
 * Makes a store on empty storage and opens it. LK_E_EXISTS when there is one. A power cut leaves no
 * store or a whole one as far as one commit goes; a host makes it elsewhere and renames.
 */
int lk_create(struct lk_store *store, const struct lk_config *config,
              const struct lk_create_request *request, struct lk_create_result *result);
/* The same without tenant and administrator, for a restore. */
int lk_create_empty(struct lk_store *store, const struct lk_config *config);

/* Who acts, and from where. Goes to created_by, updated_by and the audit. */
struct lk_actor {
    uint32_t tenant;
    uint32_t user; /* 0: the system, or somebody with access to the files */
    uint32_t session;
    enum lk_channel channel;
    struct lk_span ip;         /* 0, 4 or 16 bytes */
    struct lk_span user_agent; /* cut when too long */
};

/* Permissions with the same resource and action, at most. */
#define LK_PAIR_MAX 4

struct lk_cache_tenant {
    uint32_t tenant;
    uint32_t status;
    uint64_t auth_epoch, role_epoch;
    uint64_t snapshot; /* that it was read in */
};

struct lk_cache_role {
    uint32_t tenant, role;
    uint16_t size;
    uint8_t bits[LK_PERMISSION_BYTES / 8];
};

struct lk_cache_permission {
    uint32_t tenant;
    uint32_t count;
    uint64_t hash[2];
    uint32_t numbers[LK_PAIR_MAX * 4]; /* of resource:action, resource:*, *:action, *:* */
};

/* A transaction. Zeroed by the caller before its first use, then reused; fields are private. */
struct lk_txn {
    struct lk_store *store;
    struct lk_storage_txn storage;
    enum lk_mode mode;
    bool open;
    bool summary; /* an import: records are not audited one by one */
    int failed;   /* first error in the middle of a change: commit refuses */
    struct lk_actor actor;
    uint64_t now_ms;
    enum lk_clock_quality clock;
    struct lk_problem problem;
    uint64_t cache_snapshot;
    struct lk_cache_tenant cache_tenants[LK_CACHE_TENANTS];
    struct lk_cache_role cache_roles[LK_CACHE_ROLES];
    struct lk_cache_permission cache_permissions[LK_CACHE_PERMISSIONS];
};

/* `actor` may be NULL (the system). Reading: a snapshot where the backend gives one. */
int lk_begin(struct lk_store *store, struct lk_txn *txn, enum lk_mode mode,
             const struct lk_actor *actor);
/* Durable when it returns 0. The transaction is over either way. */
int lk_commit(struct lk_txn *txn);
/* Also ends a read transaction. Harmless when none is open. */
void lk_abort(struct lk_txn *txn);
/* Gives back what an ended transaction keeps for its next use. */
void lk_txn_release(struct lk_txn *txn);
/* Of the last call on this transaction that failed. Never NULL. */
const struct lk_problem *lk_problem(const struct lk_txn *txn);
/* Milliseconds since 1970, as the store counts: never backwards. */
uint64_t lk_now(const struct lk_txn *txn);

/* ---- Records, whatever their kind ---- */

/* Built-in or the application's. NULL when there is none. */
const struct lk_kind *lk_store_kind(const struct lk_store *store, struct lk_span name);
const struct lk_kind *lk_store_kind_numbered(const struct lk_store *store, unsigned number);

/* Decodes into the kind's own struct. Soft-deleted records are not found. After an error what
 * `record` holds means nothing. */
int lk_get(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
           struct lk_record *record);
/* The same, soft-deleted ones included. */
int lk_get_deleted(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                   struct lk_record *record);
/* lk_get, and then the computed fields. */
int lk_get_computed(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                    struct lk_record *record);
/* By a unique index; `values` holds as many spans as the index has (text) fields. */
int lk_find(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_index *index,
            uint32_t tenant, const struct lk_span *values, struct lk_id *id);
int lk_find_tenant(struct lk_txn *txn, struct lk_span name, struct lk_id *id);
/* By username, e-mail address (where it holds '@') or "#number". */
int lk_find_user(struct lk_txn *txn, uint32_t tenant, struct lk_span who, struct lk_id *id);
/* By name, or "#number"; users by e-mail address too. `kind` is user, role or permission. */
int lk_find_named(struct lk_txn *txn, const struct lk_kind *kind, uint32_t tenant,
                  struct lk_span name, struct lk_id *id);
/* lk_find and lk_find_named, and lk_get of what was found, in one look. */
int lk_get_by(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_index *index,
              uint32_t tenant, const struct lk_span *values, struct lk_record *record);
int lk_get_named(struct lk_txn *txn, const struct lk_kind *kind, uint32_t tenant,
                 struct lk_span name, struct lk_record *record);

/*
 * The one write path. `record->present` says which fields are given; ids are chosen by the store
 * and written to record->id (for LK_SHAPE_OF_USER the caller sets tenant and user, else tenant).
 * Fields that only the store sets may be given as they are stored: a record that was read, then
 * changed. `verb` names the action in the audit after the kind's name ("suspend"); NULL: the usual
 * one. Errors: CHECK, CONFLICT, REFERENCE, LIMIT, USAGE with lk_problem; NOT_FOUND; storage's.
 * After any error the transaction must be aborted unless the call failed with one of the first
 * five, which change nothing.
 */
int lk_add(struct lk_txn *txn, const struct lk_kind *kind, struct lk_record *record,
           const char *verb);
/* Sets the fields present in `record`, and clears those in the bit set `clear`. */
int lk_update(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
              struct lk_record *record, uint64_t clear, const char *verb);
/* Soft where the kind has it, else for good. */
int lk_remove(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id, const char *verb);
int lk_restore(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id);
/* For good, with all that belongs to it. lk_store_scrub afterwards leaves nothing readable. */
int lk_purge(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id);
/* Puts an exported record back with its ids and audit fields (restore). Not audited one by one. */
int lk_put_back(struct lk_txn *txn, const struct lk_kind *kind, struct lk_record *record);

/* ---- Lists ---- */

struct lk_filter {
    const struct lk_field *field;
    uint64_t number;     /* for numeric fields; LK_REFS: a member */
    struct lk_span span; /* for others */
};

#define LK_CURSOR_SIZE 176 /* of a cursor's text, with its NUL */

struct lk_list {
    /* Filled by the caller. */
    const struct lk_kind *kind;
    const struct lk_index *index; /* NULL: by id */
    struct lk_id scope; /* tenant (0 for tenants), and user for kinds of a user (0: of all) */
    const struct lk_filter *filters;
    size_t filter_count;
    bool reverse;
    bool deleted;      /* the soft-deleted ones instead */
    bool computed;     /* fill computed fields (filters on them imply it) */
    const char *after; /* cursor of a page before, or NULL */
    /* Private. */
    struct lk_txn *txn;
    struct lk_storage_cursor cursor;
    uint8_t key[LK_KEY_MAX];
    size_t key_size;
    bool started, done, inclusive, standing;
};

int lk_list_begin(struct lk_txn *txn, struct lk_list *list);
/* 0 and the next record, or LK_E_NOT_FOUND at the end. After LK_E_CORRUPT record->id tells which
 * record is damaged (all 0 where that is not known), and the list may go on. */
int lk_list_next(struct lk_list *list, struct lk_record *record);
/* The place after the record just given, as text that holds no tenant. */
int lk_list_cursor(const struct lk_list *list, char cursor[LK_CURSOR_SIZE]);
void lk_list_end(struct lk_list *list);

/* ---- Values as text ---- */

/*
 * Parses `text` into a field of `record` and marks it present. Bytes that need room (UUID, address,
 * references by name) are put into `buffer`, of which `used` is brought forward. LK_REF and LK_REFS
 * take "#number" or names, separated by commas. LK_MAP takes CBOR (a front end converts JSON).
 */
int lk_value_parse(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_field *field,
                   struct lk_span text, struct lk_record *record, uint8_t *buffer, size_t size,
                   size_t *used);
/* Text of a numeric field, UUID, address; text itself is copied. Bytes, map, refs: UNSUPPORTED. */
int lk_value_format(const struct lk_field *field, const struct lk_record *record, char *out,
                    size_t size);

/* ---- Passwords and logins ---- */

#define LK_PASSWORD_MAX 128

/* A verifier made outside any transaction. Holds no plain text; wipe after use all the same. */
struct lk_password {
    struct lk_pwhash_params params;
    uint8_t salt[LK_PWHASH_SALT_SIZE];
    uint8_t hash[LK_PWHASH_SIZE];
    uint32_t length; /* of the password in bytes, for the tenant's rule */
};

/* Form rules only (8 to 128 bytes, UTF-8, no NUL); the tenant's minimum is held at lk_password_set.
 * `hash_work` may be NULL where the port has its own memory. `problem` may be NULL. */
int lk_password_prepare(struct lk_store *store, struct lk_span password, void *hash_work,
                        size_t hash_work_size, struct lk_password *out, struct lk_problem *problem);
/* Sets or replaces the user's password and ends the user's sessions but `keep_session` (0: none).
 */
int lk_password_set(struct lk_txn *txn, struct lk_id user, const struct lk_password *password,
                    uint32_t keep_session);
/* Would lk_password_import take this hash? Writes nothing. LK_E_CHECK, LK_E_UNSUPPORTED. */
int lk_password_hash_check(struct lk_txn *txn, struct lk_span hash);
/* Takes over a verifier of another program (see lk_crypto.foreign_check), or one in PHC form. */
int lk_password_import(struct lk_txn *txn, struct lk_id user, struct lk_span hash);
/* For a restore: gives a password credential just put back its verifier, and changes nothing else.
 */
int lk_password_put_back(struct lk_txn *txn, struct lk_id credential, struct lk_span hash);
/* The verifier of a password credential in PHC (or its foreign) form. The caller wipes it. */
int lk_password_export(struct lk_txn *txn, struct lk_id credential, char *out, size_t size);

#define LK_TOKEN_SIZE 48 /* "lks_" and 43 characters, and a NUL */

struct lk_login_request {
    uint32_t tenant; /* 0 is answered like an unknown name */
    struct lk_span name;
    struct lk_span password;
    struct lk_span new_password; /* for LK_E_MUST_CHANGE; else empty */
    enum lk_channel channel;
    struct lk_span ip, user_agent, device_info;
    void *hash_work; /* NULL where the port has its own */
    size_t hash_work_size;
};

struct lk_login_result {
    char token[LK_TOKEN_SIZE];
    struct lk_id session;
    uint64_t expires_at;
    bool rehashed; /* the verifier was replaced by a better one */
};

/*
 * A login in steps: begin charges the attempt, each step hashes a slice (1: call again), finish
 * commits. The request and its spans must live until finish. Every refusal is LK_E_REFUSED,
 * whatever its reason; LK_E_LOCKED tells the seconds in `problem.wait_s`; LK_E_MUST_CHANGE when the
 * password is right but must be changed and none or a bad new one was given (`problem` tells the
 * rule). lk_login_cancel wipes at any time; the attempt stays charged.
 */
struct lk_login {
    struct lk_store *store;
    const struct lk_login_request *request;
    struct lk_problem problem;
    struct lk_pwhash_job job;
    int state;
    struct lk_id user, credential;
    uint32_t flags;
    uint64_t user_stamp, credential_stamp;
    uint8_t claim[16];
    uint8_t expected[LK_PWHASH_SIZE];
    uint8_t foreign[256];
    size_t foreign_size;
    struct lk_password fresh;
};

int lk_login_begin(struct lk_store *store, struct lk_login *login,
                   const struct lk_login_request *request);
int lk_login_step(struct lk_login *login);
int lk_login_finish(struct lk_login *login, struct lk_login_result *result);
void lk_login_cancel(struct lk_login *login);
/* All of it. `problem` may be NULL. */
int lk_login(struct lk_store *store, const struct lk_login_request *request,
             struct lk_login_result *result, struct lk_problem *problem);

/* ---- Sessions and rights ---- */

struct lk_verdict {
    struct lk_id id; /* session, or credential for an API key */
    bool api_key;
    enum lk_channel channel;
    uint64_t started_at, last_activity, expires_at;
    uint64_t idle_ends_at; /* 0: no idle limit */
    bool touch_due;        /* last_activity is older than LK_TOUCH_GRAIN_MS */
};

#define LK_TOUCH_GRAIN_MS 60000

/*
 * Is this token good, now, and may its owner do resource:action (both empty: not asked)?
 * LK_E_REFUSED otherwise, without a reason. `tenant` 0: any. Writes nothing.
 */
int lk_session_check(struct lk_txn *txn, uint32_t tenant, struct lk_span token,
                     struct lk_span resource, struct lk_span action, struct lk_verdict *result);
/* Writes last_activity (write transaction); sessions and API keys alike. LK_E_REFUSED when it ended
 * meanwhile. */
int lk_session_touch(struct lk_txn *txn, const struct lk_verdict *verdict);
int lk_session_end(struct lk_txn *txn, struct lk_id id);
/* All of a user but `keep` (0: none); answers how many were ended. */
int lk_session_end_all(struct lk_txn *txn, struct lk_id user, uint32_t keep);
/* Of the token itself: audited as "logout". LK_E_REFUSED when it is not good. */
int lk_logout(struct lk_txn *txn, struct lk_span token);

/* Makes an API key; `roles` (LK_REFS form) may be empty, `expires_at` 0. Told once, in `token`. */
int lk_api_key_add(struct lk_txn *txn, struct lk_id user, struct lk_span label,
                   struct lk_span roles, uint64_t expires_at, char token[LK_TOKEN_SIZE],
                   struct lk_id *id);
int lk_ssh_key_add(struct lk_txn *txn, struct lk_id user, struct lk_span label, struct lk_span line,
                   struct lk_id *id);

int lk_role_grant(struct lk_txn *txn, struct lk_id user, struct lk_id role, uint64_t expires_at);
int lk_role_revoke(struct lk_txn *txn, struct lk_id user, struct lk_id role);
/* Adds (or takes away) one permission of a role. */
int lk_role_permit(struct lk_txn *txn, struct lk_id role, struct lk_id permission, bool permit);

/* Why: through which grant, role and permission. Zeroes where there is none. */
struct lk_reason {
    struct lk_id role;       /* that was granted */
    struct lk_id holder;     /* it, or the ancestor that has the permission */
    struct lk_id permission; /* that matched */
};

/* 0 may, LK_E_REFUSED may not. `reason` may be NULL. */
int lk_permission_check(struct lk_txn *txn, struct lk_id user, struct lk_span resource,
                        struct lk_span action, struct lk_reason *reason);

int lk_user_set_status(struct lk_txn *txn, struct lk_id user, enum lk_user_status status);
/* Clears failure counts and a running delay. */
int lk_user_unlock(struct lk_txn *txn, struct lk_id user);
int lk_tenant_set_status(struct lk_txn *txn, uint32_t tenant, enum lk_tenant_status status);
/* A tenant with the permissions and roles that a new one starts with. */
int lk_tenant_add(struct lk_txn *txn, struct lk_tenant *tenant);

/* ---- Audit ---- */

struct lk_audit_query {
    /* Filled by the caller; zero means any. */
    uint32_t tenant; /* 0: the store's own */
    uint32_t actor;
    struct lk_span action, resource_type, resource_id;
    int outcome;           /* 0 any, else 1 + enum lk_outcome */
    int category;          /* 0 any, else 1 + enum lk_category */
    uint64_t since, until; /* milliseconds, since <= at < until */
    uint64_t after_seq;    /* oldest first: entries after this one; newest first: before it */
    bool oldest_first;
    /* Private. */
    struct lk_txn *txn;
    struct {
        uint32_t first, count, capacity, at;
        uint64_t seq;
        bool loaded;
    } rings[LK_RING_COUNT];
};

int lk_audit_begin(struct lk_txn *txn, struct lk_audit_query *query);
/* 0 and the next entry in order of seq, or LK_E_NOT_FOUND at the end. LK_E_CORRUPT for a damaged
 * entry, once: the query may go on. */
int lk_audit_next(struct lk_audit_query *query, struct lk_audit_entry *entry);
/*
 * An entry of the application's own. `entry` gives action, resource_type, resource_id, description,
 * outcome, category, details…; the rest is filled in. Refusals as lk_add.
 */
int lk_audit_write(struct lk_txn *txn, enum lk_ring_number ring, struct lk_audit_entry *entry);

/* ---- Upkeep ---- */

struct lk_stats {
    struct lk_storage_stat storage;
    uint32_t tenant_count;
    uint32_t login_count, refusal_count, commit_count; /* since opened */
    uint32_t schema_version;
    uint8_t store_id[16];
};

int lk_stats(struct lk_txn *txn, struct lk_stats *stats);

/* A fault that a verification found. */
struct lk_fault_report {
    const char *what; /* in words */
    const char *kind; /* or index name; may be NULL */
    struct lk_id id;
    struct lk_span key; /* in storage */
};

struct lk_verify {
    /* Called for each fault; non-zero stops. May be NULL. */
    int (*on_fault)(void *context, const struct lk_fault_report *fault);
    int (*on_progress)(void *context, uint64_t done, uint64_t total);
    void *context;
    /* Out. */
    uint64_t record_count, index_count, fault_count;
    /* Private: the record in question, as calls on the transaction end what storage lends. */
    uint8_t buffer[LK_VALUE_MAX];
};

/* Every record's checksum, form, rules and references; what every index should hold, both ways;
 * numbers given out; order and completeness of the audit. `txn` may be of either mode. 0 clean,
 * LK_E_FAULTS. */
int lk_verify(struct lk_txn *txn, struct lk_verify *verify);

/*
 * Expired sessions, grants and keys; purges that are due. Looks at most at `budget` records, and
 * answers how many it changed; `txn` is a write transaction. `more` tells whether to call again.
 */
int lk_maintain(struct lk_txn *txn, uint32_t budget, bool *more);

/* Makes what was purged unreadable on the medium; no transaction may be open. LK_E_BUSY while a
 * reader still sees what was there before. */
int lk_store_scrub(struct lk_store *store, uint64_t *bytes);
/* True when this handle purged something since its last scrub. */
bool lk_store_scrub_due(const struct lk_store *store);

/* Wraps the store key anew: by the device secret of `port`, or by a passphrase. */
int lk_rewrap(struct lk_txn *txn, const uint8_t secret[LK_DEVICE_SECRET_SIZE]);
int lk_rewrap_passphrase(struct lk_txn *txn, struct lk_span passphrase);
/* Opens a store wrapped by a passphrase and wraps it by this device's secret. */
int lk_adopt(const struct lk_config *config, struct lk_span passphrase);

/* ---- Linux (liblatchkey; boards/linux) ---- */

struct lk_host;

struct lk_host_config {
    const char *directory;   /* of the store */
    const char *secret_path; /* NULL: the file "secret" in it */
    int secret_fd;           /* above 0: read the secret from it instead */
    bool read_only;
    const struct lk_kind *const *kinds;
    struct lk_pwhash_params pwhash; /* zero: the default */
};

int lk_host_open(const struct lk_host_config *config, struct lk_host **host);
int lk_host_create(const struct lk_host_config *config, const struct lk_create_request *request,
                   struct lk_create_result *result);
struct lk_store *lk_host_store(struct lk_host *host);
/* NULL does nothing. */
void lk_host_close(struct lk_host *host);

#endif
