// SPDX-License-Identifier: MIT
/* Who is asked for a second factor, how the first one is made, and what is left behind. */
#include "dead_stack.h"
#include "factor_scene.h"

/* ---- Clocks ---- */

static void test_s10_codes_need_a_clock_and_the_console_does_not(void **state)
{
    static const enum lk_clock_quality bad[] = {LK_CLOCK_UNSET, LK_CLOCK_HELD};
    unsigned i;

    (void)state;
    for (i = 0; i < LK_COUNT(bad); i++) {
        struct factor_scene *scene = factor_scene_enrolled();

        lk_fake_reboot(&scene->bench->fake, bad[i]);
        bench_reopen(scene->bench);
        factor_scene_is_asked(scene, "code", "of recovery is needed, since the clock is not set");
        scene->channel = LK_CHANNEL_CLI;
        factor_scene_is_asked(scene, "code", "of recovery is needed, since the clock is not set");
        lk_fake_wall_set(&scene->bench->fake, LK_FAKE_START_MS + 3600000, bad[i]);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
        /* Whoever stands at the device can log in to set its clock. */
        scene->channel = LK_CHANNEL_CONSOLE;
        assert_int_equal(factor_scene_with(scene, ""), 0);
        assert_int_equal(scene->result.factor, LK_FACTOR_NONE);
        factor_scene_policy(scene, "second_factor=required");
        assert_int_equal(factor_scene_with(scene, ""), 0);
        /* With the clock set, the console asks like everybody. */
        lk_fake_wall_set(&scene->bench->fake, LK_FAKE_START_MS + 7200000, LK_CLOCK_SET);
        factor_scene_is_asked(scene, "code", "is needed");
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
        factor_scene_close(scene);
    }
}

/* Set back by a year: time goes on from the newest seen, untrusted, and no old code comes back. */
static void test_s09_clock_set_back_revives_no_code(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    uint64_t then = scene->bench->fake.clock.wall_ms;

    (void)state;
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    lk_fake_advance(&scene->bench->fake, 365 * (uint64_t)LK_MS_PER_DAY);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    lk_fake_wall_set(&scene->bench->fake, then, LK_CLOCK_SYNCED);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 1)), LK_E_REFUSED);
    factor_scene_close(scene);
}

/* Used and put back under a clock a year ahead, then set right: neither locks its user out, and no
 * code works twice. */
static void test_s09_clock_ahead_and_set_right_shuts_nobody_out(void **state)
{
    struct factor_scene *scene = factor_scene_open();
    struct bench *bench = scene->bench;
    uint64_t right = bench->fake.clock.wall_ms;
    char seed[LK_TOTP_SEED_TEXT];
    int again, away;

    (void)state;
    lk_fake_wall_set(&bench->fake, right + 365 * (uint64_t)LK_MS_PER_DAY, LK_CLOCK_SET);
    factor_scene_enrol(scene);
    for (again = 0; again < 2; again++) {
        if (again) {
            bench_write(bench);
            (void)snprintf(seed, sizeof(seed), "%s", scene->offer.seed);
            assert_int_equal(lk_totp_put_back(&bench->txn, scene->totp, bench_text(seed)), 0);
            bench_commit(bench);
        } else {
            assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
        }
        lk_abort(&bench->txn);
        lk_fake_wall_set(&bench->fake, right, LK_CLOCK_SYNCED);
        assert_int_equal(lk_clock_set(&bench->store, NULL, 0, NULL), 0);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_REFUSED);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, -1)), LK_E_REFUSED);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 1)), 0);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 1)), LK_E_REFUSED);
        /* Back by what a restart may lose of the time is not back to another epoch. */
        lk_fake_advance(&bench->fake, 59000);
        assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 1)), 0);
        lk_fake_wall_set(&bench->fake, right, LK_CLOCK_SYNCED);
        bench_reopen(bench);
        for (away = -1; away <= 1; away++) {
            assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, away)),
                             LK_E_REFUSED);
        }
        assert_true(bench->store.high_water_ms == right);
        lk_fake_wall_set(&bench->fake, right + 365 * (uint64_t)LK_MS_PER_DAY, LK_CLOCK_SET);
    }
    factor_scene_close(scene);
}

