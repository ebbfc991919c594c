// SPDX-License-Identifier: MIT
/*
 * nor_internal.h: what the files of storage/flash share.
 *
 * Every `at` is an offset from the start of the region, in bytes. 0 is the header of a sector, so
 * that it can stand for "none".
 */
#ifndef LK_NOR_INTERNAL_H
#define LK_NOR_INTERNAL_H

#include "lk_nor.h"

#include <string.h>

#define NOR_LAYOUT      1u
#define NOR_HEAD        40u /* bytes of a sector's header before rounding up */
#define NOR_FRAME       8u  /* word and checksum before the body of a frame */
#define NOR_CHUNK       64u /* bytes of one program call at most */
#define NOR_NONE        UINT32_C(0xFFFFFFFF)
#define NOR_VALUE_MAX   16383u
#define NOR_COUNT_BITS  0xFFFu
#define NOR_PACE        8 /* bytes that are copied at most for each byte written */
#define NOR_RETIRED     UINT32_C(0x5AA5A55A)
#define NOR_RETIRED_OFF 6u /* bits that may differ: it is a bad sector that has to keep it */
#define NOR_SECTORS_MAX 32767u
#define NOR_BAD         2 /* of a sector: not to be used again */

/* The upper four bits of a word. */
enum nor_type {
    NOR_DAMAGED = 0,      /* of no frame: what was one once, and cannot be told any more */
    NOR_PUT = 1,          /* of a batch */
    NOR_PUT_FIRST = 2,    /* and its first frame */
    NOR_REMOVE = 3,       /* of a batch */
    NOR_REMOVE_FIRST = 4, /* and its first frame */
    NOR_COPY = 5,         /* a record carried on */
    NOR_COUNTED = 6,      /* the same, with its tally before the key */
    NOR_TALLY_WIDE = 7,   /* position and tally of a record, where TALLY has no room for it */
    NOR_COMMIT = 8,       /* word: the frames of the batch, low 12 bits of how many */
    NOR_TALLY = 9,        /* word: one more for the record at this position */
    NOR_TAIL = 10,        /* word: the log begins at this generation, low 16 bits */
    NOR_SURE = 11,        /* word: 0 twice, a session begins; 1 it writes */
    NOR_SCRUB = 12        /* word: 1 scrubbing begins, 0 it is done */
};

struct nor_frame {
    uint32_t at;
    uint32_t size; /* with padding */
    uint32_t word;
    uint32_t argument;
    uint8_t type;
    uint8_t key_size;
    uint16_t value_size;
    bool sound;       /* its checksum holds */
    uint32_t body[2]; /* TALLY_WIDE: position and tally, as they were when its checksum held */
};

/* The words of a sector's header. */
enum nor_head {
    NOR_MAGIC = 0,
    NOR_FORM = 1,
    NOR_GENERATION = 2,
    NOR_DISTANCES = 3, /* of the generations below from its own */
    NOR_ERASES = 4,    /* of this sector */
    NOR_ERASE_TOTAL = 5,
    NOR_PROGRAMMED = 6, /* KiB */
    NOR_FROM = 7,       /* in the sector before: where what counts ends, in bytes */
    NOR_LAST = 8,       /* and a word that counts besides, or NOR_NONE */
    NOR_HEAD_CRC = 9
};

#define NOR_SCRUBBING UINT32_C(0x80000000) /* in NOR_FORM */

struct nor_header {
    uint32_t words[NOR_HEAD / 4];
    uint32_t generation;
    uint32_t tail;   /* generation of the sector with which the log began */
    uint32_t before; /* of the sector before it in the log; 0: none */
};

/* A walk over the frames of one sector. */
struct nor_walk {
    uint32_t start; /* of the sector */
    uint32_t generation;
    uint32_t offset;
    uint32_t end;
    bool sealed;              /* the last frame ends at `end` and was whole */
    bool broken;              /* what it ended with was whole once: no cut leaves that */
    uint32_t next;            /* the sector behind it in the log, if it is sealed, */
    struct nor_header header; /* and that one's header */
};

static inline struct lk_nor *nor_of(struct lk_storage *storage)
{
    /* The head is the first member, so both have one address. */
    return (struct lk_nor *)(void *)storage;
}

