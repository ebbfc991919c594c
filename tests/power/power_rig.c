// SPDX-License-Identifier: MIT
/* power_rig.c: flash, storage and store of a run, and how they are saved and put back. */
#include "power.h"

#include <stdarg.h>

#define RIG_HANDLE   (192u << 10)
#define RIG_STATES   4096u
#define RIG_REWRITES 8u

const struct power_geometry power_geometries[POWER_GEOMETRY_COUNT] = {
    {"1k32u1", 1024, 32, 1, true, false},   {"1k64u4", 1024, 64, 4, true, true},
    {"4k16u4", 4096, 16, 4, true, false},   {"4k16u8", 4096, 16, 8, false, true},
    {"64k4u16", 65536, 4, 16, true, false},
};

/* The one whose commits are watched: the operations of a storage know no context. */
static struct power_rig *rig_watched;

void power_fail(struct power_rig *rig, const char *format, ...)
{
    va_list arguments;

    if (!rig->failure[0]) {
        va_start(arguments, format);
        (void)vsnprintf(rig->failure, sizeof(rig->failure), format, arguments);
        va_end(arguments);
    }
}

static void rig_on_rule(void *context, const char *rule, uint32_t address)
{
    power_fail(context, "a rule of flash was broken: %s at %u", rule, address);
}

static int rig_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    struct power_rig *rig = rig_watched;
    bool write = txn->storage && txn->mode == LK_WRITE;
    int error = rig->real->commit(txn, mode);

    if (!error && write) {
        rig->acknowledged++;
        if (rig->recording) {
            assert_true(rig->acknowledged < RIG_STATES);
            assert_int_equal(power_sum(rig, &rig->states[rig->acknowledged]), 0);
            rig->state_count = (size_t)rig->acknowledged + 1;
        }
    }
    return error;
}

/* A backend may fill its handle anew. */
static int rig_open(struct lk_storage *storage, enum lk_mode mode)
{
    int error = rig_watched->real->open(storage, mode);

    storage->ops = &rig_watched->ops;
    return error;
}

/* Which hashes an import takes is no matter here. */
static int rig_any_hash(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    (void)hash;
    *rule = NULL;
    return 0;
}

struct power_rig *power_rig_open(const struct power_backend *backend,
                                 const struct power_geometry *geometry)
{
    struct power_rig *rig = calloc(1, sizeof(*rig));
    struct lk_fake_flash_config config = {.sector_size = geometry->sector_size,
                                          .sector_count = geometry->sector_count,
                                          .program_unit = geometry->program_unit,
                                          .mapped = geometry->mapped,
                                          .buffered = geometry->buffered,
                                          .seed = 1,
                                          .broken_rule = rig_on_rule,
                                          .context = rig};

    assert_non_null(rig);
    config.memory_size =
        LK_FAKE_FLASH_MEMORY(geometry->sector_size, geometry->sector_count, geometry->program_unit);
    rig->geometry = geometry;
    rig->backend = backend;
    rig->flash_memory = config.memory = malloc(config.memory_size);
    rig->saved_memory = malloc(config.memory_size);
    rig->handle_size = RIG_HANDLE;
    rig->handle = malloc(rig->handle_size);
    rig->states = calloc(RIG_STATES, sizeof(*rig->states));
    assert_true(rig->flash_memory && rig->saved_memory && rig->handle && rig->states);
    assert_int_equal(lk_fake_flash_init(&rig->flash, &config), 0);
    rig->bench = bench_bare(LK_RAM_SIZE_MIN);
    lk_fake_flash_set(&rig->bench->fake, &rig->flash);
    lk_fake_foreign_set(&rig->bench->fake, NULL, rig_any_hash);
    power_mount(rig);
    return rig;
}

void power_rig_close(struct power_rig *rig)
{
    lk_fake_flash_power_on(&rig->flash);
    bench_close(rig->bench);
    free(rig->flash_memory);
    free(rig->saved_memory);
    free(rig->handle);
    free(rig->states);
    free(rig);
}

void power_mount(struct power_rig *rig)
{
    memset(rig->handle, 0xA5, rig->handle_size);
    rig_watched = rig;
    rig->storage = rig->backend->make(rig);
    assert_non_null(rig->storage);
    rig->real = rig->storage->ops;
    rig->ops = *rig->real;
    rig->ops.open = rig_open;
    rig->ops.commit = rig_commit;
    rig->storage->ops = &rig->ops;
    rig->bench->config.storage = rig->storage;
}

