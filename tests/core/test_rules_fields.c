// SPDX-License-Identifier: MIT
/*
 * Every rule of every field: what is just inside is taken, what is just outside is refused with
 * kind, field and rule named, and a refusal changes no byte of the store.
 */
#include "bench.h"

#include "lk_engine.h"

enum form {
    TEXT,
    FORMED,
    EMAIL,
    UUID,
    NUMBER,
    CHOICE,
    FLAG,
    TIME,
    MAP,
    REF,
    REFS,
    CHANNELS,
    STORED,
    COMPUTED
};

enum { REQUIRED = 1, FIXED = 2 };

/* The bounds stand here a second time, as the data model has them. */
static const struct rule {
    const struct lk_kind *kind;
    const char *field;
    enum form form;
    uint64_t min, max;
    unsigned flags;
} rules[] = {
    {&lk_kind_tenant, "name", TEXT, 1, 100, REQUIRED},
    {&lk_kind_tenant, "external_id", UUID, 16, 16, FIXED},
    {&lk_kind_tenant, "display_name", TEXT, 0, 255, 0},
    {&lk_kind_tenant, "status", STORED, 0, 0, 0},
    {&lk_kind_tenant, "session_lifetime", NUMBER, 1, 31536000, 0},
    {&lk_kind_tenant, "session_idle", NUMBER, 0, 31536000, 0},
    {&lk_kind_tenant, "session_max", NUMBER, 0, 1000, 0},
    {&lk_kind_tenant, "lockout_failures", NUMBER, 0, 100, 0},
    {&lk_kind_tenant, "lockout_time", NUMBER, 1, 86400, 0},
    {&lk_kind_tenant, "password_min", NUMBER, 8, 128, 0},
    {&lk_kind_tenant, "password_blocklist", FLAG, 0, 1, 0},
    {&lk_kind_tenant, "audit_capacity", NUMBER, 16, 1000000, 0},
    {&lk_kind_tenant, "audit_days", NUMBER, 0, 36500, 0},
    {&lk_kind_tenant, "purge_after_days", NUMBER, 0, 36500, 0},
    {&lk_kind_tenant, "metadata", MAP, 0, 4000, 0},
    {&lk_kind_tenant, "auth_epoch", STORED, 0, 0, 0},
    {&lk_kind_tenant, "role_epoch", STORED, 0, 0, 0},
    {&lk_kind_tenant, "close_failures", NUMBER, 0, 100000, 0},
    {&lk_kind_tenant, "close_time", NUMBER, 1, 31536000, 0},
    {&lk_kind_tenant, "login_rate", NUMBER, 0, 3600000, 0},
    {&lk_kind_tenant, "session_limit", CHOICE, 0, 1, 0},
    {&lk_kind_tenant, "session_end_at_reboot", FLAG, 0, 1, 0},
    {&lk_kind_tenant, "session_channels", CHANNELS, 0, 120, 0},
    {&lk_kind_tenant, "second_factor", CHOICE, 0, 2, 0},
    {&lk_kind_tenant, "password_history", NUMBER, 0, 10, 0},
    {&lk_kind_tenant, "password_min_age", NUMBER, 0, 31536000, 0},
    {&lk_kind_tenant, "time_zone", FORMED, 6, 6, 0},
    {&lk_kind_tenant, "audit_archive", FLAG, 0, 1, 0},
    {&lk_kind_tenant, "audit_archived", STORED, 0, 0, 0},
    {&lk_kind_tenant, "audit_key", STORED, 0, 0, 0},
    {&lk_kind_tenant, "audit_gone", STORED, 0, 0, 0},
    {&lk_kind_tenant, "role_marks", STORED, 0, 0, 0},
    {&lk_kind_tenant, "user_count", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "username", TEXT, 1, 64, REQUIRED},
    {&lk_kind_user, "email", EMAIL, 3, 255, 0},
    {&lk_kind_user, "display_name", TEXT, 2, 255, 0},
    {&lk_kind_user, "external_id", UUID, 16, 16, FIXED},
    {&lk_kind_user, "identity_provider", TEXT, 1, 50, 0},
    {&lk_kind_user, "identity_provider_id", TEXT, 1, 255, 0},
    {&lk_kind_user, "status", CHOICE, 0, 2, 0},
    {&lk_kind_user, "must_change_password", FLAG, 0, 1, 0},
    {&lk_kind_user, "metadata", MAP, 0, 4000, 0},
    {&lk_kind_user, "roles", STORED, 0, 0, 0},
    {&lk_kind_user, "last_login_at", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "login_count", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "last_session_start", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "last_active_at", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "total_usage_minutes", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "activity_status", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "last_login", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "session_count", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "is_locked", COMPUTED, 0, 0, 0},
    {&lk_kind_user, "has_second_factor", COMPUTED, 0, 0, 0},
    {&lk_kind_permission, "name", TEXT, 1, 100, REQUIRED},
    {&lk_kind_permission, "resource", TEXT, 1, 100, REQUIRED},
    {&lk_kind_permission, "action", TEXT, 1, 50, REQUIRED},
    {&lk_kind_permission, "description", TEXT, 0, 255, 0},
    {&lk_kind_permission, "channels", FORMED, 1, 60, 0},
    {&lk_kind_permission, "sources", FORMED, 1, 400, 0},
    {&lk_kind_permission, "window", FORMED, 1, 200, 0},
    {&lk_kind_permission, "owner_only", FLAG, 0, 1, 0},
    {&lk_kind_permission, "deny", FLAG, 0, 1, 0},
    {&lk_kind_permission, "approval", FLAG, 0, 1, 0},
    {&lk_kind_permission, "login_age", NUMBER, 0, 31536000, 0},
    {&lk_kind_role, "name", TEXT, 1, 100, REQUIRED},
    {&lk_kind_role, "description", TEXT, 0, 255, 0},
    {&lk_kind_role, "parent", REF, 0, 0, 0},
    {&lk_kind_role, "is_active", FLAG, 0, 1, 0},
    {&lk_kind_role, "permissions", REFS, 0, LK_VALUE_MAX / 4, 0},
    {&lk_kind_role, "compiled", STORED, 0, 0, 0},
    {&lk_kind_role, "second_factor", CHOICE, 0, 2, 0},
    {&lk_kind_role, "holder_count", COMPUTED, 0, 0, 0},
    {&lk_kind_device, "fingerprint", STORED, 0, 0, 0},
    {&lk_kind_device, "name", TEXT, 0, 100, 0},
    {&lk_kind_device, "type", TEXT, 0, 50, 0},
    {&lk_kind_device, "first_seen", STORED, 0, 0, 0},
    {&lk_kind_device, "last_seen", STORED, 0, 0, 0},
    {&lk_kind_device, "trusted", FLAG, 0, 1, 0},
    {&lk_kind_device, "cookie_hash", STORED, 0, 0, 0},
    {&lk_kind_credential, "type", CHOICE, 0, 5, REQUIRED | FIXED},
    {&lk_kind_credential, "label", TEXT, 1, 100, 0},
    {&lk_kind_credential, "secret", STORED, 0, 0, 0},
    {&lk_kind_credential, "key", TEXT, 1, 4000, FIXED},
    {&lk_kind_credential, "prefix", STORED, 0, 0, 0},
    {&lk_kind_credential, "last_used_at", STORED, 0, 0, 0},
    {&lk_kind_credential, "expires_at", TIME, 0, UINT64_C(253402300799999), 0},
    {&lk_kind_credential, "tries_left", STORED, 0, 0, 0},
    {&lk_kind_credential, "roles", REFS, 0, 5 * LK_GRANT_MAX + 3, FIXED},
    {&lk_kind_credential, "powered_end", STORED, 0, 0, 0},
    {&lk_kind_credential, "hash_key", STORED, 0, 0, 0},
    {&lk_kind_credential, "last_step", STORED, 0, 0, 0},
    {&lk_kind_credential, "confirmed", STORED, 0, 0, 0},
    {&lk_kind_credential, "algorithm", CHOICE, 0, 2, FIXED},
    {&lk_kind_credential, "digits", NUMBER, 6, 8, FIXED},
    {&lk_kind_credential, "codes_left", COMPUTED, 0, 0, 0},
    {&lk_kind_credential, "state", COMPUTED, 0, 0, 0},
    {&lk_kind_credential, "set_at", STORED, 0, 0, 0},
    {&lk_kind_credential, "history", STORED, 0, 0, 0},
};

