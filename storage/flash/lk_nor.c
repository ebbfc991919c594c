// SPDX-License-Identifier: MIT
/* lk_nor.c: the ordered map in NOR flash: its operations, but for cursors and upkeep. */
#include "nor_internal.h"

#define NOR_VALUE_DEFAULT 8192u
#define NOR_INDEX_KEPT    16u /* entries that only what replaces or removes may take */

static int nor_open(struct lk_storage *storage, enum lk_mode mode)
{
    struct lk_nor *nor = nor_of(storage);
    if (nor->open) {
        return LK_E_BUSY;
    }
    struct lk_storage head = nor->storage; /* somebody may have put operations of his own there */
    uint64_t version = nor->version + 1;
    int rc = lk_nor_init(nor, nor->config);
    nor->storage = head;
    nor->version = version;
    if (rc == LK_OK) {
        rc = nor_answer(nor, lk_nor_mount(nor, mode));
    }
    if (rc != LK_OK) {
        return rc;
    }
    nor->writable = mode == LK_WRITE;
    if (nor->writable) {
        rc = lk_nor_settle(nor);
        if (rc == LK_OK) {
            rc = lk_nor_collect_until(nor, nor->keep - 1u, 0);
        }
        /* A part that is worn out, or full to the brim, can still be read. */
        nor->broken = nor->broken || (rc != LK_OK && rc != LK_E_FULL);
    }
    nor->open = true;
    return LK_OK;
}

static void nor_drop_batch(struct lk_nor *nor)
{
    if (nor->batch_at != 0) {
        nor->dirty = true;
    }
    nor->dead_bytes += nor->batch_bytes;
    nor->pending_count = 0;
    nor->batch_at = 0;
    nor->batch_count = 0;
    nor->batch_growth = 0;
    nor->batch_bytes = 0;
    nor->tally_at = 0;
}

static void nor_close(struct lk_storage *storage)
{
    struct lk_nor *nor = nor_of(storage);
    nor_drop_batch(nor);
    nor->open = false;
    nor->writing = false;
    nor->reader_count = 0;
}

static int nor_begin_txn(struct lk_storage *storage, struct lk_storage_txn *txn, enum lk_mode mode)
{
    struct lk_nor *nor = nor_of(storage);
    if (!nor->open || txn->storage != NULL) {
        return LK_E_STATE;
    }
    if (mode == LK_WRITE && (!nor->writable || nor->broken)) {
        return LK_E_READ_ONLY;
    }
    if (nor->writing || (mode == LK_WRITE && nor->reader_count > 0)) {
        return LK_E_BUSY;
    }
    if (mode == LK_WRITE) {
        nor->writing = true;
    } else {
        nor->reader_count++;
    }
    *txn = (struct lk_storage_txn){.storage = storage, .mode = mode};
    return LK_OK;
}

static void nor_abort(struct lk_storage_txn *txn)
{
    if (txn->storage == NULL) {
        return;
    }
    struct lk_nor *nor = nor_of(txn->storage);
    if (txn->mode == LK_READ) {
        nor->reader_count--;
    } else {
        nor->version += nor->batch_at != 0 ? 1u : 0u;
        nor_drop_batch(nor);
        nor->writing = false;
    }
    txn->storage = NULL;
    txn->failed = LK_OK;
}

/* What a commit that could not be written may have left must not count after a restart. */
static void nor_disown(struct lk_nor *nor)
{
    nor->trouble = LK_OK;
    if (lk_nor_open_sector(nor, 0) != LK_OK || lk_nor_append_word(nor, NOR_SURE, 0, 0) != LK_OK) {
        nor->broken = true;
    }
}

static int nor_commit_tally(struct lk_nor *nor)
{
    uint32_t at = nor->tally_at;
    uint32_t count = lk_nor_tally_of(nor, at);
    int rc = LK_OK;
    if (count == 0 && lk_nor_tally_set(nor, at, 0) != LK_OK) {
        /* Another record takes its tallies into its own frame. */
        struct nor_frame frame;
        uint32_t index = 0;
        uint32_t victim = nor->tallies[nor->commit_count % LK_NOR_TALLY_MAX].at;
        rc = LK_E_CORRUPT;
        if (lk_nor_frame_at(nor, victim, &frame) && lk_nor_index_of(nor, &frame, &index)) {
            rc = lk_nor_copy(nor, index);
        }
        rc = rc == LK_OK ? lk_nor_tally_set(nor, at, 0) : rc;
    }
    if (rc == LK_OK) {
        rc = nor->narrow ? lk_nor_append_word(nor, NOR_TALLY, at / nor->step, nor->keep - 2u)
                         : lk_nor_append_tally(nor, at, count + 1, nor->keep - 2u);
    }
    if (rc == LK_OK) {
        nor->batch_bytes = nor->step;
        nor->version++;
        return lk_nor_tally_set(nor, at, count + 1);
    }
    if (count == 0) {
        lk_nor_tally_forget(nor, at);
    }
    return rc;
}

