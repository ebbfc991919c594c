// SPDX-License-Identifier: MIT
/* lk_ram.c: the ordered map in memory that the caller gives. How it lies there is in ram_map.h. */
#include "ram_map.h"

#define RAM_VALUE_DEFAULT 8192u

static int ram_open(struct lk_storage *storage, enum lk_mode mode)
{
    struct lk_ram *ram = ram_of(storage);
    if (ram->open) {
        return LK_E_BUSY;
    }
    if (ram_get32(ram, RAM_AT_MAGIC) != RAM_MAGIC) {
        for (size_t i = 0; i < RAM_HEAD; i++) {
            if (ram->memory[i] != 0) {
                return LK_E_CORRUPT; /* somebody's, but not a map */
            }
        }
        int rc = lk_ram_format(ram);
        if (rc != LK_OK) {
            return rc;
        }
    }
    uint32_t top = ram_get32(ram, RAM_AT_TOP);
    if (ram_get32(ram, RAM_AT_SIZE) != ram->size || top < RAM_HEAD || top > ram->size ||
        ram_count(ram) > (ram->size - top) / RAM_SLOT || ram_get32(ram, RAM_AT_BATCH) > top) {
        return LK_E_CORRUPT;
    }
    if (ram_get32(ram, RAM_AT_BATCH) != 0) {
        lk_ram_undo(ram);
    }
    ram->open = true;
    ram->mode = mode;
    ram->writing = false;
    ram->reader_count = 0;
    ram->commit_count = 0;
    ram->version++;
    return LK_OK;
}

static void ram_close(struct lk_storage *storage)
{
    struct lk_ram *ram = ram_of(storage);
    if (ram->open && ram->writing) {
        lk_ram_undo(ram);
    }
    ram->open = false;
    ram->writing = false;
}

static int ram_begin(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode)
{
    struct lk_ram *ram = ram_of(storage);
    if (!ram->open || txn->storage != NULL) {
        return LK_E_STATE;
    }
    if (mode == LK_WRITE && ram->mode == LK_READ) {
        return LK_E_READ_ONLY;
    }
    if (ram->writing || (mode == LK_WRITE && ram->reader_count > 0)) {
        return LK_E_BUSY;
    }
    if (mode == LK_WRITE) {
        ram->writing = true;
        ram_set32(ram, RAM_AT_BATCH, ram_get32(ram, RAM_AT_TOP));
    } else {
        ram->reader_count++;
    }
    *txn = (struct lk_storage_txn){.storage = storage, .mode = mode};
    return LK_OK;
}

static void ram_abort(struct lk_storage_txn *txn)
{
    if (txn->storage == NULL) {
        return;
    }
    struct lk_ram *ram = ram_of(txn->storage);
    if (txn->mode == LK_READ) {
        ram->reader_count--;
    } else {
        lk_ram_undo(ram);
        ram->version += txn->priv[0] != NULL ? 1u : 0u;
        ram->writing = false;
    }
    txn->storage = NULL;
    txn->failed = LK_OK;
}

static int ram_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    (void)mode;
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    if (txn->mode == LK_READ || txn->failed != LK_OK) {
        int failed = txn->failed;
        ram_abort(txn);
        return failed;
    }
    struct lk_ram *ram = ram_of(txn->storage);
    uint32_t tally = (uint32_t)(uintptr_t)txn->priv[2];
    if (tally != 0) {
        ram_set32(ram, tally + 12, ram_get32(ram, tally + 12) + 1);
        ram->version++;
    }
    for (uint32_t block = ram_get32(ram, RAM_AT_OLD); block != 0;) {
        uint32_t next = ram_get32(ram, block + 4);
        lk_ram_kill(ram, block);
        block = next;
    }
    ram_set32(ram, RAM_AT_OLD, 0);
    ram_set32(ram, RAM_AT_BATCH, 0);
    ram->writing = false;
    ram->commit_count++;
    txn->storage = NULL;
    return LK_OK;
}

static void ram_release(struct lk_storage *storage, struct lk_storage_txn *txn)
{
    (void)storage;
    ram_abort(txn);
}

