// SPDX-License-Identifier: MIT
/*
 * lk_counter.c: an older copy of the whole store, put back, is told by a counter in hardware.
 *
 * The store's record keeps a number. A commit raises it to one above the counter; the counter
 * follows in a later write, when that commit is surely on the medium, and under the writer's lock.
 * So the number is the counter's or one more, and a cut in between is no fault; an image from
 * before the last step has less. It is raised by the first write of a handle, then once in a while:
 * what is put back from within that time is not noticed.
 */
#include "lk_engine.h"

#define COUNTER_GRAIN_MS 600000 /* counters wear out */

int lk_counter_check(struct lk_store *store, const struct lk_meta *meta)
{
    const struct lk_port *port = store->port;
    uint64_t count = 0;
    int error = port->counter ? port->counter->read(port->self, &count) : 0;

    store->flags |= LK_STORE_COUNT_DUE;
    if (error || !port->counter || meta->counter == count || meta->counter == count + 1) {
        return error;
    }
    if (!(store->flags & LK_STORE_ROLLBACK_OK)) {
        return LK_E_ROLLBACK;
    }
    store->flags |= LK_STORE_ROLLED_BACK;
    return 0;
}

static int counter_audit(struct lk_txn *txn)
{
    struct lk_audit_entry entry;
    const struct lk_kind *kind = &lk_kind_audit;

    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT("store.rollback"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("store"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16),
                      LK_TEXT("an older copy of the store was put back, and accepted"));
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 17), LK_CATEGORY_SYSTEM);
    return lk_audit_append(txn, LK_STORE_TENANT, LK_RING_ADMIN, &entry);
}

int lk_counter_commit(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    const struct lk_port *port = store->port;
    bool accepted = (store->flags & LK_STORE_ROLLED_BACK) != 0;
    uint64_t count;
    int error;

    if (!port->counter || !(store->flags & LK_STORE_LOADED)) {
        return 0;
    }
    if (!(store->flags & LK_STORE_COUNT_DUE) &&
        lk_elapsed(txn->monotonic_ms, store->counted_at) < COUNTER_GRAIN_MS &&
        store->meta.counter == store->counted) {
        return 0;
    }
    error = port->counter->read(port->self, &count);
    if (!error && !accepted && store->meta.counter == count + 1) {
        /* What an earlier commit said is on the medium. */
        error = port->counter->advance(port->self, &count);
    }
    if (!error && accepted) {
        error = counter_audit(txn);
    }
    if (error) {
        return error;
    }
    store->counted = store->meta.counter;
    if (!accepted && !(store->flags & LK_STORE_COUNT_DUE) &&
        lk_elapsed(txn->monotonic_ms, store->counted_at) < COUNTER_GRAIN_MS) {
        return 0;
    }
    store->meta.counter = count + 1;
    error = lk_clock_save(txn, true);
    if (!error) {
        store->counted_at = txn->monotonic_ms;
        store->flags &= ~(uint32_t)(LK_STORE_COUNT_DUE | LK_STORE_ROLLED_BACK);
    }
    return error;
}
