// SPDX-License-Identifier: MIT
/* lk_transfer_ids.c: a hash table from the numbers that a file gives its records to theirs here. */
#include "lk_transfer_internal.h"

#include <stdlib.h>
#include <sys/random.h>

struct ids_slot {
    uint64_t key[2]; /* kind and user, sub */
    uint32_t number; /* 0: free */
};

struct lk_import_ids {
    struct ids_slot *slots;
    size_t capacity; /* a power of two */
    size_t count;
    /* The file chooses the keys, and the store is locked while it is read: it may not choose
     * collisions as well. */
    uint64_t seed[2];
};

int lk_import_ids_make(struct lk_import_ids **ids)
{
    struct lk_import_ids *made = calloc(1, sizeof(*made));

    if (made == NULL) {
        return LK_E_FULL;
    }
    if (getrandom(made->seed, sizeof(made->seed), 0) != (ssize_t)sizeof(made->seed)) {
        free(made);
        return LK_E_ENTROPY;
    }
    made->capacity = 1024;
    made->slots = calloc(made->capacity, sizeof(*made->slots));
    if (made->slots == NULL) {
        free(made);
        return LK_E_FULL;
    }
    *ids = made;
    return 0;
}

void lk_import_ids_free(struct lk_import_ids *ids)
{
    if (ids != NULL) {
        free(ids->slots);
        free(ids);
    }
}

/* The finisher of SplitMix64: every bit of the input reaches every bit of the output. */
static uint64_t ids_mix(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ number >> 27) * UINT64_C(0x94D049BB133111EB);
    return number ^ number >> 31;
}

/* The slot that holds the key, or the free one where it would go. */
static struct ids_slot *ids_find(const struct lk_import_ids *ids, const uint64_t key[2])
{
    uint64_t hash = ids_mix(ids_mix(key[0] ^ ids->seed[0]) + (key[1] ^ ids->seed[1]));
    size_t at = (size_t)hash & (ids->capacity - 1);

    while (ids->slots[at].number != 0 &&
           (ids->slots[at].key[0] != key[0] || ids->slots[at].key[1] != key[1])) {
        at = (at + 1) & (ids->capacity - 1);
    }
    return &ids->slots[at];
}

static int ids_grow(struct lk_import_ids *ids)
{
    struct lk_import_ids larger = {calloc(ids->capacity * 2, sizeof(*ids->slots)),
                                   ids->capacity * 2,
                                   ids->count,
                                   {ids->seed[0], ids->seed[1]}};

    if (larger.slots == NULL) {
        return LK_E_FULL;
    }
    for (size_t i = 0; i < ids->capacity; i++) {
        if (ids->slots[i].number != 0) {
            *ids_find(&larger, ids->slots[i].key) = ids->slots[i];
        }
    }
    free(ids->slots);
    *ids = larger;
    return 0;
}

int lk_import_ids_put(struct lk_import_ids *ids, unsigned kind, uint32_t user, uint32_t sub,
                      uint32_t number)
{
    const uint64_t key[2] = {(uint64_t)kind << 32 | user, sub};
    struct ids_slot *slot;
    int error = ids->count >= ids->capacity / 2 ? ids_grow(ids) : 0;

    if (error) {
        return error;
    }
    slot = ids_find(ids, key);
    if (slot->number != 0) {
        return LK_E_EXISTS;
    }
    *slot = (struct ids_slot){{key[0], key[1]}, number};
    ids->count++;
    return 0;
}

uint32_t lk_import_ids_get(const struct lk_import_ids *ids, unsigned kind, uint32_t user,
                           uint32_t sub)
{
    const uint64_t key[2] = {(uint64_t)kind << 32 | user, sub};

    return ids_find(ids, key)->number;
}