static uint64_t ram_snapshot(const struct lk_storage_txn *txn)
{
    return txn->storage != NULL ? ram_of(txn->storage)->version : 0;
}

static int ram_usable(const struct lk_storage_txn *txn, struct lk_span key, bool empty_allowed)
{
    if (txn == NULL || txn->storage == NULL) {
        return LK_E_STATE;
    }
    if (txn->failed != LK_OK) {
        return txn->failed;
    }
    if (key.size > LK_KEY_MAX) {
        return LK_E_TOO_BIG;
    }
    return key.size == 0 && !empty_allowed ? LK_E_ARGUMENT : LK_OK;
}

/* The block of a key that is there. */
static int ram_find(struct lk_storage_txn *txn, struct lk_span key, uint32_t *block)
{
    int rc = ram_usable(txn, key, false);
    if (rc != LK_OK) {
        return rc;
    }
    const struct lk_ram *ram = ram_of(txn->storage);
    bool same;
    uint32_t index = lk_ram_find(ram, key, &same);
    if (!same) {
        return LK_E_NOT_FOUND;
    }
    *block = ram_at(ram, index);
    return LK_OK;
}

static int ram_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value)
{
    uint32_t block;
    int rc = ram_find(txn, key, &block);
    if (rc == LK_OK) {
        *value = ram_value(ram_of(txn->storage), block);
    }
    return rc;
}

static void ram_changed(struct lk_ram *ram, struct lk_storage_txn *txn)
{
    ram->version++;
    txn->priv[0] = ram->memory; /* marks that an abort changes what is seen */
    txn->priv[1] = (void *)((uintptr_t)txn->priv[1] + 1);
}

static int ram_insert(struct lk_ram *ram, struct lk_span key, struct lk_span value)
{
    bool same;
    uint32_t index = lk_ram_find(ram, key, &same);
    size_t need = ram_need(key.size, value.size);
    uint32_t slots = same ? 0 : RAM_SLOT;
    if (ram_table(ram) - ram_get32(ram, RAM_AT_TOP) < need + slots) {
        if (ram_get32(ram, RAM_AT_DEAD) == 0) {
            return LK_E_FULL;
        }
        lk_ram_tidy(ram);
        index = lk_ram_find(ram, key, &same);
        if (ram_table(ram) - ram_get32(ram, RAM_AT_TOP) < need + slots) {
            return LK_E_FULL;
        }
    }
    uint32_t block = ram_get32(ram, RAM_AT_TOP);
    ram_set32(ram, block, (uint32_t)value.size);
    ram_set32(ram, block + 4, 0);
    ram_set16(ram, block + 8, (uint16_t)key.size);
    ram_set16(ram, block + 10, RAM_LIVE);
    ram_set32(ram, block + 12, 0);
    memcpy(ram->memory + block + RAM_BLOCK, key.data, key.size);
    if (value.size > 0) {
        memcpy(ram->memory + block + RAM_BLOCK + key.size, value.data, value.size);
    }
    ram_set32(ram, RAM_AT_TOP, block + (uint32_t)need);
    if (same) {
        lk_ram_retire(ram, ram_at(ram, index));
        ram_set32(ram, ram_slot(ram, index), block);
    } else {
        lk_ram_table_insert(ram, index, block);
    }
    return LK_OK;
}

static int ram_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    int rc = ram_usable(txn, key, true);
    if (rc == LK_E_STATE || (rc == LK_OK && txn->mode == LK_READ)) {
        return rc == LK_OK ? LK_E_READ_ONLY : rc;
    }
    if (rc == LK_OK && key.size == 0) {
        rc = LK_E_ARGUMENT;
    }
    if (rc == LK_OK && txn->priv[2] != NULL) {
        rc = LK_E_STATE; /* a transaction that tallies does nothing else */
    }
    if (rc == LK_OK && value.size > txn->storage->value_max) {
        rc = LK_E_TOO_BIG;
    }
    if (rc == LK_OK) {
        rc = ram_insert(ram_of(txn->storage), key, value);
    }
    if (rc == LK_OK) {
        ram_changed(ram_of(txn->storage), txn);
    }
    txn->failed = txn->failed != LK_OK ? txn->failed : rc;
    return rc;
}

