// SPDX-License-Identifier: MIT
/*
 * lk_cli_console.h: a person at a terminal or a serial line: login, then commands, each checked
 * against the permissions of the session and audited with the channel "console".
 *
 * Nothing of the store can be reached before the login. The session ends with logout, exit or ^D,
 * when nothing was typed for a while, and when the line is hung up. A program at the other end has
 * its own form of lines (lk_frame.h).
 */
#ifndef LK_CLI_CONSOLE_H
#define LK_CLI_CONSOLE_H

#include "lk_cli.h"
#include "lk_frame.h"
#include "lk_line.h"

#define LK_CLI_CONSOLE_IDLE_MS 600000 /* where the front end says nothing else */

struct lk_cli_console {
    /* Filled by the front end. */
    struct lk_cli
        *cli; /* with tables, work, store (or env->open) and widths; its outputs are set */
    const struct lk_console *console;
    void *console_self;
    uint32_t idle_ms;
    bool once; /* end after one session, or when ^D is typed at the login */
    char *line;
    size_t line_size; /* 256 or more: a password must fit */
    char *history;    /* may be NULL */
    size_t history_size;
    /* Private. */
    struct lk_line editor;
    struct lk_cli_session session;
    const struct lk_cli_env *outer;
    struct lk_cli_env env;
    void *outer_self;
    enum lk_line_event over; /* how the line ended, where it did */
    struct lk_cli_out out, err;
    struct lk_frame frame;
};

/* Until the line is hung up or, with `once`, the session is over. Answers enum lk_cli_exit. */
int lk_cli_console_run(struct lk_cli_console *console);

#endif
