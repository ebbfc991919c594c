// SPDX-License-Identifier: MIT
/*
 * lk_cli.h: the command line, apart from where it runs. One table of commands serves a program's
 * arguments, the console of a host and the console of a device.
 *
 * Allocates nothing, knows no operating system: what differs from place to place is in `struct
 * lk_cli_env`. A front end fills a `struct lk_cli`, and hands words to lk_cli_run.
 */
#ifndef LK_CLI_H
#define LK_CLI_H

#include "latchkey.h"

/* Exit statuses; on a console, the number in "error N: …". */
enum lk_cli_exit {
    LK_EXIT_DONE = 0,
    LK_EXIT_REFUSED = 1,
    LK_EXIT_USAGE = 2,
    LK_EXIT_NOT_FOUND = 3,
    LK_EXIT_CONFLICT = 4,
    LK_EXIT_STORE = 5,
    LK_EXIT_LOCKED = 6,
};

/* ---- Output ---------------------------------------------------------------------------------- */

/* Where text goes. The error is sticky: after the first, nothing more is written. */
struct lk_cli_out {
    int (*write)(void *context, const void *data, size_t size);
    void *context;
    int error;
};

/* ---- Commands -------------------------------------------------------------------------------- */

struct lk_cli;
struct lk_cli_args;

/* 0 done; a negative enum lk_error, reported by the caller; or a positive exit status, when the
 * handler has said what is to be said. */
typedef int lk_cli_handler(struct lk_cli *cli, const struct lk_cli_args *args);

struct lk_cli_option {
    const char *name;  /* without dashes */
    const char *value; /* what stands for its value in the usage; NULL: a switch */
    const char *help;  /* one line, no full stop */
};

enum lk_cli_flags {
    LK_CLI_TENANT = 1 << 0,      /* works inside one tenant, which is found first */
    LK_CLI_FIELDS = 1 << 1,      /* takes field=value words of `kind` */
    LK_CLI_WRITES = 1 << 2,      /* changes the store */
    LK_CLI_NO_STORE = 1 << 3,    /* works without one */
    LK_CLI_HOST = 1 << 4,        /* not at a console: reaches files, or gives what a session has */
    LK_CLI_WHOLE_STORE = 1 << 5, /* at a console, for sessions of the store's first tenant only */
    LK_CLI_ANYONE = 1 << 6,      /* needs no permission: tells nothing of what is stored */
    LK_CLI_QUIET_REFUSAL = 1 << 7, /* "login refused", whatever the reason */
    LK_CLI_BY_PATH = 1 << 8, /* has no verb: a first word with a / in it tells it from commands of
                                its noun that have; after min_args words, all is taken as it is */
};

#define LK_CLI_MANY 255 /* of max_args: no limit but LK_CLI_WORDS_MAX */

struct lk_cli_command {
    const char *noun;
    const char *verb;                    /* NULL: the noun is the whole command */
    const char *args;                    /* usage of the words that follow, or "" */
    const char *help;                    /* one line, no full stop */
    const char *details;                 /* sentences for help and manual, or NULL */
    const char *resource, *action;       /* the permission that a console's session needs */
    uint8_t min_args, max_args;          /* field=value words not counted */
    uint16_t flags;                      /* enum lk_cli_flags */
    const struct lk_kind *kind;          /* whose fields it takes; NULL: none */
    const struct lk_cli_option *options; /* to a NULL name; or NULL */
    lk_cli_handler *handler;
};

/* The commands that every board has, to a NULL noun. */
extern const struct lk_cli_command lk_cli_commands[];
/* The switch of commands that work in a tenant and can be about the store itself instead: then for
 * whom LK_CLI_WHOLE_STORE admits. */
#define LK_CLI_OPTION_STORE "store"
/* Options that every command takes, to a NULL name. */
extern const struct lk_cli_option lk_cli_globals[];

#ifndef LK_CLI_WORDS_MAX
#define LK_CLI_WORDS_MAX 64
#endif
#ifndef LK_CLI_OPTIONS_MAX
#define LK_CLI_OPTIONS_MAX 16
#endif
#ifndef LK_CLI_FILTERS_MAX
#define LK_CLI_FILTERS_MAX 8
#endif

