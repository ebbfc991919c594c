// SPDX-License-Identifier: MIT
/*
 * lk_login_charge.c: failed logins, counted before they are known to fail.
 *
 * A known name's count stands in its activity record; an unknown one's in one of a fixed number of
 * buckets that behave alike. A delay doubles with each failure past the policy's number.
 */
#include "lk_login.h"

#define CHARGE_BUCKETS   64
#define CHARGE_FORGET_MS LK_MS_PER_DAY /* a failure this old no longer counts */

static uint64_t charge_delay_ms(const struct lk_tenant *tenant, uint64_t count)
{
    uint64_t delay = 1, most = tenant->lockout_time;

    if (!tenant->lockout_failures || count < tenant->lockout_failures) {
        return 0;
    }
    for (count -= tenant->lockout_failures; count && delay < most; count--) {
        delay *= 2;
    }
    return (delay < most ? delay : most) * 1000;
}

int lk_login_charge(struct lk_login *login, struct lk_txn *txn, const struct lk_kind *kind,
                    struct lk_activity *counts, const struct lk_tenant *tenant)
{
    uint64_t now = txn->now_ms, count = counts->failed_count, delay;

    if (counts->locked_until > now) {
        lk_problem_set(&login->problem, LK_E_LOCKED, NULL, NULL, LK_TEXT(""), NULL);
        login->problem.wait_s = (uint32_t)((counts->locked_until - now + 999) / 1000);
        return LK_E_LOCKED;
    }
    if (lk_elapsed(now, counts->last_failure_at) >= CHARGE_FORGET_MS) {
        count = 0;
    }
    count++;
    delay = charge_delay_ms(tenant, count);
    lk_field_set_number(&counts->record, lk_login_field(13), count);
    lk_field_set_number(&counts->record, lk_login_field(14), now);
    if (delay) {
        lk_field_set_number(&counts->record, lk_login_field(15), now + delay);
    } else {
        counts->record.present &= ~LK_BIT(15);
    }
    return lk_record_store(txn, kind, &counts->record, lk_work(txn)->new_value);
}

uint32_t lk_login_bucket(struct lk_store *store, uint32_t tenant, struct lk_span name)
{
    uint8_t text[4 + LK_LOGIN_NAME_MAX], hash[8];
    size_t i;

    for (i = 0; i < 4; i++) {
        text[i] = (uint8_t)(tenant >> (24 - 8 * i));
    }
    for (i = 0; i < name.size && i < LK_LOGIN_NAME_MAX; i++) {
        text[4 + i] = lk_ascii_lower(name.data[i]);
    }
    store->port->crypto->mac64(store->port->self, store->bucket_key, (struct lk_span){text, 4 + i},
                               hash);
    return 1 + hash[0] % CHARGE_BUCKETS;
}