static int ram_remove(struct lk_storage_txn *txn, struct lk_span key)
{
    int rc = ram_usable(txn, key, true);
    if (rc == LK_E_STATE || (rc == LK_OK && txn->mode == LK_READ)) {
        return rc == LK_OK ? LK_E_READ_ONLY : rc;
    }
    if (rc == LK_OK && key.size == 0) {
        rc = LK_E_ARGUMENT;
    }
    if (rc == LK_OK && txn->priv[2] != NULL) {
        rc = LK_E_STATE;
    }
    if (rc != LK_OK) {
        txn->failed = txn->failed != LK_OK ? txn->failed : rc;
        return rc;
    }
    struct lk_ram *ram = ram_of(txn->storage);
    bool same;
    uint32_t index = lk_ram_find(ram, key, &same);
    if (!same) {
        return LK_E_NOT_FOUND;
    }
    uint32_t block = ram_at(ram, index);
    lk_ram_table_remove(ram, index);
    lk_ram_retire(ram, block);
    ram_changed(ram, txn);
    return LK_OK;
}

/* `priv[2]` of a transaction that tallies is the block. */
static int ram_tally(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    uint32_t block = 0;
    int rc = ram_usable(txn, key, true);
    if (rc == LK_E_STATE || (rc == LK_OK && txn->mode == LK_READ)) {
        return rc == LK_OK ? LK_E_READ_ONLY : rc;
    }
    if (rc == LK_OK && (txn->storage->caps & LK_STORAGE_TALLY) == 0) {
        return LK_E_UNSUPPORTED;
    }
    if (rc == LK_OK && (txn->priv[0] != NULL || txn->priv[2] != NULL)) {
        rc = LK_E_STATE;
    }
    rc = rc == LK_OK ? ram_find(txn, key, &block) : rc;
    if (rc == LK_E_NOT_FOUND) {
        return rc;
    }
    if (rc == LK_OK) {
        *count = ram_get32(ram_of(txn->storage), block + 12) + 1;
        txn->priv[2] = (void *)(uintptr_t)block;
    }
    txn->failed = txn->failed != LK_OK ? txn->failed : rc;
    return rc;
}

static int ram_tallied(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    uint32_t block = 0;
    int rc = ram_find(txn, key, &block);
    if (rc == LK_OK && (txn->storage->caps & LK_STORAGE_TALLY) == 0) {
        rc = LK_E_UNSUPPORTED;
    }
    if (rc == LK_OK) {
        *count = ram_get32(ram_of(txn->storage), block + 12);
    }
    return rc;
}

static int ram_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                           struct lk_span prefix)
{
    int rc = ram_usable(txn, prefix, true);
    if (rc != LK_OK) {
        return rc;
    }
    memset(cursor, 0, sizeof *cursor);
    cursor->txn = txn;
    cursor->prefix_size = prefix.size;
    if (prefix.size > 0) {
        memcpy(cursor->prefix, prefix.data, prefix.size);
    }
    return LK_OK;
}

static void ram_cursor_close(struct lk_storage_cursor *cursor)
{
    cursor->txn = NULL;
}

/* Stands on an entry if it is within the prefix. `priv`: index, changes, whether it stands. */
static int ram_stand(struct lk_storage_cursor *cursor, uint32_t index, struct lk_span *found,
                     struct lk_span *value)
{
    const struct lk_ram *ram = ram_of(cursor->txn->storage);
    cursor->priv[2] = NULL;
    if (index >= ram_count(ram)) {
        return LK_E_NOT_FOUND;
    }
    uint32_t block = ram_at(ram, index);
    struct lk_span key = ram_key(ram, block);
    if (key.size < cursor->prefix_size ||
        memcmp(key.data, cursor->prefix, cursor->prefix_size) != 0) {
        return LK_E_NOT_FOUND;
    }
    cursor->priv[0] = (void *)(uintptr_t)index;
    cursor->priv[1] = cursor->txn->priv[1];
    cursor->priv[2] = cursor;
    if (found != NULL) {
        *found = key;
    }
    if (value != NULL) {
        *value = ram_value(ram, block);
    }
    return LK_OK;
}

