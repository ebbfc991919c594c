// SPDX-License-Identifier: MIT
#include "toy_storage.h"

#define TOY_AREAS 3u
#define TOY_HEAD  32u
#define TOY_MAGIC 0x31594F54u

enum toy_mistake toy_mistake;

struct toy {
    struct lk_ram ram; /* its storage is the toy's */
    struct lk_storage_ops ops;
    const struct lk_storage_ops *inner;
    struct lk_fake_flash *flash;
    uint32_t area_size, sectors, unit, area, commits;
    uint64_t sequence;
    bool dead;
    uint8_t dump[48u << 10];
    uint8_t memory[96u << 10];
};

static uint64_t toy_hash(const uint8_t *data, size_t size)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 1099511628211u;
    }
    return hash ^ hash >> 29;
}

static void toy_put(uint8_t *out, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        out[i] = (uint8_t)(number >> (8 * i));
    }
}

static uint64_t toy_get(const uint8_t *in, unsigned size)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < size; i++) {
        number |= (uint64_t)in[i] << (8 * i);
    }
    return number;
}

static int toy_sync(struct toy *toy)
{
    return toy_mistake == TOY_NO_SYNC ? 0 : lk_fake_flash_ops.sync(toy->flash);
}

/* All entries, one after the other: sizes, key, value. */
static int toy_dump(struct toy *toy, size_t *size)
{
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor = {0};
    struct lk_span key, value, none = {NULL, 0};
    int error = toy->inner->begin(&toy->ram.storage, &txn, LK_READ);

    *size = 0;
    if (!error) {
        error = toy->inner->cursor_open(&txn, &cursor, none);
    }
    if (!error) {
        error = toy->inner->seek(&cursor, none, &key, &value);
    }
    while (!error) {
        if (*size + 3 + key.size + value.size > toy->area_size - TOY_HEAD ||
            *size + 3 + key.size + value.size > sizeof toy->dump) {
            error = LK_E_FULL;
            break;
        }
        toy_put(toy->dump + *size, key.size, 1);
        toy_put(toy->dump + *size + 1, value.size, 2);
        memcpy(toy->dump + *size + 3, key.data, key.size);
        if (value.size > 0) {
            memcpy(toy->dump + *size + 3 + key.size, value.data, value.size);
        }
        *size += 3 + key.size + value.size;
        error = toy->inner->next(&cursor, &key, &value);
    }
    toy->inner->cursor_close(&cursor);
    toy->inner->abort(&txn);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int toy_erase(struct toy *toy, uint32_t area)
{
    uint32_t sector_size = toy->area_size / toy->sectors, sector = area * toy->sectors;
    int error = 0;

    for (uint32_t n = 0; !error && n < toy->sectors; n++, sector++) {
        bool blank = toy_mistake == TOY_NO_ERASE;

        for (uint32_t i = 0; blank && i < sector_size; i++) {
            uint8_t byte;

            error = lk_fake_flash_ops.read(toy->flash, sector * sector_size + i, &byte, 1);
            blank = !error && byte == 0xFF;
        }
        if (!blank && !error) {
            error = lk_fake_flash_ops.erase(toy->flash, sector);
        }
        if (!error) {
            error = toy_sync(toy);
        }
    }
    return error;
}

static int toy_head(struct toy *toy, uint32_t area, size_t size)
{
    uint8_t head[TOY_HEAD] = {0};
    int error;

    toy_put(head, TOY_MAGIC, 4);
    toy_put(head + 4, size, 4);
    toy_put(head + 8, toy->sequence + 1, 8);
    toy_put(head + 16, toy_hash(toy->dump, size), 8);
    toy_put(head + 24, toy_hash(head, 24), 8);
    error = lk_fake_flash_ops.program(toy->flash, area * toy->area_size, head, sizeof head);
    return error ? error : toy_sync(toy);
}

/* The map as it is in RAM becomes the newest area. */
static int toy_write(struct toy *toy, uint32_t area)
{
    size_t size, padded;
    bool first = toy_mistake == TOY_NO_CHECKSUM;
    int error = toy_dump(toy, &size);

    if (!error) {
        error = toy_erase(toy, area);
    }
    if (!error && first) {
        error = toy_head(toy, area, size);
    }
    if (!error) {
        padded = (size + toy->unit - 1) / toy->unit * toy->unit;
        memset(toy->dump + size, 0, padded - size);
        error = lk_fake_flash_ops.program(toy->flash, area * toy->area_size + TOY_HEAD, toy->dump,
                                          padded);
    }
    if (!error) {
        error = toy_sync(toy);
    }
    if (!error && !first) {
        error = toy_head(toy, area, size);
    }
    if (!error) {
        toy->area = area;
        toy->sequence++;
    }
    return error;
}

/* Sequence of a whole area, 0 when it is none; its dump is read. */
static int toy_read(struct toy *toy, uint32_t area, uint64_t *sequence, size_t *size)
{
    uint8_t head[TOY_HEAD];
    int error = lk_fake_flash_ops.read(toy->flash, area * toy->area_size, head, sizeof head);

    *sequence = 0;
    if (error) {
        return error;
    }
    *size = (size_t)toy_get(head + 4, 4);
    if (toy_get(head, 4) != TOY_MAGIC || toy_get(head + 24, 8) != toy_hash(head, 24) ||
        *size > toy->area_size - TOY_HEAD || *size > sizeof toy->dump) {
        return 0;
    }
    error = lk_fake_flash_ops.read(toy->flash, area * toy->area_size + TOY_HEAD, toy->dump, *size);
    if (!error &&
        (toy_mistake == TOY_NO_CHECKSUM || toy_get(head + 16, 8) == toy_hash(toy->dump, *size))) {
        *sequence = toy_get(head + 8, 8);
    }
    return error;
}

static int toy_load(struct toy *toy, size_t size)
{
    struct lk_storage_txn txn = {0};
    int error = toy->inner->begin(&toy->ram.storage, &txn, LK_WRITE);

    for (size_t at = 0; !error && at < size;) {
        size_t key_size = toy->dump[at], value_size = (size_t)toy_get(toy->dump + at + 1, 2);

        if (at + 3 + key_size + value_size > size) {
            error = LK_E_CORRUPT;
            break;
        }
        error = toy->inner->put(&txn, (struct lk_span){toy->dump + at + 3, key_size},
                                (struct lk_span){toy->dump + at + 3 + key_size, value_size});
        at += 3 + key_size + value_size;
    }
    if (!error) {
        error = toy->inner->commit(&txn, LK_COMMIT_DURABLE);
    }
    toy->inner->abort(&txn);
    return error;
}

/* Reads until two readings agree: on a weak bit that may never be. */
static int toy_settle(struct toy *toy)
{
    uint64_t before = 1, now = 0;
    uint8_t part[1024];
    int error = 0;

    while (!error && before != now) {
        before = now;
        now = 0;
        for (uint32_t at = 0; !error && at < TOY_AREAS * toy->area_size; at += sizeof part) {
            error = lk_fake_flash_ops.read(toy->flash, at, part, sizeof part);
            now = now * 31 + toy_hash(part, sizeof part);
        }
    }
    return error;
}

static int toy_open(struct lk_storage *storage, enum lk_mode mode)
{
    struct toy *toy = (struct toy *)(void *)storage;
    uint64_t newest = 0, next = 0, seen = 0, sequence;
    uint32_t at = 0, at_next = 0, area;
    size_t size = 0, found = 0;
    int error = toy->inner->open(storage, mode);

    if (!error && toy_mistake == TOY_LOOPS) {
        error = toy_settle(toy);
    }
    for (area = 0; !error && area < TOY_AREAS; area++) {
        error = toy_read(toy, area, &sequence, &size);
        if (!error && sequence > newest) {
            next = newest;
            at_next = at;
            newest = sequence;
            at = area;
        } else if (!error && sequence > next) {
            next = sequence;
            at_next = area;
        }
    }
    if (!error && newest) {
        error = toy_read(toy, at, &sequence, &found);
        if (!error && sequence != newest && next) { /* it was weak, and is so no longer */
            uint32_t was = at;

            at = at_next;
            at_next = was;
            seen = newest;
            newest = next;
            error = toy_read(toy, at, &sequence, &found);
        }
        error = error ? error : sequence != newest ? LK_E_CORRUPT : toy_load(toy, found);
        toy->sequence = newest > seen ? newest : seen;
        toy->area = at;
    }
    if (!error && newest && toy_mistake != TOY_TRUSTS_WEAK) {
        /* The third, where there are two; where there is one, any other. */
        area = next ? 3 - at - at_next : (at + 1) % TOY_AREAS;
        error = toy_write(toy, toy_mistake == TOY_TWO_AREAS && next ? at_next : area);
    }
    if (error) {
        toy->inner->close(storage);
    }
    return error;
}

static int toy_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    struct toy *toy = (struct toy *)(void *)txn->storage;
    bool write = txn->mode == LK_WRITE && !txn->failed;
    int error;

    if (!toy) {
        return LK_E_STATE;
    }
    error = toy->dead && write ? LK_E_IO : toy->inner->commit(txn, mode);
    if (!error && write && !(toy_mistake == TOY_EARLY && ++toy->commits % 2 == 0)) {
        error = toy_write(toy, (toy->area + 1) % TOY_AREAS);
        toy->dead = error != 0;
    }
    return error;
}

static struct lk_storage *toy_make(struct power_rig *rig)
{
    struct toy *toy = rig->handle;

    assert_true(sizeof(*toy) <= rig->handle_size);
    memset(toy, 0, sizeof(*toy));
    assert_int_equal(lk_ram_init(&toy->ram, toy->memory, sizeof toy->memory, LK_VALUE_MAX), 0);
    toy->inner = toy->ram.storage.ops;
    toy->ops = *toy->inner;
    toy->ops.open = toy_open;
    toy->ops.commit = toy_commit;
    toy->ops.compact = NULL;
    toy->ram.storage.ops = &toy->ops;
    /* What is tallied is no entry, and the areas hold entries alone. */
    lk_ram_tally_set(&toy->ram, false);
    toy->flash = &rig->flash;
    toy->unit = rig->geometry->program_unit;
    toy->sectors = rig->geometry->sector_count / TOY_AREAS;
    toy->area_size = toy->sectors * rig->geometry->sector_size;
    return &toy->ram.storage;
}

const struct power_backend toy_backend = {"toy", toy_make};
