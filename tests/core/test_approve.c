// SPDX-License-Identifier: MIT
/* The two-person rule: who may approve what, of whom, for how long, and what is written of it. */
#include "bench.h"

#include "lk_factor.h"

#define SECOND_PASSWORD "a second secret"

struct town {
    struct bench *bench;
    struct lk_id alice, bob; /* who ask and approve; both are operators */
    struct lk_login_result session;
    struct lk_id permission;
};

/* user:write needs a second person. */
static struct town town_open(void)
{
    struct town town = {.bench = bench_open()};
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

static int approve(struct town *town, const char *name, const char *password,
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

static int check(struct town *town, const struct lk_question *asked,
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

/* How many entries of an action there are, and the last one's description. */
static unsigned audited(struct bench *bench, const char *action, enum lk_outcome outcome,
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
    struct town town = town_open();
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
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem),
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
    struct town town = town_open();
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
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
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
    assert_int_equal(audited(bench, "approve", LK_SUCCESS, town.bob.user, text), 1);
    (void)snprintf(text + 200, 56, "approved user:write of user %u", town.alice.user);
    assert_string_equal(text, text + 200);
    bench_verify(bench);
    bench_close(bench);
}

/* It is a login in all but the session. */
static void test_approve_is_charged_like_a_login(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_approval approval;
    struct lk_problem problem;
    struct lk_login_result result;
    struct lk_user user;
    unsigned i;

    (void)state;
    for (i = 0; i < 5; i++) {
        assert_int_equal(approve(&town, "bob", "wrong password", &approval, &problem),
                         LK_E_REFUSED);
        assert_null(problem.rule);
        assert_int_equal(approval.approver, 0);
    }
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), LK_E_LOCKED);
    assert_true(problem.wait_s > 0);
    assert_int_equal(approve(&town, "nobody", SECOND_PASSWORD, &approval, &problem), LK_E_REFUSED);
    assert_null(problem.rule);
    lk_fake_advance(&bench->fake, 16 * 60000);
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
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

static void refused(struct town *town, const char *name, const char *password, const char *rule)
{
    struct lk_approval approval;
    struct lk_problem problem;
    char text[256];
    unsigned before = audited(town->bench, "approve", LK_FAILURE, 0, text);

    assert_int_equal(approve(town, name, password, &approval, &problem), LK_E_REFUSED);
    assert_non_null(problem.rule);
    assert_string_equal(problem.rule, rule);
    assert_int_equal(approval.approver, 0);
    assert_int_equal(audited(town->bench, "approve", LK_FAILURE, 0, text), before + 1);
}

static void test_approve_not_by_just_anybody(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id viewer = bench_user(bench, "viewer", "a viewer's secret"), deny = {0, 0, 0};
    struct lk_approval approval;
    struct lk_problem problem;

    (void)state;
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, viewer, bench_named(bench, &lk_kind_role, "viewer"), 0), 0);
    bench_commit(bench);
    refused(&town, "alice", "alice's secret", "is the one who asks");
    refused(&town, "viewer", "a viewer's secret", "does not hold the permission");
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
    refused(&town, "bob", SECOND_PASSWORD, "does not hold the permission");
    bench_write(bench);
    assert_int_equal(lk_role_revoke(&bench->txn, town.bob, viewer), 0);
    assert_int_equal(lk_user_set_status(&bench->txn, town.bob, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), LK_E_REFUSED);
    assert_null(problem.rule);
    bench_close(bench);
}

/* ---- Made able to by the one who asks ---- */

static void by_alice(struct town *town)
{
    town->bench->actor = (struct lk_actor){.tenant = town->alice.tenant, .user = town->alice.user};
    bench_write(town->bench);
}

static void taint_password(struct town *town)
{
    struct lk_password password;

    assert_int_equal(lk_password_prepare(&town->bench->store, LK_TEXT(SECOND_PASSWORD), NULL, 0,
                                         &password, NULL),
                     0);
    by_alice(town);
    assert_int_equal(lk_password_set(&town->bench->txn, town->bob, &password, 0), 0);
}

