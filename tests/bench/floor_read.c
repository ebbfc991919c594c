// SPDX-License-Identifier: MIT
/* floor_read.c: the questions, each answered with what it needs and nothing more. */
#define _GNU_SOURCE
#include "floor.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

/* ---- Session check ---- */

static const int8_t base64url[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64};

/* The ids at the front of a token: 12 bytes in 16 characters. */
static void token_ids(const char *token, uint32_t ids[3])
{
    uint32_t bits[4], i, j;

    for (i = 0; i < 4; i++) {
        bits[i] = 0;
        for (j = 0; j < 4; j++) {
            int8_t digit = base64url[(uint8_t)token[4 + 4 * i + j]];

            bench_must(digit != 0, "token");
            bits[i] = bits[i] << 6 | (uint32_t)(digit - 1);
        }
    }
    ids[0] = bits[0] << 8 | bits[1] >> 16;
    ids[1] = bits[1] << 16 | bits[2] >> 8;
    ids[2] = bits[2] << 24 | bits[3];
}

/* The tenant's state is read once a snapshot, as the other engine does. */
static void tenant_fresh(void)
{
    uint64_t snapshot = mdb_txn_id(fl.reader);
    const uint8_t *at;
    struct lk_key key;
    struct field field;
    MDB_val value;
    uint8_t type;
    uint64_t left;

    if (snapshot == fl.tenant_txn) {
        return;
    }
    record_key(&key, &lk_kind_tenant, 0, 0);
    get(&key, &value);
    at = value.mv_data;
    fl.tenant_epoch = 0;
    for (left = item(&at, &type); left; left--) {
        next_field(&at, &field);
        fl.tenant_epoch = field.number == 23 ? field.value : fl.tenant_epoch;
    }
    fl.tenant_txn = snapshot;
}

static void check_token(const char *token, uint32_t ids[3], const uint8_t *stored)
{
    uint8_t text[LK_HASH_SIZE + TOWN_TOKEN - 1], hash[32];

    (void)ids;
    memcpy(text, fl.keys.token_key, LK_HASH_SIZE);
    memcpy(text + LK_HASH_SIZE, token, TOWN_TOKEN - 1);
    (void)crypto_generichash(hash, sizeof(hash), text, sizeof(text), NULL, 0);
    bench_must(sodium_memcmp(hash, stored, LK_TOKEN_HASH_SIZE) == 0, "token");
}

static void check(const char *token, uint32_t ids[3])
{
    uint64_t expires = 0, last = 0, idle = 0, epoch = 0, left;
    const uint8_t *at, *stored = NULL;
    struct lk_key key;
    struct field field;
    MDB_val value;
    uint8_t type;

    token_ids(token, ids);
    renew();
    record_key(&key, &lk_kind_session, ids[1], ids[2]);
    get(&key, &value);
    at = value.mv_data;
    for (left = item(&at, &type); left; left--) {
        next_field(&at, &field);
        switch (field.number) {
        case 8: stored = field.bytes; break;
        case 10: last = field.value; break;
        case 11: expires = field.value; break;
        case 12: idle = field.value; break;
        case 13: epoch = field.value; break;
        default: break;
        }
    }
    check_token(token, ids, stored);
    tenant_fresh();
    bench_must(fl.now_ms < expires && epoch == fl.tenant_epoch &&
                   (!idle || fl.now_ms < last + idle * 1000),
               "session");
}