/* Bytes of values as they were given, beside a record. */
#ifndef LK_CLI_VALUES_MORE
#define LK_CLI_VALUES_MORE 512
#endif
#ifndef LK_CLI_CELL_MAX
#define LK_CLI_CELL_MAX 512
#endif
/* Of a name at a console's login, with the tenant's before it. */
#ifndef LK_CLI_NAME_MAX
#define LK_CLI_NAME_MAX 255
#endif

/* field=value as it was given. */
struct lk_cli_field {
    const struct lk_field *field;
    struct lk_span value;
};

struct lk_cli_args {
    const struct lk_cli_command *command;
    size_t count;
    const char *words[LK_CLI_WORDS_MAX];
    size_t field_count;
    struct lk_cli_field fields[LK_CLI_WORDS_MAX / 2];
    size_t option_count;
    struct lk_cli_given {
        const struct lk_cli_option *option;
        const char *value; /* "" for a switch */
    } options[LK_CLI_OPTIONS_MAX];
};

/* ---- Where it runs --------------------------------------------------------------------------- */

/* Services of the place. Any may be NULL. `self` is lk_cli.self. */
struct lk_cli_env {
    /* The store for a command; called once, when lk_cli.store is NULL. */
    int (*open)(void *self, bool read_only, struct lk_store **store);
    int (*create)(void *self, const struct lk_create_request *request,
                  struct lk_create_result *result);
    /* The store and its secret overwritten and gone. */
    int (*erase)(void *self);
    /* An option of lk_cli.board_options was given. LK_E_USAGE when its value is no good. */
    int (*option)(void *self, const char *name, const char *value);
    /*
     * Asks a person, without echo. `size` bytes at most, no terminator. LK_E_UNSUPPORTED nobody to
     * ask, LK_E_NOT_FOUND end of input, LK_E_SPACE too long.
     */
    int (*read_secret)(void *self, const char *prompt, uint8_t *out, size_t size, size_t *got);
    /* A line of standard input (a console: of the person). Errors as above. */
    int (*read_line)(void *self, const char *prompt, uint8_t *out, size_t size, size_t *got);
    /* 1 yes, 0 no; LK_E_UNSUPPORTED nobody to ask. */
    int (*confirm)(void *self, const char *question);
    /* A JSON object as a CBOR map. */
    int (*map_parse)(struct lk_span json, uint8_t *out, size_t capacity, size_t *size,
                     const char **rule);
    /*
     * Goes on in a place whose crash does no harm: 0 there; 1 here, when it is over, with its exit
     * status, and `crashed` when it has none.
     */
    int (*isolate)(void *self, int *status, bool *crashed);
    /* Gives room of the medium back, where it can. */
    int (*compact)(void *self, struct lk_store *store);
    /* Checks the structure of the medium itself, below the records. */
    int (*check_medium)(void *self, struct lk_store *store);
    /* Draws a text as a QR code; LK_E_SPACE when that takes more columns than `width`. */
    int (*qr)(void *self, struct lk_span text, struct lk_cli_out *out, unsigned width);
};

/* The session of a person at a console. */
struct lk_cli_session {
    bool over;    /* it ended while the console was in use */
    bool refused; /* the permission for a command: to be noted */
    char token[LK_TOKEN_SIZE];
    struct lk_id id;
    char user[65];
    char tenant[101];
    uint64_t note_due; /* monotonic ms up to which its refusals are noted */
};

#define LK_CLI_SECRET_MAX LK_PASSWORD_MAX

/*
 * Room for one command. Big: a device has one, static. What is in it from LK_CLI_WORK_LENT on is
 * not needed while a password is hashed, and may be overwritten by zeros: a small device hashes
 * there.
 */
