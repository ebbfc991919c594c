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

static void life_name(char *out, size_t size, unsigned user)
{
    (void)snprintf(out, size, "user.%03u", user);
}

/* The token of the last login takes the place of the older one: two sessions a user. */
static void life_login(unsigned user)
{
    struct lk_login_result result;
    char name[16];

    life_name(name, sizeof(name), user);
    assert_int_equal(bench_login(life.rig->bench, name, BENCH_PASSWORD, &result), 0);
    memcpy(life.tokens[user][1], life.tokens[user][0], LK_TOKEN_SIZE);
    memcpy(life.tokens[user][0], result.token, LK_TOKEN_SIZE);
}

static void life_check(unsigned user)
{
    struct bench *bench = life.rig->bench;
    struct lk_verdict verdict;

    bench_read(bench);
    assert_int_equal(lk_session_check(&bench->txn, bench->tenant,
                                      bench_text(life.tokens[user][life_random(2)]),
                                      LK_TEXT("user"), LK_TEXT("read"), &verdict),
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
    for (i = 0; i < users && life_user(i) == 0; i++) {
        life.user_count = i + 1;
        life_login(i);
        life_login(i);
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

static struct life_figures live(unsigned users, unsigned days)
{
    struct lk_fake_flash before;
    uint32_t erases[64];
    struct life_figures figures;
    struct lk_storage_stat stat;
    unsigned day, i;
    char what[96];

    life_open(users);
    assert_int_equal(life.rig->storage->ops->stat(life.rig->storage, &stat), 0);
    print_message("%u of %u users fit: %llu entries, %llu bytes used, %llu free\n", life.user_count,
                  users, (unsigned long long)stat.entries, (unsigned long long)stat.used_bytes,
                  (unsigned long long)stat.free_bytes);
    life_counters(&before, erases);
    for (day = 0; day < days; day++) {
        for (i = 0; i < LIFE_LOGINS + LIFE_CHECKS; i++) {
            lk_fake_advance(&life.rig->bench->fake,
                            (uint64_t)LIFE_DAY_S * 1000 / (LIFE_LOGINS + LIFE_CHECKS));
            if (i % (1 + LIFE_CHECKS / LIFE_LOGINS) == 0) {
                life_login(life_random(life.user_count));
            } else {
                life_check(life_random(life.user_count));
            }
        }
    }
    (void)snprintf(what, sizeof(what), "%u users, %d logins and %d checks (%llu written) a day",
                   life.user_count, LIFE_LOGINS, LIFE_CHECKS,
                   (unsigned long long)(life.touches / days));
    figures = life_tell(what, &before, erases, days);
    life_close();
    return figures;
}

static void test_life_of_a_site(void **state)
{
    struct life_figures sixty = live(60, days_of()), hundred;

    (void)state;
    hundred = live(100, days_of());
    assert_true(sixty.years > 20);
    assert_true(sixty.spread > 0 && sixty.spread <= 2);
    assert_true(hundred.spread > 0 && hundred.spread <= 2);
}

static void test_life_under_a_flood_of_logins(void **state)
{
    unsigned seconds = getenv("LATCHKEY_DAYS") ? LIFE_DAY_S : LIFE_DAY_S / 24, i;
    struct life_figures figures;
    struct lk_fake_flash before;
    uint32_t erases[64];

    (void)state;
    life_open(60);
    life_counters(&before, erases);
    for (i = 0; i < seconds; i++) {
        struct lk_login_result result;

        lk_fake_advance(&life.rig->bench->fake, 1000);
        (void)bench_login(life.rig->bench, "user.007", BENCH_PASSWORD, &result);
    }
    figures = life_tell("one account logs in every second", &before, erases,
                        (double)seconds / LIFE_DAY_S);
    print_message("the part survives %.0f such days\n", figures.years * 365);
    life_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_of_a_site),
        cmocka_unit_test(test_life_under_a_flood_of_logins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
