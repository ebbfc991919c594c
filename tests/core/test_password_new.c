// SPDX-License-Identifier: MIT
/* What a new password must be, at each of the ways to set one: length, blocklist, own names. */
#include "password_help.h"

#include "lk_engine.h"

/* ---- S5 ---- */

static void test_s05_password_boundaries(void **state)
{
    static const struct {
        const char *policy;
        size_t size;
        const char *rule;
    } table[] = {
        {"password_min=8", 7, "has fewer than 8 bytes"},
        {"password_min=8", 8, NULL},
        {"password_min=8", 14, NULL},
        {"password_min=8", 15, NULL},
        {"password_min=8", 64, NULL},
        {"password_min=8", 128, NULL},
        {"password_min=8", 129, "has more than 128 bytes"},
        {"password_min=15", 8, "is shorter than the tenant's password_min"},
        {"password_min=15", 14, "is shorter than the tenant's password_min"},
        {"password_min=15", 15, NULL},
        {"password_min=15", 64, NULL},
        {"password_min=15", 128, NULL},
        {"password_min=15", 129, "has more than 128 bytes"},
        {"password_min=128", 127, "is shorter than the tenant's password_min"},
        {"password_min=128", 128, NULL},
    };
    const struct {
        struct lk_span text;
        const char *rule;
    } forms[] = {
        {LK_TEXT(""), "has fewer than 8 bytes"},
        {LK_TEXT("abcd\0efgh"), "holds a NUL byte"},
        {LK_TEXT("abcdefgh\0"), "holds a NUL byte"},
        {LK_TEXT("latin-1 \xE9t\xE9"), "is not UTF-8"},
        {LK_TEXT("overlong \xC0\xAF"), "is not UTF-8"},
        {LK_TEXT("surrogate \xED\xA0\x80"), "is not UTF-8"},
        {LK_TEXT("cut short \xF0\x9F\x94"), "is not UTF-8"},
        /* No rule of composition: any characters, spaces too. */
        {LK_TEXT("\xF0\x9F\x94\x91\xF0\x9F\x94\x92"), NULL},
        {LK_TEXT("        "), NULL},
        {LK_TEXT("\x01\x02\x03\x04\x05\x06\x07\x08"), NULL},
    };
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_problem problem;
    char text[130];
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(table); i++) {
        struct lk_login_result result;
        int error;

        memset(text, 'x', sizeof(text));
        memcpy(text, "q7#zv!", 6);
        text[table[i].size - 1] = 'L';
        password_policy(bench, table[i].policy);
        error = password_change(bench, alice, (struct lk_span){(uint8_t *)text, table[i].size},
                                &problem);
        assert_int_equal(error, table[i].rule ? LK_E_CHECK : 0);
        if (table[i].rule) {
            assert_string_equal(problem.rule, table[i].rule);
            continue;
        }
        /* Every byte counts, the last one too. */
        text[table[i].size] = '\0';
        assert_int_equal(bench_login(bench, "alice", text, &result), 0);
        text[table[i].size - 1] = 'M';
        assert_int_equal(bench_login(bench, "alice", text, &result), LK_E_REFUSED);
    }
    password_policy(bench, "password_min=8");
    for (i = 0; i < LK_COUNT(forms); i++) {
        int error = password_change(bench, alice, forms[i].text, &problem);

        assert_int_equal(error, forms[i].rule ? LK_E_CHECK : 0);
        if (forms[i].rule) {
            assert_string_equal(problem.rule, forms[i].rule);
        }
        assert_string_equal(problem.given, "");
    }
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Blocklist ---- */

