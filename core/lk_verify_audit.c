// SPDX-License-Identifier: MIT
/*
 * lk_verify_audit.c: is a tenant's audit all there, in order, and as it was written?
 *
 * First the slots of each ring by their keys: one run, round the end of the ring or not, with room
 * before its oldest entry at most. Then the entries in order of seq: each has the chain value that
 * its bytes give, and its links are the chain values of what it follows in either ring.
 */
#include "lk_audit.h"

struct check_ring {
    struct lk_audit_ring layout;
    bool whole;                 /* no room: the oldest go for newer ones */
    bool begun;                 /* an entry of it was met */
    bool known;                 /* `link` is of the last one met, and it was sound */
    bool doubt;                 /* the oldest is damaged; it may as well be the newest */
    uint8_t link[LK_LINK_SIZE]; /* which the next must name */
};

struct audit_check {
    struct lk_txn *txn;
    struct lk_audit_place place;
    struct lk_audit_verify *verify;
    struct check_ring rings[LK_RING_COUNT];
    uint64_t last_seq, last_at;
    bool begun, damaged; /* an entry was met; one could not be read */
    bool reported;       /* what is damaged is reported by its own key */
    uint64_t faults;
};

static int check_fault(struct audit_check *check, const char *what, struct lk_id id)
{
    check->faults++;
    check->verify->fault_count++;
    return check->verify->on_fault ? check->verify->on_fault(check->verify->context, what, id) : 0;
}

/* ---- Slots ---- */

struct check_slots {
    uint32_t first, next; /* slots met: the first, and that after the last */
    uint32_t hole, holes; /* runs of empty slots between them; the slot after the last such */
    bool any;
};

static int check_slot(struct audit_check *check, struct lk_id id, struct check_slots *slots)
{
    if (id.sub >= check->place.capacity) {
        return check_fault(check, "audit entry in a slot past the last", id);
    }
    if (!slots->any) {
        slots->first = id.sub;
    } else if (id.sub != slots->next) {
        slots->holes++;
        slots->hole = id.sub;
    }
    slots->any = true;
    slots->next = id.sub + 1;
    return 0;
}

/* Empty slots are one run, and what follows it is the oldest entry. */
static int check_shape(struct audit_check *check, uint32_t ring, const struct check_slots *slots)
{
    struct check_ring *at = &check->rings[ring];
    uint32_t capacity = check->place.capacity, oldest = slots->first;
    int error;

    if (!slots->any) {
        return 0;
    }
    if (slots->holes > 1 || (slots->holes && (slots->first || slots->next < capacity))) {
        return check_fault(check, "audit slot is empty",
                           (struct lk_id){check->place.tenant, ring, slots->hole - 1});
    }
    error = lk_audit_ring(check->txn, check->place.tenant, ring, capacity, &at->layout);
    if (error) {
        return error;
    }
    if (slots->holes) {
        oldest = slots->hole;
    } else if (!slots->first && slots->next == capacity) {
        oldest = at->layout.first; /* no empty slot: anywhere */
        at->whole = true;
    }
    return at->layout.first == oldest
               ? 0
               : check_fault(
                     check, "audit slot is empty",
                     (struct lk_id){check->place.tenant, ring, oldest ? oldest - 1 : slots->next});
}

static int check_slots(struct audit_check *check, uint32_t ring)
{
    struct lk_txn *txn = check->txn;
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct check_slots slots = {0, 0, 0, 0, false};
    struct lk_storage_cursor cursor;
    struct lk_span found, value;
    struct lk_key prefix;
    const struct lk_kind *kind;
    struct lk_id id;
    int error, stop = 0;

    lk_key_of_user(&prefix, &lk_kind_audit, check->place.tenant, 0);
    lk_key_put_number(&prefix, ring);
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &found, &value);
    while (!error && !stop) {
        /* A key of no good form is reported as such. */
        if (!lk_key_parse(txn->store, found, &kind, &id)) {
            stop = check_slot(check, id, &slots);
        }
        if (!stop) {
            error = ops->next(&cursor, &found, &value);
        }
    }
    lk_cursor_end(&cursor);
    if (stop || (error && error != LK_E_NOT_FOUND)) {
        return stop ? stop : error;
    }
    return check_shape(check, ring, &slots);
}

