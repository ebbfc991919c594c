// SPDX-License-Identifier: MIT
/* Fields that are implied: not stored where others tell them, and there all the same. */
#include "bench.h"

#include "lk_engine.h"

#define NOW UINT64_C(1800000000000)

/* What is encoded is read as it was, and its encoding is the one there is. */
static size_t round_trip(const struct lk_kind *kind, const struct lk_record *record,
                         struct lk_record *back)
{
    static uint8_t bytes[512];
    uint8_t again[512];
    size_t size, more, i;

    assert_int_equal(lk_record_encode(kind, record, bytes, sizeof(bytes), &size), 0);
    assert_int_equal(lk_record_decode(kind, (struct lk_span){bytes, size}, back), 0);
    assert_int_equal(back->present, record->present);
    assert_memory_equal(&back->created_at, &record->created_at,
                        offsetof(struct lk_record, raw) - offsetof(struct lk_record, created_at));
    for (i = 0; i < kind->field_count; i++) {
        const struct lk_field *field = &kind->fields[i];

        if (!LK_HAS(record, field->number)) {
            continue;
        }
        if (lk_field_is_number(field)) {
            assert_int_equal(lk_field_number(back, field), lk_field_number(record, field));
        } else {
            assert_true(lk_span_equal(lk_field_span(back, field), lk_field_span(record, field)));
        }
    }
    assert_int_equal(lk_record_encode(kind, back, again, sizeof(again), &more), 0);
    assert_int_equal(more, size);
    assert_memory_equal(again, bytes, size);
    return size;
}

static void set(const struct lk_kind *kind, struct lk_record *record, unsigned number,
                uint64_t value)
{
    lk_field_set_number(record, lk_field_numbered(kind, number), value);
}

static void test_made_counts_as_updated(void **state)
{
    const struct lk_kind *kind = &lk_kind_role;
    struct lk_role role, back;
    size_t made, later, bare;

    (void)state;
    memset(&role, 0, sizeof(role));
    lk_set_text(kind, &role.record, "name", "guard");
    bare = round_trip(kind, &role.record, &back.record);
    set(kind, &role.record, 1, NOW);
    set(kind, &role.record, 2, 7);
    set(kind, &role.record, 3, NOW);
    set(kind, &role.record, 4, 7);
    made = round_trip(kind, &role.record, &back.record);
    assert_int_equal(made, bare + 10 + 2);
    /* An hour later, by the same: the difference alone. */
    set(kind, &role.record, 3, NOW + 3600000);
    later = round_trip(kind, &role.record, &back.record);
    assert_int_equal(later, made + 6);
    /* By another; by the system, which is nobody; before it was made, as the clock was set back. */
    set(kind, &role.record, 4, 8);
    assert_int_equal(round_trip(kind, &role.record, &back.record), later + 2);
    role.record.present &= ~LK_BIT(4);
    role.record.updated_by = 0;
    assert_int_equal(round_trip(kind, &role.record, &back.record), later + 2);
    set(kind, &role.record, 3, NOW - 1);
    (void)round_trip(kind, &role.record, &back.record);
    assert_true(back.record.updated_at == NOW - 1);
    /* Never updated at all, though it was made. */
    role.record.present &= ~LK_BIT(3);
    role.record.updated_at = 0;
    (void)round_trip(kind, &role.record, &back.record);
}

static void test_a_session_tells_its_times_once(void **state)
{
    const struct lk_kind *kind = &lk_kind_session;
    static const uint8_t hash[LK_TOKEN_HASH_SIZE];
    static const unsigned always[] = {13, 14, 19, 20, 21};
    struct lk_session session, back;
    size_t size, i;

    (void)state;
    memset(&session, 0, sizeof(session));
    lk_field_set_span(&session.record, lk_field_numbered(kind, 8),
                      (struct lk_span){hash, sizeof(hash)});
    for (i = 0; i < LK_COUNT(always); i++) {
        set(kind, &session.record, always[i], lk_field_numbered(kind, always[i])->initial);
    }
    set(kind, &session.record, 9, NOW);
    set(kind, &session.record, 10, NOW);
    set(kind, &session.record, 11, NOW + 3600000);
    set(kind, &session.record, 22, 1000);
    set(kind, &session.record, 23, 1000 + 3600000);
    size = round_trip(kind, &session.record, &back.record);
    /* Hash, start, how long, boot, and the boot's time. */
    assert_int_equal(size, 1 + 18 + 10 + 6 + 2 + 4);
    /* The wall clock went its own way. */
    set(kind, &session.record, 10, NOW + 600000);
    set(kind, &session.record, 22, 1500);
    assert_int_equal(round_trip(kind, &session.record, &back.record), size + 6 + 6);
    /* What is not as usual is said. */
    set(kind, &session.record, 13, 3);
    set(kind, &session.record, 14, LK_CHANNEL_HTTP);
    set(kind, &session.record, 20, LK_CLOCK_UNSET);
    set(kind, &session.record, 21, 2);
    (void)round_trip(kind, &session.record, &back.record);
    assert_int_equal(back.clock, LK_CLOCK_UNSET);
}

