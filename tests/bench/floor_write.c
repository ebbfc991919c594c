// SPDX-License-Identifier: MIT
/* floor_write.c: what a login and an import must put, and nothing more. */
#define _GNU_SOURCE
#include "floor.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Writes: bytes of the same size and form as a login's, with new times and hashes ---- */

static uint32_t login_user;
static uint8_t login_hash[LK_TOKEN_HASH_SIZE], login_chain[LK_CHAIN_SIZE];

void floor_login_ready(uint32_t which)
{
    login_user = fl.first_user + which;
    town_user(which, &fl.person);
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

    must(mdb_get(txn, fl.dbi, &key, &value), "get");
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
    must(mdb_put(txn, fl.dbi, &key, &value, 0), "put");
}

/* What a login is held against: the tenant, the user and the verifier, read in the transaction that
 * depends on them, as LMDB's own rules have it. */
static void read_facts(MDB_txn *txn, uint32_t user)
{
    static const struct lk_kind *const kinds[] = {&lk_kind_tenant, &lk_kind_user,
                                                  &lk_kind_credential};
    struct plain_user record;
    MDB_cursor *beside;
    size_t i;

    must(mdb_cursor_open(txn, fl.dbi, &beside), "cursor");
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct lk_key key;
        MDB_val at, value;

        record_key(&key, kinds[i], i ? user : 0, 0);
        at = val(&key);
        must(mdb_cursor_get(beside, &at, &value, MDB_SET_RANGE), "fact");
        bench_must(at.mv_size >= key.size && memcmp(at.mv_data, key.data, key.size) == 0, "fact");
        verify(&at, &value);
        decode_all(value.mv_data, &record);
        bench_must(record.present != 0, "fact");
    }
    mdb_cursor_close(beside);
}

/* A token's random bytes and its hash, and the chain's over an entry. */
static void make_hashes(void)
{
    uint8_t text[LK_HASH_SIZE + TOWN_TOKEN - 1] = {0}, entry[160] = {0}, hash[32];

    randombytes_buf(text + LK_HASH_SIZE, 20);
    memcpy(text, fl.keys.token_key, LK_HASH_SIZE);
    (void)crypto_generichash(hash, sizeof(hash), text, sizeof(text), NULL, 0);
    memcpy(login_hash, hash, sizeof(login_hash));
    (void)crypto_generichash(hash, sizeof(hash), entry, sizeof(entry), text, LK_HASH_SIZE);
    memcpy(login_chain, hash, sizeof(login_chain));
}

void floor_login_durable(uint32_t which)
{
    struct lk_key from, to;
    MDB_txn *txn;
    MDB_val key, value;
    int code;

    (void)which;
    must(mdb_txn_begin(fl.env, NULL, 0, &txn), "begin");
    read_facts(txn, login_user);
    make_hashes();
    /* The session goes behind the user's newest. */
    record_key(&from, &lk_kind_session, login_user, 0);
    to = from;
    from.data[from.size++] = 1;
    key = val(&from);
    for (to.data[to.size] = 3;; to.data[to.size]++) {
        to.size++;
        key = val(&to);
        code = mdb_get(txn, fl.dbi, &key, &value);
        if (code == MDB_NOTFOUND) {
            break;
        }
        must(code, "session");
        to.size--;
    }
    copy_put(txn, &from, &to, login_hash, sizeof(login_hash), 8);
    record_key(&from, &lk_kind_activity, login_user, 0);
    copy_put(txn, &from, &from, NULL, 0, 0);
    ring_key(&from, fl.audit_newest);
    fl.audit_newest = (fl.audit_newest + 1) % fl.audit_slots;
    ring_key(&to, fl.audit_newest);
    copy_put(txn, &from, &to, login_chain, sizeof(login_chain), 63);
    must(mdb_txn_commit(txn), "commit");
}

void floor_login_charge(uint32_t which)
{
    struct lk_key key;
    MDB_txn *txn;
    MDB_val at, value;
    const uint8_t *number;
    size_t i;

    (void)which;
    must(mdb_txn_begin(fl.env, NULL, 0, &txn), "begin");
    key.size = 0;
    lk_key_put_number(&key, fl.tenant_number);
    key.data[key.size++] = LK_CLASS_INDEX;
    key.data[key.size++] = 8;
    for (i = 0; fl.person.username[i]; i++) {
        key.data[key.size++] = lk_ascii_lower((uint8_t)fl.person.username[i]);
    }
    key.data[key.size++] = 0;
    at = val(&key);
    must(mdb_get(txn, fl.dbi, &at, &value), "username");
    number = value.mv_data;
    login_user = (uint32_t)take_number(&number);
    read_facts(txn, login_user);
    record_key(&key, &lk_kind_activity, login_user, 0);
    copy_put(txn, &key, &key, NULL, 0, 0);
    must(mdb_txn_commit(txn), "commit");
}

/* ---- Loading: the bytes that an import must write, in the order of their fl.keys ---- */

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

uint64_t floor_import(const char *place)
{
    struct pairs pairs = {0};
    MDB_val key, value;
    MDB_txn *txn;
    char path[600];
    uint64_t spent;
    size_t i, at;
    int code;

    renew();
    must(mdb_cursor_renew(fl.reader, fl.cursor), "cursor");
    for (code = mdb_cursor_get(fl.cursor, &key, &value, MDB_FIRST); !code;
         code = mdb_cursor_get(fl.cursor, &key, &value, MDB_NEXT)) {
        if (of_import(key.mv_data, key.mv_size)) {
            pairs_add(&pairs, &key, &value);
        }
    }
    floor_close();
    (void)snprintf(path, sizeof(path), "mkdir -p %s/copy && rm -f %s/copy/*", place, place);
    bench_must(system(path) == 0, "directory");
    (void)snprintf(path, sizeof(path), "%s/copy", place);
    environment(path, 0);
    spent = bench_spent();
    must(mdb_txn_begin(fl.env, NULL, 0, &txn), "begin");
    must(mdb_dbi_open(txn, NULL, 0, &fl.dbi), "database");
    for (i = 0, at = 0; i < pairs.count; i++) {
        uint8_t *pair = pairs.bytes + at;
        size_t size = (size_t)pair[1] << 16 | (size_t)pair[2] << 8 | pair[3];

        key = (MDB_val){pair[0], pair + 4};
        value = (MDB_val){size, pair + 4 + pair[0]};
        if (size >= 8) {
            checksum(&key, value.mv_data, size - 8, (uint8_t *)value.mv_data + size - 8);
        }
        must(mdb_put(txn, fl.dbi, &key, &value, MDB_APPEND), "append");
        at += 4 + (size_t)pair[0] + size;
    }
    must(mdb_txn_commit(txn), "commit");
    spent = bench_spent() - spent;
    mdb_env_close(fl.env);
    free(pairs.bytes);
    (void)snprintf(path, sizeof(path), "rm -rf %s/copy", place);
    bench_must(system(path) == 0, "directory");
    return spent;
}
