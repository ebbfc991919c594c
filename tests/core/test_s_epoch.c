// SPDX-License-Identifier: MIT
/* S10: setting the clock. When it goes back a new epoch begins, and nothing that ended revives. */
#include "audit_help.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"
#define YEAR     (365 * (uint64_t)LK_MS_PER_DAY)
#define KEYS     150 /* more than two slices of what is taken away */

struct scene {
    struct bench *bench;
    struct lk_id alice;
    char tokens[KEYS][LK_TOKEN_SIZE]; /* keys that end after n days */
};

static struct scene *scene_open(void)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct bench *bench;
    struct lk_id key;
    unsigned i;

    assert_non_null(scene);
    bench = scene->bench = bench_open();
    scene->alice = bench_user(bench, "alice", PASSWORD);
    bench_write(bench);
    for (i = 0; i < KEYS; i++) {
        assert_int_equal(
            lk_api_key_add(&bench->txn, scene->alice, LK_TEXT("k"), LK_TEXT(""),
                           lk_now(&bench->txn) + (i + 1) * 10 * (uint64_t)LK_MS_PER_DAY,
                           scene->tokens[i], &key),
            0);
    }
    bench_commit(bench);
    return scene;
}

static void scene_close(struct scene *scene)
{
    bench_verify(scene->bench);
    bench_close(scene->bench);
    free(scene);
}

static unsigned scene_good(struct scene *scene)
{
    unsigned i, good = 0;

    for (i = 0; i < KEYS; i++) {
        good += bench_check(scene->bench, scene->tokens[i], NULL) == 0;
    }
    return good;
}

/* Takes the port's way of setting the clock away, as on Linux. */
static void cannot_set(struct bench *bench, struct lk_clock *clock)
{
    *clock = *bench->fake.port.clock;
    clock->set = NULL;
    bench->fake.port.clock = clock;
}

static int set_clock(struct bench *bench, uint64_t ms)
{
    struct lk_problem problem;

    lk_abort(&bench->txn);
    return lk_clock_set(&bench->store, &bench->actor, ms, &problem);
}

static struct lk_clock_state tell(struct bench *bench)
{
    struct lk_clock_state state;

    bench_read(bench);
    assert_int_equal(lk_clock_tell(&bench->txn, &state), 0);
    lk_abort(&bench->txn);
    return state;
}

static unsigned entries(struct bench *bench, uint32_t tenant, const char *action, uint64_t since,
                        uint64_t until)
{
    return audit_matches(
        bench, (struct lk_audit_query){
                   .tenant = tenant, .action = bench_text(action), .since = since, .until = until});
}

static void seen(struct bench *bench)
{
    bench_write(bench);
    assert_int_equal(lk_clock_save(&bench->txn, true), 0);
    bench_commit(bench);
}

/* A year ahead by mistake, and right again: the heart of S10. */
static void test_s10_a_year_ahead_and_back(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_login_result before, ahead, after;
    struct lk_clock_state told;
    struct lk_clock clock;
    unsigned was, dead, revived = 0, i;

    (void)state;
    cannot_set(bench, &clock);
    was = scene_good(scene);
    assert_int_equal(was, KEYS);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &before), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + YEAR, LK_CLOCK_SET);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &ahead), 0);
    dead = KEYS - scene_good(scene);
    assert_int_equal(dead, 36);
    for (i = 0; i < 8; i++) {
        (void)bench_login(bench, "alice", "wrong password", &after);
    }
    /* Right again: until somebody says so, time is held, and what ends is refused. */
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SYNCED);
    told = tell(bench);
    assert_int_equal(told.quality, LK_CLOCK_HELD);
    assert_int_equal(told.wall, LK_CLOCK_SYNCED);
    assert_true(told.now_ms >= LK_FAKE_START_MS + YEAR);
    assert_int_equal(scene_good(scene), 0);
    assert_int_equal(bench_check(bench, ahead.token, NULL), 0);
    assert_int_equal(set_clock(bench, 0), 0);
    told = tell(bench);
    assert_int_equal(told.quality, LK_CLOCK_SYNCED);
    assert_true(told.now_ms == LK_FAKE_START_MS);
    assert_true(told.high_water_ms == LK_FAKE_START_MS);
    assert_int_equal(told.time_epoch, 1);
    for (i = 0; i < dead; i++) {
        revived += bench_check(bench, scene->tokens[i], NULL) == 0;
    }
    print_message("[  figure  ] %u keys ended by a clock a year ahead, set right: %u revived, "
                  "%u of %u others still good\n",
                  dead, revived, scene_good(scene), KEYS - dead);
    assert_int_equal(revived, 0);
    assert_int_equal(scene_good(scene), KEYS - dead);
    assert_int_equal(bench_check(bench, before.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, ahead.token, NULL), LK_E_REFUSED);
    /* Nobody is shut out for longer than a delay lasts, which goes on from the time set. */
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &after), LK_E_LOCKED);
    lk_fake_advance(&bench->fake, 900u * 1000);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &after), 0);
    assert_int_equal(bench_check(bench, after.token, NULL), 0);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &after), 0);
    /* It is so after a reboot, too. */
    lk_fake_reboot(&bench->fake, LK_CLOCK_SYNCED);
    bench_reopen(bench);
    assert_int_equal(scene_good(scene), KEYS - dead);
    assert_int_equal(tell(bench).time_epoch, 1);
    assert_int_equal(entries(bench, bench->tenant, "clock.epoch", 0, 0), 1);
    assert_int_equal(entries(bench, 0, "clock.epoch", 0, 0), 1);
    assert_int_equal(entries(bench, bench->tenant, "credential.expire", 0, 0), dead);
    scene_close(scene);
}

