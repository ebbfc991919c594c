// SPDX-License-Identifier: MIT
/*
 * test_port_posix_tty.c: the Linux port on pseudo-terminals: no echo, raw input, and a terminal
 * that is as it was after every way out, signals included. Nothing here waits for a clock: each
 * step waits for what the other side writes.
 */
#define _GNU_SOURCE

#include "lk_posix.h"
#include "valgrind.h"

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

#define PROMPT "password: "

/* Two processes that wait for each other must not hang a test run. */
#define TIME_LIMIT_S 60

struct pty {
    int master;
    int slave; /* kept open, so that the modes outlive the children */
    char name[64];
    struct termios before;
};

static void pty_open(struct pty *pty)
{
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(pty->master >= 0);
    assert_int_equal(grantpt(pty->master), 0);
    assert_int_equal(unlockpt(pty->master), 0);
    assert_int_equal(ptsname_r(pty->master, pty->name, sizeof pty->name), 0);
    pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(pty->slave >= 0);
    assert_int_equal(tcgetattr(pty->slave, &pty->before), 0);
    assert_true((pty->before.c_lflag & ECHO) != 0);
}

static void pty_close(struct pty *pty)
{
    assert_int_equal(close(pty->slave), 0);
    assert_int_equal(close(pty->master), 0);
}

static void expect_as_before(const struct pty *pty)
{
    struct termios now;

    assert_int_equal(tcgetattr(pty->slave, &now), 0);
    assert_int_equal(now.c_iflag, pty->before.c_iflag);
    assert_int_equal(now.c_oflag, pty->before.c_oflag);
    assert_int_equal(now.c_cflag, pty->before.c_cflag);
    assert_int_equal(now.c_lflag, pty->before.c_lflag);
    assert_memory_equal(now.c_cc, pty->before.c_cc, sizeof now.c_cc);
    assert_int_equal(cfgetospeed(&now), cfgetospeed(&pty->before));
}

static void expect_echo(const struct pty *pty, bool echo)
{
    struct termios now;

    assert_int_equal(tcgetattr(pty->slave, &now), 0);
    assert_int_equal((now.c_lflag & ECHO) != 0, echo);
}

/* Reads what the terminal shows until it ends in `text`; all of it goes to `shown`. */
static void pty_expect(const struct pty *pty, const char *text, char *shown, size_t size)
{
    size_t length = strlen(text);
    size_t count = 0;

    do {
        assert_true(count < size - 1);
        assert_int_equal(read(pty->master, shown + count, 1), 1);
        count++;
        shown[count] = '\0';
    } while (count < length || memcmp(shown + count - length, text, length) != 0);
}

static void pty_type(const struct pty *pty, const void *data, size_t size)
{
    assert_int_equal(write(pty->master, data, size), size);
}

/* ---- The prompt, in a session with job control ---- */

/* What the reader's parent, in a shell's place, tells the test. */
enum report { REPORT_STOPPED = 's', REPORT_ENDED = 'e', REPORT_KILLED = 'k' };

struct session {
    struct pty pty;
    int reports; /* one byte of enum report, then one of the exit code or signal */
    int orders;  /* any byte: go on */
    pid_t shell;
};

static volatile sig_atomic_t handled;

static void handle(int number)
{
    handled = number;
}

/* Reads a password; exits with 0 when it is "s3cret", with the error's number otherwise. */
static _Noreturn void session_reader(int fd, bool handles)
{
    char out[32];
    int result;

    (void)alarm(TIME_LIMIT_S);
    if (handles) {
        struct sigaction action = {.sa_handler = handle};

        (void)sigaction(SIGINT, &action, NULL);
    }
    result = lk_posix_read_secret_line(fd, PROMPT, out, sizeof out);
    if (handles && handled != SIGINT) {
        _exit(100);
    }
    if (result >= 0) {
        result = strcmp(out, "s3cret") == 0 ? 0 : 101;
    }
    _exit(result < 0 ? -result : result);
}

static void session_say(int fd, enum report report, int number)
{
    uint8_t message[2] = {(uint8_t)report, (uint8_t)number};

    if (write(fd, message, sizeof message) != (ssize_t)sizeof message) {
        _exit(1);
    }
}

/* Leads the session, and does what a shell does for the one job it has. */
static _Noreturn void session_shell(const struct pty *pty, int reports, int orders, bool handles)
{
    pid_t reader;
    int fd;
    int status;

    (void)alarm(TIME_LIMIT_S);
    (void)setsid();
    (void)signal(SIGTTOU, SIG_IGN);
    fd = open(pty->name, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0) {
        _exit(1);
    }
    reader = fork();
    if (reader == 0) {
        (void)setpgid(0, 0);
        (void)tcsetpgrp(fd, getpid());
        (void)signal(SIGTTOU, SIG_DFL);
        session_reader(fd, handles);
    }
    (void)setpgid(reader, reader);
    while (waitpid(reader, &status, WUNTRACED) == reader && WIFSTOPPED(status)) {
        uint8_t order;

        (void)tcsetpgrp(fd, getpid());
        session_say(reports, REPORT_STOPPED, WSTOPSIG(status));
        if (read(orders, &order, 1) != 1) {
            _exit(1);
        }
        (void)tcsetpgrp(fd, reader);
        (void)kill(reader, SIGCONT);
    }
    if (WIFSIGNALED(status)) {
        session_say(reports, REPORT_KILLED, WTERMSIG(status));
    } else {
        session_say(reports, REPORT_ENDED, WEXITSTATUS(status));
    }
    _exit(0);
}

