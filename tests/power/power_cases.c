// SPDX-License-Identifier: MIT
/* power_cases.c: what is cut: every way in which the core writes, and the upkeep of the flash. */
#include "power.h"

/* Of alice's records alone; nothing may be left of it after a purge. */
#define CASE_PLANTED "Planted-Name-2b7e1516"

static int create(struct power_rig *rig, struct lk_create_result *made)
{
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};

    return lk_create(&rig->bench->store, &rig->bench->config, &request, made);
}

void power_town_build(struct power_rig *rig)
{
    struct bench *bench = rig->bench;
    struct lk_create_result made;
    struct lk_login_result result;
    struct lk_id permission = {0, 0, 0}, bob;

    power_mount(rig);
    assert_int_equal(create(rig, &made), 0);
    bench->admin = made.admin;
    bench->tenant = made.admin.tenant;
    rig->alice = bench_user(bench, "alice", BENCH_PASSWORD);
    bob = bench_user(bench, "bob", BENCH_PASSWORD);
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=doors",
                               "resource=door", "action=open", NULL),
                     0);
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &rig->role, "name=porter", "permissions=doors", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, bob, rig->role, 0), 0);
    assert_int_equal(
        bench_set(bench, &lk_kind_user, rig->alice, "display_name=" CASE_PLANTED, NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", BENCH_PASSWORD, &result), 0);
    assert_int_equal(bench_login(bench, "alice", "wrong password", &result), LK_E_REFUSED);
    lk_fake_advance(&bench->fake, 90000);
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
}

/* The end of a transaction as every caller writes it. */
static int case_end(struct power_rig *rig, int error)
{
    struct lk_txn *txn = &rig->bench->txn;

    if (!error) {
        error = lk_commit(txn);
    }
    lk_abort(txn);
    return error;
}

static int case_begin(struct power_rig *rig)
{
    return lk_begin(&rig->bench->store, &rig->bench->txn, LK_WRITE, NULL);
}

static int run_init(struct power_rig *rig)
{
    struct lk_create_result made;

    return create(rig, &made);
}

static int add_user(struct power_rig *rig, const char *name, struct lk_id *id)
{
    struct lk_user user;
    int error;

    memset(&user, 0, sizeof(user));
    user.record.id.tenant = rig->bench->tenant;
    lk_field_set_span(&user.record, lk_field_numbered(&lk_kind_user, 8), bench_text(name));
    error = lk_add(&rig->bench->txn, &lk_kind_user, &user.record, NULL);
    *id = user.record.id;
    return error;
}

static int run_user(struct power_rig *rig)
{
    struct lk_id id;
    int error = case_begin(rig);

    return case_end(rig, error ? error : add_user(rig, "eve", &id));
}

static int run_login(struct power_rig *rig)
{
    struct lk_login_result result;

    return bench_login(rig->bench, "alice", BENCH_PASSWORD, &result);
}

static int run_refused(struct power_rig *rig)
{
    struct lk_login_result result;
    int error = bench_login(rig->bench, "alice", "wrong password", &result);

    return error == LK_E_REFUSED ? 0 : error;
}

static int run_password(struct power_rig *rig)
{
    struct bench *bench = rig->bench;
    struct lk_password verifier;
    int error =
        lk_password_prepare(&bench->store, LK_TEXT("another secret"), NULL, 0, &verifier, NULL);

    if (!error) {
        error = case_begin(rig);
    }
    return case_end(rig, error ? error : lk_password_set(&bench->txn, rig->alice, &verifier, 0));
}

static int run_role(struct power_rig *rig)
{
    struct bench *bench = rig->bench;
    int error = case_begin(rig);

    if (!error) {
        error = lk_role_grant(&bench->txn, rig->alice, rig->role, 0);
    }
    if (!error) {
        error = bench_set(bench, &lk_kind_role, rig->role, "name=guard",
                          "permissions=doors,user:read", NULL);
    }
    return case_end(rig, error);
}

static int run_purge(struct power_rig *rig)
{
    struct bench *bench = rig->bench;
    uint64_t bytes;
    int error = case_begin(rig);

    error = case_end(rig, error ? error : lk_purge(&bench->txn, &lk_kind_user, rig->alice));
    lk_txn_release(&bench->txn);
    return error ? error : lk_store_scrub(&bench->store, &bytes);
}

static bool planted(const struct power_rig *rig)
{
    const uint8_t *image = lk_fake_flash_image(&rig->flash);
    size_t size = (size_t)rig->geometry->sector_size * rig->geometry->sector_count, i;

    for (i = 0; i + sizeof(CASE_PLANTED) - 1 <= size; i++) {
        if (memcmp(image + i, CASE_PLANTED, sizeof(CASE_PLANTED) - 1) == 0) {
            return true;
        }
    }
    return false;
}

/* Who finds the user purged after a cut scrubs again, and then nothing is left. */
static void check_purge(struct power_rig *rig, bool done)
{
    struct bench *bench = rig->bench;
    struct lk_user user;
    uint64_t bytes;
    int error = lk_begin(&bench->store, &bench->txn, LK_READ, NULL);

    if (!error) {
        error = lk_get(&bench->txn, &lk_kind_user, rig->alice, &user.record);
    }
    lk_abort(&bench->txn);
    lk_txn_release(&bench->txn);
    if (error == LK_E_NOT_FOUND && done) {
        error = lk_store_scrub(&bench->store, &bytes);
        if (!error && planted(rig)) {
            power_fail(rig, "the purged user's name can still be read");
        }
    } else if (!error && !done && !planted(rig)) {
        power_fail(rig, "the name of a user who is there cannot be found in the image");
    }
    if (error && !lk_fake_flash_is_off(&rig->flash)) {
        power_fail(rig, "the purged user: %d, purged %d", error, done);
    }
}

/* What an import does: users and their hashes in one transaction, one line in the audit. */
static int run_import(struct power_rig *rig)
{
    static const char hash[] = "$argon2id$v=19$m=64,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$"
                               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    struct lk_id id;
    char name[16];
    unsigned i;
    int error = case_begin(rig);

    rig->bench->txn.summary = true;
    for (i = 0; !error && i < 20; i++) {
        (void)snprintf(name, sizeof(name), "import%u", i);
        error = add_user(rig, name, &id);
        if (!error) {
            error = lk_password_import(&rig->bench->txn, id, bench_text(hash));
        }
    }
    return case_end(rig, error);
}

static int run_audit(struct power_rig *rig)
{
    static const struct {
        const char *name, *text;
    } fields[] = {{"action", "door.open"},
                  {"resource_type", "door"},
                  {"resource_id", "7"},
                  {"description", "opened by hand"}};
    struct lk_audit_entry entry;
    int error = case_begin(rig);
    size_t i;

    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = rig->bench->tenant;
    for (i = 0; i < LK_COUNT(fields); i++) {
        lk_field_set_span(&entry.record, lk_field_named(&lk_kind_audit, bench_text(fields[i].name)),
                          bench_text(fields[i].text));
    }
    return case_end(rig,
                    error ? error : lk_audit_write(&rig->bench->txn, LK_RING_ACTIVITY, &entry));
}

/* Of some keys, by the storage itself: each is one commit. */
static int run_tally(struct power_rig *rig)
{
    const struct lk_storage_ops *ops = rig->storage->ops;
    struct lk_span key, none = {NULL, 0};
    uint8_t bytes[LK_KEY_MAX];
    unsigned i, n;
    int error = 0;

    for (i = 0; !error && i < 12; i++) {
        struct lk_storage_txn txn;
        struct lk_storage_cursor cursor;
        uint32_t count;

        memset(&txn, 0, sizeof(txn));
        memset(&cursor, 0, sizeof(cursor));
        error = ops->begin(rig->storage, &txn, LK_WRITE);
        if (!error) {
            error = ops->cursor_open(&txn, &cursor, none);
        }
        if (!error) {
            error = ops->seek(&cursor, none, &key, NULL);
        }
        for (n = 0; !error && n < i * i % 11; n++) {
            error = ops->next(&cursor, &key, NULL);
        }
        if (!error) {
            memcpy(bytes, key.data, key.size);
            error = ops->tally(&txn, (struct lk_span){bytes, key.size}, &count);
        }
        ops->cursor_close(&cursor);
        if (!error) {
            error = ops->commit(&txn, LK_COMMIT_DURABLE);
        }
        ops->abort(&txn);
        ops->release(rig->storage, &txn);
    }
    return error;
}

/* ---- Collection ---- */

static int churn(struct power_rig *rig, unsigned number)
{
    char word[48];
    int error = case_begin(rig);

    (void)snprintf(word, sizeof(word), "display_name=Alice the %uth", number);
    return case_end(rig,
                    error ? error : bench_set(rig->bench, &lk_kind_user, rig->alice, word, NULL));
}

/* The store as it is short before a sector is erased, with all of the flash used before. */
static void setup_collection(struct power_rig *rig)
{
    struct bench *bench = rig->bench;
    unsigned count, until, round;
    uint64_t erases;

    power_town_build(rig);
    power_mount(rig);
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
    erases = rig->flash.stat.erases;
    for (count = 0; rig->flash.stat.erases == erases; count++) {
        assert_int_equal(churn(rig, count), 0);
        assert_true(count < 20000);
    }
    until = UINT32_MAX;
    for (round = 0; round < 2; round++) {
        lk_txn_release(&bench->txn);
        lk_close(&bench->store);
        if (round == 0) {
            power_save(rig);
        } else {
            power_restore(rig);
        }
        power_mount(rig);
        assert_int_equal(lk_open(&bench->store, &bench->config), 0);
        erases = rig->flash.stat.erases;
        for (count = 0; rig->flash.stat.erases == erases && count + 4 < until; count++) {
            assert_int_equal(churn(rig, count), 0);
        }
        until = count;
    }
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
}

/* Until sectors were erased: one of the big ones, three of the small. */
static int run_collection(struct power_rig *rig)
{
    uint32_t size = rig->geometry->sector_size;
    uint64_t erases = rig->flash.stat.erases + (size > 8192 ? 1 : size > 1024 ? 2 : 3);
    unsigned count = 0;
    int error = 0;

    while (!error && rig->flash.stat.erases < erases && count < 4000) {
        error = churn(rig, 1000 + count++);
    }
    return error;
}

static int run_compact(struct power_rig *rig)
{
    struct lk_storage *storage = rig->storage;

    return storage->ops->compact ? storage->ops->compact(storage) : 0;
}

const struct power_case power_cases[POWER_CASE_COUNT] = {
    {.name = "init", .bare = true, .run = run_init},
    {.name = "user", .run = run_user},
    {.name = "login", .run = run_login},
    {.name = "refused", .run = run_refused},
    {.name = "password", .run = run_password},
    {.name = "role", .run = run_role},
    {.name = "purge", .run = run_purge, .check = check_purge},
    {.name = "import", .run = run_import},
    {.name = "audit", .run = run_audit},
    {.name = "tally", .run = run_tally},
    {.name = "collection", .setup = setup_collection, .run = run_collection},
    {.name = "compact", .setup = setup_collection, .run = run_compact},
};
