// SPDX-License-Identifier: MIT
/* lk_posix_console.c: a terminal, a serial line, or a pair of pipes, as the console. */
#define _GNU_SOURCE

#include "lk_posix_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define POSIX_CONSOLE_COLUMNS 80u

/* Waits for `events`. 1 they came, 0 time ran out (`timeout_ms` 0: never), LK_E_NOT_FOUND, LK_E_IO.
 */
static int posix_console_wait(const struct lk_posix *posix, int fd, short events,
                              uint32_t timeout_ms)
{
    uint64_t start;
    uint64_t now;
    int error = lk_posix_clock_monotonic(NULL, &start);

    for (now = start; error == LK_OK; error = lk_posix_clock_monotonic(NULL, &now)) {
        uint64_t past = now - start;
        int wait_ms = -1;
        int ready;

        if (posix->console.tty >= 0 && lk_posix_tty_interrupts() != posix->console.interrupts) {
            return LK_E_NOT_FOUND;
        }
        if (timeout_ms != 0) {
            uint64_t left = past < timeout_ms ? timeout_ms - past : 0;

            wait_ms = left > INT_MAX ? INT_MAX : (int)left;
        }
        ready = lk_posix_tty_wait(posix->console.tty, fd, events, wait_ms);
        if (ready < 0) {
            return ready;
        }
        if (ready > 0) {
            /* What came before a hang-up is read first. */
            return (ready & events) != 0 ? 1 : LK_E_NOT_FOUND;
        }
        if (wait_ms == 0) {
            return 0;
        }
    }
    return error;
}

static int posix_console_read(void *self, uint8_t *byte, uint32_t timeout_ms)
{
    const struct lk_posix *posix = self;

    for (;;) {
        int ready = posix_console_wait(posix, posix->console.in_fd, POLLIN, timeout_ms);
        ssize_t got;

        if (ready != 1) {
            return ready;
        }
        got = read(posix->console.in_fd, byte, 1);
        if (got == 1) {
            return 1;
        }
        if (got == 0 || errno == EIO) {
            return LK_E_NOT_FOUND;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return LK_E_IO;
        }
    }
}

static int posix_console_write(void *self, const uint8_t *data, size_t size)
{
    const struct lk_posix *posix = self;
    size_t done = 0;

    while (done < size) {
        ssize_t put = write(posix->console.out_fd, data + done, size - done);

        if (put >= 0) {
            done += (size_t)put;
        } else if (errno == EAGAIN) {
            int ready =
                posix_console_wait(posix, posix->console.out_fd, POLLOUT, posix->console.write_ms);

            if (ready <= 0) {
                return ready < 0 ? ready : LK_E_BUSY;
            }
        } else if (errno == EPIPE) {
            return LK_E_NOT_FOUND;
        } else if (errno != EINTR) {
            return LK_E_IO;
        }
    }
    return LK_OK;
}

static unsigned posix_console_width(void *self)
{
    const struct lk_posix *posix = self;
    struct winsize window = {0};

    if (ioctl(posix->console.out_fd, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) {
        return POSIX_CONSOLE_COLUMNS;
    }
    return window.ws_col;
}

static const struct lk_console posix_console = {
    .read = posix_console_read,
    .write = posix_console_write,
    .width = posix_console_width,
};

/* B0, which hangs up, for a rate that there is not. */
static speed_t posix_console_speed(uint32_t baud)
{
    static const struct {
        uint32_t baud;
        speed_t speed;
    } speeds[] = {{0, B115200},       {1200, B1200},     {2400, B2400},     {4800, B4800},
                  {9600, B9600},      {19200, B19200},   {38400, B38400},   {57600, B57600},
                  {115200, B115200},  {230400, B230400}, {460800, B460800}, {921600, B921600},
                  {1000000, B1000000}};
    size_t i;

    for (i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        if (speeds[i].baud == baud) {
            return speeds[i].speed;
        }
    }
    return B0;
}

static int posix_console_raw(int fd, bool serial, uint32_t baud)
{
    speed_t speed = posix_console_speed(baud);
    struct termios mode;

    if (tcgetattr(fd, &mode) != 0) {
        return LK_E_IO;
    }
    mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode.c_oflag |= (tcflag_t)(OPOST | ONLCR);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    if (serial) {
        mode.c_iflag |= (tcflag_t)IGNBRK; /* a cable being plugged in is no input */
        mode.c_iflag &= ~(tcflag_t)(IXOFF | INPCK);
        mode.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | CSTOPB | CRTSCTS);
        mode.c_cflag |= (tcflag_t)(CS8 | CREAD | CLOCAL); /* three wires have no carrier */
        mode.c_oflag &= ~(tcflag_t)(OLCUC | OCRNL | ONOCR | ONLRET);
        if (speed == B0) {
            return LK_E_ARGUMENT;
        }
        if (cfsetispeed(&mode, speed) != 0 || cfsetospeed(&mode, speed) != 0) {
            return LK_E_IO;
        }
    }
    return lk_posix_tty_enter(fd, &mode, TCSADRAIN);
}

