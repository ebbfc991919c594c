// SPDX-License-Identifier: MIT
#include "cli_help.h"

#include "lk_json.h"

#define CLI_MEMORY (4u << 20)

static int text_write(void *context, const void *data, size_t size)
{
    struct cli_text *text = context;

    assert_true(text->size + size < sizeof(text->data));
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
    return 0;
}

static int read_line(void *self, const char *prompt, uint8_t *out, size_t size, size_t *got)
{
    struct cli_bench *bench = self;
    size_t length;

    (void)prompt;
    if (!bench->input || !*bench->input) {
        return LK_E_NOT_FOUND;
    }
    length = strcspn(bench->input, "\n");
    if (length > size) {
        return LK_E_SPACE;
    }
    memcpy(out, bench->input, length);
    *got = length;
    bench->input += length + (bench->input[length] == '\n');
    return 0;
}

static const struct lk_cli_env env = {.read_line = read_line, .map_parse = lk_json_to_cbor};
static const struct lk_cli_command *const tables[] = {lk_cli_commands, NULL};

int cli_setup(void **state)
{
    struct cli_bench *bench = calloc(1, sizeof(*bench));
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(CLI_PASSWORD)};
    struct lk_create_result result;

    assert_non_null(bench);
    bench->memory = calloc(1, CLI_MEMORY);
    bench->store_work = calloc(1, LK_WORK_SIZE);
    assert_non_null(bench->memory);
    assert_non_null(bench->store_work);
    assert_int_equal(lk_fake_init(&bench->fake, 1), 0);
    assert_int_equal(lk_ram_init(&bench->ram, bench->memory, CLI_MEMORY, LK_VALUE_MAX), 0);
    bench->config = (struct lk_config){.storage = &bench->ram.storage,
                                       .port = lk_fake_port(&bench->fake),
                                       .work = bench->store_work,
                                       .work_size = LK_WORK_SIZE};
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &result), 0);
    bench->out_stream = (struct lk_cli_out){.write = text_write, .context = &bench->out};
    bench->err_stream = (struct lk_cli_out){.write = text_write, .context = &bench->err};
    bench->cli = (struct lk_cli){.program = "latchkey",
                                 .tables = tables,
                                 .env = &env,
                                 .self = bench,
                                 .out = &bench->out_stream,
                                 .err = &bench->err_stream,
                                 .work = &bench->work,
                                 .store = &bench->store,
                                 .width = 80};
    *state = bench;
    return 0;
}

int cli_teardown(void **state)
{
    struct cli_bench *bench = *state;

    lk_txn_release(&bench->work.txn);
    lk_close(&bench->store);
    free(bench->memory);
    free(bench->store_work);
    free(bench);
    return 0;
}

int cli_run(struct cli_bench *bench, const char *line)
{
    const char *words[LK_CLI_WORDS_MAX];
    char text[1024];
    size_t count;

    assert_true(strlen(line) < sizeof(text));
    memcpy(text, line, strlen(line) + 1);
    assert_int_equal(lk_line_split(text, words, LK_CLI_WORDS_MAX, &count), 0);
    bench->out.size = bench->err.size = 0;
    bench->out.data[0] = bench->err.data[0] = '\0';
    return lk_cli_run(&bench->cli, count, words);
}

const char *cli_ok(struct cli_bench *bench, const char *line)
{
    int status = cli_run(bench, line);

    if (status) {
        fail_msg("%s: exit status %d: %s", line, status, bench->err.data);
    }
    return bench->out.data;
}

void cli_fails(struct cli_bench *bench, int status, const char *line, const char *text)
{
    int got = cli_run(bench, line);

    if (got != status || !cli_has(&bench->err, text)) {
        fail_msg("%s: exit status %d, not %d, or not \"%s\": %s", line, got, status, text,
                 bench->err.data);
    }
}

bool cli_has(const struct cli_text *text, const char *part)
{
    return strstr(text->data, part) != NULL;
}

void cli_first_line(const struct cli_text *text, char *out, size_t size)
{
    size_t length = strcspn(text->data, "\n");

    assert_true(length < size);
    memcpy(out, text->data, length);
    out[length] = '\0';
}

const char *cli_console(struct cli_bench *bench)
{
    const struct lk_port *port = lk_fake_port(&bench->fake);
    struct lk_cli cli = bench->cli;

    bench->console = (struct lk_cli_console){.cli = &cli,
                                             .console = port->console,
                                             .console_self = port->self,
                                             .once = true,
                                             .line = bench->line,
                                             .line_size = sizeof(bench->line),
                                             .history = bench->history,
                                             .history_size = sizeof(bench->history)};
    assert_int_equal(lk_cli_console_run(&bench->console), 0);
    return lk_fake_output(&bench->fake);
}

void cli_type(struct cli_bench *bench, const char *text)
{
    assert_int_equal(lk_fake_type(&bench->fake, text), 0);
}

void cli_shows(struct cli_bench *bench, const char *text)
{
    if (!strstr(lk_fake_output(&bench->fake), text)) {
        fail_msg("not shown: %s\n%s", text, lk_fake_output(&bench->fake));
    }
}

void cli_hides(struct cli_bench *bench, const char *text)
{
    if (strstr(lk_fake_output(&bench->fake), text)) {
        fail_msg("shown: %s\n%s", text, lk_fake_output(&bench->fake));
    }
}