/* A store with one record of each kind to change. */
struct scene {
    struct bench *bench;
    struct lk_id ids[256]; /* by kind */
    uint64_t print;
    unsigned refusals, acceptances;
};

static void scene_set_text(struct lk_record *record, const struct lk_kind *kind, const char *name,
                           const char *text)
{
    lk_field_set_span(record, lk_field_named(kind, bench_text(name)), bench_text(text));
}

/* The least that the kind's rules ask for. */
static void scene_fill(const struct scene *scene, const struct lk_kind *kind,
                       union lk_any_record *record)
{
    memset(record, 0, sizeof(*record));
    switch (kind->number) {
    case LK_KIND_USER: scene_set_text(&record->record, kind, "username", "someone"); break;
    case LK_KIND_PERMISSION:
        scene_set_text(&record->record, kind, "resource", "thing");
        scene_set_text(&record->record, kind, "action", "do");
        scene_set_text(&record->record, kind, "name", "something");
        break;
    case LK_KIND_DEVICE: record->record.id.user = scene->bench->admin.user; break;
    case LK_KIND_CREDENTIAL:
        lk_field_set_number(&record->record, lk_field_numbered(kind, 8), LK_CREDENTIAL_SSH_KEY);
        record->record.id.user = scene->bench->admin.user;
        break;
    default: scene_set_text(&record->record, kind, "name", "something"); break;
    }
    record->record.id.tenant = kind == &lk_kind_tenant ? 0 : scene->bench->tenant;
}

