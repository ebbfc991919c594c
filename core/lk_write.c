// SPDX-License-Identifier: MIT
/*
 * lk_write.c: the one write path.
 *
 * load old -> apply -> checks -> references -> unique keys -> encode -> difference of index keys ->
 * put -> what follows -> audit entry, all in the caller's transaction. Everything that can refuse
 * comes before the first write, so a refusal leaves the transaction as it was.
 */
#include "lk_engine.h"

struct write_job {
    struct lk_txn *txn;
    struct lk_work *work;
    struct lk_change change;
    unsigned flags;
    struct lk_span entry; /* index entry in question */
    const struct lk_record *other;
    int error;
};

static bool write_equal(const struct lk_field *field, const struct lk_record *a,
                        const struct lk_record *b)
{
    if (LK_HAS(a, field->number) != LK_HAS(b, field->number)) {
        return false;
    }
    if (!LK_HAS(a, field->number)) {
        return true;
    }
    return lk_field_is_number(field)
               ? lk_field_number(a, field) == lk_field_number(b, field)
               : lk_span_equal(lk_field_span(a, field), lk_field_span(b, field));
}

static void write_clear(struct lk_record *record, const struct lk_field *field)
{
    if (lk_field_is_number(field)) {
        lk_field_set_number(record, field, field->initial);
    } else {
        lk_field_set_span(record, field, (struct lk_span){NULL, 0});
    }
    record->present &= ~LK_BIT(field->number);
}

/* Puts the caller's fields over the old ones. */
static int write_apply(struct write_job *job, const struct lk_record *patch, uint64_t clear)
{
    const struct lk_kind *kind = job->change.kind;
    struct lk_record *after = job->change.after;
    size_t i;

    for (i = 0; i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];
        bool gives = patch && LK_HAS(patch, field->number);
        bool clears = (clear >> field->number) & 1;

        if (field->flags & LK_F_COMPUTED || (!gives && !clears)) {
            continue;
        }
        if (gives && !clears && write_equal(field, patch, after)) {
            continue;
        }
        if (field->flags & LK_F_SYSTEM && !(job->flags & (LK_W_SYSTEM | LK_W_RESTORE))) {
            return lk_refuse(job->txn, LK_E_CHECK, kind, field->name, LK_TEXT(""),
                             "is set by the store only");
        }
        if (clears) {
            if (field->flags & LK_F_REQUIRED) {
                return lk_refuse(job->txn, LK_E_CHECK, kind, field->name, LK_TEXT(""),
                                 "is required");
            }
            write_clear(after, field);
        } else if (lk_field_is_number(field)) {
            lk_field_set_number(after, field, lk_field_number(patch, field));
        } else {
            struct lk_span span = lk_field_span(patch, field);

            if (field->flags & LK_F_CUT && span.size > field->max) {
                span.size = field->max;
                while (span.size && (span.data[span.size] & 0xC0) == 0x80) {
                    span.size--;
                }
            }
            lk_field_set_span(after, field, span);
        }
        if (job->change.before && field->flags & LK_F_FIXED && !(job->flags & LK_W_SYSTEM) &&
            !write_equal(field, job->change.before, after)) {
            return lk_refuse(job->txn, LK_E_CHECK, kind, field->name, LK_TEXT(""),
                             "cannot be changed once it is set");
        }
    }
    return 0;
}

static uint64_t write_differences(const struct lk_kind *kind, const struct lk_record *before,
                                  const struct lk_record *after)
{
    uint64_t changed = 0;
    size_t i;

    for (i = 0; i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (!(field->flags & LK_F_COMPUTED) &&
            (before ? !write_equal(field, before, after) : LK_HAS(after, field->number))) {
            changed |= LK_BIT(field->number);
        }
    }
    return changed;
}

static int write_check_fields(struct write_job *job)
{
    const struct lk_kind *kind = job->change.kind;
    size_t i;
    int error;

    for (i = 0; i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (field->flags & LK_F_COMPUTED ||
            (job->change.before && !((job->change.changed >> field->number) & 1))) {
            continue;
        }
        error = lk_check_field(job->txn, kind, field, job->change.after);
        if (error) {
            return error;
        }
    }
    return 0;
}

/* ---- Indexes ---- */

static int write_unique_entry(void *context, const struct lk_index *index, const struct lk_key *key,
                              struct lk_span value)
{
    struct write_job *job = context;
    const struct lk_kind *kind = job->change.kind;
    const struct lk_field *field;
    struct lk_span found;
    int error;

