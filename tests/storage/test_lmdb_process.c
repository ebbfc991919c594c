// SPDX-License-Identifier: MIT
/* test_lmdb_process.c: several processes, processes that die, and copies while others write. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "lmdb_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROCESS_KILLS   100
#define PROCESS_ROUNDS  10
#define PROCESS_WRITERS 4
#define PROCESS_COUNTS  50

static const struct lk_lmdb_config process_config = {.map_initial = 1, .flags = LK_LMDB_CREATE};
static char process_directory[LMDB_HELP_PATH];

static struct lk_storage *process_open(struct lk_lmdb *lmdb)
{
    (void)lk_lmdb_init(lmdb, process_directory, &process_config);
    return lmdb->storage.ops->open(&lmdb->storage, LK_WRITE) == LK_OK ? &lmdb->storage : NULL;
}

static uint32_t process_number(struct lk_storage *s, const char *name, int *rc)
{
    struct lk_storage_txn txn = {0};
    struct lk_span v = {NULL, 0};
    uint32_t number = 0;
    *rc = s->ops->begin(s, &txn, LK_READ);
    if (*rc == LK_OK) {
        *rc = s->ops->get(&txn, (struct lk_span){(const uint8_t *)name, strlen(name)}, &v);
        if (*rc == LK_OK && v.size == sizeof number) {
            memcpy(&number, v.data, sizeof number);
        }
        s->ops->abort(&txn);
    }
    s->ops->release(s, &txn);
    return number;
}

/* Adds one to each of two counters in one batch, over what the batch itself reads. */
static int process_count(struct lk_storage *s)
{
    struct lk_storage_txn txn = {0};
    int rc = s->ops->begin(s, &txn, LK_WRITE);
    for (int i = 0; i < 2 && rc == LK_OK; i++) {
        const struct lk_span key = {(const uint8_t *)(i == 0 ? "a" : "z"), 1};
        struct lk_span v;
        uint8_t value[4];
        uint32_t number = 0;
        rc = s->ops->get(&txn, key, &v);
        if (rc == LK_OK) {
            memcpy(&number, v.data, sizeof number);
        }
        number++;
        memcpy(value, &number, sizeof value);
        rc = s->ops->put(&txn, key, (struct lk_span){value, sizeof value});
    }
    if (txn.storage != NULL) {
        int end = s->ops->commit(&txn, LK_COMMIT_DURABLE);
        rc = rc != LK_OK ? rc : end;
    }
    s->ops->release(s, &txn);
    return rc;
}

/* `ends`: a pipe for one byte a batch, or NULL. The child ends when nobody reads it any more. */
static pid_t process_start(int counts, const int *ends)
{
    pid_t child = fork();
    if (child == 0) {
        int report = ends != NULL ? ends[1] : -1;
        (void)signal(SIGPIPE, SIG_DFL);
        if (ends != NULL) {
            (void)close(ends[0]);
        }
        struct lk_lmdb lmdb;
        struct lk_storage *s = process_open(&lmdb);
        for (int i = 0; s != NULL && (counts == 0 || i < counts); i++) {
            if (process_count(s) != LK_OK || (report >= 0 && write(report, "+", 1) != 1)) {
                _exit(2);
            }
        }
        if (s == NULL) {
            _exit(3);
        }
        s->ops->close(s);
        _exit(0);
    }
    return child;
}

static void process_make(void)
{
    struct lk_lmdb lmdb;
    lmdb_help_place(process_directory);
    struct lk_storage *s = process_open(&lmdb);
    assert_non_null(s);
    assert_int_equal(map_help_put(s, 0, 300, 100, 1, LK_COMMIT_DURABLE), LK_OK);
    s->ops->close(s);
}

/* Each opens a map of 64 KiB while the others write, and so grow it under its hands. */
static void test_lmdb_process_writers_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < PROCESS_ROUNDS; round++) {
        pid_t child[PROCESS_WRITERS];
        process_make();
        for (int i = 0; i < PROCESS_WRITERS; i++) {
            child[i] = process_start(PROCESS_COUNTS, NULL);
        }
        for (int i = 0; i < PROCESS_WRITERS; i++) {
            int status = -1;
            assert_int_equal(waitpid(child[i], &status, 0), child[i]);
            assert_int_equal(status, 0);
        }
        struct lk_lmdb lmdb;
        struct lk_storage *s = process_open(&lmdb);
        int rc;
        assert_non_null(s);
        assert_int_equal(process_number(s, "a", &rc), PROCESS_WRITERS * PROCESS_COUNTS);
        assert_int_equal(process_number(s, "z", &rc), PROCESS_WRITERS * PROCESS_COUNTS);
        s->ops->close(s);
        lmdb_help_remove(process_directory);
    }
}

