// SPDX-License-Identifier: MIT
/* conformance_tally.c: counts beside a key, as a backend keeps them. */
#include "conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The tally of a key, or of none. */
static void conf_expect_tally(struct lk_storage *s, struct lk_storage_txn *txn, const char *key,
                              int answer, uint32_t count)
{
    uint32_t found = 77;
    assert_int_equal(s->ops->tallied(txn, conformance_text(key), &found), answer);
    assert_int_equal(found, answer == LK_OK ? count : 77);
}

static void conf_tally(struct lk_storage *s, const char *key, uint32_t count)
{
    struct lk_storage_txn txn = {0};
    uint32_t found = 0;
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->tally(&txn, conformance_text(key), &found), LK_OK);
    assert_int_equal(found, count);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
}

void conformance_test_tally(void **state)
{
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    struct lk_storage_txn txn = {0};
    uint32_t count = 0;
    conformance_put(s, "a", "1");
    if ((s->caps & LK_STORAGE_TALLY) == 0) {
        assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
        assert_int_equal(s->ops->tally(&txn, conformance_text("a"), &count), LK_E_UNSUPPORTED);
        conf_expect_tally(s, &txn, "a", LK_E_UNSUPPORTED, 0);
        assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
        s->ops->release(s, &txn);
        conformance_close(state, s);
        return;
    }
    conformance_put(s, "b", "2");
    for (uint32_t i = 1; i <= 40; i++) {
        conf_tally(s, "a", i);
        conf_tally(s, "b", i);
    }
    /* Not in the map, in a reader, and undone by an abort. */
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    conf_expect_tally(s, &txn, "a", LK_OK, 40);
    conf_expect_tally(s, &txn, "aa", LK_E_NOT_FOUND, 0);
    assert_int_equal(s->ops->tally(&txn, conformance_text("a"), &count), LK_E_READ_ONLY);
    uint64_t before = s->ops->snapshot(&txn);
    s->ops->abort(&txn);
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    assert_int_equal(s->ops->tally(&txn, conformance_text("aa"), &count), LK_E_NOT_FOUND);
    assert_int_equal(s->ops->tally(&txn, conformance_text("a"), &count), LK_OK);
    assert_int_equal(count, 41);
    s->ops->abort(&txn);
    conf_tally(s, "a", 41);
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    assert_true(before != s->ops->snapshot(&txn));
    s->ops->abort(&txn);
    /* It is alone in its transaction. */
    static const struct {
        const char *first;
        const char *second;
    } rows[] = {{"tally", "put"},
                {"tally", "remove"},
                {"tally", "tally"},
                {"put", "tally"},
                {"remove", "tally"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *what[] = {rows[i].first, rows[i].second};
        assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
        for (size_t j = 0; j < 2; j++) {
            int rc = strcmp(what[j], "tally") == 0
                         ? s->ops->tally(&txn, conformance_text("a"), &count)
                     : strcmp(what[j], "put") == 0
                         ? s->ops->put(&txn, conformance_text("b"), conformance_text("x"))
                         : s->ops->remove(&txn, conformance_text("b"));
            assert_int_equal(rc, j == 0 ? LK_OK : LK_E_STATE);
        }
        assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_E_STATE);
    }
    /* It outlives a restart; a put begins it anew, a removal takes it along. */
    if ((s->caps & LK_STORAGE_DURABLE) != 0) {
        s->ops->release(s, &txn);
        s->ops->close(s);
        assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    }
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    conf_expect_tally(s, &txn, "a", LK_OK, 41);
    conf_expect_tally(s, &txn, "b", LK_OK, 40);
    assert_int_equal(s->ops->put(&txn, conformance_text("a"), conformance_text("1")), LK_OK);
    assert_int_equal(s->ops->remove(&txn, conformance_text("b")), LK_OK);
    s->ops->abort(&txn);
    assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
    conf_expect_tally(s, &txn, "a", LK_OK, 41);
    conf_expect_tally(s, &txn, "b", LK_OK, 40);
    assert_int_equal(s->ops->put(&txn, conformance_text("a"), conformance_text("1")), LK_OK);
    assert_int_equal(s->ops->remove(&txn, conformance_text("b")), LK_OK);
    assert_int_equal(s->ops->commit(&txn, LK_COMMIT_DURABLE), LK_OK);
    conformance_put(s, "b", "3");
    assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
    conf_expect_tally(s, &txn, "a", LK_OK, 0);
    conf_expect_tally(s, &txn, "b", LK_OK, 0);
    s->ops->abort(&txn);
    conf_tally(s, "b", 1);
    s->ops->release(s, &txn);
    conformance_close(state, s);
}

/* Many keys with tallies, among puts and removals, against a plain table; on flash they wander. */
void conformance_test_tally_many(void **state)
{
    enum { KEYS = 24 };
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    struct lk_storage *s = conformance_open(state, CONFORMANCE_SIZE);
    uint32_t expected[KEYS] = {0};
    uint32_t seed = 12345;
    struct lk_storage_txn txn = {0};
    static uint8_t filler[100];
    if ((s->caps & LK_STORAGE_TALLY) == 0) {
        conformance_close(state, s);
        return;
    }
    for (uint32_t step = 0; step < 6000; step++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t k = (seed >> 16) % KEYS;
        struct lk_span key = {(const uint8_t *)letters + k, 1};
        if (step < KEYS || (seed >> 8) % 7 == 0) {
            k = step < KEYS ? step : k;
            key.data = (const uint8_t *)letters + k;
            assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
            assert_int_equal(
                s->ops->put(&txn, key, (struct lk_span){filler, (seed >> 24) % sizeof filler}),
                LK_OK);
            assert_int_equal(s->ops->commit(&txn, LK_COMMIT_LAZY), LK_OK);
            expected[k] = 0;
        } else {
            uint32_t count = 0;
            assert_int_equal(s->ops->begin(s, &txn, LK_WRITE), LK_OK);
            assert_int_equal(s->ops->tally(&txn, key, &count), LK_OK);
            assert_int_equal(count, ++expected[k]);
            assert_int_equal(s->ops->commit(&txn, LK_COMMIT_LAZY), LK_OK);
        }
        if (step % 500 == 499) {
            if ((s->caps & LK_STORAGE_DURABLE) != 0) {
                s->ops->release(s, &txn);
                s->ops->close(s);
                assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
            }
            assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
            assert_int_equal(s->ops->begin(s, &txn, LK_READ), LK_OK);
            for (uint32_t i = 0; i < KEYS; i++) {
                uint32_t count = 0;
                key.data = (const uint8_t *)letters + i;
                assert_int_equal(s->ops->tallied(&txn, key, &count), LK_OK);
                assert_int_equal(count, expected[i]);
            }
            s->ops->abort(&txn);
        }
    }
    s->ops->release(s, &txn);
    conformance_close(state, s);
}
