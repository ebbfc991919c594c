// SPDX-License-Identifier: MIT
/* conformance.c: what every storage backend must do. */
#include "conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONF_TEST_MAX 256

struct lk_storage *conformance_open(void **state, size_t size)
{
    const struct conformance_backend *backend = *state;
    struct lk_storage *s = backend->make(backend->size > 0 ? backend->size : size);
    assert_non_null(s);
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    return s;
}

size_t conformance_value_max(void **state)
{
    const struct conformance_backend *backend = *state;
    return backend->value_max > 0 ? backend->value_max : CONFORMANCE_VALUE_MAX;
}

void conformance_close(void **state, struct lk_storage *s)
{
    const struct conformance_backend *backend = *state;
    s->ops->close(s);
    backend->drop(s);
}

struct lk_span conformance_text(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

bool conformance_same(struct lk_span a, struct lk_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void conformance_put(struct lk_storage *s, const char *key, const char *value)
{
    struct lk_storage_txn txn = {0};
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text(key), conformance_text(value)), LK_OK);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
}

static void conf_expect(struct lk_storage *s, struct lk_storage_txn *txn, const char *key,
                        const char *value)
{
    struct lk_span v;
    int rc = s->ops->get(txn, conformance_text(key), &v);
    if (value == NULL) {
        assert_int_equal(rc, LK_E_NOT_FOUND);
        return;
    }
    assert_int_equal(rc, LK_OK);
    assert_true(conformance_same(v, conformance_text(value)));
}

static void conf_expect_now(struct lk_storage *s, const char *key, const char *value)
{
    struct lk_storage_txn txn = {0};
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    conf_expect(s, &txn, key, value);
    s->ops->abort(&txn);
    s->ops->release(s, &txn);
}

