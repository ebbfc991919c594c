// SPDX-License-Identifier: MIT
/* Hashes of other programs: taken or refused, replaced at a login, kept in the history. */
#include "password_help.h"

#include "lk_engine.h"
#include "lk_foreign.h"

static void test_foreign_hashes_are_replaced_at_login(void **state)
{
    /* Claims 4 GiB of memory. */
    static const char dear[] = "$argon2id$v=19$m=4194304,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$"
                               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    static const char *const refused[] = {
        "", "plain", "$1$salt$hash", "{SSHA}xyz", "$6$rounds=999999999$salt$hash", dear};
    /* By `openssl passwd -6`, and `-5`. */
    static const char sha512[] = "$6$saltsalt$CZC5tBf5/rKhOQIET2oig0eNX0i17tEd92FV7pVuXyj."
                                 "ErraijtwBDhqwL4FE7hVm/dY8wlBmc1JZtdkChmIw.";
    static const char sha256[] = "$5$saltsalt$ZKcpR0e8y.nQtAyQ5YWdXB7N7IhBfgIaEnymrNs7DZ4";
    static const char *const hashes[] = {sha512, sha256};
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    size_t i;

    (void)state;
    lk_fake_foreign_set(&bench->fake, lk_foreign_verify, lk_foreign_check);
    for (i = 0; i < LK_COUNT(refused); i++) {
        uint64_t print = bench_print(bench);
        int error;

        bench_write(bench);
        error = lk_password_import(&bench->txn, alice, bench_text(refused[i]));
        assert_true(error == LK_E_CHECK || error == LK_E_UNSUPPORTED);
        bench_commit(bench);
        assert_true(bench_print(bench) == print);
    }
    for (i = 0; i < LK_COUNT(hashes); i++) {
        struct lk_login_result result;
        struct lk_credential credential;
        char text[LK_VERIFIER_MAX + 1];
        struct lk_id id;

        bench_write(bench);
        assert_int_equal(lk_password_import(&bench->txn, alice, bench_text(hashes[i])), 0);
        assert_int_equal(
            lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &credential), 0);
        id = credential.record.id;
        assert_int_equal(lk_password_export(&bench->txn, id, text, sizeof(text)), 0);
        assert_string_equal(text, hashes[i]);
        bench_commit(bench);
        assert_int_equal(bench_login(bench, "alice", "not their secret", &result), LK_E_REFUSED);
        assert_int_equal(bench_login(bench, "alice", "their secret", &result), 0);
        assert_true(result.rehashed);
        bench_read(bench);
        assert_int_equal(lk_password_export(&bench->txn, id, text, sizeof(text)), 0);
        assert_memory_equal(text, "$argon2id$v=19$m=", 17);
        assert_int_equal(bench_login(bench, "alice", "not their secret", &result), LK_E_REFUSED);
        assert_int_equal(bench_login(bench, "alice", "their secret", &result), 0);
        assert_false(result.rehashed);
        bench_verify(bench);
    }
    bench_close(bench);
}

/* Of a build that knows the form but cannot compute it: matches nothing. */
static void test_foreign_hashes_of_no_use_match_nothing(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id bob = bench_user(bench, "bob", NULL);
    struct lk_login_result result;

    (void)state;
    lk_fake_foreign_set(&bench->fake, NULL, lk_foreign_check);
    bench_write(bench);
    assert_int_equal(
        lk_password_import(&bench->txn, bob,
                           LK_TEXT("$5$saltsalt$ZKcpR0e8y.nQtAyQ5YWdXB7N7IhBfgIaEnymrNs7DZ4")),
        0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "bob", "their secret", &result), LK_E_REFUSED);
    bench_verify(bench);
    bench_close(bench);
}

/* What a foreign hash stood for counts as well; where it takes much room, older ones go early. */
static void test_foreign_hashes_are_in_the_history(void **state)
{
    /* By `openssl passwd -6 -salt saltsalt 'her own secret'`. */
    static const char sha512[] = "$6$saltsalt$zsLrP38PruTRB4nMfNHoP/li7uCPoBMUsruWtLJMfyLaZ78/"
                                 "xeAkdSU0l1FZFYs/4fgZS3h50iy//9/TKH43f0";
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_credential credential;
    char padded[200], text[32];
    unsigned i;

    (void)state;
    lk_fake_foreign_set(&bench->fake, lk_foreign_verify, lk_foreign_check);
    password_policy(bench, "password_history=10");
    bench_write(bench);
    assert_int_equal(lk_password_import(&bench->txn, alice, bench_text(sha512)), 0);
    bench_commit(bench);
    password_taken(bench, alice, "secret number 1");
    for (i = 2; i < 9; i++) {
        (void)snprintf(text, sizeof(text), "secret number %u", i);
        password_taken(bench, alice, text);
    }
    bench_read(bench);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &credential),
                     0);
    assert_true(credential.history.size > 500 && credential.history.size <= LK_HISTORY_MAX);
    /* None of it can be read. */
    memset(padded, 0, sizeof(padded));
    for (i = 0; i + 4 <= credential.history.size; i++) {
        assert_true(memcmp(credential.history.data + i, "$6$s", 4) != 0);
    }
    lk_abort(&bench->txn);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_hashes_are_replaced_at_login),
        cmocka_unit_test(test_foreign_hashes_of_no_use_match_nothing),
        cmocka_unit_test(test_foreign_hashes_are_in_the_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
