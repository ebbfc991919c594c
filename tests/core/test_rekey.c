// SPDX-License-Identifier: MIT
/* Other device secrets and another store key: what opens the store before, between and after. */
#include "bench.h"

#include "lk_engine.h"

#define PASSWORD "alice's secret"

static const uint8_t other_secret[LK_DEVICE_SECRET_SIZE] = "another device's own secret.....";
static const uint8_t third_secret[LK_DEVICE_SECRET_SIZE] = "a third device's own secret.....";

struct town {
    struct bench *bench;
    struct lk_id alice, device;
    char session[LK_TOKEN_SIZE], key[LK_TOKEN_SIZE], claim[LK_CLAIM_SIZE];
    uint8_t secret[LK_DEVICE_SECRET_SIZE];
};

/* Something of everything that depends on a key: verifiers, history, tokens, a claim code, long
 * texts in indexes, two tenants, removed records. */
static void town_open(struct town *town)
{
    struct bench *bench = bench_open();
    struct lk_id id = {0, 0, 0}, key;
    struct lk_login_result result;
    struct lk_password password;
    unsigned i;

    memset(town, 0, sizeof(*town));
    town->bench = bench;
    memcpy(town->secret, bench->fake.secret.bytes, sizeof(town->secret));
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "password_history=3", "audit_capacity=16", "session_max=0", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &id, "name=second", NULL), 0);
    bench_commit(bench);
    town->alice = bench_user(bench, "alice", "her first secret");
    lk_abort(&bench->txn);
    assert_int_equal(lk_password_prepare_for(&bench->store, town->alice, bench_text(PASSWORD), NULL,
                                             0, &password, NULL),
                     0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, town->alice, &password, 0), 0);
    assert_int_equal(bench_set(bench, &lk_kind_user, town->alice,
                               "email=a.name.that.is.longer.than.forty.bytes.in.all@example.org",
                               NULL),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, town->alice, LK_TEXT("device"), LK_TEXT(""), 0,
                                    town->key, &key),
                     0);
    bench_commit(bench);
    id = bench_user(bench, "carol", NULL);
    bench_write(bench);
    assert_int_equal(lk_claim_add(&bench->txn, id, town->claim), 0);
    bench_commit(bench);
    for (i = 0; i < 12; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "user%u", i);
        id = bench_user(bench, name, i % 3 ? NULL : PASSWORD);
        if (i % 5 == 0) {
            bench_write(bench);
            assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, id, NULL), 0);
            bench_commit(bench);
        }
    }
    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    memcpy(town->session, result.token, sizeof(town->session));
    bench_verify(bench);
}

/* Everything that was good is good. */
static void town_works(struct town *town)
{
    struct bench *bench = town->bench;
    const struct lk_span email =
        LK_TEXT("A.name.that.is.longer.than.forty.bytes.in.all@example.org");
    struct lk_login_result result;
    struct lk_password password;
    struct lk_problem problem;
    struct lk_id found;

    assert_int_equal(bench_login(bench, "alice", PASSWORD, &result), 0);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    assert_int_equal(bench_login(bench, "alice", "wrong password", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "user3", PASSWORD, &result), 0);
    assert_int_equal(bench_check(bench, town->session, NULL), 0);
    assert_int_equal(bench_check(bench, town->key, NULL), 0);
    bench_read(bench);
    assert_int_equal(lk_find_user(&bench->txn, bench->tenant, email, &found), 0);
    assert_int_equal(found.user, town->alice.user);
    lk_abort(&bench->txn);
    assert_int_equal(lk_password_prepare_for(&bench->store, town->alice,
                                             LK_TEXT("her first secret"), NULL, 0, &password,
                                             &problem),
                     LK_E_CHECK);
    assert_string_equal(problem.rule, "is one that the user had before");
    assert_int_equal(bench_login_new(bench, "carol", town->claim, "", &result, &problem),
                     LK_E_MUST_CHANGE);
    bench_verify(bench);
}

static int open_with(struct bench *bench, const uint8_t *secret)
{
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    lk_fake_secret_set(&bench->fake, secret);
    return lk_open(&bench->store, &bench->config);
}

/* True when these bytes are anywhere in the RAM of the store. */
static bool held(const struct bench *bench, const void *bytes, size_t size)
{
    const uint8_t *memory = bench->memory;
    size_t i;

    for (i = 0; i + size <= bench->memory_size; i++) {
        if (memory[i] == *(const uint8_t *)bytes && memcmp(memory + i, bytes, size) == 0) {
            return true;
        }
    }
    return false;
}

