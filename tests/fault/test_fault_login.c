// SPDX-License-Identifier: MIT
/*
 * Logins with every storage call and every port call failed in turn. A login is two commits: the
 * charge stands when the first was made, and nothing but a success takes it back.
 */
#include "fault_town.h"

#include "lk_engine.h"

static struct fault_facts facts_before; /* of the user in question, in the saved state */

static int log_in(struct fault_town *town, const char *name, const char *password,
                  const char *fresh)
{
    struct lk_login_result result;
    struct lk_problem problem;

    return bench_login_new(town->bench, name, password, fresh, &result, &problem);
}

/*
 * An error other than the answer: no session, no login counted, no failure forgotten, and at most
 * one charge, however often a conflict had it tried. The answer: as it should be.
 */
static bool login_is_whole(struct fault_town *town, struct lk_id user, int error, int want)
{
    struct fault_facts facts = fault_town_facts(town, user);

    if (error == want && want == 0) {
        return facts.failed == 0 && facts.logins == facts_before.logins + 1 && facts.sessions > 0;
    }
    if (facts.logins != facts_before.logins || facts.sessions != facts_before.sessions ||
        facts.failed < facts_before.failed || facts.failed > facts_before.failed + 1) {
        return false;
    }
    return error == want
               ? facts.failed > facts_before.failed && facts.refused == facts_before.refused + 1
               : facts.refused == facts_before.refused;
}

static bool middle_alice(struct fault_town *town, int error)
{
    return login_is_whole(town, town->alice, error, 0);
}

static bool middle_alice_wrong(struct fault_town *town, int error)
{
    return login_is_whole(town, town->alice, error, LK_E_REFUSED);
}

static bool middle_bob(struct fault_town *town, int error)
{
    return login_is_whole(town, town->bob, error, 0);
}

static bool middle_carol(struct fault_town *town, int error)
{
    return login_is_whole(town, town->carol, error, 0);
}

/* The charge of an unknown name is in a bucket; who has none can't be looked up by id. */
static bool middle_nobody(struct fault_town *town, int error)
{
    struct fault_facts facts = fault_town_facts(town, town->alice);

    return facts.failed == facts_before.failed && facts.sessions == facts_before.sessions &&
           facts.refused == facts_before.refused + (error == LK_E_REFUSED);
}

static int run_good(struct fault_town *town)
{
    return log_in(town, "alice", FAULT_PASSWORD, "");
}

static int run_wrong(struct fault_town *town)
{
    return log_in(town, "alice", "wrong password", "");
}

static int run_unknown(struct fault_town *town)
{
    return log_in(town, "zoe", FAULT_PASSWORD, "");
}

static int run_rehash(struct fault_town *town)
{
    return log_in(town, "bob", FAULT_PASSWORD, "");
}

static int run_claim(struct fault_town *town)
{
    return log_in(town, "carol", town->claim, "a fresh secret");
}

static int run_claim_wrong(struct fault_town *town)
{
    return log_in(town, "carol", "AAAA-BBBB-CCCC-DDDD", "a fresh secret");
}