static void test_storage_ordering(void **state)
{
    static const struct lk_span keys[] = {
        {(const uint8_t *)"\x00", 1},     {(const uint8_t *)"\x00\x00", 2},
        {(const uint8_t *)"\x00\xFF", 2}, {(const uint8_t *)"\x01", 1},
        {(const uint8_t *)"a", 1},        {(const uint8_t *)"a\x00", 2},
        {(const uint8_t *)"aa", 2},       {(const uint8_t *)"ab", 2},
        {(const uint8_t *)"\x7F", 1},     {(const uint8_t *)"\x80", 1},
        {(const uint8_t *)"\xFF", 1},     {(const uint8_t *)"\xFF\x00", 2},
        {(const uint8_t *)"\xFF\xFF", 2}, {(const uint8_t *)"\xFF\xFF\xFF", 3},
    };
    const size_t count = sizeof keys / sizeof keys[0];
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor = {0};
    struct lk_span key;
    struct lk_span value;
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    for (size_t i = 0; i < count; i++) { /* in an order that is not theirs */
        size_t at = (i * 5 + 3) % count;
        assert_int_equal(s->ops->put(&txn, keys[at], keys[at]), LK_OK);
    }
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_int_equal(s->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0}), LK_OK);
    int rc = s->ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rc, LK_OK);
        assert_true(conformance_same(key, keys[i]));
        assert_true(conformance_same(value, keys[i]));
        rc = s->ops->next(&cursor, &key, &value);
    }
    assert_int_equal(rc, LK_E_NOT_FOUND);
    assert_int_equal(s->ops->next(&cursor, &key, &value), LK_E_STATE);
    rc = s->ops->seek_before(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    for (size_t i = count; i-- > 0;) {
        assert_int_equal(rc, LK_OK);
        assert_true(conformance_same(key, keys[i]));
        rc = s->ops->prev(&cursor, &key, &value);
    }
    assert_int_equal(rc, LK_E_NOT_FOUND);
    s->ops->cursor_close(&cursor);
    s->ops->abort(&txn);
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

/* Each prefix, from each place, both ways, against a list of what is there. */
static void test_storage_prefixes(void **state)
{
    static const char *const keys[] = {"a",    "ab",       "aba",      "abb",
                                       "abc",  "ac",       "b",        "\xFE\xFF",
                                       "\xFF", "\xFF\xFE", "\xFF\xFF", "\xFF\xFFz"};
    static const char *const prefixes[] = {"",  "a", "ab",   "abc",  "abcd",     "ac",
                                           "b", "c", "\xFE", "\xFF", "\xFF\xFF", "\xFF\xFF\xFF",
                                           "A"};
    static const char *const places[] = {
        "",  "A",  "a", "aa",   "ab",   "abaa",     "abb",      "abz",         "ac",
        "b", "bb", "c", "\xFE", "\xFF", "\xFF\xFD", "\xFF\xFF", "\xFF\xFF\xFF"};
    const int count = (int)(sizeof keys / sizeof keys[0]);
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    for (int i = 0; i < count; i++) {
        conformance_put(s, keys[i], "v");
    }
    struct lk_storage_txn txn = {0};
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        size_t size = strlen(prefixes[p]);
        for (size_t q = 0; q < sizeof places / sizeof places[0]; q++) {
            struct lk_storage_cursor cursor = {0};
            struct lk_span key;
            int up = count; /* first >= place with the prefix */
            int down = -1;  /* last < place with the prefix */
            for (int i = 0; i < count; i++) {
                if (strncmp(keys[i], prefixes[p], size) != 0) {
                    continue;
                }
                bool end = places[q][0] == '\0';
                if (up == count && (end || strcmp(keys[i], places[q]) >= 0)) {
                    up = i;
                }
                if (end || strcmp(keys[i], places[q]) < 0) {
                    down = i;
                }
            }
            assert_int_equal(s->ops->cursor_open(&txn, &cursor, conformance_text(prefixes[p])),
                             LK_OK);
            int rc = s->ops->seek(&cursor, conformance_text(places[q]), &key, NULL);
            for (; up < count && strncmp(keys[up], prefixes[p], size) == 0; up++) {
                assert_int_equal(rc, LK_OK);
                assert_true(conformance_same(key, conformance_text(keys[up])));
                rc = s->ops->next(&cursor, &key, NULL);
            }
            assert_int_equal(rc, LK_E_NOT_FOUND);
            rc = s->ops->seek_before(&cursor, conformance_text(places[q]), &key, NULL);
            for (; down >= 0 && strncmp(keys[down], prefixes[p], size) == 0; down--) {
                assert_int_equal(rc, LK_OK);
                assert_true(conformance_same(key, conformance_text(keys[down])));
                rc = s->ops->prev(&cursor, &key, NULL);
            }
            assert_int_equal(rc, LK_E_NOT_FOUND);
            s->ops->cursor_close(&cursor);
        }
    }
    s->ops->abort(&txn);
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

static void test_storage_isolation(void **state)
{
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn reader = {0};
    struct lk_storage_txn other = {0};
    struct lk_storage_txn writer = {0};
    conformance_put(s, "a", "1");
    assert_int_equal(s->ops->begin(s, &reader, LK_READ), LK_OK);
    assert_int_equal(s->ops->begin(s, &other, LK_READ), LK_OK);
    uint64_t before = s->ops->snapshot(&reader);
    assert_true(before == s->ops->snapshot(&other));
    s->ops->abort(&other);
    if ((s->caps & LK_STORAGE_SNAPSHOT) == 0) {
        assert_int_equal(s->ops->begin(s, &writer, LK_WRITE), LK_E_BUSY);
        s->ops->abort(&reader);
        assert_int_equal(s->ops->begin(s, &writer, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->begin(s, &reader, LK_READ), LK_E_BUSY);
        s->ops->abort(&writer);
    } else {
        assert_int_equal(s->ops->begin(s, &writer, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->put(&writer, conformance_text("a"), conformance_text("2")), LK_OK);
        conf_expect(s, &writer, "a", "2");
        conf_expect(s, &reader, "a", "1");
        assert_int_equal(s->ops->commit(&writer, LK_COMMIT_DURABLE), LK_OK);
        conf_expect(s, &reader, "a", "1");
        assert_true(before == s->ops->snapshot(&reader));
        assert_int_equal(s->ops->commit(&reader, LK_COMMIT_DURABLE), LK_OK);
        assert_int_equal(s->ops->begin(s, &reader, LK_READ), LK_OK);
        conf_expect(s, &reader, "a", "2");
        assert_true(before != s->ops->snapshot(&reader));
        s->ops->abort(&reader);
    }
    /* One writer at a time. */
    assert_int_equal(s->ops->begin(s, &writer, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->begin(s, &other, LK_WRITE), LK_E_BUSY);
    s->ops->abort(&writer);
    s->ops->release(s, &reader);
    s->ops->release(s, &other);
    s->ops->release(s, &writer);
    conformance_close(state, s);
}

static void test_storage_abort_restores(void **state)
{
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    conformance_put(s, "a", "1");
    conformance_put(s, "b", "2");
    conformance_put(s, "c", "3");
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    uint64_t clean = s->ops->snapshot(&txn);
    assert_int_equal(s->ops->put(&txn, conformance_text("a"), conformance_text("x")), LK_OK);
    uint64_t first = s->ops->snapshot(&txn);
    assert_true(clean != first);
    assert_int_equal(s->ops->put(&txn, conformance_text("a"), conformance_text("y")), LK_OK);
    assert_true(first != s->ops->snapshot(&txn));
    assert_int_equal(s->ops->remove(&txn, conformance_text("b")), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text("b"), conformance_text("z")), LK_OK);
    assert_int_equal(s->ops->remove(&txn, conformance_text("c")), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text("d"), conformance_text("n")), LK_OK);
    assert_int_equal(s->ops->remove(&txn, conformance_text("d")), LK_OK);
    assert_int_equal(s->ops->remove(&txn, conformance_text("d")), LK_E_NOT_FOUND);
    assert_int_equal(s->ops->put(&txn, conformance_text("e"), conformance_text("n")), LK_OK);
    conf_expect(s, &txn, "a", "y");
    conf_expect(s, &txn, "b", "z");
    conf_expect(s, &txn, "c", NULL);
    s->ops->abort(&txn);
    conf_expect_now(s, "a", "1");
    conf_expect_now(s, "b", "2");
    conf_expect_now(s, "c", "3");
    conf_expect_now(s, "d", NULL);
    conf_expect_now(s, "e", NULL);
    struct lk_storage_stat stat;
    assert_int_equal(s->ops->stat(s, &stat), LK_OK);
    assert_int_equal(stat.entries, 3);
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

static void test_storage_limits(void **state)
{
    static uint8_t bytes[CONFORMANCE_VALUE_MAX + 1];
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    struct lk_span v;
    memset(bytes, 'k', sizeof bytes);
    const size_t most = conformance_value_max(state);
    assert_int_equal(s->value_max, most);
    const struct {
        size_t key_size;
        size_t value_size;
        int answer;
    } rows[] = {
        {0, 1, LK_E_ARGUMENT},
        {1, 0, LK_OK},
        {LK_KEY_MAX, 0, LK_OK},
        {LK_KEY_MAX, most, LK_OK},
        {LK_KEY_MAX + 1, 1, LK_E_TOO_BIG},
        {1, most + 1, LK_E_TOO_BIG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lk_span key = {bytes, rows[i].key_size};
        struct lk_span value = {bytes, rows[i].value_size};
        assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->put(&txn, key, value), rows[i].answer);
        assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), rows[i].answer);
        assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
        int rc = s->ops->get(&txn, key, &v);
        if (rows[i].answer == LK_OK) {
            assert_int_equal(rc, LK_OK);
            assert_true(conformance_same(v, value));
        } else {
            assert_int_not_equal(
                rc, rows[i].key_size > 0 && rows[i].key_size <= LK_KEY_MAX ? LK_E_TOO_BIG : LK_OK);
        }
        s->ops->abort(&txn);
    }
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

static void test_storage_failed_put_spoils_batch(void **state)
{
    static uint8_t big[CONFORMANCE_VALUE_MAX + 1];
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    conformance_put(s, "a", "1");
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text("a"), conformance_text("2")), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text("b"), (struct lk_span){big, sizeof big}),
                     LK_E_TOO_BIG);
    assert_int_equal(s->ops->put(&txn, conformance_text("c"), conformance_text("3")), LK_E_TOO_BIG);
    assert_int_equal(s->ops->remove(&txn, conformance_text("a")), LK_E_TOO_BIG);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_E_TOO_BIG);
    assert_null(txn.storage);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_E_STATE);
    conf_expect_now(s, "a", "1");
    conf_expect_now(s, "c", NULL);
    conformance_put(s, "c", "3");
    conf_expect_now(s, "c", "3");
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

