// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "transfer_help.h"

#include <ftw.h>

/* ---- A store in a directory of its own ------------------------------------------------------- */

int transfer_setup(void **state)
{
    struct transfer_bench *bench = calloc(1, sizeof(*bench));
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("admin"),
                                              LK_TEXT("correct horse")};
    struct lk_create_result result;

    assert_non_null(bench);
    (void)snprintf(bench->directory, sizeof(bench->directory), "/tmp/lk-transfer-XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(bench->path[i], sizeof(bench->path[i]), "%s/store%zu", bench->directory, i);
        bench->config[i] =
            (struct lk_host_config){.directory = bench->path[i], .pwhash = {64, 1, 1}};
    }
    assert_int_equal(lk_host_create(&bench->config[0], &request, &result), 0);
    assert_int_equal(lk_host_open(&bench->config[0], &bench->host), 0);
    *state = bench;
    return 0;
}

static int transfer_remove_one(const char *path, const struct stat *status, int type,
                               struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

int transfer_teardown(void **state)
{
    struct transfer_bench *bench = *state;

    lk_host_close(bench->host);
    assert_int_equal(nftw(bench->directory, transfer_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(bench);
    return 0;
}

/* ---- Import into it -------------------------------------------------------------------------- */

int transfer_append(void *context, const void *data, size_t size)
{
    struct transfer_text *text = context;
    char *larger = realloc(text->data, text->size + size + 1);

    if (larger == NULL) {
        return LK_E_FULL;
    }
    memcpy(larger + text->size, data, size);
    text->data = larger;
    text->size += size;
    text->data[text->size] = '\0';
    return 0;
}

static int input_read(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct transfer_input *input = context;
    size_t count = input->size < size ? input->size : size;

    memcpy(out, input->data, count);
    input->data += count;
    input->size -= count;
    *got = count;
    return 0;
}

static void on_bad(void *report, const struct lk_import_bad *bad)
{
    char line[512];
    int size = snprintf(line, sizeof(line), "%u:%s:%s:%s\n", (unsigned)bad->line, bad->field,
                        bad->given, bad->rule);

    assert_int_equal(transfer_append(report, line, (size_t)size), 0);
}

void transfer_free(struct transfer_run *run)
{
    free(run->bad.data);
}

const char *transfer_bad(const struct transfer_run *run)
{
    return run->bad.data != NULL ? run->bad.data : "";
}

void transfer_import_bytes(struct transfer_bench *bench, struct transfer_run *run,
                           enum lk_import_format format, const char *data, size_t size,
                           bool skip_bad)
{
    memset(run, 0, sizeof(*run));
    run->input = (struct transfer_input){data, size};
    run->import = (struct lk_import){
        .store = lk_host_store(bench->host),
        .format = format,
        .name = "input",
        .source = input_read,
        .context = &run->input,
        .tenant = 1,
        .skip_bad = skip_bad,
        .on_bad = on_bad,
        .report = &run->bad,
    };
}

void transfer_import(struct transfer_bench *bench, struct transfer_run *run,
                     enum lk_import_format format, const char *text)
{
    transfer_import_bytes(bench, run, format, text, strlen(text), false);
    run->error = lk_import_run(&run->import);
}

struct transfer_text transfer_export(struct lk_host *host, bool secrets)
{
    struct transfer_text text = {NULL, 0};
    struct lk_txn txn = {0};
    struct lk_export export = {
        .txn = &txn, .with_secrets = secrets, .sink = transfer_append, .context = &text};

    assert_int_equal(lk_begin(lk_host_store(host), &txn, LK_READ, NULL), 0);
    assert_int_equal(lk_export_run(&export), 0);
    assert_int_equal(export.size, text.size);
    lk_txn_release(&txn);
    return text;
}

int transfer_login(struct transfer_bench *bench, const char *name, const char *password)
{
    struct lk_login_request request = {
        .tenant = 1,
        .name = {(const uint8_t *)name, strlen(name)},
        .password = {(const uint8_t *)password, strlen(password)},
        .channel = LK_CHANNEL_CLI,
    };
    struct lk_login_result result;

    return lk_login(lk_host_store(bench->host), &request, &result, NULL);
}

void transfer_verify(struct transfer_bench *bench)
{
    struct lk_verify verify = {0};
    struct lk_txn txn = {0};

    assert_int_equal(lk_begin(lk_host_store(bench->host), &txn, LK_READ, NULL), 0);
    assert_int_equal(lk_verify(&txn, &verify), 0);
    lk_txn_release(&txn);
}

int transfer_find_user(struct transfer_bench *bench, const char *name, struct lk_user *user,
                       struct lk_txn *txn)
{
    struct lk_id id;
    int error;

    memset(txn, 0, sizeof(*txn));
    assert_int_equal(lk_begin(lk_host_store(bench->host), txn, LK_READ, NULL), 0);
    error = lk_find_user(txn, 1, (struct lk_span){(const uint8_t *)name, strlen(name)}, &id);
    return error ? error : lk_get(txn, &lk_kind_user, id, &user->record);
}
