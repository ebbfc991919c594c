// SPDX-License-Identifier: MIT
/* lk_approve.c, for boards where no second person can agree: what needs one is refused. */
#include "lk_login.h"

int lk_approve_judge(struct lk_login *login, struct lk_txn *txn)
{
    (void)login;
    (void)txn;
    return LK_E_REFUSED;
}

int lk_approve_audit(struct lk_login *login, struct lk_txn *txn, bool approved)
{
    (void)login;
    (void)approved;
    return lk_spoil(txn, LK_E_UNSUPPORTED);
}

int lk_approve(struct lk_store *store, const struct lk_login_request *request, uint32_t requester,
               const struct lk_question *question, struct lk_approval *approval,
               struct lk_problem *problem)
{
    (void)store;
    (void)request;
    (void)requester;
    (void)question;
    memset(approval, 0, sizeof(*approval));
    memset(problem, 0, sizeof(*problem));
    return LK_E_UNSUPPORTED;
}
