// SPDX-License-Identifier: MIT
/*
 * fuzz_flash.c: a flash with any content is opened, read, written and opened again.
 *
 * The first byte chooses the part. With its highest bit clear the rest is the content. With it set
 * the rest is steps: what is put, removed, tallied, where power goes, and which bytes are then
 * changed; every value says which key it belongs to, so that one that is wrong is seen.
 */
#include "lk_fake_flash.h"
#include "lk_nor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_SECTOR  1024u
#define FUZZ_SECTORS 8u
#define FUZZ_SIZE    (FUZZ_SECTOR * FUZZ_SECTORS)
#define FUZZ_VALUE   200u
#define FUZZ_ENTRIES 120u

static struct {
    struct lk_fake_flash flash;
    struct lk_nor nor;
    struct lk_nor_config config;
    uint32_t memory[LK_FAKE_FLASH_MEMORY(FUZZ_SECTOR, FUZZ_SECTORS, 1) / 4];
    uint16_t index[FUZZ_ENTRIES];
    uint8_t cache[LK_NOR_CACHE_SIZE(FUZZ_VALUE)];
} fuzz;

static void fuzz_part(uint8_t choice)
{
    static const uint8_t units[4] = {1, 4, 8, 16};
    struct lk_fake_flash_config part = {.sector_size = FUZZ_SECTOR,
                                        .sector_count = FUZZ_SECTORS,
                                        .program_unit = units[choice & 3],
                                        .mapped = (choice & 4) != 0,
                                        .seed = choice,
                                        .memory = fuzz.memory,
                                        .memory_size = sizeof fuzz.memory};
    fuzz.config = (struct lk_nor_config){.flash = &lk_fake_flash_ops,
                                         .self = &fuzz.flash,
                                         .index = fuzz.index,
                                         .index_size = sizeof fuzz.index,
                                         .cache = fuzz.cache,
                                         .cache_size = sizeof fuzz.cache,
                                         .value_max = FUZZ_VALUE,
                                         .flags = LK_NOR_FORMAT | LK_NOR_OVERWRITE};
    if (lk_fake_flash_init(&fuzz.flash, &part) != LK_OK) {
        abort();
    }
}

/* Whether a value is one that belongs to its key: see fuzz_put(). */
static void fuzz_is_own(struct lk_span key, struct lk_span value)
{
    for (size_t i = 1; i < value.size; i++) {
        if (value.data[i] != (uint8_t)(key.data[i % key.size] ^ value.data[0] ^ i)) {
            abort();
        }
    }
}

static int fuzz_put(struct lk_storage_txn *txn, struct lk_span key, uint8_t salt, size_t size)
{
    uint8_t value[FUZZ_VALUE];
    size = size < sizeof value ? size : sizeof value;
    for (size_t i = 0; i < size; i++) {
        value[i] = i == 0 ? salt : (uint8_t)(key.data[i % key.size] ^ salt ^ i);
    }
    return txn->storage->ops->put(txn, key, (struct lk_span){value, size});
}

