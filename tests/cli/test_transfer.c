// SPDX-License-Identifier: MIT
/* test_transfer.c: imports of password files, CSV and NDJSON into real stores. */
#include "transfer_help.h"

/* ---- Password files -------------------------------------------------------------------------- */

static void test_transfer_every_hash_logs_in(void **state)
{
    static const char file[] = "# users of the gateway\n"
                               "mosq:" MOSQUITTO "\n"
                               "\n"
                               "web:" BCRYPT_2Y "\r\n"
                               "bcrypt:" BCRYPT_2B "\n"
                               "sha512:" SHA512 "\n"
                               "sha256:" SHA256 "\n"
                               "yes:" YESCRYPT "\n"
                               "argon:" ARGON2ID; /* and no newline at the end */
    static const char *const names[] = {"mosq",   "web", "bcrypt", "sha512",
                                        "sha256", "yes", "argon"};
    struct transfer_bench *bench = *state;
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_HASHES, file);
    assert_string_equal(transfer_bad(&run), "");
    assert_int_equal(run.error, 0);
    assert_int_equal(run.import.added_count, 7);
    assert_true(run.import.committed);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(transfer_login(bench, names[i], "correct horsf"), LK_E_REFUSED);
        assert_int_equal(transfer_login(bench, names[i], "correct horse"), 0);
        assert_int_equal(transfer_login(bench, names[i], "correct horse"), 0);
    }
    transfer_verify(bench);
    transfer_free(&run);
}

static void test_transfer_bad_lines_keep_all_out(void **state)
{
    static const char file[] = "\xEF\xBB\xBFgood:" MOSQUITTO "\n"
                               "no colon\n"
                               ":" MOSQUITTO "\n"
                               "plain:hunter2hunter2\n"
                               "old:" MOSQUITTO_OLD "\n"
                               "GOOD:" MOSQUITTO "\n"
                               "empty:\n"
                               "bad\xFFutf:" MOSQUITTO "\n"
                               "#9:" MOSQUITTO "\n"
                               "cut:$7$101$hBKNYqcZzfYPBkwe$4ueZ\n"
                               "last:" MOSQUITTO "\n";
    struct transfer_bench *bench = *state;
    struct transfer_text before = transfer_export(bench->host, true);
    struct transfer_text after;
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_MOSQUITTO, file);
    assert_string_equal(
        transfer_bad(&run),
        "2:line::has no ':' between name and hash\n"
        "3:username::is empty\n"
        "4:password_hash::is not what mosquitto_passwd 2.0 writes ($7$); if it is a plain "
        "password, run mosquitto_passwd -U first\n"
        "5:password_hash::is mosquitto's old salted SHA-512, which a guesser breaks: set the "
        "password anew with mosquitto_passwd 2.0\n"
        "6:username:GOOD:is taken\n"
        "7:password_hash::is empty\n"
        "8:line::is not UTF-8\n"
        "10:password_hash::is not well-formed mosquitto PBKDF2\n");
    assert_int_equal(run.error, LK_E_CHECK);
    assert_int_equal(run.import.bad_count, 8);
    assert_false(run.import.committed);
    after = transfer_export(bench->host, true);
    assert_string_equal(before.data, after.data);
    transfer_verify(bench);
    free(before.data);
    free(after.data);
    transfer_free(&run);
}

static void test_transfer_skip_bad_takes_the_others(void **state)
{
    static const char file[] = "a:" MOSQUITTO "\n"
                               "b:nothing\n"
                               "a:" MOSQUITTO "\n"
                               "c:" MOSQUITTO "\n";
    struct transfer_bench *bench = *state;
    struct transfer_run run;

    transfer_import_bytes(bench, &run, LK_IMPORT_MOSQUITTO, file, sizeof(file) - 1, true);
    run.error = lk_import_run(&run.import);
    assert_int_equal(run.error, LK_E_CHECK);
    assert_true(run.import.committed);
    assert_int_equal(run.import.added_count, 2);
    assert_int_equal(run.import.bad_count, 2);
    assert_int_equal(transfer_login(bench, "a", "correct horse"), 0);
    assert_int_equal(transfer_login(bench, "c", "correct horse"), 0);
    assert_int_equal(transfer_login(bench, "b", "nothing"), LK_E_REFUSED);
    transfer_verify(bench);
    transfer_free(&run);
}

