// SPDX-License-Identifier: MIT
/* nor_frame.c: headers of sectors, frames, and the walk over them. */
#include "nor_internal.h"

#define FRAME_POLYNOMIAL UINT32_C(0xEDB88320) /* of the checksum, lk_nor_crc() */
#define FRAME_SCRUBBING  UINT32_C(0x80000000) /* in the second word of a header */

uint32_t lk_nor_header_crc(const uint8_t *bytes, uint32_t sector)
{
    return lk_nor_crc_word(lk_nor_crc(0, bytes, NOR_HEAD - 4), sector);
}

/* The first two words of every header, but for whether a scrub had begun. */
static uint32_t frame_magic(const struct lk_nor *nor)
{
    return 'L' | 'K' << 8 | NOR_LAYOUT << 16 | (uint32_t)nor->unit_log2 << 24;
}

static uint32_t frame_form(const struct lk_nor *nor)
{
    return nor->sector_size >> 10 | nor->sector_count << 16;
}

void lk_nor_header_bytes(const struct lk_nor *nor, uint32_t sector, const struct nor_header *header,
                         uint8_t out[NOR_CHUNK])
{
    const uint32_t words[NOR_HEAD / 4 - 1] = {
        frame_magic(nor),
        frame_form(nor) | (header->scrubbing ? FRAME_SCRUBBING : 0),
        header->generation,
        (header->generation - header->tail_generation) | (header->generation - header->before)
                                                             << 16,
        header->erase_count,
        header->erase_total,
        header->programmed_kib,
        header->from,
        header->last,
    };
    memset(out, 0xFF, NOR_CHUNK);
    for (uint32_t i = 0; i < NOR_HEAD / 4 - 1; i++) {
        nor_set32(out + 4 * i, words[i]);
    }
    nor_set32(out + NOR_HEAD - 4, lk_nor_header_crc(out, sector));
}

/*
 * Puts the one bit right that is wrong, if that is all: a sector hangs on it. Which one it is, the
 * checksums' difference tells: that of the last bit is the polynomial, and each bit before it is
 * one shift further.
 */
