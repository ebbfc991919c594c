// SPDX-License-Identifier: MIT
/*
 * nor_log.c: appending to the log.
 *
 * Every program and every erase is synced before the next, so that a cut can leave only the last of
 * them in doubt. What was torn may read as blank, so nothing is ever added to a sector of an
 * earlier session: a session begins with a sector that it erased, whose header tells where the one
 * before ends, and what its last word is held to be.
 */
#include "nor_internal.h"

/* Bytes on their way into the flash or, first, into a checksum: one program call at a time. */
struct log_out {
    struct lk_nor *nor;
    bool sum;
    uint32_t crc;
    uint32_t at;   /* where they go */
    uint32_t from; /* where they come from, when they are copied */
    uint32_t fill;
    uint8_t bytes[NOR_CHUNK];
};

static int log_flush(struct log_out *out)
{
    uint32_t fill = out->fill;
    uint32_t size = nor_round(out->nor, fill);
    out->fill = 0;
    if (out->sum) {
        out->crc = lk_nor_crc(out->crc, out->bytes, fill);
        return LK_OK;
    }
    if (size == 0) {
        return LK_OK;
    }
    memset(out->bytes + fill, 0xFF, size - fill);
    out->at += size;
    return lk_nor_program(out->nor, out->at - size, out->bytes, size);
}

/* `data`, or where that is NULL, what is next to be copied. */
static int log_add(struct log_out *out, const uint8_t *data, size_t size)
{
    int rc = LK_OK;
    while (size > 0 && rc == LK_OK) {
        size_t piece = NOR_CHUNK - out->fill < size ? NOR_CHUNK - out->fill : size;
        if (data != NULL) {
            memcpy(out->bytes + out->fill, data, piece);
            data += piece;
        } else {
            lk_nor_read(out->nor, out->from, out->bytes + out->fill, piece);
            out->from += (uint32_t)piece;
        }
        out->fill += (uint32_t)piece;
        size -= piece;
        if (rc == LK_OK && out->fill == NOR_CHUNK) {
            rc = log_flush(out);
        }
    }
    return rc;
}

/* Of the body that is neither key nor value. */
static uint32_t log_body(uint8_t type)
{
    return type == NOR_COUNTED ? 4 : (type == NOR_TALLY_WIDE ? 8 : 0);
}

uint32_t lk_nor_size(const struct lk_nor *nor, const struct nor_new *frame)
{
    size_t size = NOR_FRAME + log_body(frame->type) + frame->key.size + frame->value.size;
    return nor_is_word(frame->type) ? nor->step : nor_round(nor, (uint32_t)size);
}

/* The frame from its start or, for the checksum, without the bytes of that. */
static int log_parts(struct log_out *out, const struct nor_new *frame, const uint8_t *head,
                     uint32_t head_size)
{
    out->from = frame->from;
    int rc = log_add(out, head, head_size);
    rc = rc == LK_OK ? log_add(out, head + NOR_FRAME, log_body(frame->type)) : rc;
    rc = rc == LK_OK ? log_add(out, frame->key.data, frame->key.size) : rc;
    rc = rc == LK_OK ? log_add(out, frame->value.data, frame->value.size) : rc;
    return rc == LK_OK ? log_flush(out) : rc;
}

static int log_write(struct lk_nor *nor, const struct nor_new *frame)
{
    struct log_out out = {.nor = nor, .at = frame->at};
    uint8_t head[NOR_FRAME + 8];
    if (nor_is_word(frame->type)) {
        nor_set32(head, lk_nor_word_make(frame->type, frame->body[0], nor->generation, frame->at));
        return log_parts(&out, frame, head, 4);
    }
    uint32_t argument = 0;
    if (frame->key.size > 0) {
        argument = ((uint32_t)frame->key.size - 1) << 14 | (uint32_t)frame->value.size;
    }
    nor_set32(head, lk_nor_head_make(frame->type, argument));
    nor_set32(head + NOR_FRAME, frame->body[0]);
    nor_set32(head + NOR_FRAME + 4, frame->body[1]);
    out.sum = true;
    out.crc = lk_nor_seed(nor->generation, frame->at);
    int rc = log_parts(&out, frame, head, 4);
    nor_set32(head + 4, frame->unsound ? ~out.crc : out.crc);
    out.sum = false;
    return rc == LK_OK ? log_parts(&out, frame, head, NOR_FRAME) : rc;
}

