// SPDX-License-Identifier: MIT
/*
 * A store of 64 KiB over the years: how long the part lasts under the daily logins and session
 * checks of a site, and under one account that logs in every second.
 *
 * LATCHKEY_DAYS=n simulates so many days, and a whole one of the attack.
 */
#include "power.h"

#define LIFE_ENDURANCE 10000 /* erases that a sector is sold for */
#define LIFE_LOGINS    50    /* a day */
#define LIFE_CHECKS    500
#define LIFE_DAYS      12
#define LIFE_USERS_MAX 200
#define LIFE_USERS     60
#define LIFE_DAY_S     86400

struct life {
    struct power_rig *rig;
    unsigned user_count;
    char tokens[LIFE_USERS_MAX][2][LK_TOKEN_SIZE];
    uint64_t seed, put_bytes, put_count, touches;
};

static struct life life;
static int (*life_put)(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value);

static int counting_put(struct lk_storage_txn *txn, struct lk_span key, struct lk_span value)
{
    life.put_bytes += key.size + value.size;
    life.put_count++;
    return life_put(txn, key, value);
}

static uint32_t life_random(uint32_t below)
{
    life.seed = life.seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(life.seed >> 33) % below;
}

/* The token of the last login takes the place of the older one: two sessions a user. */
static int life_login(unsigned user)
{
    struct lk_login_result result;
    char name[16];
    int error;

    (void)snprintf(name, sizeof(name), "user.%03u", user);
    error = bench_login(life.rig->bench, name, BENCH_PASSWORD, &result);
    if (!error) {
        memcpy(life.tokens[user][1], life.tokens[user][0], LK_TOKEN_SIZE);
        memcpy(life.tokens[user][0], result.token, LK_TOKEN_SIZE);
    }
    return error;
}

static void life_check(unsigned user)
{
    struct bench *bench = life.rig->bench;
    struct lk_verdict verdict;

    bench_read(bench);
    assert_int_equal(lk_session_check(&bench->txn, bench->tenant,
                                      bench_text(life.tokens[user][life_random(2)]),
                                      &(const struct lk_question){.resource = LK_TEXT("user"),
                                                                  .action = LK_TEXT("read")},
                                      &verdict),
                     0);
    lk_abort(&bench->txn);
    if (verdict.touch_due) {
        bench_write(bench);
        assert_int_equal(lk_session_touch(&bench->txn, &verdict), 0);
        bench_commit(bench);
        life.touches++;
    }
}

static int life_user(unsigned user)
{
    struct bench *bench = life.rig->bench;
    struct lk_id id = {0, 0, 0};
    struct lk_password verifier;
    char name[32];
    int error;

    (void)snprintf(name, sizeof(name), "username=user.%03u", user);
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT(BENCH_PASSWORD), NULL, 0, &verifier, NULL), 0);
    bench_write(bench);
    error = bench_add(bench, &lk_kind_user, &id, name, NULL);
    if (!error) {
        error = lk_password_set(&bench->txn, id, &verifier, 0);
    }
    if (!error) {
        error = lk_role_grant(&bench->txn, id, life.rig->role, 0);
    }
    if (!error) {
        error = lk_commit(&bench->txn);
    }
    lk_abort(&bench->txn);
    return error;
}

/* A store with so many users, or as many as there is room for, each with a role and two sessions.
 */
static void life_open(unsigned users)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct bench *bench;
    unsigned i;

    memset(&life, 0, sizeof(life));
    life.rig = power_rig_open(&power_backend_nor, &power_geometries[1]);
    life.seed = 1;
    life_put = life.rig->ops.put;
    life.rig->ops.put = counting_put;
    bench = life.rig->bench;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    bench_write(bench);
    life.rig->role = bench_named(bench, &lk_kind_role, "viewer");
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "session_max=2", "session_lifetime=31536000", NULL),
                     0);
    bench_commit(bench);
    for (i = 0; i < users && life_user(i) == 0 && life_login(i) == 0 && life_login(i) == 0; i++) {
        life.user_count = i + 1;
    }
}

static void life_close(void)
{
    bench_verify(life.rig->bench);
    assert_string_equal(life.rig->failure, "");
    lk_txn_release(&life.rig->bench->txn);
    lk_close(&life.rig->bench->store);
    power_rig_close(life.rig);
}

/* What the last `days` did, after `before`. */
struct life_figures {
    double years, spread, amplification, erases_a_day;
};