struct lk_cli_work {
    struct lk_cli_args args;
    uint8_t secrets[3][LK_CLI_SECRET_MAX]; /* wiped after every command */
    char token[LK_TOKEN_SIZE];             /* likewise */
    size_t used;                           /* of `values`, by what must stay */
    struct lk_txn txn;
    struct lk_list list;
    struct lk_filter filters[LK_CLI_FILTERS_MAX];
    union lk_any_record record, other;
    char cell[LK_CLI_CELL_MAX]; /* one value of a table; an audit entry in words, and its tags */
    struct {
        uint32_t tenant;
        char name[101];
    } label; /* of the tenant shown last */
    /* Bytes given, then a copy of the record being shown; and the name of an approver, for which
     * there is no room on a board that hashes here (BOARD_WITHOUT lk_approve). */
    uint8_t values[LK_VALUE_MAX + LK_CLI_VALUES_MORE];
};
#define LK_CLI_WORK_LENT offsetof(struct lk_cli_work, txn)

struct lk_cli {
    /* Filled by the front end. */
    const char *program;                        /* as errors name it */
    const struct lk_cli_command *const *tables; /* searched in order; NULL at the end */
    const struct lk_cli_option *board_options;  /* more global options; or NULL */
    const struct lk_cli_env *env;
    void *self;
    struct lk_cli_out *out, *err;
    struct lk_cli_work *work;
    struct lk_store *store;         /* NULL: env->open gives it */
    bool at_console;                /* errors are told with their number */
    bool framed;                    /* a program is there: nothing is asked twice */
    bool json_always;               /* as if --json stood in every command */
    struct lk_cli_session *session; /* of who is logged in at a console; NULL: nobody */
    void *hash_work;                /* for password hashes; NULL where the port has its own */
    size_t hash_work_size;
    const struct lk_kind *const *kinds; /* the application's own, NULL at the end; or NULL */
    unsigned width;                     /* columns; 0: 80 */
    bool progress;                      /* somebody watches `err` */
    bool terminal;                      /* and `out` */
    const char *tenant_name;            /* unless --tenant says another; or NULL */
    /* Of the command that runs. */
    const struct lk_cli_command *command;
    const char *noun; /* as far as was understood, for messages */
    bool json, quiet, help;
    bool told; /* an error was reported */
    const char *tenant_given;
    bool of_store; /* --store: about the store itself, in no tenant */
    uint32_t tenant;
    struct lk_approval approval; /* of a second person, for this command */
    struct lk_problem problem;
};

/* Runs one command; answers enum lk_cli_exit. `words` do not have the program's name. */
int lk_cli_run(struct lk_cli *cli, size_t count, const char *const *words);
/* For handlers of commands with LK_CLI_NO_STORE that need it after all. */
int lk_cli_open(struct lk_cli *cli, bool read_only);

/* ---- lk_cli_args.c --------------------------------------------------------------------------- */

/* Words to a command with its arguments. LK_E_USAGE with cli->problem. */
int lk_cli_parse(struct lk_cli *cli, size_t count, const char *const *words,
                 struct lk_cli_args *args);
/* The value of an option, "" for a switch; NULL when it was not given. The last one counts. */
const char *lk_cli_option(const struct lk_cli_args *args, const char *name);
/* The nth time that it was given, from 0. */
const char *lk_cli_option_at(const struct lk_cli_args *args, const char *name, size_t n);
/* A whole number; `initial` when it was not given. */
int lk_cli_option_number(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                         uint64_t initial, uint64_t *number);
/* 0 when it was not given. Needs an open transaction for the time that a span counts from. */
int lk_cli_option_time(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                       uint64_t *ms);
/* The same where only the past makes sense: "7d" is seven days ago. */
int lk_cli_option_past(struct lk_cli *cli, const struct lk_cli_args *args, const char *name,
                       uint64_t *ms);
/* Row by number over all tables; NULL past the end. */
const struct lk_cli_command *lk_cli_row(const struct lk_cli *cli, size_t n);
/* True when a console may offer it. */
bool lk_cli_row_offered(const struct lk_cli *cli, const struct lk_cli_command *row);
const struct lk_cli_command *lk_cli_find(const struct lk_cli *cli, struct lk_span noun,
                                         struct lk_span verb);
