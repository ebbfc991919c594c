// SPDX-License-Identifier: MIT
/* lk_password_history.c, for boards that keep no earlier passwords: where a tenant's policy asks
 * for a comparison with them, a new password is refused, since it was not compared. */
#include "lk_engine.h"

int lk_history_push(struct lk_store *store, const struct lk_credential *old, unsigned earlier,
                    uint8_t out[LK_HISTORY_MAX], size_t *size)
{
    (void)store;
    (void)old;
    (void)earlier;
    (void)out;
    *size = 0;
    return 0;
}

int lk_reuse_step(struct lk_store *store, struct lk_id user, struct lk_reuse *reuse,
                  struct lk_pwhash_job *job)
{
    (void)store;
    (void)user;
    (void)reuse;
    (void)job;
    return 0;
}

void lk_reuse_done(const struct lk_reuse *reuse, struct lk_password *password)
{
    (void)reuse;
    password->compared = 0;
}
