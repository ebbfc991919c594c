// SPDX-License-Identifier: MIT
/*
 * lk_seal.c: secrets that a credential holds, sealed where they lie.
 *
 * nonce ‖ XChaCha20-Poly1305, under a subkey of the store key, with the place of the record, and
 * what it is, as associated data: what was moved elsewhere does not open.
 */
#include "lk_engine.h"

/* A credential's own secret is named by nothing. */
static struct lk_span seal_ad(const struct lk_store *store, struct lk_id id, enum lk_sealed what,
                              uint8_t ad[29])
{
    const uint32_t parts[3] = {id.tenant, id.user, id.sub};
    unsigned i;

    memcpy(ad, store->store_id, 16);
    for (i = 0; i < 12; i++) {
        ad[16 + i] = (uint8_t)(parts[i / 4] >> (24 - 8 * (i % 4)));
    }
    ad[28] = (uint8_t)what;
    return (struct lk_span){ad, what == LK_SEALED_SECRET ? 28 : 29};
}

int lk_seal_as(struct lk_store *store, struct lk_id place, enum lk_sealed what,
               struct lk_span plain, uint8_t *out, size_t capacity, size_t *size)
{
    const struct lk_port *port = store->port;
    uint8_t ad[29];
    int error;

    *size = plain.size + LK_SEAL_EXTRA;
    error = *size > capacity ? LK_E_SPACE : lk_random(store, out, LK_SEAL_NONCE_SIZE);
    return error ? error
                 : port->crypto->seal(port->self, lk_keys_now(store)->seal, out, plain,
                                      seal_ad(store, place, what, ad), out + LK_SEAL_NONCE_SIZE);
}

int lk_unseal_as(struct lk_store *store, struct lk_id place, enum lk_sealed what,
                 struct lk_span sealed, uint8_t *plain, size_t capacity, size_t *size)
{
    const struct lk_port *port = store->port;
    const struct lk_keys *before = lk_keys_before(store);
    struct lk_span text, bytes;
    uint8_t ad[29];
    int error;

    if (sealed.size <= LK_SEAL_EXTRA || sealed.size - LK_SEAL_EXTRA > capacity) {
        return LK_E_CORRUPT;
    }
    *size = sealed.size - LK_SEAL_EXTRA;
    text = (struct lk_span){sealed.data + LK_SEAL_NONCE_SIZE, *size + LK_SEAL_TAG_SIZE};
    bytes = seal_ad(store, place, what, ad);
    error =
        port->crypto->open(port->self, lk_keys_now(store)->seal, sealed.data, text, bytes, plain);
    if (error == LK_E_CORRUPT && before) {
        error = port->crypto->open(port->self, before->seal, sealed.data, text, bytes, plain);
    }
    return error;
}
