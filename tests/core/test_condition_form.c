// SPDX-License-Identifier: MIT
/* Conditions of permissions, one by one: how they are written, from where and when they hold. */
#include "bench.h"

#include "lk_engine.h"

typedef const char *form_rule(struct lk_span text);

#define WINDOW_RULE "is not of the form mon-fri 08:00-18:00; sat,sun 22:00-02:00"
#define ZONE_RULE   "is not an offset from UTC like +02:00 or -05:30, up to 14 hours"
#define NET_RULE    "holds what is neither an IPv4 nor an IPv6 address"
#define BITS_RULE   "holds a prefix that is no number of bits, 0 to 32 (IPv4) or 128 (IPv6)"
#define BEHIND_RULE "holds an address with bits set behind its prefix"
#define OTHER_RULE  "names something else than console, cli, pam, mqtt, http, api"
#define NEVER_RULE  "ends when it begins; a whole day is 00:00-24:00"

static const struct {
    form_rule *form;
    const char *text, *rule; /* NULL: taken */
} forms[] = {
    {lk_channels_form, "console", NULL},
    {lk_channels_form, "console cli,pam,  mqtt http,api", NULL},
    {lk_channels_form, "HTTP", NULL},
    {lk_channels_form, ",console,", NULL},
    {lk_channels_form, " , ", "names no channel"},
    {lk_channels_form, "consol", OTHER_RULE},
    {lk_channels_form, "console;http", OTHER_RULE},
    {lk_channels_form, "console\xC2\xA0http", OTHER_RULE}, /* a blank that is none */
    {lk_channels_form, "0", OTHER_RULE},
    {lk_sources_form, "10.0.0.0/8", NULL},
    {lk_sources_form, "10.0.0.0/8 192.0.2.7,2001:db8::/32", NULL},
    {lk_sources_form, "0.0.0.0/0", NULL},
    {lk_sources_form, "::/0", NULL},
    {lk_sources_form, "::1", NULL},
    {lk_sources_form, "::ffff:10.0.0.0/104", NULL},
    {lk_sources_form, "10.0.0.0/32", NULL},
    {lk_sources_form, " ", "names no address"},
    {lk_sources_form, "10.0.0.0/33", BITS_RULE},
    {lk_sources_form, "::/129", BITS_RULE},
    {lk_sources_form, "10.0.0.0/", BITS_RULE},
    {lk_sources_form, "10.0.0.0/08", BITS_RULE},
    {lk_sources_form, "10.0.0.0/-1", BITS_RULE},
    {lk_sources_form, "10.0.0.0/8/8", BITS_RULE},
    {lk_sources_form, "10.0.0.0/18446744073709551624", BITS_RULE},
    {lk_sources_form, "10.0.0.1/8", BEHIND_RULE},
    {lk_sources_form, "2001:db8::1/32", BEHIND_RULE},
    {lk_sources_form, "::ffff:0:0/90", BEHIND_RULE},
    {lk_sources_form, "10.0.0.0/255.0.0.0", BITS_RULE},
    {lk_sources_form, "/8", NET_RULE},
    {lk_sources_form, "10/8", NET_RULE},
    {lk_sources_form, "010.0.0.0/8", NET_RULE},
    {lk_sources_form, "fe80::1%eth0", NET_RULE},
    {lk_sources_form, "localhost", NET_RULE},
    {lk_sources_form, "10.0.0.0/8;10.0.0.0/8", BITS_RULE},
    {lk_window_form, "mon-fri 08:00-18:00; sat 08:00-12:00", NULL},
    {lk_window_form, "mon", NULL},
    {lk_window_form, "Mon,WED fri-mon", NULL},
    {lk_window_form, "08:00-18:00", NULL},
    {lk_window_form, "00:00-24:00", NULL},
    {lk_window_form, "22:00-02:00", NULL},
    {lk_window_form, "mon;", NULL},
    {lk_window_form, "", WINDOW_RULE},
    {lk_window_form, ";", WINDOW_RULE},
    {lk_window_form, "mon;;tue", WINDOW_RULE},
    {lk_window_form, "mon-", WINDOW_RULE},
    {lk_window_form, "mon-fr", WINDOW_RULE},
    {lk_window_form, "monday", WINDOW_RULE},
    {lk_window_form, "mon-fri-sun", WINDOW_RULE},
    {lk_window_form, "8:00-18:00", WINDOW_RULE},
    {lk_window_form, "08:00", WINDOW_RULE},
    {lk_window_form, "08:00-18:60", WINDOW_RULE},
    {lk_window_form, "08:00-24:01", WINDOW_RULE},
    {lk_window_form, "24:00-08:00", WINDOW_RULE},
    {lk_window_form, "08.00-18.00", WINDOW_RULE},
    {lk_window_form, "08:00-18:00 mon", WINDOW_RULE},
    {lk_window_form, "08:00-10:00 12:00-14:00", WINDOW_RULE},
    {lk_window_form, "08:00-08:00", NEVER_RULE},
    {lk_window_form, "mon 08:00-18:00:00", WINDOW_RULE},
    {lk_window_form, "-1:00-18:00", WINDOW_RULE},
    {lk_zone_form, "+00:00", NULL},
    {lk_zone_form, "-14:00", NULL},
    {lk_zone_form, "+05:45", NULL},
    {lk_zone_form, "+14:01", ZONE_RULE},
    {lk_zone_form, "05:45", ZONE_RULE},
    {lk_zone_form, "+5:45", ZONE_RULE},
    {lk_zone_form, "+05:60", ZONE_RULE},
    {lk_zone_form, "UTC+02", ZONE_RULE},
    {lk_zone_form, "+02-00", ZONE_RULE},
};

