// SPDX-License-Identifier: MIT
/*
 * lk_clock_set.c: setting the clock, and the new epoch of time when it goes back. (DESIGN.md, Time)
 *
 * Before the time goes back, everything that ended by the time until now is taken away, so that
 * nothing of it revives: in slices, and once more over the whole store in the transaction that sets
 * the time. A power cut before that leaves the time as it was. Sessions end with the epoch.
 */
#include "lk_engine.h"

#define CLOCK_SLICE 64 /* records that one transaction takes away */

struct clock_job {
    struct lk_store *store;
    const struct lk_actor *actor;
    struct lk_problem *problem;
    uint64_t ms; /* to set the platform's clock to; 0: it is right as it is */
    uint64_t target;
    enum lk_clock_quality quality;
    bool touched; /* the platform's clock was set, from: */
    uint64_t wall_before, monotonic_before;
};

static int clock_refuse(struct clock_job *job, int error, const char *rule)
{
    lk_problem_set(job->problem, error, "clock", "time", LK_TEXT(""), rule);
    return error;
}

/* Where the clock is to stand. */
static int clock_target(struct clock_job *job)
{
    const struct lk_port *port = job->store->port;
    int error = port->clock->wall(port->self, &job->target, &job->quality);

    if (error) {
        return error;
    }
    if (!job->ms) {
        return job->quality >= LK_CLOCK_SET && job->target >= LK_CLOCK_LEAST_MS &&
                       job->target < LK_CLOCK_END_MS
                   ? 0
                   : clock_refuse(job, LK_E_CHECK, "must be given: the machine's clock is not set");
    }
    if (!port->clock->set) {
        return clock_refuse(job, LK_E_UNSUPPORTED,
                            "cannot be set from here: set the machine's clock, then leave it out");
    }
    if (job->ms < LK_CLOCK_LEAST_MS || job->ms >= LK_CLOCK_END_MS) {
        return clock_refuse(job, LK_E_CHECK, "is not in the years 2024 to 9999");
    }
    job->wall_before = job->target;
    job->target = job->ms;
    job->quality = LK_CLOCK_SET;
    return 0;
}

/* {"from": …, "to": …} */
static int clock_audit(struct clock_job *job, struct lk_txn *txn, uint32_t tenant, uint64_t from,
                       bool back)
{
    const struct lk_kind *kind = &lk_kind_audit;
    struct lk_cbor_writer writer;
    struct lk_audit_entry entry;
    uint8_t details[32];
    size_t size;
    int error;

    lk_cbor_writer_init(&writer, details, sizeof(details));
    lk_cbor_put_map(&writer, 2);
    lk_cbor_put_text(&writer, LK_TEXT("to"));
    lk_cbor_put_uint(&writer, job->target);
    lk_cbor_put_text(&writer, LK_TEXT("from"));
    lk_cbor_put_uint(&writer, from);
    error = lk_cbor_finish(&writer, &size);
    memset(&entry, 0, sizeof(entry));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 12),
                      back ? LK_TEXT(LK_AUDIT_EPOCH) : LK_TEXT("clock.set"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 13), LK_TEXT("clock"));
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 16),
                      back ? LK_TEXT("clock set back: a new epoch of time") : LK_TEXT("clock set"));
    lk_field_set_number(&entry.record, lk_field_numbered(kind, 17), LK_CATEGORY_SYSTEM);
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 24), (struct lk_span){details, size});
    return error ? error : lk_audit_append(txn, tenant, LK_RING_ADMIN, &entry);
}

/* Every tenant's sessions end, and its audit tells why its times go back; removed ones may return.
 */
