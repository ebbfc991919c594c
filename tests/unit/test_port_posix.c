// SPDX-License-Identifier: MIT
/*
 * test_port_posix.c: the Linux port's clock, entropy, secret and line reading. Terminals and
 * signals are in test_port_posix_tty.c.
 */
#define _GNU_SOURCE

#include "lk_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

static char directory[PATH_MAX];
static char path[PATH_MAX + 16];

static const uint8_t bytes[LK_DEVICE_SECRET_SIZE * 2] = "abcdefghijklmnopqrstuvwxyz0123456789";

static int setup(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    (void)snprintf(directory, sizeof directory, "%s/lk-posix-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/secret", directory);
    return 0;
}

/* Answers how many files there were. */
static int empty_directory(void)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    int count = 0;

    if (stream == NULL) {
        return -1;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            int flag = entry->d_type == DT_DIR ? AT_REMOVEDIR : 0;

            (void)unlinkat(dirfd(stream), entry->d_name, flag);
            count++;
        }
    }
    (void)closedir(stream);
    return count;
}

static int teardown(void **state)
{
    (void)state;
    (void)empty_directory();
    return rmdir(directory);
}

static void file_make(const void *data, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

/* Opens a port on `path`, and reads. */
static int secret_read(uint8_t secret[LK_DEVICE_SECRET_SIZE], const char **rule)
{
    struct lk_posix posix;
    int error;

    assert_int_equal(lk_posix_init(&posix, &(struct lk_posix_config){.secret_path = path}), LK_OK);
    error = posix.port.secret->read(posix.port.self, secret);
    assert_int_equal(lk_posix_secret_check(&posix, rule), error);
    assert_true((error == LK_OK) == (*rule == NULL));
    lk_posix_close(&posix);
    return error;
}

static void expect_refused(const char *part)
{
    static const uint8_t wiped[LK_DEVICE_SECRET_SIZE];
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    const char *rule;

    memset(secret, 0xA5, sizeof secret);
    assert_int_equal(secret_read(secret, &rule), LK_E_SECRET);
    if (strstr(rule, part) == NULL) {
        fail_msg("the rule is: %s", rule);
    }
    assert_memory_equal(secret, wiped, sizeof secret);
}

static int secret_create(void)
{
    struct lk_posix posix;
    int error;

    assert_int_equal(lk_posix_init(&posix, &(struct lk_posix_config){.secret_path = path}), LK_OK);
    error = posix.port.secret->create(posix.port.self);
    lk_posix_close(&posix);
    return error;
}

static void test_port_posix_secret_is_created_once(void **state)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    uint8_t first[LK_DEVICE_SECRET_SIZE];
    uint8_t second[LK_DEVICE_SECRET_SIZE];
    const char *rule;
    struct stat status;

    (void)state;
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        mode_t old = umask(masks[i]);
        int error = secret_create();

        (void)umask(old);
        assert_int_equal(error, LK_OK);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(status.st_size, LK_DEVICE_SECRET_SIZE);
        assert_int_equal(status.st_nlink, 1);
        assert_int_equal(secret_read(second, &rule), LK_OK);
        if (i > 0) {
            assert_memory_not_equal(first, second, sizeof first);
        }
        assert_int_equal(secret_create(), LK_E_EXISTS);
        assert_int_equal(secret_read(first, &rule), LK_OK);
        assert_memory_equal(first, second, sizeof first);
        assert_int_equal(empty_directory(), 1); /* no temporary file is left */
    }
}

static void test_port_posix_secret_create_keeps_what_is_there(void **state)
{
    struct stat status;

    (void)state;
    file_make("", 0, 0600);
    assert_int_equal(secret_create(), LK_E_EXISTS);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 0);
    (void)empty_directory();
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(secret_create(), LK_E_EXISTS);
    assert_int_equal(empty_directory(), 1); /* nothing was made behind the link */
}