/* Alice must change her password, and the tenant keeps those that she had. */
static void ask_for_change(struct fault_town *town)
{
    struct bench *bench = town->bench;

    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "password_history=3", NULL),
                     0);
    assert_int_equal(
        bench_set(bench, &lk_kind_user, town->alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
}

static int run_change(struct fault_town *town)
{
    return log_in(town, "alice", FAULT_PASSWORD, "a fresh secret");
}

static int run_reuse(struct fault_town *town)
{
    return log_in(town, "carol", town->claim, "carol's first");
}

static bool middle_reuse(struct fault_town *town, int error)
{
    struct fault_facts facts = fault_town_facts(town, town->carol);

    (void)error;
    return facts.sessions == facts_before.sessions && facts.logins == facts_before.logins &&
           facts.failed <= facts_before.failed + 1;
}

static bool middle_carol_wrong(struct fault_town *town, int error)
{
    return login_is_whole(town, town->carol, error, LK_E_REFUSED);
}

static void try_one(struct fault_town *town, const struct fault_case *one, struct lk_id user)
{
    fault_town_reset(town);
    facts_before = fault_town_facts(town, user);
    fault_town_try(town, one);
}

static void test_fault_logins(void **state)
{
    static const struct fault_case good = {"good login", run_good, 0, middle_alice},
                                   wrong = {"wrong password", run_wrong, LK_E_REFUSED,
                                            middle_alice_wrong},
                                   unknown = {"unknown name", run_unknown, LK_E_REFUSED,
                                              middle_nobody};
    struct fault_town *town = fault_town_open();

    (void)state;
    try_one(town, &good, town->alice);
    try_one(town, &wrong, town->alice);
    try_one(town, &unknown, town->alice);
    fault_town_close(town);
}

static void test_fault_logins_that_change_the_password(void **state)
{
    static const struct fault_case rehash = {"rehash", run_rehash, 0, middle_bob},
                                   claim = {"claim code", run_claim, 0, middle_carol},
                                   wrong = {"wrong claim code", run_claim_wrong, LK_E_REFUSED,
                                            middle_carol_wrong};
    struct fault_town *town = fault_town_open();

    (void)state;
    try_one(town, &rehash, town->bob);
    try_one(town, &claim, town->carol);
    try_one(town, &wrong, town->carol);
    fault_town_close(town);
}

/* Whatever fails while earlier passwords are compared: none is let pass for want of looking. */
static void test_fault_logins_that_compare_earlier_passwords(void **state)
{
    static const struct fault_case change = {"change with history", run_change, 0, middle_alice},
                                   reuse = {"an earlier password", run_reuse, LK_E_MUST_CHANGE,
                                            middle_reuse};
    struct fault_town *town = fault_town_open();
    struct lk_password password;

    (void)state;
    ask_for_change(town);
    lk_abort(&town->bench->txn);
    assert_int_equal(lk_password_prepare_for(&town->bench->store, town->carol,
                                             LK_TEXT("carol's first"), NULL, 0, &password, NULL),
                     0);
    bench_write(town->bench);
    assert_int_equal(lk_password_set(&town->bench->txn, town->carol, &password, 0), 0);
    assert_int_equal(lk_claim_add(&town->bench->txn, town->carol, town->claim), 0);
    bench_commit(town->bench);
    fault_town_save(town);
    try_one(town, &change, town->alice);
    try_one(town, &reuse, town->carol);
    fault_town_close(town);
}

/* ---- Reading ---- */

/* With anything failing, a check answers what is true or an error, never the contrary. */
static void test_fault_checks_never_answer_wrongly(void **state)
{
    static const int errors[] = {LK_E_IO, LK_E_FULL, LK_E_BUSY, LK_E_CORRUPT};
    struct fault_town *town = fault_town_open();
    struct bench *bench = town->bench;
    unsigned e, way, question;
    uint64_t n, points = 0;

    (void)state;
    for (question = 0; question < 3; question++) {
        const struct lk_question open = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
        const struct lk_question close = {.resource = LK_TEXT("door"), .action = LK_TEXT("close")};
        static const char *const wanted[] = {NULL, "door:open", "door:close"};
        const struct lk_question *const asked[] = {NULL, &open, &close};
        int want = question == 2 ? LK_E_REFUSED : 0;

        for (way = 0; way < 4; way++) { /* storage or port, once or for ever */
            for (e = 0; e < LK_COUNT(errors); e++) {
                bool hit = true;

                for (n = 1; hit; n += bench_step()) {
                    struct lk_verdict verdict;
                    int error;

                    fault_town_reset(town);
                    if (way < 2) {
                        lk_fault_at(&bench->fault, n, way == 1, errors[e]);
                    } else if (way == 2) {
                        lk_fake_fail_at(&bench->fake, n);
                    } else {
                        lk_fake_fail_from(&bench->fake, n);
                    }
                    error = lk_begin(&bench->store, &bench->txn, LK_READ, NULL);
                    if (!error) {
                        error =
                            lk_session_check(&bench->txn, bench->tenant, bench_text(town->token),
                                             asked[question], &verdict);
                    }
                    lk_abort(&bench->txn);
                    hit = lk_fault_hit(&bench->fault) || lk_fake_failed(&bench->fake);
                    points += hit;
                    assert_true(hit || error == want);
                    assert_true(error == want || (error < 0 && error != LK_E_REFUSED));
                    assert_int_equal(bench->ram.reader_count, 0);
                    lk_fault_at(&bench->fault, 0, false, 0);
                    lk_fake_fail_at(&bench->fake, LK_FAKE_FAIL_NEVER);
                    /* What a failed check left in the handle's caches is of no harm. */
                    assert_int_equal(bench_check(bench, town->token, wanted[question]), want);
                }
            }
        }
    }
    print_message("%llu checks with a failure\n", (unsigned long long)points);
    fault_town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_logins),
        cmocka_unit_test(test_fault_logins_that_change_the_password),
        cmocka_unit_test(test_fault_logins_that_compare_earlier_passwords),
        cmocka_unit_test(test_fault_checks_never_answer_wrongly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
