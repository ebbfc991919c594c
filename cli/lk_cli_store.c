// SPDX-License-Identifier: MIT
/* lk_cli_store.c: transactions of a command, and records by the names people use for them. */
#include "lk_cli.h"

#include <string.h>

#include "lk_text.h"

/* The tenant that init makes. Its people own the device, so at a console only they manage other
 * tenants; nobody sees into another tenant from there. */
#define STORE_FIRST_TENANT 1

/* ---- Transactions ---------------------------------------------------------------------------- */

static int store_begin(struct lk_cli *cli, enum lk_mode mode)
{
    struct lk_actor actor = {.channel = LK_CHANNEL_CLI};

    if (cli->session) {
        actor.tenant = cli->session->id.tenant;
        actor.user = cli->session->id.user;
        actor.session = cli->session->id.sub;
        actor.channel = LK_CHANNEL_CONSOLE;
        actor.approver = cli->approval.approver;
    }
    return lk_begin(cli->store, &cli->work->txn, mode, &actor);
}

/* Whose records a command is about: its usage tells which word names a user. 0: nobody's. */
static uint32_t store_owner(struct lk_cli *cli)
{
    const struct lk_cli_args *args = &cli->work->args;
    const char *usage = cli->command->args;
    struct lk_id id;
    size_t word;

    for (word = 0; word < args->count; word++) {
        size_t size = strcspn(usage, " ");
        bool names =
            (size == 4 && !memcmp(usage, "USER", 4)) || (size == 6 && !memcmp(usage, "[USER]", 6));

        if (names) {
            struct lk_span who = lk_cli_span(args->words[word]);

            return lk_find_user(&cli->work->txn, cli->session->id.tenant, who, &id) ? 0 : id.user;
        }
        usage += size + (usage[size] ? 1 : 0);
    }
    return 0;
}

static int store_refused(struct lk_cli *cli, int answer)
{
    const struct lk_cli_command *row = cli->command;
    struct lk_cli_buffer buffer;
    struct lk_cli_out out;

    if (answer != LK_E_REFUSED && answer != LK_E_STEP_UP && answer != LK_E_APPROVAL) {
        return answer;
    }
    lk_cli_buffer_out(&out, &buffer, cli->work->cell, sizeof(cli->work->cell) - 1);
    lk_cli_put(&out, answer == LK_E_REFUSED   ? "needs the permission "
                     : answer == LK_E_STEP_UP ? "needs a newer login for "
                                              : "needs a second person for ");
    lk_cli_put(&out, row->resource);
    lk_cli_put(&out, ":");
    lk_cli_put(&out, row->action);
    buffer.data[buffer.size] = '\0';
    return lk_cli_refuse(cli, answer, NULL, NULL, buffer.data);
}

static int store_check(struct lk_cli *cli, struct lk_verdict *verdict)
{
    struct lk_cli_session *session = cli->session;
    const struct lk_cli_command *row = cli->command;
    struct lk_span token = lk_cli_span(session->token);
    struct lk_question question = {.approval = &cli->approval};
    struct lk_txn *txn = &cli->work->txn;
    int error = lk_session_check(txn, session->id.tenant, token, NULL, verdict);

    if (error) {
        session->over = error == LK_E_REFUSED;
        return session->over ? lk_cli_refuse(cli, LK_E_REFUSED, NULL, NULL, "the session is over")
                             : error;
    }
    if ((row->flags & LK_CLI_WHOLE_STORE || cli->of_store) &&
        session->id.tenant != STORE_FIRST_TENANT) {
        session->refused = true;
        return lk_cli_refuse(cli, LK_E_REFUSED, NULL, NULL,
                             "is about the whole store, and not for people of this tenant");
    }
    if (row->flags & LK_CLI_ANYONE) {
        return 0;
    }
    question.resource = lk_cli_span(row->resource);
    question.action = lk_cli_span(row->action);
    question.owner = store_owner(cli);
    error = lk_session_check(txn, session->id.tenant, token, &question, verdict);
    session->refused = error == LK_E_REFUSED;
    return store_refused(cli, error);
}

