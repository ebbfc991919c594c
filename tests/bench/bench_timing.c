// SPDX-License-Identifier: MIT
/*
 * Does the time of a refusal tell what is behind a name? Interleaved attempts under names of every
 * sort, each against a wrong password, compared by Welch's t; |t| below 4.5 is the bar. It is the
 * processor's time that is compared, so that other programs do not hide a difference. Prints, and
 * decides nothing: time is no unit test.
 *
 *     bench_timing [ATTEMPTS [KIB]]      of each sort; Argon2id memory of a verifier
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "latchkey.h"
#include "lk_fake.h"
#include "lk_foreign.h"
#include "lk_ram.h"

#define MEMORY       (16u << 20)
#define WRONG        "a wrong password"
#define COUNT(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))
#define NAMES        64 /* of each sort, so that each answers for its sort and not for itself */
#define BCRYPT       "$2b$05$abcdefghijklmnopqrstuuQJ6pZ0lI4rQ5xkkQzTzBDzD1hTqvE1u"

enum sort { KNOWN, UNKNOWN, SUSPENDED, BARE, FOREIGN, NEVER_THERE, EITHER, SORTS };

static const char *const sorts[SORTS] = {"known",          "unknown",      "suspended",
                                         "no password",    "foreign hash", "no such tenant",
                                         "users of either"};

struct timing {
    struct lk_fake fake;
    struct lk_ram ram;
    struct lk_store store;
    struct lk_config config;
    struct lk_txn txn;
    uint32_t tenant;
    uint64_t work[(LK_WORK_SIZE + 7) / 8];
};

/* Running mean and variance (Welford). */
struct moments {
    uint64_t count;
    double mean, squares;
};