static struct life_figures life_tell(const char *what, const struct lk_fake_flash *before,
                                     const uint32_t *erases, double days)
{
    const struct lk_fake_flash *now = &life.rig->flash;
    struct life_figures figures;
    uint32_t least = UINT32_MAX, most = 0, i;
    uint64_t programmed = now->stat.programmed_bytes - before->stat.programmed_bytes;

    for (i = 0; i < now->config.sector_count; i++) {
        uint32_t count = now->sectors[i].erases - erases[i];

        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    figures.erases_a_day = (double)(now->stat.erases - before->stat.erases) / days;
    figures.years = LIFE_ENDURANCE * days / (most ? most : 1) / 365;
    figures.spread = least ? (double)most / least : 0;
    figures.amplification = (double)programmed / (double)life.put_bytes;
    print_message(
        "%s: %.1f erases a day, each sector %u to %u times in %.2f days; %.0f bytes a day "
        "put, %.0f programmed (x %.2f); the part lasts %.1f years of %d erases\n",
        what, figures.erases_a_day, least, most, days, (double)life.put_bytes / days,
        (double)programmed / days, figures.amplification, figures.years, LIFE_ENDURANCE);
    return figures;
}

static unsigned days_of(void)
{
    const char *text = getenv("LATCHKEY_DAYS");

    return text && text[0] ? (unsigned)strtoul(text, NULL, 10) : LIFE_DAYS;
}

static void life_counters(struct lk_fake_flash *before, uint32_t *erases)
{
    uint32_t i;

    *before = life.rig->flash;
    for (i = 0; i < before->config.sector_count; i++) {
        erases[i] = before->sectors[i].erases;
    }
    life.put_bytes = life.put_count = life.touches = 0;
}

/* Some days of a site, spread evenly: logins and session checks of users at random. */
static void live(unsigned logins, unsigned checks, unsigned days, int (*login)(unsigned user),
                 void (*check)(unsigned user))
{
    unsigned total = logins + checks, day, i;

    for (day = 0; day < days; day++) {
        for (i = 0; i < total; i++) {
            unsigned user = life_random(life.user_count);

            lk_fake_advance(&life.rig->bench->fake, (uint64_t)LIFE_DAY_S * 1000 / total);
            /* As many of the first as there are, evenly among the others. */
            if ((i + 1) * logins / total > i * logins / total) {
                assert_int_equal(login(user), 0);
            } else {
                check(user);
            }
        }
    }
}

static struct life_figures live_core(unsigned users, unsigned checks)
{
    struct lk_fake_flash before;
    uint32_t erases[64];
    struct life_figures figures;
    struct lk_storage_stat stat;
    unsigned days = days_of();
    char what[96];

    life_open(users);
    assert_int_equal(life.user_count, users);
    assert_int_equal(life.rig->storage->ops->stat(life.rig->storage, &stat), 0);
    print_message("%u users: %llu entries, %llu bytes used, %llu free\n", users,
                  (unsigned long long)stat.entries, (unsigned long long)stat.used_bytes,
                  (unsigned long long)stat.free_bytes);
    life_counters(&before, erases);
    live(LIFE_LOGINS, checks, days, life_login, life_check);
    (void)snprintf(what, sizeof(what), "%u users, %d logins and %u checks (%llu written) a day",
                   users, LIFE_LOGINS, checks, (unsigned long long)(life.touches / days));
    figures = life_tell(what, &before, erases, days);
    life_close();
    return figures;
}

/* How many users there is room for, each with a role, a password and two sessions; and how long the
 * part lasts with 100, or with as many as there are. */
static void test_life_users_that_fit(void **state)
{
    struct life_figures most;
    unsigned fit;

    (void)state;
    life_open(LIFE_USERS_MAX);
    fit = life.user_count;
    print_message("%u users fit into 64 KiB\n", fit);
    assert_true(fit >= 80 && fit < LIFE_USERS_MAX);
    life_close();
    if (fit < 100) {
        print_message("100 users do not fit; with the %u that do:\n", fit);
    }
    most = live_core(fit < 100 ? fit : 100, LIFE_CHECKS);
    assert_true(most.spread > 0 && most.spread <= 2);
}

static void test_life_of_a_site(void **state)
{
    struct life_figures all = live_core(LIFE_USERS, LIFE_CHECKS), logins = live_core(LIFE_USERS, 0);

    (void)state;
    assert_true(all.spread > 0 && all.spread <= 2);
    assert_true(logins.years > all.years);
    assert_true(all.years > 20 && logins.years > 20);
}

/* ---- Records of the sizes that a board would choose ---- */

#define MIX_PARTS 9

/* Bytes of values; with keys of 6 they make 420 a user. Their puts are: login 5 to 8, check 5. */
static const struct {
    uint8_t kind;
    uint16_t size;
} mix[MIX_PARTS] = {{1, 90}, {2, 92}, {3, 14}, {4, 14}, {5, 18},
                    {6, 24}, {7, 46}, {8, 46}, {9, 22}};

static int mix_put(struct lk_storage_txn *txn, unsigned user, unsigned part)
{
    uint8_t key[6] = {0x20, 1, (uint8_t)(user >> 8), (uint8_t)user, mix[part].kind, 1};
    uint8_t value[128];

    memset(value, (int)life_random(256), sizeof(value));
    return life.rig->storage->ops->put(txn, (struct lk_span){key, sizeof(key)},
                                       (struct lk_span){value, mix[part].size});
}

static int mix_parts(unsigned user, unsigned from, unsigned end)
{
    const struct lk_storage_ops *ops = life.rig->storage->ops;
    struct lk_storage_txn txn;
    int error;

    memset(&txn, 0, sizeof(txn));
    error = ops->begin(life.rig->storage, &txn, LK_WRITE);
    for (; !error && from < end; from++) {
        error = mix_put(&txn, user, from);
    }
    if (!error) {
        error = ops->commit(&txn, LK_COMMIT_DURABLE);
    }
    ops->abort(&txn);
    ops->release(life.rig->storage, &txn);
    return error;
}

/* Activity, one of the two sessions, an audit entry. */
static int mix_login(unsigned user)
{
    int error = mix_parts(user, 5, 7);

    return error ? error : mix_parts(user, 8, 9);
}

/* What a session check notes: the activity alone. */
static void mix_check(unsigned user)
{
    assert_int_equal(mix_parts(user, 5, 6), 0);
    life.touches++;
}

static struct life_figures live_mix(unsigned users)
{
    struct lk_fake_flash before;
    struct lk_storage_stat stat;
    uint32_t erases[64];
    struct life_figures figures;
    char what[96];
    unsigned i;

    memset(&life, 0, sizeof(life));
    life.rig = power_rig_open(&power_backend_nor, &power_geometries[1]);
    life.seed = 2;
    life_put = life.rig->ops.put;
    life.rig->ops.put = counting_put;
    assert_int_equal(life.rig->storage->ops->open(life.rig->storage, LK_WRITE), 0);
    for (i = 0; i < users; i++) {
        assert_int_equal(mix_parts(i, 0, MIX_PARTS), 0);
    }
    life.user_count = users;
    assert_int_equal(life.rig->storage->ops->stat(life.rig->storage, &stat), 0);
    life_counters(&before, erases);
    live(LIFE_LOGINS, LIFE_CHECKS, 4 * days_of(), mix_login, mix_check);
    (void)snprintf(what, sizeof(what), "%u users of 420 bytes (%llu used), %d logins, %d checks",
                   users, (unsigned long long)stat.used_bytes, LIFE_LOGINS, LIFE_CHECKS);
    figures = life_tell(what, &before, erases, 4 * days_of());
    assert_string_equal(life.rig->failure, "");
    life.rig->storage->ops->close(life.rig->storage);
    power_rig_close(life.rig);
    return figures;
}

static void test_life_with_small_records(void **state)
{
    struct life_figures sixty = live_mix(60), most = live_mix(90);

    (void)state;
    assert_true(sixty.years > 20);
    assert_true(sixty.spread > 0 && sixty.spread <= 2);
    assert_true(most.spread > 0 && most.spread <= 2);
}

/* ---- Under attack ---- */

static void test_life_under_a_flood_of_logins(void **state)
{
    unsigned seconds = getenv("LATCHKEY_DAYS") ? LIFE_DAY_S : LIFE_DAY_S / 24, i, good = 0;
    struct life_figures figures;
    struct lk_fake_flash before;
    uint32_t erases[64];

    (void)state;
    life_open(LIFE_USERS);
    assert_int_equal(life.user_count, LIFE_USERS);
    life_counters(&before, erases);
    for (i = 0; i < seconds; i++) {
        lk_fake_advance(&life.rig->bench->fake, 1000);
        int error = life_login(7);

        assert_true(!error || error == LK_E_LOCKED);
        good += !error;
    }
    print_message("%u of %u logins, the others over the budget\n", good, seconds);
    assert_true(good < seconds);
    figures = life_tell("one account logs in every second", &before, erases,
                        (double)seconds / LIFE_DAY_S);
    print_message("the part survives %.0f such days\n", figures.years * 365);
    life_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_users_that_fit),
        cmocka_unit_test(test_life_of_a_site),
        cmocka_unit_test(test_life_with_small_records),
        cmocka_unit_test(test_life_under_a_flood_of_logins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
