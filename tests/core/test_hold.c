// SPDX-License-Identifier: MIT
/* Nobody gives what they do not hold: actors × operations × targets. */
#include "bench.h"

#include "lk_engine.h"

enum actor { ADMIN, OPERATOR, PORTER, CLERK, SHY, ACTORS };

/* Whoever a letter stands for may: admin, operator, porter, clerk, shy administrator. */
static const char letters[] = "AOPCS";

static const char *const people[][4] = {
    {"ann", "admin"},            /* *:* */
    {"olga", "operator"},        /* as seeded */
    {"peter", "porter"},         /* door:open, role:write, permission:write */
    {"clara", "clerk"},          /* door:open by http only, role:write */
    {"sam", "admin", "no gate"}, /* *:*, and never a gate */
    {"plain"},
    {"olga2", "operator"},
    {"ann2", "admin"},
    {"sam2", "admin", "no gate"},
    {"peter2", "porter"},
    {"gone"},
};

struct town {
    struct bench *bench;
    struct lk_id actors[ACTORS];
    uint64_t print;
};

static void add_role(struct bench *bench, const char *name, const char *permissions)
{
    struct lk_id id = {0, 0, 0};

    assert_int_equal(bench_add(bench, &lk_kind_role, &id, name, permissions, NULL), 0);
}

static void add_permission(struct bench *bench, const char *name, const char *resource,
                           const char *action, const char *extra)
{
    struct lk_id id = {0, 0, 0};

    assert_int_equal(
        bench_add(bench, &lk_kind_permission, &id, name, resource, action, extra, NULL), 0);
}

static struct lk_id user_named(struct bench *bench, const char *name)
{
    struct lk_id id = {0, 0, 0};

    assert_int_equal(lk_find_user(&bench->txn, bench->tenant, bench_text(name), &id), 0);
    return id;
}

static struct lk_id role_named(struct bench *bench, const char *name)
{
    return bench_named(bench, &lk_kind_role, name);
}

static struct lk_id permission_named(struct bench *bench, const char *name)
{
    return bench_named(bench, &lk_kind_permission, name);
}

static struct town town_open(void)
{
    struct town town = {.bench = bench_open()};
    struct bench *bench = town.bench;
    size_t i, r;

    bench_write(bench);
    add_permission(bench, "name=door:open", "resource=door", "action=open", "description=x");
    add_permission(bench, "name=door by http", "resource=door", "action=open", "channels=http");
    add_permission(bench, "name=never a gate", "resource=gate", "action=*", "deny=true");
    add_role(bench, "name=porter", "permissions=door:open,role:write,permission:write");
    add_role(bench, "name=clerk", "permissions=door by http,role:write");
    add_role(bench, "name=no gate", "permissions=never a gate");
    add_role(bench, "name=fence", "permissions=never a gate,door:open");
    add_role(bench, "name=empty", "description=x");
    add_role(bench, "name=sleeping", "permissions=all");
    add_role(bench, "name=buried", "permissions=all");
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_role, role_named(bench, "buried"), NULL), 0);
    assert_int_equal(
        bench_set(bench, &lk_kind_role, role_named(bench, "sleeping"), "is_active=false", NULL), 0);
    bench_commit(bench);
    for (i = 0; i < LK_COUNT(people); i++) {
        struct lk_id id = bench_user(bench, people[i][0], i < ACTORS ? BENCH_PASSWORD : NULL);

        bench_write(bench);
        for (r = 1; people[i][r]; r++) {
            assert_int_equal(lk_role_grant(&bench->txn, id, role_named(bench, people[i][r]), 0), 0);
        }
        if (strcmp(people[i][0], "gone") == 0) {
            assert_int_equal(lk_role_grant(&bench->txn, id, role_named(bench, "operator"), 0), 0);
            assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, id, NULL), 0);
        }
        bench_commit(bench);
        if (i < ACTORS) {
            town.actors[i] = id;
        }
    }
    bench->actor.tenant = bench->tenant;
    town.print = bench_print(bench);
    return town;
}

/* ---- What is done to users ---- */

static int do_password(struct bench *bench, struct lk_id user)
{
    struct lk_password password = {.length = 20};

    return lk_password_set(&bench->txn, user, &password, 0);
}

static int do_suspend(struct bench *bench, struct lk_id user)
{
    return lk_user_set_status(&bench->txn, user, LK_USER_SUSPENDED);
}

