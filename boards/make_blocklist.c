// SPDX-License-Identifier: MIT
/*
 * make_blocklist.c: runs while a board is built: a list of common passwords, one a line on standard
 * input, to the filter of lk_blocklist.h, as C on standard output. What it made, it then checks.
 *
 *   make_blocklist [BYTES]     BYTES: the most that the filter may take (LK_BLOCKLIST_BYTES)
 *
 * Lines of other lengths than a password may have are left out. Where there is room for all at 16
 * bits each they get 16, else 8. Where there is not even room for that, the shortest are taken:
 * they are what people choose whom 8 characters are asked of, and the list has no order of its own.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lk_blocklist.h"
#include "lk_limits.h"

#define TEXT_MAX 128 /* as LK_PASSWORD_MAX */
#define TRIES    200
#define PROBES   1000000

struct word {
    uint64_t state;
    size_t size;
};

struct filter {
    unsigned bits;
    uint32_t third;
    uint64_t seed;
    uint16_t *cells;
};

static _Noreturn void fail(const char *text)
{
    (void)fprintf(stderr, "make_blocklist: %s\n", text);
    exit(1);
}

static void *make(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (memory == NULL) {
        fail("no memory");
    }
    return memory;
}

static uint64_t text_state(const char *text, size_t size)
{
    uint64_t state = 0;
    size_t i;

    for (i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)text[i];

        state =
            lk_blocklist_step(state, byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte);
    }
    return state;
}

static int by_size(const void *a, const void *b)
{
    const struct word *first = a, *second = b;

    if (first->size != second->size) {
        return first->size < second->size ? -1 : 1;
    }
    return first->state < second->state ? -1 : first->state > second->state;
}

/* Shortest first, none twice. */
static struct word *read_words(size_t *count)
{
    size_t capacity = 32768, read = 0, i;
    struct word *words = make(capacity, sizeof(*words));
    char line[TEXT_MAX + 2];
    bool cut = false;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t size = strcspn(line, "\r\n");
        bool whole = line[size] != '\0';

        if (!cut && whole && size >= LK_BLOCKLIST_TEXT_MIN && size <= TEXT_MAX) {
            if (read == capacity) {
                fail("the list is longer than 32768 passwords");
            }
            words[read++] = (struct word){text_state(line, size), size};
        }
        cut = !whole;
    }
    qsort(words, read, sizeof(*words), by_size);
    *count = 0;
    for (i = 0; i < read; i++) {
        if (!*count || words[*count - 1].state != words[i].state) {
            words[(*count)++] = words[i];
        }
    }
    return words;
}

static bool has(const struct filter *filter, uint64_t state)
{
    struct lk_blocklist_place place =
        lk_blocklist_place(state, filter->seed, filter->third, filter->bits);

    return (filter->cells[place.cells[0]] ^ filter->cells[place.cells[1]] ^
            filter->cells[place.cells[2]]) == place.print;
}

/* Takes cells with one word in them away, word by word; then fills them in reverse order. */
static bool build(struct filter *filter, const struct word *words, size_t count)
{
    uint32_t cell_count = 3 * filter->third, *load = make(cell_count, sizeof(*load));
    uint64_t *sum = make(cell_count, sizeof(*sum)); /* xor of the numbers of the words in a cell */
    uint32_t *queue = make(cell_count, sizeof(*queue));
    uint64_t *order = make(count, sizeof(*order));
    uint32_t *freed = make(count, sizeof(*freed));
    size_t queued = 0, taken = 0, i;
    unsigned k;

    for (i = 0; i < count; i++) {
        struct lk_blocklist_place place =
            lk_blocklist_place(words[i].state, filter->seed, filter->third, filter->bits);

        for (k = 0; k < 3; k++) {
            load[place.cells[k]]++;
            sum[place.cells[k]] ^= i;
        }
    }
    for (i = 0; i < cell_count; i++) {
        if (load[i] == 1) {
            queue[queued++] = (uint32_t)i;
        }
    }
    while (queued) {
        uint32_t cell = queue[--queued];
        struct lk_blocklist_place place;

        if (load[cell] != 1) {
            continue;
        }
        order[taken] = sum[cell];
        freed[taken] = cell;
        place =
            lk_blocklist_place(words[sum[cell]].state, filter->seed, filter->third, filter->bits);
        for (k = 0; k < 3; k++) {
            uint32_t other = place.cells[k];

            load[other]--;
            sum[other] ^= order[taken];
            if (load[other] == 1 && other != cell) {
                queue[queued++] = other;
            }
        }
        taken++;
    }
    memset(filter->cells, 0, cell_count * sizeof(*filter->cells));
    for (i = taken; taken == count && i--;) {
        struct lk_blocklist_place place =
            lk_blocklist_place(words[order[i]].state, filter->seed, filter->third, filter->bits);
        uint16_t print = place.print;

        for (k = 0; k < 3; k++) {
            print ^= place.cells[k] == freed[i] ? 0 : filter->cells[place.cells[k]];
        }
        filter->cells[freed[i]] = print;
    }
    free(load);
    free(sum);
    free(queue);
    free(order);
    free(freed);
    return taken == count;
}

