// SPDX-License-Identifier: MIT
/* lk_foreign_form.c: strict reading of other programs' hash strings; no hash is computed here. */
#include "lk_foreign_form.h"

#include <sodium.h>
#include <string.h>

#define FOREIGN_FORM_TEXT_(number) #number
#define FOREIGN_FORM_TEXT(number)  FOREIGN_FORM_TEXT_(number)

struct foreign_form_cursor {
    const uint8_t *at;
    size_t left;
};

static bool foreign_form_literal(struct foreign_form_cursor *cursor, const char *text)
{
    size_t size = strlen(text);

    if (cursor->left < size || memcmp(cursor->at, text, size) != 0) {
        return false;
    }
    cursor->at += size;
    cursor->left -= size;
    return true;
}

/*
 * Decimal without leading zeros: libcrypt and Argon2 refuse them too. A number over 32 bits reads
 * as the largest, so that it is refused for its cost, not for its form.
 */
static bool foreign_form_number(struct foreign_form_cursor *cursor, uint32_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;

    while (digits < cursor->left && cursor->at[digits] >= '0' && cursor->at[digits] <= '9') {
        value = value * 10 + (uint64_t)(cursor->at[digits] - '0');
        if (value > UINT32_MAX) {
            value = UINT32_MAX;
        }
        digits++;
    }
    if (digits == 0 || (digits > 1 && cursor->at[0] == '0')) {
        return false;
    }
    cursor->at += digits;
    cursor->left -= digits;
    *number = (uint32_t)value;
    return true;
}

static bool foreign_form_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* The alphabet of crypt(5) in all its orders: ./0-9A-Za-z. */
static bool foreign_form_crypt_byte(uint8_t byte)
{
    return foreign_form_alphanumeric(byte) || byte == '.' || byte == '/';
}

/* What libcrypt lets stand in the salt of SHA-crypt. */
static bool foreign_form_salt_byte(uint8_t byte)
{
    return byte > ' ' && byte < 0x7F && strchr("$:;*!\\", byte) == NULL;
}

static bool foreign_form_base64_byte(uint8_t byte)
{
    return foreign_form_alphanumeric(byte) || byte == '+' || byte == '/' || byte == '=';
}

static struct lk_span foreign_form_run(struct foreign_form_cursor *cursor,
                                       bool (*member)(uint8_t byte))
{
    struct lk_span run = {cursor->at, 0};

    while (run.size < cursor->left && member(cursor->at[run.size])) {
        run.size++;
    }
    cursor->at += run.size;
    cursor->left -= run.size;
    return run;
}

/* Takes base64 text of `least` to `most` bytes. */
static bool foreign_form_base64(struct foreign_form_cursor *cursor, int variant, uint8_t *out,
                                size_t least, size_t most, size_t *size)
{
    struct lk_span run = foreign_form_run(cursor, foreign_form_base64_byte);

    return sodium_base642bin(out, most, (const char *)run.data, run.size, NULL, size, NULL,
                             variant) == 0 &&
           *size >= least;
}

static int foreign_form_malformed(const char **rule, const char *text)
{
    *rule = text;
    return LK_E_CHECK;
}

static int foreign_form_bcrypt(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                               const char **rule)
{
    unsigned cost;

    form->family = LK_FOREIGN_BCRYPT;
    form->tail_size = 31;
    if (cursor->left != 2 + 1 + 22 + 31 || cursor->at[0] < '0' || cursor->at[0] > '9' ||
        cursor->at[1] < '0' || cursor->at[1] > '9' || cursor->at[2] != '$') {
        return foreign_form_malformed(rule, "is not well-formed bcrypt");
    }
    cost = (unsigned)(cursor->at[0] - '0') * 10u + (unsigned)(cursor->at[1] - '0');
    cursor->at += 3;
    cursor->left -= 3;
    if (foreign_form_run(cursor, foreign_form_crypt_byte).size != 22 + 31 || cost < 4) {
        return foreign_form_malformed(rule, "is not well-formed bcrypt");
    }
    if (cost > LK_FOREIGN_BCRYPT_COST_MAX) {
        return foreign_form_malformed(
            rule,
            "costs too much: bcrypt's cost is over " FOREIGN_FORM_TEXT(LK_FOREIGN_BCRYPT_COST_MAX));
    }
    return LK_OK;
}