static struct scene *scene_open(void)
{
    static const struct lk_kind *const kinds[] = {&lk_kind_tenant,     &lk_kind_user,
                                                  &lk_kind_permission, &lk_kind_role,
                                                  &lk_kind_device,     &lk_kind_credential};
    struct scene *scene = calloc(1, sizeof(*scene));
    union lk_any_record record;
    size_t i;

    assert_non_null(scene);
    scene->bench = bench_open();
    bench_second_admin(scene->bench);
    bench_write(scene->bench);
    for (i = 0; i < LK_COUNT(kinds); i++) {
        scene_fill(scene, kinds[i], &record);
        if (kinds[i]->number != LK_KIND_CREDENTIAL && kinds[i]->number != LK_KIND_DEVICE) {
            lk_field_set_span(&record.record, lk_field_numbered(kinds[i], 8),
                              LK_TEXT("to be changed"));
        }
        assert_int_equal(lk_add(&scene->bench->txn, kinds[i], &record.record, NULL), 0);
        scene->ids[kinds[i]->number] = record.record.id;
    }
    bench_commit(scene->bench);
    scene->print = bench_print(scene->bench);
    return scene;
}

static void scene_close(struct scene *scene)
{
    bench_verify(scene->bench);
    bench_close(scene->bench);
    free(scene);
}

static void scene_refused(struct scene *scene, const struct rule *rule, const char *how, int error,
                          int want, const char *words)
{
    const struct lk_problem *problem = lk_problem(&scene->bench->txn);

    if (error != want || problem->error != want || !problem->kind ||
        strcmp(problem->kind, rule->kind->name) != 0 || !problem->field ||
        strcmp(problem->field, rule->field) != 0 || !problem->rule ||
        strcmp(problem->rule, words) != 0) {
        fail_msg("%s.%s, %s: got %d, problem %d %s.%s \"%s\"; want %d \"%s\"", rule->kind->name,
                 rule->field, how, error, problem->error, problem->kind ? problem->kind : "-",
                 problem->field ? problem->field : "-", problem->rule ? problem->rule : "-", want,
                 words);
    }
    bench_commit(scene->bench);
    if (bench_print(scene->bench) != scene->print) {
        fail_msg("%s.%s, %s: the refusal changed the store", rule->kind->name, rule->field, how);
    }
    scene->refusals++;
}