/* A third of the cells that so many words need: 1.23 cells a word, and some for small sets. */
static uint32_t third_for(size_t count)
{
    return (uint32_t)((count * 123 / 100 + 32) / 3 + 1);
}

static size_t bytes_for(size_t count, unsigned bits)
{
    return (size_t)3 * third_for(count) * (bits / 8);
}

/* How often a text that is not in the list is taken for one that is. */
static double mistakes(const struct filter *filter)
{
    uint64_t state = 1;
    unsigned i, found = 0;

    for (i = 0; i < PROBES; i++) {
        char text[17];

        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        (void)snprintf(text, sizeof(text), "%016" PRIx64, state);
        found += has(filter, text_state(text, 16)) ? 1 : 0;
    }
    return (double)found / PROBES;
}

static void print_filter(const struct filter *filter, size_t count, size_t all)
{
    uint32_t i;

    printf(
        "/* Made by make_blocklist: %zu of %zu common passwords, %u bits each; a random text is\n"
        " * taken for one of them in %.6f of cases. */\n",
        count, all, filter->bits, mistakes(filter));
    printf("#define BLOCKLIST_BITS  %uu\n#define BLOCKLIST_THIRD %" PRIu32
           "u\n#define BLOCKLIST_SEED  UINT64_C(%" PRIu64 ")\n",
           filter->bits, filter->third, filter->seed);
    printf("static const uint%u_t blocklist_cells[%" PRIu32 "] = {", filter->bits,
           3 * filter->third);
    for (i = 0; i < 3 * filter->third; i++) {
        printf("%s%u,", i % 16 ? "" : "\n    ", filter->cells[i]);
    }
    printf("\n};\n");
}

int main(int argc, char **argv)
{
    size_t room = argc > 1 ? strtoul(argv[1], NULL, 10) : LK_BLOCKLIST_BYTES;
    struct filter filter = {.bits = 16};
    size_t count, all, i;
    struct word *words = read_words(&all);

    count = all;
    if (all < 1000) {
        fail("less than 1000 passwords of 8 bytes or more are no list");
    }
    if (bytes_for(count, filter.bits) > room) {
        filter.bits = 8;
    }
    while (count && bytes_for(count, filter.bits) > room) {
        count--;
    }
    if (!count) {
        fail("there is no room for a filter");
    }
    filter.third = third_for(count);
    filter.cells = make((size_t)3 * filter.third, sizeof(*filter.cells));
    do {
        if (++filter.seed > TRIES) {
            fail("no seed makes a filter of this list");
        }
    } while (!build(&filter, words, count));
    for (i = 0; i < count; i++) {
        if (!has(&filter, words[i].state)) {
            fail("the filter that was made misses a password");
        }
    }
    print_filter(&filter, count, all);
    (void)fprintf(stderr, "blocklist: %zu of %zu common passwords in %zu bytes, %u bits each\n",
                  count, all, bytes_for(count, filter.bits), filter.bits);
    free(filter.cells);
    free(words);
    return fflush(stdout) == 0 ? 0 : 1;
}
