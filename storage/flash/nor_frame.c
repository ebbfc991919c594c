// SPDX-License-Identifier: MIT
/* nor_frame.c: headers of sectors, frames, and the walk over them. */
#include "nor_internal.h"

#define FRAME_POLYNOMIAL UINT32_C(0xEDB88320) /* of the checksum, lk_nor_crc() */

uint32_t lk_nor_header_crc(const uint8_t *bytes, uint32_t sector)
{
    uint8_t place[4];
    nor_set32(place, sector);
    return lk_nor_crc(lk_nor_crc(0, bytes, NOR_HEAD - 4), place, 4);
}

void lk_nor_header_bytes(const struct lk_nor *nor, uint32_t sector, const struct nor_header *header,
                         uint8_t out[NOR_CHUNK])
{
    memset(out, 0xFF, NOR_CHUNK);
    nor_set32(out, 'L' | 'K' << 8 | NOR_LAYOUT << 16 | (uint32_t)nor->unit_log2 << 24);
    nor_set32(out + 4, nor->sector_size >> 10 | nor->sector_count << 16 |
                           (header->scrubbing ? UINT32_C(0x80000000) : 0));
    nor_set32(out + 8, header->generation);
    nor_set32(out + 12, (header->generation - header->tail_generation) |
                            (header->generation - header->before) << 16);
    nor_set32(out + 16, header->erase_count);
    nor_set32(out + 20, header->erase_total);
    nor_set32(out + 24, header->programmed_kib);
    nor_set32(out + 28, header->from);
    nor_set32(out + 32, header->last);
    nor_set32(out + 36, lk_nor_header_crc(out, sector));
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
    uint32_t differ = ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8) ^ ('L' | 'K' << 8);
    if ((differ & (differ - 1)) != 0 || !frame_mend_header(bytes, sector) || bytes[0] != 'L' ||
        bytes[1] != 'K') {
        return 0;
    }
    if (bytes[2] != NOR_LAYOUT) {
        return bytes[2] > NOR_LAYOUT ? LK_E_NEWER : LK_E_CORRUPT;
    }
    uint32_t distances = nor_get32(bytes + 12);
    *header = (struct nor_header){
        .generation = nor_get32(bytes + 8),
        .erase_count = nor_get32(bytes + 16),
        .erase_total = nor_get32(bytes + 20),
        .programmed_kib = nor_get32(bytes + 24),
        .from = nor_get32(bytes + 28),
        .last = nor_get32(bytes + 32),
        .scrubbing = (bytes[7] & 0x80) != 0,
    };
    header->tail_generation = header->generation - (distances & 0xFFFF);
    header->before = header->generation - (distances >> 16);
    if (bytes[3] != nor->unit_log2 ||
        (nor_get32(bytes + 4) & 0x7FFFFFFF) != (nor->sector_size >> 10 | nor->sector_count << 16) ||
        (distances & 0xFFFF) > header->generation || (distances >> 16) > header->generation) {
        return LK_E_CORRUPT;
    }
    return 1;
}

uint32_t lk_nor_generation_of(const struct lk_nor *nor, uint32_t sector)
{
    struct nor_header header;
    return lk_nor_header(nor, sector, &header) == 1 ? header.generation : 0; /* of no log */
}

int lk_nor_retired(const struct lk_nor *nor, uint32_t sector)
{
    uint8_t bytes[4] = {0};
    int rc = lk_nor_read(nor, nor_sector_at(nor, sector) + nor_round(nor, NOR_HEAD), bytes, 4);
    uint32_t off = 0;
    if (rc != LK_OK) {
        return rc;
    }
    for (uint32_t differ = nor_get32(bytes) ^ NOR_RETIRED; differ != 0; differ &= differ - 1) {
        off++;
    }
    return off <= NOR_RETIRED_OFF;
}

uint32_t lk_nor_seed(uint32_t generation, uint32_t at)
{
    uint8_t place[8];
    nor_set32(place, generation);
    nor_set32(place + 4, at);
    return lk_nor_crc(0, place, 8);
}

uint32_t lk_nor_word_make(uint8_t type, uint32_t argument, uint32_t generation, uint32_t at)
{
    uint8_t bytes[4] = {0};
    uint32_t word = (uint32_t)type << 28 | (argument & 0xFFFF) << 12;
    nor_set32(bytes, word);
    return word | (lk_nor_crc(lk_nor_seed(generation, at), bytes, 4) & 0xFFF);
}

uint32_t lk_nor_head_make(uint8_t type, uint32_t argument)
{
    uint8_t bytes[4] = {0};
    uint32_t word = (uint32_t)type << 28 | argument << 7;
    nor_set32(bytes, word);
    return word | (lk_nor_crc(0, bytes, 4) & 0x7F);
}

static bool frame_is_word(uint8_t type)
{
    return type >= NOR_COMMIT && type <= NOR_SCRUB;
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
    uint8_t buffer[4];
    uint32_t sector = nor_sector_of(nor, at);
    uint32_t offset = at - nor_sector_at(nor, sector);
    *frame = (struct nor_frame){.at = at};
    if (sector >= nor->sector_count || offset < nor_begin(nor) ||
        offset > nor->sector_size - NOR_FRAME || offset % nor->step != 0) {
        return LK_E_CORRUPT;
    }
    const uint8_t *bytes = lk_nor_view(nor, at, buffer, 4);
    if (bytes == NULL) {
        return LK_E_IO;
    }
    frame->word = nor_get32(bytes);
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
    frame->sound = nor_get32(buffer) == word;
    nor_set32(buffer, frame->word);
    uint32_t crc = lk_nor_crc(lk_nor_seed(generation, frame->at), buffer, 4);
    if (wide) {
        crc = lk_nor_crc(crc, buffer + NOR_FRAME, 8);
        frame->body[0] = nor_get32(buffer + NOR_FRAME);
        frame->body[1] = nor_get32(buffer + NOR_FRAME + 4);
    } else {
        uint32_t size = nor_value_at(frame) + frame->value_size - frame->at - NOR_FRAME;
        rc = lk_nor_crc_flash(nor, frame->at + NOR_FRAME, size, &crc);
    }
    frame->sound = frame->sound && rc == LK_OK && nor_get32(buffer + 4) == crc;
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
    uint8_t buffer[4];
    *frame = (struct nor_frame){.at = nor_sector_at(nor, walk->sector) + offset};
    if (offset + nor->step > walk->end) {
        return 0;
    }
    const uint8_t *bytes = lk_nor_view(nor, frame->at, buffer, 4);
    if (bytes == NULL) {
        return LK_E_IO;
    }
    frame->word = nor_get32(bytes);
    uint8_t type = (uint8_t)(frame->word >> 28);
    if (frame_is_word(type)) {
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
    if (rc == 1 && frame_is_word(frame.type)) {
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
    *walk = (struct nor_walk){.sector = sector,
                              .generation = generation,
                              .offset = nor_begin(nor),
                              .end = nor->sector_size};
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
