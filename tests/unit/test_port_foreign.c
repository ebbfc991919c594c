// SPDX-License-Identifier: MIT
/*
 * test_port_foreign.c: hashes that mosquitto_passwd 2.0.11, htpasswd 2.4 (-B -2 -5), mkpasswd
 * 5.5.17 (libxcrypt 4.4.33) and argon2 wrote, and strings that must be refused without being
 * computed: a refusal that computed first would keep this program busy for hours.
 */
#include "lk_foreign.h"
#include "lk_sodium.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PASSWORD "correct horse battery"

static struct lk_span text(const char *string)
{
    return (struct lk_span){(const uint8_t *)string, strlen(string)};
}

static int verify(const char *hash, const char *password)
{
    return lk_foreign_verify(NULL, text(hash), text(password));
}

#define A72       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BCRYPT_72 "$2y$04$Y6z7W3c6CXrlyGsW3HJPIOsbiIa73/.lBcQSv86NZ7PVsmGri/jLS"
#define SHA512_SHORT                                                                               \
    "$6$rounds=1000$EdKhVu1kI0qhSOWS$"                                                             \
    "yr9U7fAGsQgp1OGpAuRipOQSIDkRN3cJEgwG5u.zib8W.QTD9Xw1FhiKwQaUfPsmJXOKHNt57l8RouBAcnf.n/"
#define MOSQUITTO_SALT "VRP9t6JwI8UGL+nX"
#define MOSQUITTO_HASH                                                                             \
    "x1yqCUuCSxuHFRsrRjuXFOkURO2OXhMD2lRlNsrNh6cd17LwFpmSlOhEHVTs3dU+gPw3z7uvPoyPbZoiSTpnXw=="
#define MOSQUITTO   "$7$101$" MOSQUITTO_SALT "$" MOSQUITTO_HASH
#define ARGON2_TAIL "$c2FsdHNhbHRzYWx0c2FsdA$OkYmHAn7sugYbSdl+HpldJ6MlNgbtDaFI6pbBOJmxJs"
#define ARGON2_SMALL                                                                               \
    "$argon2id$v=19$m=64,t=1,p=4$c29tZXNhbHQxMjM0$agHmz8qq/ux3F3cmqxIhbAfqfDd8+DeETmXry7IDorY"

