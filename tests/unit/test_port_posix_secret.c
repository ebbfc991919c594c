// SPDX-License-Identifier: MIT
/*
 * test_port_posix_secret.c: the device secret of the Linux port, in a file or from a descriptor.
 */
#define _GNU_SOURCE

#include "lk_posix.h"
#include "posix_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY       65534
#define NOT_POSSIBLE 77 /* a child's answer */

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

/* Runs it in a child, which ends with what it answers. */
static int in_child(int (*run)(void))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        _exit(run());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool rule_is(const char *file, const char *wanted)
{
    struct lk_posix posix;
    struct lk_posix_config config = {.secret_path = file};
    const char *rule = NULL;

    return lk_posix_init(&posix, &config) == LK_OK &&
           lk_posix_secret_check(&posix, &rule) == LK_E_SECRET && rule != NULL &&
           strcmp(rule, wanted) == 0;
}

/* Nobody's own file it may read, and of its mode it cannot lie. */
static int nobody_reads_its_own(void)
{
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
    struct lk_posix posix;
    struct lk_posix_config config = {.secret_path = path};

    return setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && lk_posix_init(&posix, &config) == LK_OK &&
                   posix.port.secret->read(posix.port.self, secret) == LK_OK &&
                   chmod(path, 0640) == 0 &&
                   posix.port.secret->read(posix.port.self, secret) == LK_E_SECRET
               ? 0
               : 1;
}

/* Without a right to give files away: in a user namespace that knows this user alone, what is
 * root's is somebody else's. */
static int roots_is_anothers(void)
{
    uid_t user = geteuid();
    char map[64];
    int size = snprintf(map, sizeof map, "%u %u 1", (unsigned)user, (unsigned)user);
    int fd;

    if (unshare(CLONE_NEWUSER) != 0 || (fd = open("/proc/self/uid_map", O_WRONLY)) < 0 ||
        write(fd, map, (size_t)size) != size || close(fd) != 0 || geteuid() != user) {
        return NOT_POSSIBLE;
    }
    return rule_is("/etc/passwd", "belongs to another user") ? 0 : 1;
}

static void test_port_posix_secret_file_of_another_user(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        file_make(bytes, LK_DEVICE_SECRET_SIZE, 0600);
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
        expect_refused("another user");
        assert_int_equal(chmod(directory, 0711), 0);
        assert_int_equal(in_child(nobody_reads_its_own), 0);
    } else {
        int answer = in_child(roots_is_anothers);

        if (answer == NOT_POSSIBLE) {
            print_message("[  skipped ] neither root nor a user namespace: no file is another's\n");
            skip();
        }
        assert_int_equal(answer, 0);
    }
}

static int may_not_read_nor_create(void)
{
    struct lk_posix posix;
    struct lk_posix_config config = {.secret_path = path};

    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
        return 1;
    }
    return rule_is(path, "may not be read by this user") &&
                   lk_posix_init(&posix, &config) == LK_OK &&
                   posix.port.secret->create(posix.port.self) == LK_E_REFUSED
               ? 0
               : 1;
}

/* Root becomes nobody; anybody else takes the right from himself. */
static void test_port_posix_secret_file_that_may_not_be_read(void **state)
{
    bool root = geteuid() == 0;

    (void)state;
    file_make(bytes, LK_DEVICE_SECRET_SIZE, 0600);
    assert_int_equal(chmod(path, root ? 0600 : 0), 0);
    assert_int_equal(chmod(directory, root ? 0711 : 0500), 0);
    assert_int_equal(in_child(may_not_read_nor_create), 0);
    assert_int_equal(chmod(directory, 0700), 0);
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
        cmocka_unit_test_setup_teardown(test_port_posix_secret_file_that_may_not_be_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_port_posix_secret_from_a_descriptor, setup, teardown),
        cmocka_unit_test(test_port_posix_secret_not_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
