// SPDX-License-Identifier: MIT
/*
 * conformance.h: what every storage backend must do, tested the same way for all.
 *
 * A new backend is one more row in the table of test_conformance.c, or a program beside it.
 */
#ifndef LK_TEST_CONFORMANCE_H
#define LK_TEST_CONFORMANCE_H

#include "lk_storage.h"

#define CONFORMANCE_VALUE_MAX 3000
#define CONFORMANCE_SIZE      ((size_t)1 << 20) /* of most stores */

/* One backend under test. */
struct conformance_backend {
    const char *name;
    /*
     * Makes an empty store of about `size` bytes, not open yet, whose value_max is the row's. NULL:
     * the test fails.
     */
    struct lk_storage *(*make)(size_t size);
    /* Ends a closed store and removes what it left. */
    void (*drop)(struct lk_storage *storage);
    /* Where the medium is what it is; 0: what the suite asks for. */
    size_t size;
    size_t value_max;   /* 0: CONFORMANCE_VALUE_MAX, which is the most */
    size_t model_max;   /* entries of the model; 0: 400 */
    uint32_t count_min; /* entries of some hundred bytes that surely fit; 0: 100 */
};

/* Runs the suite for each backend; the answer is that of cmocka. */
int conformance_run(const struct conformance_backend *backends, size_t count);

/* For the suite's own files. */
struct lk_storage *conformance_open(void **state, size_t size);
size_t conformance_value_max(void **state);
void conformance_close(void **state, struct lk_storage *s);
bool conformance_same(struct lk_span a, struct lk_span b);
struct lk_span conformance_text(const char *text);
/* In a batch of its own. */
void conformance_put(struct lk_storage *s, const char *key, const char *value);
void conformance_test_model(void **state);
void conformance_test_tally(void **state);
void conformance_test_tally_many(void **state);

#endif
