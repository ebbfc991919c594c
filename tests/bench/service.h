// SPDX-License-Identifier: MIT
/* service.h: a server that a benchmark starts for itself and ends again. */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdint.h>
#include <sys/types.h>

struct service {
    pid_t pid;
};

/* On any processor: not on the one that the benchmark is pinned to. Words end with NULL. */
void service_start(struct service *service, const char *const words[]);
/* Until there is something at `path`. */
void service_wait(const struct service *service, const char *path);
void service_pause(void);
/* Asks it to end, and waits for that. */
void service_stop(struct service *service);
/* Milliseconds of the wall clock. */
uint64_t service_wall(void);

#endif
