// SPDX-License-Identifier: MIT
/*
 * lk_budget.c: what may be done so often an hour.
 *
 * A budget is one number (GCRA): the time at which it is whole again. Whole, it is worth an hour;
 * a user's of good logins two, the second of which only known devices spend of.
 */
#include "lk_login.h"

/* Further ahead than it is worth nobody can have spent it: the clock was set back. */
static uint64_t budget_sound(uint64_t tat, uint64_t now_ms, unsigned hours)
{
    return tat > now_ms && tat - now_ms <= (uint64_t)hours * LK_HOUR_MS ? tat : now_ms;
}

uint64_t lk_budget_wait(uint64_t tat, uint64_t now_ms, uint64_t per_hour, unsigned hours,
                        unsigned mine)
{
    uint64_t ends = budget_sound(tat, now_ms, hours) + LK_HOUR_MS / per_hour;

    return lk_elapsed(ends, now_ms + (uint64_t)mine * LK_HOUR_MS);
}

uint64_t lk_budget_spend(uint64_t tat, uint64_t now_ms, uint64_t per_hour, unsigned hours)
{
    return budget_sound(tat, now_ms, hours) + LK_HOUR_MS / per_hour;
}

uint64_t lk_throttle_keep(struct lk_store *store, uint64_t stored, uint64_t now_ms)
{
    uint64_t tat = budget_sound(store->throttle.tat, now_ms, 1);

    stored = budget_sound(stored, now_ms, 1);
    store->throttle.tat = tat > stored ? tat : stored;
    return store->throttle.tat > now_ms ? store->throttle.tat : 0;
}