/* The nearest of several words; NULL when none is near. Call `next` with each. */
struct lk_cli_nearest {
    struct lk_span word;
    const char *best;
    size_t distance;
};
void lk_cli_nearest_begin(struct lk_cli_nearest *nearest, struct lk_span word);
void lk_cli_nearest_try(struct lk_cli_nearest *nearest, const char *candidate);

/* ---- lk_cli_text.c: plain text out ----------------------------------------------------------- */

struct lk_span lk_cli_span(const char *text);
bool lk_cli_same(const char *a, const char *b);
void lk_cli_put(struct lk_cli_out *out, const char *text);
void lk_cli_put_bytes(struct lk_cli_out *out, const void *data, size_t size);
void lk_cli_put_number(struct lk_cli_out *out, uint64_t number);
void lk_cli_put_time(struct lk_cli_out *out, uint64_t ms);
void lk_cli_put_spaces(struct lk_cli_out *out, size_t count);
/* Controls, line separators, and the marks that turn the direction of what follows. */
bool lk_cli_drives_terminal(uint32_t code);
/* Text from the store or a person: what could drive a terminal is replaced by '?'. */
void lk_cli_put_text(struct lk_cli_out *out, struct lk_span text);
/* Words wrapped at `width`, each line after `indent` spaces. */
void lk_cli_put_wrapped(struct lk_cli_out *out, const char *text, size_t indent, size_t width);
/* The same where the first line's indent was written already. */
void lk_cli_put_wrapped_on(struct lk_cli_out *out, const char *text, size_t indent, size_t width);
/* One character off the front: its size, or 0 for a byte that is not UTF-8 (`code` is the byte). */
size_t lk_cli_utf8(struct lk_span text, uint32_t *code);
/* Columns that text takes on a terminal, where each character takes one. */
size_t lk_cli_columns(struct lk_span text);

/* An output into memory, cut when it is full. */
struct lk_cli_buffer {
    char *data;
    size_t size, capacity;
};
void lk_cli_buffer_out(struct lk_cli_out *out, struct lk_cli_buffer *buffer, char *data,
                       size_t capacity);

/* Overwrites; not removed by a compiler. */
void lk_cli_wipe(void *data, size_t size);

/* ---- lk_cli_json.c --------------------------------------------------------------------------- */

#define LK_CLI_JSON_DEPTH 12

/* A JSON text being written; commas are its business. */
struct lk_cli_json {
    struct lk_cli_out *out;
    unsigned depth;
    uint16_t more; /* bit n: level n has a member */
    bool after_key;
};

void lk_cli_json_begin(struct lk_cli_json *json, struct lk_cli_out *out);
void lk_cli_json_open(struct lk_cli_json *json, char bracket); /* '{' or '[' */
void lk_cli_json_close(struct lk_cli_json *json, char bracket);
void lk_cli_json_key(struct lk_cli_json *json, const char *key);
/* Escaped; what is not UTF-8 becomes U+FFFD. */
void lk_cli_json_text(struct lk_cli_json *json, struct lk_span text);
void lk_cli_json_number(struct lk_cli_json *json, uint64_t number);
void lk_cli_json_bool(struct lk_cli_json *json, bool value);
void lk_cli_json_null(struct lk_cli_json *json);
/* Milliseconds as RFC 3339; 0 is null. */
void lk_cli_json_time(struct lk_cli_json *json, uint64_t ms);
/* Deterministic CBOR; null where it is damaged. Byte strings come as base64url. */
void lk_cli_json_cbor(struct lk_cli_json *json, struct lk_span cbor);
/* Ends the line; every level is closed. */
void lk_cli_json_end(struct lk_cli_json *json);

/* ---- lk_cli_error.c -------------------------------------------------------------------------- */

int lk_cli_exit_of(int error);
/* A word for programs: "check", "not_found". */
const char *lk_cli_error_name(int error);
/* Puts a refusal of the command line's own into cli->problem and answers `error`. `field` and
 * `given` may be NULL. */
int lk_cli_refuse(struct lk_cli *cli, int error, const char *field, const char *given,
                  const char *rule);
/* Tells of `error`, with what cli->problem or the transaction knows of it; answers the exit
 * status. */
