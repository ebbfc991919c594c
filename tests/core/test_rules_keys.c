// SPDX-License-Identifier: MIT
/*
 * Unique keys, references and limits: refused by name, with no byte changed; and what a removed, a
 * purged and a restored record leave behind.
 */
#include "bench.h"

#include "lk_engine.h"

/* After a refusal: named as said, and nothing changed even when the caller commits. */
static void refused(struct bench *bench, uint64_t print, int error, int want, const char *kind,
                    const char *field, const char *words)
{
    const struct lk_problem *problem = lk_problem(&bench->txn);

    if (error != want || problem->error != want || !problem->rule ||
        strcmp(problem->rule, words) != 0 || !problem->kind || strcmp(problem->kind, kind) != 0 ||
        strcmp(problem->field ? problem->field : "", field) != 0) {
        fail_msg("got %d, problem %d %s.%s \"%s\"; want %d %s.%s \"%s\"", error, problem->error,
                 problem->kind ? problem->kind : "-", problem->field ? problem->field : "-",
                 problem->rule ? problem->rule : "-", want, kind, field, words);
    }
    bench_commit(bench);
    assert_true(bench_print(bench) == print);
}

static struct lk_id added(struct bench *bench, const struct lk_kind *kind, const char *first,
                          const char *second)
{
    struct lk_id id = {0, 0, 0};

    bench_write(bench);
    assert_int_equal(bench_add(bench, kind, &id, first, second, NULL), 0);
    bench_commit(bench);
    return id;
}

/* ---- Unique keys ---- */

static const struct unique {
    const struct lk_kind *kind;
    const char *base;  /* what the other record needs besides, or NULL */
    const char *first; /* the key */
    const char *same;  /* what must be taken for the same */
    const char *other; /* what must not */
    const char *field;
} uniques[] = {
    {&lk_kind_tenant, NULL, "name=North Site", "name=nOrth sITE", "name=North  Site", "name"},
    {&lk_kind_tenant, "name=t2", "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     "external_id=6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
     "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c9", "external_id"},
    {&lk_kind_user, NULL, "username=alice", "username=ALICE", "username=alice1", "username"},
    {&lk_kind_user, "username=u2", "email=a@Example.org", "email=A@eXample.ORG",
     "email=a@example.com", "email"},
    {&lk_kind_user, "username=u2", "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c9", "external_id"},
    {&lk_kind_user, "username=u2", "identity_provider_id=abc", "identity_provider_id=abc",
     "identity_provider_id=ABC", "identity_provider_id"},
    {&lk_kind_permission, "resource=r", "name=open doors", "name=Open Doors", "name=open door",
     "name"},
    {&lk_kind_role, NULL, "name=guard", "name=GUARD", "name=guards", "name"},
};

static int add_unique(struct bench *bench, const struct unique *unique, const char *key,
                      bool second, struct lk_id *id)
{
    const char *base = unique->base;

    *id = (struct lk_id){0, 0, 0};
    if (unique->kind == &lk_kind_permission) {
        return bench_add(bench, unique->kind, id, key, base, "action=a", NULL);
    }
    if (!base) {
        return bench_add(bench, unique->kind, id, key, NULL);
    }
    return bench_add(bench, unique->kind, id, key,
                     second                          ? base
                     : unique->kind == &lk_kind_user ? "username=u1"
                                                     : "name=t1",
                     NULL);
}

