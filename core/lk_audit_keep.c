// SPDX-License-Identifier: MIT
/*
 * lk_audit_keep.c: how long entries are kept, and the archive that they wait for.
 *
 * What a tenant keeps is no less when its rings are made smaller: of the administrative one nothing
 * goes that retention would not take.
 *
 * Entries go at the old end only, by whole days, and only by a clock that is synchronised. The
 * newest of each ring stays, so that the chain goes on. What the oldest then follows is noted in
 * the tenant's record: a ring that begins with anything else was cut.
 */
#include "lk_audit.h"

/* Four fifths: the ring is nearly full where the entry so far back was not archived. */
static uint32_t keep_back(const struct lk_audit_place *place)
{
    return (uint32_t)((uint64_t)place->capacity * 4 / 5) - 1;
}

static int keep_peek(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                     uint32_t slot, uint32_t back, struct lk_audit_slot *found)
{
    int error = lk_audit_peek(txn, place->tenant, ring,
                              (slot + place->capacity - back) % place->capacity, found);

    return error == LK_SLOT_DAMAGED ? 0 : error;
}

int lk_audit_crossed(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                     uint32_t slot, bool *crossed)
{
    struct lk_audit_slot at, before;
    int error = keep_peek(txn, place, ring, slot, keep_back(place), &at);

    /* The one before it was archived, or is none. */
    if (!error) {
        error = keep_peek(txn, place, ring, slot, keep_back(place) + 1, &before);
    }
    *crossed = !error && at.seq > place->archived && before.seq <= place->archived;
    return error;
}

int lk_audit_over(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring, bool *over)
{
    struct lk_audit_slot newest, at;
    uint32_t slot;
    int error = lk_audit_bisect(txn, place->tenant, ring, place->capacity, &slot, &newest);

    if (!error) {
        error = keep_peek(txn, place, ring, slot, keep_back(place), &at);
    }
    *over = !error && newest.seq && at.seq > place->archived;
    return error;
}

struct keep_job {
    struct lk_audit_place place;
    uint64_t before; /* entries older than this go */
    uint32_t left;   /* of the budget */
    uint64_t last;   /* the highest seq that went */
    bool more;
};

/* Entries of before this are past their retention; 0: none is. */
static uint64_t keep_since(const struct lk_txn *txn, uint64_t days)
{
    if (txn->clock != LK_CLOCK_SYNCED || !days || txn->now_ms < days * LK_MS_PER_DAY) {
        return 0;
    }
    return (txn->now_ms / LK_MS_PER_DAY - days) * LK_MS_PER_DAY;
}

static bool keep_holds(const struct keep_job *job, const struct lk_audit_slot *found)
{
    return found->at >= job->before || (job->place.archive && found->seq > job->place.archived);
}

/* How many of the oldest go, the newest not among them. */
static int keep_count(struct lk_txn *txn, struct keep_job *job, uint32_t number,
                      const struct lk_audit_ring *ring, uint32_t *count)
{
    struct lk_audit_slot found;
    uint32_t i;
    int error = 0;

    *count = 0;
    for (i = 0; error >= 0 && i + 1 < ring->count; i++) {
        error = lk_audit_peek(txn, job->place.tenant, number, (ring->first + i) % ring->capacity,
                              &found);
        if (error) {
            continue; /* a damaged one goes with the next that does */
        }
        if (keep_holds(job, &found)) {
            break;
        }
        if (i >= job->left) {
            job->more = true;
            break;
        }
        *count = i + 1;
        job->last = found.seq > job->last ? found.seq : job->last;
    }
    return error < 0 ? error : 0;
}

static int keep_ring(struct lk_txn *txn, struct keep_job *job, uint32_t number)
{
    struct lk_audit_ring ring;
    uint32_t i, count = 0;
    int error = lk_audit_ring(txn, job->place.tenant, number, job->place.capacity, &ring);

    if (!error) {
        error = keep_count(txn, job, number, &ring, &count);
    }
    for (i = 0; !error && i < count; i++) {
        error = lk_audit_take(txn, job->place.tenant, number, (ring.first + i) % ring.capacity);
    }
    job->left -= count;
    return error || !count ? error : lk_audit_note_gone(txn, &job->place, number);
}

