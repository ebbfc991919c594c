// SPDX-License-Identifier: MIT
/* Sessions and API keys, rules of passwords, and verifiers of another cost. */
#include "bench.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"

static void set_policy(struct bench *bench, const char *policy)
{
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, policy, NULL), 0);
    bench_commit(bench);
}

static int touch(struct bench *bench, const char *token)
{
    struct lk_verdict verdict;
    int error;

    bench_write(bench);
    error = lk_session_check(&bench->txn, 0, bench_text(token), NULL, &verdict);
    if (!error) {
        error = lk_session_touch(&bench->txn, &verdict);
    }
    if (!error) {
        bench_commit(bench);
    }
    lk_abort(&bench->txn);
    return error;
}

/* The sessions know when they were used; the user's record is told when one of them ends. */
static void test_last_use_is_kept_once(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id id = bench_user(bench, "alice", PASSWORD);
    struct lk_activity before, after;
    struct lk_login_result result;
    struct lk_user user;
    uint64_t used;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    lk_fake_advance(&bench->fake, 2 * LK_TOUCH_GRAIN_MS + 1);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_activity, id, &before.record), 0);
    lk_abort(&bench->txn);
    assert_int_equal(touch(bench, result.token), 0);
    bench_read(bench);
    used = bench->txn.now_ms;
    assert_int_equal(lk_get(&bench->txn, &lk_kind_activity, id, &after.record), 0);
    assert_true(after.last_active_at == before.last_active_at);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, id, &user.record), 0);
    assert_true(user.last_active_at == used);
    assert_true(user.last_login_at < used);
    assert_int_equal(user.activity_status, LK_ACTIVITY_ACTIVE);
    bench_write(bench);
    lk_fake_advance(&bench->fake, 1000);
    assert_int_equal(lk_logout(&bench->txn, bench_text(result.token)), 0);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_activity, id, &after.record), 0);
    assert_true(after.last_active_at == used);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, id, &user.record), 0);
    assert_true(user.last_active_at == used);
    assert_int_equal(user.total_usage_minutes, 2);
    bench_verify(bench);
    bench_close(bench);
}

static void test_session_limit_ends_the_oldest(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result results[6];
    struct lk_user user;
    unsigned i, k;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    set_policy(bench, "session_max=3");
    for (i = 0; i < 6; i++) {
        assert_int_equal(bench_login(bench, "alice", PASSWORD, &results[i]), 0);
        for (k = 0; k <= i; k++) {
            assert_int_equal(bench_check(bench, results[k].token, NULL),
                             k + 3 > i ? 0 : LK_E_REFUSED);
        }
        lk_fake_advance(&bench->fake, 1000);
    }
    bench_read(bench);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, results[0].session, &user.record),
                     0);
    assert_int_equal(user.session_count, 3);
    assert_int_equal(user.login_count, 6);
    set_policy(bench, "session_max=0");
    for (i = 0; i < 6; i++) {
        assert_int_equal(bench_login(bench, "alice", PASSWORD, &results[0]), 0);
    }
    bench_read(bench);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, results[0].session, &user.record),
                     0);
    assert_int_equal(user.session_count, 9);
    bench_verify(bench);
    bench_close(bench);
}

static void test_session_goes_idle_and_ends_at_the_latest(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    unsigned i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    set_policy(bench, "session_idle=300");
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    lk_fake_advance(&bench->fake, 300u * 1000 - 1);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(touch(bench, result.token), LK_E_REFUSED);

    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    for (i = 1; i < 18; i++) { /* kept in use for 3400 of its 3600 seconds */
        lk_fake_advance(&bench->fake, 200u * 1000);
        assert_int_equal(touch(bench, result.token), 0);
    }
    lk_fake_advance(&bench->fake, 200u * 1000 - 1);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    /* The session keeps the limits that it began with. */
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    set_policy(bench, "session_lifetime=1");
    lk_fake_advance(&bench->fake, 2000);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

static void test_session_ends_by_hand(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_login_result a, b, c;
    struct lk_password verifier;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &a), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &b), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &c), 0);
    bench_write(bench);
    assert_int_equal(lk_session_end(&bench->txn, a.session), 0);
    assert_int_equal(lk_session_end(&bench->txn, a.session), LK_E_NOT_FOUND);
    assert_int_equal(lk_logout(&bench->txn, bench_text(a.token)), LK_E_REFUSED);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, a.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, b.token, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_session_end_all(&bench->txn, alice, c.session.sub), 1);
    assert_int_equal(lk_session_end_all(&bench->txn, alice, c.session.sub), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, b.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, c.token, NULL), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &b), 0);
    /* A new password ends all but the one that set it. */
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("another secret"), NULL, 0, &verifier, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &verifier, b.session.sub), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, c.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, b.token, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* What a removed tenant's sessions were, they are not again when it comes back. */
static void test_session_of_a_removed_tenant(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id tenant = {bench->tenant, 0, 0};
    struct lk_login_result result;

    (void)state;
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, tenant, NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_tenant, tenant), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    bench_verify(bench);
    bench_close(bench);
}