static int do_email(struct bench *bench, struct lk_id user)
{
    return bench_set(bench, &lk_kind_user, user, "email=mine@example.org", NULL);
}

static int do_provider(struct bench *bench, struct lk_id user)
{
    return bench_set(bench, &lk_kind_user, user, "identity_provider=google",
                     "identity_provider_id=me", NULL);
}

static int do_remove(struct bench *bench, struct lk_id user)
{
    return lk_remove(&bench->txn, &lk_kind_user, user, NULL);
}

static int do_purge(struct bench *bench, struct lk_id user)
{
    return lk_purge(&bench->txn, &lk_kind_user, user);
}

static int do_unlock(struct bench *bench, struct lk_id user)
{
    return lk_user_unlock(&bench->txn, user);
}

static int do_api_key(struct bench *bench, struct lk_id user)
{
    char token[LK_TOKEN_SIZE];
    struct lk_id id;

    return lk_api_key_add(&bench->txn, user, LK_TEXT("k"), LK_TEXT(""), 0, token, &id);
}

static int do_ssh_key(struct bench *bench, struct lk_id user)
{
    static const char line[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b";
    struct lk_id id;

    return lk_ssh_key_add(&bench->txn, user, LK_TEXT("k"), bench_text(line), &id);
}

static int do_grant_nothing(struct bench *bench, struct lk_id user)
{
    return lk_role_grant(&bench->txn, user, role_named(bench, "empty"), 0);
}

static const struct {
    const char *name;
    int (*go)(struct bench *bench, struct lk_id user);
} target_ways[] = {
    {"password", do_password},   {"suspend", do_suspend}, {"e-mail", do_email},
    {"provider", do_provider},   {"remove", do_remove},   {"purge", do_purge},
    {"unlock", do_unlock},       {"API key", do_api_key}, {"SSH key", do_ssh_key},
    {"grant", do_grant_nothing},
};

static const struct {
    const char *name, *who;
} targets[] = {
    {"plain", "AOPCS"}, {"olga2", "AOS"}, {"ann2", "A"}, {"sam2", "AS"}, {"peter2", "APS"},
};

static void judge(struct town *town, enum actor actor, const char *what, const char *of,
                  const char *who, int error)
{
    bool may = strchr(who, letters[actor]) != NULL;
    const char *rule = lk_problem(&town->bench->txn)->rule;

    if (error != (may ? 0 : LK_E_REFUSED)) {
        fail_msg("%s: %s %s: got %d, \"%s\"; want %s", people[actor][0], what, of, error,
                 rule ? rule : "-", may ? "done" : "refused");
    }
    if (!may) {
        bench_commit(town->bench);
    }
    lk_abort(&town->bench->txn);
    if (bench_print(town->bench) != town->print) {
        fail_msg("%s: %s %s: the refusal changed the store", people[actor][0], what, of);
    }
}

static void test_hold_targets(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    unsigned actor, count = 0;
    size_t w, t;

    (void)state;
    for (actor = 0; actor < ACTORS; actor++) {
        bench->actor.user = town.actors[actor].user;
        for (w = 0; w < LK_COUNT(target_ways); w++) {
            for (t = 0; t < LK_COUNT(targets); t++) {
                bench_write(bench);
                judge(&town, (enum actor)actor, target_ways[w].name, targets[t].name,
                      targets[t].who, target_ways[w].go(bench, user_named(bench, targets[t].name)));
                count++;
            }
            /* One's own is one's own, whoever it is; but nobody removes all administrators. */
            bench_write(bench);
            judge(&town, (enum actor)actor, target_ways[w].name, "own", letters,
                  target_ways[w].go(bench, town.actors[actor]));
            count++;
        }
        /* A removed user comes back with all that was granted. */
        bench_write(bench);
        {
            struct lk_id gone = {bench->tenant, user_named(bench, "peter2").user + 1, 0};

            judge(&town, (enum actor)actor, "restore", "gone", "AOS",
                  lk_restore(&bench->txn, &lk_kind_user, gone));
        }
    }
    print_message("[  figure  ] %u pairs of actor and operation on a user\n", count);
    bench_close(bench);
}

/* ---- What is done to roles and permissions ---- */

static int grant(struct bench *bench, const char *role)
{
    return lk_role_grant(&bench->txn, user_named(bench, "plain"), role_named(bench, role), 0);
}

static int grant_admin(struct bench *bench)
{
    return grant(bench, "admin");
}

static int grant_operator(struct bench *bench)
{
    return grant(bench, "operator");
}

static int grant_porter(struct bench *bench)
{
    return grant(bench, "porter");
}

static int grant_clerk(struct bench *bench)
{
    return grant(bench, "clerk");
}

static int grant_denial(struct bench *bench)
{
    return grant(bench, "no gate");
}

static int grant_to_self(struct bench *bench)
{
    return lk_role_grant(&bench->txn, (struct lk_id){bench->tenant, bench->actor.user, 0},
                         role_named(bench, "fence"), 0);
}

static int grant_longer(struct bench *bench)
{
    struct lk_id user = user_named(bench, "plain"), role = role_named(bench, "porter");
    uint32_t actor = bench->txn.actor.user;
    int error;

    bench->txn.actor.user = 0;
    assert_int_equal(lk_role_grant(&bench->txn, user, role, lk_now(&bench->txn) + 1000), 0);
    bench->txn.actor.user = actor;
    error = lk_role_grant(&bench->txn, user, role, 0);
    if (error) { /* what the system did is undone for the comparison */
        bench->txn.actor.user = 0;
        lk_abort(&bench->txn);
        bench_write(bench);
    }
    return error;
}

static int revoke_denial(struct bench *bench)
{
    return lk_role_revoke(&bench->txn, user_named(bench, "sam2"), role_named(bench, "no gate"));
}

static int revoke_own_denial(struct bench *bench)
{
    struct lk_id self = {bench->tenant, bench->actor.user, 0};
    int error = lk_role_revoke(&bench->txn, self, role_named(bench, "no gate"));

    return error == LK_E_NOT_FOUND ? 0 : error; /* most have none */
}

static int role_with_door(struct bench *bench)
{
    struct lk_id id = {0, 0, 0};

    return bench_add(bench, &lk_kind_role, &id, "name=new", "permissions=door:open", NULL);
}

static int role_with_parent(struct bench *bench)
{
    struct lk_id id = {0, 0, 0};

    return bench_add(bench, &lk_kind_role, &id, "name=new", "parent=operator", NULL);
}

static int role_plain(struct bench *bench)
{
    struct lk_id id = {0, 0, 0};

    return bench_add(bench, &lk_kind_role, &id, "name=new", NULL);
}

static int parent_set(struct bench *bench)
{
    return bench_set(bench, &lk_kind_role, role_named(bench, "empty"), "parent=operator", NULL);
}

static int role_awake(struct bench *bench)
{
    return bench_set(bench, &lk_kind_role, role_named(bench, "sleeping"), "is_active=true", NULL);
}

static int role_renamed(struct bench *bench)
{
    return bench_set(bench, &lk_kind_role, role_named(bench, "operator"), "description=y", NULL);
}

static int permit_all(struct bench *bench)
{
    return lk_role_permit(&bench->txn, role_named(bench, "empty"), permission_named(bench, "all"),
                          true);
}

static int permit_door(struct bench *bench)
{
    return lk_role_permit(&bench->txn, role_named(bench, "empty"),
                          permission_named(bench, "door:open"), true);
}

static int forbid_door(struct bench *bench)
{
    return lk_role_permit(&bench->txn, role_named(bench, "fence"),
                          permission_named(bench, "door:open"), false);
}

static int forbid_denial(struct bench *bench)
{
    return lk_role_permit(&bench->txn, role_named(bench, "fence"),
                          permission_named(bench, "never a gate"), false);
}

static int denial_role_off(struct bench *bench)
{
    return bench_set(bench, &lk_kind_role, role_named(bench, "no gate"), "is_active=false", NULL);
}

static int denial_role_removed(struct bench *bench)
{
    return lk_remove(&bench->txn, &lk_kind_role, role_named(bench, "no gate"), NULL);
}

static int role_dug_up(struct bench *bench)
{
    struct lk_id sleeping = role_named(bench, "sleeping");

    sleeping.sub++; /* "buried" was made after it */
    return lk_restore(&bench->txn, &lk_kind_role, sleeping);
}

static int denial_turned(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "never a gate"),
                     "deny=false", NULL);
}

