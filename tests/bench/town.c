// SPDX-License-Identifier: MIT
#include "town.h"

#include "lk_linux.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 50000

void town_must(int error, const char *what)
{
    if (error) {
        (void)fprintf(stderr, "%s: ", lk_strerror(error));
    }
    bench_must(!error, what);
}

static void town_config(struct lk_host_config *config, const char *directory, char path[512])
{
    (void)snprintf(path, 512, "%s/store", directory);
    memset(config, 0, sizeof(*config));
    config->directory = path;
    config->pwhash = (struct lk_pwhash_params){8, 1, 1};
}

void town_open(struct town *town, const char *directory)
{
    struct lk_host_config config;
    struct lk_id id;
    char path[512];

    memset(town, 0, sizeof(*town));
    town_config(&config, directory, path);
    town_must(lk_host_open(&config, &town->host), "open");
    town->store = lk_host_store(town->host);
    town_must(lk_begin(town->store, &town->txn, LK_READ, NULL), "begin");
    town_must(lk_find_tenant(&town->txn, LK_TEXT("main"), &id), "tenant");
    town->tenant = id.tenant;
    town->first_user = 2; /* the administrator is the first */
    lk_abort(&town->txn);
}

void town_close(struct town *town)
{
    lk_txn_release(&town->txn);
    lk_host_close(town->host);
}

static void town_users(struct town *town, uint32_t users)
{
    struct lk_id role;
    uint32_t i;

    town->txn.storage.bulk = true;
    town_must(lk_begin(town->store, &town->txn, LK_WRITE, NULL), "begin");
    town->txn.summary = true;
    town_must(lk_find_named(&town->txn, &lk_kind_role, town->tenant, LK_TEXT("operator"), &role),
              "role");
    for (i = 0; i < users; i++) {
        struct town_user plain;
        struct lk_user user;

        town_user(i, &plain);
        memset(&user, 0, sizeof(user));
        user.record.id.tenant = town->tenant;
        lk_set_text(&lk_kind_user, &user.record, "username", plain.username);
        lk_set_text(&lk_kind_user, &user.record, "email", plain.email);
        lk_set_text(&lk_kind_user, &user.record, "display_name", plain.display);
        lk_set_span(&lk_kind_user, &user.record, "external_id",
                    (struct lk_span){plain.external_id, sizeof(plain.external_id)});
        town_must(lk_user_add(&town->txn, &user, &role.sub, 1), "add");
    }
    town_must(lk_commit(&town->txn), "commit");
    town->txn.storage.bulk = false;
}

/* A session as a login leaves it, without the hash of a password for each. */
static void town_session(struct town *town, struct lk_id id, char token[LK_TOKEN_SIZE])
{
    const struct lk_kind *kind = &lk_kind_session;
    uint8_t hash[LK_TOKEN_HASH_SIZE];
    struct lk_session session;
    struct lk_tenant tenant;
    static const uint8_t address[4] = {192, 0, 2, 7};

    memset(&session, 0, sizeof(session));
    session.record.id = id;
    town_must(lk_get(&town->txn, &lk_kind_tenant, (struct lk_id){id.tenant, 0, 0}, &tenant.record),
              "tenant");
    town_must(lk_token_make(town->store, town->store->token_key, 's', id, token, hash), "token");
    lk_set_span(kind, &session.record, "token_hash", (struct lk_span){hash, sizeof(hash)});
    lk_set_number(kind, &session.record, "started_at", town->txn.now_ms);
    lk_set_number(kind, &session.record, "last_activity", town->txn.now_ms);
    lk_set_number(kind, &session.record, "expires_at", town->txn.now_ms + TOWN_LIFETIME_MS);
    lk_set_number(kind, &session.record, "auth_epoch", tenant.auth_epoch);
    lk_session_stamp(&town->txn, &session);
    lk_set_number(kind, &session.record, "channel", LK_CHANNEL_HTTP);
    lk_set_span(kind, &session.record, "ip", (struct lk_span){address, sizeof(address)});
    lk_set_text(kind, &session.record, "user_agent",
                "Mozilla/5.0 (X11; Linux aarch64) Gateway/2.1");
    town_must(lk_record_store(&town->txn, kind, &session.record, lk_work(&town->txn)->new_value),
              "session");
}

