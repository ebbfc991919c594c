// SPDX-License-Identifier: MIT
/* Rights at the console of a device: a second person, a newer login, what is one's own. */
#include "cli_help.h"

static void user(struct cli_bench *bench, const char *name, const char *role)
{
    char line[128];

    (void)snprintf(line, sizeof(line), "user add %s --password-stdin", name);
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, line);
    (void)snprintf(line, sizeof(line), "role grant %s %s", name, role);
    (void)cli_ok(bench, line);
}

static void test_console_second_person(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "bob", "admin");
    user(bench, "vera", "viewer");
    (void)cli_ok(bench, "permission set user:write approval=yes");
    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser list\r"
                    "user add carol\rbob\r" CLI_PASSWORD "\r" /* done */
                    "user add dora\rbob\rwrong password\r"
                    "user add emil\radmin\r" CLI_PASSWORD "\r"
                    "user add fred\rvera\r" CLI_PASSWORD "\r"
                    "user add gerd\r\r"
                    "user add hans\r\x03"
                    "user show carol\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench,
              "a second person must approve this\napprover: bob\npassword: \nuser carol is #4\n");
    cli_shows(bench, "error 1: user add: approval refused\n");
    cli_shows(bench, "error 1: user add: approver: is the one who asks\n");
    cli_shows(bench, "error 1: user add: approver: does not hold the permission\n");
    cli_shows(bench, "error 1: user add: nobody approved\n");
    cli_shows(bench, "username:             carol\n");
    cli_hides(bench, CLI_PASSWORD);
    cli_fails(bench, 3, "user show dora", "does not exist");
    cli_fails(bench, 3, "user show emil", "does not exist");
    cli_fails(bench, 3, "user show fred", "does not exist");
    (void)cli_ok(bench, "audit list --json --action user.add --user admin");
    assert_true(cli_has(&bench->out, "approved by user 2"));
    assert_true(cli_has(&bench->out, "\"approver\":2"));
    (void)cli_ok(bench, "audit list --action approve --user bob");
    assert_true(cli_has(&bench->err, "1 shown"));
    (void)cli_ok(bench, "session list bob");
    assert_true(cli_has(&bench->err, "0 shown"));
    /* Whoever has the files needs nobody: there is no second person there to ask. */
    (void)cli_ok(bench, "user add ines");
}

/* The word is for one command, and for what it was given for. */
static void test_console_second_person_once(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "bob", "admin");
    (void)cli_ok(bench, "permission set user:write approval=yes");
    (void)cli_ok(bench, "permission set permission:write approval=yes");
    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser add carol\rbob\r" CLI_PASSWORD "\r"
                    "user add dora\r\r"
                    "permission set user:write approval=no\r\r"
                    "role forbid operator user:write\r"
                    "permission set user:write approval=no\rbob\r" CLI_PASSWORD "\r"
                    "user add emil\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "user carol is #3\n");
    cli_shows(bench, "error 1: user add: nobody approved\n");
    cli_shows(bench, "error 1: permission set: nobody approved\n");
    cli_shows(bench, "user emil is #4\n");
}

/* Who changed the approver within a day has nobody's word but their own. */
static void test_console_second_person_of_ones_making(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "bob", "admin");
    (void)cli_ok(bench, "permission set tenant:write approval=yes");
    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser passwd bob\rbobs new secret\rbobs new secret\r"
                    "tenant set main session_idle=60\rbob\rbobs new secret\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench,
              "error 1: tenant set: approver: was changed by the one who asks within the last "
              "day\n");
}

static void test_console_newer_login(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "permission set user:write login_age=60");
    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser add a\r");
    assert_int_equal(lk_fake_pause(&bench->fake, 61000), 0);
    cli_type(bench, "user list\ruser add b\rwrong password\ruser add c\r" CLI_PASSWORD
                    "\ruser add d\rsession list admin\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "user a is #2\n");
    cli_shows(bench, "this needs a newer login: log in again, admin\npassword: \n"
                     "error 1: user add: login refused\n");
    cli_shows(bench, "password: \nuser c is #3\n");
    cli_shows(bench, "admin@main> user add d\nuser d is #4\n");
    cli_shows(bench, "1 shown");
    cli_hides(bench, "user b is");
    (void)cli_ok(bench, "session list");
    assert_true(cli_has(&bench->err, "0 shown"));
    (void)cli_ok(bench, "verify");
}

