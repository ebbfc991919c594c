// SPDX-License-Identifier: MIT
/*
 * S7: whoever knows a password and not the second factor does not learn which others the user had:
 * neither by the answer nor by the work that it takes.
 */
#include "factor_scene.h"
#include "lockout.h"

#define EARLIER "an earlier secret"
#define OLDEST  "the first secret"
#define FRESH   "one never had before"
#define BEFORE  "is one that the user had before"

static struct lockout_meter *meter;

static void password_put(struct bench *bench, struct lk_id user, const char *text)
{
    struct lk_password password;

    assert_int_equal(
        lk_password_prepare_for(&bench->store, user, bench_text(text), NULL, 0, &password, NULL),
        0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, user, &password, 0), 0);
    bench_commit(bench);
}

/* Alice has had three passwords, the last of them LOCKOUT_RIGHT, and must have another. */
static struct factor_scene *history_open(void)
{
    struct factor_scene *scene = calloc(1, sizeof(*scene));
    struct bench *bench;

    assert_non_null(scene);
    bench = scene->bench = lockout_open(&meter);
    lockout_policy(bench, bench->tenant, "password_history=5");
    scene->alice = bench_user(bench, "alice", NULL);
    scene->options = (struct lk_totp_options){LK_HMAC_SHA1, 6};
    scene->channel = LK_CHANNEL_HTTP;
    scene->fresh = "";
    password_put(bench, scene->alice, OLDEST);
    password_put(bench, scene->alice, EARLIER);
    password_put(bench, scene->alice, LOCKOUT_RIGHT);
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_user, scene->alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
    return scene;
}

/* Answers how many hashes it took. */
static unsigned history_try(struct factor_scene *scene, const char *fresh, const char *code,
                            int want)
{
    uint64_t before = meter->hashes;
    int got;

    scene->fresh = fresh;
    got = factor_scene_log_in(scene, LOCKOUT_RIGHT, bench_text(code));
    if (got != want) {
        fail_msg("\"%s\", code \"%s\": %d, not %d", fresh, code, got, want);
    }
    return (unsigned)(meter->hashes - before);
}

static void test_s07_earlier_passwords_wait_for_the_second_factor(void **state)
{
    static const char *const had[] = {OLDEST, EARLIER};
    struct factor_scene *scene = history_open();
    unsigned work, i;

    (void)state;
    factor_scene_enrol(scene);
    /* One that was never had: what anybody is told, and what it takes. */
    work = history_try(scene, FRESH, "", LK_E_SECOND_FACTOR);
    assert_string_equal(scene->problem.field, "code");
    for (i = 0; i < LK_COUNT(had); i++) {
        struct lk_problem other;

        assert_int_equal(history_try(scene, had[i], "", LK_E_SECOND_FACTOR), work);
        other = scene->problem;
        assert_int_equal(history_try(scene, FRESH, "", LK_E_SECOND_FACTOR), work);
        assert_memory_equal(&other, &scene->problem, sizeof(other));
        assert_int_equal(history_try(scene, had[i], "000000", LK_E_REFUSED), work);
        assert_int_equal(history_try(scene, FRESH, "000000", LK_E_REFUSED), work);
    }
    print_message("[  figure  ] %u hashes, whether the new password is an earlier one or not\n",
                  work);
    assert_int_equal(factor_scene_counts(scene).failed_count, 4);
    /* Who has both is told, and the code is still good for the next try. */
    for (i = 0; i < LK_COUNT(had); i++) {
        assert_int_equal(history_try(scene, had[i], factor_scene_code(scene, 0), LK_E_MUST_CHANGE),
                         work);
        assert_string_equal(scene->problem.field, "new_password");
        assert_string_equal(scene->problem.rule, BEFORE);
    }
    (void)history_try(scene, FRESH, factor_scene_code(scene, 0), 0);
    factor_scene_close(scene);
}

/* Without a second factor it is told as it always was, and for the same work. */
static void test_s07_earlier_passwords_without_a_second_factor(void **state)
{
    struct factor_scene *scene = history_open();
    unsigned work;

    (void)state;
    work = history_try(scene, OLDEST, "", LK_E_MUST_CHANGE);
    assert_string_equal(scene->problem.rule, BEFORE);
    assert_int_equal(history_try(scene, EARLIER, "", LK_E_MUST_CHANGE), work);
    assert_string_equal(scene->problem.rule, BEFORE);
    assert_int_equal(factor_scene_counts(scene).failed_count, 0);
    assert_int_equal(history_try(scene, FRESH, "", 0), work);
    factor_scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s07_earlier_passwords_wait_for_the_second_factor),
        cmocka_unit_test(test_s07_earlier_passwords_without_a_second_factor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
