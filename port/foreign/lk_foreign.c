// SPDX-License-Identifier: MIT
/* lk_foreign.c: verifying other programs' hashes through the libraries that know them. */
#include "lk_foreign.h"

#include "lk_foreign_form.h"

#include <crypt.h>
#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/version.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The inputs as C strings, and whether the password is one that can match at all. */
struct foreign_attempt {
    char hash[LK_FOREIGN_HASH_MAX + 1];
    size_t hash_size;
    char password[LK_FOREIGN_PASSWORD_MAX + 1];
    size_t password_size;
    unsigned unusable;
};

static void foreign_prepare(struct foreign_attempt *attempt, struct lk_span hash,
                            struct lk_span password, enum lk_foreign_family family)
{
    memset(attempt, 0, sizeof *attempt);
    memcpy(attempt->hash, hash.data, hash.size);
    attempt->hash_size = hash.size;
    attempt->unusable = password.size > LK_FOREIGN_PASSWORD_MAX ||
                        (family == LK_FOREIGN_BCRYPT && password.size > LK_FOREIGN_BCRYPT_BYTES);
    attempt->password_size =
        password.size > LK_FOREIGN_PASSWORD_MAX ? LK_FOREIGN_PASSWORD_MAX : password.size;
    for (size_t i = 0; i < attempt->password_size; i++) {
        attempt->password[i] = (char)password.data[i];
        attempt->unusable |= (unsigned)(password.data[i] == 0);
    }
}

static int foreign_verify_crypt(const struct foreign_attempt *attempt,
                                const struct lk_foreign_form *form)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    size_t kept = attempt->hash_size - form->tail_size;
    const char *made;
    int error = LK_E_REFUSED;

    if (data == NULL) {
        return LK_E_CRYPTO;
    }
    errno = 0;
    made = crypt_rn(attempt->password, attempt->hash, data, (int)sizeof *data);
    if (made == NULL) {
        error = errno == ENOMEM ? LK_E_CRYPTO : LK_E_UNSUPPORTED;
    } else if (strlen(made) == attempt->hash_size &&
               /* Only the end: some programs leave spare bits in bcrypt's salt, libcrypt does not.
                */
               sodium_memcmp(made + kept, attempt->hash + kept, form->tail_size) == 0) {
        error = LK_OK;
    }
    sodium_memzero(data, sizeof *data);
    free(data);
    return error;
}

static int foreign_verify_pbkdf2(const struct foreign_attempt *attempt,
                                 const struct lk_foreign_form *form)
{
    const unsigned char *password = (const unsigned char *)attempt->password;
    uint8_t made[LK_FOREIGN_PBKDF2_SIZE];
    int error;

#if MBEDTLS_VERSION_NUMBER >= 0x03030000
    error =
        mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA512, password, attempt->password_size,
                                      form->salt, form->salt_size, form->rounds, sizeof made, made);
#else
    mbedtls_md_context_t context;

    mbedtls_md_init(&context);
    error = mbedtls_md_setup(&context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), 1);
    if (error == 0) {
        error = mbedtls_pkcs5_pbkdf2_hmac(&context, password, attempt->password_size, form->salt,
                                          form->salt_size, form->rounds, sizeof made, made);
    }
    mbedtls_md_free(&context);
#endif
    if (error != 0) {
        error = LK_E_CRYPTO;
    } else {
        error = sodium_memcmp(made, form->hash, sizeof made) == 0 ? LK_OK : LK_E_REFUSED;
    }
    sodium_memzero(made, sizeof made);
    return error;
}

static int foreign_verify_argon2(const struct foreign_attempt *attempt,
                                 const struct lk_foreign_form *form)
{
    int failed;

    errno = 0;
    if (form->family == LK_FOREIGN_ARGON2ID) {
        failed = crypto_pwhash_argon2id_str_verify(attempt->hash, attempt->password,
                                                   attempt->password_size);
    } else {
        failed = crypto_pwhash_argon2i_str_verify(attempt->hash, attempt->password,
                                                  attempt->password_size);
    }
    if (failed == 0) {
        return LK_OK;
    }
    /* libsodium says EINVAL for a password that does not match, and for nothing else. */
    return errno == EINVAL ? LK_E_REFUSED : LK_E_CRYPTO;
}

int lk_foreign_verify(void *self, struct lk_span hash, struct lk_span password)
{
    struct lk_foreign_form form;
    struct foreign_attempt attempt;
    const char *rule;
    int error = lk_foreign_form_parse(hash, &form, &rule);

    (void)self;
    if (error != LK_OK) {
        return error;
    }
    foreign_prepare(&attempt, hash, password, form.family);
    switch (form.family) {
    case LK_FOREIGN_CRYPT:
    case LK_FOREIGN_BCRYPT: error = foreign_verify_crypt(&attempt, &form); break;
    case LK_FOREIGN_PBKDF2: error = foreign_verify_pbkdf2(&attempt, &form); break;
    case LK_FOREIGN_ARGON2I:
    case LK_FOREIGN_ARGON2ID: error = foreign_verify_argon2(&attempt, &form); break;
    }
    /* Refused only now, so that the time does not tell an unusable password from a wrong one. */
    if (error == LK_OK && attempt.unusable != 0) {
        error = LK_E_REFUSED;
    }
    sodium_memzero(&attempt, sizeof attempt);
    sodium_memzero(&form, sizeof form);
    return error;
}

int lk_foreign_check(void *self, struct lk_span hash, const char **rule)
{
    struct lk_foreign_form form;
    const char *text;
    int error = lk_foreign_form_parse(hash, &form, &text);

    (void)self;
    sodium_memzero(&form, sizeof form);
    if (rule != NULL) {
        *rule = text;
    }
    return error;
}
