// SPDX-License-Identifier: MIT
/* A person at the console of a device. */
#include "cli_help.h"

static void user(struct cli_bench *bench, const char *name, const char *role, const char *tenant)
{
    char line[128];

    (void)snprintf(line, sizeof(line), "--tenant %s user add %s --password-stdin", tenant, name);
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, line);
    (void)snprintf(line, sizeof(line), "--tenant %s role grant %s %s", tenant, name, role);
    (void)cli_ok(bench, line);
}

static void test_console_session(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser add carol email=c@x.org\r"
                    "user passwd carol\rcarols secret\rcarols secret\r\x1b[A\x03user show carol\r"
                    "user show nobody\rbogus\ruser 'x\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "latchkey login: admin\npassword: \nadmin@main> ");
    cli_shows(bench, "user carol is #2\n");
    cli_shows(bench, "new password: \nagain: \nadmin@main> user passwd carol");
    cli_shows(bench, "created_by:           admin\n");
    cli_shows(bench, "error 3: user show: user: \"nobody\" does not exist\n");
    cli_shows(bench, "error 2: \"bogus\" is not a command\n");
    cli_shows(bench, "error 2: a quote is not closed\n");
    cli_hides(bench, "secret");
    cli_hides(bench, CLI_PASSWORD);
    (void)cli_ok(bench, "session list admin");
    assert_true(cli_has(&bench->err, "0 shown"));
    (void)cli_ok(bench, "audit list --json --action user.add --user admin");
    assert_true(cli_has(&bench->out, "\"channel\":\"console\""));
    (void)cli_ok(bench, "audit list --json --action logout");
    assert_true(cli_has(&bench->out, "\"actor\":\"admin\""));
    bench->input = "carols secret\n";
    assert_int_equal(cli_run(bench, "login carol --password-stdin"), 0);
}

/* Wrong, unknown and locked names: nothing but the refusal; and nothing can be done before. */
static void test_console_refuses(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\rwrong password\rnobody\r" CLI_PASSWORD "\ruser list\rx\r"
                    "help\r\rno/where\r" CLI_PASSWORD "\r\x04");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_hides(bench, "> ");
    cli_hides(bench, "commands");
    cli_shows(bench, "password: \nlogin refused\nlatchkey login: nobody\npassword: \n"
                     "login refused\n");
}

static void test_console_locked(void **state)
{
    struct cli_bench *bench = *state;
    size_t i;

    for (i = 0; i < 6; i++) {
        cli_type(bench, "admin\rwrong password\r");
    }
    (void)cli_console(bench);
    cli_shows(bench, "error 6: login: ");
    cli_shows(bench, "try again in 1 second\n");
}

static void test_console_idle_logs_out(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser li");
    assert_int_equal(lk_fake_pause(&bench->fake, 601000), 0);
    cli_type(bench, "st\r");
    (void)cli_console(bench);
    cli_shows(bench, "logged out: nothing was typed for too long\n");
    cli_hides(bench, "USERNAME");
    (void)cli_ok(bench, "session list");
    assert_true(cli_has(&bench->err, "0 shown"));
}

static void test_console_idle_at_a_question(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser passwd admin\r");
    assert_int_equal(lk_fake_pause(&bench->fake, 601000), 0);
    cli_type(bench, "another password\r");
    (void)cli_console(bench);
    cli_shows(bench, "logged out");
    bench->input = CLI_PASSWORD "\n";
    assert_int_equal(cli_run(bench, "login admin --password-stdin"), 0);
}

static void test_console_hang_up_ends_the_session(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser list\rus");
    (void)cli_console(bench);
    cli_shows(bench, "USERNAME");
    (void)cli_ok(bench, "session list");
    assert_true(cli_has(&bench->err, "0 shown"));
}

