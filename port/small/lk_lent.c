// SPDX-License-Identifier: MIT
#include "lk_lent.h"

#include "lk_small.h"

#define LENT_PAINT  0x5AA55AA5u
#define LENT_STACK  800u /* bytes of it that a hash takes at most; measured 700 */
#define LENT_MARGIN 64u  /* below a frame, that a call which only paints may take */

extern uint32_t __stack_low[], __stack_top[];

static struct {
    uint32_t *deepest; /* of the stack, before the last hash painted over it */
    size_t hash_spare;
} lent;

/* The first word from `at` on that something was written to. */
static uint32_t *lent_used(uint32_t *at)
{
    while (at < __stack_top && *at == LENT_PAINT) {
        at++;
    }
    return at;
}

static void lent_paint(uint32_t *from, uintptr_t to)
{
    for (; (uintptr_t)from < to; from++) {
        *from = LENT_PAINT;
    }
}

static uint32_t *lent_deepest(void)
{
    uint32_t *used = lent_used(__stack_low);

    return lent.deepest && lent.deepest < used ? lent.deepest : used;
}

void lk_lent_look(struct lk_lent_figures *figures)
{
    figures->stack_size = (size_t)((uintptr_t)__stack_top - (uintptr_t)__stack_low);
    figures->stack_spare = (size_t)((uintptr_t)lent_deepest() - (uintptr_t)__stack_low);
    figures->hash_spare = lent.hash_spare;
}

bool lk_lent_sound(void)
{
    return *__stack_low == LENT_PAINT;
}

int lk_lent_pwhash_step(void *self, struct lk_pwhash_job *job)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) - LENT_MARGIN;
    uint32_t *end = (uint32_t *)(((uintptr_t)job->work + job->work_size + 3u) & ~(uintptr_t)3u);
    size_t spare;
    int error;

    if (end < __stack_low) {
        end = __stack_low;
    }
    if ((uintptr_t)end > here || here - (uintptr_t)end < LENT_STACK) {
        return LK_E_CRYPTO;
    }
    lent.deepest = lent_deepest();
    lent_paint(end, here);
    error = lk_small_pwhash_step(self, job);
    spare = (size_t)((uintptr_t)lent_used(end) - (uintptr_t)end);
    if (!lent.hash_spare || spare < lent.hash_spare) {
        lent.hash_spare = spare;
    }
    lent_paint(__stack_low, here);
    return error;
}
