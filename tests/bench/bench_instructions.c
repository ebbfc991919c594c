// SPDX-License-Identifier: MIT
/*
 * bench_instructions.c: fixed work, whose instructions callgrind counts (instructions.py).
 *
 *     bench_instructions WORKLOAD
 *
 * The store is in RAM and the platform is the fake one, so that each run does the very same. What
 * is counted is what happens inside counted().
 */
#include "core/bench.h"

#include "lk_engine.h"

#define USERS  200
#define ROUNDS 50

static struct bench *bench;
static struct lk_id users[USERS];
static char tokens[USERS][LK_TOKEN_SIZE];
static const struct lk_filter none[1];

static void name_user(char name[16], unsigned i)
{
    (void)snprintf(name, 16, "user%u", i % USERS);
}

static void session_check(unsigned i)
{
    assert_int_equal(bench_check(bench, tokens[i % USERS], NULL), 0);
}

static void session_check_permission(unsigned i)
{
    assert_int_equal(bench_check(bench, tokens[i % USERS], "user:read"), 0);
}

static void user_by_name(unsigned i)
{
    struct lk_user user;
    char name[16];

    name_user(name, i);
    bench_read(bench);
    assert_int_equal(
        lk_get_named(&bench->txn, &lk_kind_user, bench->tenant, bench_text(name), &user.record), 0);
}

static void user_page(unsigned i)
{
    struct lk_list list = {.kind = &lk_kind_user,
                           .index = lk_index_named(&lk_kind_user, LK_TEXT("created_at")),
                           .scope = {bench->tenant, 0, 0},
                           .filters = none};
    struct lk_user user;
    unsigned count;

    (void)i;
    bench_read(bench);
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    for (count = 0; count < 50; count++) {
        assert_int_equal(lk_list_next(&list, &user.record), 0);
    }
    lk_list_end(&list);
}

static void audit_range(unsigned i)
{
    struct lk_audit_query query = {.tenant = bench->tenant};
    struct lk_audit_entry entry;
    unsigned count;

    (void)i;
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    for (count = 0; count < 100; count++) {
        assert_int_equal(lk_audit_next(&query, &entry), 0);
    }
}

static void login(unsigned i)
{
    struct lk_login_result result;
    char name[16];

    name_user(name, i);
    assert_int_equal(bench_login(bench, name, BENCH_PASSWORD, &result), 0);
}

static void login_refused(unsigned i)
{
    struct lk_login_result result;
    char name[16];

    name_user(name, i);
    assert_int_equal(bench_login(bench, name, "not the password", &result), LK_E_REFUSED);
}

static void user_add(unsigned i)
{
    struct lk_id id = {0, 0, 0};
    char name[32];

    (void)snprintf(name, sizeof(name), "username=new%u", i);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_user, &id, name, NULL), 0);
    bench_commit(bench);
}

static void role_grant(unsigned i)
{
    bench_write(bench);
    assert_int_equal(
        lk_role_grant(&bench->txn, users[i], bench_named(bench, &lk_kind_role, "operator"), 0), 0);
    bench_commit(bench);
}

static void verify(unsigned i)
{
    if (i == 0) {
        bench_verify(bench);
    }
}

static const struct {
    const char *name;
    void (*run)(unsigned i);
} works[] = {
    {"session_check", session_check}, {"session_check_permission", session_check_permission},
    {"user_by_name", user_by_name},   {"user_page", user_page},
    {"audit_range", audit_range},     {"login", login},
    {"login_refused", login_refused}, {"user_add", user_add},
    {"role_grant", role_grant},       {"verify", verify},
};

/* Called through a volatile pointer, so that it stays a function of its own. */
static void counted(void (*run)(unsigned i))
{
    unsigned i;

    for (i = 0; i < ROUNDS; i++) {
        run(i);
    }
}

int main(int count, char **words)
{
    void (*volatile call)(void (*run)(unsigned i)) = counted;
    unsigned i;

    bench = bench_open();
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "lockout_failures=0", NULL),
                     0);
    bench_commit(bench);
    for (i = 0; i < USERS; i++) {
        struct lk_login_result result;
        char name[16];

        name_user(name, i);
        users[i] = bench_user(bench, name, BENCH_PASSWORD);
        bench_write(bench);
        assert_int_equal(
            lk_role_grant(&bench->txn, users[i], bench_named(bench, &lk_kind_role, "viewer"), 0),
            0);
        bench_commit(bench);
        lk_fake_advance(&bench->fake, 1000);
        assert_int_equal(bench_login(bench, name, BENCH_PASSWORD, &result), 0);
        memcpy(tokens[i], result.token, sizeof(tokens[i]));
    }
    for (i = 0; i < LK_COUNT(works); i++) {
        if (count < 2) {
            (void)printf("%s\n", works[i].name);
        } else if (strcmp(words[1], works[i].name) == 0) {
            call(works[i].run);
            return 0;
        }
    }
    return count < 2 ? 0 : 2;
}