static struct lk_boot boot_of(struct bench *bench)
{
    struct lk_boot boot;

    bench_read(bench);
    assert_int_equal(lk_boot_get(&bench->txn, &boot), 0);
    lk_abort(&bench->txn);
    return boot;
}

/* ---- Device secrets ---- */

static void test_rekey_secret_at_once(void **state)
{
    struct lk_boot before;
    struct town town;

    (void)state;
    town_open(&town);
    before = boot_of(town.bench);
    bench_write(town.bench);
    assert_int_equal(lk_rewrap(&town.bench->txn, other_secret), 0);
    /* The handle that did it, and one opened before, go on. */
    bench_commit(town.bench);
    town_works(&town);
    assert_true(lk_store_scrub_due(&town.bench->store));
    assert_int_equal(open_with(town.bench, town.secret), LK_E_SECRET);
    assert_int_equal(open_with(town.bench, other_secret), 0);
    town_works(&town);
    /* The old wrap is nowhere any more. */
    lk_txn_release(&town.bench->txn);
    assert_int_equal(lk_store_scrub(&town.bench->store, NULL), 0);
    assert_false(held(town.bench, before.sealed, sizeof(before.sealed)));
    assert_false(held(town.bench, before.nonce, sizeof(before.nonce)));
    bench_close(town.bench);
}

static void test_rekey_secret_in_its_place(void **state)
{
    struct lk_stats stats;
    struct lk_boot before;
    struct town town;

    (void)state;
    town_open(&town);
    before = boot_of(town.bench);
    bench_read(town.bench);
    assert_int_equal(lk_rewrap_both(&town.bench->txn, other_secret), LK_E_STATE);
    bench_write(town.bench);
    assert_int_equal(lk_rewrap_both(&town.bench->txn, other_secret), 0);
    bench_commit(town.bench);
    bench_read(town.bench);
    assert_int_equal(lk_stats(&town.bench->txn, &stats), 0);
    assert_true(stats.secret_changing);
    lk_abort(&town.bench->txn);
    /* Both open it, no third one. A cut here is gone on from with either. */
    assert_int_equal(open_with(town.bench, third_secret), LK_E_SECRET);
    assert_int_equal(open_with(town.bench, other_secret), 0);
    town_works(&town);
    assert_int_equal(open_with(town.bench, town.secret), 0);
    town_works(&town);
    /* No new store key meanwhile: who cuts that change short must not be shut out. */
    bench_write(town.bench);
    assert_int_equal(lk_rekey_begin(&town.bench->txn), LK_E_BUSY);
    lk_abort(&town.bench->txn);
    /* Begun again with another new one, after the first was put in place. */
    assert_int_equal(open_with(town.bench, other_secret), 0);
    bench_write(town.bench);
    assert_int_equal(lk_rewrap_both(&town.bench->txn, third_secret), 0);
    bench_commit(town.bench);
    assert_int_equal(open_with(town.bench, town.secret), LK_E_SECRET);
    assert_int_equal(open_with(town.bench, other_secret), 0);
    assert_int_equal(open_with(town.bench, third_secret), 0);
    bench_write(town.bench);
    assert_int_equal(lk_rewrap_settle(&town.bench->txn), 0);
    bench_commit(town.bench);
    assert_int_equal(open_with(town.bench, other_secret), LK_E_SECRET);
    assert_int_equal(open_with(town.bench, third_secret), 0);
    bench_read(town.bench);
    assert_int_equal(lk_stats(&town.bench->txn, &stats), 0);
    assert_false(stats.secret_changing);
    lk_txn_release(&town.bench->txn);
    assert_int_equal(lk_store_scrub(&town.bench->store, NULL), 0);
    assert_false(held(town.bench, before.sealed, sizeof(before.sealed)));
    town_works(&town);
    bench_close(town.bench);
}

/* ---- The store key ---- */

static unsigned rekey_all(struct bench *bench, uint32_t budget)
{
    bool more = true;
    unsigned done = 0;

    while (more) {
        int count;

        bench_write(bench);
        count = lk_rekey_step(&bench->txn, budget, &more);
        assert_true(count >= 0 && (unsigned)count <= budget);
        done += (unsigned)count;
        bench_commit(bench);
    }
    return done;
}