/* ---- The policy ---- */

static void test_s09_policy_off_asks_nobody(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();

    (void)state;
    factor_scene_policy(scene, "second_factor=off");
    assert_int_equal(factor_scene_with(scene, ""), 0);
    assert_int_equal(factor_scene_with(scene, "not a code at all"), 0);
    /* And uses nothing up. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_NONE);
    factor_scene_policy(scene, "second_factor=optional");
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_TOTP);
    factor_scene_close(scene);
}

/* Of tenant and roles the strictest holds; a role demands what its parent does, and only while it
 * is granted, active and there. */
static void test_s09_policy_of_roles(void **state)
{
    struct factor_scene *scene = factor_scene_open();
    struct bench *bench = scene->bench;
    struct lk_id strict = {0, 0, 0}, child = strict;

    (void)state;
    factor_scene_policy(scene, "second_factor=off");
    bench_write(bench);
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &strict, "name=strict", "second_factor=required", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &child, "name=child", "parent=strict", NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, scene->alice, child, lk_now(&bench->txn) + LK_MS_PER_DAY), 0);
    bench_commit(bench);
    factor_scene_is_asked(scene, "second_factor", "must be enrolled");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_role, strict, "is_active=false", NULL), 0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_role, strict, "is_active=true", "second_factor=", NULL), 0);
    assert_int_equal(bench_set(bench, &lk_kind_role, child, "second_factor=optional", NULL), 0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    factor_scene_enrol(scene);
    factor_scene_is_asked(scene, "code", "is needed");
    /* The grant has ended, and the tenant asks nobody. */
    lk_fake_advance(&bench->fake, LK_MS_PER_DAY);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    bench_write(bench);
    assert_int_equal(lk_role_revoke(&bench->txn, scene->alice, child), 0);
    assert_int_equal(lk_role_grant(&bench->txn, scene->alice, child, 0), 0);
    bench_commit(bench);
    factor_scene_is_asked(scene, "code", "is needed");
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, child, NULL), 0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    factor_scene_close(scene);
}

/* Switching it on shuts nobody out: whoever has none makes one with the next login. */
/* A clock that says nothing takes the right that is granted for a time, and not what it demands. */
static void test_s09_role_demands_until_its_grant_has_surely_ended(void **state)
{
    static const enum lk_clock_quality bad[] = {LK_CLOCK_UNSET, LK_CLOCK_HELD};
    struct factor_scene *scene = factor_scene_open();
    struct bench *bench = scene->bench;
    uint64_t start = bench->fake.clock.wall_ms;
    struct lk_id role;
    unsigned i;

    (void)state;
    factor_scene_policy(scene, "second_factor=off");
    bench_write(bench);
    role = bench_named(bench, &lk_kind_role, "admin");
    assert_int_equal(bench_set(bench, &lk_kind_role, role, "second_factor=required", NULL), 0);
    assert_int_equal(
        lk_role_grant(&bench->txn, scene->alice, role, lk_now(&bench->txn) + LK_MS_PER_DAY), 0);
    bench_commit(bench);
    factor_scene_is_asked(scene, "second_factor", "must be enrolled");
    for (i = 0; i < LK_COUNT(bad); i++) {
        lk_fake_wall_set(&bench->fake, start, bad[i]);
        factor_scene_is_asked(scene, "second_factor", "must be enrolled once the clock is set");
        lk_fake_wall_set(&bench->fake, start + 1000, LK_CLOCK_SYNCED);
        factor_scene_is_asked(scene, "second_factor", "must be enrolled");
    }
    lk_fake_wall_set(&bench->fake, start + LK_MS_PER_DAY, LK_CLOCK_SYNCED);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    factor_scene_close(scene);
}

