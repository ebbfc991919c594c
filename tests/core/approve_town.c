// SPDX-License-Identifier: MIT
#include "approve_town.h"

struct approve_town approve_open(void)
{
    struct approve_town town = {.bench = bench_open()};
    struct bench *bench = town.bench;
    struct lk_id role;

    (void)bench_second_admin(bench);
    town.alice = bench_user(bench, "alice", "alice's secret");
    town.bob = bench_user(bench, "bob", SECOND_PASSWORD);
    bench_write(bench);
    role = bench_named(bench, &lk_kind_role, "operator");
    assert_int_equal(lk_role_grant(&bench->txn, town.alice, role, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town.bob, role, 0), 0);
    town.permission = bench_named(bench, &lk_kind_permission, "user:write");
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.permission, "approval=true", NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &town.session), 0);
    return town;
}

int approve_by(struct approve_town *town, const char *name, const char *password,
               struct lk_approval *approval, struct lk_problem *problem)
{
    struct lk_login_request request = {.tenant = town->bench->tenant,
                                       .name = bench_text(name),
                                       .password = bench_text(password),
                                       .channel = LK_CHANNEL_CONSOLE};

    lk_abort(&town->bench->txn);
    return lk_approve(&town->bench->store, &request, town->alice.user, LK_ASK("user", "write"),
                      approval, problem);
}

unsigned approve_audited(struct bench *bench, const char *action, enum lk_outcome outcome,
                         uint32_t actor, char description[256])
{
    struct lk_audit_query query = {.tenant = bench->tenant,
                                   .action = bench_text(action),
                                   .outcome = 1 + (int)outcome,
                                   .actor = actor,
                                   .oldest_first = true};
    struct lk_audit_entry entry;
    unsigned count = 0;

    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count++;
        (void)snprintf(description, 256, "%.*s", (int)entry.description.size,
                       (const char *)entry.description.data);
    }
    lk_abort(&bench->txn);
    return count;
}

void approve_refused(struct approve_town *town, const char *name, const char *password,
                     const char *rule)
{
    struct lk_approval approval;
    struct lk_problem problem;
    char text[256];
    unsigned before = approve_audited(town->bench, "approve", LK_FAILURE, 0, text);

    assert_int_equal(approve_by(town, name, password, &approval, &problem), LK_E_REFUSED);
    assert_non_null(problem.rule);
    assert_string_equal(problem.rule, rule);
    assert_int_equal(approval.approver, 0);
    assert_int_equal(approve_audited(town->bench, "approve", LK_FAILURE, 0, text), before + 1);
}

void approve_alice(struct approve_town *town)
{
    town->bench->actor = (struct lk_actor){.tenant = town->alice.tenant, .user = town->alice.user};
    bench_write(town->bench);
}
