// SPDX-License-Identifier: MIT
/* Conditions of permissions: what may be set, and when they hold. */
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

/* ---- All together, through the question ---- */

static struct lk_id give(struct bench *bench, struct lk_id user, const char *name,
                         const char *extra, const char *more)
{
    struct lk_id permission = {0, 0, 0}, role = permission;
    char names[80], resource[40] = "resource=", action[40] = "action=";
    const char *colon = strchr(name, ':');

    (void)snprintf(resource + 9, sizeof(resource) - 9, "%.*s", (int)(colon - name), name);
    (void)snprintf(action + 7, sizeof(action) - 7, "%s", colon + 1);
    (void)snprintf(names, sizeof(names), "name=%s %s %s", name, extra, more ? more : "");
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, names, resource, action,
                               extra, more, NULL),
                     0);
    (void)snprintf(names, sizeof(names), "name=role of %u", permission.sub);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, names, NULL), 0);
    assert_int_equal(lk_role_permit(&bench->txn, role, permission, true), 0);
    assert_int_equal(lk_role_grant(&bench->txn, user, role, 0), 0);
    bench_commit(bench);
    return permission;
}

static int ask(struct bench *bench, struct lk_id user, const struct lk_question *question,
               struct lk_reason *reason)
{
    int error;

    bench_read(bench);
    error = lk_permission_check(&bench->txn, user, question, reason);
    lk_abort(&bench->txn);
    return error;
}

static void test_condition_owner_channel_and_unknowns(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_reason reason;
    struct lk_id permission;

    (void)state;
    permission = give(bench, alice, "door:open", "owner_only=true", "channels=http cli");
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_int_equal(reason.decision, LK_DECIDED_CONDITION);
    assert_int_equal(reason.permission.sub, permission.sub);
    assert_true(reason.failed == (LK_BIT(12) | LK_BIT(15)));
    question.owner = alice.user;
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_true(reason.failed == LK_BIT(12));
    question.channel = 1 + LK_CHANNEL_CONSOLE;
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    question.channel = 1 + LK_CHANNEL_HTTP;
    assert_int_equal(ask(bench, alice, &question, &reason), 0);
    assert_int_equal(reason.decision, LK_DECIDED_ALLOWED);
    question.owner = bench->admin.user;
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_true(reason.failed == LK_BIT(15));
    /* Another permission that gives it without conditions is enough. */
    (void)give(bench, alice, "door:*", "description=all", NULL);
    assert_int_equal(ask(bench, alice, &question, &reason), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* A window goes by the tenant's zone, and closes with a clock that cannot be believed. */
static void test_condition_window_needs_a_clock(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_reason reason;

    (void)state; /* the clock stands at midnight of a Thursday, UTC */
    (void)give(bench, alice, "door:open", "window=thu 02:00-03:00", NULL);
    assert_int_equal(ask(bench, alice, &question, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "time_zone=+02:30", NULL),
                     0);
    bench_commit(bench);
    assert_int_equal(ask(bench, alice, &question, NULL), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    assert_int_equal(ask(bench, alice, &question, &reason), LK_E_REFUSED);
    assert_true(reason.failed == LK_BIT(14));
    /* What would be at a time that is named needs no clock. */
    question.at = LK_FAKE_START_MS;
    assert_int_equal(ask(bench, alice, &question, NULL), 0);
    question.at = 0;
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 30 * 60000, LK_CLOCK_SYNCED);
    assert_int_equal(ask(bench, alice, &question, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* ---- Denial ---- */

static void test_deny_wins_over_everything(void **state)
{
    struct bench *bench = bench_open();
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_question other = {.resource = LK_TEXT("door"), .action = LK_TEXT("close")};
    struct lk_reason reason;
    struct lk_id deny;

    (void)state;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    deny = give(bench, bench->admin, "door:open", "deny=true", NULL);
    assert_int_equal(ask(bench, bench->admin, &question, &reason), LK_E_REFUSED);
    assert_int_equal(reason.decision, LK_DECIDED_DENIED);
    assert_int_equal(reason.permission.sub, deny.sub);
    assert_int_equal(ask(bench, bench->admin, &other, NULL), 0);
    /* A wildcard denies, too; and so does one that is held twice removed. */
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "action=*", NULL), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bench->admin, &other, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "approval=true", NULL),
                     LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, "is not for a permission that denies");
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "login_age=5", NULL), LK_E_CHECK);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "deny=false", NULL), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    bench_verify(bench);
    bench_close(bench);
}

