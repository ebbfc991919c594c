// SPDX-License-Identifier: MIT
#include "lk_baremetal.h"

extern uint32_t __stack_low[], __stack_top[];

static struct {
    uint32_t *deepest; /* of the stack, before it was painted again */
    size_t hash_spare;
} stack;

uint32_t *lk_stack_used(uint32_t *at)
{
    while (at < __stack_top && *at == LK_STACK_PAINT) {
        at++;
    }
    return at;
}

static uint32_t *stack_deepest(void)
{
    uint32_t *used = lk_stack_used(__stack_low);

    return stack.deepest && stack.deepest < used ? stack.deepest : used;
}

void lk_stack_keep(void)
{
    stack.deepest = stack_deepest();
}

void lk_stack_paint(uint32_t *from, uintptr_t to)
{
    for (; (uintptr_t)from < to; from++) {
        *from = LK_STACK_PAINT;
    }
}

void lk_stack_hashed(size_t spare)
{
    if (!stack.hash_spare || spare < stack.hash_spare) {
        stack.hash_spare = spare;
    }
}

void lk_stack_look(struct lk_stack_figures *figures)
{
    figures->size = (size_t)((uintptr_t)__stack_top - (uintptr_t)__stack_low);
    figures->spare = (size_t)((uintptr_t)stack_deepest() - (uintptr_t)__stack_low);
    figures->hash_spare = stack.hash_spare;
}
