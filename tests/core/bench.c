// SPDX-License-Identifier: MIT
#include "bench.h"

#include "lk_fake_flash.h"
#include "lk_nor.h"
#include "lk_text.h"

#define BENCH_MEMORY (8u << 20)

#define BENCH_SECTOR  16384u
#define BENCH_SECTORS 128u
#define BENCH_ENTRIES 20000u

/* A part, the map on it, and their memory. */
struct bench_flash {
    struct lk_fake_flash part;
    struct lk_nor nor;
    struct lk_nor_config config;
    uint32_t index[BENCH_ENTRIES];
    uint32_t memory[LK_FAKE_FLASH_MEMORY(BENCH_SECTOR, BENCH_SECTORS, 4) / 4];
};

static struct lk_storage *bench_flash_new(struct bench *bench)
{
    struct bench_flash *flash = calloc(1, sizeof(*flash));
    struct lk_fake_flash_config part = {.sector_size = BENCH_SECTOR,
                                        .sector_count = BENCH_SECTORS,
                                        .program_unit = 4,
                                        .mapped = true};

    assert_non_null(flash);
    part.memory = flash->memory;
    part.memory_size = sizeof(flash->memory);
    assert_int_equal(lk_fake_flash_init(&flash->part, &part), 0);
    flash->config = (struct lk_nor_config){.flash = &lk_fake_flash_ops,
                                           .self = &flash->part,
                                           .index = flash->index,
                                           .index_size = sizeof(flash->index),
                                           .value_max = LK_VALUE_MAX,
                                           .flags = LK_NOR_FORMAT};
    assert_int_equal(lk_nor_init(&flash->nor, &flash->config), 0);
    bench->flash = flash;
    bench->memory = flash->memory;
    bench->memory_size = sizeof(flash->memory);
    return &flash->nor.storage;
}

uint64_t bench_number(const char *name, uint64_t instead)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : instead;
}

unsigned bench_step(void)
{
    return (unsigned)bench_number("LATCHKEY_EVERY", 1);
}

static struct bench *bench_new(size_t memory_size)
{
    const char *storage = getenv("LATCHKEY_STORAGE");
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    assert_int_equal(lk_fake_init(&bench->fake, 1), 0);
    bench->memory_size = memory_size;
    bench->memory = bench->ram_memory = calloc(1, memory_size);
    bench->work = calloc(1, LK_WORK_SIZE);
    assert_non_null(bench->memory);
    assert_non_null(bench->work);
    assert_int_equal(lk_ram_init(&bench->ram, bench->ram_memory, memory_size, LK_VALUE_MAX), 0);
    bench->under =
        storage && strcmp(storage, "flash") == 0 ? bench_flash_new(bench) : &bench->ram.storage;
    assert_int_equal(lk_fault_init(&bench->fault, bench->under), 0);
    bench->config.storage = &bench->fault.storage;
    bench->config.port = lk_fake_port(&bench->fake);
    bench->config.work = bench->work;
    bench->config.work_size = LK_WORK_SIZE;
    bench->config.left_out = bench_number("LATCHKEY_LEFT_OUT", 0) ? LK_INDEXES_OPTIONAL : 0;
    return bench;
}

struct bench *bench_bare(size_t memory_size)
{
    return bench_new(memory_size);
}

struct bench *bench_open(void)
{
    struct bench *bench = bench_new(BENCH_MEMORY);
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct lk_create_result result;

    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &result), 0);
    bench->admin = result.admin;
    bench->tenant = result.admin.tenant;
    return bench;
}

void bench_tallies(struct bench *bench, bool on)
{
    lk_ram_tally_set(&bench->ram, on);
    bench->fault.storage.caps = bench->ram.storage.caps;
}

void bench_close(struct bench *bench)
{
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    free(bench->ram_memory);
    free(bench->work);
    free(bench->flash);
    free(bench);
}

void bench_reopen(struct bench *bench)
{
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
}

struct lk_txn *bench_write(struct bench *bench)
{
    lk_abort(&bench->txn);
    assert_int_equal(lk_begin(&bench->store, &bench->txn, LK_WRITE, &bench->actor), 0);
    return &bench->txn;
}

struct lk_txn *bench_read(struct bench *bench)
{
    lk_abort(&bench->txn);
    assert_int_equal(lk_begin(&bench->store, &bench->txn, LK_READ, &bench->actor), 0);
    return &bench->txn;
}

void bench_commit(struct bench *bench)
{
    assert_int_equal(lk_commit(&bench->txn), 0);
}

