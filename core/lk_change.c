// SPDX-License-Identifier: MIT
/* lk_change.c: the public calls that change records; all end in the one write path. */
#include "lk_engine.h"

int lk_add(struct lk_txn *txn, const struct lk_kind *kind, struct lk_record *record,
           const char *verb)
{
    return kind->flags & LK_K_INTERNAL
               ? LK_E_ARGUMENT
               : lk_write(txn, kind, LK_ADD, record->id, record, 0, verb, 0);
}

int lk_update(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id,
              struct lk_record *record, uint64_t clear, const char *verb)
{
    return kind->flags & LK_K_INTERNAL ? LK_E_ARGUMENT
                                       : lk_write(txn, kind, LK_UPDATE, id, record, clear, verb, 0);
}

int lk_remove(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id, const char *verb)
{
    if (kind->flags & LK_K_INTERNAL) {
        return LK_E_ARGUMENT;
    }
    return lk_write(txn, kind, kind->flags & LK_K_SOFT_DELETE ? LK_REMOVE : LK_PURGE, id, NULL, 0,
                    verb ? verb : "remove", 0);
}

int lk_restore(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id)
{
    return kind->flags & LK_K_SOFT_DELETE ? lk_write(txn, kind, LK_RESTORE, id, NULL, 0, NULL, 0)
                                          : LK_E_ARGUMENT;
}

int lk_purge(struct lk_txn *txn, const struct lk_kind *kind, struct lk_id id)
{
    return kind->flags & LK_K_INTERNAL ? LK_E_ARGUMENT
                                       : lk_write(txn, kind, LK_PURGE, id, NULL, 0, NULL, 0);
}

int lk_put_back(struct lk_txn *txn, const struct lk_kind *kind, struct lk_record *record)
{
    struct lk_id id = record->id;
    uint32_t changed = 0;
    int error;

    if (!txn->open || txn->mode != LK_WRITE) {
        return LK_E_STATE;
    }
    if (!(kind->flags & LK_K_EXPORTED)) {
        return LK_E_ARGUMENT;
    }
    /* With stamps and numbers as given nobody's rights could be held against it. */
    if (txn->actor.user) {
        return lk_refuse(txn, LK_E_REFUSED, kind, NULL, LK_TEXT(""),
                         "is put back by the system only");
    }
    if (kind == &lk_kind_sequence) {
        const struct lk_kind *of = lk_store_kind_numbered(txn->store, id.sub);
        struct lk_sequence *sequence = (struct lk_sequence *)record;

        if (!of || sequence->last > UINT32_MAX) {
            return lk_refuse(txn, LK_E_CHECK, kind, "last", LK_TEXT(""),
                             "is not a number of records");
        }
        return lk_sequence_raise(txn, id.tenant, of, (uint32_t)sequence->last);
    }
    if (!id.tenant || (kind->shape != LK_SHAPE_ONE_A_USER && !*lk_kind_number(kind, &id))) {
        return lk_refuse(txn, LK_E_CHECK, kind, "id", LK_TEXT(""), "is required");
    }
    error =
        lk_write(txn, kind, LK_ADD, id, record, 0, NULL, LK_W_RESTORE | LK_W_GIVEN_ID | LK_W_QUIET);
    if (!error && kind == &lk_kind_grant) {
        error = lk_grants_refresh(txn, (struct lk_id){id.tenant, id.user, 0});
    }
    if (!error && kind == &lk_kind_role) {
        error = lk_roles_recompile(txn, id.tenant, &changed);
    }
    if (!error && changed) {
        error = lk_tenant_bump_roles(txn, id.tenant, changed);
    }
    return error;
}
