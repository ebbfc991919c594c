// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * main.c: the program `latchkey`: arguments to a command of the tables, on a store in a directory.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lk_cli_host.h"
#include "lk_json.h"
#include "lk_linux.h"
#include "lk_posix.h"
#include "lk_qr.h"
#include "lk_transfer.h"

#define MAIN_LINE_MAX 16384

static const struct lk_cli_option main_options[] = {
    {"db", "DIR", "directory of the store"},
    {"storage", "STORAGE",
     "the store is in a flash image: flash:IMAGE[,sector=4K,count=256,unit=4]"},
    {"secret", "FILE", "file of the device secret (\"secret\" in the store's directory)"},
    {"version", NULL, "tell the version of the program"},
    {NULL, NULL, NULL},
};

static const struct lk_cli_command *const main_tables[] = {
    lk_cli_host_commands,
    lk_transfer_commands,
    lk_cli_commands,
    NULL,
};

/* Standard output is gathered; what is written to standard error comes after it. */
struct main_stream {
    int fd;
    struct main_stream *before; /* to be written out first */
    int error;                  /* the first, told at the end */
    size_t size;
    char data[16384];
};

struct main_program {
    struct lk_host_front front; /* first: the handlers of import and export expect it */
    struct lk_cli_host host;
    struct lk_cli_out out, err;
    struct main_stream out_stream, err_stream;
    struct lk_cli_work work;
    char directory[4096];
    struct lk_posix console;
};

