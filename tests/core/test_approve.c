// SPDX-License-Identifier: MIT
/* The two-person rule: who may approve what, for how long, and what is written of it. */
#include "approve_town.h"

#include "lk_factor.h"

static int check(struct approve_town *town, const struct lk_question *asked,
                 const struct lk_approval *approval)
{
    struct lk_question question = *asked;
    struct lk_verdict verdict;
    int error;

    question.approval = approval;
    bench_read(town->bench);
    error = lk_session_check(&town->bench->txn, 0, bench_text(town->session.token), &question,
                             &verdict);
    lk_abort(&town->bench->txn);
    return error;
}

/* The code of now of an authenticator. */
static void code_of(const struct bench *bench, const struct lk_totp_offer *offer,
                    char code[LK_TOTP_DIGITS_MAX + 1])
{
    uint8_t seed[LK_TOTP_SEED_MAX];
    size_t size;

    assert_int_equal(lk_base32_decode(bench_text(offer->seed), seed, sizeof(seed), &size), 0);
    assert_int_equal(lk_totp_code(&bench->store, LK_HMAC_SHA1, (struct lk_span){seed, size},
                                  bench->fake.clock.wall_ms / LK_TOTP_PERIOD_MS, 6, code),
                     0);
}

static void test_approve_asks_for_the_second_factor(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("bob"),
                                       .password = LK_TEXT(SECOND_PASSWORD),
                                       .channel = LK_CHANNEL_CONSOLE};
    char code[LK_TOTP_DIGITS_MAX + 1];
    struct lk_approval approval;
    struct lk_problem problem;
    struct lk_totp_offer offer;
    struct lk_id id;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_totp_add(&bench->txn, town.bob, LK_TEXT("phone"), NULL, &offer, &id), 0);
    code_of(bench, &offer, code);
    assert_int_equal(lk_totp_confirm(&bench->txn, town.bob, bench_text(code), &id), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 2 * LK_MS_PER_DAY);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &town.session), 0);
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem),
                     LK_E_SECOND_FACTOR);
    assert_string_equal(problem.field, "code");
    assert_int_equal(check(&town, LK_ASK("user", "write"), &approval), LK_E_APPROVAL);
    code_of(bench, &offer, code);
    request.code = bench_text(code);
    assert_int_equal(lk_approve(&bench->store, &request, town.alice.user, LK_ASK("user", "write"),
                                &approval, &problem),
                     0);
    assert_int_equal(check(&town, LK_ASK("user", "write"), &approval), 0);
    /* Used up: neither another approval nor a login comes of it. */
    assert_int_equal(lk_approve(&bench->store, &request, town.alice.user, LK_ASK("user", "write"),
                                &approval, &problem),
                     LK_E_REFUSED);
    bench_close(bench);
}