int lk_cli_allowed(struct lk_cli *cli)
{
    struct lk_verdict verdict;
    int error = store_begin(cli, LK_READ);

    if (!error) {
        error = store_check(cli, &verdict);
        lk_abort(&cli->work->txn);
    }
    if (!error && verdict.touch_due) {
        error = store_begin(cli, LK_WRITE);
        if (!error) {
            error = lk_session_touch(&cli->work->txn, &verdict);
            error = error ? error : lk_commit(&cli->work->txn);
            lk_abort(&cli->work->txn);
        }
    }
    return error;
}

int lk_cli_begin(struct lk_cli *cli, enum lk_mode mode)
{
    struct lk_verdict verdict;
    int error = store_begin(cli, mode);

    /* Asked for a password, a person may take minutes: rights may have gone meanwhile. */
    if (!error && cli->session) {
        error = store_check(cli, &verdict);
        if (error) {
            lk_abort(&cli->work->txn);
        }
    }
    return error;
}

int lk_cli_commit(struct lk_cli *cli)
{
    return lk_commit(&cli->work->txn);
}

void lk_cli_abort(struct lk_cli *cli)
{
    lk_abort(&cli->work->txn);
}

/* ---- Ids ------------------------------------------------------------------------------------- */

uint32_t lk_cli_id_number(const struct lk_kind *kind, struct lk_id id)
{
    switch ((enum lk_shape)kind->shape) {
    case LK_SHAPE_TENANT: return id.tenant;
    case LK_SHAPE_USER:
    case LK_SHAPE_ONE_A_USER: return id.user;
    default: return id.sub;
    }
}

struct lk_id lk_cli_id_of(const struct lk_kind *kind, uint32_t tenant, uint32_t number)
{
    switch ((enum lk_shape)kind->shape) {
    case LK_SHAPE_TENANT: return (struct lk_id){number, 0, 0};
    case LK_SHAPE_USER:
    case LK_SHAPE_ONE_A_USER: return (struct lk_id){tenant, number, 0};
    default: return (struct lk_id){tenant, 0, number};
    }
}

int lk_cli_number(struct lk_cli *cli, const char *field, const char *text, uint32_t *number)
{
    uint64_t wide;

    *number = 0;
    if (lk_uint_parse(lk_cli_span(text[0] == '#' ? text + 1 : text), &wide) || !wide ||
        wide > UINT32_MAX) {
        return lk_cli_refuse(cli, LK_E_USAGE, field, text, "is not a number of a record");
    }
    *number = (uint32_t)wide;
    return 0;
}

/* ---- Names ----------------------------------------------------------------------------------- */

const struct lk_field *lk_cli_name_field(const struct lk_kind *kind)
{
    size_t i;

    for (i = 0; i < kind->index_count; i++) {
        const struct lk_index *index = &kind->indexes[i];
        const struct lk_field *field = lk_field_numbered(kind, index->fields[0]);

        if (index->flags & LK_I_UNIQUE && !index->fields[1] && field && field->type == LK_STRING) {
            return field;
        }
    }
    return NULL;
}

static int store_missing(struct lk_cli *cli, const struct lk_kind *kind, const char *name)
{
    return lk_cli_refuse(cli, LK_E_NOT_FOUND, kind->name, name, "does not exist");
}

/* What every look-up of a tenant ends in, `found` being how it went. At a console only people of
 * the first tenant learn of others. */
static int store_tenant_seen(const struct lk_cli *cli, struct lk_id id, int found)
{
    const struct lk_cli_session *session = cli->session;
    bool own = !found && session && session->id.tenant == id.tenant;

    if (!session || session->id.tenant == STORE_FIRST_TENANT || own) {
        return found;
    }
    /* That there are several of a name tells of them, too. */
    return !found || found == LK_E_CONFLICT ? LK_E_NOT_FOUND : found;
}

