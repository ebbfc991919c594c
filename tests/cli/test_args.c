// SPDX-License-Identifier: MIT
/* Words to commands; and the tables themselves. */
#include "cli_help.h"

#include "lk_engine.h"

#include "lk_transfer.h"

static const struct lk_cli_command *const all_tables[] = {
    lk_cli_host_commands, lk_transfer_commands, lk_cli_commands, NULL};

/* ---- The tables ------------------------------------------------------------------------------ */

static void test_args_table_rows_are_whole(void **state)
{
    struct cli_bench *bench = *state;
    const struct lk_cli_command *row;
    size_t i, j;

    bench->cli.tables = all_tables;
    for (i = 0; (row = lk_cli_row(&bench->cli, i)) != NULL; i++) {
        const char *name = row->verb ? row->verb : row->noun;
        const struct lk_cli_option *option, *other;

        if (!row->help || !row->help[0] || row->help[strlen(row->help) - 1] == '.' ||
            !row->handler || !row->args || row->min_args > row->max_args) {
            fail_msg("%s %s: help, args or handler", row->noun, name);
        }
        if (!(row->flags & LK_CLI_ANYONE) && (!row->resource || !row->action)) {
            fail_msg("%s %s: no permission", row->noun, name);
        }
        if (row->flags & LK_CLI_FIELDS && !row->kind) {
            fail_msg("%s %s: fields of no kind", row->noun, name);
        }
        for (option = row->options; option && option->name; option++) {
            assert_true(option->help && option->help[0]);
            for (other = lk_cli_globals; other->name; other++) {
                assert_string_not_equal(option->name, other->name);
            }
            for (other = row->options; other != option; other++) {
                assert_string_not_equal(option->name, other->name);
            }
        }
        for (j = 0; j < i && row->noun[0] != 'h'; j++) {
            const struct lk_cli_command *before = lk_cli_row(&bench->cli, j);

            if (lk_cli_same(before->noun, row->noun) &&
                lk_cli_same(before->verb ? before->verb : "", row->verb ? row->verb : "")) {
                fail_msg("%s %s is there twice", row->noun, name);
            }
        }
    }
    assert_true(i > 50);
}

/* What a command needs can be granted: each pair is a permission of every new tenant. */
static void test_args_permissions_exist(void **state)
{
    struct cli_bench *bench = *state;
    const struct lk_cli_command *row;
    char line[128];
    size_t i;

    for (i = 0; (row = lk_cli_row(&bench->cli, i)) != NULL; i++) {
        if (row->resource) {
            (void)snprintf(line, sizeof(line), "permission show %s:%s", row->resource, row->action);
            (void)cli_ok(bench, line);
        }
    }
}

static void check_width(const struct cli_text *text, const char *what)
{
    const char *line = text->data;

    while (*line) {
        size_t size = strcspn(line, "\n");

        if (lk_cli_columns((struct lk_span){(const uint8_t *)line, size}) > 80) {
            fail_msg("%s: over 80 columns: %.*s", what, (int)size, line);
        }
        line += size + (line[size] == '\n');
    }
}

static void test_args_help_of_every_command(void **state)
{
    struct cli_bench *bench = *state;
    const struct lk_cli_command *row;
    char line[128];
    size_t i;

    bench->cli.tables = all_tables;
    for (i = 0; (row = lk_cli_row(&bench->cli, i)) != NULL; i++) {
        (void)snprintf(line, sizeof(line), "help %s %s", row->noun, row->verb ? row->verb : "");
        (void)cli_ok(bench, line);
        assert_true(cli_has(&bench->out, row->noun));
        check_width(&bench->out, line);
        (void)snprintf(line, sizeof(line), "%s %s --help", row->noun, row->verb ? row->verb : "");
        (void)cli_ok(bench, line);
        assert_true(cli_has(&bench->out, "usage: latchkey "));
    }
    (void)cli_ok(bench, "help");
    check_width(&bench->out, "help");
    (void)cli_ok(bench, "help user");
    assert_true(cli_has(&bench->out, "passwd"));
    (void)cli_ok(bench, "--help");
    assert_true(cli_has(&bench->out, "exit status"));
    cli_fails(bench, 2, "help usr", "did you mean \"user\"");
    cli_fails(bench, 2, "help user lst", "did you mean \"list\"");
}