static void scene_taken(struct scene *scene, const struct rule *rule, const char *how, int error)
{
    if (error) {
        const struct lk_problem *problem = lk_problem(&scene->bench->txn);

        fail_msg("%s.%s, %s: got %d, \"%s\"; want 0", rule->kind->name, rule->field, how, error,
                 problem->rule ? problem->rule : "-");
    }
    lk_abort(&scene->bench->txn);
    if (bench_print(scene->bench) != scene->print) {
        fail_msg("%s.%s, %s: undone, but the store changed", rule->kind->name, rule->field, how);
    }
    scene->acceptances++;
}

/* Puts the value into a new record and over an old one; `words` NULL: it is to be taken. */
static void scene_try(struct scene *scene, const struct rule *rule, uint64_t number,
                      struct lk_span span, int want, const char *words)
{
    const struct lk_kind *kind = rule->kind;
    const struct lk_field *field = lk_field_named(kind, bench_text(rule->field));
    union lk_any_record record;
    unsigned update;

    for (update = 0; update < 2; update++) {
        char how[64];
        int error;

        if (update) {
            memset(&record, 0, sizeof(record));
        } else {
            scene_fill(scene, kind, &record);
        }
        if (lk_field_is_number(field)) {
            lk_field_set_number(&record.record, field, number);
            (void)snprintf(how, sizeof(how), "%s %llu", update ? "set" : "add",
                           (unsigned long long)number);
        } else {
            lk_field_set_span(&record.record, field, span);
            (void)snprintf(how, sizeof(how), "%s %zu bytes", update ? "set" : "add", span.size);
        }
        bench_write(scene->bench);
        error = update ? lk_update(&scene->bench->txn, kind, scene->ids[kind->number],
                                   &record.record, 0, NULL)
                       : lk_add(&scene->bench->txn, kind, &record.record, NULL);
        if (update && rule->flags & FIXED) {
            /* The value that it has already may be given again. */
            if (error != 0) {
                scene_refused(scene, rule, how, error, LK_E_CHECK,
                              "cannot be changed once it is set");
            }
        } else if (words) {
            scene_refused(scene, rule, how, error, want, words);
        } else {
            scene_taken(scene, rule, how, error);
        }
    }
}

static struct lk_span fill_text(uint64_t count, bool email)
{
    size_t size = (size_t)count;
    static uint8_t text[8192];
    size_t i;

    assert_true(size <= sizeof(text));
    memset(text, 'b', sizeof(text));
    if (email && size > 1) {
        memcpy(text, "a@", 2);
        for (i = 40; i + 1 < size; i += 40) {
            text[i] = '.';
        }
    }
    return (struct lk_span){text, size};
}

static void try_text(struct scene *scene, const struct rule *rule)
{
    static const struct {
        const char *bytes, *words;
    } bad[] = {
        {"\xFF\xFE\xFD", "is not UTF-8"},
        {"ab\xC0\x80", "is not UTF-8"},         /* overlong NUL */
        {"ab\xED\xA0\x80", "is not UTF-8"},     /* surrogate */
        {"ab\xF4\x90\x80\x80", "is not UTF-8"}, /* over U+10FFFF */
        {"ab\xE2\x82", "is not UTF-8"},         /* cut */
        {"ab\ncd", "holds control characters"},
        {"ab\tcd", "holds control characters"},
        {"ab\033[2J", "holds control characters"},
        {"ab\x7F", "holds control characters"},
        {"ab\xC2\x85", "holds control characters"}, /* C1 */
    };
    bool email = rule->form == EMAIL;
    size_t i;

    if (rule->min) {
        scene_try(scene, rule, 0, fill_text(rule->min - 1, email), LK_E_CHECK,
                  rule->min == 1 ? "is empty" : "is too short");
    }
    scene_try(scene, rule, 0, fill_text(rule->min, email), 0, NULL);
    scene_try(scene, rule, 0, fill_text(rule->max, email), 0, NULL);
    scene_try(scene, rule, 0, fill_text(rule->max + 1, email), LK_E_CHECK, "is too long");
    for (i = 0; i < LK_COUNT(bad); i++) {
        scene_try(scene, rule, 0, bench_text(bad[i].bytes), LK_E_CHECK, bad[i].words);
    }
    scene_try(scene, rule, 0, (struct lk_span){(const uint8_t *)"ab\0cd", 5}, LK_E_CHECK,
              "holds control characters");
    if (!email) {
        /* Bytes are counted, not characters. */
        uint8_t wide[8192];

        for (i = 0; i + 1 < sizeof(wide); i += 2) {
            memcpy(wide + i, "\xC3\xA9", 2);
        }
        scene_try(scene, rule, 0, (struct lk_span){wide, (size_t)rule->max / 2 * 2}, 0, NULL);
        scene_try(scene, rule, 0, (struct lk_span){wide, (size_t)rule->max / 2 * 2 + 2}, LK_E_CHECK,
                  "is too long");
    }
}

