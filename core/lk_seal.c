// SPDX-License-Identifier: MIT
/*
 * lk_seal.c: secrets that a credential holds, sealed where they lie.
 *
 * nonce ‖ XChaCha20-Poly1305, under a subkey of the store key, with the place of the record as
 * associated data: what was moved into another record, or another store, does not open.
 */
#include "lk_engine.h"

#define SEAL_AD_SIZE 28

static void seal_ad(const struct lk_store *store, struct lk_id id, uint8_t ad[SEAL_AD_SIZE])
{
    uint32_t parts[3] = {id.tenant, id.user, id.sub};
    unsigned i;

    memcpy(ad, store->store_id, 16);
    for (i = 0; i < 12; i++) {
        ad[16 + i] = (uint8_t)(parts[i / 4] >> (24 - 8 * (i % 4)));
    }
}

int lk_seal(struct lk_store *store, struct lk_id place, struct lk_span plain, uint8_t *out,
            size_t capacity, size_t *size)
{
    const struct lk_port *port = store->port;
    uint8_t ad[SEAL_AD_SIZE];
    int error;

    *size = plain.size + LK_SEAL_EXTRA;
    error = *size > capacity ? LK_E_SPACE : lk_random(store, out, LK_SEAL_NONCE_SIZE);
    if (!error) {
        seal_ad(store, place, ad);
        error = port->crypto->seal(port->self, store->seal_key, out, plain,
                                   (struct lk_span){ad, sizeof(ad)}, out + LK_SEAL_NONCE_SIZE);
    }
    return error;
}

int lk_unseal(struct lk_store *store, struct lk_id place, struct lk_span sealed, uint8_t *plain,
              size_t capacity, size_t *size)
{
    const struct lk_port *port = store->port;
    uint8_t ad[SEAL_AD_SIZE];

    if (sealed.size <= LK_SEAL_EXTRA || sealed.size - LK_SEAL_EXTRA > capacity) {
        return LK_E_CORRUPT;
    }
    *size = sealed.size - LK_SEAL_EXTRA;
    seal_ad(store, place, ad);
    return port->crypto->open(
        port->self, store->seal_key, sealed.data,
        (struct lk_span){sealed.data + LK_SEAL_NONCE_SIZE, *size + LK_SEAL_TAG_SIZE},
        (struct lk_span){ad, sizeof(ad)}, plain);
}