static int denial_moved(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "never a gate"),
                     "resource=fence", NULL);
}

static int denial_narrowed(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "never a gate"),
                     "channels=http", NULL);
}

static int permission_widened(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "door by http"),
                     "channels=", NULL);
}

static int permission_moved(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "user:read"), "resource=*",
                     "action=*", NULL);
}

static int permission_described(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "all"), "description=y",
                     NULL);
}

static int permission_new(struct bench *bench)
{
    struct lk_id id = {0, 0, 0};

    return bench_add(bench, &lk_kind_permission, &id, "name=new", "resource=*", "action=*", NULL);
}

static int demand_put(struct bench *bench)
{
    return bench_set(bench, &lk_kind_permission, permission_named(bench, "door:open"),
                     "login_age=60", NULL);
}

static const struct {
    const char *name;
    int (*go)(struct bench *bench);
    const char *who;
} ways[] = {
    {"grant admin", grant_admin, "A"},
    {"grant operator", grant_operator, "AOS"},
    {"grant porter", grant_porter, "APS"},
    {"grant clerk", grant_clerk, "APCS"},
    {"grant a denial", grant_denial, "AOPCS"},
    {"grant oneself a door and a denial", grant_to_self, "APS"},
    {"let a grant last", grant_longer, "APS"},
    {"revoke a denial", revoke_denial, "A"},
    {"revoke one's own denial", revoke_own_denial, "AOPC"},
    {"a role with a door", role_with_door, "APS"},
    {"a role with a parent", role_with_parent, "AOS"},
    {"a role with nothing", role_plain, "AOPCS"},
    {"a parent", parent_set, "AOS"},
    {"a role of everything made active", role_awake, "A"},
    {"another description of a role", role_renamed, "AOPCS"},
    {"permit everything", permit_all, "A"},
    {"permit a door", permit_door, "APS"},
    {"forbid a door", forbid_door, "AOPCS"},
    {"forbid a denial", forbid_denial, "A"},
    {"switch a role off that denies", denial_role_off, "A"},
    {"remove a role that denies", denial_role_removed, "A"},
    {"bring a role of everything back", role_dug_up, "A"},
    {"turn a denial round", denial_turned, "A"},
    {"move a denial", denial_moved, "A"},
    {"narrow a denial", denial_narrowed, "A"},
    {"drop a condition", permission_widened, "APS"},
    {"make a weak permission strong", permission_moved, "A"},
    {"another description of a permission", permission_described, "AOPCS"},
    {"define a permission", permission_new, "AOPCS"},
    {"demand a new login", demand_put, "APS"},
};

