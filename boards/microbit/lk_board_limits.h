// SPDX-License-Identifier: MIT
/* Limits of the micro:bit: 16 KiB of RAM, 64 KiB of flash for the store; lk_limits.h checks them.
 */
#ifndef LK_BOARD_LIMITS_H
#define LK_BOARD_LIMITS_H

#define LK_VALUE_MAX         256
#define LK_RECORD_WORDS      42
#define LK_VERIFIER_MAX      64 /* Argon2id's only: other programs' hashes cannot be checked here */
#define LK_PWHASH_KIB        8 /* a deviation from the default on Linux, as is the number of passes */
#define LK_PWHASH_PASSES     3
#define LK_AUDIT_CAPACITY    32 /* of each of the two rings */
#define LK_AUDIT_FOLDS       1
#define LK_BLOCKLIST_BYTES   1024
#define LK_HISTORY_MAX       128
#define LK_BUCKETS           4
#define LK_BUCKET_SLOTS      4
#define LK_ROLE_DEPTH        4
#define LK_PERMISSION_BYTES  16
#define LK_GRANT_MAX         8
#define LK_DEVICE_MAX        1
#define LK_CACHE_TENANTS     1
#define LK_CACHE_ROLES       1
#define LK_CACHE_PERMISSIONS 1
#define LK_SOURCES           1
#define LK_CLI_WORDS_MAX     16
#define LK_CLI_OPTIONS_MAX   4
#define LK_CLI_FILTERS_MAX   2
#define LK_CLI_VALUES_MORE   128
#define LK_CLI_NAME_MAX      128
#define LK_CLI_CELL_MAX      320
#define LK_INDEXES_LEFT_OUT  LK_INDEXES_OPTIONAL
#define LK_NO_HELP           1

#endif
