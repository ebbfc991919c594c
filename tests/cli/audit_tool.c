// SPDX-License-Identifier: MIT
/*
 * audit_tool.c: does to a store what the program has no words for: logins from an address, and
 * entries of an application. For scripts.
 *
 *     audit_tool DIRECTORY NAME PASSWORD      tenant 1, a user who may log in so
 *     audit_tool DIRECTORY forge RING SLOT    alters an entry, with a checksum that holds
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lk_audit.h"

static const uint8_t tool_address[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 0x17};
static struct lk_txn tool_txn;

static void tool_must(const char *what, int error, int want)
{
    if (error != want) {
        (void)fprintf(stderr, "audit_tool: %s: %s\n", what, lk_strerror(error));
        exit(1);
    }
}

static struct lk_span tool_span(const char *text)
{
    return (struct lk_span){(const uint8_t *)text, strlen(text)};
}

static struct lk_login_result tool_login(struct lk_store *store, const char *name,
                                         const char *password, int want)
{
    struct lk_login_request request = {.tenant = 1,
                                       .name = tool_span(name),
                                       .password = tool_span(password),
                                       .channel = LK_CHANNEL_HTTP,
                                       .ip = {tool_address, sizeof(tool_address)},
                                       .user_agent = LK_TEXT("a \"browser\" [of 1]\\2")};
    struct lk_login_result result;

    tool_must("login", lk_login(store, &request, &result, NULL), want);
    return result;
}

static void tool_write(struct lk_store *store, struct lk_id session)
{
    const struct lk_actor actor = {.tenant = 1,
                                   .user = session.user,
                                   .session = session.sub,
                                   .channel = LK_CHANNEL_HTTP,
                                   .ip = {tool_address, sizeof(tool_address)}};
    struct lk_audit_entry entry;

    memset(&entry, 0, sizeof(entry));
    entry.record.id.tenant = 1;
    lk_set_text(&lk_kind_audit, &entry.record, "action", "door.open for a long while, and wide");
    lk_set_text(&lk_kind_audit, &entry.record, "resource_type", "door");
    lk_set_text(&lk_kind_audit, &entry.record, "resource_id", "7, \"north\" = ]\\");
    lk_set_text(&lk_kind_audit, &entry.record, "description",
                "T\xC3\xBCr \xE2\x84\x96 7 ge\xC3\xB6"
                "ffnet, \"weit\"");
    lk_set_text(&lk_kind_audit, &entry.record, "tags", "door north");
    tool_must("begin", lk_begin(store, &tool_txn, LK_WRITE, &actor), 0);
    tool_must("write", lk_audit_write(&tool_txn, LK_RING_ACTIVITY, &entry), 0);
    tool_must("commit", lk_commit(&tool_txn), 0);
}

static void tool_forge(struct lk_store *store, uint32_t ring, uint32_t slot)
{
    static uint8_t buffer[LK_VALUE_MAX];
    struct lk_span cbor;
    struct lk_key key;
    size_t i;

    tool_must("begin", lk_begin(store, &tool_txn, LK_WRITE, NULL), 0);
    lk_key_record(&key, &lk_kind_audit, (struct lk_id){1, ring, slot});
    tool_must("get", lk_value_get(&tool_txn, &key, &cbor), 0);
    memcpy(buffer, cbor.data, cbor.size);
    for (i = 0; i + 4 < cbor.size && memcmp(buffer + i, "user", 4) != 0; i++) {
    }
    buffer[i] = 'U';
    tool_must("put", lk_value_put(&tool_txn, &key, buffer, cbor.size), 0);
    tool_must("commit", lk_commit(&tool_txn), 0);
}

int main(int argc, char **argv)
{
    struct lk_host_config config = {.directory = argc > 1 ? argv[1] : NULL};
    struct lk_login_result result;
    struct lk_store *store;
    struct lk_host *host;
    int i;

    if (argc < 4) {
        return 2;
    }
    tool_must("open", lk_host_open(&config, &host), 0);
    store = lk_host_store(host);
    if (strcmp(argv[2], "forge") == 0) {
        tool_forge(store, (uint32_t)strtoul(argv[3], NULL, 10),
                   (uint32_t)strtoul(argc > 4 ? argv[4] : "0", NULL, 10));
    } else {
        result = tool_login(store, argv[2], argv[3], 0);
        for (i = 0; i < 4; i++) {
            (void)tool_login(store, argv[2], "not that", LK_E_REFUSED);
            (void)tool_login(store, "nobody", "not that", LK_E_REFUSED);
        }
        tool_write(store, result.session);
    }
    lk_txn_release(&tool_txn);
    lk_host_close(host);
    return 0;
}