static const struct {
    const char *hash;
    const char *password;
} written[] = {
    {MOSQUITTO, PASSWORD},
    {"$2y$04$dlG/A19WUa//ueiZyOWSZeI0AYrOYVdAczlMX3dLP.TTaKZM9m9Ii", PASSWORD},
    {"$2y$05$/dXoUE4O2e0xGdABjad/JOM0TNYZNJv6BHf5tnR.ZyH6aZ0q4D0ke", PASSWORD},
    {"$2y$10$xS5.4qm7D0SnFk1tzr2wkOBjO.3j9R0n2mdlAyCCAD2XVtiXwMGni", PASSWORD},
    {"$2b$05$Wa34g.WJMreXRbTI2wmCfepNo58DhLq1GP5D4v6fKwaPr1M9Y45aW", PASSWORD},
    {"$2a$05$dGxqm4Yl2wLjHo8cQoJwYuK1cu2F4NpcCR86LKipiq8bV/NGsfGDa", PASSWORD},
    {BCRYPT_72, A72},
    {"$2b$05$20Aa8mGYPz7fxpCSm.NGpOVM8aJzZbt/g2yGtSokqIPsWzpQrKrcO", A72},
    {"$5$2UCOCjRoGWOTVbou$pIx2QamzN5dFrAfADvlmNdOIzvfULQnr/5AAIdDOU/0", PASSWORD},
    {"$5$NoU5wNaU7VjDwOd/$t.Y3vToexZv.xaV3hVnWoIFy/1lHXIXMQmqO1dT6Po6", PASSWORD},
    {"$5$rounds=12345$krA30aCxq0fP3FCv$7DrZG6mNyYrShTlpRHJ99dYAcbiH1YMgzt9AZspK1Q/", PASSWORD},
    {"$6$yXF5baBQMwjhr.wi$412di/ok8E1aYebCue/2ZTyGA8.E.CHH7gTl6cpJQV8xcLXzlP5C.qU6Ii022sII2NhVGIBxI"
     "qiB5g/bFsEnY0",
     PASSWORD},
    {"$6$kE5CoVUmi7cpSo7v$MqMsds5xl23vVh1aAVKnT1pc8R0fjELKGe55JD0WjF/T3LnA/AfRWP787XsvF6miM/CQ5rF30"
     "/dCXxaoTo7F./",
     PASSWORD},
    {SHA512_SHORT, PASSWORD},
    {"$6$l.OecFWa6EztCgI4$LCXZL/n4LVSicNxz7v.bIaLJ6vw3NeCHd.Swgem9C4OEylzlQWHICkZxp/kbvOavspG6JMogq"
     "dIzy6kR5gU550",
     ""},
    {"$6$7ms7/faxs06PVp4o$tPNaqjGFA.t9BHm1MFKn0LVNsQnzOWTVxnA9zDRB3F6RGyP7N2Qdn3QJ9C0geOTUaswjPKxzu"
     "EGq0OSjT.IBP.",
     "p\xC3\xA4ssw\xC3\xB6rd \xE2\x9C\x93"},
    {"$y$j9T$bVqhTBI9xQws5jZfxplFJ/$yb23kZDHQcsV6Oq04aGJ1tAsg.TQLGh1i5FEXzyMDJ8", PASSWORD},
    {"$y$j75$xspPcaCwe.V1u8IhL2nWY1$zFph2fV.0F2OnjzMqwlfm1uvYRSRMT3KyyRcdxILqnD", PASSWORD},
    {"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0$3UghFxvmOeAalQF0aZF6VemkDrhhHydMG+OHnRFbjSQ",
     PASSWORD},
    {ARGON2_SMALL, PASSWORD},
    {"$argon2i$v=19$m=64,t=3,p=1$c2FsdHNhbHQ$IAE0wQUB4CrSmgH8N8nx6175Kl0IHgo8Te43EhCJbZw",
     PASSWORD},
    {"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$OkYmHAn7sugYbSdl+HpldJ6MlNgbtDaFI6pbBOJmxJ"
     "tO4xjqhipZfT8fMsER7oljlGsXgRPoEFgycYL1VprWAg",
     PASSWORD},
};

static void test_port_foreign_verifies_what_other_programs_wrote(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        const char *rule = "set";

        print_message("case %zu: %s\n", i, written[i].hash);
        assert_int_equal(lk_foreign_check(NULL, text(written[i].hash), &rule), LK_OK);
        assert_null(rule);
        assert_int_equal(verify(written[i].hash, written[i].password), LK_OK);
        assert_int_equal(verify(written[i].hash, "correct horse batterz"), LK_E_REFUSED);
    }
}

static void test_port_foreign_needs_the_whole_password(void **state)
{
    static const char *const wrong[] = {"", "correct horse batter", PASSWORD " ",
                                        "Correct horse battery"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(verify(SHA512_SHORT, wrong[i]), LK_E_REFUSED);
        assert_int_equal(verify(MOSQUITTO, wrong[i]), LK_E_REFUSED);
        assert_int_equal(verify(ARGON2_SMALL, wrong[i]), LK_E_REFUSED);
    }
}

static void test_port_foreign_refuses_a_password_bcrypt_would_cut(void **state)
{
    (void)state;
    assert_int_equal(verify(BCRYPT_72, A72), LK_OK);
    assert_int_equal(verify(BCRYPT_72, A72 "b"), LK_E_REFUSED);
    assert_int_equal(verify(BCRYPT_72, A72 A72), LK_E_REFUSED);
}

static void test_port_foreign_refuses_a_password_with_nul(void **state)
{
    static const char cut[] = PASSWORD "\0and more";
    struct lk_span password = {(const uint8_t *)cut, sizeof cut - 1};

    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        if (strcmp(written[i].password, PASSWORD) == 0) {
            assert_int_equal(lk_foreign_verify(NULL, text(written[i].hash), password),
                             LK_E_REFUSED);
        }
    }
}

