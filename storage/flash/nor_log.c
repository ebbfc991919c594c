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

/* Bytes on their way, up to one program call. */
struct log_out {
    struct lk_nor *nor;
    uint32_t at;
    uint32_t fill;
    uint8_t bytes[NOR_CHUNK];
};

static int log_flush(struct log_out *out)
{
    uint32_t size = nor_round(out->nor, out->fill);
    if (size == 0) {
        return LK_OK;
    }
    memset(out->bytes + out->fill, 0xFF, size - out->fill);
    int rc = lk_nor_program(out->nor, out->at, out->bytes, size);
    out->at += size;
    out->fill = 0;
    return rc;
}

static int log_add(struct log_out *out, const uint8_t *data, uint32_t size)
{
    int rc = LK_OK;
    while (size > 0 && rc == LK_OK) {
        uint32_t piece = NOR_CHUNK - out->fill < size ? NOR_CHUNK - out->fill : size;
        memcpy(out->bytes + out->fill, data, piece);
        out->fill += piece;
        data += piece;
        size -= piece;
        rc = out->fill == NOR_CHUNK ? log_flush(out) : LK_OK;
    }
    return rc;
}

static int log_add_flash(struct log_out *out, uint32_t at, uint32_t size)
{
    int rc = LK_OK;
    while (size > 0 && rc == LK_OK) {
        uint32_t piece = NOR_CHUNK - out->fill < size ? NOR_CHUNK - out->fill : size;
        rc = lk_nor_read(out->nor, at, out->bytes + out->fill, piece);
        out->fill += piece;
        at += piece;
        size -= piece;
        if (rc == LK_OK && out->fill == NOR_CHUNK) {
            rc = log_flush(out);
        }
    }
    return rc;
}

uint32_t lk_nor_size(const struct lk_nor *nor, size_t key_size, size_t value_size)
{
    return nor_round(nor, NOR_FRAME + (uint32_t)key_size + (uint32_t)value_size);
}

static bool log_is_word(uint8_t type)
{
    return type >= NOR_COMMIT && type <= NOR_SCRUB;
}

/* The body that is neither key nor value. */
static uint32_t log_body(const struct nor_new *frame, uint8_t bytes[8])
{
    nor_set32(bytes, frame->type == NOR_COUNTED ? frame->number : frame->body[0]);
    nor_set32(bytes + 4, frame->body[1]);
    return frame->type == NOR_COUNTED ? 4 : (frame->type == NOR_TALLY_WIDE ? 8 : 0);
}

static uint32_t log_size(const struct lk_nor *nor, const struct nor_new *frame)
{
    uint8_t body[8];
    if (log_is_word(frame->type)) {
        return nor->step;
    }
    uint32_t size = NOR_FRAME + log_body(frame, body);
    size += frame->from != NULL ? (uint32_t)frame->from->key_size + frame->from->value_size
                                : (uint32_t)(frame->key.size + frame->value.size);
    return nor_round(nor, size);
}

static int log_write(struct lk_nor *nor, const struct nor_new *frame, uint32_t at)
{
    struct log_out out = {.nor = nor, .at = at};
    uint8_t head[NOR_FRAME];
    uint8_t body[8];
    if (log_is_word(frame->type)) {
        nor_set32(head, lk_nor_word_make(frame->type, frame->number, nor->generation, at));
        int rc = log_add(&out, head, 4);
        return rc == LK_OK ? log_flush(&out) : rc;
    }
    uint32_t body_size = log_body(frame, body);
    uint32_t argument = 0;
    uint32_t copy_size = 0;
    if (frame->from != NULL) {
        argument = (uint32_t)(frame->from->key_size - 1) << 14 | frame->from->value_size;
        copy_size = (uint32_t)frame->from->key_size + frame->from->value_size;
    } else if (frame->key.size > 0) {
        argument = ((uint32_t)frame->key.size - 1) << 14 | (uint32_t)frame->value.size;
    }
    nor_set32(head, lk_nor_head_make(frame->type, argument));
    uint32_t crc = lk_nor_crc(lk_nor_seed(nor->generation, at), head, 4);
    crc = lk_nor_crc(crc, body, body_size);
    crc = lk_nor_crc(crc, frame->key.data, frame->key.size);
    crc = lk_nor_crc(crc, frame->value.data, frame->value.size);
    uint32_t copy_at = frame->from != NULL ? nor_key_at(frame->from) : 0;
    int rc = lk_nor_crc_flash(nor, copy_at, copy_size, &crc);
    nor_set32(head + 4, frame->unsound ? ~crc : crc);
    rc = rc == LK_OK ? log_add(&out, head, NOR_FRAME) : rc;
    rc = rc == LK_OK ? log_add(&out, body, body_size) : rc;
    rc = rc == LK_OK ? log_add(&out, frame->key.data, (uint32_t)frame->key.size) : rc;
    rc = rc == LK_OK ? log_add(&out, frame->value.data, (uint32_t)frame->value.size) : rc;
    rc = rc == LK_OK ? log_add_flash(&out, copy_at, copy_size) : rc;
    return rc == LK_OK ? log_flush(&out) : rc;
}

