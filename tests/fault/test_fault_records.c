// SPDX-License-Identifier: MIT
/*
 * Changes of records, each with every storage call and every port call failed in turn: what
 * answers an error has changed nothing, what answers 0 has changed all.
 */
#include "fault_town.h"

#include "lk_engine.h"

static int begin(struct fault_town *town)
{
    struct bench *bench = town->bench;

    return lk_begin(&bench->store, &bench->txn, LK_WRITE, NULL);
}

static int add_user(struct fault_town *town, const char *name, struct lk_id *id)
{
    struct lk_user user;
    int error;

    memset(&user, 0, sizeof(user));
    user.record.id.tenant = town->bench->tenant;
    lk_field_set_span(&user.record, lk_field_numbered(&lk_kind_user, 8), bench_text(name));
    lk_field_set_span(&user.record, lk_field_numbered(&lk_kind_user, 12), LK_TEXT("google"));
    lk_field_set_span(&user.record, lk_field_numbered(&lk_kind_user, 13), bench_text(name));
    error = lk_add(&town->bench->txn, &lk_kind_user, &user.record, NULL);
    *id = user.record.id;
    return error;
}

static int run_add(struct fault_town *town)
{
    struct lk_id id;
    int error = begin(town);

    return fault_town_end(town, error ? error : add_user(town, "eve", &id));
}

static int run_password(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_password verifier;
    int error =
        lk_password_prepare(&bench->store, LK_TEXT("another secret"), NULL, 0, &verifier, NULL);

    if (error) {
        return error;
    }
    error = begin(town);
    return fault_town_end(town,
                          error ? error : lk_password_set(&bench->txn, town->alice, &verifier, 0));
}

static int run_role(struct fault_town *town)
{
    struct bench *bench = town->bench;
    int error = begin(town);

    if (!error) {
        error = bench_set(bench, &lk_kind_role, town->base, "name=ground", "permissions=user:write",
                          NULL);
    }
    return fault_town_end(town, error);
}

static int run_permit(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_id permission;
    int error = begin(town);

    if (!error) {
        error = lk_find_named(&bench->txn, &lk_kind_permission, bench->tenant,
                              LK_TEXT("audit:read"), &permission);
    }
    return fault_town_end(town, error ? error
                                      : lk_role_permit(&bench->txn, town->base, permission, true));
}

static int run_grant(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town, error ? error
                                      : lk_role_grant(&town->bench->txn, town->bob, town->base, 0));
}

static int run_purge_user(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town,
                          error ? error : lk_purge(&town->bench->txn, &lk_kind_user, town->alice));
}

static int run_purge_role(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town,
                          error ? error : lk_purge(&town->bench->txn, &lk_kind_role, town->child));
}

static int run_purge_tenant(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town, error ? error
                                      : lk_purge(&town->bench->txn, &lk_kind_tenant, town->second));
}

static int run_remove(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(
        town, error ? error : lk_remove(&town->bench->txn, &lk_kind_user, town->alice, NULL));
}

static int run_restore(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town,
                          error ? error : lk_restore(&town->bench->txn, &lk_kind_user, town->dave));
}

/* What an import does: users and their hashes in one transaction, one line in the audit. */
static int run_import(struct fault_town *town)
{
    static const char hash[] = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$"
                               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    struct bench *bench = town->bench;
    struct lk_id id;
    char name[16];
    unsigned i;
    int error = begin(town);

    bench->txn.summary = true;
    for (i = 0; !error && i < 20; i++) {
        (void)snprintf(name, sizeof(name), "import%u", i);
        error = add_user(town, name, &id);
        if (!error) {
            error = lk_password_import(&bench->txn, id, bench_text(hash));
        }
    }
    return fault_town_end(town, error);
}

static int check_any(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    (void)hash;
    *rule = NULL;
    return 0;
}

static int run_maintain(struct fault_town *town)
{
    bool more = true;
    int error = begin(town);

    if (!error) {
        error = lk_maintain(&town->bench->txn, 100000, &more);
        error = error > 0 ? 0 : error;
    }
    return fault_town_end(town, error);
}

