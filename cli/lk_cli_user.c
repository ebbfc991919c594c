// SPDX-License-Identifier: MIT
/* lk_cli_user.c: commands about users and tenants that their tables alone do not give. */
#include "lk_cli.h"

#include <string.h>

/* ---- Tenants --------------------------------------------------------------------------------- */

int lk_cli_tenant_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_tenant *tenant = &cli->work->record.tenant;
    struct lk_cli_field name = {lk_cli_name_field(&lk_kind_tenant), lk_cli_span(args->words[0])};
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (error) {
        return error;
    }
    memset(&cli->work->record, 0, sizeof(cli->work->record));
    error = lk_cli_fields(cli, args, &tenant->record, NULL);
    if (!error) {
        error = lk_cli_field_parse(cli, &lk_kind_tenant, &name, &tenant->record);
    }
    if (!error) {
        error = lk_tenant_add(&cli->work->txn, tenant);
    }
    id = tenant->record.id;
    if (!error) {
        error = lk_cli_commit(cli);
    }
    return error ? error : lk_cli_added(cli, &lk_kind_tenant, id, args->words[0]);
}

/* Without a name: one's own at a console, else the only one. */
int lk_cli_tenant_show(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id = {0, 0, 0};
    int error;

    if (args->count) {
        return lk_cli_kind_show(cli, args);
    }
    error = lk_cli_find_tenant(cli);
    if (!error) {
        id.tenant = cli->tenant;
        error = lk_cli_begin(cli, LK_READ);
    }
    return error ? error : lk_cli_show_id(cli, &lk_kind_tenant, id);
}