static int ram_cursor_usable(const struct lk_storage_cursor *cursor, struct lk_span key)
{
    return cursor->txn != NULL ? ram_usable(cursor->txn, key, true) : LK_E_STATE;
}

static int ram_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                    struct lk_span *value)
{
    int rc = ram_cursor_usable(cursor, key);
    if (rc != LK_OK) {
        return rc;
    }
    struct lk_span prefix = {cursor->prefix, cursor->prefix_size};
    bool same;
    return ram_stand(cursor,
                     lk_ram_find(ram_of(cursor->txn->storage),
                                 lk_ram_compare(key, prefix) < 0 ? prefix : key, &same),
                     found, value);
}

static int ram_seek_before(struct lk_storage_cursor *cursor, struct lk_span key,
                           struct lk_span *found, struct lk_span *value)
{
    int rc = ram_cursor_usable(cursor, key);
    if (rc != LK_OK) {
        return rc;
    }
    const struct lk_ram *ram = ram_of(cursor->txn->storage);
    uint8_t after[LK_KEY_MAX];
    size_t size = cursor->prefix_size;
    while (size > 0 && cursor->prefix[size - 1] == 0xFF) {
        size--;
    }
    if (size > 0) {
        memcpy(after, cursor->prefix, size);
        after[size - 1]++;
    }
    /* The end of the prefix's range bounds the key; no size: the range ends with the map. */
    struct lk_span end = {after, size};
    if (key.size == 0 || (size > 0 && lk_ram_compare(key, end) > 0)) {
        key = end;
    }
    bool same;
    uint32_t index = key.size > 0 ? lk_ram_find(ram, key, &same) : ram_count(ram);
    return ram_stand(cursor, index > 0 ? index - 1 : UINT32_MAX, found, value);
}

static int ram_move(struct lk_storage_cursor *cursor, bool forward, struct lk_span *found,
                    struct lk_span *value)
{
    int rc = ram_cursor_usable(cursor, (struct lk_span){NULL, 0});
    if (rc != LK_OK) {
        return rc;
    }
    if (cursor->priv[2] == NULL || cursor->priv[1] != cursor->txn->priv[1]) {
        return LK_E_STATE;
    }
    uint32_t index = (uint32_t)(uintptr_t)cursor->priv[0];
    /* One before the first is past the end of any table. */
    return ram_stand(cursor, forward ? index + 1 : index - 1, found, value);
}

static int ram_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return ram_move(cursor, true, found, value);
}

static int ram_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value)
{
    return ram_move(cursor, false, found, value);
}

static int ram_stat(struct lk_storage *storage, struct lk_storage_stat *stat)
{
    const struct lk_ram *ram = ram_of(storage);
    if (!ram->open) {
        return LK_E_STATE;
    }
    uint32_t room = ram_table(ram) - ram_get32(ram, RAM_AT_TOP) + ram_get32(ram, RAM_AT_DEAD);
    *stat = (struct lk_storage_stat){
        .entries = ram_count(ram),
        .used_bytes = ram->size - room,
        .free_bytes = room,
        .commit_count = ram->commit_count,
    };
    return LK_OK;
}

static int ram_check(struct lk_storage *storage, lk_storage_progress *progress, void *context)
{
    const struct lk_ram *ram = ram_of(storage);
    if (!ram->open) {
        return LK_E_STATE;
    }
    uint32_t top = ram_get32(ram, RAM_AT_TOP);
    uint32_t live = 0;
    uint32_t dead = 0;
    for (uint32_t block = RAM_HEAD; block < top;) {
        if (top - block < RAM_BLOCK || ram_get16(ram, block + 8) == 0 ||
            ram_get16(ram, block + 8) > LK_KEY_MAX || ram_get32(ram, block) > ram->size ||
            ram_block_size(ram, block) > top - block) {
            return LK_E_CORRUPT;
        }
        live += ram_get16(ram, block + 10) == RAM_LIVE ? 1u : 0u;
        dead += ram_get16(ram, block + 10) == RAM_DEAD ? ram_block_size(ram, block) : 0u;
        block += ram_block_size(ram, block);
    }
    if (live != ram_count(ram) || dead != ram_get32(ram, RAM_AT_DEAD)) {
        return LK_E_CORRUPT;
    }
    for (uint32_t i = 0; i < ram_count(ram); i++) {
        uint32_t block = ram_at(ram, i);
        if (block < RAM_HEAD || block >= top || block % 4 != 0 || top - block < RAM_BLOCK ||
            ram_get16(ram, block + 8) > top - block - RAM_BLOCK ||
            (i > 0 && lk_ram_compare(ram_key(ram, ram_at(ram, i - 1)), ram_key(ram, block)) >= 0)) {
            return LK_E_CORRUPT;
        }
        int rc = progress != NULL ? progress(context, i + 1, ram_count(ram)) : LK_OK;
        if (rc != LK_OK) {
            return rc;
        }
    }
    return LK_OK;
}

