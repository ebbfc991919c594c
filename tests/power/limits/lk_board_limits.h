// SPDX-License-Identifier: MIT
/* Limits of a small board, for the tests of stores in flash: values fit into sectors of 1 KiB. */
#ifndef LK_BOARD_LIMITS_H
#define LK_BOARD_LIMITS_H

#define LK_VALUE_MAX         640
#define LK_PWHASH_KIB        8
#define LK_PWHASH_PASSES     3
#define LK_AUDIT_CAPACITY    24
#define LK_AUDIT_FOLDS       2
#define LK_BLOCKLIST_BYTES   24576
#define LK_HISTORY_MAX       320
#define LK_BUCKETS           8
#define LK_BUCKET_SLOTS      2
#define LK_ROLE_DEPTH        8
#define LK_PERMISSION_BYTES  16
#define LK_GRANT_MAX         8
#define LK_CACHE_TENANTS     1
#define LK_CACHE_ROLES       4
#define LK_CACHE_PERMISSIONS 4
/* A part that wears: to the day is exact enough. */
#define LK_TOUCH_GRAIN_MS 86400000
/* Only names and e-mail addresses are looked up. */
#define LK_INDEXES_LEFT_OUT LK_INDEXES_OPTIONAL

#endif