static int foreign_form_sha(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                            size_t tail_size, const char **rule)
{
    uint32_t rounds = 5000;
    struct lk_span salt;

    form->family = LK_FOREIGN_CRYPT;
    form->tail_size = tail_size;
    if (foreign_form_literal(cursor, "rounds=") &&
        (!foreign_form_number(cursor, &rounds) || !foreign_form_literal(cursor, "$"))) {
        return foreign_form_malformed(rule, "has no number after rounds=");
    }
    if (rounds < 1000) {
        return foreign_form_malformed(rule, "has less than the 1000 rounds of SHA-crypt");
    }
    if (rounds > LK_FOREIGN_SHA_ROUNDS_MAX) {
        return foreign_form_malformed(
            rule,
            "costs too much: its rounds are over " FOREIGN_FORM_TEXT(LK_FOREIGN_SHA_ROUNDS_MAX));
    }
    salt = foreign_form_run(cursor, foreign_form_salt_byte);
    if (salt.size < 1 || salt.size > 16 || !foreign_form_literal(cursor, "$") ||
        foreign_form_run(cursor, foreign_form_crypt_byte).size != tail_size || cursor->left != 0) {
        return foreign_form_malformed(rule, "is not well-formed SHA-crypt");
    }
    return LK_OK;
}

static int foreign_form_sha256(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                               const char **rule)
{
    return foreign_form_sha(cursor, form, 43, rule);
}

static int foreign_form_sha512(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                               const char **rule)
{
    /* Old mosquitto wrote one round of SHA-512 under the same prefix, in padded base64. */
    if (cursor->left > 2 && memcmp(cursor->at + cursor->left - 2, "==", 2) == 0) {
        *rule = "is mosquitto's old salted SHA-512, which a guesser breaks: set a new password";
        return LK_E_UNSUPPORTED;
    }
    return foreign_form_sha(cursor, form, 86, rule);
}

/* A digit of yescrypt's parameters: the values below 48 take one character. */
static bool foreign_form_yescrypt_digit(struct foreign_form_cursor *cursor, unsigned *value)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij";
    const char *found;

    if (cursor->left == 0 || cursor->at[0] == 0) {
        return false;
    }
    found = strchr(digits, cursor->at[0]);
    if (found == NULL) {
        return false;
    }
    *value = (unsigned)(found - digits) + 1u;
    cursor->at++;
    cursor->left--;
    return true;
}

/* $y$, "j" (the only flavour crypt(5) makes), log2 N, r, $, salt, $, hash. */
static int foreign_form_yescrypt(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                                 const char **rule)
{
    unsigned log_n;
    unsigned r;
    size_t salt_size;

    form->family = LK_FOREIGN_CRYPT;
    form->tail_size = 43;
    if (!foreign_form_literal(cursor, "j") || !foreign_form_yescrypt_digit(cursor, &log_n) ||
        !foreign_form_yescrypt_digit(cursor, &r) || !foreign_form_literal(cursor, "$")) {
        return foreign_form_malformed(rule, "is yescrypt with other parameters than N and r");
    }
    /* Memory is 128 * r * N bytes, and time goes with it. */
    if (log_n > 30 || (((uint64_t)r << log_n) >> 3) > LK_FOREIGN_MEMORY_KIB_MAX) {
        return foreign_form_malformed(
            rule, "costs too much: yescrypt's memory is over " FOREIGN_FORM_TEXT(
                      LK_FOREIGN_MEMORY_KIB_MAX) " KiB");
    }
    salt_size = foreign_form_run(cursor, foreign_form_crypt_byte).size;
    if (log_n < 2 || salt_size < 1 || salt_size > 86 || salt_size % 4 == 1 ||
        !foreign_form_literal(cursor, "$") ||
        foreign_form_run(cursor, foreign_form_crypt_byte).size != form->tail_size ||
        cursor->left != 0) {
        return foreign_form_malformed(rule, "is not well-formed yescrypt");
    }
    return LK_OK;
}

