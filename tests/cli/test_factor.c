// SPDX-License-Identifier: MIT
/* Second factors at the console of a device, and how they are drawn. */
#include "cli_help.h"

#include "lk_factor.h"
#include "lk_qr.h"

/* The code, now and `away` steps from it, of the seed in the first URI of a text. */
static void code_of(struct cli_bench *bench, const char *text, int away, char out[16])
{
    const char *at = strstr(text, "?secret=");
    uint8_t seed[LK_TOTP_SEED_MAX];
    size_t size;

    assert_non_null(at);
    at += 8;
    assert_int_equal(lk_base32_decode((struct lk_span){(const uint8_t *)at, strcspn(at, "&")}, seed,
                                      sizeof(seed), &size),
                     0);
    assert_int_equal(
        lk_totp_code(&bench->store, LK_HMAC_SHA1, (struct lk_span){seed, size},
                     bench->fake.clock.wall_ms / LK_TOTP_PERIOD_MS + (uint64_t)(int64_t)away, 6,
                     out),
        0);
}

/* The administrator gets an authenticator; its URI is in `uri`. */
static void enrol(struct cli_bench *bench, char *uri, size_t size)
{
    char code[16], line[64];

    (void)cli_ok(bench, "credential add totp admin");
    cli_first_line(&bench->out, uri, size);
    code_of(bench, uri, 0, code);
    (void)snprintf(line, sizeof(line), "credential confirm totp admin %s", code);
    (void)cli_ok(bench, line);
    lk_fake_advance(&bench->fake, 2 * LK_TOTP_PERIOD_MS);
}

static void test_factor_console_asks_for_the_code(void **state)
{
    struct cli_bench *bench = *state;
    char uri[LK_TOTP_URI_SIZE], code[16], line[128];

    enrol(bench, uri, sizeof(uri));
    code_of(bench, uri, 0, code);
    /* A wrong password and a wrong code are told alike. */
    cli_type(bench, "admin\rwrong password\radmin\r" CLI_PASSWORD "\r000000\r");
    (void)snprintf(line, sizeof(line), "admin\r" CLI_PASSWORD "\r%.3s %s\rlogout\r", code,
                   code + 3);
    cli_type(bench, line);
    (void)cli_console(bench);
    cli_shows(bench, "latchkey login: admin\npassword: \nlogin refused\n"
                     "latchkey login: admin\npassword: \ncode: \nlogin refused\n"
                     "latchkey login: admin\npassword: \ncode: \nadmin@main> logout");
    cli_hides(bench, code);
    cli_hides(bench, code + 3);
    (void)cli_ok(bench, "audit list --json --action login");
    assert_true(cli_has(&bench->out, "logged in with a time-based code"));
    assert_true(cli_has(&bench->out, "login refused: wrong code"));
    assert_false(cli_has(&bench->out, code));
}

static void test_factor_console_recovery_code(void **state)
{
    struct cli_bench *bench = *state;
    char code[16], line[128];

    (void)cli_ok(bench, "credential add recovery admin");
    cli_first_line(&bench->out, code, sizeof(code));
    (void)snprintf(line, sizeof(line),
                   "admin\r" CLI_PASSWORD "\r%s\rcredential list admin\rlogout\r", code);
    cli_type(bench, line);
    (void)cli_console(bench);
    cli_shows(bench, "code: \n9 recovery codes are left\nadmin@main> ");
    cli_shows(bench, "CODES_LEFT");
    cli_hides(bench, code);
}

/* With no clock a person at the device gets in by the password; elsewhere nobody does. */
static void test_factor_console_without_a_clock(void **state)
{
    struct cli_bench *bench = *state;
    char uri[LK_TOTP_URI_SIZE];

    enrol(bench, uri, sizeof(uri));
    lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms, LK_CLOCK_UNSET);
    cli_type(bench, "admin\r" CLI_PASSWORD "\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "password: \nadmin@main> logout");
    bench->input = CLI_PASSWORD "\n";
    cli_fails(bench, 1, "login admin --password-stdin",
              "code: of recovery is needed, since the clock is not set");
}

