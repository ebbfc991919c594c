// SPDX-License-Identifier: MIT
#include "fault_town.h"

#include "lk_engine.h"

#define TOWN_MEMORY (512u << 10)

static const struct {
    const char *name;
    int error;
} town_errors[] = {
    {"io", LK_E_IO}, {"full", LK_E_FULL}, {"busy", LK_E_BUSY}, {"corrupt", LK_E_CORRUPT}};

/* What is failed: a storage call with an error, or a port call. */
struct fault_point {
    bool port, for_ever;
    size_t error;
    uint64_t number;
};

static void town_build_roles(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_id permission = {0, 0, 0};

    /* A small ring: what is in the large one is past its retention. */
    lk_fake_advance(&bench->fake, 367 * (uint64_t)LK_MS_PER_DAY);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "audit_capacity=16", NULL),
                     0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=doors",
                               "resource=door", "action=open", NULL),
                     0);
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &town->base, "name=base", "permissions=doors", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &town->child, "name=child", "parent=base",
                               "permissions=user:read", NULL),
                     0);
    bench_commit(bench);
}

static void town_build_users(struct fault_town *town)
{
    struct bench *bench = town->bench;
    struct lk_login_result result;
    struct lk_id key;
    char token[LK_TOKEN_SIZE];

    bench->store.pwhash = (struct lk_pwhash_params){64, 1, 1};
    town->bob = bench_user(bench, "bob", FAULT_PASSWORD);
    bench->store.pwhash = (struct lk_pwhash_params){LK_PWHASH_KIB, LK_PWHASH_PASSES, 1};
    town->alice = bench_user(bench, "alice", FAULT_PASSWORD);
    town->carol = bench_user(bench, "carol", NULL);
    town->dave = bench_user(bench, "dave", FAULT_PASSWORD);
    assert_int_equal(bench_login(bench, "dave", FAULT_PASSWORD, &result), 0);
    bench_write(bench);
    assert_int_equal(lk_claim_add(&bench->txn, town->carol, town->claim), 0);
    assert_int_equal(
        lk_role_grant(&bench->txn, town->alice, town->base, lk_now(&bench->txn) + LK_MS_PER_DAY),
        0);
    assert_int_equal(lk_role_grant(&bench->txn, town->alice, town->child, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town->dave, town->child, 0), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, town->alice, LK_TEXT("old"), LK_TEXT(""),
                                    lk_now(&bench->txn) + LK_MS_PER_DAY, token, &key),
                     0);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "purge_after_days=1", "session_max=2", NULL),
                     0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, town->dave, NULL), 0);
    bench_commit(bench);
    /* One session that has run out, then time for all that is due. */
    assert_int_equal(bench_login(bench, "alice", FAULT_PASSWORD, &result), 0);
    lk_fake_advance(&bench->fake, 2 * (uint64_t)LK_MS_PER_DAY);
    assert_int_equal(bench_login(bench, "alice", FAULT_PASSWORD, &result), 0);
    memcpy(town->token, result.token, sizeof(town->token));
    assert_int_equal(bench_login(bench, "alice", "wrong password", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "nobody", "wrong password", &result), LK_E_REFUSED);
    lk_fake_advance(&bench->fake, 90000);
}

static void town_build_second(struct fault_town *town)
{
    struct lk_tenant tenant;
    uint32_t first = town->bench->tenant;

    memset(&tenant, 0, sizeof(tenant));
    lk_field_set_span(&tenant.record, lk_field_numbered(&lk_kind_tenant, 8), LK_TEXT("second"));
    bench_write(town->bench);
    assert_int_equal(lk_tenant_add(&town->bench->txn, &tenant), 0);
    town->second = tenant.record.id;
    bench_commit(town->bench);
    town->bench->tenant = town->second.tenant;
    (void)bench_user(town->bench, "alice", FAULT_PASSWORD);
    town->bench->tenant = first;
}

struct fault_town *fault_town_open(void)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct fault_town *town = calloc(1, sizeof(*town));
    struct bench *bench = bench_bare(TOWN_MEMORY);

    assert_non_null(town);
    town->bench = bench;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->admin = made.admin;
    bench->tenant = made.admin.tenant;
    town_build_roles(town);
    town_build_users(town);
    town_build_second(town);
    bench_verify(bench);
    town->saved_memory = malloc(TOWN_MEMORY);
    assert_non_null(town->saved_memory);
    fault_town_save(town);
    return town;
}

void fault_town_save(struct fault_town *town)
{
    town->before = bench_print(town->bench);
    memcpy(town->saved_memory, town->bench->memory, TOWN_MEMORY);
    town->saved_fake = town->bench->fake;
}

void fault_town_close(struct fault_town *town)
{
    if (town->runs) {
        print_message("%llu calls failed, in %llu runs\n", (unsigned long long)town->points,
                      (unsigned long long)town->runs);
    }
    bench_close(town->bench);
    free(town->saved_memory);
    free(town);
}

