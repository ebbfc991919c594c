// SPDX-License-Identifier: MIT
/* lk_mbedtls.c: the message authentication codes that libsodium has not. */
#include "lk_mbedtls.h"

#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

int lk_mbedtls_hmac(void *self, enum lk_hmac hash, struct lk_span key, struct lk_span data,
                    uint8_t out[LK_HMAC_MAX])
{
    static const mbedtls_md_type_t types[] = {
        [LK_HMAC_SHA1] = MBEDTLS_MD_SHA1,
        [LK_HMAC_SHA256] = MBEDTLS_MD_SHA256,
        [LK_HMAC_SHA512] = MBEDTLS_MD_SHA512,
    };
    static const unsigned char empty[1] = {0};
    const mbedtls_md_info_t *info;

    (void)self;
    if ((unsigned)hash >= sizeof types / sizeof types[0]) {
        return LK_E_UNSUPPORTED;
    }
    info = mbedtls_md_info_from_type(types[hash]);
    if (info == NULL) {
        return LK_E_UNSUPPORTED;
    }
    if (mbedtls_md_hmac(info, key.size == 0 ? empty : key.data, key.size,
                        data.size == 0 ? empty : data.data, data.size, out) != 0) {
        mbedtls_platform_zeroize(out, LK_HMAC_MAX);
        return LK_E_CRYPTO;
    }
    return LK_OK;
}
