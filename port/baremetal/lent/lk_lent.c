// SPDX-License-Identifier: MIT
#include "lk_lent.h"

#include "lk_baremetal.h"
#include "lk_small.h"

#define LENT_STACK  800u /* bytes of it that a hash takes at most; measured 700 */
#define LENT_MARGIN 64u  /* below a frame, that a call which only paints may take */

extern uint32_t __stack_low[];

int lk_lent_pwhash_step(void *self, struct lk_pwhash_job *job)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) - LENT_MARGIN;
    uint32_t *end = (uint32_t *)(((uintptr_t)job->work + job->work_size + 3u) & ~(uintptr_t)3u);
    int error;

    if (end < __stack_low) {
        end = __stack_low;
    }
    if ((uintptr_t)end > here || here - (uintptr_t)end < LENT_STACK) {
        return LK_E_CRYPTO;
    }
    lk_stack_keep();
    lk_stack_paint(end, here);
    error = lk_small_pwhash_step(self, job);
    lk_stack_hashed((size_t)((uintptr_t)lk_stack_used(end) - (uintptr_t)end));
    lk_stack_paint(__stack_low, here);
    return error;
}