static void test_port_posix_secret_create_answers_bad_paths(void **state)
{
    static const struct {
        const char *path;
        int error;
    } cases[] = {
        {"", LK_E_ARGUMENT},
        {"/", LK_E_ARGUMENT},
        {".", LK_E_ARGUMENT},
        {"a/..", LK_E_ARGUMENT},
        {"/nonexistent-lk/secret", LK_E_NOT_FOUND},
        {"/dev/null/secret", LK_E_NOT_FOUND},
    };
    static char deep[PATH_MAX + 8];
    struct lk_posix posix;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lk_posix_config config = {.secret_path = cases[i].path};

        assert_int_equal(lk_posix_init(&posix, &config), LK_OK);
        assert_int_equal(posix.port.secret->create(posix.port.self), cases[i].error);
        lk_posix_close(&posix);
    }
    memset(deep, '/', sizeof deep - 1);
    deep[sizeof deep - 2] = 'x';
    assert_int_equal(lk_posix_init(&posix, &(struct lk_posix_config){.secret_path = deep}), LK_OK);
    assert_int_equal(posix.port.secret->create(posix.port.self), LK_E_ARGUMENT);
    lk_posix_close(&posix);
}

static void test_port_posix_secret_in_the_working_directory(void **state)
{
    char before[PATH_MAX];
    struct lk_posix posix;

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(directory), 0);
    assert_int_equal(lk_posix_init(&posix, &(struct lk_posix_config){.secret_path = "secret"}),
                     LK_OK);
    assert_int_equal(posix.port.secret->create(posix.port.self), LK_OK);
    lk_posix_close(&posix);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(access(path, F_OK), 0);
}

static void test_port_posix_secret_file_modes(void **state)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    const char *rule;

    (void)state;
    for (mode_t mode = 0; mode <= 0777; mode++) {
        file_make(bytes, LK_DEVICE_SECRET_SIZE, mode);
        if ((mode & 077) != 0) {
            if (geteuid() == 0 || (mode & 0400) != 0) {
                expect_refused("0600");
            }
        } else if (geteuid() == 0 || (mode & 0400) != 0) {
            assert_int_equal(secret_read(secret, &rule), LK_OK);
            assert_memory_equal(secret, bytes, sizeof secret);
        }
        assert_int_equal(unlink(path), 0);
    }
}

static void test_port_posix_secret_file_size_and_kind(void **state)
{
    static const size_t sizes[] = {0, 1, 31, 33, 64};
    static const uint8_t zeros[LK_DEVICE_SECRET_SIZE];
    char target[PATH_MAX + 32];

    (void)state;
    expect_refused("missing");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        file_make(bytes, sizes[i], 0600);
        expect_refused("32 bytes");
    }
    file_make(zeros, sizeof zeros, 0600);
    expect_refused("zeros");

    file_make(bytes, LK_DEVICE_SECRET_SIZE, 0600);
    (void)snprintf(target, sizeof target, "%s/target", directory);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    expect_refused("symbolic link");
    (void)empty_directory();

    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused("regular file");
    (void)empty_directory();
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused("regular file"); /* and does not wait for a writer */
}

static void test_port_posix_secret_file_of_another_user(void **state)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    const char *rule;
    pid_t child;
    int status;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    file_make(bytes, LK_DEVICE_SECRET_SIZE, 0600);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    expect_refused("another user");
    assert_int_equal(chmod(directory, 0711), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lk_posix posix;
        struct lk_posix_config config = {.secret_path = path};
        int result = 1;

        /* Nobody's own file it may read, root's it may not, and of its mode it cannot lie. */
        if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && lk_posix_init(&posix, &config) == LK_OK &&
            posix.port.secret->read(posix.port.self, secret) == LK_OK && chmod(path, 0640) == 0 &&
            posix.port.secret->read(posix.port.self, secret) == LK_E_SECRET) {
            result = 0;
        }
        _exit(result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chmod(path, 0600), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lk_posix posix;
        struct lk_posix_config config = {.secret_path = path};
        int result = 1;

        if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && lk_posix_init(&posix, &config) == LK_OK &&
            lk_posix_secret_check(&posix, &rule) == LK_E_SECRET &&
            strcmp(rule, "may not be read by this user") == 0 &&
            posix.port.secret->create(posix.port.self) == LK_E_REFUSED) {
            result = 0;
        }
        _exit(result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A pipe that gives `size` bytes and ends. */
static int pipe_of(const void *data, size_t size)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], data, size), size);
    assert_int_equal(close(fds[1]), 0);
    return fds[0];
}

