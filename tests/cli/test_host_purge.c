// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/*
 * test_host_purge.c: what a purge leaves of a user who came over a network: of the address, the
 * program and the device that sessions and the audit tell of, nothing; of the entries in the audit,
 * all, without a name.
 */
#include "lk_linux.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define AGENT "tapir-agent/1.0 (tapir)"
#define OTHER "numbat-agent/2.0"

static const uint8_t tapir_address[16] = {0x20, 0x01, 0x0d, 0xb8, 't', 'a', 'p', 'i',
                                          'r',  '-',  'i',  'p',  'v', '6', '-', '1'};
static const uint8_t numbat_address[16] = {0x20, 0x01, 0x0d, 0xb8, 'n', 'u', 'm', 'b',
                                           'a',  't',  '-',  'i',  'p', 'v', '-', '6'};
/* {"fp": "tapir-device"} */
static const uint8_t tapir_device[] = "\xa1\x62\x66\x70\x6ctapir-device";
/* {"path": "/tapir-path"} */
static const uint8_t tapir_request[] = "\xa1\x64path\x6b/tapir-path";

static char purge_directory[] = "/tmp/lk-purge-XXXXXX";
static char purge_store[sizeof purge_directory + 8];
static struct lk_host *purge_host;

static struct lk_span span_of(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static int setup(void **state)
{
    const struct lk_create_request request = {LK_TEXT("acme"), LK_TEXT("numbat"),
                                              LK_TEXT("correct horse battery")};
    struct lk_create_result result;

    (void)state;
    if (mkdtemp(purge_directory) == NULL) {
        return -1;
    }
    (void)snprintf(purge_store, sizeof purge_store, "%s/store", purge_directory);
    const struct lk_host_config config = {.directory = purge_store, .pwhash = {64, 1, 1}};
    int error = lk_host_create(&config, &request, &result);
    return error != 0 ? error : lk_host_open(&config, &purge_host);
}

static int teardown(void **state)
{
    char command[sizeof purge_directory + 16];

    (void)state;
    lk_host_close(purge_host);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", purge_directory);
    return system(command);
}

/* How often bytes are in the store's files. */
static size_t count_raw(const void *needle, size_t size)
{
    DIR *stream = opendir(purge_store);
    size_t count = 0;

    assert_non_null(stream);
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        char path[sizeof purge_store + 300];
        struct stat st;

        (void)snprintf(path, sizeof path, "%s/%s", purge_store, e->d_name);
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        FILE *file = fopen(path, "rb");
        uint8_t *image = malloc((size_t)st.st_size + 1);
        assert_true(file != NULL && image != NULL);
        size_t got = fread(image, 1, (size_t)st.st_size, file);
        for (size_t i = 0; i + size <= got; i++) {
            count += memcmp(image + i, needle, size) == 0;
        }
        free(image);
        (void)fclose(file);
    }
    (void)closedir(stream);
    return count;
}

static size_t count_text(const char *text)
{
    return count_raw(text, strlen(text));
}

static void begin(struct lk_txn *txn, enum lk_mode mode, const struct lk_actor *actor)
{
    assert_int_equal(lk_begin(lk_host_store(purge_host), txn, mode, actor), 0);
}

static struct lk_id add_tapir(void)
{
    struct lk_txn txn = {0};
    struct lk_user user = {.record = {.id = {1, 0, 0}}};
    struct lk_password password;

    assert_int_equal(lk_password_prepare(lk_host_store(purge_host),
                                         LK_TEXT("a tapir's own password"), NULL, 0, &password,
                                         NULL),
                     0);
    begin(&txn, LK_WRITE, NULL);
    lk_field_set_span(&user.record, lk_field_named(&lk_kind_user, LK_TEXT("username")),
                      LK_TEXT("tapir"));
    assert_int_equal(lk_add(&txn, &lk_kind_user, &user.record, NULL), 0);
    assert_int_equal(lk_password_set(&txn, user.record.id, &password, 0), 0);
    struct lk_id role;
    assert_int_equal(lk_find_named(&txn, &lk_kind_role, 1, LK_TEXT("admin"), &role), 0);
    assert_int_equal(lk_role_grant(&txn, user.record.id, role, 0), 0);
    assert_int_equal(lk_commit(&txn), 0);
    lk_txn_release(&txn);
    return user.record.id;
}

static int log_in(const char *name, const char *password, const uint8_t address[16],
                  const char *agent, struct lk_login_result *result)
{
    const struct lk_login_request request = {
        .tenant = 1,
        .name = span_of(name),
        .password = span_of(password),
        .channel = LK_CHANNEL_HTTP,
        .ip = {address, 16},
        .user_agent = span_of(agent),
        .device_info = {tapir_device, address == tapir_address ? sizeof tapir_device - 1 : 0},
    };
    return lk_login(lk_host_store(purge_host), &request, result, NULL);
}

