// SPDX-License-Identifier: MIT
/*
 * bench_flash.c: what operations of the core do to a flash of a board's form: reads, programs,
 * erases.
 *
 *     bench_flash BOARD SECTOR COUNT UNIT
 *
 * Linked with a core that has the board's limits. The part is the fake one, and is not mapped, so
 * that each read is a call: on a board that sees its flash as memory a read is none. A line of JSON
 * for each operation, as the mean of ROUNDS of them in a store of USERS users whose rings go round,
 * so that what is collected and erased for it is in it.
 */
#include "core/bench.h"

#include "lk_fake_flash.h"
#include "lk_nor.h"

#define USERS   40
#define ROUNDS  40
#define ENTRIES 2000
#define BATCH   1000

static struct lk_fake_flash part;
static struct lk_flash counting; /* the fake's functions, counted */
static struct {
    uint64_t reads, read_bytes, programs, programmed_bytes, erases;
} counted;

static struct lk_nor nor;
static uint32_t nor_index[LK_NOR_INDEX_SIZE(ENTRIES, BATCH, 1u << 24, 1) / 4];
static uint32_t nor_cache[LK_NOR_CACHE_SIZE(LK_VALUE_MAX) / 4 + 1];
static struct lk_nor_config nor_config = {.flash = &counting,
                                          .self = &part,
                                          .index = nor_index,
                                          .index_size = sizeof(nor_index),
                                          .cache = nor_cache,
                                          .cache_size = sizeof(nor_cache),
                                          .value_max = LK_VALUE_MAX,
                                          .flags = LK_NOR_FORMAT};

static struct bench *bench;
static const char *board;
static struct lk_id users[USERS];
static char tokens[USERS][LK_TOKEN_SIZE];

static int count_read(void *self, uint32_t address, uint8_t *out, size_t size)
{
    counted.reads++;
    counted.read_bytes += size;
    return lk_fake_flash_ops.read(self, address, out, size);
}

static int count_program(void *self, uint32_t address, const uint8_t *data, size_t size)
{
    counted.programs++;
    counted.programmed_bytes += size;
    return lk_fake_flash_ops.program(self, address, data, size);
}

static int count_erase(void *self, uint32_t sector)
{
    counted.erases++;
    return lk_fake_flash_ops.erase(self, sector);
}

static void broken_rule(void *context, const char *rule, uint32_t address)
{
    (void)context;
    (void)fprintf(stderr, "a rule of flash was broken: %s at %u\n", rule, address);
    abort();
}

/* ---- Operations ---- */

static struct lk_id user_of(unsigned i)
{
    return users[i % USERS];
}

static const char *name_of(unsigned i)
{
    static char name[16];

    (void)snprintf(name, sizeof(name), "user%u", i % USERS);
    return name;
}

static void open_again(unsigned i)
{
    (void)i;
    bench_reopen(bench);
}

static void session_check(unsigned i)
{
    assert_int_equal(bench_check(bench, tokens[i % USERS], NULL), 0);
}

static void session_check_permission(unsigned i)
{
    assert_int_equal(bench_check(bench, tokens[i % USERS], "user:read"), 0);
}

/* What a check notes once in a while. */
static void session_touch(unsigned i)
{
    struct lk_verdict verdict;

    bench_write(bench);
    assert_int_equal(
        lk_session_check(&bench->txn, 0, bench_text(tokens[i % USERS]), NULL, &verdict), 0);
    assert_int_equal(lk_session_touch(&bench->txn, &verdict), 0);
    bench_commit(bench);
}

static void login(unsigned i)
{
    struct lk_login_result result;

    assert_int_equal(bench_login(bench, name_of(i), BENCH_PASSWORD, &result), 0);
    memcpy(tokens[i % USERS], result.token, sizeof(result.token));
}

static void login_failed(unsigned i)
{
    struct lk_login_result result;

    assert_int_equal(bench_login(bench, name_of(i), "not the password", &result), LK_E_REFUSED);
}

static void logout(unsigned i)
{
    bench_write(bench);
    assert_int_equal(lk_logout(&bench->txn, bench_text(tokens[i % USERS])), 0);
    bench_commit(bench);
}

static void user_by_name(unsigned i)
{
    bench_read(bench);
    (void)bench_named(bench, &lk_kind_user, name_of(i));
}

static void user_set(unsigned i)
{
    char words[2][40];

    (void)snprintf(words[0], sizeof(words[0]), "display_name=The %u. user", i);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, user_of(i), words[0], NULL), 0);
    bench_commit(bench);
}

static void role_revoke(unsigned i)
{
    bench_write(bench);
    assert_int_equal(
        lk_role_revoke(&bench->txn, user_of(i), bench_named(bench, &lk_kind_role, "viewer")), 0);
    bench_commit(bench);
}

static void role_grant(unsigned i)
{
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, user_of(i), bench_named(bench, &lk_kind_role, "viewer"), 0), 0);
    bench_commit(bench);
}

static void password_change(unsigned i)
{
    struct lk_password password;

    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT(BENCH_PASSWORD), NULL, 0, &password, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, user_of(i), &password, 0), 0);
    bench_commit(bench);
}

static void user_suspend(unsigned i)
{
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, user_of(i), LK_USER_SUSPENDED), 0);
    bench_commit(bench);
}

