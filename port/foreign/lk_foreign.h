// SPDX-License-Identifier: MIT
/*
 * lk_foreign.h: password hashes of other programs, so that their users can be taken over.
 *
 * The two functions fit struct lk_crypto's foreign_verify and foreign_check. A hash is verified as
 * it stands and then replaced by the store's own at the first login; nothing here makes one.
 *
 *   $2a$ $2b$ $2y$        bcrypt (htpasswd -B, mkpasswd, most web frameworks)      libcrypt
 *   $5$ $6$               SHA-crypt, with or without rounds= (shadow files)        libcrypt
 *   $y$                   yescrypt with N and r alone, which is what crypt(5) makes libcrypt
 *   $7$n$salt$hash        PBKDF2-HMAC-SHA512 (mosquitto_passwd)                    Mbed TLS
 *   $argon2i$ $argon2id$  version 19 (argon2, libsodium, PHP)                      libsodium
 *
 * Everything else is LK_E_UNSUPPORTED, and the rule names it: DES, MD5 and bare SHA are broken, and
 * a user who has one needs a new password.
 *
 * Limitations: a password that holds a NUL, or is over LK_FOREIGN_PASSWORD_MAX bytes, matches
 * nothing. bcrypt looks at 72 bytes only, so a longer password would match its own beginning: it is
 * LK_E_REFUSED, and such a user must be given a new one. All these refusals cost the same time as a
 * wrong password does. A libcrypt that was built without a method makes that form LK_E_UNSUPPORTED.
 *
 * Threads: any number may call. Memory: up to LK_FOREIGN_MEMORY_KIB_MAX while a hash runs, from the
 * libraries' allocators, and 32 KiB for libcrypt; wiped and given back before return.
 */
#ifndef LK_FOREIGN_H
#define LK_FOREIGN_H

#include "lk_port.h"

/*
 * Cost caps. A hash string chooses how much work it asks for, and it comes from a file somebody
 * else wrote: checked before any work is done. Each is well over what the programs above write by
 * default, and keeps one check to a few seconds on a gateway's processor. Plain decimal numbers.
 */
#define LK_FOREIGN_BCRYPT_COST_MAX   14      /* 2^14 rounds, about 1 s; defaults are 5 to 12 */
#define LK_FOREIGN_SHA_ROUNDS_MAX    1000000 /* about 1 s; the default is 5,000 */
#define LK_FOREIGN_PBKDF2_ROUNDS_MAX 2000000 /* about 3 s; OWASP asks 210,000, mosquitto 101 */
#define LK_FOREIGN_ARGON2_PASSES_MAX 16
#define LK_FOREIGN_ARGON2_LANES_MAX  4       /* computed one after another */
#define LK_FOREIGN_ARGON2_WORK_MAX   1048576 /* KiB times passes, about 2 s */
#define LK_FOREIGN_MEMORY_KIB_MAX    262144  /* 256 MiB, for Argon2 and yescrypt */

#define LK_FOREIGN_HASH_MAX     255 /* bytes of a hash string; the longest form has about 190 */
#define LK_FOREIGN_PASSWORD_MAX 511 /* libcrypt's own limit */
#define LK_FOREIGN_BCRYPT_BYTES 72  /* of a password that bcrypt looks at */

/*
 * Verifies. 0 it matches; LK_E_REFUSED it does not; LK_E_UNSUPPORTED the form is not known here;
 * LK_E_CHECK the string is malformed or costs too much, and nothing was computed; LK_E_CRYPTO want
 * of memory. lk_sodium_init() must have been called. `self` is not looked at.
 */
int lk_foreign_verify(void *self, struct lk_span hash, struct lk_span password);

/*
 * The form and the bounds alone: 0, LK_E_UNSUPPORTED or LK_E_CHECK. `rule` (may be NULL) then gets
 * a constant sentence that follows the word "hash"; it is NULL on success.
 */
int lk_foreign_check(void *self, struct lk_span hash, const char **rule);

#endif
