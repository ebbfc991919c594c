// SPDX-License-Identifier: MIT
/* nor_frame.c: headers of sectors, frames, and the walk over them. */
#include "nor_internal.h"

#define FRAME_POLYNOMIAL UINT32_C(0xEDB88320) /* of the checksum, lk_nor_crc() */

uint32_t lk_nor_header_crc(const uint8_t *bytes, uint32_t sector)
{
    return lk_nor_crc_word(lk_nor_crc(0, bytes, NOR_HEAD - 4), sector);
}

/*
 * Puts the one bit right that is wrong, if that is all: a sector hangs on it. Which one it is, the
 * checksums' difference tells: that of the last bit is the polynomial, and each bit before it is
 * one shift further.
 */
static bool frame_mend_header(uint8_t bytes[NOR_HEAD], uint32_t sector)
{
    uint32_t differ = nor_get32(&bytes[NOR_HEAD - 4]) ^ lk_nor_header_crc(bytes, sector);
    uint32_t shifted = FRAME_POLYNOMIAL;
    if ((differ & (differ - 1)) == 0) {
        return true; /* it is in the checksum, or nowhere */
    }
    /* The sector's number comes behind the header, and is not read. */
    for (uint32_t bit = NOR_HEAD * 8; bit > 0; bit--) {
        if (shifted == differ && bit <= (NOR_HEAD - 4) * 8) {
            bytes[(bit - 1) / 8] ^= (uint8_t)(1u << (bit - 1) % 8);
            return true;
        }
        shifted = shifted >> 1 ^ ((shifted & 1) != 0 ? FRAME_POLYNOMIAL : 0);
    }
    return false;
}

int lk_nor_header(struct lk_nor *nor, uint32_t sector, struct nor_header *header)
{
    uint8_t bytes[NOR_HEAD];
    lk_nor_read(nor, nor_sector_at(nor, sector), bytes, NOR_HEAD);
    /* One of these may be what a wrong bit is in. */
    if ((bytes[0] != 'L' && bytes[1] != 'K') || !frame_mend_header(bytes, sector)) {
        return 0;
    }
    for (uint32_t i = 0; i < NOR_HEAD / 4; i++) {
        header->words[i] = nor_get32(bytes + 4 * i);
    }
    uint32_t magic = header->words[NOR_MAGIC];
    uint32_t generation = header->words[NOR_GENERATION];
    uint32_t distance = header->words[NOR_DISTANCES] & 0xFFFF;
    uint32_t before = header->words[NOR_DISTANCES] >> 16;
    header->generation = generation;
    header->tail = generation - distance;
    header->before = generation - before;
    if (magic << 16 != nor->magic << 16) {
        return 0;
    }
    if ((magic >> 16 & 0xFF) > NOR_LAYOUT) {
        return LK_E_NEWER;
    }
    return magic == nor->magic && (header->words[NOR_FORM] & ~NOR_SCRUBBING) == nor->form &&
                   distance <= generation && before <= generation
               ? 1
               : LK_E_CORRUPT;
}

bool lk_nor_retired(struct lk_nor *nor, uint32_t sector)
{
    uint32_t off = 0;
    uint32_t differ = lk_nor_word(nor, nor_mark_at(nor, sector)) ^ NOR_RETIRED;
    for (; differ != 0; differ &= differ - 1) {
        off++;
    }
    return off <= NOR_RETIRED_OFF;
}

uint32_t lk_nor_seed(uint32_t generation, uint32_t at)
{
    return lk_nor_crc_word(lk_nor_crc_word(0, generation), at);
}

uint32_t lk_nor_word_make(uint32_t type, uint32_t argument, uint32_t generation, uint32_t at)
{
    uint32_t word = type << 28 | (argument & 0xFFFF) << 12;
    return word | (lk_nor_crc_word(lk_nor_seed(generation, at), word) & 0xFFF);
}

uint32_t lk_nor_head_make(uint32_t type, uint32_t argument)
{
    uint32_t word = type << 28 | argument << 7;
    return word | (lk_nor_crc_word(0, word) & 0x7F);
}