int lk_cli_report(struct lk_cli *cli, int error);

/* ---- lk_cli_note.c ----------------------------------------------------------------------------
 */

/* A refused command goes into the audit: eight at once, then one a second, since nobody who is
 * logged in shall wear the medium out. The refusal stands, whatever comes of this. */
void lk_cli_note(struct lk_cli *cli);

/* ---- lk_cli_store.c: transactions, and records by the names people use ----------------------- */

/* On a console, the session is checked again inside the transaction. */
int lk_cli_begin(struct lk_cli *cli, enum lk_mode mode);
int lk_cli_commit(struct lk_cli *cli);
void lk_cli_abort(struct lk_cli *cli);
/* Is the session good, and may it do this command? LK_E_STATE: the session is over. */
int lk_cli_allowed(struct lk_cli *cli);
/* Finds the tenant of a command with LK_CLI_TENANT. */
int lk_cli_find_tenant(struct lk_cli *cli);
int lk_cli_tenant(struct lk_cli *cli, const char *name, struct lk_id *id);
int lk_cli_user(struct lk_cli *cli, const char *who, struct lk_id *id);
/* lk_cli_begin, then lk_cli_user. */
int lk_cli_begin_user(struct lk_cli *cli, enum lk_mode mode, const char *who, struct lk_id *id);
/* Any kind that has a name, tenants and users too. */
int lk_cli_named(struct lk_cli *cli, const struct lk_kind *kind, const char *name,
                 struct lk_id *id);
/* A soft-deleted one, by name or "#number". */
int lk_cli_removed(struct lk_cli *cli, const struct lk_kind *kind, const char *name,
                   struct lk_id *id);
/* A permission by name or resource:action. */
int lk_cli_permission(struct lk_cli *cli, const char *name, struct lk_id *id);
/* "resource:action" in two. */
int lk_cli_pair(struct lk_cli *cli, const char *text, struct lk_span *resource,
                struct lk_span *action);
/* lk_cli_permission.c: "resource:action" with the options --channel, --ip (into `ip`), --owner and
 * --at. Needs an open transaction. */
int lk_cli_question(struct lk_cli *cli, const struct lk_cli_args *args, const char *pair,
                    uint8_t ip[16], struct lk_question *question);
/* "#12", "12.3": numbers of an id. */
int lk_cli_number(struct lk_cli *cli, const char *field, const char *text, uint32_t *number);
/* The number that a kind's records are known by. */
uint32_t lk_cli_id_number(const struct lk_kind *kind, struct lk_id id);
struct lk_id lk_cli_id_of(const struct lk_kind *kind, uint32_t tenant, uint32_t number);
/* The field that names a record of this kind to people; NULL: none. */
const struct lk_field *lk_cli_name_field(const struct lk_kind *kind);
/* Asks before what cannot be undone, where there is somebody to ask and --yes was not given. */
int lk_cli_confirm(struct lk_cli *cli, const struct lk_cli_args *args, const char *question);

/* ---- lk_cli_secret.c ------------------------------------------------------------------------- */

/*
 * A secret into work->secrets[slot]: with `from_stdin` a line of standard input, else from the
 * person, asked `twice` where it is a new one.
 */
int lk_cli_secret(struct lk_cli *cli, const char *prompt, bool from_stdin, bool twice,
                  unsigned slot, struct lk_span *secret);
/* A token given as an argument, or "-": a line of standard input. */
int lk_cli_token(struct lk_cli *cli, const char *word, struct lk_span *token);
/* A code of a second factor, likewise. */
int lk_cli_code(struct lk_cli *cli, const char *word, struct lk_span *code);
/* Asks a password and logs in: with a new password where one must be set, and with a code, of a
 * second factor made there and then if need be, where one is asked for. */
struct lk_cli_login {
    uint32_t tenant;
    const char *tenant_name; /* with tenant 0: what was asked for; or NULL */
    const char *name;
    bool from_stdin;
    const char *code; /* as an argument; NULL: asked for when needed */
    enum lk_channel channel;
    struct lk_span device_cookie; /* or empty */
    const char *remember;         /* the name to remember the device by; or NULL */
};
int lk_cli_login(struct lk_cli *cli, const struct lk_cli_login *login,
                 struct lk_login_result *result);