static void test_s09_required_is_enrolled_at_login(void **state)
{
    struct factor_scene *scene = factor_scene_open();
    struct lk_totp_offer offer, again, zero;
    struct lk_credential credential;

    (void)state;
    memset(&zero, 0, sizeof(zero));
    factor_scene_policy(scene, "second_factor=required");
    factor_scene_is_asked(scene, "second_factor", "must be enrolled");
    /* A code of nothing is no failure. */
    assert_int_equal(factor_scene_with(scene, "123456"), LK_E_SECOND_FACTOR);
    assert_int_equal(factor_scene_counts(scene).failed_count, 0);
    scene->enrol = &offer;
    memset(&offer, 0xEE, sizeof(offer));
    assert_int_equal(factor_scene_log_in(scene, "not the password", bench_text("")), LK_E_REFUSED);
    assert_memory_equal(&offer, &zero, sizeof(offer));
    factor_scene_is_asked(scene, "second_factor", "was made: a code of it is needed");
    /* Whoever lost it before it was confirmed gets another. */
    scene->enrol = &again;
    factor_scene_is_asked(scene, "second_factor", "was made: a code of it is needed");
    assert_string_not_equal(again.seed, offer.seed);
    scene->enrol = NULL;
    factor_scene_is_asked(scene, "second_factor", "must be enrolled");
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &offer, 0)),
                     LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &again, 0)), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_TOTP);
    bench_read(scene->bench);
    assert_int_equal(
        lk_credential_find(&scene->bench->txn, scene->alice, LK_CREDENTIAL_TOTP, &credential), 0);
    assert_int_equal(credential.confirmed, 1);
    assert_int_equal(credential.record.created_by, scene->alice.user);
    /* From now on it is like any other: nobody with the password alone can make one. */
    scene->enrol = &offer;
    assert_int_equal(factor_scene_with(scene, factor_scene_code_of(scene, &again, 0)),
                     LK_E_REFUSED);
    factor_scene_is_asked(scene, "code", "is needed");
    assert_memory_equal(&offer, &zero, sizeof(offer));
    factor_scene_close(scene);
}

/* One that an administrator made waits for its first code, and is not replaced. */
static void test_s09_required_and_handed_out(void **state)
{
    struct factor_scene *scene = factor_scene_open();
    struct lk_totp_offer offer, zero;
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_id id;

    (void)state;
    memset(&zero, 0, sizeof(zero));
    factor_scene_policy(scene, "second_factor=required");
    bench_write(scene->bench);
    assert_int_equal(
        lk_totp_add(&scene->bench->txn, scene->alice, LK_TEXT("desk"), NULL, &scene->offer, &id),
        0);
    bench_commit(scene->bench);
    scene->enrol = &offer;
    memset(&offer, 0, sizeof(offer));
    factor_scene_is_asked(scene, "code", "is needed");
    assert_memory_equal(&offer, &zero, sizeof(offer));
    /* Recovery codes made meanwhile are not in the way of its first code. */
    bench_write(scene->bench);
    assert_int_equal(lk_recovery_add(&scene->bench->txn, scene->alice, codes, &id), 0);
    bench_commit(scene->bench);
    factor_scene_is_asked(scene, "code", "is needed");
    assert_int_equal(factor_scene_with(scene, codes[0]), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_RECOVERY);
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(scene->result.factor, LK_FACTOR_TOTP);
    factor_scene_close(scene);
}