static void test_session_tokens_made_up_are_refused(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;
    char token[LK_TOKEN_SIZE + 8];
    size_t i, k;

    (void)state;
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    for (i = 0; i < LK_TOKEN_SIZE - 1; i++) {
        for (k = 0; k < 3; k++) {
            (void)snprintf(token, sizeof(token), "%s", result.token);
            token[i] = k == 0 ? 'A' : k == 1 ? '*' : (char)(token[i] ^ 1);
            assert_int_equal(bench_check(bench, token, NULL),
                             strcmp(token, result.token) ? LK_E_REFUSED : 0);
        }
        memcpy(token, result.token, i);
        token[i] = 0;
        assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    }
    (void)snprintf(token, sizeof(token), "%sA", result.token);
    assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    bench->tenant++; /* asked for by another tenant */
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

static void test_session_texts_of_the_network_are_cut(void **state)
{
    static char agent[600];
    struct bench *bench = bench_open();
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("admin"),
                                       .password = LK_TEXT(BENCH_PASSWORD),
                                       .channel = LK_CHANNEL_HTTP};
    struct lk_login_result result;
    struct lk_session session;
    size_t i;

    (void)state;
    for (i = 0; i + 1 < sizeof(agent) - 1; i += 2) {
        memcpy(agent + i, "\xC3\xA9", 2);
    }
    memmove(agent + 1, agent, sizeof(agent) - 2); /* so that the bound falls inside a character */
    agent[0] = 'x';
    request.user_agent = bench_text(agent);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_session, result.session, &session.record), 0);
    assert_int_equal(session.user_agent.size, 499);
    assert_int_equal(session.channel, LK_CHANNEL_HTTP);
    lk_abort(&bench->txn);
    request.user_agent = LK_TEXT("\xFF\xFE");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    request.user_agent = LK_TEXT("a\033[2J");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    request.ip = LK_TEXT("123");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- API keys ---- */

static void test_session_api_keys(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD), viewer, operator_, one, id;
    char all[LK_TOKEN_SIZE], few[LK_TOKEN_SIZE], brief[LK_TOKEN_SIZE];
    uint8_t only[8];
    size_t size;
    struct lk_credential key;

    (void)state;
    bench_write(bench);
    viewer = bench_named(bench, &lk_kind_role, "viewer");
    operator_ = bench_named(bench, &lk_kind_role, "operator");
    assert_int_equal(lk_role_grant(&bench->txn, alice, viewer, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, operator_, 0), 0);
    assert_int_equal(lk_refs_change(LK_TEXT(""), viewer.sub, true, only, sizeof(only), &size), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("all"), LK_TEXT(""), 0, all, &one),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("few"),
                                    (struct lk_span){only, size}, 0, few, &id),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("brief"), LK_TEXT(""),
                                    lk_now(&bench->txn) + 60000, brief, &id),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, all, "user:write"), 0);
    assert_int_equal(bench_check(bench, few, "user:write"), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, few, "user:read"), 0);
    assert_int_equal(bench_check(bench, brief, "user:write"), 0);
    lk_fake_advance(&bench->fake, 59999);
    assert_int_equal(bench_check(bench, brief, NULL), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, brief, NULL), LK_E_REFUSED);
    assert_int_equal(touch(bench, all), 0);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, one, &key.record), 0);
    assert_true(key.last_used_at == bench->fake.clock.wall_ms);
    assert_in_range(key.prefix.size, 8, 24); /* enough to tell it by, and no more */
    assert_memory_equal(key.prefix.data, all, key.prefix.size);
    bench_write(bench);
    assert_int_equal(lk_logout(&bench->txn, bench_text(all)), LK_E_REFUSED);
    /* A role that is taken away is gone from the key; so is the user's being there at all. */
    assert_int_equal(lk_role_revoke(&bench->txn, alice, viewer), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, few, "user:read"), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, few, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_SUSPENDED), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, all, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_ACTIVE), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_credential, one, NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, all, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, few, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Passwords ---- */

