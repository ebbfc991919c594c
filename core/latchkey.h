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

enum lk_session_limit { LK_LIMIT_END_OLDEST = 0, LK_LIMIT_REFUSE = 1 };

/* Is a second factor asked for at login? Of a tenant's and the roles' answers the strictest holds.
 */
enum lk_factor_policy {
    LK_FACTOR_OFF = 0,      /* no; what users have of one is not looked at */
    LK_FACTOR_OPTIONAL = 1, /* of whom has one */
    LK_FACTOR_REQUIRED = 2, /* of everybody */
};

enum lk_tenant_status { LK_TENANT_ACTIVE = 0, LK_TENANT_SUSPENDED = 1 };

struct lk_tenant {
    struct lk_record record;
    struct lk_span name, external_id, display_name;
    uint64_t status;
    /* Policy. Times in seconds unless named otherwise; 0 switches a limit off. */
    uint64_t session_lifetime, session_idle, session_max;
    uint64_t lockout_failures, lockout_time;
    uint64_t password_min, password_blocklist;
    uint64_t audit_capacity;
    uint64_t audit_days;       /* entries of the audit are kept; 0: until the ring is full */
    uint64_t audit_archive;    /* entries past audit_days wait until they were archived */
    uint64_t audit_archived;   /* seq up to which they were */
    uint64_t purge_after_days; /* of soft-deleted records; 0: kept until purged by hand */
    uint64_t session_limit;    /* enum lk_session_limit: what session_max does */
    uint64_t session_end_at_reboot;
    struct lk_span session_channels; /* "console:900 http:86400": lifetimes by channel */
    uint64_t second_factor;          /* enum lk_factor_policy */
    struct lk_span metadata;
    uint64_t auth_epoch, role_epoch; /* bookkeeping of suspended sessions and cached rights */
    struct lk_span time_zone;        /* "+02:00": of the windows of permissions */
    uint64_t password_history, password_min_age;
    uint64_t close_failures, close_time; /* of the network lane */
    uint64_t login_rate;                 /* good logins of a user an hour */
    struct lk_span audit_key;            /* of personal data in the audit that are no user's */
    struct lk_span audit_gone; /* links of the oldest entries, where older were taken away */
    struct lk_span role_marks; /* bookkeeping of cached rights: which roles changed */
    uint64_t user_count;       /* computed */
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
    uint64_t activity_status, last_login, session_count, is_locked, has_second_factor;
};

/* Where a login comes from: failures are counted, and delayed, on each lane by itself. */
enum lk_lane {
    LK_LANE_NETWORK = 0,
    LK_LANE_CONSOLE = 1, /* the channel is the console */
    LK_LANE_DEVICE = 2,  /* a device that the user logged in from before, by its cookie */
    LK_LANE_MAIL = 3,    /* the network, with an e-mail address typed for the name */
};
#define LK_LANE_COUNT 4

struct lk_activity {
    struct lk_record record;
    uint64_t last_login_at, login_count, last_session_start, last_active_at, total_usage_minutes;
    uint64_t failed_count, last_failure_at, locked_until; /* network lane */
    uint64_t session_number;                              /* the last one given out */
    uint64_t console_failed_count, console_last_failure_at, console_locked_until;
    uint64_t device_failed_count, device_last_failure_at, device_locked_until;
    uint64_t mail_failed_count, mail_last_failure_at, mail_locked_until;
    uint64_t login_tat;          /* when the user's budget of good logins is whole again */
    struct lk_span address_tags; /* keyed hashes of the address ranges of the last logins */
    struct lk_span audit_key;    /* of the user's personal data in the audit */
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
    uint64_t device;               /* number of a device of the user; 0: none */
    uint64_t boot, clock;          /* of the last use; the worst quality of any use */
    uint64_t ends_mono, last_mono; /* end and last use by the monotonic clock of that boot */
    uint64_t factors;              /* 1: proved by a password; 2: by a second factor, too */
    uint64_t is_active;            /* computed */
};

#define LK_FINGERPRINT_MAX 32

