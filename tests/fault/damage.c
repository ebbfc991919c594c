// SPDX-License-Identifier: MIT
#include "damage.h"

#define DAMAGE_MEMORY   (96u << 10)
#define DAMAGE_PASSWORD "their secret"

static uint64_t damage_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t i;

    hash = hash ? hash : 14695981039346656037u;
    for (i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
    }
    return hash;
}

/* Every field as it reads, numbers of computed ones included. */
static uint64_t damage_record(const struct lk_kind *kind, const struct lk_record *record)
{
    uint64_t hash = damage_hash(0, &record->id, sizeof(record->id));
    size_t i;

    hash = damage_hash(hash, &record->present, sizeof(record->present));
    for (i = 0; i < kind->field_count; i++) {
        if (lk_field_is_number(&kind->fields[i])) {
            uint64_t number = lk_field_number(record, &kind->fields[i]);

            hash = damage_hash(hash, &number, sizeof(number));
        } else {
            struct lk_span span = lk_field_span(record, &kind->fields[i]);

            hash = damage_hash(hash, span.data, span.size);
        }
    }
    return damage_hash(hash, record->raw.data, record->raw.size);
}

/* ---- Building ---- */

static void damage_list_keys(struct damage_town *town)
{
    const struct lk_storage_ops *ops = town->bench->ram.storage.ops;
    struct lk_storage_txn txn;
    struct lk_storage_cursor cursor;
    struct lk_span found, value, none = {NULL, 0};
    struct lk_id id;
    int error;

    memset(&txn, 0, sizeof(txn));
    memset(&cursor, 0, sizeof(cursor));
    assert_int_equal(ops->begin(&town->bench->ram.storage, &txn, LK_READ), 0);
    assert_int_equal(ops->cursor_open(&txn, &cursor, none), 0);
    error = ops->seek(&cursor, none, &found, &value);
    while (!error) {
        struct damage_key *key = &town->keys[town->key_count++];
        const struct lk_kind *const *kind;
        size_t i;

        assert_in_range(town->key_count, 1, DAMAGE_KEYS);
        lk_key_put_bytes(&key->key, found);
        key->size = value.size;
        if (found.data[1] == LK_CLASS_INDEX) {
            key->index = found.data[2] == LK_INDEX_DELETED ? &lk_index_deleted : NULL;
            for (kind = lk_kinds; *kind; kind++) {
                for (i = 0; i < (*kind)->index_count; i++) {
                    if ((*kind)->indexes[i].number == found.data[2]) {
                        key->index = &(*kind)->indexes[i];
                    }
                }
            }
            assert_non_null(key->index);
        } else if (lk_key_parse(&town->bench->store, found, &key->kind, &id)) {
            key->kind = NULL;
        }
        error = ops->next(&cursor, &found, &value);
    }
    ops->cursor_close(&cursor);
    ops->abort(&txn);
}

