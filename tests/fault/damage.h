// SPDX-License-Identifier: MIT
/* damage.h: a small store, every question that may be asked of it, and the answers it gave whole.
 */
#ifndef LK_TEST_DAMAGE_H
#define LK_TEST_DAMAGE_H

#include "core/bench.h"

#include "lk_engine.h"

#define DAMAGE_KEYS  400
#define DAMAGE_ITEMS 64
#define DAMAGE_LISTS 14
#define DAMAGE_ASKED 24

struct damage_key {
    struct lk_key key;
    const struct lk_kind *kind; /* NULL: an index entry, or the store's own */
    const struct lk_index *index;
    size_t size; /* of the value */
};

/* What a list gave: a hash of each record, in order. */
struct damage_list {
    uint64_t items[DAMAGE_ITEMS];
    unsigned count, errors;
};

struct damage_answers {
    int error[DAMAGE_ASKED];
    uint64_t hash[DAMAGE_ASKED];
    const char *name[DAMAGE_ASKED];
    unsigned count;
    struct damage_list lists[DAMAGE_LISTS];
};

struct damage_town {
    struct bench *bench;
    struct lk_id alice, bob, role, door, key;
    char session[LK_TOKEN_SIZE], api_key[LK_TOKEN_SIZE];
    void *saved;
    struct lk_fake saved_fake;
    struct damage_key keys[DAMAGE_KEYS];
    size_t key_count;
    struct damage_answers whole;
};

struct damage_town *damage_open(void);
void damage_close(struct damage_town *town);
/* Undoes all damage, and what the questions wrote. */
void damage_reset(struct damage_town *town);
/* Asks everything; a handle of its own, so that no cache remembers better days. */
void damage_ask(struct damage_town *town, struct damage_answers *answers);
/* Fails the test where an answer is neither that of the whole store nor an error or a refusal.
 * `what` and `number` tell which damage it was. */
void damage_compare(const struct damage_town *town, const struct damage_answers *answers,
                    const char *what, const struct damage_key *key, unsigned number);
/* Faults that verify reports; an error counts as one. */
unsigned damage_faults(struct damage_town *town);
/* One key of each kind, each index and each of the store's own records: that of the most bytes. */
size_t damage_samples(const struct damage_town *town, const struct damage_key *samples[64]);
const char *damage_name(const struct damage_key *key);

#endif