static void test_console_checks_permissions(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "vera", "viewer", "main");
    cli_type(bench,
             "vera\r" CLI_PASSWORD "\ruser list\ruser add x\raudit list\ruser passwd vera\r"
             "role grant vera admin\rtenant set main session_idle=1\rmaintain\rdescribe user\r"
             "login vera\rimport x\rexport\rconsole\rinit\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "vera@main> ");
    cli_shows(bench, "USERNAME");
    cli_shows(bench, "error 1: user add: needs the permission user:write\n");
    cli_shows(bench, "error 1: user passwd: needs the permission credential:write\n");
    cli_shows(bench, "error 1: role grant: needs the permission role:write\n");
    cli_shows(bench, "error 1: tenant set: needs the permission tenant:write\n");
    cli_shows(bench, "error 1: maintain: needs the permission store:write\n");
    cli_shows(bench, "login name, unique in the tenant");
    cli_shows(bench, "error 2: \"login\" is not a command");
    cli_shows(bench, "error 2: \"import\" is not a command");
    cli_shows(bench, "error 2: \"export\" is not a command");
    cli_shows(bench, "error 2: \"console\" is not a command");
    cli_shows(bench, "error 2: \"init\" is not a command");
    (void)cli_ok(bench, "audit list --action command.refused --wide");
    assert_true(cli_has(&bench->out, "needs the permission user:write"));
    assert_true(cli_has(&bench->out, "needs the permission credential:write"));
    assert_true(cli_has(&bench->out, "needs the permission store:write"));
    assert_true(cli_has(&bench->out, "vera"));
}

/* Eight at once: whoever is logged in cannot wear the medium out, nor fill the ring. */
static void test_console_audits_few_refusals(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "vera", "viewer", "main");
    cli_type(bench,
             "vera\r" CLI_PASSWORD "\ruser add a\ruser add b\ruser add c\ruser add d\r"
             "user add e\ruser add f\ruser add g\rmaintain\rrole add h\ruser add i\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 1: role add: needs the permission role:write\n");
    (void)cli_ok(bench, "audit list --all --action command.refused --json");
    assert_true(cli_has(&bench->out, "user:write"));
    assert_true(cli_has(&bench->out, "\"repeats\":6"));
    assert_true(cli_has(&bench->out, "store:write"));
    assert_false(cli_has(&bench->out, "role:write"));
}

/* Nothing of another tenant, whatever one may do in one's own. */
static void test_console_keeps_tenants_apart(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "tenant add other");
    user(bench, "zoe", "admin", "other");
    cli_type(bench, "other/zoe\r" CLI_PASSWORD "\ruser list\ruser show admin\ruser show #99\r"
                    "--tenant main user list\rtenant show\rtenant show main\rtenant show #1\r"
                    "tenant set main session_idle=1\rtenant list\rtenant suspend main\r"
                    "tenant add third\rverify\rstats\rmaintain\rcompact\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "zoe@other> ");
    cli_shows(bench, "1 shown");
    cli_shows(bench, "error 3: user show: user: \"admin\" does not exist\n");
    cli_shows(bench, "error 3: user list: tenant: \"main\" does not exist\n");
    cli_shows(bench, "error 3: tenant show: tenant: \"main\" does not exist\n");
    cli_shows(bench, "error 3: tenant show: tenant: \"#1\" does not exist\n");
    cli_shows(bench, "error 3: tenant set: tenant: \"main\" does not exist\n");
    cli_shows(bench, "error 1: tenant list: is about the whole store");
    cli_shows(bench, "error 1: tenant suspend: is about the whole store");
    cli_shows(bench, "error 1: tenant add: is about the whole store");
    cli_shows(bench, "error 1: verify: is about the whole store");
    cli_shows(bench, "error 1: stats: is about the whole store");
    cli_shows(bench, "error 1: maintain: is about the whole store");
    cli_shows(bench, "error 1: compact: is about the whole store");
}

/* A removed tenant is to another's people what a tenant is that never was; also one of a name that
 * several had. */
static void test_console_keeps_removed_tenants_apart(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "tenant add second");
    user(bench, "vic", "viewer", "second");
    (void)cli_ok(bench, "tenant add third display_name=Hidden");
    (void)cli_ok(bench, "tenant remove third");
    (void)cli_ok(bench, "tenant add twice");
    (void)cli_ok(bench, "tenant remove twice");
    (void)cli_ok(bench, "tenant add twice");
    (void)cli_ok(bench, "tenant remove twice");
    cli_type(bench, "second/vic\r" CLI_PASSWORD "\rtenant show third --deleted\r"
                    "tenant show '#3' --deleted\rtenant show twice --deleted\r"
                    "tenant show never --deleted\rtenant show '#99' --deleted\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 3: tenant show: tenant: \"third\" is not among the removed\n");
    cli_shows(bench, "error 3: tenant show: tenant: \"#3\" is not among the removed\n");
    cli_shows(bench, "error 3: tenant show: tenant: \"twice\" is not among the removed\n");
    cli_shows(bench, "error 3: tenant show: tenant: \"never\" is not among the removed\n");
    cli_shows(bench, "error 3: tenant show: tenant: \"#99\" is not among the removed\n");
    cli_hides(bench, "Hidden");
    lk_fake_output_clear(&bench->fake);
    cli_type(bench, "admin\r" CLI_PASSWORD "\rtenant show third --deleted\r"
                    "tenant show twice --deleted\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "Hidden");
    cli_shows(bench, "error 4: tenant show: tenant: \"twice\" was removed more than once");
}

