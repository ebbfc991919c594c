// SPDX-License-Identifier: MIT
/*
 * lk_key.c: the bytes of keys (SPEC.md, Keys).
 *
 * A number below 0xF0 is one byte; any other is 0xEF + n and then its n big-endian bytes, n as
 * small as can be, so that keys order as the numbers do.
 */
#include "lk_engine.h"

#define KEY_ONE_BYTE_END 0xF0

void lk_key_put_bytes(struct lk_key *key, struct lk_span bytes)
{
    LK_ASSERT(bytes.size <= sizeof(key->data) - key->size);
    if (bytes.size) {
        memcpy(key->data + key->size, bytes.data, bytes.size);
        key->size += bytes.size;
    }
}

void lk_key_put_number(struct lk_key *key, uint64_t number)
{
    unsigned count = 1;
    uint8_t *out;

    if (number < KEY_ONE_BYTE_END) {
        lk_key_put_byte(key, (uint8_t)number);
        return;
    }
    while (count < 8 && number >> (8 * count)) {
        count++;
    }
    LK_ASSERT(count < sizeof(key->data) - key->size);
    out = key->data + key->size;
    key->size += 1 + (size_t)count;
    *out = (uint8_t)(KEY_ONE_BYTE_END - 1 + count);
    for (; count; count--, number >>= 8) {
        out[count] = (uint8_t)number;
    }
}

int lk_key_take_number(struct lk_span *from, uint64_t *number)
{
    uint64_t value = 0;
    size_t count, i;

    if (!from->size) {
        return LK_E_CORRUPT;
    }
    if (from->data[0] < KEY_ONE_BYTE_END) {
        *number = from->data[0];
        from->data++;
        from->size--;
        return 0;
    }
    count = (size_t)from->data[0] - (KEY_ONE_BYTE_END - 1);
    if (count > 8 || from->size < count + 1 || from->data[1] == 0) {
        return LK_E_CORRUPT;
    }
    for (i = 1; i <= count; i++) {
        value = value << 8 | from->data[i];
    }
    if (value < KEY_ONE_BYTE_END) {
        return LK_E_CORRUPT;
    }
    *number = value;
    from->data += count + 1;
    from->size -= count + 1;
    return 0;
}

int lk_key_take_u32(struct lk_span *from, uint32_t *number)
{
    uint64_t value;
    int error = lk_key_take_number(from, &value);

    if (error) {
        return error;
    }
    if (value > UINT32_MAX) {
        return LK_E_CORRUPT;
    }
    *number = (uint32_t)value;
    return 0;
}

void lk_key_record(struct lk_key *key, const struct lk_kind *kind, struct lk_id id)
{
    bool of_user = kind->shape == LK_SHAPE_USER || kind->shape == LK_SHAPE_OF_USER ||
                   kind->shape == LK_SHAPE_ONE_A_USER;

    key->size = 0;
    lk_key_put_number(key, id.tenant);
    lk_key_put_byte(key, kind->class_);
    lk_key_put_number(key, of_user ? id.user : 0);
    lk_key_put_byte(key, kind->number);
    if (kind->shape == LK_SHAPE_RING) {
        lk_key_put_number(key, id.user);
    }
    if (kind->shape == LK_SHAPE_IN_TENANT || kind->shape == LK_SHAPE_OF_USER ||
        kind->shape == LK_SHAPE_RING) {
        lk_key_put_number(key, id.sub);
    }
}

/* All records of a kind that belong to a user, or (user 0) that lie in the tenant's own class. */
void lk_key_of_user(struct lk_key *key, const struct lk_kind *kind, uint32_t tenant, uint32_t user)
{
    key->size = 0;
    lk_key_put_number(key, tenant);
    lk_key_put_byte(key, kind->class_);
    lk_key_put_number(key, user);
    lk_key_put_byte(key, kind->number);
}

int lk_key_parse(const struct lk_store *store, struct lk_span bytes, const struct lk_kind **kind,
                 struct lk_id *id)
{
    struct lk_id found = {0, 0, 0};
    uint8_t class_;

    if (lk_key_take_u32(&bytes, &found.tenant) || bytes.size < 3) {
        return LK_E_CORRUPT;
    }
    class_ = *bytes.data++;
    bytes.size--;
    if (lk_key_take_u32(&bytes, &found.user) || !bytes.size) {
        return LK_E_CORRUPT;
    }
    *kind = lk_store_kind_numbered(store, *bytes.data++);
    bytes.size--;
    if (!*kind || (*kind)->class_ != class_) {
        return LK_E_CORRUPT;
    }
    if ((*kind)->shape == LK_SHAPE_RING && lk_key_take_u32(&bytes, &found.user)) {
        return LK_E_CORRUPT;
    }
    if (((*kind)->shape == LK_SHAPE_IN_TENANT || (*kind)->shape == LK_SHAPE_OF_USER ||
         (*kind)->shape == LK_SHAPE_RING) &&
        lk_key_take_u32(&bytes, &found.sub)) {
        return LK_E_CORRUPT;
    }
    if (bytes.size) {
        return LK_E_CORRUPT;
    }
    *id = found;
    return 0;
}

void lk_key_index_prefix(struct lk_key *key, const struct lk_index *index, uint32_t tenant)
{
    key->size = 0;
    lk_key_put_number(key, index->flags & LK_I_STORE ? LK_STORE_TENANT : tenant);
    lk_key_put_byte(key, LK_CLASS_INDEX);
    lk_key_put_byte(key, index->number);
}