static int keep_tell(struct lk_txn *txn, const struct keep_job *job)
{
    struct lk_audit_entry entry;
    char text[80];
    struct lk_words words = {text, 0, sizeof(text)};

    lk_words_add(&words, "entries past their retention taken out, the last of them ");
    lk_words_add_number(&words, job->last);
    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_audit_field(12), LK_TEXT("audit.expire"));
    lk_field_set_span(&entry.record, lk_audit_field(13), LK_TEXT("audit"));
    lk_field_set_span(&entry.record, lk_audit_field(16), lk_words_span(&words));
    lk_field_set_number(&entry.record, lk_audit_field(17), LK_CATEGORY_SYSTEM);
    return lk_audit_append(txn, job->place.tenant, LK_RING_ADMIN, &entry);
}

int lk_audit_expire(struct lk_txn *txn, uint32_t tenant, uint32_t budget, bool *more)
{
    struct keep_job job = {.left = budget};
    struct lk_tenant record;
    uint32_t ring;
    int error;

    *more = false;
    if (txn->clock != LK_CLOCK_SYNCED) {
        return 0;
    }
    error = lk_record_load(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);
    job.before = error ? 0 : keep_since(txn, record.audit_days);
    if (error || !job.before) {
        return error;
    }
    error = lk_audit_place(txn, tenant, &job.place);
    for (ring = 0; !error && ring < LK_RING_COUNT; ring++) {
        error = keep_ring(txn, &job, ring);
    }
    if (!error && job.last) {
        txn->store->flags |= LK_STORE_SCRUB_DUE;
    }
    if (!error && job.last && !job.more) {
        error = keep_tell(txn, &job);
    }
    *more = job.more;
    return lk_spoil(txn, error) ? error : job.last ? 1 : 0;
}

int lk_audit_check_resize(struct lk_txn *txn, const struct lk_change *change)
{
    const struct lk_tenant *before = (const struct lk_tenant *)change->before;
    const struct lk_tenant *after = (const struct lk_tenant *)change->after;
    uint32_t capacity = (uint32_t)before->audit_capacity, i;
    struct keep_job job = {.left = 0};
    struct lk_audit_slot found;
    struct lk_audit_ring ring;
    int error;

    job.place.archive = after->audit_archive;
    job.place.archived = after->audit_archived;
    job.before =
        keep_since(txn, LK_HAS(&after->record, 20) ? after->audit_days
                                                   : lk_field_numbered(change->kind, 20)->initial);
    if (after->audit_capacity >= capacity) {
        return 0;
    }
    error = lk_audit_ring(txn, change->id.tenant, LK_RING_ADMIN, capacity, &ring);
    for (i = 0; error >= 0 && i + after->audit_capacity < ring.count; i++) {
        error = lk_audit_peek(txn, change->id.tenant, LK_RING_ADMIN,
                              (ring.first + i) % ring.capacity, &found);
        if (!error && found.seq && keep_holds(&job, &found)) {
            return lk_refuse(txn, LK_E_CHECK, change->kind, "audit_capacity", LK_TEXT(""),
                             "would drop administrative entries that are still to be kept");
        }
    }
    return error < 0 ? error : 0;
}

int lk_audit_archived(struct lk_txn *txn, uint32_t tenant, uint64_t seq)
{
    struct lk_audit_heads heads;
    struct lk_tenant patch;
    uint32_t ring;
    bool there = false;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error && tenant == LK_STORE_TENANT) {
        error = LK_E_ARGUMENT;
    }
    if (!error) {
        error = lk_audit_heads(txn, tenant, &heads);
    }
    for (ring = 0; !error && ring < LK_RING_COUNT; ring++) {
        there = there || heads.rings[ring].seq >= seq;
    }
    if (!error && !there) {
        error = LK_E_ARGUMENT;
    }
    if (error) {
        return error;
    }
    memset(&patch, 0, sizeof(patch));
    lk_set_number(&lk_kind_tenant, &patch.record, "audit_archived", seq);
    return lk_write(txn, &lk_kind_tenant, LK_UPDATE, (struct lk_id){tenant, 0, 0}, &patch.record, 0,
                    "audit.archive", LK_W_SYSTEM);
}
