// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "service.h"
#include "harness.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MOST 6000 /* pauses: a minute */

void service_start(struct service *service, const char *const words[])
{
    service->pid = fork();
    bench_must(service->pid >= 0, "fork");
    if (service->pid == 0) {
        int out = open("/dev/null", O_RDWR);
        cpu_set_t all;
        size_t i;

        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* it does not outlive the benchmark */
        CPU_ZERO(&all);
        for (i = 0; i < CPU_SETSIZE; i++) {
            CPU_SET(i, &all);
        }
        (void)sched_setaffinity(0, sizeof(all), &all); /* it runs where it may, then */
        (void)dup2(out, 1);
        (void)execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
}

void service_pause(void)
{
    const struct timespec pause = {0, 10000000};

    (void)nanosleep(&pause, NULL); /* cut short it is shorter */
}

void service_wait(const struct service *service, const char *path)
{
    unsigned i;

    for (i = 0; i < WAIT_MOST && access(path, F_OK) != 0; i++) {
        bench_must(waitpid(service->pid, NULL, WNOHANG) == 0, "the server ended");
        service_pause();
    }
    bench_must(i < WAIT_MOST, "the server does not answer");
}

void service_stop(struct service *service)
{
    (void)kill(service->pid, SIGTERM); /* its end is waited for */
    bench_must(waitpid(service->pid, NULL, 0) == service->pid, "the server");
    service->pid = 0;
}

uint64_t service_wall(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}
