// SPDX-License-Identifier: MIT
/* lk_audit_read.c: queries over a tenant's two rings as one list in order of seq. */
#include "lk_engine.h"

enum audit_by { BY_SEQ, BY_TIME };

/* Position (0: oldest) of the first entry whose seq or time is at least `bound`. */
static int audit_lower_bound(struct lk_audit_query *query, unsigned ring, enum audit_by by,
                             uint64_t bound, uint32_t *position)
{
    uint32_t low = 0, high = query->rings[ring].count;
    struct lk_audit_entry entry;
    int error;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t slot = (query->rings[ring].first + middle) % query->rings[ring].capacity;

        error = lk_audit_slot(query->txn, query->tenant, ring, slot, &entry);
        if (error) {
            return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
        }
        if ((by == BY_SEQ ? entry.seq : entry.at) < bound) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *position = low;
    return 0;
}

/* Narrows a ring to the positions that the query's bounds leave: [at, count) or [first, at). */
static int audit_narrow(struct lk_audit_query *query, unsigned ring)
{
    uint32_t low = 0, high = query->rings[ring].count, bound;
    int error = 0;

    if (query->since && query->by_time) {
        error = audit_lower_bound(query, ring, BY_TIME, query->since, &low);
    }
    if (!error && query->until && query->by_time) {
        error = audit_lower_bound(query, ring, BY_TIME, query->until, &high);
    }
    if (!error && query->after_seq) {
        uint64_t seq = query->after_seq;

        seq += query->oldest_first && seq < UINT64_MAX ? 1 : 0;
        error = audit_lower_bound(query, ring, BY_SEQ, seq, &bound);
        if (!error && query->oldest_first) {
            low = bound > low ? bound : low;
        } else if (!error) {
            high = bound < high ? bound : high;
        }
    }
    if (error) {
        return error;
    }
    high = high < low ? low : high;
    query->rings[ring].first = (query->rings[ring].first + low) % query->rings[ring].capacity;
    query->rings[ring].count = high - low;
    query->rings[ring].at = 0;
    return 0;
}

int lk_audit_begin(struct lk_txn *txn, struct lk_audit_query *query)
{
    uint32_t capacity, slot;
    struct lk_meta meta;
    uint64_t seq, next;
    unsigned i;
    int error;

    if (!txn->open) {
        return LK_E_STATE;
    }
    query->txn = txn;
    error = lk_meta_get(txn, &meta);
    if (error && error != LK_E_CORRUPT) {
        return error;
    }
    /* Times rise, unless the clock was ever set back. */
    query->by_time = !error && !meta.time_epoch;
    memset(query->rings, 0, sizeof(query->rings));
    error = lk_audit_capacity(txn, query->tenant, &capacity);
    for (i = 0; !error && i < LK_RING_COUNT; i++) {
        query->rings[i].capacity = capacity;
        error = lk_audit_bisect(txn, query->tenant, i, capacity, &slot, &seq);
        if (error || !seq) {
            continue;
        }
        error = lk_audit_seq(txn, query->tenant, i, (slot + 1) % capacity, &next);
        if (error == LK_SLOT_DAMAGED) {
            next = 1; /* not empty */
            error = 0;
        }
        query->rings[i].first = next && slot + 1 < capacity ? slot + 1 : 0;
        query->rings[i].count = next && slot + 1 < capacity ? capacity : slot + 1;
        if (!error) {
            error = audit_narrow(query, i);
        }
    }
    return error;
}

static uint32_t audit_position(const struct lk_audit_query *query, unsigned ring)
{
    uint32_t count = query->rings[ring].count, at = query->rings[ring].at;
    uint32_t offset = query->oldest_first ? at : count - 1 - at;

    return (query->rings[ring].first + offset) % query->rings[ring].capacity;
}

static bool audit_text_matches(struct lk_span want, struct lk_span have)
{
    return !want.size || lk_span_equal(want, have);
}

static bool audit_matches(const struct lk_audit_query *query, const struct lk_audit_entry *entry)
{
    return entry->at >= query->since && (!query->until || entry->at < query->until) &&
           (!query->actor || entry->actor == query->actor) &&
           audit_text_matches(query->action, entry->action) &&
           audit_text_matches(query->resource_type, entry->resource_type) &&
           audit_text_matches(query->resource_id, entry->resource_id) &&
           (!query->outcome || entry->outcome == (uint64_t)query->outcome - 1) &&
           (!query->category || entry->category == (uint64_t)query->category - 1);
}

int lk_audit_next(struct lk_audit_query *query, struct lk_audit_entry *entry)
{
    for (;;) {
        int best = -1;
        unsigned i;
        int error;

        for (i = 0; i < LK_RING_COUNT; i++) {
            if (query->rings[i].at >= query->rings[i].count) {
                continue;
            }
            if (!query->rings[i].loaded) {
                error = lk_audit_seq(query->txn, query->tenant, i, audit_position(query, i),
                                     &query->rings[i].seq);
                if (error) {
                    /* Told once; the next call goes on behind it. */
                    query->rings[i].at += error == LK_SLOT_DAMAGED;
                    return error == LK_SLOT_DAMAGED ? LK_E_CORRUPT : error;
                }
                query->rings[i].loaded = true;
            }
            if (best < 0 || (query->oldest_first ? query->rings[i].seq < query->rings[best].seq
                                                 : query->rings[i].seq > query->rings[best].seq)) {
                best = (int)i;
            }
        }
        if (best < 0) {
            return LK_E_NOT_FOUND;
        }
        error = lk_audit_slot(query->txn, query->tenant, (uint32_t)best,
                              audit_position(query, (unsigned)best), entry);
        query->rings[best].at++;
        query->rings[best].loaded = false;
        if (error) {
            return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
        }
        if (audit_matches(query, entry)) {
            return 0;
        }
    }
}
