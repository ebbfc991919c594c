// SPDX-License-Identifier: MIT
/* Logins with a second factor: a code works once, and wrong ones are failed logins. */
#include "factor_scene.h"

/* ---- A code works once ---- */

static void test_s09_code_works_once(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_verdict verdict;
    int away;

    (void)state;
    factor_scene_is_asked(scene, "code", "is needed");
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_TOTP);
    bench_read(scene->bench);
    assert_int_equal(
        lk_session_check(&scene->bench->txn, 0, bench_text(scene->result.token), NULL, &verdict),
        0);
    assert_int_equal(verdict.factors, 2);
    lk_abort(&scene->bench->txn);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
    /* Nor does the one before, which was never used. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, -1)), LK_E_REFUSED);
    /* The next may be early by one step; then nothing until the one after it. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 1)), 0);
    for (away = -2; away <= 1; away++) {
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, away)), LK_E_REFUSED);
    }
    lk_fake_advance(&scene->bench->fake, 2 * LK_TOTP_PERIOD_MS);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(factor_scene_counts(scene).failed_count, 0);
    factor_scene_close(scene);
}

static void test_s09_window_is_one_step(void **state)
{
    static const int wanted[] = {LK_E_REFUSED, LK_E_REFUSED, 0, 0, 0, LK_E_REFUSED, LK_E_REFUSED};
    int away;

    (void)state;
    for (away = -3; away <= 3; away++) {
        struct factor_scene *scene = factor_scene_enrolled();

        lk_fake_advance(&scene->bench->fake, 4 * LK_TOTP_PERIOD_MS);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, away)),
                         wanted[away + 3]);
        factor_scene_close(scene);
    }
}

static void test_s09_every_algorithm_and_length(void **state)
{
    static const enum lk_hmac algorithms[] = {LK_HMAC_SHA1, LK_HMAC_SHA256, LK_HMAC_SHA512};
    unsigned i;

    (void)state;
    for (i = 0; i < 6; i++) {
        struct factor_scene *scene = factor_scene_open();
        struct lk_totp_options other;

        scene->options = (struct lk_totp_options){algorithms[i / 2], i % 2 ? 8 : 6};
        factor_scene_enrol(scene);
        other = scene->options;
        /* A code of the other length is none, even where one ends like the other. */
        scene->options.digits = 14 - other.digits;
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
        scene->options = other;
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
        factor_scene_close(scene);
    }
}

/* Steps whose code begins with zeros; given without them it is no code. */
static void test_s09_leading_zeros(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    unsigned found = 0;

    (void)state;
    factor_scene_policy(scene, "lockout_failures=0");
    while (found < 3) {
        const char *now = factor_scene_code(scene, 0);

        if (now[0] == '0') {
            char text[LK_TOTP_DIGITS_MAX + 1];

            memcpy(text, now, strlen(now) + 1);
            assert_int_equal(factor_scene_with(scene, text + 1), LK_E_REFUSED);
            assert_int_equal(factor_scene_with(scene, text), 0);
            found++;
        }
        lk_fake_advance(&scene->bench->fake, LK_TOTP_PERIOD_MS);
    }
    factor_scene_close(scene);
}

/* A hundred logins that all have the password and the code, side by side. */
static void test_s09_hundred_at_once_one_gets_in(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_login *logins = calloc(100, sizeof(*logins));
    struct lk_login_request request = {.tenant = scene->bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(ALICE_PASSWORD),
                                       .channel = LK_CHANNEL_HTTP};
    unsigned i, in = 0, refused = 0;

    (void)state;
    assert_non_null(logins);
    factor_scene_policy(scene, "lockout_failures=0");
    request.code = bench_text(factor_scene_code(scene, 0));
    lk_txn_release(&scene->bench->txn);
    for (i = 0; i < 100; i++) {
        assert_int_equal(lk_login_begin(&scene->bench->store, &logins[i], &request), 0);
    }
    for (i = 0; i < 100; i++) {
        while (lk_login_step(&logins[i]) > 0) {
        }
    }
    for (i = 0; i < 100; i++) {
        int error = lk_login_finish(&logins[i], &scene->result);

        in += error == 0;
        refused += error == LK_E_REFUSED;
    }
    print_message("[  figure  ] S9: 100 logins at once with one code: %u in, %u refused\n", in,
                  refused);
    assert_int_equal(in, 1);
    assert_int_equal(refused, 99);
    free(logins);
    factor_scene_close(scene);
}

