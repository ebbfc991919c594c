// SPDX-License-Identifier: MIT
/* factor_scene.h: alice and her second factor, for the tests of logins with one. */
#ifndef LK_TEST_FACTOR_SCENE_H
#define LK_TEST_FACTOR_SCENE_H

#include "bench.h"

#include "lk_factor.h"

#define ALICE_PASSWORD "alice's secret"

struct factor_scene {
    struct bench *bench;
    struct lk_id alice, totp;
    struct lk_totp_offer offer;
    struct lk_totp_options options;
    struct lk_problem problem;
    struct lk_login_result result;
    enum lk_channel channel;
    struct lk_totp_offer *enrol;
    const char *fresh;
};

uint64_t factor_scene_step(const struct factor_scene *scene);
const char *factor_scene_code_of(const struct factor_scene *scene,
                                 const struct lk_totp_offer *offer, int away);
/* The code of `away` steps from now, in memory that the next call takes. */
const char *factor_scene_code(const struct factor_scene *scene, int away);
int factor_scene_log_in(struct factor_scene *scene, const char *password, struct lk_span given);
/* Her password and this code. */
int factor_scene_with(struct factor_scene *scene, const char *given);
/* Her password alone: LK_E_SECOND_FACTOR with this field and rule, and nothing given away. */
void factor_scene_is_asked(struct factor_scene *scene, const char *field, const char *rule);
struct lk_activity factor_scene_counts(struct factor_scene *scene);
/* A "field=value" of the tenant. */
void factor_scene_policy(struct factor_scene *scene, const char *word);
/* A confirmed authenticator; time goes on, so that its code of now was not used. */
void factor_scene_enrol(struct factor_scene *scene);
/* A store with alice, who has a password only. */
struct factor_scene *factor_scene_open(void);
/* And one where she has an authenticator. */
struct factor_scene *factor_scene_enrolled(void);
/* Fails the test when the store is not clean. */
void factor_scene_close(struct factor_scene *scene);

#endif
