// SPDX-License-Identifier: MIT
/* lk_audit_read.c: queries over a tenant's two rings as one list in order of seq. */
#include "lk_audit.h"

enum audit_by { BY_SEQ, BY_TIME };

/* Position (0: oldest) of the first entry whose seq or time is at least `bound`. */
static int audit_lower_bound(struct lk_audit_query *query, unsigned ring, enum audit_by by,
                             uint64_t bound, uint32_t *position)
{
    uint32_t low = 0, high = query->rings[ring].count;
    struct lk_audit_slot found;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2, at = middle;
        int error;

        /* What is damaged tells nothing: the next that is sound stands for it. */
        do {
            error = lk_audit_peek(query->txn, query->tenant, ring,
                                  (query->rings[ring].first + at) % query->rings[ring].capacity,
                                  &found);
        } while ((error == LK_SLOT_DAMAGED || (!error && !found.seq)) && ++at < high);
        if (error < 0) {
            return error;
        }
        if (at < high && (by == BY_SEQ ? found.seq : found.at) < bound) {
            low = at + 1;
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
    struct lk_audit_ring ring;
    uint32_t capacity;
    struct lk_meta meta;
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
    /* A page that goes on after an entry is past what is open, or not there yet. */
    query->fold = query->open && (query->oldest_first || !query->after_seq) ? 1 : 0;
    error =
        query->source.size ? lk_audit_tag(txn->store, query->tenant, query->source, query->tag) : 0;
    if (!error) {
        error = lk_audit_capacity(txn, query->tenant, &capacity);
    }
    for (i = 0; !error && i < LK_RING_COUNT; i++) {
        error = lk_audit_ring(txn, query->tenant, i, capacity, &ring);
        query->rings[i].capacity = capacity;
        query->rings[i].first = ring.first;
        query->rings[i].count = ring.count;
        if (!error && ring.count) {
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

/* Is it one of the words? Those of an application must have been unsealed. */
static bool audit_is_tagged(struct lk_span want, struct lk_span tags)
{
    size_t at, end;

    for (at = 0; want.size && at < tags.size; at = end + 1) {
        for (end = at; end < tags.size && tags.data[end] != ' '; end++) {
        }
        if (lk_span_equal(want, (struct lk_span){tags.data + at, end - at})) {
            return true;
        }
    }
    return !want.size;
}

static bool audit_matches(const struct lk_audit_query *query, const struct lk_audit_entry *entry)
{
    return entry->at >= query->since && (!query->until || entry->at < query->until) &&
           (!query->actor || entry->actor == query->actor) &&
           audit_text_matches(query->action, entry->action) &&
           audit_text_matches(query->resource_type, entry->resource_type) &&
           audit_text_matches(query->resource_id, entry->resource_id) &&
           (!query->source.size ||
            lk_span_equal(entry->source_tag, (struct lk_span){query->tag, sizeof(query->tag)})) &&
           (!query->outcome || entry->outcome == (uint64_t)query->outcome - 1) &&
           (!query->category || entry->category == (uint64_t)query->category - 1);
}

static int audit_next_open(struct lk_audit_query *query, struct lk_audit_entry *entry)
{
    int error;

    do {
        error = lk_audit_fold_next(query->txn, query->tenant, &query->fold, entry);
    } while (!error &&
             !(audit_matches(query, entry) && audit_is_tagged(query->tagged, entry->tags)));
    return error;
}

/* The entry that stands next in a ring; what `entry` held is gone. */
static int audit_load(struct lk_audit_query *query, unsigned ring, struct lk_audit_entry *entry)
{
    int error = lk_audit_slot(query->txn, query->tenant, ring, audit_position(query, ring), entry);

    if (!error && (!entry->seq || !LK_HAS(&entry->record, 62) || !LK_HAS(&entry->record, 63))) {
        error = LK_E_CORRUPT;
    }
    return error == LK_E_NOT_FOUND ? LK_E_CORRUPT : error;
}

/* The seq that would surely come next, 0 unknown: one more, or less, than the last given. A ring
 * that is not loaded keeps what it gave last. */
static uint64_t audit_expected(const struct lk_audit_query *query, int *last)
{
    uint64_t seq = 0;
    int i;

    *last = 0;
    for (i = 0; i < LK_RING_COUNT; i++) {
        uint64_t given = query->rings[i].loaded ? 0 : query->rings[i].seq;

        if (given && (!seq || (given > seq) == query->oldest_first)) {
            seq = given;
            *last = i;
        }
    }
    return !seq ? 0 : query->oldest_first ? seq + 1 : seq - 1;
}

/*
 * The ring whose next entry comes next; -1: neither has one. `*held` is the ring whose next `entry`
 * holds, -1 none: as long as one ring goes on, its entries are read once, and the other ring's not
 * at all. Of a damaged one its id is the place.
 */
static int audit_next_ring(struct lk_audit_query *query, int *best, struct lk_audit_entry *entry,
                           int *held)
{
    int last, turn;
    uint64_t expected = audit_expected(query, &last);

    *best = *held = -1;
    for (turn = 0; turn < 2 * LK_RING_COUNT; turn++) {
        /* First what is known, then what has to be read: the ring that gave the last one first. */
        int i = (last + turn) % LK_RING_COUNT;
        bool known = query->rings[i].loaded;

        if (query->rings[i].at >= query->rings[i].count || known != (turn < LK_RING_COUNT)) {
            continue;
        }
        if (!known) {
            int error = audit_load(query, (unsigned)i, entry);

            if (error) {
                /* Told once; the next call goes on behind it. */
                entry->record.id =
                    (struct lk_id){query->tenant, (uint32_t)i, audit_position(query, (unsigned)i)};
                query->rings[i].at += error == LK_E_CORRUPT;
                return error;
            }
            query->rings[i].seq = entry->seq;
            query->rings[i].loaded = true;
            *held = i;
        }
        if (*best < 0 || (query->rings[i].seq < query->rings[*best].seq) == query->oldest_first) {
            *best = i;
        }
        if (query->rings[i].seq == expected) {
            break;
        }
    }
    return 0;
}

int lk_audit_next(struct lk_audit_query *query, struct lk_audit_entry *entry)
{
    int best, held, error;

    if (query->fold && !query->oldest_first) {
        error = audit_next_open(query, entry);
        if (error != LK_E_NOT_FOUND) {
            return error;
        }
        query->fold = 0;
    }
    for (;;) {
        error = audit_next_ring(query, &best, entry, &held);
        if (error) {
            return error;
        }
        if (best < 0) {
            return query->fold ? audit_next_open(query, entry) : LK_E_NOT_FOUND;
        }
        error = best == held ? 0 : audit_load(query, (unsigned)best, entry);
        query->rings[best].at++;
        query->rings[best].loaded = false;
        if (error) {
            return error;
        }
        if (!audit_matches(query, entry)) {
            continue;
        }
        error = query->closed ? 0 : lk_audit_unseal(query->txn, entry, query->opened);
        if (error || audit_is_tagged(query->tagged, entry->tags)) {
            return error;
        }
    }
}
