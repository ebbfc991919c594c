// SPDX-License-Identifier: MIT
/* Devices, ends of sessions and the clock, as typed: at a program and at a device's console. */
#include "cli_help.h"

#define START "2026-01-01T00:00:00Z"
#define YEAR  (365 * (uint64_t)86400000)

/* The token on standard output; what else was said stays in bench->err. */
static void log_in(struct cli_bench *bench, const char *options, char token[LK_TOKEN_SIZE])
{
    char line[256];

    (void)snprintf(line, sizeof(line), "login admin --password-stdin %s", options);
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, line);
    cli_first_line(&bench->out, token, LK_TOKEN_SIZE);
}

static int check(struct cli_bench *bench, const char *token)
{
    char line[128];

    (void)snprintf(line, sizeof(line), "--quiet session check %s --no-touch", token);
    return cli_run(bench, line);
}

static void test_cli_devices(void **state)
{
    struct cli_bench *bench = *state;
    char token[LK_TOKEN_SIZE], cookie[LK_TOKEN_SIZE], line[160];

    log_in(bench, "--remember 'my laptop'", token);
    assert_int_equal(strncmp(token, "lks_", 4), 0);
    cli_first_line(&bench->err, cookie, sizeof(cookie));
    assert_int_equal(strncmp(cookie, "lkd_", 4), 0);
    (void)cli_ok(bench, "device list admin");
    assert_true(cli_has(&bench->out, "my laptop"));
    assert_false(cli_has(&bench->out, "lkd_"));
    (void)snprintf(line, sizeof(line), "--device %s", cookie);
    log_in(bench, line, token);
    assert_int_equal(bench->err.size, 0);
    (void)cli_ok(bench, "session list --columns id,device");
    assert_true(cli_has(&bench->out, "1.2  1"));
    log_in(bench, "", token);
    (void)cli_ok(bench, "audit list --action login --json --limit 1");
    assert_true(cli_has(&bench->out, "new-device"));
    /* In JSON the cookie is a member, and nothing goes beside it. */
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, "--json login admin --password-stdin --remember second");
    assert_true(cli_has(&bench->out, "\"device_cookie\":\"lkd_"));
    assert_int_equal(bench->err.size, 0);
    (void)cli_ok(bench, "device name admin 1 'kitchen tablet'");
    (void)cli_ok(bench, "device trust admin #1");
    (void)cli_ok(bench, "device list name='kitchen tablet' trusted=true --json");
    assert_true(cli_has(&bench->out, "\"trusted\":true"));
    assert_false(cli_has(&bench->out, "cookie_hash"));
    (void)cli_ok(bench, "device trust admin 1 --off");
    (void)cli_ok(bench, "device list trusted=true");
    assert_true(cli_has(&bench->err, "0 shown"));
    (void)cli_ok(bench, "audit list --json --action device.name");
    assert_true(cli_has(&bench->out, "device.name"));
    (void)snprintf(line, sizeof(line), "--device %s", cookie);
    log_in(bench, line, token);
    assert_int_equal(check(bench, token), 0);
    (void)cli_ok(bench, "device forget admin 1");
    assert_int_equal(check(bench, token), 1);
    log_in(bench, line, token); /* its cookie keeps nobody out */
    cli_fails(bench, 3, "device forget admin 1", "device: \"1\" is no device of this user");
    cli_fails(bench, 3, "device trust admin 77", "is no device of this user");
    cli_fails(bench, 3, "device list nobody", "does not exist");
    cli_fails(bench, 2, "device name admin x y", "is not a number of a record");
    cli_fails(bench, 2, "device name admin 2", "usage");
    cli_fails(bench, 4, "device name admin 2 'a\nb'", "holds control characters");
    (void)cli_ok(bench, "verify");
}

static void test_cli_end_of_everyone(void **state)
{
    struct cli_bench *bench = *state;
    char first[LK_TOKEN_SIZE], second[LK_TOKEN_SIZE], line[160];

    log_in(bench, "", first);
    log_in(bench, "", second);
    cli_fails(bench, 2, "session end-all", "takes USER, or --everyone");
    cli_fails(bench, 2, "session end-all admin --everyone", "takes USER, or --everyone");
    (void)snprintf(line, sizeof(line), "session end-all --everyone --except %s", first);
    (void)cli_ok(bench, line);
    assert_true(cli_has(&bench->out, "every session of the tenant ended"));
    assert_int_equal(check(bench, first), 0);
    assert_int_equal(check(bench, second), 1);
    cli_fails(bench, 1, "session end-all --everyone --except lks_nonsense", "refused");
    assert_int_equal(check(bench, first), 0);
    (void)cli_ok(bench, "--json session end-all --everyone");
    assert_true(cli_has(&bench->out, "{\"everyone\":true}"));
    assert_int_equal(check(bench, first), 1);
    (void)cli_ok(bench, "audit list --json --action session.end-all");
    assert_true(cli_has(&bench->out, "\"resource_id\":\"all\""));
}

