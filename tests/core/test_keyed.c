// SPDX-License-Identifier: MIT
/*
 * API keys and recovery codes that go into another store: the hashes and their key come along, and
 * give away nothing of any other credential.
 */
#include "factor_scene.h"

struct town {
    struct bench *bench;
    struct lk_id alice, key, codes;
    char token[LK_TOKEN_SIZE], code[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    char key_text[LK_KEYED_TEXT], codes_text[LK_KEYED_TEXT];
};

static struct town town_open(void)
{
    struct town town = {.bench = bench_open()};
    struct bench *bench = town.bench;

    town.alice = bench_user(bench, "alice", ALICE_PASSWORD);
    bench_write(bench);
    assert_int_equal(lk_api_key_add(&bench->txn, town.alice, LK_TEXT("meter"), LK_TEXT(""), 0,
                                    town.token, &town.key),
                     0);
    assert_int_equal(lk_recovery_add(&bench->txn, town.alice, town.code, &town.codes), 0);
    assert_int_equal(lk_keyed_export(&bench->txn, town.key, town.key_text), 0);
    assert_int_equal(lk_keyed_export(&bench->txn, town.codes, town.codes_text), 0);
    bench_commit(bench);
    return town;
}

/* From here on it is another store, whose token key is another one. */
static void town_elsewhere(struct town *town)
{
    memset(town->bench->store.token_key, 0x5A, sizeof(town->bench->store.token_key));
}

static enum lk_factor_kind code_is(struct town *town, size_t i)
{
    struct lk_factor factor;

    bench_read(town->bench);
    assert_int_equal(
        lk_factor_find(&town->bench->txn, town->alice, bench_text(town->code[i]), &factor), 0);
    lk_abort(&town->bench->txn);
    return factor.kind;
}

static void put_back(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_keyed_put_back(&town->bench->txn, town->key, bench_text(town->key_text)),
                     0);
    assert_int_equal(
        lk_keyed_put_back(&town->bench->txn, town->codes, bench_text(town->codes_text)), 0);
    bench_commit(town->bench);
}

/* Who had the key of one set, from an export say, cannot search the codes of the next. */
static void test_keyed_each_set_has_a_new_key(void **state)
{
    struct town town = town_open();
    char again[LK_KEYED_TEXT];
    struct lk_id same;

    (void)state;
    bench_write(town.bench);
    assert_int_equal(lk_recovery_add(&town.bench->txn, town.alice, town.code, &same), 0);
    bench_commit(town.bench);
    assert_int_equal(same.sub, town.codes.sub);
    bench_read(town.bench);
    assert_int_equal(lk_keyed_export(&town.bench->txn, same, again), 0);
    assert_memory_not_equal(again, town.codes_text, 2 * LK_HASH_SIZE);
    bench_close(town.bench);
}

static void test_keyed_hashes_move_to_another_store(void **state)
{
    struct town town = town_open();
    char again[LK_KEYED_TEXT];

    (void)state;
    assert_int_equal(bench_check(town.bench, town.token, NULL), 0);
    assert_int_equal(code_is(&town, 3), LK_FACTOR_RECOVERY);
    town_elsewhere(&town);
    assert_int_equal(bench_check(town.bench, town.token, NULL), LK_E_REFUSED);
    put_back(&town);
    assert_int_equal(bench_check(town.bench, town.token, NULL), 0);
    assert_int_equal(code_is(&town, 3), LK_FACTOR_RECOVERY);
    /* The same once more from there. */
    bench_read(town.bench);
    assert_int_equal(lk_keyed_export(&town.bench->txn, town.key, again), 0);
    assert_string_equal(again, town.key_text);
    assert_int_equal(lk_keyed_export(&town.bench->txn, town.codes, again), 0);
    assert_string_equal(again, town.codes_text);
    lk_abort(&town.bench->txn);
    /* Used up as everywhere; and a new set is of that store. */
    bench_write(town.bench);
    assert_int_equal(lk_recovery_spend(&town.bench->txn, town.codes, 4), 0);
    bench_commit(town.bench);
    assert_int_equal(code_is(&town, 3), LK_FACTOR_NONE);
    assert_int_equal(code_is(&town, 4), LK_FACTOR_RECOVERY);
    bench_write(town.bench);
    assert_int_equal(lk_recovery_add(&town.bench->txn, town.alice, town.code, &town.codes), 0);
    bench_commit(town.bench);
    assert_int_equal(code_is(&town, 4), LK_FACTOR_RECOVERY);
    bench_read(town.bench);
    assert_int_equal(lk_keyed_export(&town.bench->txn, town.codes, again), 0);
    assert_memory_not_equal(again, town.codes_text, 2 * LK_HASH_SIZE);
    bench_verify(town.bench);
    bench_close(town.bench);
}