static void test_port_foreign_refuses_a_password_over_the_limit(void **state)
{
    static uint8_t bytes[LK_FOREIGN_PASSWORD_MAX + 2];

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    for (size_t size = LK_FOREIGN_PASSWORD_MAX - 1; size <= sizeof bytes; size++) {
        assert_int_equal(lk_foreign_verify(NULL, text(SHA512_SHORT), (struct lk_span){bytes, size}),
                         LK_E_REFUSED);
    }
}

static void test_port_foreign_takes_a_bcrypt_salt_with_spare_bits(void **state)
{
    (void)state;
    /* Written with "e" as the salt's last letter; "f" differs in bits that bcrypt drops. */
    assert_int_equal(
        verify("$2b$05$Wa34g.WJMreXRbTI2wmCffpNo58DhLq1GP5D4v6fKwaPr1M9Y45aW", PASSWORD), LK_OK);
}

static void test_port_foreign_notices_every_changed_letter(void **state)
{
    static const char *const hashes[] = {MOSQUITTO, ARGON2_SMALL, SHA512_SHORT};

    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        size_t size = strlen(hashes[i]);

        for (size_t at = 0; at < size; at++) {
            char changed[LK_FOREIGN_HASH_MAX + 1];

            memcpy(changed, hashes[i], size + 1);
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            assert_int_not_equal(verify(changed, PASSWORD), LK_OK);
        }
        /* And every string that is cut short. */
        for (size_t cut = 0; cut < size; cut++) {
            struct lk_span hash = {(const uint8_t *)hashes[i], cut};

            /* A cut Argon2 hash is well-formed: that of a shorter output. */
            if (hashes[i] != hashes[1]) {
                assert_int_not_equal(lk_foreign_check(NULL, hash, NULL), LK_OK);
            }
            assert_int_not_equal(lk_foreign_verify(NULL, hash, text(PASSWORD)), LK_OK);
        }
    }
}

#define SHA512_TAIL                                                                                \
    "$EdKhVu1kI0qhSOWS$yr9U7fAGsQgp1OGpAuRipOQSIDkRN3cJEgwG5u.zib8W.QTD9Xw1FhiKwQaUfPsmJXOKHNt57"  \
    "l8RouBAcnf.n/"
#define BCRYPT_TAIL   "$Wa34g.WJMreXRbTI2wmCfepNo58DhLq1GP5D4v6fKwaPr1M9Y45aW"
#define YESCRYPT_TAIL "$xspPcaCwe.V1u8IhL2nWY1$zFph2fV.0F2OnjzMqwlfm1uvYRSRMT3KyyRcdxILqnD"