static void test_keys_are_unique_until_removed(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(uniques); i++) {
        const struct unique *unique = &uniques[i];
        struct bench *bench = bench_open();
        struct lk_id first, second, none;
        uint64_t print;

        bench_write(bench);
        assert_int_equal(add_unique(bench, unique, unique->first, false, &first), 0);
        bench_commit(bench);
        print = bench_print(bench);
        bench_write(bench);
        refused(bench, print, add_unique(bench, unique, unique->same, true, &none), LK_E_CONFLICT,
                unique->kind->name, unique->field, "is taken");

        /* Changing another record to it is refused, giving a record its own is not. */
        bench_write(bench);
        assert_int_equal(add_unique(bench, unique, unique->other, true, &second), 0);
        bench_commit(bench);
        print = bench_print(bench);
        if (strcmp(unique->field, "external_id") != 0) {
            bench_write(bench);
            refused(bench, print, bench_set(bench, unique->kind, second, unique->same, NULL),
                    LK_E_CONFLICT, unique->kind->name, unique->field, "is taken");
            bench_write(bench);
            assert_int_equal(bench_set(bench, unique->kind, first, unique->same, NULL), 0);
            bench_commit(bench);
        }
        bench_write(bench);
        assert_int_equal(lk_purge(&bench->txn, unique->kind, second), 0);

        /* Removed, the key is free; the removed one can't come back while it is taken. */
        assert_int_equal(lk_remove(&bench->txn, unique->kind, first, NULL), 0);
        assert_int_equal(add_unique(bench, unique, unique->same, true, &second), 0);
        bench_commit(bench);
        bench_verify(bench);
        print = bench_print(bench);
        bench_write(bench);
        refused(bench, print, lk_restore(&bench->txn, unique->kind, first), LK_E_CONFLICT,
                unique->kind->name, unique->field, "is taken");
        bench_write(bench);
        assert_int_equal(lk_remove(&bench->txn, unique->kind, second, NULL), 0);
        assert_int_equal(lk_restore(&bench->txn, unique->kind, first), 0);
        bench_commit(bench);
        bench_verify(bench);
        bench_close(bench);
    }
}

static void test_keys_unique_in_a_tenant_are_free_in_another(void **state)
{
    struct bench *bench = bench_open();
    uint32_t main_tenant = bench->tenant;
    struct lk_id other = added(bench, &lk_kind_tenant, "name=other", NULL);
    struct lk_id user = {0, 0, 0};
    uint64_t print;

    (void)state;
    (void)added(bench, &lk_kind_user, "username=alice", "email=alice@example.org");
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_user, &user, "username=bob",
                               "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                               "identity_provider=google", "identity_provider_id=12345", NULL),
                     0);
    bench_commit(bench);
    bench->tenant = other.tenant;
    (void)added(bench, &lk_kind_user, "username=alice", "email=alice@example.org");
    (void)added(bench, &lk_kind_role, "name=guard", NULL);
    /* The store-wide ones are not, and the refusal does not tell whose it is. */
    print = bench_print(bench);
    bench_write(bench);
    memset(&user, 0, sizeof(user));
    refused(bench, print,
            bench_add(bench, &lk_kind_user, &user, "username=b2",
                      "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL),
            LK_E_CONFLICT, "user", "external_id", "is taken");
    assert_int_equal(lk_problem(&bench->txn)->id.user, 0);
    bench_write(bench);
    refused(bench, print,
            bench_add(bench, &lk_kind_user, &user, "username=b2", "identity_provider=google",
                      "identity_provider_id=12345", NULL),
            LK_E_CONFLICT, "user", "identity_provider_id", "is taken");
    bench->tenant = main_tenant;
    bench_verify(bench);
    bench_close(bench);
}

static void test_keys_username_with_at_is_the_own_address(void **state)
{
    struct bench *bench = bench_open();
    uint64_t print = bench_print(bench);
    struct lk_id id = {0, 0, 0};

    (void)state;
    bench_write(bench);
    refused(bench, print, bench_add(bench, &lk_kind_user, &id, "username=a@b.org", NULL),
            LK_E_CHECK, "user", "username", "holds '@' but is not the user's own e-mail address");
    bench_write(bench);
    refused(bench, print, bench_add(bench, &lk_kind_user, &id, "username=#5", NULL), LK_E_CHECK,
            "user", "username", "begins with '#', which stands for a number");
    bench_write(bench);
    refused(bench, print, bench_add(bench, &lk_kind_user, &id, "username= ", NULL), LK_E_CHECK,
            "user", "username", "begins or ends with a space");
    bench_write(bench);
    refused(bench, print, bench_add(bench, &lk_kind_role, &id, "name=door ", NULL), LK_E_CHECK,
            "role", "name", "begins or ends with a space");
    id = added(bench, &lk_kind_user, "username=a@b.org", "email=A@b.org");
    print = bench_print(bench);
    bench_write(bench);
    refused(bench, print, bench_set(bench, &lk_kind_user, id, "email=c@d.org", NULL), LK_E_CHECK,
            "user", "username", "holds '@' but is not the user's own e-mail address");
    bench_write(bench);
    refused(bench, print, bench_set(bench, &lk_kind_user, id, "email=", NULL), LK_E_CHECK, "user",
            "username", "holds '@' but is not the user's own e-mail address");
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, id, "email=c@d.org", "username=c@d.org", NULL),
                     0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* ---- References ---- */