/* What somebody does who is logged in: to a role, and an entry of an application's own. */
static void act(struct lk_id session, const uint8_t address[16], const char *agent,
                const char *description)
{
    const struct lk_actor actor = {.tenant = session.tenant,
                                   .user = session.user,
                                   .session = session.sub,
                                   .channel = LK_CHANNEL_HTTP,
                                   .ip = {address, 16},
                                   .user_agent = span_of(agent)};
    struct lk_role role = {.record = {.id = {1, 0, 0}}};
    struct lk_audit_entry entry = {.record = {.id = {1, 0, 0}}};
    struct lk_txn txn = {0};
    struct lk_id id;

    begin(&txn, LK_WRITE, &actor);
    assert_int_equal(lk_find_named(&txn, &lk_kind_role, 1, LK_TEXT("viewer"), &id), 0);
    lk_field_set_span(&role.record, lk_field_named(&lk_kind_role, LK_TEXT("description")),
                      span_of(description));
    assert_int_equal(lk_update(&txn, &lk_kind_role, id, &role.record, 0, NULL), 0);
    lk_field_set_span(&entry.record, lk_field_named(&lk_kind_audit, LK_TEXT("action")),
                      LK_TEXT("door.open"));
    lk_field_set_span(&entry.record, lk_field_named(&lk_kind_audit, LK_TEXT("resource_type")),
                      LK_TEXT("door"));
    lk_field_set_span(&entry.record, lk_field_named(&lk_kind_audit, LK_TEXT("description")),
                      LK_TEXT("opened the door"));
    if (address == tapir_address) {
        lk_field_set_span(&entry.record, lk_field_named(&lk_kind_audit, LK_TEXT("request")),
                          (struct lk_span){tapir_request, sizeof tapir_request - 1});
    }
    assert_int_equal(lk_audit_write(&txn, LK_RING_ACTIVITY, &entry), 0);
    assert_int_equal(lk_commit(&txn), 0);
    lk_txn_release(&txn);
}

/* Entries of the tenant, and how many have an actor of this number and an address. */
static size_t count_audit(uint32_t actor, size_t *of_actor, size_t *with_address, size_t *erased)
{
    struct lk_txn txn = {0};
    struct lk_audit_query query = {.tenant = 1, .oldest_first = true};
    struct lk_audit_entry entry;
    uint64_t last = 0;
    size_t count = 0;

    *of_actor = *with_address = *erased = 0;
    begin(&txn, LK_READ, NULL);
    assert_int_equal(lk_audit_begin(&txn, &query), 0);
    while (lk_audit_next(&query, &entry) == 0) {
        assert_true(entry.seq > last);
        last = entry.seq;
        count++;
        *of_actor += entry.actor == actor;
        *with_address += entry.actor == actor && entry.ip.size == 16 &&
                         entry.source_tag.size == 8 && entry.user_agent.size > 0;
        *erased += entry.actor == actor && entry.erased && !entry.ip.size && !entry.request.size;
    }
    lk_abort(&txn);
    lk_txn_release(&txn);
    return count;
}

static void test_purge_leaves_no_trace_of_a_network(void **state)
{
    struct lk_login_result tapir, numbat, refused;
    size_t before, after, of_actor, with_address, of_numbat, erased, still;
    struct lk_txn txn = {0};
    struct lk_verify verify = {0};
    uint64_t bytes;

    (void)state;
    struct lk_id id = add_tapir();
    assert_int_equal(log_in("tapir", "a tapir's own password", tapir_address, AGENT, &tapir), 0);
    assert_int_equal(log_in("tapir", "not that", tapir_address, AGENT, &refused), LK_E_REFUSED);
    assert_int_equal(log_in("numbat", "correct horse battery", numbat_address, OTHER, &numbat), 0);
    act(tapir.session, tapir_address, AGENT, "by one of them");
    act(numbat.session, numbat_address, OTHER, "by the other");
    begin(&txn, LK_WRITE,
          &(struct lk_actor){.tenant = 1,
                             .user = id.user,
                             .session = tapir.session.sub,
                             .channel = LK_CHANNEL_HTTP,
                             .ip = {tapir_address, 16},
                             .user_agent = span_of(AGENT)});
    assert_int_equal(lk_session_end(&txn, tapir.session), 0);
    assert_int_equal(lk_commit(&txn), 0);
    assert_int_equal(log_in("tapir", "a tapir's own password", tapir_address, AGENT, &tapir), 0);
    /* In the clear in the session; in the audit, sealed. */
    assert_true(count_text(AGENT) > 0 && count_text("tapir-device") > 0);
    assert_true(count_raw(tapir_address, 16) > 0);
    assert_int_equal(count_text("/tapir-path") + count_text("opened the door"), 0);
    before = count_audit(id.user, &of_actor, &with_address, &erased);
    assert_true(of_actor >= 5 && with_address == of_actor && !erased);
    (void)count_audit(numbat.session.user, &of_numbat, &with_address, &erased);
    assert_true(of_numbat >= 3 && with_address == of_numbat);

    begin(&txn, LK_WRITE, NULL);
    assert_int_equal(lk_purge(&txn, &lk_kind_user, id), 0);
    assert_int_equal(lk_commit(&txn), 0);
    lk_txn_release(&txn);
    assert_int_equal(lk_store_scrub(lk_host_store(purge_host), &bytes), 0);
    assert_true(bytes > 0);

    assert_int_equal(count_text("tapir"), 0);
    assert_int_equal(count_raw(tapir_address, 16), 0);
    /* The entries are all there, with the purge, and so is what others left. */
    after = count_audit(id.user, &still, &with_address, &erased);
    assert_int_equal(after, before + 1);
    assert_int_equal(still, of_actor);
    assert_int_equal(with_address, 0);
    assert_int_equal(erased, of_actor);
    (void)count_audit(numbat.session.user, &still, &with_address, &erased);
    assert_int_equal(still, of_numbat);
    assert_int_equal(with_address, of_numbat);
    begin(&txn, LK_READ, NULL);
    assert_int_equal(lk_verify(&txn, &verify), 0);
    lk_abort(&txn);
    lk_txn_release(&txn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_purge_leaves_no_trace_of_a_network),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
