// SPDX-License-Identifier: MIT
/*
 * cut_libc.h: functions of the C library that change files and directories, recorded for cut.h.
 * They are in a program's own file, and not in an archive, from where every other test would get
 * them.
 */
#ifndef LK_TEST_CUT_LIBC_H
#define LK_TEST_CUT_LIBC_H

#include "cut.h"
#include "libc_writes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void libc_wrote(int fd, const void *data, size_t size, off_t offset)
{
    cut_add_write(fd, data, size, offset);
}

static void libc_flushed(int fd)
{
    cut_add_sync(fd);
}

int ftruncate(int fd, off_t size)
{
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0) {
        cut_add_size(fd, size);
    }
    return rc;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int openat(int at, const char *path, int flags, ...)
{
    char name[CUT_NAME];
    struct stat st;
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    bool fresh =
        cut_record.on && (flags & O_CREAT) != 0 && fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && fresh) {
        size_t directory = cut_parent(at, path, name);
        if (directory != SIZE_MAX) {
            (void)cut_add_name(CUT_PUT, cut_add_node(at, path), directory, name);
        }
    }
    return fd;
}

int openat64(int at, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(at, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    char name[CUT_NAME];
    int rc = (int)syscall(SYS_mkdirat, at, path, mode);
    size_t directory = rc == 0 ? cut_parent(at, path, name) : SIZE_MAX;
    if (directory != SIZE_MAX) {
        (void)cut_add_name(CUT_PUT, cut_add_node(at, path), directory, name);
    }
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

char *mkdtemp(char *template)
{
    static unsigned number;
    char *tail = template + strlen(template) - 6;
    do {
        (void)snprintf(tail, 7, "%06u", number++ % 1000000);
        if (mkdir(template, 0700) == 0) {
            return template;
        }
    } while (errno == EEXIST);
    return NULL;
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags)
{
    char name[CUT_NAME], source_name[CUT_NAME];
    size_t source = cut_parent(from_at, from, source_name);
    size_t directory = cut_parent(to_at, to, name);
    size_t node = cut_record.on ? cut_find_at(from_at, from) : SIZE_MAX;
    int rc = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (rc == 0 && source != SIZE_MAX && directory != SIZE_MAX && node != SIZE_MAX) {
        struct cut_event *event = cut_add_name(CUT_MOVE, node, directory, name);
        event->source = source;
        (void)snprintf(event->source_name, CUT_NAME, "%s", source_name);
    }
    return rc;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    char name[CUT_NAME];
    size_t directory = cut_parent(to_at, to, name);
    int rc = (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
    size_t node = rc == 0 && cut_record.on ? cut_find_at(to_at, to) : SIZE_MAX;
    if (directory != SIZE_MAX && node != SIZE_MAX) {
        (void)cut_add_name(CUT_PUT, node, directory, name);
    }
    return rc;
}

int unlinkat(int at, const char *path, int flags)
{
    char name[CUT_NAME];
    size_t directory = cut_parent(at, path, name);
    int rc = (int)syscall(SYS_unlinkat, at, path, flags);
    if (rc == 0 && directory != SIZE_MAX) {
        (void)cut_add_name(CUT_TAKE, 0, directory, name);
    }
    return rc;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

#endif