/* Takes a head apart. False: it does not hold, or is of no frame that fits into `room`. Whether a
 * word holds is for its checksum to tell. */
static bool frame_decode(const struct lk_nor *nor, struct nor_frame *frame, uint32_t room)
{
    uint32_t type = frame->word >> 28;
    uint32_t argument = frame->word >> 7 & 0x1FFFFF;
    uint32_t size = nor->step;
    frame->type = (uint8_t)type;
    frame->argument = frame->word >> 12 & 0xFFFF;
    if (!nor_is_word(frame->type)) {
        size = NOR_FRAME + 8;
        if (type == 0 || type > NOR_TALLY_WIDE || frame->word != lk_nor_head_make(type, argument)) {
            return false;
        }
        if (type != NOR_TALLY_WIDE) {
            frame->key_size = (uint8_t)((argument >> 14) + 1);
            frame->value_size = (uint16_t)(argument & NOR_VALUE_MAX);
            size = nor_value_at(frame) - frame->at + frame->value_size;
            if (frame->value_size > (nor_is_remove(frame->type) ? 0 : nor->storage.value_max)) {
                return false;
            }
        }
    }
    size = nor_round(nor, size);
    frame->size = size > room ? 0 : size;
    return size <= room;
}

bool lk_nor_frame_at(struct lk_nor *nor, uint32_t at, struct nor_frame *frame)
{
    uint32_t sector = nor_sector_of(nor, at);
    uint32_t offset = at - nor_sector_at(nor, sector);
    *frame = (struct nor_frame){.at = at};
    if (sector >= nor->sector_count || offset < nor->begin || offset % nor->step != 0) {
        return false;
    }
    frame->word = lk_nor_word(nor, at);
    return frame_decode(nor, frame, nor->sector_size - offset);
}

/* Whether the checksum holds with `head` in the flash, into frame->sound. */
static bool frame_sum(struct lk_nor *nor, uint32_t generation, uint32_t head,
                      struct nor_frame *frame)
{
    uint32_t at = frame->at;
    if (nor_is_word(frame->type)) {
        frame->sound = head == lk_nor_word_make(frame->type, frame->argument, generation, at);
        return frame->sound;
    }
    uint32_t body = at + NOR_FRAME;
    uint32_t crc = lk_nor_crc_word(lk_nor_seed(generation, at), frame->word);
    frame->sound = lk_nor_word(nor, at) == head;
    if (frame->type == NOR_TALLY_WIDE) {
        for (uint32_t i = 0; i < 2; i++) {
            frame->body[i] = lk_nor_word(nor, body + 4 * i);
            crc = lk_nor_crc_word(crc, frame->body[i]);
        }
    } else {
        crc = lk_nor_crc_flash(nor, crc, body, nor_value_at(frame) + frame->value_size - body);
    }
    frame->sound = frame->sound && lk_nor_word(nor, at + 4) == crc;
    return frame->sound;
}

bool lk_nor_frame_sum(struct lk_nor *nor, struct nor_frame *frame)
{
    struct nor_header header;
    uint32_t sector = nor_sector_of(nor, frame->at);
    bool held = lk_nor_header(nor, sector, &header) == 1;
    return frame_sum(nor, held ? header.generation : 0, frame->word, frame);
}

bool lk_nor_frame_parse(struct lk_nor *nor, const struct nor_walk *walk, uint32_t offset,
                        struct nor_frame *frame)
{
    bool fits = offset + nor->step <= walk->end &&
                lk_nor_frame_at(nor, walk->start + offset, frame) &&
                frame->size <= walk->end - offset;
    if (!fits ||
        (!frame_sum(nor, walk->generation, frame->word, frame) && nor_is_word(frame->type))) {
        frame->size = 0;
        frame->sound = false;
    }
    return frame->sound;
}

/* Whether something is there that is no chance: a record, or two words in a row. */
static bool frame_is_sure(struct lk_nor *nor, const struct nor_walk *walk, uint32_t offset)
{
    struct nor_frame frame;
    return lk_nor_frame_parse(nor, walk, offset, &frame) &&
           (!nor_is_word(frame.type) || lk_nor_frame_parse(nor, walk, offset + frame.size, &frame));
}

