// SPDX-License-Identifier: MIT
#include "factor_scene.h"

uint64_t factor_scene_step(const struct factor_scene *scene)
{
    return scene->bench->fake.clock.wall_ms / LK_TOTP_PERIOD_MS;
}

const char *factor_scene_code_of(const struct factor_scene *scene,
                                 const struct lk_totp_offer *offer, int away)
{
    static char code[LK_TOTP_DIGITS_MAX + 1];
    uint8_t seed[LK_TOTP_SEED_MAX];
    size_t size;

    assert_int_equal(lk_base32_decode(bench_text(offer->seed), seed, sizeof(seed), &size), 0);
    assert_int_equal(lk_totp_code(&scene->bench->store, scene->options.algorithm,
                                  (struct lk_span){seed, size},
                                  factor_scene_step(scene) + (uint64_t)(int64_t)away,
                                  scene->options.digits, code),
                     0);
    return code;
}

const char *factor_scene_code(const struct factor_scene *scene, int away)
{
    return factor_scene_code_of(scene, &scene->offer, away);
}

int factor_scene_log_in(struct factor_scene *scene, const char *password, struct lk_span given)
{
    struct lk_login_request request = {.tenant = scene->bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = bench_text(password),
                                       .new_password = bench_text(scene->fresh),
                                       .code = given,
                                       .enrol = scene->enrol,
                                       .channel = scene->channel};
    int error;

    lk_abort(&scene->bench->txn);
    error = lk_login(&scene->bench->store, &request, &scene->result, &scene->problem);
    assert_int_equal(scene->problem.error, error);
    return error;
}

int factor_scene_with(struct factor_scene *scene, const char *given)
{
    return factor_scene_log_in(scene, ALICE_PASSWORD, bench_text(given));
}

void factor_scene_is_asked(struct factor_scene *scene, const char *field, const char *rule)
{
    struct lk_login_result none;

    memset(&none, 0, sizeof(none));
    assert_int_equal(factor_scene_with(scene, ""), LK_E_SECOND_FACTOR);
    assert_string_equal(scene->problem.field, field);
    assert_string_equal(scene->problem.rule, rule);
    assert_memory_equal(&scene->result, &none, sizeof(none));
}

struct lk_activity factor_scene_counts(struct factor_scene *scene)
{
    struct lk_activity activity;

    bench_read(scene->bench);
    assert_int_equal(lk_load_activity(&scene->bench->txn, scene->alice, &activity), 0);
    lk_abort(&scene->bench->txn);
    return activity;
}

void factor_scene_policy(struct factor_scene *scene, const char *word)
{
    bench_write(scene->bench);
    assert_int_equal(bench_set(scene->bench, &lk_kind_tenant,
                               (struct lk_id){scene->bench->tenant, 0, 0}, word, NULL),
                     0);
    bench_commit(scene->bench);
}

void factor_scene_enrol(struct factor_scene *scene)
{
    struct lk_id id;

    bench_write(scene->bench);
    assert_int_equal(lk_totp_add(&scene->bench->txn, scene->alice, LK_TEXT("phone"),
                                 &scene->options, &scene->offer, &scene->totp),
                     0);
    assert_int_equal(lk_totp_confirm(&scene->bench->txn, scene->alice,
                                     bench_text(factor_scene_code(scene, 0)), &id),
                     0);
    bench_commit(scene->bench);
    lk_fake_advance(&scene->bench->fake, 2 * LK_TOTP_PERIOD_MS);
}

struct factor_scene *factor_scene_open(void)
{
    struct factor_scene *scene = calloc(1, sizeof(*scene));

    assert_non_null(scene);
    scene->bench = bench_open();
    scene->alice = bench_user(scene->bench, "alice", ALICE_PASSWORD);
    scene->options = (struct lk_totp_options){LK_HMAC_SHA1, 6};
    scene->channel = LK_CHANNEL_HTTP;
    scene->fresh = "";
    return scene;
}

struct factor_scene *factor_scene_enrolled(void)
{
    struct factor_scene *scene = factor_scene_open();

    factor_scene_enrol(scene);
    return scene;
}

void factor_scene_close(struct factor_scene *scene)
{
    bench_verify(scene->bench);
    bench_close(scene->bench);
    free(scene);
}
