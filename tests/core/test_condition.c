// SPDX-License-Identifier: MIT
/* Conditions of permissions, through the question: all together, of denials and of sessions. */
#include "bench.h"

#include "lk_engine.h"

/* ---- All together, through the question ---- */

static struct lk_id give(struct bench *bench, struct lk_id user, const char *name,
                         const char *extra, const char *more)
{
    struct lk_id permission = {0, 0, 0}, role = permission;
    char names[80], resource[40] = "resource=", action[40] = "action=";
    const char *colon = strchr(name, ':');

    (void)snprintf(resource + 9, sizeof(resource) - 9, "%.*s", (int)(colon - name), name);
    (void)snprintf(action + 7, sizeof(action) - 7, "%s", colon + 1);
    (void)snprintf(names, sizeof(names), "name=%s%s%s%s%s", name, *extra ? " " : "", extra,
                   more ? " " : "", more ? more : "");
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, names, resource, action,
                               extra, more, NULL),
                     0);
    (void)snprintf(names, sizeof(names), "name=role of %u", permission.sub);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, names, NULL), 0);
    assert_int_equal(lk_role_permit(&bench->txn, role, permission, true), 0);
    assert_int_equal(lk_role_grant(&bench->txn, user, role, 0), 0);
    bench_commit(bench);
    return permission;
}

static int ask(struct bench *bench, struct lk_id user, const struct lk_question *question,
               struct lk_reason *reason)
{
    int error;

    bench_read(bench);
    error = lk_permission_check(&bench->txn, user, question, reason);
    lk_abort(&bench->txn);
    return error;
}

