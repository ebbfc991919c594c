// SPDX-License-Identifier: MIT
/* The line editor, fed through the fake console. */
#include "cli_help.h"

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"
#define DEL   "\x1b[3~"

struct editor {
    struct lk_fake fake;
    struct lk_line line;
    char text[32], history[40];
};

static int editor_setup(void **state)
{
    struct editor *editor = calloc(1, sizeof(*editor));
    const struct lk_port *port;

    assert_non_null(editor);
    assert_int_equal(lk_fake_init(&editor->fake, 1), 0);
    port = lk_fake_port(&editor->fake);
    editor->line = (struct lk_line){.console = port->console,
                                    .self = port->self,
                                    .text = editor->text,
                                    .capacity = sizeof(editor->text),
                                    .history = editor->history,
                                    .history_capacity = sizeof(editor->history)};
    *state = editor;
    return 0;
}

static int editor_teardown(void **state)
{
    free(*state);
    return 0;
}

static const char *typed(struct editor *editor, const char *keys)
{
    assert_int_equal(lk_fake_type(&editor->fake, keys), 0);
    assert_int_equal(lk_line_read(&editor->line, "> ", 0), LK_LINE_DONE);
    return editor->text;
}

static void test_line_edits(void **state)
{
    struct editor *editor = *state;

    assert_string_equal(typed(editor, "user list\r"), "user list");
    assert_string_equal(lk_fake_output(&editor->fake), "> user list\n");
    assert_string_equal(typed(editor, "usre\b\b"
                                      "er\r"),
                        "user");
    assert_string_equal(typed(editor, "ac" LEFT "b" RIGHT "d\r"), "abcd");
    assert_string_equal(typed(editor, "bc\x01"
                                      "a\x05"
                                      "d\r"),
                        "abcd");
    assert_string_equal(typed(editor, "abc" LEFT LEFT DEL "x\r"), "axc");
    assert_string_equal(typed(editor, "one two three\x17\x17"
                                      "2\r"),
                        "one 2");
    assert_string_equal(typed(editor, "gone\x15"
                                      "kept\r"),
                        "kept");
    assert_string_equal(typed(editor, "kept gone\x1b[D\x1b[D\x1b[D\x1b[D\x0b\r"), "kept ");
    assert_string_equal(typed(editor, "\b\b\x1b[3~\x7f\r"), "");
}

static void test_line_ends_of_enter(void **state)
{
    struct editor *editor = *state;

    assert_string_equal(typed(editor, "one\r\ntwo\n"), "one");
    assert_int_equal(lk_line_read(&editor->line, "> ", 0), LK_LINE_DONE);
    assert_string_equal(editor->text, "two");
}

static void test_line_passes_over_garbage(void **state)
{
    struct editor *editor = *state;

    assert_string_equal(typed(editor, "a\x1b[15~b\x1bOQc\x1b[200~d\x02\x06\x1f\x10\x0e"
                                      "e\r"),
                        "abcde");
    assert_string_equal(typed(editor, "a\xff\xfe\x80\xc0\xaf"
                                      "b\xe2\x82"
                                      "c\xc2\x85"
                                      "d\r"),
                        "abcd");
    assert_string_equal(typed(editor, "\xc3\xa4x\b\b\xe2\x82\xac\r"), "\xe2\x82\xac");
    assert_string_equal(typed(editor, "a\xc3\xa4"
                                      "b" LEFT LEFT LEFT "x" RIGHT "\b\r"),
                        "x\xc3\xa4"
                        "b");
}

static void test_line_refuses_what_is_too_long(void **state)
{
    struct editor *editor = *state;

    assert_string_equal(typed(editor, "0123456789012345678901234567890123456789\r"),
                        "0123456789012345678901234567890");
    assert_true(editor->line.refused);
    assert_non_null(strchr(lk_fake_output(&editor->fake), '\a'));
}

static void test_line_history(void **state)
{
    struct editor *editor = *state;

    (void)typed(editor, "first\r");
    lk_line_remember(&editor->line);
    (void)typed(editor, "second\r");
    lk_line_remember(&editor->line);
    lk_line_remember(&editor->line);
    (void)typed(editor, "\r");
    lk_line_remember(&editor->line);
    assert_string_equal(typed(editor, UP UP "!\r"), "first!");
    assert_string_equal(typed(editor, UP UP DOWN "\r"), "second");
    assert_string_equal(typed(editor, UP UP UP UP UP "\r"), "first");
    assert_string_equal(typed(editor, "draft" UP DOWN "x\r"), "x");
    assert_string_equal(typed(editor, DOWN "y\r"), "y");
    (void)typed(editor, "a third one of 24 bytes!\r");
    lk_line_remember(&editor->line);
    (void)typed(editor, "a fourth of 22 bytes..\r");
    lk_line_remember(&editor->line);
    assert_string_equal(typed(editor, UP UP UP "\r"), "a fourth of 22 bytes..");
    lk_line_forget(&editor->line);
    assert_string_equal(typed(editor, UP "\r"), "");
}

