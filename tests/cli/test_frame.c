// SPDX-License-Identifier: MIT
/* A program at the console of a device: lines with a checksum, answers with marks. */
#include "cli_help.h"

#include "lk_frame.h"

/* Types a line for `kind`, whose checksum is off by `off`. */
static void type(struct cli_bench *bench, char kind, const char *id, const char *text, uint16_t off)
{
    char line[1400], hex[5] = "";
    uint16_t crc;
    int size = snprintf(line, sizeof(line), "\x1e%c%s%s", kind, id, text);

    assert_in_range(size, 1, sizeof(line) - 1);
    crc = lk_frame_crc(LK_FRAME_CRC, line + 1, (size_t)size - 1);
    lk_frame_hex((uint16_t)(crc + off), hex);
    cli_type(bench, line);
    cli_type(bench, hex);
    cli_type(bench, "\r");
}

/* The console says an answer of these bytes, and its checksum. */
static void answers(struct cli_bench *bench, const char *body)
{
    char whole[1400], hex[5] = "";

    lk_frame_hex(lk_frame_crc(LK_FRAME_CRC, body, strlen(body)), hex);
    (void)snprintf(whole, sizeof(whole), "\x1e!%s\x1e.%s", body, hex);
    cli_shows(bench, whole);
}

#define LOGIN_ANSWERS                                                                              \
    "\x1ex0\x1e"                                                                                   \
    "cadmin@main> "

static void login(struct cli_bench *bench)
{
    type(bench, 'n', "0001", "admin", 0);
    type(bench, 's', "0002", CLI_PASSWORD, 0);
}

/* The published check value of this CRC. */
static void test_frame_crc(void **state)
{
    (void)state;
    assert_int_equal(lk_frame_crc(LK_FRAME_CRC, "123456789", 9), 0x29B1);
    assert_int_equal(lk_frame_crc(lk_frame_crc(LK_FRAME_CRC, "1234", 4), "56789", 5), 0x29B1);
}

static void test_frame_session(void **state)
{
    struct cli_bench *bench = *state;

    login(bench);
    type(bench, 'c', "0003", "user add bob", 0);
    type(bench, 'C', "0004", "user show nobody", 0);
    type(bench, 'c', "0005", "user show nobody", 0);
    type(bench, 'c', "0006", "user passwd bob", 0);
    type(bench, 's', "0007", "bobs own secret", 0);
    type(bench, 'c', "0008", "", 0);
    type(bench, 'c', "0009", "logout", 0);
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    answers(bench, "0001\x1espassword: ");
    answers(bench, "0002" LOGIN_ANSWERS);
    answers(bench, "0003\x1eouser bob is #2\x1eJ" LOGIN_ANSWERS);
    answers(bench, "0004\x1e"
                   "e{\"error\":{\"code\":\"not_found\",\"field\":\"user\",\"message\":"
                   "\"\\\"nobody\\\" does not exist\"}}\x1eJ\x1ex3\x1e"
                   "cadmin@main> ");
    answers(bench, "0005\x1e"
                   "eerror 3: user show: user: \"nobody\" does not exist\x1eJ\x1ex3\x1e"
                   "cadmin@main> ");
    answers(bench, "0006\x1esnew password: ");
    answers(bench, "0007" LOGIN_ANSWERS);
    answers(bench, "0008" LOGIN_ANSWERS);
    answers(bench, "0009\x1ex0");
    cli_hides(bench, "again");
    cli_hides(bench, "own secret");
    cli_hides(bench, CLI_PASSWORD);
    cli_hides(bench, "user add bob");
    bench->input = "bobs own secret\n";
    assert_int_equal(cli_run(bench, "login bob --password-stdin"), 0);
}

/* What is meant for something else, or damaged, is told and not done: above all, a password is
 * never taken for a name or a command. */
