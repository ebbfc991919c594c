// SPDX-License-Identifier: MIT
/*
 * Limits of a board with some 128 KiB of RAM; lk_limits.h checks them, and has more that may be
 * set.
 *
 * Supply: what the board can afford. boards/microbit/ is at home in 16 KiB, boards/qemu-riscv32/
 * needs no thrift.
 */
#ifndef LK_BOARD_LIMITS_H
#define LK_BOARD_LIMITS_H

#define LK_VALUE_MAX         1024 /* of a record; a sector of flash must hold one, and 240 bytes */
#define LK_PWHASH_KIB        32  /* of RAM for a password's hash: as much as there is, 8 at least */
#define LK_PWHASH_PASSES     3   /* as many as a login may take time */
#define LK_AUDIT_CAPACITY    256 /* of each of the two rings; an entry takes some 100 bytes */
#define LK_AUDIT_FOLDS       4
#define LK_BLOCKLIST_BYTES   8192 /* of flash, for common passwords */
#define LK_HISTORY_MAX       512
#define LK_BUCKETS           16
#define LK_BUCKET_SLOTS      8
#define LK_ROLE_DEPTH        8
#define LK_PERMISSION_BYTES  64 /* eight permissions each */
#define LK_GRANT_MAX         16
#define LK_CACHE_TENANTS     1
#define LK_CACHE_ROLES       4
#define LK_CACHE_PERMISSIONS 4

#endif
