// SPDX-License-Identifier: MIT
#include "model_parts.h"

#include "lk_engine.h"

#define LOCKOUT_FAILURES 5
#define LOCKOUT_SECONDS  900
#define LIFETIME_MS      3600000u

static void charge(struct model *model, struct model_user *user)
{
    uint64_t delay = 1, i;

    if (model->now >= user->last_failure + LK_MS_PER_DAY) {
        user->failed = 0;
    }
    user->failed++;
    user->last_failure = model->now;
    user->locked_until = 0;
    if (user->failed >= LOCKOUT_FAILURES) {
        for (i = LOCKOUT_FAILURES; i < user->failed && delay < LOCKOUT_SECONDS; i++) {
            delay *= 2;
        }
        user->locked_until =
            model->now + 1000 * (delay < LOCKOUT_SECONDS ? delay : LOCKOUT_SECONDS);
    }
}

/* The oldest of those that live gives way. */
static void make_room(struct model *model, unsigned tenant, unsigned user)
{
    struct model_session *oldest = NULL;
    unsigned live = 0, i;

    for (i = 0; i < model->session_count; i++) {
        struct model_session *session = &model->sessions[i];

        if (session->tenant == tenant && session->user == user &&
            model_session_lives(model, session)) {
            oldest = oldest ? oldest : session;
            live++;
        }
    }
    if (live >= MODEL_LIVE_MAX) {
        oldest->over = true;
    }
}

void model_do_login(struct model *model, unsigned tenant)
{
    unsigned name = model_random(model, MODEL_NAMES);
    unsigned number = model_user_named(model, tenant, name, false);
    struct model_user *user = &model->users[tenant][number];
    bool right = model_random(model, 4) != 0;
    char username[32], password[32];
    struct lk_login_result result;
    int want = LK_E_REFUSED, got;

    if (model->session_count == MODEL_SESSIONS) {
        return;
    }
    (void)snprintf(username, sizeof(username), "name%u", name);
    (void)snprintf(password, sizeof(password), "%u password",
                   number && right ? (unsigned)user->password : 9999);
    model->doing = "login";
    model->bench->tenant = model->tenants[tenant];
    got = bench_login(model->bench, username, password, &result);
    if (!number) { /* names that nobody has share buckets */
        model_want(model, got == LK_E_LOCKED ? LK_E_REFUSED : got, LK_E_REFUSED);
        return;
    }
    if (user->locked_until > model->now) {
        want = LK_E_LOCKED;
    } else {
        charge(model, user);
        if (right && user->status == LK_USER_ACTIVE && !model->suspended[tenant]) {
            want = 0;
            user->failed = user->last_failure = user->locked_until = 0;
            user->logins++;
        }
    }
    model_want(model, got, want);
    if (!want) {
        struct model_session *session = &model->sessions[model->session_count];

        make_room(model, tenant, number);
        *session = (struct model_session){
            .tenant = tenant, .user = number, .ends_at = model->now + LIFETIME_MS};
        session->number = result.session.sub;
        memcpy(session->token, result.token, sizeof(session->token));
        model->session_count++;
    }
}

/* May the user do it, by grants, roles and their parents? */
static bool user_may(const struct model *model, unsigned tenant, unsigned user, unsigned action)
{
    unsigned which;

    for (which = 0; which < model->role_count[tenant]; which++) {
        uint64_t grant = model->grants[tenant][user][which];
        unsigned role = which;

        if (!grant || (grant > 1 && grant <= model->now)) {
            continue;
        }
        while (role != MODEL_NONE && model->roles[tenant][role].made &&
               !model->roles[tenant][role].removed && !model->roles[tenant][role].inactive) {
            if ((model->roles[tenant][role].actions >> action) & 1) {
                return true;
            }
            role = model->roles[tenant][role].parent;
        }
    }
    return false;
}

void model_do_check(struct model *model)
{
    const struct model_session *session;
    unsigned action = model_random(model, MODEL_ACTIONS);
    char question[32];
    bool lives;

    if (!model->session_count) {
        return;
    }
    session = &model->sessions[model_random(model, model->session_count)];
    model->bench->tenant = model->tenants[session->tenant];
    lives = model_session_lives(model, session);
    model->doing = "check";
    model_want(model, bench_check(model->bench, session->token, NULL), lives ? 0 : LK_E_REFUSED);
    (void)snprintf(question, sizeof(question), "thing:%u", action);
    model_want(model, bench_check(model->bench, session->token, question),
               lives && user_may(model, session->tenant, session->user, action) ? 0 : LK_E_REFUSED);
}

void model_do_logout(struct model *model)
{
    struct model_session *session;
    bool lives;

    if (!model->session_count) {
        return;
    }
    session = &model->sessions[model_random(model, model->session_count)];
    lives = model_session_lives(model, session);
    model_begin(model, "logout");
    model_end(model, lk_logout(&model->bench->txn, bench_text(session->token)),
              lives ? 0 : LK_E_REFUSED);
    session->over |= lives;
}

void model_do_tenant_status(struct model *model, unsigned tenant)
{
    bool suspend = model_random(model, 3) == 0;

    model_begin(model, "tenant status");
    model_end(model,
              lk_tenant_set_status(&model->bench->txn, model->tenants[tenant],
                                   suspend ? LK_TENANT_SUSPENDED : LK_TENANT_ACTIVE),
              0);
    if (suspend != model->suspended[tenant]) {
        model->suspended[tenant] = suspend;
        model_end_sessions(model, tenant, 0);
    }
}

void model_do_maintain(struct model *model)
{
    bool more;
    unsigned t, u, r;
    int changed;

    model_begin(model, "maintain");
    do {
        changed = lk_maintain(&model->bench->txn, 100000, &more);
        model_want(model, changed < 0 ? changed : 0, 0);
    } while (more);
    bench_commit(model->bench);
    for (t = 0; t < MODEL_TENANTS; t++) {
        for (u = 0; u <= MODEL_USERS; u++) {
            for (r = 0; r < MODEL_ROLES; r++) {
                uint64_t *grant = &model->grants[t][u][r];

                *grant = *grant > 1 && *grant <= model->now ? 0 : *grant;
            }
        }
    }
}
