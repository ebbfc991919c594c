// SPDX-License-Identifier: MIT
/*
 * The log in flash, byte by byte: two parts after the same kind of life, with every type of frame,
 * restarts, a cut, a bad sector and a ring that went round, against files beside this one; and what
 * the log stands for, which tests/house/flash_reader.py has to read out of the first by SPEC.md.
 *
 * A difference means that stores of before are read otherwise: then it is a new layout. gold.h
 * tells how the files are written anew.
 */
#include "core/bench.h"
#include "gold.h"

#include "lk_fake_flash.h"
#include "lk_nor.h"

#define ENTRIES 2048u
#define PIECE   32u /* bytes a line; lines of an erased flash are left out */

struct part {
    const char *name;
    uint32_t sector_size, sector_count, program_unit;
    unsigned rounds;    /* of puts that push the log on */
    uint32_t bad;       /* sector */
    uint32_t value_max; /* bytes of a value put */
};

/* Positions of 16 bits and of 32, units of 4 and of 16. */
static const struct part parts[] = {
    {"narrow", 1024, 16, 4, 150, 5, 90},
    {"wide", 131072, 16, 16, 12, 1, 300},
};

struct life {
    const struct part *part;
    struct lk_fake_flash flash;
    struct lk_nor nor;
    struct lk_nor_config config;
    void *memory;
    uint32_t index[ENTRIES];
};

static void life_open(struct life *life)
{
    assert_int_equal(lk_nor_init(&life->nor, &life->config), 0);
    assert_int_equal(life->nor.storage.ops->open(&life->nor.storage, LK_WRITE), 0);
}

/* A restart, as after power came back. */
static void life_again(struct life *life)
{
    life->nor.storage.ops->close(&life->nor.storage);
    lk_fake_flash_power_on(&life->flash);
    life_open(life);
}

static struct life *life_new(const struct part *part)
{
    struct life *life = calloc(1, sizeof(*life));
    size_t size = LK_FAKE_FLASH_MEMORY(part->sector_size, part->sector_count, part->program_unit);
    struct lk_fake_flash_config config = {.sector_size = part->sector_size,
                                          .sector_count = part->sector_count,
                                          .program_unit = part->program_unit,
                                          .mapped = true,
                                          .seed = 1,
                                          .memory_size = size};

    assert_non_null(life);
    life->part = part;
    life->memory = calloc(1, size);
    assert_non_null(life->memory);
    config.memory = life->memory;
    assert_int_equal(lk_fake_flash_init(&life->flash, &config), 0);
    life->config = (struct lk_nor_config){.flash = &lk_fake_flash_ops,
                                          .self = &life->flash,
                                          .index = life->index,
                                          .index_size = sizeof(life->index),
                                          .value_max = 500,
                                          .flags = LK_NOR_FORMAT};
    life_open(life);
    return life;
}

static void life_free(struct life *life)
{
    life->nor.storage.ops->close(&life->nor.storage);
    free(life->memory);
    free(life);
}

static struct lk_span life_key(unsigned number)
{
    static uint8_t key[40];
    int size = snprintf((char *)key, sizeof(key), "key %02u%s", number,
                        number % 5 == 0 ? " with a longer name" : "");

    assert_in_range(size, 1, (int)sizeof(key) - 1);
    return (struct lk_span){key, (size_t)size};
}

static void life_begin(struct life *life, struct lk_storage_txn *txn)
{
    memset(txn, 0, sizeof(*txn));
    assert_int_equal(life->nor.storage.ops->begin(&life->nor.storage, txn, LK_WRITE), 0);
}

static void life_put(struct life *life, struct lk_storage_txn *txn, unsigned number, size_t size)
{
    uint8_t value[512];

    assert_in_range(size, 0, sizeof(value));
    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(number * 31 + i * 7 + size);
    }
    assert_int_equal(
        life->nor.storage.ops->put(txn, life_key(number), (struct lk_span){value, size}), 0);
}

static void life_commit(struct life *life, struct lk_storage_txn *txn)
{
    assert_int_equal(life->nor.storage.ops->commit(txn, LK_COMMIT_DURABLE), 0);
}

static void life_tally(struct life *life, unsigned number)
{
    struct lk_storage_txn txn;
    uint32_t count;

    life_begin(life, &txn);
    assert_int_equal(life->nor.storage.ops->tally(&txn, life_key(number), &count), 0);
    life_commit(life, &txn);
}