/* A power cut after the success was told does not bring the code back. */
static void test_s09_code_stays_used_over_a_restart(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();

    (void)state;
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    lk_fake_reboot(&scene->bench->fake, LK_CLOCK_SET);
    bench_reopen(scene->bench);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
    factor_scene_close(scene);
}

/* ---- What a wrong one costs, and what asking does ---- */

static void test_s09_hostile_codes_are_wrong_codes(void **state)
{
    static const uint8_t odd[] = {'1', '2', 0, '4', '5', '6'};
    static char longer[5000];
    const struct lk_span given[] = {LK_TEXT("0"),
                                    LK_TEXT("12345"),
                                    LK_TEXT("1234567"),
                                    LK_TEXT("123456789"),
                                    LK_TEXT("12345a"),
                                    LK_TEXT("-1234567"),
                                    LK_TEXT("+12345"),
                                    LK_TEXT("0x1234"),
                                    LK_TEXT("\xEF\xBC\x91\xEF\xBC\x92"), /* fullwidth 12 */
                                    LK_TEXT("\xD9\xA1\xD9\xA2\xD9\xA3"), /* Arabic-Indic 123 */
                                    LK_TEXT("-"),
                                    LK_TEXT("     "),
                                    LK_TEXT("123456\n"),
                                    LK_TEXT("\xFF\xFE\xFF\xFE\xFF\xFE"),
                                    {odd, sizeof(odd)},
                                    {(const uint8_t *)longer, sizeof(longer)}};
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_problem wrong_password;
    size_t i;

    (void)state;
    memset(longer, '1', sizeof(longer));
    factor_scene_policy(scene, "lockout_failures=0");
    assert_int_equal(
        factor_scene_log_in(scene, "not the password", bench_text(factor_scene_code(scene, 0))),
        LK_E_REFUSED);
    wrong_password = scene->problem;
    for (i = 0; i < LK_COUNT(given); i++) {
        assert_int_equal(factor_scene_log_in(scene, ALICE_PASSWORD, given[i]), LK_E_REFUSED);
        assert_int_equal(factor_scene_counts(scene).failed_count, i + 2);
        /* It cannot be told from a wrong password. */
        assert_memory_equal(&scene->problem, &wrong_password, sizeof(wrong_password));
    }
    /* The code of above was not used up by the login with the wrong password. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    factor_scene_close(scene);
}

/* Wrong codes share the count of wrong passwords; being asked neither adds to it nor clears it. */
static void wrong_codes_lock_and_asking_does_not(bool tallies)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_activity before, after;
    unsigned guesses = 0, i;

    bench_tallies(scene->bench, tallies);
    for (i = 0; i < 50; i++) {
        factor_scene_is_asked(scene, "code", "is needed");
    }
    after = factor_scene_counts(scene);
    assert_int_equal(after.failed_count, 0);
    assert_true(after.last_failure_at == 0 && after.locked_until == 0);
    assert_int_equal(factor_scene_log_in(scene, "not the password", bench_text("")), LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    before = factor_scene_counts(scene);
    assert_int_equal(before.failed_count, 2);
    lk_fake_advance(&scene->bench->fake, 1000);
    factor_scene_is_asked(scene, "code", "is needed");
    after = factor_scene_counts(scene);
    assert_int_equal(after.failed_count, 2);
    /* What is tallied has no time: it is written as of the attempt that wrote the record. */
    assert_true(after.last_failure_at == before.last_failure_at + (tallies ? 1000 : 0));
    lk_fake_advance(&scene->bench->fake, 1000);
    factor_scene_is_asked(scene, "code", "is needed");
    assert_true(factor_scene_counts(scene).last_failure_at == after.last_failure_at);
    /* An attacker who has the password, and asks between any two guesses. */
    while (guesses < 100) {
        int error = factor_scene_with(scene, "000000");

        if (error == LK_E_LOCKED) {
            break;
        }
        assert_int_equal(error, LK_E_REFUSED);
        guesses++;
        if (factor_scene_counts(scene).locked_until <= scene->bench->fake.clock.wall_ms) {
            factor_scene_is_asked(scene, "code", "is needed");
        }
    }
    print_message("[  figure  ] S9: wrong codes until the first delay: %u, after one wrong "
                  "password and one wrong code\n",
                  guesses);
    assert_int_equal(guesses, 3);
    assert_int_equal(factor_scene_with(scene, ""), LK_E_LOCKED);
    /* Once the delay is over, one who is asked is not kept waiting by having been asked. */
    lk_fake_advance(&scene->bench->fake, 1000);
    factor_scene_is_asked(scene, "code", "is needed");
    factor_scene_is_asked(scene, "code", "is needed");
    assert_int_equal(factor_scene_counts(scene).failed_count, 5);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(factor_scene_counts(scene).failed_count, 0);
    factor_scene_close(scene);
}

static void test_s09_wrong_codes_lock_and_asking_does_not(void **state)
{
    (void)state;
    wrong_codes_lock_and_asking_does_not(true);
    wrong_codes_lock_and_asking_does_not(false);
}

/* What others were charged between a login's two commits stays charged. */
static void test_s09_asking_gives_back_its_own_charge_only(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_login_request request = {.tenant = scene->bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(ALICE_PASSWORD),
                                       .channel = LK_CHANNEL_HTTP};
    struct lk_login login;

    (void)state;
    lk_txn_release(&scene->bench->txn);
    assert_int_equal(lk_login_begin(&scene->bench->store, &login, &request), 0);
    assert_int_equal(lk_login_step(&login), 0);
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    assert_int_equal(factor_scene_counts(scene).failed_count, 3);
    assert_int_equal(lk_login_finish(&login, &scene->result), LK_E_SECOND_FACTOR);
    assert_int_equal(factor_scene_counts(scene).failed_count, 2);
    /* And where somebody got in meanwhile, there is nothing to give back. */
    lk_txn_release(&scene->bench->txn);
    assert_int_equal(lk_login_begin(&scene->bench->store, &login, &request), 0);
    assert_int_equal(lk_login_step(&login), 0);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    assert_int_equal(lk_login_finish(&login, &scene->result), LK_E_SECOND_FACTOR);
    assert_int_equal(factor_scene_counts(scene).failed_count, 1);
    factor_scene_close(scene);
}

/* A code is looked at only after the password: nothing is told to whoever has not that. */
static void test_s09_nothing_is_asked_without_the_password(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_id bob = bench_user(scene->bench, "bob", ALICE_PASSWORD);
    struct lk_problem first;

    (void)state;
    (void)bob;
    assert_int_equal(factor_scene_log_in(scene, "not the password", bench_text("")), LK_E_REFUSED);
    first = scene->problem;
    assert_int_equal(
        factor_scene_log_in(scene, "not the password", bench_text(factor_scene_code(scene, 0))),
        LK_E_REFUSED);
    assert_memory_equal(&first, &scene->problem, sizeof(first));
    bench_write(scene->bench);
    assert_int_equal(lk_user_set_status(&scene->bench->txn, scene->alice, LK_USER_SUSPENDED), 0);
    bench_commit(scene->bench);
    assert_int_equal(factor_scene_with(scene, ""), LK_E_REFUSED);
    assert_memory_equal(&first, &scene->problem, sizeof(first));
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
    assert_memory_equal(&first, &scene->problem, sizeof(first));
    factor_scene_close(scene);
}

/* A new password is asked for first, the code then; both are settled by one commit. */
static void test_s09_new_password_and_code_together(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();

    (void)state;
    bench_write(scene->bench);
    assert_int_equal(
        bench_set(scene->bench, &lk_kind_user, scene->alice, "must_change_password=true", NULL), 0);
    bench_commit(scene->bench);
    /* An attacker who has the password gains nothing by being asked for another. */
    assert_int_equal(factor_scene_with(scene, ""), LK_E_MUST_CHANGE);
    scene->fresh = "a newer secret";
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    scene->fresh = "";
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_MUST_CHANGE);
    assert_int_equal(factor_scene_counts(scene).failed_count, 1);
    scene->fresh = "a newer secret";
    factor_scene_is_asked(scene, "code", "is needed");
    assert_int_equal(factor_scene_counts(scene).failed_count, 1);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    scene->fresh = "";
    assert_int_equal(
        factor_scene_log_in(scene, "a newer secret", bench_text(factor_scene_code(scene, 1))), 0);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 1)), LK_E_REFUSED);
    factor_scene_close(scene);
}

