// SPDX-License-Identifier: MIT
/*
 * Lists against a plain model: every index of users, both ways, in pages of several sizes, with
 * filters, in three tenants that hold the same names.
 */
#include "bench.h"

#include "lk_engine.h"

#define TENANTS 3
#define USERS   48 /* of each tenant */
#define ROLES   3

struct person {
    struct lk_id id;
    char username[64], email[64];
    uint64_t status, created_at, last_at, deleted_at;
    bool roles[ROLES];
    bool foreign;
    uint8_t uuid[16];
    bool active, locked;
    unsigned sessions;
};

struct town {
    struct bench *bench;
    uint32_t tenants[TENANTS];
    struct lk_id roles[TENANTS][ROLES];
    struct person people[TENANTS][USERS];
};

/* An entry that an index should have, in an order that needs no bytes of keys. */
struct row {
    uint64_t first;
    char text[80];
    uint64_t second;
    uint32_t user;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int text = memcmp(x->text, y->text, sizeof(x->text));

    if (x->first != y->first) {
        return x->first < y->first ? -1 : 1;
    }
    if (text) {
        return text;
    }
    if (x->second != y->second) {
        return x->second < y->second ? -1 : 1;
    }
    return x->user < y->user ? -1 : x->user > y->user;
}

static void lower(const char *from, char to[80])
{
    size_t i;

    for (i = 0; from[i]; i++) {
        to[i] = (char)lk_ascii_lower((uint8_t)from[i]);
    }
}

static unsigned add_each_role(const struct person *person, const struct lk_id *roles,
                              uint64_t first, struct row *rows)
{
    unsigned count = 0, i;

    for (i = 0; i < ROLES; i++) {
        if (person->roles[i]) {
            memset(&rows[count], 0, sizeof(rows[count]));
            rows[count].first = first;
            rows[count].second = roles[i].sub;
            rows[count++].user = person->id.user;
        }
    }
    return count;
}

/* The rows of one person in one index; "" is the order of numbers. */
static unsigned rows_of(const struct person *person, const struct lk_id *roles, const char *index,
                        struct row *row)
{
    memset(row, 0, sizeof(*row));
    row->user = person->id.user;
    if (!strcmp(index, "last_login")) {
        row->first = person->last_at / LK_MS_PER_DAY;
        return person->last_at && !person->deleted_at ? 1 : 0;
    }
    if (!strcmp(index, "deleted_at")) {
        row->first = person->deleted_at;
        return person->deleted_at ? 1 : 0;
    }
    if (person->deleted_at) {
        return 0;
    }
    if (!strcmp(index, "active_email") || !strcmp(index, "active_role")) {
        if (person->status != LK_USER_ACTIVE) {
            return 0;
        }
        index += strlen("active_");
    }
    if (!strcmp(index, "username")) {
        lower(person->username, row->text);
    } else if (!strcmp(index, "email")) {
        lower(person->email, row->text);
        return person->email[0] ? 1 : 0;
    } else if (!strcmp(index, "role")) {
        return add_each_role(person, roles, 0, row);
    } else if (!strcmp(index, "status")) {
        row->first = person->status;
    } else if (!strcmp(index, "created_at")) {
        row->first = person->created_at;
    } else if (!strcmp(index, "created_role")) {
        return add_each_role(person, roles, person->created_at, row);
    } else if (!strcmp(index, "external_id")) {
        memcpy(row->text, person->uuid, sizeof(person->uuid));
    } else if (!strcmp(index, "provider")) {
        lower(person->foreign ? "google" : "", row->text);
        (void)snprintf(row->text + 10, 40, "%s", person->username);
        return person->foreign ? 1 : 0;
    }
    return 1;
}

static unsigned model_rows(const struct town *town, unsigned tenant, const char *index,
                           struct row rows[USERS * ROLES])
{
    unsigned count = 0, i;

    for (i = 0; i < USERS; i++) {
        count += rows_of(&town->people[tenant][i], town->roles[tenant], index, rows + count);
    }
    qsort(rows, count, sizeof(*rows), compare_rows);
    return count;
}

static const char *const index_names[] = {
    "",          "username",   "email",        "active_email", "role",     "active_role",
    "status",    "created_at", "created_role", "external_id",  "provider", "last_login",
    "deleted_at"};

/* ---- Building ---- */

static void town_set(struct lk_user *user, const char *name, const char *text)
{
    lk_field_set_span(&user->record, lk_field_named(&lk_kind_user, bench_text(name)),
                      bench_text(text));
}