void lk_nor_retire(struct lk_nor *nor, uint32_t sector)
{
    uint32_t at = nor_sector_at(nor, sector) + nor_round(nor, NOR_HEAD);
    uint32_t last = at + 1;
    uint8_t bytes[16];
    memset(bytes, 0xFF, sizeof bytes);
    nor_set32(bytes, NOR_RETIRED);
    nor->retired_count++;
    /* Where it takes no mark it will be found out again. */
    if (lk_nor_last_not(nor, at, at + nor->step, 0xFF, &last) == LK_OK && last == at) {
        (void)lk_nor_program(nor, at, bytes, nor->step);
    }
}

int lk_nor_start(struct lk_nor *nor, uint32_t sector, bool spare)
{
    struct nor_header old;
    int rc = lk_nor_header(nor, sector, &old);
    if (rc == LK_E_IO) {
        return rc;
    }
    bool counted = rc == 1;
    rc = lk_nor_erase(nor, sector);
    if (rc != LK_OK) {
        return rc;
    }
    /* Ring order keeps all counts together, so where one was lost the mean stands for it. */
    uint32_t mean = (nor->erase_total - 1) / nor->sector_count;
    struct nor_header header = {
        .tail_generation = nor->tail_generation,
        .before = nor->generation,
        .erase_count = counted ? old.erase_count + 1 : mean + 1,
        .erase_total = nor->erase_total,
        .programmed_kib = (uint32_t)(nor->programmed >> 10),
        .from = nor->from,
        .last = nor->last,
        .scrubbing = nor->scrubbing,
    };
    if (!spare) {
        /* One that was given up in this very sector is gone now, and its generation is free again;
         * but where this fails it may yet be read. */
        bool again = counted && old.generation == nor->newest && nor->newest != nor->generation;
        nor->newest += again ? 0 : 1;
        header.generation = nor->newest;
    }
    if (spare || nor->generation == 0) {
        header.tail_generation = header.generation; /* the first of all */
        header.before = spare ? 0 : header.before;
    }
    uint8_t bytes[NOR_CHUNK];
    lk_nor_header_bytes(nor, sector, &header, bytes);
    return lk_nor_program(nor, nor_sector_at(nor, sector), bytes, nor_round(nor, NOR_HEAD));
}

