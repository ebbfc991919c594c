// SPDX-License-Identifier: MIT
/*
 * What a new password must be, at each of the ways to set one: length, blocklist, own names,
 * history, least age; and the verifier that is made anew when the parameters rise.
 */
#include "bench.h"

#include "lk_engine.h"
#include "lk_foreign.h"

static void set_policy(struct bench *bench, const char *word)
{
    bench_write(bench);
    assert_int_equal(
        bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0}, word, NULL), 0);
    bench_commit(bench);
}

/* Prepares for the user and sets; commits only what is taken. `problem` gets the refusal. */
static int set_password(struct bench *bench, struct lk_id user, struct lk_span text,
                        struct lk_problem *problem)
{
    struct lk_password password;
    int error;

    memset(problem, 0, sizeof(*problem));
    lk_abort(&bench->txn);
    error = lk_password_prepare_for(&bench->store, user, text, NULL, 0, &password, problem);
    if (error) {
        return error;
    }
    bench_write(bench);
    error = lk_password_set(&bench->txn, user, &password, 0);
    if (error) {
        *problem = *lk_problem(&bench->txn);
        lk_abort(&bench->txn);
        return error;
    }
    bench_commit(bench);
    return 0;
}

static void want_refused(struct bench *bench, struct lk_id user, const char *text, const char *rule)
{
    struct lk_problem problem;
    uint64_t print = bench_print(bench);
    int error = set_password(bench, user, bench_text(text), &problem);

    if (error != LK_E_CHECK || !problem.rule || strcmp(problem.rule, rule) != 0 ||
        strcmp(problem.field, "password") != 0 || problem.given[0]) {
        fail_msg("\"%s\": %d, \"%s\"; want \"%s\"", text, error, problem.rule ? problem.rule : "-",
                 rule);
    }
    assert_true(bench_print(bench) == print);
}

static void want_taken(struct bench *bench, struct lk_id user, const char *text)
{
    struct lk_problem problem;
    int error = set_password(bench, user, bench_text(text), &problem);

    if (error) {
        fail_msg("\"%s\": %d, \"%s\"", text, error, problem.rule ? problem.rule : "-");
    }
}

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
        set_policy(bench, table[i].policy);
        error =
            set_password(bench, alice, (struct lk_span){(uint8_t *)text, table[i].size}, &problem);
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
    set_policy(bench, "password_min=8");
    for (i = 0; i < LK_COUNT(forms); i++) {
        int error = set_password(bench, alice, forms[i].text, &problem);

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
            want_refused(bench, alice, line, "is one of the passwords that everybody tries first");
            want_refused(bench, alice, copy, "is one of the passwords that everybody tries first");
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
    set_policy(bench, "password_blocklist=false");
    want_taken(bench, alice, "password1");
    set_policy(bench, "password_blocklist=true");
    want_refused(bench, alice, "password1", "is one of the passwords that everybody tries first");
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
            want_refused(bench, alice, table[i].text, table[i].rule);
        } else {
            want_taken(bench, alice, table[i].text);
        }
    }
    /* A name of digits is no name where they are left out, but is one as it stands. */
    want_refused(bench, digits, "2004-1234", name);
    want_taken(bench, digits, "2004-1235");
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

/* ---- History ---- */

#define BEFORE "is one that the user had before"

static void numbered(char text[32], unsigned number)
{
    (void)snprintf(text, 32, "secret number %u", number);
}

