// SPDX-License-Identifier: MIT
/* lk_cli_note.c: commands that are refused at a console go into the audit. */
#include "lk_cli.h"

#include <string.h>

#define NOTE_MS 1000

static void note_text(struct lk_audit_entry *entry, const char *field, const char *text)
{
    lk_field_set_span(&entry->record, lk_field_named(&lk_kind_audit, lk_cli_span(field)),
                      lk_cli_span(text));
}

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
    note_text(entry, "action", "command.refused");
    note_text(entry, "resource_type", cli->command->resource ? cli->command->resource : "store");
    note_text(entry, "description", rule);
    lk_field_set_number(&entry->record, lk_field_named(&lk_kind_audit, LK_TEXT("outcome")),
                        LK_FAILURE);
    error = lk_audit_write(txn, LK_RING_ACTIVITY, entry);
    if (!error) {
        (void)lk_commit(txn);
    }
    lk_abort(txn);
}