static void test_references_restrict_and_name_who_refers(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id permission = {0, 0, 0}, base, child;
    uint64_t print;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=doors",
                               "resource=door", "action=open", NULL),
                     0);
    bench_commit(bench);
    base = added(bench, &lk_kind_role, "name=base", "permissions=doors");
    child = added(bench, &lk_kind_role, "name=child", "parent=base");
    print = bench_print(bench);
    bench_write(bench);
    refused(bench, print, lk_remove(&bench->txn, &lk_kind_role, base, NULL), LK_E_REFERENCE, "role",
            "role", "still refers to it");
    assert_int_equal(lk_problem(&bench->txn)->id.sub, child.sub);
    bench_write(bench);
    refused(bench, print, lk_purge(&bench->txn, &lk_kind_role, base), LK_E_REFERENCE, "role",
            "role", "still refers to it");
    bench_write(bench);
    refused(bench, print, lk_remove(&bench->txn, &lk_kind_permission, permission, NULL),
            LK_E_REFERENCE, "permission", "role", "still refers to it");
    assert_int_equal(lk_problem(&bench->txn)->id.sub, base.sub);
    bench_write(bench);
    refused(bench, print, lk_purge(&bench->txn, &lk_kind_permission, permission), LK_E_REFERENCE,
            "permission", "role", "still refers to it");

    /* Removed, a record refers to nothing; it can't come back to what is gone meanwhile. */
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, child, NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, base, NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_permission, permission, NULL), 0);
    bench_commit(bench);
    print = bench_print(bench);
    bench_write(bench);
    refused(bench, print, lk_restore(&bench->txn, &lk_kind_role, child), LK_E_REFERENCE, "role",
            "parent", "refers to nothing");
    bench_write(bench);
    refused(bench, print, lk_restore(&bench->txn, &lk_kind_role, base), LK_E_REFERENCE, "role",
            "permissions", "refers to nothing");
    bench_write(bench);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_permission, permission), 0);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_role, base), 0);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_role, child), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_close(bench);
}

/* True when any key of a user's range is left. */
static unsigned keys_of_user(struct bench *bench, struct lk_id user)
{
    const struct lk_storage_ops *ops = bench->fault.storage.ops;
    unsigned count = 0;
    uint8_t class_;

    bench_read(bench);
    for (class_ = 1; class_ <= 3; class_++) {
        struct lk_storage_cursor cursor;
        struct lk_span key, value;
        struct lk_key prefix = {.size = 0};
        int error;

        lk_key_put_number(&prefix, user.tenant);
        lk_key_put_byte(&prefix, class_);
        lk_key_put_number(&prefix, user.user);
        assert_int_equal(lk_cursor_begin(&bench->txn, &cursor, &prefix), 0);
        error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
        while (!error) {
            count++;
            error = ops->next(&cursor, &key, &value);
        }
        lk_cursor_end(&cursor);
    }
    lk_abort(&bench->txn);
    return count;
}

static void test_references_purged_user_leaves_nobody(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret"), role, key, other;
    struct lk_login_result result;
    char token[LK_TOKEN_SIZE];
    struct lk_user user;
    struct lk_role record;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &result), 0);
    bench->actor.tenant = bench->tenant;
    bench->actor.user = alice.user;
    role = added(bench, &lk_kind_role, "name=made by alice", NULL);
    other = added(bench, &lk_kind_user, "username=made by alice", NULL);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, other, "display_name=set by alice", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, role, 0), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, token, &key),
                     0);
    bench_commit(bench);
    memset(&bench->actor, 0, sizeof(bench->actor));
    assert_true(keys_of_user(bench, alice) >= 6);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    bench_commit(bench);
    bench_verify(bench);
    assert_int_equal(keys_of_user(bench, alice), 0);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, alice, &user.record), LK_E_NOT_FOUND);
    /* The number stays where it was written, and names nobody: it is never given out again. */
    assert_int_equal(lk_get(&bench->txn, &lk_kind_role, role, &record.record), 0);
    assert_int_equal(record.record.created_by, alice.user);
    assert_int_equal(lk_get_computed(&bench->txn, &lk_kind_role, role, &record.record), 0);
    assert_int_equal(record.holder_count, 0);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, other, &user.record), 0);
    assert_int_equal(user.record.updated_by, alice.user);
    assert_int_equal(bench_check(bench, token, NULL), LK_E_REFUSED);
    assert_int_equal(bench_check(bench, result.token, NULL), LK_E_REFUSED);
    assert_true(bench_user(bench, "alice", NULL).user > alice.user);
    bench_verify(bench);
    bench_close(bench);
}