/* What is in an export says nothing of credentials that are not. */
static void test_keyed_keys_are_each_its_own(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    char token[LK_TOKEN_SIZE], text[LK_KEYED_TEXT];
    struct lk_id id;

    (void)state;
    bench_write(bench);
    assert_int_equal(
        lk_api_key_add(&bench->txn, town.alice, LK_TEXT("other"), LK_TEXT(""), 0, token, &id), 0);
    assert_int_equal(lk_keyed_export(&bench->txn, id, text), 0);
    assert_memory_not_equal(text, town.key_text, 2 * LK_HASH_SIZE);
    assert_memory_not_equal(text, town.codes_text, 2 * LK_HASH_SIZE);
    /* In another's place it is nobody's. */
    assert_int_equal(lk_keyed_put_back(&bench->txn, id, bench_text(town.key_text)), 0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, town.token, NULL), 0);
    bench_close(bench);
}

static void test_keyed_texts_of_no_form(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_credential password;
    char text[3 * LK_KEYED_TEXT], out[LK_KEYED_TEXT];
    size_t key = strlen(town.key_text), i;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_credential_find(&bench->txn, town.alice, LK_CREDENTIAL_PASSWORD, &password),
                     0);
    assert_int_equal(lk_keyed_export(&bench->txn, password.record.id, out), LK_E_NOT_FOUND);
    assert_int_equal(lk_keyed_put_back(&bench->txn, password.record.id, bench_text(town.key_text)),
                     LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule,
                        "belongs to credentials of type api_key and recovery only");
    /* Cut anywhere, a colon elsewhere, no hex, a second hash, more than ten. */
    for (i = 0; i < key; i++) {
        assert_int_equal(lk_keyed_put_back(&bench->txn, town.key,
                                           (struct lk_span){(const uint8_t *)town.key_text, i}),
                         LK_E_CHECK);
        (void)snprintf(text, sizeof(text), "%s", town.key_text);
        text[i] = 'x';
        assert_int_equal(lk_keyed_put_back(&bench->txn, town.key, bench_text(text)), LK_E_CHECK);
    }
    (void)snprintf(text, sizeof(text), "%s%s", town.key_text, town.key_text + 2 * LK_HASH_SIZE + 1);
    assert_int_equal(lk_keyed_put_back(&bench->txn, town.key, bench_text(text)), LK_E_CHECK);
    assert_int_equal(lk_keyed_put_back(&bench->txn, town.codes, bench_text(text)), 0);
    (void)snprintf(text, sizeof(text), "%s%s", town.codes_text,
                   town.key_text + 2 * LK_HASH_SIZE + 1);
    assert_int_equal(lk_keyed_put_back(&bench->txn, town.codes, bench_text(text)), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->field, "keyed");
    /* More hashes than there can be: nothing is told of them. */
    memset(text, 1, sizeof(text));
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, town.codes, &password.record), 0);
    lk_set_span(&lk_kind_credential, &password.record, "secret",
                (struct lk_span){(const uint8_t *)text, 11 * LK_TOKEN_HASH_SIZE});
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &password.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_keyed_export(&bench->txn, town.codes, out), LK_E_CORRUPT);
    lk_abort(&bench->txn);
    bench_read(bench);
    assert_int_equal(lk_keyed_put_back(&bench->txn, town.key, bench_text(town.key_text)),
                     LK_E_STATE);
    bench_close(bench);
}

/* Another store key: the keys that were put back are sealed anew. */
static void test_keyed_keys_outlive_another_store_key(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_key place;
    bool more = true;

    (void)state;
    put_back(&town);
    town_elsewhere(&town);
    bench_write(bench);
    assert_int_equal(lk_rekey_begin(&bench->txn), 0);
    bench_commit(bench);
    while (more) {
        bench_write(bench);
        assert_true(lk_rekey_step(&bench->txn, 7, &more) >= 0);
        bench_commit(bench);
    }
    assert_int_equal(bench_check(bench, town.token, NULL), 0);
    assert_int_equal(code_is(&town, 9), LK_FACTOR_RECOVERY);
    bench_verify(bench);
    /* Damaged it opens nothing. */
    lk_key_record(&place, &lk_kind_credential, town.key);
    assert_int_equal(lk_fault_flip(&bench->fault, lk_key_span(&place), 400), 0);
    assert_int_not_equal(bench_check(bench, town.token, NULL), 0);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyed_each_set_has_a_new_key),
        cmocka_unit_test(test_keyed_hashes_move_to_another_store),
        cmocka_unit_test(test_keyed_keys_are_each_its_own),
        cmocka_unit_test(test_keyed_texts_of_no_form),
        cmocka_unit_test(test_keyed_keys_outlive_another_store_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
