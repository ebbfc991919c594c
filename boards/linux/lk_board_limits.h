// SPDX-License-Identifier: MIT
/* Limits of the Linux build. Every board has a header of this name; lk_limits.h checks it. */
#ifndef LK_BOARD_LIMITS_H
#define LK_BOARD_LIMITS_H

#define LK_VALUE_MAX         8192  /* bytes of an encoded record, checksum included */
#define LK_PWHASH_KIB        19456 /* Argon2id memory of a new verifier */
#define LK_PWHASH_PASSES     2
#define LK_AUDIT_CAPACITY    10000 /* slots of each audit ring of a new tenant */
#define LK_BUCKETS           256   /* of failed logins under unknown names */
#define LK_BUCKET_SLOTS      8     /* names that a bucket tells apart */
#define LK_SOURCES           16    /* addresses that failed, kept account of in the handle */
#define LK_CHARGE_BUDGET     36000 /* failed network logins an hour that the store takes */
#define LK_LOGIN_RATE        3600  /* good logins of a user an hour */
#define LK_ROLE_DEPTH        8
#define LK_PERMISSION_BYTES  512 /* of a role's compiled set: 8 permission numbers a byte */
#define LK_GRANT_MAX         64  /* grants of one user */
#define LK_CACHE_TENANTS     4   /* entries of a transaction handle's caches */
#define LK_CACHE_ROLES       8
#define LK_CACHE_PERMISSIONS 8

#endif
