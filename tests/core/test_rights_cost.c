// SPDX-License-Identifier: MIT
/*
 * What a change of roles takes away is gone from a live session at its next check, and what that
 * costs the check, in reads of the storage, counted by a wrapper around it.
 */
#include "bench.h"

#include "lk_engine.h"

static struct lk_storage_ops counting;
static const struct lk_storage_ops *inner;
static unsigned get_count, seek_count;

static int count_get(struct lk_storage_txn *txn, struct lk_span key, struct lk_span *value)
{
    get_count++;
    return inner->get(txn, key, value);
}

static int count_seek(struct lk_storage_cursor *cursor, struct lk_span key, struct lk_span *found,
                      struct lk_span *value)
{
    seek_count++;
    return inner->seek(cursor, key, found, value);
}

struct town {
    struct bench *bench;
    struct lk_id alice, porter, other, unconnected, door, gate;
    struct lk_login_result session;
    struct lk_txn reader; /* kept from check to check, as a server keeps it */
};

static struct town town_open(void)
{
    struct town town = {.bench = bench_open()};
    struct bench *bench = town.bench;

    town.alice = bench_user(bench, "alice", "alice's secret");
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &town.door, "name=door:open",
                               "resource=door", "action=open", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &town.gate, "name=gate:open",
                               "resource=gate", "action=open", NULL),
                     0);
    assert_int_equal(
        bench_add(bench, &lk_kind_role, &town.porter, "name=porter", "permissions=door:open", NULL),
        0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &town.other, "name=other", NULL), 0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &town.unconnected, "name=third", NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, town.alice, town.porter, 0), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &town.session), 0);
    inner = bench->fault.storage.ops;
    counting = *inner;
    counting.get = count_get;
    counting.seek = count_seek;
    bench->fault.storage.ops = &counting;
    return town;
}

static void town_close(struct town *town)
{
    lk_txn_release(&town->reader);
    bench_close(town->bench);
}

/* A check by the handle that is kept; counts what it reads. */
static int check(struct town *town, const struct lk_question *question)
{
    struct lk_verdict verdict;
    int error;

    lk_abort(&town->bench->txn);
    assert_int_equal(lk_begin(&town->bench->store, &town->reader, LK_READ, NULL), 0);
    get_count = seek_count = 0;
    error = lk_session_check(&town->reader, 0, bench_text(town->session.token), question, &verdict);
    lk_abort(&town->reader);
    return error;
}

/* Something that has nothing to do with rights. */
static void unrelated(struct town *town)
{
    static unsigned n;
    char name[32];

    (void)snprintf(name, sizeof(name), "display_name=Alice %u", n++);
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_user, town->alice, name, NULL), 0);
    bench_commit(town->bench);
}

static void take_permission(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_role_permit(&town->bench->txn, town->porter, town->door, false), 0);
    bench_commit(town->bench);
}

static void give_permission(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_role_permit(&town->bench->txn, town->porter, town->door, true), 0);
    bench_commit(town->bench);
}

static void switch_off(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_role, town->porter, "is_active=false", NULL),
                     0);
    bench_commit(town->bench);
}

static void switch_on_named(struct town *town, const char *name)
{
    bench_write(town->bench);
    assert_int_equal(bench_set(town->bench, &lk_kind_role,
                               bench_named(town->bench, &lk_kind_role, name), "is_active=true",
                               NULL),
                     0);
    bench_commit(town->bench);
}

static void switch_on(struct town *town)
{
    switch_on_named(town, "porter");
}

static void remove_role(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_remove(&town->bench->txn, &lk_kind_role, town->porter, NULL), 0);
    bench_commit(town->bench);
}

static void restore_role(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_restore(&town->bench->txn, &lk_kind_role, town->porter), 0);
    bench_commit(town->bench);
}

static void revoke(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_role_revoke(&town->bench->txn, town->alice, town->porter), 0);
    bench_commit(town->bench);
}

static void grant(struct town *town)
{
    bench_write(town->bench);
    assert_int_equal(lk_role_grant(&town->bench->txn, town->alice, town->porter, 0), 0);
    bench_commit(town->bench);
}