void lk_nor_retire(struct lk_nor *nor, uint32_t sector)
{
    uint32_t at = nor_mark_at(nor, sector);
    uint8_t bytes[16];
    memset(bytes, 0xFF, sizeof bytes);
    nor_set32(bytes, NOR_RETIRED);
    nor->retired_count++;
    /* Where it takes no mark it will be found out again. */
    if (lk_nor_blank(nor, at, at + nor->step)) {
        (void)lk_nor_program(nor, at, bytes, nor->step);
    }
}

int lk_nor_start(struct lk_nor *nor, uint32_t sector, bool spare)
{
    struct nor_header header;
    bool counted = lk_nor_header(nor, sector, &header) == 1;
    int rc = lk_nor_erase(nor, sector);
    if (rc != LK_OK) {
        return rc;
    }
    /* Ring order keeps all counts together, so where one was lost the mean stands for it. */
    uint32_t count =
        counted ? header.words[NOR_ERASES] : (nor->erase_total - 1) / nor->sector_count;
    uint32_t generation = 0;
    uint32_t tail = nor->tail_generation;
    uint32_t before = nor->generation;
    if (!spare) {
        /* One that was given up in this very sector is gone now, and its generation is free again;
         * but where this fails it may yet be read. */
        bool again = counted && header.generation == nor->newest && nor->newest != nor->generation;
        nor->newest += again ? 0 : 1;
        generation = nor->newest;
    }
    if (spare || before == 0) {
        tail = generation; /* the first of all, or of none */
        before = spare ? 0 : before;
    }
    const uint32_t words[NOR_HEAD_CRC] = {
        nor->magic,
        nor->form | (nor->scrubbing ? NOR_SCRUBBING : 0),
        generation,
        (generation - tail) | (generation - before) << 16,
        count + 1,
        nor->erase_total,
        (uint32_t)(nor->programmed >> 10),
        nor->from,
        nor->last,
    };
    uint8_t bytes[NOR_CHUNK];
    memset(bytes, 0xFF, sizeof bytes);
    for (uint32_t i = 0; i < NOR_HEAD_CRC; i++) {
        nor_set32(bytes + 4 * i, words[i]);
    }
    nor_set32(bytes + NOR_HEAD - 4, lk_nor_header_crc(bytes, sector));
    return lk_nor_program(nor, nor_sector_at(nor, sector), bytes, nor_round(nor, NOR_HEAD));
}

uint32_t lk_nor_counts(struct lk_nor *nor, uint32_t sector)
{
    struct nor_header header;
    if (lk_nor_retired(nor, sector)) {
        return NOR_BAD;
    }
    if (lk_nor_header(nor, sector, &header) != 1) {
        return nor->newest < nor->sector_count;
    }
    return header.generation == 0 || nor->newest - header.generation <= nor->sector_count;
}

int lk_nor_open_sector(struct lk_nor *nor, uint32_t spare)
{
    int failed = LK_E_FULL;
    uint32_t sector = nor->active;
    for (uint32_t i = 0; i < nor->sector_count; i++) {
        sector = nor_after(nor, sector);
        if (sector == nor->tail && nor->generation != 0) {
            break;
        }
        uint32_t counts = lk_nor_counts(nor, sector);
        if (counts == NOR_BAD) {
            continue;
        }
        if (counts == 1 && nor->free_count <= spare) {
            break;
        }
        int rc = lk_nor_start(nor, sector, false);
        if (rc == LK_E_IO) {
            return rc;
        }
        nor->free_count -= nor->free_count > 0 ? counts : 0;
        if (rc == LK_OK) {
            if (nor->generation == 0) {
                nor->tail = sector;
                nor->tail_generation = nor->newest;
            }
            nor->generation = nor->newest;
            nor->active = sector;
            nor->offset = nor->begin;
            nor->from = nor->offset;
            nor->last = NOR_NONE;
            nor->fresh = true;
            return LK_OK;
        }
        lk_nor_retire(nor, sector);
        failed = LK_E_IO;
    }
    if (failed == LK_E_IO && nor->free_count == 0) {
        nor->broken = true;
    }
    return failed;
}