/* First the newer login, then the second person, for one command. */
static void test_console_both(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "bob", "admin");
    (void)cli_ok(bench, "permission set user:write login_age=60 approval=yes");
    cli_type(bench, "admin\r" CLI_PASSWORD "\r");
    assert_int_equal(lk_fake_pause(&bench->fake, 61000), 0);
    cli_type(bench, "user add carol\r" CLI_PASSWORD "\rbob\r" CLI_PASSWORD "\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "user carol is #3\n");
}

static void test_console_owner_only(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "permission add own-user resource=user action=read owner_only=yes");
    (void)cli_ok(bench, "permission add own-key resource=credential action=write owner_only=yes "
                        "channels=console");
    (void)cli_ok(bench, "role add self permissions=own-user,own-key");
    user(bench, "vera", "self");
    cli_type(bench, "vera\r" CLI_PASSWORD "\ruser show vera\ruser show #2\ruser show admin\r"
                    "user show nobody\ruser list\rcredential add api-key vera\r"
                    "credential add api-key admin\ruser passwd admin\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "username:             vera\n");
    cli_shows(bench, "error 1: user show: needs the permission user:read\n");
    cli_shows(bench, "error 1: user list: needs the permission user:read\n");
    cli_shows(bench, "lka_");
    cli_shows(bench, "error 1: credential add: needs the permission credential:write\n");
    cli_shows(bench, "error 1: user passwd: needs the permission credential:write\n");
    cli_hides(bench, "username:             admin");
    cli_hides(bench, "does not exist");
}

/* What a console's person does not hold, a console's person does not give. */
static void test_console_no_escalation(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "olga", "operator");
    user(bench, "plain", "viewer");
    (void)cli_ok(bench, "role revoke plain viewer");
    (void)cli_ok(bench, "role permit operator role:write permission:write");
    cli_type(bench, "olga\r" CLI_PASSWORD "\rrole grant olga admin\rrole permit operator all\r"
                    "role set viewer parent=admin\rpermission set user:read resource=* action=*\r"
                    "user passwd admin\rnew secret here\rnew secret here\r"
                    "user suspend admin\rcredential add api-key admin\ruser unlock admin\r"
                    "user passwd plain\rnew secret here\rnew secret here\r"
                    "user suspend plain\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "error 1: role grant: role: would give what you do not hold yourself\n");
    cli_shows(bench,
              "error 1: role permit: permissions: would give what you do not hold yourself\n");
    cli_shows(bench, "error 1: role set: parent: would give what you do not hold yourself\n");
    cli_shows(bench,
              "error 1: permission set: resource: would give what you do not hold yourself\n");
    cli_shows(bench, "error 1: user passwd: user: holds more than you do\n");
    cli_shows(bench, "error 1: user suspend: user: holds more than you do\n");
    cli_shows(bench, "error 1: credential add: user: holds more than you do\n");
    cli_shows(bench, "error 1: user unlock: user: holds more than you do\n");
    (void)cli_ok(bench, "user show plain");
    assert_true(cli_has(&bench->out, "suspended"));
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, "login admin --password-stdin");
}

/* ---- permission check, why, diff ---- */

