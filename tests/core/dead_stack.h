// SPDX-License-Identifier: MIT
/* dead_stack.h: what a function leaves on the stack that it ran on. */
#ifndef LK_TEST_DEAD_STACK_H
#define LK_TEST_DEAD_STACK_H

#include "bench.h"

#define DEAD_STACK_SIZE (1u << 20)

/* A copy of the stack, from the deepest byte that was written. */
struct dead_stack {
    uint8_t copy[DEAD_STACK_SIZE];
    size_t from;
};

/* Runs it in a thread, on a stack that was all zeros, and copies that stack once the thread is
 * gone; answers what it answers. What it finds wrong it answers, too: to fail is for the test's
 * thread. */
int dead_stack_run(struct dead_stack *stack, int (*run)(void *context), void *context);
/* How often these bytes were left. */
size_t dead_stack_count(const struct dead_stack *stack, const void *bytes, size_t size);
/* Fails when a secret that is left on purpose is not found. */
void dead_stack_control(struct dead_stack *stack);

#endif