/* Nothing of the roles may be read again when nothing of them changed. */
static void test_rights_cost_of_a_check(void **state)
{
    struct town town = town_open();
    unsigned bare, asked, seeks_asked;

    (void)state;
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0); /* fills the caches */
    assert_int_equal(check(&town, NULL), 0);
    bare = get_count;
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    asked = get_count;
    seeks_asked = seek_count;
    print_message("[  figure  ] gets of a check: %u; with a permission: %u, and %u seeks\n", bare,
                  asked, seeks_asked);
    assert_int_equal(bare, 1);
    assert_int_equal(asked, 1);
    assert_int_equal(seeks_asked, 1);
    unrelated(&town);
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    print_message("[  figure  ] after somebody wrote: %u\n", get_count);
    assert_int_equal(get_count, 2); /* the tenant's epochs */
    assert_int_equal(seek_count, 1);
    town_close(&town);
}

static void test_rights_taken_away_are_gone_at_the_next_check(void **state)
{
    static const struct {
        const char *name;
        void (*take)(struct town *town), (*give)(struct town *town);
    } ways[] = {
        {"permission forbidden", take_permission, give_permission},
        {"role switched off", switch_off, switch_on},
        {"role removed", remove_role, restore_role},
        {"grant revoked", revoke, grant},
    };
    struct town town = town_open();
    unsigned before, after, most = 0;
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(ways); i++) {
        assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
        unrelated(&town);
        assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
        before = get_count;
        ways[i].take(&town);
        assert_int_equal(check(&town, LK_ASK("door", "open")), LK_E_REFUSED);
        after = get_count;
        most = after - before > most ? after - before : most;
        print_message("[  figure  ] %s: %u gets more at the next check\n", ways[i].name,
                      after - before);
        assert_true(after <= before + 1);
        assert_true(seek_count <= 2);
        /* The session itself goes on. */
        assert_int_equal(check(&town, NULL), 0);
        ways[i].give(&town);
        assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
        assert_true(get_count <= before + 1);
    }
    assert_true(most <= 1);
    town_close(&town);
}

/* Of several roles the one that changed is read again, and no other. */
static void test_rights_cost_of_several_roles(void **state)
{
    struct town town = town_open();
    struct lk_id heir = {0, 0, 0};
    unsigned roles;

    (void)state;
    for (roles = 1; roles <= 3; roles++) {
        if (roles > 1) {
            bench_write(town.bench);
            assert_int_equal(lk_role_grant(&town.bench->txn, town.alice,
                                           roles == 2 ? town.other : town.unconnected, 0),
                             0);
            bench_commit(town.bench);
        }
        assert_int_equal(check(&town, LK_ASK("gate", "open")), LK_E_REFUSED);
        assert_int_equal(check(&town, LK_ASK("gate", "open")), LK_E_REFUSED);
        assert_int_equal(get_count, 1);
        take_permission(&town);
        assert_int_equal(check(&town, LK_ASK("gate", "open")), LK_E_REFUSED);
        print_message("[  figure  ] %u roles, all looked at: %u gets after one changed\n", roles,
                      get_count);
        assert_int_equal(get_count, 2 + 1);
        give_permission(&town);
        /* A role that the user has not costs nothing but the tenant's. */
        assert_int_equal(check(&town, LK_ASK("gate", "open")), LK_E_REFUSED);
        bench_write(town.bench);
        assert_int_equal(bench_set(town.bench, &lk_kind_role,
                                   bench_named(town.bench, &lk_kind_role, "viewer"),
                                   "is_active=false", NULL),
                         0);
        bench_commit(town.bench);
        assert_int_equal(check(&town, LK_ASK("gate", "open")), LK_E_REFUSED);
        assert_int_equal(get_count, 2);
        switch_on_named(&town, "viewer");
    }
    /* Those that inherit from the one that changed are changed, too. */
    bench_write(town.bench);
    assert_int_equal(
        bench_add(town.bench, &lk_kind_role, &heir, "name=heir", "parent=porter", NULL), 0);
    assert_int_equal(lk_role_grant(&town.bench->txn, town.alice, heir, 0), 0);
    assert_int_equal(lk_role_revoke(&town.bench->txn, town.alice, town.porter), 0);
    bench_commit(town.bench);
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    take_permission(&town);
    assert_int_equal(check(&town, LK_ASK("door", "open")), LK_E_REFUSED);
    assert_int_equal(get_count, 2 + 1);
    town_close(&town);
}

