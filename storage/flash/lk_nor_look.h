// SPDX-License-Identifier: MIT
/*
 * lk_nor_look.h: what a region of flash holds, told sector by sector and record by record, for
 * tools that look at an image. Writes nothing. A board that does not call it does not link it.
 */
#ifndef LK_NOR_LOOK_H
#define LK_NOR_LOOK_H

#include "lk_nor.h"

/* The form of a store, as the headers of its sectors have it. */
struct lk_nor_form {
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t program_unit;
    uint32_t votes; /* headers that say so */
};

/*
 * Finds the form of the store in `size` bytes, which begin with its first sector. Of several, the
 * one that most headers have. LK_E_NOT_FOUND: no header holds. LK_E_NEWER: one of a newer layout.
 */
int lk_nor_form_find(const uint8_t *bytes, size_t size, struct lk_nor_form *form);

enum lk_nor_state {
    LK_NOR_BLANK,   /* erased, without a header */
    LK_NOR_SPARE,   /* erased, with a header that keeps its erase count */
    LK_NOR_OLD,     /* of the log once; to be erased before it is used again */
    LK_NOR_LOG,     /* part of the log */
    LK_NOR_ACTIVE,  /* the newest of the log */
    LK_NOR_RETIRED, /* bad, and not to be used again */
    LK_NOR_UNKNOWN  /* no header that holds, and not blank */
};

struct lk_nor_sector {
    uint32_t number;
    enum lk_nor_state state;
    bool header;          /* it has one that holds; else the two below are 0 */
    uint32_t generation;  /* 0: not in the log */
    uint32_t erase_count; /* as its header tells */
    uint32_t live_bytes;  /* of frames that count; 0 for a store that is not open */
    uint32_t dead_bytes;  /* of everything else that was programmed, its header too */
    uint32_t free_bytes;  /* erased */
    uint32_t frames;      /* that hold */
    uint32_t damaged;     /* frames that do not, among others that do */
};

/* Of a handle that lk_nor_init filled; where it is open too, live and dead can be told apart.
 * LK_E_ARGUMENT: no such sector; LK_E_IO. */
int lk_nor_look_sector(struct lk_nor *nor, uint32_t number, struct lk_nor_sector *sector);

/* "blank", "spare", "old", "log", "active", "retired", "unknown". */
const char *lk_nor_state_name(enum lk_nor_state state);

struct lk_nor_record {
    uint32_t at; /* of its frame, from the start of the region */
    uint32_t sector;
    uint32_t size;  /* of its frame, filling included */
    uint32_t tally; /* see lk_storage_ops.tally */
    bool sound;     /* its checksum holds */
    struct lk_span key;
    struct lk_span value; /* empty where it is not sound */
};

/*
 * The record with this number, in the order of the keys, of an open handle. Spans live until the
 * next call. LK_E_NOT_FOUND: past the end. LK_E_CORRUPT: its frame is none.
 */
int lk_nor_look_record(struct lk_nor *nor, uint32_t number, struct lk_nor_record *record);

#endif