static int user_tenant_status(struct lk_cli *cli, const char *name, enum lk_tenant_status status)
{
    struct lk_id id;
    int error = lk_cli_begin(cli, LK_WRITE);

    if (!error) {
        error = lk_cli_tenant(cli, name, &id);
    }
    if (!error) {
        error = lk_tenant_set_status(&cli->work->txn, id.tenant, status);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_tenant_suspend(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return user_tenant_status(cli, args->words[0], LK_TENANT_SUSPENDED);
}

int lk_cli_tenant_activate(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return user_tenant_status(cli, args->words[0], LK_TENANT_ACTIVE);
}

/* ---- Users ----------------------------------------------------------------------------------- */

/* Asks a new password and hashes it, with no transaction open; `user` NULL: of one to be added. */
static int user_password(struct lk_cli *cli, const struct lk_cli_args *args,
                         const struct lk_id *user, struct lk_password *password)
{
    struct lk_span text;
    int error = lk_cli_secret(cli, "new password: ", lk_cli_option(args, "password-stdin") != NULL,
                              true, 0, &text);

    if (error) {
        return error;
    }
    return user ? lk_password_prepare_for(cli->store, *user, text, cli->hash_work,
                                          cli->hash_work_size, password, &cli->problem)
                : lk_password_prepare(cli->store, text, cli->hash_work, cli->hash_work_size,
                                      password, &cli->problem);
}

static int user_add(struct lk_cli *cli, const struct lk_cli_args *args,
                    const struct lk_password *password, struct lk_id *id)
{
    struct lk_record *record = &cli->work->record.record;
    int error = lk_cli_new(cli, &lk_kind_user, args);

    if (!error) {
        error = lk_add(&cli->work->txn, &lk_kind_user, record, NULL);
    }
    *id = record->id;
    if (!error && password) {
        error = lk_password_set(&cli->work->txn, *id, password, 0);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_user_add(struct lk_cli *cli, const struct lk_cli_args *args)
{
    bool with_password = lk_cli_option(args, "password-stdin") != NULL;
    struct lk_password password;
    struct lk_id id;
    int error = with_password ? user_password(cli, args, NULL, &password) : 0;

    if (!error) {
        error = user_add(cli, args, with_password ? &password : NULL, &id);
    }
    lk_cli_wipe(&password, sizeof(password));
    return error ? error : lk_cli_added(cli, &lk_kind_user, id, args->words[0]);
}

/* By whichever unique index has just the fields that were given. */
static const struct lk_index *user_index(const struct lk_cli_args *args,
                                         struct lk_span values[LK_INDEX_FIELDS])
{
    const struct lk_kind *kind = &lk_kind_user;
    size_t i, j, k;

    for (i = 0; i < kind->index_count; i++) {
        const struct lk_index *index = &kind->indexes[i];
        size_t found = 0, fields = 0;

        for (j = 0; j < LK_INDEX_FIELDS && index->fields[j]; j++) {
            fields++;
            for (k = 0; k < args->field_count; k++) {
                if (args->fields[k].field->number == index->fields[j]) {
                    values[j] = args->fields[k].value;
                    found++;
                }
            }
        }
        if (index->flags & LK_I_UNIQUE && found == fields && fields == args->field_count) {
            return index;
        }
    }
    return NULL;
}

int lk_cli_user_find(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_record *record = &cli->work->other.record;
    struct lk_span values[LK_INDEX_FIELDS];
    const struct lk_index *index = user_index(args, values);
    struct lk_id id = {0, 0, 0};
    int error;

    if (!index) {
        return lk_cli_refuse(cli, LK_E_USAGE, NULL, NULL,
                             "is by username=, email=, external_id=, or identity_provider= with "
                             "identity_provider_id=");
    }
    error = lk_cli_begin(cli, LK_READ);
    if (!error && lk_field_numbered(&lk_kind_user, index->fields[0])->type == LK_UUID) {
        memset(record, 0, sizeof(*record));
        error = lk_cli_field_parse(cli, &lk_kind_user, &args->fields[0], record);
        if (!error) {
            values[0] = lk_field_span(record, args->fields[0].field);
        }
    }
    if (!error) {
        error = lk_find(&cli->work->txn, &lk_kind_user, index, cli->tenant, values, &id);
    }
    /* An index over the whole store must not tell of another tenant's user. */
    if (error == LK_E_NOT_FOUND || (!error && id.tenant != cli->tenant)) {
        return lk_cli_refuse(cli, LK_E_NOT_FOUND, "user", NULL, "there is none with this");
    }
    return error ? error : lk_cli_show_id(cli, &lk_kind_user, id);
}

int lk_cli_user_passwd(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_password password;
    struct lk_id id;
    uint32_t keep = 0;
    int error = lk_cli_begin(cli, LK_READ);

    /* Found first, so that nobody types a password for a name that is not there. */
    if (!error) {
        error = lk_cli_user(cli, args->words[0], &id);
        lk_cli_abort(cli);
    }
    if (!error) {
        error = user_password(cli, args, &id, &password);
    }
    if (!error) {
        error = lk_cli_begin_user(cli, LK_WRITE, args->words[0], &id);
    }
    /* Of one's own password: the session at the console goes on. */
    if (!error && cli->session && cli->session->id.user == id.user) {
        keep = cli->session->id.sub;
    }
    if (!error) {
        error = lk_password_set(&cli->work->txn, id, &password, keep);
    }
    if (!error && lk_cli_option(args, "must-change")) {
        struct lk_user *user = &cli->work->record.user;

        memset(&cli->work->record, 0, sizeof(cli->work->record));
        lk_field_set_number(&user->record,
                            lk_field_named(&lk_kind_user, LK_TEXT("must_change_password")), 1);
        error = lk_update(&cli->work->txn, &lk_kind_user, id, &user->record, 0, NULL);
    }
    lk_cli_wipe(&password, sizeof(password));
    return error ? error : lk_cli_commit(cli);
}

static int user_status(struct lk_cli *cli, const char *name, enum lk_user_status status)
{
    struct lk_id id;
    int error = lk_cli_begin_user(cli, LK_WRITE, name, &id);

    if (!error) {
        error = lk_user_set_status(&cli->work->txn, id, status);
    }
    return error ? error : lk_cli_commit(cli);
}

int lk_cli_user_suspend(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return user_status(cli, args->words[0], LK_USER_SUSPENDED);
}

int lk_cli_user_activate(struct lk_cli *cli, const struct lk_cli_args *args)
{
    return user_status(cli, args->words[0], LK_USER_ACTIVE);
}

int lk_cli_user_unlock(struct lk_cli *cli, const struct lk_cli_args *args)
{
    struct lk_id id;
    int error = lk_cli_begin_user(cli, LK_WRITE, args->words[0], &id);

    if (!error) {
        error = lk_user_unlock(&cli->work->txn, id);
    }
    return error ? error : lk_cli_commit(cli);
}
