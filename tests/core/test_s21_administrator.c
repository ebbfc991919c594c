// SPDX-License-Identifier: MIT
/*
 * S21: the last administrator of a tenant cannot be removed, suspended or stripped, by any way that
 * there is, by an administrator or by the system; and each way is open while there is another.
 */
#include "bench.h"

#include "lk_engine.h"

struct town {
    struct bench *bench;
    struct lk_id admin_role, all, base, deny;
    struct lk_id password; /* of the administrator */
    struct lk_id deny_role;
};

#define NOBODY_LEFT "would leave the tenant without an administrator who can log in"

static struct lk_id password_of(struct bench *bench, struct lk_id user)
{
    struct lk_credential credential;

    assert_int_equal(lk_credential_find(&bench->txn, user, LK_CREDENTIAL_PASSWORD, &credential), 0);
    return credential.record.id;
}

static struct town town_open(void)
{
    struct town town = {.bench = bench_open()};
    struct bench *bench = town.bench;

    bench_write(bench);
    town.admin_role = bench_named(bench, &lk_kind_role, "admin");
    town.all = bench_named(bench, &lk_kind_permission, "all");
    assert_int_equal(bench_add(bench, &lk_kind_role, &town.base, "name=base", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &town.deny, "name=no roles",
                               "resource=role", "action=write", "deny=true", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &town.deny_role, "name=denied",
                               "permissions=no roles", NULL),
                     0);
    town.password = password_of(bench, bench->admin);
    bench_commit(bench);
    return town;
}

/* Gives the administrator the role through a parent only, so that a parent can be what goes. */
static void by_parent(struct town *town)
{
    struct bench *bench = town->bench;
    struct lk_id child = {0, 0, 0};

    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_role, &child, "name=heir", "parent=admin", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, bench->admin, child, 0), 0);
    assert_int_equal(lk_role_revoke(&bench->txn, bench->admin, town->admin_role), 0);
    bench_commit(bench);
}

static int heir_of_base(struct town *town)
{
    return bench_set(town->bench, &lk_kind_role, bench_named(town->bench, &lk_kind_role, "heir"),
                     "parent=base", NULL);
}

static int heir_of_nobody(struct town *town)
{
    return bench_set(town->bench, &lk_kind_role, bench_named(town->bench, &lk_kind_role, "heir"),
                     "parent=", NULL);
}

static int heir_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_role,
                     bench_named(town->bench, &lk_kind_role, "heir"), NULL);
}

static int user_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_user, town->bench->admin, NULL);
}

static int user_purged(struct town *town)
{
    return lk_purge(&town->bench->txn, &lk_kind_user, town->bench->admin);
}

static int user_suspended(struct town *town)
{
    return lk_user_set_status(&town->bench->txn, town->bench->admin, LK_USER_SUSPENDED);
}

static int user_invited(struct town *town)
{
    return bench_set(town->bench, &lk_kind_user, town->bench->admin, "status=invited", NULL);
}

static int role_revoked(struct town *town)
{
    return lk_role_revoke(&town->bench->txn, town->bench->admin, town->admin_role);
}

static int grant_ends(struct town *town)
{
    return lk_role_grant(&town->bench->txn, town->bench->admin, town->admin_role,
                         lk_now(&town->bench->txn) + 60000);
}

static int role_off(struct town *town)
{
    return bench_set(town->bench, &lk_kind_role, town->admin_role, "is_active=false", NULL);
}

static int role_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_role, town->admin_role, NULL);
}

static int role_purged(struct town *town)
{
    return lk_purge(&town->bench->txn, &lk_kind_role, town->admin_role);
}

static int role_forbidden(struct town *town)
{
    return lk_role_permit(&town->bench->txn, town->admin_role, town->all, false);
}

static int role_emptied(struct town *town)
{
    return bench_set(town->bench, &lk_kind_role, town->admin_role, "permissions=read-all", NULL);
}

static int role_denied(struct town *town)
{
    return lk_role_permit(&town->bench->txn, town->admin_role, town->deny, true);
}