struct damage_town *damage_open(void)
{
    static const char line[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b";
    struct lk_create_request request = {
        .tenant = LK_TEXT("main"), .admin = LK_TEXT("admin"), .password = LK_TEXT(BENCH_PASSWORD)};
    struct damage_town *town = calloc(1, sizeof(*town));
    struct lk_create_result made;
    struct lk_login_result result;
    struct lk_id gone, second = {0, 0, 0}, ssh;
    struct bench *bench = bench_bare(DAMAGE_MEMORY);

    assert_non_null(town);
    town->bench = bench;
    assert_int_equal(lk_create(&bench->store, &bench->config, &request, &made), 0);
    bench->admin = made.admin;
    bench->tenant = made.admin.tenant;
    town->alice = bench_user(bench, "alice", DAMAGE_PASSWORD);
    town->bob = bench_user(bench, "bob", DAMAGE_PASSWORD);
    gone = bench_user(bench, "carol", NULL);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, town->alice, "email=alice@example.org",
                               "identity_provider=google", "identity_provider_id=12345",
                               "display_name=Alice", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &second, "name=second", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &town->door, "name=doors",
                               "resource=door", "action=open", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &town->role, "name=guard", "permissions=doors",
                               "parent=viewer", NULL),
                     0);
    assert_int_equal(lk_role_grant(&bench->txn, town->alice, town->role, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town->bob,
                                   bench_named(bench, &lk_kind_role, "viewer"),
                                   lk_now(&bench->txn) + LK_MS_PER_DAY),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, town->alice, LK_TEXT("k"), LK_TEXT(""), 0,
                                    town->api_key, &town->key),
                     0);
    assert_int_equal(
        lk_ssh_key_add(&bench->txn, town->bob, LK_TEXT("laptop"), bench_text(line), &ssh), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, gone, NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "bob", DAMAGE_PASSWORD, &result), 0);
    assert_int_equal(bench_login(bench, "alice", DAMAGE_PASSWORD, &result), 0);
    memcpy(town->session, result.token, sizeof(town->session));
    assert_int_equal(bench_login(bench, "nobody", DAMAGE_PASSWORD, &result), LK_E_REFUSED);
    bench_verify(bench);
    town->saved = malloc(DAMAGE_MEMORY);
    assert_non_null(town->saved);
    memcpy(town->saved, bench->memory, DAMAGE_MEMORY);
    town->saved_fake = bench->fake;
    damage_list_keys(town);
    damage_ask(town, &town->whole);
    damage_reset(town);
    return town;
}

void damage_close(struct damage_town *town)
{
    damage_reset(town);
    bench_verify(town->bench);
    bench_close(town->bench);
    free(town->saved);
    free(town);
}

void damage_reset(struct damage_town *town)
{
    struct bench *bench = town->bench;

    lk_fault_restore(&bench->fault);
    lk_txn_release(&bench->txn);
    lk_close(&bench->store);
    memcpy(bench->memory, town->saved, DAMAGE_MEMORY);
    bench->fake = town->saved_fake;
    assert_int_equal(lk_open(&bench->store, &bench->config), 0);
}

/* ---- Asking ---- */

static void damage_take(struct damage_answers *answers, const char *name, int error, uint64_t hash)
{
    assert_in_range(answers->count, 0, DAMAGE_ASKED - 1);
    answers->name[answers->count] = name;
    answers->error[answers->count] = error;
    answers->hash[answers->count++] = error ? 0 : hash;
}

static void ask_find(struct damage_town *town, struct damage_answers *answers, const char *name,
                     const char *index, struct lk_span first, struct lk_span second)
{
    struct lk_span values[LK_INDEX_FIELDS] = {first, second};
    struct lk_id id = {0, 0, 0};
    int error =
        lk_find(&town->bench->txn, &lk_kind_user, lk_index_named(&lk_kind_user, bench_text(index)),
                town->bench->tenant, values, &id);

    damage_take(answers, name, error, damage_hash(0, &id, sizeof(id)));
}

static void ask_records(struct damage_town *town, struct damage_answers *answers)
{
    struct lk_txn *txn = &town->bench->txn;
    union lk_any_record record;
    struct lk_id id = {0, 0, 0};
    int error = lk_get(txn, &lk_kind_user, town->alice, &record.record);

    damage_take(answers, "get user", error,
                error ? 0 : damage_record(&lk_kind_user, &record.record));
    error = lk_get_computed(txn, &lk_kind_user, town->alice, &record.record);
    damage_take(answers, "get user, computed", error,
                error ? 0 : damage_record(&lk_kind_user, &record.record));
    error = lk_get_computed(txn, &lk_kind_role, town->role, &record.record);
    damage_take(answers, "get role, computed", error,
                error ? 0 : damage_record(&lk_kind_role, &record.record));
    ask_find(town, answers, "find by username", "username", LK_TEXT("alice"), LK_TEXT(""));
    ask_find(town, answers, "find by email", "email", LK_TEXT("alice@example.org"), LK_TEXT(""));
    ask_find(town, answers, "find by provider", "provider", LK_TEXT("google"), LK_TEXT("12345"));
    error = lk_find_tenant(txn, LK_TEXT("main"), &id);
    damage_take(answers, "find tenant", error, damage_hash(0, &id, sizeof(id)));
    error = lk_find_named(txn, &lk_kind_role, town->bench->tenant, LK_TEXT("guard"), &id);
    damage_take(answers, "find role", error, damage_hash(0, &id, sizeof(id)));
}

