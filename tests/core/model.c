// SPDX-License-Identifier: MIT
#include "model_parts.h"

#include "lk_engine.h"

uint32_t model_random(struct model *model, uint32_t below)
{
    model->seed = model->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model->seed >> 33) % below;
}

void model_want(struct model *model, int got, int want)
{
    if (got != want) {
        const struct lk_problem *problem = lk_problem(&model->bench->txn);

        fail_msg("step %llu, %s: %d (%s %s), want %d", (unsigned long long)model->step,
                 model->doing, got, problem->field ? problem->field : "-",
                 problem->rule ? problem->rule : "-", want);
    }
}

void model_begin(struct model *model, const char *doing)
{
    model->doing = doing;
    bench_write(model->bench);
}

void model_end(struct model *model, int got, int want)
{
    model_want(model, got, want);
    bench_commit(model->bench);
}

struct lk_id model_id_of(const struct model *model, unsigned tenant, unsigned user)
{
    return (struct lk_id){model->tenants[tenant], user, 0};
}

struct lk_id model_role_of(const struct model *model, unsigned tenant, unsigned role)
{
    return (struct lk_id){model->tenants[tenant], 0, model->first_role[tenant] + role};
}

unsigned model_user_named(const struct model *model, unsigned tenant, unsigned name, bool email)
{
    unsigned i;

    for (i = 1; i <= model->user_count[tenant]; i++) {
        const struct model_user *user = &model->users[tenant][i];

        if (user->made && !user->removed && (email ? user->email : user->name) == name) {
            return i;
        }
    }
    return 0;
}

void model_end_sessions(struct model *model, unsigned tenant, unsigned user)
{
    unsigned i;

    for (i = 0; i < model->session_count; i++) {
        struct model_session *session = &model->sessions[i];

        session->over |= session->tenant == tenant && (!user || session->user == user);
    }
}

bool model_session_lives(const struct model *model, const struct model_session *session)
{
    return !session->over && model->now < session->ends_at && !model->suspended[session->tenant];
}

/* ---- Users ---- */

static void do_add_user(struct model *model, unsigned tenant)
{
    unsigned name = model_random(model, MODEL_NAMES), email = model_random(model, 2 * MODEL_NAMES);
    struct model_user *user = &model->users[tenant][model->user_count[tenant] + 1];
    char username[32], address[48];
    struct lk_password verifier;
    struct lk_user record;
    int want = 0, error;

    if (model->user_count[tenant] == MODEL_USERS) {
        return;
    }
    memset(&record, 0, sizeof(record));
    record.record.id.tenant = model->tenants[tenant];
    (void)snprintf(username, sizeof(username), "name%u", name);
    (void)snprintf(address, sizeof(address), "name%u@example.org", email);
    lk_field_set_span(&record.record, lk_field_numbered(&lk_kind_user, 8), bench_text(username));
    if (email < MODEL_NAMES) {
        lk_field_set_span(&record.record, lk_field_numbered(&lk_kind_user, 9), bench_text(address));
    }
    if (model_user_named(model, tenant, name, false) ||
        (email < MODEL_NAMES && model_user_named(model, tenant, email, true))) {
        want = LK_E_CONFLICT;
    }
    (void)snprintf(username, sizeof(username), "%u password", model->user_count[tenant] + 1);
    assert_int_equal(
        lk_password_prepare(&model->bench->store, bench_text(username), NULL, 0, &verifier, NULL),
        0);
    (void)snprintf(username, sizeof(username), "name%u", name);
    model_begin(model, "add user");
    error = lk_add(&model->bench->txn, &lk_kind_user, &record.record, NULL);
    if (!error && !want) {
        model->user_count[tenant]++;
        assert_int_equal(record.record.id.user, model->user_count[tenant]);
        error = lk_password_set(&model->bench->txn, record.record.id, &verifier, 0);
        *user = (struct model_user){.made = true,
                                    .name = name,
                                    .email = email < MODEL_NAMES ? email : MODEL_NAMES,
                                    .password = model->user_count[tenant]};
    }
    model_end(model, error, want);
}

unsigned model_any_user(struct model *model, unsigned tenant)
{
    return model->user_count[tenant] ? 1 + model_random(model, model->user_count[tenant]) : 0;
}

