// SPDX-License-Identifier: MIT
/* Nobody approves whom the one who asks made able to: by records, the audit and the clock. */
#include "approve_town.h"

#include "lk_engine.h"

static void taint_password(struct approve_town *town)
{
    struct lk_password password;

    assert_int_equal(lk_password_prepare(&town->bench->store, LK_TEXT(SECOND_PASSWORD), NULL, 0,
                                         &password, NULL),
                     0);
    approve_alice(town);
    assert_int_equal(lk_password_set(&town->bench->txn, town->bob, &password, 0), 0);
}

static void taint_key_that_is_gone(struct approve_town *town)
{
    char token[LK_TOKEN_SIZE];
    struct lk_id id;

    approve_alice(town);
    assert_int_equal(
        lk_api_key_add(&town->bench->txn, town->bob, LK_TEXT("k"), LK_TEXT(""), 0, token, &id), 0);
    assert_int_equal(lk_remove(&town->bench->txn, &lk_kind_credential, id, NULL), 0);
}

static void taint_grant(struct approve_town *town)
{
    approve_alice(town);
    assert_int_equal(lk_role_revoke(&town->bench->txn, town->bob,
                                    bench_named(town->bench, &lk_kind_role, "operator")),
                     0);
    assert_int_equal(lk_role_grant(&town->bench->txn, town->bob,
                                   bench_named(town->bench, &lk_kind_role, "operator"), 0),
                     0);
}

/* A grant's record tells who made it, not who made it last: the audit does. */
static void taint_grant_prolonged(struct approve_town *town)
{
    approve_alice(town);
    assert_int_equal(lk_role_grant(&town->bench->txn, town->bob,
                                   bench_named(town->bench, &lk_kind_role, "operator"),
                                   lk_now(&town->bench->txn) + 3 * (uint64_t)LK_MS_PER_DAY),
                     0);
}

static void taint_user(struct approve_town *town)
{
    approve_alice(town);
    assert_int_equal(
        bench_set(town->bench, &lk_kind_user, town->bob, "email=bob@example.org", NULL), 0);
}

/* Somebody else changed the user since: the record forgets, the audit does not. */
static void taint_user_hidden(struct approve_town *town)
{
    taint_user(town);
    bench_commit(town->bench);
    memset(&town->bench->actor, 0, sizeof(town->bench->actor));
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_user, town->bob, "display_name=Bob", NULL), 0);
}

static void taint_role(struct approve_town *town)
{
    approve_alice(town);
    assert_int_equal(bench_set(town->bench, &lk_kind_role,
                               bench_named(town->bench, &lk_kind_role, "operator"), "description=y",
                               NULL),
                     0);
}

static void taint_unlock(struct approve_town *town)
{
    approve_alice(town);
    assert_int_equal(lk_user_unlock(&town->bench->txn, town->bob), 0);
}

/* Bob holds it through the parent of a parent of a role. */
static void taint_role_between(struct approve_town *town)
{
    struct bench *bench = town->bench;
    struct lk_id mid = {0, 0, 0}, low = {0, 0, 0};

    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_role, &mid, "name=mid", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &low, "name=low", "parent=mid", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town->bob, low, 0), 0);
    assert_int_equal(
        lk_role_revoke(&bench->txn, town->bob, bench_named(bench, &lk_kind_role, "operator")), 0);
    bench_commit(bench);
    approve_alice(town);
    assert_int_equal(bench_set(bench, &lk_kind_role, mid, "parent=operator", NULL), 0);
}

/* The same, and the role's record tells of somebody else since. */
static void taint_role_between_hidden(struct approve_town *town)
{
    struct bench *bench = town->bench;

    taint_role_between(town);
    bench_commit(bench);
    memset(&bench->actor, 0, sizeof(bench->actor));
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_role, bench_named(bench, &lk_kind_role, "mid"),
                               "description=y", NULL),
                     0);
}

/* Bob is denied what he holds, and alice takes the denial away. */
static struct lk_id denied(struct approve_town *town, struct lk_id *permission)
{
    struct bench *bench = town->bench;
    struct lk_id role = {0, 0, 0};

    *permission = role;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, permission, "name=no users",
                               "resource=user", "action=write", "deny=true", NULL),
                     0);
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &role, "name=barred", "permissions=no users", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town->bob, role, 0), 0);
    bench_commit(bench);
    approve_alice(town);
    return role;
}

static void taint_denial_forbidden(struct approve_town *town)
{
    struct lk_id permission, role = denied(town, &permission);

    assert_int_equal(lk_role_permit(&town->bench->txn, role, permission, false), 0);
}