static int foreign_form_pbkdf2(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                               const char **rule)
{
    size_t hash_size;

    form->family = LK_FOREIGN_PBKDF2;
    if (memchr(cursor->at, '$', cursor->left) == NULL || cursor->at[0] < '0' ||
        cursor->at[0] > '9' || !foreign_form_number(cursor, &form->rounds) ||
        !foreign_form_literal(cursor, "$")) {
        /* crypt(5) has another $7$: a letter for N, then r and p, before the first '$'. */
        if (cursor->left > 11 && foreign_form_run(cursor, foreign_form_crypt_byte).size >= 11) {
            *rule = "is scrypt, which is not supported";
            return LK_E_UNSUPPORTED;
        }
        return foreign_form_malformed(rule, "is not well-formed mosquitto PBKDF2");
    }
    if (form->rounds > LK_FOREIGN_PBKDF2_ROUNDS_MAX) {
        return foreign_form_malformed(rule,
                                      "costs too much: its iterations are over " FOREIGN_FORM_TEXT(
                                          LK_FOREIGN_PBKDF2_ROUNDS_MAX));
    }
    if (form->rounds < 1 ||
        !foreign_form_base64(cursor, sodium_base64_VARIANT_ORIGINAL, form->salt, 8,
                             sizeof form->salt, &form->salt_size) ||
        !foreign_form_literal(cursor, "$") ||
        !foreign_form_base64(cursor, sodium_base64_VARIANT_ORIGINAL, form->hash, sizeof form->hash,
                             sizeof form->hash, &hash_size) ||
        cursor->left != 0) {
        return foreign_form_malformed(rule, "is not well-formed mosquitto PBKDF2");
    }
    return LK_OK;
}

static int foreign_form_argon2(struct foreign_form_cursor *cursor, const char **rule)
{
    uint32_t version = 16;
    uint32_t memory_kib;
    uint32_t passes;
    uint32_t lanes;
    uint8_t bytes[64];
    size_t size;

    if (foreign_form_literal(cursor, "v=") &&
        (!foreign_form_number(cursor, &version) || !foreign_form_literal(cursor, "$"))) {
        return foreign_form_malformed(rule, "has no number after v=");
    }
    if (version != 19) {
        *rule = "is of another version of Argon2 than 19";
        return LK_E_UNSUPPORTED;
    }
    if (!foreign_form_literal(cursor, "m=") || !foreign_form_number(cursor, &memory_kib) ||
        !foreign_form_literal(cursor, ",t=") || !foreign_form_number(cursor, &passes) ||
        !foreign_form_literal(cursor, ",p=") || !foreign_form_number(cursor, &lanes)) {
        return foreign_form_malformed(rule, "is not well-formed Argon2");
    }
    if (foreign_form_literal(cursor, ",keyid=") || foreign_form_literal(cursor, ",data=")) {
        *rule = "is Argon2 with a key or data of its own, which is not supported";
        return LK_E_UNSUPPORTED;
    }
    if (memory_kib > LK_FOREIGN_MEMORY_KIB_MAX) {
        return foreign_form_malformed(rule, "costs too much: its memory is over " FOREIGN_FORM_TEXT(
                                                LK_FOREIGN_MEMORY_KIB_MAX) " KiB");
    }
    if (passes > LK_FOREIGN_ARGON2_PASSES_MAX) {
        return foreign_form_malformed(
            rule,
            "costs too much: its passes are over " FOREIGN_FORM_TEXT(LK_FOREIGN_ARGON2_PASSES_MAX));
    }
    if (lanes > LK_FOREIGN_ARGON2_LANES_MAX) {
        return foreign_form_malformed(rule, "costs too much: its lanes are over " FOREIGN_FORM_TEXT(
                                                LK_FOREIGN_ARGON2_LANES_MAX));
    }
    if ((uint64_t)memory_kib * passes > LK_FOREIGN_ARGON2_WORK_MAX) {
        return foreign_form_malformed(
            rule, "costs too much: its memory times its passes is over " FOREIGN_FORM_TEXT(
                      LK_FOREIGN_ARGON2_WORK_MAX) " KiB");
    }
    if (passes < 1 || lanes < 1 || memory_kib < 8 * lanes) {
        return foreign_form_malformed(rule, "has less than Argon2's least cost");
    }
    if (!foreign_form_literal(cursor, "$") ||
        !foreign_form_base64(cursor, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, bytes, 8,
                             LK_FOREIGN_SALT_MAX, &size) ||
        !foreign_form_literal(cursor, "$") ||
        !foreign_form_base64(cursor, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, bytes, 16,
                             sizeof bytes, &size) ||
        cursor->left != 0) {
        return foreign_form_malformed(rule, "is not well-formed Argon2");
    }
    return LK_OK;
}