/* Every operation begins with this … */
static inline struct lk_nor *nor_begin(struct lk_storage *storage)
{
    struct lk_nor *nor = nor_of(storage);
    nor->trouble = LK_OK;
    return nor;
}

/* … and ends with this. */
static inline int nor_answer(const struct lk_nor *nor, int rc)
{
    return nor->trouble != LK_OK ? nor->trouble : rc;
}

static inline uint32_t nor_get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline void nor_set32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
    bytes[3] = (uint8_t)(value >> 24);
}

static inline uint32_t nor_round(const struct lk_nor *nor, uint32_t size)
{
    return (size + nor->step - 1u) & ~(uint32_t)(nor->step - 1u);
}

/* Where the mark of retirement of a sector is. */
static inline uint32_t nor_mark_at(const struct lk_nor *nor, uint32_t sector)
{
    return sector * nor->sector_size + nor->begin - nor->step;
}

static inline uint32_t nor_sector_at(const struct lk_nor *nor, uint32_t sector)
{
    return sector * nor->sector_size;
}

static inline uint32_t nor_sector_of(const struct lk_nor *nor, uint32_t at)
{
    return at / nor->sector_size;
}

static inline uint32_t nor_after(const struct lk_nor *nor, uint32_t sector)
{
    return sector + 1 < nor->sector_count ? sector + 1 : 0;
}

static inline bool nor_is_record(uint8_t type)
{
    return type == NOR_PUT || type == NOR_PUT_FIRST || type == NOR_COPY || type == NOR_COUNTED;
}

static inline bool nor_is_word(uint8_t type)
{
    return type >= NOR_COMMIT && type <= NOR_SCRUB;
}

static inline bool nor_is_batch(uint8_t type)
{
    return type >= NOR_PUT && type <= NOR_REMOVE_FIRST;
}

static inline bool nor_is_remove(uint8_t type)
{
    return type == NOR_REMOVE || type == NOR_REMOVE_FIRST;
}

static inline uint32_t nor_key_at(const struct nor_frame *frame)
{
    return frame->at + NOR_FRAME + (frame->type == NOR_COUNTED ? 4u : 0u);
}

static inline uint32_t nor_value_at(const struct nor_frame *frame)
{
    return nor_key_at(frame) + frame->key_size;
}

/* ---- nor_media.c: the flash ----
 *
 * What cannot be read reads as erased and is noted in the handle (`trouble`), as is an entry of the
 * index that is no frame any more: whatever is made of it, nothing is written from then on, and the
 * operation answers with that, by nor_answer().
 */

void lk_nor_read(struct lk_nor *nor, uint32_t at, void *out, size_t size);
uint32_t lk_nor_word(struct lk_nor *nor, uint32_t at);
/* The bytes where they lie if that is possible, else read into `buffer`. */
const uint8_t *lk_nor_view(struct lk_nor *nor, uint32_t at, uint8_t *buffer, size_t size);
/* Programs whole steps, at most NOR_CHUNK bytes, and reads them back. LK_E_CORRUPT: the flash
 * refused, or has something else now; LK_E_IO: it cannot be said. Erasing likewise. */
int lk_nor_program(struct lk_nor *nor, uint32_t at, const uint8_t *data, size_t size);
/* Erases and looks whether it is blank. */
int lk_nor_erase(struct lk_nor *nor, uint32_t sector);
/* The end of what is not `fill` in a stretch of the region, or `from` where all of it is. */
uint32_t lk_nor_last_not(struct lk_nor *nor, uint32_t from, uint32_t to, uint8_t fill);
bool lk_nor_blank(struct lk_nor *nor, uint32_t from, uint32_t to);
uint32_t lk_nor_crc(uint32_t crc, const uint8_t *data, size_t size);
uint32_t lk_nor_crc_word(uint32_t crc, uint32_t word);
uint32_t lk_nor_crc_flash(struct lk_nor *nor, uint32_t crc, uint32_t at, uint32_t size);

/* ---- nor_frame.c: frames and headers, read ---- */