static unsigned count_grants(struct bench *bench, struct lk_id user)
{
    struct lk_list list = {.kind = &lk_kind_grant, .scope = user};
    struct lk_grant grant;
    unsigned count = 0;

    bench_read(bench);
    assert_int_equal(lk_list_begin(&bench->txn, &list), 0);
    while (!lk_list_next(&list, &grant.record)) {
        count++;
    }
    lk_list_end(&list);
    lk_abort(&bench->txn);
    return count;
}

static void test_references_purged_role_takes_its_grants(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL), bob = bench_user(bench, "bob", NULL);
    struct lk_id role = added(bench, &lk_kind_role, "name=guard", NULL), kept;
    struct lk_user user;

    (void)state;
    kept = added(bench, &lk_kind_role, "name=kept", NULL);
    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, alice, role, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, kept, 0), 0);
    assert_int_equal(lk_role_grant(&bench->txn, bob, role, 0), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, bob, NULL), 0);
    bench_commit(bench);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_role, role), 0);
    bench_commit(bench);
    bench_verify(bench);
    assert_int_equal(count_grants(bench, alice), 1);
    /* Those of removed users too. */
    assert_int_equal(count_grants(bench, bob), 0);
    bench_write(bench);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, bob), 0);
    bench_commit(bench);
    bench_verify(bench);
    bench_read(bench);
    assert_int_equal(lk_get(&bench->txn, &lk_kind_user, bob, &user.record), 0);
    assert_false(lk_refs_hold(user.roles, role.sub));
    bench_close(bench);
}

static void test_references_of_what_is_not_there(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id ghost = {bench->tenant, 77, 0}, role, id = {77, 0, 0};
    uint64_t print = bench_print(bench);
    struct lk_user user;

    (void)state;
    bench_write(bench);
    memset(&user, 0, sizeof(user));
    user.record.id = id;
    lk_field_set_span(&user.record, lk_field_numbered(&lk_kind_user, 8), LK_TEXT("x"));
    refused(bench, print, lk_add(&bench->txn, &lk_kind_user, &user.record, NULL), LK_E_REFERENCE,
            "user", "tenant", "does not exist");
    bench_write(bench);
    role = bench_named(bench, &lk_kind_role, "viewer");
    assert_int_equal(lk_role_grant(&bench->txn, ghost, role, 0), LK_E_NOT_FOUND);
    assert_int_equal(
        lk_role_grant(&bench->txn, bench->admin, (struct lk_id){bench->tenant, 0, 99}, 0),
        LK_E_NOT_FOUND);
    assert_int_equal(lk_role_revoke(&bench->txn, bench->admin, role), LK_E_NOT_FOUND);
    assert_int_equal(lk_update(&bench->txn, &lk_kind_user, ghost, &user.record, 0, NULL),
                     LK_E_NOT_FOUND);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, ghost, NULL), LK_E_NOT_FOUND);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, ghost), LK_E_NOT_FOUND);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, ghost), LK_E_NOT_FOUND);
    refused(bench, print, lk_restore(&bench->txn, &lk_kind_user, bench->admin), LK_E_CHECK, "user",
            "", "was not removed");
    bench_close(bench);
}

/* ---- Limits ---- */

static struct lk_id role_under(struct bench *bench, unsigned number, struct lk_id parent)
{
    char name[32], above[32];

    (void)snprintf(name, sizeof(name), "name=level%u", number);
    (void)snprintf(above, sizeof(above), "parent=#%u", parent.sub);
    return added(bench, &lk_kind_role, name, parent.sub ? above : NULL);
}