/* ---- Several, unconfirmed, of recovery ---- */

static void test_s09_several_authenticators(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_totp_offer spare, loose;
    struct lk_id id;

    (void)state;
    bench_write(scene->bench);
    assert_int_equal(lk_totp_add(&scene->bench->txn, scene->alice, LK_TEXT("spare"),
                                 &scene->options, &spare, &id),
                     0);
    assert_int_equal(lk_totp_confirm(&scene->bench->txn, scene->alice,
                                     bench_text(factor_scene_code_of(scene, &spare, 0)), &id),
                     0);
    assert_int_equal(lk_totp_add(&scene->bench->txn, scene->alice, LK_TEXT("loose"),
                                 &scene->options, &loose, &id),
                     0);
    bench_commit(scene->bench);
    lk_fake_advance(&scene->bench->fake, 2 * LK_TOTP_PERIOD_MS);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &spare, 0)), 0);
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &spare, 0)),
                     LK_E_REFUSED);
    /* One that nobody confirmed counts for nothing, whatever is demanded. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &loose, 0)),
                     LK_E_REFUSED);
    factor_scene_policy(scene, "second_factor=required");
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &loose, 1)),
                     LK_E_REFUSED);
    factor_scene_close(scene);
}

static void test_s09_unconfirmed_is_not_asked_for(void **state)
{
    struct factor_scene *scene = factor_scene_open();
    struct lk_verdict verdict;

    (void)state;
    bench_write(scene->bench);
    assert_int_equal(lk_totp_add(&scene->bench->txn, scene->alice, LK_TEXT(""), NULL, &scene->offer,
                                 &scene->totp),
                     0);
    bench_commit(scene->bench);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_NONE);
    /* Nor does a code of it make two factors of one. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    bench_read(scene->bench);
    assert_int_equal(
        lk_session_check(&scene->bench->txn, 0, bench_text(scene->result.token), NULL, &verdict),
        0);
    assert_int_equal(verdict.factors, 1);
    factor_scene_close(scene);
}

static void test_s09_recovery_codes_are_single_use(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_id id;
    unsigned i;

    (void)state;
    factor_scene_policy(scene, "lockout_failures=0");
    bench_write(scene->bench);
    assert_int_equal(lk_recovery_add(&scene->bench->txn, scene->alice, codes, &id), 0);
    bench_commit(scene->bench);
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        unsigned at = (i * 7 + 3) % LK_RECOVERY_COUNT;

        /* They need no clock; the other codes do. */
        if (i == 5) {
            lk_fake_wall_set(&scene->bench->fake, scene->bench->fake.clock.wall_ms, LK_CLOCK_HELD);
            factor_scene_is_asked(scene, "code",
                                  "of recovery is needed, since the clock is not set");
            assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
        }
        assert_int_equal(factor_scene_with(scene, codes[at]), 0);
        assert_int_equal(scene->result.factor, LK_FACTOR_RECOVERY);
        assert_int_equal(scene->result.codes_left, LK_RECOVERY_COUNT - 1 - i);
        assert_int_equal(factor_scene_with(scene, codes[at]), LK_E_REFUSED);
    }
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        assert_int_equal(factor_scene_with(scene, codes[i]), LK_E_REFUSED);
    }
    lk_fake_wall_set(&scene->bench->fake, scene->bench->fake.clock.wall_ms + 1, LK_CLOCK_SET);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    factor_scene_close(scene);
}

