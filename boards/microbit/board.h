// SPDX-License-Identifier: MIT
/* board.h: what the files of this board share. */
#ifndef BOARD_H
#define BOARD_H

#include "firmware.h"

extern const struct lk_cli_command board_commands[];

#endif