struct lk_device {
    struct lk_record record;
    struct lk_span fingerprint; /* what the application knows it by; proves nothing */
    struct lk_span name, type;
    uint64_t first_seen, last_seen, trusted;
    struct lk_span cookie_hash;
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
    struct lk_span secret; /* sealed verifier or seed, or keyed hashes of a token or codes */
    struct lk_span key;    /* ssh_key: the authorized_keys line */
    struct lk_span prefix; /* api_key: what of it may be shown */
    uint64_t last_used_at, expires_at, tries_left;
    struct lk_span roles;       /* api_key: only these of the user's roles count (absent: all) */
    uint64_t set_at;            /* password: when a person last set it */
    struct lk_span history;     /* password: sealed verifiers of earlier ones */
    uint64_t last_step;         /* totp: the newest step that was used */
    uint64_t confirmed;         /* totp: a code of it was given */
    uint64_t algorithm, digits; /* totp: enum lk_hmac; 6 or 8 */
    uint64_t powered_end;       /* claim: when it ends, in powered time */
    struct lk_span hash_key;    /* api_key, recovery: sealed key of the hashes, of another store */
    /* computed */
    uint64_t codes_left; /* recovery */
    uint64_t state;      /* totp: 1 confirmed */
};

struct lk_permission {
    struct lk_record record;
    struct lk_span name, resource, action, description;
    struct lk_span channels, sources, window; /* lk_condition.c has their form */
    uint64_t owner_only;
    uint64_t deny;      /* takes instead of giving, and wins */
    uint64_t approval;  /* whoever does it needs a second person */
    uint64_t login_age; /* seconds: whoever does it must have logged in since; 0: no matter */
};

struct lk_role {
    struct lk_record record;
    struct lk_span name, description;
    uint64_t parent, is_active;
    uint64_t second_factor; /* enum lk_factor_policy, of whom the role is granted to */
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

/*
 * Where somebody came from, and what an application wrote in its own words, are stored sealed under
 * a key of the user's; when the user is purged they cannot be read any more (`erased`).
 */
struct lk_audit_entry {
    struct lk_record record; /* id.sub: slot; id.user: ring */
    uint64_t seq, at, clock, actor, outcome, category, channel, session;
    struct lk_span action, resource_type, resource_id, description;
    struct lk_span ip, user_agent, request, tags, details;
    struct lk_span source_tag; /* keyed hash of the address: the same for the same */
    /* The same failure again, so many times between first_at and last_at. */
    uint64_t repeats, first_at, last_at;
    uint64_t dropped; /* entries before this one that were not written, or were lost */
    struct lk_span sealed, links, chain;
    /* computed */
    uint64_t ring;
    uint64_t open;   /* repeats that go on: not in the ring yet, seq 0 */
    uint64_t erased; /* what was sealed cannot be read any more */
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
    struct lk_pwhash_params pwhash;     /* of new verifiers; all zero: the store's, see below */
    bool read_only;
    bool accept_rollback;    /* open what the port's counter says is an older copy; audited */
    uint32_t audit_capacity; /* slots of a new store's rings; 0: the build's default */
    uint64_t left_out;       /* bit n: a new store does without index n, beside the build's */
};

/* Where a walk over the store goes on; size 0: at the beginning, or the end. */
struct lk_place {
    uint8_t key[32];
    uint32_t size;
};

/* One store. Supplied by the caller; fields are private. */
struct lk_store {
    struct lk_storage *storage;
    const struct lk_port *port;
    const struct lk_kind *const *kinds;
    struct lk_pwhash_params pwhash;
    uint8_t *work;
    uint8_t store_id[16];
    struct lk_keys {
        uint8_t checksum[2][LK_MAC64_KEY_SIZE]; /* of values, then of keys */
        uint8_t seal[LK_SEAL_KEY_SIZE];
    } keys[2]; /* by the lowest bit of their generation */
    uint8_t index_key[LK_MAC64_KEY_SIZE];
    uint8_t bucket_key[LK_MAC64_KEY_SIZE];
    uint8_t token_key[LK_HASH_SIZE];
    uint8_t audit_key[LK_HASH_SIZE];       /* of the audit's chain */
    uint8_t trace_key[LK_HASH_SIZE];       /* root of those that personal data are sealed under */
    uint8_t source_key[LK_MAC64_KEY_SIZE]; /* of addresses' tags */
    uint8_t fold_key[LK_MAC64_KEY_SIZE];   /* of what makes two failures the same */
    uint32_t key_generation, old_keys;     /* enum lk_old_keys */
    uint64_t keys_snapshot, keys_stamp;    /* of the boot record that they were read from */
    uint32_t open_count;                   /* transactions */
    uint64_t counted, counted_at;          /* the counter's number, and when it was raised */
    struct lk_meta {
        uint64_t schema, high_water_ms, audit_capacity;
        uint64_t boot, monotonic_ms; /* when it was stored */
        uint64_t charge_tat;         /* of the budget of failed logins */
        uint64_t powered_ms, time_epoch;
        uint64_t pwhash_kib, pwhash_passes; /* of new verifiers; 0: the board's default */
        uint64_t counter;                   /* the hardware's, or one more */
        uint64_t left_out;                  /* indexes that the store does without */
    } meta;                                 /* as stored; for the writer */
    uint64_t high_water_ms, high_water_at;  /* newest time seen, and the monotonic time then */
    uint64_t boot, time_epoch;
    uint64_t powered_offset; /* what the monotonic clock lacks to the powered time */
    uint32_t flags;
    uint32_t commit_count, login_count, refusal_count;
    struct lk_throttle {
        struct lk_source {
            uint64_t tag; /* keyed hash of the address; 0: free */
            uint64_t failed_at, until;
            uint32_t count;
        } sources[LK_SOURCES];  /* the most recent ones that failed */
        uint64_t tat;           /* when the budget of failed logins is whole again */
        uint64_t closed_until;  /* it was spent, and the network lane waits for more of it */
        bool closing_noted;     /* in the audit */
        uint32_t refused_count; /* since opened */
    } throttle;                 /* under the writer's lock, refused_count apart */
    struct lk_audit_hint {
        uint32_t tenant, ring, slot, used;
        uint64_t seq;
    } audit_hints[LK_CACHE_TENANTS * LK_RING_COUNT]; /* of newest slots; checked, not believed */
    struct lk_audit_miss {
        uint32_t tenant, count, told; /* told: by the open transaction */
    } audit_missed[LK_CACHE_TENANTS];
    uint32_t audit_watermark_count;
    struct lk_place maintain; /* where lk_maintain goes on */
    uint32_t audit_capacity;  /* of the store's own rings, and of tenants that do not say */
    uint32_t value_max;       /* bytes of a value, checksum included */
    uint64_t reserved[8];
};

/* LK_E_ROLLBACK: the port has a monotonic counter, and it says that this is an older copy. */
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
    uint32_t key;              /* credential number of the API key that acts, or 0 */
    uint32_t approver;         /* the second person, as lk_approve found; or 0 */
};

