// SPDX-License-Identifier: MIT
/*
 * What a list must never show: another tenant's records, whatever kind, index or cursor; and the
 * list of tenants itself, whose records lie far apart.
 */
#include "bench.h"

#include "lk_engine.h"

#define TENANTS 3

struct town {
    struct bench *bench;
    uint32_t tenants[TENANTS];
    struct lk_id users[TENANTS];
};

static struct town *town_open(void)
{
    struct town *town = calloc(1, sizeof(*town));
    unsigned t, i;

    assert_non_null(town);
    town->bench = bench_open();
    for (t = 0; t < TENANTS; t++) {
        struct bench *bench = town->bench;
        struct lk_id id = {0, 0, 0}, role;
        struct lk_login_result result;
        char name[48], email[48], token[LK_TOKEN_SIZE];
        struct lk_device_facts facts = {LK_TEXT("tablet"), LK_TEXT(""), LK_TEXT("mark")};

        bench_write(bench);
        (void)snprintf(name, sizeof(name), "name=town%u", t);
        assert_int_equal(bench_add(bench, &lk_kind_tenant, &id, name, NULL), 0);
        bench_commit(bench);
        town->tenants[t] = bench->tenant = id.tenant;
        for (i = 0; i < 12; i++) {
            (void)snprintf(name, sizeof(name), "user%u", i);
            id = bench_user(bench, name, "their secret");
            assert_int_equal(bench_login(bench, name, "their secret", &result), 0);
            bench_write(bench);
            (void)snprintf(email, sizeof(email), "email=user%u@example.org", i);
            (void)snprintf(name, sizeof(name), "identity_provider_id=%u.%u", t, i);
            assert_int_equal(bench_set(bench, &lk_kind_user, id, email, name, NULL), 0);
            role = bench_named(bench, &lk_kind_role, i % 2 ? "viewer" : "operator");
            assert_int_equal(lk_role_grant(&bench->txn, id, role, 0), 0);
            assert_int_equal(
                lk_api_key_add(&bench->txn, id, LK_TEXT("key"), LK_TEXT(""), 0, token, &role), 0);
            role = id;
            assert_int_equal(lk_device_remember(&bench->txn, &facts, &role, token), 0);
            if (i == 11) {
                struct lk_id gone = {0, 0, 0};

                assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, id, NULL), 0);
                assert_int_equal(bench_add(bench, &lk_kind_role, &gone, "name=gone", NULL), 0);
                assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, gone, NULL), 0);
            } else {
                town->users[t] = id;
            }
            bench_commit(bench);
        }
    }
    return town;
}

static void town_close(struct town *town)
{
    bench_verify(town->bench);
    bench_close(town->bench);
    free(town);
}

/* Reads to the end; every record must lie in the list's scope. LK_E_USAGE where the cursor is
 * refused. */
static int town_read(struct town *town, struct lk_list *list, unsigned *count)
{
    union lk_any_record record;
    int error;

    bench_read(town->bench);
    *count = 0;
    error = lk_list_begin(&town->bench->txn, list);
    while (!error) {
        error = lk_list_next(list, &record.record);
        if (error) {
            break;
        }
        (*count)++;
        assert_in_range(*count, 1, 5000);
        if ((list->kind != &lk_kind_tenant && record.record.id.tenant != list->scope.tenant) ||
            (list->scope.user && record.record.id.user != list->scope.user)) {
            fail_msg("list of %s by %s in tenant %u shows %u.%u.%u", list->kind->name,
                     list->index ? list->index->name : "id", list->scope.tenant,
                     record.record.id.tenant, record.record.id.user, record.record.id.sub);
        }
    }
    lk_list_end(list);
    lk_abort(&town->bench->txn);
    return error;
}

static const struct lk_index *index_at(const struct lk_kind *kind, size_t number)
{
    return number == 0                   ? NULL
           : number <= kind->index_count ? &kind->indexes[number - 1]
                                         : lk_index_named(kind, LK_TEXT("deleted_at"));
}

static void test_scope_every_list_of_every_kind_keeps_to_its_tenant(void **state)
{
    struct town *town = town_open();
    const struct lk_kind *const *kind;
    unsigned lists = 0, first = 0, count, t, reverse;
    size_t i;

    (void)state;
    for (kind = lk_kinds; *kind; kind++) {
        if (*kind == &lk_kind_tenant) {
            continue;
        }
        for (i = 0; i <= (*kind)->index_count + 1u; i++) {
            if (i > (*kind)->index_count && !((*kind)->flags & LK_K_SOFT_DELETE)) {
                continue;
            }
            for (t = 0; t < TENANTS; t++) {
                for (reverse = 0; reverse < 2; reverse++) {
                    struct lk_list list = {.kind = *kind,
                                           .index = index_at(*kind, i),
                                           .scope = {town->tenants[t], 0, 0},
                                           .reverse = reverse != 0,
                                           .deleted = i > (*kind)->index_count};

                    assert_int_equal(town_read(town, &list, &count), LK_E_NOT_FOUND);
                    first = t || reverse ? first : count;
                    assert_int_equal(count, first); /* the tenants are alike */
                    lists++;
                }
            }
            if (*kind != &lk_kind_bucket && *kind != &lk_kind_fold &&
                !(*kind == &lk_kind_role && i && index_at(*kind, i)->number == 37)) {
                assert_true(*kind == &lk_kind_permission || *kind == &lk_kind_device || first > 0);
            }
        }
    }
    print_message("%u lists\n", lists);
    town_close(town);
}