static int clock_tell_tenants(struct clock_job *job, struct lk_txn *txn, uint64_t from,
                              bool removed)
{
    struct lk_list list = {.kind = &lk_kind_tenant, .deleted = removed};
    struct lk_tenant tenant;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        error = lk_list_next(&list, &tenant.record);
        if (error == LK_E_CORRUPT && tenant.record.id.tenant) {
            error = 0; /* lets nobody in as it is */
            continue;
        }
        if (error) {
            break;
        }
        lk_list_end(&list);
        error = lk_tenant_bump(txn, tenant.record.id.tenant);
        if (!error) {
            error = clock_audit(job, txn, tenant.record.id.tenant, from, true);
        }
        if (!error) {
            error = lk_list_reopen(&list);
        }
    }
    lk_list_end(&list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* The time as the store has it, in memory. */
struct clock_place {
    uint64_t high_water_ms, high_water_at, time_epoch;
};

static struct clock_place clock_move(struct lk_store *store, struct clock_place to)
{
    struct clock_place before;

    lk_store_lock(store, true);
    before = (struct clock_place){store->high_water_ms, store->high_water_at, store->time_epoch};
    store->high_water_ms = to.high_water_ms;
    store->high_water_at = to.high_water_at;
    store->time_epoch = to.time_epoch;
    lk_store_lock(store, false);
    return before;
}

/* The platform's clock goes where it would stand, had it not been touched. */
static void clock_undo(struct clock_job *job)
{
    const struct lk_port *port = job->store->port;
    uint64_t monotonic;

    if (job->touched && !port->clock->monotonic(port->self, &monotonic)) {
        /* Should this fail as well, the store goes on from what it has seen. */
        (void)port->clock->set(port->self,
                               job->wall_before + lk_elapsed(monotonic, job->monotonic_before));
    }
}

/* Commits with the clock at its new place: both, or neither. */
static int clock_commit(struct clock_job *job, struct lk_txn *txn, bool back)
{
    struct lk_store *store = job->store;
    const struct lk_port *port = store->port;
    struct clock_place before, after = {txn->now_ms, txn->monotonic_ms, store->time_epoch};
    int error = 0;

    job->monotonic_before = txn->monotonic_ms;
    after.time_epoch += back ? 1 : 0;
    store->meta.time_epoch = after.time_epoch;
    before = clock_move(store, after);
    error = lk_clock_save(txn, true);
    if (!error && job->ms) {
        job->touched = true;
        error = port->clock->set(port->self, job->ms);
    }
    error = error ? error : lk_commit(txn);
    if (error) {
        (void)clock_move(store, before);
        clock_undo(job);
    }
    return error;
}

/* 1: more slices are needed. */
static int clock_slice(struct clock_job *job, struct lk_txn *txn, struct lk_place *place)
{
    uint64_t from = txn->now_ms;
    bool back = job->target + LK_CLOCK_GRAIN_MS < from;
    uint32_t left = CLOCK_SLICE;
    int error;

    if (!back && !job->ms) {
        return 0; /* the store follows it */
    }
    if (back) {
        bool last = place->size == 0;

        error = lk_maintain_ended(txn, place, &left);
        /* Until one pass over everything, in this very transaction, is through. */
        if (error || place->size || !last) {
            return error ? error : (error = lk_commit(txn)) ? error : 1;
        }
    }
    txn->now_ms = back || job->target > from ? job->target : from;
    txn->clock = job->quality;
    error = clock_audit(job, txn, LK_STORE_TENANT, from, back);
    if (!error && back) {
        error = clock_tell_tenants(job, txn, from, false);
        error = error ? error : clock_tell_tenants(job, txn, from, true);
    } else if (!error && job->actor && job->actor->tenant) {
        error = clock_audit(job, txn, job->actor->tenant, from, false);
    }
    return error ? error : clock_commit(job, txn, back);
}

int lk_clock_set(struct lk_store *store, const struct lk_actor *actor, uint64_t ms,
                 struct lk_problem *problem)
{
    struct lk_problem unasked;
    struct clock_job job = {
        .store = store, .actor = actor, .ms = ms, .problem = problem ? problem : &unasked};
    struct lk_place place = {.size = 0};
    struct lk_txn txn;
    int error;

    memset(job.problem, 0, sizeof(*job.problem));
    memset(&txn, 0, sizeof(txn));
    do {
        error = lk_begin(store, &txn, LK_WRITE, actor);
        if (!error) {
            error = clock_target(&job);
        }
        if (!error) {
            error = clock_slice(&job, &txn, &place);
        }
        lk_abort(&txn);
    } while (error > 0);
    lk_txn_release(&txn);
    return error;
}

int lk_clock_tell(struct lk_txn *txn, struct lk_clock_state *state)
{
    const struct lk_port *port = txn->store->port;
    struct lk_meta meta;
    int error = txn->open ? lk_meta_get(txn, &meta) : LK_E_STATE;

    if (!error) {
        memset(state, 0, sizeof(*state));
        error = port->clock->wall(port->self, &state->wall_ms, &state->wall);
    }
    if (!error) {
        state->now_ms = txn->now_ms;
        state->quality = txn->clock;
        state->high_water_ms = meta.high_water_ms;
        state->time_epoch = meta.time_epoch;
        state->powered_ms = lk_powered(txn);
        state->can_set = port->clock->set != NULL;
    }
    return error;
}