static void test_line_secret_is_not_shown(void **state)
{
    struct editor *editor = *state;
    uint8_t secret[8];
    size_t size;

    (void)typed(editor, "user passwd x\r");
    assert_int_equal(lk_fake_type(&editor->fake, "hun\x1b[Ater2\bX\t\r"), 0);
    assert_int_equal(lk_line_secret(&editor->line, "password: ", 0, secret, sizeof(secret), &size),
                     LK_LINE_DONE);
    assert_int_equal(size, 7);
    assert_memory_equal(secret, "hunterX", 7);
    assert_string_equal(lk_fake_output(&editor->fake), "> user passwd x\npassword: \n");
    assert_string_equal(editor->text, "user passwd x");
    lk_line_remember(&editor->line);
    assert_int_equal(lk_fake_type(&editor->fake, "123456789\r12345678\r123456789\x15"
                                                 "1\r"),
                     0);
    assert_int_equal(lk_line_secret(&editor->line, "", 0, secret, sizeof(secret), &size), 0);
    assert_true(size == SIZE_MAX);
    assert_int_equal(lk_line_secret(&editor->line, "", 0, secret, sizeof(secret), &size), 0);
    assert_int_equal(size, 8);
    assert_int_equal(lk_line_secret(&editor->line, "", 0, secret, sizeof(secret), &size), 0);
    assert_int_equal(size, 1);
    assert_string_equal(typed(editor, UP "\r"), "user passwd x");
}

static void test_line_events(void **state)
{
    struct editor *editor = *state;
    struct lk_line *line = &editor->line;

    assert_int_equal(lk_fake_type(&editor->fake, "abc\x03\x04"
                                                 "x\x04\x03"),
                     0);
    assert_int_equal(lk_line_read(line, "> ", 0), LK_LINE_CANCELLED);
    assert_int_equal(lk_line_read(line, "> ", 0), LK_LINE_END);
    assert_int_equal(lk_line_read(line, "> ", 0), LK_LINE_CANCELLED);
    assert_int_equal(lk_fake_pause(&editor->fake, 5000), 0);
    assert_int_equal(lk_fake_type(&editor->fake, "x\r"), 0);
    assert_int_equal(lk_line_read(line, "> ", 1000), LK_LINE_IDLE);
}

static void test_line_hangs_up(void **state)
{
    struct editor *editor = *state;

    assert_int_equal(lk_fake_type(&editor->fake, "half a li"), 0);
    assert_int_equal(lk_line_read(&editor->line, "> ", 0), LK_LINE_HUNG_UP);
}

/* Every byte, in a stretch of pseudo-random ones: the line stays inside its room. */
static void test_line_survives_noise(void **state)
{
    struct editor *editor = *state;
    uint32_t seed = 7;
    size_t i, round;

    for (round = 0; round < 200; round++) {
        uint8_t noise[256];
        enum lk_line_event event;

        assert_int_equal(lk_fake_init(&editor->fake, 1), 0);
        for (i = 0; i < sizeof(noise); i++) {
            seed = seed * 1664525 + 1013904223;
            noise[i] = (uint8_t)(seed >> 24);
        }
        assert_int_equal(lk_fake_type_bytes(&editor->fake, noise, sizeof(noise)), 0);
        do {
            event = lk_line_read(&editor->line, "> ", 0);
            assert_true(editor->line.size < sizeof(editor->text));
            assert_true(editor->line.at <= editor->line.size);
            assert_true(editor->line.history_size <= sizeof(editor->history));
            assert_true(strlen(editor->text) == editor->line.size);
            lk_line_remember(&editor->line);
        } while (event != LK_LINE_HUNG_UP);
    }
}

static void check_split(const char *text, int error, size_t count, const char *joined)
{
    const char *words[8];
    char room[64], found[64] = "";
    size_t got, i;

    memcpy(room, text, strlen(text) + 1);
    assert_int_equal(lk_line_split(room, words, 8, &got), error);
    if (error) {
        return;
    }
    assert_int_equal(got, count);
    for (i = 0; i < got; i++) {
        size_t size = strlen(found);

        (void)snprintf(found + size, sizeof(found) - size, "%s|", words[i]);
    }
    assert_string_equal(found, joined);
}

static void test_line_splits_words(void **state)
{
    (void)state;
    check_split("", 0, 0, "");
    check_split("   \t ", 0, 0, "");
    check_split("user  list ", 0, 2, "user|list|");
    check_split("a 'b c' \"d 'e\" f'g h'i", 0, 4, "a|b c|d 'e|fg hi|");
    check_split("a '' b", 0, 3, "a||b|");
    check_split("x=\"1 2\"", 0, 1, "x=1 2|");
    check_split("a 'b", LK_E_USAGE, 0, "");
    check_split("1 2 3 4 5 6 7 8 9", LK_E_SPACE, 0, "");
}

int main(void)
{
#define EDITOR(test) cmocka_unit_test_setup_teardown(test, editor_setup, editor_teardown)
    const struct CMUnitTest tests[] = {
        EDITOR(test_line_edits),
        EDITOR(test_line_ends_of_enter),
        EDITOR(test_line_passes_over_garbage),
        EDITOR(test_line_refuses_what_is_too_long),
        EDITOR(test_line_history),
        EDITOR(test_line_secret_is_not_shown),
        EDITOR(test_line_events),
        EDITOR(test_line_hangs_up),
        EDITOR(test_line_survives_noise),
        cmocka_unit_test(test_line_splits_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