static void test_hold_roles_and_permissions(void **state)
{
    struct town town = town_open();
    unsigned actor, count = 0;
    size_t w;

    (void)state;
    for (actor = 0; actor < ACTORS; actor++) {
        town.bench->actor.user = town.actors[actor].user;
        for (w = 0; w < LK_COUNT(ways); w++) {
            bench_write(town.bench);
            judge(&town, (enum actor)actor, ways[w].name, "", ways[w].who, ways[w].go(town.bench));
            count++;
        }
    }
    print_message("[  figure  ] %u pairs of actor and operation on rights\n", count);
    bench_close(town.bench);
}

/* ---- What else limits an actor ---- */

/* A key with fewer roles acts with those only, even on what is its owner's. */
static void test_hold_limited_key(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    char token[LK_TOKEN_SIZE];
    uint8_t roles[16];
    size_t size;
    struct lk_id key, role;

    (void)state;
    bench->actor.user = town.actors[ADMIN].user;
    bench_write(bench);
    role = role_named(bench, "operator");
    assert_int_equal(lk_role_grant(&bench->txn, town.actors[ADMIN], role, 0), 0);
    assert_int_equal(lk_refs_change(LK_TEXT("\x80"), role.sub, true, roles, sizeof(roles), &size),
                     0);
    assert_int_equal(lk_api_key_add(&bench->txn, town.actors[ADMIN], LK_TEXT("k"),
                                    (struct lk_span){roles, size}, 0, token, &key),
                     0);
    bench_commit(bench);
    bench->actor.key = key.sub;
    bench_write(bench);
    assert_int_equal(grant_admin(bench), LK_E_REFUSED);
    assert_int_equal(do_api_key(bench, town.actors[ADMIN]), LK_E_REFUSED);
    assert_string_equal(lk_problem(&bench->txn)->rule, "holds more than you do");
    assert_int_equal(do_password(bench, user_named(bench, "ann2")), LK_E_REFUSED);
    assert_int_equal(do_password(bench, user_named(bench, "plain")), 0);
    assert_int_equal(grant_operator(bench), 0);
    bench_commit(bench);
    /* A key that is gone gives nothing. */
    bench->actor.key = key.sub + 1000;
    bench_write(bench);
    assert_int_equal(do_suspend(bench, user_named(bench, "plain")), LK_E_REFUSED);
    assert_string_equal(lk_problem(&bench->txn)->rule, "the key that acts is gone");
    bench_close(bench);
}

