// SPDX-License-Identifier: MIT
/* S11: sessions end at once when they should, and how many, how long and from where. */
#include "bench.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"
#define SESSIONS 5 /* of a user; one of them is damaged while the others end */

struct scene {
    struct bench *bench;
    struct lk_id alice, bob, tenant;
    struct lk_id device; /* that alice's sessions come from */
    char cookie[LK_TOKEN_SIZE];
    struct lk_login_result sessions[SESSIONS], other; /* alice's; bob's */
};

static int log_in(struct bench *bench, const char *name, const char *cookie,
                  struct lk_login_result *result)
{
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = bench_text(name),
                                       .password = LK_TEXT(PASSWORD),
                                       .channel = LK_CHANNEL_HTTP,
                                       .device_cookie = bench_text(cookie)};

    lk_abort(&bench->txn);
    return lk_login(&bench->store, &request, result, NULL);
}

static void policy(struct bench *bench, const char *words)
{
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, words, NULL), 0);
    bench_commit(bench);
}

static struct scene *scene_open(void)
{
    struct lk_device_facts facts = {LK_TEXT("tablet"), LK_TEXT(""), LK_TEXT("mark")};
    struct scene *scene = calloc(1, sizeof(*scene));
    struct bench *bench;
    unsigned i;

    assert_non_null(scene);
    bench = scene->bench = bench_open();
    scene->alice = bench_user(bench, "alice", PASSWORD);
    scene->bob = bench_user(bench, "bob", PASSWORD);
    scene->tenant = (struct lk_id){bench->tenant, 0, 0};
    scene->device = scene->alice;
    bench_write(bench);
    assert_int_equal(lk_device_remember(&bench->txn, &facts, &scene->device, scene->cookie), 0);
    assert_int_equal(
        lk_role_grant(&bench->txn, scene->alice, bench_named(bench, &lk_kind_role, "viewer"), 0),
        0);
    bench_commit(bench);
    for (i = 0; i < SESSIONS; i++) {
        assert_int_equal(log_in(bench, "alice", scene->cookie, &scene->sessions[i]), 0);
    }
    assert_int_equal(log_in(bench, "bob", "", &scene->other), 0);
    return scene;
}

static void scene_close(struct scene *scene)
{
    bench_verify(scene->bench);
    bench_close(scene->bench);
    free(scene);
}

static unsigned scene_accepted(struct scene *scene, const char *permission)
{
    unsigned i, accepted = 0;

    for (i = 0; i < SESSIONS; i++) {
        accepted += bench_check(scene->bench, scene->sessions[i].token, permission) == 0;
    }
    return accepted;
}

/* ---- What ends them: each in a transaction that is open ---- */

static int by_suspend(struct scene *scene)
{
    return lk_user_set_status(&scene->bench->txn, scene->alice, LK_USER_SUSPENDED);
}

static int by_invite(struct scene *scene)
{
    return lk_user_set_status(&scene->bench->txn, scene->alice, LK_USER_INVITED);
}

static int by_remove(struct scene *scene)
{
    return lk_remove(&scene->bench->txn, &lk_kind_user, scene->alice, NULL);
}

static int by_purge(struct scene *scene)
{
    return lk_purge(&scene->bench->txn, &lk_kind_user, scene->alice);
}

static int by_password(struct scene *scene)
{
    struct lk_password verifier;
    int error = lk_password_prepare(&scene->bench->store, LK_TEXT("another secret"), NULL, 0,
                                    &verifier, NULL);

    return error ? error : lk_password_set(&scene->bench->txn, scene->alice, &verifier, 0);
}

static int foreign_check(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    (void)hash;
    *rule = NULL;
    return 0;
}

static int by_import(struct scene *scene)
{
    lk_fake_foreign_set(&scene->bench->fake, NULL, foreign_check);
    return lk_password_import(&scene->bench->txn, scene->alice, LK_TEXT("$6$salt$hash"));
}

static int by_tenant_suspend(struct scene *scene)
{
    return lk_tenant_set_status(&scene->bench->txn, scene->bench->tenant, LK_TENANT_SUSPENDED);
}

static int by_tenant_remove(struct scene *scene)
{
    return lk_remove(&scene->bench->txn, &lk_kind_tenant, scene->tenant, NULL);
}

static int by_end_all(struct scene *scene)
{
    int count = lk_session_end_all(&scene->bench->txn, scene->alice, 0);

    return count == SESSIONS ? 0 : count;
}

