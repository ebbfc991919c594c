// SPDX-License-Identifier: MIT
/*
 * lk_throttle.c: what a flood of logins may cost the store as a whole.
 *
 * Sources that fail often are delayed, and all failures together have a budget, both on the network
 * lane only. The table of sources lives in the store handle; the budget's number is also in the
 * meta record, so that a restart does not refill it. Everything here runs under the writer's lock.
 */
#include "lk_login.h"

#define THROTTLE_FAILURES 20  /* of a source, that start its delay */
#define THROTTLE_MOST_S   900 /* that it grows to */
#define THROTTLE_REOPEN   10  /* a spent budget opens again when this part of it is back */

/* ---- Sources ---- */

struct lk_span lk_login_address(struct lk_span ip)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    bool v4 = ip.size == 16 && memcmp(ip.data, mapped, sizeof(mapped)) == 0;

    return v4 ? (struct lk_span){ip.data + sizeof(mapped), 4} : ip;
}

uint64_t lk_throttle_source(const struct lk_store *store, struct lk_span ip)
{
    uint64_t tag;

    ip = lk_login_address(ip);
    if (ip.size == 16) {
        ip.size = 8; /* who has one address of a /64 has them all */
    } else if (ip.size != 4) {
        return 0;
    }
    tag = lk_stamp(store, ip);
    return tag ? tag : 1;
}

static struct lk_source *throttle_find(struct lk_store *store, uint64_t tag)
{
    size_t i;

    for (i = 0; tag && i < LK_SOURCES; i++) {
        if (store->throttle.sources[i].tag == tag) {
            return &store->throttle.sources[i];
        }
    }
    return NULL;
}

/* Its own, a free one, or else that of the fewest failures, the oldest of those. */
static struct lk_source *throttle_place(struct lk_store *store, uint64_t tag)
{
    struct lk_source *sources = store->throttle.sources, *place = throttle_find(store, tag);
    size_t i;

    if (place) {
        return place;
    }
    for (place = sources, i = 1; i < LK_SOURCES; i++) {
        if (sources[i].count < place->count ||
            (sources[i].count == place->count && sources[i].failed_at < place->failed_at)) {
            place = &sources[i];
        }
    }
    memset(place, 0, sizeof(*place));
    place->tag = tag;
    return place;
}

/* ---- The two together ---- */

uint64_t lk_throttle_wait(struct lk_store *store, uint64_t source, uint64_t now_ms)
{
    struct lk_throttle *throttle = &store->throttle;
    const struct lk_source *known = throttle_find(store, source);
    uint64_t wait = known ? lk_elapsed(known->until, now_ms) : 0, closed;

    if (wait > THROTTLE_MOST_S * 1000u) {
        wait = 0; /* the clock was set back */
    }
    closed = lk_elapsed(throttle->closed_until, now_ms);
    if (closed > LK_HOUR_MS) {
        closed = 0;
    }
    if (!closed && lk_budget_wait(throttle->tat, now_ms, LK_CHARGE_BUDGET, 1, 1)) {
        closed = LK_HOUR_MS / THROTTLE_REOPEN;
        throttle->closed_until = now_ms + closed;
        throttle->closing_noted = false;
    }
    return wait > closed ? wait : closed;
}

void lk_throttle_charge(struct lk_store *store, uint64_t source, uint64_t now_ms)
{
    struct lk_throttle *throttle = &store->throttle;
    struct lk_source *place;

    throttle->tat = lk_budget_spend(throttle->tat, now_ms, LK_CHARGE_BUDGET, 1);
    if (!source) {
        return;
    }
    place = throttle_place(store, source);
    if (lk_elapsed(now_ms, place->failed_at) >= LK_HOUR_MS) {
        place->count = 0;
    }
    place->count += place->count < UINT32_MAX;
    place->failed_at = now_ms;
    place->until = now_ms + lk_login_delay_ms(place->count, THROTTLE_FAILURES, THROTTLE_MOST_S);
}

void lk_throttle_give_back(struct lk_store *store, uint64_t source)
{
    struct lk_throttle *throttle = &store->throttle;
    struct lk_source *known = throttle_find(store, source);

    throttle->tat -= throttle->tat < LK_HOUR_MS / LK_CHARGE_BUDGET ? throttle->tat
                                                                   : LK_HOUR_MS / LK_CHARGE_BUDGET;
    if (known && known->count) {
        /* No delay ran when it was charged: what runs now is its own. */
        known->count--;
        known->until = 0;
    }
}

int lk_throttle_note(struct lk_txn *txn)
{
    struct lk_audit_entry entry;
    const struct lk_kind *kind = &lk_kind_audit;
    char text[128];
    struct lk_words words = {text, 0, sizeof(text)};

    memset(&entry, 0, sizeof(entry));
    lk_words_add(&words, "the hour's budget of failed logins is spent; refused unseen so far: ");
    lk_words_add_number(&words, txn->store->throttle.refused_count);
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12), LK_TEXT("login.close"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("store"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16), lk_words_span(&words));
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 15), LK_FAILURE);
    return lk_audit_append(txn, LK_STORE_TENANT, LK_RING_ADMIN, &entry);
}