static void test_storage_full_recovers(void **state)
{
    static uint8_t bytes[CONFORMANCE_VALUE_MAX];
    const struct conformance_backend *backend = *state;
    const size_t part = conformance_value_max(state) / 15;
    const uint32_t least = backend->count_min > 0 ? backend->count_min : 100;
    const size_t whole = backend->size > 0 ? backend->size : CONFORMANCE_SIZE;
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    for (int round = 0; round < 3; round++) {
        uint32_t count = 0;
        int rc = LK_OK;
        while (rc == LK_OK) {
            uint8_t key[4] = {(uint8_t)(count >> 8), (uint8_t)count, 'k', 0};
            memset(bytes, (int)(count & 0xFF), sizeof bytes);
            assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
            rc = s->ops->put(&txn, (struct lk_span){key, sizeof key},
                             (struct lk_span){bytes, part + (count % 13) * part});
            int end = s->ops->commit(&txn, LK_COMMIT_LAZY);
            rc = rc == LK_OK ? end : rc;
            count += rc == LK_OK ? 1u : 0u;
        }
        assert_int_equal(rc, LK_E_FULL);
        assert_true(count > least);
        /* Each can be read, then each deleted, one batch each, however full it is. */
        for (uint32_t i = 0; i < count; i++) {
            uint8_t key[4] = {(uint8_t)(i >> 8), (uint8_t)i, 'k', 0};
            struct lk_span v;
            assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
            assert_int_equal(s->ops->get(&txn, (struct lk_span){key, sizeof key}, &v), LK_OK);
            assert_int_equal(v.size, part + (i % 13) * part);
            assert_int_equal(v.data[v.size - 1], i & 0xFF);
            s->ops->abort(&txn);
        }
        for (uint32_t i = 0; i < count; i++) {
            uint32_t at = round == 1 ? count - 1 - i : i;
            uint8_t key[4] = {(uint8_t)(at >> 8), (uint8_t)at, 'k', 0};
            assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
            assert_int_equal(s->ops->remove(&txn, (struct lk_span){key, sizeof key}), LK_OK);
            assert_int_equal(s->ops->commit(&txn, LK_COMMIT_LAZY), LK_OK);
        }
        struct lk_storage_stat stat;
        assert_int_equal(s->ops->stat(s, &stat), LK_OK);
        assert_int_equal(stat.entries, 0);
        assert_true(stat.free_bytes > whole / 3);
        if (s->ops->check != NULL) {
            assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        }
    }
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

static void test_storage_read_only(void **state)
{
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    conformance_put(s, "a", "1");
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text("a"), conformance_text("2")),
                     LK_E_READ_ONLY);
    assert_int_equal(s->ops->remove(&txn, conformance_text("a")), LK_E_READ_ONLY);
    conf_expect(s, &txn, "a", "1");
    s->ops->abort(&txn);
    s->ops->release(s, &txn);
    s->ops->close(s);
    assert_int_equal(s->ops->open(s, LK_READ), LK_OK);
    assert_int_equal(s->ops->open(s, LK_READ), LK_E_BUSY);
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_E_READ_ONLY);
    if (s->ops->scrub != NULL) {
        uint64_t bytes;
        assert_int_equal(s->ops->scrub(s, &bytes), LK_E_READ_ONLY);
    }
    conf_expect_now(s, "a", "1");
    conformance_close(state, s);
}

