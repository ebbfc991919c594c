// SPDX-License-Identifier: MIT
/*
 * lk_transfer.h: records out of a store and into one: export, import, restore. Linux front ends
 * only: it allocates, and reads what others wrote.
 *
 * Rules
 * - One import is one transaction. Every record is looked at, each bad one is reported with its
 * line and reason, and nothing is kept when there is one, unless `skip_bad`.
 * - An import gains nobody a right that the store does not already hold: ids, audit fields and
 * fields that only the core writes are passed over, roles are granted by the name they have
 * here, and what a file cannot say (a secret, a field unknown to the kind) is refused.
 * - A restore keeps ids and audit fields, and is for a store without tenants.
 */
#ifndef LK_TRANSFER_H
#define LK_TRANSFER_H

#include "latchkey.h"
#include "lk_cli.h"
#include "lk_csv.h"

/* ---- What comes in ---------------------------------------------------------------------------
 */

enum lk_import_format {
    LK_IMPORT_HASHES = 0,    /* user:hash, any form of hash that this build can check */
    LK_IMPORT_MOSQUITTO = 1, /* mosquitto_passwd 2.0: $7$ */
    LK_IMPORT_HTPASSWD = 2,  /* htpasswd -B, -2, -5 */
    LK_IMPORT_SHADOW = 3,    /* shadow(5) */
    LK_IMPORT_CSV = 4,
    LK_IMPORT_NDJSON = 5,
};

/* LK_E_USAGE when there is no such format. */
int lk_import_format_named(const char *name, enum lk_import_format *format);

/* A record that was refused. Pointers live during the call that tells of it. */
struct lk_import_bad {
    uint64_t line;
    int error;         /* enum lk_error */
    const char *field; /* or what it is about; never NULL */
    const char *given; /* printable; empty for secrets */
    const char *rule;  /* follows the value */
};

/* A column of CSV under another name. An empty `field` passes the column over. */
struct lk_import_column {
    const char *column;
    const char *field;
};

struct lk_import {
    /* Filled by the caller. */
    struct lk_store *store;
    enum lk_import_format format;
    const char *name;      /* of the input, for the audit */
    lk_csv_source *source; /* its bytes */
    void *context;         /* of the source */
    uint32_t tenant;       /* that the records go to; not for a restore */
    const struct lk_actor *actor;
    const struct lk_kind *kind; /* CSV: NULL is user */
    const struct lk_import_column *columns;
    size_t column_count;
    bool skip_bad;
    /* May be NULL. */
    void (*on_bad)(void *report, const struct lk_import_bad *bad);
    void (*on_progress)(void *report, uint64_t records);
    void *report;
    /* Out. */
    uint64_t added_count;  /* records made */
    uint64_t kept_count;   /* roles, permissions that the store has by that name already */
    uint64_t passed_count; /* lines that ask for nothing: removed records, accounts of daemons */
    uint64_t bad_count;
    /* Of a restore, by enum lk_credential_type: those that the file has nothing to prove by. */
    uint64_t bare_count[LK_CREDENTIAL_CLAIM + 1];
    bool committed;            /* what was counted as added is in the store */
    struct lk_problem problem; /* of an error that is not a bad record */
};

/*
 * 0 when all was taken in. LK_E_CHECK when records were bad: nothing was kept, or with skip_bad the
 * others were. Any other error: nothing was kept.
 */
int lk_import_run(struct lk_import *import);
/* NDJSON with ids into a store without tenants (LK_E_EXISTS else). */
int lk_import_restore(struct lk_import *import);

/* ---- What goes out ---------------------------------------------------------------------------
 */

#define LK_EXPORT_LIMIT 100000000 /* bytes, where the caller says nothing else */

struct lk_export {
    /* Filled by the caller. */
    struct lk_txn *txn; /* reading; one snapshot for it all */
    bool csv;
    const struct lk_kind *kind; /* NULL: all (CSV: user) */
    uint32_t tenant;            /* 0: the whole store */
    bool with_secrets;          /* the verifiers of passwords */
    uint64_t limit;             /* bytes; 0: LK_EXPORT_LIMIT */
    lk_csv_sink *sink;
    void *context;
    /* Out. */
    uint64_t record_count;
    uint64_t size; /* bytes */
};

/*
 * Writes it all, the same bytes for the same records. LK_E_LIMIT when it would be more than
 * `limit`: nothing was written then, since the size is found out first.
 */
int lk_export_run(struct lk_export *export);

/* ---- Commands --------------------------------------------------------------------------------
 */

/* What a Linux front end's lk_cli.self begins with. */
struct lk_host_front {
    struct lk_host_config config; /* of the store that the options name */
    struct lk_host *host;         /* NULL until it was opened */
};

/* import, export, backup; to a NULL noun. */
extern const struct lk_cli_command lk_transfer_commands[];

#endif