static void test_args_describe(void **state)
{
    struct cli_bench *bench = *state;
    size_t i;

    (void)cli_ok(bench, "describe");
    for (i = 0; lk_kinds[i]; i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "describe %s", lk_kinds[i]->name);
        (void)cli_ok(bench, line);
        check_width(&bench->out, line);
        assert_true(cli_has(&bench->out, lk_kinds[i]->help));
    }
    cli_fails(bench, 3, "describe nothing", "does not exist");
}

static void test_args_manual_and_completion(void **state)
{
    struct cli_bench *bench = *state;

    bench->cli.tables = all_tables;
    (void)cli_ok(bench, "help --man");
    assert_true(strncmp(bench->out.data, ".TH LATCHKEY 1", 14) == 0);
    assert_true(cli_has(&bench->out, ".SS user passwd USER"));
    (void)cli_ok(bench, "help --completion bash");
    assert_true(cli_has(&bench->out, "complete -o default -F _latchkey latchkey"));
    cli_fails(bench, 2, "help --completion tcsh", "is not a shell");
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void test_args_unknown_words(void **state)
{
    struct cli_bench *bench = *state;

    cli_fails(bench, 2, "", "a command is missing");
    cli_fails(bench, 2, "usr list", "latchkey: \"usr\" is not a command; did you mean \"user\"?\n");
    cli_fails(bench, 2, "xyzzy", "latchkey: \"xyzzy\" is not a command\n");
    cli_fails(bench, 2, "user", "latchkey: user: say what to do: add show list");
    cli_fails(bench, 2, "user lsit", "latchkey: user: \"lsit\"");
    cli_fails(bench, 2, "user lsit", "did you mean \"list\"?");
    cli_fails(bench, 2, "user frobnicate", "is none of add show list");
    cli_fails(bench, 2, "user list --revers", "did you mean \"--reverse\"?");
    cli_fails(bench, 2, "user list --xyzzyxyzzy", "is not an option of this command");
    cli_fails(bench, 2, "user list --limit", "limit: needs a value");
    cli_fails(bench, 2, "user list --reverse=yes", "reverse: takes no value");
    cli_fails(bench, 2, "user list --limit ten", "limit: \"ten\" is not a whole number");
    cli_fails(bench, 2, "user list --limit 0", "is no page");
    cli_fails(bench, 2, "user list --by usrname", "did you mean \"username\"");
    cli_fails(bench, 2, "user list --after x", "is not a cursor");
    cli_fails(bench, 2, "user list --columns id,nam", "\"nam\" is not a field");
    cli_fails(bench, 2, "user show -x", "they begin with --");
    cli_fails(bench, 2, "session list --deleted", "is removed for good");
}

static void test_args_arity(void **state)
{
    struct cli_bench *bench = *state;

    cli_fails(bench, 2, "user show", "something is missing; usage: user show USER");
    cli_fails(bench, 2, "user show a b", "\"b\" is one word too many");
    cli_fails(bench, 2, "role permit admin", "something is missing");
    cli_fails(bench, 2, "user set admin", "say what to set");
}

static void test_args_fields(void **state)
{
    struct cli_bench *bench = *state;

    cli_fails(bench, 2, "user add x emial=a", "did you mean \"email\"?");
    cli_fails(bench, 2, "user add x email=a@b.c email=d@e.f", "email: is given twice");
    cli_fails(bench, 4, "user add x login_count=3", "login_count: is kept by the store");
    cli_fails(bench, 2, "user add x status=sleepy", "status: \"sleepy\" is none of its choices");
    cli_fails(bench, 4, "user add x email=al@",
              "latchkey: user add: email: \"al@\" is not an e-mail address (RFC 5321 mailbox)\n");
    (void)cli_ok(bench, "user add a=b@example.org email=a=b@example.org");
    (void)cli_ok(bench, "user show a=b@example.org");
    (void)cli_ok(bench, "user add -- --odd--");
    (void)cli_ok(bench, "user show -- --odd--");
}

/* A secret that was typed as an argument is refused, and not said again. */
static void test_args_secrets(void **state)
{
    static const char *const lines[] = {
        "user add x password=hunter2",   "user add x Passwd=hunter2",
        "user set admin secret=hunter2", "user passwd admin password=hunter2",
        "user add x --password=hunter2", "user passwd admin --password hunter2",
        "user find password=hunter2",    "credential list admin secret=hunter2",
    };
    struct cli_bench *bench = *state;
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cli_fails(bench, 2, lines[i], "a secret is never an argument");
        assert_false(cli_has(&bench->err, "hunter2"));
    }
}

