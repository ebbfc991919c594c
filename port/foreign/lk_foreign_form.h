// SPDX-License-Identifier: MIT
/* lk_foreign_form.h: what lk_foreign_form.c reads out of a hash string. Private to this folder. */
#ifndef LK_FOREIGN_FORM_H
#define LK_FOREIGN_FORM_H

#include "lk_foreign.h"

enum lk_foreign_family {
    LK_FOREIGN_CRYPT, /* SHA-crypt and yescrypt */
    LK_FOREIGN_BCRYPT,
    LK_FOREIGN_PBKDF2,
    LK_FOREIGN_ARGON2I,
    LK_FOREIGN_ARGON2ID
};

#define LK_FOREIGN_SALT_MAX    64
#define LK_FOREIGN_PBKDF2_SIZE 64

struct lk_foreign_form {
    enum lk_foreign_family family;
    size_t tail_size; /* of the hash proper, at the end of the string; libcrypt's forms */
    uint32_t rounds;  /* PBKDF2, as the two below */
    size_t salt_size;
    uint8_t salt[LK_FOREIGN_SALT_MAX];
    uint8_t hash[LK_FOREIGN_PBKDF2_SIZE];
};

/* Answers as lk_foreign_check does; `rule` may not be NULL. */
int lk_foreign_form_parse(struct lk_span hash, struct lk_foreign_form *form, const char **rule);

#endif