/* Without a clock, or an HMAC, none can be made; at the console the password serves. */
static void test_s09_required_where_none_can_be_made(void **state)
{
    struct factor_scene *scene = factor_scene_open();
    struct lk_totp_offer offer;
    struct lk_crypto crypto = scene->bench->fake.crypto;
    struct lk_port port = scene->bench->fake.port;

    (void)state;
    factor_scene_policy(scene, "second_factor=required");
    scene->enrol = &offer;
    lk_fake_wall_set(&scene->bench->fake, scene->bench->fake.clock.wall_ms, LK_CLOCK_HELD);
    factor_scene_is_asked(scene, "second_factor", "must be enrolled once the clock is set");
    scene->channel = LK_CHANNEL_CONSOLE;
    assert_int_equal(factor_scene_with(scene, ""), 0);
    lk_fake_wall_set(&scene->bench->fake, scene->bench->fake.clock.wall_ms, LK_CLOCK_SET);
    crypto.hmac = NULL;
    port.crypto = &crypto;
    scene->bench->store.port = &port;
    factor_scene_is_asked(scene, "second_factor", "must be enrolled by an administrator");
    assert_int_equal(factor_scene_counts(scene).failed_count, 0);
    scene->bench->store.port = lk_fake_port(&scene->bench->fake);
    factor_scene_close(scene);
}

/* A claim code stands in for the password, not for the second factor. */
static void test_s09_claim_code_is_asked_too(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    char claim[LK_CLAIM_SIZE];

    (void)state;
    bench_write(scene->bench);
    assert_int_equal(lk_claim_add(&scene->bench->txn, scene->alice, claim), 0);
    bench_commit(scene->bench);
    scene->fresh = "a newer secret";
    assert_int_equal(factor_scene_log_in(scene, claim, bench_text("")), LK_E_SECOND_FACTOR);
    assert_int_equal(factor_scene_log_in(scene, claim, bench_text("000000")), LK_E_REFUSED);
    assert_int_equal(factor_scene_log_in(scene, claim, bench_text(factor_scene_code(scene, 0))), 0);
    factor_scene_close(scene);
}

/* A damaged authenticator does not read as none. */
static void test_s09_damage_does_not_open(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct bench *bench = scene->bench;
    struct lk_span value;
    struct lk_key key;
    struct lk_user user;
    uint8_t copy[LK_VALUE_MAX];

    (void)state;
    lk_key_record(&key, &lk_kind_credential, scene->totp);
    bench_write(bench);
    assert_int_equal(bench->fault.storage.ops->get(&bench->txn.storage, lk_key_span(&key), &value),
                     0);
    memcpy(copy, value.data, value.size);
    copy[value.size - 1] ^= 1;
    assert_int_equal(bench->fault.storage.ops->put(&bench->txn.storage, lk_key_span(&key),
                                                   (struct lk_span){copy, value.size}),
                     0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, ""), LK_E_CORRUPT);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_CORRUPT);
    /* The user can be looked at, and the authenticator taken away. */
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, scene->alice, &user.record), 0);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_user, scene->alice, &user.record),
                     LK_E_CORRUPT);
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_credential, scene->totp, NULL), 0);
    bench_commit(bench);
    assert_int_equal(factor_scene_with(scene, ""), 0);
    factor_scene_close(scene);
}

/* ---- Told, audited, left behind ---- */