static void test_limits_of_role_depth_and_cycles(void **state)
{
    static const char deep[] = "would make more than 8 levels of roles";
    static const char cycle[] = "would make the role its own ancestor";
    struct bench *bench = bench_open();
    struct lk_id levels[9] = {{0, 0, 0}}, id = {0, 0, 0}, top;
    char word[32];
    uint64_t print;
    unsigned i;

    (void)state;
    for (i = 1; i <= LK_ROLE_DEPTH; i++) {
        levels[i] = role_under(bench, i, levels[i - 1]);
    }
    top = role_under(bench, 100, (struct lk_id){0, 0, 0});
    print = bench_print(bench);
    (void)snprintf(word, sizeof(word), "parent=#%u", levels[LK_ROLE_DEPTH].sub);
    bench_write(bench);
    refused(bench, print, bench_add(bench, &lk_kind_role, &id, "name=ninth", word, NULL),
            LK_E_CHECK, "role", "parent", deep);
    bench_write(bench);
    refused(bench, print, bench_set(bench, &lk_kind_role, top, word, NULL), LK_E_CHECK, "role",
            "parent", deep);
    for (i = 1; i <= LK_ROLE_DEPTH; i++) {
        bench_write(bench);
        refused(bench, print, bench_set(bench, &lk_kind_role, levels[1], word, NULL), LK_E_CHECK,
                "role", "parent", cycle);
        (void)snprintf(word, sizeof(word), "parent=#%u", levels[i].sub);
    }
    /* From above as well: the root can't go under another. */
    (void)snprintf(word, sizeof(word), "parent=#%u", top.sub);
    bench_write(bench);
    refused(bench, print, bench_set(bench, &lk_kind_role, levels[1], word, NULL), LK_E_CHECK,
            "role", "parent", deep);
    /* A removed one does not come back too deep. */
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, levels[8], NULL), 0);
    assert_int_equal(bench_set(bench, &lk_kind_role, levels[1], word, NULL), 0);
    bench_commit(bench);
    print = bench_print(bench);
    bench_write(bench);
    refused(bench, print, lk_restore(&bench->txn, &lk_kind_role, levels[8]), LK_E_CHECK, "role",
            "parent", deep);
    bench_verify(bench);
    bench_close(bench);
}

static void test_limits_of_grants_and_permissions(void **state)
{
    struct bench *bench = bench_open();
    static const char four[] = "has four permissions with this resource already";
    struct lk_id role = {0, 0, 0}, id = {0, 0, 0}, other;
    uint64_t print;
    unsigned i;
    char name[32];

    (void)state;
    for (i = 1; i <= LK_GRANT_MAX; i++) { /* the administrator has one already */
        role = role_under(bench, i, (struct lk_id){0, 0, 0});
        if (i < LK_GRANT_MAX) {
            bench_write(bench);
            assert_int_equal(lk_role_grant(&bench->txn, bench->admin, role, 0), 0);
            bench_commit(bench);
        }
    }
    bench_verify(bench);
    print = bench_print(bench);
    bench_write(bench);
    refused(bench, print, lk_role_grant(&bench->txn, bench->admin, role, 0), LK_E_LIMIT, "grant",
            "role", "would be more roles than a user may have in this build");
    /* Four permissions of one resource and action, and no fifth; nor one that comes back. */
    for (i = 0; i < LK_PAIR_MAX; i++) {
        (void)snprintf(name, sizeof(name), "name=pair%u", i);
        id = (struct lk_id){0, 0, 0};
        bench_write(bench);
        assert_int_equal(
            bench_add(bench, &lk_kind_permission, &id, name, "resource=door", "action=open", NULL),
            0);
        bench_commit(bench);
    }
    print = bench_print(bench);
    bench_write(bench);
    other = (struct lk_id){0, 0, 0};
    refused(bench, print,
            bench_add(bench, &lk_kind_permission, &other, "name=fifth", "resource=door",
                      "action=open", NULL),
            LK_E_LIMIT, "permission", "action", four);
    bench_write(bench);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_permission, id, NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &other, "name=fifth", "resource=door",
                               "action=close", NULL),
                     0);
    assert_int_equal(bench_set(bench, &lk_kind_permission, other, "action=open", NULL), 0);
    bench_commit(bench);
    print = bench_print(bench);
    bench_write(bench);
    refused(bench, print, lk_restore(&bench->txn, &lk_kind_permission, id), LK_E_LIMIT,
            "permission", "action", four);
    bench_verify(bench);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_unique_until_removed),
        cmocka_unit_test(test_keys_unique_in_a_tenant_are_free_in_another),
        cmocka_unit_test(test_keys_username_with_at_is_the_own_address),
        cmocka_unit_test(test_references_restrict_and_name_who_refers),
        cmocka_unit_test(test_references_purged_user_leaves_nobody),
        cmocka_unit_test(test_references_purged_role_takes_its_grants),
        cmocka_unit_test(test_references_of_what_is_not_there),
        cmocka_unit_test(test_limits_of_role_depth_and_cycles),
        cmocka_unit_test(test_limits_of_grants_and_permissions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