static void try_email(struct scene *scene, const struct rule *rule)
{
    static const char *const bad[] = {"nobody",    "@example.org", "a@",          "a@@b",
                                      "a b@c.org", "a@b..org",     "a@-b.org",    ".a@b.org",
                                      "a.@b.org",  "a@b.org.",     "a@[1.2.3.4]", "\"a b\"@c.org",
                                      "a@b_c.org,"};
    static const char *const good[] = {"a@b", "first.last+tag@mail.example.org",
                                       "j\xC3\xBCrgen@m\xC3\xBCnz.example"};
    size_t i;

    try_text(scene, rule);
    for (i = 0; i < LK_COUNT(bad); i++) {
        scene_try(scene, rule, 0, bench_text(bad[i]), LK_E_CHECK,
                  strlen(bad[i]) < 3 ? "is too short"
                                     : "is not an e-mail address (RFC 5321 mailbox)");
    }
    for (i = 0; i < LK_COUNT(good); i++) {
        scene_try(scene, rule, 0, bench_text(good[i]), 0, NULL);
    }
}

static void try_channels(struct scene *scene, const struct rule *rule)
{
    static const char form[] = "is not a list like \"console:900 http:86400\"";
    static const char seconds[] = "has seconds that are not 1 to 31536000";
    static const struct {
        const char *text, *words;
    } tries[] = {
        {"", NULL},
        {"console:1", NULL},
        {"http:31536000", NULL},
        {"console:31536000 cli:31536000 pam:31536000 mqtt:31536000 http:31536000 api:31536000",
         NULL},
        {"http", form},
        {":5", form},
        {"https:5", form},
        {"htt:5", form},
        {"HTTP:5", form},
        {" http:5", form},
        {"http:5 ", form},
        {"http:5  api:5", form},
        {"http:5,api:5", form},
        {"http:0", seconds},
        {"http:", seconds},
        {"http:-1", seconds},
        {"http:1.5", seconds},
        {"http:31536001", seconds},
        {"http:18446744073709551617", seconds},
        {"http:5 http:6", "names a channel twice"},
        {"http:5 api:1 http:6", "names a channel twice"},
        {"http:5\tapi:1", "holds control characters"},
    };
    size_t i;

    for (i = 0; i < LK_COUNT(tries); i++) {
        scene_try(scene, rule, 0, bench_text(tries[i].text), LK_E_CHECK, tries[i].words);
    }
    scene_try(scene, rule, 0, fill_text(rule->max, false), LK_E_CHECK, form);
    scene_try(scene, rule, 0, fill_text(rule->max + 1, false), LK_E_CHECK, "is too long");
}