static int ram_idle(const struct lk_ram *ram)
{
    if (!ram->open) {
        return LK_E_STATE;
    }
    if (ram->mode == LK_READ) {
        return LK_E_READ_ONLY;
    }
    return ram->writing || ram->reader_count > 0 ? LK_E_BUSY : LK_OK;
}

static int ram_compact(struct lk_storage *storage)
{
    struct lk_ram *ram = ram_of(storage);
    int rc = ram_idle(ram);
    if (rc == LK_OK) {
        lk_ram_tidy(ram);
    }
    return rc;
}

static int ram_scrub(struct lk_storage *storage, uint64_t *bytes)
{
    struct lk_ram *ram = ram_of(storage);
    int rc = ram_idle(ram);
    uint64_t count = 0;
    if (rc == LK_OK) {
        lk_ram_tidy(ram);
        for (uint32_t at = ram_get32(ram, RAM_AT_TOP); at < ram_table(ram); at++) {
            count += ram->memory[at] != 0 ? 1u : 0u;
            ram->memory[at] = 0;
        }
    }
    if (bytes != NULL) {
        *bytes = count;
    }
    return rc;
}

static const struct lk_storage_ops ram_ops = {
    .name = "ram",
    .open = ram_open,
    .close = ram_close,
    .begin = ram_begin,
    .commit = ram_commit,
    .abort = ram_abort,
    .release = ram_release,
    .snapshot = ram_snapshot,
    .get = ram_get,
    .put = ram_put,
    .remove = ram_remove,
    .tally = ram_tally,
    .tallied = ram_tallied,
    .cursor_open = ram_cursor_open,
    .cursor_close = ram_cursor_close,
    .seek = ram_seek,
    .seek_before = ram_seek_before,
    .next = ram_next,
    .prev = ram_prev,
    .stat = ram_stat,
    .check = ram_check,
    .compact = ram_compact,
    .scrub = ram_scrub,
};

int lk_ram_init(struct lk_ram *ram, void *memory, size_t size, size_t value_max)
{
    if (ram == NULL || memory == NULL || size < LK_RAM_SIZE_MIN) {
        return LK_E_ARGUMENT;
    }
    size = size > UINT32_MAX ? UINT32_MAX : size;
    value_max = value_max != 0 ? value_max : RAM_VALUE_DEFAULT;
    *ram = (struct lk_ram){
        .storage = {.ops = &ram_ops,
                    .caps = LK_STORAGE_STABLE | LK_STORAGE_TALLY,
                    .value_max = value_max < size ? value_max : size},
        .memory = memory,
        .size = (uint32_t)(size & ~(size_t)3),
    };
    return LK_OK;
}

void lk_ram_tally_set(struct lk_ram *ram, bool on)
{
    ram->storage.caps &= ~(uint32_t)LK_STORAGE_TALLY;
    ram->storage.caps |= on ? LK_STORAGE_TALLY : 0;
}

int lk_ram_format(struct lk_ram *ram)
{
    if (ram == NULL || ram->open) {
        return ram == NULL ? LK_E_ARGUMENT : LK_E_BUSY;
    }
    memset(ram->memory, 0, RAM_HEAD);
    ram_set32(ram, RAM_AT_MAGIC, RAM_MAGIC);
    ram_set32(ram, RAM_AT_SIZE, ram->size);
    ram_set32(ram, RAM_AT_TOP, RAM_HEAD);
    return LK_OK;
}
