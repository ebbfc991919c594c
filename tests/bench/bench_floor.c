// SPDX-License-Identifier: MIT
/*
 * bench_floor.c: the least that can be done for the same answers. Raw LMDB over the very store that
 * Latchkey wrote: the same keys, bytes, checksums and hashes, each record decoded by hand; no
 * tables, no generality, no checks beyond those that the answer needs.
 */
#define _GNU_SOURCE
#include "town.h"

#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct lk_store keys; /* only its subkeys are used */
static uint32_t tenant_number, first_user, people;
static MDB_env *env;
static MDB_dbi dbi;
static MDB_txn *reader;
static MDB_cursor *cursor;
static struct town_user person;
static char directory[512];
static uint8_t role_bits[LK_PERMISSION_BYTES / 8];
static size_t role_size;
static uint32_t permission_number;
static uint64_t tenant_epoch, tenant_txn, now_ms;
static uint32_t audit_slots, audit_newest;
static uint64_t audit_first_at;

static void must(int code, const char *what)
{
    if (code) {
        (void)fprintf(stderr, "%s: ", mdb_strerror(code));
    }
    bench_must(code == 0, what);
}

/* ---- CBOR by hand: maps of small numbers, as the store writes them ---- */

static uint64_t item(const uint8_t **at, uint8_t *type)
{
    uint8_t head = *(*at)++, low = head & 31;
    uint64_t number = low;

    *type = head >> 5;
    if (low >= 24) {
        unsigned size = 1u << (low - 24), i;

        for (number = 0, i = 0; i < size; i++) {
            number = number << 8 | *(*at)++;
        }
    }
    return number;
}

/* A field's number, and its value as a number or bytes. */
struct field {
    uint64_t number, value;
    const uint8_t *bytes;
};

static void next_field(const uint8_t **at, struct field *field)
{
    uint8_t type;

    field->number = item(at, &type);
    field->value = item(at, &type);
    if (type == 2 || type == 3) {
        field->bytes = *at;
        *at += field->value;
    } else if (type == 4) { /* an array of numbers */
        uint64_t count = field->value;

        field->bytes = *at;
        while (count--) {
            (void)item(at, &type);
        }
    } else if (type == 7) {
        field->value = field->value == 21;
    }
}

/* ---- Values ---- */

static void checksum(const MDB_val *key, const uint8_t *data, size_t size, uint8_t out[8])
{
    uint8_t bound[8 + LK_KEY_MAX];

    crypto_shorthash(bound, data, size, lk_keys_now(&keys)->checksum[0]);
    memcpy(bound + 8, key->mv_data, key->mv_size);
    crypto_shorthash(out, bound, 8 + key->mv_size, lk_keys_now(&keys)->checksum[1]);
}

static void verify(const MDB_val *key, const MDB_val *value)
{
    uint8_t sum[8];

    checksum(key, value->mv_data, value->mv_size - 8, sum);
    bench_must(memcmp(sum, (const uint8_t *)value->mv_data + value->mv_size - 8, 8) == 0,
               "checksum");
}

static void record_key(struct lk_key *key, const struct lk_kind *kind, uint32_t user, uint32_t sub)
{
    key->size = 0;
    lk_key_put_number(key, tenant_number);
    key->data[key->size++] = kind->class_;
    lk_key_put_number(key, user);
    key->data[key->size++] = kind->number;
    if (sub) {
        lk_key_put_number(key, sub);
    }
}

static MDB_val val(const struct lk_key *key)
{
    return (MDB_val){key->size, (void *)(uintptr_t)key->data};
}

static void get(MDB_txn *txn, const struct lk_key *key, MDB_val *value)
{
    MDB_val at = val(key);

    must(mdb_get(txn, dbi, &at, value), "get");
    verify(&at, value);
}

static uint64_t take_number(const uint8_t **at)
{
    uint8_t head = *(*at)++;
    uint64_t number = head;

    if (head >= 0xF0) {
        unsigned size = head - 0xEFu;

        for (number = 0; size; size--) {
            number = number << 8 | *(*at)++;
        }
    }
    return number;
}

/* ---- Opening ---- */

static void environment(const char *path, unsigned flags)
{
    must(mdb_env_create(&env), "create");
    must(mdb_env_set_mapsize(env, (size_t)16 << 30), "map size");
    must(mdb_env_open(env, path, MDB_NOTLS | flags, 0600), path);
}

static void renew(void)
{
    must(mdb_txn_renew(reader), "renew");
}