/* A descriptor, or an error. */
static int posix_console_open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;
    int error = 0;

    if (strlen(path) >= sizeof(address.sun_path)) {
        return LK_E_NOT_FOUND; /* nothing can listen there */
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return LK_E_IO;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        error = errno == EAGAIN                                                ? LK_E_BUSY
                : errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED ? LK_E_NOT_FOUND
                                                                               : LK_E_IO;
        (void)close(fd); /* nothing was written to it */
    }
    return error ? error : fd;
}

/* The same. It stays non-blocking where a write may not wait for ever. */
static int posix_console_open_device(const char *path, bool blocking)
{
    /* Non-blocking: the open of a serial line would wait for a carrier. */
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    int flags;

    if (fd < 0) {
        switch (errno) {
        case EBUSY: return LK_E_BUSY;
        case ENOENT:
        case ENOTDIR:
        case ENODEV:
        case ENXIO: return LK_E_NOT_FOUND;
        default: return LK_E_IO;
        }
    }
    if (!isatty(fd)) {
        (void)close(fd); /* nothing was written to it */
        return LK_E_ARGUMENT;
    }
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (blocking && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0)) {
        (void)close(fd); /* as above */
        return LK_E_IO;
    }
    (void)ioctl(fd, TIOCEXCL); /* a terminal program opened by mistake would steal input */
    return fd;
}

int lk_posix_console_open(struct lk_posix *posix, const struct lk_posix_console_config *config)
{
    static const struct lk_posix_console_config standard;
    int device_fd = -1;
    int in_fd;
    int out_fd;
    int tty = -1;

    if (posix->console.open) {
        return LK_E_STATE;
    }
    if (config == NULL) {
        config = &standard;
    }
    in_fd = config->in_fd;
    out_fd = config->out_fd == 0 ? STDOUT_FILENO : config->out_fd;
    if (config->device != NULL) {
        device_fd = strncmp(config->device, "unix:", 5) == 0
                        ? posix_console_open_socket(config->device + 5)
                        : posix_console_open_device(config->device, config->write_ms == 0);
        if (device_fd < 0) {
            return device_fd;
        }
        in_fd = device_fd;
        out_fd = device_fd;
    }
    posix->console.interrupts = lk_posix_tty_interrupts();
    if (isatty(in_fd)) {
        tty = posix_console_raw(in_fd, device_fd >= 0, config->baud);
        if (tty < 0) {
            if (device_fd >= 0) {
                (void)close(device_fd); /* nothing was written to it */
            }
            return tty;
        }
    }
    posix->console.in_fd = in_fd;
    posix->console.out_fd = out_fd;
    posix->console.device_fd = device_fd;
    posix->console.tty = tty;
    posix->console.write_ms = config->write_ms;
    posix->console.open = true;
    posix->port.console = &posix_console;
    return LK_OK;
}

void lk_posix_console_close(struct lk_posix *posix)
{
    if (!posix->console.open) {
        return;
    }
    posix->port.console = NULL;
    posix->console.open = false;
    if (posix->console.tty >= 0) {
        lk_posix_tty_leave(posix->console.tty);
    }
    if (posix->console.device_fd >= 0) {
        (void)ioctl(posix->console.device_fd, TIOCNXCL); /* the close may not be the last one */
        (void)close(posix->console.device_fd);           /* what was written was drained above */
    }
}
