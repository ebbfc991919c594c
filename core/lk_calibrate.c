// SPDX-License-Identifier: MIT
/*
 * lk_calibrate.c: how dear a password hash may be on this machine.
 *
 * First as much memory as fits the time, since memory is what an attacker's hardware lacks; what
 * time is left goes into passes (RFC 9106, section 4). Never less than the board's default.
 */
#include "lk_engine.h"

#define CALIBRATE_RUNS     3 /* of which the quickest counts: others may have been at work */
#define CALIBRATE_KIB_MOST 65536
#define CALIBRATE_PASSES   64

/* Milliseconds that a hash takes, 1 at least. */
static int calibrate_measure(struct lk_store *store, const struct lk_calibration *calibration,
                             const struct lk_pwhash_params *params, uint32_t *ms)
{
    const struct lk_port *port = store->port;
    unsigned run;
    int error = 0;

    *ms = UINT32_MAX;
    for (run = 0; !error && run < CALIBRATE_RUNS; run++) {
        static const uint8_t password[] = "sixteen bytes...";
        struct lk_pwhash_job job;
        uint64_t from, to = 0;

        memset(&job, 0, sizeof(job));
        job.params = *params;
        job.password = password;
        job.password_size = sizeof(password);
        job.work = calibration->hash_work;
        job.work_size = calibration->hash_work_size;
        error = port->clock->monotonic(port->self, &from);
        if (!error) {
            do {
                error = port->crypto->pwhash_step(port->self, &job);
            } while (error > 0);
        }
        if (!error) {
            error = port->clock->monotonic(port->self, &to);
        }
        if (!error && lk_elapsed(to, from) < *ms) {
            *ms = (uint32_t)lk_elapsed(to, from);
        }
    }
    *ms = *ms ? *ms : 1;
    return error;
}

/* Takes dearer parameters when they keep to the time. False when they do not, or cannot be had. */
static bool calibrate_try(struct lk_store *store, struct lk_calibration *calibration,
                          struct lk_pwhash_params params, int *error)
{
    uint32_t ms;

    *error = calibrate_measure(store, calibration, &params, &ms);
    if (*error == LK_E_CHECK || *error == LK_E_CRYPTO) {
        *error = 0; /* more than the port gives */
        return false;
    }
    if (*error || ms > calibration->target_ms) {
        return false;
    }
    calibration->params = params;
    calibration->ms = ms;
    return true;
}

int lk_calibrate(struct lk_store *store, struct lk_calibration *calibration)
{
    const struct lk_pwhash_params floor = {LK_PWHASH_KIB, LK_PWHASH_PASSES, 1};
    uint32_t most = calibration->memory_kib ? calibration->memory_kib : CALIBRATE_KIB_MOST;
    struct lk_pwhash_params params = floor;
    int error;

    if (!(store->flags & LK_STORE_OPEN)) {
        return LK_E_STATE;
    }
    if (calibration->hash_work && calibration->hash_work_size / 1024 < most) {
        most = (uint32_t)(calibration->hash_work_size / 1024);
    }
    calibration->params = floor;
    error = calibrate_measure(store, calibration, &floor, &calibration->floor_ms);
    calibration->ms = calibration->floor_ms;
    if (error || calibration->floor_ms > calibration->target_ms) {
        return error;
    }
    do {
        params.memory_kib *= 2;
    } while (params.memory_kib <= most && calibrate_try(store, calibration, params, &error));
    params = calibration->params;
    params.passes = (uint32_t)((uint64_t)params.passes * calibration->target_ms / calibration->ms);
    params.passes = params.passes < CALIBRATE_PASSES ? params.passes : CALIBRATE_PASSES;
    while (!error && params.passes > calibration->params.passes &&
           !calibrate_try(store, calibration, params, &error)) {
        params.passes--;
    }
    return error;
}

int lk_pwhash_keep(struct lk_txn *txn, const struct lk_pwhash_params *params)
{
    struct lk_audit_entry entry;
    struct lk_meta meta;
    char text[80];
    struct lk_words words = {text, 0, sizeof(text)};
    const struct lk_kind *kind = &lk_kind_audit;
    int error = txn->open && txn->mode == LK_WRITE ? lk_meta_get(txn, &meta) : LK_E_STATE;

    if (error) {
        return error;
    }
    if (params->memory_kib < LK_PWHASH_KIB || params->passes < LK_PWHASH_PASSES ||
        params->passes > CALIBRATE_PASSES || params->lanes != 1) {
        return lk_refuse(txn, LK_E_CHECK, NULL, "parameters", LK_TEXT(""),
                         "cost less than this board's default, or more than 64 passes");
    }
    meta.pwhash_kib = params->memory_kib;
    meta.pwhash_passes = params->passes;
    error = lk_meta_put(txn, &meta);
    txn->store->meta = meta;
    lk_words_add(&words, "passwords are hashed with m=");
    lk_words_add_number(&words, params->memory_kib);
    lk_words_add(&words, " KiB, t=");
    lk_words_add_number(&words, params->passes);
    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT("store.calibrate"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("store"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16), lk_words_span(&words));
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 17), LK_CATEGORY_SYSTEM);
    return lk_spoil(txn,
                    error ? error : lk_audit_append(txn, LK_STORE_TENANT, LK_RING_ADMIN, &entry));
}
