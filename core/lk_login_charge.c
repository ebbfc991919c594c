// SPDX-License-Identifier: MIT
/*
 * lk_login_charge.c: failed logins, counted before they are known to fail.
 *
 * A known name's counts stand in its activity record, lane by lane; an unknown one's in one of a
 * fixed number of slots that behave alike, told apart by a keyed tag of the name. When all slots of
 * a name's bucket are in use, the name that failed longest ago is forgotten, those whose delay runs
 * last. A delay doubles with each failure past the policy's number; a hundred close the network.
 *
 * Where the storage keeps tallies, a failure on the network that starts no delay is one more on the
 * record's key, and costs no record. A tally has no time: what is tallied counts until the record
 * is written, as if it had just been.
 */
#include "lk_login.h"

#define CHARGE_FORGET_MS LK_MS_PER_DAY /* a failure this old no longer counts */

#define CHARGE_MANY_REFUSALS 5 /* where the tenant has no delays: what a new one begins with */

/* Hours that the budget of good logins is worth: who has the password, and no more, spends the
 * network's at most, and a known device goes on. */
#define CHARGE_NETWORK_HOURS 1
#define CHARGE_DEVICE_HOURS  2

/* What is counted on one lane: count, time of the last, end of the delay. */
struct charge {
    uint64_t count, last, until;
};

uint64_t lk_login_delay_ms(uint64_t count, uint64_t failures, uint64_t most_s)
{
    uint64_t delay = 1;

    if (!failures || count < failures) {
        return 0;
    }
    for (count -= failures; count && delay < most_s; count--) {
        delay *= 2;
    }
    return (delay < most_s ? delay : most_s) * 1000;
}

static uint64_t charge_delay_ms(const struct lk_tenant *tenant, enum lk_lane lane, uint64_t count)
{
    uint64_t delay = lk_login_delay_ms(count, tenant->lockout_failures, tenant->lockout_time);
    uint64_t closed = tenant->close_time * 1000;

    if (lk_lane_is_network(lane) && tenant->close_failures && count >= tenant->close_failures &&
        delay < closed) {
        delay = closed;
    }
    return delay;
}

static struct charge charge_get(const struct lk_activity *counts, enum lk_lane lane)
{
    unsigned first = lk_lane_field(lane);

    return (struct charge){lk_field_number(&counts->record, lk_login_field(first)),
                           lk_field_number(&counts->record, lk_login_field(first + 1)),
                           lk_field_number(&counts->record, lk_login_field(first + 2))};
}

static void charge_set(struct lk_activity *counts, enum lk_lane lane, const struct charge *charge)
{
    unsigned first = lk_lane_field(lane);

    lk_field_set_number(&counts->record, lk_login_field(first), charge->count);
    lk_field_set_number(&counts->record, lk_login_field(first + 1), charge->last);
    if (charge->until) {
        lk_field_set_number(&counts->record, lk_login_field(first + 2), charge->until);
    } else {
        counts->record.present &= ~LK_BIT(first + 2);
    }
}

static int charge_locked(struct lk_login *login, uint64_t wait_ms)
{
    uint64_t wait_s = (wait_ms + 999) / 1000;

    lk_problem_set(&login->problem, LK_E_LOCKED, NULL, NULL, LK_TEXT(""), NULL);
    login->problem.wait_s = wait_s < UINT32_MAX ? (uint32_t)wait_s : UINT32_MAX;
    return LK_E_LOCKED;
}

/* What closes the network lane to everybody, or to a source. */
static int charge_throttled(struct lk_login *login, struct lk_txn *txn, uint64_t wait_ms)
{
    struct lk_throttle *throttle = &txn->store->throttle;
    int error = 0;

    lk_store_count(txn->store, &throttle->refused_count);
    if (throttle->closed_until > txn->now_ms && !throttle->closing_noted) {
        error = lk_throttle_note(txn);
        if (!error) {
            throttle->closing_noted = true;
            login->flags |= LOGIN_NOTED;
        }
    }
    return error ? error : charge_locked(login, wait_ms);
}