static bool frame_mend_header(uint8_t bytes[NOR_HEAD], uint32_t sector)
{
    uint32_t differ = nor_get32(bytes + 36) ^ lk_nor_header_crc(bytes, sector);
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

int lk_nor_header(const struct lk_nor *nor, uint32_t sector, struct nor_header *header)
{
    uint8_t bytes[NOR_HEAD];
    if (lk_nor_read(nor, nor_sector_at(nor, sector), bytes, NOR_HEAD) != LK_OK) {
        return LK_E_IO;
    }
    uint32_t differ = (nor_get32(bytes) ^ frame_magic(nor)) & 0xFFFF;
    if ((differ & (differ - 1)) != 0 || !frame_mend_header(bytes, sector) || bytes[0] != 'L' ||
        bytes[1] != 'K') {
        return 0;
    }
    uint32_t words[NOR_HEAD / 4];
    for (uint32_t i = 0; i < NOR_HEAD / 4; i++) {
        words[i] = nor_get32(bytes + 4 * i);
    }
    uint32_t generation = words[2];
    uint32_t distance = words[3] & 0xFFFF;
    uint32_t before = words[3] >> 16;
    *header = (struct nor_header){
        .generation = generation,
        .tail_generation = generation - distance,
        .before = generation - before,
        .erase_count = words[4],
        .erase_total = words[5],
        .programmed_kib = words[6],
        .from = words[7],
        .last = words[8],
        .scrubbing = (words[1] & FRAME_SCRUBBING) != 0,
    };
    if (bytes[2] > NOR_LAYOUT) {
        return LK_E_NEWER;
    }
    return words[0] == frame_magic(nor) && (words[1] & ~FRAME_SCRUBBING) == frame_form(nor) &&
                   distance <= generation && before <= generation
               ? 1
               : LK_E_CORRUPT;
}

uint32_t lk_nor_generation_of(const struct lk_nor *nor, uint32_t sector)
{
    struct nor_header header;
    return lk_nor_header(nor, sector, &header) == 1 ? header.generation : 0; /* of no log */
}

int lk_nor_retired(const struct lk_nor *nor, uint32_t sector)
{
    uint32_t word;
    uint32_t off = 0;
    int rc = lk_nor_word(nor, nor_mark_at(nor, sector), &word);
    if (rc != LK_OK) {
        return rc;
    }
    for (uint32_t differ = word ^ NOR_RETIRED; differ != 0; differ &= differ - 1) {
        off++;
    }
    return off <= NOR_RETIRED_OFF;
}

uint32_t lk_nor_seed(uint32_t generation, uint32_t at)
{
    return lk_nor_crc_word(lk_nor_crc_word(0, generation), at);
}

uint32_t lk_nor_word_make(uint8_t type, uint32_t argument, uint32_t generation, uint32_t at)
{
    uint32_t word = (uint32_t)type << 28 | (argument & 0xFFFF) << 12;
    return word | (lk_nor_crc_word(lk_nor_seed(generation, at), word) & 0xFFF);
}

uint32_t lk_nor_head_make(uint8_t type, uint32_t argument)
{
    uint32_t word = (uint32_t)type << 28 | argument << 7;
    return word | (lk_nor_crc_word(0, word) & 0x7F);
}

/* Takes a head apart. False: it does not hold, or is of no frame that fits into `room`. */
static bool frame_decode(const struct lk_nor *nor, struct nor_frame *frame, uint32_t room)
{
    uint8_t type = (uint8_t)(frame->word >> 28);
    uint32_t argument = frame->word >> 7 & 0x1FFFFF;
    if (type == 0 || type > NOR_TALLY_WIDE || frame->word != lk_nor_head_make(type, argument)) {
        return false;
    }
    frame->type = type;
    frame->argument = argument;
    uint32_t size = NOR_FRAME + 8;
    if (type != NOR_TALLY_WIDE) {
        frame->key_size = (uint8_t)((argument >> 14) + 1);
        frame->value_size = (uint16_t)(argument & NOR_VALUE_MAX);
        size = NOR_FRAME + (type == NOR_COUNTED ? 4u : 0u) + frame->key_size + frame->value_size;
        if (frame->value_size > (nor_is_remove(type) ? 0 : nor->storage.value_max)) {
            return false;
        }
    }
    size = nor_round(nor, size);
    if (size > room) {
        return false;
    }
    frame->size = size;
    return true;
}

int lk_nor_frame_at(const struct lk_nor *nor, uint32_t at, struct nor_frame *frame)
{
    uint32_t sector = nor_sector_of(nor, at);
    uint32_t offset = at - nor_sector_at(nor, sector);
    *frame = (struct nor_frame){.at = at};
    if (sector >= nor->sector_count || offset < nor->begin ||
        offset > nor->sector_size - NOR_FRAME || offset % nor->step != 0) {
        return LK_E_CORRUPT;
    }
    if (lk_nor_word(nor, at, &frame->word) != LK_OK) {
        return LK_E_IO;
    }
    return frame_decode(nor, frame, nor->sector_size - offset) ? LK_OK : LK_E_CORRUPT;
}

/* Whether the checksum holds with `word` for a head, into frame->sound. */
static int frame_sum_with(const struct lk_nor *nor, uint32_t generation, uint32_t word,
                          struct nor_frame *frame)
{
    uint8_t buffer[NOR_FRAME + 8];
    bool wide = frame->type == NOR_TALLY_WIDE;
    int rc = lk_nor_read(nor, frame->at, buffer, wide ? NOR_FRAME + 8 : NOR_FRAME);
    if (rc != LK_OK) {
        return rc;
    }
    uint32_t crc = lk_nor_crc_word(lk_nor_seed(generation, frame->at), frame->word);
    if (wide) {
        crc = lk_nor_crc(crc, buffer + NOR_FRAME, 8);
        frame->body[0] = nor_get32(buffer + NOR_FRAME);
        frame->body[1] = nor_get32(buffer + NOR_FRAME + 4);
    } else {
        uint32_t size = nor_value_at(frame) + frame->value_size - frame->at - NOR_FRAME;
        rc = lk_nor_crc_flash(nor, frame->at + NOR_FRAME, size, &crc);
    }
    frame->sound = rc == LK_OK && nor_get32(buffer) == word && nor_get32(buffer + 4) == crc;
    return rc;
}

int lk_nor_frame_sum(const struct lk_nor *nor, struct nor_frame *frame)
{
    uint32_t generation = lk_nor_generation_of(nor, nor_sector_of(nor, frame->at));
    return frame_sum_with(nor, generation, frame->word, frame);
}

int lk_nor_frame_parse(const struct lk_nor *nor, const struct nor_walk *walk, uint32_t offset,
                       struct nor_frame *frame)
{
    *frame = (struct nor_frame){.at = nor_sector_at(nor, walk->sector) + offset};
    if (offset + nor->step > walk->end) {
        return 0;
    }
    if (lk_nor_word(nor, frame->at, &frame->word) != LK_OK) {
        return LK_E_IO;
    }
    uint8_t type = (uint8_t)(frame->word >> 28);
    if (nor_is_word(type)) {
        frame->type = type;
        frame->argument = frame->word >> 12 & 0xFFFF;
        frame->sound =
            frame->word == lk_nor_word_make(type, frame->argument, walk->generation, frame->at);
        frame->size = frame->sound ? nor->step : 0;
        return frame->sound ? 1 : 0;
    }
    if (!frame_decode(nor, frame, walk->end - offset)) {
        return 0;
    }
    int rc = frame_sum_with(nor, walk->generation, frame->word, frame);
    return rc == LK_OK ? (frame->sound ? 1 : 0) : rc;
}

/* Whether something is there that is no chance: a record, or two words in a row. */
static int frame_is_sure(const struct lk_nor *nor, const struct nor_walk *walk, uint32_t offset)
{
    struct nor_frame frame;
    int rc = lk_nor_frame_parse(nor, walk, offset, &frame);
    if (rc == 1 && nor_is_word(frame.type)) {
        rc = lk_nor_frame_parse(nor, walk, offset + frame.size, &frame);
    }
    return rc;
}

static int frame_ends(const struct lk_nor *nor, const struct nor_walk *walk, uint32_t behind)
{
    struct nor_frame other;
    return behind == walk->end ? walk->sealed : lk_nor_frame_parse(nor, walk, behind, &other);
}

/* The size of a frame whose head has one bit wrong; 0 where that is not what is wrong. */
static int frame_mend(const struct lk_nor *nor, const struct nor_walk *walk,
                      const struct nor_frame *frame, uint32_t *size)
{
    int rc = 0;
    *size = 0;
    for (unsigned bit = 0; bit < 32 && rc == 0; bit++) {
        struct nor_frame other = {.at = frame->at, .word = frame->word ^ UINT32_C(1) << bit};
        if (!frame_decode(nor, &other, walk->end - walk->offset)) {
            continue;
        }
        rc = frame_sum_with(nor, walk->generation, frame->word, &other);
        if (rc == LK_OK && other.sound) {
            rc = frame_ends(nor, walk, walk->offset + other.size);
        }
        *size = rc == 1 ? other.size : 0;
    }
    return rc;
}

/*
 * What does not hold was torn, and then one program call at most has left something there; or it
 * was damaged later, and then there is more behind. 1: reading can go on behind it.
 */
static int frame_pass(const struct lk_nor *nor, struct nor_walk *walk, struct nor_frame *frame)
{
    uint32_t start = nor_sector_at(nor, walk->sector);
    uint32_t from = walk->offset + (frame->size > NOR_CHUNK ? frame->size : NOR_CHUNK);
    uint32_t last = 0;
    uint32_t size = 0;
    if (walk->offset + nor->step > walk->end || frame->word == NOR_NONE) {
        return 0;
    }
    int rc = frame_mend(nor, walk, frame, &size);
    if (rc == 0 && frame->size == 0) {
        size = nor->step;
        rc = frame_is_sure(nor, walk, walk->offset + size);
    }
    if (rc == 0 && from < walk->end) {
        rc = lk_nor_last_not(nor, start + from, start + walk->end, 0xFF, &last);
        bool more = rc == LK_OK && last != start + from;
        walk->broken = walk->broken || more;
        for (uint32_t at = from; rc == 0 && more && start + at < last; at += nor->step) {
            rc = frame_is_sure(nor, walk, at);
            size = at - walk->offset;
        }
    }
    *frame = (struct nor_frame){.at = frame->at, .word = frame->word, .size = rc == 1 ? size : 0};
    return rc;
}

int lk_nor_walk_next(const struct lk_nor *nor, struct nor_walk *walk, struct nor_frame *frame)
{
    int rc = lk_nor_frame_parse(nor, walk, walk->offset, frame);
    if (rc == 0 && frame->size != 0) {
        /* Its head holds, and so does what follows: it was whole once. */
        rc = frame_ends(nor, walk, walk->offset + frame->size);
    }
    rc = rc == 0 ? frame_pass(nor, walk, frame) : rc;
    walk->offset += rc == 1 ? frame->size : 0;
    return rc;
}

int lk_nor_sector_next(struct lk_nor *nor, uint32_t sector, uint32_t generation, uint32_t *next,
                       struct nor_header *header)
{
    bool found = false;
    for (uint32_t s = sector; s != nor->active;) {
        struct nor_header other;
        s = nor_after(nor, s);
        int rc = lk_nor_header(nor, s, &other);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0 || other.generation <= generation || other.generation > nor->generation) {
            continue;
        }
        /* Of two that follow the same one, the earlier was given up before anything was in it. */
        if (found && other.before != generation) {
            break;
        }
        found = true;
        *next = s;
        *header = other;
    }
    if (found && header->before != generation) {
        nor->damaged = true;
    }
    return found ? 1 : 0;
}

uint32_t lk_nor_walk_end(const struct lk_nor *nor, const struct nor_header *next)
{
    return next->from < nor->sector_size ? next->from : nor->sector_size;
}

void lk_nor_walk_of(const struct lk_nor *nor, uint32_t sector, uint32_t generation,
                    struct nor_walk *walk)
{
    *walk = (struct nor_walk){
        .sector = sector, .generation = generation, .offset = nor->begin, .end = nor->sector_size};
}

int lk_nor_walk_log(struct lk_nor *nor, uint32_t sector, uint32_t generation, struct nor_walk *walk)
{
    lk_nor_walk_of(nor, sector, generation, walk);
    int rc = lk_nor_sector_next(nor, sector, generation, &walk->next, &walk->header);
    if (rc == 1) {
        walk->end = lk_nor_walk_end(nor, &walk->header);
        walk->sealed = true;
    }
    return rc;
}