/* 1: there is a header that holds, 0: there is none; LK_E_NEWER, LK_E_CORRUPT (another geometry) */
int lk_nor_header(struct lk_nor *nor, uint32_t sector, struct nor_header *header);
/* Of the bytes of a header, for a place in the region. */
uint32_t lk_nor_header_crc(const uint8_t *bytes, uint32_t sector);
/* The sector was marked as not to be used again. */
bool lk_nor_retired(struct lk_nor *nor, uint32_t sector);
uint32_t lk_nor_seed(uint32_t generation, uint32_t at);
uint32_t lk_nor_word_make(uint32_t type, uint32_t argument, uint32_t generation, uint32_t at);
uint32_t lk_nor_head_make(uint32_t type, uint32_t argument);
/* What is at a position that the index or a walk has; false: no frame can be there. */
bool lk_nor_frame_at(struct lk_nor *nor, uint32_t at, struct nor_frame *frame);
/* Whether its checksum holds, into frame->sound. */
bool lk_nor_frame_sum(struct lk_nor *nor, struct nor_frame *frame);
/* Both, within a sector up to `end`: whether it is sound; where not even its head holds, `size` is
 * 0.
 */
bool lk_nor_frame_parse(struct lk_nor *nor, const struct nor_walk *walk, uint32_t offset,
                        struct nor_frame *frame);
/* The next frame (sound; damaged between sound ones; or NOR_DAMAGED, up to where reading can go
 * on); false: the end. walk->offset is behind it. */
bool lk_nor_walk_next(struct lk_nor *nor, struct nor_walk *walk, struct nor_frame *frame);
/* The walk of a sector of the log, which ends where the header of the next one says, if there is
 * one: `sealed`. */
void lk_nor_walk_log(struct lk_nor *nor, uint32_t sector, uint32_t generation,
                     struct nor_walk *walk);
/* The walk of one that nothing may follow. */
void lk_nor_walk_of(const struct lk_nor *nor, uint32_t sector, uint32_t generation,
                    struct nor_walk *walk);
/* It ends where a header of the next sector says. */
void lk_nor_walk_seal(const struct lk_nor *nor, struct nor_walk *walk,
                      const struct nor_header *next);

/* ---- nor_index.c: the order of the keys ---- */

/* An entry, of the open batch or of what is committed: its position, its frame. */
uint32_t lk_nor_at(const struct lk_nor *nor, bool pending, uint32_t i);
void lk_nor_entry(struct lk_nor *nor, bool pending, uint32_t i, struct nor_frame *frame);
/* First entry not before the key, and whether it is the key's own. */
bool lk_nor_find(struct lk_nor *nor, bool pending, struct lk_span key, uint32_t *index);
/* The same for the key of a frame. */
bool lk_nor_find_frame(struct lk_nor *nor, bool pending, const struct nor_frame *frame,
                       uint32_t *index);
struct lk_span lk_nor_key(struct lk_nor *nor, const struct nor_frame *frame, uint8_t *buffer);
/* Makes the frame what its key stands for among the committed ones. LK_E_SPACE: no room. */
int lk_nor_index_apply(struct lk_nor *nor, const struct nor_frame *frame);
/* Remembers a frame of the open batch. */
int lk_nor_index_pend(struct lk_nor *nor, struct lk_span key, uint32_t at);
/* The entry is at another position now. */
void lk_nor_index_set(struct lk_nor *nor, uint32_t index, uint32_t at);
/* Whether a frame is the one that its key stands for, and the index of that. */
bool lk_nor_index_of(struct lk_nor *nor, const struct nor_frame *frame, uint32_t *index);
/* What the batch has becomes committed. */
int lk_nor_index_commit(struct lk_nor *nor);
/* Whether a key stands for a frame in a transaction. */
bool lk_nor_lookup(struct lk_nor *nor, struct lk_span key, struct nor_frame *frame);
/* Tallies since the frame was written. */
uint32_t lk_nor_tally_of(struct lk_nor *nor, uint32_t at);
/* LK_E_FULL: too many records have tallies. */
int lk_nor_tally_set(struct lk_nor *nor, uint32_t at, uint32_t count);
void lk_nor_tally_forget(struct lk_nor *nor, uint32_t at);
/* The whole tally of a record: what its frame has and what came after. */
uint32_t lk_nor_tally_total(struct lk_nor *nor, const struct nor_frame *frame);

