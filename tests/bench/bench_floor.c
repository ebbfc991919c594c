// SPDX-License-Identifier: MIT
/*
 * bench_floor.c: the least that can be done for the same answers. Raw LMDB over the very store that
 * Latchkey wrote: the same keys, bytes, checksums and hashes, each record decoded by hand; no
 * tables, no generality, no checks beyond those that the answer needs.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- Opening ---- */

static void floor_facts(void)
{
    struct lk_audit_query query = {0};
    struct lk_pair pair;
    struct lk_audit_entry entry;
    struct lk_role role;
    struct lk_id id;
    struct town town;

    town_open(&town, fl.directory);
    fl.keys = *town.store;
    fl.tenant_number = town.tenant;
    fl.first_user = town.first_user;
    town_must(lk_begin(town.store, &town.txn, LK_READ, NULL), "begin");
    town_must(lk_find_named(&town.txn, &lk_kind_role, fl.tenant_number, LK_TEXT("operator"), &id),
              "role");
    town_must(lk_get(&town.txn, &lk_kind_role, id, &role.record), "role");
    fl.role_size = role.compiled.size;
    memcpy(fl.role_bits, role.compiled.data, fl.role_size);
    town_must(
        lk_permission_pair(&town.txn, fl.tenant_number, LK_TEXT("user"), LK_TEXT("write"), &pair),
        "permission");
    fl.permission_number = pair.numbers[0];
    query.tenant = fl.tenant_number;
    town_must(lk_audit_begin(&town.txn, &query), "audit");
    town_must(lk_audit_next(&query, &entry), "audit");
    fl.audit_newest = entry.record.id.sub;
    fl.audit_slots = TOWN_AUDIT;
    lk_abort(&town.txn);
    town_close(&town);
}

static void floor_open_only(const char *place, uint32_t users)
{
    char path[600];

    (void)snprintf(fl.directory, sizeof(fl.directory), "%s", place);
    fl.people = users;
    (void)snprintf(path, sizeof(path), "%s/store", fl.directory);
    environment(path, 0);
    must(mdb_txn_begin(fl.env, NULL, MDB_RDONLY, &fl.reader), "begin");
    must(mdb_dbi_open(fl.reader, NULL, 0, &fl.dbi), "database");
    must(mdb_cursor_open(fl.reader, fl.dbi, &fl.cursor), "cursor");
    must(mdb_cursor_open(fl.reader, fl.dbi, &fl.near), "cursor");
    mdb_txn_reset(fl.reader);
    fl.tenant_txn = 0;
}

static void floor_open(const char *place, uint32_t users)
{
    struct timespec at;

    (void)snprintf(fl.directory, sizeof(fl.directory), "%s", place);
    /* What a program would know from its own set-up is learnt once, outside what is measured. */
    if (!fl.tenant_number) {
        bench_must(sodium_init() >= 0, "sodium");
        floor_facts();
    }
    (void)clock_gettime(CLOCK_REALTIME, &at);
    fl.now_ms = (uint64_t)at.tv_sec * 1000;
    floor_open_only(place, users);
}

void floor_close(void)
{
    mdb_cursor_close(fl.near);
    mdb_cursor_close(fl.cursor);
    mdb_txn_abort(fl.reader);
    mdb_env_close(fl.env);
}

static void floor_load(const char *place, uint32_t users, uint64_t *import_ns)
{
    uint64_t ignored;

    town_load(place, users, &ignored);
    floor_open(place, users);
    *import_ns = floor_import(place);
}

const struct bench_engine bench_engine = {
    .name = "floor",
    .load = floor_load,
    .open = floor_open,
    .close = floor_close,
    .ready = {[BENCH_USER_BY_EMAIL] = floor_person_ready,
              [BENCH_USER_PAGE] = floor_page_ready,
              [BENCH_AUDIT_RANGE] = floor_audit_ready,
              [BENCH_DECODE] = floor_decode_ready,
              [BENCH_LOGIN_DURABLE] = floor_login_ready,
              [BENCH_LOGIN_CHARGE] = floor_login_ready},
    .run = {[BENCH_SESSION_CHECK] = floor_session_check,
            [BENCH_SESSION_CHECK_PERMISSION] = floor_session_check_permission,
            [BENCH_USER_BY_EMAIL] = floor_user_by_email,
            [BENCH_USER_PAGE] = floor_user_page,
            [BENCH_AUDIT_RANGE] = floor_audit_range,
            [BENCH_LOGIN_DURABLE] = floor_login_durable,
            [BENCH_LOGIN_CHARGE] = floor_login_charge,
            [BENCH_DECODE] = floor_decode},
};
