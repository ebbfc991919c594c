// SPDX-License-Identifier: MIT
/*
 * lk_fault.h: a storage that fails when told to, around any other storage. For host tests.
 *
 * Counted and failed: open, begin, commit, get, put, remove, tally, tallied, cursor_open, seek,
 * seek_before, next, prev, stat, check, compact, scrub. A failed call does not reach the storage
 * inside, but a failed commit ends the transaction as an abort, and a failed put or remove spoils
 * it, as the interface says. close, abort, release and cursor_close can't fail and are not counted.
 *
 * A test loops: lk_fault_at(&fault, n, false, LK_E_IO) for n = 1, 2, … until a run ends with
 * lk_fault_hit() false; and the same with `for_ever` true.
 *
 * Limitations: not for threads; at most LK_FAULT_ALTER_COUNT values can be altered; the storage
 * inside must leave the last `priv` of a transaction alone (those of this project do).
 */
#ifndef LK_FAULT_H
#define LK_FAULT_H

#include "lk_storage.h"

#define LK_FAULT_ALTER_COUNT 4
#define LK_FAULT_VALUE_MAX   8192

/* One value that is not returned as it is stored. */
struct lk_fault_alter {
    uint8_t key[LK_KEY_MAX];
    size_t key_size; /* 0: unused */
    uint8_t instead[LK_KEY_MAX];
    size_t instead_size; /* 0: one bit is flipped */
    uint32_t bit;
    uint8_t found[LK_KEY_MAX];
    uint8_t value[LK_FAULT_VALUE_MAX];
};

/* The handle. Transparent for static allocation; fields are private. */
struct lk_fault {
    struct lk_storage storage;
    struct lk_storage *inner;
    uint64_t count;
    uint64_t fail_at; /* 0: never */
    bool for_ever;
    bool hit;
    int error;
    struct lk_fault_alter alter[LK_FAULT_ALTER_COUNT];
};

/* Wraps `inner`, which must outlive the wrapper and is opened and closed through it. */
int lk_fault_init(struct lk_fault *fault, struct lk_storage *inner);

/* Sets the count to 0 and lets call number `n` (from 1) fail with `error`; 0: none. */
void lk_fault_at(struct lk_fault *fault, uint64_t n, bool for_ever, int error);

/* Calls counted since lk_fault_at(). */
uint64_t lk_fault_count(const struct lk_fault *fault);

/* Whether a call was failed since lk_fault_at(). */
bool lk_fault_hit(const struct lk_fault *fault);

/*
 * From now on the value of `key` comes with one bit changed (bit 0 is the lowest of the first byte;
 * a number past the end counts from the start again; an empty value stays). LK_E_LIMIT when all
 * places are taken, LK_E_TOO_BIG when values of this storage don't fit.
 */
int lk_fault_flip(struct lk_fault *fault, struct lk_span key, uint32_t bit);

/* From now on the values of `a` and `b` come one for the other. Takes two places. */
int lk_fault_swap(struct lk_fault *fault, struct lk_span a, struct lk_span b);

/* Values come as they are stored again. */
void lk_fault_restore(struct lk_fault *fault);

#endif
