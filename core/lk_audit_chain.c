// SPDX-License-Identifier: MIT
/*
 * lk_audit_chain.c: each entry ends in a keyed hash over itself and over what it follows.
 *
 * `links` repeats the beginning of the chain values of the newest entry of the own ring and of the
 * other one. It is stored, so that an entry can be checked although what it follows is long
 * overwritten: a ring can be verified from any entry on.
 */
#include "lk_audit.h"

int lk_audit_chain(const struct lk_store *store, uint32_t tenant, uint32_t ring,
                   struct lk_span cbor, uint8_t chain[LK_CHAIN_SIZE])
{
    const struct lk_port *port = store->port;
    uint8_t head[5], hash[LK_HASH_SIZE];
    unsigned i;
    int error;

    for (i = 0; i < 4; i++) {
        head[i] = (uint8_t)(tenant >> (24 - 8 * i));
    }
    head[4] = (uint8_t)ring;
    if (cbor.size < LK_CHAIN_SIZE) {
        return LK_E_CORRUPT;
    }
    cbor.size -= LK_CHAIN_SIZE;
    error = port->crypto->hash(port->self, store->audit_key, sizeof(store->audit_key),
                               (struct lk_span){head, sizeof(head)}, cbor, hash);
    if (!error) {
        memcpy(chain, hash, LK_CHAIN_SIZE);
    }
    return error;
}

struct chain_heads {
    uint32_t slots[LK_RING_COUNT];
    struct lk_audit_slot newest[LK_RING_COUNT];
    uint64_t seq, at;
    uint64_t lost; /* what is overwritten although nobody has read it, or can */
};

static int chain_heads(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                       struct chain_heads *heads)
{
    struct lk_audit_slot after;
    bool damaged;
    uint32_t i;
    int error;

    memset(heads, 0, sizeof(*heads));
    for (i = 0; i < LK_RING_COUNT; i++) {
        error = lk_audit_head(txn, place, i, &heads->slots[i], &heads->newest[i], &after, &damaged);
        if (error) {
            return error;
        }
        if (heads->newest[i].seq > heads->seq) {
            heads->seq = heads->newest[i].seq;
            heads->at = heads->newest[i].at;
        }
        if (i == ring) {
            heads->lost =
                damaged || (place->archive && after.seq > place->archived && heads->newest[i].seq);
        }
    }
    return 0;
}

/* The handle counted what was not written; it is told once. */
static uint64_t chain_missed(struct lk_txn *txn, uint32_t tenant)
{
    uint64_t missed = 0;
    size_t i;

    lk_store_lock(txn->store, true);
    for (i = 0; i < LK_COUNT(txn->store->audit_missed); i++) {
        struct lk_audit_miss *miss = &txn->store->audit_missed[i];

        if (miss->count > miss->told && miss->tenant == tenant) {
            missed = miss->count - miss->told;
            miss->told = miss->count;
        }
    }
    lk_store_lock(txn->store, false);
    return missed;
}

static int chain_store(struct lk_txn *txn, const struct lk_record *record)
{
    struct lk_id id = record->id;
    uint8_t *buffer = lk_work(txn)->audit;
    struct lk_key key;
    size_t size;
    int error = lk_record_encode(&lk_kind_audit, record, buffer,
                                 txn->store->value_max - LK_CHECKSUM_SIZE, &size);

    if (error) {
        return lk_refuse(txn, LK_E_LIMIT, &lk_kind_audit, NULL, LK_TEXT(""),
                         "is larger than a record may be in this store");
    }
    error = lk_audit_chain(txn->store, id.tenant, id.user, (struct lk_span){buffer, size},
                           buffer + size - LK_CHAIN_SIZE);
    lk_key_record(&key, &lk_kind_audit, id);
    return error ? error : lk_value_put(txn, &key, buffer, size);
}

static int chain_put(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring,
                     struct lk_audit_entry *entry, uint64_t personal)
{
    static const uint8_t blank[LK_CHAIN_SIZE];
    uint8_t links[LK_RING_COUNT][LK_LINK_SIZE];
    struct chain_heads heads;
    uint64_t dropped;
    int error = chain_heads(txn, place, ring, &heads);

    if (error) {
        return error;
    }
    entry->record.raw = (struct lk_span){NULL, 0};
    entry->record.id =
        (struct lk_id){place->tenant, ring,
                       heads.newest[ring].seq ? (heads.slots[ring] + 1) % place->capacity : 0};
    lk_field_set_number(&entry->record, lk_audit_field(8), heads.seq + 1);
    /* Never before the last one, unless this is what tells that the clock was set back. */
    lk_field_set_number(&entry->record, lk_audit_field(9),
                        heads.at > txn->now_ms &&
                                !lk_span_equal(entry->action, LK_TEXT(LK_AUDIT_EPOCH))
                            ? heads.at
                            : txn->now_ms);
    lk_field_set_number(&entry->record, lk_audit_field(10), txn->clock);
    dropped = heads.lost + chain_missed(txn, place->tenant);
    if (dropped) {
        lk_field_set_number(&entry->record, lk_audit_field(29), dropped);
    }
    memcpy(links[0], heads.newest[ring].chain, LK_LINK_SIZE);
    memcpy(links[1], heads.newest[1 - ring].chain, LK_LINK_SIZE);
    lk_field_set_span(&entry->record, lk_audit_field(62),
                      (struct lk_span){&links[0][0], sizeof(links)});
    lk_field_set_span(&entry->record, lk_audit_field(63), (struct lk_span){blank, sizeof(blank)});
    error = lk_audit_seal(txn, place, ring, entry, personal);
    if (!error) {
        error = chain_store(txn, &entry->record);
    }
    /* What these point to ends with this call, and the entry is the caller's. */
    entry->record.present &= ~(LK_BIT(62) | LK_BIT(63));
    entry->links = entry->chain = (struct lk_span){NULL, 0};
    if (!error) {
        lk_audit_remember(txn, place->tenant, ring, entry->record.id.sub, heads.seq + 1);
    }
    return error;
}