/* More than one transaction takes away; a clock that jumps on meanwhile changes nothing. */
static void test_s10_set_back_in_slices(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    uint32_t commits;

    (void)state;
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 5 * YEAR, LK_CLOCK_SET);
    seen(bench);
    assert_int_equal(scene_good(scene), 0);
    commits = bench->store.commit_count;
    assert_int_equal(set_clock(bench, LK_FAKE_START_MS), 0);
    assert_true(bench->store.commit_count >= commits + 3);
    assert_int_equal(scene_good(scene), 0);
    assert_int_equal(entries(bench, bench->tenant, "credential.expire", 0, 0), KEYS);
    assert_int_equal(tell(bench).time_epoch, 1);
    scene_close(scene);
}

/* Once more, for grants, passwords that end, and a tenant that was removed meanwhile. */
static void test_s10_set_back_takes_away_whatever_ended(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_id role, second = {0, 0, 0};
    struct lk_login_result result;
    struct lk_credential password;

    (void)state;
    bench_write(bench);
    role = bench_named(bench, &lk_kind_role, "viewer");
    assert_int_equal(lk_role_grant(&bench->txn, scene->alice, role, lk_now(&bench->txn) + 60000),
                     0);
    assert_int_equal(
        lk_credential_find(&bench->txn, scene->alice, LK_CREDENTIAL_PASSWORD, &password), 0);
    assert_int_equal(
        bench_set(bench, &lk_kind_credential, password.record.id, "expires_at=60s", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &second, "name=second", NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, second, NULL), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 2 * 60 * 60 * 1000);
    seen(bench);
    assert_int_equal(set_clock(bench, LK_FAKE_START_MS), 0);
    assert_true(bench->fake.clock.wall_ms == LK_FAKE_START_MS);
    assert_int_equal(tell(bench).quality, LK_CLOCK_SET);
    bench_read(bench);
    assert_int_equal(lk_permission_check(&bench->txn, scene->alice,
                                         &(const struct lk_question){.resource = LK_TEXT("user"),
                                                                     .action = LK_TEXT("read")},
                                         NULL),
                     LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), LK_E_REFUSED);
    assert_int_equal(scene_good(scene), KEYS);
    bench_write(bench);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_tenant, second), 0);
    bench_commit(bench);
    assert_int_equal(entries(bench, second.tenant, "clock.epoch", 0, 0), 1);
    scene_close(scene);
}

static void test_s10_set_forward_is_plain(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_login_result result;
    struct lk_problem problem;
    struct lk_clock clock;
    uint64_t print;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    bench->actor.tenant = bench->tenant;
    bench->actor.user = bench->admin.user;
    assert_int_equal(set_clock(bench, LK_FAKE_START_MS + 15 * (uint64_t)LK_MS_PER_DAY), 0);
    assert_int_equal(tell(bench).time_epoch, 0);
    assert_true(tell(bench).now_ms == LK_FAKE_START_MS + 15 * (uint64_t)LK_MS_PER_DAY);
    assert_int_equal(scene_good(scene), KEYS - 1);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    assert_int_equal(entries(bench, bench->tenant, "clock.set", 0, 0), 1);
    assert_int_equal(entries(bench, 0, "clock.set", 0, 0), 1);
    /* A few seconds back are no epoch. */
    assert_int_equal(set_clock(bench, LK_FAKE_START_MS + 15 * (uint64_t)LK_MS_PER_DAY - 5000), 0);
    assert_int_equal(tell(bench).time_epoch, 0);
    assert_true(tell(bench).now_ms >= LK_FAKE_START_MS + 15 * (uint64_t)LK_MS_PER_DAY);
    /* What is no time, or not to be had, changes nothing. */
    print = bench_print(bench);
    assert_int_equal(lk_clock_set(&bench->store, NULL, LK_CLOCK_LEAST_MS - 1, &problem),
                     LK_E_CHECK);
    assert_string_equal(problem.field, "time");
    assert_int_equal(lk_clock_set(&bench->store, NULL, LK_CLOCK_END_MS, NULL), LK_E_CHECK);
    assert_int_equal(lk_clock_set(&bench->store, NULL, 0, &problem), 0); /* as it is */
    lk_fake_wall_set(&bench->fake, 0, LK_CLOCK_UNSET);
    assert_int_equal(lk_clock_set(&bench->store, NULL, 0, &problem), LK_E_CHECK);
    cannot_set(bench, &clock);
    assert_int_equal(lk_clock_set(&bench->store, NULL, LK_FAKE_START_MS, &problem),
                     LK_E_UNSUPPORTED);
    assert_string_equal(problem.field, "time");
    assert_true(bench_print(bench) == print);
    scene_close(scene);
}