/* The first tenant's people own the device: they manage tenants, and see into none but theirs. */
static void test_console_first_tenant_owns_the_store(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "tenant add other");
    cli_type(bench, "admin\r" CLI_PASSWORD "\rtenant list\rtenant suspend other\r"
                    "--tenant other user list\rverify\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "2 shown");
    cli_shows(bench, "error 3: user list: tenant: \"other\" does not exist\n");
    cli_shows(bench, "all in order");
    (void)cli_ok(bench, "tenant show other");
    assert_true(cli_has(&bench->out, "suspended"));
}

/* A right that is taken away while its owner sits at a password prompt is gone. */
static void test_console_session_that_ended(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "otto", "admin", "main");
    cli_type(bench, "otto\r" CLI_PASSWORD "\ruser suspend otto\ruser list\rlogout\r\x04");
    (void)cli_console(bench);
    cli_shows(bench, "error 1: user list: the session is over\n");
    cli_hides(bench, "USERNAME");
}

static void test_console_new_password(void **state)
{
    struct cli_bench *bench = *state;

    user(bench, "nina", "viewer", "main");
    (void)cli_ok(bench, "user set nina must_change_password=true");
    cli_type(bench, "nina\r" CLI_PASSWORD "\rshort\rshort\rone of them\rthe other\r"
                    "a good password\ra good password\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "a new password must be set\nnew password: \nagain: \nthe new password ");
    cli_shows(bench, "the two are not the same\nnew password: \nagain: \nnina@main> ");
    bench->input = "a good password\n";
    assert_int_equal(cli_run(bench, "login nina --password-stdin"), 0);
    bench->input = CLI_PASSWORD "\n";
    assert_int_equal(cli_run(bench, "login nina --password-stdin"), 1);
}

/* One's own password: the session that changed it goes on, the others end. */
static void test_console_own_password(void **state)
{
    struct cli_bench *bench = *state;

    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, "login admin --password-stdin");
    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser passwd admin\ranother one\ranother one\r"
                    "session list admin\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "1 shown\nadmin@main> logout");
    bench->input = "another one\n";
    (void)cli_ok(bench, "login admin --password-stdin");
}

static void test_console_completes(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench,
             "admin\r" CLI_PASSWORD "\rus\tl\t\ruser s\t\t\x15user add x em\tx@y.org\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "admin@main> user list \n");
    cli_shows(bench, "show  set  suspend\nadmin@main> user s");
    cli_shows(bench, "user add x email=x@y.org\n");
    cli_shows(bench, "user x is #2\n");
}

static void test_console_history_is_forgotten(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser list email=private@x.org\rlogout\r");
    (void)cli_console(bench);
    lk_fake_output_clear(&bench->fake);
    cli_type(bench, "admin\r" CLI_PASSWORD "\r\x1b[A\r\x1b[A\rlogout\r");
    (void)cli_console(bench);
    cli_hides(bench, "private");
    assert_int_equal(bench->history[0], 0);
}

static void type_many(struct cli_bench *bench, char byte, size_t count)
{
    uint8_t bytes[64];

    memset(bytes, byte, sizeof(bytes));
    while (count) {
        size_t size = count < sizeof(bytes) ? count : sizeof(bytes);

        assert_int_equal(lk_fake_type_bytes(&bench->fake, bytes, size), 0);
        count -= size;
    }
}

