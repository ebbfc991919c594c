// SPDX-License-Identifier: MIT
/* board.h: what the files of this board share. */
#ifndef BOARD_H
#define BOARD_H

#include "lk_cli.h"

extern const struct lk_cli_command board_commands[];

/* main.c */
lk_cli_handler board_stats, board_reboot;

#endif