static void test_transfer_htpasswd_takes_bcrypt_only(void **state)
{
    struct transfer_bench *bench = *state;
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_HTPASSWD,
                    "a:" BCRYPT_2Y "\nb:" APR1 "\nc:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=\n"
                    "d:YjLyT9bWGmlWc\ne:" SHA512 "\n");
    assert_string_equal(transfer_bad(&run),
                        "2:password_hash::is Apache's MD5, which a guesser breaks: set the "
                        "password anew with htpasswd -B\n"
                        "3:password_hash::is not bcrypt: set the password anew with htpasswd -B\n"
                        "4:password_hash::is not bcrypt: set the password anew with htpasswd -B\n");
    transfer_free(&run);
}

static void test_transfer_shadow_accounts(void **state)
{
    static const char file[] = "root:*:20228:0:99999:7:::\n"
                               "messagebus:!:20263::::::\n"
                               "polkitd:!*:20582::::::\n"
                               "rh:!!:20582::::::\n"
                               "alice:" YESCRYPT ":20228:0:99999:7:::\n"
                               "locked:!" SHA512 ":20228:0:99999:7:::\n"
                               "expired:" SHA512 ":20228:0:99999:7::1:\n"
                               "change:" SHA512 ":0:0:99999:7:::\n";
    struct transfer_bench *bench = *state;
    struct lk_user user;
    struct lk_txn txn;
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_SHADOW, file);
    assert_string_equal(transfer_bad(&run), "");
    assert_int_equal(run.import.added_count, 4);
    assert_int_equal(run.import.passed_count, 4);
    assert_int_equal(transfer_find_user(bench, "locked", &user, &txn), 0);
    assert_int_equal(user.status, LK_USER_SUSPENDED);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "expired", &user, &txn), 0);
    assert_int_equal(user.status, LK_USER_SUSPENDED);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "change", &user, &txn), 0);
    assert_int_equal(user.must_change_password, 1);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "root", &user, &txn), LK_E_NOT_FOUND);
    lk_txn_release(&txn);
    assert_int_equal(transfer_login(bench, "alice", "correct horse"), 0);
    assert_int_equal(transfer_login(bench, "locked", "correct horse"), LK_E_REFUSED);
    assert_int_equal(transfer_login(bench, "change", "correct horse"), LK_E_MUST_CHANGE);
    /* Activated, a locked account opens by the password it had. */
    assert_int_equal(transfer_find_user(bench, "locked", &user, &txn), 0);
    lk_txn_release(&txn);
    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_WRITE, NULL), 0);
    assert_int_equal(lk_user_set_status(&txn, user.record.id, LK_USER_ACTIVE), 0);
    assert_int_equal(lk_commit(&txn), 0);
    lk_txn_release(&txn);
    assert_int_equal(transfer_login(bench, "locked", "correct horse"), 0);
    transfer_free(&run);

    transfer_import(bench, &run, LK_IMPORT_SHADOW,
                    "open::20228:0:99999:7:::\nx:y:z\nw:x:1::::::\n");
    assert_string_equal(transfer_bad(&run),
                        "1:password_hash::is empty, which would let anybody in without a password\n"
                        "2:line::is not a line of shadow(5): it has less than nine fields\n"
                        "3:password_hash::is of no known form; a plain password is not a hash\n");
    transfer_free(&run);
}