/* S12: who acts in one tenant is nobody in another, whatever they hold at home. */
static void test_s12_rights_end_with_the_tenant(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id other = {0, 0, 0}, stranger;
    size_t w;

    (void)state;
    bench->actor.user = 0;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &other, "name=other", NULL), 0);
    bench_commit(bench);
    bench->tenant = other.tenant;
    stranger = bench_user(bench, "stranger", BENCH_PASSWORD);
    bench_write(bench);
    assert_int_equal(lk_role_grant(&bench->txn, stranger, role_named(bench, "admin"), 0), 0);
    bench_commit(bench);
    bench->tenant = town.actors[0].tenant;
    bench->actor.tenant = stranger.tenant;
    bench->actor.user = stranger.user;
    for (w = 0; w < LK_COUNT(ways); w++) {
        bench_write(bench);
        if (ways[w].go == revoke_own_denial || ways[w].go == grant_longer ||
            ways[w].go == grant_to_self) {
            continue; /* of users that the stranger's number does not name here */
        }
        assert_int_equal(ways[w].go(bench), LK_E_REFUSED);
        assert_string_equal(lk_problem(&bench->txn)->rule, "is of another tenant");
    }
    for (w = 0; w < LK_COUNT(target_ways); w++) {
        bench_write(bench);
        assert_int_equal(target_ways[w].go(bench, user_named(bench, "plain")), LK_E_REFUSED);
        bench_commit(bench);
    }
    /* Not even with the same number at home. */
    bench_write(bench);
    assert_int_equal(do_password(bench, (struct lk_id){bench->tenant, stranger.user, 0}),
                     LK_E_REFUSED);
    bench_close(bench);
}

/* With its stamps and numbers a record is put back by the system alone. */
static void test_hold_nothing_is_put_back_by_a_user(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_grant record;

    (void)state;
    bench->actor.user = town.actors[ADMIN].user;
    memset(&record, 0, sizeof(record));
    bench_write(bench);
    record.record.id = user_named(bench, "plain");
    record.record.id.sub = role_named(bench, "empty").sub;
    lk_set_number(&lk_kind_grant, &record.record, "role", record.record.id.sub);
    assert_int_equal(lk_put_back(&bench->txn, &lk_kind_grant, &record.record), LK_E_REFUSED);
    bench_commit(bench);
    assert_true(bench_print(bench) == town.print);
    bench_close(bench);
}

/* A grant that the clock cannot tell the end of gives its holder nothing to give on. */
static void test_hold_grant_without_a_clock(void **state)
{
    struct town town = town_open();
    struct bench *bench = town.bench;
    struct lk_id plain;

    (void)state;
    bench_write(bench);
    plain = user_named(bench, "peter2");
    assert_int_equal(lk_role_grant(&bench->txn, plain, role_named(bench, "operator"),
                                   lk_now(&bench->txn) + 60000),
                     0);
    bench_commit(bench);
    bench->actor.user = plain.user;
    bench_write(bench);
    assert_int_equal(grant_operator(bench), 0);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS, LK_CLOCK_HELD);
    bench_write(bench);
    assert_int_equal(grant_operator(bench), LK_E_REFUSED);
    /* Of somebody else it counts all the same: olga cannot touch who may hold more. */
    bench->actor.user = town.actors[PORTER].user;
    bench_write(bench);
    assert_int_equal(do_suspend(bench, plain), LK_E_REFUSED);
    lk_fake_wall_set(&bench->fake, LK_FAKE_START_MS + 60000, LK_CLOCK_SYNCED);
    bench_write(bench);
    assert_int_equal(do_suspend(bench, plain), 0);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_targets),
        cmocka_unit_test(test_hold_roles_and_permissions),
        cmocka_unit_test(test_hold_limited_key),
        cmocka_unit_test(test_s12_rights_end_with_the_tenant),
        cmocka_unit_test(test_hold_nothing_is_put_back_by_a_user),
        cmocka_unit_test(test_hold_grant_without_a_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