static void user_activate(unsigned i)
{
    bench_write(bench);
    assert_int_equal(lk_user_set_status(&bench->txn, user_of(i), LK_USER_ACTIVE), 0);
    bench_commit(bench);
}

static void audit_page(unsigned i)
{
    struct lk_audit_query query = {.tenant = bench->tenant};
    struct lk_audit_entry entry;
    unsigned count;

    (void)i;
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    for (count = 0; count < 16; count++) {
        assert_int_equal(lk_audit_next(&query, &entry), 0);
    }
}

static void verify(unsigned i)
{
    (void)i;
    bench_verify(bench);
}

/* The record and all that is the user's; the scrub is counted by itself. */
static void user_purge(unsigned i)
{
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, user_of(i)), 0);
    bench_commit(bench);
}

static void scrub(unsigned i)
{
    (void)i;
    assert_int_equal(lk_store_scrub(&bench->store, NULL), 0);
}

static void user_add(unsigned i)
{
    char words[2][40];

    (void)snprintf(words[0], sizeof(words[0]), "username=%s", name_of(i));
    (void)snprintf(words[1], sizeof(words[1]), "email=%s@example.org", name_of(i));
    bench_write(bench);
    users[i % USERS] = (struct lk_id){0, 0, 0};
    assert_int_equal(bench_add(bench, &lk_kind_user, &users[i % USERS], words[0], words[1], NULL),
                     0);
    bench_commit(bench);
}

static const struct {
    const char *name;
    void (*run)(unsigned i);
    unsigned rounds;
    bool told;
} works[] = {
    /* What fills the store, and the rings twice over. */
    {"user add", user_add, USERS, false},
    {"password set", password_change, USERS, false},
    {"role grant", role_grant, USERS, false},
    {"login", login, 2 * USERS, false},
    {"user set", user_set, 2 * USERS, false},
    /* Neither the first session nor the record's first form is measured. */
    {"start", open_again, 1, true},
    {"session check", session_check, ROUNDS, true},
    {"session check with a permission", session_check_permission, ROUNDS, true},
    {"session touch", session_touch, ROUNDS, true},
    {"login", login, ROUNDS, true},
    {"failed login", login_failed, ROUNDS, true},
    {"logout", logout, ROUNDS, true},
    {"user by name", user_by_name, ROUNDS, true},
    {"user set", user_set, ROUNDS, true},
    {"role revoke", role_revoke, ROUNDS, true},
    {"role grant", role_grant, ROUNDS, true},
    {"password change", password_change, ROUNDS, true},
    {"user suspend", user_suspend, ROUNDS, true},
    {"user activate", user_activate, ROUNDS, true},
    {"audit list", audit_page, ROUNDS, true},
    {"verify", verify, 1, true},
    {"user purge", user_purge, ROUNDS, true},
    {"scrub after a purge", scrub, 1, true},
    {"user add", user_add, ROUNDS, true},
    {"verify of what is left", verify, 1, false},
};

static void make(char **words)
{
    struct lk_fake_flash_config config = {.sector_size = (uint32_t)strtoul(words[2], NULL, 10),
                                          .sector_count = (uint32_t)strtoul(words[3], NULL, 10),
                                          .program_unit = (uint32_t)strtoul(words[4], NULL, 10),
                                          .seed = 1,
                                          .broken_rule = broken_rule};
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;

    board = words[1];
    config.memory_size =
        LK_FAKE_FLASH_MEMORY(config.sector_size, config.sector_count, config.program_unit);
    config.memory = malloc(config.memory_size);
    assert_non_null(config.memory);
    assert_int_equal(lk_fake_flash_init(&part, &config), 0);
    counting = lk_fake_flash_ops;
    counting.read = count_read;
    counting.program = count_program;
    counting.erase = count_erase;
    assert_int_equal(lk_nor_init(&nor, &nor_config), 0);
    bench = bench_bare(LK_RAM_SIZE_MIN);
    bench->config.storage = &nor.storage;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
}

int main(int count, char **words)
{
    unsigned work, i;

    if (count != 5) {
        return 2;
    }
    make(words);
    bench_write(bench);
    /* A delay would turn away what is to be measured. */
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "lockout_failures=0", "session_max=2", "session_lifetime=31536000",
                               NULL),
                     0);
    bench_commit(bench);
    for (work = 0; work < sizeof(works) / sizeof(works[0]); work++) {
        double rounds = works[work].rounds;

        memset(&counted, 0, sizeof(counted));
        for (i = 0; i < works[work].rounds; i++) {
            lk_fake_advance(&bench->fake, 61000);
            works[work].run(i);
        }
        if (works[work].told) {
            (void)printf("{\"board\": \"%s\", \"operation\": \"%s\", \"reads\": %.1f, "
                         "\"read_bytes\": %.0f, \"programs\": %.1f, \"programmed_bytes\": %.0f, "
                         "\"erases\": %.2f}\n",
                         board, works[work].name, (double)counted.reads / rounds,
                         (double)counted.read_bytes / rounds, (double)counted.programs / rounds,
                         (double)counted.programmed_bytes / rounds,
                         (double)counted.erases / rounds);
        }
    }
    free(part.config.memory);
    bench_close(bench);
    return 0;
}
