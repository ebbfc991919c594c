// SPDX-License-Identifier: MIT
/*
 * lk_clock.c: what time it is in the store. (DESIGN.md, Time)
 *
 * Time never goes back: the newest time seen is kept, in memory at each reading and in storage to
 * the minute. While the wall clock is unset, or says less than that, time goes on from there by the
 * monotonic clock, over reopening too as long as the machine stays on. Powered time counts how long
 * the machine was on in all: what must end without any clock ends by it.
 */
#include "lk_engine.h"

/* What the platform's clock says, and how far that can be believed. */
static int clock_wall(const struct lk_store *store, uint64_t *wall, enum lk_clock_quality *quality)
{
    int error;

    *wall = 0;
    *quality = LK_CLOCK_UNSET;
    error = store->port->clock->wall(store->port->self, wall, quality);
    if (*wall < LK_CLOCK_LEAST_MS || *wall >= LK_CLOCK_END_MS) {
        *quality = LK_CLOCK_UNSET; /* whatever it says of itself */
    }
    return error;
}

/* Where the monotonic clock stood when `meta` was stored, as this boot counts. */
static uint64_t clock_origin(const struct lk_store *store, const struct lk_meta *meta,
                             uint64_t monotonic)
{
    if (!(store->flags & LK_STORE_BOOT)) {
        return monotonic; /* nobody knows how long ago that was */
    }
    if (meta->boot != store->boot) {
        return 0; /* before this boot began */
    }
    return meta->monotonic_ms < monotonic ? meta->monotonic_ms : monotonic;
}

int lk_clock_start(struct lk_store *store, const struct lk_meta *stored)
{
    const struct lk_meta fresh = {.schema = LK_SCHEMA_VERSION,
                                  .audit_capacity = store->audit_capacity,
                                  .left_out = store->meta.left_out};
    const struct lk_meta *meta = stored ? stored : &fresh;
    const struct lk_port *port = store->port;
    enum lk_clock_quality quality;
    uint64_t monotonic, origin, wall;
    int error = port->clock->boot ? port->clock->boot(port->self, &store->boot) : LK_E_UNSUPPORTED;

    if (!error) {
        store->flags |= LK_STORE_BOOT;
    } else if (error == LK_E_UNSUPPORTED) {
        /* Each opening counts as a boot. */
        error = lk_random(store, (uint8_t *)&store->boot, sizeof(store->boot));
    }
    if (!error) {
        error = port->clock->monotonic(port->self, &monotonic);
    }
    if (!error) {
        error = clock_wall(store, &wall, &quality);
    }
    if (error) {
        return error;
    }
    store->boot |= !store->boot;
    origin = stored ? clock_origin(store, stored, monotonic) : monotonic;
    /* Another machine may have stored it while this one was on: no more than the clocks tell has
     * passed since. */
    if (meta->boot != store->boot && quality >= LK_CLOCK_SET) {
        wall = lk_elapsed(wall, meta->high_water_ms);
        origin = lk_elapsed(monotonic, origin) > wall ? monotonic - wall : origin;
    }
    store->meta = *meta;
    store->time_epoch = meta->time_epoch;
    store->high_water_ms = meta->high_water_ms;
    store->high_water_at = origin;
    store->powered_offset = meta->powered_ms - origin;
    return 0;
}

/* What another process stored meanwhile: later times, or a new epoch. */
static int clock_reload(struct lk_txn *txn, struct lk_meta *meta)
{
    struct lk_store *store = txn->store;
    int error = lk_meta_get(txn, meta);

    if (error) {
        return error;
    }
    lk_store_lock(store, true);
    if (meta->time_epoch != store->time_epoch || meta->high_water_ms > store->high_water_ms) {
        store->time_epoch = meta->time_epoch;
        store->high_water_ms = meta->high_water_ms;
        store->high_water_at = clock_origin(store, meta, txn->monotonic_ms);
    }
    lk_store_lock(store, false);
    return 0;
}

/* 1 when the wall clock stands behind the store's. */
static int clock_decide(struct lk_txn *txn, uint64_t wall, enum lk_clock_quality quality)
{
    struct lk_store *store = txn->store;
    uint64_t seen, expected;
    int behind = 0;

    lk_store_lock(store, true);
    seen = store->high_water_ms;
    expected = seen + lk_elapsed(txn->monotonic_ms, store->high_water_at);
    txn->clock = quality;
    if (quality >= LK_CLOCK_SET && wall + LK_CLOCK_GRAIN_MS >= expected) {
        txn->now_ms = wall > seen ? wall : seen;
    } else {
        behind = quality >= LK_CLOCK_SET;
        txn->now_ms = expected;
        txn->clock = seen < LK_CLOCK_LEAST_MS ? LK_CLOCK_UNSET : LK_CLOCK_HELD;
    }
    store->high_water_ms = txn->now_ms;
    store->high_water_at = txn->monotonic_ms;
    lk_store_lock(store, false);
    return behind;
}

int lk_clock_begin(struct lk_txn *txn)
{
    struct lk_store *store = txn->store;
    const struct lk_port *port = store->port;
    enum lk_clock_quality quality;
    struct lk_meta meta;
    uint64_t wall;
    int error = clock_wall(store, &wall, &quality);

    if (!error) {
        error = port->clock->monotonic(port->self, &txn->monotonic_ms);
    }
    if (!error && txn->mode == LK_WRITE && store->flags & LK_STORE_LOADED) {
        error = clock_reload(txn, &meta);
        /* Damaged since it was opened: what is remembered serves, and is stored anew. */
        store->meta = error ? store->meta : meta;
        error = error == LK_E_CORRUPT ? 0 : error;
    }
    if (!error && clock_decide(txn, wall, quality) && txn->mode == LK_READ) {
        /* Did another process set the clock back, and open a new epoch? */
        error = clock_reload(txn, &meta);
        error = error == LK_E_CORRUPT ? 0 : error;
        (void)clock_decide(txn, wall, quality); /* what it answers was acted on */
    }
    return error;
}

int lk_clock_save(struct lk_txn *txn, bool always)
{
    struct lk_store *store = txn->store;
    struct lk_meta *meta = &store->meta;

    if (!always && txn->now_ms < meta->high_water_ms + LK_CLOCK_GRAIN_MS &&
        (meta->boot == store->boot || !(store->flags & LK_STORE_BOOT))) {
        return 0;
    }
    meta->high_water_ms = txn->now_ms;
    meta->boot = store->flags & LK_STORE_BOOT ? store->boot : 0;
    meta->monotonic_ms = store->flags & LK_STORE_BOOT ? txn->monotonic_ms : 0;
    meta->powered_ms = lk_powered(txn);
    meta->charge_tat = lk_throttle_keep(store, meta->charge_tat, txn->now_ms);
    txn->storage.urgent = true; /* the time is no reason to refuse what there was room for */
    return lk_meta_put(txn, meta);
}