/* Text of a form of its own; test_condition.c has more of each. */
static void try_formed(struct scene *scene, const struct rule *rule)
{
    static const struct {
        const char *field, *good;
    } examples[] = {
        {"time_zone", "-05:30"},
        {"channels", "console, http"},
        {"sources", "10.0.0.0/8 2001:db8::/32"},
        {"window", "mon-fri 08:00-18:00; sat 22:00-02:00"},
    };
    const struct lk_field *field = lk_field_named(rule->kind, bench_text(rule->field));
    struct lk_span full = fill_text(rule->max, false);
    unsigned tried = 0;
    size_t i;

    scene_try(scene, rule, 0, fill_text(rule->min - 1, false), LK_E_CHECK,
              rule->min == 1 ? "is empty" : "is too short");
    scene_try(scene, rule, 0, full, LK_E_CHECK, field->form(full));
    scene_try(scene, rule, 0, fill_text(rule->max + 1, false), LK_E_CHECK, "is too long");
    scene_try(scene, rule, 0, LK_TEXT("+01:0\n"), LK_E_CHECK, "holds control characters");
    scene_try(scene, rule, 0, LK_TEXT("+01:0\xFF"), LK_E_CHECK, "is not UTF-8");
    for (i = 0; i < LK_COUNT(examples); i++) {
        if (strcmp(examples[i].field, rule->field) == 0) {
            scene_try(scene, rule, 0, bench_text(examples[i].good), 0, NULL);
            tried++;
        }
    }
    assert_int_equal(tried, 1);
}

static void try_number(struct scene *scene, const struct rule *rule)
{
    if (rule->min) {
        scene_try(scene, rule, rule->min - 1, LK_TEXT(""), LK_E_CHECK, "is too small");
        scene_try(scene, rule, 0, LK_TEXT(""), LK_E_CHECK, "is too small");
    }
    scene_try(scene, rule, rule->min, LK_TEXT(""), 0, NULL);
    scene_try(scene, rule, rule->max, LK_TEXT(""), 0, NULL);
    scene_try(scene, rule, rule->max + 1, LK_TEXT(""), LK_E_CHECK, "is too large");
    scene_try(scene, rule, UINT64_MAX, LK_TEXT(""), LK_E_CHECK, "is too large");
}

static void try_choice(struct scene *scene, const struct rule *rule, const char *words)
{
    uint64_t number;

    for (number = rule->min; number <= rule->max; number++) {
        scene_try(scene, rule, number, LK_TEXT(""), 0, NULL);
    }
    scene_try(scene, rule, rule->max + 1, LK_TEXT(""), LK_E_CHECK, words);
    scene_try(scene, rule, UINT64_MAX, LK_TEXT(""), LK_E_CHECK, words);
}

/* A map of one text of `size` bytes in all. */
static struct lk_span fill_map(uint8_t *out, uint64_t count)
{
    size_t size = (size_t)count;
    struct lk_cbor_writer writer;
    size_t head = size - 3 > 65535 ? 5 : size - 3 > 255 ? 3 : 2, made;

    lk_cbor_writer_init(&writer, out, size);
    lk_cbor_put_map(&writer, 1);
    lk_cbor_put_text(&writer, LK_TEXT("k"));
    lk_cbor_put_text(&writer, fill_text(size - 3 - head, false));
    assert_int_equal(lk_cbor_finish(&writer, &made), 0);
    assert_int_equal(made, size);
    return (struct lk_span){out, made};
}

static void try_map(struct scene *scene, const struct rule *rule)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } bad[] = {
        {"", 0, "is not a map"},
        {"\x80", 1, "is not a map"},
        {"\x01", 1, "is not a map"},
        {"\xA1\x61k", 3, "is not a map"},                   /* cut */
        {"\xA0\x00", 2, "is not a map"},                    /* bytes after it */
        {"\xBF\xFF", 2, "is not a map"},                    /* indefinite */
        {"\xA1\x01\x02", 3, "has a name that is not text"}, /* {1: 2} */
        {"\xA2\x61"
         "a\x01\x61"
         "a\x02",
         7, "is not a map"}, /* the same name twice */
        {"\xA2\x61"
         "b\x01\x61"
         "a\x02",
         7, "is not a map"}, /* not in order */
        {"\xA1\x61"
         "a\x18\x05",
         5, "is not a map"}, /* not the shortest form */
        {"\xA1\x61"
         "a\x61\xFF",
         5, "is not a map"}, /* not UTF-8 inside */
    };
    uint8_t map[5000];
    size_t i;

    scene_try(scene, rule, 0, LK_TEXT("\xA0"), 0, NULL);
    scene_try(scene, rule, 0, fill_map(map, rule->max), 0, NULL);
    scene_try(scene, rule, 0, fill_map(map, rule->max + 1), LK_E_CHECK, "is too large");
    for (i = 0; i < LK_COUNT(bad); i++) {
        scene_try(scene, rule, 0, (struct lk_span){(const uint8_t *)bad[i].bytes, bad[i].size},
                  LK_E_CHECK, bad[i].words);
    }
}