static void test_condition_owner_channel_and_unknowns(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_reason reason;
    struct lk_id permission;

    (void)state;
    permission = give(bench, alice, "door:open", "owner_only=true", "channels=http cli");
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_int_equal(reason.decision, LK_DECIDED_CONDITION);
    assert_int_equal(reason.permission.sub, permission.sub);
    assert_true(reason.failed == (LK_BIT(12) | LK_BIT(15)));
    question.owner = alice.user;
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_true(reason.failed == LK_BIT(12));
    question.channel = 1 + LK_CHANNEL_CONSOLE;
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    question.channel = 1 + LK_CHANNEL_HTTP;
    assert_int_equal(ask(bench, alice, &question, &reason), 0);
    assert_int_equal(reason.decision, LK_DECIDED_ALLOWED);
    question.owner = bench->admin.user;
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_true(reason.failed == LK_BIT(15));
    /* Another permission that gives it without conditions is enough. */
    (void)give(bench, alice, "door:*", "description=all", NULL);
    assert_int_equal(ask(bench, alice, &question, &reason), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* A window goes by the tenant's zone, and closes with a clock that cannot be believed. */
static void test_condition_window_needs_a_clock(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_reason reason;

    (void)state; /* the clock stands at midnight of a Thursday, UTC */
    (void)give(bench, alice, "door:open", "window=thu 02:00-03:00", NULL);
    assert_int_equal(ask(bench, alice, &question, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "time_zone=+02:30", NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(ask(bench, alice, &question, NULL), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_true(reason.failed == LK_BIT(14));
    /* What would be at a time that is named needs no clock. */
    question.at = LK_FAKE_START_MS;
    assert_int_equal(ask(bench, alice, &question, NULL), 0);
    question.at = 0;
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 30 * 60000, LK_CLOCK_SYNCED);
    assert_int_equal(ask(bench, alice, &question, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* ---- Denial ---- */

static void test_deny_wins_over_everything(void **state)
{
    struct bench *bench = bench_open();
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_question other = {.resource = LK_TEXT("door"), .action = LK_TEXT("close")};
    struct lk_reason reason;
    struct lk_id deny;

    (void)state;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    deny = give(bench, bench->admin, "door:open", "deny=true", NULL);
    assert_int_equal(ask(bench, bench->admin, &question, &reason), LK_E_REFUSED);
    assert_int_equal(reason.decision, LK_DECIDED_DENIED);
    assert_int_equal(reason.permission.sub, deny.sub);
    assert_int_equal(ask(bench, bench->admin, &other, NULL), 0);
    /* A wildcard denies, too; and so does one that is held twice removed. */
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "action=*", NULL), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bench->admin, &other, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "approval=true", NULL),
                     LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, "is not for a permission that denies");
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "login_age=5", NULL), LK_E_CHECK);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "deny=false", NULL), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* What cannot be told counts against whoever asks. */
static void test_deny_under_conditions(void **state)
{
    struct bench *bench = bench_open();
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};

    (void)state;
    (void)give(bench, bench->admin, "door:open", "deny=true", "channels=http api");
    assert_int_equal(ask(bench, bench->admin, &question, NULL), LK_E_REFUSED);
    question.channel = 1 + LK_CHANNEL_HTTP;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), LK_E_REFUSED);
    question.channel = 1 + LK_CHANNEL_CONSOLE;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    question.resource = LK_TEXT("gate");
    question.channel = 0;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    (void)give(bench, bench->admin, "gate:open", "deny=true", "window=mon 00:00-01:00");
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0); /* it is Thursday */
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    assert_int_equal(ask(bench, bench->admin, &question, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* A grant that ends: while the clock cannot tell whether it has, it gives nothing and still takes.
 */
static void test_deny_by_a_grant_that_ends(void **state)
{
    struct bench *bench = bench_open();
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_id deny = give(bench, alice, "door:open", "deny=true", NULL), role, simple;
    char name[40];

    (void)state;
    simple = give(bench, bob, "door:open", "description=simply", NULL);
    (void)give(bench, alice, "door:open", "description=for alice", NULL);
    bench_write(bench);
    (void)snprintf(name, sizeof(name), "role of %u", deny.sub);
    role = bench_named(bench, &lk_kind_role, name);
    (void)snprintf(name, sizeof(name), "role of %u", simple.sub);
    simple = bench_named(bench, &lk_kind_role, name);
    assert_int_equal(lk_role_grant(&bench->txn, bob, role, lk_now(&bench->txn) + 60000), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bob, &question, NULL), LK_E_REFUSED);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    assert_int_equal(ask(bench, bob, &question, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "deny=false", NULL), 0);
    assert_int_equal(lk_role_revoke(&bench->txn, bob, simple), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bob, &question, NULL), LK_E_REFUSED);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SYNCED);
    assert_int_equal(ask(bench, bob, &question, NULL), 0);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "deny=true", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, bob, simple, 0), 0);
    bench_commit(bench);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 60000, LK_CLOCK_SYNCED);
    assert_int_equal(ask(bench, bob, &question, NULL), 0);
    assert_int_equal(ask(bench, alice, &question, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* A key with fewer roles does not shed what its owner is denied. */
static void test_deny_reaches_limited_keys(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), permission, role, key;
    char token[LK_TOKEN_SIZE], name[40];
    uint8_t roles[16];
    size_t size;

    (void)state;
    permission = give(bench, alice, "door:open", "description=simply", NULL);
    bench_write(bench);
    (void)snprintf(name, sizeof(name), "role of %u", permission.sub);
    role = bench_named(bench, &lk_kind_role, name);
    assert_int_equal(lk_refs_change(LK_TEXT("\x80"), role.sub, true, roles, sizeof(roles), &size),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), (struct lk_span){roles, size},
                                    0, token, &key),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, token, "door:open"), 0);
    (void)give(bench, alice, "door:*", "deny=true", NULL);
    assert_int_equal(bench_check(bench, token, "door:open"), LK_E_REFUSED);
    bench_close(bench);
}