static const struct {
    const char *hash;
    int error;
    const char *rule; /* a part of it */
} refused[] = {
    /* Costs. */
    {"$6$rounds=999999999" SHA512_TAIL, LK_E_CHECK, "1000000"},
    {"$6$rounds=1000001" SHA512_TAIL, LK_E_CHECK, "costs too much"},
    {"$6$rounds=18446744073709551616" SHA512_TAIL, LK_E_CHECK, "costs too much"},
    {"$6$rounds=99999999999999999999999999999999" SHA512_TAIL, LK_E_CHECK, "costs too much"},
    {"$2b$31" BCRYPT_TAIL, LK_E_CHECK, "over 14"},
    {"$2b$15" BCRYPT_TAIL, LK_E_CHECK, "over 14"},
    {"$2b$99" BCRYPT_TAIL, LK_E_CHECK, "over 14"},
    {"$7$2000001$" MOSQUITTO_SALT "$" MOSQUITTO_HASH, LK_E_CHECK, "2000000"},
    {"$7$4294967295$" MOSQUITTO_SALT "$" MOSQUITTO_HASH, LK_E_CHECK, "costs too much"},
    {"$7$4294967396$" MOSQUITTO_SALT "$" MOSQUITTO_HASH, LK_E_CHECK, "costs too much"},
    {"$y$jFT" YESCRYPT_TAIL, LK_E_CHECK, "KiB"}, /* 1 GiB, mkpasswd's dearest */
    {"$y$jET" YESCRYPT_TAIL, LK_E_CHECK, "KiB"},
    {"$y$jjj" YESCRYPT_TAIL, LK_E_CHECK, "costs too much"},
    {"$argon2id$v=19$m=4194304,t=3,p=1" ARGON2_TAIL, LK_E_CHECK, "memory is over 262144 KiB"},
    {"$argon2id$v=19$m=4294967304,t=3,p=1" ARGON2_TAIL, LK_E_CHECK, "memory is over"},
    {"$argon2id$v=19$m=262145,t=1,p=1" ARGON2_TAIL, LK_E_CHECK, "memory is over"},
    {"$argon2id$v=19$m=64,t=17,p=1" ARGON2_TAIL, LK_E_CHECK, "passes"},
    {"$argon2i$v=19$m=64,t=4294967295,p=1" ARGON2_TAIL, LK_E_CHECK, "passes"},
    {"$argon2id$v=19$m=64,t=1,p=5" ARGON2_TAIL, LK_E_CHECK, "lanes"},
    {"$argon2id$v=19$m=64,t=1,p=536870913" ARGON2_TAIL, LK_E_CHECK, "lanes"},
    {"$argon2id$v=19$m=262144,t=5,p=1" ARGON2_TAIL, LK_E_CHECK, "memory times its passes"},

    /* Form. */
    {"$2b$5" BCRYPT_TAIL, LK_E_CHECK, "bcrypt"},
    {"$2b$03" BCRYPT_TAIL, LK_E_CHECK, "bcrypt"},
    {"$2b$+5" BCRYPT_TAIL, LK_E_CHECK, "bcrypt"},
    {"$2b$05" BCRYPT_TAIL "a", LK_E_CHECK, "bcrypt"},
    {"$2b$05$Wa34g.WJMreXRbTI2wmC+epNo58DhLq1GP5D4v6fKwaPr1M9Y45aW", LK_E_CHECK, "bcrypt"},
    {"$2b$", LK_E_CHECK, "bcrypt"},
    {"$6$rounds=" SHA512_TAIL, LK_E_CHECK, "rounds="},
    {"$6$rounds=01000" SHA512_TAIL, LK_E_CHECK, "rounds="},
    {"$6$rounds=-1000" SHA512_TAIL, LK_E_CHECK, "rounds="},
    {"$6$rounds=999" SHA512_TAIL, LK_E_CHECK, "1000"},
    {"$6$rounds=0" SHA512_TAIL, LK_E_CHECK, "1000"},
    {"$6$rounds=1000" SHA512_TAIL "x", LK_E_CHECK, "SHA-crypt"},
    {"$6$abcdefghijklmnopq$yr9U7fAGsQgp1OGpAuRipOQSIDkRN3cJEgwG5u.zib8W.QTD9Xw1FhiKwQaUfPsmJXOKHNt5"
     "7l8RouBAcnf.n/",
     LK_E_CHECK, "SHA-crypt"},
    {"$6$", LK_E_CHECK, "SHA-crypt"},
    {"$5$$", LK_E_CHECK, "SHA-crypt"},
    {"$5$ab:cd$pIx2QamzN5dFrAfADvlmNdOIzvfULQnr/5AAIdDOU/0", LK_E_CHECK, "SHA-crypt"},
    {"$y$", LK_E_CHECK, "N and r"},
    {"$y$.75" YESCRYPT_TAIL, LK_E_CHECK, "N and r"},
    {"$y$j75." YESCRYPT_TAIL, LK_E_CHECK, "N and r"},
    {"$y$j7z" YESCRYPT_TAIL, LK_E_CHECK, "N and r"},
    {"$y$j.5" YESCRYPT_TAIL, LK_E_CHECK, "yescrypt"},
    {"$y$j75$a$zFph2fV.0F2OnjzMqwlfm1uvYRSRMT3KyyRcdxILqnD", LK_E_CHECK, "yescrypt"},
    {"$y$j75" YESCRYPT_TAIL "a", LK_E_CHECK, "yescrypt"},
    {"$7$", LK_E_CHECK, "PBKDF2"},
    {"$7$0$" MOSQUITTO_SALT "$" MOSQUITTO_HASH, LK_E_CHECK, "PBKDF2"},
    {"$7$0101$" MOSQUITTO_SALT "$" MOSQUITTO_HASH, LK_E_CHECK, "PBKDF2"},
    {"$7$101$$" MOSQUITTO_HASH, LK_E_CHECK, "PBKDF2"},
    {"$7$101$AAAA$" MOSQUITTO_HASH, LK_E_CHECK, "PBKDF2"},
    {"$7$101$" MOSQUITTO_SALT "$" MOSQUITTO_SALT, LK_E_CHECK, "PBKDF2"},
    {"$7$101$" MOSQUITTO_SALT "$" MOSQUITTO_HASH "=", LK_E_CHECK, "PBKDF2"},
    {"$argon2id$", LK_E_UNSUPPORTED, "version"},
    {"$argon2id$v=$m=64,t=1,p=1" ARGON2_TAIL, LK_E_CHECK, "v="},
    {"$argon2id$v=19$t=1,m=64,p=1" ARGON2_TAIL, LK_E_CHECK, "Argon2"},
    {"$argon2id$v=19$m=064,t=1,p=1" ARGON2_TAIL, LK_E_CHECK, "Argon2"},
    {"$argon2id$v=19$m=7,t=1,p=1" ARGON2_TAIL, LK_E_CHECK, "least"},
    {"$argon2id$v=19$m=31,t=1,p=4" ARGON2_TAIL, LK_E_CHECK, "least"},
    {"$argon2id$v=19$m=64,t=0,p=1" ARGON2_TAIL, LK_E_CHECK, "least"},
    {"$argon2id$v=19$m=64,t=1,p=0" ARGON2_TAIL, LK_E_CHECK, "least"},
    {"$argon2id$v=19$m=64,t=1,p=1$c2FsdA" ARGON2_TAIL, LK_E_CHECK, "Argon2"},
    {"$argon2id$v=19$m=64,t=1,p=1" ARGON2_TAIL "=", LK_E_CHECK, "Argon2"},
    {"$6$a b" SHA512_TAIL, LK_E_CHECK, "printable"},
    {SHA512_SHORT "\n", LK_E_CHECK, "printable"},
    {"$6$\xC3\xA4" SHA512_TAIL, LK_E_CHECK, "printable"},

    /* Other forms, as the same programs write them. */
    {"$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
     "PLjHLUzuHStzHGxaFToFQxXu45p/9IkhyxcO53fjTTs",
     LK_E_UNSUPPORTED, "version"},
    {"$argon2d$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
     "bH//IEKLc93f3szD1ADNFXL7tXY+NnfoRPBRRgm8/PI",
     LK_E_UNSUPPORTED, "Argon2d"},
    {"$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA" ARGON2_TAIL, LK_E_UNSUPPORTED, "key"},
    {"$6$c2owtXgCOWWGceMA$J1c5lky+0vtWpOlYxUaJxTUqbYhQljCNgYfBHmJs5iJbU4wsetxNW0/P+oHUaxiVkqP4Z12Yy"
     "ODSYVaKxS5c6Q==",
     LK_E_UNSUPPORTED, "mosquitto"},
    {"$gy$j9T$K7rCefkIVpI5AyvnYffcE/$hHTekPG5BpdgCrCj/Usm9Q25luuqDSDNDJSuLRPBVgD", LK_E_UNSUPPORTED,
     "GOST"},
    {"$7$CU..../....P.Qo6zEnP949EqiSziFU9.$4M/lxVBSXTsSS3WfW0vKka9miQFCtLgiC4M3XiEO514",
     LK_E_UNSUPPORTED, "scrypt"},
    {"$1$VGtJp5nf$mc.VITGJEr9mJ6W1tlx3u1", LK_E_UNSUPPORTED, "MD5"},
    {"$apr1$0bBJknXk$/vLsmBUUYNJ.k7Y4eytZ5.", LK_E_UNSUPPORTED, "Apache"},
    {"$md5,rounds=60600$PM2IxPpg$$UoPc8YR98dpsAsZ3NGmik1", LK_E_UNSUPPORTED, "Sun"},
    {"$3$$3d211b74dd729be1e552b4727594f3eb", LK_E_UNSUPPORTED, "NT"},
    {"$2x$05" BCRYPT_TAIL, LK_E_UNSUPPORTED, "faulty"},
    {"{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=", LK_E_UNSUPPORTED, "SHA-1"},
    {"{SSHA}mN7MYuzjmaIu0w1JDvMzvn/ec4UAAAA=", LK_E_UNSUPPORTED, "salted"},
    {"{CRYPT}rayU3yyS9pcFE", LK_E_UNSUPPORTED, "LDAP"},
    {"rayU3yyS9pcFE", LK_E_UNSUPPORTED, "DES"},
    {"_J9..B3fHgxlO0qjEUIE", LK_E_UNSUPPORTED, "DES"},
    {"$sha1$1$a$b", LK_E_UNSUPPORTED, "SHA1"},
    {"$unknown$1", LK_E_UNSUPPORTED, "not known"},
    {"hunter2", LK_E_UNSUPPORTED, "plain"},
    {"!", LK_E_UNSUPPORTED, "form"},
    {"", LK_E_UNSUPPORTED, "empty"},
};

