// SPDX-License-Identifier: MIT
/*
 * bench_naive.c: raw LMDB as one would use it at first: a database for each table and each index,
 * packed structs as values, sessions under random keys, no checksums.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum database {
    USERS,
    USERNAMES,
    EMAILS,
    CREATED,
    EXTERNAL,
    ROLES,
    GRANTS,
    SESSIONS,
    OF_USER,
    ACTIVITY,
    AUDIT,
    DATABASES
};

static const char *const names[DATABASES] = {"users",    "usernames", "emails", "created",
                                             "external", "roles",     "grants", "sessions",
                                             "of_user",  "activity",  "audit"};

struct session {
    uint8_t hash[16];
    uint32_t user;
    uint64_t started_at, last_activity, expires_at, channel;
    uint8_t ip[4];
    char user_agent[48];
};

struct activity {
    uint64_t last_login_at, login_count, last_session_start, last_active_at, failed_count,
        last_failure_at, locked_until;
};

struct audit {
    uint64_t at;
    uint32_t actor, outcome, category, channel;
    char action[16], resource_type[16], resource_id[16], description[32];
    uint8_t chain[16];
};

/* Big-endian, so that numbers are in order. */
struct key64 {
    uint8_t bytes[12];
};

static MDB_env *env;
static MDB_dbi dbi[DATABASES];
static MDB_txn *reader;
static struct town_user person;
static uint32_t people, login_user;
static uint64_t audit_next, audit_base;
static char directory[512];
static uint8_t id[16], hash_key[32];
static struct town_user decoded[TOWN_PAGE];

static void must(int code, const char *what)
{
    if (code) {
        (void)fprintf(stderr, "%s: ", mdb_strerror(code));
    }
    bench_must(code == 0, what);
}

static MDB_val val(const void *data, size_t size)
{
    return (MDB_val){size, (void *)(uintptr_t)data};
}

static struct key64 key(uint64_t number, uint32_t low)
{
    struct key64 out;
    unsigned i;