/* Permissions with the same resource and action, at most. */
#define LK_PAIR_MAX 4

/* Roles are told apart by number, modulo this, when some of them changed. */
#define LK_ROLE_MARKS 16

struct lk_cache_tenant {
    uint32_t tenant;
    uint32_t status;
    bool end_at_reboot;
    uint64_t auth_epoch, role_epoch;
    uint64_t snapshot; /* that it was read in */
    int32_t zone_minutes;
    uint8_t role_marks[LK_ROLE_MARKS];
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
    uint8_t flags[LK_PAIR_MAX * 4];    /* what else each says; 0: it simply gives */
    uint8_t any_flags;
};

/* A transaction. Zeroed by the caller before its first use, then reused; fields are private. */
struct lk_txn {
    struct lk_store *store;
    struct lk_storage_txn storage;
    enum lk_mode mode;
    bool open;
    bool summary; /* an import: records are not audited one by one */
    bool tallied; /* counts by a tally, beside which the storage takes nothing */
    int failed;   /* first error in the middle of a change: commit refuses */
    struct lk_actor actor;
    uint64_t now_ms, monotonic_ms;
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
/* By a unique index of the tenant or the store; `values` holds as many spans as the index has
 * (text) fields. */
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
 * REFUSED and APPROVAL where the actor may not make this change. After any error the transaction
 * must be aborted unless the call failed with one of these seven, which change nothing.
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

/* A verifier made outside any transaction, with what the tenant's rules ask of the password. Holds
 * no plain text; wipe after use all the same. */
struct lk_password {
    struct lk_pwhash_params params;
    uint8_t salt[LK_PWHASH_SALT_SIZE];
    uint8_t hash[LK_PWHASH_SIZE];
    uint32_t length; /* of the password in bytes */
    /* Private. */
    uint8_t common;       /* one of the common passwords */
    uint8_t compared;     /* 1 more than the user's passwords that it was compared with, … */
    uint64_t compared_to; /* … of which the one in use had this stamp; 0: with none */
    uint64_t words[2];    /* keyed hashes of its letters and digits, to tell names by */
};

/*
 * Holds the rules of form (8 to 128 bytes, UTF-8, no NUL); those of the tenant (least length,
 * blocklist, own names, history, least age) are held at lk_password_set. No transaction may be open
 * when the tenant keeps a history: lk_password_prepare_for then compares the password with those
 * that the user had, a hash each. LK_E_CHECK names the rule. `hash_work` may be NULL where the port
 * has its own memory, `problem` too. lk_password_prepare is for users who have no password yet, and
 * for tenants without a history.
 */
int lk_password_prepare(struct lk_store *store, struct lk_span password, void *hash_work,
                        size_t hash_work_size, struct lk_password *out, struct lk_problem *problem);
int lk_password_prepare_for(struct lk_store *store, struct lk_id user, struct lk_span password,
                            void *hash_work, size_t hash_work_size, struct lk_password *out,
                            struct lk_problem *problem);
/*
 * Sets or replaces the user's password and ends the user's sessions but `keep_session` (0: none).
 * LK_E_CHECK: a rule of the tenant, in lk_problem; LK_E_ARGUMENT: the tenant keeps a history and
 * the password was not prepared for this user; LK_E_BUSY: the user's passwords or the policy
 * changed since, prepare again.
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

/* ---- Second factors ---- */

#define LK_TOTP_MAX       4   /* of a user: a telephone, a spare one… */
#define LK_TOTP_SEED_MAX  64  /* bytes */
#define LK_TOTP_SEED_TEXT 104 /* of it in base32, with a NUL */
#define LK_TOTP_URI_SIZE  800

struct lk_totp_options {
    enum lk_hmac algorithm; /* SHA-1 is what every authenticator can do */
    uint32_t digits;        /* 6 or 8; 0: 6 */
};

/* A new seed, told this once, as text to type and as a URI for an authenticator to read (from a QR
 * code). The caller wipes it. */
struct lk_totp_offer {
    char seed[LK_TOTP_SEED_TEXT]; /* base32 (RFC 4648) without padding */
    char uri[LK_TOTP_URI_SIZE];   /* "otpauth://totp/TENANT:USER?secret=…" */
};

/*
 * Gives a user a seed for time-based codes (RFC 6238, steps of 30 s), which counts for nothing
 * until lk_totp_confirm. `options` may be NULL. One of the same label that was never confirmed is
 * replaced. LK_E_CONFLICT: the label is another one's; LK_E_LIMIT: the user has LK_TOTP_MAX;
 * LK_E_UNSUPPORTED: the port has not this HMAC.
 */
int lk_totp_add(struct lk_txn *txn, struct lk_id user, struct lk_span label,
                const struct lk_totp_options *options, struct lk_totp_offer *offer,
                struct lk_id *id);
/* The user's unconfirmed one that this is a code of counts from now on. LK_E_NOT_FOUND: there is
 * none that waits; LK_E_REFUSED: the code is of none of them, or the clock is not trusted. */
int lk_totp_confirm(struct lk_txn *txn, struct lk_id user, struct lk_span code, struct lk_id *id);
/* The seed of the credential `id` in base32, for an export. The caller wipes it. */
int lk_totp_export(struct lk_txn *txn, struct lk_id id, char out[LK_TOTP_SEED_TEXT]);
/* For a restore: gives a credential just put back its seed. No code up to now is taken any more. */
int lk_totp_put_back(struct lk_txn *txn, struct lk_id id, struct lk_span seed);

#define LK_RECOVERY_COUNT  10
#define LK_RECOVERY_DIGITS 10 /* of 5 random bits each */
#define LK_RECOVERY_SIZE   12 /* "7K3QD-0XW9F" and a NUL */

/* Makes ten codes, told this once, each good for one login in a time-based code's place, without a
 * clock too. They replace what the user had left of an older set. The caller wipes them. */
int lk_recovery_add(struct lk_txn *txn, struct lk_id user,
                    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], struct lk_id *id);