static void test_rights_questions(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "vera", "viewer");
    (void)cli_ok(bench, "tenant set main time_zone=+02:00");
    (void)cli_ok(bench, "permission add door:open sources=\"10.0.0.0/8 2001:db8::/32\" "
                        "window=\"mon-fri 08:00-18:00\" channels=http");
    (void)cli_ok(bench, "role add porter permissions=door:open");
    (void)cli_ok(bench, "role add chief parent=porter");
    (void)cli_ok(bench, "role grant vera chief");
    assert_int_equal(cli_run(bench, "permission check vera door:open"), 1);
    (void)cli_ok(bench, "permission check vera door:open --channel http --ip 10.1.2.3 "
                        "--at 2026-11-20T06:00:00Z");
    assert_int_equal(cli_run(bench, "permission check vera door:open --channel http "
                                    "--ip 10.1.2.3 --at 2026-11-20T05:59:59Z"),
                     1);
    assert_int_equal(cli_run(bench, "permission why vera door:open --channel mqtt --ip 192.0.2.1 "
                                    "--at 2026-11-20T06:00:00Z"),
                     1);
    assert_true(cli_has(&bench->out, "refused, as a condition does not hold: vera\n"
                                     "  has the role chief\n  which inherits from porter\n"
                                     "  which has the permission door:open\n"
                                     "  whose condition does not hold: channels http\n"
                                     "  whose condition does not hold: sources 10.0.0.0/8 "
                                     "2001:db8::/32\n"));
    assert_false(cli_has(&bench->out, "window"));
    assert_int_equal(cli_run(bench, "permission why vera door:open --json"), 1);
    assert_true(cli_has(&bench->out, "\"allowed\":false,\"decision\":\"condition\""));
    assert_true(cli_has(&bench->out, "\"through\":[\"porter\"]"));
    assert_true(cli_has(&bench->out, "\"failed\":[\"channels\",\"sources\",\"window\"]"));
    cli_fails(bench, 2, "permission check vera door:open --channel fax", "is none of console");
    cli_fails(bench, 2, "permission check vera door:open --ip 10.1", "is not an IPv4");
    cli_fails(bench, 3, "permission check vera door:open --owner nobody", "does not exist");
    cli_fails(bench, 2, "permission check vera door:open --at noon", "is not a time");
    cli_fails(bench, 4, "permission set door:open sources=10.0.0.1/8",
              "sources: \"10.0.0.1/8\" holds an address with bits set behind its prefix");
    cli_fails(bench, 4, "permission set door:open channels=phone", "names something else than");
    cli_fails(bench, 4, "permission set door:open window=always", "is not of the form mon-fri");
    /* Who denies, and what is demanded. */
    (void)cli_ok(bench, "permission add shut resource=door action=* deny=yes");
    (void)cli_ok(bench, "role permit chief shut");
    assert_int_equal(cli_run(bench, "permission why vera door:open"), 1);
    assert_true(cli_has(&bench->out, "refused, by a permission that denies: vera\n"
                                     "  has the role chief\n  which has the permission shut\n"));
    (void)cli_ok(bench, "permission set user:read login_age=60");
    assert_int_equal(cli_run(bench, "permission why vera user:read"), 1);
    assert_true(cli_has(&bench->out, "refused until vera logs in again\n"));
    assert_true(cli_has(&bench->out, "and more is demanded by the permission user:read\n"));
    (void)cli_ok(bench, "user suspend vera");
    assert_int_equal(cli_run(bench, "permission why vera user:read"), 1);
    assert_true(cli_has(&bench->out, "refused: vera is not active\n"));
}

static void test_rights_of_a_token(void **state)
{
    struct cli_bench *bench = *state;
    char token[128], line[256];

    user(bench, "vera", "viewer");
    (void)cli_ok(bench, "permission add own resource=door action=open owner_only=yes "
                        "sources=10.0.0.0/8");
    (void)cli_ok(bench, "role permit viewer own");
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, "login vera --password-stdin");
    cli_first_line(&bench->out, token, sizeof(token));
    (void)snprintf(line, sizeof(line), "session check %s --permission door:open", token);
    assert_int_equal(cli_run(bench, line), 1);
    (void)snprintf(line, sizeof(line),
                   "session check %s --permission door:open --owner vera --ip 10.9.9.9", token);
    (void)cli_ok(bench, line);
    (void)snprintf(line, sizeof(line),
                   "session check %s --permission door:open --owner admin --ip 10.9.9.9", token);
    assert_int_equal(cli_run(bench, line), 1);
    (void)snprintf(line, sizeof(line),
                   "session check %s --permission door:open --owner vera --ip 11.9.9.9", token);
    assert_int_equal(cli_run(bench, line), 1);
    (void)cli_ok(bench, "permission add newer resource=door action=* login_age=0");
    (void)cli_ok(bench, "permission set read-all login_age=5");
    lk_fake_advance(&bench->fake, 6000);
    (void)snprintf(line, sizeof(line), "session check %s --permission user:read", token);
    cli_fails(bench, 1, line, "the login is too old for this: log in again");
}