void fault_town_reset(struct fault_town *town)
{
    struct bench *bench = town->bench;

    lk_fault_at(&bench->fault, 0, false, 0);
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    memcpy(bench->memory, town->saved_memory, TOWN_MEMORY);
    bench->fake = town->saved_fake;
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
}

static void town_arm(struct fault_town *town, const struct fault_point *point)
{
    struct bench *bench = town->bench;

    lk_fault_at(&bench->fault, point->port ? 0 : point->number, point->for_ever,
                town_errors[point->error].error);
    if (point->port && point->for_ever) {
        lk_fake_fail_from(&bench->fake, point->number);
    } else {
        lk_fake_fail_at(&bench->fake, point->port ? point->number : LK_FAKE_FAIL_NEVER);
    }
}

/* Heals; answers whether anything had failed. */
static bool town_disarm(struct fault_town *town)
{
    bool hit = lk_fault_hit(&town->bench->fault) || lk_fake_failed(&town->bench->fake);

    lk_fault_at(&town->bench->fault, 0, false, 0);
    lk_fake_fail_at(&town->bench->fake, LK_FAKE_FAIL_NEVER);
    return hit;
}

static void town_fail(const struct fault_case *one, const struct fault_point *point, int error,
                      const char *what)
{
    fail_msg("%s, %s call %llu failing %s (%s): answered %d; %s", one->name,
             point->port ? "port" : "storage", (unsigned long long)point->number,
             point->for_ever ? "for ever" : "once",
             point->port ? "its own error" : town_errors[point->error].name, error, what);
}

/* One run with one failure. False when the case needs fewer calls. */
static bool town_run(struct fault_town *town, const struct fault_case *one, uint64_t after,
                     const struct fault_point *point)
{
    struct bench *bench = town->bench;
    uint64_t print;
    bool hit;
    int error;

    fault_town_reset(town);
    town_arm(town, point);
    error = one->run(town);
    hit = town_disarm(town);
    town->runs++;
    town->points += hit;
    if (bench->txn.open || bench->ram.writing || bench->ram.reader_count ||
        lk_fake_lock_depth(&bench->fake)) {
        town_fail(one, point, error, "a transaction or the lock was left open");
    }
    print = bench_print(bench);
    if (error == one->want ? print != after : print != town->before) {
        if (!one->middle || !one->middle(town, error)) {
            town_fail(one, point, error, "the state is neither old nor new");
        }
        bench_verify(bench);
    }
    if (!hit && error != one->want) {
        town_fail(one, point, error, "nothing failed");
    }
    /* The same handle goes on, as if nothing had been. */
    if (error != one->want) {
        int again = one->run(town);

        if (again != one->want) {
            town_fail(one, point, again, "so it did at the second try, with nothing failing");
        }
        bench_verify(bench);
    }
    return hit;
}

void fault_town_try(struct fault_town *town, const struct fault_case *one)
{
    struct fault_point point;
    uint64_t after;
    unsigned way;

    fault_town_reset(town);
    assert_int_equal(one->run(town), one->want);
    after = bench_print(town->bench);
    bench_verify(town->bench);
    for (way = 0; way < 2; way++) {
        for (point.error = 0; point.error < LK_COUNT(town_errors); point.error++) {
            point.for_ever = way != 0;
            point.port = false;
            for (point.number = 1; town_run(town, one, after, &point);
                 point.number += bench_step()) {
            }
        }
        point.port = true;
        point.error = 0;
        for (point.number = 1; town_run(town, one, after, &point); point.number += bench_step()) {
        }
    }
}

struct fault_facts fault_town_facts(struct fault_town *town, struct lk_id user)
{
    struct bench *bench = town->bench;
    struct fault_facts facts = {0, 0, 0, 0, 0, 0};
    struct lk_list list = {.kind = &lk_kind_session, .scope = user};
    struct lk_audit_query query = {
        .tenant = user.tenant, .action = LK_TEXT("login"), .outcome = 1 + LK_FAILURE, .open = true};
    struct lk_audit_entry entry;
    struct lk_activity activity;
    struct lk_session session;

    bench_read(bench);
    assert_int_equal(lk_load_activity(&bench->txn, user, &activity), 0);
    facts.failed = activity.failed_count;
    facts.device_failed = activity.device_failed_count;
    facts.console_failed = activity.console_failed_count;
    facts.logins = activity.login_count;
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &session.record)) {
        facts.sessions++;
    }
    lk_list_end(&list);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        facts.refused += entry.repeats ? entry.repeats : 1;
    }
    lk_abort(&bench->txn);
    return facts;
}

int fault_town_end(struct fault_town *town, int error)
{
    struct lk_txn *txn = &town->bench->txn;

    if (!error) {
        error = lk_commit(txn);
    }
    lk_abort(txn);
    return error;
}