/* A device whose clock was never set, and a person who knows the time. */
static void test_s10_set_where_there_was_none(void **state)
{
    struct bench *bench = bench_bare(4u << 20);
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct lk_login_result result;

    (void)state;
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    assert_int_equal(tell(bench).quality, LK_CLOCK_UNSET);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    assert_int_equal(set_clock(bench, LK_FAKE_START_MS), 0);
    assert_int_equal(tell(bench).quality, LK_CLOCK_SET);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    /* Off again without a battery: held, and behind by as long as it was off. */
    lk_fake_reboot(&bench->fake, LK_CLOCK_UNSET);
    bench_reopen(bench);
    assert_int_equal(tell(bench).quality, LK_CLOCK_HELD);
    assert_true(tell(bench).now_ms >= LK_FAKE_START_MS);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* Another process sets the clock back: this one's next transactions follow. */
static void test_s10_other_handles_follow(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_store other;
    struct lk_login_result result;
    struct lk_txn txn;

    (void)state;
    memset(&txn, 0, sizeof(txn));
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + YEAR, LK_CLOCK_SET);
    seen(bench);
    other = bench->store;
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SYNCED);
    assert_int_equal(set_clock(bench, 0), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    /* It reads first, then writes. */
    assert_int_equal(lk_begin(&other, &txn, LK_READ, NULL), 0);
    assert_true(lk_now(&txn) == LK_FAKE_START_MS);
    assert_int_equal(txn.clock, LK_CLOCK_SYNCED);
    lk_abort(&txn);
    lk_fake_advance(&bench->fake, 70000);
    assert_int_equal(lk_begin(&other, &txn, LK_WRITE, NULL), 0);
    assert_int_equal(lk_commit(&txn), 0);
    assert_true(tell(bench).high_water_ms == LK_FAKE_START_MS + 70000);
    /* And later times that another stored are seen as well. */
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 10 * YEAR, LK_CLOCK_SET);
    assert_int_equal(lk_begin(&other, &txn, LK_WRITE, NULL), 0);
    assert_int_equal(lk_commit(&txn), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SYNCED);
    bench_write(bench);
    assert_true(lk_now(&bench->txn) >= LK_FAKE_START_MS + 10 * YEAR);
    assert_int_equal(bench->txn.clock, LK_CLOCK_HELD);
    lk_abort(&bench->txn);
    lk_txn_release(&txn);
    scene_close(scene);
}

/* A tenant whose record is damaged holds nobody else up. */
static void test_s10_set_back_beside_a_damaged_tenant(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_id second = {0, 0, 0}, third = {0, 0, 0};
    struct lk_login_result result;
    struct lk_key key;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &second, "name=second", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &third, "name=third", NULL), 0);
    bench_commit(bench);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + YEAR, LK_CLOCK_SET);
    seen(bench);
    lk_key_record(&key, &lk_kind_tenant, second);
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&key), 70), 0);
    assert_int_equal(set_clock(bench, LK_FAKE_START_MS), 0);
    lk_fault_restore(&bench->fault);
    assert_int_equal(tell(bench).time_epoch, 1);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_int_equal(entries(bench, third.tenant, "clock.epoch", 0, 0), 1);
    scene_close(scene);
}

/* Asked by time, the audit answers for every epoch. */
static void test_s10_audit_by_time_over_epochs(void **state)
{
    struct scene *scene = scene_open();
    struct bench *bench = scene->bench;
    struct lk_login_result result;
    uint64_t start = LK_FAKE_START_MS, ahead = LK_FAKE_START_MS + YEAR;

    (void)state;
    lk_fake_wall_set(&bench->fake, ahead, LK_CLOCK_SET);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(set_clock(bench, start), 0);
    lk_fake_advance(&bench->fake, 1000);
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(entries(bench, bench->tenant, "login", ahead, 0), 2);
    assert_int_equal(entries(bench, bench->tenant, "login", start, ahead), 1);
    assert_int_equal(entries(bench, bench->tenant, "login", start, start + 1000), 0);
    assert_int_equal(entries(bench, bench->tenant, "login", 0, 0), 3);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s10_a_year_ahead_and_back),
        cmocka_unit_test(test_s10_set_back_in_slices),
        cmocka_unit_test(test_s10_set_back_takes_away_whatever_ended),
        cmocka_unit_test(test_s10_set_forward_is_plain),
        cmocka_unit_test(test_s10_set_where_there_was_none),
        cmocka_unit_test(test_s10_other_handles_follow),
        cmocka_unit_test(test_s10_set_back_beside_a_damaged_tenant),
        cmocka_unit_test(test_s10_audit_by_time_over_epochs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
