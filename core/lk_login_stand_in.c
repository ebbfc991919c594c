// SPDX-License-Identifier: MIT
/*
 * lk_login_stand_in.c: whom a name that nobody has, or a tenant that is not there, is treated like.
 *
 * A keyed hash of what is asked for chooses a tenant whose policy, and a user whose kind of
 * verifier, stands in. So what is not there has the policies, forms and costs of what is, as often
 * as they occur, and changes with them. The choice moves as little as can be when one more is
 * there.
 */
#include "lk_login.h"

#define STAND_IN_TENANT_MAX 100 /* bytes of a tenant's name */

/* Of a growing number of things, always the same one but where the choice is the newest. */
static uint32_t stand_in_choose(uint32_t hash, uint32_t count)
{
    uint32_t mask = 0, chosen;

    while (mask < count - 1) {
        mask = mask << 1 | 1;
    }
    chosen = hash & mask;
    return chosen < count ? chosen : chosen & mask >> 1;
}

static size_t stand_in_put(uint8_t *text, size_t at, struct lk_span bytes, size_t max)
{
    size_t i;

    for (i = 0; i < bytes.size && i < max; i++) {
        text[at++] = lk_ascii_lower(bytes.data[i]);
    }
    return at;
}

static uint64_t stand_in_hash(const struct lk_store *store, const uint8_t *text, size_t size)
{
    uint8_t hash[8];
    uint64_t tag = 0;
    size_t i;

    store->port->crypto->mac64(store->port->self, store->bucket_key, (struct lk_span){text, size},
                               hash);
    for (i = 0; i < sizeof(hash); i++) {
        tag = tag << 8 | hash[i];
    }
    return tag;
}

static size_t stand_in_tenant(uint8_t *text, const struct lk_login_request *request, bool with_name)
{
    size_t size = 4;

    lk_put_u32be(text, request->tenant);
    if (with_name) {
        size = stand_in_put(text, size, request->tenant_name, STAND_IN_TENANT_MAX);
        text[size++] = 0;
    }
    return size;
}

uint64_t lk_login_tag(const struct lk_store *store, const struct lk_login_request *request,
                      bool tenant_there)
{
    uint8_t text[4 + STAND_IN_TENANT_MAX + 1 + LK_LOGIN_NAME_MAX];
    size_t size = stand_in_tenant(text, request, !tenant_there);

    size = stand_in_put(text, size, request->name, LK_LOGIN_NAME_MAX);
    return stand_in_hash(store, text, size);
}

int lk_login_stand_in_tenant(struct lk_txn *txn, const struct lk_login_request *request,
                             struct lk_tenant *tenant)
{
    uint8_t text[4 + STAND_IN_TENANT_MAX + 1];
    uint32_t hash, count, chosen, tries;
    int error = lk_sequence_peek(txn, LK_STORE_TENANT, &lk_kind_tenant, &count);

    if (error) {
        return error;
    }
    hash = (uint32_t)stand_in_hash(txn->store, text, stand_in_tenant(text, request, true));
    chosen = --count ? stand_in_choose(hash, count) : 0;
    error = LK_E_NOT_FOUND;
    for (tries = 0; error == LK_E_NOT_FOUND && tries < count && tries < LK_STAND_IN_TRIES;
         tries++) {
        struct lk_id id = {1 + (chosen + tries) % count, 0, 0};

        error = lk_get(txn, &lk_kind_tenant, id, &tenant->record);
    }
    return error;
}

int lk_login_stand_in_user(struct lk_txn *txn, uint32_t tenant, uint64_t tag, unsigned attempt,
                           struct lk_id *user)
{
    struct lk_user record;
    uint32_t count;
    int error = lk_sequence_peek(txn, tenant, &lk_kind_user, &count);

    if (error || --count <= attempt) {
        return error ? error : LK_E_NOT_FOUND;
    }
    /* Other bits than those that choose the bucket. */
    *user = (struct lk_id){
        tenant, 1 + (stand_in_choose((uint32_t)(tag >> 32), count) + attempt) % count, 0};
    return lk_get(txn, &lk_kind_user, *user, &record.record);
}
