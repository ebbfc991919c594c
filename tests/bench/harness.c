// SPDX-License-Identifier: MIT
/*
 * harness.c: the main program of every engine.
 *
 *     bench_ENGINE load DIRECTORY USERS
 *     bench_ENGINE run DIRECTORY USERS ROUNDS [WORKLOAD...]
 *
 * `load` prints the cost of the import and bytes a user: of the medium, of keys and values. `run`
 * prints a line for each workload: its name, median and 99th percentile in nanoseconds with
 * the cost of asking the time taken off, bytes written and barriers of one operation (medians).
 */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *const names[BENCH_WORKLOADS] = {"session_check", "session_check_permission",
                                                   "user_by_email", "user_page",
                                                   "audit_range",   "login_durable",
                                                   "login_charge",  "import",
                                                   "open",          "decode",
                                                   "bytes_per_user"};

static uint64_t seed = 88172645463325252u;

uint64_t bench_now(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

uint64_t bench_spent(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

void bench_must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_%s: %s\n", bench_engine.name, what);
        exit(1);
    }
}

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

uint32_t bench_random(uint32_t below)
{
    return (uint32_t)((draw() >> 16) % below);
}

void bench_fill(uint8_t *out, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        out[i] = (uint8_t)(draw() >> 24);
    }
}

void town_user(uint32_t number, struct town_user *user)
{
    uint64_t bits = number * 0x9E3779B97F4A7C15u + 1;
    size_t i;

    (void)snprintf(user->username, sizeof(user->username), "user%07u", number);
    (void)snprintf(user->email, sizeof(user->email), "user%07u@gateway.example", number);
    (void)snprintf(user->display, sizeof(user->display), "User number %u", number);
    for (i = 0; i < sizeof(user->external_id); i++) {
        bits ^= bits >> 29;
        bits *= 0xBF58476D1CE4E5B9u;
        user->external_id[i] = (uint8_t)(bits >> 32);
    }
    user->created_at = TOWN_BASE_MS + (uint64_t)number * 1000;
}

/* ---- Tokens ---- */

static FILE *tokens_file;
static char (*tokens)[TOWN_TOKEN];
static uint32_t tokens_count;

static FILE *tokens_open(const char *directory, const char *mode)
{
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/tokens", directory);
    file = fopen(path, mode);
    bench_must(file != NULL, path);
    return file;
}

void tokens_write(const char *directory, uint32_t user, uint32_t users, uint32_t session,
                  const char token[TOWN_TOKEN])
{
    uint32_t step = users / TOWN_TOKENS_MAX + 1;

    if (session != 0 || user % step != 0) {
        return;
    }
    if (!tokens_file) {
        tokens_file = tokens_open(directory, "wb");
    }
    bench_must(fwrite(token, TOWN_TOKEN, 1, tokens_file) == 1, "tokens");
}

void tokens_done(void)
{
    bench_must(tokens_file && fclose(tokens_file) == 0, "tokens");
    tokens_file = NULL;
}

void tokens_read(const char *directory)
{
    FILE *file = tokens_open(directory, "rb");

    tokens = malloc(sizeof(*tokens) * TOWN_TOKENS_MAX);
    bench_must(tokens != NULL, "memory");
    tokens_count = (uint32_t)fread(tokens, sizeof(*tokens), TOWN_TOKENS_MAX, file);
    bench_must(tokens_count > 0 && fclose(file) == 0, "tokens");
}

const char *tokens_pick(uint32_t which)
{
    return tokens[which % tokens_count];
}

uint64_t bench_file_size(const char *directory, const char *name)
{
    char path[512];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- Timing ---- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* What asking the time twice takes by itself. */
static uint64_t control(void)
{
    static uint64_t times[10001];
    size_t i;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        uint64_t start = bench_now();

        times[i] = bench_now() - start;
    }
    qsort(times, sizeof(times) / sizeof(times[0]), sizeof(times[0]), compare);
    return times[sizeof(times) / sizeof(times[0]) / 2];
}

static uint64_t less(uint64_t time, uint64_t by)
{
    return time > by ? time - by : 0;
}

/* Writes are few enough of the rounds of reads that a run ends in a bearable time. */
static uint32_t rounds_of(enum bench_workload workload, uint32_t rounds)
{
    switch (workload) {
    case BENCH_LOGIN_DURABLE:
    case BENCH_LOGIN_CHARGE:
    case BENCH_AUDIT_RANGE:
    case BENCH_USER_PAGE: return rounds / 20 + 1;
    default: return rounds;
    }
}