static void test_args_errors_as_json(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_run(bench, "--json user add x email=al@");
    assert_string_equal(bench->err.data,
                        "{\"error\":{\"code\":\"check\",\"field\":\"email\",\"message\":"
                        "\"\\\"al@\\\" is not an e-mail address (RFC 5321 mailbox)\"}}\n");
    (void)cli_run(bench, "user lsit --json");
    assert_true(cli_has(&bench->err, "{\"error\":{\"code\":\"usage\",\"message\":"));
    (void)cli_run(bench, "user show nobody --json");
    assert_true(cli_has(&bench->err, "\"code\":\"not_found\",\"field\":\"user\""));
}

static void test_args_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(lk_cli_exit_of(0), 0);
    assert_int_equal(lk_cli_exit_of(LK_E_REFUSED), 1);
    assert_int_equal(lk_cli_exit_of(LK_E_FAULTS), 1);
    assert_int_equal(lk_cli_exit_of(LK_E_USAGE), 2);
    assert_int_equal(lk_cli_exit_of(LK_E_NOT_FOUND), 3);
    assert_int_equal(lk_cli_exit_of(LK_E_CHECK), 4);
    assert_int_equal(lk_cli_exit_of(LK_E_CONFLICT), 4);
    assert_int_equal(lk_cli_exit_of(LK_E_REFERENCE), 4);
    assert_int_equal(lk_cli_exit_of(LK_E_LIMIT), 4);
    assert_int_equal(lk_cli_exit_of(LK_E_MUST_CHANGE), 4);
    assert_int_equal(lk_cli_exit_of(LK_E_CORRUPT), 5);
    assert_int_equal(lk_cli_exit_of(LK_E_FULL), 5);
    assert_int_equal(lk_cli_exit_of(LK_E_NEWER), 5);
    assert_int_equal(lk_cli_exit_of(LK_E_SECRET), 5);
    assert_int_equal(lk_cli_exit_of(LK_E_LOCKED), 6);
    assert_int_equal(lk_cli_exit_of(-9999), 5);
}

struct found {
    size_t count;
    char words[2048];
};

static void found_each(void *context, const char *word, bool open)
{
    struct found *found = context;

    size_t size = strlen(found->words);

    found->count++;
    (void)snprintf(found->words + size, sizeof(found->words) - size, "%s%s", word,
                   open ? "* " : " ");
}

static const char *completes(struct cli_bench *bench, struct found *found, size_t count,
                             const char *const *words, const char *part)
{
    memset(found, 0, sizeof(*found));
    lk_cli_complete(&bench->cli, count, words, part, found_each, found);
    return found->words;
}

static void test_args_completion_of_words(void **state)
{
    static const char *const words[] = {"user", "add", "x"};
    static const char *const help[] = {"help", "user"};
    struct cli_bench *bench = *state;
    struct found found;

    assert_string_equal(completes(bench, &found, 0, NULL, "se"), "session ");
    assert_string_equal(completes(bench, &found, 1, words, "s"), "show set suspend ");
    assert_string_equal(completes(bench, &found, 2, help, "pa"), "passwd ");
    assert_string_equal(completes(bench, &found, 3, words, "em"), "email=* ");
    assert_string_equal(completes(bench, &found, 3, words, "--p"), "--password-stdin ");
    assert_string_equal(completes(bench, &found, 3, words, "login_c"), "");
    assert_true(strstr(completes(bench, &found, 0, NULL, ""), "audit ") != NULL);
}

/* As its help says: roles are not all. */
static void test_args_permission_check(void **state)
{
    struct cli_bench *bench = *state;

    (void)cli_ok(bench, "help permission check");
    assert_true(cli_has(&bench->out, "A user who is not active"));
    assert_false(cli_has(&bench->out, "still answered for"));
    (void)cli_ok(bench, "user add shut");
    (void)cli_ok(bench, "role grant shut viewer");
    (void)cli_ok(bench, "permission check shut user:read");
    (void)cli_ok(bench, "user suspend shut");
    assert_int_equal(cli_run(bench, "permission check shut user:read"), 1);
    assert_true(cli_has(&bench->out, "refused\n"));
}

