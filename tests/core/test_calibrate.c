// SPDX-License-Identifier: MIT
/* Parameters for this machine, on machines of the test's own making: the hash moves the clock. */
#include "bench.h"

#include "lk_engine.h"

static struct lk_fake *machine;
static struct lk_crypto machine_crypto;
static int (*machine_step)(void *self, struct lk_pwhash_job *job);
static uint32_t machine_speed; /* KiB a millisecond */
static uint32_t machine_most;  /* KiB; more is LK_E_CRYPTO */

static int machine_hash(void *self, struct lk_pwhash_job *job)
{
    int error = job->params.memory_kib > machine_most ? LK_E_CRYPTO : machine_step(self, job);

    lk_fake_advance(machine, (uint64_t)job->params.memory_kib * job->params.passes / machine_speed);
    return error;
}

static struct bench *machine_open(uint32_t speed, uint32_t most)
{
    struct bench *bench = bench_open();

    machine = &bench->fake;
    machine_crypto = *bench->fake.port.crypto;
    machine_step = machine_crypto.pwhash_step;
    machine_crypto.pwhash_step = machine_hash;
    machine_speed = speed;
    machine_most = most;
    bench->fake.port.crypto = &machine_crypto;
    return bench;
}

static void test_calibrate_proposes_what_fits_the_time(void **state)
{
    static const struct {
        uint32_t speed, most, target, memory;
        struct lk_pwhash_params want;
    } table[] = {
        /* The default takes longer than asked for: it is proposed all the same. */
        {100, UINT32_MAX, 100, 0, {LK_PWHASH_KIB, LK_PWHASH_PASSES, 1}},
        {389, UINT32_MAX, 100, 0, {LK_PWHASH_KIB, LK_PWHASH_PASSES, 1}},
        /* Some passes more, but no room for twice the memory. */
        {600, UINT32_MAX, 100, 0, {LK_PWHASH_KIB, 3, 1}},
        /* Memory first; the port gives 16 passes at most. */
        {800, UINT32_MAX, 100, 0, {2 * LK_PWHASH_KIB, 2, 1}},
        {1200, UINT32_MAX, 100, 0, {2 * LK_PWHASH_KIB, 3, 1}},
        {10000, UINT32_MAX, 100, 0, {2 * LK_PWHASH_KIB, 16, 1}},
        {10000, UINT32_MAX, 100, 262144, {8 * LK_PWHASH_KIB, 6, 1}},
        /* As much as the machine has. */
        {10000, LK_PWHASH_KIB, 100, 262144, {LK_PWHASH_KIB, 16, 1}},
        {4000000, UINT32_MAX, 60000, 0, {2 * LK_PWHASH_KIB, 16, 1}},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(table); i++) {
        struct bench *bench = machine_open(table[i].speed, table[i].most);
        struct lk_calibration calibration = {.target_ms = table[i].target,
                                             .memory_kib = table[i].memory};

        assert_int_equal(lk_calibrate(&bench->store, &calibration), 0);
        if (calibration.params.memory_kib != table[i].want.memory_kib ||
            calibration.params.passes != table[i].want.passes || calibration.params.lanes != 1) {
            fail_msg("row %zu: %u KiB, %u passes; want %u, %u", i, calibration.params.memory_kib,
                     calibration.params.passes, table[i].want.memory_kib, table[i].want.passes);
        }
        assert_true(calibration.ms <= table[i].target || calibration.ms == calibration.floor_ms);
        bench_close(bench);
    }
}

static void test_calibrate_keeps_to_the_callers_memory(void **state)
{
    struct bench *bench = machine_open(100000, UINT32_MAX);
    struct lk_calibration calibration = {
        .target_ms = 100, .hash_work = &machine_speed, .hash_work_size = 30000u * 1024};

    (void)state;
    assert_int_equal(lk_calibrate(&bench->store, &calibration), 0);
    assert_int_equal(calibration.params.memory_kib, LK_PWHASH_KIB);
    assert_true(calibration.params.passes == 16);
    bench_close(bench);
}

/* Any failure of the platform is an answer, and nothing is changed by measuring. */
static void test_calibrate_survives_failures(void **state)
{
    struct bench *bench = machine_open(800, UINT32_MAX);
    uint64_t print = bench_print(bench), n;

    (void)state;
    for (n = 1;; n++) {
        struct lk_calibration calibration = {.target_ms = 100};
        int error;

        lk_fake_fail_at(&bench->fake, n);
        error = lk_calibrate(&bench->store, &calibration);
        if (!lk_fake_failed(&bench->fake)) {
            assert_int_equal(error, 0);
            break;
        }
        assert_true(error == LK_E_IO || error == LK_E_CRYPTO || error == 0);
        lk_fake_fail_at(&bench->fake, LK_FAKE_FAIL_NEVER);
    }
    assert_true(n > 9);
    assert_true(bench_print(bench) == print);
    bench_close(bench);
}

static void test_calibrate_kept_parameters_are_everybodys(void **state)
{
    static const struct lk_pwhash_params wrong[] = {{LK_PWHASH_KIB - 1, 3, 1},
                                                    {LK_PWHASH_KIB, LK_PWHASH_PASSES - 1, 1},
                                                    {LK_PWHASH_KIB, 65, 1},
                                                    {LK_PWHASH_KIB, 3, 2}};
    const struct lk_pwhash_params kept = {2 * LK_PWHASH_KIB, 3, 1};
    struct bench *bench = bench_open();
    struct lk_audit_query query = {.action = LK_TEXT("store.calibrate")};
    struct lk_audit_entry entry;
    struct lk_login_result result;
    size_t i;

    (void)state;
    bench_read(bench);
    assert_int_equal(lk_pwhash_keep(&bench->txn, &kept), LK_E_STATE);
    for (i = 0; i < LK_COUNT(wrong); i++) {
        bench_write(bench);
        assert_int_equal(lk_pwhash_keep(&bench->txn, &wrong[i]), LK_E_CHECK);
    }
    bench_write(bench);
    assert_int_equal(lk_pwhash_keep(&bench->txn, &kept), 0);
    bench_commit(bench);
    /* A later commit of time, by whoever, does not lose them. */
    lk_fake_advance(&bench->fake, 120000);
    bench_write(bench);
    bench_commit(bench);
    bench_reopen(bench);
    assert_int_equal(bench->store.pwhash.memory_kib, kept.memory_kib);
    assert_int_equal(bench->store.pwhash.passes, kept.passes);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    assert_true(result.rehashed);
    /* Who says otherwise when opening is heeded. */
    bench->config.pwhash = (struct lk_pwhash_params){8, 1, 1};
    bench_reopen(bench);
    assert_int_equal(bench->store.pwhash.memory_kib, 8);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_true(
        lk_span_equal(entry.description, LK_TEXT("passwords are hashed with m=38912 KiB, t=3")));
    assert_int_equal(lk_audit_next(&query, &entry), LK_E_NOT_FOUND);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibrate_proposes_what_fits_the_time),
        cmocka_unit_test(test_calibrate_keeps_to_the_callers_memory),
        cmocka_unit_test(test_calibrate_survives_failures),
        cmocka_unit_test(test_calibrate_kept_parameters_are_everybodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