int lk_cli_tenant(struct lk_cli *cli, const char *name, struct lk_id *id)
{
    int error;

    *id = (struct lk_id){0, 0, 0};
    if (name[0] == '#') {
        error = lk_cli_number(cli, "tenant", name, &id->tenant);
        error =
            error ? error : lk_get(&cli->work->txn, &lk_kind_tenant, *id, &cli->work->other.record);
    } else {
        error = lk_find_tenant(&cli->work->txn, lk_cli_span(name), id);
    }
    error = store_tenant_seen(cli, *id, error);
    return error == LK_E_NOT_FOUND ? store_missing(cli, &lk_kind_tenant, name) : error;
}

/* Without a name there must be one tenant only. */
static int store_only_tenant(struct lk_cli *cli)
{
    struct lk_list *list = &cli->work->list;
    struct lk_record *record = &cli->work->record.record;
    int error;

    memset(list, 0, sizeof(*list));
    list->kind = &lk_kind_tenant;
    error = lk_list_begin(&cli->work->txn, list);
    if (!error) {
        error = lk_list_next(list, record);
        cli->tenant = record->id.tenant;
        if (error == LK_E_NOT_FOUND) {
            error = lk_cli_refuse(cli, error, NULL, NULL, "the store has no tenant yet");
        } else if (!error) {
            error = lk_list_next(list, record);
            error = error == LK_E_NOT_FOUND ? 0
                    : error                 ? error
                                            : lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL,
                                                            "the store has several tenants: say which by --tenant");
        }
        lk_list_end(list);
    }
    return error;
}

int lk_cli_find_tenant(struct lk_cli *cli)
{
    const char *name = cli->tenant_given ? cli->tenant_given : cli->tenant_name;
    struct lk_id id = {0, 0, 0};
    int error;

    if (cli->session) {
        cli->tenant = cli->session->id.tenant;
        if (cli->tenant_given && !lk_text_equal_fold(lk_cli_span(cli->tenant_given),
                                                     lk_cli_span(cli->session->tenant))) {
            return store_missing(cli, &lk_kind_tenant, cli->tenant_given);
        }
        return 0;
    }
    error = store_begin(cli, LK_READ);
    if (error) {
        return error;
    }
    if (name && name[0]) {
        error = lk_cli_tenant(cli, name, &id);
        cli->tenant = id.tenant;
    } else {
        error = store_only_tenant(cli);
    }
    lk_abort(&cli->work->txn);
    return error;
}

int lk_cli_user(struct lk_cli *cli, const char *who, struct lk_id *id)
{
    uint32_t number;
    int error = 0;

    /* An address may begin so, too. */
    if (who[0] == '#' && !strchr(who, '@')) {
        error = lk_cli_number(cli, "user", who, &number);
    }
    if (!error) {
        error = lk_find_user(&cli->work->txn, cli->tenant, lk_cli_span(who), id);
    }
    return error == LK_E_NOT_FOUND ? store_missing(cli, &lk_kind_user, who) : error;
}

int lk_cli_begin_user(struct lk_cli *cli, enum lk_mode mode, const char *who, struct lk_id *id)
{
    int error = lk_cli_begin(cli, mode);

    return error ? error : lk_cli_user(cli, who, id);
}

int lk_cli_named(struct lk_cli *cli, const struct lk_kind *kind, const char *name, struct lk_id *id)
{
    uint32_t number = 0;
    int error;

    if (kind == &lk_kind_tenant) {
        return lk_cli_tenant(cli, name, id);
    }
    if (kind == &lk_kind_user) {
        return lk_cli_user(cli, name, id);
    }
    if (name[0] == '#') {
        error = lk_cli_number(cli, kind->name, name, &number);
        if (error) {
            return error;
        }
        *id = lk_cli_id_of(kind, cli->tenant, number);
        error = lk_get(&cli->work->txn, kind, *id, &cli->work->other.record);
    } else {
        error = lk_find_named(&cli->work->txn, kind, cli->tenant, lk_cli_span(name), id);
    }
    return error == LK_E_NOT_FOUND ? store_missing(cli, kind, name) : error;
}