static int role_denied_by_parent(struct town *town)
{
    return bench_set(town->bench, &lk_kind_role, town->admin_role, "parent=denied", NULL);
}

static int denied_by_another_role(struct town *town)
{
    return lk_role_grant(&town->bench->txn, town->bench->admin, town->deny_role, 0);
}

static int denied_for_a_while(struct town *town)
{
    return lk_role_grant(&town->bench->txn, town->bench->admin, town->deny_role,
                         lk_now(&town->bench->txn) + 60000);
}

static int permission_narrowed(struct town *town)
{
    return bench_set(town->bench, &lk_kind_permission, town->all, "resource=user", NULL);
}

static int permission_conditional(struct town *town)
{
    return bench_set(town->bench, &lk_kind_permission, town->all, "channels=http", NULL);
}

static int permission_in_a_window(struct town *town)
{
    return bench_set(town->bench, &lk_kind_permission, town->all, "window=mon", NULL);
}

static int permission_denies(struct town *town)
{
    return bench_set(town->bench, &lk_kind_permission, town->all, "deny=true", NULL);
}

static int password_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_credential, town->password, NULL);
}

static int password_ends(struct town *town)
{
    return bench_set(town->bench, &lk_kind_credential, town->password, "expires_at=1h", NULL);
}

static const struct way {
    const char *name;
    int (*go)(struct town *town);
    bool heir; /* the right comes from a parent */
    bool all;  /* takes it from every administrator: another one is no help */
} ways[] = {
    {"remove the user", user_removed, false, false},
    {"purge the user", user_purged, false, false},
    {"suspend the user", user_suspended, false, false},
    {"set the user to invited", user_invited, false, false},
    {"revoke the role", role_revoked, false, false},
    {"let the grant end", grant_ends, false, false},
    {"switch the role off", role_off, false, true},
    {"remove the role", role_removed, false, true},
    {"purge the role", role_purged, false, true},
    {"forbid the permission", role_forbidden, false, true},
    {"set the role's permissions", role_emptied, false, true},
    {"permit a denial", role_denied, false, true},
    {"a parent that denies", role_denied_by_parent, false, true},
    {"grant a role that denies", denied_by_another_role, false, false},
    {"grant a role that denies, for a while", denied_for_a_while, false, false},
    {"narrow the permission", permission_narrowed, false, true},
    {"put a channel on the permission", permission_conditional, false, true},
    {"put a window on the permission", permission_in_a_window, false, true},
    {"turn the permission round", permission_denies, false, true},
    {"remove the password", password_removed, false, false},
    {"let the password end", password_ends, false, false},
    {"another parent", heir_of_base, true, false},
    {"no parent", heir_of_nobody, true, false},
    {"remove the role that inherits", heir_removed, true, false},
};

static void refused(struct town *town, const struct way *way, const char *who)
{
    struct bench *bench = town->bench;
    uint64_t print = bench_print(bench);
    const struct lk_problem *problem;
    int error;

    bench_write(bench);
    error = way->go(town);
    problem = lk_problem(&bench->txn);
    if (error != LK_E_CHECK || !problem->rule || strcmp(problem->rule, NOBODY_LEFT) != 0) {
        fail_msg("%s, by %s: got %d, \"%s\"", way->name, who, error,
                 problem->rule ? problem->rule : "-");
    }
    bench_commit(bench);
    if (bench_print(bench) != print) {
        fail_msg("%s, by %s: the refusal changed the store", way->name, who);
    }
}

static void taken(struct town *town, const struct way *way, const char *who)
{
    int error;

    bench_write(town->bench);
    error = way->go(town);
    if (error) {
        const char *rule = lk_problem(&town->bench->txn)->rule;

        fail_msg("%s, %s: got %d, \"%s\"", way->name, who, error, rule ? rule : "-");
    }
    bench_commit(town->bench);
    bench_verify(town->bench);
}