static int run_suspend(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town, error ? error
                                      : lk_tenant_set_status(&town->bench->txn, town->bench->tenant,
                                                             LK_TENANT_SUSPENDED));
}

static int run_resize(struct fault_town *town)
{
    struct bench *bench = town->bench;
    int error = begin(town);

    if (!error) {
        error = bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                          "audit_capacity=40", NULL);
    }
    return fault_town_end(town, error);
}

static int run_tenant(struct fault_town *town)
{
    struct lk_tenant tenant;
    int error = begin(town);

    memset(&tenant, 0, sizeof(tenant));
    lk_field_set_span(&tenant.record, lk_field_numbered(&lk_kind_tenant, 8), LK_TEXT("third"));
    return fault_town_end(town, error ? error : lk_tenant_add(&town->bench->txn, &tenant));
}

static int run_key(struct fault_town *town)
{
    struct lk_id id;
    char token[LK_TOKEN_SIZE];
    int error = begin(town);

    return fault_town_end(town, error ? error
                                      : lk_api_key_add(&town->bench->txn, town->alice,
                                                       LK_TEXT("key"), LK_TEXT(""), 0, token, &id));
}

static int run_touch(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_verdict verdict;
    int error = begin(town);

    if (!error) {
        error = lk_session_check(&bench->txn, 0, bench_text(town->token), LK_ASK("door", "open"),
                                 &verdict);
    }
    return fault_town_end(town, error ? error : lk_session_touch(&bench->txn, &verdict));
}

static int run_logout(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(town,
                          error ? error : lk_logout(&town->bench->txn, bench_text(town->token)));
}

static int run_rewrap(struct fault_town *town)
{
    int error = begin(town);

    return fault_town_end(
        town, error ? error : lk_rewrap_passphrase(&town->bench->txn, LK_TEXT("pass phrase")));
}

static void try_all(const struct fault_case *cases, size_t count)
{
    struct fault_town *town = fault_town_open();
    size_t i;

    lk_fake_foreign_set(&town->saved_fake, NULL, check_any);
    for (i = 0; i < count; i++) {
        fault_town_try(town, &cases[i]);
    }
    fault_town_close(town);
}

static void test_fault_users_and_passwords(void **state)
{
    static const struct fault_case cases[] = {
        {"user add", run_add, 0, NULL},
        {"password set", run_password, 0, NULL},
        {"user remove", run_remove, 0, NULL},
        {"user restore", run_restore, 0, NULL},
        {"user purge", run_purge_user, 0, NULL},
        {"API key add", run_key, 0, NULL},
        {"session touch", run_touch, 0, NULL},
        {"logout", run_logout, 0, NULL},
        {"import of 20 users", run_import, 0, NULL},
    };

    (void)state;
    try_all(cases, LK_COUNT(cases));
}

static void test_fault_roles_and_grants(void **state)
{
    static const struct fault_case cases[] = {
        {"role set", run_role, 0, NULL},
        {"role permit", run_permit, 0, NULL},
        {"role grant", run_grant, 0, NULL},
        {"role purge", run_purge_role, 0, NULL},
    };

    (void)state;
    try_all(cases, LK_COUNT(cases));
}

static void test_fault_tenants_and_upkeep(void **state)
{
    static const struct fault_case cases[] = {
        {"tenant add", run_tenant, 0, NULL},         {"tenant suspend", run_suspend, 0, NULL},
        {"tenant purge", run_purge_tenant, 0, NULL}, {"audit capacity", run_resize, 0, NULL},
        {"maintain", run_maintain, 0, NULL},         {"rewrap", run_rewrap, 0, NULL},
    };

    (void)state;
    try_all(cases, LK_COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_users_and_passwords),
        cmocka_unit_test(test_fault_roles_and_grants),
        cmocka_unit_test(test_fault_tenants_and_upkeep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
