// SPDX-License-Identifier: MIT
/*
 * lk_audit_fold.c: the same failure again is counted, not written again.
 *
 * The first goes into the ring at once and opens one of a few records beside it; those that are the
 * same only raise its count. It is closed by one entry with the count: when none came for a while,
 * after a day, or when another failure needs the record.
 */
#include "lk_audit.h"

#define FOLD_IDLE_MS 900000        /* without another: it is over */
#define FOLD_OPEN_MS LK_MS_PER_DAY /* longer than this nothing stays out of the chain */
#define FOLD_TUPLE   640           /* of what makes two failures the same, as CBOR */

static const struct lk_field *fold_field(unsigned number)
{
    return lk_field_numbered(&lk_kind_fold, number);
}

/* Who, what, to what, by what way, in which words; and from where when it is known who. */
static int fold_key(struct lk_txn *txn, uint32_t ring, const struct lk_audit_entry *entry,
                    uint8_t key[8])
{
    const struct lk_port *port = txn->store->port;
    uint8_t tuple[FOLD_TUPLE];
    struct lk_cbor_writer writer;
    size_t size;
    int error;

    lk_cbor_writer_init(&writer, tuple, sizeof(tuple));
    lk_cbor_put_array(&writer, 8);
    lk_cbor_put_uint(&writer, ring);
    lk_cbor_put_uint(&writer, entry->actor);
    lk_cbor_put_uint(&writer, entry->channel);
    lk_cbor_put_text(&writer, entry->action);
    lk_cbor_put_text(&writer, entry->resource_type);
    lk_cbor_put_text(&writer, entry->resource_id);
    lk_cbor_put_text(&writer, entry->description);
    lk_cbor_put_bytes(&writer, entry->actor ? entry->source_tag : LK_TEXT(""));
    error = lk_cbor_finish(&writer, &size);
    if (!error) {
        port->crypto->mac64(port->self, txn->store->fold_key, (struct lk_span){tuple, size}, key);
    }
    lk_wipe(txn->store, tuple, sizeof(tuple));
    return error;
}

static bool fold_due(const struct lk_txn *txn, const struct lk_audit_fold *fold)
{
    /* Counted under a clock that was set back since: nothing else would end it before that time. */
    return fold->entry.last_at > txn->now_ms ||
           lk_elapsed(txn->now_ms, fold->entry.last_at) >= FOLD_IDLE_MS ||
           (fold->entry.repeats && lk_elapsed(txn->now_ms, fold->entry.first_at) >= FOLD_OPEN_MS);
}

/* The record's fields are the entry's, under the same numbers but for two. */
static void fold_to_entry(const struct lk_audit_fold *fold, struct lk_audit_entry *entry)
{
    static const uint8_t numbers[] = {11, 12, 13, 14, 15, 16, 17, 18, 26, 27, 28};
    const struct lk_record *from = &fold->entry.record;
    size_t i;

    memset(entry, 0, sizeof(*entry));
    entry->record.id.tenant = from->id.tenant;
    for (i = 0; i < sizeof(numbers); i++) {
        const struct lk_field *field = lk_audit_field(numbers[i]);

        if (LK_HAS(from, numbers[i]) && lk_field_is_number(field)) {
            lk_field_set_number(&entry->record, field, lk_field_number(from, field));
        } else if (LK_HAS(from, numbers[i])) {
            lk_field_set_span(&entry->record, field, lk_field_span(from, field));
        }
    }
    lk_field_set_number(&entry->record, lk_audit_field(31), fold->entry.last_at);
    if (!LK_HAS(from, 16)) {
        lk_field_set_span(&entry->record, lk_audit_field(16), LK_TEXT("the same again"));
    }
}

/* Asked twice where it is damaged, since a medium may fail once. */
static int fold_load(struct lk_txn *txn, struct lk_id id, struct lk_audit_fold *fold)
{
    int error = lk_record_load(txn, &lk_kind_fold, id, &fold->entry.record);

    return error == LK_E_CORRUPT ? lk_record_load(txn, &lk_kind_fold, id, &fold->entry.record)
                                 : error;
}

/* Its count goes into the ring, if there is one; its record goes. */
static int fold_close(struct lk_txn *txn, struct lk_audit_place *place, uint32_t slot)
{
    struct lk_work *work = lk_work(txn);
    struct lk_id id = {place->tenant, 0, slot};
    struct lk_audit_fold fold;
    struct lk_audit_entry entry;
    struct lk_span cbor;
    struct lk_key key;
    int error = fold_load(txn, id, &fold);

    if (!error && fold.entry.record.raw.size > sizeof(work->sealed)) {
        error = LK_E_CORRUPT;
    }
    if (error) {
        /* None is open there; a damaged one is verify's business. */
        return error == LK_E_NOT_FOUND || error == LK_E_CORRUPT ? 0 : error;
    }
    cbor = fold.entry.record.raw;
    memcpy(work->sealed, cbor.data, cbor.size);
    cbor.data = work->sealed;
    error = lk_record_decode(&lk_kind_fold, cbor, &fold.entry.record);
    if (error) {
        return error;
    }
    lk_key_record(&key, &lk_kind_fold, id);
    error = txn->store->storage->ops->remove(&txn->storage, lk_key_span(&key));
    if (error || !fold.entry.repeats) {
        return error;
    }
    fold_to_entry(&fold, &entry);
    return lk_audit_put(
        txn, place, fold.entry.ring == LK_RING_ADMIN ? LK_RING_ADMIN : LK_RING_ACTIVITY, &entry, 0);
}

