// SPDX-License-Identifier: MIT
#include "map_run.h"

uint32_t map_random(struct map_run *run, uint32_t below)
{
    run->seed = run->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(run->seed >> 33) % below;
}

void map_begin(struct map_run *run)
{
    run->first_seed = run->seed;
    run->now.count = run->kept.count = 0;
    run->operations = run->commits = run->put_bytes = 0;
    memset(run->txns, 0, sizeof(run->txns));
}

static void map_fill(uint8_t *out, const struct map_entry *entry)
{
    size_t i;

    for (i = 0; i < entry->value_size; i++) {
        out[i] = (uint8_t)(entry->fill >> (i % 4 * 8));
    }
}

static int map_order(const struct map_entry *entry, struct lk_span key)
{
    size_t size = entry->key_size < key.size ? entry->key_size : key.size;
    int order = memcmp(entry->key, key.data, size);

    return order ? order : (entry->key_size > key.size) - (entry->key_size < key.size);
}

/* The first entry that is not below `key`. */
static size_t map_find(const struct map_model *model, struct lk_span key, bool *same)
{
    size_t low = 0, high = model->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (map_order(&model->entries[middle], key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *same = low < model->count && map_order(&model->entries[low], key) == 0;
    return low;
}

static bool map_is(const struct map_entry *entry, struct lk_span key, struct lk_span value)
{
    uint8_t bytes[MAP_VALUE];

    map_fill(bytes, entry);
    return map_order(entry, key) == 0 && value.size == entry->value_size &&
           (!value.size || memcmp(value.data, bytes, value.size) == 0);
}

static void map_differs(const struct map_run *run, size_t store, const char *what, int got)
{
    fail_msg("LATCHKEY_SEED=%llu, operation %llu: %s on %s: %d",
             (unsigned long long)run->first_seed, (unsigned long long)run->operations, what,
             run->storages[store]->ops->name, got);
}

/* The error when the storage may fail, and did; else the test has failed unless `got` is `want`. */
static int map_want(const struct map_run *run, size_t store, const char *what, int got, int want)
{
    if (got == want) {
        return 0;
    }
    if (!run->may_fail || got >= 0 || got == LK_E_NOT_FOUND) {
        map_differs(run, store, what, got);
    }
    return got;
}

/* A key of few letters, so that they meet again; `known` times of 8 one that is there. */
static struct lk_span map_any_key(struct map_run *run, uint8_t key[MAP_KEY], uint32_t known)
{
    static const uint8_t letters[] = {0x00, 'a', 'b', 0xFF};
    size_t size = 1 + map_random(run, MAP_KEY - 1), i;

    if (run->now.count && map_random(run, 8) < known) {
        const struct map_entry *entry =
            &run->now.entries[map_random(run, (uint32_t)run->now.count)];

        memcpy(key, entry->key, entry->key_size);
        return (struct lk_span){key, entry->key_size};
    }
    for (i = 0; i < size; i++) {
        key[i] = letters[map_random(run, LK_COUNT(letters))];
    }
    return (struct lk_span){key, size};
}

static int map_put(struct map_run *run, struct lk_span key)
{
    uint8_t bytes[MAP_VALUE];
    struct map_entry entry;
    bool same;
    size_t at = map_find(&run->now, key, &same), i;
    int error = 0;

    if (!same && run->now.count == run->entries_max) {
        return 0;
    }
    memset(&entry, 0, sizeof(entry));
    memcpy(entry.key, key.data, key.size);
    entry.key_size = key.size;
    entry.fill = map_random(run, UINT32_MAX);
    entry.value_size =
        map_random(run, 8) ? map_random(run, 60) : map_random(run, (uint32_t)run->value_max + 1);
    map_fill(bytes, &entry);
    run->put_bytes += key.size + entry.value_size;
    for (i = 0; !error && i < run->storage_count; i++) {
        error = map_want(run, i, "put",
                         run->storages[i]->ops->put(&run->txns[i], key,
                                                    (struct lk_span){bytes, entry.value_size}),
                         0);
    }
    if (!error && !same) {
        memmove(&run->now.entries[at + 1], &run->now.entries[at],
                (run->now.count - at) * sizeof(entry));
        run->now.count++;
    }
    if (!error) {
        run->now.entries[at] = entry;
    }
    return error;
}

static int map_remove(struct map_run *run, struct lk_span key)
{
    bool same;
    size_t at = map_find(&run->now, key, &same), i;
    int error = 0;

    for (i = 0; !error && i < run->storage_count; i++) {
        error = map_want(run, i, "remove", run->storages[i]->ops->remove(&run->txns[i], key),
                         same ? 0 : LK_E_NOT_FOUND);
    }
    if (!error && same) {
        run->now.count--;
        memmove(&run->now.entries[at], &run->now.entries[at + 1],
                (run->now.count - at) * sizeof(run->now.entries[0]));
    }
    return error;
}

static int map_get(struct map_run *run, struct lk_span key)
{
    bool same;
    size_t at = map_find(&run->now, key, &same), i;
    int error = 0;

    for (i = 0; !error && i < run->storage_count; i++) {
        struct lk_span value;

        error = map_want(run, i, "get", run->storages[i]->ops->get(&run->txns[i], key, &value),
                         same ? 0 : LK_E_NOT_FOUND);
        if (!error && same && !map_is(&run->now.entries[at], key, value)) {
            map_differs(run, i, "the value that get found", 0);
        }
    }
    return error;
}

/* Seeks by a key and a prefix, then some steps either way. */
static int map_walk(struct map_run *run, struct lk_span key, bool before)
{
    size_t prefix_size = map_random(run, 3), low = 0, high = run->now.count, at, i;
    struct lk_span prefix = {key.data, prefix_size < key.size ? prefix_size : 0};
    uint32_t steps = map_random(run, 4), ways = map_random(run, 16);
    bool same;
    int error = 0;

    while (low < high && (run->now.entries[low].key_size < prefix.size ||
                          memcmp(run->now.entries[low].key, prefix.data, prefix.size) != 0)) {
        low++;
    }
    for (high = low; high < run->now.count && run->now.entries[high].key_size >= prefix.size &&
                     memcmp(run->now.entries[high].key, prefix.data, prefix.size) == 0;
         high++) {
    }
    at = map_find(&run->now, key, &same);
    for (i = 0; !error && i < run->storage_count; i++) {
        const struct lk_storage_ops *ops = run->storages[i]->ops;
        struct lk_storage_cursor cursor;
        struct lk_span found, value;
        /* Where the cursor must stand; outside [low, high) at an end. */
        size_t place = before ? at - 1 : at;
        uint32_t step;
        int got;

        memset(&cursor, 0, sizeof(cursor));
        error = map_want(run, i, "opening a cursor",
                         ops->cursor_open(&run->txns[i], &cursor, prefix), 0);
        if (error) {
            break;
        }
        got = before ? ops->seek_before(&cursor, key, &found, &value)
                     : ops->seek(&cursor, key, &found, &value);
        for (step = 0;; step++) {
            bool there = place >= low && place < high;

            error = map_want(run, i, "a cursor", got, there ? 0 : LK_E_NOT_FOUND);
            if (!error && there && !map_is(&run->now.entries[place], found, value)) {
                map_differs(run, i, "what the cursor found", 0);
            }
            if (error || !there || step == steps) {
                break;
            }
            if (ways >> step & 1u) {
                place++;
                got = ops->next(&cursor, &found, &value);
            } else {
                place--;
                got = ops->prev(&cursor, &found, &value);
            }
        }
        ops->cursor_close(&cursor);
    }
    return error;
}

static int map_start(struct map_run *run, enum lk_mode mode)
{
    int error = 0;
    size_t i;

    for (i = 0; !error && i < run->storage_count; i++) {
        error = map_want(run, i, "begin",
                         run->storages[i]->ops->begin(run->storages[i], &run->txns[i], mode), 0);
    }
    return error;
}

static void map_stop(struct map_run *run)
{
    size_t i;

    for (i = 0; i < run->storage_count; i++) {
        run->storages[i]->ops->abort(&run->txns[i]);
    }
}

static int map_commit(struct map_run *run)
{
    enum lk_commit_mode mode = map_random(run, 2) ? LK_COMMIT_DURABLE : LK_COMMIT_LAZY;
    int error = 0;
    size_t i;

    for (i = 0; !error && i < run->storage_count; i++) {
        error = map_want(run, i, "commit", run->storages[i]->ops->commit(&run->txns[i], mode), 0);
    }
    return error;
}

static int map_operation(struct map_run *run)
{
    uint8_t bytes[MAP_KEY];
    uint32_t what = map_random(run, 16);
    /* The map grows for a while, then shrinks. */
    bool grows = (run->operations + 1000) % 4000 < 3000;
    uint32_t known = what < 6 ? (grows ? 3 : 7) : what < 9 ? (grows ? 2 : 7) : 6;
    struct lk_span key = map_any_key(run, bytes, known);

    run->operations++;
    if (what < 6) {
        return map_put(run, key);
    }
    if (what < 9) {
        return map_remove(run, key);
    }
    return what < 12 ? map_get(run, key) : map_walk(run, key, what >= 14);
}

/* One more for a key, in a transaction of its own, where the storage has tallies. */
static int map_tally(struct map_run *run)
{
    uint8_t bytes[MAP_KEY];
    struct lk_span key = map_any_key(run, bytes, 7);
    bool same;
    size_t at = map_find(&run->now, key, &same), i;
    int error = map_start(run, LK_WRITE);

    run->operations++;
    for (i = 0; !error && i < run->storage_count; i++) {
        bool has = (run->storages[i]->caps & LK_STORAGE_TALLY) != 0;
        uint32_t count;

        error = map_want(run, i, "tally", run->storages[i]->ops->tally(&run->txns[i], key, &count),
                         !has   ? LK_E_UNSUPPORTED
                         : same ? 0
                                : LK_E_NOT_FOUND);
        if (!error && has && same && count != run->now.entries[at].tally + 1) {
            map_differs(run, i, "the new tally", (int)count);
        }
        if (!has || !same) {
            run->storages[i]->ops->abort(&run->txns[i]);
        }
    }
    if (same) {
        run->now.entries[at].tally++;
    }
    run->committing = true;
    for (i = 0; !error && i < run->storage_count; i++) {
        if (run->txns[i].storage != NULL) {
            error = map_want(run, i, "commit of a tally",
                             run->storages[i]->ops->commit(&run->txns[i], LK_COMMIT_DURABLE), 0);
        }
    }
    if (error) {
        map_stop(run);
    } else {
        run->kept = run->now;
        run->commits++;
    }
    return error;
}

int map_batch(struct map_run *run)
{
    uint32_t size = 1 + map_random(run, map_random(run, 4) ? 8 : 40), i;
    int error;

    run->now = run->kept;
    run->committing = false;
    if (map_random(run, 4) == 0) {
        return map_tally(run);
    }
    error = map_start(run, LK_WRITE);
    for (i = 0; !error && i < size; i++) {
        error = map_operation(run);
    }
    run->operations++;
    if (error) {
        map_stop(run);
    } else if (map_random(run, 8)) {
        run->committing = true;
        error = map_commit(run);
        if (!error) {
            run->kept = run->now;
            run->commits++;
        }
    } else {
        map_stop(run);
    }
    return error;
}

int map_compare(struct map_run *run, const struct map_model *model)
{
    struct lk_span key, value, none = {NULL, 0};
    int error = map_start(run, LK_READ);
    size_t i, at;

    run->difference = "how many there are, or their order backwards";
    for (i = 0; !error && i < run->storage_count; i++) {
        const struct lk_storage_ops *ops = run->storages[i]->ops;
        struct lk_storage_cursor cursor;

        memset(&cursor, 0, sizeof(cursor));
        error = ops->cursor_open(&run->txns[i], &cursor, none);
        if (!error) {
            error = ops->seek(&cursor, none, &key, &value);
        }
        for (at = 0; !error && at < model->count; at++) {
            uint32_t tally = 0;

            if (!map_is(&model->entries[at], key, value)) {
                run->difference = "a key or a value";
                error = LK_E_FAULTS;
                break;
            }
            if (run->storages[i]->caps & LK_STORAGE_TALLY) {
                error = ops->tallied(
                    &run->txns[i],
                    (struct lk_span){model->entries[at].key, model->entries[at].key_size}, &tally);
                if (!error && tally != model->entries[at].tally) {
                    run->difference = tally < model->entries[at].tally ? "a tally that is too low"
                                                                       : "a tally that is too high";
                    error = LK_E_FAULTS;
                }
            }
            error = error ? error : ops->next(&cursor, &key, &value);
        }
        if (at == model->count) {
            error = error == LK_E_NOT_FOUND ? 0 : error ? error : LK_E_FAULTS;
        } else if (error == LK_E_NOT_FOUND) {
            error = LK_E_FAULTS;
        }
        if (!error) {
            error = ops->seek_before(&cursor, none, &key, &value);
        }
        for (; !error && at > 0; at--) {
            error = map_is(&model->entries[at - 1], key, value) ? ops->prev(&cursor, &key, &value)
                                                                : LK_E_FAULTS;
        }
        error = error == LK_E_NOT_FOUND && at == 0 ? 0 : error;
        ops->cursor_close(&cursor);
    }
    map_stop(run);
    return error;
}

int map_settle(struct map_run *run)
{
    int error = map_compare(run, &run->kept);

    if (error == LK_E_FAULTS && run->committing) {
        error = map_compare(run, &run->now);
        run->kept = error ? run->kept : run->now;
    }
    return error;
}