/* What cannot be told counts against whoever asks. */
static void test_deny_under_conditions(void **state)
{
    struct bench *bench = bench_open();
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};

    (void)state;
    (void)give(bench, bench->admin, "door:open", "deny=true", "channels=http api");
    assert_int_equal(ask(bench, bench->admin, &question, NULL), LK_E_REFUSED);
    question.channel = 1 + LK_CHANNEL_HTTP;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), LK_E_REFUSED);
    question.channel = 1 + LK_CHANNEL_CONSOLE;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    question.resource = LK_TEXT("gate");
    question.channel = 0;
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0);
    (void)give(bench, bench->admin, "gate:open", "deny=true", "window=mon 00:00-01:00");
    assert_int_equal(ask(bench, bench->admin, &question, NULL), 0); /* it is Thursday */
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    assert_int_equal(ask(bench, bench->admin, &question, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* A grant that ends: while the clock cannot tell whether it has, it gives nothing and still takes.
 */
static void test_deny_by_a_grant_that_ends(void **state)
{
    struct bench *bench = bench_open();
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_id deny = give(bench, alice, "door:open", "deny=true", NULL), role, simple;
    char name[40];

    (void)state;
    simple = give(bench, bob, "door:open", "description=simply", NULL);
    (void)give(bench, alice, "door:open", "description=for alice", NULL);
    bench_write(bench);
    (void)snprintf(name, sizeof(name), "role of %u", deny.sub);
    role = bench_named(bench, &lk_kind_role, name);
    (void)snprintf(name, sizeof(name), "role of %u", simple.sub);
    simple = bench_named(bench, &lk_kind_role, name);
    assert_int_equal(lk_role_grant(&bench->txn, bob, role, lk_now(&bench->txn) + 60000), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bob, &question, NULL), LK_E_REFUSED);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    assert_int_equal(ask(bench, bob, &question, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "deny=false", NULL), 0);
    assert_int_equal(lk_role_revoke(&bench->txn, bob, simple), 0);
    bench_commit(bench);
    assert_int_equal(ask(bench, bob, &question, NULL), LK_E_REFUSED);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_SYNCED);
    assert_int_equal(ask(bench, bob, &question, NULL), 0);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_permission, deny, "deny=true", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, bob, simple, 0), 0);
    bench_commit(bench);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 60000, LK_CLOCK_SYNCED);
    assert_int_equal(ask(bench, bob, &question, NULL), 0);
    assert_int_equal(ask(bench, alice, &question, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* A key with fewer roles does not shed what its owner is denied. */
static void test_deny_reaches_limited_keys(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), permission, role, key;
    char token[LK_TOKEN_SIZE], name[40];
    uint8_t roles[16];
    size_t size;

    (void)state;
    permission = give(bench, alice, "door:open", "description=simply", NULL);
    bench_write(bench);
    (void)snprintf(name, sizeof(name), "role of %u", permission.sub);
    role = bench_named(bench, &lk_kind_role, name);
    assert_int_equal(lk_refs_change(LK_TEXT("\x80"), role.sub, true, roles, sizeof(roles), &size),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), (struct lk_span){roles, size},
                                    0, token, &key),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_check(bench, token, "door:open"), 0);
    (void)give(bench, alice, "door:*", "deny=true", NULL);
    assert_int_equal(bench_check(bench, token, "door:open"), LK_E_REFUSED);
    bench_close(bench);
}

/* What is put back keeps the rules as well, and verify finds what does not. */
static void test_condition_put_back_and_verified(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id id = {0, 0, 0};
    struct lk_permission permission;
    struct lk_verify verify = {.on_fault = NULL};

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &id, "name=door:open", "resource=door",
                               "action=open", "window=mon", NULL),
                     0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_permission, id, &permission.record), 0);
    permission.record.id.sub += 10;
    permission.record.raw.size = 0;
    lk_set_text(&lk_kind_permission, &permission.record, "name", "again");
    lk_set_text(&lk_kind_permission, &permission.record, "resource", "door");
    lk_set_text(&lk_kind_permission, &permission.record, "action", "open");
    lk_set_text(&lk_kind_permission, &permission.record, "window", "some day");
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_permission, &permission.record), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->field, "window");
    lk_set_text(&lk_kind_permission, &permission.record, "window", "sun");
    lk_set_number(&lk_kind_permission, &permission.record, "deny", 1);
    lk_set_number(&lk_kind_permission, &permission.record, "login_age", 1);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_permission, &permission.record), LK_E_CHECK);
    assert_string_equal(lk_problem(&bench->txn)->rule, "is not for a permission that denies");
    lk_set_number(&lk_kind_permission, &permission.record, "login_age", 0);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_permission, &permission.record), 0);
    bench_commit(bench);
    bench_verify(bench);
    /* Past the write path: a text of no form, and a denial that asks for more. */
    bench_write(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_permission, id, &permission.record), 0);
    lk_set_text(&lk_kind_permission, &permission.record, "window", "some day");
    lk_set_number(&lk_kind_permission, &permission.record, "deny", 1);
    lk_set_number(&lk_kind_permission, &permission.record, "approval", 1);
    assert_int_equal(lk_record_store(&bench->txn, &lk_kind_permission, &permission.record,
                                     lk_work(&bench->txn)->new_value),
                     0);
    assert_int_equal(lk_verify(&bench->txn, &verify), LK_E_FAULTS);
    assert_int_equal(verify.fault_count, 2);
    bench_close(bench);
}

