// SPDX-License-Identifier: MIT
/*
 * lk_posix_tty.c: terminal modes that are put back before a signal ends or stops the program.
 *
 * The handler uses only functions that POSIX allows there. What it reads is published by an atomic
 * state, because in a program with threads it may run beside lk_posix_tty_enter() and _leave().
 */
#define _GNU_SOURCE

#include "lk_posix_parts.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POSIX_TTY_GUARDS 4

enum posix_tty_state {
    POSIX_TTY_FREE = 0,
    POSIX_TTY_HELD,   /* a signal puts the old mode back, and the new one on again after it */
    POSIX_TTY_LEAVING /* a signal puts the old mode back */
};

struct posix_tty_guard {
    atomic_int state;
    atomic_uint resumed;
    int fd;
    /* Made once and never closed: a handler in another thread may be about to write to it. */
    int wake_fd;
    struct termios saved;
    struct termios mode;
};

static const int posix_tty_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT};

#define POSIX_TTY_SIGNALS (sizeof posix_tty_signals / sizeof posix_tty_signals[0])

static struct posix_tty_guard posix_tty_guards[POSIX_TTY_GUARDS] = {
    {.wake_fd = -1}, {.wake_fd = -1}, {.wake_fd = -1}, {.wake_fd = -1}};
static struct sigaction posix_tty_old[POSIX_TTY_SIGNALS];
static atomic_uint posix_tty_interrupted;
/* Of enter and leave; the handler does not take it. */
static pthread_mutex_t posix_tty_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned posix_tty_held;

/* A program in the background must leave its terminal's mode to whoever is in front. */
static bool posix_tty_ours(int fd)
{
    pid_t front = tcgetpgrp(fd);

    return front == -1 || front == getpgrp();
}

static void posix_tty_restore_all(void)
{
    for (size_t i = POSIX_TTY_GUARDS; i-- > 0;) {
        struct posix_tty_guard *guard = &posix_tty_guards[i];

        if (atomic_load(&guard->state) != POSIX_TTY_FREE && posix_tty_ours(guard->fd)) {
            (void)tcsetattr(guard->fd, TCSANOW, &guard->saved); /* a hung-up line has no mode */
        }
    }
}

static void posix_tty_resume_all(void)
{
    for (size_t i = 0; i < POSIX_TTY_GUARDS; i++) {
        struct posix_tty_guard *guard = &posix_tty_guards[i];

        if (atomic_load(&guard->state) == POSIX_TTY_HELD && posix_tty_ours(guard->fd)) {
            (void)tcsetattr(guard->fd, TCSANOW, &guard->mode); /* as above */
            (void)atomic_fetch_add(&guard->resumed, 1u);
        }
    }
}

static void posix_tty_wake_all(void)
{
    for (size_t i = 0; i < POSIX_TTY_GUARDS; i++) {
        if (atomic_load(&posix_tty_guards[i].state) != POSIX_TTY_FREE) {
            (void)eventfd_write(posix_tty_guards[i].wake_fd, 1); /* full: it is awake already */
        }
    }
}

/* Lets the system's own action happen, now: the program ends here, or stops and comes back. */
static void posix_tty_default(int number, const struct sigaction *old)
{
    struct sigaction ours;
    sigset_t one;
    sigset_t before;

    (void)sigaction(number, old, &ours); /* these cannot fail for valid arguments */
    (void)sigemptyset(&one);
    (void)sigaddset(&one, number);
    (void)raise(number);
    (void)pthread_sigmask(SIG_UNBLOCK, &one, &before);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)sigaction(number, &ours, NULL);
}

static void posix_tty_handle(int number, siginfo_t *info, void *context)
{
    int kept_errno = errno;
    size_t i = 0;
    const struct sigaction *old;

    while (posix_tty_signals[i] != number) {
        i++;
    }
    old = &posix_tty_old[i];
    if (number != SIGCONT) {
        posix_tty_restore_all();
    }
    if ((old->sa_flags & SA_SIGINFO) != 0) {
        old->sa_sigaction(number, info, context);
    } else if (old->sa_handler != SIG_DFL) {
        old->sa_handler(number);
    } else if (number != SIGCONT) {
        posix_tty_default(number, old);
    }
    if (number != SIGCONT && number != SIGTSTP) {
        (void)atomic_fetch_add(&posix_tty_interrupted, 1u);
    }
    posix_tty_resume_all();
    posix_tty_wake_all();
    errno = kept_errno;
}

static bool posix_tty_is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == posix_tty_handle;
}

static bool posix_tty_ignored(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) == 0 && action->sa_handler == SIG_IGN;
}