/* One try, where the log ends. */
static int log_try(struct lk_nor *nor, struct nor_new *frame)
{
    frame->at = nor_sector_at(nor, nor->active) + nor->offset;
    int rc = log_write(nor, frame);
    if (rc != LK_OK) {
        /* Whatever is there now lies behind what the next header will tell. */
        nor->offset = nor->sector_size;
        if (rc == LK_E_CORRUPT) {
            lk_nor_retire(nor, nor->active);
        }
        return rc;
    }
    nor->offset += lk_nor_size(nor, frame);
    nor->from = nor->offset;
    return LK_OK;
}

int lk_nor_append(struct lk_nor *nor, struct nor_new *frame, uint32_t spare)
{
    struct nor_new go = {.type = NOR_SURE, .body = {1}};
    uint32_t size = lk_nor_size(nor, frame);
    bool upkeep = frame->type == NOR_TAIL || frame->type == NOR_SURE || frame->type == NOR_SCRUB;
    uint32_t limit = upkeep ? nor->sector_size : nor->limit;
    for (uint32_t i = 0; i <= nor->sector_count && nor->trouble == LK_OK; i++) {
        int rc = LK_OK;
        uint32_t need = size + (nor->going ? 0u : nor->step);
        if (!nor->fresh || nor->offset > limit || need > limit - nor->offset) {
            rc = lk_nor_open_sector(nor, spare);
        }
        if (rc != LK_OK) {
            return rc;
        }
        if (!nor->going && frame->type != NOR_SURE) {
            rc = log_try(nor, &go);
            nor->going = rc == LK_OK;
        }
        rc = rc == LK_OK ? log_try(nor, frame) : rc;
        if (rc != LK_E_CORRUPT) {
            return rc;
        }
    }
    return LK_E_IO;
}

int lk_nor_append_word(struct lk_nor *nor, uint8_t type, uint32_t argument, uint32_t spare)
{
    struct nor_new frame = {.type = type, .body = {argument}};
    return lk_nor_append(nor, &frame, spare);
}

int lk_nor_append_tally(struct lk_nor *nor, uint32_t at, uint32_t count, uint32_t spare)
{
    struct nor_new tally = {.type = NOR_TALLY_WIDE, .body = {at, count}};
    return lk_nor_append(nor, &tally, spare);
}

int lk_nor_copy(struct lk_nor *nor, uint32_t index)
{
    struct nor_frame old;
    lk_nor_entry(nor, false, index, &old);
    uint32_t count = lk_nor_tally_total(nor, &old);
    bool sound = lk_nor_frame_sum(nor, &old);
    struct nor_new frame = {.type = count > 0 ? NOR_COUNTED : NOR_COPY,
                            .body = {count},
                            .key = {NULL, old.key_size},
                            .value = {NULL, old.value_size},
                            .from = nor_key_at(&old),
                            .unsound = !sound};
    nor->damaged = nor->damaged || (!sound && nor->trouble == LK_OK);
    int rc = lk_nor_append(nor, &frame, 0);
    if (rc == LK_OK) {
        uint32_t size = lk_nor_size(nor, &frame);
        nor->live_bytes += size - old.size;
        nor->credit -= (int32_t)size;
        nor->dirty = true;
        lk_nor_tally_forget(nor, old.at);
        lk_nor_index_set(nor, index, frame.at);
    }
    return rc;
}

int lk_nor_settle(struct lk_nor *nor)
{
    int rc = LK_OK;
    if (nor->settled) {
        return LK_OK;
    }
    if (!nor->fresh) {
        rc = lk_nor_open_sector(nor, 0);
    }
    if (rc == LK_OK && nor->again != 0) {
        nor->going = true; /* nothing that an answer was given for hangs on this copy yet */
        rc = lk_nor_append_tally(nor, nor->again, lk_nor_tally_of(nor, nor->again), 0);
        nor->going = false;
    }
    for (int i = 0; i < 2 && rc == LK_OK; i++) {
        rc = lk_nor_append_word(nor, NOR_SURE, 0, 0);
    }
    nor->settled = rc == LK_OK;
    return rc;
}
