// SPDX-License-Identifier: MIT
/* floor.h: what the parts of the floor share: its state, and records decoded and checked by hand.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include "town.h"

#include <lmdb.h>

/* What a program would know from its own set-up, and what it has open. */
struct floor_state {
    struct lk_store keys; /* only its subkeys are used */
    uint32_t tenant_number, first_user, people;
    MDB_env *env;
    MDB_dbi dbi;
    MDB_txn *reader;
    MDB_cursor *cursor, *near; /* of a walk, and of what is got by key */
    struct town_user person;
    char directory[512];
    uint8_t role_bits[LK_PERMISSION_BYTES / 8];
    size_t role_size;
    uint32_t permission_number;
    uint64_t tenant_epoch, tenant_txn, now_ms;
    uint32_t audit_slots, audit_newest;
};
extern struct floor_state fl;

/* A field's number, and its value as a number or bytes. */
struct field {
    uint64_t number, value;
    const uint8_t *bytes;
};

struct plain_user {
    struct field fields[64];
    uint64_t present;
};

/* ---- floor_value.c ---- */

void must(int code, const char *what);
uint64_t item(const uint8_t **at, uint8_t *type);
void next_field(const uint8_t **at, struct field *field);
void decode_all(const uint8_t *at, struct plain_user *user);
uint64_t take_number(const uint8_t **at);
void checksum(const MDB_val *key, const uint8_t *data, size_t size, uint8_t out[8]);
void verify(const MDB_val *key, const MDB_val *value);
void record_key(struct lk_key *key, const struct lk_kind *kind, uint32_t user, uint32_t sub);
void ring_key(struct lk_key *key, uint32_t slot);
MDB_val val(const struct lk_key *key);
/* In the reader: by a cursor, which finds what lies beside the last without the way down. */
void get(const struct lk_key *key, MDB_val *value);
void renew(void);
void environment(const char *path, unsigned flags);

/* ---- floor_read.c ---- */

void floor_session_check(uint32_t which);
void floor_session_check_permission(uint32_t which);
void floor_person_ready(uint32_t which);
void floor_user_by_email(uint32_t which);
void floor_page_ready(uint32_t which);
void floor_user_page(uint32_t which);
void floor_decode_ready(uint32_t which);
void floor_decode(uint32_t which);
void floor_audit_ready(uint32_t which);
void floor_audit_range(uint32_t which);

/* ---- bench_floor.c ---- */

void floor_close(void);

/* ---- floor_write.c ---- */

void floor_login_ready(uint32_t which);
void floor_login_durable(uint32_t which);
void floor_login_charge(uint32_t which);
/* The processor's time: users and all that an import makes of them, out of the open store, which is
 * closed, into another in the order of the keys. */
uint64_t floor_import(const char *place);

#endif
