// SPDX-License-Identifier: MIT
/* test_transfer_restore.c: exports, and what comes back from them. */
#include "transfer_help.h"

/* ---- Restore --------------------------------------------------------------------------------- */

static int restore(void *context, struct lk_store *store)
{
    struct transfer_run *run = context;

    run->import.store = store;
    run->error = lk_import_restore(&run->import);
    return run->error;
}

/* A store with something of everything, removed records too. */
static void furnish(struct transfer_bench *bench)
{
    struct lk_tenant tenant = {0};
    struct lk_txn txn = {0};
    struct lk_role role = {0};
    struct lk_id user;
    struct lk_id found;
    struct lk_id made;
    char token[LK_TOKEN_SIZE];
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_CSV,
                    "username,email,display_name,roles,password_hash,metadata\n"
                    "alice,alice@example.com,\"Smith, \"\"Al\"\"\",operator;viewer," YESCRYPT
                    ",\"{\"\"a\"\":[1,{\"\"b\"\":null}]}\"\n"
                    "bob,,B\xC3\xB6,viewer," SHA512 ",\ncarol,,,,,\ndave,,,viewer," MOSQUITTO
                    ",\n");
    assert_string_equal(transfer_bad(&run), "");
    transfer_free(&run);
    assert_int_equal(transfer_login(bench, "alice", "correct horse"), 0);
    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_WRITE, NULL), 0);
    lk_field_set_span(&tenant.record, lk_field_named(&lk_kind_tenant, LK_TEXT("name")),
                      LK_TEXT("beta"));
    assert_int_equal(lk_tenant_add(&txn, &tenant), 0);
    /* A role whose parent has a higher number. */
    lk_field_set_span(&role.record, lk_field_named(&lk_kind_role, LK_TEXT("name")),
                      LK_TEXT("upper"));
    role.record.id.tenant = 1;
    assert_int_equal(lk_add(&txn, &lk_kind_role, &role.record, NULL), 0);
    made = role.record.id;
    memset(&role, 0, sizeof(role));
    assert_int_equal(lk_find_named(&txn, &lk_kind_role, 1, LK_TEXT("viewer"), &found), 0);
    lk_field_set_number(&role.record, lk_field_named(&lk_kind_role, LK_TEXT("parent")), made.sub);
    assert_int_equal(lk_update(&txn, &lk_kind_role, found, &role.record, 0, NULL), 0);
    assert_int_equal(lk_find_user(&txn, 1, LK_TEXT("bob"), &user), 0);
    assert_int_equal(lk_role_grant(&txn, user, made, lk_now(&txn) + 3600000), 0);
    assert_int_equal(lk_ssh_key_add(&txn, user, LK_TEXT("laptop"),
                                    LK_TEXT("ssh-ed25519 "
                                            "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9"
                                            "okWi0dh2l9GKJl bob@laptop"),
                                    &made),
                     0);
    assert_int_equal(
        lk_api_key_add(&txn, user, LK_TEXT("ci"), (struct lk_span){NULL, 0}, 0, token, &made), 0);
    assert_int_equal(lk_find_user(&txn, 1, LK_TEXT("dave"), &user), 0);
    assert_int_equal(lk_remove(&txn, &lk_kind_user, user, NULL), 0);
    assert_int_equal(lk_find_user(&txn, 1, LK_TEXT("carol"), &user), 0);
    assert_int_equal(lk_purge(&txn, &lk_kind_user, user), 0);
    assert_int_equal(lk_commit(&txn), 0);
    lk_txn_release(&txn);
    transfer_verify(bench);
}

static void test_transfer_restore_is_byte_identical(void **state)
{
    struct transfer_bench *bench = *state;
    struct transfer_text first;
    struct transfer_text second;
    struct transfer_text plain;
    struct transfer_run run;

    furnish(bench);
    first = transfer_export(bench->host, true);
    plain = transfer_export(bench->host, false);
    assert_non_null(strstr(first.data, "\"verifier\":\"$argon2id$v=19$m=64,t=1,p=1$"));
    assert_non_null(strstr(first.data, "\"verifier\":\"" SHA512 "\""));
    assert_null(strstr(plain.data, "verifier"));
    assert_null(strstr(plain.data, "argon2id"));
    assert_null(strstr(first.data, "secret"));

    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, first.data, first.size, false);
    if (lk_host_create_filled(&bench->config[1], restore, &run) != 0) {
        fail_msg("%s", transfer_bad(&run));
    }
    lk_host_close(bench->host);
    assert_int_equal(lk_host_open(&bench->config[1], &bench->host), 0);
    transfer_verify(bench);
    second = transfer_export(bench->host, true);
    assert_string_equal(first.data, second.data);
    assert_int_equal(transfer_login(bench, "alice", "correct horse"), 0);
    assert_int_equal(transfer_login(bench, "bob", "correct horse"), 0);
    assert_int_equal(transfer_login(bench, "admin", "correct horse"), 0);
    transfer_free(&run);

    /* Into a store that holds something already: refused. */
    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, first.data, first.size, false);
    assert_int_equal(lk_import_restore(&run.import), LK_E_EXISTS);
    transfer_free(&run);
    free(first.data);
    free(second.data);
    free(plain.data);
}

