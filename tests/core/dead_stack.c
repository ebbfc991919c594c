// SPDX-License-Identifier: MIT
#include "dead_stack.h"

size_t dead_stack_count(const struct dead_stack *stack, const void *bytes, size_t size)
{
    /* What begins with zeros begins before the first byte that is none. */
    size_t from = stack->from > size ? stack->from - size : 0;

    return bench_occurs(stack->copy + from, DEAD_STACK_SIZE - from, bytes, size);
}

static const char control[] = "left on purpose on a stack";

static int control_run(void *context)
{
    volatile char kept[8192]; /* deep, as real work is: what ends a thread overwrites the rest */
    size_t i;

    (void)context;
    for (i = 0; i < sizeof(control); i++) {
        kept[i] = control[i];
    }
    return kept[0];
}

void dead_stack_control(struct dead_stack *stack)
{
    assert_int_equal(dead_stack_run(stack, control_run, NULL), control[0]);
    assert_true(dead_stack_count(stack, control, strlen(control)) > 0);
}
