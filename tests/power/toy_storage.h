// SPDX-License-Identifier: MIT
/*
 * toy_storage.h: the plainest map in flash that survives power cuts, to test the harness with.
 *
 * A map in RAM; each commit writes all of it to the oldest of three areas, head last. Opening takes
 * the newest area that is whole, and writes a copy to an area that is neither that one nor the next
 * newest before anybody may rely on it: its head may have been torn, and read otherwise next time.
 */
#ifndef LK_TEST_TOY_STORAGE_H
#define LK_TEST_TOY_STORAGE_H

#include "power.h"

/* Mistakes that a flash storage can make, each of which the harness must find. */
enum toy_mistake {
    TOY_NONE,
    TOY_NO_CHECKSUM, /* writes the head first, and believes it without looking at the rest */
    TOY_EARLY,       /* acknowledges every second commit before it is written */
    TOY_TRUSTS_WEAK, /* opens without making a copy */
    TOY_TWO_AREAS,   /* that copy takes the place of the next newest */
    TOY_NO_ERASE,    /* does not erase what reads as ones */
    TOY_NO_SYNC,     /* never syncs */
    TOY_LOOPS,       /* opening goes on until it reads the same twice */
    TOY_MISTAKE_COUNT
};

extern enum toy_mistake toy_mistake;
extern const struct power_backend toy_backend;

#endif
