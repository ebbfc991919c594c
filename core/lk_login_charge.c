// SPDX-License-Identifier: MIT
/*
 * lk_login_charge.c: failed logins, counted before they are known to fail.
 *
 * A known name's count stands in its activity record; an unknown one's in one of a fixed number of
 * slots that behave alike, told apart by a keyed tag of the name. When all slots of a name's bucket
 * are in use, the name that failed longest ago is forgotten. A delay doubles with each failure past
 * the policy's number.
 */
#include "lk_login.h"

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

    /* Longer than any policy has it: it began before the clock was set back, and is over. */
    if (counts->locked_until > now && counts->locked_until - now <= LK_MS_PER_DAY) {
        lk_problem_set(&login->problem, LK_E_LOCKED, NULL, NULL, LK_TEXT(""), NULL);
        login->problem.wait_s = (uint32_t)((counts->locked_until - now + 999) / 1000);
        return LK_E_LOCKED;
    }
    if (lk_elapsed(now, counts->last_failure_at) >= CHARGE_FORGET_MS) {
        count = 0;
    }
    login->counts_before = (struct lk_login_counts){counts->failed_count, counts->last_failure_at,
                                                    counts->locked_until, counts->login_count};
    count++;
    delay = charge_delay_ms(tenant, count);
    lk_field_set_number(&counts->record, lk_login_field(13), count);
    lk_field_set_number(&counts->record, lk_login_field(14), now);
    if (delay) {
        lk_field_set_number(&counts->record, lk_login_field(15), now + delay);
    } else {
        counts->record.present &= ~LK_BIT(15);
    }
    login->counts_charged =
        (struct lk_login_counts){count, now, delay ? now + delay : 0, counts->login_count};
    return lk_record_store(txn, kind, &counts->record, lk_work(txn)->new_value);
}

/* Keyed, so that nobody can choose whom to share a bucket with. */
static uint64_t charge_tag(const struct lk_store *store, uint32_t tenant, struct lk_span name)
{
    uint8_t text[4 + LK_LOGIN_NAME_MAX], hash[8];
    uint64_t tag = 0;
    size_t i;

    for (i = 0; i < 4; i++) {
        text[i] = (uint8_t)(tenant >> (24 - 8 * i));
    }
    for (i = 0; i < name.size && i < LK_LOGIN_NAME_MAX; i++) {
        text[4 + i] = lk_ascii_lower(name.data[i]);
    }
    store->port->crypto->mac64(store->port->self, store->bucket_key, (struct lk_span){text, 4 + i},
                               hash);
    for (i = 0; i < sizeof(hash); i++) {
        tag = tag << 8 | hash[i];
    }
    return tag;
}

int lk_login_bucket(struct lk_txn *txn, uint32_t tenant, struct lk_span name,
                    struct lk_bucket *bucket)
{
    uint64_t tag = charge_tag(txn->store, tenant, name), oldest = UINT64_MAX;
    uint32_t first = 1 + (uint32_t)(tag % LK_BUCKETS) * LK_BUCKET_SLOTS, slot, place = first;

    for (slot = first; slot < first + LK_BUCKET_SLOTS; slot++) {
        struct lk_id id = {tenant, 0, slot};
        int error = lk_record_load(txn, &lk_kind_bucket, id, &bucket->counts.record);

        if (!error && bucket->name_tag == tag) {
            return 0;
        }
        if (error && error != LK_E_NOT_FOUND && error != LK_E_CORRUPT) {
            return error;
        }
        /* A free slot, a damaged one, or else the one that failed longest ago. */
        if (error || bucket->counts.last_failure_at < oldest) {
            place = error && oldest == 0 ? place : slot;
            oldest = error ? 0 : bucket->counts.last_failure_at;
        }
    }
    memset(bucket, 0, sizeof(*bucket));
    bucket->counts.record.id = (struct lk_id){tenant, 0, place};
    lk_set_number(&lk_kind_bucket, &bucket->counts.record, "name_tag", tag);
    return 0;
}