/* ---- nor_log.c: writing ---- */

struct nor_new {
    uint8_t type;
    bool unsound; /* what is copied does not hold, and neither may the copy */
    struct lk_span key;
    struct lk_span value;
    uint32_t from;    /* where key and value are copied from, which then have no data */
    uint32_t body[2]; /* words: the argument; COUNTED: the tally; TALLY_WIDE: position and tally */
    uint32_t at;      /* where it was written */
};

/* Appends a frame; takes a new sector only where `spare` others stay free. LK_E_FULL, LK_E_IO */
int lk_nor_append(struct lk_nor *nor, struct nor_new *frame, uint32_t spare);
int lk_nor_append_word(struct lk_nor *nor, uint8_t type, uint32_t argument, uint32_t spare);
int lk_nor_append_tally(struct lk_nor *nor, uint32_t at, uint32_t count, uint32_t spare);
/* Bytes that it takes, with its filling. */
uint32_t lk_nor_size(const struct lk_nor *nor, const struct nor_new *frame);
/* Erases a sector and gives it a header: of the next sector of the log, or of one that is spare.
 * LK_E_CORRUPT: it does not work. */
int lk_nor_start(struct lk_nor *nor, uint32_t sector, bool spare);
/* 1: a sector that is out of the log may be relied on: it took a header the last time round. 0: it
 * may be bad and unable to keep a mark; it is tried, but not counted. NOR_BAD: it has the mark. */
uint32_t lk_nor_counts(struct lk_nor *nor, uint32_t sector);
/* The log goes on in the next sector that works. */
int lk_nor_open_sector(struct lk_nor *nor, uint32_t spare);
/* This sector does not keep what it is told: it is not to be used again. */
void lk_nor_retire(struct lk_nor *nor, uint32_t sector);
/* Makes what the log ends with certain, and what it was taken for. */
int lk_nor_settle(struct lk_nor *nor);
int lk_nor_copy(struct lk_nor *nor, uint32_t index);

/* ---- nor_mount.c ---- */

int lk_nor_mount(struct lk_nor *nor, enum lk_mode mode);

/* ---- nor_collect.c ---- */

/* Some of the work that is due after `bytes` were written. */
void lk_nor_collect(struct lk_nor *nor, uint32_t bytes);
/* Collects until so many sectors are free, and one more or `room` in the newest. LK_E_FULL when
 * that cannot be. */
int lk_nor_collect_until(struct lk_nor *nor, uint32_t free_count, uint32_t room);
/* Room for `size` more bytes, of which `growth` are more than what they replace. */
int lk_nor_make_room(struct lk_nor *nor, uint32_t size, int32_t growth, bool urgent);
/* Bytes of live frames that ordinary writes may fill. */
uint32_t lk_nor_capacity(const struct lk_nor *nor);
int lk_nor_compact(struct lk_storage *storage);
int lk_nor_scrub(struct lk_storage *storage, uint64_t *bytes);
int lk_nor_check(struct lk_storage *storage, lk_storage_progress *progress, void *context);
int lk_nor_stat(struct lk_storage *storage, struct lk_storage_stat *stat);

/* ---- nor_cursor.c ---- */

/* Begins an operation of a transaction: whether that can go on, and the key is one. */
int lk_nor_usable(const struct lk_storage_txn *txn, struct lk_span key);
/* Key and value as spans that live until the next call. */
int lk_nor_spans(struct lk_nor *nor, struct nor_frame *frame, struct lk_span *key,
                 struct lk_span *value);
int lk_nor_cursor_open(struct lk_storage_txn *txn, struct lk_storage_cursor *cursor,
                       struct lk_span prefix);
void lk_nor_cursor_close(struct lk_storage_cursor *cursor);
int lk_nor_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                struct lk_span *value);
int lk_nor_seek_before(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                       struct lk_span *value);
int lk_nor_next(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value);
int lk_nor_prev(struct lk_storage_cursor *cursor, struct lk_span *found, struct lk_span *value);

#endif
