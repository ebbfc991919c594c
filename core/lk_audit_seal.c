// SPDX-License-Identifier: MIT
/*
 * lk_audit_seal.c: personal data in entries, which go with the user although the entries stay.
 *
 * They are sealed under a key that is derived from 16 random bytes in the user's activity record.
 * Purging the user takes the record away, and nothing opens them again; no entry is rewritten, so
 * the chain holds. What is nobody's (a name that no user has) is sealed under the tenant's key.
 */
#include "lk_audit.h"

#define SEAL_RANDOM 8 /* of the nonce; the rest is the place */

int lk_audit_tag(const struct lk_store *store, uint32_t tenant, struct lk_span address,
                 uint8_t tag[8])
{
    uint8_t text[4 + 16];
    size_t i;

    if (address.size != 4 && address.size != 16) {
        return LK_E_ARGUMENT;
    }
    for (i = 0; i < 4; i++) {
        text[i] = (uint8_t)(tenant >> (24 - 8 * i));
    }
    memcpy(text + 4, address.data, address.size);
    store->port->crypto->mac64(store->port->self, store->source_key,
                               (struct lk_span){text, 4 + address.size}, tag);
    return 0;
}

/* ---- Keys ---- */

void lk_trace_forget(struct lk_txn *txn)
{
    struct lk_trace *trace = &lk_work(txn)->trace;

    lk_wipe(txn->store, trace, sizeof(*trace));
}

void lk_trace_note(struct lk_txn *txn, const struct lk_activity *activity)
{
    struct lk_trace *trace;

    if (txn->mode != LK_WRITE || activity->audit_key.size != sizeof(trace->key)) {
        return;
    }
    trace = &lk_work(txn)->trace;
    trace->tenant = activity->record.id.tenant;
    trace->user = activity->record.id.user;
    memcpy(trace->key, activity->audit_key.data, sizeof(trace->key));
}

static bool seal_brings_any(const struct lk_actor *actor)
{
    return actor->ip.size || actor->user_agent.size;
}

static int seal_new_key(struct lk_txn *txn, struct lk_activity *activity)
{
    struct lk_trace *trace = &lk_work(txn)->trace;
    int error = lk_random(txn->store, trace->key, sizeof(trace->key));

    trace->tenant = error ? 0 : activity->record.id.tenant;
    trace->user = error ? 0 : activity->record.id.user;
    lk_set_span(&lk_kind_activity, &activity->record, "audit_key",
                (struct lk_span){trace->key, sizeof(trace->key)});
    return error;
}

int lk_trace_give(struct lk_txn *txn, struct lk_activity *patch)
{
    const struct lk_trace *trace = &lk_work(txn)->trace;

    if (!seal_brings_any(&txn->actor) ||
        (trace->tenant == patch->record.id.tenant && trace->user == patch->record.id.user)) {
        return 0;
    }
    return seal_new_key(txn, patch);
}

/* The user's bytes, made where there are none yet. LK_E_NOT_FOUND: the user is gone. */
static int seal_user_bytes(struct lk_txn *txn, uint32_t tenant, uint32_t user, bool make,
                           uint8_t bytes[16])
{
    const struct lk_trace *trace = make ? &lk_work(txn)->trace : NULL;
    struct lk_activity activity;
    struct lk_user owner;
    int error = 0;

    if (!trace || trace->tenant != tenant || trace->user != user) {
        struct lk_id id = {tenant, user, 0};

        error = lk_load_activity(txn, id, &activity);
        if (error == LK_E_CORRUPT) {
            error = lk_load_activity(txn, id, &activity); /* a medium may fail once */
        }
        if (!error && activity.audit_key.size == 16) {
            memcpy(bytes, activity.audit_key.data, 16);
            return 0;
        }
        if (error || !make) {
            return error ? error : LK_E_NOT_FOUND;
        }
        if (!activity.record.raw.size) {
            error = lk_record_load(txn, &lk_kind_user, id, &owner.record);
        }
        if (error == LK_E_CORRUPT) {
            error = lk_record_load(txn, &lk_kind_user, id, &owner.record); /* likewise */
        }
        if (!error) {
            error = seal_new_key(txn, &activity);
        }
        if (!error) {
            error = lk_record_store(txn, &lk_kind_activity, &activity.record, lk_work(txn)->audit);
        }
        trace = &lk_work(txn)->trace;
    }
    if (!error) {
        memcpy(bytes, trace->key, 16);
    }
    return error;
}

