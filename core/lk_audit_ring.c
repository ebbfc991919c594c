// SPDX-License-Identifier: MIT
/*
 * lk_audit_ring.c: two rings of fixed slots a tenant, the oldest entry out when a new one comes in.
 *
 * Entries have no index and the rings no head record. `seq` rises over both rings of a tenant, so
 * that a ring read from slot 0 is a rotated sorted list: its newest entry is found by bisection.
 * Where slot 0 is empty, because its entry was past its retention, the ring does not go round its
 * end, and the newest is the last slot in use. The store handle keeps where that was as a hint,
 * which the slot's own seq must bear out.
 */
#include "lk_audit.h"

int lk_audit_slot(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                  struct lk_audit_entry *entry)
{
    struct lk_id id = {tenant, ring, slot};
    int error = lk_record_load(txn, &lk_kind_audit, id, &entry->record);

    if (!error) {
        lk_field_set_number(&entry->record, lk_audit_field(40), ring);
    }
    return error;
}

/* links (62) and chain (63) end every entry; seq (8) and at (9) begin it. */
static bool slot_parse(struct lk_span cbor, struct lk_audit_slot *found)
{
    static const uint8_t links_head[] = {0x18, 62, 0x50}, chain_head[] = {0x18, 63, 0x50};
    struct lk_cbor_reader reader;
    struct lk_cbor_item map, key, seq, at;
    const uint8_t *tail;

    lk_cbor_reader_init(&reader, cbor);
    if (cbor.size < 38 || lk_cbor_read(&reader, &map) || map.type != LK_CBOR_MAP ||
        lk_cbor_read(&reader, &key) || key.type != LK_CBOR_UINT || key.number != 8 ||
        lk_cbor_read(&reader, &seq) || seq.type != LK_CBOR_UINT || lk_cbor_read(&reader, &key) ||
        key.type != LK_CBOR_UINT || key.number != 9 || lk_cbor_read(&reader, &at) ||
        at.type != LK_CBOR_UINT) {
        return false;
    }
    tail = cbor.data + cbor.size - 38;
    if (memcmp(tail, links_head, 3) != 0 || memcmp(tail + 19, chain_head, 3) != 0) {
        return false;
    }
    found->seq = seq.number;
    found->at = at.number;
    memcpy(found->links, tail + 3, sizeof(found->links));
    memcpy(found->chain, tail + 22, sizeof(found->chain));
    return seq.number != 0;
}

int lk_audit_peek(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                  struct lk_audit_slot *found)
{
    struct lk_span value, cbor;
    struct lk_key at;
    int error;

    memset(found, 0, sizeof(*found));
    lk_key_record(&at, &lk_kind_audit, (struct lk_id){tenant, ring, slot});
    error = txn->store->storage->ops->get(&txn->storage, lk_key_span(&at), &value);
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    if (lk_value_open(txn->store, lk_key_span(&at), value, &cbor) || !slot_parse(cbor, found)) {
        memset(found, 0, sizeof(*found));
        return LK_SLOT_DAMAGED;
    }
    return 0;
}

int lk_audit_seq(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot, uint64_t *seq)
{
    struct lk_audit_slot found;
    int error = lk_audit_peek(txn, tenant, ring, slot, &found);

    *seq = found.seq;
    return error;
}

int lk_audit_place(struct lk_txn *txn, uint32_t tenant, struct lk_audit_place *place)
{
    struct lk_tenant record;
    int error;

    memset(place, 0, sizeof(*place));
    place->tenant = tenant;
    if (tenant == LK_STORE_TENANT) {
        place->capacity = txn->store->audit_capacity;
        return 0;
    }
    error = lk_record_load(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);
    if (error) {
        return error;
    }
    place->capacity = (uint32_t)record.audit_capacity;
    place->archive = record.audit_archive != 0;
    place->archived = record.audit_archived;
    if (record.audit_key.size == sizeof(place->key)) {
        memcpy(place->key, record.audit_key.data, sizeof(place->key));
    }
    if (record.audit_gone.size == sizeof(place->gone)) {
        memcpy(place->gone, record.audit_gone.data, sizeof(place->gone));
    }
    return 0;
}

