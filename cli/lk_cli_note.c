// SPDX-License-Identifier: MIT
/* lk_cli_note.c: commands that are refused at a console go into the audit. */
#include "lk_cli.h"

#include <string.h>

#define NOTE_MS 1000

void lk_cli_note(struct lk_cli *cli)
{
    struct lk_cli_session *session = cli->session;
    struct lk_audit_entry *entry = &cli->work->record.audit;
    struct lk_txn *txn = &cli->work->txn;
    struct lk_actor actor = {.tenant = session->id.tenant,
                             .user = session->id.user,
                             .session = session->id.sub,
                             .channel = LK_CHANNEL_CONSOLE};
    const char *rule = cli->problem.rule;
    int error;

    session->refused = false;
    lk_abort(txn);
    if (session->note_due > txn->monotonic_ms + 7 * NOTE_MS ||
        lk_begin(cli->store, txn, LK_WRITE, &actor)) {
        return;
    }
    if (session->note_due < txn->monotonic_ms) {
        session->note_due = txn->monotonic_ms;
    }
    session->note_due += NOTE_MS;
    memset(entry, 0, sizeof(*entry));
    entry->record.id.tenant = session->id.tenant;
    lk_set_text(&lk_kind_audit, &entry->record, "action", "command.refused");
    lk_set_text(&lk_kind_audit, &entry->record, "resource_type",
                cli->command->resource ? cli->command->resource : "store");
    lk_set_text(&lk_kind_audit, &entry->record, "description", rule);
    lk_set_number(&lk_kind_audit, &entry->record, "outcome", LK_FAILURE);
    error = lk_audit_write(txn, LK_RING_ACTIVITY, entry);
    if (!error) {
        (void)lk_commit(txn);
    }
    lk_abort(txn);
}
