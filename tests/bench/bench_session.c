// SPDX-License-Identifier: MIT
/*
 * What the paths that a gateway runs all day cost, inside the process, on LMDB: session check (with
 * and without a permission), lookup by e-mail, login commit. Prints medians and 99th percentiles.
 *
 *     bench_session [users] [rounds]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "latchkey.h"
#include "lk_text.h"

#define SESSIONS 1000

struct bench {
    struct lk_host *host;
    struct lk_store *store;
    struct lk_txn txn;
    uint32_t tenant;
    uint32_t users;
    char tokens[SESSIONS][LK_TOKEN_SIZE];
    uint64_t seed;
};

static void bench_fail(const char *what, int error)
{
    (void)fprintf(stderr, "bench_session: %s: %s\n", what, lk_strerror(error));
    exit(1);
}

static void bench_must(const char *what, int error)
{
    if (error) {
        bench_fail(what, error);
    }
}

static uint64_t bench_now(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static uint32_t bench_random(struct bench *bench, uint32_t below)
{
    bench->seed = bench->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((bench->seed >> 33) % below);
}

static int bench_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void bench_report(const char *name, uint64_t *times, size_t count)
{
    qsort(times, count, sizeof(*times), bench_compare);
    printf("%-28s median %8llu ns   p99 %8llu ns\n", name, (unsigned long long)times[count / 2],
           (unsigned long long)times[count - 1 - count / 100]);
}

static struct lk_span bench_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static void bench_set(struct lk_record *record, const char *name, const char *value)
{
    lk_field_set_span(record, lk_field_named(&lk_kind_user, bench_span(name)), bench_span(value));
}

static void bench_fill(struct bench *bench)
{
    uint64_t start = bench_now();
    struct lk_id role;
    uint32_t i;

    bench_must("begin", lk_begin(bench->store, &bench->txn, LK_WRITE, NULL));
    bench->txn.summary = true;
    bench_must("role", lk_find_named(&bench->txn, &lk_kind_role, bench->tenant, LK_TEXT("operator"),
                                     &role));
    for (i = 0; i < bench->users; i++) {
        struct lk_user user;
        char name[32], email[48], display[32];

        memset(&user, 0, sizeof(user));
        user.record.id.tenant = bench->tenant;
        (void)snprintf(name, sizeof(name), "user%07u", i);
        (void)snprintf(email, sizeof(email), "user%07u@gateway.example", i);
        (void)snprintf(display, sizeof(display), "User number %u", i);
        bench_set(&user.record, "username", name);
        bench_set(&user.record, "email", email);
        bench_set(&user.record, "display_name", display);
        bench_must("add", lk_add(&bench->txn, &lk_kind_user, &user.record, NULL));
        bench_must("grant", lk_role_grant(&bench->txn, user.record.id, role, 0));
    }
    bench_must("commit", lk_commit(&bench->txn));
    printf("%u users with a role in %.1f s\n", bench->users, (double)(bench_now() - start) / 1e9);
}

static void bench_login(struct bench *bench)
{
    static uint64_t times[SESSIONS];
    struct lk_password password;
    uint32_t i;

    bench_must("hash", lk_password_prepare(bench->store, LK_TEXT("correct horse"), NULL, 0,
                                           &password, NULL));
    for (i = 0; i < SESSIONS; i++) {
        struct lk_id user = {bench->tenant, 2 + i * (bench->users / SESSIONS), 0};
        struct lk_login_request request = {.tenant = bench->tenant,
                                           .password = LK_TEXT("correct horse")};
        struct lk_login_result result;
        char name[16];
        struct lk_user record;
        struct lk_login login;
        int error;

        bench_must("begin", lk_begin(bench->store, &bench->txn, LK_WRITE, NULL));
        bench->txn.summary = true;
        bench_must("get", lk_get(&bench->txn, &lk_kind_user, user, &record.record));
        (void)snprintf(name, sizeof(name), "%.*s", (int)record.username.size,
                       (const char *)record.username.data);
        bench_must("password", lk_password_set(&bench->txn, user, &password, 0));
        bench_must("commit", lk_commit(&bench->txn));
        request.name = bench_span(name);
        bench_must("charge", lk_login_begin(bench->store, &login, &request));
        do {
            error = lk_login_step(&login);
        } while (error > 0);
        bench_must("step", error);
        times[i] = bench_now();
        bench_must("finish", lk_login_finish(&login, &result));
        times[i] = bench_now() - times[i];
        memcpy(bench->tokens[i], result.token, LK_TOKEN_SIZE);
    }
    bench_report("login commit", times, SESSIONS);
}

static void bench_check(struct bench *bench, size_t rounds, const char *name,
                        const struct lk_question *question)
{
    uint64_t *times = malloc(rounds * sizeof(*times));
    size_t i;

    if (!times) {
        bench_fail("memory", LK_E_SPACE);
    }
    for (i = 0; i < rounds; i++) {
        const char *token = bench->tokens[bench_random(bench, SESSIONS)];
        struct lk_verdict verdict;

        times[i] = bench_now();
        bench_must("begin", lk_begin(bench->store, &bench->txn, LK_READ, NULL));
        bench_must("check", lk_session_check(&bench->txn, bench->tenant, bench_span(token),
                                             question, &verdict));
        lk_abort(&bench->txn);
        times[i] = bench_now() - times[i];
    }
    bench_report(name, times, rounds);
    free(times);
}

static void bench_find(struct bench *bench, size_t rounds)
{
    uint64_t *times = malloc(rounds * sizeof(*times));
    size_t i;

    if (!times) {
        bench_fail("memory", LK_E_SPACE);
    }
    for (i = 0; i < rounds; i++) {
        struct lk_user user;
        struct lk_id id;
        char email[48];

        (void)snprintf(email, sizeof(email), "user%07u@gateway.example",
                       bench_random(bench, bench->users));
        times[i] = bench_now();
        bench_must("begin", lk_begin(bench->store, &bench->txn, LK_READ, NULL));
        bench_must("find", lk_find_user(&bench->txn, bench->tenant, bench_span(email), &id));
        bench_must("get", lk_get(&bench->txn, &lk_kind_user, id, &user.record));
        lk_abort(&bench->txn);
        times[i] = bench_now() - times[i];
    }
    bench_report("user by e-mail, decoded", times, rounds);
    free(times);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 200000;
    char place[] = "/tmp/latchkey-bench-XXXXXX", directory[64], command[96];
    struct lk_host_config config = {.pwhash = {8, 1, 1}};
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;

    bench.users = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    if (!mkdtemp(place) || bench.users < SESSIONS || !rounds) {
        bench_fail(place, LK_E_ARGUMENT);
    }
    (void)snprintf(directory, sizeof(directory), "%s/store", place);
    config.directory = directory;
    bench_must("create", lk_host_create(&config, &request, &result));
    bench_must("open", lk_host_open(&config, &bench.host));
    bench.store = lk_host_store(bench.host);
    bench.tenant = result.admin.tenant;
    bench.seed = 1;
    bench_fill(&bench);
    bench_login(&bench);
    bench_check(&bench, rounds, "session check", NULL);
    bench_check(&bench, rounds, "session check, permission", LK_ASK("user", "write"));
    bench_find(&bench, rounds);
    lk_txn_release(&bench.txn);
    lk_host_close(bench.host);
    (void)snprintf(command, sizeof(command), "rm -rf %s", place);
    return system(command) ? 1 : 0;
}