static int by_end_tenant(struct scene *scene)
{
    return lk_session_end_tenant(&scene->bench->txn, scene->bench->tenant, (struct lk_id){0, 0, 0});
}

static int by_end_each(struct scene *scene)
{
    unsigned i;
    int error = 0;

    for (i = 0; !error && i < SESSIONS; i++) {
        error = lk_session_end(&scene->bench->txn, scene->sessions[i].session);
    }
    return error;
}

static int by_logout(struct scene *scene)
{
    unsigned i;
    int error = 0;

    /* The damaged one cannot log itself out: it is refused as it is. */
    for (i = 1; !error && i < SESSIONS; i++) {
        error = lk_logout(&scene->bench->txn, bench_text(scene->sessions[i].token));
    }
    return error ? error : lk_session_end(&scene->bench->txn, scene->sessions[0].session);
}

static int by_forget(struct scene *scene)
{
    return lk_remove(&scene->bench->txn, &lk_kind_device, scene->device, "forget");
}

static int by_reboot(struct scene *scene)
{
    lk_fake_reboot(&scene->bench->fake, LK_CLOCK_SET);
    bench_reopen(scene->bench);
    bench_write(scene->bench);
    return 0;
}

/* Requests after the event: of tokens of before, also when what made them end is undone. */
static void test_s11_no_request_is_accepted_after(void **state)
{
    static const struct {
        const char *name;
        int (*run)(struct scene *scene);
        bool others_too;
    } events[] = {
        {"suspend", by_suspend, false},
        {"invite", by_invite, false},
        {"remove", by_remove, false},
        {"purge", by_purge, false},
        {"password", by_password, false},
        {"imported password", by_import, false},
        {"end all", by_end_all, false},
        {"end each", by_end_each, false},
        {"logout", by_logout, false},
        {"device forgotten", by_forget, false},
        {"tenant suspended", by_tenant_suspend, true},
        {"tenant removed", by_tenant_remove, true},
        {"end all of a tenant", by_end_tenant, true},
        {"reboot", by_reboot, true},
    };
    unsigned requests = 0, accepted = 0;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(events); i++) {
        struct scene *scene = scene_open();
        struct bench *bench = scene->bench;
        struct lk_key key;
        int error;

        assert_int_equal(scene_accepted(scene, NULL), SESSIONS);
        assert_int_equal(scene_accepted(scene, "user:read"), SESSIONS);
        lk_key_record(&key, &lk_kind_session, scene->sessions[0].session);
        assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 70), 0);
        bench_write(bench);
        error = events[i].run(scene);
        if (error) {
            fail_msg("%s: %d", events[i].name, error);
        }
        bench_commit(bench);
        lk_fault_restore(&bench->fault); /* the medium read it wrongly only for a while */
        accepted += scene_accepted(scene, NULL) + scene_accepted(scene, "user:read");
        requests += 2 * SESSIONS;
        assert_int_equal(bench_check(bench, scene->other.token, NULL) == 0, !events[i].others_too);
        /* Whoever was put back has to log in again. */
        bench_write(bench);
        if (events[i].run == by_suspend || events[i].run == by_invite) {
            assert_int_equal(lk_user_set_status(&bench->txn, scene->alice, LK_USER_ACTIVE), 0);
        } else if (events[i].run == by_remove) {
            assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, scene->alice), 0);
        } else if (events[i].run == by_tenant_suspend) {
            assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_ACTIVE), 0);
        } else if (events[i].run == by_tenant_remove) {
            assert_int_equal(lk_restore(&bench->txn, &lk_kind_tenant, scene->tenant), 0);
        }
        bench_commit(bench);
        accepted += scene_accepted(scene, NULL) + scene_accepted(scene, "user:read");
        requests += 2 * SESSIONS;
        assert_int_equal(bench_check(bench, scene->other.token, NULL) == 0, !events[i].others_too);
        scene_close(scene);
    }
    print_message("[  figure  ] %u requests after %zu ways to end a session: %u accepted\n",
                  requests, LK_COUNT(events), accepted);
    assert_int_equal(accepted, 0);
}

static int role_revoked(struct scene *scene, struct lk_id role)
{
    return lk_role_revoke(&scene->bench->txn, scene->alice, role);
}

