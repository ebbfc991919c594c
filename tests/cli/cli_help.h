// SPDX-License-Identifier: MIT
/* cli_help.h: the command line on a store in memory and the fake port. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lk_cli_console.h"
#include "lk_cli_host.h"
#include "lk_fake.h"
#include "lk_ram.h"

#define CLI_PASSWORD "correct horse"

struct cli_text {
    char data[65536];
    size_t size;
};

struct cli_bench {
    struct lk_fake fake;
    struct lk_ram ram;
    struct lk_store store;
    struct lk_config config;
    void *memory;
    void *store_work;
    struct lk_cli cli;
    struct lk_cli_work work;
    struct lk_cli_out out_stream, err_stream;
    struct cli_text out, err; /* of the last command */
    const char *input;        /* what standard input still holds */
    char line[1024], history[512];
    struct lk_cli_console console;
};

/* A store with tenant "main" and administrator "admin", whose password is CLI_PASSWORD. */
int cli_setup(void **state);
int cli_teardown(void **state);

/* Runs a command line as a program's arguments would; answers the exit status. */
int cli_run(struct cli_bench *bench, const char *line);
/* The same, where 0 is expected. */
const char *cli_ok(struct cli_bench *bench, const char *line);
/* Fails the test unless the status is `status` and the error holds `text`. */
void cli_fails(struct cli_bench *bench, int status, const char *line, const char *text);
bool cli_has(const struct cli_text *text, const char *part);
/* A line of its output without the end. */
void cli_first_line(const struct cli_text *text, char *out, size_t size);

void cli_type(struct cli_bench *bench, const char *text);
/* What was typed goes through a console session; answers what it wrote. */
const char *cli_console(struct cli_bench *bench);
/* Fail the test unless the console wrote the text, or did not. */
void cli_shows(struct cli_bench *bench, const char *text);
void cli_hides(struct cli_bench *bench, const char *text);

#endif