static void test_approve_lets_one_do_one_thing(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_approval approval, other;
    struct lk_problem problem;
    struct lk_login_result result;
    char text[256];

    (void)state;
    assert_int_equal(check(&town, LK_ASK("user", "write"), NULL), LK_E_APPROVAL);
    assert_int_equal(check(&town, LK_ASK("user", "read"), NULL), 0);
    /* Whoever holds everything needs the second person as well. */
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    assert_int_equal(bench_check(bench, result.token, "user:write"), LK_E_APPROVAL);
    memset(&approval, 0, sizeof(approval));
    assert_int_equal(check(&town, LK_ASK("user", "write"), &approval), LK_E_APPROVAL);
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
    assert_int_equal(approval.approver, town.bob.user);
    assert_int_equal(check(&town, LK_ASK("user", "write"), &approval), 0);
    /* For this question of this person, in this tenant, for so long. */
    other = approval;
    other.requester = town.bob.user;
    assert_int_equal(check(&town, LK_ASK("user", "write"), &other), LK_E_APPROVAL);
    other = approval;
    other.tenant++;
    assert_int_equal(check(&town, LK_ASK("user", "write"), &other), LK_E_APPROVAL);
    other = approval;
    other.hash[0] ^= 1;
    assert_int_equal(check(&town, LK_ASK("user", "write"), &other), LK_E_APPROVAL);
    other = approval;
    other.hash[1] ^= 1;
    assert_int_equal(check(&town, LK_ASK("user", "write"), &other), LK_E_APPROVAL);
    lk_fake_advance(&bench->fake, LK_APPROVAL_MS - 1);
    assert_int_equal(check(&town, LK_ASK("user", "write"), &approval), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(check(&town, LK_ASK("user", "write"), &approval), LK_E_APPROVAL);
    /* What is not held is not got by two either. */
    assert_int_equal(check(&town, LK_ASK("role", "write"), &approval), LK_E_REFUSED);
    assert_int_equal(approve_audited(bench, "approve", LK_SUCCESS, town.bob.user, text), 1);
    (void)snprintf(text + 200, 56, "approved user:write of user %u", town.alice.user);
    assert_string_equal(text, text + 200);
    bench_verify(bench);
    bench_close(bench);
}

/* It is a login in all but the session. */
static void test_approve_is_charged_like_a_login(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_approval approval;
    struct lk_problem problem;
    struct lk_login_result result;
    struct lk_user user;
    unsigned i;

    (void)state;
    for (i = 0; i < 5; i++) {
        assert_int_equal(approve_by(&town, "bob", "wrong password", &approval, &problem),
                         LK_E_REFUSED);
        assert_null(problem.rule);
        assert_int_equal(approval.approver, 0);
    }
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), LK_E_LOCKED);
    assert_true(problem.wait_s > 0);
    assert_int_equal(approve_by(&town, "nobody", SECOND_PASSWORD, &approval, &problem),
                     LK_E_REFUSED);
    assert_null(problem.rule);
    lk_fake_advance(&bench->fake, 16 * 60000);
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
    /* A success clears the count, and leaves no session. */
    bench_read(bench);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, town.bob, &user.record), 0);
    assert_int_equal(user.session_count, 0);
    assert_int_equal(user.login_count, 0);
    assert_int_equal(bench_login(bench, "bob", "wrong password", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "bob", SECOND_PASSWORD, &result), 0);
    bench_verify(bench);
    bench_close(bench);
}

static void test_approve_not_by_just_anybody(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_id viewer = bench_user(bench, "viewer", "a viewer's secret"), deny = {0, 0, 0};
    struct lk_approval approval;
    struct lk_problem problem;

    (void)state;
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, viewer, bench_named(bench, &lk_kind_role, "viewer"), 0), 0);
    bench_commit(bench);
    approve_refused(&town, "alice", "alice's secret", "is the one who asks");
    approve_refused(&town, "viewer", "a viewer's secret", "does not hold the permission");
    /* Whom it is denied cannot lend it. */
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &deny, "name=no users", "resource=user",
                               "action=write", "deny=true", NULL),
                     0);
    viewer = (struct lk_id){0, 0, 0};
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &viewer, "name=barred", "permissions=no users", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town.bob, viewer, 0), 0);
    bench_commit(bench);
    approve_refused(&town, "bob", SECOND_PASSWORD, "does not hold the permission");
    bench_write(bench);
    assert_int_equal(lk_role_revoke(&bench->txn, town.bob, viewer), 0);
    assert_int_equal(lk_user_set_status(&bench->txn, town.bob, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    assert_int_equal(approve_by(&town, "bob", SECOND_PASSWORD, &approval, &problem), LK_E_REFUSED);
    assert_null(problem.rule);
    bench_close(bench);
}

/* ---- What is done with it ---- */

static void test_approve_is_audited_with_both(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    struct lk_id carol = bench_user(bench, "carol", NULL);
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("user.suspend")};
    struct lk_audit_entry entry;
    char want[80];

    (void)state;
    approve_alice(&town);
    bench->actor.approver = town.bob.user;
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, carol, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.actor, town.alice.user);
    (void)snprintf(want, sizeof(want), "user %u: suspend status; approved by user %u", carol.user,
                   town.bob.user);
    assert_int_equal(entry.description.size, strlen(want));
    assert_memory_equal(entry.description.data, want, strlen(want));
    assert_null(lk_cbor_check(entry.details) ? "damaged" : NULL);
    assert_int_equal(entry.details.size, 1 + 8 + 1 + 7 + 9 + 1);
    lk_abort(&bench->txn);
    bench_verify(bench);
    bench_close(bench);
}