static void floor_facts(void)
{
    struct lk_audit_query query = {0};
    struct lk_pair pair;
    struct lk_audit_entry entry;
    struct lk_role role;
    struct lk_id id;
    struct town town;

    town_open(&town, directory);
    keys = *town.store;
    tenant_number = town.tenant;
    first_user = town.first_user;
    town_must(lk_begin(town.store, &town.txn, LK_READ, NULL), "begin");
    town_must(lk_find_named(&town.txn, &lk_kind_role, tenant_number, LK_TEXT("operator"), &id),
              "role");
    town_must(lk_get(&town.txn, &lk_kind_role, id, &role.record), "role");
    role_size = role.compiled.size;
    memcpy(role_bits, role.compiled.data, role_size);
    town_must(
        lk_permission_pair(&town.txn, tenant_number, LK_TEXT("user"), LK_TEXT("write"), &pair),
        "permission");
    permission_number = pair.numbers[0];
    query.tenant = tenant_number;
    town_must(lk_audit_begin(&town.txn, &query), "audit");
    town_must(lk_audit_next(&query, &entry), "audit");
    audit_newest = entry.record.id.sub;
    audit_slots = TOWN_AUDIT;
    audit_first_at = entry.at - TOWN_AUDIT;
    lk_abort(&town.txn);
    town_close(&town);
}

static void floor_open_only(const char *place, uint32_t users)
{
    char path[600];

    (void)snprintf(directory, sizeof(directory), "%s", place);
    people = users;
    (void)snprintf(path, sizeof(path), "%s/store", directory);
    environment(path, 0);
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &reader), "begin");
    must(mdb_dbi_open(reader, NULL, 0, &dbi), "database");
    must(mdb_cursor_open(reader, dbi, &cursor), "cursor");
    mdb_txn_reset(reader);
    tenant_txn = 0;
}

static void floor_open(const char *place, uint32_t users)
{
    struct timespec at;

    (void)snprintf(directory, sizeof(directory), "%s", place);
    /* What a program would know from its own set-up is learnt once, outside what is measured. */
    if (!tenant_number) {
        bench_must(sodium_init() >= 0, "sodium");
        floor_facts();
    }
    (void)clock_gettime(CLOCK_REALTIME, &at);
    now_ms = (uint64_t)at.tv_sec * 1000;
    floor_open_only(place, users);
}

static void floor_close(void)
{
    mdb_cursor_close(cursor);
    mdb_txn_abort(reader);
    mdb_env_close(env);
}

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
    uint64_t snapshot = mdb_txn_id(reader);
    const uint8_t *at;
    struct lk_key key;
    struct field field;
    MDB_val value;
    uint8_t type;
    uint64_t left;

    if (snapshot == tenant_txn) {
        return;
    }
    record_key(&key, &lk_kind_tenant, 0, 0);
    get(reader, &key, &value);
    at = value.mv_data;
    tenant_epoch = 0;
    for (left = item(&at, &type); left; left--) {
        next_field(&at, &field);
        tenant_epoch = field.number == 23 ? field.value : tenant_epoch;
    }
    tenant_txn = snapshot;
}

static void check_token(const char *token, uint32_t ids[3], const uint8_t *stored)
{
    uint8_t text[LK_HASH_SIZE + TOWN_TOKEN - 1], hash[32];

    (void)ids;
    memcpy(text, keys.token_key, LK_HASH_SIZE);
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
    get(reader, &key, &value);
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
    bench_must(now_ms < expires && epoch == tenant_epoch && (!idle || now_ms < last + idle * 1000),
               "session");
}