/* ---- Entries ---- */

static bool check_is_none(const uint8_t link[LK_LINK_SIZE])
{
    static const uint8_t none[LK_LINK_SIZE];

    return memcmp(link, none, LK_LINK_SIZE) == 0;
}

/* What the first entry that is left of a ring follows: nothing, or what the tenant remembers. Where
 * newer entries take the oldest's place, anything. */
static bool check_first(const struct audit_check *check, uint32_t ring,
                        const uint8_t link[LK_LINK_SIZE])
{
    return check->rings[ring].whole || check->verify->from > 1 ||
           memcmp(link, check->place.gone[ring], LK_LINK_SIZE) == 0;
}

static int check_links(struct audit_check *check, uint32_t ring, const struct lk_audit_entry *entry)
{
    const struct check_ring *own = &check->rings[ring], *other = &check->rings[1 - ring];
    const uint8_t *links = entry->links.data;

    if (own->begun ? own->known && memcmp(links, own->link, LK_LINK_SIZE) != 0
                   : !check_first(check, ring, links)) {
        return check_fault(check, "audit entry does not follow the one before it in its ring",
                           entry->record.id);
    }
    links += LK_LINK_SIZE;
    /* Of the other ring the oldest may be gone; but it has had one when this says so. */
    if (other->begun ? other->known && memcmp(links, other->link, LK_LINK_SIZE) != 0
                     : !check_is_none(links) && !other->layout.count) {
        return check_fault(check, "audit entry does not follow the newest of the other ring",
                           entry->record.id);
    }
    return 0;
}

/* From the place on where each ring has begun, no number is missing. */
static bool check_all_begun(const struct audit_check *check)
{
    return check->begun && !check->damaged &&
           (check->rings[0].begun || !check->rings[0].layout.count) &&
           (check->rings[1].begun || !check->rings[1].layout.count);
}

static int check_entry(struct audit_check *check, struct lk_audit_entry *entry)
{
    struct lk_id id = entry->record.id;
    struct check_ring *own = &check->rings[id.user];
    uint8_t chain[LK_CHAIN_SIZE];
    int stop = 0, error;

    if (entry->chain.size != LK_CHAIN_SIZE || entry->links.size != 2 * LK_LINK_SIZE) {
        return check_fault(check, "audit entry is not chained", id);
    }
    error = lk_audit_chain(check->txn->store, id.tenant, id.user, entry->record.raw, chain);
    if (error) {
        return error;
    }
    check->verify->entry_count++;
    if (memcmp(chain, entry->chain.data, LK_CHAIN_SIZE) != 0) {
        stop = check_fault(check, "audit entry is not as it was written", id);
    } else if (check->begun && entry->seq <= check->last_seq) {
        stop = check_fault(check, "audit entry out of order", id);
    } else if (check_all_begun(check) && entry->seq != check->last_seq + 1) {
        stop = check_fault(check, "audit entries missing before this one", id);
    } else if (entry->at < check->last_at &&
               !lk_span_equal(entry->action, LK_TEXT(LK_AUDIT_EPOCH))) {
        stop = check_fault(check, "audit entry older than the one before", id);
    } else {
        stop = check_links(check, id.user, entry);
    }
    own->begun = true;
    own->known = !own->doubt || entry->seq != own->layout.newest.seq;
    memcpy(own->link, entry->chain.data, LK_LINK_SIZE);
    check->last_seq = entry->seq;
    check->last_at = entry->at;
    check->begun = true;
    return stop;
}

/* ---- An exported head ---- */

static int check_head(struct audit_check *check, uint32_t ring, const struct lk_audit_entry *entry,
                      bool *met)
{
    const struct lk_audit_heads *head = check->verify->head;

    if (!head || head->rings[ring].seq != entry->seq || entry->record.id.user != ring) {
        return 0;
    }
    met[ring] = true;
    return memcmp(head->rings[ring].chain, entry->chain.data, LK_CHAIN_SIZE) == 0
               ? 0
               : check_fault(check, "audit entry is not the one that the head names",
                             entry->record.id);
}