/* The one record that passes the filters in the work area. LK_E_CONFLICT when there are more. */
static int store_search(struct lk_cli *cli, const struct lk_kind *kind, size_t filter_count,
                        bool deleted, struct lk_id *id)
{
    struct lk_list *list = &cli->work->list;
    struct lk_record *record = &cli->work->other.record;
    int error;

    memset(list, 0, sizeof(*list));
    list->kind = kind;
    list->scope.tenant = kind->shape == LK_SHAPE_TENANT ? 0 : cli->tenant;
    list->filters = cli->work->filters;
    list->filter_count = filter_count;
    list->deleted = deleted;
    error = lk_list_begin(&cli->work->txn, list);
    if (error) {
        return error;
    }
    error = lk_list_next(list, record);
    *id = record->id;
    if (!error) {
        error = lk_list_next(list, record);
        error = error == LK_E_NOT_FOUND ? 0 : error ? error : LK_E_CONFLICT;
    }
    lk_list_end(list);
    return error;
}

int lk_cli_removed(struct lk_cli *cli, const struct lk_kind *kind, const char *name,
                   struct lk_id *id)
{
    struct lk_record *record = &cli->work->other.record;
    const struct lk_field *field = lk_cli_name_field(kind);
    uint32_t number = 0;
    int error;

    *id = (struct lk_id){0, 0, 0};
    if (name[0] == '#') {
        error = lk_cli_number(cli, kind->name, name, &number);
        if (error) {
            return error;
        }
        *id = lk_cli_id_of(kind, cli->tenant, number);
        error = lk_get_deleted(&cli->work->txn, kind, *id, record);
        if (!error && !record->deleted_at) {
            error = LK_E_NOT_FOUND;
        }
    } else if (field) {
        cli->work->filters[0] = (struct lk_filter){.field = field, .span = lk_cli_span(name)};
        error = store_search(cli, kind, 1, true, id);
    } else {
        error = LK_E_NOT_FOUND;
    }
    if (kind == &lk_kind_tenant) {
        error = store_tenant_seen(cli, *id, error);
    }
    if (error == LK_E_CONFLICT) {
        return lk_cli_refuse(cli, error, kind->name, name,
                             "was removed more than once: say which by #number (list --deleted)");
    }
    return error == LK_E_NOT_FOUND
               ? lk_cli_refuse(cli, error, kind->name, name, "is not among the removed")
               : error;
}

int lk_cli_pair(struct lk_cli *cli, const char *text, struct lk_span *resource,
                struct lk_span *action)
{
    const char *colon = strrchr(text, ':');

    if (!colon || colon == text || !colon[1]) {
        return lk_cli_refuse(cli, LK_E_USAGE, "permission", text,
                             "has not the form resource:action");
    }
    *resource = (struct lk_span){(const uint8_t *)text, (size_t)(colon - text)};
    *action = lk_cli_span(colon + 1);
    return 0;
}

int lk_cli_permission(struct lk_cli *cli, const char *name, struct lk_id *id)
{
    struct lk_filter *filters = cli->work->filters;
    int error = lk_cli_named(cli, &lk_kind_permission, name, id);

    if (error != LK_E_NOT_FOUND || name[0] == '#' || !strchr(name, ':')) {
        return error;
    }
    filters[0].field = lk_field_named(&lk_kind_permission, LK_TEXT("resource"));
    filters[1].field = lk_field_named(&lk_kind_permission, LK_TEXT("action"));
    error = lk_cli_pair(cli, name, &filters[0].span, &filters[1].span);
    if (error) {
        return error;
    }
    error = store_search(cli, &lk_kind_permission, 2, false, id);
    if (error == LK_E_CONFLICT) {
        return lk_cli_refuse(cli, error, "permission", name,
                             "is given by more than one permission: say which by its name");
    }
    return error == LK_E_NOT_FOUND ? store_missing(cli, &lk_kind_permission, name) : error;
}

int lk_cli_confirm(struct lk_cli *cli, const struct lk_cli_args *args, const char *question)
{
    int answer;

    if (lk_cli_option(args, "yes") || !cli->env->confirm) {
        return 0;
    }
    answer = cli->env->confirm(cli->self, question);
    if (answer == LK_E_UNSUPPORTED || answer == 1) {
        return 0;
    }
    return answer ? answer : lk_cli_refuse(cli, LK_E_REFUSED, NULL, NULL, "not confirmed");
}
