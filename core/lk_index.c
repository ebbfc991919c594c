// SPDX-License-Identifier: MIT
/*
 * lk_index.c: the index entries that a record should have (SPEC.md, Indexes).
 *
 * Everything about an entry follows from the record, so that one walk serves upkeep by difference,
 * verification both ways and the check of an entry met on reading.
 */
#include "lk_engine.h"

/* Text in a key: folded, at most this many bytes; what is longer ends in a hash of the whole. */
#define INDEX_TEXT_MAX 40
#define INDEX_WHOLE    0x00
#define INDEX_CUT      0x01

const struct lk_index lk_index_deleted = {
    .name = "deleted_at",
    .help = LK_HELP("the removed ones by time of removal"),
    .number = LK_INDEX_DELETED,
    .fields = {5},
};

void lk_index_put_text(const struct lk_store *store, struct lk_key *key, struct lk_span text,
                       bool fold)
{
    uint8_t folded[256];
    size_t i, size = text.size < sizeof(folded) ? text.size : sizeof(folded);
    uint8_t hash[8];

    for (i = 0; i < size; i++) {
        folded[i] = fold ? lk_ascii_lower(text.data[i]) : text.data[i];
    }
    if (text.size <= INDEX_TEXT_MAX) {
        lk_key_put_bytes(key, (struct lk_span){folded, size});
        lk_key_put_byte(key, INDEX_WHOLE);
        return;
    }
    lk_key_put_bytes(key, (struct lk_span){folded, INDEX_TEXT_MAX});
    lk_key_put_byte(key, INDEX_CUT);
    store->port->crypto->mac64(store->port->self, store->index_key, (struct lk_span){folded, size},
                               hash);
    lk_key_put_bytes(key, (struct lk_span){hash, sizeof(hash)});
}

void lk_index_put_id(struct lk_key *key, const struct lk_kind *kind, struct lk_id id)
{
    switch ((enum lk_shape)kind->shape) {
    case LK_SHAPE_TENANT: lk_key_put_number(key, id.tenant); break;
    case LK_SHAPE_IN_TENANT: lk_key_put_number(key, id.sub); break;
    case LK_SHAPE_USER:
    case LK_SHAPE_ONE_A_USER: lk_key_put_number(key, id.user); break;
    case LK_SHAPE_OF_USER:
    case LK_SHAPE_RING:
        lk_key_put_number(key, id.user);
        lk_key_put_number(key, id.sub);
        break;
    }
}

int lk_index_take_id(struct lk_span *from, const struct lk_kind *kind, uint32_t tenant,
                     struct lk_id *id)
{
    int error = 0;

    *id = (struct lk_id){tenant, 0, 0};
    switch ((enum lk_shape)kind->shape) {
    case LK_SHAPE_TENANT: return lk_key_take_u32(from, &id->tenant);
    case LK_SHAPE_IN_TENANT: return lk_key_take_u32(from, &id->sub);
    case LK_SHAPE_USER:
    case LK_SHAPE_ONE_A_USER: return lk_key_take_u32(from, &id->user);
    case LK_SHAPE_OF_USER:
    case LK_SHAPE_RING:
        error = lk_key_take_u32(from, &id->user);
        return error ? error : lk_key_take_u32(from, &id->sub);
    }
    return LK_E_CORRUPT;
}

/* False where the field is absent and has no default: then there is no entry. */
static bool index_put_field(const struct lk_store *store, struct lk_key *key,
                            const struct lk_index *index, const struct lk_field *field,
                            const struct lk_record *record)
{
    if (!field) {
        return false;
    }
    if (lk_field_is_number(field)) {
        uint64_t number = lk_field_number(record, field);

        if (!LK_HAS(record, field->number) && field->type != LK_ENUM && field->type != LK_BOOL) {
            return false;
        }
        lk_key_put_number(key, index->flags & LK_I_DAY ? number / LK_MS_PER_DAY : number);
        return true;
    }
    if (field->type == LK_STRING) {
        struct lk_span text = lk_field_span(record, field);

        if (!text.data) {
            return false;
        }
        lk_index_put_text(store, key, text, (field->flags & LK_F_FOLD) != 0);
        return true;
    }
    if (!LK_HAS(record, field->number)) {
        return false;
    }
    lk_key_put_bytes(key, lk_field_span(record, field));
    return true;
}

static bool index_wanted(const struct lk_kind *kind, const struct lk_index *index,
                         const struct lk_record *record)
{
    const struct lk_field *field;

    if (!index->when_field) {
        return true;
    }
    field = lk_field_numbered(kind, index->when_field);
    return field && lk_field_number(record, field) == index->when_value;
}

static int index_finish(const struct lk_kind *kind, const struct lk_index *index,
                        const struct lk_record *record, struct lk_key *key, lk_index_visit *visit,
                        void *context)
{
    struct lk_key id = {.size = 0};

    if (!(index->flags & LK_I_UNIQUE)) {
        lk_index_put_id(key, kind, record->id);
        return visit(context, index, key, (struct lk_span){id.data, 0});
    }
    if (index->flags & LK_I_STORE && kind->shape != LK_SHAPE_TENANT) {
        lk_key_put_number(&id, record->id.tenant);
    }
    lk_index_put_id(&id, kind, record->id);
    return visit(context, index, key, lk_key_span(&id));
}

