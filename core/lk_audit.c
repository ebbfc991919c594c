// SPDX-License-Identifier: MIT
/*
 * lk_audit.c: two rings of fixed slots a tenant, the oldest entry out when a new one comes in.
 *
 * Entries have no index and the rings no head record. `seq` rises over both rings of a tenant, so
 * that a ring read from slot 0 is a rotated sorted list: its newest entry is found by bisection.
 * The store handle keeps where that was as a hint, which the slot's own seq must bear out.
 */
#include "lk_engine.h"

#define AUDIT_WORDS 255

void lk_words_add_span(struct lk_words *words, struct lk_span text)
{
    size_t room = words->capacity - words->size;
    size_t size = text.size < room ? text.size : room;

    if (size) {
        memcpy(words->data + words->size, text.data, size);
        words->size += size;
    }
}

void lk_words_add(struct lk_words *words, const char *text)
{
    lk_words_add_span(words, (struct lk_span){(const uint8_t *)text, strlen(text)});
}

void lk_words_add_number(struct lk_words *words, uint64_t number)
{
    char text[24];
    int size = lk_uint_format(number, text, sizeof(text));

    lk_words_add_span(words, (struct lk_span){(const uint8_t *)text, size > 0 ? (size_t)size : 0});
}

/* ---- Slots ---- */

int lk_audit_slot(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                  struct lk_audit_entry *entry)
{
    struct lk_id id = {tenant, ring, slot};
    int error = lk_record_load(txn, &lk_kind_audit, id, &entry->record);

    if (!error) {
        lk_field_set_number(&entry->record, lk_field_numbered(&lk_kind_audit, 40), ring);
    }
    return error;
}

/* seq of a slot, 0 where it is empty. */
int lk_audit_seq(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot, uint64_t *seq)
{
    struct lk_cbor_reader reader;
    struct lk_cbor_item map, key, number;
    struct lk_span value, cbor;
    struct lk_key at;
    int error;

    *seq = 0;
    lk_key_record(&at, &lk_kind_audit, (struct lk_id){tenant, ring, slot});
    error = txn->store->storage->ops->get(&txn->storage, lk_key_span(&at), &value);
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    /* seq is the first field of an entry: no need to decode the others. */
    if (lk_value_open(txn->store, lk_key_span(&at), value, &cbor)) {
        return LK_SLOT_DAMAGED;
    }
    lk_cbor_reader_init(&reader, cbor);
    if (lk_cbor_read(&reader, &map) || map.type != LK_CBOR_MAP || lk_cbor_read(&reader, &key) ||
        key.type != LK_CBOR_UINT || key.number != lk_kind_audit.fields[0].number ||
        lk_cbor_read(&reader, &number) || number.type != LK_CBOR_UINT) {
        return LK_SLOT_DAMAGED;
    }
    *seq = number.number;
    return 0;
}

int lk_audit_capacity(struct lk_txn *txn, uint32_t tenant, uint32_t *capacity)
{
    struct lk_tenant record;
    int error;

    if (tenant == LK_STORE_TENANT) {
        *capacity = txn->store->audit_capacity;
        return 0;
    }
    error = lk_record_load(txn, &lk_kind_tenant, (struct lk_id){tenant, 0, 0}, &record.record);
    *capacity = error ? 0 : (uint32_t)record.audit_capacity;
    return error;
}

/* The newest slot of a ring by bisection. `seq` 0: the ring is empty. */
/* seq of the first slot from `*slot` on, below `end`, that is not damaged: what is damaged is
 * passed over, so that one bad byte does not stop a tenant. LK_E_CORRUPT when all are. */
static int audit_probe(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t *slot,
                       uint32_t end, uint64_t *seq)
{
    int error;

    while ((error = lk_audit_seq(txn, tenant, ring, *slot, seq)) == LK_SLOT_DAMAGED &&
           *slot + 1 < end) {
        (*slot)++;
    }
    return error;
}