/* Opens, walks both ways, gets, checks, writes. True: it could be opened. */
static bool fuzz_use(bool own)
{
    struct lk_storage *s = &fuzz.nor.storage;
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor;
    struct lk_span key;
    struct lk_span value;
    struct lk_storage_stat stat;
    uint64_t bytes = 0;
    uint32_t count = 0;
    lk_fake_flash_limit(&fuzz.flash, 4000000);
    memset(fuzz.index, 0xA5, sizeof fuzz.index);
    if (lk_nor_init(&fuzz.nor, &fuzz.config) != LK_OK) {
        abort();
    }
    if (s->ops->open(s, LK_WRITE) != LK_OK) {
        return false;
    }
    if (s->ops->begin(s, &txn, LK_READ) == LK_OK) {
        if (s->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0}) != LK_OK) {
            abort();
        }
        int rc = s->ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
        for (; rc == LK_OK || rc == LK_E_CORRUPT; rc = s->ops->next(&cursor, &key, &value)) {
            if (rc == LK_OK && own) {
                fuzz_is_own(key, value);
            }
            if (++count > FUZZ_ENTRIES) {
                abort();
            }
        }
        rc = s->ops->seek_before(&cursor, (struct lk_span){NULL, 0}, &key, NULL);
        while (rc == LK_OK && count-- > 0) {
            rc = s->ops->prev(&cursor, &key, NULL);
        }
        s->ops->cursor_close(&cursor);
        s->ops->abort(&txn);
    }
    int check = s->ops->check(s, NULL, NULL);
    if (s->ops->stat(s, &stat) != LK_OK || (stat.damaged && check == LK_OK)) {
        abort();
    }
    for (uint8_t i = 0; i < 12; i++) {
        uint8_t name[2] = {i, (uint8_t)(i / 3)};
        struct lk_span own_key = {name, 2};
        if (s->ops->begin(s, &txn, LK_WRITE) != LK_OK) {
            break;
        }
        int rc = i == 7
                     ? s->ops->tally(&txn, (struct lk_span){(const uint8_t *)"\x06\x02", 2}, &count)
                 : i == 9 ? s->ops->remove(&txn, (struct lk_span){(const uint8_t *)"\x06\x02", 2})
                          : fuzz_put(&txn, own_key, i, i * 17u);
        int end = s->ops->commit(&txn, LK_COMMIT_DURABLE);
        if (rc == LK_OK && end == LK_OK && i != 7 && i != 9) {
            if (s->ops->begin(s, &txn, LK_READ) != LK_OK ||
                s->ops->get(&txn, own_key, &value) != LK_OK) {
                abort(); /* what was acknowledged is there */
            }
            fuzz_is_own(own_key, value);
            s->ops->abort(&txn);
        }
    }
    (void)s->ops->scrub(s, &bytes); /* may well have no room */
    s->ops->close(s);
    if (lk_fake_flash_limit_hit(&fuzz.flash)) {
        abort();
    }
    return true;
}

static void fuzz_steps(const uint8_t *data, size_t size)
{
    struct lk_storage *s = &fuzz.nor.storage;
    struct lk_storage_txn txn = {0};
    if (lk_nor_init(&fuzz.nor, &fuzz.config) != LK_OK || s->ops->open(s, LK_WRITE) != LK_OK) {
        abort();
    }
    size_t i = 0;
    for (; i + 3 <= size && data[i] != 0xFF; i += 3) {
        uint8_t name[3] = {data[i + 1], 'k', data[i + 1]};
        struct lk_span key = {name, 1 + data[i + 1] % 3u};
        uint32_t count;
        if (txn.storage == NULL && s->ops->begin(s, &txn, LK_WRITE) != LK_OK) {
            break;
        }
        switch (data[i] % 8) {
        case 0: (void)s->ops->commit(&txn, LK_COMMIT_DURABLE); break;
        case 1: s->ops->abort(&txn); break;
        case 2: (void)s->ops->remove(&txn, key); break;
        case 3: (void)s->ops->tally(&txn, key, &count); break;
        case 4:
            lk_fake_flash_cut(&fuzz.flash, 1u + data[i + 2], LK_FAKE_FLASH_TORN, data[i + 1]);
            break;
        default: (void)fuzz_put(&txn, key, data[i], data[i + 2]); break;
        }
    }
    if (txn.storage != NULL) {
        s->ops->abort(&txn);
    }
    s->ops->close(s);
    lk_fake_flash_power_on(&fuzz.flash);
    for (i++; i + 3 <= size; i += 3) {
        uint32_t at = ((uint32_t)data[i] << 8 | data[i + 1]) % FUZZ_SIZE;
        lk_fake_flash_flip(&fuzz.flash, at, data[i + 2] % 8u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    fuzz_part(data[0]);
    bool own = (data[0] & 0x80) != 0;
    if (own) {
        fuzz_steps(data + 1, size - 1);
    } else {
        size_t load = size - 1 < FUZZ_SIZE ? (size - 1) / 16 * 16 : FUZZ_SIZE;
        if (lk_fake_flash_load(&fuzz.flash, 0, data + 1, load) != LK_OK) {
            abort();
        }
    }
    if (fuzz_use(own)) {
        (void)fuzz_use(own);
    }
    return 0;
}
