// SPDX-License-Identifier: MIT
/*
 * libc_writes.h: functions of the C library that write and flush, in a test program's hands. The
 * program asks for _GNU_SOURCE, and is told of what was done by two functions that it defines.
 * Nothing is flushed: the disk is the program's, and need not be waited for.
 */
#ifndef LK_TEST_LIBC_WRITES_H
#define LK_TEST_LIBC_WRITES_H

#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static void libc_wrote(int fd, const void *data, size_t size, off_t offset);
static void libc_flushed(int fd);

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t n = (ssize_t)syscall(SYS_pwrite64, fd, data, size, offset);
    if (n > 0) {
        libc_wrote(fd, data, (size_t)n, offset);
    }
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    off_t at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t n = (ssize_t)syscall(SYS_write, fd, data, size);
    if (n > 0) {
        libc_wrote(fd, data, (size_t)n, at);
    }
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (n < 0) {
            return n;
        }
        sum += n;
    }
    return sum;
}

int fdatasync(int fd)
{
    libc_flushed(fd);
    return 0;
}

int fsync(int fd)
{
    return fdatasync(fd);
}

#endif