static void wall(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    fl.now_ms = (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

void floor_session_check(uint32_t which)
{
    uint32_t ids[3];

    wall();
    check(tokens_pick(which), ids);
    mdb_txn_reset(fl.reader);
}

void floor_session_check_permission(uint32_t which)
{
    bool may = false;
    uint32_t ids[3];
    struct lk_key key;
    MDB_val found, value;
    int code;

    wall();
    check(tokens_pick(which), ids);
    record_key(&key, &lk_kind_grant, ids[1], 0);
    must(mdb_cursor_renew(fl.reader, fl.cursor), "cursor");
    found = val(&key);
    for (code = mdb_cursor_get(fl.cursor, &found, &value, MDB_SET_RANGE);
         !code && found.mv_size > key.size && memcmp(found.mv_data, key.data, key.size) == 0;
         code = mdb_cursor_get(fl.cursor, &found, &value, MDB_NEXT)) {
        const uint8_t *at = value.mv_data;
        uint64_t expires = 0, left;
        struct field field;
        uint8_t type;

        verify(&found, &value);
        for (left = item(&at, &type); left; left--) {
            next_field(&at, &field);
            expires = field.number == 11 ? field.value : expires;
        }
        if ((!expires || fl.now_ms < expires) && fl.permission_number / 8 < fl.role_size &&
            fl.role_bits[fl.permission_number / 8] >> fl.permission_number % 8 & 1) {
            may = true;
            break;
        }
    }
    bench_must(may, "permission");
    mdb_txn_reset(fl.reader);
}

/* ---- Users ---- */

static void user_get(uint32_t number, struct plain_user *user)
{
    struct lk_key key;
    MDB_val value;

    record_key(&key, &lk_kind_user, number, 0);
    get(&key, &value);
    decode_all(value.mv_data, user);
}

void floor_person_ready(uint32_t which)
{
    town_user(which, &fl.person);
}

void floor_user_by_email(uint32_t which)
{
    struct plain_user user;
    struct lk_key key;
    const uint8_t *at;
    MDB_val found, value;
    size_t i;

    (void)which;
    renew();
    key.size = 0;
    lk_key_put_number(&key, fl.tenant_number);
    key.data[key.size++] = LK_CLASS_INDEX;
    key.data[key.size++] = 9;
    for (i = 0; fl.person.email[i]; i++) {
        key.data[key.size++] = lk_ascii_lower((uint8_t)fl.person.email[i]);
    }
    key.data[key.size++] = 0;
    found = val(&key);
    must(mdb_get(fl.reader, fl.dbi, &found, &value), "email");
    at = value.mv_data;
    user_get((uint32_t)take_number(&at), &user);
    /* A key may hold a cut text: the whole value decides. */
    bench_must(user.fields[9].value == strlen(fl.person.email) &&
                   memcmp(user.fields[9].bytes, fl.person.email, user.fields[9].value) == 0,
               "email");
    mdb_txn_reset(fl.reader);
}

static struct lk_key page_key;

void floor_page_ready(uint32_t which)
{
    struct plain_user user;

    renew();
    user_get(fl.first_user + which % (fl.people > TOWN_PAGE ? fl.people - TOWN_PAGE : 1), &user);
    page_key.size = 0;
    lk_key_put_number(&page_key, fl.tenant_number);
    page_key.data[page_key.size++] = LK_CLASS_INDEX;
    page_key.data[page_key.size++] = 14;
    lk_key_put_number(&page_key, user.fields[1].value);
    lk_key_put_number(&page_key,
                      fl.first_user + which % (fl.people > TOWN_PAGE ? fl.people - TOWN_PAGE : 1));
    mdb_txn_reset(fl.reader);
}

void floor_user_page(uint32_t which)
{
    MDB_val found = val(&page_key), value;
    unsigned i;
    int code;

    (void)which;
    renew();
    must(mdb_cursor_renew(fl.reader, fl.cursor), "cursor");
    code = mdb_cursor_get(fl.cursor, &found, &value, MDB_SET_RANGE);
    for (i = 0; !code && i < TOWN_PAGE; i++) {
        const uint8_t *at = (const uint8_t *)found.mv_data + 3;
        struct plain_user user;

        (void)take_number(&at);
        user_get((uint32_t)take_number(&at), &user);
        code = mdb_cursor_get(fl.cursor, &found, &value, MDB_NEXT);
    }
    must(code, "page");
    mdb_txn_reset(fl.reader);
}

static uint8_t user_bytes[LK_VALUE_MAX];

void floor_decode_ready(uint32_t which)
{
    if (!user_bytes[0]) {
        struct lk_key key;
        MDB_val value;

        (void)which;
        renew();
        record_key(&key, &lk_kind_user, fl.first_user, 0);
        get(&key, &value);
        memcpy(user_bytes, value.mv_data, value.mv_size);
        mdb_txn_reset(fl.reader);
    }
}

void floor_decode(uint32_t which)
{
    struct plain_user user;

    (void)which;
    decode_all(user_bytes, &user);
    bench_must(user.present != 0, "decode");
}

/* ---- Audit ---- */

static uint64_t slot_at(uint32_t slot)
{
    const uint8_t *at;
    struct lk_key key;
    struct field field;
    MDB_val value;
    uint8_t type;

    ring_key(&key, slot);
    get(&key, &value);
    at = value.mv_data;
    (void)item(&at, &type);
    do {
        next_field(&at, &field);
    } while (field.number != 9);
    return field.value;
}

static uint64_t audit_since;

/* The time of an entry that has enough behind it. */
void floor_audit_ready(uint32_t which)
{
    renew();
    audit_since =
        slot_at((fl.audit_newest + 1 + which % (TOWN_AUDIT - TOWN_RANGE)) % fl.audit_slots);
    mdb_txn_reset(fl.reader);
}

void floor_audit_range(uint32_t which)
{
    uint32_t oldest = (fl.audit_newest + 1) % fl.audit_slots, low = 0, high = fl.audit_slots - 1, i;
    struct plain_user entry;
    struct lk_key key;
    MDB_val found, value;

    (void)which;
    renew();
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (slot_at((oldest + middle) % fl.audit_slots) < audit_since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    ring_key(&key, (oldest + low) % fl.audit_slots);
    must(mdb_cursor_renew(fl.reader, fl.cursor), "cursor");
    found = val(&key);
    must(mdb_cursor_get(fl.cursor, &found, &value, MDB_SET_RANGE), "seek");
    for (i = 0; i < TOWN_RANGE; i++) {
        verify(&found, &value);
        decode_all(value.mv_data, &entry);
        if ((oldest + low + i) % fl.audit_slots == fl.audit_slots - 1) {
            ring_key(&key, 0);
            found = val(&key);
            must(mdb_cursor_get(fl.cursor, &found, &value, MDB_SET_RANGE), "seek");
        } else {
            must(mdb_cursor_get(fl.cursor, &found, &value, MDB_NEXT), "next");
        }
    }
    mdb_txn_reset(fl.reader);
}