static int foreign_form_argon2i(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                                const char **rule)
{
    form->family = LK_FOREIGN_ARGON2I;
    return foreign_form_argon2(cursor, rule);
}

static int foreign_form_argon2id(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                                 const char **rule)
{
    form->family = LK_FOREIGN_ARGON2ID;
    return foreign_form_argon2(cursor, rule);
}

struct foreign_form_kind {
    const char *prefix;
    /* What reads the rest; or NULL, and then why not. */
    int (*parse)(struct foreign_form_cursor *cursor, struct lk_foreign_form *form,
                 const char **rule);
    const char *rule;
};

static const struct foreign_form_kind foreign_form_kinds[] = {
    {.prefix = "$2a$", .parse = foreign_form_bcrypt},
    {.prefix = "$2b$", .parse = foreign_form_bcrypt},
    {.prefix = "$2y$", .parse = foreign_form_bcrypt},
    {.prefix = "$5$", .parse = foreign_form_sha256},
    {.prefix = "$6$", .parse = foreign_form_sha512},
    {.prefix = "$y$", .parse = foreign_form_yescrypt},
    {.prefix = "$7$", .parse = foreign_form_pbkdf2},
    {.prefix = "$argon2i$", .parse = foreign_form_argon2i},
    {.prefix = "$argon2id$", .parse = foreign_form_argon2id},
    {.prefix = "$argon2d$", .rule = "is Argon2d, which is not supported"},
    {.prefix = "$2x$", .rule = "is bcrypt as a faulty program wrote it ($2x$): set a new password"},
    {.prefix = "$1$", .rule = "is MD5-crypt, which a guesser breaks: set a new password"},
    {.prefix = "$apr1$", .rule = "is Apache's MD5, which a guesser breaks: set a new password"},
    {.prefix = "$md5", .rule = "is Sun's MD5, which a guesser breaks: set a new password"},
    {.prefix = "$3$", .rule = "is an NT hash, which a guesser breaks: set a new password"},
    {.prefix = "$sha1$", .rule = "is NetBSD's SHA1-crypt, which is not supported"},
    {.prefix = "$gy$", .rule = "is GOST yescrypt, which is not supported"},
    {.prefix = "$scrypt$", .rule = "is scrypt, which is not supported"},
    {.prefix = "$pbkdf2", .rule = "is PBKDF2 in a form other than mosquitto's"},
    {.prefix = "{SHA}", .rule = "is bare SHA-1, which a guesser breaks: set a new password"},
    {.prefix = "{SSHA}", .rule = "is salted SHA-1, which a guesser breaks: set a new password"},
    {.prefix = "{", .rule = "is of an LDAP scheme, which is not supported"},
    {.prefix = "$", .rule = "is of a form that is not known here"},
    {.prefix = "_", .rule = "is DES-crypt, which a guesser breaks: set a new password"},
};

int lk_foreign_form_parse(struct lk_span hash, struct lk_foreign_form *form, const char **rule)
{
    struct foreign_form_cursor cursor = {hash.data, hash.size};

    *rule = NULL;
    memset(form, 0, sizeof *form);
    if (hash.size == 0) {
        *rule = "is empty";
        return LK_E_UNSUPPORTED;
    }
    if (hash.size > LK_FOREIGN_HASH_MAX) {
        return foreign_form_malformed(rule,
                                      "is over " FOREIGN_FORM_TEXT(LK_FOREIGN_HASH_MAX) " bytes");
    }
    for (size_t i = 0; i < hash.size; i++) {
        if (hash.data[i] <= ' ' || hash.data[i] >= 0x7F) {
            return foreign_form_malformed(rule, "holds a byte that is not printable ASCII");
        }
    }
    for (size_t i = 0; i < sizeof foreign_form_kinds / sizeof foreign_form_kinds[0]; i++) {
        if (foreign_form_literal(&cursor, foreign_form_kinds[i].prefix)) {
            if (foreign_form_kinds[i].parse == NULL) {
                *rule = foreign_form_kinds[i].rule;
                return LK_E_UNSUPPORTED;
            }
            return foreign_form_kinds[i].parse(&cursor, form, rule);
        }
    }
    if (hash.size == 13 && foreign_form_run(&cursor, foreign_form_crypt_byte).size == 13) {
        *rule = "is DES-crypt, which a guesser breaks: set a new password";
    } else {
        *rule = "is of no known form; a plain password is not a hash";
    }
    return LK_E_UNSUPPORTED;
}