int lk_audit_capacity(struct lk_txn *txn, uint32_t tenant, uint32_t *capacity)
{
    struct lk_audit_place place;
    int error = lk_audit_place(txn, tenant, &place);

    *capacity = place.capacity;
    return error;
}

static void ring_prefix(struct lk_key *prefix, uint32_t tenant, uint32_t ring)
{
    lk_key_of_user(prefix, &lk_kind_audit, tenant, 0);
    lk_key_put_number(prefix, ring);
}

/* The first slot in use from `from` on, or the last of all. */
static int ring_seek(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t from, bool last,
                     uint32_t *slot)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span found, value;
    struct lk_key prefix, key;
    const struct lk_kind *kind;
    struct lk_id id;
    int error;

    ring_prefix(&prefix, tenant, ring);
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, ring, from});
    error = last ? ops->seek_before(&cursor, (struct lk_span){NULL, 0}, &found, &value)
                 : ops->seek(&cursor, lk_key_span(&key), &found, &value);
    if (!error) {
        key.size = 0;
        lk_key_put_bytes(&key, found);
        error = lk_key_parse(txn->store, lk_key_span(&key), &kind, &id);
        *slot = error ? 0 : id.sub;
    }
    lk_cursor_end(&cursor);
    return error;
}

/* The first slot from `*slot` on, below `end`, that is not damaged: what is damaged is passed over,
 * so that one bad byte does not stop a tenant. LK_SLOT_DAMAGED when all are. */
static int ring_probe(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t *slot,
                      uint32_t end, struct lk_audit_slot *found)
{
    int error;

    while ((error = lk_audit_peek(txn, tenant, ring, *slot, found)) == LK_SLOT_DAMAGED &&
           *slot + 1 < end) {
        (*slot)++;
    }
    return error;
}

/* The last slot in use that is not damaged, where the ring does not begin at `low`, which is empty
 * or the last. */
static int ring_last(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity,
                     uint32_t low, uint32_t *slot, struct lk_audit_slot *newest)
{
    uint32_t last = 0;
    int error = ring_seek(txn, tenant, ring, 0, true, &last);

    memset(newest, 0, sizeof(*newest));
    *slot = 0;
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    last = last < capacity ? last : capacity - 1;
    for (; last > low; last--) {
        error = lk_audit_peek(txn, tenant, ring, last, newest);
        if (error != LK_SLOT_DAMAGED && (error || newest->seq)) {
            *slot = last;
            return error;
        }
    }
    /* All there is is damaged: what comes next goes behind it, or begins anew. */
    memset(newest, 0, sizeof(*newest));
    *slot = low ? low - 1 : 0;
    newest->seq = low ? 1 : 0;
    return 0;
}

int lk_audit_bisect(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity,
                    uint32_t *slot, struct lk_audit_slot *newest)
{
    uint32_t low = 0, high = capacity; /* low holds an entry of the newest lap, high does not */
    struct lk_audit_slot middle;
    uint64_t first;
    int error = ring_probe(txn, tenant, ring, &low, capacity, newest);

    if (error < 0) {
        return error;
    }
    if (error || !newest->seq) {
        return ring_last(txn, tenant, ring, capacity, low, slot, newest);
    }
    first = newest->seq;
    while (high - low > 1) {
        uint32_t at = low + (high - low) / 2, probe = at;

        error = ring_probe(txn, tenant, ring, &probe, high, &middle);
        if (error < 0) {
            return error;
        }
        if (!error && middle.seq >= first) {
            low = probe;
            *newest = middle;
        } else {
            high = at;
        }
    }
    *slot = low;
    return 0;
}

/* Damaged slots right behind the newest sound one that have room behind them are newer still. */
static int ring_tail(struct lk_txn *txn, uint32_t tenant, uint32_t number, uint32_t capacity,
                     uint32_t *head)
{
    struct lk_audit_slot found;
    uint32_t tail = *head;
    int error;

    do {
        tail++;
        error = tail < capacity ? lk_audit_peek(txn, tenant, number, tail, &found) : 0;
    } while (error == LK_SLOT_DAMAGED);
    if (!error && tail < capacity && !found.seq) {
        *head = tail - 1;
    }
    return error;
}

