// SPDX-License-Identifier: MIT
/*
 * lk_record.c: stored values and the checksum that ends each of them.
 *
 * checksum = SipHash(k1, SipHash(k0, value) || key): it binds the value to its key, so that neither
 * a flipped bit nor a record put in another's place is believed. The inner hash runs over the value
 * where it lies; only its eight bytes and the key are ever copied together.
 */
#include "lk_engine.h"

static void record_checksum(const struct lk_store *store, const struct lk_keys *keys,
                            struct lk_span key, struct lk_span value, uint8_t out[LK_CHECKSUM_SIZE])
{
    const struct lk_port *port = store->port;
    uint8_t bound[8 + LK_KEY_MAX];

    port->crypto->mac64(port->self, keys->checksum[0], value, bound);
    memcpy(bound + 8, key.data, key.size);
    port->crypto->mac64(port->self, keys->checksum[1], (struct lk_span){bound, 8 + key.size}, out);
}

bool lk_value_is(const struct lk_store *store, const struct lk_keys *keys, struct lk_span key,
                 struct lk_span value)
{
    uint8_t checksum[LK_CHECKSUM_SIZE];

    if (value.size < LK_CHECKSUM_SIZE || key.size > LK_KEY_MAX) {
        return false;
    }
    value.size -= LK_CHECKSUM_SIZE;
    record_checksum(store, keys, key, value, checksum);
    return memcmp(checksum, value.data + value.size, LK_CHECKSUM_SIZE) == 0;
}

int lk_value_open(const struct lk_store *store, struct lk_span key, struct lk_span value,
                  struct lk_span *cbor)
{
    const struct lk_keys *before = lk_keys_before(store);

    if (!lk_value_is(store, lk_keys_now(store), key, value) &&
        !(before && lk_value_is(store, before, key, value))) {
        return LK_E_CORRUPT;
    }
    *cbor = (struct lk_span){value.data, value.size - LK_CHECKSUM_SIZE};
    return 0;
}

int lk_value_get(struct lk_txn *txn, const struct lk_key *key, struct lk_span *cbor)
{
    struct lk_span value;
    int error = txn->store->storage->ops->get(&txn->storage, lk_key_span(key), &value);

    return error ? error : lk_value_open(txn->store, lk_key_span(key), value, cbor);
}

int lk_value_put(struct lk_txn *txn, const struct lk_key *key, uint8_t *buffer, size_t size)
{
    record_checksum(txn->store, lk_keys_now(txn->store), lk_key_span(key),
                    (struct lk_span){buffer, size}, buffer + size);
    return txn->store->storage->ops->put(&txn->storage, lk_key_span(key),
                                         (struct lk_span){buffer, size + LK_CHECKSUM_SIZE});
}

int lk_record_load(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                   struct lk_record *record)
{
    struct lk_key key;
    struct lk_span cbor;
    int error;

    lk_key_record(&key, kind, id);
    error = lk_value_get(txn, &key, &cbor);
    if (!error) {
        record->id = id;
        error = lk_record_decode(kind, cbor, record);
    }
    return error;
}

int lk_record_store(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_record *record,
                    uint8_t *buffer)
{
    struct lk_key key;
    size_t size;
    int error =
        lk_record_encode(kind, record, buffer, txn->store->value_max - LK_CHECKSUM_SIZE, &size);

    if (error) {
        return lk_refuse(txn, LK_E_LIMIT, kind, NULL, LK_TEXT(""),
                         "is larger than a record may be in this store");
    }
    lk_key_record(&key, kind, record->id);
    return lk_value_put(txn, &key, buffer, size);
}

int lk_get_deleted(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                   struct lk_record *record)
{
    if (!txn->open) {
        return LK_E_STATE;
    }
    return lk_record_load(txn, kind, id, record);
}

int lk_get(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
           struct lk_record *record)
{
    int error = lk_get_deleted(txn, kind, id, record);

    return !error && kind->flags & LK_K_SOFT_DELETE && LK_HAS(record, 5) ? LK_E_NOT_FOUND : error;
}

int lk_get_computed(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
                    struct lk_record *record)
{
    union lk_any_record computed;
    size_t i;
    int error = lk_get(txn, kind, id, record);

    if (error || !kind->compute) {
        return error;
    }
    /* Computing makes calls, after which spans may be gone: compute first, then read again. */
    memset(&computed, 0, sizeof(computed));
    memcpy(&computed, record, kind->size);
    error = kind->compute(txn, &computed.record);
    if (!error) {
        error = lk_get(txn, kind, id, record);
    }
    for (i = 0; !error && i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (field->flags & LK_F_COMPUTED && LK_HAS(&computed.record, field->number)) {
            lk_field_set_number(record, field, lk_field_number(&computed.record, field));
        }
    }
    return error;
}

