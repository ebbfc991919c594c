// SPDX-License-Identifier: MIT
/* test_port_small.c: the Argon2id for little memory gives what libsodium's gives, and keeps to the
 * memory it was lent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lk_sodium.h"
/* No board that runs here is composed of it. NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../port/small/lk_small.c"

#define GUARD 64

static int small_run(struct lk_pwhash_job *job, uint32_t kib, size_t work_size)
{
    size_t i, room = LK_SMALL_WORK_SIZE(kib > 4096 ? 8 : kib) + 2 * GUARD;
    uint8_t *work = malloc(room);
    int error;

    assert_non_null(work);
    memset(work, 0xA5, room);
    job->work = work + GUARD;
    job->work_size = work_size;
    error = lk_small_crypto.pwhash_step(NULL, job);
    for (i = 0; i < GUARD; i++) {
        assert_int_equal(work[i], 0xA5);
        assert_int_equal(work[room - 1 - i], 0xA5);
    }
    if (!error) {
        for (i = 0; i < (size_t)kib / 4 * 4 * 1024 + 1024; i++) {
            assert_int_equal(work[GUARD + i], 0);
        }
    }
    free(work);
    job->work = NULL;
    return error;
}

static void test_small_gives_what_libsodium_gives(void **state)
{
    /* Segments of 2 blocks, of odd ones, of more than 128, 256: numbers come 128 at a time. */
    static const struct {
        uint32_t kib, passes;
        size_t size;
    } rows[] = {{8, 1, 0},    {8, 2, 1},    {8, 3, 16},   {9, 3, 15},   {11, 1, 128},
                {12, 4, 8},   {13, 3, 63},  {64, 3, 64},  {100, 2, 65}, {511, 1, 12},
                {516, 1, 12}, {1024, 2, 9}, {2052, 1, 12}};
    uint8_t password[128];
    size_t i, k;

    (void)state;
    assert_int_equal(lk_sodium_init(), 0);
    for (i = 0; i < sizeof(password); i++) {
        password[i] = (uint8_t)(i * 37 + 11);
    }
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lk_pwhash_job job = {.params = {rows[i].kib, rows[i].passes, 1},
                                    .password = rows[i].size ? password : NULL,
                                    .password_size = rows[i].size};
        uint8_t expected[LK_PWHASH_SIZE];

        for (k = 0; k < sizeof(job.salt); k++) {
            job.salt[k] = (uint8_t)(k * 5 + i);
        }
        assert_int_equal(lk_sodium_crypto.pwhash_step(NULL, &job), 0);
        memcpy(expected, job.hash, sizeof(expected));
        memset(job.hash, 0, sizeof(job.hash));
        assert_int_equal(small_run(&job, rows[i].kib, LK_SMALL_WORK_SIZE(rows[i].kib)), 0);
        assert_memory_equal(job.hash, expected, sizeof(expected));
    }
}

static void test_small_refuses_before_it_works(void **state)
{
    static const struct {
        struct lk_pwhash_params params;
        size_t work;
        int error;
    } rows[] = {
        {{7, 3, 1}, LK_SMALL_WORK_SIZE(8), LK_E_CHECK},
        {{8, 0, 1}, LK_SMALL_WORK_SIZE(8), LK_E_CHECK},
        {{8, LK_SMALL_PASSES_MAX + 1, 1}, LK_SMALL_WORK_SIZE(8), LK_E_CHECK},
        {{8, 3, 2}, LK_SMALL_WORK_SIZE(8), LK_E_CHECK},
        {{8, 3, 0}, LK_SMALL_WORK_SIZE(8), LK_E_CHECK},
        {{8, 3, 1}, LK_SMALL_WORK_SIZE(8) - 1, LK_E_CRYPTO},
        {{8, 3, 1}, 0, LK_E_CRYPTO},
        {{9, 3, 1}, LK_SMALL_WORK_SIZE(8), LK_E_CRYPTO},
        {{4194304, 3, 1}, LK_SMALL_WORK_SIZE(8), LK_E_CRYPTO},
        {{UINT32_MAX, 3, 1}, LK_SMALL_WORK_SIZE(8), LK_E_CRYPTO},
    };
    static const uint8_t none[LK_PWHASH_SIZE];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lk_pwhash_job job = {.params = rows[i].params,
                                    .password = (const uint8_t *)"secret",
                                    .password_size = 6,
                                    .hash = {1, 2, 3}};

        assert_int_equal(small_run(&job, rows[i].params.memory_kib, rows[i].work), rows[i].error);
        assert_memory_equal(job.hash, none, sizeof(none));
    }
    {
        struct lk_pwhash_job job = {.params = {8, 3, 1}, .work_size = LK_SMALL_WORK_SIZE(8)};

        assert_int_equal(lk_small_crypto.pwhash_step(NULL, &job), LK_E_CRYPTO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_gives_what_libsodium_gives),
        cmocka_unit_test(test_small_refuses_before_it_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
