// SPDX-License-Identifier: MIT
/*
 * Making and opening a store with every call failed in turn: no store or a whole one, no handle
 * left open, no key left in it.
 */
#include "core/bench.h"

#include "lk_engine.h"

#define MEMORY (512u << 10)

enum way { STORAGE_ONCE, STORAGE_EVER, PORT_ONCE, PORT_EVER, WAYS };

static void arm(struct bench *bench, enum way way, uint64_t number)
{
    switch (way) {
    case PORT_ONCE: lk_fake_fail_at(&bench->fake, number); break;
    case PORT_EVER: lk_fake_fail_from(&bench->fake, number); break;
    default: lk_fault_at(&bench->fault, number, way == STORAGE_EVER, LK_E_IO); break;
    }
}

static bool disarm(struct bench *bench)
{
    bool hit = lk_fault_hit(&bench->fault) || lk_fake_failed(&bench->fake);

    lk_fault_at(&bench->fault, 0, false, 0);
    lk_fake_fail_at(&bench->fake, LK_FAKE_FAIL_NEVER);
    return hit;
}

static bool keys_are_wiped(const struct lk_store *store)
{
    static const uint8_t zero[sizeof(store->keys)];

    return memcmp(store->keys, zero, sizeof(store->keys)) == 0 &&
           memcmp(store->index_key, zero, sizeof(store->index_key)) == 0 &&
           memcmp(store->bucket_key, zero, sizeof(store->bucket_key)) == 0 &&
           memcmp(store->token_key, zero, sizeof(store->token_key)) == 0;
}

static void test_fault_create(void **state)
{
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    uint64_t points = 0;
    unsigned way;

    (void)state;
    for (way = 0; way < WAYS; way++) {
        uint64_t n;
        bool hit = true;

        for (n = 1; hit; n++) {
            struct bench *bench = bench_bare(MEMORY);
            struct lk_create_result made;
            int error;

            request.password = n & 1 ? LK_TEXT(BENCH_PASSWORD) : LK_TEXT("");
            arm(bench, (enum way)way, n);
            error = lk_create(&bench->store, &bench->config, &request, &made);
            hit = disarm(bench);
            points += hit;
            assert_true(error ? hit : true);
            if (error) {
                assert_false(bench->ram.open);
                assert_true(keys_are_wiped(&bench->store));
                assert_int_equal(lk_open(&bench->store, &bench->config), LK_E_NOT_FOUND);
                assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
            }
            assert_int_equal(lk_fake_lock_depth(&bench->fake), 0);
            bench_verify(bench);
            bench_reopen(bench);
            bench_verify(bench);
            bench_close(bench);
        }
    }
    print_message("%llu calls failed\n", (unsigned long long)points);
}

static void test_fault_open(void **state)
{
    struct bench *bench = bench_open();
    uint64_t print = bench_print(bench), points = 0;
    unsigned way;

    (void)state;
    lk_txn_release(&bench->txn);
    for (way = 0; way < WAYS; way++) {
        uint64_t n;
        bool hit = true;

        for (n = 1; hit; n++) {
            int error;

            lk_close(&bench->store);
            arm(bench, (enum way)way, n);
            error = lk_open(&bench->store, &bench->config);
            hit = disarm(bench);
            points += hit;
            assert_true((error != 0) == hit);
            if (error) {
                assert_false(bench->ram.open);
                assert_true(keys_are_wiped(&bench->store));
                assert_int_equal(lk_open(&bench->store, &bench->config), 0);
            }
            assert_true(bench_print(bench) == print);
        }
    }
    bench_verify(bench);
    print_message("%llu calls failed\n", (unsigned long long)points);
    bench_close(bench);
}

/* A restored copy is taken over by another device: old wrap or new one, never neither. */
static void test_fault_adopt(void **state)
{
    static const uint8_t other[LK_DEVICE_SECRET_SIZE] = {7};
    const struct lk_span passphrase = LK_TEXT("a passphrase");
    struct bench *bench = bench_open();
    uint64_t points = 0;
    unsigned way;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_rewrap_passphrase(&bench->txn, passphrase), 0);
    bench_commit(bench);
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    lk_fake_secret_set(&bench->fake, other);
    assert_int_equal(lk_open(&bench->store, &bench->config), LK_E_SECRET);
    assert_int_equal(lk_adopt(&bench->config, LK_TEXT("another one")), LK_E_SECRET);
    for (way = 0; way < WAYS; way++) {
        void *saved = malloc(bench->memory_size);
        bool hit = true;
        uint64_t n;

        assert_non_null(saved);
        memcpy(saved, bench->memory, bench->memory_size);
        for (n = 1; hit; n++) {
            int error;

            arm(bench, (enum way)way, n);
            error = lk_adopt(&bench->config, passphrase);
            hit = disarm(bench);
            points += hit;
            assert_true((error != 0) == hit);
            assert_false(bench->ram.open);
            if (error) {
                assert_int_equal(lk_adopt(&bench->config, passphrase), 0);
            }
            assert_int_equal(lk_open(&bench->store, &bench->config), 0);
            bench_verify(bench);
            lk_txn_release(&bench->txn);
            lk_close(&bench->store);
            memcpy(bench->memory, saved, bench->memory_size);
        }
        free(saved);
    }
    print_message("%llu calls failed\n", (unsigned long long)points);
    assert_int_equal(lk_adopt(&bench->config, passphrase), 0);
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
    bench_close(bench);
}

