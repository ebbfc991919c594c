// SPDX-License-Identifier: MIT
/* lk_throttle.c, for boards that no network reaches: its lane is closed, whoever asks. What a
 * user's good logins may cost is kept account of as everywhere. */
#include "lk_login.h"

#define THROTTLE_HOUR_MS 3600000u

/* ---- Budgets ---- */

/* Further ahead than it is worth nobody can have spent it: the clock was set back. */
static uint64_t budget_sound(uint64_t tat, uint64_t now_ms, unsigned hours)
{
    return tat > now_ms && tat - now_ms <= (uint64_t)hours * THROTTLE_HOUR_MS ? tat : now_ms;
}

uint64_t lk_budget_wait(uint64_t tat, uint64_t now_ms, uint64_t per_hour, unsigned hours,
                        unsigned mine)
{
    uint64_t ends = budget_sound(tat, now_ms, hours) + THROTTLE_HOUR_MS / per_hour;

    return lk_elapsed(ends, now_ms + (uint64_t)mine * THROTTLE_HOUR_MS);
}

uint64_t lk_budget_spend(uint64_t tat, uint64_t now_ms, uint64_t per_hour, unsigned hours)
{
    return budget_sound(tat, now_ms, hours) + THROTTLE_HOUR_MS / per_hour;
}

uint64_t lk_throttle_keep(struct lk_store *store, uint64_t stored, uint64_t now_ms)
{
    uint64_t tat = budget_sound(store->throttle.tat, now_ms, 1);

    stored = budget_sound(stored, now_ms, 1);
    store->throttle.tat = tat > stored ? tat : stored;
    return store->throttle.tat > now_ms ? store->throttle.tat : 0;
}

/* ---- Sources ---- */

struct lk_span lk_login_address(struct lk_span ip)
{
    return ip;
}

uint64_t lk_throttle_source(const struct lk_store *store, struct lk_span ip)
{
    (void)store;
    (void)ip;
    return 0;
}

uint64_t lk_throttle_wait(struct lk_store *store, uint64_t source, uint64_t now_ms)
{
    (void)store;
    (void)source;
    (void)now_ms;
    return THROTTLE_HOUR_MS;
}

void lk_throttle_charge(struct lk_store *store, uint64_t source, uint64_t now_ms)
{
    (void)store;
    (void)source;
    (void)now_ms;
}

void lk_throttle_give_back(struct lk_store *store, uint64_t source)
{
    (void)store;
    (void)source;
}

int lk_throttle_note(struct lk_txn *txn)
{
    (void)txn;
    return 0;
}
