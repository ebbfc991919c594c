// SPDX-License-Identifier: MIT
/* dead_stack_run.c: there is but one stack here, and what is below its end is what was left. */
#include "core/dead_stack.h"

/* Of a function that is called from here, the first byte that may be its own is below this. */
__attribute__((noinline)) static uintptr_t dead_stack_end(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

int dead_stack_run(struct dead_stack *stack, int (*run)(void *context), void *context)
{
    uint8_t *memory = (uint8_t *)(dead_stack_end() - DEAD_STACK_SIZE);
    int answer;

    memset(memory, 0, DEAD_STACK_SIZE);
    answer = run(context);
    memcpy(stack->copy, memory, DEAD_STACK_SIZE);
    stack->from = 0;
    while (stack->from < DEAD_STACK_SIZE && !stack->copy[stack->from]) {
        stack->from++;
    }
    return answer;
}