/* The hashes of an API key or of recovery codes, with the key that they are made with, in hex, for
 * an export. LK_E_NOT_FOUND for others. The caller wipes it. */
#define LK_KEYED_TEXT (2 * LK_HASH_SIZE + 1 + 32 * LK_RECOVERY_COUNT + 1)
int lk_keyed_export(struct lk_txn *txn, struct lk_id id, char out[LK_KEYED_TEXT]);
/* For a restore: gives a credential just put back its hashes. */
int lk_keyed_put_back(struct lk_txn *txn, struct lk_id id, struct lk_span text);

enum lk_factor_kind { LK_FACTOR_NONE = 0, LK_FACTOR_TOTP = 1, LK_FACTOR_RECOVERY = 2 };

/* ---- Logins ---- */

struct lk_login_request {
    uint32_t tenant;            /* 0 is answered like an unknown name */
    struct lk_span tenant_name; /* with tenant 0: what was asked for, so that each tenant that is
                                   not there behaves like one of its own; may be empty */
    struct lk_span name;
    struct lk_span password;
    struct lk_span new_password; /* for LK_E_MUST_CHANGE; else empty */
    struct lk_span code;         /* for LK_E_SECOND_FACTOR: time-based or of recovery; else empty */
    /* Where a user must have a second factor and has none: one is made, and told here. NULL: not.
     */
    struct lk_totp_offer *enrol;
    enum lk_channel channel;
    struct lk_span ip, user_agent, device_info;
    struct lk_span device_cookie;      /* given by an earlier login; or empty */
    struct lk_span device_fingerprint; /* what the application knows the device by; or empty */
    struct lk_span device_name, device_type;
    bool remember_device; /* a good login gives the device a (new) cookie */
    void *hash_work;      /* NULL where the port has its own */
    size_t hash_work_size;
};