static void test_s21_last_administrator(void **state)
{
    size_t i;
    unsigned self;

    (void)state;
    for (i = 0; i < LK_COUNT(ways); i++) {
        for (self = 0; self < 2; self++) {
            struct town town = town_open();
            struct lk_id second;

            if (ways[i].heir) {
                by_parent(&town);
            }
            if (self) {
                town.bench->actor.tenant = town.bench->tenant;
                town.bench->actor.user = town.bench->admin.user;
            }
            refused(&town, &ways[i], self ? "the administrator" : "the system");
            memset(&town.bench->actor, 0, sizeof(town.bench->actor));
            /* Users who hold less, or cannot log in, change nothing. */
            bench_write(town.bench);
            second = (struct lk_id){0, 0, 0};
            assert_int_equal(
                bench_add(town.bench, &lk_kind_user, &second, "username=key only", NULL), 0);
            assert_int_equal(lk_role_grant(&town.bench->txn, second, town.admin_role, 0), 0);
            bench_commit(town.bench);
            refused(&town, &ways[i], "the system, beside one without a password");
            second = bench_second_admin(town.bench);
            if (ways[i].all) {
                refused(&town, &ways[i], "the system, of both");
            } else {
                taken(&town, &ways[i], "beside a second administrator");
            }
            bench_close(town.bench);
        }
    }
    print_message("[  figure  ] S21: %zu ways, by system and administrator, all refused\n",
                  LK_COUNT(ways));
}

/* Which of two goes does not matter; the other then stays. */
static void test_s21_one_of_two(void **state)
{
    struct town town = town_open();
    struct lk_id second = bench_second_admin(town.bench);
    struct way suspend = {"suspend", user_suspended, false, false};

    (void)state;
    bench_write(town.bench);
    assert_int_equal(lk_user_set_status(&town.bench->txn, second, LK_USER_SUSPENDED), 0);
    bench_commit(town.bench);
    refused(&town, &suspend, "the system");
    bench_write(town.bench);
    assert_int_equal(lk_user_set_status(&town.bench->txn, second, LK_USER_ACTIVE), 0);
    assert_int_equal(user_suspended(&town), 0);
    assert_int_equal(lk_remove(&town.bench->txn, &lk_kind_user, second, NULL), LK_E_CHECK);
    bench_commit(town.bench);
    bench_close(town.bench);
}

/* One whose grant ends is better than none, and no reason to let one for good go. */
static void test_s21_administrators_for_a_while(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id second = bench_user(bench, "second", BENCH_PASSWORD);

    (void)state;
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, second, town.admin_role, lk_now(&bench->txn) + 60000), 0);
    assert_int_equal(user_removed(&town), LK_E_CHECK);
    /* The one for a while may go, and may stay for good. */
    assert_int_equal(lk_role_revoke(&bench->txn, second, town.admin_role), 0);
    assert_int_equal(lk_role_grant(&bench->txn, second, town.admin_role, 0), 0);
    assert_int_equal(user_removed(&town), 0);
    bench_commit(bench);
    bench_close(bench);
}

/* A claim code lets an administrator in as well as a password does. */
static void test_s21_claim_code_counts(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id second = bench_user(bench, "second", NULL);
    char code[LK_CLAIM_SIZE];

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, second, town.admin_role, 0), 0);
    assert_int_equal(user_removed(&town), LK_E_CHECK);
    assert_int_equal(lk_claim_add(&bench->txn, second, code), 0);
    assert_int_equal(user_removed(&town), 0);
    bench_commit(bench);
    bench_close(bench);
}