static int role_removed(struct scene *scene, struct lk_id role)
{
    return lk_remove(&scene->bench->txn, &lk_kind_role, role, NULL);
}

static int role_inactive(struct scene *scene, struct lk_id role)
{
    return bench_set(scene->bench, &lk_kind_role, role, "is_active=false", NULL);
}

static int role_without(struct scene *scene, struct lk_id role)
{
    return lk_role_permit(&scene->bench->txn, role,
                          bench_named(scene->bench, &lk_kind_permission, "read-all"), false);
}

/* Asked in a handle whose caches are warm. */
static unsigned accepted_in(struct lk_txn *txn, struct scene *scene)
{
    struct lk_verdict verdict;
    unsigned i, accepted = 0;

    assert_int_equal(lk_begin(&scene->bench->store, txn, LK_READ, NULL), 0);
    for (i = 0; i < SESSIONS; i++) {
        accepted += lk_session_check(txn, 0, bench_text(scene->sessions[i].token),
                                     &(const struct lk_question){.resource = LK_TEXT("user"),
                                                                 .action = LK_TEXT("read")},
                                     &verdict) == 0;
    }
    lk_abort(txn);
    return accepted;
}

/* A right that is taken away is gone at the next check; the session stays. */
static void test_s11_a_right_taken_away_is_gone(void **state)
{
    static int (*const ways[])(struct scene * scene, struct lk_id role) = {
        role_revoked, role_removed, role_inactive, role_without};
    unsigned requests = 0, accepted = 0;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(ways); i++) {
        struct scene *scene = scene_open();
        struct bench *bench = scene->bench;
        struct lk_txn reader;

        memset(&reader, 0, sizeof(reader));
        assert_int_equal(accepted_in(&reader, scene), SESSIONS);
        bench_write(bench);
        assert_int_equal(ways[i](scene, bench_named(bench, &lk_kind_role, "viewer")), 0);
        bench_commit(bench);
        accepted += accepted_in(&reader, scene);
        requests += SESSIONS;
        lk_txn_release(&reader);
        assert_int_equal(scene_accepted(scene, NULL), SESSIONS);
        scene_close(scene);
    }
    print_message("[  figure  ] %u requests after a right was taken away: %u accepted\n", requests,
                  accepted);
    assert_int_equal(accepted, 0);
}

static void test_s11_end_of_a_tenant_may_spare_one(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_session_end_tenant(&bench->txn, bench->tenant, scene->sessions[2].session),
                     0);
    bench_commit(bench);
    assert_int_equal(scene_accepted(scene, NULL), 1);
    assert_int_equal(bench_check(bench, scene->sessions[2].token, "user:read"), 0);
    /* One that is over is not brought back by sparing it. */
    bench_write(bench);
    assert_int_equal(lk_session_end_tenant(&bench->txn, bench->tenant, scene->sessions[1].session),
                     LK_E_REFUSED);
    assert_int_equal(lk_session_end_tenant(&bench->txn, 9999, (struct lk_id){0, 0, 0}),
                     LK_E_NOT_FOUND);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, scene->sessions[1].token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, scene->sessions[2].token, NULL), 0);
    scene_close(scene);
}

/* Tokens are never the same, and their random part has every bit both ways. */
static void test_s11_a_new_token_at_each_login(void **state)
{
    struct bench *bench = bench_open();
    enum { LOGINS = 200 };
    static uint8_t tokens[LOGINS][32];
    uint8_t ones[20] = {0}, zeros[20] = {0};
    unsigned i, k;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    for (i = 0; i < LOGINS; i++) {
        struct lk_login_result result;
        size_t size;

        assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
        assert_int_equal(
            lk_base64url_decode(bench_text(result.token + 4), tokens[i], sizeof(tokens[i]), &size),
            0);
        assert_int_equal(size, 32);
        for (k = 0; k < 20; k++) {
            ones[k] |= tokens[i][12 + k];
            zeros[k] |= (uint8_t)~tokens[i][12 + k];
        }
        for (k = 0; k < i; k++) {
            assert_memory_not_equal(tokens[i] + 12, tokens[k] + 12, 20);
        }
    }
    for (k = 0; k < 20; k++) {
        assert_int_equal(ones[k], 0xFF);
        assert_int_equal(zeros[k], 0xFF);
    }
    print_message("[  figure  ] %u random bits in a token\n", 20 * 8);
    bench_close(bench);
}

