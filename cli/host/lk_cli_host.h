// SPDX-License-Identifier: MIT
/*
 * lk_cli_host.h: commands for machines with files, beside those of lk_transfer.h: making a store,
 * the console on a terminal or a serial line, the manual, completion. May allocate.
 */
#ifndef LK_CLI_HOST_H
#define LK_CLI_HOST_H

#include "lk_cli.h"

struct lk_cli_host_line {
    const char *device;
    uint32_t baud;     /* 0: the usual */
    uint32_t write_ms; /* that it may take nothing; 0: for ever */
    bool caller;       /* the console is at the other end; signals are for `stopped` to tell */
};

struct lk_cli_host_ops {
    /* A serial line, or (device NULL) the terminal that the program runs on. */
    int (*console_open)(void *self, const struct lk_cli_host_line *line,
                        const struct lk_console **console, void **console_self);
    void (*console_close)(void *self);
    /* What was written is seen; then `ms` pass. 0, or 1 when it is time to end: a signal, or the
     * end of a standard input that somebody writes to. */
    int (*wait)(void *self, uint32_t ms);
    /* A signal came that would have ended the program; asked of a line with `caller`. */
    bool (*stopped)(void *self);
};

/* What a program on a host runs commands with. */
struct lk_cli_host {
    struct lk_cli cli; /* first, so that handlers find the rest */
    const struct lk_cli_host_ops *ops;
};

/* To be put before lk_cli_commands. */
extern const struct lk_cli_command lk_cli_host_commands[];

lk_cli_handler lk_cli_init, lk_cli_erase, lk_cli_console, lk_cli_attached, lk_cli_rekey;
lk_cli_handler lk_cli_host_help;
lk_cli_handler lk_cli_audit_follow, lk_cli_audit_archive;
lk_cli_handler lk_cli_flash_dump, lk_cli_flash_verify;

/* The manual page, in roff (man(7)). */
void lk_cli_man(struct lk_cli *cli);
/* A completion script for bash. */
void lk_cli_bash(struct lk_cli *cli);

#endif
