// SPDX-License-Identifier: MIT
/*
 * lk_cli_diff.c: who would gain or lose what by a change of a role or a grant.
 *
 * The change is made in a write transaction that is given up again. What users hold before it has
 * to be known by then: of a few users at a time, as much as there is room for, and for the next few
 * it is made anew.
 */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

#define DIFF_USERS 16

/* Half of the room for values is the arguments' own. */
#define DIFF_ROOM (sizeof(((struct lk_cli_work *)0)->values) / 2)

static const struct diff_verb {
    const char *verb;
    size_t min_args, max_args;
    lk_cli_handler *apply;
    size_t role;   /* which word names the role */
    bool one_user; /* the first word names the only user in question */
} diff_verbs[] = {
    {"set", 1, 1, lk_cli_apply_set, 0, false},
    {"permit", 2, LK_CLI_MANY, lk_cli_apply_permit, 0, false},
    {"forbid", 2, LK_CLI_MANY, lk_cli_apply_forbid, 0, false},
    {"remove", 1, 1, lk_cli_apply_remove, 0, false},
    {"restore", 1, 1, lk_cli_apply_restore, 0, false},
    {"grant", 2, 2, lk_cli_apply_grant, 1, true},
    {"revoke", 2, 2, lk_cli_apply_revoke, 1, true},
};

struct diff_job {
    struct lk_cli *cli;
    const struct diff_verb *verb;
    struct lk_id role, user;
    uint64_t limit, count; /* users told of */
    size_t room;           /* users at a time */
    size_t taken;
    uint32_t users[DIFF_USERS];
    uint8_t *before; /* LK_PERMISSION_BYTES each */
    char cursor[LK_CURSOR_SIZE];
    bool more;
};

/* ---- The change ------------------------------------------------------------------------------ */

/* Takes "[role] VERB" off the front of the words. */
static int diff_take_verb(struct lk_cli *cli, struct lk_cli_args *args,
                          const struct diff_verb **found)
{
    size_t i, words = args->count > 1 && lk_cli_same(args->words[0], "role") ? 2 : 1;
    const char *verb = args->words[words - 1];

    for (i = 0; i < sizeof(diff_verbs) / sizeof(diff_verbs[0]); i++) {
        *found = &diff_verbs[i];
        if (lk_cli_same(verb, diff_verbs[i].verb)) {
            args->count -= words;
            memmove(args->words, args->words + words, args->count * sizeof(args->words[0]));
            if (args->count < diff_verbs[i].min_args) {
                return lk_cli_refuse(cli, LK_E_USAGE, NULL, verb, "needs more words behind it");
            }
            return args->count > diff_verbs[i].max_args
                       ? lk_cli_refuse(cli, LK_E_USAGE, NULL, args->words[args->count - 1],
                                       "is one word too many")
                       : 0;
        }
    }
    return lk_cli_refuse(cli, LK_E_USAGE, NULL, verb,
                         "is none of set, permit, forbid, remove, restore, grant, revoke");
}

static int diff_find(struct diff_job *job, const struct lk_cli_args *args)
{
    struct lk_cli *cli = job->cli;
    const char *role = args->words[job->verb->role];
    int error = job->verb->one_user ? lk_cli_user(cli, args->words[0], &job->user) : 0;

    if (error) {
        return error;
    }
    return job->verb->apply == lk_cli_apply_restore
               ? lk_cli_removed(cli, &lk_kind_role, role, &job->role)
               : lk_cli_named(cli, &lk_kind_role, role, &job->role);
}

/* ---- Whom it may concern --------------------------------------------------------------------- */