static void test_s15_transfer_hostile_lines(void **state)
{
    static const char nul[] = "a\0b:" MOSQUITTO "\n";
    struct transfer_bench *bench = *state;
    size_t size = 10u << 20;
    char *text = malloc(size + 64);
    struct transfer_run run;

    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text + size, "\nz:y\n", 5);
    transfer_import_bytes(bench, &run, LK_IMPORT_HASHES, text, size + 5, false);
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    assert_string_equal(transfer_bad(&run),
                        "1:line::is longer than 65536 bytes\n"
                        "2:password_hash::is of no known form; a plain password is not a hash\n");
    transfer_free(&run);
    transfer_import_bytes(bench, &run, LK_IMPORT_HASHES, text, size, false);
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    assert_string_equal(transfer_bad(&run), "1:line::is longer than 65536 bytes\n");
    transfer_free(&run);
    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, text, size, false);
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    transfer_free(&run);
    free(text);

    transfer_import_bytes(bench, &run, LK_IMPORT_HASHES, nul, sizeof(nul) - 1, false);
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    assert_string_equal(transfer_bad(&run), "1:line::holds a NUL byte\n");
    transfer_free(&run);

    transfer_import(bench, &run, LK_IMPORT_HASHES,
                    "a:$6$rounds=999999999$tlbBkhsW8Y43qggg$ag24\n"
                    "b:$2b$31$igMJf6/hFOIA6Z3XWX09gOOZuj0iCPHEetaRI7pTlAZ6RxkpFi5Na\n"
                    "c:$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$KBJSI6BT3NyMAUsaKLL9"
                    "Pzdt9MAPhw9LJEM85dOvTig\n"
                    "d:$7$999999999$hBKNYqcZzfYPBkwe$4ueZ\n");
    assert_int_equal(run.import.bad_count, 4);
    assert_non_null(strstr(transfer_bad(&run), "1:password_hash::costs too much"));
    assert_non_null(strstr(transfer_bad(&run), "2:password_hash::costs too much"));
    assert_non_null(strstr(transfer_bad(&run), "3:password_hash::costs too much"));
    assert_non_null(strstr(transfer_bad(&run), "4:password_hash::costs too much"));
    transfer_free(&run);
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static void test_transfer_csv_users(void **state)
{
    static const struct lk_import_column columns[] = {{"E-mail", "email"}, {"Shoe size", ""}};
    static const char file[] =
        "username,E-mail,display_name,roles,password_hash,Shoe size,metadata\r\n"
        "alice,alice@example.com,\"Smith, Alice\",operator;viewer," YESCRYPT ",41,"
        "\"{\"\"floor\"\":3}\"\r\n"
        "bob,,\"=cmd|x\",viewer,,42,\r\n";
    struct transfer_bench *bench = *state;
    struct lk_user user;
    struct lk_txn txn;
    struct transfer_run run;

    transfer_import_bytes(bench, &run, LK_IMPORT_CSV, file, sizeof(file) - 1, false);
    run.import.columns = columns;
    run.import.column_count = 2;
    run.error = lk_import_run(&run.import);
    assert_string_equal(transfer_bad(&run), "");
    assert_int_equal(run.error, 0);
    assert_int_equal(run.import.added_count, 2);
    assert_int_equal(transfer_login(bench, "alice@example.com", "correct horse"), 0);
    assert_int_equal(transfer_find_user(bench, "alice", &user, &txn), 0);
    assert_int_equal(user.display_name.size, 12);
    assert_int_equal(user.metadata.size, 8);
    assert_int_equal(lk_permission_check(&txn, user.record.id, LK_ASK("user", "read"), NULL), 0);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "bob", &user, &txn), 0);
    assert_memory_equal(user.display_name.data, "=cmd|x", 6);
    lk_txn_release(&txn);
    transfer_verify(bench);
    transfer_free(&run);
}

static void test_transfer_csv_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *bad;
    } cases[] = {
        {"", "1:record::is missing: the file is empty\n"},
        {"username,shoe\na,1\n",
         "1:column:shoe:is not a field of this kind; see describe, or use --map \"COLUMN=field\" "
         "(\"COLUMN=\" passes a column over)\n"},
        {"username,password\na,1\n",
         "1:column:password:is refused: a plain password does not belong into a file; give "
         "password_hash\n"},
        {"username,username\na,b\n", "1:column:username:is given twice\n"},
        {"username,\na,b\n", "1:column::has no name\n"},
        {"username,email\na,b,c\nd\n", "2:record::has more fields than the header\n"
                                       "3:record::has fewer fields than the header\n"},
        {"username,status\na,boss\n", "2:status:boss:"},
        {"username,email\na,al@\n", "2:email:al@:is not an e-mail address"},
        {"username,roles\na,king\n", "2:roles:king:is not a role of this tenant\n"},
        {"username,roles\na,viewer;viewer\n", "2:roles:viewer:is named twice\n"},
        {"username,metadata\na,{\n", "2:metadata:{:ends in the middle\n"},
        {"username,email\n\"a\"b,c\nd,e\n",
         "2:record::has text after the closing quote of a field; the rest of the file was not "
         "read\n"},
        {"username,email\n\"a\nb,c\n", "2:record::has a quoted field that never ends\n"},
        {"username,display_name\n,nameless\n", "2:username::is required\n"},
    };
    struct transfer_bench *bench = *state;
    struct transfer_text before = transfer_export(bench->host, true);
    struct transfer_text after;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct transfer_run run;

        transfer_import(bench, &run, LK_IMPORT_CSV, cases[i].text);
        assert_int_equal(run.error, LK_E_CHECK);
        assert_false(run.import.committed);
        if (strncmp(transfer_bad(&run), cases[i].bad, strlen(cases[i].bad)) != 0) {
            fail_msg("%s gave %s", cases[i].text, transfer_bad(&run));
        }
        transfer_free(&run);
    }
    after = transfer_export(bench->host, true);
    assert_string_equal(before.data, after.data);
    free(before.data);
    free(after.data);
}