static const char *main_given(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

/* ---- Streams --------------------------------------------------------------------------------- */

static int main_write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t count = write(fd, data, size);

        if (count < 0 && errno == EAGAIN) {
            struct pollfd one = {.fd = fd, .events = POLLOUT};

            (void)poll(&one, 1, -1); /* the next write tells what is wrong */
        } else if (count < 0 && errno != EINTR) {
            return LK_E_IO;
        }
        data += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

static int main_flush(struct main_stream *stream)
{
    int error = stream->error ? 0 : main_write_all(stream->fd, stream->data, stream->size);

    stream->size = 0;
    stream->error = stream->error ? stream->error : error;
    return stream->error;
}

static int main_write(void *context, const void *data, size_t size)
{
    struct main_stream *stream = context;
    const char *from = data;
    int error = 0;

    if (stream->before) {
        (void)main_flush(stream->before); /* its own end tells of its errors */
        return main_write_all(stream->fd, data, size);
    }
    while (!error && size) {
        size_t room = sizeof(stream->data) - stream->size;
        size_t part = size < room ? size : room;

        memcpy(stream->data + stream->size, from, part);
        stream->size += part;
        from += part;
        size -= part;
        if (stream->size == sizeof(stream->data)) {
            error = main_flush(stream);
        }
    }
    return error;
}

/* ---- What commands ask of the place ---------------------------------------------------------- */

static int main_store_refused(struct main_program *program, int error)
{
    struct lk_cli *cli = &program->host.cli;

    if (error == LK_E_NOT_FOUND && !program->front.config.storage) {
        return lk_cli_refuse(cli, error, "store", program->front.config.directory,
                             "holds none; latchkey init makes one");
    }
    if (error == LK_E_EXISTS && !program->front.config.storage) {
        return lk_cli_refuse(cli, error, "store", program->front.config.directory,
                             "holds something already");
    }
    return lk_host_problem() ? lk_cli_refuse(cli, error, NULL, NULL, lk_host_problem()) : error;
}

static int main_open(void *self, bool read_only, struct lk_store **store)
{
    struct main_program *program = self;
    int error;

    program->front.config.read_only = read_only;
    error = lk_host_open(&program->front.config, &program->front.host);
    if (error) {
        return main_store_refused(program, error);
    }
    *store = lk_host_store(program->front.host);
    return 0;
}

static int main_create(void *self, const struct lk_create_request *request,
                       struct lk_create_result *result)
{
    struct main_program *program = self;
    int error = lk_host_create(&program->front.config, request, result);

    return error ? main_store_refused(program, error) : 0;
}

static int main_erase(void *self)
{
    struct main_program *program = self;
    int error = lk_host_erase(&program->front.config);

    return error ? main_store_refused(program, error) : 0;
}

static int main_option(void *self, const char *name, const char *value)
{
    struct main_program *program = self;

    if (strcmp(name, "db") == 0) {
        program->front.config.directory = value;
        program->front.config.storage = NULL; /* the last one counts */
    } else if (strcmp(name, "storage") == 0) {
        program->front.config.storage = value;
    } else if (strcmp(name, "secret") == 0) {
        program->front.config.secret_path = value;
    }
    return value[0] || strcmp(name, "version") == 0 ? 0 : LK_E_USAGE;
}

/* One line, by the port: it takes no byte too many, and turns echo off on a terminal. */
static int main_line(struct main_program *program, const char *prompt, uint8_t *out, size_t size,
                     size_t *got)
{
    static char line[MAIN_LINE_MAX];
    size_t room = size + 1 < sizeof(line) ? size + 1 : sizeof(line);
    int count;

    (void)main_flush(&program->out_stream); /* its own end tells of its errors */
    count = lk_posix_read_secret_line(STDIN_FILENO, prompt, line, room);
    if (count >= 0) {
        memcpy(out, line, (size_t)count);
        *got = (size_t)count;
    }
    explicit_bzero(line, sizeof(line));
    return count >= 0 ? 0 : count == LK_E_TOO_BIG ? LK_E_SPACE : count;
}

static int main_read_secret(void *self, const char *prompt, uint8_t *out, size_t size, size_t *got)
{
    return isatty(STDIN_FILENO) ? main_line(self, prompt, out, size, got) : LK_E_UNSUPPORTED;
}

static int main_read_line(void *self, const char *prompt, uint8_t *out, size_t size, size_t *got)
{
    return main_line(self, prompt, out, size, got);
}

static int main_confirm(void *self, const char *question)
{
    struct main_program *program = self;
    char answer[64];
    ssize_t count;

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        return LK_E_UNSUPPORTED;
    }
    lk_cli_put(&program->err, question);
    lk_cli_put(&program->err, " [y/N] ");
    do {
        count = read(STDIN_FILENO, answer, sizeof(answer));
    } while (count < 0 && errno == EINTR);
    return count > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

/* The store is not open yet: LMDB's file may not be shared across a fork. */
static int main_isolate(void *self, int *status, bool *crashed)
{
    struct main_program *program = self;
    pid_t child;
    int wait_status = 0;

    (void)main_flush(&program->out_stream); /* else both would write it */
    child = fork();
    if (child < 0) {
        return LK_E_IO;
    }
    if (child == 0) {
        return 0;
    }
    while (waitpid(child, &wait_status, 0) < 0) {
        if (errno != EINTR) {
            return LK_E_IO;
        }
    }
    *crashed = !WIFEXITED(wait_status);
    *status = *crashed ? 0 : WEXITSTATUS(wait_status);
    return 1;
}

static int main_check_medium(void *self, struct lk_store *store)
{
    const struct lk_storage_ops *ops = store->storage->ops;

    (void)self;
    return ops->check ? ops->check(store->storage, NULL, NULL) : 0;
}

static int main_compact(void *self, struct lk_store *store)
{
    const struct lk_storage_ops *ops = store->storage->ops;

    (void)self;
    return ops->compact ? ops->compact(store->storage)
                        : lk_host_pack(lk_host_of(store), NULL, NULL);
}

/* On the console it is drawn for the person there. */
static int main_qr(void *self, struct lk_span text, struct lk_cli_out *out, unsigned width)
{
    struct main_program *program = self;
    bool terminal = out == &program->out   ? isatty(STDOUT_FILENO)
                    : out == &program->err ? isatty(STDERR_FILENO)
                                           : true;

    return lk_qr_draw(text, out, width, terminal && !main_given("NO_COLOR"));
}

static const struct lk_cli_env main_env = {
    .open = main_open,
    .create = main_create,
    .erase = main_erase,
    .option = main_option,
    .read_secret = main_read_secret,
    .read_line = main_read_line,
    .confirm = main_confirm,
    .map_parse = lk_json_to_cbor,
    .isolate = main_isolate,
    .compact = main_compact,
    .check_medium = main_check_medium,
    .qr = main_qr,
};

/* ---- The console ----------------------------------------------------------------------------- */

static volatile sig_atomic_t main_signalled;

static void main_on_signal(int number)
{
    main_signalled = number;
}

static void main_watch_signals(void)
{
    struct sigaction action = {.sa_handler = main_on_signal};

    (void)sigaction(SIGINT, &action, NULL); /* fails for no signal of these */
    (void)sigaction(SIGTERM, &action, NULL);
}

static bool main_stopped(void *self)
{
    (void)self;
    return main_signalled != 0;
}

static int main_console_open(void *self, const struct lk_cli_host_line *line,
                             const struct lk_console **console, void **console_self)
{
    struct main_program *program = self;
    struct lk_posix_console_config config = {
        .device = line->device, .baud = line->baud, .write_ms = line->write_ms};
    int error;

    if (line->caller) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};

        main_watch_signals();
        (void)sigaction(SIGHUP, &(struct sigaction){.sa_handler = main_on_signal}, NULL);
        (void)sigaction(SIGPIPE, &ignore, NULL); /* a socket that is gone: the write tells */
    }
    error = lk_posix_init(&program->console, NULL);

    if (error) {
        return error;
    }
    (void)main_flush(&program->out_stream); /* its own end tells of its errors */
    error = lk_posix_console_open(&program->console, &config);
    if (error) {
        lk_posix_close(&program->console);
        return lk_cli_refuse(&program->host.cli, error == LK_E_ARGUMENT ? LK_E_USAGE : error,
                             line->caller ? "device" : "tty", line->device,
                             error == LK_E_NOT_FOUND ? "does not exist"
                             : error == LK_E_ARGUMENT && line->caller
                                 ? "is not a terminal, or has no such speed"
                             : error == LK_E_ARGUMENT ? "is not a terminal"
                             : error == LK_E_BUSY     ? "is used by another program"
                                                      : "cannot be opened");
    }
    *console = program->console.port.console;
    *console_self = program->console.port.self;
    return 0;
}