static void test_factor_console_new_password_then_code(void **state)
{
    struct cli_bench *bench = *state;
    char uri[LK_TOTP_URI_SIZE], code[16], line[160];

    enrol(bench, uri, sizeof(uri));
    (void)cli_ok(bench, "user set admin must_change_password=true");
    code_of(bench, uri, 0, code);
    (void)snprintf(line, sizeof(line),
                   "admin\r" CLI_PASSWORD "\rshort\rshort\ra newer secret\ra newer secret\r%s\r"
                   "logout\r",
                   code);
    cli_type(bench, line);
    (void)cli_console(bench);
    cli_shows(bench,
              "a new password must be set\nnew password: \nagain: \nthe new password has fewer "
              "than 8 bytes\nnew password: \nagain: \ncode: \nadmin@main> logout");
    /* On standard input each has a line, in that order. */
    (void)cli_ok(bench, "user set admin must_change_password=true");
    code_of(bench, uri, 1, code);
    (void)snprintf(line, sizeof(line), "a newer secret\nthe newest secret\n%s\n", code);
    bench->input = line;
    (void)cli_ok(bench, "login admin --password-stdin");
    (void)cli_ok(bench, "user set admin must_change_password=true");
    lk_fake_advance(&bench->fake, 2 * LK_TOTP_PERIOD_MS);
    code_of(bench, uri, 0, code);
    (void)snprintf(line, sizeof(line), "the newest secret\n%s\nyet another secret\n", code);
    bench->input = line;
    (void)cli_ok(bench, "login admin --password-stdin --totp -");
    assert_string_equal(bench->input, "");
}

/*
 * Whoever must have a second factor and has none. The seed depends on the random bytes alone, so a
 * first round tells it, and a second one from the same beginning types its code.
 */
static void enrolment(struct cli_bench *bench, const char *codes)
{
    char line[256];

    (void)cli_ok(bench, "tenant set main second_factor=required");
    (void)snprintf(line, sizeof(line), "admin\r" CLI_PASSWORD "\r%slogout\r", codes);
    cli_type(bench, line);
    (void)cli_console(bench);
}

static void test_factor_console_enrols(void **state)
{
    struct cli_bench *bench = *state;
    char code[16], codes[64];
    void *fresh;

    enrolment(bench, "000000\r000000\r000000\r");
    cli_shows(bench, "a second factor must be set up");
    cli_shows(bench, "\notpauth://totp/main:admin?secret=");
    cli_shows(bench, "code: \nthat was not its code\ncode: \nthat was not its code\ncode: \n"
                     "login refused\n");
    code_of(bench, lk_fake_output(&bench->fake), 0, code);
    assert_int_equal(cli_setup(&fresh), 0);
    bench = fresh;
    (void)snprintf(codes, sizeof(codes), "000000\r%s\r", code);
    enrolment(bench, codes);
    cli_shows(bench, "code: \nthat was not its code\ncode: \nadmin@main> logout");
    cli_hides(bench, code);
    (void)cli_ok(bench, "credential list admin");
    assert_true(cli_has(&bench->out, "confirmed"));
    assert_int_equal(cli_teardown(&fresh), 0);
}