static void do_set_user(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant), name = model_random(model, MODEL_NAMES), other;
    struct model_user *user = &model->users[tenant][number];
    char word[32];
    int want = 0;

    if (!number) {
        return;
    }
    other = model_user_named(model, tenant, name, false);
    want = !user->made || user->removed ? LK_E_NOT_FOUND
           : other && other != number   ? LK_E_CONFLICT
                                        : 0;
    (void)snprintf(word, sizeof(word), "username=name%u", name);
    model_begin(model, "rename user");
    model_end(
        model,
        bench_set(model->bench, &lk_kind_user, model_id_of(model, tenant, number), word, NULL),
        want);
    user->name = want ? user->name : name;
}

static void do_user_status(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant);
    struct model_user *user = &model->users[tenant][number];
    unsigned status = model_random(model, 3);

    if (!number) {
        return;
    }
    model_begin(model, "user status");
    model_end(model,
              lk_user_set_status(&model->bench->txn, model_id_of(model, tenant, number),
                                 (enum lk_user_status)status),
              user->made && !user->removed ? 0 : LK_E_NOT_FOUND);
    if (user->made && !user->removed) {
        if (status != LK_USER_ACTIVE && status != user->status) {
            model_end_sessions(model, tenant, number);
        }
        user->status = status;
    }
}

static void do_remove_user(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant);
    struct model_user *user = &model->users[tenant][number];
    int want = user->made && !user->removed ? 0 : LK_E_NOT_FOUND;

    if (!number) {
        return;
    }
    model_begin(model, "remove user");
    model_end(
        model,
        lk_remove(&model->bench->txn, &lk_kind_user, model_id_of(model, tenant, number), NULL),
        want);
    if (!want) {
        user->removed = true;
        model_end_sessions(model, tenant, number);
    }
}

static void do_restore_user(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant);
    struct model_user *user = &model->users[tenant][number];
    int want = 0;

    if (!number) {
        return;
    }
    if (!user->made) {
        want = LK_E_NOT_FOUND;
    } else if (!user->removed) {
        want = LK_E_CHECK;
    } else if (model_user_named(model, tenant, user->name, false) ||
               (user->email < MODEL_NAMES && model_user_named(model, tenant, user->email, true))) {
        want = LK_E_CONFLICT;
    }
    model_begin(model, "restore user");
    model_end(model,
              lk_restore(&model->bench->txn, &lk_kind_user, model_id_of(model, tenant, number)),
              want);
    user->removed = want ? user->removed : false;
}

static void do_purge_user(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant);
    struct model_user *user = &model->users[tenant][number];

    if (!number) {
        return;
    }
    model_begin(model, "purge user");
    model_end(model,
              lk_purge(&model->bench->txn, &lk_kind_user, model_id_of(model, tenant, number)),
              user->made ? 0 : LK_E_NOT_FOUND);
    user->made = user->removed = false;
    memset(model->grants[tenant][number], 0, sizeof(model->grants[tenant][number]));
    model_end_sessions(model, tenant, number);
}

void model_step(struct model *model)
{
    unsigned tenant = model_random(model, MODEL_TENANTS), what = model_random(model, 100);

    model->step++;
    model->now = model->bench->fake.clock.wall_ms;
    model->bench->tenant = model->tenants[tenant];
    if (what < 8) {
        do_add_user(model, tenant);
    } else if (what < 14) {
        do_set_user(model, tenant);
    } else if (what < 18) {
        do_user_status(model, tenant);
    } else if (what < 22) {
        do_remove_user(model, tenant);
    } else if (what < 26) {
        do_restore_user(model, tenant);
    } else if (what < 28) {
        do_purge_user(model, tenant);
    } else if (what < 31) {
        model_do_add_role(model, tenant);
    } else if (what < 35) {
        model_do_change_role(model, tenant);
    } else if (what < 43) {
        model_do_grant(model, tenant);
    } else if (what < 46) {
        model_do_revoke(model, tenant);
    } else if (what < 70) {
        model_do_login(model, tenant);
    } else if (what < 88) {
        model_do_check(model);
    } else if (what < 92) {
        model_do_logout(model);
    } else if (what < 93) {
        model_do_tenant_status(model, tenant);
    } else if (what < 94) {
        model_do_maintain(model);
    } else {
        lk_fake_advance(&model->bench->fake, model_random(model, 600000));
    }
}