/* Of whatever kind, the same is said. */
static void test_args_malformed_numbers(void **state)
{
    struct cli_bench *bench = *state;

    cli_fails(bench, 2, "user show '#x'", "user: \"#x\" is not a number of a record\n");
    cli_fails(bench, 2, "role show '#x'", "role: \"#x\" is not a number of a record\n");
    cli_fails(bench, 2, "tenant show '#x'", "tenant: \"#x\" is not a number of a record\n");
    cli_fails(bench, 3, "user show '#x@y.org'", "user: \"#x@y.org\" does not exist\n");
    (void)cli_ok(bench, "user add hash email=#x@y.org");
    (void)cli_ok(bench, "user show '#x@y.org'");
}

/* Something else in place of an entry of the first tenant's audit. */
static void damage_entry(struct cli_bench *bench, uint32_t slot)
{
    struct lk_txn *txn = &bench->work.txn;
    uint8_t buffer[64] = {0xFF};
    struct lk_key key;

    assert_int_equal(lk_begin(&bench->store, txn, LK_WRITE, NULL), 0);
    lk_key_record(&key, &lk_kind_audit, (struct lk_id){1, LK_RING_ADMIN, slot});
    assert_int_equal(lk_value_put(txn, &key, buffer, 8), 0);
    assert_int_equal(lk_commit(txn), 0);
}

/* Damage is told, and hides nothing else. */
static void test_args_damaged_audit(void **state)
{
    struct cli_bench *bench = *state;
    char line[64];
    size_t i;

    for (i = 0; i < 8; i++) {
        (void)snprintf(line, sizeof(line), "user add number-%u", (unsigned)i);
        (void)cli_ok(bench, line);
    }
    (void)cli_ok(bench, "audit export --action user.add");
    assert_true(cli_has(&bench->err, "9 entries\n"));
    damage_entry(bench, 3);
    cli_fails(bench, 5, "audit list --all --wide",
              "audit list: 1 entry is damaged: the rest is listed\n");
    assert_true(cli_has(&bench->out, "user.add"));
    damage_entry(bench, 5);
    cli_fails(bench, 5, "audit list --all", "2 entries are damaged: the rest is listed\n");
    assert_true(cli_has(&bench->out, "user.add"));
    cli_fails(bench, 5, "audit list --all --json", "\"code\":\"corrupt\"");
    assert_true(cli_has(&bench->out, "{\"page\":{\"count\":"));
    cli_fails(bench, 5, "audit export --action user.add", "2 entries are damaged");
    assert_true(cli_has(&bench->err, "7 entries\n"));
    (void)cli_ok(bench, "audit list --limit 1");
}

/* What maintain purges is as unreadable as what user purge does. */
static void test_args_maintain_scrubs(void **state)
{
    struct cli_bench *bench = *state;
    size_t i;

    (void)cli_ok(bench, "tenant set main purge_after_days=1");
    (void)cli_ok(bench, "user add quokka");
    (void)cli_ok(bench, "user remove quokka");
    (void)cli_ok(bench, "maintain");
    assert_false(cli_has(&bench->out, "overwritten"));
    bench->fake.clock.wall_ms += 2 * 86400000u;
    (void)cli_ok(bench, "maintain");
    assert_true(cli_has(&bench->out, " bytes of the store overwritten\n"));
    for (i = 0; i + 6 < bench->ram.size; i++) {
        assert_int_not_equal(memcmp((const char *)bench->memory + i, "quokka", 6), 0);
    }
    (void)cli_ok(bench, "maintain --json");
    assert_true(cli_has(&bench->out, "\"scrubbed_bytes\":0"));
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_setup_teardown(test, cli_setup, cli_teardown)
    const struct CMUnitTest tests[] = {
        BENCH(test_args_table_rows_are_whole),
        BENCH(test_args_permissions_exist),
        BENCH(test_args_help_of_every_command),
        BENCH(test_args_describe),
        BENCH(test_args_manual_and_completion),
        BENCH(test_args_unknown_words),
        BENCH(test_args_arity),
        BENCH(test_args_fields),
        BENCH(test_args_secrets),
        BENCH(test_args_errors_as_json),
        BENCH(test_args_malformed_numbers),
        BENCH(test_args_damaged_audit),
        BENCH(test_args_maintain_scrubs),
        cmocka_unit_test(test_args_exit_statuses),
        BENCH(test_args_completion_of_words),
        BENCH(test_args_permission_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