static void test_rights_diff(void **state)
{
    struct cli_bench *bench = *state;
    char line[256], next[128];
    unsigned i;

    for (i = 0; i < 20; i++) {
        (void)snprintf(line, sizeof(line), "user add u%02u", i);
        (void)cli_ok(bench, line);
        (void)snprintf(line, sizeof(line), "role grant u%02u %s", i, i % 2 ? "operator" : "viewer");
        (void)cli_ok(bench, line);
    }
    (void)cli_ok(bench, "permission diff forbid operator user:write");
    assert_true(cli_has(&bench->out, "loses user:write  u01\n"));
    assert_true(cli_has(&bench->out, "loses user:write  u19\n"));
    assert_false(cli_has(&bench->out, "u00"));
    assert_true(cli_has(&bench->err, "10 shown"));
    (void)cli_ok(bench, "permission check u01 user:write"); /* nothing was done */
    /* By pages, and with more users than are tried at a time. */
    (void)cli_ok(bench, "permission diff forbid operator user:write --limit 3 --json");
    assert_true(cli_has(&bench->out, "{\"permission\":\"user:write\",\"before\":\"full\","
                                     "\"after\":\"none\",\"user\":\"u01\"}\n"));
    assert_true(cli_has(&bench->out, "\"user\":\"u05\""));
    assert_false(cli_has(&bench->out, "u07"));
    {
        const char *at = strstr(bench->out.data, "\"next\":\"");

        assert_non_null(at);
        (void)snprintf(next, sizeof(next), "%.*s", (int)strcspn(at + 8, "\""), at + 8);
    }
    (void)snprintf(line, sizeof(line),
                   "permission diff forbid operator user:write --limit 3 --after %s", next);
    (void)cli_ok(bench, line);
    assert_true(cli_has(&bench->out, "loses user:write  u07\n"));
    assert_true(cli_has(&bench->out, "loses user:write  u11\n"));
    assert_false(cli_has(&bench->out, "u05"));
    assert_false(cli_has(&bench->out, "u13"));
    (void)cli_ok(bench, "permission diff role permit viewer user:write");
    assert_true(cli_has(&bench->out, "gains user:write  u00\n"));
    (void)cli_ok(bench, "permission diff set operator parent=viewer");
    assert_true(cli_has(&bench->out, "gains *:read  u01\n"));
    (void)cli_ok(bench, "permission diff set operator is_active=no");
    assert_true(cli_has(&bench->out, "loses user:read  u01\n"));
    (void)cli_ok(bench, "permission diff remove viewer");
    assert_true(cli_has(&bench->out, "loses *:read  u00\n"));
    (void)cli_ok(bench, "permission diff grant u00 operator --until 1h");
    assert_true(cli_has(&bench->out, "gains user:write  u00\n"));
    assert_false(cli_has(&bench->out, "gains user:read"));
    (void)cli_ok(bench, "permission diff revoke u00 viewer");
    assert_true(cli_has(&bench->out, "loses user:read  u00\n"));
    (void)cli_ok(bench, "permission diff set operator description=x");
    assert_true(cli_has(&bench->out, "nobody gains or loses anything\n"));
    (void)cli_ok(bench, "role remove viewer");
    (void)cli_ok(bench, "permission diff restore viewer");
    assert_true(cli_has(&bench->out, "gains *:read  u00\n"));
    /* Through a parent; under conditions; by a denial. */
    (void)cli_ok(bench, "role add chief parent=operator");
    (void)cli_ok(bench, "role grant u00 chief");
    (void)cli_ok(bench, "permission diff forbid operator user:write");
    assert_true(cli_has(&bench->out, "loses user:write  u00\n"));
    (void)cli_ok(bench, "permission add night resource=door action=open window=mon");
    (void)cli_ok(bench, "permission diff permit chief night");
    assert_true(cli_has(&bench->out, "gains, under conditions, door:open  u00\n"));
    (void)cli_ok(bench, "permission add never resource=user action=* deny=yes");
    (void)cli_ok(bench, "permission diff permit chief never");
    assert_true(cli_has(&bench->out, "loses user:read  u00\n"));
    assert_true(cli_has(&bench->out, "loses user:write  u00\n"));
    assert_false(cli_has(&bench->out, "loses session:read"));
    /* What the change itself is refused for is told. */
    cli_fails(bench, 4, "permission diff revoke admin admin", "without an administrator");
    cli_fails(bench, 3, "permission diff permit nobody all", "does not exist");
    cli_fails(bench, 3, "permission diff revoke u00 admin", "is not granted to this user");
    cli_fails(bench, 2, "permission diff rename x", "is none of set, permit");
    cli_fails(bench, 2, "permission diff permit chief", "needs more words");
    cli_fails(bench, 2, "permission diff grant u00 chief more", "is one word too many");
    cli_fails(bench, 2, "permission diff forbid operator user:write --after !", "is not a cursor");
    cli_fails(bench, 2, "permission diff set chief", "say what to set");
    (void)cli_ok(bench, "verify");
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_setup_teardown(test, cli_setup, cli_teardown)
    const struct CMUnitTest tests[] = {
        BENCH(test_console_second_person),
        BENCH(test_console_second_person_once),
        BENCH(test_console_second_person_of_ones_making),
        BENCH(test_console_newer_login),
        BENCH(test_console_both),
        BENCH(test_console_owner_only),
        BENCH(test_console_no_escalation),
        BENCH(test_rights_questions),
        BENCH(test_rights_of_a_token),
        BENCH(test_rights_diff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