static void try_refs(struct scene *scene, const struct rule *rule)
{
    static uint8_t many[LK_VALUE_MAX];

    scene_try(scene, rule, 0, LK_TEXT("\x80"), 0, NULL);
    scene_try(scene, rule, 0, LK_TEXT("\x82\x01\x02"), 0, NULL);
    scene_try(scene, rule, 0, (struct lk_span){many, 0}, LK_E_CHECK, "is not a list of numbers");
    scene_try(scene, rule, 0, LK_TEXT("\x82\x02\x01"), LK_E_CHECK,
              "is not a list of rising numbers");
    scene_try(scene, rule, 0, LK_TEXT("\x82\x01\x01"), LK_E_CHECK,
              "is not a list of rising numbers");
    scene_try(scene, rule, 0, LK_TEXT("\x81\x00"), LK_E_CHECK, "is not a list of rising numbers");
    scene_try(scene, rule, 0, LK_TEXT("\x81\x61z"), LK_E_CHECK, "is not a list of rising numbers");
    scene_try(scene, rule, 0, LK_TEXT("\x81\x1B\x00\x00\x00\x01\x00\x00\x00\x00"), LK_E_CHECK,
              "is not a list of rising numbers");
    scene_try(scene, rule, 0, LK_TEXT("\xA0"), LK_E_CHECK, "is not a list of numbers");
    scene_try(scene, rule, 0, LK_TEXT("\x82\x01"), LK_E_CHECK, "is not a list of numbers");
    scene_try(scene, rule, 0, (struct lk_span){many, (size_t)rule->max + 1}, LK_E_CHECK,
              "holds too many");
    scene_try(scene, rule, 0, LK_TEXT("\x81\x19\x03\xE8"), LK_E_REFERENCE, "refers to nothing");
}

static void try_required(struct scene *scene, const struct rule *rule)
{
    const struct lk_kind *kind = rule->kind;
    const struct lk_field *field = lk_field_named(kind, bench_text(rule->field));
    union lk_any_record record;

    scene_fill(scene, kind, &record);
    record.record.present &= ~LK_BIT(field->number);
    bench_write(scene->bench);
    scene_refused(scene, rule, "add without",
                  lk_add(&scene->bench->txn, kind, &record.record, NULL), LK_E_CHECK,
                  "is required");
    memset(&record, 0, sizeof(record));
    bench_write(scene->bench);
    scene_refused(scene, rule, "clear",
                  lk_update(&scene->bench->txn, kind, scene->ids[kind->number], &record.record,
                            LK_BIT(field->number), NULL),
                  LK_E_CHECK, "is required");
}

/* Given or cleared, it is left alone. */
static void try_computed(struct scene *scene, const struct rule *rule)
{
    const struct lk_kind *kind = rule->kind;
    const struct lk_field *field = lk_field_named(kind, bench_text(rule->field));
    union lk_any_record record;

    memset(&record, 0, sizeof(record));
    lk_field_set_number(&record.record, field, 7);
    bench_write(scene->bench);
    assert_int_equal(
        lk_update(&scene->bench->txn, kind, scene->ids[kind->number], &record.record, 0, NULL), 0);
    bench_commit(scene->bench);
    assert_true(bench_print(scene->bench) == scene->print);
}