static void test_port_posix_secret_from_a_descriptor(void **state)
{
    static const size_t sizes[] = {0, 31, 33, 64};
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    struct lk_posix_config config = {0};
    struct lk_posix posix;
    const char *rule;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        config.secret_fd = pipe_of(bytes, sizes[i]);
        assert_int_equal(lk_posix_init(&posix, &config), LK_E_SECRET);
        assert_int_equal(close(config.secret_fd), 0);
    }
    config.secret_fd = pipe_of(bytes, LK_DEVICE_SECRET_SIZE);
    assert_int_equal(lk_posix_init(&posix, &config), LK_OK);
    assert_int_equal(close(config.secret_fd), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(posix.port.secret->read(posix.port.self, secret), LK_OK);
        assert_memory_equal(secret, bytes, sizeof secret);
    }
    assert_int_equal(lk_posix_secret_check(&posix, &rule), LK_OK);
    assert_null(rule);
    assert_int_equal(posix.port.secret->create(posix.port.self), LK_E_UNSUPPORTED);
    lk_posix_close(&posix);
    /* The secret does not stay behind. */
    assert_null(memmem(&posix, sizeof posix, bytes, 8));

    config.secret_path = path;
    assert_int_equal(lk_posix_init(&posix, &config), LK_E_ARGUMENT);
    config.secret_path = NULL;
    config.secret_fd = open(directory, O_RDONLY);
    assert_true(config.secret_fd > 0);
    assert_int_equal(lk_posix_init(&posix, &config), LK_E_IO);
    assert_int_equal(close(config.secret_fd), 0);
}

static void test_port_posix_secret_not_configured(void **state)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    struct lk_posix posix;
    const char *rule;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.secret->read(posix.port.self, secret), LK_E_SECRET);
    assert_int_equal(posix.port.secret->create(posix.port.self), LK_E_UNSUPPORTED);
    assert_int_equal(lk_posix_secret_check(&posix, &rule), LK_E_SECRET);
    assert_string_equal(rule, "is not configured");
    lk_posix_close(&posix);
}

static void test_port_posix_clock_goes_forward(void **state)
{
    struct lk_posix posix;
    enum lk_clock_quality quality;
    uint64_t wall;
    uint64_t last;
    uint64_t now;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.clock->wall(posix.port.self, &wall, &quality), LK_OK);
    assert_in_range(wall / 1000, (uint64_t)time(NULL) - 60, (uint64_t)time(NULL) + 60);
    assert_true(wall < 1704067200000u ? quality == LK_CLOCK_UNSET : quality >= LK_CLOCK_SET);
    assert_int_equal(posix.port.clock->monotonic(posix.port.self, &last), LK_OK);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(posix.port.clock->monotonic(posix.port.self, &now), LK_OK);
        assert_true(now >= last);
        last = now;
    }
    assert_null(posix.port.clock->set);
    lk_posix_close(&posix);
}

/* The same in every process of a boot, and never 0. */
static void test_port_posix_boot_is_the_kernels(void **state)
{
    struct lk_posix posix;
    uint64_t boot = 0, again = 0, child = 0;
    int pipes[2];
    pid_t pid;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.clock->boot(posix.port.self, &boot), LK_OK);
    assert_int_equal(posix.port.clock->boot(posix.port.self, &again), LK_OK);
    assert_true(boot != 0 && boot == again);
    assert_true(boot > UINT32_MAX && boot << 32 != 0); /* of all its digits */
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        again = 0;
        (void)posix.port.clock->boot(posix.port.self, &again);
        _exit(write(pipes[1], &again, sizeof again) == (ssize_t)sizeof again ? 0 : 1);
    }
    assert_true(pid > 0);
    assert_int_equal(read(pipes[0], &child, sizeof child), sizeof child);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(child == boot);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    lk_posix_close(&posix);
}

static void test_port_posix_services_are_there(void **state)
{
    static uint8_t random[1 << 16];
    static uint8_t other[1 << 16];
    struct lk_posix posix;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(posix.port.entropy->fill(posix.port.self, random, sizeof random), LK_OK);
    assert_int_equal(posix.port.entropy->fill(posix.port.self, other, sizeof other), LK_OK);
    for (size_t i = 0; i < sizeof random; i += 32) {
        assert_memory_not_equal(random + i, other + i, 32);
    }
    assert_int_equal(posix.port.entropy->fill(posix.port.self, NULL, 0), LK_OK);
    assert_non_null(posix.port.crypto->hash);
    assert_int_equal(posix.port.crypto->foreign_check(posix.port.self, LK_TEXT("$1$"), NULL),
                     LK_E_UNSUPPORTED);
    assert_int_equal(
        posix.port.crypto->foreign_verify(posix.port.self, LK_TEXT("$1$"), LK_TEXT("x")),
        LK_E_UNSUPPORTED);
    assert_null(posix.port.console);
    assert_null(posix.port.flash);
    assert_null(posix.port.counter);
    posix.port.lock->take(posix.port.self);
    posix.port.lock->give(posix.port.self);
    lk_posix_close(&posix);
}