static int sequence_load(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                         struct lk_sequence *sequence)
{
    struct lk_id id = {tenant, 0, kind->number};
    int error = lk_record_load(txn, &lk_kind_sequence, id, &sequence->record);

    if (error == LK_E_NOT_FOUND) {
        memset(sequence, 0, sizeof(*sequence));
        sequence->record.id = id;
        error = 0;
    }
    return error;
}

int lk_sequence_take(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                     uint32_t number)
{
    struct lk_sequence sequence;
    uint8_t buffer[32 + LK_CHECKSUM_SIZE];
    struct lk_key key;
    size_t size;
    int error;

    memset(&sequence, 0, sizeof(sequence));
    lk_field_set_number(&sequence.record, lk_field_numbered(&lk_kind_sequence, 8), number);
    error = lk_record_encode(&lk_kind_sequence, &sequence.record, buffer, 32, &size);
    if (error) {
        return error;
    }
    lk_key_record(&key, &lk_kind_sequence, (struct lk_id){tenant, 0, kind->number});
    return lk_value_put(txn, &key, buffer, size);
}

int lk_sequence_raise(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                      uint32_t number)
{
    struct lk_sequence sequence;
    int error = sequence_load(txn, tenant, kind, &sequence);

    return error || sequence.last >= number ? error : lk_sequence_take(txn, tenant, kind, number);
}

int lk_sequence_peek(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                     uint32_t *number)
{
    struct lk_sequence sequence;
    int error = sequence_load(txn, tenant, kind, &sequence);

    if (error) {
        return error;
    }
    if (sequence.last >= UINT32_MAX) {
        return lk_refuse(txn, LK_E_LIMIT, kind, NULL, LK_TEXT(""), "has used up its numbers");
    }
    *number = (uint32_t)sequence.last + 1;
    return 0;
}

int lk_fill_uuid(struct lk_txn *txn, struct lk_record *record, const struct lk_field *field)
{
    uint8_t *uuid = lk_work(txn)->uuid;
    int error = lk_random(txn->store, uuid, 16);

    uuid[6] = (uint8_t)((uuid[6] & 0x0F) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3F) | 0x80);
    lk_field_set_span(record, field, (struct lk_span){uuid, 16});
    return error;
}

int lk_cursor_begin(struct lk_txn *txn, struct lk_storage_cursor *cursor, const struct lk_key *key)
{
    memset(cursor, 0, sizeof(*cursor));
    return txn->store->storage->ops->cursor_open(&txn->storage, cursor, lk_key_span(key));
}

void lk_cursor_end(struct lk_storage_cursor *cursor)
{
    if (cursor->txn) {
        cursor->txn->storage->ops->cursor_close(cursor);
    }
}

/* ---- Lookups by unique index ---- */

/* `record` gets the record found, and means nothing after an error. */
static int record_find(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_index *index,
                       uint32_t tenant, const struct lk_span *values, struct lk_record *record)
{
    struct lk_key key;
    struct lk_span value;
    struct lk_id found;
    size_t i;
    int error;

    if (!txn->open || !(index->flags & LK_I_UNIQUE)) {
        return LK_E_ARGUMENT;
    }
    lk_key_index_prefix(&key, index, tenant);
    for (i = 0; i < LK_INDEX_FIELDS && index->fields[i]; i++) {
        const struct lk_field *field = lk_field_numbered(kind, index->fields[i]);

        if (field->type == LK_STRING) {
            if (values[i].size > field->max) {
                return LK_E_NOT_FOUND;
            }
            lk_index_put_text(txn->store, &key, values[i], (field->flags & LK_F_FOLD) != 0);
        } else if (values[i].size == 16) {
            lk_key_put_bytes(&key, values[i]);
        } else {
            return LK_E_NOT_FOUND;
        }
    }
    error = txn->store->storage->ops->get(&txn->storage, lk_key_span(&key), &value);
    if (error) {
        return error;
    }
    error = lk_index_entry_id(kind, index, lk_key_span(&key), value, &found);
    if (error) {
        return error;
    }
    /* Index entries carry no checksum: the record they name must bear them out. */
    error = lk_record_load(txn, kind, found, record);
    if (error && error != LK_E_NOT_FOUND) {
        return error;
    }
    if (error || LK_HAS(record, 5)) {
        return LK_E_CORRUPT;
    }
    for (i = 0; i < LK_INDEX_FIELDS && index->fields[i]; i++) {
        const struct lk_field *field = lk_field_numbered(kind, index->fields[i]);
        struct lk_span have = lk_field_span(record, field);

        if (field->flags & LK_F_FOLD ? !lk_text_equal_fold(have, values[i])
                                     : !lk_span_equal(have, values[i])) {
            return LK_E_CORRUPT;
        }
    }
    return tenant && index->flags & LK_I_STORE && kind->shape != LK_SHAPE_TENANT &&
                   found.tenant != tenant
               ? LK_E_NOT_FOUND
               : 0;
}