static int fold_count(struct lk_txn *txn, struct lk_audit_fold *fold)
{
    struct lk_record *record = &fold->entry.record;

    if (!fold->entry.repeats) {
        lk_field_set_number(record, fold_field(28), txn->now_ms);
    }
    lk_field_set_number(record, fold_field(27), fold->entry.repeats + 1);
    lk_field_set_number(record, fold_field(9), txn->now_ms);
    return lk_record_store(txn, &lk_kind_fold, record, lk_work(txn)->audit);
}

int lk_audit_fold(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring,
                  struct lk_audit_entry *entry, uint32_t *slot, bool *folded)
{
    uint64_t oldest = UINT64_MAX, lost = 0;
    struct lk_audit_fold fold;
    uint8_t key[8];
    uint32_t at;
    bool close = false;
    int error = fold_key(txn, ring, entry, key);

    *folded = false;
    for (at = 1; !error && at <= LK_AUDIT_FOLDS; at++) {
        error = fold_load(txn, (struct lk_id){place->tenant, 0, at}, &fold);
        if (!error && memcmp(fold.key.data, key, sizeof(key)) == 0) {
            if (!fold_due(txn, &fold)) {
                *folded = true;
                return fold_count(txn, &fold);
            }
            *slot = at;
            close = true;
            break;
        }
        /* A free place, a damaged one, or else the one that was idle longest. */
        if (error == LK_E_NOT_FOUND || error == LK_E_CORRUPT) {
            if (oldest) {
                *slot = at;
                lost = error == LK_E_CORRUPT;
            }
            oldest = 0;
            close = false;
            error = 0;
        } else if (!error && fold.entry.last_at < oldest) {
            *slot = at;
            oldest = fold.entry.last_at;
            close = true;
        }
    }
    if (lost && !close) {
        lk_field_set_number(&entry->record, lk_audit_field(29), lost);
    }
    return error || !close ? error : fold_close(txn, place, *slot);
}

int lk_audit_fold_open(struct lk_txn *txn, uint32_t ring, uint32_t slot,
                       const struct lk_audit_entry *entry, uint64_t personal)
{
    static const uint8_t numbers[] = {11, 12, 13, 14, 15, 16, 17, 18};
    struct lk_audit_fold fold;
    uint8_t key[8];
    size_t i;
    int error = fold_key(txn, ring, entry, key);

    memset(&fold, 0, sizeof(fold));
    fold.entry.record.id = (struct lk_id){entry->record.id.tenant, 0, slot};
    for (i = 0; i < sizeof(numbers); i++) {
        const struct lk_field *field = lk_audit_field(numbers[i]);

        if (!LK_HAS(&entry->record, numbers[i]) || personal & LK_BIT(numbers[i])) {
            continue;
        }
        if (lk_field_is_number(field)) {
            lk_field_set_number(&fold.entry.record, field, lk_field_number(&entry->record, field));
        } else {
            lk_field_set_span(&fold.entry.record, field, lk_field_span(&entry->record, field));
        }
    }
    if (entry->actor && entry->source_tag.size) {
        lk_field_set_span(&fold.entry.record, fold_field(26), entry->source_tag);
    }
    lk_field_set_span(&fold.entry.record, fold_field(8), (struct lk_span){key, sizeof(key)});
    lk_field_set_number(&fold.entry.record, fold_field(9), txn->now_ms);
    lk_field_set_number(&fold.entry.record, fold_field(32), ring);
    return error ? error
                 : lk_record_store(txn, &lk_kind_fold, &fold.entry.record, lk_work(txn)->audit);
}

int lk_audit_fold_next(struct lk_txn *txn, uint32_t tenant, uint32_t *slot,
                       struct lk_audit_entry *entry)
{
    struct lk_audit_fold fold;

    while (*slot && *slot <= LK_AUDIT_FOLDS) {
        struct lk_id id = {tenant, 0, (*slot)++};
        int error = fold_load(txn, id, &fold);

        if (!error && fold.entry.repeats) {
            fold_to_entry(&fold, entry);
            lk_field_set_number(&entry->record, lk_audit_field(9), fold.entry.last_at);
            lk_field_set_number(&entry->record, lk_audit_field(10), txn->clock);
            lk_field_set_number(&entry->record, lk_audit_field(40), fold.entry.ring);
            lk_field_set_number(&entry->record, lk_audit_field(41), true);
            return 0;
        }
        if (error && error != LK_E_NOT_FOUND) {
            return error;
        }
    }
    return LK_E_NOT_FOUND;
}

int lk_audit_fold_maintain(struct lk_txn *txn, const struct lk_audit_fold *fold)
{
    struct lk_id id = fold->entry.record.id;
    struct lk_audit_place place;
    int error;

    if (!fold_due(txn, fold)) {
        return 0;
    }
    error = lk_audit_place(txn, id.tenant, &place);
    if (!error) {
        error = fold_close(txn, &place, id.sub);
    }
    return lk_spoil(txn, error) ? error : 1;
}

int lk_audit_settle(struct lk_txn *txn, uint32_t tenant)
{
    struct lk_audit_place place;
    uint32_t slot;
    int error = txn->open && txn->mode == LK_WRITE ? 0 : LK_E_STATE;

    if (!error) {
        error = lk_audit_place(txn, tenant, &place);
    }
    for (slot = 1; !error && slot <= LK_AUDIT_FOLDS; slot++) {
        error = fold_close(txn, &place, slot);
    }
    return lk_spoil(txn, error);
}