static void test_scope_of_one_user_holds_only_the_own(void **state)
{
    static const struct lk_kind *const kinds[] = {&lk_kind_grant, &lk_kind_session, &lk_kind_device,
                                                  &lk_kind_credential};
    struct town *town = town_open();
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(kinds); i++) {
        struct lk_list list = {.kind = kinds[i], .scope = town->users[1]};
        unsigned count;

        assert_int_equal(town_read(town, &list, &count), LK_E_NOT_FOUND);
        assert_int_equal(count, kinds[i] == &lk_kind_credential ? 2 : 1);
        if (kinds[i] == &lk_kind_device) {
            list.index = &lk_kind_device.indexes[0];
            assert_int_equal(town_read(town, &list, &count), LK_E_NOT_FOUND);
            assert_int_equal(count, 1);
        }
        list.scope.user = 9999;
        assert_int_equal(town_read(town, &list, &count), LK_E_NOT_FOUND);
        assert_int_equal(count, 0);
    }
    town_close(town);
}

static void cursor_of(struct town *town, struct lk_list list, unsigned steps,
                      char cursor[LK_CURSOR_SIZE])
{
    union lk_any_record record;

    bench_read(town->bench);
    assert_int_equal(lk_list_begin(&town->bench->txn, &list), 0);
    assert_int_equal(lk_list_cursor(&list, cursor), LK_E_STATE);
    while (steps--) {
        assert_int_equal(lk_list_next(&list, &record.record), 0);
    }
    assert_int_equal(lk_list_cursor(&list, cursor), 0);
    lk_list_end(&list);
    lk_abort(&town->bench->txn);
}

/* In another tenant a cursor is a place, nothing more; in another list it is refused. */
static void test_scope_cursors_of_other_lists(void **state)
{
    struct town *town = town_open();
    size_t from, to;

    (void)state;
    for (from = 0; from <= lk_kind_user.index_count + 1u; from++) {
        struct lk_list list = {.kind = &lk_kind_user,
                               .index = index_at(&lk_kind_user, from),
                               .scope = {town->tenants[0], 0, 0}};
        char cursor[LK_CURSOR_SIZE];

        list.deleted = from > lk_kind_user.index_count;
        cursor_of(town, list, 1, cursor);
        list.after = cursor;
        for (to = 0; to <= lk_kind_user.index_count + 1u; to++) {
            unsigned count, reverse;

            list.index = index_at(&lk_kind_user, to);
            list.deleted = to > lk_kind_user.index_count;
            list.scope.tenant = town->tenants[1];
            for (reverse = 0; reverse < 2; reverse++) {
                list.reverse = reverse != 0;
                assert_int_equal(town_read(town, &list, &count),
                                 from == to ? LK_E_NOT_FOUND : LK_E_USAGE);
            }
        }
        list.kind = &lk_kind_permission;
        list.index = NULL;
        list.deleted = false;
        assert_int_equal(town_read(town, &list, &(unsigned){0}), LK_E_USAGE);
        assert_string_equal(lk_problem(&town->bench->txn)->field, "after");
    }
    town_close(town);
}

static void test_scope_cursors_damaged_or_made_up(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct town *town = town_open();
    struct lk_list list = {.kind = &lk_kind_user, .scope = {town->tenants[1], 0, 0}};
    char cursor[LK_CURSOR_SIZE], other[LK_CURSOR_SIZE];
    unsigned count, refused = 0, i, k;
    uint64_t seed = 1;

    (void)state;
    list.index = lk_index_named(&lk_kind_user, LK_TEXT("username"));
    cursor_of(town, list, 5, cursor);
    list.after = other;
    /* The head names kind and index; behind it any byte is a place. */
    for (i = 0; cursor[i]; i++) {
        for (k = 0; k < 65; k++) {
            int error;

            memcpy(other, cursor, sizeof(other));
            other[i] = k < 64 ? alphabet[k] : '*';
            list.reverse = k & 1;
            error = town_read(town, &list, &count);
            assert_true(error == LK_E_NOT_FOUND || error == LK_E_USAGE);
            refused += error == LK_E_USAGE;
        }
    }
    assert_true(refused > 100);
    for (i = 0; i < 2000; i++) {
        unsigned size;
        int error;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size = (unsigned)(seed >> 40) % (LK_CURSOR_SIZE - 1);
        memcpy(other, cursor, 3); /* half of them with the right head */
        for (k = i & 1 ? 0 : 3; k < size; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            other[k] = alphabet[(seed >> 33) % 64];
        }
        other[k] = '\0';
        list.reverse = (i >> 1) & 1;
        error = town_read(town, &list, &count);
        assert_true(error == LK_E_NOT_FOUND || error == LK_E_USAGE);
        refused += error == LK_E_USAGE;
    }
    print_message("%u cursors refused\n", refused);
    town_close(town);
}

