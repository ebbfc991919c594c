// SPDX-License-Identifier: MIT
/*
 * What may not be done stays undone whatever fails: the last administrator, rights that nobody may
 * give, a second person's word; and no right comes of a failure.
 */
#include "fault_town.h"

#include "lk_engine.h"

static int begin(struct fault_town *town, struct lk_id actor)
{
    struct lk_actor as = {.tenant = actor.tenant, .user = actor.user};

    return lk_begin(&town->bench->store, &town->bench->txn, LK_WRITE, actor.user ? &as : NULL);
}

static const struct lk_id nobody;

static int find(struct fault_town *town, const struct lk_kind *kind, const char *name,
                struct lk_id *id)
{
    return lk_find_named(&town->bench->txn, kind, town->bench->tenant, bench_text(name), id);
}

static int run_remove_admin(struct fault_town *town)
{
    int error = begin(town, nobody);

    return fault_town_end(
        town,
        error ? error : lk_remove(&town->bench->txn, &lk_kind_user, town->bench->admin, NULL));
}

static int run_purge_admin(struct fault_town *town)
{
    int error = begin(town, nobody);

    return fault_town_end(
        town, error ? error : lk_purge(&town->bench->txn, &lk_kind_user, town->bench->admin));
}

static int run_empty_admin_role(struct fault_town *town)
{
    struct lk_id role, all;
    int error = begin(town, nobody);

    if (!error) {
        error = find(town, &lk_kind_role, "admin", &role);
    }
    if (!error) {
        error = find(town, &lk_kind_permission, "all", &all);
    }
    return fault_town_end(town,
                          error ? error : lk_role_permit(&town->bench->txn, role, all, false));
}

static int run_condition_on_all(struct fault_town *town)
{
    struct lk_id all;
    int error = begin(town, nobody);

    if (!error) {
        error = find(town, &lk_kind_permission, "all", &all);
    }
    if (!error) {
        error = bench_set(town->bench, &lk_kind_permission, all, "channels=http", NULL);
    }
    return fault_town_end(town, error);
}

static int run_grant_too_much(struct fault_town *town)
{
    struct lk_id role;
    int error = begin(town, town->alice);

    if (!error) {
        error = find(town, &lk_kind_role, "admin", &role);
    }
    return fault_town_end(town,
                          error ? error : lk_role_grant(&town->bench->txn, town->bob, role, 0));
}

static int run_grant_own(struct fault_town *town)
{
    int error = begin(town, town->alice);

    return fault_town_end(
        town, error ? error : lk_role_grant(&town->bench->txn, town->bob, town->child, 0));
}

static int run_shut_out_admin(struct fault_town *town)
{
    int error = begin(town, town->alice);

    return fault_town_end(
        town, error ? error
                    : lk_user_set_status(&town->bench->txn, town->bench->admin, LK_USER_SUSPENDED));
}

static int run_condition(struct fault_town *town)
{
    struct lk_id id;
    int error = begin(town, nobody);

    if (!error) {
        error = find(town, &lk_kind_permission, "doors", &id);
    }
    if (!error) {
        error = bench_set(town->bench, &lk_kind_permission, id, "window=mon-fri 08:00-18:00",
                          "sources=10.0.0.0/8", "deny=true", NULL);
    }
    return fault_town_end(town, error);
}

static int approve(struct fault_town *town, const char *name, struct lk_span password)
{
    struct lk_login_request request = {.tenant = town->bench->tenant,
                                       .name = bench_text(name),
                                       .password = password,
                                       .channel = LK_CHANNEL_CONSOLE};
    struct lk_approval approval;
    struct lk_problem problem;
    int error = lk_approve(&town->bench->store, &request, town->alice.user, LK_ASK("door", "open"),
                           &approval, &problem);

    if (error && approval.approver) {
        fail_msg("an approval came with the error %d", error);
    }
    return error;
}

static int run_approve(struct fault_town *town)
{
    return approve(town, "admin", LK_TEXT(BENCH_PASSWORD));
}

static int run_approve_without_the_right(struct fault_town *town)
{
    return approve(town, "bob", LK_TEXT(FAULT_PASSWORD));
}

static int run_approve_wrong(struct fault_town *town)
{
    return approve(town, "admin", LK_TEXT("wrong password"));
}

/* The charge of an attempt stands before the rest: the state between. A medium that was busy is
 * tried again, for the same charge. */