/* A line that found no room is another than was typed: it is neither done nor kept. */
static void test_console_refuses_a_line_too_long(void **state)
{
    struct cli_bench *bench = *state;

    cli_type(bench, "admin\r" CLI_PASSWORD "\ruser add whole\ruser remove whole");
    type_many(bench, ' ', sizeof(bench->line));
    cli_type(bench, "--no-such-option\r\x1b[A\x03user show whole\rlogout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "error 2: the line is too long\nadmin@main> user add whole");
    cli_shows(bench, "username:             whole\n");
}

/* The same for a name, whether or not the line holds it. */
static void test_console_refuses_a_name_too_long(void **state)
{
    struct cli_bench *bench = *state;
    static const size_t sizes[] = {256, sizeof(bench->line) + 1};
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        lk_fake_output_clear(&bench->fake);
        type_many(bench, 'a', sizes[i]);
        cli_type(bench, "\r\x04");
        (void)cli_console(bench);
        cli_shows(bench, "error 2: the line is too long\nlatchkey login: ");
        cli_hides(bench, "password");
    }
}

static void test_console_confirms(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "user add temp");
    cli_type(bench,
             "admin\r" CLI_PASSWORD "\ruser purge temp\rn\ruser show temp\ruser purge temp\ry\r"
             "user show temp\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 1: user purge: not confirmed\n");
    cli_shows(bench, "username:             temp\n");
    cli_shows(bench, "error 3: user show: user: \"temp\" does not exist\n");
}

/* Noise on the line: no crash, no session, and the store stays whole. */
static void test_s14_console_noise(void **state)
{
    struct cli_bench *bench = *state;
    uint32_t seed = 11;
    size_t i;

    for (i = 0; i < 7000; i++) {
        uint8_t byte;

        seed = seed * 1664525 + 1013904223;
        byte = (uint8_t)(seed >> 24);
        assert_int_equal(lk_fake_type_bytes(&bench->fake, &byte, 1), 0);
    }
    (void)cli_console(bench);
    (void)cli_ok(bench, "verify");
    (void)cli_ok(bench, "session list");
    assert_true(cli_has(&bench->err, "0 shown"));
}

/* What the store itself did is no tenant's, and told to those who own it. */
static void test_console_audit_of_the_store(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "tenant add other");
    (void)cli_ok(bench, "tenant add brief");
    (void)cli_ok(bench, "tenant purge brief");
    user(bench, "zoe", "admin", "other");
    (void)cli_ok(bench, "audit list --store");
    assert_true(cli_has(&bench->out, "tenant.purge"));
    (void)cli_ok(bench, "audit export --store --action tenant.purge");
    assert_true(cli_has(&bench->out, "\"resource_id\":\"3\""));
    assert_true(cli_has(&bench->err, "1 entries\n"));
    (void)cli_ok(bench, "--tenant main audit list");
    assert_false(cli_has(&bench->out, "tenant.purge"));
    cli_fails(bench, 2, "--tenant main audit list --store", "not with --store");
    cli_fails(bench, 2, "audit list --store --user admin", "not with --store");
    (void)cli_ok(bench, "help audit list");
    assert_true(cli_has(&bench->out, "--store"));
    cli_type(bench,
             "other/zoe\r" CLI_PASSWORD "\raudit list --store\raudit export --store\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 1: audit list: is about the whole store");
    cli_shows(bench, "error 1: audit export: is about the whole store");
    cli_hides(bench, "tenant.purge");
    cli_type(bench, "admin\r" CLI_PASSWORD "\raudit list --store\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "tenant.purge");
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_setup_teardown(test, cli_setup, cli_teardown)
    const struct CMUnitTest tests[] = {
        BENCH(test_console_session),
        BENCH(test_console_refuses),
        BENCH(test_console_locked),
        BENCH(test_console_idle_logs_out),
        BENCH(test_console_idle_at_a_question),
        BENCH(test_console_hang_up_ends_the_session),
        BENCH(test_console_checks_permissions),
        BENCH(test_console_audits_few_refusals),
        BENCH(test_console_keeps_tenants_apart),
        BENCH(test_console_keeps_removed_tenants_apart),
        BENCH(test_console_first_tenant_owns_the_store),
        BENCH(test_console_audit_of_the_store),
        BENCH(test_console_session_that_ended),
        BENCH(test_console_new_password),
        BENCH(test_console_own_password),
        BENCH(test_console_completes),
        BENCH(test_console_history_is_forgotten),
        BENCH(test_console_refuses_a_line_too_long),
        BENCH(test_console_refuses_a_name_too_long),
        BENCH(test_console_confirms),
        BENCH(test_s14_console_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
