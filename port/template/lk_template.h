// SPDX-License-Identifier: MIT
/*
 * lk_template.h: the port of a platform that has nothing yet. It compiles, and every service
 * answers "unsupported".
 *
 * To bring the store to a new platform: copy this folder to port/<name>/, replace "template" by the
 * name, and fill in the functions from the top: the clock and entropy first, since a store cannot
 * even be made without them, then the secret, the crypto, the console. The comment at each function
 * says what it has to supply; lk_port.h has the exact rules. A service the platform does not have
 * is a NULL pointer in the port. The folder port/fake/ shows a complete port without hardware.
 */
#ifndef LK_TEMPLATE_H
#define LK_TEMPLATE_H

#include "lk_port.h"

/* What the functions need to know of the platform: register addresses, handles, buffers. Allocated
 * by the board, usually statically, and handed to every function as `self`. */
struct lk_template {
    struct lk_port port;
};

/* The part itself, which the storage on it names too. */
extern const struct lk_flash lk_template_flash;

/* Starts the platform's devices and fills `port`. 0, or an error after which nothing is running. */
int lk_template_init(struct lk_template *platform);

#endif