struct lk_login_result {
    char token[LK_TOKEN_SIZE];
    struct lk_id session;
    uint64_t expires_at;
    char device_cookie[LK_TOKEN_SIZE]; /* empty where none was asked for */
    bool rehashed;                     /* the verifier was replaced by a better one */
    enum lk_factor_kind factor;        /* that was proved beside the password */
    uint32_t codes_left;               /* RECOVERY: of the set, after this one */
};

struct lk_login_counts {
    uint64_t count, at, until, logins;
};

/* What a login was charged, and where; private. */
struct lk_login_charged {
    struct lk_id id; /* of the activity or bucket */
    enum lk_lane lane;
    struct lk_login_counts before, now; /* of failures; now.count 0: nothing yet */
    bool source;                        /* the source was, and the store's budget */
};

/* Comparing a new password with those that the user had; private. */
struct lk_reuse {
    unsigned at, count; /* the next one, and how many the tenant keeps */
    bool hashing, reused;
    uint64_t stamp; /* of the one in use */
    uint8_t expected[LK_PWHASH_SIZE];
};

/*
 * A login in steps: begin charges the attempt, each step hashes a slice (1: call again), finish
 * commits. The request and its spans must live until finish. Every refusal is LK_E_REFUSED,
 * whatever its reason; LK_E_LOCKED tells the seconds in `problem.wait_s`; LK_E_MUST_CHANGE when the
 * password is right but must be changed and none or a bad new one was given (`problem` tells the
 * rule); LK_E_SECOND_FACTOR when it is right and no code was given with it: `problem.field` is
 * "code" when one is asked for, "second_factor" when the user must have one and has none, and then,
 * where the request has `enrol`, that is filled: log in again with a code of it. Neither counts as
 * a failure; a wrong code does. LK_E_LIMIT when all is right but the user has as many sessions as
 * the tenant allows. lk_login_cancel wipes at any time; the attempt stays charged.
 */

struct lk_login {
    struct lk_store *store;
    const struct lk_login_request *request;
    const struct lk_login_approve *approve; /* of lk_approve: no session is made */
    struct lk_problem problem;
    struct lk_pwhash_job job;
    int state;
    struct lk_id user, credential;
    uint32_t flags;
    enum lk_lane lane;
    uint64_t source; /* keyed hash of the address; 0: none was given */
    uint64_t user_stamp, credential_stamp;
    uint8_t claim[16];
    uint8_t expected[LK_PWHASH_SIZE];
    uint8_t foreign[LK_VERIFIER_MAX];
    size_t foreign_size;
    struct lk_reuse reuse;
    struct lk_password fresh;
    struct lk_login_charged charged;
    enum lk_factor_kind factor;
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
    uint32_t factors; /* of the login: 1 a password, 2 a second factor, too; 0: an API key */
    enum lk_channel channel;
    uint64_t started_at, last_activity, expires_at;
    uint64_t idle_ends_at; /* 0: no idle limit */
    uint64_t age_ms;       /* since the login, whatever the wall clock did meanwhile */
    uint32_t device;       /* number of the user's device; 0: none */
    bool touch_due; /* last_activity is older than LK_TOUCH_GRAIN_MS, or a quarter of the idle limit
                     */
};

/* What somebody wants to do. Zero what is not known: what depends on it then does not hold, and a
 * permission that denies counts. */
struct lk_question {
    struct lk_span resource, action;
    uint32_t owner;    /* user whom the thing in question belongs to */
    struct lk_span ip; /* 4 or 16 bytes: where the request comes from; else that of the session */
    int channel;       /* 1 + enum lk_channel; of a session its own counts */
    uint64_t login_at; /* of a session its own counts */
    uint64_t at;       /* at another time than now */
    const struct lk_approval *approval; /* of a second person; or NULL */
};

