// SPDX-License-Identifier: MIT
/* What audit entries say, and what they must never say. */
#include "audit_help.h"

#include "lk_engine.h"

static bool span_is(struct lk_span span, const char *text)
{
    return lk_span_equal(span, bench_text(text));
}

static void test_content_names_the_fields_changed(void **state)
{
    static const char *const names[] = {"username", "email", "display_name"};
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", NULL);
    struct lk_cbor_reader reader;
    struct lk_cbor_item item;
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    uint64_t i;

    (void)state;
    bench->actor = (struct lk_actor){.tenant = bench->tenant,
                                     .user = bench->admin.user,
                                     .session = 77,
                                     .channel = LK_CHANNEL_MQTT,
                                     .ip = LK_TEXT("\x0A\x00\x00\x01"),
                                     .user_agent = LK_TEXT("a program")};
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "display_name=Alice", "username=alice2",
                               "email=a@b.org", "status=active", NULL),
                     0);
    bench_commit(bench);
    entry = audit_newest(bench, &query, bench->tenant, "user.set");
    lk_cbor_reader_init(&reader, entry.details);
    assert_int_equal(lk_cbor_check(entry.details), 0);
    assert_int_equal(lk_cbor_read(&reader, &item), 0);
    assert_int_equal(item.type, LK_CBOR_MAP);
    assert_int_equal(lk_cbor_read(&reader, &item), 0);
    assert_true(span_is(item.span, "changed"));
    assert_int_equal(lk_cbor_read(&reader, &item), 0);
    assert_int_equal(item.type, LK_CBOR_ARRAY);
    /* The status, given for the first time, is one of them: it was not stored before. */
    assert_int_equal(item.number, 4);
    for (i = 0; i < LK_COUNT(names); i++) {
        assert_int_equal(lk_cbor_read(&reader, &item), 0);
        assert_true(span_is(item.span, names[i]));
    }
    assert_int_equal(entry.actor, bench->admin.user);
    assert_int_equal(entry.session, 77);
    assert_int_equal(entry.channel, LK_CHANNEL_MQTT);
    assert_int_equal(entry.outcome, LK_SUCCESS);
    assert_int_equal(entry.category, LK_CATEGORY_USER);
    assert_int_equal(entry.clock, LK_CLOCK_SYNCED);
    assert_true(entry.at == LK_FAKE_START_MS);
    assert_int_equal(entry.ring, LK_RING_ADMIN);
    assert_memory_equal(entry.ip.data, "\x0A\x00\x00\x01", 4);
    assert_true(span_is(entry.user_agent, "a program"));
    assert_true(span_is(entry.resource_type, "user"));
    assert_true(span_is(entry.resource_id, "2"));
    bench_close(bench);
}