static void entries(struct factor_scene *scene, const char *description, unsigned wanted)
{
    struct lk_audit_query query = {.tenant = scene->bench->tenant, .action = LK_TEXT("login")};
    struct lk_audit_entry entry;
    unsigned count = 0;

    bench_read(scene->bench);
    assert_int_equal(lk_audit_begin(&scene->bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count += lk_span_equal(entry.description, bench_text(description));
    }
    lk_abort(&scene->bench->txn);
    assert_int_equal(count, wanted);
}

static void test_s09_audit_tells_the_factor(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_user user;
    struct lk_id id;

    (void)state;
    bench_write(scene->bench);
    assert_int_equal(lk_recovery_add(&scene->bench->txn, scene->alice, codes, &id), 0);
    bench_commit(scene->bench);
    assert_int_equal(factor_scene_with(scene, ""), LK_E_SECOND_FACTOR);
    assert_int_equal(factor_scene_with(scene, "000000"), LK_E_REFUSED);
    assert_int_equal(factor_scene_log_in(scene, "not the password", bench_text("000000")),
                     LK_E_REFUSED);
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    assert_int_equal(factor_scene_with(scene, codes[0]), 0);
    factor_scene_policy(scene, "second_factor=off");
    assert_int_equal(factor_scene_with(scene, ""), 0);
    entries(scene, "logged in with a time-based code", 1);
    entries(scene, "logged in with a recovery code", 1);
    entries(scene, "logged in", 1);
    entries(scene, "login refused: wrong code", 1);
    entries(scene, "login refused", 1);
    bench_read(scene->bench);
    assert_int_equal(lk_get_computed(&scene->bench->txn, &lk_kind_user, scene->alice, &user.record),
                     0);
    assert_int_equal(user.has_second_factor, 1);
    assert_int_equal(
        lk_get_computed(&scene->bench->txn, &lk_kind_user, scene->bench->admin, &user.record), 0);
    assert_int_equal(user.has_second_factor, 0);
    factor_scene_close(scene);
}

/* What runs on a stack that is looked at afterwards. */

static int spoken_add(void *context)
{
    struct factor_scene *scene = context;
    int error;

    lk_abort(&scene->bench->txn);
    error = lk_begin(&scene->bench->store, &scene->bench->txn, LK_WRITE, NULL);
    if (!error) {
        error = lk_totp_add(&scene->bench->txn, scene->alice, LK_TEXT("phone"), &scene->options,
                            &scene->offer, &scene->totp);
    }
    return error ? error : lk_commit(&scene->bench->txn);
}

/* With nothing after it that could write over what it left. */
static int spoken_match(void *context)
{
    static const struct lk_code wrong = {.text = "000000", .size = 6};
    struct factor_scene *scene = context;
    struct lk_credential credential;
    uint64_t step;
    int error = lk_get(&scene->bench->txn, &lk_kind_credential, scene->totp, &credential.record);

    return error ? error : lk_totp_match(&scene->bench->txn, &credential, &wrong, &step);
}

static int spoken_put_back(void *context)
{
    struct factor_scene *scene = context;

    return lk_totp_put_back(&scene->bench->txn, scene->totp, bench_text(scene->offer.seed));
}

static int spoken_export(void *context)
{
    struct factor_scene *scene = context;

    return lk_totp_export(&scene->bench->txn, scene->totp, scene->offer.seed);
}

struct spoken_login {
    struct factor_scene *scene;
    char code[LK_TOTP_DIGITS_MAX + 1];
};

static int spoken_login(void *context)
{
    struct spoken_login *login = context;

    return factor_scene_with(login->scene, login->code);
}

/* In the work area and in the image. */
static size_t stored(const struct bench *bench, const void *secret, size_t size)
{
    return bench_occurs(bench->work, LK_WORK_SIZE, secret, size) +
           bench_occurs(bench->memory, bench->memory_size, secret, size);
}

/* S8, S3: a seed is in the answer once, and nowhere else in memory or in the image. */
static void test_s08_seed_stays_nowhere(void **state)
{
    static int (*const runs[])(void *context) = {spoken_match, spoken_put_back, spoken_export};
    struct dead_stack *stack = malloc(sizeof(*stack));
    struct factor_scene *scene = factor_scene_open();
    struct bench *bench = scene->bench;
    struct spoken_login login = {.scene = scene};
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    uint8_t seed[LK_TOTP_SEED_MAX];
    struct lk_id id;
    size_t seed_size;
    unsigned round, i;

    (void)state;
    assert_non_null(stack);
    dead_stack_control(stack);
    assert_int_equal(dead_stack_run(stack, spoken_add, scene), 0);
    assert_int_equal(
        lk_base32_decode(bench_text(scene->offer.seed), seed, sizeof(seed), &seed_size), 0);
    for (round = 0; round < 3; round++) {
        assert_int_equal(dead_stack_count(stack, seed, seed_size), 0);
        assert_int_equal(dead_stack_count(stack, scene->offer.seed, 32), 0);
        assert_int_equal(stored(bench, seed, seed_size), 0);
        assert_int_equal(stored(bench, scene->offer.seed, 32), 0);
        assert_int_equal(bench_occurs(bench, sizeof(*bench), seed, seed_size), 0);
        if (round == 0) {
            bench_write(bench);
            assert_int_equal(lk_totp_confirm(&bench->txn, scene->alice,
                                             bench_text(factor_scene_code(scene, 0)), &id),
                             0);
            bench_commit(bench);
            lk_fake_advance(&bench->fake, 2 * LK_TOTP_PERIOD_MS);
            memcpy(login.code, "000000", 7);
            assert_int_equal(dead_stack_run(stack, spoken_login, &login), LK_E_REFUSED);
        } else if (round == 1) {
            memcpy(login.code, factor_scene_code(scene, 0), 7);
            assert_int_equal(dead_stack_run(stack, spoken_login, &login), 0);
        }
    }
    for (i = 0; i < LK_COUNT(runs); i++) {
        bench_write(bench);
        assert_int_equal(dead_stack_run(stack, runs[i], scene), 0);
        assert_int_equal(dead_stack_count(stack, seed, seed_size), 0);
        lk_abort(&bench->txn);
    }
    /* Nor are recovery codes in the image, with their dash or without. */
    bench_write(bench);
    assert_int_equal(lk_recovery_add(&bench->txn, scene->alice, codes, &id), 0);
    bench_commit(bench);
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        char bare[LK_RECOVERY_DIGITS];

        memcpy(bare, codes[i], 5);
        memcpy(bare + 5, codes[i] + 6, 5);
        assert_int_equal(stored(bench, codes[i], 11), 0);
        assert_int_equal(stored(bench, bare, sizeof(bare)), 0);
    }
    factor_scene_close(scene);
    free(stack);
}

