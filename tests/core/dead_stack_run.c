// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
#include "dead_stack.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

struct dead_stack_job {
    int (*run)(void *context);
    void *context;
    int answer;
};

static void *dead_stack_thread(void *context)
{
    struct dead_stack_job *job = context;

    job->answer = job->run(job->context);
    return NULL;
}

/* By the kernel: a checker of memory knows that nobody may read a stack that is dead. */
static void dead_stack_copy(struct dead_stack *stack, const void *memory)
{
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(pread(fd, stack->copy, DEAD_STACK_SIZE, (off_t)(uintptr_t)memory) ==
                DEAD_STACK_SIZE);
    assert_int_equal(close(fd), 0);
    stack->from = 0;
    while (stack->from < DEAD_STACK_SIZE && !stack->copy[stack->from]) {
        stack->from++;
    }
}

int dead_stack_run(struct dead_stack *stack, int (*run)(void *context), void *context)
{
    struct dead_stack_job job = {run, context, 0};
    pthread_attr_t attributes;
    pthread_t thread;
    void *memory =
        mmap(NULL, DEAD_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, memory, DEAD_STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &attributes, dead_stack_thread, &job), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    dead_stack_copy(stack, memory);
    assert_int_equal(munmap(memory, DEAD_STACK_SIZE), 0);
    return job.answer;
}