    if (!(index->flags & LK_I_UNIQUE) ||
        (job->change.before &&
         lk_index_has(job->txn->store, kind, job->change.before, lk_key_span(key)))) {
        return 0;
    }
    error = job->txn->store->storage->ops->get(&job->txn->storage, lk_key_span(key), &found);
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    if (lk_span_equal(found, value)) {
        return 0;
    }
    field = lk_field_numbered(kind, index->fields[index->fields[1] ? 1 : 0]);
    return lk_refuse(job->txn, LK_E_CONFLICT, kind, field->name,
                     field->type == LK_STRING ? lk_field_span(job->change.after, field)
                                              : LK_TEXT(""),
                     "is taken");
}

static int write_remove_entry(void *context, const struct lk_index *index, const struct lk_key *key,
                              struct lk_span value)
{
    struct write_job *job = context;
    int error;

    (void)index;
    (void)value;
    if (job->other &&
        lk_index_has(job->txn->store, job->change.kind, job->other, lk_key_span(key))) {
        return 0;
    }
    /* An entry that is not there was lost to damage; taking it away succeeds. */
    error = job->txn->store->storage->ops->remove(&job->txn->storage, lk_key_span(key));
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int write_put_entry(void *context, const struct lk_index *index, const struct lk_key *key,
                           struct lk_span value)
{
    struct write_job *job = context;