static int seal_derive(const struct lk_store *store, uint32_t tenant, uint32_t user,
                       const uint8_t bytes[16], uint8_t key[LK_SEAL_KEY_SIZE])
{
    const struct lk_port *port = store->port;
    uint8_t whose[8];
    unsigned i;

    for (i = 0; i < 4; i++) {
        whose[i] = (uint8_t)(tenant >> (24 - 8 * i));
        whose[4 + i] = (uint8_t)(user >> (24 - 8 * i));
    }
    return port->crypto->hash(port->self, store->trace_key, sizeof(store->trace_key),
                              (struct lk_span){whose, sizeof(whose)}, (struct lk_span){bytes, 16},
                              key);
}

/* Random bytes that are stored, and the place: ring and seq of the entry in its tenant. */
static void seal_nonce(uint8_t nonce[LK_SEAL_NONCE_SIZE], const uint8_t random[SEAL_RANDOM],
                       const struct lk_audit_entry *entry, uint32_t ring)
{
    unsigned i;

    memcpy(nonce, random, SEAL_RANDOM);
    for (i = 0; i < 4; i++) {
        nonce[SEAL_RANDOM + i] = (uint8_t)(entry->record.id.tenant >> (24 - 8 * i));
        nonce[SEAL_RANDOM + 4 + i] = (uint8_t)(ring >> (24 - 8 * i));
    }
    for (i = 0; i < 8; i++) {
        nonce[SEAL_RANDOM + 8 + i] = (uint8_t)(entry->seq >> (56 - 8 * i));
    }
}

/* ---- Entries ---- */

int lk_audit_seal(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                  struct lk_audit_entry *entry, uint64_t personal)
{
    const struct lk_port *port = txn->store->port;
    struct lk_work *work = lk_work(txn);
    const uint64_t sealed = entry->record.present & personal,
                   open = entry->record.present & ~sealed;
    uint8_t bytes[16], key[LK_SEAL_KEY_SIZE], nonce[LK_SEAL_NONCE_SIZE];
    size_t size = 0;
    int error = 0;

    entry->record.present = open;
    if (!sealed) {
        return 0;
    }
    memcpy(bytes, place->key, sizeof(bytes));
    if (LK_HAS(&entry->record, 11)) {
        error = seal_user_bytes(txn, place->tenant, (uint32_t)entry->actor, true, bytes);
        if (error == LK_E_NOT_FOUND || error == LK_E_CORRUPT) {
            return 0; /* of somebody who is no more, or whose record is damaged */
        }
    }
    if (!error) {
        entry->record.present = sealed;
        error = lk_record_encode(&lk_kind_trace, &entry->record, work->audit,
                                 LK_AUDIT_OPENED_MAX < sizeof(work->audit) ? LK_AUDIT_OPENED_MAX
                                                                           : sizeof(work->audit),
                                 &size);
        entry->record.present = open;
        if (error == LK_E_SPACE) {
            error = lk_refuse(txn, LK_E_LIMIT, &lk_kind_audit, NULL, LK_TEXT(""),
                              "is larger than a record may be in this build");
        }
    }
    if (!error) {
        error = lk_random(txn->store, work->sealed, SEAL_RANDOM);
    }
    if (!error) {
        error = seal_derive(txn->store, place->tenant, (uint32_t)entry->actor, bytes, key);
    }
    if (!error) {
        seal_nonce(nonce, work->sealed, entry, ring);
        error = port->crypto->seal(port->self, key, nonce, (struct lk_span){work->audit, size},
                                   LK_TEXT(""), work->sealed + SEAL_RANDOM);
    }
    if (!error) {
        lk_field_set_span(&entry->record, lk_audit_field(25),
                          (struct lk_span){work->sealed, SEAL_RANDOM + size + LK_SEAL_TAG_SIZE});
    }
    lk_wipe(txn->store, key, sizeof(key));
    lk_wipe(txn->store, bytes, sizeof(bytes));
    lk_wipe(txn->store, work->audit, size <= sizeof(work->audit) ? size : sizeof(work->audit));
    return error;
}

