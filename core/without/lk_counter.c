// SPDX-License-Identifier: MIT
/* lk_counter.c, for boards whose ports have no counter in hardware: an older copy of the store that
 * was put back is not noticed. */
#include "lk_engine.h"

int lk_counter_check(struct lk_store *store, const struct lk_meta *meta)
{
    (void)meta;
    return store->port->counter ? LK_E_UNSUPPORTED : 0;
}

int lk_counter_commit(struct lk_txn *txn)
{
    (void)txn;
    return 0;
}
