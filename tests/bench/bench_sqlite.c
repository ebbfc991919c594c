// SPDX-License-Identifier: MIT
/*
 * bench_sqlite.c: the same with SQLite: one table a kind, the indexes that the questions need,
 * prepared statements, write-ahead log, synchronous=FULL, a cache that holds all.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS users(id INTEGER PRIMARY KEY, username TEXT COLLATE NOCASE UNIQUE,"
    " email TEXT COLLATE NOCASE UNIQUE, display_name TEXT, external_id BLOB UNIQUE,"
    " provider TEXT, provider_id TEXT, status INTEGER, created_at INTEGER, created_by INTEGER,"
    " updated_at INTEGER, updated_by INTEGER);"
    "CREATE INDEX IF NOT EXISTS users_created ON users(created_at);"
    "CREATE INDEX IF NOT EXISTS users_status ON users(status);"
    "CREATE TABLE IF NOT EXISTS grants(user INTEGER, role INTEGER, assigned_at INTEGER,"
    " expires_at INTEGER, PRIMARY KEY(user, role)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS grants_role ON grants(role);"
    "CREATE TABLE IF NOT EXISTS role_permissions(role INTEGER, permission TEXT,"
    " PRIMARY KEY(role, permission)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sessions(hash BLOB PRIMARY KEY, user INTEGER, started_at INTEGER,"
    " last_activity INTEGER, expires_at INTEGER, channel INTEGER, ip BLOB, user_agent TEXT)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sessions_user ON sessions(user);"
    "CREATE TABLE IF NOT EXISTS activity(user INTEGER PRIMARY KEY, last_login_at INTEGER,"
    " login_count INTEGER, failed_count INTEGER, last_failure_at INTEGER, locked_until INTEGER);"
    "CREATE TABLE IF NOT EXISTS audit(seq INTEGER PRIMARY KEY, at INTEGER, actor INTEGER,"
    " action TEXT, resource_type TEXT, resource_id TEXT, outcome INTEGER, description TEXT,"
    " chain BLOB);"
    "CREATE INDEX IF NOT EXISTS audit_at ON audit(at);";

enum statement {
    CHECK,
    MAY,
    EMAIL,
    PAGE,
    RANGE,
    ADD_SESSION,
    ADD_ACTIVITY,
    ADD_AUDIT,
    DROP_AUDIT,
    CHARGE,
    ADD_USER,
    ADD_GRANT,
    BEGIN,
    COMMIT,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    "SELECT user, expires_at, last_activity, channel FROM sessions WHERE hash=?1",
    "SELECT 1 FROM grants g JOIN role_permissions p ON p.role=g.role WHERE g.user=?1"
    " AND p.permission=?2 AND (g.expires_at IS NULL OR g.expires_at>?3)",
    "SELECT * FROM users WHERE email=?1",
    "SELECT * FROM users WHERE created_at>=?1 ORDER BY created_at LIMIT ?2",
    "SELECT * FROM audit WHERE at>=?1 ORDER BY at LIMIT ?2",
    "INSERT INTO sessions VALUES(?1,?2,?3,?3,?4,4,x'C0000207',"
    "'Mozilla/5.0 (X11; Linux aarch64) Gateway/2.1')",
    "INSERT INTO activity VALUES(?1,?2,1,0,NULL,NULL) ON CONFLICT(user) DO UPDATE SET"
    " last_login_at=?2, login_count=login_count+1, failed_count=0",
    "INSERT INTO audit(at,actor,action,resource_type,resource_id,outcome,description,chain)"
    " VALUES(?1,?2,'login','user','12345',0,'logged in',?3)",
    "DELETE FROM audit WHERE seq=(SELECT min(seq) FROM audit)",
    "UPDATE activity SET failed_count=failed_count+1, last_failure_at=?2 WHERE user=?1",
    "INSERT INTO users VALUES(?1,?2,?3,?4,?5,'local',NULL,0,?6,NULL,?6,NULL)",
    "INSERT INTO grants VALUES(?1,1,?2,NULL)",
    "BEGIN IMMEDIATE",
    "COMMIT",
};

static sqlite3 *db;
static sqlite3_stmt *statements[STATEMENTS];
static struct town_user person;
static uint32_t people, login_user;
static uint64_t audit_base;
static char directory[512];
static uint8_t hash_key[32];
static uint64_t sink; /* what is read is used */

static void must(int code, int good, const char *what)
{
    if (code != good) {
        (void)fprintf(stderr, "%s: ", db ? sqlite3_errmsg(db) : "sqlite");
    }
    bench_must(code == good, what);
}

