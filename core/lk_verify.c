// SPDX-License-Identifier: MIT
/*
 * lk_verify.c: is the store what it should be?
 *
 * One pass over every key. A record: checksum, form, fields, owner, and each index entry it should
 * have. An index entry: the record it names should have it. Then what follows from other records:
 * compiled roles, roles of users, order of the audit rings.
 */
#include "lk_engine.h"

struct verify_job {
    struct lk_txn *txn;
    struct lk_verify *verify;
    struct lk_span key;
    const struct lk_kind *kind;
    struct lk_id id;
    int stop;
};

static int verify_fault(struct verify_job *job, const char *what, const char *name)
{
    struct lk_fault_report report = {.what = what, .kind = name, .id = job->id, .key = job->key};

    job->verify->fault_count++;
    if (job->verify->on_fault && !job->stop) {
        job->stop = job->verify->on_fault(job->verify->context, &report);
    }
    return job->stop;
}

static int verify_entry_is_there(void *context, const struct lk_index *index,
                                 const struct lk_key *key, struct lk_span value)
{
    struct verify_job *job = context;
    struct lk_span found;
    int error = job->txn->store->storage->ops->get(&job->txn->storage, lk_key_span(key), &found);

    if (error == LK_E_NOT_FOUND) {
        return verify_fault(job, "index entry is missing", index->name);
    }
    if (error) {
        return error;
    }
    return lk_span_equal(found, value)
               ? 0
               : verify_fault(job, "index entry names another record", index->name);
}

static int verify_fields(struct verify_job *job, const struct lk_record *record)
{
    size_t i;

    for (i = 0; i < job->kind->field_count; i++) {
        const struct lk_field *field = &job->kind->fields[i];

        if (!(field->flags & LK_F_COMPUTED) && lk_check_field(job->txn, job->kind, field, record)) {
            memset(&job->txn->problem, 0, sizeof(job->txn->problem));
            if (verify_fault(job, "field breaks its rule", field->name)) {
                return job->stop;
            }
        }
    }
    return 0;
}

static int verify_owner(struct verify_job *job)
{
    struct lk_key key;
    struct lk_span value;
    int error = 0;

    if (job->kind->shape == LK_SHAPE_OF_USER || job->kind->shape == LK_SHAPE_ONE_A_USER) {
        lk_key_record(&key, &lk_kind_user, (struct lk_id){job->id.tenant, job->id.user, 0});
        error = job->txn->store->storage->ops->get(&job->txn->storage, lk_key_span(&key), &value);
    } else if (job->kind->shape != LK_SHAPE_TENANT && job->id.tenant != LK_STORE_TENANT) {
        lk_key_record(&key, &lk_kind_tenant, (struct lk_id){job->id.tenant, 0, 0});
        error = job->txn->store->storage->ops->get(&job->txn->storage, lk_key_span(&key), &value);
    }
    return error == LK_E_NOT_FOUND ? verify_fault(job, "record has no owner", job->kind->name)
                                   : error;
}

static int verify_compiled(struct verify_job *job, struct lk_span compiled)
{
    uint8_t bits[LK_PERMISSION_BYTES], stored[LK_PERMISSION_BYTES];
    size_t size, stored_size = compiled.size;
    int error;

    if (stored_size > sizeof(stored)) {
        return verify_fault(job, "compiled permissions are too long", "role");
    }
    if (stored_size) {
        memcpy(stored, compiled.data, stored_size);
    }
    error = lk_role_compile(job->txn, job->id.tenant, job->id.sub, bits, &size);
    if (!error && (size != stored_size || memcmp(bits, stored, size) != 0)) {
        return verify_fault(job, "compiled permissions are not those of the role", "role");
    }
    return error;
}

static int verify_grants(struct verify_job *job, struct lk_span roles)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = {job->id.tenant, job->id.user, 0}};
    uint32_t want[LK_GRANT_MAX], count = 0, i = 0, number;
    struct lk_refs refs;
    struct lk_grant grant;
    int error;

    lk_refs_begin(&refs, roles);
    while (count < LK_GRANT_MAX && lk_refs_next(&refs, &number)) {
        want[count++] = number;
    }
    error = lk_list_begin(job->txn, &list);
    while (!error) {
        error = lk_list_next(&list, &grant.record);
        if (!error && (i >= count || want[i++] != grant.record.id.sub)) {
            i = LK_GRANT_MAX + 1;
            break;
        }
    }
    lk_list_end(&list);
    if (error && error != LK_E_NOT_FOUND) {
        return error == LK_E_CORRUPT ? 0 : error; /* the grant itself is reported */
    }
    return i != count ? verify_fault(job, "roles are not those granted", "user") : 0;
}

static int verify_audit_fault(void *context, const char *what, struct lk_id id)
{
    struct verify_job *job = context;

    job->id = id;
    return verify_fault(job, what, "audit");
}

/* What follows from other records. */
static int verify_meaning(struct verify_job *job, const struct lk_record *record)
{
    switch (job->kind->number) {
    case LK_KIND_ROLE:
        return LK_HAS(record, 5) ? 0
                                 : verify_compiled(job, ((const struct lk_role *)record)->compiled);
    case LK_KIND_USER: return verify_grants(job, ((const struct lk_user *)record)->roles);
    case LK_KIND_TENANT: return lk_audit_verify(job->txn, job->id.tenant, verify_audit_fault, job);
    default: return 0;
    }
}

