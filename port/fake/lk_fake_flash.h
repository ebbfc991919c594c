// SPDX-License-Identifier: MIT
/*
 * lk_fake_flash.h: a NOR flash for tests on a host: strict, breakable, and cut off at will.
 *
 *     static uint8_t memory[LK_FAKE_FLASH_MEMORY(1024, 64, 4)];
 *     struct lk_fake_flash flash;
 *     struct lk_fake_flash_config config = {.sector_size = 1024, .sector_count = 64,
 *         .program_unit = 4, .memory = memory, .memory_size = sizeof memory};
 *
 *     assert(lk_fake_flash_init(&flash, &config) == 0);
 *     ... give &lk_fake_flash_ops and &flash to a storage, or lk_fake_flash_set() it on a port ...
 *     lk_fake_flash_cut(&flash, 17, LK_FAKE_FLASH_TORN, 1);   the 17th operation from now is torn
 *     ... run until a call answers LK_E_IO; throw away what the store had in RAM ...
 *     lk_fake_flash_power_on(&flash);
 *     ... open it again: what was acknowledged must be there ...
 *
 * Rules of the part, held strictly: addresses in range; programming in whole, aligned units; a unit
 * is programmed once between two erases of its sector, also where its bytes are all ones (parts
 * with ECC forbid the second time). Who breaks one gets LK_E_ARGUMENT, nothing is done, it is
 * counted, and `broken_rule` is called; without that function an assertion fails.
 *
 * An operation, for cuts and counts, is one unit programmed or one sector erased.
 *
 * After a cut every call answers LK_E_IO until power comes back. A torn program leaves any subset
 * of its bits cleared, some of them weak; a torn erase leaves any mixture of old bits, ones and
 * zeroes, some of them weak. A weak bit may read differently each time; it lasts until its sector
 * is erased to the end (or, by chance, until power comes back once more). A sector whose erase was
 * torn takes no programming. Where the flash is mapped, weak bits change at every call.
 *
 * With `buffered`, a cut also loses any part of what was done since the last sync: each unit on its
 * own, but nothing that was programmed after an erase without that erase.
 *
 * Limitations: one thread; no allocation; weak bits of LK_FAKE_FLASH_WEAK_MAX torn operations, of
 * which the oldest then settle; time is not modelled.
 */
#ifndef LK_FAKE_FLASH_H
#define LK_FAKE_FLASH_H

#include "lk_port.h"

#define LK_FAKE_FLASH_WEAK_MAX 8
#define LK_FAKE_FLASH_UNIT_MAX 16

/* Where in the operation power goes. */
enum lk_fake_flash_moment {
    LK_FAKE_FLASH_BEFORE = 0,
    LK_FAKE_FLASH_TORN = 1,
    LK_FAKE_FLASH_AFTER = 2
};

/* What is wrong with a sector, from the moment it is set on: old content stays readable. */
enum lk_fake_flash_fault {
    LK_FAKE_FLASH_SOUND = 0,
    LK_FAKE_FLASH_WRONG = 1,        /* answers 0, but some bits read back wrong */
    LK_FAKE_FLASH_NO_ERASE = 2,     /* erasing answers LK_E_IO and does nothing */
    LK_FAKE_FLASH_NO_PROGRAM = 3,   /* programming answers LK_E_IO and does nothing */
    LK_FAKE_FLASH_SILENT = 4,       /* both answer 0 and do nothing */
    LK_FAKE_FLASH_INTERMITTENT = 5, /* one operation in four fails, in any of these ways */
};
#define LK_FAKE_FLASH_FAULT_COUNT 6

struct lk_fake_flash_config {
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t program_unit; /* 1, 4, 8 or 16 */
    bool mapped;           /* the geometry tells where it can be read as memory */
    bool buffered;         /* a cut may lose what was not synced */
    uint32_t endurance;    /* erases until a sector wears out, give or take a sixteenth; 0: never */
    enum lk_fake_flash_fault worn; /* what a worn sector does */
    uint64_t seed;                 /* of everything that happens by chance */
    void *memory;                  /* LK_FAKE_FLASH_MEMORY bytes, aligned for uint32_t */
    size_t memory_size;
    void (*broken_rule)(void *context, const char *rule, uint32_t address);
    void *context;
};

/* Bytes of memory that a flash takes. */
#define LK_FAKE_FLASH_MEMORY(sector_size, sector_count, program_unit)                              \
    ((size_t)(sector_count) *                                                                      \
     (sizeof(struct lk_fake_flash_sector) +                                                        \
      2 * ((size_t)(sector_size) + (size_t)(sector_size) / (size_t)(program_unit) / 8u)))

