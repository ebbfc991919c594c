// SPDX-License-Identifier: MIT
/* plant.h: secrets put into a store by every way there is, to be searched for in its bytes. */
#ifndef LK_TEST_PLANT_H
#define LK_TEST_PLANT_H

#include "bench.h"

#define PLANT_MAX 48

struct plant {
    struct {
        const char *what;
        uint8_t bytes[192];
        size_t size;
    } list[PLANT_MAX];
    size_t count;
    struct lk_id tenant, gone;
};

/*
 * Passwords (present, earlier, refused, of another program), tokens, an API key, a claim code,
 * a seed, and a user with names and addresses who is then purged; all of it in the
 * tenant named "planted", which it makes. The keys that the store derived are on the list too.
 */
void plant_fill(struct plant *plant, struct lk_store *store);
/* Fails when anything on the list is in these bytes; tells how many were looked for. */
void plant_search(const struct plant *plant, const char *where, const void *image, size_t size);
/* The search finds what is there: a name that is no secret. */
void plant_control(const void *image, size_t size);

#endif