/* Enough tenants for keys of both lengths, each with entries in both audit rings behind it. */
static void test_scope_tenants_forwards_and_backwards(void **state)
{
    static uint32_t seen[600];
    struct bench *bench = bench_open();
    uint32_t last = 0, number;
    unsigned i, count = 0, live = 1, back = 0;
    struct lk_list list = {.kind = &lk_kind_tenant};
    struct lk_tenant tenant;
    char cursor[LK_CURSOR_SIZE];

    (void)state;
    for (i = 0; i < 258; i++) {
        struct lk_tenant fresh;
        struct lk_audit_entry entry;
        char name[32];

        memset(&fresh, 0, sizeof(fresh));
        (void)snprintf(name, sizeof(name), "tenant%u", i);
        lk_field_set_span(&fresh.record, lk_field_numbered(&lk_kind_tenant, 8), bench_text(name));
        bench_write(bench);
        assert_int_equal(i % 3 ? lk_add(&bench->txn, &lk_kind_tenant, &fresh.record, NULL)
                               : lk_tenant_add(&bench->txn, &fresh),
                         0);
        memset(&entry, 0, sizeof(entry));
        entry.record.id.tenant = fresh.record.id.tenant;
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 12), LK_TEXT("x"));
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 13), LK_TEXT("y"));
        lk_field_set_span(&entry.record, lk_field_numbered(&lk_kind_audit, 16), LK_TEXT("z"));
        assert_int_equal(lk_audit_write(&bench->txn, LK_RING_ACTIVITY, &entry), 0);
        live++;
        if (i % 10 == 9) {
            assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, fresh.record.id, NULL), 0);
            live--;
        }
        if (i % 50 == 48) {
            assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, fresh.record.id), 0);
            live--;
        }
        bench_commit(bench);
    }
    bench_read(bench);
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &tenant.record)) {
        number = tenant.record.id.tenant;
        assert_true(number > last);
        last = number;
        seen[count++] = number;
        if (count == 100) {
            assert_int_equal(lk_list_cursor(&list, cursor), 0);
        }
    }
    lk_list_end(&list);
    assert_int_equal(count, live);
    assert_true(last > 256);
    list.reverse = true;
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &tenant.record)) {
        back++;
        assert_in_range(back, 1, count);
        assert_int_equal(tenant.record.id.tenant, seen[count - back]);
    }
    lk_list_end(&list);
    assert_int_equal(back, count);

    list.reverse = false;
    list.after = cursor;
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    assert_int_equal(lk_list_next(&list, &tenant.record), 0);
    assert_int_equal(tenant.record.id.tenant, seen[100]);
    lk_list_end(&list);
    list.reverse = true;
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    assert_int_equal(lk_list_next(&list, &tenant.record), 0);
    assert_int_equal(tenant.record.id.tenant, seen[98]);
    lk_list_end(&list);
    bench_verify(bench);
    bench_close(bench);
}

/* The highest number that a key can hold, as a restored store may have. */
static void test_scope_tenants_up_to_the_last_number(void **state)
{
    struct bench *bench = bench_open();
    struct lk_list list = {.kind = &lk_kind_tenant};
    struct lk_tenant tenant;
    unsigned count = 0;

    (void)state;
    memset(&tenant, 0, sizeof(tenant));
    tenant.record.id.tenant = UINT32_MAX;
    lk_field_set_span(&tenant.record, lk_field_numbered(&lk_kind_tenant, 8), LK_TEXT("last"));
    bench_write(bench);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_tenant, &tenant.record), 0);
    bench_commit(bench);
    bench->tenant = UINT32_MAX;
    (void)bench_user(bench, "alice", NULL);
    bench_read(bench);
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &tenant.record)) {
        assert_in_range(++count, 1, 2);
    }
    lk_list_end(&list);
    assert_int_equal(count, 2);
    bench_write(bench);
    memset(&tenant, 0, sizeof(tenant));
    lk_field_set_span(&tenant.record, lk_field_numbered(&lk_kind_tenant, 8), LK_TEXT("one more"));
    assert_int_equal(lk_add(&bench->txn, &lk_kind_tenant, &tenant.record, NULL), LK_E_LIMIT);
    assert_string_equal(lk_problem(&bench->txn)->rule, "has used up its numbers");
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope_every_list_of_every_kind_keeps_to_its_tenant),
        cmocka_unit_test(test_scope_of_one_user_holds_only_the_own),
        cmocka_unit_test(test_scope_cursors_of_other_lists),
        cmocka_unit_test(test_scope_cursors_damaged_or_made_up),
        cmocka_unit_test(test_scope_tenants_forwards_and_backwards),
        cmocka_unit_test(test_scope_tenants_up_to_the_last_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
