// SPDX-License-Identifier: MIT
/*
 * lk_device.c: what a user logs in from, and the cookie that a device is known again by.
 *
 * A cookie is made like a session's token ("lkd_"), so it names its record: to know a device again
 * takes one get, one hash and one comparison in constant time.
 */
#include "lk_engine.h"

int lk_device_of_cookie(struct lk_txn *txn, struct lk_id user, struct lk_span cookie,
                        struct lk_id *device)
{
    struct lk_store *store = txn->store;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    struct lk_device record;
    struct lk_id id;
    char kind;
    int error = lk_token_parse(cookie, &kind, &id);

    if (error || kind != LK_TOKEN_DEVICE || id.tenant != user.tenant || id.user != user.user) {
        return LK_E_NOT_FOUND;
    }
    error = lk_get(txn, &lk_kind_device, id, &record.record);
    if (!error) {
        error = lk_token_hash(store, store->token_key, cookie, hash);
    }
    if (!error && (record.cookie_hash.size != sizeof(hash) ||
                   !store->port->crypto->equal(hash, record.cookie_hash.data, sizeof(hash)))) {
        error = LK_E_NOT_FOUND;
    }
    if (!error) {
        *device = id;
    }
    /* What is damaged is known to nobody: the login goes on without it. */
    return error == LK_E_CORRUPT ? LK_E_NOT_FOUND : error;
}

int lk_device_of_fingerprint(struct lk_txn *txn, struct lk_id user, struct lk_span fingerprint,
                             struct lk_id *device)
{
    const struct lk_index *index = &lk_kind_device.indexes[0];
    struct lk_device record;
    struct lk_span value;
    struct lk_key key;
    struct lk_id id;
    int error;

    if (!fingerprint.size || fingerprint.size > LK_FINGERPRINT_MAX) {
        return LK_E_NOT_FOUND;
    }
    lk_key_index_prefix(&key, index, user.tenant);
    lk_key_put_number(&key, user.user);
    lk_key_put_bytes(&key, fingerprint);
    error = txn->store->storage->ops->get(&txn->storage, lk_key_span(&key), &value);
    if (!error) {
        error = lk_index_entry_id(&lk_kind_device, index, lk_key_span(&key), value, &id);
    }
    if (error) {
        return error;
    }
    /* Entries carry no checksum: the record must bear this one out. */
    error = lk_get(txn, &lk_kind_device, id, &record.record);
    if (error == LK_E_NOT_FOUND ||
        (!error && !lk_index_has(txn->store, &lk_kind_device, &record.record, lk_key_span(&key)))) {
        error = LK_E_CORRUPT;
    }
    if (!error) {
        *device = id;
    }
    return error;
}

/* How many there are, and the one that was seen longest ago: of those nobody vouched for, first. */
static int device_count(struct lk_txn *txn, struct lk_id user, uint32_t *count,
                        struct lk_id *oldest)
{
    struct lk_list list = {.kind = &lk_kind_device, .scope = {user.tenant, user.user, 0}};
    struct lk_device device;
    uint64_t seen = UINT64_MAX, trusted = 1;
    int error = lk_list_begin(txn, &list);