static int nor_commit_batch(struct lk_nor *nor)
{
    int rc = lk_nor_append_word(nor, NOR_COMMIT, nor->batch_count & NOR_COUNT_BITS, nor->keep - 1u);
    if (rc == LK_OK) {
        nor->dirty = true; /* the commit's own word, and removals, are dead at once */
        rc = nor_answer(nor, lk_nor_index_commit(nor));
        nor->lost = rc != LK_OK;
    }
    return rc;
}

static int nor_commit(struct lk_storage_txn *txn, enum lk_commit_mode mode)
{
    (void)mode;
    if (txn->storage == NULL) {
        return LK_E_STATE;
    }
    struct lk_nor *nor = nor_of(txn->storage);
    int rc = txn->failed;
    if (txn->mode == LK_READ || rc != LK_OK || (nor->batch_at == 0 && nor->tally_at == 0)) {
        nor_abort(txn);
        return rc;
    }
    nor->trouble = LK_OK;
    rc = nor_answer(nor, nor->tally_at != 0 ? nor_commit_tally(nor) : nor_commit_batch(nor));
    if (rc != LK_OK) {
        if (nor->offset != nor->from && !nor->lost) {
            nor_disown(nor);
        }
        nor_abort(txn);
        return rc;
    }
    uint32_t bytes = nor->batch_bytes;
    nor_drop_batch(nor);
    nor->writing = false;
    nor->commit_count++;
    txn->storage = NULL;
    /* The batch is done, whatever becomes of the upkeep; who needs the room will be told. */
    lk_nor_collect(nor, bytes);
    return LK_OK;
}

static void nor_release(struct lk_storage *storage, struct lk_storage_txn *txn)
{
    (void)storage;
    nor_abort(txn);
}

static uint64_t nor_snapshot(const struct lk_storage_txn *txn)
{
    return txn->storage != NULL ? nor_of(txn->storage)->version : 0;
}

/* What a key stands for in a transaction: LK_OK, or LK_E_NOT_FOUND. */
static int nor_look(const struct lk_storage_txn *txn, struct lk_span key, struct nor_frame *frame)
{
    int rc = lk_nor_usable(txn, key);
    if (rc != LK_OK || key.size == 0) {
        return rc != LK_OK ? rc : LK_E_ARGUMENT;
    }
    struct lk_nor *nor = nor_of(txn->storage);
    return nor_answer(nor, lk_nor_lookup(nor, key, frame) ? LK_OK : LK_E_NOT_FOUND);
}

static int nor_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value)
{
    struct nor_frame frame;
    int rc = nor_look(txn, key, &frame);
    return rc == LK_OK ? lk_nor_spans(nor_of(txn->storage), &frame, NULL, value) : rc;
}

static int nor_tallied(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    struct nor_frame frame;
    int rc = nor_look(txn, key, &frame);
    if (rc == LK_OK) {
        *count = lk_nor_tally_total(nor_of(txn->storage), &frame);
        rc = nor_answer(nor_of(txn->storage), rc);
    }
    return rc;
}

/* Whether a transaction may change anything: LK_E_STATE and LK_E_READ_ONLY are no failure of it. */
static int nor_changeable(const struct lk_storage_txn *txn)
{
    if (txn == NULL || txn->storage == NULL) {
        return LK_E_STATE;
    }
    return txn->mode == LK_READ ? LK_E_READ_ONLY : LK_OK;
}

static int nor_failed(struct lk_storage_txn *txn, int rc)
{
    txn->failed = txn->failed != LK_OK ? txn->failed : rc;
    return rc;
}