static void test_password_history_is_kept_as_long_as_said(void **state)
{
    unsigned keep, number;
    char text[32], policy[32];

    (void)state;
    for (keep = 1; keep <= 10; keep += keep == 4 ? 6 : 1) {
        struct bench *bench = bench_open();
        struct lk_id alice = bench_user(bench, "alice", NULL);
        struct lk_login_result result;

        (void)snprintf(policy, sizeof(policy), "password_history=%u", keep);
        set_policy(bench, policy);
        for (number = 1; number <= keep + 3; number++) {
            numbered(text, number);
            want_taken(bench, alice, text);
        }
        /* The last `keep`, the one in use among them, and no more. */
        for (number = 4; number <= keep + 3; number++) {
            numbered(text, number);
            want_refused(bench, alice, text, BEFORE);
        }
        assert_int_equal(bench_login(bench, "alice", text, &result), 0);
        numbered(text, 3);
        want_taken(bench, alice, text);
        /* Switched off, all are good again, and what was kept goes with the next one. */
        set_policy(bench, "password_history=0");
        want_taken(bench, alice, text);
        set_policy(bench, policy);
        numbered(text, keep + 3);
        want_taken(bench, alice, text);
        bench_verify(bench);
        bench_close(bench);
    }
}

/* In the forced change of a login, after a claim code and after a password; in slices, too. */
static void test_password_history_holds_in_a_login(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_login_result result;
    struct lk_problem problem;
    char claim[LK_CLAIM_SIZE];
    unsigned round;

    (void)state;
    lk_fake_pwhash_slices(&bench->fake, 5);
    set_policy(bench, "password_history=4");
    want_taken(bench, alice, "secret number 1");
    want_taken(bench, alice, "secret number 2");
    want_taken(bench, alice, "secret number 3");
    for (round = 0; round < 2; round++) {
        const char *given = "secret number 3";

        bench_write(bench);
        assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL),
                         0);
        if (round) {
            assert_int_equal(lk_claim_add(&bench->txn, alice, claim), 0);
            given = claim;
        }
        bench_commit(bench);
        assert_int_equal(
            bench_login_new(bench, "alice", given, "secret number 1", &result, &problem),
            LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, BEFORE);
        assert_string_equal(problem.field, "new_password");
        assert_int_equal(
            bench_login_new(bench, "alice", given, "secret number 2", &result, &problem),
            LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, BEFORE);
        assert_int_equal(bench_login_new(bench, "alice", given, "password1", &result, &problem),
                         LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, "is one of the passwords that everybody tries first");
        assert_int_equal(bench_login_new(bench, "alice", given, "Alice 2026", &result, &problem),
                         LK_E_MUST_CHANGE);
        assert_string_equal(problem.rule, "is the user's name, or that with digits or signs");
        if (round) { /* by a claim code, the one in use is as old as the others */
            assert_int_equal(
                bench_login_new(bench, "alice", given, "secret number 4", &result, &problem),
                LK_E_MUST_CHANGE);
            assert_string_equal(problem.rule, BEFORE);
        }
        assert_int_equal(bench_login_new(bench, "alice", given,
                                         round ? "secret number 5" : "secret number 4", &result,
                                         &problem),
                         0);
        assert_int_equal(bench_check(bench, result.token, NULL), 0);
    }
    want_refused(bench, alice, "secret number 2", BEFORE);
    want_taken(bench, alice, "secret number 1");
    bench_verify(bench);
    bench_close(bench);
}

