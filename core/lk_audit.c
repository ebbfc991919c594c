// SPDX-License-Identifier: MIT
/* lk_audit.c: what an entry says: of changes, of logins and sessions, and of applications. */
#include "lk_audit.h"

/* Of a change: what it is told as, and the names of the fields. Where values are small, an entry
 * must fit all the same: the text is cut, and long lists are left out. */
#define AUDIT_WORDS   (LK_VALUE_MAX < 640 ? 72 : 255)
#define AUDIT_DETAILS (LK_VALUE_MAX < 640 ? 72 : 600)

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

/* ---- Writing ---- */

static void audit_set(struct lk_audit_entry *entry, unsigned number, uint64_t value)
{
    lk_field_set_number(&entry->record, lk_audit_field(number), value);
}

/* The user agent leaves room for the rest where values are small. */
static size_t audit_agent(const struct lk_store *store)
{
    return store->value_max < 4096 ? store->value_max / 8 : 500;
}

/* Who, and from where. Of somebody of another tenant the address is in that tenant's audit only,
 * which also loses it when the user is purged. */
static int audit_fill(struct lk_txn *txn, uint32_t tenant, struct lk_audit_entry *entry,
                      uint8_t tag[8])
{
    const struct lk_actor *actor = &txn->actor;
    bool foreign = actor->user && actor->tenant != tenant;
    struct lk_span agent = lk_text_kept(actor->user_agent, audit_agent(txn->store));

    if (actor->user && !foreign) {
        audit_set(entry, 11, actor->user);
    }
    audit_set(entry, 18, actor->channel);
    if (actor->session && actor->tenant == tenant) {
        audit_set(entry, 19, actor->session);
    }
    if (foreign) {
        entry->record.present &= ~LK_TRACE_SOURCE;
    } else if (actor->ip.size == 4 || actor->ip.size == 16) {
        lk_field_set_span(&entry->record, lk_audit_field(20), actor->ip);
    }
    if (agent.size && !foreign) {
        lk_field_set_span(&entry->record, lk_audit_field(21), agent);
    }
    if (LK_HAS(&entry->record, 20) || (foreign && actor->ip.size)) {
        int error = lk_audit_tag(txn->store, tenant, foreign ? actor->ip : entry->ip, tag);

        if (error) {
            return error;
        }
        lk_field_set_span(&entry->record, lk_audit_field(26), (struct lk_span){tag, 8});
    }
    return 0;
}

/* The first of what may repeat: from then on it is counted in `slot`. */
static int audit_put_first(struct lk_txn *txn, struct lk_audit_place *place, uint32_t ring,
                           struct lk_audit_entry *entry, uint64_t personal, uint32_t slot)
{
    struct lk_audit_entry first = *entry;
    int error = lk_audit_put(txn, place, ring, entry, personal);

    return error ? error : lk_audit_fold_open(txn, ring, slot, &first, personal);
}

static int audit_append(struct lk_txn *txn, uint32_t tenant, uint32_t ring,
                        struct lk_audit_entry *entry, uint64_t personal)
{
    struct lk_audit_place place;
    uint8_t tag[8];
    uint32_t slot = 0;
    bool folded = false;
    int error = lk_audit_place(txn, tenant, &place);

    entry->record.id.tenant = tenant;
    if (!error) {
        error = audit_fill(txn, tenant, entry, tag);
    }
    if (!error && entry->outcome == LK_FAILURE) {
        error = lk_audit_fold(txn, &place, ring, entry, &slot, &folded);
    }
    if (!error && !folded) {
        error = slot ? audit_put_first(txn, &place, ring, entry, personal, slot)
                     : lk_audit_put(txn, &place, ring, entry, personal);
    }
    entry->record.present &= ~LK_BIT(26);
    entry->source_tag = (struct lk_span){NULL, 0};
    return error;
}