static void test_transfer_bad_restore_leaves_no_store(void **state)
{
    static const char last[] = "{\"kind\":\"user\",\"id\":{\"tenant\":1}}\n";
    struct transfer_bench *bench = *state;
    struct transfer_text text;
    struct transfer_run run;

    furnish(bench);
    text = transfer_export(bench->host, true);
    assert_int_equal(transfer_append(&text, last, sizeof(last) - 1), 0);
    transfer_import_bytes(bench, &run, LK_IMPORT_NDJSON, text.data, text.size, false);
    assert_int_equal(lk_host_create_filled(&bench->config[1], restore, &run), LK_E_CHECK);
    assert_int_equal(run.import.bad_count, 1);
    assert_int_equal(access(bench->path[1], F_OK), -1);
    transfer_free(&run);
    free(text.data);
}

/* ---- Export ---------------------------------------------------------------------------------- */

static void test_transfer_csv_export_comes_back(void **state)
{
    struct transfer_bench *bench = *state;
    struct transfer_text text = {NULL, 0};
    struct lk_txn txn = {0};
    struct lk_user user;
    struct transfer_run run;
    struct lk_export export = {.txn = &txn,
                               .csv = true,
                               .tenant = 1,
                               .with_secrets = true,
                               .sink = transfer_append,
                               .context = &text};

    furnish(bench);
    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_READ, NULL), 0);
    assert_int_equal(lk_export_run(&export), 0);
    lk_txn_release(&txn);
    assert_memory_equal(text.data, "id,created_at,", 14);
    assert_non_null(strstr(text.data, "\"Smith, \"\"Al\"\"\""));
    lk_host_close(bench->host);
    assert_int_equal(lk_host_create(&bench->config[1],
                                    &(struct lk_create_request){LK_TEXT("acme"), LK_TEXT("root"),
                                                                LK_TEXT("correct horse")},
                                    &(struct lk_create_result){0}),
                     0);
    assert_int_equal(lk_host_open(&bench->config[1], &bench->host), 0);
    transfer_import(bench, &run, LK_IMPORT_CSV, text.data);
    assert_string_equal(transfer_bad(&run), "");
    assert_int_equal(run.import.added_count, 3);  /* admin, alice, bob */
    assert_int_equal(run.import.passed_count, 1); /* dave, who was removed */
    assert_int_equal(transfer_login(bench, "alice", "correct horse"), 0);
    assert_int_equal(transfer_find_user(bench, "bob", &user, &txn), 0);
    /* The grant that ends does not become one that does not. */
    assert_int_equal(lk_permission_check(&txn, user.record.id, LK_ASK("user", "read"), NULL), 0);
    assert_int_equal(
        lk_find_named(&txn, &lk_kind_role, 1, LK_TEXT("upper"), &(struct lk_id){0, 0, 0}),
        LK_E_NOT_FOUND);
    lk_txn_release(&txn);
    transfer_free(&run);
    free(text.data);
}

static void test_transfer_export_over_its_limit_writes_nothing(void **state)
{
    struct transfer_bench *bench = *state;
    struct transfer_text text = {NULL, 0};
    struct lk_txn txn = {0};
    struct lk_export export = {.txn = &txn, .sink = transfer_append, .context = &text};
    uint64_t size;

    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_READ, NULL), 0);
    assert_int_equal(lk_export_run(&export), 0);
    size = export.size;
    free(text.data);
    text = (struct transfer_text){NULL, 0};
    export.limit = size - 1;
    assert_int_equal(lk_export_run(&export), LK_E_LIMIT);
    assert_null(text.data);
    export.limit = size;
    assert_int_equal(lk_export_run(&export), 0);
    assert_int_equal(text.size, size);
    lk_txn_release(&txn);
    free(text.data);
}

static void test_transfer_import_is_one_entry_in_the_audit(void **state)
{
    struct transfer_bench *bench = *state;
    struct lk_txn txn = {0};
    struct lk_audit_query query = {.tenant = 1};
    struct lk_audit_entry entry;
    struct transfer_run run;

    transfer_import(bench, &run, LK_IMPORT_MOSQUITTO, "a:" MOSQUITTO "\nb:" MOSQUITTO "\n");
    assert_int_equal(run.error, 0);
    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_READ, NULL), 0);
    assert_int_equal(lk_audit_begin(&txn, &query), 0);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_memory_equal(entry.action.data, "import", 6);
    assert_int_equal(entry.category, LK_CATEGORY_DATA);
    assert_int_equal(entry.outcome, LK_SUCCESS);
    assert_int_equal(lk_audit_next(&query, &entry), 0);
    assert_memory_not_equal(entry.action.data, "user.a", 6);
    lk_txn_release(&txn);
    transfer_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, transfer_setup, transfer_teardown)
        CASE(test_transfer_restore_is_byte_identical),
        CASE(test_transfer_bad_restore_leaves_no_store),
        CASE(test_transfer_csv_export_comes_back),
        CASE(test_transfer_export_over_its_limit_writes_nothing),
        CASE(test_transfer_import_is_one_entry_in_the_audit),
#undef CASE
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
