// SPDX-License-Identifier: MIT
/* lk_throttle.c, for boards that no network reaches: its lane is closed, whoever asks. */
#include "lk_login.h"

struct lk_span lk_login_address(struct lk_span ip)
{
    return ip;
}

uint64_t lk_throttle_source(const struct lk_store *store, struct lk_span ip)
{
    (void)store;
    (void)ip;
    return 0;
}

uint64_t lk_throttle_wait(struct lk_store *store, uint64_t source, uint64_t now_ms)
{
    (void)store;
    (void)source;
    (void)now_ms;
    return LK_HOUR_MS;
}

void lk_throttle_charge(struct lk_store *store, uint64_t source, uint64_t now_ms)
{
    (void)store;
    (void)source;
    (void)now_ms;
}

void lk_throttle_give_back(struct lk_store *store, uint64_t source)
{
    (void)store;
    (void)source;
}

int lk_throttle_note(struct lk_txn *txn)
{
    (void)txn;
    return 0;
}
