// SPDX-License-Identifier: MIT
/* lk_blocklist.c: is this one of the common passwords? The filter is made when the board is built
 * (boards/make_blocklist.c), in the size that its limits allow. */
#include "lk_blocklist.h"

#include "lk_blocklist_data.h"
#include "lk_engine.h"

bool lk_blocklist_has(struct lk_span password)
{
    struct lk_blocklist_place place;
    uint64_t state = 0;
    uint16_t cells;
    size_t i;

    /* The list is in small letters: so is what is looked for. */
    for (i = 0; i < password.size; i++) {
        state = lk_blocklist_step(state, lk_ascii_lower(password.data[i]));
    }
    place = lk_blocklist_place(state, BLOCKLIST_SEED, BLOCKLIST_THIRD, BLOCKLIST_BITS);
    cells = blocklist_cells[place.cells[0]];
    cells ^= blocklist_cells[place.cells[1]];
    cells ^= blocklist_cells[place.cells[2]];
    return cells == place.print;
}
