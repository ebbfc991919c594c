// SPDX-License-Identifier: MIT
/*
 * transfer_help.h: what the tests of import and export share. The hashes were made by
 * mosquitto_passwd 2.0.11, htpasswd 2.4.62, mkpasswd 5.5.17 and argon2 of Debian 12; the password
 * of each is "correct horse".
 */
#ifndef TRANSFER_HELP_H
#define TRANSFER_HELP_H

#include "lk_linux.h"
#include "lk_transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MOSQUITTO                                                                                  \
    "$7$101$hBKNYqcZzfYPBkwe$4ueZOif5UF9APzwdAf9yMdKhlYJ+1UapZe7zJka7v7ACfGVFgalrxzA5nP85lKIP+"    \
    "1sSQVfchhjqaKobnxPchw=="
#define MOSQUITTO_OLD                                                                              \
    "$6$BBLEZsdVndwy2kXk$OIAtXcpRCSFVltZXO6tdF2s30wLqGT/fwz3oAdHlsoU15aJ5g9yYZO9/"                 \
    "hiIsIDJ02JrGnSxzXddfzeIuIRzuyw=="
#define BCRYPT_2Y "$2y$05$ofC0Gs7.3vMnFT94Y4rizeyFdpOWhYCJHZlpiMLpRKi0l8KoeWyeO"
#define BCRYPT_2B "$2b$05$igMJf6/hFOIA6Z3XWX09gOOZuj0iCPHEetaRI7pTlAZ6RxkpFi5Na"
#define SHA512                                                                                     \
    "$6$tlbBkhsW8Y43qggg$ag24zRNBCSL1ZE9W.s/.RRPKsxZRzxS/qZSMb2bYvkgoqNAk/"                        \
    "AXe.0anHp.Z4bTkYIQJNaqZi3iwUn0VMsjKc/"
#define SHA256   "$5$X0CKiM6MQlIV77tt$RLqNa3LKZb6TM53aRK2Et0dZs0hZrkqmPMn1tI16ZT."
#define YESCRYPT "$y$j9T$9Yh2BJ7SDP52vuZyhdnsJ/$nElbyvJQklEyqXugct5LBq4HRGYXVpL0fjg/Dq2DHI3"
#define ARGON2ID                                                                                   \
    "$argon2id$v=19$m=4096,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$KBJSI6BT3NyMAUsaKLL9Pzdt9MAPhw9LJEM85d"  \
    "OvTig"
#define APR1 "$apr1$kL8dYEbm$acQhoYve8gch34RmhQ/ph1"

/* Two stores in a directory of their own; the first is made, with tenant acme and user admin. */
struct transfer_bench {
    char directory[64];
    char path[2][80];
    struct lk_host_config config[2];
    struct lk_host *host; /* of the first, until a test opens another */
};

int transfer_setup(void **state);
int transfer_teardown(void **state);

/* A text that grows. */
struct transfer_text {
    char *data;
    size_t size;
};
int transfer_append(void *text, const void *data, size_t size);

struct transfer_input {
    const char *data;
    size_t size;
};

/* One import, and what it said: a line "LINE:field:given:rule" of each bad record. */
struct transfer_run {
    struct lk_import import;
    struct transfer_input input;
    struct transfer_text bad;
    int error;
};
/* Prepares an import into tenant 1; the caller changes what it likes, and runs it. */
void transfer_import_bytes(struct transfer_bench *bench, struct transfer_run *run,
                           enum lk_import_format format, const char *data, size_t size,
                           bool skip_bad);
/* Prepares and runs. */
void transfer_import(struct transfer_bench *bench, struct transfer_run *run,
                     enum lk_import_format format, const char *text);
const char *transfer_bad(const struct transfer_run *run);
void transfer_free(struct transfer_run *run);

/* The whole store as NDJSON. */
struct transfer_text transfer_export(struct lk_host *host, bool secrets);
int transfer_login(struct transfer_bench *bench, const char *name, const char *password);
void transfer_verify(struct transfer_bench *bench);
/* Opens a read transaction, which the caller releases, and gets a user in it. */
int transfer_find_user(struct transfer_bench *bench, const char *name, struct lk_user *user,
                       struct lk_txn *txn);

#endif