static void test_rekey_full_with_everything_going_on(void **state)
{
    struct lk_keys keys;
    struct lk_boot before;
    struct lk_stats stats;
    struct town town;
    struct bench *bench;
    unsigned steps = 0, done = 0;
    bool more = true;

    (void)state;
    town_open(&town);
    bench = town.bench;
    before = boot_of(bench);
    keys = *lk_keys_now(&bench->store);
    bench_read(bench);
    assert_int_equal(lk_rekey_begin(&bench->txn), LK_E_STATE);
    assert_int_equal(lk_rekey_step(&bench->txn, 1, &more), LK_E_STATE);
    bench_write(bench);
    assert_int_equal(lk_rekey_step(&bench->txn, 1, &more), 0);
    assert_false(more);
    /* Undone, it was never begun. */
    assert_int_equal(lk_rekey_begin(&bench->txn), 0);
    lk_abort(&bench->txn);
    town_works(&town);
    assert_int_equal(bench->store.key_generation, 0);
    bench_write(bench);
    assert_int_equal(lk_rekey_begin(&bench->txn), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(lk_rekey_begin(&bench->txn), LK_E_BUSY);
    bench_read(bench);
    assert_int_equal(lk_stats(&bench->txn, &stats), 0);
    assert_true(stats.rekey_running && stats.key_generation == 1);
    for (more = true; more; steps++) {
        int count;

        town_works(&town); /* logs in, writes audit entries, verifies */
        if (steps % 3 == 0) {
            assert_int_equal(open_with(bench, town.secret), 0);
        }
        bench_write(bench);
        count = lk_rekey_step(&bench->txn, 3, &more);
        assert_true(count >= 0);
        done += (unsigned)count;
        bench_commit(bench);
    }
    print_message("[  figure  ] %u records taken over in %u steps, the store used after each\n",
                  done, steps);
    assert_true(steps > 30 && done > 60);
    town_works(&town);
    bench_read(bench);
    assert_int_equal(lk_stats(&bench->txn, &stats), 0);
    assert_false(stats.rekey_running);
    lk_abort(&bench->txn);
    /* Nothing is under the old keys, and the handle has forgotten them. */
    assert_int_equal(bench->store.old_keys, LK_OLD_KEYS_NONE);
    assert_true(memcmp(&bench->store.keys[0], &keys, sizeof(keys)) != 0);
    bench->store.keys[1] = keys;
    bench->store.key_generation = 1;
    bench_read(bench);
    {
        struct lk_verify verify = {.on_fault = NULL};

        assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
        assert_true(verify.fault_count >= verify.record_count);
    }
    assert_int_equal(open_with(bench, town.secret), 0);
    assert_int_equal(lk_store_scrub(&bench->store, NULL), 0);
    assert_false(held(bench, before.sealed, sizeof(before.sealed)));
    town_works(&town);
    bench_close(bench);
}

/* A second and third one, on different budgets; the carried keys come along. */
static void test_rekey_full_again(void **state)
{
    struct town town;
    unsigned i;

    (void)state;
    town_open(&town);
    for (i = 0; i < 4; i++) {
        bench_write(town.bench);
        assert_int_equal(lk_rekey_begin(&town.bench->txn), 0);
        bench_commit(town.bench);
        assert_true(rekey_all(town.bench, i == 3 ? 100000 : 7 * (i + 1)) > 60);
        town_works(&town);
        assert_int_equal(open_with(town.bench, town.secret), 0);
        town_works(&town);
    }
    bench_close(town.bench);
}

/* Another device secret while the pass runs. */
static void test_rekey_full_and_another_secret(void **state)
{
    struct town town;
    bool more;

    (void)state;
    town_open(&town);
    bench_write(town.bench);
    assert_int_equal(lk_rekey_begin(&town.bench->txn), 0);
    bench_commit(town.bench);
    bench_write(town.bench);
    assert_int_equal(lk_rekey_step(&town.bench->txn, 20, &more), 19); /* and the boot record */
    bench_commit(town.bench);
    bench_write(town.bench);
    assert_int_equal(lk_rewrap(&town.bench->txn, other_secret), 0);
    bench_commit(town.bench);
    town_works(&town);
    assert_int_equal(open_with(town.bench, town.secret), LK_E_SECRET);
    assert_int_equal(open_with(town.bench, other_secret), 0);
    town_works(&town);
    assert_true(rekey_all(town.bench, 50) > 10);
    assert_int_equal(open_with(town.bench, other_secret), 0);
    town_works(&town);
    bench_close(town.bench);
}

/* Another handle of the same store, as another process has it. */
static void test_rekey_full_is_noticed_by_others(void **state)
{
    struct lk_store mine;
    struct lk_txn reader;
    struct town town;
    struct bench *bench;
    struct lk_user user;
    unsigned round;
    bool more;

    (void)state;
    town_open(&town);
    bench = town.bench;
    for (round = 0; round < 3; round++) {
        /* A handle from before, used again: at the beginning, in the middle, after the end. */
        mine = bench->store;
        bench_write(bench);
        assert_int_equal(lk_rekey_begin(&bench->txn), 0);
        bench_commit(bench);
        bench_write(bench);
        assert_true(lk_rekey_step(&bench->txn, round == 2 ? 100000 : 25 * round, &more) >= 0);
        bench_commit(bench);
        lk_abort(&bench->txn);
        memset(&reader, 0, sizeof(reader));
        assert_int_equal(lk_begin(&mine, &reader, LK_WRITE, NULL), 0);
        assert_int_equal(lk_get(&reader, &lk_kind_user, town.alice, &user.record), 0);
        assert_int_equal(mine.key_generation, round + 1);
        lk_set_span(&lk_kind_user, &user.record, "display_name", LK_TEXT("By the other one"));
        user.record.present = LK_BIT(10);
        assert_int_equal(lk_update(&reader, &lk_kind_user, town.alice, &user.record, 0, NULL), 0);
        assert_int_equal(lk_commit(&reader), 0);
        lk_txn_release(&reader);
        (void)rekey_all(bench, 50);
        bench_verify(bench);
        memset(&reader, 0, sizeof(reader));
        assert_int_equal(lk_begin(&mine, &reader, LK_READ, NULL), 0);
        assert_int_equal(lk_get(&reader, &lk_kind_user, town.alice, &user.record), 0);
        assert_int_equal(mine.old_keys, LK_OLD_KEYS_NONE);
        lk_txn_release(&reader);
        town_works(&town);
    }
    bench_close(bench);
}

/* A damaged record stays damaged, and is in nobody's way. */
static void test_rekey_full_leaves_damage_as_it_is(void **state)
{
    const struct lk_storage_ops *ops;
    struct lk_storage_txn txn;
    struct lk_verify verify = {.on_fault = NULL};
    struct lk_key key;
    struct lk_span value;
    uint8_t bytes[2048];
    struct town town;

    (void)state;
    town_open(&town);
    ops = town.bench->under->ops;
    lk_txn_release(&town.bench->txn);
    memset(&txn, 0, sizeof(txn));
    assert_int_equal(ops->begin(town.bench->under, &txn, LK_WRITE), 0);
    lk_key_record(&key, &lk_kind_user, (struct lk_id){town.bench->tenant, 9, 0});
    assert_int_equal(ops->get(&txn, lk_key_span(&key), &value), 0);
    memcpy(bytes, value.data, value.size);
    bytes[value.size / 2] ^= 1;
    assert_int_equal(ops->put(&txn, lk_key_span(&key), (struct lk_span){bytes, value.size}), 0);
    assert_int_equal(ops->commit(&txn, LK_COMMIT_DURABLE), 0);
    bench_write(town.bench);
    assert_int_equal(lk_rekey_begin(&town.bench->txn), 0);
    bench_commit(town.bench);
    (void)rekey_all(town.bench, 10);
    bench_read(town.bench);
    assert_int_equal(lk_verify(&town.bench->txn, &verify), LK_E_FAULTS);
    assert_int_equal(lk_get(&town.bench->txn, &lk_kind_user,
                            (struct lk_id){town.bench->tenant, 9, 0}, &(struct lk_user){0}.record),
                     LK_E_CORRUPT);
    bench_close(town.bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rekey_secret_at_once),
        cmocka_unit_test(test_rekey_secret_in_its_place),
        cmocka_unit_test(test_rekey_full_with_everything_going_on),
        cmocka_unit_test(test_rekey_full_again),
        cmocka_unit_test(test_rekey_full_and_another_secret),
        cmocka_unit_test(test_rekey_full_is_noticed_by_others),
        cmocka_unit_test(test_rekey_full_leaves_damage_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