static void taint_denial_elsewhere(struct approve_town *town)
{
    struct lk_id permission;

    (void)denied(town, &permission);
    assert_int_equal(
        bench_set(town->bench, &lk_kind_permission, permission, "resource=nothing", NULL), 0);
}

static void taint_denial_hidden(struct approve_town *town)
{
    struct lk_id permission;

    (void)denied(town, &permission);
    assert_int_equal(
        bench_set(town->bench, &lk_kind_permission, permission, "resource=nothing", NULL), 0);
    bench_commit(town->bench);
    memset(&town->bench->actor, 0, sizeof(town->bench->actor));
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_permission, permission, "description=y", NULL),
                     0);
}

static void taint_denial_off(struct approve_town *town)
{
    struct lk_id permission, role = denied(town, &permission);

    assert_int_equal(bench_set(town->bench, &lk_kind_role, role, "is_active=false", NULL), 0);
}

/* The grant goes with the role, and no record of either is left. */
static void taint_denial_purged(struct approve_town *town)
{
    struct lk_id permission, role = denied(town, &permission);

    assert_int_equal(lk_remove(&town->bench->txn, &lk_kind_role, role, NULL), 0);
    assert_int_equal(lk_purge(&town->bench->txn, &lk_kind_role, role), 0);
}

static void test_approve_not_by_whom_the_requester_made(void **state)
{
    static void (*const taints[])(struct approve_town * town) = {
        taint_password,
        taint_key_that_is_gone,
        taint_grant,
        taint_grant_prolonged,
        taint_user,
        taint_user_hidden,
        taint_role,
        taint_unlock,
        taint_role_between,
        taint_role_between_hidden,
        taint_denial_forbidden,
        taint_denial_elsewhere,
        taint_denial_hidden,
        taint_denial_off,
        taint_denial_purged,
    };
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(taints); i++) {
        struct approve_town town = approve_open();
        struct lk_approval approval;
        struct lk_problem problem;

        lk_fake_advance(&town.bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        taints[i](&town);
        bench_commit(town.bench);
        memset(&town.bench->actor, 0, sizeof(town.bench->actor));
        approve_refused(&town, "bob", SECOND_PASSWORD,
                        "was changed by the one who asks within the last day");
        lk_fake_advance(&town.bench->fake, LK_MS_PER_DAY - 1);
        approve_refused(&town, "bob", SECOND_PASSWORD,
                        "was changed by the one who asks within the last day");
        lk_fake_advance(&town.bench->fake, 1);
        assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        bench_close(town.bench);
    }
    print_message("[  figure  ] %zu ways to make an approver, none of them within a day\n", i);
}

/* Where the audit was flooded meanwhile, the records still tell. */
static void test_approve_records_outlive_the_audit(void **state)
{
    static void (*const taints[])(struct approve_town * town) = {taint_password, taint_grant,
                                                                 taint_user, taint_role};
    size_t i, n;

    (void)state;
    for (i = 0; i < LK_COUNT(taints); i++) {
        struct approve_town town = approve_open();
        struct bench *bench = town.bench;
        struct lk_id carol = bench_user(bench, "carol", NULL);
        char text[256], name[40];

        lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        taints[i](&town);
        bench_commit(bench);
        memset(&bench->actor, 0, sizeof(bench->actor));
        bench_write(bench);
        for (n = 0; n < LK_AUDIT_CAPACITY; n++) {
            (void)snprintf(name, sizeof(name), "display_name=Carol %zu", n);
            assert_int_equal(bench_set(bench, &lk_kind_user, carol, name, NULL), 0);
            if (n % 64 == 63) {
                bench_commit(bench);
                bench_write(bench);
            }
        }
        bench_commit(bench);
        assert_int_equal(approve_audited(bench, "user.passwd", LK_SUCCESS, town.alice.user, text),
                         0);
        approve_refused(&town, "bob", SECOND_PASSWORD,
                        "was changed by the one who asks within the last day");
        bench_close(bench);
    }
}

