// SPDX-License-Identifier: MIT
/* lk_limits.h: what a board may choose, and what follows from it. */
#ifndef LK_LIMITS_H
#define LK_LIMITS_H

#include "lk_board_limits.h"

#define LK_VALUE_MIN 256 /* of a storage's value_max */
#if LK_VALUE_MAX < LK_VALUE_MIN
#error "LK_VALUE_MAX: a record needs at least 256 bytes"
#endif
#if LK_PERMISSION_BYTES * 2 > LK_VALUE_MAX
#error "LK_PERMISSION_BYTES: a role must fit into a value with its compiled set"
#endif
#if LK_BLOCKLIST_BYTES < 1024
#error "LK_BLOCKLIST_BYTES: a filter of common passwords needs at least 1024 bytes"
#endif
#if LK_HISTORY_MAX * 2 > LK_VALUE_MAX
#error "LK_HISTORY_MAX: a credential must fit into a value with its earlier verifiers"
#endif
#if LK_GRANT_MAX > 255 || LK_GRANT_MAX < 1
#error "LK_GRANT_MAX: 1 to 255"
#endif

/*
 * Indexes that stores made by this build do without, a bit each: what only orders lists or finds
 * the holders of a role. Lists in their order are then refused, holders found by going over all
 * users.
 */
#define LK_INDEXES_OPTIONAL                                                                        \
    (LK_INDEX_BIT(10) | LK_INDEX_BIT(11) | LK_INDEX_BIT(12) | LK_INDEX_BIT(13) |                   \
     LK_INDEX_BIT(14) | LK_INDEX_BIT(15) | LK_INDEX_BIT(24))
#define LK_INDEX_BIT(number) (1ULL << (number))
#ifndef LK_INDEXES_LEFT_OUT
#define LK_INDEXES_LEFT_OUT 0
#endif
#if LK_INDEXES_LEFT_OUT & ~LK_INDEXES_OPTIONAL
#error "LK_INDEXES_LEFT_OUT: has an index that the store cannot do without"
#endif

/* Devices that are remembered for a user; the one seen longest ago gives way. */
#ifndef LK_DEVICE_MAX
#define LK_DEVICE_MAX 16
#endif

#ifndef LK_SOURCES
#define LK_SOURCES 4 /* addresses that failed, of which the store handle keeps account */
#endif
#ifndef LK_CHARGE_BUDGET
#define LK_CHARGE_BUDGET 360 /* failed network logins that the whole store takes an hour */
#endif
#ifndef LK_LOGIN_RATE
#define LK_LOGIN_RATE 60 /* good logins of a user an hour, for a tenant that does not say */
#endif
#if LK_SOURCES < 1 || LK_CHARGE_BUDGET < 60 || LK_CHARGE_BUDGET > 3600000 || LK_LOGIN_RATE > 3600000
#error "LK_SOURCES: at least 1; LK_CHARGE_BUDGET: 60 to 3600000; LK_LOGIN_RATE: at most 3600000"
#endif

/* How old a stored time of last use gets before a use is written; a write wears flash. */
#ifndef LK_TOUCH_GRAIN_MS
#define LK_TOUCH_GRAIN_MS 60000
#endif

#if LK_AUDIT_FOLDS < 1 || LK_AUDIT_FOLDS > 255
#error "LK_AUDIT_FOLDS: 1 to 255"
#endif

/* Bytes of a password's verifier; another program's may take them all. */
#ifndef LK_VERIFIER_MAX
#define LK_VERIFIER_MAX 256
#endif
#if LK_VERIFIER_MAX < 64
#error "LK_VERIFIER_MAX: Argon2id's takes 64 bytes"
#endif
#if LK_HISTORY_MAX < LK_VERIFIER_MAX + 64
#error                                                                                             \
    "LK_HISTORY_MAX: at least LK_VERIFIER_MAX + 64, the largest sealed secret, which a rekey copies"
#endif

#define LK_CHECKSUM_SIZE 8 /* at the end of every stored value */
#ifndef LK_RECORD_WORDS
#define LK_RECORD_WORDS 96 /* of the largest kind's C struct, in 8-byte words */
#endif

/* Personal data of an audit entry, and the same sealed. */
#define LK_AUDIT_OPENED_MAX (LK_VALUE_MAX < 2304 ? LK_VALUE_MAX : 2304)
#define LK_AUDIT_SEALED_MAX (LK_AUDIT_OPENED_MAX + 24)

/* Bytes that lk_config.work must have: old record, new record, audit entry, decoded structs. */
#define LK_WORK_SIZE (3 * LK_VALUE_MAX + LK_AUDIT_SEALED_MAX + 4 * 8 * LK_RECORD_WORDS + 96)

#endif