void power_save(struct power_rig *rig)
{
    memcpy(rig->saved_memory, rig->flash_memory, lk_fake_flash_memory_used(&rig->flash));
    rig->saved_flash = rig->flash;
    rig->saved_fake = rig->bench->fake;
}

void power_restore(struct power_rig *rig)
{
    memcpy(rig->flash_memory, rig->saved_memory, lk_fake_flash_memory_used(&rig->saved_flash));
    rig->flash = rig->saved_flash;
    rig->bench->fake = rig->saved_fake;
}

static uint64_t rig_hash(uint64_t sum, struct lk_span bytes)
{
    size_t i;

    for (i = 0; i < bytes.size; i++) {
        sum = (sum ^ bytes.data[i]) * 1099511628211u;
    }
    return (sum ^ 0x1FF) * 1099511628211u;
}

int power_sum(struct power_rig *rig, uint64_t *sum)
{
    const struct lk_storage_ops *ops = rig->real;
    struct lk_storage_txn txn;
    struct lk_storage_cursor cursor;
    struct lk_span key, value, none = {NULL, 0};
    uint8_t bytes[LK_KEY_MAX];
    uint32_t tally;
    int error;

    memset(&txn, 0, sizeof(txn));
    memset(&cursor, 0, sizeof(cursor));
    *sum = 14695981039346656037u;
    error = ops->begin(rig->storage, &txn, LK_READ);
    if (error) {
        return error;
    }
    error = ops->cursor_open(&txn, &cursor, none);
    if (!error) {
        error = ops->seek(&cursor, none, &key, &value);
    }
    while (!error) {
        *sum = rig_hash(rig_hash(*sum, key), value);
        if (rig->storage->caps & LK_STORAGE_TALLY) {
            memcpy(bytes, key.data, key.size);
            error = ops->tallied(&txn, (struct lk_span){bytes, key.size}, &tally);
            *sum = (*sum ^ tally) * 1099511628211u;
        }
        error = error ? error : ops->next(&cursor, &key, &value);
    }
    ops->cursor_close(&cursor);
    ops->abort(&txn);
    ops->release(rig->storage, &txn);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

int power_rewrite(struct power_rig *rig, unsigned count, uint64_t seed)
{
    static struct {
        uint8_t key[LK_KEY_MAX], value[LK_VALUE_MAX];
        size_t key_size, value_size;
    } entries[RIG_REWRITES];
    const struct lk_storage_ops *ops = rig->real;
    struct lk_storage_txn txn;
    struct lk_storage_cursor cursor;
    struct lk_span key, value, none = {NULL, 0};
    unsigned found = 0, i;
    uint32_t tally = 0;
    int error;

    memset(&txn, 0, sizeof(txn));
    memset(&cursor, 0, sizeof(cursor));
    error = ops->begin(rig->storage, &txn, LK_WRITE);
    if (error) {
        return error;
    }
    error = ops->cursor_open(&txn, &cursor, none);
    if (!error) {
        error = ops->seek(&cursor, none, &key, &value);
    }
    /* Every so-manieth entry, from one that the seed chooses on. */
    for (i = 0; !error && found < count && found < RIG_REWRITES; i++) {
        if (i >= seed % 13 && (i - seed % 13) % 7 == 0) {
            memcpy(entries[found].key, key.data, key.size);
            entries[found].key_size = key.size;
            memcpy(entries[found].value, value.data, value.size);
            entries[found].value_size = value.size;
            if (rig->storage->caps & LK_STORAGE_TALLY) {
                error = ops->tallied(
                    &txn, (struct lk_span){entries[found].key, entries[found].key_size}, &tally);
            }
            found += tally == 0; /* a put would end its tally */
        }
        if (error) {
            break;
        }
        error = ops->next(&cursor, &key, &value);
    }
    ops->cursor_close(&cursor);
    error = error == LK_E_NOT_FOUND ? 0 : error;
    for (i = 0; !error && i < found; i++) {
        error = ops->put(&txn, (struct lk_span){entries[i].key, entries[i].key_size},
                         (struct lk_span){entries[i].value, entries[i].value_size});
    }
    if (!error) {
        error = ops->commit(&txn, LK_COMMIT_DURABLE);
    }
    ops->abort(&txn);
    ops->release(rig->storage, &txn);
    return error;
}