/* ---- lk_cli_factor.c ------------------------------------------------------------------------- */

/* The part of credential add that is about second factors. */
lk_cli_handler lk_cli_factor_add;
/* What an authenticator is to be told, as a URI, and drawn where that can be. */
int lk_cli_offer(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_totp_offer *offer,
                 bool draws);

/* ---- lk_cli_approve.c: what a console asks for besides the right ---------------------------- */

/* A second person's name and password, for the command that runs: into cli->approval. */
int lk_cli_approve(struct lk_cli *cli);
/* The password of whoever is logged in: a new session in place of the old one. */
int lk_cli_step_up(struct lk_cli *cli);

/* ---- lk_cli_value.c: values of records ------------------------------------------------------- */

/* The field=value words into a record. An empty value goes into `clear` (NULL: is left out). */
int lk_cli_fields(struct lk_cli *cli, const struct lk_cli_args *args, struct lk_record *record,
                  uint64_t *clear);
/* One of them. */
int lk_cli_field_parse(struct lk_cli *cli, const struct lk_kind *kind,
                       const struct lk_cli_field *given, struct lk_record *record);
/* Copies a record's texts to work->values, so that it outlives the next calls. */
int lk_cli_keep(struct lk_cli *cli, const struct lk_kind *kind, struct lk_record *record);
bool lk_cli_field_shown(const struct lk_field *field);
/* True where the record has no value, nor one that is read in its place. */
bool lk_cli_field_empty(const struct lk_field *field, const struct lk_record *record);
void lk_cli_field_text(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_field *field,
                       const struct lk_record *record);
void lk_cli_field_json(struct lk_cli *cli, struct lk_cli_json *json, const struct lk_field *field,
                       const struct lk_record *record);
/* The name of a record that another refers to, or "#number" where it was removed or has no name;
 * "-" and null where it is gone. */
void lk_cli_ref_text(struct lk_cli *cli, struct lk_cli_out *out, const struct lk_kind *kind,
                     struct lk_id id);
void lk_cli_ref_json(struct lk_cli *cli, struct lk_cli_json *json, const struct lk_kind *kind,
                     struct lk_id id);
void lk_cli_id_text(struct lk_cli_out *out, const struct lk_kind *kind, struct lk_id id);
/* Members "id", "tenant" and, for what belongs to a user, "user". */
void lk_cli_id_json(struct lk_cli *cli, struct lk_cli_json *json, const struct lk_kind *kind,
                    struct lk_id id);
/* The name of a tenant; empty for none. */
const char *lk_cli_tenant_label(struct lk_cli *cli, uint32_t tenant);

/* ---- lk_cli_record.c: whole records, whatever their kind ------------------------------------- */

/* Shows a record that was kept: as lines, or as one JSON object. */
void lk_cli_show(struct lk_cli *cli, const struct lk_kind *kind, const struct lk_record *record);
void lk_cli_show_json(struct lk_cli *cli, const struct lk_kind *kind,
                      const struct lk_record *record);
/* Reads it with its computed fields, then shows it. */
int lk_cli_show_id(struct lk_cli *cli, const struct lk_kind *kind, struct lk_id id);
/* Begins a change, and reads a new record of a kind from what follows its name in the command. */
int lk_cli_new(struct lk_cli *cli, const struct lk_kind *kind, const struct lk_cli_args *args);
/* Adds that record, commits, and tells its number. */
int lk_cli_add_new(struct lk_cli *cli, const struct lk_kind *kind, const struct lk_cli_args *args);
/* After the commit of an addition. */
int lk_cli_added(struct lk_cli *cli, const struct lk_kind *kind, struct lk_id id, const char *name);

/* After the commit of a purge: nothing of it can be read any more. */
int lk_cli_scrub(struct lk_cli *cli, uint64_t *bytes);
/* Tells it: "BEFORE N bytes of OF overwritten". Returns 0. */
int lk_cli_tell_scrubbed(struct lk_cli *cli, uint64_t bytes, const char *before, const char *of);