static void wall(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    now_ms = (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static void session_check(uint32_t which)
{
    uint32_t ids[3];

    wall();
    check(tokens_pick(which), ids);
    mdb_txn_reset(reader);
}

static void session_check_permission(uint32_t which)
{
    bool may = false;
    uint32_t ids[3];
    struct lk_key key;
    MDB_val found, value;
    int code;

    wall();
    check(tokens_pick(which), ids);
    record_key(&key, &lk_kind_grant, ids[1], 0);
    must(mdb_cursor_renew(reader, cursor), "cursor");
    found = val(&key);
    for (code = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
         !code && found.mv_size > key.size && memcmp(found.mv_data, key.data, key.size) == 0;
         code = mdb_cursor_get(cursor, &found, &value, MDB_NEXT)) {
        const uint8_t *at = value.mv_data;
        uint64_t expires = 0, left;
        struct field field;
        uint8_t type;

        verify(&found, &value);
        for (left = item(&at, &type); left; left--) {
            next_field(&at, &field);
            expires = field.number == 11 ? field.value : expires;
        }
        if ((!expires || now_ms < expires) && permission_number / 8 < role_size &&
            role_bits[permission_number / 8] >> permission_number % 8 & 1) {
            may = true;
            break;
        }
    }
    bench_must(may, "permission");
    mdb_txn_reset(reader);
}

/* ---- Users ---- */

struct plain_user {
    struct field fields[64];
    uint64_t present;
};

static void decode_user(const uint8_t *at, struct plain_user *user)
{
    uint64_t left;
    uint8_t type;

    user->present = 0;
    for (left = item(&at, &type); left; left--) {
        struct field field;

        next_field(&at, &field);
        user->fields[field.number] = field;
        user->present |= UINT64_C(1) << field.number;
    }
}

static void user_get(uint32_t number, struct plain_user *user)
{
    struct lk_key key;
    MDB_val value;

    record_key(&key, &lk_kind_user, number, 0);
    get(reader, &key, &value);
    decode_user(value.mv_data, user);
}

static void person_ready(uint32_t which)
{
    town_user(which, &person);
}

static void user_by_email(uint32_t which)
{
    struct plain_user user;
    struct lk_key key;
    const uint8_t *at;
    MDB_val found, value;
    size_t i;

    (void)which;
    renew();
    key.size = 0;
    lk_key_put_number(&key, tenant_number);
    key.data[key.size++] = LK_CLASS_INDEX;
    key.data[key.size++] = 9;
    for (i = 0; person.email[i]; i++) {
        key.data[key.size++] = lk_ascii_lower((uint8_t)person.email[i]);
    }
    key.data[key.size++] = 0;
    found = val(&key);
    must(mdb_get(reader, dbi, &found, &value), "email");
    at = value.mv_data;
    user_get((uint32_t)take_number(&at), &user);
    /* A key may hold a cut text: the whole value decides. */
    bench_must(user.fields[9].value == strlen(person.email) &&
                   memcmp(user.fields[9].bytes, person.email, user.fields[9].value) == 0,
               "email");
    mdb_txn_reset(reader);
}

static struct lk_key page_key;

static void page_ready(uint32_t which)
{
    struct plain_user user;

    renew();
    user_get(first_user + which % (people > TOWN_PAGE ? people - TOWN_PAGE : 1), &user);
    page_key.size = 0;
    lk_key_put_number(&page_key, tenant_number);
    page_key.data[page_key.size++] = LK_CLASS_INDEX;
    page_key.data[page_key.size++] = 14;
    lk_key_put_number(&page_key, user.fields[1].value);
    lk_key_put_number(&page_key,
                      first_user + which % (people > TOWN_PAGE ? people - TOWN_PAGE : 1));
    mdb_txn_reset(reader);
}

static void user_page(uint32_t which)
{
    MDB_val found = val(&page_key), value;
    unsigned i;
    int code;

    (void)which;
    renew();
    must(mdb_cursor_renew(reader, cursor), "cursor");
    code = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
    for (i = 0; !code && i < TOWN_PAGE; i++) {
        const uint8_t *at = (const uint8_t *)found.mv_data + 3;
        struct plain_user user;

        (void)take_number(&at);
        user_get((uint32_t)take_number(&at), &user);
        code = mdb_cursor_get(cursor, &found, &value, MDB_NEXT);
    }
    must(code, "page");
    mdb_txn_reset(reader);
}

static uint8_t user_bytes[LK_VALUE_MAX];

static void decode_ready(uint32_t which)
{
    if (!user_bytes[0]) {
        struct lk_key key;
        MDB_val value;

        (void)which;
        renew();
        record_key(&key, &lk_kind_user, first_user, 0);
        get(reader, &key, &value);
        memcpy(user_bytes, value.mv_data, value.mv_size);
        mdb_txn_reset(reader);
    }
}

static void decode(uint32_t which)
{
    struct plain_user user;

    (void)which;
    decode_user(user_bytes, &user);
    bench_must(user.present != 0, "decode");
}

/* ---- Audit ---- */

static void ring_key(struct lk_key *key, uint32_t slot)
{
    key->size = 0;
    lk_key_put_number(key, tenant_number);
    key->data[key->size++] = 0;
    lk_key_put_number(key, 0);
    key->data[key->size++] = LK_KIND_AUDIT;
    lk_key_put_number(key, LK_RING_ACTIVITY);
    lk_key_put_number(key, slot);
}

static uint64_t slot_at(uint32_t slot)
{
    const uint8_t *at;
    struct lk_key key;
    struct field field;
    MDB_val value;
    uint8_t type;

    ring_key(&key, slot);
    get(reader, &key, &value);
    at = value.mv_data;
    (void)item(&at, &type);
    do {
        next_field(&at, &field);
    } while (field.number != 9);
    return field.value;
}

static void audit_range(uint32_t which)
{
    uint64_t since = audit_first_at + which % (TOWN_AUDIT - TOWN_RANGE);
    uint32_t oldest = (audit_newest + 1) % audit_slots, low = 0, high = audit_slots - 1, i;
    struct plain_user entry;
    struct lk_key key;
    MDB_val found, value;

    renew();
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (slot_at((oldest + middle) % audit_slots) < since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    ring_key(&key, (oldest + low) % audit_slots);
    must(mdb_cursor_renew(reader, cursor), "cursor");
    found = val(&key);
    must(mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE), "seek");
    for (i = 0; i < TOWN_RANGE; i++) {
        verify(&found, &value);
        decode_user(value.mv_data, &entry);
        if ((oldest + low + i) % audit_slots == audit_slots - 1) {
            ring_key(&key, 0);
            found = val(&key);
            must(mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE), "seek");
        } else {
            must(mdb_cursor_get(cursor, &found, &value, MDB_NEXT), "next");
        }
    }
    mdb_txn_reset(reader);
}

/* ---- Writes: bytes of the same size and form as a login's, with new times and hashes ---- */

static uint32_t login_user;
static uint8_t login_hash[LK_TOKEN_HASH_SIZE];

static void login_ready(uint32_t which)
{
    login_user = first_user + which;
    bench_fill(login_hash, sizeof(login_hash));
}

static void copy_put(MDB_txn *txn, const struct lk_key *from, const struct lk_key *to,
                     const uint8_t *patch, size_t patch_size, uint8_t patch_field)
{
    uint8_t bytes[LK_VALUE_MAX];
    struct field field = {0};
    const uint8_t *at;
    MDB_val key = val(from), value;
    uint64_t left;
    uint8_t type;

    must(mdb_get(txn, dbi, &key, &value), "get");
    verify(&key, &value);
    memcpy(bytes, value.mv_data, value.mv_size);
    value.mv_data = bytes;
    at = bytes;
    for (left = item(&at, &type); left; left--) {
        next_field(&at, &field);
        if (patch && field.number == patch_field && field.bytes && field.value == patch_size) {
            memcpy(bytes + (field.bytes - bytes), patch, patch_size);
        }
    }
    key = val(to);
    checksum(&key, bytes, value.mv_size - 8, bytes + value.mv_size - 8);
    must(mdb_put(txn, dbi, &key, &value, 0), "put");
}

static void login_durable(uint32_t which)
{
    struct lk_key from, to;
    MDB_txn *txn;
    MDB_val key, value;
    int code;

    (void)which;
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    /* The session goes behind the user's newest. */
    record_key(&from, &lk_kind_session, login_user, 0);
    to = from;
    from.data[from.size++] = 1;
    key = val(&from);
    for (to.data[to.size] = 3;; to.data[to.size]++) {
        to.size++;
        key = val(&to);
        code = mdb_get(txn, dbi, &key, &value);
        if (code == MDB_NOTFOUND) {
            break;
        }
        must(code, "session");
        to.size--;
    }
    copy_put(txn, &from, &to, login_hash, sizeof(login_hash), 8);
    record_key(&from, &lk_kind_activity, login_user, 0);
    copy_put(txn, &from, &from, NULL, 0, 0);
    ring_key(&from, audit_newest);
    audit_newest = (audit_newest + 1) % audit_slots;
    ring_key(&to, audit_newest);
    copy_put(txn, &from, &to, login_hash, sizeof(login_hash), 63);
    must(mdb_txn_commit(txn), "commit");
}

static void login_charge(uint32_t which)
{
    struct lk_key key;
    MDB_txn *txn;

    (void)which;
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    record_key(&key, &lk_kind_activity, login_user, 0);
    copy_put(txn, &key, &key, NULL, 0, 0);
    must(mdb_txn_commit(txn), "commit");
}

/* ---- Loading: the bytes that an import must write, in the order of their keys ---- */

struct pairs {
    uint8_t *bytes;
    size_t size, capacity, count;
};

static void pairs_add(struct pairs *pairs, const MDB_val *key, const MDB_val *value)
{
    size_t need = 4 + key->mv_size + value->mv_size;
    uint8_t *at;

    if (pairs->size + need > pairs->capacity) {
        pairs->capacity = pairs->capacity * 2 + need + 65536;
        pairs->bytes = realloc(pairs->bytes, pairs->capacity);
    }
    if (!pairs->bytes) {
        bench_must(false, "memory");
        return;
    }
    at = pairs->bytes + pairs->size;
    at[0] = (uint8_t)key->mv_size;
    at[1] = (uint8_t)(value->mv_size >> 16);
    at[2] = (uint8_t)(value->mv_size >> 8);
    at[3] = (uint8_t)value->mv_size;
    memcpy(at + 4, key->mv_data, key->mv_size);
    if (value->mv_size) {
        memcpy(at + 4 + key->mv_size, value->mv_data, value->mv_size);
    }
    pairs->size += need;
    pairs->count++;
}

/* Users, their grants and index entries: what is there before the first login. */
static bool of_import(const uint8_t *key, size_t size)
{
    const uint8_t *at = key;
    uint8_t class_;

    if (take_number(&at) == 0) {
        return size > 2 && at[0] == LK_CLASS_INDEX;
    }
    class_ = *at++;
    if (class_ == LK_CLASS_INDEX || class_ == lk_kind_user.class_) {
        return true;
    }
    (void)take_number(&at);
    return class_ == lk_kind_grant.class_ && *at == LK_KIND_GRANT;
}

static void floor_load(const char *place, uint32_t users, uint64_t *import_ns)
{
    struct pairs pairs = {0};
    MDB_val key, value;
    MDB_txn *txn;
    char path[600];
    uint64_t ignored;
    size_t i, at;
    int code;

    town_load(place, users, &ignored);
    floor_open(place, users);
    renew();
    must(mdb_cursor_renew(reader, cursor), "cursor");
    for (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); !code;
         code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (of_import(key.mv_data, key.mv_size)) {
            pairs_add(&pairs, &key, &value);
        }
    }
    floor_close();
    (void)snprintf(path, sizeof(path), "mkdir -p %s/copy && rm -f %s/copy/*", place, place);
    bench_must(system(path) == 0, "directory");
    (void)snprintf(path, sizeof(path), "%s/copy", place);
    environment(path, 0);
    *import_ns = bench_now();
    must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
    must(mdb_dbi_open(txn, NULL, 0, &dbi), "database");
    for (i = 0, at = 0; i < pairs.count; i++) {
        uint8_t *pair = pairs.bytes + at;
        size_t size = (size_t)pair[1] << 16 | (size_t)pair[2] << 8 | pair[3];

        key = (MDB_val){pair[0], pair + 4};
        value = (MDB_val){size, pair + 4 + pair[0]};
        if (size >= 8) {
            checksum(&key, value.mv_data, size - 8, (uint8_t *)value.mv_data + size - 8);
        }
        must(mdb_put(txn, dbi, &key, &value, MDB_APPEND), "append");
        at += 4 + (size_t)pair[0] + size;
    }
    must(mdb_txn_commit(txn), "commit");
    *import_ns = bench_now() - *import_ns;
    mdb_env_close(env);
    free(pairs.bytes);
    (void)snprintf(path, sizeof(path), "rm -rf %s/copy", place);
    bench_must(system(path) == 0, "directory");
}

const struct bench_engine bench_engine = {
    .name = "floor",
    .load = floor_load,
    .open = floor_open,
    .close = floor_close,
    .ready = {[BENCH_USER_BY_EMAIL] = person_ready,
              [BENCH_USER_PAGE] = page_ready,
              [BENCH_DECODE] = decode_ready,
              [BENCH_LOGIN_DURABLE] = login_ready,
              [BENCH_LOGIN_CHARGE] = login_ready},
    .run = {[BENCH_SESSION_CHECK] = session_check,
            [BENCH_SESSION_CHECK_PERMISSION] = session_check_permission,
            [BENCH_USER_BY_EMAIL] = user_by_email,
            [BENCH_USER_PAGE] = user_page,
            [BENCH_AUDIT_RANGE] = audit_range,
            [BENCH_LOGIN_DURABLE] = login_durable,
            [BENCH_LOGIN_CHARGE] = login_charge,
            [BENCH_DECODE] = decode},
};