/* The rule itself is watched: one alone does not switch it off. */
static void test_approve_guards_itself(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;
    static const char *const changes[] = {"approval=false",  "resource=nothing", "channels=http",
                                          "owner_only=true", "window=mon",       "login_age=60"};
    size_t i;

    (void)state;
    bench->actor = (struct lk_actor){.tenant = bench->tenant, .user = bench->admin.user};
    for (i = 0; i < LK_COUNT(changes); i++) {
        bench->actor.approver = 0;
        bench_write(bench);
        assert_int_equal(bench_set(bench, &lk_kind_permission, town.permission, changes[i], NULL),
                         LK_E_APPROVAL);
        bench_commit(bench);
        bench->actor.approver = town.bob.user;
        bench_write(bench);
        assert_int_equal(bench_set(bench, &lk_kind_permission, town.permission, changes[i], NULL),
                         0);
        lk_abort(&bench->txn);
    }
    bench->actor.approver = 0;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.permission, "description=y", NULL),
                     0);
    assert_int_equal(lk_role_permit(&bench->txn, bench_named(bench, &lk_kind_role, "operator"),
                                    town.permission, false),
                     0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_permission, town.permission, NULL),
                     LK_E_APPROVAL);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_permission, town.permission), LK_E_APPROVAL);
    bench_commit(bench);
    bench_close(bench);
}

/* With a condition, only where that holds, or cannot be told. */
static void test_approve_where_it_is_asked_for(void **state)
{
    struct approve_town town = approve_open();
    struct bench *bench = town.bench;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.permission, "approval=false", NULL),
                     0);
    town.permission = (struct lk_id){0, 0, 0};
    assert_int_equal(bench_add(bench, &lk_kind_permission, &town.permission, "name=two by http",
                               "resource=*", "action=write", "approval=true", "channels=http",
                               NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(check(&town, LK_ASK("user", "write"), NULL), 0); /* it came by cli */
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, town.permission, "channels=cli", NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(check(&town, LK_ASK("user", "write"), NULL), LK_E_APPROVAL);
    bench_close(bench);
}

static void test_approve_arguments(void **state)
{
    struct approve_town town = approve_open();
    struct lk_login_request request = {
        .tenant = town.bench->tenant, .name = LK_TEXT("bob"), .password = LK_TEXT(SECOND_PASSWORD)};
    struct lk_store *store = &town.bench->store;
    struct lk_approval approval;

    (void)state;
    assert_int_equal(lk_approve(store, &request, 0, LK_ASK("user", "write"), &approval, NULL),
                     LK_E_ARGUMENT);
    assert_int_equal(lk_approve(store, &request, 2, LK_ASK("", "write"), &approval, NULL),
                     LK_E_ARGUMENT);
    assert_int_equal(lk_approve(store, &request, 2, LK_ASK("user", ""), &approval, NULL),
                     LK_E_ARGUMENT);
    assert_int_equal(
        lk_approve(store, &request, town.alice.user, LK_ASK("user", "write"), &approval, NULL), 0);
    bench_close(town.bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_approve_lets_one_do_one_thing),
        cmocka_unit_test(test_approve_asks_for_the_second_factor),
        cmocka_unit_test(test_approve_is_charged_like_a_login),
        cmocka_unit_test(test_approve_not_by_just_anybody),
        cmocka_unit_test(test_approve_is_audited_with_both),
        cmocka_unit_test(test_approve_guards_itself),
        cmocka_unit_test(test_approve_where_it_is_asked_for),
        cmocka_unit_test(test_approve_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
