// SPDX-License-Identifier: MIT
/*
 * latchkey_life.c: what only a store in use shows.
 *
 *     bench_latchkey logins DIRECTORY SECONDS     logins of two threads beside the bare hashes of
 * two bench_latchkey churn DIRECTORY USERS        bytes a user after a year: logins, joiners,
 * leavers
 *
 * DIRECTORY holds what was loaded; it is changed. Prints lines of a name and numbers: thousandths
 * of one a second, the best of the turns; bytes a user of the file, and of keys and values.
 */
#define _GNU_SOURCE
#include "town.h"

#include "lk_linux.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS     2
#define TURNS       3  /* of hashes and logins, each after the other */
#define PEOPLE      8  /* that a thread logs in, in turn */
#define YEAR_LOGINS 50 /* of a user */
#define YEAR_PART   10 /* one user in so many leaves in a year, and another joins */

static struct town town;
static struct lk_pwhash_params cost = {19456, 2, 1};

struct worker {
    pthread_t thread;
    unsigned number, done;
    uint64_t until;
    bool hashes;
};

static void one_hash(void)
{
    const struct lk_port *port = town.store->port;
    struct lk_pwhash_job job = {.params = cost,
                                .password = (const uint8_t *)TOWN_PASSWORD,
                                .password_size = strlen(TOWN_PASSWORD)};
    int error;

    do {
        error = port->crypto->pwhash_step(port->self, &job);
    } while (error > 0);
    town_must(error, "hash");
}

static void one_login(uint32_t user)
{
    struct lk_login_request request = {
        .tenant = town.tenant, .password = LK_TEXT(TOWN_PASSWORD), .channel = LK_CHANNEL_HTTP};
    struct lk_login_result result;
    struct lk_login login;
    struct town_user person;
    int error;

    town_user(user, &person);
    request.name = town_span(person.username);
    memset(&login, 0, sizeof(login));
    town_must(lk_login_begin(town.store, &login, &request), "begin");
    do {
        error = lk_login_step(&login);
    } while (error > 0);
    town_must(error, "step");
    town_must(lk_login_finish(&login, &result), "finish");
}

static void *work(void *context)
{
    struct worker *worker = context;

    while (bench_now() < worker->until) {
        if (worker->hashes) {
            one_hash();
        } else {
            one_login(worker->number * PEOPLE + worker->done % PEOPLE);
        }
        worker->done++;
    }
    return NULL;
}

/* Done a second by all threads, in thousandths. */
static uint64_t rate(bool hashes, uint64_t seconds)
{
    struct worker workers[THREADS];
    uint64_t start = bench_now(), sum = 0;
    unsigned i;

    for (i = 0; i < THREADS; i++) {
        workers[i] =
            (struct worker){.number = i, .until = start + seconds * 1000000000u, .hashes = hashes};
        bench_must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
    }
    for (i = 0; i < THREADS; i++) {
        bench_must(pthread_join(workers[i].thread, NULL) == 0, "thread");
        sum += workers[i].done;
    }
    return sum * 1000000000000u / (bench_now() - start);
}

/* No limit of logins an hour, and as many sessions as there is room for. */
static void unlimited(void)
{
    struct lk_tenant patch;

    memset(&patch, 0, sizeof(patch));
    lk_set_number(&lk_kind_tenant, &patch.record, "login_rate", 0);
    town_must(lk_begin(town.store, &town.txn, LK_WRITE, NULL), "begin");
    town_must(lk_update(&town.txn, &lk_kind_tenant, (struct lk_id){town.tenant, 0, 0},
                        &patch.record, 0, NULL),
              "tenant");
    town_must(lk_commit(&town.txn), "commit");
}

static void set_password(struct lk_id user, const struct lk_pwhash_params *params)
{
    struct lk_password password;

    town.store->pwhash = *params;
    town_must(lk_password_prepare(town.store, LK_TEXT(TOWN_PASSWORD), NULL, 0, &password, NULL),
              "password");
    town_must(lk_begin(town.store, &town.txn, LK_WRITE, NULL), "begin");
    town_must(lk_password_set(&town.txn, user, &password, 0), "password");
    town_must(lk_commit(&town.txn), "commit");
}