/* A denial that leaves the device itself open can be undone there. */
static void test_s21_denials_that_can_be_undone(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id door = {0, 0, 0};

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.deny, "channels=http,api", NULL),
                     0);
    assert_int_equal(role_denied(&town), 0);
    /* Once it is held, it cannot be made worse. */
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.deny, "channels=", NULL),
                     LK_E_CHECK);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.deny, "channels=console", NULL),
                     LK_E_CHECK);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &door, "name=no doors", "resource=door",
                               "action=*", "deny=true", NULL),
                     0);
    assert_int_equal(lk_role_permit(&bench->txn, town.admin_role, door, true), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* Everything in it goes with a tenant; and an administrator of another is no help. */
static void test_s21_tenants_apart(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id other = {0, 0, 0};
    struct way suspend = {"suspend", user_suspended, false, false};
    uint32_t main_tenant = bench->tenant;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &other, "name=other", NULL), 0);
    bench_commit(bench);
    bench->tenant = other.tenant;
    (void)bench_second_admin(bench);
    bench->tenant = main_tenant;
    refused(&town, &suspend, "the system");
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, other, NULL), 0);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, other), 0);
    other = (struct lk_id){main_tenant, 0, 0};
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, other, NULL), 0);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, other), 0);
    bench_commit(bench);
    bench_close(bench);
}

/* Put back record by record, a store keeps its administrator too. */
static void test_s21_put_back(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_grant grant;

    (void)state;
    memset(&grant, 0, sizeof(grant));
    grant.record.id = (struct lk_id){bench->tenant, bench->admin.user, town.deny_role.sub};
    lk_set_number(&lk_kind_grant, &grant.record, "role", town.deny_role.sub);
    lk_set_number(&lk_kind_grant, &grant.record, "assigned_at", LK_FAKE_START_MS);
    bench_write(bench);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_grant, &grant.record), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, NOBODY_LEFT);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* While some permission needs a second person, two must stay. */
static void test_s21_two_while_approvals_are_needed(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id door = {0, 0, 0}, second, third;
    uint64_t end = bench->fake.clock.wall_ms + 60000;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &door, "name=door:open", "resource=door",
                               "action=open", "approval=true", NULL),
                     LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule,
                        "would leave fewer than two administrators to approve each other");
    assert_string_equal(lk_problem(&bench->txn)->field, "approval");
    bench_commit(bench);
    second = bench_second_admin(bench);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &door, "name=door:open", "resource=door",
                               "action=open", "approval=true", NULL),
                     0);
    assert_int_equal(user_suspended(&town), LK_E_CHECK);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, second, NULL), LK_E_CHECK);
    bench_commit(bench);
    /* One whose right ends is not one of the two, however many there are of those. */
    third = bench_user(bench, "third", BENCH_PASSWORD);
    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, third, town.admin_role, end), 0);
    assert_int_equal(grant_ends(&town), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule,
                        "would leave fewer than two administrators to approve each other");
    assert_int_equal(lk_role_grant(&bench->txn, second, town.admin_role, end), LK_E_CHECK);
    assert_int_equal(lk_role_revoke(&bench->txn, second, town.admin_role), LK_E_CHECK);
    /* The one for a while may go, and may become one for good. */
    assert_int_equal(lk_role_revoke(&bench->txn, third, town.admin_role), 0);
    assert_int_equal(lk_role_grant(&bench->txn, third, town.admin_role, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, second, town.admin_role, end), 0);
    assert_int_equal(user_suspended(&town), LK_E_CHECK);
    /* Nor does it begin with one for good and one for a while. */
    assert_int_equal(bench_set(bench, &lk_kind_permission, door, "approval=false", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, third, town.admin_role, end), 0);
    assert_int_equal(bench_set(bench, &lk_kind_permission, door, "approval=true", NULL),
                     LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->field, "approval");
    assert_int_equal(lk_role_grant(&bench->txn, second, town.admin_role, 0), 0);
    assert_int_equal(user_suspended(&town), 0);
    bench_commit(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s21_last_administrator),
        cmocka_unit_test(test_s21_one_of_two),
        cmocka_unit_test(test_s21_administrators_for_a_while),
        cmocka_unit_test(test_s21_claim_code_counts),
        cmocka_unit_test(test_s21_denials_that_can_be_undone),
        cmocka_unit_test(test_s21_tenants_apart),
        cmocka_unit_test(test_s21_put_back),
        cmocka_unit_test(test_s21_two_while_approvals_are_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