static void measure(enum bench_workload workload, uint32_t users, uint32_t rounds,
                    uint64_t overhead)
{
    uint32_t warm, i;
    uint64_t *times, *bytes, *barriers;

    rounds = rounds_of(workload, rounds);
    warm = rounds / 10;
    times = malloc(sizeof(*times) * rounds);
    bytes = malloc(sizeof(*bytes) * rounds);
    barriers = malloc(sizeof(*barriers) * rounds);
    bench_must(times && bytes && barriers, "memory");
    for (i = 0; i < warm + rounds; i++) {
        uint32_t which = bench_random(users), at = i < warm ? 0 : i - warm;
        uint64_t start, bytes_before, barriers_before;

        if (bench_engine.ready[workload]) {
            bench_engine.ready[workload](which);
        }
        bytes_before = count_bytes;
        barriers_before = count_barriers;
        start = bench_now();
        bench_engine.run[workload](which);
        times[at] = bench_now() - start;
        bytes[at] = count_bytes - bytes_before;
        barriers[at] = count_barriers - barriers_before;
    }
    qsort(times, rounds, sizeof(*times), compare);
    qsort(bytes, rounds, sizeof(*bytes), compare);
    qsort(barriers, rounds, sizeof(*barriers), compare);
    printf("%s %llu %llu %llu %llu\n", names[workload],
           (unsigned long long)less(times[rounds / 2], overhead),
           (unsigned long long)less(times[rounds - 1 - rounds / 100], overhead),
           (unsigned long long)bytes[rounds / 2], (unsigned long long)barriers[rounds / 2]);
    free(times);
    free(bytes);
    free(barriers);
}

static void measure_open(const char *directory, uint32_t users)
{
    static uint64_t times[31];
    size_t i, count = sizeof(times) / sizeof(times[0]);

    for (i = 0; i < count; i++) {
        uint64_t start = bench_now();

        bench_engine.open(directory, users);
        bench_engine.run[BENCH_SESSION_CHECK](bench_random(users));
        times[i] = bench_now() - start;
        bench_engine.close();
    }
    qsort(times, count, sizeof(times[0]), compare);
    printf("open %llu %llu 0 0\n", (unsigned long long)times[count / 2],
           (unsigned long long)times[count - 1]);
}

static bool wanted(const char *name, int argc, char **argv)
{
    int i;

    for (i = 5; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc <= 5;
}

static void run(int argc, char **argv)
{
    uint32_t users = (uint32_t)strtoul(argv[3], NULL, 10);
    uint32_t rounds = (uint32_t)strtoul(argv[4], NULL, 10);
    uint64_t overhead = control();
    unsigned i;

    bench_must(users > 0 && rounds > 0, "users and rounds: whole numbers above 0");
    tokens_read(argv[2]);
    seed += (uint64_t)bench_now();
    printf("control %llu 0 0 0\n", (unsigned long long)overhead);
    if (wanted("open", argc, argv)) {
        measure_open(argv[2], users);
    }
    bench_engine.open(argv[2], users);
    for (i = 0; i < BENCH_WORKLOADS; i++) {
        if (bench_engine.run[i] && wanted(names[i], argc, argv)) {
            measure((enum bench_workload)i, users, rounds, overhead);
        }
    }
    bench_engine.close();
}

/* As it is once it is loaded: what the workloads write is another matter. */
static void load(const char *directory, uint32_t users)
{
    uint64_t import_ns = 0, medium, content;

    bench_must(users > 0, "users: a whole number above 0");
    bench_engine.load(directory, users, &import_ns);
    printf("import %llu 0 0 0\n", (unsigned long long)(import_ns / users));
    if (bench_engine.bytes) {
        bench_engine.open(directory, users);
        bench_engine.bytes(&medium, &content);
        bench_engine.close();
        printf("bytes_per_user %llu %llu %llu 0\n", (unsigned long long)(medium / users),
               (unsigned long long)(content / users), (unsigned long long)(medium / users));
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "load") == 0) {
        load(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
    } else if (argc >= 5 && strcmp(argv[1], "run") == 0) {
        run(argc, argv);
    } else if (!bench_engine.other || bench_engine.other(argc, argv) == 2) {
        (void)fprintf(stderr,
                      "usage: bench_%s load DIRECTORY USERS\n"
                      "       bench_%s run DIRECTORY USERS ROUNDS [WORKLOAD...]\n",
                      bench_engine.name, bench_engine.name);
        return 2;
    }
    return 0;
}