static uint64_t wall(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static void number(enum statement which, int at, uint64_t value)
{
    must(sqlite3_bind_int64(statements[which], at, (sqlite3_int64)value), SQLITE_OK, "bind");
}

static void text(enum statement which, int at, const char *value)
{
    must(sqlite3_bind_text(statements[which], at, value, -1, SQLITE_STATIC), SQLITE_OK, "bind");
}

static void blob(enum statement which, int at, const void *value, int size)
{
    must(sqlite3_bind_blob(statements[which], at, value, size, SQLITE_STATIC), SQLITE_OK, "bind");
}

/* Steps to the end, touching every column of every row; answers the rows. */
static unsigned step(enum statement which)
{
    sqlite3_stmt *statement = statements[which];
    unsigned rows = 0;
    int code, i;

    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (i = 0; i < sqlite3_column_count(statement); i++) {
            int type = sqlite3_column_type(statement, i);

            if (type == SQLITE_INTEGER) {
                sink += (uint64_t)sqlite3_column_int64(statement, i);
            } else if (type == SQLITE_TEXT) {
                sink += sqlite3_column_text(statement, i)[0];
            }
        }
        rows++;
    }
    must(code, SQLITE_DONE, texts[which]);
    must(sqlite3_reset(statement), SQLITE_OK, texts[which]);
    return rows;
}

static void sqlite_open(const char *place, uint32_t users)
{
    char path[600];
    unsigned i;
    sqlite3_stmt *base;

    (void)snprintf(directory, sizeof(directory), "%s", place);
    (void)snprintf(path, sizeof(path), "%s/sqlite.db", place);
    people = users;
    bench_must(sodium_init() >= 0, "sodium");
    must(sqlite3_open(path, &db), SQLITE_OK, path);
    must(sqlite3_exec(
             db, "PRAGMA page_size=4096; PRAGMA cache_size=-2000000; PRAGMA mmap_size=8589934592;",
             NULL, NULL, NULL),
         SQLITE_OK, "pragma");
    must(sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK, "schema");
    for (i = 0; i < STATEMENTS; i++) {
        must(sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL),
             SQLITE_OK, texts[i]);
    }
    must(sqlite3_prepare_v2(db, "SELECT coalesce(min(at),0) FROM audit", -1, &base, NULL),
         SQLITE_OK, "audit");
    must(sqlite3_step(base), SQLITE_ROW, "audit");
    audit_base = (uint64_t)sqlite3_column_int64(base, 0);
    must(sqlite3_finalize(base), SQLITE_OK, "audit");
}

static void sqlite_close(void)
{
    unsigned i;

    for (i = 0; i < STATEMENTS; i++) {
        must(sqlite3_finalize(statements[i]), SQLITE_OK, "finalize");
    }
    must(sqlite3_close(db), SQLITE_OK, "close");
    db = NULL;
}

static void token_hash(const char *token, uint8_t out[16])
{
    uint8_t bytes[32 + TOWN_TOKEN], hash[32];
    size_t size = strlen(token);

    memcpy(bytes, hash_key, sizeof(hash_key));
    memcpy(bytes + 32, token, size);
    (void)crypto_generichash(hash, sizeof(hash), bytes, 32 + size, NULL, 0);
    memcpy(out, hash, 16);
}

static void add_session(uint32_t user, char token[TOWN_TOKEN])
{
    uint8_t bytes[23], hash[16];

    bench_fill(bytes, sizeof(bytes));
    (void)sodium_bin2hex(token, TOWN_TOKEN, bytes, sizeof(bytes));
    token_hash(token, hash);
    blob(ADD_SESSION, 1, hash, sizeof(hash));
    number(ADD_SESSION, 2, user);
    number(ADD_SESSION, 3, wall());
    number(ADD_SESSION, 4, wall() + TOWN_LIFETIME_MS);
    (void)step(ADD_SESSION);
    number(ADD_ACTIVITY, 1, user);
    number(ADD_ACTIVITY, 2, wall());
    (void)step(ADD_ACTIVITY);
}

static void add_audit(uint64_t at, uint32_t user)
{
    static const uint8_t chain[16];

    number(ADD_AUDIT, 1, at);
    number(ADD_AUDIT, 2, user);
    blob(ADD_AUDIT, 3, chain, sizeof(chain));
    (void)step(ADD_AUDIT);
}