static void taint_key_that_is_gone(struct town *town)
{
    char token[LK_TOKEN_SIZE];
    struct lk_id id;

    by_alice(town);
    assert_int_equal(
        lk_api_key_add(&town->bench->txn, town->bob, LK_TEXT("k"), LK_TEXT(""), 0, token, &id), 0);
    assert_int_equal(lk_remove(&town->bench->txn, &lk_kind_credential, id, NULL), 0);
}

static void taint_grant(struct town *town)
{
    by_alice(town);
    assert_int_equal(lk_role_revoke(&town->bench->txn, town->bob,
                                    bench_named(town->bench, &lk_kind_role, "operator")),
                     0);
    assert_int_equal(lk_role_grant(&town->bench->txn, town->bob,
                                   bench_named(town->bench, &lk_kind_role, "operator"), 0),
                     0);
}

/* A grant's record tells who made it, not who made it last: the audit does. */
static void taint_grant_prolonged(struct town *town)
{
    by_alice(town);
    assert_int_equal(lk_role_grant(&town->bench->txn, town->bob,
                                   bench_named(town->bench, &lk_kind_role, "operator"),
                                   lk_now(&town->bench->txn) + 3 * (uint64_t)LK_MS_PER_DAY),
                     0);
}

static void taint_user(struct town *town)
{
    by_alice(town);
    assert_int_equal(
        bench_set(town->bench, &lk_kind_user, town->bob, "email=bob@example.org", NULL), 0);
}

/* Somebody else changed the user since: the record forgets, the audit does not. */
static void taint_user_hidden(struct town *town)
{
    taint_user(town);
    bench_commit(town->bench);
    memset(&town->bench->actor, 0, sizeof(town->bench->actor));
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_user, town->bob, "display_name=Bob", NULL), 0);
}

static void taint_role(struct town *town)
{
    by_alice(town);
    assert_int_equal(bench_set(town->bench, &lk_kind_role,
                               bench_named(town->bench, &lk_kind_role, "operator"), "description=y",
                               NULL),
                     0);
}

static void taint_unlock(struct town *town)
{
    by_alice(town);
    assert_int_equal(lk_user_unlock(&town->bench->txn, town->bob), 0);
}

/* Bob holds it through the parent of a parent of a role. */
static void taint_role_between(struct town *town)
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
    by_alice(town);
    assert_int_equal(bench_set(bench, &lk_kind_role, mid, "parent=operator", NULL), 0);
}

/* The same, and the role's record tells of somebody else since. */
static void taint_role_between_hidden(struct town *town)
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
static struct lk_id denied(struct town *town, struct lk_id *permission)
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
    by_alice(town);
    return role;
}

static void taint_denial_forbidden(struct town *town)
{
    struct lk_id permission, role = denied(town, &permission);

    assert_int_equal(lk_role_permit(&town->bench->txn, role, permission, false), 0);
}

static void taint_denial_elsewhere(struct town *town)
{
    struct lk_id permission;

    (void)denied(town, &permission);
    assert_int_equal(
        bench_set(town->bench, &lk_kind_permission, permission, "resource=nothing", NULL), 0);
}

static void taint_denial_hidden(struct town *town)
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

static void taint_denial_off(struct town *town)
{
    struct lk_id permission, role = denied(town, &permission);

    assert_int_equal(bench_set(town->bench, &lk_kind_role, role, "is_active=false", NULL), 0);
}

/* The grant goes with the role, and no record of either is left. */
static void taint_denial_purged(struct town *town)
{
    struct lk_id permission, role = denied(town, &permission);

    assert_int_equal(lk_remove(&town->bench->txn, &lk_kind_role, role, NULL), 0);
    assert_int_equal(lk_purge(&town->bench->txn, &lk_kind_role, role), 0);
}

