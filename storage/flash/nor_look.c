// SPDX-License-Identifier: MIT
/* nor_look.c: what a region holds, for tools. */
#include "lk_nor_look.h"
#include "nor_internal.h"

#define LOOK_FORMS 8 /* that are told apart: more than one is damage, or somebody's work */

/* ---- The form ---- */

/* Whether a header is at `offset`, and what it says. A newer one has its checksum there, too. */
static int look_header(const uint8_t *bytes, size_t offset, struct lk_nor_form *form)
{
    const uint8_t *head = bytes + offset;
    if (head[0] != 'L' || head[1] != 'K') {
        return 0;
    }
    uint32_t size = (nor_get32(head + 4) & 0xFFFF) << 10;
    uint32_t count = nor_get32(head + 4) >> 16 & 0x7FFF;
    if (size < 1024 || offset % size != 0 || offset / size >= count ||
        nor_get32(head + 36) != lk_nor_header_crc(head, (uint32_t)(offset / size))) {
        return 0;
    }
    if (head[2] != NOR_LAYOUT) {
        return head[2] > NOR_LAYOUT ? LK_E_NEWER : 0;
    }
    if (head[3] != 0 && (head[3] < 2 || head[3] > 4)) {
        return 0;
    }
    *form = (struct lk_nor_form){
        .sector_size = size, .sector_count = count, .program_unit = UINT32_C(1) << head[3]};
    return 1;
}

int lk_nor_form_find(const uint8_t *bytes, size_t size, struct lk_nor_form *form)
{
    struct lk_nor_form forms[LOOK_FORMS];
    size_t count = 0;
    bool newer = false;
    for (size_t offset = 0; offset + NOR_HEAD <= size; offset += 1024) {
        struct lk_nor_form one;
        int rc = look_header(bytes, offset, &one);
        size_t i = 0;
        newer = newer || rc == LK_E_NEWER;
        if (rc != 1) {
            continue;
        }
        while (i < count && (forms[i].sector_size != one.sector_size ||
                             forms[i].sector_count != one.sector_count ||
                             forms[i].program_unit != one.program_unit)) {
            i++;
        }
        if (i == count && count < LOOK_FORMS) {
            forms[count++] = one;
        }
        if (i < count) {
            forms[i].votes++;
        }
    }
    for (size_t i = 0; i < count; i++) {
        *form = i == 0 || forms[i].votes > form->votes ? forms[i] : *form;
    }
    return count > 0 ? LK_OK : (newer ? LK_E_NEWER : LK_E_NOT_FOUND);
}

/* ---- Sectors ---- */

const char *lk_nor_state_name(enum lk_nor_state state)
{
    static const char *const names[] = {"blank",  "spare",   "old",    "log",
                                        "active", "retired", "unknown"};
    return names[state];
}

/* The frames of a sector of the log. */
static void look_frames(struct lk_nor *nor, struct lk_nor_sector *sector)
{
    struct nor_frame frame;
    struct nor_walk walk;
    if (nor->open) {
        lk_nor_walk_log(nor, sector->number, sector->generation, &walk);
    } else {
        lk_nor_walk_of(nor, sector->number, sector->generation, &walk);
    }
    while (lk_nor_walk_next(nor, &walk, &frame)) {
        uint32_t index = 0;
        sector->frames += frame.sound ? 1 : 0;
        sector->damaged += frame.sound ? 0 : 1;
        if (nor->open && nor_is_record(frame.type) && lk_nor_index_of(nor, &frame, &index)) {
            sector->live_bytes += frame.size;
        }
    }
}

static enum lk_nor_state look_state(const struct lk_nor *nor, const struct lk_nor_sector *sector)
{
    if (sector->generation == 0) {
        return LK_NOR_SPARE;
    }
    if (nor->open && sector->number == nor->active) {
        return LK_NOR_ACTIVE;
    }
    return !nor->open || (sector->generation >= nor->tail_generation &&
                          sector->generation < nor->generation)
               ? LK_NOR_LOG
               : LK_NOR_OLD;
}

int lk_nor_look_sector(struct lk_nor *nor, uint32_t number, struct lk_nor_sector *sector)
{
    if (number >= nor->sector_count) {
        return LK_E_ARGUMENT;
    }
    struct nor_header header;
    uint32_t start = nor_sector_at(nor, number);
    nor->trouble = LK_OK;
    *sector = (struct lk_nor_sector){.number = number, .state = LK_NOR_UNKNOWN};
    uint32_t last = lk_nor_last_not(nor, start, start + nor->sector_size, 0xFF);
    sector->header = lk_nor_header(nor, number, &header) == 1;
    if (sector->header) {
        sector->generation = header.generation;
        sector->erase_count = header.words[NOR_ERASES];
        sector->state = look_state(nor, sector);
    } else if (last == start) {
        sector->state = LK_NOR_BLANK;
    }
    if (sector->state == LK_NOR_LOG || sector->state == LK_NOR_ACTIVE) {
        look_frames(nor, sector);
    } else if (lk_nor_retired(nor, number)) {
        sector->state = LK_NOR_RETIRED;
    }
    if (sector->state == LK_NOR_BLANK || sector->state == LK_NOR_SPARE ||
        sector->state == LK_NOR_ACTIVE) {
        sector->free_bytes = start + nor->sector_size - last;
    }
    uint32_t other = sector->live_bytes + sector->free_bytes;
    sector->dead_bytes = other < nor->sector_size ? nor->sector_size - other : 0;
    return nor_answer(nor, LK_OK);
}

/* ---- Records ---- */

int lk_nor_look_record(struct lk_nor *nor, uint32_t number, struct lk_nor_record *record)
{
    struct nor_frame frame;
    memset(record, 0, sizeof *record);
    if (!nor->open || nor->lost) {
        return nor->open ? LK_E_IO : LK_E_STATE;
    }
    if (number >= nor->main_count) {
        return LK_E_NOT_FOUND;
    }
    nor->trouble = LK_OK;
    lk_nor_entry(nor, false, number, &frame);
    record->tally = lk_nor_tally_total(nor, &frame);
    record->at = frame.at;
    record->sector = nor_sector_of(nor, frame.at);
    record->size = frame.size;
    record->sound = lk_nor_frame_sum(nor, &frame);
    return lk_nor_spans(nor, &frame, &record->key, record->sound ? &record->value : NULL);
}
