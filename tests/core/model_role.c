// SPDX-License-Identifier: MIT
#include "model_parts.h"

#include "lk_engine.h"

static unsigned role_named(const struct model *model, unsigned tenant, unsigned name)
{
    unsigned i;

    for (i = 0; i < model->role_count[tenant]; i++) {
        const struct model_role *role = &model->roles[tenant][i];

        if (role->made && !role->removed && role->name == name) {
            return i;
        }
    }
    return MODEL_NONE;
}

static unsigned role_depth(const struct model *model, unsigned tenant, unsigned role)
{
    unsigned depth = 0;

    for (; role != MODEL_NONE; role = model->roles[tenant][role].parent) {
        depth++;
    }
    return depth;
}

void model_do_add_role(struct model *model, unsigned tenant)
{
    unsigned name = model_random(model, MODEL_NAMES), parent = MODEL_NONE, i;
    unsigned count = model->role_count[tenant], actions = model_random(model, 1u << MODEL_ACTIONS);
    struct model_role *role = &model->roles[tenant][count];
    uint8_t refs[32] = {0x80}, next[32];
    struct lk_role record;
    size_t size = 1;
    char text[16];
    int want = 0, error;

    if (count == MODEL_ROLES) {
        return;
    }
    if (count && model_random(model, 2)) {
        parent = model_random(model, count);
    }
    memset(&record, 0, sizeof(record));
    record.record.id.tenant = model->tenants[tenant];
    (void)snprintf(text, sizeof(text), "role%u", name);
    lk_field_set_span(&record.record, lk_field_numbered(&lk_kind_role, 8), bench_text(text));
    if (parent != MODEL_NONE) {
        lk_field_set_number(&record.record, lk_field_numbered(&lk_kind_role, 10),
                            model_role_of(model, tenant, parent).sub);
    }
    for (i = 0; i < MODEL_ACTIONS; i++) {
        if ((actions >> i) & 1) {
            assert_int_equal(lk_refs_change((struct lk_span){refs, size},
                                            model->permissions[tenant][i], true, next, sizeof(next),
                                            &size),
                             0);
            memcpy(refs, next, size);
        }
    }
    lk_field_set_span(&record.record, lk_field_numbered(&lk_kind_role, 12),
                      (struct lk_span){refs, size});
    if (parent != MODEL_NONE &&
        (!model->roles[tenant][parent].made || model->roles[tenant][parent].removed)) {
        want = LK_E_REFERENCE;
    } else if (parent != MODEL_NONE && role_depth(model, tenant, parent) >= LK_ROLE_DEPTH) {
        want = LK_E_CHECK;
    } else if (role_named(model, tenant, name) != MODEL_NONE) {
        want = LK_E_CONFLICT;
    }
    model_begin(model, "add role");
    error = lk_add(&model->bench->txn, &lk_kind_role, &record.record, NULL);
    if (!error && !want) {
        assert_int_equal(record.record.id.sub, model_role_of(model, tenant, count).sub);
        model->role_count[tenant]++;
        *role =
            (struct model_role){.made = true, .name = name, .parent = parent, .actions = actions};
    }
    model_end(model, error, want);
}

static bool role_has_child(const struct model *model, unsigned tenant, unsigned role)
{
    unsigned i;

    for (i = 0; i < model->role_count[tenant]; i++) {
        const struct model_role *child = &model->roles[tenant][i];

        if (child->made && !child->removed && child->parent == role) {
            return true;
        }
    }
    return false;
}

void model_do_change_role(struct model *model, unsigned tenant)
{
    unsigned number = model_random(model, MODEL_ROLES), way = model_random(model, 4), i;
    struct model_role *role = &model->roles[tenant][number];
    struct lk_id id = model_role_of(model, tenant, number);
    struct lk_txn *txn = &model->bench->txn;
    int there = number < model->role_count[tenant] && role->made ? 0 : LK_E_NOT_FOUND;
    int live = !there && !role->removed ? 0 : LK_E_NOT_FOUND;
    int held = role_has_child(model, tenant, number) ? LK_E_REFERENCE : 0;
    int want;

    switch (way) {
    case 0:
        model_begin(model, "remove role");
        want = live ? live : held;
        model_end(model, lk_remove(txn, &lk_kind_role, id, NULL), want);
        role->removed = role->removed || !want;
        return;
    case 1:
        want = there       ? there
               : live == 0 ? LK_E_CHECK
               : role->parent != MODEL_NONE && (!model->roles[tenant][role->parent].made ||
                                                model->roles[tenant][role->parent].removed)
                   ? LK_E_REFERENCE
               : role_named(model, tenant, role->name) != MODEL_NONE ? LK_E_CONFLICT
                                                                     : 0;
        model_begin(model, "restore role");
        model_end(model, lk_restore(txn, &lk_kind_role, id), want);
        role->removed = want ? role->removed : false;
        return;
    case 2:
        want = there ? there : held;
        model_begin(model, "purge role");
        model_end(model, lk_purge(txn, &lk_kind_role, id), want);
        if (!want) {
            role->made = role->removed = false;
            for (i = 0; i <= MODEL_USERS; i++) {
                model->grants[tenant][i][number] = 0;
            }
        }
        return;
    default:
        model_begin(model, "switch role");
        model_end(model,
                  bench_set(model->bench, &lk_kind_role, id,
                            role->inactive ? "is_active=true" : "is_active=false", NULL),
                  live);
        role->inactive = live ? role->inactive : !role->inactive;
    }
}

void model_do_grant(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant), which = model_random(model, MODEL_ROLES);
    const struct model_user *user = &model->users[tenant][number];
    const struct model_role *role = &model->roles[tenant][which];
    uint64_t end = model_random(model, 2) ? model->now + 1 + model_random(model, 7200000) : 0;
    uint64_t *grant = &model->grants[tenant][number][which];
    int want = 0;

    if (!number) {
        return;
    }
    if (!user->made || user->removed || which >= model->role_count[tenant] || !role->made ||
        role->removed) {
        want = LK_E_NOT_FOUND;
    } else if (*grant == (end ? end : 1)) {
        want = LK_E_CONFLICT;
    }
    model_begin(model, "grant");
    model_end(model,
              lk_role_grant(&model->bench->txn, model_id_of(model, tenant, number),
                            model_role_of(model, tenant, which), end),
              want);
    if (!want) {
        *grant = end ? end : 1;
    }
}

void model_do_revoke(struct model *model, unsigned tenant)
{
    unsigned number = model_any_user(model, tenant), which = model_random(model, MODEL_ROLES);
    uint64_t *grant = &model->grants[tenant][number][which];

    if (!number) {
        return;
    }
    model_begin(model, "revoke");
    model_end(model,
              lk_role_revoke(&model->bench->txn, model_id_of(model, tenant, number),
                             model_role_of(model, tenant, which)),
              *grant ? 0 : LK_E_NOT_FOUND);
    *grant = 0;
}