static void town_add_person(struct town *town, unsigned tenant, unsigned i)
{
    struct person *person = &town->people[tenant][i];
    struct bench *bench = town->bench;
    struct lk_user user;
    unsigned r;

    (void)snprintf(person->username, sizeof(person->username), i % 7 ? "%cser%u" : "%c%un person",
                   i % 2 ? 'u' : 'U', i * 37 % 100);
    if (i % 3) {
        (void)snprintf(person->email, sizeof(person->email), "p%u@Example%u.org", i, i % 5);
    }
    person->status = i % 5 == 4 ? LK_USER_SUSPENDED : i % 5 == 3 ? LK_USER_INVITED : LK_USER_ACTIVE;
    person->foreign = i % 4 == 1;
    bench_write(bench);
    memset(&user, 0, sizeof(user));
    user.record.id.tenant = town->tenants[tenant];
    town_set(&user, "username", person->username);
    if (person->email[0]) {
        town_set(&user, "email", person->email);
    }
    if (person->foreign) {
        char provider_id[80];

        town_set(&user, "identity_provider", "google");
        (void)snprintf(provider_id, sizeof(provider_id), "%u.%s", tenant, person->username);
        town_set(&user, "identity_provider_id", provider_id);
        assert_int_equal(lk_add(&bench->txn, &lk_kind_user, &user.record, NULL), 0);
    } else {
        assert_int_equal(lk_add(&bench->txn, &lk_kind_user, &user.record, NULL), 0);
    }
    person->id = user.record.id;
    for (r = 0; r < ROLES; r++) {
        person->roles[r] = (i >> r) & 1;
        if (person->roles[r]) {
            assert_int_equal(lk_role_grant(&bench->txn, person->id, town->roles[tenant][r], 0), 0);
        }
    }
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, person->id, &user.record), 0);
    memcpy(person->uuid, user.external_id.data, 16);
    person->created_at = user.record.created_at;
    bench_commit(bench);
}

static void town_log_in(struct town *town, unsigned tenant, struct person *person, unsigned i)
{
    struct bench *bench = town->bench;
    struct lk_login_result result;
    struct lk_password verifier;
    unsigned k;

    bench->tenant = town->tenants[tenant];
    bench_write(bench);
    assert_int_equal(
        lk_password_prepare(&bench->store, LK_TEXT("their secret"), NULL, 0, &verifier, NULL), 0);
    assert_int_equal(lk_password_set(&bench->txn, person->id, &verifier, 0), 0);
    bench_commit(bench);
    for (k = 0; k < 1 + i % 3; k++) {
        assert_int_equal(bench_login(bench, person->username, "their secret", &result), 0);
    }
    person->last_at = bench->fake.clock.wall_ms;
}

static struct town *town_open(void)
{
    struct town *town = calloc(1, sizeof(*town));
    unsigned t, i, r;

    assert_non_null(town);
    town->bench = bench_open();
    for (t = 0; t < TENANTS; t++) {
        char name[32];
        struct lk_id id = {0, 0, 0};

        bench_write(town->bench);
        (void)snprintf(name, sizeof(name), "name=town%u", t);
        assert_int_equal(bench_add(town->bench, &lk_kind_tenant, &id, name, NULL), 0);
        town->tenants[t] = town->bench->tenant = id.tenant;
        for (r = 0; r < ROLES; r++) {
            (void)snprintf(name, sizeof(name), "name=role%u", r);
            assert_int_equal(bench_add(town->bench, &lk_kind_role, &town->roles[t][r], name, NULL),
                             0);
        }
        bench_commit(town->bench);
    }
    for (i = 0; i < USERS; i++) { /* the tenants' users take turns */
        for (t = 0; t < TENANTS; t++) {
            town_add_person(town, t, i);
        }
        lk_fake_advance(&town->bench->fake, i % 4 ? 0 : 1000);
    }
    for (i = 0; i < USERS; i += 5) {
        for (t = 0; t < TENANTS; t++) {
            town_log_in(town, t, &town->people[t][i], i);
        }
        lk_fake_advance(&town->bench->fake, LK_MS_PER_DAY);
    }
    for (t = 0; t < TENANTS; t++) {
        for (i = 0; i < USERS; i++) {
            struct person *person = &town->people[t][i];
            bool set = i % 5 == 3 || i % 5 == 4;

            bench_write(town->bench);
            if (set) {
                assert_int_equal(lk_user_set_status(&town->bench->txn, person->id,
                                                    (enum lk_user_status)person->status),
                                 0);
            }
            if (i % 11 == 10) {
                assert_int_equal(lk_remove(&town->bench->txn, &lk_kind_user, person->id, NULL), 0);
                person->deleted_at = lk_now(&town->bench->txn);
            }
            bench_commit(town->bench);
            lk_fake_advance(&town->bench->fake, 1);
        }
    }
    bench_verify(town->bench);
    return town;
}

