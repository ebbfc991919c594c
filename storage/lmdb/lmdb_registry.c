// SPDX-License-Identifier: MIT
/*
 * lmdb_registry.c: which stores this process has open.
 *
 * LMDB keeps its locks with fcntl(), which forgets a process's locks on a file as soon as any
 * descriptor of that file is closed: a second environment on the same files would unlock the first.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_internal.h"

#include <stdatomic.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lk_lmdb_open *registry_first;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
/* Counted in the child: cheaper to compare at every call than a process id. */
static atomic_uint registry_forks;

static void registry_before_fork(void)
{
    (void)pthread_mutex_lock(&registry_lock);
}

static void registry_in_parent(void)
{
    (void)pthread_mutex_unlock(&registry_lock);
}

static void registry_in_child(void)
{
    (void)atomic_fetch_add(&registry_forks, 1u);
    registry_first = NULL; /* what the parent has open is the parent's */
    (void)pthread_mutex_unlock(&registry_lock);
}

static void registry_start(void)
{
    (void)pthread_atfork(registry_before_fork, registry_in_parent, registry_in_child);
}

unsigned lk_lmdb_forks(void)
{
    return atomic_load_explicit(&registry_forks, memory_order_relaxed);
}

int lk_lmdb_register(struct lk_lmdb_open *open)
{
    (void)pthread_once(&registry_once, registry_start);
    (void)pthread_mutex_lock(&registry_lock);
    int rc = LK_OK;
    for (const struct lk_lmdb_open *o = registry_first; o != NULL; o = o->next) {
        if (o->dev == open->dev && o->ino == open->ino) {
            rc = LK_E_BUSY;
        }
    }
    if (rc == LK_OK) {
        open->forks = lk_lmdb_forks();
        open->next = registry_first;
        registry_first = open;
    }
    (void)pthread_mutex_unlock(&registry_lock);
    return rc;
}

void lk_lmdb_unregister(struct lk_lmdb_open *open)
{
    (void)pthread_mutex_lock(&registry_lock);
    for (struct lk_lmdb_open **at = &registry_first; *at != NULL; at = &(*at)->next) {
        if (*at == open) {
            *at = open->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&registry_lock);
}
