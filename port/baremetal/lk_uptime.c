// SPDX-License-Identifier: MIT
#include "lk_baremetal.h"

uint64_t lk_uptime_ms(struct lk_uptime *time, uint32_t now, uint32_t steps_per_ms)
{
    uint64_t passed = (uint64_t)(uint32_t)(now - time->last) + time->rest;

    time->last = now;
    time->ms += passed / steps_per_ms;
    time->rest = (uint32_t)(passed % steps_per_ms);
    return time->ms;
}

void lk_uptime_wall(const struct lk_uptime *time, uint64_t ms, uint64_t *wall,
                    enum lk_clock_quality *quality)
{
    *wall = time->set ? time->set_to + (ms - time->set_at) : 0;
    *quality = time->set ? LK_CLOCK_SET : LK_CLOCK_UNSET;
}

void lk_uptime_set(struct lk_uptime *time, uint64_t ms, uint64_t wall)
{
    time->set_at = ms;
    time->set_to = wall;
    time->set = true;
}