/* A head that was not met: the entry is too old to be here, or it was cut off. */
static int check_heads(struct audit_check *check, const uint64_t first[LK_RING_COUNT],
                       const bool *met)
{
    const struct lk_audit_heads *head = check->verify->head;
    uint32_t ring;
    int stop = 0;

    for (ring = 0; head && !stop && ring < LK_RING_COUNT; ring++) {
        if (head->rings[ring].seq && !met[ring] && head->rings[ring].seq >= check->verify->from &&
            (!first[ring] || head->rings[ring].seq >= first[ring])) {
            stop = check_fault(check, "audit entries were cut off: the head names one that is gone",
                               (struct lk_id){check->place.tenant, ring, 0});
        }
    }
    return stop;
}

/* What comes next cannot be held against it. */
static int check_damaged(struct audit_check *check, struct lk_id id)
{
    struct check_ring *ring = &check->rings[id.user];

    ring->doubt = ring->doubt || id.sub == ring->layout.first;
    ring->begun = true;
    ring->known = false;
    check->damaged = true;
    return check->reported ? 0 : check_fault(check, "audit entry is damaged", id);
}

static int check_chain(struct audit_check *check)
{
    struct lk_audit_query query = {.tenant = check->place.tenant,
                                   .oldest_first = true,
                                   .closed = true,
                                   .after_seq = check->verify->from ? check->verify->from - 1 : 0};
    uint64_t first[LK_RING_COUNT] = {0, 0};
    bool met[LK_RING_COUNT] = {false, false};
    struct lk_audit_entry entry;
    int error = lk_audit_begin(check->txn, &query), stop = 0;

    while (!error && !stop) {
        error = lk_audit_next(&query, &entry);
        if (error == LK_E_CORRUPT) {
            stop = check_damaged(check, entry.record.id);
            error = 0;
            continue;
        }
        if (!error) {
            uint32_t ring = entry.record.id.user;

            first[ring] = first[ring] ? first[ring] : entry.seq;
            stop = check_head(check, ring, &entry, met);
            stop = stop ? stop : check_entry(check, &entry);
        }
    }
    if (!stop && error == LK_E_NOT_FOUND) {
        stop = check_heads(check, first, met);
    }
    return stop ? stop : error;
}

static int audit_verify(struct lk_txn *txn, struct lk_audit_verify *verify, bool reported)
{
    struct audit_check check;
    uint32_t ring;
    int error = txn->open ? 0 : LK_E_STATE;

    memset(&check, 0, sizeof(check));
    check.txn = txn;
    check.verify = verify;
    check.reported = reported;
    verify->entry_count = verify->fault_count = 0;
    if (!error && verify->head &&
        (verify->head->tenant != verify->tenant ||
         memcmp(verify->head->store_id, txn->store->store_id, sizeof(txn->store->store_id)) != 0)) {
        error = LK_E_ARGUMENT;
    }
    if (!error) {
        error = lk_audit_place(txn, verify->tenant, &check.place);
    }
    for (ring = 0; !error && ring < LK_RING_COUNT; ring++) {
        error = check_slots(&check, ring);
    }
    /* The order can be told only of whole rings. */
    if (!error && !check.faults) {
        error = check_chain(&check);
        error = error == LK_E_NOT_FOUND ? 0 : error;
    }
    return error ? error : verify->fault_count ? LK_E_FAULTS : 0;
}

int lk_audit_verify(struct lk_txn *txn, struct lk_audit_verify *verify)
{
    return audit_verify(txn, verify, false);
}

int lk_audit_check(struct lk_txn *txn, uint32_t tenant,
                   int (*fault)(void *context, const char *what, struct lk_id id), void *context)
{
    struct lk_audit_verify verify = {.tenant = tenant, .on_fault = fault, .context = context};
    int error = audit_verify(txn, &verify, true);

    return error == LK_E_FAULTS ? 0 : error;
}