struct lk_fake_flash_sector {
    uint32_t erases;
    uint32_t endurance;             /* 0: for ever */
    uint32_t dirty_from, dirty_end; /* bytes of it that differ from what is synced */
    uint8_t fault;
    bool erase_pending; /* erased since the last sync */
    bool torn;          /* the last erase was */
};

/* Bits of one torn operation that read as they like. */
struct lk_fake_flash_weak {
    uint32_t address;
    uint32_t size;                        /* 0: none */
    uint64_t seed;                        /* of an erase: tells which bits */
    uint8_t mask[LK_FAKE_FLASH_UNIT_MAX]; /* of a unit */
    uint8_t bias;                         /* out of 256: how often a weak bit reads as one */
    bool of_erase;
    bool gone; /* erased, but that is not synced yet */
};

struct lk_fake_flash_stat {
    uint64_t operations;       /* units programmed and sectors erased */
    uint64_t erases;           /* of these */
    uint64_t programmed_bytes; /* of these, by units */
    uint64_t calls;            /* of all five functions */
    uint64_t read_bytes;       /* through read() */
    uint64_t syncs;
    uint64_t broken_rules;
    const char *last_rule; /* the last that was broken, or NULL */
};

/* The handle. Private, but for `stat`. Handle and memory may be copied and put back together. */
struct lk_fake_flash {
    struct lk_fake_flash_stat stat;
    struct lk_fake_flash_config config;
    uint8_t *image;
    uint8_t *used;   /* a bit for each unit: it was programmed since its sector was erased */
    uint8_t *synced; /* the image, and `used`, as of the last sync */
    uint8_t *synced_used;
    struct lk_fake_flash_sector *sectors;
    struct lk_fake_flash_weak weak[LK_FAKE_FLASH_WEAK_MAX];
    uint64_t random;
    uint64_t cut_at; /* in stat.operations; 0: never */
    uint64_t cut_seed;
    enum lk_fake_flash_moment cut_moment;
    uint64_t call_limit; /* in stat.calls; 0: none */
    bool off;
    bool limit_hit;
};

/*
 * An erased part that was never erased before. LK_E_ARGUMENT for a geometry that is none: sectors
 * of 8 units or a multiple, below 4 GiB in all. LK_E_SPACE: too little memory.
 */
int lk_fake_flash_init(struct lk_fake_flash *flash, const struct lk_fake_flash_config *config);

/* `self` is the struct lk_fake_flash. */
extern const struct lk_flash lk_fake_flash_ops;

/* Bytes of `config.memory` that hold state: what to copy for a copy of the part. */
size_t lk_fake_flash_memory_used(const struct lk_fake_flash *flash);

/* What is stored, as it reads now. */
const uint8_t *lk_fake_flash_image(const struct lk_fake_flash *flash);
/* Puts content there as if it had been delivered so; a unit that is all ones counts as erased. */
int lk_fake_flash_load(struct lk_fake_flash *flash, uint32_t address, const uint8_t *data,
                       size_t size);
/* One stored bit turns over (bit 0 is the lowest). */
void lk_fake_flash_flip(struct lk_fake_flash *flash, uint32_t address, unsigned bit);
/* Erase counts of all sectors, lowest and highest. */
void lk_fake_flash_wear(const struct lk_fake_flash *flash, uint32_t *least, uint32_t *most);

/*
 * Power goes at the nth operation from now (1 is the next); 0: never. The seed decides what a torn
 * operation leaves, and what is lost of the unsynced: an odd one tears the rest of the same program
 * call too (a page is programmed at once), an even one leaves it untouched.
 */
void lk_fake_flash_cut(struct lk_fake_flash *flash, uint64_t nth, enum lk_fake_flash_moment moment,
                       uint64_t seed);
/* Power goes now. */
void lk_fake_flash_cut_now(struct lk_fake_flash *flash, uint64_t seed);
bool lk_fake_flash_is_off(const struct lk_fake_flash *flash);
/* Power comes back, with no cut and no limit set. */
void lk_fake_flash_power_on(struct lk_fake_flash *flash);

void lk_fake_flash_fault_set(struct lk_fake_flash *flash, uint32_t sector,
                             enum lk_fake_flash_fault fault);

/* After so many more calls of any kind, all answer LK_E_IO: nothing may loop for ever. 0: no limit.
 */
void lk_fake_flash_limit(struct lk_fake_flash *flash, uint64_t calls);
bool lk_fake_flash_limit_hit(const struct lk_fake_flash *flash);

#endif