static void test_session_passwords_have_a_form(void **state)
{
    static char bytes[130];
    static const struct {
        size_t size;
        const char *rule;
    } lengths[] = {{0, "has fewer than 8 bytes"},
                   {7, "has fewer than 8 bytes"},
                   {8, NULL},
                   {64, NULL},
                   {128, NULL},
                   {129, "has more than 128 bytes"}};
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_login_result result;
    struct lk_password verifier;
    struct lk_problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(lengths); i++) {
        struct lk_span password = {(const uint8_t *)bytes, lengths[i].size};
        struct lk_login_request request = {
            .tenant = bench->tenant, .name = LK_TEXT("alice"), .password = password};

        memset(bytes, 'p', sizeof(bytes));
        memcpy(bytes, "q7#zv!x", 7); /* "pppppppp" is a common one */
        if (lengths[i].rule) {
            assert_int_equal(
                lk_password_prepare(&bench->store, password, NULL, 0, &verifier, &problem),
                LK_E_CHECK);
            assert_string_equal(problem.rule, lengths[i].rule);
            assert_string_equal(problem.given, "");
            continue;
        }
        assert_int_equal(lk_password_prepare(&bench->store, password, NULL, 0, &verifier, NULL), 0);
        bench_write(bench);
        assert_int_equal(lk_password_set(&bench->txn, alice, &verifier, 0), 0);
        bench_commit(bench);
        lk_txn_release(&bench->txn);
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
        /* The last byte counts. */
        bytes[lengths[i].size - 1] = 'q';
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
        request.password.size = sizeof(bytes);
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
        lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    }
    assert_int_equal(lk_password_prepare(&bench->store,
                                         (struct lk_span){(const uint8_t *)"abcd\0efgh", 9}, NULL,
                                         0, &verifier, &problem),
                     LK_E_CHECK);
    assert_string_equal(problem.rule, "holds a NUL byte");
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("not UTF-8 \xFF"), NULL, 0, &verifier, &problem),
        LK_E_CHECK);
    assert_string_equal(problem.rule, "is not UTF-8");
    bench_verify(bench);
    bench_close(bench);
}

static void test_session_password_must_be_changed(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", PASSWORD);
    struct lk_login_result result;
    struct lk_problem problem;
    struct lk_user user;
    unsigned i;

    (void)state;
    set_policy(bench, "password_min=12");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
    for (i = 0; i < 20; i++) { /* the right password is never locked out by what is new in it */
        static const struct {
            const char *fresh, *rule;
        } bad[] = {{"", "must be changed"},
                   {"short", "has fewer than 8 bytes"},
                   {PASSWORD, "is the same as the old one"},
                   {"elevenbytes", "is shorter than the tenant's password_min"}};

        assert_int_equal(
            bench_login_new(bench, "alice", PASSWORD, bad[i % 4].fresh, &result, &problem),
            LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, bad[i % 4].rule);
        assert_string_equal(problem.field, "new_password");
        assert_string_equal(result.token, "");
    }
    assert_int_equal(
        bench_login_new(bench, "alice", "wrong password", "a good new one", &result, NULL),
        LK_E_REFUSED);
    assert_int_equal(bench_login_new(bench, "alice", PASSWORD, "a good new one", &result, NULL), 0);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, alice, &user.record), 0);
    assert_int_equal(user.must_change_password, 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "a good new one", &result), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* A verifier of a lower cost is replaced, never one of a higher. */
static void test_session_verifiers_of_another_cost(void **state)
{
    struct bench *bench = bench_open();
    struct lk_login_result result;

    (void)state;
    bench->store.pwhash = (struct lk_pwhash_params){64, 1, 1};
    (void)bench_user(bench, "alice", PASSWORD);
    bench->store.pwhash = (struct lk_pwhash_params){128, 2, 1};
    assert_int_equal(bench_login(bench, "alice", "wrong password", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_true(result.rehashed);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_false(result.rehashed);
    bench->store.pwhash = (struct lk_pwhash_params){64, 1, 1}; /* never to a weaker one */
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_false(result.rehashed);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_use_is_kept_once),
        cmocka_unit_test(test_session_limit_ends_the_oldest),
        cmocka_unit_test(test_session_goes_idle_and_ends_at_the_latest),
        cmocka_unit_test(test_session_ends_by_hand),
        cmocka_unit_test(test_session_of_a_removed_tenant),
        cmocka_unit_test(test_session_tokens_made_up_are_refused),
        cmocka_unit_test(test_session_texts_of_the_network_are_cut),
        cmocka_unit_test(test_session_api_keys),
        cmocka_unit_test(test_session_passwords_have_a_form),
        cmocka_unit_test(test_session_password_must_be_changed),
        cmocka_unit_test(test_session_verifiers_of_another_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