/* What was purged with its user is gone, and other tenants' codes are nothing here. */
static void test_s12_codes_are_of_their_tenant(void **state)
{
    struct factor_scene *scene = factor_scene_enrolled();
    struct bench *bench = scene->bench;
    uint32_t first = bench->tenant;
    struct lk_tenant tenant;
    struct lk_credential none;

    (void)state;
    memset(&tenant, 0, sizeof(tenant));
    lk_set_text(&lk_kind_tenant, &tenant.record, "name", "second");
    bench_write(bench);
    assert_int_equal(lk_tenant_add(&bench->txn, &tenant), 0);
    bench_commit(bench);
    bench->tenant = tenant.record.id.tenant;
    (void)bench_user(bench, "alice", ALICE_PASSWORD);
    factor_scene_policy(scene, "second_factor=required");
    /* She has none here, whatever she has there. */
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), LK_E_SECOND_FACTOR);
    assert_string_equal(scene->problem.field, "second_factor");
    bench->tenant = first;
    assert_int_equal(factor_scene_with(scene, factor_scene_code(scene, 0)), 0);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, scene->alice), 0);
    bench_commit(bench);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, scene->totp, &none.record),
                     LK_E_NOT_FOUND);
    factor_scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s10_codes_need_a_clock_and_the_console_does_not),
        cmocka_unit_test(test_s09_clock_set_back_revives_no_code),
        cmocka_unit_test(test_s09_clock_ahead_and_set_right_shuts_nobody_out),
        cmocka_unit_test(test_s09_policy_off_asks_nobody),
        cmocka_unit_test(test_s09_policy_of_roles),
        cmocka_unit_test(test_s09_role_demands_until_its_grant_has_surely_ended),
        cmocka_unit_test(test_s09_required_is_enrolled_at_login),
        cmocka_unit_test(test_s09_required_and_handed_out),
        cmocka_unit_test(test_s09_required_where_none_can_be_made),
        cmocka_unit_test(test_s09_claim_code_is_asked_too),
        cmocka_unit_test(test_s09_damage_does_not_open),
        cmocka_unit_test(test_s09_audit_tells_the_factor),
        cmocka_unit_test(test_s08_seed_stays_nowhere),
        cmocka_unit_test(test_s12_codes_are_of_their_tenant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