int lk_audit_ring(struct lk_txn *txn, uint32_t tenant, uint32_t number, uint32_t capacity,
                  struct lk_audit_ring *ring)
{
    uint32_t slot;
    int error;

    memset(ring, 0, sizeof(*ring));
    ring->capacity = capacity;
    error = lk_audit_bisect(txn, tenant, number, capacity, &ring->head, &ring->newest);
    if (error || !ring->newest.seq) {
        return error;
    }
    error = ring_tail(txn, tenant, number, capacity, &ring->head);
    if (error) {
        return error;
    }
    /* The oldest is the next in use after the newest, round the end. */
    error = ring_seek(txn, tenant, number, ring->head + 1, false, &slot);
    if (!error && slot < capacity) {
        ring->first = slot;
        ring->count = capacity - slot + ring->head + 1;
        return 0;
    }
    if (!error || error == LK_E_NOT_FOUND) {
        error = ring_seek(txn, tenant, number, 0, false, &ring->first);
        ring->count = ring->head - ring->first + 1;
    }
    return error;
}

/* ---- Hints ---- */

static struct lk_audit_hint *ring_hint(struct lk_store *store, uint32_t tenant, uint32_t ring)
{
    struct lk_audit_hint *oldest = &store->audit_hints[0];
    size_t i;

    for (i = 0; i < LK_COUNT(store->audit_hints); i++) {
        struct lk_audit_hint *hint = &store->audit_hints[i];

        if (hint->used && hint->tenant == tenant && hint->ring == ring) {
            return hint;
        }
        if (hint->used < oldest->used) {
            oldest = hint;
        }
    }
    memset(oldest, 0, sizeof(*oldest));
    oldest->tenant = tenant;
    oldest->ring = ring;
    return oldest;
}

int lk_audit_head(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                  uint32_t *slot, struct lk_audit_slot *newest, struct lk_audit_slot *after,
                  bool *after_damaged)
{
    const struct lk_audit_hint *hint = ring_hint(txn->store, place->tenant, ring);
    bool hinted = hint->used && hint->slot < place->capacity;
    int error = 0;

    if (hinted) {
        *slot = hint->slot;
        error = lk_audit_peek(txn, place->tenant, ring, *slot, newest);
        hinted = !error && newest->seq == hint->seq;
    }
    for (;;) {
        if (!hinted && error >= 0) {
            error = lk_audit_bisect(txn, place->tenant, ring, place->capacity, slot, newest);
        }
        if (error < 0) {
            return error;
        }
        error = lk_audit_peek(txn, place->tenant, ring,
                              newest->seq ? (*slot + 1) % place->capacity : 0, after);
        *after_damaged = error == LK_SLOT_DAMAGED;
        if (!hinted && error >= 0 && newest->seq) {
            /* The other ring is looked at with each entry, and seldom written. */
            lk_audit_remember(txn, place->tenant, ring, *slot, newest->seq);
        }
        if (!hinted || error < 0 || after->seq < newest->seq) {
            return *after_damaged ? 0 : error;
        }
        hinted = false; /* somebody wrote meanwhile */
    }
}

void lk_audit_remember(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                       uint64_t seq)
{
    struct lk_audit_hint *hint = ring_hint(txn->store, tenant, ring);

    hint->slot = slot;
    hint->seq = seq;
    hint->used = txn->store->commit_count + 1;
}

void lk_audit_forget(struct lk_txn *txn)
{
    memset(txn->store->audit_hints, 0, sizeof(txn->store->audit_hints));
}

int lk_audit_take(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot)
{
    struct lk_key key;
    int error;

    lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, ring, slot});
    error = txn->store->storage->ops->remove(&txn->storage, lk_key_span(&key));
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* ---- Another capacity ---- */

