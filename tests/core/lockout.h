// SPDX-License-Identifier: MIT
/* lockout.h: attempts to log in, from anywhere, for the tests of what holds them back. */
#ifndef LK_TEST_LOCKOUT_H
#define LK_TEST_LOCKOUT_H

#include "bench.h"

#include "lk_login.h"

#define LOCKOUT_RIGHT "the right secret"
#define LOCKOUT_WRONG "a wrong secret"

/* Everything that a stranger is told. */
struct lockout_answer {
    int error;
    uint32_t wait_s;
};

struct lockout_try {
    const char *name, *password;
    enum lk_channel channel;
    uint32_t source;    /* an IPv4 address; 0: none */
    const char *cookie; /* or NULL */
    const char *tenant; /* one that is not there; NULL: the bench's */
};

/* Tries; the problem must say just what the answer does. */
struct lockout_answer lockout_try(struct bench *bench, const struct lockout_try *one);
/* On the network, from nowhere in particular. */
int lockout_network(struct bench *bench, const char *name, const char *password);
int lockout_console(struct bench *bench, const char *name, const char *password);
/* Failures of a name on the network, waiting out every delay; answers the last delay. */
uint32_t lockout_fail(struct bench *bench, const char *name, unsigned count);
/* A user with LOCKOUT_RIGHT as the password. */
struct lk_id lockout_user(struct bench *bench, const char *name);
/* Gives the user a device. */
void lockout_device(struct bench *bench, struct lk_id user, char cookie[LK_TOKEN_SIZE]);
struct lk_activity lockout_counts(struct bench *bench, struct lk_id user);
void lockout_policy(struct bench *bench, uint32_t tenant, const char *word);

struct lockout_meter {
    uint64_t hashes, foreign, puts, bytes;
};
/* A bench where password hashes cost almost nothing and are counted, as are bytes put. "$x$" and
 * the password is another program's hash. The administrator's password is LOCKOUT_RIGHT. */
struct bench *lockout_open(struct lockout_meter **counts);

#endif