    for (i = 0; i < 8; i++) {
        out.bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    for (i = 0; i < 4; i++) {
        out.bytes[8 + i] = (uint8_t)(low >> (24 - 8 * i));
    }
    return out;
}

static void put(MDB_txn *txn, enum database where, const void *at, size_t at_size, const void *data,
                size_t size, unsigned flags)
{
    MDB_val k = val(at, at_size), v = val(data, size);

    must(mdb_put(txn, dbi[where], &k, &v, flags), names[where]);
}

static void get(MDB_txn *txn, enum database where, const void *at, size_t at_size, MDB_val *value)
{
    MDB_val k = val(at, at_size);

    must(mdb_get(txn, dbi[where], &k, value), names[where]);
}

static uint64_t wall(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static void naive_open(const char *place, uint32_t users)
{
    char path[600];
    unsigned i;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val found, value;

    (void)snprintf(directory, sizeof(directory), "%s", place);
    (void)snprintf(path, sizeof(path), "%s/naive", place);
    (void)mkdir(path, 0700); /* is there already, or open says so */
    people = users;
    bench_must(sodium_init() >= 0, "sodium");
    must(mdb_env_create(&env), "create");
    must(mdb_env_set_mapsize(env, (size_t)16 << 30), "map size");
    must(mdb_env_set_maxdbs(env, DATABASES), "databases");
    must(mdb_env_open(env, path, MDB_NOTLS, 0600), path);
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    for (i = 0; i < DATABASES; i++) {
        must(mdb_dbi_open(txn, names[i], MDB_CREATE, &dbi[i]), names[i]);
    }
    must(mdb_txn_commit(txn), "commit");
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &reader), "begin");
    must(mdb_cursor_open(reader, dbi[AUDIT], &cursor), "cursor");
    if (mdb_cursor_get(cursor, &found, &value, MDB_LAST) == 0) {
        const uint8_t *bytes = found.mv_data;

        for (audit_next = 0, i = 0; i < 8; i++) {
            audit_next = audit_next << 8 | bytes[i];
        }
        audit_base = ((const struct audit *)value.mv_data)->at - TOWN_AUDIT;
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(reader);
}

static void naive_close(void)
{
    mdb_txn_abort(reader);
    mdb_env_close(env);
}

/* The id of a session stands at the front of its token: 16 of the random bytes, in hexadecimal. */
static void token_make(char token[TOWN_TOKEN])
{
    uint8_t bytes[23];

    bench_fill(bytes, sizeof(bytes));
    (void)sodium_bin2hex(token, TOWN_TOKEN, bytes, sizeof(bytes));
}

static void token_id(const char *token, uint8_t out[16])
{
    bench_must(sodium_hex2bin(out, 16, token, 32, NULL, NULL, NULL) == 0, "token");
}

static void token_hash(const char *token, uint8_t out[16])
{
    uint8_t text[32 + TOWN_TOKEN], hash[32];
    size_t size = strlen(token);

    memcpy(text, hash_key, sizeof(hash_key));
    memcpy(text + 32, token, size);
    (void)crypto_generichash(hash, sizeof(hash), text, 32 + size, NULL, 0);
    memcpy(out, hash, 16);
}

static void put_session(MDB_txn *txn, uint32_t user, char token[TOWN_TOKEN], uint64_t now)
{
    struct session session = {.user = user,
                              .started_at = now,
                              .last_activity = now,
                              .expires_at = now + TOWN_LIFETIME_MS,
                              .channel = 4,
                              .user_agent = "Mozilla/5.0 (X11; Linux aarch64) Gateway/2.1"};
    struct key64 of;
    uint8_t at[16];

    token_make(token);
    token_id(token, at);
    token_hash(token, session.hash);
    put(txn, SESSIONS, at, sizeof(at), &session, sizeof(session), 0);
    of = key(user, (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
    put(txn, OF_USER, &of, sizeof(of), at, sizeof(at), 0);
}

static void put_audit(MDB_txn *txn, uint64_t now)
{
    struct audit audit = {.at = now,
                          .action = "login",
                          .resource_type = "user",
                          .resource_id = "12345",
                          .description = "logged in"};
    struct key64 at = key(++audit_next, 0);

    put(txn, AUDIT, &at, sizeof(at), &audit, sizeof(audit), MDB_APPEND);
    if (audit_next > TOWN_AUDIT) {
        MDB_val oldest;

        at = key(audit_next - TOWN_AUDIT, 0);
        oldest = val(&at, sizeof(at));
        must(mdb_del(txn, dbi[AUDIT], &oldest, NULL), "oldest");
    }
}

static void naive_load(const char *place, uint32_t users, uint64_t *import_ns)
{
    MDB_txn *txn;
    uint32_t i, n;
    struct key64 at;

    naive_open(place, users);
    *import_ns = bench_spent();
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    for (i = 0; i < users; i++) {
        struct town_user user;

        town_user(i, &user);
        at = key(i, 0);
        put(txn, USERS, &at, sizeof(at), &user, sizeof(user), MDB_APPEND);
        put(txn, USERNAMES, user.username, strlen(user.username), &i, sizeof(i), 0);
        put(txn, EMAILS, user.email, strlen(user.email), &i, sizeof(i), 0);
        at = key(user.created_at, i);
        put(txn, CREATED, &at, sizeof(at), "", 0, MDB_APPEND);
        put(txn, EXTERNAL, user.external_id, sizeof(user.external_id), &i, sizeof(i), 0);
        at = key(1, i);
        put(txn, ROLES, &at, sizeof(at), "", 0, MDB_APPEND);
        at = key(i, 1);
        put(txn, GRANTS, &at, sizeof(at), &user.created_at, sizeof(user.created_at), MDB_APPEND);
    }
    must(mdb_txn_commit(txn), "commit");
    *import_ns = bench_spent() - *import_ns;
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    for (i = 0; i < users; i++) {
        struct activity activity = {.login_count = 1};

        for (n = 0; n < TOWN_SESSIONS; n++) {
            char token[TOWN_TOKEN] = "";

            put_session(txn, i, token, wall());
            tokens_write(place, i, users, n, token);
        }
        at = key(i, 0);
        put(txn, ACTIVITY, &at, sizeof(at), &activity, sizeof(activity), MDB_APPEND);
    }
    for (i = 0; i < TOWN_AUDIT; i++) {
        put_audit(txn, wall() + i);
    }
    must(mdb_txn_commit(txn), "commit");
    tokens_done();
    naive_close();
}

static uint32_t check(uint32_t which)
{
    const char *token = tokens_pick(which);
    struct session session;
    uint8_t hash[16];
    MDB_val value;
    uint64_t now = wall();

    must(mdb_txn_renew(reader), "renew");
    token_id(token, id);
    get(reader, SESSIONS, id, sizeof(id), &value);
    memcpy(&session, value.mv_data, sizeof(session));
    token_hash(token, hash);
    bench_must(sodium_memcmp(hash, session.hash, sizeof(hash)) == 0 && now < session.expires_at,
               "session");
    return session.user;
}

static void session_check(uint32_t which)
{
    (void)check(which);
    mdb_txn_reset(reader);
}

static void session_check_permission(uint32_t which)
{
    struct key64 at = key(check(which), 1);
    MDB_val value;

    get(reader, GRANTS, &at, sizeof(at), &value);
    mdb_txn_reset(reader);
}

static void person_ready(uint32_t which)
{
    town_user(which, &person);
    login_user = which;
}

static void user_at(uint32_t number, struct town_user *user)
{
    struct key64 at = key(number, 0);
    MDB_val value;

    get(reader, USERS, &at, sizeof(at), &value);
    memcpy(user, value.mv_data, sizeof(*user));
}

static void user_by_email(uint32_t which)
{
    MDB_val value;
    uint32_t number;

    (void)which;
    must(mdb_txn_renew(reader), "renew");
    get(reader, EMAILS, person.email, strlen(person.email), &value);
    memcpy(&number, value.mv_data, sizeof(number));
    user_at(number, decoded);
    mdb_txn_reset(reader);
}

static void user_page(uint32_t which)
{
    struct key64 at =
        key(TOWN_BASE_MS + 1000ull * (which % (people > TOWN_PAGE ? people - TOWN_PAGE : 1)), 0);
    MDB_cursor *cursor;
    MDB_val found = val(&at, sizeof(at)), value;
    unsigned i;
    int code;

    must(mdb_txn_renew(reader), "renew");
    must(mdb_cursor_open(reader, dbi[CREATED], &cursor), "cursor");
    code = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
    for (i = 0; i < TOWN_PAGE; i++) {
        const uint8_t *bytes = found.mv_data;

        must(code, "page");
        user_at((uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 |
                    bytes[11],
                &decoded[i]);
        code = mdb_cursor_get(cursor, &found, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(reader);
}

static void audit_range(uint32_t which)
{
    struct key64 at = key(audit_next - TOWN_AUDIT + 1 + which % (TOWN_AUDIT - TOWN_RANGE), 0);
    struct audit entry;
    MDB_cursor *cursor;
    MDB_val found = val(&at, sizeof(at)), value;
    unsigned i;
    int code;

    must(mdb_txn_renew(reader), "renew");
    must(mdb_cursor_open(reader, dbi[AUDIT], &cursor), "cursor");
    code = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
    for (i = 0; i < TOWN_RANGE; i++) {
        must(code, "range");
        memcpy(&entry, value.mv_data, sizeof(entry));
        code = mdb_cursor_get(cursor, &found, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(reader);
}

static void put_activity(MDB_txn *txn, bool good)
{
    struct key64 at = key(login_user, 0);
    struct activity activity;
    MDB_val value;

    get(txn, ACTIVITY, &at, sizeof(at), &value);
    memcpy(&activity, value.mv_data, sizeof(activity));
    activity.login_count += good;
    activity.failed_count = good ? 0 : activity.failed_count + 1;
    activity.last_login_at = wall();
    put(txn, ACTIVITY, &at, sizeof(at), &activity, sizeof(activity), 0);
}

static void login_durable(uint32_t which)
{
    char token[TOWN_TOKEN];
    MDB_txn *txn;

    (void)which;
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    put_session(txn, login_user, token, wall());
    put_activity(txn, true);
    put_audit(txn, wall());
    must(mdb_txn_commit(txn), "commit");
}

static void login_charge(uint32_t which)
{
    MDB_txn *txn;

    (void)which;
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    put_activity(txn, false);
    must(mdb_txn_commit(txn), "commit");
}

static void naive_bytes(uint64_t *medium, uint64_t *content)
{
    char store[600];

    (void)snprintf(store, sizeof(store), "%s/naive", directory);
    *medium = bench_file_size(store, "data.mdb");
    *content = 0;
}

const struct bench_engine bench_engine = {
    .name = "lmdb-naive",
    .load = naive_load,
    .open = naive_open,
    .close = naive_close,
    .ready = {[BENCH_USER_BY_EMAIL] = person_ready,
              [BENCH_LOGIN_DURABLE] = person_ready,
              [BENCH_LOGIN_CHARGE] = person_ready},
    .run = {[BENCH_SESSION_CHECK] = session_check,
            [BENCH_SESSION_CHECK_PERMISSION] = session_check_permission,
            [BENCH_USER_BY_EMAIL] = user_by_email,
            [BENCH_USER_PAGE] = user_page,
            [BENCH_AUDIT_RANGE] = audit_range,
            [BENCH_LOGIN_DURABLE] = login_durable,
            [BENCH_LOGIN_CHARGE] = login_charge},
    .bytes = naive_bytes,
};