static bool frame_ends(struct lk_nor *nor, const struct nor_walk *walk, uint32_t behind)
{
    struct nor_frame other;
    return behind == walk->end ? walk->sealed : lk_nor_frame_parse(nor, walk, behind, &other);
}

/* The size of a frame whose head has one bit wrong; 0 where that is not what is wrong. */
static uint32_t frame_mend(struct lk_nor *nor, const struct nor_walk *walk,
                           const struct nor_frame *frame)
{
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        struct nor_frame other = {.at = frame->at, .word = frame->word ^ bit};
        if (frame_decode(nor, &other, walk->end - walk->offset) && !nor_is_word(other.type) &&
            frame_sum(nor, walk->generation, frame->word, &other) &&
            frame_ends(nor, walk, walk->offset + other.size)) {
            return other.size;
        }
    }
    return 0;
}

/*
 * What does not hold was torn, and then one program call at most has left something there; or it
 * was damaged later, and then there is more behind. The bytes until reading can go on; 0: it
 * cannot.
 */
static uint32_t frame_pass(struct lk_nor *nor, struct nor_walk *walk, const struct nor_frame *frame)
{
    uint32_t from = walk->offset + (frame->size > NOR_CHUNK ? frame->size : NOR_CHUNK);
    uint32_t size = frame_mend(nor, walk, frame);
    if (size == 0 && frame->size == 0 && frame_is_sure(nor, walk, walk->offset + nor->step)) {
        size = nor->step;
    }
    if (size != 0 || from >= walk->end) {
        return size;
    }
    uint32_t last = lk_nor_last_not(nor, walk->start + from, walk->start + walk->end, 0xFF);
    for (uint32_t at = from; walk->start + at < last; at += nor->step) {
        walk->broken = true;
        if (frame_is_sure(nor, walk, at)) {
            return at - walk->offset;
        }
    }
    return 0;
}

bool lk_nor_walk_next(struct lk_nor *nor, struct nor_walk *walk, struct nor_frame *frame)
{
    if (walk->offset + nor->step > walk->end) {
        return false;
    }
    /* One whose head holds, and what follows it, was whole once. */
    if (!lk_nor_frame_parse(nor, walk, walk->offset, frame) &&
        (frame->size == 0 || !frame_ends(nor, walk, walk->offset + frame->size))) {
        uint32_t size = frame->word != NOR_NONE ? frame_pass(nor, walk, frame) : 0;
        *frame = (struct nor_frame){.at = frame->at, .word = frame->word, .size = size};
    }
    walk->offset += frame->size;
    return frame->size != 0;
}

void lk_nor_walk_of(const struct lk_nor *nor, uint32_t sector, uint32_t generation,
                    struct nor_walk *walk)
{
    *walk = (struct nor_walk){.start = nor_sector_at(nor, sector),
                              .generation = generation,
                              .offset = nor->begin,
                              .end = nor->sector_size};
}

void lk_nor_walk_seal(const struct lk_nor *nor, struct nor_walk *walk,
                      const struct nor_header *next)
{
    uint32_t from = next->words[NOR_FROM];
    walk->end = from < nor->sector_size ? from : nor->sector_size;
    walk->sealed = true;
}

void lk_nor_walk_log(struct lk_nor *nor, uint32_t sector, uint32_t generation,
                     struct nor_walk *walk)
{
    lk_nor_walk_of(nor, sector, generation, walk);
    while (sector != nor->active) {
        struct nor_header other;
        sector = nor_after(nor, sector);
        if (lk_nor_header(nor, sector, &other) != 1 || other.generation <= generation ||
            other.generation > nor->generation) {
            continue;
        }
        /* Of two that follow the same one, the earlier was given up before anything was in it. */
        if (walk->sealed && other.before != generation) {
            break;
        }
        walk->next = sector;
        walk->header = other;
        lk_nor_walk_seal(nor, walk, &other);
    }
    if (walk->sealed && walk->header.before != generation && nor->trouble == LK_OK) {
        nor->damaged = true;
    }
}
