// SPDX-License-Identifier: MIT
/* Recovery codes as credentials: ten, each good once, of one user. */
#include "factor_scene.h"

static struct lk_id alice_of(struct bench *bench)
{
    return bench_user(bench, "alice", ALICE_PASSWORD);
}

static void test_recovery_codes_are_ten_and_replaced_as_a_set(void **state)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), id, again, nobody = {bench->tenant, 99, 0};
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], more[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_credential credential;
    struct lk_factor factor;
    size_t i, k;

    (void)state;
    assert_int_equal(lk_recovery_add(&bench->txn, alice, codes, &id), LK_E_STATE);
    bench_write(bench);
    assert_int_equal(lk_recovery_add(&bench->txn, nobody, codes, &id), LK_E_NOT_FOUND);
    assert_int_equal(lk_recovery_add(&bench->txn, alice, codes, &id), 0);
    bench_commit(bench);
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        assert_int_equal(strlen(codes[i]), 11);
        for (k = 0; k < 11; k++) {
            assert_true(k == 5 ? codes[i][k] == '-' : strchr(letters, codes[i][k]) != NULL);
        }
        for (k = 0; k < i; k++) {
            assert_string_not_equal(codes[i], codes[k]);
        }
    }
    bench_read(bench);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_credential, id, &credential.record), 0);
    assert_int_equal(credential.codes_left, 10);
    assert_int_equal(credential.type, LK_CREDENTIAL_RECOVERY);
    assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(codes[9]), &factor), 0);
    assert_int_equal(factor.kind, LK_FACTOR_RECOVERY);
    assert_true(factor.place == 10);
    bench_write(bench);
    assert_int_equal(lk_recovery_spend(&bench->txn, id, 10), 0);
    assert_int_equal(lk_recovery_spend(&bench->txn, id, 10), LK_E_CORRUPT);
    assert_int_equal(lk_recovery_spend(&bench->txn, id, 0), LK_E_CORRUPT);
    assert_int_equal(lk_recovery_spend(&bench->txn, id, 1), 0);
    bench_commit(bench);
    bench_read(bench);
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(codes[i]), &factor), 0);
        assert_int_equal(factor.codes_left, 8);
        assert_int_equal(factor.kind, i == 0 || i == 9 ? LK_FACTOR_NONE : LK_FACTOR_RECOVERY);
    }
    bench_write(bench);
    assert_int_equal(lk_recovery_add(&bench->txn, alice, more, &again), 0);
    assert_int_equal(again.sub, id.sub);
    bench_commit(bench);
    bench_read(bench);
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(codes[i]), &factor), 0);
        assert_int_equal(factor.kind, LK_FACTOR_NONE);
        assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(more[i]), &factor), 0);
        assert_int_equal(factor.codes_left, 10);
        assert_int_equal(factor.kind, LK_FACTOR_RECOVERY);
    }
    bench_verify(bench);
    bench_close(bench);
}

/* As people type them; and what is none. */
static void test_recovery_codes_as_they_are_typed(void **state)
{
    static const char *const none[] = {
        "", "-", "01234-5678", "01234-567890", "0123456789U", "UUUUU-UUUUU", "０１２３"};
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), id;
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], typed[32];
    struct lk_factor factor;
    size_t i, k, tried = 0;

    (void)state;
    bench_write(bench);
    /* A set in which every letter that looks like another occurs. */
    for (tried = 0; tried < 100; tried++) {
        char all[LK_RECOVERY_COUNT * LK_RECOVERY_SIZE];

        assert_int_equal(lk_recovery_add(&bench->txn, alice, codes, &id), 0);
        for (i = 0; i < sizeof(all); i++) {
            all[i] = codes[i / LK_RECOVERY_SIZE][i % LK_RECOVERY_SIZE];
            all[i] = all[i] ? all[i] : ' ';
        }
        all[sizeof(all) - 1] = '\0';
        if (strchr(all, '0') && strchr(all, '1')) {
            break;
        }
    }
    bench_commit(bench);
    bench_read(bench);
    for (i = 0; i < LK_RECOVERY_COUNT; i++) {
        for (k = 0; codes[i][k]; k++) {
            char c = codes[i][k];

            typed[k] = c == '0'   ? 'o'
                       : c == '1' ? (i % 2 ? 'l' : 'I')
                                  : (char)lk_ascii_lower((uint8_t)c);
            typed[k] = c == '-' ? ' ' : typed[k];
        }
        typed[k] = '\0';
        assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(typed), &factor), 0);
        assert_int_equal(factor.kind, LK_FACTOR_RECOVERY);
        assert_true(factor.place == i + 1);
    }
    for (i = 0; i < LK_COUNT(none); i++) {
        assert_int_equal(lk_factor_find(&bench->txn, alice, bench_text(none[i]), &factor), 0);
        assert_int_equal(factor.kind, LK_FACTOR_NONE);
    }
    bench_close(bench);
}

/* The same code is nothing for another user. */
static void test_recovery_codes_are_of_one_user(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = alice_of(bench), bob = bench_user(bench, "bob", ALICE_PASSWORD), id, other;
    char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], more[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE];
    struct lk_credential from;
    struct lk_factor factor;

    (void)state;
    bench_write(bench);
    assert_int_equal(lk_recovery_add(&bench->txn, alice, codes, &id), 0);
    assert_int_equal(lk_recovery_add(&bench->txn, bob, more, &other), 0);
    assert_int_equal(lk_factor_find(&bench->txn, bob, bench_text(codes[0]), &factor), 0);
    assert_int_equal(factor.kind, LK_FACTOR_NONE);
    /* Nor when the hashes themselves are moved over. */
    assert_int_equal(lk_get(&bench->txn, &lk_kind_credential, id, &from.record), 0);
    from.record.id = other;
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_credential, &from.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_true(lk_factor_find(&bench->txn, bob, bench_text(codes[0]), &factor) < 0);
    assert_int_equal(factor.kind, LK_FACTOR_NONE);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovery_codes_are_ten_and_replaced_as_a_set),
        cmocka_unit_test(test_recovery_codes_as_they_are_typed),
        cmocka_unit_test(test_recovery_codes_are_of_one_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
