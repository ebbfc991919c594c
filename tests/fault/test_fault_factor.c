// SPDX-License-Identifier: MIT
/*
 * Second factors with every storage call and every port call failed in turn: made, confirmed, used
 * and asked for. A code that was not taken can still be used, and one that was cannot.
 */
#include "fault_town.h"

#include "lk_factor.h"

static struct {
    char code[LK_TOTP_DIGITS_MAX + 1], first[LK_TOTP_DIGITS_MAX + 1];
    char recovery[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct fault_facts before;
} facts;

static int log_in(struct fault_town *town, const char *name, const char *code,
                  struct lk_totp_offer *enrol)
{
    struct lk_login_request request = {.tenant = town->bench->tenant,
                                       .name = bench_text(name),
                                       .password = LK_TEXT(FAULT_PASSWORD),
                                       .code = bench_text(code),
                                       .enrol = enrol,
                                       .channel = LK_CHANNEL_HTTP};
    struct lk_login_result result;
    struct lk_problem problem;
    int error;

    lk_abort(&town->bench->txn);
    error = lk_login(&town->bench->store, &request, &result, &problem);
    /* Nothing is told of a login that did not come about. */
    if (error) {
        assert_true(!result.token[0] && !result.session.sub);
    }
    return error;
}

/* What the next code of a seed is, told without a call that could be failed later. */
static void code_of(struct fault_town *town, const struct lk_totp_offer *offer,
                    char code[LK_TOTP_DIGITS_MAX + 1])
{
    uint8_t seed[LK_TOTP_SEED_MAX];
    size_t size;

    assert_int_equal(lk_base32_decode(bench_text(offer->seed), seed, sizeof(seed), &size), 0);
    assert_int_equal(lk_totp_code(&town->bench->store, LK_HMAC_SHA1, (struct lk_span){seed, size},
                                  town->bench->fake.clock.wall_ms / LK_TOTP_PERIOD_MS, 6, code),
                     0);
}

/* The town with a confirmed authenticator and recovery codes of alice, an unconfirmed one of bob,
 * and a role of bob's that demands one. */
static struct fault_town *town_open(void)
{
    struct fault_town *town = fault_town_open();
    struct bench *bench = town->bench;
    struct lk_totp_offer offer;
    struct lk_id id;

    lk_fake_advance(&bench->fake, 60000);
    bench_write(bench);
    assert_int_equal(lk_totp_add(&bench->txn, town->alice, LK_TEXT("phone"), NULL, &offer, &id), 0);
    code_of(town, &offer, facts.code);
    assert_int_equal(lk_totp_confirm(&bench->txn, town->alice, bench_text(facts.code), &id), 0);
    assert_int_equal(lk_recovery_add(&bench->txn, town->alice, facts.recovery, &id), 0);
    bench_commit(bench);
    lk_fake_advance(&bench->fake, 60000);
    code_of(town, &offer, facts.code);
    bench_write(bench);
    assert_int_equal(lk_totp_add(&bench->txn, town->bob, LK_TEXT("phone"), NULL, &offer, &id), 0);
    assert_int_equal(bench_set(bench, &lk_kind_role, town->base, "second_factor=required", NULL),
                     0);
    assert_int_equal(lk_role_grant(&bench->txn, town->bob, town->child, 0), 0);
    bench_commit(bench);
    code_of(town, &offer, facts.first);
    bench_verify(bench);
    town->before = bench_print(bench);
    memcpy(town->saved_memory, bench->memory, bench->memory_size);
    town->saved_fake = bench->fake;
    return town;
}

/*
 * Of a login that did not come about: no session, no login counted, at most one charge, however
 * often it was tried; of one that did, as it should be.
 */
static bool whole(struct fault_town *town, struct lk_id user, int error, int want)
{
    struct fault_facts now = fault_town_facts(town, user);

    if (error == want && want == 0) {
        return now.failed == 0 && now.logins == facts.before.logins + 1;
    }
    if (now.logins != facts.before.logins || now.sessions != facts.before.sessions ||
        now.failed < facts.before.failed || now.failed > facts.before.failed + 1) {
        return false;
    }
    return now.refused == facts.before.refused + (error == want && want == LK_E_REFUSED);
}

static bool middle_in(struct fault_town *town, int error)
{
    return whole(town, town->alice, error, 0);
}

static bool middle_wrong(struct fault_town *town, int error)
{
    return whole(town, town->alice, error, LK_E_REFUSED);
}

static bool middle_asked(struct fault_town *town, int error)
{
    return whole(town, town->alice, error, LK_E_SECOND_FACTOR);
}

static bool middle_first(struct fault_town *town, int error)
{
    return whole(town, town->bob, error, 0);
}

static bool middle_made(struct fault_town *town, int error)
{
    return whole(town, town->bench->admin, error, LK_E_SECOND_FACTOR);
}

static int run_code(struct fault_town *town)
{
    return log_in(town, "alice", facts.code, NULL);
}

static int run_recovery(struct fault_town *town)
{
    return log_in(town, "alice", facts.recovery[7], NULL);
}

static int run_wrong(struct fault_town *town)
{
    return log_in(town, "alice", "000000", NULL);
}

static int run_asked(struct fault_town *town)
{
    return log_in(town, "alice", "", NULL);
}

static int run_first(struct fault_town *town)
{
    return log_in(town, "bob", facts.first, NULL);
}

static void try_one(struct fault_town *town, const struct fault_case *one, struct lk_id user)
{
    fault_town_reset(town);
    facts.before = fault_town_facts(town, user);
    fault_town_try(town, one);
}

static void test_fault_logins_with_a_code(void **state)
{
    static const struct fault_case cases[] = {
        {"a code", run_code, 0, middle_in},
        {"a recovery code", run_recovery, 0, middle_in},
        {"a wrong code", run_wrong, LK_E_REFUSED, middle_wrong},
        {"no code", run_asked, LK_E_SECOND_FACTOR, middle_asked},
    };
    struct fault_town *town = town_open();
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        try_one(town, &cases[i], town->alice);
    }
    fault_town_close(town);
}