static void town_close(struct town *town)
{
    bench_close(town->bench);
    free(town);
}

/* ---- Paging ---- */

/* Reads the whole list in pages; answers how many there were. */
static unsigned town_pages(struct town *town, struct lk_list list, unsigned page,
                           struct lk_id ids[USERS * ROLES])
{
    char cursor[LK_CURSOR_SIZE] = "";
    unsigned count = 0, in_page;
    union lk_any_record record;
    int error = 0;

    while (!error) {
        bench_read(town->bench);
        list.after = cursor;
        assert_int_equal(lk_list_begin(&town->bench->txn, &list), 0);
        for (in_page = 0; in_page < page; in_page++) {
            error = lk_list_next(&list, &record.record);
            if (error) {
                break;
            }
            assert_in_range(count, 0, USERS * ROLES - 1);
            ids[count++] = record.record.id;
        }
        if (!error) {
            char same[LK_CURSOR_SIZE];

            assert_int_equal(lk_list_cursor(&list, same), 0);
            (void)memcpy(cursor, same, sizeof(cursor));
        }
        lk_list_end(&list);
        lk_abort(&town->bench->txn);
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    return count;
}

static void town_compare(struct town *town, unsigned tenant, const char *name, bool reverse,
                         unsigned page)
{
    static struct row rows[USERS * ROLES];
    static struct lk_id ids[USERS * ROLES];
    unsigned want = model_rows(town, tenant, name, rows), i;
    struct lk_list list = {.kind = &lk_kind_user,
                           .index =
                               name[0] ? lk_index_named(&lk_kind_user, bench_text(name)) : NULL,
                           .scope = {town->tenants[tenant], 0, 0},
                           .reverse = reverse,
                           .deleted = !strcmp(name, "deleted_at")};
    unsigned count = town_pages(town, list, page, ids);

    if (count != want) {
        fail_msg("index \"%s\", tenant %u, pages of %u: %u records, want %u", name, tenant, page,
                 count, want);
    }
    for (i = 0; i < count; i++) {
        const struct row *row = &rows[reverse ? count - 1 - i : i];

        if (ids[i].tenant != town->tenants[tenant] || ids[i].user != row->user) {
            fail_msg("index \"%s\"%s, tenant %u, pages of %u: place %u is user %u.%u, want %u",
                     name, reverse ? " reversed" : "", tenant, page, i, ids[i].tenant, ids[i].user,
                     row->user);
        }
    }
}

static void test_lists_page_as_the_model_says(void **state)
{
    static const unsigned pages[] = {1, 2, 7, 1000};
    struct town *town = town_open();
    unsigned t, i, p;

    (void)state;
    for (i = 0; i < LK_COUNT(index_names); i++) {
        for (t = 0; t < TENANTS; t++) {
            for (p = 0; p < LK_COUNT(pages); p++) {
                town_compare(town, t, index_names[i], false, pages[p]);
                town_compare(town, t, index_names[i], true, pages[p]);
            }
        }
    }
    for (i = 0; i < lk_kind_user.index_count; i++) {
        for (p = 0; p < LK_COUNT(index_names); p++) {
            if (!strcmp(lk_kind_user.indexes[i].name, index_names[p])) {
                break;
            }
        }
        if (p == LK_COUNT(index_names)) {
            fail_msg("index %s of users is not in this test", lk_kind_user.indexes[i].name);
        }
    }
    town_close(town);
}

/* ---- Filters ---- */

static bool person_matches(const struct person *person, const char *field, uint64_t number,
                           uint64_t now)
{
    if (!strcmp(field, "status")) {
        return person->status == number;
    }
    if (!strcmp(field, "roles")) {
        return person->roles[number];
    }
    if (!strcmp(field, "activity_status")) {
        return number == (!person->last_at ? LK_ACTIVITY_UNKNOWN
                          : now - person->last_at <= 7 * (uint64_t)LK_MS_PER_DAY
                              ? LK_ACTIVITY_ACTIVE
                              : LK_ACTIVITY_INACTIVE);
    }
    if (!strcmp(field, "is_locked")) {
        return number == 0;
    }
    return number == 0; /* session_count: all have run out */
}

static void test_lists_filter_stored_and_computed_fields(void **state)
{
    static const struct {
        const char *field;
        uint64_t number;
    } filters[] = {{"status", LK_USER_ACTIVE},
                   {"status", LK_USER_SUSPENDED},
                   {"roles", 0},
                   {"roles", 2},
                   {"activity_status", LK_ACTIVITY_ACTIVE},
                   {"activity_status", LK_ACTIVITY_INACTIVE},
                   {"activity_status", LK_ACTIVITY_UNKNOWN},
                   {"is_locked", 0},
                   {"is_locked", 1},
                   {"session_count", 0},
                   {"session_count", 1}};
    static struct lk_id ids[USERS * ROLES];
    struct town *town = town_open();
    uint64_t now = town->bench->fake.clock.wall_ms;
    unsigned f, g, i;

    (void)state;
    for (f = 0; f < LK_COUNT(filters); f++) {
        for (g = 0; g < LK_COUNT(filters); g++) { /* both must hold */
            const unsigned pair[2] = {f, g};
            struct lk_filter wanted[2];
            struct lk_list list = {.kind = &lk_kind_user,
                                   .scope = {town->tenants[1], 0, 0},
                                   .filters = wanted,
                                   .filter_count = 2};
            unsigned count, want = 0;

            for (i = 0; i < 2; i++) {
                memset(&wanted[i], 0, sizeof(wanted[i]));
                wanted[i].field = lk_field_named(&lk_kind_user, bench_text(filters[pair[i]].field));
                wanted[i].number = strcmp(filters[pair[i]].field, "roles") == 0
                                       ? town->roles[1][filters[pair[i]].number].sub
                                       : filters[pair[i]].number;
            }
            for (i = 0; i < USERS; i++) {
                const struct person *person = &town->people[1][i];

                want += !person->deleted_at &&
                        person_matches(person, filters[f].field, filters[f].number, now) &&
                        person_matches(person, filters[g].field, filters[g].number, now);
            }
            count = town_pages(town, list, 5, ids);
            if (count != want) {
                fail_msg("%s %u and %s %u: %u users, want %u", filters[f].field,
                         (unsigned)filters[f].number, filters[g].field, (unsigned)filters[g].number,
                         count, want);
            }
        }
    }
    town_close(town);
}

static void test_lists_filter_texts_without_case(void **state)
{
    struct town *town = town_open();
    struct lk_filter filter = {.field = lk_field_named(&lk_kind_user, LK_TEXT("email")),
                               .span = LK_TEXT("P1@EXAMPLE1.ORG")};
    struct lk_list list = {.kind = &lk_kind_user,
                           .scope = {town->tenants[0], 0, 0},
                           .filters = &filter,
                           .filter_count = 1};
    static struct lk_id ids[USERS * ROLES];

    (void)state;
    assert_int_equal(town_pages(town, list, 10, ids), 1);
    assert_int_equal(ids[0].user, town->people[0][1].id.user);
    filter.field = lk_field_named(&lk_kind_user, LK_TEXT("identity_provider"));
    filter.span = LK_TEXT("GOOGLE");
    assert_int_equal(town_pages(town, list, 10, ids), 0);
    filter.span = LK_TEXT("local"); /* what an absent one reads as */
    assert_true(town_pages(town, list, 10, ids) > 20);
    town_close(town);
}

/* A computed list shows the very figures of a single read. */
static void test_lists_computed_fields_equal_those_read_alone(void **state)
{
    struct town *town = town_open();
    struct lk_list list = {
        .kind = &lk_kind_user, .scope = {town->tenants[2], 0, 0}, .computed = true};
    struct lk_user listed, alone;
    unsigned count = 0;

    (void)state;
    bench_read(town->bench);
    assert_int_equal(lk_list_begin(&town->bench->txn, &list), 0);
    while (!lk_list_next(&list, &listed.record)) {
        assert_int_equal(
            lk_get_computed(&town->bench->txn, &lk_kind_user, listed.record.id, &alone.record), 0);
        assert_int_equal(listed.login_count, alone.login_count);
        assert_int_equal(listed.session_count, alone.session_count);
        assert_int_equal(listed.activity_status, alone.activity_status);
        assert_true(listed.last_login_at == alone.last_login_at);
        assert_true(listed.record.present == alone.record.present);
        count++;
    }
    lk_list_end(&list);
    assert_true(count > 30);
    town_close(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_page_as_the_model_says),
        cmocka_unit_test(test_lists_filter_stored_and_computed_fields),
        cmocka_unit_test(test_lists_filter_texts_without_case),
        cmocka_unit_test(test_lists_computed_fields_equal_those_read_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
