// SPDX-License-Identifier: MIT
/* map_help.c: quick writes and sums over any backend. */
#include "map_help.h"

#include <stdio.h>

int map_help_put(struct lk_storage *s, uint32_t first, uint32_t count, size_t size, uint32_t salt,
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

int map_help_sum(struct lk_storage *s, uint64_t *sum, uint64_t *count)
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
