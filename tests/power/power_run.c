// SPDX-License-Identifier: MIT
/* power_run.c: a case run once uncut, then cut at every operation. */
#include "power.h"

#define RUN_REWRITES 3
/* Of second cuts, one in so many is verified: what is found has every byte of a state that was. */
#define RUN_DEEP 16

struct run_cut {
    uint64_t operation; /* from 1; 0: none */
    enum lk_fake_flash_moment moment;
    unsigned seed;
};

enum run_end { RUN_WHOLE, RUN_CUT, RUN_FAILED };

/* The states that may be found: what is acknowledged, and what was being committed. */
struct run_range {
    size_t least, most;
};

static uint64_t run_mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
}

/* ---- Cuts and their names ---- */

/* Of an operation: before, each way of tearing it, after. */
static struct run_cut run_cut_number(uint64_t number, unsigned seeds)
{
    struct run_cut cut = {1 + number / (seeds + 2u), LK_FAKE_FLASH_TORN, 0};
    unsigned way = (unsigned)(number % (seeds + 2u));

    cut.moment = way == 0            ? LK_FAKE_FLASH_BEFORE
                 : way == seeds + 1u ? LK_FAKE_FLASH_AFTER
                                     : LK_FAKE_FLASH_TORN;
    cut.seed = cut.moment == LK_FAKE_FLASH_TORN ? way - 1 : 0;
    return cut;
}

static void run_cut_name(char *out, size_t size, const struct run_cut cuts[2])
{
    size_t used = 0, i;

    out[0] = 0;
    for (i = 0; i < 2 && cuts[i].operation && used < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%llu%c", i ? "+" : "",
                                 (unsigned long long)cuts[i].operation, "bta"[cuts[i].moment]);
        if (cuts[i].moment == LK_FAKE_FLASH_TORN && used < size) {
            used += (size_t)snprintf(out + used, size - used, "%u", cuts[i].seed);
        }
    }
}

static bool run_cut_parse(const char *text, struct run_cut cuts[2])
{
    size_t i;

    memset(cuts, 0, 2 * sizeof(cuts[0]));
    for (i = 0; i < 2; i++) {
        char *end;

        cuts[i].operation = strtoull(text, &end, 10);
        cuts[i].moment = *end == 'b'   ? LK_FAKE_FLASH_BEFORE
                         : *end == 'a' ? LK_FAKE_FLASH_AFTER
                                       : LK_FAKE_FLASH_TORN;
        if (!cuts[i].operation || (cuts[i].moment == LK_FAKE_FLASH_TORN && *end != 't')) {
            return false;
        }
        text = end + 1;
        if (cuts[i].moment == LK_FAKE_FLASH_TORN) {
            cuts[i].seed = (unsigned)strtoul(text, &end, 10);
            if (end == text) {
                return false;
            }
            text = end;
        }
        if (*text != '+') {
            break;
        }
        text++;
    }
    return !*text;
}

/* The i-th of `points` numbers below `total`: one of each so many, not always the same of them. */
static uint64_t run_pick(uint64_t i, uint64_t points, uint64_t total)
{
    uint64_t from = i * total / points, width = (i + 1) * total / points - from;

    return from + run_mix(i + 1) % width;
}

static void run_arm(struct power_rig *rig, const struct run_cut *cut)
{
    /* Ways of tearing are as many as seeds, and differ from one operation to the next; the parity
     * decides about pages (lk_fake_flash_cut). */
    uint64_t seed = (run_mix(cut->operation * 64 + cut->seed + 1) & ~UINT64_C(1)) | cut->seed % 2u;

    lk_fake_flash_cut(&rig->flash, cut->operation, cut->moment, seed);
}

/* ---- One run ---- */

static void run_close(struct power_rig *rig)
{
    lk_abort(&rig->bench->txn);
    lk_txn_release(&rig->bench->txn);
    lk_close(&rig->bench->store);
}

/* Power is back: RAM holds nothing of before. */
static void run_power_on(struct power_rig *rig)
{
    memset(&rig->bench->txn, 0, sizeof(rig->bench->txn));
    memset(&rig->bench->store, 0, sizeof(rig->bench->store));
    lk_fake_flash_power_on(&rig->flash);
    lk_fake_reboot(&rig->bench->fake, LK_CLOCK_SYNCED);
}

