// SPDX-License-Identifier: MIT
/* lk_seed.c: what a new tenant starts with: the permissions of the store's own commands, and roles.
 */
#include "lk_engine.h"

/* A board without words about fields has none about these either. */
static const struct {
    const char *name, *resource, *action, *description;
} permissions[] = {
    {"all", "*", "*", LK_HELP("everything")},
    {"read-all", "*", "read", LK_HELP("see everything")},
    {"tenant:read", "tenant", "read", LK_HELP("see the tenant and its policy")},
    {"tenant:write", "tenant", "write", LK_HELP("change the tenant and its policy")},
    {"user:read", "user", "read", LK_HELP("see users")},
    {"user:write", "user", "write", LK_HELP("add, change and remove users")},
    {"session:read", "session", "read", LK_HELP("see and check sessions")},
    {"session:write", "session", "write", LK_HELP("end sessions")},
    {"credential:read", "credential", "read", LK_HELP("see which credentials users have")},
    {"credential:write", "credential", "write", LK_HELP("add and remove credentials")},
    {"role:read", "role", "read", LK_HELP("see roles and grants")},
    {"role:write", "role", "write", LK_HELP("change roles and grant them")},
    {"permission:read", "permission", "read", LK_HELP("see and check permissions")},
    {"permission:write", "permission", "write", LK_HELP("change permissions")},
    {"audit:read", "audit", "read", LK_HELP("see who did what")},
    {"store:read", "store", "read", LK_HELP("see figures, verify")},
    {"store:write", "store", "write", LK_HELP("back up, import, export, maintain")},
};

static const struct {
    const char *name, *description;
    const char *permissions[10]; /* NULL after the last */
} roles[] = {
    {"admin", LK_HELP("may do everything"), {"all"}},
    {"operator",
     LK_HELP("runs the daily business of users and sessions"),
     {"user:read", "user:write", "session:read", "session:write", "credential:read",
      "credential:write", "role:read", "permission:read", "audit:read"}},
    {"viewer", LK_HELP("sees everything, changes nothing"), {"read-all"}},
};

static int seed_role(struct lk_txn *txn, uint32_t tenant, size_t number, struct lk_id *id)
{
    uint8_t encoded[64], next[64];
    struct lk_span have = LK_TEXT("");
    struct lk_role role;
    size_t i, size = 0;
    int error = 0;

    for (i = 0; !error && i < LK_COUNT(roles[number].permissions) && roles[number].permissions[i];
         i++) {
        const char *name = roles[number].permissions[i];
        struct lk_id permission;

        error = lk_find_named(txn, &lk_kind_permission, tenant,
                              (struct lk_span){(const uint8_t *)name, strlen(name)}, &permission);
        if (!error) {
            error = lk_refs_change(have, permission.sub, true, next, sizeof(next), &size);
        }
        if (!error) {
            memcpy(encoded, next, size);
            have = (struct lk_span){encoded, size};
        }
    }
    if (error) {
        return error;
    }
    memset(&role, 0, sizeof(role));
    role.record.id.tenant = tenant;
    lk_set_text(&lk_kind_role, &role.record, "name", roles[number].name);
    if (roles[number].description[0]) {
        lk_set_text(&lk_kind_role, &role.record, "description", roles[number].description);
    }
    lk_set_span(&lk_kind_role, &role.record, "permissions", have);
    error = lk_write(txn, &lk_kind_role, LK_ADD, role.record.id, &role.record, 0, NULL, LK_W_QUIET);
    *id = role.record.id;
    return error;
}

int lk_seed_tenant(struct lk_txn *txn, uint32_t tenant, struct lk_id *admin_role)
{
    struct lk_permission permission;
    struct lk_id id;
    size_t i;
    int error = 0;

    for (i = 0; !error && i < LK_COUNT(permissions); i++) {
        memset(&permission, 0, sizeof(permission));
        permission.record.id.tenant = tenant;
        lk_set_text(&lk_kind_permission, &permission.record, "name", permissions[i].name);
        lk_set_text(&lk_kind_permission, &permission.record, "resource", permissions[i].resource);
        lk_set_text(&lk_kind_permission, &permission.record, "action", permissions[i].action);
        if (permissions[i].description[0]) {
            lk_set_text(&lk_kind_permission, &permission.record, "description",
                        permissions[i].description);
        }
        error = lk_write(txn, &lk_kind_permission, LK_ADD, permission.record.id, &permission.record,
                         0, NULL, LK_W_QUIET);
    }
    for (i = 0; !error && i < LK_COUNT(roles); i++) {
        error = seed_role(txn, tenant, i, &id);
        if (i == 0) {
            *admin_role = id;
        }
    }
    return error;
}
