// SPDX-License-Identifier: MIT
/*
 * S21 where nobody holds everything: a tenant whose administrators hold in pieces what makes
 * another like them keeps the last of those.
 */
#include "bench.h"

#include "lk_engine.h"

#define NOBODY_LEFT "would leave the tenant without an administrator who can log in"

struct town {
    struct bench *bench;
    struct lk_id keeper, rights, people, password;
    struct lk_id piece; /* one of the eight: permission:write */
    struct lk_id deny;
};

/* Two roles, each with half of the pieces. */
static void grant_both(struct town *town, struct lk_id user)
{
    struct bench *bench = town->bench;

    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, user, town->rights, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, user, town->people, 0), 0);
    bench_commit(bench);
}

/* In a tenant of its own, where nobody ever had everything. */
static struct town town_open(void)
{
    struct town town = {.bench = bench_open()};
    struct bench *bench = town.bench;
    struct lk_tenant tenant;
    struct lk_credential password;

    memset(&tenant, 0, sizeof(tenant));
    lk_set_span(&lk_kind_tenant, &tenant.record, "name", LK_TEXT("pieces"));
    bench_write(bench);
    assert_int_equal(lk_tenant_add(&bench->txn, &tenant), 0);
    bench->tenant = tenant.record.id.tenant;
    assert_int_equal(bench_add(bench, &lk_kind_role, &town.rights, "name=rights",
                               "permissions=role:read,role:write,permission:read,permission:write",
                               NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &town.people, "name=people",
                               "permissions=user:read,user:write,credential:read,credential:write",
                               NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &town.deny, "name=no roles",
                               "resource=role", "action=write", "deny=true", NULL),
                     0);
    town.piece = bench_named(bench, &lk_kind_permission, "permission:write");
    bench_commit(bench);
    town.keeper = bench_user(bench, "keeper", BENCH_PASSWORD);
    grant_both(&town, town.keeper);
    bench_read(bench);
    assert_int_equal(
        lk_credential_find(&bench->txn, town.keeper, LK_CREDENTIAL_PASSWORD, &password), 0);
    town.password = password.record.id;
    lk_abort(&bench->txn);
    return town;
}

static int user_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_user, town->keeper, NULL);
}

static int user_suspended(struct town *town)
{
    return lk_user_set_status(&town->bench->txn, town->keeper, LK_USER_SUSPENDED);
}

static int half_revoked(struct town *town)
{
    return lk_role_revoke(&town->bench->txn, town->keeper, town->rights);
}

static int other_half_revoked(struct town *town)
{
    return lk_role_revoke(&town->bench->txn, town->keeper, town->people);
}

static int half_ends(struct town *town)
{
    return lk_role_grant(&town->bench->txn, town->keeper, town->people,
                         lk_now(&town->bench->txn) + 60000);
}

static int half_off(struct town *town)
{
    return bench_set(town->bench, &lk_kind_role, town->people, "is_active=false", NULL);
}

static int half_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_role, town->rights, NULL);
}

static int one_forbidden(struct town *town)
{
    return lk_role_permit(&town->bench->txn, town->rights, town->piece, false);
}

static int one_narrowed(struct town *town)
{
    return bench_set(town->bench, &lk_kind_permission, town->piece, "action=look", NULL);
}

static int one_conditional(struct town *town)
{
    return bench_set(town->bench, &lk_kind_permission, town->piece, "channels=http", NULL);
}

static int one_denied(struct town *town)
{
    return lk_role_permit(&town->bench->txn, town->people, town->deny, true);
}

static int password_removed(struct town *town)
{
    return lk_remove(&town->bench->txn, &lk_kind_credential, town->password, NULL);
}

static const struct way {
    const char *name;
    int (*go)(struct town *town);
    bool all; /* takes it from every keeper */
} ways[] = {
    {"remove the user", user_removed, false},
    {"suspend the user", user_suspended, false},
    {"revoke one half", half_revoked, false},
    {"revoke the other half", other_half_revoked, false},
    {"let one half end", half_ends, false},
    {"switch one half off", half_off, true},
    {"remove one half", half_removed, true},
    {"forbid one piece", one_forbidden, true},
    {"narrow one piece", one_narrowed, true},
    {"put a condition on one piece", one_conditional, true},
    {"permit a denial", one_denied, true},
    {"remove the password", password_removed, false},
};

