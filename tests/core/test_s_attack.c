// SPDX-License-Identifier: MIT
/*
 * A day under attack from the network, on a scripted clock: how many guesses get through, what it
 * costs the store, and who still gets in.
 */
#include "lockout.h"

#define HOUR    3600000u
#define SOURCES 5000
#define KNOWN   100 /* names attacked together, and as many that nobody has */

struct attack {
    struct bench *bench;
    struct lockout_meter *meter;
    struct lk_id alice;
    char cookie[LK_TOKEN_SIZE];
    uint32_t source;
    uint64_t attempts, refused, locked;
    uint64_t commits, puts, bytes;
};

static uint32_t admin_entries(struct bench *bench)
{
    struct lk_audit_query query = {.tenant = bench->tenant};
    struct lk_audit_entry entry;
    uint32_t count = 0;

    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count += entry.ring == LK_RING_ADMIN;
    }
    lk_abort(&bench->txn);
    return count;
}

static struct lk_storage_stat stat_of(struct bench *bench)
{
    struct lk_storage *map = bench->fault.inner;
    struct lk_storage_stat stat;

    assert_int_equal(map->ops->stat(map, &stat), 0);
    return stat;
}

static void attack_open(struct attack *attack)
{
    memset(attack, 0, sizeof(*attack));
    attack->bench = lockout_open(&attack->meter);
    attack->alice = lockout_user(attack->bench, "alice");
    lockout_device(attack->bench, attack->alice, attack->cookie);
    attack->commits = stat_of(attack->bench).commit_count;
    attack->puts = attack->meter->puts;
    attack->bytes = attack->meter->bytes;
}

static struct lockout_answer attack_name(struct attack *attack, const char *name)
{
    struct lockout_try one = {name, LOCKOUT_WRONG, LK_CHANNEL_HTTP, 0, NULL, NULL};
    struct lockout_answer answer;

    one.source = 0x0A000000 + attack->source++ % SOURCES;
    answer = lockout_try(attack->bench, &one);
    attack->attempts++;
    attack->refused += answer.error == LK_E_REFUSED;
    attack->locked += answer.error == LK_E_LOCKED;
    return answer;
}

/* Alice from her device, and the administrator at the console. */
static void attack_owners_get_in(struct attack *attack)
{
    struct lockout_try device = {"alice", LOCKOUT_RIGHT, LK_CHANNEL_HTTP, 77, NULL, NULL};

    device.cookie = attack->cookie;
    assert_int_equal(lockout_try(attack->bench, &device).error, 0);
    assert_int_equal(lockout_console(attack->bench, "admin", LOCKOUT_RIGHT), 0);
}

static void attack_close(struct attack *attack, const char *what)
{
    struct bench *bench = attack->bench;

    print_message("[  figure  ] %s: %llu attempts, %llu hashed, %llu refused unseen; %llu commits, "
                  "%llu records, %llu bytes put\n",
                  what, (unsigned long long)attack->attempts, (unsigned long long)attack->refused,
                  (unsigned long long)attack->locked,
                  (unsigned long long)(stat_of(bench).commit_count - attack->commits),
                  (unsigned long long)(attack->meter->puts - attack->puts),
                  (unsigned long long)(attack->meter->bytes - attack->bytes));
    assert_int_equal(attack->refused + attack->locked, attack->attempts);
    bench_verify(bench);
    bench_close(bench);
}

/* Every second for a day, from thousands of places: a user's name, the administrator's, and one
 * that nobody has. */
static void test_s_attack_on_one_name(void **state)
{
    static const char *const names[] = {"alice", "admin", "nobody"};
    struct attack attack;
    unsigned second, n, guesses[3] = {0, 0, 0};
    uint32_t administrative;

    (void)state;
    attack_open(&attack);
    administrative = admin_entries(attack.bench);
    for (second = 0; second < 86400; second++) {
        struct lockout_answer first = {0, 0};

        for (n = 0; n < 3; n++) {
            struct lockout_answer answer = attack_name(&attack, names[n]);

            /* Nothing tells the three apart, at any second. */
            first = n ? first : answer;
            assert_memory_equal(&answer, &first, sizeof(answer));
            guesses[n] += answer.error == LK_E_REFUSED;
        }
        if (second % 3600 == 3599) {
            attack_owners_get_in(&attack);
        }
        lk_fake_advance(&attack.bench->fake, 1000);
    }
    print_message("[  figure  ] guesses hashed in a day: alice %u, admin %u, nobody %u\n",
                  guesses[0], guesses[1], guesses[2]);
    assert_in_range(guesses[0], 90, 105);
    assert_int_equal(guesses[1], guesses[0]);
    assert_int_equal(guesses[2], guesses[0]);
    assert_int_equal(admin_entries(attack.bench), administrative);
    /* The next day, when it is over. */
    lk_fake_advance(&attack.bench->fake, LK_MS_PER_DAY);
    assert_int_equal(lockout_network(attack.bench, "alice", LOCKOUT_RIGHT), 0);
    assert_int_equal(lockout_network(attack.bench, "admin", LOCKOUT_RIGHT), 0);
    /* Two commits for each guess and each login, four or five records for each commit at most. */
    assert_in_range(stat_of(attack.bench).commit_count - attack.commits, 2 * attack.refused,
                    2 * (attack.refused + 50));
    assert_in_range(attack.meter->puts - attack.puts, 0, 6 * (attack.refused + 50));
    attack_close(&attack, "three names, a day");
}