static void test_lmdb_process_killed(void **state)
{
    (void)state;
    uint64_t seed = 5;
    uint32_t acknowledged = 0;
    process_make();
    for (int i = 0; i < PROCESS_KILLS; i++) {
        int ends[2];
        uint32_t wait = 1 + lmdb_help_random(&seed) % 20;
        char byte;
        assert_int_equal(pipe(ends), 0);
        pid_t child = process_start(0, ends);
        (void)close(ends[1]);
        for (uint32_t n = 0; n < wait; n++) {
            assert_int_equal(read(ends[0], &byte, 1), 1);
            acknowledged++;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(ends[0], &byte, 1) == 1) {
            acknowledged++;
        }
        (void)close(ends[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        struct lk_lmdb lmdb;
        struct lk_storage *s = process_open(&lmdb);
        int rc;
        assert_non_null(s);
        uint32_t a = process_number(s, "a", &rc);
        uint32_t z = process_number(s, "z", &rc);
        assert_int_equal(a, z);
        assert_true(a == acknowledged || a == acknowledged + 1);
        acknowledged = a;
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        s->ops->close(s);
    }
    print_message("[  figure  ] %d kills, %u batches, 0 lost, 0 in part\n", PROCESS_KILLS,
                  acknowledged);
    lmdb_help_remove(process_directory);
}

static void test_lmdb_process_map_grown_by_other(void **state)
{
    (void)state;
    struct lk_lmdb lmdb;
    process_make();
    struct lk_storage *s = process_open(&lmdb);
    assert_non_null(s);
    pid_t child = fork();
    if (child == 0) {
        struct lk_lmdb own;
        /* What was inherited is not the child's to use. */
        struct lk_storage_txn txn = {0};
        if (s->ops->begin(s, &txn, LK_READ) != LK_E_STATE ||
            s->ops->open(s, LK_WRITE) != LK_E_STATE) {
            _exit(1);
        }
        s->ops->close(s);
        s = process_open(&own);
        _exit(s != NULL && map_help_put(s, 1000, 5000, 1000, 1, LK_COMMIT_DURABLE) == LK_OK ? 0
                                                                                            : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    uint64_t sum;
    uint64_t count;
    assert_int_equal(map_help_sum(s, &sum, &count), LK_OK);
    assert_int_equal(count, 5300);
    assert_int_equal(map_help_put(s, 0, 10, 10, 2, LK_COMMIT_DURABLE), LK_OK);
    assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
    s->ops->close(s);
    lmdb_help_remove(process_directory);
}

static void test_lmdb_process_backup_while_writing(void **state)
{
    (void)state;
    struct lk_lmdb lmdb;
    uint32_t last = 0;
    process_make();
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = process_start(0, ends);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    struct lk_storage *s = process_open(&lmdb);
    assert_non_null(s);
    for (int i = 0; i < 20; i++) {
        char copy[LMDB_HELP_PATH];
        struct lk_lmdb restored;
        int rc;
        lmdb_help_place(copy);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        assert_int_equal(lk_lmdb_backup(s, copy), LK_OK);
        assert_int_equal(lk_lmdb_backup(s, copy), LK_E_EXISTS);
        assert_int_equal(lk_lmdb_init(&restored, copy, NULL), LK_OK);
        struct lk_storage *r = &restored.storage;
        assert_int_equal(r->ops->open(r, LK_WRITE), LK_OK);
        assert_int_equal(r->ops->check(r, NULL, NULL), LK_OK);
        uint32_t a = process_number(r, "a", &rc);
        assert_int_equal(a, process_number(r, "z", &rc));
        assert_true(a >= last && a > 0);
        last = a;
        r->ops->close(r);
        assert_int_equal(lk_lmdb_discard(copy), LK_OK);
    }
    s->ops->close(s);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    lmdb_help_remove(process_directory);
}

/* Ended, or asleep until somebody else does something. */
static bool process_waits(pid_t child)
{
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return true;
    }
    size_t size = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    line[size] = '\0';
    const char *state = strrchr(line, ')');
    return state == NULL || state[1] == '\0' || strchr("SZX", state[2]) != NULL;
}

/* Runs an opening of the store up to its stop number `stops`; false when it ended before. */
static bool process_open_in_part(int stops, pid_t *child)
{
    int status = -1;
    *child = fork();
    if (*child == 0) {
        struct lk_lmdb lmdb;
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(process_open(&lmdb) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(*child, &status, 0), *child);
    assert_true(WIFSTOPPED(status));
    for (int i = 0; i < stops; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, *child, NULL, NULL), 0);
        assert_int_equal(waitpid(*child, &status, 0), *child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return false;
        }
    }
    return true;
}

/*
 * One process is killed at each system call of its opening, in turn, while another waits to open:
 * what was acknowledged is there, and nothing is written over it.
 */
static void test_lmdb_process_killed_while_opening(void **state)
{
    (void)state;
    uint32_t counts = 0;
    int stops = 0;
    pid_t opening;
    process_make();
    for (; process_open_in_part(stops, &opening); stops++) {
        /* An odd number of batches in each round: the newest root is now the one, now the other. */
        pid_t waiting = process_start(1, NULL);
        for (int calm = 0; calm < 3; calm++) {
            while (!process_waits(waiting)) {
                (void)sched_yield();
            }
        }
        assert_int_equal(kill(opening, SIGKILL), 0);
        assert_int_equal(waitpid(opening, NULL, 0), opening);
        int status = -1;
        assert_int_equal(waitpid(waiting, &status, 0), waiting);
        assert_int_equal(status, 0);
        struct lk_lmdb lmdb;
        struct lk_storage *s = process_open(&lmdb);
        int rc;
        assert_non_null(s);
        assert_int_equal(process_number(s, "a", &rc), ++counts);
        assert_int_equal(process_number(s, "z", &rc), counts);
        assert_int_equal(s->ops->check(s, NULL, NULL), LK_OK);
        s->ops->close(s);
    }
    assert_true(stops > 30);
    print_message("[  figure  ] an opening killed at %d places beside one that waits\n", stops);
    lmdb_help_remove(process_directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lmdb_process_writers_at_once),
        cmocka_unit_test(test_lmdb_process_killed),
        cmocka_unit_test(test_lmdb_process_killed_while_opening),
        cmocka_unit_test(test_lmdb_process_map_grown_by_other),
        cmocka_unit_test(test_lmdb_process_backup_while_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