static void try_rule(struct scene *scene, const struct rule *rule)
{
    static const uint8_t bytes[20] = {1};

    switch (rule->form) {
    case TEXT: try_text(scene, rule); break;
    case FORMED: try_formed(scene, rule); break;
    case EMAIL: try_email(scene, rule); break;
    case CHANNELS: try_channels(scene, rule); break;
    case NUMBER: try_number(scene, rule); break;
    case CHOICE: try_choice(scene, rule, "is none of its choices"); break;
    case FLAG: try_choice(scene, rule, "is neither true nor false"); break;
    case MAP: try_map(scene, rule); break;
    case REFS: try_refs(scene, rule); break;
    case COMPUTED: try_computed(scene, rule); break;
    case STORED:
        scene_try(scene, rule, 1, (struct lk_span){bytes, 1}, LK_E_CHECK,
                  "is set by the store only");
        break;
    case UUID:
        scene_try(scene, rule, 0, (struct lk_span){bytes, 15}, LK_E_CHECK, "is not a UUID");
        scene_try(scene, rule, 0, (struct lk_span){bytes, 16}, 0, NULL);
        scene_try(scene, rule, 0, (struct lk_span){bytes, 17}, LK_E_CHECK, "is not a UUID");
        scene_try(scene, rule, 0, (struct lk_span){bytes, 0}, LK_E_CHECK, "is not a UUID");
        break;
    case TIME:
        scene_try(scene, rule, rule->max, LK_TEXT(""), 0, NULL);
        scene_try(scene, rule, rule->max + 1, LK_TEXT(""), LK_E_CHECK, "is after the year 9999");
        break;
    case REF:
        scene_try(scene, rule, 1, LK_TEXT(""), 0, NULL);
        scene_try(scene, rule, 1000, LK_TEXT(""), LK_E_REFERENCE, "refers to nothing");
        scene_try(scene, rule, 0, LK_TEXT(""), LK_E_REFERENCE, "refers to nothing");
        scene_try(scene, rule, UINT64_C(1) << 32, LK_TEXT(""), LK_E_CHECK,
                  "is not a number of a record");
        break;
    }
    if (rule->flags & REQUIRED) {
        try_required(scene, rule);
    }
}

static void test_rules_of_every_field(void **state)
{
    struct scene *scene = scene_open();
    size_t i;

    (void)state;
    for (i = 0; i < LK_COUNT(rules); i++) {
        try_rule(scene, &rules[i]);
    }
    print_message("%u values taken, %u refused\n", scene->acceptances, scene->refusals);
    assert_true(scene->refusals > 400);
    scene_close(scene);
}

/* A field that has no line above has no test. */
static void test_rules_table_names_every_field(void **state)
{
    const struct lk_kind *const *kind;
    size_t f, i;

    (void)state;
    for (kind = lk_kinds; *kind; kind++) {
        if ((*kind)->flags & LK_K_INTERNAL) {
            continue;
        }
        for (f = 0; f < (*kind)->field_count; f++) {
            for (i = 0; i < LK_COUNT(rules); i++) {
                if (rules[i].kind == *kind &&
                    strcmp(rules[i].field, (*kind)->fields[f].name) == 0) {
                    break;
                }
            }
            if (i == LK_COUNT(rules)) {
                fail_msg("%s.%s has no line in the table of this test", (*kind)->name,
                         (*kind)->fields[f].name);
            }
        }
    }
}

static void test_rules_internal_kinds_take_no_records(void **state)
{
    struct bench *bench = bench_open();
    uint64_t print = bench_print(bench);
    const struct lk_kind *const *kind;

    (void)state;
    bench_write(bench);
    for (kind = lk_kinds; *kind; kind++) {
        union lk_any_record record;

        if (!((*kind)->flags & LK_K_INTERNAL)) {
            continue;
        }
        memset(&record, 0, sizeof(record));
        record.record.id = bench->admin;
        assert_int_equal(lk_add(&bench->txn, *kind, &record.record, NULL), LK_E_ARGUMENT);
        assert_int_equal(lk_update(&bench->txn, *kind, bench->admin, &record.record, 0, NULL),
                         LK_E_ARGUMENT);
        assert_int_equal(lk_remove(&bench->txn, *kind, bench->admin, NULL), LK_E_ARGUMENT);
        assert_int_equal(lk_restore(&bench->txn, *kind, bench->admin), LK_E_ARGUMENT);
        assert_int_equal(lk_purge(&bench->txn, *kind, bench->admin), LK_E_ARGUMENT);
    }
    bench_commit(bench);
    assert_true(bench_print(bench) == print);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_of_every_field),
        cmocka_unit_test(test_rules_table_names_every_field),
        cmocka_unit_test(test_rules_internal_kinds_take_no_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