static void test_storage_reopen(void **state)
{
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    conformance_put(s, "a", "1");
    for (int i = 0; i < 3; i++) {
        struct lk_storage_txn txn = {0};
        assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
        s->ops->abort(&txn); /* not released: closing does it */
        s->ops->close(s);
        assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_E_STATE);
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
        conf_expect(s, &txn, "a", "1");
        s->ops->abort(&txn);
        s->ops->release(s, &txn);
    }
    conformance_close(state, s);
}

static void test_storage_cursor_after_put(void **state)
{
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    struct lk_storage_cursor cursor = {0};
    struct lk_span key;
    struct lk_span value;
    conformance_put(s, "a", "1");
    conformance_put(s, "b", "2");
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0}), LK_OK);
    assert_int_equal(s->ops->next(&cursor, &key, &value), LK_E_STATE);
    assert_int_equal(s->ops->seek(&cursor, conformance_text("a"), &key, &value), LK_OK);
    assert_int_equal(s->ops->put(&txn, conformance_text("aa"), conformance_text("x")), LK_OK);
    assert_int_equal(s->ops->next(&cursor, &key, &value), LK_E_STATE);
    assert_int_equal(s->ops->seek(&cursor, conformance_text("a"), &key, &value), LK_OK);
    assert_int_equal(s->ops->next(&cursor, &key, &value), LK_OK);
    assert_true(conformance_same(key, conformance_text("aa")));
    assert_int_equal(s->ops->remove(&txn, conformance_text("aa")), LK_OK);
    assert_int_equal(s->ops->prev(&cursor, &key, &value), LK_E_STATE);
    assert_int_equal(s->ops->seek_before(&cursor, conformance_text("b"), &key, &value), LK_OK);
    assert_true(conformance_same(key, conformance_text("a")));
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    s->ops->cursor_close(&cursor); /* after its transaction */
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_int_equal(s->ops->cursor_open(&txn, &cursor, (struct lk_span){NULL, 0}), LK_OK);
    assert_int_equal(s->ops->seek(&cursor, conformance_text("b"), &key, &value), LK_OK);
    s->ops->abort(&txn);
    s->ops->cursor_close(&cursor);
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