/* However many changes were made between two checks, none is missed: marks go round at 256. */
static void test_rights_marks_go_round(void **state)
{
    struct town town = town_open();
    unsigned i, changes;

    (void)state;
    for (changes = 255; changes <= 257; changes++) {
        assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
        take_permission(&town);
        for (i = 1; i < changes; i++) {
            char name[32];

            (void)snprintf(name, sizeof(name), "description=change %u", i);
            bench_write(town.bench);
            assert_int_equal(bench_set(town.bench, &lk_kind_role, town.porter, name, NULL), 0);
            bench_commit(town.bench);
        }
        assert_int_equal(check(&town, LK_ASK("door", "open")), LK_E_REFUSED);
        give_permission(&town);
    }
    town_close(&town);
}

static void put_back_role(struct town *town, uint32_t number, const char *name, uint32_t parent,
                          struct lk_span permissions)
{
    struct lk_role role;

    memset(&role, 0, sizeof(role));
    role.record.id = (struct lk_id){town->bench->tenant, 0, number};
    lk_set_span(&lk_kind_role, &role.record, "name", bench_text(name));
    lk_set_number(&lk_kind_role, &role.record, "is_active", 1);
    if (parent) {
        lk_set_number(&lk_kind_role, &role.record, "parent", parent);
    }
    if (permissions.size) {
        lk_set_span(&lk_kind_role, &role.record, "permissions", permissions);
    }
    bench_write(town->bench);
    assert_int_equal(lk_put_back(&town->bench->txn, &lk_kind_role, &role.record), 0);
    bench_commit(town->bench);
}

/* What is put back changes those that inherit from it as any change does. */
static void test_rights_of_a_parent_put_back(void **state)
{
    struct town town = town_open();
    const uint8_t door[] = {0x81, (uint8_t)town.door.sub};

    (void)state;
    assert_in_range(town.door.sub, 1, 23);
    put_back_role(&town, 50, "heir", 51, LK_TEXT(""));
    bench_write(town.bench);
    assert_int_equal(lk_role_revoke(&town.bench->txn, town.alice, town.porter), 0);
    assert_int_equal(
        lk_role_grant(&town.bench->txn, town.alice, (struct lk_id){town.bench->tenant, 0, 50}, 0),
        0);
    bench_commit(town.bench);
    assert_int_equal(check(&town, LK_ASK("door", "open")), LK_E_REFUSED);
    put_back_role(&town, 51, "parent", 0, (struct lk_span){door, sizeof(door)});
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    town_close(&town);
}

/* A condition costs one get of its permission; without one, there is none. */
static void test_rights_cost_of_conditions(void **state)
{
    struct town town = town_open();

    (void)state;
    bench_write(town.bench);
    assert_int_equal(bench_set(town.bench, &lk_kind_permission, town.door, "channels=cli", NULL),
                     0);
    bench_commit(town.bench);
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    print_message("[  figure  ] a conditional permission: %u gets\n", get_count);
    assert_int_equal(get_count, 2);
    bench_write(town.bench);
    assert_int_equal(bench_set(town.bench, &lk_kind_permission, town.door, "channels=", NULL), 0);
    bench_commit(town.bench);
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    assert_int_equal(check(&town, LK_ASK("door", "open")), 0);
    assert_int_equal(get_count, 1);
    /* What takes away counts at once, too. */
    bench_write(town.bench);
    assert_int_equal(bench_set(town.bench, &lk_kind_permission, town.door, "deny=true", NULL), 0);
    bench_commit(town.bench);
    assert_int_equal(check(&town, LK_ASK("door", "open")), LK_E_REFUSED);
    town_close(&town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rights_cost_of_a_check),
        cmocka_unit_test(test_rights_taken_away_are_gone_at_the_next_check),
        cmocka_unit_test(test_rights_cost_of_several_roles),
        cmocka_unit_test(test_rights_marks_go_round),
        cmocka_unit_test(test_rights_of_a_parent_put_back),
        cmocka_unit_test(test_rights_cost_of_conditions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