static void ask_rights(struct damage_town *town, struct damage_answers *answers)
{
    struct bench *bench = town->bench;
    const char *const tokens[] = {town->session, town->api_key};
    struct lk_reason reason;
    struct lk_verdict verdict;
    size_t i;
    int error;

    for (i = 0; i < LK_COUNT(tokens); i++) {
        error = lk_session_check(&bench->txn, bench->tenant, bench_text(tokens[i]), NULL, &verdict);
        damage_take(answers, "check token", error,
                    error ? 0 : damage_hash(0, &verdict.expires_at, sizeof(uint64_t)));
        error = lk_session_check(&bench->txn, bench->tenant, bench_text(tokens[i]),
                                 LK_ASK("door", "open"), &verdict);
        damage_take(answers, "check token, may", error, 0);
        error = lk_session_check(&bench->txn, bench->tenant, bench_text(tokens[i]),
                                 LK_ASK("door", "close"), &verdict);
        damage_take(answers, "check token, may not", error, 0);
    }
    error = lk_permission_check(&bench->txn, town->alice, LK_ASK("user", "read"), &reason);
    damage_take(answers, "may, inherited", error, damage_hash(0, &reason, sizeof(reason)));
    error = lk_permission_check(&bench->txn, town->bob, LK_ASK("door", "open"), &reason);
    damage_take(answers, "may not", error, 0);
    error = lk_permission_check(&bench->txn, bench->admin, LK_ASK("any", "thing"), NULL);
    damage_take(answers, "administrator may", error, 0);
}

static void ask_list(struct damage_town *town, const struct lk_kind *kind, const char *index,
                     struct damage_list *out)
{
    struct lk_list list = {.kind = kind,
                           .index = index ? lk_index_named(kind, bench_text(index)) : NULL,
                           .scope = {kind == &lk_kind_tenant ? 0 : town->bench->tenant, 0, 0},
                           .deleted = index && !strcmp(index, "deleted_at")};
    union lk_any_record record;
    unsigned steps = 0;
    int error = lk_list_begin(&town->bench->txn, &list);

    /* A damaged record is an error in its place; the list goes on behind it. */
    while (error != LK_E_NOT_FOUND && steps++ < 200) {
        error = lk_list_next(&list, &record.record);
        if (!error) {
            assert_in_range(out->count, 0, DAMAGE_ITEMS - 1);
            out->items[out->count++] = damage_record(kind, &record.record);
        } else if (error != LK_E_NOT_FOUND) {
            out->errors++;
        }
    }
    assert_in_range(steps, 0, 200);
    lk_list_end(&list);
}

static void ask_audit(struct damage_town *town, bool oldest_first, struct damage_list *out)
{
    struct lk_audit_query query = {.tenant = town->bench->tenant, .oldest_first = oldest_first};
    struct lk_audit_entry entry;
    unsigned steps = 0;
    int error = lk_audit_begin(&town->bench->txn, &query);

    while (!error && steps++ < 200) {
        error = lk_audit_next(&query, &entry);
        if (!error) {
            assert_in_range(out->count, 0, DAMAGE_ITEMS - 1);
            out->items[out->count++] = damage_record(&lk_kind_audit, &entry.record);
        }
    }
    out->errors += error != LK_E_NOT_FOUND;
}

static void ask_lists(struct damage_town *town, struct damage_answers *answers)
{
    static const struct {
        const struct lk_kind *kind;
        const char *index;
    } lists[] = {
        {&lk_kind_user, NULL},         {&lk_kind_user, "username"},   {&lk_kind_user, "role"},
        {&lk_kind_user, "last_login"}, {&lk_kind_user, "provider"},   {&lk_kind_user, "deleted_at"},
        {&lk_kind_role, NULL},         {&lk_kind_permission, "pair"}, {&lk_kind_session, NULL},
        {&lk_kind_credential, NULL},   {&lk_kind_grant, NULL},        {&lk_kind_tenant, NULL}};
    size_t i;

    for (i = 0; i < LK_COUNT(lists); i++) {
        ask_list(town, lists[i].kind, lists[i].index, &answers->lists[i]);
    }
    ask_audit(town, false, &answers->lists[i++]);
    ask_audit(town, true, &answers->lists[i++]);
    assert_int_equal(i, DAMAGE_LISTS);
}