/* What is put back keeps the rules as well, and verify finds what does not. */
static void test_condition_put_back_and_verified(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id id = {0, 0, 0};
    struct lk_permission permission;
    struct lk_verify verify = {.on_fault = NULL};

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &id, "name=door:open", "resource=door",
                               "action=open", "window=mon", NULL),
                     0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_permission, id, &permission.record), 0);
    permission.record.id.sub += 10;
    permission.record.raw.size = 0;
    lk_set_text(&lk_kind_permission, &permission.record, "name", "again");
    lk_set_text(&lk_kind_permission, &permission.record, "resource", "door");
    lk_set_text(&lk_kind_permission, &permission.record, "action", "open");
    lk_set_text(&lk_kind_permission, &permission.record, "window", "some day");
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_permission, &permission.record), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->field, "window");
    lk_set_text(&lk_kind_permission, &permission.record, "window", "sun");
    lk_set_number(&lk_kind_permission, &permission.record, "deny", 1);
    lk_set_number(&lk_kind_permission, &permission.record, "login_age", 1);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_permission, &permission.record), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, "is not for a permission that denies");
    lk_set_number(&lk_kind_permission, &permission.record, "login_age", 0);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_permission, &permission.record), 0);
    bench_commit(bench);
    bench_verify(bench);
    /* Past the write path: a text of no form, and a denial that asks for more. */
    bench_write(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_permission, id, &permission.record), 0);
    lk_set_text(&lk_kind_permission, &permission.record, "window", "some day");
    lk_set_number(&lk_kind_permission, &permission.record, "deny", 1);
    lk_set_number(&lk_kind_permission, &permission.record, "approval", 1);
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_permission, &permission.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
    assert_int_equal(verify.fault_count, 2);
    bench_close(bench);
}

/* ---- Where a session comes from ---- */

static int check_from(struct bench *bench, const char *token, const char *address)
{
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_verdict verdict;
    uint8_t ip[16];
    int error;

    if (address) {
        assert_int_equal(lk_address_parse(bench_text(address), ip, &question.ip.size), 0);
        question.ip.data = ip;
    }
    question.channel = 1 + LK_CHANNEL_CONSOLE; /* a session has its own */
    bench_read(bench);
    error = lk_session_check(&bench->txn, 0, bench_text(token), &question, &verdict);
    lk_abort(&bench->txn);
    return error;
}

static void test_condition_of_a_session(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    static const uint8_t address[4] = {10, 1, 2, 3};
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT("alice's secret"),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {address, sizeof(address)}};
    struct lk_login_result result;

    (void)state;
    (void)give(bench, alice, "door:open", "sources=10.0.0.0/8", "channels=http");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    assert_int_equal(check_from(bench, result.token, NULL), 0);
    assert_int_equal(check_from(bench, result.token, "203.0.113.9"), LK_E_REFUSED);
    assert_int_equal(check_from(bench, result.token, "::ffff:10.9.9.9"), 0);
    request.channel = LK_CHANNEL_MQTT;
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    assert_int_equal(check_from(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* ---- A newer login ---- */

static void test_login_age_asks_for_a_new_login(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret"), permission, key;
    struct lk_login_result result, again;
    char token[LK_TOKEN_SIZE];
    struct lk_reason reason;

    (void)state;
    (void)give(bench, alice, "door:open", "description=simply", NULL);
    bench_write(bench);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, token, &key),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &again), 0);
    assert_int_equal(bench_check(bench, token, "door:open"), 0);
    /* Whoever demands it: the one who gives it did not. */
    permission = give(bench, alice, "door:*", "login_age=60", NULL);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    lk_fake_advance(&bench->fake, 60000);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, "door:open"), LK_E_STEP_UP);
    assert_int_equal(bench_check(bench, again.token, "door:open"), LK_E_STEP_UP);
    assert_int_equal(bench_check(bench, result.token, "gate:open"), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    /* A key cannot log in: it is refused. */
    assert_int_equal(bench_check(bench, token, "door:open"), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    assert_int_equal(ask(bench, alice, LK_ASK("door", "open"), &reason), LK_E_STEP_UP);
    assert_int_equal(reason.decision, LK_DECIDED_STEP_UP);
    assert_int_equal(reason.demand.sub, permission.sub);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition_owner_channel_and_unknowns),
        cmocka_unit_test(test_condition_window_needs_a_clock),
        cmocka_unit_test(test_deny_wins_over_everything),
        cmocka_unit_test(test_deny_under_conditions),
        cmocka_unit_test(test_deny_by_a_grant_that_ends),
        cmocka_unit_test(test_deny_reaches_limited_keys),
        cmocka_unit_test(test_condition_put_back_and_verified),
        cmocka_unit_test(test_condition_of_a_session),
        cmocka_unit_test(test_login_age_asks_for_a_new_login),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