/* Each operation, and the ring and category of the entry that it leaves. */
static void test_content_of_every_operation(void **state)
{
    static const struct {
        const char *action;
        uint64_t ring, category, outcome;
    } want[] = {
        {"user.add", 0, LK_CATEGORY_USER, 0},       {"user.set", 0, LK_CATEGORY_USER, 0},
        {"user.suspend", 0, LK_CATEGORY_USER, 0},   {"user.activate", 0, LK_CATEGORY_USER, 0},
        {"user.unlock", 0, LK_CATEGORY_USER, 0},    {"user.remove", 0, LK_CATEGORY_USER, 0},
        {"user.restore", 0, LK_CATEGORY_USER, 0},   {"user.purge", 0, LK_CATEGORY_USER, 0},
        {"role.add", 0, LK_CATEGORY_ROLE, 0},       {"role.permit", 0, LK_CATEGORY_ROLE, 0},
        {"role.forbid", 0, LK_CATEGORY_ROLE, 0},    {"role.grant", 0, LK_CATEGORY_ROLE, 0},
        {"role.revoke", 0, LK_CATEGORY_ROLE, 0},    {"permission.add", 0, LK_CATEGORY_ROLE, 0},
        {"credential.add", 0, LK_CATEGORY_AUTH, 0}, {"credential.remove", 0, LK_CATEGORY_AUTH, 0},
        {"login", 1, LK_CATEGORY_AUTH, 0},          {"logout", 1, LK_CATEGORY_SESSION, 0},
        {"session.end", 1, LK_CATEGORY_SESSION, 0}, {"session.end-all", 1, LK_CATEGORY_SESSION, 0},
        {"tenant.suspend", 0, LK_CATEGORY_USER, 0}, {"tenant.activate", 0, LK_CATEGORY_USER, 0}};
    struct bench *bench = bench_open();
    struct lk_id alice = bench_user(bench, "alice", "alice's secret");
    struct lk_id role = {0, 0, 0}, permission = role, key;
    struct lk_login_result a, b;
    struct lk_audit_query query;
    struct lk_audit_entry entry;
    char token[LK_TOKEN_SIZE];
    size_t i;

    (void)state;
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &a), 0);
    bench_write(bench);
    assert_int_equal(lk_logout(&bench->txn, bench_text(a.token)), 0);
    bench_commit(bench);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &a), 0);
    assert_int_equal(bench_login(bench, "alice", "alice's secret", &b), 0);
    bench_write(bench);
    assert_int_equal(lk_session_end(&bench->txn, a.session), 0);
    assert_int_equal(lk_session_end_all(&bench->txn, alice, 0), 1);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "email=a@b.org", NULL), 0);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_SUSPENDED), 0);
    assert_int_equal(lk_user_set_status(&bench->txn, alice, LK_USER_ACTIVE), 0);
    assert_int_equal(lk_user_unlock(&bench->txn, alice), 0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=p", "resource=r",
                               "action=a", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, "name=x", NULL), 0);
    assert_int_equal(lk_role_permit(&bench->txn, role, permission, true), 0);
    assert_int_equal(lk_role_grant(&bench->txn, alice, role, 0), 0);
    assert_int_equal(lk_role_revoke(&bench->txn, alice, role), 0);
    assert_int_equal(lk_role_permit(&bench->txn, role, permission, false), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, alice, LK_TEXT("k"), LK_TEXT(""), 0, token, &key),
                     0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_credential, key, NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, alice, NULL), 0);
    assert_int_equal(lk_restore(&bench->txn, &lk_kind_user, alice), 0);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_SUSPENDED), 0);
    assert_int_equal(lk_tenant_set_status(&bench->txn, bench->tenant, LK_TENANT_ACTIVE), 0);
    bench_commit(bench);
    for (i = 0; i < LK_COUNT(want); i++) {
        entry = audit_newest(bench, &query, bench->tenant, want[i].action);
        if (entry.ring != want[i].ring || entry.category != want[i].category ||
            entry.outcome != want[i].outcome) {
            fail_msg("%s: ring %u, category %u, outcome %u", want[i].action, (unsigned)entry.ring,
                     (unsigned)entry.category, (unsigned)entry.outcome);
        }
        assert_true(entry.description.size > 0);
        assert_true(entry.resource_id.size > 0);
    }
    bench_verify(bench);
    bench_close(bench);
}

static bool holds(struct lk_span bytes, const char *text)
{
    return bench_occurs(bytes.data, bytes.size, text, strlen(text)) > 0;
}

/* Every byte of both rings, of every tenant and the store. */
static void entries_hold_none(struct bench *bench, const char *const *secrets)
{
    uint32_t tenant;

    bench_read(bench);
    for (tenant = 0; tenant <= 2; tenant++) {
        struct lk_audit_query query = {.tenant = tenant};
        struct lk_audit_entry entry;
        int error = lk_audit_begin(&bench->txn, &query);

        assert_true(error == 0 || (error == LK_E_NOT_FOUND && tenant == 2)); /* purged by now */
        while (!error && !lk_audit_next(&query, &entry)) {
            const char *const *secret;

            for (secret = secrets; *secret; secret++) {
                if (holds(entry.record.raw, *secret) || holds(entry.description, *secret) ||
                    holds(entry.details, *secret) || holds(entry.user_agent, *secret)) {
                    fail_msg("entry %llu of tenant %u holds \"%s\"", (unsigned long long)entry.seq,
                             tenant, *secret);
                }
            }
        }
    }
    lk_abort(&bench->txn);
}

