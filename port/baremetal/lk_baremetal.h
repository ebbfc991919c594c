// SPDX-License-Identifier: MIT
/*
 * lk_baremetal.h: what ports without an operating system share.
 *
 * A board has one of each: there is no more than one processor, one serial line, one store.
 */
#ifndef LK_BAREMETAL_H
#define LK_BAREMETAL_H

#include "lk_port.h"

/*
 * The memory that libsodium's Argon2id asks for while it hashes: three pieces, given back at the
 * end. `arena` is the caller's, 8-aligned; it holds nothing of worth between two hashes and may be
 * used for other things then.
 */
void lk_arena_init(void *arena, size_t size);
/* Of `memory_kib`: the blocks, their alignment, and what else is asked for. */
#define LK_ARENA_SIZE(memory_kib) ((memory_kib)*1024u + 1024u + (memory_kib)*2u)

/* A console's read with a time limit over a line that is asked whether a byte is there. */
struct lk_serial {
    bool (*ready)(void *self);
    uint8_t (*take)(void *self);
    uint64_t (*ms)(void *self); /* monotonic */
    void *self;
};
int lk_serial_read(const struct lk_serial *serial, uint8_t *byte, uint32_t timeout_ms);

/* A clock's boot(): the number in `kept`, which is drawn when it is 0, as after a start. */
int lk_boot_number(const struct lk_entropy *entropy, void *self, uint64_t *kept, uint64_t *boot);

/*
 * A device secret in a flash sector of its own, outside the store's: 32 bytes, then a mark that
 * says that they are whole. Reads LK_E_SECRET until it was made.
 */
int lk_secret_read(const struct lk_flash *flash, void *self, uint32_t sector,
                   uint8_t secret[LK_DEVICE_SECRET_SIZE]);
/* `fill` gives the bytes. LK_E_EXISTS. */
int lk_secret_create(const struct lk_flash *flash, void *self, uint32_t sector,
                     const struct lk_entropy *entropy);

#endif
