// SPDX-License-Identifier: MIT
/* lk_posix_prompt.c: a password from a terminal without echo, or a line from a pipe. */
#define _GNU_SOURCE

#include "lk_posix_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

struct posix_prompt {
    int fd;
    int tty; /* the guard; -1: not a terminal */
    const char *text;
    unsigned resumed;
    unsigned interrupts;
};

/* Nobody can be told when this fails; the reading goes on. */
static void posix_prompt_show(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    size_t done = 0;
    int fd = open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    int out = fd < 0 ? STDERR_FILENO : fd;

    while (done < size) {
        ssize_t put = write(out, text + done, size - done);

        if (put >= 0) {
            done += (size_t)put;
        } else if (errno != EINTR) {
            break;
        }
    }
    if (fd >= 0) {
        (void)close(fd); /* as above */
    }
}

/* One byte, unbuffered. 1, 0 at the end of input, LK_E_NOT_FOUND when interrupted, LK_E_IO. */
static int posix_prompt_byte(struct posix_prompt *prompt, char *byte)
{
    for (;;) {
        int ready;
        ssize_t got;

        if (prompt->tty >= 0) {
            unsigned resumed = lk_posix_tty_resumed(prompt->tty);

            if (lk_posix_tty_interrupts() != prompt->interrupts) {
                return LK_E_NOT_FOUND;
            }
            if (resumed != prompt->resumed) {
                prompt->resumed = resumed;
                posix_prompt_show(prompt->text); /* the shell has written over it */
            }
        }
        ready = lk_posix_tty_wait(prompt->tty, prompt->fd, POLLIN, -1);
        if (ready < 0) {
            return ready;
        }
        if (ready == 0) {
            continue;
        }
        got = read(prompt->fd, byte, 1);
        if (got >= 0) {
            return (int)got;
        }
        if (errno == EIO && prompt->tty >= 0) {
            return 0; /* hung up */
        }
        if (errno != EINTR && errno != EAGAIN) {
            return LK_E_IO;
        }
    }
}

/* Counts what does not fit, up to `size`, so that a line without end is only known to be too long.
 */
static void posix_prompt_put(char *out, size_t size, size_t *count, char byte)
{
    if (*count < size - 1) {
        out[*count] = byte;
    }
    if (*count < size) {
        *count += 1;
    }
}

static int posix_prompt_line(struct posix_prompt *prompt, char *out, size_t size)
{
    size_t count = 0;
    bool held_cr = false; /* belongs to the line only if no LF follows */
    bool has_nul = false;
    bool started = false;
    char byte = 0;
    int result;

    while ((result = posix_prompt_byte(prompt, &byte)) == 1 && byte != '\n') {
        started = true;
        if (held_cr) {
            posix_prompt_put(out, size, &count, '\r');
        }
        held_cr = byte == '\r';
        if (!held_cr) {
            has_nul = has_nul || byte == 0;
            posix_prompt_put(out, size, &count, byte);
        }
    }
    sodium_memzero(&byte, sizeof byte);
    if (result == 0 && held_cr) {
        posix_prompt_put(out, size, &count, '\r');
    }
    if (result == 0 && !started) {
        result = LK_E_NOT_FOUND;
    } else if (result >= 0 && has_nul) {
        result = LK_E_USAGE;
    } else if (result >= 0 && count == size) {
        result = LK_E_TOO_BIG;
    }
    if (result < 0) {
        sodium_memzero(out, size);
        return result;
    }
    out[count] = '\0';
    return (int)count;
}

int lk_posix_read_secret_line(int fd, const char *prompt, char *out, size_t size)
{
    struct posix_prompt state = {.fd = fd, .tty = -1, .text = prompt};
    struct termios mode;
    int result;

    if (out == NULL || size == 0 || size > INT_MAX) {
        return LK_E_ARGUMENT;
    }
    sodium_memzero(out, size);
    if (isatty(fd)) {
        if (tcgetattr(fd, &mode) != 0) {
            return LK_E_IO;
        }
        mode.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        mode.c_lflag |= (tcflag_t)(ICANON | ISIG);
        mode.c_iflag |= (tcflag_t)ICRNL;
        state.interrupts = lk_posix_tty_interrupts();
        state.tty = lk_posix_tty_enter(fd, &mode, TCSAFLUSH);
        if (state.tty < 0) {
            return state.tty;
        }
        posix_prompt_show(prompt);
    }
    result = posix_prompt_line(&state, out, size);
    if (state.tty >= 0) {
        posix_prompt_show("\n"); /* Enter was not echoed */
        lk_posix_tty_leave(state.tty);
    }
    return result;
}