static void test_activity_goes_by_the_last_login(void **state)
{
    const struct lk_kind *kind = &lk_kind_activity;
    struct lk_activity activity, back;
    size_t size;

    (void)state;
    memset(&activity, 0, sizeof(activity));
    /* Nobody logged in yet: failures only. */
    set(kind, &activity.record, 13, 2);
    set(kind, &activity.record, 14, NOW);
    (void)round_trip(kind, &activity.record, &back.record);
    memset(&activity, 0, sizeof(activity));
    set(kind, &activity.record, 8, NOW);
    set(kind, &activity.record, 10, NOW);
    set(kind, &activity.record, 11, NOW);
    set(kind, &activity.record, 23, NOW + 60000);
    size = round_trip(kind, &activity.record, &back.record);
    assert_int_equal(size, 1 + 10 + 4);
    /* The budget was given back. */
    activity.record.present &= ~LK_BIT(23);
    activity.login_tat = 0;
    (void)round_trip(kind, &activity.record, &back.record);
    assert_true(back.login_tat == 0 && back.last_active_at == NOW);
}

static void test_an_entry_is_of_a_login_unless_it_says(void **state)
{
    const struct lk_kind *kind = &lk_kind_audit;
    static const uint8_t sixteen[16];
    struct lk_audit_entry entry, back;
    size_t login;

    (void)state;
    memset(&entry, 0, sizeof(entry));
    set(kind, &entry.record, 8, 5);
    set(kind, &entry.record, 9, NOW);
    set(kind, &entry.record, 10, LK_CLOCK_SYNCED);
    set(kind, &entry.record, 18, LK_CHANNEL_CONSOLE);
    lk_set_text(kind, &entry.record, "action", "login");
    lk_set_text(kind, &entry.record, "resource_type", "user");
    lk_set_text(kind, &entry.record, "description", "logged in");
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 62), (struct lk_span){sixteen, 16});
    lk_field_set_span(&entry.record, lk_field_numbered(kind, 63), (struct lk_span){sixteen, 16});
    login = round_trip(kind, &entry.record, &back.record);
    assert_int_equal(login, 1 + 2 + 10 + 2 * 19);
    /* None in clear, as of an application's entry, is not that of a login. */
    entry.record.present &= ~LK_BIT(16);
    entry.description = (struct lk_span){NULL, 0};
    assert_int_equal(round_trip(kind, &entry.record, &back.record), login + 2);
    assert_int_equal(back.description.size, 0);
    lk_set_text(kind, &entry.record, "action", "login.fail");
    set(kind, &entry.record, 18, LK_CHANNEL_MQTT);
    set(kind, &entry.record, 10, LK_CLOCK_HELD);
    (void)round_trip(kind, &entry.record, &back.record);
}

static void test_a_password_set_by_nobody_stays_so(void **state)
{
    const struct lk_kind *kind = &lk_kind_credential;
    struct lk_credential credential, back;

    (void)state;
    memset(&credential, 0, sizeof(credential));
    set(kind, &credential.record, 1, NOW);
    set(kind, &credential.record, 3, NOW);
    set(kind, &credential.record, 8, LK_CREDENTIAL_PASSWORD);
    assert_int_equal(round_trip(kind, &credential.record, &back.record), 1 + 10);
    assert_true(back.set_at == 0);
    set(kind, &credential.record, 17, NOW);
    assert_int_equal(round_trip(kind, &credential.record, &back.record), 1 + 10 + 2);
    set(kind, &credential.record, 8, LK_CREDENTIAL_CLAIM);
    (void)round_trip(kind, &credential.record, &back.record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_counts_as_updated),
        cmocka_unit_test(test_a_session_tells_its_times_once),
        cmocka_unit_test(test_activity_goes_by_the_last_login),
        cmocka_unit_test(test_an_entry_is_of_a_login_unless_it_says),
        cmocka_unit_test(test_a_password_set_by_nobody_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