/* A change in a transaction of its own, committed. `apply` opens and commits none. */
int lk_cli_change(struct lk_cli *cli, const struct lk_cli_args *args, lk_cli_handler *apply);
/* Changes that can be tried, too (permission diff): the arguments as of the command. */
lk_cli_handler lk_cli_apply_set, lk_cli_apply_remove, lk_cli_apply_restore;
lk_cli_handler lk_cli_apply_grant, lk_cli_apply_revoke, lk_cli_apply_permit, lk_cli_apply_forbid;

/* Commands that are alike for every kind: NAME is the first argument, the kind the command's. */
lk_cli_handler lk_cli_kind_add, lk_cli_kind_show, lk_cli_kind_list, lk_cli_kind_set,
    lk_cli_kind_remove, lk_cli_kind_restore, lk_cli_kind_purge;

/* ---- lk_cli_list.c --------------------------------------------------------------------------- */

extern const struct lk_cli_option lk_cli_list_options[];
/* A page of records of a kind, with the options above and field=value filters. */
int lk_cli_list(struct lk_cli *cli, const struct lk_cli_args *args, const struct lk_kind *kind,
                struct lk_id scope);
/* What closes a page: to stderr, or a last object. `next` may be empty. */
void lk_cli_page(struct lk_cli *cli, uint64_t count, const char *next);

/* ---- Handlers, by file ----------------------------------------------------------------------- */

lk_cli_handler lk_cli_tenant_add, lk_cli_tenant_show, lk_cli_tenant_set, lk_cli_tenant_suspend,
    lk_cli_tenant_activate;
lk_cli_handler lk_cli_user_add, lk_cli_user_find, lk_cli_user_passwd, lk_cli_user_suspend,
    lk_cli_user_activate, lk_cli_user_unlock;
lk_cli_handler lk_cli_login_command, lk_cli_logout, lk_cli_session_check, lk_cli_session_list,
    lk_cli_session_end, lk_cli_session_end_all;
lk_cli_handler lk_cli_device_list, lk_cli_device_name, lk_cli_device_trust, lk_cli_device_forget;
lk_cli_handler lk_cli_clock_show, lk_cli_clock_set;
lk_cli_handler lk_cli_credential_list, lk_cli_credential_add, lk_cli_credential_remove,
    lk_cli_credential_confirm;
lk_cli_handler lk_cli_role_grant, lk_cli_role_revoke, lk_cli_role_permit, lk_cli_role_forbid,
    lk_cli_permission_add, lk_cli_permission_show, lk_cli_permission_remove,
    lk_cli_permission_check, lk_cli_permission_why, lk_cli_permission_diff;
lk_cli_handler lk_cli_audit_list, lk_cli_audit_export, lk_cli_audit_head, lk_cli_audit_verify;
/* Tells of a fault that a verification found; `context` is the struct lk_cli. */
int lk_cli_fault(void *context, const struct lk_fault_report *fault);
lk_cli_handler lk_cli_calibrate;
lk_cli_handler lk_cli_verify, lk_cli_stats, lk_cli_maintain, lk_cli_compact, lk_cli_describe,
    lk_cli_help;

/* ---- lk_cli_complete.c ----------------------------------------------------------------------- */

/* Calls `each` with every word that may stand after `words` (without the last, unfinished one,
 * `part`) and begins with it. */
void lk_cli_complete(const struct lk_cli *cli, size_t count, const char *const *words,
                     const char *part, void (*each)(void *context, const char *word, bool open),
                     void *context);

/* ---- lk_cli_help.c --------------------------------------------------------------------------- */

/* For the words understood so far: all commands, those of a noun, or one. */
void lk_cli_help_for(struct lk_cli *cli, const char *noun, const struct lk_cli_command *row);
/* "user add NAME [field=value…] [--password-stdin]" */
void lk_cli_usage(struct lk_cli_out *out, const struct lk_cli_command *row);
/* A field's type, limits and rules, in words. */
void lk_cli_field_rules(struct lk_cli_out *out, const struct lk_field *field);

#endif