/* Whether the store, closed, opens by just this secret. */
static int opens_by(struct bench *bench, const uint8_t secret[LK_DEVICE_SECRET_SIZE])
{
    struct lk_fake before = bench->fake;
    int error;

    lk_fake_secret_set(&bench->fake, secret);
    lk_fake_secret_provision(&bench->fake, NULL);
    error = lk_open(&bench->store, &bench->config);
    if (!error) {
        lk_close(&bench->store);
    }
    bench->fake = before;
    return error;
}

/*
 * A store that was made elsewhere is put on a device: whatever fails on the way, the next start
 * opens it, by a secret that only this device has.
 */
static void test_fault_provisioned(void **state)
{
    static const uint8_t own[LK_DEVICE_SECRET_SIZE] = {9}, wrong[LK_DEVICE_SECRET_SIZE] = {8};
    uint8_t factory[LK_DEVICE_SECRET_SIZE];
    struct bench *bench = bench_open();
    void *saved = malloc(bench->memory_size);
    uint64_t points = 0;
    unsigned way, has_own;

    (void)state;
    memcpy(factory, bench->fake.secret.bytes, sizeof(factory));
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    assert_non_null(saved);
    memcpy(saved, bench->memory, bench->memory_size);

    /* Nothing that opens it: it stays as it is, and what is there is not forgotten. */
    lk_fake_secret_set(&bench->fake, own);
    assert_int_equal(lk_open_provisioned(&bench->store, &bench->config), LK_E_SECRET);
    lk_fake_secret_provision(&bench->fake, wrong);
    assert_int_equal(lk_open_provisioned(&bench->store, &bench->config), LK_E_SECRET);
    assert_true(bench->fake.provision.present);
    assert_memory_equal(saved, bench->memory, bench->memory_size);

    for (way = 0; way < WAYS * 2; way++) {
        bool hit = true;
        uint64_t n;

        has_own = way / WAYS;
        for (n = 1; hit; n++) {
            uint8_t now[LK_DEVICE_SECRET_SIZE];
            int error;

            memcpy(bench->memory, saved, bench->memory_size);
            lk_fake_secret_set(&bench->fake, has_own ? own : NULL);
            lk_fake_secret_provision(&bench->fake, factory);
            arm(bench, (enum way)(way % WAYS), n);
            error = lk_open_provisioned(&bench->store, &bench->config);
            hit = disarm(bench);
            points += hit;
            if (error) {
                assert_true(hit);
                assert_false(bench->ram.open);
                assert_true(keys_are_wiped(&bench->store));
                assert_true(bench->fake.provision.present);
                assert_int_equal(lk_open_provisioned(&bench->store, &bench->config), 0);
            }
            bench_verify(bench);
            lk_txn_release(&bench->txn);
            lk_close(&bench->store);
            /* A call that failed may have hidden the provisioning secret: it is met at the next
             * start. */
            assert_int_equal(lk_open_provisioned(&bench->store, &bench->config), 0);
            lk_close(&bench->store);
            assert_false(bench->fake.provision.present);
            memcpy(now, bench->fake.secret.bytes, sizeof(now));
            assert_true(!has_own || memcmp(now, own, sizeof(own)) == 0);
            assert_int_equal(opens_by(bench, now), 0);
            assert_int_equal(opens_by(bench, factory), LK_E_SECRET);
        }
    }
    print_message("%llu calls failed\n", (unsigned long long)points);
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
    free(saved);
    bench_close(bench);
}

/*
 * What a full store answers changes nothing; what can't be audited is refused; and taking away
 * works all the same for a caller who audits in bulk.
 */
static void test_fault_full_store(void **state)
{
    struct bench *bench = bench_bare(64u << 10);
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct lk_login_result result;
    unsigned count = 0;
    int error = 0;

    (void)state;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    while (!error) {
        uint64_t print = bench_print(bench);
        struct lk_id id = {0, 0, 0};
        char name[32];

        (void)snprintf(name, sizeof(name), "username=user%u", count++);
        bench_write(bench);
        error = bench_add(bench, &lk_kind_user, &id, name, NULL);
        error = error ? error : lk_commit(&bench->txn);
        lk_abort(&bench->txn);
        assert_true(!error || bench_print(bench) == print);
    }
    assert_int_equal(error, LK_E_FULL);
    assert_true(count > 10);
    bench_verify(bench);
    error = bench_login(bench, "admin", BENCH_PASSWORD, &result);
    assert_true(error == 0 || error == LK_E_FULL);
    bench_verify(bench);
    while (count-- > 10) {
        bench_write(bench);
        bench->txn.summary = true;
        assert_int_equal(
            lk_purge(&bench->txn, &lk_kind_user, (struct lk_id){bench->tenant, count, 0}), 0);
        bench_commit(bench);
    }
    bench_verify(bench);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_create),     cmocka_unit_test(test_fault_open),
        cmocka_unit_test(test_fault_adopt),      cmocka_unit_test(test_fault_provisioned),
        cmocka_unit_test(test_fault_full_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
