// SPDX-License-Identifier: MIT
/* conformance_model.c: random operations on a backend and on a plain sorted array. */
#include "conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONF_SIZE_BIG ((size_t)10 << 20)

/* Seeded; the same numbers on every machine. */
static uint32_t conf_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

#define MODEL_MAX   400 /* unless the row has less */
#define MODEL_STEPS 20000

struct conf_model {
    size_t max;
    size_t value_max;
    struct conf_entry {
        uint8_t key[12];
        size_t key_size;
        uint32_t fill;
        size_t value_size;
    } entries[MODEL_MAX];
    size_t count;
};

static int conf_order(const struct conf_entry *e, const uint8_t *key, size_t key_size)
{
    size_t size = e->key_size < key_size ? e->key_size : key_size;
    int rc = memcmp(e->key, key, size);
    return rc != 0 ? rc : (e->key_size > key_size) - (e->key_size < key_size);
}

static size_t model_find(const struct conf_model *m, const uint8_t *key, size_t key_size)
{
    size_t i = 0;
    while (i < m->count && conf_order(&m->entries[i], key, key_size) < 0) {
        i++;
    }
    return i;
}

static void conf_fill(uint8_t *out, uint32_t fill, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(fill >> (i % 4 * 8));
    }
}

static void conf_compare(struct lk_storage *s, struct lk_storage_txn *txn,
                         const struct conf_model *m)
{
    static uint8_t bytes[CONFORMANCE_VALUE_MAX];
    struct lk_storage_cursor cursor = {0};
    struct lk_span key;
    struct lk_span value;
    assert_int_equal(s->ops->cursor_open(txn, &cursor, (struct lk_span){NULL, 0}), LK_OK);
    int rc = s->ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    for (size_t i = 0; i < m->count; i++) {
        assert_int_equal(rc, LK_OK);
        const struct conf_entry *e = &m->entries[i];
        conf_fill(bytes, e->fill, e->value_size);
        assert_true(conformance_same(key, (struct lk_span){e->key, e->key_size}));
        assert_true(conformance_same(value, (struct lk_span){bytes, e->value_size}));
        rc = s->ops->next(&cursor, &key, &value);
    }
    assert_int_equal(rc, LK_E_NOT_FOUND);
    s->ops->cursor_close(&cursor);
}

static void conf_model_step(struct lk_storage *s, struct lk_storage_txn *txn, struct conf_model *m,
                            uint64_t *seed)
{
    static uint8_t bytes[CONFORMANCE_VALUE_MAX];
    uint8_t key[12];
    size_t key_size = 1 + conf_random(seed) % 11;
    for (size_t i = 0; i < key_size; i++) {
        static const uint8_t letters[] = {0x00, 'a', 0xFF};
        key[i] = letters[conf_random(seed) % 3];
    }
    struct lk_span k = {key, key_size};
    size_t at = model_find(m, key, key_size);
    bool there = at < m->count && conf_order(&m->entries[at], key, key_size) == 0;
    uint32_t what = conf_random(seed) % 8;
    if (what < 4 && (there || m->count < m->max)) {
        size_t size =
            conf_random(seed) % 10 == 0 ? conf_random(seed) % m->value_max : conf_random(seed) % 60;
        uint32_t fill = conf_random(seed);
        conf_fill(bytes, fill, size);
        assert_int_equal(s->ops->put(txn, k, (struct lk_span){bytes, size}), LK_OK);
        if (!there) {
            memmove(&m->entries[at + 1], &m->entries[at], (m->count - at) * sizeof m->entries[0]);
            m->count++;
            memcpy(m->entries[at].key, key, key_size);
            m->entries[at].key_size = key_size;
        }
        m->entries[at].fill = fill;
        m->entries[at].value_size = size;
    } else if (what < 6) {
        assert_int_equal(s->ops->remove(txn, k), there ? LK_OK : LK_E_NOT_FOUND);
        if (there) {
            memmove(&m->entries[at], &m->entries[at + 1],
                    (m->count - at - 1) * sizeof m->entries[0]);
            m->count--;
        }
    } else {
        struct lk_span v;
        int rc = s->ops->get(txn, k, &v);
        assert_int_equal(rc, there ? LK_OK : LK_E_NOT_FOUND);
        if (there) {
            assert_int_equal(v.size, m->entries[at].value_size);
        }
        struct lk_storage_cursor cursor = {0};
        struct lk_span found;
        assert_int_equal(s->ops->cursor_open(txn, &cursor, (struct lk_span){NULL, 0}), LK_OK);
        rc = s->ops->seek_before(&cursor, k, &found, NULL);
        assert_int_equal(rc, at > 0 ? LK_OK : LK_E_NOT_FOUND);
        if (at > 0) {
            assert_int_equal(conf_order(&m->entries[at - 1], found.data, found.size), 0);
        }
        s->ops->cursor_close(&cursor);
    }
}

/* One in so many, where a tool or an emulator makes each slow. */
static uint32_t conf_steps(void)
{
    const char *every = getenv("LATCHKEY_EVERY");
    uint32_t steps = every != NULL ? (uint32_t)strtoul(every, NULL, 10) : 1;

    return steps > 0 ? MODEL_STEPS / steps : MODEL_STEPS;
}

void conformance_test_model(void **state)
{
    static struct conf_model model; /* of the open batch */
    static struct conf_model kept;  /* committed */
    const struct conformance_backend *backend = *state;
    static const uint64_t seeds[] = {1, 20240229, UINT64_C(0xDECAFBAD)};
    for (size_t n = 0; n < sizeof seeds / sizeof seeds[0]; n++) {
        struct lk_storage *s = conformance_open(state, CONF_SIZE_BIG);
        uint64_t seed = seeds[n];
        struct lk_storage_txn txn = {0};
        print_message("[   seed   ] %llu\n", (unsigned long long)seeds[n]);
        memset(&kept, 0, sizeof kept);
        kept.max = backend->model_max > 0 ? backend->model_max : MODEL_MAX;
        kept.value_max = conformance_value_max(state);
        uint32_t done = 0;
        while (done < conf_steps()) {
            uint32_t batch = 1 + conf_random(&seed) % 60;
            assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
            model = kept;
            for (uint32_t i = 0; i < batch; i++, done++) {
                conf_model_step(s, &txn, &model, &seed);
            }
            uint32_t end = conf_random(&seed) % 8;
            if (end == 0) {
                conf_compare(s, &txn, &model);
                s->ops->abort(&txn);
            } else {
                assert_int_equal(
                    s->ops->commit(&txn, end == 1 ? LK_COMMIT_DURABLE : LK_COMMIT_LAZY), LK_OK);
                kept = model;
            }
            if (end < 3) {
                assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
                conf_compare(s, &txn, &kept);
                s->ops->abort(&txn);
            }
            if (conf_random(&seed) % 100 == 0) {
                s->ops->release(s, &txn);
                uint64_t bytes = 0;
                switch (conf_random(&seed) % 3) {
                case 0:
                    assert_int_equal(s->ops->scrub != NULL ? s->ops->scrub(s, &bytes) : 0, 0);
                    break;
                case 1:
                    assert_int_equal(s->ops->check != NULL ? s->ops->check(s, NULL, NULL) : 0, 0);
                    break;
                default:
                    s->ops->close(s);
                    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
                    break;
                }
            }
        }
        s->ops->release(s, &txn);
        conformance_close(state, s);
    }
}