static bool charged(struct fault_town *town, int error)
{
    struct fault_facts admin = fault_town_facts(town, town->bench->admin);
    struct fault_facts bob = fault_town_facts(town, town->bob);

    return error != 0 && admin.failed + bob.failed == 0 &&
           admin.console_failed + bob.console_failed == 1;
}

static void try_all(const struct fault_case *cases, size_t count)
{
    struct fault_town *town = fault_town_open();
    size_t i;

    for (i = 0; i < count; i++) {
        fault_town_try(town, &cases[i]);
    }
    fault_town_close(town);
}

static void test_fault_last_administrator(void **state)
{
    static const struct fault_case cases[] = {
        {"remove the last administrator", run_remove_admin, LK_E_CHECK, NULL},
        {"purge the last administrator", run_purge_admin, LK_E_CHECK, NULL},
        {"empty the last administrator's role", run_empty_admin_role, LK_E_CHECK, NULL},
        {"a condition on everything", run_condition_on_all, LK_E_CHECK, NULL},
    };

    (void)state;
    try_all(cases, LK_COUNT(cases));
}

static void test_fault_rights_not_held(void **state)
{
    static const struct fault_case cases[] = {
        {"grant what is not held", run_grant_too_much, LK_E_REFUSED, NULL},
        {"grant what is held", run_grant_own, 0, NULL},
        {"suspend one who holds more", run_shut_out_admin, LK_E_REFUSED, NULL},
        {"conditions of a permission", run_condition, 0, NULL},
    };

    (void)state;
    try_all(cases, LK_COUNT(cases));
}

static void test_fault_approvals(void **state)
{
    static const struct fault_case cases[] = {
        {"approve", run_approve, 0, charged},
        {"approve without the right", run_approve_without_the_right, LK_E_REFUSED, charged},
        {"approve with a wrong password", run_approve_wrong, LK_E_REFUSED, charged},
    };

    (void)state;
    try_all(cases, LK_COUNT(cases));
}

/* Conditions and denials under failure: an error, or the right answer; never the wrong one. */
static void test_fault_conditional_checks(void **state)
{
    static const int errors[] = {LK_E_IO, LK_E_CORRUPT, LK_E_BUSY};
    struct fault_town *town = fault_town_open();
    struct bench *bench = town->bench;
    struct lk_id door = {0, 0, 0}, deny = door, role;
    unsigned e, for_ever, which;
    uint64_t n, points = 0;

    (void)state;
    bench_write(bench);
    assert_int_equal(find(town, &lk_kind_permission, "doors", &door), 0);
    assert_int_equal(bench_set(bench, &lk_kind_permission, door, "channels=cli", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &deny, "name=no reading",
                               "resource=user", "action=read", "channels=cli", "deny=true", NULL),
                     0);
    role = (struct lk_id){0, 0, 0};
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &role, "name=blind", "permissions=no reading", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town->alice, role, 0), 0);
    bench_commit(bench);
    for (which = 0; which < 2; which++) {
        const struct lk_question open = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
        const struct lk_question read = {.resource = LK_TEXT("user"), .action = LK_TEXT("read")};
        int want = which ? LK_E_REFUSED : 0;

        for (for_ever = 0; for_ever < 2; for_ever++) {
            for (e = 0; e < LK_COUNT(errors); e++) {
                bool hit = true;

                for (n = 1; hit; n++) {
                    struct lk_verdict verdict;
                    int error;

                    lk_txn_release(&bench->txn);
                    memset(&bench->txn, 0, sizeof(bench->txn)); /* nothing cached */
                    lk_fault_at(&bench->fault, n, for_ever, errors[e]);
                    error = lk_begin(&bench->store, &bench->txn, LK_READ, NULL);
                    if (!error) {
                        error = lk_session_check(&bench->txn, 0, bench_text(town->token),
                                                 which ? &read : &open, &verdict);
                    }
                    lk_abort(&bench->txn);
                    hit = lk_fault_hit(&bench->fault);
                    lk_fault_at(&bench->fault, 0, false, 0);
                    points += hit;
                    if (which && !error) {
                        fail_msg("%llu: a failure gave what is denied", (unsigned long long)n);
                    }
                    assert_true(hit || error == want);
                }
            }
        }
    }
    print_message("[  figure  ] %llu points of failure, no right out of one\n",
                  (unsigned long long)points);
    fault_town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_last_administrator),
        cmocka_unit_test(test_fault_rights_not_held),
        cmocka_unit_test(test_fault_approvals),
        cmocka_unit_test(test_fault_conditional_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
