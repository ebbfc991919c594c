// SPDX-License-Identifier: MIT
/*
 * What reaches storage, byte by byte: keys, and a record of every kind, against files beside this
 * one. A difference means that stores of before are read otherwise, or not at all: then it is a new
 * schema version, with a step from the old one, and not just new files.
 * gold.h tells how they are written anew.
 */
#include "core/bench.h"
#include "gold.h"

#include "lk_factor.h"

/* ---- Keys ---- */

static void test_golden_keys(void **state)
{
    static const uint64_t numbers[] = {
        0,         1, 23, 24, 247, 248, 255, 256, 65535, 65536, 0xFFFFFFFF, UINT64_C(0x100000000),
        UINT64_MAX};
    static const struct lk_id id = {3, 300, 70000};
    const struct lk_kind *const *kind;
    struct gold *gold = calloc(1, sizeof(*gold));
    struct lk_key key;
    char name[64];
    size_t i;

    (void)state;
    assert_non_null(gold);
    for (i = 0; i < LK_COUNT(numbers); i++) {
        key.size = 0;
        lk_key_put_number(&key, numbers[i]);
        (void)snprintf(name, sizeof(name), "number %llu", (unsigned long long)numbers[i]);
        gold_add_bytes(gold, name, lk_key_span(&key));
    }
    for (kind = lk_kinds; *kind; kind++) {
        lk_key_record(&key, *kind, id);
        (void)snprintf(name, sizeof(name), "%s 3.300.70000", (*kind)->name);
        gold_add_bytes(gold, name, lk_key_span(&key));
    }
    gold_close(gold, "keys");
    free(gold);
}

/* ---- Records ---- */

static int golden_foreign_check(void *self, struct lk_span hash, const char **rule)
{
    (void)self;
    (void)hash;
    *rule = NULL;
    return 0;
}

static void golden_password(struct bench *bench, struct lk_span password)
{
    struct lk_id alice = {bench->tenant, 2, 0};
    struct lk_password verifier;

    lk_abort(&bench->txn);
    assert_int_equal(
        lk_password_prepare_for(&bench->store, alice, password, NULL, 0, &verifier, NULL), 0);
    bench_write(bench);
    assert_int_equal(lk_password_set(&bench->txn, alice, &verifier, 0), 0);
    bench_commit(bench);
}

/* Three failures on each lane, so that a delay runs. */
static void golden_lanes(struct bench *bench, struct lk_login_request *request, const char *cookie)
{
    static const char *const names[] = {"alice", "nobody"};
    struct lk_login_result result;
    unsigned i, tries;

    for (i = 0; i < 2; i++) {
        request->name = bench_text(names[i]);
        for (tries = 0; tries < 3; tries++) {
            request->channel = LK_CHANNEL_CONSOLE;
            assert_int_equal(lk_login(&bench->store, request, &result, NULL), LK_E_REFUSED);
            request->channel = LK_CHANNEL_HTTP;
            request->device_cookie = bench_text(i ? "" : cookie);
            if (!i) {
                assert_int_equal(lk_login(&bench->store, request, &result, NULL), LK_E_REFUSED);
                request->device_cookie = (struct lk_span){NULL, 0};
                request->name = LK_TEXT("alice@example.org");
                assert_int_equal(lk_login(&bench->store, request, &result, NULL), LK_E_REFUSED);
                request->name = bench_text(names[i]);
            }
        }
    }
}