/* A question from literals: LK_ASK("door", "open"). */
#define LK_ASK(resource_, action_)                                                                 \
    (&(const struct lk_question){.resource = LK_TEXT(resource_), .action = LK_TEXT(action_)})

/*
 * Is this token good, now, and (unless `question` is NULL) may its owner do that? LK_E_REFUSED
 * otherwise, without a reason; LK_E_STEP_UP when the owner may after logging in again;
 * LK_E_APPROVAL when a second person must agree (lk_approve). `tenant` 0: any. Writes nothing.
 */
int lk_session_check(struct lk_txn *txn, uint32_t tenant, struct lk_span token,
                     const struct lk_question *question, struct lk_verdict *result);
/* Writes last_activity (write transaction); sessions and API keys alike. LK_E_REFUSED when it ended
 * meanwhile. */
int lk_session_touch(struct lk_txn *txn, const struct lk_verdict *verdict);
int lk_session_end(struct lk_txn *txn, struct lk_id id);
/* All of a user but `keep` (0: none); answers how many were ended. */
int lk_session_end_all(struct lk_txn *txn, struct lk_id user, uint32_t keep);
/* All of a tenant but `keep` (all 0: none), however many there are: one write. */
int lk_session_end_tenant(struct lk_txn *txn, uint32_t tenant, struct lk_id keep);
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

enum lk_decision {
    LK_DECIDED_NOT_HELD = 0, /* no role has it */
    LK_DECIDED_ALLOWED = 1,
    LK_DECIDED_DENIED = 2,    /* by a permission that denies */
    LK_DECIDED_CONDITION = 3, /* held, but a condition does not hold */
    LK_DECIDED_STEP_UP = 4,   /* held, but the login is too old */
    LK_DECIDED_APPROVAL = 5,  /* held, but a second person must agree */
    LK_DECIDED_USER = 6,      /* the user is not active */
    LK_DECIDED_TENANT = 7,    /* the tenant is not active */
};

/* Why: through which grant, role and permission. Zeroes where there is none. */
struct lk_reason {
    enum lk_decision decision;
    struct lk_id role;       /* that was granted */
    struct lk_id holder;     /* it, or the ancestor that has the permission */
    struct lk_id permission; /* that decided */
    struct lk_id demand;     /* STEP_UP, APPROVAL: the permission that demands it */
    uint64_t failed;         /* CONDITION: bit n, field number n of the permission */
};

/* 0 may, LK_E_REFUSED may not, LK_E_STEP_UP, LK_E_APPROVAL as above. `reason` may be NULL. */
int lk_permission_check(struct lk_txn *txn, struct lk_id user, const struct lk_question *question,
                        struct lk_reason *reason);

/* The permissions that a user's roles have now: bit n mod 8 of byte n div 8 is permission number n,
 * those that deny among them. */
int lk_rights_of(struct lk_txn *txn, struct lk_id user, uint8_t bits[LK_PERMISSION_BYTES]);

enum lk_right {
    LK_RIGHT_NONE = 0,
    LK_RIGHT_SOME = 1, /* under conditions */
    LK_RIGHT_FULL = 2,
};

/* What such a set comes to for one pair. */
int lk_rights_level(struct lk_txn *txn, uint32_t tenant, const uint8_t bits[LK_PERMISSION_BYTES],
                    struct lk_span resource, struct lk_span action, enum lk_right *right);

/*
 * A second person's word for one question of one requester, good for LK_APPROVAL_MS.
 * Fields are private but for `approver`.
 */
struct lk_approval {
    uint32_t tenant, requester;
    uint32_t approver; /* for lk_actor.approver of the transaction that does it */
    uint64_t until;
    uint64_t hash[2];
};

#define LK_APPROVAL_MS 300000

/*
 * A second person says yes to `question` of user number `requester`: verified as a login is,
 * charged and locked like one, without a session. LK_E_REFUSED: wrong name or password (`problem`
 * has no rule), or somebody who may not approve this (it tells why): the requester, who does not
 * hold the permission, or whose credentials, grants or roles the requester changed within a day.
 * Other errors as of lk_login. Audited either way. `problem` may be NULL.
 */
int lk_approve(struct lk_store *store, const struct lk_login_request *request, uint32_t requester,
               const struct lk_question *question, struct lk_approval *approval,
               struct lk_problem *problem);

/*
 * A new user with roles (numbers, in any order, each once), in one put of the user record: what
 * lk_add and lk_role_grant would do, for less than half of it. LK_E_REFERENCE where a role is not
 * there; LK_E_LIMIT; else as of lk_add. A refusal changes nothing.
 */