int lk_audit_bisect(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity,
                    uint32_t *slot, uint64_t *seq)
{
    uint32_t low = 0, high = capacity; /* low holds an entry of the newest lap, high does not */
    uint64_t first, middle_seq;
    int error = audit_probe(txn, tenant, ring, &low, capacity, &first);

    *slot = low;
    *seq = first;
    if (error || !first) {
        /* All there is may be damaged: what comes next goes behind it, or begins anew. */
        *slot = low ? low - 1 : 0;
        *seq = low ? 1 : 0;
        return error == LK_SLOT_DAMAGED ? 0 : error;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2, probe = middle;

        error = audit_probe(txn, tenant, ring, &probe, high, &middle_seq);
        if (error < 0) {
            return error;
        }
        if (!error && middle_seq >= first) {
            low = probe;
            *seq = middle_seq;
        } else {
            high = middle;
        }
    }
    *slot = low;
    return 0;
}

static struct lk_audit_head *audit_hint(struct lk_store *store, uint32_t tenant, uint32_t ring)
{
    struct lk_audit_head *oldest = &store->audit_heads[0];
    size_t i;

    for (i = 0; i < LK_COUNT(store->audit_heads); i++) {
        struct lk_audit_head *head = &store->audit_heads[i];

        if (head->used && head->tenant == tenant && head->ring == ring) {
            return head;
        }
        if (head->used < oldest->used) {
            oldest = head;
        }
    }
    memset(oldest, 0, sizeof(*oldest));
    oldest->tenant = tenant;
    oldest->ring = ring;
    return oldest;
}

/* The newest slot, by the hint when it still holds; for the writer only. */
static int audit_head(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity,
                      uint32_t *slot, uint64_t *seq)
{
    struct lk_audit_head *hint = audit_hint(txn->store, tenant, ring);
    uint64_t at, after;
    int error;

    if (hint->used && hint->slot < capacity) {
        error = lk_audit_seq(txn, tenant, ring, hint->slot, &at);
        if (!error && at == hint->seq) {
            error = lk_audit_seq(txn, tenant, ring, (hint->slot + 1) % capacity, &after);
            if (!error && (after < at || (capacity == 1 && after == at))) {
                *slot = hint->slot;
                *seq = at;
                return 0;
            }
        }
    }
    return lk_audit_bisect(txn, tenant, ring, capacity, slot, seq);
}

static void audit_remember(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t slot,
                           uint64_t seq)
{
    struct lk_audit_head *hint = audit_hint(txn->store, tenant, ring);

    hint->slot = slot;
    hint->seq = seq;
    hint->used = txn->store->commit_count + 1;
}

/* ---- Writing ---- */

static void audit_set(struct lk_audit_entry *entry, unsigned number, uint64_t value)
{
    lk_field_set_number(&entry->record, lk_field_numbered(&lk_kind_audit, number), value);
}

int lk_audit_append(struct lk_txn *txn, uint32_t tenant, enum lk_ring_number ring,
                    struct lk_audit_entry *entry)
{
    uint32_t capacity, slots[LK_RING_COUNT];
    uint64_t seqs[LK_RING_COUNT], seq = 0, at = txn->now_ms;
    bool epoch = lk_span_equal(entry->action, LK_TEXT(LK_AUDIT_EPOCH));
    unsigned i;
    int error = lk_audit_capacity(txn, tenant, &capacity);