static void test_s05_common_passwords_are_refused(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    char line[256], copy[256];
    unsigned listed = 0, tried = 0, mistaken = 0, i;
    uint64_t number = 88172645463325252u;
    const char *build = getenv("BUILD");
    FILE *list;

    (void)state;
    /* As the build unpacked it. */
    (void)snprintf(line, sizeof(line), "%s/made/lk_blocklist_data.h.txt",
                   build ? build : "build/linux");
    list = fopen(line, "r");
    assert_non_null(list);
    while (fgets(line, sizeof(line), list)) {
        size_t size = strcspn(line, "\n"), k;

        line[size] = '\0';
        if (size < 8) {
            continue;
        }
        listed++;
        for (k = 0; k <= size; k++) {
            copy[k] = line[k] >= 'a' && line[k] <= 'z' && (k % 3 == 0 || listed % 2)
                          ? (char)(line[k] - 32)
                          : line[k];
        }
        if (!lk_blocklist_has(bench_text(line)) || !lk_blocklist_has(bench_text(copy))) {
            fail_msg("\"%s\" or \"%s\" is not refused", line, copy);
        }
        if (listed % 400 == 0) {
            password_refused(bench, alice, line,
                             "is one of the passwords that everybody tries first");
            password_refused(bench, alice, copy,
                             "is one of the passwords that everybody tries first");
            tried++;
        }
    }
    assert_int_equal(fclose(list), 0);
    assert_true(listed > 8000 && tried > 15);
    for (i = 0; i < 1000000; i++) {
        unsigned k;

        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        for (k = 0; k < 10; k++) {
            line[k] = (char)('!' + (number >> 6 * k) % 94);
        }
        line[k] = '\0';
        mistaken += lk_blocklist_has(bench_text(line));
    }
    print_message("[  figure  ] %u of %u listed passwords refused; of 1000000 random ones %u\n",
                  listed, listed, mistaken);
    assert_true(mistaken < 40); /* 1 in 65536: 15 expected */
    password_policy(bench, "password_blocklist=false");
    password_taken(bench, alice, "password1");
    password_policy(bench, "password_blocklist=true");
    password_refused(bench, alice, "password1",
                     "is one of the passwords that everybody tries first");
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Own names ---- */

static void test_s05_own_names_are_refused(void **state)
{
    static const char name[] = "is the user's name, or that with digits or signs";
    static const char address[] = "is the user's e-mail address, or that with digits or signs";
    static const char local[] =
        "is the name in the user's e-mail address, or that with digits or signs";
    static const char display[] = "is the user's display name, or that with digits or signs";
    static const char tenant[] = "is the tenant's name, or that with digits or signs";
    static const struct {
        const char *text, *rule;
    } table[] = {
        {"alice.weaver", name},
        {"ALICE.Weaver", name},
        {"aliceweaver", name},
        {"alice.weaver1990", name},
        {"!!alice-weaver?", name},
        {"2026 Alice Weaver!", name},
        {"aw.private@example.org", address},
        {"AW Private Example Org 1", address},
        {"awprivate", local},
        {"awprivate7", local},
        {"Mrs. A. L. Weaver", display},
        {"mrsalweaver99", display},
        {"Rivergate 2026", tenant},
        {"rivergate", tenant},
        {"alice.weavers", NULL},
        {"alice1weaver", NULL}, /* digits inside are no trivial addition */
        {"rivergates", NULL},
        {"private@example", NULL},
        {"--------", NULL}, /* nothing is left: no name */
        {"20262026!?", NULL},
    };
    struct bench *bench = bench_open();
    struct lk_id alice, digits, tenant_id = {bench->tenant, 0, 0};
    struct lk_password password;
    size_t i;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, tenant_id, "name=Rivergate", NULL), 0);
    bench_commit(bench);
    alice = bench_user(bench, "alice.weaver", NULL);
    digits = bench_user(bench, "20041234", NULL);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "email=AW.private@example.org",
                               "display_name=Mrs. A. L. Weaver", NULL),
                     0);
    bench_commit(bench);
    for (i = 0; i < LK_COUNT(table); i++) {
        if (table[i].rule) {
            password_refused(bench, alice, table[i].text, table[i].rule);
        } else {
            password_taken(bench, alice, table[i].text);
        }
    }
    /* A name of digits is no name where they are left out, but is one as it stands. */
    password_refused(bench, digits, "2004-1234", name);
    password_taken(bench, digits, "2004-1235");
    /* Prepared for nobody in particular, the rule holds all the same. */
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("alice.weaver1"), NULL, 0, &password, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, digits, &password, 0), 0);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, name);
    lk_abort(&bench->txn);
    bench_verify(bench);
    bench_close(bench);
}

/* The rules of the tenant that is being made hold for its administrator, too. */
static void test_s05_first_password_obeys_the_rules(void **state)
{
    const struct {
        struct lk_span password;
        const char *rule;
    } table[] = {
        {LK_TEXT("short"), "has fewer than 8 bytes"},
        {LK_TEXT("password1"), "is one of the passwords that everybody tries first"},
        {LK_TEXT("Gatekeeper-1"), "is the user's name, or that with digits or signs"},
        {LK_TEXT("rivergate2026"), "is the tenant's name, or that with digits or signs"},
        {LK_TEXT("a good secret"), NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(table); i++) {
        struct bench *bench = bench_bare(4u << 20);
        struct lk_create_request request = {.tenant = LK_TEXT("Rivergate"),
                                            .admin = LK_TEXT("gatekeeper"),
                                            .password = table[i].password};
        struct lk_create_result result;
        int error = lk_create(&bench->store, &bench->config, &request, &result);

        assert_int_equal(error, table[i].rule ? LK_E_CHECK : 0);
        if (table[i].rule) {
            assert_string_equal(result.problem.rule, table[i].rule);
            assert_string_equal(result.problem.field, "password");
            assert_string_equal(result.problem.given, "");
            assert_int_equal(lk_open(&bench->store, &bench->config), LK_E_NOT_FOUND);
        }
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s05_password_boundaries),
        cmocka_unit_test(test_s05_common_passwords_are_refused),
        cmocka_unit_test(test_s05_own_names_are_refused),
        cmocka_unit_test(test_s05_first_password_obeys_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