int lk_user_add(struct lk_txn *txn, struct lk_user *user, const uint32_t *roles, size_t count);
int lk_user_set_status(struct lk_txn *txn, struct lk_id user, enum lk_user_status status);
/* Clears failure counts and running delays of every lane, and the budget of good logins. */
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
    struct lk_span source; /* an address, 4 or 16 bytes: found by its tag */
    struct lk_span tagged; /* one word of `tags` */
    int outcome;           /* 0 any, else 1 + enum lk_outcome */
    int category;          /* 0 any, else 1 + enum lk_category */
    uint64_t since, until; /* milliseconds, since <= at < until */
    uint64_t after_seq;    /* oldest first: entries after this one; newest first: before it */
    bool oldest_first;
    bool open;   /* repeats that go on, too: newer than all */
    bool closed; /* leave personal data sealed */
    /* Private. */
    struct lk_txn *txn;
    bool by_time;
    struct {
        uint32_t first, count, capacity, at;
        uint64_t seq;
        bool loaded;
    } rings[LK_RING_COUNT];
    uint32_t fold; /* the next open one */
    uint8_t tag[8];
    uint8_t opened[LK_AUDIT_OPENED_MAX]; /* of the entry given last */
};

int lk_audit_begin(struct lk_txn *txn, struct lk_audit_query *query);
/* 0 and the next entry in order of seq, or LK_E_NOT_FOUND at the end. LK_E_CORRUPT for a damaged
 * entry, once, with its place in record.id: the query may go on. Texts live until the next call on
 * the transaction or query. */
int lk_audit_next(struct lk_audit_query *query, struct lk_audit_entry *entry);
/*
 * An entry of the application's own. `entry` gives action, resource_type, resource_id, description,
 * outcome, category, details…; the rest is filled in. Description, tags and details are sealed as
 * personal data. A failure like one of before is counted, and has no seq. Refusals as lk_add.
 */
int lk_audit_write(struct lk_txn *txn, enum lk_ring_number ring, struct lk_audit_entry *entry);

#define LK_CHAIN_SIZE 16

/* The newest entry of each ring (seq 0: none). Kept elsewhere, it shows when entries are cut. */
struct lk_audit_heads {
    uint8_t store_id[16];
    uint32_t tenant;
    struct {
        uint64_t seq;
        uint8_t chain[LK_CHAIN_SIZE];
    } rings[LK_RING_COUNT];
};

int lk_audit_heads(struct lk_txn *txn, uint32_t tenant, struct lk_audit_heads *heads);

struct lk_audit_verify {
    /* Filled by the caller. */
    uint32_t tenant;
    uint64_t from;                     /* entries from this seq on; 0: all */
    const struct lk_audit_heads *head; /* of before, of this store and tenant; or NULL */
    /* Called for each fault; non-zero stops. May be NULL. */
    int (*on_fault)(void *context, const char *what, struct lk_id id);
    void *context;
    /* Out. */
    uint64_t entry_count, fault_count;
};

/* Is every entry as it was written, in its place, and none missing? 0, or LK_E_FAULTS.
 * LK_E_ARGUMENT when `head` is of another store or tenant. */
int lk_audit_verify(struct lk_txn *txn, struct lk_audit_verify *verify);
/* Puts repeats that are being counted into their rings: before a copy is made for safe keeping. */
int lk_audit_settle(struct lk_txn *txn, uint32_t tenant);
/* Entries up to `seq` are safe elsewhere: retention may take them. LK_E_ARGUMENT past the newest.
 */
int lk_audit_archived(struct lk_txn *txn, uint32_t tenant, uint64_t seq);

/* ---- Upkeep ---- */