/* Batches of three, of two and of one, now and then with a removal. */
static void life_round(struct life *life, unsigned round)
{
    struct lk_storage_txn txn;
    unsigned i;

    life_begin(life, &txn);
    for (i = 0; i <= round % 3; i++) {
        life_put(life, &txn, (round + i * 7) % 20,
                 (round * 13 + i * 29) % (life->part->value_max + 1));
    }
    life_commit(life, &txn);
    if (round % 6 == 5) {
        life_begin(life, &txn);
        assert_int_equal(life->nor.storage.ops->remove(&txn, life_key(round % 20)), 0);
        life_put(life, &txn, 20 + round % 3, 40);
        life_commit(life, &txn);
    }
    if (round % 10 == 9) {
        life_begin(life, &txn); /* given up: the next batch says so */
        life_put(life, &txn, 40, 20);
        life->nor.storage.ops->abort(&txn);
    }
}

/* Ends without a scrub, so that the log has something of everything. */
static struct life *life_lived(const struct part *part)
{
    struct life *life = life_new(part);
    struct lk_storage_txn txn;
    uint64_t bytes;
    unsigned i;

    for (i = 0; i < part->rounds; i++) {
        life_round(life, i);
        if (i % 8 == 3 && i % 6 != 5) {
            life_tally(life, i % 20); /* which this round put */
        }
        if (i == part->rounds / 3) {
            life_again(life);
        }
        if (i == part->rounds / 2) {
            lk_fake_flash_fault_set(&life->flash, part->bad, LK_FAKE_FLASH_NO_ERASE);
        }
    }
    assert_int_equal(life->nor.storage.ops->scrub(&life->nor.storage, &bytes), 0);
    life_again(life);
    for (i = 0; i < 12; i++) {
        life_round(life, i);
        life_tally(life, i % 6 != 5 ? i : 0);
    }
    life_begin(life, &txn);
    life_put(life, &txn, 30, 60);
    assert_int_equal(life->nor.storage.ops->remove(&txn, life_key(2)), 0);
    life_commit(life, &txn);
    /* Power goes in the middle of a batch, between two steps, and the store is opened once more. */
    life_begin(life, &txn);
    life_put(life, &txn, 31, 20);
    lk_fake_flash_cut(&life->flash, 1, LK_FAKE_FLASH_BEFORE, 2);
    assert_int_not_equal(life->nor.storage.ops->commit(&txn, LK_COMMIT_DURABLE), 0);
    life_again(life);
    life_tally(life, 6);
    life_again(life);
    life_begin(life, &txn);
    life_put(life, &txn, 32, 10);
    life_put(life, &txn, 0, 0);
    life_commit(life, &txn);
    life_tally(life, 0);
    return life;
}

static void life_image(struct life *life, struct gold *gold)
{
    const uint8_t *image = lk_fake_flash_image(&life->flash);
    uint32_t size = life->part->sector_size * life->part->sector_count;
    uint8_t blank[PIECE];
    char name[40];

    memset(blank, 0xFF, sizeof(blank));
    (void)snprintf(name, sizeof(name), "size %u\n", size); /* it fits */
    gold_add(gold, name);
    for (uint32_t at = 0; at < size; at += PIECE) {
        if (memcmp(image + at, blank, PIECE) != 0) {
            (void)snprintf(name, sizeof(name), "at %u", at); /* it fits */
            gold_add_bytes(gold, name, (struct lk_span){image + at, PIECE});
        }
    }
}

static void life_map(struct life *life, struct gold *gold)
{
    struct lk_storage *storage = &life->nor.storage;
    struct lk_storage_txn txn;
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    char line[40];
    int error;

    memset(&txn, 0, sizeof(txn));
    assert_int_equal(storage->ops->begin(storage, &txn, LK_READ), 0);
    assert_int_equal(storage->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0}), 0);
    error = storage->ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    while (!error) {
        uint32_t count;

        assert_int_equal(storage->ops->tallied(&txn, key, &count), 0);
        gold_add_bytes(gold, "key", key);
        gold_add_bytes(gold, "value", value);
        (void)snprintf(line, sizeof(line), "tally %u\n", count); /* it fits */
        gold_add(gold, line);
        error = storage->ops->next(&cursor, &key, &value);
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    storage->ops->cursor_close(&cursor);
    storage->ops->abort(&txn);
}

static void test_golden_flash(void **state)
{
    struct gold *gold = calloc(1, sizeof(*gold));
    char name[40];

    (void)state;
    assert_non_null(gold);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct life *life = life_lived(&parts[i]);

        assert_int_equal(life->nor.storage.ops->check(&life->nor.storage, NULL, NULL), 0);
        gold->size = 0;
        life_image(life, gold);
        (void)snprintf(name, sizeof(name), "flash_%s", parts[i].name); /* it fits */
        gold_close(gold, name);
        gold->size = 0;
        life_map(life, gold);
        (void)snprintf(name, sizeof(name), "flash_%s_map", parts[i].name); /* it fits */
        gold_close(gold, name);
        life_free(life);
    }
    free(gold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_flash)};

    return cmocka_run_group_tests_name("golden_flash", tests, NULL, NULL);
}
