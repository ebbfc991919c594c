// SPDX-License-Identifier: MIT
/* test_port_fake.c: the port for tests does what its header promises. */
#include "lk_fake.h"
#include "lk_sodium.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct lk_fake fake;
static const struct lk_port *port;

static int setup(void **state)
{
    (void)state;
    port = lk_fake_port(&fake);
    return lk_fake_init(&fake, 7);
}

static void expect_time(uint64_t wall, enum lk_clock_quality quality, uint64_t monotonic)
{
    enum lk_clock_quality now_quality;
    uint64_t now;

    assert_int_equal(port->clock->wall(port->self, &now, &now_quality), LK_OK);
    assert_int_equal(now, wall);
    assert_int_equal(now_quality, quality);
    assert_int_equal(port->clock->monotonic(port->self, &now), LK_OK);
    assert_int_equal(now, monotonic);
}

static uint64_t boot_now(void)
{
    uint64_t boot;

    assert_int_equal(port->clock->boot(port->self, &boot), LK_OK);
    return boot;
}

static void test_port_fake_clock_moves_only_when_told(void **state)
{
    (void)state;
    assert_int_equal(boot_now(), 1);
    expect_time(LK_FAKE_START_MS, LK_CLOCK_SYNCED, 0);
    expect_time(LK_FAKE_START_MS, LK_CLOCK_SYNCED, 0);
    lk_fake_advance(&fake, 1500);
    expect_time(LK_FAKE_START_MS + 1500, LK_CLOCK_SYNCED, 1500);
    lk_fake_wall_set(&fake, 42, LK_CLOCK_HELD);
    expect_time(42, LK_CLOCK_HELD, 1500);
    assert_int_equal(port->clock->set(port->self, 99), LK_OK);
    expect_time(99, LK_CLOCK_SET, 1500);
    assert_int_equal(boot_now(), 1);
    lk_fake_reboot(&fake, LK_CLOCK_HELD);
    expect_time(99, LK_CLOCK_HELD, 0);
    lk_fake_reboot(&fake, LK_CLOCK_UNSET);
    expect_time(0, LK_CLOCK_UNSET, 0);
    assert_int_equal(boot_now(), 3);
}