/* The bytes that the entry's key is derived from. */
static int seal_find_bytes(struct lk_txn *txn, const struct lk_audit_entry *entry,
                           uint8_t bytes[16])
{
    uint32_t tenant = entry->record.id.tenant;
    struct lk_audit_place place;
    int error;

    if (LK_HAS(&entry->record, 11)) {
        return seal_user_bytes(txn, tenant, (uint32_t)entry->actor, false, bytes);
    }
    error = lk_audit_place(txn, tenant, &place);
    memcpy(bytes, place.key, 16);
    return error;
}

static int seal_open(struct lk_txn *txn, struct lk_audit_entry *entry, const uint8_t bytes[16],
                     uint8_t out[LK_AUDIT_OPENED_MAX])
{
    const struct lk_port *port = txn->store->port;
    struct lk_span sealed = entry->sealed;
    struct lk_audit_entry part;
    uint8_t key[LK_SEAL_KEY_SIZE], nonce[LK_SEAL_NONCE_SIZE];
    size_t i, size;
    int error;

    if (sealed.size < SEAL_RANDOM + LK_SEAL_TAG_SIZE ||
        sealed.size - SEAL_RANDOM - LK_SEAL_TAG_SIZE > LK_AUDIT_OPENED_MAX) {
        return LK_E_CORRUPT;
    }
    size = sealed.size - SEAL_RANDOM - LK_SEAL_TAG_SIZE;
    error = seal_derive(txn->store, entry->record.id.tenant, (uint32_t)entry->actor, bytes, key);
    if (!error) {
        seal_nonce(nonce, sealed.data, entry, entry->record.id.user);
        error = port->crypto->open(
            port->self, key, nonce,
            (struct lk_span){sealed.data + SEAL_RANDOM, sealed.size - SEAL_RANDOM}, LK_TEXT(""),
            out);
    }
    lk_wipe(txn->store, key, sizeof(key));
    memset(&part, 0, sizeof(part));
    if (!error) {
        error = lk_record_decode(&lk_kind_trace, (struct lk_span){out, size}, &part.record);
    }
    for (i = 0; !error && i < lk_kind_trace.field_count; i++) {
        const struct lk_field *field = &lk_kind_trace.fields[i];

        if (LK_HAS(&part.record, field->number)) {
            lk_field_set_span(&entry->record, field, lk_field_span(&part.record, field));
        }
    }
    return error;
}

int lk_audit_unseal(struct lk_txn *txn, struct lk_audit_entry *entry,
                    uint8_t out[LK_AUDIT_OPENED_MAX])
{
    struct lk_id id = entry->record.id;
    uint8_t bytes[16];
    int error, again = 0;

    if (!LK_HAS(&entry->record, 25)) {
        return 0;
    }
    error = seal_find_bytes(txn, entry, bytes);
    if (txn->mode != LK_READ || !(txn->store->storage->caps & LK_STORAGE_STABLE)) {
        /* Looking for the key ended what the entry's texts point to. */
        again = lk_audit_slot(txn, id.tenant, id.user, id.sub, entry);
    }
    if (!error && !again) {
        error = seal_open(txn, entry, bytes, out);
    }
    lk_wipe(txn->store, bytes, sizeof(bytes));
    if (again) {
        return again;
    }
    if (error == LK_E_NOT_FOUND || error == LK_E_CORRUPT) {
        lk_field_set_number(&entry->record, lk_audit_field(42), true);
        error = 0;
    }
    return error;
}