static void ask_logins(struct damage_town *town, struct damage_answers *answers)
{
    struct lk_login_result result;

    damage_take(answers, "good login", bench_login(town->bench, "alice", DAMAGE_PASSWORD, &result),
                0);
    damage_take(answers, "wrong password",
                bench_login(town->bench, "alice", "wrong password", &result), 0);
    damage_take(answers, "unknown name",
                bench_login(town->bench, "nobody", "wrong password", &result), 0);
}

void damage_ask(struct damage_town *town, struct damage_answers *answers)
{
    struct bench *bench = town->bench;

    memset(answers, 0, sizeof(*answers));
    lk_txn_release(&bench->txn);
    memset(&bench->txn, 0, sizeof(bench->txn));
    bench_read(bench);
    ask_records(town, answers);
    ask_rights(town, answers);
    ask_lists(town, answers);
    lk_abort(&bench->txn);
    ask_logins(town, answers);
}

/* ---- Judging ---- */

const char *damage_name(const struct damage_key *key)
{
    if (key->kind) {
        return key->kind->name;
    }
    if (key->index) {
        return key->index->name;
    }
    return key->key.data[key->key.size - 1] == LK_KIND_BOOT ? "boot" : "meta";
}

static bool list_is_believable(const struct damage_list *whole, const struct damage_list *got)
{
    unsigned i, at = 0;

    for (i = 0; i < got->count; i++) { /* in the same order, with gaps */
        while (at < whole->count && whole->items[at] != got->items[i]) {
            at++;
        }
        if (at++ >= whole->count) {
            return false;
        }
    }
    return got->errors || got->count == whole->count;
}

void damage_compare(const struct damage_town *town, const struct damage_answers *answers,
                    const char *what, const struct damage_key *key, unsigned number)
{
    unsigned i;

    for (i = 0; i < answers->count; i++) {
        if (answers->error[i] == 0 &&
            (town->whole.error[i] != 0 || answers->hash[i] != town->whole.hash[i])) {
            fail_msg("%s %u of a %s: \"%s\" believed it", what, number, damage_name(key),
                     answers->name[i]);
        }
    }
    for (i = 0; i < DAMAGE_LISTS; i++) {
        if (!list_is_believable(&town->whole.lists[i], &answers->lists[i])) {
            fail_msg("%s %u of a %s: list %u believed it (%u of %u records, %u errors)", what,
                     number, damage_name(key), i, answers->lists[i].count,
                     town->whole.lists[i].count, answers->lists[i].errors);
        }
    }
}

unsigned damage_faults(struct damage_town *town)
{
    struct lk_verify verify = {.context = NULL};
    int error;

    bench_read(town->bench);
    error = lk_verify(&town->bench->txn, &verify);
    lk_abort(&town->bench->txn);
    return (unsigned)verify.fault_count + (error && error != LK_E_FAULTS);
}

size_t damage_samples(const struct damage_town *town, const struct damage_key *samples[64])
{
    size_t count = 0, i, k;

    for (i = 0; i < town->key_count; i++) {
        const struct damage_key *key = &town->keys[i];

        for (k = 0; k < count; k++) {
            bool bare = !key->kind && !key->index && !samples[k]->kind && !samples[k]->index;

            if (samples[k]->kind == key->kind && samples[k]->index == key->index &&
                (!bare || key->key.data[key->key.size - 1] ==
                              samples[k]->key.data[samples[k]->key.size - 1])) {
                break;
            }
        }
        assert_in_range(k, 0, 63);
        if (k == count) {
            samples[count++] = key;
        } else if (key->size > samples[k]->size) {
            samples[k] = key;
        }
    }
    return count;
}
