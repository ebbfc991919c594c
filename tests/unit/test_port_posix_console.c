// SPDX-License-Identifier: MIT
/*
 * test_port_posix_console.c: the Linux port's console on pseudo-terminals: raw input, and a
 * terminal that is as it was after every way out, signals included.
 */
#define _GNU_SOURCE

#include "lk_posix.h"
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static volatile sig_atomic_t handled;

static void handle(int number)
{
    handled = number;
}

/* Reads a password; exits with 0 when it is "s3cret", with the error's number otherwise. */
/* ---- The console ---- */

static void console_open(struct lk_posix *posix, const struct pty *pty)
{
    struct lk_posix_console_config config = {.in_fd = pty->slave, .out_fd = pty->slave};

    assert_int_equal(lk_posix_init(posix, NULL), LK_OK);
    assert_int_equal(lk_posix_console_open(posix, &config), LK_OK);
    assert_non_null(posix->port.console);
}

static void expect_byte(const struct lk_posix *posix, uint8_t expected)
{
    uint8_t byte = 0;

    assert_int_equal(posix->port.console->read(posix->port.self, &byte, 0), 1);
    assert_int_equal(byte, expected);
}

static void test_port_posix_console_reads_raw_bytes(void **state)
{
    static const uint8_t typed[] = {'a', 3, 26, 17, 19, 4, 127, '\r', '\n', 0, 0xFF, 28};
    struct lk_posix posix;
    struct pty pty;
    char shown[16];
    uint8_t byte;

    (void)state;
    pty_open(&pty);
    console_open(&posix, &pty);
    pty_type(&pty, typed, sizeof typed);
    for (size_t i = 0; i < sizeof typed; i++) {
        expect_byte(&posix, typed[i]);
    }
    assert_int_equal(posix.port.console->read(posix.port.self, &byte, 1), 0);
    /* Nothing of it was echoed: what is written now is the first that shows. */
    assert_int_equal(posix.port.console->write(posix.port.self, (const uint8_t *)"ok\n", 3), LK_OK);
    pty_expect(&pty, "\n", shown, sizeof shown);
    assert_string_equal(shown, "ok\r\n");
    assert_int_equal(lk_posix_console_open(&posix, NULL), LK_E_STATE);
    lk_posix_console_close(&posix);
    assert_null(posix.port.console);
    pty_expect_as_before(&pty);
    lk_posix_console_close(&posix);
    lk_posix_close(&posix);
    pty_close(&pty);
}

static void test_port_posix_console_knows_its_width(void **state)
{
    struct winsize window = {.ws_col = 132, .ws_row = 50};
    struct lk_posix posix;
    struct pty pty;

    (void)state;
    pty_open(&pty);
    console_open(&posix, &pty);
    assert_int_equal(posix.port.console->width(posix.port.self), 80); /* the kernel says 0 */
    assert_int_equal(ioctl(pty.master, TIOCSWINSZ, &window), 0);
    assert_int_equal(posix.port.console->width(posix.port.self), 132);
    lk_posix_close(&posix);
    pty_expect_as_before(&pty);
    pty_close(&pty);
}

static void test_port_posix_console_notices_a_hang_up(void **state)
{
    struct lk_posix posix;
    struct pty pty;
    uint8_t byte;

    (void)state;
    pty_open(&pty);
    console_open(&posix, &pty);
    pty_type(&pty, "z", 1);
    expect_byte(&posix, 'z');
    assert_int_equal(close(pty.master), 0);
    assert_int_equal(posix.port.console->read(posix.port.self, &byte, 0), LK_E_NOT_FOUND);
    assert_int_equal(posix.port.console->read(posix.port.self, &byte, 1000), LK_E_NOT_FOUND);
    lk_posix_close(&posix);
    assert_int_equal(close(pty.slave), 0);
}

static void test_port_posix_console_on_a_serial_line(void **state)
{
    struct lk_posix posix;
    struct pty pty;
    struct lk_posix_console_config config = {.device = pty.name};
    struct termios now;
    char shown[16];

    (void)state;
    pty_open(&pty);
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(lk_posix_console_open(&posix, &config), LK_OK);
    assert_int_equal(tcgetattr(pty.slave, &now), 0);
    assert_int_equal(cfgetospeed(&now), B115200);
    assert_int_equal(now.c_cflag & (CSIZE | CSTOPB | PARENB | CRTSCTS), CS8);
    assert_int_equal(now.c_lflag & (ICANON | ECHO | ISIG), 0);
    pty_type(&pty, "q", 1);
    expect_byte(&posix, 'q');
    assert_int_equal(posix.port.console->write(posix.port.self, (const uint8_t *)"r\n", 2), LK_OK);
    pty_expect(&pty, "\n", shown, sizeof shown);
    lk_posix_close(&posix);
    pty_expect_as_before(&pty);
    pty_close(&pty);
}

static void test_port_posix_console_refuses_what_is_no_line(void **state)
{
    struct lk_posix_console_config config = {.device = "/nonexistent-lk-tty"};
    struct lk_posix posix;

    (void)state;
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(lk_posix_console_open(&posix, &config), LK_E_NOT_FOUND);
    config.device = "/dev/null";
    assert_int_equal(lk_posix_console_open(&posix, &config), LK_E_ARGUMENT);
    assert_null(posix.port.console);
    lk_posix_close(&posix);
}