static void logins(const char *directory, uint64_t seconds)
{
    uint64_t best[2] = {0, 0};
    unsigned i;

    town_open(&town, directory);
    unlimited();
    for (i = 0; i < THREADS * PEOPLE; i++) {
        set_password((struct lk_id){town.tenant, town.first_user + i, 0}, &cost);
    }
    for (i = 0; i < 2 * TURNS; i++) {
        uint64_t one = rate(i % 2 == 0, seconds);

        best[i % 2] = one > best[i % 2] ? one : best[i % 2];
    }
    printf("hashes %llu\nlogins %llu\n", (unsigned long long)best[0], (unsigned long long)best[1]);
    town_close(&town);
}

static uint64_t content(void)
{
    const struct lk_storage_ops *ops = town.store->storage->ops;
    struct lk_storage_cursor cursor = {0};
    struct lk_span key, value;
    uint64_t size = 0;
    int error;

    town_must(lk_begin(town.store, &town.txn, LK_READ, NULL), "begin");
    town_must(ops->cursor_open(&town.txn.storage, &cursor, LK_TEXT("")), "cursor");
    for (error = ops->seek(&cursor, LK_TEXT(""), &key, &value); !error;
         error = ops->next(&cursor, &key, &value)) {
        size += key.size + value.size;
    }
    ops->cursor_close(&cursor);
    lk_abort(&town.txn);
    return size;
}

static void leave_and_join(uint32_t leaver, uint32_t joiner)
{
    struct lk_id id;
    struct town_user plain;
    struct lk_user user;
    uint32_t role;

    town_user(leaver, &plain);
    town_must(lk_begin(town.store, &town.txn, LK_WRITE, NULL), "begin");
    town_must(lk_find_user(&town.txn, town.tenant, town_span(plain.username), &id), "user");
    town_must(lk_remove(&town.txn, &lk_kind_user, id, NULL), "remove");
    town_must(lk_purge(&town.txn, &lk_kind_user, id), "purge");
    town_must(lk_find_named(&town.txn, &lk_kind_role, town.tenant, LK_TEXT("operator"), &id),
              "role");
    role = id.sub;
    town_user(joiner, &plain);
    memset(&user, 0, sizeof(user));
    user.record.id.tenant = town.tenant;
    lk_set_text(&lk_kind_user, &user.record, "username", plain.username);
    lk_set_text(&lk_kind_user, &user.record, "email", plain.email);
    lk_set_text(&lk_kind_user, &user.record, "display_name", plain.display);
    town_must(lk_user_add(&town.txn, &user, &role, 1), "add");
    town_must(lk_commit(&town.txn), "commit");
}

static void report(const char *name, const char *directory, uint32_t users)
{
    char store[600];

    (void)snprintf(store, sizeof(store), "%s/store", directory);
    printf("%s %llu %llu\n", name, (unsigned long long)(bench_file_size(store, "data.mdb") / users),
           (unsigned long long)(content() / users));
}

static void churn(const char *directory, uint32_t users)
{
    static const struct lk_pwhash_params least = {8, 1, 1};
    uint64_t left = (uint64_t)users * YEAR_LOGINS;
    uint32_t gone = 0, every = YEAR_LOGINS * YEAR_PART;

    town_open(&town, directory);
    unlimited();
    cost = least;
    report("before", directory, users);
    for (; left; left--) {
        /* Who left logs in no more; who joined has no password yet. */
        one_login(gone + bench_random(users - gone));
        if (left % every == 0 && gone < users / YEAR_PART) {
            leave_and_join(gone, users + gone);
            gone++;
        }
    }
    report("after", directory, users);
    lk_txn_release(&town.txn);
    town_must(lk_host_pack(town.host, NULL, NULL), "pack");
    report("compacted", directory, users);
    town_close(&town);
}

int latchkey_life(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "logins") == 0) {
        logins(argv[2], strtoull(argv[3], NULL, 10));
    } else if (argc == 4 && strcmp(argv[1], "churn") == 0) {
        churn(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
    } else {
        return 2;
    }
    return 0;
}