/* Turned away for too many sessions: a recovery code is kept, a time-based one is used up. */
static void test_s09_turned_away_keeps_the_recovery_code(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct bench *bench = scene->bench;
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], used[LK_TOTP_DIGITS_MAX + 1];
    struct lk_id id, session;
    unsigned i;

    (void)state;
    factor_scene_policy(scene, "session_max=1");
    factor_scene_policy(scene, "session_limit=refuse");
    bench_write(bench);
    assert_int_equal(lk_recovery_add(&bench->txn, scene->alice, codes, &id), 0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, codes[0]), 0);
    session = scene->result.session;
    for (i = 0; i < 3; i++) {
        assert_int_equal(factor_scene_with(scene, codes[1]), LK_E_LIMIT);
    }
    (void)snprintf(used, sizeof(used), "%s", factor_scene_code(scene, 0));
    assert_int_equal(factor_scene_with(scene, used), LK_E_LIMIT);
    bench_write(bench);
    assert_int_equal(lk_session_end(&bench->txn, session), 0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, used), LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, codes[0]), LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, codes[1]), 0);
    assert_int_equal(scene->result.codes_left, LK_RECOVERY_COUNT - 2);
    assert_int_equal(factor_scene_with(scene, codes[1]), LK_E_REFUSED);
    factor_scene_close(scene);
}