    for (i = 0; !error && i < LK_RING_COUNT; i++) {
        error = audit_head(txn, tenant, i, capacity, &slots[i], &seqs[i]);
        seq = !error && seqs[i] > seq ? seqs[i] : seq;
    }
    for (i = 0; !error && seq && i < LK_RING_COUNT; i++) {
        struct lk_audit_entry newest;

        if (seqs[i] == seq) {
            error = lk_audit_slot(txn, tenant, i, slots[i], &newest);
            at = !error && newest.at > at && !epoch ? newest.at : at;
            error = error == LK_E_CORRUPT ? 0 : error;
        }
    }
    if (error) {
        return error;
    }
    entry->record.id =
        (struct lk_id){tenant, (uint32_t)ring, seqs[ring] ? (slots[ring] + 1) % capacity : 0};
    audit_set(entry, 8, seq + 1);
    audit_set(entry, 9, at);
    audit_set(entry, 10, txn->clock);
    if (txn->actor.user && txn->actor.tenant == tenant) {
        audit_set(entry, 11, txn->actor.user);
    }
    audit_set(entry, 18, txn->actor.channel);
    if (txn->actor.session && txn->actor.tenant == tenant) {
        audit_set(entry, 19, txn->actor.session);
    }
    if (txn->actor.ip.size == 4 || txn->actor.ip.size == 16) {
        lk_field_set_span(&entry->record, lk_field_numbered(&lk_kind_audit, 20), txn->actor.ip);
    }
    if (txn->actor.user_agent.size) {
        struct lk_span kept = lk_text_kept(txn->actor.user_agent, 500);

        if (kept.size) {
            lk_field_set_span(&entry->record, lk_field_numbered(&lk_kind_audit, 21), kept);
        }
    }
    error = lk_record_store(txn, &lk_kind_audit, &entry->record, lk_work(txn)->audit);
    if (!error) {
        audit_remember(txn, tenant, (uint32_t)ring, entry->record.id.sub, seq + 1);
    }
    return error;
}

static const char *audit_verb(enum lk_operation operation)
{
    static const char *const verbs[] = {"", "add", "set", "remove", "restore", "purge"};

    return verbs[operation];
}

static enum lk_category audit_category(const struct lk_kind *kind)
{
    switch (kind->number) {
    case LK_KIND_USER:
    case LK_KIND_TENANT: return LK_CATEGORY_USER;
    case LK_KIND_ROLE:
    case LK_KIND_PERMISSION:
    case LK_KIND_GRANT: return LK_CATEGORY_ROLE;
    case LK_KIND_SESSION:
    case LK_KIND_DEVICE: return LK_CATEGORY_SESSION;
    case LK_KIND_CREDENTIAL: return LK_CATEGORY_AUTH;
    default: return LK_CATEGORY_DATA;
    }
}

/* {"changed": ["email", …], "approver": 7}: names only, so that no value and no secret gets in. */
static int audit_details(const struct lk_change *change, uint32_t approver, uint8_t *out,
                         size_t capacity, size_t *size)
{
    struct lk_cbor_writer writer;
    size_t i, count = 0;

    for (i = 0; i < change->kind->field_count; i++) {
        const struct lk_field *field = &change->kind->fields[i];

        count += !(field->flags & LK_F_HIDDEN) && (change->changed >> field->number) & 1;
    }
    lk_cbor_writer_init(&writer, out, capacity);
    lk_cbor_put_map(&writer, approver ? 2 : 1);
    lk_cbor_put_text(&writer, LK_TEXT("changed"));
    lk_cbor_put_array(&writer, count);
    for (i = 0; i < change->kind->field_count; i++) {
        const struct lk_field *field = &change->kind->fields[i];

        if (!(field->flags & LK_F_HIDDEN) && (change->changed >> field->number) & 1) {
            lk_cbor_put_text(&writer,
                             (struct lk_span){(const uint8_t *)field->name, strlen(field->name)});
        }
    }
    if (approver) {
        lk_cbor_put_text(&writer, LK_TEXT("approver"));
        lk_cbor_put_uint(&writer, approver);
    }
    return lk_cbor_finish(&writer, size);
}

/* Numbers, never names: what was purged must not live on in here. */
static void audit_resource_id(const struct lk_change *change, struct lk_words *words)
{
    const struct lk_id *id = &change->id;

    switch ((enum lk_shape)change->kind->shape) {
    case LK_SHAPE_TENANT: lk_words_add_number(words, id->tenant); break;
    case LK_SHAPE_IN_TENANT: lk_words_add_number(words, id->sub); break;
    case LK_SHAPE_USER:
    case LK_SHAPE_ONE_A_USER: lk_words_add_number(words, id->user); break;
    default:
        lk_words_add_number(words, id->user);
        lk_words_add(words, ".");
        lk_words_add_number(words, id->sub);
        break;
    }
}

