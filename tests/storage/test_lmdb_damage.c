// SPDX-License-Identifier: MIT
/*
 * test_lmdb_damage.c: damaged files, each opened and read to the end in a process of its own.
 *
 * With LK_LMDB_VERIFY no damage may end in a signal, and whatever still opens has kept its
 * structure; a changed byte of a value is for the checksums of the records to find. Without it the
 * figures are printed: LMDB itself believes its pages.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DAMAGE_FLIPS   1000
#define DAMAGE_SECONDS 20u

enum damage_answer { DAMAGE_SAME, DAMAGE_OTHER, DAMAGE_REFUSED, DAMAGE_SIGNAL, DAMAGE_HANG };

static char damage_directory[LMDB_HELP_PATH];
static char damage_data[LMDB_HELP_PATH];
static uint64_t damage_sum;

static enum damage_answer damage_try(uint32_t flags)
{
    pid_t child = fork();
    if (child == 0) {
        struct lk_lmdb lmdb;
        const struct lk_lmdb_config config = {.map_initial = 1, .flags = flags};
        uint64_t sum;
        uint64_t count;
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        (void)alarm(DAMAGE_SECONDS); /* a hang is an answer too */
        (void)lk_lmdb_init(&lmdb, damage_directory, &config);
        int rc = lmdb.storage.ops->open(&lmdb.storage, LK_READ);
        if (rc == LK_OK) {
            rc = map_help_sum(&lmdb.storage, &sum, &count);
        }
        _exit(rc != LK_OK ? DAMAGE_REFUSED : (sum == damage_sum ? DAMAGE_SAME : DAMAGE_OTHER));
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGALRM ? DAMAGE_HANG : DAMAGE_SIGNAL;
    }
    /* A sanitizer turns a signal into an exit code of its own. */
    return WEXITSTATUS(status) <= DAMAGE_REFUSED ? (enum damage_answer)WEXITSTATUS(status)
                                                 : DAMAGE_SIGNAL;
}

static uint8_t *damage_make(size_t *size)
{
    struct lk_lmdb lmdb;
    const struct lk_lmdb_config config = {.map_initial = 1, .flags = LK_LMDB_CREATE};
    uint64_t count;
    lmdb_help_place(damage_directory);
    lmdb_help_join(damage_data, damage_directory, "data.mdb");
    assert_int_equal(lk_lmdb_init(&lmdb, damage_directory, &config), LK_OK);
    struct lk_storage *s = &lmdb.storage;
    assert_int_equal(s->ops->open(s, LK_WRITE), LK_OK);
    assert_int_equal(map_help_put(s, 0, 400, 50, 1, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(map_help_put(s, 400, 8, 6000, 2, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(map_help_put(s, 100, 100, 70, 3, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(map_help_sum(s, &damage_sum, &count), LK_OK);
    s->ops->close(s);
    uint8_t *raw = lmdb_help_load(damage_data, size);
    assert_non_null(raw);
    return raw;
}

static void damage_flips(uint32_t flags, uint64_t seed, uint32_t answers[5])
{
    size_t size = 0;
    uint8_t *raw = damage_make(&size);
    for (int i = 0; i < DAMAGE_FLIPS; i++) {
        /* A quarter in the meta pages, and half in the heads of pages, where it hurts. */
        size_t at = lmdb_help_random(&seed) % size;
        if (i % 4 == 0) {
            at = lmdb_help_random(&seed) % 2 * 4096 + lmdb_help_random(&seed) % 160;
        } else if (i % 4 < 3) {
            at = at / 4096 * 4096 + at % 64;
        }
        uint8_t bit = (uint8_t)(1u << (lmdb_help_random(&seed) % 8));
        raw[at] ^= bit;
        assert_true(lmdb_help_save(damage_data, raw, size));
        enum damage_answer answer = damage_try(flags);
        answers[answer]++;
        if (answer == DAMAGE_HANG || (answer == DAMAGE_SIGNAL && (flags & LK_LMDB_VERIFY) != 0)) {
            print_error("flip at %zu, bit mask 0x%02X\n", at, bit);
        }
        raw[at] ^= bit;
    }
    free(raw);
    lmdb_help_remove(damage_directory);
}

static void damage_print(const char *name, const uint32_t a[5])
{
    print_message(
        "[  figure  ] %s: %u harmless, %u changed bytes, %u refused, %u signals, %u hangs\n", name,
        a[DAMAGE_SAME], a[DAMAGE_OTHER], a[DAMAGE_REFUSED], a[DAMAGE_SIGNAL], a[DAMAGE_HANG]);
}

static void test_lmdb_damage_flips_verified(void **state)
{
    (void)state;
    uint32_t answers[5] = {0};
    damage_flips(LK_LMDB_VERIFY, 7, answers);
    damage_print("1000 flips, verified", answers);
    assert_int_equal(answers[DAMAGE_SIGNAL], 0);
    assert_int_equal(answers[DAMAGE_HANG], 0);
    assert_true(answers[DAMAGE_REFUSED] > 100);
}

static void test_lmdb_damage_flips_bare(void **state)
{
    (void)state;
    uint32_t answers[5] = {0};
    damage_flips(0, 7, answers);
    damage_print("1000 flips, not verified", answers);
}

static void test_lmdb_damage_truncated(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *raw = damage_make(&size);
    uint32_t answers[5] = {0};
    for (size_t cut = 0; cut < size; cut += cut < 9000 ? 100 : 1024) {
        assert_true(lmdb_help_save(damage_data, raw, cut));
        answers[damage_try(0)]++;
    }
    damage_print("truncations", answers);
    assert_int_equal(answers[DAMAGE_SIGNAL], 0);
    assert_int_equal(answers[DAMAGE_HANG], 0);
    assert_int_equal(answers[DAMAGE_OTHER], 0);
    free(raw);
    lmdb_help_remove(damage_directory);
}

static void test_lmdb_damage_newer(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *raw = damage_make(&size);
    struct lk_lmdb lmdb;
    raw[20] = 2; /* the version in both meta pages */
    raw[4096 + 20] = 2;
    assert_true(lmdb_help_save(damage_data, raw, size));
    assert_int_equal(lk_lmdb_init(&lmdb, damage_directory, NULL), LK_OK);
    assert_int_equal(lmdb.storage.ops->open(&lmdb.storage, LK_WRITE), LK_E_NEWER);
    free(raw);
    lmdb_help_remove(damage_directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lmdb_damage_flips_verified),
        cmocka_unit_test(test_lmdb_damage_flips_bare),
        cmocka_unit_test(test_lmdb_damage_truncated),
        cmocka_unit_test(test_lmdb_damage_newer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
