// SPDX-License-Identifier: MIT
/* cut_record.c: what a making did to files and directories. */
#define _GNU_SOURCE
#include "cut.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cut_record cut_record;
static pthread_mutex_t cut_lock = PTHREAD_MUTEX_INITIALIZER;

/* Numbers of files are used again once their file is gone: the newest counts. */
static size_t cut_find(const struct stat *st)
{
    for (size_t i = cut_record.node_count; i > 0; i--) {
        if (cut_record.nodes[i - 1].ino == st->st_ino &&
            cut_record.nodes[i - 1].dev == st->st_dev) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

static size_t cut_find_fd(int fd)
{
    struct stat st;
    return cut_record.on && fstat(fd, &st) == 0 ? cut_find(&st) : SIZE_MAX;
}

size_t cut_find_at(int at, const char *path)
{
    struct stat st;
    return fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? cut_find(&st) : SIZE_MAX;
}

size_t cut_add_node(int at, const char *path)
{
    struct stat st;
    if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || cut_record.node_count == CUT_NODES) {
        abort();
    }
    cut_record.nodes[cut_record.node_count] =
        (struct cut_node){st.st_dev, st.st_ino, S_ISDIR(st.st_mode), st.st_mode & 07777};
    return cut_record.node_count++;
}

size_t cut_parent(int at, const char *path, char name[CUT_NAME])
{
    char head[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    if (!cut_record.on || size >= sizeof head ||
        strlen(slash == NULL ? path : slash + 1) >= CUT_NAME) {
        return SIZE_MAX;
    }
    (void)snprintf(name, CUT_NAME, "%s", slash == NULL ? path : slash + 1);
    memcpy(head, path, size);
    memcpy(head + size, size == 0 ? "." : "", size == 0 ? 2 : 1);
    return cut_find_at(at, head);
}

struct cut_event *cut_add(enum cut_kind kind, size_t node)
{
    if (cut_record.count == CUT_EVENTS) {
        abort();
    }
    struct cut_event *event = &cut_record.events[cut_record.count++];
    *event = (struct cut_event){.kind = kind, .node = node};
    return event;
}

struct cut_event *cut_add_name(enum cut_kind kind, size_t node, size_t directory, const char *name)
{
    struct cut_event *event = cut_add(kind, node);
    event->directory = directory;
    (void)snprintf(event->name, sizeof event->name, "%s", name);
    return event;
}

void cut_add_write(int fd, const void *data, size_t size, off_t offset)
{
    (void)pthread_mutex_lock(&cut_lock);
    size_t node = cut_find_fd(fd);
    if (node != SIZE_MAX) {
        struct cut_event *event = cut_add(CUT_WRITE, node);
        event->durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
        event->offset = (uint64_t)offset;
        event->size = size;
        event->data = malloc(size);
        if (event->data == NULL) {
            abort();
        }
        memcpy(event->data, data, size);
    }
    (void)pthread_mutex_unlock(&cut_lock);
}

void cut_add_size(int fd, off_t size)
{
    (void)pthread_mutex_lock(&cut_lock);
    size_t node = cut_find_fd(fd);
    if (node != SIZE_MAX) {
        cut_add(CUT_SIZE, node)->size = (size_t)size;
    }
    (void)pthread_mutex_unlock(&cut_lock);
}

void cut_add_sync(int fd)
{
    (void)pthread_mutex_lock(&cut_lock);
    size_t node = cut_find_fd(fd);
    if (node != SIZE_MAX) {
        (void)cut_add(CUT_SYNC, node);
    }
    (void)pthread_mutex_unlock(&cut_lock);
}