/* Writes a frame of the batch, which takes the place of `old` bytes. */
static int nor_write(struct lk_nor *nor, struct nor_new *frame, uint32_t old, bool urgent)
{
    uint32_t size = lk_nor_size(nor, frame);
    int32_t growth = (frame->type == NOR_REMOVE ? 0 : (int32_t)size) - (int32_t)old;
    int32_t net = nor->batch_growth + growth;
    uint32_t kept = growth > 0 && !urgent ? NOR_INDEX_KEPT : 0;
    if (nor->main_count + nor->pending_count + kept >= nor->index_max) {
        return LK_E_FULL;
    }
    int rc = lk_nor_make_room(nor, size + nor->step, net > 0 ? net : 0, urgent);
    if (rc == LK_OK) {
        frame->type = (uint8_t)(frame->type + (nor->batch_at == 0 ? 1 : 0));
        rc = lk_nor_append(nor, frame, nor->keep - 1u);
    }
    if (rc != LK_OK) {
        return rc;
    }
    nor->batch_at = nor->batch_at == 0 ? frame->at : nor->batch_at;
    nor->batch_count++;
    nor->batch_growth = net;
    nor->batch_bytes += size;
    nor->version++;
    return lk_nor_index_pend(nor, frame->key, frame->at);
}

static int nor_change(struct lk_storage_txn *txn, struct nor_new *frame)
{
    int rc = nor_changeable(txn);
    if (rc != LK_OK) {
        return rc;
    }
    struct lk_nor *nor = nor_of(txn->storage);
    struct nor_frame old;
    bool remove = frame->type == NOR_REMOVE;
    rc = nor_look(txn, frame->key, &old);
    if (rc == LK_OK || rc == LK_E_NOT_FOUND) {
        uint32_t size = rc == LK_OK ? old.size : 0;
        if (nor->tally_at != 0) {
            rc = LK_E_STATE;
        } else if (frame->value.size > nor->storage.value_max) {
            rc = LK_E_TOO_BIG;
        } else if (rc != LK_OK && remove) {
            return rc;
        } else {
            rc = nor_answer(nor, nor_write(nor, frame, size, remove || txn->urgent));
        }
    }
    txn->priv[1] = (void *)((uintptr_t)txn->priv[1] + 1); /* cursors forget their place */
    return nor_failed(txn, rc);
}

static int nor_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    struct nor_new frame = {.type = NOR_PUT, .key = key, .value = value};
    return nor_change(txn, &frame);
}

static int nor_remove(struct lk_storage_txn *txn, struct lk_span key)
{
    struct nor_new frame = {.type = NOR_REMOVE, .key = key};
    return nor_change(txn, &frame);
}

/* A tally, and another record too, whose own tallies may have to go into its frame. */
static uint32_t nor_tally_room(struct lk_nor *nor)
{
    uint32_t most = 0;
    for (size_t i = 0; i < LK_NOR_TALLY_MAX; i++) {
        struct nor_frame frame;
        if (nor->tallies[i].at == 0) {
            return NOR_FRAME + 8u + nor->step;
        }
        if (lk_nor_frame_at(nor, nor->tallies[i].at, &frame) && frame.size > most) {
            most = frame.size;
        }
    }
    return most + 4 * (uint32_t)nor->step + NOR_FRAME + 8u;
}

static int nor_tally(struct lk_storage_txn *txn, struct lk_span key, uint32_t *count)
{
    struct nor_frame frame;
    int rc = nor_changeable(txn);
    if (rc != LK_OK) {
        return rc;
    }
    struct lk_nor *nor = nor_of(txn->storage);
    rc = nor_look(txn, key, &frame);
    if ((rc == LK_OK || rc == LK_E_NOT_FOUND) && (nor->tally_at != 0 || nor->batch_at != 0)) {
        rc = LK_E_STATE;
    }
    if (rc == LK_E_NOT_FOUND) {
        return rc;
    }
    rc = rc == LK_OK ? lk_nor_make_room(nor, nor_tally_room(nor), 0, true) : rc;
    /* Making room may have moved the record. */
    rc = rc == LK_OK ? nor_look(txn, key, &frame) : nor_answer(nor, rc);
    if (rc == LK_OK) {
        *count = lk_nor_tally_total(nor, &frame) + 1;
        rc = nor_answer(nor, rc);
        nor->tally_at = rc == LK_OK ? frame.at : 0;
    }
    return nor_failed(txn, rc);
}