static void refused(struct town *town, const struct way *way, const char *when)
{
    uint64_t print = bench_print(town->bench);
    const struct lk_problem *problem;
    int error;

    bench_write(town->bench);
    error = way->go(town);
    problem = lk_problem(&town->bench->txn);
    if (error != LK_E_CHECK || !problem->rule || strcmp(problem->rule, NOBODY_LEFT) != 0) {
        fail_msg("%s, %s: got %d, \"%s\"", way->name, when, error,
                 problem->rule ? problem->rule : "-");
    }
    bench_commit(town->bench);
    assert_true(bench_print(town->bench) == print);
}

static void taken(struct town *town, const struct way *way, const char *when)
{
    int error;

    bench_write(town->bench);
    error = way->go(town);
    if (error) {
        const char *rule = lk_problem(&town->bench->txn)->rule;

        fail_msg("%s, %s: got %d, \"%s\"", way->name, when, error, rule ? rule : "-");
    }
    bench_commit(town->bench);
}

static void test_s21_last_administrator_in_pieces(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(ways); i++) {
        struct town town = town_open();
        struct lk_id second;

        refused(&town, &ways[i], "alone");
        /* Half of it, without a password, or for a while: no other administrator. */
        second = bench_user(town.bench, "second", NULL);
        grant_both(&town, second);
        second = bench_user(town.bench, "third", BENCH_PASSWORD);
        bench_write(town.bench);
        assert_int_equal(lk_role_grant(&town.bench->txn, second, town.rights, 0), 0);
        bench_commit(town.bench);
        refused(&town, &ways[i], "beside some who are none");
        bench_write(town.bench);
        assert_int_equal(
            lk_role_grant(&town.bench->txn, second, town.people, lk_now(&town.bench->txn) + 60000),
            0);
        bench_commit(town.bench);
        refused(&town, &ways[i], "beside one for a while");
        bench_write(town.bench);
        assert_int_equal(lk_role_grant(&town.bench->txn, second, town.people, 0), 0);
        bench_commit(town.bench);
        if (ways[i].all) {
            refused(&town, &ways[i], "of both");
        } else {
            taken(&town, &ways[i], "beside another");
        }
        bench_verify(town.bench);
        bench_close(town.bench);
    }
    print_message("[  figure  ] S21: %zu ways, in pieces, all refused\n", LK_COUNT(ways));
}

/* Pieces may be wider than they need to be; who has everything has them all. */
static void test_s21_pieces_by_wildcard(void **state)
{
    static const char *const wide[] = {"permissions=write-all,read-all", "permissions=all"};
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(wide); i++) {
        struct town town = town_open();
        struct bench *bench = town.bench;
        struct lk_id second = bench_user(bench, "second", BENCH_PASSWORD);
        struct lk_id role = {0, 0, 0}, permission = {0, 0, 0};

        bench_write(bench);
        assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=write-all",
                                   "resource=*", "action=write", NULL),
                         0);
        assert_int_equal(bench_add(bench, &lk_kind_role, &role, "name=wide", wide[i], NULL), 0);
        assert_int_equal(lk_role_grant(&bench->txn, second, role, 0), 0);
        assert_int_equal(user_removed(&town), 0);
        assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, second, NULL), LK_E_CHECK);
        bench_commit(bench);
        bench_close(bench);
    }
}

/* One who holds everything is not given up for one who holds the pieces. */
static void test_s21_pieces_are_not_everything(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id second = bench_user(bench, "second", BENCH_PASSWORD), role = {0, 0, 0};

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, "name=keeper",
                               "permissions=role:read,role:write,permission:read,permission:write,"
                               "user:read,user:write,credential:read,credential:write",
                               NULL),
                     0);
    assert_int_equal(lk_role_grant(&bench->txn, second, role, 0), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, bench->admin, NULL), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, NOBODY_LEFT);
    /* Nor do the two approve each other. */
    assert_int_equal(bench_set(bench, &lk_kind_permission,
                               bench_named(bench, &lk_kind_permission, "user:write"),
                               "approval=true", NULL),
                     LK_E_CHECK);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, second, NULL), 0);
    bench_commit(bench);
    bench_close(bench);
}

/* Where all hold pieces, two of them approve each other. */
static void test_s21_two_in_pieces_while_approvals_are_needed(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id second;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.piece, "approval=true", NULL),
                     LK_E_CHECK);
    bench_commit(bench);
    second = bench_user(bench, "second", BENCH_PASSWORD);
    grant_both(&town, second);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.piece, "approval=true", NULL), 0);
    assert_int_equal(user_suspended(&town), LK_E_CHECK);
    assert_int_equal(half_revoked(&town), LK_E_CHECK);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s21_last_administrator_in_pieces),
        cmocka_unit_test(test_s21_pieces_by_wildcard),
        cmocka_unit_test(test_s21_pieces_are_not_everything),
        cmocka_unit_test(test_s21_two_in_pieces_while_approvals_are_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
