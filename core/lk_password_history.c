// SPDX-License-Identifier: MIT
/*
 * lk_password_history.c: the passwords that a user had, and whether a new one is among them.
 *
 * They are kept as verifiers, newest first, each after its size in two bytes, all sealed as one.
 * Comparing costs a hash each, so it is done outside transactions, slice by slice.
 */
#include "lk_engine.h"

#define HISTORY_PLAIN_MAX (LK_HISTORY_MAX - LK_SEAL_EXTRA)

/* The next entry off the front. False at the end, and where the rest is none. */
static bool history_entry(struct lk_span *at, struct lk_span *entry)
{
    size_t size;

    if (at->size < 2) {
        return false;
    }
    size = (size_t)at->data[0] << 8 | at->data[1];
    if (size > at->size - 2) {
        return false;
    }
    *entry = (struct lk_span){at->data + 2, size};
    at->data += 2 + size;
    at->size -= 2 + size;
    return true;
}

static void history_add(struct lk_span entry, uint8_t *plain, size_t *size)
{
    plain[*size] = (uint8_t)(entry.size >> 8);
    plain[*size + 1] = (uint8_t)entry.size;
    memcpy(plain + *size + 2, entry.data, entry.size);
    *size += 2 + entry.size;
}

/* The sealed history in the open. Damage is taken for none: it must not keep a password from being
 * set. */
static int history_open(struct lk_store *store, const struct lk_credential *credential,
                        uint8_t plain[HISTORY_PLAIN_MAX], struct lk_span *entries)
{
    size_t size = 0;
    int error = credential->history.size
                    ? lk_unseal_as(store, credential->record.id, LK_SEALED_HISTORY,
                                   credential->history, plain, HISTORY_PLAIN_MAX, &size)
                    : 0;

    *entries = (struct lk_span){plain, error ? 0 : size};
    return error == LK_E_CORRUPT ? 0 : error;
}

int lk_history_push(struct lk_store *store, const struct lk_credential *old, unsigned earlier,
                    uint8_t out[LK_HISTORY_MAX], size_t *size)
{
    uint8_t before[HISTORY_PLAIN_MAX], after[HISTORY_PLAIN_MAX], verifier[1 + LK_VERIFIER_MAX];
    struct lk_span entries, entry;
    size_t after_size = 0, verifier_size;
    int error;

    *size = 0;
    if (!earlier) {
        return 0;
    }
    error = lk_unseal_as(store, old->record.id, LK_SEALED_SECRET, old->secret, verifier,
                         sizeof(verifier), &verifier_size);
    if (!error) {
        history_add((struct lk_span){verifier, verifier_size}, after, &after_size);
        earlier--;
    }
    if (!error || error == LK_E_CORRUPT) {
        error = history_open(store, old, before, &entries);
    }
    /* Where a foreign hash takes much room, the oldest go early. */
    while (!error && earlier-- && history_entry(&entries, &entry) &&
           after_size + 2 + entry.size <= sizeof(after)) {
        history_add(entry, after, &after_size);
    }
    if (!error && after_size) {
        error = lk_seal_as(store, old->record.id, LK_SEALED_HISTORY,
                           (struct lk_span){after, after_size}, out, LK_HISTORY_MAX, size);
    }
    lk_wipe(store, before, sizeof(before));
    lk_wipe(store, after, sizeof(after));
    lk_wipe(store, verifier, sizeof(verifier));
    return error;
}

int lk_history_get(struct lk_store *store, const struct lk_credential *credential, unsigned n,
                   struct lk_verifier *verifier)
{
    uint8_t plain[HISTORY_PLAIN_MAX];
    struct lk_span entries, entry = {NULL, 0};
    int error;

    if (!n) {
        return lk_verifier_open(store, credential->record.id, credential->secret, verifier);
    }
    error = history_open(store, credential, plain, &entries);
    while (!error && n--) {
        error = history_entry(&entries, &entry) ? 0 : LK_E_NOT_FOUND;
    }
    if (!error) {
        error = lk_verifier_unpack(entry.data, entry.size, verifier);
    }
    lk_wipe(store, plain, sizeof(plain));
    return error;
}

