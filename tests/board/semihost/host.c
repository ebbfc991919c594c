// SPDX-License-Identifier: MIT
/* host.c: what a test program asks of a system, where the emulator's host answers. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include <semihost.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lk_base.h"

#define HOST_LINE  8192
#define HOST_WORDS 256

/* The linker gives what calls main the one, and the one the program's own. */
int __wrap_main(void);
int __real_main(int argc, char **argv);

/* LATCHKEY_NAME=VALUE words become the environment, the others arguments. */
int __wrap_main(void)
{
    static char line[HOST_LINE];
    static char *words[HOST_WORDS + 1];
    int count = 0;
    char *word, *value;

    if (sys_semihost_get_cmdline(line, sizeof(line)) != 0) {
        (void)printf("# the command line is too long\n");
        exit(1);
    }
    for (word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
        value = strncmp(word, "LATCHKEY_", 9) == 0 ? strchr(word, '=') : NULL;
        if (value != NULL) {
            *value++ = '\0';
            if (setenv(word, value, 1) != 0) {
                exit(1);
            }
        } else if (count < HOST_WORDS) {
            words[count++] = word;
        } else {
            (void)printf("# too many words\n");
            exit(1);
        }
    }
    return __real_main(count, words);
}

void lk_assert_failed(const char *file, int line)
{
    (void)printf("not ok - %s:%d: a rule of the program's own does not hold\n", file, line);
    exit(1);
}

/* The portable implementations are chosen before anything runs: there is nothing to start. */
int sodium_init(void)
{
    return 0;
}

void sodium_misuse(void)
{
    lk_assert_failed("libsodium", 0);
}