int lk_tallied(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id, uint32_t *count)
{
    const struct lk_storage *storage = txn->store->storage;
    struct lk_key key;
    int error;

    *count = 0;
    if (!(storage->caps & LK_STORAGE_TALLY)) {
        return 0;
    }
    lk_key_record(&key, kind, id);
    error = storage->ops->tallied(&txn->storage, lk_key_span(&key), count);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

void lk_tallied_add(const struct lk_txn *txn, struct lk_activity *counts, uint32_t count)
{
    if (count) {
        lk_field_set_number(&counts->record, lk_login_field(13), counts->failed_count + count);
        lk_field_set_number(&counts->record, lk_login_field(14), txn->now_ms);
    }
}

static int charge_tally(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id)
{
    struct lk_key key;
    uint32_t count;

    lk_key_record(&key, kind, id);
    txn->tallied = true;
    return txn->store->storage->ops->tally(&txn->storage, lk_key_span(&key), &count);
}

/* Does what an earlier try of this login was charged still stand? */
static bool charge_stands(const struct lk_login *login, const struct lk_activity *counts,
                          const struct charge *charge)
{
    const struct lk_login_charged *charged = &login->charged;
    const struct lk_id *id = &counts->record.id;

    return charged->now.count && charged->lane == login->lane && id->tenant == charged->id.tenant &&
           id->user == charged->id.user && id->sub == charged->id.sub && charge->count &&
           counts->login_count == charged->before.logins;
}

int lk_login_charge(struct lk_login *login, struct lk_txn *txn, const struct lk_kind *kind,
                    struct lk_activity *counts, const struct lk_tenant *tenant)
{
    bool network = lk_lane_is_network(login->lane);
    /* A tally is of the one lane; by e-mail address known and unknown names go without alike. */
    bool tallies = login->lane == LK_LANE_NETWORK && !lk_login_by_mail(login->request) &&
                   counts->record.raw.size && txn->store->storage->caps & LK_STORAGE_TALLY;
    uint64_t now = txn->now_ms, most, wait;
    struct charge charge = charge_get(counts, login->lane);
    int error;

    if (charge_stands(login, counts, &charge)) {
        /* Its own delay is not in its way; that of others is. */
        wait = charge.until != login->charged.now.until ? lk_elapsed(charge.until, now) : 0;
        return wait ? charge_locked(login, wait) : 0;
    }
    wait = network && !login->charged.source ? lk_throttle_wait(txn->store, login->source, now) : 0;
    if (wait) {
        return charge_throttled(login, txn, wait);
    }
    most = charge_delay_ms(tenant, login->lane, charge.count);
    if (charge.until > now && charge.until - now > most) {
        /* The clock was set back, or the policy made milder: nobody waits longer than it says. */
        charge.until = most ? now + most : 0;
        tallies = false;
        if (most) {
            charge_set(counts, login->lane, &charge);
            error = lk_record_store(txn, kind, &counts->record, lk_work(txn)->new_value);
            login->flags |= error ? 0 : LOGIN_NOTED;
            return error ? error : charge_locked(login, most);
        }
    }
    wait = lk_elapsed(charge.until, now);
    if (!wait && login->lane != LK_LANE_CONSOLE && tenant->login_rate) {
        wait = lk_budget_wait(counts->login_tat, now, tenant->login_rate, CHARGE_DEVICE_HOURS,
                              network ? CHARGE_NETWORK_HOURS : CHARGE_DEVICE_HOURS);
    }
    if (wait) {
        return charge_locked(login, wait);
    }
    if (lk_elapsed(now, charge.last) >= CHARGE_FORGET_MS) {
        tallies = tallies && !charge.count;
        charge.count = 0;
    }
    login->charged.id = counts->record.id;
    login->charged.lane = login->lane;
    login->charged.before =
        (struct lk_login_counts){charge.count, charge.last, charge.until, counts->login_count};
    charge.count++;
    charge.last = now;
    most = charge_delay_ms(tenant, login->lane, charge.count);
    charge.until = most ? now + most : 0;
    login->charged.now =
        (struct lk_login_counts){charge.count, charge.last, charge.until, counts->login_count};
    charge_set(counts, login->lane, &charge);
    error = tallies && !most ? charge_tally(txn, kind, counts->record.id)
                             : lk_record_store(txn, kind, &counts->record, lk_work(txn)->new_value);
    if (!error && network && !login->charged.source) {
        login->charged.source = true;
        lk_throttle_charge(txn->store, login->source, now);
    }
    return error;
}

bool lk_login_refused_often(const struct lk_login *login, const struct lk_txn *txn,
                            const struct lk_tenant *tenant, const struct lk_activity *activity)
{
    uint64_t since = activity->last_login_at <= txn->now_ms ? activity->last_login_at : 0;
    uint64_t failures = 0;
    unsigned lane;

    for (lane = 0; lane < LK_LANE_COUNT; lane++) {
        struct charge charge = charge_get(activity, (enum lk_lane)lane);

        /* Of its own lane, as it was before this login was charged. */
        if (lane == (unsigned)login->lane) {
            charge.count = login->charged.before.count;
            charge.last = login->charged.before.at;
        }
        if (charge.last >= since && lk_elapsed(txn->now_ms, charge.last) < CHARGE_FORGET_MS) {
            failures += charge.count;
        }
    }
    return failures >= (tenant->lockout_failures ? tenant->lockout_failures : CHARGE_MANY_REFUSALS);
}

void lk_login_uncharge(struct lk_login *login, const struct lk_txn *txn,
                       const struct lk_tenant *tenant, struct lk_activity *activity)
{
    activity->record.present &= ~lk_lane_bits(login->lane);
    lk_login_spend(login, txn, tenant, activity);
}

void lk_login_spend(struct lk_login *login, const struct lk_txn *txn,
                    const struct lk_tenant *tenant, struct lk_activity *activity)
{
    if (login->charged.source) {
        login->charged.source = false;
        lk_throttle_give_back(txn->store, login->source);
    }
    if (login->lane != LK_LANE_CONSOLE && tenant->login_rate) {
        lk_field_set_number(&activity->record, lk_login_field(23),
                            lk_budget_spend(activity->login_tat, txn->now_ms, tenant->login_rate,
                                            CHARGE_DEVICE_HOURS));
    }
}

static int charge_load_bucket(struct lk_txn *txn, struct lk_id id, struct lk_bucket *bucket)
{
    uint32_t tallied;
    int error = lk_tallied(txn, &lk_kind_bucket, id, &tallied);

    if (!error) {
        error = lk_record_load(txn, &lk_kind_bucket, id, &bucket->counts.record);
    }
    if (!error) {
        lk_tallied_add(txn, &bucket->counts, tallied);
    }
    return error;
}

int lk_login_bucket(struct lk_txn *txn, uint32_t tenant, uint64_t tag, struct lk_bucket *bucket)
{
    uint64_t oldest = UINT64_MAX;
    bool waits = true;
    uint32_t first = 1 + (uint32_t)(tag % LK_BUCKETS) * LK_BUCKET_SLOTS, slot, place = first;

    for (slot = first; slot < first + LK_BUCKET_SLOTS; slot++) {
        struct lk_id id = {tenant, 0, slot};
        const struct lk_activity *counts = &bucket->counts;
        int error = lk_record_load(txn, &lk_kind_bucket, id, &bucket->counts.record);
        uint64_t last;
        bool runs;

        if (!error && bucket->name_tag == tag) {
            return charge_load_bucket(txn, id, bucket);
        }
        if (error && error != LK_E_NOT_FOUND && error != LK_E_CORRUPT) {
            return error;
        }
        /* A free slot or a damaged one first. */
        runs = !error &&
               (counts->locked_until > txn->now_ms || counts->console_locked_until > txn->now_ms);
        last = error ? 0
               : counts->last_failure_at > counts->console_last_failure_at
                   ? counts->last_failure_at
                   : counts->console_last_failure_at;
        if (runs < waits || (runs == waits && last < oldest)) {
            waits = runs;
            oldest = last;
            place = slot;
        }
    }
    memset(bucket, 0, sizeof(*bucket));
    bucket->counts.record.id = (struct lk_id){tenant, 0, place};
    lk_set_number(&lk_kind_bucket, &bucket->counts.record, "name_tag", tag);
    return 0;
}

int lk_login_give_back(struct lk_login *login, struct lk_txn *txn, const struct lk_tenant *tenant)
{
    const struct lk_login_counts *was = &login->charged.before, *now = &login->charged.now;
    const unsigned first = lk_lane_field(login->lane);
    struct lk_activity counts;
    uint64_t count, last;
    int error = lk_load_activity(txn, login->user, &counts);

    count = error ? 0 : lk_field_number(&counts.record, lk_login_field(first));
    /* A success in between has cleared the charge: what is there now is others'. */
    if (error || !count || counts.login_count != was->logins) {
        return error;
    }
    last = lk_field_number(&counts.record, lk_login_field(first + 1));
    if (count != now->count || last != now->at) {
        /* Others failed meanwhile: what they left stands. */
        lk_field_set_number(&counts.record, lk_login_field(first), count - 1);
    } else {
        const uint64_t values[] = {was->count, was->at, was->until};
        unsigned i;

        for (i = 0; i < LK_COUNT(values); i++) {
            lk_field_set_number(&counts.record, lk_login_field(first + i), values[i]);
            if (!values[i]) {
                counts.record.present &= ~LK_BIT(first + i);
            }
        }
    }
    lk_login_spend(login, txn, tenant, &counts);
    return lk_record_store(txn, &lk_kind_activity, &counts.record, lk_work(txn)->new_value);
}