static void town_logins(struct town *town, const char *directory, uint32_t users)
{
    struct lk_password password;
    const struct lk_password_how how = {.verb = NULL};
    struct lk_verifier verifier;
    uint32_t i, number;

    town_must(lk_password_prepare(town->store, LK_TEXT(TOWN_PASSWORD), NULL, 0, &password, NULL),
              "password");
    memset(&verifier, 0, sizeof(verifier));
    verifier.form = LK_VERIFIER_ARGON2ID;
    verifier.argon2id = password;
    for (i = 0; i < users; i++) {
        struct lk_id user = {town->tenant, town->first_user + i, 0};
        struct lk_activity activity;

        if (i % BATCH == 0) {
            town_must(lk_begin(town->store, &town->txn, LK_WRITE, NULL), "begin");
            town->txn.summary = true;
        }
        town_must(lk_password_put(&town->txn, user, &verifier, &how, LK_W_QUIET), "verifier");
        for (number = 0; number < TOWN_SESSIONS; number++) {
            char token[LK_TOKEN_SIZE];

            town_session(town, (struct lk_id){user.tenant, user.user, number + 1}, token);
            tokens_write(directory, i, users, number, token);
        }
        memset(&activity, 0, sizeof(activity));
        activity.record.id = user;
        lk_set_number(&lk_kind_activity, &activity.record, "last_login_at", town->txn.now_ms);
        lk_set_number(&lk_kind_activity, &activity.record, "login_count", TOWN_SESSIONS);
        lk_set_number(&lk_kind_activity, &activity.record, "session_number", TOWN_SESSIONS);
        town_must(lk_write(&town->txn, &lk_kind_activity, LK_ADD, user, &activity.record, 0, NULL,
                           LK_W_QUIET | LK_W_SYSTEM | LK_W_GIVEN_ID),
                  "activity");
        if (i % BATCH == BATCH - 1 || i == users - 1) {
            town_must(lk_commit(&town->txn), "commit");
        }
    }
    tokens_done();
}

/* One entry a second, as far as a time may stand still while they are written: logins, as the store
 * notes one of a user who brings neither address nor program. */
static void town_audit(struct town *town)
{
    const struct lk_kind *kind = &lk_kind_audit;
    uint32_t i;

    town_must(lk_begin(town->store, &town->txn, LK_WRITE, NULL), "begin");
    town->txn.actor.tenant = town->tenant;
    town->txn.actor.channel = LK_CHANNEL_HTTP;
    for (i = 0; i < TOWN_AUDIT; i++) {
        struct lk_audit_entry entry;
        char resource[16];

        town->txn.now_ms++;
        town->txn.actor.user = town->first_user + i % town->users;
        (void)snprintf(resource, sizeof(resource), "%u", (unsigned)town->txn.actor.user);
        memset(&entry, 0, sizeof(entry));
        lk_set_text(kind, &entry.record, "action", "login");
        lk_set_text(kind, &entry.record, "resource_type", "user");
        lk_set_text(kind, &entry.record, "resource_id", resource);
        lk_set_text(kind, &entry.record, "description", "logged in");
        town_must(lk_audit_append(&town->txn, town->tenant, LK_RING_ACTIVITY, &entry), "audit");
    }
    town_must(lk_commit(&town->txn), "commit");
}

/* As `import` and `compact` of the command line do. */
static void town_pack(struct town *town)
{
    lk_txn_release(&town->txn);
    town_must(lk_host_pack(town->host, NULL, NULL), "pack");
}

void town_load(const char *directory, uint32_t users, uint64_t *import_ns)
{
    struct lk_create_request request = {.tenant = LK_TEXT("main"), .admin = LK_TEXT("admin")};
    struct lk_create_result result;
    struct lk_host_config config;
    struct town town;
    char path[512];

    town_config(&config, directory, path);
    town_must(lk_host_create(&config, &request, &result), "create");
    town_open(&town, directory);
    town.users = users;
    *import_ns = bench_spent();
    town_users(&town, users);
    town_pack(&town);
    *import_ns = bench_spent() - *import_ns;
    town_logins(&town, directory, users);
    town_audit(&town);
    town_pack(&town);
    town_close(&town);
}