struct lk_stats {
    struct lk_storage_stat storage;
    uint32_t tenant_count;
    uint32_t login_count, refusal_count, commit_count; /* since opened */
    uint32_t throttled_count; /* logins refused unseen for their source, or for failures overall */
    uint32_t audit_watermark_count; /* rings that filled up with what was not archived; likewise */
    uint32_t schema_version;
    uint32_t key_generation; /* how often the store key was replaced */
    bool rekey_running;      /* records under the store key before are left */
    bool secret_changing;    /* two device secrets open it: lk_rewrap_settle is due */
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

struct lk_clock_state {
    uint64_t now_ms; /* as the store counts */
    enum lk_clock_quality quality;
    uint64_t wall_ms; /* as the platform says */
    enum lk_clock_quality wall;
    uint64_t high_water_ms; /* newest time stored */
    uint64_t powered_ms;    /* that the machine was on in all */
    uint64_t time_epoch;    /* how often the clock was set back */
    bool can_set;           /* the platform's clock can be set from here */
};

int lk_clock_tell(struct lk_txn *txn, struct lk_clock_state *state);
/*
 * Sets the platform's clock, and the store's with it; `ms` 0: the platform's is right. Time that
 * goes back opens a new epoch: what ended by the time until now is taken away for good, in
 * transactions of a bounded size, then all sessions end. Audited; a failure leaves both clocks as
 * they were, and may be repeated. No transaction may be open in this thread. LK_E_CHECK,
 * LK_E_UNSUPPORTED with `problem` (may be NULL).
 */
int lk_clock_set(struct lk_store *store, const struct lk_actor *actor, uint64_t ms,
                 struct lk_problem *problem);

/* Makes what was purged unreadable on the medium; no transaction may be open. LK_E_BUSY while a
 * reader still sees what was there before. */
int lk_store_scrub(struct lk_store *store, uint64_t *bytes);
/* True when this handle purged something since its last scrub. */
bool lk_store_scrub_due(const struct lk_store *store);

/*
 * What a password hash may cost on this machine. Takes some seconds; with `hash_work` NULL the port
 * has its own memory. Never proposes less than the board's default, even where that takes longer
 * than asked for: `ms` then tells.
 */
struct lk_calibration {
    /* In. */
    uint32_t target_ms;
    uint32_t memory_kib; /* the most that a hash may take; 0: 65536 */
    void *hash_work;
    size_t hash_work_size;
    /* Out. */
    struct lk_pwhash_params params;
    uint32_t ms;       /* that a hash with them took */
    uint32_t floor_ms; /* that one with the board's default took */
};
int lk_calibrate(struct lk_store *store, struct lk_calibration *calibration);
/*
 * Keeps them in the store: whoever opens it from then on with no others in lk_config makes new
 * verifiers so, and old ones anew at their logins. LK_E_CHECK: less than the board's default.
 */
int lk_pwhash_keep(struct lk_txn *txn, const struct lk_pwhash_params *params);

/*
 * Wraps the store key anew, by another device secret or by a passphrase; what it was wrapped by
 * before opens it no more, once lk_store_scrub has overwritten the old wrap on the medium.
 */
int lk_rewrap(struct lk_txn *txn, const uint8_t secret[LK_DEVICE_SECRET_SIZE]);
int lk_rewrap_passphrase(struct lk_txn *txn, struct lk_span passphrase);
/*
 * For a secret that is replaced in its place, with no moment when neither opens the store: commit
 * lk_rewrap_both, put the new secret where the port reads it, commit lk_rewrap_settle, which leaves
 * the one that the port reads then. A cut in between leaves a store that both open.
 */
int lk_rewrap_both(struct lk_txn *txn, const uint8_t secret[LK_DEVICE_SECRET_SIZE]);
int lk_rewrap_settle(struct lk_txn *txn);

/*
 * Replaces the store key itself: whoever has the one before can open nothing that is written from
 * then on, nor, after the last step and lk_store_scrub, anything at all. lk_rekey_begin makes it
 * (in a write transaction); each lk_rekey_step (in one of its own) takes at most `budget` records
 * over, and answers how many; `more` tells whether to call again. Others use the store meanwhile,
 * in this process and in others, and a cut at any moment is gone on from by lk_rekey_step.
 * Sessions, API keys and devices stay good. LK_E_BUSY: another rekey, or a change of the secret, is
 * unfinished.
 */
int lk_rekey_begin(struct lk_txn *txn);
int lk_rekey_step(struct lk_txn *txn, uint32_t budget, bool *more);
/* Opens a store wrapped by a passphrase and wraps it by this device's secret. */
int lk_adopt(const struct lk_config *config, struct lk_span passphrase);
/*
 * lk_open() on a device that a store may have been put on ready made. Where the port has a
 * provisioning secret, which opens the store while the device's own does not, the store is wrapped
 * by the own one, which is made if there is none; then what the other could open is overwritten,
 * and the port forgets it. A cut in between leaves a store that opens, and the next start does the
 * rest. LK_E_SECRET: neither opens it.
 */
int lk_open_provisioned(struct lk_store *store, const struct lk_config *config);

/* ---- Linux (liblatchkey; boards/linux) ---- */

struct lk_host;

struct lk_host_config {
    const char *directory;   /* of the store */
    const char *storage;     /* instead: "flash:IMAGE[,sector=SIZE,…]", "lmdb:DIR"; or NULL */
    const char *secret_path; /* NULL: the file "secret" in the directory, or IMAGE.secret */
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
