// SPDX-License-Identifier: MIT
/*
 * lk_verify.c: is the store what it should be?
 *
 * One pass over every key. A record: checksum, form, fields, owner, references, number, and each
 * index entry it should have. An index entry: the record it names should have it. Then what follows
 * from other records: compiled roles, roles of users, order of the audit rings.
 */
#include "lk_engine.h"

struct verify_job {
    struct lk_txn *txn;
    struct lk_verify *verify;
    struct lk_span key;
    const struct lk_kind *kind;
    struct lk_id id;
    int stop;
    /* The sequence that was looked up last: records of a kind come in runs. */
    const struct lk_kind *counted;
    uint32_t counted_in;
    uint64_t counted_last;
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

static int verify_field(struct verify_job *job, const struct lk_field *field,
                        const struct lk_record *record)
{
    if (field->flags & LK_F_COMPUTED || !lk_check_field(job->txn, job->kind, field, record)) {
        return 0;
    }
    memset(&job->txn->problem, 0, sizeof(job->txn->problem));
    return verify_fault(job, "field breaks its rule", field->name);
}

static int verify_fields(struct verify_job *job, const struct lk_record *record)
{
    size_t i;
    int stop = 0;

    for (i = 0; !stop && job->kind->flags & LK_K_AUDIT_FIELDS && i < LK_AUDIT_FIELD_COUNT; i++) {
        stop = verify_field(job, &lk_audit_fields[i], record);
    }
    for (i = 0; !stop && i < job->kind->field_count; i++) {
        stop = verify_field(job, &job->kind->fields[i], record);
    }
    return stop;
}

/* Whether anything is there; whether it is sound is found out when its own key comes. */
static int verify_exists(struct verify_job *job, const struct lk_kind *kind, struct lk_id id)
{
    struct lk_key key;
    struct lk_span value;

    lk_key_record(&key, kind, id);
    return job->txn->store->storage->ops->get(&job->txn->storage, lk_key_span(&key), &value);
}

static int verify_owner(struct verify_job *job)
{
    int error = 0;

    if (job->kind->shape == LK_SHAPE_OF_USER || job->kind->shape == LK_SHAPE_ONE_A_USER) {
        error = verify_exists(job, &lk_kind_user, (struct lk_id){job->id.tenant, job->id.user, 0});
    } else if (job->kind->shape != LK_SHAPE_TENANT && job->id.tenant != LK_STORE_TENANT) {
        error = verify_exists(job, &lk_kind_tenant, (struct lk_id){job->id.tenant, 0, 0});
    }
    return error == LK_E_NOT_FOUND ? verify_fault(job, "record has no owner", job->kind->name)
                                   : error;
}

static int verify_reference(struct verify_job *job, const struct lk_field *field, uint32_t number)
{
    const struct lk_kind *target = lk_store_kind_numbered(job->txn->store, field->target);
    struct lk_id id = {job->id.tenant, 0, number};
    int error = LK_E_NOT_FOUND;

    if (target && target->shape == LK_SHAPE_USER) {
        id = (struct lk_id){job->id.tenant, number, 0};
    }
    if (target) {
        error = verify_exists(job, target, id);
    }
    return error == LK_E_NOT_FOUND ? verify_fault(job, "reference leads to nothing", field->name)
                                   : error;
}

/* A reference without consequences may lead to nothing: then it means nobody. What a removed record
 * refers to may have gone meanwhile. */
static int verify_references(struct verify_job *job, const struct lk_record *record)
{
    size_t i;
    int error = 0;

    for (i = 0; !error && !LK_HAS(record, 5) && i < job->kind->field_count; i++) {
        const struct lk_field *field = &job->kind->fields[i];

        if (field->on_delete == LK_SET_NULL || !LK_HAS(record, field->number)) {
            continue;
        }
        if (field->type == LK_REF) {
            error = verify_reference(job, field, (uint32_t)lk_field_number(record, field));
        } else if (field->type == LK_REFS) {
            struct lk_refs refs;
            uint32_t number;

            lk_refs_begin(&refs, lk_field_span(record, field));
            while (!error && lk_refs_next(&refs, &number)) {
                error = verify_reference(job, field, number);
            }
        }
    }
    return error;
}

/* A number above the last one given out would be given out again. */
static int verify_number(struct verify_job *job)
{
    const struct lk_kind *kind = job->kind;
    uint32_t scope = job->id.tenant, number = job->id.sub;
    struct lk_sequence sequence;
    int error;

    if (!lk_kind_is_numbered(kind)) {
        return 0;
    }
    if (kind->shape == LK_SHAPE_TENANT) {
        scope = LK_STORE_TENANT;
        number = job->id.tenant;
    } else if (kind->shape == LK_SHAPE_USER) {
        number = job->id.user;
    }
    if (job->counted != kind || job->counted_in != scope) {
        struct lk_id id = {scope, 0, kind->number};

        error = lk_record_load(job->txn, &lk_kind_sequence, id, &sequence.record);
        if (error && error != LK_E_NOT_FOUND && error != LK_E_CORRUPT) {
            return error;
        }
        job->counted = kind;
        job->counted_in = scope;
        /* A damaged one is reported itself. */
        job->counted_last = error == LK_E_CORRUPT ? UINT32_MAX : error ? 0 : sequence.last;
    }
    return number > job->counted_last
               ? verify_fault(job, "number is above the last one given out", kind->name)
               : 0;
}

static int verify_compiled(struct verify_job *job, struct lk_span compiled)
{
    uint8_t bits[LK_PERMISSION_BYTES];
    size_t size;
    int error = lk_role_compile(job->txn, job->id, NULL, bits, &size);

    if (!error && !lk_span_equal(compiled, (struct lk_span){bits, size})) {
        return verify_fault(job, "compiled permissions are not those of the role", "role");
    }
    return error == LK_E_CORRUPT ? 0 : error; /* the parent itself is reported */
}

static int verify_parents(struct verify_job *job)
{
    struct lk_role role;
    uint32_t number = job->id.sub;
    unsigned levels = 0;
    int error = 0;

    while (!error && number && levels <= LK_ROLE_DEPTH) {
        struct lk_id id = {job->id.tenant, 0, number};

        error = lk_get(job->txn, &lk_kind_role, id, &role.record);
        if (!error) {
            number = (uint32_t)role.parent;
            levels++;
        }
    }
    if (error && error != LK_E_NOT_FOUND && error != LK_E_CORRUPT) {
        return error;
    }
    return levels > LK_ROLE_DEPTH
               ? verify_fault(job, "role has too many parents, or itself for one", "role")
               : 0;
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

static int verify_role(struct verify_job *job, const struct lk_role *role)
{
    int error;

    if (LK_HAS(&role->record, 5)) {
        return 0;
    }
    error = verify_parents(job);
    return error ? error : verify_compiled(job, role->compiled);
}

static int verify_user(struct verify_job *job, const struct lk_user *user)
{
    int stop = 0;

    if (user->username.size && memchr(user->username.data, '@', user->username.size) &&
        !lk_text_equal_fold(user->username, user->email)) {
        stop = verify_fault(job, "username is an address that is not the user's own", "user");
    }
    return stop ? stop : verify_grants(job, user->roles);
}

static int verify_sequence(struct verify_job *job, const struct lk_sequence *sequence)
{
    return sequence->last > UINT32_MAX || !lk_store_kind_numbered(job->txn->store, job->id.sub)
               ? verify_fault(job, "sequence is of no kind, or past the last number", "sequence")
               : 0;
}

static int verify_credential(struct verify_job *job, const struct lk_credential *credential)
{
    if (credential->digits == 7) {
        return verify_fault(job, "digits of a code are neither 6 nor 8", "credential");
    }
    return credential->type == LK_CREDENTIAL_RECOVERY &&
                   (credential->secret.size % LK_TOKEN_HASH_SIZE ||
                    credential->secret.size > LK_RECOVERY_COUNT * LK_TOKEN_HASH_SIZE)
               ? verify_fault(job, "recovery codes are not whole hashes, ten at most", "credential")
               : 0;
}

/* What follows from other records, and the rules of single kinds. */
static int verify_meaning(struct verify_job *job, const struct lk_record *record)
{
    switch (job->kind->number) {
    case LK_KIND_ROLE: return verify_role(job, (const struct lk_role *)record);
    case LK_KIND_USER: return verify_user(job, (const struct lk_user *)record);
    case LK_KIND_PERMISSION: {
        const struct lk_permission *permission = (const struct lk_permission *)record;

        return permission->deny && (permission->approval || permission->login_age)
                   ? verify_fault(job, "permission denies, and asks for more as well", "permission")
                   : 0;
    }
    case LK_KIND_GRANT:
        return ((const struct lk_grant *)record)->role == job->id.sub
                   ? 0
                   : verify_fault(job, "role is not the one that the grant is filed under",
                                  "grant");
    case LK_KIND_SEQUENCE: return verify_sequence(job, (const struct lk_sequence *)record);
    case LK_KIND_AUDIT:
        return job->id.user < LK_RING_COUNT ? 0
                                            : verify_fault(job, "audit entry of no ring", "audit");
    case LK_KIND_CREDENTIAL: return verify_credential(job, (const struct lk_credential *)record);
    case LK_KIND_TENANT: return lk_audit_check(job->txn, job->id.tenant, verify_audit_fault, job);
    default: return 0;
    }
}

static int verify_record(struct verify_job *job, struct lk_span value)
{
    union lk_any_record record;
    struct lk_span cbor;
    int error;

    job->verify->record_count++;
    if (value.size > sizeof(job->verify->buffer)) {
        return verify_fault(job, "record is larger than any may be", job->kind->name);
    }
    /* The cursor's spans end with the next call on the transaction; many follow. */
    if (value.size) {
        memcpy(job->verify->buffer, value.data, value.size);
        value.data = job->verify->buffer;
    }
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
    if (!error) {
        error = verify_references(job, &record.record);
    }
    if (!error) {
        error = verify_number(job);
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
        error = lk_audit_check(txn, LK_STORE_TENANT, verify_audit_fault, &job);
    }
    if (job.stop) {
        return job.stop;
    }
    return error ? error : verify->fault_count ? LK_E_FAULTS : 0;
}