static const struct lk_storage_ops nor_ops = {
    .name = "flash",
    .open = nor_open,
    .close = nor_close,
    .begin = nor_begin_txn,
    .commit = nor_commit,
    .abort = nor_abort,
    .release = nor_release,
    .snapshot = nor_snapshot,
    .get = nor_get,
    .put = nor_put,
    .remove = nor_remove,
    .tally = nor_tally,
    .tallied = nor_tallied,
    .cursor_open = lk_nor_cursor_open,
    .cursor_close = lk_nor_cursor_close,
    .seek = lk_nor_seek,
    .seek_before = lk_nor_seek_before,
    .next = lk_nor_next,
    .prev = lk_nor_prev,
    .stat = lk_nor_stat,
    .check = lk_nor_check,
    .compact = lk_nor_compact,
    .scrub = lk_nor_scrub,
};

/* Of the part, into the handle; false: out of the limits. */
static bool nor_geometry(struct lk_nor *nor, const struct lk_flash_geometry *geometry)
{
    const struct lk_nor_config *config = nor->config;
    uint32_t size = geometry->sector_size;
    uint32_t unit = geometry->program_unit;
    uint32_t rest = geometry->sector_count - config->first_sector;
    uint32_t count = config->sector_count != 0 ? config->sector_count : rest;
    uint32_t log2 = unit == 1 ? 0 : 2;
    while (log2 > 0 && log2 < 4 && UINT32_C(1) << log2 != unit) {
        log2++;
    }
    if (UINT32_C(1) << log2 != unit || size < 1024 || size > 262144 || size % 1024 != 0 ||
        config->first_sector >= geometry->sector_count || count > rest || count < 4 ||
        count > NOR_SECTORS_MAX || count > UINT32_MAX / size) {
        return false;
    }
    nor->sector_count = count;
    nor->sector_size = size;
    nor->base = config->first_sector * size;
    nor->mapped = geometry->mapped != NULL ? geometry->mapped + nor->base : NULL;
    nor->step = (uint8_t)LK_NOR_STEP(unit);
    nor->begin = (uint8_t)(nor_round(nor, NOR_HEAD) + nor->step);
    nor->magic = 'L' | 'K' << 8 | NOR_LAYOUT << 16 | log2 << 24;
    nor->form = size >> 10 | count << 16;
    nor->narrow = LK_NOR_ENTRY_SIZE(size * count, unit) == 2;
    nor->index_max = (uint32_t)(config->index_size / (nor->narrow ? 2 : 4));
    /* A few sectors have to be free at every restart; where there are few, room in each instead. */
    uint32_t slack = size / 16 < 1024 ? size / 16 : 1024;
    nor->keep = count < 8 ? 2 : 3;
    nor->limit = size - (count < 8 ? slack : 4u * nor->step);
    return true;
}

int lk_nor_init(struct lk_nor *nor, const struct lk_nor_config *config)
{
    struct lk_flash_geometry geometry;
    if (nor == NULL || config == NULL || config->flash == NULL || config->index == NULL) {
        return LK_E_ARGUMENT;
    }
    *nor = (struct lk_nor){.config = config};
    if (config->flash->geometry(config->self, &geometry) != LK_OK) {
        return LK_E_IO;
    }
    if (!nor_geometry(nor, &geometry)) {
        return LK_E_ARGUMENT;
    }
    uint32_t most = (uint32_t)LK_NOR_VALUE_LIMIT(nor->sector_size);
    most = most < NOR_VALUE_MAX ? most : NOR_VALUE_MAX;
    uint32_t usual = most < NOR_VALUE_DEFAULT ? most : NOR_VALUE_DEFAULT;
    size_t value_max = config->value_max != 0 ? config->value_max : usual;
    if (value_max > most) {
        return LK_E_ARGUMENT;
    }
    if (nor->index_max <= NOR_INDEX_KEPT ||
        (nor->mapped == NULL &&
         (config->cache == NULL || config->cache_size < LK_NOR_CACHE_SIZE(value_max)))) {
        return LK_E_SPACE;
    }
    nor->storage = (struct lk_storage){.ops = &nor_ops,
                                       .caps = LK_STORAGE_DURABLE | LK_STORAGE_TALLY |
                                               (nor->mapped != NULL ? LK_STORAGE_STABLE : 0u),
                                       .value_max = value_max};
    return LK_OK;
}
