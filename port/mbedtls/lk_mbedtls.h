// SPDX-License-Identifier: MIT
/*
 * lk_mbedtls.h: HMAC-SHA-1, -256 and -512 by Mbed TLS 2.28 or 3, for struct lk_crypto's hmac.
 *
 * Time-based codes need it, and libsodium has no SHA-1. A board without such codes leaves hmac NULL
 * and this folder out. Keeps no state: `self` is not looked at, and any number of threads may call.
 * A few hundred bytes come from Mbed TLS's allocator while it runs; wiped and given back.
 */
#ifndef LK_MBEDTLS_H
#define LK_MBEDTLS_H

#include "lk_port.h"

/* LK_E_UNSUPPORTED: this Mbed TLS was built without the hash. LK_E_CRYPTO: want of memory. `out` is
 * wiped after an error. */
int lk_mbedtls_hmac(void *self, enum lk_hmac hash, struct lk_span key, struct lk_span data,
                    uint8_t out[LK_HMAC_MAX]);

#endif
