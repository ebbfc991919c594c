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
 * end. `data` is the caller's, 8-aligned; it holds nothing of worth between two hashes and may be
 * used for other things then.
 */
void lk_arena_init(void *data, size_t size);
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

unsigned lk_serial_width(void *self); /* 80: a line does not tell */

/*
 * Time from a 32-bit counter that runs up and wraps, and a wall clock that stands on it once
 * somebody set it. Who waits for input asks often enough to miss no wrap.
 */
struct lk_uptime {
    uint32_t last; /* of the counter */
    uint32_t rest; /* of its steps, not yet a millisecond */
    uint64_t ms;
    uint64_t set_at, set_to; /* monotonic, when the wall clock was set; and to what */
    bool set;
};
/* Milliseconds since the start, the counter being at `now`. */
uint64_t lk_uptime_ms(struct lk_uptime *time, uint32_t now, uint32_t steps_per_ms);
/* A clock's wall() and set(), at a moment of lk_uptime_ms. */
void lk_uptime_wall(const struct lk_uptime *time, uint64_t ms, uint64_t *wall,
                    enum lk_clock_quality *quality);
void lk_uptime_set(struct lk_uptime *time, uint64_t ms, uint64_t wall);

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

/*
 * Entropy of a board without a generator: of a seed that a factory draws for each device and puts
 * into a flash sector (lk_seed_flash.c has the form); the next one is the seed's, too. Each start
 * puts what it derives from the seed into the other sector and erases the first, before it gives a
 * byte. So no start draws what another drew, wherever the power goes. But an older image of the
 * flash that is put back does, and who reads the flash knows what comes.
 */
struct lk_seed {
    const struct lk_flash *flash;
    const struct lk_crypto *crypto;
    void *self; /* of both */
    uint32_t sector;
    /* Private. */
    uint8_t key[LK_HASH_SIZE];
    bool ready;
};
/* An entropy's fill(). LK_E_ENTROPY without a seed. */
int lk_seed_fill(struct lk_seed *seed, uint8_t *out, size_t size);

/*
 * The stack, from __stack_low to __stack_top of the linker script. The startup (lk_start.S) paints
 * it, so that its deepest use can be told.
 */
#define LK_STACK_PAINT 0x5AA55AA5u
struct lk_stack_figures {
    size_t size;
    size_t spare;      /* that was never used */
    size_t hash_spare; /* between the memory of a hash and the stack above it, at the least; or 0 */
};
void lk_stack_look(struct lk_stack_figures *figures);
/* The first word from `at` on that something was written to. */
uint32_t *lk_stack_used(uint32_t *at);
void lk_stack_paint(uint32_t *from, uintptr_t to);
/* Keeps how deep it went so far, before other things than a stack are written there. */
void lk_stack_keep(void);
/* A hash in a stack's memory left that much between them. */
void lk_stack_hashed(size_t spare);

#endif