static void test_fault_first_code_confirms(void **state)
{
    static const struct fault_case one = {"a first code", run_first, 0, middle_first};
    struct fault_town *town = town_open();

    (void)state;
    try_one(town, &one, town->bob);
    fault_town_close(town);
}

/* ---- Made at a login ---- */

/* With an error nothing is told of a seed that is not there. */
static int run_made(struct fault_town *town)
{
    struct lk_login_request request = {.tenant = town->bench->tenant,
                                       .name = LK_TEXT("admin"),
                                       .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_totp_offer offer, none;
    struct lk_login_result result;
    int error;

    memset(&none, 0, sizeof(none));
    memset(&offer, 0, sizeof(offer));
    request.enrol = &offer;
    lk_abort(&town->bench->txn);
    error = lk_login(&town->bench->store, &request, &result, NULL);
    if (error != LK_E_SECOND_FACTOR) {
        assert_memory_equal(&offer, &none, sizeof(offer));
    } else {
        assert_memory_equal(offer.uri, "otpauth://totp/", 15);
    }
    return error;
}

static void test_fault_one_made_at_a_login(void **state)
{
    static const struct fault_case one = {"made at a login", run_made, LK_E_SECOND_FACTOR,
                                          middle_made};
    struct fault_town *town = town_open();
    struct bench *bench = town->bench;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "second_factor=required", NULL),
                     0);
    bench_commit(bench);
    town->before = bench_print(bench);
    memcpy(town->saved_memory, bench->memory, bench->memory_size);
    town->saved_fake = bench->fake;
    try_one(town, &one, bench->admin);
    fault_town_close(town);
}

/* ---- Made and confirmed by hand ---- */

static int change(struct fault_town *town, int (*make)(struct fault_town *town))
{
    int error = lk_begin(&town->bench->store, &town->bench->txn, LK_WRITE, NULL);

    if (!error) {
        error = make(town);
    }
    if (!error) {
        error = lk_commit(&town->bench->txn);
    }
    lk_abort(&town->bench->txn);
    return error;
}

static int make_totp(struct fault_town *town)
{
    struct lk_totp_offer offer;
    struct lk_id id;

    return lk_totp_add(&town->bench->txn, town->carol, LK_TEXT("x"), NULL, &offer, &id);
}

/* In the place of the one that bob has. */
static int make_again(struct fault_town *town)
{
    struct lk_totp_offer offer;
    struct lk_id id;

    return lk_totp_add(&town->bench->txn, town->bob, LK_TEXT("phone"), NULL, &offer, &id);
}

static int make_confirm(struct fault_town *town)
{
    struct lk_id id;

    return lk_totp_confirm(&town->bench->txn, town->bob, bench_text(facts.first), &id);
}

static int make_recovery(struct fault_town *town)
{
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_id id;

    return lk_recovery_add(&town->bench->txn, town->alice, codes, &id);
}

static int make_moved(struct fault_town *town)
{
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], text[LK_KEYED_TEXT];
    struct lk_txn *txn = &town->bench->txn;
    struct lk_id id;
    int error = lk_recovery_add(txn, town->alice, codes, &id);

    if (!error) {
        error = lk_keyed_export(txn, id, text);
    }
    if (!error) {
        error = lk_keyed_put_back(txn, id, bench_text(text));
    }
    /* And out again, with the key that was put back. */
    return error ? error : lk_keyed_export(txn, id, text);
}

static int run_totp(struct fault_town *town)
{
    return change(town, make_totp);
}

static int run_again(struct fault_town *town)
{
    return change(town, make_again);
}

static int run_confirm(struct fault_town *town)
{
    return change(town, make_confirm);
}

static int run_recovery_set(struct fault_town *town)
{
    return change(town, make_recovery);
}

static int run_moved(struct fault_town *town)
{
    return change(town, make_moved);
}

static void test_fault_made_by_hand(void **state)
{
    static const struct fault_case cases[] = {
        {"an authenticator", run_totp, 0, NULL},
        {"another in its place", run_again, 0, NULL},
        {"confirmed", run_confirm, 0, NULL},
        {"a new set of codes", run_recovery_set, 0, NULL},
        {"codes of another store", run_moved, 0, NULL},
    };
    struct fault_town *town = town_open();
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(cases); i++) {
        try_one(town, &cases[i], town->alice);
    }
    fault_town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_logins_with_a_code),
        cmocka_unit_test(test_fault_first_code_confirms),
        cmocka_unit_test(test_fault_one_made_at_a_login),
        cmocka_unit_test(test_fault_made_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
