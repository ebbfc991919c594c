// SPDX-License-Identifier: MIT
/* count.c: stands before libc's writing calls, also for the libraries that the program uses. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness.h"

uint64_t count_bytes, count_barriers;

/* POSIX lets dlsym's object pointer be used as a function; C has no cast for it. */
#define NEXT(type, name)                                                                           \
    static type next;                                                                              \
    if (!next) {                                                                                   \
        *(void **)&next = dlsym(RTLD_NEXT, name);                                                  \
    }

typedef ssize_t write_call(int fd, const void *data, size_t size);
typedef ssize_t pwrite_call(int fd, const void *data, size_t size, off_t at);
typedef ssize_t writev_call(int fd, const struct iovec *parts, int count);
typedef ssize_t pwritev_call(int fd, const struct iovec *parts, int count, off_t at);
typedef int sync_call(int fd);
typedef int close_call(int fd);

#define FILES 1024

static char synchronous[FILES]; /* 0 not known yet, 1 no, 2 yes */

/* A write through a descriptor opened with O_DSYNC is a barrier too. */
static ssize_t counted(int fd, ssize_t size)
{
    if (fd >= 0 && fd < FILES) {
        if (!synchronous[fd]) {
            int flags = fcntl(fd, F_GETFL);

            synchronous[fd] = flags != -1 && (flags & O_DSYNC) ? 2 : 1;
        }
        count_barriers += synchronous[fd] == 2;
    }
    count_bytes += size > 0 ? (uint64_t)size : 0;
    return size;
}

int close(int fd)
{
    NEXT(close_call *, "close")
    if (fd >= 0 && fd < FILES) {
        synchronous[fd] = 0;
    }
    return next(fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
    NEXT(write_call *, "write")
    return fd > 2 ? counted(fd, next(fd, data, size)) : next(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    NEXT(pwrite_call *, "pwrite")
    return counted(fd, next(fd, data, size, at));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    NEXT(pwrite_call *, "pwrite64")
    return counted(fd, next(fd, data, size, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    NEXT(writev_call *, "writev")
    return counted(fd, next(fd, parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    NEXT(pwritev_call *, "pwritev")
    return counted(fd, next(fd, parts, count, at));
}

int fsync(int fd)
{
    NEXT(sync_call *, "fsync")
    count_barriers++;
    return next(fd);
}

int fdatasync(int fd)
{
    NEXT(sync_call *, "fdatasync")
    count_barriers++;
    return next(fd);
}