static void test_port_foreign_refuses_costs_and_bad_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *rule = NULL;

        print_message("case %zu: %s\n", i, refused[i].hash);
        assert_int_equal(lk_foreign_check(NULL, text(refused[i].hash), &rule), refused[i].error);
        assert_non_null(rule);
        assert_non_null(strstr(rule, refused[i].rule));
        assert_int_equal(lk_foreign_check(NULL, text(refused[i].hash), NULL), refused[i].error);
        assert_int_equal(verify(refused[i].hash, PASSWORD), refused[i].error);
    }
}

static void test_port_foreign_refuses_a_long_string(void **state)
{
    char hash[LK_FOREIGN_HASH_MAX + 2];
    const char *rule;

    (void)state;
    memset(hash, 'a', sizeof hash);
    memcpy(hash, "$6$", 3);
    assert_int_equal(
        lk_foreign_check(NULL, (struct lk_span){(const uint8_t *)hash, sizeof hash - 1}, &rule),
        LK_E_CHECK);
    assert_int_equal(
        lk_foreign_check(NULL, (struct lk_span){(const uint8_t *)hash, sizeof hash}, &rule),
        LK_E_CHECK);
    assert_non_null(strstr(rule, "255"));
}

static void test_port_foreign_costs_at_the_caps_are_taken(void **state)
{
    static const char *const hashes[] = {
        "$6$rounds=1000000" SHA512_TAIL,
        "$2b$14" BCRYPT_TAIL,
        "$7$2000000$" MOSQUITTO_SALT "$" MOSQUITTO_HASH,
        "$y$jDT" YESCRYPT_TAIL, /* 256 MiB */
        "$argon2id$v=19$m=262144,t=4,p=4" ARGON2_TAIL,
        "$argon2i$v=19$m=65536,t=16,p=1" ARGON2_TAIL,
    };

    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        const char *rule;

        print_message("case %zu: %s\n", i, hashes[i]);
        assert_int_equal(lk_foreign_check(NULL, text(hashes[i]), &rule), LK_OK);
    }
}