int conformance_run(const struct conformance_backend *backends, size_t count)
{
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } tests[] = {
        {"ordering", test_storage_ordering},
        {"prefixes", test_storage_prefixes},
        {"isolation", test_storage_isolation},
        {"abort_restores", test_storage_abort_restores},
        {"limits", test_storage_limits},
        {"failed_put_spoils_batch", test_storage_failed_put_spoils_batch},
        {"full_recovers", test_storage_full_recovers},
        {"read_only", test_storage_read_only},
        {"reopen", test_storage_reopen},
        {"cursor_after_put", test_storage_cursor_after_put},
        {"tally", conformance_test_tally},
        {"tally_many", conformance_test_tally_many},
        {"model", conformance_test_model},
    };
    static struct CMUnitTest list[CONF_TEST_MAX];
    static char names[CONF_TEST_MAX][64];
    static struct conformance_backend rows[CONF_TEST_MAX];
    size_t n = 0;
    for (size_t b = 0; b < count; b++) {
        rows[b] = backends[b];
        for (size_t t = 0; t < sizeof tests / sizeof tests[0] && n < CONF_TEST_MAX; t++, n++) {
            (void)snprintf(names[n], sizeof names[n], "%s: test_storage_%s", backends[b].name,
                           tests[t].name);
            list[n] = (struct CMUnitTest){
                .name = names[n], .test_func = tests[t].run, .initial_state = &rows[b]};
        }
    }
    return _cmocka_run_group_tests("storage conformance", list, n, NULL, NULL);
}