/* "user 3: set email, status": numbers and names of fields, nothing of their values. */
static void audit_describe(const struct lk_change *change, struct lk_span action, struct lk_span id,
                           struct lk_words *text)
{
    const struct lk_kind *kind = change->kind;
    const char *between = " ";
    size_t i = action.size;

    while (i && action.data[i - 1] != '.') {
        i--;
    }
    lk_words_add(text, kind->name);
    lk_words_add(text, " ");
    lk_words_add_span(text, id);
    lk_words_add(text, ": ");
    lk_words_add_span(text, (struct lk_span){action.data + i, action.size - i});
    for (i = 0; change->operation == LK_UPDATE && i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (!(field->flags & (LK_F_HIDDEN | LK_F_SECRET)) &&
            (change->changed >> field->number) & 1) {
            lk_words_add(text, between);
            lk_words_add(text, field->name);
            between = ", ";
        }
    }
}

/* Who acts in another tenant is known by name in the own one only: both get the entry. */
static int audit_append_both(struct lk_txn *txn, uint32_t tenant, struct lk_audit_entry *entry)
{
    struct lk_audit_entry copy = *entry;
    int error = lk_audit_append(txn, tenant, LK_RING_ADMIN, entry);

    if (!error && txn->actor.user && txn->actor.tenant != tenant) {
        error = lk_audit_append(txn, txn->actor.tenant, LK_RING_ADMIN, &copy);
        error = error == LK_E_NOT_FOUND ? 0 : error; /* a tenant that purges itself */
    }
    return error;
}

int lk_audit_change(struct lk_txn *txn, const struct lk_change *change, const char *verb)
{
    struct lk_audit_entry entry;
    char action[64], resource[32], description[AUDIT_WORDS];
    struct lk_words words = {action, 0, sizeof(action)};
    struct lk_words id = {resource, 0, sizeof(resource)};
    struct lk_words text = {description, 0, sizeof(description)};
    const struct lk_kind *kind = change->kind;
    uint8_t details[600];
    size_t size;
    uint32_t tenant = change->id.tenant;

    verb = verb ? verb : audit_verb(change->operation);
    memset(&entry, 0, sizeof(entry));
    /* A verb with a dot is the whole action: what was done was asked for under another noun. */
    if (!memchr(verb, '.', strlen(verb))) {
        lk_words_add(&words, kind->name);
        lk_words_add(&words, ".");
    }
    lk_words_add(&words, verb);
    audit_resource_id(change, &id);
    audit_describe(change, lk_words_span(&words), lk_words_span(&id), &text);
    if (txn->actor.approver) {
        lk_words_add(&text, "; approved by user ");
        lk_words_add_number(&text, txn->actor.approver);
    }

    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 12), lk_words_span(&words));
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 13),
                      (struct lk_span){(const uint8_t *)kind->name, strlen(kind->name)});
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 14), lk_words_span(&id));
    lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 16), lk_words_span(&text));
    audit_set(&entry, 17, audit_category(kind));
    if ((change->changed || txn->actor.approver) &&
        !audit_details(change, txn->actor.approver, details, sizeof(details), &size)) {
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 24),
                          (struct lk_span){details, size});
    }
    /* A purged tenant's own rings go with it. */
    if (kind == &lk_kind_tenant && change->operation == LK_PURGE) {
        tenant = LK_STORE_TENANT;
    }
    return audit_append_both(txn, tenant, &entry);
}

int lk_audit_write(struct lk_txn *txn, enum lk_ring_number ring, struct lk_audit_entry *entry)
{
    size_t i;
    int error;

    if (!txn->open || txn->mode != LK_WRITE || (unsigned)ring >= LK_RING_COUNT) {
        return LK_E_STATE;
    }
    audit_set(entry, 8, 0);
    audit_set(entry, 9, 0);
    for (i = 0; i < lk_kind_audit.field_count; i++) {
        const struct lk_field *field = &lk_kind_audit.fields[i];

        error = field->flags & LK_F_COMPUTED
                    ? 0
                    : lk_check_field(txn, &lk_kind_audit, field, &entry->record);
        if (error) {
            return error;
        }
    }
    return lk_audit_append(txn, entry->record.id.tenant, ring, entry);
}