static void test_port_fake_entropy_follows_the_seed(void **state)
{
    static struct lk_fake other;
    /* SplitMix64 from state 0: the first outputs of its reference program, little-endian. */
    static const uint8_t reference[16] = {0xAF, 0xCD, 0x1D, 0x7B, 0x39, 0xA8, 0x20, 0xE2,
                                          0xF4, 0x65, 0xB9, 0xA1, 0x6A, 0x9E, 0x78, 0x6E};
    uint8_t a[64];
    uint8_t b[64];

    (void)state;
    assert_int_equal(lk_fake_init(&other, 7), LK_OK);
    assert_int_equal(port->entropy->fill(port->self, a, sizeof a), LK_OK);
    assert_int_equal(lk_fake_port(&other)->entropy->fill(&other, b, sizeof b), LK_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(port->entropy->fill(port->self, b, sizeof b), LK_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(lk_fake_init(&other, 8), LK_OK);
    assert_int_equal(lk_fake_port(&other)->entropy->fill(&other, b, sizeof b), LK_OK);
    assert_memory_not_equal(a, b, sizeof a);

    other.entropy.state = 0;
    assert_int_equal(lk_fake_port(&other)->entropy->fill(&other, b, 16), LK_OK);
    assert_memory_equal(b, reference, sizeof reference);

    lk_fake_entropy_break(&fake, true);
    assert_int_equal(port->entropy->fill(port->self, a, sizeof a), LK_E_ENTROPY);
    lk_fake_entropy_break(&fake, false);
    assert_int_equal(port->entropy->fill(port->self, a, sizeof a), LK_OK);
}

static void test_port_fake_secret_can_be_set_taken_and_made(void **state)
{
    static const uint8_t given[LK_DEVICE_SECRET_SIZE] = {1, 2, 3};
    uint8_t first[LK_DEVICE_SECRET_SIZE];
    uint8_t now[LK_DEVICE_SECRET_SIZE];

    (void)state;
    assert_int_equal(port->secret->read(port->self, first), LK_OK);
    assert_int_equal(port->secret->create(port->self), LK_E_EXISTS);
    lk_fake_secret_set(&fake, given);
    assert_int_equal(port->secret->read(port->self, now), LK_OK);
    assert_memory_equal(now, given, sizeof now);
    lk_fake_secret_set(&fake, NULL);
    assert_int_equal(port->secret->read(port->self, now), LK_E_SECRET);
    lk_fake_entropy_break(&fake, true);
    assert_int_equal(port->secret->create(port->self), LK_E_ENTROPY);
    assert_int_equal(port->secret->read(port->self, now), LK_E_SECRET);
    lk_fake_entropy_break(&fake, false);
    assert_int_equal(port->secret->create(port->self), LK_OK);
    assert_int_equal(port->secret->read(port->self, now), LK_OK);
    assert_memory_not_equal(now, given, sizeof now);
    assert_memory_not_equal(now, first, sizeof now);
}

static void test_port_fake_counter_is_there_when_wanted(void **state)
{
    uint64_t count;

    (void)state;
    assert_null(port->counter);
    assert_null(port->flash);
    lk_fake_counter_set(&fake, 41);
    assert_int_equal(port->counter->read(port->self, &count), LK_OK);
    assert_int_equal(count, 41);
    assert_int_equal(port->counter->advance(port->self, &count), LK_OK);
    assert_int_equal(count, 42);
    assert_int_equal(port->counter->read(port->self, &count), LK_OK);
    assert_int_equal(count, 42);
}

static struct lk_pwhash_job job_of(uint32_t memory_kib, uint32_t passes, const char *password)
{
    struct lk_pwhash_job job = {.params = {memory_kib, passes, 1},
                                .password = (const uint8_t *)password,
                                .password_size = strlen(password)};

    memcpy(job.salt, "0123456789abcdef", sizeof job.salt);
    return job;
}

static void test_port_fake_pwhash_tells_parameters_apart(void **state)
{
    struct lk_pwhash_job a = job_of(19456, 2, "password");
    struct lk_pwhash_job b = job_of(19456, 2, "password");
    struct lk_pwhash_job c = job_of(19456, 3, "password");
    struct lk_pwhash_job d = job_of(19456, 2, "passwore");
    struct lk_pwhash_job e = job_of(LK_SODIUM_MEMORY_KIB_MAX + 1, 2, "password");

    (void)state;
    assert_int_equal(port->crypto->pwhash_step(port->self, &a), LK_OK);
    assert_int_equal(port->crypto->pwhash_step(port->self, &b), LK_OK);
    assert_int_equal(port->crypto->pwhash_step(port->self, &c), LK_OK);
    assert_int_equal(port->crypto->pwhash_step(port->self, &d), LK_OK);
    assert_int_equal(port->crypto->pwhash_step(port->self, &e), LK_E_CHECK);
    assert_memory_equal(a.hash, b.hash, sizeof a.hash);
    assert_memory_not_equal(a.hash, c.hash, sizeof a.hash);
    assert_memory_not_equal(a.hash, d.hash, sizeof a.hash);
}

static void test_port_fake_pwhash_exact_is_argon2id(void **state)
{
    struct lk_pwhash_job job = job_of(64, 2, "password");
    struct lk_pwhash_job real = job_of(64, 2, "password");

    (void)state;
    assert_int_equal(lk_sodium_crypto.pwhash_step(NULL, &real), LK_OK);
    assert_int_equal(port->crypto->pwhash_step(port->self, &job), LK_OK);
    assert_memory_not_equal(job.hash, real.hash, sizeof job.hash);
    lk_fake_pwhash_exact(&fake, true);
    assert_int_equal(port->crypto->pwhash_step(port->self, &job), LK_OK);
    assert_memory_equal(job.hash, real.hash, sizeof job.hash);
}

static void test_port_fake_pwhash_takes_the_slices_it_was_told(void **state)
{
    struct lk_pwhash_job whole = job_of(64, 2, "password");
    struct lk_pwhash_job sliced = job_of(64, 2, "password");
    struct lk_pwhash_job refused = job_of(7, 2, "password");

    (void)state;
    assert_int_equal(port->crypto->pwhash_step(port->self, &whole), LK_OK);
    lk_fake_pwhash_slices(&fake, 3);
    assert_int_equal(port->crypto->pwhash_step(port->self, &sliced), 1);
    assert_int_equal(port->crypto->pwhash_step(port->self, &sliced), 1);
    assert_int_equal(port->crypto->pwhash_step(port->self, &sliced), LK_OK);
    assert_memory_equal(whole.hash, sliced.hash, sizeof whole.hash);
    assert_int_equal(port->crypto->pwhash_step(port->self, &refused), LK_E_CHECK);
    lk_fake_pwhash_slices(&fake, 0);
    sliced = job_of(64, 2, "password");
    assert_int_equal(port->crypto->pwhash_step(port->self, &sliced), LK_OK);
}

static void test_port_fake_console_plays_its_script(void **state)
{
    const struct lk_console *console = port->console;
    uint8_t byte;

    (void)state;
    assert_int_equal(lk_fake_type(&fake, "a"), LK_OK);
    assert_int_equal(lk_fake_pause(&fake, 5000), LK_OK);
    assert_int_equal(lk_fake_pause(&fake, 1000), LK_OK);
    assert_int_equal(lk_fake_type(&fake, "b"), LK_OK);
    assert_int_equal(lk_fake_pause(&fake, 700), LK_OK);

    assert_int_equal(console->read(port->self, &byte, 10), 1);
    assert_int_equal(byte, 'a');
    expect_time(LK_FAKE_START_MS, LK_CLOCK_SYNCED, 0);
    assert_int_equal(console->read(port->self, &byte, 2000), 0);
    expect_time(LK_FAKE_START_MS + 2000, LK_CLOCK_SYNCED, 2000);
    assert_int_equal(console->read(port->self, &byte, 3500), 0);
    expect_time(LK_FAKE_START_MS + 5500, LK_CLOCK_SYNCED, 5500);
    assert_int_equal(console->read(port->self, &byte, 501), 1);
    assert_int_equal(byte, 'b');
    expect_time(LK_FAKE_START_MS + 6000, LK_CLOCK_SYNCED, 6000);
    assert_false(lk_fake_typed_all(&fake));
    assert_int_equal(console->read(port->self, &byte, 0), LK_E_NOT_FOUND);
    expect_time(LK_FAKE_START_MS + 6700, LK_CLOCK_SYNCED, 6700);
    assert_true(lk_fake_typed_all(&fake));
    assert_int_equal(console->read(port->self, &byte, 10), LK_E_NOT_FOUND);
}

static void test_port_fake_console_keeps_what_was_written(void **state)
{
    static uint8_t much[LK_FAKE_OUTPUT_MAX];
    const struct lk_console *console = port->console;

    (void)state;
    assert_string_equal(lk_fake_output(&fake), "");
    assert_int_equal(console->write(port->self, (const uint8_t *)"log", 3), LK_OK);
    assert_int_equal(console->write(port->self, (const uint8_t *)"in: ", 4), LK_OK);
    assert_int_equal(console->write(port->self, NULL, 0), LK_OK);
    assert_string_equal(lk_fake_output(&fake), "login: ");
    assert_int_equal(lk_fake_output_size(&fake), 7);
    assert_int_equal(console->write(port->self, much, sizeof much), LK_E_FULL);
    assert_string_equal(lk_fake_output(&fake), "login: ");
    lk_fake_output_clear(&fake);
    assert_string_equal(lk_fake_output(&fake), "");
    assert_int_equal(console->write(port->self, much, sizeof much), LK_OK);
    assert_int_equal(lk_fake_output_size(&fake), sizeof much);
    assert_int_equal(console->width(port->self), 80);
    lk_fake_width_set(&fake, 132);
    assert_int_equal(console->width(port->self), 132);
}

static void test_port_fake_console_script_has_limits(void **state)
{
    static const uint8_t much[LK_FAKE_INPUT_MAX];

    (void)state;
    assert_int_equal(lk_fake_type_bytes(&fake, much, sizeof much), LK_OK);
    assert_int_equal(lk_fake_type(&fake, ""), LK_OK);
    assert_int_equal(lk_fake_type(&fake, "x"), LK_E_FULL);
    for (unsigned i = 0; i < LK_FAKE_PAUSE_MAX; i++) {
        assert_int_equal(lk_fake_pause(&fake, 1), LK_OK);
    }
    assert_int_equal(lk_fake_pause(&fake, 1), LK_E_FULL);
}

static int foreign_verify(void *self, struct lk_span hash, struct lk_span password)
{
    (void)self;
    (void)hash;
    (void)password;
    return LK_E_REFUSED;
}

static int foreign_check(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    (void)hash;
    *rule = "is not wanted";
    return LK_E_UNSUPPORTED;
}

/* Calls every service that can fail, in a fixed order; the answers go to `answers`. */
static size_t call_all(int *answers)
{
    enum lk_clock_quality quality;
    uint64_t number;
    uint8_t bytes[64] = {0};
    uint8_t sealed[64];
    uint8_t byte;
    struct lk_span none = {NULL, 0};
    struct lk_pwhash_job job = job_of(8, 1, "password");
    size_t n = 0;

    answers[n++] = port->clock->wall(port->self, &number, &quality);
    answers[n++] = port->clock->monotonic(port->self, &number);
    answers[n++] = port->clock->set(port->self, 5);
    answers[n++] = port->clock->boot(port->self, &number);
    answers[n++] = port->entropy->fill(port->self, bytes, 32);
    answers[n++] = port->secret->read(port->self, bytes);
    answers[n++] = port->secret->create(port->self);
    answers[n++] = port->counter->read(port->self, &number);
    answers[n++] = port->counter->advance(port->self, &number);
    answers[n++] = port->crypto->hash(port->self, NULL, 0, none, none, bytes);
    answers[n++] = port->crypto->seal(port->self, bytes, bytes, none, none, sealed);
    answers[n++] = port->crypto->open(port->self, bytes, bytes,
                                      (struct lk_span){sealed, LK_SEAL_TAG_SIZE}, none, NULL);
    answers[n++] = port->crypto->pwhash_step(port->self, &job);
    answers[n++] = port->crypto->foreign_verify(port->self, none, none);
    answers[n++] = port->console->read(port->self, &byte, 1);
    answers[n++] = port->console->write(port->self, &byte, 1);
    return n;
}

static void test_port_fake_fails_every_call_once_and_for_ever(void **state)
{
    static const int healthy[] = {LK_OK,       LK_OK,        LK_OK, LK_OK, LK_OK, LK_OK,
                                  LK_E_EXISTS, LK_OK,        LK_OK, LK_OK, LK_OK, LK_OK,
                                  LK_OK,       LK_E_REFUSED, 1,     LK_OK};
    static const int failed[] = {LK_E_IO,      LK_E_IO,     LK_E_IO,     LK_E_IO,
                                 LK_E_ENTROPY, LK_E_SECRET, LK_E_IO,     LK_E_IO,
                                 LK_E_IO,      LK_E_CRYPTO, LK_E_CRYPTO, LK_E_CRYPTO,
                                 LK_E_CRYPTO,  LK_E_CRYPTO, LK_E_IO,     LK_E_IO};
    const size_t count = sizeof healthy / sizeof healthy[0];
    int answers[32];

    (void)state;
    for (int onwards = 0; onwards <= 1; onwards++) {
        for (size_t n = 0; n <= count + 1; n++) {
            assert_int_equal(setup(NULL), 0);
            lk_fake_counter_set(&fake, 0);
            lk_fake_foreign_set(&fake, foreign_verify, foreign_check);
            assert_int_equal(lk_fake_type(&fake, "x"), LK_OK);
            if (onwards != 0) {
                lk_fake_fail_from(&fake, n);
            } else {
                lk_fake_fail_at(&fake, n);
            }
            assert_int_equal(call_all(answers), count);
            assert_int_equal(lk_fake_calls(&fake), count);
            for (size_t i = 0; i < count; i++) {
                bool fails = n != 0 && (onwards != 0 ? i + 1 >= n : i + 1 == n);

                /* A failed seal leaves nothing that could be opened. */
                if (!fails && i == 11 && n == 11) {
                    assert_int_equal(answers[i], LK_E_CORRUPT);
                    continue;
                }
                assert_int_equal(answers[i], fails ? failed[i] : healthy[i]);
            }
            if (n == 0 || n == count + 1) {
                assert_int_equal(lk_fake_failed(&fake), 0);
            } else {
                assert_int_equal(lk_fake_failed(&fake), onwards != 0 ? count - n + 1 : 1);
            }
        }
    }
    /* It counts from where it was asked, and heals. */
    lk_fake_fail_at(&fake, 2);
    assert_int_equal(port->entropy->fill(port->self, NULL, 0), LK_OK);
    assert_int_equal(port->entropy->fill(port->self, NULL, 0), LK_E_ENTROPY);
    assert_int_equal(port->entropy->fill(port->self, NULL, 0), LK_OK);
    lk_fake_fail_from(&fake, 1);
    lk_fake_fail_at(&fake, LK_FAKE_FAIL_NEVER);
    assert_int_equal(port->entropy->fill(port->self, NULL, 0), LK_OK);
    assert_int_equal(lk_fake_failed(&fake), 0);
}

static void test_port_fake_foreign_is_what_the_test_gives(void **state)
{
    const char *rule = NULL;

    (void)state;
    assert_null(port->crypto->foreign_verify);
    assert_null(port->crypto->foreign_check);
    lk_fake_foreign_set(&fake, foreign_verify, foreign_check);
    assert_int_equal(port->crypto->foreign_check(port->self, LK_TEXT("$6$"), &rule),
                     LK_E_UNSUPPORTED);
    assert_string_equal(rule, "is not wanted");
    lk_fake_foreign_set(&fake, NULL, NULL);
    assert_null(port->crypto->foreign_verify);
    assert_null(port->crypto->foreign_check);
}

static void test_port_fake_lock_shows_its_depth(void **state)
{
    (void)state;
    port->lock->take(port->self);
    assert_int_equal(lk_fake_lock_depth(&fake), 1);
    port->lock->give(port->self);
    assert_int_equal(lk_fake_lock_depth(&fake), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_port_fake_clock_moves_only_when_told, setup),
        cmocka_unit_test_setup(test_port_fake_entropy_follows_the_seed, setup),
        cmocka_unit_test_setup(test_port_fake_secret_can_be_set_taken_and_made, setup),
        cmocka_unit_test_setup(test_port_fake_counter_is_there_when_wanted, setup),
        cmocka_unit_test_setup(test_port_fake_pwhash_tells_parameters_apart, setup),
        cmocka_unit_test_setup(test_port_fake_pwhash_exact_is_argon2id, setup),
        cmocka_unit_test_setup(test_port_fake_pwhash_takes_the_slices_it_was_told, setup),
        cmocka_unit_test_setup(test_port_fake_console_plays_its_script, setup),
        cmocka_unit_test_setup(test_port_fake_console_keeps_what_was_written, setup),
        cmocka_unit_test_setup(test_port_fake_console_script_has_limits, setup),
        cmocka_unit_test_setup(test_port_fake_fails_every_call_once_and_for_ever, setup),
        cmocka_unit_test_setup(test_port_fake_foreign_is_what_the_test_gives, setup),
        cmocka_unit_test_setup(test_port_fake_lock_shows_its_depth, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