/* One of everything, each optional field given: seed, clock and device secret are fixed. */
static struct bench *golden_store(void)
{
    static const uint8_t map[] = {0xA1, 0x61, 'k', 0x82, 0x01, 0xF5};
    static const char line[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b";
    static const uint8_t address[4] = {192, 0, 2, 7};
    struct bench *bench = bench_open();
    struct lk_id id = {0, 0, 0}, role = id, child = id, permission = id, key;
    struct lk_login_request request = {.tenant = bench->tenant,
                                       .name = LK_TEXT("alice"),
                                       .password = LK_TEXT("her own secret"),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {address, sizeof(address)},
                                       .user_agent = LK_TEXT("a browser"),
                                       .device_info = {map, sizeof(map)},
                                       .device_fingerprint = LK_TEXT("0123456789"),
                                       .device_name = LK_TEXT("tablet"),
                                       .device_type = LK_TEXT("browser"),
                                       .remember_device = true};
    struct lk_login_result result;
    struct lk_tenant tenant;
    struct lk_user user;
    char token[LK_TOKEN_SIZE], claim[LK_CLAIM_SIZE];

    lk_fake_foreign_set(&bench->fake, NULL, golden_foreign_check);
    bench->actor.tenant = bench->tenant;
    bench->actor.user = bench->admin.user;
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_tenant, (struct lk_id){bench->tenant, 0, 0},
                               "display_name=Main", "session_lifetime=7200", "session_idle=900",
                               "session_max=4", "lockout_failures=3", "lockout_time=600",
                               "password_min=9", "password_blocklist=false", "audit_capacity=64",
                               "password_history=3", "password_min_age=60", "purge_after_days=30",
                               "session_limit=refuse", "session_end_at_reboot=true",
                               "session_channels=console:900 http:7200", "close_failures=50",
                               "close_time=7200", "login_rate=120", "second_factor=required",
                               "time_zone=+02:00", "audit_days=400", "audit_archive=true", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=doors",
                               "resource=door", "action=open", "description=Open doors", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &role, "name=guard", "permissions=doors",
                               "description=Watches", "second_factor=optional", NULL),
                     0);
    assert_int_equal(bench_add(bench, &lk_kind_role, &child, "name=chief", "parent=guard",
                               "is_active=false", "permissions=doors,user:read", NULL),
                     0);
    assert_int_equal(
        bench_add(bench, &lk_kind_user, &id, "username=alice", "email=alice@example.org",
                  "display_name=Alice L.", "identity_provider=google", "identity_provider_id=12345",
                  "status=invited", "external_id=6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL),
        0);
    memset(&user, 0, sizeof(user));
    lk_field_set_span(&user.record, lk_field_named(&lk_kind_user, LK_TEXT("metadata")),
                      (struct lk_span){map, sizeof(map)});
    assert_int_equal(lk_update(&bench->txn, &lk_kind_user, id, &user.record, 0, NULL), 0);
    assert_int_equal(lk_role_grant(&bench->txn, id, role, lk_now(&bench->txn) + LK_MS_PER_DAY), 0);
    assert_int_equal(lk_api_key_add(&bench->txn, id, LK_TEXT("device"), LK_TEXT("\x81\x04"),
                                    lk_now(&bench->txn) + LK_MS_PER_DAY, token, &key),
                     0);
    assert_int_equal(lk_ssh_key_add(&bench->txn, id, LK_TEXT("laptop"), bench_text(line), &key), 0);
    assert_int_equal(lk_claim_add(&bench->txn, bench->admin, claim), 0);
    memset(&tenant, 0, sizeof(tenant));
    lk_field_set_span(&tenant.record, lk_field_numbered(&lk_kind_tenant, 8), LK_TEXT("second"));
    lk_field_set_span(&tenant.record, lk_field_named(&lk_kind_tenant, LK_TEXT("metadata")),
                      (struct lk_span){map, sizeof(map)});
    assert_int_equal(lk_add(&bench->txn, &lk_kind_tenant, &tenant.record, NULL), 0);
    assert_int_equal(
        lk_tenant_set_status(&bench->txn, tenant.record.id.tenant, LK_TENANT_SUSPENDED), 0);
    bench_commit(bench);

    (void)bench_second_admin(bench);
    permission = (struct lk_id){0, 0, 0};
    bench_write(bench);
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=night doors",
                               "resource=door", "action=open", "channels=console, http",
                               "sources=10.0.0.0/8 2001:db8::/32", "window=mon-fri 22:00-06:00",
                               "owner_only=true", "approval=true", "login_age=300", NULL),
                     0);
    permission = (struct lk_id){0, 0, 0};
    assert_int_equal(bench_add(bench, &lk_kind_permission, &permission, "name=no gates",
                               "resource=gate", "action=*", "deny=true", NULL),
                     0);
    bench_commit(bench);
    id = bench_user(bench, "bob", NULL);
    bench_write(bench);
    assert_int_equal(lk_password_import(&bench->txn, id, LK_TEXT("$6$salt$hash")), 0);
    assert_int_equal(bench_set(bench, &lk_kind_user, id, "must_change_password=true", NULL), 0);
    assert_int_equal(lk_remove(&bench->txn, &lk_kind_user, id, NULL), 0);
    assert_int_equal(
        lk_user_set_status(&bench->txn, (struct lk_id){bench->tenant, 2, 0}, LK_USER_ACTIVE), 0);
    bench_commit(bench);
    memset(&bench->actor, 0, sizeof(bench->actor));
    golden_password(bench, LK_TEXT("her first secret"));
    golden_password(bench, LK_TEXT("her own secret"));
    /* An authenticator, confirmed and used, and recovery codes of which one is gone. */
    {
        static const struct lk_totp_options options = {LK_HMAC_SHA256, 8};
        char codes[LK_RECOVERY_COUNT][LK_RECOVERY_SIZE], code[LK_TOTP_DIGITS_MAX + 1];
        char keyed[LK_KEYED_TEXT];
        struct lk_totp_offer offer;
        uint8_t seed[LK_TOTP_SEED_MAX];
        size_t size;

        id = (struct lk_id){bench->tenant, 2, 0};
        bench_write(bench);
        assert_int_equal(lk_totp_add(&bench->txn, id, LK_TEXT("telephone"), &options, &offer, &key),
                         0);
        assert_int_equal(lk_base32_decode(bench_text(offer.seed), seed, sizeof(seed), &size), 0);
        assert_int_equal(lk_totp_code(&bench->store, LK_HMAC_SHA256, (struct lk_span){seed, size},
                                      lk_now(&bench->txn) / LK_TOTP_PERIOD_MS, 8, code),
                         0);
        assert_int_equal(lk_totp_confirm(&bench->txn, id, bench_text(code), &key), 0);
        assert_int_equal(lk_recovery_add(&bench->txn, id, codes, &key), 0);
        /* And an API key that was put back. */
        assert_int_equal(
            lk_api_key_add(&bench->txn, id, LK_TEXT("put back"), LK_TEXT(""), 0, token, &key), 0);
        assert_int_equal(lk_keyed_export(&bench->txn, key, keyed), 0);
        assert_int_equal(lk_keyed_put_back(&bench->txn, key, bench_text(keyed)), 0);
        bench_commit(bench);
        request.code = bench_text(codes[3]);
        lk_fake_advance(&bench->fake, 61500);
        assert_int_equal(lk_login(&bench->store, &request, &result, NULL), 0);
        memcpy(token, result.device_cookie, sizeof(token));
        request.code = (struct lk_span){NULL, 0};
    }
    request.password = LK_TEXT("not her secret");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(lk_audit_settle(&bench->txn, bench->tenant), 0);
    assert_int_equal(lk_audit_archived(&bench->txn, bench->tenant, 5), 0);
    bench_commit(bench);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    lk_fake_advance(&bench->fake, 1500);
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    request.name = LK_TEXT("nobody");
    assert_int_equal(lk_login(&bench->store, &request, &result, NULL), LK_E_REFUSED);
    bench_write(bench);
    assert_int_equal(bench_set(bench, &lk_kind_device, (struct lk_id){bench->tenant, 2, 1},
                               "trusted=true", NULL),
                     0);
    bench_commit(bench);
    golden_lanes(bench, &request, token);
    bench_verify(bench);
    return bench;
}