/* What a foreign hash stood for counts as well; where it takes much room, older ones go early. */
static void test_password_history_holds_foreign_hashes(void **state)
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
    set_policy(bench, "password_history=10");
    bench_write(bench);
    assert_int_equal(lk_password_import(&bench->txn, alice, bench_text(sha512)), 0);
    bench_commit(bench);
    want_taken(bench, alice, "secret number 1");
    for (i = 2; i < 9; i++) {
        numbered(text, i);
        want_taken(bench, alice, text);
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

static void test_password_history_sees_what_happened_between(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "secret number 1");
    struct lk_id fresh = bench_user(bench, "fresh", NULL);
    struct lk_password password, other;

    (void)state;
    set_policy(bench, "password_history=2");
    lk_abort(&bench->txn);
    /* Prepared for nobody: not for a user who has a password. */
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("secret number 2"), NULL, 0, &password, NULL),
        0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_ARGUMENT);
    assert_int_equal(lk_password_set(&bench->txn, fresh, &password, 0), 0);
    lk_abort(&bench->txn);
    /* Prepared for another: not for this one. */
    assert_int_equal(lk_password_prepare_for(&bench->store, fresh, LK_TEXT("secret number 2"), NULL,
                                             0, &password, NULL),
                     0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_BUSY);
    lk_abort(&bench->txn);
    /* Another password came between: two side by side, both the same. */
    assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("secret number 2"), NULL,
                                             0, &password, NULL),
                     0);
    assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("secret number 2"), NULL,
                                             0, &other, NULL),
                     0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &other, 0), LK_E_BUSY);
    lk_abort(&bench->txn);
    /* The tenant asks for more than was compared. */
    assert_int_equal(lk_password_prepare_for(&bench->store, alice, LK_TEXT("secret number 3"), NULL,
                                             0, &password, NULL),
                     0);
    set_policy(bench, "password_history=3");
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &password, 0), LK_E_BUSY);
    lk_abort(&bench->txn);
    bench_verify(bench);
    bench_close(bench);
}

static void test_password_history_moved_elsewhere_does_not_open(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_credential from, to;
    struct lk_verifier verifier;
    uint8_t history[LK_HISTORY_MAX], secret[300];

    (void)state;
    set_policy(bench, "password_history=3");
    want_taken(bench, alice, "secret number 1");
    want_taken(bench, alice, "secret number 2");
    want_taken(bench, bob, "secret number 7");
    want_taken(bench, bob, "secret number 8");
    bench_read(bench);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &from), 0);
    assert_int_equal(lk_history_get(&bench->store, &from, 1, &verifier), 0);
    assert_int_equal(lk_history_get(&bench->store, &from, 2, &verifier), LK_E_NOT_FOUND);
    memcpy(history, from.history.data, from.history.size);
    from.history.data = history;
    memcpy(secret, from.secret.data, from.secret.size);
    from.secret.data = secret;
    assert_int_equal(lk_credential_find(&bench->txn, bob, LK_CREDENTIAL_PASSWORD, &to), 0);
    to.history = from.history;
    assert_int_equal(lk_history_get(&bench->store, &to, 1, &verifier), LK_E_NOT_FOUND);
    /* Nor does a verifier open as a history, or the other way round. */
    from.secret = from.history;
    assert_int_equal(lk_history_get(&bench->store, &from, 0, &verifier), LK_E_CORRUPT);
    history[30] ^= 1;
    assert_int_equal(lk_history_get(&bench->store, &from, 1, &verifier), LK_E_NOT_FOUND);
    bench_close(bench);
}

/* ---- Least age ---- */

static void test_password_min_age(void **state)
{
    static const char rule[] =
        "cannot be changed yet: the old one is younger than the tenant's password_min_age";
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "secret number 1");
    struct lk_credential credential;

    (void)state;
    set_policy(bench, "password_min_age=3600");
    bench->actor.tenant = bench->tenant;
    bench->actor.user = alice.user;
    want_refused(bench, alice, "secret number 2", rule);
    lk_fake_advance(&bench->fake, 3600 * 1000 - 1);
    want_refused(bench, alice, "secret number 2", rule);
    lk_fake_advance(&bench->fake, 1);
    want_taken(bench, alice, "secret number 2");
    bench_read(bench);
    assert_int_equal(lk_credential_find(&bench->txn, alice, LK_CREDENTIAL_PASSWORD, &credential),
                     0);
    assert_true(credential.set_at == bench->txn.now_ms);
    want_refused(bench, alice, "secret number 3", rule);
    /* An administrator, whoever must change, and the system need not wait. */
    bench->actor.user = bench->admin.user;
    want_taken(bench, alice, "secret number 3");
    memset(&bench->actor, 0, sizeof(bench->actor));
    want_taken(bench, alice, "secret number 4");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "must_change_password=true", NULL), 0);
    bench_commit(bench);
    bench->actor.tenant = bench->tenant;
    bench->actor.user = alice.user;
    want_taken(bench, alice, "secret number 5");
    want_refused(bench, alice, "secret number 6", rule);
    set_policy(bench, "password_min_age=0");
    want_taken(bench, alice, "secret number 6");
    bench_verify(bench);
    bench_close(bench);
}

