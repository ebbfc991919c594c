// SPDX-License-Identifier: MIT
/* Limits of Arm's MPS2 with 4 MiB of RAM for data; lk_limits.h checks them. */
#ifndef LK_BOARD_LIMITS_H
#define LK_BOARD_LIMITS_H

#define LK_VALUE_MAX         4096
#define LK_PWHASH_KIB        1024 /* a deviation from the default on Linux, as is the number of passes */
#define LK_PWHASH_PASSES     3
#define LK_AUDIT_CAPACITY    1024
#define LK_AUDIT_FOLDS       4
#define LK_BLOCKLIST_BYTES   8192
#define LK_HISTORY_MAX       1024
#define LK_BUCKETS           16
#define LK_BUCKET_SLOTS      8
#define LK_ROLE_DEPTH        8
#define LK_PERMISSION_BYTES  256
#define LK_GRANT_MAX         32
#define LK_CACHE_TENANTS     2
#define LK_CACHE_ROLES       4
#define LK_CACHE_PERMISSIONS 4

#endif