static int index_entries(const struct lk_store *store, const struct lk_kind *kind,
                         const struct lk_index *index, const struct lk_record *record,
                         lk_index_visit *visit, void *context)
{
    struct lk_key key;
    size_t i;

    if (!index_wanted(kind, index, record)) {
        return 0;
    }
    lk_key_index_prefix(&key, index, record->id.tenant);
    if (index->flags & LK_I_USER) {
        lk_key_put_number(&key, record->id.user);
    }
    for (i = 0; i < LK_INDEX_FIELDS && index->fields[i]; i++) {
        const struct lk_field *field = lk_field_numbered(kind, index->fields[i]);

        if (field && field->type == LK_REFS) {
            struct lk_refs refs;
            uint32_t member;

            lk_refs_begin(&refs, lk_field_span(record, field));
            while (lk_refs_next(&refs, &member)) {
                struct lk_key each = key;
                int error;

                lk_key_put_number(&each, member);
                error = index_finish(kind, index, record, &each, visit, context);
                if (error) {
                    return error;
                }
            }
            return 0;
        }
        if (!index_put_field(store, &key, index, field, record)) {
            return 0;
        }
    }
    return index_finish(kind, index, record, &key, visit, context);
}

int lk_index_each(const struct lk_store *store, const struct lk_kind *kind,
                  const struct lk_record *record, lk_index_visit *visit, void *context)
{
    size_t i;
    int error;

    if (LK_HAS(record, 5)) {
        struct lk_key key;

        lk_key_index_prefix(&key, &lk_index_deleted,
                            kind->shape == LK_SHAPE_TENANT ? LK_STORE_TENANT : record->id.tenant);
        lk_key_put_byte(&key, kind->number);
        lk_key_put_number(&key, record->deleted_at);
        return index_finish(kind, &lk_index_deleted, record, &key, visit, context);
    }
    for (i = 0; i < kind->index_count; i++) {
        if (!lk_index_kept(store, &kind->indexes[i])) {
            continue;
        }
        error = index_entries(store, kind, &kind->indexes[i], record, visit, context);
        if (error) {
            return error;
        }
    }
    return 0;
}

/* Takes one field's bytes off the front of a key. */
static int index_skip_field(struct lk_span *key, const struct lk_field *field)
{
    uint64_t number;
    size_t size = 0;

    if (!field) {
        return LK_E_CORRUPT;
    }
    if (lk_field_is_number(field) || field->type == LK_REFS) {
        return lk_key_take_number(key, &number);
    }
    if (field->type == LK_UUID) {
        size = 16;
    } else if (field->type == LK_STRING) {
        while (size < key->size && size < INDEX_TEXT_MAX && key->data[size] > INDEX_CUT) {
            size++;
        }
        if (size == key->size) {
            return LK_E_CORRUPT;
        }
        size += key->data[size] == INDEX_CUT ? 9 : 1;
    }
    if (!size || size > key->size) {
        return LK_E_CORRUPT;
    }
    key->data += size;
    key->size -= size;
    return 0;
}

int lk_index_entry_id(const struct lk_kind *kind, const struct lk_index *index, struct lk_span key,
                      struct lk_span value, struct lk_id *id)
{
    uint32_t tenant;
    size_t i;

    if (lk_key_take_u32(&key, &tenant) || key.size < 3) {
        return LK_E_CORRUPT;
    }
    key.data += 2;
    key.size -= 2;
    if (index->flags & LK_I_UNIQUE) {
        if (index->flags & LK_I_STORE && kind->shape != LK_SHAPE_TENANT &&
            lk_key_take_u32(&value, &tenant)) {
            return LK_E_CORRUPT;
        }
        return lk_index_take_id(&value, kind, tenant, id) || value.size ? LK_E_CORRUPT : 0;
    }
    if (index == &lk_index_deleted) {
        key.data++;
        key.size--;
    }
    for (i = 0; i < LK_INDEX_FIELDS && index->fields[i]; i++) {
        const struct lk_field *field = index == &lk_index_deleted
                                           ? &lk_audit_fields[index->fields[i] - 1]
                                           : lk_field_numbered(kind, index->fields[i]);

        if (index_skip_field(&key, field)) {
            return LK_E_CORRUPT;
        }
    }
    return lk_index_take_id(&key, kind, tenant, id) || key.size ? LK_E_CORRUPT : 0;
}

struct index_search {
    struct lk_span key;
    bool found;
};

static int index_compare(void *context, const struct lk_index *index, const struct lk_key *key,
                         struct lk_span value)
{
    struct index_search *search = context;

    (void)index;
    (void)value;
    if (lk_span_equal(search->key, lk_key_span(key))) {
        search->found = true;
    }
    return 0;
}

bool lk_index_bears(const struct lk_store *store, const struct lk_kind *kind,
                    const struct lk_index *index, const struct lk_record *record,
                    struct lk_span key)
{
    struct index_search search = {key, false};

    if (!LK_HAS(record, 5)) {
        (void)index_entries(store, kind, index, record, index_compare, &search); /* never stops */
    }
    return search.found;
}

bool lk_index_has(const struct lk_store *store, const struct lk_kind *kind,
                  const struct lk_record *record, struct lk_span key)
{
    struct index_search search = {key, false};
    struct lk_span rest = key;
    uint32_t tenant;
    size_t i;

    if (lk_key_take_u32(&rest, &tenant) || rest.size < 2) {
        return false;
    }
    if (rest.data[1] == LK_INDEX_DELETED || LK_HAS(record, 5)) {
        (void)lk_index_each(store, kind, record, index_compare, &search); /* never stops */
        return search.found;
    }
    /* The key names its index: the others' entries need not be made. */
    for (i = 0; i < kind->index_count; i++) {
        if (kind->indexes[i].number == rest.data[1]) {
            return lk_index_kept(store, &kind->indexes[i]) &&
                   lk_index_bears(store, kind, &kind->indexes[i], record, key);
        }
    }
    return false;
}