/* ---- Rehash ---- */

static unsigned rehashes(struct bench *bench)
{
    struct lk_audit_query query = {.tenant = bench->tenant, .action = LK_TEXT("login")};
    struct lk_audit_entry entry;
    unsigned count = 0;

    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        count += lk_span_equal(entry.description, LK_TEXT("logged in; password rehashed"));
    }
    lk_abort(&bench->txn);
    return count;
}

static void test_password_is_rehashed_once_when_parameters_rise(void **state)
{
    static const struct lk_pwhash_params steps[] = {
        {8, 1, 1}, {16, 1, 1}, {16, 2, 1}, {8, 2, 1}, {32, 1, 1}};
    static const bool rises[] = {false, true, true, false, true};
    struct bench *bench = bench_bare(4u << 20);
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result made;
    struct lk_login_result result;
    struct lk_credential credential;
    struct lk_login first, second;
    struct lk_login_request login = {.name = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    uint64_t set_at = 0;
    unsigned i, count = 0;

    (void)state;
    bench->config.pwhash = steps[0];
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->tenant = made.admin.tenant;
    set_policy(bench, "password_history=3");
    for (i = 0; i < LK_COUNT(steps); i++) {
        bench->config.pwhash = steps[i];
        bench_reopen(bench);
        lk_fake_advance(&bench->fake, 1000);
        assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
        assert_int_equal(result.rehashed, rises[i]);
        count += rises[i];
        assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
        assert_false(result.rehashed);
        assert_int_equal(rehashes(bench), count);
        bench_read(bench);
        assert_int_equal(
            lk_credential_find(&bench->txn, made.admin, LK_CREDENTIAL_PASSWORD, &credential), 0);
        /* It is the same password: not a day younger, and not among the earlier ones. */
        set_at = set_at ? set_at : credential.set_at;
        assert_true(set_at && credential.set_at == set_at);
        assert_int_equal(credential.history.size, 0);
        lk_abort(&bench->txn);
    }
    /* Two side by side: the one that comes second starts again, and finds nothing left to do. */
    bench->config.pwhash = (struct lk_pwhash_params){64, 3, 1};
    bench_reopen(bench);
    login.tenant = bench->tenant;
    assert_int_equal(lk_login_begin(&bench->store, &first, &login), 0);
    assert_int_equal(lk_login_begin(&bench->store, &second, &login), 0);
    while (lk_login_step(&first) > 0 || lk_login_step(&second) > 0) {
    }
    assert_int_equal(lk_login_finish(&first, &result), 0);
    assert_true(result.rehashed);
    assert_int_equal(lk_login_finish(&second, &result), LK_E_BUSY);
    assert_int_equal(lk_login(&bench->store, &login, &result, NULL), 0);
    assert_false(result.rehashed);
    assert_int_equal(rehashes(bench), count + 1);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s05_password_boundaries),
        cmocka_unit_test(test_s05_common_passwords_are_refused),
        cmocka_unit_test(test_s05_own_names_are_refused),
        cmocka_unit_test(test_s05_first_password_obeys_the_rules),
        cmocka_unit_test(test_password_history_is_kept_as_long_as_said),
        cmocka_unit_test(test_password_history_holds_in_a_login),
        cmocka_unit_test(test_password_history_holds_foreign_hashes),
        cmocka_unit_test(test_password_history_sees_what_happened_between),
        cmocka_unit_test(test_password_history_moved_elsewhere_does_not_open),
        cmocka_unit_test(test_password_min_age),
        cmocka_unit_test(test_password_is_rehashed_once_when_parameters_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