    for (*count = 0; !error; *count += error ? 0 : 1) {
        error = lk_list_next(&list, &device.record);
        if (error == LK_E_CORRUPT && device.record.id.sub) {
            /* What is damaged serves nobody: it gives way first. */
            device.trusted = device.last_seen = 0;
            error = 0;
        }
        if (!error &&
            (device.trusted < trusted || (device.trusted == trusted && device.last_seen < seen))) {
            trusted = device.trusted;
            seen = device.last_seen;
            *oldest = device.record.id;
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int lk_device_check_change(struct lk_txn *txn, struct lk_change *change)
{
    struct lk_id oldest;
    uint32_t count = 0;
    int error = change->operation == LK_ADD ? device_count(txn, change->id, &count, &oldest) : 0;

    return !error && count >= LK_DEVICE_MAX
               ? lk_refuse(txn, LK_E_LIMIT, change->kind, NULL, LK_TEXT(""),
                           "would be more devices than a user may have in this build")
               : error;
}

static int device_make_room(struct lk_txn *txn, struct lk_id user)
{
    struct lk_id oldest = {0, 0, 0};
    uint32_t count;
    int error = device_count(txn, user, &count, &oldest);

    return error || count < LK_DEVICE_MAX
               ? error
               : lk_write(txn, &lk_kind_device, LK_PURGE, oldest, NULL, 0, "replace", 0);
}

static void device_set_text(struct lk_device *device, unsigned number, struct lk_span text)
{
    text = lk_text_kept(text, lk_field_numbered(&lk_kind_device, number)->max);
    if (text.size) {
        lk_field_set_span(&device->record, lk_field_numbered(&lk_kind_device, number), text);
    }
}

int lk_device_any(struct lk_txn *txn, struct lk_id user)
{
    struct lk_list list = {.kind = &lk_kind_device, .scope = {user.tenant, user.user, 0}};
    struct lk_device device;
    int error = lk_list_begin(txn, &list);

    if (!error) {
        error = lk_list_next(&list, &device.record);
    }
    lk_list_end(&list);
    return error == LK_E_CORRUPT ? 0 : error;
}

/* Room, a number, and what stays as it is. */
static int device_begin(struct lk_txn *txn, struct lk_id *id, const struct lk_device_facts *facts,
                        struct lk_device *device)
{
    const struct lk_kind *kind = &lk_kind_device;
    int error = device_make_room(txn, *id);

    if (!error) {
        error = lk_sequence_peek(txn, id->tenant, kind, &id->sub);
    }
    lk_field_set_number(&device->record, lk_field_numbered(kind, 11), txn->now_ms);
    if (facts->fingerprint.size) {
        lk_field_set_span(&device->record, lk_field_numbered(kind, 8), facts->fingerprint);
    }
    return error;
}

int lk_device_remember(struct lk_txn *txn, const struct lk_device_facts *facts, struct lk_id *id,
                       char cookie[LK_TOKEN_SIZE])
{
    const struct lk_kind *kind = &lk_kind_device;
    enum lk_operation operation = id->sub ? LK_UPDATE : LK_ADD;
    struct lk_device device;
    struct lk_id at = *id;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    char text[LK_TOKEN_SIZE];
    int error;

    memset(&device, 0, sizeof(device));
    if (facts->fingerprint.size > LK_FINGERPRINT_MAX) {
        return lk_refuse(txn, LK_E_CHECK, kind, "fingerprint", LK_TEXT(""), "is too long");
    }
    error = operation == LK_ADD ? device_begin(txn, &at, facts, &device) : 0;
    if (!error) {
        error = lk_token_make(txn->store, txn->store->token_key, LK_TOKEN_DEVICE, at, text, hash);
    }
    if (error) {
        return error;
    }
    device.record.id = at;
    device_set_text(&device, 9, facts->name);
    device_set_text(&device, 10, facts->type);
    lk_field_set_number(&device.record, lk_field_numbered(kind, 12), txn->now_ms);
    lk_field_set_span(&device.record, lk_field_numbered(kind, 14),
                      (struct lk_span){hash, sizeof(hash)});
    error = lk_write(txn, kind, operation, at, &device.record, 0, "remember",
                     LK_W_SYSTEM | LK_W_GIVEN_ID);
    if (!error) {
        memcpy(cookie, text, sizeof(text));
        *id = at;
    }
    lk_wipe(txn->store, text, sizeof(text));
    return error;
}

int lk_device_seen(struct lk_txn *txn, struct lk_id id)
{
    struct lk_device device;
    int error = lk_get(txn, &lk_kind_device, id, &device.record);

    if (error || device.last_seen / LK_MS_PER_DAY == txn->now_ms / LK_MS_PER_DAY) {
        return error;
    }
    lk_field_set_number(&device.record, lk_field_numbered(&lk_kind_device, 12), txn->now_ms);
    return lk_record_store(txn, &lk_kind_device, &device.record, lk_work(txn)->new_value);
}