static void test_cli_session_policy(void **state)
{
    struct cli_bench *bench = *state;
    char token[LK_TOKEN_SIZE];

    cli_fails(bench, 4, "tenant set main session_channels='cli:60 ftp:5'",
              "session_channels: \"cli:60 ftp:5\" is not a list like");
    (void)cli_ok(bench, "tenant set main session_channels=cli:60 session_limit=refuse "
                        "session_max=1");
    log_in(bench, "", token);
    bench->input = CLI_PASSWORD "\n";
    cli_fails(bench, 4, "login admin --password-stdin", "session_max: is reached");
    bench->input = "wrong password\n";
    cli_fails(bench, 1, "login admin --password-stdin", "login refused\n");
    lk_fake_advance(&bench->fake, 60000);
    assert_int_equal(check(bench, token), 1);
    log_in(bench, "", token);
    /* At the console too: told only to who has the password. */
    cli_type(bench, "admin\r" CLI_PASSWORD "\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 4: login: session_max: is reached");
}

static void test_cli_clock(void **state)
{
    struct cli_bench *bench = *state;
    char token[LK_TOKEN_SIZE];

    (void)cli_ok(bench, "clock show");
    assert_true(cli_has(&bench->out, "now:         " START " (synchronised)\n"));
    assert_true(cli_has(&bench->out, "epoch:       0\n"));
    (void)cli_ok(bench, "credential add api-key admin --expires 7d");
    log_in(bench, "", token);
    (void)cli_ok(bench, "clock set 2027-01-01");
    (void)cli_ok(bench, "clock show --json");
    assert_true(cli_has(&bench->out, "{\"now\":\"2027-01-01T00:00:00Z\",\"quality\":\"set\","));
    assert_int_equal(check(bench, token), 0);
    /* The network says otherwise: held until somebody decides. */
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 86400000, LK_CLOCK_SYNCED);
    (void)cli_ok(bench, "clock show");
    assert_true(cli_has(&bench->out, "now:         2027-01-01T00:00:00Z (held)\n"));
    assert_true(cli_has(&bench->err, "clock set has the store follow it"));
    (void)cli_ok(bench, "clock set --yes");
    (void)cli_ok(bench, "clock show");
    assert_true(cli_has(&bench->out, "now:         2026-01-02T00:00:00Z (synchronised)\n"));
    assert_true(cli_has(&bench->out, "epoch:       1\n"));
    assert_int_equal(check(bench, token), 1);
    (void)cli_ok(bench, "credential list admin");
    assert_false(cli_has(&bench->out, "api_key"));
    (void)cli_ok(bench, "audit list --action clock.epoch --json");
    assert_true(cli_has(&bench->out, "\"category\":\"system\""));
    (void)cli_ok(bench, "verify");
    cli_fails(bench, 2, "clock set noon", "time: \"noon\" is not a time");
    cli_fails(bench, 4, "clock set 1999-12-31", "is not in the years 2024 to 9999");
    cli_fails(bench, 2, "clock set 2027-01-01 now", "usage");
    (void)cli_ok(bench, "clock set 1h");
    (void)cli_ok(bench, "clock show");
    assert_true(cli_has(&bench->out, "now:         2026-01-02T01:00:00Z (set)\n"));
}

/* A person sets the clock of a device that never had one. */
static void test_console_clock(void **state)
{
    struct cli_bench *bench = *state;

    lk_fake_wall_set(&bench->fake, 0, LK_CLOCK_UNSET);
    cli_type(bench,
             "admin\r" CLI_PASSWORD "\rclock show\rclock set 2026-06-01T12:00:00Z\rclock show\r"
             "user list\rclock set 2026-01-01\rn\rclock set 2026-01-01\ry\ruser list\r");
    (void)cli_console(bench);
    cli_shows(bench, "(held)\n");
    cli_shows(bench, "now:         2026-06-01T12:00:00Z (set)\n");
    cli_shows(bench, "error 1: clock set: not confirmed\n");
    cli_shows(bench, "the session is over");
    (void)cli_ok(bench, "audit list --action clock.set --json");
    assert_true(cli_has(&bench->out, "\"actor\":\"admin\""));
    assert_true(cli_has(&bench->out, "\"channel\":\"console\""));
}

/* It is the whole store's: for administrators of its first tenant only. */
static void test_console_clock_is_not_for_everybody(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "tenant add other");
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, "--tenant other user add bob --password-stdin");
    (void)cli_ok(bench, "--tenant other role grant bob admin");
    bench->input = CLI_PASSWORD "\n";
    (void)cli_ok(bench, "--tenant main user add carol --password-stdin");
    (void)cli_ok(bench, "--tenant main role grant carol operator");
    cli_type(bench, "other/bob\r" CLI_PASSWORD "\rclock set 2026-06-01\rclock show\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 1: clock set: is about the whole store");
    cli_hides(bench, "now:");
    cli_type(bench, "carol\r" CLI_PASSWORD "\rclock set 2026-06-01\rdevice list\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "error 1: clock set: needs the permission store:write");
    cli_shows(bench, "0 shown");
    assert_true(bench->fake.clock.wall_ms < LK_FAKE_START_MS + YEAR / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cli_devices, cli_setup, cli_teardown),
        cmocka_unit_test_setup_teardown(test_cli_end_of_everyone, cli_setup, cli_teardown),
        cmocka_unit_test_setup_teardown(test_cli_session_policy, cli_setup, cli_teardown),
        cmocka_unit_test_setup_teardown(test_cli_clock, cli_setup, cli_teardown),
        cmocka_unit_test_setup_teardown(test_console_clock, cli_setup, cli_teardown),
        cmocka_unit_test_setup_teardown(test_console_clock_is_not_for_everybody, cli_setup,
                                        cli_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
