// SPDX-License-Identifier: MIT
/* town.h: the town in a Latchkey store, for the engine and for the floor, which reads its bytes. */
#ifndef TOWN_H
#define TOWN_H

#include "harness.h"

#include "lk_engine.h"
#include "lk_login.h"

struct town {
    struct lk_host *host;
    struct lk_store *store;
    struct lk_txn txn;
    uint32_t tenant, first_user, users;
};

#define TOWN_PASSWORD "correct horse battery"

void town_load(const char *directory, uint32_t users, uint64_t *import_ns);
void town_open(struct town *town, const char *directory);
void town_close(struct town *town);
void town_must(int error, const char *what);

/* latchkey_life.c */
int latchkey_life(int argc, char **argv);

static inline struct lk_span town_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

#endif