static int run_case(struct power_rig *rig, const struct power_case *one)
{
    struct bench *bench = rig->bench;
    int error = 0;

    rig->acknowledged = 0;
    power_mount(rig);
    if (!one->bare) {
        error = lk_open(&bench->store, &bench->config);
    }
    if (!error) {
        error = one->run(rig);
    }
    run_close(rig);
    return error;
}

/* What went wrong, unless it was the power. */
static enum run_end run_error(struct power_rig *rig, const char *doing, int error)
{
    if (lk_fake_flash_is_off(&rig->flash)) {
        return RUN_CUT;
    }
    if (error || rig->failure[0]) {
        power_fail(rig, "%s: %d (%s)%s", doing, error, lk_strerror(error),
                   lk_fake_flash_limit_hit(&rig->flash) ? ", after more calls than it may take"
                                                        : "");
        return RUN_FAILED;
    }
    return RUN_WHOLE;
}

/* Opens the map itself, finds which state it is in, looks at all of it, closes. */
static enum run_end run_look(struct power_rig *rig, struct run_range *range)
{
    uint64_t calls = rig->flash.stat.calls, bytes = rig->flash.stat.read_bytes;
    uint64_t operations = rig->flash.stat.operations, sum;
    size_t size = (size_t)rig->geometry->sector_size * rig->geometry->sector_count;
    enum run_end end;
    size_t state;
    int error;

    power_mount(rig);
    /* Bounded: as if each 4 bytes were looked at alone, and each sector erased and filled. */
    lk_fake_flash_limit(&rig->flash, size);
    error = rig->storage->ops->open(rig->storage, LK_WRITE);
    end = run_error(rig, "opening", error);
    if (end != RUN_WHOLE) {
        if (!error) {
            rig->storage->ops->close(rig->storage);
        }
        return end;
    }
    calls = rig->flash.stat.calls - calls;
    bytes = rig->flash.stat.read_bytes - bytes;
    operations = rig->flash.stat.operations - operations;
    rig->mount_calls = calls > rig->mount_calls ? calls : rig->mount_calls;
    rig->mount_bytes = bytes > rig->mount_bytes ? bytes : rig->mount_bytes;
    rig->mount_operations = operations > rig->mount_operations ? operations : rig->mount_operations;
    lk_fake_flash_limit(&rig->flash, 0);
    error = power_sum(rig, &sum);
    end = run_error(rig, "reading the map", error);
    if (end == RUN_WHOLE && rig->storage->ops->check) {
        error = rig->storage->ops->check(rig->storage, NULL, NULL);
        end = run_error(rig, "the storage's check", error);
    }
    rig->storage->ops->close(rig->storage);
    if (end != RUN_WHOLE) {
        return end;
    }
    for (state = range->least; state <= range->most && rig->states[state] != sum; state++) {
    }
    if (state > range->most) {
        for (state = 0; state < rig->state_count && rig->states[state] != sum; state++) {
        }
        if (state < rig->state_count) {
            power_fail(rig, "the state is that after commit %zu, of %zu to %zu", state,
                       range->least, range->most);
        } else {
            power_fail(rig, "the state is neither that after commit %zu nor %zu", range->least,
                       range->most);
        }
        return RUN_FAILED;
    }
    range->least = range->most = state;
    return RUN_WHOLE;
}

static int run_on_fault(void *context, const struct lk_fault_report *report)
{
    power_fail(context, "verify: %s (%s %u.%u.%u)", report->what, report->kind ? report->kind : "-",
               report->id.tenant, report->id.user, report->id.sub);
    return 0;
}

/* The store over the map: opens, verifies (when `deep`), satisfies the case, and can be written. */
static enum run_end run_use(struct power_rig *rig, const struct power_case *one, bool done,
                            unsigned rewrites, bool deep)
{
    static struct lk_verify verify;
    struct bench *bench = rig->bench;
    enum run_end end;
    unsigned i;
    int error;

    power_mount(rig);
    error = lk_open(&bench->store, &bench->config);
    end = run_error(rig, "opening the store", error);
    if (end != RUN_WHOLE) {
        return end;
    }
    if (deep) {
        memset(&verify, 0, sizeof(verify));
        verify.on_fault = run_on_fault;
        verify.context = rig;
        error = lk_begin(&bench->store, &bench->txn, LK_READ, NULL);
        if (!error) {
            error = lk_verify(&bench->txn, &verify);
        }
        lk_abort(&bench->txn);
        lk_txn_release(&bench->txn);
        end = run_error(rig, "verify", error);
    }
    if (end == RUN_WHOLE && one->check) {
        one->check(rig, done);
        end = run_error(rig, "the case's own check", 0);
    }
    for (i = 0; end == RUN_WHOLE && i < rewrites; i++) {
        end = run_error(rig, "writing", power_rewrite(rig, 2, rig->points + i));
    }
    run_close(rig);
    return end;
}