int lk_audit_append(struct lk_txn *txn, uint32_t tenant, enum lk_ring_number ring,
                    struct lk_audit_entry *entry)
{
    return audit_append(txn, tenant, (uint32_t)ring, entry, LK_TRACE_SOURCE);
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

/* What an entry about a change says. */
struct audit_texts {
    struct lk_span action, resource_id, description, details;
};

static int audit_append_change(struct lk_txn *txn, uint32_t tenant, const struct lk_kind *kind,
                               const struct audit_texts *texts)
{
    struct lk_audit_entry entry;

    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_audit_field(12), texts->action);
    lk_field_set_span(&entry.record, lk_audit_field(13),
                      (struct lk_span){(const uint8_t *)kind->name, strlen(kind->name)});
    lk_field_set_span(&entry.record, lk_audit_field(14), texts->resource_id);
    lk_field_set_span(&entry.record, lk_audit_field(16), texts->description);
    audit_set(&entry, 17, audit_category(kind));
    if (texts->details.size) {
        lk_field_set_span(&entry.record, lk_audit_field(24), texts->details);
    }
    return lk_audit_append(txn, tenant, LK_RING_ADMIN, &entry);
}

int lk_audit_change(struct lk_txn *txn, const struct lk_change *change, const char *verb)
{
    char action[64], resource[32], description[AUDIT_WORDS];
    struct lk_words words = {action, 0, sizeof(action)};
    struct lk_words id = {resource, 0, sizeof(resource)};
    struct lk_words text = {description, 0, sizeof(description)};
    const struct lk_kind *kind = change->kind;
    uint8_t details[AUDIT_DETAILS];
    struct audit_texts texts;
    size_t size = 0;
    uint32_t tenant = change->id.tenant;
    int error;

    verb = verb ? verb : audit_verb(change->operation);
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
    if ((change->changed || txn->actor.approver) &&
        audit_details(change, txn->actor.approver, details, sizeof(details), &size)) {
        size = 0; /* too many */
    }
    texts = (struct audit_texts){
        lk_words_span(&words), lk_words_span(&id), lk_words_span(&text), {details, size}};
    /* A purged tenant's own rings go with it. */
    if (kind == &lk_kind_tenant && change->operation == LK_PURGE) {
        tenant = LK_STORE_TENANT;
    }
    error = audit_append_change(txn, tenant, kind, &texts);
    /* Who acts in another tenant is known by name in the own one only: both get the entry. */
    if (!error && txn->actor.user && txn->actor.tenant != tenant) {
        error = audit_append_change(txn, txn->actor.tenant, kind, &texts);
        error = error == LK_E_NOT_FOUND ? 0 : error; /* a tenant that purges itself */
    }
    return error;
}

/* Fields that an application gives; the rest is filled in. */
#define AUDIT_GIVEN (LK_TRACE_ALL | LK_BIT(12) | LK_BIT(13) | LK_BIT(14) | LK_BIT(15) | LK_BIT(17))

int lk_audit_write(struct lk_txn *txn, enum lk_ring_number ring, struct lk_audit_entry *entry)
{
    size_t i;
    int error;

    if (!txn->open || txn->mode != LK_WRITE || (unsigned)ring >= LK_RING_COUNT) {
        return LK_E_STATE;
    }
    entry->record.present &= AUDIT_GIVEN;
    entry->actor = entry->repeats = entry->dropped = entry->seq = 0;
    entry->source_tag = entry->sealed = (struct lk_span){NULL, 0};
    if (!LK_HAS(&entry->record, 16)) {
        return lk_refuse(txn, LK_E_CHECK, &lk_kind_audit, "description", LK_TEXT(""),
                         "is required");
    }
    for (i = 0; i < lk_kind_audit.field_count; i++) {
        const struct lk_field *field = &lk_kind_audit.fields[i];

        error = (AUDIT_GIVEN >> field->number) & 1
                    ? lk_check_field(txn, &lk_kind_audit, field, &entry->record)
                    : 0;
        if (error) {
            return error;
        }
    }
    error = audit_append(txn, entry->record.id.tenant, (uint32_t)ring, entry, LK_TRACE_ALL);
    return error == LK_E_LIMIT ? error : lk_spoil(txn, error);
}