/* A hundred users and a hundred names that nobody has, each every minute for a day. */
static void test_s_attack_on_many_names(void **state)
{
    static unsigned guesses[2 * KNOWN];
    struct attack attack;
    unsigned minute, i, most = 0;
    uint32_t administrative;
    uint64_t slots;
    char name[32];

    (void)state;
    attack_open(&attack);
    memset(guesses, 0, sizeof(guesses));
    for (i = 0; i < KNOWN; i++) {
        (void)snprintf(name, sizeof(name), "user%u", i);
        (void)lockout_user(attack.bench, name);
    }
    administrative = admin_entries(attack.bench);
    slots = stat_of(attack.bench).entries;
    attack.commits = stat_of(attack.bench).commit_count;
    attack.puts = attack.meter->puts;
    attack.bytes = attack.meter->bytes;
    for (minute = 0; minute < 1440; minute++) {
        struct lockout_answer first = {0, 0};

        for (i = 0; i < 2 * KNOWN; i++) {
            struct lockout_answer answer;

            (void)snprintf(name, sizeof(name), "%s%u", i % 2 ? "user" : "nobody", i / 2);
            answer = attack_name(&attack, name);
            first = i ? first : answer;
            assert_memory_equal(&answer, &first, sizeof(answer));
            guesses[i] += answer.error == LK_E_REFUSED;
        }
        if (minute % 60 == 59) {
            attack_owners_get_in(&attack);
        }
        lk_fake_advance(&attack.bench->fake, 60000);
    }
    for (i = 0; i < 2 * KNOWN; i++) {
        most = guesses[i] > most ? guesses[i] : most;
    }
    slots = stat_of(attack.bench).entries - slots;
    print_message("[  figure  ] %u names: at most %u guesses hashed for one in a day; %llu more "
                  "records and index entries in the store\n",
                  2 * KNOWN, most, (unsigned long long)slots);
    assert_in_range(most, 80, 105);
    /* Activity records, buckets, the ring's slots, the owners' sessions: no more. */
    assert_in_range(slots, 0, LK_AUDIT_CAPACITY + 2 * KNOWN + 2 * 24 + 10);
    assert_int_equal(admin_entries(attack.bench), administrative);
    lk_fake_advance(&attack.bench->fake, LK_MS_PER_DAY);
    assert_int_equal(lockout_network(attack.bench, "user7", LOCKOUT_RIGHT), 0);
    attack_close(&attack, "200 names, a day");
}

/* A hundred attempts a second, each under another name, for twenty minutes. */
static void test_s_attack_is_a_flood(void **state)
{
    struct attack attack;
    unsigned second, i, number = 0;
    uint32_t administrative;
    uint64_t slots;
    char name[32];

    (void)state;
    attack_open(&attack);
    administrative = admin_entries(attack.bench);
    slots = stat_of(attack.bench).entries;
    for (second = 0; second < 1200; second++) {
        for (i = 0; i < 100; i++) {
            (void)snprintf(name, sizeof(name), "name%u", number++);
            (void)attack_name(&attack, name);
        }
        if (second % 300 == 299) {
            attack_owners_get_in(&attack);
        }
        lk_fake_advance(&attack.bench->fake, 1000);
    }
    /* The budget of an hour, whole at the start, and what came back of it. */
    assert_in_range(attack.refused, LK_CHARGE_BUDGET, 2 * LK_CHARGE_BUDGET);
    assert_in_range(stat_of(attack.bench).commit_count - attack.commits, attack.refused,
                    2 * attack.refused + 50);
    assert_in_range(stat_of(attack.bench).entries - slots, 0,
                    LK_AUDIT_CAPACITY + LK_BUCKETS * LK_BUCKET_SLOTS + 100);
    assert_int_equal(admin_entries(attack.bench), administrative);
    lk_fake_advance(&attack.bench->fake, HOUR / 10);
    assert_int_equal(lockout_network(attack.bench, "alice", LOCKOUT_RIGHT), 0);
    attack_close(&attack, "a flood of names, 20 minutes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s_attack_on_one_name),
        cmocka_unit_test(test_s_attack_on_many_names),
        cmocka_unit_test(test_s_attack_is_a_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
