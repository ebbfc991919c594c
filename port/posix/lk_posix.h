// SPDX-License-Identifier: MIT
/*
 * lk_posix.h: the port of Linux: the system's clock and entropy, a device secret kept in a file or
 * handed over as a file descriptor, a terminal or a serial line as the console, libsodium and the
 * hashes of other programs.
 *
 * Limitations: nothing here makes the secret safer than the place it lies in. A secret file beside
 * the store protects nothing once the two are stolen together: put it on another medium, or let a
 * service manager, a TPM or a smart card hand it over through `secret_fd`. There is no hardware
 * counter, no NOR flash, and the system's clock is not set from here. Boots are told apart by
 * /proc/sys/kernel/random/boot_id: where it is hidden from a process (ProcSubset=pid), each opening
 * of a store counts as a boot, and sessions that other processes made may be over there.
 *
 * Threads: any number may use one port, but only one its console. lk_posix_init() and
 * lk_posix_close() must run alone. While a terminal is raw or its echo is off, this port handles
 * SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP and SIGCONT: it puts the terminal back, lets the signal
 * do what it would have done, the program's own handlers included, and goes on where that returns.
 * A program that installs handlers for these must do it before.
 */
#ifndef LK_POSIX_H
#define LK_POSIX_H

#include "lk_port.h"

#include <pthread.h>
#include <stdatomic.h>

struct lk_posix_config {
    /*
     * A file of exactly 32 raw bytes: regular, no symbolic link, owned by this user or root, not
     * readable or writable by anybody else. NULL: none. Must outlive the port.
     */
    const char *secret_path;
    /*
     * A descriptor that gives exactly 32 bytes and then ends, read once by lk_posix_init() and left
     * open. 0 or less: none. Who opened it has decided who may; nothing is checked but the size.
     */
    int secret_fd;
};

struct lk_posix_console_config {
    /* A serial line, set to 8N1 without flow control, or "unix:PATH", a socket that something
     * listens on; NULL: the fds. */
    const char *device;
    uint32_t baud;     /* of a serial line; 0: 115200 */
    uint32_t write_ms; /* that a device may take nothing; 0: for ever */
    int in_fd;         /* 0: standard input */
    int out_fd;        /* 0: standard output */
};

struct lk_posix {
    struct lk_port port; /* what the store is given */

    /* Private. */
    struct lk_crypto crypto;
    atomic_uint_least64_t clock_seen; /* second << 2 | quality, when the kernel was last asked */
    pthread_mutex_t mutex;
    const char *secret_path;
    bool secret_given;
    uint8_t secret[LK_DEVICE_SECRET_SIZE]; /* as read from secret_fd */
    struct {
        bool open;
        int in_fd;
        int out_fd;
        int device_fd; /* to be closed; -1: none */
        uint32_t write_ms;
        int tty;             /* its guard, lk_posix_tty.h; -1: not a terminal */
        unsigned interrupts; /* seen when it was opened */
    } console;
};

/*
 * Fills `posix`, whose `port` then serves until lk_posix_close(). `config` may be NULL. The secret
 * file is not looked at yet: a store that is being made makes it.
 * LK_E_ARGUMENT: both secret_path and secret_fd. LK_E_SECRET: secret_fd does not give 32 bytes.
 * LK_E_IO: it cannot be read.
 * LK_E_CRYPTO: libsodium does not start. After an error there is nothing to close.
 */
int lk_posix_init(struct lk_posix *posix, const struct lk_posix_config *config);

/* Closes the console if it is open, and wipes. */
void lk_posix_close(struct lk_posix *posix);

/*
 * Says why the device secret cannot be had: 0 and NULL, or the code that reading it gives and a
 * constant sentence that follows the words "device secret".
 */
int lk_posix_secret_check(const struct lk_posix *posix, const char **rule);

/*
 * Gives the port a console (`config` may be NULL: standard input and output). A terminal goes to
 * raw input: no echo, no line editing, ^C and ^Z are bytes, Enter is CR; on output LF still becomes
 * CR LF. Anything else is read and written as it is. Put back by lk_posix_console_close() and
 * before a signal ends or stops the program. A signal that the program handles itself, and whose
 * default would end it, makes the console's read answer LK_E_NOT_FOUND.
 * A device that takes nothing for `write_ms` makes the write answer LK_E_BUSY.
 * LK_E_STATE: it is open already. LK_E_NOT_FOUND: no such device, or nobody listens. LK_E_ARGUMENT:
 * the device is not a terminal, or has no such baud rate. LK_E_BUSY: another program has it for
 * itself. LK_E_IO.
 */
int lk_posix_console_open(struct lk_posix *posix, const struct lk_posix_console_config *config);
void lk_posix_console_close(struct lk_posix *posix);

/*
 * Reads one line that nobody may see. From a terminal: `prompt` (may be NULL) is written to the
 * controlling terminal, or standard error where there is none, echo is off, and what was typed
 * before is thrown away. From anything else: no prompt, and not one byte beyond the line is taken,
 * so that the next call gets the next line. The line ends in LF, CR LF or the end of input, which
 * do not belong to it. Answers the number of bytes before the terminating NUL (0: an empty line).
 * LK_E_NOT_FOUND: end of input, or interrupted. LK_E_TOO_BIG: over size - 1 bytes. LK_E_USAGE: a
 * NUL byte. For these two the rest of the line is consumed. LK_E_IO. On error `out` is wiped.
 */
int lk_posix_read_secret_line(int fd, const char *prompt, char *out, size_t size);

#endif