static int chain_watermark(struct lk_txn *txn, struct lk_audit_place *place, uint32_t full)
{
    struct lk_audit_entry entry;

    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_audit_field(12), LK_TEXT("audit.watermark"));
    lk_field_set_span(&entry.record, lk_audit_field(13), LK_TEXT("audit"));
    lk_field_set_span(&entry.record, lk_audit_field(14),
                      full == LK_RING_ADMIN ? LK_TEXT("admin") : LK_TEXT("activity"));
    lk_field_set_span(&entry.record, lk_audit_field(16),
                      LK_TEXT("four fifths of the ring were not archived"));
    lk_field_set_number(&entry.record, lk_audit_field(17), LK_CATEGORY_SYSTEM);
    lk_store_count(txn->store, &txn->store->audit_watermark_count);
    return chain_put(txn, place, LK_RING_ADMIN, &entry, 0);
}

int lk_audit_put(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring,
                 struct lk_audit_entry *entry, uint64_t personal)
{
    bool crossed = false;
    int error = chain_put(txn, place, ring, entry, personal);

    if (error || !place->archive) {
        return error;
    }
    error = lk_audit_crossed(txn, place, ring, entry->record.id.sub, &crossed);
    if (!error && crossed) {
        error = chain_watermark(txn, place, ring);
        /* Which may be just what fills the other ring so far. */
        if (!error && ring != LK_RING_ADMIN) {
            uint32_t slot;
            struct lk_audit_slot newest, after;
            bool damaged;

            error = lk_audit_head(txn, place, LK_RING_ADMIN, &slot, &newest, &after, &damaged);
            if (!error) {
                error = lk_audit_crossed(txn, place, LK_RING_ADMIN, slot, &crossed);
            }
            if (!error && crossed) {
                error = chain_watermark(txn, place, LK_RING_ADMIN);
            }
        }
    }
    return error;
}

int lk_audit_warn(struct lk_txn *txn, uint32_t tenant)
{
    bool over[LK_RING_COUNT] = {false, false};
    struct lk_audit_place place;
    uint32_t ring;
    int error = lk_audit_place(txn, tenant, &place);

    for (ring = 0; !error && place.archive && ring < LK_RING_COUNT; ring++) {
        error = lk_audit_over(txn, &place, ring, &over[ring]);
    }
    for (ring = 0; !error && ring < LK_RING_COUNT; ring++) {
        error = over[ring] ? chain_watermark(txn, &place, ring) : 0;
    }
    return error;
}

int lk_audit_heads(struct lk_txn *txn, uint32_t tenant, struct lk_audit_heads *heads)
{
    struct lk_audit_place place;
    struct lk_audit_slot newest;
    uint32_t ring, slot;
    int error = txn->open ? lk_audit_place(txn, tenant, &place) : LK_E_STATE;

    memset(heads, 0, sizeof(*heads));
    memcpy(heads->store_id, txn->store->store_id, sizeof(heads->store_id));
    heads->tenant = tenant;
    for (ring = 0; !error && ring < LK_RING_COUNT; ring++) {
        error = lk_audit_bisect(txn, tenant, ring, place.capacity, &slot, &newest);
        heads->rings[ring].seq = newest.seq;
        memcpy(heads->rings[ring].chain, newest.chain, LK_CHAIN_SIZE);
    }
    return error;
}

/* ---- What left no entry ---- */

void lk_audit_missed(struct lk_store *store, uint32_t tenant)
{
    struct lk_audit_miss *found = NULL;
    size_t i;

    lk_store_lock(store, true);
    for (i = 0; i < LK_COUNT(store->audit_missed); i++) {
        struct lk_audit_miss *miss = &store->audit_missed[i];

        if (miss->count && miss->tenant == tenant) {
            found = miss;
            break;
        }
        found = !found && !miss->count ? miss : found;
    }
    if (found && found->count < UINT32_MAX) {
        found->tenant = tenant;
        found->count++;
    }
    lk_store_lock(store, false);
}

static void chain_settle_missed(struct lk_store *store, bool told)
{
    size_t i;

    lk_store_lock(store, true);
    for (i = 0; i < LK_COUNT(store->audit_missed); i++) {
        struct lk_audit_miss *miss = &store->audit_missed[i];

        miss->count -= told ? miss->told : 0;
        miss->told = 0;
    }
    lk_store_lock(store, false);
}

void lk_audit_begun(struct lk_txn *txn)
{
    chain_settle_missed(txn->store, false);
    lk_trace_forget(txn);
}

void lk_audit_committed(struct lk_txn *txn)
{
    chain_settle_missed(txn->store, true);
}