/* Nothing of a user whose role is refused stays behind. */
static void test_transfer_refused_role_refuses_the_user(void **state)
{
    struct transfer_bench *bench = *state;
    struct lk_user user;
    struct lk_txn txn;
    struct transfer_run run;
    char *text = malloc(4096);
    size_t used;

    assert_non_null(text);
    used = (size_t)snprintf(text, 4096,
                            "{\"kind\":\"user\",\"username\":\"many\",\"roles\":["
                            "\"viewer\",\"nope\"]}\n"
                            "{\"kind\":\"user\",\"username\":\"one\"}\n");
    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, text, used, true);
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    assert_int_equal(run.import.added_count, 1);
    assert_int_equal(transfer_find_user(bench, "many", &user, &txn), LK_E_NOT_FOUND);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "one", &user, &txn), 0);
    lk_txn_release(&txn);
    transfer_verify(bench);
    transfer_free(&run);
    free(text);
}

/* ---- NDJSON ---------------------------------------------------------------------------------- */

static void test_s15_transfer_ndjson_gains_nothing(void **state)
{
    static const char file[] =
        "{\"kind\":\"user\",\"id\":{\"tenant\":9,\"user\":1},\"created_by\":1,"
        "\"created_at\":\"1999-01-01T00:00:00Z\",\"username\":\"eve\",\"login_count\":7}\n"
        "{\"kind\":\"user\",\"username\":\"mallory\",\"is_admin\":true}\n"
        "{\"kind\":\"audit\",\"seq\":1}\n"
        "{\"kind\":\"session\",\"id\":{\"tenant\":9,\"user\":1,\"sub\":1}}\n"
        "{\"kind\":\"user\",\"id\":{\"tenant\":8,\"user\":3},\"username\":\"other\"}\n"
        "{\"kind\":\"user\",\"id\":{\"tenant\":9,\"user\":1},\"username\":\"twice\"}\n"
        "{\"kind\":\"grant\",\"id\":{\"tenant\":9,\"user\":1,\"sub\":1},\"role\":1}\n"
        "{\"kind\":\"credential\",\"id\":{\"tenant\":9,\"user\":77,\"sub\":1},\"type\":"
        "\"ssh_key\",\"key\":\"x\"}\n"
        "{\"kind\":\"credential\",\"id\":{\"tenant\":9,\"user\":1,\"sub\":1},\"type\":\"password\","
        "\"secret\":\"AAEC\",\"verifier\":\"" YESCRYPT "\"}\n"
        "not json\n"
        "[]\n";
    struct transfer_bench *bench = *state;
    struct lk_user user;
    struct lk_txn txn;
    struct transfer_run run;

    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, file, sizeof(file) - 1, true);
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    assert_string_equal(
        transfer_bad(&run),
        "2:is_admin::is not a field of this kind\n"
        "3:kind:audit:is not a kind that an export holds\n"
        "4:kind:session:is not a kind that an export holds\n"
        "5:id::is of a second tenant: an import brings one tenant's records; --restore brings "
        "them all\n"
        "6:id::is given twice in this file\n"
        "7:role::is not before it in the file, or was refused\n"
        "8:id::is of a user who is not before it in the file, or was refused\n"
        "9:secret::is secret: it is not taken from a file\n"
        "10:line::is not JSON (RFC 8259)\n"
        "11:line::is not a JSON object\n");
    assert_int_equal(transfer_find_user(bench, "eve", &user, &txn), 0);
    assert_int_not_equal(user.record.id.user, 1);
    assert_true(user.record.created_at > 1600000000000);
    assert_int_equal(user.record.created_by, 0);
    lk_txn_release(&txn);
    transfer_verify(bench);
    transfer_free(&run);
}