int lk_nor_counts(const struct lk_nor *nor, uint32_t sector)
{
    struct nor_header header;
    int rc = lk_nor_retired(nor, sector);
    if (rc != 0) {
        return rc < 0 ? rc : 0;
    }
    rc = lk_nor_header(nor, sector, &header);
    if (rc != 1) {
        return rc < 0 ? rc : nor->newest < nor->sector_count;
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
        int retired = lk_nor_retired(nor, sector);
        int counts = lk_nor_counts(nor, sector);
        if (retired < 0 || counts < 0) {
            return LK_E_IO;
        }
        if (retired == 1) {
            continue;
        }
        if (counts == 1 && nor->free_count <= spare) {
            break;
        }
        int rc = lk_nor_start(nor, sector, false);
        if (rc == LK_E_IO) {
            return rc;
        }
        nor->free_count -= nor->free_count > 0 ? (uint32_t)counts : 0;
        if (rc == LK_OK) {
            if (nor->generation == 0) {
                nor->tail = sector;
                nor->tail_generation = nor->newest;
            }
            nor->generation = nor->newest;
            nor->active = sector;
            nor->offset = nor_begin(nor);
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
static int log_try(struct lk_nor *nor, const struct nor_new *frame, uint32_t size, uint32_t *at)
{
    uint32_t place = nor_sector_at(nor, nor->active) + nor->offset;
    int rc = log_write(nor, frame, place);
    if (rc != LK_OK) {
        /* Whatever is there now lies behind what the next header will tell. */
        nor->offset = nor->sector_size;
        if (rc == LK_E_CORRUPT) {
            lk_nor_retire(nor, nor->active);
        }
        return rc;
    }
    nor->offset += size;
    nor->from = nor->offset;
    *at = place;
    return LK_OK;
}

int lk_nor_append(struct lk_nor *nor, const struct nor_new *frame, uint32_t spare, uint32_t *at)
{
    static const struct nor_new go = {.type = NOR_SURE, .number = 1};
    uint32_t size = log_size(nor, frame);
    bool upkeep = frame->type == NOR_TAIL || frame->type == NOR_SURE || frame->type == NOR_SCRUB;
    uint32_t limit = upkeep ? nor->sector_size : nor->limit;
    for (uint32_t i = 0; i <= nor->sector_count; i++) {
        int rc = LK_OK;
        uint32_t need = size + (nor->going ? 0u : nor->step);
        if (!nor->fresh || nor->offset > limit || need > limit - nor->offset) {
            rc = lk_nor_open_sector(nor, spare);
        }
        if (rc != LK_OK) {
            return rc;
        }
        if (!nor->going && frame->type != NOR_SURE) {
            rc = log_try(nor, &go, nor->step, at);
            nor->going = rc == LK_OK;
        }
        rc = rc == LK_OK ? log_try(nor, frame, size, at) : rc;
        if (rc != LK_E_CORRUPT) {
            return rc;
        }
    }
    return LK_E_IO;
}

int lk_nor_append_word(struct lk_nor *nor, uint8_t type, uint32_t argument, uint32_t spare,
                       uint32_t *at)
{
    struct nor_new frame = {.type = type, .number = argument};
    return lk_nor_append(nor, &frame, spare, at);
}

int lk_nor_copy(struct lk_nor *nor, uint32_t index)
{
    struct nor_frame old;
    uint32_t at = 0;
    struct nor_new frame = {.type = NOR_COPY, .from = &old};
    int rc = lk_nor_frame_at(nor, lk_nor_main(nor, index), &old);
    if (rc == LK_OK) {
        rc = lk_nor_frame_sum(nor, lk_nor_generation_of(nor, nor_sector_of(nor, old.at)), &old);
    }
    if (rc == LK_OK) {
        rc = lk_nor_tally_total(nor, &old, &frame.number);
    }
    if (rc != LK_OK) {
        return rc;
    }
    nor->damaged = nor->damaged || !old.sound;
    frame.unsound = !old.sound;
    frame.type = frame.number > 0 ? NOR_COUNTED : NOR_COPY;
    rc = lk_nor_append(nor, &frame, 0, &at);
    if (rc == LK_OK) {
        uint32_t size = log_size(nor, &frame);
        nor->live_bytes += size - old.size;
        nor->credit -= (int32_t)size;
        nor->dirty = true;
        lk_nor_tally_forget(nor, old.at);
        lk_nor_index_move(nor, index, at);
    }
    return rc;
}

int lk_nor_settle(struct lk_nor *nor)
{
    uint32_t at = 0;
    int rc = LK_OK;
    if (nor->settled) {
        return LK_OK;
    }
    if (!nor->fresh) {
        rc = lk_nor_open_sector(nor, 0);
    }
    if (rc == LK_OK && nor->again != 0) {
        nor->going = true; /* nothing that an answer was given for hangs on this copy yet */
        struct nor_new tally = {.type = NOR_TALLY_WIDE,
                                .body = {nor->again, lk_nor_tally_of(nor, nor->again)}};
        rc = lk_nor_append(nor, &tally, 0, &at);
        nor->going = false;
    }
    for (int i = 0; i < 2 && rc == LK_OK; i++) {
        rc = lk_nor_append_word(nor, NOR_SURE, 0, 0, &at);
    }
    nor->settled = rc == LK_OK;
    return rc;
}