static void posix_tty_install(void)
{
    struct sigaction ours;

    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = posix_tty_handle;
    ours.sa_flags = SA_SIGINFO;
    (void)sigemptyset(&ours.sa_mask);
    for (size_t i = 0; i < POSIX_TTY_SIGNALS; i++) {
        (void)sigaddset(&ours.sa_mask, posix_tty_signals[i]);
    }
    for (size_t i = 0; i < POSIX_TTY_SIGNALS; i++) {
        /* Asked for first: our handler may run as soon as it is there. */
        (void)sigaction(posix_tty_signals[i], NULL, &posix_tty_old[i]);
        /* What is ignored (nohup) stays so. */
        if (!posix_tty_ignored(&posix_tty_old[i])) {
            (void)sigaction(posix_tty_signals[i], &ours, NULL);
        }
    }
}

static void posix_tty_uninstall(void)
{
    for (size_t i = 0; i < POSIX_TTY_SIGNALS; i++) {
        struct sigaction now;

        /* The program may have put a handler of its own over ours. */
        if (sigaction(posix_tty_signals[i], NULL, &now) == 0 && posix_tty_is_ours(&now)) {
            (void)sigaction(posix_tty_signals[i], &posix_tty_old[i], NULL);
        }
    }
}

static int posix_tty_set(int fd, int action, const struct termios *mode)
{
    int result;

    do {
        result = tcsetattr(fd, action, mode);
    } while (result != 0 && errno == EINTR);
    return result;
}

static void posix_tty_free(struct posix_tty_guard *guard)
{
    atomic_store(&guard->state, POSIX_TTY_FREE);
    posix_tty_held--;
    if (posix_tty_held == 0) {
        posix_tty_uninstall();
    }
}

static int posix_tty_enter_locked(int fd, const struct termios *mode, int action)
{
    int i = 0;
    struct posix_tty_guard *guard;
    struct termios now;

    while (i < POSIX_TTY_GUARDS && atomic_load(&posix_tty_guards[i].state) != POSIX_TTY_FREE) {
        i++;
    }
    if (i == POSIX_TTY_GUARDS) {
        return LK_E_LIMIT;
    }
    guard = &posix_tty_guards[i];
    if (tcgetattr(fd, &guard->saved) != 0) {
        return LK_E_IO;
    }
    if (guard->wake_fd < 0) {
        guard->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (guard->wake_fd < 0) {
            return LK_E_IO;
        }
    }
    guard->fd = fd;
    guard->mode = *mode;
    atomic_store(&guard->resumed, 0u);
    if (posix_tty_held == 0) {
        posix_tty_install();
    }
    posix_tty_held++;
    atomic_store(&guard->state, POSIX_TTY_HELD);
    /* tcsetattr is content when any part of the mode could be set; the echo must be that part. */
    if (posix_tty_set(fd, action, mode) != 0 || tcgetattr(fd, &now) != 0 ||
        ((now.c_lflag ^ mode->c_lflag) & (tcflag_t)(ECHO | ICANON)) != 0) {
        atomic_store(&guard->state, POSIX_TTY_LEAVING);
        (void)posix_tty_set(fd, TCSANOW, &guard->saved); /* it is being given up as broken */
        posix_tty_free(guard);
        return LK_E_IO;
    }
    return i;
}

int lk_posix_tty_enter(int fd, const struct termios *mode, int action)
{
    int result;

    (void)pthread_mutex_lock(&posix_tty_mutex); /* static and never taken twice: cannot fail */
    result = posix_tty_enter_locked(fd, mode, action);
    (void)pthread_mutex_unlock(&posix_tty_mutex);
    return result;
}

void lk_posix_tty_leave(int guard)
{
    struct posix_tty_guard *left = &posix_tty_guards[guard];

    (void)pthread_mutex_lock(&posix_tty_mutex); /* as above */
    atomic_store(&left->state, POSIX_TTY_LEAVING);
    if (posix_tty_ours(left->fd)) {
        (void)posix_tty_set(left->fd, TCSADRAIN, &left->saved); /* a hung-up line has no mode */
    }
    posix_tty_free(left);
    (void)pthread_mutex_unlock(&posix_tty_mutex);
}

int lk_posix_tty_wait(int guard, int fd, short events, int timeout_ms)
{
    /* poll() passes over a negative descriptor. */
    struct pollfd both[2] = {
        {.fd = fd, .events = events},
        {.fd = guard < 0 ? -1 : posix_tty_guards[guard].wake_fd, .events = POLLIN},
    };
    eventfd_t signals;

    if (fd < 0) {
        return LK_E_IO;
    }
    if (poll(both, 2, timeout_ms) < 0) {
        return errno == EINTR ? 0 : LK_E_IO;
    }
    if (both[1].revents != 0) {
        (void)eventfd_read(both[1].fd, &signals); /* the counts say what happened */
        return 0;
    }
    return both[0].revents;
}

unsigned lk_posix_tty_resumed(int guard)
{
    return atomic_load(&posix_tty_guards[guard].resumed);
}

unsigned lk_posix_tty_interrupts(void)
{
    return atomic_load(&posix_tty_interrupted);
}