/* ---- Another capacity ---- */

static int audit_move(struct lk_txn *txn, uint32_t tenant, uint32_t from_ring, uint32_t from,
                      uint32_t to_ring, uint32_t to)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_work *work = lk_work(txn);
    struct lk_id id = {tenant, from_ring, from};
    struct lk_span value, cbor;
    struct lk_key key;
    size_t size;
    bool sound;
    int error;

    lk_key_record(&key, &lk_kind_audit, id);
    error = ops->get(&txn->storage, lk_key_span(&key), &value);
    if (error) {
        return error;
    }
    /* What is damaged is moved as it is: its place keeps the others' order. */
    sound = !lk_value_open(txn->store, lk_key_span(&key), value, &cbor);
    size = sound ? cbor.size : value.size;
    if (size > sizeof(work->audit)) {
        return LK_E_CORRUPT;
    }
    memcpy(work->audit, value.data, size);
    error = ops->remove(&txn->storage, lk_key_span(&key));
    if (error) {
        return error;
    }
    lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, to_ring, to});
    return sound ? lk_value_put(txn, &key, work->audit, size)
                 : ops->put(&txn->storage, lk_key_span(&key), (struct lk_span){work->audit, size});
}

/* Slots in use: all below the first empty one, as a ring fills from 0. */
static int audit_used(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t *used)
{
    const struct lk_storage_ops *ops = txn->store->storage->ops;
    struct lk_storage_cursor cursor;
    struct lk_span found, value;
    struct lk_key prefix, key;
    const struct lk_kind *kind;
    struct lk_id id;
    int error;

    lk_key_of_user(&prefix, &lk_kind_audit, tenant, 0);
    lk_key_put_number(&prefix, ring);
    *used = 0;
    error = lk_cursor_begin(txn, &cursor, &prefix);
    if (error) {
        return error;
    }
    error = ops->seek_before(&cursor, (struct lk_span){NULL, 0}, &found, &value);
    if (!error) {
        key.size = 0;
        lk_key_put_bytes(&key, found);
        error = lk_key_parse(txn->store, lk_key_span(&key), &kind, &id);
        *used = id.sub + 1;
    }
    lk_cursor_end(&cursor);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* Lays a ring anew in order of age from slot 0, the newest that fit; a ring of a number of its own
 * holds them meanwhile. */
static int audit_relay(struct lk_txn *txn, uint32_t tenant, uint32_t ring, uint32_t capacity)
{
    uint32_t spare = ring + LK_RING_COUNT, used, head, i, from, keep;
    uint64_t seq;
    int error = audit_used(txn, tenant, ring, &used);

    if (!error && used) {
        error = lk_audit_bisect(txn, tenant, ring, used, &head, &seq);
    }
    if (error || !used || (head == used - 1 && used <= capacity)) {
        return error;
    }
    keep = used < capacity ? used : capacity;
    from = (head + 1) % used;
    for (i = 0; !error && i < used; i++) {
        uint32_t slot = (from + i) % used;

        if (i < used - keep) {
            struct lk_key key;

            lk_key_record(&key, &lk_kind_audit, (struct lk_id){tenant, ring, slot});
            error = txn->store->storage->ops->remove(&txn->storage, lk_key_span(&key));
        } else {
            error = audit_move(txn, tenant, ring, slot, spare, i - (used - keep));
        }
    }
    for (i = 0; !error && i < keep; i++) {
        error = audit_move(txn, tenant, spare, i, ring, i);
    }
    return error;
}

int lk_audit_resize(struct lk_txn *txn, uint32_t tenant)
{
    uint32_t capacity;
    unsigned i;
    int error = lk_audit_capacity(txn, tenant, &capacity);

    for (i = 0; !error && i < LK_RING_COUNT; i++) {
        error = audit_relay(txn, tenant, i, capacity);
    }
    memset(txn->store->audit_heads, 0, sizeof(txn->store->audit_heads));
    return error;
}