static void test_s19_content_holds_no_secret_and_no_name(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id second = {0, 0, 0}, alice, key;
    struct lk_login_result result;
    char token[LK_TOKEN_SIZE], code[LK_CLAIM_SIZE], head[20];
    const char *secrets[] = {"zacharias",
                             "zack@example",
                             "Zacharias L.",
                             "zealous secret",
                             "zealous guess",
                             "zeta-label",
                             "north wing",
                             head,
                             code,
                             NULL};

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &second, "name=north wing", NULL), 0);
    bench_commit(bench);
    alice = bench_user(bench, "zacharias", "zealous secret");
    assert_int_equal(bench_login(bench, "zacharias", "zealous secret", &result), 0);
    memcpy(head, result.token + 24, 16);
    head[16] = '\0';
    assert_int_equal(bench_login(bench, "zacharias", "zealous guess", &result), LK_E_REFUSED);
    assert_int_equal(bench_login(bench, "zacharias2", "zealous guess", &result), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "email=zack@example.org",
                               "display_name=Zacharias L.", NULL),
                     0);
    assert_int_equal(
        lk_api_key_add(&bench->txn, alice, LK_TEXT("zeta-label"), LK_TEXT(""), 0, token, &key), 0);
    assert_int_equal(lk_claim_add(&bench->txn, alice, code), 0);
    assert_int_equal(
        lk_role_grant(&bench->txn, alice, bench_named(bench, &lk_kind_role, "viewer"), 0), 0);
    assert_int_equal(bench_set(bench, &lk_kind_user, alice, "username=zacharias3", NULL), 0);
    bench_commit(bench);
    assert_int_equal(bench_login_new(bench, "zacharias3", code, "zealous secret 2", &result, NULL),
                     0);
    entries_hold_none(bench, secrets);
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_user, alice), 0);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, second), 0);
    bench_commit(bench);
    entries_hold_none(bench, secrets);
    bench_verify(bench);
    bench_close(bench);
}

static void test_content_purged_tenant_is_told_in_the_store_ring(void **state)
{
    struct bench *bench = bench_open();
    struct lk_id second = {0, 0, 0};
    struct lk_audit_query query;
    struct lk_audit_entry entry;

    (void)state;
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_tenant, &second, "name=second", NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_tenant, second, NULL), 0);
    bench_commit(bench);
    (void)audit_newest(bench, &query, second.tenant, "tenant.remove");
    bench_write(bench);
    assert_int_equal(lk_purge(&bench->txn, &lk_kind_tenant, second), 0);
    bench_commit(bench);
    entry = audit_newest(bench, &query, 0, "tenant.purge");
    assert_true(span_is(entry.resource_id, "2"));
    assert_int_equal(entry.ring, LK_RING_ADMIN);
    memset(&query, 0, sizeof(query));
    query.tenant = second.tenant;
    assert_int_equal(lk_audit_begin(&bench->txn, &query), LK_E_NOT_FOUND);
    bench_verify(bench);
    bench_close(bench);
}

/* Time in a ring never goes back, even when the clock does. */
static void test_content_times_never_fall(void **state)
{
    struct bench *bench = bench_open();
    struct lk_audit_query query = {.tenant = bench->tenant, .oldest_first = true};
    struct lk_audit_entry entry;
    struct lk_login_result result;
    uint64_t last = 0;
    int i;

    (void)state;
    for (i = 0; i < 12; i++) {
        static const int jumps[] = {5000, -4000, 70000, -30000, 100, -100};

        lk_fake_wall_set(&bench->fake, bench->fake.clock.wall_ms + (uint64_t)(int64_t)jumps[i % 6],
                         LK_CLOCK_SET);
        assert_int_equal(bench_login(bench, "admin", BENCH_PASSWORD, &result), 0);
    }
    bench_verify(bench);
    bench_read(bench);
    assert_int_equal(lk_audit_begin(&bench->txn, &query), 0);
    while (!lk_audit_next(&query, &entry)) {
        assert_true(entry.at >= last);
        last = entry.at;
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_names_the_fields_changed),
        cmocka_unit_test(test_content_of_every_operation),
        cmocka_unit_test(test_s19_content_holds_no_secret_and_no_name),
        cmocka_unit_test(test_content_purged_tenant_is_told_in_the_store_ring),
        cmocka_unit_test(test_content_times_never_fall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