static void sqlite_load(const char *place, uint32_t users, uint64_t *import_ns)
{
    uint32_t i, n;

    sqlite_open(place, users);
    *import_ns = bench_spent();
    (void)step(BEGIN);
    for (i = 0; i < users; i++) {
        struct town_user user;

        town_user(i, &user);
        number(ADD_USER, 1, i + 1);
        text(ADD_USER, 2, user.username);
        text(ADD_USER, 3, user.email);
        text(ADD_USER, 4, user.display);
        blob(ADD_USER, 5, user.external_id, sizeof(user.external_id));
        number(ADD_USER, 6, user.created_at);
        (void)step(ADD_USER);
        number(ADD_GRANT, 1, i + 1);
        number(ADD_GRANT, 2, user.created_at);
        (void)step(ADD_GRANT);
    }
    (void)step(COMMIT);
    *import_ns = bench_spent() - *import_ns;
    (void)step(BEGIN);
    must(sqlite3_exec(db,
                      "INSERT INTO role_permissions VALUES(1,'user:read'),(1,'user:write'),"
                      "(1,'session:read'),(1,'session:write'),(1,'audit:read')",
                      NULL, NULL, NULL),
         SQLITE_OK, "roles");
    for (i = 0; i < users; i++) {
        for (n = 0; n < TOWN_SESSIONS; n++) {
            char token[TOWN_TOKEN] = "";

            add_session(i + 1, token);
            tokens_write(place, i, users, n, token);
        }
    }
    audit_base = wall() - TOWN_AUDIT; /* before all that follow */
    for (i = 0; i < TOWN_AUDIT; i++) {
        add_audit(audit_base + i, 1);
    }
    (void)step(COMMIT);
    tokens_done();
    must(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE); ANALYZE", NULL, NULL, NULL), SQLITE_OK,
         "checkpoint");
    sqlite_close();
}

static uint64_t check(uint32_t which)
{
    sqlite3_stmt *statement = statements[CHECK];
    uint64_t user, expires, now = wall();
    uint8_t hash[16];

    token_hash(tokens_pick(which), hash);
    blob(CHECK, 1, hash, sizeof(hash));
    must(sqlite3_step(statement), SQLITE_ROW, "session");
    user = (uint64_t)sqlite3_column_int64(statement, 0);
    expires = (uint64_t)sqlite3_column_int64(statement, 1);
    sink += (uint64_t)sqlite3_column_int64(statement, 2);
    must(sqlite3_reset(statement), SQLITE_OK, "session");
    bench_must(now < expires, "session");
    return user;
}

static void session_check(uint32_t which)
{
    (void)check(which);
}

static void session_check_permission(uint32_t which)
{
    number(MAY, 1, check(which));
    text(MAY, 2, "user:write");
    number(MAY, 3, wall());
    bench_must(step(MAY) == 1, "permission");
}

static void person_ready(uint32_t which)
{
    town_user(which, &person);
    login_user = which + 1;
}

static void user_by_email(uint32_t which)
{
    (void)which;
    text(EMAIL, 1, person.email);
    bench_must(step(EMAIL) == 1, "email");
}

static void user_page(uint32_t which)
{
    number(PAGE, 1,
           TOWN_BASE_MS + 1000ull * (which % (people > TOWN_PAGE ? people - TOWN_PAGE : 1)));
    number(PAGE, 2, TOWN_PAGE);
    bench_must(step(PAGE) == TOWN_PAGE, "page");
}

static void audit_range(uint32_t which)
{
    number(RANGE, 1, audit_base + which % (TOWN_AUDIT - TOWN_RANGE));
    number(RANGE, 2, TOWN_RANGE);
    bench_must(step(RANGE) == TOWN_RANGE, "range");
}

static void login_durable(uint32_t which)
{
    char token[TOWN_TOKEN] = "";

    (void)which;
    (void)step(BEGIN);
    add_session(login_user, token);
    add_audit(wall(), login_user);
    (void)step(DROP_AUDIT);
    (void)step(COMMIT);
}

static void login_charge(uint32_t which)
{
    (void)which;
    number(CHARGE, 1, login_user);
    number(CHARGE, 2, wall());
    (void)step(CHARGE);
}

static void sqlite_bytes(uint64_t *medium, uint64_t *content)
{
    *medium = bench_file_size(directory, "sqlite.db");
    *content = 0;
}

const struct bench_engine bench_engine = {
    .name = "sqlite",
    .load = sqlite_load,
    .open = sqlite_open,
    .close = sqlite_close,
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
    .bytes = sqlite_bytes,
};