/* Nothing was made: then it can be made now. */
static enum run_end run_make(struct power_rig *rig, const struct power_case *one)
{
    struct bench *bench = rig->bench;
    enum run_end end;
    int error;

    power_mount(rig);
    error = lk_open(&bench->store, &bench->config);
    if (!error) {
        power_fail(rig, "a store opens where none was made");
        run_close(rig);
        return RUN_FAILED;
    }
    error = run_case(rig, one);
    end = run_error(rig, "making it again", error);
    return end == RUN_WHOLE ? run_use(rig, one, true, 0, true) : end;
}

/*
 * All that must hold after a power cut; another may come while it is looked at. `range` is narrowed
 * to what was found.
 */
static enum run_end run_recover(struct power_rig *rig, const struct power_case *one,
                                struct run_range *range, unsigned rewrites)
{
    enum run_end end = run_look(rig, range);
    bool deep = rewrites == RUN_REWRITES || rig->points % RUN_DEEP == 0;

    if (end != RUN_WHOLE) {
        return end;
    }
    if (one->bare && range->most == 0) {
        return run_make(rig, one);
    }
    end = run_use(rig, one, range->most + 1 == rig->state_count, rewrites, deep);
    /* The same again, from flash alone. */
    return end == RUN_WHOLE ? run_look(rig, range) : end;
}

/* ---- Plans ---- */

/* Runs to the first cut, and says what may be found after it. */
static bool run_to_cut(struct power_rig *rig, const struct power_case *one,
                       const struct run_cut *cut, struct run_range *range)
{
    int error;

    power_restore(rig);
    rig->points++;
    run_arm(rig, cut);
    error = run_case(rig, one);
    range->least = (size_t)rig->acknowledged;
    range->most = range->least + 1 < rig->state_count ? range->least + 1 : range->least;
    if (!lk_fake_flash_is_off(&rig->flash)) {
        power_fail(rig, "the same run took fewer operations (answered %d)", error);
    } else if (!error && range->least + 1 != rig->state_count) {
        power_fail(rig, "answered 0 after %zu of %zu commits", range->least, rig->state_count - 1);
    }
    return !rig->failure[0];
}

static bool run_single(struct power_rig *rig, const struct power_case *one,
                       const struct run_cut *cut)
{
    struct run_range range;

    if (!run_to_cut(rig, one, cut, &range)) {
        return false;
    }
    run_power_on(rig);
    return run_recover(rig, one, &range, RUN_REWRITES) == RUN_WHOLE;
}

/* A flash and port to go back to, besides the rig's own. */
struct run_saved {
    void *memory;
    struct lk_fake_flash flash;
    struct lk_fake fake;
};

static bool run_second(struct power_rig *rig, const struct power_case *one,
                       const struct run_saved *saved, struct run_range range,
                       const struct run_cut *second)
{
    enum run_end end;

    memcpy(rig->flash_memory, saved->memory, lk_fake_flash_memory_used(&saved->flash));
    rig->flash = saved->flash;
    rig->bench->fake = saved->fake;
    rig->points++;
    run_power_on(rig);
    /* What is weak reads another way each time. */
    rig->flash.random += second->operation * 1000003u + second->seed;
    run_arm(rig, second);
    end = run_recover(rig, one, &range, 1);
    if (end == RUN_CUT) {
        run_power_on(rig);
        end = run_recover(rig, one, &range, 1);
    }
    return end == RUN_WHOLE;
}