static void test_port_posix_console_on_pipes(void **state)
{
    struct lk_posix posix;
    struct lk_posix_console_config config;
    int in[2];
    int out[2];
    uint8_t byte;
    char got[4];

    (void)state;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
    config = (struct lk_posix_console_config){.in_fd = in[0], .out_fd = out[1]};
    assert_int_equal(lk_posix_init(&posix, NULL), LK_OK);
    assert_int_equal(lk_posix_console_open(&posix, &config), LK_OK);
    assert_int_equal(posix.port.console->read(posix.port.self, &byte, 1), 0);
    assert_int_equal(write(in[1], "a\n", 2), 2);
    assert_int_equal(close(in[1]), 0);
    expect_byte(&posix, 'a');
    expect_byte(&posix, '\n');
    assert_int_equal(posix.port.console->read(posix.port.self, &byte, 0), LK_E_NOT_FOUND);
    assert_int_equal(posix.port.console->write(posix.port.self, (const uint8_t *)"b\n", 2), LK_OK);
    assert_int_equal(read(out[0], got, sizeof got), 2);
    assert_memory_equal(got, "b\n", 2);
    assert_int_equal(posix.port.console->width(posix.port.self), 80);
    assert_int_equal(close(out[0]), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(posix.port.console->write(posix.port.self, (const uint8_t *)"c", 1),
                     LK_E_NOT_FOUND);
    (void)signal(SIGPIPE, SIG_DFL);
    lk_posix_close(&posix);
    assert_int_equal(close(in[0]), 0);
    assert_int_equal(close(out[1]), 0);
}

/* Runs a console that says "ready" and waits, in a child; answers its wait status after `number`.
 */
static int console_signalled(const struct pty *pty, int number, bool handles)
{
    char shown[64];
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct lk_posix posix;
        struct lk_posix_console_config config = {.in_fd = pty->slave, .out_fd = pty->slave};
        struct sigaction action = {.sa_handler = handle};
        struct sigaction after;
        uint8_t byte;
        int result;

        (void)alarm(PTY_TIME_LIMIT_S);
        if (handles) {
            (void)sigaction(number, &action, NULL);
        } else {
            (void)signal(number, SIG_DFL);
        }
        if (lk_posix_init(&posix, NULL) != LK_OK ||
            lk_posix_console_open(&posix, &config) != LK_OK) {
            _exit(1);
        }
        (void)posix.port.console->write(posix.port.self, (const uint8_t *)"ready", 5);
        result = posix.port.console->read(posix.port.self, &byte, 0);
        lk_posix_close(&posix);
        (void)sigaction(number, NULL, &after);
        _exit(result == LK_E_NOT_FOUND && handled == number && after.sa_handler == handle ? 0 : 2);
    }
    pty_expect(pty, "ready", shown, sizeof shown);
    pty_expect_echo(pty, false);
    assert_int_equal(kill(child, number), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_port_posix_console_is_put_back_by_signals(void **state)
{
    static const int numbers[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    struct pty pty;

    (void)state;
    pty_open(&pty);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int status = console_signalled(&pty, numbers[i], false);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
        pty_expect_as_before(&pty);
        /* A program that goes on after it: its own handler runs, and the console hangs up. */
        status = console_signalled(&pty, numbers[i], true);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        pty_expect_as_before(&pty);
    }
    pty_close(&pty);
}

static void test_port_posix_console_leaves_ignored_signals_alone(void **state)
{
    struct lk_posix posix;
    struct pty pty;
    struct sigaction now;

    (void)state;
    pty_open(&pty);
    (void)signal(SIGHUP, SIG_IGN);
    console_open(&posix, &pty);
    assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_IGN);
    assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
    assert_true((now.sa_flags & SA_SIGINFO) != 0);
    assert_int_equal(raise(SIGHUP), 0);
    pty_type(&pty, "x", 1);
    expect_byte(&posix, 'x');
    lk_posix_close(&posix);
    assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
    assert_true((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    pty_close(&pty);
}

static void test_port_posix_consoles_have_a_limit(void **state)
{
    struct lk_posix posix[5];
    struct pty pty[5];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct lk_posix_console_config config;

        pty_open(&pty[i]);
        config = (struct lk_posix_console_config){.in_fd = pty[i].slave, .out_fd = pty[i].slave};
        assert_int_equal(lk_posix_init(&posix[i], NULL), LK_OK);
        assert_int_equal(lk_posix_console_open(&posix[i], &config), i < 4 ? LK_OK : LK_E_LIMIT);
    }
    for (size_t i = 0; i < 5; i++) {
        lk_posix_close(&posix[i]);
        pty_expect_as_before(&pty[i]);
        pty_close(&pty[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_posix_console_reads_raw_bytes),
        cmocka_unit_test(test_port_posix_console_knows_its_width),
        cmocka_unit_test(test_port_posix_console_notices_a_hang_up),
        cmocka_unit_test(test_port_posix_console_on_a_serial_line),
        cmocka_unit_test(test_port_posix_console_refuses_what_is_no_line),
        cmocka_unit_test(test_port_posix_console_on_pipes),
        cmocka_unit_test(test_port_posix_console_is_put_back_by_signals),
        cmocka_unit_test(test_port_posix_console_leaves_ignored_signals_alone),
        cmocka_unit_test(test_port_posix_consoles_have_a_limit),
    };

    (void)alarm(PTY_TIME_LIMIT_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
