// SPDX-License-Identifier: MIT
/*
 * test_port_posix_tty.c: the Linux port's prompt on pseudo-terminals: no echo, and a terminal that
 * is as it was after every way out, signals included. Nothing here waits for a clock: each step
 * waits for what the other side writes.
 */
#define _GNU_SOURCE

#include "lk_posix.h"
#include "pty.h"
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

    (void)alarm(PTY_TIME_LIMIT_S);
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

    (void)alarm(PTY_TIME_LIMIT_S);
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
    pty_expect_echo(&session.pty, false);
    pty_type(&session.pty, "s4\177", 3); /* backspace still works */
    pty_type(&session.pty, "3cret\r", 6);
    session_expect(&session, REPORT_ENDED, 0);
    pty_expect(&session.pty, "\n", shown, sizeof shown);
    assert_string_equal(shown, "\r\n");
    pty_expect_as_before(&session.pty);
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
    pty_expect_as_before(&session.pty);
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
    pty_expect_as_before(&session.pty);
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
        pty_expect_echo(&session.pty, false);
        pty_type(&session.pty, &cases[i].key, 1);
        session_expect(&session, REPORT_KILLED, cases[i].number);
        pty_expect_as_before(&session.pty);
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
    pty_expect_as_before(&session.pty);
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
        pty_expect_echo(&session.pty, false);
        pty_type(&session.pty, "\32", 1); /* ^Z */
        session_expect(&session, REPORT_STOPPED, SIGTSTP);
        pty_expect_as_before(&session.pty);
        assert_int_equal(write(session.orders, "c", 1), 1);
        pty_expect(&session.pty, PROMPT, shown, sizeof shown);
    }
    pty_expect_echo(&session.pty, false);
    pty_type(&session.pty, "s3cret\n", 7);
    session_expect(&session, REPORT_ENDED, 0);
    pty_expect(&session.pty, "\n", shown, sizeof shown);
    assert_null(strstr(shown, "s3cret"));
    pty_expect_as_before(&session.pty);
    session_close(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_posix_prompt_does_not_echo),
        cmocka_unit_test(test_port_posix_prompt_ends_at_control_d),
        cmocka_unit_test(test_port_posix_prompt_refuses_a_long_line),
        cmocka_unit_test(test_port_posix_prompt_gives_the_echo_back_when_killed),
        cmocka_unit_test(test_port_posix_prompt_ends_when_the_program_handles_the_signal),
        cmocka_unit_test(test_port_posix_prompt_stops_and_goes_on),
    };

    (void)alarm(PTY_TIME_LIMIT_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