static void test_condition_forms(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(forms); i++) {
        const char *rule = forms[i].form(bench_text(forms[i].text));

        if (forms[i].rule ? !rule || strcmp(rule, forms[i].rule) != 0 : rule != NULL) {
            fail_msg("\"%s\": \"%s\", want \"%s\"", forms[i].text, rule ? rule : "taken",
                     forms[i].rule ? forms[i].rule : "taken");
        }
    }
}

/* Whatever the bytes: the forms answer, and what they take can be asked. In memory of just the
 * size, so that a byte read past the end is noticed. */
static void test_condition_hostile_texts(void **state)
{
    static const char bytes[] = "montuewedthufrisatsun0123456789:-;,./ abcdef\xFF\x80\x01+";
    uint64_t random = 88172645463325252u;
    unsigned round, taken = 0;

    (void)state;
    for (round = 0; round < 200000; round++) {
        const char *seed = forms[round % LK_COUNT(forms)].text;
        size_t size = strlen(seed), i, changes;
        char *text = malloc(size + 1);
        struct lk_span span;
        struct lk_permission permission;
        struct lk_context context = {.channel = 1 + (int)(round % 6), .clock_trusted = true};
        uint8_t ip[16] = {10, 0, 0, 7};
        uint64_t failed;
        form_rule *form = forms[round % LK_COUNT(forms)].form;

        assert_non_null(text);
        memcpy(text, seed, size);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        changes = random % 4;
        for (i = 0; size && i < changes; i++) {
            text[(random >> (8 + 8 * i)) % size] =
                bytes[(random >> (16 + 8 * i)) % (sizeof(bytes) - 1)];
        }
        size -= size && random % 5 == 0 ? 1 : 0;
        text = realloc(text, size ? size : 1);
        assert_non_null(text);
        span = (struct lk_span){(const uint8_t *)text, size};
        memset(&permission, 0, sizeof(permission));
        context.ip = (struct lk_span){ip, random % 2 ? 4 : 16};
        context.at_ms = random >> 24;
        context.zone_minutes = lk_zone_minutes(span);
        assert_true(context.zone_minutes >= -840 && context.zone_minutes <= 840);
        taken += form(span) == NULL;
        lk_set_span(&lk_kind_permission, &permission.record, "channels", span);
        lk_set_span(&lk_kind_permission, &permission.record, "sources", span);
        lk_set_span(&lk_kind_permission, &permission.record, "window", span);
        /* What is none of the three texts holds in none of them. */
        assert_int_equal(lk_condition_holds(&permission, &context, &failed), LK_HOLDS_NO);
        free(text);
    }
    print_message("%u texts, %u of them taken\n", round, taken);
    assert_true(taken > 10000 && taken < round);
}

/* ---- Where from ---- */

