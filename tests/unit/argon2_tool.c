// SPDX-License-Identifier: MIT
/*
 * argon2_tool.c: the port's password hash behind a pipe, for argon2_cross.py.
 *
 *   argon2_tool     reads lines "KIB PASSES SALT PASSWORD", the last two in hex ("-": empty);
 *                   answers the hash in hex, or "refused"
 */
#include <stdio.h>
#include <string.h>

#include "lk_sodium.h"
#include "lk_text.h"

int main(void)
{
    static char line[4096], salt[2049], password[2049];
    static uint8_t text[1024];

    if (lk_sodium_init()) {
        return 1;
    }
    while (fgets(line, sizeof(line), stdin)) {
        struct lk_pwhash_job job;
        char hex[2 * LK_PWHASH_SIZE + 1];
        size_t size;
        int error;

        memset(&job, 0, sizeof(job));
        job.params.lanes = 1;
        /* NOLINTNEXTLINE(cert-err34-c): the other end is argon2_cross.py */
        if (sscanf(line, "%u %u %2048s %2048s", &job.params.memory_kib, &job.params.passes, salt,
                   password) != 4 ||
            lk_hex_decode((struct lk_span){(const uint8_t *)salt, strlen(salt)}, job.salt,
                          sizeof(job.salt), &size) ||
            size != sizeof(job.salt)) {
            return 2;
        }
        size = 0;
        if (strcmp(password, "-") != 0 &&
            lk_hex_decode((struct lk_span){(const uint8_t *)password, strlen(password)}, text,
                          sizeof(text), &size)) {
            return 2;
        }
        job.password = text;
        job.password_size = size;
        do {
            error = lk_sodium_crypto.pwhash_step(NULL, &job);
        } while (error > 0);
        if (!error) {
            (void)lk_hex_encode((struct lk_span){job.hash, sizeof(job.hash)}, hex, sizeof(hex));
        }
        (void)printf("%s\n", error ? "refused" : hex);
    }
    return 0;
}
