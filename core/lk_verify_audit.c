// SPDX-License-Identifier: MIT
/*
 * lk_verify_audit.c: is a tenant's audit all there, and in order?
 *
 * First the slots of each ring by their keys: they are a run from 0, below the capacity. Then the
 * entries in order of seq. A ring loses its oldest entries only, so from the place on where each
 * ring has begun, no number is missing.
 */
#include "lk_engine.h"

struct audit_check {
    struct lk_txn *txn;
    uint32_t tenant, capacity;
    int (*fault)(void *context, const char *what, struct lk_id id);
    void *context;
    unsigned faults;
};

static int check_fault(struct audit_check *check, const char *what, struct lk_id id)
{
    check->faults++;
    return check->fault(check->context, what, id);
}

static int check_slot(struct audit_check *check, struct lk_id id, uint32_t expected)
{
    if (id.sub >= check->capacity) {
        return check_fault(check, "audit entry in a slot past the last", id);
    }
    return id.sub == expected ? 0
                              : check_fault(check, "audit slot is empty",
                                            (struct lk_id){check->tenant, id.user, expected});
}

/* `used` gets the number of slots that the ring has filled. */
static int check_slots(struct audit_check *check, uint32_t ring, uint32_t *used)
{
    struct lk_txn *txn = check->txn;
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span found, value;
    struct lk_key prefix;
    const struct lk_kind *kind;
    struct lk_id id;
    int error, stop = 0;

    *used = 0;
    lk_key_of_user(&prefix, &lk_kind_audit, check->tenant, 0);
    lk_key_put_number(&prefix, ring);
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &found, &value);
    while (!error && !stop) {
        /* A key of no good form is reported as such. */
        if (!lk_key_parse(txn->store, found, &kind, &id)) {
            stop = check_slot(check, id, *used);
            *used = id.sub + 1;
        }
        if (!stop) {
            error = ops->next(&cursor, &found, &value);
        }
    }
    lk_cursor_end(&cursor);
    return stop ? stop : error == LK_E_NOT_FOUND ? 0 : error;
}

/* A ring goes round only when it is full; `begins` gets its oldest seq, 0 where it is empty. */
static int check_round(struct audit_check *check, uint32_t ring, uint32_t used, uint64_t *begins)
{
    uint64_t seq = 0;
    uint32_t head;
    int error;

    *begins = 0;
    if (!used) {
        return 0;
    }
    error = lk_audit_bisect(check->txn, check->tenant, ring, used, &head, &seq);
    if (!error) {
        error = lk_audit_seq(check->txn, check->tenant, ring, (head + 1) % used, begins);
    }
    if (error == LK_SLOT_DAMAGED) {
        *begins = UINT64_MAX; /* nobody knows: no number is missed */
        return 0;
    }
    if (!error && head + 1 < used && used < check->capacity) {
        return check_fault(check, "audit slot is empty", (struct lk_id){check->tenant, ring, used});
    }
    return error;
}

static int check_order(struct audit_check *check, uint64_t begins)
{
    struct lk_audit_query query = {.tenant = check->tenant, .oldest_first = true};
    struct lk_audit_entry entry;
    uint64_t last_seq = 0, last_at = 0;
    int error = lk_audit_begin(check->txn, &query), stop = 0;

    while (!error && !stop) {
        error = lk_audit_next(&query, &entry);
        if (error == LK_E_CORRUPT) {
            /* Reported by its own key. Its number is not to be missed. */
            begins = UINT64_MAX;
            error = 0;
            continue;
        }
        if (error) {
            break;
        }
        if (entry.seq <= last_seq) {
            stop = check_fault(check, "audit entry out of order", entry.record.id);
        } else if (last_seq >= begins && last_seq && entry.seq != last_seq + 1) {
            stop = check_fault(check, "audit entries missing before this one", entry.record.id);
        } else if (entry.at < last_at && !lk_span_equal(entry.action, LK_TEXT(LK_AUDIT_EPOCH))) {
            stop = check_fault(check, "audit entry older than the one before", entry.record.id);
        }
        last_seq = entry.seq;
        last_at = entry.at;
    }
    return stop ? stop : error;
}

int lk_audit_verify(struct lk_txn *txn, uint32_t tenant,
                    int (*fault)(void *context, const char *what, struct lk_id id), void *context)
{
    struct audit_check check = {
        .txn = txn, .tenant = tenant, .fault = fault, .context = context, .faults = 0};
    uint32_t used[LK_RING_COUNT], ring;
    uint64_t begins = 0, first;
    int error = lk_audit_capacity(txn, tenant, &check.capacity);

    for (ring = 0; !error && ring < LK_RING_COUNT; ring++) {
        error = check_slots(&check, ring, &used[ring]);
    }
    /* Where the newest entry is, and the order, can be told only of whole rings. */
    for (ring = 0; !error && !check.faults && ring < LK_RING_COUNT; ring++) {
        error = check_round(&check, ring, used[ring], &first);
        begins = first > begins ? first : begins;
    }
    if (!error && !check.faults) {
        error = check_order(&check, begins);
    }
    if (error == LK_E_CORRUPT) {
        error = check_fault(&check, "audit ring with a gap", (struct lk_id){tenant, 0, 0});
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}
