// SPDX-License-Identifier: MIT
/*
 * cbor_tool.c: the codec behind a pipe, for cbor_cross.py and for looking at one vector by hand.
 *
 *   cbor_tool                        reads hex lines; answers "ok <re-encoded hex>" or "bad"
 *   cbor_tool --generate SEED COUNT  writes COUNT random items as hex lines
 */
#include "cbor_items.h"

#include <stdio.h>

static uint8_t tool_in[CBOR_ITEMS_SIZE_MAX];
static uint8_t tool_out[CBOR_ITEMS_SIZE_MAX];
static char tool_line[2 * CBOR_ITEMS_SIZE_MAX + 2];

static void tool_print(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    printf("\n");
}

static int tool_answer(void)
{
    while (fgets(tool_line, sizeof(tool_line), stdin) != NULL) {
        struct lk_span bytes = {tool_in, 0};
        size_t size;

        tool_line[strcspn(tool_line, "\r\n")] = '\0';
        bytes.size = cbor_from_hex(tool_line, tool_in, sizeof(tool_in));
        if (bytes.size == SIZE_MAX) {
            (void)fprintf(stderr, "cbor_tool: not hex, or too long: %.60s\n", tool_line);
            return 2;
        }
        if (lk_cbor_check(bytes) != LK_OK) {
            printf("bad\n");
            continue;
        }
        if (cbor_reencode(bytes, tool_out, sizeof(tool_out), &size) != LK_OK) {
            (void)fprintf(stderr, "cbor_tool: accepted, but not written again: %s\n", tool_line);
            return 1;
        }
        printf("ok ");
        tool_print(tool_out, size);
    }
    return 0;
}

static int tool_generate(uint64_t seed, unsigned long count)
{
    struct cbor_random random = {seed};

    for (unsigned long i = 0; i < count; i++) {
        struct lk_cbor_writer writer;
        size_t size;

        lk_cbor_writer_init(&writer, tool_out, sizeof(tool_out));
        cbor_random_item(&random, &writer, LK_CBOR_DEPTH);
        if (lk_cbor_finish(&writer, &size) != LK_OK) {
            (void)fprintf(stderr, "cbor_tool: item %lu of seed %llu is too large\n", i,
                          (unsigned long long)seed);
            return 1;
        }
        tool_print(tool_out, size);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--generate") == 0) {
        return tool_generate(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    }
    if (argc != 1) {
        (void)fprintf(stderr, "usage: cbor_tool [--generate SEED COUNT]\n");
        return 2;
    }
    return tool_answer();
}
