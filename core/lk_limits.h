// SPDX-License-Identifier: MIT
/* lk_limits.h: what a board may choose, and what follows from it. */
#ifndef LK_LIMITS_H
#define LK_LIMITS_H

#include "lk_board_limits.h"

#if LK_VALUE_MAX < 256
#error "LK_VALUE_MAX: a record needs at least 256 bytes"
#endif
#if LK_PERMISSION_BYTES * 2 > LK_VALUE_MAX
#error "LK_PERMISSION_BYTES: a role must fit into a value with its compiled set"
#endif
#if LK_GRANT_MAX > 255 || LK_GRANT_MAX < 1
#error "LK_GRANT_MAX: 1 to 255"
#endif

#if LK_AUDIT_FOLDS < 1 || LK_AUDIT_FOLDS > 255
#error "LK_AUDIT_FOLDS: 1 to 255"
#endif

#define LK_CHECKSUM_SIZE 8  /* at the end of every stored value */
#define LK_RECORD_WORDS  96 /* of the largest kind's C struct, in 8-byte words */

/* Personal data of an audit entry, and the same sealed. */
#define LK_AUDIT_OPENED_MAX (LK_VALUE_MAX < 2304 ? LK_VALUE_MAX : 2304)
#define LK_AUDIT_SEALED_MAX (LK_AUDIT_OPENED_MAX + 24)

/* Bytes that lk_config.work must have: old record, new record, audit entry, decoded structs. */
#define LK_WORK_SIZE (3 * LK_VALUE_MAX + LK_AUDIT_SEALED_MAX + 4 * 8 * LK_RECORD_WORDS + 320)

#endif