static int ring_move(struct lk_txn *txn, uint32_t tenant, uint32_t from_ring, uint32_t from,
                     uint32_t to_ring, uint32_t to)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_work *work = lk_work(txn);
    struct lk_id id = {tenant, from_ring, from};
    struct lk_span value, cbor;
    struct lk_key key;
    size_t size;
    bool sound;
    int error;

    lk_key_record(&key, &lk_kind_audit, id);
    error = ops->get(&txn->storage, lk_key_span(&key), &value);
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error; /* a hole stays one */
    }
    /* What is damaged is moved as it is: its place keeps the others' order. */
    sound = !lk_value_open(txn->store, lk_key_span(&key), value, &cbor);
    size = sound ? cbor.size : value.size;
    if (size > sizeof(work->audit)) {
        return LK_E_CORRUPT;
    }
    memcpy(work->audit, value.data, size);
    error = ops->remove(&txn->storage, lk_key_span(&key));
    if (error) {
        return error;
    }
    lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, to_ring, to});
    return sound ? lk_value_put(txn, &key, work->audit, size)
                 : ops->put(&txn->storage, lk_key_span(&key), (struct lk_span){work->audit, size});
}

/* Lays a ring anew in order of age from slot 0, the newest that fit; a ring of a number of its own
 * holds them meanwhile. `whole` tells that it had no room before its oldest entry, or has lost it:
 * what that follows must be noted, as there will be room. */
static int ring_relay(struct lk_txn *txn, uint32_t tenant, uint32_t number, uint32_t capacity,
                      bool *whole)
{
    uint32_t spare = number + LK_RING_COUNT, last, i, keep;
    struct lk_audit_ring ring;
    int error = ring_seek(txn, tenant, number, 0, true, &last);

    *whole = false;
    if (!error) {
        error = lk_audit_ring(txn, tenant, number, last + 1, &ring);
    }
    if (error || !ring.newest.seq) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    keep = ring.count < capacity ? ring.count : capacity;
    *whole = ring.count == ring.capacity || keep < ring.count;
    if (ring.head == last && last < capacity) {
        return 0;
    }
    for (i = 0; !error && i < ring.count; i++) {
        uint32_t slot = (ring.first + i) % ring.capacity;

        error = i < ring.count - keep
                    ? lk_audit_take(txn, tenant, number, slot)
                    : ring_move(txn, tenant, number, slot, spare, i - (ring.count - keep));
    }
    for (i = 0; !error && i < keep; i++) {
        error = ring_move(txn, tenant, spare, i, number, i);
    }
    return error;
}

int lk_audit_note_gone(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring)
{
    struct lk_id id = {place->tenant, 0, 0};
    struct lk_audit_slot oldest;
    struct lk_tenant record;
    struct lk_audit_ring all;
    int error = lk_audit_ring(txn, place->tenant, ring, place->capacity, &all);

    if (error || !all.newest.seq) {
        return error;
    }
    error = lk_audit_peek(txn, place->tenant, ring, all.first, &oldest);
    if (error >= 0) {
        memcpy(place->gone[ring], oldest.links[0], LK_LINK_SIZE);
        error = lk_record_load(txn, &lk_kind_tenant, id, &record.record);
    }
    if (error) {
        return error;
    }
    lk_set_span(&lk_kind_tenant, &record.record, "audit_gone",
                (struct lk_span){&place->gone[0][0], sizeof(place->gone)});
    return lk_record_store(txn, &lk_kind_tenant, &record.record, lk_work(txn)->audit);
}

int lk_audit_resize(struct lk_txn *txn, uint32_t tenant)
{
    struct lk_audit_place place;
    bool whole;
    unsigned i;
    int error = lk_audit_place(txn, tenant, &place);

    lk_audit_forget(txn);
    for (i = 0; !error && i < LK_RING_COUNT; i++) {
        error = ring_relay(txn, tenant, i, place.capacity, &whole);
        if (!error && whole) {
            error = lk_audit_note_gone(txn, &place, i);
        }
    }
    return error ? error : lk_audit_settle(txn, tenant);
}
