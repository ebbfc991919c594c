// SPDX-License-Identifier: MIT
/* bench_latchkey.c: Latchkey on LMDB, through its public interface. */
#include "town.h"

#include <stdio.h>

static struct town town;
static struct lk_login login;
static struct lk_login_request request;
static struct lk_login_result result;
static struct town_user person;
static char directory[512];
static uint8_t record_bytes[LK_VALUE_MAX];
static size_t record_size;
static uint64_t audit_newest, audit_since;
static uint32_t people;

static void begin(enum lk_mode mode)
{
    town_must(lk_begin(town.store, &town.txn, mode, NULL), "begin");
}

static void latchkey_open(const char *place, uint32_t users)
{
    struct lk_audit_query query = {0};
    struct lk_audit_entry entry;
    struct lk_user user;

    (void)snprintf(directory, sizeof(directory), "%s", place);
    people = users;
    town_open(&town, place);
    begin(LK_READ);
    town_must(lk_get(&town.txn, &lk_kind_user, (struct lk_id){town.tenant, town.first_user, 0},
                     &user.record),
              "user");
    record_size = user.record.raw.size;
    memcpy(record_bytes, user.record.raw.data, record_size);
    query.tenant = town.tenant;
    town_must(lk_audit_begin(&town.txn, &query), "audit");
    town_must(lk_audit_next(&query, &entry), "audit");
    audit_newest = entry.seq;
    lk_abort(&town.txn);
}

static void latchkey_close(void)
{
    town_close(&town);
}

static void check(uint32_t which, const struct lk_question *question)
{
    struct lk_verdict verdict;

    begin(LK_READ);
    town_must(
        lk_session_check(&town.txn, town.tenant, town_span(tokens_pick(which)), question, &verdict),
        "check");
    lk_abort(&town.txn);
}

static void session_check(uint32_t which)
{
    check(which, NULL);
}

static void session_check_permission(uint32_t which)
{
    check(which, LK_ASK("user", "write"));
}

static void person_ready(uint32_t which)
{
    town_user(which, &person);
}

static void user_by_email(uint32_t which)
{
    struct lk_user user;

    (void)which;
    begin(LK_READ);
    town_must(
        lk_get_named(&town.txn, &lk_kind_user, town.tenant, town_span(person.email), &user.record),
        "get");
    lk_abort(&town.txn);
}

/* A page from somewhere in the middle: the cursor comes from a page of one before it. */
static char page_cursor[LK_CURSOR_SIZE];

static void page_ready(uint32_t which)
{
    struct lk_list list = {.kind = &lk_kind_user, .scope = {town.tenant, 0, 0}};
    struct lk_user user;

    memset(&user, 0, sizeof(user));
    begin(LK_READ);
    if (people > TOWN_PAGE) {
        struct lk_id id = {town.tenant, town.first_user + which % (people - TOWN_PAGE), 0};

        /* By id first: the place in the index is made from the record that stands there. */
        town_must(lk_get(&town.txn, &lk_kind_user, id, &user.record), "get");
    }
    list.index = lk_index_named(&lk_kind_user, LK_TEXT("created_at"));
    page_cursor[0] = '\0';
    if (people > TOWN_PAGE) {
        struct lk_key key;

        lk_key_index_prefix(&key, list.index, town.tenant);
        lk_key_put_number(&key, user.record.created_at);
        lk_index_put_id(&key, &lk_kind_user, user.record.id);
        memcpy(list.key, key.data, key.size);
        list.key_size = key.size;
        list.started = true;
        town_must(lk_list_cursor(&list, page_cursor), "cursor");
    }
    lk_abort(&town.txn);
}

static void user_page(uint32_t which)
{
    struct lk_list list = {.kind = &lk_kind_user, .scope = {town.tenant, 0, 0}};
    struct lk_user user;
    unsigned i;

    (void)which;
    list.index = lk_index_named(&lk_kind_user, LK_TEXT("created_at"));
    list.after = page_cursor[0] ? page_cursor : NULL;
    begin(LK_READ);
    town_must(lk_list_begin(&town.txn, &list), "list");
    for (i = 0; i < TOWN_PAGE; i++) {
        town_must(lk_list_next(&list, &user.record), "next");
    }
    lk_list_end(&list);
    lk_abort(&town.txn);
}