static int verify_record(struct verify_job *job, struct lk_span value)
{
    union lk_any_record record;
    struct lk_span cbor;
    int error;

    job->verify->record_count++;
    if (lk_value_open(job->txn->store, job->key, value, &cbor)) {
        return verify_fault(job, "checksum does not hold", job->kind->name);
    }
    record.record.id = job->id;
    if (lk_cbor_check(cbor) || lk_record_decode(job->kind, cbor, &record.record)) {
        return verify_fault(job, "record is not well-formed", job->kind->name);
    }
    error = verify_fields(job, &record.record);
    if (!error) {
        error =
            lk_index_each(job->txn->store, job->kind, &record.record, verify_entry_is_there, job);
    }
    if (!error) {
        error = verify_owner(job);
    }
    return error ? error : verify_meaning(job, &record.record);
}

static const struct lk_index *verify_find_index(struct verify_job *job, uint8_t number,
                                                struct lk_span rest)
{
    const struct lk_kind *const *lists[2] = {lk_kinds, job->txn->store->kinds};
    size_t i, n;

    if (number == LK_INDEX_DELETED) {
        job->kind = rest.size ? lk_store_kind_numbered(job->txn->store, rest.data[0]) : NULL;
        return job->kind ? &lk_index_deleted : NULL;
    }
    for (i = 0; i < LK_COUNT(lists); i++) {
        const struct lk_kind *const *at;

        for (at = lists[i]; at && *at; at++) {
            for (n = 0; n < (*at)->index_count; n++) {
                if ((*at)->indexes[n].number == number) {
                    job->kind = *at;
                    return &(*at)->indexes[n];
                }
            }
        }
    }
    return NULL;
}

static int verify_entry(struct verify_job *job, struct lk_span rest, struct lk_span value)
{
    union lk_any_record record;
    const struct lk_index *index;
    int error;

    job->verify->index_count++;
    index = rest.size < 2 ? NULL
                          : verify_find_index(job, rest.data[1],
                                              (struct lk_span){rest.data + 2, rest.size - 2});
    if (!index || lk_index_entry_id(job->kind, index, job->key, value, &job->id)) {
        return verify_fault(job, "index entry is not well-formed", index ? index->name : NULL);
    }
    error = lk_record_load(job->txn, job->kind, job->id, &record.record);
    if (error == LK_E_NOT_FOUND) {
        return verify_fault(job, "index entry names no record", index->name);
    }
    if (error) {
        return error == LK_E_CORRUPT ? 0 : error; /* the record itself is reported */
    }
    return lk_index_has(job->txn->store, job->kind, &record.record, job->key)
               ? 0
               : verify_fault(job, "index entry is not its record's", index->name);
}

static int verify_key(struct verify_job *job, struct lk_span value)
{
    struct lk_span rest = job->key;
    uint32_t tenant;

    job->id = (struct lk_id){0, 0, 0};
    if (lk_key_take_u32(&rest, &tenant) || rest.size < 2) {
        return verify_fault(job, "key is not well-formed", NULL);
    }
    if (rest.data[0] == LK_CLASS_INDEX) {
        return verify_entry(job, rest, value);
    }
    /* The boot and meta records were opened when the store was. */
    if (tenant == LK_STORE_TENANT && rest.size == 3 && rest.data[0] == 0 && rest.data[1] == 0 &&
        (rest.data[2] == LK_KIND_BOOT || rest.data[2] == LK_KIND_META)) {
        return 0;
    }
    if (lk_key_parse(job->txn->store, job->key, &job->kind, &job->id)) {
        return verify_fault(job, "key is of no kind that is known here", NULL);
    }
    return verify_record(job, value);
}

int lk_verify(struct lk_txn *txn, struct lk_verify *verify)
{
    struct verify_job job = {.txn = txn, .verify = verify};
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_stat stat = {.entries = 0};
    struct lk_storage_cursor cursor;
    struct lk_span value;
    struct lk_key all = {.size = 0}, key = {.size = 0};
    uint64_t done = 0;
    int error;

    if (!txn->open) {
        return LK_E_STATE;
    }
    verify->record_count = verify->index_count = verify->fault_count = 0;
    error = ops->stat(txn->store->storage, &stat);
    if (!error) {
        error = lk_cursor_begin(txn, &cursor, &all);
    }
    if (error) {
        return error;
    }
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &job.key, &value);
    while (!error && !job.stop) {
        key.size = 0;
        lk_key_put_bytes(&key, job.key);
        job.key = lk_key_span(&key);
        error = verify_key(&job, value);
        if (!error && verify->on_progress && ++done % 1024 == 0) {
            error = verify->on_progress(verify->context, done, stat.entries);
        }
        if (!error) {
            struct lk_span found;

            error = ops->seek(&cursor, lk_key_span(&key), &found, &value);
            if (!error) {
                error = ops->next(&cursor, &found, &value);
            }
            job.key = found;
        }
    }
    lk_cursor_end(&cursor);
    if (error == LK_E_NOT_FOUND) {
        error = 0;
    }
    if (!error && !job.stop) {
        error = lk_audit_verify(txn, LK_STORE_TENANT, verify_audit_fault, &job);
    }
    if (job.stop) {
        return job.stop;
    }
    return error ? error : verify->fault_count ? LK_E_FAULTS : 0;
}