static void test_approve_not_by_whom_the_requester_made(void **state)
{
    static void (*const taints[])(struct town * town) = {
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
        struct town town = town_open();
        struct lk_approval approval;
        struct lk_problem problem;

        lk_fake_advance(&town.bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        taints[i](&town);
        bench_commit(town.bench);
        memset(&town.bench->actor, 0, sizeof(town.bench->actor));
        refused(&town, "bob", SECOND_PASSWORD,
                "was changed by the one who asks within the last day");
        lk_fake_advance(&town.bench->fake, LK_MS_PER_DAY - 1);
        refused(&town, "bob", SECOND_PASSWORD,
                "was changed by the one who asks within the last day");
        lk_fake_advance(&town.bench->fake, 1);
        assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        bench_close(town.bench);
    }
    print_message("[  figure  ] %zu ways to make an approver, none of them within a day\n", i);
}

/* Where the audit was flooded meanwhile, the records still tell. */
static void test_approve_records_outlive_the_audit(void **state)
{
    static void (*const taints[])(struct town * town) = {taint_password, taint_grant, taint_user,
                                                         taint_role};
    size_t i, n;

    (void)state;
    for (i = 0; i < LK_COUNT(taints); i++) {
        struct town town = town_open();
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
        }
        bench_commit(bench);
        assert_int_equal(audited(bench, "user.passwd", LK_SUCCESS, town.alice.user, text), 0);
        refused(&town, "bob", SECOND_PASSWORD,
                "was changed by the one who asks within the last day");
        bench_close(bench);
    }
}

/* An audit that was pushed round within the day tells nothing; once a day is in it, it does. */
static void test_approve_not_where_the_audit_was_flooded(void **state)
{
    struct town town = town_open();
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
    refused(&town, "bob", SECOND_PASSWORD, "was changed by the one who asks within the last day");
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
    bench_close(bench);
}

/* A day by the clock is none where the one who asks has set it, nor where others have since. */
static void test_approve_not_by_a_clock_set_ahead(void **state)
{
    unsigned by_other;

    (void)state;
    for (by_other = 0; by_other < 2; by_other++) {
        struct town town = town_open();
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
        refused(&town, "bob", SECOND_PASSWORD,
                "was changed by the one who asks within the last day");
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY - 1);
        refused(&town, "bob", SECOND_PASSWORD,
                "was changed by the one who asks within the last day");
        lk_fake_advance(&bench->fake, 1);
        assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
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
        struct town town = town_open();
        struct bench *bench = town.bench;
        struct lk_actor actor = {.tenant = bench->tenant, .user = town.alice.user};
        struct lk_approval approval;
        struct lk_problem problem;

        lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
        assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        assert_int_equal(lk_clock_set(&bench->store, &actor,
                                      (uint64_t)((int64_t)bench->fake.clock.wall_ms + steps[i]),
                                      &problem),
                         0);
        refused(&town, "bob", SECOND_PASSWORD,
                "was changed by the one who asks within the last day");
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
        assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
        bench_close(bench);
    }
}

/* What alice does to others, and others to bob, is no matter. */
static void test_approve_by_whom_others_changed(void **state)
{
    struct town town = town_open();
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
    by_alice(&town);
    assert_int_equal(bench_set(bench, &lk_kind_user, carol, "display_name=Carol", NULL), 0);
    /* So are roles and permissions that bob has nothing of. */
    assert_int_equal(bench_set(bench, &lk_kind_role, role, "description=y", NULL), 0);
    assert_int_equal(bench_set(bench, &lk_kind_permission, door, "description=y", NULL), 0);
    bench_commit(bench);
    bench->actor.user = bench->admin.user;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, town.bob, "display_name=Bob", NULL), 0);
    bench_commit(bench);
    assert_int_equal(approve(&town, "bob", SECOND_PASSWORD, &approval, &problem), 0);
    bench_close(bench);
}

/* ---- What is done with it ---- */

static void test_approve_is_audited_with_both(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id carol = bench_user(bench, "carol", NULL);
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("user.suspend")};
    struct lk_audit_entry entry;
    char want[80];

    (void)state;
    by_alice(&town);
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
    struct town town = town_open();
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
    struct town town = town_open();
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
    struct town town = town_open();
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
        cmocka_unit_test(test_approve_not_by_whom_the_requester_made),
        cmocka_unit_test(test_approve_records_outlive_the_audit),
        cmocka_unit_test(test_approve_not_where_the_audit_was_flooded),
        cmocka_unit_test(test_approve_not_by_a_clock_set_ahead),
        cmocka_unit_test(test_approve_not_by_whoever_sets_the_clock),
        cmocka_unit_test(test_approve_by_whom_others_changed),
        cmocka_unit_test(test_approve_is_audited_with_both),
        cmocka_unit_test(test_approve_guards_itself),
        cmocka_unit_test(test_approve_where_it_is_asked_for),
        cmocka_unit_test(test_approve_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