/* Is the role, or one above it, the one that changes? */
static int diff_inherits(struct diff_job *job, uint32_t number, bool *inherits)
{
    struct lk_role *role = &job->cli->work->other.role;
    struct lk_id id = {job->role.tenant, 0, number};
    unsigned depth;
    int error = 0;

    *inherits = false;
    for (depth = 0; !error && id.sub && depth <= LK_ROLE_DEPTH; depth++) {
        if (id.sub == job->role.sub) {
            *inherits = true;
            return 0;
        }
        error = lk_get(&job->cli->work->txn, &lk_kind_role, id, &role->record);
        id.sub = error ? 0 : (uint32_t)role->parent;
    }
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int diff_concerns(struct diff_job *job, const struct lk_user *user, bool *concerns)
{
    struct lk_list grants = {.kind = &lk_kind_grant, .scope = user->record.id};
    struct lk_grant grant;
    int error = 0;

    *concerns = false;
    error = lk_list_begin(&job->cli->work->txn, &grants);
    while (!error && !*concerns) {
        error = lk_list_next(&grants, &grant.record);
        if (!error) {
            error = diff_inherits(job, grant.record.id.sub, concerns);
        }
    }
    lk_list_end(&grants);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

static int diff_take(struct diff_job *job, struct lk_id user)
{
    uint8_t *bits = job->before + job->taken * LK_PERMISSION_BYTES;
    int error = lk_rights_of(&job->cli->work->txn, user, bits);

    job->users[job->taken] = user.user;
    job->taken += error ? 0 : 1;
    return error;
}

/* The next few users from the cursor on, and what they hold. */
static int diff_collect(struct diff_job *job)
{
    struct lk_list *list = &job->cli->work->list;
    struct lk_user *user = &job->cli->work->record.user;
    bool concerns;
    int error;

    job->taken = 0;
    job->more = false;
    if (job->verb->one_user) {
        return diff_take(job, job->user);
    }
    memset(list, 0, sizeof(*list));
    list->kind = &lk_kind_user;
    list->scope.tenant = job->role.tenant;
    list->after = job->cursor[0] ? job->cursor : NULL;
    error = lk_list_begin(&job->cli->work->txn, list);
    while (!error && job->taken < job->room && job->count + job->taken < job->limit) {
        error = lk_list_next(list, &user->record);
        if (!error) {
            error = diff_concerns(job, user, &concerns);
        }
        if (!error && concerns) {
            error = diff_take(job, user->record.id);
        }
    }
    job->more = !error;
    if (!error) {
        error = lk_list_cursor(list, job->cursor);
    }
    lk_list_end(list);
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* ---- What it comes to ------------------------------------------------------------------------ */

static void diff_line(struct diff_job *job, struct lk_id user, struct lk_span resource,
                      struct lk_span action, const enum lk_right rights[2])
{
    static const char *const names[] = {"none", "conditional", "full"};
    static const char *const verbs[3][3] = {
        {"", "gains, under conditions,", "gains"},
        {"loses what there was of", "", "gains without conditions"},
        {"loses", "keeps, under conditions only,", ""},
    };
    struct lk_cli_out *out = job->cli->out;
    struct lk_cli_json json;

    if (job->cli->json) {
        char pair[160];
        struct lk_cli_buffer buffer;
        struct lk_cli_out text;

        lk_cli_buffer_out(&text, &buffer, pair, sizeof(pair));
        lk_cli_put_bytes(&text, resource.data, resource.size);
        lk_cli_put(&text, ":");
        lk_cli_put_bytes(&text, action.data, action.size);
        lk_cli_json_begin(&json, out);
        lk_cli_json_open(&json, '{');
        lk_cli_json_key(&json, "permission");
        lk_cli_json_text(&json, (struct lk_span){(const uint8_t *)pair, buffer.size});
        lk_cli_json_key(&json, "before");
        lk_cli_json_text(&json, lk_cli_span(names[rights[0]]));
        lk_cli_json_key(&json, "after");
        lk_cli_json_text(&json, lk_cli_span(names[rights[1]]));
        lk_cli_json_key(&json, "user");
        lk_cli_ref_json(job->cli, &json, &lk_kind_user, user);
        lk_cli_json_close(&json, '}');
        lk_cli_json_end(&json);
        return;
    }
    lk_cli_put(out, verbs[rights[0]][rights[1]]);
    lk_cli_put(out, " ");
    lk_cli_put_text(out, resource);
    lk_cli_put(out, ":");
    lk_cli_put_text(out, action);
    lk_cli_put(out, "  ");
    lk_cli_ref_text(job->cli, out, &lk_kind_user, user);
    lk_cli_put(out, "\n");
}

/* Every pair that some permission names, once: by that index the same ones stand together. */
static int diff_pairs(struct diff_job *job, struct lk_id user, const uint8_t *before,
                      const uint8_t *after)
{
    struct lk_txn *txn = &job->cli->work->txn;
    struct lk_list list = {.kind = &lk_kind_permission,
                           .index = lk_index_named(&lk_kind_permission, LK_TEXT("pair")),
                           .scope = {user.tenant, 0, 0}};
    struct lk_permission permission;
    uint8_t texts[150];
    struct lk_span resource = {texts, 0}, action = {texts, 0};
    bool told = false;
    int error = lk_list_begin(txn, &list);

    while (!error) {
        enum lk_right rights[2] = {LK_RIGHT_NONE, LK_RIGHT_NONE};

        error = lk_list_next(&list, &permission.record);
        if (error || (lk_span_equal(permission.resource, resource) &&
                      lk_span_equal(permission.action, action))) {
            continue;
        }
        if (permission.resource.size + permission.action.size > sizeof(texts)) {
            error = LK_E_CORRUPT;
            break;
        }
        memcpy(texts, permission.resource.data, permission.resource.size);
        memcpy(texts + permission.resource.size, permission.action.data, permission.action.size);
        resource.size = permission.resource.size;
        action = (struct lk_span){texts + resource.size, permission.action.size};
        error = lk_rights_level(txn, user.tenant, before, resource, action, &rights[0]);
        if (!error) {
            error = lk_rights_level(txn, user.tenant, after, resource, action, &rights[1]);
        }
        if (!error && rights[0] != rights[1]) {
            diff_line(job, user, resource, action, rights);
            told = true;
        }
    }
    lk_list_end(&list);
    job->count += told ? 1 : 0;
    return error == LK_E_NOT_FOUND ? 0 : error;
}

/* One try of the change, for the next few users. */
static int diff_try(struct diff_job *job, const struct lk_cli_args *args)
{
    struct lk_cli *cli = job->cli;
    uint8_t after[LK_PERMISSION_BYTES];
    size_t i;
    int error = lk_cli_begin(cli, LK_WRITE);

    cli->work->used = 0;
    if (!error) {
        error = diff_find(job, args);
    }
    if (!error) {
        error = diff_collect(job);
    }
    if (!error) {
        error = job->verb->apply(cli, args);
    }
    if (!error && cli->work->used > DIFF_ROOM) {
        error = lk_cli_refuse(cli, LK_E_LIMIT, NULL, NULL, "is too long to be tried");
    }
    for (i = 0; !error && i < job->taken; i++) {
        struct lk_id user = {job->role.tenant, job->users[i], 0};
        const uint8_t *before = job->before + i * LK_PERMISSION_BYTES;

        error = lk_rights_of(&cli->work->txn, user, after);
        if (!error && memcmp(before, after, sizeof(after)) != 0) {
            error = diff_pairs(job, user, before, after);
        }
    }
    lk_cli_abort(cli);
    return error;
}

int lk_cli_permission_diff(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct diff_job job = {.cli = cli, .before = cli->work->values + DIFF_ROOM};
    const char *after = lk_cli_option(args, "after");
    int error = diff_take_verb(cli, &cli->work->args, &job.verb);

    job.room =
        DIFF_ROOM / LK_PERMISSION_BYTES < DIFF_USERS ? DIFF_ROOM / LK_PERMISSION_BYTES : DIFF_USERS;
    if (!error) {
        error = lk_cli_option_number(cli, args, "limit", 50, &job.limit);
    }
    if (!error && after && strlen(after) >= sizeof(job.cursor)) {
        error = lk_cli_refuse(cli, LK_E_USAGE, "after", after, "is not a cursor of this list");
    }
    if (!error && after) {
        memcpy(job.cursor, after, strlen(after) + 1);
    }
    do {
        error = error ? error : diff_try(&job, args);
    } while (!error && job.more && job.count < job.limit);
    if (!error && !job.count && !cli->json && !cli->quiet && !job.more) {
        lk_cli_put(cli->out, "nobody gains or loses anything\n");
    }
    if (!error) {
        lk_cli_page(cli, job.count, job.more ? job.cursor : "");
    }
    return error;
}