/* What every new tenant starts with may change from one version to the next: it is left out. */
static bool is_seeded(const struct lk_kind *kind, struct lk_id id, struct lk_span key)
{
    static const char *const own[] = {"door", "guard", "chief"};
    size_t i, k;

    if (kind) {
        return (kind == &lk_kind_permission && id.sub < 18) ||
               (kind == &lk_kind_role && id.sub < 4);
    }
    if (key.data[1] != LK_CLASS_INDEX || key.data[2] < 32 || key.data[2] > 37) {
        return false;
    }
    for (i = 0; i < LK_COUNT(own); i++) {
        for (k = 3; k + strlen(own[i]) <= key.size; k++) {
            if (memcmp(key.data + k, own[i], strlen(own[i])) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* All that the store holds under a name, keys and values in order. */
static void gold_of(struct bench *bench, const char *name, const struct lk_kind *kind,
                    struct gold *gold)
{
    const struct lk_storage_ops *ops = bench->fault.storage.ops;
    struct lk_storage_cursor cursor;
    struct lk_span key, value;
    struct lk_key all = {.size = 0};
    unsigned count = 0;
    int error;

    bench_read(bench);
    assert_int_equal(lk_cursor_begin(&bench->txn, &cursor, &all), 0);
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    while (!error) {
        const struct lk_kind *found = NULL;
        bool index = key.data[1] == LK_CLASS_INDEX;
        struct lk_id id = {0, 0, 0};

        if (!index && lk_key_parse(&bench->store, key, &found, &id)) {
            found = NULL;
        }
        if ((kind ? found == kind : !found && index == !strcmp(name, "indexes")) &&
            !is_seeded(found, id, key)) {
            gold_add_bytes(gold, "key", key);
            gold_add_bytes(gold, "value", value);
            count++;
        }
        error = ops->next(&cursor, &key, &value);
    }
    assert_int_equal(error, LK_E_NOT_FOUND);
    lk_cursor_end(&cursor);
    lk_abort(&bench->txn);
    if (!count) {
        fail_msg("the store of this test holds no %s: give it one", name);
    }
}

static void test_golden_records_of_every_kind(void **state)
{
    struct bench *bench = golden_store();
    struct gold *gold = calloc(1, sizeof(*gold));
    const struct lk_kind *const *kind;

    (void)state;
    assert_non_null(gold);
    for (kind = lk_kinds; *kind; kind++) {
        gold->size = 0;
        gold_of(bench, (*kind)->name, *kind, gold);
        gold_close(gold, (*kind)->name);
    }
    gold->size = 0;
    gold_of(bench, "store", NULL, gold); /* boot and meta */
    gold_close(gold, "store");
    gold->size = 0;
    gold_of(bench, "indexes", NULL, gold);
    gold_close(gold, "indexes");
    free(gold);
    bench_close(bench);
}

/* Each stored field of each kind occurs somewhere in the store above. */
static void test_golden_records_hold_every_field(void **state)
{
    static const struct {
        const struct lk_kind *kind;
        const char *field;
    } absent[] = {{&lk_kind_audit, "session"},
                  {&lk_kind_audit, "ip"},
                  {&lk_kind_audit, "user_agent"},
                  {&lk_kind_audit, "request"},
                  {&lk_kind_audit, "dropped"},
                  {&lk_kind_tenant, "audit_gone"},
                  {&lk_kind_fold, "category"},
                  {&lk_kind_audit, "tags"},
                  {&lk_kind_activity, "total_usage_minutes"},
                  {&lk_kind_activity, "locked_until"},
                  {&lk_kind_bucket, "locked_until"},
                  {&lk_kind_credential, "last_used_at"}};
    struct bench *bench = golden_store();
    uint64_t seen[256] = {0};
    const struct lk_storage_ops *ops = bench->fault.storage.ops;
    const struct lk_kind *const *kind;
    struct lk_storage_cursor cursor;
    struct lk_span key, value, cbor;
    struct lk_key all = {.size = 0};
    size_t f, i;
    int error;

    (void)state;
    bench_read(bench);
    assert_int_equal(lk_cursor_begin(&bench->txn, &cursor, &all), 0);
    error = ops->seek(&cursor, (struct lk_span){NULL, 0}, &key, &value);
    while (!error) {
        union lk_any_record record;
        const struct lk_kind *found;

        if (!lk_key_parse(&bench->store, key, &found, &record.record.id) &&
            !lk_value_open(&bench->store, key, value, &cbor)) {
            assert_int_equal(lk_record_decode(found, cbor, &record.record), 0);
            seen[found->number] |= record.record.present;
        }
        error = ops->next(&cursor, &key, &value);
    }
    lk_cursor_end(&cursor);
    for (kind = lk_kinds; *kind; kind++) {
        for (f = 0; f < (*kind)->field_count; f++) {
            const struct lk_field *field = &(*kind)->fields[f];
            bool known = field->flags & LK_F_COMPUTED;

            for (i = 0; i < LK_COUNT(absent); i++) {
                known = known || (absent[i].kind == *kind && !strcmp(absent[i].field, field->name));
            }
            if (!known && !((seen[(*kind)->number] >> field->number) & 1)) {
                fail_msg("no record of the golden store has %s.%s", (*kind)->name, field->name);
            }
        }
    }
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_keys),
        cmocka_unit_test(test_golden_records_of_every_kind),
        cmocka_unit_test(test_golden_records_hold_every_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