/* ---- Comparing ---- */

/* The next verifier to compare with, in a transaction of its own. LK_E_NOT_FOUND at the end. */
static int reuse_load(struct lk_store *store, struct lk_id user, struct lk_reuse *reuse,
                      struct lk_verifier *verifier)
{
    struct lk_credential credential;
    struct lk_tenant tenant;
    struct lk_txn txn;
    uint64_t stamp;
    int error;

    memset(&txn, 0, sizeof(txn));
    error = lk_begin(store, &txn, LK_READ, NULL);
    if (error) {
        return error;
    }
    error = lk_get(&txn, &lk_kind_tenant, (struct lk_id){user.tenant, 0, 0}, &tenant.record);
    if (!error) {
        reuse->count = (unsigned)tenant.password_history;
        error = lk_credential_find(&txn, user, LK_CREDENTIAL_PASSWORD, &credential);
        error = error == LK_E_CORRUPT ? LK_E_NOT_FOUND : error;
    }
    if (!error) {
        stamp = lk_verifier_stamp(store, &credential);
        if (reuse->stamp && reuse->stamp != stamp) {
            error = LK_E_BUSY;
        }
        reuse->stamp = stamp;
    } else if (error == LK_E_NOT_FOUND && reuse->stamp) {
        error = LK_E_BUSY;
    }
    if (!error) {
        error = reuse->at < reuse->count ? lk_history_get(store, &credential, reuse->at, verifier)
                                         : LK_E_NOT_FOUND;
        if (error == LK_E_CORRUPT) {
            memset(verifier, 0, sizeof(*verifier)); /* of no form: nobody's password */
            error = 0;
        }
    }
    lk_abort(&txn);
    lk_txn_release(&txn);
    return error;
}

int lk_reuse_step(struct lk_store *store, struct lk_id user, struct lk_reuse *reuse,
                  struct lk_pwhash_job *job)
{
    const struct lk_port *port = store->port;
    struct lk_verifier verifier;
    int error;

    if (reuse->hashing) {
        error = port->crypto->pwhash_step(port->self, job);
        if (error > 0) {
            return error;
        }
        reuse->hashing = false;
        reuse->reused |=
            !error && port->crypto->equal(job->hash, reuse->expected, sizeof(reuse->expected));
        reuse->at++;
        /* A verifier that costs more than this build pays matches nothing. */
        return error && error != LK_E_CHECK ? error : 1;
    }
    error = reuse_load(store, user, reuse, &verifier);
    if (!error && verifier.form == LK_VERIFIER_ARGON2ID) {
        job->params = verifier.argon2id.params;
        memcpy(job->salt, verifier.argon2id.salt, sizeof(job->salt));
        memcpy(reuse->expected, verifier.argon2id.hash, sizeof(reuse->expected));
        memset(job->progress, 0, sizeof(job->progress));
        reuse->hashing = true;
    } else if (!error && verifier.form == LK_VERIFIER_FOREIGN) {
        error = port->crypto->foreign_verify
                    ? port->crypto->foreign_verify(
                          port->self, (struct lk_span){verifier.foreign, verifier.foreign_size},
                          (struct lk_span){job->password, job->password_size})
                    : LK_E_UNSUPPORTED;
        reuse->reused |= !error;
        reuse->at++;
        error =
            error == LK_E_REFUSED || error == LK_E_UNSUPPORTED || error == LK_E_CHECK ? 0 : error;
    } else if (!error) {
        reuse->at++;
    }
    lk_wipe(store, &verifier, sizeof(verifier));
    if (error) {
        return error == LK_E_NOT_FOUND ? 0 : error;
    }
    return 1;
}

void lk_reuse_done(const struct lk_reuse *reuse, struct lk_password *password)
{
    password->compared = (uint8_t)(reuse->count + 1);
    password->compared_to = reuse->stamp;
}
