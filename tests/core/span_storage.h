// SPDX-License-Identifier: MIT
/*
 * span_storage.h: a storage whose spans end with the next call, around any other storage.
 *
 * Every span of get() and of a cursor lies in memory of its own. With the next call on the same
 * transaction (cursor_close apart) it is overwritten and freed: whoever still reads it reads
 * rubbish, and is told so by a sanitizer.
 *
 * Limitations: not for threads; at most SPAN_TXN_COUNT transactions at a time; the storage inside
 * must leave the last `priv` of a transaction alone, and is not wrapped in one that uses it.
 */
#ifndef LK_TEST_SPAN_STORAGE_H
#define LK_TEST_SPAN_STORAGE_H

#include "lk_storage.h"

#define SPAN_TXN_COUNT 8

struct span_lent {
    const struct lk_storage_txn *txn; /* NULL: unused */
    struct lk_span spans[2];          /* key and value */
};

/* The handle; fields are private. */
struct span_storage {
    struct lk_storage storage;
    struct lk_storage *inner;
    struct span_lent lent[SPAN_TXN_COUNT];
};

/* Wraps `inner`, which must outlive the wrapper and is opened and closed through it. */
void span_storage_init(struct span_storage *wrapper, struct lk_storage *inner);

#endif