static void expect_line(int fd, size_t size, int expected, const char *line)
{
    char out[64];
    static const char wiped[64];

    memset(out, 0x5A, sizeof out);
    assert_int_equal(lk_posix_read_secret_line(fd, "never shown: ", out, size), expected);
    if (expected >= 0) {
        assert_string_equal(out, line);
    } else {
        assert_memory_equal(out, wiped, size);
    }
}

static void test_port_posix_secret_lines_of_a_pipe(void **state)
{
    static const char input[] = "first\n"
                                "second\r\n"
                                "\n"
                                "\r\n"
                                "in\rside\n"
                                "two\r\r\n"
                                "12345678\n"
                                "12345678\r\n"
                                "123456789\n"
                                "12345678\r1\n"
                                "nul\0inside\n"
                                "nul and much too long \0 for it\n"
                                "after\n"
                                "no end";
    int fd = pipe_of(input, sizeof input - 1);

    (void)state;
    expect_line(fd, 9, 5, "first");
    expect_line(fd, 9, 6, "second");
    expect_line(fd, 9, 0, "");
    expect_line(fd, 9, 0, "");
    expect_line(fd, 9, 7, "in\rside");
    expect_line(fd, 9, 4, "two\r");
    expect_line(fd, 9, 8, "12345678");
    expect_line(fd, 9, 8, "12345678");
    expect_line(fd, 9, LK_E_TOO_BIG, NULL);
    expect_line(fd, 9, LK_E_TOO_BIG, NULL);
    expect_line(fd, 9, LK_E_USAGE, NULL);
    expect_line(fd, 9, LK_E_USAGE, NULL);
    expect_line(fd, 9, 5, "after");
    expect_line(fd, 9, 6, "no end");
    expect_line(fd, 9, LK_E_NOT_FOUND, NULL);
    assert_int_equal(close(fd), 0);

    fd = pipe_of("cr at the end\r", 14);
    expect_line(fd, 64, 14, "cr at the end\r");
    assert_int_equal(close(fd), 0);
    fd = pipe_of("\nx\n", 3);
    expect_line(fd, 1, 0, "");
    expect_line(fd, 1, LK_E_TOO_BIG, NULL);
    assert_int_equal(close(fd), 0);
}

static void test_port_posix_secret_line_leaves_the_next_unread(void **state)
{
    int fd = pipe_of("one\ntwo\n", 8);
    char rest[8];

    (void)state;
    expect_line(fd, 9, 3, "one");
    assert_int_equal(read(fd, rest, sizeof rest), 4);
    assert_memory_equal(rest, "two\n", 4);
    assert_int_equal(close(fd), 0);
}

static void test_port_posix_secret_line_of_a_bad_descriptor(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(lk_posix_read_secret_line(-1, NULL, out, sizeof out), LK_E_IO);
    assert_int_equal(lk_posix_read_secret_line(0, NULL, out, 0), LK_E_ARGUMENT);
    assert_int_equal(lk_posix_read_secret_line(0, NULL, NULL, 8), LK_E_ARGUMENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_port_posix_secret_is_created_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_create_keeps_what_is_there, setup,
                                        teardown),
        cmocka_unit_test(test_port_posix_secret_create_answers_bad_paths),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_in_the_working_directory, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_file_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_file_size_and_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_file_of_another_user, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_from_a_descriptor, setup, teardown),
        cmocka_unit_test(test_port_posix_secret_not_configured),
        cmocka_unit_test(test_port_posix_clock_goes_forward),
        cmocka_unit_test(test_port_posix_boot_is_the_kernels),
        cmocka_unit_test(test_port_posix_services_are_there),
        cmocka_unit_test(test_port_posix_secret_lines_of_a_pipe),
        cmocka_unit_test(test_port_posix_secret_line_leaves_the_next_unread),
        cmocka_unit_test(test_port_posix_secret_line_of_a_bad_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