/* The time of an entry that has enough behind it. */
static void audit_ready(uint32_t which)
{
    struct lk_audit_query query = {.tenant = town.tenant, .oldest_first = true};
    struct lk_audit_entry entry;

    query.after_seq = audit_newest - TOWN_RANGE - 1 - which % (TOWN_AUDIT - 2 * TOWN_RANGE);
    begin(LK_READ);
    town_must(lk_audit_begin(&town.txn, &query), "audit");
    town_must(lk_audit_next(&query, &entry), "audit");
    audit_since = entry.at;
    lk_abort(&town.txn);
}

static void audit_range(uint32_t which)
{
    struct lk_audit_query query = {
        .tenant = town.tenant, .oldest_first = true, .since = audit_since};
    struct lk_audit_entry entry;
    unsigned i;

    (void)which;
    begin(LK_READ);
    town_must(lk_audit_begin(&town.txn, &query), "audit");
    for (i = 0; i < TOWN_RANGE; i++) {
        town_must(lk_audit_next(&query, &entry), "next");
    }
    lk_abort(&town.txn);
}

static void charge_ready(uint32_t which)
{
    town_user(which, &person);
    request = (struct lk_login_request){.tenant = town.tenant,
                                        .name = town_span(person.username),
                                        .password = LK_TEXT(TOWN_PASSWORD),
                                        .channel = LK_CHANNEL_HTTP};
}

static void login_charge(uint32_t which)
{
    int error = lk_login_begin(town.store, &login, &request);

    (void)which;
    /* The same person may be drawn until a delay runs: then nothing is written, rightly. */
    bench_must(!error || error == LK_E_LOCKED, "charge");
}

static void login_ready(uint32_t which)
{
    int error;

    charge_ready(which);
    do {
        error = lk_login_begin(town.store, &login, &request);
        if (error == LK_E_LOCKED) {
            charge_ready(bench_random(people));
        }
    } while (error == LK_E_LOCKED);
    town_must(error, "begin");
    do {
        error = lk_login_step(&login);
    } while (error > 0);
    town_must(error, "step");
}

static void login_durable(uint32_t which)
{
    (void)which;
    town_must(lk_login_finish(&login, &result), "finish");
}

static void decode(uint32_t which)
{
    struct lk_user user;

    (void)which;
    town_must(
        lk_record_decode(&lk_kind_user, (struct lk_span){record_bytes, record_size}, &user.record),
        "decode");
}

static void latchkey_bytes(uint64_t *medium, uint64_t *content)
{
    const struct lk_storage_ops *ops = town.store->storage->ops;
    struct lk_storage_cursor cursor = {0};
    struct lk_span key, value;
    int error;

    *content = 0;
    begin(LK_READ);
    town_must(ops->cursor_open(&town.txn.storage, &cursor, LK_TEXT("")), "cursor");
    for (error = ops->seek(&cursor, LK_TEXT(""), &key, &value); !error;
         error = ops->next(&cursor, &key, &value)) {
        *content += key.size + value.size;
    }
    ops->cursor_close(&cursor);
    lk_abort(&town.txn);
    {
        char store[600];

        (void)snprintf(store, sizeof(store), "%s/store", directory);
        *medium = bench_file_size(store, "data.mdb");
    }
}

const struct bench_engine bench_engine = {
    .name = "latchkey",
    .load = town_load,
    .open = latchkey_open,
    .close = latchkey_close,
    .ready = {[BENCH_USER_BY_EMAIL] = person_ready,
              [BENCH_USER_PAGE] = page_ready,
              [BENCH_AUDIT_RANGE] = audit_ready,
              [BENCH_LOGIN_DURABLE] = login_ready,
              [BENCH_LOGIN_CHARGE] = charge_ready},
    .run = {[BENCH_SESSION_CHECK] = session_check,
            [BENCH_SESSION_CHECK_PERMISSION] = session_check_permission,
            [BENCH_USER_BY_EMAIL] = user_by_email,
            [BENCH_USER_PAGE] = user_page,
            [BENCH_AUDIT_RANGE] = audit_range,
            [BENCH_LOGIN_DURABLE] = login_durable,
            [BENCH_LOGIN_CHARGE] = login_charge,
            [BENCH_DECODE] = decode},
    .bytes = latchkey_bytes,
    .other = latchkey_life,
};
