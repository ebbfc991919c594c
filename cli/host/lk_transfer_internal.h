// SPDX-License-Identifier: MIT
/* lk_transfer_internal.h: what the files of import and export share. */
#ifndef LK_TRANSFER_INTERNAL_H
#define LK_TRANSFER_INTERNAL_H

#include "lk_json.h"
#include "lk_text.h"
#include "lk_transfer.h"

/* ---- lk_transfer_lines.c: text line by line ---------------------------------------------------
 */

/* A record of LK_VALUE_MAX bytes fits as JSON even if every byte of it were escaped. */
#define LK_LINE_MAX 65536

struct lk_lines {
    lk_csv_source *source;
    void *context;
    size_t at, size;
    bool end;
    uint64_t line; /* of the last lk_lines_next, from 1 */
    uint8_t input[LK_LINE_MAX + 4096];
};

void lk_lines_init(struct lk_lines *lines, lk_csv_source *source, void *context);
/*
 * The next line without its end (LF or CR LF); a byte order mark at the start of the input is
 * passed over. LK_E_NOT_FOUND at the end; LK_E_USAGE with `rule` for a line that is too long, holds
 * a NUL or is not UTF-8; reading may go on after it. LK_E_IO.
 */
int lk_lines_next(struct lk_lines *lines, struct lk_span *text, const char **rule);

/* ---- lk_transfer_hash.c: password files ------------------------------------------------------
 */

/* What a line of a password file says. Spans are into the line. */
struct lk_hash_line {
    struct lk_span name;
    struct lk_span hash; /* empty: no password */
    bool suspended;
    bool must_change;
    bool pass; /* nothing to take: a comment, an empty line, an account of a daemon */
};

/* LK_E_USAGE with `field` and `rule` (both static). `now_ms` decides what has expired. */
int lk_hash_line_parse(enum lk_import_format format, struct lk_span text, uint64_t now_ms,
                       struct lk_hash_line *line, const char **field, const char **rule);

/* ---- lk_transfer_import.c: one import --------------------------------------------------------
 */

struct lk_import_ids;

struct lk_importer {
    struct lk_import *import;
    struct lk_txn txn;
    struct lk_import_ids *ids; /* NDJSON: where the file's records went */
    uint64_t line;
    uint8_t room[2 * LK_VALUE_MAX]; /* bytes of the record being read */
};

/* True when the error is about the record, and leaves the transaction as it was. */
bool lk_import_is_refusal(int error);
/* Counts and reports a bad record. `given` is shown: never a secret. */
void lk_import_refuse(struct lk_importer *importer, int error, const char *field, const char *given,
                      const char *rule);
/* Reports what the core refused and answers 0; any other error is handed back. `field` stands in
 * where the core names none. */
int lk_import_refused(struct lk_importer *importer, int error, const char *field);
void lk_import_count(struct lk_importer *importer, uint64_t *counter);

/* A new user with what belongs to it: all, or (a refusal) nothing. */
struct lk_import_user {
    struct lk_user user;
    struct lk_span hash; /* empty: no password */
    uint32_t roles[LK_GRANT_MAX];
    size_t role_count;
};
/* 0 taken or reported (`id` is zero then). */
int lk_import_add_user(struct lk_importer *importer, struct lk_import_user *user, struct lk_id *id);
/* Any other record. */
int lk_import_add(struct lk_importer *importer, const struct lk_kind *kind,
                  struct lk_record *record, struct lk_id *id);
/* Finds a role by name and puts it into the list. LK_E_USAGE after it was reported. */
int lk_import_add_role(struct lk_importer *importer, struct lk_import_user *user,
                       struct lk_span name);

/* The formats: 0 when the input was read to its end; what was bad is reported. */
int lk_import_hashes(struct lk_importer *importer);
int lk_import_csv(struct lk_importer *importer);
int lk_import_ndjson(struct lk_importer *importer);
int lk_import_records(struct lk_importer *importer); /* restore */

/* ---- lk_transfer_ids.c: numbers of the file's records here ------------------------------------
 */

int lk_import_ids_make(struct lk_import_ids **ids);
void lk_import_ids_free(struct lk_import_ids *ids);
/* LK_E_EXISTS when the file has that id twice. LK_E_FULL. */
int lk_import_ids_put(struct lk_import_ids *ids, unsigned kind, uint32_t user, uint32_t sub,
                      uint32_t number);
/* 0 when there is none. */
uint32_t lk_import_ids_get(const struct lk_import_ids *ids, unsigned kind, uint32_t user,
                           uint32_t sub);

/* ---- lk_transfer.c: what the commands share --------------------------------------------------
 */

lk_cli_handler lk_transfer_import, lk_transfer_export, lk_transfer_backup;
/* Says why the Linux library refused; answers `error`. */
int lk_transfer_host_refused(struct lk_cli *cli, int error, const char *what);
/*
 * A passphrase into work->secrets[0]: with `from_stdin` a line of standard input, else asked, twice
 * where it is a new one.
 */
int lk_transfer_passphrase(struct lk_cli *cli, bool from_stdin, bool twice,
                           struct lk_span *passphrase);
/* An entry about data that is about to leave the store; `details` is CBOR or empty. What cannot be
 * audited does not happen. */
int lk_transfer_audit(struct lk_cli *cli, uint32_t tenant, const char *action,
                      const char *description, struct lk_span details);

/* The name of a type of credential, and of the member of an export that it is proved by; NULL: of
 * none. */
const char *lk_transfer_type(uint64_t type);
const char *lk_transfer_secret(uint64_t type);

#endif