struct lk_span bench_text(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

size_t bench_occurs(const void *memory, size_t size, const void *bytes, size_t count)
{
    const uint8_t *at = memory, *end = at + size;
    size_t found = 0;

    while (at && (size_t)(end - at) >= count) {
        at = memchr(at, *(const uint8_t *)bytes, (size_t)(end - at) - count + 1);
        if (at) {
            found += memcmp(at, bytes, count) == 0;
            at++;
        }
    }
    return found;
}

static int bench_parse(struct bench *bench, const struct lk_kind *kind, struct lk_record *record,
                       uint64_t *clear, va_list words)
{
    static uint8_t buffer[4096];
    size_t used = 0;
    const char *word;

    while ((word = va_arg(words, const char *)) != NULL) {
        const char *equals = strchr(word, '=');
        struct lk_span name = {(const uint8_t *)word, (size_t)(equals - word)};
        const struct lk_field *field = lk_field_named(kind, name);
        int error;

        assert_non_null(field);
        if (!equals[1]) {
            *clear |= (uint64_t)1 << field->number;
            continue;
        }
        error = lk_value_parse(&bench->txn, kind, field, bench_text(equals + 1), record, buffer,
                               sizeof(buffer), &used);
        if (error) {
            return error;
        }
    }
    return 0;
}

int bench_add(struct bench *bench, const struct lk_kind *kind, struct lk_id *id, ...)
{
    union lk_any_record record;
    uint64_t clear = 0;
    va_list words;
    int error;

    memset(&record, 0, sizeof(record));
    record.record.id =
        id->tenant || kind->shape == LK_SHAPE_TENANT ? *id : (struct lk_id){bench->tenant, 0, 0};
    va_start(words, id);
    error = bench_parse(bench, kind, &record.record, &clear, words);
    va_end(words);
    if (!error) {
        error = kind == &lk_kind_tenant ? lk_tenant_add(&bench->txn, &record.tenant)
                                        : lk_add(&bench->txn, kind, &record.record, NULL);
    }
    if (!error) {
        *id = record.record.id;
    }
    return error;
}

int bench_set(struct bench *bench, const struct lk_kind *kind, struct lk_id id, ...)
{
    union lk_any_record record;
    uint64_t clear = 0;
    va_list words;
    int error;

    memset(&record, 0, sizeof(record));
    record.record.id = id;
    va_start(words, id);
    error = bench_parse(bench, kind, &record.record, &clear, words);
    va_end(words);
    return error ? error : lk_update(&bench->txn, kind, id, &record.record, clear, NULL);
}

struct lk_id bench_user(struct bench *bench, const char *name, const char *password)
{
    struct lk_id id = {bench->tenant, 0, 0};
    struct lk_user user;
    struct lk_password verifier;

    memset(&user, 0, sizeof(user));
    user.record.id = id;
    lk_field_set_span(&user.record, lk_field_named(&lk_kind_user, LK_TEXT("username")),
                      bench_text(name));
    bench_write(bench);
    assert_int_equal(lk_add(&bench->txn, &lk_kind_user, &user.record, NULL), 0);
    id = user.record.id;
    if (password) {
        assert_int_equal(
            lk_password_prepare(&bench->store, bench_text(password), NULL, 0, &verifier, NULL), 0);
        assert_int_equal(lk_password_set(&bench->txn, id, &verifier, 0), 0);
    }
    bench_commit(bench);
    return id;
}

struct lk_id bench_second_admin(struct bench *bench)
{
    struct lk_id id = bench_user(bench, "second", BENCH_PASSWORD);

    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, id, bench_named(bench, &lk_kind_role, "admin"), 0),
                     0);
    bench_commit(bench);
    return id;
}

struct lk_id bench_named(struct bench *bench, const struct lk_kind *kind, const char *name)
{
    struct lk_id id = {0, 0, 0};

    assert_int_equal(lk_find_named(&bench->txn, kind, bench->tenant, bench_text(name), &id), 0);
    return id;
}

int bench_login_new(struct bench *bench, const char *name, const char *password, const char *fresh,
                    struct lk_login_result *result, struct lk_problem *problem)
{
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = bench_text(name),
                                       .password = bench_text(password),
                                       .new_password = bench_text(fresh),
                                       .channel = LK_CHANNEL_CLI};

    lk_abort(&bench->txn);
    return lk_login(&bench->store, &request, result, problem);
}

int bench_login(struct bench *bench, const char *name, const char *password,
                struct lk_login_result *result)
{
    return bench_login_new(bench, name, password, "", result, NULL);
}

int bench_check(struct bench *bench, const char *token, const char *permission)
{
    struct lk_question question = {.owner = 0};
    struct lk_verdict verdict;
    int error;

    if (permission) {
        const char *colon = strchr(permission, ':');

        question.resource =
            (struct lk_span){(const uint8_t *)permission, (size_t)(colon - permission)};
        question.action = bench_text(colon + 1);
    }
    bench_read(bench);
    error = lk_session_check(&bench->txn, bench->tenant, bench_text(token),
                             permission ? &question : NULL, &verdict);
    lk_abort(&bench->txn);
    return error;
}

static int bench_tell_fault(void *context, const struct lk_fault_report *report)
{
    char key[2 * LK_KEY_MAX + 1] = "";

    (void)context;
    (void)lk_hex_encode(report->key, key, sizeof(key));
    print_error("fault: %s (%s %u.%u.%u, key %s)\n", report->what,
                report->kind ? report->kind : "-", report->id.tenant, report->id.user,
                report->id.sub, key);
    return 0;
}

void bench_verify(struct bench *bench)
{
    struct lk_verify verify = {.on_fault = bench_tell_fault};

    bench_read(bench);
    assert_int_equal(lk_verify(&bench->txn, &verify), 0);
    assert_true(verify.record_count > 0);
    lk_abort(&bench->txn);
}

uint64_t bench_print(struct bench *bench)
{
    const struct lk_storage_ops *ops = bench->under->ops;
    struct lk_storage_txn txn;
    struct lk_storage_cursor cursor;
    struct lk_span key, value, none = {NULL, 0};
    uint64_t hash = 14695981039346656037u;
    int error;

    lk_abort(&bench->txn);
    memset(&txn, 0, sizeof(txn));
    memset(&cursor, 0, sizeof(cursor));
    assert_int_equal(ops->begin(bench->under, &txn, LK_READ), 0);
    assert_int_equal(ops->cursor_open(&txn, &cursor, none), 0);
    error = ops->seek(&cursor, none, &key, &value);
    while (!error) {
        size_t i;

        for (i = 0; i < key.size; i++) {
            hash = (hash ^ key.data[i]) * 1099511628211u;
        }
        for (i = 0; i < value.size; i++) {
            hash = (hash ^ value.data[i]) * 1099511628211u;
        }
        error = ops->next(&cursor, &key, &value);
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    ops->cursor_close(&cursor);
    ops->abort(&txn);
    return hash;
}
