// SPDX-License-Identifier: MIT
/*
 * power.h: a store on a flash that loses power, and the loops that cut it everywhere.
 *
 * A case is a function that changes a store and can be run again from a saved state. It is run once
 * uncut, which tells the operations it takes and the states it commits; then again for every cut,
 * and after each the store must open, hold the last acknowledged state or the one being committed,
 * stay so, verify clean, and go on working.
 *
 * A cut has an id: the operation, and b (before), a (after) or t and a seed (torn): "17b", "17t3".
 * A second cut, of what follows the first, comes after a "+": "17t3+5b".
 */
#ifndef LK_TEST_POWER_H
#define LK_TEST_POWER_H

#include "core/bench.h"
#include "lk_engine.h"
#include "lk_fake_flash.h"

#define POWER_SEEDS 6 /* ways in which an operation is torn */

struct power_geometry {
    const char *name;
    uint32_t sector_size, sector_count, program_unit;
    bool mapped;
    bool buffered; /* a cut also loses what was not synced */
};

#define POWER_GEOMETRY_COUNT 5
extern const struct power_geometry power_geometries[POWER_GEOMETRY_COUNT];

struct power_rig;

/* What keeps a map in flash. */
struct power_backend {
    const char *name;
    /* A handle made anew over rig->flash, not open yet; it stays until the next is made. */
    struct lk_storage *(*make)(struct power_rig *rig);
};
extern const struct power_backend power_backend_nor;

/* What a run has become so far. */
struct power_rig {
    const struct power_geometry *geometry;
    const struct power_backend *backend;
    struct bench *bench; /* store, port, transaction */
    struct lk_fake_flash flash;
    struct lk_storage *storage;
    struct lk_storage_ops ops; /* the storage's own, with commits watched */
    const struct lk_storage_ops *real;
    void *handle; /* the backend's memory in RAM, lost with power */
    size_t handle_size;
    void *flash_memory;
    void *saved_memory; /* the state that each run begins in */
    struct lk_fake_flash saved_flash;
    struct lk_fake saved_fake;
    uint64_t *states; /* sums of the whole map: [n] after n commits */
    size_t state_count;
    uint64_t acknowledged; /* commits of this run */
    bool recording;
    struct lk_id alice, role;
    char failure[256]; /* what went wrong first; empty: nothing */
    /* Figures to tell. */
    uint64_t operations, points, mount_calls, mount_bytes, mount_operations;
};

struct power_case {
    const char *name;
    bool bare; /* begins on a blank flash: no store, and none may be there after a cut */
    /* Uncut, once; may assert. NULL: what power_town_build leaves. */
    void (*setup)(struct power_rig *rig);
    /* From the saved state, with the store open (unless bare): 0 when all of it was done. */
    int (*run)(struct power_rig *rig);
    /* Besides the state, after a cut and after none; tells by power_fail. May be NULL. */
    void (*check)(struct power_rig *rig, bool done);
    unsigned share; /* of the short run, in points a geometry; 0: the usual */
};

#define POWER_CASE_COUNT 12
extern const struct power_case power_cases[POWER_CASE_COUNT];

/* ---- The rig ---- */

struct power_rig *power_rig_open(const struct power_backend *backend,
                                 const struct power_geometry *geometry);
void power_rig_close(struct power_rig *rig);
/* Notes the first failure. */
void power_fail(struct power_rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A new handle, with the RAM of the last one overwritten; not open. */
void power_mount(struct power_rig *rig);
/* The flash and the port as they are now become the state that runs begin in; and back to it. */
void power_save(struct power_rig *rig);
void power_restore(struct power_rig *rig);
/* Over the open storage: a number for all keys and values, and tallies. */
int power_sum(struct power_rig *rig, uint64_t *sum);
/* Writes some entries as they are: nothing changes. */
int power_rewrite(struct power_rig *rig, unsigned count, uint64_t seed);
/* A store with a tenant, an administrator, users alice and bob, a role. */
void power_town_build(struct power_rig *rig);

/* ---- The loops ---- */

struct power_plan {
    unsigned points;        /* cuts to try in all; 0: every one */
    unsigned head, tail;    /* only those of so many operations at one end; 0: of all */
    unsigned seeds;         /* ways of tearing; 0: POWER_SEEDS */
    bool twice;             /* each with a second cut in what follows the first ... */
    unsigned second_points; /* ... so many of these; 0: every one */
    const char *cut;        /* this one only, as in an id; NULL: as the rest says */
};

/* False, with rig->failure filled, when something did not hold. */
bool power_try(struct power_rig *rig, const struct power_case *one, const struct power_plan *plan);

#endif