/* An audit that was pushed round within the day tells nothing; once a day is in it, it does. */
static void test_approve_not_where_the_audit_was_flooded(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_id carol = bench_user(bench, "carol", NULL), tenant = {bench->tenant, 0, 0};
    struct lk_approval approval;
    struct lk_problem problem;
    struct lk_id permission, role;
    char name[40];
    size_t n;

    (void)state;
    /* All of before is past its retention, so that the ring may become a small one. */
    lk_fake_advance(&bench->fake, 400 * (uint64_t)LK_MS_PER_DAY);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant, "audit_capacity=16", NULL), 0);
    bench_commit(bench);
    role = denied(&town, &permission);
    assert_int_equal(lk_role_revoke(&bench->txn, town.bob, role), 0);
    bench_commit(bench);
    memset(&bench->actor, 0, sizeof(bench->actor));
    bench_write(bench);
    for (n = 0; n < 20; n++) {
        (void)snprintf(name, sizeof(name), "display_name=Carol %zu", n);
        assert_int_equal(bench_set(bench, &lk_kind_user, carol, name, NULL), 0);
    }
    /* More room shows no more of what is gone. */
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant, "audit_capacity=64", NULL), 0);
    bench_commit(bench);
    approve_refused(&town, "bob", SECOND_PASSWORD,
                    "was changed by the one who asks within the last day");
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
    bench_close(bench);
}

/* A day by the clock is none where the one who asks has set it, nor where others have since. */
static void test_approve_not_by_a_clock_set_ahead(void **state)
{
    unsigned by_other;

    (void)state;
    for (by_other = 0; by_other < 2; by_other++) {
        struct approve_town town = approve_open();
        struct bench *bench = town.bench;
        struct lk_actor actor = {.tenant = bench->tenant};
        struct lk_id permission, role;
        struct lk_approval approval;
        struct lk_problem problem;

        lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        role = denied(&town, &permission);
        assert_int_equal(lk_role_revoke(&bench->txn, town.bob, role), 0);
        bench_commit(bench);
        lk_abort(&bench->txn);
        memset(&bench->actor, 0, sizeof(bench->actor));
        actor.user = by_other ? bench->admin.user : town.alice.user;
        assert_int_equal(lk_clock_set(&bench->store, &actor,
                                      bench->fake.clock.wall_ms + 2 * (uint64_t)LK_MS_PER_DAY,
                                      &problem),
                         0);
        approve_refused(&town, "bob", SECOND_PASSWORD,
                        "was changed by the one who asks within the last day");
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY - 1);
        approve_refused(&town, "bob", SECOND_PASSWORD,
                        "was changed by the one who asks within the last day");
        lk_fake_advance(&bench->fake, 1);
        assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        bench_close(bench);
    }
}

/* Setting the clock alone is enough, ahead or back: what it hid cannot be told. */
static void test_approve_not_by_whoever_sets_the_clock(void **state)
{
    static const int64_t steps[] = {3600000, -3600000};
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(steps); i++) {
        struct approve_town town = approve_open();
        struct bench *bench = town.bench;
        struct lk_actor actor = {.tenant = bench->tenant, .user = town.alice.user};
        struct lk_approval approval;
        struct lk_problem problem;

        lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        assert_int_equal(lk_clock_set(&bench->store, &actor,
                                      (uint64_t)((int64_t)bench->fake.clock.wall_ms + steps[i]),
                                      &problem),
                         0);
        approve_refused(&town, "bob", SECOND_PASSWORD,
                        "was changed by the one who asks within the last day");
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
        assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        bench_close(bench);
    }
}

/* What alice does to others, and others to bob, is no matter. */
static void test_approve_by_whom_others_changed(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_approval approval;
    struct lk_problem problem;
    struct lk_id carol = bench_user(bench, "carol", NULL), role = {0, 0, 0}, door = {0, 0, 0};

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &door, "name=door", "resource=door",
                               "action=open", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, "name=doors", "permissions=door", NULL),
                     0);
    bench_commit(bench);
    approve_alice(&town);
    assert_int_equal(bench_set(bench, &lk_kind_user, carol, "display_name=Carol", NULL), 0);
    /* So are roles and permissions that bob has nothing of. */
    assert_int_equal(bench_set(bench, &lk_kind_role, role, "description=y", NULL), 0);
    assert_int_equal(bench_set(bench, &lk_kind_permission, door, "description=y", NULL), 0);
    bench_commit(bench);
    bench->actor.user = bench->admin.user;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, town.bob, "display_name=Bob", NULL), 0);
    bench_commit(bench);
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_approve_not_by_whom_the_requester_made),
        cmocka_unit_test(test_approve_records_outlive_the_audit),
        cmocka_unit_test(test_approve_not_where_the_audit_was_flooded),
        cmocka_unit_test(test_approve_not_by_a_clock_set_ahead),
        cmocka_unit_test(test_approve_not_by_whoever_sets_the_clock),
        cmocka_unit_test(test_approve_by_whom_others_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