static void session_open(struct session *session, bool handles)
{
    int reports[2];
    int orders[2];

    pty_open(&session->pty);
    assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
    assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
    session->shell = fork();
    assert_true(session->shell >= 0);
    if (session->shell == 0) {
        session_shell(&session->pty, reports[1], orders[0], handles);
    }
    assert_int_equal(close(reports[1]), 0);
    assert_int_equal(close(orders[0]), 0);
    session->reports = reports[0];
    session->orders = orders[1];
}

static void session_expect(const struct session *session, enum report report, int number)
{
    uint8_t message[2];

    assert_int_equal(read(session->reports, message, sizeof message), sizeof message);
    assert_int_equal(message[0], report);
    assert_int_equal(message[1], number);
}

static void session_close(struct session *session)
{
    int status;

    assert_int_equal(waitpid(session->shell, &status, 0), session->shell);
    assert_int_equal(status, 0);
    assert_int_equal(close(session->reports), 0);
    assert_int_equal(close(session->orders), 0);
    pty_close(&session->pty);
}

static void test_port_posix_prompt_does_not_echo(void **state)
{
    struct session session;
    char shown[256];

    (void)state;
    session_open(&session, false);
    pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    expect_echo(&session.pty, false);
    pty_type(&session.pty, "s4\177", 3); /* backspace still works */
    pty_type(&session.pty, "3cret\r", 6);
    session_expect(&session, REPORT_ENDED, 0);
    pty_expect(&session.pty, "\n", shown, sizeof shown);
    assert_string_equal(shown, "\r\n");
    expect_as_before(&session.pty);
    session_close(&session);
}

static void test_port_posix_prompt_ends_at_control_d(void **state)
{
    struct session session;
    char shown[256];

    (void)state;
    session_open(&session, false);
    pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    pty_type(&session.pty, "\4", 1);
    session_expect(&session, REPORT_ENDED, -LK_E_NOT_FOUND);
    expect_as_before(&session.pty);
    session_close(&session);
}

static void test_port_posix_prompt_refuses_a_long_line(void **state)
{
    struct session session;
    char shown[256];

    (void)state;
    session_open(&session, false);
    pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    pty_type(&session.pty, "0123456789012345678901234567890123456789\n", 41);
    session_expect(&session, REPORT_ENDED, -LK_E_TOO_BIG);
    expect_as_before(&session.pty);
    session_close(&session);
}

static void test_port_posix_prompt_gives_the_echo_back_when_killed(void **state)
{
    static const struct {
        char key;
        int number;
    } cases[] = {{3, SIGINT}, {28, SIGQUIT}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct session session;
        char shown[256];

        session_open(&session, false);
        pty_expect(&session.pty, PROMPT, shown, sizeof shown);
        expect_echo(&session.pty, false);
        pty_type(&session.pty, &cases[i].key, 1);
        session_expect(&session, REPORT_KILLED, cases[i].number);
        expect_as_before(&session.pty);
        session_close(&session);
    }
}

static void test_port_posix_prompt_ends_when_the_program_handles_the_signal(void **state)
{
    struct session session;
    char shown[256];

    (void)state;
    session_open(&session, true);
    pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    pty_type(&session.pty, "half\3", 5);
    session_expect(&session, REPORT_ENDED, -LK_E_NOT_FOUND);
    expect_as_before(&session.pty);
    session_close(&session);
}

static void test_port_posix_prompt_stops_and_goes_on(void **state)
{
    struct session session;
    char shown[256];

    (void)state;
    if (under_valgrind()) {
        print_message("[  skipped ] valgrind takes SIGTSTP's default action for \"ignore\"\n");
        skip();
    }
    session_open(&session, false);
    pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    for (unsigned i = 0; i < 3; i++) {
        expect_echo(&session.pty, false);
        pty_type(&session.pty, "\32", 1); /* ^Z */
        session_expect(&session, REPORT_STOPPED, SIGTSTP);
        expect_as_before(&session.pty);
        assert_int_equal(write(session.orders, "c", 1), 1);
        pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    }
    expect_echo(&session.pty, false);
    pty_type(&session.pty, "s3cret\n", 7);
    session_expect(&session, REPORT_ENDED, 0);
    pty_expect(&session.pty, "\n", shown, sizeof shown);
    assert_null(strstr(shown, "s3cret"));
    expect_as_before(&session.pty);
    session_close(&session);
}

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
    expect_as_before(&pty);
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
    expect_as_before(&pty);
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
    expect_as_before(&pty);
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

        (void)alarm(TIME_LIMIT_S);
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
    expect_echo(pty, false);
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
        expect_as_before(&pty);
        /* A program that goes on after it: its own handler runs, and the console hangs up. */
        status = console_signalled(&pty, numbers[i], true);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        expect_as_before(&pty);
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
        expect_as_before(&pty[i]);
        pty_close(&pty[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_posix_prompt_does_not_echo),
        cmocka_unit_test(test_port_posix_prompt_ends_at_control_d),
        cmocka_unit_test(test_port_posix_prompt_refuses_a_long_line),
        cmocka_unit_test(test_port_posix_prompt_gives_the_echo_back_when_killed),
        cmocka_unit_test(test_port_posix_prompt_ends_when_the_program_handles_the_signal),
        cmocka_unit_test(test_port_posix_prompt_stops_and_goes_on),
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

    (void)alarm(TIME_LIMIT_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
