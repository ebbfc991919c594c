// SPDX-License-Identifier: MIT
/* lmdb_help.c: places and files for the tests of the LMDB backend. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_help.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void lmdb_help_place(char path[LMDB_HELP_PATH])
{
    static unsigned number;
    const char *base = getenv("TMPDIR");
    if (base == NULL) {
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    do {
        (void)snprintf(path, LMDB_HELP_PATH, "%s/lk-test-%ld-%u", base, (long)getpid(), number++);
    } while (access(path, F_OK) == 0);
}

void lmdb_help_join(char out[LMDB_HELP_PATH], const char *directory, const char *name)
{
    (void)snprintf(out, LMDB_HELP_PATH, "%.200s/%.50s", directory, name);
}

void lmdb_help_remove(const char *path)
{
    DIR *dir = opendir(path);
    char name[LMDB_HELP_PATH];
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            lmdb_help_join(name, path, e->d_name);
            (void)unlink(name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
        (void)rmdir(path);
    }
}

uint8_t *lmdb_help_load(const char *path, size_t *size)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (f == NULL || fstat(fileno(f), &st) != 0) {
        return NULL;
    }
    uint8_t *data = malloc((size_t)st.st_size + 1);
    *size = data != NULL ? fread(data, 1, (size_t)st.st_size, f) : 0;
    (void)fclose(f);
    return data;
}

bool lmdb_help_save(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        return false;
    }
    bool done = fwrite(data, 1, size, f) == size;
    return fclose(f) == 0 && done;
}

size_t lmdb_help_count(const uint8_t *hay, size_t hay_size, const void *needle, size_t size)
{
    size_t count = 0;
    const uint8_t *first = needle;
    for (size_t i = 0; i + size <= hay_size; i++) {
        if (hay[i] == *first && memcmp(hay + i, needle, size) == 0) {
            count++;
        }
    }
    return count;
}

uint32_t lmdb_help_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}