static void test_frame_mistaken(void **state)
{
    struct cli_bench *bench = *state;

    type(bench, 'c', "0001", "user list", 0);
    type(bench, 's', "0002", CLI_PASSWORD, 0);
    type(bench, 'n', "0003", "admin", 1);
    login(bench);
    type(bench, 's', "0004", "a secret thing", 0);
    type(bench, 'n', "0005", "admin", 0);
    type(bench, 'c', "0006", "user add eve", 0xFFFF);
    type(bench, 'c', "0007", "user passwd admin", 0);
    type(bench, 's', "0008", "another password", 1);
    cli_type(bench, "\x1e"
                    "c00\ruser add half\x1e");
    type(bench, 'c', "0009", "logout", 0);
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    answers(bench, "0001\x1e"
                   "eerror 2: the line is meant for something else\x1eJ\x1ex2\x1e"
                   "nlatchkey login: ");
    answers(bench, "0002\x1e"
                   "eerror 2: the line is meant for something else\x1eJ\x1ex2\x1e"
                   "nlatchkey login: ");
    answers(bench, "0003\x1e"
                   "eerror 5: the line was damaged on its way\x1eJ\x1ex5\x1e"
                   "nlatchkey login: ");
    answers(bench, "0004\x1e"
                   "eerror 2: the line is meant for something else\x1eJ\x1ex2\x1e"
                   "cadmin@main> ");
    answers(bench, "0005\x1e"
                   "eerror 2: the line is meant for something else\x1eJ\x1ex2\x1e"
                   "cadmin@main> ");
    answers(bench, "0006\x1e"
                   "eerror 5: the line was damaged on its way\x1eJ\x1ex5\x1e"
                   "cadmin@main> ");
    cli_shows(bench, "\x1e!0008\x1e"
                     "eerror 2: user passwd: ");
    answers(bench, "????\x1e"
                   "eerror 5: the line was damaged on its way\x1eJ\x1ex5\x1e"
                   "cadmin@main> ");
    cli_hides(bench, "a secret thing");
    cli_fails(bench, 3, "user show eve", "does not exist");
    cli_fails(bench, 3, "user show half", "does not exist");
    bench->input = CLI_PASSWORD "\n";
    assert_int_equal(cli_run(bench, "login admin --password-stdin"), 0);
    (void)cli_ok(bench, "audit list --json --action login --outcome failure");
    assert_true(!cli_has(&bench->out, "\"action\":\"login\""));
}

static void test_frame_long(void **state)
{
    struct cli_bench *bench = *state;
    char text[1200], secret[160];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memset(secret, 'y', sizeof(secret) - 1);
    secret[sizeof(secret) - 1] = '\0';
    type(bench, 'n', "0001", text, 0);
    login(bench);
    type(bench, 'c', "0003", text, 0);
    type(bench, 'c', "0004", "user passwd admin", 0);
    type(bench, 's', "0005", secret, 0);
    secret[129] = '\0';
    type(bench, 'c', "0006", "user passwd admin", 0);
    type(bench, 's', "0007", secret, 0);
    secret[128] = '\0';
    type(bench, 'c', "0008", "user passwd admin", 0);
    type(bench, 's', "0009", secret, 0);
    type(bench, 'c', "000a", "logout", 0);
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    cli_shows(bench, "eerror 2: the line is too long\x1eJ\x1ex2\x1e"
                     "nlatchkey login: ");
    cli_shows(bench, "eerror 2: the line is too long\x1eJ\x1ex2\x1e"
                     "cadmin@main> ");
    cli_shows(bench, "\x1e!0007\x1e"
                     "eerror 4: user passwd: password: is longer than 128 bytes");
    answers(bench, "0009" LOGIN_ANSWERS);
}

/* A person may take over in the middle, and is asked and answered as ever. */
static void test_frame_person(void **state)
{
    struct cli_bench *bench = *state;

    login(bench);
    type(bench, 'c', "0003", "user add bob", 0);
    type(bench, 'c', "0004", "user passwd bob", 0);
    cli_type(bench, "\x03user add carol\ruser passwd bob\rbobs own secret\rbobs own secret\r");
    cli_type(bench, "half a line\x1b["); /* and noise before a program's */
    type(bench, 'c', "0005", "user show carol --json", 0);
    cli_type(bench, "logout\r");
    (void)cli_console(bench);
    assert_true(lk_fake_typed_all(&bench->fake));
    answers(bench, "0004\x1esnew password: ");
    cli_shows(bench, "\nadmin@main> user add carol\nuser carol is #3\nadmin@main> user passwd bob\n"
                     "new password: \nagain: \nadmin@main> ");
    cli_shows(bench, "\x1e!0005\x1eo{");
    cli_hides(bench, "0003user");
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_setup_teardown(test, cli_setup, cli_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_crc), BENCH(test_frame_session), BENCH(test_frame_mistaken),
        BENCH(test_frame_long),           BENCH(test_frame_person),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