/* ---- Policies ---- */

static void test_s11_limit_that_refuses(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_login_result result;
    struct lk_problem problem;
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("login")};
    struct lk_audit_entry entry;
    struct lk_activity activity;

    (void)state;
    policy(bench, "session_max=5");
    policy(bench, "session_limit=refuse");
    assert_int_equal(bench_login_new(bench, "alice", PASSWORD, "", &result, &problem), LK_E_LIMIT);
    assert_string_equal(problem.field, "session_max");
    assert_int_equal(result.token[0], 0);
    assert_int_equal(scene_accepted(scene, NULL), SESSIONS);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_int_equal(entry.outcome, LK_FAILURE);
    assert_true(lk_span_equal(entry.description, LK_TEXT("login refused: too many sessions")));
    /* The password was right: nothing is charged. */
    assert_int_equal(lk_load_activity(&bench->txn, scene->alice, &activity), 0);
    assert_int_equal(activity.failed_count, 0);
    /* Whoever does not know it is told nothing of a limit. */
    assert_int_equal(bench_login_new(bench, "alice", "wrong password", "", &result, &problem),
                     LK_E_REFUSED);
    assert_null(problem.field);
    /* A place becomes free by an end, by time, or by a damaged session that goes. */
    bench_write(bench);
    assert_int_equal(lk_session_end(&bench->txn, scene->sessions[4].session), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), LK_E_LIMIT);
    lk_fake_advance(&bench->fake, 3600u * 1000);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    scene_close(scene);
}

static void test_s11_lifetime_by_channel(void **state)
{
    static const struct {
        enum lk_channel channel;
        uint64_t seconds;
    } want[] = {{LK_CHANNEL_CONSOLE, 900},
                {LK_CHANNEL_HTTP, 86400},
                {LK_CHANNEL_CLI, 3600},
                {LK_CHANNEL_MQTT, 3600},
                {LK_CHANNEL_PAM, 5}};
    struct bench *bench = bench_open();
    size_t i;

    (void)state;
    (void)bench_user(bench, "alice", PASSWORD);
    policy(bench, "session_channels=console:900 http:86400 pam:5");
    for (i = 0; i < LK_COUNT(want); i++) {
        struct lk_login_request request = {.tenant = bench->tenant,
                                           .name = LK_TEXT("alice"),
                                           .password = LK_TEXT(PASSWORD),
                                           .channel = want[i].channel};
        struct lk_login_result result;

        lk_abort(&bench->txn);
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
        lk_fake_advance(&bench->fake, want[i].seconds * 1000 - 1);
        assert_int_equal(bench_check(bench, result.token, NULL), 0);
        lk_fake_advance(&bench->fake, 1);
        assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    }
    bench_close(bench);
}

/* A check writes nothing, ever; only the touch that follows it does. */
static void test_s11_checks_write_nothing(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    uint64_t before;
    unsigned i;

    (void)state;
    policy(bench, "session_idle=300");
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &scene->sessions[0]), 0);
    before = bench_print(bench);
    for (i = 0; i < 299; i++) {
        lk_fake_advance(&bench->fake, 1000);
        assert_int_equal(bench_check(bench, scene->sessions[0].token, "user:read"), 0);
    }
    lk_fake_advance(&bench->fake, 1000);
    assert_int_equal(bench_check(bench, scene->sessions[0].token, NULL), LK_E_REFUSED);
    assert_true(bench_print(bench) == before);
    scene_close(scene);
}

/* A damaged device keeps nobody out. */
static void test_s11_damaged_device_stops_no_login(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_login_result result;
    struct lk_key key;

    (void)state;
    lk_key_record(&key, &lk_kind_device, scene->device);
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 70), 0);
    assert_int_equal(log_in(bench, "alice", scene->cookie, &result), 0);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    lk_fault_restore(&bench->fault);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s11_no_request_is_accepted_after),
        cmocka_unit_test(test_s11_a_right_taken_away_is_gone),
        cmocka_unit_test(test_s11_end_of_a_tenant_may_spare_one),
        cmocka_unit_test(test_s11_a_new_token_at_each_login),
        cmocka_unit_test(test_s11_limit_that_refuses),
        cmocka_unit_test(test_s11_lifetime_by_channel),
        cmocka_unit_test(test_s11_checks_write_nothing),
        cmocka_unit_test(test_s11_damaged_device_stops_no_login),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