/* ---- Where a session comes from ---- */

static int check_from(struct bench *bench, const char *token, const char *address)
{
    struct lk_question question = {.resource = LK_TEXT("door"), .action = LK_TEXT("open")};
    struct lk_verdict verdict;
    uint8_t ip[16];
    int error;

    if (address) {
        assert_int_equal(lk_address_parse(bench_text(address), ip, &question.ip.size), 0);
        question.ip.data = ip;
    }
    question.channel = 1 + LK_CHANNEL_CONSOLE; /* a session has its own */
    bench_read(bench);
    error = lk_session_check(&bench->txn, 0, bench_text(token), &question, &verdict);
    lk_abort(&bench->txn);
    return error;
}

static void test_condition_of_a_session(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    static const uint8_t address[4] = {10, 1, 2, 3};
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT("alice's secret"),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {address, sizeof(address)}};
    struct lk_login_result result;

    (void)state;
    (void)give(bench, alice, "door:open", "sources=10.0.0.0/8", "channels=http");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    assert_int_equal(check_from(bench, result.token, NULL), 0);
    assert_int_equal(check_from(bench, result.token, "203.0.113.9"), LK_E_REFUSED);
    assert_int_equal(check_from(bench, result.token, "::ffff:10.9.9.9"), 0);
    request.channel = LK_CHANNEL_MQTT;
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
    assert_int_equal(check_from(bench, result.token, NULL), LK_E_REFUSED);
    bench_close(bench);
}

/* ---- A newer login ---- */

static void test_login_age_asks_for_a_new_login(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret"), permission, key;
    struct lk_login_result result, again;
    char token[LK_TOKEN_SIZE];
    struct lk_reason reason;

    (void)state;
    (void)give(bench, alice, "door:open", "description=simply", NULL);
    bench_write(bench);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, token, &key),
                     0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &again), 0);
    assert_int_equal(bench_check(bench, token, "door:open"), 0);
    /* Whoever demands it: the one who gives it did not. */
    permission = give(bench, alice, "door:*", "login_age=60", NULL);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    lk_fake_advance(&bench->fake, 60000);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    lk_fake_advance(&bench->fake, 1);
    assert_int_equal(bench_check(bench, result.token, "door:open"), LK_E_STEP_UP);
    assert_int_equal(bench_check(bench, again.token, "door:open"), LK_E_STEP_UP);
    assert_int_equal(bench_check(bench, result.token, "gate:open"), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, result.token, NULL), 0);
    /* A key cannot log in: it is refused. */
    assert_int_equal(bench_check(bench, token, "door:open"), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    assert_int_equal(bench_check(bench, result.token, "door:open"), 0);
    assert_int_equal(ask(bench, alice, LK_ASK("door", "open"), &reason), LK_E_STEP_UP);
    assert_int_equal(reason.decision, LK_DECIDED_STEP_UP);
    assert_int_equal(reason.demand.sub, permission.sub);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition_forms),
        cmocka_unit_test(test_condition_hostile_texts),
        cmocka_unit_test(test_condition_sources),
        cmocka_unit_test(test_condition_windows),
        cmocka_unit_test(test_condition_owner_channel_and_unknowns),
        cmocka_unit_test(test_condition_window_needs_a_clock),
        cmocka_unit_test(test_deny_wins_over_everything),
        cmocka_unit_test(test_deny_under_conditions),
        cmocka_unit_test(test_deny_by_a_grant_that_ends),
        cmocka_unit_test(test_deny_reaches_limited_keys),
        cmocka_unit_test(test_condition_put_back_and_verified),
        cmocka_unit_test(test_condition_of_a_session),
        cmocka_unit_test(test_login_age_asks_for_a_new_login),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
