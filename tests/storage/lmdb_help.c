// SPDX-License-Identifier: MIT
/* lmdb_help.c: places, files and quick writes for the tests of the LMDB backend. */
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

int lmdb_help_put(struct lk_storage *s, uint32_t first, uint32_t count, size_t size, uint32_t salt,
                  enum lk_commit_mode mode)
{
    struct lk_storage_txn txn = {0};
    uint8_t value[16384];
    int rc = s->ops->begin(s, &txn, LK_WRITE);
    if (rc != LK_OK) {
        return rc;
    }
    for (uint32_t i = first; i < first + count && rc == LK_OK; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "k%06u", i);
        for (size_t j = 0; j < size; j++) {
            value[j] = (uint8_t)((i * 31 + salt + j) & 0xFF);
        }
        rc = s->ops->put(&txn, (struct lk_span){(const uint8_t *)key, (size_t)n},
                         (struct lk_span){value, size});
    }
    int end = s->ops->commit(&txn, mode);
    s->ops->release(s, &txn);
    return rc != LK_OK ? rc : end;
}

int lmdb_help_sum(struct lk_storage *s, uint64_t *sum, uint64_t *count)
{
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor = {0};
    struct lk_span key;
    struct lk_span value;
    *sum = 0;
    *count = 0;
    int rc = s->ops->begin(s, &txn, LK_READ);
    if (rc != LK_OK) {
        return rc;
    }
    rc = s->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0});
    if (rc == LK_OK) {
        rc = s->ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    }
    while (rc == LK_OK) {
        const struct lk_span parts[2] = {key, value};
        for (int p = 0; p < 2; p++) {
            for (size_t i = 0; i < parts[p].size; i++) {
                *sum = (*sum ^ parts[p].data[i]) * UINT64_C(1099511628211);
            }
            *sum = (*sum ^ 0x1FF) * UINT64_C(1099511628211);
        }
        ++*count;
        rc = s->ops->next(&cursor, &key, &value);
    }
    s->ops->cursor_close(&cursor);
    s->ops->abort(&txn);
    s->ops->release(s, &txn);
    return rc == LK_E_NOT_FOUND ? LK_OK : rc;
}