static void check(int error, const char *what)
{
    if (error) {
        (void)fprintf(stderr, "bench_timing: %s: %s\n", what, lk_strerror(error));
        exit(1);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void add(struct moments *moments, double value)
{
    double delta = value - moments->mean;

    moments->count++;
    moments->mean += delta / (double)moments->count;
    moments->squares += delta * (value - moments->mean);
}

static double welch(const struct moments *a, const struct moments *b)
{
    double va = a->squares / (double)(a->count - 1) / (double)a->count;
    double vb = b->squares / (double)(b->count - 1) / (double)b->count;

    return (a->mean - b->mean) / sqrt(va + vb);
}

static void set_policy(struct timing *timing, const char *field, uint64_t number)
{
    struct lk_tenant tenant;

    memset(&tenant, 0, sizeof(tenant));
    lk_set_number(&lk_kind_tenant, &tenant.record, field, number);
    check(lk_update(&timing->txn, &lk_kind_tenant, (struct lk_id){timing->tenant, 0, 0},
                    &tenant.record, 0, NULL),
          field);
}

static void name_of(enum sort sort, unsigned number, char name[32])
{
    static const char *const stems[SORTS] = {"known", "unknown", "suspended",
                                             "bare",  "foreign", "known"};

    (void)snprintf(name, 32, "%s%u",
                   sort == EITHER ? stems[number % 2 ? KNOWN : FOREIGN] : stems[sort],
                   sort == EITHER ? number / 2 % NAMES : number);
}

static void make_user(struct timing *timing, enum sort sort, unsigned number,
                      const struct lk_password *verifier)
{
    struct lk_user user;
    char name[32];

    name_of(sort, number, name);
    memset(&user, 0, sizeof(user));
    user.record.id.tenant = timing->tenant;
    lk_set_text(&lk_kind_user, &user.record, "username", name);
    check(lk_add(&timing->txn, &lk_kind_user, &user.record, NULL), name);
    if (sort == FOREIGN) {
        check(lk_password_import(&timing->txn, user.record.id, LK_TEXT(BCRYPT)), "foreign hash");
    } else if (sort != BARE) {
        check(lk_password_set(&timing->txn, user.record.id, verifier, 0), "password");
    }
    if (sort == SUSPENDED) {
        check(lk_user_set_status(&timing->txn, user.record.id, LK_USER_SUSPENDED), "suspend");
    }
}

static void make(struct timing *timing, uint32_t kib, bool foreign)
{
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;
    struct lk_password verifier;
    unsigned i;

    memset(timing, 0, sizeof(*timing));
    check(lk_fake_init(&timing->fake, 1), "port");
    lk_fake_pwhash_exact(&timing->fake, true);
    lk_fake_foreign_set(&timing->fake, lk_foreign_verify, lk_foreign_check);
    check(lk_ram_init(&timing->ram, calloc(1, MEMORY), MEMORY, LK_VALUE_MAX), "memory");
    timing->config = (struct lk_config){.storage = &timing->ram.storage,
                                        .port = lk_fake_port(&timing->fake),
                                        .work = timing->work,
                                        .work_size = sizeof(timing->work),
                                        .pwhash = {kib, 1, 1}};
    check(lk_create(&timing->store, &timing->config, &request, &result), "store");
    timing->tenant = result.admin.tenant;
    check(lk_password_prepare(&timing->store, LK_TEXT("the right password"), NULL, 0, &verifier,
                              NULL),
          "hash");
    check(lk_begin(&timing->store, &timing->txn, LK_WRITE, NULL), "begin");
    set_policy(timing, "lockout_failures", 0);
    set_policy(timing, "close_failures", 0);
    for (i = 0; i < NAMES; i++) {
        make_user(timing, KNOWN, i, &verifier);
        make_user(timing, SUSPENDED, i, &verifier);
        make_user(timing, BARE, i, &verifier);
        if (foreign) {
            make_user(timing, FOREIGN, i, &verifier);
        }
    }
    check(lk_commit(&timing->txn), "commit");
    lk_txn_release(&timing->txn);
}

static uint64_t attempt(struct timing *timing, enum sort sort, unsigned number, int want)
{
    char name[32];
    struct lk_login_request request = {.tenant = sort == NEVER_THERE ? 0 : timing->tenant,
                                       .tenant_name = LK_TEXT("never there"),
                                       .password = LK_TEXT(WRONG),
                                       .channel = LK_CHANNEL_HTTP};
    struct lk_login_result result;
    uint64_t start;
    int error;

    name_of(sort, number, name);
    request.name = (struct lk_span){(const uint8_t *)name, strlen(name)};
    start = now_ns();
    error = lk_login(&timing->store, &request, &result, NULL);
    start = now_ns() - start;
    if (error != want) {
        (void)fprintf(stderr, "bench_timing: %s: answered %d, not %d\n", name, error, want);
        exit(1);
    }
    lk_fake_advance(&timing->fake, 1000); /* the store's budget of failures comes back */
    return start;
}

/* Of each sort so many names; of those that nobody has, or of either sort, it may be any number. */
static void run(struct timing *timing, const char *what, unsigned attempts, unsigned count,
                const enum sort *which, unsigned names, int want)
{
    struct moments moments[SORTS];
    uint64_t random = 1;
    unsigned i, k;

    memset(moments, 0, sizeof(moments));
    for (i = 0; i < attempts * count; i++) {
        enum sort sort;
        uint64_t ns;

        random = random * 6364136223846793005u + 1442695040888963407u;
        sort = which[(random >> 16) % count];
        ns = attempt(timing, sort, (unsigned)(random >> 36) % names, want);
        if (i >= 10 * count) { /* the first ones warm up */
            add(&moments[sort], (double)ns / 1000);
        }
    }
    printf("%s\n", what);
    for (k = 0; k < count; k++) {
        const struct moments *one = &moments[which[k]];

        printf("  %-16s %8" PRIu64 " attempts  mean %10.2f us  deviation %9.2f us", sorts[which[k]],
               one->count, one->mean, sqrt(one->squares / (double)(one->count - 1)));
        if (k) {
            printf("  t against %s %6.2f", sorts[which[0]], welch(one, &moments[which[0]]));
        }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static const enum sort plain[] = {KNOWN, UNKNOWN, SUSPENDED, BARE, NEVER_THERE};
    static const enum sort mixed[] = {EITHER, UNKNOWN};
    static struct timing timing;
    unsigned attempts = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
    uint32_t kib = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1024;
    unsigned i;
    enum sort sort;

    printf("refused logins, interleaved, Argon2id with %u KiB\n", (unsigned)kib);
    make(&timing, kib, false);
    run(&timing, "wrong password, all verifiers alike", attempts, COUNT(plain), plain, NAMES,
        LK_E_REFUSED);
    lk_close(&timing.store);
    free(timing.ram.memory);

    make(&timing, kib, true);
    run(&timing, "half of the verifiers another program's: so are those of unknown names", attempts,
        COUNT(mixed), mixed, 1u << 24, LK_E_REFUSED);
    lk_close(&timing.store);
    free(timing.ram.memory);

    make(&timing, 8, false);
    check(lk_begin(&timing.store, &timing.txn, LK_WRITE, NULL), "begin");
    set_policy(&timing, "lockout_failures", 1);
    set_policy(&timing, "lockout_time", 86400);
    set_policy(&timing, "close_failures", 1);
    set_policy(&timing, "close_time", 31536000);
    check(lk_commit(&timing.txn), "commit");
    lk_txn_release(&timing.txn);
    for (sort = KNOWN; sort <= NEVER_THERE; sort++) {
        for (i = 0; sort != FOREIGN && i < NAMES; i++) {
            (void)attempt(&timing, sort, i, LK_E_REFUSED);
        }
    }
    run(&timing, "while a delay runs, nothing hashed", 20 * attempts, COUNT(plain), plain, NAMES,
        LK_E_LOCKED);
    lk_close(&timing.store);
    free(timing.ram.memory);
    return 0;
}
