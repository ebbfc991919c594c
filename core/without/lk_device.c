// SPDX-License-Identifier: MIT
/* lk_device.c, for boards that remember no devices: none is known, and none can be added. */
#include "lk_engine.h"

int lk_device_of_cookie(struct lk_txn *txn, struct lk_id user, struct lk_span cookie,
                        struct lk_id *device)
{
    (void)txn;
    (void)user;
    (void)cookie;
    (void)device;
    return LK_E_NOT_FOUND;
}

int lk_device_of_fingerprint(struct lk_txn *txn, struct lk_id user, struct lk_span fingerprint,
                             struct lk_id *device)
{
    (void)txn;
    (void)user;
    (void)fingerprint;
    (void)device;
    return LK_E_NOT_FOUND;
}

int lk_device_any(struct lk_txn *txn, struct lk_id user)
{
    (void)txn;
    (void)user;
    return LK_E_NOT_FOUND;
}

int lk_device_remember(struct lk_txn *txn, const struct lk_device_facts *facts, struct lk_id *id,
                       char cookie[LK_TOKEN_SIZE])
{
    (void)txn;
    (void)facts;
    (void)id;
    (void)cookie;
    return LK_E_UNSUPPORTED;
}

int lk_device_check_change(struct lk_txn *txn, struct lk_change *change)
{
    (void)txn;
    return change->operation == LK_ADD ? LK_E_UNSUPPORTED : 0;
}

int lk_device_seen(struct lk_txn *txn, struct lk_id id)
{
    (void)txn;
    (void)id;
    return 0;
}
