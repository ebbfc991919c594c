// SPDX-License-Identifier: MIT
/*
 * gold.h: text that is compared with a file beside the golden tests.
 *
 * LATCHKEY_GOLDEN=write writes the files anew. They are looked for in tests/golden, or where
 * LATCHKEY_GOLDEN_DIR says.
 */
#ifndef LK_TEST_GOLD_H
#define LK_TEST_GOLD_H

#include "lk_base.h"

#define GOLD_MAX 120000

/* Text, gathered before it is compared or written. */
struct gold {
    char text[GOLD_MAX];
    size_t size;
};

void gold_add(struct gold *gold, const char *text);
/* Name and bytes, 32 of them a line. */
void gold_add_bytes(struct gold *gold, const char *name, struct lk_span bytes);
/* Compares it with the file of this name, or writes that. */
void gold_close(struct gold *gold, const char *name);

#endif