/* A user of the store's own ("local") without an id of a provider goes by the external id. */
static int record_find_local(struct lk_txn *txn, uint32_t tenant, const struct lk_span *values,
                             struct lk_record *record)
{
    const struct lk_index *index = lk_index_named(&lk_kind_user, LK_TEXT("external_id"));
    uint8_t uuid[16];
    struct lk_span by_uuid[LK_INDEX_FIELDS] = {{uuid, sizeof(uuid)}};
    int error;

    if (!lk_span_equal(values[0], LK_TEXT("local")) || lk_uuid_parse(values[1], uuid)) {
        return LK_E_NOT_FOUND;
    }
    error = record_find(txn, &lk_kind_user, index, tenant, by_uuid, record);
    return !error && (LK_HAS(record, 12) || LK_HAS(record, 13)) ? LK_E_NOT_FOUND : error;
}

int lk_get_by(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_index *index,
              uint32_t tenant, const struct lk_span *values, struct lk_record *record)
{
    int error = record_find(txn, kind, index, tenant, values, record);

    if (error == LK_E_NOT_FOUND && index == lk_index_named(&lk_kind_user, LK_TEXT("provider"))) {
        error = record_find_local(txn, tenant, values, record);
    }
    return error;
}

int lk_find(struct lk_txn *txn, const struct lk_kind *kind, const struct lk_index *index,
            uint32_t tenant, const struct lk_span *values, struct lk_id *id)
{
    union lk_any_record record;
    int error = lk_get_by(txn, kind, index, tenant, values, &record.record);

    if (!error) {
        *id = record.record.id;
    }
    return error;
}

int lk_find_tenant(struct lk_txn *txn, struct lk_span name, struct lk_id *id)
{
    struct lk_span values[LK_INDEX_FIELDS] = {name};
    int error = lk_find(txn, &lk_kind_tenant, lk_index_named(&lk_kind_tenant, LK_TEXT("name")), 0,
                        values, id);

    return error;
}

/* "#12". LK_E_NOT_FOUND when the text is not of that form. */
static int record_by_number(struct lk_txn *txn, const struct lk_kind *kind, uint32_t tenant,
                            struct lk_span text, struct lk_record *record)
{
    struct lk_id id = {tenant, 0, 0};
    uint64_t number;

    text.data++;
    text.size--;
    if (lk_uint_parse(text, &number) || number == 0 || number > UINT32_MAX) {
        return LK_E_NOT_FOUND;
    }
    *(kind->shape == LK_SHAPE_USER ? &id.user : &id.sub) = (uint32_t)number;
    return lk_get(txn, kind, id, record);
}

int lk_get_named(struct lk_txn *txn, const struct lk_kind *kind, uint32_t tenant,
                 struct lk_span name, struct lk_record *record)
{
    struct lk_span values[LK_INDEX_FIELDS] = {name};

    /* An address may begin with '#'. */
    if (kind == &lk_kind_user && name.size && memchr(name.data, '@', name.size)) {
        return lk_get_by(txn, kind, lk_index_named(kind, LK_TEXT("email")), tenant, values, record);
    }
    if (name.size > 1 && name.data[0] == '#') {
        return record_by_number(txn, kind, tenant, name, record);
    }
    if (!kind->index_count || !(kind->indexes[0].flags & LK_I_UNIQUE)) {
        return LK_E_ARGUMENT;
    }
    return lk_get_by(txn, kind, &kind->indexes[0], tenant, values, record);
}

int lk_find_named(struct lk_txn *txn, const struct lk_kind *kind, uint32_t tenant,
                  struct lk_span name, struct lk_id *id)
{
    union lk_any_record record;
    int error = lk_get_named(txn, kind, tenant, name, &record.record);

    if (!error) {
        *id = record.record.id;
    }
    return error;
}

int lk_find_user(struct lk_txn *txn, uint32_t tenant, struct lk_span who, struct lk_id *id)
{
    return lk_find_named(txn, &lk_kind_user, tenant, who, id);
}
