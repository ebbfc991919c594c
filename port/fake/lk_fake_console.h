// SPDX-License-Identifier: MIT
/* lk_fake_console.h: what the files of this folder share. Private to it. */
#ifndef LK_FAKE_CONSOLE_H
#define LK_FAKE_CONSOLE_H

#include "lk_fake.h"

extern const struct lk_console lk_fake_console;

/* Counts a call through the port; true when it has to fail. */
bool lk_fake_call_fails(struct lk_fake *fake);

#endif