static const struct {
    const char *sources, *address;
    bool holds;
} nets[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.0.0.0/9", "10.127.0.1", true},
    {"10.0.0.0/9", "10.128.0.0", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7", "192.0.2.6", false},
    {"192.0.2.6/31", "192.0.2.7", true},
    {"0.0.0.0/0", "203.0.113.1", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "203.0.113.1", false},
    {"::/0", "::ffff:203.0.113.1", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "::ffff:11.1.2.3", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true},
    {"::ffff:0.0.0.0/96", "203.0.113.1", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::/32 10.0.0.0/8", "10.0.0.1", true},
    {"::10.0.0.0/104", "10.0.0.1", false}, /* compatible, not mapped */
};

static void test_condition_sources(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(nets); i++) {
        struct lk_permission permission = {.sources = bench_text(nets[i].sources)};
        struct lk_context context = {.channel = 1 + LK_CHANNEL_HTTP};
        uint8_t address[16];
        size_t size;
        uint64_t failed;

        permission.record.present = LK_BIT(13);
        assert_null(lk_sources_form(permission.sources));
        assert_int_equal(lk_address_parse(bench_text(nets[i].address), address, &size), 0);
        context.ip = (struct lk_span){address, size};
        if ((lk_condition_holds(&permission, &context, &failed) == LK_HOLDS_YES) != nets[i].holds) {
            fail_msg("%s in %s", nets[i].address, nets[i].sources);
        }
        assert_int_equal(failed, nets[i].holds ? 0 : LK_BIT(13));
        /* Without an address nobody can tell; at the device itself there is none to tell. */
        context.ip.size = 0;
        assert_int_equal(lk_condition_holds(&permission, &context, &failed), LK_HOLDS_UNKNOWN);
        context.channel = 1 + LK_CHANNEL_CONSOLE;
        assert_int_equal(lk_condition_holds(&permission, &context, &failed), LK_HOLDS_NO);
    }
}

/* ---- When ---- */

static const struct {
    const char *window, *at, *zone;
    bool holds;
} times[] = {
    /* 2026-11-20 is a Friday. */
    {"mon-fri 08:00-18:00", "2026-11-20T08:00:00Z", "+00:00", true},
    {"mon-fri 08:00-18:00", "2026-11-20T07:59:59.999Z", "+00:00", false},
    {"mon-fri 08:00-18:00", "2026-11-20T17:59:59.999Z", "+00:00", true},
    {"mon-fri 08:00-18:00", "2026-11-20T18:00:00Z", "+00:00", false},
    {"mon-fri 08:00-18:00", "2026-11-21T12:00:00Z", "+00:00", false},
    {"mon-fri 08:00-18:00; sat 08:00-12:00", "2026-11-21T11:59:00Z", "+00:00", true},
    {"mon-fri 08:00-18:00", "2026-11-20T06:00:00Z", "+02:00", true},
    {"mon-fri 08:00-18:00", "2026-11-20T16:00:00Z", "+02:00", false},
    {"sat", "2026-11-20T22:00:00Z", "+02:00", true}, /* Saturday there already */
    {"fri", "2026-11-20T22:00:00Z", "+02:00", false},
    {"thu", "2026-11-20T03:00:00Z", "-05:30", true}, /* and Thursday still */
    {"fri 22:00-02:00", "2026-11-20T23:59:00Z", "+00:00", true},
    {"fri 22:00-02:00", "2026-11-21T01:59:59Z", "+00:00", true},
    {"fri 22:00-02:00", "2026-11-21T02:00:00Z", "+00:00", false},
    {"fri 22:00-02:00", "2026-11-20T01:00:00Z", "+00:00", false}, /* that is Thursday's night */
    {"sun 22:00-02:00", "2026-11-23T01:00:00Z", "+00:00", true},  /* over the week's end */
    {"fri-mon", "2026-11-22T00:00:00Z", "+00:00", true},
    {"fri-mon", "2026-11-24T00:00:00Z", "+00:00", false},
    {"22:00-00:00", "2026-11-24T23:59:59Z", "+00:00", true},
    {"22:00-00:00", "2026-11-24T00:00:00Z", "+00:00", false},
    {"00:00-24:00", "2026-11-24T23:59:59.999Z", "+00:00", true},
    {"thu 00:00-00:01", "1970-01-01T00:00:30Z", "+00:00", true},
    {"wed 12:00-13:00", "1970-01-01T02:30:00Z", "-14:00", true}, /* before there was a day one */
    {"fri", "1970-01-01T10:00:00Z", "+14:00", true},
    {"thu", "2024-02-29T12:00:00Z", "+00:00", true},
    {"fri", "9999-12-31T23:59:59Z", "+00:00", true},
};

static void test_condition_windows(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(times); i++) {
        struct lk_permission permission = {.window = bench_text(times[i].window)};
        struct lk_context context = {.clock_trusted = true,
                                     .zone_minutes = lk_zone_minutes(bench_text(times[i].zone))};
        uint64_t failed;

        permission.record.present = LK_BIT(14);
        assert_null(lk_window_form(permission.window));
        assert_int_equal(lk_time_parse(bench_text(times[i].at), 0, &context.at_ms), 0);
        if ((lk_condition_holds(&permission, &context, &failed) == LK_HOLDS_YES) !=
            times[i].holds) {
            fail_msg("%s %s in \"%s\"", times[i].at, times[i].zone, times[i].window);
        }
        context.clock_trusted = false;
        assert_int_equal(lk_condition_holds(&permission, &context, &failed), LK_HOLDS_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition_forms),
        cmocka_unit_test(test_condition_hostile_texts),
        cmocka_unit_test(test_condition_sources),
        cmocka_unit_test(test_condition_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
