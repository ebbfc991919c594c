// SPDX-License-Identifier: MIT
/*
 * recover.c: a device whose administrator is lost. Whoever holds its strap at reset gets an empty
 * store: the old one goes, its key with it, and nothing of it is told but the number and the hash
 * of its newest audit entries, with which the new audit begins.
 */
#include "firmware.h"
#include "lk_cli_audit.h"

#include <string.h>

#define RECOVER_TENANT 1 /* the first one */

static char recover_head[LK_CLI_AUDIT_HEAD];

/* The old store need not open, and its audit may be damaged: then there is no head to tell. */
static void recover_read(const struct lk_firmware *board, struct lk_store *store)
{
    const struct lk_actor actor = {.channel = LK_CHANNEL_CONSOLE};
    struct lk_txn *txn = &board->room->cli.txn;
    struct lk_audit_heads heads;

    recover_head[0] = '\0';
    if (lk_open(store, &board->config)) {
        return;
    }
    if (!lk_begin(store, txn, LK_READ, &actor)) {
        if (!lk_audit_heads(txn, RECOVER_TENANT, &heads)) {
            lk_cli_audit_head_format(&heads, recover_head);
        }
        lk_abort(txn);
    }
    lk_close(store);
}

/* A sector that cannot be erased keeps none of the others. */
static int recover_erase(const struct lk_nor_config *place)
{
    uint32_t sector;
    int error = 0;

    for (sector = 0; sector < place->sector_count; sector++) {
        int failed = place->flash->erase(place->self, place->first_sector + sector);

        error = error ? error : failed;
    }
    return error;
}

static int recover_note(struct lk_store *store)
{
    const struct lk_actor actor = {.tenant = RECOVER_TENANT, .channel = LK_CHANNEL_CONSOLE};
    struct lk_txn *txn = &lk_firmware.room->cli.txn;
    struct lk_audit_entry *entry = &lk_firmware.room->cli.record.audit;
    int error = lk_begin(store, txn, LK_WRITE, &actor);

    if (error) {
        return error;
    }
    memset(entry, 0, sizeof(*entry));
    entry->record.id.tenant = RECOVER_TENANT;
    lk_set_text(&lk_kind_audit, &entry->record, "action", "store.recover");
    lk_set_text(&lk_kind_audit, &entry->record, "resource_type", "store");
    lk_set_text(&lk_kind_audit, &entry->record, "description",
                recover_head[0] ? recover_head : "after a store that could not be read");
    lk_set_number(&lk_kind_audit, &entry->record, "category", LK_CATEGORY_SYSTEM);
    error = lk_audit_write(txn, LK_RING_ADMIN, entry);
    if (!error) {
        error = lk_commit(txn);
    }
    lk_abort(txn);
    return error;
}

int lk_firmware_recover(const struct lk_firmware *board, struct lk_store *store,
                        int (*make)(const struct lk_firmware *board))
{
    int error;

    lk_firmware_say("The strap is held: all that is stored is erased.\r\n");
    recover_read(board, store);
    error = recover_erase(&board->flash);
    if (!error) {
        error = lk_nor_init(&lk_firmware_storage, &board->flash);
    }
    if (!error) {
        error = make(board);
    }
    if (!error) {
        error = recover_note(store);
        lk_close(store);
    }
    if (!error) {
        lk_firmware_say("Let go of the strap.");
        lk_firmware_stop();
    }
    return error;
}