static void *thread_run(void *argument)
{
    size_t first = *(const size_t *)argument;

    for (size_t i = 0; i < 8; i++) {
        const char *hash = written[(first + i) % 6].hash;

        if (verify(hash, PASSWORD) != LK_OK || verify(hash, "wrong") != LK_E_REFUSED) {
            return argument;
        }
    }
    return NULL;
}

static void test_port_foreign_runs_in_many_threads(void **state)
{
    pthread_t threads[4];
    size_t first[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        first[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, thread_run, &first[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

static int setup(void **state)
{
    (void)state;
    return lk_sodium_init();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_foreign_verifies_what_other_programs_wrote),
        cmocka_unit_test(test_port_foreign_needs_the_whole_password),
        cmocka_unit_test(test_port_foreign_refuses_a_password_bcrypt_would_cut),
        cmocka_unit_test(test_port_foreign_refuses_a_password_with_nul),
        cmocka_unit_test(test_port_foreign_refuses_a_password_over_the_limit),
        cmocka_unit_test(test_port_foreign_takes_a_bcrypt_salt_with_spare_bits),
        cmocka_unit_test(test_port_foreign_notices_every_changed_letter),
        cmocka_unit_test(test_port_foreign_refuses_costs_and_bad_forms),
        cmocka_unit_test(test_port_foreign_refuses_a_long_string),
        cmocka_unit_test(test_port_foreign_costs_at_the_caps_are_taken),
        cmocka_unit_test(test_port_foreign_runs_in_many_threads),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