static void test_factor_console_adds_and_confirms(void **state)
{
    struct cli_bench *bench = *state;
    char code[16], line[160];
    void *fresh;

    cli_type(bench,
             "admin\r" CLI_PASSWORD "\rcredential add totp admin\r"
             "credential add totp admin --qr\rcredential confirm totp admin -\r123\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "otpauth://totp/main:admin?secret=");
    cli_shows(bench, "\n  credential confirm totp admin CODE\n");
    cli_shows(bench, "error 2: credential add: qr: is not to be had here\n");
    cli_shows(bench, "code: \nerror 1: credential confirm: code: is not the one of now\n");
    code_of(bench, lk_fake_output(&bench->fake), 0, code);
    assert_int_equal(cli_setup(&fresh), 0);
    bench = fresh;
    (void)snprintf(line, sizeof(line),
                   "admin\r" CLI_PASSWORD "\rcredential add totp admin\r"
                   "credential confirm totp admin -\r%s\rlogout\r",
                   code);
    cli_type(bench, line);
    (void)cli_console(bench);
    cli_shows(bench, "code: \nadmin@main> logout");
    assert_int_equal(cli_teardown(&fresh), 0);
}

/* A viewer may not touch credentials; an operator may, but nobody's who holds more. */
static void test_factor_console_needs_the_permission(void **state)
{
    struct cli_bench *bench = *state;

    bench->input = CLI_PASSWORD "\n" CLI_PASSWORD "\n";
    (void)cli_ok(bench, "user add victor --password-stdin");
    (void)cli_ok(bench, "role grant victor viewer");
    (void)cli_ok(bench, "user add olga --password-stdin");
    (void)cli_ok(bench, "role grant olga operator");
    cli_type(bench,
             "victor\r" CLI_PASSWORD "\rcredential add totp admin\rcredential add recovery admin\r"
             "credential confirm totp admin 123456\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "victor@main> credential add totp admin\n"
                     "error 1: credential add: needs the permission credential:write\n"
                     "victor@main> credential add recovery admin\n"
                     "error 1: credential add: needs the permission credential:write\n"
                     "victor@main> credential confirm totp admin 123456\n"
                     "error 1: credential confirm: needs the permission credential:write\n");
    cli_type(bench, "olga\r" CLI_PASSWORD
                    "\rcredential add totp admin\rcredential add recovery admin\rlogout\r");
    (void)cli_console(bench);
    cli_shows(bench, "olga@main> credential add totp admin\n"
                     "error 1: credential add: user: holds more than you do\n"
                     "olga@main> credential add recovery admin\n"
                     "error 1: credential add: user: holds more than you do\n");
    cli_hides(bench, "otpauth");
    (void)cli_ok(bench, "credential list admin");
    assert_false(cli_has(&bench->out, "totp") || cli_has(&bench->out, "recovery"));
}

/* ---- Drawing ---- */

struct drawn {
    char text[65536];
    size_t size;
};

static int drawn_write(void *context, const void *data, size_t size)
{
    struct drawn *drawn = context;

    assert_true(drawn->size + size < sizeof(drawn->text));
    memcpy(drawn->text + drawn->size, data, size);
    drawn->size += size;
    drawn->text[drawn->size] = '\0';
    return 0;
}

static void test_factor_qr_fits_or_is_left_out(void **state)
{
    static struct drawn drawn;
    static char longest[3000];
    struct lk_cli_out out = {.write = drawn_write, .context = &drawn};
    unsigned lines = 0;
    size_t i;

    (void)state;
    /* Version 1 has 21 modules, and 4 light ones on either side. */
    assert_int_equal(lk_qr_draw(LK_TEXT("x"), &out, 28, false), LK_E_SPACE);
    assert_int_equal(drawn.size, 0);
    assert_int_equal(lk_qr_draw(LK_TEXT("x"), &out, 29, false), 0);
    for (i = 0; i < drawn.size; i++) {
        lines += drawn.text[i] == '\n';
    }
    assert_int_equal(lines, 15);
    assert_null(strchr(drawn.text, '\033'));
    drawn.size = 0;
    assert_int_equal(lk_qr_draw(LK_TEXT("x"), &out, 80, true), 0);
    assert_memory_equal(drawn.text, "\033[97;40m", 8);
    assert_string_equal(drawn.text + drawn.size - 5, "\033[0m\n");
    drawn.size = 0;
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(
        lk_qr_draw((struct lk_span){(const uint8_t *)longest, sizeof(longest)}, &out, 1000, false),
        LK_E_TOO_BIG);
    assert_int_equal(lk_qr_draw(LK_TEXT(""), &out, 1000, false), LK_E_TOO_BIG);
    assert_int_equal(drawn.size, 0);
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_setup_teardown(test, cli_setup, cli_teardown)
    const struct CMUnitTest tests[] = {
        BENCH(test_factor_console_asks_for_the_code),
        BENCH(test_factor_console_recovery_code),
        BENCH(test_factor_console_without_a_clock),
        BENCH(test_factor_console_new_password_then_code),
        BENCH(test_factor_console_enrols),
        BENCH(test_factor_console_adds_and_confirms),
        BENCH(test_factor_console_needs_the_permission),
        cmocka_unit_test(test_factor_qr_fits_or_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