    (void)index;
    if (job->other &&
        lk_index_has(job->txn->store, job->change.kind, job->other, lk_key_span(key))) {
        return 0;
    }
    return job->txn->store->storage->ops->put(&job->txn->storage, lk_key_span(key), value);
}

static int write_indexes(struct write_job *job, const struct lk_record *before,
                         const struct lk_record *after)
{
    int error = 0;

    if (before) {
        job->other = after;
        error = lk_index_each(job->txn->store, job->change.kind, before, write_remove_entry, job);
    }
    if (!error && after) {
        job->other = before;
        error = lk_index_each(job->txn->store, job->change.kind, after, write_put_entry, job);
    }
    return error;
}

/* ---- The path ---- */

static int write_load_before(struct write_job *job)
{
    struct lk_key key;
    struct lk_span cbor;
    int error;

    lk_key_record(&key, job->change.kind, job->change.id);
    error = lk_value_get(job->txn, &key, &cbor);
    if (error) {
        return error;
    }
    memcpy(job->work->old_value, cbor.data, cbor.size);
    job->work->before.record.id = job->change.id;
    job->change.before = &job->work->before.record;
    return lk_record_decode(job->change.kind, (struct lk_span){job->work->old_value, cbor.size},
                            &job->work->before.record);
}

/* Where a record of this id would be, something must not be. */
static int write_check_free(struct write_job *job)
{
    struct lk_key key;
    struct lk_span value;
    int error;

    lk_key_record(&key, job->change.kind, job->change.id);
    error = job->txn->store->storage->ops->get(&job->txn->storage, lk_key_span(&key), &value);
    if (!error) {
        return lk_refuse(job->txn, LK_E_CONFLICT, job->change.kind, "id", LK_TEXT(""), "is taken");
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int write_new_id(struct write_job *job, struct lk_record *record)
{
    const struct lk_kind *kind = job->change.kind;
    uint32_t *number = lk_kind_number(kind, &job->change.id);
    uint32_t scope = kind->shape == LK_SHAPE_TENANT ? LK_STORE_TENANT : job->change.id.tenant;
    int error = 0;

    if (!(job->flags & LK_W_GIVEN_ID)) {
        error = lk_sequence_peek(job->txn, scope, kind, number);
    }
    if (!error) {
        error = write_check_free(job);
        /* A number that is taken although it was never given out: the sequence was damaged. */
        error = error == LK_E_CONFLICT && !(job->flags & LK_W_GIVEN_ID) ? LK_E_CORRUPT : error;
    }
    if (!error && lk_kind_is_numbered(kind)) {
        error = job->flags & LK_W_GIVEN_ID ? lk_sequence_raise(job->txn, scope, kind, *number)
                                           : lk_sequence_take(job->txn, scope, kind, *number);
    }
    if (!error) {
        record->id = job->change.id;
    }
    return error;
}

static void write_stamp(struct write_job *job)
{
    struct lk_record *after = job->change.after;
    const struct lk_txn *txn = job->txn;
    static const uint8_t first[] = {0, 1, 3, 5, 3, 0};
    unsigned number = first[job->change.operation];

    if (!(job->change.kind->flags & LK_K_AUDIT_FIELDS) ||
        job->flags & (LK_W_NO_STAMP | LK_W_RESTORE)) {
        return;
    }
    if (job->change.operation == LK_RESTORE) {
        after->present &= ~(LK_BIT(5) | LK_BIT(6));
        after->deleted_at = after->deleted_by = 0;
    }
    lk_field_set_number(after, &lk_audit_fields[number - 1], txn->now_ms);
    lk_field_set_number(after, &lk_audit_fields[number], txn->actor.user);
    /* An actor counts only inside its own tenant; the system is nobody. */
    if (!txn->actor.user || txn->actor.tenant != job->change.id.tenant) {
        after->present &= ~LK_BIT(number + 1);
        lk_field_set_number(after, &lk_audit_fields[number], 0);
        after->present &= ~LK_BIT(number + 1);
    }
    if (job->change.operation == LK_ADD) {
        lk_field_set_number(after, &lk_audit_fields[2], txn->now_ms);
    }
}

/* Encodes and reads back, so that every span of `after` lies in the work area. */
static int write_settle(struct write_job *job, size_t *size)
{
    const struct lk_kind *kind = job->change.kind;
    int error = lk_record_encode(kind, job->change.after, job->work->new_value,
                                 job->txn->store->value_max - LK_CHECKSUM_SIZE, size);

    if (error == LK_E_SPACE) {
        return lk_refuse(job->txn, LK_E_LIMIT, kind, NULL, LK_TEXT(""),
                         "is larger than a record may be in this store");
    }
    if (!error) {
        job->change.after->id = job->change.id;
        error = lk_record_decode(kind, (struct lk_span){job->work->new_value, *size},
                                 job->change.after);
    }
    return error;
}

static int write_finish(struct write_job *job, const char *verb)
{
    struct lk_change *change = &job->change;
    int error = 0;

    /* First what follows: a tenant's rings get their new capacity before the entry is written. */
    if (change->kind->changed && !(job->flags & (LK_W_RESTORE | LK_W_SETTLED))) {
        struct lk_change after = *change;

        after.before = after.after = NULL;
        error = change->kind->changed(job->txn, &after);
    }
    if (!error && !(job->flags & LK_W_QUIET) && !job->txn->summary) {
        error = lk_audit_change(job->txn, change, verb);
    }
    return error;
}

/* What is part of another operation was allowed with it. */
static int write_check_allowed(struct write_job *job)
{
    int error;

    if (job->flags & LK_W_SETTLED) {
        return 0;
    }
    error = job->flags & LK_W_QUIET ? 0 : lk_hold_change(job->txn, &job->change);
    return error ? error : lk_protect_change(job->txn, &job->change);
}

static int write_purge(struct write_job *job, const char *verb)
{
    struct lk_key key;
    int error = lk_refer_restricted(job->txn, &job->change);

    if (!error) {
        error = write_check_allowed(job);
    }
    if (error) {
        return error;
    }
    lk_key_record(&key, job->change.kind, job->change.id);
    error = job->change.before ? write_indexes(job, job->change.before, NULL)
                               : lk_purge_entries(job->txn, job->change.kind, job->change.id);
    if (!error) {
        error = job->txn->store->storage->ops->remove(&job->txn->storage, lk_key_span(&key));
    }
    job->change.after = NULL;
    job->txn->store->flags |= LK_STORE_SCRUB_DUE;
    return lk_spoil(job->txn, error ? error : write_finish(job, verb));
}

/* An exported record's audit fields. */
static int write_take_stamps(struct write_job *job, const struct lk_record *record)
{
    size_t i;
    int error = 0;

    for (i = 0; !error && record && job->change.kind->flags & LK_K_AUDIT_FIELDS &&
                i < LK_AUDIT_FIELD_COUNT;
         i++) {
        const struct lk_field *field = &lk_audit_fields[i];

        if (LK_HAS(record, field->number)) {
            error = lk_check_field(job->txn, job->change.kind, field, record);
            lk_field_set_number(job->change.after, field, lk_field_number(record, field));
        }
    }
    return error;
}

/* The rules over several fields or records that hold in whatever order records are put back. */
static int write_check_restored(struct write_job *job)
{
    struct lk_change *change = &job->change, again = *change;

    if (change->kind == &lk_kind_grant &&
        ((const struct lk_grant *)change->after)->role != change->id.sub) {
        return lk_refuse(job->txn, LK_E_CHECK, change->kind, "role", LK_TEXT(""),
                         "is not the role that the grant is filed under");
    }
    if (change->kind == &lk_kind_user || change->kind == &lk_kind_tenant ||
        change->kind == &lk_kind_credential) {
        return change->kind->check(job->txn, change);
    }
    if (change->kind == &lk_kind_permission && !LK_HAS(change->after, 5)) {
        again.operation = LK_RESTORE;
        return lk_permission_check_change(job->txn, &again);
    }
    /* A role may come after those below it, as one that was removed may come back. */
    if (change->kind == &lk_kind_role && !LK_HAS(change->after, 5)) {
        again.operation = LK_RESTORE;
        return lk_role_check_change(job->txn, &again);
    }
    return 0;
}

static int write_prepare(struct write_job *job, struct lk_record *record, uint64_t clear)
{
    struct lk_change *change = &job->change;
    int error = 0;

    change->after = &job->work->after.record;
    if (change->before) {
        memcpy(change->after, change->before, change->kind->size);
    } else {
        memset(&job->work->after, 0, sizeof(job->work->after));
        change->after->id = change->id;
        if (record) {
            change->after->raw = record->raw;
        }
    }
    if (change->operation == LK_ADD || change->operation == LK_UPDATE) {
        error = write_apply(job, record, clear);
        if (error) {
            return error;
        }
    }
    change->changed = write_differences(change->kind, change->before, change->after);
    error = write_check_fields(job);
    if (job->flags & LK_W_RESTORE) {
        error = error ? error : write_take_stamps(job, record);
        return error ? error : write_check_restored(job);
    }
    if (!error && change->kind->check) {
        error = change->kind->check(job->txn, change);
        change->changed = write_differences(change->kind, change->before, change->after);
    }
    if (!error && !(job->flags & LK_W_UPKEEP)) {
        error = lk_refer_check(job->txn, change);
    }
    if (!error && change->operation == LK_REMOVE) {
        error = lk_refer_restricted(job->txn, &job->change);
    }
    return error;
}

int lk_write(struct lk_txn *txn, const struct lk_kind *kind, enum lk_operation operation,
             struct lk_id id, struct lk_record *record, uint64_t clear, const char *verb,
             unsigned flags)
{
    struct write_job job = {
        .txn = txn, .change = {.kind = kind, .operation = operation, .id = id}, .flags = flags};
    struct lk_key key;
    size_t size;
    int error = 0;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    job.work = lk_work(txn);
    if (operation != LK_ADD) {
        error = write_load_before(&job);
        if (error == LK_E_CORRUPT && operation == LK_PURGE) {
            /* What is damaged can still be taken away. */
            job.change.before = NULL;
            error = 0;
        }
        if (!error && operation != LK_PURGE && operation != LK_RESTORE && !(flags & LK_W_UPKEEP) &&
            LK_HAS(job.change.before, 5)) {
            error = LK_E_NOT_FOUND;
        }
        if (!error && operation == LK_RESTORE && !LK_HAS(job.change.before, 5)) {
            error = lk_refuse(txn, LK_E_CHECK, kind, NULL, LK_TEXT(""), "was not removed");
        }
    }
    if (error) {
        return error;
    }
    if (operation == LK_PURGE) {
        return write_purge(&job, verb);
    }
    if (operation == LK_ADD && !(flags & LK_W_SETTLED)) {
        error = lk_refer_owner(txn, &job.change, (flags & LK_W_RESTORE) != 0);
    }
    if (!error) {
        error = write_prepare(&job, record, clear);
    }
    if (error || (operation == LK_UPDATE && !job.change.changed)) {
        return error;
    }
    error = write_check_allowed(&job);
    if (error) {
        return error;
    }
    write_stamp(&job);
    error = write_settle(&job, &size);
    if (!error) {
        error = lk_index_each(txn->store, kind, job.change.after, write_unique_entry, &job);
    }
    if (!error && operation == LK_ADD) {
        error = write_new_id(&job, record);
        job.change.after->id = job.change.id;
    }
    if (error) {
        return error;
    }
    lk_key_record(&key, kind, job.change.id);
    error = lk_value_put(txn, &key, job.work->new_value, size);
    if (!error) {
        error = write_indexes(&job, job.change.before, job.change.after);
    }
    return lk_spoil(txn, error ? error : write_finish(&job, verb));
}

int lk_drop(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id)
{
    struct write_job job = {.txn = txn, .change = {.kind = kind, .id = id}};
    struct lk_key key;
    int error;

    job.work = lk_work(txn);
    error = write_load_before(&job);
    if (!error) {
        error = write_indexes(&job, job.change.before, NULL);
    } else if (error == LK_E_CORRUPT && !kind->index_count) {
        error = 0;
    }
    lk_key_record(&key, kind, id);
    return error ? error : txn->store->storage->ops->remove(&txn->storage, lk_key_span(&key));
}