static void test_s09_hundred_at_once_with_one_recovery_code(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct lk_login *logins = calloc(100, sizeof(*logins));
    struct lk_login_request request = {.tenant = scene->bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT(ALICE_PASSWORD)};
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_id id;
    unsigned i, in = 0;

    (void)state;
    assert_non_null(logins);
    factor_scene_policy(scene, "lockout_failures=0");
    bench_write(scene->bench);
    assert_int_equal(lk_recovery_add(&scene->bench->txn, scene->alice, codes, &id), 0);
    bench_commit(scene->bench);
    request.code = bench_text(codes[4]);
    lk_txn_release(&scene->bench->txn);
    for (i = 0; i < 100; i++) {
        assert_int_equal(lk_login_begin(&scene->bench->store, &logins[i], &request), 0);
        assert_int_equal(lk_login_step(&logins[i]), 0);
    }
    for (i = 0; i < 100; i++) {
        in += lk_login_finish(&logins[i], &scene->result) == 0;
    }
    print_message("[  figure  ] S9: 100 logins at once with one recovery code: %u in\n", in);
    assert_int_equal(in, 1);
    free(logins);
    factor_scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s09_code_works_once),
        cmocka_unit_test(test_s09_window_is_one_step),
        cmocka_unit_test(test_s09_every_algorithm_and_length),
        cmocka_unit_test(test_s09_leading_zeros),
        cmocka_unit_test(test_s09_hundred_at_once_one_gets_in),
        cmocka_unit_test(test_s09_code_stays_used_over_a_restart),
        cmocka_unit_test(test_s09_hostile_codes_are_wrong_codes),
        cmocka_unit_test(test_s09_wrong_codes_lock_and_asking_does_not),
        cmocka_unit_test(test_s09_asking_gives_back_its_own_charge_only),
        cmocka_unit_test(test_s09_nothing_is_asked_without_the_password),
        cmocka_unit_test(test_s09_new_password_and_code_together),
        cmocka_unit_test(test_s09_several_authenticators),
        cmocka_unit_test(test_s09_unconfirmed_is_not_asked_for),
        cmocka_unit_test(test_s09_recovery_codes_are_single_use),
        cmocka_unit_test(test_s09_turned_away_keeps_the_recovery_code),
        cmocka_unit_test(test_s09_hundred_at_once_with_one_recovery_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