/* Every second cut of what follows the first; or only the one given. */
static bool run_double(struct power_rig *rig, const struct power_case *one,
                       const struct power_plan *plan, struct run_cut cuts[2])
{
    unsigned seeds = plan->seeds ? plan->seeds : POWER_SEEDS;
    bool only = cuts[1].operation != 0, good;
    struct run_range range, found;
    struct run_saved saved = {NULL, rig->flash, rig->bench->fake};
    uint64_t operations, total, points, i;

    if (!run_to_cut(rig, one, &cuts[0], &range)) {
        return false;
    }
    saved.memory = malloc(lk_fake_flash_memory_used(&rig->flash));
    assert_non_null(saved.memory);
    memcpy(saved.memory, rig->flash_memory, lk_fake_flash_memory_used(&rig->flash));
    saved.flash = rig->flash;
    saved.fake = rig->bench->fake;
    operations = rig->flash.stat.operations;
    run_power_on(rig);
    found = range;
    good = run_recover(rig, one, &found, 1) == RUN_WHOLE;
    operations = rig->flash.stat.operations - operations;
    if (only) {
        good = good && run_second(rig, one, &saved, range, &cuts[1]);
    }
    total = operations * (seeds + 2);
    points = plan->second_points && plan->second_points < total ? plan->second_points : total;
    for (i = 0; good && !only && i < points; i++) {
        cuts[1] = run_cut_number(run_pick(i, points, total), seeds);
        if (cuts[1].moment != LK_FAKE_FLASH_AFTER) { /* as before the next */
            good = run_second(rig, one, &saved, range, &cuts[1]);
        }
    }
    free(saved.memory);
    return good;
}

/* Uncut: the states it goes through; answers the operations it takes. */
static uint64_t run_record(struct power_rig *rig, const struct power_case *one)
{
    uint64_t operations;
    int error;

    power_restore(rig);
    power_mount(rig);
    rig->failure[0] = 0;
    assert_int_equal(rig->storage->ops->open(rig->storage, LK_WRITE), 0);
    assert_int_equal(power_sum(rig, &rig->states[0]), 0);
    rig->storage->ops->close(rig->storage);
    rig->state_count = 1;
    power_restore(rig);
    operations = rig->flash.stat.operations;
    rig->recording = true;
    error = run_case(rig, one);
    rig->recording = false;
    operations = rig->flash.stat.operations - operations;
    if (error) {
        power_fail(rig, "uncut, it answers %d (%s)", error, lk_strerror(error));
    } else {
        struct run_range last = {rig->state_count - 1, rig->state_count - 1};

        run_power_on(rig);
        (void)run_recover(rig, one, &last, RUN_REWRITES);
    }
    return operations;
}

static void run_tell(struct power_rig *rig, const struct power_case *one,
                     const struct run_cut cuts[2])
{
    char why[sizeof(rig->failure)], name[64];

    memcpy(why, rig->failure, sizeof(why));
    run_cut_name(name, sizeof(name), cuts);
    (void)snprintf(rig->failure, sizeof(rig->failure), "make power CASE=%s/%s%s%s: %.150s",
                   one->name, rig->geometry->name, name[0] ? " CUT=" : "", name, why);
}

bool power_try(struct power_rig *rig, const struct power_case *one, const struct power_plan *plan)
{
    unsigned seeds = plan->seeds ? plan->seeds : POWER_SEEDS;
    uint64_t operations = run_record(rig, one), total, points, first = 0, i;
    struct run_cut cuts[2] = {{0, LK_FAKE_FLASH_BEFORE, 0}, {0, LK_FAKE_FLASH_BEFORE, 0}};
    bool good = !rig->failure[0];

    rig->operations = operations;
    if (plan->tail && plan->tail < operations) {
        first = (operations - plan->tail) * (seeds + 2);
    }
    if (plan->head && plan->head < operations) {
        operations = plan->head;
    }
    total = operations * (seeds + 2) - first;
    points = plan->points && plan->points < total ? plan->points : total;
    if (good && plan->cut) {
        good = run_cut_parse(plan->cut, cuts);
        if (!good) {
            power_fail(rig, "CUT=%s is not the id of a cut", plan->cut);
        }
        points = good ? 1 : 0;
    }
    for (i = 0; good && i < points; i++) {
        if (!plan->cut) {
            cuts[0] = run_cut_number(first + run_pick(i, points, total), seeds);
            cuts[1].operation = 0;
        }
        good = plan->twice || cuts[1].operation ? run_double(rig, one, plan, cuts)
                                                : run_single(rig, one, &cuts[0]);
    }
    if (!good) {
        run_tell(rig, one, cuts);
    }
    return good;
}
