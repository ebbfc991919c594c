// SPDX-License-Identifier: MIT
/* lk_cli_audit.h: entries of the audit as text, for the commands of any place and of a host. */
#ifndef LK_CLI_AUDIT_H
#define LK_CLI_AUDIT_H

#include "lk_cli.h"

enum lk_cli_audit_form {
    LK_CLI_AUDIT_TEXT,
    LK_CLI_AUDIT_WIDE,
    LK_CLI_AUDIT_NDJSON,
    LK_CLI_AUDIT_CSV,
    LK_CLI_AUDIT_SYSLOG,
};

/* The options that choose entries, into a query. Needs an open transaction. */
int lk_cli_audit_query(struct lk_cli *cli, const struct lk_cli_args *args,
                       struct lk_audit_query *query);
/* --format of ndjson, csv and syslog; left alone when it was not given. */
int lk_cli_audit_form(struct lk_cli *cli, const struct lk_cli_args *args,
                      enum lk_cli_audit_form *form);

struct lk_cli_audit_told {
    uint64_t count, damaged;
    uint64_t last; /* seq of the last one written */
    uint64_t next; /* where another page goes on; 0: nowhere */
};

/* All that a query gives, `limit` at most (0: no limit). */
int lk_cli_audit_run(struct lk_cli *cli, struct lk_audit_query *query, uint64_t limit,
                     enum lk_cli_audit_form form, struct lk_cli_audit_told *told);
/* The line above the first entry, where a form has one. */
void lk_cli_audit_top(struct lk_cli *cli, enum lk_cli_audit_form form);
/* The rest was listed; that something is missing must not go unseen. */
int lk_cli_audit_damage(struct lk_cli *cli, uint64_t damaged);

/* One word with the newest entries of both rings, and back. LK_E_USAGE for any other word. */
#define LK_CLI_AUDIT_HEAD 192
void lk_cli_audit_head_format(const struct lk_audit_heads *heads, char out[LK_CLI_AUDIT_HEAD]);
int lk_cli_audit_head_parse(struct lk_span text, struct lk_audit_heads *heads);

/* ---- lk_cli_audit_form.c: one entry ---------------------------------------------------------- */

void lk_cli_audit_json(struct lk_cli *cli, const struct lk_audit_entry *entry);
void lk_cli_audit_csv(struct lk_cli *cli, const struct lk_audit_entry *entry);
void lk_cli_audit_csv_top(struct lk_cli *cli);
void lk_cli_audit_syslog(struct lk_cli *cli, const struct lk_audit_entry *entry);

#endif
