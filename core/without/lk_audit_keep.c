// SPDX-License-Identifier: MIT
/* lk_audit_keep.c, for boards that keep audit entries until their ring is full, and archive none:
 * what asks for more is refused, and rings do not get smaller. */
#include "lk_audit.h"

int lk_audit_crossed(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring,
                     uint32_t slot, bool *crossed)
{
    (void)txn;
    (void)place;
    (void)ring;
    (void)slot;
    *crossed = false;
    return 0;
}

int lk_audit_over(struct lk_txn *txn, const struct lk_audit_place *place, uint32_t ring, bool *over)
{
    (void)txn;
    (void)place;
    (void)ring;
    *over = false;
    return 0;
}

int lk_audit_expire(struct lk_txn *txn, uint32_t tenant, uint32_t budget, bool *more)
{
    (void)txn;
    (void)tenant;
    (void)budget;
    *more = false;
    return 0;
}

int lk_audit_check_resize(struct lk_txn *txn, const struct lk_change *change)
{
    const struct lk_tenant *before = (const struct lk_tenant *)change->before;
    const struct lk_tenant *after = (const struct lk_tenant *)change->after;

    return after->audit_capacity < before->audit_capacity ||
                   after->audit_days > before->audit_days ||
                   after->audit_archive > before->audit_archive
               ? lk_refuse(txn, LK_E_CHECK, change->kind, "audit_capacity", LK_TEXT(""),
                           "is not to be had in this build")
               : 0;
}
