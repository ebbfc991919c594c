// SPDX-License-Identifier: MIT
/* The model's beginning, and the comparison of all that it knows with the store. */
#include "model_parts.h"

#include "lk_engine.h"

struct model *model_open(struct bench *bench, uint64_t seed)
{
    struct model *model = calloc(1, sizeof(*model));
    unsigned t, i;

    assert_non_null(model);
    model->bench = bench;
    model->seed = seed;
    model->now = bench->fake.clock.wall_ms;
    for (t = 0; t < MODEL_TENANTS; t++) {
        struct lk_id id = {0, 0, 0}, role;
        char name[32], action[32];

        bench_write(bench);
        (void)snprintf(name, sizeof(name), "name=tenant%u", t);
        assert_int_equal(bench_add(bench, &lk_kind_tenant, &id, name, "session_max=3",
                                   "audit_capacity=100", NULL),
                         0);
        model->tenants[t] = bench->tenant = id.tenant;
        for (i = 0; i < MODEL_ACTIONS; i++) {
            (void)snprintf(name, sizeof(name), "name=permission%u", i);
            (void)snprintf(action, sizeof(action), "action=%u", i);
            id = (struct lk_id){0, 0, 0};
            assert_int_equal(
                bench_add(bench, &lk_kind_permission, &id, name, "resource=thing", action, NULL),
                0);
            model->permissions[t][i] = id.sub;
        }
        role = bench_named(bench, &lk_kind_role, "viewer");
        model->first_role[t] = role.sub + 1;
        bench_commit(bench);
    }
    return model;
}

void model_close(struct model *model)
{
    free(model);
}

static void model_differs(const struct model *model, const char *what, unsigned tenant,
                          unsigned number)
{
    fail_msg("step %llu: %s of %u.%u", (unsigned long long)model->step, what,
             model->tenants[tenant], number);
}

static void compare_user(struct model *model, unsigned tenant, unsigned number)
{
    const struct model_user *user = &model->users[tenant][number];
    struct lk_txn *txn = &model->bench->txn;
    struct lk_user record;
    struct lk_refs refs;
    unsigned sessions = 0, grants = 0, i;
    char text[48];
    int want = !user->made ? LK_E_NOT_FOUND : 0;
    int error =
        lk_get_deleted(txn, &lk_kind_user, model_id_of(model, tenant, number), &record.record);

    if (error != want || (!error && user->removed != LK_HAS(&record.record, 5))) {
        model_differs(model, "presence", tenant, number);
    }
    if (error || user->removed) {
        return;
    }
    for (i = 0; i < model->session_count; i++) {
        const struct model_session *session = &model->sessions[i];

        sessions += session->tenant == tenant && session->user == number && !session->over &&
                    model->now < session->ends_at;
    }
    assert_int_equal(
        lk_get_computed(txn, &lk_kind_user, model_id_of(model, tenant, number), &record.record), 0);
    (void)snprintf(text, sizeof(text), "name%u", user->name);
    if (!lk_span_equal(record.username, bench_text(text)) || record.status != user->status ||
        record.login_count != user->logins || record.session_count != sessions ||
        record.is_locked != (user->locked_until > model->now)) {
        model_differs(model, "fields", tenant, number);
    }
    (void)snprintf(text, sizeof(text), "name%u@example.org", user->email);
    if (!lk_span_equal(record.email, bench_text(user->email < MODEL_NAMES ? text : ""))) {
        model_differs(model, "e-mail address", tenant, number);
    }
    for (i = 0; i < MODEL_ROLES; i++) {
        bool has = model->grants[tenant][number][i] != 0;

        grants += has;
        if (has != lk_refs_hold(record.roles, model_role_of(model, tenant, i).sub)) {
            model_differs(model, "roles", tenant, number);
        }
    }
    lk_refs_begin(&refs, record.roles);
    if (refs.left != grants) {
        model_differs(model, "number of roles", tenant, number);
    }
}

static void compare_roles(struct model *model, unsigned tenant)
{
    unsigned i;

    for (i = 0; i < model->role_count[tenant]; i++) {
        const struct model_role *role = &model->roles[tenant][i];
        struct lk_role record;
        int error = lk_get_deleted(&model->bench->txn, &lk_kind_role,
                                   model_role_of(model, tenant, i), &record.record);

        if (error != (role->made ? 0 : LK_E_NOT_FOUND) ||
            (!error && (role->removed != LK_HAS(&record.record, 5) ||
                        role->inactive == (record.is_active != 0)))) {
            model_differs(model, "role", tenant, i);
        }
    }
}

/* As many as there should be, forwards, backwards, and among the removed. */
static void compare_lists(struct model *model, unsigned tenant)
{
    unsigned live = 0, removed = 0, i, way;

    for (i = 1; i <= model->user_count[tenant]; i++) {
        live += model->users[tenant][i].made && !model->users[tenant][i].removed;
        removed += model->users[tenant][i].made && model->users[tenant][i].removed;
    }
    for (way = 0; way < 6; way++) {
        struct lk_list list = {
            .kind = &lk_kind_user,
            .scope = {model->tenants[tenant], 0, 0},
            .index = way / 2 == 1 ? lk_index_named(&lk_kind_user, LK_TEXT("username")) : NULL,
            .deleted = way / 2 == 2,
            .reverse = way % 2 != 0};
        struct lk_user record;
        unsigned count = 0;

        assert_int_equal(lk_list_begin(&model->bench->txn, &list), 0);
        while (!lk_list_next(&list, &record.record)) {
            count++;
        }
        lk_list_end(&list);
        if (count != (way / 2 == 2 ? removed : live)) {
            model_differs(model, "number of users", tenant, way);
        }
    }
}

void model_compare(struct model *model)
{
    unsigned t, i;

    model->now = model->bench->fake.clock.wall_ms;
    bench_read(model->bench);
    for (t = 0; t < MODEL_TENANTS; t++) {
        for (i = 1; i <= model->user_count[t]; i++) {
            compare_user(model, t, i);
        }
        compare_roles(model, t);
        compare_lists(model, t);
    }
    lk_abort(&model->bench->txn);
    bench_verify(model->bench);
}