/* What an import of an export of another store makes: the same users, under this one's roles. */
static void test_transfer_ndjson_into_another_tenant(void **state)
{
    struct transfer_bench *bench = *state;
    struct lk_tenant tenant = {0};
    struct lk_txn txn = {0};
    struct lk_export export;
    struct transfer_text text = {NULL, 0};
    struct lk_login_request request = {.tenant = 2,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT("correct horse"),
                                       .channel = LK_CHANNEL_CLI};
    struct lk_login_result result;
    struct lk_reason reason;
    struct lk_id id;
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_CSV,
                    "username,roles,password_hash\nalice,operator," SHA512 "\nbob,viewer,\n");
    assert_int_equal(run.error, 0);
    transfer_free(&run);
    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_WRITE, NULL), 0);
    lk_field_set_span(&tenant.record, lk_field_named(&lk_kind_tenant, LK_TEXT("name")),
                      LK_TEXT("beta"));
    assert_int_equal(lk_tenant_add(&txn, &tenant), 0);
    assert_int_equal(lk_commit(&txn), 0);
    assert_int_equal(tenant.record.id.tenant, 2);

    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_READ, NULL), 0);
    export = (struct lk_export){
        .txn = &txn, .tenant = 1, .with_secrets = true, .sink = transfer_append, .context = &text};
    assert_int_equal(lk_export_run(&export), 0);
    lk_txn_release(&txn);

    /* External ids are unique over the store: as new records they get new ones. */
    for (char *at = strstr(text.data, ",\"external_id\":"); at != NULL;
         at = strstr(at, ",\"external_id\":")) {
        memmove(at, at + 53, strlen(at + 53) + 1);
    }
    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, text.data, strlen(text.data), false);
    run.import.tenant = 2;
    run.error = lk_import_run(&run.import);
    assert_string_equal(transfer_bad(&run), "");
    assert_int_equal(run.error, 0);
    assert_true(run.import.kept_count > 3);
    assert_int_equal(lk_login(lk_host_store(bench->host), &request, &result, NULL), 0);
    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_READ, NULL), 0);
    assert_int_equal(lk_find_user(&txn, 2, LK_TEXT("bob"), &id), 0);
    assert_int_equal(lk_permission_check(&txn, id, LK_ASK("user", "read"), &reason), 0);
    assert_int_equal(reason.role.tenant, 2);
    lk_txn_release(&txn);
    transfer_verify(bench);
    free(text.data);
    transfer_free(&run);
}

/* An import by somebody gives no more than that somebody holds: line by line. */
static void test_transfer_by_a_user_gains_nothing(void **state)
{
    static const char file[] =
        "{\"kind\":\"permission\",\"id\":{\"tenant\":9,\"sub\":40},\"name\":\"mine\","
        "\"resource\":\"*\",\"action\":\"*\"}\n"
        "{\"kind\":\"role\",\"id\":{\"tenant\":9,\"sub\":40},\"name\":\"mine\","
        "\"permissions\":[40]}\n"
        "{\"kind\":\"role\",\"id\":{\"tenant\":9,\"sub\":41},\"name\":\"heir\",\"parent\":1}\n"
        "{\"kind\":\"user\",\"username\":\"boss\",\"roles\":[\"admin\"]}\n"
        "{\"kind\":\"user\",\"username\":\"peer\",\"roles\":[\"operator\"]}\n"
        "{\"kind\":\"user\",\"username\":\"plain\"}\n";
    struct transfer_bench *bench = *state;
    struct lk_actor actor = {.tenant = 1, .channel = LK_CHANNEL_CLI};
    struct transfer_run run;
    struct lk_user user;
    struct lk_txn txn;

    transfer_import(bench, &run, LK_IMPORT_NDJSON,
                    "{\"kind\":\"user\",\"username\":\"olga\",\"roles\":[\"operator\"]}\n");
    assert_int_equal(run.error, 0);
    transfer_free(&run);
    assert_int_equal(transfer_find_user(bench, "olga", &user, &txn), 0);
    actor.user = user.record.id.user;
    lk_txn_release(&txn);
    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, file, sizeof(file) - 1, true);
    run.import.actor = &actor;
    assert_int_equal(lk_import_run(&run.import), LK_E_CHECK);
    assert_non_null(strstr(transfer_bad(&run), "would give what you do not hold yourself"));
    assert_int_equal(run.import.bad_count, 3);
    assert_int_equal(run.import.added_count, 3);
    assert_int_equal(transfer_find_user(bench, "boss", &user, &txn), LK_E_NOT_FOUND);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "peer", &user, &txn), 0);
    assert_int_equal(lk_permission_check(&txn, user.record.id, LK_ASK("user", "write"), NULL), 0);
    lk_txn_release(&txn);
    assert_int_equal(transfer_find_user(bench, "plain", &user, &txn), 0);
    lk_txn_release(&txn);
    transfer_verify(bench);
    transfer_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, transfer_setup, transfer_teardown)
        CASE(test_transfer_every_hash_logs_in),
        CASE(test_transfer_bad_lines_keep_all_out),
        CASE(test_transfer_skip_bad_takes_the_others),
        CASE(test_transfer_htpasswd_takes_bcrypt_only),
        CASE(test_transfer_shadow_accounts),
        CASE(test_s15_transfer_hostile_lines),
        CASE(test_transfer_csv_users),
        CASE(test_transfer_csv_refusals),
        CASE(test_transfer_refused_role_refuses_the_user),
        CASE(test_s15_transfer_ndjson_gains_nothing),
        CASE(test_transfer_ndjson_into_another_tenant),
        CASE(test_transfer_by_a_user_gains_nothing),
#undef CASE
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