static void main_console_close(void *self)
{
    struct main_program *program = self;

    lk_posix_console_close(&program->console);
    lk_posix_close(&program->console);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* A file or /dev/null, as a service has it, is at its end from the beginning. */
static bool main_input_is_written(void)
{
    struct stat status;

    return fstat(STDIN_FILENO, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(STDIN_FILENO));
}

static int main_wait(void *self, uint32_t ms)
{
    struct main_program *program = self;
    struct pollfd input = {.fd = main_input_is_written() ? STDIN_FILENO : -1, .events = POLLIN};
    char dropped[256];
    int ready;

    main_watch_signals();
    if (main_flush(&program->out_stream)) {
        return 1;
    }
    ready = main_signalled ? 0 : poll(&input, 1, (int)ms);
    /* What is typed means nothing; its end does. */
    if (ready > 0 && read(STDIN_FILENO, dropped, sizeof(dropped)) == 0) {
        return 1;
    }
    return main_signalled != 0;
}

static const struct lk_cli_host_ops main_host_ops = {
    .console_open = main_console_open,
    .console_close = main_console_close,
    .wait = main_wait,
    .stopped = main_stopped,
};

/* ---- Start ----------------------------------------------------------------------------------- */

static const char *main_directory(struct main_program *program)
{
    const char *data = main_given("XDG_DATA_HOME");
    const char *home = main_given("HOME");
    int size;

    if (main_given("LATCHKEY_DB")) {
        return main_given("LATCHKEY_DB");
    }
    if (geteuid() == 0 || (!data && !home)) {
        return "/var/lib/latchkey";
    }
    size = snprintf(program->directory, sizeof(program->directory), "%s%s/latchkey",
                    data ? data : home, data ? "" : "/.local/share");
    return size > 0 && (size_t)size < sizeof(program->directory) ? program->directory
                                                                 : "/var/lib/latchkey";
}

static unsigned main_width(void)
{
    struct winsize size;

    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col
               ? size.ws_col
               : 80;
}

static void main_prepare(struct main_program *program)
{
    struct lk_cli *cli = &program->host.cli;

    program->out_stream.fd = STDOUT_FILENO;
    program->err_stream.fd = STDERR_FILENO;
    program->err_stream.before = &program->out_stream;
    program->out = (struct lk_cli_out){.write = main_write, .context = &program->out_stream};
    program->err = (struct lk_cli_out){.write = main_write, .context = &program->err_stream};
    program->front.config.directory = main_directory(program);
    program->front.config.storage = main_given("LATCHKEY_STORAGE");
    program->front.config.secret_path = main_given("LATCHKEY_SECRET");
    program->host.ops = &main_host_ops;
    cli->program = "latchkey";
    cli->tables = main_tables;
    cli->board_options = main_options;
    cli->env = &main_env;
    cli->self = program;
    cli->out = &program->out;
    cli->err = &program->err;
    cli->work = &program->work;
    cli->width = main_width();
    cli->progress = isatty(STDERR_FILENO);
    cli->terminal = isatty(STDOUT_FILENO);
    cli->tenant_name = main_given("LATCHKEY_TENANT");
}

static bool main_wants_version(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--version") == 0) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct main_program program;
    int status;

    main_prepare(&program);
    if (main_wants_version(argc, argv)) {
        lk_cli_put(&program.out, "latchkey " LK_VERSION "\n");
        status = LK_EXIT_DONE;
    } else {
        status = lk_cli_run(&program.host.cli, argc > 0 ? (size_t)argc - 1 : 0,
                            (const char *const *)argv + 1);
    }
    lk_txn_release(&program.work.txn);
    lk_host_close(program.front.host);
    if (main_flush(&program.out_stream) && status == LK_EXIT_DONE) {
        lk_cli_put(&program.err, "latchkey: the output cannot be written\n");
        status = LK_EXIT_STORE;
    }
    return status;
}
