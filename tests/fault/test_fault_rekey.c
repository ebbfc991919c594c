// SPDX-License-Identifier: MIT
/*
 * Other secrets and another store key, with every storage call and every port call failed in turn:
 * as a cut at each of them. At any moment the store opens, all that was good is good, and the
 * change goes on to its end.
 */
#include "fault_town.h"

#include "lk_engine.h"

static const uint8_t other_secret[LK_DEVICE_SECRET_SIZE] = "another device's own secret.....";

/* Opened anew, as after a cut: whole, and everybody gets in. */
static bool opens_and_works(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_login_result result;
    int error;

    bench_reopen(bench);
    bench_verify(bench);
    error = bench_login(bench, "alice", FAULT_PASSWORD, &result);
    error = error ? error : bench_login(bench, "bob", FAULT_PASSWORD, &result);
    return !error && !bench_check(bench, town->token, NULL) &&
           !bench_check(bench, result.token, NULL);
}

/* ---- A new store key ---- */

static int run_full(struct fault_town *town)
{
    struct bench *bench = town->bench;
    bool more = true;
    int error = lk_begin(&bench->store, &bench->txn, LK_WRITE, NULL);

    if (!error) {
        error = lk_rekey_begin(&bench->txn);
    }
    if (!error) {
        error = lk_commit(&bench->txn);
    }
    lk_abort(&bench->txn);
    /* One that was cut short goes on. */
    error = error == LK_E_BUSY && bench->store.old_keys == LK_OLD_KEYS_IN_USE ? 0 : error;
    while (!error && more) {
        error = lk_begin(&bench->store, &bench->txn, LK_WRITE, NULL);
        if (!error) {
            error = lk_rekey_step(&bench->txn, 40, &more);
            error = error > 0 ? 0 : error;
        }
        if (!error) {
            error = lk_commit(&bench->txn);
        }
        lk_abort(&bench->txn);
    }
    return error;
}

static bool middle_full(struct fault_town *town, int error)
{
    (void)error;
    return opens_and_works(town);
}

static void test_fault_rekey_full(void **state)
{
    static const struct fault_case full = {"rekey --full", run_full, 0, middle_full};
    struct fault_town *town = fault_town_open();
    struct lk_boot boot;

    (void)state;
    fault_town_try(town, &full);
    print_message("[  figure  ] a rekey cut at each of %llu calls: all go on to the end\n",
                  (unsigned long long)town->points);
    assert_true(town->points * bench_step() > 1000);
    bench_read(town->bench);
    assert_int_equal(lk_boot_get(&town->bench->txn, &boot), 0);
    assert_false(boot.has_old);
    fault_town_close(town);
}

/* ---- Another device secret, in the place of the one there is ---- */

static int run_secret(struct fault_town *town)
{
    struct bench *bench = town->bench;
    int error = lk_begin(&bench->store, &bench->txn, LK_WRITE, NULL);

    if (!error) {
        error = lk_rewrap_both(&bench->txn, other_secret);
    }
    if (!error) {
        error = lk_commit(&bench->txn);
    }
    lk_abort(&bench->txn);
    if (error) {
        return error;
    }
    /* The port's secret is exchanged here. */
    memcpy(bench->fake.secret.bytes, other_secret, sizeof(other_secret));
    error = lk_begin(&bench->store, &bench->txn, LK_WRITE, NULL);
    if (!error) {
        error = lk_rewrap_settle(&bench->txn);
    }
    if (!error) {
        error = lk_commit(&bench->txn);
    }
    lk_abort(&bench->txn);
    return error;
}

static bool middle_secret(struct fault_town *town, int error)
{
    (void)error;
    return opens_and_works(town);
}

static void test_fault_rekey_secret(void **state)
{
    static const struct fault_case secret = {"rekey", run_secret, 0, middle_secret};
    struct fault_town *town = fault_town_open();
    uint8_t before[LK_DEVICE_SECRET_SIZE];

    (void)state;
    memcpy(before, town->saved_fake.secret.bytes, sizeof(before));
    fault_town_try(town, &secret);
    assert_true(town->points * bench_step() > 50);
    /* When it is over, the new one opens the store and the old one does not. */
    assert_int_equal(run_secret(town), 0);
    lk_txn_release(&town->bench->txn);
    lk_close(&town->bench->store);
    memcpy(town->bench->fake.secret.bytes, before, sizeof(before));
    assert_int_equal(lk_open(&town->bench->store, &town->bench->config), LK_E_SECRET);
    memcpy(town->bench->fake.secret.bytes, other_secret, sizeof(other_secret));
    assert_int_equal(lk_open(&town->bench->store, &town->bench->config), 0);
    fault_town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_rekey_full),
        cmocka_unit_test(test_fault_rekey_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
