// SPDX-License-Identifier: MIT
/*
 * fuzz_replay.c: gives a fuzzer's harness the files named, once each. So that seeds, and what
 * fuzzing once found, are part of the ordinary tests, with any compiler.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replay_count;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    size_t room = 0;
    for (;;) {
        if (size == room) {
            room = room == 0 ? 4096 : room * 2;
            uint8_t *more = realloc(data, room);
            if (more == NULL) {
                perror(path);
                free(data);
                (void)fclose(file); /* read only: nothing to lose */
                return -1;
            }
            data = more;
        }
        size_t got = fread(data + size, 1, room - size, file);
        if (got == 0) {
            break;
        }
        size += got;
    }
    int bad = ferror(file);
    (void)fclose(file); /* read only: nothing to lose */
    if (bad == 0) {
        /* A copy of the exact size, so that a checker sees a read past the end. */
        uint8_t *exact = malloc(size == 0 ? 1 : size);
        if (exact != NULL) {
            memcpy(exact, data, size);
            printf("# %s\n", path);
            (void)fflush(stdout); /* names the culprit when the harness dies */
            (void)LLVMFuzzerTestOneInput(exact, size);
            replay_count++;
        }
        free(exact);
    }
    free(data);
    return bad == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        if (replay_file(argv[i]) != 0) {
            return 1;
        }
    }
    printf("ok 1 - %u seeds replayed\n", replay_count);
    return 0;
}
